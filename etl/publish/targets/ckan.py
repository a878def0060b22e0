"""A CKAN portal: a package a dataset, a resource a file, and the rows in its datastore.

What stands there is read, and only what differs is sent: nothing else is remembered, so a run that
was interrupted goes on where it stopped. Ours is what carries our mark; tags, extras, resources and
packages of others are never touched. A dataset is private until it is whole. Of one that may no
longer be had the page stays and says why; its files and rows are deleted.
"""

import re
import unicodedata
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from etl.catalog import Contributor
from etl.errors import ForesightError, Problems
from etl.fetch.web import Web
from etl.publish.archive import History, Version
from etl.publish.ckan_portal import CkanPortal, PortalRefuses
from etl.publish.ckan_rows import put_table, rows_of
from etl.publish.release import MEDIA_TYPES, DataFile, Release
from etl.publish.shelf import Shelf
from etl.publish.targets import Done
from etl.settings import Settings, Variable

Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{2,100}$")]
MARK, STATE, TAGS = "foresight", "foresight_state", "foresight_tags"
OURS = {
    *(MARK, STATE, TAGS),
    *("title_en", "publisher_name", "publisher_name_en", "theme", "frequency", "language"),
    *("modified", "temporal_start", "temporal_end", "rows", "versions", "withdrawn_versions"),
}
"""Extras of a package that we write; all others are left alone."""
LICENCES = {"CC-BY-4.0": "cc-by", "CC0-1.0": "cc-zero", "ODC-BY-1.0": "odc-by"}
"""Names of licences as a CKAN knows them."""
AUTHORITY = "http://publications.europa.eu/resource/authority"
TABLE = "table"
SAID = {
    TABLE: ("Bảng tra cứu, kèm từ điển dữ liệu.", "The rows, to be searched, with a dictionary."),
    "data.csv": ("Dữ liệu, CSV (UTF-8 có BOM).", "The rows as CSV (UTF-8 with BOM)."),
    "data.xlsx": ("Dữ liệu, bảng tính.", "The rows as a workbook."),
    "data.parquet": ("Dữ liệu, Parquet.", "The rows as Parquet."),
    "data.json": ("Dữ liệu, JSON.", "The rows as JSON."),
    "datapackage.json": ("Mô tả máy đọc được (Data Package).", "Description for machines."),
    "dictionary.csv": ("Từ điển dữ liệu.", "Data dictionary."),
    "LICENSE": ("Giấy phép và cách trích dẫn.", "Licence and citation."),
    "CHANGES": ("Thay đổi qua từng phiên bản.", "What changed in each version."),
    "SHA256SUMS": ("Mã kiểm tra của các tệp.", "Checksums of the files."),
}
KINDS = {**MEDIA_TYPES, "txt": "text/plain"}


class NotOurs(PortalRefuses):
    """The name is taken on the portal by what we did not put there."""


class Options(BaseModel):
    """Which portal, as whom, and where on it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    address: Annotated[str, Field(pattern=r"^https?://[^\s<>\"'?#@]+$")]
    token: Variable
    """The variable that holds the token of a user of the portal."""
    organisation: Name | None = None
    """The one that everything goes to; else each publisher has its own."""
    organisations: dict[str, Name] = {}
    """Names on the portal by the title of the publisher, where they are not made from it."""
    prefix: Annotated[str, Field(pattern=r"^[a-z0-9_-]{0,30}$")] = ""
    """Before the name of each dataset: on a portal, names belong to everyone."""
    datastore: bool = True
    """Whether the rows can be asked for one by one."""


def publish(shelf: Shelf, options: Options, settings: Settings) -> Done:
    """Let the portal hold what is on the shelf; what is no longer on it is withdrawn first.

    Raises:
        Problems: what the portal refuses, dataset by dataset; all others are published.
        HostRefused, MissingSecret: the site file does not let us speak to it.
        FetchFailed: the portal cannot be reached; the next run goes on from there.
    """
    portal = CkanPortal(Web(settings.site()), options.address.rstrip("/"), options.token)
    gone = [name for name in shelf.histories if not shelf.release(name)]
    todo = [(name, partial(_withdraw, portal, options, shelf.histories[name])) for name in gone]
    for release in shelf.releases:
        history = shelf.histories[release.dataset.name]
        todo.append((release.dataset.name, partial(_put, portal, options, release, history)))
    changed: list[str] = []
    problems: list[ForesightError] = []
    for name, work in todo:
        try:
            changed += [name] if work() else []
        except PortalRefuses as problem:
            problem.where = f"{portal.address}: {name}"
            problems.append(problem)
    if problems:
        raise Problems(problems)
    published = [release.dataset.name for release in shelf.releases]
    return Done(
        where=portal.address,
        published=published,
        changed=[name for name in changed if name in published],
        withdrawn=gone,
    )


def _put(portal: CkanPortal, options: Options, release: Release, history: History) -> bool:
    """Let the package be that of the release; whether anything had to be sent."""
    name = options.prefix + release.dataset.name
    package = _ours(portal, name)
    if package is None:
        package = _create(portal, options, name, release)
    hidden = _state(package) != "published"
    if hidden and not package["private"]:  # it was withdrawn, and comes back
        kept = _merged(package, {**_extras(package), STATE: "loading"})
        package = portal.act("package_patch", id=package["id"], private=True, extras=kept)
    beside = {TABLE} if options.datastore else set()
    changed = _put_files(portal, package, release, beside)
    changed |= options.datastore and _put_rows(portal, package, release)
    wanted = {**_described(release, package), "version": release.version}
    wanted["extras"] = _merged(package, _told(release, history))
    if hidden:
        wanted["private"] = False
    return _patch(portal, package, wanted) or changed


def _create(portal: CkanPortal, options: Options, name: str, release: Release) -> dict[str, Any]:
    """A package that nobody sees yet."""
    made: dict[str, Any] = portal.act(
        "package_create",
        name=name,
        owner_org=_organisation(portal, options, release.publisher),
        private=True,
        title=release.dataset.title,
        extras=[{"key": MARK, "value": release.dataset.name}, {"key": STATE, "value": "loading"}],
    )
    return made


def _ours(portal: CkanPortal, name: str) -> dict[str, Any] | None:
    """The package we made of that name; None where there is none.

    Raises:
        NotOurs: there is one that others made, or one that they deleted.
    """
    package = portal.show("package_show", id=name)
    if package is None:
        return None
    if package.get("state") == "deleted":
        raise NotOurs(
            f"the dataset {name} was deleted on the portal",
            hint="let the portal restore or purge it, or let the catalog publish it no more",
        )
    if MARK not in _extras(package):
        raise NotOurs(
            f"the portal has a dataset {name} that was not made here",
            hint="give the target a `prefix` in the site file",
        )
    return package


def _organisation(portal: CkanPortal, options: Options, publisher: Contributor) -> str:
    """The name of the organisation of a publisher, which is made where it lacks."""
    name = (
        options.organisation or options.organisations.get(publisher.title) or slug(publisher.title)
    )
    if portal.show("organization_show", id=name) is None:
        portal.act("organization_create", name=name, title=publisher.title)
    return name


def slug(title: str) -> str:
    """`van-phong-ubnd`: a title as a name on the portal."""
    plain = unicodedata.normalize("NFD", title.casefold().replace("đ", "d"))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", letters)[:100].strip("-")


def _put_files(
    portal: CkanPortal, package: dict[str, Any], release: Release, kept: set[str]
) -> bool:
    """Send what its checksum says is new; take away what is ours, made no more and not `kept`."""
    there = {name: one for name, one in _resources(package).items() if name not in kept}
    changed = False
    for file in (*release.files, *release.documents):
        changed |= _put_file(portal, package["id"], there.pop(file.name, None), file, release)
    for left in there.values():
        _remove(portal, left)
    return changed or bool(there)


def _put_file(
    portal: CkanPortal,
    package: str,
    known: dict[str, Any] | None,
    file: DataFile,
    release: Release,
) -> bool:
    told = _resource(file.name) | {"format": file.format, "mimetype": KINDS[file.format]}
    told["hash"] = file.sha256
    path = release.folder / file.name
    if known is None:
        portal.send("resource_create", path, package_id=package, **told)
    elif known.get("hash") != file.sha256:
        portal.send("resource_patch", path, id=known["id"], **told)
    else:
        return False
    return True


def _put_rows(portal: CkanPortal, package: dict[str, Any], release: Release) -> bool:
    known = _resources(package).get(TABLE)
    return put_table(portal, package["id"], known, rows_of(release), _resource(TABLE))


def _resource(name: str) -> dict[str, Any]:
    """How a resource of ours is called, described, and known again."""
    return {"name": name, "description": "\n\n".join(SAID[name]), MARK: name}


def _resources(package: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources of ours, by the name of their file."""
    return {one[MARK]: one for one in package["resources"] if one.get(MARK)}


def _remove(portal: CkanPortal, resource: dict[str, Any]) -> None:
    """Delete a resource with its file, which a CKAN otherwise keeps, and with its rows."""
    if resource.get("url_type") == "upload":
        gone = {"url": "", "clear_upload": True, "hash": ""}
        portal.act("resource_patch", id=resource["id"], **gone)
    if portal.show("resource_show", id=resource["id"]) is not None:
        portal.act("resource_delete", id=resource["id"])


def _withdraw(portal: CkanPortal, options: Options, history: History) -> bool:
    """Delete what we put there of a dataset; the page says why. Whether there was anything."""
    package = portal.show("package_show", id=options.prefix + history.dataset)
    if package is None or MARK not in _extras(package):
        return False
    resources = _resources(package)
    for resource in resources.values():
        _remove(portal, resource)
    told = {
        MARK: history.dataset,
        STATE: "withdrawn",
        "withdrawn_versions": _withdrawn(history.versions),
    }
    wanted = {
        "title": history.title,
        "notes": _reasons(history.versions[0]) if history.versions else "",
        "version": "",
        "tags": _tags(package, []),
        "extras": _merged(package, told),
    }
    return _patch(portal, package, wanted) or bool(resources)


def _patch(portal: CkanPortal, package: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Send what of `wanted` is not so; whether anything was not."""
    differs = {
        name: value for name, value in wanted.items() if _plain(package.get(name)) != _plain(value)
    }
    if differs:
        portal.act("package_patch", id=package["id"], **differs)
    return bool(differs)


def _plain(value: Any) -> Any:
    """Tags and extras without their order and what a portal adds to them; empty is missing."""
    if not isinstance(value, list):
        return value or None
    return sorted((one.get("key") or one.get("name"), one.get("value")) for one in value)


def _described(release: Release, package: dict[str, Any]) -> dict[str, Any]:
    """The fields of a package that every CKAN has."""
    dataset, publisher = release.dataset, release.publisher
    return {
        "title": dataset.title,
        "notes": "\n\n".join(filter(None, [dataset.description, dataset.description_en])),
        "author": publisher.title,
        "author_email": publisher.email or "",
        "license_id": LICENCES[release.licence],
        "tags": _tags(package, _keywords(release)),
    }


def _told(release: Release, history: History) -> dict[str, str]:
    """What is said of a release in extras, under names that harvesters know where there are any."""
    publish, publisher = release.dataset.publish, release.publisher
    told = {
        MARK: release.dataset.name,
        STATE: "published",
        TAGS: ",".join(_keywords(release)),
        "title_en": release.dataset.title_en,
        "publisher_name": publisher.title,
        "publisher_name_en": publisher.title_en,
        "theme": publish and f"{AUTHORITY}/data-theme/{publish.theme}",
        "frequency": publish and f"{AUTHORITY}/frequency/{publish.frequency}",
        "language": "vi",
        "modified": release.modified,
        "temporal_start": release.first,
        "temporal_end": release.last,
        "rows": release.rows,
        "versions": "\n".join(f"{one.version} ({one.published})" for one in history.versions),
        "withdrawn_versions": _withdrawn(history.versions),
    }
    return {key: str(value) for key, value in told.items() if value not in (None, "")}


def _withdrawn(versions: list[Version]) -> str:
    """One line a version that was taken back."""
    gone = [one for one in versions if one.state == "withdrawn"]
    return "\n".join(f"{one.version}: {_reasons(one)}" for one in gone)


def _reasons(version: Version) -> str:
    return " / ".join(filter(None, [version.reason, version.reason_en]))


def _keywords(release: Release) -> list[str]:
    """Keywords as a CKAN takes them: letters, digits, blanks, `-_.`, at least two."""
    told = release.dataset.publish.keywords if release.dataset.publish else []
    words = [" ".join(re.sub(r"[^\w .-]", " ", word).split())[:100] for word in told]
    return [word for word in dict.fromkeys(words) if len(word) > 1]


def _tags(package: dict[str, Any], wanted: list[str]) -> list[dict[str, str]]:
    """`wanted`, and the tags that others added: those we did not write the last time."""
    before = _extras(package).get(TAGS, "").split(",")
    others = [tag["name"] for tag in package["tags"] if tag["name"] not in before]
    return [{"name": name} for name in dict.fromkeys([*others, *wanted])]


def _extras(package: dict[str, Any]) -> dict[str, str]:
    return {extra["key"]: extra["value"] for extra in package["extras"]}


def _merged(package: dict[str, Any], ours: dict[str, str]) -> list[dict[str, str]]:
    """`ours`, and the extras that others added."""
    others = {key: value for key, value in _extras(package).items() if key not in OURS}
    return [{"key": key, "value": value} for key, value in (others | ours).items()]


def _state(package: dict[str, Any]) -> str:
    return _extras(package).get(STATE, "")
