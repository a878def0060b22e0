"""How a file opens: format, encoding, delimiter, sheets; its cells as they stand, nothing decided.

What the bytes prove is certain: a mark (BOM), valid UTF-8, a delimiter that gives every record the
same number of columns. What rests on a vote of words is a guess, and said to be one.
"""

import csv
import io
import json
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import polars as pl

from etl.catalog import Format, parse_catalog
from etl.extract import READERS
from etl.extract.json_records import lists_in, parsed
from etl.extract.mistaken import (
    kind_of,
    refuse_what_is_no_table,
    refuse_zeros_at_end,
    without_end_mark,
)
from etl.extract.raw import Cell, UnreadableFile, without_result
from etl.extract.sheets import Range, read_sheets
from etl.legacy_text import decode, decode_columns, written_in

LOOKED_AT = 20_000_000
"""Bytes of delimited text that are looked at; the rest is taken to be like them."""
DELIMITERS = (";", ",", "\t", "|")
WORKBOOKS = ("xlsx", "xls", "ods")
FORMATS: tuple[str, ...] = get_args(Format)


@dataclass(frozen=True)
class Grid:
    """Cells of a sheet, or of a whole file; in files of records the first row holds the keys."""

    name: str | None
    rows: list[list[Cell]]
    merged: list[Range] = field(default_factory=list)


@dataclass(frozen=True)
class Opened:
    """A file that could be opened."""

    format: str
    grids: list[Grid]
    read: dict[str, str]
    """Keys of `read` in the catalog that differ from its defaults."""
    guesses: list[str] = field(default_factory=list)
    records_keys: list[str] = field(default_factory=list)
    """Keys of a json object that hold lists of records, the longest first."""
    partly: bool = False
    """Only its beginning was looked at."""
    blank_records: int = 0
    """Rows of delimited text that hold nothing but delimiters."""
    sheets: list[str] = field(default_factory=list)
    """Names of the sheets that are not hidden, empty ones among them."""
    hidden: list[str] = field(default_factory=list)

    @property
    def typed(self) -> bool:
        """Whether its cells keep types, so that text and number differ."""
        return self.format not in ("csv", "tsv")


def open_file(path: Path) -> Opened:
    """The cells of the file at `path`.

    Raises:
        UnreadableFile: with what is wrong and what to do.
    """
    if not path.stat().st_size:
        raise UnreadableFile("the file is empty", where=path.name, hint="ask for it again")
    found = _format(path)
    if found in ("csv", "tsv"):
        refuse_what_is_no_table(path, workbook=False)
        refuse_zeros_at_end(path)
    openers = {"json": _json, "parquet": _parquet, "csv": _delimited, "tsv": _delimited}
    opened = openers.get(found, _workbook)(path, found)
    if opened.format != path.suffix.lstrip(".").lower():
        opened.read["format"] = opened.format
    return opened


def _format(path: Path) -> str:
    """By what the file begins with; the ending decides where that says nothing."""
    with path.open("rb") as file:
        head = file.read(4096)
    ending = path.suffix.lstrip(".").lower()
    if head.startswith(b"PK\x03\x04"):
        return "ods" if _is_ods(path) else "xlsx"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "xls"
    if head.startswith(b"PAR1"):
        return "parquet"
    if ending in WORKBOOKS and kind_of(path) == "text":
        return "csv"
    if ending in FORMATS and ending != "sql":
        return ending
    return "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "csv"


def _is_ods(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as package:
            return "mimetype" in package.namelist() and b"opendocument" in package.read("mimetype")
    except zipfile.BadZipFile:
        return False


# --- files of records -----------------------------------------------------------------------------


def _json(path: Path, form: str) -> Opened:
    content = parsed(path.read_bytes(), path)
    keys: list[str] = []
    if isinstance(content, dict):
        lists = lists_in(content)
        keys = sorted(lists, key=lambda key: -len(lists[key]))
        content = lists[keys[0]] if keys else content
    read = {"records": keys[0]} if keys else {}
    _refuse_unreadable(path, form, read)
    labels = list(dict.fromkeys(label for record in content for label in record))
    rows: list[list[Cell]] = [[*labels]]
    rows += [[record.get(label) for label in labels] for record in content]
    return Opened(form, [Grid(None, rows)], read, records_keys=keys)


def _parquet(path: Path, form: str) -> Opened:
    _refuse_unreadable(path, form, {})
    frame = pl.read_parquet(path)
    rows: list[list[Cell]] = [[*frame.columns], *(list(row) for row in frame.iter_rows())]
    return Opened(form, [Grid(None, rows)], {})


def _refuse_unreadable(path: Path, form: str, read: dict[str, Any]) -> None:
    """What the reader of the format refuses is refused here with its words."""
    entry = {
        "name": "tried",
        "title": "",
        "sources": [{"path": path.name}],
        "read": {"format": form, **read},
        "schema": {"fields": []},
    }
    head = {"profile": "cantho-foresight/1", "name": "t", "title": "", "title_en": ""}
    catalog = parse_catalog(json.dumps({**head, "resources": [entry]}, ensure_ascii=False))
    READERS[form](path, catalog.datasets["tried"])


# --- workbooks ------------------------------------------------------------------------------------


def _workbook(path: Path, form: str) -> Opened:
    """Every sheet that holds something; hidden ones only where all are."""
    grids = []
    sheets = read_sheets(path, "^")
    shown = [sheet for sheet in sheets if not sheet.hidden] or sheets
    for sheet in shown:
        rows = [[None if _says_nothing(cell) else cell for cell in row] for row in sheet.rows]
        if any(cell is not None for row in rows for cell in row):
            grids.append(Grid(sheet.name, _decoded(rows), sheet.merged))
    if not grids:
        raise UnreadableFile("no sheet holds anything", where=path.name, hint="ask for it again")
    hidden = [sheet.name for sheet in sheets if sheet not in shown]
    return Opened(form, grids, {}, sheets=[sheet.name for sheet in shown], hidden=hidden)


def _says_nothing(cell: Cell) -> bool:
    """Blank, an error such as #REF!, or a formula without result: the trial will tell of these."""
    return isinstance(cell, str) and (not cell or without_result(cell))


def _decoded(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Text of before Unicode converted, other cells as they are."""
    texts = [[cell if isinstance(cell, str) else None for cell in row] for row in rows]
    converted = decode_columns(texts, "auto")
    return [
        [new if isinstance(old, str) else old for old, new in zip(row, read, strict=False)]
        for row, read in zip(rows, converted, strict=True)
    ]


# --- delimited text -------------------------------------------------------------------------------


def _delimited(path: Path, form: str) -> Opened:
    with path.open("rb") as file:
        content = file.read(LOOKED_AT)
    partly = path.stat().st_size > LOOKED_AT
    if partly:
        content = content[: content.rfind(b"\n") + 1]
    delimiter = _delimiter(_split_text(content), path)
    form = "tsv" if delimiter == "\t" else form
    encoding = written_in(content, delimiter=delimiter)
    if encoding is None:
        raise UnreadableFile(
            "not Unicode, and its words are not clearly Vietnamese in any other encoding",
            where=path.name,
            hint="save it as UTF-8 (in Excel: CSV UTF-8) and add it again",
        )
    text = without_end_mark(decode(content, encoding).removeprefix("\ufeff"))
    quote = _quote(text, delimiter)
    rows: list[list[str | None]] = [[*row] for row in _rows(text, delimiter, quote)]
    read: dict[str, str] = {}
    guesses = []
    if encoding.startswith("utf"):
        rows = decode_columns(rows, "auto")
    else:
        guesses.append(f"{encoding}: only so its words are Vietnamese")
    if encoding != "utf-8":
        read["encoding"] = "utf-16" if encoding.startswith("utf-16") else encoding
    if delimiter != ("\t" if form == "tsv" else ","):
        read["delimiter"] = delimiter
    if quote != '"':
        read["quote"] = quote
    cells: list[list[Cell]] = [[(cell or "").strip() or None for cell in row] for row in rows]
    blank = 0 if partly else sum(bool(row) and not any(row) for row in cells)
    return Opened(form, [Grid(None, cells)], read, guesses, partly=partly, blank_records=blank)


def _split_text(content: bytes) -> str:
    """Text good enough to tell delimiters in: one character a byte, or UTF-16."""
    zeros = content[:4096].count(0)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or zeros > len(content[:4096]) // 4:
        little = content.startswith(b"\xff\xfe") or content[1:2] == b"\0"
        return content.decode("utf-16-le" if little else "utf-16-be", errors="replace")
    return content.decode("latin-1")


def _delimiter(text: str, path: Path) -> str:
    """The one that gives most records one and the same number of columns, and most columns."""
    if not text.strip("\ufeff\0\x1a \t\r\n"):
        raise UnreadableFile("the file is empty", where=path.name, hint="ask for it again")
    scores = {}
    for delimiter in DELIMITERS:
        widths = Counter(
            len(row) for row in _rows(text[:500_000], delimiter, '"') if any(map(str.strip, row))
        )
        wide = {width: n for width, n in widths.items() if width > 1}
        if wide:
            width, records = max(wide.items(), key=lambda item: (item[1], item[0]))
            scores[delimiter] = (round(records / widths.total(), 2), width)
    if not scores:
        raise UnreadableFile(
            "there is only one column",
            where=path.name,
            hint="columns must be parted by ; or , or a tab: ask for the table itself",
        )
    return max(scores, key=lambda delimiter: scores[delimiter])


def _quote(text: str, delimiter: str) -> str:
    single = text.count(f"{delimiter}'") + text.count(f"'{delimiter}")
    double = text.count(f'{delimiter}"') + text.count(f'"{delimiter}')
    return "'" if single > 4 and single > 10 * double else '"'


def _rows(text: str, delimiter: str, quote: str) -> list[list[str]]:
    limit = csv.field_size_limit(2**31 - 1)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote))
    except csv.Error:  # a NUL, in files that are no text
        return []
    finally:
        csv.field_size_limit(limit)
