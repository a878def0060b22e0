"""The engine as a whole: honest, the same wherever it runs, and indifferent to unit and order."""

from dataclasses import fields, replace

import numpy as np
import pytest

from forecasts import engine
from forecasts.adjust import freed_of
from forecasts.bands import LEVELS, scales_of
from forecasts.engine import COMBINATION, Forecasts, History, as_it_is, forecast, members
from forecasts.model import all_models
from forecasts.panel import Panel
from tests.forecasts.conftest import seasonal

HORIZON = 4


def in_process(work, blocks):
    return [work(block) for block in blocks]


def in_reverse(work, blocks):
    blocks = list(blocks)
    said = {id(block): work(block) for block in reversed(blocks)}
    return [said[id(block)] for block in blocks]


def mixed(points: int = 60) -> np.ndarray:
    """Large and small, short and gap-ridden series, and one of few cases."""
    rows = np.stack(
        [seasonal(points, seed=n, level=level) for n, level in enumerate([2000, 300, 40, 6, 0.7])]
        + [seasonal(points, seed=9, level=50)]
    )
    rows[1, :25] = np.nan
    rows[2, [7, 30, points - 2]] = np.nan
    rows[5, :-6] = np.nan
    return rows


def same(one: Forecasts, other: Forecasts) -> bool:
    """To the last bit."""
    return (
        one.model == other.model
        and one.quantiles().tobytes() == other.quantiles().tobytes()
        and one.paths(20, 3).tobytes() == other.paths(20, 3).tobytes()
        and one.errors.tobytes() == other.errors.tobytes()
    )


@pytest.fixture(scope="module")
def said(make_panel) -> Forecasts:
    return forecast(make_panel(mixed(), lowest=0), HORIZON)


def test_every_series_with_a_past_gets_a_forecast_a_band_and_paths(said):
    assert said.mean.shape == (6, HORIZON)
    assert said.quantiles().shape == (len(LEVELS), 6, HORIZON)
    assert said.paths(30, 1).shape == (30, 6, HORIZON)
    for told in (said.mean, said.quantiles(), said.paths(30, 1)):
        assert np.isfinite(told).all()
        assert told.min() >= 0
    assert None not in said.model


def test_shares_of_the_models_sum_to_one(said):
    shares = np.stack(list(said.weights.values()))
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=0), 1)


def test_the_forecast_is_the_mean_of_the_models_with_these_shares(said):
    shares, paths = said.weights, said.backtest.final
    mean = sum(shares[name][:, None] * np.nan_to_num(paths[name]) for name in shares)
    np.testing.assert_allclose(said.mean[:5], mean[:5], rtol=1e-5)


def test_what_is_shown_beats_the_benchmark_on_the_own_past_or_is_the_benchmark(make_panel):
    walks = 100 + np.cumsum(np.random.default_rng(0).normal(0, 1, (20, 16)), axis=1)
    found = forecast(make_panel(walks, "year"), 3)
    own = np.nanmean(np.abs(found.errors), axis=(0, 2))
    observed, rival = found.backtest.observed, found.backtest.paths["naive"]
    base = np.nanmean(np.abs(observed - rival), axis=(0, 2))
    is_benchmark = np.array(found.model) == "naive"
    assert set(found.model) == {"combination", "naive"}
    assert (own < base)[~is_benchmark].all()
    np.testing.assert_allclose(own[is_benchmark], base[is_benchmark], rtol=1e-6)
    np.testing.assert_allclose(found.skill, 1 - own / base, atol=1e-6)
    np.testing.assert_allclose(found.weights["naive"][is_benchmark], 1)


def test_cells_with_few_cases_are_not_shown_last_year_for_want_of_cases(make_panel):
    """Nothing has a smaller absolute error than zero there: last year, mostly zeros, once won."""
    cells = np.random.default_rng(2).poisson(0.15, (40, 60)).astype(float)
    cells[:, 0] = 1
    found = forecast(make_panel(cells, lowest=0), HORIZON)
    assert found.model.count("combination") > 36
    np.testing.assert_allclose(found.mean.mean(), 0.15, rtol=0.2)
    assert (found.skill > 0).sum() > 36


def test_a_series_too_young_for_last_season_is_measured_against_the_last_value(said):
    assert said.benchmark == (*["seasonal_naive"] * 5, "naive")
    assert said.tested.tolist() == [True] * 5 + [False]
    assert np.isnan(said.skill[5])


def test_a_series_of_nothing_gets_no_forecast_and_spoils_none(make_panel, said):
    nothing = np.vstack([mixed(), np.full(60, np.nan)])
    found = forecast(make_panel(nothing, lowest=0), HORIZON)
    assert found.model[-1] is None
    assert np.isnan(found.mean[-1]).all()
    np.testing.assert_allclose(found.mean[:6], said.mean, rtol=1e-6)


def test_a_panel_of_nothing_but_nothing_is_answered(make_panel):
    found = forecast(make_panel(np.full((2, 30), np.nan)), HORIZON)
    assert found.model == (None, None)
    assert np.isnan(found.quantiles()).all()


def test_errors_are_outcomes_less_what_would_have_been_shown(said):
    last = said.panel.values.shape[1]
    place = said.backtest.dropped.index(6)
    np.testing.assert_array_equal(
        said.backtest.observed[place, 0], said.panel.values[0, last - 6 : last - 6 + HORIZON]
    )
    one_dropped = said.backtest.dropped.index(1)
    assert np.isfinite(said.errors[one_dropped, 0, 0])
    assert np.isnan(said.errors[one_dropped, :, 1:]).all()


@pytest.mark.parametrize("name", [*members(12), "naive", "seasonal_naive"])
def test_nothing_after_an_origin_reaches_what_a_model_says_there(make_panel, said, name):
    wild = mixed()
    wild[:, -6:] = 3 * wild[:, -6:] + 50
    changed = forecast(make_panel(wild, lowest=0), HORIZON)
    for place, dropped in enumerate(said.backtest.dropped):
        before, after = (each.backtest.paths[name][place] for each in (said, changed))
        assert dropped < 6 or before.tobytes() == after.tobytes()


class Careless(Panel):
    """A panel that lets one period too many into the past."""

    def until(self, origin):
        late = super().until(min(origin + 1, len(self.periods) - 1))
        return replace(
            late, periods=late.periods[: origin + 1], values=late.values[:, -origin - 1 :]
        )


def test_a_planted_leak_is_caught(make_panel):
    def at_six_dropped(values):
        panel = make_panel(values, lowest=0)
        careless = Careless(*(getattr(panel, field.name) for field in fields(panel)))
        test = forecast(careless, HORIZON).backtest
        return test.paths["dynamic_theta"][test.dropped.index(6)]

    wild = mixed()
    wild[:, -6:] = 3 * wild[:, -6:] + 50
    assert at_six_dropped(mixed()).tobytes() != at_six_dropped(wild).tobytes()


def test_an_origin_has_no_say_in_the_weights_of_what_would_have_been_shown_there(said):
    """Its outcomes are planted, those of other origins stay."""
    test, names = said.backtest, members(12)
    place = test.dropped.index(6)
    planted = test.observed.copy()
    planted[place] = test.paths["dynamic_theta"][place]
    scales, classes = scales_of(said.panel.values), np.zeros(6, dtype=int)
    small = classes > 0

    def combined(observed):
        other = replace(test, observed=observed)
        losses = {name: engine._losses(other, name, scales, small) for name in names}
        everywhere = {name: np.isfinite(test.final[name]).all(axis=1) for name in names}
        return engine._combined(other, names, losses, everywhere, classes, engine.USUAL)

    (weights, before, _), (changed, after, _) = combined(test.observed), combined(planted)
    assert before[place].tobytes() == after[place].tobytes()
    assert (changed["dynamic_theta"][:5] > weights["dynamic_theta"][:5]).all()
    elsewhere = test.dropped.index(10)
    assert before[elsewhere].tobytes() != after[elsewhere].tobytes()


@pytest.mark.parametrize("mapped", [in_process, in_reverse, engine.in_threads])
def test_wherever_the_parts_are_worked_on_the_result_is_the_same_to_the_bit(
    make_panel, monkeypatch, mapped
):
    monkeypatch.setattr(engine, "TOGETHER", 2)
    panel = make_panel(mixed(), lowest=0)
    assert same(forecast(panel, HORIZON, mapped=mapped), forecast(panel, HORIZON))


@pytest.mark.parametrize("together", [1, 4])
def test_parts_of_another_size_give_the_same_forecasts(make_panel, monkeypatch, said, together):
    monkeypatch.setattr(engine, "TOGETHER", together)
    found = forecast(make_panel(mixed(), lowest=0), HORIZON)
    assert found.model == said.model
    np.testing.assert_allclose(found.quantiles(), said.quantiles(), rtol=1e-4)


def test_the_same_panel_gets_the_same_forecasts_to_the_bit(make_panel, said):
    assert same(forecast(make_panel(mixed(), lowest=0), HORIZON), said)


def test_series_in_another_order_get_their_forecasts_in_that_order(make_panel, said):
    found = forecast(make_panel(mixed()[::-1], lowest=0), HORIZON)
    np.testing.assert_allclose(found.mean[::-1], said.mean, rtol=1e-4)
    assert found.model[::-1] == said.model


def test_another_unit_gives_the_same_forecasts_in_that_unit(make_panel):
    rows = np.stack([seasonal(60, seed=n, level=200) for n in range(4)])
    once = forecast(make_panel(rows), HORIZON)
    for factor in (2.0, 1e6, 1e-3):
        found = forecast(make_panel(factor * rows), HORIZON)
        assert found.model == once.model
        np.testing.assert_allclose(found.quantiles(), factor * once.quantiles(), rtol=1e-3)


ANY_UNIT = {
    "rates": lambda chance: chance.gamma(4, 1, (3, 30)),
    "small shares": lambda chance: chance.beta(1, 200, (3, 30)),
    "shares with months of none": lambda chance: (
        chance.gamma(2, 3, (3, 30)) * (chance.random((3, 30)) < 0.7)
    ),
    "either side of zero": lambda chance: chance.normal(0, 5, (3, 30)),
    "large counts": lambda chance: chance.poisson(4000, (3, 30)).astype(float),
}


@pytest.mark.parametrize("made", ANY_UNIT.values(), ids=ANY_UNIT)
@pytest.mark.parametrize("factor", [1e-6, 0.37, 2.0, 1e6])
def test_no_unit_moves_forecasts_of_what_is_no_small_count(make_panel, made, factor):
    """Means between 0.01 and 50 once made counts of shares and rates: in millions, others did."""
    values = made(np.random.default_rng(3))
    lowest = 0 if values.min() >= 0 else -np.inf
    once, other = (
        forecast(make_panel(f * values, "quarter", lowest=lowest), HORIZON) for f in (1.0, factor)
    )
    assert other.model == once.model
    reach = np.abs(once.quantiles()).max()
    for name in ("mean", "quantiles", "paths"):
        ours, theirs = (
            found.mean if name == "mean" else getattr(found, name)(*[20] * (name == "paths"))
            for found in (once, other)
        )
        np.testing.assert_allclose(theirs / factor, ours, rtol=1e-3, atol=1e-5 * reach)


def test_only_whole_numbers_that_cannot_be_negative_are_counts(make_panel):
    """Freed of the calendar, counts are not whole any more, and stay what they are."""
    few = np.random.default_rng(0).poisson(3.0, (4, 40)).astype(float)
    few[1] += 0.5
    panel = replace(make_panel(few, lowest=0), lowest=np.array([0, 0, -np.inf, 0]))

    def freed(past, horizon):
        return replace(as_it_is(past, horizon), values=past.values * 1.01)

    for adjust in (as_it_is, freed):
        answers = forecast(panel, HORIZON, adjust=adjust).backtest.final["gamma_poisson"]
        assert np.isfinite(answers).all(axis=1).tolist() == [True, False, False, True]


@pytest.mark.parametrize("factor", [2.0**-900, 1e-40, 1e40])
def test_huge_and_tiny_figures_are_forecast_as_others_are(make_panel, factor):
    """Single precision ends at 3e38: beyond, no model had an answer."""
    rows = np.random.default_rng(1).gamma(9, 1, (3, 30))
    once, other = (
        forecast(make_panel(f * rows, "quarter", lowest=0), HORIZON) for f in (1.0, factor)
    )
    assert other.model == once.model
    assert not np.isin(once.model, ["naive", "seasonal_naive"]).any()
    np.testing.assert_allclose(other.quantiles() / factor, once.quantiles(), rtol=1e-4)
    np.testing.assert_allclose(other.backtest.observed / factor, once.backtest.observed)


@pytest.mark.parametrize(
    ("level", "adjust"), [(1e9, as_it_is), (1e9, freed_of(())), (-1e12, as_it_is)]
)
def test_what_hardly_moves_is_forecast_by_how_it_moves(make_panel, level, adjust):
    """Of 1e9 and a thousandth single precision keeps the first alone."""
    unit = 2.0**-20 * abs(level) / 1e6
    rows = np.stack([seasonal(40, seed=n, level=200) for n in range(3)])
    rows = unit * (rows - rows.mean(axis=1, keepdims=True))
    once = forecast(make_panel(rows), HORIZON, adjust=adjust)
    lowest = 0 if level > 0 else -np.inf
    other = forecast(make_panel(level + rows, lowest=lowest), HORIZON, adjust=adjust)
    assert other.model == once.model
    assert (other.bands.lowest == lowest).all()
    reach = np.abs(rows).max()
    np.testing.assert_allclose(other.quantiles() - level, once.quantiles(), atol=0.01 * reach)
    said = other.backtest.final[COMBINATION] - level
    np.testing.assert_allclose(said, once.backtest.final[COMBINATION], atol=0.01 * reach)


def test_small_cells_are_counts_though_history_was_carried_over_in_shares(make_panel):
    cells = np.random.default_rng(0).poisson(3.0, (4, 40)).astype(float)
    cells[:, :24] *= 0.43
    panel = make_panel(cells, lowest=0)
    found = forecast(replace(panel, counted=np.array([True, True, True, False])), HORIZON)
    whole = (found.quantiles() == np.rint(found.quantiles())).all(axis=(0, 2))
    assert whole.tolist() == [True, True, True, False]
    assert (found.paths(20) >= 0).all()


def test_the_same_values_at_another_time_get_the_same_forecasts(make_panel, said):
    later = np.concatenate([np.full((6, 7), np.nan), mixed()], axis=1)
    found = forecast(make_panel(later, lowest=0), HORIZON)
    np.testing.assert_allclose(found.mean, said.mean, rtol=1e-4)


@pytest.mark.parametrize(
    ("frequency", "points", "season"),
    [
        ("day", 90, 7),
        ("week", 150, 52),
        ("month", 50, 12),
        ("quarter", 30, 4),
        ("year", 15, 2),
        ("year", 4, 2),
    ],
)
def test_every_frequency_is_forecast(make_panel, frequency, points, season):
    rows = np.stack([seasonal(points, season=season, seed=n) for n in range(3)])
    found = forecast(make_panel(rows, frequency, lowest=0), HORIZON)
    assert np.isfinite(found.mean).all()
    assert found.tested.all() == (points > 4)
    assert np.isfinite(found.quantiles()).all() == (points > 4)
    assert np.abs(found.mean / 200 - 1).max() < 0.6


def test_forecasts_of_a_clear_season_are_near_what_comes(make_panel):
    rows = np.stack([seasonal(72, seed=n, level=2000) for n in range(5)])
    found = forecast(make_panel(rows[:, :60], lowest=0), 12)
    np.testing.assert_allclose(found.mean, rows[:, 60:], rtol=0.12)
    assert (found.skill > 0).all()


def test_a_share_stays_between_nothing_and_all(make_panel):
    near = make_panel([[90.0, 93, 95, 96, 97.5, 98, 98.6, 99.1, 99.5, 99.8]], "year", lowest=0)
    found = forecast(replace(near, highest=np.array([100.0])), 5)
    for told in (found.mean, found.quantiles(), found.paths(50, 0)):
        assert told.max() <= 100


def test_what_is_taken_out_of_the_past_is_given_back_to_the_future(make_panel):
    """Halved and then doubled, or moved down and then up again, it is as if nothing had been."""
    panel = make_panel(np.stack([seasonal(60, seed=n, level=2000) for n in range(3)]), lowest=0)
    plain = forecast(panel, HORIZON)

    def halved(past, horizon):
        nothing = np.zeros((3, horizon))
        return History(past.values / 2, nothing + 2, nothing, np.zeros(3))

    def without_season(past, horizon):
        added = 500 * np.sin(np.arange(len(past.periods) + horizon))
        ahead = np.tile(added[-horizon:], (3, 1))
        calm = past.values - added[: len(past.periods)]
        return History(calm, np.ones_like(ahead), ahead, np.zeros(3))

    np.testing.assert_allclose(
        forecast(panel, HORIZON, adjust=halved).quantiles(), plain.quantiles(), rtol=1e-4
    )
    moved = panel.values + 500 * np.sin(np.arange(60))
    there = forecast(replace(panel, values=moved), HORIZON, adjust=without_season)
    expected = plain.mean + 500 * np.sin(np.arange(60, 60 + HORIZON))
    np.testing.assert_allclose(there.mean, expected, rtol=0.02)


def test_what_is_unsure_about_the_past_widens_the_band(make_panel):
    panel = make_panel(np.stack([seasonal(60, seed=n, level=2000) for n in range(3)]), lowest=0)

    def unsure(past, horizon):
        return replace(as_it_is(past, horizon), variance=np.array([0.0, 0.0, 0.2**2]))

    sure, wide = (forecast(panel, HORIZON, adjust=how).quantiles() for how in (as_it_is, unsure))
    np.testing.assert_allclose(wide[:, :2], sure[:, :2])
    spread = (wide[6, 2] - wide[0, 2]) / wide[3, 2]
    assert (spread > 0.9 * 2 * 1.96 * 0.2).all()
    assert (spread < 1.5 * 2 * 1.96 * 0.2).all()


def test_slow_models_make_half_of_what_the_combination_says_where_they_are_asked_for(make_panel):
    panel = make_panel([seasonal(20, season=4)], "quarter")
    found = forecast(panel, 2, beside=["unobserved_components"])
    alone = forecast(panel, 2)
    slow = found.backtest.final["unobserved_components"]
    both = (alone.backtest.final[COMBINATION] + slow) / 2
    np.testing.assert_allclose(found.backtest.final[COMBINATION], both)
    assert sum(found.weights.values()) == pytest.approx([1.0])


def test_a_member_may_count_beside_the_engine_as_well(make_panel):
    panel = make_panel([seasonal(40, season=4), seasonal(40, season=4, seed=1)], "quarter")
    found, alone = forecast(panel, 2, beside=["dynamic_theta"]), forecast(panel, 2)
    theta = found.backtest.final["dynamic_theta"]
    both = (alone.backtest.final[COMBINATION] + theta) / 2
    np.testing.assert_allclose(found.backtest.final[COMBINATION], both)
    assert (found.weights["dynamic_theta"] > alone.weights["dynamic_theta"]).all()
    assert sum(found.weights.values()) == pytest.approx([1.0, 1.0])


def test_members_are_those_with_a_use_for_the_season():
    assert not any(all_models()[name].shared for name in members(1))
    assert any(all_models()[name].shared for name in members(12))
    assert all(all_models()[name].member for name in members(12))
    assert not any(all_models()[name].slow for name in members(12))
    assert "damped_trend" in members(1)
    assert "damped_trend" not in members(12)  # Holt-Winters is it, where there is no season
    assert "holt_winters" not in members(1)


@pytest.mark.parametrize("rows", [[[5.0] * 40], [[0.0] * 40], [[0.0] * 39 + [7.0]]])
def test_series_in_which_next_to_nothing_happens_get_numbers(make_panel, rows):
    found = forecast(make_panel([*rows, seasonal(40)], lowest=0), HORIZON)
    assert np.isfinite(found.quantiles()).all()
    assert found.quantiles().min() >= 0


def test_a_young_series_is_lent_season_and_weights_by_its_siblings(make_panel):
    """Fourteen months are a season too few to know one."""
    rows = np.stack([seasonal(72, seed=n, level=2000) for n in range(8)])
    rows[0, :46] = np.nan
    truth = rows[0, 60:].copy()
    found = forecast(make_panel(rows[:, :60], lowest=0), 12)
    strangers = ["a", *["b"] * 7]
    alone = forecast(make_panel(rows[:, :60], lowest=0, fields=strangers), 12)
    lent, own = (np.abs(each.mean[0] - truth).mean() for each in (found, alone))
    assert lent < 0.8 * own
