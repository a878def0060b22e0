"""A clean table as it leaves: the columns of its schema, names beside codes, rows in a fixed order.

Only columns that follow from the schema are taken, so that what the warehouse adds for itself
(`load`) stays inside. Codes alone are useless to a reader: areas get their name, indicators their
name and unit. Cases are counted, and counts of people and cases protected (`etl.publish.protect`):
this is the only place where rows that leave are made, whatever the format.
"""

from typing import Any

import polars as pl

from etl.catalog import Catalog, Dataset, FieldEntry, Indicator
from etl.publish import cases
from etl.publish.protect import (
    Counted,
    changed,
    counts,
    key_of,
    measured,
    protection_of,
    rounded,
    way_of,
)
from etl.settings import Settings, Site
from etl.warehouse import Warehouse, identifier

Label = tuple[str, str]

STORED = {
    "area": ["area", "area_vintage"],
    "period": ["period", "period_end", "frequency"],
}
"""Fields that are several columns of the clean table."""

TITLES: dict[str, Label] = {
    "indicator": ("Mã chỉ tiêu", "Indicator code"),
    "indicator_name": ("Tên chỉ tiêu", "Indicator name"),
    "area": ("Mã địa bàn", "Area code"),
    "area_name": ("Tên địa bàn", "Area name"),
    "area_vintage": ("Ngày đầu tiên mã chỉ địa bàn này", "First day the code means this area"),
    "period": ("Ngày đầu của kỳ", "First day of the period"),
    "period_end": ("Ngày cuối của kỳ", "Last day of the period"),
    "frequency": ("Loại kỳ", "Kind of period"),
    "category": ("Phân tổ", "Category"),
    "value": ("Giá trị", "Value"),
    "unit": ("Đơn vị", "Unit"),
    "status": ("Tình trạng số liệu", "Status of the figure"),
    "as_of": ("Ngày công bố", "Day of publication"),
    "source": ("Nguồn", "Source"),
    "source_url": ("Địa chỉ nguồn", "Address of the source"),
    "note": ("Ghi chú", "Note"),
}
FREQUENCIES = {
    "day": ("ngày", "day"),
    "week": ("tuần", "week"),
    "month": ("tháng", "month"),
    "quarter": ("quý", "quarter"),
    "year": ("năm", "year"),
    "span": ("nhiều kỳ (lũy kế, nhiều năm)", "several periods (to date, several years)"),
}
STATUSES = {
    "estimate": ("ước", "estimate"),
    "preliminary": ("sơ bộ", "preliminary"),
    "final": ("chính thức", "final"),
    "plan": ("kế hoạch", "plan"),
}


def clean_table(
    warehouse: Warehouse, catalog: Catalog, dataset: Dataset, *, site: Site | None = None
) -> pl.DataFrame:
    """All rows of `dataset` as they may leave, sorted by its key and then by every other column.

    Missing values come last; numbers that are not finite are missing. `site` names the key by which
    small counts are rounded; by default it is the one of this installation.

    Raises:
        NoRoundingKey: there are counts to be protected, and no key.
        MissingSecret: the key is named, and not set.
    """
    frame = exact_table(warehouse, catalog, dataset)
    measures = measured(catalog, dataset, frame, measures_of(catalog, dataset, frame))
    if way_of(dataset) == "rounding" and any(one.kind == "count" for one in measures):
        key = key_of(Settings.read().site() if site is None else site)
        areas = catalog.map.areas.select("code", "level", "parent")
        cities = areas.filter(level="city")["code"].to_list()
        beside = _elsewhere(warehouse, catalog, dataset)
        frame = rounded(frame, dataset, measures, key, cities=cities, areas=areas, beside=beside)
    order = [*key_columns(dataset), *frame.columns]
    # One chunk: the bytes of a Parquet file follow the chunks, and these follow the threads.
    return frame.sort(list(dict.fromkeys(order)), nulls_last=True).rechunk()


def _elsewhere(warehouse: Warehouse, catalog: Catalog, dataset: Dataset) -> list[Counted]:
    """Tables of other datasets that leave and tell the same counts, or what adds up with them.

    So too the tables tied to those.
    """
    present = set(warehouse.tables())
    may = [
        one
        for one in catalog.resources
        if one.publish and not one.simulated and f"data_{one.name}" in present
    ]
    found = [dataset]
    while more := [
        one for one in may if one not in found and any(_tied(catalog, one, its) for its in found)
    ]:
        found += more
    tables = [(one, exact_table(warehouse, catalog, one)) for one in found[1:]]
    every = [
        Counted(table, one, measured(catalog, one, table, measures_of(catalog, one, table)))
        for one, table in tables
    ]
    return [one for one in every if one.counts]


def _tied(catalog: Catalog, one: Dataset, other: Dataset) -> bool:
    """Whether both tell an indicator, or one a stock and the other counts in the same unit."""
    if set(one.delivered) & set(other.delivered):
        return True
    counted, stocks = zip(*(_units(catalog, its) for its in (one, other)), strict=True)
    return bool(counted[0] & stocks[1] | counted[1] & stocks[0])


def _units(catalog: Catalog, dataset: Dataset) -> tuple[set[str], set[str]]:
    """Units in which a dataset counts people or cases, and those of its stocks."""
    told = [one for name in dataset.delivered if counts(one := catalog.indicators[name])]
    return {one.unit for one in told}, {one.unit for one in told if one.aggregate == "last"}


def exact_table(warehouse: Warehouse, catalog: Catalog, dataset: Dataset) -> pl.DataFrame:
    """The same with exact counts, in any order: only to be looked at, never to be written."""
    if dataset.case_level:
        frame = _with_rates(cases.counts(warehouse, catalog, dataset), catalog, dataset)
    else:
        stored = warehouse.select(f"from {identifier('data_' + dataset.name)}")
        fields = [field.name for field in dataset.schema_.fields]
        frame = stored.select(name for field in fields for name in STORED.get(field, [field]))
    return _named(_finite(frame), warehouse, catalog, dataset)


def _with_rates(counts: pl.DataFrame, catalog: Catalog, dataset: Dataset) -> pl.DataFrame:
    """`counts` with a row, still without value, for each quotient of two of them."""
    known = set(counts["indicator"])
    made = [counts]
    for name in dataset.delivered:
        compute = catalog.indicators[name].compute
        if compute and compute.way in ("ratio", "share") and set(compute.inputs) <= known:
            below = counts.filter(indicator=compute.denominator)
            empty = pl.lit(None, dtype=pl.Float64)
            made.append(below.with_columns(indicator=pl.lit(name), value=empty))
    return pl.concat(made)


def key_columns(dataset: Dataset) -> list[str]:
    """The primary key in columns as they leave."""
    if dataset.case_level:
        return cases.KEY
    return [name for field in dataset.schema_.primary_key for name in STORED.get(field, [field])]


def fields_of(catalog: Catalog, dataset: Dataset, table: pl.DataFrame) -> list[dict[str, Any]]:
    """Table Schema v2 of the columns of `table`; what is in English, `unit` and `protection` are
    ours."""
    measures = measures_of(catalog, dataset, table)
    kinds = measured(catalog, dataset, table, measures)
    places = set(catalog.map.areas["name"])
    found = []
    for name, kind in table.schema.items():
        inside = [indicator for place, indicator in measures if place == name]
        inside_one = inside[0] if len(inside) == 1 else None
        field = _described(name, dataset.field(name), inside_one)
        anew = dataset.case_level or changed(dataset, name, kinds)
        field["constraints"] = _constraints(dataset.field(name), anew=anew)
        field |= {"type": _type(kind), "categories": _categories(name, dataset, measures)}
        field |= _told(field, protection_of(dataset, name, kinds, places))
        found.append({key: value for key, value in field.items() if value})
    return found


def measures_of(
    catalog: Catalog, dataset: Dataset, table: pl.DataFrame
) -> list[tuple[str, Indicator]]:
    """The indicators in `table`, each with its code in a long table or its column in a wide one.

    Indicators computed from others are not in it.
    """
    places = {*table.columns, *_codes(table)}
    measures = [catalog.indicators[name] for name in dataset.delivered]
    placed = [(_place(indicator, table), indicator) for indicator in measures]
    return [(place, indicator) for place, indicator in placed if place in places]


def _codes(table: pl.DataFrame) -> list[str]:
    if "indicator" not in table.columns:
        return []
    return table["indicator"].drop_nulls().unique(maintain_order=True).to_list()


def _place(indicator: Indicator, table: pl.DataFrame) -> str:
    wide = indicator.value in table.columns and indicator.value != "value"
    if wide or "indicator" not in table.columns:
        return indicator.value
    return indicator.where.get("indicator", indicator.name)


def areas(warehouse: Warehouse) -> pl.DataFrame:
    """Columns area, area_vintage, level, area_name, area_name_en.

    A former area says until when it was one: Cần Thơ was a smaller city before it was this one.
    """
    return warehouse.select(
        "select code as area, area_vintage, level, "
        "name || coalesce(strftime(valid_to, ' (đến %d/%m/%Y)'), '') as area_name, "
        "coalesce(name_en, name) as area_name_en from area"
    )


def _finite(frame: pl.DataFrame) -> pl.DataFrame:
    numbers = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in numbers
    )


def _named(
    frame: pl.DataFrame, warehouse: Warehouse, catalog: Catalog, dataset: Dataset
) -> pl.DataFrame:
    """`frame` with area_name, indicator_name and unit where it has codes, but lacks these."""
    if "area" in frame.columns:
        names = areas(warehouse).select("area", "area_vintage", "area_name")
        frame = _beside(frame, "area", names, on=["area", "area_vintage"])
    if "indicator" in frame.columns:
        measures = measures_of(catalog, dataset, frame)
        named = pl.DataFrame(
            [(code, indicator.title, indicator.unit or None) for code, indicator in measures],
            schema={"indicator": pl.String, "indicator_name": pl.String, "unit": pl.String},
            orient="row",
        )
        frame = _beside(
            frame, "indicator", named.unique("indicator", keep="first"), on=["indicator"]
        )
    return frame


def _beside(frame: pl.DataFrame, code: str, names: pl.DataFrame, *, on: list[str]) -> pl.DataFrame:
    """The columns of `names` that `frame` lacks, right behind `code`."""
    added = [name for name in names.columns if name not in frame.columns]
    at = frame.columns.index(code) + 1
    order = [*frame.columns[:at], *added, *frame.columns[at:]]
    return frame.join(names.select(*on, *added), on=on, how="left").select(order)


def _described(name: str, field: FieldEntry | None, measure: Indicator | None) -> dict[str, Any]:
    title, title_en = _titles(name, field, measure)
    return {
        "name": name,
        "type": "any",
        "title": title,
        "title_en": title_en,
        "description": (field and field.description) or (measure and measure.description),
        "description_en": measure.description_en if measure else None,
        "unit": (field and field.unit) or (measure and measure.unit),
        "unit_en": measure.unit_en if measure else None,
    }


def _told(field: dict[str, Any], done: list[dict[str, Any]]) -> dict[str, Any]:
    """`field` told with what was done to it, in both languages."""
    if not done:
        return {}
    texts = {
        word: " ".join(filter(None, [field[word], *(step[word] for step in done)]))
        for word in ("description", "description_en")
    }
    return texts | {"protection": done}


def _titles(name: str, field: FieldEntry | None, measure: Indicator | None) -> Label:
    title, title_en = TITLES.get(name, (name, name))
    if measure is not None:
        title, title_en = measure.title, measure.title_en
    if field is not None and field.title:
        title, title_en = field.title, field.title_en or field.title
    return title, title_en


def _type(kind: pl.DataType) -> str:
    """What the column is, which for a period is no longer what the file had."""
    if kind.is_integer():
        return "integer"
    if kind.is_float():
        return "number"
    return {"Date": "date", "Boolean": "boolean"}.get(str(kind), "string")


def _constraints(field: FieldEntry | None, *, anew: bool) -> dict[str, Any]:
    """Constraints that still hold: areas and periods are written anew, text may be made safe.

    Of cases none do, as what leaves are their counts, and none of figures that were rounded.
    """
    if field is None or anew:
        return {}
    kept = {"required"}
    if field.name not in STORED:
        kept |= {"unique", "minimum", "maximum", "enum"}
    return field.constraints.model_dump(include=kept, exclude_defaults=True)


def _categories(
    name: str, dataset: Dataset, measures: list[tuple[str, Indicator]]
) -> list[dict[str, str]]:
    field = dataset.field(name)
    if name == "frequency" and field is None:
        labels = FREQUENCIES
    elif name == "status":
        labels = STATUSES
    elif name == "indicator":
        labels = {code: (one.title, one.title_en or one.title) for code, one in measures}
    else:
        entries = field.categories if field else []
        labels = {one.value: (one.label, one.label_en or one.label) for one in entries}
        if labels and name == "category" and dataset.case_level:
            labels = {"total": ("Tất cả", "All")} | labels
    return [
        {"value": value, "label": label} | ({"label_en": english} if english != label else {})
        for value, (label, english) in labels.items()
    ]
