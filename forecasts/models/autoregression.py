"""An autoregression of the changes of seasonally adjusted logs, its orders weighted by AICc.

The constant is halved: a drift seen in the past goes on, on average, at half its pace.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasts.lanes import Adjusted, Ints, Lanes
from forecasts.model import Model
from forecasts.panel import Floats

MOST_LAGS = 5
DRIFT = 0.5
RIDGE = 1e-6
"""Of the mean variance of the regressors: keeps flat series solvable."""
WILD = 10.0
"""A path that ends further from its start than this many times the largest value is none."""
FURTHER = 3.0
"""And one that leaves the mean by this many times as much as any value did."""


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Free of each lane's own season."""
    series = lanes.own
    return series.back(_paths(series, horizon))


def _paths(series: Adjusted, horizon: int) -> Floats:
    flat, lengths = series.flat, series.lanes.lengths
    last = np.take_along_axis(flat, lengths[:, None] - 1, axis=1)
    if flat.shape[1] <= 1:
        return np.repeat(last, horizon, axis=1)
    changes = np.where(series.lanes.inside[:, 1:], np.diff(flat, axis=1), 0.0)
    orders = _orders(changes, lengths - 1, horizon, MOST_LAGS, DRIFT)
    ahead = np.cumsum(orders.ahead, axis=2)
    farthest = WILD * np.abs(flat).max(axis=1)
    return last + orders.mean(ahead, np.abs(ahead[:, :, -1]) > farthest)


def about_their_mean(values: Floats, seen: Ints, horizon: int, lags: int) -> Floats:
    """What an autoregression of `values` expects next, `(lanes, horizon)`.

    `values` is `(lanes, periods)`, 0 from `seen` on, with the mean 0 before. Orders that leave the
    mean by `FURTHER` times as much as any value did count for nothing.
    """
    orders = _orders(values, seen, horizon, lags, 1.0)
    farthest = FURTHER * np.abs(values).max(axis=1)
    return orders.mean(orders.ahead, np.abs(orders.ahead).max(axis=2) > farthest)


@dataclass(frozen=True, eq=False)
class _Orders:
    """One autoregression an order: what it expects next, and its AICc."""

    ahead: Floats
    """`(orders, lanes, horizon)`."""
    criterion: Floats
    """`(orders, lanes)`; infinite where the lane is too short."""

    def mean(self, ahead: Floats, wild: NDArray[np.bool_]) -> Floats:
        """Of `ahead`, shaped as ours, over the orders that are not wild; 0 where all are."""
        out = wild | ~np.isfinite(self.criterion) | ~np.isfinite(ahead).all(axis=2)
        criterion = np.where(out, np.inf, self.criterion)
        worth = np.exp(-(criterion - np.where(out, 0, criterion).min(axis=0)) / 2)
        total = worth.sum(axis=0)
        shares = worth / np.where(total > 0, total, 1)
        return np.asarray(np.einsum("ol,olh->lh", shares, np.where(out[:, :, None], 0, ahead)))


def _orders(values: Floats, seen: Ints, horizon: int, lags: int, part: float) -> _Orders:
    """Orders up to `lags`, of whose constants `part` counts."""
    moments, targets = _moments(values, seen, lags)
    recent = _recent(values, seen, lags)
    told = [_fit(moments, targets, order) for order in range(lags + 1)]
    criterion = np.stack([criterion for _, criterion in told])
    criterion[np.arange(lags + 1)[:, None] > np.clip((seen - 3) // 4, 0, lags)] = np.inf
    ahead = np.stack([_simulated(weights, recent, horizon, part) for weights, _ in told])
    return _Orders(ahead, criterion)


def _moments(values: Floats, seen: Ints, lags: int) -> tuple[Floats, Floats]:
    """Products of `[value, 1, its lags]` over the targets, and the number of targets.

    `(lanes, lags + 2, lags + 2)` and `(lanes,)`. All orders are fitted to the same targets: those
    after the longest lag, or after a quarter of a short series.
    """
    count = values.shape[1]
    places = np.arange(1, count + 1)
    skipped = np.minimum(lags, np.maximum(seen[:, None] // 4, 1))
    targets = (places > skipped) & (places <= seen[:, None])
    columns = np.zeros((lags + 2, *values.shape))
    columns[0] = values
    columns[1] = 1.0
    for lag in range(1, lags + 1):
        columns[lag + 1, :, lag:] = values[:, : max(count - lag, 0)]
    columns *= targets
    stacked = columns.transpose(1, 0, 2)
    return stacked @ stacked.transpose(0, 2, 1), targets.sum(axis=1).astype(float)


def _fit(moments: Floats, targets: Floats, lags: int) -> tuple[Floats, Floats]:
    """Weights `(lanes, 1 + lags)`, constant first, and AICc."""
    design, answer = moments[:, 1 : lags + 2, 1 : lags + 2], moments[:, 1 : lags + 2, 0]
    size = np.trace(design, axis1=1, axis2=2)
    pulled = design + np.eye(lags + 1) * RIDGE * np.maximum(size, 1e-6)[:, None, None]
    weights = np.linalg.solve(pulled, answer[:, :, None])[:, :, 0]
    rest = np.maximum(moments[:, 0, 0] - (weights * answer).sum(axis=1), 1e-12)
    free = lags + 2
    count = np.maximum(targets, 1)
    correction = 2 * free * (free + 1) / np.maximum(targets - free - 1, 0.5)
    return weights, targets * np.log(rest / count) + 2 * free + correction


def _recent(values: Floats, seen: Ints, lags: int) -> Floats:
    """The last values of each lane, newest first, `(lanes, lags)`; 0 before the first."""
    places = seen[:, None] - 1 - np.arange(lags)
    found = np.take_along_axis(values, np.clip(places, 0, None), axis=1)
    return np.where(places >= 0, found, 0.0)


def _simulated(weights: Floats, recent: Floats, horizon: int, part: float) -> Floats:
    """The values to come, `(lanes, horizon)`, with this part of the constant."""
    constant, *factors = np.ascontiguousarray(weights.T)
    newest = deque(np.ascontiguousarray(recent.T)[: len(factors)], maxlen=len(factors))
    paths = np.empty((len(weights), horizon))
    for step in range(horizon):
        value = part * constant
        for factor, before in zip(factors, newest, strict=True):
            value += factor * before
        paths[:, step] = value
        newest.appendleft(value)
    return paths


MODEL = Model(title="Tự hồi quy", title_en="Autoregression of changes", forecast=forecast)
