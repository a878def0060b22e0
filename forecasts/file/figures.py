"""Figures as people write them: decimal points and commas, groups of thousands, words for nothing.

`1.234` alone says neither a thousand nor one: the whole column decides, and where it does not, a
file of Excel's semicolons is asked about and any other takes the point for decimals, and says so.
"""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from etl.errors import ForesightError, Problems
from forecasts.file.table import ROW, Table

MISSING = ["", "-", "–", "—", ".", "..", "...", "…", "na", "n/a", "#n/a", "nan", "null", "none"]
"""What stands for no value, in small letters."""
FIGURE = r"^[-+−]?(\d[\d., \u00a0\u202f]*|[.,]\d+)([eE][-+]?\d+)?$"
SPACES = r"[ \u00a0\u202f]"
MOST_NAMED = 5
"""Rows that one error names."""
EXAMPLES = 20_000

Decimal = Literal[".", ","]


class NotAFigure(ForesightError):
    """A cell of the values that is neither a number nor empty."""


class UnclearFigure(ForesightError):
    """Figures that may mean one thing or a thousand times as much."""


@dataclass(frozen=True, eq=False)
class Figures:
    """The values of a column, and how they were read."""

    values: pl.Series
    decimal: Decimal
    unsure: str | None = None
    """A figure that would have been another with the other sign."""


def stripped(column: str) -> pl.Expr:
    """The text of a column without blanks around it; null where it stands for nothing."""
    text = pl.col(column).str.strip_chars()
    return pl.when(text.str.to_lowercase().is_in(MISSING)).then(None).otherwise(text).alias(column)


def figures_of(table: Table, column: str, decimal: Decimal | None) -> Figures:
    """The values of `column`, null where there is none.

    Raises:
        Problems: every cell that is no number, by row, each a `NotAFigure`.
        UnclearFigure: nothing tells thousands from decimals.
    """
    kind = table.frame.schema[column]
    if kind != pl.String:
        values = table.frame[column].cast(pl.Float64, strict=False).fill_nan(None)
        _refuse_unread(table, column, values)
        return Figures(values, ".")
    texts = table.frame.select(stripped(column)).to_series()
    signs, unsure = _decimal(table, texts) if decimal is None else (decimal, None)
    group = "." if signs == "," else ","
    bare = texts.str.replace_all(SPACES, "").str.replace("−", "-", literal=True)
    # A point where commas part decimals is a slip, unless it groups thousands.
    fits = bare.str.contains(
        rf"^[-+]?(\d+|\d{{1,3}}([{group}]\d{{3}})+)?([{signs}]\d*)?([eE][-+]?\d+)?$"
    )
    plain = bare.str.replace_all(group, "", literal=True).str.replace(signs, ".", literal=True)
    values = plain.cast(pl.Float64, strict=False).set(~fits.fill_null(value=True), None)
    _refuse_unread(table, column, values)
    return Figures(values, signs, unsure)


def _decimal(table: Table, texts: pl.Series) -> tuple[Decimal, str | None]:
    from etl.draft.figures import signs_of

    written = texts.filter(texts.str.contains(r"[.,]").fill_null(value=False))
    signs = signs_of([written.unique(maintain_order=True).head(EXAMPLES).to_list()])
    if signs.why or not signs.unsure:
        return signs.decimal, None
    example = signs.unsure[0]
    if table.delimiter == ";":
        raise UnclearFigure(
            f"{example!r} may be a thousand or a decimal figure",
            where=table.name,
            hint="say which sign parts the decimals: --decimal , or --decimal .",
        )
    return ".", example


def _refuse_unread(table: Table, column: str, values: pl.Series) -> None:
    """Every cell that holds something that is no finite number is named, up to a few."""
    cells = table.frame.select(
        ROW, cell=stripped(column) if table.frame.schema[column] == pl.String else pl.col(column)
    ).with_columns(value=values)
    lost = pl.col("cell").is_not_null() & (
        pl.col("value").is_null() | pl.col("value").is_infinite()
    )
    if table.frame.schema[column].is_float():
        lost &= pl.col("cell").is_not_nan()
    bad = cells.filter(lost)
    if bad.is_empty():
        return
    problems: list[ForesightError] = [
        NotAFigure(
            f"{str(cell)!r} is no number",
            where=f"{table.at(row)}",
            hint="write the number, or leave the cell empty: a gap is no zero",
        )
        for row, cell in bad.head(MOST_NAMED).select(ROW, "cell").iter_rows()
    ]
    raise Problems([*problems, *more_rows(table, len(bad))])


def more_rows(table: Table, count: int) -> list[ForesightError]:
    """That there are more rows like those named, if there are."""
    if count <= MOST_NAMED:
        return []
    return [ForesightError(f"{count - MOST_NAMED} more rows like these", where=table.name)]
