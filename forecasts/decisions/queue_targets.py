"""What the queue comes to beside targets for what is pending, overdue, or resolved on time.

Their chance is that of the forecast of their series, which is scored when the outcome is known. The
queue starts from the dossiers pending now and knows their due days, what is forecast to come, and
the hours there are: a second way to the same figure, of communes too, whose series are not
forecast. Its range holds only how much may come, not how far the usual pace of the offices is off,
so no chance is made of it and no state follows.
"""

from datetime import date

import numpy as np
import polars as pl

from etl.catalog import Catalog, Target
from etl.periods import Frequency, Period
from forecasts.decisions.targets import area_of
from forecasts.decisions.workload import LOWER, UPPER, Ahead
from forecasts.panel import Floats

BY_QUEUE = {
    "target": pl.String,
    "expected": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
}


def by_queue(found: Ahead, catalog: Catalog) -> pl.DataFrame:
    """One row a target that the queue reaches: what it comes to, and the range of 80 % of paths."""
    rows = []
    for target in catalog.all_targets:
        values = _values(found, catalog, target)
        if values is not None and np.isfinite(values).all():
            low, middle, high = np.quantile(values, (LOWER, 0.5, UPPER))
            rows.append((target.name, float(middle), float(low), float(high)))
    return pl.DataFrame(rows, schema=BY_QUEUE, orient="row")


def _values(found: Ahead, catalog: Catalog, target: Target) -> Floats | None:
    """What the target speaks of, one value a path; None where the queue does not tell it."""
    offices = _offices(found, catalog, target)
    if offices is None or target.category != "total" or not _is_told(found, target.period.end):
        return None
    asked = found.asked
    stocks = {asked.pending: found.queue.pending, asked.overdue: found.queue.overdue}
    if target.measure == "level" and target.indicator in stocks:
        last = [at for at, day in enumerate(found.days) if day <= target.period.end][-1]
        return np.asarray(stocks[target.indicator][last][:, offices].sum(axis=(1, 2)))
    if target.measure != "share" or target.indicator != asked.on_time:
        return None
    return _on_time(found, target.period, offices)


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
