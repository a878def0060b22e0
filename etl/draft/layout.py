"""Where the table stands in a grid of cells: titles above, header, records, footnotes below.

The header is the last row of text above the rows of figures, together with the rows it is merged
with. Nothing is told from colours or fonts, which readers do not give.
"""

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from etl.catalog import Read
from etl.draft.opening import Grid
from etl.draft.words import NOTES, ROMAN, TOTALS, unit_in
from etl.extract.raw import Cell, UnreadableFile, plain, text_of

ENOUGH = 0.6
"""Share of the table's columns that a header names."""
DEEPEST = 6
_NUMBER = re.compile(r"[-+(\u2212]?\d[\d., \u00a0\u2009\u202f]*%?\)?")
_DAY = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}-\d\d-\d\d(?: .*)?")
BLANK = frozenset(Read().missing)
_MONTHS = re.compile(r"(((các|chia theo|trong) )?tháng|months?)(?! ?\d)", re.IGNORECASE)
_ENUMERATOR = re.compile(r"\(?(?:[A-Z]|\d{1,2}|[IVX]+|\d{1,2} ?= ?[\d+.…:/x -]+)\)?")


@dataclass(frozen=True)
class Layout:
    """One table in a grid."""

    grid: Grid
    first: int
    """First row of the header, from 0."""
    depth: int
    """Rows of the header."""
    labels: list[str]
    """One a column, joined over the header's rows; empty where there is none."""
    body: list[int]
    """Rows of records, those to drop among them."""
    notes: list[int]
    """Rows below the table."""

    @property
    def titles(self) -> list[str]:
        """Texts above the table, from the top."""
        above = self.grid.rows[: self.first]
        return [
            " ".join(str(cell).split()) for row in above for cell in row if isinstance(cell, str)
        ]

    def texts(self, row: int) -> list[str]:
        """Filled cells of a row, as the readers will see them."""
        made = (text_of(cell, ".") for cell in self.grid.rows[row])
        return [text for text in made if text]

    def column(self, position: int) -> list[Cell]:
        """Cells of the records in one column."""
        rows = self.grid.rows
        return [rows[r][position] if position < len(rows[r]) else None for r in self.body]


def is_number(cell: Cell) -> bool:
    """A figure, typed or written."""
    if isinstance(cell, str):
        return bool(_NUMBER.fullmatch(cell.strip()))
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)


def is_day(cell: Cell) -> bool:
    """A date, typed or written."""
    return isinstance(cell, dt.date) or (isinstance(cell, str) and bool(_DAY.fullmatch(cell)))


def is_year(cell: Cell) -> bool:
    """A number that may be a year, as in the head of a column."""
    text = text_of(cell, ".") if is_number(cell) else None
    return bool(text and re.fullmatch(r"(19|20)\d\d", text))


def find_table(grid: Grid, *, where: str, one_line: bool) -> Layout:
    """The table of a grid. With `one_line` the header is one row, as in delimited text.

    Raises:
        UnreadableFile: no row looks like a header above records.
    """
    filled = _spread(grid)
    used = _used(filled)
    last = _header_row(filled, used)
    if last is None:
        raise UnreadableFile(
            "no row looks like a header above records",
            where=where,
            hint="write one name above each column, and add the file again",
        )
    first, last = (last, last) if one_line else _header_rows(grid, filled, used, last)
    labels = _labels(grid, first, last)
    body, notes = _body(grid, last + 1, used)
    if not body:
        raise UnreadableFile(
            "there is a header, and no record below it",
            where=where,
            hint="ask for the file with its records",
        )
    return Layout(grid, first, last - first + 1, labels, body, notes)


def _spread(grid: Grid) -> list[list[Cell]]:
    """The rows with merged cells repeated, except titles over half of the width; no '..'."""
    rows = [[None if is_blank(cell) else cell for cell in row] for row in grid.rows]
    width = max(map(len, rows))
    for (top, left), (bottom, right) in grid.merged:
        last = right if right - left + 1 <= max(2, width / 2) else left
        for r in range(top, min(bottom + 1, len(rows))):
            for c in range(left, min(last + 1, len(rows[r]), len(rows[top]))):
                rows[r][c] = rows[top][left]
    return rows


def is_blank(cell: Cell) -> bool:
    """A text that says that there is nothing."""
    return isinstance(cell, str) and cell.strip() in BLANK


def _used(rows: list[list[Cell]]) -> list[int]:
    """Columns of the table: filled in a tenth of the rows that are at least half full."""
    counts = [sum(cell is not None for cell in row) for row in rows]
    most = sorted(counts)[int(0.95 * (len(counts) - 1))]
    full = [row for row, n in zip(rows, counts, strict=True) if n >= max(1, most / 2)]
    width = max(map(len, rows))
    return [
        c
        for c in range(width)
        if sum(c < len(row) and row[c] is not None for row in full) >= max(1, len(full) / 10)
    ]


def _header_row(rows: list[list[Cell]], used: list[int]) -> int | None:
    """The last full row of names above the first figure; the first where there are only texts."""
    found: list[int] = []
    for r, row in enumerate(rows):
        cells = [row[c] for c in used if c < len(row) and row[c] is not None]
        if r and _numbers_months(row, rows[r - 1], used):
            return r
        if found and (_is_data(cells) or _is_enumeration(cells)):
            return found[-1]
        if found and _heads_rows(cells, len(used)):
            continue
        full = len(cells) >= max(min(2, len(used)), ENOUGH * len(used))
        named = (isinstance(cell, str) or is_year(cell) or is_day(cell) for cell in cells)
        if full and (_heads_months(cells) or all(named)):
            found.append(r)
    return found[0] if found else None


def _numbers_months(row: list[Cell], above: list[Cell], used: list[int]) -> bool:
    """Whether a row numbers the months, below a cell over all of them that says so."""
    told = next((c for c in used if c < len(above) and _MONTHS.match(str(above[c]).strip())), None)
    numbers = [text_of(row[c], ".") for c in used if told is not None and told <= c < len(row)]
    while numbers and not (numbers[-1] or "").isdigit():
        numbers.pop()
    return len(numbers) > 2 and numbers == [str(n) for n in range(1, len(numbers) + 1)]


def _heads_months(cells: list[Cell]) -> bool:
    """Whether a row holds months written as 202501, one after the other, and else only texts."""
    numbers = [text_of(cell, ".") or "" for cell in cells if is_number(cell)]
    bare = all(re.fullmatch(r"20\d\d(0[1-9]|1[0-2])", text) for text in numbers)
    return bare and len(numbers) > 1 and numbers == sorted(set(numbers))


def _heads_rows(cells: list[Cell], width: int) -> bool:
    """Whether a row below a header is the first group: I, and what it is called."""
    first = str(cells[0]).strip() if cells else ""
    return len(cells) < width and bool(re.fullmatch(rf"{ROMAN}[.)]?|[A-Z][.)]", first))


def _is_enumeration(cells: list[Cell]) -> bool:
    """Whether a row only numbers the columns: A, B, 1, 2."""
    return len(cells) > 2 and all(_ENUMERATOR.fullmatch(text_of(cell, ".") or "") for cell in cells)


def _is_data(cells: list[Cell]) -> bool:
    """Whether a row below a header holds a figure, or a lone day or year."""
    if len(cells) < 2 or _heads_months(cells):
        return False
    if any(is_number(cell) and not is_year(cell) for cell in cells):
        return True
    times = sum(is_year(cell) or is_day(cell) for cell in cells)
    return times > 0 and (times == 1 or times < len(cells) / 2)


def _header_rows(
    grid: Grid, filled: list[list[Cell]], used: list[int], last: int
) -> tuple[int, int]:
    first = last
    last = max([last, *_merged_below(grid, filled, used, last)])
    while last - first < DEEPEST:
        above = [
            top
            for (top, left), (bottom, right) in grid.merged
            if top < first <= bottom
            or (top == bottom == first - 1 and _groups(grid, top, left, right, used))
        ]
        if above:
            first = min(above)
        elif first > 0 and _fills_gaps(filled, used, first, last):
            first -= 1
        else:
            break
    return first, last


def _merged_below(
    grid: Grid, filled: list[list[Cell]], used: list[int], last: int
) -> Iterator[int]:
    """Last rows of cells that begin in the header and go on below it, above the figures."""
    for (top, left), (bottom, _) in grid.merged:
        rows = filled[last + 1 : bottom + 1]
        figures = any(is_number(row[c]) for row in rows for c in used if c < len(row))
        if top <= last < bottom < len(filled) and left in used and not figures:
            yield bottom


def _groups(grid: Grid, row: int, left: int, right: int, used: list[int]) -> bool:
    """Whether a merged cell stands over some columns of the table, not over all of it."""
    cell = grid.rows[row][left] if left < len(grid.rows[row]) else None
    if left <= used[0] or right == left or not isinstance(cell, str):
        return False
    return not (unit_in(cell) or NOTES.match(cell))


def _fills_gaps(filled: list[list[Cell]], used: list[int], first: int, last: int) -> bool:
    """Whether the row above names columns that the header leaves without a name."""
    gaps = [
        c
        for c in used
        if all(c >= len(filled[r]) or filled[r][c] is None for r in range(first, last + 1))
    ]
    above = filled[first - 1]
    return bool(gaps) and all(c < len(above) and isinstance(above[c], str) for c in gaps)


def _labels(grid: Grid, first: int, last: int) -> list[str]:
    """As the reader of workbooks joins them."""
    rows = [list(row) for row in grid.rows[first : last + 1]]
    for (top, left), (bottom, right) in grid.merged:
        for r in range(max(top, first), min(bottom, last) + 1):
            for c in range(left, min(right + 1, len(grid.rows[top]))):
                rows[r - first][c] = grid.rows[top][left]
    width = max(map(len, grid.rows))
    joined = [_join([row[c] if c < len(row) else None for row in rows]) for c in range(width)]
    seen: dict[str, int] = {}
    labels = []
    for label in joined:
        seen[label] = seen.get(label, 0) + 1
        labels.append(label if seen[label] == 1 or not label else f"{label} ({seen[label]})")
    return labels


def _join(cells: list[Cell]) -> str:
    kept: list[str] = []
    for cell in cells:
        text = " ".join((text_of(cell, ".") or "").split())
        if text and (not kept or kept[-1] != text):
            kept.append(text)
    return " ".join(kept)


def _body(grid: Grid, top: int, used: list[int]) -> tuple[list[int], list[int]]:
    """Rows of records and rows below them; blank rows are neither."""
    rows = {
        r: [row[c] for c in used if c < len(row) and row[c] is not None]
        for r, row in enumerate(grid.rows[top:], start=top)
    }
    rows = {r: cells for r, cells in rows.items() if cells}
    full = [
        r
        for r, cells in rows.items()
        if len(cells) >= len(used) / 2 or any(is_number(cell) for cell in cells[1:])
    ]
    last = max(full, default=top)
    begun = (r for r, cells in rows.items() if len(cells) <= 2 and NOTES.match(str(cells[0])))
    end = min(next(begun, last + 1), last + 1)
    return [r for r in rows if r < end], [r for r in rows if r >= end]


def is_row_of_column_numbers(cells: list[str]) -> bool:
    """A, B, 1, 2, 3 below a header."""
    if len(cells) < 3 or not all(_ENUMERATOR.fullmatch(cell) for cell in cells):
        return False
    marks = [cell.strip("() ") for cell in cells]
    numbers = [int(mark) for mark in marks if mark.isdigit()]
    in_turn = all(b - a == 1 for a, b in itertools.pairwise(numbers))
    return "A" in marks or any("=" in mark for mark in marks) or (numbers[:1] == [1] and in_turn)


def stop_pattern(layout: Layout) -> str | None:
    """What tells the first row below the table from every record."""
    starts = [layout.texts(r)[0] for r in layout.notes]
    if not starts:
        return None
    words = [match[1] for start in starts if (match := NOTES.match(start))]
    if words and NOTES.match(starts[0]):
        told = dict.fromkeys(re.sub(r"\d+", r"\\d+", escaped(word)) for word in words)
        pattern = f"^({'|'.join(told)})"
    else:
        pattern = "^" + escaped(starts[0][:30])
    taken = any(re.search(pattern, layout.texts(r)[0]) for r in layout.body)
    return None if taken else pattern


def drop_pattern(rows: Iterable[int], layout: Layout) -> tuple[str | None, list[int]]:
    """A regular expression for these rows and no other, and the rows it cannot tell."""
    wanted = set(rows)
    kept = {cell for r in layout.body if r not in wanted for cell in layout.texts(r)[:3]}
    patterns: dict[str, None] = {}
    untold = []
    for r in sorted(wanted):
        cells = layout.texts(r)[:3]
        # A word says why a row goes; a number would take some other row next month.
        named = sorted((c for c in cells if not is_number(c)), key=lambda c: not TOTALS.match(c))
        tries = [r"[IVX]+", r"[IVX]+\. .*", *map(escaped, named)]
        fits = (
            t
            for t in tries
            if any(re.search(f"^({t})$", cell) for cell in cells)
            and not any(re.search(f"^({t})$", cell) for cell in kept)
        )
        pattern = next(fits, None)
        if pattern is None:
            untold.append(r)
        else:
            patterns[pattern] = None
    return (f"^({'|'.join(patterns)})$" if patterns else None), untold


def escaped(text: str) -> str:
    """`text` as a regular expression that a person can still read."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)


def header_cell(layout: Layout, preferred: list[str]) -> str | None:
    """A cell of the header's first row that stands in no row above; None if it is the first row."""
    if layout.first == 0 and layout.depth == 1:
        return None
    above = {plain(cell) for r in range(layout.first) for cell in layout.texts(r)}
    cells = [" ".join(text.split()) for text in layout.texts(layout.first)]
    ranked = sorted(
        (cell for cell in cells if plain(cell) not in above),
        key=lambda cell: (cell not in preferred, cells.index(cell)),
    )
    return ranked[0] if ranked else None
