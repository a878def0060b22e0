"""The index of Decision 766: what is known gets points, what is not is left out, never zero."""

import pytest

from dashboard.published import CITY
from dashboard.scorecard import criteria, on_time, online, scorecard

MONTH = {
    "applications_resolved": 800.0,
    "applications_on_time_share": 95.0,
    "applications_pending": 200.0,
    "applications_overdue": 40.0,
    "applications_online_share": 40.0,
}


def test_the_criteria_have_a_hundred_points_in_six_groups():
    assert sum(one["points"] or 0 for one in criteria()) == 100
    assert len({one["group"] for one in criteria()}) == 6
    assert all(one["title_en"] and one["source_url"] for one in criteria())


def test_pending_dossiers_not_yet_due_count_as_good():
    assert on_time(MONTH).value == pytest.approx((760 + 160) / 1000)


def test_without_dossiers_the_criterion_is_not_applicable():
    assert on_time(MONTH | {"applications_resolved": 0.0, "applications_pending": 0.0,
                            "applications_overdue": 0.0}).value is None  # fmt: skip


@pytest.mark.parametrize("missing", MONTH)
def test_a_ratio_of_which_a_figure_is_missing_is_not_known(missing):
    rest = {name: value for name, value in MONTH.items() if name != missing}
    assert on_time(rest) is None or online(rest) is None


def test_points_are_over_the_points_applicable_and_unknown_is_not_zero(vietnamese):
    found = scorecard(vietnamese, CITY)
    by_number = {one.criterion["number"]: one for one in found.criteria}
    assert (by_number[5].state, by_number[5].applicable) == ("scored", 20)
    assert (by_number[6].state, by_number[6].applicable) == ("partly", 6)
    assert by_number[10].state == "followed"
    assert (by_number[21].state, by_number[21].points) == ("unknown", None)
    assert found.applicable == 26
    assert found.points == by_number[5].points + 6


def test_a_place_without_figures_has_no_points_at_all(vietnamese):
    found = scorecard(vietnamese, "nowhere")
    assert (found.month, found.applicable) == (None, 0)
    assert {one.state for one in found.criteria} == {"unknown", "followed"}
