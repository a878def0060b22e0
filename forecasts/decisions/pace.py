"""Where a sum that grows through the year will end, by how past years went on from the same month.

What has come together by the end of a month was, in each past year, a share of what came together
in all. A new year is taken to have a share like theirs: on the logit scale it is spread as
Student's t around their mean, with the uncertainty of a mean of so few years in it. So the chance
falls with what is asked, and three years never pretend to know as much as ten.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from forecasts.panel import Floats

FEWEST_YEARS = 3
LAST_MONTH = 12
LEAST_SHARE = 1e-3
"""Shares are kept so far from 0 and 1, where the logit ends."""
LEAST_SPREAD = 0.05
"""On the logit scale: past years that agree to the last digit still do not bind the next one."""


@dataclass(frozen=True)
class Pace:
    """Where a year stands, and what past years made of it. Amounts are in the unit of the series.

    `reason` is null where it can be judged, else `no_months` (nothing of this year) or `few_years`
    (fewer than three past years with this month and a whole year); then only `month`, `done` and
    `years` are told.
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
    """That `value` is reached, 0 to 1."""
    times: float | None = None
    """What is still needed, over what usually comes in the months left; null where that is 0."""
    reason: str | None = None
    completed: bool = False
    """The month is not over, and was completed from its days."""


def pace(
    frame: pl.DataFrame, year: int, value: float, *, shapes: pl.DataFrame | None = None
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
    past = _past(frame if shapes is None else shapes, year, month)
    known = Pace(year, value, month, done, len(past))
    if month == LAST_MONTH:
        return _with(known, done, done, float(done >= value), None)
    if len(past) < FEWEST_YEARS:
        return _with(known, None, None, None, None, "few_years")
    share = (past["then"] / past["whole"]).to_numpy()
    ends = done / share
    usual = _usual(past, share, value, lent=shapes is not None)
    times = max(value - done, 0.0) / usual if usual > 0 else None
    chance = reached(share, done, value)
    return _with(known, float(ends.min()), float(ends.max()), chance, times)


def reached(share: Floats, done: float, value: float) -> float:
    """The chance that a year ends at `value` or above, 0 to 1, having come to `done`.

    `share` has for each past year, three or more, what had come together by then over the whole.
    """
    from scipy.special import stdtr

    if value <= done:
        return 1.0
    if done <= 0:
        return 0.0
    logits = _logit(share)
    count = len(logits)
    spread = max(float(np.std(logits, ddof=1)), LEAST_SPREAD) * np.sqrt(1 + 1 / count)
    asked = float(_logit(np.array([done / value]))[0])
    return float(stdtr(count - 1, (asked - logits.mean()) / spread))


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
    """Columns then and whole, one row for each past year of which both are known and above 0."""
    earlier = frame.filter(pl.col("year") < year)
    then = earlier.filter(month=month).select("year", then="cumulative")
    whole = earlier.filter(month=LAST_MONTH).select("year", whole="cumulative")
    both = then.join(whole, on="year")
    return both.filter((pl.col("then") > 0) & (pl.col("whole") >= pl.col("then"))).sort("year")


def _usual(past: pl.DataFrame, share: Floats, value: float, *, lent: bool) -> float:
    """What usually comes in the months left; of lent years only the share of the whole is like."""
    rest = (1 - share) * value if lent else (past["whole"] - past["then"]).to_numpy()
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
