"""What stands behind a chart with a forecast: how it came out, events in full, who carries change.

The same words under every such chart, of a published figure and of the work alike.
"""

import datetime as dt
from html import escape

import polars as pl

from dashboard import layout
from dashboard.carriers import Carried, of_communes, of_fields
from dashboard.reader import Reader
from dashboard.track_record import sentence
from dashboard.workload import TOTAL, fields
from forecasts.explain import Series
from forecasts.track_record import recent


def came_out(reader: Reader, series: Series) -> str:
    """How forecasts of this very series have come out; as replayed where too few were issued."""
    mine = (
        (pl.col("indicator") == series.indicator)
        & (pl.col("area") == series.area)
        & (pl.col("category") == series.category)
        & (pl.col("frequency") == series.frequency)
    )
    issued = recent(reader.rows("track_scores").filter(mine), series=True)
    again = recent(reader.rows("track_replayed").filter(mine), series=True)
    replayed = bool(issued.missing) and not again.missing
    said = sentence(reader.text, again if replayed else issued, series.frequency, replayed=replayed)
    return f'<p class="cf-note">{escape(said)}</p>'


def events(reader: Reader, indicator: str, area: str, first: dt.date, category: str | None) -> str:
    """The events marked on a chart in full, each with where it is written down."""
    told = []
    for event in reader.build.catalog.events_of(indicator, area, category):
        if event.day > first:
            title = reader.text.pick(event.title, event.title_en)
            words = f"{reader.notation.date(event.day)}: {title} ({event.source})."
            told.append(f"<li>{escape(words)}</li>")
    return f'<ul class="cf-note">{"".join(told)}</ul>' if told else ""


def carried(reader: Reader, field: str) -> None:
    """Which communes and fields carry the change of the last twelve months."""
    text = reader.text
    names = {
        row["code"]: f"{row['name']} ({_kind(reader, row['kind'])})"
        for row in reader.rows("communes").to_dicts()
    }
    found = [(of_communes(reader, field), names)]
    if field == TOTAL:
        found.append((of_fields(reader), fields(reader)))
    told = [_told(reader, one, called) for one, called in found if one]
    if told:
        layout.heading(text("carried.title"), text("carried.note"))
        layout.html("".join(f"<p>{escape(sentence)}</p>" for sentence in told))


def _kind(reader: Reader, kind: str) -> str:
    return reader.text("kind.ward" if kind == "phường" else "kind.commune")


def _told(reader: Reader, found: Carried, names: dict[str, str]) -> str:
    def signed(change: int) -> str:
        return f"{reader.notation.sign(change)}{reader.notation.number(abs(change))}"

    parts = [f"{names.get(code, code)} {signed(change)}" for code, change in found.parts]
    if found.count:
        others = signed(found.others)
        parts.append(reader.text("carried.others", count=found.count, change=others))
    whole = signed(found.change)
    return reader.text("carried.told", change=whole, parts=", ".join(parts))
