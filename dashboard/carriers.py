"""Which parts carry the change of a whole, in figures that add up to it as they are written.

The parts are the communes or the fields of the last twelve months against the twelve before.
Where the parts do not add up to the whole, nothing is said: part of it is not known.
"""

from dataclasses import dataclass

import polars as pl

from dashboard.published import CITY
from dashboard.reader import Reader
from dashboard.workload import TOTAL

MOST = 5
"""Parts told by name; the others are told together."""
APART = 0.005
"""Of the whole: how far the sum of the parts may be from it."""


@dataclass(frozen=True)
class Carried:
    """A change of a whole, and the parts it is made of."""

    change: int
    parts: tuple[tuple[str, int], ...]
    """Code and change of the largest, largest first."""
    others: int
    """Change of all other parts together."""
    count: int
    """How many those are."""


def carried(parts: pl.DataFrame, whole: float) -> Carried | None:
    """Parts with columns `code` and `change`, against the change of the whole.

    None where they do not add up, or where nothing is known of one of them.
    """
    if parts.is_empty() or parts["change"].has_nulls():
        return None
    rounded = parts.with_columns(pl.col("change").round().cast(pl.Int64))
    total = float(parts["change"].sum())
    if abs(total - whole) > APART * max(abs(whole), float(parts["change"].abs().sum())):
        return None
    first = rounded.sort(pl.col("change").abs(), "code", descending=[True, False]).head(MOST)
    # The whole is the one that is published; what rounding leaves is of the others.
    change, told = round(whole), int(first["change"].sum())
    named = tuple(first.select("code", "change").iter_rows())
    return Carried(change, named, change - told, len(parts) - len(first))


def of_communes(reader: Reader, field: str) -> Carried | None:
    """The communes that carry the change of the city in one field."""
    found = _changes(reader, "commune").filter(pl.col("category") == field)
    return _of(found.rename({"area": "code"}), reader, field)


def of_fields(reader: Reader) -> Carried | None:
    """The fields that carry the change of the city in all of them."""
    mine = (pl.col("area") == CITY) & (pl.col("category") != TOTAL)
    return _of(_changes(reader, "city").filter(mine).rename({"category": "code"}), reader, TOTAL)


def _of(parts: pl.DataFrame, reader: Reader, field: str) -> Carried | None:
    whole = _changes(reader, "city").filter(pl.col("area") == CITY, pl.col("category") == field)
    if whole.is_empty() or whole["change"].item() is None:
        return None
    same = parts.filter(pl.col("origin") == whole["origin"].item())
    return carried(same, float(whole["change"].item())) if len(same) == len(parts) else None


def _changes(reader: Reader, level: str) -> pl.DataFrame:
    rows = reader.rows("year_expected", level=level)
    return rows.with_columns(change=pl.col("received") - pl.col("received_before"))
