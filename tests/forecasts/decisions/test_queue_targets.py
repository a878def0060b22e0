"""What the queue comes to beside targets for stocks and for the share resolved on time."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from etl.catalog import Baseline, Target
from etl.periods import Frequency, Period
from forecasts.decisions.queue_targets import by_queue, months_ahead
from forecasts.decisions.workload import earlier
from tests.forecasts.decisions.test_what_if_queue import CATALOG, found  # noqa: F401


def goal(name: str, indicator: str, by: str, measure: str = "level", *, value=1.0, **given):
    baseline = Baseline(plan="demo", value=value, document="Giả định")
    words = {"title": "Đích", "title_en": "Goal", "owner": "UBND"}
    return Target(name=name, indicator=indicator, by=by, measure=measure, baselines=[baseline],
                  **(words | given))  # fmt: skip


@pytest.fixture(scope="module")
def told(found):  # noqa: F811
    goals = [
        goal("city", "there", "12/2026"),
        goal("office", "there", "12/2026", area="31120"),
        goal("in_time", "punctual", "12/2026", "share"),
        goal("too_late", "there", "12/2027"),
        goal("a_year", "punctual", "2026", "share"),
        goal("begun", "punctual", "10/2026", "share"),
        goal("elsewhere", "received", "12/2026"),
        goal("one_field", "there", "12/2026", category="land"),
    ]
    rows = by_queue(found, CATALOG.model_copy(update={"targets": goals}))
    return {row["target"]: row for row in rows.to_dicts()}


def test_only_what_the_queue_reaches_is_told(told):
    assert set(told) == {"city", "office", "in_time"}


def test_a_stock_is_that_of_the_last_day_of_its_month(told, found):  # noqa: F811
    last = max(at for at, day in enumerate(found.days) if day <= dt.date(2026, 12, 31))
    pending = found.queue.pending[last].sum(axis=2)
    assert told["city"]["expected"] == pytest.approx(np.median(pending.sum(axis=1)))
    assert told["office"]["expected"] == pytest.approx(np.median(pending[:, 1]))
    assert told["office"]["lower"] <= told["office"]["expected"] <= told["office"]["upper"]


def test_the_share_on_time_is_of_what_is_finished_in_the_month(told, found):  # noqa: F811
    days = [at for at, day in enumerate(found.days) if (day.year, day.month) == (2026, 12)]
    late, finished = (
        part[days].sum(axis=(0, 2, 3)) for part in (found.queue.handled_late, found.queue.handled)
    )
    assert told["in_time"]["expected"] == pytest.approx(np.median(100 * (1 - late / finished)))
    assert 0 < told["in_time"]["lower"] < 100


@pytest.fixture(scope="module")
def runs(found):  # noqa: F811
    """The queue of `found` seen from twelve ends of earlier months: run, month and what it says."""
    past = []
    for back in range(2, 14):
        number = 2026 * 12 + 10 - back
        until = dt.date(number // 12, number % 12 + 1, 1) - dt.timedelta(days=1)
        shift = until - found.until
        days = tuple(day + shift for day in found.days)
        run = replace(found, until=until, last=days[-1], days=days, received=found.received[:1])
        number += 1
        month = Period.containing(Frequency.MONTH, dt.date(number // 12, number % 12 + 1, 1))
        last = max(at for at, day in enumerate(days) if day <= month.end)
        past.append((run, month.start, run.queue.pending[last].sum()))
    return past


def missed(runs, misses):
    """The runs, and outcomes of which the log was off by `misses`."""
    both = list(zip(runs, misses, strict=False))
    came = {("there", "can_tho", month): said * np.exp(off) for (_, month, said), off in both}
    return [run for (run, _, _), _ in both], came


def of_city(found, past, came, wanted=1.0):  # noqa: F811
    aim = goal("city", "there", "12/2026", value=wanted)
    rows = by_queue(found, CATALOG.model_copy(update={"targets": [aim]}), past, came)
    return rows.row(0, named=True)


def test_without_earlier_runs_no_chance_is_told(told):
    assert told["city"]["chance"] is None
    assert told["city"]["misses"] is None


def test_what_the_queue_missed_before_moves_and_widens_what_it_tells(found, runs):  # noqa: F811
    alone = of_city(found, [], {})
    never_off = of_city(found, *missed(runs, [0.0] * 12))
    always_high = of_city(found, *missed(runs, [0.1] * 12))
    now_and_then = of_city(found, *missed(runs, [0.1, -0.1] * 6))
    for name in ("expected", "lower", "upper"):
        assert never_off[name] == pytest.approx(alone[name], rel=0.01)
        assert always_high[name] == pytest.approx(alone[name] * np.exp(0.1), rel=0.01)
    assert now_and_then["misses"] == 12
    assert now_and_then["expected"] == pytest.approx(alone["expected"], rel=0.02)
    assert now_and_then["lower"] < alone["lower"] < alone["upper"] < now_and_then["upper"]


def test_few_misses_tell_nothing_of_the_next_one(found, runs):  # noqa: F811
    assert of_city(found, *missed(runs, [0.1, -0.1] * 3))["chance"] is not None
    assert of_city(found, *missed(runs, [0.1, -0.1, 0.1, -0.1, 0.1]))["chance"] is None


def test_a_chance_falls_as_more_is_asked(found, runs):  # noqa: F811
    past, came = missed(runs, [0.1, -0.1] * 6)
    asked = (1, 100, 200, 300, 400, 1000, 10**6)
    chances = [of_city(found, past, came, wanted)["chance"] for wanted in asked]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] == 1
    assert chances[-1] == 0


@pytest.mark.parametrize(
    ("until", "end", "months"),
    [
        (dt.date(2026, 10, 31), dt.date(2026, 12, 31), 2),
        (dt.date(2026, 11, 10), dt.date(2026, 12, 31), 2),
        (dt.date(2026, 12, 30), dt.date(2027, 1, 31), 2),
    ],
)
def test_a_month_begun_counts_as_a_month_ahead(until, end, months):
    assert months_ahead(until, end) == months


ENTRIES = """
- name: dossiers
  title: Hồ sơ
  sources: [{path: dossiers.csv}]
  clean: {areas: {level: commune, on: received}}
  schema:
    fields:
    - {name: area}
    - {name: category}
    - {name: received, type: date}
    - {name: due, type: date}
    - {name: finished, type: date}
  tables: [{name: cases, by: [area, category], measures: [{name: got, count: received}]}]
  indicators: [{name: got, title: Nhận, title_en: Received, value: got}]
"""
CASES = """area,received,due,finished,category
Phường Tân An,2026-08-03,2026-08-10,2026-08-12,quick
Phường Tân An,2026-08-20,2026-08-27,2026-09-15,quick
Phường Tân An,2026-08-25,2026-09-25,,slow
Phường Tân An,2026-09-06,2026-09-14,2026-09-10,quick
Phường Cái Khế,2026-10-01,2026-10-08,2026-10-05,quick
"""


def test_an_earlier_run_knows_cases_as_they_stood_and_what_came_until_its_end(refresh, found):  # noqa: F811
    with refresh(ENTRIES, dossiers_csv=CASES) as warehouse:
        run = earlier(warehouse, found, dt.date(2026, 8, 31), dt.date(2026, 9, 30))
    place = run.places["name"].to_list().index("Tân An")
    counts, left = run.pending
    assert counts.sum() == 2  # one was finished before, one after that day, one not yet
    assert counts[place].sum() == 2
    assert left.tolist() == [-2.0, 16.0]  # due 27 August and 25 September, seen from 3 September
    received = run.received[0, place].sum(axis=0)
    assert {day: n for day, n in zip(run.days, received, strict=True) if n} == {
        dt.date(2026, 9, 7): 1  # it came on a Sunday
    }
    assert run.received.sum() == 1
