"""Which cells a broken rule speaks of.

A field is found by its labels, as the loader finds it. A record made of a column of years stands in
the column that holds its value. Where the text in the file is not the text that was rejected, no
cell is claimed: the row's first filled cell is marked, and the column is named.
"""

import re
from dataclasses import dataclass

from etl.catalog import Dataset, FieldEntry
from etl.expressions import condition
from etl.extract.raw import column_of, plain
from etl.patterns import Match, compiled, group_names
from etl.returned.broken import Broken
from etl.returned.source import Page, Row


@dataclass(frozen=True)
class Place:
    """A cell, or the header of a column, and what is known of it."""

    record: int
    """Number of the record; 0 is the header."""
    column: int
    """From 0."""
    label: str
    text: str | None
    certain: bool = True


def places(page: Page, broken: Broken) -> list[Place]:
    """The cells the rule speaks of, at least one."""
    row = page.rows.get(broken.record, [])
    if broken.field is None:
        return [_beginning(page, row, broken.record, "", certain=True)]
    found: list[Place] = []
    for name in fields_of(broken.dataset, broken.rule, broken.field):
        pointed_at = name == broken.field
        value = broken.value if pointed_at else None
        found += _of_field(page, row, broken, name, value)
    return found or [_beginning(page, row, broken.record, broken.field)]


def fields_of(dataset: Dataset, rule: str, field: str) -> list[str]:
    """The fields between which a rule holds, that it points at first."""
    named = next((one for one in dataset.rules if one.name == rule), None)
    if named:
        known = [f.name for f in dataset.schema_.fields]
        words = re.findall(r"\w+", named.check or condition(named.sql or "", dataset))
        return list(dict.fromkeys([field, *(word for word in words if word in known)]))
    if rule == "key_unique":
        return dataset.schema_.primary_key
    return [field]


def column_labels(page: Page, dataset: Dataset, field: str) -> list[str]:
    """Labels of the columns a field may stand in; none where the catalog gives its value."""
    entry = dataset.field(field)
    if entry is None or field in dataset.clean.constant:
        return []
    found = column_of(entry.spellings, page.labels)
    if found is not None:
        return [page.labels[found]]
    if parts := _parts(dataset, entry):
        return [label for label in page.labels if label in parts]
    unpivot = dataset.clean.unpivot
    if unpivot is None:
        return []
    made = column_of(entry.spellings, [*group_names(unpivot.columns), unpivot.into])
    pattern = compiled(unpivot.columns)
    return [] if made is None else [label for label in page.labels if pattern.search(label)]


def _parts(dataset: Dataset, entry: FieldEntry) -> list[str]:
    """Labels of the columns that a field is composed from."""
    composed = list(dataset.clean.compose)
    found = column_of(entry.spellings, composed)
    return [] if found is None else re.findall(r"\{(.+?)\}", dataset.clean.compose[composed[found]])


def _of_field(page: Page, row: Row, broken: Broken, field: str, value: str | None) -> list[Place]:
    dataset = broken.dataset
    labels = column_labels(page, dataset, field)
    columns = [page.labels.index(label) for label in labels]
    if not columns:
        return []
    cells = [Place(broken.record, c, page.labels[c], _at(row, c)) for c in columns]
    if value is None:
        return cells if len(cells) == 1 else _spread(dataset, field, cells, None)
    same = [cell for cell in cells if _same(cell.text, value)]
    if same:
        return same
    # What was composed, or converted to another unit, stands nowhere as it was rejected.
    entry = dataset.field(field)
    if entry and _parts(dataset, entry):
        return cells
    if dataset.read.unit and len(cells) == 1 and cells[0].text:
        return cells
    if spread := _spread(dataset, field, cells, value):
        return spread
    above = _above(page, dataset, cells[0], value) if len(cells) == 1 else None
    return [above or _beginning(page, row, broken.record, cells[0].label)]


def _spread(dataset: Dataset, field: str, cells: list[Place], value: str | None) -> list[Place]:
    """Of columns that are values of a variable: the filled cells, or the header that says it."""
    unpivot = dataset.clean.unpivot
    entry = dataset.field(field)
    if unpivot is None or entry is None:
        return []
    if column_of(entry.spellings, [unpivot.into]) is not None:
        return [cell for cell in cells if cell.text] if value is None else []
    pattern = compiled(unpivot.columns)
    said = [cell for cell in cells if _says(pattern.search(cell.label), value)]
    return [Place(0, cell.column, cell.label, cell.label) for cell in said] if value else []


def _says(match: Match | None, value: str | None) -> bool:
    return match is not None and any(
        _same(text, value or "") for text in match.groupdict().values()
    )


def _above(page: Page, dataset: Dataset, cell: Place, value: str) -> Place | None:
    """Where a value that was filled down stands, if it was."""
    if plain(cell.label) not in map(plain, dataset.clean.fill_down) or cell.text:
        return None
    for number in sorted((n for n in page.rows if n < cell.record), reverse=True):
        text = _at(page.rows[number], cell.column)
        if text:
            return Place(number, cell.column, cell.label, text) if _same(text, value) else None
    return None


def _beginning(page: Page, row: Row, record: int, label: str, *, certain: bool = False) -> Place:
    column = next((i for i, cell in enumerate(row) if cell), 0)
    here = label or (page.labels[column] if column < len(page.labels) else "")
    return Place(record, column, here, _at(row, column), certain=certain)


def _at(row: Row, column: int) -> str | None:
    return row[column] if column < len(row) else None


def _same(text: str | None, value: str) -> bool:
    return text is not None and plain(text) == plain(value)
