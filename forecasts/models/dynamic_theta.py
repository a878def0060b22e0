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
from forecasts.recursion import Ints, likelihood, product, still_running

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
    order = np.argsort(-lengths, kind="stable")
    for at in range(0, len(order), TOGETHER):
        rows = order[at : at + TOGETHER]
        values = np.ascontiguousarray(level[rows, : lengths[rows[0]]].T)
        paths[rows] = _paths(values, lengths[rows], horizon)
    return series.back_from_level(paths)


def _paths(values: Floats, lengths: Ints, horizon: int) -> Floats:
    """Of lanes `(periods, lanes)`, longest first."""
    lines, lanes = _lines(values), np.arange(len(lengths))
    sums, missed = _sums(values, lines, lengths)
    bends = 1 - 1 / np.array(THETAS)
    chosen, first, loss = (
        np.stack(each) for each in zip(*(_best(sums, bend) for bend in bends), strict=True)
    )
    alpha = ALPHAS[chosen]
    # What was missed moved the level by its part, so it is known without being walked.
    last = values[lengths - 1, lanes] - (1 - alpha) * missed[chosen, lanes]
    level = last + first * (1 - alpha) ** lengths
    paths = _ahead(lines[:, lengths, lanes], level, alpha, bends[:, None], lengths, horizon)
    return np.asarray(np.einsum("pl,hpl->lh", likelihood(loss, lengths, SURENESS), paths))


def _lines(values: Floats) -> Floats:
    """Lines through what was seen before each step: mean, slope, intercept.

    `(3, periods + 1, lanes)`.
    """
    lines = np.zeros((3, len(values) + 1, values.shape[1]))
    count = np.arange(1, len(values) + 1)[:, None]
    mean, slope, intercept = lines[:, 1:]
    np.divide(np.cumsum(values, axis=0), count, out=mean)
    spread = np.maximum((count**2 - 1) / 12, 1e-9)
    np.divide(np.cumsum(count * values, axis=0) / count - (count + 1) / 2 * mean, spread, out=slope)
    slope[0] = 0.0
    np.subtract(mean, (count + 1) / 2 * slope, out=intercept)
    return lines


def _sums(values: Floats, lines: Floats, lengths: Ints) -> tuple[Floats, Floats]:
    """Sums over the steps that count, `(6, alphas, lanes)`, and what the last missed.

    Of the products of what is missed by a level that begins with 0, what a whole bend pulls, and
    what is left of the first level: missed twice, missed and pull, pull twice, missed and left,
    pull and left, left twice.
    """
    left: Floats = (1 - ALPHAS[:, None]) ** np.arange(len(values), dtype=float)
    risen = (1 - left * (1 - ALPHAS[:, None])) / ALPHAS[:, None]
    counted = np.arange(len(values))[:, None] < lengths
    counted[:WARM_UP] = False
    slope, intercept = np.where(counted, lines[1:, :-1], 0.0)
    sums = np.zeros((6, len(ALPHAS), len(lengths)))
    sums[2] = product(left**2, intercept**2) + product(risen**2, slope**2)
    sums[2] += product(2 * left * risen, intercept * slope)
    sums[4] = product(left**2, intercept) + product(left * risen, slope)
    sums[5] = product(left**2, counted.astype(float))
    missed, pull, work = np.zeros((3, len(ALPHAS), len(lengths)))
    changes = np.diff(values, axis=0, prepend=0.0)
    for step, active in enumerate(still_running(lengths).tolist()):
        m, p, w = missed[:, :active], pull[:, :active], work[:, :active]
        np.multiply(m, 1 - ALPHAS[:, None], out=m)
        np.add(m, changes[step, :active], out=m)
        if step >= WARM_UP:
            np.multiply(intercept[step, :active], left[:, step, None], out=p)
            np.multiply(slope[step, :active], risen[:, step, None], out=w)
            np.add(p, w, out=p)
            for place, other in ((0, m), (1, p), (3, left[:, step, None])):
                np.multiply(m, other, out=w)
                np.add(sums[place, :, :active], w, out=sums[place, :, :active])
    return sums, missed


def _best(sums: Floats, bend: float) -> tuple[Ints, Floats, Floats]:
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
    line: Floats, level: Floats, alpha: Floats, bend: Floats, seen: Ints, horizon: int
) -> Floats:
    """Paths `(horizon, thetas, lanes)`; `level` and `alpha` are `(thetas, lanes)`."""
    paths = np.empty((horizon, *level.shape))
    mean, slope, intercept = line
    left = (1 - alpha) ** seen
    for step in range(horizon):
        count, later = seen + step, left * (1 - alpha)
        value = level + bend * (left * intercept + (1 - later) / alpha * slope)
        paths[step], level, left = value, alpha * value + (1 - alpha) * level, later
        # The line takes in its own forecast as one value more.
        away = (value - mean) / (count + 1)
        slope = ((count - 1) * slope + 6 * away) / (count + 2)
        mean = mean + away
        intercept = mean - (count + 2) / 2 * slope
    return paths


MODEL = Model(title="Theta động", title_en="Dynamic optimised theta", forecast=forecast)
