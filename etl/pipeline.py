"""The refresh: which files changed, load them, observe, carry over to today's boundaries.

Everything has a key: a file's load the hash of its bytes, of what its catalog entry says of reading
it and of the code; a dataset's figures that of its entry and loads; the series on today's
boundaries that of all figures. What has the key it had is not done again, and when nothing changed
the caller is told so.
"""

import datetime as dt
import getpass
import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import polars as pl

from etl import checksums
from etl.catalog import Catalog, Dataset, Indicator
from etl.comparable import make_comparable, write_reference
from etl.corrections import check_applied
from etl.errors import ForesightError, Problems
from etl.expressions import check_expressions
from etl.fetch import local_base, local_files, refusals
from etl.load import Arrival, FileLoad, changed_while_read, load_files
from etl.measures import begin, forget, observe, touch
from etl.settings import Settings
from etl.simulate import simulate_contacts, simulate_dossiers, simulate_staff
from etl.warehouse import Warehouse, identifier, literal

Progress = Callable[[str], None]

READING = {"schema_", "read", "clean", "rules", "corrections"}
"""Blocks of an entry that decide what a file of it gives."""
WORDS = {
    "title", "title_en", "unit", "unit_en", "description", "description_en",
    "better", "decimals", "topic",
}  # fmt: skip
"""What an indicator is called and how it is shown: no figure follows from it."""
OTHER_ROOMS = {
    "anomalies", "earlier", "handin", "handin_checks", "people", "publish", "returned",
    "rule_words", "translation", "trial",
}  # fmt: skip
"""Parts of this package that make no figure: when they change, nothing is loaded again."""


class NoFile(ForesightError):
    """The catalog names a file that is not there."""


class NotAFile(ForesightError):
    """The catalog names something that is no file, or a file outside its folder."""


@dataclass(frozen=True)
class SourceFile:
    """One file of one dataset, and the key that tells whether it must be loaded."""

    dataset: str
    path: Path
    shown: str
    """Path to show to people: relative to the catalog or the state folder."""
    key: str
    checksum: str
    """SHA-256 of the bytes, as `etl.extract.raw.Raw.checksum`: what is loaded must have it too."""


@dataclass(frozen=True)
class Plan:
    """What a refresh would do; all are empty or false when nothing changed."""

    files: list[SourceFile]
    """Every file of the catalog, changed or not."""
    changed: list[SourceFile]
    gone: list[tuple[str, str]]
    """Dataset and file that were loaded once and are no longer there."""
    observe: dict[str, str]
    """Key of the figures of each dataset, where they must be made again."""
    compare: str | None
    """Key of the series on today's boundaries, where they must be made again."""
    fingerprint: str
    """Of catalog and code when the plan was made."""
    described: bool
    """Whether the catalog says something else than at the last refresh, if only a title."""
    whole: bool = False
    """Whether figures are made again that no changed file touches."""

    @property
    def nothing(self) -> bool:
        """Whether the current build is what a refresh would make."""
        return not (self.changed or self.gone or self.compare or self.described)

    @property
    def touched(self) -> list[str]:
        """Datasets of which something changes."""
        changed = [file.dataset for file in self.changed]
        return sorted({*self.observe, *changed, *(dataset for dataset, _ in self.gone)})


@dataclass(frozen=True)
class Refreshed:
    """What a refresh loaded."""

    at: dt.datetime
    """Since when its figures are known, UTC."""
    loads: list[FileLoad] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Records read."""
        return sum(load.records for load in self.loads)


def generate(catalog: Catalog, settings: Settings, progress: Progress, rows: int) -> None:
    """Make the files of simulated datasets, unless they are there already."""
    asked = {dataset.read.simulated_by for dataset in catalog.resources}
    for name, make in (("staff", simulate_staff), ("contacts", simulate_contacts)):
        if name in asked:
            make(settings.home / "generated" / name)
    if "dossiers" in asked:
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
    again: bool = False,
    arriving: Sequence[SourceFile] = (),
    leaving: Collection[str] = (),
) -> Plan:
    """What must be loaded, compared with `warehouse` (or with nothing yet).

    With `check_only`, simulated and fetched files need not be there: a refresh brings them. With
    `again`, all is to be done anew, whatever changed. `arriving` are files that are not in their
    folder yet, `leaving` those, by the path that is shown, that are to be taken out of it.

    Raises:
        Problems: one `NoFile` per dataset without a file, or every expression that may not stand.
    """
    check_expressions(catalog)
    there = _files(catalog, settings, made_may_miss=check_only)
    files = [*(file for file in there if file.shown not in leaving), *arriving]
    if arriving:  # in the order in which their folder will hold them
        files.sort(key=lambda file: file.shown)
    if warehouse and not warehouse.has_todays_schema():
        again, warehouse = True, None  # a build of earlier code: all of it is made anew
    known = _loaded(warehouse) if warehouse else {}
    done = _done(warehouse) if warehouse and not again else {}
    facts = facts_of(warehouse) if warehouse else {}
    keys = {dataset.name: _observe_key(catalog, dataset, files) for dataset in catalog.resources}
    compare = _digest(_code(), *keys.values(), *map(_definition, catalog.indicators.values()))
    now = fingerprint(settings)
    return Plan(
        files=files,
        changed=[f for f in files if again or known.get((f.dataset, f.shown)) != f.key],
        gone=_gone(known, files),
        observe={name: key for name, key in keys.items() if done.get(("observe", name)) != key},
        compare=compare if done.get(("compare", None)) != compare else None,
        fingerprint=now,
        described=facts.get("fingerprint") != now,
        whole=again,
    )


def plan_of_arrival(
    catalog: Catalog,
    settings: Settings,
    warehouse: Warehouse,
    *,
    arriving: Sequence[SourceFile],
    leaving: Collection[str],
) -> Plan:
    """What files that come and go would change by themselves; as in `plan`, which tells of all.

    Every other file is taken as `warehouse` has it loaded, whatever became of it since: what waits
    in the folders of others is neither looked at nor counted.

    Raises:
        Problems: every expression that may not stand.
    """
    check_expressions(catalog)
    coming = {file.shown for file in arriving}
    loaded = [file for file in _as_loaded(warehouse) if file.shown not in coming]
    files = sorted(
        [*(file for file in loaded if file.shown not in leaving), *arriving],
        key=lambda file: file.shown,
    )
    gone = [(file.dataset, file.shown) for file in loaded if file.shown in leaving]
    touched = sorted({*(file.dataset for file in arriving), *(dataset for dataset, _ in gone)})
    keys = {name: _observe_key(catalog, catalog.datasets[name], files) for name in touched}
    return Plan(
        files=files,
        changed=list(arriving),
        gone=gone,
        observe=keys,
        compare=_digest(_code(), *keys.values()),
        fingerprint=fingerprint(settings),
        described=False,
    )


def waits(catalog: Catalog, settings: Settings, warehouse: Warehouse) -> bool:
    """Whether a refresh would load or let go a file of the datasets of `catalog`.

    Raises as `plan`.
    """
    now = plan(catalog, settings, warehouse, check_only=True)
    mine = {dataset.name for dataset in catalog.resources}
    return bool(now.changed) or any(name in mine for name, _ in now.gone)


def source_file(dataset: Dataset, path: Path, base: Path) -> SourceFile:
    """A file of a dataset, shown by its path from `base`."""
    return _source(path, base, dataset, _code())


def plan_of_one(dataset: Dataset, path: Path, settings: Settings) -> Plan:
    """The plan to load one file of one dataset, wherever it lies, and to observe its figures."""
    file = source_file(dataset, path, path.parent)
    return Plan(
        files=[file],
        changed=[file],
        gone=[],
        observe={dataset.name: file.key},
        compare=None,
        fingerprint=fingerprint(settings),
        described=False,
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
    now = _on(today)
    # Asked of the build itself: the plan may have been made without one.
    gone = _gone(_loaded(warehouse), plan.files)
    begin(warehouse)
    for name, file in gone:
        _forget(warehouse, name, file, now)
    write_reference(warehouse, catalog)
    loads: list[FileLoad] = []
    touched = {*plan.touched, *(name for name, _ in gone)}
    for dataset in catalog.resources:
        files = [file for file in plan.changed if file.dataset == dataset.name]
        if files:
            progress(f"load {dataset.name}: {len(files)} files")
            loads += _load(warehouse, dataset, files, now)
        if dataset.name in touched:
            check_applied(warehouse, dataset)
    _derive(warehouse, catalog, plan, {name for name, _ in gone}, now, progress)
    if fingerprint(settings) != plan.fingerprint:
        raise changed_while_read(settings.catalog.name)
    _write_facts(warehouse, settings, today)
    record(warehouse, "refresh", f"{len(loads)} files loaded, {len(gone)} gone")
    return Refreshed(now, loads)


def _derive(
    warehouse: Warehouse,
    catalog: Catalog,
    plan: Plan,
    gone: set[str],
    now: dt.datetime,
    progress: Progress,
) -> None:
    """Figures of the datasets, and series on today's boundaries, as far as their keys changed."""
    for name in _no_longer_there(warehouse, catalog):
        forget(warehouse, name, now)
        for step in ("observe", "define"):
            _note_step(warehouse, step, name, None, 0, 0.0)
    defined = _done(warehouse)
    for name, key in plan.observe.items():
        progress(f"observe {name}")
        started = time.perf_counter()
        dataset = catalog.datasets[name]
        definition = _definition_key(catalog, dataset)
        whole = plan.whole or defined.get(("define", name)) != definition
        rows = observe(warehouse, dataset, catalog.indicators, now, whole=whole)
        elapsed = time.perf_counter() - started
        _note_step(warehouse, "observe", name, key, rows, elapsed)
        _note_step(warehouse, "define", name, definition, rows, elapsed)
    if plan.compare:
        progress("carry history over to the communes of today")
        started = time.perf_counter()
        same = not plan.whole and facts_of(warehouse).get("fingerprint") == plan.fingerprint
        make_comparable(warehouse, catalog, {*plan.touched, *gone} if same else None)
        rows = warehouse.count("select count(*) from comparable")
        elapsed = time.perf_counter() - started
        _note_step(warehouse, "compare", None, plan.compare, rows, elapsed)


def _no_longer_there(warehouse: Warehouse, catalog: Catalog) -> list[str]:
    """Datasets with figures in the warehouse that the catalog no longer has."""
    found = warehouse.select("select distinct dataset from observation order by 1")["dataset"]
    return [name for name in found if name not in catalog.datasets]


def _note_step(
    warehouse: Warehouse,
    step: str,
    dataset: str | None,
    key: str | None,
    rows: int,
    seconds: float,
) -> None:
    """Remember the key of a step that was done; without a key that there is nothing to remember."""
    warehouse.run(
        "delete from step where step = $step and dataset is not distinct from $dataset",
        step=step,
        dataset=dataset,
    )
    if key:
        warehouse.run(
            "insert into step values ($step, $dataset, $key, $rows, $seconds, $made_at)",
            step=step,
            dataset=dataset,
            key=key,
            rows=rows,
            seconds=seconds,
            made_at=_now(),
        )


def record(warehouse: Warehouse, what: str, detail: str) -> None:
    """Add a line to `audit`: who did `what` now."""
    warehouse.run(
        "insert into audit values ($done_at, $who, $what, $detail)",
        done_at=_now(),
        who=getpass.getuser(),
        what=what,
        detail=detail,
    )


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


def _now() -> dt.datetime:
    """This moment in UTC, as the warehouse keeps it."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def _on(day: dt.date) -> dt.datetime:
    """This time of the day on `day`: what a replay learns, it learns on the day it replays."""
    return dt.datetime.combine(day, _now().time())


@cache
def _code() -> str:
    """Hash of the package `etl`, without the modules that make no figure."""
    digest = hashlib.blake2b(digest_size=16)
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix in (".py", ".sql", ".csv") and not OTHER_ROOMS & {*inside.parts, path.stem}:
            digest.update(inside.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _files(catalog: Catalog, settings: Settings, *, made_may_miss: bool) -> list[SourceFile]:
    code = _code()
    files: list[SourceFile] = []
    problems: list[ForesightError] = refusals(catalog, settings)
    for dataset in catalog.resources:
        base = local_base(dataset, settings)
        found = local_files(dataset, settings)
        made = dataset.simulated or dataset.fetched
        if not found and not (made and made_may_miss) and not dataset.handin:
            problems.append(_no_file(dataset, settings))
        for path in found:
            problem = _not_a_file(path, base)
            if problem:
                problems.append(problem)
            else:
                files.append(_source(path, base, dataset, code))
    if problems:
        raise Problems(problems)
    return files


def _no_file(dataset: Dataset, settings: Settings) -> NoFile:
    where = f"{settings.catalog.name}: {dataset.name}.sources"
    if dataset.fetched:
        return NoFile("not fetched yet", where=where, hint="foresight refresh fetches it")
    hint = f"put it into {local_base(dataset, settings)} or mend the path"
    return NoFile(f"no file {dataset.path}", where=where, hint=hint)


def _not_a_file(path: Path, base: Path) -> NotAFile | None:
    shown = path.relative_to(base).as_posix()
    if not path.resolve().is_relative_to(base.resolve()):
        return NotAFile(
            f"it leads outside, to {path.resolve()}",
            where=shown,
            hint=f"copy the file into {base}; links within that folder are followed",
        )
    if not path.is_file():
        return NotAFile("it is no file", where=shown, hint="name files, not folders, in the path")
    return None


def _source(path: Path, base: Path, dataset: Dataset, code: str) -> SourceFile:
    checksum = checksums.of_file(path)
    return SourceFile(
        dataset=dataset.name,
        path=path,
        shown=path.relative_to(base).as_posix(),
        key=_key(checksum, dataset, code),
        checksum=checksum,
    )


def _key(checksum: str, dataset: Dataset, code: str) -> str:
    """Hash of the bytes, of what the catalog says about reading them, and of the code."""
    entry = dataset.model_dump_json(include=READING)
    return _digest(checksum, entry, code, dataset.map.checksum)


def _observe_key(catalog: Catalog, dataset: Dataset, files: list[SourceFile]) -> str:
    """Hash of the loads of a dataset and of how its figures follow from them."""
    loads = [file.key for file in files if file.dataset == dataset.name]
    return _digest(_definition_key(catalog, dataset), *loads)


def _definition_key(catalog: Catalog, dataset: Dataset) -> str:
    """Hash of what the entry of a dataset says beside its titles, and of the code."""
    indicators = [_definition(catalog.indicators[name]) for name in dataset.delivered]
    entry = dataset.model_dump_json(include={"sources", "tables", "title"})
    return _digest(_code(), entry, *indicators)


def _definition(indicator: Indicator) -> str:
    """What an indicator is made from, without its words."""
    return indicator.model_dump_json(exclude=WORDS)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _loaded(warehouse: Warehouse) -> dict[tuple[str, str], str]:
    rows = warehouse.select("select dataset, file, load_key from current_load order by load")
    return {(dataset, file): key for dataset, file, key in rows.iter_rows()}


def _as_loaded(warehouse: Warehouse) -> list[SourceFile]:
    """The files the warehouse holds, with the keys they were loaded by; where they lie now, nobody
    has looked."""
    rows = warehouse.select("select dataset, file, load_key, checksum from current_load")
    return [
        SourceFile(dataset, Path(file), file, key, checksum)
        for dataset, file, key, checksum in rows.iter_rows()
    ]


def _gone(known: Iterable[tuple[str, str]], files: list[SourceFile]) -> list[tuple[str, str]]:
    """Dataset and file of the loads whose file is no longer there."""
    here = {(file.dataset, file.shown) for file in files}
    return [place for place in known if place not in here]


def _done(warehouse: Warehouse) -> dict[tuple[str, str | None], str]:
    """Keys of the steps as they were last done, by step and dataset."""
    rows = warehouse.select("select step, dataset, key from step")
    return {(step, dataset): key for step, dataset, key in rows.iter_rows()}


def _forget(warehouse: Warehouse, dataset: str, file: str, now: dt.datetime) -> None:
    """Take out what an earlier load of the file brought in; the ledger keeps that it was there."""
    same = f"dataset = {literal(dataset)} and file = {literal(file)}"
    its_cases = f"load in (select load from current_load where {same})"
    table = f"data_{dataset}"
    if table in warehouse.tables():
        touch(warehouse, dataset, its_cases)
        warehouse.run(f"delete from {identifier(table)} where {its_cases}")
    for kept in ("rejected", "correction", "stated_total"):
        warehouse.run(f"delete from {identifier(kept)} where {same}")
    warehouse.run(f"update load set gone_at = $now where {same} and gone_at is null", now=now)


def forget_unfinished(warehouse: Warehouse, dataset: str) -> None:
    """Take out what a load that failed has left behind: rows of loads that no ledger knows."""
    for table in {f"data_{dataset}", "rejected", "correction", "stated_total"}:
        if table in warehouse.tables():
            warehouse.run(
                f"delete from {identifier(table)} where load not in (select load from load)"
            )


def _load(
    warehouse: Warehouse, dataset: Dataset, files: list[SourceFile], now: dt.datetime
) -> list[FileLoad]:
    for file in files:
        _forget(warehouse, dataset.name, file.shown, now)
    _drop_if_reshaped(warehouse, dataset)
    before = warehouse.count("select coalesce(max(load), 0) from load")
    arrivals = [Arrival(f.path, f.shown, before + n) for n, f in enumerate(files, start=1)]
    loads = list(load_files(warehouse, dataset, arrivals))
    touch(warehouse, dataset.name, f"load > {before}")
    keys = {file.shown: file.key for file in files}
    checksums = {file.shown: file.checksum for file in files}
    for load in loads:
        if load.checksum != checksums[load.arrival.shown]:
            raise changed_while_read(load.arrival.shown)
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
