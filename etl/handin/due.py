"""What is due: the next files of each dataset, and whom to remind before the day passes.

A file is due so many days after the end of its period: as the catalog says under `handin.within`,
or else as long as a figure of that frequency may grow old (`etl.freshness`).
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from etl.catalog import Catalog, Dataset, Handin
from etl.freshness import PATIENCE
from etl.handin.store import Submission
from etl.people import Department, People, Person
from etl.periods import Frequency, Period

MOST_MISSING = 12
"""Periods of one dataset that are told as missing; the newest."""
HANDED_IN = ("submitted", "approved", "released", "corrected")


@dataclass(frozen=True)
class Due:
    """A file that a department owes, or will."""

    dataset: str
    department: str
    period: Period
    due: dt.date
    state: Literal["late", "due", "coming"]
    """Its day has passed; its period is over; its period still runs."""
    days: int
    """Until the due day; below 0 since."""


@dataclass(frozen=True)
class Reminder:
    """What a department is reminded of, and who is told."""

    department: Department
    to: list[Person]
    files: list[Due]


def due_files(
    catalog: Catalog,
    people: People,
    submissions: Iterable[Submission],
    loaded_until: Mapping[str, dt.date],
    today: dt.date,
) -> list[Due]:
    """The files that are missing, and the next of each dataset, by day.

    `loaded_until` is the last day each dataset has figures of.
    """
    handed_in = {
        (one.dataset, one.department, one.period) for one in submissions if one.state in HANDED_IN
    }
    found: list[Due] = []
    for dataset in catalog.resources:
        if dataset.handin is None:
            continue
        for department in people.departments_of(dataset.name):
            have = {p for d, who, p in handed_in if (d, who) == (dataset.name, department.name)}
            last = loaded_until.get(dataset.name)
            found += _of(dataset, dataset.handin, department.name, have, last, today)
    return sorted(found, key=lambda one: (one.due, one.dataset, one.department))


def due_day(handin: Handin, period: Period) -> dt.date:
    """The last day on which the file of a period is in time."""
    within = PATIENCE[handin.frequency] if handin.within is None else handin.within
    return period.end + dt.timedelta(days=within)


def reminders(files: Iterable[Due], catalog: Catalog, people: People) -> Iterator[Reminder]:
    """Who is to be told today: the makers of a department, and of late files the checkers too.

    A file is told of on the days before its due day that the catalog names, on the day after, and
    then once a week.
    """
    told: dict[str, list[Due]] = {}
    for one in files:
        handin = catalog.datasets[one.dataset].handin
        if handin and _is_told(one, handin):
            told.setdefault(one.department, []).append(one)
    for name, mine in told.items():
        department = people.department(name)
        late = any(one.state == "late" for one in mine)
        to = [one for one in people.people if name in one.departments and one.email]
        roles = {"maker", "checker"} if late else {"maker"}
        if department:
            yield Reminder(department, [one for one in to if one.roles & roles], mine)


def _is_told(one: Due, handin: Handin) -> bool:
    return one.days in handin.remind or (one.days < 0 and one.days % 7 == 6)


def _of(
    dataset: Dataset,
    handin: Handin,
    department: str,
    have: Collection[str],
    last: dt.date | None,
    today: dt.date,
) -> list[Due]:
    frequency = Frequency(handin.frequency)
    running = Period.containing(frequency, today)
    first = _first(handin, last, running)
    missing: list[Period] = []
    period = running
    while period.start >= first.start and len(missing) <= MOST_MISSING:
        missing += [] if str(period) in have else [period]
        period = period.next(-1)
    found = []
    for period in reversed(missing):
        day = due_day(handin, period)
        state: Literal["late", "due", "coming"] = (
            "coming" if period.end >= today else "late" if day < today else "due"
        )
        found.append(Due(dataset.name, department, period, day, state, (day - today).days))
    return found


def _first(handin: Handin, last: dt.date | None, running: Period) -> Period:
    """The first period asked for; the one before this where nothing is known."""
    if handin.since:
        return Period.parse(handin.since)
    if last is None:
        return running.next(-1)
    after = Period.containing(Frequency(handin.frequency), last + dt.timedelta(days=1))
    return min(after, running, key=lambda period: period.start)
