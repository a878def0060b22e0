"""Chances of targets beside what came: told from the forecast as it was issued, once a target."""

from datetime import date

import polars as pl
import pytest

from etl.catalog import parse_catalog
from etl.warehouse import Warehouse
from forecasts.decisions.reliability import TOLD, reliability, told
from forecasts.ledger import settle
from tests.conftest import HEAD
from tests.forecasts.test_ledger import forecast_rows, outcome

CATALOG = (
    HEAD
    + """
- name: visits
  title: Lượt
  title_en: Visits
  sources: [{path: visits.csv}]
  clean: {areas: {level: commune}}
  schema:
    fields: [{name: area}, {name: period, type: yearmonth}, {name: value, type: number}]
  indicators: [{name: received, title: Nhận, title_en: Received, unit: lượt, value: value}]
targets:
- {name: many, title: Nhiều, title_en: Many, indicator: received, area: "31117", by: 11/2026,
   owner: UBND, baselines: [{plan: committee, value: 90, document: Bịa}]}
- {name: few, title: Ít, title_en: Few, indicator: received, area: "31117", by: 11/2026,
   direction: at_most, owner: UBND, baselines: [{plan: committee, value: 90, document: Bịa}]}
"""
)


def test_a_chance_is_that_of_the_last_forecast_issued_before_the_period_ended(tmp_path):
    early = forecast_rows(issue=1, issued=date(2026, 10, 2), horizon=2, values=(1.0,) * 7)
    last = forecast_rows(issue=2)
    with Warehouse.build(tmp_path) as warehouse:
        for rows in (early, last):
            warehouse.write("forecast", rows)
        warehouse.write("comparable", outcome(125.0))
        settle(warehouse, today=date(2026, 12, 10))
        found = told(warehouse, parse_catalog(CATALOG))
    # 90 is the quantile of 0.25 of the last issue.
    assert found.rows() == [
        ("many", pytest.approx(0.75), True, 8, False),
        ("few", pytest.approx(0.25), False, 2, False),
    ]


def chances(*pairs: tuple[float, bool]) -> pl.DataFrame:
    rows = [("t", chance, reached, round(10 * chance), False) for chance, reached in pairs]
    return pl.DataFrame(rows, schema=TOLD, orient="row")


def test_the_brier_score_is_the_mean_squared_distance_of_chance_and_outcome():
    found = reliability(chances(*[(0.8, True)] * 4, (0.8, False), (0.1, False)))
    assert found.brier == pytest.approx((4 * 0.04 + 0.64 + 0.01) / 6)
    assert found.table.rows() == [(1, 1, 0.1, 0.0), (8, 5, pytest.approx(0.8), 0.8)]


def test_nothing_is_said_of_chances_under_six_outcomes():
    found = reliability(chances(*[(0.5, True)] * 5))
    assert (found.points, found.brier, len(found.table)) == (5, None, 0)
