"""The complete ingest of dossiers against DuckDB's raw COPY of the same files as text.

Complete: normalised names and dates, every rule, rejected rows with reasons, duplicates, hash and
account of records. CPU seconds of this process, the two in turn, medians of the rounds.
"""

import datetime as dt
import resource
import statistics
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from etl.catalog import load_catalog
from etl.load import Arrival, load_files
from etl.simulate import simulate_dossiers
from etl.warehouse import Warehouse

ROWS = 1_000_000
ROUNDS = 3
CATALOG = Path(__file__).parent.parent / "data_catalog.yaml"


def measure(rows: int) -> dict[str, Any]:
    """Medians and their ratio, with the rows measured."""
    with tempfile.TemporaryDirectory() as folder:
        made = simulate_dossiers(Path(folder) / "files", rows=rows)
        rounds = [
            (_raw_copy(made.files, Path(folder)), _complete(made.files, Path(folder)))
            for _ in range(ROUNDS)
        ]
    raw, complete = (statistics.median(column) for column in zip(*rounds, strict=True))
    return {
        "day": dt.datetime.now(dt.UTC).date().isoformat(),
        "rows": made.rows,
        "raw_copy_cpu_seconds": round(raw, 2),
        "complete_ingest_cpu_seconds": round(complete, 2),
        "ratio": round(statistics.median(c / r for r, c in rounds), 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _raw_copy(files: list[Path], folder: Path) -> float:
    started = _cpu()
    path = folder / "raw.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        names = [f"'{file}'" for file in files]
        connection.execute(
            f"create table raw as from read_csv([{', '.join(names)}], header=true, "
            "all_varchar=true, auto_detect=false, delim=',', quote='\"', ignore_errors=true, "
            f"columns={{{', '.join(f'c{i}: VARCHAR' for i in range(11))}}})"
        )
    return _cpu() - started


def _complete(files: list[Path], folder: Path) -> float:
    dataset = load_catalog(CATALOG).datasets["dossiers"]
    started = _cpu()
    arrivals = [Arrival(file, file.name, number) for number, file in enumerate(files, start=1)]
    with Warehouse.build(folder, empty=True) as warehouse:
        list(load_files(warehouse, dataset, arrivals))
    return _cpu() - started
