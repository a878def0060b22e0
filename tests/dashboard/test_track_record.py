"""The record in words: one sentence in both languages, and silence where it is too early."""

import json

import polars as pl
import pytest
from click.testing import CliRunner

from dashboard.cli import main
from dashboard.text import Text
from dashboard.track_record import alert_words, chances_sentence, sentence, told
from etl.catalog import parse_catalog
from etl.warehouse import Warehouse
from forecasts.decisions.reliability import Reliability
from forecasts.drift import Alert
from forecasts.track_record import Recent
from tests.dashboard.conftest import TODAY
from tests.dashboard.invented import CATALOG

NINE = Recent(outcomes=12, inside=9, miss=0.062, periods=12)


def test_nine_of_the_last_twelve_months():
    assert sentence(Text("vi"), NINE, "month") == (
        "9 trong 12 tháng gần nhất nằm trong khoảng 80% đã đưa ra trước đó; sai lệch thường gặp 6%."
    )
    assert sentence(Text("en"), NINE, "month") == (
        "9 of the last 12 months fell inside the 80% band we gave before; typical miss 6%."
    )


def test_figures_of_any_kind_are_told_with_what_would_be_right():
    assert sentence(Text("en"), NINE) == (
        "9 of the 12 newest outcomes fell inside the 80% band we gave before "
        "(10 or so would be right); typical miss 6%."
    )


def test_of_a_replay_nobody_says_that_it_was_given():
    assert "would have given" in sentence(Text("en"), NINE, replayed=True)
    assert "would have given" in sentence(Text("en"), NINE, "month", replayed=True)
    assert "issued" not in sentence(Text("en"), Recent(outcomes=2), replayed=True)


def test_under_six_outcomes_only_what_is_missing_is_said():
    assert sentence(Text("en"), Recent(outcomes=2)) == (
        "Too early to say how good issued forecasts are: outcomes to compare so far: 2; "
        "6 are needed, 4 are missing."
    )
    assert "9 trong" not in sentence(Text("vi"), Recent(outcomes=2))


def test_where_every_outcome_is_zero_no_miss_is_told():
    assert "miss" not in sentence(Text("en"), Recent(outcomes=8, inside=8))


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("kind", ["too_narrow", "too_wide", "too_low", "too_high"])
def test_every_alert_has_words_with_its_chance_to_be_false(kind, lang):
    nominal = 0.8 if kind in ("too_narrow", "too_wide") else None
    rate = 0.05 if nominal else 1 / 465
    alert = Alert(
        kind, "visitors", "city", "month", simulated=False, since=TODAY, until=TODAY,
        nominal=nominal, seen=0.4, outcomes=24, false_rate=rate,
    )  # fmt: skip
    words = alert_words(Text(lang), alert, "Khách")
    assert words.startswith("Khách (")
    assert ("5%" if nominal else "465") in words


def test_real_and_simulated_scores_are_parts_of_their_own(home):
    with Warehouse.open(home) as warehouse:
        issued, simulated = told(warehouse, parse_catalog(CATALOG), "en")
    assert (issued.name, simulated.name) == ("issued", "simulated")
    assert "outcomes to compare so far: 5;" in issued.sentence
    assert simulated.sentence.startswith("9 of the 12 newest outcomes")
    assert issued.content["recent"]["outcomes"] == 5
    assert {row["outcomes"] for row in simulated.content["by_horizon"]} == {12}
    assert [one["sentence"][:23] for one in simulated.content["series"]] == [
        "9 of the last 12 months"
    ]
    assert issued.content["series"] == []
    assert issued.chances == (
        "Chances of targets: 0 have an outcome so far; nothing is said of them under 6."
    )


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_chances_of_targets_are_told_with_their_score(lang):
    table = pl.DataFrame({"tenths": [8], "points": [6], "chance": [0.8], "reached": [1.0]})
    said = chances_sentence(Text(lang), Reliability(6, 0.04, table))
    assert ("0.04" if lang == "en" else "0,04") in said


def run(home, *arguments: str):
    return CliRunner().invoke(main, ["--home", str(home), *arguments])


def test_the_command_prints_the_record_in_either_language(home):
    shown = run(home, "--lang", "vi", "track-record")
    assert shown.exit_code == 0, shown.output
    assert "còn thiếu 1" in shown.output
    assert "Kiểm thử phần mềm trên chuỗi mô phỏng" in shown.output
    assert "75%" in shown.output
    machine = json.loads(run(home, "--json", "track-record", "--against", "first").output)
    assert list(machine) == ["issued", "simulated"]
    assert machine["issued"]["against"] == "first"
    assert machine["simulated"]["by_horizon"][0]["coverage_80"] == 0.75


def test_the_register_is_exported(home):
    entries = json.loads(run(home, "--json", "models").output)
    assert {"model", "purpose", "weaknesses", "decision", "owner", "entered"} <= entries[0].keys()
    assert "shared_level" in run(home, "--lang", "en", "models").output
