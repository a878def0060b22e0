"""What is said of past forecasts: nothing counted twice, nothing mixed, nothing said too early."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.periods import Frequency
from forecasts.drift import (
    FALSE_RATE,
    PERIODS_TO_FALSE_ALARM,
    alerts,
    binomial_p,
    cusum,
    independent,
)
from forecasts.panel import steps
from forecasts.track_record import BY_HORIZON, BY_LEVEL, counted, recent, summary, table

MONTHS = steps(date(2025, 1, 1), Frequency.MONTH, 60)


def score(month: int, *, inside: bool = True, issue: int = 1, before: int = 10, **other):
    """The score of a forecast of 100 for the month with this number, issued so many days before
    its end."""
    end = pl.select(pl.lit(MONTHS[month + 1]).dt.offset_by("-1d")).item()
    issued = pl.select(pl.lit(end).dt.offset_by(f"{-before}d")).item()
    return {
        "issue": issue, "issued": issued, "indicator": "visitors", "area": "can_tho",
        "level": "city", "category": "total", "frequency": "month",
        "period": MONTHS[month], "period_end": end, "horizon": 1,
        "simulated": False, "observed": 106.0 if inside else 150.0, "expected": 100.0,
        "wis": 3.0, "covered_50": inside, "covered_80": inside, "covered_95": inside,
        "pit": 0.6 if inside else 0.9875, "scale": 10.0, "benchmark": 112.0, "benchmark_wis": 6.0,
        **other,
    }  # fmt: skip


def frame(rows) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)


def test_nine_of_twelve_months_and_a_typical_miss():
    told = recent(frame(score(m, inside=m not in (2, 5, 8)) for m in range(12)), series=True)
    assert (told.inside, told.outcomes, told.periods) == (9, 12, 12)
    assert told.miss == pytest.approx(6 / 106)
    assert (told.since, told.until) == (date(2025, 1, 1), date(2025, 12, 31))


def test_of_a_long_record_the_last_twelve_outcomes_are_told():
    told = recent(frame(score(m, inside=m >= 10) for m in range(20)), series=True)
    assert (told.inside, told.outcomes, told.since) == (10, 12, date(2025, 9, 1))


def test_of_several_series_all_of_the_last_twelve_months_is_told():
    rows = frame(score(m, area=area) for m in range(15) for area in ("a", "b"))
    assert recent(rows).outcomes == 24
    years = frame(
        score(12 * n, area=area, frequency="year") for n in range(4) for area in ("a", "b")
    )
    assert (recent(years).outcomes, recent(years).since) == (8, MONTHS[0])


@pytest.mark.parametrize(("outcomes", "missing"), [(0, 6), (5, 1), (6, 0)])
def test_nothing_is_said_under_six_outcomes(outcomes, missing):
    rows = frame([score(m) for m in range(7)]).head(outcomes)
    told = recent(rows)
    assert told.missing == missing
    assert (told.miss is None) == bool(missing)


def test_a_month_forecast_three_times_counts_once_by_the_last_issue_before_it_ended():
    rows = frame(
        [
            score(3, issue=1, before=40, inside=False),
            score(3, issue=2, before=10, inside=True),
            score(3, issue=3, before=-5, inside=False),
        ]
    )
    assert counted(rows)["issue"].to_list() == [2]
    assert table(rows, BY_HORIZON)["outcomes"].to_list() == [3]
    assert table(counted(rows), BY_LEVEL)["coverage_80"].to_list() == [1.0]


def test_forecasts_of_one_month_that_all_missed_stand_apart():
    """A step in March 2025, which what was said in February could not know."""
    early = [score(m, before=45 + 30 * (m - 2), inside=m < 2, horizon=m) for m in (2, 3, 4)]
    late = [score(m, before=45, horizon=1) for m in (3, 4)]
    rows = summary(frame([*early, *late]))["by_issued"]
    assert [(row["issued_in"], row["outcomes"], row["coverage_80"]) for row in rows] == [
        (date(2025, 2, 1), 3, 0.0),
        (date(2025, 3, 1), 1, 1.0),
        (date(2025, 4, 1), 1, 1.0),
    ]


def test_scores_stand_beside_those_of_the_benchmark():
    (row,) = table(frame([score(0), score(1, inside=False)]), BY_HORIZON).to_dicts()
    # Errors 6 and 50 against 6 and 38 of the benchmark, in units of 10; WIS 3 against 6.
    assert (row["mase"], row["benchmark_mase"]) == (pytest.approx(2.8), pytest.approx(2.2))
    assert row["relative_wis"] == pytest.approx(0.5)
    assert row["bias"] == pytest.approx(-2.8)
    assert (row["coverage_50"], row["coverage_80"], row["coverage_95"]) == (0.5, 0.5, 0.5)


def test_without_a_benchmark_coverage_is_told_all_the_same():
    alone = frame([score(0, benchmark=None, benchmark_wis=None, scale=None)])
    typed = alone.cast({"benchmark": pl.Float64, "benchmark_wis": pl.Float64, "scale": pl.Float64})
    (row,) = table(typed, BY_HORIZON).to_dicts()
    assert (row["coverage_80"], row["relative_wis"], row["mase"]) == (1.0, None, None)


@given(st.permutations(range(8)))
def test_what_is_told_does_not_depend_on_the_order_of_rows(order):
    rows = frame(
        score(m // 2, inside=m % 3 > 0, issue=1 + m % 2, area="ab"[m % 2]) for m in range(8)
    )
    assert recent(rows[order]) == recent(rows)
    assert summary(rows[order]) == summary(rows)


def test_forecasts_that_are_right_raise_no_alert():
    right = frame(score(m, inside=m % 5 > 0, pit=(m * 7 % 20 + 0.5) / 20) for m in range(20))
    even = right.with_columns(
        covered_50=pl.int_range(pl.len()) % 2 == 0, covered_95=pl.int_range(pl.len()) > 0
    )
    assert alerts(even) == []


def test_bands_that_are_too_narrow_raise_an_alert_with_its_chance_to_be_false():
    rows = frame(score(m, inside=m % 2 == 0, pit=0.5) for m in range(24))
    found = [alert for alert in alerts(rows) if alert.nominal == 0.95]
    assert [(a.kind, a.seen, a.outcomes, a.false_rate) for a in found] == [
        ("too_narrow", 0.5, 24, FALSE_RATE)
    ]
    assert found[0].p_value == pytest.approx(binomial_p(12, 24, 0.95))


def test_bands_that_always_hold_are_too_wide():
    rows = frame(score(m, pit=0.5) for m in range(24))
    assert {(a.kind, a.nominal) for a in alerts(rows)} == {("too_wide", 0.5), ("too_wide", 0.8)}


def test_a_simulated_series_alarms_nobody():
    rows = frame(score(m, inside=m % 2 == 0, simulated=True) for m in range(24))
    assert alerts(rows) == []
    assert all(alert.simulated for alert in alerts(rows, simulated=True))
    assert alerts(rows, simulated=True)


def test_too_few_periods_alarm_nobody():
    areas = [f"{n:05d}" for n in range(100)]
    rows = frame(score(m, inside=False, area=area) for m in range(5) for area in areas)
    assert alerts(rows) == []


def test_a_hundred_communes_that_miss_one_month_together_are_not_a_hundred_misses():
    inside, outcomes = np.array([100, 100, 0, 100, 100, 100, 100]), np.full(7, 100)
    assert independent(inside, outcomes) == 7
    chance = np.random.default_rng(1).binomial(100, 0.8, 50)
    assert independent(chance, np.full(50, 100)) > 3000


def test_outcomes_above_what_was_expected_month_after_month_are_told_with_their_beginning():
    rows = frame(score(m, pit=0.5 if m < 6 else 0.95) for m in range(14))
    (lean,) = [alert for alert in alerts(rows) if alert.nominal is None]
    assert (lean.kind, lean.since) == ("too_low", MONTHS[6])
    assert lean.false_rate == 1 / PERIODS_TO_FALSE_ALARM
    low = rows.with_columns(pit=1 - pl.col("pit"))
    assert [a.kind for a in alerts(low) if a.nominal is None] == ["too_high"]


def test_what_came_right_again_rings_no_more():
    assert cusum(np.array([2.0] * 5)) == (True, 0)
    assert cusum(np.array([2.0] * 5 + [-1.0] * 5)) is None


def test_the_false_alarms_of_the_sum_are_as_rare_as_stated():
    chance = np.random.default_rng(5)
    lengths = []
    for _ in range(300):
        high = low = 0.0
        length = 0
        while max(high, low) <= 5:
            z = chance.standard_normal()
            high, low, length = max(0, high + z - 0.5), max(0, low - z - 0.5), length + 1
        lengths.append(length)
    assert np.mean(lengths) == pytest.approx(PERIODS_TO_FALSE_ALARM, rel=0.2)


def test_looks_at_right_forecasts_ring_falsely_no_more_often_than_stated():
    chance = np.random.default_rng(7)
    rung = 0
    for _ in range(200):
        pits = chance.uniform(size=(4, 12))
        rows = frame(
            score(
                m, indicator=str(n), pit=0.5, covered_50=abs(pits[n, m] - 0.5) < 0.25,
                covered_80=abs(pits[n, m] - 0.5) < 0.4, covered_95=abs(pits[n, m] - 0.5) < 0.475,
            )
            for n in range(4) for m in range(12)
        )  # fmt: skip
        rung += bool(alerts(rows))
    assert rung / 200 <= FALSE_RATE + 0.015
