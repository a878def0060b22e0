from dataclasses import fields, replace

import numpy as np
import pytest

from etl.periods import Frequency
from forecasts.backtest import backtest, first_history, origins, replay, scored_horizon, stack
from forecasts.model import all_models
from forecasts.panel import Panel
from tests.forecasts.conftest import seasonal

AT, SCORED = [38, 39], 5
LATER = 40


def leaks(model, panel) -> bool:
    """Whether what a model says at the origins changes when only later values do."""
    changed = panel.values.copy()
    changed[:, LATER:] *= 3
    other = replace(panel, values=changed)
    before, after = (replay(model, data, AT, SCORED)[:-1] for data in (panel, other))
    assert np.isfinite(before).all()
    return not np.array_equal(before, after)


@pytest.mark.parametrize("name", sorted(all_models()))
def test_nothing_after_the_origin_reaches_a_model(make_panel, name):
    assert not leaks(all_models()[name], make_panel([seasonal(45)]))


class Careless(Panel):
    """A panel that lets one period too many into the past."""

    def until(self, origin):
        return super().until(origin + 1)


def test_a_planted_leak_is_caught(make_panel):
    panel = make_panel([seasonal(45)])
    careless = Careless(*(getattr(panel, field.name) for field in fields(panel)))
    assert leaks(all_models()["naive"], careless)


@pytest.mark.parametrize(
    ("span", "frequency", "horizon", "scored"),
    [
        (8, Frequency.YEAR, 6, 2),
        (11, Frequency.YEAR, 6, 5),
        (30, Frequency.YEAR, 6, 6),
        (24, Frequency.MONTH, 14, 9),
        (58, Frequency.MONTH, 14, 14),
        (5, Frequency.YEAR, 6, 0),
    ],
)
def test_short_series_are_scored_on_fewer_steps(span, frequency, horizon, scored):
    assert scored_horizon(span, frequency, horizon) == scored


def test_origins_step_by_one_to_the_last_with_its_steps_known(make_panel):
    panel = make_panel([seasonal(40)])
    assert origins(panel, 14, 3) == [23, 24, 25]
    assert origins(panel, 14, 99)[0] == first_history(Frequency.MONTH) - 1


def test_outcomes_are_what_came_after_each_origin(make_panel):
    panel = make_panel([np.arange(1.0, 13)], "year")
    test = backtest(panel, [6, 7], 3, {"naive": replay(all_models()["naive"], panel, [6, 7], 5)})
    np.testing.assert_equal(test.observed[:, 0, :3], [[8, 9, 10], [9, 10, 11]])
    assert np.isnan(test.observed[:, :, 3:]).all()
    np.testing.assert_equal(test.errors("naive")[:, 0, :3], [[1, 2, 3], [1, 2, 3]])
    np.testing.assert_equal(test.final["naive"], [[12] * 5])


def test_a_model_silent_at_one_origin_is_out_of_the_contest_for_that_series(make_panel):
    panel = make_panel(np.stack([seasonal(45), seasonal(45, seed=1)]))
    said = {name: replay(all_models()[name], panel, AT, SCORED) for name in ("drift", "naive")}
    said["drift"][1, 0] = np.nan
    test = backtest(panel, AT, SCORED, said)
    assert np.isnan(test.paths["drift"][:, 0]).all()
    assert np.isfinite(test.paths["drift"][:, 1]).all()


def test_a_combination_is_made_of_what_the_others_said(make_panel):
    panel = make_panel([seasonal(45)])
    names = ("naive", "seasonal_naive", "drift")
    said = {name: replay(all_models()[name], panel, AT, SCORED) for name in names}
    test = backtest(panel, AT, SCORED, said)
    median = np.median([said[name] for name in names], axis=0)
    np.testing.assert_allclose(test.paths["combination"], median[:-1])
    np.testing.assert_allclose(test.final["combination"], median[-1])


def test_backtests_of_several_panels_are_matched_from_the_last_origin(make_panel):
    parts = []
    for at in ([6, 7, 8], [7, 8]):
        panel = make_panel([np.arange(1.0, 13)], "year")
        said = {"naive": replay(all_models()["naive"], panel, at, 3)}
        parts.append(backtest(panel, at, 3, said))
    both = stack(parts)
    assert both.observed.shape == (3, 2, 3)
    assert np.isnan(both.observed[0, 1]).all()
    np.testing.assert_equal(both.observed[2, 0], both.observed[2, 1])
