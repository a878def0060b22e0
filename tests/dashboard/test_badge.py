"""The six words of a dataset: what makes each hold, fail, or stay unknown."""

import datetime as dt

import pytest

from dashboard.badge import WORDS, badge, lineage, promise, standing

WELL = {
    "files": 2,
    "file": "data/b.csv",
    "checksum": "0123456789abcdef",
    "records": 100,
    "accepted": 100,
    "bad": 0,
    "totals": 3,
    "agreeing": 3,
    "rules": 0,
    "broken": 0,
    "unresolved": 0,
    "corrections": 0,
    "observed": 90,
    "last_day": dt.date(2025, 12, 31),
    "present": 12,
    "expected": 12,
    "areas": 3,
    "areas_expected": 3,
    "twice": 0,
    "rivals": 0,
    "comparable": None,
    "forecasts": None,
}
DAMAGE = {
    "right": {"agreeing": 2},
    "complete": {"areas": 2},
    "clean": {"rules": 1, "broken": 4},
    "alive": {"last_day": dt.date(2015, 12, 31)},
    "consistent": {"unresolved": 1},
}


@pytest.fixture
def dataset(vietnamese):
    from etl.catalog import Publish

    found = vietnamese.build.catalog.datasets["published"]
    return found.model_copy(update={"publish": Publish(theme="ECON", frequency="ANNUAL")})


def _states(reader, dataset, row):
    return {word.name: word.state for word in badge(reader, dataset, row)}


def test_a_dataset_in_order_has_all_six_words(reader, dataset):
    assert _states(reader, dataset, WELL) == dict.fromkeys(WORDS, "yes")


@pytest.mark.parametrize("word", DAMAGE)
def test_one_fault_takes_away_one_word(vietnamese, dataset, word):
    assert _states(vietnamese, dataset, WELL | DAMAGE[word]) == dict.fromkeys(WORDS, "yes") | {
        word: "no"
    }


def test_what_is_not_declared_for_publication_is_not_shared(vietnamese):
    kept = vietnamese.build.catalog.datasets["dossiers"]
    assert _states(vietnamese, kept, WELL)["shared"] == "no"


def test_what_cannot_be_told_is_not_known_and_no_failure(vietnamese, dataset):
    assert set(_states(vietnamese, dataset, None).values()) == {"unknown", "yes"}
    plans = WELL | {"last_day": None, "expected": None, "present": None}
    told = _states(vietnamese, dataset, plans)
    assert (told["complete"], told["alive"]) == ("unknown", "unknown")


def test_without_a_promise_nothing_is_late(vietnamese):
    kept = vietnamese.build.catalog.datasets["dossiers"]
    assert promise(kept) is None
    assert _states(vietnamese, kept, WELL | DAMAGE["alive"])["alive"] == "unknown"


def test_lateness_is_told_with_the_day_it_was_due(vietnamese, dataset):
    late = badge(vietnamese, dataset, WELL | {"last_day": dt.date(2023, 12, 31)})[3]
    assert "Hứa số theo năm: số mới phải có trước 30/12/2025." in late.facts
    assert late.facts[-1].startswith("Đã trễ")


def test_the_warehouse_is_counted_as_it_is(vietnamese):
    found = standing(vietnamese)
    dossiers, published = found["dossiers"], found["published"]
    assert (dossiers["records"], dossiers["bad"], dossiers["rules"]) == (1001, 1, 1)
    # Ten years of people in three places; a year of growth (twice), of revenue, of retail.
    assert (published["present"], published["expected"]) == (34, 34)
    assert published["observed"] == 35
    steps = list(lineage(vietnamese, vietnamese.build.catalog.datasets["published"], published))
    assert steps[0].startswith("1 tệp; mới nhất data/published.csv")
    assert len(steps) >= 3
