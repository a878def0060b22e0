"""What the queue comes to beside targets for stocks and for the share resolved on time."""

import datetime as dt

import numpy as np
import pytest

from etl.catalog import Baseline, Target
from forecasts.decisions.queue_targets import by_queue
from tests.forecasts.decisions.test_what_if_queue import CATALOG, found  # noqa: F401


def goal(name: str, indicator: str, by: str, measure: str = "level", **given) -> Target:
    baseline = Baseline(plan="demo", value=1, document="Giả định")
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
