"""Months spread over days: they add up, and days off get what days off usually get."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.periods import Frequency
from forecasts.decisions.arrivals import day_shares, rest_of_month, spread
from forecasts.nowcast import Completed
from forecasts.panel import Panel, steps


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=30)
def test_the_days_of_a_path_add_up_to_its_months(seed):
    rng = np.random.default_rng(seed)
    months = rng.integers(0, 50, (3, 2, 2, 2)).astype(float)
    shares = rng.random((2, 28 + 31))
    found = spread(months, date(2026, 1, 1), shares, date(2026, 2, 1), rng)
    assert (found.counts[..., :28].sum(axis=-1) == months[..., 0]).all()
    assert (found.counts[..., 28:].sum(axis=-1) == months[..., 1]).all()


def test_weeks_add_up_to_the_same_dossiers():
    rng = np.random.default_rng(1)
    months = rng.integers(0, 50, (3, 2, 2, 1)).astype(float)
    found = spread(months, date(2026, 1, 1), np.ones((2, 28)), date(2026, 2, 1), rng)
    mondays, weeks = found.weeks()
    assert mondays[0] == date(2026, 1, 26)
    assert (weeks.sum(axis=-1) == months[..., 0]).all()


def test_rounding_keeps_the_mean_of_small_months():
    months = np.full((4000, 1, 1, 1), 0.3)
    rng = np.random.default_rng(0)
    found = spread(months, date(2026, 1, 1), np.ones((1, 28)), date(2026, 2, 1), rng)
    assert found.counts.sum(axis=-1).mean() == pytest.approx(0.3, abs=0.03)


def test_days_off_get_the_share_they_have_had():
    first = date(2024, 1, 1)
    days = steps(first, Frequency.DAY, 700)
    values = np.array([[0.0 if day.weekday() > 4 else 20.0 for day in days]])
    panel = Panel(
        pl.DataFrame({"category": ["land"]}),
        days,
        values,
        Frequency.DAY,
        np.zeros(1),
        np.full(1, np.inf),
        alike=("category",),
    )
    shares = day_shares(panel, days[-1] + timedelta(days=28))
    ahead = [days[-1] + timedelta(days=at + 1) for at in range(28)]
    off = np.array([day.weekday() > 4 for day in ahead])
    assert shares[0, off].max() < 0.01 * shares[0, ~off].min()


def test_what_is_left_of_a_month_is_the_completed_month_less_what_is_there():
    completed = Completed(
        keys=pl.DataFrame({"area": ["a", "b"]}),
        month=date(2026, 11, 1),
        through=date(2026, 11, 10),
        so_far=np.array([30.0, 5.0]),
        done=np.array([0.3, 0.3]),
        expected=np.array([100.0, 20.0]),
        levels=(0.1, 0.5, 0.9),
        quantiles=np.array([[90.0, np.nan], [100.0, np.nan], [110.0, np.nan]]),
        refused=(None, "too_few_months"),
    )
    month = np.array([[[40.0, 40.0], [6.0, 6.0]], [[60.0, 60.0], [9.0, 9.0]], [[50, 50], [8, 8]]])
    rest, untold = rest_of_month(month, completed, [0, 1], np.array([0.7, 0.7]))
    assert rest[:, 0].sum(axis=1) == pytest.approx([185 / 3, 235 / 3, 70.0], abs=0.01)
    assert rest[:, 1] == pytest.approx(month[:, 1] * 0.7)
    assert untold == [1]
