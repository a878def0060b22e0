"""The growth of years to come, from growths published for years and for several years together.

Where figures are too few for the engine, growths may still be published for long: of single years,
and as the mean of five. A mean over several years tells their growth together; where some of these
years have figures of their own, it tells what is left for the others. Years are taken to vary
around one mean, good years rather after good ones; how unsure mean and spread are with so few of
them is in the paths, which are drawn whole. That a new age begins is not in them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from forecasts.panel import Floats

FEWEST_STEPS = 5
"""Stretches of years with a growth of their own; fewer say too little about the spread."""
PERSISTENCE = 0.5
"""How like the year before a year is. So few stretches cannot tell; as if years were independent,
the mean of five of them would be told much too surely where they are not."""
COUNT = 2000
SEED = 20260701
WHOLE = 100.0


@dataclass(frozen=True)
class Step:
    """What is known of the growth over some years."""

    years: frozenset[int]
    growth: float
    """Of the logarithm, over all of them together."""


@dataclass(frozen=True, eq=False)
class Grown:
    """Years to come, and what they rest on."""

    periods: tuple[date, ...]
    """First days of the years, without a gap after the last year known."""
    paths: Floats
    """`(COUNT, years)`, percent a year."""
    since: int
    """The first year of which a growth is known."""
    until: int
    """The last one."""


def grown(figures: pl.DataFrame, last: int) -> Grown | None:
    """Paths of the growth of each year after the last known one up to `last`.

    `figures` are published outcomes of a growth in percent on the year, the one that counts of each
    period: columns period, period_end, value. None with fewer than `FEWEST_STEPS` stretches, and
    where more years would have to be told than half of those known.
    """
    known = steps(figures)
    years = sorted({year for step in known for year in step.years})
    ahead = last - years[-1] if years else 0
    if len(known) < FEWEST_STEPS or not 0 < ahead <= len(years) / 2:
        return None
    paths = WHOLE * np.expm1(_drawn(known, ahead))
    periods = tuple(date(years[-1] + number, 1, 1) for number in range(1, ahead + 1))
    return Grown(periods, paths, years[0], years[-1])


def steps(figures: pl.DataFrame) -> list[Step]:
    """Stretches of years, no year in two of them, from growths of years and of several years.

    Shorter periods come first. A longer one tells what is left for its other years; one that only
    overlaps with what is known is left out.
    """
    found: list[Step] = []
    for years, growth in sorted(_given(figures), key=lambda one: (len(one[0]), min(one[0]))):
        inside = [step for step in found if step.years & years]
        left = years.difference(*(step.years for step in inside))
        if left and all(step.years <= years for step in inside):
            found.append(Step(left, growth - sum(step.growth for step in inside)))
    return found


def _given(figures: pl.DataFrame) -> Iterator[tuple[frozenset[int], float]]:
    """Years and logarithm of the growth over all of them, of periods that are whole years."""
    for start, end, value in figures.select("period", "period_end", "value").iter_rows():
        whole = (start.month, start.day, end.month, end.day) == (1, 1, 12, 31)
        if whole and value is not None and value > -WHOLE:
            years = frozenset(range(start.year, end.year + 1))
            yield years, len(years) * float(np.log1p(value / WHOLE))


def _drawn(known: list[Step], ahead: int) -> Floats:
    """Yearly growth of the logarithm after the last known year, `(COUNT, ahead)`."""
    expected, spread, root = _predicted(known, ahead)
    freedom = len(known) - 1
    rng = np.random.default_rng(SEED)
    spreads = spread * np.sqrt(freedom / rng.chisquare(freedom, (COUNT, 1)))
    return np.asarray(expected + spreads * (rng.standard_normal((COUNT, ahead)) @ root.T))


def _predicted(known: list[Step], ahead: int) -> tuple[Floats, float, Floats]:
    """Years ahead as expected, the spread of one, and a root of their covariance over its square.

    Years vary around a mean and by a spread that are not known, each like the year before by
    `PERSISTENCE`; what is known are sums over stretches of them. The best linear prediction, its
    mean by generalised least squares.

    Source: Cressie (1993), Statistics for Spatial Data, section 3.2 (ordinary kriging).
    """
    first, last = (end(year for step in known for year in step.years) for end in (min, max))
    years = np.arange(first, last + ahead + 1)
    alike = PERSISTENCE ** np.abs(years[:, None] - years).astype(np.float64)
    told = np.array([[float(year in step.years) for year in years] for step in known])
    growth, length = np.array([step.growth for step in known]), told.sum(axis=1)
    inverse = np.linalg.inv(told @ alike @ told.T)
    sure = length @ inverse @ length
    mean = length @ inverse @ growth / sure
    off = growth - mean * length
    weights = alike[-ahead:] @ told.T @ inverse
    rest = 1 - weights @ length
    error = alike[-ahead:, -ahead:] - weights @ told @ alike[:, -ahead:]
    root = np.linalg.cholesky(error + np.outer(rest, rest) / sure)
    spread = float(np.sqrt(off @ inverse @ off / (len(known) - 1)))
    return np.asarray(mean + weights @ off), spread, np.asarray(root)
