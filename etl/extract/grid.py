"""A sheet or a file of lines as a grid of text: a column per position, blank cells missing.

Columns and not rows, because a sheet of a million cells has few columns, and numbers are made text
a column at a time. Old encodings are read here: by the font where the workbook tells it, else by
the words of the column.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from etl.catalog import Dataset
from etl.extract.raw import text_of
from etl.extract.sheets import Column, Fonts, Range, Sheet
from etl.legacy_text import decode_written, decodings

NOT_ASCII = r"[^\x00-\x7f]"
FIRST = 3
"""Filled cells of a row that say what kind of row it is."""


@dataclass(frozen=True)
class Grid:
    """Text cells; row and column count from 0, as in the file."""

    name: str | None
    """Of the sheet."""
    where: str
    """How errors call it."""
    cells: pl.DataFrame
    """Strings in columns called by their position."""
    merged: list[Range]
    filled: int
    """Rows that hold anything, counted apart from this grid."""

    @property
    def height(self) -> int:
        """Rows, blank ones among them."""
        return self.cells.height

    @cached_property
    def first_filled(self) -> list[list[str]]:
        """The first filled cells of each row, at most `FIRST`."""
        if not self.cells.width:
            return []
        cells = pl.concat_list(pl.all()).list.drop_nulls().list.head(FIRST)
        return self.cells.select(cells.alias("first")).to_series().to_list()

    @cached_property
    def counts(self) -> list[int]:
        """Filled cells of each row."""
        if not self.cells.width:
            return []
        return self.cells.select(pl.sum_horizontal(pl.all().is_not_null())).to_series().to_list()

    def rows(self, start: int, end: int) -> list[list[str | None]]:
        """Rows of text from `start` to before `end`."""
        return [list(row) for row in self.cells.slice(start, end - start).iter_rows()]


def grid_of_sheet(sheet: Sheet, dataset: Dataset, fonts: Fonts, where: str) -> Grid:
    """The text of a sheet, in Unicode."""
    told = {place: decode_written(_cell(sheet, place), runs) for place, runs in fonts.items()}
    columns = [
        _texts(column, sheet.height, dataset.read.decimal, blank={r for r, c in told if c == i})
        for i, column in enumerate(sheet.columns)
    ]
    columns = _in_unicode(columns, dataset)
    for (row, column), text in told.items():
        columns[column] = columns[column].scatter(row, text_of(text, dataset.read.decimal))
    frame = pl.DataFrame([column.alias(str(i)) for i, column in enumerate(columns)])
    return Grid(sheet.name, where, frame, sheet.merged, sheet.filled)


def _cell(sheet: Sheet, place: tuple[int, int]) -> str:
    row, column = place
    return str(sheet.columns[column].cells[row])


def _texts(column: Column, height: int, decimal: str, blank: set[int]) -> pl.Series:
    """What a clerk would type for each cell; distinct ones first, numbers all at once."""
    distinct = pl.Series([text_of(cell, decimal) for cell in column.distinct], dtype=pl.String)
    places, codes = column.places, column.codes
    if blank:
        kept = ~np.isin(places, list(blank))
        places, codes = places[kept], codes[kept]
    which = np.full(height, len(distinct), dtype=np.uint32)
    which[places] = codes
    words = distinct.extend_constant(None, 1).gather(which)
    if column.numbers is None:
        return words
    return typed(column.numbers, decimal).zip_with(
        pl.Series(np.isnan(column.numbers)).not_(), words
    )


def typed(numbers: np.ndarray, decimal: str) -> pl.Series:
    """`text_of` of an array of numbers; where it holds NaN the text means nothing."""
    texts = pl.Series(numbers, dtype=pl.Float64).cast(pl.String).str.strip_suffix(".0")
    odd = texts.str.contains("e", literal=True) | (texts == "-0")
    if odd.any():
        mended = [text_of(number, decimal) for number in numbers[odd.to_numpy()].tolist()]
        texts = texts.scatter(odd.arg_true(), pl.Series(mended, dtype=pl.String))
    return texts if decimal == "." else texts.str.replace(".", decimal, literal=True)


def _in_unicode(columns: list[pl.Series], dataset: Dataset) -> list[pl.Series]:
    """Each column as its own vote says; composed (NFC)."""
    foreign = [c.filter(c.str.contains(NOT_ASCII)).unique(maintain_order=True) for c in columns]
    changed = decodings([c.to_list() for c in foreign], dataset.read.text, dataset.words)
    return [
        column.replace(list(new), list(new.values())) if new else column
        for column, new in zip(columns, changed, strict=True)
    ]
