"""The classifier watched: breaks at a new version, drift of the mix, too many "other"."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from forecasts.decisions.contacts import RATE, watch

TOPICS = ["land", "other", "power", "traffic"]
MONDAY = date(2026, 1, 5)


def weeks(shares, seed=0, size=1500, versions=None):
    """One row a week and topic; `shares` has one row a week."""
    rng = np.random.default_rng(seed)
    rows = [
        (MONDAY + timedelta(weeks=at), (versions or ["1"] * len(shares))[at], topic, number)
        for at, share in enumerate(shares)
        for topic, number in zip(TOPICS, rng.multinomial(size, share), strict=True)
    ]
    return pl.DataFrame(rows, schema=["week", "version", "topic", "number"], orient="row")


CALM = [0.4, 0.1, 0.2, 0.3]
MOVED = [0.3, 0.1, 0.3, 0.3]


def test_a_calm_classifier_is_seldom_suspected():
    suspected = sum(bool(watch(weeks([CALM] * 20, seed=seed))) for seed in range(40))
    assert suspected <= 40 * RATE * 2


def test_a_week_whose_mix_moves_is_told_with_the_topic():
    found = watch(weeks([CALM] * 20 + [MOVED] + [CALM] * 5))
    assert found[0].kind == "drift"
    assert found[0].week == MONDAY + timedelta(weeks=20)
    assert found[0].topic in ("land", "power")


def test_a_new_version_that_labels_otherwise_is_told_from_its_first_week():
    found = watch(weeks([CALM] * 15 + [MOVED] * 15, versions=["1"] * 15 + ["2"] * 15))
    assert [(one.kind, one.week, one.version) for one in found] == [
        ("new_version", MONDAY + timedelta(weeks=15), "2")
    ]


def test_a_new_version_that_labels_alike_is_not():
    assert watch(weeks([CALM] * 30, versions=["1"] * 15 + ["2"] * 15)) == []


def test_too_many_called_other_are_told_once_a_stretch():
    found = watch(weeks([[0.3, 0.2, 0.2, 0.3]] * 6))
    assert [(one.kind, one.topic) for one in found] == [("other", "other")]
