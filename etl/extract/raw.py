"""What every reader gives: text cells with the place they stood, nothing interpreted.

Cells of files that keep types become text as a clerk would type them: whole numbers without a
point, decimals with the decimal sign declared for the dataset, dates as yyyy-mm-dd.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import polars as pl

from etl import checksums
from etl.catalog import Dataset
from etl.errors import ForesightError
from etl.patterns import compiled

FILE = "_file"
RECORD = "_record"
SHEET = "_sheet"
MENDED = "_mended"

NO_RESULT = re.compile(r"#[A-Z/0]+[!?]|#N/A|Err:\d+|=.+", re.DOTALL)

Cell = str | float | int | bool | Decimal | dt.date | dt.time | dt.timedelta | None


class Percent(float):
    """A figure that its workbook shows in percent: 12.5 for a cell of 0.125."""


class UnreadableFile(ForesightError):
    """The file as a whole cannot be read."""


class MissingColumn(ForesightError):
    """A field of the catalog is not in the file."""


class RepeatedColumn(ForesightError):
    """A field of the catalog stands in the file twice."""


class RowsUnaccounted(ForesightError):
    """Rows went missing between the sheet and its shape."""


@dataclass(frozen=True)
class Stated:
    """A total as a table states it, and what its records add up to."""

    sheet: str | None
    record: int
    """Row of the sheet in which it is stated, from 1."""
    label: str
    """What the row is called, or the group."""
    header: str
    """What the column is called."""
    field: str
    """Field of the catalog; figures are in its unit."""
    stated: Decimal
    computed: Decimal | None
    """Missing where no record has a figure."""
    agrees: bool | None


@dataclass(frozen=True)
class Account:
    """What became of the rows of one sheet: `filled` were counted on their own."""

    sheet: str | None
    filled: int
    kinds: dict[str, int]
    """Rows of each kind but blank."""

    def close(self, where: str) -> None:
        """Raises `RowsUnaccounted` unless the kinds add up to the filled rows."""
        found = sum(self.kinds.values())
        if found != self.filled:
            told = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items())
            raise RowsUnaccounted(
                f"{self.filled} rows hold something, but {found} are accounted for ({told})",
                where=where,
                hint="nothing was loaded; this is a mistake of the program: report it",
            )


@dataclass(frozen=True)
class Raw:
    """One file as text.

    Where the text is in memory, `frame` holds a column per label (`c0`, `c1`, ...), `_record`, the
    row in the sheet or the record in the file from 1, and `_sheet`; else it is read from `path`
    when it is loaded.
    """

    path: str
    """The file to read: UTF-8, converted if need be."""
    labels: list[str]
    records: int
    """Records of the file, counted independently of the reader."""
    checksum: str
    """BLAKE2b of the bytes as they came."""
    size: int
    """Bytes as they came."""
    header_rows: int = 0
    """Rows down to and with the header, blank lines among them; one may have several lines."""
    blank_lines: tuple[int, ...] = ()
    """Lines after the header that hold nothing, from 1; a line break inside quotes ends none."""
    frame: pl.DataFrame | None = None
    totals: list[Stated] = field(default_factory=list)
    """Totals that the file states."""
    accounts: list[Account] = field(default_factory=list)
    """One a sheet, where there are rows of several kinds."""


def in_memory(
    path: Path,
    content: bytes,
    frame: pl.DataFrame,
    *,
    totals: list[Stated] | None = None,
    accounts: list[Account] | None = None,
) -> Raw:
    """A file whose text is in memory: a column per label, `_record` and `_sheet`."""
    labels = [label for label in frame.columns if label not in (RECORD, SHEET)]
    return Raw(
        path=str(path),
        labels=labels,
        records=frame.height,
        checksum=checksums.of_bytes(content),
        size=len(content),
        frame=frame.rename({label: f"c{i}" for i, label in enumerate(labels)}),
        totals=totals or [],
        accounts=accounts or [],
    )


def shaped(
    columns: pl.DataFrame,
    numbers: Sequence[int],
    dataset: Dataset,
    *,
    sheet: str | None = None,
    where: str,
) -> pl.DataFrame:
    """Columns of text with `_record` and `_sheet`; filled down, wide made long, composed.

    Raises:
        UnreadableFile: no column is one of those that `clean.unpivot` or `clean.compose` speak of.
    """
    missing = dataset.read.missing
    texts = columns.select(
        pl.when(pl.col(label).is_in(missing).not_()).then(pl.col(label)).alias(label)
        for label in columns.columns
        if label
    )
    filled = [
        pl.col(label).forward_fill()
        for label in dataset.clean.fill_down
        if label in columns.columns
    ]
    frame = texts.with_columns(
        *filled,
        pl.Series(RECORD, numbers, dtype=pl.Int64),
        pl.lit(sheet, dtype=pl.String).alias(SHEET),
    )
    return _composed(_unpivot(frame, dataset, where), dataset, where)


def _composed(frame: pl.DataFrame, dataset: Dataset, where: str) -> pl.DataFrame:
    """With the columns of `clean.compose`; one is missing where a part of it is."""
    made = []
    for name, template in dataset.clean.compose.items():
        parts = re.split(r"\{(.+?)\}", template)
        for label in parts[1::2]:
            if label not in frame.columns:
                raise UnreadableFile(
                    f"no column {label!r} to compose {name!r} from",
                    where=where,
                    hint=f"columns: {', '.join(frame.columns[:12])}",
                )
        texts = [pl.col(part) if i % 2 else pl.lit(part) for i, part in enumerate(parts)]
        made.append(pl.concat_str(texts).alias(name))
    return frame.with_columns(made)


def _unpivot(frame: pl.DataFrame, dataset: Dataset, where: str) -> pl.DataFrame:
    """One record per filled cell of the columns that are values of a variable."""
    unpivot = dataset.clean.unpivot
    if unpivot is None:
        return frame
    matches = _groups(unpivot.columns, frame.columns)
    kept = [label for label in frame.columns if label not in matches]
    parts = [
        frame.select(
            *kept,
            *(pl.lit(text, dtype=pl.String).alias(group) for group, text in match.items()),
            pl.col(label).alias(unpivot.into),
        ).filter(pl.col(unpivot.into).is_not_null())
        for label, match in matches.items()
    ]
    if not parts:
        raise UnreadableFile(
            f"no column matches {unpivot.columns!r}",
            where=where,
            hint=f"columns: {', '.join(frame.columns[:12])}",
        )
    return pl.concat(parts)


def _groups(pattern: str, labels: list[str]) -> dict[str, dict[str, str | None]]:
    """The named groups of each label in which `pattern` is found."""
    found = ((label, compiled(pattern).search(label)) for label in labels)
    return {label: match.groupdict() for label, match in found if match}


def text_of(cell: Cell, decimal: str) -> str | None:
    """What a clerk would type for a value; `None` for one that is not there, NaN included."""
    # NaN alone differs from itself.
    if cell is None or cell != cell:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, float | int | Decimal):
        return _digits(cell).replace(".", decimal) + ("%" if isinstance(cell, Percent) else "")
    return str(cell).replace("\xa0", " ").strip() or None


def _digits(number: float | Decimal) -> str:
    """All digits, without an exponent and without zeros at the end of a fraction."""
    text = str(number)
    if "e" in text.lower():
        text = format(Decimal(text), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def without_result(text: str) -> bool:
    """Whether a cell of a workbook holds an error, or a formula that was never computed."""
    return text[:1] in ("#", "=", "E") and NO_RESULT.fullmatch(text) is not None


def plain(label: str) -> str:
    """`label` for comparison: NFC, lower case, white space and line breaks as one blank."""
    text = unicodedata.normalize("NFC", label)
    return re.sub(r"\s+", " ", text).strip().casefold()


def column_of(spellings: list[str], labels: list[str]) -> int | None:
    """Position of the first label that is one of `spellings`, or of the one that is but for the
    star of a footnote; or `None`."""
    found = next((i for i, label in enumerate(labels) if matches(label, spellings)), None)
    if found is not None:
        return found
    starred = [
        i
        for i, label in enumerate(labels)
        if (bare := _STAR.sub("", label.rstrip())) != label.rstrip() and matches(bare, spellings)
    ]
    return starred[0] if len(starred) == 1 else None


_STAR = re.compile(r"(\(\*{1,3}\)|\*{1,3})$")


def matches(label: str, spellings: Sequence[str]) -> bool:
    """Whether `label` is one of these, or is found by one that begins with `^`."""
    text = plain(label)
    return any(
        compiled(spelling, any_case=True).search(text) is not None
        if spelling.startswith("^")
        else plain(spelling) == text
        for spelling in spellings
    )
