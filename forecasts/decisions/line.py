"""One series from what is known into what may come, and what a target makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from etl.catalog import Indicator, Target
from etl.periods import Frequency, Period, periods_between
from forecasts.panel import Floats

SERIES_FREQUENCIES = (Frequency.YEAR, Frequency.QUARTER, Frequency.MONTH)
"""Of which a target may be made, the coarsest first: it needs the least adding up."""


@dataclass(frozen=True, eq=False)
class Line:
    """Values of a series by the first day of their period; each `(paths,)`, or `(1,)` if known."""

    frequency: Frequency
    values: Mapping[date, Floats]

    @classmethod
    def of(cls, frequency: Frequency, frame: pl.DataFrame) -> "Line":
        """What is known: a frame with columns period and value."""
        rows = frame.select("period", "value").iter_rows()
        return cls(
            frequency, {period: np.array([value], dtype=np.float64) for period, value in rows}
        )

    def then(self, periods: Sequence[date], paths: Floats) -> "Line":
        """With sample paths `(count, len(periods))` behind; what is known stays as it is."""
        coming = {period: paths[:, step] for step, period in enumerate(periods)}
        return Line(self.frequency, {**coming, **self.values})

    def over(self, start: date, end: date, aggregate: str) -> Floats | None:
        """The value of all the days from `start` to `end`, added up as its aggregate says.

        None where a period is missing, where the days are not whole periods, and where a rate would
        have to be added up.
        """
        first, last = (Period.containing(self.frequency, day) for day in (start, end))
        if (first.start, last.end) != (start, end):
            return None
        parts = [self.values.get(period.start) for period in periods_between(first, last)]
        found = [part for part in parts if part is not None and np.isfinite(part).all()]
        if aggregate == "last" or len(parts) == 1:
            return parts[-1] if found and found[-1] is parts[-1] else None
        if aggregate == "rate" or len(found) < len(parts):
            return None
        return np.asarray(sum(found))


def quantity(target: Target, entry: Indicator, line: Line) -> Floats | None:
    """What a target speaks of along each path, `(paths,)`, in the unit of its baselines.

    None where the line does not hold what it takes.
    """
    by = target.period
    if target.measure == "growth":
        return _mean_growth(by, line) if entry.unit == "%" else _growth(target, entry, line)
    start = by.start
    if by.frequency is Frequency.SPAN and entry.aggregate != "sum":
        start = Period.containing(Frequency.YEAR, by.end).start
    return line.over(start, by.end, entry.aggregate)


def _mean_growth(by: Period, line: Line) -> Floats | None:
    """The growth that, every year anew, comes to the same as those of the years, in percent."""
    each = [line.over(start, end, "rate") for start, end in _years(by)]
    known = [1 + growth / 100 for growth in each if growth is not None]
    if not known or len(known) < len(each):
        return None
    product = np.maximum(np.prod(np.broadcast_arrays(*known), axis=0), 0.0)
    return np.asarray(100 * (product ** (1 / len(known)) - 1))


def _growth(target: Target, entry: Indicator, line: Line) -> Floats | None:
    """Percent a year from the year `since` to the last year of `by`."""
    since = first_year(target)
    end = Period.containing(Frequency.YEAR, target.period.end)
    base = line.over(since.start, since.end, entry.aggregate)
    top = line.over(end.start, end.end, entry.aggregate)
    if base is None or top is None or (base <= 0).any():
        return None
    years = end.start.year - since.start.year
    return np.asarray(100 * (np.maximum(top / base, 0.0) ** (1 / years) - 1))


def first_year(target: Target) -> Period:
    """The year a growth starts from."""
    if target.since:
        return Period.parse(target.since)
    return Period.containing(Frequency.YEAR, target.period.start).next(-1)


def _years(by: Period) -> list[tuple[date, date]]:
    """The years of a period; where it is finer than a year, the period itself."""
    first, last = (Period.containing(Frequency.YEAR, day) for day in (by.start, by.end))
    if (first.start, last.end) != (by.start, by.end):
        return [(by.start, by.end)]
    return [(year.start, year.end) for year in periods_between(first, last)]
