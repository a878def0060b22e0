"""Refreshes that kill themselves, run as a program of their own by `test_killed`.

`python killed_refresh.py FOLDER STEP` takes the installation in FOLDER/begun and, for each step of
a refresh whose name begins with STEP, a copy of it in which a child refreshes and is killed before
that step. What a reader and the next refresh find afterwards is printed as one JSON object a step.

A step is a statement sent to DuckDB or a call that changes the file system; a profile function
counts them, so that the code under test runs as it is.
"""

import datetime as dt
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import click
import pyarrow  # noqa: F401  (every child needs it, and none should have to load it)

from etl import pipeline
from etl.builds import NoWarehouse, builds, current_build, prune, refreshing
from etl.catalog import load_catalog
from etl.settings import Settings
from etl.warehouse import Warehouse

TODAY = dt.date(2026, 11, 22)
STATEMENTS = {"run", "count", "select", "write", "_take_schema"}
SYSTEM = {"flock", "fsync", "replace", "rename", "unlink", "sendfile", "write", "truncate"}
SHOWN = "select area, period, value from observation order by all"
PUBLISHING = ("publish_build", "_write_through", "_replace", "sync_folder")
"""Functions all of whose calls to the system are killed; of others the first of each kind."""
STATEMENTS_APART = 31
"""One statement in so many is killed."""

Outcome = dict[str, Any]


class Steps:
    """Counts the steps of this process, and kills it at one of them."""

    def __init__(self, last: int | None) -> None:
        self.names: list[str] = []
        self._last = last

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "call" and frame.f_code.co_name in STATEMENTS and _in_warehouse(frame):
            self._step("statement")
        elif (
            event == "c_call"
            and called.__name__ in SYSTEM
            and not isinstance(called.__self__, str | bytes)
        ):
            here: FrameType | None = frame
            for _ in range(4):
                if here is not None and _in_warehouse(here):
                    self._step(f"{here.f_code.co_name}: {called.__name__}")
                    return
                here = here and here.f_back

    def _step(self, name: str) -> None:
        if self._last is not None and len(self.names) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.names.append(name)


def _in_warehouse(frame: FrameType) -> bool:
    return frame.f_code.co_filename.endswith(("warehouse.py", "builds.py", "durable.py"))


def refresh(site: Settings, last: int | None = None) -> list[str]:
    """Refresh, and be killed at step `last`; else the names of the steps there were."""
    catalog = load_catalog(site.catalog)
    current = Warehouse.open(site.home) if current_build(site.home) else None
    plan = pipeline.plan(catalog, site, current)
    steps = Steps(last)
    sys.setprofile(steps)
    try:
        with refreshing(site.home):
            with Warehouse.build(site.home) as warehouse:
                pipeline.refresh(
                    warehouse, catalog, site, plan, today=TODAY, progress=lambda _: None
                )
            prune(site.home, 2)
    finally:
        sys.setprofile(None)
    return steps.names


def state(site: Settings) -> Outcome:
    """What a reader sees, and what lies about."""
    rows = None
    try:
        with Warehouse.open(site.home) as warehouse:
            rows = [list(map(str, row)) for row in warehouse.select(SHOWN).iter_rows()]
    except NoWarehouse:
        pass
    return {
        "build": current_build(site.home),
        "rows": rows,
        "listed": [build.name for build in builds(site.home)],
        "files": sorted(path.name for path in site.home.rglob("*")),
    }


def in_a_child(work: Callable[[], Any]) -> Any:
    """The answer of `work` in a process of its own; `None` where that was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as answer:
            json.dump(work(), answer)
            answer.flush()
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else None


def main(folder: Path, of: str) -> None:
    """Kill the next refresh of the installation in `folder` at every step whose name begins so."""

    def attempt(last: int | None) -> Outcome:
        place = folder / f"killed_at_{last}"
        shutil.copytree(folder / "begun", place)
        site = Settings(place / "state", place / "data_catalog.yaml")
        names = in_a_child(lambda: refresh(site, last))
        left = in_a_child(lambda: {"after": state(site), "next": refresh(site)})
        found = in_a_child(lambda: state(site))
        shutil.rmtree(place)
        return {"steps": names, "after": left["after"], "again": found}

    whole = attempt(None)
    click.echo(json.dumps(whole))
    names: list[str] = whole["steps"]
    for number, name in enumerate(names):
        if name == "statement":
            wanted = number % STATEMENTS_APART == 0
        else:
            wanted = name.startswith(PUBLISHING) or name not in names[:number]
        if wanted and name.startswith(of):
            click.echo(json.dumps(attempt(number) | {"name": f"{number} {name}"}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
