"""What-ifs on the screen and in the command: words, ranges, links, and what is kept."""

import json
import re
import shutil
from datetime import date

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from dashboard import reader as reader_module
from dashboard.cli import main
from dashboard.commands.scenario import _change_said
from dashboard.notation import Notation
from dashboard.scenarios import amount, queue_rows, sentence, told
from dashboard.text import Text
from dashboard.views.scenarios import steps_of
from forecasts.decisions.levers import Setting
from forecasts.decisions.saved import kept
from forecasts.decisions.saved import save as keep
from forecasts.decisions.scenarios import Band
from forecasts.decisions.what_if_queue import Queued
from forecasts.decisions.what_if_queue import Told as WhatIf
from tests.dashboard.conftest import PATIENCE, TODAY
from tests.dashboard.test_pages import _markup, script


@pytest.fixture
def own_home(home, tmp_path):
    """A copy of the invented build, so that what is saved stays here."""
    return shutil.copytree(home, tmp_path / "state")


@pytest.fixture
def open_page(own_home, monkeypatch):
    monkeypatch.setenv("FORESIGHT_HOME", str(own_home))
    monkeypatch.setattr(reader_module, "today", lambda: TODAY)

    def run(**query: str) -> AppTest:
        test = AppTest.from_function(script, kwargs={"page": "scenarios"}, default_timeout=PATIENCE)
        for key, value in query.items():
            test.query_params[key] = value
        return test.run()

    return run


def _headers(test: AppTest) -> list[str]:
    return [header.value for header in test.header]


@pytest.mark.parametrize(
    ("lang", "begins"),
    [("vi", "Nếu Dân số +5% thì, theo giả định"), ("en", "If Population +5%, then, under the")],
)
def test_a_lever_in_the_address_is_moved_and_said(open_page, lang, begins):
    test = open_page(lang=lang, lever_population="5")
    assert not test.exception
    (said,) = [header for header in _headers(test) if header.startswith(begins)]
    assert "80%" in said
    assert "Bịa Đặt 12" in _markup(test)


def test_nothing_moved_shows_the_base_alone(open_page):
    test = open_page()
    assert not test.exception
    assert "Phương án gốc: chưa thay đổi gì" in _headers(test)
    assert not test.text_input


@pytest.mark.parametrize("value", ["11", "0.3", "many", "-99"])
def test_a_value_outside_the_range_in_the_address_is_not_taken(open_page, value):
    test = open_page(lever_population=value)
    assert not test.exception
    assert "Phương án gốc: chưa thay đổi gì" in _headers(test)


def test_every_scenario_says_that_it_is_no_forecast_and_what_is_assumed(open_page):
    shown = _markup(open_page(lever_population="5", lever_staff="-10"))
    assert "không phải dự báo" in shown
    assert "Dữ liệu mô phỏng" in shown
    assert "Giả định bịa" in shown
    assert "1 (0,7 … 1,2)" in shown


def test_a_decree_begins_in_its_month_in_its_field(open_page):
    test = open_page(lever_decree="50", since_decree="2027-03", field_decree="land")
    (said,) = [header for header in _headers(test) if header.startswith("Nếu")]
    assert "Chuyển thủ tục 50% (từ 3/2027, Đất đai)" in said
    assert "Thương mại" not in _markup(test).split("Lĩnh vực thay đổi")[-1].split("Khả năng")[0]


def test_targets_are_shown_before_and_after(open_page):
    shown = _markup(open_page(lever_population="10"))
    assert "Hồ sơ năm 2027" in shown
    assert "Dân số năm 2030" not in shown


def test_staff_alone_changes_no_commune_and_no_target(open_page):
    test = open_page(lever_staff="-20")
    assert "Việc cho mỗi giờ công, so với phương án gốc: khoảng +25%" in _markup(test).replace(
        "25,0", "25"
    )
    assert any(header.startswith("Không mục tiêu nào") for header in _headers(test))


def test_a_scenario_is_saved_and_its_address_shows_it_again(open_page, own_home):
    test = open_page(lever_population="5")
    test.text_input(key="keep_name").set_value("Tăng <b>dân</b>")
    test.text_input(key="keep_author").set_value("Phòng TH")
    test.text_area(key="keep_rationale").set_value("Khu công nghiệp")
    test.button[0].click().run()
    assert not test.exception
    (code,) = kept(own_home)[0]
    assert test.query_params["scenario"] in (code, [code])
    change = (Band(90, 100, 110), Band(120, 130, 140), Band(25, 30, 35))
    queue = WhatIf(date(2027, 2, 19), 103, *[change] * 4)
    saved = kept(own_home)[0][code].model_copy(update={"queue": queue})
    again = open_page(scenario=keep(own_home, saved))
    assert not again.exception
    shown = _markup(again)
    assert any(header.startswith("Khi lưu: hàng đợi") for header in _headers(again))
    assert "+25 … +35" in shown
    assert "Tăng &lt;b&gt;dân&lt;/b&gt;" in shown
    assert not any("dân</b>" in header for header in _headers(again))
    assert "Khu công nghiệp" in shown
    assert "<b>dân</b>" not in shown
    assert "lever_population=5" in shown
    assert not again.text_input


def test_without_an_author_nothing_is_saved_and_the_page_says_why(open_page, own_home):
    test = open_page(lever_population="5")
    test.text_input(key="keep_name").set_value("Tăng dân")
    test.button[0].click().run()
    assert not test.exception
    assert test.error[0].value.startswith("author")
    assert kept(own_home) == ({}, [])


@pytest.mark.parametrize(
    ("asked", "shown"), [("abcdefghij", "abcdefghij"), ("[x](https://example.vn)", "?")]
)
def test_a_link_to_a_scenario_that_is_not_kept_says_so(open_page, asked, shown):
    test = open_page(scenario=asked)
    assert not test.exception
    assert test.warning[0].value == f"Không lưu kịch bản nào có mã {shown}."


def test_two_scenarios_are_compared(open_page, own_home):
    save(own_home, "population=5")
    (code,) = kept(own_home)[0]
    shown = _markup(open_page(lever_population="2", against=code))
    assert "So với “Thử”" in shown


# --- words -------------------------------------------------------------------------------------


def test_a_sentence_says_if_and_under_the_assumptions(reader):
    text, notation = reader.text, reader.notation
    for value in (5.0, -5.0):
        outcome = reader.build.played((Setting("population", value),))
        levers = told(reader.build.catalog.scenarios, outcome.settings, {}, text, notation)
        said = sentence(outcome, levers, text, notation)
        assert re.match(r"(Nếu|If) ", said)
        assert "giả định" in said or "assumptions" in said


def test_a_slider_stops_at_the_ends_of_the_range_and_at_nothing(vietnamese):
    for lever in vietnamese.build.catalog.scenarios.levers:
        stops = [float(stop) for stop in steps_of(lever)]
        assert (stops[0], stops[-1]) == (lever.minimum, lever.maximum)
        assert 0 in stops


def test_amounts_have_the_sign_and_unit_of_their_lever(vietnamese):
    lever = vietnamese.build.catalog.scenarios.lever("population")
    assert amount(lever, -2.5, Text("vi"), Notation("vi")) == "−2,5%"
    points = lever.model_copy(update={"kind": "points"})
    assert amount(points, 10, Text("en"), Notation("en")) == "+10 pp"


# --- the command -------------------------------------------------------------------------------


def command(home, *words: str, lang: str = "en", as_json: bool = True):
    options = ["--home", str(home), "--today", TODAY.isoformat(), "--lang", lang]
    return CliRunner().invoke(main, [*options, *(["--json"] * as_json), "scenario", *words])


def save(home, *settings: str):
    words = ["--name", "Thử", "--author", "Phòng TH", "--rationale", "Vì thế"]
    return command(home, "save", *settings, *words)


def test_the_command_plays_what_the_page_plays(own_home):
    shown = command(own_home, "run", "population=5", "staff=-10")
    assert shown.exit_code == 0, (shown.output, shown.exception)
    found = json.loads(shown.output)
    low, middle, high = found["received"]["difference"]
    assert 0 < low < middle < high
    assert found["simulated"]
    assert found["settings"] == ["population=5", "staff=-10"]
    assert sum(one["base"] for one in found["communes"]) > 0
    assert found["targets"][0]["target"] == "received_2027"


def test_the_command_tells_a_sentence(own_home):
    shown = command(own_home, "run", "population=5", lang="vi", as_json=False)
    assert shown.exit_code == 0, (shown.output, shown.exception)
    assert shown.output.startswith("Nếu Dân số +5% thì")
    assert "Dữ liệu mô phỏng" in shown.output


def test_the_command_refuses_what_lies_outside_the_range(own_home):
    shown = command(own_home, "run", "population=11")
    assert shown.exit_code == 1
    assert "from -5 to 10" in shown.output


@pytest.mark.parametrize("words", [["run"], ["save", "--name", "A", "--author", "B"]])
def test_the_command_refuses_a_month_that_is_past(own_home, words):
    more = ["--rationale", "Vì thế"] * (words[0] == "save")
    shown = command(own_home, *words, *more, "population=5@2020-01")
    assert shown.exit_code == 1
    assert "population is moved in a month that is past" in shown.output


def test_the_command_names_places_and_states_what_is_assumed(own_home):
    told = command(own_home, "run", "population=5", lang="vi", as_json=False).output
    assert "phường Bịa Đặt 1" in told
    assert "Dân số" in told
    assert Text("vi")("scenarios.reason") in told


def test_a_scenario_saved_by_the_command_is_listed_shown_and_compared(own_home):
    code = json.loads(save(own_home, "population=5").output)["scenario"]
    other = json.loads(save(own_home, "population=2").output)["scenario"]
    listed = json.loads(command(own_home, "list").output)
    assert {one["scenario"] for one in listed["saved"]} == {code, other}
    assert {one["lever"] for one in listed["levers"]} == {"population", "staff", "decree"}
    shown = json.loads(command(own_home, "show", code).output)
    assert shown["rationale"] == "Vì thế"
    compared = json.loads(command(own_home, "compare", code, other).output)
    assert compared["difference"][1] > 0


def test_the_queue_is_told_with_base_scenario_and_difference():
    few, many, more = Band(90, 100, 110), Band(120, 130, 140), Band(25, 30, 35)
    found = Queued(date(2027, 2, 19), 103, *[(few, many, more)] * 4, {})
    for lang in ("vi", "en"):
        rows = queue_rows(found, Text(lang))
        assert [change for _, change in rows] == [(few, many, more)] * 4
        assert rows[3][0].endswith("103")
        assert _change_said(found.pending, Notation(lang)) == ["100", "130", "+30 (+25 … +35)"]


def test_dossiers_and_offices_of_the_queue_are_whole_and_shares_have_two_decimals():
    hardly = (Band(0, 0.4, 0.6), Band(0, 0.45, 0.6), Band(0, 0.0587, 0.6))
    found = Queued(date(2027, 2, 19), 103, *[hardly] * 4, {})
    said = [_change_said(change, Notation("en"))[-1] for _, change in queue_rows(found, Text("en"))]
    assert said == ["0 (0 … +1)"] * 2 + ["+0.06 (0 … +0.6)", "0 (0 … +1)"]
