"""The typed view of `data_catalog.yaml`: every dataset, its shape, rules, indicators and publication.

A profile of Data Package v2: `resources`, `sources`, `licenses`, `contributors`, `schema.fields`,
`constraints`, `categories` and `primaryKey` mean what the standard says, and `schema` describes the clean
table. Ours are, per resource, `read`, `clean`, `rules`, `tables`, `indicators`, `forecast`, `present`,
`publish`; per field `from`, `unit`, `sensitive`. Identifiers are English; `title` and `description` are
Vietnamese, `title_en` and `description_en` English.

Fields with these names have the meaning of the observation's column of that name, without being told so:
`area, period, category, value, status, as_of, source, source_url, note`, and `indicator` in long tables.
"""

import difflib
import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from etl.errors import ForesightError, Problems

type_ = type

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Level = Literal["nation", "city", "former_province", "district", "commune"]
Frequency = Literal["day", "week", "month", "quarter", "year"]
Grain = Literal["nation", "city", "city*category", "former_province", "commune", "commune*category"]
Status = Literal["estimate", "preliminary", "final", "plan"]
Theme = Literal[
    "AGRI",
    "ECON",
    "EDUC",
    "ENER",
    "ENVI",
    "GOVE",
    "HEAL",
    "INTR",
    "JUST",
    "REGI",
    "SOCI",
    "TECH",
    "TRAN",
]
Topic = Literal[
    "economy",
    "industry",
    "trade",
    "prices",
    "tourism",
    "budget",
    "investment",
    "enterprise",
    "agriculture",
    "society",
    "population",
    "health",
    "education",
    "transport",
    "reform",
    "workload",
    "environment",
]


def _one_or_many(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


def _as_text(value: Any) -> Any:
    """Years and numbers need no quotes where text is meant."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text)]


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


class Part(BaseModel):
    """A block of the catalog: closed, frozen, checked when made."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Source(Part):
    """Where the raw file is: `path` is relative to the catalog, and may hold `*`."""

    title: str = ""
    path: str = ""
    email: str | None = None


class Contributor(Part):
    """Who answers for the data."""

    title: str
    title_en: str | None = None
    roles: list[Literal["publisher", "creator", "contributor"]] = ["publisher"]
    email: str | None = None
    path: str | None = None


class License(Part):
    """A licence from a closed list."""

    name: Literal["CC-BY-4.0", "CC0-1.0", "ODC-BY-1.0", "internal"]
    title: str | None = None
    path: str | None = None


class Constraints(Part):
    """Table Schema constraints."""

    required: bool = False
    unique: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    enum: list[Text] | None = None
    pattern: str | None = None
    min_length: int | None = Field(None, alias="minLength")
    max_length: int | None = Field(None, alias="maxLength")


class Category(Part):
    """One allowed value: `value` in the clean table, `label` as departments write it."""

    value: Text
    label: str
    label_en: str | None = None
    spellings: list[str] = []


class FieldEntry(Part):
    """One column of the clean table."""

    name: Name
    type: Literal["string", "integer", "number", "boolean", "date", "year", "yearmonth"] = "string"
    title: str | None = None
    title_en: str | None = None
    description: str | None = None
    constraints: Constraints = Constraints()
    categories: Annotated[list[Category], BeforeValidator(lambda v: _plain_categories(v))] = []
    from_: Annotated[list[str], BeforeValidator(_one_or_many)] = Field([], alias="from")
    unit: str | None = None
    sensitive: bool = False

    @property
    def spellings(self) -> list[str]:
        """Headers under which the column is found in a file; its own name if none are given."""
        return self.from_ or [self.name]


def _plain_categories(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [v if isinstance(v, dict) else {"value": v, "label": str(v)} for v in value]


class Schema(Part):
    """The clean table."""

    fields: list[FieldEntry]
    primary_key: Annotated[list[Name], BeforeValidator(_one_or_many)] = Field(
        [], alias="primaryKey"
    )


class Header(Part):
    """Where the header of a sheet is: the row that holds the cell `find`, and `rows` rows in all."""

    find: str
    rows: int = Field(1, ge=1, le=6)


class Read(Part):
    """How the raw file is opened. Nothing here is guessed: the dialect is pinned."""

    format: Literal["csv", "xlsx"] | None = None
    encoding: Literal["utf-8", "utf-16", "windows-1258"] = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " "] = ""
    dates: Annotated[list[str], BeforeValidator(_one_or_many)] = ["%Y-%m-%d", "%d/%m/%Y"]
    missing: list[str] = ["", "-", "–", "..", "...", "…", "x", "na", "NA", "N/A"]
    sheet: str | None = None
    """Name of the sheet, or `^` and a regular expression; every sheet that matches is read."""
    header: Header | None = None
    stop_at: str | None = None
    """Regular expression on the first filled cell of a row: from there on, footnotes."""
    drop_rows: str | None = None
    """Regular expression on any cell among the first three filled: totals, column numbers."""
    simulated_by: Literal["dossiers"] | None = None
    """The files are made by `etl.simulate`; every figure made from them is marked as simulated."""


class Unpivot(Part):
    """Columns that are values of a variable. Named groups of `columns` become columns."""

    columns: str
    into: Name


class AreaReading(Part):
    """How names of places are read: at which levels, and as of which day."""

    level: Annotated[list[Level], BeforeValidator(_one_or_many)]
    on: Text | None = None
    """A field that holds a date, or a fixed day; by default the end of the period."""
    within: str | None = None


class Clean(Part):
    """How rows and cells are shaped into the clean table."""

    unpivot: Unpivot | None = None
    fill_down: list[str] = []
    constant: dict[str, Text] = {}
    areas: AreaReading | None = None
    period: Literal["as_written", "year", "year_to_date"] = "as_written"
    """What a value speaks of: the period written, its year, or from January to its end."""
    max_rejected: float = Field(0.05, ge=0, le=1)
    """Share of rejected records above which the load is refused."""


class Rule(Part):
    """A relation between fields, `a <= b`; it holds where either side is missing."""

    name: Name
    check: Annotated[str, Field(pattern=r"^\w+ (<=|>=|<|>|=|!=) (\w+|-?[\d.]+|'[^']*')$")]
    title: str | None = None
    title_en: str | None = None


class Condition(Part):
    """A comparison of a field with a value or another field."""

    at_most: Name | None = None
    after: Name | None = None


class Measure(Part):
    """A daily or monthly figure counted from rows.

    `count: received` counts rows on the day of `received`; `stock: {from: received, until: finished}` counts,
    at the end of each month, rows that have come and not gone; `sum` adds up a field on the day of `on`.
    """

    name: Name
    count: Name | None = None
    stock: "Stock | None" = None
    where: dict[Name, "Text | Condition"] = {}


class Stock(Part):
    """Rows open at the end of a day: `from` (or, from the day after, `after`) passed, `until` not yet."""

    from_: Name | None = Field(None, alias="from")
    after: Name | None = None
    until: Name


class Table(Part):
    """Measures of a case-level dataset, by area and category."""

    name: Name
    by: list[Literal["area", "category"]] = ["area"]
    measures: list[Measure]


class Indicator(Part):
    """What is measured. Described once, in the dataset that owns it."""

    name: Name
    title: str
    title_en: str
    unit: str = ""
    unit_en: str | None = None
    description: str | None = None
    description_en: str | None = None
    value: Name = "value"
    """Field or measure that holds it."""
    where: dict[Name, Text] = {}
    """Only rows with these values; in a long table by default `{indicator: <name>}`."""
    aggregate: Literal["sum", "last", "rate"] = "sum"
    better: Literal["up", "down", "none"] = "none"
    decimals: int = 0
    numerator: Name | None = None
    denominator: Name | None = None
    scale: float = 1.0
    topic: Topic | None = None


class ForecastEntry(Part):
    """What is forecast: which indicators, at which grains, how far ahead."""

    indicators: list[Name] = []
    frequency: Frequency
    horizon: int = Field(gt=0, le=366)
    grains: list[Grain]
    calendar: Literal["tet"] | None = None


class Present(Part):
    """How the dashboard shows it."""

    topic: Topic = "economy"
    headline: list[Name] = []
    """Indicators that may enter the first screen, in this order."""


class Publish(Part):
    """What leaves the house. No `publish`, no publication."""

    theme: Theme
    frequency: Literal["DAILY", "MONTHLY", "QUARTERLY", "ANNUAL", "IRREG"]
    keywords: list[str] = []


class Dataset(Part):
    """One resource of the catalog."""

    name: Name
    title: str
    title_en: str | None = None
    description: str | None = None
    description_en: str | None = None
    sources: list[Source] = Field(min_length=1)
    contributors: list[Contributor] = []
    licenses: list[License] = []
    version: Text | None = None
    schema_: Schema = Field(alias="schema")
    read: Read = Read()
    clean: Clean = Clean()
    rules: list[Rule] = []
    tables: list[Table] = []
    indicators: list[Indicator | Name] = []
    forecast: Annotated[list[ForecastEntry], BeforeValidator(_one_or_many)] = []
    present: Present = Present()
    publish: Publish | None = None

    @property
    def path(self) -> str:
        """The raw file or pattern of files."""
        return self.sources[0].path

    @property
    def format(self) -> str:
        """csv or xlsx: as declared, or by the ending of the path."""
        return self.read.format or PurePosixPath(self.path).suffix.lstrip(".").lower()

    @property
    def simulated(self) -> bool:
        """Whether its files are made by a simulation."""
        return self.read.simulated_by is not None

    @property
    def case_level(self) -> bool:
        """Whether a row is one case, kept in a table of its own, and only counted."""
        return bool(self.tables)

    @property
    def described(self) -> list[Indicator]:
        """Indicators described here."""
        return [entry for entry in self.indicators if isinstance(entry, Indicator)]

    @property
    def delivered(self) -> list[str]:
        """Names of all indicators it delivers, described here or elsewhere."""
        return [e.name if isinstance(e, Indicator) else e for e in self.indicators]

    def field(self, name: str) -> FieldEntry | None:
        """The field of that name."""
        return next((field for field in self.schema_.fields if field.name == name), None)

    def english_title(self) -> str:
        """English title, or the Vietnamese one where there is none."""
        return self.title_en or self.title


class Catalog(Part):
    """`data_catalog.yaml`, checked."""

    profile: Literal["cantho-foresight/1"]
    name: str
    title: str
    title_en: str
    description: str | None = None
    description_en: str | None = None
    version: Text = "1"
    licenses: list[License] = []
    contributors: list[Contributor] = []
    resources: list[Dataset]

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """Datasets by name, in the catalog's order."""
        return {dataset.name: dataset for dataset in self.resources}

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """Every indicator by name."""
        return {i.name: i for dataset in self.resources for i in dataset.described}

    @cached_property
    def owner(self) -> dict[str, str]:
        """Name of the dataset that describes each indicator."""
        return {i.name: dataset.name for dataset in self.resources for i in dataset.described}

    def license_of(self, dataset: Dataset) -> License | None:
        """The dataset's licence, or the package's."""
        found = dataset.licenses or self.licenses
        return found[0] if found else None

    def publisher_of(self, dataset: Dataset) -> Contributor | None:
        """Who publishes the dataset, or the package's publisher."""
        everyone = [*dataset.contributors, *self.contributors]
        return next((who for who in everyone if "publisher" in who.roles), None)


class CatalogError(ForesightError):
    """The catalog says something that cannot be."""


def load_catalog(path: Path) -> Catalog:
    """The catalog in `path`.

    Raises:
        Problems: every error found, each a `CatalogError` with the line of the file.
    """
    return parse_catalog(path.read_text(encoding="utf-8"), name=path.name)


def parse_catalog(text: str, *, name: str = "data_catalog.yaml") -> Catalog:
    """The catalog in `text`; `name` is how errors call the file. Raises as `load_catalog`."""
    content, lines = _read_yaml(text, name)
    try:
        catalog = Catalog.model_validate(content)
    except ValidationError as error:
        raise Problems(
            [_explain(detail, content, lines, name) for detail in error.errors()]
        ) from None
    problems = [
        CatalogError(
            problem, where=f"{name}:{_line(lines, place)}: {_spoken(content, place)}", hint=hint
        )
        for place, problem, hint in _cross_checks(catalog)
    ]
    if problems:
        raise Problems(list(problems))
    return catalog


def json_schema() -> str:
    """JSON Schema of the catalog, for completion in editors."""
    return json.dumps(Catalog.model_json_schema(by_alias=True), ensure_ascii=False, indent=1) + "\n"


Place = tuple[str | int, ...]


def _read_yaml(text: str, name: str) -> tuple[Any, dict[Place, int]]:
    """Content and the line of every node. Equal keys are refused: YAML would keep the last in silence."""
    try:
        root = yaml.compose(text, Loader=_Loader)
        content = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise Problems(
            [CatalogError(f"not YAML: {getattr(error, 'problem', error)}", where=f"{name}{line}")]
        ) from None
    lines: dict[Place, int] = {}
    repeated = [
        CatalogError(f"{key!r} stands twice", where=f"{name}:{line}", hint="keep one of the two")
        for key, line in _walk(root, (), lines)
    ]
    if repeated:
        raise Problems(list(repeated))
    return content, lines


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
        elif not (step == "resources" and not words):
            words.append(step)
    return ".".join(words)


def _explain(detail: Any, content: Any, lines: dict[Place, int], name: str) -> CatalogError:
    place: Place = tuple(step for step in detail["loc"] if not _is_branch(step))
    found = detail.get("input")
    if detail["type"] == "extra_forbidden":
        allowed = _allowed_keys(place)
        near = difflib.get_close_matches(str(place[-1]), allowed, n=1)
        problem = f"{place[-1]!r} is not a key here"
        hint = f"did you mean {near[0]!r}?" if near else f"keys here: {', '.join(allowed)}"
    elif detail["type"] == "missing":
        problem, hint = f"{place[-1]!r} is missing", "add it"
    else:
        problem = detail["msg"] if isinstance(found, dict | list) else f"{found!r}: {detail['msg']}"
        hint = ""
    return CatalogError(
        problem, where=f"{name}:{_line(lines, place)}: {_spoken(content, place)}", hint=hint
    )


def _is_branch(step: str | int) -> bool:
    """Whether pydantic added the step itself, to tell members of a union apart."""
    return isinstance(step, str) and bool(
        re.search(r"[\[(]|^(Indicator|constrained-str|str|float|Condition)$", step)
    )


def _allowed_keys(place: Place) -> list[str]:
    """Keys the catalog knows at the block that holds `place`."""
    model: Any = Catalog
    for step in place[:-1]:
        if isinstance(step, str):
            model = _child(model, step) or model
    return [info.alias or key for key, info in model.model_fields.items()]


def _child(model: type_[Part], key: str) -> type_[Part] | None:
    for name, info in model.model_fields.items():
        if key in (name, info.alias):
            return _model_in(info.annotation)
    return None


def _model_in(annotation: Any) -> type_[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found:
            return found
    return None


Finding = tuple[Place, str, str]


def _cross_checks(catalog: Catalog) -> Iterator[Finding]:
    """What structure cannot tell: names that must exist, be unique, or stay inside."""
    yield from _repeated_names(catalog)
    for number, dataset in enumerate(catalog.resources):
        place: Place = ("resources", number)
        yield from _path_check(dataset, place)
        yield from _field_checks(dataset, place)
        yield from _measure_checks(dataset, place)
        yield from _indicator_checks(catalog, dataset, place)
        yield from _forecast_checks(catalog, dataset, place)
        yield from _publish_checks(catalog, dataset, place)


def _repeated_names(catalog: Catalog) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for number, dataset in enumerate(catalog.resources):
        if dataset.name in seen:
            yield (
                ("resources", number, "name"),
                f"dataset {dataset.name!r} stands twice",
                "rename one",
            )
        seen[dataset.name] = dataset.name
    owners: dict[str, str] = {}
    for number, dataset in enumerate(catalog.resources):
        for k, indicator in enumerate(dataset.indicators):
            if not isinstance(indicator, Indicator):
                continue
            if indicator.name in owners:
                yield (
                    ("resources", number, "indicators", k),
                    f"indicator {indicator.name!r} is described in {owners[indicator.name]!r} already",
                    f"write only its name here: - {indicator.name}",
                )
            owners[indicator.name] = dataset.name


def _path_check(dataset: Dataset, place: Place) -> Iterator[Finding]:
    path = dataset.path
    here: Place = (*place, "sources", 0)
    if not path:
        yield here, "the first source has no path", "name the file: path: data/sources/..."
    elif (
        PurePosixPath(path).is_absolute()
        or ".." in PurePosixPath(path).parts
        or "\\" in path
        or ":" in path
    ):
        yield (*here, "path"), f"{path!r} leads outside", "use a path relative to the catalog"
    elif dataset.format not in ("csv", "xlsx"):
        yield (*here, "path"), f"no reader for {dataset.format!r}", "readers: csv, xlsx"


def _field_checks(dataset: Dataset, place: Place) -> Iterator[Finding]:
    names = [field.name for field in dataset.schema_.fields]
    columns = set(names)
    for number, name in enumerate(names):
        if name in names[:number]:
            yield (*place, "schema", "fields", number), f"field {name!r} stands twice", "rename one"
    for key in dataset.schema_.primary_key:
        if key not in columns:
            yield (*place, "schema", "primaryKey"), *_unknown(key, columns)
    for number, rule in enumerate(dataset.rules):
        left, _, right = rule.check.split(" ", 2)
        for word in (left, right):
            if re.match(r"^[a-z_]\w*$", word) and word not in columns:
                yield (*place, "rules", number, "check"), *_unknown(word, columns)
    for name in dataset.clean.constant:
        if name not in columns:
            yield (*place, "clean", "constant", name), *_unknown(name, columns)
    if "area" in columns and dataset.clean.areas is None:
        yield (
            (*place, "clean"),
            "it has areas, but not of which level",
            "add clean: {areas: {level: commune}}",
        )
    on = dataset.clean.areas.on if dataset.clean.areas else None
    if on and not re.match(r"^\d{4}-\d\d-\d\d$", on) and on not in columns:
        yield (*place, "clean", "areas", "on"), *_unknown(on, columns)


def _measure_checks(dataset: Dataset, place: Place) -> Iterator[Finding]:
    columns = {field.name for field in dataset.schema_.fields}
    for t, table in enumerate(dataset.tables):
        for m, measure in enumerate(table.measures):
            here: Place = (*place, "tables", t, "measures", m)
            if (measure.count is None) == (measure.stock is None):
                yield (
                    here,
                    f"measure {measure.name!r} needs either count or stock",
                    "give one of them",
                )
            for word in _measure_words(measure):
                if word not in columns:
                    yield here, *_unknown(word, columns)
        for by in table.by:
            if by not in columns:
                yield (*place, "tables", t, "by"), *_unknown(by, columns)


def _measure_words(measure: Measure) -> list[str]:
    stock = measure.stock
    words = [measure.count, *measure.where]
    words += [stock.from_, stock.after, stock.until] if stock else []
    for condition in measure.where.values():
        if isinstance(condition, Condition):
            words += [condition.at_most, condition.after]
    return [word for word in words if word]


def _indicator_checks(catalog: Catalog, dataset: Dataset, place: Place) -> Iterator[Finding]:
    columns = {field.name for field in dataset.schema_.fields}
    values = columns | {m.name for table in dataset.tables for m in table.measures}
    if dataset.clean.unpivot:
        values.add(dataset.clean.unpivot.into)
    for number, entry in enumerate(dataset.indicators):
        here: Place = (*place, "indicators", number)
        if isinstance(entry, str):
            if entry not in catalog.indicators:
                yield (
                    here,
                    *_unknown(entry, set(catalog.indicators), "an indicator described anywhere"),
                )
            continue
        for part in (entry.numerator, entry.denominator):
            if part and part not in catalog.indicators:
                yield (
                    here,
                    *_unknown(part, set(catalog.indicators), "an indicator described anywhere"),
                )
        if (entry.numerator is None) != (entry.denominator is None):
            yield here, "a rate needs numerator and denominator", "add the missing one"
        if entry.numerator is None and entry.value not in values:
            yield (*here, "value"), *_unknown(entry.value, values)
        for word in entry.where:
            if word not in columns:
                yield (*here, "where"), *_unknown(word, columns)


def _forecast_checks(catalog: Catalog, dataset: Dataset, place: Place) -> Iterator[Finding]:
    for number, entry in enumerate(dataset.forecast):
        for name in entry.indicators:
            if name not in catalog.indicators:
                yield (
                    (*place, "forecast", number, "indicators"),
                    *_unknown(name, set(catalog.indicators), "an indicator described anywhere"),
                )
    for name in dataset.present.headline:
        if name not in catalog.indicators:
            yield (
                (*place, "present", "headline"),
                *_unknown(name, set(catalog.indicators), "an indicator described anywhere"),
            )


def _publish_checks(catalog: Catalog, dataset: Dataset, place: Place) -> Iterator[Finding]:
    if dataset.publish is None:
        return
    here: Place = (*place, "publish")
    if dataset.simulated:
        yield here, "simulated data are never published", "take `publish` out"
    if dataset.case_level:
        yield here, "case-level rows never leave the warehouse", "take `publish` out"
    for field in dataset.schema_.fields:
        if field.sensitive:
            yield here, f"{field.name!r} is sensitive", "take `publish` out, or the field"
    licence = catalog.license_of(dataset)
    if licence is None or licence.name == "internal":
        yield here, "there is no open licence", "add licenses: [{name: CC-BY-4.0}]"


def _unknown(word: str, known: set[str], what: str = "one of its columns") -> tuple[str, str]:
    near = difflib.get_close_matches(word, sorted(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(sorted(known)[:12])
    return f"{word!r} is not {what}", f"known: {shown}{hint}"


Measure.model_rebuild()
