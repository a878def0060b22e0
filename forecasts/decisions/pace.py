"""Where a sum that grows through the year will end, by how past years went on from the same month.

What has come together by the end of a month was, in each past year, a share of what came together
in all. A new year is taken to have a share like theirs: on the logit scale it is spread as
Student's t around their mean, with the uncertainty of a mean of so few years in it. So the chance
falls with what is asked, and three years never pretend to know as much as ten.

A share of 0 or of 1 has no logit. Where a past year had nothing by then or nothing after, its end
is counted among the others: of n years k that got there are a chance of (k + 1/2) / (n + 1), never
certain. Nothing is no share either: where nothing has come yet, or an own past year stood so, years
go on by what came in their remaining months, not by shares.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forecasts.panel import Floats

Direction = Literal["at_least", "at_most"]
FEWEST_YEARS = 3
LAST_MONTH = 12
LEAST_SHARE = 1e-3
"""Shares are kept so far from 0 and 1, where the logit ends."""
LEAST_SPREAD = 0.05
"""On the logit scale: past years that agree to the last digit still do not bind the next one."""


@dataclass(frozen=True)
class Pace:
    """Where a year stands, and what past years made of it. Amounts are in the unit of the series.

    `reason` is null where it can be judged, else `no_months` (nothing of this year), `few_years`
    (fewer than three past years with this month and a whole year) or `nothing_yet` (nothing has
    come, and no past year that it could go on like stood so); then only `month`, `done` and `years`
    are told.
    """

    year: int
    value: float
    """What is to be reached by the end of the year."""
    month: int = 0
    """The last month known of the year; 0 where none is."""
    done: float = 0.0
    """What has come together by the end of that month."""
    years: int = 0
    """Past years of which both that month and the whole year are known."""
    lower: float | None = None
    upper: float | None = None
    """The least and the most that past years would make of it."""
    chance: float | None = None
    """That the year ends at `value`, or on the right side of it, 0 to 1."""
    times: float | None = None
    """What is still needed, over what usually comes in the months left; null where that is 0."""
    reason: str | None = None
    completed: bool = False
    """The month is not over, and was completed from its days."""


def pace(
    frame: pl.DataFrame,
    year: int,
    value: float,
    *,
    direction: Direction = "at_least",
    shapes: pl.DataFrame | None = None,
) -> Pace:
    """How `year` stands on the way to `value` at its end.

    `frame` has columns year, month (1 to 12) and cumulative: what had come together from January
    to the end of that month; months may be missing, and month 12 is the whole year. `shapes`, in
    the same form, are the past years of something alike, where its own are to be taken from there.
    """
    mine = frame.filter(year=year).sort("month")
    if mine.is_empty():
        return Pace(year, value, reason="no_months")
    month, done = int(mine["month"][-1]), float(mine["cumulative"][-1])
    past, lent = _past(frame if shapes is None else shapes, year, month), shapes is not None
    known = Pace(year, value, month, done, len(past))
    if month == LAST_MONTH:
        return _with(known, done, done, float(_met(done, value, direction)), None)
    if len(past) < FEWEST_YEARS:
        return _with(known, None, None, None, None, "few_years")
    goes_on = _goes_on(past, done, value, direction, lent=lent)
    if goes_on is None:
        return _with(known, None, None, None, None, "nothing_yet")
    ends, chance = goes_on
    told = ends[np.isfinite(ends)]
    lower, upper = (float(told.min()), float(told.max())) if len(told) else (None, None)
    usual = _usual(past, value, lent=lent)
    return _with(known, lower, upper, chance, max(value - done, 0.0) / usual if usual > 0 else None)


def reached(share: Floats, done: float, value: float, direction: Direction = "at_least") -> float:
    """The chance that a year ends at `value`, or on the right side of it, 0 to 1.

    It has come to `done`, which is above 0. `share` has for each past year, three or more, what had
    come together by then over the whole.
    """
    from scipy.special import stdtr

    certain = _certain(done, value, direction)
    if certain is not None:
        return certain
    if ((share <= 0) | (share >= 1)).any():
        return _counted(_by_shares(share, done), value, direction)
    logits = _logit(share)
    count = len(logits)
    spread = max(float(np.std(logits, ddof=1)), LEAST_SPREAD) * np.sqrt(1 + 1 / count)
    asked = float(_logit(np.array([done / value]))[0])
    above = float(stdtr(count - 1, (asked - logits.mean()) / spread))
    return above if direction == "at_least" else 1 - above


def to_date(figures: pl.DataFrame, *, adds_up: bool) -> pl.DataFrame:
    """Columns year, month, cumulative from published figures of one series.

    `figures` has columns frequency, period, period_end and value: years and spans from January on
    are taken as they are, and, where months add up, months that are all there from January on fill
    in the rest.
    """
    first_of_year = (pl.col("period").dt.month() == 1) & (pl.col("period").dt.day() == 1)
    one_year = pl.col("period").dt.year() == pl.col("period_end").dt.year()
    given = figures.filter(pl.col("frequency").is_in(["year", "span", "quarter", "month"]))
    given = given.filter(first_of_year & one_year)
    months = figures.filter(frequency="month").sort("period")
    added = months.with_columns(
        value=pl.col("value").cum_sum().over(pl.col("period").dt.year()),
        counted=pl.int_range(1, pl.len() + 1).over(pl.col("period").dt.year()),
    ).filter(pl.col("counted") == pl.col("period").dt.month())
    both = pl.concat([given, added.select(given.columns)] if adds_up else [given])
    return (
        both.select(
            year=pl.col("period_end").dt.year().cast(pl.Int32),
            month=pl.col("period_end").dt.month().cast(pl.Int32),
            cumulative=pl.col("value").cast(pl.Float64),
        )
        .unique(["year", "month"], keep="first", maintain_order=True)
        .sort("year", "month")
    )


def _past(frame: pl.DataFrame, year: int, month: int) -> pl.DataFrame:
    """Columns share and rest, one row for each past year of which both then and whole are known.

    The share of a year in which nothing came at all is 0.
    """
    earlier = frame.filter(pl.col("year") < year)
    then = earlier.filter(month=month).select("year", then="cumulative")
    whole = earlier.filter(month=LAST_MONTH).select("year", whole="cumulative")
    both = then.join(whole, on="year").sort("year")
    both = both.filter((pl.col("then") >= 0) & (pl.col("whole") >= pl.col("then")))
    share = pl.when(pl.col("then") > 0).then(pl.col("then") / pl.col("whole")).otherwise(0.0)
    return both.select(share=share, rest=pl.col("whole") - pl.col("then"))


def _goes_on(
    past: pl.DataFrame, done: float, value: float, direction: Direction, *, lent: bool
) -> tuple[Floats, float] | None:
    """Where the year would end like each past one, and the chance; None where none is like it.

    What lent years brought is no amount of this one. Of a year with nothing yet, shares say that
    nothing will come: where past years never stood so, amounts must say the same to be believed.
    """
    share, ends = past["share"].to_numpy(), done + past["rest"].to_numpy()
    if done > 0 and (lent or (share > 0).all()):
        return _by_shares(share, done), reached(share, done, value, direction)
    certain = _certain(done, value, direction)
    if certain is not None:
        return (np.empty(0) if lent else ends), certain
    stays = (_met(ends, value, direction) == _met(done, value, direction)).all()
    if lent or ((share > 0).all() and not stays):
        return None
    return ends, _counted(ends, value, direction)


def _by_shares(share: Floats, done: float) -> Floats:
    """Ends by the share of each past year; without bound where that was 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(done / share)


def _counted(ends: Floats, value: float, direction: Direction) -> float:
    """The chance by how many past years would get there, never 0 or 1."""
    return float((_met(ends, value, direction).sum() + 0.5) / (len(ends) + 1))


def _certain(done: float, value: float, direction: Direction) -> float | None:
    """What can no longer change: a least value that is there, a most one that is passed."""
    met = bool(_met(done, value, direction))
    return float(met) if met == (direction == "at_least") else None


def _met(end: Floats | float, value: float, direction: Direction) -> NDArray[np.bool_]:
    return np.asarray(end >= value if direction == "at_least" else end <= value)


def _usual(past: pl.DataFrame, value: float, *, lent: bool) -> float:
    """What usually comes in the months left; of lent years only the share of the whole is like."""
    rest = (1 - past["share"].to_numpy()) * value if lent else past["rest"].to_numpy()
    return float(np.median(rest))


def _logit(share: Floats) -> Floats:
    kept = np.clip(share, LEAST_SHARE, 1 - LEAST_SHARE)
    return np.asarray(np.log(kept / (1 - kept)))


def _with(
    known: Pace,
    lower: float | None,
    upper: float | None,
    chance: float | None,
    times: float | None,
    reason: str | None = None,
) -> Pace:
    return Pace(
        known.year, known.value, known.month, known.done, known.years,
        lower, upper, chance, times, reason,
    )  # fmt: skip
