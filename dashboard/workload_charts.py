"""The charts of the (simulated) workload: one series with its fan, and the tile map."""

import datetime as dt

import polars as pl

from dashboard.charts import Drawing, Fan, fan, outlined, tiles
from dashboard.declared import events, goals_by_month
from dashboard.on_the_year import year_before
from dashboard.published import CITY
from dashboard.ranking import ranked
from dashboard.reader import Reader
from dashboard.workload import TOTAL, communes

RECEIVED = "applications_received"


def city_fan(reader: Reader, field: str, indicator: str = RECEIVED) -> Drawing:
    """What the city receives each month, or another figure of the work, and what is expected."""
    title = reader.text("workload.fan_title")
    if indicator != RECEIVED:
        title = figure_title(reader, indicator)
    return _fan(reader, CITY, field, title, indicator)


def figure_title(reader: Reader, indicator: str) -> str:
    """What a figure of the work is called in the catalog."""
    entry = reader.build.catalog.indicators.get(indicator)
    named = reader.text.pick(entry.title, entry.title_en) if entry else ""
    return named or reader.text("workload.fan_title")


def figure_unit(reader: Reader, indicator: str) -> str:
    """Its unit; a catalog that says none counts applications."""
    entry = reader.build.catalog.indicators.get(indicator)
    unit = reader.text.pick(entry.unit, entry.unit_en) if entry else ""
    return unit or reader.text("workload.unit")


def commune_fan(reader: Reader, area: str, name: str, field: str) -> Drawing:
    """The same of one commune."""
    return _fan(reader, area, field, f"{name}: {reader.text('workload.fan_title')}")


def ranks(reader: Reader, field: str) -> Drawing:
    """The tile map with the ranks of up to ten that surely grow faster than the middle."""
    sure = pl.when(pl.col("side") == 1).then(pl.col("rank"))
    return tiles(reader, ranked(reader, field).with_columns(rank=sure), names=False)


def names(reader: Reader, field: str, chosen: str) -> Drawing:
    """The tile map with the names of all communes."""
    return tiles(reader, communes(reader, field), names=True, chosen=chosen)


def map_of(reader: Reader, field: str, chosen: str, corners: pl.DataFrame) -> Drawing:
    """The map in true outlines."""
    return outlined(reader, communes(reader, field), corners, chosen=chosen)


def _fan(reader: Reader, area: str, field: str, title: str, indicator: str = RECEIVED) -> Drawing:
    text, entry = reader.text, reader.build.catalog.indicators.get(indicator)
    rows = reader.rows("workload", area=area, category=field)
    observed = rows.filter(pl.col("indicator") == indicator).with_columns(status=pl.lit("final"))
    months = observed["period"].to_list()
    until = reader.notation.month(max(months)) if months else ""
    ahead = reader.rows("fan", indicator=indicator, area=area, category=field, frequency="month")
    shown = [*months, *ahead["period"]]
    earlier = year_before(observed) if months else None
    content = Fan(
        observed=observed,
        ahead=ahead,
        frequency="month",
        unit=figure_unit(reader, indicator),
        simulated=True,
        title=title,
        zero=entry is None or entry.aggregate != "rate",
        decimals=(entry.decimals if entry else 0) or 0,
        origin_note=text("chart.data_until", month=until),
        events=events(reader, indicator, area, None if field == TOTAL else field),
        goals=goals_by_month(reader, indicator, area, field, max(shown)) if shown else (),
        goals_come=area == CITY and bool(shown) and _has_goals(reader, indicator, max(shown)),
        before=earlier.values if earlier and len(earlier.values) else None,
        before_label=text(
            "chart.before_aligned" if earlier and earlier.aligned else "chart.before_plain"
        ),
    )
    return fan(reader, content)


def _has_goals(reader: Reader, indicator: str, until: dt.date) -> bool:
    """Whether all fields together have targets: a choice leads from them or to them."""
    return bool(goals_by_month(reader, indicator, CITY, TOTAL, until))
