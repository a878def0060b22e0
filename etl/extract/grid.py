"""A sheet or a file of lines as a grid of text: a column per position, blank cells missing.

Columns and not rows, because a sheet of a million cells has few columns, and numbers are made text
a column at a time. Old encodings are read here: by the font where the workbook tells it, else by
the words of the column.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from etl.catalog import Dataset
from etl.extract.raw import text_of
from etl.extract.sheets import Column, Fonts, Range, Sheet
from etl.legacy_text import decode_written, decodings

WHOLE, SMALL = 1e15, 1e-3
"""Numbers of this size and more, or less, may be written with an exponent."""
EITHER = re.compile(r"\s*[-+(]?[1-9]\d{0,2}\.\d{3}\)?\s*")
"""A text that may be a thousand and more, or a figure with three decimals."""
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
    doubtful: dict[int, list[int]] = field(default_factory=dict)
    """By column, the rows of texts that are one figure or a thousand times as much: 1.200."""

    @property
    def height(self) -> int:
        """Rows, blank ones among them."""
        return self.cells.height

    @cached_property
    def first_filled(self) -> list[list[str]]:
        """The first filled cells of each row, at most `FIRST`."""
        found: list[list[str]] = [[] for _ in range(self.height)]
        counts = np.zeros(self.height, dtype=np.uint8)
        for column in self.cells.iter_columns():
            wanted = column.is_not_null().to_numpy() & (counts < FIRST)
            rows = np.flatnonzero(wanted)
            for row, text in zip(rows.tolist(), column.gather(rows).to_list(), strict=True):
                found[row].append(text)
            counts += wanted
        return found

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
    """The text of a sheet, in Unicode: by its fonts, else each column as its own vote says."""
    decimal = dataset.read.decimal
    told = {place: decode_written(_cell(sheet, place), runs) for place, runs in fonts.items()}
    columns = [
        _without(column, [row for row, place in told if place == i])
        for i, column in enumerate(sheet.columns)
    ]
    words = [[text_of(cell, decimal) for cell in column.distinct] for column in columns]
    foreign = [[w for w in column if w and not w.isascii()] for column in words]
    read = decodings(foreign, dataset.read.text, dataset.words)
    texts = [
        _texts(column, sheet.height, [new.get(w, w) if w else None for w in known], decimal)
        for column, known, new in zip(columns, words, read, strict=True)
    ]
    for (row, place), text in told.items():
        texts[place] = texts[place].scatter(row, text_of(text, decimal))
    frame = pl.DataFrame([column.alias(str(i)) for i, column in enumerate(texts)])
    doubtful = _doubtful(sheet) if _undeclared(dataset) else {}
    return Grid(sheet.name, where, frame, sheet.merged, sheet.filled, doubtful)


def _undeclared(dataset: Dataset) -> bool:
    """Whether the catalog says nothing of the signs in figures: typed ones need none."""
    return not {"decimal", "thousands"} & dataset.read.model_fields_set


def _doubtful(sheet: Sheet) -> dict[int, list[int]]:
    found = {}
    for i, column in enumerate(sheet.columns):
        codes = [
            code
            for code, cell in enumerate(column.distinct)
            if isinstance(cell, str) and EITHER.fullmatch(cell)
        ]
        if codes:
            found[i] = column.places[np.isin(column.codes, codes)].tolist()
    return found


def _cell(sheet: Sheet, place: tuple[int, int]) -> str:
    row, column = place
    return str(sheet.columns[column].cells[row])


def _without(column: Column, rows: list[int]) -> Column:
    """The column without the cells of these rows, and without what only they hold."""
    if not rows:
        return column
    kept = ~np.isin(column.places, rows)
    used, codes = np.unique(column.codes[kept], return_inverse=True)
    distinct = [column.distinct[code] for code in used]
    return Column(column.numbers, column.places[kept], codes.astype(np.uint32), distinct)


def _texts(column: Column, height: int, words: list[str | None], decimal: str) -> pl.Series:
    """The cells of a column, of which `words` are the distinct that are no numbers."""
    which = np.full(height, len(words), dtype=np.uint32)
    which[column.places] = column.codes
    others = pl.Series([*words, None], dtype=pl.String).gather(which)
    if column.numbers is None:
        return others
    return typed(column.numbers, decimal).zip_with(pl.Series(~np.isnan(column.numbers)), others)


def typed(numbers: npt.NDArray[np.float64], decimal: str) -> pl.Series:
    """`text_of` of an array of numbers; where it holds NaN the text means nothing."""
    known = np.where(np.isnan(numbers), 0.0, numbers)
    size = np.abs(known)
    column = pl.Series(known, dtype=pl.Float64)
    if not ((known != np.floor(known)) | (size >= WHOLE)).any():
        return column.cast(pl.Int64).cast(pl.String)
    texts = column.cast(pl.String).str.strip_suffix(".0")
    odd = (size >= WHOLE) | (size < SMALL) & ((numbers != 0) | np.signbit(numbers))
    if odd.any():
        mended = [text_of(number, decimal) for number in numbers[odd].tolist()]
        texts = texts.scatter(np.flatnonzero(odd), pl.Series(mended, dtype=pl.String))
    return texts if decimal == "." else texts.str.replace(".", decimal, literal=True)
