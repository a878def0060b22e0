"""Every model has its entry, every entry its model, and scores are computed."""

import polars as pl
import pytest
from pydantic import ValidationError

from etl.warehouse import Warehouse
from forecasts.model import all_models
from forecasts.register import SCORES, Register, entries, register


def test_every_model_has_one_entry_and_every_entry_a_model():
    named = [entry.name for entry in register().models]
    assert sorted(named) == sorted(all_models())


def test_one_purpose_takes_the_indicators_that_no_other_names():
    assert [purpose.name for purpose in register().purposes if not purpose.topics] == ["published"]
    assert register().purpose_of("workload") == "workload"
    assert register().purpose_of("budget") == "published"
    assert register().purpose_of(None) == "published"


def test_an_entry_that_lacks_its_weaknesses_is_none():
    words = register().model_dump()
    del words["models"][0]["weaknesses"]
    with pytest.raises(ValidationError, match="weaknesses"):
        Register.model_validate(words)


@pytest.fixture
def warehouse(tmp_path):
    tested = pl.DataFrame(
        {
            "model": ["naive", "drift", "naive", "drift"],
            "horizon": [1, 1, 2, 2],
            "mase": [1.0, 0.5, 2.0, 4.0],
            "coverage_80": [float("nan"), 0.9, float("nan"), 0.7],
        }
    ).with_columns(
        issue=pl.lit(1),
        indicator=pl.lit("revenue"),
        level=pl.lit("city"),
        by_category=pl.lit(value=False),
        frequency=pl.lit("year"),
        simulated=pl.lit(value=False),
    )
    shown = pl.DataFrame(
        {"issue": [1, 1], "indicator": ["revenue", "received"], "area": ["a", "b"],
         "category": ["total"] * 2, "frequency": ["year", "month"], "model": ["drift", "drift"],
         "simulated": [False, True]}
    )  # fmt: skip
    topics = pl.DataFrame({"indicator": ["revenue", "received"], "topic": ["budget", "workload"]})
    with Warehouse.build(tmp_path) as build:
        build.write("backtest", tested)
        build.write("forecast_series", shown)
        build.write("indicator", topics)
    with Warehouse.open(tmp_path) as opened:
        yield opened


def test_an_entry_is_a_model_and_a_purpose_with_its_scores(warehouse):
    told = {(e["model"], e.get("purpose_en"), e["simulated"]): e for e in entries(warehouse)}
    drift = told["drift", "Forecasts of published socio-economic indicators", False]
    # Half of the benchmark's error one year ahead, twice of it two years ahead.
    assert drift["backtest_mase"] == pytest.approx(1.0)
    assert (drift["coverage_80"], drift["series_shown"]) == (pytest.approx(0.8), 1)
    assert (drift["issued_outcomes"], drift["issued_coverage_80"]) == (0, None)
    assert drift["weaknesses_en"]
    assert drift["decision"]
    simulated = told["drift", "Forecasts of the workload of the one-stop offices", True]
    assert (simulated["series_shown"], simulated["backtest_mase"]) == (1, None)
    naive = told["naive", "Forecasts of published socio-economic indicators", False]
    # No band was tested: nothing, and not a number that is none.
    assert (naive["backtest_mase"], naive["coverage_80"]) == (pytest.approx(1.0), None)
    unused = told["prophet", None, None]
    assert {unused[name] for name in SCORES} == {None}


def test_before_any_forecast_every_model_stands_there_unused(tmp_path):
    with Warehouse.build(tmp_path) as empty:
        told = entries(empty)
    unused = [entry["model"] for entry in told if entry["purpose"] is None]
    assert unused == [entry.name for entry in register().models]


def test_what_judges_warns_or_proposes_has_an_entry_with_the_decision_beside_it(tmp_path):
    with Warehouse.build(tmp_path) as empty:
        told = {entry["model"]: entry for entry in entries(empty)}
    for name in ("target_chance", "early_warning", "office_queue", "lending_staff", "what_if"):
        said = ("what", "weaknesses", "data", "decision", "owner", "purpose", "entered")
        assert all(told[name][key] for key in said)
        assert all(told[name][f"{key}_en"] for key in said if key != "entered")
