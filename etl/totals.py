"""Totals that files state, beside what their records add up to: the table `stated_total`."""

from collections.abc import Sequence
from dataclasses import asdict

import polars as pl

from etl.catalog import Dataset
from etl.extract.raw import Stated
from etl.warehouse import Warehouse

COLUMNS = {
    "load": pl.Int64,
    "dataset": pl.String,
    "file": pl.String,
    "sheet": pl.String,
    "record": pl.Int64,
    "label": pl.String,
    "header": pl.String,
    "field": pl.String,
    "stated": pl.Float64,
    "computed": pl.Float64,
    "agrees": pl.Boolean,
}


def keep_totals(
    warehouse: Warehouse, dataset: Dataset, *, load: int, file: str, totals: Sequence[Stated]
) -> None:
    """Write the totals that one loaded file states."""
    if not totals:
        return
    place = {"load": load, "dataset": dataset.name, "file": file}
    rows = [place | asdict(total) for total in totals]
    warehouse.write("stated_total", pl.DataFrame(rows, schema_overrides=COLUMNS).select(*COLUMNS))
