"""Bands and joint paths, on errors that are known."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from etl.periods import Frequency
from forecasts.bands import (
    COVERAGES,
    GRID,
    LEVELS,
    Bands,
    Shape,
    counts_at,
    error_units,
    losses_of_counts,
    scales_of,
    shape_of,
)
from forecasts.engine import forecast
from forecasts.panel import Panel, steps


def shape(errors, *, units=1.0, dropped=None, small=None, said=None) -> Shape:
    """Of errors `(origins, series, horizon)`, each origin a period before the last one."""
    count = errors.shape[1]
    return shape_of(
        errors,
        np.broadcast_to(units, errors.shape[:2]),
        range(1, 1 + len(errors)) if dropped is None else dropped,
        np.zeros(count, dtype=bool) if small is None else small,
        np.zeros(errors.shape) if said is None else said,
        np.full(count, np.nan),
    )


def bands(center, found: Shape, *, small=False, lowest=-np.inf, highest=np.inf) -> Bands:
    """Around a forecast `(series, horizon)`, in units of 1."""
    series = len(center)
    return Bands(
        center,
        found.ratio[:, None] * found.growth,
        found.offsets,
        np.full(series, small),
        found.dispersion,
        found.correlation,
        np.full(series, lowest),
        np.full(series, highest),
    )


def normal_errors(origins=8, series=40, horizon=4, seed=0):
    return np.random.default_rng(seed).normal(0, 1, (origins, series, horizon))


def counts_around(rate, dispersion=0.0, series=3, horizon=4) -> Bands:
    found = replace(shape(normal_errors(series=series)), dispersion=np.full(series, dispersion))
    return bands(np.full((series, horizon), rate), found, small=True, lowest=0.0)


some_errors = arrays(
    float,
    st.tuples(st.integers(0, 6), st.integers(1, 5), st.integers(1, 8)),
    elements=st.one_of(st.integers(-999, 999).map(lambda n: n / 10), st.just(np.nan)),
)


@settings(max_examples=40)
@given(some_errors, st.booleans(), st.floats(0, 300), st.sampled_from([np.inf, 100.0]))
def test_quantiles_are_ordered_by_level_and_stay_within_bounds(errors, small, level, highest):
    if not np.isfinite(errors).any():
        return
    center = np.full(errors.shape[1:], level)
    band = bands(center, shape(errors), small=small, lowest=0.0, highest=highest)
    found = band.quantiles((0.001, *LEVELS, 0.999))
    assert (np.diff(found, axis=0) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= highest


@settings(max_examples=40)
@given(some_errors)
def test_without_bounds_the_median_is_the_forecast(errors):
    if not np.isfinite(errors).any():
        return
    center = np.arange(1.0, 1 + errors[0].size).reshape(errors.shape[1:])
    np.testing.assert_allclose(bands(center, shape(errors)).quantiles((0.5,))[0], center)


def test_without_any_error_nothing_is_said():
    band = bands(np.ones((2, 3)), shape(np.full((4, 2, 3), np.nan)))
    assert np.isnan(band.quantiles()).all()


def test_bands_of_many_normal_errors_are_those_of_the_normal_distribution():
    found = shape(normal_errors(60, 400, 1))
    low, high = bands(np.zeros((400, 1)), found).quantiles((0.025, 0.9)).mean(axis=1)[:, 0]
    assert low == pytest.approx(-1.96, rel=0.03)
    assert high == pytest.approx(1.28, rel=0.03)


def test_errors_that_lean_to_one_side_make_bands_that_do():
    found = shape(np.random.default_rng(0).exponential(1, (12, 300, 2)) - 0.7)
    low, _, high = bands(np.zeros((300, 2)), found).quantiles((0.025, 0.5, 0.975)).mean((1, 2))
    assert high > 1.3 * -low


def test_errors_that_grow_widen_the_band_beyond_what_was_scored():
    size = np.arange(1.0, 9) ** 0.5
    errors = normal_errors(6, 300, 8) * size
    errors[:, :, 6:] = np.nan
    growth = shape(errors).growth
    np.testing.assert_allclose(growth / growth[0], size, rtol=0.1)


def test_a_series_harder_to_forecast_than_its_siblings_gets_a_wider_band():
    errors = normal_errors(6, 40, 3)
    errors[:, 0] *= 5
    ratio = shape(errors).ratio
    assert 1.5 < ratio[0] / np.median(ratio) < 5


def test_growth_is_that_of_single_forecasts_though_the_oldest_were_made_in_calmer_times():
    size = np.arange(1.0, 7) ** 0.5
    errors = normal_errors(6, 400, 6) * size
    for origin in range(6):
        errors[origin] *= (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)[origin]
        errors[origin, :, origin + 1 :] = np.nan
    np.testing.assert_allclose(shape(errors).growth, size, rtol=0.1)


def test_errors_of_few_series_that_do_not_grow_are_not_made_to():
    assert shape(normal_errors(12, 8, 12)).growth[-1] < 1.4


def test_one_origin_of_many_series_does_not_tell_that_errors_stay_as_they_are():
    """Two months, scored of 300 young series, once said how sure the twelfth one is."""
    errors = normal_errors(2, 300, 12)
    errors[0, :, 1:] = errors[1, :, 2:] = np.nan
    young, flat = shape(errors).growth, shape(normal_errors(12, 300, 12)).growth
    assert 2.0 < young[-1] < 12**0.5
    assert flat[-1] < 1.2


def test_a_step_further_ahead_is_never_surer():
    errors = normal_errors(8, 50, 5) * np.array([1, 1.5, 0.9, 2.0, 1.2])
    assert (np.diff(shape(errors).growth) >= 0).all()


def walks_missed(series, origins, horizon, chance):
    """Errors of the last value of random walks, from one origin after the other, and what comes."""
    shocks = chance.normal(0, 1, (series, origins + horizon))
    errors = np.full((origins, series, horizon), np.nan)
    for d in range(1, origins + 1):
        steps = min(d, horizon)
        known = shocks[:, origins - d : origins - d + steps]
        errors[d - 1, :, :steps] = np.cumsum(known, axis=1)
    return errors, np.cumsum(shocks[:, origins:], axis=1)


def test_an_error_is_not_measured_by_others_of_the_same_periods():
    """Neighbouring origins miss by the same shocks: as a measure these hid the large errors."""
    errors, coming = walks_missed(600, 7, 6, np.random.default_rng(2))
    low, high = bands(np.zeros((600, 6)), shape(errors)).quantiles((0.1, 0.9))
    held = ((low <= coming) & (coming <= high)).mean()
    assert held == pytest.approx(0.8, abs=0.02)


def test_errors_of_ever_so_many_that_lean_are_believed_half_and_those_of_few_hardly():
    errors = np.random.default_rng(0).normal(1, 1, (8, 500, 4))
    assert 0.35 < shape(errors).lean / np.median(errors) * 1.3 < 0.75
    assert abs(shape(errors[:, :2]).lean) < 0.15


def test_what_hits_all_series_at_once_is_seen_once():
    own, common = normal_errors(6, 200, 4), normal_errors(6, 1, 4, seed=1)
    apart, together = shape(own).offsets, shape(own + common).offsets
    assert together[-5] > 1.1 * apart[-5]
    assert together[-5] < 1.6 * apart[-5]


def test_few_windows_widen_the_band():
    few, many = shape(normal_errors(6, 1, 4)), shape(normal_errors(6, 200, 4))
    assert few.offsets[-5] > 1.2 * many.offsets[-5]


def test_errors_scale_with_their_series():
    errors, scales = normal_errors(), np.linspace(0.1, 1000, 40)
    plain, scaled = shape(errors), shape(errors * scales[:, None], units=scales)
    for name in ("offsets", "growth", "ratio", "correlation"):
        np.testing.assert_allclose(getattr(scaled, name), getattr(plain, name), rtol=1e-9)


def test_errors_that_go_on_make_paths_that_do():
    first = normal_errors(10, 200, 1)
    found = shape(np.repeat(first, 4, axis=2) + 0.2 * normal_errors(10, 200, 4, seed=1))
    assert found.correlation[0, 3] > 0.9
    assert abs(shape(normal_errors(10, 200, 4)).correlation[0, 3]) < 0.1


@settings(max_examples=40)
@given(some_errors)
def test_correlations_are_those_of_something(errors):
    found = shape(errors).correlation
    np.testing.assert_allclose(np.diag(found), 1)
    assert np.linalg.eigvalsh(found).min() > -1e-9


@pytest.mark.parametrize("level", [0.0, 0.05, 0.7, 4.0])
@pytest.mark.parametrize("dispersion", [0.0, 0.3])
def test_small_counts_are_whole_and_not_below_zero(level, dispersion):
    band = counts_around(level, dispersion)
    for found in (band.quantiles((0.001, *LEVELS, 0.999)), band.paths(50, 1)):
        np.testing.assert_array_equal(found, np.rint(found))
        assert not np.signbit(found).any(), "a count of -0 is shown as one"


def test_quantiles_of_small_counts_are_those_of_scipy():
    from scipy.stats import nbinom, poisson

    levels = np.array([0.025, 0.1, 0.5, 0.9, 0.999])
    pure = counts_around(3.7).quantiles(tuple(levels))[:, 0, 0]
    np.testing.assert_array_equal(pure, poisson.ppf(levels, 3.7))
    mixed = counts_around(3.7, 0.5).quantiles(tuple(levels))[:, 0, 0]
    np.testing.assert_array_equal(mixed, nbinom.ppf(levels, 2, 2 / (2 + 3.7)))


@pytest.mark.parametrize("dispersion", [0.0, 1e-7, 0.5, 4.0])
def test_quantiles_added_up_are_those_solved_for_and_nothing_is_said_of_nothing(dispersion):
    from scipy.stats import nbinom, poisson

    levels = (np.arange(400) + 0.5) / 400
    rates = np.array([0.001, 0.3, 7.0, 60.0, 299.0, 301.0, 5000.0, np.nan])
    found = counts_at(levels, rates, np.full(8, dispersion))
    size = 1 / max(dispersion, 1e-9)
    for column, rate in zip(found.T[:-1], rates, strict=False):
        pure = dispersion < 1e-6
        said = poisson.ppf(levels, rate) if pure else nbinom.ppf(levels, size, size / (size + rate))
        np.testing.assert_array_equal(column, said)
    assert np.isnan(found[:, -1]).all()


def test_counts_that_vary_more_than_chance_have_a_larger_dispersion():
    chance = np.random.default_rng(0)
    said, small = np.full((12, 50, 6), 4.0), np.ones(50, dtype=bool)
    pure = chance.poisson(said)
    mixed = chance.negative_binomial(2, 2 / (2 + said))
    one, other = (shape(seen - said, small=small, said=said).dispersion for seen in (pure, mixed))
    assert one.mean() < 0.05
    assert 0.35 < other.mean() < 0.65


def test_the_dispersion_of_a_series_is_its_own_drawn_to_that_of_its_siblings():
    chance = np.random.default_rng(0)
    said, small = np.full((12, 40, 6), 4.0), np.ones(40, dtype=bool)
    seen = chance.poisson(said)
    seen[:, 0] = chance.negative_binomial(1, 1 / (1 + said[:, 0]))
    wild, *calm = shape(seen - said, small=small, said=said).dispersion
    assert 0.15 < wild < 1
    assert max(calm) < 0.1


def test_bands_of_small_counts_lose_nothing_by_what_they_cannot_round_to():
    seen, said = np.zeros((3, 2, 4)), np.full((3, 2, 4), 0.02)
    seen[:, 1, 0], seen[0, :, 3] = 2, np.nan
    nothing, something = losses_of_counts(seen, said)
    assert nothing == 0
    np.testing.assert_allclose(something, 2 * np.mean(LEVELS) * 3 / 11)


def correlated() -> Bands:
    step = 0.7 ** np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    drawn = np.random.default_rng(3).multivariate_normal(np.zeros(5), step, (10, 60))
    return bands(np.full((60, 5), 20.0), shape(drawn))


def test_at_every_step_paths_are_exactly_the_quantiles_of_the_band():
    band = correlated()
    paths = band.paths(200, 7)
    levels = tuple((np.arange(200) + 0.5) / 200)
    np.testing.assert_allclose(np.sort(paths, axis=0), band.quantiles(levels))


def test_the_same_seed_gives_the_same_paths_to_the_bit_and_another_gives_others():
    once, again, other = (correlated().paths(100, seed) for seed in (1, 1, 2))
    assert once.tobytes() == again.tobytes()
    assert once.tobytes() != other.tobytes()


def test_sums_of_paths_are_wider_than_of_chance_and_narrower_than_of_one_mind():
    band = correlated()
    joint = band.paths(400, 1)
    apart = replace(band, correlation=np.eye(5)).paths(400, 1)
    together, independent, alike = (
        np.quantile(paths.sum(axis=2), 0.9, axis=0) - np.quantile(paths.sum(axis=2), 0.1, axis=0)
        for paths in (joint, apart, np.sort(joint, axis=0))
    )
    assert together.mean() > 1.25 * independent.mean()
    assert together.mean() < 0.95 * alike.mean()


def test_some_series_alone_have_the_bands_they_have_among_all():
    band, rows = correlated(), np.array([4, 0, 17])
    np.testing.assert_array_equal(band.take(rows).quantiles(), band.quantiles()[:, rows])


def test_what_a_series_moved_is_known_at_an_origin_up_to_there_alone():
    values = np.random.default_rng(1).gamma(4, 5, (3, 40))
    later = values.copy()
    later[:, -9:] = 200
    nothing = np.full(3, np.nan)
    for season in (1, 4, 12):
        one, other = (error_units(v, season, (9, 12), nothing) for v in (values, later))
        np.testing.assert_array_equal(one[1:], other[1:])
        assert (one[0] < other[0]).all()


def test_a_series_too_young_for_a_round_is_measured_as_the_others_are():
    """By the change to the next period, and how the unit of others is to that: here above 5."""
    wave = np.tile(np.sin(2 * np.pi * np.arange(12) / 12) * 30 + 100, 4)
    values = np.stack([wave + np.repeat(np.arange(4), 12) * 5.0] * 3)
    values[2, :-10] = np.nan
    old, _, young = error_units(values, 12, (), np.full(3, np.nan))[0]
    monthly = np.abs(np.diff(values[0])).mean()
    assert old == pytest.approx(5 ** (2 / 3) * monthly ** (1 / 3))
    assert old / 2 < young < 2 * old


def test_the_unit_of_a_series_is_1_if_it_never_was_anything():
    assert (error_units(np.zeros((1, 9)), 4, (2,), np.zeros(1)) == 1).all()


def test_the_scale_of_a_series_is_its_mean_change_or_else_its_level():
    rows = np.array([[1.0, 3, 2, np.nan], [5, 5, 5, 5], [0, 0, 0, 0]])
    np.testing.assert_allclose(scales_of(rows), [1.5, 5, 1])


def test_levels_kept_are_fine_enough_for_those_that_are_told():
    assert set(LEVELS) <= set(np.round(GRID, 6))
    for coverage, (low, high) in COVERAGES.items():
        assert LEVELS[high] - LEVELS[low] == pytest.approx(coverage)


def random_walks(series, points, chance):
    return 1000 + np.cumsum(chance.normal(0, 10, (series, points)), axis=1)


def seasonal_counts(series, points, chance):
    level = np.exp(chance.uniform(4, 7, (series, 1)) + 0.001 * np.arange(points))
    wave = 1 + 0.4 * np.sin(2 * np.pi * np.arange(points) / 12)
    return chance.poisson(level * wave * chance.gamma(100, 0.01, (series, points)))


def small_cells(series, points, chance):
    rate = np.exp(chance.uniform(-1, 1.5, (series, 1))) * chance.gamma(4, 0.25, (series, points))
    return chance.poisson(rate)


def annual_walks(series, points, chance):
    return 500 * np.exp(np.cumsum(chance.normal(0.03, 0.05, (series, points)), axis=1))


def annual_growth(series, points, chance):
    """Each year moves more than the one before: a mean of all the past is too small for it."""
    rates = chance.uniform(0.06, 0.14, (series, 1))
    return 50 * np.exp(np.cumsum(rates + chance.normal(0, 0.1, (series, points)), axis=1))


def told_and_seen(make_panel, process, frequency, points, horizon, series=250):
    values = process(series, points + horizon, np.random.default_rng(5)).astype(float)
    said = forecast(make_panel(values[:, :points], frequency, lowest=0), horizon)
    return said, values[:, points:]


@pytest.mark.parametrize(
    ("process", "frequency", "points", "horizon", "slack"),
    [
        (random_walks, "month", 60, 6, 0.04),
        (seasonal_counts, "month", 60, 12, 0.04),
        (annual_walks, "year", 16, 3, 0.05),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bands_hold_as_much_of_known_processes_as_they_say(
    make_panel, process, frequency, points, horizon, slack
):
    said, seen = told_and_seen(make_panel, process, frequency, points, horizon)
    quantiles = said.quantiles()
    for coverage, (low, high) in COVERAGES.items():
        held = ((quantiles[low] <= seen) & (seen <= quantiles[high])).mean()
        assert held == pytest.approx(coverage, abs=slack)


@pytest.mark.parametrize("points", [10, 12])
def test_bands_of_young_annual_series_hold_what_they_say_far_ahead_too(make_panel, points):
    """What is shown was chosen by its errors: bands from these lost a point a year ahead."""
    said, seen = told_and_seen(make_panel, annual_walks, "year", points, 4, series=600)
    low, high = said.quantiles((0.1, 0.9))
    held = ((low <= seen) & (seen <= high)).mean(axis=0)
    assert held.mean() == pytest.approx(0.8, abs=0.06)
    assert held[0] - held[3] < 0.07


def test_bands_of_figures_that_move_more_each_year_hold_what_they_say(make_panel):
    """A scale over all of the past held 66 % of what came."""
    said, seen = told_and_seen(make_panel, annual_growth, "year", 15, 6, series=500)
    low, high = said.quantiles((0.1, 0.9))
    held = ((low <= seen) & (seen <= high)).mean(axis=0)
    assert held.mean() == pytest.approx(0.8, abs=0.06)
    assert held.min() > 0.72


def test_bands_of_small_counts_hold_what_they_say_with_ties_shared_by_lot(make_panel):
    """Whole numbers cannot hold 80 % exactly; a lot drawn among equals shows what is meant."""
    said, seen = told_and_seen(make_panel, small_cells, "month", 60, 6)
    levels = tuple(np.arange(1, 100) / 100)
    quantiles = said.quantiles(levels)
    below, at_most = (quantiles < seen).mean(axis=0), (quantiles <= seen).mean(axis=0)
    lot = np.random.default_rng(0).uniform(size=seen.shape)
    place = below + lot * (at_most - below)
    for coverage in (0.5, 0.8, 0.95):
        held = (np.abs(place - 0.5) <= coverage / 2).mean()
        assert held == pytest.approx(coverage, abs=0.05)


def test_a_band_is_wider_where_the_season_is_high():
    """Errors of one part in ten of seasonal figures: as wide a band in the low half misses half."""
    chance = np.random.default_rng(4)
    season = 100 + 80 * np.sin(2 * np.pi * np.arange(84) / 12)
    values = season * chance.lognormal(0, 0.1, (60, 84))
    keys = pl.DataFrame({"indicator": ["i"] * 60, "area": [f"{n}" for n in range(60)]})
    panel = Panel(
        keys.with_columns(category=pl.lit("total")),
        steps(date(2019, 1, 1), Frequency.MONTH, 84),
        values,
        Frequency.MONTH,
        np.zeros(60),
        np.full(60, np.inf),
    )
    low, high = forecast(panel, 12).quantiles((0.1, 0.9))
    assert 1.4 < (high - low)[:, 3].mean() / (high - low)[:, 9].mean() < 4
