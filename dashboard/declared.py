"""What the catalog declares of a series that its chart shows: events, and targets as lines."""

import datetime as dt

from dashboard.marks import PAUSE, Goal, Mark
from dashboard.reader import Reader
from dashboard.targets import amount
from etl.catalog import Baseline, Event
from forecasts.decisions.targets import Judged, area_of

MONTHS = 12
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
    return f"{title}{PAUSE}{reader.notation.date(event.day)}"


def goals(reader: Reader, indicator: str, area: str, last: Last) -> tuple[Goal, ...]:
    """The targets of a yearly series that can be drawn in its unit, one line a baseline.

    A level or a share leads from the last figure to its year; a yearly rate is held over its years.
    """
    found = _targets(reader, indicator, area, "total")
    return tuple(goal for judged in found for goal in _goals(reader, judged, last))


def goals_by_month(
    reader: Reader, indicator: str, area: str, category: str, until: dt.date
) -> tuple[Goal, ...]:
    """The targets of a monthly series whose year begins before `until`, one line a baseline.

    A level of a month is held over the year. An amount of a year is drawn as what it asks of a
    month on the average: the months of a year are not alike, and the label says so.
    """
    return tuple(
        goal
        for judged in _targets(reader, indicator, area, category)
        if judged.target.measure in ("level", "share") and judged.target.period.start <= until
        for goal in _level_goals(reader, judged, until)
    )


def _targets(reader: Reader, indicator: str, area: str, category: str) -> list[Judged]:
    catalog = reader.build.catalog
    return [
        judged
        for judged in reader.build.judged(reader.today)
        if judged.target.indicator == indicator
        and judged.target.category == category
        and area_of(catalog, judged.target) == area
    ]


def _level_goals(reader: Reader, judged: Judged, until: dt.date) -> list[Goal]:
    target, by = judged.target, judged.target.period
    entry = reader.build.catalog.indicators[target.indicator or ""]
    shared = entry.aggregate == "sum" and by.frequency == "year"
    made = []
    for baseline in target.baselines:
        value = baseline.value / MONTHS if shared else baseline.value
        label = _label(reader, judged, baseline)
        if shared:
            mean = amount(judged, value, reader.text, reader.notation, expected=True)
            label = reader.text("chart.goal_month", goal=label, mean=mean)
        end = min(by.end.replace(day=1), until)
        short = _short(reader, judged, value, mean=shared)
        made.append(Goal(by.start, value, end, value, label, short))
    return made


def _goals(reader: Reader, judged: Judged, last: Last) -> list[Goal]:
    target, by = judged.target, judged.target.period
    rate = target.measure == "growth" and judged.unit == "%"
    if not rate and target.measure not in ("level", "share"):
        return []
    end = dt.date(by.end.year, 1, 1)
    made = []
    for baseline in target.baselines:
        since = (dt.date(by.start.year, 1, 1), baseline.value) if rate else last
        label, short = _label(reader, judged, baseline), _short(reader, judged, baseline.value)
        made.append(Goal(*since, end, baseline.value, label, short))
    return made


def _short(reader: Reader, judged: Judged, value: float, *, mean: bool = False) -> str:
    asked = amount(judged, value, reader.text, reader.notation, expected=mean)
    return reader.text("chart.goal_short", value=asked)


def _label(reader: Reader, judged: Judged, baseline: Baseline) -> str:
    return reader.text(
        "chart.goal",
        set_by=reader.text(f"set_by.{baseline.plan}"),
        year=str(judged.target.period.end.year),
        value=amount(judged, baseline.value, reader.text, reader.notation),
    )
