"""Forecasts that add up: exactly, never below 0, and as the textbook says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.hierarchy import NotAHierarchy
from forecasts.reconcile import DEFAULT, METHODS, choose, compare, covariance, reconcile
from tests.forecasts.crossed import crossed, dense

SMALL = crossed(2, 2)
BASE = np.array([110.0, 48, 58, 40, 66, 12, 25, 33, 37])[:, None]
ERRORS = np.array(
    [
        [9.0, 4, -3, 5, 2, 1, 2, 3, -2],
        [-7.0, -5, 1, -2, -6, 0, -1, -4, 1],
        [4.0, 6, -5, 1, 3, 2, -1, 3, -3],
        [-3.0, -1, 2, -6, 4, -1, -4, 1, 4],
        [8.0, 3, 4, 2, 5, 1, 1, 2, 2],
        [-6.0, -2, -5, 3, -4, -2, 3, -3, -1],
    ]
)


@pytest.mark.parametrize(
    ("method", "bottom"),
    [
        ("bottom_up", [12, 25, 33, 37]),
        ("ols", [14.555556, 25.222222, 33.222222, 34.888889]),
        ("wls_struct", [13.8125, 25.0625, 33.0625, 35.3125]),
        ("wls_var", [12.671038, 25.223413, 33.389071, 35.392934]),
        ("mint_shrink", [12.832728, 24.049156, 33.61181, 36.738703]),
    ],
)
def test_figures_are_those_of_hierarchicalforecast(method, bottom):
    # Version 1.5.3, ridge 0; for mint_shrink it takes the mean out of the errors, which we do not.
    errors = ERRORS - ERRORS.mean(axis=0) if method == "mint_shrink" else ERRORS
    ours = reconcile(SMALL, BASE, errors[:, :, None], method=method)
    np.testing.assert_allclose(ours[5:, 0], bottom, atol=1e-6)


def textbook(summing: np.ndarray, means: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`S (S' W^-1 S)^-1 S' W^-1 y`, written out."""
    inverse = np.linalg.inv(weight)
    return summing @ np.linalg.solve(summing.T @ inverse @ summing, summing.T @ inverse @ means)


def schaefer_strimmer(errors: np.ndarray) -> np.ndarray:
    """The shrunk covariance of errors `(samples, series)`, one pair of series after another."""
    count, series = errors.shape
    scaled = errors / np.sqrt((errors**2).mean(axis=0))
    chance = strength = 0.0
    for one in range(series):
        for other in range(series):
            if one != other:
                product = scaled[:, one] * scaled[:, other]
                spread = ((product - product.mean()) ** 2).sum()
                chance += count / (count - 1) ** 3 * spread
                strength += (count / (count - 1) * product.mean()) ** 2
    weight = min(chance / strength, 1)
    seen = errors.T @ errors / count
    return weight * np.diag(np.diag(seen)) + (1 - weight) * seen


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_the_small_system_gives_what_the_large_one_gives(method, seed):
    hierarchy = crossed(3, 4)
    chance = np.random.default_rng(seed)
    sizes = chance.uniform(1, 9, len(hierarchy.keys))
    shock = chance.normal(size=(15, 1))
    errors = (chance.normal(size=(15, len(sizes))) + shock) * sizes
    means = chance.uniform(50, 90, (len(sizes), 2))
    summing = dense(hierarchy)
    weights = {
        "bottom_up": np.diag([1e9] * hierarchy.above + [1.0] * hierarchy.bottom),
        "ols": np.eye(len(sizes)),
        "wls_struct": np.diag(summing.sum(axis=1)),
        "wls_var": np.diag((errors**2).mean(axis=0)),
        "mint_shrink": schaefer_strimmer(errors),
    }
    ours = reconcile(hierarchy, means, errors[:, :, None], method=method)
    expected = textbook(summing, means, weights[method])
    np.testing.assert_allclose(ours, expected, rtol=1e-6 if method == "bottom_up" else 1e-9)


@st.composite
def cases(draw):
    """A hierarchy, means, errors with gaps, and a method; series that are 0 throughout too."""
    hierarchy = crossed(draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    series, horizon = len(hierarchy.keys), draw(st.integers(1, 4))
    scale = 10.0 ** draw(st.integers(-6, 9))
    means = chance.uniform(-0.2, 2, (series, horizon)) * scale
    errors = chance.normal(size=(draw(st.integers(1, 6)), series, horizon)) * scale
    errors[chance.random(errors.shape) < draw(st.sampled_from([0, 0.3, 1]))] = np.nan
    nothing = chance.random(series) < draw(st.sampled_from([0, 0.5, 1]))
    errors[:, nothing] *= 0
    means[: hierarchy.above][chance.random((hierarchy.above, horizon)) < 0.2] = np.nan
    return hierarchy, means, errors, draw(st.sampled_from(METHODS))


@given(cases())
@settings(max_examples=150, deadline=None)
def test_city_is_the_sum_of_communes_and_of_fields_and_nothing_is_negative(case):
    hierarchy, means, errors, method = case
    bounds = np.zeros(hierarchy.bottom)
    added = reconcile(hierarchy, means, errors, method=method, lowest=bounds)
    grain = {name: added[hierarchy.grains == name].sum(axis=0) for name in set(hierarchy.grains)}
    for sums in grain.values():
        np.testing.assert_allclose(sums, added[0], rtol=1e-9)
    assert np.isfinite(added).all()
    assert added.min() >= 0


@given(cases())
@settings(max_examples=80, deadline=None)
def test_what_adds_up_already_is_left_alone(case):
    hierarchy, means, errors, method = case
    means = hierarchy.sum(np.nan_to_num(means[hierarchy.above :]))
    ours = reconcile(hierarchy, means, errors, method=method)
    np.testing.assert_allclose(ours, means, rtol=1e-9, atol=1e-9 * np.abs(means).max())


def test_a_series_that_never_erred_is_not_moved():
    errors = ERRORS.copy()
    errors[:, 5] = 0
    ours = reconcile(SMALL, BASE, errors[:, :, None], method="wls_var")
    assert ours[5, 0] == 12
    assert ours[6, 0] != 25


def test_a_total_without_forecast_is_the_sum_of_its_parts_and_tells_them_nothing():
    silent = BASE.copy()
    silent[[0, 1, 2]] = np.nan
    ours = reconcile(SMALL, silent, ERRORS[:, :, None], method="wls_var")
    np.testing.assert_allclose(ours[0], ours[5:].sum(axis=0))
    variance = (ERRORS**2).mean(axis=0)
    gap = 40 - 12 - 25
    share = variance[5] / (variance[3] + variance[5] + variance[6])
    np.testing.assert_allclose(ours[5, 0], 12 + gap * share)


def test_a_total_whose_errors_nobody_knows_has_no_say():
    errors = ERRORS.copy()
    errors[:, 0] = np.nan
    silent = BASE.copy()
    silent[0] = np.nan
    np.testing.assert_array_equal(
        reconcile(SMALL, BASE, errors[:, :, None]), reconcile(SMALL, silent, errors[:, :, None])
    )


def test_a_bottom_series_without_forecast_is_refused_with_a_hint():
    silent = BASE.copy()
    silent[5] = np.nan
    with pytest.raises(NotAHierarchy, match=r"(?s)no forecast.*stands in"):
        reconcile(SMALL, silent, ERRORS[:, :, None])


def test_without_any_error_the_number_of_parts_decides():
    nothing = np.full((3, 9, 1), np.nan)
    np.testing.assert_array_equal(
        reconcile(SMALL, BASE, nothing, method="mint_shrink"),
        reconcile(SMALL, BASE, nothing, method="wls_struct"),
    )


def test_steps_of_one_origin_do_not_count_as_many_origins():
    chance = np.random.default_rng(1)
    one_step = chance.normal(size=(12, 9, 1)) + chance.normal(size=(12, 1, 1))
    repeated = np.repeat(one_step, 6, axis=2)
    once = covariance(SMALL, one_step, "mint_shrink")
    often = covariance(SMALL, repeated, "mint_shrink")
    correlated = [(one.shared**2).sum() / one.own.sum() for one in (once, often)]
    assert correlated[0] == pytest.approx(correlated[1], rel=0.1)


def simulated(seed: int, origins: int = 24):
    """Poisson counts on the drift of city and field, each series smoothed as suits its noise.

    Errors `(origins, series, 3)` of months past, of as many after them, and the usual change from
    month to month.
    """
    hierarchy, horizon, start = crossed(20, 6), 3, 12
    months = start + 2 * origins + 2 * horizon
    chance = np.random.default_rng(seed)
    level = chance.gamma(0.7, 15, hierarchy.bottom) + 0.5
    drift = np.cumsum(chance.normal(0, 0.05, (months, 1)), axis=0)
    fields = np.cumsum(chance.normal(0, 0.05, (months, 6)), axis=0)
    drift = drift + fields[:, hierarchy.groups["category"]]
    cells = chance.poisson(level * np.exp(drift)).astype(float)
    values = hierarchy.sum(cells[:, :, None])[:, :, 0]
    weight = {"city": 0.8, "city*category": 0.7, "commune": 0.4, "commune*category": 0.12}
    smoothing = np.array([weight[grain] for grain in hierarchy.grains])
    said = [values[:start].mean(axis=0)]
    for seen in values[start:]:
        said.append(said[-1] + smoothing * (seen - said[-1]))
    wrong = np.stack(
        [
            (values[start + at : start + at + horizon] - said[at]).T
            for at in range(2 * origins + horizon)
        ]
    )
    scales = np.sqrt((np.diff(values, axis=0) ** 2).mean(axis=0))
    return hierarchy, wrong[:origins], wrong[origins + horizon :], scales


def rmsse(hierarchy, errors, scales) -> dict[str, float]:
    """By grain, and their mean."""
    each = np.sqrt((errors**2).mean(axis=(0, 2))) / scales
    by_grain = {g: each[hierarchy.grains == g].mean() for g in dict.fromkeys(hierarchy.grains)}
    return {**by_grain, "mean": np.mean(list(by_grain.values()))}


def test_forecasts_that_add_up_are_no_worse_and_better_than_sums_of_cells():
    gains = []
    for seed in range(6):
        hierarchy, past, future, scales = simulated(seed)
        method = choose(compare(hierarchy, past, scales))
        added, summed = (
            np.stack([reconcile(hierarchy, one, past, method=name) for one in future])
            for name in (method, "bottom_up")
        )
        base, ours, sums = (rmsse(hierarchy, one, scales) for one in (future, added, summed))
        gains.append([*(ours[grain] / base[grain] for grain in base), ours["mean"] / sums["mean"]])
    city, field, commune, cell, overall, against_sums = np.mean(gains, axis=0)
    assert overall < 1.02
    assert max(city, field) < 1.08
    assert max(commune, cell) < 1
    assert against_sums < 0.92


def test_a_method_is_scored_as_it_does_in_months_to_come():
    seen, came = [], []
    for seed in range(6):
        hierarchy, past, future, scales = simulated(seed)
        table = compare(hierarchy, past, scales, ("mint_shrink",)).filter(grain="mean")
        base, scored = table["rmsse"]
        added = np.stack([reconcile(hierarchy, one, past, method="mint_shrink") for one in future])
        seen.append(scored / base)
        came.append(
            rmsse(hierarchy, added, scales)["mean"] / rmsse(hierarchy, future, scales)["mean"]
        )
    assert np.mean(seen) == pytest.approx(np.mean(came), abs=0.05)


def test_errors_in_the_periods_that_an_origin_looks_at_are_not_used_to_score_it():
    hierarchy, past, _, scales = simulated(0)
    same_periods = compare(hierarchy, past, scales, apart=0)
    wls, mint = (
        same_periods.filter(method=name)["rmsse"].to_list()
        for name in ("wls_struct", "mint_shrink")
    )
    assert mint == pytest.approx(wls, rel=1e-12)
    apart = compare(hierarchy, past, scales, apart=1).filter(method="mint_shrink")["rmsse"]
    assert apart.to_list() != pytest.approx(wls, rel=1e-3)


def test_one_origin_alone_can_be_scored():
    hierarchy, past, _, scales = simulated(0)
    only = compare(hierarchy, past[:1], scales)
    assert np.isfinite(only["rmsse"].to_numpy()).all()


def test_gaps_in_the_errors_are_not_scored_and_stop_nothing():
    hierarchy, past, _, scales = simulated(1)
    gaps = past.copy()
    gaps[np.random.default_rng(0).random(gaps.shape) < 0.2] = np.nan
    whole, holed = (
        compare(hierarchy, one, scales).filter(grain="mean")["rmsse"] for one in (past, gaps)
    )
    np.testing.assert_allclose(holed, whole, rtol=0.25)


def test_without_scores_the_usual_method_is_taken():
    table = compare(SMALL, np.full((2, 9, 1), np.nan), np.ones(9))
    assert choose(table) == DEFAULT
