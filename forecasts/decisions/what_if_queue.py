"""What a scenario does to the queue: what stays, what is late, which offices are overloaded.

Base and scenario run on the same paths of `workload`, and differ from today on. A lever changes
what is received of each field, brings dossiers besides, saves minutes of each and moves the hours
of staff, along the path on which its number was drawn. Dossiers that come besides fall on days as
those of their field do. Minutes saved count as hours gained, by the work of all fields together.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from etl.calendars import working_days
from etl.catalog import Catalog, parse_catalog
from etl.periods import Frequency, Period
from etl.pipeline import facts_of
from etl.warehouse import Warehouse
from forecasts.decisions.levers import Setting, checked
from forecasts.decisions.queue import Queue, run
from forecasts.decisions.scenarios import (
    NO_QUEUE,
    Band,
    Base,
    Felt,
    FromQueue,
    Ratios,
    declared,
    estimated,
    felt,
)
from forecasts.decisions.workload import BACKLOG, Ahead, NoWorkload, ahead
from forecasts.panel import Floats

PATHS = 50
"""Half of those the work ahead is told by: it runs twice."""
PACKAGE = Path(__file__).parents[1]
Change = tuple[Band, Band, Band]
"""Base, scenario, difference."""


@dataclass(frozen=True)
class Told:
    """The queue of the whole city at the end of the quarter, base beside scenario."""

    until: date
    offices: int
    """Of which the staff is told."""
    pending: Change
    overdue: Change
    overloaded: Change
    """Offices with a day from today on that ends with more ready work than a day's hours."""
    late: Change
    """Per cent of what is finished from today on that is finished after its due day."""


@dataclass(frozen=True, eq=False)
class Queued(Told):
    """The same, and what follows for indicators."""

    ratios: dict[str, dict[date, list[float]]]
    """Scenario over base by first day of each month that ends in the quarter, one a path: of
    `pending` and `overdue` what is there at its end; of `late` the share finished after its due
    day, in months that begin in what is simulated."""

    @property
    def told(self) -> Told:
        """What is told of it, to be kept."""
        return Told(**{name: getattr(self, name) for name in Told.__dataclass_fields__})

    def of(self, catalog: Catalog) -> FromQueue:
        """`ratios` by the indicators that the catalog names for them."""
        work = catalog.workload
        if work is None:
            return NO_QUEUE
        stocks = {"pending": work.pending, "overdue": work.overdue}
        return FromQueue(self._named(stocks), self._named({"late": work.on_time}))

    def _named(self, indicators: Mapping[str, str | None]) -> Ratios:
        return {
            indicator: {month: np.array(ratio) for month, ratio in self.ratios[name].items()}
            for name, indicator in indicators.items()
            if indicator is not None
        }


def queue_when(found: Ahead, base: Base, told: Felt) -> Queued:
    """The queue of `found` as it is, and as offices feel a scenario on `base`.

    `told` has one path for each of `found`.
    """
    received = received_when(found, base, told)
    moved = replace(found, received=received)
    hours = _hours(found, base, told, received)
    queues = found.queue, run(moved.together, hours)
    last = found.span("quarter").stop - 1
    return Queued(
        found.days[last],
        int(found.told.sum()),
        _change(queues, lambda queue: queue.pending[last].sum(axis=(1, 2))),
        _change(queues, lambda queue: queue.overdue[last].sum(axis=(1, 2))),
        _change(queues, lambda queue: _overloaded(found, queue)),
        _change(queues, lambda queue: 100 * _late(queue, found.span("quarter"))),
        {name: _ratios(found, queues, name) for name in ("pending", "overdue")}
        | {"late": _late_ratios(found, queues)},
    )


def _change(queues: tuple[Queue, Queue], told: Callable[[Queue], Floats]) -> Change:
    base, scenario = (told(queue) for queue in queues)
    return Band.of(base), Band.of(scenario), Band.of(scenario - base)


def _overloaded(found: Ahead, queue: Queue) -> Floats:
    window = found.span("quarter")
    over = (queue.left[window] > BACKLOG * queue.hours[window]).any(axis=0)
    return np.asarray((over & found.told[None]).sum(axis=1), dtype=np.float64)


def _ratios(found: Ahead, queues: tuple[Queue, Queue], name: str) -> dict[date, list[float]]:
    ratios = {}
    for month, days in _months(found).items():
        if Period.containing(Frequency.MONTH, month).end <= found.days[-1]:
            base, scenario = (getattr(q, name)[days[-1]].sum(axis=(1, 2)) for q in queues)
            ratios[month] = _over(scenario, base).tolist()
    return ratios


def _over(scenario: Floats, base: Floats) -> Floats:
    return np.divide(scenario, base, where=base > 0, out=np.ones_like(base))


def _late(queue: Queue, days: slice) -> Floats:
    """The share of what is finished on these days that is finished after its due day, by path."""
    finished, late = (
        part[days].sum(axis=(0, 2, 3)) for part in (queue.handled, queue.handled_late)
    )
    return np.asarray(np.divide(late, finished, where=finished > 0, out=np.zeros_like(late)))


def _late_ratios(found: Ahead, queues: tuple[Queue, Queue]) -> dict[date, list[float]]:
    ratios = {}
    for month, ahead_days in _months(found).items():
        ends = Period.containing(Frequency.MONTH, month).end <= found.days[-1]
        if ends and month > found.until:
            # Those before today too: the month is told as a whole.
            first = next(n for n, day in enumerate(found.days) if day >= month)
            base, scenario = (_late(queue, slice(first, ahead_days[-1] + 1)) for queue in queues)
            ratios[month] = _over(scenario, base).tolist()
    return ratios


def _months(found: Ahead) -> dict[date, list[int]]:
    """The working days from today on, by the first day of their month."""
    months: dict[date, list[int]] = {}
    for number, day in enumerate(found.days):
        if day >= found.today:
            months.setdefault(day.replace(day=1), []).append(number)
    return months


def received_when(found: Ahead, base: Base, told: Felt) -> Floats:
    """What comes on each working day in the scenario, `(paths, communes, fields, days)`."""
    received = found.received.astype(np.float64)
    areas = [base.areas.index(code) for code in found.places["area"]]
    fields = [base.fields.index(field) for field in found.fields]
    by_field = found.received.sum(axis=(0, 1))
    for month, days in _ahead(found, base):
        shares = _day_shares(found, by_field, days)
        brought = told.brought[:, areas][:, :, fields, month]
        factor = told.received[:, fields, month]
        part = received[..., days] + brought[..., None] * shares
        received[..., days] = part * factor[:, None, :, None]
    return received


def _ahead(found: Ahead, base: Base) -> list[tuple[int, list[int]]]:
    """Numbers of the months of the base that lie ahead, with their working days from today on."""
    months = _months(found)
    return [(base.periods.index(m), days) for m, days in months.items() if m in base.periods]


def _day_shares(found: Ahead, by_field: Floats, days: list[int]) -> Floats:
    """The share of a month that comes on each of its days, `(fields, days)`; `by_field` is all of
    what is received, `(fields, days)`. Of a month that is not all here they are less than one."""
    whole = Period.containing(Frequency.MONTH, found.days[days[0]])
    here = [n for n, day in enumerate(found.days) if whole.start <= day <= whole.end]
    total = by_field[:, here].sum(axis=1, keepdims=True)
    part = len(here) / max(working_days(whole.start, whole.end), 1)
    return np.asarray(part * by_field[:, days] / np.where(total > 0, total, 1.0))


def _hours(found: Ahead, base: Base, told: Felt, received: Floats) -> Floats:
    """Hours of each office and day in the scenario, `(paths, communes, days)`."""
    hours = np.repeat(found.hours()[None], len(received), axis=0)
    fields = [base.fields.index(field) for field in found.fields]
    for month, days in _ahead(found, base):
        work = received[..., days].sum(axis=(1, 3)) * found.hours_each
        saved = (work * told.minutes[:, fields, month]).sum(axis=1)
        less = np.divide(saved, work.sum(axis=1), where=saved > 0, out=np.ones(len(work)))
        hours[..., days] *= (told.staff[:, month] / less)[:, None, None]
    return hours


# --- in a process of its own: it takes many seconds and hundreds of megabytes -----------------


def queued(home: Path, build: str, today: date, settings: Sequence[Setting]) -> Queued:
    """The queue when levers are moved, on a build as of a day.

    Raises:
        NoWorkload: the build says too little for it.
    """
    asked = [str(setting) for setting in settings]
    command = [sys.executable, "-m", __name__, str(home), build, today.isoformat(), *asked]
    ran = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, check=False)
    if ran.returncode:
        raise NoWorkload(
            "the queue of this scenario cannot be worked out",
            where=ran.stderr.decode(errors="replace").strip().rpartition("\n")[2],
            hint="run: foresight refresh",
        )
    return _QUEUED.validate_json(ran.stdout)


def worked_out(
    warehouse: Warehouse, catalog: Catalog, today: date, settings: Sequence[Setting]
) -> Queued:
    """The same in this process."""
    scenarios = declared(catalog)
    base = Base.read(warehouse, scenarios)
    settings = checked(scenarios, settings, base.fields, base.periods)
    found = ahead(warehouse, catalog, today, paths=PATHS)
    chosen = np.linspace(0, base.count - 1, PATHS).round().astype(int)
    told = felt(base, scenarios, settings, estimated(warehouse, scenarios), chosen)
    return queue_when(found, base, told)


def main(home: Path, build: str, today: date, settings: Sequence[str]) -> None:
    """Work it out and write it as JSON."""
    with Warehouse.open(home, build) as warehouse:
        catalog = parse_catalog(facts_of(warehouse)["catalog"])
        found = worked_out(warehouse, catalog, today, [Setting.parse(one) for one in settings])
    sys.stdout.buffer.write(_QUEUED.dump_json(found))


_QUEUED = TypeAdapter(Queued)

if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3]), sys.argv[4:])
