from datetime import date

import numpy as np
import polars as pl
import pytest

from etl.periods import Frequency
from forecasts.panel import NotAPanel, Panel


def long(*rows: tuple[str, date, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [("received", area, "total", period, value) for area, period, value in rows],
        schema=["indicator", "area", "category", "period", "value"],
        orient="row",
    )


JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def test_a_period_nobody_reported_is_a_gap_and_not_zero():
    panel = Panel.from_frame(long(("1", JAN, 40.0), ("1", MAR, 55.0)), Frequency.MONTH)
    assert panel.periods == (JAN, FEB, MAR)
    np.testing.assert_equal(panel.values, [[40, np.nan, 55]])
    np.testing.assert_equal(panel.filled, [[40, 47.5, 55]])


def test_before_its_first_value_a_series_stays_unknown():
    frame = long(("1", JAN, 1.0), ("1", FEB, 2.0), ("2", FEB, 3.0))
    panel = Panel.from_frame(frame, Frequency.MONTH)
    np.testing.assert_equal(panel.filled, [[1, 2], [np.nan, 3]])


def test_a_value_that_stands_twice_is_refused():
    with pytest.raises(NotAPanel, match="twice"):
        Panel.from_frame(long(("1", JAN, 1.0), ("1", JAN, 2.0)), Frequency.MONTH)


def test_a_day_within_a_month_is_no_month():
    frame = long(("1", JAN, 1.0), ("1", date(2026, 1, 15), 2.0), ("1", FEB, 2.0))
    with pytest.raises(NotAPanel, match="begins within"):
        Panel.from_frame(frame, Frequency.MONTH)


def test_no_value_makes_no_panel():
    with pytest.raises(NotAPanel, match="no value"):
        Panel.from_frame(long(), Frequency.MONTH)


@pytest.mark.parametrize(
    ("periods", "values", "problem"),
    [
        ((JAN, MAR), [[1.0, 2.0]], "not one month apart"),
        ((JAN, FEB), [[1.0]], "values for 1 series"),
        ((JAN, FEB), [[1.0, np.inf]], "infinite"),
    ],
)
def test_what_is_not_side_by_side_cannot_be_built(periods, values, problem):
    keys = pl.DataFrame({"indicator": ["received"], "area": ["1"], "category": ["total"]})
    free = np.array([np.inf])
    with pytest.raises(NotAPanel, match=problem):
        Panel(keys, periods, np.array(values), Frequency.MONTH, -free, free)


def test_bounds_come_one_a_series():
    keys = pl.DataFrame({"indicator": ["received"], "area": ["1"], "category": ["total"]})
    with pytest.raises(NotAPanel, match="bound"):
        Panel(keys, (JAN,), np.ones((1, 1)), Frequency.MONTH, np.zeros(2), np.ones(1))


def test_what_is_known_to_be_counted_is_though_history_was_carried_over_in_shares():
    frame = long(("1", JAN, 4.6), ("1", FEB, 5.0), ("2", JAN, 4.6), ("2", FEB, 5.0))
    series = frame.select("indicator", "area", "category").unique(maintain_order=True)
    series = series.with_columns(lowest=0.0, highest=np.inf, counted=pl.col("area") == "1")
    panel = Panel.from_frame(frame, Frequency.MONTH, series)
    assert panel.whole.tolist() == [2, 0]
    assert panel.take([1]).whole.tolist() == [0]


def test_values_cannot_be_changed(make_panel):
    with pytest.raises(ValueError, match="read-only"):
        make_panel([[1, 2, 3]]).values[0, 0] = 9


def test_the_past_is_a_copy_that_does_not_hold_the_future(make_panel):
    past = make_panel([[1, 2, 3, 4]]).until(1)
    np.testing.assert_equal(past.values, [[1, 2]])
    assert past.values.base is None
    assert past.origin == date(2021, 2, 1)


def test_periods_ahead_follow_the_calendar(make_panel):
    assert make_panel([[1, 2]], "quarter").ahead(2) == (date(2012, 7, 1), date(2012, 10, 1))
    assert make_panel([[1, 2]], "year").ahead(1) == (date(2006, 1, 1),)
