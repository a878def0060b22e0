"""Whether a file is all there, where the server did not say how long it is.

A connection that is closed too early then looks like one that is closed in time. The formats tell
some of it: the others show only that a file is smaller than the copy before, which is a doubt.
"""

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from etl.catalog import Dataset

TAIL = 65_536
"""Bytes of the end of a delimited file that are looked at."""
HALF = 0.5

Missing = Callable[[Path], str | None]
"""What shows that a file is cut short; `None` where nothing does."""


def cut_short(dataset: Dataset) -> Missing:
    """What to look for in the format of a dataset."""
    looks: dict[str, Missing] = {
        "csv": lambda path: _unfinished_record(path, dataset),
        "tsv": lambda path: _unfinished_record(path, dataset),
        "json": _unfinished_json,
        "xlsx": _without_directory,
        "ods": _without_directory,
        "parquet": _without_footer,
    }
    return looks.get(dataset.format, lambda _: None)


def doubt(path: Path, before: Path | None, *, length_told: bool) -> str:
    """Why a file that took the place of the copy `before` may lack records; empty for no reason."""
    if before is None:
        return ""
    size, was = path.stat().st_size, before.stat().st_size
    if size < HALF * was:
        return f"it has {size:,} bytes, less than half of the {was:,} of the copy before"
    if size < was and not length_told:
        return (
            f"it has {size:,} bytes and the copy before {was:,}, and the server does not say where "
            "it ends"
        )
    return ""


def _unfinished_record(path: Path, dataset: Dataset) -> str | None:
    """A last line without its end, with fewer cells than the one above; shaped files end anyhow."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - TAIL, 0))
        *above, last = file.read().replace(b"\r\n", b"\n").split(b"\n")
    quote = dataset.read.quote.encode()
    if dataset.shaped or not above or not last or b"\0" in last:
        return None
    if any(line.count(quote) % 2 for line in (above[-1], last)):
        return None
    cells = [
        len(next(csv.reader([line.decode("latin-1")], delimiter=dataset.delimiter), []))
        for line in (above[-1], last)
    ]
    return "its last record has not all cells" if cells[1] < cells[0] else None


def _unfinished_json(path: Path) -> str | None:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return "its brackets do not close"
    return None


def _without_directory(path: Path) -> str | None:
    # An .xls is sent as .xlsx too, and is no zip.
    with path.open("rb") as file:
        packed = file.read(2) == b"PK"
    return "the list of its parts is missing" if packed and not zipfile.is_zipfile(path) else None


def _without_footer(path: Path) -> str | None:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 4, 0))
        return None if file.read() == b"PAR1" else "its end is missing"
