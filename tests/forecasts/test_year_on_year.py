"""Change on the year, where Tết would mislead and where nothing does."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.calendars import calendar
from etl.periods import Frequency
from forecasts.calendar_regressors import regressors
from forecasts.panel import steps
from forecasts.year_on_year import (
    year_on_year,
    year_on_year_of_days,
)

# Tết was on 29 January 2025 and on 17 February 2026.
JAN, FEB, MAR, JULY = (date(2026, month, 1) for month in (1, 2, 3, 7))
TET = [-0.1, -0.4, 0.1, 0.0]


def months(values: dict[str, float | None]) -> pl.DataFrame:
    rows = [(date.fromisoformat(f"{month}-01"), value) for month, value in values.items()]
    return pl.DataFrame(rows, schema={"period": pl.Date, "value": pl.Float64}, orient="row")


def with_tet(growth: float = 0.0, years: int = 9) -> pl.DataFrame:
    """100 a month growing by `growth` a year, with the effect of Tết, until December 2026."""
    periods = steps(date(2027 - years, 1, 1), Frequency.MONTH, 12 * years)
    trend = (1 + growth) ** (np.arange(12 * years) / 12)
    chance = np.random.default_rng(0).normal(0, 0.005, 12 * years)
    effect = regressors(periods, Frequency.MONTH).values @ TET
    return pl.DataFrame({"period": periods, "value": 100 * trend * np.exp(effect + chance)})


def daily(growth: float = 0.0, last: date = date(2026, 12, 31)) -> pl.DataFrame:
    """100 a working day from 2024, half of it in the week before Tết, growing from year to year."""
    days = calendar(date(2024, 1, 1), last)
    slow = pl.when(pl.col("days_from_tet").is_between(-7, 7)).then(0.5).otherwise(1.0)
    level = (1 + growth) ** (pl.col("date").dt.year() - 2024)
    return days.select(period="date", value=100 * pl.col("working").cast(float) * slow * level)


def test_januarys_rise_is_mostly_the_holiday():
    seen = year_on_year(with_tet(), JAN)
    assert seen.calendar > 0.2
    assert seen.aligned == pytest.approx(0, abs=0.03)
    assert seen.together == pytest.approx(0, abs=0.05)  # part of the surge is in March
    assert seen.misleads_by == pytest.approx(seen.calendar - seen.aligned)
    assert seen.leads == "aligned"
    assert seen.why == {}


@pytest.mark.parametrize("month", [JAN, FEB, MAR])
def test_growth_is_told_beside_the_holiday(month):
    assert year_on_year(with_tet(growth=0.1), month).aligned == pytest.approx(0.1, abs=0.04)


def test_outside_the_reach_of_tet_the_calendar_leads():
    seen = year_on_year(with_tet(growth=0.1), JULY)
    assert seen.leads == "calendar"
    assert seen.calendar == pytest.approx(0.1, abs=0.03)
    assert seen.misleads_by == pytest.approx(0, abs=0.01)
    assert seen.why == {"together": "not_january_to_march"}


def test_where_the_effect_is_not_known_january_and_february_lead_together():
    seen = year_on_year(months({"2025-01": 80, "2025-02": 120, "2026-01": 110, "2026-02": 95}), JAN)
    assert seen.leads == "together"
    assert seen.together == pytest.approx(205 / 200 - 1)
    assert seen.calendar == pytest.approx(110 / 80 - 1)
    assert seen.aligned is None
    assert seen.misleads_by is None
    assert seen.why == {"aligned": "no_effect_told_from_chance"}


def test_before_february_is_known_only_the_calendar_is_left_and_that_is_said():
    seen = year_on_year(months({"2025-01": 80, "2025-02": 120, "2026-01": 110}), JAN)
    assert seen.leads == "calendar"
    assert seen.why["together"] == "february_not_known"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"2025-07": 80}, "no_value"),
        ({"2025-07": 80, "2026-07": None}, "no_value"),
        ({"2026-07": 80}, "no_value_a_year_before"),
        ({"2025-07": 0, "2026-07": 5}, "nothing_a_year_before"),
    ],
)
def test_what_cannot_be_said_is_null_with_the_reason(values, reason):
    seen = year_on_year(months(values), JULY)
    assert seen.calendar is None
    assert seen.leads is None
    assert seen.why["calendar"] == reason


def test_rates_change_by_points():
    seen = year_on_year(
        months({"2025-01": 90, "2025-02": 92, "2026-01": 93, "2026-02": 93}), FEB, difference=True
    )
    assert seen.calendar == pytest.approx(1)
    assert seen.together == pytest.approx(2)


def test_factors_of_siblings_may_be_lent():
    factors = months({"2025-01": 0.8, "2026-01": 1.1}).rename({"value": "factor"})
    seen = year_on_year(months({"2025-01": 80, "2026-01": 121}), JAN, factors=factors)
    assert seen.aligned == pytest.approx(0.1)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.01, 1e6))
def test_another_unit_changes_no_change(scale):
    series = with_tet(growth=0.05)
    once = year_on_year(series, JAN)
    again = year_on_year(series.with_columns(pl.col("value") * scale), JAN)
    assert again.calendar == pytest.approx(once.calendar)
    assert again.aligned == pytest.approx(once.aligned)


# --- days -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("year", [2025, 2026])
def test_days_as_far_from_tet_are_compared(year, month):
    seen = year_on_year_of_days(daily(growth=0.1), date(year, month, 1))
    assert seen.aligned == pytest.approx(0.1, abs=0.03)


def test_by_the_calendar_the_same_days_seem_to_rise_and_fall():
    rises = [year_on_year_of_days(daily(), date(2026, month, 1)).calendar for month in (1, 2)]
    assert rises[0] > 0.2
    assert rises[1] < -0.2
    assert year_on_year_of_days(daily(), JAN).leads == "aligned"


def test_a_month_that_is_not_over_is_compared_as_far_as_it_is_known():
    seen = year_on_year_of_days(daily(growth=0.1, last=date(2026, 7, 15)), JULY)
    assert seen.calendar == pytest.approx(0.1)  # 11 working days in both years
    assert seen.aligned == pytest.approx(0.1)


def test_a_day_nobody_reported_is_missing_and_not_zero():
    series = daily().filter(pl.col("period") != date(2026, 7, 8))
    seen = year_on_year_of_days(series, JULY)
    assert seen.calendar is None
    assert seen.why["calendar"] == "no_value"


def test_both_months_together_hold_the_whole_of_tet():
    assert year_on_year_of_days(daily(), FEB).together == pytest.approx(0, abs=0.04)
    january = daily(last=date(2026, 2, 1) - timedelta(days=1))
    assert year_on_year_of_days(january, JAN).why["together"] == "february_not_known"
