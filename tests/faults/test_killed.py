"""A refresh that is killed, at whatever moment, leaves the old build or the new one; never neither.

The refresh runs in another process and is killed with SIGKILL before each call that changes the
file system and before statements spread over the whole of it.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HEAD, ROOT, TODAY
from faults.entries import HEADER, MONTHLY

from etl import pipeline
from etl.builds import RefreshRunning, current_build, refreshing
from etl.catalog import load_catalog
from etl.settings import Settings
from etl.warehouse import Warehouse

JANUARY, FEBRUARY = ["31135", "2026-01-01"], ["31135", "2026-02-01"]
OLD = [[*JANUARY, "40.0"], [*FEBRUARY, "50.0"]]
NEW = [[*JANUARY, "41.0"], [*FEBRUARY, "50.0"]]
PUBLISHING = {
    "publish_build: fsync",
    "_write_through: fsync",
    "sync_folder: fsync",
    "_replace: replace",
}


def begin(folder: Path, *, built: bool) -> None:
    """An installation in `folder/begun`; where it is `built`, one figure has changed since."""
    site = Settings(folder / "begun" / "state", folder / "begun" / "data_catalog.yaml")
    site.home.mkdir(parents=True)
    site.catalog.write_text(HEAD + MONTHLY, encoding="utf-8")
    source = folder / "begun" / "applications.csv"
    if built:
        source.write_text(HEADER + "Ninh Kiều;01/2026;40\nNinh Kiều;02/2026;50\n", encoding="utf-8")
        catalog = load_catalog(site.catalog)
        with Warehouse.build(site.home) as warehouse:
            plan = pipeline.plan(catalog, site, None)
            pipeline.refresh(warehouse, catalog, site, plan, today=TODAY, progress=lambda _: None)
    source.write_text(HEADER + "Ninh Kiều;01/2026;41\nNinh Kiều;02/2026;50\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("built", "step"), [(True, ""), (False, "_replace")], ids=["second refresh", "first refresh"]
)
def test_killed_at_any_step_the_current_build_opens_and_the_next_refresh_is_as_ever(
    tmp_path, built, step
):
    begin(tmp_path, built=built)
    program = Path(__file__).with_name("killed_refresh.py")
    told = subprocess.run(
        [sys.executable, program, tmp_path, step],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    whole, *killed = map(json.loads, told.stdout.splitlines())
    before = OLD if built else None
    assert whole["after"]["rows"] == whole["again"]["rows"] == NEW
    assert {one["name"].split(" ", 1)[1] for one in killed} >= {
        name for name in PUBLISHING if name.startswith(step)
    }
    if built:
        assert {str(one["after"]["rows"]) for one in killed} == {str(OLD), str(NEW)}
    for one in killed:
        assert one["steps"] is None, "it was not killed"
        assert one["after"]["rows"] == (before if one["after"]["build"] in (None, "00001") else NEW)
        assert set(one["after"]["listed"]) <= {"00001", one["after"]["build"]}, one["name"]
        assert one["again"]["rows"] == NEW, one["name"]
        assert one["again"]["files"] == sorted(
            [".lock", "CURRENT", "builds", *(f"{name}.duckdb" for name in one["again"]["listed"])]
        ), one["name"]


HOLD = """
import sys
from pathlib import Path
from etl.builds import refreshing
with refreshing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(home: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock of `home` when this returns, until its input is closed.

    That is when the block ends of which it is the context.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, home],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_refresh_says_who_holds_the_lock_and_since_when(tmp_path):
    with hold(tmp_path) as other:
        before = (tmp_path / ".lock").read_bytes()
        with pytest.raises(RefreshRunning) as told, Warehouse.build(tmp_path):
            pass
    assert f"process {other.pid} on " in told.value.problem
    assert ", since 20" in told.value.problem
    assert "--wait" in told.value.hint
    assert (tmp_path / ".lock").read_bytes() == before


def test_the_second_refresh_waits_as_long_as_it_is_told_to(tmp_path):
    said: list[str] = []

    def let_go(line: str) -> None:
        said.append(line)
        other.communicate()

    with hold(tmp_path) as other, refreshing(tmp_path, wait=600, waiting=let_go):
        assert f'"process": {os.getpid()}' in (tmp_path / ".lock").read_text("utf-8")
    assert [f"process {other.pid} on " in line for line in said] == [True]


def test_waiting_ends_when_its_time_is_over(tmp_path):
    with hold(tmp_path), pytest.raises(RefreshRunning), refreshing(tmp_path, wait=0.3):
        pass


def test_the_lock_of_a_dead_process_holds_nobody_up(tmp_path):
    with hold(tmp_path) as other:
        os.kill(other.pid, signal.SIGKILL)
    with Warehouse.build(tmp_path):
        pass
    assert current_build(tmp_path) == "00001"


def test_a_lock_file_of_earlier_code_or_with_nothing_in_it_is_no_obstacle(tmp_path):
    for left in ("4242\n", "", "{"):
        (tmp_path / ".lock").write_text(left, encoding="utf-8")
        with Warehouse.build(tmp_path):
            pass
    assert current_build(tmp_path) == "00003"


def test_what_was_put_aside_for_want_of_memory_is_cleared_too(tmp_path):
    aside = tmp_path / "builds" / "00001.duckdb.building.tmp"
    aside.mkdir(parents=True)
    (aside / "duckdb_temp_0.tmp").write_bytes(b"half")
    with Warehouse.build(tmp_path):
        pass
    assert [path.name for path in (tmp_path / "builds").iterdir()] == ["00002.duckdb"]


def test_a_build_within_a_build_is_refused_and_harms_neither(tmp_path):
    with refreshing(tmp_path), Warehouse.build(tmp_path) as warehouse:
        with pytest.raises(RefreshRunning), Warehouse.build(tmp_path):
            pass
        warehouse.run("insert into build_fact values ('fact', 'kept')")
    with Warehouse.open(tmp_path) as opened:
        assert opened.select("select value from build_fact where name = 'fact'").item() == "kept"
