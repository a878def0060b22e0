"""A place is a range, and there is a list only of communes told apart from the middle."""

import polars as pl

from dashboard.ranking import others, place, places, ranked, summary, told_apart
from dashboard.similar import MOST, similar
from tests.dashboard.test_pages import _markup, open_page  # noqa: F401


def paths(*yearly: list[float]) -> pl.DataFrame:
    """One commune a list: the sum of twelve months along each path."""
    rows = [
        (str(n), len(sums), 12, [total / 12 for total in sums for _ in range(12)])
        for n, sums in enumerate(yearly)
    ]
    return pl.DataFrame(rows, schema=["area", "count", "horizon", "paths"], orient="row")


def received(*totals: float) -> pl.DataFrame:
    return pl.DataFrame({"code": [str(n) for n in range(len(totals))], "received": totals})


def test_a_commune_that_grows_most_along_every_path_has_one_place():
    found = places(received(100, 100, 100), paths([150, 151], [101, 101], [90, 91]))
    assert found["place_low"].to_list() == found["place_high"].to_list() == [1, 2, 3]
    assert found["side"].to_list() == [1, 0, -1]


def test_communes_that_change_places_from_path_to_path_are_not_told_apart():
    found = places(received(100, 100), paths([110, 90] * 5, [90, 110] * 5))
    assert found.select("place_low", "place_high").rows() == [(1, 2), (1, 2)]
    assert found["side"].to_list() == [0, 0]


def test_growth_counts_and_not_size():
    found = places(received(1000, 10), paths([1100, 1100], [20, 20]))
    assert found["place_low"].to_list() == [2, 1]


def test_without_joint_paths_nobody_is_ranked(reader):
    found = places(received(1.0), paths([1.0]))
    assert found.is_empty()
    rows = pl.DataFrame({"side": [None, None]}, schema={"side": pl.Int8})
    assert summary(reader, rows) == reader.text("ranking.unknown")


def test_where_differences_are_noise_the_page_says_so_and_has_no_list(reader):
    rows = pl.DataFrame({"side": [0, 0, 0], "rank": [1, 2, 3]})
    assert told_apart(rows).is_empty()
    assert "3" in summary(reader, rows)
    assert summary(reader, rows) == reader.text("ranking.none", all=3)


def test_those_who_surely_grow_slower_come_slowest_first():
    rows = pl.DataFrame(
        {"code": ["a", "b", "c", "d"], "side": [1, 0, -1, -1], "rank": [1, 2, 3, 4]}
    )
    assert told_apart(rows, -1)["code"].to_list() == ["d", "c"]


def test_where_few_are_told_apart_the_busiest_fill_the_room_of_the_list():
    rows = pl.DataFrame(
        {
            "code": ["fast", "slow", "large", "small", "new"],
            "rank": [1, 4, 2, 3, None],
            "side": [1, -1, 0, 0, None],
            "received": [20, 30, 900, 10, None],
        }
    )
    shown = [[part["code"].to_list() for part in others(rows, room)] for room in (1, 2, 4)]
    assert shown == [[[], []], [["slow"], []], [["slow"], ["large", "slow"]]]


def test_a_place_is_a_range_or_one_number_or_not_known():
    assert place({"place_low": 3, "place_high": 17}) == "3–17"
    assert place({"place_low": 5, "place_high": 5}) == "5"
    assert place({"place_low": None, "place_high": None}) == "–"


def test_the_invented_communes_are_ranked_in_their_order(vietnamese):
    rows = ranked(vietnamese, "total")
    assert rows["code"].to_list()[:2] == ["90012", "90011"]
    assert told_apart(rows)["code"].to_list()[0] == "90012"


def test_similar_communes_are_of_one_kind_and_near_in_people_and_load(vietnamese):
    found = similar(ranked(vietnamese, "total"), "90001")
    assert found["code"][0] == "90001"
    assert len(found) <= MOST + 1
    assert found["kind"].n_unique() == 1
    assert found["far"].is_sorted()
    assert similar(ranked(vietnamese, "total"), "nowhere").is_empty()


def test_the_page_of_a_commune_shows_those_like_it_and_the_places_as_ranges(open_page):  # noqa: F811
    shown = _markup(open_page("communes", area="90001"))
    assert "Hồ sơ trên 1.000 dân" in shown
    assert "gần như chắc chắn tăng nhanh hơn mức giữa" in shown
