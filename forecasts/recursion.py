"""Level and damped trend over many lanes at once: the recursion most models are made of.

The model is that of exponential smoothing with additive errors: the value foreseen is
`level + damping * trend`, and what was missed moves both. Errors are linear in the two numbers a
lane starts with, so these are not searched for but solved for (least squares) at every point of a
grid of parameters. Only squares of errors are walked, in single precision; whatever else is asked
of a lane is linear in its values, a matrix product for all lanes of one length. Points count by
their likelihood.

Source: Hyndman, Koehler, Ord and Snyder (2008), "Forecasting with Exponential Smoothing",
chapters 2 and 5.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasts.panel import Floats

Ints = NDArray[np.int64]
Singles = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
"""Of either precision."""
TOGETHER = 2048
"""Lanes walked together: their states stay in the processor's cache."""
ALIKE = 8
"""Lengths of lanes whose weights are made together, and kept: those of origins near each other."""
ROUNDED = 64
"""Periods to a multiple of which responses are made."""
ON_ONE_THREAD = 2**18
"""Products that a matrix product may take before BLAS shares them out among threads of its own."""
PULL = 1e-6
"""Pull of the first level towards 0, and per value of the first trend: keeps solutions finite."""


@dataclass(frozen=True, eq=False)
class Smoothing:
    """Parameters to try, one of each a point: `alpha` for the level, `beta` for the trend, `phi`.

    Without a trend `beta` and `phi` are 0 everywhere.
    """

    alpha: Floats
    beta: Floats
    phi: Floats

    @property
    def trend(self) -> bool:
        """Whether any point has a trend."""
        return bool((self.phi > 0).any())

    def at(self, points: Ints) -> "Smoothing":
        """The parameters at these points."""
        return Smoothing(self.alpha[points], self.beta[points], self.phi[points])


def grid(
    alphas: tuple[float, ...], shares: tuple[float, ...], phis: tuple[float, ...]
) -> Smoothing:
    """Every combination; `shares` are beta as a share of alpha."""
    phi, alpha, share = (axis.ravel() for axis in np.meshgrid(phis, alphas, shares, indexing="ij"))
    return Smoothing(alpha, alpha * share, phi)


@dataclass(frozen=True, eq=False)
class Fit:
    """Where each lane ends: a mean over the points of the grid, the likely ones counting most."""

    level: Floats
    """`(lanes,)`."""
    trends: Floats
    """`(lanes, phis)`: trends at the end, times the weight of their points, by damping."""
    phis: Floats

    def ahead(self, horizon: int) -> Floats:
        """Paths from the end, `(lanes, horizon)`."""
        damped = np.cumsum(self.phis[:, None] ** np.arange(1, horizon + 1), axis=1)
        return np.asarray(self.level[:, None] + self.trends @ damped)


def smooth(values: Floats, lengths: Ints, tried: Smoothing, sureness: float) -> Fit:
    """What the points of `tried` make of each row of `values`, which have no gaps.

    A point counts by its likelihood to the power `sureness`, so that a series too short to tell
    points apart is forecast by their mean.
    """
    order = np.argsort(-lengths, kind="stable")
    phis, of = np.unique(tried.phi, return_inverse=True)
    level, trends = np.empty(len(values)), np.empty((len(values), len(phis)))
    for at in range(0, len(order), TOGETHER):
        rows = order[at : at + TOGETHER]
        begun = values[rows, 0]
        # Single precision tells small errors from small values alone.
        moved = (values[rows, : lengths[rows[0]]] - begun[:, None]).T.astype(np.float32, order="C")
        for run, walked in _walked(moved, lengths[rows], tried):
            lanes = rows[run]
            likely = likelihood(walked.loss, lengths[lanes], sureness)
            level[lanes] = begun[run] + (likely * walked.level).sum(axis=0)
            slopes = likely * walked.trend
            for place in range(len(phis)):
                trends[lanes, place] = slopes[of == place].sum(axis=0)
    return Fit(level, trends, phis)


def likelihood(loss: Numbers, lengths: Ints, sureness: float) -> Floats:
    """Weights of points `(points, lanes)` that sum to 1: a power of the Gaussian likelihood."""
    logs = np.log(np.maximum(loss, 1e-12 * np.maximum(loss.max(axis=0), 1e-12)))
    worth = np.exp(-sureness * lengths / 2 * (logs - logs.min(axis=0)))
    return np.asarray(worth / worth.sum(axis=0))


@dataclass(frozen=True, eq=False)
class Walked:
    """At every point of the grid, `(points, lanes)`: loss, and level and trend at the end."""

    loss: Numbers
    level: Numbers
    trend: Numbers


def _walked(values: Singles, lengths: Ints, tried: Smoothing) -> Iterator[tuple[slice, Walked]]:
    """Every point of the grid over the lanes of each length, from the start of smallest loss.

    `values` is `(periods, lanes)`, longest lanes first.
    """
    squares, responses = _squares(values, lengths, tried), _responses(tried, len(values))
    for run, length in runs(lengths):
        weights = _weights(tried, length // ALIKE)[length % ALIKE, :, :length]
        sums = product(weights, values[:length, run]).reshape(4, len(tried.alpha), -1)
        yield run, _begun(squares[:, run], sums, responses, length)


def runs(lengths: Ints) -> Iterator[tuple[slice, int]]:
    """Lanes of the same length and that length, from lanes in the order of their lengths."""
    cuts = [0, *(np.flatnonzero(np.diff(lengths)) + 1).tolist(), len(lengths)]
    return ((slice(at, until), int(lengths[at])) for at, until in pairwise(cuts))


def product(one: Numbers, other: Numbers) -> Numbers:
    """Matrix product, in parts so small that each is worked out on the thread that asks for it."""
    found = np.empty((len(one), other.shape[1]), dtype=one.dtype)
    step = max(1, ON_ONE_THREAD // one.size)
    for at in range(0, other.shape[1], step):
        part = slice(at, at + step)
        np.matmul(one, other[:, part], out=found[:, part])
    return found


def _begun(squares: Singles, sums: Singles, responses: "Responses", length: int) -> Walked:
    """Lanes of one length that began with nothing, moved to the start of the smallest loss."""
    first, second, level, trend = sums
    start = _solved(first, second, responses.moments[length - 1], length)
    loss = squares - first * start[0] - second * start[1]
    ends = responses.ends[length - 1, ..., None]
    return Walked(
        np.where(np.isfinite(loss), np.maximum(loss, 0), np.inf),
        level + ends[0] * start[0] + ends[1] * start[1],
        trend + ends[2] * start[0] + ends[3] * start[1],
    )


def _squares(values: Singles, lengths: Ints, tried: Smoothing) -> Singles:
    """Sums of squared errors of lanes that begin with nothing, `(points, lanes)`.

    From there the model is an ARIMA(1, 1, 2): differenced values are a moving mean of errors, which
    need no level and no trend to be walked. A trend that nothing moves stays 0 whatever damps it.
    """
    damping = np.where(tried.beta > 0, tried.phi, 0.0)
    distinct = np.stack([damping, tried.alpha, tried.beta])
    (phi, alpha, beta), of = np.unique(distinct, axis=1, return_inverse=True)
    squares = np.empty((len(phi), values.shape[1]), dtype=np.float32)
    running = still_running(lengths).tolist()
    for damped in np.unique(phi):
        points = phi == damped
        one = 1 + damped - alpha[points] - damped * beta[points]
        two = damped * (1 - alpha[points])
        changes = _differenced(_differenced(values, 1.0), damped)
        squares[points] = _squared(changes, running, one, two)
    return squares[of]


def _differenced(values: Singles, share: float) -> Singles:
    """Values less a share of those before them, 0 before the first."""
    less = values.copy()
    less[1:] -= np.float32(share) * values[:-1]
    return less


def _squared(changes: Singles, running: list[int], one: Floats, two: Floats) -> Singles:
    """Sums of the squares of `e[t] = changes[t] + one * e[t - 1] - two * e[t - 2]`."""
    ones, twos = (weights.astype(np.float32)[:, None] for weights in (one, two))
    last, before, work, total = np.zeros((4, len(one), changes.shape[1]), dtype=np.float32)
    further = bool(two.any())
    for change, active in zip(changes, running, strict=True):
        e, w, sums = before[:, :active], work[:, :active], total[:, :active]
        np.multiply(last[:, :active], ones, out=w)
        if further:
            np.multiply(e, twos, out=e)
            np.subtract(w, e, out=w)
        np.add(change[:active], w, out=e)
        np.multiply(e, e, out=w)
        np.add(sums, w, out=sums)
        last, before = before, last
    return total


@lru_cache(maxsize=32)
def _weights(tried: Smoothing, block: int) -> Singles:
    """What is linear in the values of lanes that begin with nothing, `(ALIKE, weights, periods)`.

    Of lanes of the lengths from `block * ALIKE` on: the errors times what they owe to a first
    level, and to a first trend; the level and the trend at the end; each with as many weights as
    there are points. Walked backwards: a value is worth what its error is, and what it adds to the
    level and the trend.
    """
    lengths = block * ALIKE + np.arange(ALIKE)
    periods, points = int(lengths[-1]), len(tried.alpha)
    responses = _responses(tried, periods)
    level, trend = np.zeros((2, ALIKE, 4, points))
    weights = np.empty((ALIKE, 4, points, periods), dtype=np.float32)
    owed = np.zeros((4, points))
    for step in reversed(range(periods)):
        level[lengths == step + 1, 2] = trend[lengths == step + 1, 3] = 1.0
        owed[:2] = responses.errors[step]
        worth = np.where(step < lengths[:, None, None], owed, 0.0)
        worth += tried.alpha * level + tried.beta * trend
        level -= worth
        trend = tried.phi * (level + trend)
        weights[..., step] = worth
    return weights.reshape(ALIKE, 4 * points, periods)


def still_running(lengths: Ints) -> Ints:
    """How many of the lanes, longest first, have a value in each column."""
    return np.asarray(np.searchsorted(-lengths, -np.arange(lengths[0]), side="left"))


@dataclass(frozen=True, eq=False)
class Responses:
    """What errors and states owe to a first level of 1, and to a first trend of 1.

    `errors` are their debts with the signs turned, `(periods, 2, points)`; `moments` their squares
    and products summed up to each period, `(periods, 3, points)`; `ends` the level and the trend
    after each period that a first level leaves, and a first trend: `(periods, 4, points)`, level
    from level, level from trend, trend from level, trend from trend.
    """

    errors: Floats
    moments: Floats
    ends: Floats


def _responses(tried: Smoothing, periods: int) -> Responses:
    """To that many periods and some more, so that panels that end one by one share them."""
    return _responses_to(tried, -(-periods // ROUNDED) * ROUNDED)


@lru_cache(maxsize=16)
def _responses_to(tried: Smoothing, periods: int) -> Responses:
    points = len(tried.alpha)
    level, trend = np.zeros((2, 2, points))
    level[0], trend[1] = 1.0, float(tried.trend)
    errors, ends = np.empty((periods, 2, points)), np.empty((periods, 2, 2, points))
    for step in range(periods):
        foreseen = level + tried.phi * trend
        level, trend = foreseen * (1 - tried.alpha), tried.phi * trend - tried.beta * foreseen
        errors[step], ends[step] = foreseen, (level, trend)
    one, two = errors.swapaxes(0, 1)
    moments = np.cumsum(np.stack([one**2, two**2, one * two], axis=1), axis=0)
    if not tried.trend:
        moments[:, 1] = 1.0
    return Responses(errors, moments, ends.reshape(periods, 4, points))


def _solved(first: Numbers, second: Numbers, moments: Floats, length: int) -> tuple[Floats, Floats]:
    """First level and trend that make the loss smallest, each `(points, lanes)`."""
    one, two, both = moments[..., None]
    one, two = one + PULL, two + PULL * length
    determinant = np.maximum(one * two - both**2, 1e-12 * one * two)
    return (
        first * (two / determinant) - second * (both / determinant),
        second * (one / determinant) - first * (both / determinant),
    )
