import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecasts.choose import choose
from forecasts.intervals import LEVELS, distinct_windows, spread_of

errors = arrays(
    float,
    st.tuples(st.integers(2, 6), st.integers(1, 5), st.integers(1, 8)),
    elements=st.one_of(st.floats(-100, 100), st.just(np.nan)),
)


@settings(deadline=None)
@given(errors)
def test_quantiles_are_ordered_by_level_and_hold_the_path(errors):
    if not np.isfinite(errors).any():
        return
    paths = np.zeros(errors.shape[1:])
    band = spread_of(errors).band(paths, np.ones(len(paths)))
    assert (np.diff(band, axis=0) >= 0).all()
    np.testing.assert_equal(band[LEVELS.index(0.5)], paths)


def test_bands_of_many_normal_errors_are_those_of_the_normal_distribution():
    chance = np.random.default_rng(0).normal(0, 1, (12, 2000, 4))
    band = spread_of(chance).band(np.zeros((1, 4)), np.ones(1))[:, 0]
    np.testing.assert_allclose(band[0], -1.96, rtol=0.08)
    np.testing.assert_allclose(band[5], 1.28, rtol=0.08)


def test_errors_that_grow_widen_the_band_beyond_what_was_scored():
    size = np.arange(1.0, 9) ** 0.5
    errors = np.random.default_rng(0).normal(0, 1, (6, 300, 8)) * size
    errors[:, :, 6:] = np.nan
    growth = spread_of(errors).growth
    np.testing.assert_allclose(growth / growth[0], size, rtol=0.1)


def test_a_series_harder_to_forecast_than_its_siblings_gets_a_wider_band():
    errors = np.random.default_rng(0).normal(0, 1, (6, 40, 3))
    errors[:, 0] *= 5
    ratio = spread_of(errors).ratio
    assert 1 < ratio[0] / np.median(ratio) < 5


def test_few_windows_widen_the_band():
    chance = np.random.default_rng(0).normal(0, 1, (6, 1, 4))
    alone = spread_of(chance).offsets[-1] * spread_of(chance).growth.mean()
    many = spread_of(np.repeat(chance, 200, axis=1))
    assert alone > 1.3 * many.offsets[-1] * many.growth.mean()


def test_overlapping_windows_count_once():
    assert distinct_windows(np.ones((6, 10, 5))) == pytest.approx(2)
    assert distinct_windows(np.ones((1, 10, 5))) == 1


def said(*scores: float) -> np.ndarray:
    """Errors of one origin and one step, one a series."""
    return np.array(scores)[None, :, None]


def test_the_best_model_is_shown_with_its_gain_over_the_benchmark():
    (choice,) = choose({"naive": said(2), "drift": said(1), "ets": said(1.5)}, "naive")
    assert (choice.model, choice.beats, choice.skill) == ("drift", True, 0.5)
    assert choice.candidates == ("naive", "drift", "ets")


def test_where_nothing_beats_the_benchmark_it_is_shown_and_said():
    (choice,) = choose({"naive": said(1), "drift": said(1), "ets": said(3)}, "naive")
    assert (choice.model, choice.beats, choice.skill) == ("naive", False, 0.0)


def test_siblings_decide_between_models_that_are_close():
    errors = {
        "naive": said(2, 2, 2, 2),
        "lucky": said(0.99, 3, 3, 3),
        "sound": said(1.0, 1, 1, 1),
    }
    assert choose(errors, "naive")[0].model == "sound"


def test_a_model_without_an_answer_does_not_compete():
    (choice,) = choose({"naive": said(2), "prophet": said(np.nan)}, "naive")
    assert choice.candidates == ("naive",)


def test_without_a_scored_outcome_nothing_is_shown():
    (choice,) = choose({"naive": said(np.nan), "drift": said(np.nan)}, "naive")
    assert choice.model is None


def test_a_benchmark_without_error_has_no_skill_to_compare_with():
    (choice,) = choose({"naive": said(0), "drift": said(1)}, "naive")
    assert (choice.model, choice.skill) == ("naive", None)
