"""An autoregression of the changes of seasonally adjusted logs, its orders weighted by AICc.

The constant is halved: a drift seen in the past goes on, on average, at half its pace.
"""

from collections import deque

import numpy as np

from forecasts.lanes import Adjusted, Lanes
from forecasts.model import Model
from forecasts.panel import Floats

MOST_LAGS = 5
DRIFT = 0.5
RIDGE = 1e-6
"""Of the mean variance of the regressors: keeps flat series solvable."""
WILD = 10.0
"""A path that ends further from its start than this many times the largest value is none."""


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
    most = np.clip((lengths - 4) // 4, 0, MOST_LAGS)
    moments, targets = _moments(changes, lengths)
    recent = _recent(changes, lengths)
    told = [_fit(moments, targets, lags) for lags in range(MOST_LAGS + 1)]
    ahead = last + np.stack([_simulated(weights, recent, horizon) for weights, _ in told])
    criterion = np.stack([criterion for _, criterion in told])
    wild = np.abs(ahead[:, :, -1] - last[:, 0]) > WILD * np.abs(flat).max(axis=1)
    orders = np.arange(MOST_LAGS + 1)[:, None]
    out = wild | (orders > most) | ~np.isfinite(ahead).all(axis=2)
    criterion[out] = np.inf
    ahead[out] = 0.0
    worth = np.exp(-(criterion - np.where(out, 0, criterion).min(axis=0)) / 2)
    total = worth.sum(axis=0)
    mean = np.einsum("ol,olh->lh", worth / np.where(total > 0, total, 1), ahead)
    return np.where((total > 0)[:, None], mean, last)


def _moments(changes: Floats, lengths: np.ndarray) -> tuple[Floats, Floats]:
    """Products of `[change, 1, its lags]` over the targets, and the number of targets.

    `(lanes, lags + 2, lags + 2)` and `(lanes,)`. All orders are fitted to the same targets: those
    after the longest lag, or after a quarter of a short series.
    """
    count = changes.shape[1]
    places = np.arange(1, count + 1)
    seen = lengths[:, None] - 1
    skipped = np.minimum(MOST_LAGS, np.maximum(seen // 4, 1))
    targets = (places > skipped) & (places <= seen)
    columns = np.zeros((MOST_LAGS + 2, *changes.shape))
    columns[0] = changes
    columns[1] = 1.0
    for lag in range(1, MOST_LAGS + 1):
        columns[lag + 1, :, lag:] = changes[:, : max(count - lag, 0)]
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


def _recent(changes: Floats, lengths: np.ndarray) -> Floats:
    """The last changes of each lane, newest first, `(lanes, lags)`; 0 before the first."""
    places = lengths[:, None] - 2 - np.arange(MOST_LAGS)
    found = np.take_along_axis(changes, np.clip(places, 0, None), axis=1)
    return np.where(places >= 0, found, 0.0)


def _simulated(weights: Floats, recent: Floats, horizon: int) -> Floats:
    """Sums of the changes to come, `(lanes, horizon)`."""
    constant, *factors = np.ascontiguousarray(weights.T)
    newest = deque(np.ascontiguousarray(recent.T)[: len(factors)], maxlen=len(factors))
    total, paths = np.zeros(len(weights)), np.empty((len(weights), horizon))
    for step in range(horizon):
        change = DRIFT * constant
        for factor, before in zip(factors, newest, strict=True):
            change += factor * before
        total += change
        paths[:, step] = total
        newest.appendleft(change)
    return paths


MODEL = Model(title="Tự hồi quy", title_en="Autoregression of changes", forecast=forecast)
