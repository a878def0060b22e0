"""The first screen: at most five things, worst first, each in one sentence of at most 25 words."""

import datetime as dt
from html import escape
from urllib.parse import parse_qsl, urlsplit

import polars as pl
import pytest

from dashboard import five_things
from dashboard.five_things import (
    MARKS,
    MOST,
    STATES,
    Thing,
    address,
    late_sentence,
    of_the_work,
    page_of_work,
    surprise_sentence,
    surprises,
    target_sentence,
    unjudged,
    within,
)
from dashboard.text import words
from etl.catalog import parse_catalog
from forecasts.decisions.targets import Figure
from tests.conftest import ROOT
from tests.dashboard.invented import CATALOG
from tests.dashboard.test_pages import _markup, open_page  # noqa: F401
from tests.dashboard.test_targets import LONG, MOST_WORDS, forecast, judged

MONTHS = [dt.date(2026, month, 1) for month in range(5, 11)]


def outcomes(*observed: float) -> pl.DataFrame:
    """Outcomes of successive months; the 80 % band given was 90-110, that of 95 % 80-120."""
    months = MONTHS[-len(observed) :]
    return pl.DataFrame({"period": months, "observed": observed}).with_columns(
        period_end=pl.col("period").dt.month_end(), indicator=pl.lit("retail"),
        area=pl.lit("can_tho"), frequency=pl.lit("month"), simulated=pl.lit(False),
        low_95=80.0, low_80=90.0, high_80=110.0, high_95=120.0,
        title=pl.lit("Bán lẻ"), title_en=pl.lit("Retail"), unit=pl.lit("nghìn đồng/người/tháng"),
        unit_en=pl.lit("thousand VND a head a month"), decimals=0,
    )  # fmt: skip


def test_one_outcome_outside_80_percent_is_chance():
    assert surprises(outcomes(100, 100, 115)) == []


def test_one_outcome_outside_95_percent_is_a_surprise():
    (found,) = surprises(outcomes(100, 100, 125))
    assert (found["side"], found["run"], found["since"]) == (1, 1, dt.date(2026, 10, 1))


def test_outcomes_that_keep_lying_on_one_side_are_told_since_the_first_of_them():
    (found,) = surprises(outcomes(115, 100, 85, 85, 85))
    assert (found["side"], found["run"], found["since"]) == (-1, 3, dt.date(2026, 8, 1))


def test_outcomes_outside_on_either_side_in_turn_are_no_run():
    assert surprises(outcomes(115, 85)) == []


def test_what_was_a_surprise_once_and_came_back_is_not_told():
    assert surprises(outcomes(130, 130, 100)) == []


@pytest.mark.parametrize("observed", [(125,), (75,), (115, 115), (85, 85, 85)])
@pytest.mark.parametrize("unit", ["hồ sơ", "nghìn đồng/người/tháng tính theo giá hiện hành"])
def test_a_surprise_is_told_with_its_band_and_since_when(reader, observed, unit):
    (found,) = surprises(outcomes(*observed))
    said = surprise_sentence(reader, found | {"unit": unit, "unit_en": unit})
    assert len(said.split()) <= MOST_WORDS, said
    assert {"vi": "10/2026", "en": "Oct 2026"}[reader.lang] in said
    assert ("90–110" if len(observed) > 1 else "80–120") in said


@pytest.mark.parametrize("others", [0, 7])
@pytest.mark.parametrize("frequency", ["month", "quarter", "span", "year"])
def test_a_late_figure_is_told_with_its_age_and_when_the_next_was_due(reader, frequency, others):
    row = {
        "frequency": frequency,
        "period": dt.date(2024, 1, 1),
        "period_end": dt.date(2024, 9, 30),
    }
    said = late_sentence(reader, row, others)
    assert len(said.split()) <= MOST_WORDS, said


@pytest.mark.parametrize("unit", ["%", LONG])
@pytest.mark.parametrize("chance", [0.02, 0.6])
def test_a_target_at_risk_is_told_from_its_newest_figure(reader, unit, chance):
    newest = Figure(47.24, "year", dt.date(2024, 1, 1), dt.date(2024, 12, 31), "", None, None)
    one = judged(forecast(chance), unit=unit)
    said = target_sentence(reader, type(one)(**(one.__dict__ | {"newest": newest})))
    assert len(said.split()) <= MOST_WORDS, said
    assert {"vi": "Năm 2024: 47,24", "en": "2024: 47.24"}[reader.lang] in said


def test_the_fullest_wording_that_fits_is_taken():
    assert within("w " * 26, "short") == "short"
    assert within("w " * 25, "short") == "w " * 25


def test_states_have_shapes_of_their_own():
    assert len({MARKS[state] for state in STATES}) == len(STATES)


def test_red_comes_first_and_there_are_five_at_most(reader, monkeypatch):
    def made(state):
        return lambda _: [Thing(state, "", state, "", "") for _ in range(3)]

    for name, state in (
        ("_late", "late"), ("_outside", "outside"), ("_missed", "missed"), ("_targets", "at_risk"),
    ):  # fmt: skip
        monkeypatch.setattr(five_things, name, made(state))
    found = [thing.state for thing in five_things.five_things(reader)]
    assert found == ["at_risk"] * 3 + ["missed"] * 2
    assert len(found) == MOST


def test_what_rests_on_simulated_figures_stands_last_and_says_so(reader):
    *real, made = five_things.five_things(reader)
    assert [(thing.state, thing.simulated) for thing in real] == [
        ("missed", False),
        ("late", False),
    ]
    assert (made.state, made.simulated) == ("off_course", True)
    assert made.sentence.startswith({"vi": "(Mô phỏng) ", "en": "(Simulated) "}[reader.lang])


def test_a_simulated_figure_never_takes_the_place_of_a_real_one_or_stands_unlabelled(
    reader, monkeypatch
):
    def made(_):
        real = [Thing("at_risk", "", "", "w " * 25, "") for _ in range(3)]
        short = [Thing("off_course", "", "", "w " * 20, "", simulated=True) for _ in range(3)]
        long = [Thing("off_course", "", "", "w " * 25, "", simulated=True)]
        return [*long, *short, *real]

    for name in ("_missed", "_outside", "_late"):
        monkeypatch.setattr(five_things, name, lambda _: [])
    monkeypatch.setattr(five_things, "_targets", made)
    found = five_things.five_things(reader)
    assert [thing.simulated for thing in found] == [False] * 3 + [True] * 2
    label = reader.text("five.simulated", said="").split()[0]
    assert all(label in thing.sentence for thing in found[3:])
    assert all(len(thing.sentence.split()) <= MOST_WORDS for thing in found)


def test_a_missed_plan_is_told_once_with_the_standing_of_its_figure(reader):
    found = five_things.five_things(reader)
    assert [thing.state for thing in found] == ["missed", "late", "off_course"]
    assert (
        found[0].sentence
        == {
            "vi": "Năm 2025 đạt 7,23%; mục tiêu 10%: không đạt; số sơ bộ, công bố 10/01/2026.",
            "en": "2025 came to 7.23%; the target of 10% was missed; "
            "preliminary figure, published 10 Jan 2026.",
        }[reader.lang]
    )
    assert all(len(thing.sentence.split()) <= MOST_WORDS for thing in found)


def test_what_cannot_be_judged_stands_apart_with_why(reader):
    found = unjudged(reader)
    assert (found.count, found.all) == (1, 2)
    assert len(found.sentence.split()) <= MOST_WORDS


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_every_reason_why_a_target_cannot_be_judged_has_short_words(lang):
    def reasons(group):
        return {key.split(".")[1] for key in words(lang) if key.startswith(group)}

    assert reasons("unjudged_short.") == reasons("unjudged.") - {"so_far"}


def test_an_address_keeps_the_language_and_the_state(reader):
    lang = {"vi": "", "en": "&lang=en"}[reader.lang]
    assert address(reader, "indicators", indicator="growth") == f"indicators?indicator=growth{lang}"


def test_a_figure_of_the_work_opens_at_its_own_chart(vietnamese):
    opened = page_of_work(vietnamese, "applications_overdue")
    assert opened == "workload?figure=applications_overdue"
    assert page_of_work(vietnamese, "applications_received") == "workload"


def test_every_link_of_the_five_things_opens_a_page_that_shows_the_thing(vietnamese, open_page):  # noqa: F811
    found = five_things.five_things(vietnamese)
    assert {thing.simulated for thing in found} == {True, False}
    for thing in found:
        page = urlsplit(thing.address)
        query = dict(parse_qsl(page.query))
        opened = open_page(page.path, **query)
        assert not opened.exception
        if "indicator" in query:
            assert opened.selectbox(key="indicator").value == query["indicator"]
        else:
            assert escape(thing.title) in _markup(opened)


def test_a_target_on_simulated_figures_is_not_linked_to_the_page_of_real_ones(open_page):  # noqa: F811
    shown = _markup(open_page("targets"))
    assert 'href="indicators?indicator=growth"' in shown
    assert "Hồ sơ năm 2027" in shown
    assert "indicator=applications_received" not in shown


def test_what_the_dossiers_and_the_staff_give_is_on_the_page_of_the_work():
    catalog = parse_catalog((ROOT / "data_catalog.yaml").read_text(encoding="utf-8"))
    assert of_the_work(catalog, "applications_received")
    assert of_the_work(catalog, "one_stop_people")
    assert not of_the_work(catalog, "grdp_growth")
    assert not of_the_work(parse_catalog(CATALOG), "applications_received")


def test_one_tap_on_the_first_screen_opens_the_indicator(open_page):  # noqa: F811
    shown = _markup(open_page("overview"))
    assert 'href="indicators?indicator=growth"' in shown
    assert "✕ Không đạt" in shown
    assert "○ 1 trong 2 mục tiêu chưa đánh giá được" in shown
    assert shown.index("✕ Không đạt") < shown.index("△ Số liệu trễ") < shown.index("○ 1 trong 2")
    opened = open_page("indicators", indicator="growth")
    assert opened.selectbox(key="indicator").value == "growth"
