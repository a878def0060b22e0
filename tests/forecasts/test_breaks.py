"""Steps in the past: those declared, those found, and what they must not cost."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest
from conftest import HEAD, ROOT

from etl.catalog import load_catalog, parse_catalog
from etl.periods import Frequency
from forecasts.breaks import Break, LevelShifts, declared, level_shifts
from forecasts.panel import Panel, steps

FIELDS, COMMUNES = 15, 40


def panel_of(
    values: np.ndarray,
    siblings: np.ndarray | None = None,
    frequency: Frequency = Frequency.MONTH,
    *,
    tet: bool = False,
) -> Panel:
    """A panel from January 2019 on whose siblings have one category."""
    numbers = np.arange(len(values)) if siblings is None else siblings
    keys = pl.DataFrame(
        {
            "indicator": ["received"] * len(values),
            "area": [f"{row:05d}" for row in range(len(values))],
            "category": [f"{number:05d}" for number in numbers],
        }
    )
    periods = steps(date(2019, 1, 1), frequency, values.shape[1])
    wide = np.full(len(values), np.inf)
    return Panel(keys, periods, values.copy(), frequency, -wide, wide, tet)


def counts(points: int, *, seed: int, level: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Simulated counts of communes by field, and their fields: season, drift and common chance."""
    chance = np.random.default_rng(seed)
    field = np.arange(FIELDS * COMMUNES) % FIELDS
    shape = (len(field), points)
    season = np.exp(0.15 * chance.normal(size=(FIELDS, 12)))[field][:, np.arange(points) % 12]
    drift = np.exp(np.cumsum(chance.normal(0, 0.02, shape), axis=1))
    common = np.exp(chance.normal(0, 0.03, (FIELDS, points)))[field]
    mean = level * np.exp(chance.normal(0, 1, (len(field), 1))) * season * drift * common
    return chance.poisson(mean * chance.gamma(30, 1 / 30, shape)).astype(float), field


def stepped(after: int, seed: int, effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """72 months of counts of which the last `after` are stepped; the fields, and the log steps."""
    values, field = counts(72, seed=seed)
    chance = np.random.default_rng(seed + 1)
    step = effect * (chance.normal(0.15, 0.3, FIELDS)[field] + chance.normal(0, 0.15, len(field)))
    values[:, -after:] = np.round(values[:, -after:] * np.exp(step)[:, None])
    return values, field, step


def reform(panel: Panel, after: int) -> Break:
    return Break("reform", panel.periods[-after])


def typical_error(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.sqrt(np.mean((found - true) ** 2)))


@pytest.mark.parametrize("after", [1, 3, 6, 12])
def test_a_shrunk_step_is_nearer_the_truth_than_none_and_than_what_is_seen(after):
    values, field, step = stepped(after, seed=after, effect=1.0)
    panel = panel_of(values, field)
    found = level_shifts(panel, [reform(panel, after)], false_rate=0)
    year_before = values[:, -after - 12 : -after]
    if after < 12:
        year_before = year_before[:, :after]
    with np.errstate(divide="ignore"):
        seen = np.log((values[:, -after:].sum(axis=1) + 0.5) / (year_before.sum(axis=1) + 0.5))
    error = typical_error(found.log_shift[:, 0], step)
    assert error < 0.8 * typical_error(seen, step)
    assert error < 0.6 * typical_error(np.zeros(len(step)), step)
    np.testing.assert_allclose(found.factor[:, 0], np.exp(found.log_shift[:, 0]))
    assert (found.factor[:, -after:] == 1).all()


def forecast_error(values: np.ndarray, factor: np.ndarray, outcome: np.ndarray) -> float:
    """Mean absolute error of a slow level, over the mean outcome, without season."""
    weights = 0.8 ** np.arange(values.shape[1])[::-1]
    level = (values * factor) @ weights / weights.sum()
    return float(np.abs(outcome - level[:, None]).mean() / outcome.mean())


@pytest.mark.parametrize("after", [1, 2, 3, 6])
def test_carrying_the_past_over_makes_better_forecasts_soon_after_a_step(after):
    values, field, _ = stepped(after + 6, seed=20 + after, effect=1.0)
    known = values[:, :-6]
    panel = panel_of(known, field)
    found = level_shifts(panel, [reform(panel, after)])
    raw = np.ones(known.shape)
    before, since = known[:, -after - 6 : -after].mean(axis=1), known[:, -after:].mean(axis=1)
    raw[:, :-after] = ((since + 0.5) / (before + 0.5))[:, None]
    error = forecast_error(known, found.factor, values[:, -6:])
    assert error < 0.99 * forecast_error(known, np.ones(known.shape), values[:, -6:])
    assert error < 0.99 * forecast_error(known, raw, values[:, -6:])


@pytest.mark.parametrize("after", [1, 3, 6, 12, 16])
def test_an_event_without_effect_leaves_the_past_as_it_is(after):
    values, field, _ = stepped(after, seed=40 + after, effect=0.0)
    panel = panel_of(values, field)
    found = level_shifts(panel, [reform(panel, after)])
    assert np.median(np.abs(found.log_shift)) < 0.02
    assert np.mean(np.abs(found.log_shift)) < 0.04


def test_the_variance_of_a_step_is_that_of_its_error():
    values, field, step = stepped(3, seed=3, effect=1.0)
    panel = panel_of(values, field)
    found = level_shifts(panel, [reform(panel, 3)])
    missed = (found.log_shift[:, 0] - step) ** 2
    assert 0.5 < found.variance.mean() / missed.mean() < 2


def test_two_events_are_told_apart():
    values, field = counts(84, seed=6)
    values[:, 60:72] *= 2
    values[:, 72:] *= 3
    panel = panel_of(values, field)
    events = [Break("later", panel.periods[72]), Break("earlier", panel.periods[60])]
    found = level_shifts(panel, events)
    assert found.events == ("earlier", "later")
    np.testing.assert_allclose(found.log_shift.mean(axis=0), np.log([2, 1.5]), atol=0.1)
    np.testing.assert_allclose(found.factor[:, 0].mean(), 3, rtol=0.1)
    np.testing.assert_allclose(found.factor[:, 65].mean(), 1.5, rtol=0.1)


def test_only_the_series_concerned_are_moved():
    values, field = counts(72, seed=7)
    values[:, -6:] *= 2
    panel = panel_of(values, field)
    event = Break("reform", panel.periods[-6], only={"category": frozenset({"00003", "00004"})})
    found = level_shifts(panel, [event], false_rate=0)
    concerned = np.isin(field, [3, 4])
    assert (found.factor[~concerned] == 1).all()
    assert (found.factor[concerned, 0] > 1.4).all()


def test_a_step_within_a_period_moves_the_part_before_it():
    values, field = counts(72, seed=8)
    values[:, -6:] *= 2
    panel = panel_of(values, field)
    tenth = panel.periods[-7].replace(day=10)
    found = level_shifts(panel, [Break("reform", tenth)])
    share = np.log(found.factor[:, -7]) / np.log(found.factor[:, -8])
    days = (panel.periods[-6] - panel.periods[-7]).days
    np.testing.assert_allclose(share, 9 / days, rtol=1e-9)


def test_a_step_that_goes_the_wrong_way_is_chance():
    values, field = counts(72, seed=9)
    values[:, -6:] *= 2
    panel = panel_of(values, field)
    up, down = (
        level_shifts(panel, [Break("reform", panel.periods[-6], expect=way)], false_rate=0)
        for way in ("up", "down")
    )
    assert up.log_shift.mean() > 0.6
    assert (down.log_shift <= 0).all()
    assert np.abs(down.log_shift).mean() < 0.01


def test_pulses_and_months_of_transition_are_masked_and_move_nothing():
    values, field = counts(60, seed=10)
    panel = panel_of(values, field)
    closed = Break("flood", date(2021, 3, 2), last=date(2021, 5, 3), kind="pulse")
    moved = Break("reform", panel.periods[40], masked=(panel.periods[40], panel.periods[41]))
    found = level_shifts(panel, [closed, moved], false_rate=0)
    masked = np.flatnonzero(found.mask.all(axis=0))
    assert [panel.periods[at].isoformat()[:7] for at in masked] == [
        "2021-03",
        "2021-04",
        *(period.isoformat()[:7] for period in panel.periods[40:42]),
    ]
    assert found.events == ("reform",)


def test_series_below_zero_are_moved_by_a_sum():
    chance = np.random.default_rng(11)
    values = chance.normal(0, 2, (30, 60))
    values[:, -8:] += 10
    panel = panel_of(values, np.zeros(30, dtype=int))
    found = level_shifts(panel, [reform(panel, 8)])
    assert (found.factor == 1).all()
    np.testing.assert_allclose(found.additive[:, 0], 10, atol=2.5)
    np.testing.assert_allclose(found.additive[:, 0], found.log_shift[:, 0] * found.unit)
    assert (found.additive[:, -8:] == 0).all()


@pytest.mark.parametrize("scale", [1e-6, 2.0, 1e9])
def test_doubling_the_past_changes_no_finding(scale):
    values, field, _ = stepped(6, seed=12, effect=1.0)
    values[5, 20] *= 30
    once, scaled = (panel_of(values * by, field) for by in (1.0, scale))
    first, second = (level_shifts(panel, [reform(panel, 6)]) for panel in (once, scaled))
    np.testing.assert_allclose(first.factor, second.factor, rtol=1e-6)
    np.testing.assert_allclose(first.variance, second.variance, rtol=1e-6, atol=1e-12)
    np.testing.assert_array_equal(first.mask, second.mask)


def test_the_order_of_the_series_does_not_matter():
    values, field, _ = stepped(6, seed=13, effect=1.0)
    order = np.random.default_rng(0).permutation(len(values))
    straight, mixed = panel_of(values, field), panel_of(values[order], field[order])
    first, second = (level_shifts(panel, [reform(panel, 6)]) for panel in (straight, mixed))
    np.testing.assert_allclose(first.factor[order], second.factor, rtol=1e-9)


def test_what_is_not_yet_known_changes_nothing():
    values, field, _ = stepped(8, seed=14, effect=1.0)
    panel = panel_of(values, field)
    other = values.copy()
    other[:, 68:] *= 100
    event = reform(panel, 8)
    first, second = (
        level_shifts(panel_of(some, field).until(67), [event]) for some in (values, other)
    )
    np.testing.assert_array_equal(first.factor, second.factor)
    np.testing.assert_array_equal(first.mask, second.mask)
    assert level_shifts(panel.until(60), [event]).events == ()


def test_blocks_of_series_are_only_a_matter_of_memory(monkeypatch):
    values, field, _ = stepped(6, seed=15, effect=1.0)
    panel = panel_of(values, field)
    whole = level_shifts(panel, [reform(panel, 6)])
    monkeypatch.setattr("forecasts.breaks.BLOCK", 100)
    parts = level_shifts(panel, [reform(panel, 6)])
    np.testing.assert_allclose(whole.factor, parts.factor, rtol=1e-9)
    assert whole.detected.equals(parts.detected)
    assert whole.treatments.drop("^loss.*$").equals(parts.treatments.drop("^loss.*$"))


def test_gaps_and_a_late_start_are_ridden_over():
    values, field, step = stepped(6, seed=16, effect=1.0)
    holes = np.random.default_rng(1).random(values.shape) < 0.1
    values[holes] = np.nan
    values[:50, :30] = np.nan
    panel = panel_of(values, field)
    found = level_shifts(panel, [reform(panel, 6)])
    assert np.isfinite(found.factor).all()
    assert typical_error(found.log_shift[:, 0], step) < 0.2
    assert np.isnan(found.applied(panel.values)[holes]).all()


HARMLESS: dict[str, Callable[[], np.ndarray]] = {
    "constant": lambda: np.full((3, 60), 7.0),
    "zero": lambda: np.zeros((3, 60)),
    "missing": lambda: np.full((3, 60), np.nan),
    "short": lambda: np.arange(3.0)[:, None] + np.ones((3, 3)),
    "one value": lambda: np.ones((3, 1)),
    "one spike": lambda: np.where(np.arange(60) == 30, 5.0, np.zeros((3, 1))),
    "huge": lambda: 1e300 * (1 + np.arange(60) % 2) * np.ones((3, 1)),
    "tiny": lambda: 1e-300 * (1 + np.arange(60) % 2) * np.ones((3, 1)),
}


@pytest.mark.parametrize("frequency", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("kind", HARMLESS)
def test_strange_series_are_left_as_they_are(kind, frequency):
    panel = panel_of(HARMLESS[kind](), np.zeros(3, dtype=int), Frequency(frequency), tet=True)
    middle = panel.periods[len(panel.periods) // 2]
    found = level_shifts(panel, [Break("reform", middle)])
    assert isinstance(found, LevelShifts)
    np.testing.assert_allclose(found.factor, 1, rtol=1e-6)
    assert (found.additive == 0).all()
    assert not found.mask.any()


def test_an_empty_panel_has_no_steps():
    found = level_shifts(panel_of(np.ones((1, 24))).take([]), [Break("reform", date(2020, 1, 1))])
    assert found.factor.shape == (0, 24)


# --- what to do about a step -----------------------------------------------------------------


def test_a_short_time_after_a_step_the_past_is_carried_over():
    values, field, _ = stepped(2, seed=17, effect=1.0)
    panel = panel_of(values, field)
    told = level_shifts(panel, [reform(panel, 2)]).treatments
    assert told["treatment"].unique().to_list() == ["shifted"]
    assert told["reason"].unique().to_list() == ["few_values_after"]
    assert told["group"].to_list() == list(range(FIELDS))


def test_where_the_past_tells_nothing_of_the_level_it_is_forgotten():
    chance = np.random.default_rng(18)
    level = np.exp(np.cumsum(chance.normal(0, 0.5, (60, 60)), axis=1))
    level[:, -12:] = np.exp(chance.normal(3, 0.6, (60, 1)))
    values = chance.poisson(np.clip(20 * level, 1, 1e6)).astype(float)
    panel = panel_of(values, np.zeros(60, dtype=int))
    found = level_shifts(panel, [reform(panel, 12)], false_rate=0)
    (told,) = found.treatments.to_dicts()
    assert (told["treatment"], told["reason"]) == ("forgotten", "smaller_errors")
    assert told["loss_forgotten"] < told["loss_shifted"]
    flat = found.applied(panel.values)
    before, since = (part.mean(axis=1) for part in (flat[:, 6:-12], flat[:, -12:]))
    np.testing.assert_allclose(np.median(before / since), 1, atol=0.1)


def test_the_events_of_the_catalog_are_breaks():
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    merger, free = declared(catalog)
    assert (merger.name, merger.day) == ("communes_2025", date(2025, 7, 1))
    keys = pl.DataFrame(
        {
            "indicator": ["applications_received", "applications_received", "exports_goods"],
            "area": ["31135", "can_tho", "national"],
        }
    )
    assert merger.concerns(keys).tolist() == [True, True, False]
    assert free.concerns(keys).tolist() == [True, False, False]


def test_an_event_of_two_lists_concerns_what_is_in_both():
    text = """
- name: a
  title: A
  sources: [{path: a.csv}]
  schema: {fields: [{name: period, type: year}, {name: x, type: number}, {name: y, type: number}]}
  indicators:
  - {name: one, title: Một, title_en: One, value: x}
  - {name: two, title: Hai, title_en: Two, value: y}
events:
- {name: e, title: E, title_en: E, source: S, date: 2024-05-02, masked: [2024-05],
   expect: up, concerns: {datasets: [a], indicators: [two]}}
"""
    (event,) = declared(parse_catalog(HEAD + text))
    assert event.only == {"indicator": frozenset({"two"})}
    assert (event.masked, event.expect) == ((date(2024, 5, 1),), "up")
