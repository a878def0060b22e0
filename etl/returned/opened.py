"""A file with bad records, opened twice: as text, and as the workbook that goes back."""

from typing import Protocol

from openpyxl import Workbook

from etl.extract.sheets import Sheet, read_sheets
from etl.returned import book as books
from etl.returned.broken import BadFile, Broken
from etl.returned.places import Place, fields_of
from etl.returned.source import WORKBOOKS, Page, grid_of, page_of, table_of
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


def is_workbook(file: BadFile) -> bool:
    """Whether its records are rows of sheets."""
    return file.broken[0].dataset.format in WORKBOOKS


class OpenedWorkbook:
    """A file of sheets: every cell stays where it is."""

    abridged = False

    def __init__(self, file: BadFile) -> None:
        self._file = file
        self._sheets = {sheet.name: sheet for sheet in read_sheets(file.path, "^")}
        self._pages: dict[tuple[str, str], Page] = {}
        own = books.own(file.path)
        self.own = own is not None
        self.drawings = books.has_drawings(file.path)
        self.book = own or books.of_sheets(list(self._sheets.values()), self._texts())

    def page(self, broken: Broken) -> Page:
        key = broken.dataset.name, broken.sheet or ""
        if key not in self._pages:
            where = f"{self._file.shown}: {key[1]}"
            self._pages[key] = page_of(self._sheet(broken), broken.dataset, where)
        return self._pages[key]

    def cell(self, broken: Broken, place: Place) -> tuple[str, int, int]:
        row = place.record or self.page(broken).header
        return broken.sheet or "", row, place.column + 1

    def _sheet(self, broken: Broken) -> Sheet:
        return self._sheets[broken.sheet or ""]

    def _texts(self) -> dict[str, list[list[str | None]]]:
        """Text of the sheets with bad records, read out of old encodings."""
        return {
            one.sheet or "": grid_of(self._sheet(one), one.dataset) for one in self._file.broken
        }


class OpenedTable:
    """A file without sheets: a table is made of it."""

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
        self.book, self._rows, self._before = books.of_table(self._page)
        self.abridged = self._before > 0

    def page(self, _broken: Broken) -> Page:
        return self._page

    def cell(self, _broken: Broken, place: Place) -> tuple[str, int, int]:
        return books.TABLE, self._rows[place.record], place.column + 1 + self._before
