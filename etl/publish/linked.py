"""Totals beside their parts in one table: would what is published of the one give the other away?

Four cells of 1 that are all rounded up, beside a total of 4 that is rounded down to 0, can only be
ones. Such a total is rounded the other way; one for which that does not help is left out. Bounds
are passed between totals and parts, along fields, areas and months, until none becomes narrower.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

NARROWEST = 2
"""Least distance between what a figure may be at least and at most: three values or more."""
UNKNOWN = 1e12
ROUNDS = 20

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Links:
    """Parts and their totals along one dimension, as numbers of rows, side by side."""

    parts: npt.NDArray[np.int64]
    totals: npt.NDArray[np.int64]


def links(table: pl.DataFrame, dimensions: list[str], cities: Collection[str]) -> list[Links]:
    """Which rows add up which: fields to all fields, communes to the city, months to the year."""
    rows = table.select(*dimensions).with_row_index("row")
    found = []
    if "category" in dimensions:
        whole = (pl.col("category") == "total").fill_null(value=True)
        found.append(_joined(rows, whole, ["category"], dimensions))
    if "area" in dimensions:
        whole = pl.col("area").is_in(list(cities))
        found.append(_joined(rows, whole, ["area", "area_vintage"], dimensions))
    if {"period", "period_end"} <= set(dimensions):
        days = pl.col("period_end") - pl.col("period")
        rows = rows.with_columns(year=pl.col("period").dt.year())
        whole = days > pl.duration(days=360)
        found.append(_joined(rows, whole, ["period", "period_end"], [*dimensions, "year"]))
    return [one for one in found if len(one.parts)]


def _joined(rows: pl.DataFrame, whole: pl.Expr, along: list[str], dimensions: list[str]) -> Links:
    same = [name for name in dimensions if name not in along]
    totals = rows.filter(whole).select(*same, pl.col("row").alias("total"))
    both = rows.filter(~whole).join(totals, on=same, nulls_equal=True) if same else rows.clear()
    if both.is_empty():
        return Links(np.array([], dtype=np.int64), np.array([], dtype=np.int64))
    parts, sums = both["row"].cast(pl.Int64), both["total"].cast(pl.Int64)
    return Links(parts.to_numpy(), sums.to_numpy())


def settled(exact: Floats, rounded: Floats, linked: list[Links], base: int) -> Floats:
    """`rounded`, with every total changed that would give its parts away; NaN where it is left out.

    Both arrays are in people or cases, NaN where missing, one value a row of the table.
    """
    linked = [_adding_up(exact, one) for one in linked]
    seen, tried = rounded.copy(), np.zeros(len(rounded), dtype=bool)
    while len(guilty := _guilty(seen, linked, base)):
        other = np.where(seen > exact, seen - base, seen + base)
        gives_way = tried[guilty] | (seen[guilty] == exact[guilty])
        seen[guilty] = np.where(gives_way, np.nan, other[guilty])
        tried[guilty] = True
    return seen


def _adding_up(exact: Floats, one: Links) -> Links:
    """The links of totals that are the sum of what stands there: some parts may be elsewhere."""
    sums = np.bincount(one.totals, exact[one.parts], len(exact))
    holds = np.isclose(sums, exact)[one.totals]
    return Links(one.parts[holds], one.totals[holds])


def _guilty(seen: Floats, linked: list[Links], base: int) -> npt.NDArray[np.int64]:
    """Totals that leave one of their parts too few values."""
    least, most = _bounds(seen, base)
    for _ in range(ROUNDS):
        before = most - least
        for one in linked:
            _narrow(least, most, one)
        if np.array_equal(before, most - least):
            break
    first, last = _bounds(seen, base)
    found = [_tight(first, last, least, most, one) for one in linked]
    return np.unique(np.concatenate(found)) if found else np.array([], dtype=np.int64)


def _bounds(seen: Floats, base: int) -> tuple[Floats, Floats]:
    missing = np.isnan(seen)
    least = np.where(missing, 0.0, np.maximum(seen - (base - 1), 0.0))
    return least, np.where(missing, UNKNOWN, seen + (base - 1))


def _narrow(least: Floats, most: Floats, one: Links) -> None:
    """Narrow the bounds of totals by those of their parts, and then of parts by their totals."""
    at_least = np.bincount(one.totals, least[one.parts], len(least))
    at_most = np.bincount(one.totals, most[one.parts], len(least))
    sums = np.unique(one.totals)
    least[sums] = np.maximum(least[sums], at_least[sums])
    most[sums] = np.minimum(most[sums], at_most[sums])
    others_least = at_least[one.totals] - least[one.parts]
    others_most = at_most[one.totals] - most[one.parts]
    above, below = most[one.totals] - others_least, least[one.totals] - others_most
    most[one.parts] = np.minimum(most[one.parts], above)
    least[one.parts] = np.maximum(least[one.parts], below)


def _tight(
    first: Floats, last: Floats, least: Floats, most: Floats, one: Links
) -> npt.NDArray[np.int64]:
    """Totals whose own bounds, `first` to `last`, are nearly used up by those of their parts."""
    at_least = np.bincount(one.totals, least[one.parts], len(least))
    at_most = np.bincount(one.totals, most[one.parts], len(least))
    narrow = (most - least)[one.parts] < NARROWEST
    sums = np.unique(one.totals[narrow])
    used = np.minimum(last[sums] - at_least[sums], at_most[sums] - first[sums])
    return sums[used < NARROWEST]
