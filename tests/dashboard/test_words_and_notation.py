"""Words exist in both languages and are used; figures are written as each language writes them."""

import datetime as dt
import re
from pathlib import Path

import pytest

import dashboard
from dashboard.freshness import age, stale
from dashboard.notation import Notation, significant
from dashboard.text import Text, words

VI, EN = Notation("vi"), Notation("en")
SOURCE = Path(dashboard.__file__).parent
JANUARY = dt.date(2026, 1, 1)


def _used() -> tuple[set[str], set[str]]:
    """Keys written out in the code, and the beginnings of those put together there."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    whole = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_0-9]+)*)["']""", code))
    begun = set(re.findall(r"""["']([a-z_]+\.)(?:["'{])""", code))
    return whole, begun


def test_both_languages_have_the_same_keys():
    assert words("vi").keys() == words("en").keys()


def test_every_key_is_used():
    whole, begun = _used()
    unused = [k for k in words("vi") if k not in whole and not k.startswith(tuple(begun))]
    assert unused == []


def test_every_key_the_code_writes_out_exists():
    code = "\n".join(p.read_text(encoding="utf-8") for p in SOURCE.rglob("*.py"))
    asked = set(re.findall(r'\btext\(\s*"([a-z_.0-9]+)"', code))
    assert asked - words("vi").keys() == set()


@pytest.mark.parametrize("key", words("vi"))
def test_a_text_has_the_same_places_to_fill_in_both_languages(key):
    places = [set(re.findall(r"{(\w+)}", words(lang)[key])) for lang in ("vi", "en")]
    assert places[0] == places[1]


def test_a_title_missing_in_one_language_is_shown_in_the_other():
    assert Text("en").pick("Đất đai", None) == "Đất đai"
    assert Text("vi").pick("Đất đai", "Land") == "Đất đai"


def test_numbers_have_the_separators_of_their_language():
    assert (VI.number(26685), EN.number(26685)) == ("26.685", "26,685")
    assert (VI.number(7.23, 2), EN.number(7.23, 2)) == ("7,23", "7.23")
    assert VI.number(None) == "–"


def test_a_forecast_has_three_significant_digits_and_millions_in_words():
    assert (VI.rounded(546_312.0), EN.rounded(1_663_526.0)) == ("546.000", "1.66 million")
    assert VI.rounded(2.3456) == "2,35"
    assert significant(0) == 0


def test_both_ends_of_an_interval_have_one_unit():
    assert VI.interval(990_000, 1_760_000) == "0,99–1,76 triệu"
    assert EN.interval(3437, 4841) == "3,440–4,840"
    # A dash would run into the minus.
    assert VI.interval(-15.7, 27.1) == "−15,7 đến 27,1"


def test_changes_carry_their_sign_and_percentages_differ_by_points():
    assert (VI.change(0.071), VI.change(-0.2), VI.change(0.001)) == ("+7%", "−20%", "0%")
    assert (VI.points(0.62), EN.points(-1.0)) == ("+0,6 điểm %", "−1.0 pp")


@pytest.mark.parametrize(
    ("days", "vi", "en"),
    [(1, "1 ngày", "1 day"), (45, "45 ngày", "45 days"), (326, "10 tháng", "10 months"),
     (800, "2 năm", "2 years")],
)  # fmt: skip
def test_an_age_is_told_in_whole_units(days, vi, en):
    assert (VI.age(days), EN.age(days)) == (vi, en)


@pytest.mark.parametrize(
    ("frequency", "end", "vi", "en"),
    [
        ("year", dt.date(2026, 12, 31), "2026", "2026"),
        ("month", dt.date(2026, 1, 31), "tháng 1/2026", "Jan 2026"),
        ("quarter", dt.date(2026, 3, 31), "quý I/2026", "Q1 2026"),
        ("span", dt.date(2026, 9, 30), "9 tháng 2026", "Jan–Sep 2026"),
        ("span", dt.date(2030, 12, 31), "2026–2030", "2026–2030"),
    ],
)
def test_a_period_reads_as_people_say_it(frequency, end, vi, en):
    assert (VI.period(frequency, JANUARY, end), EN.period(frequency, JANUARY, end)) == (vi, en)


@pytest.mark.parametrize(
    ("frequency", "days", "old"),
    [("month", 120, False), ("month", 121, True), ("year", 730, False), ("year", 731, True),
     ("quarter", 271, True), ("span", 401, True)],
)  # fmt: skip
def test_a_figure_is_stale_when_a_newer_one_should_have_arrived(frequency, days, old):
    end = dt.date(2026, 9, 30)
    assert stale(frequency, JANUARY, end, end + dt.timedelta(days=days)) is old


def test_a_day_is_told_with_its_name():
    monday = dt.date(2026, 11, 23)
    assert VI.weekday(monday) == "Thứ Hai, 23/11/2026"
    assert EN.weekday(monday) == "Monday, 23 Nov 2026"


def test_a_span_of_years_has_the_patience_of_a_year():
    end = dt.date(2025, 12, 31)
    assert not stale("span", dt.date(2021, 1, 1), end, end + dt.timedelta(days=700))


def test_a_period_that_has_not_ended_has_no_age():
    assert age(dt.date(2030, 12, 31), JANUARY) == 0
