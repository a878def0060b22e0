"""How a column of names is best read: at which levels, and on which day's map."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import get_args

from etl.catalog import Level
from etl.draft import words
from etl.draft.columns import Column
from etl.geography import Geography

LEVELS: tuple[Level, ...] = get_args(Level)
ASKED_FOR = 400
"""Distinct names looked up at most."""


@dataclass(frozen=True)
class Places:
    """How a column of names is best read."""

    column: Column
    levels: list[Level]
    on: str | None
    """A fixed day for all names; None where the period of each row decides, or the newest day."""
    resolved: int
    distinct: int
    dated: float = 0.0
    """Share of the names, each in each span without changes of the map, that mean one place."""
    ambiguous: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the distinct names that mean one place."""
        return self.resolved / self.distinct if self.distinct else 0.0


def places_in(
    column: Column, days: list[list[dt.date]] | None, geography: Geography
) -> Places | None:
    """The levels at which most names of a column are known, or None if it holds no places.

    `days` are, per row, the days on which its name may be looked up; None where no period dates it.
    """
    if not words.speaks_of_area(column.label) and not _ever_known(
        list(column.distinct)[:20], geography
    ):
        return None
    pairs = _pairs(column, days, geography)
    ever = _ever_known((name for name, _ in pairs), geography)
    if not _worth_asking(column, ever):
        return None
    unknown = [name for name in dict.fromkeys(name for name, _ in pairs) if name not in ever]
    pairs = [pair for pair in pairs if pair[0] in ever]
    readings = [_best_levels(column, pairs, None, unknown, geography)]
    began = geography.starts[-1]
    for day in (began, began - dt.timedelta(days=1)):
        fixed = dict.fromkeys((name, (day,)) for name, _ in pairs)
        readings.append(_best_levels(column, list(fixed), day.isoformat(), unknown, geography))
    # Of equals that which leaves no name without a place in any period, then that without a day.
    best = max(readings, key=lambda places: (places.share, places.dated))
    least = 0.01 if words.speaks_of_area(column.label) else 0.6
    return best if best.share >= least else None


def _pairs(
    column: Column, days: list[list[dt.date]] | None, geography: Geography
) -> list[tuple[str, tuple[dt.date, ...]]]:
    """Distinct names with the days on which they were used."""
    newest = [dt.date.max]
    dated = days if days is not None else [newest] * len(column.texts)
    found = dict.fromkeys(
        (text, tuple(dict.fromkeys(_era(day, geography.starts) for day in when)))
        for text, when in zip(column.texts, dated, strict=True)
        if text
    )
    return list(found)[: 5 * ASKED_FOR]


def _era(day: dt.date, starts: list[dt.date]) -> dt.date:
    """First day of the span without changes of the map that holds `day`."""
    return max((start for start in starts if start <= day), default=starts[0])


def _worth_asking(column: Column, ever: set[str]) -> bool:
    """Whether enough names were places at any time for a closer look."""
    least = 0 if words.speaks_of_area(column.label) else len(column.distinct) / 3
    return len(ever) > least


def _ever_known(names: Iterable[str], geography: Geography) -> set[str]:
    """Names that were, at any time, those of a place."""
    asked = list(dict.fromkeys(names))[:ASKED_FOR]
    answers = geography.resolve_many(asked, on=geography.starts[-1])
    known = answers.filter(
        answers["code"].is_not_null()
        | answers["problem"].str.contains(" means ")
        | answers["problem"].str.contains("at another time")
    )
    return set(known["name"])


def _best_levels(
    column: Column,
    pairs: list[tuple[str, tuple[dt.date, ...]]],
    on: str | None,
    never: list[str],
    geography: Geography,
) -> Places:
    """Levels are added while they explain names that none before did, and make none ambiguous."""
    levels: list[Level] = []
    done: set[int] = set()
    meant = words.level_of(column.label)
    while len(levels) < len(LEVELS):
        tried = {
            level: _resolved(pairs, [*levels, level], geography)
            for level in LEVELS
            if level not in levels
        }
        level = max(tried, key=lambda name: (len(tried[name]), name == meant))
        if len(tried[level]) <= len(done) + (0.02 * len(never) if levels else 0):
            break
        levels.append(level)
        done = tried[level]
    names = {pairs[i][0] for i in done}
    unknown = [name for name in dict.fromkeys(name for name, _ in pairs) if name not in names]
    unknown += never
    return Places(
        column=column,
        levels=levels or ["commune"],
        on=on,
        resolved=len(names),
        distinct=len(names) + len(unknown),
        dated=len(done) / len(pairs) if pairs else 0.0,
        ambiguous=[name for name in unknown if _means_several(name, pairs, levels, geography)],
        unknown=unknown,
    )


def _resolved(
    pairs: list[tuple[str, tuple[dt.date, ...]]], levels: list[Level], geography: Geography
) -> set[int]:
    """Numbers of the pairs that mean one place."""
    found: set[int] = set()
    by_day: dict[dt.date, list[int]] = {}
    for i, (_, days) in enumerate(pairs):
        for day in days:
            by_day.setdefault(day, []).append(i)
    for day, numbers in by_day.items():
        names = [pairs[i][0] for i in numbers]
        known = set(geography.resolve_many(names, on=day, level=levels).drop_nulls("code")["name"])
        found |= {i for i in numbers if pairs[i][0] in known}
    return found


def _means_several(
    name: str,
    pairs: list[tuple[str, tuple[dt.date, ...]]],
    levels: list[Level],
    geography: Geography,
) -> bool:
    days = {day for other, when in pairs if other == name for day in when}
    answers = (
        geography.resolve_many([name], on=day, level=levels or None)["problem"][0] for day in days
    )
    return any(answer and " means " in answer for answer in answers)


def days_of(column: Column | None) -> list[list[dt.date]] | None:
    """Per row, the days on which its name was used: the end of its period, then the start."""
    if column is None:
        return None
    made = []
    for text in column.texts:
        period = column.periods.get(text) if text else None
        made.append([period.end, period.start] if period else [dt.date.max])
    return made
