"""A surprise is told as it is: uniform chances, the right discoveries, more for what is further."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from forecasts.decisions.surprise import deviates, discoveries, ranked, two_sided

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


def band(center: np.ndarray, spread: np.ndarray | float) -> np.ndarray:
    return center + np.multiply.outer(ndtri(np.array(LEVELS)), spread * np.ones(len(center)))


def test_of_ten_p_values_the_textbook_rule_finds_the_first_four():
    # bars at 10 %: .01 .02 .03 .04 .05 ...: the fourth passes, so the third does too
    p = np.array([0.9, 0.001, 0.035, 0.031, 0.008, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert discoveries(p, 0.1).nonzero()[0].tolist() == [1, 2, 3, 4]
    assert discoveries(p, 0.05).nonzero()[0].tolist() == [1, 4]


def test_what_is_not_known_is_not_looked_at():
    p = np.array([0.06, np.nan, np.nan])
    assert discoveries(p, 0.1).tolist() == [True, False, False]
    assert not discoveries(np.array([np.nan]), 0.1).any()
    assert not discoveries(np.array([]), 0.1).any()


def test_chances_are_uniform_where_the_forecasts_are_right():
    rng = np.random.default_rng(1)
    center, spread = rng.normal(100, 20, 40_000), rng.uniform(1, 10, 40_000)
    p = two_sided(deviates(rng.normal(center, spread), band(center, spread), LEVELS))
    for bar in (0.5, 0.1, 0.05, 0.01, 0.001):
        assert np.mean(p <= bar) == pytest.approx(bar, abs=4 * np.sqrt(bar / 40_000))


def test_of_series_that_are_right_hardly_any_run_rings():
    rng = np.random.default_rng(2)
    center = np.full(2_000, 50.0)
    runs = [
        discoveries(two_sided(deviates(rng.normal(center, 5), band(center, 5), LEVELS)), 0.1).any()
        for _ in range(200)
    ]
    assert np.mean(runs) <= 0.1 + 3 * np.sqrt(0.09 / 200)


@pytest.mark.parametrize("law", [stats.laplace(), stats.t(5), stats.t(4), stats.t(3)])
def test_nor_where_errors_have_heavy_tails(law):
    quantiles = np.repeat(law.ppf(np.array(LEVELS))[:, None], 1_500, axis=1)
    outcomes = law.rvs(size=(100, 1_500), random_state=3)
    runs = [discoveries(two_sided(deviates(o, quantiles, LEVELS)), 0.1).any() for o in outcomes]
    assert np.mean(runs) <= 0.1 + 3 * np.sqrt(0.09 / 100)


def test_an_outcome_far_beyond_heavy_tails_rings_all_the_same():
    law = stats.t(4)
    quantiles = np.repeat(law.ppf(np.array(LEVELS))[:, None], 1_500, axis=1)
    outcomes = law.rvs(size=1_500, random_state=4)
    outcomes[7] = 10 * quantiles[-1, 0]
    assert discoveries(two_sided(deviates(outcomes, quantiles, LEVELS)), 0.1)[7]


def test_a_forecast_of_three_quantiles_has_the_tails_of_a_normal():
    few = np.array([[-1.0], [0.0], [1.0]])
    found = deviates(np.array([2.0]), few, (0.1, 0.5, 0.9))
    assert found[0] == pytest.approx(2 * ndtri(0.9))


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=7),
    st.lists(st.floats(-2e6, 2e6), min_size=2, max_size=8),
    st.floats(0.001, 100),
)
def test_what_is_further_away_is_never_less_of_a_surprise(knots, outcomes, least):
    quantiles = np.sort(knots)[:, None] * np.ones(len(outcomes))
    found = deviates(np.sort(outcomes), quantiles, LEVELS, np.full(len(outcomes), least))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= -1e-9).all()


def test_however_far_beyond_a_heavy_tail_a_surprise_is_a_number():
    barely_heavy = np.append(stats.norm.ppf(LEVELS[:-1]), 1.0001 * stats.norm.ppf(LEVELS[-1]))
    found = deviates(np.array([1e6, 2e6]), barely_heavy[:, None] * np.ones(2), LEVELS)
    assert np.isfinite(found).all()
    assert (found > 30).all()


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=40), st.integers(0, 39))
def test_a_greater_surprise_never_silences_an_alert(p_values, which):
    p = np.array(p_values)
    sharper = p.copy()
    sharper[which % len(p)] /= 10
    assert (discoveries(p, 0.1) <= discoveries(sharper, 0.1)).all()


def test_nobody_is_rung_for_a_zero_that_was_expected_in_one_case_of_two():
    quantiles = np.array([[0, 0, 0, 0, 1, 2, 3]], dtype=float).T
    assert deviates(np.array([0.0]), quantiles, LEVELS)[0] == 0


def test_a_forecast_that_leaves_nothing_open_gives_no_chance():
    assert np.isnan(deviates(np.array([6.0]), np.full((7, 1), 5.0), LEVELS)[0])


def test_the_rank_counts_itself_and_asks_for_enough_of_the_past():
    past = np.arange(1, 1000.0)
    assert ranked(np.array([1000.0, 0.0, 999.0]), past).tolist() == [1 / 1000, 1.0, 2 / 1000]
    assert np.isnan(ranked(np.array([1.0]), past[:50])).all()
