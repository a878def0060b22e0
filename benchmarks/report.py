"""The figures of the last run of each part as a page for people."""

import json
from pathlib import Path
from typing import Any

from benchmarks import page_report
from benchmarks.accuracy.page import pages, pictures

PAGE = """\
# Benchmarks

Made by `make bench`; not edited by hand. CPU seconds are what counts: they depend less than
wall-clock time on what else a machine does, and their ratio less than either. Every row is a
process of its own; what is compared ran in turn, and the median of three rounds is given unless a
row says once.
"""
INGEST = """\
## Case-level CSV

{rows:,} records, {gigabytes:.2f} GB in 58 files; {day}, {machine}.

| way | CPU s | against the raw copy | wall s | peak memory, MB |
|---|---|---|---|---|
{ways}

**Complete** normalises names and days, checks every rule, keeps what is rejected with its reasons,
finds duplicates, hashes the files and closes the account of every record. The raw copy is DuckDB's
`COPY` of every column as text. The other two only type the days.

| records | raw copy, CPU s a million | complete, CPU s a million | peak memory, MB |
|---|---|---|---|
{linear}

One file of {months} months changed: its load takes {changed:.1f} CPU s, {share:.0%} of the
{all_months:.1f} CPU s of loading them all.
"""
WORKBOOK = """\
## A workbook

{cells:,} cells, {megabytes:.1f} MB packed; medians of {rounds} rounds.

| way | CPU s | against the floor | peak memory, MB |
|---|---|---|---|
| unpack and tokenise (the floor) | {floor[cpu_seconds]:.2f} | 1.00 | {floor[peak_mb]:,} |
| extract | {extracted[cpu_seconds]:.2f} | {ratio:.2f} | {extracted[peak_mb]:,} |
"""


def write(folder: Path) -> None:
    """`README.md` in the folder of the results, and its pictures, from the json files there."""
    told = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    parts = [PAGE]
    if "ingest" in told:
        parts.append(_ingest(told["ingest"]))
    if "workbook" in told:
        parts.append(_workbook(told["workbook"]))
    if "pages" in told:
        parts.append(page_report.page(told["pages"]))
    parts += pages(*(told.get(name) for name in ("accuracy", "cells", "speed")))
    for name, picture in pictures(told.get("accuracy")):
        (folder / name).write_text(picture, encoding="utf-8")
    (folder / "README.md").write_text("\n".join(parts), encoding="utf-8")


def _ingest(ingest: dict[str, Any]) -> str:
    return INGEST.format(
        **{name: ingest[name] for name in ("rows", "day", "machine", "months")},
        gigabytes=ingest["bytes"] / 1e9,
        ways=_ways(ingest),
        linear=_linear(ingest),
        changed=ingest["one_month_changed"]["cpu_seconds"],
        all_months=ingest["all_months"]["cpu_seconds"],
        share=ingest["one_month_changed"]["cpu_seconds"] / ingest["all_months"]["cpu_seconds"],
    )


def _workbook(workbook: dict[str, Any]) -> str:
    return WORKBOOK.format(megabytes=workbook["bytes"] / 1e6, **workbook)


def _ways(ingest: dict[str, Any]) -> str:
    few = f"{ingest['few_rows']:,} records, once"
    ways = [
        ("raw copy", "raw_copy", "raw_copy"),
        ("**complete**", "complete", "raw_copy"),
        ("polars, Parquet, DuckDB (once)", "polars_and_parquet", "raw_copy"),
        (f"pandas, DuckDB ({few})", "pandas_frames_of_few", "raw_copy_of_few"),
    ]
    return "\n".join(_row(name, ingest[way], ingest[against]) for name, way, against in ways)


def _row(name: str, cost: dict[str, float], against: dict[str, float]) -> str:
    ratio = cost["cpu_seconds"] / against["cpu_seconds"]
    return (
        f"| {name} | {cost['cpu_seconds']:.1f} | {ratio:.2f} | {cost['seconds']:.1f} "
        f"| {cost['peak_mb']:,} |"
    )


def _linear(ingest: dict[str, Any]) -> str:
    spans = [("few_rows", "raw_copy_of_few", "complete_of_few"), ("rows", "raw_copy", "complete")]
    return "\n".join(
        f"| {ingest[rows]:,} | {_a_million(ingest, raw, rows):.2f} "
        f"| {_a_million(ingest, complete, rows):.2f} | {ingest[complete]['peak_mb']:,} |"
        for rows, raw, complete in spans
    )


def _a_million(ingest: dict[str, Any], way: str, rows: str) -> float:
    seconds: float = ingest[way]["cpu_seconds"]
    return seconds / ingest[rows] * 1e6
