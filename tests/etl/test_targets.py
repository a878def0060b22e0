"""Targets of the catalog: every mistake at its line, with what to do."""

import pytest
from conftest import HEAD

from etl.catalog import parse_catalog
from etl.errors import Problems

RESOURCES = """
- name: figures
  title: Số liệu
  sources: [{path: figures.csv}]
  schema: {fields: [{name: indicator}, {name: area}, {name: period}, {name: value, type: number}]}
  clean: {areas: {level: city}}
  indicators:
  - {name: spent, title: Đã chi, title_en: Spent}
  - {name: share, title: Tỷ trọng, title_en: Share, unit: "%", aggregate: rate}
  - {name: people, title: Dân số, title_en: People, aggregate: last}
targets:
"""
GOOD = {
    "name": "t",
    "title": "Đích",
    "title_en": "Goal",
    "owner": "UBND",
    "indicator": "spent",
    "by": "'2030'",
    "baselines": "[{plan: congress, value: 90, document: Nghị quyết}]",
}


def problem(**changes: str) -> str:
    entry = {key: value for key, value in (GOOD | changes).items() if value}
    lines = "\n  ".join(f"{key}: {value}" for key, value in entry.items())
    with pytest.raises(Problems) as raised:
        parse_catalog(f"{HEAD}{RESOURCES}- {lines}\n")
    (one,) = raised.value.problems
    return str(one)


def test_a_target_is_judged_by_its_first_baseline_unless_told():
    two = "[{plan: council, value: 9, document: a}, {plan: revised, value: 8, document: b}]"
    lines = "\n  ".join(f"{key}: {value}" for key, value in (GOOD | {"baselines": two}).items())
    text = f"{HEAD}{RESOURCES}- {lines}\n"
    assert parse_catalog(text).targets[0].quoted.value == 9
    assert parse_catalog(f"{text}  quote: revised\n").targets[0].quoted.value == 8


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"indicator": "spend"}, "'spend' is not an indicator described anywhere"),
        ({"unit": "tỷ đồng"}, "the indicator has a unit already"),
        ({"area": "can_to"}, "'can_to' is no code of an area"),
        ({"shapes": "nowhere"}, "'nowhere' is no code of an area"),
        ({"by": "soon"}, "'soon' names no period"),
        ({"measure": "growth", "since": "2026-03"}, "growth starts from a year"),
        ({"measure": "growth", "since": "'2030'"}, "growth starts after it ends"),
        ({"since": "'2025'"}, "only a growth starts from a year"),
        ({"measure": "cumulative", "by": "2026-2030"}, "ends with a year"),
        ({"measure": "cumulative", "indicator": "people"}, "does not add up over a year"),
        ({"measure": "share"}, "'spent' is not in percent"),
        ({"quote": "council"}, "'council' is not the plan of a baseline"),
        ({"real": "u"}, "'u' is not a target for a growth"),
        ({"indicator": "", "measure": "computed"}, "what is computed says from what"),
        ({"measure": "computed", "publishing": "{named: [Sở]}"}, "has no indicator"),
        (
            {
                "measure": "share",
                "indicator": "share",
                "baselines": "[{plan: congress, value: 900, document: a}]",
            },
            "900 is no share in percent",
        ),
        (
            {"baselines": "[{plan: council, value: 1, document: a}, {plan: council, value: 2, document: b}]"},  # noqa: E501
            "the same plan of the same day stands twice",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_a_target_is_told_at_its_line_with_a_hint(changes, told):
    where, _, said = problem(**changes).partition(": targets")
    assert where.startswith("data_catalog.yaml:")
    assert told in said
    assert "\n" in said


def test_a_name_stands_once():
    lines = "\n  ".join(f"{key}: {value}" for key, value in GOOD.items())
    with pytest.raises(Problems, match="target 't' stands twice"):
        parse_catalog(f"{HEAD}{RESOURCES}- {lines}\n- {lines}\n")
