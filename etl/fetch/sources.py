"""From the catalog to raw copies, and from a dataset to the files that are there to be read."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from etl.catalog import Catalog, Dataset
from etl.errors import ForesightError, Problems
from etl.fetch.arrival import FetchFailed, Known
from etl.fetch.ckan import Portal
from etl.fetch.copies import Copy, Incoming, Origin
from etl.fetch.databases import DatabaseRefused, check_listed, copy_query
from etl.fetch.web import HostRefused, Web
from etl.fetch.whole import cut_short, doubt
from etl.settings import Settings, Site, SiteError

Progress = Callable[[str], None]


class NeverFetched(FetchFailed):
    """The first fetch of a source failed, so there is nothing to go on with."""


class FetchRunning(ForesightError):
    """Another process is fetching the same source."""


@dataclass(frozen=True)
class Fetched:
    """What became of one source. `changed`: a copy that differs is now in use."""

    dataset: str
    path: Path
    changed: bool
    confirmed_at: dt.datetime
    """When the source last confirmed the copy in use."""
    problem: str = ""
    """Why an earlier copy stays in use; empty where the source answered."""
    doubt: str = ""
    """Why the new copy may not be all of the source; empty where nothing speaks for that."""

    def __str__(self) -> str:
        if self.problem:
            days = (dt.datetime.now(dt.UTC) - self.confirmed_at).days
            return (
                f"{self.dataset}: {self.problem}; the copy of {self.confirmed_at.date()} "
                f"({days} days old) stays in use"
            )
        if self.doubt:
            return f"{self.dataset}: a new copy, which may lack records: {self.doubt}"
        return f"{self.dataset}: {'a new copy' if self.changed else 'unchanged'}"


def fetch(
    catalog: Catalog, settings: Settings, progress: Progress, *, web: Web | None = None
) -> list[Fetched]:
    """Fetch every source that is not a file of the folder; each dataset of the net once.

    A source that does not answer leaves its last copy in use, and says so in `problem`.

    Raises:
        Problems: what was never fetched could not be (`NeverFetched`), or the site does not allow
            it (`HostRefused`, `DatabaseRefused`, `MissingSecret`, `SiteError`). Everything else has
            been fetched by then.
    """
    remote = [dataset for dataset in catalog.resources if dataset.fetched]
    if not remote:
        return []
    found: list[Fetched] = []
    problems: list[ForesightError] = []
    web = web or Web(settings.site())
    for dataset in remote:
        progress(f"fetch {dataset.name}")
        try:
            found.append(_fetch(dataset, _incoming(dataset, settings), web, progress))
        except ForesightError as problem:
            problems.append(problem)
    if problems:
        raise Problems(problems)
    return found


def local_files(dataset: Dataset, settings: Settings) -> list[Path]:
    """The files to read, without asking the net: for a fetched source its copy in use, if any."""
    if dataset.fetched:
        copy = _incoming(dataset, settings).path()
        return [copy] if copy else []
    return sorted(local_base(dataset, settings).glob(dataset.path))


def local_base(dataset: Dataset, settings: Settings) -> Path:
    """The folder to which the files of a dataset are shown relative."""
    return settings.home if dataset.simulated or dataset.fetched else settings.catalog.parent


def refusals(catalog: Catalog, settings: Settings) -> list[ForesightError]:
    """What the site would not allow to be fetched, and errors of its file; asks nobody."""
    try:
        site = settings.site()
    except Problems as several:
        return several.problems
    except SiteError as missing:
        return [missing]
    return [
        problem for dataset in catalog.resources if (problem := _refusal(dataset, site)) is not None
    ]


def _refusal(dataset: Dataset, site: Site) -> ForesightError | None:
    try:
        if dataset.read.database:
            check_listed(dataset.read.database, site)
        elif dataset.address:
            Web(site).place(dataset.address)
    except (HostRefused, DatabaseRefused) as refusal:
        return type(refusal)(refusal.problem, where=f"{dataset.name}.sources", hint=refusal.hint)
    return None


def _incoming(dataset: Dataset, settings: Settings) -> Incoming:
    return Incoming(settings.home / "incoming" / dataset.name, _source(dataset))


def _source(dataset: Dataset) -> str:
    """What is asked for, in one line: a copy of anything else is none of this."""
    read = dataset.read
    if read.database:
        return f"{read.database}: {read.query}"
    ckan = read.ckan
    return f"{dataset.path} {ckan.resource or ckan.datastore}" if ckan else dataset.path


def _fetch(dataset: Dataset, incoming: Incoming, web: Web, progress: Progress) -> Fetched:
    before, unsure = incoming.current(), ""
    now = dt.datetime.now(dt.UTC)
    arriving = incoming.folder / "arriving"
    try:
        with _alone(incoming.folder, dataset), _room(dataset):
            copy, changed = _newest(dataset, incoming, arriving, web, now, progress)
            if changed and before:
                files = incoming.folder / copy.file, incoming.folder / before.file
                unsure = doubt(*files, length_told=copy.origin.length_told)
            incoming.prune(web.site.copies)
        problem = ""
    except FetchFailed as failure:
        if before is None:
            raise NeverFetched(
                failure.problem,
                where=f"{dataset.name}: {failure.where}",
                hint=f"{failure.hint}; there is no earlier copy to go on with",
            ) from None
        copy, changed, problem = before, False, str(failure).splitlines()[0]
    finally:
        arriving.unlink(missing_ok=True)
    path = incoming.folder / copy.file
    return Fetched(dataset.name, path, changed, copy.confirmed_at, problem, unsure)


def _newest(
    dataset: Dataset,
    incoming: Incoming,
    arriving: Path,
    web: Web,
    now: dt.datetime,
    progress: Progress,
) -> tuple[Copy, bool]:
    """The newest version as a copy in use, and whether it is another than before."""
    read = dataset.read
    if read.database:
        rows = copy_query(read.query or "", read.database, web.site, arriving)
        return incoming.add(arriving, Origin(records=rows), "json", now)
    url = dataset.path
    if read.ckan:
        portal = Portal(web, dataset.path, incoming.folder)
        if read.ckan.datastore:
            rows = portal.rows(read.ckan, arriving, now, progress)
            return incoming.add(arriving, Origin(url=url, records=rows), "json", now)
        url = _allowed(portal.file(read.ckan.resource or ""), web, dataset)
    before = incoming.current()
    asked = hashlib.blake2b(url.encode(), digest_size=8).hexdigest()
    known = before.origin if before and before.origin.asked == asked else None
    answer = web.download(
        url,
        arriving,
        Known(known.etag, known.last_modified) if known else None,
        cut_short=cut_short(dataset),
    )
    if before and answer.status == 304:
        return incoming.confirm(before, now), False
    origin = Origin(
        url=answer.url,
        asked=asked,
        status=answer.status,
        etag=answer.etag,
        last_modified=answer.last_modified,
        content_type=answer.content_type,
        length_told=answer.length_told,
    )
    return incoming.add(arriving, origin, dataset.format, now)


def _allowed(url: str, web: Web, dataset: Dataset) -> str:
    """The address a portal gives; that it leads off the list is the portal's doing."""
    try:
        web.place(url)
    except HostRefused as refusal:
        raise FetchFailed(
            f"the portal keeps the file elsewhere: {refusal.problem}",
            where=dataset.path,
            hint=refusal.hint,
        ) from None
    return url


@contextmanager
def _alone(folder: Path, dataset: Dataset) -> Iterator[None]:
    """Only one process writes into the folder at a time."""
    import fcntl  # not on Windows, where two refreshes at once are not kept apart

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FetchRunning(
                "another refresh is fetching it", where=dataset.name, hint="wait until it ends"
            ) from None
        yield


@contextmanager
def _room(dataset: Dataset) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FetchFailed(
            f"the copy cannot be written: {error.strerror}",
            where=dataset.name,
            hint="make room on the disk of the state folder",
        ) from None
