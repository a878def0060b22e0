"""The same results wherever the work is done."""

import os
import socket
import sys
from contextlib import suppress

import numpy as np
import pytest

from etl.errors import ForesightError
from forecasts.scheduler import NEVER_TRIM, NoScheduler, mapped

CHUNKS = [np.random.default_rng(seed).normal(size=(50, 40)) for seed in range(9)]


def spread(chunk: np.ndarray) -> np.ndarray:
    return np.linalg.svd(chunk, compute_uv=False) @ np.linspace(0, 1, 40)


def surroundings(name: str) -> tuple[int, str | None]:
    return os.getpid(), os.environ.get(name)


@pytest.fixture
def ports_taken():
    """The port of Dask's own page is another run's; a warning about it would be an error."""
    with socket.socket() as other:
        with suppress(OSError):
            other.bind(("", 8787))
            other.listen()
        yield


def fails(chunk: int) -> int:
    raise ValueError(f"chunk {chunk}")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_results_are_the_same_to_the_bit_in_order_here_in_processes_and_on_a_cluster():
    here = list(mapped(spread, CHUNKS, workers=1))
    beside = list(mapped(spread, CHUNKS, workers=2))
    cluster = list(mapped(spread, CHUNKS, scheduler="local:2"))
    assert [x.tobytes() for x in here] == [x.tobytes() for x in beside]
    assert [x.tobytes() for x in here] == [x.tobytes() for x in cluster]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_workers_of_a_cluster_started_here_keep_their_memory_and_use_one_thread(ports_taken):
    names = ["MALLOC_TRIM_THRESHOLD_", "OPENBLAS_NUM_THREADS"]
    found = list(mapped(surroundings, names, scheduler="local:2"))
    assert [value for _, value in found] == [NEVER_TRIM, "1"]
    assert os.getpid() not in {process for process, _ in found}


def test_processes_use_one_thread_each_and_leave_this_one_as_it_was():
    before = dict(os.environ)
    found = list(mapped(surroundings, ["OMP_NUM_THREADS"] * 3, workers=2))
    assert {value for _, value in found} == {"1"}
    assert dict(os.environ) == before


def test_chunks_are_taken_a_few_at_a_time():
    taken = []

    def chunks():
        for number in range(20):
            taken.append(number)
            yield number

    results = mapped(abs, chunks(), workers=2)
    next(results)
    assert len(taken) < 10
    assert list(results) == list(range(1, 20))


def test_one_chunk_needs_no_process():
    ((process, _),) = mapped(surroundings, ["HOME"], workers=2)
    assert process == os.getpid()


def test_no_chunks_give_no_results():
    assert list(mapped(abs, [], workers=2)) == []


def test_an_error_in_a_chunk_is_raised_here():
    with pytest.raises(ValueError, match="chunk 1"):
        list(mapped(fails, [1, 2, 3], workers=2))


@pytest.mark.parametrize("place", ["host:8786", "local:0", "tcp://host", "http://host:1"])
def test_an_address_that_is_none_is_refused_with_how_to_write_one(monkeypatch, place):
    monkeypatch.setenv("FORESIGHT_SCHEDULER", place)
    with pytest.raises(NoScheduler, match="tcp://host:8786"):
        list(mapped(abs, [1, 2]))


def test_a_cluster_that_does_not_answer_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr("forecasts.scheduler.PATIENCE", 0.2)
    with pytest.raises(
        NoScheduler, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"
    ) as caught:
        list(mapped(abs, [1, 2], scheduler="tcp://127.0.0.1:9"))
    assert "unset FORESIGHT_SCHEDULER" in caught.value.hint


def test_without_dask_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setenv("FORESIGHT_SCHEDULER", "tcp://host:8786")
    with pytest.raises(ForesightError, match=r"pip install 'cantho-foresight\[cluster\]'"):
        list(mapped(abs, [1, 2]))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_running_cluster_is_used_by_its_address_and_a_slow_one_is_named(monkeypatch):
    from distributed import LocalCluster

    told: list[str] = []
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        monkeypatch.setenv("FORESIGHT_SCHEDULER", cluster.scheduler_address)
        found = list(mapped(spread, CHUNKS, tell=told.append))
    assert [x.tobytes() for x in found] == [spread(chunk).tobytes() for chunk in CHUNKS]
    assert told == [
        "slow workers: start them with MALLOC_TRIM_THRESHOLD_=1000000000, see forecasting-a-file.md"
    ]
