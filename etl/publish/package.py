"""One dataset as a Data Package v2: its rows in four formats, and the documents beside them.

The same rows give the same bytes: rows are sorted, nothing holds the day of writing, and a version
is the newest day of the data with the beginning of a checksum over rows and description.
"""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import polars as pl

from etl.catalog import Catalog, Contributor, Dataset
from etl.durable import replace_text
from etl.publish.changes import Changes, told
from etl.publish.content import told_outside
from etl.publish.dictionary import dictionary
from etl.publish.gate import LICENCES, place_names
from etl.publish.release import (
    MEDIA_TYPES,
    Content,
    DataFile,
    Place,
    Release,
    Said,
    data_file,
    extreme,
)
from etl.publish.table import areas, clean_table, fields_of, key_columns, measures_of
from etl.publish.workbook import HEADER_ROW, fits, write_workbook
from etl.settings import Site
from etl.warehouse import Warehouse

PROFILES = "https://datapackage.org/profiles/2.0"
FORMULA = r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]"
"""What a spreadsheet would run or might hide a formula behind, in half and full width."""
WITHIN = r"([;\t|\r\n])([[\s\"']--[\t\r\n]]*[=+\-@＝＋－＠])"
"""The same where another cell begins for one that splits at such a mark: a Vietnamese Excel does at
`;`."""
WIDE = ["nation", "city", "former_province"]
DOCUMENTS = ("datapackage.json", "dictionary.csv", "LICENSE", "CHANGES", "SHA256SUMS")


def content_of(
    warehouse: Warehouse,
    catalog: Catalog,
    dataset: Dataset,
    *,
    site: Site | None = None,
    said: Said | None = None,
) -> Content:
    """What is to leave of `dataset`, which must have passed the gate.

    `said` is why departments handed in new versions of files; see `etl.publish.release.Said`.
    """
    table = clean_table(warehouse, catalog, dataset, site=site)
    publisher, licence = catalog.publisher_of(dataset), catalog.license_of(dataset)
    if publisher is None or licence is None:
        raise AssertionError(f"{dataset.name} has not passed the gate")
    loads = warehouse.select(
        "select max(loaded_at)::date as day from current_load where dataset = $dataset",
        dataset=dataset.name,
    )
    corrected = warehouse.select(
        "select distinct reason from correction where dataset = $dataset and reason is not null "
        "and load in (select load from current_load) order by 1",
        dataset=dataset.name,
    )
    return Content(
        dataset=dataset,
        publisher=publisher,
        licence=licence.name,
        table=table,
        modified=extreme(table, "as_of", "max") or extreme(loads, "day", "max"),
        places=places(warehouse, table),
        reasons=(
            *dict.fromkeys(told_outside(one, place_names(catalog)) for one in corrected["reason"]),
            *_handed_in(warehouse, catalog, dataset, said or {}),
        ),
    )


def _handed_in(warehouse: Warehouse, catalog: Catalog, dataset: Dataset, said: Said) -> list[str]:
    """Why files that are loaded now took the place of others."""
    loaded = warehouse.select(
        "select distinct file from current_load where dataset = $dataset order by 1",
        dataset=dataset.name,
    )
    given = [one for file in loaded["file"] for one in said.get(file, ())]
    places = place_names(catalog)
    return [f"{version}: {told_outside(reason, places)}" for version, reason in given]


def fingerprint(catalog: Catalog, content: Content) -> str:
    """SHA-256 over the rows and all that is said of them: equal where nothing changed."""
    rows = hashlib.sha256(_csv(content.table)).hexdigest()
    said = json.dumps(description(catalog, content), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(f"{rows}\n{said}".encode()).hexdigest()


def rows_mark(table: pl.DataFrame) -> str:
    """SHA-256 over the rows alone, without the names that the map and the catalog give."""
    bare = table.drop("area_name", "indicator_name", "unit", strict=False)
    return hashlib.sha256(bare.write_csv(include_header=False).encode()).hexdigest()


def version_of(content: Content, mark: str, key: bytes = b"") -> str:
    """`2026-02-13-0123abcd`: the newest day of the data, and the beginning of its fingerprint.

    With a `key` it is sealed by it: a name outlives the rows that are withdrawn, and nobody else
    can try by it which figures they held.
    """
    seal = hmac.digest(key, f"version {mark}".encode(), "sha256").hex() if key else mark
    return f"{content.modified}-{seal[:8]}" if content.modified else seal[:8]


def write_package(
    catalog: Catalog, content: Content, version: str, changes: list[tuple[str, Changes]], to: Path
) -> Release:
    """Write all files of one version into the new folder `to`.

    `changes` are those of this version and of the ones before it, newest first.
    """
    to.mkdir(parents=True)
    said = {**description(catalog, content), "version": version}
    for form in MEDIA_TYPES:
        _write_rows(content, said, form, to / f"data.{form}")
    release = release_of(catalog, content, version, to)
    _write_json(described(catalog, release, content.table), to / "datapackage.json")
    spreadsheet = spreadsheet_safe(dictionary(release.fields))
    spreadsheet.write_csv(to / "dictionary.csv", include_bom=True, line_terminator="\r\n")
    (to / "LICENSE").write_text(_licence_text(catalog, release), encoding="utf-8")
    write_changes(content.dataset.title, changes, to)
    return release_of(catalog, content, version, to)


def write_changes(title: str, changes: list[tuple[str, Changes]], folder: Path) -> list[DataFile]:
    """Write CHANGES and SHA256SUMS in the place of what is there; all files of the version."""
    replace_text(folder / "CHANGES", told(title, changes))
    names = sorted(path.name for path in folder.iterdir() if path.name != "SHA256SUMS")
    sums = [data_file(folder / name) for name in names]
    replace_text(folder / "SHA256SUMS", "".join(f"{file.sha256}  {file.name}\n" for file in sums))
    return [*sums, data_file(folder / "SHA256SUMS")]


def release_of(catalog: Catalog, content: Content, version: str, folder: Path) -> Release:
    """The release whose files lie in `folder`."""
    paths = (folder / f"data.{form}" for form in MEDIA_TYPES)
    documents = (folder / name for name in DOCUMENTS)
    return Release(
        dataset=content.dataset,
        publisher=content.publisher,
        licence=content.licence,
        version=version,
        files=tuple(data_file(path) for path in paths if path.exists()),
        rows=len(content.table),
        first=content.first,
        last=content.last,
        modified=content.modified,
        places=content.places,
        documents=tuple(data_file(path) for path in documents if path.exists()),
        folder=folder,
        fields=fields_of(catalog, content.dataset, content.table),
    )


def spreadsheet_safe(table: pl.DataFrame) -> pl.DataFrame:
    """`table` with `'` before every text that a spreadsheet might take for a formula.

    So too within a text, where one that splits cells at `;`, `|` or a tab would see one begin.
    """
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    return table.with_columns(
        pl.when(pl.col(name).str.contains(FORMULA))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .str.replace_all(WITHIN, "${1}'${2}")
        .alias(name)
        for name in texts
    )


def described(catalog: Catalog, release: Release, table: pl.DataFrame) -> dict[str, Any]:
    """The content of `datapackage.json`; `title_en`, `indicators` and the like are ours."""
    said = _said(catalog, release.dataset, release.licence, table)
    schema = said.pop("schema")
    resources = [_resource(release, file, schema) for file in release.files]
    return said | {"version": release.version, "resources": resources}


def description(catalog: Catalog, content: Content) -> dict[str, Any]:
    """All that is said of the rows, without the files they are in."""
    return _said(catalog, content.dataset, content.licence, content.table)


def citation(release: Release, *, base: str = "", english: bool = False) -> str:
    """How to quote a release: who, when, what, which version, where."""
    who, what = release.publisher.title, release.dataset.title
    if english:
        who, what = release.publisher.title_en or who, release.dataset.title_en or what
    year = f" ({release.modified.year})" if release.modified else ""
    word = "Version" if english else "Phiên bản"
    where = f" {base}{release.dataset.name}/v/{release.version}/" if base else ""
    return f"{who}{year}. {what}. {word} {release.version}. {release.licence}.{where}"


def places(warehouse: Warehouse, table: pl.DataFrame) -> tuple[Place, ...]:
    """Nation, city and former provinces in the data; for anything smaller, the city it lies in."""
    if "area" not in table.columns:
        return ()
    known = areas(warehouse)
    found = table.select("area", "area_vintage").unique().join(known, on=["area", "area_vintage"])
    wide = found.filter(pl.col("level").is_in(WIDE))
    if len(wide) < len(found):
        wide = pl.concat([wide, known.filter(level="city").select(wide.columns)])
    columns = ["area", "level", "area_name", "area_name_en"]
    return tuple(Place(*row) for row in wide.select(columns).unique().sort(columns).iter_rows())


def _csv(table: pl.DataFrame) -> bytes:
    text: str = spreadsheet_safe(table).write_csv(
        include_bom=True, line_terminator="\r\n", date_format="%Y-%m-%d"
    )
    return text.encode()


def _write_rows(content: Content, said: dict[str, Any], form: str, path: Path) -> None:
    table = content.table
    if form == "csv":
        path.write_bytes(_csv(table))
    elif form == "parquet":
        table.write_parquet(path, compression="zstd")
    elif form == "json":
        table.write_json(path)
    elif fits(table):
        write_workbook(table, said, path)


INDICATOR_KEYS = {
    "name",
    "title",
    "title_en",
    "unit",
    "unit_en",
    "description",
    "description_en",
    "aggregate",
}


def _said(catalog: Catalog, dataset: Dataset, licence: str, table: pl.DataFrame) -> dict[str, Any]:
    schema = {
        "$schema": f"{PROFILES}/tableschema.json",
        "fields": fields_of(catalog, dataset, table),
        "primaryKey": key_columns(dataset),
        "missingValues": [""],
    }
    return _filled(
        {
            "$schema": f"{PROFILES}/datapackage.json",
            "name": dataset.name,
            "title": dataset.title,
            "title_en": dataset.title_en,
            "description": dataset.description,
            "description_en": dataset.description_en,
            "keywords": dataset.publish.keywords if dataset.publish else [],
            "licenses": [_licence(catalog, dataset, licence)],
            "contributors": [_filled(who.model_dump()) for who in _contributors(catalog, dataset)],
            # The path of a source is a place inside this house.
            "sources": [
                _filled({"title": source.title, "email": source.email})
                for source in dataset.sources
                if source.title
            ],
            "indicators": [
                {"code": place} | _filled(indicator.model_dump(include=INDICATOR_KEYS))
                for place, indicator in measures_of(catalog, dataset, table)
            ],
            "schema": _filled(schema),
        }
    )


def _filled(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if value not in (None, "", [], {})}


def _licence(catalog: Catalog, dataset: Dataset, licence: str) -> dict[str, Any]:
    stated = catalog.license_of(dataset)
    title = stated.title if stated else None
    return _filled({"name": licence, "title": title, "path": LICENCES[licence][0]})


def _contributors(catalog: Catalog, dataset: Dataset) -> list[Contributor]:
    return dataset.contributors or catalog.contributors


def _resource(release: Release, file: DataFile, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": f"{PROFILES}/dataresource.json",
        "name": f"{release.dataset.name}-{file.format}",
        "type": "table",
        "path": file.name,
        "title": release.dataset.title,
        "format": file.format,
        "mediatype": MEDIA_TYPES[file.format],
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
        "schema": schema,
        **READING.get(file.format, {}),
    }


READING: dict[str, dict[str, Any]] = {
    "csv": {
        "description": "UTF-8 có BOM. Chữ mở đầu bằng = + - @, kể cả sau ; | hay dấu tab, "
        "có thêm dấu ' ở trước.",
        "description_en": "UTF-8 with BOM. Text beginning with = + - @, also behind ; | or a tab, "
        "has a ' before it.",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"'},
    },
    "xlsx": {
        "description": "Trang đầu: dòng 1 là tên cột, dòng 2 là mã cột. Trang sau: mô tả.",
        "description_en": "First sheet: titles in row 1, names in row 2. Then the description.",
        "dialect": {"headerRows": [HEADER_ROW]},
    },
    "json": {"dialect": {"itemType": "object"}},
}
"""What a reader of each format must be told."""


def _write_json(content: dict[str, Any], path: Path) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    path.write_text(f"{text}\n", encoding="utf-8")


def _licence_text(catalog: Catalog, release: Release) -> str:
    stated = _licence(catalog, release.dataset, release.licence)
    return (
        f"{release.dataset.title}\n\n"
        f"{release.licence}: {stated['path']}\n\n"
        f"Trích dẫn:\n  {citation(release)}\n\n"
        f"Cite as:\n  {citation(release, english=True)}\n"
    )
