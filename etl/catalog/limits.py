"""What the catalog may not say because of what is done with it: names, signs, patterns, numbers.

Patterns run in an engine whose time grows with the text and not with its powers; it knows neither
look-around nor references back. So a pattern that it compiles can make no reader hang.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator

import polars as pl

from etl.catalog.entries import Dataset, FieldEntry

Place = tuple[str | int, ...]
Finding = tuple[Place, str, str]

LONGEST_NAME = 57
"""Letters; tables and columns made from a name add up to five."""
OURS = {"load", "place", "shown"}
MADE = {"area": {"area_vintage"}, "period": {"period_end", "frequency"}}
"""Columns that stand beside a field in the clean table."""
DIRECTIVES = set("aAbBcdfgGHIjmMnpSuUVwWxXyYzZ%")


def limits(dataset: Dataset, place: Place) -> Iterator[Finding]:
    """Place, problem and hint of each error found in one dataset."""
    yield from _names(dataset, place)
    yield from _signs(dataset, (*place, "read"))
    yield from _dates(dataset, (*place, "read", "dates"))
    for where, pattern in _patterns(dataset):
        told = unusable(pattern)
        if told:
            yield (*place, *where), f"{pattern!r} is not a pattern: {told}", "see: Adding a dataset"
    for number, field in enumerate(dataset.schema_.fields):
        yield from _bounds(field, (*place, "schema", "fields", number, "constraints"))
    for number, rule in enumerate(dataset.rules):
        right = rule.check.split(" ", 2)[2]
        if re.fullmatch(r"-?[\d.]+", right) and not re.fullmatch(r"-?\d+(\.\d+)?", right):
            yield (*place, "rules", number, "check"), f"{right!r} is no number", "such as 1.5"
    for k, entry in enumerate(dataset.described):
        if not math.isfinite(entry.scale):
            yield (*place, "indicators", k), "scale is no finite number", "give a number"


def unusable(pattern: str) -> str | None:
    """Why `pattern` cannot be used, or `None`."""
    try:
        re.compile(pattern)
        pl.Series([""]).str.contains(pattern)
    except re.error as error:
        return str(error)
    except pl.exceptions.ComputeError:
        return "it has look-around, a reference back or a very large repetition"
    return None


def _patterns(dataset: Dataset) -> Iterator[tuple[Place, str]]:
    read, unpivot = dataset.read, dataset.clean.unpivot
    for key, pattern in (("stop_at", read.stop_at), ("drop_rows", read.drop_rows)):
        if pattern:
            yield ("read", key), pattern
    if read.sheet and read.sheet.startswith("^"):
        yield ("read", "sheet"), read.sheet
    if unpivot:
        yield ("clean", "unpivot", "columns"), unpivot.columns
    for number, field in enumerate(dataset.schema_.fields):
        if field.constraints.pattern:
            yield ("schema", "fields", number, "constraints"), field.constraints.pattern


def _names(dataset: Dataset, place: Place) -> Iterator[Finding]:
    fields = [field.name for field in dataset.schema_.fields]
    ours = OURS | {f"raw_{name}" for name in fields}
    ours |= {made for name in fields for made in MADE.get(name, set())}
    shorter = f"at most {LONGEST_NAME} letters"
    if len(dataset.name) > LONGEST_NAME:
        yield (*place, "name"), f"{dataset.name[:20]!r}... is too long a name", shorter
    for number, name in enumerate(fields):
        here: Place = (*place, "schema", "fields", number, "name")
        if name in ours:
            yield here, f"{name!r} is a name of a column made here", "choose another for the field"
        if len(name) > LONGEST_NAME:
            yield here, f"{name[:20]!r}... is too long a name", shorter


def _signs(dataset: Dataset, here: Place) -> Iterator[Finding]:
    signs = {"delimiter": dataset.delimiter, "quote": dataset.read.quote}
    for key, sign in signs.items():
        if len(sign) != 1 or not sign.isascii() or sign in "\r\n":
            yield (*here, key), f"{key} {sign!r} is not one sign", 'such as ";" or "\\t"'
    if signs["delimiter"] == signs["quote"]:
        yield (*here, "delimiter"), "delimiter and quote are the same sign", "change one of them"


def _dates(dataset: Dataset, here: Place) -> Iterator[Finding]:
    for form in dataset.read.dates:
        if set(re.findall(r"%-?(.?)", form)) - DIRECTIVES:
            yield here, f"{form!r} is not a form of dates", "such as %d/%m/%Y"


def _bounds(field: FieldEntry, here: Place) -> Iterator[Finding]:
    for key in ("minimum", "maximum"):
        bound = getattr(field.constraints, key)
        if isinstance(bound, float) and not math.isfinite(bound):
            yield (*here, key), f"{bound} is no finite number", "leave it out"
        if isinstance(bound, str) and not _day(bound):
            yield (*here, key), f"{bound!r} is neither a number nor a day", "write '2026-11-22'"


def first_day(text: str) -> str:
    """The first day of a year or a month, as `yyyy-mm-dd`; any other text as it is."""
    return text + "-01-01"[len(text) - 4 :] if len(text) in (4, 7) else text


def _day(text: str) -> bool:
    try:
        return bool(dt.date.fromisoformat(first_day(text)))
    except ValueError:
        return False
