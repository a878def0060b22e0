"""Builds on disk: files that never change, a pointer to the current one, and who may move it.

A refresh writes a new file (`builds/00042.duckdb.building`), renames it to a name never used before
and then replaces the one-line file `CURRENT`. Readers open the build they were told. A path is
never reused: a process that still holds an old connection would go on reading the old data under
the new name.

Publishing survives a kill and a power cut at any point: the file, the intended pointer
(`CURRENT.new`), the rename and the pointer are each on disk before the next is begun. A build that
`CURRENT.new` names and `CURRENT` does not was never read by anyone; the next refresh removes it.
"""

import datetime as dt
import errno
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from etl.durable import sync_folder
from etl.errors import ForesightError

BUILD = re.compile(r"\d{5,}")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_ROOM_TOLD = (*map(os.strerror, NO_ROOM), "max_temp_directory_size")
BACK = (
    "go back to the build before with: foresight undo, or make all anew: foresight refresh --full"
)
KEPT_BUILDS = 5
"""Builds on disk that a refresh leaves, the new one among them."""
PAUSE = 0.1
"""Seconds between two looks at a lock that another process holds."""


class NoWarehouse(ForesightError):
    """There is no build to read yet."""


class DamagedBuild(ForesightError):
    """The pointer or the build it names is not what was written."""


class DiskFull(ForesightError):
    """There is no room for the next build, or for what it is made from."""


class RefreshRunning(ForesightError):
    """Another process is building the warehouse."""


@dataclass(frozen=True)
class BuildInfo:
    """One build on disk."""

    name: str
    path: Path
    current: bool
    created: float
    """Seconds since the epoch."""
    size: int
    """Bytes."""


def current_build(home: Path) -> str | None:
    """Name of the build the pointer names, or `None` before the first one.

    Raises:
        DamagedBuild: the pointer is not a name, or there is no such build.
    """
    pointer = home / "CURRENT"
    if not pointer.exists():
        return None
    name = pointer.read_text(encoding="utf-8", errors="replace").strip()
    if not BUILD.fullmatch(name) or not build_file(home, name).exists():
        raise DamagedBuild(f"{name[:40]!r} is no build in {home}", where=str(pointer), hint=BACK)
    return name


def builds(home: Path) -> list[BuildInfo]:
    """All builds on disk that were published, newest first."""
    with suppress(DamagedBuild):
        return _listed(home, current_build(home))
    return _listed(home, None)


def undo(home: Path) -> str:
    """Move the pointer to the build before the current one, and return its name.

    Where the pointer is damaged, the newest build becomes the current one.

    Raises:
        NoWarehouse: there is no earlier build.
        RefreshRunning: another process is about to move the pointer.
    """
    if not builds(home):
        raise NoWarehouse(f"there is no build in {home}", hint="run: foresight refresh")
    with refreshing(home):
        clear_unfinished(home)
        earlier = _earlier(home)
        if earlier is None:
            raise NoWarehouse(
                "there is no earlier build to go back to", hint="see: foresight builds"
            )
        # Not by CURRENT.new: the build that one names has never been current.
        _write_through(home / "CURRENT.back", earlier)
        _replace(home / "CURRENT.back", home / "CURRENT")
    return earlier


def _earlier(home: Path) -> str | None:
    names = [build.name for build in builds(home)]
    try:
        current = int(current_build(home) or 0)
    except DamagedBuild:
        return names[0]
    return next((name for name in names if int(name) < current), None)


def prune(home: Path, keep: int) -> list[str]:
    """Delete all but the newest `keep` builds, never the current one; return the names deleted.

    While another process refreshes nothing is deleted: it prunes when it ends. Who reads a deleted
    build goes on reading it; the system frees its space when the last reader closes it.
    """
    try:
        with refreshing(home):
            doomed = [build for build in builds(home)[keep:] if not build.current]
            for build in doomed:
                build.path.unlink()
    except RefreshRunning:
        return []
    return [build.name for build in doomed]


def builds_folder(home: Path) -> Path:
    return home / "builds"


def build_file(home: Path, name: str) -> Path:
    return builds_folder(home) / f"{name}.duckdb"


def _listed(home: Path, current: str | None) -> list[BuildInfo]:
    names = {
        path.stem for path in builds_folder(home).glob("*.duckdb") if BUILD.fullmatch(path.stem)
    }
    listed = []
    for name in sorted(names - {_unpublished(home)}, key=int, reverse=True):
        with suppress(FileNotFoundError):  # pruned since it was listed
            stat = build_file(home, name).stat()
            listed.append(
                BuildInfo(
                    name, build_file(home, name), name == current, stat.st_mtime, stat.st_size
                )
            )
    return listed


def next_number(home: Path) -> int:
    """Above every build there is or ever was begun: a number names one content for ever."""
    names = (path.name.split(".")[0] for path in builds_folder(home).glob("*.duckdb*"))
    return max([int(name) for name in names if BUILD.fullmatch(name)] + [_holder(home).build]) + 1


def _unpublished(home: Path) -> str | None:
    """A build that was complete when its refresh was killed, but to which nothing pointed yet."""
    with suppress(FileNotFoundError, DamagedBuild):
        name = (home / "CURRENT.new").read_text(encoding="utf-8", errors="replace").strip()
        return name if BUILD.fullmatch(name) and name != current_build(home) else None
    return None


def clear_unfinished(home: Path) -> None:
    """Remove what an unfinished refresh left; the caller holds the lock."""
    for left_over in builds_folder(home).glob("*.building*"):
        if left_over.is_dir():  # what DuckDB put aside for want of memory
            shutil.rmtree(left_over)
        else:
            left_over.unlink()
    unpublished = _unpublished(home)
    if unpublished:
        build_file(home, unpublished).unlink(missing_ok=True)
    for pointer in ("CURRENT.new", "CURRENT.back"):
        (home / pointer).unlink(missing_ok=True)


def publish_build(building: Path, home: Path) -> None:
    """Make the finished file the current build; each step is on disk before the next is begun.

    Raises:
        DamagedBuild: not everything was written into it.
    """
    if Path(f"{building}.wal").exists():
        raise DamagedBuild("not everything was written into the build", where=building.name)
    final = building.with_suffix("")
    with building.open("rb") as file:
        os.fsync(file.fileno())
    _write_through(home / "CURRENT.new", final.stem)
    _replace(building, final)
    _replace(home / "CURRENT.new", home / "CURRENT")


def _write_through(path: Path, name: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{name}\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _replace(path: Path, target: Path) -> None:
    path.replace(target)
    sync_folder(target.parent)


def is_disk_full(error: BaseException) -> bool:
    """Whether what failed is that a file could not grow."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return True
    return any(words in str(error) for words in NO_ROOM_TOLD)


def disk_full(home: Path, needed: int = 0) -> DiskFull:
    """The error that says how much is free, how much is `needed` (bytes), and what to do."""
    free = shutil.disk_usage(home).free
    wants = f", and the next build needs more than {needed / 1e6:,.0f} MB" if needed else ""
    return DiskFull(
        f"the disk is full, or files may not grow: {free / 1e6:,.0f} MB are free{wants}",
        where=str(home),
        hint="the current build is as it was; make room (foresight builds --keep 1 deletes old "
        "builds), then run the command again",
    )


@dataclass(frozen=True)
class _Holder:
    """What the lock says of the process that took it last."""

    process: int = 0
    machine: str = ""
    since: str = ""
    build: int = 0
    """The highest number ever given to a build."""

    def __str__(self) -> str:
        return f"process {self.process or 'unknown'} on {self.machine}, since {self.since}"


_held: ContextVar[frozenset[Path]] = ContextVar("_held", default=frozenset())
_building: set[Path] = set()


@contextmanager
def building_in(home: Path) -> Iterator[None]:
    """Within the block nobody may build, move the pointer or prune, not even who holds the lock."""
    place = home.resolve()
    _building.add(place)
    try:
        yield
    finally:
        _building.discard(place)


@contextmanager
def refreshing(
    home: Path, *, wait: float = 0, waiting: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold the lock of `home` for the length of the block; within it, asking again is free.

    `wait` is how many seconds to wait for another process; `waiting` is told once for whom. The
    system gives the lock back when its process ends, however it ends.

    Raises:
        RefreshRunning: another process still holds it.
    """
    place = home.resolve()
    if place in _held.get():
        if place in _building:
            raise _running(home)
        yield
        return
    descriptor = os.open(home / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, home, wait, waiting)
        sign(home, _holder(home).build)
        token = _held.set(_held.get() | {place})
        try:
            yield
        finally:
            _held.reset(token)
    finally:
        os.close(descriptor)


def _take(descriptor: int, home: Path, wait: float, waiting: Callable[[str], None] | None) -> None:
    import fcntl  # not on Windows, where the builds themselves still work

    until = time.monotonic() + wait
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if time.monotonic() >= until:
            raise _running(home)
        if waiting:
            waiting(_running(home).problem)
            waiting = None
        time.sleep(PAUSE)


def _running(home: Path) -> RefreshRunning:
    return RefreshRunning(
        f"a refresh is running ({_holder(home)})",
        where=str(home),
        hint="wait for it to end; foresight refresh --wait 600 waits ten minutes",
    )


def _holder(home: Path) -> _Holder:
    """Who took the lock last; nobody we know where the file is empty or of earlier code."""
    with suppress(FileNotFoundError, ValueError, TypeError):
        return _Holder(**json.loads((home / ".lock").read_text(encoding="utf-8")))
    return _Holder()


def sign(home: Path, build: int) -> None:
    """Write over what stands there: whoever reads meanwhile never finds an empty file."""
    now = dt.datetime.now().astimezone().isoformat(sep=" ", timespec="minutes")
    text = json.dumps(
        {"process": os.getpid(), "machine": platform.node(), "since": now, "build": build}
    ).encode()
    with (home / ".lock").open("r+b") as file:
        file.write(text)
        file.truncate()
