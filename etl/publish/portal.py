"""The static portal: a folder per dataset, `catalog.jsonld`, and a page in two languages.

Everything is written to a hidden folder beside the target, which then takes its place: a crash
while writing leaves the old portal as it was. Between the two renames of the exchange there is an
instant without a portal; should the machine stop just there, the next run first puts the old back.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from etl.catalog import Catalog, parse_catalog
from etl.errors import ForesightError
from etl.publish.dcat import catalog_jsonld
from etl.publish.gate import Refusal, refusal
from etl.publish.package import Release, write_package
from etl.publish.page import PAGES, page
from etl.warehouse import Warehouse

OURS = {
    "catalog.jsonld",
    *PAGES.values(),
    "data.csv",
    "data.parquet",
    "datapackage.json",
    "SHA256SUMS",
}


class NoCatalog(ForesightError):
    """The build does not say what it was built from."""


class NotAPortal(ForesightError):
    """The folder to replace holds files that this module did not write."""


@dataclass(frozen=True)
class Outcome:
    """What left and what stayed."""

    published: list[str]
    """Names of datasets, in the order of the catalog."""
    refused: dict[str, str]
    """Every other dataset, and why."""


def publish_portal(warehouse: Warehouse, folder: Path, *, base: str = "") -> Outcome:
    """Replace `folder` by the portal of the open, real datasets of this build.

    `base` is the address the folder will be served from, ending in a stroke; without it the
    addresses in `catalog.jsonld` are relative to that file. While the build stays the same, so does
    every byte.

    Raises:
        NoCatalog: the build holds no catalog.
        NotAPortal: `folder` holds files that are not of a portal.
    """
    facts = dict(warehouse.select("select name, value from build_fact").iter_rows())
    if not facts.get("catalog"):
        raise NoCatalog(f"build {warehouse.name} holds no catalog", hint="run: foresight refresh")
    catalog = parse_catalog(facts["catalog"], name=f"catalog of build {warehouse.name}")
    return publish_catalog(warehouse, catalog, folder, base=base)


def publish_catalog(
    warehouse: Warehouse, catalog: Catalog, folder: Path, *, base: str = ""
) -> Outcome:
    """As `publish_portal`, with the catalog in hand. It is not trusted: the gate asks again."""
    with _replacing(folder) as fresh:
        answers = {d.name: refusal(catalog, d, warehouse) for d in catalog.resources}
        refused = {name: why for name, why in answers.items() if why}
        releases = [
            write_package(warehouse, catalog, dataset, fresh / dataset.name)
            for dataset in catalog.resources
            if dataset.name not in refused
        ]
        _write_index(catalog, releases, refused, fresh, base)
    return Outcome([r.dataset.name for r in releases], {n: str(why) for n, why in refused.items()})


def _write_index(
    catalog: Catalog,
    releases: list[Release],
    refused: dict[str, Refusal],
    folder: Path,
    base: str,
) -> None:
    description = catalog_jsonld(catalog, releases, base=base)
    (folder / "catalog.jsonld").write_text(description, encoding="utf-8")
    for language, name in PAGES.items():
        text = page(catalog, releases, refused, language)
        (folder / name).write_text(text, encoding="utf-8")


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of `folder` when the block ends well."""
    folder = folder.resolve()
    fresh, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    if old.exists() and not folder.exists():
        old.rename(folder)
    _check_replaceable(folder)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
    except BaseException:
        shutil.rmtree(fresh)
        raise
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _check_replaceable(folder: Path) -> None:
    if folder.is_file():
        raise NotAPortal("it is a file", where=str(folder), hint="name a new or empty folder")
    files = (path for path in folder.rglob("*") if path.is_file())
    strange = next((path for path in files if path.name not in OURS), None)
    if strange:
        raise NotAPortal(
            f"it holds {strange.relative_to(folder)}, which is not of a portal",
            where=str(folder),
            hint="name a new or empty folder; what is in it is replaced",
        )
