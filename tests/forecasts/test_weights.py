import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecasts.weights import USUAL, Rule, softmax

ONE_CLASS = np.zeros(1, dtype=int)


def weights(losses, classes=None, usable=None, rule=USUAL):
    """Of models (rows) by series (columns)."""
    loss = np.array(losses, dtype=float)
    kinds = np.zeros(loss.shape[1], dtype=int) if classes is None else np.array(classes)
    open_to = np.ones(loss.shape, dtype=bool) if usable is None else np.array(usable)
    return softmax(loss, kinds, open_to, rule)


some_losses = arrays(
    float,
    st.tuples(st.integers(1, 5), st.integers(1, 4)),
    elements=st.one_of(st.integers(0, 300).map(lambda n: n / 10), st.just(np.nan)),
)


@given(some_losses, st.data())
def test_weights_are_shares_of_the_models_in_use(loss, data):
    usable = data.draw(arrays(bool, loss.shape))
    found = weights(loss, usable=usable)
    assert (found >= 0).all()
    assert (found[~usable] == 0).all()
    np.testing.assert_allclose(found.sum(axis=0), usable.any(axis=0))


def test_the_less_a_model_erred_the_more_it_counts():
    best, middle, worst = weights([[1.0], [1.2], [2.0]])[:, 0]
    assert best > middle > worst > 0


def test_a_sharper_rule_tells_models_further_apart():
    dull, sharp = (weights([[1.0], [2.0]], rule=Rule(s, 1.0))[0, 0] for s in (1.0, 10.0))
    np.testing.assert_allclose(dull / (1 - dull), np.exp(1.0 * 2 / 3))
    assert sharp > dull


def test_errors_count_relative_to_those_of_the_other_models():
    np.testing.assert_allclose(weights([[1.0], [2.0]]), weights([[100.0], [200.0]]))


def test_a_series_is_drawn_to_what_its_class_says():
    """The first model is better for all but the last series."""
    alone = weights([[2.0], [1.0]])[0, 0]
    among = weights([[1.0, 1, 1, 1, 2], [2.0, 2, 2, 2, 1]])[0, -1]
    assert alone < among < 0.5


def test_classes_do_not_speak_for_each_other():
    losses = [[1.0, 1, 2, 2], [2.0, 2, 1, 1]]
    apart = weights(losses, classes=[0, 0, 7, 7])
    np.testing.assert_allclose(apart[:, :2], weights([[1.0, 1], [2.0, 2]]))
    np.testing.assert_allclose(apart[:, 2:], weights([[2.0, 2], [1.0, 1]]))


def test_a_series_without_errors_takes_those_of_its_class():
    found = weights([[1.0, 1.0, np.nan], [2.0, 2.0, np.nan]])
    np.testing.assert_allclose(found[:, 2], found[:, 0])


def test_series_that_only_some_models_could_answer_do_not_mix_up_the_class():
    """The second model is known only for a series that is hard for all."""
    found = weights([[1.0, 1.0, 9.0], [np.nan, np.nan, 8.0]])
    assert found[1, 2] > found[0, 2]


def test_where_nothing_is_known_all_count_alike():
    np.testing.assert_allclose(weights([[np.nan], [np.nan], [np.nan]]), 1 / 3)


def test_models_that_never_err_count_alike():
    np.testing.assert_allclose(weights([[0.0], [0.0]]), 0.5)
