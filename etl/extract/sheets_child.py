"""The process in which a workbook is read: `python -I -S sheets_child.py` with six arguments.

They are the workbook, a pattern of sheet names, bytes of memory, `cells` or `fonts`, a folder for
what is written on the way, and where modules are looked for. A workbook of 8 kB can ask for all
memory there is, and the reader then aborts its process. This one may: it has a limit, and nothing
to lose. It imports the readers and nothing of ours, because it is started once a workbook. The
answer goes into the folder, pickled.

`cells`: the names of all sheets, and of those that are hidden; and name, packed columns, height,
merged ranges and number of rows that hold anything, of those asked for; or, as text, why it is not
a workbook. A cell in percent is `("%", 12.5)`, one with an error or a formula that was never
computed their text. Without a pattern it is the first sheet that is not hidden. `fonts`: for each
sheet asked for, the fonts of text in fonts of before Unicode, which only one of the readers knows.
"""

import gc
import os
import pickle
import re
import resource
import sys
import zipfile
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from itertools import chain, count, islice, repeat
from pathlib import Path
from struct import pack
from typing import Any

ANSWER = "answer"
"""The file of the folder in which the answer stands."""
LARGE, HUGE = 1_000_000, 200_000_000
"""Bytes of the sheets from which a copy of the workbook is worth its cost, and up to which there is
memory for it."""

OLD_FONT = re.compile(r"\.Vn|VNI", re.IGNORECASE)
TOGETHER = 100
"""Rows that are taken together: few enough for their cells to stay in the cache."""
NAN, BYTES = float("nan"), 8
NO_NUMBERS = (NAN,) * TOGETHER
ONLY_NUMBERS, NUMBERS_AND_TEXT = {float}, {float, str}

LIST_SHEET = "Cần sửa - To mend"
"""The sheet `etl.returned` puts before those of a department; it is no part of its data."""


def _beside(name: str) -> Any:
    """A module of the folder of this one, which is in no path that is looked through."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


beside = _beside("cells_child")


def main() -> None:
    """Read the sheets whose name matches the pattern; without a pattern the first."""
    path, pattern, memory, what, folder, packages = sys.argv[1:]
    sys.path.extend(packages.split(os.pathsep))
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A million cells in lists: looking for circles among them finds none, and takes its time.
    gc.disable()
    answer = {"cells": _cells, "fonts": _fonts}[what](Path(path), pattern, Path(folder))
    with (Path(folder) / ANSWER).open("wb") as file:
        pickle.dump(answer, file, protocol=5)
    # Nothing is left to do but to give each cell back, which the end of the process does at once.
    os._exit(0)


def _wanted(names: list[str], pattern: str, hidden: Collection[str] = ()) -> list[str]:
    names = [name for name in names if name != LIST_SHEET]
    if pattern:
        return [name for name in names if re.search(pattern, name)]
    shown = [name for name in names if name not in hidden]
    return (shown or names)[:1]


def _cells(path: Path, pattern: str, folder: Path) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    try:
        looked: dict[str, bool] = {}
        if copy := _merged_first(path, folder, looked):
            book = CalamineWorkbook.from_path(copy)
        else:
            # From an open file the reader goes by the content: many a .xls is an xlsx.
            with path.open("rb") as file:
                book = CalamineWorkbook.from_filelike(file)
        found = []
        hidden = [
            each.name for each in book.sheets_metadata if each.visible != SheetVisibleEnum.Visible
        ]
        wanted = _wanted(book.sheet_names, pattern, hidden)
        unsaid = beside.unsaid_in(path, wanted, looked)
        for name in wanted:
            sheet = book.get_sheet_by_name(name)
            height, filled, columns = _columns(sheet, unsaid.get(name, {}))
            found.append((name, columns, height, sheet.merged_cell_ranges or [], filled))
    except CalamineError as error:
        return str(error)
    return book.sheet_names, hidden, found


def _merged_first(path: Path, folder: Path, looked: dict[str, bool]) -> Path | None:
    """An unpacked copy of an xlsx whose sheets say first what is merged; `None`: read it as it is.

    The reader unpacks and reads a sheet once for its cells, and again until it has found what is
    merged, which stands at the end or nowhere. That is two fifths of its time. `looked` takes up
    which of the sheets are worth a look for what the reader leaves unsaid.
    """
    copy = folder / "merged_first.xlsx"
    try:
        with zipfile.ZipFile(path) as package, zipfile.ZipFile(copy, "w") as made:
            parts = package.infolist()
            sheets = [part.file_size for part in parts if _is_sheet(part)] or [0]
            # Of several large ones perhaps one is wanted, but all would be copied.
            if not LARGE < sum(sheets) < min(HUGE, 2 * max(sheets)):
                return None
            styles = beside.Styles(package)
            for part in parts:
                content = package.read(part)
                if _is_sheet(part):
                    looked[part.filename] = styles.worth_a_look(content)
                with made.open(part.filename, "w") as file:
                    file.writelines(_turned(content) if _is_sheet(part) else [content])
    except beside.DAMAGED:  # or no zip, or no room on the disk: the reader will see for itself
        return None
    return copy


def _is_sheet(part: zipfile.ZipInfo) -> bool:
    return part.filename.lower().startswith("xl/worksheets/sheet")


def _turned(sheet: bytes) -> list[bytes | memoryview]:
    """The sheet with what is merged before its cells; as it is where it is not written plainly."""
    cells, end = sheet.find(b"<sheetData"), sheet.rfind(b"</sheetData>")
    if not 0 <= cells < end:
        return [sheet]
    merged = re.search(rb"<mergeCells\b.*</mergeCells>", sheet[end:], re.DOTALL)
    first = merged.group() if merged else b"<mergeCells/>"
    return [sheet[:cells], first, memoryview(sheet)[cells:]]


Packed = tuple[bytes, bytes, bytes, list[Any]]


def _columns(sheet: Any, unsaid: dict[int, dict[int, Any]]) -> tuple[int, int, list[Packed]]:
    """Rows, how many of them hold anything, and the columns from the first of the sheet on.

    The cells of `unsaid`, by row and column, stand in place of what the reader says of them.
    """
    if sheet.start is None and not unsaid:
        return 0, 0, []
    left, right = (sheet.start[1], sheet.start[1] + sheet.width) if sheet.start else (0, 0)
    rows = sheet.iter_rows()
    if unsaid:
        width = max(right, *(column + 1 for cells in unsaid.values() for column in cells))
        rows = _completed(rows, left, width, unsaid)
        left, right = 0, width
    columns = [_Column() for _ in range(right)]
    height = filled = 0
    while some := list(islice(rows, TOGETHER)):
        height += len(some)
        blank = [("",) * len(some)] * left
        by_column = [*blank, *zip(*some, strict=True)]
        kinds = [set(map(type, cells)) for cells in by_column]
        # A column of numbers alone fills all of these rows.
        filled += len(some) if ONLY_NUMBERS in kinds else sum(any(map(_holds, r)) for r in some)
        for column, cells, kind in zip(columns, by_column, kinds, strict=True):
            column.take(cells, kind)
    return height, filled, [column.packed() for column in columns]


def _completed(
    rows: Iterable[list[Any]], left: int, width: int, unsaid: dict[int, dict[int, Any]]
) -> Iterator[list[Any]]:
    """The rows, which begin at the column `left`, from the first column on and `width` wide."""
    before = [""] * left
    for number, cells in enumerate(chain(rows, repeat([]))):
        if number > max(unsaid) and not cells:
            return
        row = [*before, *cells] if cells else []
        row += [""] * (width - len(row))
        for column, cell in unsaid.get(number, {}).items():
            row[column] = cell
        yield row


def _holds(cell: Any) -> bool:
    return bool(cell.strip()) if type(cell) is str else cell is not None


class _Column:
    """Numbers (NaN where there is none); places of other cells, which of the distinct, and these.

    Cells one by one would cost as much on their way to the other process as to be read.
    """

    def __init__(self) -> None:
        self.numbers, self.places, self.codes = bytearray(), array("I"), array("I")
        self.code: defaultdict[Any, int] = defaultdict(count().__next__)

    def take(self, cells: tuple[Any, ...], kinds: set[type]) -> None:
        """Add cells of these kinds below those there are."""
        if kinds != ONLY_NUMBERS:
            cells = self._others(cells, kinds)
        # Packed so, a number costs a sixth of what it costs to append it to an array.
        self.numbers += pack(f"{len(cells)}d", *cells)

    def _others(self, cells: tuple[Any, ...], kinds: set[type]) -> tuple[float, ...]:
        """Note the cells that are no numbers; the cells with NaN in their place."""
        first = len(self.numbers) // BYTES
        places: Iterable[int] = range(first, first + len(cells))
        others: Iterable[Any] = cells
        numbers = NO_NUMBERS[: len(cells)]
        if float in kinds:
            places = [place for place, cell in enumerate(cells, first) if type(cell) is not float]
            others = [cell for cell in cells if type(cell) is not float]
            numbers = tuple(cell if type(cell) is float else NAN for cell in cells)
        if kinds - NUMBERS_AND_TEXT:
            # 1, 1.0 and True are equal, but not the same.
            others = [cell if type(cell) is str else (type(cell), cell) for cell in others]
        self.places.fromlist(list(places))
        self.codes.fromlist(list(map(self.code.__getitem__, others)))
        return numbers

    def packed(self) -> Packed:
        """As bytes, and the distinct; no numbers where there are none."""
        numbers = self.numbers if len(self.places) * BYTES < len(self.numbers) else b""
        distinct = [cell if type(cell) is str else cell[1] for cell in self.code]
        return bytes(numbers), self.places.tobytes(), self.codes.tobytes(), distinct


def _fonts(
    path: Path, pattern: str, _: Path
) -> dict[str, dict[tuple[int, int], list[tuple[int, str]]]]:
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
