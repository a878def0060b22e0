"""The part of the workload page on the index of Decision 766."""

from html import escape

import polars as pl

from dashboard import layout, tables
from dashboard.published import CITY
from dashboard.reader import Reader
from dashboard.scorecard import Scorecard, Scored, scorecard
from dashboard.tables import Column

KINDS = {"scored": "good", "partly": "warning"}


def draw(reader: Reader, *, simulated: bool) -> None:
    """Points over the points applicable, then the criteria: those with points first."""
    text, notation = reader.text, reader.notation
    found = scorecard(reader, CITY)
    month = notation.period("month", found.month, found.month) if found.month else "–"
    layout.heading(text("scorecard.title"), text("scorecard.note", month=month))
    layout.html(f'<p class="cf-lead">{_lead(reader, found)}</p>')
    columns = [
        Column(text("scorecard.criterion"), lambda one: _criterion(reader, one), "subject"),
        Column(text("scorecard.ratio"), lambda one: _ratio(reader, one), "number least"),
        Column(text("scorecard.points"), lambda one: _points(reader, one), "number strong"),
        Column(text("scorecard.state"), lambda one: _state(reader, one)),
    ]
    # What nobody can score yet waits behind a line.
    known = [one for one in found.criteria if one.points is not None]
    rest = [one for one in found.criteria if one.points is None]
    more = text("scorecard.more", count=len(rest))
    shown = tables.table(text("scorecard.title"), columns, known) if known else ""
    layout.html(shown + (tables.folded(more, tables.table(more, columns, rest)) if rest else ""))
    layout.download(reader, "scorecard_766", lambda: _rows(found), simulated=simulated)


def _lead(reader: Reader, found: Scorecard) -> str:
    text, notation = reader.text, reader.notation
    whole = notation.number(found.whole)
    if not found.applicable:
        return text("scorecard.none", all=whole)
    return text(
        "scorecard.lead",
        points=notation.number(found.points, 1),
        applicable=notation.number(found.applicable),
        unknown=notation.number(found.whole - found.applicable),
        all=whole,
    )


def _criterion(reader: Reader, one: Scored) -> str:
    row = dict(one.criterion)
    return f"{escape(reader.title(row))}<br><small>{escape(reader.title(row, 'group'))}</small>"


def _ratio(reader: Reader, one: Scored) -> str:
    return reader.notation.share(None if one.ratio is None else 100 * one.ratio)


def _points(reader: Reader, one: Scored) -> str:
    notation, most = reader.notation, one.criterion["points"]
    if one.points is None:
        return f"– <small>/ {notation.number(most)}</small>" if most else "–"
    return f"{notation.number(one.points, 1)} <small>/ {notation.number(one.applicable)}</small>"


def _state(reader: Reader, one: Scored) -> str:
    return tables.chip(reader.text(f"scorecard.{one.state}"), KINDS.get(one.state, ""))


def _rows(found: Scorecard) -> pl.DataFrame:
    """A row a criterion, as it leaves the house."""
    rows = [
        {
            **one.criterion,
            "month": found.month,
            "state": one.state,
            "ratio": one.ratio,
            "points_given": one.points,
            "points_applicable": one.applicable or None,
        }
        for one in found.criteria
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
