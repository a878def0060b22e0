"""One picture a dataset, as shapes in a box of 820 by 300: lines over time, a fan, or bars.

What is drawn is the indicator with the most figures. The template writes the shapes as SVG, so that
the page needs no program to show it, and colours come from the style of the page.
"""

import datetime as dt
import math
from dataclasses import dataclass

import polars as pl

from etl.catalog import Catalog, Indicator
from etl.publish.release import Release

WIDTH, HEIGHT = 820, 300
LEFT, RIGHT, TOP, BOTTOM = 64, 200, 14, 28
MOST_LINES = 4
MOST_BARS = 10
LINES_FROM = 3
"""Periods from which on lines say more than bars."""
NEAR = 15
"""Labels nearer than this would cover each other."""
MOST_LABELS = 8
BANDS = ("95", "80", "50")
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One series."""

    label: str
    points: str
    """As an SVG polyline has them."""
    last: Point
    number: int


@dataclass(frozen=True)
class Bar:
    """One bar from the left."""

    label: str
    value: float
    y: float
    width: float


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: float | int


@dataclass(frozen=True)
class Figure:
    """What the template draws."""

    title: str
    title_en: str
    unit: str
    unit_en: str
    lines: list[Line]
    bars: list[Bar]
    bands: list[tuple[str, str]]
    """Share and polygon, the widest first."""
    across: list[Tick]
    up: list[Tick]
    first: dt.date | None = None
    last: dt.date | None = None
    height: float = HEIGHT


def figure(catalog: Catalog, release: Release, table: pl.DataFrame) -> Figure | None:
    """The picture of a release; None where nothing in it can be drawn."""
    if "median" in table.columns and "period" in table.columns:
        return fan(catalog, table)
    found = _measured(catalog, release, table)
    if found is None:
        return None
    indicator, rows = found
    if rows["period"].n_unique() >= LINES_FROM:
        return _lines(indicator, rows)
    return _bars(indicator, rows)


def _measured(
    catalog: Catalog, release: Release, table: pl.DataFrame
) -> tuple[Indicator, pl.DataFrame] | None:
    """The indicator with the most figures, and its rows (label, period, value)."""
    if "period" not in table.columns:
        return None
    numbers = {name for name, kind in table.schema.items() if kind.is_numeric()}
    found: list[tuple[Indicator, pl.DataFrame]] = []
    for name in release.dataset.delivered:
        indicator = catalog.indicators[name]
        rows = table
        if "indicator" in table.columns:
            rows = table.filter(pl.col("indicator") == indicator.where.get("indicator", name))
        if indicator.value not in numbers or rows.is_empty():
            continue
        shown = _one_kind(rows.with_columns(value=pl.col(indicator.value).cast(pl.Float64)))
        found.append((indicator, shown))
    most = max(found, key=lambda one: len(one[1]), default=None)
    return most if most and len(most[1]) > 1 else None


def _one_kind(rows: pl.DataFrame) -> pl.DataFrame:
    """Figures that can stand in one picture: one frequency, no plans, the newest vintage."""
    rows = rows.drop_nulls("value")
    if "status" in rows.columns:
        rows = rows.filter(pl.col("status").ne_missing("plan"))
    if "category" in rows.columns and (rows["category"] == "total").any():
        rows = rows.filter(category="total")
    if "frequency" in rows.columns and not rows.is_empty():
        usual = rows["frequency"].value_counts(sort=True).sort("count", "frequency")[-1, 0]
        rows = rows.filter(frequency=usual)
    if "as_of" in rows.columns:
        rows = rows.sort("as_of", nulls_last=False)
    labels = [name for name in ("area_name", "category", "goods") if name in rows.columns]
    label = pl.concat_str(labels, separator=", ", ignore_nulls=True) if labels else pl.lit("")
    shown = rows.select(label=label, period="period", value="value")
    return shown.unique(["label", "period"], keep="last").sort("label", "period")


def _named(indicator: Indicator) -> tuple[str, str, str, str]:
    """Title and unit, each in both languages."""
    title, unit = indicator.title, indicator.unit
    return title, indicator.title_en or title, unit, indicator.unit_en or unit


def _lines(indicator: Indicator, rows: pl.DataFrame) -> Figure:
    longest = rows.group_by("label").len().sort("len", "label", descending=[True, False])
    shown = longest["label"].head(MOST_LINES).to_list()
    rows = rows.filter(pl.col("label").is_in(shown))
    first, last = _days(rows, "period")
    plot = _Plot(first, last, _bounds(rows, ["value"]))
    lines = [
        plot.line(name, rows.filter(label=name), "value", number)
        for number, name in enumerate(sorted(shown))
    ]
    labelled = _apart(lines)
    return Figure(*_named(indicator), labelled, [], [], plot.across, plot.up, first, last)


def fan(catalog: Catalog, table: pl.DataFrame) -> Figure | None:
    """The picture of a table of forecasts: one series with its bands."""
    key = ["indicator", "area", "category", "frequency"]
    if not {*key, "lower_95"} <= set(table.columns) or table.is_empty():
        return None
    # The city before others, and what reaches furthest: a reader is looking for these.
    cities = catalog.map.areas.filter(level="city")["code"].implode()
    order = [pl.col("area").is_in(cities), "until", "len", *key]
    down = [True, True, True, *(False for _ in key)]
    reach = table.group_by(key).agg(pl.len(), until=pl.col("period").max())
    longest = reach.sort(order, descending=down)
    rows = table.join(longest.head(1), on=key, nulls_equal=True).sort("period")
    first, last = _days(rows, "period")
    plot = _Plot(first, last, _bounds(rows, ["lower_95", "upper_95"]))
    bands = [
        (
            share,
            f"{plot.points(rows, f'lower_{share}')} "
            f"{plot.points(rows.reverse(), f'upper_{share}')}",
        )
        for share in BANDS
    ]
    indicator = catalog.indicators[rows["indicator"][0]]
    where = rows["area_name"][0] or ""
    return Figure(
        *_named(indicator),
        [plot.line(where, rows, "median", 1)],
        [],
        bands,
        plot.across,
        plot.up,
        first,
        last,
    )


def _bars(indicator: Indicator, rows: pl.DataFrame) -> Figure | None:
    newest = rows.filter(period=rows["period"].max())
    largest = newest.filter(pl.col("value") > 0).sort("value", "label", descending=[True, False])
    shown = largest.head(MOST_BARS)
    if len(shown) < LINES_FROM:
        return None
    top, room = float(shown["value"][0]), WIDTH - 2 * RIGHT - LEFT
    bars = [
        Bar(label, value, TOP + 26 * row, room * value / top)
        for row, (label, value) in enumerate(shown.select("label", "value").iter_rows())
    ]
    day = shown["period"][0]
    height = TOP * 2 + 26 * len(bars)
    return Figure(*_named(indicator), [], bars, [], [], [], day, day, height)


@dataclass(frozen=True)
class _Plot:
    """Where days and values lie in the box."""

    first: dt.date
    last: dt.date
    bounds: tuple[float, float]

    def x(self, day: dt.date) -> float:
        whole = max((self.last - self.first).days, 1)
        return LEFT + (WIDTH - LEFT - RIGHT) * (day - self.first).days / whole

    def y(self, value: float) -> float:
        low, high = self.bounds
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / ((high - low) or 1)

    def points(self, rows: pl.DataFrame, column: str) -> str:
        pairs = rows.select("period", column).drop_nulls().iter_rows()
        return " ".join(f"{self.x(day):.1f},{self.y(value):.1f}" for day, value in pairs)

    def line(self, label: str, rows: pl.DataFrame, column: str, number: int) -> Line:
        day, value = rows.select("period", column).drop_nulls().row(-1)
        return Line(label, self.points(rows, column), (self.x(day), self.y(value)), number)

    @property
    def across(self) -> list[Tick]:
        """Years."""
        years = list(range(self.first.year, self.last.year + 1))
        step = math.ceil(len(years) / MOST_LABELS)
        days = [dt.date(year, 1, 1) for year in years[::step]]
        return [Tick(self.x(day), day.year) for day in days if day >= self.first]

    @property
    def up(self) -> list[Tick]:
        low, high = self.bounds
        step = _step(high - low)
        first = math.ceil(low / step)
        marks = [number * step for number in range(first, math.floor(high / step) + 1)]
        return [Tick(self.y(mark), round(mark, 6)) for mark in marks]


def _bounds(rows: pl.DataFrame, columns: list[str]) -> tuple[float, float]:
    """Lowest and highest value; from 0 unless that would press the figures flat."""
    values = pl.concat([rows[name].cast(pl.Float64).drop_nulls().alias("v") for name in columns])
    low, high = float(values.min() or 0), float(values.max() or 0)  # type: ignore[arg-type]
    if 0 < low < high * 0.6:
        low = 0
    room = (high - low) * 0.05 or abs(high) * 0.05 or 1
    return (low - room if low else 0.0), high + room


def _step(width: float) -> float:
    """A round distance that gives about four marks."""
    rough = max(width, 1e-9) / 4
    power = math.pow(10, math.floor(math.log10(rough)))
    return next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough)


def _days(rows: pl.DataFrame, column: str) -> tuple[dt.date, dt.date]:
    days = rows[column].sort()
    return days[0], days[-1]


def _apart(lines: list[Line]) -> list[Line]:
    """Labels at the ends of the lines, moved down where they would cover each other."""
    found: list[Line] = []
    for line in sorted(lines, key=lambda one: one.last[1]):
        x, y = line.last
        if found:
            y = max(y, found[-1].last[1] + NEAR)
        found.append(Line(line.label, line.points, (x, y), line.number))
    return found
