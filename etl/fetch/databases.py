"""A query of a PostgreSQL database, copied as a json list: rows as the server gives them.

The connection is what an environment variable says, if the site lists the variable. The transaction
is read-only and sees one moment; in it the rows are counted first, on their own, and must be as
many as come. What the server is asked goes as one prepared statement, which cannot hold a second.
"""

import datetime as dt
import json
import math
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from etl.errors import ForesightError
from etl.fetch.arrival import FetchFailed, too_large
from etl.settings import Site, secret

ROWS_AT_ONCE = 10_000
PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


class DatabaseRefused(ForesightError):
    """The site does not allow this database, or its connection string is none."""


def copy_query(query: str, variable: str, site: Site, into: Path) -> int:
    """The rows of `query` as a json list in `into`; how many there are.

    Raises:
        DatabaseRefused: the site does not list `variable`, or it holds no connection string.
        MissingSecret: it is not set.
        FetchFailed: the server cannot be reached or refuses, or a row is not flat.
    """
    check_listed(variable, site)
    psycopg = _driver()
    try:
        connection = _connect(psycopg, variable)
        with connection:
            return _copy(connection, query.strip().removesuffix(";"), variable, site, into)
    except psycopg.Error as error:
        problem = error.diag.message_primary or "the connection failed or broke off"
        raise FetchFailed(
            f"the database says: {problem}",
            where=variable,
            hint="mend the query, ask whoever runs the database, or try again later",
        ) from None


def check_listed(variable: str, site: Site) -> None:
    """The catalog may use only those databases the site lists.

    Raises:
        DatabaseRefused: `variable` is not one of them.
    """
    if variable not in site.databases:
        raise DatabaseRefused(
            f"the site does not allow the database {variable}",
            hint=f"whoever runs the machine may add it to the site file: databases: [{variable}]",
        )


def _driver() -> Any:
    try:
        import psycopg
    except ImportError:
        raise DatabaseRefused(
            "the driver for PostgreSQL is not installed",
            hint="pip install 'cantho-foresight[postgresql]'",
        ) from None
    return psycopg


def _connect(psycopg: Any, variable: str) -> Any:
    try:
        parts = psycopg.conninfo.conninfo_to_dict(secret(variable))
    except psycopg.ProgrammingError:
        # The error would repeat what it could not read: a password, perhaps.
        raise DatabaseRefused(
            f"what {variable} holds is no connection string",
            hint="write postgresql://user:password@host/database",
        ) from None
    connection = psycopg.connect(**{**PATIENCE, **parts})
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


def _copy(connection: Any, query: str, variable: str, site: Site, into: Path) -> int:
    limits = site.limits
    deadline = time.monotonic() + limits.seconds
    connection.execute(f"set local statement_timeout = {max(int(limits.seconds * 1000), 1)}")
    counting = f"select count(*) from ({query}\n) as counted"
    counted = connection.execute(counting, prepare=True).fetchone()[0]
    written = 0
    with connection.cursor(name="rows") as cursor, into.open("w", encoding="utf-8") as file:
        cursor.execute(query)
        names = _names(cursor, variable)
        for row in _rows(cursor, deadline, variable):
            cells = {
                name: _plain(cell, name, variable) for name, cell in zip(names, row, strict=True)
            }
            file.write(",\n" if written else "[\n")
            file.write(json.dumps(cells, ensure_ascii=False))
            written += 1
            if file.tell() > limits.bytes:
                raise too_large(limits.bytes, variable)
        file.write("\n]\n")
    if written != counted or not written:
        raise FetchFailed(
            f"{counted:,} rows were counted and {written:,} came",
            where=variable,
            hint="mend the query: it must find the same rows each time, and at least one",
        )
    return written


def _names(cursor: Any, variable: str) -> list[str]:
    names = [column.name for column in cursor.description]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise FetchFailed(
            f"two columns are called {twice!r}", where=variable, hint="name one: ... as other"
        )
    return names


def _rows(cursor: Any, deadline: float, variable: str) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        if time.monotonic() > deadline:
            raise FetchFailed(
                "the query takes longer than the site allows",
                where=variable,
                hint="ask for less, or let the site file say limits: {seconds: ...}",
            )
        yield from rows


def _plain(cell: Any, name: str, variable: str) -> str | int | float | bool | None:
    """A value json can hold; other than a flat one is refused."""
    if isinstance(cell, Decimal | float) and not math.isfinite(cell):
        return None if math.isnan(cell) else str(cell)
    if isinstance(cell, Decimal):
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    if cell is None or isinstance(cell, str | bool | int | float):
        return cell
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ") if cell.timetz() != dt.time() else cell.date().isoformat()
    if isinstance(cell, dt.date | dt.time | UUID):
        return str(cell)
    raise FetchFailed(
        f"column {name!r} holds {type(cell).__name__}",
        where=variable,
        hint="ask for flat columns: cast it in the query, or leave it out",
    )
