"""The files of a map: areas.csv, crosswalk.csv, and where there are any aliases.csv, tiles.csv.

Every fault of every file is found in one go, with its line and what to do. What passes is a map in
which each area that ended is handed on whole, on the day after its last, to areas that begin on
that day; so time has no gap and no way back, and totals are kept whatever the number of steps.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from etl.crosswalk import WHOLE
from etl.errors import ForesightError, Problems

Level = Literal["nation", "city", "former_province", "district", "commune"]
Basis = Literal["whole", "official", "estimate"]

Row = dict[str, Any]
Key = tuple[str, date]
Fault = tuple[int, str, str]
"""Line, problem, remedy."""

# Columns, the type of each, and whether it may be empty.
COLUMNS: dict[str, dict[str, tuple[type[pl.DataType], bool]]] = {
    "areas.csv": {
        "code": (pl.String, False),
        "level": (pl.String, False),
        "name": (pl.String, False),
        "name_en": (pl.String, True),
        "kind": (pl.String, True),
        "parent": (pl.String, True),
        "valid_from": (pl.Date, False),
        "valid_to": (pl.Date, True),
        "population": (pl.Int64, True),
        "area_km2": (pl.Float64, True),
        "lat": (pl.Float64, True),
        "lon": (pl.Float64, True),
        "source": (pl.String, True),
    },
    "crosswalk.csv": {
        "old_code": (pl.String, False),
        "old_valid_from": (pl.Date, False),
        "new_code": (pl.String, False),
        "new_valid_from": (pl.Date, False),
        "weight": (pl.Float64, False),
        "weight_lower": (pl.Float64, False),
        "weight_upper": (pl.Float64, False),
        "basis": (pl.String, False),
        "source": (pl.String, True),
        "note": (pl.String, True),
    },
    "aliases.csv": {
        "spelling": (pl.String, False),
        "code": (pl.String, False),
        "valid_from": (pl.Date, False),
        "note": (pl.String, True),
    },
    "tiles.csv": {
        "code": (pl.String, False),
        "row": (pl.Int64, False),
        "col": (pl.Int64, False),
    },
}
OPTIONAL = ("aliases.csv", "tiles.csv")
_READERS: dict[type[pl.DataType], Callable[[str], Any]] = {
    pl.String: str,
    pl.Int64: int,
    pl.Float64: float,
    pl.Date: date.fromisoformat,
}
_EXAMPLES = {
    pl.Int64: "write a whole number",
    pl.Float64: "write a number with a decimal point",
    pl.Date: "write a day as 2025-07-01",
    pl.String: "fill it in",
}


class BrokenMap(ForesightError):
    """A file of the map says something that cannot be."""


def read_map(folder: Path) -> dict[str, pl.DataFrame]:
    """The tables of the map in `folder`, by file name; one of the optional files may be empty.

    Raises:
        Problems: every fault found, each a `BrokenMap` with file and line.
    """
    faults: list[ForesightError] = []
    tables: dict[str, list[Row]] = {}
    for name in COLUMNS:
        tables[name], found = _read(folder, name)
        faults += [_broken(folder, name, fault) for fault in found]
    if not faults:  # what the rows say together can only be judged where each can be read
        faults = [
            _broken(folder, name, fault)
            for name, check in _CHECKS.items()
            for fault in sorted(check(tables))
        ]
    if faults:
        raise Problems(faults)
    return {
        name: pl.DataFrame(
            [[row[column] for column in columns] for row in tables[name]],
            schema={column: kind for column, (kind, _) in columns.items()},
            orient="row",
        )
        for name, columns in COLUMNS.items()
    }


def _broken(folder: Path, name: str, fault: Fault) -> BrokenMap:
    line, problem, remedy = fault
    place = f"{folder.name}/{name}" + (f":{line}" if line else "")
    return BrokenMap(problem, where=place, hint=remedy)


# --- each cell ----------------------------------------------------------------------------------


def _read(folder: Path, name: str) -> tuple[list[Row], list[Fault]]:
    """Rows with typed cells, each with its `line`, and what cannot be read."""
    path = folder / name
    if not path.exists():
        if name in OPTIONAL:
            return [], []
        return [], [(0, "there is no such file", "docs/boundaries.md says what stands in it")]
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS[name] if column not in (reader.fieldnames or [])]
        if missing:
            wanted = ", ".join(COLUMNS[name])
            return [], [(1, f"no column {', '.join(missing)}", f"the first line names: {wanted}")]
        rows = [{"line": reader.line_num, **row} for row in reader]
    faults = [fault for row in rows for fault in _type_cells(row, name)]
    return rows, faults


def _type_cells(row: Row, name: str) -> Iterator[Fault]:
    for column, (kind, may_be_empty) in COLUMNS[name].items():
        text = (row[column] or "").strip()
        row[column] = None
        if not text:
            if not may_be_empty:
                yield row["line"], f"{column} is empty", _EXAMPLES[kind]
            continue
        try:
            row[column] = _READERS[kind](text)
        except ValueError:
            yield row["line"], f"{column}: {text!r} cannot be read", _EXAMPLES[kind]


# --- the rows of areas.csv ----------------------------------------------------------------------


def _area_faults(tables: dict[str, list[Row]]) -> Iterator[Fault]:
    rows = tables["areas.csv"]
    codes = {row["code"] for row in rows}
    for row in rows:
        yield from _own_faults(row, codes)
    yield from _overlaps(rows)
    yield from _circles(rows)
    yield from _city_faults(rows)
    yield from _people_faults(rows)


def _own_faults(row: Row, codes: set[str]) -> Iterator[Fault]:
    line, code = row["line"], row["code"]
    if row["level"] not in get_args(Level):
        yield line, f"{row['level']!r} is no level", f"levels: {', '.join(get_args(Level))}"
    if row["valid_to"] and row["valid_to"] < row["valid_from"]:
        yield line, f"{code} ends before it begins", "mend valid_from or valid_to"
    if row["parent"] and row["parent"] not in codes:
        yield line, f"{row['parent']!r}, the parent of {code}, is no area", "add its row, or mend"


def _overlaps(rows: list[Row]) -> Iterator[Fault]:
    by_code = defaultdict(list)
    for row in rows:
        by_code[row["code"]].append(row)
    for code, known in by_code.items():
        known.sort(key=lambda row: row["valid_from"])
        for earlier, later in pairwise(known):
            if earlier["valid_to"] is None or earlier["valid_to"] >= later["valid_from"]:
                yield (
                    later["line"],
                    f"{code} means two areas on {later['valid_from']}",
                    f"let line {earlier['line']} end (valid_to) before that day",
                )


def _circles(rows: list[Row]) -> Iterator[Fault]:
    parents = {row["code"]: row["parent"] for row in rows}
    for row in rows:
        passed: list[str] = []
        place: str | None = row["code"]
        while place and place not in passed:
            passed.append(place)
            place = parents.get(place)
        if place == row["code"]:
            yield row["line"], f"{place} lies in itself: {' in '.join(passed)}", "mend a parent"


def _city_faults(rows: list[Row]) -> Iterator[Fault]:
    cities = [row for row in rows if row["level"] == "city" and row["valid_to"] is None]
    if not cities:
        yield 0, "no area is the city", "add one row with level city and no valid_to"
    for row in cities[1:]:
        yield row["line"], f"{row['code']} is a second city", "one row has level city, no valid_to"
    if not any(row["level"] == "commune" and row["valid_to"] is None for row in rows):
        yield 0, "there is no commune of today", "add rows with level commune and no valid_to"


def _people_faults(rows: list[Row]) -> Iterator[Fault]:
    """People of today tell how a district's figures are divided, where a district ended."""
    if any(row["level"] == "district" and row["valid_to"] for row in rows):
        for row in rows:
            if row["level"] == "commune" and not row["valid_to"] and not row["population"]:
                yield (
                    row["line"],
                    f"{row['code']} has no population",
                    "it is needed to divide the figures of the districts that ended",
                )


# --- the rows of crosswalk.csv ------------------------------------------------------------------


def _step_faults(tables: dict[str, list[Row]]) -> Iterator[Fault]:
    areas: dict[Key, Row] = {(row["code"], row["valid_from"]): row for row in tables["areas.csv"]}
    steps = tables["crosswalk.csv"]
    handed_on: dict[Key, list[Row]] = defaultdict(list)
    for step in steps:
        handed_on[step["old_code"], step["old_valid_from"]].append(step)
        yield from _weight_faults(step)
        yield from _end_faults(step, areas)
    for former, parts in handed_on.items():
        yield from _whole_faults(former, parts)
    for key, row in areas.items():
        if row["level"] == "commune" and row["valid_to"] and key not in handed_on:
            yield (
                0,
                f"nothing says where {_spoken(key)} went when it ended on {row['valid_to']}",
                f"add a row with old_code {key[0]} and old_valid_from {key[1]}",
            )


def _weight_faults(step: Row) -> Iterator[Fault]:
    line, weight = step["line"], step["weight"]
    if not 0 <= step["weight_lower"] <= weight <= step["weight_upper"] <= 1:
        yield (
            line,
            f"the weight {weight} of {step['old_code']} is not within its bounds, 0 and 1",
            "0 <= weight_lower <= weight <= weight_upper <= 1",
        )
    if step["basis"] not in get_args(Basis):
        yield line, f"{step['basis']!r} is no basis", f"one of: {', '.join(get_args(Basis))}"
    elif step["basis"] == "whole" and step["weight_lower"] != 1:
        yield line, f"{step['old_code']} is not handed on whole", "basis: official, or estimate"


def _end_faults(step: Row, areas: dict[Key, Row]) -> Iterator[Fault]:
    """Faults of the two areas a step is about, and of its day."""
    line = step["line"]
    old: Key = step["old_code"], step["old_valid_from"]
    new: Key = step["new_code"], step["new_valid_from"]
    for key in (old, new):
        if key not in areas:
            yield line, f"no area is {_spoken(key)}", "code and valid_from as in areas.csv"
        elif areas[key]["level"] != "commune":
            yield line, f"{_spoken(key)} is no commune", "steps lead from communes to communes"
    if new[1] <= old[1]:
        yield (
            line,
            f"from {_spoken(old)} to {_spoken(new)} leads back in time",
            "a step leads to an area that begins later; look for a cycle",
        )
    elif old in areas and new in areas:
        last = areas[old]["valid_to"]
        if last is None or last + timedelta(days=1) != new[1]:
            yield (
                line,
                f"{_spoken(new)} does not begin when {old[0]} ends ({last or 'it still exists'})",
                "valid_to of the old is the day before valid_from of the new, in areas.csv",
            )


def _whole_faults(former: Key, parts: list[Row]) -> Iterator[Fault]:
    line = parts[0]["line"]
    together = sum(part["weight"] for part in parts)
    if abs(together - 1) >= WHOLE:
        yield (
            line,
            f"the weights of {_spoken(former)} sum to {together:.10g}, not to 1",
            "its figures must be handed on whole: mend the weights of its rows",
        )
    lines: dict[str, int] = {}
    for part in parts:
        if part["new_code"] in lines:
            yield (
                part["line"],
                f"from {_spoken(former)} to {part['new_code']} stands twice",
                f"keep this row or that of line {lines[part['new_code']]}",
            )
        lines[part["new_code"]] = part["line"]


def _spoken(key: Key) -> str:
    return f"{key[0]} of {key[1]}"


# --- the rows of aliases.csv and tiles.csv ------------------------------------------------------


def _alias_faults(tables: dict[str, list[Row]]) -> Iterator[Fault]:
    known = {(row["code"], row["valid_from"]) for row in tables["areas.csv"]}
    for row in tables["aliases.csv"]:
        key = row["code"], row["valid_from"]
        if key not in known:
            yield row["line"], f"no area is {_spoken(key)}", "code and valid_from as in areas.csv"


def _tile_faults(tables: dict[str, list[Row]]) -> Iterator[Fault]:
    today = {
        row["code"]
        for row in tables["areas.csv"]
        if row["level"] == "commune" and row["valid_to"] is None
    }
    placed: dict[tuple[int, int], str] = {}
    for row in tables["tiles.csv"]:
        square = row["row"], row["col"]
        if row["code"] not in today:
            yield (
                row["line"],
                f"{row['code']!r} is no commune of today",
                "take the row out, or mend",
            )
        if square in placed:
            yield row["line"], f"the square of {placed[square]} is taken", "give it another"
        elif row["code"] in placed.values():
            yield row["line"], f"{row['code']} has a square already", "keep one of the two"
        placed[square] = row["code"]


_CHECKS: dict[str, Callable[[dict[str, list[Row]]], Iterator[Fault]]] = {
    "areas.csv": _area_faults,
    "crosswalk.csv": _step_faults,
    "aliases.csv": _alias_faults,
    "tiles.csv": _tile_faults,
}
