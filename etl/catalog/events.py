"""What declared events say: days that exist, in order, and names of what they concern."""

import datetime as dt
from collections.abc import Iterator

from etl.catalog.checks import Finding, _unknown
from etl.catalog.entries import Catalog, Event
from etl.catalog.parts import Place
from etl.geography import AmbiguousArea, UnknownArea

LONGEST_TRANSITION = dt.timedelta(days=366)
"""Months masked later than this after an event are a slip of the year."""


def event_checks(catalog: Catalog) -> Iterator[Finding]:
    """Place, problem and hint of each error found in `events`."""
    names = [event.name for event in catalog.events]
    for number, event in enumerate(catalog.events):
        here: Place = ("events", number)
        if event.name in names[:number]:
            yield (*here, "name"), f"event {event.name!r} stands twice", "rename one"
        yield from _known_names(catalog, event, (*here, "concerns"))
        wrong = list(_days(event, here))
        yield from wrong or [*_order(event, here), *_areas(event, (*here, "concerns", "areas"))]


def _known_names(catalog: Catalog, event: Event, here: Place) -> Iterator[Finding]:
    only = event.concerns
    categories = {
        value
        for dataset in catalog.resources
        for field in dataset.schema_.fields
        if field.name == "category"
        for value in (*(c.value for c in field.categories), *(field.constraints.enum or []))
    }
    for key, known, what in (
        ("datasets", set(catalog.datasets), "a dataset of the catalog"),
        ("indicators", set(catalog.indicators), "an indicator described anywhere"),
        ("categories", categories, "a category of any dataset"),
    ):
        for k, name in enumerate(getattr(only, key)):
            if name not in known:
                yield (*here, key, k), *_unknown(name, known, what)


def _days(event: Event, here: Place) -> Iterator[Finding]:
    ends = [(("end",), event.end)] if event.end else []
    written: list[tuple[Place, str]] = [(("date",), event.date), *ends]
    months: list[tuple[Place, str]] = [
        (("masked", k), f"{month}-01") for k, month in enumerate(event.masked)
    ]
    for where, text in [*written, *months]:
        try:
            dt.date.fromisoformat(text)
        except ValueError:
            yield (*here, *where), f"there is no day {text}", "write '2025-07-01', or '2025-07'"


def _order(event: Event, here: Place) -> Iterator[Finding]:
    if event.last and event.kind == "level":
        yield (
            (*here, "end"),
            "a lasting step has no end",
            "say kind: pulse, or declare a second event on the day it was undone",
        )
    if event.last and event.last < event.day:
        yield (*here, "end"), f"it ends on {event.end}, before {event.date}", "look at the years"
    for k, month in enumerate(event.masked):
        first = dt.date.fromisoformat(f"{month}-01")
        if not event.day.replace(day=1) <= first <= event.day + LONGEST_TRANSITION:
            yield (
                (*here, "masked", k),
                f"{month} is not within a year from {event.date}",
                "months of transition follow the event; look at the years",
            )


def _areas(event: Event, here: Place) -> Iterator[Finding]:
    for k, name in enumerate(event.concerns.areas):
        try:
            event.map.resolve(name, event.day)
        except (UnknownArea, AmbiguousArea) as error:
            yield (*here, k), error.problem, error.hint
