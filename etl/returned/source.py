"""The text of a file once more, as the loader saw it, with the numbers of its records.

Formats other than delimited text are read by the readers of `etl.extract`, with the catalog's
reshaping left out, so that the columns are those of the file.
"""

import csv
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from etl.catalog import Dataset
from etl.extract import READERS, delimited
from etl.extract.above import captions
from etl.extract.grid import Grid
from etl.extract.raw import RECORD, SHEET
from etl.extract.shape import tables_of

WORKBOOKS = ("xlsx", "xls", "ods")
TEXT = ("csv", "tsv")
WHOLE = 20_000
"""Records above which a table goes back without those that were taken."""

Row = list[str | None]


@dataclass(frozen=True)
class Page:
    """A table: its labels by column and its records by number."""

    labels: list[str]
    rows: dict[int, Row]
    header: int = 0
    """Row of the sheet in which the header ends, from 1; 0 where there is no sheet."""
    total: int = 0
    """Records of the file or sheet, those left out here too."""
    keys: dict[int, Row] = field(default_factory=dict)
    """Of every record, the cells asked for; the rest is `None`."""
    said: dict[str, str | None] = field(default_factory=dict)
    """By `$name`: what the captions and the name of the sheet say of every record."""


def pages_of(grid: Grid, dataset: Dataset, file: str) -> list[Page]:
    """The tables of a sheet of `file`; records are all rows below a header, by row from 1."""
    cells = grid.rows(0, grid.height)
    tables = list(tables_of(grid, dataset))
    total = sum(table.end - table.body for table in tables)
    pages = []
    for table in tables:
        rows = {number: cells[number - 1] for number in range(table.body + 1, table.end + 1)}
        said = {"$sheet": grid.name, **captions(grid, table, dataset, file)}
        pages.append(Page(table.labels, rows, table.body, total, keys=rows, said=said))
    return pages


def page_with(pages: list[Page], record: int) -> Page:
    """The table in which a record stands: the last that begins above it."""
    above = [page for page in pages if page.header < record]
    return above[-1] if above else pages[0]


def table_of(
    path: Path,
    dataset: Dataset,
    wanted: Collection[int],
    keyed: Callable[[list[str]], Collection[str]],
) -> Page:
    """A table without titles and the like; of more than `WHOLE` records only those `wanted`.

    Of the columns that `keyed` chooses among all labels, every record is kept in `keys`.
    """
    if dataset.format in TEXT:
        return _delimited(path, dataset, set(wanted), keyed)
    raw = READERS[dataset.format](path, _unshaped(dataset))
    if raw.frame is None:
        raise TypeError(f"{dataset.format} is read without a frame")
    frame = raw.frame.drop(SHEET, strict=False)
    numbers = frame.drop_in_place(RECORD).to_list()
    rows = {n: list(row) for n, row in zip(numbers, frame.iter_rows(), strict=True)}
    shown = {n: row for n, row in rows.items() if len(rows) <= WHOLE or n in wanted}
    return Page(raw.labels, shown, total=len(rows), keys=rows)


def _unshaped(dataset: Dataset) -> Dataset:
    """The same dataset without what makes the table another than that in the file."""
    clean = dataset.clean.model_copy(update={"unpivot": None, "fill_down": [], "compose": {}})
    read = dataset.read.model_copy(update={"missing": []})
    return dataset.model_copy(update={"clean": clean, "read": read})


def _delimited(
    path: Path,
    dataset: Dataset,
    wanted: set[int],
    keyed: Callable[[list[str]], Collection[str]],
) -> Page:
    raw = delimited.extract(path, dataset)
    whole = raw.records <= WHOLE
    chosen = keyed(raw.labels)
    kept = [i for i, label in enumerate(raw.labels) if label in chosen]
    rows: dict[int, Row] = {}
    keys: dict[int, Row] = {}
    number = 0
    with Path(raw.path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=dataset.delimiter, quotechar=dataset.read.quote)
        for row, cells in enumerate(reader, start=1):
            if row <= raw.header_rows or not cells:
                continue
            number += 1
            if whole or number in wanted:
                rows[number] = list(cells)
            if kept and len(cells) == len(raw.labels):
                keys[number] = [cells[i] if i in kept else None for i in range(len(cells))]
    return Page(raw.labels, rows, total=number, keys=keys)
