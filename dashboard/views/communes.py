"""All communes: where the workload grows, and the history and forecast of one of them."""

from html import escape
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from dashboard import layout, tables
from dashboard.filters import choose
from dashboard.outlines import NoOutlines, named, outlines
from dashboard.places import commune_name, expected, growth_rows, kind_word, legend
from dashboard.published import CITY
from dashboard.ranking import place, ranked, summary
from dashboard.reader import Reader
from dashboard.similar import similar
from dashboard.tables import Column
from dashboard.views import behind, explanation, provenance
from dashboard.views.cache import drawn
from dashboard.workload import TOTAL, fields, year_of
from dashboard.workload_charts import RECEIVED, commune_fan, map_of, names
from forecasts.explain import Series

ALL = "all"
OUTLINES = "outlines"


def draw(reader: Reader) -> None:
    """The page."""
    text = reader.text
    layout.head(reader, text("communes.title"))
    with layout.simulated_section(text, "communes"):
        field, province, area = _filters(reader)
        rows = ranked(reader, field)
        if rows["received"].null_count() == len(rows):
            # A map without a colour and a table of dashes say less than a sentence.
            _without(reader, field, area)
            return
        # On a telephone the commune that is asked for stands before the map.
        with st.container(key="communes_shown"):
            with st.container(key="communes_map"):
                layout.html(f'<p class="cf-lead">{escape(summary(reader, rows))}</p>')
                _map(reader, field, area)
            if area != ALL:
                with st.container(key="communes_one"):
                    _one(reader, rows.filter(pl.col("code") == area).row(0, named=True), field)
        behind.carried(reader, field)
        _all(reader, rows, province)


def _without(reader: Reader, field: str, area: str) -> None:
    """Without a forecast there is no order and no map; what a commune received is there all the
    same."""
    text = reader.text
    known = not reader.rows("workload", area=CITY, category=TOTAL).is_empty()
    missing = "no_forecast" if known else "no_figures"
    layout.heading(text(f"communes.{missing}"), text(f"communes.{missing}_note"))
    if known and area != ALL:
        found = reader.rows("communes").filter(code=area).row(0, named=True)
        _past(reader, found, field)


def _past(reader: Reader, row: dict[str, Any], field: str) -> None:
    """A commune without a forecast: that is said, and what it received is drawn."""
    layout.heading(row["name"], reader.text("workload.none"))
    if not reader.rows("workload", area=row["code"], category=field).is_empty():
        drawing = drawn(reader, commune_fan, row["code"], row["name"], field)
        layout.figure(reader, drawing, "commune", row["name"], RECEIVED, simulated=True)


def _filters(reader: Reader) -> tuple[str, str, str]:
    text = reader.text
    titles = {TOTAL: text("fields.all")} | fields(reader)
    places = reader.rows("communes")
    provinces = {ALL: text("communes.everywhere")} | {
        row["parent"]: text("communes.former", name=reader.text.pick(row["parent_name"], None))
        for row in places.unique("parent", maintain_order=True).to_dicts()
    }
    communes_by = {ALL: text("communes.none")} | {
        row["code"]: f"{row['name']} ({kind_word(reader, row)})" for row in places.to_dicts()
    }
    one, two, three = st.columns(3)
    with one:
        field = choose("field", text("fields.label"), list(titles), titles.__getitem__)
    with two:
        province = choose(
            "province", text("communes.province"), list(provinces), provinces.__getitem__
        )
    with three:
        area = choose("area", text("communes.commune"), list(communes_by), communes_by.__getitem__)
    return field, province, area


def _map(reader: Reader, field: str, area: str) -> None:
    """Tiles first; true outlines at one tap, where the site has a file of them."""
    text, path = reader.text, named()
    titles = {"tiles": text("communes.map_tiles"), OUTLINES: text("communes.map_outlines")}
    kind = choose("shape", text("communes.map"), list(titles), titles.__getitem__) if path else ""
    note, corners = text("communes.tiles_note"), None
    if path and kind == OUTLINES:
        note, corners = _outlines(reader, path)
    layout.heading(text("tiles.title"))
    if corners is None:
        drawing = drawn(reader, names, field, area)
    else:
        drawing = map_of(reader, field, area, corners)
    layout.draw(drawing, "map", layout.noted(note) + legend(reader), _pick)
    title = reader.text("tiles.title")
    layout.chart_files(reader, drawing, "map", title, RECEIVED, simulated=True)


def _outlines(reader: Reader, path: Path) -> tuple[str, pl.DataFrame | None]:
    """What is said of the map, and its corners; none where the file cannot be used."""
    text, codes = reader.text, reader.rows("communes")["code"].to_list()
    try:
        corners = outlines(path, codes)
    except NoOutlines:
        return text("communes.outlines_unread", file=path.name), None
    missing = len(codes) - corners["code"].n_unique()
    note = text("communes.outlines_note", file=path.name)
    lacking = text("communes.outlines_missing", count=missing) if missing else ""
    return f"{note} {lacking}".strip(), corners


def _pick() -> None:
    """A tile was tapped: choose its commune."""
    picked = st.session_state["map"]["selection"].get("pick", [])
    if picked:
        st.session_state["area"] = picked[0]["code"]


def _one(reader: Reader, row: dict[str, Any], field: str) -> None:
    text, notation = reader.text, reader.notation
    year = year_of(reader, "commune", row["code"], field)
    if year is None:
        _past(reader, row, field)
        return
    finding = text(
        "communes.finding",
        name=row["name"],
        expected=notation.rounded(year.expected),
        change=notation.change(year.change),
    )
    layout.heading(
        finding,
        text(
            "communes.facts",
            population=notation.number(row["population"]),
            on_time=notation.share(row["on_time"]),
            overdue=notation.number(row["overdue"]),
            interval=notation.interval(year.lowest, year.highest),
        ),
    )
    drawing = drawn(reader, commune_fan, row["code"], row["name"], field)
    layout.figure(reader, drawing, "commune", finding, RECEIVED, simulated=True)
    layout.html(f'<p class="cf-note">{_made_of(reader, row["code"])}</p>')
    series = Series(RECEIVED, row["code"], field, "month")
    first = reader.rows("workload", area=row["code"], category=field)["period"].min()
    category = None if field == TOTAL else field
    layout.html(
        behind.came_out(reader, series)
        + behind.events(reader, RECEIVED, row["code"], first, category)  # type: ignore[arg-type]
    )
    explanation.draw(reader, series, text("workload.unit"))
    provenance.of_series(reader, RECEIVED)
    _before_and_now(reader, row)
    _similar(reader, row, field)


def _before_and_now(reader: Reader, row: dict[str, Any]) -> None:
    """The last full year before the merger: as each place reported it, and as carried over."""
    text, notation = reader.text, reader.notation
    found = reader.rows("before_and_now", area=row["code"]).to_dicts()
    if not found:
        return
    columns = [
        Column(text("communes.place"), lambda one: _place_then(reader, one), "name"),
        Column(text("communes.then"), lambda one: notation.number(one["value"]), "number"),
        Column(text("communes.weight"), lambda one: _weight(reader, one), "number"),
        Column(text("communes.carried"), lambda one: notation.number(one["carried"]), "number"),
    ]
    year = found[0]["year"]
    layout.heading(text("communes.before_and_now", year=year), text("communes.before_note"))
    layout.html(tables.table(text("communes.before_and_now", year=year), columns, found))
    total = notation.number(sum(one["carried"] or 0 for one in found))
    now = notation.number(found[0]["now"])
    said = text("communes.now", year=year, parts=total, now=now)
    layout.html(f'<p class="cf-note">{escape(said)}</p>')


def _place_then(reader: Reader, one: dict[str, Any]) -> str:
    """The Vietnamese name has no kind of its own; the English one ends in it."""
    told = f"{one['kind']} {one['name']}"
    return escape(reader.text.pick(told, one["name_en"]))


def _weight(reader: Reader, one: dict[str, Any]) -> str:
    share = reader.notation.share(one["weight"] * 100, 0)
    return f"{share} {escape(reader.text('communes.estimated'))}" if one["estimated"] else share


def _similar(reader: Reader, row: dict[str, Any], field: str) -> None:
    """Communes to compare with, each with what makes it alike."""
    text, notation = reader.text, reader.notation
    found = similar(ranked(reader, field), row["code"]).to_dicts()
    if not found:
        return
    lang = "&lang=en" if reader.lang == "en" else ""

    def named(one: dict[str, Any]) -> str:
        page = f"communes?area={one['code']}{lang}"
        return f'<a target="_self" href="{page}">{commune_name(reader, one)}</a>'

    columns = [
        Column(text("places.commune"), named, "name"),
        Column(text("similar.people"), lambda one: notation.number(one["population"]), "number"),
        Column(text("similar.rate"), lambda one: notation.number(one["per_thousand"]), "number"),
        Column(text("places.on_time"), lambda one: notation.share(one["on_time"]), "number"),
        Column(text("places.change"), lambda one: notation.change(one["change"]), "number"),
    ]
    layout.heading(text("similar.title", name=row["name"]), text("similar.note"))
    layout.html(tables.table(text("similar.title", name=row["name"]), columns, found))


def _made_of(reader: Reader, area: str) -> str:
    """The former communes, and how far the history before the merger is estimated."""
    text = reader.text
    parts = []
    rows = reader.rows("predecessors", area=area)
    for row in rows.to_dicts():
        share = ""
        if row["estimated"]:
            share = (
                f" ({reader.notation.share(row['weight'] * 100, 0)}, {text('communes.estimated')})"
            )
        parts.append(f"{row['kind']} {row['name']}{share}")
    history = reader.rows("workload", area=area, category=TOTAL).filter(
        pl.col("indicator") == RECEIVED
    )
    largest = max((value for value in history["estimated_share"] if value), default=0)
    words = [text("communes.made_of", names=", ".join(parts))] if parts else []
    if largest:
        words.append(text("communes.share", share=reader.notation.share(largest * 100, 0)))
        if history["lower"].is_not_null().any():
            words.append(text("communes.share_band"))
    return escape(" ".join(words))


def _all(reader: Reader, rows: pl.DataFrame, province: str) -> None:
    text, notation = reader.text, reader.notation
    shown = rows if province == ALL else rows.filter(pl.col("parent") == province)
    layout.heading(text("communes.all", count=len(shown)), text("communes.all_note"))
    columns = [
        Column(text("ranking.place"), place, "rank"),
        Column(text("places.commune"), lambda row: commune_name(reader, row), "name"),
        Column(text("tiles.former"), lambda row: escape(row["parent_name"]), "minor"),
        Column(
            text("places.received"), lambda row: notation.number(row["received"]), "number minor"
        ),
        Column(text("places.expected"), lambda row: expected(reader, row), "number"),
        Column(text("places.change"), lambda row: notation.change(row["change"]), "number strong"),
        Column(text("places.on_time"), lambda row: notation.share(row["on_time"]), "number least"),
        Column(text("places.overdue"), lambda row: notation.number(row["overdue"]), "number minor"),
    ]
    layout.html(tables.table(text("communes.title"), columns, shown.to_dicts(), "tall"))
    layout.download(reader, "communes", lambda: growth_rows(shown), simulated=True)
