"""Every model that is found, and what all of them owe."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.statespace.sarimax import SARIMAX

from etl.periods import Frequency
from forecasts import backtest, model
from forecasts.model import all_models, benchmark_of, quiet
from forecasts.models import ets, sarima
from forecasts.tet import regressors
from tests.forecasts.conftest import seasonal

MODELS = sorted(all_models())
QUICK = [
    name for name in MODELS if all_models()[name].most_values is None and name != "combination"
]
SLOW = [name for name in MODELS if all_models()[name].most_values is not None]
every_model = pytest.mark.parametrize("name", MODELS)


@every_model
def test_a_model_is_found_by_being_there_and_has_both_titles(name):
    found = all_models()[name]
    assert found.title
    assert found.title_en
    assert (found.forecast is None) != (found.combine is None)


def test_finding_the_models_imports_no_heavy_library():
    code = (
        "import sys; from forecasts.model import all_models; all_models();"
        "heavy = {'statsmodels', 'prophet', 'pandas', 'scipy.stats'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("frequency", ["month", "quarter", "year", "day"])
def test_the_benchmark_answers_wherever_a_backtest_may_begin(make_panel, frequency):
    points = backtest.first_history(Frequency(frequency))
    panel = make_panel([list(range(1, points + 1))], frequency)
    assert np.isfinite(all_models()[benchmark_of(Frequency(frequency))].paths(panel, 3)).all()


def check_doubling(make_panel, name, values):
    panel, double = make_panel([values], lowest=0), make_panel([2 * values], lowest=0)
    once = all_models()[name].paths(panel, 14)
    np.testing.assert_allclose(all_models()[name].paths(double, 14), 2 * once, rtol=1e-9)


counts = st.lists(st.integers(0, 500), min_size=37, max_size=50).map(np.array)


@pytest.mark.parametrize("name", QUICK)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=counts)
def test_doubling_the_past_doubles_the_forecast(make_panel, name, values):
    check_doubling(make_panel, name, values.astype(float))


@pytest.mark.parametrize("name", [*SLOW, "combination"])
def test_doubling_the_past_doubles_a_slow_forecast(make_panel, name):
    check_doubling(make_panel, name, seasonal(40))


@every_model
def test_a_forecast_of_equal_values_is_that_value(make_panel, name):
    paths = all_models()[name].paths(make_panel([[7.0] * 40]), 14)
    np.testing.assert_allclose(paths, 7.0, rtol=0.02)


@every_model
def test_a_forecast_of_nothing_but_zeros_is_zero_or_no_answer(make_panel, name):
    paths = all_models()[name].paths(make_panel([[0.0] * 40], lowest=0), 14)
    assert np.isnan(paths).all() or (paths == 0).all()


@every_model
def test_counts_are_never_forecast_below_zero(make_panel, name):
    falling = np.maximum(0, 400 - 9.0 * np.arange(44)) + seasonal(44, level=3)
    paths = all_models()[name].paths(make_panel([falling], lowest=0), 14)
    assert (paths >= 0).all()


@every_model
def test_gaps_and_a_late_start_are_no_obstacle(make_panel, name):
    rows = np.stack([seasonal(44), seasonal(44, seed=1)])
    rows[0, [14, 20, 31]] = np.nan
    rows[1, :5] = np.nan
    paths = all_models()[name].paths(make_panel(rows, lowest=0), 14)
    assert np.isfinite(paths).all()
    assert np.abs(paths / 200 - 1).max() < 0.6


@every_model
def test_a_series_too_short_gets_no_answer_and_spoils_none(make_panel, name):
    rows = np.stack([seasonal(40), np.append(np.full(39, np.nan), 5.0)])
    found = all_models()[name]
    if found.combine is None and found.least_points(Frequency.MONTH) == 1:
        pytest.skip("one value is enough for it")
    paths = found.paths(make_panel(rows), 14)
    assert np.isfinite(paths[0]).all()
    assert np.isnan(paths[1]).all()


@every_model
def test_the_same_panel_gets_the_same_forecast(make_panel, name):
    panel = make_panel([seasonal(40)])
    once, again = (all_models()[name].paths(panel, 14) for _ in range(2))
    np.testing.assert_array_equal(once, again)


@every_model
@pytest.mark.parametrize(("frequency", "points"), [("quarter", 24), ("year", 12), ("year", 4)])
def test_other_frequencies_are_answered_or_declined(make_panel, name, frequency, points):
    panel = make_panel([50 + 3.0 * np.arange(points)], frequency, lowest=0)
    paths = all_models()[name].paths(panel, 5)
    assert paths.shape == (1, 5)
    assert np.isfinite(paths).all() or np.isnan(paths).all()


def test_a_quiet_failure_is_no_answer(make_panel):
    def fails(panel, horizon):
        raise np.linalg.LinAlgError("singular")

    paths = model.one_by_one(fails)(make_panel([[1.0, 2.0]]), 3)
    assert np.isnan(paths).all()


def test_ets_agrees_with_statsmodels(make_panel):
    values = seasonal(48)
    panel = make_panel([values])
    fits = [
        ETSModel(np.log(values), error="add", **form).fit(disp=False) for form in ets.forms(panel)
    ]
    direct = np.exp(min(fits, key=lambda fit: fit.aicc).forecast(6))
    np.testing.assert_allclose(all_models()["ets"].paths(panel, 6)[0], direct, rtol=0.01)


def test_sarima_agrees_with_statsmodels(make_panel):
    values = seasonal(48)
    panel = make_panel([values])
    past, future = (regressors(days, panel.frequency) for days in (panel.periods, panel.ahead(6)))
    with quiet():
        fit = SARIMAX(np.log(values), exog=past, **sarima.form(panel)).fit(disp=False)
    direct = np.exp(fit.forecast(6, exog=future))
    np.testing.assert_allclose(all_models()["sarima"].paths(panel, 6)[0], direct, rtol=0.01)


@pytest.mark.parametrize("name", ["sarima", "prophet", "seasonal_level"])
def test_tet_is_followed_from_january_to_february(make_panel, name):
    points, horizon = 58, 14
    panel = make_panel([np.ones(points)])
    days = regressors((*panel.periods, *panel.ahead(horizon)), panel.frequency)
    noise = np.random.default_rng(5).normal(0, 0.01, points + horizon)
    truth = 1000 * np.exp(-0.4 * days[:, 0] - 0.3 * days[:, 1] + noise)
    paths = all_models()[name].paths(make_panel([truth[:points]]), horizon)[0]
    blind = all_models()["seasonal_naive"].paths(make_panel([truth[:points]]), horizon)[0]
    missed, blindly = (np.abs(p - truth[points:]).mean() for p in (paths, blind))
    assert missed < 0.5 * blindly


@pytest.mark.parametrize("name", QUICK)
def test_months_that_are_nearly_always_empty_do_not_blow_up_the_level(make_panel, name):
    """A factor of next to nothing once divided a single case into a level beyond all numbers."""
    rare = np.zeros((6, 58))
    rare[:, 2::12] = 3
    rare[0, 45] = 1e-9
    paths = all_models()[name].paths(make_panel(rare, lowest=0), 14)
    assert np.nanmax(np.nan_to_num(paths, posinf=np.inf)) <= 12
