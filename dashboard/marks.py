"""What stands on a fan chart beside history and forecast: targets, events, the year before.

Each is told by a word at its place, without a legend. Events are those the catalog declares for the
series; a target is a line from where we stand to what is asked; the year before is moved to the
months of now, with Tết where it falls now.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import altair as alt
import polars as pl

from dashboard.theme import theme

HEIGHT, FOOT = 320, 9
"""Pixels of the frame, and from its lower edge to the words at the foot."""
FIRST_LABEL, LINE = -6, 16
"""Pixels above the frame of the lowest label of an event, and from one label to the next."""
PHONE = 420
"""Pixels of a chart below which a target is told in fewer words."""
LEFT = 0.35
"""Share of the chart from its left edge in which a label stands right of its rule."""
LINED = "──"
"""Before the name of a line, as it is drawn."""
ROOM = 38
"""Letters of an event that a phone has room for; of a longer one it tells the day alone."""
PAUSE = " · "
EVENT = {
    "period": pl.Date,
    "label": pl.String,
    "short": pl.String,
    "drop": pl.Int64,
    "left": pl.Boolean,
}
GOAL = {
    "goal": pl.Int64,
    "period": pl.Date,
    "value": pl.Float64,
    "label": pl.String,
    "short": pl.String,
    "foot": pl.Int64,
}

Axis = Callable[[str], alt.Y]


@dataclass(frozen=True)
class Goal:
    """A target as a line, from `since` and `start` to `period` and `value`."""

    since: dt.date
    start: float
    period: dt.date
    value: float
    label: str
    short: str = ""
    """The label where there is little room; by default the same."""
    at_foot: bool = False
    """The words stand at the foot of the chart, where lines seldom come, not at the target."""


@dataclass(frozen=True)
class Mark:
    """Something that happened, on the first day on which it counts."""

    day: dt.date
    label: str


def goal_rows(goals: Sequence[Goal]) -> pl.DataFrame:
    """Two points a target; the label stands at the second, or so far up from the foot."""
    rows: list[tuple[object, ...]] = []
    for number, goal in enumerate(goals):
        foot = FOOT + LINE * (number + 1) if goal.at_foot else None
        rows.append((number, goal.since, goal.start, "", "", None))
        named = (goal.label, goal.short or goal.label)
        rows.append((number, goal.period, goal.value, *named, foot))
    return pl.DataFrame(rows, schema=GOAL, orient="row")


def goal_layers(y: Axis) -> list[alt.Chart]:
    """The line, the point that is asked for, and its words on a ground of their own."""
    colours = theme()
    goals = alt.Chart(alt.NamedData("goals"))
    base = goals.encode(x=alt.X("period:T", title=None), y=y("value"))
    labelled = base.transform_filter("datum.label != ''")
    beside = labelled.transform_filter("datum.foot === null")
    # What is left of its height when axes and words above are drawn, the frame alone knows.
    below = goals.transform_filter("datum.label != '' && datum.foot !== null")
    foot = {"x": {"expr": "width"}, "y": {"expr": "height - datum.foot"}}
    words = {
        "align": "right", "fontSize": 12, "fontWeight": 600,
        "text": {"expr": f"width < {PHONE} ? datum.short : datum.label"},
    }  # fmt: skip
    return [
        base.mark_line(color=colours.good, strokeWidth=1.4, strokeDash=[1, 3]).encode(
            detail="goal:N"
        ),
        labelled.mark_point(
            shape="diamond", size=70, filled=True, opacity=1, color=colours.good
        ),
        *(
            where.mark_text(**words, **place, **ink)
            for where, place in ((beside, {"dx": -9, "dy": -11}), (below, foot))
            for ink in ({"stroke": colours.page, "strokeWidth": 4}, {"color": colours.good})
        ),
    ]  # fmt: skip


def event_rows(marks: Sequence[Mark], periods: Sequence[dt.date]) -> pl.DataFrame:
    """Marks within the periods shown, each label on a line of its own, the latest lowest."""
    if not periods:
        return pl.DataFrame(schema=EVENT)
    first, last = min(periods), max(periods)
    edge = first + (last - first) * LEFT
    shown = sorted((m for m in marks if first < m.day <= last), key=lambda m: m.day, reverse=True)
    rows = [
        (mark.day, mark.label, _short(mark.label), FIRST_LABEL - LINE * number, mark.day < edge)
        for number, mark in enumerate(shown)
    ]
    return pl.DataFrame(rows, schema=EVENT, orient="row")


def _short(label: str) -> str:
    return label if len(label) <= ROOM else label.split(PAUSE)[-1]


def event_layers() -> list[alt.Chart]:
    """A dotted rule an event, its words above the frame on the side where there is room."""
    base = alt.Chart(alt.NamedData("events")).encode(x=alt.X("period:T", title=None))
    colours = theme()
    labels = [
        base.transform_filter("datum.left" if left else "!datum.left")
        .mark_text(
            align="left" if left else "right",
            dx=-3 if left else 3,
            baseline="bottom",
            color=colours.muted,
            fontSize=12,
            text={"expr": f"width < {PHONE} ? datum.short : datum.label"},
        )
        .encode(y=alt.Y("drop:Q", scale=None, axis=None))
        for left in (False, True)
    ]
    return [base.mark_rule(color=colours.faint, strokeDash=[2, 3]), *labels]


def before_rows(before: pl.DataFrame, label: str) -> pl.DataFrame:
    """The year before in the months of now: period, value; its words at the last point."""
    last = pl.col("period") == pl.col("period").max()
    return before.select(
        "period",
        "value",
        label=pl.when(last).then(pl.lit(f"{LINED} {label}")).otherwise(pl.lit("")),
    )


def before_line(y: Axis) -> alt.Chart:
    """A thin line under all others."""
    base = alt.Chart(alt.NamedData("before")).encode(x=alt.X("period:T", title=None), y=y("value"))
    return base.mark_line(color=theme().faint, strokeWidth=1.3)


def before_words() -> alt.Chart:
    """Its name at the foot of the chart, left of the last figure, where lines seldom come."""
    style = {"align": "right", "dx": -5, "y": {"expr": f"height - {FOOT}"}, "fontSize": 12}
    base = alt.Chart(alt.NamedData("before")).encode(x=alt.X("period:T", title=None))
    words = base.transform_filter("datum.label != ''")
    return words.mark_text(**style, color=theme().muted).encode(text="label:N")


def in_period(day: dt.date, periods: Sequence[dt.date]) -> dt.date:
    """The first day of the period of a series in which `day` falls: events stand at its figure."""
    starts = sorted(set(periods))
    for one, following in pairwise(starts):
        if one <= day < following:
            return one
    return day
