"""Workbooks made to break their reader: refused in time, with what to do."""

import zipfile
from io import BytesIO

import pytest
from conftest import SHARED, zipped

from etl.extract.raw import UnreadableFile
from etl.extract.sheets import read_sheets
from tests.etl.test_sheets import ROW, workbook

LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(12))
BOMB = f'<!DOCTYPE x [<!ENTITY l0 "lollollol">{LAUGHS}]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY out SYSTEM "file:///etc/passwd">]>'


def edited(content: bytes, part: str, change) -> bytes:
    """The workbook with one part changed."""
    with zipfile.ZipFile(BytesIO(content)) as package:
        parts = {name: package.read(name).decode() for name in package.namelist()}
    return zipped(parts | {part: change(parts[part])})


def with_entity(doctype: str, entity: str) -> bytes:
    cell = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{entity}</t></is></c></row>'
    return edited(workbook(cell), "xl/sheet1.xml", lambda text: doctype + text)


def lying(content: bytes) -> bytes:
    """The same zip, whose directory says that every part unpacks to ten bytes."""
    changed = bytearray(content)
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = changed.find(signature)
        while at >= 0:
            changed[at + offset : at + offset + 4] = (10).to_bytes(4, "little")
            at = changed.find(signature, at + 4)
    return bytes(changed)


def overlapping(content: bytes) -> bytes:
    """A zip whose directory names one packed part two thousand times."""
    start = content.find(b"PK\x01\x02")
    end = content.find(b"PK\x05\x06")
    one = content[start : content.find(b"PK\x01\x02", start + 4)]
    directory = one * 1990
    tail = bytearray(content[end:])
    tail[8:12] = (1990).to_bytes(2, "little") * 2
    tail[12:16] = len(directory).to_bytes(4, "little")
    return content[:start] + directory + bytes(tail)


REPEATED = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
    '<office:spreadsheet><table:table table:name="Bieu">'
    '<table:table-row table:number-rows-repeated="1048576">'
    '<table:table-cell table:number-columns-repeated="16384" office:value-type="string">'
    "<text:p>x</text:p></table:table-cell></table:table-row></table:table>"
    "</office:spreadsheet></office:body></office:document-content>"
)
ODS = {
    "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
    "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:'
    'opendocument:xmlns:manifest:1.0"/>',
    "content.xml": REPEATED,
}


@pytest.mark.parametrize(
    "content",
    [
        lying(workbook(" " * 20_000_000 + ROW)),
        overlapping(zipped({"xl/sheet1.xml": "x" * 1_000_000, "b": ""})),
        zipped({"xl/inner.zip": zipped({"a": "0" * 1_000_000}).decode("latin-1")}),
        zipped(ODS),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000),
        workbook(ROW)[:-40],
        workbook(ROW)[:300],
    ],
    ids=["lying", "overlapping", "nested", "repeated rows", "empty xls", "cut", "cut early"],
)
def test_a_workbook_made_to_break_its_reader_is_refused_in_time(tmp_path, content):
    path = tmp_path / "land.xlsx"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as told:
        read_sheets(path, None)
    assert " s to read" not in told.value.problem, "it was read until its time was over"
    assert told.value.where == "land.xlsx"
    assert told.value.hint


@pytest.mark.parametrize("cut", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("path", SHARED.glob("data/samples/*.xls"), ids=lambda path: path.name)
def test_an_old_workbook_cut_short_is_refused_or_read_to_where_it_goes(tmp_path, path, cut):
    content = path.read_bytes()
    short = tmp_path / "short.xls"
    short.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(UnreadableFile) as told:
        read_sheets(short, None)
    assert told.value.hint


@pytest.mark.parametrize(
    ("doctype", "entity"), [(BOMB, "&l12;"), (OUTSIDE, "&out;")], ids=["laughs", "outside"]
)
def test_entities_are_neither_expanded_nor_fetched(tmp_path, doctype, entity):
    path = tmp_path / "land.xlsx"
    path.write_bytes(with_entity(doctype, entity))
    try:
        cells = str(read_sheets(path, None)[0].rows)
    except UnreadableFile as refused:
        cells = str(refused)
    assert len(cells) < 1000
    assert "lollol" not in cells
    assert "root:" not in cells
