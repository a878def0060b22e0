"""From a grid of cells to one table: which row is what, and what the rows around the records say.

Every row that holds anything is of exactly one `Kind`, and the kinds must add up to the rows
counted apart. Titles give captions and the unit, the header labels; groups become a column; totals
are computed again and compared. Only records go on.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import polars as pl

from etl.catalog import Dataset, FieldEntry, Groups, Header, Totals
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
from etl.extract.totals import Tally, number
from etl.extract.units import Unit, UnknownUnit, factor, spoken, unit, units_in

ORDINAL = re.compile(r"([IVXLC]+|[A-Z])[.)]?")
"""What numbers a group where a cell holds nothing else."""
COLUMN_NUMBER = re.compile(r"\(?(?:(?P<letter>[A-Z])|(?P<number>\d{1,3}))\)?(?P<formula>\s*=.*)?")
ONE_CELL_TITLE = 2
"""Filled cells of a row that may still belong to a title: its words, and something at the side."""


class Kind(StrEnum):
    """What a row is."""

    BLANK = "blank"
    TITLE = "title"
    HEADER = "header"
    NUMBERS = "column numbers"
    GROUP = "group"
    TOTAL = "total"
    RECORD = "record"
    FOOTNOTE = "footnote"
    DROPPED = "dropped by drop_rows"
    UNWANTED = "not in keep_rows"


@dataclass(frozen=True)
class Table:
    """Rows, from 0: the titles from `top`, the header, records from `body` to before `end`."""

    top: int
    header: int
    body: int
    end: int
    labels: list[str]


@dataclass(frozen=True)
class Shaped:
    """The records of a grid, the totals it states, and the account of its rows."""

    frame: pl.DataFrame
    totals: list[Stated]
    account: Account
    widths: dict[int, int]
    """By record: the columns of its table, to the last that has a label."""


def shape(grid: Grid, dataset: Dataset, file: str) -> Shaped:
    """The tables of a grid as one frame of text with `_record` and `_sheet`.

    Raises:
        UnreadableFile: no header, unit, caption or column as declared.
        RowsUnaccounted: the kinds of rows do not add up to those that hold anything.
    """
    kinds = [Kind.TITLE if count else Kind.BLANK for count in grid.counts]
    frames: list[pl.DataFrame] = []
    totals: list[Stated] = []
    widths: dict[int, int] = {}
    given: list[Unit] | None = None
    for table in _tables(grid, dataset):
        rows = _Rows(grid, table, dataset, kinds)
        given = _units(grid, table, dataset, given)
        body = grid.cells.slice(table.body, table.end - table.body)
        totals += _stated(body, rows, dataset, given)
        body = _converted(body, table, dataset, given)
        frames.append(_records(grid, table, dataset, rows, body, file))
        width = max((i + 1 for i, label in enumerate(table.labels) if label), default=0)
        widths |= dict.fromkeys((row + 1 for row in rows.of_kind(Kind.RECORD)), width)
    account = Account(grid.name, grid.filled, _tally(kinds))
    account.close(grid.where)
    return Shaped(together(frames, dataset, grid.where), totals, account, widths)


def _tally(kinds: list[Kind]) -> dict[str, int]:
    return {str(kind): kinds.count(kind) for kind in Kind if kind in kinds and kind != Kind.BLANK}


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


def _tables(grid: Grid, dataset: Dataset) -> Iterator[Table]:
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
    found = set()
    for column in grid.cells.iter_columns():
        # Figures are no labels, and there are many of them.
        words = column.filter(column.str.contains(r"[^\d.,\s-]")).unique().to_list()
        hits = [word for word in words if matches(word, [header.find])]
        found |= set(column.is_in(hits).arg_true().to_list()) if hits else set()
    tops: list[int] = []
    for row in sorted(found):
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


def _title_above(grid: Grid, body: int, header: int, dataset: Dataset) -> int:
    """First row of the title over the header of a further table."""
    stop = _pattern(dataset.read.stop_at)
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


# --- which row is what --------------------------------------------------------------------------


def _pattern(text: str | None, flags: int = 0) -> re.Pattern[str] | None:
    return re.compile(text, flags) if text else None


class _Rows:
    """The rows of one table: sets their `kinds`, and knows the groups and the totals."""

    def __init__(self, grid: Grid, table: Table, dataset: Dataset, kinds: list[Kind]) -> None:
        self.grid, self.table, self.dataset, self.kinds = grid, table, dataset, kinds
        self.figures = figure_columns(table.labels, dataset)
        self.path: dict[int, tuple[str | None, ...]] = {}
        """Names of the groups in which each row stands, outermost first."""
        self.named: dict[int, str] = {}
        """What each group and total is called."""
        self.adds_up: dict[int, Totals | Groups] = {}
        """What says that a row adds up others; totals that are records as well among them."""
        self.continues: dict[int, int] = {}
        """Rows of figures alone, and the total they belong to."""
        for row in range(table.header, table.end):
            if kinds[row] is not Kind.BLANK:
                kinds[row] = Kind.HEADER if row < table.body else Kind.RECORD
        self._leave_out()
        if dataset.clean.groups or dataset.clean.totals:
            self._name()

    def of_kind(self, *wanted: Kind) -> list[int]:
        """Rows of the body of these kinds."""
        return [row for row in range(self.table.body, self.table.end) if self.kinds[row] in wanted]

    def _leave_out(self) -> None:
        """Column numbers, footnotes, and what the catalog drops or does not keep."""
        read, words = self.dataset.read, self.grid.first_filled
        stop, drop, keep = map(_pattern, (read.stop_at, read.drop_rows, read.keep_rows))
        for row in self.of_kind(Kind.RECORD):
            if not self._numbers_columns(row):
                break
            self.kinds[row] = Kind.NUMBERS
        if not (stop or drop or keep):
            return
        over = False
        for row in self.of_kind(Kind.RECORD):
            over = over or (stop is not None and stop.search(words[row][0]) is not None)
            if over:
                self.kinds[row] = Kind.FOOTNOTE
            elif drop and any(map(drop.search, words[row])):
                self.kinds[row] = Kind.DROPPED
            elif keep and not any(map(keep.search, words[row])):
                self.kinds[row] = Kind.UNWANTED

    def _numbers_columns(self, row: int) -> bool:
        """Whether a row is "A B 1 2 3=1+2": letters, then numbers, each the next, in all columns.

        Numbers alone are that only where one of them stands in a column of words: (3, 4, 5) may be
        a record.
        """
        cells = self.grid.rows(row, row + 1)[0]
        filled = {i: cell for i, cell in enumerate(cells) if cell}
        read = [COLUMN_NUMBER.fullmatch(cell) for cell in filled.values()]
        if len(read) < 2 or not all(read):
            return False
        letters = [m["letter"] for m in read if m and m["letter"]]
        numbers = [int(m["number"]) for m in read if m and m["number"]]
        in_order = (
            letters == [chr(ord("A") + i) for i in range(len(letters))]
            and numbers == list(range(1, len(numbers) + 1))
            and all(m and m["letter"] for m in read[: len(letters)])
        )
        plainly = bool(letters) or any(
            cell.startswith("(") or "=" in cell for cell in filled.values()
        )
        return in_order and (plainly or self._among_words(list(filled)))

    def _among_words(self, columns: list[int]) -> bool:
        spellings = [
            field.spellings for field in self.dataset.schema_.fields if field.type == "string"
        ]
        named = {column_of(known, self.table.labels) for known in spellings}
        return any(column in named for column in columns)

    def _name(self) -> None:
        """Groups and totals, and the groups in which each row stands."""
        levels = self.dataset.clean.groups
        path: list[str | None] = [None] * len(levels)
        before: int | None = None
        wanted = (Kind.RECORD, Kind.UNWANTED)
        for row in self.of_kind(*wanted):
            before = self._told(row, path, before)
            self.path[row] = tuple(path)

    def _told(self, row: int, path: list[str | None], before: int | None) -> int | None:
        """Take one row; `before` and the answer are the group or total just above."""
        total = self._total(row)
        level = None if total else self._group(row, before)
        if total:
            self.adds_up[row], self.named[row] = total, self._lead(row)
            self.kinds[row] = self.kinds[row] if total.keep else Kind.TOTAL
            return row
        if level is not None:
            groups = self.dataset.clean.groups[level]
            self.adds_up[row], self.named[row] = groups, self._group_name(row, groups)
            path[level:] = [self.named[row], *[None] * (len(path) - level - 1)]
            self.kinds[row] = Kind.GROUP
            return row
        if before is not None and self._continues(row, before):
            self._join_on(row, before, path)
            return before
        return None

    def _words(self, row: int) -> list[str]:
        read = self.dataset.read
        return [cell for cell in self.grid.first_filled[row] if number(cell, read) is None]

    def _lead(self, row: int) -> str:
        return re.sub(r"\s+", " ", " ".join(self._words(row)))

    def _total(self, row: int) -> Totals | None:
        said = [*self._words(row), self._lead(row)]
        for totals in self.dataset.clean.totals:
            if any(re.search(totals.match, text, re.IGNORECASE) for text in said):
                return totals
        return None

    def _group(self, row: int, before: int | None) -> int | None:
        """Which level of groups the row opens."""
        lead = self._lead(row)
        for level, groups in enumerate(self.dataset.clean.groups):
            if groups.match is None:
                if self._opens(row, before):
                    return level
            elif re.search(groups.match, lead, re.IGNORECASE):
                return level
        return None

    def _opens(self, row: int, before: int | None) -> bool:
        """Whether a row is a group by its looks: numbered I or A, or words and no figures."""
        words = self._words(row)
        if len(words) > 1 and ORDINAL.fullmatch(words[0]):
            return True
        numbered = before is not None and ORDINAL.fullmatch(self._words(before)[0])
        return bool(words) and not self._has_figures(row) and not numbered

    def _group_name(self, row: int, groups: Groups) -> str:
        lead = self._lead(row)
        if groups.match:
            return re.sub(groups.match, "", lead, count=1, flags=re.IGNORECASE).strip() or lead
        number_, _, rest = lead.partition(" ")
        return rest if rest and ORDINAL.fullmatch(number_) else lead

    def _has_figures(self, row: int) -> bool:
        cells = self.grid.rows(row, row + 1)[0]
        return any(cells[column] for column in self.figures)

    def _continues(self, row: int, before: int) -> bool:
        """The rest of a name, in a row of its own; or figures without a name, below a total."""
        if self.kinds[before] is Kind.GROUP:
            return self.grid.counts[row] == 1 and not self._has_figures(row)
        return self.kinds[before] is Kind.TOTAL and not self._words(row)

    def _join_on(self, row: int, before: int, path: list[str | None]) -> None:
        self.kinds[row] = self.kinds[before]
        if self.kinds[before] is Kind.TOTAL:
            self.continues[row] = before
            return
        level = path.index(self.named[before])
        self.named[before] = path[level] = f"{self.named[before]} {self._lead(row)}"
        self.path[before] = tuple(path)


# --- what is around the records -----------------------------------------------------------------


def _titles(grid: Grid, table: Table) -> Iterator[tuple[str, str]]:
    """Address and text of each cell above the header."""
    for i, row in enumerate(grid.rows(table.top, table.header), start=table.top + 1):
        for c, cell in enumerate(row):
            if cell:
                yield f"{_letters(c)}{i}", cell


def _letters(column: int) -> str:
    """The name of a column, from 0: A, B, ..., Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _captions(grid: Grid, table: Table, dataset: Dataset, file: str) -> dict[str, str]:
    """What `read.caption` finds above the table, or in the name of the sheet or the file."""
    if dataset.read.caption is None:
        return {}
    said = [text for _, text in _titles(grid, table)]
    for text in [*said, grid.name or "", file]:
        found = re.search(dataset.read.caption, text, re.IGNORECASE)
        if found:
            return {f"${name}": value for name, value in found.groupdict().items() if value}
    raise UnreadableFile(
        f"no cell above the table matches {dataset.read.caption!r}",
        where=grid.where,
        hint=f"cells there: {'; '.join(said) or 'none'}; see read: {{caption: ...}}",
    )


def _units(
    grid: Grid, table: Table, dataset: Dataset, given: list[Unit] | None
) -> list[Unit] | None:
    """The units named above the table, or `given`, those of the table above."""
    pattern = _pattern(dataset.read.unit, re.IGNORECASE)
    if pattern is None:
        return None
    named = [(place, text) for place, text in _titles(grid, table) if pattern.search(text)]
    if not named and given is None:
        raise UnknownUnit(
            f"no cell above the table matches {dataset.read.unit!r}",
            where=grid.where,
            hint="see read: {unit: ...}",
        )
    found = [units for place, text in named if (units := _named(grid, dataset, place, text))]
    if len({tuple(units) for units in found}) > 1:
        said = " and ".join(f"{text!r} in {place}" for place, text in named)
        raise UnknownUnit(
            f"two units: {said}", where=grid.where, hint="make read: {unit: ...} find one of them"
        )
    return found[0] if found else given


def _named(grid: Grid, dataset: Dataset, place: str, text: str) -> list[Unit]:
    """The units of one cell.

    Raises:
        UnknownUnit: none is known, or none is one that a field can be converted to.
    """
    where = f"{grid.where}, cell {place}"
    try:
        found = units_in(text)
    except UnknownUnit:
        raise UnknownUnit(
            f"{text!r} names no unit that is known, or two at once",
            where=where,
            hint=f"known are {', '.join(spoken())}, with nghìn, triệu or tỷ; "
            "or take read: {unit: ...} out, and write the figures' own unit to the fields",
        ) from None
    wanted = {field.unit: unit(field.unit) for field in dataset.schema_.fields if field.unit}
    if not {u.dimension for u in found} & {u.dimension for u in wanted.values() if u}:
        raise UnknownUnit(
            f"figures are in {text!r}, which cannot be converted to {', '.join(wanted)}",
            where=where,
            hint="correct the unit of the fields, or ask the department what it means",
        )
    return found


def figure_columns(labels: list[str], dataset: Dataset) -> dict[int, FieldEntry]:
    """By position: the field of each column of figures, those to be made long among them."""
    unpivot = dataset.clean.unpivot
    found: dict[int, FieldEntry] = {}
    for field in dataset.schema_.fields:
        if field.type not in ("integer", "number"):
            continue
        if unpivot and unpivot.into in (field.name, *field.from_):
            wide = re.compile(unpivot.columns)
            found |= {i: field for i, label in enumerate(labels) if label and wide.search(label)}
        elif (place := column_of(field.spellings, labels)) is not None:
            found[place] = field
    return found


def _unit_of(field: FieldEntry, given: list[Unit] | None) -> tuple[Unit | None, Decimal]:
    """The unit of a field's figures in the file, and what they are to be multiplied with."""
    wanted = unit(field.unit) if field.unit else None
    found = next((u for u in given or [] if wanted and u.dimension == wanted.dimension), wanted)
    return found, factor(found, wanted) if found and wanted else Decimal(1)


def _converted(
    body: pl.DataFrame, table: Table, dataset: Dataset, given: list[Unit] | None
) -> pl.DataFrame:
    """The rows below the header, figures in the units of their fields."""
    for place, field in figure_columns(table.labels, dataset).items():
        _, times = _unit_of(field, given)
        if times != 1:
            body = body.with_columns(_multiplied(body[str(place)], times, dataset))
    return body


def _multiplied(column: pl.Series, times: Decimal, dataset: Dataset) -> pl.Series:
    """Figures times `times`, exactly; what is no figure stays as it stands, to be rejected."""
    made = {}
    for text in column.unique().drop_nulls().to_list():
        figure = number(text, dataset.read)
        if figure is not None:
            digits = format(figure * times, "f")
            digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
            made[text] = digits.replace(".", dataset.read.decimal)
    return column.replace(list(made), list(made.values())) if made else column


def _stated(
    body: pl.DataFrame, rows: "_Rows", dataset: Dataset, given: list[Unit] | None
) -> Iterator[Stated]:
    """Each figure of a total or group, beside what its records add up to."""
    table, kept = rows.table, (Kind.RECORD, Kind.UNWANTED)
    members = [row for row in rows.of_kind(*kept) if row not in rows.adds_up]
    for place, field in rows.figures.items() if rows.adds_up else ():
        texts = body[str(place)].to_list()
        found, times = _unit_of(field, given)
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


def _part(what: Totals | Groups, rows: _Rows, row: int, members: list[int]) -> list[int]:
    """The records that a total or a group adds up."""
    if isinstance(what, Totals) and what.of == "records":
        return members
    path = rows.path[row]
    while path and path[-1] is None:
        path = path[:-1]
    return [member for member in members if rows.path[member][: len(path)] == path]


def _records(
    grid: Grid, table: Table, dataset: Dataset, rows: _Rows, body: pl.DataFrame, file: str
) -> pl.DataFrame:
    """The records of one table, with groups, captions and the name of the sheet as columns."""
    records = rows.of_kind(Kind.RECORD)
    labelled = {str(i): label for i, label in enumerate(table.labels) if label}
    chosen = body.select(list(labelled)).rename(labelled)
    if len(records) < body.height:
        chosen = chosen[[row - table.body for row in records]]
    groups = [
        pl.Series(
            level.into, [rows.path[row][i] for row in records] if rows.path else [], dtype=pl.String
        )
        for i, level in enumerate(dataset.clean.groups)
    ]
    captions = {"$sheet": grid.name, **_captions(grid, table, dataset, file)}
    columns = chosen.with_columns(
        *groups, *(pl.lit(text, dtype=pl.String).alias(name) for name, text in captions.items())
    )
    return shaped(columns, [row + 1 for row in records], dataset, sheet=grid.name, where=grid.where)
