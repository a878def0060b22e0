"""Builds: never half made, never replaced in place, always a way back."""

import threading

import polars as pl
import pytest

from etl.builds import NoWarehouse, RefreshRunning, builds, current_build, prune, undo
from etl.errors import ForesightError
from etl.warehouse import Warehouse, identifier, literal


def write(home, value: str) -> None:
    with Warehouse.build(home) as warehouse:
        warehouse.run("delete from build_fact")
        warehouse.write("build_fact", pl.DataFrame({"name": ["fact"], "value": [value]}))


def read(warehouse: Warehouse) -> str:
    return str(warehouse.select("select value from build_fact where name = $n", n="fact").item())


def test_before_the_first_build_the_reader_is_told_what_to_run(tmp_path):
    with pytest.raises(NoWarehouse, match="there is no build") as told:
        Warehouse.open(tmp_path)
    assert told.value.hint == "run: foresight refresh"


def test_two_who_try_things_at_once_have_a_copy_each(tmp_path):
    write(tmp_path, "old")
    with Warehouse.aside(tmp_path) as one, Warehouse.aside(tmp_path) as other:
        one.run("delete from build_fact")
        assert read(other) == "old"


def test_a_reader_keeps_its_build_while_the_next_one_is_published(tmp_path):
    write(tmp_path, "old")
    reader = Warehouse.open(tmp_path)
    write(tmp_path, "new")
    assert read(reader) == "old"
    assert read(Warehouse.open(tmp_path)) == "new"


def test_a_refresh_that_fails_leaves_the_current_build_and_nothing_else(tmp_path):
    write(tmp_path, "good")
    with pytest.raises(Exception, match="no_such_table"):  # noqa: SIM117
        with Warehouse.build(tmp_path) as warehouse:
            warehouse.run("delete from build_fact; select * from no_such_table")
    assert read(Warehouse.open(tmp_path)) == "good"
    assert [path.name for path in (tmp_path / "builds").iterdir()] == ["00001.duckdb"]


def test_what_a_killed_refresh_left_is_cleared_by_the_next(tmp_path):
    write(tmp_path, "good")
    (tmp_path / "builds" / "00002.duckdb.building").write_bytes(b"half")
    write(tmp_path, "better")
    assert sorted(path.name for path in (tmp_path / "builds").iterdir()) == [
        "00001.duckdb",
        "00003.duckdb",  # 00002 was begun: a number is never given twice
    ]


def test_two_refreshes_at_once_the_second_is_told_who_runs(tmp_path):
    with (
        Warehouse.build(tmp_path),
        pytest.raises(
            RefreshRunning, match=r"a refresh is running \(process \d+ on .+, since \d{4}-"
        ),
        Warehouse.build(tmp_path),
    ):
        pass


def test_undo_moves_back_one_build_and_says_when_there_is_none(tmp_path):
    write(tmp_path, "first")
    write(tmp_path, "second")
    assert undo(tmp_path) == "00001"
    assert read(Warehouse.open(tmp_path)) == "first"
    with pytest.raises(NoWarehouse, match="no earlier build"):
        undo(tmp_path)


def test_a_build_after_undo_has_a_name_never_used_before(tmp_path):
    write(tmp_path, "first")
    write(tmp_path, "second")
    undo(tmp_path)
    write(tmp_path, "third")
    assert current_build(tmp_path) == "00003"


def test_pruning_keeps_the_newest_and_the_current(tmp_path):
    for value in "abcd":
        write(tmp_path, value)
    undo(tmp_path)
    assert prune(tmp_path, keep=1) == ["00002", "00001"]
    assert [build.name for build in builds(tmp_path)] == ["00004", "00003"]


@pytest.mark.parametrize(
    "attempt",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "attach '/tmp/x.duckdb'",
        "copy build_fact to '/tmp/x.csv'",
        "set enable_external_access = true",
        "insert into build_fact values ('a', 'b')",
        "create table t (x int)",
    ],
)
def test_a_reader_can_neither_write_nor_leave_its_file(tmp_path, attempt):
    write(tmp_path, "x")
    refusal = "are disabled by configuration|Cannot (change|execute)|passwd does not exist"
    with Warehouse.open(tmp_path) as warehouse, pytest.raises(Exception, match=refusal):
        warehouse.run(attempt)


def test_threads_share_one_reader(tmp_path):
    write(tmp_path, "x")
    warehouse = Warehouse.open(tmp_path)
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(read(warehouse))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["x"] * 16


@pytest.mark.parametrize("name", ['a"; drop table load; --', "Áo", "", "1a", "a b", "a" * 64])
def test_a_hostile_name_is_no_identifier(name):
    with pytest.raises(ForesightError):
        identifier(name)


def test_quotes_in_text_stay_text():
    assert literal("it's") == "'it''s'"
    assert literal(None) == "null"


EARLIER = {
    "noted another schema": ("etl.warehouse._schema_key", lambda: "another"),
    "copied the note with the build": ("etl.warehouse.Warehouse._note_schema", lambda _: None),
}


@pytest.mark.parametrize("code", EARLIER)
def test_a_build_made_by_earlier_code_gets_what_today_has(tmp_path, monkeypatch, code):
    write(tmp_path, "x")
    with monkeypatch.context() as earlier:
        earlier.setattr(*EARLIER[code])
        with Warehouse.build(tmp_path) as warehouse:
            warehouse.run("drop view current_forecast; alter table forecast drop column issue")
    with Warehouse.build(tmp_path) as warehouse:
        assert "issue" in warehouse.select("select * from current_forecast limit 0").columns


def test_a_build_says_which_schema_it_has_and_that_it_is_its_own(tmp_path):
    write(tmp_path, "x")
    write(tmp_path, "y")
    with Warehouse.open(tmp_path) as warehouse:
        noted = warehouse.select("select value from build_fact where name = 'schema'").item()
    assert noted.endswith(" 00002")


def test_every_table_says_what_it_is(tmp_path):
    write(tmp_path, "x")
    silent = Warehouse.open(tmp_path).select(
        "select table_name from duckdb_tables() where comment is null "
        "union select view_name from duckdb_views() where not internal and comment is null"
    )
    assert silent.is_empty(), silent
