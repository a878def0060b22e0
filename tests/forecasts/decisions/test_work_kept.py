"""What is kept of the work ahead: read back as it was, one build and day at a time."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from etl.catalog import Workload
from etl.warehouse import Warehouse
from forecasts.decisions.queue_targets import BY_QUEUE
from forecasts.decisions.staffing import Change, Move, Plan, Range
from forecasts.decisions.topics import SOON
from forecasts.decisions.work_kept import Work, keep, kept
from forecasts.decisions.workload import NoWorkload, last_told

TODAY = date(2026, 11, 22)
LATE = Range(12.5, 9.0, 16.25)
PLAN = Plan(
    asked=10,
    window="quarter",
    moves=(Move("31120", "31153", 2, None),),
    changes=(Change("31153", 3, 2, LATE, LATE, 0.7, 0.1),),
    before=LATE,
    after=LATE,
    saved=LATE,
    helps=0.9,
    within_noise=False,
)
ASKED = Workload.model_construct()
COMMUNES = pl.DataFrame(
    {"area": ["31120", "31153"], "people": [4, None], "load": [0.1 + 0.2, None]}
)
FIELDS = pl.DataFrame({"category": ["land"], "received": [1 / 3]})
TOPICS = pl.DataFrame(
    [("calls", "day", None, "land", TODAY, 1 / 3, 0.0, 1.0, "split")], schema=SOON, orient="row"
)
TARGETS = pl.DataFrame([("overdue", 1 / 3, 0.0, 1.0, 0.4, 12)], schema=BY_QUEUE, orient="row")
WORK = Work(
    today=TODAY,
    until=date(2026, 10, 31),
    last=date(2027, 2, 20),
    simulated=True,
    untold=("31153",),
    without_forecast=3,
    times=1.0,
    plan=PLAN,
    asked=ASKED,
    communes={"fortnight": COMMUNES, "quarter": COMMUNES.reverse()},
    fields={"fortnight": FIELDS, "quarter": FIELDS},
    topics=TOPICS,
    targets=TARGETS,
)


@pytest.fixture
def home(tmp_path):
    """An installation with one build, 00001."""
    with Warehouse.build(tmp_path):
        pass
    return tmp_path


def test_what_is_kept_is_read_back_to_the_last_digit(home):
    keep(home, "00001", WORK)
    found = kept(home, "00001", TODAY, ASKED)
    assert found.communes["quarter"].equals(COMMUNES.reverse())
    assert found.fields["fortnight"].equals(FIELDS)
    assert found.topics.equals(TOPICS)
    assert found.targets.equals(TARGETS)
    assert (found.plan, found.until, found.untold) == (PLAN, WORK.until, WORK.untold)
    assert found.told.tolist() == [True, False]


def test_nothing_is_kept_of_another_day_or_build(home):
    keep(home, "00001", WORK)
    assert kept(home, "00001", TODAY + timedelta(days=1), ASKED) is None
    assert kept(home, "00002", TODAY, ASKED) is None


def test_a_new_day_takes_the_place_of_the_old_one(home):
    keep(home, "00001", WORK)
    keep(home, "00001", replace(WORK, today=TODAY + timedelta(days=1)))
    assert len(list((home / "work").iterdir())) == 1
    assert kept(home, "00001", TODAY, ASKED) is None


def test_what_is_kept_goes_when_its_build_is_gone(home):
    keep(home, "00007", WORK)
    keep(home, "00001", WORK)
    assert [folder.name[:5] for folder in (home / "work").iterdir()] == ["00001"]


def test_a_file_that_cannot_be_read_counts_as_none(home):
    keep(home, "00001", WORK)
    for file in (home / "work").rglob("facts.json"):
        file.write_bytes(b"{")
    assert kept(home, "00001", TODAY, ASKED) is None


def test_the_quarter_is_told_as_far_as_the_forecasts_reach():
    december = date(2026, 12, 1)
    assert last_told(december, 12, date(2027, 9, 1)) == date(2027, 11, 30)
    assert last_told(december, 12, date(2027, 12, 1)) == date(2027, 12, 31)
    assert last_told(december, 12, date(2027, 12, 18)) == date(2027, 12, 31)


@pytest.mark.parametrize("today", [date(2027, 12, 19), date(2028, 6, 1)])
def test_forecasts_that_end_within_two_weeks_are_refused_with_what_to_do(today):
    with pytest.raises(NoWorkload, match=r"the forecasts end on 2027-12-31") as caught:
        last_told(date(2026, 12, 1), 12, today)
    assert caught.value.hint == "run: foresight refresh"
