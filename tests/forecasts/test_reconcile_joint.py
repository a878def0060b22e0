"""Samples that add up: each series as its own forecast says, the city as its errors say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts import scores
from forecasts.hierarchy import Hierarchy
from forecasts.joint import Marginals, coherent_paths, dependence, moments, nearest_correlation
from tests.forecasts.crossed import crossed

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
SCORES = np.array([-1.959964, -1.281552, -0.67449, 0, 0.67449, 1.281552, 1.959964])


def shocked(
    hierarchy: Hierarchy, count: int, steps: int, chance: np.random.Generator, **shares: float
) -> np.ndarray:
    """Errors `(count, bottom, steps)` of variance 1: shocks of all, of groups, and of each.

    `shares` of variance: all, area, category. A shock lasts for half its variance.
    """

    def shock(many: int) -> np.ndarray:
        lasting = chance.normal(size=(count, many, 1))
        return np.sqrt(0.5) * (lasting + chance.normal(size=(count, many, steps)))

    own = np.sqrt(1 - sum(shares.values())) * shock(hierarchy.bottom)
    own += np.sqrt(shares.get("all", 0)) * shock(1)
    for name in ("area", "category"):
        group = hierarchy.groups[name]
        own += np.sqrt(shares.get(name, 0)) * shock(group.max() + 1)[:, group]
    return own


@st.composite
def cases(draw):
    """A hierarchy, samples of counts or of amounts, and errors with gaps."""
    hierarchy = crossed(draw(st.integers(1, 5)), draw(st.integers(1, 4)))
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    steps, origins = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    shape = (40, hierarchy.bottom, steps)
    level = chance.gamma(0.5, 10, (hierarchy.bottom, 1))
    counts = draw(st.booleans())
    samples = (
        chance.poisson(level, shape).astype(float) if counts else chance.gamma(2, level, shape)
    )
    errors = chance.normal(size=(origins, hierarchy.bottom, steps)) * level
    errors[chance.random(errors.shape) < draw(st.sampled_from([0, 0.4, 1]))] = np.nan
    return hierarchy, samples, errors


@given(cases(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_each_series_keeps_its_samples_in_another_order(case, seed):
    hierarchy, samples, errors = case
    paths = coherent_paths(samples, errors, hierarchy, len(samples), seed)
    np.testing.assert_array_equal(np.sort(paths, axis=0), np.sort(samples, axis=0))


@given(cases())
@settings(max_examples=60, deadline=None)
def test_moved_to_means_that_add_up_samples_are_whole_and_not_negative(case):
    hierarchy, samples, errors = case
    means = samples.mean(axis=0) * 0.6 + np.arange(hierarchy.bottom)[:, None] % 3 * 0.7
    bounds = np.zeros(hierarchy.bottom)
    paths = coherent_paths(samples, errors, hierarchy, 50, 1, means=means, lowest=bounds)
    assert paths.min() >= 0
    np.testing.assert_allclose(paths.mean(axis=0), means, atol=0.5 / 50 + 1e-9)
    whole = (samples == np.rint(samples)).all(axis=(0, 2))
    assert (paths[:, whole] == np.rint(paths[:, whole])).all()


@given(cases())
@settings(max_examples=60, deadline=None)
def test_every_sample_of_the_city_is_the_sum_of_its_communes_and_fields(case):
    hierarchy, samples, errors = case
    every = hierarchy.sum(coherent_paths(samples, errors, hierarchy, len(samples), 1))
    for grain in set(hierarchy.grains):
        sums = every[:, hierarchy.grains == grain].sum(axis=1)
        np.testing.assert_allclose(sums, every[:, 0], rtol=1e-9)
    quantiles = np.quantile(every, LEVELS, axis=0)
    assert (np.diff(quantiles, axis=0) >= 0).all()


def normal(hierarchy: Hierarchy, steps: int, mean: float = 100.0) -> np.ndarray:
    """Quantiles of normal distributions of variance 1, `(levels, bottom, steps)`."""
    return np.broadcast_to(
        mean + SCORES[:, None, None], (len(SCORES), hierarchy.bottom, steps)
    ).copy()


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others():
    hierarchy = crossed(20, 5)
    errors = shocked(hierarchy, 12, 3, np.random.default_rng(0), all=0.3)
    one, same, other = (
        coherent_paths(normal(hierarchy, 3), errors, hierarchy, 100, seed, levels=LEVELS)
        for seed in (1, 1, 2)
    )
    assert one.tobytes() == same.tobytes()
    assert one.tobytes() != other.tobytes()


def test_quantiles_of_a_normal_distribution_give_its_samples():
    of = Marginals(normal(crossed(2, 2), 1), 1000, LEVELS)
    ((_, risen),) = of.blocks()
    levels = (0.001, 0.2, 0.5, 0.999)
    np.testing.assert_allclose(
        np.quantile(risen[0, 0], levels), [96.91, 99.158, 100, 103.09], atol=0.15
    )
    variance, slopes = moments(of)
    np.testing.assert_allclose(variance, 1, atol=0.02)
    np.testing.assert_allclose(slopes, 1, atol=0.01)


def test_shares_of_common_and_group_shocks_are_found_again():
    hierarchy = crossed(40, 10)
    errors = shocked(hierarchy, 400, 3, np.random.default_rng(1), all=0.2, area=0.15, category=0.1)
    seen = dependence(errors, hierarchy)
    assert seen.common == pytest.approx(0.2, abs=0.03)
    assert seen.groups["area"] == pytest.approx(0.15, abs=0.02)
    assert seen.groups["category"] == pytest.approx(0.1, abs=0.03)
    expected = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    np.testing.assert_allclose(seen.own, expected, atol=0.05)
    np.testing.assert_allclose(seen.shared, expected, atol=0.12)


def test_few_origins_say_little_about_groups():
    hierarchy = crossed(40, 10)
    errors = shocked(hierarchy, 400, 3, np.random.default_rng(1), all=0.2, area=0.15)
    few, many = (dependence(errors[:count], hierarchy).groups["area"] for count in (4, 400))
    assert few == pytest.approx(many / 2, rel=0.3)


def test_series_that_err_on_their_own_stay_independent():
    hierarchy = crossed(30, 10)
    seen = dependence(shocked(hierarchy, 24, 4, np.random.default_rng(2)), hierarchy)
    assert seen.common + sum(seen.groups.values()) < 0.03
    assert seen.total == pytest.approx(1, abs=0.5)


def covered(hierarchy: Hierarchy, paths: np.ndarray, outcomes: np.ndarray, coverage: float):
    """Share of outcomes in the central interval of the paths, by grain."""
    tail = (1 - coverage) / 2
    lower, upper = np.quantile(hierarchy.sum(paths), [tail, 1 - tail], axis=0)
    truth = hierarchy.sum(outcomes)
    return {
        grain: scores.coverage(
            truth[:, rows],
            *(np.broadcast_to(b[rows], truth[:, rows].shape) for b in (lower, upper)),
        )
        for grain in dict.fromkeys(hierarchy.grains)
        for rows in [hierarchy.grains == grain]
    }


@pytest.fixture(scope="module")
def shaken():
    """40 communes by 10 fields with shocks in common, 24 origins seen, 400 outcomes to come."""
    hierarchy = crossed(40, 10)
    chance = np.random.default_rng(3)
    level = chance.gamma(1.5, 20, (hierarchy.bottom, 1)) + 5
    shares = {"all": 0.15, "area": 0.1, "category": 0.1}
    errors = level * shocked(hierarchy, 24, 4, chance, **shares)
    outcomes = level * shocked(hierarchy, 400, 4, chance, **shares)
    return hierarchy, level * normal(hierarchy, 4, mean=0), errors, outcomes


def test_totals_are_covered_as_often_as_said(shaken):
    hierarchy, quantiles, errors, outcomes = shaken
    paths = coherent_paths(quantiles, errors, hierarchy, 500, 1, levels=LEVELS)
    for coverage in (0.8, 0.95):
        seen = covered(hierarchy, paths, outcomes, coverage)
        assert seen["commune*category"] == pytest.approx(coverage, abs=0.02)
        assert seen["commune"] == pytest.approx(coverage, abs=0.05)
        assert seen["city*category"] == pytest.approx(coverage, abs=0.08)
        assert seen["city"] == pytest.approx(coverage, abs=0.08)


def test_drawn_one_by_one_the_totals_are_much_too_sure(shaken):
    hierarchy, quantiles, errors, outcomes = shaken
    apart = np.full_like(errors, np.nan)
    paths = coherent_paths(quantiles, apart, hierarchy, 500, 1, levels=LEVELS)
    seen = covered(hierarchy, paths, outcomes, 0.8)
    assert seen["commune*category"] == pytest.approx(0.8, abs=0.02)
    assert seen["city"] < 0.2
    assert seen["city*category"] < 0.4


def test_the_total_spreads_as_its_own_forecast_says(shaken):
    hierarchy, quantiles, errors, _ = shaken
    wanted = np.array([3000.0, 3500, 4000, 4500])
    paths = coherent_paths(quantiles, errors, hierarchy, 400, 1, levels=LEVELS, spread=wanted)
    np.testing.assert_allclose(hierarchy.sums(paths)[:, 0].std(axis=0), wanted, rtol=0.06)


def test_a_total_that_is_said_to_be_surer_than_chance_allows_is_not(shaken):
    hierarchy, quantiles, errors, _ = shaken
    paths = coherent_paths(quantiles, errors, hierarchy, 400, 1, levels=LEVELS, spread=np.zeros(4))
    alone = np.sqrt(paths.var(axis=0).sum(axis=0))
    np.testing.assert_allclose(hierarchy.sums(paths)[:, 0].std(axis=0), alone, rtol=0.15)


def test_errors_that_last_make_the_sum_over_months_less_sure(shaken):
    hierarchy, quantiles, errors, outcomes = shaken
    paths = coherent_paths(quantiles, errors, hierarchy, 500, 1, levels=LEVELS)
    for rows in (slice(0, hierarchy.bottom, 100), slice(0, 1)):
        year, seen = paths[:, rows].sum(axis=2), outcomes[:, rows].sum(axis=2)
        np.testing.assert_allclose(year.std(axis=0), seen.std(axis=0), rtol=0.2)


@pytest.mark.parametrize("skew", [0.3, 1.0])
def test_skewed_series_add_up_to_the_spread_wanted(skew):
    hierarchy = crossed(20, 10)
    quantiles = np.exp(skew * normal(hierarchy, 1, mean=0))
    errors = shocked(hierarchy, 12, 1, np.random.default_rng(0), all=0.3)
    of = Marginals(quantiles, 500, LEVELS)
    variance, _ = moments(of)
    wanted = 6 * np.sqrt(variance.sum(axis=0))
    paths = coherent_paths(quantiles, errors, hierarchy, 500, 1, levels=LEVELS, spread=wanted)
    np.testing.assert_allclose(hierarchy.sums(paths)[:, 0].std(axis=0), wanted, rtol=0.1)


def test_single_precision_stays_and_sums_are_double(shaken):
    hierarchy, quantiles, errors, _ = shaken
    paths = coherent_paths(quantiles.astype(np.float32), errors, hierarchy, 20, 1, levels=LEVELS)
    assert paths.dtype == np.float32
    sums = hierarchy.sums(paths)
    assert sums.dtype == np.float64
    np.testing.assert_allclose(sums[:, 0], paths.astype(float).sum(axis=1), rtol=1e-9)


def test_nothing_but_zeros_gives_zeros():
    hierarchy = crossed(3, 2)
    nothing = np.zeros((10, 6, 2))
    assert not coherent_paths(nothing, nothing, hierarchy, 10, 1).any()


def test_steps_never_scored_have_a_dependence_too():
    hierarchy = crossed(20, 5)
    errors = shocked(hierarchy, 24, 6, np.random.default_rng(1), all=0.3)
    errors[:, :, 4:] = np.nan
    seen = dependence(errors, hierarchy)
    assert seen.own[0, 5] == pytest.approx(0.5, abs=0.15)
    paths = coherent_paths(normal(hierarchy, 6), errors, hierarchy, 200, 1, levels=LEVELS)
    assert np.isfinite(paths).all()


@given(st.integers(0, 10**6), st.integers(1, 8))
@settings(max_examples=50, deadline=None)
def test_the_nearest_correlation_is_one(seed, steps):
    matrix = np.random.default_rng(seed).uniform(-1, 1, (steps, steps))
    near = nearest_correlation(np.where(np.eye(steps), 1.0, (matrix + matrix.T) / 2))
    np.testing.assert_allclose(np.diag(near), 1)
    np.linalg.cholesky(near)
