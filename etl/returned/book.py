"""The workbook that goes back: the department's cells as they were, bad ones coloured, and a list.

It is written in a process of its own, with limits (`book_child`). What has more cells than may be,
or breaks a limit, is not marked: then the list goes back alone, and says so. Whatever comes from a
file is written as a value, never as a formula that was not one already.
"""

import os
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from etl.errors import ForesightError
from etl.extract.raw import Cell as Value
from etl.extract.sheets import Range, found_in
from etl.extract.sheets_child import LIST_SHEET
from etl.returned import book_child
from etl.rule_words import phrase

AUTHOR = "Cần Thơ Foresight"
TABLE = "Du lieu - Data"
MOST_CELLS = 300_000
"""Of all sheets together: openpyxl keeps each as an object, and takes its time."""
MEMORY = 1_000_000_000
"""Bytes of address space of the process that marks."""
SECONDS = 60
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
WRITTEN = "written"
Kind = Literal["own", "made", "listed"]
"""The department's own workbook marked, one made of another format marked, or the list alone."""


class NotListed(ForesightError):
    """Not even the list of the bad cells could be written."""


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


@dataclass(frozen=True)
class Made:
    """A sheet to be written where the file itself is no workbook that can be marked."""

    name: str
    rows: list[list[Value]]
    merged: Sequence[Range] = ()
    text: bool = True
    head: bool = False
    """Whether the first row is a header."""


@dataclass(frozen=True)
class Wanted:
    """What is to be written."""

    intros: Mapping[Kind, list[str]]
    marks: list[Mark]
    own: Path | None
    """The file, if it is an xlsx."""
    made: Callable[[], list[Made]]
    """What is made of it where it is not, or cannot be read as one; nothing if it is too large."""

    def job(self, kind: Kind, **more: Any) -> dict[str, Any]:
        """What the process is told."""
        job = {
            "own": None,
            "sheets": [],
            "most": MOST_CELLS,
            "marks": [vars(mark) for mark in self.marks],
            "intro": self.intros[kind],
            "columns": [(both(f"column.{name}"), width) for name, width in COLUMNS.items()],
            "empty": both("note.empty"),
            "author": AUTHOR,
            "list_sheet": LIST_SHEET,
        }
        return job | more


def is_xlsx(path: Path) -> bool:
    """Whether it is packed as Excel packs; an ods is a zip too."""
    return "xl/workbook.xml" in _parts(path)


def has_drawings(path: Path) -> bool:
    """Whether a workbook holds charts or pictures."""
    return any(name.startswith(("xl/charts/", "xl/media/", "Pictures/")) for name in _parts(path))


def _parts(path: Path) -> list[str]:
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as package:
        return package.namelist()


def both(key: str) -> str:
    """A phrase in Vietnamese and English."""
    return f"{phrase(key, 'vi')} / {phrase(key, 'en')}"


def write(wanted: Wanted, path: Path) -> Kind:
    """Write the workbook for its owner's eyes only (mode 0600), whole or not at all.

    Raises:
        NotListed: the process that writes it broke whatever it was asked for.
    """
    said = book_child.OTHER
    if wanted.own:
        said = _told(wanted.job("own", own=str(wanted.own)), path)
        if said == WRITTEN:
            return "own"
    sheets = [vars(sheet) for sheet in wanted.made()] if said == book_child.OTHER else []
    if sheets and _told(wanted.job("made", sheets=sheets), path) == WRITTEN:
        return "made"
    if _told(wanted.job("listed"), path) == WRITTEN:
        return "listed"
    raise NotListed(
        "the list of its bad cells could not be written",
        where=path.name,
        hint="see them with: foresight rejected",
    )


def few(rows: Sequence[Sequence[Value]]) -> bool:
    """Whether a sheet of these rows may be marked."""
    return sum(map(len, rows)) <= MOST_CELLS


def _told(job: dict[str, Any], path: Path) -> str:
    """`WRITTEN`, what the process says instead, or that it broke a limit."""
    with tempfile.TemporaryDirectory(prefix="foresight-") as folder:
        here = Path(folder)
        (here / book_child.JOB).write_bytes(pickle.dumps(job, protocol=5))
        command = [
            *(sys.executable, "-I", "-S", book_child.__file__),
            *(folder, str(MEMORY), str(SECONDS), found_in("openpyxl", "et_xmlfile")),
        ]
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                command, stderr=subprocess.DEVNULL, timeout=2 * SECONDS, check=False
            )
            if done.returncode == 0 and (here / book_child.BOOK).exists():
                _save((here / book_child.BOOK).read_bytes(), path)
                return WRITTEN
            if done.returncode == 0:
                return (here / book_child.NOT_WRITTEN).read_text()
    return "it broke a limit"


def _save(content: bytes, path: Path) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(content)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
