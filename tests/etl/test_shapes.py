"""Every shape of table departments send, each as small as it can be."""

import datetime as dt
import io
from decimal import Decimal

import pytest
import xlsxwriter
from conftest import HEAD

from etl.catalog import parse_catalog
from etl.errors import ForesightError
from etl.extract import READERS
from etl.extract.raw import Account, Raw, RowsUnaccounted, UnreadableFile
from etl.extract.units import UnknownUnit, factor, unit, units_in
from etl.legacy_text import decode_written

ENTRY = """
- name: land
  title: Đất
  sources: [{path: land.ENDING}]
  read: READ
  clean: CLEAN
  schema:
    fields:
    - {name: area, type: string, from: ["Xã, phường", '^Địa phương']}
    - {name: value, type: number, from: [Số tiền, '^Kinh phí'], UNIT}
"""


def entry(read: str, clean: str = "{}", unit: str = "unit: triệu đồng", ending: str = "xlsx"):
    made = ENTRY.replace("READ", read).replace("CLEAN", clean).replace("ENDING", ending)
    # Areas are names as they stand: here it is the rows that matter.
    text = made.replace("UNIT", unit).replace("name: area", "name: spot")
    return parse_catalog(HEAD + text).datasets["land"]


@pytest.fixture
def extract(tmp_path):
    """Read a workbook of one or several sheets of these rows, or a csv of this text."""

    def extracted(rows, read: str = "{}", clean: str = "{}", unit: str = "unit: triệu đồng") -> Raw:
        path = tmp_path / ("land.csv" if isinstance(rows, str) else "land.xlsx")
        path.write_bytes(rows.encode() if isinstance(rows, str) else workbook(rows))
        dataset = entry(read, clean, unit, path.suffix[1:])
        return READERS[dataset.format](path, dataset)

    return extracted


def workbook(sheets) -> bytes:
    made = io.BytesIO()
    sheets = sheets if isinstance(sheets, dict) else {"Bieu": sheets}
    with xlsxwriter.Workbook(made) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if isinstance(cell, dt.datetime):
                        sheet.write_datetime(r, c, cell, day)
                    elif cell != "":
                        sheet.write(r, c, cell)
    return made.getvalue()


def column(raw: Raw, label: str) -> list[str | None]:
    return raw.frame[f"c{raw.labels.index(label)}"].to_list()


TITLED = [
    ["ỦY BAN NHÂN DÂN", "", "CỘNG HÒA XÃ HỘI"],
    ["KINH PHÍ THÁNG 9 NĂM 2026"],
    ["", "", "Đơn vị: tỷ đồng"],
    ["STT", "Xã, phường", "Số tiền"],
    ["A", "B", 1],
    ["", "Tổng cộng", 67.5],
    ["I", "Khối phường", 60],
    [1, "Ninh Kiều", 40],
    [2, "Cái Khế", 20],
    ["II", "Khối xã", ""],
    [3, "Phong Điền", 7.5],
    [],
    ["Ghi chú: số ước"],
]
READ = "{header: {find: STT}, unit: ^Đơn vị, stop_at: ^Ghi chú}"


def test_a_form_with_everything_around_its_records_gives_only_its_records(extract):
    raw = extract(TITLED, READ, "{groups: {into: block}, totals: {}}")
    assert column(raw, "Xã, phường") == ["Ninh Kiều", "Cái Khế", "Phong Điền"]
    assert column(raw, "Số tiền") == ["40000", "20000", "7500"]
    assert column(raw, "block") == ["Khối phường", "Khối phường", "Khối xã"]
    assert raw.frame["_record"].to_list() == [8, 9, 11]


def test_every_row_that_holds_anything_is_of_exactly_one_kind(extract):
    raw = extract(TITLED, READ, "{groups: {}, totals: {}}")
    kinds = {"title": 3, "header": 1, "column numbers": 1, "group": 2, "total": 1, "record": 3}
    assert raw.accounts == [Account("Bieu", 12, {**kinds, "footnote": 1})]


def test_errors_of_a_workbook_make_no_record_of_a_row_that_is_none(extract):
    rows = [[*row] for row in TITLED]
    rows[4] = ["A", "B", "#VALUE!"]
    rows[5][2] = rows[9][2] = "#REF!"
    raw = extract(rows, READ, "{groups: {into: block}, totals: {}}")
    assert raw.frame["_record"].to_list() == [8, 9, 11]
    assert column(raw, "block") == ["Khối phường", "Khối phường", "Khối xã"]


@pytest.mark.parametrize(
    ("read", "figures"),
    [
        ("{}", ["1.2", "'1.200", "12.50", "'-57.688"]),
        ('{decimal: "."}', ["1.2", "1.200", "12.50", "-57.688"]),
    ],
)
def test_a_text_among_figures_that_may_be_a_thousand_times_as_much_is_not_read(
    extract, read, figures
):
    cells = [1.2, "1.200", "12.50", "-57.688"]
    raw = extract([["Xã, phường", "Số tiền"], *(["1.200", cell] for cell in cells)], read)
    assert column(raw, "Số tiền") == figures
    assert column(raw, "Xã, phường") == ["1.200"] * 4


def test_a_row_that_goes_missing_stops_the_load():
    with pytest.raises(RowsUnaccounted, match="12 rows hold something, but 11 are accounted for"):
        Account("Bieu", 12, {"title": 3, "record": 8}).close("land.xlsx: Bieu")


def test_totals_are_computed_again_and_compared(extract):
    raw = extract(TITLED, READ, "{groups: {}, totals: {}}")
    told = [(t.record, t.label, t.stated, t.computed, t.agrees) for t in raw.totals]
    assert told == [(6, "Tổng cộng", 67500, 67500, True), (7, "Khối phường", 60000, 60000, True)]


def test_a_total_is_kept_beside_the_sum_it_is_not(refresh):
    text = ENTRY.replace("READ", READ).replace("CLEAN", "{groups: {}, totals: {}}")
    text = text.replace("ENDING", "xlsx").replace("UNIT", "unit: triệu đồng")
    rows = [[67 if cell == 67.5 else cell for cell in row] for row in TITLED]
    named = text.replace("name: area", "name: spot")
    for _ in range(2):  # what an earlier load of the file said is forgotten
        warehouse = refresh(named, land_xlsx=workbook(rows))
        found = warehouse.select("select record, header, stated, computed from stated_total")
        assert (6, "Số tiền", 67000.0, 67500.0) in found.rows()
        assert found.height == 2
        rows[7][1] = "Tân An"


@pytest.mark.parametrize(
    ("unit", "stated", "figures", "agrees"),
    [
        ("unit: người", 10, [5, 4], False),  # counts are not rounded
        ("unit: hồ sơ", 10, [5, 4], False),
        ("unit: nghìn người", 10, [5, 4], True),
        ("unit: nghìn người", 12, [5, 4], False),
        ("unit: người", 10.1, [5.2, 4.8], True),
        ("title: Hồ sơ", 9, [5, 4], True),
        ("title: Hồ sơ", 9, ["..", "x"], None),
    ],
)
def test_a_total_agrees_where_rounding_explains_the_difference(
    extract, unit, stated, figures, agrees
):
    records = [[f"Xã {i}", figure] for i, figure in enumerate(figures)]
    rows = [["Xã, phường", "Số tiền"], *records, ["Tổng số", stated]]
    [total] = extract(rows, clean="{totals: {}}", unit=unit).totals
    assert total.agrees is agrees


def test_a_total_may_be_of_its_group_and_may_be_a_record_as_well(extract):
    rows = [
        ["Địa phương", "Số tiền"],
        ["Toàn thành phố", 9],
        ["I. Phường", ""],
        ["Ninh Kiều", 4],
        ["Cộng nhóm", 4],
        ["II. Xã", ""],
        ["Phong Điền", 5],
        ["Cộng nhóm", 7],
    ]
    totals = "[{keep: true}, {match: ^Cộng, of: group}]"
    raw = extract(rows, clean=f"{{groups: {{match: '^[IVX]+\\. '}}, totals: {totals}}}")
    assert column(raw, "Địa phương") == ["Toàn thành phố", "Ninh Kiều", "Phong Điền"]
    assert column(raw, "group") == [None, "Phường", "Xã"]
    assert [t.agrees for t in raw.totals] == [True, True, False]


def test_shares_have_no_sum(extract):
    rows = [["Xã, phường", "Số tiền"], ["Ninh Kiều", 40], ["Tổng số", 55]]
    assert extract(rows, clean="{totals: {}}", unit='unit: "%"').totals == []


def test_groups_stand_within_groups(extract):
    rows = [
        ["Xã, phường", "Số tiền"],
        ["A. Phía Bắc", ""],
        ["I. Phường", ""],
        ["Ninh Kiều", 4],
        ["B. Phía Nam", ""],
        ["Phú Lợi", 5],
    ]
    levels = "[{match: '^[A-HJ-U]\\. ', into: side}, {match: '^[IVX]+\\. ', into: kind}]"
    raw = extract(rows, clean=f"{{groups: {levels}}}")
    assert column(raw, "side") == ["Phía Bắc", "Phía Nam"]
    assert column(raw, "kind") == ["Phường", None]


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (["A", "B", "1"], 1),
        (["(1)", "(2)", "(3)"], 1),
        ([1, 2, 3], 1),  # "2" is no name of a spot
        (["A", "B", "3=1+2"], 2),  # numbers are counted from 1
        (["1", "Ninh Kiều", "3"], 2),
        (["A", "C", "1"], 2),
    ],
)
def test_a_row_of_column_numbers_is_told_from_a_record(extract, row, kept):
    rows = [["STT", "Xã, phường", "Số tiền"], row, ["1", "Cái Khế", "5"]]
    assert extract(rows).records == kept


def test_a_row_of_formulas_of_columns_is_no_record(extract):
    rows = [["STT", "Xã, phường", "Số tiền", "Thu", "Chi"], ["A", "B", "1=2+3", 2, 3]]
    assert extract([*rows, [1, "Cái Khế", 5, 3, 2]]).records == 1


def test_numbers_one_two_three_may_be_a_record(extract):
    rows = [["Xã, phường", "Số tiền", "Thu", "Chi"], ["Cái Khế", 4, 1, 3], ["", 1, 2, 3]]
    assert extract(rows).records == 2


@pytest.mark.parametrize(
    "find", ['"Xã, phường"', "'^xã, ph'", "'^Name of'"], ids=["whole", "beginning", "other row"]
)
def test_the_header_is_found_by_any_of_its_rows(extract, find):
    rows = [
        ["KINH PHÍ"],
        ["TT", "Xã, phường", "Số tiền"],
        ["No", "Name of communes", "Amount"],
        [1, "Cái Khế", 5],
    ]
    at = 2 if "Name" in find else 1
    raw = extract(rows, f"{{header: {{find: {find}, rows: 2, at: {at}}}}}")
    assert raw.labels[:3] == ["TT No", "Xã, phường Name of communes", "Số tiền Amount"]
    assert raw.frame["_record"].to_list() == [4]


def test_tables_below_one_another_are_one_however_each_spells_its_columns(extract):
    rows = [
        ["Quý I năm 2025", ""],
        ["", "ĐVT: triệu đồng"],
        ["Xã, phường", "Số tiền"],
        ["Cái Khế", 5],
        [],
        ["Cái Răng", 6],
        [],
        ["Quý II năm 2026", ""],
        ["", "ĐVT: nghìn đồng"],
        ["Địa phương", "Ghi chú", "Kinh phí (*)"],
        ["Ô Môn", "x", 7500],
    ]
    raw = extract(
        rows,
        "{header: {find: '^(Xã, phường|Địa phương)$'}, tables: all, unit: ^ĐVT, "
        "caption: 'Quý (?P<quarter>[IV]+) năm (?P<year>20..)'}",
        "{compose: {period: 'Quý {$quarter}/{$year}'}}",
    )
    assert column(raw, "Xã, phường") == ["Cái Khế", "Cái Răng", "Ô Môn"]
    assert column(raw, "Số tiền") == ["5", "6", "7.5"]
    assert column(raw, "period") == ["Quý I/2025", "Quý I/2025", "Quý II/2026"]
    assert raw.accounts[0].kinds == {"title": 4, "header": 2, "record": 3}


def test_a_sheet_that_lacks_a_column_others_have_is_no_silent_gap(extract):
    sheets = {"T1": [["Xã, phường", "Số tiền"], ["Ô Môn", 1]], "T2": [["Xã, phường"], ["Ô Môn"]]}
    with pytest.raises(ForesightError, match="one table has a column for 'value', another has non"):
        extract(sheets, "{sheet: ^T}")


def test_months_as_columns_and_the_year_in_the_name_of_the_sheet(extract):
    table = [["Xã, phường", "T1", "Tháng 2"], ["Ô Môn", 1, 2]]
    raw = extract(
        {"Nam 2025": table, "Nam 2026": table},
        "{sheet: ^Nam, caption: 'nam (?P<year>20..)'}",
        "{unpivot: {columns: '^(T|Tháng )(?P<month>[0-9]+)$', into: value}, "
        "compose: {period: '{month}/{$year}'}}",
    )
    assert column(raw, "period") == ["1/2025", "2/2025", "1/2026", "2/2026"]
    assert column(raw, "value") == ["1", "2", "1", "2"]


def test_a_caption_that_is_not_there_says_which_cells_are(extract):
    with pytest.raises(UnreadableFile, match="no cell above the table matches") as error:
        extract(TITLED, "{header: {find: STT}, caption: 'quý (?P<quarter>[IV]+)'}")
    assert "KINH PHÍ THÁNG 9 NĂM 2026" in error.value.hint


def test_a_unit_is_converted_without_the_noise_of_binary_figures(extract):
    rows = [["Đơn vị: tỷ đồng"], ["Xã, phường", "Số tiền"], ["A", 67], ["B", 0.1], ["C", "0.07"]]
    raw = extract([*rows, ["D", "hơn 5"], ["E", "(1)"]], "{header: {find: Số tiền}, unit: ^Đơn vị}")
    # What is no figure stays as it stands, to be rejected.
    assert column(raw, "Số tiền") == ["67000", "100", "70", "hơn 5", "(1)"]


def test_a_unit_that_cannot_be_converted_says_what_was_found_and_where(extract):
    rows = [["", "ĐVT: tấn"], ["Xã, phường", "Số tiền"], ["Ô Môn", 5]]
    with pytest.raises(UnknownUnit) as error:
        extract(rows, "{header: {find: Số tiền}, unit: ^ĐVT}", unit="unit: người")
    assert str(error.value).splitlines() == [
        "land.xlsx: Bieu, cell B1: figures are in 'ĐVT: tấn', which cannot be converted to người",
        "  correct the unit of the fields, or ask the department what it means",
    ]


def test_a_word_that_is_no_unit_is_not_guessed(extract):
    rows = [["ĐVT: thúng"], ["Xã, phường", "Số tiền"], ["Ô Môn", 5]]
    with pytest.raises(UnknownUnit, match="'ĐVT: thúng' names no unit that is known"):
        extract(rows, "{header: {find: Số tiền}, unit: ^ĐVT}")


@pytest.mark.parametrize(
    ("found", "wanted", "times"),
    [
        ("Đơn vị: Triệu đồng.", "tỷ đồng", "0.001"),
        ("Triệu đồng - In millions of dong", "đồng", "1000000"),
        ("ĐVT: 1.000 ha", "nghìn ha", "1"),
        ("Đơn vị tính: Nghìn người", "triệu người", "0.001"),
        ("(Unit: Thous. ha)", "km²", "10"),
        ("Unit: Thous. pers.", "người", "1000"),
        ("ĐVT: ngàn đồng, %", "triệu đồng", "0.001"),
        ("Đơn vị: ‰", "%", "0.1"),
        ("nghìn tấn", "tấn", "1000"),
        ("Bill. dongs", "triệu đồng", "1000"),
    ],
)
def test_units_are_read_in_both_languages(found, wanted, times):
    wanted_unit = unit(wanted)
    assert wanted_unit is not None
    [one] = [u for u in units_in(found) if u.dimension == wanted_unit.dimension]
    assert factor(one, wanted_unit) == Decimal(times)


@pytest.mark.parametrize("text", ["", "ĐVT:", "Đơn vị: triệu", "tấn/ha", "triệu đồng, tỷ đồng"])
def test_what_is_no_unit_or_two_of_them_is_refused(text):
    with pytest.raises(UnknownUnit):
        units_in(text)


EXPORT = """"Diện tích theo địa phương"

"Xã, phường";"2024";"Sơ bộ 2025"
" CẢ HAI";"3,5";4
" Ô Môn";"1,5";".."
"Cái  Răng";2;4
"""


def test_an_export_with_a_title_and_years_as_columns_is_shaped_like_a_sheet(extract):
    raw = extract(
        EXPORT,
        '{delimiter: ";", decimal: ",", header: {find: "Xã, phường"}}',
        "{unpivot: {columns: '(?P<status>Sơ bộ)? ?(?P<period>20..)$', into: value}, "
        "totals: {match: ^cả hai}}",
        "unit: nghìn ha",
    )
    assert list(zip(column(raw, "Xã, phường"), column(raw, "period"), strict=True)) == [
        ("Ô Môn", "2024"),
        ("Cái  Răng", "2024"),
        ("Cái  Răng", "2025"),
    ]
    assert raw.frame["_record"].to_list() == [5, 6, 6]  # rows as a spreadsheet shows them
    assert [(t.stated, t.agrees) for t in raw.totals] == [(Decimal("3.5"), True), (4, True)]
    assert raw.accounts[0].kinds == {"title": 1, "header": 1, "total": 1, "record": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Xã, phường;2024\nÔ Môn\n", "row 2 has 1 cells, its header 2"),
        ("Xã, phường;2024\nÔ Môn;1;2\n", "row 2 has 3 cells, its header 2"),
        ('Xã, phường;2024\n"Ô Môn;1\n', "not delimited text"),
    ],
)
def test_a_line_that_lost_or_gained_cells_is_not_shaped_over(extract, text, told):
    with pytest.raises(UnreadableFile, match=told):
        extract(text, '{delimiter: ";"}', "{unpivot: {columns: '^20..$', into: value}}")


def test_a_name_is_filled_down_in_delimited_text(extract):
    raw = extract('"Xã, phường",Số tiền\nÔ Môn,1\n,2\n', clean='{fill_down: ["Xã, phường"]}')
    assert column(raw, "Xã, phường") == ["Ô Môn", "Ô Môn"]


DAYS = """
- name: days
  title: Ngày
  sources: [{path: days.xlsx}]
  read: {decimal: ","}
  clean: {max_rejected: 1}
  schema: {fields: [{name: day, type: date}, {name: days, type: number}]}
"""


def test_half_days_and_hours_are_read_and_marks_are_not(refresh):
    rows = [
        ["day", "days"],
        [dt.datetime(2026, 2, 1), 0.5],  # noqa: DTZ001  (a workbook knows no zone)
        [dt.datetime(2026, 2, 1, 12), "0,5"],  # noqa: DTZ001
        ["14:30 01/02/2026", "1,5"],
        ["01/02/2026 07:00", "–"],
        ["01/02/2026", "(1)"],
        ["01/02/2026", "5 (1)"],
    ]
    warehouse = refresh(DAYS, days_xlsx=workbook(rows))
    kept = warehouse.select("select day, days from data_days").rows()
    assert kept == [(dt.date(2026, 2, 1), days) for days in (0.5, 0.5, 1.5, None)]
    bad = warehouse.select("select record, rule, value from rejected order by 1").rows()
    assert bad == [(6, "days_readable", "(1)"), (7, "days_readable", "5 (1)")]


@pytest.mark.parametrize(
    ("text", "runs", "read"),
    [
        ("CÇn Th¬", [(0, ".VnTime")], "Cần Thơ"),
        ("cÇn th¬", [(0, ".VnTimeH")], "CẦN THƠ"),
        ("trung \xad¬ng", [(0, ".VnArialH")], "TRUNG ƯƠNG"),
        ("TØnh CÇn th¬", [(0, ".VnTime"), (5, ".VnTimeH")], "Tỉnh CẦN THƠ"),
        ("Caàn Thô", [(0, "VNI-Times")], "Cần Thơ"),
        ("Cà Mau", [(0, "Times New Roman")], "Cà Mau"),
        ("Hà cÇn", [(0, "Arial"), (3, ".VnTime")], "Hà cần"),
    ],
)
def test_the_font_tells_letters_and_capitals(text, runs, read):
    assert decode_written(text, runs) == read
