"""Sums of periods ahead: their quantiles come of paths taken whole."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from etl.warehouse import Warehouse
from forecasts.sums import sums_ahead

ORIGIN = date(2026, 10, 1)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The sums of a forecast with these paths, `(count, horizon)`."""
    home = tmp_path_factory.mktemp("sums")

    def of(paths: np.ndarray, steps: int, *, issue: int = 1) -> pl.DataFrame:
        key = {"indicator": "received", "area": "c", "category": "total", "frequency": "month"}
        row = {"issue": issue, "origin": ORIGIN, "count": len(paths), "horizon": paths.shape[1]}
        with Warehouse.aside(home) as warehouse:
            warehouse.write("forecast_series", pl.DataFrame([key | {"issue": 1, "level": "city"}]))
            warehouse.write("forecast_path", pl.DataFrame([key | row | {"paths": paths.ravel()}]))
            return sums_ahead(warehouse, "received", "city", steps=steps)

    return of


@settings(max_examples=15)
@given(arrays(np.float64, (20, 4), elements=st.floats(0, 100)), st.integers(1, 4))
def test_a_sum_is_added_up_along_each_path_and_lies_within_the_ranges_added_up(told, paths, steps):
    row = told(paths, steps).row(0, named=True)
    sums = paths[:, :steps].sum(axis=1)
    assert [row[name] for name in ("lowest", "expected", "highest")] == pytest.approx(
        np.quantile(sums, [0.1, 0.5, 0.9])
    )
    assert sums.min() <= row["lowest"] <= row["expected"] <= row["highest"] <= sums.max()


def test_what_offsets_from_month_to_month_leaves_the_sum_sure(told):
    up = np.arange(11.0)
    row = told(np.stack([up, 10 - up], axis=1), 2).row(0, named=True)
    assert (row["lowest"], row["expected"], row["highest"]) == (10, 10, 10)
    row = told(np.stack([up, up], axis=1), 2).row(0, named=True)
    assert (row["lowest"], row["highest"]) == (2, 18), "the months' ranges, 1 to 9, added up"


def test_without_paths_as_long_or_with_older_ones_there_is_no_sum(told):
    assert told(np.ones((5, 3)), 4).is_empty()
    assert told(np.ones((5, 3)), 3, issue=0).is_empty()
