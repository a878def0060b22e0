"""The data dictionary: one row a column, in Vietnamese and in English."""

from typing import Any

import polars as pl

COLUMNS = (
    "column",
    "title",
    "title_en",
    "type",
    "unit",
    "allowed_values",
    "description",
    "protection",
)


def dictionary(fields: list[dict[str, Any]]) -> pl.DataFrame:
    """The columns of `fields` (Table Schema), all text; what does not apply is empty."""
    rows = [
        {**field, "column": field["name"], "allowed_values": allowed(field)} for field in fields
    ]
    return pl.DataFrame(
        {name: [str(row.get(name) or "") for row in rows] for name in COLUMNS},
        schema=dict.fromkeys(COLUMNS, pl.String),
    )


def allowed(field: dict[str, Any]) -> str:
    """`land = Đất đai; business = Kinh doanh`, or the bounds of a number; else empty."""
    limits = field.get("constraints", {})
    if field.get("categories"):
        return "; ".join(f"{one['value']} = {one['label']}" for one in field["categories"])
    if limits.get("enum"):
        return "; ".join(map(str, limits["enum"]))
    bounds = [("≥", limits.get("minimum")), ("≤", limits.get("maximum"))]
    return "; ".join(f"{sign} {bound}" for sign, bound in bounds if bound is not None)
