"""The rows of a release in the datastore of a CKAN, so that they can be asked for one by one.

Rows are told apart by the primary key of the dataset; where it has none, or the key has gaps, by a
checksum of the row in a column of its own. What the datastore holds is read and compared: only rows
that are new or differ are sent, and rows that left are taken away. So a load that was interrupted
goes on where it stopped.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from etl.publish.ckan_portal import CkanPortal
from etl.publish.package import spreadsheet_safe
from etl.publish.release import Release
from etl.publish.table import key_columns

PAGE = 10_000
"""Rows read at once; a portal may give fewer."""
SENT = 2_000
"""Rows sent, or taken away, at once."""
ROW_KEY = "row_key"
STORED = {
    "string": ("text", pl.String()),
    "integer": ("int8", pl.Int64()),
    "number": ("float8", pl.Float64()),
    "boolean": ("bool", pl.Boolean()),
    "date": ("date", pl.Date()),
}
"""How the datastore and polars hold each type of a Table Schema."""
KEY_FIELD = {
    "name": ROW_KEY,
    "type": "string",
    "title": "Mã dòng",
    "title_en": "Row identifier",
    "description": "Mã kiểm tra của dòng: bảng này không có khóa.",
    "description_en": "A checksum of the row: this table has no key.",
}


@dataclass(frozen=True)
class Rows:
    """What the datastore is to hold."""

    table: pl.DataFrame
    fields: list[dict[str, Any]]
    """As Table Schema, one a column of `table`."""
    key: list[str]
    """Columns that tell rows apart, never empty, without gaps."""

    @property
    def mark(self) -> str:
        """Equal where rows, columns and all that is said of them are."""
        said = json.dumps([self.fields, self.key], ensure_ascii=False, sort_keys=True)
        rows = hashlib.sha256(self.table.write_csv().encode()).hexdigest()
        return hashlib.sha256(f"{rows}\n{said}".encode()).hexdigest()

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Names and types as the datastore knows them."""
        return [(field["name"], STORED[field["type"]][0]) for field in self.fields]


def rows_of(release: Release) -> Rows:
    """The rows of a release, each with a key; text is safe, as a portal hands out csv files."""
    fields = release.fields
    table = release.table.cast({field["name"]: STORED[field["type"]][1] for field in fields})
    table = spreadsheet_safe(table)
    key = [name for name in key_columns(release.dataset) if name in table.columns]
    if (
        key
        and not any(table.select(key).null_count().row(0))
        and table.select(key).is_unique().all()
    ):
        return Rows(table, fields, key)
    return Rows(_numbered(table), [KEY_FIELD, *fields], [ROW_KEY])


def _numbered(table: pl.DataFrame) -> pl.DataFrame:
    """`table` with a checksum of each row before it; of equal rows, each has its own."""
    seen: dict[str, int] = {}
    marks = []
    for row in table.iter_rows():
        text = json.dumps(row, ensure_ascii=False, default=str)
        seen[text] = seen.get(text, 0) + 1
        marks.append(hashlib.sha256(f"{seen[text]}\n{text}".encode()).hexdigest()[:24])
    return table.select(pl.Series(ROW_KEY, marks, dtype=pl.String), pl.all())


def put_table(
    portal: CkanPortal, package: str, known: dict[str, Any] | None, rows: Rows, said: dict[str, Any]
) -> bool:
    """Let the datastore hold `rows`; whether anything had to be done.

    `known` is the resource that has them, where there is one; `said` is what is told of it, also
    the text by which it is known again.

    Raises:
        PortalRefuses, FetchFailed: as `CkanPortal.act`.
    """
    told = {**said, "foresight_key": ",".join(rows.key)}
    done = {**told, "foresight_rows": rows.mark}
    if known and all(known.get(name) == value for name, value in done.items()):
        return False
    resource = _resource(portal, package, known, rows, told)
    _fill(portal, resource, rows)
    portal.act("resource_patch", id=resource, **done)
    return True


def _resource(
    portal: CkanPortal,
    package: str,
    known: dict[str, Any] | None,
    rows: Rows,
    told: dict[str, Any],
) -> str:
    """The id of the resource, with a table of the right columns and their dictionary."""
    shape: dict[str, Any] = {"fields": [_field(field) for field in rows.fields], "force": True}
    if known is None:
        resource = {**told, "package_id": package}
        made = portal.act("datastore_create", resource=resource, primary_key=rows.key, **shape)
        return str(made["resource_id"])
    name = str(known["id"])
    there = portal.show("datastore_search", resource_id=name, limit=0)
    fits = there is not None and (_columns(there), known.get("foresight_key")) == (
        rows.columns,
        told["foresight_key"],
    )
    if there is not None and not fits:
        portal.act("datastore_delete", resource_id=name, force=True)
    if not fits:
        shape["primary_key"] = rows.key
    portal.act("datastore_create", resource_id=name, **shape)
    if not fits:
        portal.act("resource_patch", id=name, **told)
    return name


def _columns(there: dict[str, Any]) -> list[tuple[str, str]]:
    return [(field["id"], field["type"]) for field in there["fields"] if field["id"] != "_id"]


def _field(field: dict[str, Any]) -> dict[str, Any]:
    """One column with its entry in the data dictionary."""
    words = {"label": "title", "label_en": "title_en"}
    words |= {"notes": "description", "notes_en": "description_en", "unit": "unit"}
    info = {ours: field[name] for ours, name in words.items() if field.get(name)}
    return {"id": field["name"], "type": STORED[field["type"]][0], "info": info}


def _fill(portal: CkanPortal, resource: str, rows: Rows) -> None:
    """Take away the rows that left, then send those that are new or differ."""
    there = _there(portal, resource, rows)
    wrong = there.join(rows.table, on=rows.key, how="anti", nulls_equal=True)
    for chunk in wrong["_id"].sort().to_frame().iter_slices(SENT):
        portal.act(
            "datastore_records_delete",
            resource_id=resource,
            force=True,
            filters={"_id": chunk["_id"].to_list()},
            calculate_record_count=False,
        )
    new = rows.table.join(there, on=rows.table.columns, how="anti", nulls_equal=True)
    texts = new.with_columns(pl.col(pl.Date).dt.to_string("%Y-%m-%d"))
    for chunk in texts.iter_slices(SENT):
        portal.act(
            "datastore_upsert",
            resource_id=resource,
            force=True,
            method="upsert",
            records=chunk.to_dicts(),
            calculate_record_count=False,
        )


def _there(portal: CkanPortal, resource: str, rows: Rows) -> pl.DataFrame:
    """What the datastore holds, with `_id`."""
    schema = {"_id": pl.Int64(), **rows.table.schema}
    days = [name for name, kind in schema.items() if kind == pl.Date]
    texts = {name: pl.String() if name in days else kind for name, kind in schema.items()}
    pages = [
        pl.DataFrame(
            {name: [record.get(name) for record in records] for name in schema},
            schema=texts,
            strict=False,
        )
        for records in _pages(portal, resource)
    ]
    found = pl.concat([pl.DataFrame(schema=texts), *pages])
    return found.with_columns(pl.col(name).str.slice(0, 10).str.to_date() for name in days)


def _pages(portal: CkanPortal, resource: str) -> Iterator[list[dict[str, Any]]]:
    offset = 0
    while True:
        found = portal.act(
            "datastore_search",
            resource_id=resource,
            limit=PAGE,
            offset=offset,
            sort="_id",
            include_total=False,
        )
        if not found["records"]:
            return
        offset += len(found["records"])
        yield found["records"]
