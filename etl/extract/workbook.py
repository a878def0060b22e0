"""Workbooks (xlsx, xls, ods): title rows, merged and stacked headers, totals and footnotes.

Row numbers are those of the sheet, so that an error can name the cell. An ods says nothing of
merged cells: there a merged heading stands over its first column only.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from etl.catalog import Dataset
from etl.extract.raw import Raw, UnreadableFile, in_memory, plain, shaped, text_of
from etl.extract.sheets import Range, Sheet, read_sheets
from etl.legacy_text import decode_columns

Row = list[str | None]


def extract(path: Path, dataset: Dataset) -> Raw:
    """The sheets the catalog names, as one frame of text.

    Raises:
        UnreadableFile: not a workbook, too large, no such sheet, or no header as declared.
    """
    sheets = read_sheets(path, dataset.read.sheet)
    parts = [_frame(sheet, dataset, f"{path.name}: {sheet.name}") for sheet in sheets]
    return in_memory(path, path.read_bytes(), pl.concat(parts, how="diagonal"))


def _frame(sheet: Sheet, dataset: Dataset, where: str) -> pl.DataFrame:
    grid, top, labels = grid_of(sheet, dataset, where)
    rows = list(_body(grid, top, dataset))
    columns: dict[str, list[str | None]] = {
        label: [row[i] if i < len(row) else None for _, row in rows]
        for i, label in enumerate(labels)
    }
    columns["$sheet"] = [sheet.name] * len(rows)
    numbers = [number for number, _ in rows]
    return shaped(columns, numbers, dataset, sheet=sheet.name, where=where)


def grid_of(sheet: Sheet, dataset: Dataset, where: str) -> tuple[list[Row], int, list[str]]:
    """Text of all cells, number of rows down to and with the header, and a label a column.

    Raises:
        UnreadableFile: there is no header as declared.
    """
    grid: list[Row] = [[text_of(cell, dataset.read.decimal) for cell in row] for row in sheet.rows]
    grid = decode_columns(grid, dataset.read.text, dataset.words)
    top, labels = _labels(grid, sheet.merged, dataset, where)
    return grid, top, labels


def _labels(
    grid: list[Row],
    merged: list[Range],
    dataset: Dataset,
    where: str,
) -> tuple[int, list[str]]:
    """Index of the first row below the header, and one unique label a column."""
    header = dataset.read.header
    first = 0
    if header is not None:
        found = [
            i for i, row in enumerate(grid) if plain(header.find) in map(plain, filter(None, row))
        ]
        if not found:
            raise UnreadableFile(
                f"no row holds the cell {header.find!r}",
                where=where,
                hint="see read: {header: {find: ...}}",
            )
        first = found[0]
    count = header.rows if header else 1
    rows = [list(row) for row in grid[first : first + count]]
    for (top, left), (bottom, right) in merged:
        # A merged range may reach beyond the last cell that holds something.
        for r in range(max(top, first), min(bottom + 1, first + len(rows))):
            for c in range(left, min(right + 1, len(grid[top]))):
                rows[r - first][c] = grid[top][left]
    joined = [
        _join([row[c] if c < len(row) else None for row in rows]) for c in range(_width(grid))
    ]
    return first + count, _unique(joined)


def _join(cells: Row) -> str:
    kept: list[str] = []
    for cell in cells:
        text = re.sub(r"\s+", " ", cell or "").strip()
        if text and (not kept or kept[-1] != text):
            kept.append(text)
    return " ".join(kept)


def _unique(labels: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        result.append(label if seen[label] == 1 or not label else f"{label} ({seen[label]})")
    return result


def _body(grid: list[Row], top: int, dataset: Dataset) -> Iterator[tuple[int, Row]]:
    """Number (from 1) and cells of each record: rows neither blank, dropped nor after the end."""
    stop = re.compile(dataset.read.stop_at) if dataset.read.stop_at else None
    drop = re.compile(dataset.read.drop_rows) if dataset.read.drop_rows else None
    for number, row in enumerate(grid[top:], start=top + 1):
        filled = [cell for cell in row if cell]
        if not filled:
            continue
        if stop and stop.search(filled[0]):
            return
        if drop and any(drop.search(cell) for cell in filled[:3]):
            continue
        yield number, row


def _width(grid: list[Row]) -> int:
    return max((len(row) for row in grid), default=0)
