"""What Tết, holidays and working days do to figures: injected, found again, and not found."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.periods import Frequency
from forecasts.calendar_effects import CalendarEffects, calendar_effects
from forecasts.calendar_regressors import COLUMNS, USUAL_YEARS, regressors
from forecasts.panel import Floats, Panel, steps

BEFORE, DURING, AFTER = 0.10, -0.35, 0.08
TET_OF_MONTHS = [BEFORE, DURING, AFTER, 0.0]


def panel_of(
    rows: Sequence[Sequence[float]] | Floats,
    start: date,
    frequency: str = "month",
    categories: Sequence[str] | None = None,
    *,
    tet: bool = True,
) -> Panel:
    values = np.array(rows, dtype=float)
    step = Frequency(frequency)
    keys = pl.DataFrame(
        {
            "indicator": ["received"] * len(values),
            "area": [f"{row:05d}" for row in range(len(values))],
            "category": list(categories or ["land"] * len(values)),
        }
    )
    periods = steps(start, step, values.shape[1])
    free = np.full(len(values), np.inf)
    return Panel(keys, periods, values, step, -free, free, tet)


def expected(
    series: int,
    weights: Sequence[float],
    start: date = date(2017, 1, 1),
    periods: int = 96,
    level: float = 300.0,
    frequency: str = "month",
) -> Floats:
    """Level times trend times season times calendar, the same for every series but the level."""
    step = Frequency(frequency)
    told = regressors(steps(start, step, periods), step).values
    time = np.arange(periods)
    season = 0.2 * np.sin(2 * np.pi * time / step.season)
    levels = level * np.linspace(0.5, 1.5, series)[:, None]
    return np.asarray(levels * np.exp(0.0002 * time + season + told @ np.array(weights)))


def counts(mean: Floats, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).poisson(mean).astype(float)


def largest(effects: CalendarEffects) -> float:
    logs = np.log(np.concatenate([effects.past, effects.future], axis=1))
    return float(np.abs(logs).max())


# --- what the calendar says -----------------------------------------------------------------------


def test_months_are_told_what_differs_from_their_usual_calendar():
    months = steps(date(USUAL_YEARS[0], 1, 1), Frequency.MONTH, 12 * len(USUAL_YEARS))
    by_month = regressors(months, Frequency.MONTH).values.reshape(len(USUAL_YEARS), 12, -1)
    np.testing.assert_allclose(by_month.mean(axis=0), 0, atol=1e-12)
    january, february = by_month[2025 - USUAL_YEARS[0], :2, 0]
    assert january > 0 > february  # Tết was on 29 January 2025


def test_every_tet_is_shared_out_whole_over_weeks():
    weeks = steps(date(2020, 6, 1), Frequency.WEEK, 52)
    np.testing.assert_allclose(regressors(weeks, Frequency.WEEK).values[:, :5].sum(axis=0), 1)


@pytest.mark.parametrize(
    ("day", "told"),
    [
        (date(2026, 2, 15), ["days_2_to_1_before_tet"]),  # a Sunday
        (date(2026, 2, 18), ["days_0_to_2_of_tet", "holiday"]),
        (date(2026, 2, 23), ["days_3_to_7_of_tet", "day_after_holiday"]),
        (date(2026, 4, 26), ["holiday_on_weekend"]),
        (date(2026, 4, 29), ["day_before_holiday"]),
        (date(2026, 5, 4), ["day_after_holiday"]),  # Monday after Friday, 1 May
        (date(2026, 8, 22), ["worked_in_exchange"]),
        (date(2026, 8, 31), ["holiday"]),
        (date(2026, 6, 10), []),
    ],
)
def test_a_day_is_told_what_is_odd_about_it(day, told):
    found = regressors((day,), Frequency.DAY)
    names = [column.name for column in found.columns]
    assert [names[at] for at in np.flatnonzero(found.values[0])] == told


@pytest.mark.parametrize("frequency", COLUMNS)
def test_what_is_told_of_a_period_does_not_depend_on_the_others(frequency):
    periods = steps(date(2024, 1, 1), frequency, 60)
    part = regressors(periods[20:40], frequency)
    np.testing.assert_array_equal(part.values, regressors(periods, frequency).values[20:40])
    np.testing.assert_array_equal(part.tet_years, regressors(periods, frequency).tet_years[20:40])


# --- what is found --------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2013, 2015, 2018])
@pytest.mark.parametrize("level", [300.0, 30.0])
def test_an_injected_tet_is_found_again(year, level):
    mean = expected(80, TET_OF_MONTHS, date(year, 1, 1), level=level)
    panel = panel_of(counts(mean), date(year, 1, 1))
    effects = calendar_effects(panel.until(83), 12)
    true = np.exp(regressors(panel.periods, Frequency.MONTH).values @ TET_OF_MONTHS)[84:]
    assert effects.used[0]
    assert np.abs(effects.future.mean(axis=0) / true - 1).max() < 0.05


def test_where_the_calendar_does_nothing_nothing_is_taken_out():
    free = np.full(4, 0.0)
    found = [
        largest(calendar_effects(panel_of(counts(expected(80, free), seed), date(2017, 1, 1)), 12))
        for seed in range(12)
    ]
    assert np.median(found) == 0
    assert max(found) < 0.05


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**20), noise=st.floats(0.0, 0.1))
def test_factors_of_a_series_free_of_calendar_stay_near_one(seed, noise):
    chance = np.random.default_rng(seed).normal(0, noise, (30, 84))
    values = expected(30, np.zeros(4), periods=84) * np.exp(chance)
    assert largest(calendar_effects(panel_of(values, date(2017, 1, 1)), 12)) <= 0.15


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.5, 1e6), seed=st.integers(0, 99))
def test_another_unit_changes_no_factor(scale, seed):
    values = counts(expected(12, TET_OF_MONTHS), seed)
    once = calendar_effects(panel_of(values, date(2017, 1, 1)), 12)
    again = calendar_effects(panel_of(values * scale, date(2017, 1, 1)), 12)
    np.testing.assert_allclose(again.future, once.future, rtol=1e-6)
    assert [use.parts for use in again.used.values()] == [use.parts for use in once.used.values()]


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(9)))
def test_the_order_of_series_changes_no_factor(order):
    values = counts(expected(9, TET_OF_MONTHS))
    categories = ["land"] * 4 + ["civil"] * 5
    once = calendar_effects(panel_of(values, date(2017, 1, 1), categories=categories), 12)
    turned = panel_of(values[order], date(2017, 1, 1), categories=[categories[i] for i in order])
    np.testing.assert_allclose(calendar_effects(turned, 12).future, once.future[order], rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(origin=st.integers(30, 90), planted=st.floats(0, 1e9))
def test_no_value_after_the_end_reaches_the_estimate(origin, planted):
    values = counts(expected(5, TET_OF_MONTHS))
    other = values.copy()
    other[:, origin + 1 :] = planted
    once, again = (
        calendar_effects(panel_of(rows, date(2017, 1, 1)).until(origin), 12)
        for rows in (values, other)
    )
    np.testing.assert_array_equal(again.future, once.future)


@pytest.mark.parametrize("horizon", [0, 1, 24])
def test_the_horizon_changes_no_estimate(horizon):
    panel = panel_of(counts(expected(5, TET_OF_MONTHS)), date(2017, 1, 1))
    effects = calendar_effects(panel, horizon)
    np.testing.assert_array_equal(effects.weights, calendar_effects(panel, 12).weights)
    assert effects.past.shape == (5, 96)
    assert effects.future.shape == (5, horizon)


@pytest.mark.parametrize("months", [24, 30])
def test_two_tets_are_too_few_to_tell_from_a_season(months):
    values = counts(expected(80, TET_OF_MONTHS, date(2017, 6, 1), months))
    effects = calendar_effects(panel_of(values, date(2017, 6, 1)), 12)
    assert not effects.used[0]
    assert largest(effects) == 0


def test_groups_may_differ_in_what_tet_does_to_them():
    rise = [0.3, 0.3, 0.0, 0.0]
    values = np.concatenate([expected(30, TET_OF_MONTHS), expected(30, rise)])
    panel = panel_of(counts(values), date(2017, 1, 1), categories=["a"] * 30 + ["b"] * 30)
    found = calendar_effects(panel, 12).weights
    assert found[:30, 1].mean() == pytest.approx(DURING, abs=0.08)
    assert found[30:, 1].mean() == pytest.approx(0.3, abs=0.08)


def test_a_thin_group_is_led_by_what_the_whole_panel_shows():
    thick, thin = expected(60, TET_OF_MONTHS), expected(2, TET_OF_MONTHS, level=20.0)
    names = [*"abcdef" * 10, "thin", "thin"]
    panel = panel_of(counts(np.concatenate([thick, thin])), date(2017, 1, 1), categories=names)
    assert calendar_effects(panel, 12).weights[-1, 1] == pytest.approx(DURING, abs=0.12)


def test_a_large_series_keeps_what_is_its_own():
    values = expected(40, TET_OF_MONTHS, level=20_000.0)
    own = regressors(panel_of(values, date(2017, 1, 1)).periods, Frequency.MONTH).values[:, 1]
    values[:8] *= np.exp(0.25 * own)
    found = calendar_effects(panel_of(counts(values), date(2017, 1, 1)), 12).weights[:, 1]
    assert found[:8].mean() - found[8:].mean() == pytest.approx(0.25, abs=0.06)


def test_small_cells_take_the_effect_of_their_group():
    values = counts(expected(100, TET_OF_MONTHS, level=3.0))
    effects = calendar_effects(panel_of(values, date(2017, 1, 1)), 12)
    assert effects.used[0]
    assert np.ptp(effects.weights, axis=0).max() == 0


def test_gaps_and_late_starts_are_no_obstacle():
    values = counts(expected(30, TET_OF_MONTHS))
    whole = calendar_effects(panel_of(values, date(2017, 1, 1)), 12)
    values[3, 40:50] = np.nan
    values[4:15, :20] = np.nan
    values[:, 61] = np.nan  # nobody reported
    holed = calendar_effects(panel_of(values, date(2017, 1, 1)), 12)
    assert np.isfinite(holed.past).all()
    np.testing.assert_allclose(holed.future, whole.future, atol=0.03)


def test_series_of_nothing_and_of_zeros_get_no_answer_of_their_own():
    values = counts(expected(30, TET_OF_MONTHS))
    values[0], values[1] = np.nan, 0
    effects = calendar_effects(panel_of(values, date(2017, 1, 1)), 12)
    assert np.isfinite(effects.future).all()
    nothing = panel_of(np.full((2, 84), np.nan), date(2017, 1, 1))
    assert largest(calendar_effects(nothing, 12)) == 0


def test_where_values_are_not_positive_the_effect_is_added():
    told = regressors(steps(date(2017, 1, 1), Frequency.MONTH, 96), Frequency.MONTH).values
    chance = np.random.default_rng(0).normal(0, 2, (20, 96))
    panel = panel_of(50 * told @ TET_OF_MONTHS + chance, date(2017, 1, 1)).until(83)
    effects = calendar_effects(panel, 12)
    assert effects.additive.all()
    assert (effects.past == 1).all()
    calm = effects.without(panel.values)
    assert calm.std() < 0.7 * panel.values.std()
    np.testing.assert_allclose(
        effects.restored(np.zeros((20, 12))).mean(axis=0), 50 * told[84:] @ TET_OF_MONTHS, atol=2
    )


def test_groups_of_any_kind_stand_beside_each_other():
    values = counts(expected(12, TET_OF_MONTHS))
    balance = values[:2] - 300
    nothing = np.full((2, 96), np.nan)
    names = ["a"] * 6 + ["b"] * 6 + ["balance"] * 2 + ["nothing", "nil"]
    rows = np.concatenate([values, balance, nothing])
    effects = calendar_effects(panel_of(rows, date(2017, 1, 1), categories=names), 12)
    assert effects.additive.tolist() == [False] * 12 + [True] * 2 + [False] * 2
    assert np.isfinite(effects.future).all()
    only_one = calendar_effects(panel_of(rows[12:], date(2017, 1, 1), categories=[*names[12:]]), 12)
    np.testing.assert_allclose(only_one.weights[:2], effects.weights[12:14])


def test_what_is_taken_out_can_be_put_back():
    panel = panel_of(counts(expected(6, TET_OF_MONTHS)), date(2017, 1, 1))
    effects = calendar_effects(panel, 12)
    np.testing.assert_allclose(effects.without(panel.values) * effects.past, panel.values)
    paths = np.ones((3, 6, 12))
    np.testing.assert_array_equal(effects.restored(paths)[2], effects.future)


def test_the_parts_add_up_to_the_effect():
    panel = panel_of(counts(expected(6, [*TET_OF_MONTHS[:3], 0.8])), date(2017, 1, 1))
    effects = calendar_effects(panel, 12)
    assert effects.used[0].parts == effects.parts == ("tet", "working_days")
    together = sum(effects.part(name) for name in effects.parts)
    logs = np.log(np.concatenate([effects.past, effects.future], axis=1))
    np.testing.assert_allclose(together, logs, atol=1e-12)


@pytest.mark.parametrize(
    ("frequency", "start", "known", "weights"),
    [
        ("week", date(2020, 1, 6), 260, [0.1, -0.3, -1.0, 0.2, 0.1, 0.6]),
        ("day", date(2022, 7, 4), 1300, [0.1, -0.3, -0.8, -1, -0.4, 0.3, 0.15, -3, 0, 0, 0.1, 0.2]),
    ],
)
def test_weeks_and_days_know_tet_too(frequency, start, known, weights):
    mean = expected(40, weights, start, known + 60, frequency=frequency)
    panel = panel_of(counts(mean), start, frequency)
    effects = calendar_effects(panel.until(known - 1), 60)
    told = regressors(panel.periods, Frequency(frequency)).values
    true = np.exp(told @ weights)[known:]
    np.testing.assert_allclose(effects.future.mean(axis=0), true, atol=0.08)
    shut = told[:known] @ weights < np.log(0.1)
    assert effects.silent[0, shut].all()


@pytest.mark.parametrize("frequency", ["quarter", "year"])
def test_quarters_and_years_hold_the_whole_of_tet(frequency):
    effects = calendar_effects(panel_of(np.ones((2, 40)), date(2010, 1, 1), frequency), 4)
    assert effects.parts == ()
    assert effects.future.tolist() == [[1.0] * 4] * 2


def test_a_panel_that_tet_does_not_move_is_left_alone():
    values = counts(expected(30, TET_OF_MONTHS))
    effects = calendar_effects(panel_of(values, date(2017, 1, 1), tet=False), 12)
    assert not effects.used[0]
    assert (effects.past == 1).all()
