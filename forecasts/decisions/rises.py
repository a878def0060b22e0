"""Counts and stocks that rise more than they, and their siblings, usually do.

The change of a series over a lag is taken on the scale of square roots, on which chance is the
same for small and large counts; what moves all siblings is taken out. It is told in units of how
much the series changed before, and ranked among all earlier changes of all siblings: a share that
needs no law of chance. Only what was known at a period enters what is said of it.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from forecasts.decisions.surprise import ranked
from forecasts.panel import Floats, Panel

LEAST_PAST = 12
"""Earlier changes of a series below which it is not judged."""
ENOUGH_SIBLINGS = 5
CHANCE = 2**0.5
"""Spread of the change of two counts by chance alone, on this scale: never less is believed."""
MAD = 1.4826
"""From the median distance of normal chance to its standard deviation."""


@dataclass(frozen=True)
class Shape:
    """What is compared: sums of `window` months, with those `lag` months before."""

    window: int
    lag: int


BACKLOG = Shape(window=1, lag=3)
FIELD = Shape(window=3, lag=12)


@dataclass(frozen=True, eq=False)
class Rises:
    """How unusual the change up to each period is; all `(series, periods)`, NaN where not known."""

    size: Floats
    """What was compared, in the unit of the series."""
    before: Floats
    """What it was compared with."""
    deviate: Floats
    p_value: Floats


def rises(panel: Panel, shape: Shape) -> Rises:
    """Of every series at every period, by what was known then. Values are 0 or more."""
    size = _sums(panel.values, shape.window)
    before = np.full(size.shape, np.nan)
    before[:, shape.lag :] = size[:, : -shape.lag]
    roots = 2 * (np.sqrt(np.maximum(size, 0) + 0.375) - np.sqrt(np.maximum(before, 0) + 0.375))
    change = roots - _common(roots, panel.siblings)
    deviate = np.full(size.shape, np.nan)
    p_value = np.full(size.shape, np.nan)
    for period in range(size.shape[1]):
        deviate[:, period] = _standardised(change[:, : period + 1])
        p_value[:, period] = ranked(deviate[:, period], deviate[:, :period])
    return Rises(size, before, deviate, p_value)


def _sums(values: Floats, window: int) -> Floats:
    sums = np.full(values.shape, np.nan)
    if values.shape[1] >= window:
        parts = np.lib.stride_tricks.sliding_window_view(values, window, axis=1)
        sums[:, window - 1 :] = parts.sum(axis=2)
    return sums


def _common(change: Floats, siblings: np.ndarray) -> Floats:
    """The median change of the siblings of each series; 0 where they are too few to tell."""
    common = np.zeros(change.shape)
    for group in np.unique(siblings):
        rows = siblings == group
        if rows.sum() >= ENOUGH_SIBLINGS:
            common[rows] = np.nan_to_num(_median(change[rows], axis=0))
    return common


def _standardised(change: Floats) -> Floats:
    """The last change of each series, in units of those before it, `(series,)`."""
    past = change[:, :-1]
    middle = _median(past, axis=1)
    spread = np.fmax(MAD * _median(np.abs(past - middle[:, None]), axis=1), CHANCE)
    enough = np.isfinite(past).sum(axis=1) >= LEAST_PAST
    return np.where(enough, (change[:, -1] - middle) / spread, np.nan)


def _median(values: Floats, axis: int) -> Floats:
    if not values.shape[axis]:
        return np.full(values.shape[1 - axis], np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing known gives NaN, as it should
        return np.asarray(np.nanmedian(values, axis=axis))
