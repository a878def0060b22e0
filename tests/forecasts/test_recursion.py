"""The vectorised recursions against plain loops, least squares and statsmodels."""

import numpy as np
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.theta import ThetaModel

from forecasts.models import dynamic_theta, holt_winters, theta
from forecasts.recursion import grid, likelihood, product, smooth
from tests.forecasts.conftest import side_by_side

SURE = 1.0


def wandering(points: int, seed: int = 0, drift: float = 0.02) -> np.ndarray:
    """A level that wanders, near 1, with a drift and chance around it."""
    chance = np.random.default_rng(seed)
    return 1 + np.cumsum(chance.normal(drift, 0.1, points)) + chance.normal(0, 0.1, points)


def missed(values, level, trend, *, alpha, beta, phi, gamma=0.0, season=1):
    """Errors of the recursion from this start, with seasons that begin with none."""
    seasons, errors = np.zeros(season), []
    for step, value in enumerate(values):
        error = value - level - phi * trend - seasons[step % season]
        level, trend = level + phi * trend + alpha * error, phi * trend + beta * error
        seasons[step % season] += gamma * error
        errors.append(error)
    return np.array(errors)


def best_start(values, pulls=(1e-9, 1e-9), **parameters) -> tuple[float, float]:
    """First level and trend of least squares: errors are linear in them."""
    zero = missed(values, 0, 0, **parameters)
    owed = [
        missed(values, *start, **parameters) - zero
        for start in ((1, 0), (0, 1))[: 1 + (parameters["phi"] > 0)]
    ]
    rows = np.stack(owed, axis=1)
    ridge = np.diag(np.sqrt(pulls))[: rows.shape[1], : rows.shape[1]]
    aim = np.append(-zero, np.zeros(rows.shape[1]))
    found, *_ = np.linalg.lstsq(np.vstack([rows, ridge]), aim, rcond=None)
    return tuple(np.append(found, 0.0)[:2])


def of_statsmodels(values, horizon, level, trend, *, alpha, beta, phi, gamma=None, season=None):
    """Its forecasts at these parameters, from this start, with seasons that begin with none."""
    form = {"trend": "add", "damped_trend": True, "initial_trend": trend} if phi else {}
    if season:
        form |= {"seasonal": "add", "seasonal_periods": season, "initial_seasonal": [0] * season}
    built = ETSModel(
        values, error="add", initialization_method="known", initial_level=level, **form
    )
    given = {
        "smoothing_level": alpha,
        "smoothing_trend": beta,
        "smoothing_seasonal": gamma,
        "damping_trend": phi,
    }
    return built.smooth([given[name] for name in built.param_names]).forecast(horizon)


@pytest.mark.parametrize("alpha", [0.05, 0.3, 0.9])
def test_a_level_without_trend_agrees_with_statsmodels(alpha):
    values, plain = wandering(40), {"alpha": alpha, "beta": 0.0, "phi": 0.0}
    theirs = of_statsmodels(values, 5, *best_start(values, **plain), **plain)
    fit = smooth(values[None], np.array([40]), grid((alpha,), (0.0,), (0.0,)), SURE)
    np.testing.assert_allclose(fit.ahead(5)[0], theirs, rtol=1e-5)


@pytest.mark.parametrize(
    ("alpha", "share", "phi"), [(0.2, 0.1, 0.9), (0.6, 0.3, 0.8), (0.9, 0.01, 0.98)]
)
def test_a_damped_trend_agrees_with_statsmodels(alpha, share, phi):
    values, damped = wandering(40), {"alpha": alpha, "beta": alpha * share, "phi": phi}
    theirs = of_statsmodels(values, 8, *best_start(values, **damped), **damped)
    fit = smooth(values[None], np.array([40]), grid((alpha,), (share,), (phi,)), SURE)
    np.testing.assert_allclose(fit.ahead(8)[0], theirs, rtol=1e-4)


@pytest.fixture
def one_point(monkeypatch):
    """Holt-Winters with one choice of parameters."""

    def only(alpha: float, share: float, phi: float, gamma: float) -> None:
        monkeypatch.setattr(holt_winters, "ALPHAS", (alpha,))
        monkeypatch.setattr(holt_winters, "TRENDS", ((share, phi),))
        monkeypatch.setattr(holt_winters, "GAMMAS", (gamma,))
        forget()

    def forget() -> None:
        holt_winters._grid.cache_clear()
        holt_winters._debts.cache_clear()
        holt_winters._weights.cache_clear()

    yield only
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize(
    ("alpha", "share", "phi", "gamma"), [(0.2, 0.1, 0.9, 0.3), (0.5, 0.0, 0.0, 0.1)]
)
def test_holt_winters_agrees_with_statsmodels(one_point, alpha, share, phi, gamma):
    one_point(alpha, share, phi, gamma)
    values = wandering(44, drift=0) + np.tile([0.3, -0.2, 0.1, -0.2], 11)
    pulls = (holt_winters.PULL[0], holt_winters.PULL[1] * len(values))
    form = {"alpha": alpha, "beta": alpha * share, "phi": phi, "gamma": gamma, "season": 4}
    theirs = of_statsmodels(values, 6, *best_start(values, pulls, **form), **form)
    paths = holt_winters._paths(values[None], np.array([44]), np.ones((1, 4)), 6)
    np.testing.assert_allclose(paths[0], theirs, rtol=1e-4)


def test_theta_agrees_with_statsmodels_at_its_memory(monkeypatch):
    values = np.exp(wandering(120, drift=0.005))
    lanes = side_by_side([values], 1)
    scaled = np.log(values / lanes.unit[0])
    theirs = ThetaModel(scaled, deseasonalize=False, use_test=False, method="add").fit()
    alpha = float(theirs.params["alpha"])
    monkeypatch.setattr(theta, "TRIED", grid((alpha,), (0.0,), (0.0,)))
    path = np.log(theta.forecast(lanes, 8)[0] / lanes.unit[0])
    np.testing.assert_allclose(path, theirs.forecast(8), atol=1e-4)


def dynamic_theta_of_the_paper(values, alpha, bend, start, horizon):
    """Errors and forecasts of the dynamic theta model, equations 10 to 15 of Fiorucci et al."""
    level, mean, slope, intercept = start, 0.0, 0.0, 0.0
    errors, ahead = [], []
    for t in range(1, len(values) + horizon + 1):
        faded = (1 - alpha) ** (t - 1)
        foreseen = level + bend * (faded * intercept + (1 - (1 - alpha) ** t) / alpha * slope)
        if t <= len(values):
            value = values[t - 1]
            errors.append(value - foreseen)
        else:
            value = foreseen
            ahead.append(foreseen)
        level = alpha * value + (1 - alpha) * level
        slope = ((t - 2) * slope + 6 * (value - mean) / t) / (t + 1) if t > 1 else 0.0
        mean = ((t - 1) * mean + value) / t
        intercept = mean - (t + 1) / 2 * slope
    return np.array(errors), np.array(ahead)


@pytest.mark.parametrize(("alpha", "bent"), [(0.1, 2.0), (0.5, 4.0), (0.8, 1.0)])
def test_dynamic_theta_is_the_loop_of_the_paper(monkeypatch, alpha, bent):
    monkeypatch.setattr(dynamic_theta, "ALPHAS", np.array([alpha]))
    monkeypatch.setattr(dynamic_theta, "THETAS", (bent,))
    values = 5 + wandering(30)
    lanes = side_by_side([values], 1)
    scaled, bend = values / lanes.unit[0], 1 - 1 / bent
    none, _ = dynamic_theta_of_the_paper(scaled, alpha, bend, 0.0, 1)
    one, _ = dynamic_theta_of_the_paper(scaled, alpha, bend, 1.0, 1)
    counted = slice(dynamic_theta.WARM_UP, None)
    owed = (none - one)[counted]
    start = float(owed @ none[counted] / (owed @ owed + dynamic_theta.PULL))
    _, ahead = dynamic_theta_of_the_paper(scaled, alpha, bend, start, 6)
    found = dynamic_theta.forecast(lanes, 6)[0]
    np.testing.assert_allclose(found, ahead * lanes.unit[0], rtol=1e-6)


def test_dynamic_theta_takes_the_memory_with_the_smallest_loss(monkeypatch):
    """Of a level that stays, the long one; of a level that wanders, the short one."""
    monkeypatch.setattr(dynamic_theta, "ALPHAS", np.array([0.1, 0.99]))
    chance = np.random.default_rng(0)
    still, wild = 10 + chance.normal(0, 1, 80), 10 + np.cumsum(chance.normal(0, 1, 80))
    wild -= min(wild.min() - 1, 0)
    lanes = side_by_side([np.append(still, 14.0), np.append(wild, wild[-1] + 4)], 1)
    path = dynamic_theta.forecast(lanes, 1)[:, 0]
    assert path[0] < 11.5
    assert abs(path[1] - wild[-1] - 4) < 1


@pytest.mark.parametrize("alphas", [(0.3,), (0.1, 0.4, 0.9)])
def test_lanes_of_different_lengths_get_what_each_gets_alone(alphas):
    tried = grid(alphas, (0.0, 0.2), (0.8, 0.95))
    lengths = np.array([7, 40, 23, 2, 40])
    values = np.zeros((5, 40))
    for row, length in enumerate(lengths):
        values[row, :length] = wandering(length, seed=row)
    together = smooth(values, lengths, tried, SURE).ahead(4)
    for row, length in enumerate(lengths):
        alone = smooth(values[row : row + 1, :length], lengths[row : row + 1], tried, SURE)
        np.testing.assert_allclose(together[row], alone.ahead(4)[0], rtol=1e-5)


def test_more_lanes_than_are_walked_at_once_come_back_in_their_order(monkeypatch):
    monkeypatch.setattr("forecasts.recursion.TOGETHER", 3)
    tried, lengths = grid((0.2, 0.8), (0.1,), (0.9,)), np.array([9, 30, 12, 30, 5, 18, 30])
    values = np.zeros((7, 30))
    for row, length in enumerate(lengths):
        values[row, :length] = wandering(length, seed=row)
    in_threes = smooth(values, lengths, tried, SURE).ahead(3)
    monkeypatch.setattr("forecasts.recursion.TOGETHER", 100)
    np.testing.assert_allclose(in_threes, smooth(values, lengths, tried, SURE).ahead(3), rtol=1e-6)


@pytest.mark.parametrize("model", [dynamic_theta, holt_winters])
def test_a_lane_is_forecast_as_if_it_were_alone(model):
    """Whatever the lengths beside it, some of them made together and some not."""
    values = np.full((4, 48), np.nan)
    for row, length in enumerate((48, 23, 47, 16)):
        season = np.resize([0.3, -0.2, 0.1, -0.2], length)
        values[row, -length:] = np.exp(wandering(length, seed=row, drift=0.01) / 4 + season)
    together = model.forecast(side_by_side(values, 4), 5)
    for row in range(4):
        (alone,) = model.forecast(side_by_side(values[row : row + 1], 4), 5)
        np.testing.assert_allclose(together[row], alone, rtol=1e-5)


def test_a_product_in_parts_is_the_product(monkeypatch):
    one, other = np.arange(6.0).reshape(2, 3), np.arange(15.0).reshape(3, 5)
    monkeypatch.setattr("forecasts.recursion.ON_ONE_THREAD", 12)
    np.testing.assert_allclose(product(one, other), one @ other)


def test_points_count_by_their_likelihood():
    """A loss a tenth larger over 20 values: 1.1 to the power -10."""
    weights = likelihood(np.array([[1.0], [1.1]]), np.array([20]), 1.0)
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    np.testing.assert_allclose(weights[1, 0] / weights[0, 0], 1.1**-10)


def test_where_nothing_is_missed_all_points_count_alike():
    np.testing.assert_allclose(likelihood(np.zeros((4, 1)), np.array([20]), 1.0), 0.25)


def test_a_trend_fades_by_its_damping():
    fit = smooth(np.arange(1.0, 31)[None], np.array([30]), grid((0.9,), (0.9,), (0.9,)), SURE)
    first, second, third = np.diff(np.append(30.0, fit.ahead(3)[0]))
    assert first == pytest.approx(0.9, abs=0.05)
    assert second / first == pytest.approx(0.9, abs=0.02)
    assert third / second == pytest.approx(0.9, abs=1e-6)
