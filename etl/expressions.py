"""SQL expressions of the catalog: what may stand in one, and the only way they reach a query.

The parser of the database tells the tree of `select <expression>`. It must be one statement that is
nothing but one expression, of fields of the dataset, constants, and functions on a list; what then
runs is written anew from that tree, so that nothing of the text can slip by. An expression computes
with the values of one row: no sub-query, no aggregate, no window, no file, no setting, no clock.
"""

import difflib
from collections.abc import Iterator
from typing import Any

from etl.catalog import Catalog, CatalogError, Dataset, FieldEntry
from etl.errors import ForesightError, Problems
from etl.warehouse import parsed, rendered, type_of

_PARTS = """
COLUMN_REF VALUE_CONSTANT CASE_EXPR OPERATOR_CAST TYPE FUNCTION
COMPARE_EQUAL COMPARE_NOTEQUAL COMPARE_LESSTHAN COMPARE_GREATERTHAN COMPARE_LESSTHANOREQUALTO
COMPARE_GREATERTHANOREQUALTO COMPARE_DISTINCT_FROM COMPARE_NOT_DISTINCT_FROM COMPARE_BETWEEN
COMPARE_IN COMPARE_NOT_IN CONJUNCTION_AND CONJUNCTION_OR
OPERATOR_NOT OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_COALESCE
"""
_FUNCTIONS = """
+ - * / // % ~~ !~~ ~~* !~~* abs ceil floor greatest least mod nullif round sign sqrt trunc
contains ends_with length lower ltrim regexp_full_match regexp_matches replace rtrim starts_with
strip_accents substring trim upper
date_diff date_part date_trunc day last_day month quarter to_days to_months to_years year
"""
_TYPES = "bigint boolean date double integer interval smallint timestamp varchar"

PARTS = frozenset(_PARTS.split())
"""Kinds of nodes an expression may have."""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Functions and operators an expression may use: of the values of one row, and of nothing else."""
TYPES = frozenset(_TYPES.split())
"""Types an expression may cast to."""


class RefusedExpression(ForesightError):
    """An expression of the catalog holds what must not stand there."""


def check_expressions(catalog: Catalog) -> None:
    """Look at every expression of the catalog.

    Raises:
        Problems: a `CatalogError` with the line for each that may not stand.
    """
    problems: list[ForesightError] = []
    for number, dataset in enumerate(catalog.resources):
        for k, rule in enumerate(dataset.rules):
            try:
                if rule.sql is not None:
                    condition(rule.sql, dataset)
            except ForesightError as error:
                where = catalog.where(("resources", number, "rules", k, "sql"))
                problems.append(CatalogError(error.problem, where=where, hint=error.hint))
    if problems:
        raise Problems(problems)


def condition(text: str, dataset: Dataset) -> str:
    """`text` as SQL that may be put into a query over the clean columns of `dataset`.

    Raises:
        RefusedExpression: it is not one condition on the fields of one row.
        UnreadableExpression: it is not SQL, or its types do not go together.
    """
    tree = parsed(text)
    expression = _only_expression(tree)
    types = column_types(dataset)
    for node in _nodes(expression):
        _look_at(node, types)
    if not columns_in(text):
        raise RefusedExpression("it speaks of no field", hint=f"fields: {', '.join(types)}")
    sql = rendered(tree)
    kind = type_of(sql, types)
    if kind != "BOOLEAN":
        raise RefusedExpression(
            f"it is {kind} and not a condition", hint="compare: amount > 0, finished is null"
        )
    return sql


def columns_in(text: str) -> list[str]:
    """Names of the columns an expression speaks of, in the order of its tree."""
    found = [
        ".".join(node["column_names"]).lower()
        for node in _nodes(parsed(text)["statements"])
        if node.get("type") == "COLUMN_REF"
    ]
    return list(dict.fromkeys(found))


def column_types(dataset: Dataset) -> dict[str, str]:
    """Type of each clean column an expression may use, by name of the field."""
    return {field.name: _type(field) for field in dataset.schema_.fields}


def _type(field: FieldEntry) -> str:
    if field.name in ("period", "as_of"):
        return "date"
    if field.name in ("area", "status") or field.categories:
        return "varchar"
    kinds = {"integer": "bigint", "number": "double", "date": "date", "boolean": "boolean"}
    return kinds.get(field.type, "varchar")


def _only_expression(tree: dict[str, Any]) -> Any:
    """The one expression of `tree`, which is otherwise the tree of `select null`."""
    statements, bare = tree["statements"], parsed("null")["statements"]
    if len(statements) != 1:
        raise RefusedExpression(
            f"these are {len(statements)} statements", hint="write one expression"
        )
    chosen = statements[0]["node"].get("select_list", [])
    if len(chosen) != 1:
        raise RefusedExpression("this is not one expression", hint="write one: a <= b")
    if _shell(statements[0]) != _shell(bare[0]):
        raise RefusedExpression(
            "this is a query and not an expression",
            hint="no from, where, group by, order by, limit or union; the row is given",
        )
    return chosen[0]


def _shell(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement without its expression."""
    return {**statement, "node": {**statement["node"], "select_list": None}}


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Every object in `part`, however deep."""
    waiting = [part]
    while waiting:
        here = waiting.pop(0)
        if isinstance(here, dict):
            yield here
            waiting[:0] = here.values()
        elif isinstance(here, list):
            waiting[:0] = here


def _look_at(node: dict[str, Any], columns: dict[str, str]) -> None:
    """Raise `RefusedExpression` unless the node, without those below it, may stand."""
    if node.get("alias"):
        raise RefusedExpression(f"it is given a name, {node['alias']!r}", hint="take `as` out")
    if "class" not in node:
        return
    kind = node["type"]
    if kind not in PARTS:
        raise RefusedExpression(
            f"{kind.lower()} must not stand in an expression",
            hint="only fields, constants, comparisons, and, or, not, in, between, case, functions",
        )
    if kind == "COLUMN_REF":
        _known(".".join(node["column_names"]).lower(), frozenset(columns), "a field")
    elif kind == "FUNCTION":
        _known(_path(node), FUNCTIONS, "a function that may be used")
        if node["filter"] or node["distinct"] or node["order_bys"]["orders"]:
            raise RefusedExpression(
                f"{node['function_name']!r} is used as an aggregate", hint="one row at a time"
            )
    elif kind == "TYPE":
        _known(_path(node), TYPES, "a type to cast to")


def _path(node: dict[str, Any]) -> str:
    """The full name of a function or type; of a type with parts, one that is on no list."""
    path = ".".join(node["qualified_name"]["path"]).lower()
    return f"{path}(...)" if node.get("children") else path


def _known(word: str, known: frozenset[str], what: str) -> None:
    if word not in known:
        near = difflib.get_close_matches(word, sorted(known), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        raise RefusedExpression(f"{word!r} is not {what}", hint=hint)
