"""The complete ingest of dossiers against DuckDB's raw COPY of the same files as text.

Complete: normalised names and dates, every rule, rejected rows with reasons, duplicates, hash and
account of records. The other ways only make typed columns of what can be read: no names, no rules,
no account; they show what a plain script costs.
"""

from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

from benchmarks.cost import Clock, Cost
from etl.catalog import Dataset, load_catalog
from etl.load import Arrival, load_files
from etl.warehouse import STORAGE, Warehouse

CATALOG = Path(__file__).parent.parent / "data_catalog.yaml"
COLUMNS = 11
DAYS = ("Ngày tiếp nhận", "Ngày hẹn trả", "Ngày trả kết quả")


def raw_copy(files: list[Path], folder: Path) -> Cost:
    """Every column as text into a table on disk; lines that do not fit are left out."""
    path = _fresh(folder / "raw.duckdb")
    with Clock() as clock, _database(path) as connection:
        columns = ", ".join(f"c{i}: VARCHAR" for i in range(COLUMNS))
        connection.execute(
            f"create table raw as from read_csv({[str(file) for file in files]}, header=true, "
            "all_varchar=true, auto_detect=false, delim=',', quote='\"', ignore_errors=true, "
            f"columns={{{columns}}})"
        )
    return clock.cost


def complete(files: list[Path], folder: Path) -> Cost:
    """What a refresh does with the files, until they are in the warehouse."""
    with Clock() as clock, Warehouse.build(folder, empty=True) as warehouse:
        list(load_files(warehouse, dossiers(), arrivals(files)))
    return clock.cost


def change_one(files: list[Path], folder: Path) -> Cost:
    """Load the last of `files` again, into a copy of the build that has them all.

    The copy of the build is not counted: it is a copy of a file.
    """
    last = arrivals(files)[-1]
    with Warehouse.build(folder) as warehouse, Clock() as clock:
        warehouse.run("delete from data_dossiers where load = $load", load=last.load)
        warehouse.run("delete from rejected where load = $load", load=last.load)
        list(load_files(warehouse, dossiers(), [last]))
        warehouse.run("checkpoint")
    return clock.cost


def polars_and_parquet(files: list[Path], folder: Path) -> Cost:
    """Polars reads, types and writes Parquet; DuckDB copies that."""
    parquet, path = _fresh(folder / "polars.parquet"), _fresh(folder / "polars.duckdb")
    with Clock() as clock, _database(path) as connection:
        text = pl.scan_csv(files, infer_schema=False, truncate_ragged_lines=True)
        days = pl.col(*DAYS).str.to_date("%d/%m/%Y", strict=False)
        text.with_columns(days).sink_parquet(parquet)
        connection.execute(f"create table typed as from '{parquet}'")
    return clock.cost


def pandas_frames(files: list[Path], folder: Path) -> Cost:
    """Pandas reads and types a frame; DuckDB copies that."""
    path = _fresh(folder / "pandas.duckdb")
    with Clock() as clock, _database(path) as connection:
        parts = [pd.read_csv(file, dtype=str, on_bad_lines="skip") for file in files]
        frame = pd.concat(parts, ignore_index=True)
        for day in DAYS:
            frame[day] = pd.to_datetime(frame[day], format="%d/%m/%Y", errors="coerce")
        connection.register("frame", frame)
        connection.execute("create table typed as from frame")
    return clock.cost


def dossiers() -> Dataset:
    """The entry of the dossiers in the catalog."""
    return load_catalog(CATALOG).datasets["dossiers"]


def arrivals(files: list[Path]) -> list[Arrival]:
    """One load a file."""
    return [Arrival(file, file.name, number) for number, file in enumerate(files, start=1)]


def _database(path: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path), config=STORAGE)
    connection.execute("set enable_progress_bar = false")
    return connection


def _fresh(path: Path) -> Path:
    path.unlink(missing_ok=True)
    return path
