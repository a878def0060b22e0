"""Charts as Vega-Lite: what is drawn, in whose words, and the same in a sentence for listeners.

Data enter a finished specification as Arrow bytes: no pandas, no lock, no validation on a rerun.
Labels stand at the lines; there is no legend. Numbers and months follow the language through
`config.locale`.
"""

import datetime as dt
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import altair as alt
import polars as pl
from babel.dates import get_day_names, get_month_names

from dashboard.marks import (
    FIRST_LABEL,
    HEIGHT,
    LINE,
    PHONE,
    Goal,
    Mark,
    before_line,
    before_rows,
    before_words,
    event_layers,
    event_rows,
    goal_layers,
    goal_rows,
    in_period,
)
from dashboard.notation import Notation
from dashboard.numbers import numbers
from dashboard.reader import Reader
from dashboard.text import Text
from dashboard.theme import FONT, theme
from dashboard.workload import STEPS

NARROW = 700
"""Pixels below which labels give way."""
MOST_SHOWN = 2
"""Errors beyond so many times the benchmark's largest leave the frame."""
MANY_YEARS = 8
"""Years from which only Januaries are labelled."""
SOLID, DASHED = "━━", "╍╍"
"""How the line of a model is drawn, before its name."""
NEAR = 0.05
"""Share of the scale nearer than which two labels at the right end would touch."""
MAP_HEIGHT = 460
"""Pixels of the map in true outlines."""
LONG_NAME, LONGEST_LINE = 11, 14
"""Letters a tile holds on one line, and of two lines those beyond which each is cut."""
OLDEST = pl.CompatLevel.oldest()
ESTIMATED = 0.02
"""Share of a value resting on estimated weights from which it is drawn as estimated."""
KEPT_SHAPES = 100
STEP = {"month": 1, "quarter": 3, "year": 12}
"""Months from one period to the next."""
NUMBERS = {
    "vi": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " ₫"]},
    "en": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", " VND"]},
}


@dataclass(frozen=True)
class Drawing:
    """A chart ready to send, and what it shows in words."""

    spec: dict[str, Any]
    name: str
    """What kind of chart it is: the same for another field, commune or month."""
    alt: str
    figures: pl.DataFrame
    """What is drawn, to take away: a row a point, a tile or a month."""
    numbers: str
    """The same as a table for people, as HTML."""


@dataclass(frozen=True)
class Fan:
    """What a fan chart shows: history, then quantiles after it."""

    observed: pl.DataFrame
    """Columns period, value, lower, upper, status, estimated_share."""
    ahead: pl.DataFrame
    """Columns period, q025, q10, q50, q90, q975; may be empty."""
    frequency: str
    unit: str
    simulated: bool
    title: str
    zero: bool = True
    """Whether the scale begins at zero."""
    decimals: int = 0
    origin_note: str = ""
    """Said at the last observed period."""
    events: tuple[Mark, ...] = ()
    goals: tuple[Goal, ...] = ()
    goals_come: bool = False
    """Whether a choice may bring goals to this chart: it has a place for them from the first."""
    before: pl.DataFrame | None = None
    """The year before at the months of now: columns period and value."""
    before_label: str = ""


@dataclass(frozen=True)
class Shape:
    """All that decides the specification of a fan but its figures: charts of one shape share it."""

    lang: str
    frequency: str
    simulated: bool
    zero: bool
    decimals: int
    ticks: tuple[tuple[int, int], ...]
    """Year and month of the labels of the time axis."""
    goals: bool
    before: bool

    @property
    def text(self) -> Text:
        """Words in its language."""
        return Text(self.lang)


def fan(reader: Reader, content: Fan) -> Drawing:
    """Observed line, expected line, and the ranges of 80 % and 95 % around it."""
    shape = Shape(
        lang=reader.lang,
        frequency=content.frequency,
        simulated=content.simulated,
        zero=content.zero,
        decimals=content.decimals,
        ticks=_halves(content),
        goals=bool(content.goals) or content.goals_come,
        before=content.before is not None,
    )
    frames = {
        "observed": _unbroken(content),
        "estimated": _estimated(content),
        "ahead": _joined(content),
        "events": _event_rows(content),
        "ends": _end_rows(reader, content),
        "one": pl.DataFrame({"top": [FIRST_LABEL - LINE * len(_event_rows(content))]}),
    }
    if shape.goals:
        frames["goals"] = goal_rows(content.goals, _extent(content), zero=content.zero)
    if content.before is not None:
        frames["before"] = before_rows(content.before, content.before_label)
    figures = _figures(content)
    table = numbers(reader, figures, content.decimals)
    spec = _filled(_fan_of(shape), frames)
    return Drawing(spec, content.title, _fan_words(reader, content), figures, table)


@lru_cache(maxsize=KEPT_SHAPES)
def _fan_of(shape: Shape) -> dict[str, Any]:
    y = partial(_y, shape)
    layers = [_ground(shape), *_bands(shape)]
    layers += [before_line(y), before_words()] if shape.before else []
    layers += [*_lines(shape), *(goal_layers(y) if shape.goals else []), *event_layers()]
    layers += [_end_labels(shape), _hover(shape)]
    chart = alt.layer(*layers).properties(height=HEIGHT, width="container")
    return _specified(shape.lang, chart)


def tiles(reader: Reader, communes: pl.DataFrame, *, names: bool, chosen: str = "") -> Drawing:
    """One tile a commune, coloured by expected growth, with names or the ranks one to ten on it."""
    frames = {"tiles": _tile_rows(reader, communes, names=names, chosen=chosen)}
    figures = frames["tiles"].select("code", "name", "received", "expected", "change")
    words, table = _tile_words(reader, communes), numbers(reader, figures)
    rows = int(communes["tile_row"].max() or 0)  # type: ignore[arg-type]
    spec = _filled(_tiles_of(reader.lang, rows, names), frames)
    return Drawing(spec, reader.text("tiles.title"), words, figures, table)


@lru_cache(maxsize=KEPT_SHAPES)
def _tiles_of(lang: str, rows: int, names: bool) -> dict[str, Any]:
    text = Text(lang)
    place = alt.Chart(alt.NamedData("tiles")).encode(
        x=alt.X("tile_col:O", axis=None, scale=alt.Scale(paddingInner=0.06, paddingOuter=0)),
        y=alt.Y("tile_row:O", axis=None, scale=alt.Scale(paddingInner=0.08, paddingOuter=0)),
        tooltip=_commune_tips(text),
    )
    rectangles = place.mark_rect(cornerRadius=2, cursor="pointer" if names else "default").encode(
        fill=alt.Fill("colour:N", scale=None),
        stroke=alt.Stroke("stroke:N", scale=None),
        strokeWidth=alt.value(2.5),
    )
    if names:
        rectangles = rectangles.add_params(
            alt.selection_point(name="pick", fields=["code"], toggle=False, empty=False)
        )
    label = place.mark_text(fontSize=12 if names else 13, fontWeight=500 if names else 700)
    label = label.encode(text="label:N", color=alt.Color("ink:N", scale=None))
    layers = [rectangles, *(_when_wide(label) if names else [label])]
    height = (rows + 1) * (36 if names else 29)
    return _specified(lang, alt.layer(*layers).properties(width="container", height=height))


def outlined(
    reader: Reader, communes: pl.DataFrame, corners: pl.DataFrame, *, chosen: str = ""
) -> Drawing:
    """The same in true outlines; `corners` as `dashboard.outlines.outlines` gives them."""
    rows = _tile_rows(reader, communes, names=True, chosen=chosen)
    figures = rows.select("code", "name", "received", "expected", "change")
    words, table = _tile_words(reader, communes), numbers(reader, figures)
    across, along = (max(corners[axis]) / 2 for axis in ("x", "y"))
    frames = {"tiles": rows, "corners": corners}
    spec = _filled(_outlined_of(reader.lang, across, along), frames)
    return Drawing(spec, reader.text("tiles.title"), words, figures, table)


@lru_cache(maxsize=KEPT_SHAPES)
def _outlined_of(lang: str, across: float, along: float) -> dict[str, Any]:
    text = Text(lang)
    # One cell is as wide as it is high, whatever the frame: its half height in cells.
    half = f"max({along}, {across} * height / width) * 1.02"
    ends = {
        "x": [f"{across} {sign} {half} * width / height" for sign in "-+"],
        "y": [f"{along} {sign} {half}" for sign in "-+"],
    }
    scales = {
        axis: alt.Scale(domainMin=alt.expr(low), domainMax=alt.expr(high), zero=False, nice=False)
        for axis, (low, high) in ends.items()
    }
    told = ["name", "parent_name", "received", "expected", "change", "note", "colour", "stroke"]
    closed: dict[str, Any] = {"interpolate": "linear-closed", "strokeJoin": "round"}
    corners = (
        alt.Chart(alt.NamedData("corners"))
        .transform_lookup("code", from_=alt.LookupData(alt.NamedData("tiles"), "code", told))
        .encode(
            x=alt.X("x:Q", axis=None, scale=scales["x"]),
            y=alt.Y("y:Q", axis=None, scale=scales["y"]),
            order="at:Q",
            detail=["part:N", "code:N"],
        )
    )
    shapes = (
        corners.mark_line(cursor="pointer", **closed)
        .encode(
            fill=alt.Fill("colour:N", scale=None),
            stroke=alt.value(theme().page),
            strokeWidth=alt.value(1),
            tooltip=_commune_tips(text),
        )
        .add_params(alt.selection_point(name="pick", fields=["code"], toggle=False, empty=False))
    )
    ring = corners.transform_filter("datum.stroke !== 'transparent'").mark_line(**closed)
    ring = ring.encode(stroke=alt.Stroke("stroke:N", scale=None), strokeWidth=alt.value(2.5))
    layers = alt.layer(shapes, ring).properties(width="container", height=MAP_HEIGHT)
    return _specified(lang, layers)


def _commune_tips(text: Text) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("name:N", title=text("tiles.commune")),
        alt.Tooltip("parent_name:N", title=text("tiles.former")),
        alt.Tooltip("received:Q", title=text("tiles.received"), format=",.0f"),
        alt.Tooltip("expected:Q", title=text("tiles.expected"), format=",.3r"),
        alt.Tooltip("change:Q", title=text("tiles.change"), format="+.0%"),
        alt.Tooltip("note:N", title=text("simulated.title")),
    ]


def by_horizon(
    reader: Reader, scores: pl.DataFrame, titles: dict[str, str], benchmark: str
) -> Drawing:
    """Error of each model by periods ahead; the benchmark dashed, the best in blue."""
    colours, text = theme(), reader.text
    means = scores.group_by("model").agg(pl.col("mase").mean()).sort("mase")
    best = means["model"][0]
    shades = {best: colours.forecast, benchmark: colours.observed}
    framed = scores.filter(pl.col("model").is_in([best, benchmark]))
    cap = MOST_SHOWN * max(framed["mase"], default=1.0)
    rows = scores.select("model", "horizon", "mase").with_columns(
        name=pl.col("model").replace_strict(titles, default=pl.col("model")),
        colour=pl.col("model").replace_strict(shades, default=colours.band_80),
        width=pl.when(pl.col("model").is_in([best, benchmark])).then(2.4).otherwise(1.2),
    )
    base = alt.Chart(alt.NamedData("scores")).encode(
        x=alt.X(
            "horizon:Q",
            scale=alt.Scale(zero=False, nice=False),
            title=text("accuracy.horizon"),
            axis=alt.Axis(tickMinStep=1, grid=False),
        ),
        y=alt.Y(
            "mase:Q", title=None, scale=alt.Scale(domain=[0, cap]), axis=alt.Axis(format=".2~f")
        ),
        color=alt.Color("colour:N", scale=None),
        detail="model:N",
        tooltip=[
            alt.Tooltip("name:N", title=text("accuracy.model")),
            alt.Tooltip("horizon:Q", title=text("accuracy.horizon")),
            alt.Tooltip("mase:Q", title=text("accuracy.mase"), format=".3f"),
        ],
    )
    lines = base.mark_line(clip=True).encode(
        strokeWidth=alt.StrokeWidth("width:Q", scale=None),
        strokeDash=alt.condition(
            alt.datum.model == benchmark, alt.value([6, 4]), alt.value([1, 0])
        ),
    )
    keyed = [(best, 0), (benchmark, 1)] if best != benchmark else [(best, 0)]
    labelled = pl.DataFrame(
        [
            (f"{DASHED if name == benchmark else SOLID} {titles.get(name, name)}", shades[name], n)
            for name, n in keyed
        ],
        schema=["name", "colour", "line"],
        orient="row",
    )
    # Above the frame: no line can come there, at whatever width.
    labels = [
        alt.Chart(alt.NamedData("labels"))
        .transform_filter(alt.datum.line == line)
        .mark_text(
            x={"expr": "width"}, y=-6 - 16 * line, align="right", baseline="bottom", fontWeight=600
        )
        .encode(text="name:N", color=alt.Color("colour:N", scale=None))
        for _, line in keyed
    ]
    layers = [lines, *labels]
    if bool(scores["simulated"].any()):
        layers.insert(0, _watermark(reader))
    chart = alt.layer(*layers).properties(width="container", height=280)
    frames = {"scores": rows, "labels": labelled, "one": pl.DataFrame({"one": [1]})}
    shown = means.with_columns(pl.col("model").replace_strict(titles, default=pl.col("model")))
    listed = ", ".join(f"{name} {reader.notation.fixed(mase, 2)}" for name, mase in shown.rows())
    spec = _finish(reader, chart, frames)
    named = scores.with_columns(pl.col("model").replace_strict(titles, default=pl.col("model")))
    alt_text = text("accuracy.alt", listed=listed)
    return Drawing(spec, text("accuracy.chart"), alt_text, scores, numbers(reader, named))


def _figures(content: Fan) -> pl.DataFrame:
    """Observed values, then quantiles of what is expected: a row a period."""
    shown = ("value", "lower", "upper", "status", "estimated_share")
    observed = content.observed.sort("period").select("period", *shown)
    figures = pl.concat([observed, content.ahead.sort("period")], how="diagonal_relaxed")
    if content.before is None:
        return figures
    before = content.before.select("period", before="value")
    return figures.join(before, on="period", how="left", maintain_order="left")


def _unbroken(content: Fan) -> pl.DataFrame:
    """The observed values; a new `piece` begins after a gap, so that no line bridges it."""
    months = pl.col("period").dt.year() * 12 + pl.col("period").dt.month()
    step = STEP.get(content.frequency, 1)
    return content.observed.sort("period").select(
        "period",
        "value",
        "status",
        "lower",
        "upper",
        estimated=pl.col("estimated_share").fill_null(0) > ESTIMATED,
        piece=(months.diff() > step).fill_null(False).cum_sum(),
    )


def _estimated(content: Fan) -> pl.DataFrame:
    """The estimated part of the history, with the first value after it so that the lines meet."""
    rows = _unbroken(content)
    last = rows.filter("estimated")["period"].to_list()[-1:]
    if not last:
        return rows.clear()
    meeting = rows.filter(~pl.col("estimated") & (pl.col("period") > last[0])).head(1)
    return pl.concat([rows.filter("estimated"), meeting]).with_columns(
        pl.col("lower", "upper").fill_null(pl.col("value"))
    )


def _joined(content: Fan) -> pl.DataFrame:
    """The forecast, begun at the last observed value so that band and line join it."""
    columns = ["q025", "q10", "q50", "q90", "q975"]
    ahead = content.ahead.select("period", *columns)
    if ahead.is_empty() or content.observed.is_empty():
        return ahead
    last = content.observed.sort("period").tail(1)
    start = last.select("period", *(pl.col("value").alias(column) for column in columns))
    return pl.concat([start, ahead], how="vertical_relaxed")


def _extent(content: Fan) -> pl.DataFrame:
    """Period, low and high of all that is drawn of figures: lines with the bands around them."""
    value = pl.col("value")
    low, high = (pl.col(end).fill_null(value) for end in ("lower", "upper"))
    parts = [
        content.observed.select("period", low=low, high=high),
        content.ahead.select("period", low="q025", high="q975"),
    ]
    if content.before is not None:
        parts.append(content.before.select("period", low=value, high=value))
    return pl.concat(parts, how="vertical_relaxed").drop_nulls()


def _y(shape: Shape, field: str) -> alt.Y:
    axis = alt.Axis(format=",~f", tickCount=5, domain=False, ticks=False)
    return alt.Y(f"{field}:Q", title=None, axis=axis, scale=alt.Scale(zero=shape.zero, nice=True))


def _ground(shape: Shape) -> alt.Chart:
    if shape.simulated:
        # Where there is little room, above the words of all events.
        return _mark_of(shape.text, {"expr": f"width < {PHONE} ? datum.top : {FIRST_LABEL}"})
    return alt.Chart(alt.NamedData("one")).mark_point(opacity=0, size=0)


def _watermark(reader: Reader) -> alt.Chart:
    """The label every chart of simulated figures carries, wherever it is copied to."""
    return _mark_of(reader.text)


def _mark_of(text: Text, y: Any = FIRST_LABEL) -> alt.Chart:
    return (
        alt.Chart(alt.NamedData("one"))
        .mark_text(
            x=0,
            y=y,
            align="left",
            baseline="bottom",
            fontSize=13,
            fontWeight=700,
            color=theme().warning,
        )
        .encode(text=alt.value(text("simulated.title")))
    )


def _bands(shape: Shape) -> list[alt.Chart]:
    base = alt.Chart(alt.NamedData("ahead"))
    colours = theme()
    x = alt.X("period:T", title=None)
    return [
        base.mark_area(color=colours.band_95).encode(x=x, y=_y(shape, "q025"), y2="q975:Q"),
        base.mark_area(color=colours.band_80).encode(x=x, y=_y(shape, "q10"), y2="q90:Q"),
    ]


def _lines(shape: Shape) -> list[alt.Chart]:
    colours = theme()
    observed = alt.Chart(alt.NamedData("observed")).encode(x=_x_of(shape), y=_y(shape, "value"))
    lines = [
        alt.Chart(alt.NamedData("estimated"))
        .mark_area(color=colours.grid)
        .encode(x=_x_of(shape), y=_y(shape, "lower"), y2="upper:Q"),
        alt.Chart(alt.NamedData("estimated"))
        .mark_line(color=colours.faint, strokeWidth=1.6, strokeDash=[2, 2])
        .encode(x=_x_of(shape), y=_y(shape, "value")),
        observed.transform_filter("!datum.estimated")
        .mark_line(color=colours.observed, strokeWidth=2.2)
        .encode(detail="piece:N"),
        alt.Chart(alt.NamedData("ahead"))
        .mark_line(color=colours.forecast, strokeWidth=2.2, strokeDash=[5, 3])
        .encode(x=alt.X("period:T", title=None), y=_y(shape, "q50")),
    ]
    if shape.frequency != "month":
        own = observed.transform_filter("!datum.estimated")
        points = own.mark_point(size=46, strokeWidth=2, opacity=1, color=colours.observed).encode(
            fill=alt.condition(
                alt.datum.status == "final", alt.value(colours.observed), alt.value(colours.page)
            )
        )
        lines.append(points)
    return lines


def _x_of(shape: Shape) -> alt.X:
    """Years, or Januaries with their year and Julys between them."""
    if shape.frequency == "year":
        axis = alt.Axis(format="%Y", tickCount=alt.expr("width < 500 ? 5 : 12"), grid=False)
        return alt.X("period:T", title=None, axis=axis, scale=alt.Scale(type="utc", padding=8))
    month = "utcFormat(datum.value, '%b')"
    january = f"[{month}, utcFormat(datum.value, '%Y')]"
    axis = alt.Axis(
        labelExpr=f"utcmonth(datum.value) == 0 ? {january} : width < {NARROW} ? '' : {month}",
        values=[alt.DateTime(year=y, month=m, date=1, utc=True) for y, m in shape.ticks],
        grid=False,
    )
    return alt.X("period:T", title=None, axis=axis, scale=alt.Scale(type="utc"))


def _halves(content: Fan) -> tuple[tuple[int, int], ...]:
    """The first of January and of July of the years shown; of January alone where they are many."""
    periods = [*content.observed["period"], *content.ahead["period"]]
    if not periods:
        return ()
    years = range(min(periods).year, max(periods).year + 1)
    months = (1, 7) if len(years) <= MANY_YEARS else (1,)
    step = 1 + len(years) // (2 * MANY_YEARS)
    return tuple(
        (year, month)
        for year in years
        for month in months
        if not year % step and min(periods) <= dt.date(year, month, 1) <= max(periods)
    )


def _event_rows(content: Fan) -> pl.DataFrame:
    """Dotted rules: what happened, and where the data end."""
    periods = content.observed["period"].to_list()
    ahead = content.ahead["period"].to_list()
    events = [
        Mark(mark.day if content.frequency == "month" else in_period(mark.day, periods), mark.label)
        for mark in content.events
    ]
    if content.origin_note and periods and ahead:
        events.append(Mark(max(periods), content.origin_note))
    return event_rows(events, [*periods, *ahead])


def _end_rows(reader: Reader, content: Fan) -> pl.DataFrame:
    """What is written at the right end of each line and band; labels too near give way."""
    shape = {"period": pl.Date, "value": pl.Float64, "label": pl.String, "colour": pl.String}
    if content.ahead.is_empty():
        return pl.DataFrame(schema=shape)
    last = content.ahead.sort("period").row(-1, named=True)
    colours = theme()
    top = max(*content.ahead["q975"].to_list(), *content.observed["value"].to_list())
    rows = [(last["period"], last["q50"], reader.text("chart.expected"), colours.forecast)]
    bottom = 0 if content.zero else min(*content.ahead["q025"], *content.observed["value"])
    for field, label in (("q90", "80%"), ("q975", "95%")):
        if abs(last[field] - rows[-1][1]) > NEAR * (top - bottom):
            rows.append((last["period"], last[field], label, colours.faint))
    return pl.DataFrame(rows, schema=shape, orient="row")


def _end_labels(shape: Shape) -> alt.Chart:
    return (
        alt.Chart(alt.NamedData("ends"))
        .mark_text(align="left", dx=6, fontSize=12, fontWeight=600)
        .encode(
            x=alt.X("period:T", title=None),
            y=_y(shape, "value"),
            text="label:N",
            color=alt.Color("colour:N", scale=None),
        )
    )


def _hover(shape: Shape) -> alt.Chart:
    """Invisible points that carry the figures of the forecast."""
    number = f",.{shape.decimals}~f" if shape.decimals else ",.3~r"
    month = "%Y" if shape.frequency == "year" else "%m/%Y"
    tips = [alt.Tooltip("period:T", title=shape.text("chart.period"), format=month)]
    for field, key in (("q50", "expected"), ("q10", "low80"), ("q90", "high80")):
        tips.append(alt.Tooltip(f"{field}:Q", title=shape.text(f"chart.{key}"), format=number))
    return (
        alt.Chart(alt.NamedData("ahead"))
        .mark_point(opacity=0, size=260)
        .encode(x=alt.X("period:T", title=None), y=_y(shape, "q50"), tooltip=tips)
    )


def _fan_words(reader: Reader, content: Fan) -> str:
    notation, text = reader.notation, reader.text
    parts = [f"{content.title}."]
    if content.simulated:
        parts.append(text("simulated.title") + ".")
    if len(content.observed):
        last = content.observed.sort("period").row(-1, named=True)
        when = notation.period(content.frequency, last["period"], last["period"])
        value = notation.number(last["value"], content.decimals)
        parts.append(text("chart.alt_observed", when=when, value=value, unit=content.unit))
    if len(content.ahead):
        end = content.ahead.sort("period").row(-1, named=True)
        parts.append(
            text(
                "chart.alt_expected",
                when=notation.period(content.frequency, end["period"], end["period"]),
                value=notation.rounded(end["q50"]),
                interval=notation.interval(end["q10"], end["q90"]),
                unit=content.unit,
            )
        )
    return " ".join([*parts, *_mark_words(reader, content)])


def _mark_words(reader: Reader, content: Fan) -> list[str]:
    """Targets, events and the year before, for those who listen."""
    text, notation = reader.text, reader.notation
    parts = []
    if content.goals:
        parts.append(text("chart.alt_goals", listed="; ".join(g.label for g in content.goals)))
    told = _event_rows(content)["label"].to_list()
    marks = [mark.label for mark in content.events if mark.label in told]
    if marks:
        parts.append(text("chart.alt_events", listed="; ".join(marks)))
    if content.before is not None and len(content.before):
        last = content.before.sort("period").row(-1, named=True)
        value = notation.number(last["value"], content.decimals)
        when = notation.period(content.frequency, last["period"], last["period"])
        parts.append(f"{content.before_label}, {when}: {value} {content.unit}.")
    return parts


def _when_wide(label: alt.Chart) -> list[alt.Chart]:
    """Names where tiles are wide enough: those of one line, and those of two, set higher."""
    size = alt.expr("width < 900 ? 9 : 12")
    shown = alt.expr(f"width < {NARROW} ? 0 : 1")
    return [
        label.transform_filter(alt.datum.lines == lines).mark_text(
            fontSize=size,
            fontWeight=500,
            opacity=shown,
            lineBreak="\n",
            lineHeight=12,
            dy=-6 * (lines - 1),
        )
        for lines in (1, 2)
    ]


def _tile_rows(reader: Reader, rows: pl.DataFrame, *, names: bool, chosen: str) -> pl.DataFrame:
    colours = theme()
    step = pl.lit(0)
    for bound in STEPS:
        step = step + (pl.col("change") >= bound).fill_null(False).cast(pl.Int32)
    shade = step.replace_strict(dict(enumerate(colours.steps)), return_dtype=pl.String)
    deep = step >= len(STEPS) - 1
    label = pl.col("name").map_elements(_two_lines, return_dtype=pl.String)
    ranked = pl.when(pl.col("rank") <= 10).then(pl.col("rank").cast(pl.Int64).cast(pl.String))
    return rows.select(
        "code",
        "tile_row",
        "tile_col",
        "received",
        "expected",
        "change",
        name=pl.concat_str(pl.col("name"), pl.lit(" ("), pl.col("kind"), pl.lit(")")),
        parent_name=pl.col("parent_name"),
        note=pl.lit(reader.text("simulated.not_real")),
        colour=pl.when(pl.col("change").is_null()).then(pl.lit(colours.panel)).otherwise(shade),
        stroke=pl.when(pl.col("code") == chosen)
        .then(pl.lit(colours.bad))
        .otherwise(pl.lit("transparent")),
        ink=pl.when(deep & pl.col("change").is_not_null())
        .then(pl.lit(colours.page))
        .otherwise(pl.lit(colours.text)),
        label=label if names else ranked.fill_null(""),
        lines=label.str.count_matches("\n", literal=True) + 1,
    )


def _two_lines(name: str) -> str:
    """A long name broken in the middle, at a blank; what no tile holds is cut, and says so."""
    words = name.split()
    if len(name) <= LONG_NAME or len(words) == 1:
        return _cut(name)
    middle = (len(words) + 1) // 2
    return "\n".join(_cut(" ".join(part)) for part in (words[:middle], words[middle:]))


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1].rstrip() + "…"


def _tile_words(reader: Reader, rows: pl.DataFrame) -> str:
    notation = reader.notation
    first = rows.filter(pl.col("rank") <= 10).sort("rank")
    listed = "; ".join(
        f"{rank}. {name} {notation.change(change)}"
        for rank, name, change in first.select("rank", "name", "change").rows()
    )
    if not listed:
        return reader.text("tiles.alt_none", count=len(rows))
    return reader.text("tiles.alt", count=len(rows), listed=listed)


def _finish(reader: Reader, chart: alt.Chart, frames: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """The checked specification in the reader's language, with its data as Arrow bytes."""
    return _filled(_specified(reader.lang, chart), frames)


def _specified(lang: str, chart: alt.Chart) -> dict[str, Any]:
    """The checked specification in a language, without data."""
    spec: dict[str, Any] = deepcopy(chart.to_dict())
    spec["config"] = _config(lang)
    spec["background"] = "transparent"
    spec["autosize"] = {"type": "fit", "contains": "padding"}
    spec["padding"] = {"left": 2, "right": 8, "top": 6, "bottom": 2}
    return spec


def _filled(spec: dict[str, Any], frames: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """A specification, which others share, with data of its own."""
    data = {
        name: _moments(frame).write_ipc_stream(None, compat_level=OLDEST).getvalue()
        for name, frame in frames.items()
    }
    return {**spec, "datasets": data}


def _moments(frame: pl.DataFrame) -> pl.DataFrame:
    """Days as milliseconds of UTC: a browser would put a date at its own midnight."""
    return frame.with_columns(pl.col(pl.Date).cast(pl.Datetime("ms")).dt.timestamp("ms") * 1.0)


def _config(lang: str) -> dict[str, Any]:
    colours = theme()
    return {
        "font": FONT,
        # One text stands for the whole chart; hundreds of unnamed shapes would only be noise.
        "aria": False,
        "mark": {"aria": False},
        "view": {"stroke": None},
        "axis": {
            "labelColor": colours.muted,
            "titleColor": colours.muted,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": 500,
            "gridColor": colours.grid,
            "domainColor": colours.rule,
            "tickColor": colours.rule,
        },
        "text": {"font": FONT},
        "locale": {"number": NUMBERS[lang], "time": _times(lang)},
    }


def _times(lang: str) -> dict[str, Any]:
    """Names of days and months; short months as `th7`, or `Jul`."""
    babel = Notation(lang).locale
    days = get_day_names("wide", locale=babel)
    months = get_month_names("wide", locale=babel)
    short = get_month_names("abbreviated", locale=babel)
    return {
        "dateTime": "%H:%M %d/%m/%Y",
        "date": "%d/%m/%Y",
        "time": "%H:%M",
        "periods": ["SA", "CH"] if lang == "vi" else ["AM", "PM"],
        "days": [days[(day - 1) % 7] for day in range(7)],
        "shortDays": [days[(day - 1) % 7] for day in range(7)],
        "months": [months[month] for month in range(1, 13)],
        "shortMonths": [f"th{month}" if lang == "vi" else short[month] for month in range(1, 13)],
    }
