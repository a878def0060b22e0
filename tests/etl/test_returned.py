"""A department gets its own file back with the bad cells marked, and mends it by what they say."""

import csv
import io
import re
import stat
import tracemalloc
import zipfile

import openpyxl
import pytest
import xlsxwriter
import yaml
from conftest import ROOT
from openpyxl.comments import Comment

from etl import rule_words
from etl.catalog import load_catalog, parse_catalog
from etl.errors import Problems
from etl.extract.sheets_child import LIST_SHEET
from etl.pipeline import facts_of
from etl.returned import Changed, InTheWay, bad_cells, bad_files, give_back, source
from etl.returned import book as books
from etl.returned.book import TABLE

VISITS = """
- name: visits
  title: Lượt
  sources: [{path: visits.ENDING}]
  read: {decimal: ",", HEADER}
  clean: {areas: {level: commune}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Xã/phường], constraints: {required: true}}
    - {name: period, type: yearmonth, from: [Tháng]}
    - name: received
      type: integer
      from: [Tiếp nhận, 2026 Tiếp nhận]
      constraints: {minimum: 0, maximum: 900}
    - {name: done, type: integer, from: [Giải quyết, 2026 Giải quyết]}
    - {name: phone, from: [Điện thoại], sensitive: true, constraints: {pattern: '0\\d{9}'}}
    primaryKey: [area, period]
  rules:
  - name: done_of_received
    check: done <= received
    title: Giải quyết nhiều hơn tiếp nhận
    title_en: More done than received
  indicators: [{name: received, title: Tiếp nhận, title_en: Received, value: received}]
"""
HEADER = ["Xã/phường", "Tháng", "Tiếp nhận", "Giải quyết", "Điện thoại", "Ghi chú"]
RECORDS = [
    ["Phường Ninh Kiều", "01/2026", "40", "41", "0912345678", ""],
    ["Phường Ninh Kieu", "02/2026", "-3", "1", "0912345678", "=1+1"],
    ["Phường Cái Khế", "13/2026", "4 chục", "1", "12", ""],
    ["", "03/2026", "901", "1", "", ""],
    ["Phường Cái Khế", "04/2026", "5", "1", "", ""],
    ["Cái Khế", "4/2026", "6", "1", "", ""],
]
MENDED = [
    ["Phường Ninh Kiều", "01/2026", "41", "41", "0912345678", ""],
    ["Phường Ninh Kiều", "02/2026", "3", "1", "0912345678", "=1+1"],
    ["Phường Cái Khế", "03/2026", "40", "1", "0912345678", ""],
    ["Phường Cái Răng", "03/2026", "900", "1", "", ""],
    ["Phường Cái Khế", "04/2026", "5", "1", "", ""],
    ["Phường Cái Khế", "05/2026", "6", "1", "", ""],
]


LAND = """
- name: land
  title: Đất
  sources: [{path: land.ENDING}]
  read: {decimal: ","}
  clean: {areas: {level: commune}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Xã/phường], constraints: {required: true}}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: value, type: number, from: [Diện tích]}
  indicators: [{name: land_used, title: Đất đã dùng, title_en: Land used}]
"""


def entry(ending: str) -> str:
    return LAND.replace("ENDING", ending)


def visits(ending: str, header: str = "") -> str:
    return VISITS.replace("ENDING", ending).replace(", HEADER", f", {header}" if header else "")


def lines(rows: list[list[str]]) -> bytes:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(rows)
    return made.getvalue().encode()


def sheet(rows: list[list[str]], *more: str) -> bytes:
    """A workbook of one sheet, and empty ones called `more`."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"strings_to_formulas": False}) as book:
        for number, row in enumerate(rows):
            if number == 0:
                page = book.add_worksheet("Biểu 1")
            page.write_row(number, 0, row)
        for name in more:
            book.add_worksheet(name)
    return made.getvalue()


@pytest.fixture
def returned(refresh, installation, tmp_path):
    """Refresh, give back, and open the one workbook that was written."""

    def opened(resources: str, **files: bytes) -> openpyxl.Workbook:
        with refresh(resources, **files) as warehouse:
            catalog = parse_catalog(facts_of(warehouse)["catalog"])
            (given,) = give_back(warehouse, catalog, installation, tmp_path / "returned")
        return openpyxl.load_workbook(given.path)

    return opened


def marked(book: openpyxl.Workbook) -> dict[str, str]:
    """Comments by cell, of all sheets but the list."""
    return {
        cell.coordinate: cell.comment.text
        for page in book.worksheets
        if page.title != LIST_SHEET
        for row in page.iter_rows()
        for cell in row
        if cell.comment
    }


def listed(book: openpyxl.Workbook) -> list[list[str]]:
    """Rows of the list below its heading: sheet, cell, label, value, reasons and remedies."""
    rows = [[cell.value for cell in row] for row in book[LIST_SHEET].iter_rows()]
    head = next(i for i, row in enumerate(rows) if row[0] == "Trang / Sheet")
    return rows[head + 1 :]


def mend(book: openpyxl.Workbook, place: str, text: str) -> None:
    """Write into a cell, which must be a marked one."""
    page = book.worksheets[1]
    assert page[place].comment is not None, place
    page[place].value = text


def saved(book: openpyxl.Workbook) -> bytes:
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def rejected(warehouse) -> list[tuple]:
    return warehouse.select("select record, rule from rejected order by all").rows()


def test_a_workbook_mended_where_it_is_marked_loads_whole(returned, refresh):
    book = returned(visits("xlsx"), visits_xlsx=sheet([HEADER, *RECORDS]))
    for row, cells in enumerate(MENDED):
        for column, text in enumerate(cells):
            if text != RECORDS[row][column]:
                mend(book, f"{'ABCDEF'[column]}{row + 2}", text)
    again = refresh(visits("xlsx"), visits_xlsx=saved(book))
    assert rejected(again) == []
    assert again.select("select sum(accepted) from current_load").item() == 6


def test_each_mark_says_the_rule_what_was_found_and_what_is_expected(returned):
    told = marked(returned(visits("xlsx"), visits_xlsx=sheet([HEADER, *RECORDS])))
    assert {
        place: text.splitlines()[:3] for place, text in told.items() if place in "A3 B4 E4"
    } == {
        "A3": [
            "Không có trong danh mục",
            "Đang ghi: Phường Ninh Kieu",
            "Cần: tên một đơn vị hành chính có vào ngày 28/02/2026; "
            "gần giống nhất: Phường Ninh Kiều",
        ],
        "B4": [
            "Không đọc được",
            "Đang ghi: 13/2026",
            "Cần: một kỳ: 2025, 09/2025, Quý III/2025 hoặc 9 tháng 2025",
        ],
        "E4": ["Sai dạng quy định", "Đang ghi: 12", r"Cần: dạng 0\d{9}"],
    }
    assert "Expected: Giải quyết (41) ≤ Tiếp nhận (40)" in told["C2"]
    assert "Giải quyết nhiều hơn tiếp nhận" in told["D2"]
    assert "Expected: 0 or more" in told["C3"]
    assert "Cần: không quá 900" in told["C5"]
    assert "Required but empty\nThere now: (empty)" in told["A5"]
    assert "each value of Xã/phường + Tháng once; it stands in row 6 already" in told["A7"]
    assert told["B7"].splitlines()[1] == "Đang ghi: 4/2026"


def test_the_first_sheet_lists_each_bad_cell_with_a_link_to_it(returned):
    book = returned(visits("xlsx"), visits_xlsx=sheet([HEADER, *RECORDS]))
    assert book.sheetnames == [LIST_SHEET, "Biểu 1"]
    assert [(row[0], row[1], row[3]) for row in listed(book)][:3] == [
        ("Biểu 1", "C2", "40"),
        ("Biểu 1", "D2", "41"),
        ("Biểu 1", "A3", "Phường Ninh Kieu"),
    ]
    links = {c.value: c.hyperlink.location for c in book[LIST_SHEET]["B"] if c.hyperlink}
    assert links["C2"] == "'Biểu 1'!C2"
    assert links.keys() == marked(book).keys()


def test_a_list_that_comes_back_is_not_read_and_old_marks_go(returned, refresh, installation):
    first = returned(visits("xlsx"), visits_xlsx=sheet([HEADER, *RECORDS]))
    mend(first, "B4", "03/2026")
    second = returned(visits("xlsx"), visits_xlsx=saved(first))
    assert second.sheetnames == [LIST_SHEET, "Biểu 1"]
    assert marked(first).keys() - marked(second).keys() == {"B4"}


def test_what_the_department_made_of_its_workbook_stays(returned):
    book = openpyxl.load_workbook(io.BytesIO(sheet([HEADER, *RECORDS])))
    page = book.worksheets[0]
    page["F2"] = "=C2-D2"
    page["C3"].comment = Comment("hỏi lại xã", "An")
    page.column_dimensions["A"].width = 31
    page.merge_cells("F5:F6")
    book.create_sheet("Phụ lục")["B2"] = "giữ nguyên"
    given = returned(visits("xlsx"), visits_xlsx=saved(book))
    page = given["Biểu 1"]
    assert page["F2"].value == "=C2-D2"
    assert page["C3"].comment.text.startswith("hỏi lại xã\n\n")
    assert page.column_dimensions["A"].width == 31
    assert "F5:F6" in map(str, page.merged_cells.ranges)
    assert given["Phụ lục"]["B2"].value == "giữ nguyên"


def test_the_original_is_never_changed_and_what_is_written_is_for_its_owner(
    returned, installation, tmp_path
):
    content = sheet([HEADER, *RECORDS])
    returned(visits("xlsx"), visits_xlsx=content)
    assert (installation.catalog.parent / "visits.xlsx").read_bytes() == content
    (written,) = (tmp_path / "returned").iterdir()
    assert written.name == "visits.can-sua.xlsx"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_a_csv_comes_back_as_a_table_and_is_mended_by_its_marks(returned, refresh):
    book = returned(visits("csv"), visits_csv=lines([HEADER, *RECORDS]))
    for row, cells in enumerate(MENDED):
        for column, text in enumerate(cells):
            if text != RECORDS[row][column]:
                mend(book, f"{'ABCDEF'[column]}{row + 2}", text)
    rows = [[c or "" for c in row] for row in book[TABLE].iter_rows(values_only=True)]
    assert rejected(refresh(visits("csv"), visits_csv=lines(rows))) == []


def test_records_with_line_breaks_in_them_are_counted_as_one(returned):
    noted = [*RECORDS[0][:5], "hai\n\ndòng"]
    good = ["Phường Cái Khế", "01/2026", "5", "1", "", "ba\ndòng\nnữa"]
    rows = [HEADER, good, noted, [*good[:5], "", "một ô thừa"], RECORDS[2]]
    book = returned(visits("csv"), visits_csv=lines(rows))
    assert set(marked(book)) == {"C3", "D3", "A4", "B5", "C5", "E5"}
    assert book[TABLE]["F3"].value == "hai\n\ndòng"
    assert book[TABLE]["G4"].value == "một ô thừa"
    assert "Expected: 6 cells; there are 7" in marked(book)["A4"]


@pytest.mark.parametrize("note", ["", 'một "dấu nháy'])
def test_blank_lines_are_no_records_and_move_no_mark(returned, note):
    good = ",".join([*RECORDS[4][:5], note])
    content = lines([HEADER]) + f"{good}\n\n\n".encode()
    content += lines([[*RECORDS[5], "thừa"], [*RECORDS[4][:1], "5/2026", "-1", "-2", "", ""]])
    assert set(marked(returned(visits("csv"), visits_csv=content))) == {"A3", "C4"}


def test_under_a_merged_header_the_right_cell_is_marked(returned):
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        page = book.add_worksheet("Biểu 1")
        page.write(0, 0, "BÁO CÁO LƯỢT TIẾP NHẬN")
        for column, label in enumerate([*HEADER[:2], "", "", *HEADER[4:]]):
            page.write(2, column + 1, label)
        page.merge_range(2, 3, 2, 4, "2026")
        page.write_row(3, 3, HEADER[2:4])
        for number, row in enumerate([["TỔNG SỐ"], *RECORDS[:2]], start=4):
            page.write_row(number, 1, row)
    read = "header: {find: Tháng, rows: 2}, drop_rows: '^TỔNG SỐ$'"
    book = returned(visits("xlsx", read), visits_xlsx=made.getvalue())
    assert set(marked(book)) == {"D6", "E6", "B7", "D7", "E7"}
    assert {row[2] for row in listed(book)} == {"2026 Tiếp nhận", "2026 Giải quyết", "Xã/phường"}


def test_a_bad_row_after_one_that_looks_like_a_footnote_keeps_its_number(returned):
    note = ["Ghi chú: số sơ bộ", "", "", "", "", ""]
    content = sheet([HEADER, RECORDS[4], note, ["", "", "", "", "", ""], RECORDS[3]])
    book = returned(visits("xlsx", "drop_rows: '^Ghi chú'"), visits_xlsx=content)
    assert set(marked(book)) == {"A5", "C5"}


def test_a_value_of_a_column_of_years_is_marked_in_that_column(returned):
    wide = entry("xlsx").replace(
        "clean: {", "clean: {unpivot: {columns: '^(?P<period>20..)$', into: value}, "
    )
    wide = wide.replace("type: yearmonth, from: [Tháng]", "type: year").replace(
        ", from: [Diện tích]", ""
    )
    rows = [["Xã/phường", "2025", "2026"], ["Phường Cái Khế", "7", "bảy"]]
    book = returned(wide, land_xlsx=sheet(rows))
    assert set(marked(book)) == {"C2"}
    assert "Cần: một số, dấu thập phân là “,”" in marked(book)["C2"]


def test_a_name_that_was_filled_down_is_marked_where_it_stands(returned):
    filled = entry("xlsx").replace("clean: {", "clean: {fill_down: [Xã/phường], ")
    rows = [["Xã/phường", "Tháng", "Diện tích"], ["Nơi Lạ", "1/2026", "7"], ["", "2/2026", "8"]]
    assert set(marked(returned(filled, land_xlsx=sheet(rows)))) == {"A2"}


def test_a_former_commune_is_told_which_it_is_in_now(returned):
    rows = [["Xã/phường", "Tháng", "Diện tích"], ["Phường Xuân Khánh", "1/2026", "7"]]
    told = marked(returned(entry("xlsx"), land_xlsx=sheet(rows)))["A2"]
    assert "nay thuộc: Phường Ninh Kiều" in told
    assert "is now in: Phường Ninh Kiều" in told


def test_text_that_looks_like_a_formula_stays_text(returned):
    attack = ["=HYPERLINK(0)", "+1", "-2+3", "@SUM(1)", "=cmd|' /C calc'!A0", "#N/A"]
    book = returned(visits("csv"), visits_csv=lines([HEADER, attack]))
    cells = [cell for page in book.worksheets for row in page.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type in ("f", "e")]
    assert [cell.value for cell in book[TABLE][2]] == attack
    assert all(cell.quotePrefix for cell in book[TABLE][2][:5])


def test_text_like_a_formula_in_the_departments_own_workbook_stays_text(returned):
    bad = [["=A1", *RECORDS[2][1:5], "=1+1"]]
    book = returned(visits("xlsx"), visits_xlsx=sheet([HEADER, *bad]))
    assert (book["Biểu 1"]["A2"].value, book["Biểu 1"]["A2"].data_type) == ("=A1", "s")
    assert {cell.data_type for row in book[LIST_SHEET].iter_rows() for cell in row} <= {"s", "n"}


def test_of_a_long_table_only_the_bad_records_come_back_with_their_numbers(returned):
    ids = entry("csv").replace(", constraints: {required: true}", "")
    ids = ids.replace(
        "    fields:\n", "    fields:\n    - {name: id, from: [Mã], constraints: {unique: true}}\n"
    )
    rows = [[f"H{n}", "Phường Cái Khế", "1/2026", "1"] for n in range(1, source.WHOLE + 2)]
    rows[99][3], rows[19_999][0] = "nhiều", "H7"
    book = returned(ids, land_csv=lines([["Mã", "Xã/phường", "Tháng", "Diện tích"], *rows]))
    shown = [[cell.value for cell in row] for row in book[TABLE].iter_rows()]
    assert shown == [
        ["Dòng số / Record", "Mã", "Xã/phường", "Tháng", "Diện tích"],
        [100, "H100", "Phường Cái Khế", "1/2026", "nhiều"],
        [20_000, "H7", "Phường Cái Khế", "1/2026", "1"],
    ]
    assert set(marked(book)) == {"E2", "B3"}
    assert "dòng 7 đã có" in marked(book)["B3"]
    intro = " ".join(str(row[0].value) for row in book[LIST_SHEET].iter_rows(max_row=6))
    assert f"{source.WHOLE + 1} dòng" in intro


def with_a_huge_merge(content: bytes) -> bytes:
    """The same workbook with a second sheet, of which a million cells are merged into one."""
    merged = "<mergeCells count='1'><mergeCell ref='A1:ALL1000'/></mergeCells>"
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "xl/worksheets/sheet2.xml":
                part = part.replace(b"<sheetData/>", b"<sheetData/>" + merged.encode())
            new.writestr(name, part)
    return made.getvalue()


@pytest.mark.parametrize(
    ("limit", "most", "ending", "content"),
    [
        ("MOST_CELLS", 20, "xlsx", sheet([HEADER, *RECORDS])),
        ("MOST_CELLS", 20, "csv", lines([HEADER, *RECORDS])),
        ("MEMORY", 120_000_000, "xlsx", with_a_huge_merge(sheet([HEADER, *RECORDS], "Phụ lục"))),
    ],
)
def test_what_is_too_large_to_be_marked_goes_back_as_a_list_that_says_so(
    returned, monkeypatch, limit, most, ending, content
):
    monkeypatch.setattr(books, limit, most)
    book = returned(visits(ending), **{f"visits_{ending}": content})
    assert book.sheetnames == [LIST_SHEET]
    assert "too large for its cells to be coloured" in " ".join(
        str(cell.value) for cell in book[LIST_SHEET]["A"]
    )
    assert {"B4", "C3"} <= {cell.value for cell in book[LIST_SHEET]["B"]}


def test_bad_cells_are_told_at_no_cost_of_what_stands_on_other_sheets(refresh, installation):
    content = with_a_huge_merge(sheet([HEADER, *RECORDS], "Phụ lục"))
    with refresh(visits("xlsx"), visits_xlsx=content) as warehouse:
        (file,) = bad_files(warehouse, load_catalog(installation.catalog), installation)
        tracemalloc.start()
        told = {one.cell: one.found for one in bad_cells(warehouse, file, "en", 20)}
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (told["C3"], told["C4"]) == ("-3", "4 chục")
    assert most < 20_000_000


def test_modules_of_the_program_called_as_those_of_python_are_in_nobodys_way(
    refresh, installation, tmp_path, monkeypatch
):
    """Streamlit puts the folder of its script first in the path, and we have a `numbers` there."""
    (tmp_path / "numbers.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with refresh(visits("xlsx"), visits_xlsx=sheet([HEADER, *RECORDS])) as warehouse:
        catalog = load_catalog(installation.catalog)
        (given,) = give_back(warehouse, catalog, installation, tmp_path / "back")
    assert given.cells > 0


def test_a_key_that_another_file_has_already_is_told_with_that_file(
    refresh, installation, tmp_path
):
    several = visits("csv").replace("visits.csv", "visits_*.csv")
    again = [*RECORDS[4][:2], "7", "7", "", ""]
    with refresh(
        several,
        visits_1_csv=lines([HEADER, RECORDS[4]]),
        visits_2_csv=lines([HEADER, again]),
    ) as warehouse:
        catalog = load_catalog(installation.catalog)
        (given,) = give_back(warehouse, catalog, installation, tmp_path / "returned")
    told = marked(openpyxl.load_workbook(given.path))
    assert given.file == "visits_2.csv"
    assert "file visits_1.csv has it already" in told["A2"]


def test_a_file_that_changed_since_its_load_is_refused_and_nothing_is_written(
    refresh, installation, tmp_path
):
    with refresh(visits("csv"), visits_csv=lines([HEADER, *RECORDS])) as warehouse:
        catalog = load_catalog(installation.catalog)
        (installation.catalog.parent / "visits.csv").write_bytes(lines([HEADER, *MENDED]))
        with pytest.raises(Problems) as refused:
            give_back(warehouse, catalog, installation, tmp_path / "returned")
    (problem,) = refused.value.problems
    assert isinstance(problem, Changed)
    assert problem.hint == "run first: foresight refresh"
    assert not (tmp_path / "returned").exists()


def test_a_folder_where_the_catalog_would_read_it_is_refused(refresh, installation):
    several = visits("xlsx").replace("visits.xlsx", "visits*.xlsx")
    with refresh(several, visits_xlsx=sheet([HEADER, *RECORDS])) as warehouse:
        catalog = load_catalog(installation.catalog)
        with pytest.raises(Problems) as refused:
            give_back(warehouse, catalog, installation, installation.catalog.parent)
    assert isinstance(refused.value.problems[0], InTheWay)


def test_among_the_sources_of_others_no_workbook_is_left_either(refresh, installation):
    folder = installation.catalog.parent
    (folder / "sources").mkdir()
    (folder / "sources" / "visits.csv").write_bytes(lines([HEADER, *RECORDS]))
    entry = visits("csv").replace("visits.csv", "sources/visits.csv")
    with refresh(entry) as warehouse:
        catalog = load_catalog(installation.catalog)
        with pytest.raises(Problems, match="among the sources of visits"):
            give_back(warehouse, catalog, installation, folder / "sources" / "back")
    assert not (folder / "sources" / "back").exists()


@pytest.mark.parametrize("kind", rule_words.kinds())
def test_every_kind_of_rule_has_a_title_and_a_remedy_in_both_languages(kind):
    for language in rule_words.LANGUAGES:
        assert rule_words.title(kind, language)
        assert rule_words.remedy(kind, language)


def test_every_text_has_the_same_places_to_fill_in_both_languages():
    content = yaml.safe_load((ROOT / "etl/text/rules.yaml").read_text(encoding="utf-8"))
    texts = [(key, both) for part in content.values() for key, both in part.items()]
    for key, both in texts:
        filled = [set(re.findall(r"{(\w+)}", str(both[lang]))) for lang in rule_words.LANGUAGES]
        assert isinstance(key, str)
        assert filled[0] == filled[1], key


STACKED = """
- name: land
  title: Đất
  sources: [{path: land.ENDING}]
  read: {decimal: ",", header: {find: Xã/phường}, tables: all, caption: 'Năm (?P<period>20\\d\\d)'}
  clean: {areas: {level: commune}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Xã/phường]}
    - {name: period, type: year, from: [$period]}
    - {name: value, type: number, from: [Diện tích, DT], constraints: {minimum: 0}}
    - {name: used, type: number, from: [Đã dùng]}
  rules: [{name: used_of_value, sql: used <= value, title: Dùng quá diện tích}]
  indicators: [{name: land_used, title: Đất đã dùng, title_en: Land used, value: value}]
"""
TWO_TABLES = [
    ["Năm 2025", "", "", ""],
    ["STT", "Xã/phường", "Diện tích", "Đã dùng"],
    ["1", "Phường Cái Khế", "7", "8"],
    ["", "", "", ""],
    ["Năm 2024", "", "", ""],
    ["Xã/phường", "Đã dùng", "", "DT"],
    ["Phường Ninh Kiều", "1", "", "-3"],
]


@pytest.mark.parametrize(("ending", "content"), [("xlsx", sheet), ("csv", lines)])
def test_each_record_is_marked_in_the_columns_of_its_own_table(returned, ending, content):
    book = returned(STACKED.replace("ENDING", ending), **{f"land_{ending}": content(TWO_TABLES)})
    told = marked(book)
    assert set(told) == {"C3", "D3", "A7", "B7", "D7"}
    assert "Cần: đúng điều kiện: Đã dùng (8) <= Diện tích (7)" in told["D3"]
    assert "28/02" not in told["A7"]
    assert "ngày 31/12/2024" in told["A7"]
    assert "Cần: từ 0 trở lên" in told["D7"]


def test_figures_converted_to_another_unit_are_marked_where_they_stand(returned):
    tonnes = entry("xlsx").replace('read: {decimal: ","', 'read: {decimal: ",", unit: ĐVT')
    tonnes = tonnes.replace("type: number,", "type: number, unit: đồng, constraints: {minimum: 0},")
    tonnes = tonnes.replace("unit: ĐVT", "unit: ĐVT, header: {find: Tháng}")
    rows = [["", "ĐVT: triệu đồng", ""], ["Xã/phường", "Tháng", "Diện tích"]]
    rows += [["Phường Cái Khế", "1/2026", "-7"]]
    told = marked(returned(tonnes, land_xlsx=sheet(rows)))
    assert set(told) == {"C3"}
    assert "Đang ghi: -7" in told["C3"]


def test_the_names_of_two_maps_that_one_table_mixes_are_told_apart(returned):
    rows = [["Xã/phường", "Tháng", "Diện tích"]]
    rows += [[name, "2025", "1"] for name in ("P. Tân An", "P. Hưng Lợi", "P. Ninh Kiều")]
    yearly = entry("xlsx").replace("type: yearmonth", "type: year")
    told = marked(returned(yearly, land_xlsx=sheet(rows)))
    assert set(told) == {"A2"}
    assert "Phường Tân An (mới); Phường Tân An, Quận Ninh Kiều, Thành phố Cần Thơ" in told["A2"]
