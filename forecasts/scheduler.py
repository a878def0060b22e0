"""Where the work is done: in this process, in processes beside it, or on a Dask cluster.

`mapped` applies a function to chunks and gives the results in the order of the chunks. What the
results are does not depend on where they were made: whatever is learned from all chunks together is
learned before they are cut, and each chunk is computed on one thread.

`FORESIGHT_SCHEDULER` names the cluster: `tcp://host:8786` is one that runs, `local:4` one of four
workers on this machine, started for the run. Dask's nanny tells the allocator of its workers to
hand back memory at once (`MALLOC_TRIM_THRESHOLD_` of 64 kB), which makes work on arrays six times
slower: what is started here is told otherwise, and a running cluster that was not is named.
"""

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from etl import settings
from etl.errors import ForesightError

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")
Tell = Callable[[str], None]

AHEAD = 2
"""Chunks under way for each worker: enough that none waits, few enough for the memory."""
PATIENCE = 10
"""Seconds in which a cluster must answer."""
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
}
"""Processes are the parallelism: their libraries use one thread."""
TRIM = "MALLOC_TRIM_THRESHOLD_"
NEVER_TRIM = "1000000000"


class NoScheduler(ForesightError):
    """The cluster cannot be used: not installed, not there, or not running this program."""


def mapped(
    function: Callable[[Chunk], Result],
    chunks: Iterable[Chunk],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    tell: Tell | None = None,
) -> Iterator[Result]:
    """`function` of each chunk, in order; `function`, chunks and results must be picklable.

    `scheduler` is by default that of `FORESIGHT_SCHEDULER`; without one, `workers` processes do the
    work, by default one a processor, and with one it is done here. Chunks are taken from their
    iterator as they are needed, a few ahead.

    Raises:
        NoScheduler: with what to do about it.
    """
    place = scheduler or settings.scheduler()
    count = workers or os.cpu_count() or 1
    if place:
        yield from _on_cluster(function, chunks, place, tell or (lambda _: None))
    elif count == 1:
        yield from map(function, chunks)
    else:
        yield from _in_processes(function, chunks, count)


def _in_processes(
    function: Callable[[Chunk], Result], chunks: Iterable[Chunk], workers: int
) -> Iterator[Result]:
    waiting = iter(chunks)
    first = [chunk for _, chunk in zip(range(2), waiting, strict=False)]
    if len(first) < 2:  # nothing to share out
        yield from map(function, first)
        return
    with (
        _environment(**ONE_THREAD),
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
    ):
        under_way: deque[Future[Result]] = deque(pool.submit(function, chunk) for chunk in first)
        for chunk in waiting:
            if len(under_way) >= AHEAD * workers:
                yield under_way.popleft().result()
            under_way.append(pool.submit(function, chunk))
        while under_way:
            yield under_way.popleft().result()


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """What processes started within inherit; afterwards everything is as it was."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


# --- Dask -----------------------------------------------------------------------------------------


def _on_cluster(
    function: Callable[[Chunk], Result], chunks: Iterable[Chunk], place: str, tell: Tell
) -> Iterator[Result]:
    with _client(place) as client:
        _look_at(client, place, tell)
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        under_way: deque[Any] = deque()
        for chunk in chunks:
            if len(under_way) >= AHEAD * workers:
                yield under_way.popleft().result()
            # As data of its own, a chunk travels to its worker without passing the scheduler.
            (sent,) = client.scatter([chunk], hash=False)
            under_way.append(client.submit(function, sent, pure=False))
        while under_way:
            yield under_way.popleft().result()


@contextmanager
def _client(place: str) -> Iterator[Any]:
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise NoScheduler(
            f"FORESIGHT_SCHEDULER is {place!r}, and Dask is not installed",
            hint="install it, pip install 'cantho-foresight[cluster]', or unset "
            "FORESIGHT_SCHEDULER to work on this machine",
        ) from None
    wanted = re.fullmatch(r"local(?::([1-9]\d*))?|(?:tcp|tls)://\S+:\d+", place)
    if wanted is None:
        raise NoScheduler(
            f"FORESIGHT_SCHEDULER is {place!r}",
            hint="write the address of a cluster, tcp://host:8786, or local:2 for two workers here",
        )
    if not place.startswith("local"):
        with _connected(Client, place) as client:
            yield client
        return
    # The nanny writes its own settings into this environment, and what stands there goes before its
    # configuration: `distributed.nanny.pre-spawn-environ` alone would be too weak.
    with (
        _environment(**ONE_THREAD, **{TRIM: NEVER_TRIM}),
        LocalCluster(
            n_workers=int(wanted[1] or os.cpu_count() or 1),
            threads_per_worker=1,
            dashboard_address=None,
            # Without a page there is still a server for it, on a port that another run may have.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            host="127.0.0.1",
        ) as cluster,
        Client(cluster, timeout=PATIENCE, set_as_default=False) as client,
    ):
        yield client


def _connected(client: Any, place: str) -> Any:
    try:
        return client(place, timeout=PATIENCE, set_as_default=False)
    except OSError:
        raise NoScheduler(
            f"no Dask scheduler answers at {place}",
            hint="start it, dask scheduler, and its workers, or unset FORESIGHT_SCHEDULER to work "
            "on this machine",
        ) from None


def _look_at(client: Any, place: str, tell: Tell) -> None:
    """Refuse a cluster that would say something else than this machine, name one that is slow."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except OSError:
        raise NoScheduler(
            f"the Dask scheduler at {place} has no workers", hint=f"start some: dask worker {place}"
        ) from None
    here = _installed()
    for worker, there in client.run(_installed, on_error="return").items():
        if there != here:
            raise NoScheduler(
                f"{worker} runs another version of this program, or of numpy or polars",
                hint="install the same on every machine: results must not depend on where they are "
                "made",
            )
    if any(threshold != NEVER_TRIM for threshold in client.run(_threshold).values()):
        tell(f"slow workers: start them with {TRIM}={NEVER_TRIM}, see forecasting-a-file.md")


def _installed() -> tuple[str, ...]:
    """What results depend on: the code of the forecasts and the libraries it rests on."""
    from importlib.metadata import version

    from forecasts.request import engine

    return (engine(), *(version(name) for name in ("numpy", "polars", "scipy")))


def _threshold() -> str | None:
    return os.environ.get(TRIM)
