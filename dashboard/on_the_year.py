"""Change on the year in words: in January to March the one with Tết where it belongs leads.

The calendar's change stands beside it, with January and February together, and by how much the
calendar's misleads. Only months have a Tết in them: other frequencies are compared as they are.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from dashboard.reader import Reader
from forecasts.year_on_year import YearOnYear, estimated_factors, year_on_year

LAST_MONTH = 3
"""Tết and the rush around it fall into January to March."""
MONTHS = 12
LEAST = 0.005
"""A difference, as a share, that is told; percentages have half a point."""


@dataclass(frozen=True, eq=False)
class YearBefore:
    """The last twelve months as they were a year before, at the months of now."""

    values: pl.DataFrame
    """Columns period and value; months without a figure a year before are left out."""
    aligned: bool
    """Tết has been moved to where it falls now."""


def year_before(series: pl.DataFrame) -> YearBefore:
    """The twelve months before the last twelve of a monthly series: columns period and value."""
    known = series.select("period", "value").drop_nulls().sort("period")
    factors = estimated_factors(known)
    earlier = known.select(period=pl.col("period").dt.offset_by("1y"), value="value")
    moved = earlier.join(known.tail(MONTHS).select("period"), on="period").sort("period")
    if factors.is_empty():
        return YearBefore(moved, aligned=False)
    then = factors.select(period=pl.col("period").dt.offset_by("1y"), then="factor")
    both = moved.join(factors, on="period").join(then, on="period").sort("period")
    value = pl.col("value") * pl.col("factor") / pl.col("then")
    return YearBefore(both.select("period", value=value), aligned=True)


def newest_changes(series: pl.DataFrame, *, difference: bool) -> list[YearOnYear]:
    """The last month, and January to March of the newest year that has one, newest first."""
    known = series.select("period", "value").drop_nulls().sort("period")
    months: list[date] = known["period"].to_list()
    early = [month for month in months if month.month <= LAST_MONTH]
    if not early:
        return []
    asked = {months[-1], *(month for month in early if month.year == early[-1].year)}
    factors = estimated_factors(known)
    found = [
        year_on_year(known, month, factors=factors, difference=difference)
        for month in sorted(asked, reverse=True)
    ]
    return [one for one in found if one.leads is not None]


def changed(reader: Reader, value: float | None, *, difference: bool) -> str:
    """A change as this language writes it: `+8%`, or in points where the series is in percent."""
    return reader.notation.points(value) if difference else reader.notation.change(value)


def quoted(reader: Reader, found: YearOnYear, *, difference: bool) -> str:
    """The change to quote; around Tết with what the calendar says and how far off that is."""
    leading = found.leads or "calendar"
    value = getattr(found, leading)
    said = changed(reader, value, difference=difference)
    if found.calendar is None or leading == "calendar":
        return said
    apart = found.calendar - value
    if abs(apart) < LEAST * (100 if difference else 1):
        return reader.text(f"year.{leading}_same", change=said)
    return reader.text(
        f"year.{leading}_leads",
        change=said,
        calendar=changed(reader, found.calendar, difference=difference),
        apart=reader.notation.points(apart if difference else 100 * apart),
    )
