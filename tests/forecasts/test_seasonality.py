"""Seasons that are known, and what is found of them."""

import numpy as np
import pytest

from forecasts.seasonality import detrended, lent_factors, own_factors, seasonal

WAVE = 0.4 * np.sin(2 * np.pi * np.arange(12) / 12)
SPIKY = np.array([0.6, -0.5, 0.1, 0, 0.2, -0.3, 0.1, 0.4, -0.2, -0.1, -0.6, 0.3])


def history(factors, points, *, noise=0.0, slope=0.0, seed=0):
    """One row: level 5, a line, the factors over and over, and chance."""
    season = np.resize(factors, points)
    chance = np.random.default_rng(seed).normal(0, noise, points)
    return 5 + slope * np.arange(points) + season + chance


def lent(rows, groups=None, phases=None, season=12):
    """Factors lent; histories end where their NaN begins."""
    values = np.array(rows)
    lengths = np.isfinite(values).sum(axis=1)
    zeros = np.zeros(len(values), dtype=int)
    return lent_factors(
        values,
        lengths,
        zeros if groups is None else np.array(groups),
        zeros if phases is None else np.array(phases),
        season,
    )


def rmse(found, truth):
    return np.sqrt(np.mean((np.asarray(found) - truth) ** 2))


@pytest.mark.parametrize("factors", [WAVE, SPIKY])
@pytest.mark.parametrize("slope", [0.0, 0.05])
def test_the_season_of_a_series_without_chance_is_found_whole(factors, slope):
    (found,) = own_factors(history(factors, 60, slope=slope)[None], 12)
    np.testing.assert_allclose(found, factors, atol=1e-9)


def test_a_season_of_four_or_seven_is_found_as_well():
    for factors in (np.array([0.3, -0.1, -0.3, 0.1]), np.array([0.2, 0.1, 0, 0, -0.1, -0.1, -0.1])):
        (found,) = own_factors(history(factors, 60)[None], len(factors))
        np.testing.assert_allclose(found, factors, atol=1e-9)


def test_a_line_leaves_nothing_without_its_moving_mean():
    rest = detrended(np.arange(30.0)[None], 12)[0]
    np.testing.assert_allclose(rest[6:-6], 0, atol=1e-12)
    assert np.isnan(rest[:6]).all()
    assert np.isnan(rest[-6:]).all()


def test_months_in_which_offices_were_shut_leave_the_season_as_it_is():
    """A dip of all siblings at once looked like their season."""
    rows = np.stack([history(WAVE, 84, noise=0.1, seed=n) for n in range(20)])
    rows[:, 40:43] -= 1.5
    everyone = np.ones(20, dtype=bool)
    assert rmse(own_factors(rows, 12), WAVE) < 0.7 * rmse(own_factors(rows, 12, everyone), WAVE)
    assert rmse(lent(rows), WAVE) < 0.06


def test_chance_alone_has_next_to_no_season():
    rows = np.stack([history([0.0], 60, noise=0.3, seed=n) for n in range(50)])
    plain = np.stack([row[:60].reshape(5, 12).mean(axis=0) - row.mean() for row in rows])
    assert rmse(own_factors(rows, 12), 0) < 0.6 * rmse(plain, 0)
    assert rmse(lent(rows), 0) < 0.25 * rmse(plain, 0)


def test_a_season_is_told_from_chance():
    clear = history(WAVE, 60, noise=0.1)
    rows = np.stack([clear, history([0.0], 60, noise=0.1, seed=1)])
    assert seasonal(rows, np.array([60, 60]), 12).tolist() == [True, False]


@pytest.mark.parametrize(("season", "points"), [(12, 84), (4, 60), (7, 150)])
def test_the_test_of_a_season_is_wrong_about_one_time_in_ten_on_chance(season, points):
    chance = np.random.default_rng(0).normal(0, 1, (2000, points))
    share = seasonal(chance, np.full(2000, points), season).mean()
    assert 0.03 < share < 0.13


def test_no_season_is_looked_for_in_less_than_three_rounds():
    rows = np.stack([history(SPIKY, 48), np.append(history(SPIKY, 35), [np.nan] * 13)])
    assert seasonal(rows, np.array([48, 35]), 12).tolist() == [True, False]
    assert not seasonal(rows[:, :30], np.array([30, 30]), 12).any()


def test_gaps_are_no_values_to_the_test_of_a_season():
    gappy = history(WAVE, 72, noise=0.05)
    gappy[[5, 18, 19, 40]] = np.nan
    assert seasonal(gappy[None], np.array([72]), 12).tolist() == [True]


def test_siblings_know_the_season_better_than_each_of_them():
    rows = np.stack([history(SPIKY, 48, noise=0.6, seed=n) for n in range(40)])
    assert rmse(lent(rows), SPIKY) < 0.5 * rmse(own_factors(rows, 12), SPIKY)


def test_long_siblings_that_differ_keep_their_own():
    shapes = [np.random.default_rng(n).normal(0, 0.4, 12) for n in range(8)]
    shapes = [shape - shape.mean() for shape in shapes]
    rows = np.stack([history(s, 240, noise=0.1, seed=n) for n, s in enumerate(shapes)])
    found, own = lent(rows), own_factors(rows, 12)
    assert rmse(found, own) < 0.1 * rmse(own, 0)
    assert rmse(found, np.stack(shapes)) < 1.1 * rmse(own, np.stack(shapes))


def test_a_series_too_young_for_a_season_is_lent_that_of_its_siblings():
    rows = np.stack([history(WAVE, 60, noise=0.1, seed=n) for n in range(10)])
    rows[0, 8:] = np.nan
    np.testing.assert_allclose(lent(rows)[0], WAVE, atol=0.06)


def test_two_rounds_with_a_trend_are_enough_among_siblings():
    """Their trend is that of all: a line of its own would take the season along."""
    rows = np.stack([history(WAVE, 25, noise=0.1, slope=0.03, seed=n) for n in range(30)])
    np.testing.assert_allclose(lent(rows).mean(axis=0), WAVE, atol=0.08)


def test_groups_lend_nothing_to_each_other():
    first = np.stack([history(WAVE, 60, noise=0.2, seed=n) for n in range(5)])
    second = np.stack([history(-WAVE, 60, noise=0.2, seed=9 + n) for n in range(5)])
    both = lent(np.concatenate([first, second]), groups=[0] * 5 + [1] * 5)
    np.testing.assert_allclose(both[:5], lent(first), atol=1e-12)
    np.testing.assert_allclose(both[5:], lent(second), atol=1e-12)


def test_siblings_that_begin_in_other_months_line_up():
    phases = [0, 5, 11, 7]
    rows = np.stack([history(np.roll(SPIKY, -p), 60, noise=0.1, seed=p) for p in phases])
    for found, phase in zip(lent(rows, phases=phases), phases, strict=True):
        np.testing.assert_allclose(found, np.roll(SPIKY, -phase), atol=0.12)


def test_a_noisy_sibling_does_not_drown_the_quiet_ones():
    quiet = np.stack([history(WAVE, 60, noise=0.05, seed=n) for n in range(4)])
    loud = history([0.0], 60, noise=0.5, seed=9)[None]
    found = lent(np.concatenate([quiet, loud]))
    np.testing.assert_allclose(found[:4], np.tile(WAVE, (4, 1)), atol=0.06)
    np.testing.assert_allclose(found[4], WAVE, atol=0.3)


def test_a_quiet_series_among_loud_ones_keeps_the_season_that_it_shows():
    """A mean of their chances was that of the loudest, and made the quiet one doubt itself."""
    quiet = history(SPIKY, 36, noise=0.02)[None]
    alike = np.stack([history(WAVE, 36, noise=0.05, seed=n) for n in range(1, 4)])
    loud = np.stack([history(WAVE, 36, noise=3.0, seed=n) for n in range(9, 11)])
    found = lent(np.concatenate([quiet, alike, loud]))
    assert rmse(found[0], SPIKY) < 0.05


@pytest.mark.parametrize(
    "rows",
    [np.zeros((3, 40)), np.full((1, 30), 2.0), np.ones((2, 12)), np.ones((2, 5))],
    ids=["zeros", "alone", "one round", "less"],
)
def test_where_nothing_moves_there_is_no_season(rows):
    np.testing.assert_allclose(lent(rows), 0, atol=1e-9)


@pytest.mark.parametrize("short", [48, 28, 20, 14])
def test_factors_sum_to_nothing(short):
    """In fourteen months some are seen twice, and were believed more than others."""
    rows = np.stack([history(SPIKY, 48, noise=0.3, seed=n) for n in range(6)])
    rows[:3, short:] = np.nan
    np.testing.assert_allclose(lent(rows).sum(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(own_factors(rows, 12).sum(axis=1), 0, atol=1e-9)
