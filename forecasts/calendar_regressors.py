"""What the calendar says of each period, as numbers a regression can use, known for years ahead.

Months are told how much of Tết falls into them beyond what usually does, so that the regressors do
not double the season; weeks and days, whose season does not know Tết, are told all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from etl.calendars import SURGE, calendar, share_around_tet, tet, working_days
from etl.periods import Frequency, Period
from forecasts.panel import Floats

TET, WORKING_DAYS, HOLIDAYS = "tet", "working_days", "holidays"
"""The parts of a calendar effect: each is used or not as a whole."""
USUAL_YEARS = range(2001, 2041)
"""Over which the usual share of Tết and number of working days of a month are taken."""


@dataclass(frozen=True)
class Column:
    """One regressor. `spread` is how large an effect of one unit is thought likely, in logs."""

    name: str
    part: str
    spread: float
    core: bool = False
    """Whether the part may be used with the core columns alone, where little can be learned."""


@dataclass(frozen=True, eq=False)
class Regressors:
    """`values` is `(periods, columns)`; the other arrays are `(periods,)`."""

    columns: tuple[Column, ...]
    values: Floats
    tet_years: NDArray[np.int64]
    """Year of the nearest Tết: years counted so begin in summer and hold the whole of a Tết."""
    has_tet: NDArray[np.bool_]
    """Whether the first day of a Tết lies in the period."""

    def of_part(self, part: str) -> NDArray[np.bool_]:
        """Which columns belong to a part, `(columns,)`."""
        return np.array([column.part == part for column in self.columns], dtype=bool)

    def sets_of(self, part: str) -> list[NDArray[np.bool_]]:
        """The sets of columns in which a part may be used, the smallest first."""
        whole = self.of_part(part)
        core = whole & np.array([column.core for column in self.columns], dtype=bool)
        return [core, whole] if core.any() else [whole]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts there are, each once."""
        return tuple(dict.fromkeys(column.part for column in self.columns))

    @property
    def spreads(self) -> Floats:
        """`spread` of each column, `(columns,)`."""
        return np.array([column.spread for column in self.columns])


MONTH_WINDOWS = {"before_tet": (-7, -1), "tet": (0, 7), "after_tet": SURGE}
WEEK_WINDOWS = {
    "two_weeks_before_tet": (-14, -8),
    "week_before_tet": (-7, -1),
    "week_of_tet": (0, 6),
    "week_after_tet": (7, 13),
    "two_weeks_after_tet": (14, 20),
}
DAY_WINDOWS = {
    "days_14_to_8_before_tet": (-14, -8),
    "days_7_to_3_before_tet": (-7, -3),
    "days_2_to_1_before_tet": (-2, -1),
    "days_0_to_2_of_tet": (0, 2),
    "days_3_to_7_of_tet": (3, 7),
    "days_8_to_14_after_tet": (8, 14),
    "days_15_to_21_after_tet": (15, 21),
}
COLUMNS = {
    Frequency.MONTH: (
        *(Column(name, TET, 0.3, core=name == "tet") for name in MONTH_WINDOWS),
        Column("log_working_days", WORKING_DAYS, 1.0),
    ),
    Frequency.WEEK: (
        *(Column(name, TET, 0.7) for name in WEEK_WINDOWS),
        Column("working_days", WORKING_DAYS, 1.0),
    ),
    Frequency.DAY: (
        *(Column(name, TET, 1.0) for name in DAY_WINDOWS),
        Column("holiday", HOLIDAYS, 3.0),
        Column("holiday_on_weekend", HOLIDAYS, 1.0),
        Column("worked_in_exchange", HOLIDAYS, 3.0),
        Column("day_before_holiday", HOLIDAYS, 0.5),
        Column("day_after_holiday", HOLIDAYS, 0.5),
    ),
}
"""By frequency; quarters and years have none: Tết is always in the first quarter."""


@lru_cache(maxsize=64)
def regressors(periods: tuple[date, ...], frequency: Frequency) -> Regressors:
    """The regressors of these periods, which follow one another; no columns for long ones.

    Raises:
        NoCalendar: a year is before 1902 or after 2098.
    """
    columns = COLUMNS.get(frequency, ())
    if not columns or not periods:
        none = np.zeros((len(periods), 0))
        return Regressors((), none, np.zeros(len(periods), np.int64), np.zeros(len(periods), bool))
    if frequency is Frequency.DAY:
        values = _of_days(periods)
    else:
        values = np.array([_of_period(day, frequency) for day in periods])
    values.flags.writeable = False
    years = np.array([_nearest_tet(day) for day in periods], dtype=np.int64)
    held = [day <= tet(day.year) <= Period.containing(frequency, day).end for day in periods]
    return Regressors(columns, values, years, np.array(held))


@lru_cache(maxsize=8192)
def _of_period(first: date, frequency: Frequency) -> tuple[float, ...]:
    last = Period.containing(frequency, first).end
    if frequency is Frequency.WEEK:
        shares = _shares(first, last, tuple(WEEK_WINDOWS.values()))
        return (*shares, working_days(first, last) / 5 - 1)
    plain = _month(first.year, first.month)
    return tuple(np.array(plain) - np.array(_usual_month(first.month)))


@lru_cache(maxsize=4096)
def _month(year: int, month: int) -> tuple[float, ...]:
    whole = Period.containing(Frequency.MONTH, date(year, month, 1))
    shares = _shares(whole.start, whole.end, tuple(MONTH_WINDOWS.values()))
    return (*shares, float(np.log(working_days(whole.start, whole.end))))


@lru_cache(maxsize=12)
def _usual_month(month: int) -> tuple[float, ...]:
    return tuple(np.mean([_month(year, month) for year in USUAL_YEARS], axis=0))


def _shares(first: date, last: date, windows: Sequence[tuple[int, int]]) -> list[float]:
    return [share_around_tet(first, last, since, until) for since, until in windows]


@lru_cache(maxsize=16384)
def _nearest_tet(day: date) -> int:
    return min((day.year - 1, day.year, day.year + 1), key=lambda year: abs((tet(year) - day).days))


def _of_days(days: tuple[date, ...]) -> Floats:
    margin = timedelta(days=21)
    around = calendar(days[0] - margin, days[-1] + margin)
    from_tet = around["days_from_tet"].to_numpy()
    near = [(from_tet >= since) & (from_tet <= until) for since, until in DAY_WINDOWS.values()]
    table = np.stack([*near, *_holidays(around)], axis=1).astype(float)
    return table[margin.days : -margin.days]


def _holidays(days: pl.DataFrame) -> list[NDArray[np.bool_]]:
    """In the order of the columns: days off that a weekday has, that a weekend has, and so on."""
    weekend = (days["date"].dt.weekday() > 5).to_numpy()
    named = days["holiday"].is_not_null().to_numpy()
    working = days["working"].to_numpy()
    exchanged = (days["kind"] == "worked_in_exchange").to_numpy()
    off = named & ~weekend
    before, after = working & _borders(working, off), working & _borders(working, off, back=True)
    return [off, named & weekend, exchanged, before, after]


def _borders(
    working: NDArray[np.bool_], off: NDArray[np.bool_], *, back: bool = False
) -> NDArray[np.bool_]:
    """Days after which, or before which, a day off comes before the next working day."""
    if back:
        return _borders(working[::-1], off[::-1])[::-1]
    counted = np.append(0, np.cumsum(off))
    ahead = np.flatnonzero(working)
    place = np.searchsorted(ahead, np.arange(len(working)), side="right")
    next_open = np.append(ahead, len(working) - 1)[place]
    return np.asarray(counted[next_open] > counted[np.arange(len(working)) + 1])
