"""Raw copies of what was fetched: one file a version, what is known about it, and which is in use.

`<home>/incoming/<dataset>/` holds `<day>-<checksum>.<format>`, beside each the same name with
`.json`, and the one-line file `CURRENT`. A copy is never written again: a corrected file adds one.
All is written aside, brought to the disk, and renamed, so that a break at any moment leaves what
was in use in use.
"""

import dataclasses
import datetime as dt
import json
import os
from dataclasses import dataclass
from pathlib import Path

from etl import checksums
from etl.durable import replace_text

POINTER = "CURRENT"


@dataclass(frozen=True)
class Origin:
    """What the source said of a version; what it did not say is `None`."""

    url: str = ""
    """The address that answered, without its query; empty for a database."""
    asked: str = ""
    """Hash of the address that was asked: a query may hold what is nobody's business."""
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    length_told: bool = True
    """Whether the source said where it ends, so that a cut would have been noticed."""
    records: int | None = None
    """Records the source itself counted, where it does."""


@dataclass(frozen=True)
class Copy:
    """One version of a source, as it arrived."""

    file: str
    source: str
    """What was asked for. A copy of another source is no copy of this one."""
    fetched_at: dt.datetime
    confirmed_at: dt.datetime
    """When the source last said, or showed, that this is still what it holds."""
    checksum: str
    """BLAKE2b of the bytes."""
    size: int
    """Bytes."""
    origin: Origin


@dataclass(frozen=True)
class Incoming:
    """The folder of one dataset's copies."""

    folder: Path
    source: str

    def current(self) -> Copy | None:
        """The copy in use, if there is one of this source and it is whole."""
        try:
            name = (self.folder / POINTER).read_text(encoding="utf-8").strip()
            copy = _read(self.folder / f"{name}.json")
        except (OSError, ValueError, TypeError, KeyError):
            return None
        path = self.folder / name
        whole = path.is_file() and path.stat().st_size == copy.size
        return copy if whole and copy.source == self.source else None

    def path(self) -> Path | None:
        """The file of the copy in use."""
        copy = self.current()
        return self.folder / copy.file if copy else None

    def add(
        self, arrived: Path, origin: Origin, ending: str, now: dt.datetime
    ) -> tuple[Copy, bool]:
        """Keep the file `arrived` and put it in use; whether it differs from what was in use."""
        checksum = checksums.of_file(arrived)
        with arrived.open("rb+") as file:
            os.fsync(file.fileno())
        before = self.current()
        if before and before.checksum == checksum:
            copy = dataclasses.replace(before, confirmed_at=now, origin=origin)
            self._write(copy)
            return copy, False
        copy = Copy(
            file=f"{now.date()}-{checksum[:12]}.{ending}",
            source=self.source,
            fetched_at=now,
            confirmed_at=now,
            checksum=checksum,
            size=arrived.stat().st_size,
            origin=origin,
        )
        self._write(copy)
        arrived.replace(self.folder / copy.file)
        replace_text(self.folder / POINTER, copy.file + "\n")
        return copy, True

    def confirm(self, copy: Copy, now: dt.datetime) -> Copy:
        """Note that the source still holds what `copy` holds."""
        confirmed = dataclasses.replace(copy, confirmed_at=now)
        self._write(confirmed)
        return confirmed

    def prune(self, keep: int) -> None:
        """Delete all but the newest copies; never the one in use."""
        current = self.current()
        known = sorted(self._copies(), key=lambda copy: copy.fetched_at, reverse=True)
        for copy in known[keep:]:
            if current is None or copy.file != current.file:
                (self.folder / copy.file).unlink(missing_ok=True)
                (self.folder / f"{copy.file}.json").unlink(missing_ok=True)

    def _copies(self) -> list[Copy]:
        found = []
        for path in self.folder.glob("[0-9]*.json"):
            try:
                found.append(_read(path))
            except (ValueError, TypeError, KeyError):
                continue  # a copy that is itself json, or not ours
        return found

    def _write(self, copy: Copy) -> None:
        facts = dataclasses.asdict(copy)
        text = json.dumps(facts, ensure_ascii=False, indent=1, default=dt.datetime.isoformat)
        replace_text(self.folder / f"{copy.file}.json", text + "\n")


def _read(path: Path) -> Copy:
    facts = json.loads(path.read_text(encoding="utf-8"))
    times = {
        name: dt.datetime.fromisoformat(facts[name]) for name in ("fetched_at", "confirmed_at")
    }
    return Copy(**{**facts, **times, "origin": Origin(**facts["origin"])})
