"""Several periods ahead in one figure: sums along joint paths, which know how they hang together.

Quantiles of periods do not add up: errors offset each other from one period to the next, or build
up. Where an issue has no paths, or too few periods, there is no sum.
"""

import polars as pl

from etl.warehouse import Warehouse


def sums_ahead(
    warehouse: Warehouse, indicator: str, level: str, *, steps: int, frequency: str = "month"
) -> pl.DataFrame:
    """The sum of the first `steps` periods ahead of every series of a level, totals and categories.

    One row a series: area, category, origin, lowest, expected, highest (quantiles 0.1, 0.5 and 0.9
    of the sum, in the unit of the indicator).
    """
    return warehouse.query(
        "forecasts",
        "sums_ahead",
        indicator=indicator,
        level=level,
        steps=steps,
        frequency=frequency,
    )
