"""The month that runs, completed from its days, for targets that it counts for.

What came in part of a month is not the month. Where an indicator has days, the month of yesterday
is completed (`forecasts.nowcast`) and stands behind the months that are over, as sure as it is;
sample paths of months are led through it. A share of two counts that have days is completed too.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import mean, median

import numpy as np
import polars as pl

from etl.catalog import Catalog, Indicator
from etl.warehouse import Warehouse
from forecasts.decisions.pace import Direction, Pace, pace
from forecasts.decisions.paths import SEED, Ahead
from forecasts.nowcast import BEFORE, LEAST_MONTHS, complete, days
from forecasts.panel import KEY, Floats, Panel

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
    panel = _days(warehouse, catalog, indicator, level, today)
    return None if panel is None else _completed(panel, area, today)


def running_share(
    warehouse: Warehouse, catalog: Catalog, entry: Indicator, level: str, area: str, today: date
) -> Running | None:
    """The same of a share or ratio of two counts: each has its days.

    What there is of the month counts as it is. Its denominator is completed, and of what is missing
    of it the share is as `rest_shares` says.
    """
    of = [
        _days(warehouse, catalog, name, level, today) if name else None
        for name in (entry.numerator, entry.denominator)
    ]
    if of[0] is None or of[1] is None or of[0].origin != of[1].origin:
        return None
    whole = _completed(of[1], area, today)
    rows = [_row(panel, area) for panel in of if panel is not None]
    if whole is None or rows[0] is None or rows[1] is None:
        return None
    length = min(len(of[0].periods), len(of[1].periods))
    part, all_of = of[0].values[rows[0], -length:], of[1].values[rows[1], -length:]
    known = Begun.of(of[1].periods[-length:], part, all_of)
    rest = rest_shares(known)
    if rest is None:
        return None
    if entry.compute and entry.compute.way == "share":
        rest = np.clip(rest, 0.0, 1.0)
    so_far, there = known.begun[-1]
    ends = np.maximum(np.array(whole.values), there)[:, None]
    missing = ends - there
    shares = (so_far + np.maximum(rest, 0.0)[None] * missing) / np.where(ends > 0, ends, np.nan)
    if not np.isfinite(shares).all():
        return None
    told = np.quantile(entry.scale * shares, LEVELS)
    return Running(whole.month, tuple(float(value) for value in told))


@dataclass(frozen=True, eq=False)
class Begun:
    """Numerator and denominator of each month, the one that runs last; both `(months, 2)`."""

    begun: Floats
    """Until the day of the month on which the one that runs is known."""
    left: Floats
    """The rest; of the one that runs there is none yet."""

    @classmethod
    def of(cls, periods: tuple[date, ...], part: Floats, whole: Floats) -> "Begun":
        """From days that end with the last one known; months of which a day is missing are NaN."""
        both = np.stack([part, whole], axis=1)
        day = periods[-1].day
        firsts = [at for at, one in enumerate(periods) if one.day == 1]
        ends = [*firsts[1:], len(periods)]
        begun = [
            both[at : min(at + day, end)].sum(axis=0) for at, end in zip(firsts, ends, strict=True)
        ]
        left = [
            both[min(at + day, end) : end].sum(axis=0) for at, end in zip(firsts, ends, strict=True)
        ]
        return cls(np.array(begun), np.array(left))


def rest_shares(known: Begun) -> Floats | None:
    """What the share of the rest of the month that runs may be, one value a past month.

    It is between the share so far and that of the `BEFORE` months before, nearer to that which came
    nearer in past months at the same day; around it lie the errors this would have had then. None
    where fewer than `LEAST_MONTHS` tell.
    """
    so_far, left = _over(known.begun), _over(known.left)
    totals = known.begun + known.left
    carried = np.full(len(totals), np.nan)
    for at in range(BEFORE, len(totals)):
        carried[at] = _over(totals[at - BEFORE : at].sum(axis=0)[None])[0]
    seen = np.isfinite(so_far) & np.isfinite(left) & np.isfinite(carried)
    seen[-1] = False
    if seen.sum() < LEAST_MONTHS or not np.isfinite(carried[-1]):
        return None
    off_begun, off_carried = (((left - one)[seen] ** 2).mean() for one in (so_far, carried))
    both = off_begun + off_carried
    trust = off_carried / both if both > 0 else 0.5
    if not np.isfinite(so_far[-1]):
        return np.asarray(carried[-1] + (left - carried)[seen])
    said = trust * so_far + (1 - trust) * carried
    return np.asarray(said[-1] + (left - said)[seen])


def _over(counts: Floats) -> Floats:
    """Numerator over denominator, NaN where there is none."""
    return np.asarray(counts[:, 0] / np.where(counts[:, 1] > 0, counts[:, 1], np.nan))


def _days(
    warehouse: Warehouse, catalog: Catalog, indicator: str, level: str, today: date
) -> Panel | None:
    """Its days, where some of the month of yesterday are known."""
    given = warehouse.query("forecasts", "newest_day", indicator=indicator, today=today)["newest"]
    if given[0] is None or given[0] < (today - timedelta(days=1)).replace(day=1):
        return None
    since = today.replace(year=today.year - YEARS, day=1)
    return days(warehouse, catalog, indicator, level, since, today)


def _completed(panel: Panel, area: str, today: date) -> Running | None:
    row = _row(panel, area)
    done = complete(panel, today, LEVELS)
    if row is None or done.refused[row] is not None:
        return None
    return Running(done.month, tuple(float(value) for value in done.quantiles[:, row]))


def _row(panel: Panel, area: str) -> int | None:
    rows = [n for n, key in enumerate(panel.keys.select(KEY).iter_rows()) if key[1] == area]
    return rows[0] if rows else None


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
