"""Cases as they may leave: counted by commune and field, month and year, and never one by one.

Every cell of a loaded month is there, also one without cases, so that what is missing tells
nothing. The counts are exact here; `etl.publish.protect` rounds them before anybody sees them.
"""

import polars as pl

from etl.catalog import Catalog, Dataset
from etl.warehouse import Warehouse

KEY = ["indicator", "area", "area_vintage", "category", "period", "period_end", "frequency"]
MONTHS = 12


def counted_indicators(catalog: Catalog, dataset: Dataset) -> list[str]:
    """Names of the indicators that count rows of `dataset`."""
    measures = {measure.name for table in dataset.tables for measure in table.measures}
    return [
        name
        for name in dataset.delivered
        if (one := catalog.indicators.get(name)) and one.value in measures and not one.compute
    ]


def counts(warehouse: Warehouse, catalog: Catalog, dataset: Dataset) -> pl.DataFrame:
    """Columns `KEY` and value: communes of today and the city, each field and all together.

    Flows are of months and of years with all their months, stocks of the ends of months.
    """
    months = warehouse.select(
        "select c.indicator, c.area, a.area_vintage, c.category, c.period, c.period_end, "
        "c.frequency, c.value from comparable c join area a on a.code = c.area "
        "and a.valid_to is null and a.level = c.level where c.dataset = $dataset "
        "and c.frequency = 'month' and c.level in ('commune', 'city')",
        dataset=dataset.name,
    ).filter(pl.col("indicator").is_in(counted_indicators(catalog, dataset)))
    flows = [name for name, one in catalog.indicators.items() if one.aggregate == "sum"]
    return pl.concat([months, _years(months.filter(pl.col("indicator").is_in(flows)))])


def _years(months: pl.DataFrame) -> pl.DataFrame:
    cell = ["indicator", "area", "area_vintage", "category"]
    year = pl.col("period").dt.truncate("1y")
    whole = months.group_by(*cell, year).agg(pl.col("value").sum(), pl.len().alias("months"))
    return (
        whole.filter(months=MONTHS)
        .with_columns(
            period_end=pl.col("period").dt.offset_by("1y").dt.offset_by("-1d"),
            frequency=pl.lit("year"),
        )
        .select(months.columns)
    )
