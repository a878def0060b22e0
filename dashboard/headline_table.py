"""The table of published figures on the first screen, and its rows to take away."""

from html import escape
from typing import Any

import polars as pl

from dashboard import tables
from dashboard.published import Headline, with_unit
from dashboard.reader import Reader
from dashboard.tables import Column


def table(reader: Reader, found: list[Headline]) -> str:
    """Latest value, period, target and source of each indicator; cards on a narrow screen."""
    text = reader.text
    columns = [
        Column(text("figure.indicator"), lambda item: _subject(reader, item), "subject"),
        Column(text("figure.latest"), lambda item: _value(reader, item), "number"),
        Column(text("figure.period"), lambda item: _when(reader, item)),
        Column(text("figure.target"), lambda item: _target(reader, item)),
        Column(text("figure.source"), lambda item: _source(reader, item), "source"),
    ]
    return tables.table(text("overview.published"), columns, found, "cf-figures")


def lead(reader: Reader, found: list[Headline]) -> str:
    """How old the newest of the published figures is."""
    text = reader.text
    if not found:
        return escape(text("overview.no_figures"))
    return text("overview.lead_age", age=reader.notation.age(min(item.age for item in found)))


def rows(found: list[Headline]) -> pl.DataFrame:
    """The figures as they leave the house."""
    return pl.DataFrame(
        [
            {
                "indicator": item.indicator,
                "title": item.title,
                "value": item.figure["value"],
                "unit": item.unit,
                "period": item.figure["period"],
                "period_end": item.figure["period_end"],
                "status": item.figure["status"],
                "target": item.target["value"] if item.target else None,
                "target_period_end": item.target["period_end"] if item.target else None,
                "source": item.figure["source"],
                "source_url": item.figure["source_url"],
                "as_of": item.figure["as_of"],
                "age_days": item.age,
            }
            for item in found
        ],
        infer_schema_length=None,
    )


def _subject(reader: Reader, item: Headline) -> str:
    rivals = ""
    if item.figures > 1:
        label = escape(reader.text("figure.rivals", count=item.figures))
        lang = "&lang=en" if reader.lang == "en" else ""
        rivals = (
            f'<br><a class="cf-chip warning" target="_self" '
            f'href="indicators?indicator={item.indicator}{lang}">{label}</a>'
        )
    return escape(item.title) + rivals


def _value(reader: Reader, item: Headline) -> str:
    number = reader.notation.number(item.figure["value"], item.decimals)
    unit = "%" if item.unit == "%" else f" <small>{escape(item.unit)}</small>"
    return f'<span class="value">{number}{unit}</span>'


def _when(reader: Reader, item: Headline) -> str:
    text, notation = reader.text, reader.notation
    status = escape(text(f"status.{item.figure['status']}"))
    old = escape(text("figure.age", age=notation.age(item.age)))
    more = f'<small>· {status}<i class="cf-dot"> · </i>{old}</small>'
    return f"{_period(reader, item.figure)} {more}"


def _target(reader: Reader, item: Headline) -> str:
    text, lines = reader.text, []
    if item.plan:
        plan = with_unit(reader, item.plan["value"], item.unit, item.decimals)
        line = text("figure.plan", period=_period(reader, item.plan), value=plan)
        if item.met is not None:
            kind, key = ("good", "figure.met") if item.met else ("bad", "figure.missed")
            line = f"{escape(line)} {tables.chip(text(key), kind)}"
        lines.append(line)
    if item.target:
        goal = with_unit(reader, item.target["value"], item.unit, item.decimals)
        line = text("figure.goal", period=_period(reader, item.target), value=goal)
        lines.append(escape(line))
    if item.pace is not None:
        pace = reader.notation.share(item.pace * 100)
        lines.append(f"<small>{escape(text('figure.pace', pace=pace))}</small>")
    return "<br>".join(lines) or f"<small>{escape(text('figure.no_target'))}</small>"


def _source(reader: Reader, item: Headline) -> str:
    named = tables.link(item.figure["source"] or "", item.figure["source_url"])
    day = reader.notation.date(item.figure["as_of"])
    title = escape(item.figure["source"] or "")
    return f'<span class="cf-clamp" title="{title}">{named}</span><small>{day}</small>'


def _period(reader: Reader, row: dict[str, Any]) -> str:
    return reader.notation.period(row["frequency"], row["period"], row["period_end"])
