"""The portal in one call: the shelf of a build, written as a static folder."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from etl.catalog import Catalog
from etl.publish.archive import Archive
from etl.publish.coverage import Coverage, coverage
from etl.publish.release import Said
from etl.publish.shelf import NoCatalog, Shelf, catalog_of, stock
from etl.publish.targets import Done, chosen
from etl.publish.targets.files import NotAPortal, Options, put_back, write_portal
from etl.settings import Settings
from etl.warehouse import Warehouse

ARCHIVE = "portal-versions"
"""The folder of all versions in the state folder."""
__all__ = [
    "NoCatalog",
    "NotAPortal",
    "Outcome",
    "outcome",
    "publish_catalog",
    "publish_everywhere",
    "publish_portal",
]


@dataclass(frozen=True)
class Outcome:
    """What left and what stayed."""

    published: list[str]
    """Names of datasets, in the order of the catalog."""
    refused: dict[str, str]
    """Every other dataset, and why."""


def publish_portal(
    warehouse: Warehouse, folder: Path, *, base: str = "", archive: Path | None = None
) -> Outcome:
    """Replace `folder` by the portal of the open, real datasets of this build.

    `base` is the address the folder will be served from, ending in a stroke; without it the
    addresses in `catalog.jsonld` are relative to that file. Versions are kept in `archive`, by
    default `<folder>-versions` beside it. While the build stays the same, so does every byte.

    Raises:
        NoCatalog: the build holds no catalog.
        NotAPortal: `folder` holds files that are not of a portal.
        DamagedArchive: the history of versions cannot be read.
    """
    put_back(folder)
    return _published(stock(warehouse, archive or beside(folder)), folder, base)


def publish_catalog(
    warehouse: Warehouse,
    catalog: Catalog,
    folder: Path,
    *,
    base: str = "",
    archive: Path | None = None,
) -> Outcome:
    """As `publish_portal`, with the catalog in hand. It is not trusted: the gate asks again."""
    put_back(folder)
    return _published(stock(warehouse, archive or beside(folder), catalog), folder, base)


def publish_everywhere(
    warehouse: Warehouse, settings: Settings, *, out: Path | None = None, said: Said | None = None
) -> tuple[Shelf, dict[str, Done]]:
    """Stock the shelf once, and let every target that the site file names take from it.

    `out` is another folder for the static portal than the site file says; `said` is why files were
    handed in anew.

    Raises:
        UnknownTarget, SiteError: the site file names what there is not.
        NoCatalog, NotAPortal, DamagedArchive: as `publish_portal`.
    """
    asked = [(name, target, _at(options, out)) for name, target, options in chosen(settings)]
    for _, _, options in asked:
        if isinstance(options, Options):
            put_back(settings.home / options.folder)
    shelf = stock(warehouse, settings.home / ARCHIVE, site=settings.site(), said=said)
    return shelf, {
        name: target.publish(shelf, options, settings) for name, target, options in asked
    }


def standing_coverage(warehouse: Warehouse, settings: Settings) -> Coverage:
    """Who publishes what as it stands; nothing is published."""
    return coverage(warehouse, catalog_of(warehouse), Archive(settings.home / ARCHIVE))


def _at(options: BaseModel, out: Path | None) -> BaseModel:
    if out is None or not isinstance(options, Options):
        return options
    return options.model_copy(update={"folder": str(out.resolve())})


def beside(folder: Path) -> Path:
    """Where the versions of a portal are kept, unless told."""
    return folder.with_name(f"{folder.name}-versions")


def outcome(shelf: Shelf) -> Outcome:
    """What a shelf lets out, and what not."""
    return Outcome(
        [release.dataset.name for release in shelf.releases],
        {one.dataset.name: str(one.why) for one in shelf.refused},
    )


def _published(shelf: Shelf, folder: Path, base: str) -> Outcome:
    write_portal(shelf, folder, base=base)
    return outcome(shelf)
