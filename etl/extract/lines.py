"""Delimited text that is shaped like a sheet: titles, groups, totals, years as columns.

It becomes a grid and goes the way of a sheet. Rows are counted as a spreadsheet program shows them.
A record must have as many cells as its header, or more that are blank: with fewer, it lost some.
"""

import csv
import io
import unicodedata
from pathlib import Path

import polars as pl

from etl.catalog import Dataset
from etl.extract.grid import Grid
from etl.extract.raw import Raw, UnreadableFile, in_memory, text_of
from etl.extract.shape import shape


def extract(path: Path, content: bytes, body: bytes, dataset: Dataset) -> Raw:
    """The table in `body`, the UTF-8 of `content`.

    Raises:
        UnreadableFile: a quote never closes, a record has lost or gained cells, or as for sheets.
        RowsUnaccounted: rows went missing between the lines and their shape.
    """
    rows = rows_of(body, dataset, path)
    found = shape(grid_of(rows, path), dataset, path.stem)
    _check_widths(rows, found.widths, path)
    return in_memory(path, content, found.frame, totals=found.totals, accounts=[found.account])


def grid_of(rows: list[list[str]], path: Path) -> Grid:
    """The cells of a file called `path`."""
    width = max(map(len, rows), default=0)
    columns = [
        pl.Series(str(i), [text_of(r[i], ".") if i < len(r) else None for r in rows], pl.String)
        for i in range(width)
    ]
    return Grid(None, path.name, pl.DataFrame(columns), [], _filled(rows))


def rows_of(body: bytes, dataset: Dataset, path: Path) -> list[list[str]]:
    """The rows of UTF-8. Raises `UnreadableFile` where a quote never closes."""
    reader = csv.reader(
        io.StringIO(unicodedata.normalize("NFC", body.decode("utf-8").rstrip("\0")), newline=""),
        delimiter=dataset.delimiter,
        quotechar=dataset.read.quote,
        strict=True,
    )
    try:
        return list(reader)
    except csv.Error as error:
        raise UnreadableFile(
            f"not delimited text: {error}",
            where=f"{path.name}:{reader.line_num}",
            hint="look for a quote that never closes",
        ) from None


def _filled(rows: list[list[str]]) -> int:
    return sum(1 for row in rows if "".join(row).strip())


def _check_widths(rows: list[list[str]], widths: list[tuple[list[int], int]], path: Path) -> None:
    for records, width in widths:
        for record in records:
            row = rows[record]
            if len(row) < width or any(cell.strip() for cell in row[width:]):
                raise UnreadableFile(
                    f"row {record + 1} has {len(row)} cells, its header {width}",
                    where=path.name,
                    hint="ask for the file again, or put the cell with a delimiter in it in quotes",
                )
