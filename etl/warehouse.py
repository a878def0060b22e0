"""The only module that speaks to DuckDB: immutable builds, a pointer, and named queries.

A refresh writes a new file (`builds/00042.duckdb.building`), renames it to a name never used before
and then replaces the one-line file `CURRENT`. Readers open the build they were told, read-only. A
path is never reused: a process that still holds an old connection would go on reading the old data
under the new name. SQL lives in `<package>/sql/<name>.sql`; identifiers are composed here and in
`etl.compile` only.
"""

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import polars as pl

from etl.errors import ForesightError

# Files that DuckDB 1.5 can open too: a way back that costs nothing.
STORAGE: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": "v1.5.0",
    # Merging all small row groups at once would write a large table twice; some at a time will do.
    "max_vacuum_tasks": "4",
}
READ_ONLY: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "max_execution_time": "30000",
    "lock_configuration": "true",
}
COLUMNS = """
    select c.table_name, c.column_name, c.data_type
    from duckdb_columns() c
    join duckdb_tables() t on t.table_oid = c.table_oid and t.database_name = c.database_name
    where c.database_name = current_database()
    order by c.table_name, c.column_index
"""
IDENTIFIER = re.compile(r"^[a-z][a-z0-9_]{0,62}$")


class NoWarehouse(ForesightError):
    """There is no build to read yet."""


class RefreshRunning(ForesightError):
    """Another process is building the warehouse."""


class UnreadableExpression(ForesightError):
    """Text is not an SQL expression, or not one over these columns."""


def identifier(name: str) -> str:
    """`name` quoted for SQL. Raises `ForesightError` unless it is lower-case letters, digits, _."""
    if not IDENTIFIER.match(name):
        raise ForesightError(f"{name!r} cannot be a name of a table or column")
    return f'"{name}"'


def literal(text: str | None) -> str:
    """`text` as an SQL string, or `null`."""
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


@cache
def _sandbox() -> duckdb.DuckDBPyConnection:
    """A database in memory that reads no file and holds no table, to look at expressions in."""
    return duckdb.connect(config=READ_ONLY)


def parsed(text: str) -> dict[str, Any]:
    """The tree of `select <text>`, as DuckDB parses it; nothing is run.

    Raises:
        UnreadableExpression: that is not the text of SELECT statements.
    """
    with _sandbox().cursor() as cursor:
        told = cursor.execute("select json_serialize_sql($1)", [f"select {text}"]).fetchall()
    tree: dict[str, Any] = json.loads(told[0][0])
    if tree["error"]:
        raise UnreadableExpression(str(tree["error_message"]).splitlines()[0])
    return tree


def rendered(tree: dict[str, Any]) -> str:
    """The expression of such a tree as SQL: what is in the tree, and nothing else of its text."""
    with _sandbox().cursor() as cursor:
        told = cursor.execute("select json_deserialize_sql($1)", [json.dumps(tree)]).fetchall()
    return str(told[0][0]).removeprefix("SELECT ")


def type_of(expression: str, columns: dict[str, str]) -> str:
    """The type of an expression over columns of these types, such as `BOOLEAN`.

    Raises:
        UnreadableExpression: its parts do not go together.
    """
    row = ", ".join(f"null::{kind} as {identifier(name)}" for name, kind in columns.items())
    try:
        with _sandbox().cursor() as cursor:
            found = cursor.execute(f"describe select ({expression}) from (select {row})").fetchall()
    except duckdb.Error as error:
        raise UnreadableExpression(str(error).splitlines()[0]) from None
    return str(found[0][1])


@cache
def statement(package: str, name: str) -> str:
    """The SQL of `<package>/sql/<name>.sql`."""
    return resources.files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class BuildInfo:
    """One build on disk."""

    name: str
    path: Path
    current: bool
    created: float
    """Seconds since the epoch."""
    size: int
    """Bytes."""


class Warehouse:
    """One build, opened for reading; or, through `Warehouse.build`, the next one being written."""

    def __init__(
        self, path: Path, connection: duckdb.DuckDBPyConnection, *, writing: bool = False
    ) -> None:
        self.path = path
        self.name = path.name.split(".")[0]
        self._connection = connection
        self._writing = writing
        if writing:  # what a refresh prints ends up in logs
            connection.execute("set enable_progress_bar = false")

    @classmethod
    def open(cls, home: Path, build: str | None = None) -> Self:
        """The current build of `home` (or the named one), read-only and locked.

        Raises:
            NoWarehouse: nothing has been built yet, or the named build is gone.
        """
        name = build or current_build(home)
        path = _builds(home) / f"{name}.duckdb"
        if not name or not path.exists():
            raise NoWarehouse(
                f"there is no build {name or ''} in {home}", hint="run: foresight refresh"
            )
        return cls(path, duckdb.connect(str(path), read_only=True, config=READ_ONLY))

    @classmethod
    @contextmanager
    def build(cls, home: Path, *, empty: bool = False) -> Iterator[Self]:
        """The next build, a copy of the current one or `empty`; published when the block ends well.

        When the block raises, the unfinished file is removed and the current build stays what it
        was.

        Raises:
            RefreshRunning: another process holds the lock.
        """
        folder = _builds(home)
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(home):
            for left_over in folder.glob("*.building*"):
                left_over.unlink()
            path = folder / f"{_next_number(folder):05d}.duckdb.building"
            before = current_build(home)
            if before and not empty:
                shutil.copyfile(folder / f"{before}.duckdb", path)
            try:
                with cls(
                    path, duckdb.connect(str(path), config=STORAGE), writing=True
                ) as warehouse:
                    warehouse._take_schema()
                    yield warehouse
                    warehouse.run("checkpoint")
            except BaseException:
                path.unlink(missing_ok=True)
                Path(f"{path}.wal").unlink(missing_ok=True)
                raise
            _publish(path, home)

    @classmethod
    @contextmanager
    def aside(cls, home: Path) -> Iterator[Self]:
        """A copy of the current build to try things on, or an empty one; gone when the block ends.

        It takes no lock: the copy is of a build that is finished, and never becomes one.
        """
        folder = _builds(home)
        folder.mkdir(parents=True, exist_ok=True)
        # What a killed process leaves is cleared by the next refresh, like an unfinished build.
        path = folder / f"aside-{os.getpid()}.duckdb.building"
        before = current_build(home)
        if before:
            shutil.copyfile(folder / f"{before}.duckdb", path)
        try:
            with cls(path, duckdb.connect(str(path), config=STORAGE), writing=True) as warehouse:
                warehouse._take_schema()
                yield warehouse
        finally:
            path.unlink(missing_ok=True)
            Path(f"{path}.wal").unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the build stays."""
        self._connection.close()

    def query(self, package: str, name: str, **params: Any) -> pl.DataFrame:
        """The rows of the named query of `package`, with its `$named` parameters filled in."""
        return self.select(statement(package, name), **params)

    def select(self, sql: str, **params: Any) -> pl.DataFrame:
        """The rows of one SELECT.

        Of a build opened for reading, threads may share one warehouse: each call has its own
        cursor.
        """
        if self._writing:  # a cursor would not see the temporary tables
            return _rows(self._connection, sql, params)
        with self._connection.cursor() as cursor:
            return _rows(cursor, sql, params)

    def run(self, sql: str, **params: Any) -> None:
        """Run statements that return nothing of interest."""
        self._connection.execute(sql, params or None).fetchall()

    def count(self, sql: str) -> int:
        """How many rows an INSERT, UPDATE or DELETE touched, or the number a SELECT returns."""
        rows = self._connection.execute(sql).fetchall()
        return int(rows[0][0]) if rows and rows[0][0] is not None else 0

    def write(self, table: str, rows: pl.DataFrame) -> None:
        """Append `rows` to `table`, matching columns by name; columns left out become null."""
        if rows.is_empty():
            return
        with self.registered(rows) as view:
            columns = ", ".join(identifier(column) for column in rows.columns)
            self.run(f"insert into {identifier(table)} ({columns}) select {columns} from {view}")

    @contextmanager
    def registered(self, rows: pl.DataFrame) -> Iterator[str]:
        """The name of a view over `rows` for the length of the block."""
        view = f"frame_{threading.get_ident()}_{time.monotonic_ns()}"
        self._connection.register(view, rows.to_arrow())
        try:
            yield view
        finally:
            self._connection.unregister(view)

    def has_todays_schema(self) -> bool:
        """Whether the build has every table, view and column that this code expects of one."""
        return set(_todays_columns()) <= set(self._columns())

    def _take_schema(self) -> None:
        """Create what is missing, down to columns that builds of earlier code do not have."""
        here = set(self._columns())
        old = {table for table, _, _ in here}
        for table, column, kind in _todays_columns():
            if table in old and (table, column, kind) not in here:
                self.run(f"alter table {identifier(table)} add column {identifier(column)} {kind}")
        self.run(statement("etl", "schema"))

    def _columns(self) -> list[tuple[str, str, str]]:
        return [(table, column, kind) for table, column, kind in self.select(COLUMNS).iter_rows()]

    def tables(self) -> list[str]:
        """Names of all tables and views."""
        found = self.select("select table_name from information_schema.tables order by 1")
        return found["table_name"].to_list()


def _todays_columns() -> list[tuple[str, str, str]]:
    """Table, column and type of everything in the schema, in the order of their columns."""
    with duckdb.connect() as fresh:
        fresh.execute(statement("etl", "schema"))
        return [(table, column, kind) for table, column, kind in fresh.execute(COLUMNS).fetchall()]


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, params: dict[str, Any]) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(sql, params=params or None).pl()
    return frame


def current_build(home: Path) -> str | None:
    """Name of the build the pointer names, or `None` before the first one."""
    pointer = home / "CURRENT"
    return pointer.read_text(encoding="utf-8").strip() if pointer.exists() else None


def builds(home: Path) -> list[BuildInfo]:
    """All builds on disk, newest first."""
    current = current_build(home)
    return [
        BuildInfo(
            name=path.stem,
            path=path,
            current=path.stem == current,
            created=path.stat().st_mtime,
            size=path.stat().st_size,
        )
        for path in sorted(_builds(home).glob("*.duckdb"), reverse=True)
    ]


def undo(home: Path) -> str:
    """Move the pointer to the build before the current one, and return its name.

    Raises:
        NoWarehouse: there is no earlier build.
    """
    current = current_build(home)
    earlier = [build.name for build in builds(home) if current and build.name < current]
    if not earlier:
        raise NoWarehouse("there is no earlier build to go back to", hint="see: foresight builds")
    _point(home, earlier[0])
    return earlier[0]


def prune(home: Path, keep: int) -> list[str]:
    """Delete all but the newest `keep` builds, never the current one; return the names deleted."""
    doomed = [build for build in builds(home)[keep:] if not build.current]
    for build in doomed:
        build.path.unlink()
    return [build.name for build in doomed]


def _builds(home: Path) -> Path:
    return home / "builds"


def _next_number(folder: Path) -> int:
    return max((int(path.stem) for path in folder.glob("*.duckdb")), default=0) + 1


def _publish(building: Path, home: Path) -> None:
    final = building.with_suffix("")
    with building.open("rb") as file:
        os.fsync(file.fileno())
    building.rename(final)
    _point(home, final.stem)


def _point(home: Path, name: str) -> None:
    pointer = home / "CURRENT"
    fresh = home / "CURRENT.new"
    fresh.write_text(f"{name}\n", encoding="utf-8")
    fresh.replace(pointer)


@contextmanager
def _lock(home: Path) -> Iterator[None]:
    import fcntl  # not on Windows, where the builds themselves still work

    with (home / ".lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise RefreshRunning(
                f"a refresh is running (process {file.read().strip() or 'unknown'})",
                where=str(home),
                hint="wait for it to end, then try again",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
