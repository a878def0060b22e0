"""Additive Holt-Winters with a trend that fades, on logs: a season that moves slowly.

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
from forecasts.recursion import (
    ALIKE,
    Ints,
    Numbers,
    likelihood,
    product,
    runs,
    smooth,
    still_running,
)

ALPHAS = (0.1, 0.25, 0.45, 0.7, 0.95)
TRENDS = ((0.0, 0.0), (0.05, 0.94), (0.2, 0.85))
"""Pairs of beta as a share of alpha, and damping."""
GAMMAS = (0.0, 0.08, 0.3)
"""In order."""
SURENESS = 1.0
PULL = (1e-6, 1e-4)
"""Pull of the first level towards 0, and per value of the first trend."""
TOGETHER = 1024


@lru_cache(maxsize=1)
def _grid() -> tuple[Floats, Floats, Floats, Floats]:
    points = np.array([(a, a * b, p, g) for g in GAMMAS for b, p in TRENDS for a in ALPHAS])
    alpha, beta, phi, gamma = points.T
    return alpha, beta, phi, gamma


def _moving() -> slice:
    """Points at which seasons move: the last ones."""
    return slice(int((_grid()[3] == 0).sum()), None)


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Paths in the unit of the values."""
    own = lanes.own
    flat = np.empty((len(lanes.lengths), horizon))
    seasonal = (own.factors != 0).any(axis=1)
    plain, rows = np.flatnonzero(~seasonal), np.flatnonzero(seasonal)
    fit = smooth(own.flat[plain], lanes.lengths[plain], damped.TRIED, damped.SURENESS)
    flat[plain] = fit.ahead(horizon)
    rows = rows[np.argsort(-lanes.lengths[rows], kind="stable")]
    for at in range(0, len(rows), TOGETHER):
        part = rows[at : at + TOGETHER]
        longest = int(lanes.lengths[part].max())
        flat[part] = _paths(
            own.flat[part, :longest], lanes.lengths[part], own.factors[part], horizon
        )
    return own.back(flat)


def _paths(flat: Floats, lengths: Ints, factors: Floats, horizon: int) -> Floats:
    """Paths less the factors, so that the season to begin with is none; longest lanes first."""
    season, phi = factors.shape[1], _grid()[2][:, None]
    begun = flat[:, :1]
    values = (flat - begun).T.astype(np.float32, order="C")
    rest = _walk(values, lengths, season)
    paths = np.empty((len(flat), horizon))
    for run, length in runs(lengths):
        loss, level, trend, seasons = _started(rest, values, run, length)
        likely = likelihood(loss, lengths[run], SURENESS)
        mean, slope = (likely * level).sum(axis=0), likely * trend
        moved = np.einsum("pl,spl->sl", likely[_moving()], seasons)
        for step in range(horizon):
            slope = phi * slope
            mean = mean + slope.sum(axis=0)
            paths[run, step] = mean + moved[(length + step) % season]
    return begun + paths


@dataclass(frozen=True, eq=False)
class Walked:
    """Where lanes that begin with nothing end: each `(points, lanes)`.

    Of `seasons`, `(season, points, lanes)`, only points at which they move.
    """

    square: Numbers
    """Sums of squared errors."""
    level: Numbers
    trend: Numbers
    seasons: Numbers


def _walk(values: Numbers, lengths: Ints, season: int) -> Walked:
    """Every point of the grid over every lane."""
    alpha, beta, phi, gamma = (parameter.astype(np.float32)[:, None] for parameter in _grid())
    moving = _moving()
    level, trend, square, missed, work = np.zeros((5, len(alpha), len(lengths)), np.float32)
    seasons = np.zeros((season, len(alpha[moving]), len(lengths)), np.float32)
    for step, active in enumerate(still_running(lengths).tolist()):
        e, w, up, on = (array[:, :active] for array in (missed, work, level, trend))
        now, e_now, w_now = seasons[step % season, :, :active], e[moving], w[moving]
        np.multiply(on, phi, out=on)
        np.add(up, on, out=up)
        np.subtract(values[step, :active], up, out=e)
        np.subtract(e_now, now, out=e_now)
        np.multiply(e_now, gamma[moving], out=w_now)
        np.add(now, w_now, out=now)
        for state, weight in ((up, alpha), (on, beta)):
            np.multiply(e, weight, out=w)
            np.add(state, w, out=state)
        np.multiply(e, e, out=e)
        np.add(square[:, :active], e, out=square[:, :active])
    return Walked(square, level, trend, seasons)


def _started(rest: Walked, values: Numbers, run: slice, length: int) -> tuple[Numbers, ...]:
    """Loss, level, trend and seasons of lanes of one length, from the start of smallest loss."""
    season, phi = len(rest.seasons), _grid()[2][:, None]
    debts = _debts(season, len(values))
    weights = _weights(season, length // ALIKE)[length % ALIKE, :, :length]
    first, second = product(weights, values[:length, run]).reshape(2, len(phi), -1)
    one, two, both = debts.moments[:, :, length - 1, None]
    level, trend = _start(first, second, one, two, both, length, phi > 0)
    loss = (
        rest.square[:, run]
        - 2 * (first * level + second * trend)
        + one * level**2
        + 2 * both * level * trend
        + two * trend**2
    )
    ends, moving = debts.ends[..., length, None], _moving()
    return (
        np.where(np.isfinite(loss), np.maximum(loss, 0), np.inf),
        rest.level[:, run] + ends[0, 0] * level + ends[1, 0] * trend,
        rest.trend[:, run] + ends[0, 1] * level + ends[1, 1] * trend,
        rest.seasons[..., run]
        + ends[0, 2:, moving] * level[moving]
        + ends[1, 2:, moving] * trend[moving],
    )


def _start(
    first: Numbers,
    second: Numbers,
    one: Floats,
    two: Floats,
    both: Floats,
    length: int,
    trend: NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """First level and trend of the smallest loss; no trend where there is none to follow."""
    one, two = one + PULL[0], two + PULL[1] * length
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

    errors: Floats
    moments: Floats
    ends: NDArray[np.float32]


@lru_cache(maxsize=8)
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
    return Debts(errors, moments, ends)


@lru_cache(maxsize=16)
def _weights(season: int, block: int) -> NDArray[np.float32]:
    """What errors, times what they owe to a first level and to a first trend, owe to each value.

    `(ALIKE, 2 * points, periods)`, of lanes of the lengths from `block * ALIKE` on, as in
    `forecasts.recursion`.
    """
    alpha, beta, phi, gamma = _grid()
    lengths = block * ALIKE + np.arange(ALIKE)
    errors = _debts(season, int(lengths[-1])).errors
    level, trend = np.zeros((2, ALIKE, 2, len(alpha)))
    seasons = np.zeros((season, ALIKE, 2, len(alpha)))
    weights = np.empty((ALIKE, 2, len(alpha), errors.shape[2]), np.float32)
    for step in reversed(range(errors.shape[2])):
        worth = np.where(step < lengths[:, None, None], errors[..., step], 0.0)
        worth += alpha * level + beta * trend + gamma * seasons[step % season]
        level -= worth
        trend = phi * (level + trend)
        seasons[step % season] -= worth
        weights[..., step] = worth
    return weights.reshape(ALIKE, -1, errors.shape[2])


MODEL = Model(
    title="Holt-Winters cộng tính",
    title_en="Additive Holt-Winters",
    forecast=forecast,
    shortest_season=2,
)
