"""Working days and Tết, against an independent table and the decisions of the government."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.calendars import (
    NoCalendar,
    add_working_days,
    calendar,
    is_working_day,
    national_holidays,
    tet,
    tet_share,
    working_days,
)

# The published dates of mùng một Tết, written down without the package under test.
TET = {
    2007: "02-17",  # 18 February in China
    2015: "02-19",
    2016: "02-08",
    2017: "01-28",
    2018: "02-16",
    2019: "02-05",
    2020: "01-25",
    2021: "02-12",
    2022: "02-01",
    2023: "01-22",
    2024: "02-10",
    2025: "01-29",
    2026: "02-17",
    2027: "02-06",
    2028: "01-26",
    2029: "02-13",
    2030: "02-02",  # 3 February in China
    2031: "01-23",
    2032: "02-11",
    2033: "01-31",
    2034: "02-19",
    2035: "02-08",
}

DAYS = st.dates(date(2005, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize("year", TET)
def test_tet_is_vietnams_and_not_chinas(year):
    assert tet(year) == date.fromisoformat(f"{year}-{TET[year]}")


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 11, 20), True),  # a Friday
        (date(2026, 11, 21), False),  # a Saturday
        (date(2026, 2, 16), False),  # Tết eve
        (date(2026, 4, 27), False),  # Hùng Kings' day was a Sunday
        (date(2025, 5, 2), False),  # off in exchange for
        (date(2025, 4, 26), True),  # this Saturday
        (date(2026, 8, 31), False),
        (date(2026, 8, 22), True),
        (date(2018, 12, 31), False),  # an exchange across the turn of the year
        (date(2019, 1, 5), True),
    ],
)
def test_offices_are_open_on(day, working):
    assert is_working_day(day) is working


def test_holidays_have_vietnamese_names_and_belong_to_their_year():
    holidays = national_holidays(2026)
    assert holidays[date(2026, 2, 17)] == "Tết Nguyên Đán"
    assert holidays[date(2026, 9, 2)] == "Quốc khánh"
    assert list(holidays) == sorted(holidays)
    assert {day.year for day in holidays} == {2026}


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-11-20", 1, "2026-11-23"),
        ("2026-11-20", 2, "2026-11-25"),  # Culture Day on the 24th
        ("2026-11-21", 0, "2026-11-23"),
        ("2026-11-20", 0, "2026-11-20"),
        ("2026-02-13", 1, "2026-02-23"),  # over Tết
        ("2025-12-31", 15, "2026-01-22"),
    ],
)
def test_a_deadline_counts_working_days_after_the_day_of_receipt(received, days, due):
    assert add_working_days(date.fromisoformat(received), days) == date.fromisoformat(due)


def test_a_deadline_does_not_run_backwards():
    with pytest.raises(ValueError, match="forward"):
        add_working_days(date(2026, 11, 20), -1)


@given(DAYS, st.integers(1, 600))
def test_between_receipt_and_deadline_lie_as_many_working_days_as_were_given(day, n):
    due = add_working_days(day, n)
    assert is_working_day(due)
    assert working_days(day + timedelta(days=1), due) == n


@given(DAYS, st.integers(-5, 800))
def test_working_days_are_counted_one_by_one(first, length):
    last = first + timedelta(days=length)
    days = [first + timedelta(days=step) for step in range(length + 1)]
    assert working_days(first, last) == sum(map(is_working_day, days))


@given(DAYS, DAYS, DAYS)
def test_working_days_of_two_stretches_add_up(one, two, three):
    first, middle, last = sorted([one, two, three])
    rest = working_days(middle + timedelta(days=1), last)
    assert working_days(first, last) == working_days(first, middle) + rest


@pytest.mark.parametrize(
    ("month", "shares"),
    [
        (date(2025, 1, 1), (1.0, 3 / 8)),  # Tết on 29 January
        (date(2025, 2, 28), (0.0, 5 / 8)),
        (date(2026, 2, 1), (1.0, 1.0)),  # Tết on 17 February
        (date(2026, 1, 1), (0.0, 0.0)),
        (date(2030, 1, 31), (6 / 7, 0.0)),  # Tết on 2 February
        (date(2030, 2, 1), (1 / 7, 1.0)),
        (date(2026, 7, 1), (0.0, 0.0)),
    ],
)
def test_a_month_has_its_share_of_the_days_around_tet(month, shares):
    assert tet_share(month) == pytest.approx(shares)


@given(st.integers(1901, 2099))
def test_the_days_around_tet_are_shared_out_whole(year):
    before, after = zip(*(tet_share(date(year, month, 1)) for month in range(1, 13)), strict=True)
    assert sum(before) == pytest.approx(1)
    assert sum(after) == pytest.approx(1)


def test_a_calendar_has_one_row_a_day():
    seen = calendar(date(2026, 2, 15), date(2026, 2, 23))
    assert seen.schema == {
        "date": pl.Date,
        "working": pl.Boolean,
        "holiday": pl.String,
        "days_from_tet": pl.Int32,
    }
    assert [(day.day, *rest) for day, *rest in seen.rows()] == [
        (15, False, None, -2),
        (16, False, "Giao thừa Tết Nguyên Đán", -1),
        (17, False, "Tết Nguyên Đán", 0),
        (18, False, "Mùng hai Tết Nguyên Đán", 1),
        (19, False, "Mùng ba Tết Nguyên Đán", 2),
        (20, False, "Mùng bốn Tết Nguyên Đán", 3),
        (21, False, None, 4),
        (22, False, None, 5),
        (23, True, None, 6),
    ]


def test_twenty_years_of_calendar_agree_with_its_days():
    days = calendar(date(2006, 1, 1), date(2026, 12, 31))
    assert len(days) == 7670
    assert days["working"].sum() == working_days(date(2006, 1, 1), date(2026, 12, 31))
    assert days.filter(pl.col("days_from_tet") == 0)["date"].to_list() == [
        tet(year) for year in range(2006, 2027)
    ]
    assert days["days_from_tet"].abs().max() <= 193


@pytest.mark.parametrize("year", [1900, 2100])
def test_a_year_without_known_holidays_is_refused(year):
    with pytest.raises(NoCalendar):
        is_working_day(date(year, 6, 1))
