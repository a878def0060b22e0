"""What people write for a period, and what it means."""

import unicodedata
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.periods import (
    MONTH_WORDS,
    Frequency,
    NoStep,
    NotAPeriod,
    Period,
    UnreadablePeriod,
    periods_between,
    status_in,
)

REGULAR = [frequency for frequency in Frequency if frequency is not Frequency.SPAN]
DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
STEPPING = st.builds(Period.containing, st.sampled_from(REGULAR), DAYS)
SPANS = st.tuples(DAYS, DAYS).map(lambda days: Period.between(min(days), max(days)))
ANY = STEPPING | SPANS


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024", "2024"),
        ("Năm 2024", "2024"),
        ("2025-01", "2025-01"),
        ("2025/1", "2025-01"),
        ("01/2025", "2025-01"),
        ("1-2025", "2025-01"),
        ("Tháng 1/2025", "2025-01"),
        ("tháng 01 năm 2025", "2025-01"),
        ("THÁNG 10, 2025", "2025-10"),
        ("T1/2025", "2025-01"),
        ("T10.2025", "2025-10"),
        ("T1-2025", "2025-01"),
        ("thg 01/2025", "2025-01"),
        ("Thg 1 2025", "2025-01"),
        ("2025M01", "2025-01"),
        ("202501", "2025-01"),
        ("Tháng Một 2025", "2025-01"),
        ("Tháng Năm 2025", "2025-05"),
        ("THÁNG NĂM NĂM 2025", "2025-05"),
        ("tháng mười hai/2025", "2025-12"),
        ("Jan 2025", "2025-01"),
        ("September 2025", "2025-09"),
        ("2025-Q1", "2025-Q1"),
        ("2025Q1", "2025-Q1"),
        ("Q1/2025", "2025-Q1"),
        ("Q.I/2025", "2025-Q1"),
        ("Quý I/2025", "2025-Q1"),
        ("quý 4 năm 2025", "2025-Q4"),
        ("Quí I/2025", "2025-Q1"),
        ("2025-W03", "2025-W03"),
        ("Tuần 3/2025", "2025-W03"),
        ("2025-01-15", "2025-01-15"),
        ("2025-01-15 00:00:00", "2025-01-15"),
        ("15/01/2025", "2025-01-15"),
        ("05/01/2025 08:30", "2025-01-05"),
        ("2025-01-05T08:30:00", "2025-01-05"),
        ("2025-01-05T23:30:00.5+07:00", "2025-01-05"),
        ("1/2/2025", "2025-02-01"),
        ("ngày 15-01-2025", "2025-01-15"),
        ("2025-01/2025-09", "2025-01/2025-09"),
        ("01/2025–09/2025", "2025-01/2025-09"),
        ("9 tháng 2025", "2025-01/2025-09"),
        ("9 tháng đầu năm 2025", "2025-01/2025-09"),
        ("Sáu tháng đầu năm 2025", "2025-01/2025-06"),
        ("6 tháng cuối năm 2025", "2025-07/2025-12"),
        ("ba tháng cuối năm 2025", "2025-Q4"),
        ("Tháng 01-03/2025", "2025-Q1"),
        ("từ tháng 2 đến hết tháng 5 năm 2025", "2025-02/2025-05"),
        ("từ ngày 01/02/2025 đến hết ngày 31/05/2025", "2025-02/2025-05"),
        ("Cả năm 2025", "2025"),
        ("09 tháng/2025", "2025-01/2025-09"),
        ("2025-07-01/2025-10-19", "2025-07-01/2025-10-19"),
        ("từ 01/07/2025 đến 19/10/2025", "2025-07-01/2025-10-19"),
        ("2026/2030", "2026/2030"),
        ("2011-2015", "2011/2015"),
        ("Giai đoạn 2026–2030", "2026/2030"),
        ("Sơ bộ 2024", "2024"),
        ("Sơ bộ\n2024", "2024"),
        ("2024 (Prel.)", "2024"),
        ("Ước tháng 10/2025", "2025-10"),
        ("Ước TH 9 tháng 2025", "2025-01/2025-09"),
        ("Est. 2025", "2025"),
        ("\u00a02025 ", "2025"),
    ],
)
def test_a_written_period_is_read(written, meant):
    assert str(Period.parse(written)) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025-01/2025-12", "2025"),
        ("12 tháng năm 2025", "2025"),
        ("2025-01/2025-03", "2025-Q1"),
        ("3 tháng đầu năm 2025", "2025-Q1"),
        ("2025-02-01/2025-02-28", "2025-02"),
        ("2025/2025", "2025"),
        ("2025-11-17/2025-11-23", "2025-W47"),
    ],
)
def test_a_span_that_is_exactly_one_period_is_that_period(written, meant):
    assert str(Period.parse(written)) == meant


@pytest.mark.parametrize(
    "written",
    [
        *["", "-", "Tổng", "13/2025", "31/02/2025", "2025-W54", "Quý V/2025", "13 tháng 2025"],
        *["2025-09/2025-01", "2025-01-15/2025-02", "45658", "2025.0", "1.2025", "10,2025", "25"],
        *["01-09/2025", "estonia 2024", "Tháng 10", "năm học 2024-2025", "01/02/25"],
        *["202513", "189912", "2025M13", "tháng năm 2025", "Tháng     Năm 2025"],
        *["05/01/2025 24:30", "2025-01-05T23:30:00Z"],
    ],
)
def test_what_names_no_period_is_refused_with_examples(written):
    with pytest.raises(UnreadablePeriod) as refused:
        Period.parse(written)
    assert repr(written) in str(refused.value)
    assert "10/2025" in refused.value.hint


@pytest.mark.parametrize(
    ("written", "form", "meant"),
    [
        ("102025", "%m%Y", "2025-10"),
        ("Oct-25", "%b-%y", "2025-10"),
        ("10/31/2025", "%m/%d/%Y", "2025-10-31"),
        ("KH2025", "KH%Y", "2025"),
        ("Sơ bộ 2025", "%Y", "2025"),
    ],
)
def test_a_declared_format_is_read(written, form, meant):
    assert str(Period.parse(written, [form])) == meant


def test_with_a_declared_format_nothing_else_is_read():
    with pytest.raises(UnreadablePeriod, match="readable are: %m/%d/%Y"):
        Period.parse("31/10/2025", ["%m/%d/%Y"])


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("Sơ bộ 2024", "preliminary"),
        ("Sơ bộ\n2024", "preliminary"),
        ("Prel. 2024", "preliminary"),
        ("Preliminary 2024", "preliminary"),
        ("Ước 2025", "estimate"),
        ("Ước tính tháng 10", "estimate"),
        ("Est. 2025", "estimate"),
        ("Chính thức 2023", "final"),
        ("2024", None),
        ("estuary", None),
        ("nước sạch", None),
    ],
)
def test_the_status_of_a_figure_is_found_in_its_heading(written, status):
    assert status_in(written) == status


@pytest.mark.parametrize(
    ("period", "vi", "en"),
    [
        ("2024", "2024", "2024"),
        ("2025-Q3", "quý III/2025", "Q3 2025"),
        ("2026-10", "10/2026", "Oct 2026"),
        ("2025-W03", "tuần 3/2025", "week 3, 2025"),
        ("2025-01-05", "05/01/2025", "5 Jan 2025"),
        ("2025-01/2025-09", "9 tháng 2025", "Jan–Sep 2025"),
        ("2025-04/2025-09", "04/2025–09/2025", "Apr–Sep 2025"),
        ("2025-10/2026-02", "10/2025–02/2026", "Oct 2025 – Feb 2026"),
        ("2026/2030", "giai đoạn 2026–2030", "2026–2030"),
        ("2025-07-01/2025-10-19", "01/07/2025–19/10/2025", "1 Jul 2025 – 19 Oct 2025"),
    ],
)
def test_a_period_is_labelled_as_people_write_it(period, vi, en):
    assert Period.parse(period).label("vi") == vi
    assert Period.parse(period).label("en") == en


@given(ANY)
def test_everything_we_write_we_can_read(period):
    assert Period.parse(str(period)) == period
    assert Period.parse(period.label("vi")) == period
    assert Period.parse(period.label("en")) == period


SPELT = [
    "{m}/{y}", "{m:02}-{y}", "T{m}-{y}", "thg {m:02}/{y}", "Thg {m} {y}", "tháng {m} năm {y}",
    "Tháng {word}/{y}", "Tháng {word} năm {y}", "Tháng {title} {y}", "{y}M{m:02}", "{y}{m:02}",
]  # fmt: skip


@given(st.sampled_from(SPELT), st.integers(1, 12), st.integers(1990, 2090))
def test_a_month_is_the_same_in_all_its_spellings(spelling, m, y):
    word = MONTH_WORDS[m - 1]
    written = spelling.format(m=m, y=y, word=word, title=word.capitalize())
    for text in (written, unicodedata.normalize("NFD", written)):
        assert Period.parse(text) == Period.containing(Frequency.MONTH, date(y, m, 1))


@given(st.text() | st.from_regex(r"[0-9/–\- thángqQuý]{1,16}", fullmatch=True))
def test_any_text_is_read_or_refused(text):
    try:
        period = Period.parse(text)
    except UnreadablePeriod:
        return
    assert period.start <= period.end


@pytest.mark.parametrize(
    ("frequency", "start", "end"),
    [
        (Frequency.MONTH, date(2025, 1, 1), date(2025, 1, 30)),
        (Frequency.DAY, date(2025, 1, 1), date(2025, 1, 2)),
        (Frequency.WEEK, date(2025, 1, 1), date(2025, 1, 7)),
        (Frequency.YEAR, date(2025, 7, 1), date(2026, 6, 30)),
        (Frequency.SPAN, date(2025, 1, 1), date(2025, 12, 31)),
        (Frequency.SPAN, date(2025, 2, 1), date(2025, 1, 1)),
    ],
)
def test_a_wrong_period_cannot_be_built(frequency, start, end):
    with pytest.raises(NotAPeriod):
        Period(frequency, start, end)


@given(STEPPING)
def test_the_next_period_begins_when_this_one_is_over(period):
    assert period.next().start == period.end + timedelta(days=1)
    assert period.next().frequency is period.frequency


@given(STEPPING, st.integers(-50, 50))
def test_steps_can_be_retraced(period, n):
    assert period.next(n).next(-n) == period


@given(STEPPING, st.integers(0, 60))
def test_the_periods_between_two_are_all_of_them(period, n):
    periods = periods_between(period, period.next(n))
    assert periods == [period.next(step) for step in range(n + 1)]


def test_between_a_period_and_an_earlier_one_lie_none():
    assert periods_between(Period.parse("2025-02"), Period.parse("2025-01")) == []


def test_spans_and_mixed_frequencies_have_no_steps():
    with pytest.raises(NoStep):
        Period.parse("9 tháng 2025").next()
    with pytest.raises(NoStep):
        periods_between(Period.parse("2025-01"), Period.parse("2025"))
    with pytest.raises(NoStep):
        _ = Frequency.SPAN.polars_step


@given(st.sampled_from(REGULAR), DAYS)
def test_a_day_lies_in_its_period(frequency, day):
    period = Period.containing(frequency, day)
    assert period.start <= day <= period.end


@given(STEPPING)
def test_polars_steps_as_periods_do(period):
    starts = pl.date_range(
        period.start, period.next(5).start, period.frequency.polars_step, eager=True
    )
    assert starts.to_list() == [period.next(step).start for step in range(6)]


def test_seasons():
    assert {frequency.value: frequency.season for frequency in Frequency} == {
        "day": 7,
        "week": 52,
        "month": 12,
        "quarter": 4,
        "year": 1,
        "span": 1,
    }
