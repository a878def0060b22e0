"""Which columns and rows the template of a dataset has, as its entry in the catalog reads them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as made_by
from datetime import date
from itertools import product

import polars as pl

from etl.catalog import Catalog, Dataset, FieldEntry
from etl.errors import ForesightError
from etl.extract.raw import matches, plain
from etl.geography import AmbiguousArea, Geography, UnknownArea
from etl.handin.wide import Codes, caption_of, into, told_elsewhere, wide_columns
from etl.handin.words import word
from etl.normalise import STATUSES
from etl.patterns import compiled
from etl.periods import Period

MOST_ROWS = 5_000
"""Rows that are filled in beforehand; where there would be more, none are."""
KEYS = ("indicator", "area", "category", "period")
"""Fields whose values are known before anybody fills in a figure."""
STATUS_WORDS = ["chính thức", "sơ bộ", "ước", "kế hoạch"]


class NoTemplate(ForesightError):
    """No template can be made from this entry."""


@dataclass(frozen=True)
class Choice:
    """What may stand in a cell: the code in the clean table, and the text in the file."""

    code: str
    text: str


@dataclass(frozen=True)
class FormColumn:
    """A column to fill in, and of which field of which dataset it is."""

    label: str
    field: FieldEntry
    dataset: Dataset
    choices: tuple[Choice, ...] = ()
    means: Codes = made_by(default_factory=dict)
    """What the column itself says of its cells, in a wide table: codes by field."""

    @property
    def asked(self) -> bool:
        """Whether it is for figures and words of the department, and not filled in beforehand."""
        return self.field.name not in KEYS


@dataclass(frozen=True)
class Form:
    """Sheet, columns, and the codes of each row by field; no rows where they are not known."""

    sheet: str
    columns: list[FormColumn]
    rows: list[dict[str, Choice]]
    caption: str | None = None
    """What must stand above the table."""


def form_of(catalog: Catalog, dataset: Dataset, period: Period) -> Form:
    """The form of a dataset, and of all that read the same file.

    Raises:
        NoTemplate: the file is no plain table, or its header cannot be written from the entry.
    """
    family = [one for one in catalog.resources if one.path == dataset.path]
    for one in family:
        _check_plain(one)
    caption = caption_of(dataset, period) if dataset.read.caption else None
    columns: dict[str, FormColumn] = {}
    for one in family:
        for column in _columns(catalog, family, one, period, caption):
            columns.setdefault(plain(column.label), column)
    made = list(columns.values())
    _check_header(dataset, made)
    return Form(_sheet(dataset), made, _rows(made, dataset, period), caption)


def _check_plain(dataset: Dataset) -> None:
    read, clean = dataset.read, dataset.clean
    shaped = {
        "clean.groups": clean.groups,
        "clean.compose": clean.compose and not clean.unpivot,
        "read.caption": read.caption and not read.header,
        "read.unit": read.unit,
        "a format that is no workbook": dataset.format != "xlsx",
    }
    for what, found in shaped.items():
        if found:
            raise NoTemplate(f"no template can be made for {dataset.name}: {what}", hint=COPY)


COPY = "fill in a copy of the last file; it is read and judged like any other"


def _check_header(dataset: Dataset, columns: list[FormColumn]) -> None:
    header = dataset.read.header
    if header and not any(matches(column.label, [header.find]) for column in columns):
        raise NoTemplate(
            f"no column of {dataset.name} is headed {header.find!r}, by which its header is found",
            hint=COPY,
        )


def _columns(
    catalog: Catalog, family: list[Dataset], one: Dataset, period: Period, caption: str | None
) -> Iterator[FormColumn]:
    figures = into(one)
    for entry in one.schema_.fields:
        told = entry.name in one.clean.constant or told_elsewhere(one, entry)
        if entry is not figures and not told:
            choices = _choices(catalog, family, one, entry, period)
            yield FormColumn(_label(entry, one), entry, one, choices)
    if one.clean.unpivot:
        yield from _wide(catalog, family, one, period, caption)


def _wide(
    catalog: Catalog, family: list[Dataset], one: Dataset, period: Period, caption: str | None
) -> Iterator[FormColumn]:
    """The columns of figures of a wide table."""
    figures = into(one)
    known = {
        entry.name: [(choice.code, choice.text) for choice in choices]
        for entry in one.schema_.fields
        if (choices := _choices(catalog, family, one, entry, period))
    }
    found = wide_columns(one, period, known, caption)
    if figures is None or not found:
        raise NoTemplate(
            f"no heading can be written that clean.unpivot of {one.name} would find", hint=COPY
        )
    for label, means in found:
        yield FormColumn(label, figures, one, means=means)


def _label(field: FieldEntry, dataset: Dataset) -> str:
    """A header under which the field is found."""
    ways = [way for way in field.spellings if not way.startswith(("^", "$"))]
    ways += [field.title] if field.title else []
    ways += [re.sub(r"[\^$\\]", "", way) for way in field.spellings]
    for way in ways:
        if matches(way, field.spellings):
            return way
    raise NoTemplate(
        f"no header can be written for {field.name!r} of {dataset.name}",
        hint="add to `from` the header as people write it",
    )


def _sheet(dataset: Dataset) -> str:
    wanted = dataset.read.sheet
    usual = word("template.sheet", "vi")
    if not wanted or not wanted.startswith("^"):
        return wanted or usual
    for name in (usual, re.sub(r"[\^$\\]", "", wanted)):
        if compiled(wanted).search(name):
            return name[:31]
    raise NoTemplate(
        f"no name of a sheet follows from {wanted!r}", hint="write a plain name under read.sheet"
    )


def _choices(
    catalog: Catalog, family: list[Dataset], dataset: Dataset, field: FieldEntry, period: Period
) -> tuple[Choice, ...]:
    """What may stand in the cells of a field; nothing where anything may."""
    if field.name == "area" and dataset.clean.areas:
        return tuple(_areas(dataset, period))
    if field.name == "indicator" and not field.categories:
        names = dict.fromkeys(name for one in family for name in one.delivered)
        return tuple(Choice(name, name) for name in names if not catalog.indicators[name].compute)
    if field.categories:
        return tuple(Choice(one.value, one.label) for one in field.categories)
    if field.name == "status":
        return tuple(Choice(STATUSES[text], text) for text in STATUS_WORDS)
    return tuple(Choice(text, text) for text in field.constraints.enum or [])


def _areas(dataset: Dataset, period: Period) -> Iterator[Choice]:
    """The places of the levels asked for, under names that mean them on the day."""
    reading = dataset.clean.areas
    if reading is None:
        return
    fixed = reading.on and not dataset.field(reading.on)
    day = date.fromisoformat(str(reading.on)) if fixed else period.end
    there = dataset.map.areas.filter(
        pl.col("level").is_in(reading.level),
        pl.col("valid_from") <= day,
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= day),
    )
    for row in there.sort("level", "code").iter_rows(named=True):
        yield Choice(row["code"], _name(row["code"], row["kind"], row["name"], day, dataset))


def _name(code: str, kind: str, name: str, day: date, dataset: Dataset) -> str:
    geography, levels = dataset.map, dataset.clean.areas.level if dataset.clean.areas else None
    ways = [f"{kind.capitalize()} {name}".strip(), name, f"{name} (mới)", code]
    return next((way for way in ways if _means(geography, way, day, levels, code)), code)


def _means(geography: Geography, way: str, day: date, levels: object, code: str) -> bool:
    try:
        return geography.resolve(way, day, levels).code == code  # type: ignore[arg-type]
    except (UnknownArea, AmbiguousArea):
        return False


def _rows(columns: list[FormColumn], dataset: Dataset, period: Period) -> list[dict[str, Choice]]:
    """Every combination of what is known beforehand; none where something else tells rows apart."""
    named = {column.field.name: column for column in columns if not column.asked}
    key = set(dataset.schema_.primary_key)
    parts = {name: list(column.choices) for name, column in named.items() if name != "period"}
    many = 1
    for choices in parts.values():
        many *= len(choices)
    if (
        dataset.case_level
        or not key <= {*KEYS, *dataset.clean.constant, *(n for one in columns for n in one.means)}
        or not 0 < many <= MOST_ROWS
    ):
        return []
    if "period" in named:
        parts["period"] = [Choice(str(period), period.label("vi"))]
    if not parts:
        return []
    return [dict(zip(parts, row, strict=True)) for row in product(*parts.values())]
