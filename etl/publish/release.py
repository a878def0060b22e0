"""What a release is: one published dataset, its files, and what its rows say of themselves."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from etl.catalog import Contributor, Dataset

MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
"""Formats in which rows leave, in the order in which they are offered."""
Said = Mapping[str, Sequence[tuple[str, str]]]
"""Of a file among the sources: versions handed in anew (`2026-10 v02`), each with its reason."""


@dataclass(frozen=True)
class DataFile:
    """One file of a package."""

    name: str
    format: str
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class Place:
    """An area the data cover."""

    code: str
    level: str
    name: str
    name_en: str


@dataclass(frozen=True)
class Content:
    """What is to leave of one dataset, before any file is written."""

    dataset: Dataset
    publisher: Contributor
    licence: str
    table: pl.DataFrame
    """The rows as they leave, in their order."""
    modified: dt.date | None
    """Newest day of publication in the rows; without one, the day of the newest load."""
    places: tuple[Place, ...]
    reasons: tuple[str, ...] = ()
    """Why cells of its sources were corrected, or files handed in anew."""

    @property
    def first(self) -> dt.date | None:
        """First day the rows speak of; None for data without periods."""
        return extreme(self.table, "period", "min")

    @property
    def last(self) -> dt.date | None:
        """Last day the rows speak of."""
        return extreme(self.table, "period_end", "max")


@dataclass(frozen=True)
class Release:
    """One published dataset in its newest version."""

    dataset: Dataset
    publisher: Contributor
    licence: str
    version: str
    """Changes when the data or their description do, and only then."""
    files: tuple[DataFile, ...]
    """The rows, once a format."""
    rows: int
    first: dt.date | None
    last: dt.date | None
    modified: dt.date | None
    places: tuple[Place, ...]
    documents: tuple[DataFile, ...] = ()
    """What describes the rows: dictionary, licence, changes, checksums."""
    folder: Path = Path()
    """Where the files lie."""
    fields: list[dict[str, Any]] = field(default_factory=list)
    """The columns, as Table Schema."""

    @property
    def table(self) -> pl.DataFrame:
        """The rows, read again."""
        return pl.read_parquet(self.folder / "data.parquet")


def data_file(path: Path) -> DataFile:
    """Name, size and checksum of a file on disk."""
    content = path.read_bytes()
    kind = path.suffix.lstrip(".") or "txt"
    return DataFile(path.name, kind, len(content), hashlib.sha256(content).hexdigest())


def extreme(table: pl.DataFrame, column: str, which: str) -> dt.date | None:
    """The first (`min`) or last (`max`) day in a column; None where it holds no days."""
    if table.schema.get(column) != pl.Date:
        return None
    found = table[column].min() if which == "min" else table[column].max()
    return found if isinstance(found, dt.date) else None
