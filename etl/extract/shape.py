"""From a grid of cells to one table: which row is what, and what the rows around the records say.

Every row that holds anything is of exactly one `Kind`, and the kinds must add up to the rows
counted apart. Titles give captions and the unit, the header labels; groups become a column; totals
are computed again and compared. Only records go on.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from etl.catalog import Dataset, FieldEntry, Groups, Header, Totals
from etl.extract.above import captions, converted, unit_of, units_above
from etl.extract.grid import Grid
from etl.extract.raw import (
    Account,
    MissingColumn,
    Stated,
    UnreadableFile,
    column_of,
    matches,
    shaped,
)
from etl.extract.rows import Kind, Rows, Table, figure_columns
from etl.extract.totals import Tally, number
from etl.extract.units import Unit
from etl.patterns import compiled

NEAR = 200
"""Rows among which a header is looked for first."""
ONE_CELL_TITLE = 2
"""Filled cells of a row that may still belong to a title: its words, and something at the side."""


@dataclass(frozen=True)
class Shaped:
    """The records of a grid, the totals it states, and the account of its rows."""

    frame: pl.DataFrame
    totals: list[Stated]
    account: Account
    widths: list[tuple[list[int], int]]
    """For each table: the rows of its records, from 0, and its columns to the last with a label."""


def shape(grid: Grid, dataset: Dataset, file: str) -> Shaped:
    """The tables of a grid as one frame of text with `_record` and `_sheet`.

    Raises:
        UnreadableFile: no header, unit, caption or column as declared.
        RowsUnaccounted: the kinds of rows do not add up to those that hold anything.
    """
    kinds = [Kind.TITLE if count else Kind.BLANK for count in grid.counts]
    frames: list[pl.DataFrame] = []
    totals: list[Stated] = []
    widths: list[tuple[list[int], int]] = []
    given: list[Unit] | None = None
    for table in tables_of(grid, dataset):
        rows = Rows(grid, table, dataset, kinds)
        given = units_above(grid, table, dataset, given)
        body = _marked(grid.cells.slice(table.body, table.end - table.body), grid, table, dataset)
        totals += _stated(body, rows, dataset, given)
        body = converted(body, table, dataset, given)
        records = rows.of_kind(Kind.RECORD)
        frames.append(_records(records, rows, dataset, body, file))
        width = max((i + 1 for i, label in enumerate(table.labels) if label), default=0)
        widths.append((records, width))
    account = Account(grid.name, grid.filled, _tally(kinds))
    account.close(grid.where)
    return Shaped(together(frames, dataset, grid.where), totals, account, widths)


def _marked(body: pl.DataFrame, grid: Grid, table: Table, dataset: Dataset) -> pl.DataFrame:
    """Doubtful texts in columns of figures with the sign that says text, so that none is read."""
    for place in figure_columns(table.labels, dataset) if grid.doubtful else ():
        inside = range(table.body, table.end)
        rows = [row - table.body for row in grid.doubtful.get(place, []) if row in inside]
        column = body[str(place)]
        marked = [f"'{text}" for text in column.gather(rows)]
        body = body.with_columns(column.scatter(rows, marked)) if rows else body
    return body


def _tally(kinds: list[Kind]) -> dict[str, int]:
    found = Counter(kinds)
    return {str(kind): found[kind] for kind in Kind if found[kind] and kind != Kind.BLANK}


def together(frames: list[pl.DataFrame], dataset: Dataset, where: str) -> pl.DataFrame:
    """Tables below one another; a field is one column, however each of them spells it.

    Raises:
        MissingColumn: one has a column for a field that another has not.
    """
    if len({tuple(frame.columns) for frame in frames}) > 1:
        for field in dataset.schema_.fields:
            frames = _one_column(frames, field, where)
    return pl.concat(frames, how="diagonal")


def _one_column(frames: list[pl.DataFrame], field: FieldEntry, where: str) -> list[pl.DataFrame]:
    places = [column_of(field.spellings, frame.columns) for frame in frames]
    names = [
        frame.columns[place]
        for frame, place in zip(frames, places, strict=True)
        if place is not None
    ]
    if len(set(names)) < 2 and len(names) in (0, len(frames)):
        return frames
    made = []
    for frame, place in zip(frames, places, strict=True):
        if place is None:
            raise MissingColumn(
                f"one table has a column for {field.name!r}, another has none: "
                f"looked for {', '.join(map(repr, field.spellings))}",
                where=where,
                hint=f"columns there: {', '.join(frame.columns[:12])}; add the spelling to `from`",
            )
        made.append(frame.with_columns(pl.col(frame.columns[place]).alias(names[0])))
    return made


# --- where the tables are -----------------------------------------------------------------------


def tables_of(grid: Grid, dataset: Dataset) -> Iterator[Table]:
    """The tables of a sheet from above; the titles over a further one belong to it.

    Raises:
        UnreadableFile: there is no header as declared.
    """
    header = dataset.read.header or Header(find="")
    tops = _header_rows(grid, dataset)
    start = 0
    for number_, top in enumerate(tops):
        body = top + header.rows
        if number_ + 1 < len(tops):
            end = _title_above(grid, body, tops[number_ + 1], dataset)
        else:
            end = grid.height
        yield Table(start, top, body, end, _labels(grid, top, body))
        start = end


def _header_rows(grid: Grid, dataset: Dataset) -> list[int]:
    """First rows of the headers, from 0."""
    header = dataset.read.header
    if header is None:
        return [next((i for i, count in enumerate(grid.counts) if count), 0)]
    cells = grid.cells
    found = _holding(cells.head(NEAR), header.find) if dataset.read.tables == "first" else []
    found = found or _holding(cells, header.find)
    tops: list[int] = []
    for row in found:
        top = row - header.at + 1
        if top >= 0 and (not tops or top >= tops[-1] + header.rows):
            tops.append(top)
    if not tops:
        raise UnreadableFile(
            f"no row holds the cell {header.find!r}",
            where=grid.where,
            hint="see read: {header: {find: ...}}",
        )
    return tops if dataset.read.tables == "all" else tops[:1]


def _holding(cells: pl.DataFrame, find: str) -> list[int]:
    """Rows in which a cell is `find`."""
    found: set[int] = set()
    for column in cells.iter_columns():
        # Figures are no labels, and there are many of them.
        words = column.filter(column.str.contains(r"[^\d.,\s-]")).unique().to_list()
        hits = [word for word in words if matches(word, [find])]
        found |= set(column.is_in(hits).arg_true().to_list()) if hits else set()
    return sorted(found)


def _title_above(grid: Grid, body: int, header: int, dataset: Dataset) -> int:
    """First row of the title over the header of a further table."""
    stop = dataset.read.stop_at and compiled(dataset.read.stop_at)
    first = header
    for row in range(header - 1, body - 1, -1):
        words = grid.first_filled[row]
        if grid.counts[row] > ONE_CELL_TITLE or (stop and words and stop.search(words[0])):
            break
        if any(number(word, dataset.read) is not None for word in words):
            break
        first = row if words else first
    return first


def _labels(grid: Grid, first: int, end: int) -> list[str]:
    """One unique label a column: the cells of the header rows, joined over merged ranges."""
    rows = grid.rows(first, end)
    for (top, left), (bottom, right) in grid.merged:
        # A merged range may reach beyond the last cell that holds something.
        inside = range(max(top, first), min(bottom + 1, first + len(rows)))
        if inside and top < grid.height:
            value = grid.cells.item(top, left) if left < grid.cells.width else None
            for r in inside:
                for c in range(left, min(right + 1, grid.cells.width)):
                    rows[r - first][c] = value
    return _unique([_join([row[c] for row in rows]) for c in range(grid.cells.width)])


def _join(cells: Sequence[str | None]) -> str:
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


def _stated(
    body: pl.DataFrame, rows: Rows, dataset: Dataset, given: list[Unit] | None
) -> Iterator[Stated]:
    """Each figure of a total or group, beside what its records add up to."""
    if not rows.adds_up:
        return
    table, kept = rows.table, (Kind.RECORD, Kind.UNWANTED)
    members = [row for row in rows.of_kind(*kept) if row not in rows.adds_up]
    for place, field in rows.figures.items():
        texts = body[str(place)].to_list()
        found, times = unit_of(field, given)
        figures = {row: number(texts[row - table.body], dataset.read) for row in rows.path}
        tally = Tally({row: figures[row] for row in members}, found)
        for row, what in rows.adds_up.items() if tally.adds else ():
            cells = [row, *(low for low, high in rows.continues.items() if high == row)]
            stated = next((f for cell in cells if (f := figures[cell]) is not None), None)
            if stated is not None:
                computed, agrees = tally.compared(stated, _part(what, rows, row, members))
                yield Stated(
                    sheet=rows.grid.name,
                    record=row + 1,
                    label=rows.named[row],
                    header=table.labels[place],
                    field=field.name,
                    stated=stated * times,
                    computed=None if computed is None else computed * times,
                    agrees=agrees,
                )


def _part(what: Totals | Groups, rows: Rows, row: int, members: list[int]) -> list[int]:
    """The records that a total or a group adds up."""
    if isinstance(what, Totals) and what.of == "records":
        return members
    path = rows.path[row]
    while path and path[-1] is None:
        path = path[:-1]
    return [member for member in members if rows.path[member][: len(path)] == path]


def _records(
    records: list[int], rows: Rows, dataset: Dataset, body: pl.DataFrame, file: str
) -> pl.DataFrame:
    """These rows of one table, with groups, captions and the name of the sheet as columns."""
    grid, table = rows.grid, rows.table
    labelled = {str(i): label for i, label in enumerate(table.labels) if label}
    chosen = body.select(list(labelled)).rename(labelled)
    if records and len(records) == records[-1] - records[0] + 1:
        chosen = chosen.slice(records[0] - table.body, len(records))
    else:
        chosen = chosen[[row - table.body for row in records]]
    groups = [
        pl.Series(
            level.into, [rows.path[row][i] for row in records] if rows.path else [], dtype=pl.String
        )
        for i, level in enumerate(dataset.clean.groups)
    ]
    said = {"$sheet": grid.name, **captions(grid, table, dataset, file)}
    columns = chosen.with_columns(
        *groups, *(pl.lit(text, dtype=pl.String).alias(name) for name, text in said.items())
    )
    return shaped(columns, [row + 1 for row in records], dataset, sheet=grid.name, where=grid.where)
