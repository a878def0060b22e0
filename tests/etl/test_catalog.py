"""The catalog: what an analyst may write, and what they are told when it cannot be."""

import json
from pathlib import Path

import pytest
from conftest import HEAD, ROOT

from etl.catalog import json_schema, load_catalog, parse_catalog
from etl.errors import Problems

PLAIN = """
- name: applications
  title: Hồ sơ
  sources: [{path: data/applications_*.csv}]
  read: {delimiter: ";"}
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: area, from: [Xã/phường]}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: received, type: integer, from: [Tiếp nhận], constraints: {minimum: 0}}
    primaryKey: [area, period]
  indicators: [{name: applications_received, title: Tiếp nhận, title_en: R, value: received}]
  publish: {theme: GOVE, frequency: MONTHLY}
"""


def refused(resources: str) -> list[str]:
    with pytest.raises(Problems) as found:
        parse_catalog(HEAD + resources)
    return [str(problem) for problem in found.value.problems]


def test_a_plain_table_is_an_entry_of_at_most_fifteen_lines():
    assert len(PLAIN.strip().splitlines()) <= 15
    assert parse_catalog(HEAD + PLAIN).datasets["applications"].format == "csv"


def test_the_shipped_catalog_is_in_order():
    assert load_catalog(ROOT / "data_catalog.yaml").datasets


def test_every_indicator_of_the_shipped_catalog_is_named_in_both_languages():
    for indicator in load_catalog(ROOT / "data_catalog.yaml").indicators.values():
        assert indicator.title
        assert indicator.title_en
        assert indicator.title != indicator.title_en or indicator.title.isascii()


def test_the_schema_for_editors_is_that_of_the_model():
    shipped = (ROOT / "data_catalog.schema.json").read_text(encoding="utf-8")
    assert shipped == json_schema(), "make it again: foresight check --write-schema"
    assert json.loads(shipped)["title"] == "Catalog"


@pytest.mark.parametrize(
    ("mistake", "correction", "told"),
    [
        ("delimter:", "delimiter:", "did you mean 'delimiter'?"),
        ("type: yearmnth", "type: yearmonth", "'yearmonth'"),
        ("[area, perod]", "[area, period]", "did you mean 'period'?"),
        ("value: recieved", "value: received", "did you mean 'received'?"),
        ("theme: CITY", "theme: GOVE", "'GOVE'"),
        ("titel_en:", "title_en:", "did you mean 'title_en'?"),
        ("data/../../x.csv", "data/applications_*.csv", "relative to the catalog"),
        ("/etc/passwd", "data/applications_*.csv", "relative to the catalog"),
        ("applications.docx", "data/applications_*.csv", "readers: csv, tsv, xlsx"),
        ("level: comune", "level: commune", "'commune'"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_its_remedy(mistake, correction, told):
    wrong = PLAIN.replace(correction, mistake)
    lines = (HEAD + wrong).splitlines()
    line = next(number for number, text in enumerate(lines, start=1) if mistake in text)
    problems = refused(wrong)
    assert any(told in problem and f"data_catalog.yaml:{line}:" in problem for problem in problems)


def test_a_misspelt_key_hides_no_other_mistake_of_a_dataset():
    mistaken = PLAIN.replace("theme:", "theem:").replace("primaryKey: [area,", "primaryKey: [aera,")
    told = "\n".join(refused(mistaken.replace("path: data/", "path: ../data/")))
    assert "'theem' is not a key here" in told
    assert "'aera'" in told
    assert "../data/" in told


TARGET = """
targets:
- name: most
  title: Nhiều nhất
  title_en: Most
  indicator: applications_received
  by: "2030"
  owner: Sở Thử nghiệm
  owner_en: A department
  baselines:
  - {plan: committee, value: 1, date: "2026-01-01", document: A, path: https://example.vn/a}
"""


def test_what_a_misspelt_key_takes_away_is_not_told_as_missing_elsewhere():
    assert parse_catalog(HEAD + PLAIN + TARGET).targets
    told = refused(PLAIN.replace("indicators:", "quantities:") + TARGET)
    assert len(told) == 1
    assert "'quantities' is not a key here" in told[0]


def test_all_mistakes_are_told_at_once():
    wrong = PLAIN.replace("delimiter:", "delimter:").replace("minimum:", "minimal:")
    assert len(refused(wrong)) == 2


def test_equal_keys_are_refused_though_yaml_would_keep_the_last():
    problems = refused(PLAIN.replace("  title: Hồ sơ", "  title: Hồ sơ\n  title: Đơn"))
    assert problems == ["data_catalog.yaml:12: 'title' stands twice\n  keep one of the two"]


def test_text_that_is_not_yaml_is_named_with_its_line():
    assert "data_catalog.yaml:" in refused("- name: [")[0]


def test_the_word_on_is_text_and_not_a_yes():
    areas = "{areas: {level: commune, on: period}}"
    catalog = parse_catalog(HEAD + PLAIN.replace("{areas: {level: commune}}", areas))
    reading = catalog.datasets["applications"].clean.areas
    assert reading is not None
    assert reading.on == "period"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("type: integer,", "type: integer, sensitive: true,"), "'received' is sensitive"),
        (('{delimiter: ";"}', "{simulated_by: dossiers}"), "simulated data are never published"),
        (("[{name: CC-BY-4.0}]", "[{name: internal}]"), "there is no open licence"),
    ],
)
def test_what_must_not_leave_cannot_be_published(change, told):
    with pytest.raises(Problems, match=told):
        parse_catalog((HEAD + PLAIN).replace(*change))


def test_what_is_not_kept_cannot_be_a_key():
    hidden = PLAIN.replace("{name: area, ", "{name: area, sensitive: true, ")
    assert any("cannot be compared with others" in problem for problem in refused(hidden))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((".csv", ".json"), "header is not done for json files"),
        (("rows: 2", "rows: 2, at: 3"), "the header has 2 rows, and no row 3"),
        (("rows: 2}", "rows: 2}, unit: ^ĐVT"), "no field says in which unit it is wanted"),
        (("rows: 2}", "rows: 2}, caption: '20..'"), "it has no named group"),
        (("rows: 2}", "rows: 2}, stop_at: '('"), "is not a pattern"),
    ],
    ids=["json", "row of the header", "unit", "caption", "pattern"],
)
def test_what_a_reader_does_not_do_is_not_asked_of_it_in_silence(change, told):
    shaped = PLAIN.replace('{delimiter: ";"}', "{header: {find: Tháng, rows: 2}}")
    assert any(told in problem for problem in refused(shaped.replace(*change)))


def test_an_indicator_is_described_once_and_named_elsewhere():
    again = PLAIN.replace("name: applications\n", "name: again\n")
    assert "write only its name here: - applications_received" in refused(PLAIN + again)[0]
    named = again.split("  indicators:")[0] + "  indicators: [applications_received]\n"
    catalog = parse_catalog(HEAD + PLAIN + named)
    assert catalog.datasets["again"].delivered == ["applications_received"]


def test_no_dataset_of_the_shipped_catalog_needs_sql():
    assert "sql" not in Path(ROOT / "data_catalog.yaml").read_text(encoding="utf-8").lower()
