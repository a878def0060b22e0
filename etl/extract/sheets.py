"""Sheets of a workbook, read in a process of their own with limits on memory and time.

What is packed is looked at before it is unpacked. A zip can lie about its sizes; then the limits of
the process hold. A workbook that breaks one is refused with what to do.
"""

import os
import pickle
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from etl.extract import sheets_child
from etl.extract.mistaken import refuse_what_is_no_table
from etl.extract.raw import Cell, Percent, UnreadableFile

MEMORY = 1_000_000_000
"""Bytes of address space of the process that reads."""
SECONDS = 60
UNPACKED = 500_000_000
"""Bytes of all parts of a workbook together."""
RATIO = 200
"""Unpacked over packed: workbooks reach 30, bombs 1000."""
ENTRIES = 2000

LARGE_PAGES = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432"
    ":glibc.malloc.trim_threshold=1000000000"
}
"""The process asks for its memory in large pages and keeps it: a tenth and more of its time is
else spent on getting pages and giving them back. Where the C library is another, nothing happens.
"""

SMALLER = (
    "delete the empty rows and columns below and beside the table (one stray cell makes a sheet "
    "huge), or give only the sheet that is needed, and save it again"
)
AGAIN = "open it, take off its password if it has one, and save it as xlsx"

Range = tuple[tuple[int, int], tuple[int, int]]
"""Row and column, from 0, of the first and of the last cell."""


Runs = list[tuple[int, str]]
"""From which character of a cell on it is written in which font."""
Fonts = dict[tuple[int, int], Runs]
"""By row and column, from 0, of cells written in a font of before Unicode."""

COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How the workbooks of before 2007 begin, whatever their name."""


@dataclass(frozen=True)
class Column:
    """The cells of a column: numbers, NaN where there is none, and of the others only distinct."""

    numbers: npt.NDArray[np.float64] | None
    places: npt.NDArray[np.uint32]
    """Rows of the cells that are no numbers, blank ones among them."""
    codes: npt.NDArray[np.uint32]
    """Which of `distinct` stands there."""
    distinct: list[Cell]

    @property
    def cells(self) -> list[Cell]:
        """One by one; blank is the empty text."""
        found: list[Cell] = [] if self.numbers is None else self.numbers.tolist()
        found = found or [""] * len(self.places)
        for place, code in zip(self.places.tolist(), self.codes.tolist(), strict=True):
            found[place] = self.distinct[code]
        return found


@dataclass(frozen=True)
class Sheet:
    """Cells from the first row and column on, and the ranges that are merged."""

    name: str
    columns: list[Column]
    height: int
    merged: list[Range]
    filled: int
    """Rows that hold anything, as the process that read them counted."""
    hidden: bool = False

    @property
    def rows(self) -> list[list[Cell]]:
        """The cells row by row."""
        return [list(row) for row in zip(*(c.cells for c in self.columns), strict=True)]


def read_sheets(path: Path, wanted: str | None) -> list[Sheet]:
    """The sheet called `wanted`, all that match where it begins with `^`, or the first not hidden.

    Raises:
        UnreadableFile: not a workbook, no such sheet, or one that breaks a limit.
    """
    check_parts(path, path.name)
    refuse_what_is_no_table(path, workbook=True)
    found = _answer(path, _pattern(wanted), "cells")
    if isinstance(found, str):
        raise UnreadableFile(f"not a workbook: {found}", where=path.name, hint=AGAIN)
    names, hidden, sheets = found
    if not sheets:
        raise UnreadableFile(
            f"no sheet {wanted!r}", where=path.name, hint=f"sheets: {', '.join(names)}"
        )
    return [
        Sheet(
            name,
            [_unpacked(*column) for column in columns],
            height,
            merged,
            filled,
            name in hidden,
        )
        for name, columns, height, merged, filled in sheets
    ]


def old_fonts(path: Path, wanted: str | None) -> dict[str, Fonts]:
    """Fonts of before Unicode in the sheets of an old .xls; of other workbooks nothing is known.

    Nothing either where the reader that knows of fonts cannot read what the other could.
    """
    with path.open("rb") as file:
        if file.read(8) != COMPOUND_FILE:
            return {}
    try:
        found: dict[str, Fonts] = _answer(path, _pattern(wanted), "fonts")
    except UnreadableFile:
        return {}
    return found


def _pattern(wanted: str | None) -> str:
    if wanted and not wanted.startswith("^"):
        return f"^{re.escape(wanted)}$"
    return wanted or ""


def _unpacked(numbers: bytes, places: bytes, codes: bytes, distinct: list[Any]) -> Column:
    return Column(
        np.frombuffer(numbers) if numbers else None,
        np.frombuffer(places, dtype=np.uint32),
        np.frombuffer(codes, dtype=np.uint32),
        [Percent(cell[1]) if isinstance(cell, tuple) else cell for cell in distinct],
    )


def check_parts(path: Path, name: str) -> None:
    """Refuse a zip that is more than a workbook; what is no zip is left to the reader.

    Raises:
        UnreadableFile: it unpacks to too much, or holds what leads outside; called `name`.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
    except zipfile.BadZipFile as error:
        raise UnreadableFile(f"not a workbook: {error}", where=name, hint=AGAIN) from None
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts) or 1
    if len(parts) > ENTRIES:
        problem = f"it is packed from {len(parts)} parts, more than {ENTRIES}"
    elif unpacked > UNPACKED:
        problem = f"it unpacks to {unpacked / 1e6:,.0f} MB, more than {UNPACKED / 1e6:,.0f}"
    elif unpacked > RATIO * packed:
        problem = f"it unpacks to {unpacked / packed:,.0f} times its size, more than {RATIO}"
    elif outside := [part.filename for part in parts if _leads_outside(part.filename)]:
        raise UnreadableFile(
            f"a part of it is called {outside[0]!r}, which leads outside",
            where=name,
            hint="no office program writes this: ask where the file comes from",
        )
    else:
        return
    raise UnreadableFile(problem, where=name, hint=SMALLER)


def _leads_outside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", name) is not None


def found_in(*packages: str) -> str:
    """Where these packages lie, as a path for a process that starts without any.

    No more than that: the program that asks may have modules of its own in its path that are called
    as those of Python, as Streamlit puts the folder of its script there.
    """
    specs = [find_spec(name) for name in packages]
    folders = [Path(spec.origin).parents[1] for spec in specs if spec and spec.origin]
    return os.pathsep.join(dict.fromkeys(map(str, folders)))


def _answer(path: Path, pattern: str, what: str) -> Any:
    """What the process says of the sheets that match: their cells or their fonts."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-I", "-S", sheets_child.__file__),
            *(str(path), pattern, str(MEMORY), what, folder, found_in("python_calamine", "xlrd")),
        ]
        try:
            done = subprocess.run(
                command,
                stderr=subprocess.PIPE,
                timeout=SECONDS,
                check=False,
                env={**os.environ, **LARGE_PAGES},
            )
        except subprocess.TimeoutExpired:
            raise UnreadableFile(
                f"it takes more than {SECONDS} s to read", where=path.name, hint=SMALLER
            ) from None
        if done.returncode:
            raise _broken(path, done.stderr.decode(errors="replace"))
        # A file, because a pipe would hold all of the answer once more.
        with (Path(folder) / sheets_child.ANSWER).open("rb") as answer:
            return pickle.load(answer)


def _broken(path: Path, said: str) -> UnreadableFile:
    if "memory" in said.lower():
        problem = f"it takes more than {MEMORY / 1e9:.0f} GB of memory to read"
        return UnreadableFile(problem, where=path.name, hint=SMALLER)
    last = (said.strip().splitlines() or ["without a word"])[-1]
    return UnreadableFile(f"the reader of workbooks broke: {last}", where=path.name, hint=AGAIN)
