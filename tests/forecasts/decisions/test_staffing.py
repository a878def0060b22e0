"""Lending people: moves conserve them, the optimum is the optimum, and givers are named."""

from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.decisions.arrivals import Arrivals
from forecasts.decisions.staffing import (
    NoMove,
    best_moves,
    curves,
    kilometres,
    pairs,
    people_gained,
    plan,
)
from forecasts.decisions.workload import Ahead
from tests.forecasts.decisions.test_queue import DUE, FIELDS, MOVES
from tests.forecasts.decisions.test_what_if_queue import DAYS, TODAY, UNTIL, WORK

CHANGES = (-1, 0, 1, 2)


@st.composite
def questions(draw):
    """Late dossiers by number of people, who is near whom, and people to lend."""
    communes = draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    late = np.sort(rng.uniform(0, 20, (len(CHANGES), communes)), axis=0)[::-1]
    late[0, rng.random(communes) < 0.3] = np.inf
    near = rng.random((communes, communes)) < 0.7
    np.fill_diagonal(near, False)
    return late, near, draw(st.integers(0, 3))


@given(questions())
@settings(deadline=None, max_examples=60)
def test_moves_conserve_staff_and_stay_within_what_may_be_lent(question):
    late, near, people = question
    moved = best_moves(CHANGES, late, near, people)
    gained = people_gained(moved, late.shape[1])
    assert gained.sum() == 0
    assert sum(moved.values()) <= people
    assert all(near[pair] and number > 0 for pair, number in moved.items())
    assert all(
        np.isfinite(late[CHANGES.index(int(change)), at]) for at, change in enumerate(gained)
    )


@given(questions())
@settings(deadline=None, max_examples=40)
def test_no_other_moves_save_more(question):
    late, near, people = question
    communes = late.shape[1]

    def cost(gained, lent):
        return sum(late[CHANGES.index(int(g)), at] for at, g in enumerate(gained)) + lent

    moved = best_moves(CHANGES, late, near, people)
    ours = cost(people_gained(moved, communes), sum(moved.values()))
    pairs_near = list(zip(*np.nonzero(near), strict=True))
    for numbers in product(range(2), repeat=len(pairs_near)):
        lent = sum(numbers)
        gained = people_gained(dict(zip(pairs_near, numbers, strict=True)), communes)
        if lent <= people and set(gained) <= set(CHANGES):
            assert ours <= cost(gained, lent) + 1e-4


def test_a_curve_that_is_not_concave_is_no_trouble():
    late = np.array([[9.0, 0.0], [9.0, 10.0], [9.0, 10.0], [9.0, 0.0]])
    late[0, 0] = 9.0
    moved = best_moves((-2, -0, 1, 2), late, np.array([[False, True], [False, False]]), 2)
    assert moved == {(0, 1): 2}


def test_kilometres_between_two_known_places():
    apart = kilometres([10.0, 10.0, None], [105.0, 106.0, 105.0])
    assert apart[0, 1] == pytest.approx(109.5, abs=0.5)
    assert np.isnan(apart[0, 2])


def test_a_limit_is_a_distance_or_a_former_district_and_what_is_unknown_lends_nothing():
    places = pl.DataFrame(
        {
            "lat": [10.0, 10.05, 11.0, None],
            "lon": [105.0, 105.0, 105.0, 105.0],
            "district": ["a", "b", "a", None],
        }
    )
    assert np.argwhere(pairs(places, 10.0)[0]).tolist() == [[0, 1], [1, 0]]
    assert np.argwhere(pairs(places, "district")[0]).tolist() == [[0, 2], [2, 0]]
    assert pairs(places, None)[0].sum() == 12


def offices(*people):
    """Offices that all receive the same, and eight paths."""
    received = np.random.default_rng(4).poisson(6, (8, len(people), 2, len(DAYS)))
    there = [str(number) for number in range(len(people))]
    places = {
        "area": there,
        "people": people,
        "lat": [10.0] * len(there),
        "lon": [105.0] * len(there),
    }
    waiting = np.full((len(people), 2, len(DUE)), 2.0)
    return Ahead(
        TODAY, UNTIL, DAYS[-1], WORK, pl.DataFrame(places), FIELDS, DAYS,
        Arrivals(DAYS, received.astype(np.int32)), received, (waiting, DUE), MOVES,
        simulated=True, untold=(), without_forecast=0,
    )  # fmt: skip


def test_a_thousand_people_asked_for_are_no_more_than_all_can_lend():
    ahead = offices(1, 9, 9)
    everyone, near = 6, pairs(ahead.places, None)[0]
    assert curves(ahead, 1000, "quarter", near).changes == tuple(range(-3, everyone + 1))
    assert plan(ahead, 1000, None).moves == plan(ahead, everyone, None).moves != ()


def test_a_commune_is_looked_at_with_no_more_people_than_it_has_use_for():
    ahead = offices(1, 90, 90)
    found = curves(ahead, 30, "quarter", pairs(ahead.places, None)[0])
    late = found.late.mean(axis=1)[:, 0]
    looked = [change for change, mean in zip(found.changes, late, strict=True) if np.isfinite(mean)]
    assert looked == list(range(len(looked)))
    assert len(looked) < 20
    assert late[found.changes.index(looked[-1])] < late[found.changes.index(0)]


def test_fewer_than_no_people_cannot_be_lent():
    with pytest.raises(NoMove):
        plan(None, -1)
