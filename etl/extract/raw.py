"""What every reader gives: text cells with the place they stood, nothing interpreted.

Cells of files that keep types become text as a clerk would type them: whole numbers without a
point, decimals with the decimal sign declared for the dataset, dates as yyyy-mm-dd.
"""

import datetime as dt
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl

from etl.catalog import Dataset
from etl.errors import ForesightError

ROW = "_row"
FILE = "_file"
RECORD = "_record"
SHEET = "_sheet"

Cell = str | float | int | bool | Decimal | dt.date | dt.time | dt.timedelta | None


class UnreadableFile(ForesightError):
    """The file as a whole cannot be read."""


class MissingColumn(ForesightError):
    """A field of the catalog is not in the file."""


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
    header_lines: int = 0
    blank_lines: tuple[int, ...] = ()
    """Lines after the header that hold nothing, from 1; a line break inside quotes ends none."""
    frame: pl.DataFrame | None = None


def in_memory(path: Path, content: bytes, frame: pl.DataFrame) -> Raw:
    """A file whose text is in memory: a column per label, `_record` and `_sheet`."""
    labels = [label for label in frame.columns if label not in (RECORD, SHEET)]
    return Raw(
        path=str(path),
        labels=labels,
        records=frame.height,
        checksum=hashlib.blake2b(content, digest_size=20).hexdigest(),
        size=len(content),
        frame=frame.rename({label: f"c{i}" for i, label in enumerate(labels)}),
    )


def shaped(
    columns: dict[str, list[str | None]],
    numbers: list[int],
    dataset: Dataset,
    *,
    sheet: str | None = None,
    where: str,
) -> pl.DataFrame:
    """Columns of text as a frame with `_record` and `_sheet`; filled down, wide made long.

    Raises:
        UnreadableFile: no column is one of those that `clean.unpivot` speaks of.
    """
    missing = set(dataset.read.missing)
    texts = {
        label: [None if cell in missing else cell for cell in cells]
        for label, cells in columns.items()
        if label
    }
    filled = [pl.col(label).forward_fill() for label in dataset.clean.fill_down if label in texts]
    frame = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String)).with_columns(
        *filled,
        pl.Series(RECORD, numbers, dtype=pl.Int64),
        pl.lit(sheet, dtype=pl.String).alias(SHEET),
    )
    return _unpivot(frame, dataset, where)


def _unpivot(frame: pl.DataFrame, dataset: Dataset, where: str) -> pl.DataFrame:
    """One record per filled cell of the columns that are values of a variable."""
    unpivot = dataset.clean.unpivot
    if unpivot is None:
        return frame
    pattern = re.compile(unpivot.columns)
    matches = {label: match for label in frame.columns if (match := pattern.search(label))}
    kept = [label for label in frame.columns if label not in matches]
    parts = [
        frame.select(
            *kept,
            *(
                pl.lit(text, dtype=pl.String).alias(group)
                for group, text in match.groupdict().items()
            ),
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
        return _digits(cell).replace(".", decimal)
    return str(cell).replace("\xa0", " ").strip() or None


def _digits(number: float | Decimal) -> str:
    """All digits, without an exponent and without zeros at the end of a fraction."""
    text = str(number)
    if "e" in text.lower():
        text = format(Decimal(text), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def plain(label: str) -> str:
    """`label` for comparison: NFC, lower case, white space and line breaks as one blank."""
    text = unicodedata.normalize("NFC", label)
    return re.sub(r"\s+", " ", text).strip().casefold()


def column_of(spellings: list[str], labels: list[str]) -> int | None:
    """Position of the first label that is one of `spellings`, or `None`."""
    wanted = {plain(spelling) for spelling in spellings}
    return next((i for i, label in enumerate(labels) if plain(label) in wanted), None)
