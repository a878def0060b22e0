"""What the catalog may not say because of what is done with it: names, signs, patterns, numbers.

A pattern that `etl.patterns` takes can make no reader hang.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator

from etl.catalog.datasets import Dataset
from etl.catalog.fields import FieldEntry
from etl.catalog.parts import Place
from etl.patterns import group_names, unusable

Finding = tuple[Place, str, str]

LONGEST_NAME = 57
"""Letters; tables and columns made from a name add up to five."""
OURS = {"load", "rowid"}
MADE = {"area": {"area_vintage"}, "period": {"period_end", "frequency"}}
"""Columns that stand beside a field in the clean table."""
ROW_PATTERNS = ("unit", "caption", "stop_at", "drop_rows", "keep_rows")
DIRECTIVES = set("aAbBcdfgGHIjmMnpSuUVwWxXyYzZ%")


def limits(dataset: Dataset, place: Place) -> Iterator[Finding]:
    """Place, problem and hint of each error found in one dataset."""
    yield from _names(dataset, place)
    yield from _signs(dataset, (*place, "read"))
    yield from _dates(dataset, (*place, "read", "dates"))
    yield from _pattern_findings(dataset, place)
    for number, field in enumerate(dataset.schema_.fields):
        yield from _bounds(field, (*place, "schema", "fields", number, "constraints"))
    for number, rule in enumerate(dataset.rules):
        right = rule.check.split(" ", 2)[2] if rule.check else ""
        if re.fullmatch(r"-?[\d.]+", right) and not re.fullmatch(r"-?\d+(\.\d+)?", right):
            yield (*place, "rules", number, "check"), f"{right!r} is no number", "such as 1.5"
    for k, entry in enumerate(dataset.described):
        if not math.isfinite(entry.scale):
            yield (*place, "indicators", k), "scale is no finite number", "give a number"


def _pattern_findings(dataset: Dataset, place: Place) -> Iterator[Finding]:
    for where, pattern in _patterns(dataset):
        told = unusable(pattern)
        if told:
            problem = f"{pattern!r} is not a pattern: {told}"
            yield (*place, *where), problem, "see docs/adding-a-dataset.md"
        elif where[-1] == "caption" and not group_names(pattern):
            problem = "it has no named group, so nothing is taken from the caption"
            yield (*place, *where), problem, r"name what is wanted: '(?P<year>20\d\d)'"


def _patterns(dataset: Dataset) -> Iterator[tuple[Place, str]]:
    """Every pattern of the entry, and where it stands."""
    read, clean = dataset.read, dataset.clean
    found: list[tuple[Place, str | None]] = [
        *((("read", key), getattr(read, key)) for key in ROW_PATTERNS),
        (("read", "sheet"), _pattern_in(read.sheet)),
        (("read", "header", "find"), _pattern_in(read.header.find if read.header else None)),
        (("clean", "unpivot", "columns"), clean.unpivot.columns if clean.unpivot else None),
        *((("clean", "groups", i, "match"), groups.match) for i, groups in enumerate(clean.groups)),
        *((("clean", "totals", i, "match"), totals.match) for i, totals in enumerate(clean.totals)),
    ]
    for number, field in enumerate(dataset.schema_.fields):
        here: Place = ("schema", "fields", number)
        found.append(((*here, "constraints", "pattern"), field.constraints.pattern))
        found += [((*here, "from"), _pattern_in(spelling)) for spelling in field.from_]
    yield from ((where, pattern) for where, pattern in found if pattern)


def _pattern_in(text: str | None) -> str | None:
    """`text` where it begins as a pattern does, and not a name."""
    return text if text and text.startswith("^") else None


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
    if dataset.read.decimal == dataset.read.thousands:
        yield (
            (*here, "thousands"),
            "decimals and thousands are parted by the same sign",
            "say both: decimal: ',', thousands: '.'",
        )


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
