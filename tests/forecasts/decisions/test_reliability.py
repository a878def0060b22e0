"""Chances of targets beside what came: told from the forecast as it was issued, once a target."""

from datetime import date

import polars as pl
import pytest

from etl.catalog import parse_catalog
from etl.pipeline import note
from etl.warehouse import Warehouse
from forecasts.decisions.reliability import TOLD, reliability, told
from forecasts.decisions.told_chances import keep_chances
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


def test_a_chance_by_pace_is_kept_as_it_was_told_and_scored_when_its_year_is_over(tmp_path):
    text = CATALOG.replace("by: 11/2026", 'by: "2026", measure: cumulative')
    catalog = parse_catalog(text.replace("value: 90", "value: 1200"))
    months = pl.DataFrame(
        {"period": pl.date_range(date(2023, 1, 1), date(2026, 12, 1), "1mo", eager=True)}
    ).with_columns(
        period_end=pl.col("period").dt.month_end(), value=pl.lit(100.0), frequency=pl.lit("month"),
        indicator=pl.lit("received"), area=pl.lit("31117"), category=pl.lit("total"),
        level=pl.lit("commune"), simulated=pl.lit(value=False), status=pl.lit("final"),
    )  # fmt: skip
    october = date(2026, 11, 5)
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("comparable", months.filter(pl.col("period_end") < october))
        assert keep_chances(warehouse, catalog, october) == 2
        assert keep_chances(warehouse, catalog, october) == 0, "nothing else was told"
        note(warehouse, "today", "2026-11-06")
        assert told(warehouse, catalog).is_empty(), "the year is not over"
        warehouse.write("comparable", months.filter(pl.col("period_end") >= october))
        note(warehouse, "today", "2027-01-20")
        found = told(warehouse, catalog)
    assert found["target"].to_list() == ["many", "few"]
    assert found["reached"].all()
    assert found["chance"].sum() == pytest.approx(1)


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
