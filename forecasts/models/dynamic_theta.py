"""The dynamic optimised theta model on seasonally adjusted values.

The line is fitted anew at every step; how far the series bends away from it is found with the
memory of the level. The level depends on the memory alone, so the loss is a parabola in the bend
and in the first level, and is solved for instead of searched.

Source: Fiorucci et al. (2016), International Journal of Forecasting 32(4).
"""

import numpy as np

from forecasts.lanes import Adjusted, Lanes
from forecasts.model import Model
from forecasts.panel import Floats
from forecasts.recursion import likelihood

ALPHAS = np.array([0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.99])
THETAS = (1.0, 2.0, 4.0, 8.0)
SURENESS = 2.0
WARM_UP = 3
"""Steps whose errors do not count: a line through fewer points says nothing."""
TOGETHER = 1024
PULL = 1e-3


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Free of each lane's own season."""
    return adjusted(lanes.own, horizon)


def adjusted(series: Adjusted, horizon: int) -> Floats:
    """Paths from what is left without a season, in the unit of the values."""
    level, lengths = series.level, series.lanes.lengths
    paths = np.empty((len(level), horizon))
    for at in range(0, len(level), TOGETHER):
        rows = slice(at, at + TOGETHER)
        paths[rows] = _paths(level[rows, : lengths[rows].max()], lengths[rows], horizon)
    return series.back_from_level(paths)


class _Lines:
    """Lines fitted to what was seen so far, one a lane: mean, slope and intercept."""

    def __init__(self, count: int) -> None:
        self.mean, self.slope, self.intercept = np.zeros((3, count))

    def see(self, value: Floats, before: Floats | float) -> None:
        """Take in one value more, after `before` others."""
        slope = ((before - 1) * self.slope + 6 * (value - self.mean) / (before + 1)) / (before + 2)
        self.slope = np.where(np.asarray(before) >= 1, slope, 0.0)
        self.mean = (before * self.mean + value) / (before + 1)
        self.intercept = self.mean - (before + 2) / 2 * self.slope


def _paths(values: Floats, lengths: np.ndarray, horizon: int) -> Floats:
    lanes = len(values)
    keep = (1 - ALPHAS)[:, None]
    lines, level = _Lines(lanes), np.zeros((len(ALPHAS), lanes))
    sums = np.zeros((6, len(ALPHAS), lanes))
    ends = np.zeros((4, lanes))
    last, work = np.zeros((2, len(ALPHAS), lanes))
    for step, value in enumerate(np.ascontiguousarray(values.T)):
        on = step < lengths
        faded = keep**step
        if step >= WARM_UP:
            pull = faded * lines.intercept + (1 - faded * keep) / ALPHAS[:, None] * lines.slope
            missed, pull, faded = (value - level) * on, pull * on, faded * on
            pairs = (missed, missed, pull, missed, pull, faded)
            others = (missed, pull, pull, faded, faded, faded)
            for total, one, other in zip(sums, pairs, others, strict=True):
                np.multiply(one, other, out=work)
                total += work
        lines.see(value, step)
        level = value * ALPHAS[:, None] + keep * level
        done = lengths == step + 1
        if done.any():
            ends[:, done] = np.stack([lines.mean, lines.slope, lines.intercept, value])[:, done]
            last[:, done] = level[:, done]
    rows = np.arange(lanes)
    paths, loss = np.zeros((len(THETAS), lanes, horizon)), np.empty((len(THETAS), lanes))
    for place, theta in enumerate(THETAS):
        alpha, first, loss[place] = _best(sums, 1 - 1 / theta)
        start = last[alpha, rows] + first * (1 - ALPHAS[alpha]) ** lengths
        lines.mean, lines.slope, lines.intercept = ends[:3].copy()
        paths[place] = _ahead(
            lines, start, ALPHAS[alpha], 1 - 1 / theta, lengths.astype(float), horizon
        )
    return np.asarray(np.einsum("pl,plh->lh", likelihood(loss, lengths, SURENESS), paths))


def _best(sums: Floats, bend: float) -> tuple[np.ndarray, Floats, Floats]:
    """Place of the memory, first level and loss, by lane."""
    square, mixed, pulls, first, both, ones = sums
    start = (first - bend * both) / (ones + PULL)
    loss = (
        square
        - 2 * bend * mixed
        + bend**2 * pulls
        - 2 * start * (first - bend * both)
        + start**2 * ones
    )
    alpha = loss.argmin(axis=0)
    lanes = np.arange(loss.shape[1])
    return alpha, start[alpha, lanes], loss[alpha, lanes]


def _ahead(
    lines: _Lines, level: Floats, alpha: Floats, bend: float, seen: Floats, horizon: int
) -> Floats:
    paths = np.empty((len(level), horizon))
    for step in range(horizon):
        faded = (1 - alpha) ** (seen + step)
        pull = faded * lines.intercept + (1 - faded * (1 - alpha)) / alpha * lines.slope
        paths[:, step] = level + bend * pull
        lines.see(paths[:, step], seen + step)
        level = alpha * paths[:, step] + (1 - alpha) * level
    return paths


MODEL = Model(title="Theta động", title_en="Dynamic optimised theta", forecast=forecast)
