"""Real workbooks of the Ministry of Finance and an export of the statistics office, as sent."""

import re

import pytest
from conftest import HEAD, SHARED, observed

from etl.catalog import parse_catalog
from etl.extract import READERS
from etl.extract.grid import grid_of_sheet
from etl.extract.sheets import old_fonts, read_sheets

SAMPLES = SHARED / "data" / "samples"
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not here")

PLAN_2003 = """
- name: plan_2003
  title: Dự toán thu, chi ngân sách các tỉnh, thành phố năm 2003
  sources: [{path: Plan_2003.xls}]
  read:
    sheet: Sheet1
    header: {find: "Tỉnh, thành phố", rows: 6, at: 2}
    unit: '^Đơn vị'
    caption: 'năm (?P<year>20\\d\\d)$'
    drop_rows: '^THÀNH PHỐ$'
  clean: {totals: {}}
  schema:
    fields:
    - {name: period, type: year, from: [$year]}
    - {name: province, from: ["Tỉnh, thành phố"], constraints: {required: true}}
    - {name: revenue, type: number, from: ['^tổng thu nsnn'], unit: tỷ đồng}
    - {name: share_kept, type: number, from: ['^tỷ lệ'], unit: "%"}
    - {name: transfer, type: number, from: ['^số bổ sung từ ngân sách trung ương'], unit: tỷ đồng}
    - {name: spending, type: number, from: ['^tổng số chi'], unit: tỷ đồng}
    primaryKey: [period, province]
"""
PLAN_2008 = """
- name: plan_2008
  title: Dự toán thu, chi ngân sách các tỉnh, thành phố năm 2008
  sources: [{path: Plan_2008.xls}]
  read:
    header: {find: STT, rows: 4}
    unit: '^Triệu đồng'
    caption: 'năm (?P<year>20\\d\\d)$'
    stop_at: '^Ghi chú'
  clean: {groups: {into: region}, totals: {}, max_rejected: 0}
  schema:
    fields:
    - {name: period, type: year, from: [$year]}
    - {name: region}
    - {name: province, from: ['^Tỉnh, thành phố'], constraints: {required: true}}
    - {name: revenue, type: number, from: ['^tổng thu nsnn'], unit: tỷ đồng}
    - {name: share_kept, type: number, from: ['^tỷ lệ'], unit: "%"}
    - {name: transfer, type: number, from: ['^bổ sung từ .* total$'], unit: tỷ đồng}
    - {name: balancing, type: number, from: ['^bổ sung từ .*sung cân đối'], unit: tỷ đồng}
    primaryKey: [period, province]
"""
FINAL_2009 = """
- name: final_2009
  title: Quyết toán thu, chi ngân sách các tỉnh, thành phố năm 2009
  sources: [{path: Final_2009.xls}]
  read:
    sheet: M09+
    header: {find: '^Tỉnh, thành phố', rows: 2}
    unit: '^Triệu đồng'
    caption: 'năm (?P<year>20\\d\\d)$'
    stop_at: '^Ghi chú'
  clean: {groups: {into: region}, totals: {}, max_rejected: 0}
  schema:
    fields:
    - {name: period, type: year, from: [$year]}
    - {name: region}
    - {name: province, from: ['^Tỉnh, thành phố'], constraints: {required: true}}
    - {name: revenue, type: number, from: ['^tổng thu nsnn'], unit: tỷ đồng}
    - {name: share_kept, type: number, from: ['^tỷ lệ'], unit: "%"}
    - {name: spending, type: number, from: ['^tổng chi cân đối'], unit: tỷ đồng}
    - {name: transfer, type: number, from: ['^bổ sung từ .* total$'], unit: tỷ đồng}
    primaryKey: [period, province]
"""
PADDY = """
- name: paddy_area
  title: Diện tích gieo trồng lúa theo tỉnh
  sources: [{path: gso_paddy_area.csv}]
  read: {delimiter: ";", header: {find: "Cities, provincies"}}
  clean:
    unpivot: {columns: '^(?P<status>Prel\\.)? ?(?P<period>\\d{4})$', into: value}
    groups: {match: '^(red r|northern|central h|south east|mekong).*', into: region}
    totals: {match: ^whole country}
  schema:
    fields:
    - {name: province, from: ["Cities, provincies"], constraints: {required: true}}
    - {name: region, constraints: {required: true}}
    - {name: period, type: year}
    - {name: status}
    - {name: value, type: number, unit: nghìn ha, constraints: {minimum: 0}}
    primaryKey: [province, period]
"""
PADDY_HERE = """
- name: rice_area_gso
  title: Diện tích gieo trồng lúa của Cần Thơ, Hậu Giang, Sóc Trăng và cả nước
  sources: [{path: gso_paddy_area.csv}]
  read:
    delimiter: ";"
    header: {find: "Cities, provincies"}
    keep_rows: ^(WHOLE COUNTRY|Can Tho|Hau Giang|Soc Trang)$
  clean:
    unpivot: {columns: '^(?P<status>Prel\\.)? ?(?P<period>20(0[4-9]|1\\d))$', into: value}
    areas: {level: [nation, former_province]}
  schema:
    fields:
    - {name: area, from: ["Cities, provincies"], constraints: {required: true}}
    - {name: period, type: year}
    - {name: status}
    - {name: value, type: number, unit: nghìn ha, constraints: {minimum: 0}}
    primaryKey: [area, period]
  indicators:
  - {name: rice_area, title: Diện tích gieo trồng lúa, title_en: Paddy area, unit: nghìn ha}
"""
ENTRIES = {
    "plan_2003": (PLAN_2003, 19),
    "plan_2008": (PLAN_2008, 19),
    "final_2009": (FINAL_2009, 20),
    "paddy_area": (PADDY, 16),
    "rice_area_gso": (PADDY_HERE, 19),
}


def dataset(name: str):
    return parse_catalog(HEAD + ENTRIES[name][0]).datasets[name]


def extracted(name: str):
    entry = dataset(name)
    return READERS[entry.format](SAMPLES / entry.path, entry)


@pytest.fixture
def loaded(refresh):
    """The build made by the entry of one sample alone."""

    def build(name: str):
        path = SAMPLES / dataset(name).path
        stem, _, ending = path.name.rpartition(".")
        return refresh(ENTRIES[name][0], **{f"{stem}_{ending}": path.read_bytes()})

    return build


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_alone_loads_it_and_is_this_long(name):
    text, lines = ENTRIES[name]
    assert len(text.strip().splitlines()) == lines <= 25


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        (
            "plan_2003",
            {"title": 4, "header": 6, "column numbers": 1, "total": 1, "record": 62}
            | {"dropped by drop_rows": 1},
        ),
        (
            "plan_2008",
            {"title": 5, "header": 4, "column numbers": 1, "group": 12, "total": 2, "record": 64}
            | {"footnote": 2},
        ),
        (
            "final_2009",
            {"title": 6, "header": 2, "group": 8, "total": 1, "record": 63, "footnote": 2},
        ),
        ("paddy_area", {"title": 1, "header": 1, "group": 6, "total": 1, "record": 64}),
        ("rice_area_gso", {"title": 1, "header": 1, "record": 4, "not in keep_rows": 67}),
    ],
)
def test_every_row_that_holds_anything_is_of_one_kind(name, kinds):
    [account] = extracted(name).accounts
    assert account.kinds == kinds
    assert sum(kinds.values()) == account.filled


@pytest.mark.parametrize(
    ("name", "accepted", "rejected"),
    [
        ("plan_2003", 61, [(85, "province_required")]),
        ("plan_2008", 64, []),
        ("final_2009", 63, []),
        ("paddy_area", 1372, []),
        ("rice_area_gso", 52, []),
    ],
)
def test_all_records_are_loaded_but_a_line_left_over_below_the_table(
    loaded, name, accepted, rejected
):
    warehouse = loaded(name)
    assert warehouse.count(f"select count(*) from data_{name}") == accepted
    assert warehouse.select("select record, rule from rejected").rows() == rejected


CELLS = [  # sheet and cell of the file, where it went, and what it is there
    ("plan_2003", "Sheet1!C19", "HÀ NỘI", "revenue", 19348.0),  # 19348000 triệu
    ("plan_2003", "Sheet1!D59", "TP. HỒ CHÍ MINH", "share_kept", 33),
    ("plan_2003", "Sheet1!E75", "CẦN THƠ", "transfer", 371.325),
    ("plan_2003", "Sheet1!F77", "SÓC TRĂNG", "spending", 840.845),
    ("plan_2003", "Sheet1!C62", "BÌNH PHƯỚC", "revenue", 230.1),
    ("plan_2008", "Sheet1!C72", "Tp. Hồ Chí Minh", "revenue", 98070.2),
    ("plan_2008", "Sheet1!D85", "Cần Thơ", "share_kept", 96),
    ("plan_2008", "Sheet1!F86", "Hậu Giang", "transfer", 964.554),
    ("plan_2008", "Sheet1!G35", "Hà Nội", "balancing", None),
    ("plan_2008", "Sheet1!G87", "Sóc Trăng", "balancing", 610.666),
    ("final_2009", "M09+!C76", "CẦN THƠ", "revenue", 5637.108463238825),
    ("final_2009", "M09+!F77", "HẬU GIANG", "transfer", 1883.32652277),
    ("final_2009", "M09+!E78", "SÓC TRĂNG", "spending", 3298.8017006679997),
    ("final_2009", "M09+!F26", "HÒA BÌNH", "transfer", 2518.741),
    ("final_2009", "M09+!D24", "QUẢNG NINH", "share_kept", 76),
]


@pytest.mark.parametrize("name", ["plan_2003", "plan_2008", "final_2009"])
def test_a_cell_of_the_workbook_is_found_in_the_warehouse_in_the_unit_asked_for(loaded, name):
    warehouse = loaded(name)
    for _, place, province, field, value in (cell for cell in CELLS if cell[0] == name):
        found = warehouse.select(
            f"select {field} from data_{name} where upper(province) = upper('{province}')"
        )
        assert found.item() == value, place
    years = warehouse.select(f"select distinct year(period) from data_{name}").item()
    assert years == int(name[-4:])


def test_a_province_stands_in_its_region(loaded):
    warehouse = loaded("plan_2008")
    found = warehouse.select(
        "select region, count(*) from data_plan_2008 group by 1 order by min(rowid)"
    )
    assert found.rows() == [
        ("Miền Núi Phía Bắc Northmountainous area", 14),
        ("Đb Sông Hồng Red river delta", 12),
        ("Bắc Trung Bộ Và Duyên Hải Miền Trung Northcentral & centralcoast area", 14),
        ("Tây Nguyên - Central highlands", 5),
        ("Đông Nam Bộ Southeastern area", 6),
        ("Đb Sông Cửu Long Mekong river delta", 13),
    ]


def test_one_total_of_the_plan_for_2008_holds_more_than_its_records(loaded):
    warehouse = loaded("plan_2008")
    assert warehouse.count("select count(*) from stated_total") == 21
    bad = warehouse.select(
        "select record, field, stated, round(stated - computed, 3) from stated_total "
        "where not agrees"
    )
    # G14 holds only the mark of a footnote, "(1)", and its figure stands in G16. The footnote, A94,
    # says that 2.640.712 triệu for wages are in it, which no province has yet.
    assert bad.rows() == [(14, "balancing", 42489.48, 2640.714)]


def test_three_totals_of_the_final_accounts_are_not_those_of_their_records(loaded):
    warehouse = loaded("final_2009")
    assert warehouse.count("select count(*) from stated_total") == 27
    bad = warehouse.select(
        "select record, field, round(stated - computed, 5) from stated_total where not agrees"
    )
    assert bad.rows() == [
        (12, "revenue", -0.0002),
        (30, "revenue", -0.0002),
        (57, "transfer", -0.00069),  # written without its decimals
    ]


def test_all_totals_of_the_paddy_export_are_those_of_its_records(loaded):
    totals = loaded("paddy_area").select("select agrees from stated_total")
    assert totals.height == 7 * 22
    assert totals["agrees"].all()


def test_places_our_geography_knows_are_observed_and_the_others_kept_under_their_names(loaded):
    here = observed(loaded("rice_area_gso"), "period = '2016-01-01'")
    assert here.select("area", "value", "status").rows() == [
        ("can_tho_old", 240.0, "preliminary"),
        ("hau_giang", 202.3, "preliminary"),
        ("national", 7790.4, "preliminary"),
        ("soc_trang", 357.3, "preliminary"),
    ]


def test_a_province_of_the_paddy_export_is_kept_with_its_region(loaded):
    found = loaded("paddy_area").select(
        "select region, value from data_paddy_area "
        "where province = 'Ha Tay' and period >= '2007-01-01'"
    )
    assert found.rows() == [("Red River Delta", 155.4)]  # then ".."; it joined Ha Noi in 2008


UNICODE_IS_WRONG: dict[str, str] = {}
"""Cells that the hand that retyped the sheet in Unicode got wrong: as decoded, as retyped."""


def test_the_sheet_in_old_letters_reads_as_the_one_retyped_in_unicode():
    path = SAMPLES / "Plan_2003.xls"
    old, new = read_sheets(path, "^Sheet1")
    fonts = old_fonts(path, "^Sheet1")
    assert len(fonts["Sheet1"]) == 109
    read = grid_of_sheet(old, dataset("plan_2003"), fonts["Sheet1"], "old")
    typed = grid_of_sheet(new, dataset("plan_2003"), {}, "new")
    differ = {}
    for i, pair in enumerate(zip(read.rows(0, 85), typed.rows(0, 85), strict=True), start=1):
        for letter, ours, theirs in zip("ABCDEFGH", *pair, strict=True):
            if "#VALUE!" in (ours, theirs):  # a formula that was lost in both, in its own way
                continue
            if re.sub(r"\s+", " ", ours or "") != re.sub(r"\s+", " ", theirs or ""):
                differ[f"{letter}{i}"] = (ours, theirs)
    assert differ == UNICODE_IS_WRONG
