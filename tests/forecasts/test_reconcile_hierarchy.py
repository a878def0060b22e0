"""What adds up to what, and what stays out of it, with the reason."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_array

from etl.catalog import parse_catalog
from etl.geography import load_geography
from etl.periods import Frequency
from forecasts.hierarchy import NODE, Hierarchy, NotAHierarchy, areas_inside, families, family
from forecasts.request import Found, Job, jobs

INSIDE = pl.DataFrame(
    [("c", "c"), ("31120", "31120"), ("31120", "c"), ("31135", "31135"), ("31135", "c")],
    schema=["area", "above"],
    orient="row",
)


def figures(text: str) -> pl.DataFrame:
    """One row a series: level, area, category, then its values from January 2026 on; '-' a gap."""
    rows = []
    for line in filter(str.strip, text.splitlines()):
        level, area, category, *values = line.split()
        rows += [
            ("received", level, area, category, date(2026, month, 1), float(value))
            for month, value in enumerate(values, start=1)
            if value != "-"
        ]
    return pl.DataFrame(rows, schema=[*NODE, "period", "value"], orient="row")


CELLS = """
    commune 31120 land 1 2
    commune 31120 civil 3 4
    commune 31135 land 5 6
    commune 31135 civil 7 8
"""


def found_of(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Series above in their order, and those left out with the reason."""
    one, outside = family(figures(text), Frequency.MONTH, INSIDE)
    named = pl.concat_str("area", "category", separator=" ")
    above = one.hierarchy.keys[: one.hierarchy.above].select(named).to_series() if one else []
    return list(above), list(outside.select(named, "reason").iter_rows())


def test_communes_and_fields_cross_and_both_add_up_to_the_city():
    text = f"""{CELLS}
        commune 31120 total 4 6
        commune 31135 total 12 14
        city c land 6 8
        city c civil 10 12
        city c total 16 20
    """
    one, outside = family(figures(text), Frequency.MONTH, INSIDE)
    assert outside.is_empty()
    hierarchy = one.hierarchy
    assert hierarchy.keys.select("area", "category").rows() == [
        ("c", "total"),
        ("c", "civil"),
        ("c", "land"),
        ("31120", "total"),
        ("31135", "total"),
        ("31120", "civil"),
        ("31120", "land"),
        ("31135", "civil"),
        ("31135", "land"),
    ]
    np.testing.assert_array_equal(
        hierarchy.summing.toarray(),
        [[1, 1, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1]],
    )
    np.testing.assert_array_equal(hierarchy.sum(one.history[5:]), one.history)
    assert {name: list(group) for name, group in hierarchy.groups.items()} == {
        "area": [0, 0, 1, 1],
        "category": [0, 1, 0, 1],
    }


def test_a_total_that_was_not_the_sum_of_its_parts_stays_out():
    above, outside = found_of(f"{CELLS}\n commune 31120 total 4 6\n city c total 16 21")
    assert above == ["31120 total"]
    assert outside == [("c total", "does_not_add_up")]


def test_the_period_in_which_total_and_sum_differ_most_is_told():
    text = f"{CELLS}\n commune 31120 total 4 6\n city c total 17 30"
    _, outside = family(figures(text), Frequency.MONTH, INSIDE)
    assert outside.select("period", "value", "sum").rows() == [(date(2026, 2, 1), 30.0, 20.0)]


def test_a_month_in_which_one_part_is_missing_says_nothing_about_the_sum():
    text = CELLS.replace("7 8", "7 -") + "\n city c total 16 99"
    assert found_of(text) == (["c total"], [])


def test_without_a_month_that_all_know_nothing_is_believed():
    text = CELLS.replace("7 8", "- 8").replace("1 2", "1 -") + "\n city c total 16 20"
    assert found_of(text) == ([], [("c total", "no_common_period")])


def test_fields_of_the_city_stay_out_where_no_commune_tells_them():
    text = """
        commune 31120 total 4 6
        commune 31135 total 12 14
        city c land 6 8
        city c total 16 20
    """
    assert found_of(text) == (["c total"], [("c land", "not_crossed")])


def test_a_field_that_no_commune_has_is_no_sum():
    above, outside = found_of(f"{CELLS}\n city c total 16 20\n city c trade 0 0")
    assert above == ["c total"]
    assert outside == [("c trade", "no_part")]


def test_sums_are_equal_to_nine_digits_and_need_not_be_to_the_last():
    above, _ = found_of(f"{CELLS}\n city c total 16.000000001 20")
    assert above == ["c total"]
    above, _ = found_of(f"{CELLS}\n city c total 16.0000001 20")
    assert above == []


def test_communes_lie_in_former_provinces_and_these_in_the_city():
    inside = areas_inside(load_geography())
    around = inside.filter(pl.col("area") == "31120")["above"].to_list()
    assert around == ["31120", "can_tho_old", "can_tho", "national"]


CATALOG = """
profile: cantho-foresight/1
name: t
title: t
title_en: t
resources:
- name: economy
  title: t
  sources: [{path: e.csv}]
  schema: {fields: [{name: period, type: year}, {name: value, type: number}]}
  indicators:
  - {name: revenue, title: v, title_en: v}
  - {name: growth, title: g, title_en: g, unit: "%", aggregate: rate}
  forecast: {frequency: year, horizon: 6, grains: [city, former_province]}
"""


def yearly(job: Job) -> Found:
    values = {"can_tho_old": 5.0, "hau_giang": 3.0, "soc_trang": 2.0, "can_tho": 10.0}
    rows = [
        (indicator.name, area, "total", date(year, 1, 1), value)
        for indicator in job.indicators
        for area, value in values.items()
        for year in (2023, 2024)
        if (area == "can_tho") == (job.level == "city")
    ]
    columns = ["indicator", "area", "category", "period", "value"]
    return Found(job, pl.DataFrame(), pl.DataFrame(rows, schema=columns, orient="row"))


def test_what_the_catalog_asks_for_at_several_grains_is_a_family_and_rates_are_not():
    found = [yearly(job) for job in jobs(parse_catalog(CATALOG))]
    (one,), outside = families(found, load_geography())
    assert one.hierarchy.keys["indicator"].unique().to_list() == ["revenue"]
    np.testing.assert_array_equal(one.hierarchy.summing.toarray(), [[1, 1, 1]])
    assert outside.is_empty()


def test_one_grain_alone_is_no_family():
    found = [yearly(job) for job in jobs(parse_catalog(CATALOG)) if job.level == "city"]
    assert families(found, load_geography())[0] == []


def test_a_series_never_seen_counts_as_nothing_and_one_seen_as_its_newest_year():
    text = f"{CELLS}\n city c total 16 20"
    one, _ = family(figures(text), Frequency.MONTH, INSIDE)
    np.testing.assert_array_equal(one.recent, [[3, 1, 7, 5], [4, 2, 8, 6]])


def test_keys_and_sums_must_be_of_the_same_series():
    keys = pl.DataFrame([("r", "city", "c", "total")], schema=NODE, orient="row")
    with pytest.raises(NotAHierarchy, match="1 sums of 2 series"):
        Hierarchy(keys, csr_array(np.ones((1, 2))))
