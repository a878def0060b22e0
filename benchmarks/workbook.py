"""A workbook of a million cells against the least that reading it can cost.

The least: unpack the parts of the zip and tell their tags apart. Ours: the same file as a frame of
text with its rows, read in a process with limits.
"""

import zipfile
from pathlib import Path
from xml.parsers import expat

import xlsxwriter

from benchmarks.cost import Clock, Cost
from etl.catalog import Dataset, parse_catalog
from etl.extract import workbook

ROWS, COLUMNS = 50_000, 20
ENTRY = """
profile: cantho-foresight/1
name: benchmark
title: Đo
title_en: Benchmark
resources:
- name: wide
  title: Rộng
  sources: [{path: wide.xlsx}]
  read: {header: {find: C0}}
  schema:
    fields:
"""


def write(path: Path) -> None:
    """A table with names, whole numbers and decimals in turn."""
    with xlsxwriter.Workbook(path, {"constant_memory": False}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [f"C{column}" for column in range(COLUMNS)])
        for row in range(1, ROWS + 1):
            for column in range(COLUMNS):
                sheet.write(row, column, _cell(row, column))


def _cell(row: int, column: int) -> str | float:
    if column % 4 == 0:
        return f"Xã số {row % 103}"
    return row * COLUMNS + column if column % 2 else (row * column) / 8


def floor(path: Path) -> Cost:
    """Unpack the sheet and its texts, and find every tag and every text."""
    with Clock() as clock, zipfile.ZipFile(path) as package:
        for part in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"):
            parser = expat.ParserCreate()
            parser.buffer_text = True
            parser.Parse(package.read(part), True)
    return clock.cost


def extracted(path: Path) -> Cost:
    """Read it as a refresh does."""
    dataset = _dataset()
    with Clock() as clock:
        found = workbook.extract(path, dataset)
    if found.records != ROWS:
        raise AssertionError(f"{found.records} records of {ROWS}")
    return clock.cost


def _dataset() -> Dataset:
    fields = "".join(f"    - {{name: c{column}}}\n" for column in range(COLUMNS))
    return parse_catalog(ENTRY + fields).datasets["wide"]
