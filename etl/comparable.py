"""Reference tables and the series on the boundaries of today."""

import polars as pl

from etl.catalog import Catalog, depths
from etl.geography import areas, district_weights, tiles, weights_to_present
from etl.warehouse import Warehouse, identifier, statement


def write_reference(warehouse: Warehouse, catalog: Catalog) -> None:
    """Replace areas, crosswalk, indicators, concepts and categories by those of today's files."""
    for table in ("area", "crosswalk", "indicator", "concept", "category"):
        warehouse.run(f"delete from {identifier(table)}")
    warehouse.write("area", _areas())
    warehouse.write("crosswalk", _crosswalk())
    warehouse.write("indicator", _indicators(catalog))
    warehouse.write("concept", _concepts(catalog))
    warehouse.write("category", _categories(catalog))


def make_comparable(warehouse: Warehouse, catalog: Catalog) -> None:
    """Replace `comparable` by what the observations give now."""
    cases = [dataset.name for dataset in catalog.resources if dataset.case_level]
    warehouse.run("create or replace temp table case_level (dataset varchar)")
    warehouse.write("case_level", pl.DataFrame({"dataset": cases}, schema={"dataset": pl.String}))
    warehouse.run(statement("etl", "comparable"))
    _compute(warehouse, catalog)


def _compute(warehouse: Warehouse, catalog: Catalog) -> None:
    """Add the indicators computed from others, those nearest to given figures first."""
    depth = depths(catalog.indicators)
    rows = [
        {
            "indicator": name,
            "way": compute.way,
            "numerator": compute.numerator,
            "denominator": compute.denominator,
            "scale": compute.factor,
            "over": compute.over,
        }
        for name, entry in catalog.indicators.items()
        if (compute := entry.compute)
    ]
    for step in sorted(set(depth.values())):
        formulas = pl.DataFrame([row for row in rows if depth[str(row["indicator"])] == step])
        with warehouse.registered(
            formulas.cast({"denominator": pl.String, "over": pl.String})
        ) as view:
            warehouse.run(f"create or replace temp table formula as from {view}")
        warehouse.run(statement("etl", "computed"))


def _areas() -> pl.DataFrame:
    return (
        areas()
        .join(tiles().rename({"row": "tile_row", "col": "tile_col"}), on="code", how="left")
        .with_columns(
            # A code of today may have meant another place before: tiles belong to today's.
            pl.when(pl.col("valid_to").is_null() & (pl.col("level") == "commune"))
            .then(pl.col(column))
            .alias(column)
            for column in ("tile_row", "tile_col")
        )
        .rename({"valid_from": "area_vintage"})
        .drop("source")
    )


def _crosswalk() -> pl.DataFrame:
    """Former communes and districts to those of today, and each of today to itself."""
    today = areas().filter(pl.col("valid_to").is_null() & (pl.col("level") == "commune"))
    same = today.select(
        old_code="code",
        old_valid_from="valid_from",
        new_code="code",
        weight=pl.lit(1.0),
        weight_lower=pl.lit(1.0),
        weight_upper=pl.lit(1.0),
        estimated=pl.lit(False),
    )
    parts = [weights_to_present(), district_weights(), same]
    return pl.concat(part.select(same.columns) for part in parts).rename(
        {"old_valid_from": "old_vintage"}
    )


def _indicators(catalog: Catalog) -> pl.DataFrame:
    rows: list[dict[str, object]] = []
    for dataset in catalog.resources:
        publisher = catalog.publisher_of(dataset)
        for entry in dataset.described:
            rows.append(
                {
                    "indicator": entry.name,
                    "dataset": dataset.name,
                    "title": entry.title,
                    "title_en": entry.title_en,
                    "unit": entry.unit,
                    "unit_en": entry.unit_en or entry.unit,
                    "aggregate": entry.aggregate,
                    "computed": entry.compute.way if entry.compute else None,
                    "better": entry.better,
                    "topic": entry.topic or dataset.present.topic,
                    "decimals": entry.decimals,
                    "numerator": entry.numerator,
                    "denominator": entry.denominator,
                    "scale": entry.scale,
                    "owner": publisher.title if publisher else None,
                    "position": len(rows),
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _concepts(catalog: Catalog) -> pl.DataFrame:
    rows = [
        {
            "concept": concept.name,
            "title": concept.title,
            "title_en": concept.title_en,
            "preferred": member.indicator == concept.quote,
            "position": number,
            **member.model_dump(),
        }
        for concept in catalog.concepts
        for number, member in enumerate(concept.members)
    ]
    return pl.DataFrame(rows)


def _categories(catalog: Catalog) -> pl.DataFrame:
    rows = [
        (dataset.name, category.value, category.label, category.label_en or category.label, number)
        for dataset in catalog.resources
        if (field := dataset.field("category"))
        for number, category in enumerate(field.categories)
    ]
    columns = {
        "dataset": pl.String,
        "category": pl.String,
        "title": pl.String,
        "title_en": pl.String,
        "position": pl.Int64,
    }
    return pl.DataFrame(rows, schema=columns, orient="row")
