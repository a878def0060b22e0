"""What every reader gives: text cells with the place they stood, nothing interpreted."""

import re
import unicodedata
from dataclasses import dataclass

import polars as pl

from etl.errors import ForesightError

ROW = "_row"
FILE = "_file"
RECORD = "_record"
SHEET = "_sheet"


class UnreadableFile(ForesightError):
    """The file as a whole cannot be read."""


class MissingColumn(ForesightError):
    """A field of the catalog is not in the file."""


@dataclass(frozen=True)
class Raw:
    """One file as text.

    Where the text is in memory, `frame` holds a column per label (`c0`, `c1`, ...), `_record`, the
    row in the sheet from 1, and `_sheet`; else it is read from `path` when it is loaded.
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
    frame: pl.DataFrame | None = None


def plain(label: str) -> str:
    """`label` for comparison: NFC, lower case, white space and line breaks as one blank."""
    text = unicodedata.normalize("NFC", label)
    return re.sub(r"\s+", " ", text).strip().casefold()


def column_of(spellings: list[str], labels: list[str]) -> int | None:
    """Position of the first label that is one of `spellings`, or `None`."""
    wanted = {plain(spelling) for spelling in spellings}
    return next((i for i, label in enumerate(labels) if plain(label) in wanted), None)
