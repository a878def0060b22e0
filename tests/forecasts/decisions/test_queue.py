"""The queue of an office: nothing is lost, shortage only delays, the earliest due day first."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.decisions.queue import flow, pace, run, run_spans

FIELDS = ["quick", "slow"]
HOURS = np.array([0.5, 2.0])
DURATIONS = pl.DataFrame(
    [
        ("quick", 0, 0, 90),
        ("quick", 1, 1, 8),
        ("quick", 1, 4, 2),
        ("slow", 10, 7, 70),
        ("slow", 10, 10, 15),
        ("slow", 20, 26, 10),
        ("slow", 5, None, 5),
    ],
    schema=["category", "allowed", "taken", "cases"],
    orient="row",
)
MOVES = pace(DURATIONS, FIELDS)
DUE = np.array([-4.0, -1.0, 0.0, 2.0, 30.0])


def offices(seed, days=30, communes=3, paths=2):
    """Received, pending and hours of a few offices, by chance."""
    rng = np.random.default_rng(seed)
    received = rng.poisson(rng.uniform(0, 12), (paths, communes, len(FIELDS), days))
    waiting = rng.poisson(2.0, (communes, len(FIELDS), len(DUE))).astype(float)
    return received, (waiting, DUE), rng.uniform(0, 25, (communes, days))


@given(st.integers(0, 10**6), st.booleans())
@settings(deadline=None, max_examples=40)
def test_received_and_pending_before_are_handled_and_pending_after(seed, together):
    received, pending, hours = offices(seed)
    queue = run(flow(received, pending, MOVES, HOURS, together=together), hours)
    came = np.cumsum(queue.received, axis=0) + pending[0].sum(axis=2)[None, None].sum(
        axis=3 if together else (), keepdims=True
    )
    assert np.allclose(came, np.cumsum(queue.handled, axis=0) + queue.pending)
    assert (queue.pending >= queue.overdue - 1e-9).all()
    assert min(queue.handled.min(), queue.overdue.min(), queue.late.min()) >= -1e-9
    before = pending[0][:, :, pending[1] < 0].sum(axis=2)
    begun = before.sum(axis=1, keepdims=True) if together else before
    late = begun[None, None] + np.cumsum(queue.late, axis=0)
    assert np.allclose(late, np.cumsum(queue.handled_late, axis=0) + queue.overdue)


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=20)
def test_fields_apart_add_up_to_fields_together(seed):
    received, pending, hours = offices(seed)
    apart, together = (
        run(flow(received, pending, MOVES, HOURS, together=both), hours) for both in (False, True)
    )
    for name in ("handled", "handled_late", "pending", "overdue", "late"):
        ours, theirs = getattr(apart, name).sum(axis=3), getattr(together, name)[..., 0]
        assert np.allclose(ours, theirs), name


@given(st.integers(0, 10**6), st.floats(0.1, 3))
@settings(deadline=None, max_examples=20)
def test_more_hours_never_leave_more_work(seed, more):
    received, pending, hours = offices(seed)
    comes = flow(received, pending, MOVES, HOURS, together=True)
    few, many = run(comes, hours), run(comes, hours * (1 + more))
    assert (many.left <= few.left + 1e-9).all()


def test_without_shortage_the_usual_share_is_late_and_no_more():
    received = np.zeros((1, 1, 2, 40))
    received[..., 0, :10], received[..., 1, 0] = 10.0, 100.0
    comes = flow(received, (np.zeros((1, 2, 1)), np.zeros(1)), MOVES, HOURS, together=False)
    queue = run(comes, np.full((1, 40), np.inf))
    assert queue.late.sum(axis=0)[0, 0] == pytest.approx([2.0, 15.0])
    assert queue.left.max() == 0
    assert queue.pending[-1, 0, 0] == pytest.approx([0.0, 5.0])


def test_with_no_hours_nothing_is_handled_and_everything_gets_late():
    received = np.zeros((1, 1, 2, 30))
    received[..., 0, 0] = 10.0
    comes = flow(received, (np.zeros((1, 2, 1)), np.zeros(1)), MOVES, HOURS, together=True)
    queue = run(comes, np.zeros((1, 30)))
    assert queue.handled.sum() == 0
    assert queue.late.sum() == pytest.approx(10.0)
    assert queue.overdue[-1].sum() == pytest.approx(10.0)


def test_the_earliest_due_day_comes_first():
    waiting = np.array([[[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]])
    moves = pace(DURATIONS.clear(), FIELDS)
    due = np.array([0.0, 3.0, 9.0])
    comes = flow(np.zeros((1, 1, 2, 4)), (waiting, due), moves, HOURS, together=True)
    queue = run(comes, np.full((1, 4), 0.5))
    assert queue.handled[:, 0, 0, 0] == pytest.approx([1.0, 0.0, 0.0, 1.0])
    assert queue.late.sum() == 0


def test_what_is_overdue_and_pending_is_overdue_until_it_is_done():
    waiting = np.array([[[4.0], [0.0]]])
    moves = pace(DURATIONS, FIELDS)
    comes = flow(np.zeros((1, 1, 2, 5)), (waiting, np.array([-1.0])), moves, HOURS, together=True)
    queue = run(comes, np.full((1, 5), np.inf))
    assert queue.late.sum() == 0
    assert queue.overdue[0].sum() == pytest.approx(4.0)
    assert queue.overdue[3].sum() == pytest.approx(0.0)


def test_where_nothing_is_short_two_places_tell_as_much_as_all():
    received, pending, _ = offices(seed=3)
    hours = np.full((3, 30), np.inf)
    spans = [slice(2, 10), slice(0, 30)]
    found = [
        run_spans(flow(received, pending, moves, HOURS, together=False), hours, spans)
        for moves in (MOVES, MOVES.unhurried)
    ]
    for full, plain in zip(*found, strict=True):
        for ours, theirs in zip(full.arrays(), plain.arrays(), strict=True):
            assert np.allclose(ours, theirs)
