"""Workbooks are read in a process that may break, and by rules that keep it from breaking."""

import datetime as dt
from pathlib import Path

import pytest
import xlrd
import xlsxwriter
from conftest import ROOT, SHARED, zipped
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from etl.extract import sheets, sheets_child
from etl.extract.raw import UnreadableFile
from etl.extract.sheets import read_sheets

ENTRY = """
- name: land
  title: Đất
  sources: [{path: land.xlsx}]
  schema: {fields: [{name: value, type: number}]}
"""
ROW = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row>'


def workbook(sheet: str) -> bytes:
    """The least that is an xlsx, with this XML as the rows of its one sheet."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    relation = '<Relationship Id="r1" Type="{}/{}" Target="{}"/>'
    relations = f'<Relationships xmlns="{package}/relationships">{relation}</Relationships>'
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/></Types>',
            "_rels/.rels": relations.format(office, "officeDocument", "xl/workbook.xml"),
            "xl/_rels/workbook.xml.rels": relations.format(office, "worksheet", "sheet1.xml"),
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="Bieu" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData>'
            "</worksheet>",
        }
    )


def test_a_workbook_that_would_fill_the_memory_is_refused_and_ends_nothing_else(refresh):
    corners = (
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    )
    with pytest.raises(UnreadableFile, match="more than 1 GB of memory") as error:
        refresh(ENTRY, land_xlsx=workbook(corners))
    assert error.value.where == "land.xlsx"
    assert "delete the empty rows" in error.value.hint


def test_the_same_workbook_with_its_cells_side_by_side_is_read(tmp_path):
    path = tmp_path / "land.xlsx"
    path.write_bytes(workbook(ROW))
    [sheet] = read_sheets(path, None)
    assert (sheet.name, sheet.rows, sheet.merged, sheet.filled) == ("Bieu", [[1, 2]], [], 1)


def test_a_workbook_that_takes_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "SECONDS", 0.001)
    path = tmp_path / "land.xlsx"
    path.write_bytes(workbook(ROW))
    with pytest.raises(UnreadableFile, match=r"takes more than 0\.001 s to read"):
        read_sheets(path, None)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (workbook(" " * 20_000_000), "times its size, more than 200"),
        (zipped({f"part{n}": "" for n in range(2001)}), "2001 parts, more than 2000"),
        (zipped({"../../etc/cron.d/x": ""}), "called '../../etc/cron.d/x', which leads outside"),
        (zipped({"/etc/passwd": ""}), "called '/etc/passwd', which leads outside"),
        (zipped({"C:\\x.dll": ""}), "which leads outside"),
        (zipped({"xl/letter.txt": "no sheets"}), "not a workbook"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "it is a web page (HTML)"),
        (b"", "not a workbook"),
    ],
    ids=["bomb", "many parts", "upwards", "absolute", "drive", "other zip", "html", "empty"],
)
def test_what_only_looks_like_a_workbook_is_refused_before_it_does_harm(tmp_path, content, told):
    path = tmp_path / "land.xlsx"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as error:
        read_sheets(path, None)
    assert told in error.value.problem
    assert error.value.hint


def test_a_workbook_too_large_unpacked_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "UNPACKED", 1000)
    path = tmp_path / "land.xlsx"
    path.write_bytes(workbook(ROW))
    with pytest.raises(UnreadableFile, match=r"unpacks to 0 MB"):
        read_sheets(path, None)


SENT = [*ROOT.glob("data/sources/**/*.xlsx"), *SHARED.glob("data/samples/*.xls")]


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.name)
def test_another_process_reads_what_this_one_would(path):
    book = CalamineWorkbook.from_path(str(path))
    for sheet in read_sheets(path, "^"):
        own = book.get_sheet_by_name(sheet.name)
        cells = own.to_python(skip_empty_area=False)
        for (row, column), error in errors_of(path, sheet.name).items():
            assert cells[row][column] == "", "the reader takes an error for an empty cell"
            cells[row][column] = error
        assert sheet.rows == cells
        assert sheet.merged == (own.merged_cell_ranges or [])


def errors_of(path: Path, sheet: str) -> dict[tuple[int, int], str]:
    """The cells that show an error, as another reader of old workbooks finds them."""
    if path.suffix != ".xls":
        return {}
    table = xlrd.open_workbook(path).sheet_by_name(sheet)
    return {
        (row, column): xlrd.error_text_from_code[table.cell_value(row, column)]
        for row in range(table.nrows)
        for column, kind in enumerate(table.row_types(row))
        if kind == xlrd.XL_CELL_ERROR
    }


HEADINGS = {"none": [], "one": ["B1:C1"], "several": ["B1:C1", "A2:A3", "D1:D4"]}


@pytest.mark.parametrize("merged", HEADINGS.values(), ids=HEADINGS)
def test_a_large_sheet_is_read_like_a_small_one_merged_cells_and_all(tmp_path, merged):
    path = tmp_path / "land.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Bieu")
        book.add_worksheet("Ghi chu").write(0, 0, "<mergeCells>")
        for cells in merged:
            sheet.merge_range(cells, "Năm")
        for row in range(4, 9000):
            sheet.write_row(row, 0, [f"Xã {row}", row, row / 8, "" if row % 3 else "a & <b>"])
    assert sheets_child._merged_first(path, tmp_path, {})
    [found] = read_sheets(path, None)
    own = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Bieu")
    assert found.rows == own.to_python(skip_empty_area=False)
    assert (found.merged, len(found.merged)) == (own.merged_cell_ranges or [], len(merged))


def test_cells_keep_their_place_and_their_kind_below_blank_rows_and_beside_blank_columns(tmp_path):
    path = tmp_path / "land.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row("C3", ["1", 1, True, None, 1.5])
        sheet.write_datetime("C150", dt.date(2026, 1, 2), book.add_format({"num_format": 14}))
    [found] = read_sheets(path, None)
    assert found.rows[2] == ["", "", "1", 1, True, "", 1.5]
    assert [type(cell) for cell in found.rows[2][2:]] == [str, float, bool, str, float]
    assert found.rows[149] == ["", "", dt.date(2026, 1, 2), "", "", "", ""]
    assert (found.height, found.filled) == (150, 2)


def test_a_sheet_without_cells_has_no_rows(tmp_path):
    path = tmp_path / "land.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet()
    [found] = read_sheets(path, None)
    assert (found.rows, found.height, found.filled) == ([], 0, 0)


CELLS = st.one_of(
    st.floats(allow_nan=False), st.sampled_from(["", "Ninh Kiều"]), st.booleans(), st.dates()
)
PIECES = st.lists(
    st.one_of(
        st.lists(CELLS, min_size=1, max_size=9),
        st.lists(st.floats(allow_nan=False), min_size=1, max_size=9),
        st.lists(st.text(), min_size=1, max_size=9),
    )
)


@settings(max_examples=30)
@given(PIECES)
def test_a_column_comes_out_of_its_process_as_it_went_in(pieces):
    column = sheets_child._Column()
    for piece in pieces:
        column.take(tuple(piece), set(map(type, piece)))
    cells = [cell for piece in pieces for cell in piece]
    found = sheets._unpacked(*column.packed()).cells
    assert [(type(cell), cell) for cell in found] == [(type(cell), cell) for cell in cells]
