"""The month that runs, completed from its days, for targets that it counts for.

What came in part of a month is not the month. Where an indicator has days, the month of yesterday
is completed (`forecasts.nowcast`) and stands behind the months that are over, as sure as it is;
sample paths of months are led through it.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import mean, median

import numpy as np
import polars as pl

from etl.catalog import Catalog
from etl.warehouse import Warehouse
from forecasts.decisions.pace import Direction, Pace, pace
from forecasts.decisions.paths import SEED, Ahead
from forecasts.nowcast import complete, days
from forecasts.panel import KEY

LEVELS = tuple((2 * step + 1) / 20 for step in range(10))
"""Evenly spread, so that each counts as much as the others."""
YEARS = 3
"""Of days that are looked at."""
NEIGHBOURS = 0.02
"""Share of the paths, on either side, from which one is taken that comes near a value."""


@dataclass(frozen=True)
class Running:
    """What a month comes to: a value for each of `LEVELS`, in the unit of the indicator."""

    month: date
    values: tuple[float, ...]


def running(
    warehouse: Warehouse, catalog: Catalog, indicator: str, level: str, area: str, today: date
) -> Running | None:
    """The month of yesterday of one area; None where it has no days or cannot be completed."""
    given = warehouse.query("forecasts", "newest_day", indicator=indicator, today=today)["newest"]
    if given[0] is None or given[0] < (today - timedelta(days=1)).replace(day=1):
        return None
    panel = days(
        warehouse, catalog, indicator, level, today.replace(year=today.year - YEARS, day=1), today
    )
    if panel is None:
        return None
    done = complete(panel, today, LEVELS)
    rows = [n for n, key in enumerate(done.keys.select(KEY).iter_rows()) if key[1] == area]
    if not rows or done.refused[rows[0]] is not None:
        return None
    return Running(done.month, tuple(float(value) for value in done.quantiles[:, rows[0]]))


def through(ahead: Ahead, now: Running) -> Ahead:
    """Paths that pass through what the month that runs comes to; as given where it is not ahead.

    Each value it may come to goes on as a path that came near it does: a month that begins well
    changes the months after it as far as the paths hang together. Beyond all of them, as the
    outermost do.
    """
    if now.month not in ahead.periods:
        return ahead
    step, count = ahead.periods.index(now.month), len(ahead.paths)
    values = np.interp((np.arange(count) + 0.5) / count, LEVELS, sorted(now.values))
    order = np.argsort(ahead.paths[:, step], kind="stable")
    reach = max(round(NEIGHBOURS * count), 1)
    moved = np.random.default_rng(SEED).integers(-reach, reach, count, endpoint=True)
    near = np.searchsorted(ahead.paths[order, step], values) + moved
    paths = ahead.paths[order[np.clip(near, 0, count - 1)]].copy()
    paths[:, step] = values
    return replace(ahead, paths=paths)


def paced(
    frame: pl.DataFrame,
    year: int,
    value: float,
    shapes: pl.DataFrame | None,
    now: Running | None,
    direction: Direction = "at_least",
) -> Pace:
    """`pace`, with the month that runs completed where it follows the last that is over.

    The chance is the mean of those of each value the month may come to, the range holds all of
    theirs; `done` is by the middle one, and `completed` says so.
    """

    def stood(known: pl.DataFrame) -> Pace:
        return pace(known, year, value, direction=direction, shapes=shapes)

    plain = stood(frame)
    if now is None or now.month != date(year, min(plain.month + 1, 12), 1) or plain.month == 12:
        return plain
    drawn = [stood(_with(frame, now.month, plain.done + came)) for came in now.values]
    chances = [one.chance for one in drawn if one.chance is not None]
    if len(chances) < len(drawn):
        return plain
    return replace(
        stood(_with(frame, now.month, plain.done + median(now.values))),
        chance=mean(chances),
        lower=min((one.lower for one in drawn if one.lower is not None), default=None),
        upper=max((one.upper for one in drawn if one.upper is not None), default=None),
        completed=True,
    )


def _with(frame: pl.DataFrame, month: date, cumulative: float) -> pl.DataFrame:
    row = {"year": [month.year], "month": [month.month], "cumulative": [cumulative]}
    return pl.concat([frame, pl.DataFrame(row, schema=frame.schema)])
