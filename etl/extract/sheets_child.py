"""The process in which a workbook is read: `python -I sheets_child.py PATH PATTERN BYTES WHAT`.

A workbook of 8 kB can ask for all memory there is, and the reader then aborts its process. This
one may: it has a limit, and nothing to lose. It imports the readers and nothing of ours, because it
is started once a workbook. The answer goes to standard output, pickled.

`cells`: the names of all sheets; and name, packed columns, height, merged ranges and number of rows
that hold anything, of those asked for; or, as text, why it is not a workbook. `fonts`: for each
sheet asked for, the fonts of text in fonts of before Unicode, which only one of the readers knows.
"""

import pickle
import re
import resource
import sys
from array import array
from pathlib import Path
from typing import Any

OLD_FONT = re.compile(r"\.Vn|VNI", re.IGNORECASE)
NAN = float("nan")
HEAD = 100
"""Rows among which titles and headers stand; below them most columns hold one kind of cell."""


def main() -> None:
    """Read the sheets whose name matches the pattern; without a pattern the first."""
    path, pattern, memory, what = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer = {"cells": _cells, "fonts": _fonts}[what](Path(path), pattern)
    pickle.dump(answer, sys.stdout.buffer, protocol=5)


def _wanted(names: list[str], pattern: str) -> list[str]:
    return [name for name in names if re.search(pattern, name)] if pattern else names[:1]


def _cells(path: Path, pattern: str) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        # From an open file the reader goes by the content: many a .xls is an xlsx.
        with path.open("rb") as file:
            book = CalamineWorkbook.from_filelike(file)
        found = []
        for name in _wanted(book.sheet_names, pattern):
            sheet = book.get_sheet_by_name(name)
            rows = sheet.to_python(skip_empty_area=False)
            filled = sum(1 for row in rows if any(map(_holds, row)))
            packed = [_packed(column) for column in zip(*rows, strict=True)]
            found.append((name, packed, len(rows), sheet.merged_cell_ranges or [], filled))
    except CalamineError as error:
        return str(error)
    return book.sheet_names, found


def _holds(cell: Any) -> bool:
    return bool(cell.strip()) if type(cell) is str else cell is not None


def _packed(column: tuple[Any, ...]) -> tuple[bytes, bytes, bytes, list[Any]]:
    """Numbers (NaN where there is none); places of other cells, which of the distinct, and these.

    Cells one by one would cost as much on their way to the other process as to be read.
    """
    head, tail = column[:HEAD], column[HEAD:]
    if set(map(type, tail)) == {float}:
        numbers = array("d", [_number(cell) for cell in head]) + array("d", tail)
        places = array("I", [i for i, cell in enumerate(head) if type(cell) is not float])
    else:
        numbers = array("d", map(_number, column) if float in map(type, column) else ())
        places = array("I", [i for i, cell in enumerate(column) if type(cell) is not float])
    others = [column[i] for i in places]
    # 1, 1.0 and True are equal, but not the same.
    keys = others if set(map(type, others)) <= {str} else [(type(c), c) for c in others]
    order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    codes = array("I", map(order.__getitem__, keys))
    distinct = list(order) if keys is others else [cell for _, cell in order]
    return numbers.tobytes(), places.tobytes(), codes.tobytes(), distinct


def _number(cell: Any) -> float:
    return cell if type(cell) is float else NAN


def _fonts(path: Path, pattern: str) -> dict[str, dict[tuple[int, int], list[tuple[int, str]]]]:
    import xlrd

    book = xlrd.open_workbook(str(path), formatting_info=True, on_demand=True)
    names = _wanted(book.sheet_names(), pattern)
    return {name: _fonts_of(book, book.sheet_by_name(name)) for name in names}


def _fonts_of(book: Any, sheet: Any) -> dict[tuple[int, int], list[tuple[int, str]]]:
    """By row and column: from which character on which font; cells without an old font left out."""
    found = {}
    for row in range(sheet.nrows):
        for column in range(sheet.ncols):
            if sheet.cell_type(row, column) != 1:  # no text
                continue
            own = book.xf_list[sheet.cell_xf_index(row, column)].font_index
            runs = [(0, own), *sheet.rich_text_runlist_map.get((row, column), ())]
            named = [(start, book.font_list[font].name) for start, font in runs]
            if any(OLD_FONT.match(name) for _, name in named):
                found[row, column] = named
    return found


if __name__ == "__main__":
    main()
