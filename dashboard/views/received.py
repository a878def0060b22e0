"""What the city receives, in one field: history and forecast, and all that stands behind them."""

from html import escape

import polars as pl
import streamlit as st

from dashboard import layout
from dashboard.filters import choose
from dashboard.freshness import age
from dashboard.published import CITY
from dashboard.reader import Reader
from dashboard.views import behind, explanation, provenance
from dashboard.views.cache import drawn
from dashboard.workload import TOTAL, Year, fields, year_of
from dashboard.workload_charts import RECEIVED, city_fan
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
    text, named = reader.text, titles(reader)
    field = choose("field", text("fields.label"), list(named), named.__getitem__)
    year = year_of(reader, "city", CITY, field)
    if year is None:
        layout.html(f'<p class="cf-lead">{escape(text("workload.none"))}</p>')
        return
    chart(reader, field, year)
    series = Series(RECEIVED, CITY, field, MONTH)
    category = None if field == TOTAL else field
    first = reader.rows("workload", area=CITY, category=field)["period"].min()
    layout.html(
        _age(reader, field)
        + behind.came_out(reader, series)
        + behind.events(reader, RECEIVED, CITY, first, category)  # type: ignore[arg-type]
    )
    explanation.draw(reader, series, text("workload.unit"))
    provenance.of_series(reader, RECEIVED)
    behind.carried(reader, field)


def _age(reader: Reader, field: str) -> str:
    """Where the series ends, and how old that is."""
    rows = reader.rows("workload", area=CITY, category=field)
    last = rows.filter(pl.col("indicator") == RECEIVED).sort("period").row(-1, named=True)
    when = reader.notation.during(MONTH, last["period"], last["period_end"])
    days = reader.notation.age(age(last["period_end"], reader.today))
    said = reader.text("indicators.series_age", when=when, age=days)
    return f'<p class="cf-note">{escape(said)}</p>'
