"""Queries as sources: of an SQLite file in the folder, and of a PostgreSQL server."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import HEAD, observed

from etl.catalog import Catalog, parse_catalog
from etl.catalog.queries import query_problem
from etl.errors import ForesightError, Problems
from etl.extract import READERS, sql
from etl.fetch import fetch, local_files
from etl.fetch.databases import copy_query
from etl.fetch.web import Web
from etl.settings import Limits, Settings, Site

ENTRY = """
- name: land
  title: Đất
  sources: [SOURCE]
  read: {format: sql, decimal: ",", query: "QUERY"MORE}
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: area, from: [xa], constraints: {required: true}}
    - {name: period, type: yearmonth, from: [thang]}
    - {name: value, type: number, from: [dien_tich]}
  indicators: [{name: land_used, title: Đất đã dùng, title_en: Land used}]
"""
QUERY = "select xa, thang, dien_tich from dat where con = 1 order by so"
TABLE = """
create table dat (so integer, xa text, thang text, dien_tich real, con integer, hinh blob);
insert into dat values
    (2, 'Xã Phong Điền', '02/2026', 7.25, 1, x'00'),
    (1, 'Phường Ninh Kiều', '01/2026', 40, 1, x'01'),
    (3, 'Phường Cái Khế', '01/2026', 9, 0, x'02');
"""


def entry(query: str, source: str = "{path: land.db}", more: str = "") -> str:
    return ENTRY.replace("SOURCE", source).replace("QUERY", query).replace("MORE", more)


def catalog(query: str, source: str = "{path: land.db}", more: str = "") -> Catalog:
    return parse_catalog(HEAD + entry(query, source, more))


@pytest.fixture
def land(installation) -> Path:
    """An SQLite file with three rows."""
    path = installation.catalog.parent / "land.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(TABLE)
    return path


def read(path: Path, query: str):
    raw = READERS["sql"](path, catalog(query).datasets["land"])
    assert raw.frame is not None
    return raw, raw.frame.select("^c.*$").rows()


# The text of a query


@pytest.mark.parametrize(
    "query",
    [
        QUERY,
        "with a as (select 1 as b) select b from a order by b;",
        "SELECT \"update\", ';' FROM t ORDER\nBY 1",
        "select (select max(x) from u order by x) from t order by y",
    ],
)
def test_one_select_in_a_stated_order_is_a_query(query):
    assert query_problem(query) is None


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "no select"),
        ("delete from t", "no select"),
        ("select 1", "does not say its order"),
        ("select * from (select 1 order by 1)", "does not say its order"),
        ("select 1 order by 1; drop table t", "a second statement"),
        ("select 1 order by 1 -- and more", "a comment"),
        ("select 1 /* x */ order by 1", "a comment"),
        ("select $a$;$a$ order by 1", "a dollar quote"),
        (r"select E'\n' order by 1", "a quote with escapes"),
        ("select 'a order by 1", "a quote that never closes"),
        ("with x as (delete from t returning *) select * from x order by 1", "'delete'"),
        ("select * into u from t order by 1", "'into'"),
    ],
)
def test_anything_else_is_a_mistake_of_the_catalog(query, told):
    assert told in str(query_problem(query))


@pytest.mark.parametrize(
    ("source", "read", "told"),
    [
        ("{path: land.db}", "format: sql", "land.read.query: the query is no select"),
        ("{path: land.csv}", "query: select 1", "query is only for format sql"),
        ("{title: x}", "database: LAND, format: csv", "database is only for format sql"),
        (
            "{title: x}",
            "format: sql, query: select 1 order by 1, database: 'postgresql://u:abc123@h/d'",
            "not the name of an environment variable",
        ),
        (
            "{path: a.db}",
            "format: sql, query: select 1 order by 1, database: LAND",
            "a query of a database has no path",
        ),
        ("{path: 'https://p.vn/a.db'}", "format: sql, query: select 1 order by 1", "the format"),
    ],
)
def test_a_query_without_its_place_is_a_mistake_of_the_catalog(source, read, told):
    text = entry("", source).replace('format: sql, decimal: ",", query: ""', read)
    with pytest.raises(Problems) as error:
        parse_catalog(HEAD + text)
    assert told in str(error.value)
    assert "abc123" not in str(error.value)


# SQLite files


def test_the_rows_of_a_query_are_loaded_in_its_order(refresh, land):
    warehouse = refresh(entry(QUERY))
    assert observed(warehouse)["value"].to_list() == [40, 7.25]
    loads = warehouse.select("select file, records, accepted, size from load").rows()
    assert loads == [("land.db", 2, 2, land.stat().st_size)]


def test_what_is_typed_becomes_the_text_a_clerk_would_type(land):
    query = "select so, dien_tich, null as gi, thang from dat order by so limit 2"
    raw, rows = read(land, query)
    assert raw.labels == ["so", "dien_tich", "gi", "thang"]
    assert rows == [("1", "40", None, "01/2026"), ("2", "7,25", None, "02/2026")]
    assert raw.records == 2


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select khong from dat order by 1", "no such column: khong"),
        ('select \\"khong\\" from dat order by 1', "no such column: khong"),
        ("select hinh from dat order by so", "column 'hinh' holds bytes"),
        ("select so, so from dat order by so", "two columns are called 'so'"),
        ("select so from dat where so > 9 order by so", "the query finds no row"),
        ("select load_extension('x') from dat order by 1", "not authorized"),
        ("select so from dat order by random()", "not authorized"),
        ("select * from pragma_table_info('dat') order by 1", "not authorized"),
        ("select zeroblob(900000000) from dat order by 1", "too big"),
    ],
)
def test_a_query_the_file_does_not_take_is_refused(land, query, told):
    with pytest.raises(ForesightError) as error:
        read(land, query)
    assert told in str(error.value)
    assert error.value.where == "land.db"
    assert error.value.hint


ENDLESS = (
    "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n order by i"
)


def test_a_query_without_end_is_ended(land, monkeypatch):
    monkeypatch.setattr(sql, "SECONDS", 0.2)
    with pytest.raises(ForesightError, match=r"takes longer than 0\.2 seconds"):
        read(land, ENDLESS)


def test_a_query_for_more_than_fits_is_refused_before_it_is_read(land, monkeypatch):
    monkeypatch.setattr(sql, "MOST_CELLS", 1000)
    many = ENDLESS.replace("from n)", "from n limit 1001)")
    with pytest.raises(ForesightError, match="1,001 rows of 1 columns are more than 1,000 cells"):
        read(land, many)


def test_nothing_is_written_and_nothing_stands_beside_the_file(land):
    before = land.read_bytes()
    with closing(sqlite3.connect(land)) as database:
        database.execute("pragma journal_mode = wal")
        marked = land.read_bytes()
    read(land, QUERY)
    assert marked != before
    assert land.read_bytes() == marked
    assert [path.name for path in land.parent.iterdir() if path.is_file()] == ["land.db"]


def test_a_database_that_is_still_written_to_is_refused(land):
    with closing(sqlite3.connect(land)) as database:
        database.execute("pragma journal_mode = wal")
        database.execute("delete from dat where so = 1")
        database.commit()
        with pytest.raises(ForesightError, match=r"still written to: there is land\.db-wal"):
            read(land, QUERY)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda content: b"PK" + content, "no SQLite database"),
        (lambda content: content[:4096], "the database says"),
        (lambda content: content[:100] + bytes(len(content) - 100), "the database says"),
    ],
)
def test_a_damaged_database_is_refused(land, spoil, told):
    land.write_bytes(spoil(land.read_bytes()))
    with pytest.raises(ForesightError, match=told):
        read(land, QUERY)


def test_a_database_replaced_while_it_is_read_is_refused(land, monkeypatch):
    opened = sql._opened

    def replaced(path: Path) -> sqlite3.Connection:
        database = opened(path)
        other = path.with_name("other.db")
        shutil.copy(path, other)
        other.replace(path)
        return database

    monkeypatch.setattr(sql, "_opened", replaced)
    with pytest.raises(ForesightError, match="replaced while it was read"):
        read(land, QUERY)


# PostgreSQL


def programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The connection string of a server with one table and a role that may write to it."""
    where = programs()
    if where is None:
        pytest.skip("there is no PostgreSQL server on this machine")
    psycopg = pytest.importorskip("psycopg", reason="the driver for PostgreSQL is not installed")
    # Not under the folder of the tests: the server's own user must reach it, in few letters.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    data = str(folder / "data")

    def call(*words: str) -> None:
        subprocess.run([*as_user, *words], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    log = str(folder / "log")
    try:
        call(str(where / "initdb"), "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8")
        call(str(where / "pg_ctl"), "-D", data, "-w", "-o", options, "-l", log, "start")
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(folder)
        pytest.skip(f"PostgreSQL does not start on this machine: {error}")
    address = f"postgresql://tester:s3cret-word@127.0.0.1:{port}/postgres"
    try:
        with psycopg.connect(address) as connection:
            connection.execute(
                "create table dat (so int, xa text, thang text, dien_tich numeric(20, 4), "
                "ngay timestamptz, ds int[], gio double precision)"
            )
            connection.execute(
                "insert into dat values "
                "(2, 'Xã Phong Điền', '02/2026', 7.25, '2026-01-31 09:30+07', '{1}', 'NaN'), "
                "(1, 'Phường Ninh Kiều', '01/2026', 40, null, null, 'Infinity')"
            )
        yield address
    finally:
        call(str(where / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


SERVED = "select xa, thang, dien_tich from dat order by so"
DATABASE = ", database: LAND_DATABASE"


@pytest.fixture
def asked(server, installation, monkeypatch) -> Settings:
    """An installation whose site allows the database."""
    monkeypatch.setenv("LAND_DATABASE", server)
    installation.catalog.with_name("site.yaml").write_text("databases: [LAND_DATABASE]")
    return installation


def copied(query: str, into: Path, **limits: float) -> list[dict[str, object]]:
    site = Site(databases=["LAND_DATABASE"], limits=Limits(**limits))
    copy_query(query, "LAND_DATABASE", site, into / "rows.json")
    return list(json.loads((into / "rows.json").read_text(encoding="utf-8")))


def test_a_query_of_a_server_is_fetched_and_loaded_from_its_copy(asked, refresh):
    text = entry(SERVED, "{title: Kho dữ liệu}", DATABASE)
    found = parse_catalog(HEAD + text)
    (fetched,) = fetch(found, asked, lambda _: None)
    known = json.loads(fetched.path.with_name(f"{fetched.path.name}.json").read_text())
    assert known["origin"]["records"] == 2
    assert b"s3cret" not in b"".join(p.read_bytes() for p in fetched.path.parent.iterdir())
    assert observed(refresh(text))["value"].to_list() == [40, 7.25]
    assert not fetch(found, asked, lambda _: None)[0].changed


def test_values_of_a_server_become_those_of_json(asked, tmp_path):
    rows = copied("select so, dien_tich, ngay::timestamp, gio from dat order by so", tmp_path)
    assert rows == [
        {"so": 1, "dien_tich": 40, "ngay": None, "gio": "inf"},
        {"so": 2, "dien_tich": 7.25, "ngay": rows[1]["ngay"], "gio": None},
    ]
    assert str(rows[1]["ngay"]).startswith("2026-01-31 ")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select khong from dat order by 1", 'column "khong" does not exist'),
        ("select ds from dat where so = 2 order by so", "column 'ds' holds list"),
        ("select so, so from dat order by so", "two columns are called 'so'"),
        ("select so from dat where so > 9 order by so", "0 rows were counted"),
        ("select nextval('s') from dat order by so", 's" does not exist'),
        ("select set_config('transaction_read_only', 'off', false) order by 1", "read-write mode"),
        # The catalog refuses these before; here the server must on its own.
        ("select 1) as a; select (2", "cannot insert multiple commands"),
        ("delete from dat returning so", "syntax error"),
        ("select so from dat for update", "read-only transaction"),
    ],
)
def test_what_a_server_does_not_give_is_said(asked, tmp_path, query, told):
    with pytest.raises(ForesightError) as error:
        copied(query, tmp_path)
    assert told in str(error.value)
    assert "s3cret" not in str(error.value)
    assert len(copied(SERVED, tmp_path)) == 2


def test_a_query_that_takes_too_long_is_ended_by_the_server(asked, tmp_path):
    with pytest.raises(ForesightError, match="canceling statement due to statement timeout"):
        copied("select pg_sleep(5)::text order by 1", tmp_path, seconds=0.2)


def test_rows_beyond_the_size_of_a_source_are_refused(asked, tmp_path):
    with pytest.raises(ForesightError, match="larger than 1,000 bytes"):
        copied("select g from generate_series(1, 100000) g order by g", tmp_path, bytes=1000)


def test_a_server_that_is_gone_leaves_the_last_copy_in_use(asked, monkeypatch):
    found = catalog(SERVED, "{title: x}", DATABASE)
    fetch(found, asked, lambda _: None)
    monkeypatch.setenv("LAND_DATABASE", "postgresql://tester:s3cret-word@127.0.0.1:1/postgres")
    (fetched,) = fetch(found, asked, lambda _: None)
    assert "the connection failed or broke off; the copy of" in str(fetched)
    assert local_files(found.resources[0], asked) == [fetched.path]


def test_a_database_off_the_list_of_the_site_is_never_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("LAND_DATABASE", "postgresql://127.0.0.1:1/x")
    with pytest.raises(ForesightError, match="the site does not allow the database LAND_DATABASE"):
        copy_query(SERVED, "LAND_DATABASE", Site(), tmp_path / "x")


@pytest.mark.parametrize("value", ["s3cret word", "postgresql://u:s3cret@[/x", "s3cret=1"])
def test_a_connection_string_that_is_none_is_not_repeated(installation, monkeypatch, value):
    pytest.importorskip("psycopg", reason="the driver for PostgreSQL is not installed")
    monkeypatch.setenv("LAND_DATABASE", value)
    using = Web(Site(databases=["LAND_DATABASE"]))
    with pytest.raises(Problems) as error:
        fetch(catalog(SERVED, "{title: x}", DATABASE), installation, lambda _: None, web=using)
    assert "what LAND_DATABASE holds is no connection string" in str(error.value)
    assert "s3cret" not in str(error.value)
