"""Panels of the series of a file: those of one frequency side by side, each ending where it ends.

Where series end at different times they are aligned at their ends, under a calendar that is only
nominal: their last values stand in the last column, and each keeps its own last period. What a
month is then follows from `PHASE`, where in the season a series ends: only series that end alike
lend each other their season. Errors and weights are shared by all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from etl.periods import Frequency, Period
from forecasts.panel import Floats, Panel, steps

PHASE = "place in the season of the last value"
MOST_POINTS = {
    Frequency.DAY: 1_100,
    Frequency.WEEK: 530,
    Frequency.MONTH: 400,
    Frequency.QUARTER: 200,
    Frequency.YEAR: 150,
}
"""Of longer series the last points are used: what came before says nothing of the next."""
NOMINAL_END = date(2020, 12, 28)
"""A Monday of the last week, month, quarter and year of some year."""
MONTHS = {Frequency.MONTH: 1, Frequency.QUARTER: 3, Frequency.YEAR: 12}
ENOUGH_TOGETHER = 20
"""Series with one end that make a panel of their own where the calendar matters."""


@dataclass(frozen=True, eq=False)
class Part:
    """A panel, and which series of the file its rows are."""

    panel: Panel
    series: pl.Series
    cut: int = 0
    """Series of which only the last points are used."""
    alike: tuple[str, ...] = field(default=())


def step_of(day: pl.Expr, frequency: pl.Expr) -> pl.Expr:
    """The number of the period in which a day lies, in periods of its frequency.

    Weeks are counted back from the last day of each series, so that they may begin on any day.
    """
    days = day.cast(pl.Int32).cast(pl.Int64)
    last = days.max().over("series")
    back = ((last - days) / 7).round().cast(pl.Int64)
    month = 12 * day.dt.year().cast(pl.Int64) + day.dt.month() - 1
    return (
        pl.when(frequency == "day")
        .then(days)
        .when(frequency == "week")
        .then((last + 3) // 7 - back)
        .when(frequency == "month")
        .then(month)
        .when(frequency == "quarter")
        .then(month // 3)
        .otherwise(month // 12)
    )


def panels_of(
    frame: pl.DataFrame, keys: pl.DataFrame, *, alike: tuple[str, ...] = (), tet: bool = False
) -> Iterator[Part]:
    """The panels of a long frame: columns series, frequency, step, value (never null), dated.

    `keys` has a row for each series, in the order of their numbers; `alike` names columns of it in
    which series agree that lend each other their season. With `tet`, series with dates that end
    together are told the calendar, in panels of their own where they are many.
    """
    for (name,), part in frame.group_by("frequency", maintain_order=True):
        frequency = Frequency(str(name))
        ends = part.group_by("series").agg(
            pl.col("step").max().alias("last"), pl.col("dated").all()
        )
        for group in _together(ends.sort("series"), tet=tet):
            yield _panel(part, group, keys, frequency, alike, tet=tet)


def _together(ends: pl.DataFrame, *, tet: bool) -> Iterator[pl.DataFrame]:
    """All series, or where the calendar matters those of each common end, and the rest."""
    if not tet:
        yield ends
        return
    size = pl.len().over("last")
    yield from ends.filter(size >= ENOUGH_TOGETHER).partition_by("last", maintain_order=True)
    rest = ends.filter(size < ENOUGH_TOGETHER)
    if len(rest):
        yield rest


def _panel(
    part: pl.DataFrame,
    ends: pl.DataFrame,
    keys: pl.DataFrame,
    frequency: Frequency,
    alike: tuple[str, ...],
    *,
    tet: bool,
) -> Part:
    ragged = ends["last"].n_unique() > 1
    dated = bool(ends["dated"].all())
    most = MOST_POINTS[frequency]
    placed = part.join(ends.select("series", "last").with_row_index("row"), on="series")
    placed = placed.with_columns(back=pl.col("last") - pl.col("step"))
    cut = placed.filter(pl.col("back") >= most)["series"].n_unique()
    placed = placed.filter(pl.col("back") < most)
    width = int(placed["back"].max()) + 1  # type: ignore[arg-type]
    values = np.full((len(ends), width), np.nan)
    values[placed["row"], width - 1 - placed["back"].to_numpy()] = placed["value"]
    own = keys[ends["series"].to_list()]
    if ragged:
        phase = (ends["last"] % frequency.season).cast(pl.String).alias(PHASE)
        own, alike = own.with_columns(phase), (*alike, PHASE)
    last = _day(frequency, int(ends["last"].max())) if dated else NOMINAL_END  # type: ignore[arg-type]
    lowest = np.where(np.nanmin(values, axis=1) >= 0, 0.0, -np.inf)
    panel = Panel(
        own,
        _ending(last, frequency, width),
        values,
        frequency,
        lowest,
        np.full(len(ends), np.inf),
        tet and dated and not ragged,
        alike,
    )
    return Part(panel, ends["series"], cut, alike)


def _day(frequency: Frequency, step: int) -> date:
    """The first day of a period by its number (see `step_of`)."""
    if frequency is Frequency.DAY:
        return date(1970, 1, 1) + timedelta(days=step)
    if frequency is Frequency.WEEK:
        return date(1970, 1, 1) + timedelta(days=7 * step - 3)
    month = step * MONTHS[frequency]
    return date(month // 12, month % 12 + 1, 1)


def _ending(last: date, frequency: Frequency, count: int) -> tuple[date, ...]:
    """`count` periods, the last of them the one in which `last` lies."""
    end = Period.containing(frequency, last).start
    back = {Frequency.DAY: 1, Frequency.WEEK: 7}.get(frequency)
    if back:
        return steps(end - timedelta(days=back * (count - 1)), frequency, count)
    month = 12 * end.year + end.month - 1 - MONTHS[frequency] * (count - 1)
    return steps(date(month // 12, month % 12 + 1, 1), frequency, count)


def right_aligned(frame: pl.DataFrame, most: int) -> Floats:
    """Values by series and steps back from the last one, `(series, at most most)`."""
    last = pl.col("step").max().over("series")
    placed = frame.with_columns(back=last - pl.col("step"), row=pl.col("series").rank("dense") - 1)
    placed = placed.filter(pl.col("back") < most)
    width = int(placed["back"].max()) + 1  # type: ignore[arg-type]
    values = np.full((frame["series"].n_unique(), width), np.nan)
    values[placed["row"], width - 1 - placed["back"].to_numpy()] = placed["value"]
    return values
