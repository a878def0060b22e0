"""What the queue comes to beside targets for what is pending, overdue, or resolved on time.

The queue starts from the dossiers pending now and knows their due days, what is forecast to come,
and the hours there are: a second way to the figure of a target beside the forecast of its series,
of communes too, whose series are not forecast. Its paths hold how much may come. How far the usual
pace of the offices is off they do not hold: that is measured by running the queue from the ends of
earlier months on what did come, beside what became of it. What it missed there moves and widens
what is told, and without enough of it no chance is told. The state of a target follows from its
forecast, which is scored; this stands beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
from scipy.special import stdtrit

from etl.catalog import Catalog, Target
from etl.periods import Frequency, Period
from etl.warehouse import Warehouse
from forecasts.decisions.targets import area_of
from forecasts.decisions.workload import LEARNED_FROM, LOWER, UPPER, Ahead, earlier
from forecasts.panel import Floats

BY_QUEUE = {
    "target": pl.String,
    "expected": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "chance": pl.Float64,
    "misses": pl.Int64,
}
ORIGINS = 12
"""Ends of earlier months from which the queue is run for each distance."""
FEWEST = 3
"""Misses that share no month, below which they say nothing of the next one."""
POINTS = 99
"""Equally likely values by which each path may be off."""
NEARLY = 0.01
"""Percent by which a share is held off 0 and 100, where no logit is."""

Outcomes = Mapping[tuple[str, str, date], float]
"""What came, by indicator, area and first day of the month."""


def by_queue(
    found: Ahead, catalog: Catalog, past: Sequence[Ahead] = (), outcomes: Outcomes | None = None
) -> pl.DataFrame:
    """One row a target that the queue reaches: what it comes to, and the range of 80 %.

    `past` are earlier runs on what did come, `outcomes` what became of it. `misses` counts those
    that tell how far such a figure is off; where they are too few it is null like the chance, and
    the range is of what may come alone.
    """
    rows = []
    for target in catalog.all_targets:
        values = _values(found, catalog, target, target.period)
        if values is None or not np.isfinite(values).all():
            continue
        missed = _missed(found, catalog, target, past, outcomes or {})
        likely, chance, count = values, None, None
        distance = months_ahead(found.until, target.period.end)
        if len(missed) >= FEWEST * distance:
            likely = _with_misses(values, missed, distance, target.measure)
            chance, count = _chance(likely, target), len(missed)
        low, middle, high = np.quantile(likely, (LOWER, 0.5, UPPER))
        rows.append((target.name, float(middle), float(low), float(high), chance, count))
    return pl.DataFrame(rows, schema=BY_QUEUE, orient="row")


def runs_before(
    warehouse: Warehouse, found: Ahead, catalog: Catalog
) -> tuple[list[Ahead], Outcomes]:
    """Earlier runs for the targets that the queue reaches, and what came of what they foresaw.

    Empty where there is no such target. Some seconds of a processor for each end of a month.
    """
    reached = [
        target
        for target in catalog.all_targets
        if _values(found, catalog, target, target.period) is not None
    ]
    distances = {months_ahead(found.until, target.period.end) for target in reached}
    if not distances:
        return [], {}
    cases = warehouse.query("forecasts", "workload_since", cases=f"data_{found.asked.cases}")
    learned = cases["first_day"][0] + timedelta(days=LEARNED_FROM)
    runs = []
    for back in range(min(distances), max(distances) + ORIGINS):
        day = _month_end(found.until, -back)
        if day >= learned:
            last = _month_end(found.until, max(distances) - back)
            runs.append(earlier(warehouse, found, day, min(last, _month_end(found.until, 0))))
    names = sorted({target.indicator for target in reached if target.indicator})
    rows = warehouse.query("forecasts", "outcomes_by_month", indicators=names)
    return runs, {(name, area, month): value for name, area, month, value in rows.iter_rows()}


def months_ahead(until: date, end: date) -> int:
    """Months from the last end of a month that is over by `until` to that of `end`."""
    over = _month_end(until, 0)
    return (end.year - over.year) * 12 + end.month - over.month


def _month_end(until: date, ahead: int) -> date:
    """The end of the month so many after the last that is over by `until`."""
    following = until + timedelta(days=1)
    number = following.year * 12 + following.month - 1 + ahead
    return date(number // 12, number % 12 + 1, 1) - timedelta(days=1)


def _missed(
    found: Ahead, catalog: Catalog, target: Target, past: Sequence[Ahead], outcomes: Outcomes
) -> Floats:
    """By how much what came was above what the queue said as long before, newest first."""
    distance = months_ahead(found.until, target.period.end)
    misses: list[float] = []
    for run in past:
        month = Period.containing(Frequency.MONTH, _month_end(run.until, distance))
        came = outcomes.get((target.indicator or "", area_of(catalog, target), month.start))
        said = _values(run, catalog, target, month)
        if came is not None and said is not None and len(misses) < ORIGINS:
            both = _free(np.array([came, said[0]]), target.measure)
            misses.append(float(both[0] - both[1]))
    told = np.array(misses, dtype=np.float64)
    return np.asarray(told[np.isfinite(told)])


def _with_misses(values: Floats, missed: Floats, distance: int, measure: str) -> Floats:
    """Paths moved by the mean miss and spread as its own error and the next miss are.

    Student's t; misses of months that overlap count as many as share no month.
    """
    apart = len(missed) / distance
    at = (np.arange(POINTS) + 0.5) / POINTS
    spread = missed.std(ddof=1) * np.sqrt(1 + 1 / apart) * stdtrit(apart - 1, at)
    moved = _free(values, measure)[:, None] + missed.mean() + spread
    if measure == "share":
        return np.asarray(100 / (1 + np.exp(-moved))).ravel()
    return np.asarray(np.exp(moved)).ravel()


def _free(values: Floats, measure: str) -> Floats:
    """On a scale without bounds: logits of a share in percent, logs of a stock."""
    if measure == "share":
        share = np.clip(values, NEARLY, 100 - NEARLY) / 100
        return np.asarray(np.log(share / (1 - share)))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))


def _chance(likely: Floats, target: Target) -> float:
    wanted = target.quoted.value
    reached = likely <= wanted if target.direction == "at_most" else likely >= wanted
    return float(reached.mean())


def _values(found: Ahead, catalog: Catalog, target: Target, period: Period) -> Floats | None:
    """What the target speaks of in a period, one value a path; None where the queue is silent."""
    offices = _offices(found, catalog, target)
    if offices is None or target.category != "total" or not _is_told(found, period.end):
        return None
    asked = found.asked
    stocks = {asked.pending: found.queue.pending, asked.overdue: found.queue.overdue}
    if target.measure == "level" and target.indicator in stocks:
        last = [at for at, day in enumerate(found.days) if day <= period.end][-1]
        return np.asarray(stocks[target.indicator][last][:, offices].sum(axis=(1, 2)))
    if target.measure != "share" or target.indicator != asked.on_time:
        return None
    return _on_time(found, period, offices)


def _offices(found: Ahead, catalog: Catalog, target: Target) -> list[int] | None:
    areas, area = found.places["area"].to_list(), area_of(catalog, target)
    if area in areas:
        return [areas.index(area)]
    is_city = catalog.map.areas.filter((pl.col("code") == area) & (pl.col("level") == "city"))
    return None if is_city.is_empty() else list(range(len(areas)))


def _is_told(found: Ahead, end: date) -> bool:
    return bool(found.days) and found.days[0] <= end <= found.last


def _on_time(found: Ahead, period: Period, offices: list[int]) -> Floats | None:
    """Percent of what is finished in a month that is all ahead of the cases loaded."""
    if period.frequency is not Frequency.MONTH or period.start <= found.until:
        return None
    days = [at for at, day in enumerate(found.days) if period.start <= day <= period.end]
    finished, late = (
        part[days][:, :, offices].sum(axis=(0, 2, 3))
        for part in (found.queue.handled, found.queue.handled_late)
    )
    return np.asarray(100 * (1 - late / np.where(finished > 0, finished, np.nan)))
