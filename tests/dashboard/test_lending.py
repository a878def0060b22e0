"""What is said of a plan to lend people."""

from dataclasses import replace

from dashboard.lending import verdict
from dashboard.notation import Notation
from dashboard.text import Text
from forecasts.decisions.staffing import Move, Plan, Range

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
    assert "in 8 of 10 cases, 19.7 in the mean: within noise" in said


def test_a_gain_that_is_no_noise_comes_with_its_range():
    gain = replace(PLAN, saved=Range(12, 8, 15), helps=0.9, within_noise=False)
    assert "keeps 12 (8–15) dossiers" in verdict(gain, Text("en"), Notation("en"))
