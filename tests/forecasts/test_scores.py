import numpy as np
import pytest

from forecasts import scores


def test_scale_is_the_mean_change_from_season_to_season():
    history = np.array([[10.0, 20, 13, 16], [0, 0, 0, 0], [5, 5, 5, 5]])
    np.testing.assert_allclose(scores.scale(history, 2), [(3 + 4) / 2, np.nan, 5])
    np.testing.assert_allclose(scores.scale(history, 1)[0], (10 + 7 + 3) / 3)


def test_scale_passes_over_gaps():
    np.testing.assert_allclose(scores.scale(np.array([[1.0, np.nan, 4, 6]]), 1), [2])


def test_mase_is_the_error_in_units_of_the_scale():
    found = scores.mase(np.array([10.0, 8]), np.array([7.0, 8]), np.array([2.0, 2]))
    np.testing.assert_allclose(found, [1.5, 0])


def test_bias_is_positive_where_forecasts_are_too_high():
    assert scores.bias(np.array([10.0, 30, np.nan]), np.array([14.0, 32, 9])) == 6 / 40


def test_pinball_fines_falling_short_by_the_level():
    found = scores.pinball(np.array([10.0, 10]), np.array([6.0, 14]), 0.9)
    np.testing.assert_allclose(found, [0.9 * 4, 0.1 * 4])


def test_wql_of_the_median_is_the_absolute_error_over_the_size():
    observed, median = np.array([10.0, 30]), np.array([[14.0, 28]])
    assert scores.wql(observed, median, (0.5,)) == pytest.approx((4 + 2) / 40)


def test_coverage_counts_the_bounds_as_inside_and_leaves_out_gaps():
    observed = np.array([1.0, 2, 3, np.nan])
    assert scores.coverage(observed, np.full(4, 1.0), np.full(4, 2.0)) == 2 / 3
    assert np.isnan(scores.coverage(observed[3:], np.ones(1), np.ones(1)))


def test_interval_score_is_the_width_and_a_fine_for_misses():
    found = scores.interval_score(
        np.array([5.0, 13, 9]), np.full(3, 4.0), np.full(3, 10.0), coverage=0.8
    )
    np.testing.assert_allclose(found, [6, 6 + 10 * 3, 6])


@pytest.mark.parametrize("coverage", [0, 1, 1.5])
def test_an_interval_covers_something_but_not_all(coverage):
    with pytest.raises(ValueError, match="strictly between"):
        scores.interval_score(np.ones(1), np.ones(1), np.ones(1), coverage=coverage)


def test_the_mean_of_nothing_is_unknown():
    np.testing.assert_equal(scores.mean(np.array([[np.nan, np.nan], [1, np.nan]])), [np.nan, 1])
    assert np.isnan(scores.ratio(np.array([]), np.array([])))
