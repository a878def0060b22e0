"""A scenario's queue: nothing moved changes nothing, staff and minutes help, nothing is lost."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from conftest import HEAD
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.calendars import calendar
from etl.catalog import Minutes, Workload, parse_catalog
from forecasts.decisions.arrivals import Arrivals
from forecasts.decisions.levers import Setting
from forecasts.decisions.paths import Ahead as Coming
from forecasts.decisions.scenarios import Base, felt, with_queue
from forecasts.decisions.what_if_queue import Queued, queue_when, received_when
from forecasts.decisions.workload import Ahead
from tests.forecasts.decisions.test_queue import DUE, FIELDS, MOVES
from tests.forecasts.decisions.test_scenarios import RESOURCES

UNTIL, TODAY = dt.date(2026, 10, 31), dt.date(2026, 11, 10)
DAYS = tuple(calendar(dt.date(2026, 11, 1), dt.date(2027, 2, 8)).filter("working")["date"])
AREAS, COUNT = ("31117", "31120"), 8
LEVERS = parse_catalog(HEAD + RESOURCES.replace("[land]", "[slow]")).scenarios
WORK = Workload(
    cases="dossiers", received="received", staff="people", pending="there",
    on_time="punctual", hours=8,
    on_dossiers=0.75, source="assumption",
    minutes=[Minutes(category=name, minutes=m, source="assumption")
             for name, m in zip(FIELDS, (30, 120), strict=True)],
)  # fmt: skip


@pytest.fixture(scope="module")
def found() -> Ahead:
    """Two offices with just enough people, and eight paths."""
    rng = np.random.default_rng(4)
    received = rng.poisson(6, (COUNT, 2, 2, len(DAYS)))
    places = {"area": AREAS, "people": [2, 3], "name": AREAS, "kind": ["ward", "ward"]}
    waiting = rng.poisson(2.0, (2, 2, len(DUE))).astype(float)
    return Ahead(
        TODAY, UNTIL, DAYS[-1], WORK, pl.DataFrame(places), FIELDS, DAYS,
        Arrivals(DAYS, received.astype(np.int32)), received, (waiting, DUE), MOVES,
        simulated=True, untold=(), without_forecast=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Base:
    months = tuple(dt.date(2026 + (m > 12), (m - 1) % 12 + 1, 1) for m in range(11, 16))
    paths = np.random.default_rng(1).poisson(120, (2, COUNT, 2, 5)).astype(float)
    return Base("can_tho", AREAS, tuple(FIELDS), months, paths, 1, simulated=True)


def told(base: Base, *levers: str):
    moved = [Setting.parse(text) for text in levers]
    return felt(base, LEVERS, moved, {}, np.arange(COUNT))


def when(found: Ahead, base: Base, *levers: str) -> Queued:
    return queue_when(found, base, told(base, *levers))


def test_nothing_moved_leaves_every_queue_as_it_is(found, base):
    same = when(found, base)
    for base_band, scenario, difference in (same.pending, same.overdue, same.overloaded, same.late):
        assert base_band == scenario
        assert (difference.lower, difference.upper) == (0, 0)
    assert {ratio for by in same.ratios.values() for month in by.values() for ratio in month} == {1}


@given(st.floats(1, 30), st.floats(0, 20))
@settings(deadline=None, max_examples=3)
def test_more_staff_and_fewer_minutes_never_leave_more(found, base, staff, online):
    help_ = when(found, base, f"staff={staff:.2f}", f"online={online:.2f}")
    for change in (help_.pending, help_.overdue, help_.overloaded):
        assert change[2].upper <= 1e-6


def test_fewer_people_leave_more_and_overload_more_offices(found, base):
    short = when(found, base, "staff=-30")
    assert short.pending[2].lower > 0
    assert short.overdue[2].middle > 0
    assert short.overloaded[1].middle >= short.overloaded[0].middle
    assert min(short.ratios["overdue"][dt.date(2027, 1, 1)]) > 1
    assert dt.date(2027, 2, 1) not in short.ratios["overdue"], "February is not over by then"
    assert min(short.ratios["late"][dt.date(2026, 12, 1)]) > 1
    told = short.of(CATALOG)
    assert (list(told.stocks), list(told.late)) == (["there"], ["punctual"])


def test_fewer_people_lower_the_chance_of_a_target_for_the_share_on_time(found, base):
    december = (dt.date(2026, 12, 1),)
    paths = np.array([[97.0], [98.0], [99.0], [100.0]])
    key = ("punctual", "can_tho", "total", "month")
    series = {key: Coming(december, paths, stand_in=False, simulated=True)}
    short = with_queue(series, "can_tho", when(found, base, "staff=-30").of(CATALOG))[key].paths
    assert (short[:3] < paths[:3]).all()
    assert (short[3], short.min() >= 0) == (100.0, True), "of nothing late more is nothing"
    same = with_queue(series, "can_tho", when(found, base).of(CATALOG))[key].paths
    assert (same == paths).all()


CATALOG = parse_catalog(HEAD + RESOURCES).model_copy(update={"workload": WORK})


def test_what_a_decree_brings_falls_on_the_days_ahead_and_nothing_is_lost(found, base):
    more = received_when(found, base, told(base, "decree=100@2026-12")) - found.received
    quick, slow = more.sum(axis=(1, 3)).T
    december = [n for n, day in enumerate(DAYS) if (day.year, day.month) == (2026, 12)]
    assert (quick == 0).all(), "it moves one field alone"
    assert (more[..., : december[0]] == 0).all(), "and not before its month"
    brought = told(base, "decree=100@2026-12").brought.sum(axis=(1, 2))
    assert more[..., december].sum(axis=(1, 2, 3)) == pytest.approx(brought[:, 1])
    assert (slow > brought[:, 1]).all()


def test_levers_act_from_today_on(found, base):
    moved = received_when(found, base, told(base, "people=10"))
    before = [day < TODAY for day in DAYS]
    assert (moved[..., before] == found.received[..., before]).all()
    assert (moved[..., ~np.array(before)] >= found.received[..., ~np.array(before)]).all()
