"""The last value, or the last season, with bands pooled over all series: for those too short for
anything else.

How far such forecasts miss is learned once for all series of a panel, in units of how much each
series usually changes. A series of three points borrows the shape of its band, and most of its
width, from the others; alone, it has the wide band of Student's t.
"""

from dataclasses import dataclass

import numpy as np

from forecasts.panel import Floats, Panel
from forecasts.scores import mean

LEAST_POINTS = 3
"""Fewer values say nothing of how much a series changes."""
SEASONS_SEEN = 2
"""Rounds of the season from which on the last one is repeated."""
ORIGINS = 12
SAMPLE = 2_000
"""Series from which the pool is learned."""
FEW_ERRORS = 30
PRIOR_CHANGES = 4
"""Changes of a series that weigh as much as what is usual among the others."""
NORMAL = 1.2533
"""Standard deviation over mean absolute deviation of the normal distribution."""


@dataclass(frozen=True, eq=False)
class Pool:
    """What all series of a panel say of the errors of one lag."""

    lag: int
    sizes: Floats
    """Absolute errors at one step, scaled, in order."""
    power: float
    """Of the horizon, with which errors grow."""
    usual: float
    """Change from lag to lag over the level, in the median."""

    def width(self, levels: Floats, changes: Floats) -> Floats:
        """Distance from the path to each quantile at one step, `(levels, series)`, scaled.

        `changes` is how many changes of each series are known.
        """
        share = np.abs(2 * levels - 1)
        if len(self.sizes) >= FEW_ERRORS:
            size = np.repeat(np.quantile(self.sizes, share)[:, None], len(changes), axis=1)
        else:
            from scipy.special import stdtrit

            degrees = np.maximum(changes - 1, 1)
            size = NORMAL * stdtrit(degrees[None, :], (1 + share[:, None]) / 2)
        return np.asarray(np.sign(levels - 0.5)[:, None] * size)


@dataclass(frozen=True, eq=False)
class Naive:
    """Paths `(series, horizon)`, quantiles `(levels, series, horizon)` and what errors they made.

    `errors` is `(origins, series, horizon)`, outcome minus path, NaN where not scored; `scales` is
    the unit of the errors of each series, `lags` what was repeated.
    """

    paths: Floats
    quantiles: Floats
    errors: Floats
    scales: Floats
    lags: Floats


def pools_of(panel: Panel, horizon: int) -> dict[int, Pool]:
    """The pool of each lag, from a fixed sample of the series."""
    sample = panel.take(list(range(0, len(panel.keys), 1 + len(panel.keys) // SAMPLE)))
    return {lag: _pool(sample, lag, horizon) for lag in sorted({1, panel.season})}


def forecast(
    pools: dict[int, Pool], horizon: int, levels: tuple[float, ...], panel: Panel
) -> Naive:
    """The naive forecast of each series of `panel`, with at least one known value each."""
    seasonal = panel.points >= SEASONS_SEEN * panel.season
    lags = np.where(seasonal, panel.season, 1)
    parts = {lag: _at_lag(pools[lag], horizon, levels, panel) for lag in np.unique(lags).tolist()}

    def chosen(name: str, axis: int) -> Floats:
        whole = getattr(parts[int(lags[0])], name).copy()
        for lag, part in parts.items():
            rows = np.flatnonzero(lags == lag)
            index = (slice(None),) * axis + (rows,)
            whole[index] = getattr(part, name)[index]
        return np.asarray(whole)

    return Naive(
        chosen("paths", 0),
        chosen("quantiles", 1),
        chosen("errors", 1),
        chosen("scales", 0),
        lags.astype(float),
    )


def _at_lag(pool: Pool, horizon: int, levels: tuple[float, ...], panel: Panel) -> Naive:
    paths = _path(panel.filled, pool.lag, horizon)
    scales, changes = _scales(panel, pool)
    growth = np.arange(1, horizon + 1) ** pool.power
    width = pool.width(np.array(levels), changes) * scales
    quantiles = paths[None] + width[:, :, None] * growth
    limits = panel.lowest[:, None], panel.highest[:, None]
    return Naive(
        np.clip(paths, *limits),
        np.clip(quantiles, *limits),
        _errors(panel, pool.lag, horizon),
        scales,
        np.full(len(paths), float(pool.lag)),
    )


def _path(filled: Floats, lag: int, horizon: int) -> Floats:
    """The last `lag` values again and again; a season that was not seen whole, the last one."""
    ahead = np.arange(horizon) % lag
    again = filled[:, -lag:]
    if again.shape[1] < lag:
        ahead = np.full(horizon, -1)
    return np.where(np.isfinite(again[:, ahead]), again[:, ahead], filled[:, -1:])


def _errors(panel: Panel, lag: int, horizon: int) -> Floats:
    """Outcome minus path from the last origins, `(origins, series, horizon)`."""
    width = panel.values.shape[1]
    origins = range(max(width - 1 - max(ORIGINS, horizon), lag - 1), width - 1)
    errors = np.full((len(origins), len(panel.keys), horizon), np.nan)
    for place, origin in enumerate(origins):
        scored = min(horizon, width - 1 - origin)
        path = _path(panel.until(origin).filled, lag, scored)
        errors[place, :, :scored] = panel.values[:, origin + 1 : origin + 1 + scored] - path
    return errors


def _changes(panel: Panel, lag: int) -> Floats:
    filled = panel.filled
    return np.abs(filled[:, lag:] - filled[:, :-lag])


def _scales(panel: Panel, pool: Pool) -> tuple[Floats, Floats]:
    """Usual change of each series, shrunk to that of the others, and how many changes it had."""
    changes = _changes(panel, pool.lag)
    count = np.isfinite(changes).sum(axis=1)
    level = mean(np.abs(panel.values))
    own = np.where(count > 0, mean(changes), np.nan) if changes.shape[1] else level * np.nan
    usual = pool.usual * np.where(level > 0, level, 1.0)
    own = np.where(np.isfinite(own) & (own > 0), own, usual)
    weight = count / (count + PRIOR_CHANGES)
    with np.errstate(divide="ignore"):
        shrunk = np.exp(weight * np.log(own) + (1 - weight) * np.log(usual))
    return np.where(usual > 0, shrunk, own), count.astype(float)


def _pool(panel: Panel, lag: int, horizon: int) -> Pool:
    level = mean(np.abs(panel.values))
    own = mean(_changes(panel, lag)) if panel.values.shape[1] > lag else level * np.nan
    known = np.isfinite(own) & (own > 0) & (level > 0)
    usual = float(np.median(own[known] / level[known])) if known.any() else 0.0
    errors = np.abs(_errors(panel, lag, horizon))[:, known] / own[known][:, None]
    if not np.isfinite(errors).any():
        return Pool(lag, np.empty(0), 0.5, usual)
    size = mean(errors, axis=(0, 1))
    seen = np.flatnonzero(np.isfinite(size) & (size > 0))
    ahead = np.arange(1, horizon + 1)
    slope = np.polyfit(np.log(ahead[seen]), np.log(size[seen]), 1)[0] if len(seen) > 1 else 0.5
    power = float(np.clip(slope, 0.0, 1.0))
    sizes = (errors / ahead**power).ravel()
    return Pool(lag, np.sort(sizes[np.isfinite(sizes)]), power, usual)
