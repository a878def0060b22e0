"""Additive Holt-Winters with a trend that fades, on logs: the one model whose season moves.

The season begins with the lane's own factors; level and trend to begin with are solved for, as in
`forecasts.recursion`. Lanes without a season of their own are left to the damped trend.

Source: Hyndman, Koehler, Ord and Snyder (2008), "Forecasting with Exponential Smoothing",
chapter 2.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from forecasts.lanes import Lanes
from forecasts.model import Model
from forecasts.models import damped_trend as damped
from forecasts.panel import Floats
from forecasts.recursion import Ints, Numbers, likelihood, smooth, still_running

ALPHAS = (0.1, 0.25, 0.45, 0.7, 0.95)
TRENDS = ((0.0, 0.0), (0.05, 0.94), (0.2, 0.85))
"""Pairs of beta as a share of alpha, and damping."""
GAMMAS = (0.0, 0.08, 0.3)
SURENESS = 1.0
PULL = (1e-6, 1e-4)
"""Pull of the first level towards 0, and per value of the first trend."""
TOGETHER = 192


@lru_cache(maxsize=1)
def _grid() -> tuple[Floats, Floats, Floats, Floats]:
    points = np.array([(a, a * b, p, g) for b, p in TRENDS for a in ALPHAS for g in GAMMAS])
    alpha, beta, phi, gamma = points.T
    return alpha, beta, phi, gamma


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Paths in the unit of the values."""
    own = lanes.own
    flat = np.empty((len(lanes.lengths), horizon))
    moves = (own.factors != 0).any(axis=1)
    still = ~moves
    fit = smooth(own.flat[still], lanes.lengths[still], damped.TRIED, damped.SURENESS)
    flat[still] = fit.ahead(horizon)
    rows = np.flatnonzero(moves)
    rows = rows[np.argsort(-lanes.lengths[rows], kind="stable")]
    for at in range(0, len(rows), TOGETHER):
        part = rows[at : at + TOGETHER]
        longest = int(lanes.lengths[part].max())
        flat[part] = _paths(
            own.flat[part, :longest], lanes.lengths[part], own.factors[part], horizon
        )
    return own.back(flat)


def _paths(flat: Floats, lengths: np.ndarray, factors: Floats, horizon: int) -> Floats:
    """Paths less the factors, so that the season to begin with is none."""
    season = factors.shape[1]
    loss, level, trend, seasons = _walk(flat, lengths, season)
    likely = likelihood(loss, lengths, SURENESS)
    phi = _grid()[2]
    mean, place = (likely * level).sum(axis=0), np.arange(len(flat))
    moved = np.einsum("pl,spl->sl", likely, seasons)
    paths = np.empty((len(flat), horizon))
    slope = likely * trend
    for step in range(horizon):
        slope = phi[:, None] * slope
        mean = mean + slope.sum(axis=0)
        paths[:, step] = mean + moved[(lengths + step) % season, place]
    return paths


def _walk(flat: Floats, lengths: Ints, season: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Loss, level and trend at the end `(points, lanes)`, and seasons `(season, points, lanes)`.

    Longest lanes first.
    """
    alpha, beta, phi, gamma = (parameter.astype(np.float32)[:, None] for parameter in _grid())
    shape = len(alpha), len(flat)
    values = np.ascontiguousarray(flat.T, dtype=np.float32)
    debts = _debts(season, flat.shape[1])
    level, trend, square, first, second, missed, work = (
        np.zeros(shape, np.float32) for _ in range(7)
    )
    seasons = np.zeros((season, *shape), np.float32)
    for step, active in enumerate(still_running(lengths)):
        e, w, up, on = (array[:, :active] for array in (missed, work, level, trend))
        now = seasons[step % season, :, :active]
        np.multiply(on, phi, out=on)
        np.add(up, on, out=up)
        np.subtract(values[step, :active], up, out=e)
        np.subtract(e, now, out=e)
        for sums, debt in ((first, debts.errors[0]), (second, debts.errors[1])):
            np.multiply(e, debt[:, step, None], out=w)
            np.add(sums[:, :active], w, out=sums[:, :active])
        for state, weight in ((up, alpha), (on, beta), (now, gamma)):
            np.multiply(e, weight, out=w)
            np.add(state, w, out=state)
        np.multiply(e, e, out=e)
        np.add(square[:, :active], e, out=square[:, :active])
    one, two, both = debts.moments[:, :, lengths - 1]
    start = _start(first, second, one, two, both, lengths, phi > 0)
    loss = (
        square
        - 2 * (first * start[0] + second * start[1])
        + one * start[0] ** 2
        + 2 * both * start[0] * start[1]
        + two * start[1] ** 2
    )
    for which in range(2):
        ends = debts.ends[which][..., lengths]
        level = level + ends[0] * start[which]
        trend = trend + ends[1] * start[which]
        seasons = seasons + ends[2:] * start[which]
    return np.where(np.isfinite(loss), np.maximum(loss, 0), np.inf), level, trend, seasons


def _start(
    first: Numbers,
    second: Numbers,
    one: Floats,
    two: Floats,
    both: Floats,
    lengths: Ints,
    trend: NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """First level and trend of the smallest loss; no trend where there is none to follow."""
    one, two = one + PULL[0], two + PULL[1] * lengths
    determinant = np.maximum(one * two - both**2, 1e-12 * one * two)
    level = np.where(trend, (first * two - second * both) / determinant, first / one)
    return level, np.where(trend, (second * one - first * both) / determinant, 0.0)


@dataclass(frozen=True, eq=False)
class Debts:
    """What is owed to a first level of 1, and to a first trend of 1, the first axis.

    `errors` with their signs turned, `(2, points, periods)`; `moments`, sums of their squares and
    product, `(3, points, periods)`; `ends`, level, trend and seasons after each number of periods,
    `(2, 2 + season, points, periods + 1)`.
    """

    errors: NDArray[np.float32]
    moments: Floats
    ends: NDArray[np.float32]


@lru_cache(maxsize=4)
def _debts(season: int, periods: int) -> Debts:
    alpha, beta, phi, gamma = _grid()
    errors = np.zeros((2, len(alpha), periods))
    ends = np.zeros((2, 2 + season, len(alpha), periods + 1), np.float32)
    for which in range(2):
        states = np.zeros((2 + season, len(alpha)))
        states[which] = 1.0
        ends[which, ..., 0] = states
        for step in range(periods):
            now = 2 + step % season
            states[1] *= phi
            states[0] += states[1]
            foreseen = states[0] + states[now]
            errors[which, :, step] = foreseen
            states[0] -= alpha * foreseen
            states[1] -= beta * foreseen
            states[now] -= gamma * foreseen
            ends[which, ..., step + 1] = states
    one, two = errors
    moments = np.cumsum([one**2, two**2, one * two], axis=2)
    return Debts(errors.astype(np.float32), moments, ends)


MODEL = Model(title="Holt-Winters cộng tính", title_en="Additive Holt-Winters", forecast=forecast)
