"""A stored forecast explained: parts in order, what changed, and how near earlier ones came."""

from datetime import date

import polars as pl
import pytest

from etl.geography import UnknownArea
from etl.warehouse import Warehouse
from forecasts.explain import NoForecast, Series, Step, explain, find_series, shown_rounded

TODAY = date(2026, 11, 22)
LAND = Series("received", "31117", "total", "month")
KEY = {"indicator": "received", "area": "31117", "category": "total", "frequency": "month"}
OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))


def _forecast(issue, origin, period, horizon, value):
    return {
        **KEY, "issue": issue, "issued": date(2026, 9 + issue, 5), "origin": origin,
        "period": period, "horizon": horizon, "quantile_level": 0.5, "value": value,
        "model": "combination", "simulated": False,
    }  # fmt: skip


def _parts(issue, period, **parts):
    return [
        {**KEY, "issue": issue, "period": period, "part": part, "value": value, "simulated": False}
        for part, value in parts.items()
    ]


def _earlier(issue, engine, origin, dropped, said):
    return {
        **KEY, "issue": issue, "origin": origin, "engine": engine, "dropped": dropped,
        "horizon": len(said) // len(dropped), "said": said, "simulated": False,
    }  # fmt: skip


@pytest.fixture
def warehouse(tmp_path):
    """Two issues for December, made in October and November, by engines told when filled."""
    with Warehouse.build(tmp_path) as built:
        yield built


def fill(warehouse, *, engines=("old", "new"), before=True):
    """December: 100 said in October, 103 in November, when October turned out to be 90."""
    said = [_forecast(2, OCTOBER, NOVEMBER, 1, 95.0), _forecast(2, OCTOBER, DECEMBER, 2, 103.0)]
    parts = _parts(2, DECEMBER, level=90.0, event=0.0, trend=5.0, season=4.0, tet=2.0, rest=2.0)
    earlier = [_earlier(2, engines[1], OCTOBER, [1, 2], [88.0, 91.0, 97.0, 80.0, 84.0, 85.0])]
    if before:
        said.append(_forecast(1, date(2026, 9, 1), DECEMBER, 3, 100.0))
        parts += _parts(
            1, DECEMBER, level=85.0, event=1.0, trend=5.0, season=4.0, tet=4.0, rest=1.0
        )
        earlier.append(_earlier(1, engines[0], date(2026, 9, 1), [1], [80.0, 81.0, 82.0]))
    issues = [
        {**KEY, "issue": issue, "level": "commune", "model": "combination"}
        for issue in ((1, 2) if before else (2,))
    ]
    values = {date(2026, 8, 1): 70.0, date(2026, 9, 1): 80.0, OCTOBER: 90.0}
    comparable = [
        {**KEY, "period": period, "value": value, "status": "final"}
        for period, value in values.items()
    ]
    scored = {
        **KEY, "scoring": 1, "issue": 1, "issued": date(2026, 9, 5), "against": "latest",
        "period": OCTOBER, "horizon": 1, "expected": 92.0, "observed": 90.0,
    }  # fmt: skip
    tables = {
        "forecast": said, "forecast_part": parts, "forecast_earlier": earlier,
        "forecast_series": issues, "comparable": comparable, "scored": [scored],
    }  # fmt: skip
    for table, rows in tables.items():
        warehouse.write(table, pl.DataFrame(rows, infer_schema_length=None))


def december(warehouse) -> Step:
    return explain(warehouse, LAND).steps[1]


def test_parts_are_told_in_one_order_and_add_up(warehouse):
    fill(warehouse)
    step = december(warehouse)
    assert list(step.parts) == ["level", "event", "trend", "season", "tet", "rest"]
    assert sum(step.parts.values()) == step.expected == 103


def test_by_the_same_engine_a_change_is_new_data_calendar_and_balancing(warehouse):
    fill(warehouse, engines=("same", "same"))
    change = december(warehouse).change
    assert (change.issued, change.before) == (date(2026, 10, 5), 100)
    assert change.parts == {"data": 4, "calendar": -2, "method": 0, "rest": 1}


def test_by_another_engine_what_it_would_have_said_then_is_method(warehouse):
    """Without their rest 99 became 101; from September today's engine would have said 97."""
    fill(warehouse, engines=("old", "new"))
    change = december(warehouse).change
    assert change.parts == {"data": 6, "calendar": -2, "method": -2, "rest": 1}
    assert change.before + sum(change.parts.values()) == 103


def test_a_change_since_an_issue_of_unknown_parts_is_not_divided(warehouse):
    fill(warehouse)
    warehouse.run("delete from forecast_part where issue = 1")
    assert december(warehouse).change.parts == {"undivided": 3}


def test_a_build_of_older_code_has_no_parts_to_tell(warehouse):
    fill(warehouse)
    for table in ("forecast_part", "forecast_earlier"):
        warehouse.run(f"drop table {table}")
    step = december(warehouse)
    assert (step.expected, step.parts, step.change.parts) == (103, {}, {"undivided": 3})


def test_a_period_nobody_spoke_of_before_has_no_change(warehouse):
    fill(warehouse)
    assert explain(warehouse, LAND).steps[0].change is None


def test_past_errors_are_those_of_the_same_horizon_issued_and_retold(warehouse):
    fill(warehouse, before=False)
    first, second = explain(warehouse, LAND).steps
    told = [(m.kind, m.period, m.since, m.said, m.observed) for m in first.misses]
    assert told == [
        ("issued", OCTOBER, date(2026, 9, 5), 92, 90),
        ("retold", OCTOBER, date(2026, 9, 1), 88, 90),
        ("retold", date(2026, 9, 1), date(2026, 8, 1), 80, 80),
    ]
    assert [(m.period, m.said) for m in second.misses] == [(OCTOBER, 84)]


def test_a_series_refused_since_has_no_forecast_to_explain(warehouse):
    fill(warehouse)
    warehouse.write("forecast_series", pl.DataFrame([{**KEY, "issue": 3, "refused": "empty"}]))
    with pytest.raises(NoForecast):
        explain(warehouse, LAND)


def test_a_series_is_found_by_code_or_by_the_name_of_the_area(warehouse):
    fill(warehouse)
    assert find_series(warehouse, "received", None, "total", None, TODAY) == LAND
    assert find_series(warehouse, "received", "31117", "total", "month", TODAY) == LAND
    with pytest.raises(NoForecast, match="31135 total"):
        find_series(warehouse, "received", "Phường Ninh Kiều", "total", None, TODAY)
    with pytest.raises(UnknownArea):
        find_series(warehouse, "received", "Hà Nội", "total", None, TODAY)
    with pytest.raises(NoForecast) as told:
        find_series(warehouse, "recieved", None, "total", None, TODAY)
    assert told.value.hint == "did you mean 'received'?"


def test_rounded_parts_still_add_up():
    parts = {"level": 38_449.0, "trend": 349.0, "season": 1_949.0, "tet": 449.0}
    step = Step(DECEMBER, 2, sum(parts.values()), parts, None, ())
    rounded, grain = shown_rounded(step)
    assert grain == 100
    assert sum(rounded.values()) == 41_200
    assert all(abs(rounded[name] - parts[name]) <= grain for name in parts)
