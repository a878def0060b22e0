"""Reference tables and the series on the boundaries of today.

Cases are counted one by one, so whatever was counted in a former area is added to that of today.
Figures of tables are of a territory: they are carried step by step, and where an area has one of
its own, those of its parts are not added to it; nor are parts, where one of them is missing.
"""

from collections.abc import Collection

import polars as pl

from etl.catalog import Catalog, depths, follows
from etl.geography import Geography
from etl.warehouse import Warehouse, identifier, statement


def write_reference(warehouse: Warehouse, catalog: Catalog) -> None:
    """Replace areas, crosswalk, indicators, concepts and categories by those of today's files."""
    for table in ("area", "boundary_step", "crosswalk", "indicator", "concept", "category"):
        warehouse.run(f"delete from {identifier(table)}")
    warehouse.write("area", _areas(catalog.map))
    warehouse.write("boundary_step", _steps(catalog.map))
    warehouse.write("crosswalk", _crosswalk(catalog.map))
    warehouse.write("indicator", _indicators(catalog))
    warehouse.write("concept", _concepts(catalog))
    warehouse.write("category", _categories(catalog))


def make_comparable(
    warehouse: Warehouse, catalog: Catalog, touched: Collection[str] | None = None
) -> None:
    """Replace `comparable` by what the observations give now.

    Where nothing but figures of the datasets `touched` is new since it was made, that is enough:
    only what they have a part in is made again.
    """
    again = None if touched is None else follows(catalog, touched)
    make_again(warehouse, catalog, again)


def make_again(warehouse: Warehouse, catalog: Catalog, again: Collection[str] | None) -> None:
    """Replace these indicators in `comparable`, by default all; what they rest on must be there."""
    cases = [dataset.name for dataset in catalog.resources if dataset.case_level]
    listed = [one.name for one in catalog.resources if one.complete and not one.case_level]
    for table, names in (("case_level", cases), ("listed", listed)):
        _named(warehouse, table, "dataset", names)
    if again is None:
        warehouse.run("delete from comparable")
        warehouse.run(
            "create or replace temp table again as select distinct indicator from observation"
        )
    else:
        _named(warehouse, "again", "indicator", sorted(again))
        warehouse.run("delete from comparable where indicator in (from again)")
    warehouse.run(statement("etl", "figures"))
    days = warehouse.select("select distinct new_vintage as day from boundary_step order by day")
    for day in days["day"]:
        warehouse.run(statement("etl", "carry_step"), day=day)
    warehouse.run(statement("etl", "comparable"))
    _compute(warehouse, catalog, again)


def _named(warehouse: Warehouse, table: str, column: str, names: list[str]) -> None:
    """A temporary table of names."""
    warehouse.run(
        f"create or replace temp table {identifier(table)} ({identifier(column)} varchar)"
    )
    warehouse.write(table, pl.DataFrame({column: names}, schema={column: pl.String}))


def _compute(warehouse: Warehouse, catalog: Catalog, again: Collection[str] | None) -> None:
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
        if (compute := entry.compute) and (again is None or name in again)
    ]
    for step in sorted({depth[str(row["indicator"])] for row in rows}):
        formulas = pl.DataFrame([row for row in rows if depth[str(row["indicator"])] == step])
        with warehouse.registered(
            formulas.cast({"denominator": pl.String, "over": pl.String})
        ) as view:
            warehouse.run(f"create or replace temp table formula as from {view}")
        warehouse.run(statement("etl", "computed"))


def _areas(geography: Geography) -> pl.DataFrame:
    known = geography.areas
    tiles = geography.tiles.rename({"row": "tile_row", "col": "tile_col"})
    places = [geography.address(*key) for key in known["code", "valid_from"].iter_rows()]
    return (
        known.with_columns(place=pl.Series(places, dtype=pl.String))
        .join(tiles, on="code", how="left")
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


def _steps(geography: Geography) -> pl.DataFrame:
    return geography.crosswalk.rename(
        {"old_valid_from": "old_vintage", "new_valid_from": "new_vintage"}
    )


def _crosswalk(geography: Geography) -> pl.DataFrame:
    """Former communes and districts to the communes of today, and each of these to itself."""
    weights = pl.concat([geography.weights_to_present, geography.district_weights])
    return weights.drop("new_valid_from").rename({"old_valid_from": "old_vintage"})


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
