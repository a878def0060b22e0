"""The process in which a workbook is marked: `python -I -S book_child.py` with four arguments.

They are a folder, bytes of memory, seconds of work, and where packages lie. A small file
can ask for all memory there is, as by one merged range over the whole sheet, and openpyxl holds
every cell as an object. So this process has limits, and nothing to lose. It imports openpyxl and
nothing of ours, because it is started once a workbook.

In the folder lies `JOB`, pickled: a dict of what `etl.returned.book` asks for. The answer is the
workbook, as `BOOK`, or one word in `NOT_WRITTEN`: `other` where the file is no workbook that
openpyxl reads, `large` where it has more cells than may be.
"""

import os
import pickle
import re
import resource
import sys
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

JOB, BOOK, NOT_WRITTEN = "job", "book.xlsx", "not_written"
OTHER, LARGE = "other", "large"
MOST_IN_CELL = 32_000
"""Characters; Excel takes 32,767."""
MOST_IN_COMMENT = 2_000
BAD, HEAD = "FFFFC7CE", "FFE7E6E6"
CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
"""How a cell begins in the XML of a sheet, whatever its prefix."""
NO_CELLS = ("xl/sharedstrings.xml", "xl/calcchain.xml")
PIECE = 1_000_000


def main() -> None:
    """Do the job of the folder."""
    folder, memory, seconds, packages = sys.argv[1:]
    sys.path.extend(packages.split(os.pathsep))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.modules["numpy"] = None  # type: ignore[assignment]  # openpyxl starts sooner without
    job: dict[str, Any] = pickle.loads((Path(folder) / JOB).read_bytes())
    done = _done(job)
    if isinstance(done, str):
        (Path(folder) / NOT_WRITTEN).write_text(done)
    else:
        done.save(Path(folder) / BOOK)
    # Nothing is left to do but to give each cell back, which the end of the process does at once.
    os._exit(0)


def _done(job: dict[str, Any]) -> "Workbook | str":
    if job["own"]:
        path = Path(job["own"])
        if cells_of(path, job["most"]) > job["most"]:
            return LARGE
        book = _own(path, job)
        if book is None:
            return OTHER
    else:
        book = _made(job["sheets"])
    if job["own"] or job["sheets"]:
        for mark in job["marks"]:
            _mark(book, mark, job["author"])
    _list_marks(book, job, job["marks"])
    return book


def cells_of(path: Path, most: int) -> int:
    """How many cells all sheets of an xlsx hold; counting stops above `most`."""
    found = 0
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            if not name.lower().endswith(".xml") or name.lower() in NO_CELLS:
                continue
            with package.open(name) as sheet:
                rest = b""
                while found <= most and (piece := sheet.read(PIECE)):
                    found += len(CELL.findall(rest + piece))
                    # What a piece cuts in two is counted with the next, and only there.
                    rest = piece[piece.rfind(b"<") :] if b"<" in piece[-64:] else b""
                    found -= len(CELL.findall(rest))
    return found


# --- workbooks without marks --------------------------------------------------------------------


def _own(path: Path, job: dict[str, Any]) -> "Workbook | None":
    """The department's own workbook without our earlier marks; `None` if it is no xlsx."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():  # what an extension of the format loses is said on the list
            warnings.simplefilter("ignore")
            book = load_workbook(path, rich_text=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError):
        return None
    if job["list_sheet"] in book.sheetnames:
        del book[job["list_sheet"]]
    for sheet in book.worksheets:
        _unmark(sheet, job["author"])
    # Formulas are kept without their last results; the program that opens it computes them.
    book.calculation.fullCalcOnLoad = True
    return book


def _unmark(sheet: "Worksheet", author: str) -> None:
    from openpyxl.cell.cell import Cell
    from openpyxl.styles import PatternFill

    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell, Cell) and cell.comment and cell.comment.author == author:
                cell.comment = None
                cell.fill = PatternFill()


def _made(sheets: list[dict[str, Any]]) -> "Workbook":
    """A workbook of these sheets; a dict of each, as `etl.returned.book.Made`."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    for sheet in book.worksheets:
        book.remove(sheet)
    for one in sheets:
        made = book.create_sheet(one["name"])
        _fill(made, one["rows"], text=one["text"])
        for (top, left), (bottom, right) in one["merged"]:
            made.merge_cells(None, top + 1, left + 1, bottom + 1, right + 1)
        if one["head"]:
            for cell in made[1]:
                cell.font = Font(bold=True)
            made.freeze_panes = "A2"
    return book


def _fill(sheet: "Worksheet", rows: list[list[Any]], *, text: bool) -> None:
    for r, row in enumerate(rows, start=1):
        for c, value in enumerate(row, start=1):
            cell = _put(sheet, r, c, value)
            if text:
                cell.number_format = "@"


def _put(sheet: "Worksheet", row: int, column: int, value: Any) -> "Cell":
    """Write a value; text stays text, whatever it begins with."""
    from openpyxl.cell.cell import Cell

    cell = sheet.cell(row, column)
    if not isinstance(cell, Cell):
        raise TypeError(f"{cell.coordinate} is inside a merged range")
    if isinstance(value, str):
        text = _plain(value)
        cell.value = text if len(text) <= MOST_IN_CELL else f"{text[:MOST_IN_CELL]}…"
        cell.data_type = "s"
        cell.quotePrefix = text.lstrip().startswith(("=", "+", "-", "@"))
    elif hasattr(value, "tzinfo") and hasattr(value, "date"):
        cell.value = value.replace(tzinfo=None)
    elif value is not None and value == value:
        cell.value = value
    return cell


def _plain(text: str) -> str:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)


# --- marks --------------------------------------------------------------------------------------


def _mark(book: "Workbook", mark: dict[str, Any], author: str) -> None:
    """Colour a bad cell, and say in a comment what is wrong and what to do."""
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    cell = _cell(book[mark["sheet"]], mark["row"], mark["column"])
    cell.fill = PatternFill("solid", fgColor=BAD)
    said = cell.comment.text if cell.comment else ""
    if mark["comment"] in said:
        return
    text = _plain(f"{said}\n\n{mark['comment']}".strip()[:MOST_IN_COMMENT])
    lines = sum(1 + len(line) // 60 for line in text.splitlines())
    cell.comment = Comment(text, author, height=18 * lines + 10, width=420)


def _cell(sheet: "Worksheet", row: int, column: int) -> "Cell":
    """The cell, or the first of the merged range it lies in."""
    from openpyxl.cell.cell import Cell, MergedCell

    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell):
        for held in sheet.merged_cells.ranges:
            if cell.coordinate in held:
                cell = sheet.cell(held.min_row, held.min_col)
    if not isinstance(cell, Cell):
        raise TypeError(f"{cell.coordinate} is in no merged range")
    return cell


def _list_marks(book: "Workbook", job: dict[str, Any], marks: list[dict[str, Any]]) -> None:
    """Put the sheet before all others that lists what to mend, each with a link to its cell."""
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(job["list_sheet"], 0)
    wrapped = Alignment(wrap_text=True, vertical="top")
    for row, text in enumerate(job["intro"], start=1):
        _put(sheet, row, 1, text).alignment = wrapped
        sheet.merge_cells(None, row, 1, row, len(job["columns"]))
        sheet.row_dimensions[row].height = 15.0 * (1 + len(text) // 200)
    head = len(job["intro"]) + 2
    for column, (title, width) in enumerate(job["columns"], start=1):
        cell = _put(sheet, head, column, title)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor=HEAD)
        cell.alignment = wrapped
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row, mark in enumerate(marks, start=head + 1):
        _list_one(book, sheet, row, mark, job["empty"])
    sheet.freeze_panes = sheet.cell(head + 1, 1)
    last = get_column_letter(len(job["columns"]))
    sheet.auto_filter.ref = f"A{head}:{last}{head + len(marks)}"
    book.active = 0
    for other in book.worksheets:
        other.sheet_view.tabSelected = other is sheet


def _list_one(
    book: "Workbook", sheet: "Worksheet", row: int, mark: dict[str, Any], empty: str
) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.hyperlink import Hyperlink

    there = mark["sheet"] in book.sheetnames
    place = f"{get_column_letter(mark['column'])}{mark['row']}"
    if there:
        place = _cell(book[mark["sheet"]], mark["row"], mark["column"]).coordinate
    texts = [mark["sheet"], place, mark["label"], mark["value"] or empty]
    texts += [mark[name] for name in ("reason_vi", "remedy_vi", "reason_en", "remedy_en")]
    for column, text in enumerate(texts, start=1):
        _put(sheet, row, column, text).alignment = Alignment(wrap_text=True, vertical="top")
    if there:
        quoted = mark["sheet"].replace("'", "''")
        link = sheet.cell(row, 2)
        link.hyperlink = Hyperlink(ref=link.coordinate, location=f"'{quoted}'!{place}")
        link.font = Font(underline="single", color="FF0563C1")


if __name__ == "__main__":
    main()
