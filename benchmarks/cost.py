"""What a piece of work costs, measured in a process of its own."""

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Self, TypeVar


@dataclass(frozen=True)
class Cost:
    """CPU seconds of the process and those it started, wall-clock seconds, peak memory."""

    cpu_seconds: float
    seconds: float
    peak_mb: int


class Clock:
    """`with Clock() as clock: ...`, and then `clock.cost`."""

    def __enter__(self) -> Self:
        self._started = (_cpu(), time.perf_counter())
        return self

    def __exit__(self, *_: object) -> None:
        cpu, wall = self._started
        self.cost = Cost(_cpu() - cpu, time.perf_counter() - wall, _peak())


Returned = TypeVar("Returned")


def alone(work: Callable[..., Returned], *arguments: Any) -> Returned:
    """What `work` returns in a fresh process, which may start others itself.

    A process starts with the peak memory of the one that starts it: that one should do no work.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process:
        return process.submit(work, *arguments).result()


def in_turn(rounds: int, *works: Callable[[], Cost]) -> list[Cost]:
    """The median cost of each of `works`, done one after the other in every round."""
    columns = zip(*([work() for work in works] for _ in range(rounds)), strict=True)
    return [
        Cost(
            statistics.median(cost.cpu_seconds for cost in costs),
            statistics.median(cost.seconds for cost in costs),
            max(cost.peak_mb for cost in costs),
        )
        for costs in columns
    ]


def _cpu() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _peak() -> int:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(usage.ru_maxrss for usage in both) // 1024
