"""What the catalog declares of a series that its chart shows: events, and targets as lines."""

import datetime as dt

from dashboard.marks import Goal, Mark
from dashboard.reader import Reader
from dashboard.targets import amount
from etl.catalog import Event
from forecasts.decisions.targets import Judged, area_of

Last = tuple[dt.date, float]
"""The last observed period, and its value."""


def events(
    reader: Reader, indicator: str, area: str, category: str | None = None
) -> tuple[Mark, ...]:
    """The events that may have changed a series, each in a few words with its day."""
    found = reader.build.catalog.events_of(indicator, area, category)
    return tuple(Mark(event.day, event_words(reader, event)) for event in found)


def event_words(reader: Reader, event: Event) -> str:
    """The title up to its first pause, and the day."""
    title = reader.text.pick(event.title, event.title_en)
    for pause in (";", ","):
        title = title.split(pause)[0]
    return f"{title} · {reader.notation.date(event.day)}"


def goals(reader: Reader, indicator: str, area: str, last: Last) -> tuple[Goal, ...]:
    """The targets of a yearly series that can be drawn in its unit, one line a baseline.

    A level or a share leads from the last figure to its year; a yearly rate is held over its years.
    """
    catalog = reader.build.catalog
    found = [
        judged
        for judged in reader.build.judged(reader.today)
        if judged.target.indicator == indicator
        and judged.target.category == "total"
        and area_of(catalog, judged.target) == area
    ]
    return tuple(goal for judged in found for goal in _goals(reader, judged, last))


def _goals(reader: Reader, judged: Judged, last: Last) -> list[Goal]:
    target, by = judged.target, judged.target.period
    rate = target.measure == "growth" and judged.unit == "%"
    if not rate and target.measure not in ("level", "share"):
        return []
    end = dt.date(by.end.year, 1, 1)
    made = []
    for baseline in target.baselines:
        since = (dt.date(by.start.year, 1, 1), baseline.value) if rate else last
        value = amount(judged, baseline.value, reader.text, reader.notation)
        label = reader.text(
            "chart.goal",
            set_by=reader.text(f"set_by.{baseline.plan}"),
            year=str(by.end.year),
            value=value,
        )
        made.append(Goal(*since, end, baseline.value, label))
    return made
