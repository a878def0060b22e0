"""JSON: a list of flat objects, one object a line, or an object that holds the list somewhere.

Where, the key `read: {records: ...}` says, `result.records` for one key within another.

A key that an object lacks is a missing value. An object that says one thing twice is refused, where
the format would keep the last.
"""

import codecs
import json
from pathlib import Path
from typing import Any

import polars as pl

from etl.catalog import Dataset
from etl.extract.raw import Raw, UnreadableFile, in_memory, shaped, text_of


def extract(path: Path, dataset: Dataset) -> Raw:
    """The records, with a column for each key in the order of first appearance.

    Raises:
        UnreadableFile: not JSON, no list of flat objects where the catalog says, or an empty one.
    """
    content = path.read_bytes()
    records = _records(parsed(content, path), dataset.read.records, path)
    for number, record in enumerate(records, start=1):
        _check_flat(record, f"{path.name}: record {number}")
    labels = dict.fromkeys(label for record in records for label in record)
    columns = pl.DataFrame(
        {
            label: [text_of(record.get(label), dataset.read.decimal) for record in records]
            for label in labels
        },
        schema=dict.fromkeys(labels, pl.String),
    )
    numbers = range(1, len(records) + 1)
    return in_memory(path, content, shaped(columns, numbers, dataset, where=path.name))


def parsed(content: bytes, path: Path) -> Any:
    """What the file holds; a list where it holds one object a line.

    Raises:
        UnreadableFile: not JSON, or a key stands twice in an object.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise UnreadableFile(
                f"{twice!r} stands twice in one object", where=path.name, hint="keep one of the two"
            )
        return made

    try:
        if _a_line_each(content):
            rows = content.decode("utf-8-sig").strip().split("\n")
            listed = ",\n".join(row for row in rows if row.strip())
            content = f"[{listed}]".encode()
        return json.loads(content, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        place, problem = f"{path.name}:{error.lineno}", error.msg
    except UnicodeDecodeError as error:
        place, problem = path.name, f"byte {error.start} is not {error.encoding.upper()}"
    except (ValueError, RecursionError) as error:
        place, problem = path.name, str(error)
    raise UnreadableFile(f"not JSON: {problem}", where=place, hint="ask for it again, as UTF-8")


def _a_line_each(content: bytes) -> bool:
    """Whether the first line is an object, and a second line begins another."""
    first, _, rest = content.lstrip(codecs.BOM_UTF8 + b" \t\r\n").partition(b"\n")
    if not (first.startswith(b"{") and rest.lstrip().startswith(b"{")):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _within(found: Any, key: str) -> Any:
    """What stands under a key, or under keys within each other parted by points."""
    for part in [key] if isinstance(found, dict) and key in found else key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def lists_in(found: Any, above: str = "") -> dict[str, list[Any]]:
    """Every list of objects in an object, by its keys parted by points."""
    made: dict[str, list[Any]] = {}
    for name, value in _items(found):
        if isinstance(value, list) and all(isinstance(one, dict) for one in value[:1]):
            made[above + name] = value
        elif isinstance(value, dict):
            made |= lists_in(value, f"{above}{name}.")
    return made


def _records(found: Any, key: str | None, path: Path) -> list[Any]:
    if key is not None:
        inside = _within(found, key)
        if inside is None:
            keys = ", ".join(found) if isinstance(found, dict) else "none, it is no object"
            raise UnreadableFile(f"there is no key {key!r}", where=path.name, hint=f"keys: {keys}")
        found = inside
    if not isinstance(found, list):
        lists = list(lists_in(found))
        hint = f"read: {{records: {lists[0]}}}" if lists else "it must be a list of flat objects"
        raise UnreadableFile("there is no list of records", where=path.name, hint=hint)
    if not found:
        raise UnreadableFile(
            "the list of records is empty", where=path.name, hint="take the file away until it has"
        )
    return found


def _items(found: Any) -> list[tuple[str, Any]]:
    return list(found.items()) if isinstance(found, dict) else []


def _check_flat(record: Any, where: str) -> None:
    if not isinstance(record, dict):
        raise UnreadableFile(
            f"{str(record)[:40]!r} is no object",
            where=where,
            hint='write each record with its keys: {"area": ..., "period": ...}',
        )
    for key, value in record.items():
        if isinstance(value, dict | list):
            raise UnreadableFile(
                f"{key!r} holds more than one value",
                where=where,
                hint="ask for flat records: one value a key",
            )
