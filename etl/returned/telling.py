"""The cells of a file that were not taken, in words: where, what stands there, what should."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from openpyxl.utils import get_column_letter

from etl.catalog import Dataset
from etl.returned.broken import BadFile, Broken
from etl.returned.explain import Told, reason
from etl.returned.give_back import placed
from etl.returned.opened import Opened, opened
from etl.returned.places import Place
from etl.returned.source import WORKBOOKS
from etl.rule_words import Language
from etl.warehouse import Warehouse


@dataclass(frozen=True)
class BadCell:
    """A cell, and why its record was not taken."""

    file: str
    sheet: str | None
    record: int
    """Row of the sheet, or number of the record in the file, from 1; 0 is the header."""
    cell: str | None
    """Its address, such as C4, in a sheet."""
    column: str
    """What stands above it."""
    found: str | None
    """What stands in it; `None` where it is empty, or hidden."""
    problem: str
    expected: str
    remedy: str
    hidden: bool
    """Whether what stands in it is sensitive."""


def bad_cells(
    warehouse: Warehouse, file: BadFile, language: Language, most: int
) -> Iterator[BadCell]:
    """The cells of at most so many broken rules, in the order of the file."""
    few = replace(file, broken=file.broken[:most])
    sent = opened(few)
    for broken, place, told in placed(warehouse, few, sent):
        yield _told(few.shown, broken, place, _shown(told, broken.dataset), sent, language)


def _told(
    shown: str, broken: Broken, place: Place, told: Told, sent: Opened, language: Language
) -> BadCell:
    why = reason(broken, told, language)
    in_a_sheet = broken.dataset.format in WORKBOOKS
    _, row, column = sent.cell(broken, place)
    value = place.text if place.certain else broken.value
    hidden = _is_hidden(place, broken, told)
    return BadCell(
        file=shown,
        sheet=broken.sheet,
        record=row if in_a_sheet else place.record,
        cell=f"{get_column_letter(column)}{row}" if in_a_sheet and place.certain else None,
        column=place.label,
        found=None if hidden else value,
        problem=why.title,
        expected=why.expected,
        remedy=why.remedy,
        hidden=hidden,
    )


def _is_hidden(place: Place, broken: Broken, told: Told) -> bool:
    """Whether the cell may hold what is told to nobody but the owner of the file."""
    secret = {entry.name for entry in broken.dataset.schema_.fields if entry.sensitive}
    labels = {told.labels.get(name) for name in secret}
    whole_line = broken.field is None and bool(secret)
    return whole_line or broken.field in secret or place.label in labels


def _shown(told: Told, dataset: Dataset) -> Told:
    """Without the texts of sensitive fields."""
    secret = {entry.name for entry in dataset.schema_.fields if entry.sensitive}
    return replace(told, texts={n: text for n, text in told.texts.items() if n not in secret})
