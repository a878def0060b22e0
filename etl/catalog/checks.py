"""What structure cannot tell: names that must exist, be unique, or stay inside."""

import difflib
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import get_args
from urllib.parse import urlsplit

from etl.catalog.datasets import Dataset
from etl.catalog.entries import Catalog
from etl.catalog.files import Format
from etl.catalog.handin_checks import handin_checks
from etl.catalog.limits import limits
from etl.catalog.measured import Condition, Indicator, Measure
from etl.catalog.parts import VARIABLE, Place
from etl.catalog.published import Publication
from etl.catalog.queries import query_problem

FIELD_NAME = re.compile(r"^[a-z_]\w*$")
FORMATS: tuple[str, ...] = get_args(Format)

Finding = tuple[Place, str, str]


def cross_checks(catalog: Catalog) -> Iterator[Finding]:
    """Place, problem and hint of each error found."""
    yield from _repeated_names(catalog)
    yield from _map_check(catalog)
    for number, dataset in enumerate(catalog.resources):
        place: Place = ("resources", number)
        yield from _path_check(dataset, place)
        yield from limits(dataset, place)
        yield from _query_checks(dataset, place)
        yield from _ckan_checks(dataset, place)
        yield from _shape_checks(dataset, place)
        yield from _field_checks(dataset, place)
        yield from _key_checks(dataset, place)
        yield from _correction_checks(dataset, place)
        yield from _measure_checks(dataset, place)
        yield from _indicator_checks(catalog, dataset, place)
        yield from _forecast_checks(catalog, dataset, place)
        yield from _publish_checks(catalog, dataset, place)
        yield from handin_checks(dataset, place)
    for number, publication in enumerate(catalog.publications):
        yield from _publication_checks(catalog, publication, ("publications", number))


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
                    f"{indicator.name!r} is described in {owners[indicator.name]!r} already",
                    f"write only its name here: - {indicator.name}",
                )
            owners[indicator.name] = dataset.name


def _map_check(catalog: Catalog) -> Iterator[Finding]:
    folder = catalog.geography
    if folder is not None and _leads_outside(folder):
        yield ("geography",), f"{folder!r} leads outside", "use a path relative to the catalog"


def _leads_outside(path: str) -> bool:
    parts = PurePosixPath(path)
    return parts.is_absolute() or ".." in parts.parts or "\\" in path or ":" in path


def _path_check(dataset: Dataset, place: Place) -> Iterator[Finding]:
    path = dataset.path
    here: Place = (*place, "sources", 0)
    if dataset.read.database is not None:
        if path:
            yield (*here, "path"), "a query of a database has no path", "take path out"
    elif not path:
        yield here, "the first source has no path", "name the file: path: data/sources/..."
    elif dataset.address:
        yield from _address_check(dataset, here)
    elif _leads_outside(path):
        yield (*here, "path"), f"{path!r} leads outside", "use a path relative to the catalog"
    elif any("**" in part for part in PurePosixPath(path).parts):
        yield (*here, "path"), f"{path!r} is too wide a pattern", "* stands for one folder or name"
    elif dataset.format not in FORMATS:
        yield (*here, "path"), f"no reader for {dataset.format!r}", f"readers: {', '.join(FORMATS)}"


def _address_check(dataset: Dataset, here: Place) -> Iterator[Finding]:
    """An address is spoken plainly, by name, and holds no secret; which is not repeated here."""
    try:
        address = urlsplit(dataset.path)
        named = bool(address.hostname) and (address.port or 1) > 0
    except ValueError:
        named = False
    if not named or re.search(r"[\x00-\x20\x7f\\]", dataset.path):
        yield (*here, "path"), "this is no address", "write https://host/path, blanks as %20"
    elif "@" in address.netloc:
        yield (
            (*here, "path"),
            "an address holds no user and no password",
            "take them out; the site file says how a host is spoken to: auth: {secret: ...}",
        )
    elif dataset.format not in FORMATS or dataset.format == "sql":
        yield (
            (*here, "path"),
            "the address does not tell the format",
            "say it: read: {format: csv}",
        )


def _query_checks(dataset: Dataset, place: Place) -> Iterator[Finding]:
    read, here = dataset.read, (*place, "read")
    if read.database is not None and not VARIABLE.match(read.database):
        yield (
            (*here, "database"),
            "this is not the name of an environment variable",
            "write its name, such as LAND_DATABASE; what it holds stays out of the catalog",
        )
    if dataset.format != "sql":
        for key in ("query", "database"):
            if getattr(read, key) is not None:
                yield (*here, key), f"{key} is only for format sql", "say read: {format: sql}"
    elif problem := query_problem(read.query or ""):
        yield (*here, "query"), problem, "write one select ... from ... order by ..."


def _ckan_checks(dataset: Dataset, place: Place) -> Iterator[Finding]:
    ckan, here = dataset.read.ckan, (*place, "read", "ckan")
    if ckan is None:
        return
    if (ckan.resource is None) == (ckan.datastore is None):
        yield here, "it needs either resource or datastore", "give one of them"
    if not dataset.address:
        yield here, "there is no portal", "name it: sources: [{path: https://portal}]"
    if ckan.datastore and dataset.read.format not in (None, "json"):
        yield (*place, "read", "format"), "a datastore is read as json", "take format out"


def _shape_checks(dataset: Dataset, place: Place) -> Iterator[Finding]:
    """What a reader does not do must not be asked of it in silence."""
    read, clean = dataset.read, dataset.clean
    if dataset.format in ("json", "parquet"):
        for block, key, asked in (
            ("read", "header", read.header),
            ("read", "unit", read.unit),
            ("read", "caption", read.caption),
            ("read", "stop_at", read.stop_at),
            ("read", "drop_rows", read.drop_rows),
            ("read", "keep_rows", read.keep_rows),
            ("clean", "groups", clean.groups),
            ("clean", "totals", clean.totals),
        ):
            if asked:
                yield (
                    (*place, block, key),
                    f"{key} is not done for {dataset.format} files: they have no title and no rows "
                    "of their own kind",
                    "take it out, or send the table as a workbook",
                )
    if read.header and read.header.at > read.header.rows:
        problem = f"the header has {read.header.rows} rows, and no row {read.header.at}"
        yield (*place, "read", "header", "at"), problem, "rows counts the rows of the whole header"
    if read.unit and not any(field.unit for field in dataset.schema_.fields):
        yield (
            (*place, "read", "unit"),
            "no field says in which unit it is wanted",
            "add it to the fields: {name: value, type: number, unit: tỷ đồng}",
        )


def _field_checks(dataset: Dataset, place: Place) -> Iterator[Finding]:
    names = [field.name for field in dataset.schema_.fields]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield (*place, "schema", "fields", number), f"field {name!r} stands twice", "rename one"
    for where, word in _field_words(dataset):
        if word not in names:
            yield (*place, *where), *_unknown(word, set(names))
    if "area" in names and dataset.clean.areas is None:
        yield (
            (*place, "clean"),
            "it has areas, but not of which level",
            "add clean: {areas: {level: commune}}",
        )
    yield from _absent_checks(dataset, (*place, "clean", "absent"))


def _absent_checks(dataset: Dataset, here: Place) -> Iterator[Finding]:
    day = dataset.field("period")
    counts = all(one.aggregate == "sum" for one in dataset.described)
    listed = day is not None and day.type == "date" and counts
    if dataset.clean.absent == "zero" and (dataset.case_level or not listed):
        yield (
            here,
            "only sums of days can be 0 where they are absent",
            "take `absent` out, or give it a field `period` of type date and no other indicators",
        )


def _key_checks(dataset: Dataset, place: Place) -> Iterator[Finding]:
    for number, field in enumerate(dataset.schema_.fields):
        if field.sensitive and (
            field.constraints.unique or field.name in dataset.schema_.primary_key
        ):
            yield (
                (*place, "schema", "fields", number),
                f"{field.name!r} is sensitive: it is not kept, and cannot be compared with others",
                "take `sensitive` out, or `unique` and `primaryKey`",
            )


def _field_words(dataset: Dataset) -> Iterator[tuple[Place, str]]:
    """Every word that must be a field, and where it stands."""
    for key in dataset.schema_.primary_key:
        yield ("schema", "primaryKey"), key
    for number, rule in enumerate(dataset.rules):
        if rule.check is None:
            continue  # an expression is looked at in etl.expressions
        left, _, right = rule.check.split(" ", 2)
        yield ("rules", number, "check"), left
        if FIELD_NAME.match(right):
            yield ("rules", number, "check"), right
    for name in dataset.clean.constant:
        yield ("clean", "constant", name), name
    on = dataset.clean.areas.on if dataset.clean.areas else None
    if on and FIELD_NAME.match(on):
        yield ("clean", "areas", "on"), on


def _correction_checks(dataset: Dataset, place: Place) -> Iterator[Finding]:
    written = {f.name for f in dataset.schema_.fields if f.name not in dataset.clean.constant}
    secret = {f.name for f in dataset.schema_.fields if f.sensitive}
    for number, entry in enumerate(dataset.corrections):
        here: Place = (*place, "corrections", number)
        for word in (*entry.where, entry.field):
            if word not in written:
                yield here, *_unknown(word, written, "a field read from the file")
            elif word in secret:
                yield here, f"{word!r} is sensitive", "its text must not stand in the catalog"
        if entry.field in entry.where:
            yield (
                (*here, "where"),
                "the record is looked for by the text that is corrected",
                "find it by other fields; `expect` says what stands in the field",
            )
        if entry.expect == entry.correct:
            yield here, f"it corrects {entry.expect!r} to itself", "take it out"
        earlier = dataset.corrections[:number]
        if any((e.field, e.where) == (entry.field, entry.where) for e in earlier):
            yield here, f"{entry.field!r} of this record is corrected twice", "keep one of the two"


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
    known = set(catalog.indicators)
    for number, entry in enumerate(dataset.indicators):
        here: Place = (*place, "indicators", number)
        if isinstance(entry, str):
            names = [entry]
        else:
            names = entry.compute.inputs if entry.compute else []
            yield from _value_checks(dataset, entry, here)
        for name in names:
            if name not in known:
                yield here, *_unknown(name, known, "an indicator described anywhere")


def _value_checks(dataset: Dataset, entry: Indicator, here: Place) -> Iterator[Finding]:
    columns = {field.name for field in dataset.schema_.fields}
    values = columns | {m.name for table in dataset.tables for m in table.measures}
    if not (entry.compute and entry.value == "value") and entry.value not in values:
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
    yield from _exempt_checks(dataset, here)
    if dataset.simulated:
        yield here, "simulated data are never published", "take `publish` out"
    if dataset.case_level:
        yield from _case_publish_checks(catalog, dataset, here)
    for field in dataset.schema_.fields:
        if field.sensitive and not dataset.case_level:
            yield here, f"{field.name!r} is sensitive", "take `publish` out, or the field"
    licence = catalog.license_of(dataset)
    if licence is None or licence.name == "internal":
        yield here, "there is no open licence", "add licenses: [{name: CC-BY-4.0}]"


def _exempt_checks(dataset: Dataset, here: Place) -> Iterator[Finding]:
    known = {*(field.name for field in dataset.schema_.fields), *dataset.delivered}
    for number, entry in enumerate(dataset.publish.exempt if dataset.publish else []):
        if entry.field not in known:
            yield (*here, "exempt", number), *_unknown(entry.field, known)


def _case_publish_checks(catalog: Catalog, dataset: Dataset, here: Place) -> Iterator[Finding]:
    """Cases leave as counts, and these are protected."""
    counted = {measure.name for table in dataset.tables for measure in table.measures}
    delivered = (catalog.indicators.get(name) for name in dataset.delivered)
    if not any(one and one.value in counted for one in delivered):
        yield here, "case-level rows never leave the warehouse", "describe indicators of its counts"
    if dataset.publish and dataset.publish.protect == "none":
        yield (
            (*here, "protect"),
            "counts of cases are always rounded when they leave",
            "take `protect` out",
        )


def _publication_checks(
    catalog: Catalog, publication: Publication, place: Place
) -> Iterator[Finding]:
    names = [*catalog.datasets, *(one.name for one in catalog.publications)]
    if names.count(publication.name) > 1:
        yield (*place, "name"), f"dataset {publication.name!r} stands twice", "rename one"
    for number, name in enumerate(publication.indicators):
        if name not in catalog.indicators:
            problem, hint = _unknown(name, set(catalog.indicators), "one of the indicators")
            yield (*place, "indicators", number), problem, hint
    licence = catalog.license_of(publication)
    if licence is None or licence.name == "internal":
        yield place, "there is no open licence", "add licenses: [{name: CC-BY-4.0}]"


def _unknown(word: str, known: set[str], what: str = "one of its columns") -> tuple[str, str]:
    near = difflib.get_close_matches(word, sorted(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(sorted(known)[:12])
    return f"{word!r} is not {what}", f"known: {shown}{hint}"
