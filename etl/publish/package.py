"""One dataset as a Data Package v2: `data.csv`, `data.parquet`, `datapackage.json`, `SHA256SUMS`.

The same rows give the same bytes: rows are sorted, nothing holds the day of writing, and a version
is the newest day of the data with the beginning of its checksum.
"""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from etl.catalog import Catalog, Contributor, Dataset
from etl.publish.gate import LICENCES
from etl.publish.table import areas, clean_table, fields_of, key_columns, measures_of
from etl.warehouse import Warehouse

PROFILES = "https://datapackage.org/profiles/2.0"
MEDIA_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
FORMULA = r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]"
"""What a spreadsheet would run or might hide a formula behind, in half and full width."""
WIDE = ["nation", "city", "former_province"]


@dataclass(frozen=True)
class DataFile:
    """One file of a package."""

    name: str
    format: str
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class Place:
    """An area the data cover."""

    code: str
    level: str
    name: str
    name_en: str


@dataclass(frozen=True)
class Release:
    """One published dataset: what the catalog says of it, and what its rows say."""

    dataset: Dataset
    publisher: Contributor
    licence: str
    files: tuple[DataFile, ...]
    rows: int
    first: dt.date | None
    """First day the rows speak of; None for data without periods."""
    last: dt.date | None
    modified: dt.date | None
    """Newest day of publication in the rows; without one, the day of the newest load."""
    places: tuple[Place, ...]

    @property
    def version(self) -> str:
        """Changes when the data do, and only then."""
        day = f"{self.modified}+" if self.modified else ""
        return f"{day}{self.files[0].sha256[:8]}"


def write_package(
    warehouse: Warehouse, catalog: Catalog, dataset: Dataset, folder: Path
) -> Release:
    """Write the package of `dataset`, which must have passed the gate, into the new `folder`."""
    table = clean_table(warehouse, catalog, dataset)
    folder.mkdir()
    spreadsheet_safe(table).write_csv(
        folder / "data.csv", include_bom=True, line_terminator="\r\n", date_format="%Y-%m-%d"
    )
    table.write_parquet(folder / "data.parquet", compression="zstd")
    release = _release(warehouse, catalog, dataset, table, folder)
    description = json.dumps(described(catalog, release, table), ensure_ascii=False, indent=1)
    (folder / "datapackage.json").write_text(f"{description}\n", encoding="utf-8")
    _write_sums(folder)
    return release


def spreadsheet_safe(table: pl.DataFrame) -> pl.DataFrame:
    """`table` with `'` before every text that a spreadsheet might take for a formula."""
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    return table.with_columns(
        pl.when(pl.col(name).str.contains(FORMULA))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    )


def described(catalog: Catalog, release: Release, table: pl.DataFrame) -> dict[str, Any]:
    """The content of `datapackage.json`; `title_en`, `indicators` and the like are ours."""
    dataset = release.dataset
    schema = {
        "$schema": f"{PROFILES}/tableschema.json",
        "fields": fields_of(catalog, dataset, table),
        "primaryKey": key_columns(dataset),
        "missingValues": [""],
    }
    package: dict[str, Any] = {
        "$schema": f"{PROFILES}/datapackage.json",
        "name": dataset.name,
        "title": dataset.title,
        "title_en": dataset.title_en,
        "description": dataset.description,
        "description_en": dataset.description_en,
        "version": release.version,
        "keywords": dataset.publish.keywords if dataset.publish else [],
        "licenses": [_licence(catalog, release)],
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
        "resources": [_resource(release, file, _filled(schema)) for file in release.files],
    }
    return _filled(package)


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


def _filled(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if value not in (None, "", [], {})}


def _licence(catalog: Catalog, release: Release) -> dict[str, Any]:
    stated = catalog.license_of(release.dataset)
    return _filled(
        {
            "name": release.licence,
            "title": stated.title if stated else None,
            "path": LICENCES[release.licence][0],
        }
    )


def _contributors(catalog: Catalog, dataset: Dataset) -> list[Contributor]:
    return dataset.contributors or catalog.contributors


def _resource(release: Release, file: DataFile, schema: dict[str, Any]) -> dict[str, Any]:
    resource: dict[str, Any] = {
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
    }
    if file.format == "csv":
        resource |= {
            "description": "UTF-8 có BOM. Chữ mở đầu bằng = + - @ có thêm dấu ' ở trước.",
            "description_en": "UTF-8 with BOM. Text beginning with = + - @ has a ' before it.",
            "encoding": "utf-8",
            "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"'},
        }
    return resource


def _release(
    warehouse: Warehouse, catalog: Catalog, dataset: Dataset, table: pl.DataFrame, folder: Path
) -> Release:
    publisher, licence = catalog.publisher_of(dataset), catalog.license_of(dataset)
    if publisher is None or licence is None:
        raise AssertionError(f"{dataset.name} has not passed the gate")
    return Release(
        dataset=dataset,
        publisher=publisher,
        licence=licence.name,
        files=tuple(_file(folder / f"data.{form}") for form in MEDIA_TYPES),
        rows=len(table),
        first=_extreme(table, "period", "min"),
        last=_extreme(table, "period_end", "max"),
        modified=_extreme(table, "as_of", "max") or _loaded_on(warehouse, dataset),
        places=_places(warehouse, table),
    )


def _file(path: Path) -> DataFile:
    content = path.read_bytes()
    return DataFile(
        name=path.name,
        format=path.suffix.lstrip("."),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _extreme(table: pl.DataFrame, column: str, which: str) -> dt.date | None:
    if table.schema.get(column) != pl.Date:
        return None
    found = table[column].min() if which == "min" else table[column].max()
    return found if isinstance(found, dt.date) else None


def _loaded_on(warehouse: Warehouse, dataset: Dataset) -> dt.date | None:
    found = warehouse.select(
        "select max(loaded_at)::date as day from current_load where dataset = $dataset",
        dataset=dataset.name,
    )
    day = found["day"][0]
    return day if isinstance(day, dt.date) else None


def _places(warehouse: Warehouse, table: pl.DataFrame) -> tuple[Place, ...]:
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


def _write_sums(folder: Path) -> None:
    sums = [_file(path) for path in sorted(folder.iterdir())]
    lines = "".join(f"{file.sha256}  {file.name}\n" for file in sums)
    (folder / "SHA256SUMS").write_text(lines, encoding="utf-8")
