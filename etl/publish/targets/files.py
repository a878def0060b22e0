"""A static portal: a folder that any web server can serve, or that opens without one.

A folder per dataset holds the newest files, `v/<version>/` in it each version that is kept; pages
and catalogs stand beside. Everything is written to a hidden folder beside the target, which then
takes its place: a crash while writing leaves the old portal as it was. Between the two renames of
the exchange there is an instant without a portal; should the machine stop just there, the next run
first puts the old back. Files are links to those of the archive where the disk allows it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from etl.errors import ForesightError
from etl.publish.archive import HISTORY, Version
from etl.publish.mappings import documents, mappings
from etl.publish.package import DOCUMENTS
from etl.publish.page import page_names, pages
from etl.publish.release import MEDIA_TYPES, Release
from etl.publish.shelf import Shelf
from etl.publish.targets import Done
from etl.settings import Settings

OURS = {
    *page_names(),
    *DOCUMENTS,
    *(f"data.{form}" for form in MEDIA_TYPES),
    *(HISTORY, "robots.txt", "sitemap.xml"),
}
"""Names of files of a portal, beside those of the mappings."""
CONTENTS = ".foresight-portal"
"""The names of all files of the portal, one a line: what is none of these is not ours."""
LEFT_BEFORE = {"catalog.jsonld", "catalog.ttl", "datasets.jsonld", "robots.txt"}
"""By which a portal is known that was written before it had a list."""


class NotAPortal(ForesightError):
    """The folder to replace holds files that this module did not write."""


class Options(BaseModel):
    """Where the folder is, and where it will be served from."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    folder: str = "portal"
    """Relative to the state folder."""
    base: Annotated[str, Field(pattern=r"^(https?://[^\s<>\"']+/)?$")] = ""
    """The address it is served from, ending in a stroke; without it addresses are relative."""


def publish(shelf: Shelf, options: Options, settings: Settings) -> Done:
    """Replace the folder by the portal of this shelf."""
    return write_portal(shelf, settings.home / options.folder, base=options.base)


def write_portal(shelf: Shelf, folder: Path, *, base: str = "") -> Done:
    """Replace `folder`. While the shelf stays the same, so does every byte.

    Raises:
        NotAPortal: `folder` holds files that are not of a portal.
    """
    with _replacing(folder) as fresh:
        _link_packages(shelf, fresh)
        for mapping in mappings().values():
            for name, text in mapping.files(shelf, base).items():
                _write(fresh / name, text)
        written = []
        for name, text in pages(shelf, base):
            _write(fresh / name, text)
            written.append(name)
        _write(fresh / "robots.txt", _robots(base))
        if base:  # the standard knows no relative addresses
            _write(fresh / "sitemap.xml", _sitemap(shelf, written, base))
        names = sorted(path.relative_to(fresh).as_posix() for path in _files(fresh))
        _write(fresh / CONTENTS, "".join(f"{name}\n" for name in names))
    return Done(
        where=str(folder),
        published=[release.dataset.name for release in shelf.releases],
        withdrawn=[name for name in shelf.histories if not shelf.release(name)],
    )


def _link_packages(shelf: Shelf, folder: Path) -> None:
    for name, history in shelf.histories.items():
        (folder / name).mkdir()
        _link(shelf.archive.folder / name / HISTORY, folder / name / HISTORY)
        release = shelf.release(name)
        if release:
            for file in (*release.files, *release.documents):
                _link(release.folder / file.name, folder / name / file.name)
        for version in history.versions:
            place = folder / name / "v" / version.version
            place.mkdir(parents=True)
            if version.state == "kept":
                _link_version(shelf, name, version, place)


def _link_version(shelf: Shelf, name: str, version: Version, place: Path) -> None:
    for file in version.files:
        _link(shelf.archive.place(name, version.version) / file.name, place / file.name)


def _link(source: Path, target: Path) -> None:
    """The same file by a second name, or a copy where the disk does not do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _robots(base: str) -> str:
    sitemap = f"Sitemap: {base}sitemap.xml\n" if base else ""
    return f"User-agent: *\nAllow: /\n{sitemap}"


def _sitemap(shelf: Shelf, names: list[str], base: str) -> str:
    """Every page, with the day of its dataset's newest version; pages of what is gone are not."""
    releases = {release.dataset.name: release for release in shelf.releases}
    lines = []
    for name in sorted(names):
        dataset, _, rest = name.partition("/")
        if rest and (dataset not in releases or rest.startswith("v/")):
            continue
        lines.append(f"<url><loc>{base}{quote(name)}</loc>{_changed(releases.get(dataset))}</url>")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(lines)
        + "\n</urlset>\n"
    )


def _changed(release: Release | None) -> str:
    day = release.modified if release else None
    return f"<lastmod>{day}</lastmod>" if day else ""


def put_back(folder: Path) -> None:
    """The old portal to its place, should the machine have stopped between the two renames."""
    folder = folder.resolve()
    old = folder.with_name(f".{folder.name}.old")
    if old.exists() and not folder.exists():
        old.rename(folder)


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A new folder that takes the place of `folder` when the block ends well."""
    folder = folder.resolve()
    fresh, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    put_back(folder)
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


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def _is_ours(folder: Path, path: Path) -> bool:
    contents = folder / CONTENTS
    if contents.is_file():
        names = contents.read_text(encoding="utf-8").splitlines()
        return path == contents or path.relative_to(folder).as_posix() in names
    known = path.name in {*OURS, *documents()}
    return known and all((folder / name).is_file() for name in LEFT_BEFORE)


def _check_replaceable(folder: Path) -> None:
    if folder.is_file():
        raise NotAPortal("it is a file", where=str(folder), hint="name a new or empty folder")
    strange = next((path for path in _files(folder) if not _is_ours(folder, path)), None)
    if strange:
        raise NotAPortal(
            f"it holds {strange.relative_to(folder)}, which is not of a portal",
            where=str(folder),
            hint="name a new or empty folder; what is in it is replaced",
        )
