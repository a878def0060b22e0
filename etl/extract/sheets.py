"""Sheets of a workbook, read in a process of their own with limits on memory and time.

What is packed is looked at before it is unpacked. A zip can lie about its sizes; then the limits of
the process hold. A workbook that breaks one is refused with what to do.
"""

import pickle
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from etl.extract import sheets_child
from etl.extract.raw import Cell, UnreadableFile

MEMORY = 1_000_000_000
"""Bytes of address space of the process that reads."""
SECONDS = 60
UNPACKED = 500_000_000
"""Bytes of all parts of a workbook together."""
RATIO = 200
"""Unpacked over packed: workbooks reach 30, bombs 1000."""
ENTRIES = 2000

SMALLER = (
    "delete the empty rows and columns below and beside the table (one stray cell makes a sheet "
    "huge), or give only the sheet that is needed, and save it again"
)
AGAIN = "open it, take off its password if it has one, and save it as xlsx"

Range = tuple[tuple[int, int], tuple[int, int]]
"""Row and column, from 0, of the first and of the last cell."""


@dataclass(frozen=True)
class Sheet:
    """Cells from the first row and column on, and the ranges that are merged."""

    name: str
    rows: list[list[Cell]]
    merged: list[Range]


def read_sheets(path: Path, wanted: str | None) -> list[Sheet]:
    """The sheet called `wanted`, all that match where it begins with `^`, or the first.

    Raises:
        UnreadableFile: not a workbook, no such sheet, or one that breaks a limit.
    """
    _check_parts(path)
    pattern = wanted or ""
    if wanted and not wanted.startswith("^"):
        pattern = f"^{re.escape(wanted)}$"
    names, found = _answer(path, pattern)
    if not found:
        raise UnreadableFile(
            f"no sheet {wanted!r}", where=path.name, hint=f"sheets: {', '.join(names)}"
        )
    return [Sheet(*parts) for parts in found]


def _check_parts(path: Path) -> None:
    """Refuse a zip that is more than a workbook; what is no zip is left to the reader."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
    except zipfile.BadZipFile as error:
        raise UnreadableFile(f"not a workbook: {error}", where=path.name, hint=AGAIN) from None
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
            where=path.name,
            hint="no office program writes this: ask where the file comes from",
        )
    else:
        return
    raise UnreadableFile(problem, where=path.name, hint=SMALLER)


def _leads_outside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", name) is not None


def _answer(
    path: Path, pattern: str
) -> tuple[list[str], list[tuple[str, list[list[Cell]], list[Range]]]]:
    """Names of all sheets, and name, rows and merged ranges of those that match."""
    command = [sys.executable, "-I", sheets_child.__file__, str(path), pattern, str(MEMORY)]
    # A file, because a pipe would hold all of the answer once more.
    with tempfile.TemporaryFile() as answer:
        try:
            done = subprocess.run(
                command, stdout=answer, stderr=subprocess.PIPE, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise UnreadableFile(
                f"it takes more than {SECONDS} s to read", where=path.name, hint=SMALLER
            ) from None
        if done.returncode:
            raise _broken(path, done.stderr.decode(errors="replace"))
        answer.seek(0)
        found = pickle.load(answer)
    if isinstance(found, str):
        raise UnreadableFile(f"not a workbook: {found}", where=path.name, hint=AGAIN)
    names, sheets = found
    return names, sheets


def _broken(path: Path, said: str) -> UnreadableFile:
    if "memory" in said.lower():
        problem = f"it takes more than {MEMORY / 1e9:.0f} GB of memory to read"
        return UnreadableFile(problem, where=path.name, hint=SMALLER)
    last = (said.strip().splitlines() or ["without a word"])[-1]
    return UnreadableFile(f"the reader of workbooks broke: {last}", where=path.name, hint=AGAIN)
