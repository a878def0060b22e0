"""Files into the warehouse: extract, normalise, validate, account for every record, load.

A clean table `data_<dataset>` receives the accepted rows, `rejected` one row per broken rule.
Sensitive fields are read to be checked and then forgotten. The account of every file must close, or
the load fails and the build with it: records counted on their own = accepted + rejected +
unreadable.

Files are read into typed rows in one pass, all of the same header together, and the rows are
written once: the table `stage`, less its bad rows, is the clean table, unless there is one already.
What a row looked like is kept only where somebody will be shown it.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from etl.catalog import Dataset, FieldEntry
from etl.corrections import keep_corrections
from etl.errors import ForesightError
from etl.extract import READERS, delimited
from etl.extract.raw import FILE, MENDED, RECORD, SHEET, MissingColumn, Raw, RepeatedColumn
from etl.normalise import Column, columns, raw, texts
from etl.totals import keep_totals
from etl.validate import Check, checks
from etl.warehouse import Warehouse, identifier, literal

MOST_RULES = 60


class AccountOpen(ForesightError):
    """Records went missing between the file and the warehouse."""


class ChangedWhileRead(ForesightError):
    """A file was replaced or written to between two looks at it."""


class TooManyRejected(ForesightError):
    """More records are bad than the dataset allows."""


class TooManyRules(ForesightError):
    """The rules of a dataset do not fit into one number of bits."""


@dataclass(frozen=True)
class Arrival:
    """A file to load: where it is, how people call it, and the number of its load."""

    path: Path
    shown: str
    load: int


@dataclass(frozen=True)
class FileLoad:
    """What became of one file."""

    arrival: Arrival
    checksum: str
    size: int
    records: int
    accepted: int
    rejected: int
    unreadable: int
    seconds: float
    """Its share, by records, of the time of its batch."""


def load_files(
    warehouse: Warehouse, dataset: Dataset, arrivals: list[Arrival]
) -> Iterator[FileLoad]:
    """Load files of one dataset into `data_<dataset>` and `rejected`; one account per file.

    Raises:
        UnreadableFile, MissingColumn: a file is not what the catalog says.
        AccountOpen: the account of a file does not close.
        TooManyRejected: more records are bad than `clean.max_rejected` allows.
    """
    stamps = {arrival.load: _stamp(arrival) for arrival in arrivals}
    extracted = ((arrival, READERS[dataset.format](arrival.path, dataset)) for arrival in arrivals)
    for batch in _batches(extracted):
        try:
            loads = _load_batch(warehouse, dataset, batch)
        finally:  # a file that changed explains whatever else went wrong
            _check_unchanged(batch, stamps)
        yield from loads


Stamp = tuple[int, int, int, int]


def _check_unchanged(batch: "Batch", stamps: dict[int, Stamp | None]) -> None:
    for arrival, _ in batch:
        if _stamp(arrival) != stamps[arrival.load]:
            raise changed_while_read(arrival.shown)


def changed_while_read(shown: str) -> ChangedWhileRead:
    """The error for a file that is not the one that was looked at before."""
    return ChangedWhileRead(
        "it was changed while it was read",
        where=shown,
        hint="nothing was loaded; wait until it is written, then run again: foresight refresh",
    )


def _stamp(arrival: Arrival) -> Stamp | None:
    """What changes when a file is replaced or written to; `None` where it is gone."""
    try:
        stat = arrival.path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


Batch = list[tuple[Arrival, Raw]]


def _batches(extracted: Iterator[tuple[Arrival, Raw]]) -> Iterator[Batch]:
    """Neighbouring delimited files with the same header together; others alone."""
    batch: Batch = []
    for arrival, file in extracted:
        if batch and not _goes_with(batch, file):
            yield batch
            batch = []
        batch.append((arrival, file))
    if batch:
        yield batch


def _goes_with(batch: Batch, file: Raw) -> bool:
    first = batch[0][1]
    return (
        file.frame is None
        and first.frame is None
        and (file.labels, file.header_rows) == (first.labels, first.header_rows)
    )


def _load_batch(warehouse: Warehouse, dataset: Dataset, batch: Batch) -> list[FileLoad]:
    started = time.perf_counter()
    try:
        with _text(warehouse, dataset, batch) as rows:
            made = columns(dataset, rows, warehouse)
            rules = checks(dataset, made)
            _stage(warehouse, dataset, batch, made, rules, rows)
        rules = _mark_repeated(warehouse, dataset, rules)
        _arrivals(warehouse, batch)
        _unreadable(warehouse, batch)
        _told(warehouse)
        loads = _accounts(warehouse, batch, started)
        for load in loads:
            _close_account(load, dataset)
        keep_corrections(warehouse, dataset)
        _keep_rejected(warehouse, dataset, rules)
        for arrival, file in batch:
            keep_totals(
                warehouse, dataset, load=arrival.load, file=arrival.shown, totals=file.totals
            )
        _keep_accepted(warehouse, dataset, made)
    finally:
        for table in ("stage", "arrival", "broken", "unreadable", "told"):
            warehouse.run(f"drop table if exists {table}")
    return loads


@contextmanager
def _text(warehouse: Warehouse, dataset: Dataset, batch: Batch) -> Iterator[str]:
    """SQL of the rows of text of a batch, in order; `_file` is the position of the file in it."""
    files = [file for _, file in batch]
    with ExitStack() as stack:
        if files[0].frame is None:
            relation = delimited.relation(files, dataset)
        else:
            frame = files[0].frame.with_columns(pl.lit(0, dtype=pl.Int64).alias(FILE))
            relation = stack.enter_context(warehouse.registered(frame))
        try:
            rows = texts(dataset, files[0].labels, relation, warehouse)
        except (MissingColumn, RepeatedColumn) as wrong:
            # All of a batch have the header of the first.
            raise type(wrong)(wrong.problem, where=batch[0][0].shown, hint=wrong.hint) from None
        yield rows


def _stage(
    warehouse: Warehouse,
    dataset: Dataset,
    batch: Batch,
    made: list[Column],
    rules: list[Check],
    rows: str,
) -> None:
    """The table `stage`: typed rows in the order of the files, and the rules each breaks, as bits.

    `_shown` lists sheet, record and texts of a row as they stood; null where nobody will ask.
    """
    if len(rules) > MOST_RULES:
        raise TooManyRules(f"{len(rules)} rules; at most {MOST_RULES} fit into one dataset")
    typed = [f"{sql} as {identifier(n)}" for column in made for n, sql in column.typed.items()]
    broken = " or ".join(f"({rule.broken})" for rule in rules) or "false"
    bits = " | ".join(f"case when {r.broken} then {1 << i} else 0 end" for i, r in enumerate(rules))
    asked = "true" if _all_shown(dataset, batch) else "_issues <> 0"
    shown = [SHEET, f"{RECORD}::varchar", *(raw(field.name) for field in _shown(dataset))]
    loads = [arrival.load for arrival, _ in batch]
    # An earlier pass over the same files may have noted the same lines.
    _forget_lines(warehouse)
    warehouse.run(
        f"create table stage as "
        f"with typed as (select *, {', '.join(typed)} from {rows}), "
        # Few rows break a rule: which ones they are is asked of those only.
        f"checked as (select *, (case when {broken} then {bits or 0} else 0 end)::bigint "
        f"as _issues from typed) "
        f"select {', '.join(_kept(made))}, {loads}[{FILE} + 1]::bigint as load, _issues, {MENDED}, "
        f"case when {asked} then [{', '.join(shown)}] end as _shown from checked"
    )


def _kept(made: list[Column]) -> list[str]:
    return [identifier(n) for column in made if not column.field.sensitive for n in column.typed]


def _shown(dataset: Dataset) -> list[FieldEntry]:
    """Fields whose text may be shown: not what is sensitive, nor what tells cases apart.

    The number of the record finds a case too.
    """
    return [
        field
        for field in dataset.schema_.fields
        if not (field.sensitive or (dataset.case_level and [field.name] in _keys(dataset)))
    ]


def _all_shown(dataset: Dataset, batch: Batch) -> bool:
    """Whether every row must keep its text, because a later check may ask for it."""
    shown = [field.name for field in _shown(dataset)]
    asked = bool(dataset.corrections) or any(key[0] in shown for key in _keys(dataset))
    return asked or batch[0][1].frame is not None


def _keys(dataset: Dataset) -> list[list[str]]:
    """Fields that together stand only once."""
    keys = [[field.name] for field in dataset.schema_.fields if field.constraints.unique]
    primary = dataset.schema_.primary_key
    return [*keys, primary] if primary and primary not in keys else keys


def _mark_repeated(warehouse: Warehouse, dataset: Dataset, rules: list[Check]) -> list[Check]:
    """The temporary table `broken`: bad rows of `stage`, with their rules as bits.

    Among them are now those whose key stands before, in these files or those loaded already.
    """
    # `stage` itself is not touched: marking rows in it would have it written once more.
    warehouse.run(
        "create or replace temp table broken as "
        "select rowid as row, _issues as issues from stage where _issues <> 0"
    )
    for key in _keys(dataset):
        rules = [*rules, Check(f"{key[0]}_unique" if len(key) == 1 else "key_unique", key[0], "")]
        names = [identifier(name) for field in key for name in _stored_names(field)]
        _mark(warehouse, dataset, names, 1 << (len(rules) - 1))
    return rules


def _stored_names(field: str) -> list[str]:
    return {"area": ["area", "area_vintage"], "period": ["period", "period_end"]}.get(
        field, [field]
    )


def _mark(warehouse: Warehouse, dataset: Dataset, names: list[str], bit: int) -> None:
    key = ", ".join(names)
    present = " and ".join(f"{name} is not null" for name in names)
    good = f"from stage s anti join broken b on b.row = s.rowid where {present}"
    earlier = ""
    if f"data_{dataset.name}" in warehouse.tables():
        same = " and ".join(f"d.{name} = s.{name}" for name in names)
        earlier = (
            f" union select s.rowid {good} and exists "
            f"(select 1 from {identifier('data_' + dataset.name)} d where {same})"
        )
    # Hashes first: sorted they take a tenth of the memory that groups of keys would.
    hashes = warehouse.select(f"select hash({key}) as hash {good}")["hash"].sort()
    alike = hashes.filter(hashes == hashes.shift(1)).unique().to_frame()
    with warehouse.registered(alike) as view:
        warehouse.run(
            f"insert into broken select row, {bit} from ("
            f"select row from (select s.rowid as row, "
            f"row_number() over (partition by {key} order by s.rowid) as n "
            f"{good} and hash({key}) in (select hash from {view})) where n > 1{earlier})"
        )


def _arrivals(warehouse: Warehouse, batch: Batch) -> None:
    """The temporary table `arrival`: how each file is called, and the rows of `stage` it made."""
    files = pl.DataFrame(
        {
            "load": [arrival.load for arrival, _ in batch],
            "shown": [arrival.shown for arrival, _ in batch],
            "path": [file.path for _, file in batch],
            "header_rows": [file.header_rows for _, file in batch],
        }
    )
    with warehouse.registered(files) as view:
        warehouse.run(
            f"create or replace temp table arrival as "
            f"select v.*, s.first, coalesce(s.rows, 0) as rows from {view} v left join ("
            f"select load, min(rowid) as first, count(*) as rows from stage group by load) s "
            f"using (load)"
        )


def _unreadable(warehouse: Warehouse, batch: Batch) -> None:
    """The temporary table `unreadable`: lines that cannot be split, and where they stand.

    `record` counts all records of the file; `before` how many readable ones stand before the line.
    """
    if batch[0][1].frame is not None:
        lines = "select null::bigint as load, null::bigint as line where false"
    else:
        lines = (
            f"select distinct a.load, e.line - a.header_rows as line "
            f"from {delimited.REJECTS} e join {delimited.REJECTS}_scan s using (scan_id, file_id) "
            f"join arrival a on a.path = s.file_path"
        )
    # The reader counts blank lines, which are no records.
    blank = [(arrival.load, line) for arrival, file in batch for line in file.blank_lines]
    schema = {"load": pl.Int64, "line": pl.Int64}
    with warehouse.registered(pl.DataFrame(blank, schema=schema, orient="row")) as view:
        warehouse.run(
            f"create or replace temp table unreadable as with lines as ({lines}), "
            f"records as (select load, line - (select count(*) from {view} b "
            f"where b.load = lines.load and b.line < lines.line) as record from lines) "
            f"select *, record - row_number() over (partition by load order by record) as before "
            f"from records"
        )
    _forget_lines(warehouse)


def _forget_lines(warehouse: Warehouse) -> None:
    warehouse.run(
        f"drop table if exists {delimited.REJECTS}; drop table if exists {delimited.REJECTS}_scan"
    )


def _told(warehouse: Warehouse) -> None:
    """The temporary table `told`: rows with something to tell of, and where they stand."""
    record = "s.rowid - a.first + 1"
    warehouse.run(
        f"create or replace temp table told as select s.load, a.shown, "
        f"coalesce(b.issues, 0) as issues, s.{MENDED}, s._shown, s._shown[1] as {SHEET}, "
        f"coalesce(s._shown[2]::bigint, {record} + (select count(*) from unreadable u "
        f"where u.load = s.load and u.before < {record})) as {RECORD} "
        f"from stage s join arrival a using (load) left join broken b on b.row = s.rowid "
        f"where b.row is not null or list_any_value(s.{MENDED}) is not null"
    )


def _accounts(warehouse: Warehouse, batch: Batch, started: float) -> list[FileLoad]:
    found = warehouse.select(
        "select load, rows - rejected, rejected, unreadable from (select a.load, a.rows, "
        "(select count(*) from told t where t.load = a.load and issues <> 0) as rejected, "
        "(select count(*) from unreadable u where u.load = a.load) as unreadable from arrival a)"
    )
    counted = {load: counts for load, *counts in found.iter_rows()}
    elapsed = time.perf_counter() - started
    total = sum(file.records for _, file in batch) or 1
    loads = []
    for arrival, file in batch:
        accepted, rejected, unreadable = counted[arrival.load]
        loads.append(
            FileLoad(
                arrival=arrival,
                checksum=file.checksum,
                size=file.size,
                records=file.records,
                accepted=accepted,
                rejected=rejected,
                unreadable=unreadable,
                seconds=elapsed * file.records / total,
            )
        )
    return loads


def _keep_rejected(warehouse: Warehouse, dataset: Dataset, rules: list[Check]) -> None:
    """One row of `rejected` per line that cannot be split, and per rule that a row breaks."""
    into = f"insert into rejected select load, {literal(dataset.name)}, shown"
    warehouse.run(
        f"{into}, null, record, null, 'line_readable', null "
        f"from unreadable join arrival using (load) order by load, record"
    )
    # After sheet and record, counted from 1.
    position = {field.name: i for i, field in enumerate(_shown(dataset), start=3)}
    for number, rule in enumerate(rules):
        value = f"_shown[{position[rule.field]}]" if rule.field in position else "null"
        warehouse.run(
            f"{into}, {SHEET}, {RECORD}, {literal(rule.field)}, {literal(rule.rule)}, {value} "
            f"from told where issues & {1 << number} <> 0 order by load, {RECORD}"
        )


def _keep_accepted(warehouse: Warehouse, dataset: Dataset, made: list[Column]) -> None:
    """`stage` becomes the clean table, or its rows go to the end of the one there is."""
    table = identifier(f"data_{dataset.name}")
    if f"data_{dataset.name}" in warehouse.tables():
        kept = ", ".join([*_kept(made), "load"])
        warehouse.run(
            f"insert into {table} by name "
            f"select {kept} from stage where rowid not in (select row from broken)"
        )
    else:
        warehouse.run(
            f"delete from stage where rowid in (select row from broken); "
            f"alter table stage drop column _issues; alter table stage drop column _shown; "
            f"alter table stage drop column {MENDED}; "
            f"alter table stage rename to {table}"
        )


def _close_account(done: FileLoad, dataset: Dataset) -> None:
    found = done.accepted + done.rejected + done.unreadable
    if found != done.records:
        raise AccountOpen(
            f"{done.records} records were counted, but {found} accounted for "
            f"({done.accepted} accepted, {done.rejected} rejected, {done.unreadable} unreadable)",
            where=done.arrival.shown,
            hint="nothing was loaded; look for a quote within a quoted cell, and, where there is "
            "but one column, for blank lines",
        )
    problem = too_many_rejected(done, dataset)
    if problem:
        raise problem


def too_many_rejected(done: FileLoad, dataset: Dataset) -> TooManyRejected | None:
    """The error of a file of which more is bad than the catalog allows."""
    bad = done.rejected + done.unreadable
    if not done.records or bad / done.records <= dataset.clean.max_rejected:
        return None
    return TooManyRejected(
        f"{bad} of {done.records} records are bad; {dataset.name} allows "
        f"{dataset.clean.max_rejected:.1%}",
        where=done.arrival.shown,
        hint="nothing was loaded; foresight check tells each bad cell: mend the file, or read: "
        "{...} and schema in the catalog",
    )
