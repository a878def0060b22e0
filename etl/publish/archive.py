"""Every published version of every dataset, in one folder: `<dataset>/<version>/` and its history.

A version, once written, never changes. It is kept, or it expires (see `KEPT`), or it is withdrawn:
then its files are deleted, and its entry in `versions.json` says why, without a checksum by which
figures could be guessed. What it held is remembered in a file that stays here: the same rows are
not published again under other words, nor by an older file that comes back. A version is written
aside and takes its name when it is whole; only then does `versions.json` name it, itself replaced
in one step. What a crash leaves is a folder that no history names, and the next run removes it.
"""

import datetime as dt
import shutil
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from etl.catalog import Catalog, Dataset, Withdrawn
from etl.durable import replace_text
from etl.errors import ForesightError
from etl.publish.changes import Changes, changes
from etl.publish.content import told_outside
from etl.publish.package import (
    fingerprint,
    release_of,
    rows_mark,
    version_of,
    write_changes,
    write_package,
)
from etl.publish.release import MEDIA_TYPES, Content, DataFile, Release, data_file
from etl.publish.table import key_columns

KEPT = 12
"""Versions of a dataset that keep their files, and beyond them the last one of each year."""
HISTORY = "versions.json"
MARKS = ".marks.json"
"""Beside it, never published: of each version, what it held."""
BACK = "put the file back from a backup; or move the archive away, and a new history begins"


class DamagedArchive(ForesightError):
    """The archive of versions is not what was written."""


class FileEntry(BaseModel):
    """One file of a version."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    size: int
    """Bytes."""
    sha256: str


class Mark(BaseModel):
    """What a version held, as checksums."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    fingerprint: str
    rows: str
    """Of the rows alone; empty where a version expired before this was kept."""


class Version(BaseModel):
    """One version of a dataset, as its history tells of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    fingerprint: str
    """Of rows and description; equal where these are. Empty where it was withdrawn."""
    published: dt.date
    """Day of the build that first held it."""
    modified: dt.date | None
    """Newest day of publication in its rows."""
    rows: int
    changes: Changes
    """Since the version before it that had not been withdrawn."""
    corrections: list[str] = []
    """Why cells of its sources had been corrected."""
    files: list[FileEntry]
    state: Literal["kept", "expired", "withdrawn"] = "kept"
    reason: str | None = None
    """Why it was withdrawn."""
    reason_en: str | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """In which its rows can be had."""
        names = {file.name for file in self.files}
        return tuple(form for form in MEDIA_TYPES if f"data.{form}" in names)


class History(BaseModel):
    """All versions of a dataset, newest first, and what it is called."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dataset: str
    title: str
    title_en: str | None = None
    versions: list[Version] = []

    @property
    def newest(self) -> Version | None:
        """The newest version, unless it was withdrawn."""
        first = self.versions[0] if self.versions else None
        return first if first and first.state == "kept" else None


class Archive:
    """The folder of versions; by `key` the names of new ones are sealed."""

    def __init__(self, folder: Path, key: bytes = b"") -> None:
        self.folder, self.key = folder, key

    def histories(self) -> dict[str, History]:
        """The history of every dataset that was ever published, by name.

        Raises:
            DamagedArchive: a history cannot be read.
        """
        return {path.parent.name: _read(path) for path in sorted(self.folder.glob(f"*/{HISTORY}"))}

    def history(self, dataset: Dataset) -> History:
        """The history of one dataset, which may be empty."""
        path = self.folder / dataset.name / HISTORY
        known = _read(path) if path.exists() else History(dataset=dataset.name, title="")
        return known.model_copy(update={"title": dataset.title, "title_en": dataset.title_en})

    def place(self, dataset: str, version: str) -> Path:
        """Where the files of a version lie."""
        return self.folder / dataset / version

    def take(self, catalog: Catalog, content: Content, published: dt.date) -> Release | None:
        """The release of `content`: written where it is new, found where it is not.

        None where the catalog withdrew a version with the same rows, whatever is said of them now.

        Raises:
            DamagedArchive: a file of the archive is missing or another.
        """
        dataset = content.dataset
        places = set(catalog.map.areas["name"])
        withdrawn = [
            _outside(one, places) for one in (dataset.publish.withdrawn if dataset.publish else [])
        ]
        history = self.withdraw(dataset, withdrawn)
        self.check(history)
        mark = Mark(fingerprint=fingerprint(catalog, content), rows=rows_mark(content.table))
        first = history.newest
        if first and first.fingerprint == mark.fingerprint:
            place = self.place(dataset.name, first.version)
            return release_of(catalog, content, first.version, place)
        marks = self._marks(dataset.name)
        taken_back = [marks[one.version] for one in withdrawn if one.version in marks]
        stands = any(entry.fingerprint == mark.fingerprint for entry in history.versions)
        if not stands and any(_same(one, mark) for one in taken_back):
            return None
        return self._add(catalog, content, history, mark, published)

    def check(self, history: History) -> None:
        """See whether the files of every version that is kept are those that were written.

        Raises:
            DamagedArchive: one is missing or another.
        """
        for entry in history.versions:
            folder = self.place(history.dataset, entry.version)
            for file in entry.files if entry.state == "kept" else []:
                path = folder / file.name
                if not path.is_file() or _entry(data_file(path)) != file:
                    raise DamagedArchive(
                        f"version {entry.version!r}: {file.name} is not what was written",
                        where=str(path),
                        hint=BACK,
                    )

    def withdraw(self, dataset: Dataset, withdrawn: list[Withdrawn]) -> History:
        """Delete the files of versions that the catalog withdraws; the history after that.

        One that holds the very same, published again after another, is withdrawn with it.
        """
        history = self.history(dataset)
        marks = self._remembered(history)
        why = {marks[one.version].fingerprint: one for one in withdrawn if one.version in marks}
        entries = []
        for entry in history.versions:
            told = why.get(marks[entry.version].fingerprint)
            if told or entry.state == "withdrawn":
                entry = _withdrawn(entry, told)
            entries.append(entry)
        if entries != history.versions:
            entries = self._without_quotes(dataset, entries)
        return self._keep(history.model_copy(update={"versions": entries}))

    def _remembered(self, history: History) -> dict[str, Mark]:
        """What each version held, by its name; written down before any is forgotten."""
        marks = self._marks(history.dataset)
        unknown = [entry for entry in history.versions if entry.version not in marks]
        for entry in unknown:
            rows = self.place(history.dataset, entry.version) / "data.parquet"
            held = rows_mark(pl.read_parquet(rows)) if rows.exists() else ""
            marks[entry.version] = Mark(fingerprint=entry.fingerprint, rows=held)
        if unknown:
            self._remember(history.dataset, marks)
        return marks

    def _marks(self, dataset: str) -> dict[str, Mark]:
        path = self.folder / dataset / MARKS
        if not path.exists():
            return {}
        try:
            return _MARKS.validate_json(path.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError):
            raise DamagedArchive(
                "the history of versions cannot be read", where=str(path), hint=BACK
            ) from None

    def _remember(self, dataset: str, marks: dict[str, Mark]) -> None:
        replace_text(self.folder / dataset / MARKS, _MARKS.dump_json(marks, indent=1).decode())

    def _without_quotes(self, dataset: Dataset, entries: list[Version]) -> list[Version]:
        """What was withdrawn is not told by the versions after it either.

        This is the one time that a version is written again: its list of changes, and the checksum
        of that. The new files take the place of the old ones; links to these stay what they were.
        """
        bare = [
            entry.model_copy(update={"changes": _bare(entry.changes)})
            if any(older.state == "withdrawn" for older in entries[number:])
            else entry
            for number, entry in enumerate(entries)
        ]
        found = []
        for number, entry in enumerate(bare):
            if entry.state == "kept" and entry != entries[number]:
                folder = self.place(dataset.name, entry.version)
                told = [(one.version, one.changes) for one in bare[number:]]
                files = write_changes(dataset.title, told, folder)
                entry = entry.model_copy(update={"files": list(map(_entry, files))})
            found.append(entry)
        return found

    def withdraw_all(self, history: History, reason: str, reason_en: str) -> History:
        """Delete the files of every version of a dataset that may no longer leave."""
        self._remembered(history)
        told = Withdrawn(version="all", reason=reason, reason_en=reason_en)
        entries = [_withdrawn(entry, told) for entry in history.versions]
        return self._keep(history.model_copy(update={"versions": entries}))

    def _add(
        self, catalog: Catalog, content: Content, history: History, mark: Mark, published: dt.date
    ) -> Release:
        version = _free(version_of(content, mark.fingerprint, self.key), history)
        made = self._changes(content, history)
        before = [(entry.version, entry.changes) for entry in history.versions]
        place = self.place(content.dataset.name, version)
        aside = place.with_name(f".{version}.new")
        for left_over in (aside, place):
            shutil.rmtree(left_over, ignore_errors=True)
        release = write_package(catalog, content, version, [(version, made), *before], aside)
        aside.rename(place)
        entry = Version(
            version=version,
            fingerprint=mark.fingerprint,
            published=published,
            modified=content.modified,
            rows=release.rows,
            changes=made,
            corrections=list(content.reasons),
            files=[_entry(file) for file in (*release.files, *release.documents)],
        )
        marks = self._marks(history.dataset)
        self._remember(history.dataset, {**marks, version: mark})
        self._keep(history.model_copy(update={"versions": [entry, *history.versions]}))
        return release_of(catalog, content, version, place)

    def _changes(self, content: Content, history: History) -> Changes:
        earlier = next((entry for entry in history.versions if entry.state == "kept"), None)
        if earlier is None:
            return Changes(first=True)
        path = self.place(history.dataset, earlier.version) / "data.parquet"
        made = changes(pl.read_parquet(path), content.table, key_columns(content.dataset))
        reasons = [reason for reason in content.reasons if reason not in earlier.corrections]
        return made.model_copy(update={"reasons": reasons})

    def _keep(self, history: History) -> History:
        """Write the history, with what expires marked; then delete the files it no longer names."""
        if not history.versions:
            return history
        history = history.model_copy(update={"versions": expired(history.versions)})
        folder = self.folder / history.dataset
        text = history.model_dump_json(indent=1) + "\n"
        path = folder / HISTORY
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            replace_text(path, text)
        kept = {entry.version for entry in history.versions if entry.state == "kept"}
        for place in folder.iterdir():
            if place.is_dir() and place.name not in kept:
                shutil.rmtree(place)
        return history


_MARKS = TypeAdapter(dict[str, Mark])


def _same(one: Mark, other: Mark) -> bool:
    return one.fingerprint == other.fingerprint or (bool(one.rows) and one.rows == other.rows)


def _read(path: Path) -> History:
    try:
        history = History.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError):
        raise DamagedArchive(
            "the history of versions cannot be read",
            where=str(path),
            hint=BACK,
        ) from None
    for entry in history.versions:
        missing = entry.state == "kept" and not (path.parent / entry.version).is_dir()
        if missing or "/" in entry.version or entry.version.startswith("."):
            raise DamagedArchive(
                f"version {entry.version!r} is not there",
                where=str(path),
                hint=BACK,
            )
    return history


def _outside(told: Withdrawn, places: set[str]) -> Withdrawn:
    """Why it is withdrawn, without a word about a person."""
    english = told.reason_en and told_outside(told.reason_en, places)
    reasons = {"reason": told_outside(told.reason, places), "reason_en": english}
    return told.model_copy(update=reasons)


def _withdrawn(entry: Version, told: Withdrawn | None) -> Version:
    """`entry` without its files and checksums, or what its changes showed of them.

    Why it was withdrawn the first time stays.
    """
    left: dict[str, object] = {"fingerprint": "", "files": [], "corrections": []}
    left["changes"] = _bare(entry.changes).model_copy(update={"reasons": []})
    if told and entry.state != "withdrawn":
        left |= {"state": "withdrawn", "reason": told.reason, "reason_en": told.reason_en}
    return entry.model_copy(update=left)


def _bare(made: Changes) -> Changes:
    """The counts, without the figures."""
    return made.model_copy(update={"examples": []})


def expired(entries: list[Version]) -> list[Version]:
    """`entries` with those marked that are neither among the newest nor the last of their year."""
    kept = [entry for entry in entries if entry.state == "kept"]
    last = {entry.published.year: entry.version for entry in reversed(kept)}
    stay = {entry.version for entry in kept[:KEPT]} | set(last.values())
    return [
        entry.model_copy(update={"state": "expired"})
        if entry.state == "kept" and entry.version not in stay
        else entry
        for entry in entries
    ]


def _free(version: str, history: History) -> str:
    """`version`, numbered where it stood before: the same rows may come back after others."""
    taken = {entry.version for entry in history.versions}
    number, name = 1, version
    while name in taken:
        number += 1
        name = f"{version}-{number}"
    return name


def _entry(file: DataFile) -> FileEntry:
    return FileEntry(name=file.name, size=file.size, sha256=file.sha256)
