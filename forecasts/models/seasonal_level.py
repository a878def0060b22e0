"""A recent level times seasonal factors that sibling series lend each other; made for small series.

One commune and field has a few noisy years, too few to know its season; all communes of the field
together know it well. Each series' own factors are shrunk towards the pooled ones by as much as
chance would explain their difference. The effect of Tết is estimated on the pooled series alone.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from forecasts.model import Model
from forecasts.panel import Floats, Panel
from forecasts.scores import mean
from forecasts.tet import regressors, told_apart

MEMORIES = (0.1, 0.2, 0.4, 0.7)
"""Weights of the newest value in the level; each series takes what would have served it best."""
RIDGE = 0.05
"""Pull of calendar effects towards none, in the variance units of the regressors."""
LEAST_FACTOR = 0.01
"""A season below this share of the mean says nothing about the level: it is stepped over."""
MOST_EFFECT = 1.5
"""Bound of the log effect of the calendar: four and a half times, up or down."""


def forecast(panel: Panel, horizon: int) -> Floats:
    """Level times season times effect of Tết; NaN for series with negative values."""
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.where((panel.filled < 0).any(axis=1, keepdims=True), np.nan, panel.filled)
        if panel.season == 1:
            return np.repeat(_level(known)[:, None], horizon, axis=1)
        past, future = _calendar_effects(panel, known, horizon)
        calm = known / past
        factors = _factors(panel, calm)
        seasons = np.arange(known.shape[1] + horizon) % panel.season
        usual = factors[:, seasons[:-horizon]]
        level = _level(np.where(usual >= LEAST_FACTOR, calm / usual, np.nan))
        return level[:, None] * factors[:, seasons[-horizon:]] * future


def _trend(known: Floats, season: int) -> Floats:
    """Centred moving mean over one season; NaN in the half season at either end."""
    even = season % 2 == 0
    weights = np.full(season + even, 1 / season)
    if even:
        weights[[0, -1]] /= 2
    trend = np.full(known.shape, np.nan)
    half = season // 2
    trend[:, half : known.shape[1] - half] = (
        sliding_window_view(known, len(weights), axis=1) @ weights
    )
    return trend


def _factors(panel: Panel, known: Floats) -> Floats:
    """Factor of each season, `(series, season)`, with mean 1, from that of the first period on."""
    season = panel.season
    trend = _trend(known, season)
    numbers = panel.siblings
    ratios = _by_season(known / trend, season)
    own = mean(ratios, axis=1)
    pooled = np.empty((numbers.max() + 1, season))
    for group in range(numbers.max() + 1):
        rows = numbers == group
        seen = _by_season(np.where(np.isfinite(trend), known, np.nan)[rows], season)
        pooled[group] = mean(seen, axis=(0, 1)) / mean(_by_season(trend[rows], season), axis=(0, 1))
    shared = pooled[numbers]
    years = np.isfinite(ratios).sum(axis=1)
    spread = ((ratios - own[:, None, :]) ** 2).sum(axis=1, where=np.isfinite(ratios))
    chance = mean(spread / np.maximum(years - 1, 1) / np.maximum(years, 1))
    apart = mean((own - shared) ** 2)
    belief = np.clip(1 - chance / apart, 0, 1)
    belief = np.where((years.min(axis=1) > 1) & np.isfinite(belief), belief, 0.0)[:, None]
    factors = np.where(belief > 0, belief * own, 0.0) + (1 - belief) * shared
    return np.asarray(factors / mean(factors)[:, None])


def _by_season(values: Floats, season: int) -> Floats:
    """`(series, rounds, season)`, filled up with NaN at the end."""
    lacking = -values.shape[1] % season
    padded = np.pad(values, ((0, 0), (0, lacking)), constant_values=np.nan)
    return padded.reshape(len(values), -1, season)


def _calendar_effects(panel: Panel, known: Floats, horizon: int) -> tuple[Floats, Floats]:
    """What Tết multiplies past and future values by, pooled over each group; 1 where unknown."""
    past = np.ones((len(known), known.shape[1]))
    future = np.ones((len(known), horizon))
    days = regressors((*panel.periods, *panel.ahead(horizon)), panel.frequency)
    columns = told_apart(days[: known.shape[1]]) if panel.tet else []
    if not columns:
        return past, future
    numbers = panel.siblings
    for group in range(numbers.max() + 1):
        rows = numbers == group
        log_effect = _effect(mean(known[rows], axis=0), days[:, columns], panel.season)
        past[rows], future[rows] = np.exp(log_effect[:-horizon]), np.exp(log_effect[-horizon:])
    return past, future


def _effect(total: Floats, days: Floats, season: int) -> Floats:
    """Log effect of the regressors on one pooled series: ridge regression beside free seasons."""
    ratio = np.log(total / _trend(total[None, :], season)[0])
    seen = np.flatnonzero(np.isfinite(ratio))
    dummies = np.eye(season)[np.arange(len(days)) % season]
    design = np.hstack([dummies, days])[seen]
    pull = np.diag([1e-6] * season + [RIDGE] * days.shape[1])
    weights = np.linalg.solve(design.T @ design + pull, design.T @ ratio[seen])
    return np.clip(days @ weights[season:], -MOST_EFFECT, MOST_EFFECT)


def _level(known: Floats) -> Floats:
    """Exponentially weighted mean at the end, with the memory of the smallest one-step errors."""
    memories = np.array(MEMORIES)[:, None]
    level = np.full((len(MEMORIES), len(known)), np.nan)
    losses = np.zeros_like(level)
    for value in known.T:
        missed = value - level
        losses += np.where(np.isfinite(missed), missed**2, 0.0)
        level = np.where(np.isfinite(level), level + memories * np.nan_to_num(missed), value)
    return np.asarray(level[losses.argmin(axis=0), np.arange(len(known))])


MODEL = Model(
    title="Mức gần đây với mùa vụ chung",
    title_en="Recent level with shared season",
    forecast=forecast,
    fewest_seasons=2,
)
