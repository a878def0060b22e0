"""A file with bad records, opened once more as text; and what the workbook that goes back is of."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from etl.catalog import Dataset
from etl.extract import delimited, workbook
from etl.extract.grid import Grid
from etl.extract.raw import Cell as Value
from etl.extract.raw import Percent
from etl.extract.sheets import read_sheets
from etl.returned import book as books
from etl.returned.book import Made
from etl.returned.broken import BadFile, Broken
from etl.returned.places import Place, fields_of
from etl.returned.source import TEXT, WHOLE, WORKBOOKS, Page, Row, page_with, pages_of, table_of
from etl.returned.twins import key_columns


class Opened(Protocol):
    """The text of a file, what a workbook to mark is made of, and where in it a record stands."""

    own: Path | None
    """The file, where it is a workbook that can be marked itself."""
    abridged: bool
    """Whether the records that were taken are left out of what is made."""

    def page(self, broken: Broken, /) -> Page:
        """The table in which the record stands."""

    def cell(self, broken: Broken, place: Place, /) -> tuple[str, int, int]:
        """Sheet, row and column (from 1) of a place."""

    def made(self) -> list[Made]:
        """The sheets of a workbook with the same text; none where it has too many cells."""


def opened(file: BadFile) -> Opened:
    """The file in the way its records are numbered: by rows of sheets, by rows, or on their own."""
    dataset = file.broken[0].dataset
    if dataset.format in WORKBOOKS:
        return OpenedWorkbook(file)
    if dataset.format in TEXT and dataset.shaped:
        return OpenedRows(file)
    return OpenedTable(file)


class _Pages:
    """Tables by dataset and sheet, each read when it is asked for."""

    def __init__(self, path: Path, read: Callable[[Path, Dataset], list[Grid]]) -> None:
        self._path, self._read = path, read
        self._grids: dict[str, dict[str | None, Grid]] = {}
        self._pages: dict[tuple[str, str | None], list[Page]] = {}

    def grid(self, broken: Broken) -> Grid:
        name = broken.dataset.name
        if name not in self._grids:
            self._grids[name] = {grid.name: grid for grid in self._read(self._path, broken.dataset)}
        return self._grids[name][broken.sheet]

    def of_sheet(self, broken: Broken) -> list[Page]:
        key = broken.dataset.name, broken.sheet
        if key not in self._pages:
            self._pages[key] = pages_of(self.grid(broken), broken.dataset, self._path.stem)
        return self._pages[key]

    def page(self, broken: Broken) -> Page:
        return page_with(self.of_sheet(broken), broken.record)


class OpenedWorkbook:
    """A file of sheets: every cell stays where it is."""

    abridged = False

    def __init__(self, file: BadFile) -> None:
        self._file, self._pages = file, _Pages(file.path, workbook.grids_of)
        self.own = file.path if books.is_xlsx(file.path) else None

    def page(self, broken: Broken) -> Page:
        return self._pages.page(broken)

    def cell(self, broken: Broken, place: Place) -> tuple[str, int, int]:
        row = place.record or self.page(broken).header
        return broken.sheet or "", row, place.column + 1

    def made(self) -> list[Made]:
        sheets = read_sheets(self._file.path, "^")
        if sum(sheet.height * len(sheet.columns) for sheet in sheets) > books.MOST_CELLS:
            return []
        texts = self._texts()
        return [
            Made(sheet.name, _readable(sheet.rows, texts.get(sheet.name)), sheet.merged, text=False)
            for sheet in sheets
        ]

    def _texts(self) -> dict[str, list[Row]]:
        """Text of the sheets with bad records, read out of old encodings."""
        grids = {one.sheet or "": self._pages.grid(one) for one in self._file.broken}
        return {name: grid.rows(0, grid.height) for name, grid in grids.items()}


def _readable(rows: list[list[Value]], texts: list[Row] | None) -> list[list[Value]]:
    """The cells, text as in `texts` where there is any."""
    if texts is None:
        return rows
    return [
        [
            text if isinstance(value, str | Percent) else value
            for value, text in zip(*both, strict=False)
        ]
        for both in zip(rows, texts, strict=False)
    ]


class OpenedRows:
    """Delimited text with titles, groups or several tables: its rows are those of a sheet."""

    own: Path | None = None

    def __init__(self, file: BadFile) -> None:
        self._pages = _Pages(file.path, lambda path, dataset: [delimited.grid_of(path, dataset)])
        first = file.broken[0]
        self._grid = self._pages.grid(first)
        records = {number for page in self._pages.of_sheet(first) for number in page.rows}
        self.abridged = len(records) > WHOLE
        left_out = records - {one.record for one in file.broken} if self.abridged else set()
        self._kept = [n for n in range(1, self._grid.height + 1) if n not in left_out]
        self._rows = {number: row for row, number in enumerate(self._kept, start=1)}

    def page(self, broken: Broken) -> Page:
        return self._pages.page(broken)

    def cell(self, broken: Broken, place: Place) -> tuple[str, int, int]:
        row = self._rows[place.record or self.page(broken).header]
        return books.TABLE, row, place.column + 1 + self.abridged

    def made(self) -> list[Made]:
        cells = self._grid.rows(0, self._grid.height)
        kept = {number: cells[number - 1] for number in self._kept}
        return _of_rows(kept, numbered=self.abridged)


class OpenedTable:
    """A file of records and nothing else: a table is made of it."""

    own: Path | None = None

    def __init__(self, file: BadFile) -> None:
        def keyed(labels: list[str]) -> set[str]:
            return {
                label
                for one in file.broken
                if one.field and one.rule.endswith("_unique")
                for label in key_columns(
                    labels, one.dataset, fields_of(one.dataset, one.rule, one.field)
                )
            }

        wanted = {one.record for one in file.broken}
        self._page = table_of(file.path, file.broken[0].dataset, wanted, keyed)
        self.abridged = len(self._page.rows) < self._page.total
        self._rows = {n: row for row, n in enumerate(sorted({0, *self._page.rows}), start=1)}

    def page(self, _broken: Broken) -> Page:
        return self._page

    def cell(self, _broken: Broken, place: Place) -> tuple[str, int, int]:
        return books.TABLE, self._rows[place.record], place.column + 1 + self.abridged

    def made(self) -> list[Made]:
        """Where records are left out, the first column has the numbers of those that are there."""
        rows: dict[int, Row] = {0: [*self._page.labels], **self._page.rows}
        made = _of_rows(rows, numbered=self.abridged, head=True)
        if made and self.abridged:
            made[0].rows[0][0] = books.both("column.record")
        return made


def _of_rows(rows: Mapping[int, Row], *, numbered: bool, head: bool = False) -> list[Made]:
    """A sheet with rows of text; `numbered` rows begin with their number."""
    cells: list[list[Value]] = [
        [*([number] if numbered else []), *row] for number, row in sorted(rows.items())
    ]
    return [Made(books.TABLE, cells, head=head)] if books.few(cells) else []
