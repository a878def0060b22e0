"""Readers that hold an old build, damage to the files of a build, clocks that are wrong."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import ROOT
from faults.entries import HEADER, MONTHLY

from etl import pipeline
from etl.builds import DamagedBuild, NoWarehouse, RefreshRunning, builds, current_build, prune, undo
from etl.catalog import load_catalog
from etl.warehouse import Warehouse

SUM = "select sum(n) from numbers"
EVERYTHING = "select sum(n), max(text) from numbers"


def write(home: Path, last: int) -> None:
    """A build whose figures add up to `last`, in so many rows that no reader keeps them all."""
    with Warehouse.build(home) as warehouse:
        warehouse.run(
            "create or replace table numbers as "
            f"select case when range = 7 then {last} else 0 end as n, md5(range::varchar) as text "
            "from range(20000)"
        )


def total(warehouse: Warehouse) -> int:
    return int(warehouse.select(SUM).item())


READER = """
import sys
from pathlib import Path
from etl.warehouse import Warehouse
with Warehouse.open(Path(sys.argv[1])) as warehouse:
    for _ in sys.stdin:
        print(warehouse.name, warehouse.select("select sum(n) from numbers").item(), flush=True)
"""


def test_another_process_that_holds_a_build_reads_it_after_refreshes_undo_and_pruning(tmp_path):
    write(tmp_path, 1)
    with subprocess.Popen(
        [sys.executable, "-c", READER, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as reader:
        assert reader.stdin
        assert reader.stdout

        def seen() -> str:
            print(file=reader.stdin, flush=True)
            return reader.stdout.readline().strip() if reader.stdout else ""

        assert seen() == "00001 1"
        for last in (2, 3, 4):
            write(tmp_path, last)
            assert seen() == "00001 1"
        undo(tmp_path)
        assert prune(tmp_path, keep=1) == ["00002", "00001"]
        assert seen() == "00001 1"
        with Warehouse.open(tmp_path) as fresh:
            assert (fresh.name, total(fresh)) == ("00003", 3)


def test_threads_of_one_process_each_read_one_build_while_others_are_published(tmp_path):
    write(tmp_path, 1)
    done = threading.Event()
    mixed: list[str] = []

    def read_on() -> None:
        while not done.is_set():
            with Warehouse.open(tmp_path) as warehouse:
                first, again = total(warehouse), total(warehouse)
                if not first == again == int(warehouse.name):
                    mixed.append(f"{warehouse.name}: {first}, {again}")

    threads = [threading.Thread(target=read_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    held = Warehouse.open(tmp_path)
    for last in range(2, 6):
        write(tmp_path, last)
    done.set()
    for thread in threads:
        thread.join()
    assert mixed == []
    assert total(held) == 1


def test_while_a_refresh_runs_nothing_is_pruned_and_nothing_is_undone(tmp_path):
    write(tmp_path, 1)
    write(tmp_path, 2)
    with Warehouse.build(tmp_path):
        assert prune(tmp_path, keep=1) == []
        with pytest.raises(RefreshRunning):
            undo(tmp_path)
    assert [build.name for build in builds(tmp_path)] == ["00003", "00002", "00001"]


def test_a_number_is_not_given_again_when_its_build_was_undone_and_pruned(tmp_path):
    write(tmp_path, 1)
    write(tmp_path, 2)
    undo(tmp_path)
    assert prune(tmp_path, keep=0) == ["00002"]
    write(tmp_path, 3)
    assert current_build(tmp_path) == "00003"


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_bytes(b"not a database" * 1000),
        lambda path: path.unlink(),
        lambda path: (path.parent.parent / "CURRENT").write_text("", encoding="utf-8"),
        lambda path: (path.parent.parent / "CURRENT").write_bytes(b"\xff\0../../etc/passwd"),
        lambda path: (path.parent.parent / "CURRENT").write_text("99999\n", encoding="utf-8"),
    ],
    ids=["cut", "empty", "zeros", "other", "gone", "no pointer", "odd pointer", "pointer to none"],
)
def test_a_damaged_build_is_named_with_the_two_ways_back_and_both_work(tmp_path, harm):
    write(tmp_path, 1)
    write(tmp_path, 2)
    harm(tmp_path / "builds" / "00002.duckdb")
    with pytest.raises(DamagedBuild) as told, Warehouse.open(tmp_path) as opened:
        opened.select(EVERYTHING)
    with pytest.raises(DamagedBuild), Warehouse.build(tmp_path) as copied:
        copied.run(EVERYTHING)
    assert "foresight undo" in told.value.hint
    assert "foresight refresh --full" in told.value.hint
    undo(tmp_path)
    with Warehouse.open(tmp_path) as opened:
        assert total(opened) == int(opened.name)
    harm(tmp_path / "builds" / f"{current_build(tmp_path)}.duckdb")
    with Warehouse.build(tmp_path, empty=True) as full:
        full.run("create table numbers as select 3 as n")
    with Warehouse.open(tmp_path) as opened:
        assert total(opened) == 3


def test_a_block_that_went_bad_is_told_when_it_is_read(tmp_path):
    write(tmp_path, 1)
    path = tmp_path / "builds" / "00001.duckdb"
    content = bytearray(path.read_bytes())
    for start in range(12_288, len(content) - 400_000, 4096):
        content[start] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DamagedBuild, match="Corrupt"), Warehouse.open(tmp_path) as opened:
        opened.select(EVERYTHING)


def test_other_files_among_the_builds_are_left_alone(tmp_path):
    write(tmp_path, 1)
    stray = tmp_path / "builds" / "00001 (bản sao).duckdb"
    stray.write_bytes(b"somebody's copy")
    write(tmp_path, 2)
    assert [build.name for build in builds(tmp_path)] == ["00002", "00001"]
    assert stray.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "00001/../00001", "", "1"])
def test_a_reader_opens_nothing_but_builds(tmp_path, name):
    with pytest.raises(NoWarehouse):
        Warehouse.open(tmp_path, name or "x")


@pytest.mark.parametrize("day", ["1970-01-01", "2025-06-30", "2099-12-31"])
def test_a_clock_that_is_wrong_changes_no_figure(refresh, installation, day):
    import datetime as dt

    content = HEADER + "Ninh Kiều;01/2026;40\n"
    before = refresh(MONTHLY, applications_csv=content).select(
        "select * exclude (as_of, known_from) from observation"
    )
    catalog = load_catalog(installation.catalog)
    plan = pipeline.plan(catalog, installation, None)
    with Warehouse.build(installation.home, empty=True) as warehouse:
        pipeline.refresh(
            warehouse,
            catalog,
            installation,
            plan,
            today=dt.date.fromisoformat(day),
            progress=lambda _: None,
        )
    with Warehouse.open(installation.home) as opened:
        assert opened.select("select * exclude (as_of, known_from) from observation").equals(before)
        assert pipeline.plan(catalog, installation, opened).nothing
