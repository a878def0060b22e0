"""Run benchmarks and write their figures: `python -m benchmarks [rows] [--only PART] [--quick]`.

Each piece of work runs in a process of its own; what is compared runs in turn.
"""

import argparse
import dataclasses
import datetime as dt
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import ingest, pages, report, speed, workbook
from benchmarks.accuracy import run
from benchmarks.cost import Cost, alone, in_turn
from etl.builds import current_build
from etl.settings import Settings
from etl.simulate import simulate_dossiers

RESULTS = Path(__file__).parent / "results"
ROWS = 10_000_000
TENTH = 10
"""The linearity is that between the rows asked for and this part of them."""
ROUNDS = 3
SHORT_ROUNDS = 9
"""Of what takes a second: there another program on the machine weighs more."""
MONTHS = 36
BESIDE = Path(__file__).parents[2]
"""Where `shared` stands, with the data that are no part of the project."""
EXTRA = "pip install -e .[bench]"


Part = Callable[[Path, argparse.Namespace], dict[str, Any]]


def main() -> None:
    """Measure, keep and print."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("rows", nargs="?", type=int, default=ROWS)
    options.add_argument("--only", choices=PARTS, action="append", help="may be given repeatedly")
    options.add_argument(
        "--quick", action="store_true", help="fewer series of forecasts, one round"
    )
    asked = options.parse_args()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for part in asked.only or PARTS:
            if part in ("accuracy", "cells", "speed") and (absent := run.absent()):
                sys.stderr.write(
                    f"{part} is left out: {', '.join(absent)} not installed ({EXTRA})\n"
                )
                continue
            if part == "pages" and (missing := pages.absent()):
                sys.stderr.write(f"pages is left out: no {missing}\n")
                continue
            _keep(part, PARTS[part](Path(name), asked))
    report.write(RESULTS)
    sys.stdout.write((RESULTS / "README.md").read_text(encoding="utf-8"))


def _files(folder: Path, rows: int) -> list[Path]:
    return alone(partial(simulate_dossiers, rows=rows), folder / f"files_{rows}").files


def _ingest(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Raw and complete at `rows` and at a tenth, other ways once, and one month of 36 changed."""
    rows = asked.rows
    files = _files(folder, rows)
    few = _files(folder, rows // TENTH)
    raw, complete = in_turn(ROUNDS, *_each(folder, files, ingest.raw_copy, ingest.complete))
    raw_few, complete_few = in_turn(ROUNDS, *_each(folder, few, ingest.raw_copy, ingest.complete))
    by_polars = alone(ingest.polars_and_parquet, files, folder)
    by_pandas = alone(ingest.pandas_frames, few, folder)
    last = files[-MONTHS:]
    full = alone(ingest.complete, last, folder)
    changed = alone(ingest.change_one, last, folder)
    return {
        "rows": _lines(files),
        "bytes": sum(file.stat().st_size for file in files),
        "raw_copy": _figures(raw),
        "complete": _figures(complete),
        "ratio": round(complete.cpu_seconds / raw.cpu_seconds, 2),
        "polars_and_parquet": _figures(by_polars),
        "few_rows": _lines(few),
        "raw_copy_of_few": _figures(raw_few),
        "complete_of_few": _figures(complete_few),
        "pandas_frames_of_few": _figures(by_pandas),
        "months": MONTHS,
        "all_months": _figures(full),
        "one_month_changed": _figures(changed),
    }


def _each(folder: Path, files: list[Path], *ways: Any) -> list[Any]:
    return [partial(alone, way, files, folder) for way in ways]


def _workbook(folder: Path, _: argparse.Namespace) -> dict[str, Any]:
    path = folder / "wide.xlsx"
    alone(workbook.write, path)
    works = (partial(alone, work, path) for work in (workbook.floor, workbook.extracted))
    floor, ours = in_turn(SHORT_ROUNDS, *works)
    return {
        "rounds": SHORT_ROUNDS,
        "cells": workbook.ROWS * workbook.COLUMNS,
        "bytes": path.stat().st_size,
        "floor": _figures(floor),
        "extracted": _figures(ours),
        "ratio": round(ours.cpu_seconds / floor.cpu_seconds, 2),
    }


def _accuracy(_: Path, asked: argparse.Namespace) -> dict[str, Any]:
    return alone(partial(run.accuracy, BESIDE, quick=asked.quick))


def _cells(_: Path, __: argparse.Namespace) -> dict[str, Any]:
    return alone(run.cells)


def _speed(_: Path, asked: argparse.Namespace) -> dict[str, Any]:
    return speed.speed(quick=asked.quick)


def _pages(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    home = Settings.read().home
    there = current_build(home) is not None
    return pages.pages(home if there else None, folder, quick=asked.quick)


PARTS: dict[str, Part] = {
    "ingest": _ingest,
    "workbook": _workbook,
    "pages": _pages,
    "speed": _speed,
    "cells": _cells,
    "accuracy": _accuracy,
}


def _lines(files: list[Path]) -> int:
    """Lines below the headers."""
    return sum(file.read_bytes().count(b"\n") - 1 for file in files)


def _figures(cost: Cost) -> dict[str, float]:
    return {name: round(value, 2) for name, value in dataclasses.asdict(cost).items()}


def _keep(name: str, outcome: dict[str, Any]) -> None:
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    told = {"day": dt.datetime.now(dt.UTC).date().isoformat(), "machine": machine, **outcome}
    (RESULTS / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
