"""What counts come to together, found in the figures as a reader would find it.

Pending at the end of a month is pending before, and what was received, less what was resolved; a
register tells opening and closing stock in one row, and beside each other the parts of a total.
Nobody declares that. So counts are held against each other, and what comes to the same nearly
everywhere is taken for an equation.
"""

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt
import polars as pl

NEARLY = 0.9
"""Share of the cells, of those with anything to count, in which an equation must hold."""
SAMPLE = 1000
"""Cells by which equations that do not hold are known at once."""
SIDES = {"left": pl.List(pl.Int64), "right": pl.List(pl.Int64)}
MISSING = -1

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Sides = tuple[list[Numbers], list[Numbers]]
"""The figures of each cell that come to the same as others; an array a count."""


def equations(rows: pl.DataFrame, dimensions: list[str], exact: Floats) -> pl.DataFrame:
    """Columns of `SIDES`: numbers of figures in `exact` that come to the same.

    `rows` holds every cell once: `measure`, `figure`, `copy` and `dimensions`.
    """
    names = sorted(rows["measure"].unique())
    key = [*dimensions, "copy"]
    wide = rows.pivot("measure", index=key, values="figure", aggregate_function="first")
    figures = wide.select(pl.col(str(name)).fill_null(MISSING) for name in names).to_numpy()
    values = np.append(exact, np.nan)
    every = [
        _told(sides)
        for sides in (*_in_a_row(figures), *_over_time(wide, figures, key))
        if _nearly_everywhere(sides, values)
    ]
    return pl.concat([pl.DataFrame(schema=SIDES), *every])


def _in_a_row(figures: Numbers) -> Iterator[Sides]:
    """A total of counts that stand side by side, wherever it stands; two counts and two others."""
    columns = list(figures.T)
    for at, total in enumerate(columns):
        others = [*columns[:at], *columns[at + 1 :]]
        for first, last in combinations(range(len(others)), 2):
            yield others[first : last + 1], [total]
    for one, other, third, fourth in combinations(columns, 4):
        yield [one, other], [third, fourth]
        yield [one, third], [other, fourth]
        yield [one, fourth], [other, third]


def _over_time(wide: pl.DataFrame, figures: Numbers, key: list[str]) -> Iterator[Sides]:
    """A stock and what left in a period, beside the stock before and what came."""
    if not {"period", "period_end"} <= set(key):
        return
    same = [name for name in key if name not in ("period", "period_end")]
    numbered = wide.select(*key).with_row_index("at")
    shortest = numbered.sort("period", descending=True).unique(
        [*same, "period_end"], keep="first", maintain_order=True
    )
    days = {"end": pl.col("period_end"), "before": pl.col("period").dt.offset_by("-1d")}
    for name, day in days.items():
        asked = shortest.select(*same, pl.col("period_end").alias("day"), pl.col("at").alias(name))
        numbered = numbered.with_columns(day.alias("day")).join(
            asked, on=[*same, "day"], how="left", nulls_equal=True
        )
    there = numbered.drop_nulls(["end", "before"])
    flows, ends, starts = (list(figures[there[name]].T) for name in ("at", "end", "before"))
    for stock, left, came in permutations(range(len(flows)), 3):
        yield [ends[stock], flows[left]], [starts[stock], flows[came]]


def _told(sides: Sides) -> pl.DataFrame:
    left, rows = len(sides[0]), _whole(sides)
    lists = {"left": rows[:, :left].tolist(), "right": rows[:, left:].tolist()}
    return pl.DataFrame(lists, schema=SIDES)


def _whole(sides: Sides, step: int = 1) -> Numbers:
    """Of every `step`th cell those of which no figure is missing, a row each, left before right."""
    rows = np.stack([one[::step] for side in sides for one in side], axis=1)
    there = (rows != MISSING).all(axis=1)
    return rows.compress(there, axis=0)


def _nearly_everywhere(sides: Sides, values: Floats) -> bool:
    left = len(sides[0])
    some = _whole(sides, max(len(sides[0][0]) // SAMPLE, 1))
    if len(some) and _share(values[some], left) < NEARLY:
        return False
    return _share(values[_whole(sides)], left) >= NEARLY


def _share(counts: Floats, left: int) -> float:
    """In which share of the cells with anything to count both sides come to the same."""
    counts = counts[counts.any(axis=1)]
    same = np.isclose(counts[:, :left].sum(axis=1), counts[:, left:].sum(axis=1))
    return float(same.mean()) if len(same) else 0.0
