"""The audit: one line a step, added and never changed, each sealed with the hash of the one before.

The lines are the only record there is: what stands where follows from them (`etl.handin.store`). A
line that was not written whole, because the machine stopped, is no step and is cut off by the next.
"""

import datetime as dt
import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl import clock
from etl.clock import Clock
from etl.errors import ForesightError

NOTHING = "0" * 64
"""What stands before the first line."""


class BrokenAudit(ForesightError):
    """A line of the audit was changed, taken out or put in."""


@dataclass(frozen=True)
class Entry:
    """One step: who did what to which submission, when, and from where."""

    number: int
    at: dt.datetime
    """UTC."""
    step: str
    submission: str
    who: str
    """A person of the people file, or `schedule`."""
    account: str
    """The account the person signed on with."""
    via: str
    """`page`, `command` or `schedule`."""
    origin: str
    """The address or the machine it came from."""
    detail: dict[str, Any]
    before: str
    seal: str
    """SHA-256, in hexadecimal, of all of this and of `before`."""


class Journal:
    """The lines of one file."""

    def __init__(self, path: Path, now: Clock = clock.now) -> None:
        self.path, self.now = path, now

    def entries(self) -> list[Entry]:
        """Every step, oldest first. Raises `BrokenAudit` at the first line that does not fit."""
        if not self.path.exists():
            return []
        return list(_checked(_whole(self.path.read_bytes()), self.path.name))

    @contextmanager
    def writing(self) -> Iterator["Writer"]:
        """The journal while nobody else adds to it; a step is on the disk when `add` returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            content = self.path.read_bytes()
            whole = _whole(content)
            entries = list(_checked(whole, self.path.name))
            if len(whole) < len(content):
                os.ftruncate(descriptor, len(whole))
            yield Writer(descriptor, entries, self.now)
        finally:
            os.close(descriptor)


class Writer:
    """Adds lines to an open journal."""

    def __init__(self, descriptor: int, entries: list[Entry], now: Clock) -> None:
        self._descriptor, self._now = descriptor, now
        self.entries = entries

    def add(self, **said: Any) -> Entry:
        """Add a step: `step, submission, who, account, via, origin, detail`."""
        line = {
            "number": len(self.entries) + 1,
            "at": self._now().isoformat(timespec="microseconds"),
            **said,
            "before": self.entries[-1].seal if self.entries else NOTHING,
        }
        line["seal"] = _seal(line)
        _write_all(self._descriptor, _canonical(line) + b"\n")
        os.fsync(self._descriptor)
        entry = _entry(line)
        self.entries.append(entry)
        return entry


def exported(entries: list[Entry], only: Collection[str] | None = None) -> str:
    """The audit as it leaves: JSON lines that can be checked with SHA-256 alone.

    With `only`, a line about any other submission has its number and seal and nothing else: the
    lines that are there can still be held against those before them.
    """
    return "".join(
        _canonical(_line(one) if only is None or one.submission in only else _seal_of(one)).decode()
        + "\n"
        for one in entries
    )


def _line(one: Entry) -> dict[str, Any]:
    return vars(one) | {"at": one.at.isoformat(timespec="microseconds")}


def _seal_of(one: Entry) -> dict[str, Any]:
    return {"number": one.number, "seal": one.seal}


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _whole(content: bytes) -> bytes:
    """Without a last line that was not written to its end."""
    return content[: content.rfind(b"\n") + 1]


def _checked(content: bytes, name: str) -> Iterator[Entry]:
    before = NOTHING
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            line = json.loads(text)
            entry = _entry(line)
            fits = (line["number"], line["before"], line["seal"]) == (number, before, _seal(line))
            # The seal is over what was read, and a key that stands twice is read once.
            fits = fits and _canonical(line) == text
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise BrokenAudit(
                "the line does not fit the one before it: the audit was changed",
                where=f"{name}:{number}",
                hint="put the file back from a backup; nothing can be handed in until then",
            )
        before = entry.seal
        yield entry


def _entry(line: dict[str, Any]) -> Entry:
    return Entry(**{**line, "at": dt.datetime.fromisoformat(line["at"])})


def _seal(line: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical({k: v for k, v in line.items() if k != "seal"})).hexdigest()


def _canonical(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
