"""From a department's file to observations: what is accepted, what is rejected and why."""

import datetime as dt
import unicodedata

import polars as pl
import pytest
from conftest import HEAD, TODAY, observed
from hypothesis import given, settings
from hypothesis import strategies as st

from etl import pipeline
from etl.builds import current_build
from etl.catalog import load_catalog
from etl.errors import ForesightError
from etl.load import TooManyRejected
from etl.settings import Settings
from etl.warehouse import Warehouse

MONTHLY = """
- name: applications
  title: Hồ sơ
  sources: [{path: applications.csv}]
  read: {delimiter: ";", decimal: ",", thousands: "."}
  clean: {areas: {level: commune}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Xã/phường], constraints: {required: true}}
    - {name: period, type: yearmonth, from: [Tháng], constraints: {required: true}}
    - {name: received, type: integer, from: [Tiếp nhận], constraints: {minimum: 0}}
    primaryKey: [area, period]
  indicators: [{name: applications_received, title: Tiếp nhận, title_en: R, value: received}]
"""
HEADER = "Xã/phường;Tháng;Tiếp nhận\n"


def rejected(warehouse: Warehouse) -> list[tuple[int, str, str | None]]:
    rows = warehouse.select("select record, rule, value from rejected order by record, rule")
    return list(rows.iter_rows())


def test_a_month_nobody_reported_is_missing_and_not_zero(refresh):
    warehouse = refresh(
        MONTHLY,
        applications_csv=HEADER + "Phường Ninh Kiều;01/2026;40\nP. Ninh Kiều;03/2026;55\n",
    )
    seen = dict(observed(warehouse).select("period", "value").iter_rows())
    assert seen == {dt.date(2026, 1, 1): 40, dt.date(2026, 3, 1): 55}
    assert warehouse.select("select count(*) from comparable where level = 'city'").item() == 0


def test_every_bad_row_is_kept_with_its_record_its_rule_and_its_text(refresh):
    warehouse = refresh(
        MONTHLY,
        applications_csv=HEADER
        + "Phường Ninh Kiều;01/2026;40\n"
        + "Phường Không Có;01/2026;41\n"
        + "Xã Phong Điền;tháng nào;42\n"
        + "Xã Phong Điền;01/2026;-3\n"
        + "Xã Phong Điền;02/2026;hơn 5.300\n"
        + ";02/2026;6\n"
        + "P.  NINH KIỀU;T1/2026;43\n"
        + "Xã Phong Điền;03/2026;7;thừa\n"
        + "Xã Phong Điền;04/2026;1.234\n"
        + "Xã Phong Điền;05/2026;nửa\n",
    )
    assert rejected(warehouse) == [
        (2, "area_known", "Phường Không Có"),
        (3, "period_readable", "tháng nào"),
        (4, "received_minimum", "-3"),
        (5, "received_readable", "hơn 5.300"),
        (6, "area_required", None),
        (7, "key_unique", "P.  NINH KIỀU"),
        (8, "line_readable", None),
        (10, "received_readable", "nửa"),
    ]
    assert observed(warehouse)["value"].to_list() == [40, 1234]
    load = warehouse.select("select records, accepted, rejected, unreadable from load").row(0)
    assert load == (10, 2, 7, 1)


@pytest.mark.parametrize("text", ["inf", "-Infinity", "nan", "1e999", "năm", "1,2,3"])
def test_what_is_no_finite_number_is_not_read_as_one(refresh, text):
    entry = MONTHLY.replace("type: integer, from: [Tiếp nhận]", "type: number, from: [Tiếp nhận]")
    warehouse = refresh(entry, applications_csv=HEADER + f"Ninh Kiều;01/2026;{text}\n")
    assert [(rule, value) for _, rule, value in rejected(warehouse)] == [
        ("received_readable", text)
    ]


def test_the_order_of_unreadable_lines_does_not_move_the_numbers_of_the_others(refresh):
    lines = ["a;b;c;d", "Phường Ninh Kiều;01/2026;x1", "a;b;c;d", "a;b;c;d", "Cái Khế;02/2026;x2"]
    warehouse = refresh(MONTHLY, applications_csv=HEADER + "\n".join(lines) + "\n")
    assert [(record, rule) for record, rule, _ in rejected(warehouse)] == [
        (1, "line_readable"),
        (2, "received_readable"),
        (3, "line_readable"),
        (4, "line_readable"),
        (5, "received_readable"),
    ]


def test_a_share_of_bad_rows_above_the_limit_refuses_the_load_and_keeps_the_old_data(
    refresh, installation
):
    strict = MONTHLY.replace("max_rejected: 1", "max_rejected: 0.2")
    refresh(strict, applications_csv=HEADER + "Phường Ninh Kiều;01/2026;40\n")
    before = current_build(installation.home)
    with pytest.raises(TooManyRejected, match="1 of 2 records are bad"):
        refresh(strict, applications_csv=HEADER + "Phường Ninh Kiều;01/2026;41\nNơi Lạ;01/2026;1\n")
    assert current_build(installation.home) == before
    assert observed(Warehouse.open(installation.home))["value"].to_list() == [40]


def test_a_column_that_is_not_there_is_named_with_those_that_are(refresh):
    with pytest.raises(ForesightError, match="no column for 'received'") as told:
        refresh(MONTHLY, applications_csv="Xã/phường;Tháng;Nhận\nNinh Kiều;01/2026;1\n")
    assert "Xã/phường, Tháng, Nhận" in told.value.hint


def test_headers_are_found_whatever_their_case_spaces_and_composition(refresh):
    header = unicodedata.normalize("NFD", "XÃ/PHƯỜNG; Tháng ;TIẾP  NHẬN\n")
    warehouse = refresh(MONTHLY, applications_csv=header + "Ninh Kiều;01/2026;1\n")
    assert observed(warehouse).height == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("with a byte-order mark", "\ufeff" + HEADER + "Ninh Kiều;01/2026;1\n"),
        ("with carriage returns", (HEADER + "Ninh Kiều;01/2026;1\n").replace("\n", "\r\n")),
        ("without a last line break", HEADER + "Ninh Kiều;01/2026;1"),
        ("with blank lines at the end", HEADER + "Ninh Kiều;01/2026;1\n\n\n"),
        ("quoted", '"Xã/phường";"Tháng";"Tiếp nhận"\n"Ninh Kiều";"01/2026";"1"\n'),
    ],
)
def test_a_file_is_read_the_same(refresh, name, content):
    assert observed(refresh(MONTHLY, applications_csv=content))["value"].to_list() == [1], name


def test_a_file_in_another_encoding_is_refused_with_the_byte_and_the_remedy(refresh):
    with pytest.raises(ForesightError, match="not UTF-8") as told:
        refresh(MONTHLY, applications_csv=(HEADER + "Ninh Kiều;01/2026;1\n").encode("utf-16"))
    assert "encoding" in told.value.hint


def test_the_encoding_a_catalog_declares_is_used(refresh):
    entry = MONTHLY.replace('{delimiter: ";",', '{encoding: utf-16, delimiter: ";",')
    content = (HEADER + "Ninh Kiều;01/2026;1\n").encode("utf-16")
    assert observed(refresh(entry, applications_csv=content)).height == 1


def test_a_missing_file_is_named_with_the_place_to_put_it(refresh):
    with pytest.raises(ForesightError, match=r"no file applications\.csv"):
        refresh(MONTHLY)


def test_nothing_changed_means_nothing_to_do_and_a_change_loads_that_file_alone(
    refresh, installation
):
    both = MONTHLY.replace("applications.csv", "applications*.csv")
    warehouse = refresh(
        both,
        applications1_csv=HEADER + "Ninh Kiều;01/2026;1\n",
        applications2_csv=HEADER + "Ninh Kiều;02/2026;2\n",
    )
    catalog = load_catalog(installation.catalog)
    assert pipeline.plan(catalog, installation, warehouse).nothing
    path = installation.catalog.parent / "applications2.csv"
    path.write_text(HEADER + "Ninh Kiều;02/2026;3\n", encoding="utf-8")
    changed = pipeline.plan(catalog, installation, warehouse).changed
    assert [file.shown for file in changed] == ["applications2.csv"]
    assert observed(refresh(both))["value"].to_list() == [1, 3]


def test_a_file_that_is_gone_takes_its_rows_with_it(refresh, installation):
    both = MONTHLY.replace("applications.csv", "applications*.csv")
    refresh(
        both,
        applications1_csv=HEADER + "Ninh Kiều;01/2026;1\n",
        applications2_csv=HEADER + "Ninh Kiều;02/2026;2\n",
    )
    (installation.catalog.parent / "applications1.csv").unlink()
    assert observed(refresh(both))["value"].to_list() == [2]


def test_sensitive_columns_never_enter_the_warehouse(refresh):
    entry = MONTHLY.replace(
        "    primaryKey",
        "    - {name: clerk, from: [Cán bộ], sensitive: true, constraints: {pattern: '[A-Z].*'}}\n"
        "    primaryKey",
    )
    warehouse = refresh(
        entry,
        applications_csv="Xã/phường;Tháng;Tiếp nhận;Cán bộ\n"
        "Ninh Kiều;01/2026;1;Nguyễn Bí Mật\nNinh Kiều;02/2026;1;trần bí mật\n",
    )
    everything = [
        str(warehouse.select(f'select * from "{table}"').rows()) for table in warehouse.tables()
    ]
    assert not any("bí mật" in text.casefold() for text in everything)
    assert rejected(warehouse) == [(2, "clerk_pattern", None)]


@settings(max_examples=6)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["Ninh Kiều", "Xã Phong Điền", "Nơi Lạ", ""]),
            st.sampled_from(["01/2026", "02/2026", "03/2026", "ba"]),
            st.sampled_from(["1", "-1", "1.000", "x", "", "2;3"]),
        ),
        max_size=12,
    )
)
def test_accepted_and_rejected_and_unreadable_are_all_there_is(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("property")
    text = HEADER + "".join(";".join(row) + "\n" for row in rows)
    (folder / "applications.csv").write_text(text, encoding="utf-8")
    (folder / "data_catalog.yaml").write_text(HEAD + MONTHLY, encoding="utf-8")
    site = Settings(home=folder / "state", catalog=folder / "data_catalog.yaml")
    site.home.mkdir()
    catalog = load_catalog(site.catalog)
    with Warehouse.build(site.home) as warehouse:
        plan = pipeline.plan(catalog, site, None)
        done = pipeline.refresh(
            warehouse, catalog, site, plan, today=TODAY, progress=lambda _: None
        )
    (load,) = done.loads
    assert load.accepted + load.rejected + load.unreadable == load.records == len(rows)


WIDE = """
- name: population
  title: Dân số
  sources: [{path: population.xlsx}]
  read:
    sheet: '^Bieu'
    header: {find: Địa phương, rows: 2}
    drop_rows: '^(TỔNG SỐ|A)$'
    stop_at: '^Ghi chú'
    decimal: ","
    thousands: "."
  clean:
    unpivot: {columns: '(?P<status>Sơ bộ|Ước)? ?(?P<period>20\\d\\d)$', into: value}
    areas: {level: former_province}
    constant: {as_of: "2025-07-23"}
  schema:
    fields:
    - {name: area, from: [Địa phương], constraints: {required: true}}
    - {name: period, type: year}
    - {name: value, type: number, constraints: {minimum: 0}}
    - {name: status}
    - {name: as_of, type: date}
  indicators: [{name: population, title: Dân số, title_en: Population, aggregate: last}]
"""


def wide_workbook(path, cells):
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Bieu 1")
        for (row, column), value in cells.items():
            sheet.write(row, column, value)
        sheet.merge_range(3, 2, 3, 4, "Năm")


def test_a_wide_workbook_with_titles_stacked_headers_totals_and_footnotes_is_read(
    refresh, installation
):
    cells = {
        (0, 0): "CỤC THỐNG KÊ", (1, 0): "Biểu 1. Dân số", (3, 0): "STT", (3, 1): "Địa phương",
        (4, 2): 2022, (4, 3): 2023, (4, 4): "Sơ bộ 2024", (5, 0): "A", (5, 1): "B", (5, 2): 1,
        (6, 1): "TỔNG SỐ", (6, 2): 3, (6, 3): 7, (6, 4): 11.5,
        (7, 0): 1, (7, 1): "Hậu Giang", (7, 2): 1, (7, 3): "..", (7, 4): 5.5,
        (8, 0): 2, (8, 1): "Tỉnh Sóc Trăng", (8, 2): "1.195,93", (8, 3): 4, (8, 4): 6,
        (10, 0): "Ghi chú: số liệu thử", (11, 0): "Hậu Giang",
    }  # fmt: skip
    wide_workbook(installation.catalog.parent / "population.xlsx", cells)
    rows = observed(refresh(WIDE)).select("area", pl.col("period").dt.year(), "value", "status")
    assert list(rows.iter_rows()) == [
        ("hau_giang", 2022, 1, "final"),
        ("hau_giang", 2024, 5.5, "preliminary"),
        ("soc_trang", 2022, 1195.93, "final"),
        ("soc_trang", 2023, 4, "final"),
        ("soc_trang", 2024, 6, "preliminary"),
    ]


def test_a_sheet_without_the_header_says_which_cell_it_looked_for(refresh, installation):
    wide_workbook(installation.catalog.parent / "population.xlsx", {(0, 0): "x"})
    with pytest.raises(ForesightError, match="no row holds the cell 'Địa phương'"):
        refresh(WIDE)


def test_something_that_is_not_a_workbook_is_refused(refresh):
    with pytest.raises(ForesightError, match="it is text, and no workbook"):
        refresh(WIDE, population_xlsx="a,b,c\n")


REPORT = """
- name: report
  title: Báo cáo
  sources: [{path: report.csv}]
  clean: {areas: {level: city}, period: PERIOD}
  schema:
    fields:
    - {name: indicator, from: [Mã]}
    - {name: area, from: [Nơi]}
    - {name: period, type: yearmonth, from: [Kỳ]}
    - {name: value, type: number, from: [Giá trị]}
    - {name: status, from: [Tình trạng]}
  indicators: [{name: budget_revenue, title: Thu ngân sách, title_en: Revenue}]
"""


@pytest.mark.parametrize(
    ("meant", "frequency", "start", "end"),
    [
        ("as_written", "month", dt.date(2026, 9, 1), dt.date(2026, 9, 30)),
        ("year_to_date", "span", dt.date(2026, 1, 1), dt.date(2026, 9, 30)),
        ("year", "year", dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
    ],
)
def test_one_form_can_hold_figures_of_the_month_to_date_and_of_the_year(
    refresh, meant, frequency, start, end
):
    warehouse = refresh(
        REPORT.replace("PERIOD", meant),
        report_csv="Mã,Nơi,Kỳ,Giá trị,Tình trạng\nbudget_revenue,Cần Thơ,09/2026,1800,ước\n",
    )
    row = warehouse.select("select frequency, period, period_end, value, status from observation")
    assert row.row(0) == (frequency, start, end, 1800, "estimate")


def test_vintages_are_kept_and_the_newest_is_current(refresh):
    entry = """
- name: published
  title: Số công bố
  sources: [{path: published.csv}]
  clean: {areas: {level: city}}
  schema:
    fields:
    - {name: area}
    - {name: period}
    - {name: value, type: number}
    - {name: status}
    - {name: as_of, type: date}
  indicators: [{name: grdp_growth, title: Tăng trưởng, title_en: Growth, aggregate: rate}]
"""
    warehouse = refresh(
        entry,
        published_csv="area,period,value,status,as_of\n"
        "can_tho,2025,8.3,ước,2025-12-07\ncan_tho,2025,7.23,sơ bộ,2026-01\n"
        "can_tho,2025,10,kế hoạch,2025-07-31\n",
    )
    assert observed(warehouse)["value"].to_list() == [7.23, 8.3, 10]
    current = warehouse.select(
        "select value, status, as_of from current_observation order by value"
    )
    assert list(current.iter_rows()) == [
        (7.23, "preliminary", dt.date(2026, 1, 31)),
        (10, "plan", dt.date(2025, 7, 31)),
    ]
