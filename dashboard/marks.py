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
LETTER, DESK, HAND = 7, 1000, 260
"""Pixels of a letter, and of the frame on a desk and on a telephone: how far a label reaches."""
FRAME, GAP = 240, 12
"""Pixels of the frame less axes and words above, and from an edge to the middle of a label."""
LEADER = 7
"""Pixels from the middle of a label to the end of the rule that leads to it."""
STRETCHED = 3
"""How much worse a longer scale is than a label that stands as far away."""
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
    "goal": pl.String,
    "period": pl.Date,
    "value": pl.Float64,
    "label": pl.String,
    "short": pl.String,
    "edge": pl.Float64,
    "away": pl.Int64,
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


@dataclass(frozen=True)
class Mark:
    """Something that happened, on the first day on which it counts."""

    day: dt.date
    label: str


def goal_rows(goals: Sequence[Goal], drawn: pl.DataFrame, *, zero: bool) -> pl.DataFrame:
    """Two points a target; the second has the label, and where that stands beside what is drawn.

    `drawn` has period, low and high of all else in the frame. A label stands past the `edge` of
    that, on the side nearer to its target, `away` pixels from it; a row more makes room for it
    where the scale would end.
    """
    values = [
        *drawn["low"],
        *drawn["high"],
        *(v for goal in goals for v in (goal.start, goal.value)),
    ]
    low, high = min(values, default=0.0), max(values, default=0.0)
    frame = (min(low, 0.0) if zero else low, high)
    sides: dict[int, list[tuple[Goal, float]]] = {-1: [], 1: []}
    for goal in sorted(goals, key=lambda one: one.period):
        side, edge = _side(goal, drawn, frame, len(goals), zero=zero)
        sides[side].append((goal, edge))
    rows = [row for side, placed in sides.items() for row in _placed(side, placed, frame)]
    return pl.DataFrame(rows, schema=GOAL, orient="row")


def _side(
    goal: Goal, drawn: pl.DataFrame, frame: tuple[float, float], lines: int, *, zero: bool
) -> tuple[int, float]:
    """1 where the label stands above what is drawn, -1 where below; and the edge of that there."""
    low, high = frame
    near = drawn.filter(pl.col("period").is_between(_reach(goal, drawn), goal.period))
    top, bottom = max([goal.value, *near["high"]]), min([goal.value, *near["low"]])
    needed = _room(lines, frame)
    longer = STRETCHED * max(0.0, needed - (high - top))
    lower = STRETCHED * max(0.0, needed - (bottom - low))
    if zero and lower:  # such a scale ends at zero
        lower = float("inf")
    up, down = top - goal.value + longer, goal.value - bottom + lower
    return (1, top) if up <= down else (-1, bottom)


def _reach(goal: Goal, drawn: pl.DataFrame) -> dt.date:
    """The period over which the words of a target begin."""
    if drawn.is_empty():
        return goal.period
    short = goal.short or goal.label
    share = min(1.0, LETTER * max(len(goal.label) / DESK, len(short) / HAND))
    periods: list[dt.date] = [goal.period, *drawn["period"]]
    return goal.period - (max(periods) - min(periods)) * share


def _room(lines: int, frame: tuple[float, float]) -> float:
    """What so many lines of words take of the scale."""
    return (GAP + LINE * lines) / FRAME * (frame[1] - frame[0])


def _placed(
    side: int, placed: Sequence[tuple[Goal, float]], frame: tuple[float, float]
) -> list[tuple[object, ...]]:
    """The rows of the targets on one side, the earliest nearest to what is drawn."""
    rows: list[tuple[object, ...]] = []
    edge = side * max((side * edge for _, edge in placed), default=0.0)
    for number, (goal, _) in enumerate(placed):
        name = f"{side}.{number}"
        rows.append((name, goal.since, goal.start, "", "", None, None))
        named = (goal.label, goal.short or goal.label)
        away = -side * (GAP + LINE * number)
        rows.append((name, goal.period, goal.value, *named, edge, away))
    end = edge + side * _room(len(placed), frame)
    if placed and not frame[0] <= end <= frame[1]:
        rows.append(("room", placed[-1][0].period, end, "", "", None, None))
    return rows


def goal_layers(y: Axis) -> list[alt.Chart]:
    """The line, the point that is asked for, and its words, led to it where they stand off."""
    colours = theme()
    goals = alt.Chart(alt.NamedData("goals"))
    base = goals.encode(x=alt.X("period:T", title=None), y=y("value"))
    labelled = base.transform_filter("datum.label != ''")
    # Where the scale ends, the frame alone knows.
    beside = "scale('y', datum.edge) + datum.away"
    before = f"{beside} + (datum.away < 0 ? {LEADER} : -{LEADER})"
    leader = labelled.mark_rule(color=colours.good, strokeWidth=1, y2={"expr": before})
    words = {
        "align": "right", "baseline": "middle", "dx": -5, "fontSize": 12, "fontWeight": 600,
        "y": {"expr": beside},
        "text": {
            "expr": f"width < max({PHONE}, {LETTER} * length(datum.label))"
            " ? datum.short : datum.label"
        },
    }  # fmt: skip
    told = goals.encode(x=alt.X("period:T", title=None)).transform_filter("datum.label != ''")
    return [
        base.mark_line(color=colours.good, strokeWidth=1.4, strokeDash=[1, 3]).encode(
            detail="goal:N"
        ),
        leader,
        labelled.mark_point(
            shape="diamond", size=70, filled=True, opacity=1, color=colours.good
        ),
        *(
            told.mark_text(**words, **ink)
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
