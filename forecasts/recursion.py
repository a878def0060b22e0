"""Level and damped trend over many lanes at once: the recursion most models are made of.

The model is that of exponential smoothing with additive errors: the value foreseen is
`level + damping * trend`, and what was missed moves both. Errors are linear in the two numbers a
lane starts with, so these are not searched for but solved for (least squares) at every point of a
grid of parameters, which is walked in single precision. Points count by their likelihood.

Source: Hyndman, Koehler, Ord and Snyder (2008), "Forecasting with Exponential Smoothing",
chapters 2 and 5.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasts.panel import Floats

Ints = NDArray[np.int64]
Singles = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
"""Of either precision."""
TOGETHER = 384
"""Lanes walked together: their states stay in the processor's cache."""
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
    responses = _responses(tried, values.shape[1])
    for at in range(0, len(order), TOGETHER):
        rows = order[at : at + TOGETHER]
        part = np.ascontiguousarray(values[rows, : lengths[rows[0]]].T, dtype=np.float32)
        walked = _walk(part, lengths[rows], tried, responses)
        likely = likelihood(walked.loss, lengths[rows], sureness)
        level[rows] = (likely * walked.level).sum(axis=0)
        for place in range(len(phis)):
            trends[rows, place] = (likely * walked.trend)[of == place].sum(axis=0)
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


def _walk(values: Singles, lengths: Ints, tried: Smoothing, responses: "Responses") -> Walked:
    """Every point of the grid over every lane, longest lanes first."""
    alpha, beta, phi = (
        parameter.astype(np.float32)[:, None] for parameter in (tried.alpha, tried.beta, tried.phi)
    )
    shape = len(alpha), values.shape[1]
    level, trend, square, first, second, missed, work = (
        np.zeros(shape, dtype=np.float32) for _ in range(7)
    )
    trending = tried.trend
    for step, active in enumerate(still_running(lengths).tolist()):
        e, w, up, on = missed[:, :active], work[:, :active], level[:, :active], trend[:, :active]
        if trending:
            np.multiply(on, phi, out=on)
            np.add(up, on, out=up)
        np.subtract(values[step, :active], up, out=e)
        np.multiply(e, alpha, out=w)
        np.add(up, w, out=up)
        if trending:
            np.multiply(e, beta, out=w)
            np.add(on, w, out=on)
            np.multiply(e, responses.trend[:, step, None], out=w)
            np.add(second[:, :active], w, out=second[:, :active])
        np.multiply(e, responses.level[:, step, None], out=w)
        np.add(first[:, :active], w, out=first[:, :active])
        np.multiply(e, e, out=e)
        np.add(square[:, :active], e, out=square[:, :active])
    return _begun(Walked(square, level, trend), first, second, responses, lengths)


def _begun(
    zero: Walked, first: Singles, second: Singles, responses: "Responses", lengths: Ints
) -> Walked:
    """The walk from zeros moved to the start that makes its loss smallest."""
    start = _solved(first, second, responses.moments[:, :, lengths - 1], lengths)
    loss = zero.loss - first * start[0] - second * start[1]
    ends = responses.ends[:, :, lengths]
    return Walked(
        np.where(np.isfinite(loss), np.maximum(loss, 0), np.inf),
        zero.level + ends[0] * start[0] + ends[1] * start[1],
        zero.trend + ends[2] * start[0] + ends[3] * start[1],
    )


def still_running(lengths: Ints) -> Ints:
    """How many of the lanes, longest first, have a value in each column."""
    return np.asarray(np.searchsorted(-lengths, -np.arange(lengths[0]), side="left"))


@dataclass(frozen=True, eq=False)
class Responses:
    """What errors and states owe to a first level of 1, and to a first trend of 1.

    `level` and `trend` are the errors' debts with their signs turned, `(points, periods)`;
    `moments` their squares and product summed up to each period, `(3, points, periods)`; `ends` the
    level and trend after each number of periods that a first level leaves, and a first trend:
    `(4, points, periods + 1)`, level from level, level from trend, trend from level, trend from
    trend.
    """

    level: Singles
    trend: Singles
    moments: Floats
    ends: Floats


def _responses(tried: Smoothing, periods: int) -> Responses:
    errors, ends = np.zeros((2, len(tried.alpha), periods)), []
    for which in range(2):
        level = np.full(len(tried.alpha), float(which == 0))
        trend = np.full(len(tried.alpha), float(which == 1 and tried.trend))
        states = [(level, trend)]
        for step in range(periods):
            foreseen = level + tried.phi * trend
            errors[which, :, step] = foreseen
            level, trend = foreseen * (1 - tried.alpha), tried.phi * trend - tried.beta * foreseen
            states.append((level, trend))
        ends.append(np.stack(states, axis=2))
    one, two = errors
    squares = np.stack([one**2, two**2 if tried.trend else np.zeros_like(two), one * two])
    moments = np.cumsum(squares, axis=2)
    if not tried.trend:
        moments[1] = 1.0
    (levels_one, trends_one), (levels_two, trends_two) = ends
    return Responses(
        one.astype(np.float32),
        two.astype(np.float32),
        moments,
        np.stack([levels_one, levels_two, trends_one, trends_two]),
    )


def _solved(
    first: Numbers, second: Numbers, moments: Floats, lengths: Ints
) -> tuple[Floats, Floats]:
    """First level and trend that make the loss smallest."""
    one, two, both = moments[0] + PULL, moments[1] + PULL * lengths, moments[2]
    determinant = np.maximum(one * two - both**2, 1e-12 * one * two)
    return (
        (first * two - second * both) / determinant,
        (second * one - first * both) / determinant,
    )
