"""Months that are not over: completed from their days, never taken as whole."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.calendars import calendar
from etl.catalog import parse_catalog
from etl.periods import Frequency
from forecasts.nowcast import LEVELS, complete, days
from forecasts.panel import Floats, Panel, steps
from tests.conftest import HEAD

START = date(2024, 1, 1)
TODAY = date(2026, 7, 13)
UNTIL_END_OF_JULY = (date(2026, 7, 31) - START).days + 1


def panel_of(values: Floats, start: date = START, category: str = "total") -> Panel:
    keys = pl.DataFrame(
        {
            "indicator": ["received"] * len(values),
            "area": [f"{row:05d}" for row in range(len(values))],
            "category": [category] * len(values),
        }
    )
    periods = steps(start, Frequency.DAY, values.shape[1])
    free = np.full(len(values), np.inf)
    return Panel(keys, periods, values, Frequency.DAY, np.zeros(len(values)), free, tet=True)


def office(series: int = 30, level: float = 40.0, count: int = UNTIL_END_OF_JULY) -> Floats:
    """Cases expected each day: offices closed at weekends and on holidays, Mondays busy."""
    table = calendar(START, START + timedelta(days=count - 1))
    busy = np.where((table["date"].dt.weekday() == 1).to_numpy(), 1.4, 1.0)
    open_ = table["working"].to_numpy().astype(float)
    return np.asarray(level * np.linspace(0.5, 1.5, series)[:, None] * busy * open_)


def counts(mean: Floats, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).poisson(mean).astype(float)


def july(values: Floats) -> Floats:
    return np.asarray(values[:, -31:].sum(axis=1))


@pytest.mark.parametrize("day", [3, 8, 13, 20, 29])
def test_a_part_of_a_month_becomes_the_whole(day):
    values = counts(office())
    seen = complete(panel_of(values), date(2026, 7, day))
    np.testing.assert_allclose(seen.expected, july(values), rtol=0.25)
    assert seen.expected.sum() == pytest.approx(july(values).sum(), rel=0.03)
    assert seen.month == date(2026, 7, 1)
    assert seen.through == date(2026, 7, day - 1)
    np.testing.assert_array_equal(seen.so_far, values[:, -31 : day - 32].sum(axis=1))


def test_the_share_done_counts_working_days_and_not_days():
    seen = complete(panel_of(counts(office())), date(2026, 7, 6))  # Wednesday to Friday gone
    assert seen.done[0] == pytest.approx(3 / 24.2, abs=0.02)  # not 5 of 31 days; 3 busy Mondays


def test_days_off_for_tet_are_foreseen():
    values = counts(office(count=(date(2026, 2, 28) - START).days + 1))
    seen = complete(panel_of(values), date(2026, 2, 14))
    assert seen.expected.sum() == pytest.approx(values[:, -28:].sum(), rel=0.05)


def test_a_rush_at_the_end_of_months_is_learned():
    mean = office()
    last_week = calendar(START, date(2026, 7, 31))["date"].dt.day().to_numpy() > 24
    values = counts(np.where(last_week, 2.5, 1.0) * mean)
    seen = complete(panel_of(values), date(2026, 7, 20))
    assert seen.expected.sum() == pytest.approx(july(values).sum(), rel=0.05)


def test_the_bands_hold_what_they_say():
    held = []
    for seed in range(12):
        chance = np.random.default_rng(seed)
        month = np.array([(START + timedelta(days=n)).month for n in range(UNTIL_END_OF_JULY)])
        level = np.exp(chance.normal(0, 0.08, (30, 13)))[:, month]
        values = counts(office(level=8.0) * level, seed)
        seen = complete(panel_of(values), TODAY)
        total = july(values)
        held.append((seen.quantiles[1] <= total) & (total <= seen.quantiles[5]))
    assert np.mean(held) == pytest.approx(0.8, abs=0.06)


def test_quantiles_rise_and_none_is_below_what_is_there():
    seen = complete(panel_of(counts(office(level=1.0))), TODAY)
    assert (np.diff(seen.quantiles, axis=0) >= 0).all()
    assert (seen.quantiles >= seen.so_far).all()
    assert seen.quantiles.shape == (len(LEVELS), 30)


def test_on_the_first_of_a_month_the_one_before_is_over():
    values = counts(office())
    seen = complete(panel_of(values), date(2026, 8, 1))
    np.testing.assert_array_equal(seen.expected, july(values))
    np.testing.assert_allclose(seen.quantiles, np.tile(july(values), (len(LEVELS), 1)))
    np.testing.assert_allclose(seen.done, 1)


@settings(max_examples=10)
@given(planted=st.floats(0, 1e9), day=st.integers(2, 31))
def test_no_value_from_today_on_is_used(planted, day):
    values = counts(office(series=4))
    other = values.copy()
    other[:, day - 32 :] = planted
    once, again = (complete(panel_of(rows), date(2026, 7, day)) for rows in (values, other))
    np.testing.assert_array_equal(again.expected, once.expected)
    np.testing.assert_array_equal(again.quantiles, once.quantiles)


@settings(max_examples=10)
@given(scale=st.floats(0.01, 1e6))
def test_another_unit_changes_nothing_but_the_unit(scale):
    values = counts(office(series=4))
    once = complete(panel_of(values), TODAY)
    again = complete(panel_of(values * scale), TODAY)
    np.testing.assert_allclose(again.quantiles, scale * once.quantiles, rtol=1e-6)
    np.testing.assert_allclose(again.done, once.done, rtol=1e-6)


def test_fewer_than_six_past_months_are_refused():
    values = counts(office(count=UNTIL_END_OF_JULY))[:, -31 - 30 * 6 :]
    start = date(2026, 7, 31) - timedelta(days=values.shape[1] - 1)
    seen = complete(panel_of(values, start), TODAY)
    assert set(seen.refused) == {"too_few_months"}
    assert np.isnan(seen.expected).all()


def test_a_series_is_refused_for_its_own_reason_and_spoils_none():
    values = counts(office(series=5))
    whole = complete(panel_of(values[3:]), TODAY)
    values[0, :-180] = np.nan
    values[1, -25] = np.nan
    values[2, 5] = -1
    seen = complete(panel_of(values), TODAY)
    assert seen.refused == ("too_few_months", "days_missing", "negative_values", None, None)
    np.testing.assert_allclose(seen.expected[3:], whole.expected)


def test_a_month_of_which_nothing_is_known_is_not_guessed():
    seen = complete(panel_of(counts(office())), date(2026, 8, 15))
    assert set(seen.refused) == {"nothing_yet"}


def test_a_series_of_zeros_comes_to_nothing():
    values = counts(office())
    values[0] = 0
    seen = complete(panel_of(values), TODAY)
    assert seen.expected[0] == 0
    assert np.isfinite(seen.quantiles).all()


def test_only_days_make_months():
    monthly = Panel.from_frame(
        pl.DataFrame({"key": ["a"], "period": [START], "value": [1.0]}),
        Frequency.MONTH,
        key=["key"],
        alike=(),
    )
    with pytest.raises(ValueError, match="not from a panel by month"):
        complete(monthly, TODAY)


CASES = """
- name: dossiers
  title: Hồ sơ
  sources: [{path: dossiers.csv}]
  read: {delimiter: ";", dates: "%d/%m/%Y"}
  licenses: [{name: internal}]
  clean: {areas: {level: [commune, district], on: received}}
  schema:
    fields:
    - {name: id, from: [Mã], constraints: {required: true, unique: true}}
    - {name: area, from: [Nơi nhận]}
    - {name: received, type: date, from: [Nhận]}
  tables:
  - name: counted
    by: [area]
    measures: [{name: received, count: received}]
  indicators: [{name: received, title: Nhận, title_en: Received, value: received}]
  forecast: {frequency: month, horizon: 3, grains: [commune], calendar: tet}
"""
DOSSIERS = """Mã;Nơi nhận;Nhận
1;Phường Cái Khế, Quận Ninh Kiều, TP Cần Thơ;29/06/2025
2;Phường Cái Khế;01/07/2025
3;Phường Cái Khế;01/07/2025
4;Phường Ninh Kiều;03/07/2025
"""


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("commune", {"31120": [1, 0, 2, 0, 0], "31135": [0, 0, 0, 0, 1]}),
        ("city", {"can_tho": [1, 0, 2, 0, 1]}),
    ],
)
def test_days_without_cases_are_zeros_on_the_boundaries_of_today(refresh, level, expected):
    warehouse = refresh(CASES, dossiers_csv=DOSSIERS)
    found = days(warehouse, parse_catalog(HEAD + CASES), "received", level, START, TODAY)
    assert found is not None
    assert found.periods == steps(date(2025, 6, 29), Frequency.DAY, 5)
    assert dict(zip(found.keys["area"], found.values.tolist(), strict=True)) == expected
    assert found.tet


def test_no_day_makes_no_panel(refresh):
    warehouse = refresh(CASES, dossiers_csv=DOSSIERS)
    catalog = parse_catalog(HEAD + CASES)
    assert days(warehouse, catalog, "received", "commune", date(2026, 1, 1), TODAY) is None
