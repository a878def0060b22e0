"""Files into the warehouse: extract, normalise, validate, account for every record, load.

A clean table `data_<dataset>` receives the accepted rows, `rejected` one row per broken rule.
Sensitive fields are read to be checked and then forgotten. The account of every file must close, or
the load fails and the build with it: records counted on their own = accepted + rejected +
unreadable.

Delimited files of one shape go through together, up to `BATCH` bytes at a time: the work is the
same, and the plan of the query is made once.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from etl.catalog import Dataset
from etl.corrections import keep_corrections
from etl.errors import ForesightError
from etl.extract import READERS, delimited
from etl.extract.raw import FILE, RECORD, ROW, SHEET, Raw
from etl.normalise import Column, columns
from etl.totals import keep_totals
from etl.validate import Check, checks
from etl.warehouse import Warehouse, identifier, literal

BATCH = 256_000_000
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
        started = time.perf_counter()
        counts = _load_batch(warehouse, dataset, batch)
        for arrival, _ in batch:
            if _stamp(arrival) != stamps[arrival.load]:
                raise changed_while_read(arrival.shown)
        elapsed = time.perf_counter() - started
        total = sum(raw.records for _, raw in batch) or 1
        for arrival, raw in batch:
            accepted, rejected, unreadable = counts[arrival.load]
            done = FileLoad(
                arrival=arrival,
                checksum=raw.checksum,
                size=raw.size,
                records=raw.records,
                accepted=accepted,
                rejected=rejected,
                unreadable=unreadable,
                seconds=elapsed * raw.records / total,
            )
            _close_account(done, dataset)
            keep_totals(
                warehouse, dataset, load=arrival.load, file=arrival.shown, totals=raw.totals
            )
            yield done


def changed_while_read(shown: str) -> ChangedWhileRead:
    """The error for a file that is not the one that was looked at before."""
    return ChangedWhileRead(
        "it was changed while it was read",
        where=shown,
        hint="nothing was loaded; wait until it is written, then run again: foresight refresh",
    )


def _stamp(arrival: Arrival) -> tuple[int, int, int, int] | None:
    """What changes when a file is replaced or written to; `None` where it is gone."""
    try:
        stat = arrival.path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


Batch = list[tuple[Arrival, Raw]]
Counts = dict[int, tuple[int, int, int]]


def _batches(extracted: Iterator[tuple[Arrival, Raw]]) -> Iterator[Batch]:
    """Neighbouring delimited files with the same header together; others alone."""
    batch: Batch = []
    for arrival, raw in extracted:
        if batch and not _goes_with(batch, raw):
            yield batch
            batch = []
        batch.append((arrival, raw))
    if batch:
        yield batch


def _goes_with(batch: Batch, raw: Raw) -> bool:
    first = batch[0][1]
    return (
        raw.frame is None
        and first.frame is None
        and (raw.labels, raw.header_lines) == (first.labels, first.header_lines)
        and sum(other.size for _, other in batch) + raw.size <= BATCH
    )


def _load_batch(warehouse: Warehouse, dataset: Dataset, batch: Batch) -> Counts:
    """Accepted, rejected and unreadable records by load."""
    with _text(warehouse, dataset, batch) as relation:
        made = columns(dataset, batch[0][1], relation, warehouse)
        rules = checks(dataset, made)
        _stage(warehouse, made, rules, relation)
    rules = _mark_repeated(warehouse, dataset, rules)
    _keep_unreadable(warehouse, dataset, batch)
    keep_corrections(warehouse, dataset)
    _keep_rejected(warehouse, dataset, rules)
    _keep_accepted(warehouse, dataset, made)
    counts = _counts(warehouse, batch)
    warehouse.run("drop table stage; drop table bad; drop table unreadable; drop table arrival")
    return counts


@contextmanager
def _text(warehouse: Warehouse, dataset: Dataset, batch: Batch) -> Iterator[str]:
    """A temporary table of the text, because distinct spellings are asked for several times."""
    with ExitStack() as stack:
        raw = batch[0][1]
        if raw.frame is None:
            source = delimited.relation([raw for _, raw in batch], dataset)
        else:
            frame = raw.frame.with_columns(pl.lit(raw.path).alias(FILE))
            source = stack.enter_context(warehouse.registered(frame))
        warehouse.run(f"create or replace temp table raw_text as from {source}")
        _arrivals(warehouse, batch)
        yield "raw_text"
        warehouse.run("drop table raw_text")


def _arrivals(warehouse: Warehouse, batch: Batch) -> None:
    """The temporary table `arrival`: load, names and first row of each file."""
    rows = pl.DataFrame(
        {
            FILE: [raw.path for _, raw in batch],
            "load": [arrival.load for arrival, _ in batch],
            "shown": [arrival.shown for arrival, _ in batch],
            "header_lines": [raw.header_lines for _, raw in batch],
        }
    )
    with warehouse.registered(rows) as view:
        warehouse.run(
            f"create or replace temp table arrival as select a.*, f.first from {view} a "
            f"left join (select {FILE}, min(rowid) as first from raw_text group by 1) f "
            f"using ({FILE})"
        )


def _stage(warehouse: Warehouse, made: list[Column], rules: list[Check], relation: str) -> None:
    """The typed table `stage`, with the broken rules of each row as bits."""
    if len(rules) > MOST_RULES:
        raise TooManyRules(f"{len(rules)} rules; at most {MOST_RULES} fit into one dataset")
    named = warehouse.select(f"select * from {relation} limit 0").columns
    # Text in memory knows its row in the sheet; a record of a delimited file is known by its order.
    place = (
        f"{RECORD}, {SHEET}"
        if RECORD in named
        else (f"{relation}.rowid - arrival.first + 1 as {RECORD}, null::varchar as {SHEET}")
    )
    typed = [
        f"{sql} as {identifier(name)}" for column in made for name, sql in column.typed.items()
    ]
    texts = [f"{column.raw} as {identifier('raw_' + column.field.name)}" for column in made]
    bits = " | ".join(
        f"(case when {r.broken} then {1 << i} else 0 end)" for i, r in enumerate(rules)
    )
    with ExitStack() as stack:
        joins = [
            column.join.format(view=stack.enter_context(warehouse.registered(column.lookup)))
            for column in made
            if column.lookup is not None
        ]
        warehouse.run(
            f"create or replace temp table stage as "
            f"with typed as (select {relation}.rowid as {ROW}, arrival.load, {place}, "
            f"{', '.join(typed + texts)} "
            f"from {relation} join arrival using ({FILE}) {' '.join(joins)}) "
            f"select *, ({bits or 0})::bigint as _issues from typed"
        )


def _mark_repeated(warehouse: Warehouse, dataset: Dataset, rules: list[Check]) -> list[Check]:
    """Mark rows whose key stands before, among these files or those loaded already."""
    keys = [[f.name] for f in dataset.schema_.fields if f.constraints.unique]
    if dataset.schema_.primary_key and dataset.schema_.primary_key not in keys:
        keys.append(dataset.schema_.primary_key)
    for key in keys:
        rules = [*rules, Check(f"{key[0]}_unique" if len(key) == 1 else "key_unique", key[0], "")]
        names = [name for field in key for name in _stored_names(field)]
        _mark(warehouse, dataset, names, 1 << (len(rules) - 1))
    return rules


def _stored_names(field: str) -> list[str]:
    return {"area": ["area", "area_vintage"], "period": ["period", "period_end"]}.get(
        field, [field]
    )


def _mark(warehouse: Warehouse, dataset: Dataset, names: list[str], bit: int) -> None:
    key = ", ".join(map(identifier, names))
    present = " and ".join(f"{identifier(name)} is not null" for name in names)
    earlier = ""
    if f"data_{dataset.name}" in warehouse.tables():
        same = " and ".join(f"d.{identifier(n)} = s.{identifier(n)}" for n in names)
        earlier = (
            f" union select {ROW} from stage s where _issues = 0 and exists "
            f"(select 1 from {identifier('data_' + dataset.name)} d where {same})"
        )
    warehouse.run(
        f"update stage set _issues = _issues | {bit} where {ROW} in ("
        f"select {ROW} from ("
        f"select {ROW}, row_number() over (partition by {key} order by {ROW}) as n "
        f"from stage where _issues = 0 and {present}) where n > 1{earlier})"
    )


def _keep_unreadable(warehouse: Warehouse, dataset: Dataset, batch: Batch) -> None:
    """Lines that cannot be split enter `rejected` without their text; `unreadable` places them.

    `record` counts all records of the file; `before` how many readable ones stand before the line.
    """
    if batch[0][1].frame is not None:
        warehouse.run("create temp table unreadable (load bigint, record bigint, before bigint)")
        return
    blank = [(arrival.load, line) for arrival, raw in batch for line in raw.blank_lines]
    lines = pl.DataFrame(blank, schema={"load": pl.Int64, "line": pl.Int64}, orient="row")
    with warehouse.registered(lines) as blank_lines:
        _number_unreadable(warehouse, dataset, blank_lines)


def _number_unreadable(warehouse: Warehouse, dataset: Dataset, blank_lines: str) -> None:
    """The reader counts blank lines, which are no records."""
    warehouse.run(
        f"create temp table unreadable as with found as ("
        f"select distinct a.load, e.line - a.header_lines as line "
        f"from {delimited.REJECTS} e join {delimited.REJECTS}_scan s using (scan_id, file_id) "
        f"join arrival a on a.{FILE} = s.file_path), "
        f"lines as (select load, line - (select count(*) from {blank_lines} b "
        f"where b.load = found.load and b.line < found.line) as record from found) "
        f"select *, record - row_number() over (partition by load order by record) as before "
        f"from lines; "
        f"drop table {delimited.REJECTS}; drop table {delimited.REJECTS}_scan; "
        f"insert into rejected (load, dataset, file, record, rule) "
        f"select u.load, {literal(dataset.name)}, a.shown, u.record, 'line_readable' "
        f"from unreadable u join arrival a using (load) order by 1, 4"
    )


def _keep_rejected(warehouse: Warehouse, dataset: Dataset, rules: list[Check]) -> None:
    """The temporary table `bad`, and one row of `rejected` per rule it breaks."""
    warehouse.run(
        f"create temp table bad as select s.*, a.shown, "
        f"s.{RECORD} + (select count(*) from unreadable u "
        f"where u.load = s.load and u.before < s.{RECORD}) as place "
        f"from stage s join arrival a using (load) where _issues <> 0"
    )
    # What tells one case from another is not shown either: the number of the record finds it.
    hidden = {
        field.name
        for field in dataset.schema_.fields
        if field.sensitive or (dataset.case_level and field.constraints.unique)
    }
    for number, rule in enumerate(rules):
        value = "null" if rule.field in hidden else identifier(f"raw_{rule.field}")
        warehouse.run(
            f"insert into rejected select load, {literal(dataset.name)}, shown, {SHEET}, place, "
            f"{literal(rule.field)}, {literal(rule.rule)}, {value} "
            f"from bad where _issues & {1 << number} <> 0 order by load, place"
        )


def _keep_accepted(warehouse: Warehouse, dataset: Dataset, made: list[Column]) -> None:
    kept = [
        identifier(name) for column in made if not column.field.sensitive for name in column.typed
    ]
    table = identifier(f"data_{dataset.name}")
    select = f"select {', '.join(kept)}, load from stage where _issues = 0 order by {ROW}"
    if f"data_{dataset.name}" in warehouse.tables():
        warehouse.run(f"insert into {table} by name {select}")
    else:
        warehouse.run(f"create table {table} as {select}")


def _counts(warehouse: Warehouse, batch: Batch) -> Counts:
    found = warehouse.select(
        "select load, (select count(*) from stage s where s.load = a.load and _issues = 0), "
        "(select count(*) from bad b where b.load = a.load), "
        "(select count(*) from unreadable u where u.load = a.load) from arrival a"
    )
    counted = {load: (good, bad, lost) for load, good, bad, lost in found.iter_rows()}
    return {arrival.load: counted[arrival.load] for arrival, _ in batch}


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
        hint="nothing was loaded; mend the file, or read: {...} and schema in the catalog",
    )
