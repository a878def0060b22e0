"""SQL: one query over the tables of an SQLite file, or the copy of what a database answered.

The file is opened as immutable, so that nothing is written beside it, and may be damaged or hostile
like any other: only reading is allowed to the query, for a time, and up to a size. The database
counts the rows on its own, before they are read.
"""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import polars as pl

from etl import checksums
from etl.catalog import Dataset
from etl.catalog.queries import TOKEN
from etl.extract import json_records
from etl.extract.raw import Raw, UnreadableFile, in_memory, shaped, text_of

MAGIC = b"SQLite format 3\0"
SECONDS = 60.0
MOST_CELLS = 20_000_000
LONGEST_CELL = 10_000_000
STEPS_BETWEEN_LOOKS = 10_000
READING = (
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
)
NEVER_THE_SAME = ("random", "randomblob")
NOT_FOR_QUERIES = ("load_extension", "fts3_tokenizer", *NEVER_THE_SAME)


def extract(path: Path, dataset: Dataset) -> Raw:
    """The rows of the query in its order, with a column for each of its names.

    Raises:
        UnreadableFile: no SQLite database, one still written to, or a query it does not take.
    """
    if dataset.read.database:
        return json_records.extract(path, dataset)
    before = _state(path)
    checksum = checksums.of_file(path)
    try:
        columns, count = _columns(path, dataset)
    except sqlite3.Error as error:
        raise _refused(error, path) from None
    if _state(path) != before:
        raise UnreadableFile("it was replaced while it was read", where=path.name, hint="try again")
    texts = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    frame = shaped(texts, range(1, count + 1), dataset, where=path.name)
    return replace(in_memory(path, b"", frame), checksum=checksum, size=before[0])


def _state(path: Path) -> tuple[int, int, int]:
    """Size, time and place of a database at rest."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise UnreadableFile("no SQLite database", where=path.name, hint="ask for it again")
    for ending in ("-wal", "-journal"):
        beside = path.with_name(path.name + ending)
        if beside.exists() and beside.stat().st_size:
            raise UnreadableFile(
                f"it is still written to: there is {beside.name}",
                where=path.name,
                hint="close the program that uses it, or make a copy there with: vacuum into",
            )
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _columns(path: Path, dataset: Dataset) -> tuple[dict[str, list[str | None]], int]:
    """Text by column, and how many rows the database counted."""
    query = _strictly_quoted((dataset.read.query or "").strip().removesuffix(";"))
    with closing(_opened(path)) as database:
        (counted,) = database.execute(f"select count(*) from ({query}\n)").fetchone()
        cursor = database.execute(query)
        names = [column[0] for column in cursor.description]
        _check_shape(names, counted, path)
        rows = cursor.fetchall()
    if len(rows) != counted:
        raise UnreadableFile(
            f"{counted:,} rows were counted and {len(rows):,} came",
            where=path.name,
            hint="mend the query: it must find the same rows each time",
        )
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return {name: _texts(name, cells, dataset, path) for name, cells in columns}, counted


def _refused(error: sqlite3.Error, path: Path) -> UnreadableFile:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
        return UnreadableFile(
            f"the query takes longer than {SECONDS:g} seconds",
            where=path.name,
            hint="ask for less: name the columns, cut the rows by where",
        )
    return UnreadableFile(
        f"the database says: {error}", where=path.name, hint="mend the query, or ask for a copy"
    )


def _opened(path: Path) -> sqlite3.Connection:
    """The database, for reading only."""
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    database = sqlite3.connect(uri, uri=True, isolation_level=None)
    database.execute("pragma trusted_schema = off")
    database.execute("pragma cell_size_check = on")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    database.set_authorizer(_allowed)
    deadline = time.monotonic() + SECONDS
    database.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_LOOKS)
    return database


def _allowed(action: int, _first: str | None, second: str | None, *_: str | None) -> int:
    function = action == sqlite3.SQLITE_FUNCTION and second in NOT_FOR_QUERIES
    return sqlite3.SQLITE_OK if action in READING and not function else sqlite3.SQLITE_DENY


def _strictly_quoted(query: str) -> str:
    """Names in backticks: in double quotes, one that does not exist would be taken for text."""

    def name(token: str) -> str:
        if not token.startswith('"'):
            return token
        plain = token[1:-1].replace('""', '"').replace("`", "``")
        return f"`{plain}`"

    return TOKEN.sub(lambda found: name(found[0]), query)


def _check_shape(names: list[str], count: int, path: Path) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UnreadableFile(
            f"two columns are called {twice!r}", where=path.name, hint="name one: ... as other"
        )
    if not count:
        raise UnreadableFile("the query finds no row", where=path.name, hint="mend the query")
    if count * len(names) > MOST_CELLS:
        raise UnreadableFile(
            f"{count:,} rows of {len(names)} columns are more than {MOST_CELLS:,} cells",
            where=path.name,
            hint="name only the columns that are needed, or cut the rows by where",
        )


def _texts(
    name: str, cells: tuple[str | float | bytes | None, ...], dataset: Dataset, path: Path
) -> list[str | None]:
    """One column as text. Distinct values first: there are few, and Python is slow."""
    texts: dict[str | float | bytes | None, str | None] = {}
    for cell in set(cells):
        if isinstance(cell, bytes):
            raise UnreadableFile(
                f"column {name!r} holds bytes",
                where=path.name,
                hint="leave it out, or cast it as text",
            )
        texts[cell] = text_of(cell, dataset.read.decimal)
    return [texts[cell] for cell in cells]
