"""What the city receives, in one field: history and forecast, and all that stands behind them.

The other figures of the work (resolved, pending, on time ...) are one choice away.
"""

from html import escape

import polars as pl
import streamlit as st

from dashboard import layout
from dashboard.filters import choose
from dashboard.freshness import age
from dashboard.published import CITY
from dashboard.reader import Reader
from dashboard.views import behind, explanation, provenance, targets
from dashboard.views.cache import drawn
from dashboard.workload import TOTAL, Year, fields, year_of
from dashboard.workload_charts import RECEIVED, city_fan, figure_title, figure_unit
from forecasts.explain import Series

MONTH = "month"


def draw(reader: Reader) -> None:
    """The section of the page of work; nothing where no work is counted."""
    if reader.rows("workload", area=CITY, category=TOTAL).is_empty():
        return
    with layout.simulated_section(reader.text, "received"):
        # What depends on the field runs again alone.
        st.fragment(_of_a_field)(reader)


def titles(reader: Reader) -> dict[str, str]:
    """The fields that can be chosen, all of them together first: title by code."""
    return {TOTAL: reader.text("fields.all")} | fields(reader)


def chart(reader: Reader, field: str, year: Year) -> None:
    """The fan under its finding, with what it is of."""
    said = finding(reader, year)
    name = titles(reader)[field]
    inside = name[:1].lower() + name[1:]
    layout.heading(said)
    above = layout.noted(reader.text("workload.fan_note", field=inside))
    drawing = drawn(reader, city_fan, field)
    layout.figure(reader, drawing, "fan", said, RECEIVED, simulated=True, above=above)


def past(reader: Reader, field: str) -> None:
    """What was received so far, where nothing is forecast: that is said, and drawn where known."""
    layout.html(f'<p class="cf-lead">{escape(reader.text("workload.none"))}</p>')
    if not _rows(reader, field, RECEIVED).is_empty():
        _other(reader, field, RECEIVED)


def finding(reader: Reader, year: Year) -> str:
    """What is expected of a year to come, against the one that has passed."""
    change = year.change or 0
    key = "flat" if round(change * 100) == 0 else ("up" if change > 0 else "down")
    return reader.text(
        f"finding.{key}",
        expected=reader.notation.rounded(year.expected),
        change=reader.notation.change(abs(change)).lstrip("+"),
    )


def _of_a_field(reader: Reader) -> None:
    text, named, counted = reader.text, titles(reader), figures(reader)
    left, right = st.columns(2)
    with left:
        field = choose("field", text("fields.label"), list(named), named.__getitem__)
    with right:
        indicator = choose("figure", text("workload.figure"), list(counted), counted.__getitem__)
    rows = _rows(reader, field, indicator)
    year = year_of(reader, "city", CITY, field) if indicator == RECEIVED else None
    if rows.is_empty():
        layout.html(f'<p class="cf-lead">{escape(text("workload.none"))}</p>')
        return
    if year:
        chart(reader, field, year)
    elif indicator == RECEIVED:
        past(reader, field)
    else:
        _other(reader, field, indicator)
    targets.of_indicator(reader, indicator, field)
    series = Series(indicator, CITY, field, MONTH)
    category = None if field == TOTAL else field
    layout.html(
        _age(reader, rows)
        + behind.came_out(reader, series)
        + behind.events(reader, indicator, CITY, rows["period"][0], category)
    )
    explanation.draw(reader, series, figure_unit(reader, indicator))
    provenance.of_series(reader, indicator)
    if indicator == RECEIVED:
        behind.carried(reader, field)


def figures(reader: Reader) -> dict[str, str]:
    """The figures of the work that can be chosen, what is received first: title by code."""
    known = set(reader.rows("workload", area=CITY, category=TOTAL)["indicator"])
    rest = [name for name in reader.build.catalog.indicators if name in known]
    return {name: figure_title(reader, name) for name in dict.fromkeys([RECEIVED, *rest])}


def _rows(reader: Reader, field: str, indicator: str) -> pl.DataFrame:
    rows = reader.rows("workload", area=CITY, category=field)
    return rows.filter(pl.col("indicator") == indicator).sort("period")


def _other(reader: Reader, field: str, indicator: str) -> None:
    """A figure under its own name, where no finding stands over it."""
    title, name = figure_title(reader, indicator), titles(reader)[field]
    asked = {"indicator": indicator, "area": CITY, "category": field, "frequency": MONTH}
    key = "past_note" if reader.rows("fan", **asked).is_empty() else "figure_note"
    layout.heading(title, reader.text(f"workload.{key}", field=name[:1].lower() + name[1:]))
    drawing = drawn(reader, city_fan, field, indicator)
    layout.figure(reader, drawing, "fan", title, indicator, simulated=True)


def _age(reader: Reader, rows: pl.DataFrame) -> str:
    """Where the series ends, and how old that is."""
    last = rows.row(-1, named=True)
    when = reader.notation.during(MONTH, last["period"], last["period_end"])
    days = reader.notation.age(age(last["period_end"], reader.today))
    said = reader.text("indicators.series_age", when=when, age=days)
    return f'<p class="cf-note">{escape(said)}</p>'
