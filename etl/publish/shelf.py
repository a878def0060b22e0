"""What stands ready to leave: the releases of a build, the history of each dataset, what stays.

Everything that may leave goes through here once: the gate is asked, packages are written into the
archive of versions, and versions that may no longer leave lose their files. Targets take it from
here and know nothing of the warehouse.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from etl.catalog import Catalog, Dataset, parse_catalog
from etl.errors import ForesightError
from etl.publish.archive import Archive, History
from etl.publish.coverage import Coverage, coverage
from etl.publish.derived import as_dataset, publication_content
from etl.publish.gate import Refusal, refusal
from etl.publish.package import content_of
from etl.publish.protect import key_of
from etl.publish.release import Content, Release, Said
from etl.settings import Settings, Site
from etl.warehouse import Warehouse


class NoCatalog(ForesightError):
    """The build does not say what it was built from."""


@dataclass(frozen=True)
class Refused:
    """A dataset that is not published."""

    dataset: Dataset
    why: Refusal


@dataclass(frozen=True)
class Shelf:
    """What a target publishes."""

    catalog: Catalog
    releases: list[Release]
    """In the order of the catalog, publications last. Their files are in the archive."""
    refused: list[Refused]
    """Every dataset that is not published, and why."""
    histories: dict[str, History]
    """Of every dataset that was ever published, by name."""
    archive: Archive
    coverage: Coverage
    """Of all real datasets; what is told outside is told of published ones only."""

    def release(self, name: str) -> Release | None:
        """The release of that dataset, where it has one."""
        return next((one for one in self.releases if one.dataset.name == name), None)


REASONS: dict[Refusal, str] = {
    Refusal.SIMULATED: "Dữ liệu mô phỏng không bao giờ được công bố.",
    Refusal.CASE_LEVEL: "Dữ liệu từng hồ sơ không rời kho dữ liệu.",
    Refusal.SENSITIVE: "Có trường thông tin nhạy cảm.",
    Refusal.NOT_DECLARED: "Danh mục không khai báo công bố.",
    Refusal.NOT_OPEN: "Không có giấy phép mở.",
    Refusal.NO_PUBLISHER: "Chưa ghi đơn vị công bố.",
    Refusal.NOTHING_LOADED: "Chưa nạp dữ liệu nào.",
    Refusal.NO_KEY: "Cần khóa làm tròn để bảo vệ số đếm nhỏ; nơi cài đặt này chưa có.",
    Refusal.UNPROTECTED: "Chưa bảo vệ được số đếm nhỏ theo cách khai báo hiện nay.",
    Refusal.PERSONAL: "Có nội dung về cá nhân hoặc văn bản tự do.",
}
STAYS = {Refusal.NOTHING_LOADED, Refusal.NO_KEY}
"""Reasons that say nothing against what was published before."""


def reason(why: Refusal, *, english: bool = False) -> str:
    """The reason as a sentence."""
    return f"{why[0].upper()}{why[1:]}." if english else REASONS[why]


def stock(
    warehouse: Warehouse,
    archive: Path,
    catalog: Catalog | None = None,
    *,
    site: Site | None = None,
    said: Said | None = None,
) -> Shelf:
    """Ask the gate, write what is new into the archive, and say what stands there.

    Without a `catalog`, that of the build. It is not trusted: the gate asks again. `site` names the
    key of the rounding; without it, that of this installation. `said` is why files were handed in
    anew.

    Raises:
        NoCatalog: the build holds no catalog.
        DamagedArchive: the archive is not what was written.
    """
    facts = dict(warehouse.select("select name, value from build_fact").iter_rows())
    catalog = catalog or catalog_of(warehouse)
    kept = Archive(archive, _sealing(site))
    releases, refused = _taken(warehouse, catalog, kept, _day(facts), site, said)
    _withdraw(catalog, kept, refused)
    found, histories = coverage(warehouse, catalog, kept), kept.histories()
    for history in histories.values():
        kept.check(history)
    return Shelf(catalog, releases, refused, histories, kept, found)


def _sealing(site: Site | None) -> bytes:
    """The rounding key, where there is one; without it the gate lets no protected counts out."""
    try:
        return key_of(Settings.read().site() if site is None else site)
    except ForesightError:
        return b""


def catalog_of(warehouse: Warehouse) -> Catalog:
    """The catalog the build was made from.

    Raises:
        NoCatalog: the build holds no catalog.
    """
    found = warehouse.select("select value from build_fact where name = 'catalog'")
    if found.is_empty() or not found["value"][0]:
        raise NoCatalog(f"build {warehouse.name} holds no catalog", hint="run: foresight refresh")
    return parse_catalog(found["value"][0], name=f"catalog of build {warehouse.name}")


def _day(facts: dict[str, str]) -> dt.date:
    """The day of the build: nothing here depends on the day of publishing."""
    told = facts.get("today") or facts.get("built_at") or "1970-01-01"
    return dt.date.fromisoformat(told[:10])


def _taken(
    warehouse: Warehouse,
    catalog: Catalog,
    archive: Archive,
    day: dt.date,
    site: Site | None,
    said: Said | None,
) -> tuple[list[Release], list[Refused]]:
    taken: list[Release | None] = []
    opened: list[str] = []
    refused: list[Refused] = []
    for dataset in catalog.resources:
        why = refusal(catalog, dataset, warehouse, site)
        if why:
            refused.append(Refused(dataset, why))
            continue
        opened.append(dataset.name)
        leaves = content_of(warehouse, catalog, dataset, site=site, said=said)
        taken.append(archive.take(catalog, leaves, day))
    for publication in catalog.publications:
        found = publication_content(warehouse, catalog, publication, opened)
        if isinstance(found, Content):
            taken.append(archive.take(catalog, found, day))
        else:
            refused.append(Refused(as_dataset(catalog, publication), found))
    return [release for release in taken if release], refused


def _withdraw(catalog: Catalog, archive: Archive, refused: list[Refused]) -> None:
    """Take back the versions of what may no longer leave, or is no longer in the catalog."""
    why = {one.dataset.name: one.why for one in refused}
    known = {*(one.name for one in catalog.resources), *(one.name for one in catalog.publications)}
    for name, history in archive.histories().items():
        against = why.get(name, None if name in known else Refusal.NOT_DECLARED)
        if against and against not in STAYS:
            archive.withdraw_all(history, reason(against), reason(against, english=True))
