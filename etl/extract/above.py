"""What the cells above a table say of it: captions, and the unit of its figures."""

import re
from collections.abc import Iterator
from decimal import Decimal

import polars as pl

from etl.catalog import Dataset, FieldEntry
from etl.extract.grid import Grid
from etl.extract.raw import UnreadableFile
from etl.extract.rows import Table, compiled, figure_columns
from etl.extract.totals import number
from etl.extract.units import Unit, UnknownUnit, factor, spoken, unit, units_in


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


def captions(grid: Grid, table: Table, dataset: Dataset, file: str) -> dict[str, str]:
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


def units_above(
    grid: Grid, table: Table, dataset: Dataset, given: list[Unit] | None
) -> list[Unit] | None:
    """The units named above the table, or `given`, those of the table above."""
    pattern = compiled(dataset.read.unit, re.IGNORECASE)
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


def unit_of(field: FieldEntry, given: list[Unit] | None) -> tuple[Unit | None, Decimal]:
    """The unit of a field's figures in the file, and what they are to be multiplied with."""
    wanted = unit(field.unit) if field.unit else None
    found = next((u for u in given or [] if wanted and u.dimension == wanted.dimension), wanted)
    return found, factor(found, wanted) if found and wanted else Decimal(1)


def converted(
    body: pl.DataFrame, table: Table, dataset: Dataset, given: list[Unit] | None
) -> pl.DataFrame:
    """The rows below the header, figures in the units of their fields."""
    for place, field in figure_columns(table.labels, dataset).items():
        _, times = unit_of(field, given)
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
