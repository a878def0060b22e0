"""A full disk: the old build stays, the room is free again, and people are told how much is needed.

Provoked twice: by a small disk of its own, which takes an administrator, and by a limit on the size
of files, which any process may set on itself and which fails the same writes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from conftest import HEAD, ROOT
from faults.entries import HEADER, MONTHLY

from etl.builds import DiskFull, current_build
from etl.warehouse import Warehouse

DISK = 24_000_000
BUILD = "create or replace table held as select range as n, md5(range::varchar) from range({})"

ASIDE = f"set memory_limit = '50MB'; {BUILD.replace('table', 'temp table').format(2_000_000)}"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB that holds one build of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK},nr_inodes=40", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if not made or made.returncode:
        pytest.skip("only an administrator can make a small disk")
    try:
        with Warehouse.build(folder) as warehouse:
            warehouse.run(BUILD.format(50_000))
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, leave: int) -> None:
    free = shutil.disk_usage(folder).free
    (folder / "other.bin").write_bytes(bytes(free - leave))


def fill_with_names(folder: Path, warehouse: Warehouse) -> None:
    warehouse.run("checkpoint")
    with suppress(OSError):
        for number in count():
            (folder / f"{number}.empty").touch()


def assert_as_it_was(folder: Path, free: int, told: DiskFull) -> None:
    assert current_build(folder) == "00001"
    with Warehouse.open(folder) as warehouse:
        assert warehouse.select("select count(*) from held").item() == 50_000
    assert [path.name for path in (folder / "builds").iterdir()] == ["00001.duckdb"]
    assert shutil.disk_usage(folder).free >= free - 4096
    assert "MB are free, and the next build needs more than" in told.problem
    assert told.where == str(folder)
    assert "make room" in told.hint


def test_full_before_the_copy_is_said_before_anything_is_written(disk):
    fill(disk, leave=500_000)
    free = shutil.disk_usage(disk).free
    with pytest.raises(DiskFull) as told, Warehouse.build(disk):
        pytest.fail("there was no room to copy it")
    assert_as_it_was(disk, free, told.value)


def test_full_while_it_is_copied(disk, monkeypatch):
    # What another program writes meanwhile is not seen beforehand.
    real = shutil.disk_usage(disk)
    fill(disk, leave=500_000)
    free = shutil.disk_usage(disk).free
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real)
    with pytest.raises(DiskFull) as told, Warehouse.build(disk):
        pytest.fail("there was no room to copy it")
    monkeypatch.undo()
    assert_as_it_was(disk, free, told.value)


def test_full_while_data_are_loaded(disk):
    free = shutil.disk_usage(disk).free
    with pytest.raises(DiskFull) as told, Warehouse.build(disk) as warehouse:
        warehouse.run(BUILD.format(2_000_000))
    assert_as_it_was(disk, free, told.value)


def test_full_while_data_are_put_aside_for_want_of_memory(disk):
    free = shutil.disk_usage(disk).free
    with pytest.raises(DiskFull) as told, Warehouse.build(disk) as warehouse:
        warehouse.run(ASIDE)
    assert_as_it_was(disk, free, told.value)


def test_full_when_it_is_published(disk):
    free = shutil.disk_usage(disk).free
    with pytest.raises(DiskFull) as told, Warehouse.build(disk) as warehouse:
        fill_with_names(disk, warehouse)
    assert_as_it_was(disk, free, told.value)


def test_the_refresh_after_room_was_made_succeeds(disk):
    with pytest.raises(DiskFull), Warehouse.build(disk) as warehouse:
        warehouse.run(BUILD.format(2_000_000))
    with Warehouse.build(disk) as warehouse:
        warehouse.run(BUILD.format(60_000))
    with Warehouse.open(disk) as warehouse:
        assert warehouse.select("select count(*) from held").item() == 60_000


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from dashboard.cli import main
main(sys.argv[2:])
"""


def run(folder: Path, limit: int, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process whose files may not grow beyond `limit` bytes."""
    command = [sys.executable, "-c", LIMITED, str(limit), "--home", str(folder / "state")]
    return subprocess.run(
        [*command, "--catalog", str(folder / "data_catalog.yaml"), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


SIMULATED = """
- name: dossiers
  title: Hồ sơ
  sources: [{path: generated/dossiers/dossiers_*.csv}]
  read: {simulated_by: dossiers}
  schema: {fields: [{name: id, from: [Số hồ sơ]}]}
"""
NOTHING_LEFT = {".lock", "builds"}


@pytest.mark.parametrize(
    ("resources", "limit"),
    [(MONTHLY, 100_000), (SIMULATED, 10_000)],
    ids=["the build", "generated files"],
)
def test_a_refresh_that_may_not_write_ends_with_three_lines_and_no_trace(
    tmp_path, resources, limit
):
    (tmp_path / "data_catalog.yaml").write_text(HEAD + resources, encoding="utf-8")
    (tmp_path / "applications.csv").write_text(HEADER + "Ninh Kiều;01/2026;1\n", encoding="utf-8")
    done = run(tmp_path, limit, "refresh", "--rows", "2000")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "the disk is full, or files may not grow" in done.stderr
    assert "make room" in done.stderr
    assert {path.name for path in (tmp_path / "state").iterdir()} <= {*NOTHING_LEFT, "generated"}
    assert not list((tmp_path / "state").glob("builds/*"))
