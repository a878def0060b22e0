"""The outlook that leaves the house for the citizens' assistant holds what is promised."""

import json
import re
from dataclasses import replace

import polars as pl
import pytest
from conftest import ROOT

from forecasts.decisions.outlook import BUSY, PEAK, SCHEMA, level, outlook
from tests.forecasts.decisions.test_what_if_queue import TODAY, found  # noqa: F401

LEVELS = {"closed", "calm", "busy", "peak"}


def documented() -> set[str]:
    """The keys that docs/workload.md describes."""
    text = (ROOT / "docs/workload.md").read_text(encoding="utf-8")
    table = text.split("## `load_outlook.json`")[1].split("##")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    return {name for cell in cells for name in re.findall(r"`(\w+)(?:\[\])?`", cell)}


def test_every_key_is_documented_and_every_documented_key_is_there(found):  # noqa: F811
    told = json.loads(json.dumps(outlook(found)))
    one = told["communes"][0]
    assert told["schema"] == SCHEMA
    assert {*told, *one, *one["days"][0]} - {"schema"} == documented()


def test_fourteen_days_from_today_each_with_its_range_and_level(found):  # noqa: F811
    told = outlook(found)
    assert told["issued"] == TODAY.isoformat()
    for commune in told["communes"]:
        assert len(commune["days"]) == 14
        for day in commune["days"]:
            assert day["lower"] <= day["upper"]
            assert day["level"] in LEVELS
        assert 0 <= commune["overload_chance_14_days"] <= commune["overload_chance_quarter"] <= 1


def test_an_office_that_told_no_staff_has_no_chance_of_overload(found):  # noqa: F811
    places = found.places.with_columns(people=pl.Series([None, 3]))
    first, second = outlook(replace(found, places=places))["communes"]
    assert (first["overload_chance_14_days"], first["overload_chance_quarter"]) == (None, None)
    assert second["overload_chance_quarter"] is not None


@pytest.mark.parametrize(
    ("expected", "working", "told"),
    [
        (10 * PEAK, True, "peak"),
        (10 * BUSY, True, "busy"),
        (10, True, "calm"),
        (99, False, "closed"),
    ],
)
def test_a_day_is_called_by_how_busy_it_is_beside_the_usual_one(expected, working, told):
    assert level(expected, 10, working=working) == told
