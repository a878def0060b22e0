"""Dates written as numbers: days of a spreadsheet, or seconds since 1970.

They look like plain steps, and plain steps like them. So they are dates where that is said, and
where nothing is said, what looks like them is refused until it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from forecasts.file.frequency import STEPS

Serial = Literal["excel", "unix"]
EPOCHS = {"excel": date(1899, 12, 30), "unix": date(1970, 1, 1)}
EXCEL = (20_000, 80_000)
"""Numbers of the days from 1954 to 2119."""
UNIX = (100_000_000, 10_000_000_000)
"""Seconds from 1973 to 2286."""
A_DAY, A_THOUSAND = 86_400, 1_000
AHEAD = 7 * 3_600
"""Seconds by which clocks in Việt Nam are ahead: a day begins there before it does in UTC."""
FEW_STEPS = 3
REGULAR = 2 / 3
"""Share of the steps from number to number that are a day, a week, a month, a quarter or a year."""


@dataclass(frozen=True)
class Serials:
    """How numbers stand for days: day 0, and of each day `per` numbers, of which one is used."""

    kind: Serial
    per: int
    rest: int = 0

    def __call__(self, days: Sequence[date]) -> list[object]:
        """The days as numbers again."""
        return [(day - EPOCHS[self.kind]).days * self.per + self.rest for day in days]


def looks_like(numbers: pl.Series) -> Serial | None:
    """Which dates these whole numbers may be; None where they are plain steps."""
    distinct = numbers.drop_nulls().unique().sort()
    apart = distinct.diff().drop_nulls()
    if len(apart) < FEW_STEPS:
        return None
    if distinct.is_between(*EXCEL).all():
        regular = max(apart.is_between(*span).sum() for span in STEPS.values())
        return "excel" if regular >= REGULAR * len(apart) else None
    size = _thousands(distinct)
    within = distinct.is_between(size * UNIX[0], size * UNIX[1]).all()
    return "unix" if within and (apart % (size * A_DAY) == 0).all() else None


def as_days(numbers: pl.Series, kind: Serial) -> tuple[pl.Series, Serials] | None:
    """The day of each number, and how it is written; None where the numbers are parts of days."""
    size = 1 if kind == "excel" else _thousands(numbers)
    per, ahead = (1, 0) if kind == "excel" else (size * A_DAY, size * AHEAD)
    place = (numbers + ahead) // per
    rest = (numbers - place * per).unique()
    if len(rest) > 1:
        return None
    since = (EPOCHS[kind] - date(1970, 1, 1)).days
    days = (place + since).clip(-(2**31), 2**31 - 1).cast(pl.Int32).cast(pl.Date)
    return days, Serials(kind, per, int(rest[0]))


def _thousands(numbers: pl.Series) -> int:
    """1000 where seconds are told in thousandths."""
    high = numbers.max()
    return A_THOUSAND if isinstance(high, int) and high > UNIX[1] else 1
