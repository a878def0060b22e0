"""The parts of a change add up to it as they are written, or nothing is said."""

import polars as pl

from dashboard.carriers import carried, of_communes, of_fields


def _parts(*changes: float | None) -> pl.DataFrame:
    return pl.DataFrame({"code": list("abcdefgh")[: len(changes)], "change": changes})


def test_the_largest_are_named_whichever_way_they_go_and_the_others_told_together():
    found = carried(_parts(10.0, -40.0, 3.0, 25.0, 1.0, 2.0, 8.0), 9.0)
    assert found.parts == (("b", -40), ("d", 25), ("a", 10), ("g", 8), ("c", 3))
    assert (found.others, found.count) == (3, 2)


def test_what_is_written_adds_up_although_each_is_rounded():
    found = carried(_parts(*[0.4] * 8), 3.2)
    assert sum(change for _, change in found.parts) + found.others == found.change == 3


def test_parts_that_do_not_add_up_or_are_not_known_are_not_told():
    assert carried(_parts(10.0, 20.0), 50.0) is None
    assert carried(_parts(10.0, None), 10.0) is None


def test_communes_and_fields_add_up_to_the_city(vietnamese):
    for found in (of_communes(vietnamese, "total"), of_fields(vietnamese)):
        assert sum(change for _, change in found.parts) + found.others == found.change
