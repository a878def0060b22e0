"""What is said of targets: every sentence short, every state by word and shape, sources at hand."""

import datetime as dt
import json
from dataclasses import replace

import polars as pl
import pytest
from click.testing import CliRunner
from conftest import HEAD

from dashboard.cli import main
from dashboard.notation import Notation
from dashboard.targets import (
    SHAPES,
    chance_words,
    labelled,
    most_at_risk,
    sentence,
    state_name,
    sums,
)
from dashboard.text import Text
from dashboard.views.targets import by_reason
from etl.bodies import Bodies
from etl.catalog import Baseline, Target
from forecasts.decisions.arithmetic import Arithmetic
from forecasts.decisions.pace import Pace, pace
from forecasts.decisions.targets import STATES, Judged, Verdict
from tests.dashboard.conftest import PATIENCE, TODAY
from tests.dashboard.test_pages import _markup, open_page, script  # noqa: F401

MOST_WORDS = 25
LONG = "triệu đồng/người"
AT = Baseline(plan="congress", value=95, document="Văn kiện")
PAST = [
    (year, month, value)
    for year, november, december in ((2022, 50, 67), (2023, 56, 74), (2024, 60, 77))
    for month, value in ((11, november), (12, december))
]
NOVEMBER = pace(
    pl.DataFrame([*PAST, (2025, 11, 41)], schema=["year", "month", "cumulative"], orient="row"),
    2025,
    95,
)


def judged(verdict: Verdict, *, unit: str = "%", bodies: Bodies | None = None, **given) -> Judged:
    words = {"name": "t", "title": "Đích", "title_en": "Goal", "by": "2030", "owner": "UBND"}
    sums = given.pop("sums", None)
    target = Target(**(words | given), baselines=[AT])
    return Judged(
        target, "Đích", "Goal", unit, "million VND a head" if unit == LONG else unit, 2,
        (verdict,), None, sums, bodies, stand_in=False, simulated=False,
    )  # fmt: skip


def forecast(chance: float) -> Verdict:
    return Verdict(AT, "at_risk", chance=chance, expected=1234.5, lower=1100.0, upper=1400.0)


def paced(chance: float) -> Verdict:
    return Verdict(AT, "off_course", chance=chance, lower=52.0, upper=57.0, pace=NOVEMBER)


def unknown(reason: str, **given) -> Verdict:
    return Verdict(AT, "unknown", reason, **given)


HALF = Bodies(115, ("a", "b"))
SAID = {
    "forecast": judged(forecast(0.6), unit=LONG),
    "forecast at most": judged(forecast(0.01), unit=LONG, direction="at_most"),
    "mean growth": judged(forecast(0.6), by="2026-2030", measure="growth"),
    "pace": judged(paced(0.3), by="2025", measure="cumulative"),
    "pace, certain": judged(
        Verdict(
            AT,
            "on_course",
            chance=1.0,
            lower=60.0,
            upper=70.0,
            pace=Pace(2025, 40, 11, 41, 3, 60, 70, 1.0, 0.0),
        ),
        measure="cumulative",
    ),
    "pace at most": judged(paced(0.3), measure="cumulative", direction="at_most"),
    "settled": judged(Verdict(AT, "off_course", expected=7.23, settled=True), by="2025", unit=LONG),
    "settled, met": judged(Verdict(AT, "on_course", expected=99, settled=True), unit=LONG),
    "counted": judged(Verdict(AT, "on_course", expected=100), bodies=HALF),
    "no_indicator": judged(unknown("no_indicator")),
    "no_figures": judged(unknown("no_figures")),
    "not_forecast": judged(unknown("not_forecast")),
    "refused": judged(unknown("refused", detail="too_many_gaps")),
    "horizon": judged(unknown("horizon", until=dt.date(2027, 12, 31))),
    "gap": judged(
        unknown("gap", until=dt.date(2014, 12, 31)), sums=Arithmetic(False, 26_685, 2025, 16.4)
    ),
    "growth published": judged(
        Verdict(
            AT, "off_course", chance=0.01, expected=6.23, lower=5.0, upper=7.4, grown=(2011, 2025)
        ),
        by="2026-2030",
        measure="growth",
    ),
    "no_months": judged(unknown("no_months", pace=Pace(2026, 95, reason="no_months"))),
    "few_years": judged(unknown("few_years", pace=Pace(2026, 95, 10, 41, 2, reason="few_years"))),
    "nothing_yet": judged(
        unknown("nothing_yet", pace=Pace(2026, 95, 1, 0, 8, reason="nothing_yet"))
    ),
    "one_reading": judged(unknown("one_reading"), bodies=HALF),
    "no_outcome": judged(unknown("no_outcome")),
    "so_far": judged(unknown("no_outcome", pace=Pace(2025, 95, 11, 41, 0, reason="few_years"))),
}


@pytest.mark.parametrize("case", SAID)
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_sentence_is_whole_and_has_at_most_25_words(case, lang):
    one = SAID[case]
    said = sentence(one, one.verdict, Text(lang), Notation(lang))
    assert said.endswith(".")
    assert "{" not in said
    assert len(said.split()) <= MOST_WORDS, said


def test_the_pace_of_past_years_is_told_in_one_sentence():
    one = judged(
        Verdict(
            AT,
            "off_course",
            chance=NOVEMBER.chance,
            lower=NOVEMBER.lower,
            upper=NOVEMBER.upper,
            pace=NOVEMBER,
        ),
        measure="cumulative",
    )
    told = {lang: sentence(one, one.verdict, Text(lang), Notation(lang)) for lang in ("vi", "en")}
    assert told["vi"] == (
        "Đạt 41% đến hết tháng 11; các năm trước từ đó lên 53–55%; "
        "khả năng đạt 95%: dưới 1/20; cần gấp 3,2 lần thường lệ."
    )
    assert told["en"] == (
        "41% by end Nov; past years went on to 53–55%; "
        "chance of 95%: under 1 in 20; needed: 3.2 times the usual pace."
    )


def test_an_amount_is_told_as_a_share_of_what_is_to_be_reached():
    money = judged(
        unknown("few_years", pace=Pace(2026, 19200, 1, 578, 0, reason="few_years")),
        unit="tỷ đồng",
        measure="cumulative",
    )
    assert sentence(money, money.verdict, Text("en"), Notation("en")).startswith("3% by end Jan;")


def test_those_most_at_risk_are_judged_and_real_ones_lead():
    likely, hardly = judged(forecast(0.6), name="likely"), judged(forecast(0.1), name="hardly")
    made = replace(judged(forecast(0.0), name="made"), simulated=True)
    over = judged(Verdict(AT, "off_course", chance=0.0, settled=True), name="over")
    found = most_at_risk([likely, judged(unknown("no_figures")), made, over, hardly], 3)
    assert [one.target.name for one in found] == ["hardly", "likely", "made"]
    assert labelled(made, Text("vi"), Notation("vi")).startswith("(Mô phỏng) ")


@pytest.mark.parametrize(
    ("chance", "vi", "en"),
    [(0.62, "khoảng 6/10", "about 6 in 10"), (0.02, "dưới 1/20", "under 1 in 20"),
     (0.99, "trên 19/20", "over 19 in 20"), (0.06, "khoảng 1/10", "about 1 in 10")],
)  # fmt: skip
def test_a_chance_is_told_in_tenths(chance, vi, en):
    assert (chance_words(chance, Text("vi")), chance_words(chance, Text("en"))) == (vi, en)


def test_every_state_has_a_word_and_a_shape_of_its_own():
    assert len({SHAPES[state] for state in STATES}) == len(STATES)
    names = {state_name(Verdict(AT, state), Text("vi")) for state in STATES}
    assert len(names) == len(STATES)
    assert state_name(Verdict(AT, "off_course", settled=True), Text("vi")) == "Không đạt"


def test_the_arithmetic_stands_beside_the_target():
    nominal = Arithmetic(False, 306_000, 2025, 18.566, 10.951, 2020, real=10.0, deflator=7.787)
    one = judged(unknown("refused", detail="too_short"), unit="tỷ đồng")
    with_sums = Judged(**(one.__dict__ | {"arithmetic": nominal}))
    assert sums(with_sums, Text("en"), Notation("en")) == (
        "Needs 18.6% a year, from 306,000 tỷ đồng in 2025. 2020–2025: 11.0% a year. "
        "With real growth of 10% a year, prices would have to rise by about 7.8% a year."
    )
    there = Arithmetic(True, 45.67, 2025, -0.1, there=True)
    held = Judged(
        **(judged(unknown("refused", detail="too_short")).__dict__ | {"arithmetic": there})
    )
    assert sums(held, Text("en"), Notation("en")) == "2025 was where it has to be already: 45.67%."
    record = Arithmetic(True, 7.23, 2025, 10, record=7.41, record_year=2024)
    beside = Judged(**(one.__dict__ | {"arithmetic": record}))
    assert sums(beside, Text("vi"), Notation("vi")) == "Năm tốt nhất đã công bố: 7,41% (2024)."


def test_the_page_shows_states_sentences_baselines_and_documents(open_page):  # noqa: F811
    shown = _markup(open_page("targets"))
    assert "▼ Không đạt" in shown
    assert "○ Chưa đánh giá được" in shown
    assert "Năm 2025 đạt 7,23%; mục tiêu 10%: không đạt." in shown
    assert 'href="https://example.vn/nq"' in shown
    assert "đơn vị tự báo cáo" in shown
    # What cannot be judged stands apart, after what can.
    assert shown.index("Tăng trưởng năm 2025") < shown.index("Dân số năm 2030")
    assert "không quá 3.300 nghìn người" in shown
    assert "không quá 3.350 nghìn người" in shown


def test_those_that_cannot_be_judged_fold_behind_the_reason_they_share(open_page):  # noqa: F811
    found = [judged(unknown(reason)) for reason in ("gap", "refused", "refused")]
    assert [(why, len(group)) for why, group in by_reason(found)] == [("refused", 2), ("gap", 1)]
    shown = _markup(open_page("targets"))
    fold = shown[shown.index('<details class="cf-fold">') :]
    assert "○ 1 mục tiêu: " in fold
    # Which they are is told without opening it.
    assert fold.index("<small>Dân số năm 2030") < fold.index("</summary>")


def test_the_command_prints_what_the_page_says(home):
    options = ["--home", str(home), "--today", TODAY.isoformat()]
    shown = CliRunner().invoke(main, [*options, "--lang", "vi", "--json", "targets"])
    assert shown.exit_code == 0, shown.output
    (last,) = [one for one in json.loads(shown.output) if one["target"] == "growth_2025"]
    assert (last["state"], last["settled"]) == ("off_course", True)
    assert last["sentence"] == "Năm 2025 đạt 7,23%; mục tiêu 10%: không đạt."
    assert last["baselines"][0]["url"] == "https://example.vn/nq"
    table = CliRunner().invoke(main, [*options, "--lang", "en", "targets"])
    assert "Growth in 2025" in " ".join(table.output.split())


def test_without_targets_the_page_says_so(tmp_path, monkeypatch):
    from streamlit.testing.v1 import AppTest

    from etl.warehouse import Warehouse

    with Warehouse.build(tmp_path) as warehouse:
        facts = {"name": ["today", "catalog"], "value": ["2026-11-22", f"{HEAD} []\n"]}
        warehouse.write("build_fact", pl.DataFrame(facts))
    monkeypatch.setenv("FORESIGHT_HOME", str(tmp_path))
    test = AppTest.from_function(script, kwargs={"page": "targets"}, default_timeout=PATIENCE).run()
    assert not test.exception
    assert test.header[0].value == "Danh mục chưa có mục tiêu nào."


FIGURES = """
- name: figures
  title: Số liệu
  sources: [{path: figures.csv}]
  clean: {areas: {level: city}}
  schema:
    fields: [{name: area}, {name: period, type: year}, {name: value, type: number}]
  indicators: [{name: growth, title: Tăng, title_en: Growth, unit: "%", aggregate: rate}]
  forecast: {frequency: year, horizon: 3, grains: [city]}
targets:
- name: growth_2025
  title: Tăng trưởng
  title_en: Growth
  indicator: growth
  by: "2025"
  owner: UBND
  baselines: [{plan: congress, value: 8, document: Văn kiện}]
"""


def test_a_plan_names_the_targets_whose_state_would_change(refresh, installation):
    header = "area,period,value\n"
    refresh(FIGURES, figures_csv=f"{header}can_tho,2025,8.3\n").close()
    table = installation.catalog.parent / "figures.csv"
    table.write_text(f"{header}can_tho,2025,7.23\n", encoding="utf-8")
    options = ["--home", str(installation.home), "--catalog", str(installation.catalog)]
    shown = CliRunner().invoke(main, [*options, "--today", "2026-11-22", "--json", "plan"])
    assert shown.exit_code == 0, (shown.output, shown.exception)
    moved = json.loads(shown.output)["targets whose state would change"]
    assert moved == [{"target": "growth_2025", "before": "on_course", "after": "off_course"}]
