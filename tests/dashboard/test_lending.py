"""What is said of a plan to lend people."""

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from dashboard.lending import caveats, changes_said, verdict
from dashboard.notation import Notation
from dashboard.text import Text
from etl.catalog import Minutes, Workload
from forecasts.decisions.staffing import Change, Move, Plan, Range

RARE = Range(mean=19.7, lower=0, upper=0)
"""Most paths gain nothing; the mean lives of a few."""
PLAN = Plan(
    asked=10,
    window="quarter",
    moves=(Move("31120", "31153", 1, 4.0),),
    changes=(),
    before=RARE,
    after=RARE,
    saved=RARE,
    helps=0.01,
    within_noise=True,
)


def test_a_gain_that_only_rare_paths_have_is_not_told_as_if_it_were_usual():
    said = verdict(PLAN, Text("en"), Notation("en"))
    assert "0–0 dossiers" in said
    assert "in 8 of 10 cases, 19.7 in the mean: within the error" in said


def test_a_gain_that_is_no_noise_comes_with_its_range():
    gain = replace(PLAN, saved=Range(12, 8, 15), helps=0.9, within_noise=False)
    assert "keeps 12 (8–15) dossiers" in verdict(gain, Text("en"), Notation("en"))


def test_a_mean_that_lies_outside_its_range_is_explained_once_and_only_then():
    usual = Range(mean=60, lower=42, upper=70)
    calm = Change("31120", 6, 1, usual, usual, 0.1, 0.0)
    heavy = replace(calm, before=Range(mean=90, lower=42, upper=70))
    text, names = Text("en"), {"31120": "Cái Khế"}
    first, second = (
        changes_said(replace(PLAN, changes=changes), names, text, Notation("en"))
        for changes in ((calm,), (heavy, heavy, calm))
    )
    assert len(first) == 1
    assert len(second) == 4
    assert second[-1].startswith("A mean outside its 80% range")


def test_a_plan_for_nobody_proposes_nothing_and_weighs_nothing():
    said = verdict(replace(PLAN, asked=0, moves=()), Text("en"), Notation("en"))
    assert said == "Nobody is asked for; this is what comes as things are."


@dataclass(frozen=True)
class Rests:
    """What the work ahead rests on."""

    last: date
    today: date = date(2026, 11, 22)
    until: date = date(2026, 10, 31)
    times: float = 1.0
    asked: Workload = field(
        default_factory=lambda: Workload(
            cases="c", received="r", staff="s", hours=8, on_dossiers=0.75, source="x",
            minutes=[Minutes(category="land", minutes=30, source="x")],
        )
    )  # fmt: skip
    told: np.ndarray = field(default_factory=lambda: np.array([True]))
    untold: tuple[str, ...] = ()
    without_forecast: int = 0
    simulated: bool = False


def test_a_quarter_cut_short_by_its_forecasts_says_where_they_end():
    cut, whole = (
        caveats(Rests(last=day), Text("en"), Notation("en"))
        for day in (date(2026, 12, 31), date(2027, 2, 20))
    )
    assert "The forecasts end on 31 Dec 2026" in cut[1]
    assert len(whole) == len(cut) - 1
