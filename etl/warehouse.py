"""The only module that speaks to DuckDB: a build opened to be read, or written to be published.

Readers open the build they were told (`etl.builds`), read-only. SQL lives in
`<package>/sql/<name>.sql`; what the stages compose from the catalog takes its names and texts
through `identifier` and `literal`.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import polars as pl

from etl.builds import (
    BACK,
    BUILD,
    DamagedBuild,
    NoWarehouse,
    build_file,
    building_in,
    builds,
    builds_folder,
    clear_unfinished,
    current_build,
    disk_full,
    is_disk_full,
    next_number,
    publish_build,
    refreshing,
    sign,
)
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
SCHEMA_NOTED = "select value from build_fact where name = 'schema'"
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
DAMAGE_TOLD = ("Corrupt database file", "Could not read", "not a valid DuckDB database file")
LEDGERS = {
    "forecast": "issue",
    "forecast_series": "issue",
    "backtest": "issue",
    "forecast_benchmark": "issue",
    "forecast_part": "issue",
    "forecast_earlier": "issue",
    "scored": "scoring",
    "alert": "run",
    "alert_log": "entry",
    "target_told": "run",
}
"""Tables of which no row ever changes or goes, and the number that rises with every run."""


class LedgerChanged(ForesightError):
    """A build would change or drop what was issued before."""


class UnreadableExpression(ForesightError):
    """Text is not an SQL expression, or not one over these columns."""


def identifier(name: str) -> str:
    """`name` quoted for SQL. Raises `ForesightError` unless it is lower-case letters, digits, _."""
    if not IDENTIFIER.fullmatch(name):
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
            DamagedBuild: the file is not the one that was published.
        """
        name = build or current_build(home)
        if not name or not BUILD.fullmatch(name) or not build_file(home, name).exists():
            raise NoWarehouse(
                f"there is no build {name} in {home}" if name else f"there is no build in {home}",
                hint="run: foresight refresh",
            )
        with _damage_told(build_file(home, name)):
            connection = duckdb.connect(
                str(build_file(home, name)), read_only=True, config=READ_ONLY
            )
        return cls(build_file(home, name), connection)

    @classmethod
    @contextmanager
    def build(cls, home: Path, *, empty: bool = False) -> Iterator[Self]:
        """The next build, a copy of the current one or `empty`; published when the block ends well.

        When the block raises, the unfinished file is removed and the current build stays what it
        was. What builds that `undo` went back from have issued is in the next build too
        (`LEDGERS`).

        Raises:
            RefreshRunning: another process holds the lock.
            DamagedBuild: the current build is not there to be copied.
            DiskFull: the disk is full before the build is complete.
            LedgerChanged: the block changed what was issued before; nothing is published.
        """
        builds_folder(home).mkdir(parents=True, exist_ok=True)
        with refreshing(home), building_in(home):
            number = next_number(home)
            sign(home, number)
            clear_unfinished(home)
            before = None if empty else current_build(home)
            path = builds_folder(home) / f"{number:05d}.duckdb.building"
            try:
                with (
                    _room_told(home, path, build_file(home, before) if before else None),
                    _damage_told(path),
                ):
                    if before:
                        shutil.copyfile(build_file(home, before), path)
                    else:
                        path.write_bytes(_empty_build())
                    with cls(
                        path, duckdb.connect(str(path), config=STORAGE), writing=True
                    ) as warehouse:
                        if before:
                            warehouse._take_schema(before)
                            warehouse._take_later_issues(home, before)
                        issued = warehouse._issued()
                        yield warehouse
                        warehouse._check_unchanged(issued)
                        warehouse._note_schema()
                        warehouse.run("checkpoint")
                    publish_build(path, home)
            except BaseException:
                clear_unfinished(home)
                raise

    @classmethod
    @contextmanager
    def aside(cls, home: Path) -> Iterator[Self]:
        """A copy of the current build to try things on, or an empty one; gone when the block ends.

        It takes no lock: the copy is of a build that is finished, and never becomes one.
        """
        folder = builds_folder(home)
        folder.mkdir(parents=True, exist_ok=True)
        # What a killed process leaves is cleared by the next refresh, like an unfinished build.
        path = folder / f"aside-{os.getpid()}-{uuid.uuid4().hex}.duckdb.building"
        before = current_build(home)
        if before:
            shutil.copyfile(folder / f"{before}.duckdb", path)
        else:
            path.write_bytes(_empty_build())
        try:
            with cls(path, duckdb.connect(str(path), config=STORAGE), writing=True) as warehouse:
                if before:
                    warehouse._take_schema(before)
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
        with _damage_told(self.path), self._connection.cursor() as cursor:
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

    def clear(self, table: str) -> None:
        """Take every row out of `table`; of a ledger this is possible only in a copy aside."""
        self.run(f"delete from {identifier(table)}")

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
        return self._notes_schema(self.name) or set(_todays_columns()) <= set(self._columns())

    def _take_schema(self, before: str) -> None:
        """Create what is missing, down to columns that builds of earlier code do not have.

        Where the build `before`, of which this is a copy, was made with this very schema, nothing
        is: to write all of it again takes longer than a small refresh.
        """
        if self._notes_schema(before):
            return
        here = set(self._columns())
        old = {table for table, _, _ in here}
        # In one transaction: each of its own would be written through to the disk.
        self.run("begin")
        for table, column, kind in _todays_columns():
            if table in old and (table, column, kind) not in here:
                self.run(f"alter table {identifier(table)} add column {identifier(column)} {kind}")
        self.run(statement("etl", "schema"))
        self.run("commit")

    def _notes_schema(self, name: str) -> bool:
        """Whether the build called `name`, which this is or is a copy of, has this very schema."""
        with suppress(duckdb.CatalogException):
            noted = self.select(SCHEMA_NOTED).to_series().to_list()
            return noted == [f"{_schema_key()} {name}"]
        return False

    def _note_schema(self) -> None:
        """Note the schema and whose it is: earlier code copies the note, but not under its name."""
        self.run(
            "insert or replace into build_fact values ('schema', $noted)",
            noted=f"{_schema_key()} {self.name}",
        )

    def _take_later_issues(self, home: Path, before: str) -> None:
        """Add what was issued after the build `before`, which somebody went back to.

        The newest build has the ledgers of all others. One that cannot be read is told in `audit`.
        """
        for build in builds(home):
            if int(build.name) <= int(before):
                return
            try:
                self._take_ledgers(build.path)
            except duckdb.Error as error:
                self.run(
                    "insert into audit values (now()::timestamp, 'system', 'ledger', $detail)",
                    detail=f"build {build.name} cannot be read, what only it issued is lost: "
                    f"{str(error).splitlines()[0]}",
                )
            else:
                return

    def _take_ledgers(self, path: Path) -> None:
        self.run(f"attach {literal(str(path))} as later (read_only)")
        try:
            self.run("begin")
            for table, number in LEDGERS.items():
                shared = self._shared_columns(table)
                if number in shared:
                    columns = ", ".join(map(identifier, shared))
                    self.run(
                        f"insert into {table} ({columns}) select {columns} from later.{table} "
                        f"where {number} > (select coalesce(max({number}), 0) from {table})"
                    )
            self.run("commit")
        except duckdb.Error:
            self.run("rollback")
            raise
        finally:
            self.run("detach later")

    def _shared_columns(self, table: str) -> list[str]:
        """Columns of `table` in this build that the attached one has as well."""
        found = self.select(
            "select column_name from duckdb_columns() where table_name = $table "
            "and database_name in ('later', current_database()) "
            "group by 1 having count(*) = 2 order by 1",
            table=table,
        )
        return found["column_name"].to_list()

    def _issued(self) -> dict[str, tuple[Any, ...]]:
        """Of each ledger that has rows: its highest number, and a sum over the rows up to it."""
        top = " union all ".join(
            f"select {literal(table)}, max({number}) from {table}"
            for table, number in LEDGERS.items()
        )
        return {
            table: (up_to, *self._sum(table, up_to))
            for table, up_to in self.select(top).iter_rows()
            if up_to
        }

    def _sum(self, table: str, up_to: int) -> tuple[Any, ...]:
        return self.select(
            f"select count(*), sum(hash(kept)::hugeint)::varchar from {table} as kept "
            f"where {LEDGERS[table]} <= $up_to",
            up_to=up_to,
        ).row(0)

    def _check_unchanged(self, issued: dict[str, tuple[Any, ...]]) -> None:
        for table, (up_to, *before) in issued.items():
            if self._sum(table, up_to) != tuple(before):
                raise LedgerChanged(
                    f"rows of {table} that were issued before are no longer what they were",
                    where=self.path.name,
                    hint="nothing was published and the current build is as it was; "
                    "what is issued is only ever added to",
                )

    def _columns(self) -> list[tuple[str, str, str]]:
        return [(table, column, kind) for table, column, kind in self.select(COLUMNS).iter_rows()]

    def tables(self) -> list[str]:
        """Names of all tables and views."""
        found = self.select("select table_name from information_schema.tables order by 1")
        return found["table_name"].to_list()


@cache
def _todays_columns() -> tuple[tuple[str, str, str], ...]:
    """Table, column and type of everything in the schema, in the order of their columns."""
    with duckdb.connect() as fresh:
        fresh.execute(statement("etl", "schema"))
        return tuple((table, name, kind) for table, name, kind in fresh.execute(COLUMNS).fetchall())


@cache
def _schema_key() -> str:
    return hashlib.blake2b(statement("etl", "schema").encode(), digest_size=16).hexdigest()


@cache
def _empty_build() -> bytes:
    """The file of a build with the schema and no rows: slow to make, and always the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.duckdb"
        with duckdb.connect(str(path), config=STORAGE) as fresh:
            fresh.execute(statement("etl", "schema"))
            # Closing would do it too, and say nothing where it cannot.
            fresh.execute("checkpoint")
        return path.read_bytes()


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, params: dict[str, Any]) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(sql, params=params or None).pl()
    return frame


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if not any(words in str(error) for words in DAMAGE_TOLD):
            raise
        first = str(error).splitlines()[0]
        raise DamagedBuild(f"the build is damaged: {first}", where=path.name, hint=BACK) from error


@contextmanager
def _room_told(home: Path, building: Path, before: Path | None) -> Iterator[None]:
    """Say how much room is needed and how much there is, before the copy or when it runs out."""
    needed = before.stat().st_size if before else 0
    if needed > shutil.disk_usage(home).free:
        raise disk_full(home, needed)
    try:
        yield
    except (OSError, duckdb.Error) as error:
        if not is_disk_full(error):
            raise
        reached = building.stat().st_size if building.exists() else 0
        raise disk_full(home, max(needed, reached)) from error
