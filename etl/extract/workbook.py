"""Workbooks (xlsx): title rows, merged and stacked headers, totals and footnotes, years as columns.

Cells become text as a clerk would type them: whole numbers without a point, decimals with the
decimal sign declared for the dataset, dates as yyyy-mm-dd. Row numbers are those of the sheet, so
that an error can name the cell.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from python_calamine import CalamineError, CalamineWorkbook

from etl.catalog import Dataset
from etl.extract.raw import RECORD, SHEET, Raw, UnreadableFile, plain
from etl.legacy_text import decode_columns

Cell = str | float | int | bool | dt.date | dt.time | dt.timedelta | None
Row = list[str | None]


def extract(path: Path, dataset: Dataset) -> Raw:
    """The sheets the catalog names, as one frame of text.

    Raises:
        UnreadableFile: not a workbook, no such sheet, or no header as declared.
    """
    content = path.read_bytes()
    try:
        book = CalamineWorkbook.from_path(str(path))
    except CalamineError as error:
        raise UnreadableFile(f"not a workbook: {error}", where=path.name) from None
    parts = [_sheet(book, name, dataset, path) for name in _sheets(book, dataset, path)]
    frame = pl.concat(parts, how="diagonal")
    labels = [label for label in frame.columns if label not in (RECORD, SHEET)]
    frame = frame.rename({label: f"c{i}" for i, label in enumerate(labels)})
    return Raw(
        path=str(path),
        labels=labels,
        records=frame.height,
        checksum=hashlib.blake2b(content, digest_size=20).hexdigest(),
        size=len(content),
        frame=frame,
    )


def _sheets(book: CalamineWorkbook, dataset: Dataset, path: Path) -> list[str]:
    wanted = dataset.read.sheet
    if wanted is None:
        return book.sheet_names[:1]
    pattern = wanted if wanted.startswith("^") else f"^{re.escape(wanted)}$"
    found = [name for name in book.sheet_names if re.search(pattern, name)]
    if not found:
        raise UnreadableFile(
            f"no sheet {wanted!r}", where=path.name, hint=f"sheets: {', '.join(book.sheet_names)}"
        )
    return found


def _sheet(book: CalamineWorkbook, name: str, dataset: Dataset, path: Path) -> pl.DataFrame:
    sheet = book.get_sheet_by_name(name)
    grid: list[Row] = [
        [_text(cell, dataset.read.decimal) for cell in row]
        for row in sheet.to_python(skip_empty_area=False)
    ]
    grid = decode_columns(grid, dataset.read.text, dataset.words)
    top, labels = _labels(grid, sheet.merged_cell_ranges or [], dataset, f"{path.name}: {name}")
    rows = list(_body(grid, top, dataset))
    filled = [labels.index(label) for label in dataset.clean.fill_down if label in labels]
    _fill_down(rows, filled)
    columns: dict[str, list[str | None]] = {
        label: [row[i] if i < len(row) else None for _, row in rows]
        for i, label in enumerate(labels)
        if label
    }
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(
        pl.Series(RECORD, [number for number, _ in rows], dtype=pl.Int64),
        pl.lit(name).alias(SHEET),
        pl.lit(name).alias("$sheet"),
    )
    return _unpivot(frame, dataset)


def _labels(
    grid: list[Row],
    merged: list[tuple[tuple[int, int], tuple[int, int]]],
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
        for r in range(max(top, first), min(bottom, first + count - 1) + 1):
            for c in range(left, right + 1):
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
    missing = set(dataset.read.missing)
    for number, row in enumerate(grid[top:], start=top + 1):
        filled = [cell for cell in row if cell]
        if not filled:
            continue
        if stop and stop.search(filled[0]):
            return
        if drop and any(drop.search(cell) for cell in filled[:3]):
            continue
        yield number, [None if cell is None or cell in missing else cell for cell in row]


def _fill_down(rows: list[tuple[int, Row]], columns: list[int]) -> None:
    last: dict[int, str | None] = {}
    for _, row in rows:
        for column in columns:
            if row[column] is None:
                row[column] = last.get(column)
            last[column] = row[column]


def _unpivot(frame: pl.DataFrame, dataset: Dataset) -> pl.DataFrame:
    """One record per filled cell of the columns that are values of a variable."""
    unpivot = dataset.clean.unpivot
    if unpivot is None:
        return frame
    pattern = re.compile(unpivot.columns)
    matches = {label: match for label in frame.columns if (match := pattern.search(label))}
    kept = [label for label in frame.columns if label not in matches]
    parts = [
        frame.select(
            *kept,
            *(
                pl.lit(text, dtype=pl.String).alias(group)
                for group, text in match.groupdict().items()
            ),
            pl.col(label).alias(unpivot.into),
        ).filter(pl.col(unpivot.into).is_not_null())
        for label, match in matches.items()
    ]
    if not parts:
        raise UnreadableFile(
            f"no column matches {unpivot.columns!r}",
            where=dataset.path,
            hint=f"columns: {', '.join(frame.columns[:12])}",
        )
    return pl.concat(parts)


def _width(grid: list[Row]) -> int:
    return max((len(row) for row in grid), default=0)


def _text(cell: Cell, decimal: str) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, float | int):
        text = str(int(cell)) if float(cell).is_integer() else repr(float(cell))
        return text.replace(".", decimal)
    return str(cell).replace("\xa0", " ").strip() or None
