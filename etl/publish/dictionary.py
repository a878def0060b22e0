"""The data dictionary: one row a column, in Vietnamese and in English."""

from typing import Any

import polars as pl

COLUMNS = (
    "column",
    "title",
    "title_en",
    "type",
    "unit",
    "unit_en",
    "allowed_values",
    "allowed_values_en",
    "description",
    "description_en",
    "protection",
)


def dictionary(fields: list[dict[str, Any]]) -> pl.DataFrame:
    """The columns of `fields` (Table Schema), all text; what does not apply is empty.

    What was done to protect people is told by its name; in words it stands in the descriptions.
    """
    rows = [
        {
            **field,
            "column": field["name"],
            "allowed_values": allowed(field),
            "allowed_values_en": allowed(field, english=True),
            "protection": protection(field),
        }
        for field in fields
    ]
    return pl.DataFrame(
        {name: [str(row.get(name) or "") for row in rows] for name in COLUMNS},
        schema=dict.fromkeys(COLUMNS, pl.String),
    )


def protection(field: dict[str, Any]) -> str:
    """`random_rounding; from_rounded_counts`: the methods by name."""
    return "; ".join(step["method"] for step in field.get("protection") or [])


def allowed(field: dict[str, Any], *, english: bool = False) -> str:
    """`land = Đất đai; business = Kinh doanh`, or the bounds of a number; else empty."""
    limits = field.get("constraints", {})
    if field.get("categories"):
        own = "label_en" if english else "label"
        told = [(one["value"], one.get(own, one["label"])) for one in field["categories"]]
        return "; ".join(f"{value} = {label}" for value, label in told)
    if limits.get("enum"):
        return "; ".join(map(str, limits["enum"]))
    bounds = [("≥", limits.get("minimum")), ("≤", limits.get("maximum"))]
    return "; ".join(f"{sign} {_plain(bound)}" for sign, bound in bounds if bound is not None)


def _plain(bound: float | str) -> float | str:
    """A whole number without its point."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound
