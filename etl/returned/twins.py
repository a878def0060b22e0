"""The other record of a key that stands twice: in the same file, or in one that was loaded before.

Keys are read as the loader reads them, so that two spellings of one place are one key.
"""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from etl.catalog import Dataset
from etl.extract import READERS
from etl.extract.raw import FILE, RECORD, SHEET
from etl.normalise import columns, texts
from etl.returned.broken import BadFile, Broken
from etl.returned.places import column_labels, fields_of
from etl.returned.source import TEXT, Page
from etl.warehouse import Warehouse, identifier

SHOWN = 5


@dataclass
class Twins:
    """Where else a key stands."""

    records: list[int] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


Located = dict[tuple[str | None, int], Twins]


def key_columns(page_labels: list[str], dataset: Dataset, key: list[str]) -> list[str]:
    """Labels of the columns from which a key is read, with what dates the names of places."""
    page = Page(page_labels, {})
    return [label for name in _needed(dataset, key) for label in column_labels(page, dataset, name)]


def twins(warehouse: Warehouse, file: BadFile, rule: Broken, page: Page) -> Located:
    """Where else the keys stand of all records that broke the same rule as this one.

    By sheet and record: the other records of the file, and the other files.
    """
    dataset, key = rule.dataset, fields_of(rule.dataset, rule.rule, rule.field or "")
    same = [one for one in file.broken if (one.dataset, one.rule) == (dataset, rule.rule)]
    bad = pl.DataFrame(
        [one.place for one in same], schema={SHEET: pl.String, RECORD: pl.Int64}, orient="row"
    )
    with TemporaryDirectory() as scratch, Warehouse.build(Path(scratch)) as reading:
        keys = _keys(reading, file.path, dataset, key, page)
    names = [name for name in keys.columns if name not in (RECORD, SHEET)]
    keys = keys.drop_nulls(names)
    repeated = keys.filter(pl.len().over(names) > 1)
    found: Located = {}
    for _, group in repeated.group_by(names, maintain_order=True):
        places = list(group.select(SHEET, RECORD).iter_rows())
        for place in places:
            others = [record for other, record in places if (other, record) != place]
            found.setdefault(place, Twins()).records += others[:SHOWN]
    alone = keys.join(bad, on=[SHEET, RECORD], nulls_equal=True)
    for sheet, record, other in _elsewhere(warehouse, dataset, alone, names, file.shown):
        files = found.setdefault((sheet, record), Twins()).files
        files += [other] if other not in files else []
    return found


def _needed(dataset: Dataset, key: list[str]) -> list[str]:
    """The fields of the key, and the one that says as of when a place is meant."""
    on = dataset.clean.areas.on if dataset.clean.areas else None
    dates = [on or "period"] if "area" in key else []
    return [*key, *(name for name in dates if dataset.field(name) and name not in key)]


def _corrected_by(dataset: Dataset) -> set[str]:
    """The fields that corrections speak of."""
    return {name for one in dataset.corrections for name in (one.field, *one.where)}


def _keys(
    warehouse: Warehouse, path: Path, dataset: Dataset, key: list[str], page: Page
) -> pl.DataFrame:
    """Typed keys of all records: the fields of the key as stored, `_record` and `_sheet`."""
    labels, frame = _text(path, dataset, page)
    needed = {*_needed(dataset, key), *_corrected_by(dataset)}
    fields = [f for f in dataset.schema_.fields if f.name in needed]
    only = dataset.model_copy(
        update={"schema_": dataset.schema_.model_copy(update={"fields": fields})}
    )
    with warehouse.registered(frame.with_columns(pl.lit(0).alias(FILE))) as view:
        rows = texts(only, labels, view, warehouse)
        typed = [
            f"{sql} as {identifier(name)}"
            for one in columns(only, rows, warehouse)
            for name, sql in one.typed.items()
            if one.field.name in key and name != "frequency"
        ]
        return warehouse.select(
            f"select {', '.join(typed)}, {RECORD}, {SHEET} from {rows} order by {RECORD}"
        )


def _text(path: Path, dataset: Dataset, page: Page) -> tuple[list[str], pl.DataFrame]:
    """Labels of the file as the loader read it, and its text as a frame."""
    if dataset.format not in TEXT or dataset.shaped:
        raw = READERS[dataset.format](path, dataset)
        if raw.frame is None:
            raise TypeError(f"{dataset.format} is read without a frame")
        return raw.labels, raw.frame
    missing = set(dataset.read.missing)
    names = [f"c{i}" for i in range(len(page.labels))]
    rows = [
        [number, None, *(None if cell in missing else cell for cell in cells)]
        for number, cells in page.keys.items()
    ]
    schema = {RECORD: pl.Int64, SHEET: pl.String, **dict.fromkeys(names, pl.String)}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return page.labels, frame


def _elsewhere(
    warehouse: Warehouse, dataset: Dataset, keys: pl.DataFrame, names: list[str], shown: str
) -> list[tuple[str | None, int, str]]:
    """Sheet and record of this file, and the other file whose accepted record has its key."""
    table = f"data_{dataset.name}"
    if table not in warehouse.tables() or keys.is_empty():
        return []
    columns = ", ".join(f"d.{identifier(name)}" for name in names)
    taken = warehouse.select(
        f"select distinct {columns}, l.file from {identifier(table)} d "
        f"join current_load l using (load) "
        f"where l.file <> $shown and d.{identifier(names[0])} in (select unnest($first)) "
        f"order by all",
        shown=shown,
        first=keys[names[0]].unique().sort().to_list(),
    )
    return list(keys.join(taken, on=names).select(SHEET, RECORD, "file").iter_rows())
