"""Which row of a table is what, and the groups in which each stands."""

import re
from dataclasses import dataclass
from enum import StrEnum

from etl.catalog import Dataset, FieldEntry, Groups, Totals
from etl.extract.grid import Grid
from etl.extract.raw import column_of, without_result
from etl.extract.totals import number
from etl.patterns import compiled

ORDINAL = re.compile(r"([IVXLC]+|[A-Z])[.)]?")
"""What numbers a group where a cell holds nothing else."""
COLUMN_NUMBER = re.compile(r"\(?(?:(?P<letter>[A-Z])|(?P<number>\d{1,3}))\)?(?P<formula>\s*=.*)?")


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


class Rows:
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
        self._leave_out_numbers()
        read = self.dataset.read
        stop, drop, keep = (
            text and compiled(text) for text in (read.stop_at, read.drop_rows, read.keep_rows)
        )
        if not (stop or drop or keep):
            return
        words, over = self.grid.first_filled, False
        for row in self.of_kind(Kind.RECORD):
            over = over or bool(stop and stop.search(words[row][0]))
            if over:
                self.kinds[row] = Kind.FOOTNOTE
            elif drop and any(map(drop.search, words[row])):
                self.kinds[row] = Kind.DROPPED
            elif keep and not any(map(keep.search, words[row])):
                self.kinds[row] = Kind.UNWANTED

    def _leave_out_numbers(self) -> None:
        for row in range(self.table.body, self.table.end):
            if self.kinds[row] is Kind.RECORD:
                if not self._numbers_columns(row):
                    break
                self.kinds[row] = Kind.NUMBERS

    def _numbers_columns(self, row: int) -> bool:
        """Whether a row is "A B 1 2 3=1+2": letters, then numbers, each the next, in all columns.

        Numbers alone are that only where one of them stands in a column of words: (3, 4, 5) may be
        a record.
        """
        cells = self.grid.rows(row, row + 1)[0]
        filled = {i: cell for i, cell in enumerate(cells) if cell and not without_result(cell)}
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
        return [
            cell
            for cell in self.grid.first_filled[row]
            if number(cell, read) is None and not without_result(cell)
        ]

    def _lead(self, row: int) -> str:
        return re.sub(r"\s+", " ", " ".join(self._words(row)))

    def _total(self, row: int) -> Totals | None:
        said = [*self._words(row), self._lead(row)]
        for totals in self.dataset.clean.totals:
            if any(compiled(totals.match, any_case=True).search(text) for text in said):
                return totals
        return None

    def _group(self, row: int, before: int | None) -> int | None:
        """Which level of groups the row opens."""
        lead = self._lead(row)
        for level, groups in enumerate(self.dataset.clean.groups):
            if groups.match is None:
                if self._opens(row, before):
                    return level
            elif compiled(groups.match, any_case=True).search(lead):
                return level
        return None

    def _opens(self, row: int, before: int | None) -> bool:
        """Whether a row is a group by its looks: numbered I or A, or words and no figures."""
        above = None if before is None else self._words(before)
        return opens_group(self._words(row), above, has_figures=self._has_figures(row))

    def _group_name(self, row: int, groups: Groups) -> str:
        lead = self._lead(row)
        if groups.match:
            return compiled(groups.match, any_case=True).sub("", lead, 1).strip() or lead
        return group_name(lead)

    def _has_figures(self, row: int) -> bool:
        cells = self.grid.rows(row, row + 1)[0]
        return any((cell := cells[i]) and not without_result(cell) for i in self.figures)

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


def opens_group(words: list[str], above: list[str] | None, *, has_figures: bool) -> bool:
    """Whether a row is a group by its looks: numbered I or A, or words and no figures.

    `words` are its first cells without numbers; `above` those of the group or total just above it.
    """
    if len(words) > 1 and ORDINAL.fullmatch(words[0]):
        return True
    numbered = above is not None and ORDINAL.fullmatch(above[0])
    return bool(words) and not has_figures and not numbered


def group_name(lead: str) -> str:
    """The words of a group without its number: "I Sở, ban, ngành" is "Sở, ban, ngành"."""
    number_, _, rest = lead.partition(" ")
    return rest if rest and ORDINAL.fullmatch(number_) else lead


def figure_columns(labels: list[str], dataset: Dataset) -> dict[int, FieldEntry]:
    """By position: the field of each column of figures, those to be made long among them."""
    unpivot = dataset.clean.unpivot
    found: dict[int, FieldEntry] = {}
    for field in dataset.schema_.fields:
        if field.type not in ("integer", "number"):
            continue
        if unpivot and unpivot.into in (field.name, *field.from_):
            wide = compiled(unpivot.columns)
            found |= {i: field for i, label in enumerate(labels) if label and wide.search(label)}
        elif (place := column_of(field.spellings, labels)) is not None:
            found[place] = field
    return found
