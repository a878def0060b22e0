"""Several periods ahead in one figure: sums along joint paths, which know how they hang together.

Quantiles of periods do not add up: errors offset each other from one period to the next, or build
up. Where an issue has no paths, or too few periods, there is no sum.
"""

from typing import Any

import numpy as np
import polars as pl

from etl.warehouse import Warehouse

LEVELS = {"lowest": 0.1, "expected": 0.5, "highest": 0.9}
"""Quantiles of a sum, by the name of their column."""


def sums_ahead(
    warehouse: Warehouse, indicator: str, level: str, *, steps: int, frequency: str = "month"
) -> pl.DataFrame:
    """The sum of the first `steps` periods ahead of every series of a level, totals and categories.

    One row a series: area, category, origin, lowest, expected, highest (quantiles 0.1, 0.5 and 0.9
    of the sum, in the unit of the indicator).
    """
    kept = warehouse.query(
        "forecasts",
        "sums_ahead",
        indicator=indicator,
        level=level,
        steps=steps,
        frequency=frequency,
    )
    ends = [_quantiles(row, steps) for row in kept.iter_rows(named=True)]
    bounds = np.array(ends, dtype=float).reshape(-1, len(LEVELS))
    return kept.select("area", "category", "origin").with_columns(
        pl.Series(name, bounds[:, place]) for place, name in enumerate(LEVELS)
    )


def _quantiles(row: dict[str, Any], steps: int) -> np.ndarray:
    paths = np.asarray(row["paths"], dtype=float).reshape(row["count"], row["horizon"])
    return np.asarray(np.quantile(paths[:, :steps].sum(axis=1), list(LEVELS.values())))
