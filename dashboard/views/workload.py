"""Work and staff ahead: what comes, what it asks of offices, who may be overloaded, who lends."""

from functools import partial
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from dashboard import layout, tables
from dashboard.lending import before_after, caveats, chance, changes_said, move_said, verdict
from dashboard.queries import work_ahead
from dashboard.reader import Reader
from dashboard.tables import Column
from dashboard.views import labels, received, scorecard
from dashboard.views.cache import written
from dashboard.workload import fields
from etl.translation import translated
from forecasts.decisions.work_kept import LENT, Work
from forecasts.decisions.workload import WINDOWS, NoWorkload, Window

RISKY = 0.1
"""Chance of overload from which an office is listed."""
WHOLE = 100
NAME = "name wide"
MOST_ASKED = 6
"""Fields that stand open, those first that ask most hours."""
FEW = 10
"""Dossiers below which a mean keeps its decimals."""


def draw(reader: Reader) -> None:
    """The page."""
    text = reader.text
    try:
        with st.spinner(text("load.working")):
            ahead = work_ahead(reader.build, reader.today)
    except NoWorkload as refusal:
        layout.head(reader, text("load.title"))
        why = [
            translated(said, "vi" if reader.lang == "vi" else "en")
            for said in (refusal.problem, refusal.hint)
        ]
        layout.heading(text("load.missing"), "; ".join(filter(None, why)))
        received.draw(reader)
        labels.draw(reader)
        return
    layout.head(reader, text("load.title"), _lead(reader, ahead))
    # Who may be overloaded and whom to lend: what is decided here, before what it follows from.
    if ahead.simulated:
        with layout.simulated_section(text, "load"):
            _parts(reader, ahead)
    else:
        _parts(reader, ahead)
    received.draw(reader)
    labels.draw(reader, ahead.topics)


def _lead(reader: Reader, ahead: Work) -> str:
    told = ahead.communes["fortnight"]
    said = reader.text(
        "load.lead",
        received=reader.notation.rounded(float(told["received"].sum())),
        count=len(told.filter(told["overload"] >= RISKY)),
        all=len(told),
    )
    mark = tables.chip(reader.text("simulated.short"), "warning") if ahead.simulated else ""
    return f"{said} {mark}".strip()


def _parts(reader: Reader, ahead: Work) -> None:
    text = reader.text
    # The band of the section says already that it is simulated.
    told = caveats(ahead, text, reader.notation)[int(ahead.simulated) :]
    layout.html(f'<p class="cf-note">{"<br>".join(escape(line) for line in told)}</p>')
    # What depends on the window runs again alone.
    st.fragment(_by_window)(reader, ahead)


def _by_window(reader: Reader, ahead: Work) -> None:
    text = reader.text
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


def _overloaded(reader: Reader, ahead: Work, window: Window) -> None:
    text = reader.text
    told = ahead.communes[window]
    risky = told.filter(told["overload"] >= RISKY).sort("overload", "load", descending=True)
    if risky.is_empty():
        layout.heading(text("load.overloaded"), text("load.none_overloaded"))
        return
    layout.heading(text("load.overloaded"), text("load.communes_note"))
    _table(reader, "load.overloaded", _commune_columns(reader), risky.to_dicts())


def _communes(reader: Reader, ahead: Work, window: Window) -> None:
    text = reader.text
    layout.heading(text("load.communes"), text("load.communes_note"))
    layout.html(written(reader, _all_communes, window))
    layout.download(reader, "workload", lambda: _by_load(ahead, window), simulated=ahead.simulated)


def _all_communes(reader: Reader, window: Window) -> str:
    rows = _by_load(work_ahead(reader.build, reader.today), window).to_dicts()
    return _marked_up(reader, "load.communes", _commune_columns(reader), rows, "tall")


def _by_load(ahead: Work, window: Window) -> pl.DataFrame:
    return ahead.communes[window].sort("load", descending=True, nulls_last=True)


def _fields(reader: Reader, ahead: Work, window: Window) -> None:
    text, notation, names = reader.text, reader.notation, fields(reader)
    told = ahead.fields[window].sort("hours_asked", descending=True)
    layout.heading(text("load.fields"), text("load.fields_note"))

    def minutes(row: dict[str, Any]) -> str:
        source = row["source"]
        said = text("load.assumption") if source == "assumption" else source
        return f"{notation.number(row['minutes'], 1)} <small>{escape(said)}</small>"

    hours = partial(_ranged, reader, "hours_asked")
    columns = [
        Column(
            text("load.field"),
            lambda row: escape(names.get(row["category"], row["category"])),
            NAME,
        ),
        Column(text("load.minutes"), minutes, "number minor"),
        *_counts(reader),
        _on_time(reader, "number"),
        Column(text("load.hours_asked"), hours, "number minor"),
    ]
    rows = told.to_dicts()
    more = text("load.more_fields", count=len(rows) - MOST_ASKED)
    rest = _marked_up(reader, "load.fields", columns, rows[MOST_ASKED:])
    first = _marked_up(reader, "load.fields", columns, rows[:MOST_ASKED])
    layout.html(first + (tables.folded(more, rest) if len(rows) > MOST_ASKED else ""))


def _lending(reader: Reader, ahead: Work) -> None:
    text, notation = reader.text, reader.notation
    plan, places = ahead.plan, ahead.communes[WINDOWS[0]]
    names = dict(zip(places["area"], places["name"], strict=True))
    layout.heading(text("load.lending", people=LENT))
    for line in (before_after(plan, text, notation), verdict(plan, text, notation)):
        layout.html(f"<p>{escape(line)}</p>")
    lines = [
        *(move_said(move, names, text, notation) for move in plan.moves),
        *changes_said(plan, names, text, notation),
    ]
    told = "".join(f"<p>{escape(line)}</p>" for line in lines)
    if lines and plan.within_noise:
        # What is not proposed does not stand there as if it were.
        told = f"<details><summary>{escape(text('load.not_proposed'))}</summary>{told}</details>"
    if told:
        layout.html(told)


def _commune_columns(reader: Reader) -> list[Column]:
    text, notation = reader.text, reader.notation

    def people(row: dict[str, Any]) -> str:
        told = row["people"]
        return escape(text("load.untold")) if told is None else notation.number(told)

    return [
        Column(text("load.commune"), lambda row: escape(row["name"]), NAME),
        Column(text("load.people"), people, "number minor"),
        *_counts(reader, overdue="number minor"),
        _on_time(reader, "number minor"),
        Column(text("load.hours"), partial(_percent, reader, "load"), "number"),
        Column(text("load.chance"), lambda row: escape(chance(row["overload"], text)), "number"),
    ]


def _counts(reader: Reader, overdue: str = "number") -> list[Column]:
    """Received, pending, overdue; a telephone shows the columns that are not `minor`."""
    shown = {"received": "number", "pending": "number minor", "overdue": overdue}
    return [
        Column(reader.text(f"load.{name}"), partial(_ranged, reader, name), css)
        for name, css in shown.items()
    ]


def _on_time(reader: Reader, css: str) -> Column:
    return Column(reader.text("load.on_time"), partial(_percent, reader, "on_time"), css)


def _ranged(reader: Reader, name: str, row: dict[str, Any]) -> str:
    """Mean and, small, the range."""
    notation, mean = reader.notation, row[name]
    if mean is None:
        return "–"
    low, high = (_whole(row[f"{name}_{end}"]) for end in ("lower", "upper"))
    between = notation.interval(low, high)
    return f"{escape(notation.rounded(_whole(mean)))} <small>{escape(between)}</small>"


def _whole(count: float) -> float:
    """A count of dossiers without decimals; of a few, with one."""
    return float(round(count)) if count >= FEW else round(count, 1)


def _percent(reader: Reader, name: str, row: dict[str, Any]) -> str:
    notation, mean = reader.notation, row[name]
    if mean is None:
        return "–"
    ends = [WHOLE * row[f"{name}_{end}"] for end in ("lower", "upper")]
    # A range whose ends look alike tells nothing: it gets a decimal.
    decimals = int(round(ends[0]) == round(ends[1]))
    low, high = (notation.number(end, decimals) for end in ends)
    told = notation.share(WHOLE * mean, decimals)
    return f"{escape(told)} <small>{escape(f'{low}–{high}%')}</small>"


def _table(reader: Reader, key: str, columns: list[Column], rows: list[dict[str, Any]]) -> None:
    layout.html(_marked_up(reader, key, columns, rows))


def _marked_up(
    reader: Reader, key: str, columns: list[Column], rows: list[dict[str, Any]], css: str = ""
) -> str:
    return tables.table(reader.text(key), columns, rows, f"cf-load {css}")
