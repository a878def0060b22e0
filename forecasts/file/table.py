"""A delimited or Parquet file as a table: every row it has, with its number, nothing dropped.

Text stays text until it is known which column is what. Encoding and delimiter are those in which
the file is a table; what the bytes do not prove is refused rather than guessed.
"""

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from etl.errors import ForesightError, Problems
from etl.legacy_text import decode, written_in

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 200_000
"""Bytes in which the delimiter is looked for."""
WHOLE_RECORDS = 0.9
"""Share of the first records that have as many cells as the header."""
ROW = "row of the file"
"""Number of each row as a person counts it: the header of delimited text is row 1."""


class NotATable(ForesightError):
    """The file cannot be read as rows and columns."""


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file: its columns and `ROW`; cells of delimited text are text, or null."""

    name: str
    frame: pl.DataFrame
    delimiter: str = ""
    """Empty where the file is not delimited text."""
    encoding: str = "utf-8"

    @property
    def columns(self) -> list[str]:
        """Names of the columns of the file."""
        return [name for name in self.frame.columns if name != ROW]

    def at(self, row: int) -> str:
        """A row as an error names it."""
        return f"{self.name}, row {row}"


def read_table(path: Path) -> Table:
    """The table in the file at `path`.

    Raises:
        NotATable: with what is wrong and what to do; `Problems` of these for several columns.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if not head:
        raise NotATable("the file is empty", where=path.name, hint=LONG)
    table = _parquet(path) if head == b"PAR1" else _delimited(path, head)
    if table.frame.is_empty():
        raise NotATable("there are no rows under the header", where=path.name, hint=LONG)
    return table


LONG = "needed is a long table, one row a value: columns of the series, the period and the value"


def _parquet(path: Path) -> Table:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError):
        raise NotATable(
            "the Parquet file is damaged", where=path.name, hint="ask for it again, or as csv"
        ) from None
    _refuse_nested(path, frame)
    whole = [name for name, kind in frame.schema.items() if kind in (pl.Categorical, pl.Enum)]
    frame = frame.with_columns(pl.col(whole).cast(pl.String)) if whole else frame
    return Table(path.name, _numbered(frame, 1))


def _refuse_nested(path: Path, frame: pl.DataFrame) -> None:
    """Cells that hold several values, or bytes, are no cells of a table."""
    problems: list[ForesightError] = [
        NotATable(
            f"the column {name!r} holds {type(kind).__name__} and no single values",
            where=path.name,
            hint="write it as text, or leave it out",
        )
        for name, kind in frame.schema.items()
        if kind.is_nested() or kind in (pl.Binary, pl.Object)
    ]
    if problems:
        raise Problems(problems)


def _delimited(path: Path, head: bytes) -> Table:
    if head in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise NotATable(
            "this is a workbook", where=path.name, hint="save the sheet as CSV UTF-8, or as Parquet"
        )
    content = path.read_bytes()
    encoding = written_in(content, delimiter=_delimiter(content, path))
    if encoding is None:
        raise NotATable(
            "not Unicode, and its words are not clearly Vietnamese in any other encoding",
            where=path.name,
            hint="save it as UTF-8 (in Excel: CSV UTF-8)",
        )
    if encoding != "utf-8":
        content = decode(content, encoding).encode()
    delimiter = _delimiter(content, path)
    return Table(path.name, _numbered(_cells(content, delimiter, path), 2), delimiter, encoding)


def _cells(content: bytes, delimiter: str, path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_csv(content, separator=delimiter, infer_schema=False)
    except pl.exceptions.NoDataError:
        raise NotATable("the file is empty", where=path.name, hint=LONG) from None
    except pl.exceptions.PolarsError:
        raise NotATable(
            "some rows have more cells than the header",
            where=path.name,
            hint="put cells with the delimiter in them in quotes, and repeat no header",
        ) from None
    names = [name.strip() for name in frame.columns]
    return frame.rename(dict(zip(frame.columns, names, strict=True)))


def _delimiter(content: bytes, path: Path) -> str:
    """The one by which the first records have as many cells as the header, and most cells."""
    text = content[:LOOKED_AT].removeprefix(codecs.BOM_UTF8).decode("latin-1").replace("\0", "")
    complete = text if len(content) <= LOOKED_AT else text[: text.rfind("\n")]
    scores = {sign: score for sign in DELIMITERS if (score := _fit(complete, sign))}
    if not scores:
        raise NotATable(
            "there is only one column",
            where=path.name,
            hint="columns are parted by a comma, a semicolon, a tab or a |",
        )
    return max(scores, key=lambda sign: scores[sign])


def _fit(text: str, delimiter: str) -> int:
    """Cells of the header, if most records have as many; else 0."""
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    widths = [len(record) for record in records if any(record)]
    if not widths or widths[0] < 2:
        return 0
    return widths[0] if Counter(widths)[widths[0]] >= WHOLE_RECORDS * len(widths) else 0


def _numbered(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    """With the number of each row; rows without any cell hold nothing and are left out."""
    numbered = frame.with_columns(pl.int_range(first, first + pl.len()).alias(ROW))
    return numbered.filter(pl.any_horizontal(pl.exclude(ROW).is_not_null()))
