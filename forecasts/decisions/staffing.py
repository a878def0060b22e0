"""Lending people: which moves cut the dossiers that will pass their due day most.

The queue of each commune is run with every number of people it might have, on the same paths. That
gives one figure a commune and number: expected dossiers passing their due day from today to the end
of the quarter. Which numbers go together is then chosen exactly, by a mixed-integer program: one
number a commune, what is given equals what is taken along each pair that is near enough, and no
more people move than there are to lend. Nothing is assumed of the curve between numbers. A move
must save `WORTH` dossiers, or it is not made: fewer people may move than may be lent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Literal

import numpy as np
import polars as pl

from etl.errors import ForesightError
from forecasts.decisions.arrivals import Ints
from forecasts.decisions.queue import run
from forecasts.decisions.workload import BACKLOG, LOWER, UPPER, Ahead, Flags, Window
from forecasts.panel import Floats

WORTH = 1.0
"""Expected dossiers that a person lent must keep from passing their due day."""
MOST_GIVEN = 1 / 3
"""Of its people, that a commune lends at most; it keeps one in any case."""
MORE_LIKELY = 0.5
"""Share of paths from which moves are worth it, below which a plan is said to be within noise."""
EARTH = 6371.0
"""Kilometres from the centre."""
TOLERANCE = 1e-6

Limit = float | Literal["district"] | None
"""Kilometres between communes; the same former district; or anywhere."""


class NoMove(ForesightError):
    """The question cannot be asked: fewer than no people, or a distance that is none."""


@dataclass(frozen=True)
class Range:
    """A mean over the paths, and the bounds of 80 % of them."""

    mean: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Floats) -> "Range":
        """Of one value a path, `(paths,)`."""
        values = np.round(values, 6) + 0.0
        low, high = np.quantile(values, [LOWER, UPPER])
        return cls(float(values.mean()), float(low), float(high))


@dataclass(frozen=True)
class Move:
    """People who go from one commune to another, by code, for the window."""

    giver: str
    taker: str
    people: int
    distance: float | None
    """Kilometres between the middles of the communes; None where they are not known."""


@dataclass(frozen=True)
class Change:
    """A commune whose number of people changes: what passes its due day, and risk of overload."""

    area: str
    people: int
    change: int
    before: Range
    after: Range
    overload_before: float
    overload_after: float


@dataclass(frozen=True)
class Plan:
    """Moves, and what they do: dossiers passing their due day in the window, city-wide."""

    asked: int
    window: Window
    moves: tuple[Move, ...]
    changes: tuple[Change, ...]
    """Takers and givers, the largest gain first."""
    before: Range
    after: Range
    saved: Range
    """Path by path, before minus after."""
    helps: float
    """The share of paths on which it saves at least `WORTH` dossiers a person who moves."""
    within_noise: bool
    """Nothing moves, or it is as likely as not that the moves are not worth it."""


@dataclass(frozen=True, eq=False)
class Curves:
    """What passes its due day with other numbers of people.

    `changes` are the numbers looked at, `(numbers,)`; `late` is `(numbers, paths, communes)`, with
    infinity where a commune cannot have that number; `overload` the same, `(numbers, communes)`.
    """

    changes: tuple[int, ...]
    late: Floats
    overload: Floats


def plan(ahead: Ahead, people: int, within: Limit = "district", window: Window = "quarter") -> Plan:
    """The moves of at most so many people that save most expected dossiers from being late.

    Raises:
        NoMove: `people` or the distance is negative.
    """
    if people < 0 or (isinstance(within, float | int) and within < 0):
        raise NoMove("people and kilometres are numbers from 0 on")
    near, apart = pairs(ahead.places, within)
    known = curves(ahead, people, window, near)
    moved = best_moves(known.changes, known.late.mean(axis=1), near, people)
    return _told(ahead, people, window, known, moved, apart)


def curves(ahead: Ahead, people: int, window: Window, near: Flags) -> Curves:
    """Run the queue of each commune with more people where dossiers get late for want of them, and
    with fewer where it could lend to one of those.

    A commune that is short itself lends nobody: once all that an office does is late, fewer hands
    make no more of it late, only later. Numbers beyond what all can lend, and beyond what a commune
    has use for, are not looked at.
    """
    now = _late(ahead, ahead.people, window)
    ideal = _late(ahead, np.full(len(ahead.people), np.inf), window)[0].mean(axis=0)
    short = ahead.told & (now[0].mean(axis=0) - ideal >= WORTH)
    most = np.where(near[:, short].any(axis=1) & ~short, _most_given(ahead), 0.0)
    highest = min(people, int(most.sum())) if short.any() else 0
    changes = tuple(range(-min(people, int(most.max(initial=0))), highest + 1))
    late = np.full((len(changes), *now[0].shape), np.inf)
    overload = np.full((len(changes), now[0].shape[1]), np.nan)
    for number, change in enumerate(changes):
        can = short if change > 0 else np.asarray(most >= -change)
        if change == 0:
            late[number], overload[number] = now
        elif can.any():
            found = _late(ahead, ahead.people + change, window, can)
            late[number][:, can], overload[number, can] = found
        if change > 0:  # one more is of no use where nothing is late for want of people any more
            short = short & (late[number].mean(axis=0) > ideal + TOLERANCE)
    return Curves(changes, late, overload)


def _most_given(ahead: Ahead) -> Floats:
    people = np.where(ahead.told, ahead.people, 0.0)
    return np.asarray(np.maximum(np.minimum(np.floor(people * MOST_GIVEN), people - 1), 0.0))


def _late(
    ahead: Ahead, people: Floats, window: Window, only: Flags | None = None
) -> tuple[Floats, Floats]:
    """Dossiers passing their due day, `(paths, communes)`, and the chance of overload."""
    rows = np.arange(len(people)) if only is None else np.flatnonzero(only)
    span = ahead.span(window)
    hours = ahead.hours(people)[rows]
    queue = run(ahead.together.of(rows), hours)
    over = queue.left[span] > BACKLOG * queue.hours[span] + TOLERANCE
    return queue.late[span].sum(axis=(0, 3)), over.any(axis=0).mean(axis=0)


def pairs(places: pl.DataFrame, within: Limit) -> tuple[Flags, Floats]:
    """Which communes may lend to which, `(communes, communes)`, and the kilometres between them.

    A commune of which the place or the former district is not known lends to none under that limit.
    """
    apart = kilometres(places["lat"].to_list(), places["lon"].to_list())
    other = ~np.eye(len(places), dtype=bool)
    if within is None:
        return other, apart
    if within == "district":
        named = places["district"].fill_null("").to_numpy()
        return other & (named[:, None] == named[None, :]) & (named[:, None] != ""), apart
    return other & (np.nan_to_num(apart, nan=np.inf) <= within), apart


def kilometres(lat: list[float | None], lon: list[float | None]) -> Floats:
    """Great-circle distances between points in degrees, `(points, points)`; NaN where unknown."""
    points = [
        None if y is None or x is None else (radians(y), radians(x))
        for y, x in zip(lat, lon, strict=True)
    ]
    return np.array([[_distance(one, other) for other in points] for one in points])


def _distance(one: tuple[float, float] | None, other: tuple[float, float] | None) -> float:
    if one is None or other is None:
        return float("nan")
    up, across = other[0] - one[0], other[1] - one[1]
    half = sin(up / 2) ** 2 + cos(one[0]) * cos(other[0]) * sin(across / 2) ** 2
    return 2 * EARTH * asin(sqrt(half))


def best_moves(
    changes: tuple[int, ...], late: Floats, near: Flags, people: int
) -> dict[tuple[int, int], int]:
    """The moves that minimise expected late dossiers, plus `WORTH` a person moved.

    `late` is `(changes, communes)`, infinite where a number cannot be; `near` says who may lend to
    whom. Exact, of whole people: the answer is a least one to within the solver's `TOLERANCE`.

    Raises:
        NoMove: the solver found none, which staying as it is rules out.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array, vstack

    rising = [at for at, change in enumerate(changes) if change > 0]
    can_gain: Flags = np.asarray(np.isfinite(late[rising]).any(axis=0))
    givers, takers = np.nonzero(near & can_gain[None, :])
    number, commune = np.nonzero(np.isfinite(late))
    levels, flows, communes = len(number), len(givers), late.shape[1]
    if not flows or not people:
        return {}
    each, flow = np.arange(levels), levels + np.arange(flows)
    steps = np.array(changes, dtype=float)[number]

    def matrix(values: Floats, rows: Ints, columns: Ints, height: int) -> coo_array:
        return coo_array((values, (rows, columns)), shape=(height, levels + flows))

    one_level = matrix(np.ones(levels), commune, each, communes)
    balance = matrix(
        np.concatenate([steps, -np.ones(flows), np.ones(flows)]),
        np.concatenate([commune, takers, givers]),
        np.concatenate([each, flow, flow]),
        communes,
    )
    lent = matrix(np.ones(flows), np.zeros(flows, dtype=int), flow, 1)
    low = np.concatenate([np.ones(communes), np.zeros(communes), [0.0]])
    high = np.concatenate([np.ones(communes), np.zeros(communes), [float(people)]])
    found = milp(
        np.concatenate([late[number, commune], np.full(flows, WORTH)]),
        integrality=np.ones(levels + flows),
        bounds=Bounds(0, np.concatenate([np.ones(levels), np.full(flows, float(people))])),
        constraints=LinearConstraint(vstack([one_level, balance, lent]).tocsc(), low, high),
        options={"mip_rel_gap": TOLERANCE},
    )
    if found.x is None:
        raise NoMove(f"no plan was found: {found.message}", hint="ask for fewer people")
    moved = np.round(found.x[levels:]).astype(int)
    return {(int(givers[at]), int(takers[at])): int(moved[at]) for at in np.flatnonzero(moved)}


def people_gained(moved: Mapping[tuple[int, int], int], communes: int) -> Ints:
    """How many people each commune has more, or below 0 fewer: those who come somewhere go from
    somewhere.
    """
    gained = np.zeros(communes, dtype=int)
    for (giver, taker), number in moved.items():
        gained[giver] -= number
        gained[taker] += number
    return gained


def _told(
    ahead: Ahead,
    people: int,
    window: Window,
    known: Curves,
    moved: dict[tuple[int, int], int],
    apart: Floats,
) -> Plan:
    codes = ahead.places["area"].to_list()
    gained = people_gained(moved, len(codes))
    still = known.changes.index(0)
    level = np.array([known.changes.index(int(change)) for change in gained])
    every = np.arange(len(codes))
    before, after = known.late[still], known.late[level, :, every].T
    gain = before.sum(axis=1) - after.sum(axis=1)
    worth = WORTH * sum(moved.values())
    helps = float((gain >= worth).mean()) if moved else 0.0
    changes = [
        Change(
            area=codes[at],
            people=int(ahead.people[at]),
            change=int(gained[at]),
            before=Range.of(before[:, at]),
            after=Range.of(after[:, at]),
            overload_before=float(known.overload[still, at]),
            overload_after=float(known.overload[level[at], at]),
        )
        for at in np.flatnonzero(gained)
    ]
    return Plan(
        asked=people,
        window=window,
        moves=tuple(
            Move(codes[giver], codes[taker], number, _known(apart[giver, taker]))
            for (giver, taker), number in sorted(moved.items())
        ),
        changes=tuple(sorted(changes, key=lambda one: one.after.mean - one.before.mean)),
        before=Range.of(before.sum(axis=1)),
        after=Range.of(after.sum(axis=1)),
        saved=Range.of(gain),
        helps=helps,
        within_noise=helps < MORE_LIKELY,
    )


def _known(distance: float) -> float | None:
    return float(distance) if np.isfinite(distance) else None
