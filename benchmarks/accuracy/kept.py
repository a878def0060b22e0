"""Peers' forecasts, kept between runs: they change only with their code and the series.

One file a peer in `benchmarks/kept`, which is not under version control. Within a run the work is
spread over two processes, one thread each; the time of every single forecast is CPU time.
"""

import hashlib
import multiprocessing
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.accuracy.peers import LEVELS, PEERS, RARE, Peer, forecast_one
from benchmarks.accuracy.sets import Collection
from benchmarks.cost import Clock
from forecasts.panel import Floats

KEPT = Path(__file__).parent.parent / "kept"
PROCESSES = 2
CHUNK = 10
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SCHEMA = {
    "digest": pl.String,
    "mean": pl.List(pl.Float64),
    "quantiles": pl.List(pl.Float64),
    "seconds": pl.Float64,
    "answered": pl.Boolean,
}
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Told:
    """What a method said of a collection, and what that cost.

    `mean` is `(series, horizon)`, `quantiles` `(levels, series, horizon)`, `seconds` of CPU time
    `(series,)`. Where a series is not `answered` the seasonal naive forecast stands for it.
    `draws` are `(draws, series)` of the last step, from a method that can draw.
    """

    mean: Floats
    quantiles: Floats
    seconds: Floats
    answered: NDArray[np.bool_]
    draws: Floats | None = None

    def take(self, rows: Sequence[int]) -> "Told":
        """Only these series."""
        part = list(rows)
        return Told(
            self.mean[part],
            self.quantiles[:, part],
            self.seconds[part],
            self.answered[part],
            None if self.draws is None else self.draws[:, part],
        )


def told_by(
    peer: Peer, collection: Collection, work: Path = KEPT, processes: int = PROCESSES
) -> Told:
    """The peer's forecasts of every series; those that are kept are not made again."""
    digests = [digest(train, collection) for train in collection.trains]
    kept = _read(peer, work)
    missing = [row for row, key in enumerate(digests) if key not in kept]
    if missing:
        about = f"{collection.name}, {collection.frequency}, {collection.horizon} ahead"
        sys.stderr.write(f"{peer.name}: {len(missing):,} series of {about} ...\n")
        kept = _kept_too(peer, work, _make(peer, collection.take(missing), processes))
    rows = [kept[key] for key in digests]
    quantiles = np.array([row["quantiles"] for row in rows])
    shape = (len(rows), len(LEVELS), collection.horizon)
    return Told(
        np.array([row["mean"] for row in rows]),
        quantiles.reshape(shape).swapaxes(0, 1),
        np.array([row["seconds"] for row in rows]),
        np.array([row["answered"] for row in rows]),
    )


def digest(train: Floats, collection: Collection) -> str:
    """What a forecast depends on beside its maker: the values, their season and the horizon."""
    told = f"{collection.season} {collection.horizon} {LEVELS}".encode()
    return hashlib.sha256(told + np.ascontiguousarray(train).tobytes()).hexdigest()


def _make(peer: Peer, collection: Collection, processes: int) -> list[Row]:
    jobs = [
        (peer.name, train, collection.season, collection.horizon, digest(train, collection))
        for train in collection.trains
    ]
    # Before the processes start: libraries look once, when they are imported.
    os.environ.update(dict.fromkeys(THREADS, "1"))
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, _warm, (peer.name,)) as pool:
        return list(pool.imap(_one, jobs, chunksize=CHUNK))


def _warm(name: str) -> None:
    """Import what the peer needs, and let it set itself up: no series pays for that."""
    forecast_one((PEERS | RARE)[name], np.arange(1.0, 31.0) % 7, 1, 2)


def _one(job: tuple[str, Floats, int, int, str]) -> Row:
    name, train, season, horizon, key = job
    with Clock() as clock:
        (mean, quantiles), answered = forecast_one((PEERS | RARE)[name], train, season, horizon)
    return {
        "digest": key,
        "mean": mean.tolist(),
        "quantiles": quantiles.ravel().tolist(),
        "seconds": clock.cost.cpu_seconds,
        "answered": answered,
    }


def _path(peer: Peer, work: Path) -> Path:
    return work / f"{peer.name}-{hashlib.sha256(peer.code.encode()).hexdigest()[:12]}.parquet"


def _read(peer: Peer, work: Path) -> dict[str, Row]:
    path = _path(peer, work)
    rows = pl.read_parquet(path).rows(named=True) if path.exists() else []
    return {row["digest"]: row for row in rows}


def _kept_too(peer: Peer, work: Path, made: Sequence[Row]) -> dict[str, Row]:
    """All that is kept of the peer, what was just made included.

    Read again, for another run may have kept something in the meantime.
    """
    kept = _read(peer, work) | {row["digest"]: row for row in made}
    work.mkdir(parents=True, exist_ok=True)
    path = _path(peer, work)
    beside = path.with_suffix(".new")
    pl.DataFrame(list(kept.values()), schema=SCHEMA).write_parquet(beside)
    beside.replace(path)
    return kept
