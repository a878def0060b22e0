"""A file with bad records, opened twice: as text, and as the workbook that goes back."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from openpyxl import Workbook

from etl.catalog import Dataset
from etl.extract import delimited, workbook
from etl.extract.grid import Grid
from etl.extract.sheets import read_sheets
from etl.returned import book as books
from etl.returned.broken import BadFile, Broken
from etl.returned.places import Place, fields_of
from etl.returned.source import TEXT, WHOLE, WORKBOOKS, Page, Row, page_with, pages_of, table_of
from etl.returned.twins import key_columns


class Opened(Protocol):
    """The text of a file, the workbook to mark, and where in it a record stands."""

    book: Workbook
    own: bool
    """Whether it is the workbook the department sent."""
    drawings: bool
    """Whether it held charts or pictures."""
    abridged: bool
    """Whether the records that were taken are left out."""

    def page(self, broken: Broken, /) -> Page:
        """The table in which the record stands."""

    def cell(self, broken: Broken, place: Place, /) -> tuple[str, int, int]:
        """Sheet, row and column (from 1) of a place."""


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
        self._pages = _Pages(file.path, workbook.grids_of)
        own = books.own(file.path)
        self.own = own is not None
        self.drawings = books.has_drawings(file.path)
        self.book = own or books.of_sheets(read_sheets(file.path, "^"), self._texts(file))

    def page(self, broken: Broken) -> Page:
        return self._pages.page(broken)

    def cell(self, broken: Broken, place: Place) -> tuple[str, int, int]:
        row = place.record or self.page(broken).header
        return broken.sheet or "", row, place.column + 1

    def _texts(self, file: BadFile) -> dict[str, list[Row]]:
        """Text of the sheets with bad records, read out of old encodings."""
        grids = {one.sheet or "": self._pages.grid(one) for one in file.broken}
        return {name: grid.rows(0, grid.height) for name, grid in grids.items()}


class OpenedRows:
    """Delimited text with titles, groups or several tables: its rows are those of a sheet."""

    own = False
    drawings = False

    def __init__(self, file: BadFile) -> None:
        self._pages = _Pages(file.path, lambda path, dataset: [delimited.grid_of(path, dataset)])
        first = file.broken[0]
        grid = self._pages.grid(first)
        records = {number for page in self._pages.of_sheet(first) for number in page.rows}
        self.abridged = len(records) > WHOLE
        left_out = records - {one.record for one in file.broken} if self.abridged else set()
        rows = dict(enumerate(grid.rows(0, grid.height), start=1))
        kept = {number: row for number, row in rows.items() if number not in left_out}
        self.book, self._rows = books.of_rows(kept, numbered=self.abridged)

    def page(self, broken: Broken) -> Page:
        return self._pages.page(broken)

    def cell(self, broken: Broken, place: Place) -> tuple[str, int, int]:
        row = self._rows[place.record or self.page(broken).header]
        return books.TABLE, row, place.column + 1 + self.abridged


class OpenedTable:
    """A file of records and nothing else: a table is made of it."""

    own = False
    drawings = False

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
        self.book, self._rows = books.of_table(self._page)

    def page(self, _broken: Broken) -> Page:
        return self._page

    def cell(self, _broken: Broken, place: Place) -> tuple[str, int, int]:
        return books.TABLE, self._rows[place.record], place.column + 1 + self.abridged
