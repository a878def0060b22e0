"""Where a year will end, by how past years went on from the same month."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from forecasts.decisions.pace import FEWEST_YEARS, pace, reached, to_date


def years(table: str) -> pl.DataFrame:
    """`year month cumulative` a line."""
    rows = [line.split() for line in table.strip().splitlines()]
    return pl.DataFrame(
        [(int(y), int(m), float(v)) for y, m, v in rows],
        schema={"year": pl.Int32, "month": pl.Int32, "cumulative": pl.Float64},
        orient="row",
    )


THREE_YEARS = """
    2022 11 50
    2022 12 72
    2023 11 56
    2023 12 75
    2024 11 60
    2024 12 77
"""


def test_the_end_of_the_year_is_told_from_the_shares_of_past_years():
    found = pace(years(THREE_YEARS + "2025 11 41"), 2025, 95)
    assert (found.month, found.done, found.years) == (11, 41, 3)
    assert found.lower == pytest.approx(41 * 77 / 60)
    assert found.upper == pytest.approx(41 * 72 / 50)
    assert found.times == pytest.approx((95 - 41) / 19)
    assert found.chance < 0.05


@given(st.integers(0, FEWEST_YEARS - 1))
def test_with_fewer_than_three_past_years_it_is_not_judged(count):
    lines = "\n".join(THREE_YEARS.strip().splitlines()[: 2 * count])
    found = pace(years(f"{lines}\n2025 11 41"), 2025, 95)
    assert (found.reason, found.years, found.chance) == ("few_years", count, None)


def test_a_past_year_without_its_end_or_without_that_month_does_not_count():
    known = THREE_YEARS.replace("2023 12 75\n", "").replace("2024 11 60\n", "")
    assert pace(years(known + "2025 11 41"), 2025, 95).years == 1


def test_a_year_of_which_nothing_is_known_is_not_judged():
    assert pace(years(THREE_YEARS), 2025, 95).reason == "no_months"


def test_a_year_that_is_complete_is_settled_without_past_years():
    found = pace(years("2025 12 41"), 2025, 40)
    assert (found.chance, found.lower, found.upper) == (1.0, 41, 41)


def test_what_is_reached_already_is_certain():
    assert pace(years(THREE_YEARS + "2025 11 41"), 2025, 41).chance == 1.0


def test_years_lent_by_another_area_count_as_shares_of_the_whole():
    lent = years(THREE_YEARS).with_columns(cumulative=pl.col("cumulative") * 1000)
    own, found = (
        pace(years("2025 11 41"), 2025, 95, shapes=shapes) for shapes in (years(THREE_YEARS), lent)
    )
    assert found == own
    assert found.times == pytest.approx((95 - 41) / (95 * (1 - 56 / 75)))


def eight_years(januaries: str, *, end: float = 100) -> str:
    """Januaries of 2018 to 2025, each year ending at `end`."""
    given = enumerate(januaries.split(), start=2018)
    return "".join(f"{year} 1 {january}\n{year} 12 {end}\n" for year, january in given)


def test_a_year_that_has_not_begun_goes_on_by_what_came_in_the_months_left_of_others():
    past = eight_years("0 0 0 0 8 9 10 8")
    found = pace(years(past + "2026 1 0"), 2026, 60)
    assert (found.years, found.lower, found.upper) == (8, 90, 100)
    assert found.times == pytest.approx(60 / 96)
    assert found.chance == pytest.approx(8.5 / 9)
    begun = pace(years(past + "2026 1 5"), 2026, 60)
    assert (begun.years, begun.lower, begun.chance) == (8, 95, found.chance)
    assert pace(years(past + "2026 1 0"), 2026, 95).chance == pytest.approx(4.5 / 9)


def test_nothing_where_every_past_year_had_something_is_not_judged():
    past = eight_years("8 9 10 8 7 8 9 9")
    found = pace(years(past + "2026 1 0"), 2026, 60)
    assert (found.reason, found.chance, found.years) == ("nothing_yet", None, 8)
    assert pace(years(past + "2026 1 0"), 2026, 0, direction="at_most").reason == "nothing_yet"


def test_but_where_so_much_never_came_in_the_months_left_it_is():
    past = "".join(f"{year} 11 90\n{year} 12 100\n" for year in range(2018, 2026))
    found = pace(years(past + "2026 11 0"), 2026, 60)
    assert (found.reason, found.chance) == (None, pytest.approx(0.5 / 9))


def test_lent_years_do_not_tell_how_much_comes_where_nothing_has_come():
    lent = years(eight_years("0 0 0 0 8 9 10 8"))
    assert pace(years("2026 1 0"), 2026, 60, shapes=lent).reason == "nothing_yet"
    begun = pace(years("2026 1 5"), 2026, 60, shapes=lent)
    assert (begun.lower, begun.upper) == pytest.approx((50, 5 / 0.08))
    assert begun.chance == pytest.approx((4 + 2 + 0.5) / 9)


@pytest.mark.parametrize(
    ("line", "value", "at_least", "at_most"),
    [
        ("2026 12 0", 0, 1, 1),
        ("2026 12 5", 5, 1, 1),
        ("2026 12 6", 5, 1, 0),
        ("2026 12 4", 5, 0, 1),
        ("2026 11 6", 5, 1, 0),
        ("2026 11 0", 0, 1, 8.5 / 9),
        ("2026 11 5", 5, 1, 8.5 / 9),
    ],
)
def test_what_is_exactly_there_is_reached_from_either_side(line, value, at_least, at_most):
    ended = "".join(f"{year} 11 {value}\n{year} 12 {value}\n" for year in range(2018, 2026))
    for direction, chance in (("at_least", at_least), ("at_most", at_most)):
        found = pace(years(ended + line), 2026, value, direction=direction)
        assert found.chance == pytest.approx(chance)


shares = st.lists(st.floats(0.05, 0.99), min_size=3, max_size=8)


@given(shares, st.floats(1, 100), st.floats(1, 300), st.floats(0, 200))
def test_the_chance_never_rises_with_what_is_asked(share, done, value, more):
    import numpy as np

    easy, hard = (reached(np.array(share), done, asked) for asked in (value, value + more))
    assert 0 <= hard <= easy <= 1


@given(shares, st.floats(1, 100), st.floats(0, 50), st.floats(1, 300))
def test_the_chance_never_falls_with_what_has_come(share, done, more, value):
    import numpy as np

    before, after = (reached(np.array(share), have, value) for have in (done, done + more))
    assert before <= after + 1e-12


@given(shares, st.floats(1, 100), st.floats(1, 300))
def test_at_most_is_what_at_least_is_not(share, done, value):
    import numpy as np

    assume(done != value)
    least, most = (reached(np.array(share), done, value, side) for side in ("at_least", "at_most"))
    assert least + most == pytest.approx(1)


@given(shares, st.floats(1, 100), st.floats(1, 300), st.floats(0.01, 1000))
def test_the_chance_does_not_depend_on_the_unit(share, done, value, unit):
    import numpy as np

    told = [reached(np.array(share), done * u, value * u) for u in (1.0, unit)]
    assert told[0] == pytest.approx(told[1], abs=1e-9)


def test_years_spans_and_complete_months_become_what_had_come_by_then():
    day = dt.date
    figures = pl.DataFrame(
        [
            ("span", day(2024, 1, 1), day(2024, 11, 30), 60.0),
            ("year", day(2024, 1, 1), day(2024, 12, 31), 80.0),
            ("month", day(2025, 1, 1), day(2025, 1, 31), 5.0),
            ("month", day(2025, 2, 1), day(2025, 2, 28), 6.0),
            ("month", day(2025, 4, 1), day(2025, 4, 30), 7.0),
            ("span", day(2021, 1, 1), day(2025, 12, 31), 300.0),
            ("span", day(2025, 7, 1), day(2025, 9, 30), 9.0),
        ],
        schema=["frequency", "period", "period_end", "value"],
        orient="row",
    )
    summed = to_date(figures, adds_up=True)
    assert summed.rows() == [(2024, 11, 60.0), (2024, 12, 80.0), (2025, 1, 5.0), (2025, 2, 11.0)]
    assert to_date(figures, adds_up=False).rows() == summed.rows()[:3]
