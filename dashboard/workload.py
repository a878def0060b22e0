"""Figures of the (simulated) workload: a year received, a year expected, and where it grows.

The range of a sum of twelve months is that of the sums along the forecast's joint paths: what
offsets from month to month makes it narrower than the months' ranges added up.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from dashboard.on_the_year import LAST_MONTH
from dashboard.published import CITY
from dashboard.queries import sums_ahead
from dashboard.reader import Reader
from forecasts.year_on_year import YearOnYear, year_on_year

RECEIVED = "applications_received"
TOTAL = "total"
MONTHS = 12
LEAST = 60
"""Applications in twelve months below which a change in per cent says nothing."""
STRONG = 0.15
"""Growth from which a commune is counted as growing strongly."""
STEPS = (-0.05, 0.05, 0.15, 0.25)
"""Bounds of the classes of the tile map."""
RANKED = 10
KEPT = 500
"""Answers on one series that are kept."""
SHARE = "_share"
"""How the names of indicators in percent end here; they differ by points."""


@dataclass(frozen=True)
class Year:
    """Twelve months received and twelve expected, of one area and field."""

    origin: dt.date
    received: float
    received_before: float | None
    expected: float
    lowest: float
    highest: float

    @property
    def change(self) -> float | None:
        """Expected against received."""
        return self.expected / self.received - 1 if self.received else None

    @property
    def change_before(self) -> float | None:
        """Received against the twelve months before."""
        return self.received / self.received_before - 1 if self.received_before else None


@dataclass(frozen=True)
class Pulse:
    """The latest value of one indicator, and its difference from a year earlier."""

    months: list[float]
    latest: float
    period: dt.date
    year_before: float | None
    on_the_year: YearOnYear | None = None
    """Where the latest month is one around Tết: the change with Tết where it belongs."""

    @property
    def difference(self) -> float | None:
        """Latest minus the value a year earlier, in the unit of the indicator."""
        return None if self.year_before is None else self.latest - self.year_before

    @property
    def change(self) -> float | None:
        """Latest against the value a year earlier, as a ratio."""
        return self.latest / self.year_before - 1 if self.year_before else None


@lru_cache(maxsize=KEPT)
def year_of(reader: Reader, level: str, area: str, category: str) -> Year | None:
    """The year of one series; `None` where there is no forecast of twelve months."""
    rows = years(reader, level)
    found = rows.filter((pl.col("area") == area) & (pl.col("category") == category))
    return Year(**found.drop("area", "category").row(0, named=True)) if len(found) else None


@lru_cache(maxsize=10)
def years(reader: Reader, level: str) -> pl.DataFrame:
    """Area, category and the columns of `Year`, of every series of a level that has both years."""
    past = reader.rows("year_expected", level=level)
    ahead = sums_ahead(reader.build, RECEIVED, level, MONTHS)
    return past.join(ahead, on=["area", "category", "origin"], maintain_order="left")


def pulse(reader: Reader, indicator: str, area: str, category: str) -> Pulse | None:
    """The indicator's months in one area and field; `None` where there are none."""
    rows = reader.rows("workload", area=area, category=category)
    rows = rows.filter(pl.col("indicator") == indicator).sort("period")
    if rows.is_empty():
        return None
    values = dict(zip(rows["period"], rows["value"], strict=True))
    last = max(values)
    return Pulse(
        months=rows["value"].to_list(),
        latest=values[last],
        period=last,
        year_before=values.get(last.replace(year=last.year - 1)),
        on_the_year=_around_tet(rows, last, difference=indicator.endswith(SHARE)),
    )


def _around_tet(rows: pl.DataFrame, month: dt.date, *, difference: bool) -> YearOnYear | None:
    if month.month > LAST_MONTH:
        return None
    return year_on_year(rows.select("period", "value"), month, difference=difference)


@lru_cache(maxsize=100)
def communes(reader: Reader, category: str) -> pl.DataFrame:
    """Communes of today by growth: place, year received and expected, service, change, rank.

    Communes with fewer than `LEAST` applications a year come last, without change or rank.
    """
    year = years(reader, "commune").filter(pl.col("category") == category)
    change = pl.col("expected") / pl.col("received") - 1
    enough = pl.col("received") >= LEAST
    return (
        reader.rows("communes")
        .join(year, left_on="code", right_on="area", how="left")
        .join(
            reader.rows("commune_service", category=category),
            left_on="code",
            right_on="area",
            how="left",
        )
        .with_columns(change=pl.when(enough).then(change))
        .with_columns(rank=pl.col("change").rank("ordinal", descending=True))
        .sort("rank", "name", nulls_last=True)
    )


@lru_cache(maxsize=KEPT)
def trail(reader: Reader, level: str, area: str, category: str) -> pl.DataFrame:
    """Months received and expected of one series: period, value, lower, upper, ahead."""
    kept = category if level == "commune" else None
    rows = reader.rows("trails", level=level, category=kept)
    return rows.filter((pl.col("area") == area) & (pl.col("category") == category))


def fields(reader: Reader) -> dict[str, str]:
    """Names of the fields of procedures by code, after the total."""
    rows = reader.rows("fields").iter_rows(named=True)
    return {row["category"]: reader.title(row) for row in rows}


def city_years(reader: Reader) -> dict[str, Year]:
    """The city's year by field, the largest first."""
    rows = years(reader, "city").filter((pl.col("area") == CITY) & (pl.col("category") != TOTAL))
    return {
        row.pop("category"): Year(**{key: row[key] for key in row if key != "area"})
        for row in rows.sort("received", descending=True).to_dicts()
    }
