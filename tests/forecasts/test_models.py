"""Every model that is found, and what all of them owe."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts import model
from forecasts.lanes import Lanes
from forecasts.model import Model, all_models, benchmark_of, quiet
from forecasts.models import ets, sarima
from tests.forecasts.conftest import seasonal, side_by_side

FOUND = {name: found for name, found in all_models().items() if found.forecast is not None}
QUICK = [name for name in FOUND if not FOUND[name].slow]
SLOW = [name for name in FOUND if FOUND[name].slow]
every_model = pytest.mark.parametrize("name", FOUND)
every_quick_model = pytest.mark.parametrize("name", QUICK)


def paths_of(name: str, lanes: Lanes, horizon: int = 6) -> np.ndarray:
    return FOUND[name].paths(lanes, horizon)


def quarters(points: int = 24, *, seed: int = 0, level: float = 200.0) -> np.ndarray:
    """A season of four is all a slow model needs to show what it does."""
    return seasonal(points, season=4, seed=seed, level=level)


@pytest.mark.parametrize("name", all_models())
def test_a_model_is_found_by_being_there_and_has_both_titles(name):
    found = all_models()[name]
    assert isinstance(found, Model)
    assert found.title
    assert found.title_en


def test_finding_the_models_imports_no_heavy_library():
    code = (
        "import sys; from forecasts import engine; engine.all_models();"
        "heavy = {'statsmodels', 'prophet', 'pandas', 'scipy', 'scipy.stats', 'statsforecast'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_benchmark_is_last_season_or_where_there_is_none_the_last_value():
    assert [benchmark_of(season) for season in (1, 4, 12)] == [
        "naive",
        "seasonal_naive",
        "seasonal_naive",
    ]


@every_quick_model
@settings(max_examples=15)
@given(
    values=st.lists(st.integers(20, 900), min_size=40, max_size=50).map(np.array),
    factor=st.sampled_from([2.0, 0.001, 1e6]),
)
def test_another_unit_gives_the_same_forecast_in_that_unit(name, values, factor):
    """Without a lower bound: a count is a count, and has no other unit."""
    lanes, other = (side_by_side([v], lowest=-np.inf) for v in (values, factor * values))
    np.testing.assert_allclose(
        paths_of(name, other, 14), factor * paths_of(name, lanes, 14), rtol=1e-4
    )


@pytest.mark.parametrize("name", [name for name in QUICK if name != "gamma_poisson"])
def test_doubling_the_past_doubles_the_forecast_though_a_month_was_empty(name):
    values = seasonal(48)
    values[20] = 0
    once, twice = (paths_of(name, side_by_side([v])) for v in (values, 2 * values))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)


@pytest.mark.parametrize("name", SLOW)
def test_doubling_the_past_doubles_a_slow_forecast(name):
    once, twice = (paths_of(name, side_by_side([v], 4)) for v in (quarters(), 2 * quarters()))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)


@every_quick_model
def test_series_in_another_order_get_their_forecasts_in_that_order(name):
    rows = np.stack([seasonal(48, seed=n, level=5 + 40 * n) for n in range(6)])
    rows[2, :20] = np.nan
    there = paths_of(name, side_by_side(rows))
    back = paths_of(name, side_by_side(rows[::-1]))[::-1]
    np.testing.assert_allclose(back, there, rtol=1e-5)


@every_quick_model
def test_the_same_values_at_other_times_get_the_same_forecast(name):
    rows = np.stack([seasonal(48, seed=n, level=20) for n in range(4)])
    later = np.concatenate([np.full((4, 5), np.nan), rows], axis=1)
    np.testing.assert_allclose(
        paths_of(name, side_by_side(later)), paths_of(name, side_by_side(rows)), rtol=1e-6
    )


MONTHS = np.arange(48)
ODD = {
    "constant": np.full(48, 7.0),
    "all zero": np.zeros(48),
    "one spike": np.where(MONTHS == 30, 50.0, 0.0),
    "one value": np.where(MONTHS < 47, np.nan, 5.0),
    "two values": np.where(MONTHS < 46, np.nan, 5.0),
    "two months of three missing": np.where(MONTHS % 3, np.nan, seasonal(48)),
    "silent lately": np.where(MONTHS > 40, np.nan, seasonal(48)),
    "huge": 1e12 * seasonal(48),
    "tiny": 1e-9 * seasonal(48),
    "below zero": -seasonal(48),
    "either side of zero": seasonal(48) - 200.0,
    "one of twelve": np.where(MONTHS % 12 == 2, 3.0, 0.0),
    "running away": np.exp(MONTHS / 3),
}


@every_quick_model
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_series_gets_numbers_or_no_answer_and_spoils_none_beside_it(name, odd):
    plain = [seasonal(48, seed=1), seasonal(48, seed=2, level=4)]
    apart = {"groups": [1, 1, 0], "lowest": -np.inf if np.nanmin(ODD[odd]) < 0 else 0.0}
    paths = paths_of(name, side_by_side([*plain, ODD[odd]], **apart), 14)
    assert np.isfinite(paths[2]).all() or np.isnan(paths[2]).all()
    alone = paths_of(name, side_by_side(plain, lowest=apart["lowest"]), 14)
    np.testing.assert_allclose(paths[:2], alone, rtol=1e-6)


@every_quick_model
def test_odd_siblings_leave_numbers_to_all(name):
    rows = [seasonal(48), *(row for row in ODD.values() if not np.nanmin(row) < 0)]
    paths = paths_of(name, side_by_side(rows), 14)
    answers = np.isfinite(paths).all(axis=1)
    assert (answers | np.isnan(paths).all(axis=1)).all()
    assert answers[0] or name == "gamma_poisson"


@pytest.mark.parametrize("name", SLOW)
def test_odd_series_get_numbers_or_no_answer_from_slow_models(name):
    rows = [row[:24] for odd, row in ODD.items() if odd in ("constant", "all zero", "huge", "tiny")]
    gaps = np.where(np.arange(24) % 3 == 1, np.nan, quarters())
    late = np.where(np.arange(24) < 22, np.nan, 5.0)
    paths = paths_of(name, side_by_side([quarters(), *rows, gaps, late], 4))
    answers = np.isfinite(paths).all(axis=1)
    assert (answers | np.isnan(paths).all(axis=1)).all()
    assert answers[0]


@every_quick_model
def test_a_forecast_of_equal_values_is_that_value(name):
    paths = paths_of(name, side_by_side([[7.0] * 44]), 14)
    np.testing.assert_allclose(paths, 7.0, rtol=0.02)


@every_quick_model
def test_a_forecast_of_nothing_but_zeros_is_zero(name):
    paths = paths_of(name, side_by_side([[0.0] * 44]), 14)
    np.testing.assert_allclose(paths, 0, atol=0.01)


@every_model
def test_counts_are_never_forecast_below_zero(name):
    falling = np.maximum(0, 400 - 17.0 * np.arange(24)) + quarters(level=3)
    paths = paths_of(name, side_by_side([falling], 4), 14)
    assert not (paths < 0).any()


@every_model
def test_gaps_and_a_late_start_are_no_obstacle(name):
    rows = np.stack([quarters(level=40), quarters(level=40, seed=1)])
    rows[0, [4, 10, 17]] = np.nan
    rows[1, :5] = np.nan
    paths = paths_of(name, side_by_side(rows, 4))
    assert np.isfinite(paths).all()
    assert np.abs(paths / 40 - 1).max() < 0.7


@pytest.mark.parametrize("name", [name for name in FOUND if FOUND[name].least_points(4) > 1])
def test_a_series_too_short_gets_no_answer_and_spoils_none(name):
    short = np.full(24, np.nan)
    short[25 - FOUND[name].least_points(4) :] = 40.0
    paths = paths_of(name, side_by_side([quarters(level=40), short], 4, groups=[0, 1]))
    assert np.isfinite(paths[0]).all()
    assert np.isnan(paths[1]).all()
    np.testing.assert_allclose(
        paths[:1], paths_of(name, side_by_side([quarters(level=40)], 4)), rtol=1e-6
    )


@every_quick_model
def test_the_shortest_series_a_model_takes_gets_an_answer(name):
    points = FOUND[name].least_points(4)
    paths = paths_of(name, side_by_side([quarters(points, level=40)], 4))
    assert np.isfinite(paths).all()


@every_model
def test_the_same_lanes_get_the_same_forecast_to_the_bit(name):
    once, again = (paths_of(name, side_by_side([quarters(level=40)], 4)) for _ in range(2))
    assert once.tobytes() == again.tobytes()


@every_quick_model
@pytest.mark.parametrize(("season", "points"), [(1, 5), (1, 20), (4, 20), (7, 60), (52, 184)])
def test_every_season_is_answered_or_declined_as_a_whole(name, season, points):
    values = 30 + seasonal(points, season=max(season, 2), level=10)
    paths = paths_of(name, side_by_side([values], season), 5)
    assert paths.shape == (1, 5)
    assert np.isfinite(paths).all() == FOUND[name].suits(season)


@pytest.mark.parametrize("name", SLOW)
def test_annual_series_are_answered_or_declined_by_slow_models(name):
    paths = paths_of(name, side_by_side([50 + 3.0 * np.arange(12)], 1), 5)
    assert np.isfinite(paths).all() == FOUND[name].suits(1)


@every_quick_model
def test_a_trend_that_explodes_is_followed_only_so_far(name):
    """Exponentials of a line once left all numbers behind."""
    paths = paths_of(name, side_by_side([np.exp(MONTHS / 3)]), 200)
    assert not (paths > 1000 * np.exp(47 / 3)).any()


@every_quick_model
def test_months_that_are_nearly_always_empty_do_not_blow_up_the_level(name):
    """A factor of next to nothing once divided a single case into a level beyond all numbers."""
    rare = np.zeros((6, 58))
    rare[:, 2::12] = 3
    rare[0, 45] = 1e-9
    paths = paths_of(name, side_by_side(rare), 14)
    assert np.nanmax(np.nan_to_num(paths, posinf=np.inf)) <= 12


def test_a_quiet_failure_is_no_answer():
    def fails(values, season, horizon):
        raise np.linalg.LinAlgError("singular")

    paths = model.one_by_one(fails)(side_by_side([[1.0, 2.0]]), 3)
    assert np.isnan(paths).all()


def test_the_last_value_stays_and_the_last_season_returns():
    lanes = side_by_side([[1, 2, 3, 4, 5, 6, 7, 8], [None, 2, 3, 4, 9, 6, None, None]], season=4)
    assert paths_of("naive", lanes, 2).tolist() == [[8, 8], [6, 6]]
    assert paths_of("seasonal_naive", lanes, 5).tolist() == [[5, 6, 7, 8, 5], [9, 6, 6, 6, 9]]


def test_drift_moves_the_last_season_on_by_the_mean_change():
    lanes = side_by_side([[10, 20, 12, 24, 14, 25]], season=2)
    changes = (2 + 4 + 2 + 1) / 4
    assert paths_of("drift", lanes, 3).tolist() == [[14 + changes, 25 + changes, 14 + 2 * changes]]


def test_an_autoregression_finds_the_change_that_turns_round():
    """Changes that are -0.6 of the last one, without drift."""
    chance = np.random.default_rng(0)
    change = np.zeros(400)
    for step in range(1, 400):
        change[step] = -0.6 * change[step - 1] + chance.normal(0, 0.02)
    values = 100 * np.exp(np.cumsum(change))
    (path,) = paths_of("autoregression", side_by_side([values], 1, lowest=-np.inf), 1)
    np.testing.assert_allclose(np.log(path[0] / values[-1]) / change[-1], -0.6, atol=0.1)


def test_an_autoregression_believes_half_of_a_drift():
    noise = np.random.default_rng(0).normal(0, 0.02, 200)
    values = 100 * np.exp(0.03 * np.arange(200) + np.cumsum(noise) - 0.5 * noise.sum() / 200)
    (path,) = paths_of("autoregression", side_by_side([values], 1, lowest=-np.inf), 10)
    drift = np.log(values[-1] / values[0]) / 199
    np.testing.assert_allclose(np.log(path[-1] / values[-1]) / 10, drift / 2, rtol=0.25)


@pytest.mark.parametrize("level", [0.5, 2.0, 20.0])
def test_small_counts_are_forecast_with_the_season_of_their_siblings(level):
    """Seasons of counts with many zeros are parts of the level, and were once taken for logs."""
    truth = level * np.exp(np.sin(2 * np.pi * np.arange(96) / 12)) / 1.27
    counts = np.random.default_rng(0).poisson(truth, (60, 96)).astype(float)
    mean = paths_of("gamma_poisson", side_by_side(counts[:, :84]), 12).mean(axis=0)
    np.testing.assert_allclose(mean, truth[84:], atol=0.2 * level)


def test_a_burst_is_no_new_level_where_counts_burst_now_and_then():
    """Taken for Poisson's, such counts once had to have a rate that jumps."""
    chance = np.random.default_rng(0)
    counts = chance.poisson(3 * chance.gamma(0.7, 1 / 0.7, (60, 84))).astype(float)
    last = paths_of("gamma_poisson", side_by_side(counts), 1)[:, 0]
    assert np.abs(last - 3).mean() < 0.8


def test_what_is_no_count_is_nothing_for_a_model_of_counts():
    assert np.isnan(paths_of("gamma_poisson", side_by_side([seasonal(40)], lowest=-np.inf))).all()


def test_a_season_that_moves_is_followed_by_two_models():
    chance = np.random.default_rng(3)
    once, lately = chance.normal(0, 0.3, (2, 12))
    shape = np.concatenate([np.tile(once, 5), np.tile(lately, 6)])
    values = 100 * np.exp(shape + chance.normal(0, 0.03, 132))
    lanes = side_by_side([values[:120]])
    missed = {
        name: np.abs(paths_of(name, lanes, 12) - values[120:]).mean()
        for name in ("holt_winters", "seasonal_changes", "damped_trend", "theta")
    }
    assert missed["holt_winters"] < 0.7 * min(missed["damped_trend"], missed["theta"])
    assert missed["seasonal_changes"] < 0.7 * min(missed["damped_trend"], missed["theta"])


def test_changes_over_a_round_go_on_round_after_round():
    season = np.tile([80.0, 120.0, 100.0, 110.0], 6)
    values = season * np.repeat(1.1 ** np.arange(6), 4)
    (path,) = paths_of("seasonal_changes", side_by_side([values], 4), 6)
    np.testing.assert_allclose(path, season[:6] * 1.1 ** np.array([6, 6, 6, 6, 7, 7]), rtol=1e-3)


def test_what_has_swung_about_its_line_is_seen_coming_back():
    """Half of what is beside the line is left a step later; the last value is far from it."""
    chance = np.random.default_rng(1)
    rest = np.zeros(120)
    for step in range(1, 119):
        rest[step] = 0.5 * rest[step - 1] + chance.normal(0, 0.1)
    rest[119] = 0.4
    (path,) = np.log(paths_of("reverting", side_by_side([100 * np.exp(rest)])) / 100)
    np.testing.assert_allclose(path[[0, 5]], [0.2, 0.0], atol=0.08)


def test_a_linear_trend_goes_on_by_as_much_each_year():
    values = 50 + 3.0 * np.arange(20)
    (path,) = paths_of("linear_trend", side_by_side([values], 1), 5)
    np.testing.assert_allclose(path, 107 + 3.0 * np.arange(1, 6), rtol=1e-3)


def test_shared_models_are_those_with_the_season_of_siblings_in_place_of_their_own():
    """Of one short series among long siblings, whose season it cannot know itself."""
    rows = np.stack([seasonal(60, seed=n, level=2000) for n in range(9)])
    rows[0, :44] = np.nan
    truth = 2000 * (1 + 0.3 * np.sin(2 * np.pi * np.arange(60, 72) / 12))
    lanes = side_by_side(rows)
    for shared, own in (
        ("shared_theta", "theta"),
        ("shared_damped_trend", "damped_trend"),
        ("shared_dynamic_theta", "dynamic_theta"),
    ):
        lent, alone = (np.abs(paths_of(n, lanes, 12)[0] - truth).mean() for n in (shared, own))
        assert lent < 0.5 * alone
    np.testing.assert_allclose(paths_of("shared_level", lanes, 12)[0], truth, rtol=0.1)


def test_ets_agrees_with_statsmodels():
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    values = quarters(32)
    fits = [
        ETSModel(np.log(values), error="add", **form).fit(disp=False)
        for form in ets.forms(len(values), 4)
    ]
    direct = np.exp(min(fits, key=lambda fit: fit.aicc).forecast(6))
    np.testing.assert_allclose(paths_of("ets", side_by_side([values], 4))[0], direct, rtol=0.01)


def test_sarima_agrees_with_statsmodels():
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    values = quarters(32)
    with quiet():
        fit = SARIMAX(np.log(values), **sarima.form(32, 4)).fit(disp=False)
    direct = np.exp(fit.forecast(6))
    np.testing.assert_allclose(paths_of("sarima", side_by_side([values], 4))[0], direct, rtol=0.01)


def test_unobserved_components_agree_with_statsmodels():
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    values = quarters(32)
    with quiet():
        built = UnobservedComponents(np.log(values), level="local linear trend", seasonal=4)
        direct = np.exp(built.fit(disp=False).forecast(6))
    found = paths_of("unobserved_components", side_by_side([values], 4))[0]
    np.testing.assert_allclose(found, direct, rtol=0.02)


@pytest.mark.parametrize(("name", "theirs"), [("auto_ets", "AutoETS"), ("auto_arima", "AutoARIMA")])
def test_automatic_models_agree_with_statsforecast(name, theirs):
    from statsforecast import models as library

    values = quarters(32)
    direct = getattr(library, theirs)(season_length=4).forecast(y=values, h=6)["mean"]
    np.testing.assert_allclose(paths_of(name, side_by_side([values], 4))[0], direct, rtol=0.01)


def test_a_model_declines_the_seasons_it_is_not_made_for():
    weekly = side_by_side([seasonal(150, season=52)], 52)
    declined = replace(FOUND["naive"], longest_season=12)
    assert np.isnan(declined.paths(weekly, 3)).all()
    assert np.isfinite(FOUND["naive"].paths(weekly, 3)).all()
