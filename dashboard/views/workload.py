"""Work and staff ahead: what comes, what it asks of offices, who may be overloaded, who lends."""

from functools import partial
from html import escape
from typing import Any

import streamlit as st

from dashboard import layout, tables
from dashboard.lending import caveats, chance, change_said, move_said, verdict
from dashboard.queries import lending, work_ahead
from dashboard.reader import Reader
from dashboard.tables import Column
from dashboard.views import labels, scorecard
from dashboard.workload import fields
from forecasts.decisions.staffing import Plan
from forecasts.decisions.workload import WINDOWS, Ahead, NoWorkload, Window, by_commune, by_field

LENT = 10
"""People of the plan that the page shows; other numbers are asked by the command."""
RISKY = 0.1
"""Chance of overload from which an office is listed."""
WHOLE = 100
FEW = 10
"""Dossiers below which a mean keeps its decimals."""


def draw(reader: Reader) -> None:
    """The page."""
    text = reader.text
    try:
        ahead = work_ahead(reader.build, reader.today)
    except NoWorkload:
        layout.head(reader, text("load.title"))
        layout.heading(text("load.missing"))
        labels.draw(reader)
        return
    layout.head(reader, text("load.title"), _lead(reader, ahead))
    if ahead.simulated:
        with layout.simulated_section(text, "load"):
            _parts(reader, ahead)
    else:
        _parts(reader, ahead)
    labels.draw(reader)


def _lead(reader: Reader, ahead: Ahead) -> str:
    told = by_commune(ahead, "fortnight")
    said = reader.text(
        "load.lead",
        received=reader.notation.rounded(float(told["received"].sum())),
        count=len(told.filter(told["overload"] >= RISKY)),
        all=len(told),
    )
    mark = tables.chip(reader.text("simulated.short"), "warning") if ahead.simulated else ""
    return f"{said} {mark}".strip()


def _parts(reader: Reader, ahead: Ahead) -> None:
    text = reader.text
    # The band of the section says already that it is simulated.
    told = caveats(ahead, text, reader.notation)[int(ahead.simulated) :]
    layout.html(f'<p class="cf-note">{"<br>".join(escape(line) for line in told)}</p>')
    window: Window = st.radio(
        text("load.window"),
        WINDOWS,
        format_func=lambda name: text(f"load.{name}"),
        horizontal=True,
        key="window",
    )
    _overloaded(reader, ahead, window)
    _lending(reader, ahead)
    _communes(reader, ahead, window)
    _fields(reader, ahead, window)
    scorecard.draw(reader, simulated=ahead.simulated)


def _overloaded(reader: Reader, ahead: Ahead, window: Window) -> None:
    text = reader.text
    told = by_commune(ahead, window)
    risky = told.filter(told["overload"] >= RISKY).sort("overload", "load", descending=True)
    layout.heading(text("load.overloaded"), text("load.communes_note"))
    if risky.is_empty():
        layout.html(f'<p class="cf-note">{escape(text("load.none_overloaded"))}</p>')
        return
    _table(reader, "load.overloaded", _commune_columns(reader), risky.to_dicts())


def _communes(reader: Reader, ahead: Ahead, window: Window) -> None:
    text = reader.text
    told = by_commune(ahead, window).sort("load", descending=True, nulls_last=True)
    layout.heading(text("load.communes"), text("load.communes_note"))
    _table(reader, "load.communes", _commune_columns(reader), told.to_dicts(), "tall")
    layout.download(reader, "workload", lambda: told, simulated=ahead.simulated)


def _fields(reader: Reader, ahead: Ahead, window: Window) -> None:
    text, notation, names = reader.text, reader.notation, fields(reader)
    told = by_field(ahead, window).sort("hours_asked", descending=True)
    layout.heading(text("load.fields"), text("load.fields_note"))

    def minutes(row: dict[str, Any]) -> str:
        source = row["source"]
        said = text("load.assumption") if source == "assumption" else source
        return f"{notation.number(row['minutes'], 1)} <small>{escape(said)}</small>"

    columns = [
        Column(
            text("load.field"),
            lambda row: escape(names.get(row["category"], row["category"])),
            "subject",
        ),
        Column(text("load.minutes"), minutes, "number"),
        *_flows(reader),
        Column(text("load.hours_asked"), partial(_ranged, reader, "hours_asked"), "number"),
    ]
    _table(reader, "load.fields", columns, told.to_dicts())


def _lending(reader: Reader, ahead: Ahead) -> None:
    text, notation = reader.text, reader.notation
    plan: Plan = lending(reader.build, reader.today, LENT)
    names = dict(zip(ahead.places["area"], ahead.places["name"], strict=True))
    layout.heading(text("load.lending", people=LENT))
    lines = [
        verdict(plan, text, notation),
        *(move_said(move, names, text, notation) for move in plan.moves),
        *(change_said(change, names, text, notation) for change in plan.changes),
    ]
    layout.html("".join(f"<p>{escape(line)}</p>" for line in lines))


def _commune_columns(reader: Reader) -> list[Column]:
    text, notation = reader.text, reader.notation

    def people(row: dict[str, Any]) -> str:
        told = row["people"]
        return escape(text("load.untold")) if told is None else notation.number(told)

    return [
        Column(text("load.commune"), lambda row: escape(row["name"]), "subject"),
        Column(text("load.people"), people, "number"),
        *_flows(reader),
        Column(text("load.hours"), partial(_percent, reader, "load"), "number"),
        Column(text("load.chance"), lambda row: escape(chance(row["overload"], text)), "number"),
    ]


def _flows(reader: Reader) -> list[Column]:
    text = reader.text
    counts = [
        Column(text(f"load.{name}"), partial(_ranged, reader, name), "number")
        for name in ("received", "pending", "overdue")
    ]
    share = Column(text("load.on_time"), partial(_percent, reader, "on_time"), "number")
    return [*counts, share]


def _ranged(reader: Reader, name: str, row: dict[str, Any]) -> str:
    """Mean and, small, the range."""
    notation, mean = reader.notation, row[name]
    if mean is None:
        return "–"
    low, high = (_whole(row[f"{name}_{end}"]) for end in ("lower", "upper"))
    between = notation.interval(low, high)
    return f"{escape(notation.rounded(_whole(mean)))} <small>{escape(between)}</small>"


def _whole(count: float) -> float:
    """A count of dossiers without decimals, but for a few."""
    return float(round(count)) if count >= FEW else count


def _percent(reader: Reader, name: str, row: dict[str, Any]) -> str:
    notation, mean = reader.notation, row[name]
    if mean is None:
        return "–"
    low, high = (notation.share(WHOLE * row[f"{name}_{end}"], 0) for end in ("lower", "upper"))
    return f"{escape(notation.share(WHOLE * mean, 0))} <small>{escape(f'{low}–{high}')}</small>"


def _table(
    reader: Reader, key: str, columns: list[Column], rows: list[dict[str, Any]], css: str = ""
) -> None:
    layout.html(tables.table(reader.text(key), columns, rows, f"cf-figures cf-labelled {css}"))
