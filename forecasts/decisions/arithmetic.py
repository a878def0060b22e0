"""What a target asks for, beside what has been: sums anyone can check, and no forecast."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from etl.catalog import Catalog, Indicator, Target

LONGEST = 10
"""Years back to which the past pace is taken."""


@dataclass(frozen=True)
class Arithmetic:
    """Paces are percent a year, or points a year where `points`; missing is not zero."""

    points: bool
    base: float
    base_year: int
    """The newest annual figure, from which it starts."""
    needed: float | None = None
    past: float | None = None
    past_since: int | None = None
    """How it went from that year to `base_year`."""
    record: float | None = None
    record_year: int | None = None
    """Of a growth: the highest annual figure published, or lowest where less is asked."""
    real: float | None = None
    there: bool = False
    """The newest annual figure is where it has to be already."""
    deflator: float | None = None
    """The rise in prices a year that is left when `real` growth is taken out of `needed`."""

    @property
    def gap(self) -> float | None:
        """By how many points a year what is needed exceeds what has been."""
        before = self.past if self.past is not None else self.record
        return None if self.needed is None or before is None else abs(self.needed) - abs(before)


def arithmetic(
    catalog: Catalog, target: Target, entry: Indicator, figures: pl.DataFrame
) -> Arithmetic | None:
    """What the quoted baseline asks for; None where no annual figure says where it starts.

    `figures` are the published outcomes of the indicator.
    """
    yearly = figures.filter(frequency="year").select(year=pl.col("period").dt.year(), value="value")
    yearly = yearly.unique("year", keep="first", maintain_order=True).sort("year")
    if yearly.is_empty() or target.measure in ("cumulative", "computed"):
        return None
    by_year = dict(yearly.iter_rows())
    points = entry.unit == "%"
    if target.measure == "growth" and points:
        return _beside_the_record(target, by_year)
    last = max(by_year)
    found = _between(by_year, points)
    value = target.quoted.value
    years = target.period.end.year - last
    if target.measure == "growth":
        needed: float | None = value
    else:
        needed = _pace(by_year[last], value, years, points) if years > 0 else None
    real = _real(catalog, target)
    left = None if real is None or needed is None else 100 * ((100 + needed) / (100 + real) - 1)
    there = target.measure != "growth" and (
        by_year[last] >= value if target.direction == "at_least" else by_year[last] <= value
    )
    return Arithmetic(
        points, by_year[last], last, needed, *found, real=real, there=there, deflator=left
    )


def _beside_the_record(target: Target, by_year: dict[int, float]) -> Arithmetic:
    earlier = {y: v for y, v in by_year.items() if date(y, 12, 31) < target.period.start}
    shown = earlier or by_year
    best = (max if target.direction == "at_least" else min)(shown, key=lambda year: shown[year])
    last = max(shown)
    return Arithmetic(
        True,
        shown[last],
        last,
        target.quoted.value,
        record=shown[best],
        record_year=best,
    )


def _between(by_year: dict[int, float], points: bool) -> tuple[float | None, int | None]:
    """How it went from the earliest of the last ten years to the newest, and since when."""
    last = max(by_year)
    first = min(year for year in by_year if year >= last - LONGEST)
    if first == last:
        return None, None
    return _pace(by_year[first], by_year[last], last - first, points), first


def _pace(start: float, end: float, years: int, points: bool) -> float | None:
    if points:
        return (end - start) / years
    if start <= 0 or end <= 0:
        return None
    return float(100 * ((end / start) ** (1 / years) - 1))


def _real(catalog: Catalog, target: Target) -> float | None:
    named = (other for other in catalog.targets if other.name == target.real)
    return next((other.quoted.value for other in named), None)
