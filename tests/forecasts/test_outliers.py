"""What is found that nobody declared: spikes and steps, and how seldom where there are none."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from forecasts.breaks import level_shifts
from tests.forecasts.test_breaks import panel_of

SERIES, MONTHS = 400, 84
TIME = np.arange(MONTHS)
Values = np.ndarray


def season(chance: np.random.Generator, size: float = 0.3) -> Values:
    return 1 + size * np.sin(2 * np.pi * TIME / 12 + chance.uniform(0, 6, (SERIES, 1)))


def noise(chance: np.random.Generator, size: float) -> Values:
    return np.exp(chance.normal(0, size, (SERIES, MONTHS)))


def walk(chance: np.random.Generator, size: float) -> Values:
    return np.exp(np.cumsum(chance.normal(0, size, (SERIES, MONTHS)), axis=1))


CLEAN: dict[str, Callable[[np.random.Generator], Values]] = {
    "noise": lambda c: 200 * noise(c, 0.1),
    "seasonal": lambda c: 200 * season(c) * noise(c, 0.1),
    "random walk": lambda c: 100 * walk(c, 0.05),
    "wild random walk": lambda c: 100 * walk(c, 0.3),
    "trend": lambda c: 200 * np.exp(0.01 * TIME) * season(c) * noise(c, 0.05),
    "bending trend": lambda c: 200 * np.exp(np.sin(2 * np.pi * TIME / 70)) * noise(c, 0.05),
    "moving level": lambda c: 200 * season(c) * walk(c, 0.03) * noise(c, 0.1),
    "growing season": lambda c: (
        200 * (1 + (0.2 + 0.4 * TIME / MONTHS) * np.sin(2 * np.pi * TIME / 12)) * noise(c, 0.05)
    ),
    "counts of 1": lambda c: c.poisson(1 * season(c)).astype(float),
    "counts of 5": lambda c: c.poisson(5 * season(c)).astype(float),
    "counts of 50": lambda c: c.poisson(50 * season(c)).astype(float),
    "restless counts": lambda c: c.poisson(10 * c.gamma(4, 0.25, (SERIES, MONTHS))).astype(float),
    "below zero": lambda c: c.normal(0, 3, (SERIES, MONTHS)),
    "peaks every July": lambda c: 100 * np.where(TIME % 12 == 6, 3, 1) * noise(c, 0.1),
}


@pytest.mark.parametrize("kind", CLEAN)
def test_little_is_found_where_there_is_nothing(kind):
    found = level_shifts(panel_of(CLEAN[kind](np.random.default_rng(1)))).detected
    assert found["series"].n_unique() / SERIES <= 0.015


def test_less_is_found_at_a_smaller_rate_and_nothing_at_none():
    values = 200 * np.exp(0.05 * np.random.default_rng(2).standard_t(4, (SERIES, MONTHS)))
    counts = [level_shifts(panel_of(values), false_rate=r).detected.height for r in (0.5, 0.01, 0)]
    assert counts[0] > counts[1] > counts[2] == 0


@pytest.mark.parametrize("size", [0.8, -0.8, -5.0])
def test_a_single_spike_is_masked_and_listed_and_nothing_else_is(size):
    chance = np.random.default_rng(3)
    values = 200 * season(chance) * noise(chance, 0.1)
    rows, at = np.arange(SERIES), chance.integers(6, MONTHS - 4, SERIES)
    values[rows, at] *= np.exp(size)
    panel = panel_of(values)
    found = level_shifts(panel)
    assert found.mask[rows, at].mean() > 0.8
    assert found.mask.sum() - found.mask[rows, at].sum() < 0.08 * SERIES
    told = found.detected.filter(kind="outlier", treated_as="masked")
    assert told.height == found.mask.sum()
    assert (np.sign(told["size"].median()), np.sign(told["evidence"].median())) == (
        np.sign(size),
    ) * 2
    assert np.isnan(found.applied(panel.values)[found.mask]).all()
    assert np.isfinite(panel.values).all()


@pytest.mark.parametrize("size", [0.6, -0.9])
def test_a_lasting_step_is_found_where_it_is_and_the_past_moved_by_it(size):
    chance = np.random.default_rng(4)
    values = 200 * season(chance) * noise(chance, 0.1)
    at = chance.integers(12, MONTHS - 8, SERIES)
    values *= np.exp(size * (at[:, None] <= TIME))
    panel = panel_of(values)
    found = level_shifts(panel)
    told = found.detected.filter(kind="step").unique("series", keep="first")
    column = np.searchsorted(np.array(panel.periods), told["period"].to_numpy().astype("O"))
    assert told.height > 0.85 * SERIES
    assert np.mean(column == at[told["series"]]) > 0.9
    np.testing.assert_allclose(told["size"].median(), size, atol=0.12)
    np.testing.assert_allclose(np.median(found.factor[:, 0]), np.exp(size), rtol=0.12)
    assert (found.factor[:, -1] == 1).all()


@pytest.mark.parametrize("later", [0, 1, 3])
def test_what_is_new_at_the_end_is_neither_step_nor_outlier_yet(later):
    values = 200 * noise(np.random.default_rng(5), 0.1)
    values[:, MONTHS - 1 - later :] *= 4
    found = level_shifts(panel_of(values))
    assert not found.mask[:, MONTHS - 1 - later :].any()
    assert (np.abs(found.detected["size"]) < 1).all()


def test_a_peak_that_returns_every_year_is_no_outlier_though_its_height_varies():
    chance = np.random.default_rng(6)
    height = np.where(TIME % 12 == 6, np.exp(chance.normal(1, 0.3, (SERIES, MONTHS))), 1)
    found = level_shifts(panel_of(100 * height * noise(chance, 0.1)))
    assert found.mask[:, TIME % 12 == 6].mean() < 0.015
    assert found.mask.mean() < 0.002


def test_months_that_tet_moves_are_no_outliers_unless_the_calendar_is_known():
    values = 200 * noise(np.random.default_rng(7), 0.05)
    values[:, 48] *= 0.3  # January 2023, with Tết in it
    values[:, 54] *= 0.3
    with_tet, without = (panel_of(values, tet=tet) for tet in (True, False))
    assert not level_shifts(with_tet).mask[:, 48].any()
    assert level_shifts(with_tet).mask[:, 54].all()
    assert level_shifts(without).mask[:, 48].all()
    calendar = np.ones(values.shape)
    calendar[:, 48] = 0.3
    known = level_shifts(with_tet, calendar=calendar)
    assert not known.mask[:, 48].any()
    calendar[:, 48] = 1
    assert level_shifts(with_tet, calendar=calendar).mask[:, 48].all()


def test_siblings_show_together_a_step_too_small_for_each():
    chance = np.random.default_rng(8)
    values = 200 * season(chance) * noise(chance, 0.15)
    siblings = np.arange(SERIES) % 8
    values[siblings == 3, 60:] *= 1.35
    panel = panel_of(values, siblings)
    found = level_shifts(panel).detected.filter(kind="shared_step")
    assert found["series"].to_list() == np.flatnonzero(siblings == 3).tolist()
    assert found["period"].unique().to_list() == [panel.periods[60]]
    np.testing.assert_allclose(found["size"].mean(), np.log(1.35), atol=0.05)
    alone = level_shifts(panel_of(values)).detected.filter(pl.col("kind") == "step")
    assert alone.height < 0.4 * found.height


def test_what_is_found_is_shown_on_the_scale_of_the_series():
    values = np.random.default_rng(9).normal(0, 1, (50, MONTHS))
    values[:, 40] += 30
    scaled = values * 1e6
    first, second = (level_shifts(panel_of(some)) for some in (values, scaled))
    assert first.mask[:, 40].all()
    np.testing.assert_allclose(first.detected["size"], second.detected["size"], rtol=1e-6)
    np.testing.assert_allclose(second.unit, 1e6 * first.unit, rtol=1e-6)
