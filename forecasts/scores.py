"""How good a forecast was: point errors, quantiles and intervals. Lower is better, except coverage.

All functions work along the last axis or element by element, know no model, and leave a NaN where
an outcome or a forecast is missing. `scale` makes series of different size comparable.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def scale(history: Floats, season: int) -> Floats:
    """Mean absolute change from season to season, per series: the unit of MASE and of the bands.

    `history` is `(series, periods)` with NaN for gaps. A series without such a change (too short,
    or the same every season) is measured by its mean absolute value; one that is all zero gives
    NaN.

    Source: Hyndman and Koehler (2006), International Journal of Forecasting 22(4).
    """
    lag = season if history.shape[1] > season else 1
    change = mean(np.abs(history[:, lag:] - history[:, :-lag]))
    level = mean(np.abs(history))
    chosen = np.where(np.isfinite(change) & (change > 1e-9 * level), change, level)
    return np.where(chosen > 0, chosen, np.nan)


def mase(observed: Floats, forecast: Floats, scale: Floats) -> Floats:
    """Absolute error in units of `scale`: below 1 beats the one-step (seasonal) naive in sample."""
    return np.abs(observed - forecast) / scale


def bias(observed: Floats, forecast: Floats) -> float:
    """Mean of forecast minus outcome over the mean absolute outcome; positive is too high."""
    known = np.isfinite(observed) & np.isfinite(forecast)
    return ratio((forecast - observed)[known], np.abs(observed)[known])


def pinball(observed: Floats, quantile: Floats, level: float | Floats) -> Floats:
    """Loss of a quantile: `level` times what it fell short, or the rest times what it was over.

    Source: Koenker and Bassett (1978), Econometrica 46(1).
    """
    short = observed - quantile
    return np.maximum(level * short, (level - 1) * short)


def wql(observed: Floats, quantiles: Floats, levels: tuple[float, ...]) -> float:
    """Weighted quantile loss: twice the mean pinball loss, as a share of the mean absolute outcome.

    `quantiles` has one axis more than `observed`, in front: one entry a level.

    Source: Park et al. (2022), "Learning Quantile Functions without Quantile Crossing", section 5.
    """
    losses = np.stack(
        [2 * pinball(observed, q, level) for q, level in zip(quantiles, levels, strict=True)]
    ).mean(axis=0)
    known = np.isfinite(losses)
    return ratio(losses[known], np.abs(observed)[known])


def coverage(observed: Floats, lower: Floats, upper: Floats) -> float:
    """Share of outcomes inside the interval, bounds included; 0.8 is right for an 80 % interval."""
    known = np.isfinite(observed) & np.isfinite(lower) & np.isfinite(upper)
    inside = (lower <= observed) & (observed <= upper)
    return float(inside[known].mean()) if known.any() else float("nan")


def interval_score(observed: Floats, lower: Floats, upper: Floats, *, coverage: float) -> Floats:
    """Width of the interval, plus a fine for every value it misses.

    The three arrays share one shape and one unit, which is also the score's. The fine is
    `2 / (1 - coverage)` times the distance to the nearer bound.

    Raises:
        ValueError: `coverage` is not strictly between 0 and 1.

    Source: Gneiting and Raftery (2007), JASA 102(477), equation 43.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage lies strictly between 0 and 1, not at {coverage}")
    missed = np.maximum(lower - observed, 0) + np.maximum(observed - upper, 0)
    return upper - lower + 2 / (1 - coverage) * missed


def mean(values: Floats, axis: int | tuple[int, ...] = -1) -> Floats:
    """Mean of the values that are known; NaN where none is, without numpy's warning."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=axis)
    count = known.sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def ratio(above: Floats, below: Floats) -> float:
    """Sum of `above` over the sum of `below`; NaN where that is zero."""
    total = float(below.sum())
    return float(above.sum()) / total if total > 0 else float("nan")
