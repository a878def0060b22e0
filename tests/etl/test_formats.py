"""The same table in every format departments send, and files that are not as declared."""

import datetime as dt
import io
import json
import sqlite3
import struct
from contextlib import closing
from decimal import Decimal

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from conftest import HEAD, observed, zipped

from etl.catalog import load_catalog, parse_catalog
from etl.catalog.checks import FORMATS
from etl.errors import ForesightError
from etl.extract import READERS
from etl.extract.raw import text_of
from etl.returned import give_back

ENTRY = """
- name: land
  title: Đất
  sources: [{path: land.FORMAT}]
  read: {decimal: ","}
  clean: {areas: {level: commune}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Xã/phường], constraints: {required: true}}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: value, type: number, from: [Diện tích]}
  indicators: [{name: land_used, title: Đất đã dùng, title_en: Land used}]
"""
ROWS = [
    ["Xã/phường", "Tháng", "Diện tích"],
    ["Phường Ninh Kiều", "01/2026", 40],
    ["Xã Phong Điền", "02/2026", 1234.5],
    ["Xã Phong Điền", "03/2026", ".."],
    ["Nơi Lạ", "03/2026", 7],
]


def lines(delimiter: str) -> bytes:
    rows = [[str(cell).replace(".5", ",5") for cell in row] for row in ROWS]
    quoted = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    return quoted.encode()


def xlsx() -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(ROWS):
            sheet.write_row(number, 0, row)
    return made.getvalue()


def ods() -> bytes:
    def cell(value: str | float) -> str:
        if isinstance(value, str):
            return (
                f'<table:table-cell office:value-type="string"><text:p>{value}</text:p>'
                "</table:table-cell>"
            )
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    rows = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in ROWS)
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{space}:office:1.0" '
        f'xmlns:table="{space}:table:1.0" xmlns:text="{space}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="Bieu">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = f'<manifest:manifest xmlns:manifest="{space}:manifest:1.0"/>'
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": manifest,
        }
    )


def xls() -> bytes:
    """BIFF8 records in a compound file of 512-byte sectors: FAT, directory, stream."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def cell(row: int, column: int, value: str | float) -> bytes:
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(value, str):
            text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
            return record(0x0204, place + text)
        return record(0x0203, place + struct.pack("<d", value))

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 1997, 0, 6))

    end = record(0x000A, b"")
    name = struct.pack("<BB", 4, 0) + b"Bieu"
    first = len(begin(5)) + 4 + 6 + len(name) + len(end)
    stream = begin(5) + record(0x0085, struct.pack("<IBB", first, 0, 0) + name) + end + begin(16)
    for r, row in enumerate(ROWS):
        stream += b"".join(cell(r, c, value) for c, value in enumerate(row))
    stream = (stream + end).ljust(4096, b"\0")

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le")
        named = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2 if name else 0, kind, 1)
        tree = struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
        return named + tree + bytes(36) + struct.pack("<IQ", start, size)

    free, last = 0xFFFFFFFF, 0xFFFFFFFE
    chain = [0xFFFFFFFD, last, *range(3, 10), last]
    fat = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    folder = entry("Root Entry", 5, 1, last, 0) + entry("Workbook", 2, free, 2, len(stream))
    folder += entry("", 0, free, 0, 0) * 2
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, last, 0, last, 0)
    return head + struct.pack("<109I", 0, *[free] * 108) + fat + folder + stream


def as_objects() -> list[dict[str, str | float]]:
    return [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]


def parquet() -> bytes:
    made = io.BytesIO()
    rows = [{**row, "Diện tích": text_of(row["Diện tích"], ",")} for row in as_objects()]
    pl.DataFrame(rows).write_parquet(made)
    return made.getvalue()


def sqlite() -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("create table land (number, area, month, value)")
        rows = [(n, *row) for n, row in enumerate(ROWS[1:])]
        database.executemany("insert into land values (?, ?, ?, ?)", rows)
        database.commit()
        return database.serialize()


FILES = {
    "csv": lines(","),
    "tsv": lines("\t"),
    "xlsx": xlsx(),
    "xls": xls(),
    "ods": ods(),
    "json": json.dumps(as_objects()).encode(),
    "parquet": parquet(),
    "sql": sqlite(),
}
QUERY = (
    "select area as 'Xã/phường', month as 'Tháng', value as 'Diện tích' from land order by number"
)


def entry(ending: str, read: str = 'decimal: ","') -> str:
    query = f', query: "{QUERY}"' if ending == "sql" else ""
    return ENTRY.replace("FORMAT", ending).replace('decimal: ","', read + query)


def dataset(ending: str, read: str = 'decimal: ","'):
    return parse_catalog(HEAD + entry(ending, read)).datasets["land"]


def test_every_format_a_catalog_may_name_has_a_reader():
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("ending", READERS)
def test_a_table_says_the_same_in_every_format(refresh, ending):
    warehouse = refresh(entry(ending), **{f"land_{ending}": FILES[ending]})
    rows = observed(warehouse).select("period", "value")
    assert list(rows.iter_rows()) == [(dt.date(2026, 1, 1), 40), (dt.date(2026, 2, 1), 1234.5)]
    bad = warehouse.select("select record, rule, value from rejected").rows()
    record = 5 if ending in ("xlsx", "xls", "ods") else 4
    assert bad == [(record, "area_known", "Nơi Lạ")]


@pytest.mark.parametrize("ending", READERS)
def test_a_table_in_every_format_comes_back_with_its_bad_cell_marked(
    refresh, installation, tmp_path, ending
):
    with refresh(entry(ending), **{f"land_{ending}": FILES[ending]}) as warehouse:
        catalog = load_catalog(installation.catalog)
        (given,) = give_back(warehouse, catalog, installation, tmp_path / "returned")
    page = openpyxl.load_workbook(given.path).worksheets[1]
    assert [c.value for row in page.iter_rows() for c in row if c.comment] == ["Nơi Lạ"]
    assert [cell.value for cell in page[1]] == ROWS[0]
    assert page.max_row == len(ROWS)


def test_a_workbook_with_the_ending_of_another_is_read_by_its_content(refresh):
    assert observed(refresh(entry("xls"), land_xls=FILES["xlsx"])).height == 2


@pytest.mark.parametrize(
    ("cell", "typed"),
    [
        (40.0, "40"),
        (-0.0, "0"),
        (11.5, "11,5"),
        (1e-7, "0,0000001"),
        (1e16, "10000000000000000"),
        (Decimal("1.50"), "1,5"),
        (float("nan"), None),
        (True, "true"),
        ("\xa0Cái Răng ", "Cái Răng"),
        ("", None),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (dt.datetime(2026, 1, 31), "2026-01-31"),  # noqa: DTZ001  (cells know no zone)
        (dt.datetime(2026, 1, 31, 9, 30), "2026-01-31 09:30:00"),  # noqa: DTZ001
    ],
)
def test_a_value_becomes_the_text_a_clerk_would_type(cell, typed):
    assert text_of(cell, ",") == typed


def test_numbers_of_every_width_and_dates_of_parquet_are_typed_out(tmp_path):
    frame = pl.DataFrame(
        {
            "short": pl.Series([0.1, None], dtype=pl.Float32),
            "long": pl.Series([0.1, 3.0]),
            "day": pl.Series([dt.date(2026, 1, 31), None]),
            "": pl.Series(["a column without a name", ""]),
        }
    )
    frame.write_parquet(tmp_path / "land.parquet")
    raw = READERS["parquet"](tmp_path / "land.parquet", dataset("parquet"))
    assert raw.labels == ["short", "long", "day"]
    assert raw.frame is not None
    assert raw.frame.select("c0", "c1", "c2", "_record").rows() == [
        ("0,1", "0,1", "2026-01-31", 1),
        (None, "3", None, 2),
    ]


def test_columns_of_years_are_made_long_in_every_typed_format(tmp_path):
    clean = "clean: {unpivot: {columns: '(?P<period>20..)', into: value}, areas"
    wide = parse_catalog((HEAD + entry("json")).replace("clean: {areas", clean)).datasets["land"]
    (tmp_path / "land.json").write_text('[{"Xã/phường": "Cái Khế", "2024": 1, "2025": 2}]')
    raw = READERS["json"](tmp_path / "land.json", wide)
    assert raw.records == 2
    assert {"period", "value"} <= set(raw.labels)


@pytest.mark.parametrize(
    ("content", "told", "remedy"),
    [
        ("{", "land.json:1: not JSON", "UTF-8"),
        ("[" * 100_000, "not JSON", "UTF-8"),
        ("[]", "the list of records is empty", "take the file away"),
        ('{"data": [], "n": 0}', "there is no list of records", "records: data"),
        ("[3]", "land.json: record 1: '3' is no object", "with its keys"),
        ('[{"a": 1}, {"a": [1]}]', "land.json: record 2: 'a' holds more than one", "flat"),
        ('[{"a": 1, "a": 2}]', "'a' stands twice in one object", "keep one"),
    ],
)
def test_json_that_is_no_list_of_flat_objects_is_refused(refresh, content, told, remedy):
    with pytest.raises(ForesightError) as error:
        refresh(entry("json"), land_json=content)
    assert told in str(error.value)
    assert remedy in error.value.hint


def test_the_list_of_records_may_stand_under_a_key(refresh):
    content = json.dumps({"total": 4, "data": as_objects()})
    assert observed(refresh(entry("json", "records: data"), land_json=content)).height == 2
    with pytest.raises(ForesightError, match="there is no key 'rows'") as error:
        refresh(entry("json", "records: rows"), land_json=content)
    assert error.value.hint == "keys: total, data"


def test_parquet_that_is_damaged_or_not_flat_is_refused(refresh):
    with pytest.raises(ForesightError, match="not Parquet"):
        refresh(entry("parquet"), land_parquet=FILES["parquet"][:-20])
    made = io.BytesIO()
    pl.DataFrame({"Xã/phường": [["a", "b"]]}).write_parquet(made)
    with pytest.raises(ForesightError, match=r"column 'Xã/phường' holds List"):
        refresh(entry("parquet"), land_parquet=made.getvalue())


def test_a_heading_merged_beyond_the_table_is_read(refresh, installation):
    with xlsxwriter.Workbook(installation.catalog.parent / "land.xlsx") as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(ROWS):
            sheet.write_row(number, 0, row)
        sheet.merge_range(0, 2, 0, 9, "Diện tích")
    assert observed(refresh(entry("xlsx"))).height == 2
