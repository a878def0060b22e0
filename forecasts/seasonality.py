"""Seasonal factors: of one series, and of siblings that lend each other theirs.

All factors are additive on the scale given (logs, where a series has them), one a season from that
of column 0 on, with mean 0. Rows are histories that begin in column 0 and end at `lengths`.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from forecasts.panel import Floats

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
CERTAIN = 1.645
"""Standard errors by which the seasonal autocorrelation must differ from 0: the 90 % test of M4."""
FAR = 2 * 1.4826
"""Usual distances from the middle within which values count in full: two standard deviations."""
FEWEST_ROUNDS = 3
"""Rounds of the season a series must have seen to be tested for one of its own."""


def seasonal(values: Floats, lengths: Ints, season: int) -> NDArray[np.bool_]:
    """Whether each row shows a season: its autocorrelation at that lag can be told from chance.

    Source: Makridakis, Spiliotis and Assimakopoulos (2020), International Journal of Forecasting
    36(1), the test of the M4 benchmarks.
    """
    if season == 1 or values.shape[1] < FEWEST_ROUNDS * season:
        return np.zeros(len(values), dtype=bool)
    known = np.isfinite(values)
    points = known.sum(axis=1)
    mean = np.where(known, values, 0).sum(axis=1) / np.maximum(points, 1)
    apart = np.where(known, values - mean[:, None], 0.0)
    total = (apart**2).sum(axis=1)
    total = np.where(total > 0, total, 1.0)
    lags = [
        np.einsum("lt,lt->l", apart[:, lag:], apart[:, :-lag]) / total
        for lag in range(1, season + 1)
    ]
    error = np.sqrt((1 + 2 * np.sum(np.square(lags[:-1]), axis=0)) / np.maximum(points, 1))
    return np.asarray((np.abs(lags[-1]) > CERTAIN * error) & (lengths >= FEWEST_ROUNDS * season))


def detrended(values: Floats, season: int) -> Floats:
    """Values less their centred moving mean over a season; NaN half a season from either end."""
    even = season % 2 == 0
    weights = np.full(season + even, 1 / season)
    if even:
        weights[[0, -1]] /= 2
    rest = np.full(values.shape, np.nan)
    half = season // 2
    if values.shape[1] >= len(weights):
        trend = sliding_window_view(values, len(weights), axis=1) @ weights
        rest[:, half : values.shape[1] - half] = values[:, half : values.shape[1] - half] - trend
    return rest


def by_season(values: Floats, season: int) -> Floats:
    """`(rows, rounds, season)`, filled up with NaN at the end."""
    lacking = -values.shape[1] % season
    padded = np.pad(values, ((0, 0), (0, lacking)), constant_values=np.nan)
    return padded.reshape(len(values), -1, season)


def drawn_in(rounds: Floats, skewed: Flags | None = None) -> tuple[Floats, Floats]:
    """`(rows, rounds, season)`, values far from the middle one of their season drawn in to `FAR`.

    A month in which offices were shut, or rushed at, tells little of what the month is like. The
    second is the share of values that count in full, `(rows,)`: what others say is less sure than
    it looks, and their chance larger by its square.

    Source: Huber (1964), Annals of Mathematical Statistics 35(1).
    """
    known = np.isfinite(rounds)
    count = known.sum(axis=1)
    ranked = np.sort(rounds, axis=1)
    halves = (np.maximum(count - 1, 0) // 2, np.minimum(count // 2, rounds.shape[1] - 1))
    low, high = (np.take_along_axis(ranked, half[:, None], axis=1) for half in halves)
    middle = (low + high) / 2
    apart = rounds - middle
    size = np.sort(np.abs(apart).reshape(len(rounds), -1), axis=1)
    # One value a season is its middle one, and says nothing about how far values are from it.
    half = (count.sum(axis=1) + (count > 0).sum(axis=1)) // 2
    usual = np.take_along_axis(size, np.minimum(half, size.shape[1] - 1)[:, None], axis=1)
    narrow = usual[:, 0] > 0 if skewed is None else (usual[:, 0] > 0) & ~skewed
    reach = np.where(narrow, FAR * usual[:, 0], np.inf)[:, None, None]
    full = (np.abs(apart) <= reach).sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)
    return middle + np.clip(apart, -reach, reach), np.where(full > 0, full, 1.0)


def own_factors(values: Floats, season: int, skewed: Flags | None = None) -> Floats:
    """`(rows, season)`: means by season of what is left without trend, shrunk towards none.

    Of `skewed` rows, `(rows,)`, far values count in full: the mean of few counts is made by them.
    Shrinkage is that of James and Stein (1961), by how far the means differ beyond chance.
    """
    means, chance, counts = season_means(values, season, skewed)
    apart = np.nansum(counts * means**2, axis=1)
    belief = np.clip(1 - (season - 3) * chance / np.maximum(apart, 1e-300), 0, 1)
    return np.asarray(means * belief[:, None]) if season > 3 else means


def season_means(
    values: Floats, season: int, skewed: Flags | None = None
) -> tuple[Floats, Floats, Floats]:
    """Means by season `(rows, season)`, variance of one value within a season `(rows,)`, counts.

    A season nobody saw has the mean 0 and the count 0.
    """
    rest, full = drawn_in(by_season(detrended(values, season), season), skewed)
    known = np.isfinite(rest)
    counts = known.sum(axis=1)
    rest = np.where(known, rest, 0.0)
    means = rest.sum(axis=1) / np.maximum(counts, 1)
    spread = (rest**2).sum(axis=1) - counts * means**2
    freedom = counts.sum(axis=1) - (counts > 0).sum(axis=1)
    chance = np.maximum(spread.sum(axis=1), 0) / np.maximum(freedom, 1) / full**2
    seen = (counts > 0).sum(axis=1)
    centre = means.sum(axis=1) / np.maximum(seen, 1)
    return np.where(counts > 0, means - centre[:, None], 0.0), chance, counts.astype(float)


LONG_ROUNDS = 2.5
"""Rounds from which a series' own moving mean is its trend; shorter ones take that of siblings."""
LONG_OF_FEW = 4.0
"""The same of counts with many zeros: half a round lost at either end would be missed more."""
PRIOR_FREEDOM = 6.0
"""Values that the siblings' chance weighs as much as, in what is taken for a series' own chance."""


def lent_factors(
    values: Floats,
    lengths: Ints,
    groups: Ints,
    phases: Ints,
    season: int,
    skewed: Flags | None = None,
) -> Floats:
    """`(rows, season)`: the season of the group, and of each row only what it can show beyond it.

    A random-effects pool: rows are weighted by how well they know their season, and differ from
    their siblings by as much as chance does not explain. A row too short for a trend of its own is
    freed of the mean change from round to round of its group. `groups` are numbers from 0;
    `phases` say which season column 0 is; `skewed` is as for `own_factors`.

    Source: DerSimonian and Laird (1986), Controlled Clinical Trials 7(3), for the pool; Miller and
    Williams (2003), International Journal of Forecasting 19(4), for shrinking seasonal factors.
    """
    if season == 1 or values.shape[1] <= season:
        return np.zeros((len(values), season))
    means, chance, counts, freedom = _means(values, lengths, groups, season, skewed)
    place = (np.arange(season) - phases[:, None]) % season
    means, counts = np.take_along_axis(means, place, 1), np.take_along_axis(counts, place, 1)
    size = int(groups.max(initial=0)) + 1
    known = np.asarray((counts > 0).all(axis=1))
    chance = _steadied(chance, freedom, groups, size, known)
    error = chance[:, None] / np.maximum(counts, 1)
    apart, pooled = _pool(means, error, groups, size, known)
    pooled = _shrunk(pooled, error, apart, groups, size, known)
    belief = np.where(known[:, None], apart[groups, None] / (apart[groups, None] + error), 0.0)
    lent = pooled[groups] + belief * (means - pooled[groups])
    # Months seen more often are believed more, and what is left would move the level.
    lent -= lent.mean(axis=1, keepdims=True)
    return np.take_along_axis(lent, (phases[:, None] + np.arange(season)) % season, axis=1)


def _means(
    values: Floats, lengths: Ints, groups: Ints, season: int, skewed: Flags | None
) -> tuple[Floats, Floats, Ints, Floats]:
    """Means by season, variance within one, values a season, values beyond one a season."""
    few = np.zeros(len(values), dtype=bool) if skewed is None else skewed
    short = lengths < np.where(few, LONG_OF_FEW, LONG_ROUNDS) * season
    rest = np.full(values.shape, np.nan)
    rest[~short] = detrended(values[~short], season)
    if short.any():
        rest[short] = _without_line(values[short], groups[short], season)
    rounds, full = drawn_in(by_season(rest, season), skewed)
    known = np.isfinite(rounds)
    counts = known.sum(axis=1)
    rounds = np.where(known, rounds, 0.0)
    means = rounds.sum(axis=1) / np.maximum(counts, 1)
    spread = np.maximum((rounds**2).sum(axis=1) - counts * means**2, 0).sum(axis=1)
    freedom = np.maximum(counts - 1, 0).sum(axis=1).astype(float)
    centred = means - means.mean(axis=1, keepdims=True)
    return centred, spread / np.maximum(freedom, 1) / full**2, counts, freedom


def _without_line(values: Floats, groups: Ints, season: int) -> Floats:
    """Values less their mean and less the change from round to round, which groups share."""
    change = values[:, season:] - values[:, :-season]
    known = np.isfinite(change)
    size = int(groups.max(initial=0)) + 1
    total = np.bincount(groups, np.where(known, change, 0).sum(axis=1), size)
    count = np.bincount(groups, known.sum(axis=1), size)
    slope = (total / np.maximum(count, 1) / season)[groups]
    flat = values - slope[:, None] * np.arange(values.shape[1])
    level = np.nansum(flat, axis=1) / np.maximum(np.isfinite(flat).sum(axis=1), 1)
    return np.asarray(flat - level[:, None])


def _steadied(
    chance: Floats, freedom: Floats, groups: Ints, size: int, known: NDArray[np.bool_]
) -> Floats:
    """The chance of each row, drawn to the usual of its group; a group that knows none takes 1.

    The usual one is the middle one: a mean would be that of the loudest sibling.
    """
    told = np.flatnonzero(known & (freedom > 0))
    order = told[np.lexsort((chance[told], groups[told]))]
    count = np.bincount(groups[told], minlength=size)
    first = np.cumsum(count) - count
    middle = np.full(size, 1.0)
    some = count > 0
    low, high = (order[(first + half)[some]] for half in ((count - 1) // 2, count // 2))
    middle[some] = (chance[low] + chance[high]) / 2
    usual = middle[groups]
    return np.asarray(
        np.maximum((freedom * chance + PRIOR_FREEDOM * usual) / (freedom + PRIOR_FREEDOM), 1e-12)
    )


def _pool(
    means: Floats, error: Floats, groups: Ints, size: int, known: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Variance of true factors between the rows of each group `(size,)`, and their pooled mean."""
    first = _weighted(means, known[:, None] / error, groups, size)
    gap = known[:, None] * (means - first[groups]) ** 2 / error
    weight = known[:, None] / error
    excess = np.bincount(groups, gap.sum(axis=1), size) - _freedom(means, groups, size, known)
    total = np.bincount(groups, weight.sum(axis=1), size)
    squares = np.bincount(groups, (weight**2).sum(axis=1), size)
    season = means.shape[1]
    spread = total - squares * season / np.maximum(total, 1e-300)
    apart = np.maximum(excess / np.maximum(spread, 1e-300), 0.0)
    alone = np.bincount(groups[known], minlength=size) < 2
    apart[alone] = 0.0
    return apart, _weighted(means, known[:, None] / (error + apart[groups, None]), groups, size)


def _freedom(means: Floats, groups: Ints, size: int, known: NDArray[np.bool_]) -> Floats:
    rows = np.bincount(groups[known], minlength=size)
    return np.asarray((rows - 1) * (means.shape[1] - 1), dtype=float)


def _weighted(means: Floats, weights: Floats, groups: Ints, size: int) -> Floats:
    """Weighted means of each group, `(size, season)`, centred on 0."""
    columns = [
        np.bincount(groups, weights[:, place] * means[:, place], size)
        / np.maximum(np.bincount(groups, weights[:, place], size), 1e-300)
        for place in range(means.shape[1])
    ]
    pooled = np.stack(columns, axis=1)
    return np.asarray(pooled - pooled.mean(axis=1, keepdims=True))


def _shrunk(
    pooled: Floats,
    error: Floats,
    apart: Floats,
    groups: Ints,
    size: int,
    known: NDArray[np.bool_],
) -> Floats:
    """Pooled factors drawn towards none by as much as chance could have made them."""
    weights = known[:, None] / (error + apart[groups, None])
    certain = np.stack([np.bincount(groups, column, size) for column in weights.T], axis=1)
    apparent = (pooled**2 * certain).sum(axis=1)
    season = pooled.shape[1]
    belief = np.clip(1 - max(season - 3, 1) / np.maximum(apparent, 1e-300), 0, 1)
    return np.asarray(pooled * belief[:, None])
