"""From the text of the catalog to its entries, with every error at its line."""

import copy
import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from etl.catalog.alert_checks import alert_checks
from etl.catalog.checks import Finding, cross_checks
from etl.catalog.entries import Catalog
from etl.catalog.events import event_checks
from etl.catalog.meaning import meaning_checks
from etl.catalog.parts import Part, Place
from etl.catalog.scenario_checks import scenario_checks
from etl.catalog.target_checks import target_checks
from etl.catalog.workload_checks import workload_checks
from etl.errors import ForesightError, Problems


class _Loader(yaml.CSafeLoader):
    """YAML without its oldest surprises: `on`, `no` and 2025-01-01 are text, as they look."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp"
        and not (tag == "tag:yaml.org,2002:bool" and first not in "tTfF")
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


MOST_BYTES = 5_000_000
MOST_DEEP = 40
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class CatalogError(ForesightError):
    """The catalog says something that cannot be."""


@dataclass(frozen=True)
class Places:
    """Where each node of a catalog stands in its file."""

    name: str
    content: Any
    lines: dict[Place, int]

    def __call__(self, place: Place) -> str:
        """`data_catalog.yaml:61: applications.rules`."""
        return f"{self.name}:{_line(self.lines, place)}: {_spoken(self.content, place)}"


def load_catalog(path: Path) -> Catalog:
    """The catalog in `path`.

    Raises:
        Problems: every error found, each a `CatalogError` with the line of the file.
    """
    if path.stat().st_size > MOST_BYTES:
        raise Problems([_too_large(path.name)])
    try:
        return parse_catalog(path.read_text(encoding="utf-8"), name=path.name, folder=path.parent)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Problems(
            [CatalogError("not UTF-8", where=f"{path.name}:{line}", hint="save it as UTF-8")]
        ) from None


def parse_catalog(
    text: str, *, name: str = "data_catalog.yaml", folder: Path | None = None
) -> Catalog:
    """The catalog in `text`; `name` is how errors call the file. Raises as `load_catalog`.

    Without the `folder` it lies in, a map of its own cannot be found: names are then read on that
    of Cần Thơ.
    """
    content, lines = _read_yaml(text, name)
    try:
        catalog = Catalog.model_validate(content, context=_context(content, folder))
    except ValidationError as error:
        told = [_explain(detail, content, lines, name) for detail in error.errors()]
        beside = _despite(error, content, Places(name, content, lines), folder)
        raise Problems([*told, *beside]) from None
    catalog._where = Places(name, content, lines)
    problems = [_found(catalog, finding) for finding in _findings(catalog)]
    if problems:
        raise Problems(list(problems))
    _ = catalog.map  # its faults are errors of the catalog
    return catalog


def _despite(
    error: ValidationError, content: Any, where: Places, folder: Path | None
) -> list[CatalogError]:
    """What else is wrong with datasets, where only the names of keys stop the catalog.

    For it, a key that is none is read as the one it is near to, or left out. What other blocks say
    is not looked at: they may name what is missing only because a key is misspelt.
    """
    rest = copy.deepcopy(content)
    for detail in error.errors():
        place: Place = tuple(step for step in detail["loc"] if not _is_branch(step))
        if detail["type"] == "extra_forbidden":
            block = reduce(getitem, place[:-1], rest)
            value = block.pop(place[-1])
            for near in _near(place):
                block.setdefault(near, value)
    try:
        catalog = Catalog.model_validate(rest, context=_context(rest, folder))
    except ValidationError:
        return []
    catalog._where = where
    found = [finding for finding in _findings(catalog) if finding[0][:1] == ("resources",)]
    return [_found(catalog, finding) for finding in found]


def _found(catalog: Catalog, finding: Finding) -> CatalogError:
    place, problem, hint = finding
    return CatalogError(problem, where=catalog.where(place), hint=hint)


def _findings(catalog: Catalog) -> Iterator[Finding]:
    yield from cross_checks(catalog)
    yield from meaning_checks(catalog)
    yield from event_checks(catalog)
    yield from target_checks(catalog)
    yield from scenario_checks(catalog)
    yield from alert_checks(catalog)
    yield from workload_checks(catalog)


def _context(content: Any, folder: Path | None) -> dict[str, Path]:
    """Where the map is, if the catalog names one."""
    inside = content.get("geography") if isinstance(content, dict) else None
    return {"map": folder / inside} if folder and isinstance(inside, str) else {}


def json_schema() -> str:
    """JSON Schema of the catalog, for completion in editors."""
    return json.dumps(Catalog.model_json_schema(by_alias=True), ensure_ascii=False, indent=1) + "\n"


def _read_yaml(text: str, name: str) -> tuple[Any, dict[Place, int]]:
    """Content and the line of every node; equal keys, of which YAML keeps the last, are refused."""
    if len(text) > MOST_BYTES:
        raise Problems([_too_large(name)])
    try:
        strange: list[ForesightError] = list(_strange(text, name))
        if strange:
            raise Problems(strange)
        root = yaml.compose(text, Loader=_Loader)
        content = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise Problems(
            [
                CatalogError(
                    f"not YAML: {getattr(error, 'problem', error)}",
                    where=f"{name}{line}",
                    hint="look at the line, and at the one before it",
                )
            ]
        ) from None
    lines: dict[Place, int] = {}
    repeated = [
        CatalogError(f"{key!r} stands twice", where=f"{name}:{line}", hint="keep one of the two")
        for key, line in _walk(root, (), lines)
    ]
    if repeated:
        raise Problems(list(repeated))
    return content, lines


def _strange(text: str, name: str) -> Iterator[CatalogError]:
    """What YAML can say and a catalog never needs, found before anything is made of it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        said = _said(event, depth)
        if said and event.start_mark:
            where = f"{name}:{event.start_mark.line + 1}"
            yield CatalogError(said, where=where, hint="write it out, as the other entries do")
        if depth > MOST_DEEP:
            return


def _said(event: Any, depth: int) -> str | None:
    if depth > MOST_DEEP:
        return f"more than {MOST_DEEP} blocks stand within one another"
    if isinstance(event, yaml.AliasEvent):
        return f"*{event.anchor} repeats another place"
    if getattr(event, "tag", None) not in (None, "!"):
        return f"{event.tag} makes something that is not text, number, list or block"
    if isinstance(event, yaml.ScalarEvent) and CONTROL.search(event.value):
        return f"{event.value[:40]!r} holds a control character"
    return None


def _too_large(name: str) -> CatalogError:
    return CatalogError(
        f"it is larger than {MOST_BYTES / 1e6:.0f} MB",
        where=name,
        hint="data belong into data/sources; the catalog only describes them",
    )


def _walk(node: Any, place: Place, lines: dict[Place, int]) -> Iterator[tuple[str, int]]:
    if node is None:
        return
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _walk(value, (*place, key.value), lines)
            lines[(*place, key.value)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _walk(value, (*place, number), lines)


def _line(lines: dict[Place, int], place: Place) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _spoken(content: Any, place: Place) -> str:
    """`applications.schema.fields.received.type`: numbers replaced by the names of the things."""
    words: list[str] = []
    node = content
    for step in place:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            node = None
        if isinstance(step, int):
            words.append(
                str(node["name"]) if isinstance(node, dict) and "name" in node else str(step)
            )
        elif place == ("resources",) or not (step == "resources" and not words):
            words.append(step)
    return ".".join(words)


def _explain(detail: Any, content: Any, lines: dict[Place, int], name: str) -> CatalogError:
    place: Place = tuple(step for step in detail["loc"] if not _is_branch(step))
    found = detail.get("input")
    if detail["type"] == "extra_forbidden":
        near = _near(place)
        problem = f"{place[-1]!r} is not a key here"
        keys = ", ".join(_allowed_keys(place))
        hint = f"did you mean {near[0]!r}?" if near else f"keys here: {keys}"
    elif detail["type"] == "missing":
        problem, hint = f"{place[-1]!r} is missing", "add it"
    elif found is None and place:
        problem, hint = "nothing stands behind this key", "write a value, or take the key out"
    else:
        told = detail["msg"].removeprefix("Value error, ")
        problem = told if isinstance(found, dict | list) else f"{found!r}: {told}"
        hint = ""
    return CatalogError(
        problem, where=f"{name}:{_line(lines, place)}: {_spoken(content, place)}", hint=hint
    )


def _is_branch(step: str | int) -> bool:
    """Whether pydantic added the step itself, to tell members of a union apart."""
    return isinstance(step, str) and bool(
        re.search(r"[\[(]|^(described|named|str|float|Condition)$", step)
    )


def _near(place: Place) -> list[str]:
    """The key that was meant, or none."""
    return difflib.get_close_matches(str(place[-1]), _allowed_keys(place), n=1)


def _allowed_keys(place: Place) -> list[str]:
    """Keys the catalog knows at the block that holds `place`."""
    model: Any = Catalog
    for step in place[:-1]:
        if isinstance(step, str):
            model = _child(model, step) or model
    return [info.alias or key for key, info in model.model_fields.items()]


def _child(model: type[Part], key: str) -> type[Part] | None:
    for name, info in model.model_fields.items():
        if key in (name, info.alias):
            return _model_in(info.annotation)
    return None


def _model_in(annotation: Any) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found:
            return found
    return None
