"""Growth to come from growths published for years and for several years together."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.decisions.past_growth import PERSISTENCE, grown, steps

CITY = [(2011, 2015, 5.97), (2016, 2020, 4.97), (2021, 2025, 6.86),
        (2023, 2023, 6.42), (2024, 2024, 7.41), (2025, 2025, 7.23)]  # fmt: skip


def figures(rows: list[tuple[int, int, float]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(dt.date(first, 1, 1), dt.date(last, 12, 31), value) for first, last, value in rows],
        schema={"period": pl.Date, "period_end": pl.Date, "value": pl.Float64},
        orient="row",
    )


def test_a_mean_of_years_tells_what_is_left_for_those_without_a_figure_of_their_own():
    found = {(min(step.years), max(step.years)): step.growth for step in steps(figures(CITY))}
    assert set(found) == {
        (2011, 2015), (2016, 2020), (2021, 2022), (2023, 2023), (2024, 2024), (2025, 2025)
    }  # fmt: skip
    assert sum(found.values()) == pytest.approx(5 * np.log(1.0597 * 1.0497 * 1.0686))


def test_half_years_and_periods_that_only_overlap_tell_nothing():
    half = pl.DataFrame(
        {"period": [dt.date(2024, 1, 1)], "period_end": [dt.date(2024, 6, 30)], "value": [6.0]}
    )
    assert steps(half) == []
    overlapping = figures([(2020, 2021, 5.0), (2021, 2023, 6.0)])
    assert [sorted(step.years) for step in steps(overlapping)] == [[2020, 2021]]


@pytest.mark.parametrize(
    ("rows", "last"),
    [(CITY[1:3] + CITY[4:], 2030), (CITY, 2040), (CITY, 2025), ([], 2030)],
    ids=["too few", "too far", "nothing ahead", "nothing known"],
)
def test_of_too_little_nothing_is_told(rows, last):
    assert grown(figures(rows), last) is None


def test_years_ahead_follow_the_last_known_without_a_gap():
    found = grown(figures(CITY), 2028)
    assert [period.year for period in found.periods] == [2026, 2027, 2028]
    assert (found.since, found.until, found.paths.shape[1]) == (2011, 2025, 3)


@given(st.floats(-3, 12), st.floats(0, 5))
def test_more_growth_is_never_more_likely(asked, more):
    paths = grown(figures(CITY), 2030).paths
    whole = np.prod(1 + paths / 100, axis=1) ** 0.2
    assert np.mean(whole >= 1 + (asked + more) / 100) <= np.mean(whole >= 1 + asked / 100)


def test_a_band_of_80_percent_holds_about_as_often_where_years_are_like_the_year_before():
    rng, hits = np.random.default_rng(5), np.zeros(2)
    for _ in range(150):
        shocks = 1.5 * rng.standard_normal(60)
        for year in range(1, 60):
            shocks[year] += PERSISTENCE * shocks[year - 1]
        years = 6 + shocks[-20:]
        mean = [100 * np.expm1(np.log1p(years[at : at + 5] / 100).mean()) for at in (0, 5, 10, 15)]
        rows = [(2011 + 5 * n, 2015 + 5 * n, value) for n, value in enumerate(mean[:3])]
        rows += [(2023 + n, 2023 + n, years[12 + n]) for n in range(3)]
        paths = grown(figures(rows), 2030).paths
        together = 100 * np.expm1(np.log1p(paths / 100).mean(axis=1))
        for which, (told, came) in enumerate(((paths[:, 0], years[15]), (together, mean[3]))):
            low, high = np.quantile(told, (0.1, 0.9))
            hits[which] += low <= came <= high
    assert (hits / 150 > 0.68).all()
    assert (hits / 150 < 0.92).all()
