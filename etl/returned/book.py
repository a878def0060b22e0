"""The workbook that goes back: the department's cells as they were, bad ones coloured, and a list.

Whatever comes from a file is written as a value, never as a formula that was not one already.
"""

import datetime as dt
import io
import os
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from etl.extract.raw import Cell as Value
from etl.extract.sheets import Sheet
from etl.extract.sheets_child import LIST_SHEET
from etl.returned.source import Page, Row
from etl.rule_words import phrase

AUTHOR = "Cần Thơ Foresight"
BAD = PatternFill("solid", fgColor="FFFFC7CE")
HEAD = PatternFill("solid", fgColor="FFE7E6E6")
MOST_IN_CELL = 32_000
"""Characters; Excel takes 32,767."""
MOST_IN_COMMENT = 2_000
TABLE = "Du lieu - Data"
COLUMNS = {
    "sheet": 18,
    "cell": 8,
    "label": 24,
    "value": 24,
    "reason_vi": 46,
    "remedy_vi": 36,
    "reason_en": 46,
    "remedy_en": 36,
}


@dataclass(frozen=True)
class Mark:
    """One bad cell of a sheet and why it is bad; row and column from 1."""

    sheet: str
    row: int
    column: int
    label: str
    value: str | None
    reason_vi: str
    remedy_vi: str
    reason_en: str
    remedy_en: str
    comment: str


# --- workbooks without marks --------------------------------------------------------------------


def own(path: Path) -> Workbook | None:
    """The department's own workbook without our earlier marks; `None` if it is no xlsx."""
    if not zipfile.is_zipfile(path):
        return None
    try:
        with warnings.catch_warnings():  # what an extension of the format loses is said on the list
            warnings.simplefilter("ignore")
            book = load_workbook(path, rich_text=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError):
        return None
    if LIST_SHEET in book.sheetnames:
        del book[LIST_SHEET]
    for sheet in book.worksheets:
        _unmark(sheet)
    # Formulas are kept without their last results; the program that opens it computes them.
    book.calculation.fullCalcOnLoad = True
    return book


def has_drawings(path: Path) -> bool:
    """Whether a workbook holds charts or pictures."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
    return any(name.startswith(("xl/charts/", "xl/media/", "Pictures/")) for name in names)


def of_sheets(sheets: list[Sheet], texts: dict[str, list[list[str | None]]]) -> Workbook:
    """The same sheets, each value in its place; text as in `texts`, where a sheet has any."""
    book = _empty()
    for sheet in sheets:
        made = book.create_sheet(sheet.name)
        readable = texts.get(sheet.name)
        for r, row in enumerate(sheet.rows):
            for c, value in enumerate(row):
                text = readable[r][c] if readable and isinstance(value, str) else value
                _put(made, r + 1, c + 1, text)
        for (top, left), (bottom, right) in sheet.merged:
            made.merge_cells(None, top + 1, left + 1, bottom + 1, right + 1)
    return book


def of_table(page: Page) -> tuple[Workbook, dict[int, int]]:
    """A sheet with the records as text, and its row by record; 0 is the header.

    Where records are left out, the first column holds the numbers of those that are there.
    """
    numbered = len(page.rows) < page.total
    book, row_of = of_rows({0: [*page.labels], **page.rows}, numbered=numbered)
    sheet = book[TABLE]
    if numbered:
        _put(sheet, 1, 1, _both("column.record"))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    return book, row_of


def of_rows(rows: Mapping[int, Row], *, numbered: bool) -> tuple[Workbook, dict[int, int]]:
    """A sheet with rows of text, and its row by number; `numbered` rows begin with theirs."""
    book = _empty()
    sheet = book.create_sheet(TABLE)
    row_of = {}
    for r, (number, cells) in enumerate(sorted(rows.items()), start=1):
        row_of[number] = r
        for c, text in enumerate([*([number] if numbered else []), *cells], start=1):
            _put(sheet, r, c, text).number_format = "@"
    return book, row_of


def _empty() -> Workbook:
    book = Workbook()
    for sheet in book.worksheets:
        book.remove(sheet)
    return book


def _put(sheet: Worksheet, row: int, column: int, value: Value) -> Cell:
    """Write a value; text stays text, whatever it begins with."""
    cell = sheet.cell(row, column)
    if not isinstance(cell, Cell):
        raise TypeError(f"{cell.coordinate} is inside a merged range")
    if isinstance(value, str):
        text = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value)
        cell.value = text if len(text) <= MOST_IN_CELL else f"{text[:MOST_IN_CELL]}…"
        cell.data_type = "s"
        cell.quotePrefix = text.lstrip().startswith(("=", "+", "-", "@"))
    elif isinstance(value, dt.datetime):
        cell.value = value.replace(tzinfo=None)
    elif value is not None and value == value:
        cell.value = value
    return cell


# --- marks --------------------------------------------------------------------------------------


def mark(book: Workbook, marks: Iterable[Mark]) -> None:
    """Colour each bad cell, and say in a comment what is wrong and what to do."""
    for one in marks:
        cell = _cell(book[one.sheet], one.row, one.column)
        cell.fill = BAD
        said = cell.comment.text if cell.comment else ""
        if one.comment in said:
            continue
        text = f"{said}\n\n{one.comment}".strip()[:MOST_IN_COMMENT]
        text = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)
        lines = sum(1 + len(line) // 60 for line in text.splitlines())
        cell.comment = Comment(text, AUTHOR, height=18 * lines + 10, width=420)


def _cell(sheet: Worksheet, row: int, column: int) -> Cell:
    """The cell, or the first of the merged range it lies in."""
    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell):
        for held in sheet.merged_cells.ranges:
            if cell.coordinate in held:
                cell = sheet.cell(held.min_row, held.min_col)
    if not isinstance(cell, Cell):
        raise TypeError(f"{cell.coordinate} is in no merged range")
    return cell


def _unmark(sheet: Worksheet) -> None:
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell, Cell) and cell.comment and cell.comment.author == AUTHOR:
                cell.comment = None
                cell.fill = PatternFill()


def list_marks(book: Workbook, intro: list[str], marks: list[Mark]) -> None:
    """Put the sheet before all others that lists what to mend, each with a link to its cell."""
    sheet = book.create_sheet(LIST_SHEET, 0)
    for row, text in enumerate(intro, start=1):
        cell = _put(sheet, row, 1, text)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.merge_cells(None, row, 1, row, len(COLUMNS))
        sheet.row_dimensions[row].height = 15.0 * (1 + len(text) // 200)
    head = len(intro) + 2
    for column, (name, width) in enumerate(COLUMNS.items(), start=1):
        cell = _put(sheet, head, column, _both(f"column.{name}"))
        cell.font, cell.fill = Font(bold=True), HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row, one in enumerate(marks, start=head + 1):
        _list_one(book, sheet, row, one)
    sheet.freeze_panes = sheet.cell(head + 1, 1)
    last = get_column_letter(len(COLUMNS))
    sheet.auto_filter.ref = f"A{head}:{last}{head + len(marks)}"
    book.active = 0
    for other in book.worksheets:
        other.sheet_view.tabSelected = other is sheet


def _list_one(book: Workbook, sheet: Worksheet, row: int, one: Mark) -> None:
    place = _cell(book[one.sheet], one.row, one.column).coordinate
    texts = [one.sheet, place, one.label, one.value or _both("note.empty")]
    texts += [one.reason_vi, one.remedy_vi, one.reason_en, one.remedy_en]
    for column, text in enumerate(texts, start=1):
        cell = _put(sheet, row, column, text)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    quoted = one.sheet.replace("'", "''")
    link = sheet.cell(row, 2)
    link.hyperlink = Hyperlink(ref=link.coordinate, location=f"'{quoted}'!{place}")
    link.font = Font(underline="single", color="FF0563C1")


def _both(key: str) -> str:
    return f"{phrase(key, 'vi')} / {phrase(key, 'en')}"


def save(book: Workbook, path: Path) -> None:
    """Write it for its owner's eyes only (mode 0600), whole or not at all."""
    content = io.BytesIO()
    book.save(content)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(content.getvalue())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
