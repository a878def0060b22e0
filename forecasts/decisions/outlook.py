"""The next 14 days of each commune, for the citizens' assistant and the hotline.

`LoadOutlook` is the form of it; docs/load_outlook.schema.json is that form for others, and
docs/workload.md has it in words. A new key may come; one that changes its meaning or goes makes a
new number. Only expected counts of communes are in it, nothing of a dossier or a caller.
"""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from etl.catalog import Catalog
from etl.durable import replace_text
from etl.simulate import STATEMENT
from forecasts.decisions.topics import Basis, TopicDays
from forecasts.decisions.workload import FORTNIGHT, LOWER, UPPER, WINDOWS, Ahead, by_commune
from forecasts.panel import Floats

SCHEMA: Final = "cantho-foresight/load-outlook/1"
BUSY, PEAK = 1.1, 1.4
"""Times the usual working day of the commune in the quarter, from which a day is so called."""
Level = Literal["closed", "calm", "busy", "peak"]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Expected(_Form):
    """An expected count with its range."""

    received: float = Field(ge=0)
    lower: float = Field(ge=0)
    upper: float = Field(ge=0)


class ContactDay(Expected):
    """Petitions and calls of a day, all topics."""

    date: date


class Day(ContactDay):
    """Dossiers of a day at the one-stop office."""

    working: bool
    level: Level


class Topic(Expected):
    """Petitions and calls of one topic over the next 14 days; see `topics.TopicDays`."""

    topic: str
    basis: Basis


class Contacts(_Form):
    """Petitions and calls of a commune."""

    dataset: str
    days: list[ContactDay] = Field(min_length=FORTNIGHT, max_length=FORTNIGHT)
    topics: list[Topic]
    """Topics that are told, as the classifier of the dataset calls them."""


class Commune(_Form):
    """The outlook of a commune of today."""

    code: str
    name: str
    kind: str
    usual_day: float = Field(ge=0)
    """Dossiers received on a usual working day of the quarter."""
    overload_chance_14_days: float | None = Field(ge=0, le=1)
    overload_chance_quarter: float | None = Field(ge=0, le=1)
    """In tenths; null where the staff is not told."""
    days: list[Day] = Field(min_length=FORTNIGHT, max_length=FORTNIGHT)
    peak_days: list[date]
    """Days of the quarter that are `peak`."""
    contacts: list[Contacts] = []


class TopicTitle(_Form):
    """What a topic is called."""

    dataset: str
    topic: str
    title: str
    title_en: str


class LoadOutlook(_Form):
    """`load_outlook.json`: what comes to the office of each commune in the next 14 days."""

    schema_: Literal["cantho-foresight/load-outlook/1"] = Field(alias="schema")
    issued: date
    valid_until: date
    """The last of the 14 days: not to be told after it."""
    data_until: date
    """The last day whose dossiers are loaded."""
    told_until: date
    """The last day of the quarter, or of the forecasts where they end before."""
    simulated: bool
    statement: str | None
    """The words to show beside any of it, where it is simulated."""
    range: tuple[float, float]
    """The bounds of `lower` and `upper`, as quantiles."""
    topic_titles: list[TopicTitle] = []
    communes: list[Commune]


def form() -> dict[str, Any]:
    """The JSON Schema of `LoadOutlook`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **LoadOutlook.model_json_schema(by_alias=True, mode="serialization"),
    }


def outlook(
    ahead: Ahead, calls: Sequence[TopicDays] = (), catalog: Catalog | None = None
) -> dict[str, Any]:
    """The content of `load_outlook.json`; `calls` are of datasets of `catalog`."""
    days = _days(ahead)
    working = np.array([day in set(ahead.days) for day in days])
    every = ahead.arrivals.counts[..., -len(days) :].sum(axis=2)
    usual = every[:, :, working].mean(axis=(0, 2))
    chances = {window: by_commune(ahead, window)["overload"].to_list() for window in WINDOWS}
    simulated = ahead.simulated or any(one.simulated for one in calls)
    told = LoadOutlook(
        schema=SCHEMA,
        issued=ahead.today,
        valid_until=days[:FORTNIGHT][-1],
        data_until=ahead.until,
        told_until=ahead.last,
        simulated=simulated,
        statement=STATEMENT if simulated else None,
        range=(LOWER, UPPER),
        topic_titles=[title for one in calls for title in _titles(one, catalog)],
        communes=[
            Commune(
                code=place["area"],
                name=place["name"],
                kind=place["kind"],
                usual_day=round(float(usual[at]), 1),
                overload_chance_14_days=_tenth(chances["fortnight"][at]),
                overload_chance_quarter=_tenth(chances["quarter"][at]),
                days=_told(days[:FORTNIGHT], working, every[:, at], float(usual[at])),
                peak_days=_peaks(days, working, every[:, at], float(usual[at])),
                contacts=[_contacts(one, place["area"]) for one in calls],
            )
            for at, place in enumerate(ahead.places.iter_rows(named=True))
        ],
    )
    return told.model_dump(mode="json", by_alias=True)


def write(path: Path, content: dict[str, Any]) -> None:
    """Put `content` in the place of the file, whole: who reads meanwhile has the one before."""
    replace_text(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _titles(one: TopicDays, catalog: Catalog | None) -> list[TopicTitle]:
    field = catalog.datasets[one.dataset].field("category") if catalog else None
    return [
        TopicTitle(
            dataset=one.dataset, topic=c.value, title=c.label, title_en=c.label_en or c.label
        )
        for c in (field.categories if field else [])
    ]


def _contacts(one: TopicDays, area: str) -> Contacts:
    at = [n for n, day in enumerate(one.days) if day >= one.today][:FORTNIGHT]
    counts = one.counts[:, one.areas.index(area)][..., at]
    return Contacts(
        dataset=one.dataset,
        days=[
            ContactDay(date=one.days[day], **_expected(counts[..., n].sum(axis=1)))
            for n, day in enumerate(at)
        ],
        topics=[
            Topic(topic=topic, basis=basis, **_expected(counts[:, n].sum(axis=1)))
            for n, topic in enumerate(one.topics)
            if (basis := one.basis.get((area, topic)))
        ],
    )


def _expected(counts: Floats) -> dict[str, float]:
    """Of counts by path: mean and range."""
    low, high = np.quantile(counts, [LOWER, UPPER])
    told = {"received": counts.mean(), "lower": low, "upper": high}
    return {name: round(float(value), 1) for name, value in told.items()}


def level(expected: float, usual: float, *, working: bool) -> Level:
    """`closed` on a day off, else `calm`, `busy` or `peak` beside the usual working day."""
    if not working:
        return "closed"
    if usual <= 0 or expected < BUSY * usual:
        return "calm"
    return "peak" if expected >= PEAK * usual else "busy"


def _days(ahead: Ahead) -> list[date]:
    """Days from today on, to the last there is."""
    return [day for day in ahead.arrivals.days if day >= ahead.today]


def _told(days: list[date], working: Floats, counts: Floats, usual: float) -> list[Day]:
    return [
        Day(
            date=day,
            working=bool(working[at]),
            level=level(float(counts[:, at].mean()), usual, working=bool(working[at])),
            **_expected(counts[:, at]),
        )
        for at, day in enumerate(days)
    ]


def _peaks(days: list[date], working: Floats, counts: Floats, usual: float) -> list[date]:
    means = counts.mean(axis=0)
    return [
        day
        for at, day in enumerate(days)
        if level(float(means[at]), usual, working=bool(working[at])) == "peak"
    ]


def _tenth(chance: float | None) -> float | None:
    return None if chance is None else round(chance, 1)
