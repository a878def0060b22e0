import numpy as np
import pytest

from forecasts.lanes import Lanes, bridged
from tests.forecasts.conftest import seasonal, side_by_side

NAN = np.nan


def test_lanes_begin_with_their_first_value_and_end_where_the_data_end():
    lanes = side_by_side([[1, 2, 3, 4], [None, None, 7, None]], season=1)
    np.testing.assert_equal(lanes.values, [[1, 2, 3, 4], [7, NAN, NAN, NAN]])
    assert lanes.lengths.tolist() == [4, 2]
    assert lanes.points.tolist() == [4, 1]


def test_gaps_are_bridged_by_straight_lines_and_the_last_value_is_held():
    np.testing.assert_equal(
        bridged(np.array([[1, NAN, NAN, 7, NAN], [5, 4, 3, 2, 1]])),
        [[1, 3, 5, 7, 7], [5, 4, 3, 2, 1]],
    )


@pytest.mark.parametrize(
    ("values", "lowest", "on_logs"),
    [
        ([3, 5, 4], 0, True),
        ([3, 5, 4], -np.inf, True),
        ([3, 0, 4, 5, 6, 3, 4, 5, 6, 7], 0, True),
        ([3, 0, 4, 5, 6, 3, 4, 5, 6, 7], -np.inf, False),
        ([3, 0, 0, 0, 1], 0, False),
        ([3, -1, 2], -np.inf, False),
        ([0, 0, 0], 0, False),
    ],
)
def test_what_is_positive_or_a_count_with_few_zeros_is_taken_on_logs(values, lowest, on_logs):
    assert side_by_side([values], 1, lowest).on_logs.tolist() == [on_logs]


def test_on_logs_a_zero_is_half_of_the_smallest_value():
    lanes = side_by_side([[8, 0, 4, 5, 6, 6, 6]], 1)
    np.testing.assert_allclose(np.exp(lanes.raw[0, 1]) * lanes.unit[0], 2)


@pytest.mark.parametrize("lowest", [0.0, -np.inf])
def test_what_is_free_of_its_season_comes_back_with_it(lowest):
    """The past of one round, given back as if it were ahead."""
    values = seasonal(48) if lowest == 0 else seasonal(48) - 200
    lanes = side_by_side([values], lowest=lowest)
    for plain in (lanes.own, lanes.lent):
        assert np.ptp(plain.flat[0]) < np.ptp(lanes.raw[0])
        np.testing.assert_allclose(plain.back(plain.flat[:, :12])[0], values[:12])
        np.testing.assert_allclose(plain.back_from_level(plain.level[:, :12])[0], values[:12])


def test_no_forecast_leaves_the_range_seen_by_more_than_a_few_times():
    lanes = side_by_side([[10, 20, 15, 12]], 1)
    far = np.array([[np.log(1e9), -np.log(1e9)]])
    np.testing.assert_allclose(lanes.own.back(far)[0], [20 * np.exp(1.5), 10 * np.exp(-1.5)])
    assert lanes.own.back_from_level(np.array([[1e9, -1e9]]))[0].tolist() == pytest.approx(
        [50, -20]
    )


def test_parts_hold_all_lanes_in_order_and_go_together_again():
    rows = [[None, 1, 2, 3, 4], [1, 2, 3, 4, 5], [None, None, None, 8, 9]]
    lanes = side_by_side(rows, season=2)
    parts = list(lanes.parts(2))
    assert [len(part.lengths) for part in parts] == [2, 1]
    assert parts[1].values.tolist() == [[8, 9]]
    again = Lanes.joined(parts)
    np.testing.assert_equal(again.values, lanes.values)
    np.testing.assert_equal(again.lengths, lanes.lengths)
    np.testing.assert_equal(again.shared, lanes.shared)
