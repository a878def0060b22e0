"""Vietnamese working days, and where Tết falls.

Public holidays with their substitutes, and the Saturdays worked in exchange for a day off, as
the `holidays` package knows them. Exchanges are decided a few months ahead: years to come have
none yet. Offices of the city are taken to rest on Saturday and Sunday.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

import holidays
import polars as pl

from etl.errors import ForesightError

_DAY = timedelta(days=1)

KINDS = ("working", "worked_in_exchange", "weekend", "holiday", "compensatory", "off_in_exchange")
"""What a day can be to an office: open on the first two, closed on the others."""
SURGE = (8, 21)
"""The two weeks after the eight days of Tết, in days from its first: offices catch up."""


class NoCalendar(ForesightError):
    """The holidays of that year are not known: only 1901 to 2099 are."""


def is_working_day(day: date) -> bool:
    """Whether offices are open: not a weekend or holiday, or a weekend day worked in exchange."""
    days = _working_days_of(day.year)
    place = bisect_left(days, day)
    return place < len(days) and days[place] == day


def working_days(first: date, last: date) -> int:
    """How many working days there are from `first` to `last`, both included; 0 if none."""
    if last < first:
        return 0
    return sum(
        bisect_right(days, last) - bisect_left(days, first)
        for days in map(_working_days_of, range(first.year, last.year + 1))
    )


def add_working_days(day: date, n: int) -> date:
    """The n-th working day after `day`, which itself does not count: the way deadlines run.

    For 0 it is the day itself, or the next working day where it is none.

    Raises:
        ValueError: n is negative.
    """
    if n < 0:
        raise ValueError(f"deadlines run forward, not {n} days")
    start, wanted = (day, 1) if n == 0 else (day + _DAY, n)
    days = _working_days_of(start.year)
    place = bisect_left(days, start) + wanted - 1
    year = start.year
    while place >= len(days):
        place -= len(days)
        year += 1
        days = _working_days_of(year)
    return days[place]


def national_holidays(year: int) -> dict[date, str]:
    """The public holidays and days off in exchange of that year, in order, by Vietnamese name.

    Raises:
        NoCalendar: the year is before 1901 or after 2099.
    """
    return {day: name for day, name in sorted(_known(year, "vi").items()) if day.year == year}


@lru_cache(maxsize=256)
def tet(year: int) -> date:
    """The first day of the lunar year in Vietnam, which is not always China's: 2 February in 2030.

    Raises:
        NoCalendar: the year is before 1901 or after 2099.
    """
    # The eve and the days after have longer names, and the eve comes first.
    named = _known(year, "en_US").items()
    day: date
    (day,) = (day for day, name in named if day.year == year and name == "Lunar New Year")
    return day


def tet_share(month: date) -> tuple[float, float]:
    """The shares of the 7 days before Tết, and of the 8 from Tết on, that fall in a day's month.

    Two numbers from 0 to 1. Over the months of a year each adds up to 1: Tết is between 21 January
    and 20 February.
    """
    first = month.replace(day=1)
    last = month.replace(day=monthrange(month.year, month.month)[1])
    return share_around_tet(first, last, -7, -1), share_around_tet(first, last, 0, 7)


def share_around_tet(first: date, last: date, since: int, until: int) -> float:
    """The share of the days `since` to `until`, counted from Tết, that fall in a stretch of days.

    From 0 to 1; both ends of either are included. Only the Tết of the year of `last` is looked at.
    """
    begins = max(first, tet(last.year) + since * _DAY)
    ends = min(last, tet(last.year) + until * _DAY)
    return max((ends - begins).days + 1, 0) / (until - since + 1)


def calendar(first: date, last: date) -> pl.DataFrame:
    """One row a day, both ends included: date, working, kind, holiday, days_from_tet.

    `kind` is one of `KINDS`, `holiday` the name of the day or null. `days_from_tet` is 0 on the
    first day of Tết and counts from the nearest one, negative before.
    """
    days = pl.date_range(first, last, eager=True).alias("date").to_frame()
    years = range(first.year, last.year + 1)
    named = {day: name for year in years for day, name in national_holidays(year).items()}
    open_days = [day for year in years for day in _working_days_of(year)]
    off = pl.DataFrame(
        {"date": list(named), "holiday": list(named.values())},
        schema={"date": pl.Date, "holiday": pl.String},
    )
    new_years = pl.DataFrame({"tet": [tet(y) for y in range(first.year - 1, last.year + 2)]})
    return (
        days.join(off, on="date", how="left", maintain_order="left")
        .join_asof(new_years, left_on="date", right_on="tet", strategy="nearest")
        .select(
            "date",
            "holiday",
            working=pl.col("date").is_in(pl.Series(open_days).implode()),
            days_from_tet=(pl.col("date") - pl.col("tet")).dt.total_days().cast(pl.Int32),
        )
        .select("date", "working", _kind().alias("kind"), "holiday", "days_from_tet")
    )


def _kind() -> pl.Expr:
    weekend = pl.col("date").dt.weekday() > 5
    return (
        pl.when(pl.col("working") & weekend)
        .then(pl.lit("worked_in_exchange"))
        .when("working")
        .then(pl.lit("working"))
        .when(pl.col("holiday").str.contains("thay cho", literal=True))
        .then(pl.lit("off_in_exchange"))
        .when(pl.col("holiday").str.contains("nghỉ bù", literal=True))
        .then(pl.lit("compensatory"))
        .when(pl.col("holiday").is_not_null())
        .then(pl.lit("holiday"))
        .otherwise(pl.lit("weekend"))
        .cast(pl.Enum(KINDS))
    )


@lru_cache(maxsize=256)
def _working_days_of(year: int) -> tuple[date, ...]:
    known = _known(year, "vi")
    days = (date(year, 1, 1) + back * _DAY for back in range(366))
    return tuple(
        day
        for day in days
        if day.year == year
        and day not in known
        and (day.weekday() < 5 or day in known.weekend_workdays)
    )


@lru_cache(maxsize=512)
def _known(year: int, language: str) -> holidays.HolidayBase:
    if not 1901 <= year <= 2099:
        raise NoCalendar(f"the holidays of {year} are not known", hint="1901 to 2099 are")
    # A Saturday may be worked for a day off of the year before or after.
    return holidays.country_holidays("VN", years=(year, year + 1), language=language)
