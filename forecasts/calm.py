"""Values without their season, on a scale on which a step is a sum: where breaks are looked for.

The scale is logs, or, for series that go below 0, units of their usual change. The season is that
of the siblings, and a series' own as far as chance does not explain the difference.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasts.panel import Floats
from forecasts.scores import mean, scale

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]

LEAST_FACTOR = 0.02
"""A season below this share of the mean says nothing about the level: it is stepped over."""
FEWEST_ROUNDS = 2
"""Rounds without which nothing is known of the season."""
MOST_GAPS = 0.3
"""Share of one season that may be missing where its mean is taken."""


@dataclass(frozen=True, eq=False)
class Calm:
    """Values without season, `(series, periods)`, and what was taken out."""

    x: Floats
    """Logs of values over season, or values less season over `unit`; NaN for gaps."""
    season: Floats
    """What values were divided by, or what was subtracted, in units of the series."""
    additive: Flags
    """`(series,)`: whether a value is below 0, so that there are no logs."""
    unit: Floats
    """`(series,)`: 1, or the unit of an additive series: its usual change from season to season."""
    least: Floats
    """`(series,)`: half the smallest value above 0, which stands for 0 in logs."""
    grain: Floats
    """`(series,)`: chance of a count as a share of its level; next to 0 for what is no count."""


def calm(values: Floats, season: int, groups: Numbers, cuts: tuple[int, ...] = ()) -> Calm:
    """`values`, `(series, periods)` with NaN for gaps, without their season.

    `groups` number the siblings from 0. Nothing is learned across `cuts`, the first columns after
    known breaks.
    """
    additive = np.asarray((values < 0).any(axis=1))
    down = additive[:, None]
    positive = np.where(values > 0, values, np.inf)
    least = positive.min(axis=1, initial=np.inf) / 2
    unit = np.where(additive, scale(values, season), 1.0)
    scaled = values / unit[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        factors = _season(scaled, season, groups, additive, cuts)
        logs = np.log(np.maximum(values, least[:, None]) / factors)
    x = np.where(down, scaled - factors, np.where(factors > LEAST_FACTOR, logs, np.nan))
    x = np.where(np.isfinite(x) & np.isfinite(values), x, np.nan)
    return Calm(
        x, np.where(down, factors * unit[:, None], factors), additive, unit, least, _grain(values)
    )


def _grain(values: Floats) -> Floats:
    """Root of the smallest difference of two values over their mean size: Poisson, of a count."""
    gaps = np.diff(np.sort(values, axis=1), axis=1)
    step = np.where(gaps > 0, gaps, np.inf).min(axis=1, initial=np.inf)
    size = np.fmax(mean(np.abs(values)), np.finfo(float).tiny)
    return np.sqrt(np.fmin(np.where(np.isfinite(step), step, 0.0) / size, 1.0))


def trend(values: Floats, season: int, cuts: tuple[int, ...] = ()) -> Floats:
    """Centred moving mean over one season; NaN near either end, and where it would cross a cut."""
    known = np.isfinite(values)
    even = season % 2 == 0
    half = season // 2
    found = np.full(values.shape, np.nan)
    if values.shape[1] < season + even:
        return found
    amount = _moving(np.where(known, values, 0.0), season, even)
    count = _moving(known.astype(float), season, even)
    enough = count >= 1 - MOST_GAPS
    found[:, half : values.shape[1] - half] = np.where(enough, amount / np.fmax(count, 0.1), np.nan)
    for cut in cuts:
        found[:, max(cut - half, 0) : cut + half] = np.nan
    return found


def pooled(values: Floats, groups: Numbers) -> Floats:
    """Sum of the known values of each group, `(groups, ...)` from `(series, ...)`."""
    if (groups[1:] < groups[:-1]).any():
        order = np.argsort(groups, kind="stable")
        groups, values = groups[order], values[order]
    starts = np.searchsorted(groups, np.arange(groups[-1] + 1))
    return np.asarray(np.add.reduceat(np.where(np.isnan(values), 0.0, values), starts, axis=0))


def shared_mean(values: Floats, groups: Numbers) -> Floats:
    """Mean of the known values of each group; NaN where there are none."""
    count = pooled(np.isfinite(values).astype(float), groups)
    return np.asarray(np.where(count > 0, pooled(values, groups) / np.fmax(count, 1), np.nan))


def _moving(values: Floats, season: int, even: bool) -> Floats:
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    means = (sums[:, season:] - sums[:, :-season]) / season
    return np.asarray((means[:, 1:] + means[:, :-1]) / 2 if even else means)


def _season(
    values: Floats, season: int, groups: Numbers, additive: Flags, cuts: tuple[int, ...]
) -> Floats:
    """What multiplies the values by season, `(series, periods)`; what is added, where additive."""
    none = np.where(additive, 0.0, 1.0)[:, None]
    if season == 1 or values.shape[1] < FEWEST_ROUNDS * season:
        return np.repeat(none, values.shape[1], axis=1)
    kind = np.unique(2 * groups + additive, return_inverse=True)[1].astype(np.int64)
    usual = trend(values, season, cuts)
    down = additive[:, None]
    ratio = np.where(down, values - usual, np.where(usual > 0, values / usual, np.nan))
    lent = _lent(values, usual, ratio, season, kind, additive)[kind]
    own, chance, rounds = _of_rounds(ratio, season)
    factors = lent + _belief(chance, own - lent, rounds) * np.nan_to_num(own - lent)
    level = mean(factors)[:, None]
    factors = np.where(down, factors - level, factors / level)
    return np.asarray(factors[:, np.arange(values.shape[1]) % season])


def _lent(
    values: Floats, usual: Floats, ratio: Floats, season: int, kind: Numbers, additive: Flags
) -> Floats:
    """Season of each group, `(groups, season)`, shrunk to none as far as it may be chance.

    Large series count for more than small ones, as the root of their size: they tell more, but are
    not all of the group.
    """
    nothing = shared_mean(np.where(additive, 0.0, 1.0), kind)[:, None]
    weight = 1 / np.sqrt(np.fmax(mean(np.abs(values)), np.finfo(float).tiny))[:, None]
    seen = np.isfinite(ratio)
    sums = pooled(np.where(seen, values * weight, np.nan), kind)
    levels = pooled(np.where(seen, usual * weight, np.nan), kind)
    together = np.where(nothing == 0, shared_mean(ratio, kind), sums / levels)
    found, chance, rounds = _of_rounds(together, season)
    apart = np.nan_to_num(found - nothing)
    return np.asarray(nothing + _belief(chance, apart, rounds) * apart)


def _of_rounds(ratio: Floats, season: int) -> tuple[Floats, Floats, Floats]:
    """Per season: mean over the rounds without the largest and smallest of three or more.

    With it the chance variance of such a mean, `(rows, 1)`, and the fewest rounds of a season.
    """
    lacking = -ratio.shape[1] % season
    padded = np.pad(ratio, ((0, 0), (0, lacking)), constant_values=np.nan)
    rounds = padded.reshape(len(ratio), -1, season)
    known = np.isfinite(rounds)
    count = known.sum(axis=1)
    total = np.where(known, rounds, 0.0).sum(axis=1)
    ends = np.where(known, rounds, np.inf).min(axis=1) + np.where(known, rounds, -np.inf).max(1)
    trimmed = np.where(count > 2, total - ends, total) / np.where(count > 2, count - 2, count)
    spread = np.where(known, rounds - trimmed[:, None, :], 0.0) ** 2
    chance = spread.sum(axis=1) / np.fmax(count - 1, 1) / np.fmax(count, 1)
    return trimmed, mean(chance)[:, None], count.min(axis=1)[:, None].astype(float)


def _belief(chance: Floats, apart: Floats, rounds: Floats) -> Floats:
    """How much of a difference is more than chance, `(rows, 1)`, from 0 to 1."""
    size = mean(apart**2)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 1 - chance / size
    return np.where((rounds >= FEWEST_ROUNDS) & (share > 0), share, 0.0)
