"""Among the sources: how a released file is called there, and that those lie there which should.

A file comes to lie beside the earlier ones and never over one. A corrected version comes in and the
version before goes out, as does what is withdrawn: the figures it gave move to `superseded`, and
its bytes stay in the vault.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from etl.catalog import Catalog, Dataset
from etl.durable import sync_folder
from etl.errors import ForesightError
from etl.fetch import local_base
from etl.handin.store import Store, Submission
from etl.settings import Settings


class PlaceTaken(ForesightError):
    """Something else lies where a released file belongs, or would go out in its place."""


@dataclass
class Settled:
    """What was done among the sources, as paths relative to the catalog."""

    put: list[str] = field(default_factory=list)
    taken_out: list[str] = field(default_factory=list)
    problems: dict[str, ForesightError] = field(default_factory=dict)
    """What could not be done, by the number of the submission."""


def place_of(dataset: Dataset, one: Submission) -> str:
    """Where the file belongs: `.../applications_2026-10_home_affairs_v02.xlsx`; sorts by period."""
    path = PurePosixPath(dataset.path)
    said = f"{one.period.replace('/', '_')}_{one.department}_v{one.version:02d}"
    return str(path.with_name(path.name.replace("*", said)))


@contextmanager
def placing(store: Store) -> Iterator[None]:
    """Nobody else brings files in or out within the block; not to be entered twice.

    Where nothing was ever handed in there is nothing to bring, and no trace of it is left.
    """
    if not store.home.exists():
        yield
        return
    descriptor = os.open(store.home / "placing.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def settle(catalog: Catalog, settings: Settings, store: Store) -> Settled:
    """Bring the sources to what the steps say; done again, it changes nothing.

    What is in the way of one file (`PlaceTaken`, or `FileRefused` where the vault lost it) is among
    the `problems`, and does not keep the others.
    """
    with placing(store):
        return bring_in_step(catalog, settings, store)


def bring_in_step(catalog: Catalog, settings: Settings, store: Store) -> Settled:
    """As `settle`, for whoever is `placing`."""
    done = Settled()
    for one in store.all():
        dataset = catalog.datasets.get(one.dataset)
        if one.placed and dataset:
            try:
                _settle_one(store, one, local_base(dataset, settings) / one.placed, done)
            except ForesightError as problem:
                done.problems[one.number] = problem
            except OSError as error:
                done.problems[one.number] = _not_written(one.placed, error)
    return done


def check_place(dataset: Dataset, settings: Settings, one: Submission, placed: str) -> None:
    """Raises `PlaceTaken` where something else lies at the place a file is to have."""
    target = local_base(dataset, settings) / placed
    try:
        if target.exists():
            _check_ours(one, target, placed)
    except OSError as error:
        raise _not_written(placed, error) from None


def _not_written(placed: str, error: OSError) -> PlaceTaken:
    return PlaceTaken(
        f"it cannot be brought in or out: {error.strerror}",
        where=placed,
        hint="see what lies there and who may write there, then: foresight handin release --due",
    )


def _settle_one(store: Store, one: Submission, target: Path, done: Settled) -> None:
    placed = str(one.placed)
    if one.state == "released":
        if _put(store, one, target, placed):
            done.put.append(placed)
    elif _take_out(one, target, placed):
        done.taken_out.append(placed)


def given_reasons(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Of each released file, by its place: the versions it follows, and why each was corrected.

    A version is told as `2026-10 v02`. Those in between are told too: the portal may not have seen
    them. Raises `BrokenAudit`.
    """
    every = {one.number: one for one in store.all()}

    def given(one: Submission) -> list[tuple[str, str]]:
        if not one.corrects:
            return []
        reason = str(one.steps[0].detail.get("reason", ""))
        return [*given(every[one.corrects]), (f"{one.period} v{one.version:02d}", reason)]

    return {
        one.placed: given(one)
        for one in every.values()
        if one.placed and one.state == "released" and one.corrects
    }


def _put(store: Store, one: Submission, target: Path, placed: str) -> bool:
    if target.exists():
        _check_ours(one, target, placed)
        return False
    content = store.vault.path(one.file.sha256).read_bytes()
    target.parent.mkdir(parents=True, exist_ok=True)
    # The ending keeps a refresh from taking half a file for data.
    descriptor, made = tempfile.mkstemp(dir=target.parent, prefix=".coming-", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(made).chmod(0o640)
        os.link(made, target)  # unlike a renaming, never over a file that came in between
        sync_folder(target.parent)
    finally:
        Path(made).unlink(missing_ok=True)
    return True


def _take_out(one: Submission, target: Path, placed: str) -> bool:
    if not target.exists():
        return False
    _check_ours(one, target, placed)
    target.unlink(missing_ok=True)
    sync_folder(target.parent)
    return True


def _check_ours(one: Submission, target: Path, placed: str) -> None:
    if hashlib.sha256(target.read_bytes()).hexdigest() != one.file.sha256:
        raise PlaceTaken(
            "another file lies where a released one belongs",
            where=placed,
            hint="move it away, then: foresight handin release --due",
        )
