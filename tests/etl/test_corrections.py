"""Declared corrections: applied to the text, guarded, and accounted for."""

import datetime as dt
import unicodedata

import pytest
from click.testing import CliRunner
from conftest import HEAD, observed

from dashboard.cli import main
from etl.builds import current_build
from etl.catalog import parse_catalog
from etl.corrections import NotOneRecord, SourceChanged, SourceMended
from etl.errors import Problems
from etl.warehouse import Warehouse

ENTRY = """
- name: revenue
  title: Thu ngân sách
  sources: [{path: "revenue*.csv"}]
  read: {delimiter: ";", decimal: ",", thousands: "."}
  clean: {areas: {level: former_province}, constant: {as_of: "2010-06-30"}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Địa phương]}
    - {name: period, type: year, from: [Năm]}
    - {name: value, type: number, from: [Giá trị], constraints: {maximum: 1000}}
    - {name: note, from: [Ghi chú]}
    - {name: as_of, type: date}
    - {name: teller, from: [Người khai], sensitive: true}
  corrections:
  - {where: {area: Hậu Giang, period: 2009}, field: value, expect: "1.234", correct: "123,4",
     reason: "Niên giám 2010, trang 61", by: Phòng Tổng hợp, on: "2026-11-20"}
  indicators: [{name: revenue, title: Thu, title_en: Revenue}]
"""
HEADER = "Địa phương;Năm;Giá trị;Ghi chú;Người khai\n"
WRONG = HEADER + "Sóc Trăng;2009;98,7;;A\nHậu Giang;2009;1.234;;B\nHậu Giang;2010;130;;C\n"


def values(warehouse: Warehouse) -> list[float]:
    return observed(warehouse).sort("area", "period")["value"].to_list()


def test_a_correction_is_read_instead_and_kept_with_its_file_record_and_reason(refresh):
    warehouse = refresh(ENTRY, revenue_csv=WRONG)
    assert values(warehouse) == [123.4, 130, 98.7]
    assert warehouse.select("select * exclude (load, sheet) from correction").row(0) == (
        "revenue", "revenue.csv", 2, 0, "value", "1.234", "123,4", "Niên giám 2010, trang 61",
        "Phòng Tổng hợp", dt.date(2026, 11, 20),
    )  # fmt: skip


def test_without_the_correction_the_record_breaks_its_rule(refresh):
    entry = ENTRY.split("  corrections:")[0] + "  indicators: []\n"
    rejected = refresh(entry, revenue_csv=WRONG).select("select rule, value from rejected")
    assert rejected.rows() == [("value_maximum", "1.234")]


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ((";1.234;", ";123,4;"), SourceMended, "the source has been mended"),
        ((";1.234;", ";1.235;"), SourceChanged, "says '1.235', where '1.234' was expected"),
        ((";1.234;", ";;"), SourceChanged, "says ''"),
        (("Hậu Giang;2009", "Hậu Giang;2008"), NotOneRecord, "no records"),
        (("Sóc Trăng;2009;98,7", "Hậu Giang;2009;1.234"), NotOneRecord, "2 records"),
    ],
)
def test_a_source_that_says_something_else_fails_loudly_and_the_old_data_stay(
    refresh, installation, change, error, told
):
    refresh(ENTRY, revenue_csv=WRONG)
    before = current_build(installation.home)
    with pytest.raises(error) as found:
        refresh(ENTRY, revenue_csv=WRONG.replace(*change))
    assert told in found.value.problem
    assert "value of the record {area: Hậu Giang, period: 2009}" in found.value.problem
    assert found.value.where == "revenue.corrections[0]"
    assert "take the correction out" in found.value.hint
    assert current_build(installation.home) == before
    assert values(Warehouse.open(installation.home)) == [123.4, 130, 98.7]


def test_the_record_is_found_whatever_the_composition_of_its_letters(refresh):
    warehouse = refresh(ENTRY, revenue_csv=unicodedata.normalize("NFD", WRONG))
    assert 123.4 in values(warehouse)


def test_the_record_is_counted_among_all_lines_of_the_file(refresh):
    warehouse = refresh(ENTRY, revenue_csv=WRONG.replace("\nHậu", "\na;b;c;d;e;f\nHậu", 1))
    assert warehouse.select("select record from correction").item() == 3


def test_another_file_may_come_without_the_corrected_one_being_read_again(refresh):
    refresh(ENTRY, revenue_1_csv=WRONG)
    warehouse = refresh(ENTRY, revenue_2_csv=HEADER + "Hậu Giang;2011;140;;D\n")
    assert values(warehouse) == [123.4, 130, 140, 98.7]
    assert warehouse.select("select count(*) from correction").item() == 1


def test_a_second_file_with_the_same_error_is_told(refresh):
    refresh(ENTRY, revenue_1_csv=WRONG)
    with pytest.raises(NotOneRecord, match="2 records"):
        refresh(ENTRY, revenue_2_csv=WRONG)


def test_a_correction_taken_out_is_no_longer_applied_nor_listed(refresh):
    refresh(ENTRY, revenue_csv=WRONG)
    entry = ENTRY.split("  corrections:")[0] + "  indicators: " + ENTRY.split("indicators: ")[1]
    warehouse = refresh(entry, revenue_csv=WRONG)
    assert warehouse.select("select * from correction").is_empty()
    assert values(warehouse) == [130, 98.7]


def test_names_and_periods_can_be_corrected_too_and_empty_cells_filled_or_emptied(refresh):
    more = """
  - {where: {period: 2010, value: "130"}, field: area, expect: Hậu Giang, correct: Sóc Trăng, reason: r, by: b, on: "2026-11-20"}
  - {where: {area: Sóc Trăng}, field: note, expect: "", correct: ước tính, reason: r, by: b, on: "2026-11-20"}
  indicators"""  # noqa: E501
    warehouse = refresh(ENTRY.replace("\n  indicators", more), revenue_csv=WRONG)
    rows = warehouse.select("select area, value, note from observation order by value").rows()
    assert rows == [
        ("soc_trang", 98.7, "ước tính"), ("hau_giang", 123.4, None), ("soc_trang", 130, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("period: 2009}", "perod: 2009}"), "did you mean 'period'?"),
        (("field: value, expect", "field: valu, expect"), "did you mean 'value'?"),
        (("field: value, expect", "field: as_of, expect"), "'as_of' is not a field read from"),
        (("period: 2009}", "teller: B}"), "'teller' is sensitive"),
        (("period: 2009}", 'value: "1.234"}'), "by the text that is corrected"),
        (('correct: "123,4"', 'correct: "1.234"'), "to itself"),
        (('on: "2026-11-20"', "on: hôm qua"), "'hôm qua'"),
        (("     reason: \"Niên giám 2010, trang 61\", ", "     "), "'reason' is missing"),
        (("where: {area: Hậu Giang, period: 2009}", "where: {}"), "at least 1 item"),
    ],
)  # fmt: skip
def test_a_correction_that_cannot_be_is_refused_with_its_line(change, told):
    text = HEAD + ENTRY.replace(*change)
    line = next(n for n, content in enumerate(text.splitlines(), 1) if "- {where" in content)
    with pytest.raises(Problems) as found:
        parse_catalog(text)
    assert told in str(found.value)
    assert any(f"data_catalog.yaml:{n}:" in str(found.value) for n in (line, line + 1))


def test_a_cell_is_corrected_once():
    before, corrections = ENTRY.split("  corrections:\n")
    entry, rest = corrections.split("  indicators:")
    with pytest.raises(Problems, match="is corrected twice"):
        parse_catalog(f"{HEAD}{before}  corrections:\n{entry}{entry}  indicators:{rest}")


def test_the_command_lists_what_was_applied(refresh, installation):
    refresh(ENTRY, revenue_csv=WRONG)
    run = CliRunner().invoke(main, ["--home", str(installation.home), "--json", "corrections"])
    assert run.exit_code == 0
    assert "Niên giám 2010, trang 61" in run.output
