"""The place of each commune as a range: a list of the fastest only where it is not noise.

Forecasts come as joint paths. Along each path every commune has its growth and so its place; the
range of places holds eight paths in ten. Who grows more than half of all communes along nine paths
in ten is told apart from the others; the order among those who are not says nothing.
"""

from functools import lru_cache

import numpy as np
import polars as pl
from scipy.stats import rankdata

from dashboard.reader import Reader
from dashboard.workload import MONTHS, communes

LOW, HIGH = 0.1, 0.9
SCHEMA = {"code": pl.String, "place_low": pl.Int64, "place_high": pl.Int64, "side": pl.Int8}


@lru_cache(maxsize=100)
def ranked(reader: Reader, category: str) -> pl.DataFrame:
    """`communes` with place_low, place_high and side: 1 surely above the middle, -1 below, else 0.

    Where no joint paths were stored, or a commune has no rank, the three are null.
    """
    rows = communes(reader, category)
    paths = reader.rows("growth_paths", category=category)
    had = rows.filter(pl.col("rank").is_not_null()).select("code", "received")
    return rows.join(places(had, paths), on="code", how="left", maintain_order="left")


def places(received: pl.DataFrame, paths: pl.DataFrame) -> pl.DataFrame:
    """The range of places of each commune: code, place_low, place_high, side; 1 grows most.

    `received` has code and the last twelve months; `paths` the columns of
    `dashboard/sql/growth_paths.sql`, as many paths for each area.
    """
    both = received.join(paths, left_on="code", right_on="area").sort("code")
    if len(both) < 2 or both["count"].n_unique() > 1:
        return pl.DataFrame(schema=SCHEMA)
    growth = np.array(
        [
            np.reshape(row["paths"], (row["count"], row["horizon"]))[:, :MONTHS].sum(axis=1)
            / row["received"]
            for row in both.iter_rows(named=True)
        ]
    )
    rank = rankdata(-growth, axis=0)
    low, high = np.quantile(rank, (LOW, HIGH), axis=1)
    middle = (len(both) + 1) / 2
    return pl.DataFrame(
        {
            "code": both["code"],
            "place_low": np.floor(low).astype(int),
            "place_high": np.ceil(high).astype(int),
            "side": np.where(high < middle, 1, np.where(low > middle, -1, 0)),
        },
        schema=SCHEMA,
    )


def told_apart(rows: pl.DataFrame, side: int = 1) -> pl.DataFrame:
    """Those of `ranked` that surely grow more than half of all, or less where `side` is -1.

    The farthest from the middle come first.
    """
    return rows.filter(pl.col("side") == side).sort("rank", descending=side < 0)


def others(rows: pl.DataFrame, room: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """In the room of a list that those told apart above leave: those told apart below, the busiest.

    Where most is received matters also where no growth can be told from chance.
    """
    left = max(0, room - len(told_apart(rows)))
    slower = told_apart(rows, -1).head(left)
    busiest = rows.drop_nulls("received").sort("received", descending=True)
    return slower, busiest.head(left - len(slower))


def place(row: dict[str, object]) -> str:
    """`3–17`, `5`, or a dash."""
    low, high = row.get("place_low"), row.get("place_high")
    if low is None or high is None:
        return "–"
    return f"{low}" if low == high else f"{low}–{high}"


def summary(reader: Reader, rows: pl.DataFrame) -> str:
    """How many communes are told apart from the middle, and how many are not."""
    side = rows["side"].drop_nulls()
    if side.is_empty():
        return reader.text("ranking.unknown")
    above, below = int((side == 1).sum()), int((side == -1).sum())
    return reader.text(
        "ranking.apart" if above or below else "ranking.none",
        above=above,
        below=below,
        tied=len(side) - above - below,
        all=len(side),
    )
