"""What cells show and readers do not say, and files that are not what they are called."""

import datetime as dt
import io
import json
import zipfile
from decimal import Decimal

import duckdb
import openpyxl
import polars as pl
import pytest
import xlsxwriter
from conftest import HEAD, TODAY, observed, zipped

from etl import pipeline
from etl.catalog import load_catalog, parse_catalog
from etl.errors import Problems
from etl.extract import READERS
from etl.extract.cells_child import in_percent
from etl.extract.mistaken import DO, IS, kind_of
from etl.extract.raw import Percent, UnreadableFile, column_of
from etl.extract.sheets import read_sheets
from etl.extract.totals import number
from etl.normalise import _cast, raw, with_days
from etl.trial import try_files

SHARES = """
- name: shares
  title: Tỷ lệ
  sources: [{path: shares.ENDING}]
  read: {decimal: ","}
  clean: {areas: {level: commune, on: "2025-07-01"}, constant: {period: "2025"}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Xã]}
    - {name: period, type: year}
    - {name: poor, type: number, from: [Hộ nghèo], unit: "%"}
    - {name: people, type: number, from: [Dân số]}
  indicators:
  - {name: poor, title: Hộ nghèo, title_en: Poor, value: poor, unit: "%", aggregate: rate}
  - {name: people, title: Dân số, title_en: People, value: people, aggregate: last}
"""


def entry(ending: str) -> str:
    return SHARES.replace("ENDING", ending)


def xlsx(write) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        write(book)
    return made.getvalue()


def in_percents(book):
    sheet, percent = book.add_worksheet(), book.add_format({"num_format": '0.0"%"\\ 0%'})
    sheet.write_row("A1", ["Xã", "Hộ nghèo", "Dân số"])
    sheet.write_row("A2", ["Ninh Kiều"])
    sheet.write("B2", 0.07, percent)
    sheet.write_row("A3", ["Cái Khế", "2,5 %", 100])
    sheet.write("C4", 0.5, percent)
    sheet.write("A4", "Ô Môn")


def test_a_cell_in_percent_is_what_it_shows_and_no_figure_where_the_unit_is_another(refresh):
    warehouse = refresh(entry("xlsx"), shares_xlsx=xlsx(in_percents))
    poor = observed(warehouse, "indicator = 'poor'")["value"].to_list()
    assert sorted(poor) == [2.5, 7]
    told = warehouse.select("select record, rule, value from rejected").rows()
    assert told == [(4, "people_readable", "50%")]


@pytest.mark.parametrize(
    ("form", "percent"),
    [("0%", True), ("0.0\\ %", True), ('0.0"%"', False), ("General", False), ("0\\%", False)],
)
def test_a_format_shows_percent_by_a_sign_that_is_not_quoted(form, percent):
    assert in_percent(form) is percent


def written_by_programs(book):
    """As programs leave them that compute nothing: results 0, and asked to be computed."""
    sheet = book.add_worksheet("Bieu")
    sheet.write_row("B3", ["Ninh Kiều", 5])
    sheet.write_formula("B4", "=A1")
    sheet.write_formula("C4", "=1/0", value="#DIV/0!")
    sheet.write_formula("C5", "=2*C3", value=10)
    sheet.write_formula("E9", "=C3+C5")


def test_errors_and_formulas_without_result_are_no_blanks(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx(written_by_programs))
    [sheet] = read_sheets(path, None)
    assert sheet.rows[2:5] == [
        ["", "Ninh Kiều", 5, "", ""][:5],
        ["", "=A1", "#DIV/0!", "", ""],
        ["", "", 10, "", ""],
    ]
    assert sheet.rows[8] == ["", "", "", "", "=C3+C5"]
    assert (sheet.height, sheet.filled) == (9, 4)


def test_a_formula_saved_without_any_result_is_its_text(tmp_path):
    book = openpyxl.Workbook()
    for row in (["Xã", "Dân số"], ["Ninh Kiều", "=5*2"], ["Cái Khế", 7]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    [sheet] = read_sheets(tmp_path / "a.xlsx", None)
    assert sheet.rows == [["Xã", "Dân số"], ["Ninh Kiều", "=5*2"], ["Cái Khế", 7]]


ODS = """<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x" xmlns:calcext="c">
<office:body><office:spreadsheet><table:table table:name="Bieu">
<table:table-row><table:table-cell office:value-type="string"><text:p>Xã</text:p></table:table-cell>
</table:table-row>
<table:table-row table:number-rows-repeated="2">
<table:table-cell table:number-columns-repeated="2" office:value-type="percentage"
 office:value="0.125"><text:p>12,5%</text:p></table:table-cell>
<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value=""
 calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>
<table:table-cell table:formula="of:=[.A1]"/>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def test_an_ods_shows_percent_and_errors_as_well(tmp_path):
    path = tmp_path / "a.ods"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    content = ODS.replace("\n<", "<")
    for name, uri in (("o", "office"), ("t", "table"), ("x", "text")):
        content = content.replace(
            f'="{name}"', f'="urn:oasis:names:tc:opendocument:xmlns:{uri}:1.0"', 1
        )
    parts = {"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content}
    with zipfile.ZipFile(path, "w") as package:
        for name, text in parts.items():
            package.writestr(name, text)
    [sheet] = read_sheets(path, None)
    row = [12.5, 12.5, "#DIV/0!", "=[.A1]"]
    assert sheet.rows == [["Xã", "", "", ""], row, row]
    assert isinstance(sheet.rows[1][0], Percent)


def hidden_first(book):
    book.add_worksheet("dm").hide()
    book.worksheets()[0].write("A1", "cũ")
    book.add_worksheet("Bieu").write("A1", "nay")
    book.worksheets()[1].activate()


def test_without_a_name_the_first_sheet_that_is_not_hidden_is_read(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx(hidden_first))
    assert [(s.name, s.hidden) for s in read_sheets(path, None)] == [("Bieu", False)]
    assert [s.name for s in read_sheets(path, "dm")] == ["dm"]
    assert [(s.name, s.hidden) for s in read_sheets(path, "^")] == [("dm", True), ("Bieu", False)]


# --- files that are something else ----------------------------------------------------------------

COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
PAGE = "<html><body><table><tr><td>Xã</td></tr></table></body></html>"
XML = '<?xml version="1.0"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
OTHERS = {
    "page": [PAGE.encode(), b"\xef\xbb\xbf\n<!-- x --><TABLE border=1>", PAGE.encode("utf-16")],
    "xml": [XML.encode()],
    "pdf": [b"%PDF-1.7\n"],
    "word": [zipped({"word/document.xml": ""}), COMPOUND + "WordDocument".encode("utf-16-le")],
    "slides": [zipped({"ppt/slides/slide1.xml": ""})],
    "picture": [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"],
    "xlsb": [zipped({"xl/workbook.bin": "", "xl/styles.bin": ""})],
    "locked": [COMPOUND + "EncryptedPackage".encode("utf-16-le")],
    "archive": [zipped({"a.csv": "1,2"}), b"Rar!\x1a\x07"],
    "database": [b"SQLite format 3\0"],
    "text": ["Xã;Năm\nNinh Kiều;2025\n".encode(), "Xã\tNăm\n".encode("utf-16")],
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_that_is_no_workbook_is_called_what_it_is_with_what_to_do(tmp_path, kind):
    path = tmp_path / "a.xlsx"
    for content in OTHERS[kind]:
        path.write_bytes(content)
        with pytest.raises(UnreadableFile) as error:
            read_sheets(path, None)
        assert (error.value.problem, error.value.hint) == (IS[kind], DO[kind])


@pytest.mark.parametrize("content", [COMPOUND, b"PK\x03\x04", b"", b"\x00\x01\n"])
def test_what_cannot_be_told_is_left_to_the_reader(tmp_path, content):
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    assert kind_of(path) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [(PAGE.encode(), "it is a web page"), (zipped({"xl/a.xml": ""}), "it is a workbook, and no")],
)
def test_a_page_or_a_workbook_is_no_delimited_text(tmp_path, content, told):
    path = tmp_path / "shares.csv"
    path.write_bytes(content)
    dataset = parse_catalog(HEAD + entry("csv")).datasets["shares"]
    with pytest.raises(UnreadableFile, match=told):
        READERS["csv"](path, dataset)


def test_every_kind_that_is_told_has_its_remedy():
    assert IS.keys() == DO.keys() == OTHERS.keys() | {"workbook"}


# --- delimited text -------------------------------------------------------------------------------


def test_a_header_with_a_line_break_takes_no_record_with_it(refresh):
    text = 'Xã,"Hộ nghèo\n(%)",Dân số\n\nNinh Kiều,1,5\nCái Khế,2\nÔ Môn,x2,6\n'
    broken = entry("csv").replace("[Hộ nghèo]", "[Hộ nghèo (%)]")
    warehouse = refresh(broken, shares_csv=text)
    assert observed(warehouse, "indicator = 'people'")["value"].to_list() == [5]
    told = warehouse.select("select record, rule from rejected order by 1").rows()
    assert told == [(2, "line_readable"), (3, "poor_readable")]


@pytest.mark.parametrize(
    ("dates", "day"),
    [("%d/%m/%Y", None), ("%d/%m/%y", "2026-04-05"), ("%d/%m/%Y, %d/%m/%y", "2026-04-05")],
)
def test_a_year_of_two_digits_is_none_of_the_first_century(dates, day):
    text = (
        entry("csv").replace("type: year", "type: date").replace("decimal: ", "dates: DATES, x: ")
    )
    text = text.replace('DATES, x: ","', str(dates.split(", ")))
    dataset = parse_catalog(HEAD + text).datasets["shares"]
    [field] = [field for field in dataset.schema_.fields if field.name == "period"]
    rows = with_days(f"(select '5/4/26' as {raw('period')})", dataset)
    read = duckdb.sql(f"select ({_cast(field, dataset)})::varchar from {rows}")
    assert read.fetchall() == [(day,)]


def test_one_file_with_another_header_makes_no_errors_in_the_others(installation):
    text = entry("csv").replace("shares.csv", "shares_*.csv")
    text = text.replace("  indicators:", "    primaryKey: [area]\n  indicators:")
    installation.catalog.write_text(HEAD + text, encoding="utf-8")
    folder = installation.catalog.parent
    (folder / "shares_1.csv").write_text("Xã,Hộ nghèo,Dân số\nNinh Kiều,1,5\n")
    (folder / "shares_2.csv").write_text("Xã,Hộ nghèo,Số dân\nCái Khế,1,5\n")
    (folder / "shares_3.csv").write_text("Xã,Hộ nghèo,Dân số\nÔ Môn,x2,5\n")
    catalog = load_catalog(installation.catalog)
    files = pipeline.plan(catalog, installation, None).files
    tried = try_files(
        catalog, installation, files, today=TODAY, language="en", progress=lambda _: None
    )
    assert [problem.where for problem in tried.problems] == ["shares_2.csv"]
    assert {file: [cell.found for cell in bad] for file, bad in tried.cells.items()} == {
        "shares_3.csv": ["x2"]
    }


@pytest.mark.parametrize(
    ("signs", "text", "figure"),
    [
        ('decimal: ",", thousands: "."', "1.234.567,8", 1234567.8),
        ('decimal: ",", thousands: "."', "-57.688", -57688),
        ('decimal: ",", thousands: "."', "12.5", None),
        ('decimal: ",", thousands: "."', "1,234.5", None),
        ('decimal: ",", thousands: "."', "2025.123", None),
        ('decimal: ",", thousands: "."', ".5", None),
        ('decimal: ",", thousands: " "', "1 234,5", 1234.5),
        ('decimal: ","', "1\u202f234\u00a0567,8\u00a0", 1234567.8),
        ('decimal: ","', "\u2212１２,5", -12.5),
        ('decimal: ","', "12 30", None),
        ('decimal: ","', "1234 567", None),
        ('decimal: ","', "0,5 123", None),
        ('decimal: ",", thousands: "."', "1.234 1", None),
        ('decimal: ",", thousands: "."', "- 1.234", -1234),
        ('decimal: ","', "1.234", None),
        ('decimal: ","', "0,5", 0.5),
        ('thousands: ","', "1,234.5", 1234.5),
        ('thousands: ","', "12,5", None),
        ('decimal: ",", thousands: "."', "(1.234)", None),
        ('decimal: ",", thousands: ".", brackets: negative', "(1.234,5)", -1234.5),
        ('decimal: ",", brackets: negative', "(12)", -12),
        ('decimal: ",", brackets: negative', "-12", -12),
        ('decimal: ",", thousands: ".", brackets: negative', "(12.5)", None),
        ('decimal: ",", brackets: negative', "12 (1)", None),
        ('decimal: ",", brackets: negative', "12(1)", None),
        ('decimal: ",", brackets: negative', "(1)(2)", None),
        ('decimal: ",", brackets: negative', "(-3)", None),
        ('decimal: ",", brackets: negative', "(*)", None),
    ],
)
def test_a_sign_that_means_nothing_where_it_stands_makes_no_figure(signs, text, figure):
    declared = entry("csv").replace('decimal: ","', signs)
    dataset = parse_catalog(HEAD + declared).datasets["shares"]
    [field] = [field for field in dataset.schema_.fields if field.name == "people"]
    rows = f"(select '{text}' as {raw('people')})"
    assert duckdb.sql(f"select {_cast(field, dataset)} from {rows}").fetchall() == [(figure,)]
    assert number(text, dataset.read) == (None if figure is None else Decimal(str(figure)))


def test_the_mark_of_a_footnote_is_no_part_of_a_name_a_label_or_a_header(refresh):
    category = "{name: category, from: [Nguồn], categories: [{value: tax, label: Thuế}]}"
    declared = entry("csv").replace("    - {name: poor", f"    - {category}\n    - {{name: poor")
    body = "Xã,Hộ nghèo*,Dân số,Nguồn (*)\nNinh Kiều (1),1,2,Thuế (2)\nCái Khế *,3,4,Thuế¹\n"
    told = refresh(declared, shares_csv=body).select("select area, category from data_shares")
    assert sorted(told.rows()) == [("31120", "tax"), ("31135", "tax")]


@pytest.mark.parametrize(
    ("limit", "largest", "told"),
    [("", "0,5", 1), ("", "1,5", 0), (", constraints: {maximum: 1}", "0,5", 0)],
)
def test_percents_that_may_be_shares_of_one_are_told_by_check(installation, limit, largest, told):
    folder = installation.catalog.parent
    declared = entry("csv").replace('unit: "%"}', f'unit: "%"{limit}}}', 1)
    installation.catalog.write_text(HEAD + declared, encoding="utf-8")
    body = f'Xã,Hộ nghèo,Dân số\nNinh Kiều,"0,1",5\nCái Khế,"{largest}",1\nÔ Môn,"0,2",1\n'
    (folder / "shares.csv").write_text(body, encoding="utf-8")
    catalog = load_catalog(installation.catalog)
    files = pipeline.plan(catalog, installation, None).files
    tried = try_files(
        catalog, installation, files, today=TODAY, language="en", progress=lambda _: None
    )
    assert ["the largest is read as 0.5 %" in doubt.problem for doubt in tried.doubts] == told * [
        True
    ]


ROWS = "Xã,Hộ nghèo,Dân số\nNinh Kiều,1,5\nCái Khế,2,6\n"


@pytest.mark.parametrize("mark", ["\x1a", "\0", "\x1a\r\n"])
@pytest.mark.parametrize("shaped", [False, True])
def test_a_sign_by_which_older_programs_end_a_text_is_no_record(refresh, mark, shaped):
    find = ', header: {find: "^Xã"}' if shaped else ""
    declared = entry("csv").replace('decimal: ","', f'decimal: ","{find}')
    warehouse = refresh(declared, shares_csv=ROWS + mark)
    assert warehouse.select("select records, accepted from load").rows() == [(2, 2)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_file_that_broke_off_in_zero_bytes_is_refused_by_that(tmp_path, encoding):
    path = tmp_path / "shares.csv"
    path.write_bytes((ROWS + "\0" * 600).encode(encoding))
    declared = entry("csv").replace('decimal: ","', f'decimal: ",", encoding: {encoding}')
    with pytest.raises(UnreadableFile, match="zero bytes or more: it broke off"):
        READERS["csv"](path, parse_catalog(HEAD + declared).datasets["shares"])
    path.write_bytes(ROWS.encode(encoding))
    assert READERS["csv"](path, parse_catalog(HEAD + declared).datasets["shares"]).records == 2


def test_of_two_headers_with_a_star_none_is_taken_and_one_without_it_is():
    assert column_of(["Dân số"], ["Xã", "Dân số *", "Dân số (*)"]) is None
    assert column_of(["Dân số"], ["Xã", "Dân số *", "Dân số"]) == 2


def test_one_sign_for_thousands_and_decimals_is_refused():
    declared = entry("csv").replace('decimal: ","', 'thousands: "."')
    with pytest.raises(Problems, match="parted by the same sign"):
        parse_catalog(HEAD + declared)


# --- records --------------------------------------------------------------------------------------

RECORDS = [{"Xã": "Ninh Kiều", "Hộ nghèo": 1.5, "Dân số": 5}, {"Xã": "Cái Khế", "Dân số": 6}]
LINES = "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS)
WITHIN = json.dumps({"ok": True, "result": {"total": 2, "records": RECORDS}})


@pytest.mark.parametrize(("content", "at"), [(LINES + "\n", ""), (WITHIN, "result.records")])
def test_objects_a_line_each_and_lists_within_objects_are_records(refresh, content, at):
    where = f"read: {{records: {at}, " if at else "read: {"
    entry_ = entry("json").replace("read: {", where)
    seen = observed(refresh(entry_, shares_json=content), "indicator = 'people'")
    assert seen["value"].to_list() == [6, 5]


@pytest.mark.parametrize(
    ("content", "told"), [(WITHIN, "result.records"), (LINES + "\n{x}\n", "shares.json:3")]
)
def test_what_is_no_record_is_told_with_its_place(tmp_path, content, told):
    path = tmp_path / "shares.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableFile, match=told):
        READERS["json"](path, parse_catalog(HEAD + entry("json")).datasets["shares"])


def test_a_moment_in_utc_is_of_the_day_that_it_is_in_can_tho(tmp_path):
    moment = dt.datetime(2025, 12, 31, 17, tzinfo=dt.UTC)
    path = tmp_path / "shares.parquet"
    pl.DataFrame({"Xã": ["Ninh Kiều"], "Ngày": [moment]}).write_parquet(path)
    frame = READERS["parquet"](path, parse_catalog(HEAD + entry("parquet")).datasets["shares"])
    assert frame.frame["c1"].to_list() == ["2026-01-01"]
