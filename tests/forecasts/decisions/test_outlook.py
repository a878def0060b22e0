"""The outlook that leaves the house for the citizens' assistant holds what is promised."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from conftest import HEAD, ROOT
from jsonschema import Draft202012Validator

from etl.catalog import parse_catalog
from forecasts.decisions.outlook import BUSY, PEAK, SCHEMA, LoadOutlook, form, level, outlook, write
from forecasts.decisions.topics import TopicDays
from tests.forecasts.decisions.test_topics import RESOURCES
from tests.forecasts.decisions.test_what_if_queue import TODAY, found  # noqa: F401

CATALOG = parse_catalog(HEAD + RESOURCES)
FORMAT_CHECKER = Draft202012Validator.FORMAT_CHECKER
LEVELS = {"closed", "calm", "busy", "peak"}


def documented() -> set[str]:
    """The keys that docs/workload.md describes."""
    text = (ROOT / "docs/workload.md").read_text(encoding="utf-8")
    table = text.split("## `load_outlook.json`")[1].split("##")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    return {name for cell in cells for name in re.findall(r"`(\w+)(?:\[\])?`", cell)}


def test_every_key_is_documented_and_every_documented_key_is_there(found):  # noqa: F811
    told = json.loads(json.dumps(outlook(found, [called(found)], CATALOG)))
    one = told["communes"][0]
    assert told["schema"] == SCHEMA
    calls = one["contacts"][0]
    keys = {*told, *one, *one["days"][0], *calls, *calls["days"][0], *calls["topics"][0]}
    keys |= {*told["topic_titles"][0]}
    assert keys - {"schema"} == documented()


def called(found) -> TopicDays:  # noqa: F811
    """Calls of the same communes: of the second one topic is split, the other not told."""
    days = tuple(TODAY + timedelta(days=at) for at in range(30))
    counts = np.random.default_rng(2).poisson(3, (8, 2, 2, 30)).astype(np.int32)
    first, second = found.places["area"]
    basis = {(first, "land"): "forecast", (first, "other"): "forecast", (second, "land"): "split"}
    return TopicDays(
        "calls", TODAY, TODAY, days[-1], (first, second), ("land", "other"), days, counts, basis,
        simulated=True,
    )  # fmt: skip


def test_the_file_is_of_the_form_that_is_handed_to_others(found):  # noqa: F811
    form_kept = json.loads((ROOT / "docs/load_outlook.schema.json").read_text(encoding="utf-8"))
    assert form_kept == form(), "write it anew: foresight outlook --schema"
    told = json.loads(json.dumps(outlook(found, [called(found)])))
    Draft202012Validator.check_schema(form_kept)
    Draft202012Validator(form_kept, format_checker=FORMAT_CHECKER).validate(told)
    assert LoadOutlook.model_validate(told).communes[0].contacts[0].dataset == "calls"


@pytest.mark.parametrize(
    "wrong", [{"issued": "yesterday"}, {"communes": [{}]}, {"schema": "cantho-foresight/other/1"}]
)
def test_what_is_of_another_form_is_found(found, wrong):  # noqa: F811
    checked = Draft202012Validator(form(), format_checker=FORMAT_CHECKER)
    assert not checked.is_valid(outlook(found) | wrong)


def test_calls_of_a_commune_are_told_by_day_and_topic_where_they_can_be(found):  # noqa: F811
    first, second = (one["contacts"][0] for one in outlook(found, [called(found)])["communes"])
    assert [len(first["days"]), len(first["topics"])] == [14, 2]
    assert [(one["topic"], one["basis"]) for one in second["topics"]] == [("land", "split")]
    total = sum(day["received"] for day in first["days"])
    assert total == pytest.approx(sum(one["received"] for one in first["topics"]), abs=1)


def test_the_outlook_is_not_to_be_told_after_its_last_day(found):  # noqa: F811
    told = outlook(found)
    assert told["valid_until"] == told["communes"][0]["days"][-1]["date"]


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


def test_who_reads_while_it_is_written_has_the_whole_of_the_one_before(tmp_path):
    path = tmp_path / "load_outlook.json"
    write(path, {"issued": "2026-11-22"})
    with path.open(encoding="utf-8") as reading:
        write(path, {"issued": "2026-11-23"})
        assert json.load(reading) == {"issued": "2026-11-22"}
    assert json.loads(path.read_text(encoding="utf-8")) == {"issued": "2026-11-23"}
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_one_before(tmp_path):
    path = tmp_path / "load_outlook.json"
    write(path, {"issued": "2026-11-22"})
    with pytest.raises(TypeError):
        write(path, {"issued": object()})
    assert json.loads(path.read_text(encoding="utf-8")) == {"issued": "2026-11-22"}
    assert list(tmp_path.iterdir()) == [path]
