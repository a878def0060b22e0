"""What enters the first screen, what the workload sums to, and what leaves as a file."""

import datetime as dt
from io import BytesIO

import polars as pl
import pytest
from openpyxl import load_workbook

from dashboard import cards, headline_table, tables
from dashboard.published import headlines
from dashboard.views.accuracy import fast_only
from dashboard.workload import communes, pulse, year_of


def test_a_stale_figure_never_enters_the_first_screen(vietnamese):
    assert [item.indicator for item in headlines(vietnamese)] == ["growth", "revenue"]


def test_a_headline_has_its_plan_its_next_target_and_its_rivals(vietnamese):
    growth = headlines(vietnamese)[0]
    assert growth.figure["value"] == 7.23
    assert growth.plan["value"] == 10.0
    assert growth.met is False
    assert growth.target["period"] == dt.date(2026, 1, 1)
    assert growth.figures == 2
    assert growth.pace is None


def test_the_pace_to_a_target_is_growth_a_year(vietnamese):
    revenue = headlines(vietnamese)[1]
    assert revenue.pace == pytest.approx((57000 / 26685) ** (1 / 5) - 1)


def test_the_table_tells_status_age_target_and_rivals(reader):
    shown = headline_table.table(reader, headlines(reader))
    expected = {
        "vi": ["sơ bộ", "10 tháng tuổi", "Mục tiêu 2030: 57.000 tỷ đồng", "2 số khác nhau"],
        "en": ["preliminary", "10 months old", "Target 2030: 57,000 billion VND", "2 differing"],
    }
    assert [words for words in expected[reader.lang] if words not in shown] == []


def test_a_year_adds_up_twelve_months(vietnamese):
    year = year_of(vietnamese, "city", "can_tho", "total")
    months = pulse(vietnamese, "applications_received", "can_tho", "total").months[-12:]
    assert year.received == pytest.approx(sum(months))
    assert year.change == pytest.approx(0.07)


def test_only_the_newest_issue_of_a_forecast_counts(vietnamese):
    series = {"indicator": "applications_received", "area": "can_tho", "frequency": "month"}
    assert len(vietnamese.rows("fan", category="total", **series)) == 14


def test_communes_are_ranked_by_growth(vietnamese):
    rows = communes(vietnamese, "total")
    assert rows["code"].head(2).to_list() == ["90012", "90011"]
    assert rows["change"][0] == pytest.approx(0.22)


def test_a_commune_with_few_applications_is_not_ranked(vietnamese, monkeypatch):
    monkeypatch.setattr("dashboard.workload.LEAST", 10**9)
    assert communes.__wrapped__(vietnamese, "art")["rank"].null_count() == 12


def test_five_cards_each_with_a_drawing(reader):
    shown = cards.cards(reader, "total", year_of(reader, "city", "can_tho", "total"))
    assert shown.count('class="cf-card"') == 5
    assert shown.count("<img ") == 5


def test_the_range_of_a_year_is_that_of_its_paths_and_not_of_its_months(reader):
    year = year_of(reader, "city", "can_tho", "total")
    # Each path is as far off in every month as in the others, 3 % at most; months range over 15.
    assert year.lowest == pytest.approx(0.976 * year.expected)
    assert year.highest == pytest.approx(1.024 * year.expected)


def test_cells_without_slow_models_are_named(vietnamese):
    rows = fast_only(vietnamese.rows("shown"))
    assert set(rows["level"]) == {"commune"}
    assert {"ets", "prophet", "sarima"} <= set(rows["left_out"][0].to_list())


def test_a_download_says_that_it_is_simulated_and_opens_safely_in_a_spreadsheet():
    written = tables.csv(pl.DataFrame({"source": ["=cmd()", "x"]}), simulated=True).decode()
    assert written == "\ufeffsource,simulated\n'=cmd(),true\nx,true\n"


def test_each_row_of_a_csv_file_says_where_it_is_from_and_stays_a_row_for_every_reader():
    facts = {"file_build": "00001", "file_made": "22/11/2026"}
    written = tables.csv(pl.DataFrame({"value": [7.5, 8]}), facts, simulated=False)
    found = pl.read_csv(written, schema_overrides={"file_build": pl.String})
    assert found.rows() == [(7.5, False, "00001", "22/11/2026"), (8, False, "00001", "22/11/2026")]


def test_a_workbook_carries_its_figures_and_where_they_are_from():
    rows = pl.DataFrame({"source": ["=1+1"], "value": [7.5], "day": [dt.date(2026, 1, 1)]})
    made = tables.xlsx(rows, "Số liệu", ("Xuất xứ", {"Bản dữ liệu": "00001"}), simulated=True)
    book = load_workbook(BytesIO(made))
    assert book.sheetnames == ["Số liệu", "Xuất xứ"]
    heads, first = book["Số liệu"].iter_rows(values_only=True)
    assert heads == ("source", "value", "day", "simulated")
    assert (first[0], first[1], first[2].date(), first[3]) == (
        "=1+1",
        7.5,
        dt.date(2026, 1, 1),
        True,
    )
    assert book["Số liệu"]["A2"].data_type == "s"
    assert next(book["Xuất xứ"].iter_rows(values_only=True)) == ("Bản dữ liệu", "00001")


def test_text_from_data_cannot_become_markup():
    column = tables.Column("<b>", lambda row: tables.link(row, "javascript:alert(1)"))
    shown = tables.table("t", [column], ["<script>"])
    assert "<script>" not in shown
    assert "href" not in shown
