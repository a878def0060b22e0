"""The first screen: five things, published figures beside their targets, (simulated) workload."""

from html import escape

import polars as pl
import streamlit as st

from dashboard import cards, headline_table, layout, places, tables
from dashboard.condition import nothing_accepted
from dashboard.filters import choose
from dashboard.five_things import MARKS, Thing, address, five_things, unjudged
from dashboard.published import CITY, Headline, headlines
from dashboard.ranking import others, ranked, summary, told_apart
from dashboard.reader import Reader
from dashboard.targets import SHAPES
from dashboard.views import received
from dashboard.views.cache import drawn, written
from dashboard.workload import (
    LEAST,
    RANKED,
    STRONG,
    TOTAL,
    Year,
    pulse,
    year_of,
)
from dashboard.workload_charts import RECEIVED, ranks

KINDS = {
    "off_course": "bad",
    "missed": "bad",
    "at_risk": "warning",
    "outside": "warning",
    "late": "plain",
}
"""The colour beside word and shape of each state."""


def draw(reader: Reader) -> None:
    """The page."""
    found = headlines(reader)
    layout.head(reader, reader.text("overview.title"))
    _five(reader)
    _published(reader, found)
    with layout.simulated_section(reader.text, "workload", below=True):
        # What depends on the field runs again alone.
        st.fragment(_workload)(reader)
        _multiples(reader)


def _five(reader: Reader) -> None:
    """What to know first; apart from it, what cannot be judged yet."""
    text = reader.text
    found = five_things(reader)
    layout.heading(text("five.title"), text("five.note") if found else "")
    if not found:
        # No figure, no verdict: nothing wrong is not the same as nothing known.
        key = "five.unknown" if nothing_accepted(reader) else "five.nothing"
        layout.html(f'<p class="cf-lead">{escape(text(key))}</p>')
    layout.html(
        f'<div class="cf-five" role="list">{"".join(_thing(reader, t) for t in found)}</div>'
    )
    unknown = unjudged(reader)
    if unknown:
        page = address(reader, "targets")
        named = f"{SHAPES['unknown']} {escape(unknown.sentence)}"
        layout.html(f'<p class="cf-unjudged"><a target="_self" href="{page}">{named}</a></p>')


def _thing(reader: Reader, thing: Thing) -> str:
    """One link: state by word and shape, what it is of, the sentence."""
    simulated = tables.chip(reader.text("simulated.short"), "warning") if thing.simulated else ""
    return (
        f'<div role="listitem"><a class="cf-thing {KINDS[thing.state]}" target="_self" '
        f'href="{escape(thing.address)}">'
        f'<span class="state">{MARKS[thing.state]} {escape(thing.word)}</span>'
        f'<span class="of">{escape(thing.title)} {simulated}</span>'
        f'<span class="said">{escape(thing.sentence)}</span></a></div>'
    )


def _published(reader: Reader, found: list[Headline]) -> None:
    text = reader.text
    layout.heading(text("overview.published"), text("overview.published_note"))
    layout.html(f'<p class="cf-note">{headline_table.lead(reader, found)}</p>')
    if not found:
        return
    layout.html(headline_table.table(reader, found))
    layout.download(reader, "published", lambda: headline_table.rows(found), simulated=False)


def _workload(reader: Reader) -> None:
    text = reader.text
    names = received.titles(reader)
    left, right = st.columns([3, 1.2], vertical_alignment="bottom")
    with left:
        layout.heading(text("workload.title"))
    with right:
        field = choose("field", text("fields.label"), list(names), lambda code: names[code])
    year = year_of(reader, "city", CITY, field)
    if year is None:
        received.past(reader, field)
        return
    layout.html(written(reader, _told, field, year))
    received.chart(reader, field, year)
    page = address(reader, "workload", field="" if field == TOTAL else field)
    layout.html(
        f'<p class="cf-note">{escape(text("workload.sum_note"))} '
        f'<a target="_self" href="{page}">{escape(text("workload.behind"))}</a></p>'
    )
    _places(reader, field)


def _told(reader: Reader, field: str, year: Year) -> str:
    """The answer in words, and the cards under it."""
    return f'<p class="cf-lead">{_answer(reader, field)}</p>{cards.cards(reader, field, year)}'


def _answer(reader: Reader, field: str) -> str:
    """How many communes grow strongly, whether any is told apart, and how service is."""
    text, notation = reader.text, reader.notation
    rows = ranked(reader, field)
    strong = rows.filter(pl.col("change") > STRONG)
    share = pulse(reader, "applications_on_time_share", CITY, field)
    parts = []
    if rows["change"].is_not_null().any():
        parts.append(
            text(
                "workload.answer" if len(strong) else "workload.answer_none",
                count=len(strong),
                all=len(rows),
                share=notation.share(STRONG * 100, 0),
            )
        )
        parts.append(escape(summary(reader, rows)))
    if share:
        parts.append(
            text(
                "workload.answer_on_time",
                share=notation.share(share.latest),
                month=notation.month(share.period),
            )
        )
    return " ".join(parts)


def _places(reader: Reader, field: str) -> None:
    text = reader.text
    rows = ranked(reader, field)
    if not len(rows) or rows["change"].null_count() == len(rows):
        layout.html(f'<p class="cf-note">{escape(text("workload.too_small", least=LEAST))}</p>')
        return
    listed = written(reader, _fastest, field)
    if not listed:
        # An order that is chance is no list.
        _tiles(reader, field)
        return
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        layout.heading(text("places.title"), text("places.note"))
        layout.html(listed)
        _others(reader, field)
        layout.download(reader, "communes", lambda: places.growth_rows(rows), simulated=True)
    with right:
        _tiles(reader, field)


def _fastest(reader: Reader, field: str) -> str:
    """Those who surely grow faster than the middle as a table; empty where nobody does."""
    top = told_apart(ranked(reader, field)).head(RANKED).to_dicts()
    columns = places.columns(reader, field)
    return tables.table(reader.text("places.title"), columns, top) if top else ""


def _others(reader: Reader, field: str) -> None:
    """In the room the faster ones leave beside the map: the surely slower, then the busiest."""
    for title in ("places.slower", "places.busiest"):
        listed = written(reader, _beside_the_map, field, title)
        if listed:
            layout.heading(reader.text(title))
            layout.html(listed)


def _beside_the_map(reader: Reader, field: str, title: str) -> str:
    """One of the two as a table; empty where no room is left for it."""
    slower, busiest = others(ranked(reader, field), RANKED)
    listed = (busiest if title == "places.busiest" else slower).to_dicts()
    columns = places.columns(reader, field)
    return tables.table(reader.text(title), columns, listed) if listed else ""


def _tiles(reader: Reader, field: str) -> None:
    title = reader.text("tiles.title")
    layout.heading(title)
    above = layout.noted(reader.text("tiles.note")) + places.legend(reader)
    drawing = drawn(reader, ranks, field)
    layout.figure(reader, drawing, "tiles", title, RECEIVED, simulated=True, above=above)


def _multiples(reader: Reader) -> None:
    """The fields side by side, where any work is counted."""
    if year_of(reader, "city", CITY, TOTAL) is None:
        return
    text = reader.text
    layout.heading(text("multiples.title"), text("multiples.note"))
    layout.html(written(reader, cards.multiples))
