"""The work ahead as it is shown: worked out once a build and day, in a process of its own.

Working it out takes many seconds and hundreds of megabytes; what is shown of it is a few small
tables and a plan. They are kept in a folder of the installation, by build, day and code, and go
when the build goes or another day comes. Who serves pages does nothing but read them.
"""

import hashlib
import logging
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import TypeAdapter

from etl.builds import builds
from etl.catalog import Catalog, Workload, parse_catalog
from etl.pipeline import facts_of
from etl.warehouse import Warehouse
from forecasts.decisions.queue_targets import BY_QUEUE, by_queue, runs_before
from forecasts.decisions.staffing import Plan, plan
from forecasts.decisions.topics import SOON, soon
from forecasts.decisions.workload import (
    WINDOWS,
    Ahead,
    Flags,
    NoWorkload,
    Window,
    ahead,
    by_commune,
    by_field,
)

LENT = 10
"""People of the plan that is kept; other numbers are asked by the command."""
BESIDE = ("topics", "targets")
"""Tables kept as they are, beside those of the windows."""
PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Facts:
    """What the tables rest on, and the plan to lend `LENT` people; see `Ahead`."""

    today: date
    until: date
    last: date
    simulated: bool
    untold: tuple[str, ...]
    without_forecast: int
    times: float
    plan: Plan


@dataclass(frozen=True, eq=False)
class Work(Facts):
    """The work ahead as it is shown; tables are those of `by_commune` and `by_field`."""

    asked: Workload
    communes: dict[Window, pl.DataFrame]
    fields: dict[Window, pl.DataFrame]
    topics: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SOON))
    """Petitions and calls ahead by topic; see `topics.soon`."""
    targets: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BY_QUEUE))
    """What the queue comes to beside targets; see `queue_targets.by_queue`."""

    @property
    def told(self) -> Flags:
        """Whether the staff of each commune is known."""
        return np.asarray(self.communes[WINDOWS[0]]["people"].is_not_null().to_numpy())


def work(found: Ahead) -> Work:
    """What is shown of `found`."""
    return Work(
        today=found.today,
        until=found.until,
        last=found.last,
        simulated=found.simulated,
        untold=found.untold,
        without_forecast=found.without_forecast,
        times=found.times,
        plan=plan(found, LENT),
        asked=found.asked,
        communes={window: by_commune(found, window) for window in WINDOWS},
        fields={window: by_field(found, window) for window in WINDOWS},
    )


def kept(home: Path, build: str, today: date, asked: Workload) -> Work | None:
    """What is kept of a build and day; None where nothing is, or it cannot be read."""
    folder = _folder(home, build, today)
    try:
        facts = _FACTS.validate_json((folder / "facts.json").read_bytes())
        communes, fields = (_windows(folder / f"{name}.parquet") for name in ("communes", "fields"))
        topics, targets = (pl.read_parquet(folder / f"{name}.parquet") for name in BESIDE)
    except (OSError, ValueError, pl.exceptions.PolarsError):
        return None
    found = Work(**vars(facts), asked=asked, communes=communes, fields=fields)
    return replace(found, topics=topics, targets=targets)


def keep(home: Path, build: str, found: Work) -> None:
    """Write it in one step, and remove what is kept of other days and of builds that are gone."""
    folder = _folder(home, build, found.today)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="writing-") as name:
        begun = Path(name) / folder.name
        begun.mkdir()
        facts = Facts(**{name: vars(found)[name] for name in Facts.__dataclass_fields__})
        (begun / "facts.json").write_bytes(_FACTS.dump_json(facts))
        for table, windows in (("communes", found.communes), ("fields", found.fields)):
            rows = [frame.with_columns(window=pl.lit(w)) for w, frame in windows.items()]
            pl.concat(rows).write_parquet(begun / f"{table}.parquet")
        for name in BESIDE:
            getattr(found, name).write_parquet(begun / f"{name}.parquet")
        if not folder.exists():
            begun.rename(folder)
    _forget(home, folder)


def worked_out(home: Path, build: str, catalog: Catalog, today: date) -> Work | None:
    """What is kept of a build and day, worked out first by another process where nothing is.

    None where that process could not: the build says too little, or nothing can be written here.
    """
    if catalog.workload is None:
        return None
    found = kept(home, build, today, catalog.workload)
    if found is not None:
        return found
    command = [sys.executable, "-m", __name__, str(home), build, today.isoformat()]
    ran = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    if ran.returncode:
        logging.getLogger(__name__).error("the work ahead was not worked out: %s", ran.stderr)
    return kept(home, build, today, catalog.workload)


def main(home: Path, build: str, today: date) -> None:
    """Work it out and keep it; a build that says too little for it leaves nothing."""
    with Warehouse.open(home, build) as warehouse:
        catalog = parse_catalog(facts_of(warehouse)["catalog"])
        try:
            found = ahead(warehouse, catalog, today)
        except NoWorkload:
            return
        topics = soon(warehouse, catalog, today)
        targets = by_queue(found, catalog, *runs_before(warehouse, found, catalog))
    keep(home, build, replace(work(found), topics=topics, targets=targets))


_FACTS = TypeAdapter(Facts)


def _windows(path: Path) -> dict[Window, pl.DataFrame]:
    rows = pl.read_parquet(path)
    return {window: rows.filter(window=window).drop("window") for window in WINDOWS}


def _folder(home: Path, build: str, today: date) -> Path:
    return home / "work" / f"{build}-{today.isoformat()}-{_code()}"


@cache
def _code() -> str:
    """Hash of the code that works it out."""
    code = hashlib.blake2b(digest_size=8)
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in (".py", ".sql"):
            code.update(path.read_bytes())
    return code.hexdigest()


def _forget(home: Path, newest: Path) -> None:
    there = {build.name for build in builds(home)}
    build = newest.name.split("-")[0]
    for folder in newest.parent.iterdir():
        of = folder.name.split("-")[0]
        if folder != newest and of.isdecimal() and (of == build or of not in there):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3]))
