"""Shares by which figures follow the map: single steps, composed into weights to any later day.

A step says that from its day on an area of the new map has a share of the people of one of the old:
n areas may become m. Weights over several steps are products along the ways, added up over all ways
that end in one area. The bounds are multiplied and added like the weights, which keeps them sound,
and only at the end are they narrowed by what the others leave over: shares of one area sum to 1.

Frames of weights have the columns old_code, old_valid_from, new_code, new_valid_from, weight,
weight_lower, weight_upper (shares of the old area's people, 0 to 1), estimated.
"""

from datetime import date

import polars as pl

OLD = ["old_code", "old_valid_from"]
NEW = ["new_code", "new_valid_from"]
SHARES = ["weight", "weight_lower", "weight_upper"]
COLUMNS = [*OLD, *NEW, *SHARES, "estimated"]
WHOLE = 1e-9
"""How far the weights of one area may be from 1 together."""


def weights_to(day: date, areas: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Shares by which each area that had begun by `day` goes to the areas of that day.

    `areas` has the columns code and valid_from, one row an area; `steps` those of weights. An area
    of the day itself goes to itself with weight 1. What begins later has no rows: figures are
    carried forward only, since nothing says how today's would have been divided before.
    """
    weights = same(areas.filter(pl.col("valid_from") <= day))
    taken = steps.filter(pl.col("new_valid_from") <= day)
    for _, step in taken.sort("new_valid_from").group_by("new_valid_from", maintain_order=True):
        staying = areas.join(step, left_on=["code", "valid_from"], right_on=OLD, how="anti")
        weights = compose(weights, pl.concat([step.select(COLUMNS), same(staying)]))
    return narrowed(weights).sort(*OLD, *NEW)


def same(areas: pl.DataFrame) -> pl.DataFrame:
    """Each of `areas` (code, valid_from) to itself: the step in which nothing happens."""
    return areas.select(
        old_code="code",
        old_valid_from="valid_from",
        new_code="code",
        new_valid_from="valid_from",
        weight=pl.lit(1.0),
        weight_lower=pl.lit(1.0),
        weight_upper=pl.lit(1.0),
        estimated=pl.lit(False),
    )


def compose(first: pl.DataFrame, then: pl.DataFrame) -> pl.DataFrame:
    """`first`, and after it `then`, as one step; what `then` does not mention is lost.

    Upper bounds may exceed 1 here: see `narrowed`. In whatever order steps are composed, the
    outcome is the same.
    """
    ways = first.rename(dict(zip(NEW, ["_code", "_from"], strict=True))).join(
        then, left_on=["_code", "_from"], right_on=OLD, suffix="_then"
    )
    return ways.group_by(*OLD, *NEW).agg(
        *((pl.col(share) * pl.col(f"{share}_then")).sum() for share in SHARES),
        estimated=(pl.col("estimated") | pl.col("estimated_then")).any(),
    )


def narrowed(weights: pl.DataFrame) -> pl.DataFrame:
    """The same weights, each bound no wider than what the other shares of the area leave over.

    Where an area goes to one place only, it goes there whole, whatever happened on the way, and
    nothing is estimated.
    """
    weight, lower, upper = pl.col("weight"), pl.col("weight_lower"), pl.col("weight_upper")
    least = 1 - (upper.sum().over(OLD) - upper)
    most = 1 - (lower.sum().over(OLD) - lower)
    alone = pl.len().over(OLD) == 1
    # Floating-point noise must neither move a bound nor put a weight outside its own.
    lower = pl.when(least > lower + WHOLE).then(pl.min_horizontal(least, weight)).otherwise(lower)
    upper = pl.when(most < upper - WHOLE).then(pl.max_horizontal(most, weight)).otherwise(upper)
    return weights.with_columns(
        weight_lower=pl.when(alone).then(weight).otherwise(lower),
        weight_upper=pl.when(alone).then(weight).otherwise(upper),
        estimated=pl.col("estimated") & ~alone,
    )
