"""The queue of an office: what is finished when hours are short, and what passes its due day.

Without shortage a dossier is finished when such dossiers usually are: much of its time is spent
waiting for papers, checks and signatures, which more people do not shorten. When it is ready it
asks for the minutes of its field. Hours of a day go to what is ready, the earliest due day first,
dossiers of one due day in proportion; what is left waits for the next day, so shortage only delays.
Dossiers are a flow: fractions of one are handled, and none is lost (a test adds them up).

Days are working days, counted from 0, the first one simulated. What arrives on another day arrives
on the next working day. Arrays are `(paths, communes, kinds, ...)`: a kind is a field, or all
fields together, which gives the same totals at a fraction of the time, because what is taken from
a due day is taken from all its fields alike.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forecasts.panel import Floats

LONGEST = 60
"""Working days after which what is not finished is not expected to be."""
FURTHEST = 25
"""Working days to the due day that are told apart: what is due later counts as due in so many."""
OVERDUE = 0
"""Place of what is overdue; then what is due today, in one day, and so on."""
PLACES = FURTHEST + 2


@dataclass(frozen=True, eq=False)
class Pace:
    """How dossiers of each field move when nothing is short, as shares of those received.

    `ready` is `(fields, days since receipt, places)`: ready on that day, with that much time left.
    `slipping` is `(fields, days since receipt)`: due on that day and not yet ready at its end.
    `after_due` is `(fields, 2 * LONGEST + 1)`: ready so many days after the due day, from -LONGEST.
    What is missing to 1 in `after_due` is never finished.
    """

    ready: Floats
    slipping: Floats
    after_due: Floats

    @property
    def unhurried(self) -> "Pace":
        """The same with two places, overdue and not: enough where no order of work is needed."""
        rest = self.ready[:, :, OVERDUE + 1 :].sum(axis=2)
        ready = np.stack([self.ready[:, :, OVERDUE], rest], axis=2)
        return Pace(ready, self.slipping, self.after_due)


def pace(durations: pl.DataFrame, fields: list[str]) -> Pace:
    """The pace of each field from counts of past dossiers: category, allowed, taken, cases.

    Fields of which no dossier is known are taken to be finished on the day they come.
    """
    ready = np.zeros((len(fields), LONGEST + 1, PLACES))
    slipping = np.zeros((len(fields), LONGEST + 1))
    after_due = np.zeros((len(fields), 2 * LONGEST + 1))
    for number, field in enumerate(fields):
        rows = durations.filter(pl.col("category") == field)
        if not rows["cases"].sum():
            ready[number, 0, 1] = after_due[number, LONGEST] = 1.0
            continue
        allowed = np.minimum(rows["allowed"].to_numpy(), LONGEST)
        share = rows["cases"].to_numpy() / rows["cases"].sum()
        ended = rows["taken"].is_not_null().to_numpy()
        taken = np.minimum(rows["taken"].fill_null(LONGEST).to_numpy(), LONGEST)
        late = ~ended | (taken > allowed)
        np.add.at(slipping[number], allowed[late], share[late])
        allowed, taken, share = allowed[ended], taken[ended], share[ended]
        np.add.at(ready[number], (taken, np.clip(allowed - taken, -1, FURTHEST) + 1), share)
        np.add.at(after_due[number], taken - allowed + LONGEST, share)
    return Pace(ready, slipping, after_due)


@dataclass(frozen=True, eq=False)
class Flow:
    """What comes to the queue on each working day, before anybody's hours are counted.

    `ready` is `(days, paths, communes, 1 + kinds, places)`: hours first, then dossiers;
    `slipping` `(days, paths, communes, kinds)`; `received` the same; `waiting` and `overdue`, both
    `(communes, kinds)`, are pending, and of these overdue, before the first day. All of `waiting`
    are among what becomes ready, or never does.
    """

    days: int
    at: Callable[[int], tuple[Floats, Floats]]
    """The ready and the slipping of one day."""
    received: Floats
    waiting: Floats
    overdue: Floats

    def of(self, communes: NDArray[np.int64]) -> "Flow":
        """The flow to these communes alone."""

        def at(day: int) -> tuple[Floats, Floats]:
            ready, slipping = self.at(day)
            return ready[:, communes], slipping[:, communes]

        return Flow(
            self.days,
            at,
            self.received[:, :, communes],
            self.waiting[communes],
            self.overdue[communes],
        )


def flow(
    received: Floats,
    pending: tuple[Floats, Floats],
    moves: Pace,
    hours: Floats,
    *,
    together: bool,
) -> Flow:
    """The flow of dossiers `received`, `(paths, communes, fields, days)`, and of those pending.

    `pending` are counts `(communes, fields, days to due)` and the days to due of the last axis, as
    `(days,)`, negative where overdue. `hours` is `(fields,)`, of one dossier. With `together`, all
    fields are one kind, and days are made once and kept.
    """
    waiting, left = pending
    paths, communes, fields, days = received.shape
    came = np.ascontiguousarray(np.moveaxis(received, (2, 3), (0, 1)), dtype=np.float64)
    came = came.reshape(fields, days, paths * communes)
    old_ready, old_slipping = _of_pending(waiting, left, moves, days)
    kernels = [np.column_stack([moves.ready[f], moves.slipping[f]]) for f in range(fields)]
    places = moves.ready.shape[2]

    def of_field(field: int, day: int) -> tuple[Floats, Floats]:
        since = max(day - LONGEST, 0)
        lags = kernels[field][day - since :: -1]
        moved = (lags.T @ came[field, since : day + 1]).reshape(places + 1, paths, communes)
        ready = np.moveaxis(moved[:places], 0, 2) + old_ready[day][:, field]
        return ready, moved[places] + old_slipping[day][:, field]

    def summed(day: int) -> tuple[Floats, Floats]:
        ready = np.zeros((paths, communes, 2, places))
        slipping = np.zeros((paths, communes, 1))
        for field in range(fields):
            new, slips = of_field(field, day)
            ready[:, :, 0] += new * hours[field]
            ready[:, :, 1] += new
            slipping[:, :, 0] += slips
        return ready, slipping

    def apart(day: int) -> tuple[Floats, Floats]:
        ready = np.zeros((paths, communes, fields + 1, places))
        slipping = np.empty((paths, communes, fields))
        for field in range(fields):
            ready[:, :, field + 1], slipping[:, :, field] = of_field(field, day)
            ready[:, :, 0] += ready[:, :, field + 1] * hours[field]
        return ready, slipping

    overdue = waiting[:, :, left < 0].sum(axis=2)
    begun = waiting.sum(axis=2)
    counts = np.moveaxis(received, 3, 0)
    if not together:
        return Flow(days, apart, counts, begun, overdue)
    kept = [summed(day) for day in range(days)]
    return Flow(
        days,
        lambda day: kept[day],
        counts.sum(axis=3, keepdims=True),
        begun.sum(axis=1, keepdims=True),
        overdue.sum(axis=1, keepdims=True),
    )


def _of_pending(waiting: Floats, left: Floats, moves: Pace, days: int) -> tuple[Floats, Floats]:
    """The same of what is pending before day 0: `(days, communes, fields, places)`, and slipping.

    A dossier due in so many days is ready so many days after that as its field usually is, given
    that it is not ready yet.
    """
    communes, fields, _ = waiting.shape
    after_due, furthest = moves.after_due, moves.ready.shape[2] - 2
    ready = np.zeros((days, communes, fields, furthest + 2))
    slipping = np.zeros((days, communes, fields))
    never = np.maximum(1.0 - after_due.sum(axis=1), 0.0)
    for at, due in enumerate(left.astype(int)):
        first = int(np.clip(LONGEST - due, 0, after_due.shape[1]))
        to_come = after_due[:, first:]
        total = to_come.sum(axis=1) + never
        share = to_come / np.where(total > 0, total, np.inf)[:, None]
        counts = waiting[:, :, at]
        begins = max(due - LONGEST, 0)
        for step in range(min(share.shape[1], days - begins)):
            place = int(np.clip(due - begins - step, -1, furthest)) + 1
            ready[begins + step, :, :, place] += counts * share[:, step]
        if 0 <= due < days:
            done = share[:, : max(due - begins + 1, 0)].sum(axis=1)
            slipping[due] += counts * (1.0 - done)
    return ready, slipping


@dataclass(frozen=True, eq=False)
class Queue:
    """What a queue came to, day by day; stocks are those at the end of a day.

    `received`, `handled`, `handled_late` (of these, after their due day), `pending`, `overdue` and
    `late` (passed their due day that day) are `(days, paths, communes, kinds)`; `asked` and `left`,
    hours of what became ready and of what is ready and not done, and `hours`, those there were, are
    `(days, paths, communes)`.
    """

    received: Floats
    handled: Floats
    handled_late: Floats
    pending: Floats
    overdue: Floats
    late: Floats
    asked: Floats
    left: Floats
    hours: Floats


@dataclass(frozen=True, eq=False)
class Span:
    """The same over several days together: flows are sums, stocks those at the end of the last.

    Arrays are `(paths, communes, kinds)`.
    """

    received: Floats
    handled: Floats
    pending: Floats
    overdue: Floats
    late: Floats

    def arrays(self) -> tuple[Floats, ...]:
        """Its arrays, in order."""
        return self.received, self.handled, self.pending, self.overdue, self.late


def run(comes: Flow, hours: Floats) -> Queue:
    """Let the flow through offices with so many hours, `(communes, days)`, or one more axis in
    front where they differ by path."""
    days = list(_days(comes, hours))
    by_path = hours if hours.ndim == len(("paths", "communes", "days")) else hours[None]
    shape = (comes.days, *comes.received.shape[1:3])
    there = np.broadcast_to(np.moveaxis(by_path, 2, 0), shape)
    parts = {name: np.stack([getattr(day, name) for day in days]) for name in _Day.__slots__}
    return Queue(received=comes.received, hours=there, **parts)


def run_spans(comes: Flow, hours: Floats, spans: list[slice]) -> list[Span]:
    """The same, of which only these spans of days are kept: for many kinds, days are too many."""
    shape = comes.received.shape[1:]
    sums = [{name: np.zeros(shape) for name in ("handled", "late")} for _ in spans]
    ends: dict[int, _Day] = {}
    for number, day in enumerate(_days(comes, hours)):
        for span, kept in zip(spans, sums, strict=True):
            if span.start <= number < span.stop:
                kept["handled"] += day.handled
                kept["late"] += day.late
        if any(span.stop == number + 1 for span in spans):
            ends[number + 1] = day
    return [
        Span(
            received=comes.received[span].sum(axis=0),
            pending=ends[span.stop].pending,
            overdue=ends[span.stop].overdue,
            **kept,
        )
        for span, kept in zip(spans, sums, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    handled: Floats
    handled_late: Floats
    pending: Floats
    overdue: Floats
    late: Floats
    asked: Floats
    left: Floats


def _days(comes: Flow, hours: Floats) -> Iterator[_Day]:
    shape = comes.received.shape[1:]
    queue = np.zeros_like(comes.at(0)[0]) if comes.days else np.zeros(0)
    unready = np.broadcast_to(comes.waiting, shape).astype(np.float64)
    unready_overdue = np.broadcast_to(comes.overdue, shape).astype(np.float64)
    for day in range(comes.days):
        ready, slipping = comes.at(day)
        unready += comes.received[day] - ready[:, :, 1:].sum(axis=3)
        unready_overdue += slipping - ready[:, :, 1:, OVERDUE]
        queue += ready
        there, overdue = queue[:, :, 1:].sum(axis=3), queue[:, :, 1:, OVERDUE].copy()
        queue *= 1.0 - _served(queue[:, :, 0], np.atleast_2d(hours[..., day]))[:, :, None]
        stays = queue[:, :, 1:].sum(axis=3)
        due = queue[:, :, 1:, OVERDUE + 1]
        yield _Day(
            handled=there - stays,
            handled_late=overdue - queue[:, :, 1:, OVERDUE],
            pending=unready + stays,
            overdue=unready_overdue + queue[:, :, 1:, OVERDUE] + due,
            late=due + slipping,
            asked=ready[:, :, 0].sum(axis=2),
            left=queue[:, :, 0].sum(axis=2),
        )
        _next_day(queue)


def _served(asked: Floats, hours: Floats) -> Floats:
    """The share done of each due day, the earliest first, `(paths, communes, places)`."""
    before = np.cumsum(asked, axis=2) - asked
    done = np.clip(hours[..., None] - before, 0.0, asked)
    return np.where(asked > 0, done / np.where(asked > 0, asked, 1.0), 1.0)


def _next_day(queue: Floats) -> None:
    """Everything is due a day sooner; what was due today is overdue."""
    queue[..., OVERDUE] += queue[..., OVERDUE + 1]
    queue[..., OVERDUE + 1 : -1] = queue[..., OVERDUE + 2 :].copy()
    queue[..., -1] = 0.0
