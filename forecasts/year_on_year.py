"""Change on the year that does not mislead: as the calendar has it, and with Tết where it belongs.

'January +23 % on the year' is mostly the holiday when Tết fell into January a year before and falls
into February now. So three changes are told beside each other: that of the months as they are; that
of January and February together, which hold the whole of Tết; and that with the effect of Tết and
of working days taken out. Which one leads, and by how much the first misleads, is part of the
answer; what cannot be said is null, with the reason.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl

from etl.calendars import share_around_tet, tet, working_days
from etl.periods import Frequency, Period
from forecasts.calendar_effects import calendar_effects
from forecasts.calendar_regressors import MONTH_WINDOWS
from forecasts.panel import Panel

Lead = Literal["calendar", "together", "aligned"]
Reason = Literal[
    "no_value",
    "no_value_a_year_before",
    "nothing_a_year_before",
    "february_not_known",
    "not_january_to_march",
    "no_effect_told_from_chance",
]
TET_MOVED = 0.1
"""Difference of the shares of Tết in a month and in that of the year before that can mislead."""
REACH = (-14, 21)
"""Days from Tết that are compared with those as far from Tết a year before; others are calm."""
LEAST_CALM = 5
"""Fewer calm working days of the month a year before, and those of January to March stand in."""


@dataclass(frozen=True)
class YearOnYear:
    """Change of one month on the year: shares of the value then, or differences if so asked.

    `why` has the reason for each change that is null. `misleads_by` is the calendar change less the
    aligned one, in the same terms.
    """

    month: date
    calendar: float | None
    together: float | None
    aligned: float | None
    leads: Lead | None
    misleads_by: float | None
    why: dict[Lead, Reason]


def year_on_year(
    series: pl.DataFrame,
    month: date,
    *,
    factors: pl.DataFrame | None = None,
    difference: bool = False,
) -> YearOnYear:
    """The change of `month` on the year, from a monthly series.

    `series` has one row a month: period (its first day) and value. `factors` has period and factor,
    what the calendar multiplies each month by, say from the `past` of effects pooled over siblings;
    by itself the series has to show its own. With `difference`, as for rates, changes are
    differences in the unit of the series.
    """
    values = _by_period(series, "value")
    calm = _calm(series, values, factors)
    first = month.replace(day=1)
    told: dict[Lead, float | Reason] = {
        "calendar": _change(values, [first], difference=difference),
        "together": _together(values, first, difference=difference),
        "aligned": "no_effect_told_from_chance"
        if calm is None
        else _change(calm, [first], difference=difference),
    }
    return _answer(first, told)


def year_on_year_of_days(series: pl.DataFrame, month: date) -> YearOnYear:
    """The change of `month` on the year, from a daily series of flows: columns period and value.

    Aligned are the days around Tết with those as far from Tết a year before, and the calm days with
    calm ones, each per working day. A month that is not over is compared as far as its days are
    known, with as many days of the month a year before.
    """
    values = _by_period(series, "value")
    whole = _month(month)
    days = [day for day in whole if day <= max(values, default=month)]
    before = _month(_year_before(month))
    told: dict[Lead, float | Reason] = {
        "calendar": _ratio(
            _total(values, days),
            _total(values, before if days == whole else before[: len(days)]),
        ),
        "together": _together_of_days(values, month),
        "aligned": _ratio(_total(values, days), _as_then(values, days)),
    }
    return _answer(month.replace(day=1), told)


def estimated_factors(series: pl.DataFrame) -> pl.DataFrame:
    """What the calendar multiplies each month of one series by: period and factor.

    No row where the series cannot tell an effect from chance, or has values that are not positive.
    """
    known = series.drop_nulls("value").select("period", "value", key=pl.lit("one"))
    nothing = pl.DataFrame(schema={"period": pl.Date, "factor": pl.Float64})
    if known.is_empty():
        return nothing
    panel = Panel.from_frame(known, Frequency.MONTH, key=["key"], alike=(), tet=True)
    effects = calendar_effects(panel, 0)
    if not effects.used[0] or effects.additive[0]:
        return nothing
    return pl.DataFrame({"period": panel.periods, "factor": effects.past[0]})


# --- months ---------------------------------------------------------------------------------------


def _by_period(frame: pl.DataFrame, name: str) -> dict[date, float]:
    known = frame.filter(pl.col(name).is_not_null() & pl.col(name).is_finite())
    return dict(known.select("period", pl.col(name).cast(float)).iter_rows())


def _calm(
    series: pl.DataFrame, values: dict[date, float], factors: pl.DataFrame | None
) -> dict[date, float] | None:
    """Values with the calendar taken out; None where its effect is not known."""
    known = _by_period(estimated_factors(series) if factors is None else factors, "factor")
    if not known:
        return None
    return {month: value / known[month] for month, value in values.items() if month in known}


def _together(values: dict[date, float], month: date, *, difference: bool) -> float | Reason:
    if month.month > 3:
        return "not_january_to_march"
    months = [month.replace(month=1), month.replace(month=2)]
    if months[1] not in values:
        return "february_not_known"
    return _change(values, months, difference=difference)


def _change(values: dict[date, float], months: list[date], *, difference: bool) -> float | Reason:
    now = _total(values, months)
    before = _total(values, [month.replace(year=month.year - 1) for month in months])
    if not difference:
        return _ratio(now, before)
    if now is None or before is None:
        return "no_value" if now is None else "no_value_a_year_before"
    # Rates do not add up: over two months it is their mean that changed.
    return (now - before) / len(months)


def _total(values: dict[date, float], periods: list[date]) -> float | None:
    """The sum; None where one of them is not known, or there is none."""
    if not periods or any(period not in values for period in periods):
        return None
    return sum(values[period] for period in periods)


def _ratio(now: float | None, before: float | None) -> float | Reason:
    if now is None:
        return "no_value"
    if before is None:
        return "no_value_a_year_before"
    return now / before - 1 if before > 0 else "nothing_a_year_before"


def _answer(month: date, told: dict[Lead, float | Reason]) -> YearOnYear:
    said = {name: value for name, value in told.items() if isinstance(value, float)}
    calendar, aligned = said.get("calendar"), said.get("aligned")
    apart = None if calendar is None or aligned is None else calendar - aligned
    return YearOnYear(
        month=month,
        calendar=calendar,
        together=said.get("together"),
        aligned=aligned,
        leads=_lead(month, said),
        misleads_by=apart,
        why={name: value for name, value in told.items() if not isinstance(value, float)},
    )


def _lead(month: date, said: dict[Lead, float]) -> Lead | None:
    """The aligned change, else both months together, where Tết moved; elsewhere the calendar's."""
    order: tuple[Lead, ...] = ("calendar",)
    if _tet_moved(month):
        order = ("aligned", "together", "calendar")
    return next((name for name in order if name in said), None)


def _tet_moved(month: date) -> bool:
    """Whether another share of the days around Tết fell into the month a year before."""
    now, before = _shares(month), _shares(_year_before(month))
    return bool(np.abs(np.subtract(now, before)).max() > TET_MOVED)


def _shares(month: date) -> list[float]:
    days = _month(month)
    return [share_around_tet(days[0], days[-1], *window) for window in MONTH_WINDOWS.values()]


# --- days -----------------------------------------------------------------------------------------


def _month(day: date) -> list[date]:
    whole = Period.containing(Frequency.MONTH, day)
    return _days(whole.start, whole.end)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _year_before(month: date) -> date:
    return month.replace(year=month.year - 1, day=1)


def _from_tet(day: date) -> int:
    return (day - tet(day.year)).days


def _is_calm(day: date) -> bool:
    return not REACH[0] <= _from_tet(day) <= REACH[1]


def _as_then(values: dict[date, float], days: list[date]) -> float | None:
    """What these days would come to at the pace of a year before; None where that is not known."""
    near = [day for day in days if not _is_calm(day)]
    then = [tet(day.year - 1) + timedelta(days=_from_tet(day)) for day in near]
    calm = [day for day in days if _is_calm(day)]
    around, quiet = _at_pace(values, near, then), _at_pace(values, calm, _calm_then(days))
    return None if around is None or quiet is None else around + quiet


def _calm_then(days: list[date]) -> list[date]:
    """The calm days that stand for those of this month a year before."""
    then = _year_before(days[0]) if days else date.min
    own = [day for day in _month(then) if _is_calm(day)]
    if _worked(own) >= LEAST_CALM:
        return own
    first_months = _days(then.replace(month=1), then.replace(month=4) - timedelta(days=1))
    return [day for day in first_months if _is_calm(day)]


def _at_pace(values: dict[date, float], days: list[date], then: list[date]) -> float | None:
    """The total of the days `then`, for as many working days as `days` have."""
    if not _worked(days):
        return 0.0
    total = _total(values, then)
    return total / _worked(then) * _worked(days) if total is not None and _worked(then) else None


def _worked(days: list[date]) -> int:
    return sum(working_days(day, day) for day in days)


def _together_of_days(values: dict[date, float], month: date) -> float | Reason:
    if month.month > 3:
        return "not_january_to_march"
    sides = [
        _days(date(year, 1, 1), date(year, 3, 1) - timedelta(days=1))
        for year in (month.year, month.year - 1)
    ]
    if sides[0][-1] not in values:
        return "february_not_known"
    return _ratio(_total(values, sides[0]), _total(values, sides[1]))
