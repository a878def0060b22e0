"""The part of the indicator page on change against a year before, with Tết where it belongs."""

from functools import partial
from html import escape
from typing import Any

import polars as pl

from dashboard import layout, tables
from dashboard.on_the_year import LAST_MONTH, changed, newest_changes, quoted
from dashboard.reader import Reader
from dashboard.tables import Column
from etl.calendars import tet
from forecasts.year_on_year import Lead, YearOnYear

GROWTH = "_growth"
"""How the names of indicators end whose sources publish a change on the year, and no level."""


def draw(reader: Reader, row: dict[str, Any], series: pl.DataFrame, frequency: str) -> None:
    """What to quote of the newest months, beside what the calendar says; nothing but for months."""
    difference = row["unit"] == "%"
    found = newest_changes(series, difference=difference) if frequency == "month" else []
    if not found:
        return
    text = reader.text
    early = next((one for one in found if one.month.month <= LAST_MONTH), found[0])
    layout.heading(text("year.title"), text("year.note"))
    lead = text(
        "year.lead",
        month=_month(reader, early),
        quoted=quoted(reader, early, difference=difference),
    )
    layout.html(f'<p class="cf-lead">{escape(lead)}</p>')
    columns = _columns(reader, difference)
    layout.html(tables.table(text("year.title"), columns, found, "cf-figures cf-labelled"))


def warn(reader: Reader, found: pl.DataFrame, row: dict[str, Any]) -> None:
    """Where a source publishes growth of January to March and no level: that Tết bends it."""
    figures = found.filter(
        (pl.col("status") != "plan") & (pl.col("period_end") <= reader.today)
    ).head(1)
    if not row["indicator"].endswith(GROWTH) or figures.is_empty():
        return
    newest = figures.row(0, named=True)
    month, year = newest["period"].month, newest["period"].year
    if newest["frequency"] != "month" or month > LAST_MONTH:
        return
    days = {"before": tet(year - 1), "now": tet(year)}
    said = reader.text("year.published", **{k: reader.notation.date(d) for k, d in days.items()})
    layout.html(f'<div class="cf-rivals">{escape(said)}</div>')


def _month(reader: Reader, found: YearOnYear) -> str:
    month = reader.notation.period("month", found.month, found.month)
    return month[:1].upper() + month[1:]


def _columns(reader: Reader, difference: bool) -> list[Column]:
    text = reader.text

    def cell(name: Lead, found: YearOnYear) -> str:
        value = getattr(found, name)
        if value is None:
            return f"<small>{escape(text(f'why_null.{found.why[name]}'))}</small>"
        return escape(changed(reader, value, difference=difference))

    def first(found: YearOnYear) -> str:
        leading = found.leads or "calendar"
        return f"{cell(leading, found)} <small>{escape(text(f'year.{leading}'))}</small>"

    def misleads(found: YearOnYear) -> str:
        apart = found.misleads_by
        points = apart if difference or apart is None else 100 * apart
        return escape(reader.notation.points(points))

    return [
        Column(text("figure.period"), lambda found: escape(_month(reader, found)), "subject"),
        Column(text("year.quote"), first, "strong"),
        *(Column(text(f"year.{name}"), partial(cell, name), "number") for name in _OTHERS),
        Column(text("year.misleads"), misleads, "number"),
    ]


_OTHERS: tuple[Lead, ...] = ("calendar", "together", "aligned")
