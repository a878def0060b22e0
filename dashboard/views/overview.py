"""The first screen: published figures beside their targets, then the (simulated) workload and what comes."""

from html import escape
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from dashboard import layout, queries, tables
from dashboard.charts import Drawing, Fan, fan, tiles
from dashboard.filters import choose
from dashboard.published import CITY, Headline, headlines, with_unit
from dashboard.reader import Reader, today
from dashboard.sparklines import CARD, MULTIPLE, ROW, Frame, sparkline
from dashboard.tables import Column
from dashboard.theme import theme
from dashboard.views.cache import drawn
from dashboard.workload import (
    LEAST,
    RANKED,
    STEPS,
    STRONG,
    TOTAL,
    Pulse,
    Year,
    city_years,
    communes,
    fields,
    pulse,
    trail,
    year_of,
)
from etl.warehouse import NoWarehouse


def draw(reader: Reader) -> None:
    """The page."""
    found = headlines(reader)
    layout.head(reader, reader.text("overview.title"), _lead(reader, found))
    _published(reader, found)
    with layout.simulated_section(reader.text, "workload"):
        _workload(reader)


def warm(home: Path) -> None:
    """Read and draw what the first visitor will ask for."""
    try:
        reader = Reader(queries.current(home), "vi", today())
        headlines(reader)
        _fan(reader, TOTAL)
        _tiles(reader, TOTAL)
    except NoWarehouse:
        return


def _lead(reader: Reader, found: list[Headline]) -> str:
    """What a reader must know of the published figures: the first one judged, and how old they are."""
    text, notation = reader.text, reader.notation
    if not found:
        return escape(text("overview.no_figures"))
    parts = []
    judged = next((item for item in found if item.met is not None), None)
    if judged and judged.plan:
        key = "overview.lead_met" if judged.met else "overview.lead_missed"
        parts.append(
            text(
                key,
                title=escape(judged.title),
                period=_during(reader, judged.figure),
                value=with_unit(reader, judged.figure["value"], judged.unit, judged.decimals),
                plan=with_unit(reader, judged.plan["value"], judged.unit, judged.decimals),
            )
        )
    newest = min(item.age for item in found)
    parts.append(text("overview.lead_age", age=notation.age(newest)))
    return " ".join(parts)


def _period(reader: Reader, row: dict[str, Any]) -> str:
    return reader.notation.period(row["frequency"], row["period"], row["period_end"])


def _during(reader: Reader, row: dict[str, Any]) -> str:
    return reader.notation.during(row["frequency"], row["period"], row["period_end"])


def _published(reader: Reader, found: list[Headline]) -> None:
    text = reader.text
    layout.heading(text("overview.published"), text("overview.published_note"))
    if not found:
        return
    columns = [
        Column(text("figure.indicator"), lambda item: _subject(reader, item), "subject"),
        Column(text("figure.latest"), lambda item: _value(reader, item), "number"),
        Column(text("figure.period"), lambda item: _when(reader, item)),
        Column(text("figure.target"), lambda item: _target(reader, item)),
        Column(text("figure.source"), lambda item: _source(reader, item), "source"),
    ]
    layout.html(tables.table(text("overview.published"), columns, found, "cf-figures"))
    layout.download(reader, "published", lambda: _rows(reader, found), simulated=False)


def _rows(reader: Reader, found: list[Headline]) -> pl.DataFrame:
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
    text = reader.text
    status = text(f"status.{item.figure['status']}")
    old = text("figure.age", age=reader.notation.age(item.age))
    return f"{_period(reader, item.figure)} <small>· {escape(status)}<br>{escape(old)}</small>"


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


def _workload(reader: Reader) -> None:
    text = reader.text
    names = {TOTAL: text("fields.all")} | fields(reader)
    left, right = st.columns([3, 1.2], vertical_alignment="bottom")
    with left:
        layout.heading(text("workload.title"))
    with right:
        field = choose("field", text("fields.label"), list(names), lambda code: names[code])
    year = year_of(reader, "city", CITY, field)
    if year is None:
        layout.html(f'<p class="cf-lead">{escape(text("workload.none"))}</p>')
        return
    layout.html(f'<p class="cf-lead">{_answer(reader, field)}</p>')
    layout.html(_cards(reader, field, year))
    layout.heading(_finding(reader, year), text("workload.fan_note", field=names[field]))
    layout.draw(drawn(reader, _fan, field), "fan")
    layout.html(f'<p class="cf-note">{escape(text("workload.sum_note"))}</p>')
    _places(reader, field)
    _multiples(reader, names)


def _answer(reader: Reader, field: str) -> str:
    """One sentence: how many communes grow strongly, which most, and how service is."""
    text, notation = reader.text, reader.notation
    rows = communes(reader, field)
    strong = rows.filter(pl.col("change") > STRONG)
    first = rows.filter(pl.col("rank") == 1)
    share = pulse(reader, "applications_on_time_share", CITY, field)
    parts = []
    if len(first):
        key = "workload.answer" if len(strong) else "workload.answer_none"
        parts.append(
            text(
                key,
                count=len(strong),
                all=len(rows),
                share=notation.share(STRONG * 100, 0),
                first=escape(first["name"].item()),
                change=notation.change(first["change"].item()),
            )
        )
    if share:
        parts.append(
            text(
                "workload.answer_on_time",
                share=notation.share(share.latest),
                month=notation.month(share.period),
            )
        )
    return " ".join(parts)


def _finding(reader: Reader, year: Year) -> str:
    change = year.change or 0
    key = "flat" if round(change * 100) == 0 else ("up" if change > 0 else "down")
    return reader.text(
        f"finding.{key}",
        expected=reader.notation.rounded(year.expected),
        change=reader.notation.change(abs(change)).lstrip("+"),
    )


def _cards(reader: Reader, field: str, year: Year) -> str:
    text, notation = reader.text, reader.notation
    city = trail(reader, "city", CITY, field)
    past, ahead = city.filter(~pl.col("ahead")), city.filter("ahead").head(12)
    months = past["value"].to_list()
    received = _card(
        text("card.received"),
        notation.compact(year.received),
        _versus(reader, notation.change(year.change_before)) if year.change_before else "",
        sparkline(CARD, months),
    )
    interval = notation.interval(year.lowest, year.highest)
    expected = _card(
        text("card.expected"),
        f"≈ {notation.rounded(year.expected)}",
        f"<b>{notation.change(year.change)}</b> · {escape(text('card.at_most', interval=interval))}",
        sparkline(CARD, months[-36:], ahead["value"].to_list()),
    )
    rest = [
        _share_card(reader, "on_time", pulse(reader, "applications_on_time_share", CITY, field)),
        _stock_card(reader, field),
        _share_card(reader, "online", pulse(reader, "applications_online_share", CITY, field)),
    ]
    return f'<div class="cf-cards">{"".join([received, expected, *rest])}</div>'


def _card(name: str, value: str, more: str, image: str) -> str:
    number, _, unit = value.partition(" ") if not value.startswith("≈") else _after(value)
    shown = f"{number} <small>{unit}</small>" if unit else number
    picture = layout.image(image, f"{name}: {value}") if image else ""
    return (
        f'<div class="cf-card"><div class="name">{escape(name)}</div>'
        f'<div class="value">{shown}</div><div class="more">{more}</div>{picture}</div>'
    )


def _after(value: str) -> tuple[str, str, str]:
    number, blank, unit = value[2:].partition(" ")
    return f"≈ {number}", blank, unit


def _versus(reader: Reader, change: str, kind: str = "") -> str:
    bold = f'<b class="{kind}">{change}</b>'
    return f"{bold} {escape(reader.text('card.versus'))}"


def _share_card(reader: Reader, name: str, found: Pulse | None) -> str:
    text, notation = reader.text, reader.notation
    if found is None:
        return _card(text(f"card.{name}"), "–", escape(text("card.none")), "")
    gap = found.difference
    kind = "" if not gap or not round(gap, 1) else ("cf-good" if gap > 0 else "cf-bad")
    more = _versus(reader, notation.points(gap), kind) if gap is not None else ""
    more = f"{escape(notation.period('month', found.period, found.period))} · {more}"
    value = notation.share(found.latest)
    return _card(text(f"card.{name}"), value, more, sparkline(CARD, found.months))


def _stock_card(reader: Reader, field: str) -> str:
    """Overdue at the end of the month, of those pending."""
    text, notation = reader.text, reader.notation
    overdue = pulse(reader, "applications_overdue", CITY, field)
    pending = pulse(reader, "applications_pending", CITY, field)
    if overdue is None or pending is None:
        return _card(text("card.overdue"), "–", escape(text("card.none")), "")
    more = escape(text("card.pending", pending=notation.number(pending.latest)))
    if overdue.change is not None:
        kind = "cf-bad" if overdue.change > 0 else "cf-good"
        more += f"<br>{_versus(reader, notation.change(overdue.change), kind)}"
    value = notation.number(overdue.latest)
    return _card(text("card.overdue"), value, more, sparkline(CARD, overdue.months))


def _fan(reader: Reader, field: str) -> Drawing:
    text = reader.text
    rows = reader.rows("workload", area=CITY, category=field)
    observed = rows.filter(pl.col("indicator") == "applications_received").with_columns(
        status=pl.lit("final")
    )
    ahead = reader.rows(
        "fan", indicator="applications_received", area=CITY, category=field, frequency="month"
    )
    last = observed["period"].max()
    content = Fan(
        observed=observed,
        ahead=ahead,
        frequency="month",
        unit=text("workload.unit"),
        simulated=True,
        title=text("workload.fan_title"),
        origin_note=text("chart.data_until", month=reader.notation.month(last)) if last else "",
    )
    return fan(reader, content)


def _tiles(reader: Reader, field: str) -> Drawing:
    return tiles(reader, communes(reader, field), names=False)


def _places(reader: Reader, field: str) -> None:
    text = reader.text
    rows = communes(reader, field)
    if rows["change"].is_null().all():
        layout.html(f'<p class="cf-note">{escape(text("workload.too_small", least=LEAST))}</p>')
        return
    left, right = st.columns([1.45, 1], gap="large")
    with left:
        layout.heading(text("places.title"), text("places.note"))
        top = rows.filter(pl.col("rank") <= RANKED).to_dicts()
        layout.html(tables.table(text("places.title"), _place_columns(reader, field), top))
        layout.download(reader, "communes", lambda: growth_rows(rows), simulated=True)
    with right:
        layout.heading(text("tiles.title"), text("tiles.note"))
        layout.html(legend(reader))
        layout.draw(drawn(reader, _tiles, field), "tiles")


def growth_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The communes as they leave the house."""
    return rows.drop("tile_row", "tile_col", "parent_name", "parent_name_en", "received_before")


def _place_columns(reader: Reader, field: str) -> list[Column]:
    text, notation = reader.text, reader.notation

    def spark(row: dict[str, object]) -> str:
        return layout.image(
            spark_of(reader, str(row["code"]), field), text("places.spark", name=row["name"])
        )

    return [
        Column("#", lambda row: str(int(row["rank"])), "rank"),
        Column(text("places.commune"), lambda row: commune_name(reader, row), "name"),
        Column(
            text("places.received"), lambda row: notation.number(row["received"]), "number minor"
        ),
        Column(text("places.expected"), lambda row: expected(reader, row), "number"),
        Column(text("places.change"), lambda row: notation.change(row["change"]), "number strong"),
        Column(text("places.on_time"), lambda row: notation.share(row["on_time"]), "number minor"),
        Column(text("places.trail"), spark, "number spark minor"),
    ]


def expected(reader: Reader, row: dict[str, float | None]) -> str:
    """The median of a year to come, with its range beside it."""
    median, low, high = row["expected"], row["lowest"], row["highest"]
    if median is None or low is None or high is None:
        return "–"
    interval = reader.notation.interval(low, high)
    return f"≈ {reader.notation.rounded(median)}<br><small>{interval}</small>"


def commune_name(reader: Reader, row: dict[str, object]) -> str:
    """Name and kind of a commune."""
    kind = reader.text("kind.ward" if row["kind"] == "phường" else "kind.commune")
    return f"{escape(str(row['name']))} <span>{escape(kind)}</span>"


def spark_of(reader: Reader, area: str, field: str, frame: Frame = ROW) -> str:
    """A commune's months and the expected ones after them."""
    rows = trail(reader, "commune", area, field)
    past = rows.filter(~pl.col("ahead"))["value"].to_list()
    return sparkline(frame, past, rows.filter("ahead")["value"].to_list()[:12])


def legend(reader: Reader) -> str:
    """The classes of the tile map: colours, and the bounds between them."""
    swatches = "".join(f'<i style="background:{colour}"></i>' for colour in theme().steps)
    bounds = [reader.notation.change(bound) for bound in STEPS]
    labels = "".join(f"<b>{bound}</b>" for bound in [*bounds, ""])
    title = escape(reader.text("tiles.legend"))
    return f'<p class="cf-note">{title}</p><div class="cf-legend">{swatches}{labels}</div>'


def _multiples(reader: Reader, names: dict[str, str]) -> None:
    text = reader.text
    layout.heading(text("multiples.title"), text("multiples.note"))
    shown = [_multiple(reader, names[code], code, y) for code, y in city_years(reader).items()]
    layout.html(f'<div class="cf-multiples">{"".join(shown)}</div>')


def _multiple(reader: Reader, name: str, field: str, year: Year) -> str:
    notation, text = reader.notation, reader.text
    rows = trail(reader, "city", CITY, field)
    past, ahead = rows.filter(~pl.col("ahead")), rows.filter("ahead").head(12)
    source = sparkline(
        MULTIPLE,
        past["value"].to_list(),
        ahead["value"].to_list(),
        ahead["lower"].to_list(),
        ahead["upper"].to_list(),
        mark=text("simulated.short"),
    )
    sums = f"{notation.number(year.received)} → {notation.rounded(year.expected)}"
    words = text("multiples.alt", name=name, sums=sums, change=notation.change(year.change))
    return (
        f'<div class="cf-multiple"><div class="top"><span title="{escape(name)}">{escape(name)}'
        f'</span><span class="cf-blue">{notation.change(year.change)}</span></div>'
        f'<div class="under">{sums}</div>{layout.image(source, words)}</div>'
    )
