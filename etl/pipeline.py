"""The refresh: which files changed, load them, observe, carry over to today's boundaries.

A file is loaded again when its bytes, its catalog entry or the loading code changed; the `load_key`
in the ledger remembers. When nothing changed there is nothing to do, and the caller is told so.
"""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from etl.catalog import Catalog, Dataset
from etl.comparable import make_comparable, write_reference
from etl.errors import ForesightError, Problems
from etl.load import Arrival, FileLoad, load_files
from etl.measures import observe
from etl.settings import Settings
from etl.simulate import simulate_dossiers
from etl.warehouse import Warehouse, identifier, literal

Progress = Callable[[str], None]


class NoFile(ForesightError):
    """The catalog names a file that is not there."""


@dataclass(frozen=True)
class SourceFile:
    """One file of one dataset, and the key that tells whether it must be loaded."""

    dataset: str
    path: Path
    shown: str
    """Path to show to people: relative to the catalog or the state folder."""
    key: str


@dataclass(frozen=True)
class Plan:
    """What a refresh would do. `changed` and `gone` are empty when nothing needs loading."""

    files: list[SourceFile]
    changed: list[SourceFile]
    gone: list[tuple[str, str]]
    """Dataset and file that were loaded once and are no longer there."""
    stale_code: bool
    """Catalog or code changed, so tables derived from the loads are made again."""

    @property
    def nothing(self) -> bool:
        """Whether the current build is what a refresh would make."""
        return not (self.changed or self.gone or self.stale_code)


@dataclass(frozen=True)
class Refreshed:
    """What a refresh loaded."""

    loads: list[FileLoad] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Records read."""
        return sum(load.records for load in self.loads)


def generate(catalog: Catalog, settings: Settings, progress: Progress, rows: int) -> None:
    """Make the files of simulated datasets, unless they are there already."""
    if any(dataset.simulated for dataset in catalog.resources):
        simulate_dossiers(
            settings.home / "generated" / "dossiers",
            rows=rows,
            progress=lambda done, of: progress(f"simulated dossiers: month {done} of {of}"),
        )


def plan(
    catalog: Catalog,
    settings: Settings,
    warehouse: Warehouse | None,
    *,
    check_only: bool = False,
) -> Plan:
    """What must be loaded, compared with `warehouse` (or with nothing yet).

    With `check_only`, simulated files need not be there: a refresh makes them.

    Raises:
        Problems: one `NoFile` per dataset without a file.
    """
    files = _files(catalog, settings, simulated_may_miss=check_only)
    known = _loaded(warehouse) if warehouse else {}
    facts = facts_of(warehouse) if warehouse else {}
    here = {(file.dataset, file.shown) for file in files}
    return Plan(
        files=files,
        changed=[file for file in files if known.get((file.dataset, file.shown)) != file.key],
        gone=[place for place in known if place not in here],
        stale_code=facts.get("fingerprint") != fingerprint(settings),
    )


def refresh(
    warehouse: Warehouse,
    catalog: Catalog,
    settings: Settings,
    plan: Plan,
    *,
    today: dt.date,
    progress: Progress,
) -> Refreshed:
    """Carry out `plan` in the build `warehouse`: load what changed, derive what follows."""
    touched = {file.dataset for file in plan.changed} | {dataset for dataset, _ in plan.gone}
    for name, file in plan.gone:
        _forget(warehouse, name, file)
    write_reference(warehouse, catalog)
    loads: list[FileLoad] = []
    for dataset in catalog.resources:
        files = [file for file in plan.changed if file.dataset == dataset.name]
        if files:
            progress(f"load {dataset.name}: {len(files)} files")
            loads += _load(warehouse, dataset, files)
    for dataset in catalog.resources:
        if dataset.name in touched or plan.stale_code:
            progress(f"observe {dataset.name}")
            observe(warehouse, dataset, catalog.indicators)
    progress("carry history over to the communes of today")
    make_comparable(warehouse, catalog)
    _write_facts(warehouse, settings, today)
    return Refreshed(loads)


def facts_of(warehouse: Warehouse) -> dict[str, str]:
    """The facts a build keeps of itself, by name."""
    return dict(warehouse.select("select name, value from build_fact").iter_rows())


def note(warehouse: Warehouse, name: str, value: str) -> None:
    """Keep one more fact about the build."""
    warehouse.run(
        "insert or replace into build_fact values ($name, $value)", name=name, value=value
    )


def fingerprint(settings: Settings) -> str:
    """Hash of the catalog and of the code that makes the warehouse from it."""
    digest = hashlib.blake2b(settings.catalog.read_bytes(), digest_size=16)
    digest.update(_code().encode())
    return digest.hexdigest()


def _code() -> str:
    """Hash of the package `etl`."""
    digest = hashlib.blake2b(digest_size=16)
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".sql", ".csv"):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _files(catalog: Catalog, settings: Settings, *, simulated_may_miss: bool) -> list[SourceFile]:
    code = _code()
    files: list[SourceFile] = []
    problems: list[ForesightError] = []
    for dataset in catalog.resources:
        base = settings.home if dataset.simulated else settings.catalog.parent
        found = sorted(base.glob(dataset.path))
        if not found and not (dataset.simulated and simulated_may_miss):
            problems.append(
                NoFile(
                    f"no file {dataset.path}",
                    where=f"{settings.catalog.name}: {dataset.name}.sources",
                    hint=f"put it into {base} or mend the path",
                )
            )
        files += [
            SourceFile(
                dataset.name,
                path,
                path.relative_to(base).as_posix(),
                _key(path, dataset, code),
            )
            for path in found
        ]
    if problems:
        raise Problems(problems)
    return files


def _key(path: Path, dataset: Dataset, code: str) -> str:
    """Hash of the bytes, of what the catalog says about reading them, and of the code."""
    digest = hashlib.blake2b(path.read_bytes(), digest_size=16)
    digest.update(dataset.model_dump_json(include={"schema_", "read", "clean", "rules"}).encode())
    digest.update(code.encode())
    return digest.hexdigest()


def _loaded(warehouse: Warehouse) -> dict[tuple[str, str], str]:
    rows = warehouse.select("select dataset, file, load_key from load order by load")
    return {(dataset, file): key for dataset, file, key in rows.iter_rows()}


def _forget(warehouse: Warehouse, dataset: str, file: str) -> None:
    """Take out what an earlier load of the file brought in."""
    same = f"dataset = {literal(dataset)} and file = {literal(file)}"
    table = f"data_{dataset}"
    if table in warehouse.tables():
        warehouse.run(
            f"delete from {identifier(table)} where load in (select load from load where {same})"
        )
    warehouse.run(f"delete from rejected where {same}; delete from stated_total where {same}")
    warehouse.run(f"delete from load where {same}")


def _load(warehouse: Warehouse, dataset: Dataset, files: list[SourceFile]) -> list[FileLoad]:
    for file in files:
        _forget(warehouse, dataset.name, file.shown)
    _drop_if_reshaped(warehouse, dataset)
    before = warehouse.count("select coalesce(max(load), 0) from load")
    arrivals = [Arrival(f.path, f.shown, before + n) for n, f in enumerate(files, start=1)]
    loads = list(load_files(warehouse, dataset, arrivals))
    keys = {file.shown: file.key for file in files}
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    ledger = pl.DataFrame(
        [
            {
                "load": load.arrival.load,
                "dataset": dataset.name,
                "file": load.arrival.shown,
                "checksum": load.checksum,
                "size": load.size,
                "loaded_at": now,
                "records": load.records,
                "accepted": load.accepted,
                "rejected": load.rejected,
                "unreadable": load.unreadable,
                "seconds": load.seconds,
                "load_key": keys[load.arrival.shown],
            }
            for load in loads
        ]
    )
    warehouse.write("load", ledger.join(_spans(warehouse, dataset), on="load", how="left"))
    return loads


def _drop_if_reshaped(warehouse: Warehouse, dataset: Dataset) -> None:
    """An empty clean table goes, to be made anew with the columns of today's catalog."""
    table = f"data_{dataset.name}"
    if table in warehouse.tables() and not warehouse.count(
        f"select count(*) from {identifier(table)}"
    ):
        warehouse.run(f"drop table {identifier(table)}")


def _spans(warehouse: Warehouse, dataset: Dataset) -> pl.DataFrame:
    """First and last day the accepted records of each load speak of; load, first_day, last_day."""
    if dataset.field("period"):
        first, last = "period", "period_end"
    else:
        counted = [m.count for table in dataset.tables for m in table.measures if m.count]
        if not counted:
            return pl.DataFrame(
                schema={"load": pl.Int64, "first_day": pl.Date, "last_day": pl.Date}
            )
        first = last = counted[0]
    return warehouse.select(
        f"select load, min({identifier(first)}) as first_day, max({identifier(last)}) as last_day "
        f"from {identifier('data_' + dataset.name)} group by load"
    )


def _write_facts(warehouse: Warehouse, settings: Settings, today: dt.date) -> None:
    facts = {
        "today": today.isoformat(),
        "catalog": settings.catalog.read_text(encoding="utf-8"),
        "fingerprint": fingerprint(settings),
        "built_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }
    warehouse.run("delete from build_fact")
    warehouse.write(
        "build_fact", pl.DataFrame({"name": list(facts), "value": list(facts.values())})
    )
