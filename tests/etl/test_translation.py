"""Errors in Vietnamese: every text of the code has a translation, every translation a text."""

import re
from functools import cache
from typing import get_args

import pytest
import yaml
from conftest import HEAD, ROOT
from error_texts import code_of_errors

from etl.catalog import parse_catalog
from etl.errors import ForesightError, Problems
from etl.handin.store import State, Step
from etl.people import Role
from etl.settings import language
from etl.translation import SLOT, TABLE, located, translated

NOT_TOLD_BY_THE_CODE = {
    # What another error says, passed on.
    "error.problem",
    "error.hint",
    "problem.problem",
    "problem.hint",
    "failure.problem",
    "refusal.hint",
    "translated(error.problem, language)",
    "translated(error.hint, language)",
    # Said in both languages by etl.rule_words.
    "phrase('note.remedy', language, remedy=cell.remedy)",
    "more",
    # What findings and faults say, which are looked at where they are made.
    "problem",
    "remedy",
    "hint",
    "said",
    # Areas of the map, and what pydantic, DuckDB and the system say.
    "_listed(meant, self)",
    "detail['msg']",
    "error.strerror or str(error)",
    "str(error).splitlines()[0]",
    "str(tree['error_message']).splitlines()[0]",
}
SPOKEN_ELSEWHERE = {"process {} on {}, since {}", "{}, and {} more"}
"""Phrases made by `__str__` and by joining, which no walk through the code finds."""


@cache
def table() -> dict[str, dict[str, str]]:
    return yaml.safe_load(TABLE.read_text(encoding="utf-8"))


@cache
def code():
    return code_of_errors()


def test_every_error_the_code_can_tell_is_translated_and_nothing_else_is():
    assert code().templates == set(table()["errors"])
    assert code().phrases() | SPOKEN_ELSEWHERE == set(table()["phrases"])


def test_what_cannot_be_found_in_the_code_is_known_by_name():
    assert code().unseen() <= NOT_TOLD_BY_THE_CODE


@pytest.mark.parametrize("section", ["errors", "phrases", "others"])
def test_a_translation_takes_up_everything_that_was_put_in(section):
    for english, said in table()[section].items():
        slots = SLOT.findall(said)
        numbers = [int(number) if number else at for at, (_, number) in enumerate(slots)]
        if section != "others":  # pydantic's own counts may be left out
            assert sorted(numbers) == list(range(english.count("{}"))), english


@pytest.mark.parametrize(
    ("english", "vietnamese"),
    [
        ("no file data/a.csv", "không có tệp data/a.csv"),
        (
            "no column for 'received': looked for 'Tiếp nhận'",
            "không có cột cho 'received': đã tìm 'Tiếp nhận'",
        ),
        ("known: a, b; did you mean 'a'?", "đã có: a, b; có phải ý ông/bà là 'a'?"),
        (
            "it redirects elsewhere: no connection",
            "địa chỉ chuyển hướng sang nơi khác: không kết nối được",
        ),
        ("the query holds a comment", "câu truy vấn có chú thích"),
        (
            "it is submitted and cannot be approved",
            "đang ở trạng thái chờ duyệt, không thể chuyển sang đã duyệt",
        ),
        ("that begins from: draft, submitted", "bước này bắt đầu từ: bản nháp, chờ duyệt"),
        (
            "nhan is none of: maker, checker",
            "nhan không có vai trò nào trong: người nộp, người duyệt",
        ),
        (
            "it is not to be released before 2026-12-01",
            "không được công bố trước ngày 01/12/2026",
        ),
        (
            "it speaks of 2026-09-01 to 2026-09-30, and is handed in for 2026-10",
            "số liệu trong tệp từ 01/09/2026 đến 30/09/2026, nhưng nộp cho kỳ 10/2026",
        ),
        (
            "no template can be made for x: a header of several rows",
            "không lập được mẫu cho x: tiêu đề cột gồm nhiều dòng",
        ),
        (
            "it is handed in by the month, and not for 2026-Q4",
            "bộ dữ liệu này nộp theo từng tháng, không nộp cho 2026-Q4",
        ),
        ("'x is empty' is not a period", "'x is empty' không phải là kỳ"),
        ("'a' is labelled as 'b' is: 'c is: d'", "'a' có nhãn trùng với 'b': 'c is: d'"),
        ("no file there is no table", "không có tệp there is no table"),
        ("Binder Error: something of a database", "Binder Error: something of a database"),
    ],
)
def test_what_was_put_in_stays_as_it_is(english, vietnamese):
    assert translated(english, "vi") == vietnamese
    assert translated(english, "en") == english


def test_every_state_and_role_that_an_error_names_has_its_word():
    said = {*get_args(State), *get_args(Step), *get_args(Role)} - {"admin", "reader"}
    assert said <= table()["words"].keys()
    shown = yaml.safe_load((ROOT / "dashboard" / "text" / "vi.yaml").read_text(encoding="utf-8"))
    assert shown["handin_state"].items() <= table()["words"].items()


@pytest.mark.parametrize(
    ("where", "vietnamese"),
    [
        ("a.json: record 3", "a.json: bản ghi 3"),
        ("a.xlsx, cell C4", "a.xlsx, ô C4"),
        ("data_catalog.yaml:61: record.cell", "data_catalog.yaml:61: record.cell"),
    ],
)
def test_of_a_place_only_the_words_beside_a_number_are_translated(where, vietnamese):
    assert located(where, "vi") == vietnamese


ENTRY = """
- name: visitors
  title: Khách
  sources: [{path: visitors.csv}]
  read: {header: {find: Nơi, rows: 1}}
  clean: {areas: {level: city}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Nơi]}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: value, type: integer, from: [Lượt khách]}
  indicators: [{name: visitors, title: Khách, title_en: Visitors, decimals: 0, compute: }]
  forecast: {frequency: month, horizon: 3, grains: [city]}
"""

BROKEN = {
    "missing": ("  title: Khách\n", ""),
    "extra_forbidden": ("title_en: Visitors", "titel_en: Visitors"),
    "literal_error": ("type: integer", "type: int"),
    "string_pattern_mismatch": ("- name: visitors", "- name: Visitors!"),
    "string_type": ("title: Khách\n", "title: [Khách]\n"),
    "string_too_long": ("  schema:", f"  rules: [{{name: r, sql: '{'a' * 1001}'}}]\n  schema:"),
    "int_parsing": ("horizon: 3", "horizon: ba"),
    "int_type": ("horizon: 3", "horizon: [3]"),
    "int_from_float": ("horizon: 3", "horizon: 3.5"),
    "float_parsing": ("max_rejected: 1", "max_rejected: ít"),
    "float_type": ("max_rejected: 1", "max_rejected: [1]"),
    "bool_parsing": ("name: area,", "name: area, sensitive: có,"),
    "bool_type": ("name: area,", "name: area, sensitive: [],"),
    "list_type": ("sources: [{path: visitors.csv}]", "sources: visitors.csv"),
    "model_type": ("read: {header: {find: Nơi, rows: 1}}", "read: csv"),
    "dict_type": ("max_rejected: 1", "constant: 1"),
    "tuple_type": ("compute: ", "compute: {ratio: visitors}"),
    "too_short": ("sources: [{path: visitors.csv}]", "sources: []"),
    "too_long": ("compute: ", "compute: {ratio: [a, b, c]}"),
    "greater_than": ("horizon: 3", "horizon: 0"),
    "greater_than_equal": ("rows: 1", "rows: 0"),
    "less_than_equal": ("horizon: 3", "horizon: 367"),
    "value_error": ("compute: ", "compute: {share: visitors}"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_the_model_finds_wrong_is_told_in_vietnamese(kind):
    with pytest.raises(Problems) as caught:
        parse_catalog(HEAD + ENTRY.replace(*BROKEN[kind]))
    for problem in caught.value.problems:
        for english in filter(None, (problem.problem, problem.hint)):
            vietnamese = translated(english, "vi")
            assert vietnamese != english
            assert not re.search(r"\b(should|value|keys|valid|goes|is not)\b", vietnamese)


def test_the_kinds_of_the_model_are_those_that_are_provoked():
    """Each entry of BROKEN gives the kind it is called after."""
    from pydantic import ValidationError

    from etl.catalog.entries import Catalog
    from etl.catalog.reading import _read_yaml

    for kind, change in BROKEN.items():
        content, _ = _read_yaml(HEAD + ENTRY.replace(*change), "c.yaml")
        with pytest.raises(ValidationError) as caught:
            Catalog.model_validate(content)
        assert kind in {detail["type"] for detail in caught.value.errors()}, kind


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({"FORESIGHT_LANG": "vi", "LANG": "en_GB.UTF-8"}, "vi"),
        ({"FORESIGHT_LANG": "en", "LANG": "vi_VN.UTF-8"}, "en"),
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": "C"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_told_or_that_of_the_system(monkeypatch, environment, spoken):
    for name in ("FORESIGHT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == spoken


def test_another_language_is_refused(monkeypatch):
    monkeypatch.setenv("FORESIGHT_LANG", "fr")
    with pytest.raises(ForesightError, match="FORESIGHT_LANG is 'fr'"):
        language()
