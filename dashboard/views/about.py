"""How it works in plain words, what is simulated, and the register of models."""

import datetime as dt
from html import escape
from math import isnan
from typing import Any

import polars as pl

from dashboard import layout, queries, tables
from dashboard.reader import Reader
from dashboard.tables import Column

WIDE = "cf-figures cf-labelled cf-register"
METHOD = ("about.method_1", "about.method_2", "about.method_3", "about.method_4")


def draw(reader: Reader) -> None:
    """The page."""
    text = reader.text
    layout.head(reader, text("about.title"), escape(text("about.lead")))
    layout.heading(text("about.method_title"))
    layout.html("".join(f"<p>{escape(text(key))}</p>" for key in METHOD))
    _simulated(reader)
    _register(reader)


def _simulated(reader: Reader) -> None:
    text = reader.text
    made = [dataset for dataset in reader.build.catalog.resources if dataset.simulated]
    note = text("about.simulated_note" if made else "about.simulated_none")
    layout.heading(text("about.simulated_title"), note)
    named = [
        f"<li>{escape(text.pick(one.title, one.title_en))} "
        f"{tables.chip(text('simulated.short'), 'warning')}</li>"
        for one in made
    ]
    if named:
        layout.html(f"<ul>{''.join(named)}</ul>")


def _register(reader: Reader) -> None:
    text = reader.text
    entries = queries.register(reader.build)
    layout.heading(text("about.register_title"), text("about.register_note"))
    layout.html(
        tables.table(text("about.register_title"), _columns(reader), list(entries), f"{WIDE} tall")
    )
    layout.download(reader, "models", lambda: pl.DataFrame(list(entries), infer_schema_length=None))


def _columns(reader: Reader) -> list[Column]:
    text, notation = reader.text, reader.notation

    def share(value: float | None) -> str:
        known = value is not None and not isnan(value)
        return notation.share(100 * value if known and value is not None else None, 0)

    return [
        Column(text("accuracy.model"), lambda row: _model(reader, row), "subject"),
        Column(text("about.what"), lambda row: _more(reader, row, "what", "weaknesses"), "wide"),
        Column(text("about.shown"), lambda row: notation.number(row["series_shown"]), "number"),
        Column(
            text("about.backtest"), lambda row: notation.fixed(row["backtest_mase"], 2), "number"
        ),
        Column(
            text("track.coverage", level="80%"), lambda row: share(row["coverage_80"]), "number"
        ),
        Column(text("about.issued"), lambda row: notation.number(row["issued_outcomes"]), "number"),
        Column(text("about.decision"), lambda row: _decision(reader, row), "wide"),
    ]


def _model(reader: Reader, row: dict[str, Any]) -> str:
    return f"{escape(reader.title(row))}<br><small>{_purpose(reader, row)}</small>"


def _more(reader: Reader, row: dict[str, Any], first: str, *others: str) -> str:
    """What stands first, and under it in small what else there is, named."""
    named = [
        f"{escape(reader.text(f'about.{name}'))}: {escape(said)}"
        for name in others
        if (said := reader.title(row, name))
    ]
    return "<br>".join(
        [escape(reader.title(row, first)), *(f"<small>{one}</small>" for one in named)]
    )


def _decision(reader: Reader, row: dict[str, Any]) -> str:
    day = dt.date.fromisoformat(row["entered"])
    entered = f"{escape(reader.text('about.entered'))}: {reader.notation.date(day)}"
    return f"{_more(reader, row, 'decision', 'data', 'owner')}<br><small>{entered}</small>"


def _purpose(reader: Reader, row: dict[str, Any]) -> str:
    if row["purpose"] is None:
        return escape(reader.text("about.unused"))
    mark = tables.chip(reader.text("simulated.short"), "warning") if row["simulated"] else ""
    return f"{escape(reader.title(row, 'purpose'))} {mark}"
