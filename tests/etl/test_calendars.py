"""Working days and Tết, against an independent table and the decisions of the government."""

from datetime import date, datetime, timedelta
from math import radians, sin

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.calendars import (
    KINDS,
    SURGE,
    NoCalendar,
    add_working_days,
    calendar,
    is_working_day,
    national_holidays,
    share_around_tet,
    tet,
    tet_share,
    working_days,
)

# The published dates of mùng một Tết, written down without the package under test. The new moons
# computed below are a second witness, which knows nothing of any table.
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


def new_moon(lunation: int) -> datetime:
    """Universal time of a new moon, to some minutes; number 0 is that of 6 January 2000.

    Source: Meeus, Astronomical Algorithms (1998), chapter 49, terms above 10 seconds.
    """
    century = lunation / 1236.85
    eccentricity = 1 - 0.002516 * century
    sun = radians(2.5534 + 29.10535670 * lunation)
    moon = radians(201.5643 + 385.81693528 * lunation + 0.0107582 * century**2)
    latitude = radians(160.7108 + 390.67050284 * lunation - 0.0016118 * century**2)
    node = radians(124.7746 - 1.56375588 * lunation)
    waves = (
        -0.40720 * sin(moon)
        + 0.17241 * eccentricity * sin(sun)
        + 0.01608 * sin(2 * moon)
        + 0.01039 * sin(2 * latitude)
        + 0.00739 * eccentricity * sin(moon - sun)
        - 0.00514 * eccentricity * sin(moon + sun)
        + 0.00208 * eccentricity**2 * sin(2 * sun)
        - 0.00111 * sin(moon - 2 * latitude)
        - 0.00057 * sin(moon + 2 * latitude)
        + 0.00056 * eccentricity * sin(2 * moon + sun)
        - 0.00042 * sin(3 * moon)
        + 0.00042 * eccentricity * sin(sun + 2 * latitude)
        + 0.00038 * eccentricity * sin(sun - 2 * latitude)
        - 0.00024 * eccentricity * sin(2 * moon - sun)
        - 0.00017 * sin(node)
    )
    days = 2451550.09766 + 29.530588861 * lunation + 0.00015437 * century**2 + waves
    behind = 69 / 86400  # clocks are 69 seconds behind the time of these formulas
    return datetime(2000, 1, 1, 12) + timedelta(days=days - 2451545.0 - behind)  # noqa: DTZ001


def new_moons(year: int, hours_east: int) -> set[date]:
    """The days with a new moon between 21 January and 20 February, by the clock of a time zone."""
    first = round((year - 2000) * 12.3685) - 1
    local = [new_moon(first + n) + timedelta(hours=hours_east) for n in range(4)]
    return {t.date() for t in local if date(year, 1, 21) <= t.date() <= date(year, 2, 20)}


@pytest.mark.parametrize("year", range(2015, 2036))
def test_tet_is_the_day_of_the_new_moon_by_vietnamese_time(year):
    assert tet(year) in new_moons(year, hours_east=7)


@pytest.mark.parametrize("year", [2007, 2030])
def test_by_chinese_time_the_new_moon_may_be_a_day_later(year):
    assert new_moons(year, hours_east=8) == {tet(year) + timedelta(days=1)}


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
        "kind": pl.Enum(KINDS),
        "holiday": pl.String,
        "days_from_tet": pl.Int32,
    }
    assert [(day.day, *rest) for day, *rest in seen.drop("kind").rows()] == [
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


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 11, 20), "working"),
        (date(2026, 8, 22), "worked_in_exchange"),
        (date(2026, 8, 31), "off_in_exchange"),
        (date(2026, 4, 26), "holiday"),  # a Sunday
        (date(2026, 4, 27), "compensatory"),
        (date(2026, 2, 20), "holiday"),
        (date(2026, 2, 21), "weekend"),
    ],
)
def test_a_day_is_of_one_kind(day, kind):
    assert calendar(day, day)["kind"].to_list() == [kind]


def test_the_surge_after_tet_lasts_two_weeks():
    since, until = SURGE
    assert until - since + 1 == 14
    february, march = (date(2026, 2, 1), date(2026, 2, 28)), (date(2026, 3, 1), date(2026, 3, 31))
    assert share_around_tet(*february, *SURGE) == pytest.approx(4 / 14)  # 25 to 28 February
    assert share_around_tet(*march, *SURGE) == pytest.approx(10 / 14)


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
