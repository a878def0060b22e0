"""What a row must satisfy, as SQL: one bit per rule, so that one pass tells every reason at once.

A rule's name is what people see: `received_readable`, `area_known`, `id_required`, `key_unique`, or
the name given under `rules`. Text that cannot be read breaks only its own rule, not those that
follow from it.
"""

import re
from dataclasses import dataclass

from etl.catalog import Dataset, FieldEntry
from etl.catalog.limits import first_day
from etl.expressions import columns_in, condition
from etl.normalise import Column, raw
from etl.warehouse import identifier, literal


@dataclass(frozen=True)
class Check:
    """`broken` is an SQL condition, kept where it is null; `field` the column to point at."""

    rule: str
    field: str
    broken: str


def checks(dataset: Dataset, made: list[Column]) -> list[Check]:
    """All rules of the dataset except uniqueness, which needs the whole table."""
    found: list[Check] = []
    for column in made:
        found += _reading(column) + _constraints(column.field)
    return found + [
        Check(rule.name, *_declared(rule.check, rule.sql, dataset)) for rule in dataset.rules
    ]


def _declared(check: str | None, sql: str | None, dataset: Dataset) -> tuple[str, str]:
    """Field to point at and broken condition of a rule of the catalog."""
    if check is not None:
        return _pointed_at(check), _broken_relation(check, dataset)
    holds = condition(sql or "", dataset)
    # What cannot be computed for a row (an overflow, a cast) is broken there, not a failed load.
    return columns_in(holds)[0], f"not coalesce(try(coalesce(({holds}), true)), false)"


def _reading(column: Column) -> list[Check]:
    """Empty where it must not be, or filled with what cannot be read."""
    field = column.field
    # First the value, which most rows have: the text is then looked at in few.
    missing = f"{identifier(next(iter(column.typed)))} is null"
    empty = f"coalesce(trim({raw(field.name)}), '') = ''"
    found = []
    if field.constraints.required:
        found.append(Check(f"{field.name}_required", field.name, f"{missing} and {empty}"))
    if column.reads_text:
        named = column.looked_up and field.name not in ("period", "as_of")
        word = "known" if named else "readable"
        found.append(Check(f"{field.name}_{word}", field.name, f"{missing} and not ({empty})"))
    return found


def _constraints(field: FieldEntry) -> list[Check]:
    name, limits = identifier(field.name), field.constraints
    conditions = {
        "minimum": limits.minimum is not None and f"{name} < {_value(limits.minimum)}",
        "maximum": limits.maximum is not None and f"{name} > {_value(limits.maximum)}",
        "enum": limits.enum and f"{name}::varchar not in ({', '.join(map(literal, limits.enum))})",
        "pattern": limits.pattern
        and f"not regexp_full_match({name}::varchar, {literal(limits.pattern)})",
        "length": _length(name, limits.min_length, limits.max_length),
    }
    return [
        Check(f"{field.name}_{word}", field.name, str(condition))
        for word, condition in conditions.items()
        if condition
    ]


def _length(name: str, least: int | None, most: int | None) -> str:
    parts = [f"length({name}) < {least}"] if least is not None else []
    parts += [f"length({name}) > {most}"] if most is not None else []
    return " or ".join(parts)


def _value(limit: float | str | None) -> str:
    return f"date {literal(first_day(limit))}" if isinstance(limit, str) else f"{limit!r}"


def _broken_relation(check: str, dataset: Dataset) -> str:
    left, operator, right = check.split(" ", 2)
    known = {field.name for field in dataset.schema_.fields}
    if right in known:
        right = identifier(right)
    elif not re.match(r"^'", right) and not re.match(r"^-?[\d.]+$", right):
        right = literal(right)
    return f"not ({identifier(left)} {operator.replace('!=', '<>')} {right})"


def _pointed_at(check: str) -> str:
    left, _, right = check.split(" ", 2)
    return right if re.match(r"^[a-z_]\w*$", right) else left
