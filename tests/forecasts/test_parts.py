"""The parts of a forecast: they add up, whatever the series, and each is what it is called."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.catalog import parse_catalog
from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.adjust import freed_of
from forecasts.breaks import Break
from forecasts.calendar_effects import calendar_effects
from forecasts.engine import forecast
from forecasts.panel import Floats, Panel, steps
from forecasts.parts import PARTS, parts_of
from forecasts.run import forecast_all
from tests.forecasts.conftest import seasonal
from tests.forecasts.test_run import CATALOG, figures

HORIZON = 6
ROUND = 1 + 0.3 * np.sin(2 * np.pi * np.arange(72) / 12)


def panel(rows, frequency=Frequency.MONTH, *, lowest=0.0, tet=False) -> Panel:
    """Siblings that end in October 2026, or the year, quarter before."""
    values = np.array(rows, dtype=float)
    first = {Frequency.MONTH: date(2020, 11, 1)}.get(frequency, date(2005, 1, 1))
    keys = pl.DataFrame(
        {
            "indicator": ["received"] * len(values),
            "area": [f"{row:05d}" for row in range(len(values))],
            "category": ["total"] * len(values),
        }
    )
    bound = np.full(len(values), 1.0)
    periods = steps(first, frequency, values.shape[1])
    return Panel(keys, periods, values, frequency, bound * lowest, bound * np.inf, tet=tet)


def taken_apart(panel: Panel, events=(), moved: float = 0.0) -> tuple[Floats, dict[str, Floats]]:
    """The forecasts as shown, moved by so much by what comes after, and their parts."""
    made = forecast(panel, HORIZON, adjust=freed_of(events))
    shown = made.mean + moved
    return shown, parts_of(made, shown, calendar_effects(panel, HORIZON))


def test_parts_add_up_at_every_horizon_for_every_kind_of_series():
    gaps = seasonal(72)
    gaps[[3, 40, 41]] = np.nan
    rows = [
        seasonal(72),
        gaps,
        seasonal(72, level=1.0),
        np.where(np.arange(72) == 30, 9, 0),
        np.zeros(72),
        1e9 * seasonal(72),
        1e-9 * seasonal(72),
        np.where(np.arange(72) < 50, np.nan, seasonal(72)),
    ]
    shown, parts = taken_apart(panel(rows, tet=True))
    assert list(parts) == [*PARTS[:-1], "tet", "working_days", "rest"]
    told = np.isfinite(shown)
    assert told.any(axis=1).sum() >= 7
    assert np.allclose(sum(parts.values())[told], shown[told], rtol=1e-9, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.lists(st.integers(-50, 300), min_size=30, max_size=30), min_size=1, max_size=3),
    st.sampled_from([Frequency.MONTH, Frequency.QUARTER, Frequency.YEAR]),
    st.floats(-20, 20),
)
def test_parts_add_up_to_what_was_issued_whatever_moved_it(rows, frequency, moved):
    shown, parts = taken_apart(panel(rows, frequency, lowest=-np.inf), moved=moved)
    told = np.isfinite(shown)
    assert np.allclose(sum(parts.values())[told], shown[told], rtol=1e-9, atol=1e-6)


def test_in_another_unit_every_part_is_that_of_the_other_unit():
    rows = np.array([seasonal(72, seed=n) for n in range(4)]) + 0.5  # not counts in either unit
    _, parts = taken_apart(panel(rows, tet=True))
    _, thousandths = taken_apart(panel(rows * 1024, tet=True))
    for name, part in parts.items():
        assert np.allclose(thousandths[name] / 1024, part, rtol=1e-6, atol=1e-4), name


def test_a_series_that_tet_does_not_move_has_no_part_of_the_calendar():
    _, parts = taken_apart(panel([seasonal(72)], tet=False))
    assert set(parts) == set(PARTS)
    _, parts = taken_apart(panel([100 * ROUND], tet=True))
    assert np.abs(parts["tet"]).max() < 0.5


def test_a_level_with_a_season_alone_is_told_as_that():
    _, parts = taken_apart(panel([200 * ROUND, 210 * ROUND]))
    assert parts["level"][0] == pytest.approx([200] * HORIZON)
    assert parts["season"][0] == pytest.approx(200 * (ROUND[:HORIZON] - 1), abs=3)
    assert np.abs(parts["trend"][0]).max() < 4
    assert np.abs(parts["event"][0]).max() == 0


def test_a_straight_rise_is_trend_and_the_season_nothing():
    _, parts = taken_apart(panel([100 + 5 * np.arange(20)], Frequency.YEAR))
    assert parts["level"][0, 0] == 195
    assert (np.diff(parts["trend"][0]) > 1).all()
    assert not parts["season"].any()


def test_a_step_within_the_last_round_is_told_as_an_event():
    rows = np.array([seasonal(72, seed=n) for n in range(8)])
    rows[:, -8:] *= 0.5
    step = Break("merger", date(2026, 3, 1))
    _, parts = taken_apart(panel(rows), events=[step])
    seen = rows[:, -12:].mean(axis=1)
    assert parts["level"][:, 0] == pytest.approx(seen)
    assert (parts["event"][:, 0] < -0.05 * seen).all()


def test_tet_is_told_in_the_months_it_moves():
    before = 1 + 0.4 * np.isin(np.arange(72), [2, 15, 26, 38, 51, 62])
    rows = [level * before for level in (300.0, 400.0, 500.0)]
    _, parts = taken_apart(panel(rows, tet=True))
    assert np.abs(parts["tet"][:, 0]).max() == pytest.approx(0, abs=1)


def test_parts_and_earlier_forecasts_are_stored_with_every_issue(tmp_path):
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("comparable", figures(seasonal(48)))
        warehouse.write("comparable", figures(seasonal(48, seed=1), area="31120"))
        forecast_all(warehouse, parse_catalog(CATALOG), today=date(2026, 11, 22))
        sums = warehouse.select(
            "select f.value, p.value as total from forecast f join "
            "(select issue, area, category, period, sum(value) as value from forecast_part "
            "group by all) p using (issue, area, category, period) "
            "where abs(quantile_level - 0.5) < 1e-9"
        )
        earlier = warehouse.select("select * from forecast_earlier order by area")
    assert len(sums) == 2 * 4
    assert np.allclose(sums["value"], sums["total"])
    row = earlier.row(0, named=True)
    assert len(row["said"]) == len(row["dropped"]) * row["horizon"]
    assert row["horizon"] == 4
