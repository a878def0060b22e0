"""The numbers of a chart as a table, shown on request: for those who cannot see it or doubt it.

Markup is kept small: it goes over the wire with every chart.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import polars as pl

from dashboard.reader import Reader

STEPS = {1: "month", 3: "quarter", 12: "year"}
"""Frequency by the fewest months from one period to the next."""

Cell = Callable[[dict[str, Any]], str]
Columns = list[tuple[str, Cell]]


def numbers(reader: Reader, figures: pl.DataFrame, decimals: int = 0) -> str:
    """What a chart draws, as a table for people; `figures` are those of a `Drawing`.

    `decimals` are those of what was observed; what is expected is rounded as everywhere.
    """
    columns = _columns(reader, figures, decimals)
    return f'<div class="cf-numbers">{_table(reader, columns, figures.to_dicts())}</div>'


def folded(reader: Reader, columns: Columns, rows: Sequence[dict[str, Any]]) -> str:
    """A table under a line that opens it; the first column names the row."""
    title = escape(reader.text("chart.numbers"))
    inside = _table(reader, columns, rows)
    return f'<details class="cf-numbers"><summary>{title}</summary>{inside}</details>'


def _table(reader: Reader, columns: Columns, rows: Sequence[dict[str, Any]]) -> str:
    title = escape(reader.text("chart.numbers"))
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head, _ in columns)
    body = "".join(_row([cell(row) for _, cell in columns]) for row in rows)
    return (
        f'<div class="cf-table tall" tabindex="0" role="group" aria-label="{title}"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(cells: list[str]) -> str:
    first, *others = (escape(cell) for cell in cells)
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{c}</td>" for c in others)}</tr>'


def _columns(reader: Reader, figures: pl.DataFrame, decimals: int) -> Columns:
    """By what marks each kind of chart: scores, tiles, a scenario, or a fan."""
    text = reader.text
    if "mase" in figures.columns:
        return _scores(reader)
    if "code" in figures.columns:
        return [
            (text("tiles.commune"), lambda row: str(row["name"])),
            (text("tiles.received"), _exact(reader, "received", 0)),
            (text("tiles.expected"), _about(reader, "expected")),
            (text("tiles.change"), lambda row: reader.notation.change(row["change"])),
        ]
    period = (text("chart.period"), _period(reader, figures))
    if "base" in figures.columns:
        return [
            period,
            (text("chart.base"), _with_band(reader, "base")),
            (text("chart.scenario"), _with_band(reader, "scenario")),
            (text("chart.difference"), _with_band(reader, "difference")),
        ]
    return [period, *_fan(reader, figures, decimals)]


def _fan(reader: Reader, figures: pl.DataFrame, decimals: int) -> Columns:
    text = reader.text
    columns = [(text("figure.value"), _exact(reader, "value", decimals))]
    if "q50" in figures.columns and figures["q50"].is_not_null().any():
        columns += [
            (text("chart.expected"), _about(reader, "q50")),
            (text("chart.band_80"), _band(reader, "q10", "q90")),
            (text("chart.band_95"), _band(reader, "q025", "q975")),
        ]
    if "before" in figures.columns:
        columns.append((text("chart.before"), _about(reader, "before")))
    return columns


def _scores(reader: Reader) -> Columns:
    return [
        (reader.text("accuracy.model"), lambda row: str(row["model"])),
        (reader.text("accuracy.horizon"), lambda row: str(row["horizon"])),
        (reader.text("accuracy.mase"), lambda row: reader.notation.fixed(row["mase"], 2)),
    ]


def _period(reader: Reader, figures: pl.DataFrame) -> Cell:
    days = figures["period"].unique().sort()
    gaps = (days.dt.year().cast(pl.Int32) * 12 + days.dt.month()).diff().drop_nulls()
    frequency = STEPS.get(int(gaps.min() or 1), "month")  # type: ignore[arg-type]

    def written(row: dict[str, Any]) -> str:
        day: dt.date = row["period"]
        return reader.notation.period(frequency, day, day)

    return written


def _exact(reader: Reader, field: str, decimals: int) -> Cell:
    return lambda row: reader.notation.number(row[field], decimals)


def _about(reader: Reader, field: str) -> Cell:
    return lambda row: reader.notation.rounded(row[field])


def _band(reader: Reader, low: str, high: str) -> Cell:
    def written(row: dict[str, Any]) -> str:
        if row[low] is None or row[high] is None:
            return "–"
        return reader.notation.interval(row[low], row[high])

    return written


def _with_band(reader: Reader, field: str) -> Cell:
    band = _band(reader, f"{field}_lower", f"{field}_upper")
    about = _about(reader, field)
    return lambda row: f"{about(row)} ({band(row)})"
