"""From forecasts of each grain to forecasts that add up, with series refused, late or missing."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from etl.periods import Frequency
from forecasts.hierarchy import Family, NotAHierarchy
from forecasts.panel import steps
from forecasts.reconcile import Part, ahead_of, reconcile_family
from tests.forecasts.crossed import crossed

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
SCORES = np.array([-1.96, -1.28, -0.674, 0, 0.674, 1.28, 1.96])
CELLS = "commune*category"
HORIZON = 3


@pytest.fixture(scope="module")
def counted() -> Family:
    """Four years of counts in 4 communes by 3 fields; the last cell is 2 in every month."""
    hierarchy = crossed(4, 3)
    level = np.linspace(1, 40, hierarchy.bottom)[:, None]
    cells = np.random.default_rng(0).poisson(level, (hierarchy.bottom, 48)).astype(float)
    cells[-1] = 2
    periods = steps(date(2022, 11, 1), Frequency.MONTH, 48)
    return Family(hierarchy, Frequency.MONTH, periods, hierarchy.sum(cells))


def parts_of(family: Family, *, samples: bool = False) -> dict[str, Part]:
    """Each grain forecast with a mean that is off by up to a tenth, and bands of its errors."""
    chance = np.random.default_rng(1)
    hierarchy = family.hierarchy
    usual = family.history.mean(axis=1)
    cells = chance.poisson(usual[hierarchy.above :, None], (6, hierarchy.bottom, HORIZON))
    errors = hierarchy.sum(cells - usual[hierarchy.above :, None])
    parts = {}
    for grain in dict.fromkeys(hierarchy.grains):
        rows = np.flatnonzero(hierarchy.grains == grain)
        mean = np.repeat(usual[rows, None] * chance.uniform(0.9, 1.1, (len(rows), 1)), HORIZON, 1)
        band = np.maximum(mean + SCORES[:, None, None] * np.sqrt(mean), 0)
        drawn = chance.poisson(mean, (80, *mean.shape)).astype(float)
        parts[str(grain)] = Part(
            hierarchy.keys[rows].select("indicator", "area", "category"),
            mean,
            errors[:, rows],
            drawn if samples else band,
            np.zeros(len(rows)),
            None if samples else LEVELS,
        )
    return parts


def without(part: Part, row: int) -> Part:
    """The part less one series."""
    rows = [number for number in range(len(part.keys)) if number != row]
    return replace(
        part,
        keys=part.keys[rows],
        mean=part.mean[rows],
        errors=part.errors[:, rows],
        marginals=part.marginals[:, rows],
        lowest=part.lowest[rows],
    )


def assert_adds_up(family: Family, means: np.ndarray, paths: np.ndarray) -> None:
    hierarchy = family.hierarchy
    for grain in set(hierarchy.grains):
        rows = hierarchy.grains == grain
        np.testing.assert_allclose(means[rows].sum(axis=0), means[0], rtol=1e-9)
        sums = hierarchy.sum(paths)[:, rows].sum(axis=1)
        np.testing.assert_allclose(sums, paths.sum(axis=1), rtol=1e-9)


@pytest.mark.parametrize("samples", [False, True])
def test_the_family_adds_up_in_the_mean_and_in_every_sample(counted, samples):
    parts = parts_of(counted, samples=samples)
    told = reconcile_family(counted, parts, count=200, seed=1)
    assert_adds_up(counted, told.means, told.paths)
    assert told.paths.min() >= 0
    below = slice(counted.hierarchy.above, None)
    np.testing.assert_allclose(told.paths.mean(axis=0), told.means[below], atol=0.02)
    np.testing.assert_allclose(told.shifts[below], told.means[below] - parts[CELLS].mean)
    quantiles = told.quantiles(LEVELS)
    assert quantiles.shape == (7, len(counted.hierarchy.keys), HORIZON)
    np.testing.assert_allclose(quantiles[3], told.means, rtol=0.2, atol=1)
    if samples:
        assert (told.paths == np.rint(told.paths)).all()


def test_the_city_spreads_as_its_own_forecast_did(counted):
    parts = parts_of(counted)
    city = parts["city"]
    wide = replace(city, marginals=city.mean + 2 * (city.marginals - city.mean))
    told = reconcile_family(counted, {**parts, "city": wide}, count=400, seed=1)
    np.testing.assert_allclose(
        told.paths.sum(axis=1).std(axis=0), 2 * np.sqrt(city.mean[0]), rtol=0.1
    )


def test_a_constant_cell_has_no_forecast_and_is_in_the_totals(counted):
    parts = parts_of(counted)
    last = len(parts[CELLS].keys) - 1
    told = reconcile_family(
        counted, {**parts, CELLS: without(parts[CELLS], last)}, count=100, seed=1
    )
    assert told.stand_ins.tolist() == [False] * (len(told.means) - 1) + [True]
    np.testing.assert_array_equal(told.means[-1], 2)
    np.testing.assert_allclose(told.paths[:, -1], 2)
    assert np.isnan(told.shifts[-1]).all()
    assert_adds_up(counted, told.means, told.paths)


def test_a_total_without_forecast_is_told_by_its_parts(counted):
    parts = parts_of(counted)
    told = reconcile_family(
        counted, {CELLS: parts[CELLS], "city": parts["city"]}, count=100, seed=1
    )
    assert_adds_up(counted, told.means, told.paths)
    assert np.isnan(told.shifts[counted.hierarchy.grains == "commune"]).all()
    assert not told.stand_ins.any()


def test_a_total_that_stays_out_of_the_hierarchy_changes_nothing(counted):
    parts = parts_of(counted)
    stranger = replace(
        parts["city"], keys=parts["city"].keys.with_columns(category=pl.lit("trade"))
    )
    with_it, without_it = (
        reconcile_family(counted, one, count=50, seed=1).means
        for one in ({**parts, "city*other": stranger}, parts)
    )
    np.testing.assert_array_equal(with_it, without_it)


def test_cells_of_another_family_are_refused(counted):
    parts = parts_of(counted)
    other = parts[CELLS].keys.with_columns(indicator=pl.lit("resolved"))
    wrong = replace(parts[CELLS], keys=other)
    with pytest.raises(NotAHierarchy, match="not those of the bottom"):
        reconcile_family(counted, {CELLS: wrong}, count=10, seed=1)
    with pytest.raises(NotAHierarchy, match="not those of the bottom"):
        reconcile_family(counted, {"city": parts["city"]}, count=10, seed=1)


def test_a_series_that_ends_earlier_looks_farther_for_the_same_month():
    values = np.array([[[1.0, 2, 3], [4, 5, 6]]])
    np.testing.assert_array_equal(
        ahead_of(values, np.array([0, 2])), [[[1, 2, 3], [6, np.nan, np.nan]]]
    )


def test_of_a_series_that_ends_earlier_the_last_step_is_held(counted):
    parts = parts_of(counted)
    behind = np.zeros(counted.hierarchy.bottom, dtype=np.int64)
    behind[3] = 1
    cells = parts[CELLS]
    rising = cells.mean + np.arange(HORIZON)
    late = replace(cells, mean=rising, behind=behind)
    told = reconcile_family(counted, {CELLS: late}, count=100, seed=1)
    assert_adds_up(counted, told.means, told.paths)
    np.testing.assert_allclose(told.means[counted.hierarchy.above + 3], rising[3][[1, 2, 2]])


def test_fewer_origins_of_one_grain_are_its_newest(counted):
    parts = parts_of(counted)
    short = replace(parts["city"], errors=parts["city"].errors[3:])
    told = reconcile_family(counted, {**parts, "city": short}, count=50, seed=1)
    assert np.isfinite(told.means).all()


def test_the_same_seed_tells_the_same_to_the_byte(counted):
    one, same = (reconcile_family(counted, parts_of(counted), count=60, seed=9) for _ in range(2))
    assert one.paths.tobytes() == same.paths.tobytes()
    assert one.means.tobytes() == same.means.tobytes()
    assert one.table.equals(same.table)
