"""Any city's map through time: what is carried over keeps its total and stays in its bounds."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etl.crosswalk import COLUMNS, NEW, OLD, SHARES, compose, same, weights_to
from etl.errors import Problems
from etl.geography import load_geography
from etl.map_files import BrokenMap

FIRST = date(2004, 1, 1)


def day_of(layer: int) -> date:
    return date(FIRST.year + layer, 1, 1)


@st.composite
def splits(draw, most: int) -> list[tuple[int, float, float, float]]:
    """Where one area goes: numbers of new areas, weights that sum to 1, and their bounds."""
    into = draw(st.lists(st.integers(0, most - 1), min_size=1, max_size=most, unique=True))
    sizes = [draw(st.integers(1, 20)) for _ in into]
    weights = [size / sum(sizes) for size in sizes]
    slack = [(draw(st.floats(0, 1)), draw(st.floats(0, 1))) for _ in into]
    return [
        (area, weight, weight * low, weight + (1 - weight) * high)
        for area, weight, (low, high) in zip(into, weights, slack, strict=True)
    ]


@st.composite
def maps(draw) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Areas and steps of a city whose every area is made anew on each of one to three days.

    Codes are handed on: area `a0` of one map is not `a0` of the next.
    """
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    areas = [(f"a{n}", day_of(layer)) for layer, size in enumerate(sizes) for n in range(size)]
    steps = [
        (f"a{n}", day_of(layer), f"a{into}", day_of(layer + 1), *shares, shares[0] < 1)
        for layer, (size, following) in enumerate(pairwise(sizes))
        for n in range(size)
        for into, *shares in draw(splits(following))
    ]
    types = [pl.String, pl.Date, pl.String, pl.Date, pl.Float64, pl.Float64, pl.Float64, pl.Boolean]
    return (
        pl.DataFrame(areas, schema={"code": pl.String, "valid_from": pl.Date}, orient="row"),
        pl.DataFrame(steps, schema=dict(zip(COLUMNS, types, strict=True)), orient="row"),
    )


def equal(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert_frame_equal(
        one.select(COLUMNS).sort(*OLD, *NEW),
        other.select(COLUMNS).sort(*OLD, *NEW),
        abs_tol=1e-12,
    )


def by_day(steps: pl.DataFrame) -> list[pl.DataFrame]:
    return steps.partition_by("new_valid_from", maintain_order=True)


@given(maps(), st.integers(0, 4), st.data())
def test_totals_are_kept_to_whatever_day_figures_are_carried(made, until, data):
    areas, steps = made
    weights = weights_to(day_of(until), areas, steps)
    begun = areas.filter(pl.col("valid_from") <= day_of(until))
    figure = st.floats(-1e6, 1e6)
    figures = data.draw(st.lists(figure, min_size=len(begun), max_size=len(begun)))
    known = begun.rename({"code": "old_code", "valid_from": "old_valid_from"}).with_columns(
        figure=pl.Series(figures, dtype=pl.Float64)
    )
    carried = known.join(weights, on=OLD).select((pl.col("figure") * pl.col("weight")).sum())
    assert carried.item() == pytest.approx(sum(figures), rel=1e-9, abs=1e-6)
    totals = weights.group_by(OLD).agg(pl.col("weight").sum())
    assert len(totals) == len(begun)
    assert ((totals["weight"] - 1).abs() < 1e-9).all()


@given(maps(), st.integers(0, 4))
def test_every_weight_lies_within_bounds_that_leave_room_for_the_others(made, until):
    weights = weights_to(day_of(until), *made)
    low, weight, high = (weights[name] for name in ("weight_lower", "weight", "weight_upper"))
    assert (low >= 0).all()
    assert (low <= weight).all()
    assert (weight <= high).all()
    assert (high <= 1 + 1e-9).all()
    together = weights.group_by(OLD).agg(pl.col(*SHARES).sum())
    assert (together["weight_lower"] <= 1 + 1e-9).all()
    assert (together["weight_upper"] >= 1 - 1e-9).all()


@given(maps(), st.data())
def test_whatever_the_true_shares_are_within_their_bounds_the_outcome_lies_within_its_own(
    made, data
):
    """The truth of each step is drawn between its weights and one corner of their bounds."""
    areas, steps = made
    true = pl.concat([_truth(group, data) for group in steps.partition_by(OLD)])
    carried = weights_to(date.max, areas, steps)
    actual = weights_to(date.max, areas, true)
    both = carried.join(actual.select(*OLD, *NEW, actual="weight"), on=[*OLD, *NEW])
    assert (both["actual"] >= both["weight_lower"] - 1e-9).all()
    assert (both["actual"] <= both["weight_upper"] + 1e-9).all()


def _truth(parts: pl.DataFrame, data) -> pl.DataFrame:
    """The same parts, with people moved from one to another as far as both bounds allow."""
    weights = parts["weight"].to_list()
    if len(weights) > 1:
        give, take = data.draw(st.permutations(range(len(weights))))[:2]
        room = min(
            weights[give] - parts["weight_lower"][give], parts["weight_upper"][take] - weights[take]
        )
        moved = room * data.draw(st.floats(0, 1))
        weights[give] -= moved
        weights[take] += moved
    return parts.with_columns(weight=pl.Series(weights))


@given(maps())
def test_steps_may_be_composed_from_either_end(made):
    _, steps = made
    each = by_day(steps)
    assume(len(each) == 3)
    one, two, three = each
    equal(compose(compose(one, two), three), compose(one, compose(two, three)))


@given(maps())
def test_a_step_in_which_nothing_happens_changes_nothing(made):
    areas, steps = made
    first = by_day(steps)[0]
    equal(compose(same(areas), first), first)
    equal(compose(first, same(areas)), first)


@given(maps(), st.integers(0, 3))
def test_areas_of_the_day_go_to_themselves(made, layer):
    areas, steps = made
    here = areas.filter(pl.col("valid_from") == day_of(layer))
    own = weights_to(day_of(layer), areas, steps).filter(pl.col("old_valid_from") == day_of(layer))
    equal(own, same(here))


@given(maps(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(made, random):
    areas, steps = made
    rows = list(range(len(steps)))
    random.shuffle(rows)
    equal(weights_to(date.max, areas, steps[rows]), weights_to(date.max, areas.reverse(), steps))


def test_a_ward_split_and_put_together_again_is_whole_and_not_estimated():
    half = (0.5, 0.2, 0.8, True)
    steps = pl.DataFrame(
        [
            ("a0", day_of(0), "a0", day_of(1), *half),
            ("a0", day_of(0), "a1", day_of(1), *half),
            ("a0", day_of(1), "a9", day_of(2), 1.0, 1.0, 1.0, False),
            ("a1", day_of(1), "a9", day_of(2), 1.0, 1.0, 1.0, False),
        ],
        schema=COLUMNS,
        orient="row",
    )
    areas = pl.DataFrame(
        [("a0", day_of(0)), ("a0", day_of(1)), ("a1", day_of(1)), ("a9", day_of(2))],
        schema=["code", "valid_from"],
        orient="row",
    )
    ward = pl.col("old_valid_from") == day_of(0)
    then = weights_to(day_of(1), areas, steps).filter(ward)
    assert then[SHARES].rows() == [(0.5, 0.2, 0.8)] * 2
    assert then["estimated"].all()
    now = weights_to(day_of(2), areas, steps).filter(ward)
    assert now[[*SHARES, "estimated"]].rows() == [(1, 1, 1, False)]


# --- another city, from its own files -----------------------------------------------------------

AREAS = """\
code,level,name,name_en,kind,parent,valid_from,valid_to,population,area_km2,lat,lon,source
vn,nation,Cả nước,,,,2004-01-01,,,,,,
ben_mau,city,Bến Mẫu,,thành phố,vn,2025-07-01,,,,,,
p1,former_province,Bến Cũ,,tỉnh,ben_mau,2004-01-01,2025-06-30,,,,,
p2,former_province,Mẫu Xưa,,tỉnh,ben_mau,2004-01-01,2025-06-30,,,,,
1,commune,Sông Một,,xã,p1,2004-01-01,2024-06-30,,,,,
2,commune,Sông Hai,,xã,p1,2004-01-01,2024-06-30,,,,,
3,commune,Gò Ba,,xã,p1,2004-01-01,2025-06-30,,,,,
4,commune,Gò Bốn,,xã,p1,2004-01-01,2025-06-30,,,,,
5,commune,Đồng Năm,,xã,p2,2004-01-01,2025-06-30,,,,,
6,commune,Đồng Sáu,,xã,p2,2004-01-01,2025-06-30,,,,,
7,commune,Chợ Bảy,,phường,p2,2004-01-01,2025-06-30,,,,,
2,commune,Sông Chung,,xã,p1,2024-07-01,2025-06-30,,,,,
1,commune,Sông Mới,,phường,p1,2025-07-01,,,,,,
5,commune,Gò Đồng,,xã,p1,2025-07-01,,,,,,
7,commune,Chợ Bảy,,phường,p2,2025-07-01,,,,,,
"""
STEPS = """\
old_code,old_valid_from,new_code,new_valid_from,weight,weight_lower,weight_upper,basis,source,note
1,2004-01-01,2,2024-07-01,1,1,1,whole,,
2,2004-01-01,2,2024-07-01,1,1,1,whole,,
2,2024-07-01,1,2025-07-01,1,1,1,whole,,
3,2004-01-01,1,2025-07-01,0.25,0.2,0.4,estimate,,
3,2004-01-01,5,2025-07-01,0.75,0.6,0.8,estimate,,
4,2004-01-01,5,2025-07-01,1,1,1,whole,,
5,2004-01-01,5,2025-07-01,0.5,0.4,0.6,official,,
5,2004-01-01,7,2025-07-01,0.5,0.4,0.6,official,,
6,2004-01-01,7,2025-07-01,1,1,1,whole,,
7,2004-01-01,7,2025-07-01,1,1,1,whole,,
"""


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """The folder of Bến Mẫu: seven communes, six after a merger in 2024, three since 2025."""
    folder = tmp_path / "ben_mau"
    folder.mkdir()
    (folder / "areas.csv").write_text(AREAS, encoding="utf-8")
    (folder / "crosswalk.csv").write_text(STEPS, encoding="utf-8")
    return folder


def test_another_city_is_read_from_its_own_files(city):
    there = load_geography(city)
    assert there.resolve("P. Chợ Bảy", date(2026, 1, 1)).valid_from == date(2025, 7, 1)
    assert there.resolve("Sông Hai", date(2024, 1, 1)).code == "2"
    carried = there.weights_to_present.filter(pl.col("old_valid_from") == FIRST)
    assert carried["old_code", "new_code", "weight_lower", "weight", "weight_upper"].rows() == [
        ("1", "1", 1, 1, 1),
        ("2", "1", 1, 1, 1),
        ("3", "1", 0.2, 0.25, 0.4),
        ("3", "5", 0.6, 0.75, 0.8),
        ("4", "5", 1, 1, 1),
        ("5", "5", 0.4, 0.5, 0.6),
        ("5", "7", 0.4, 0.5, 0.6),
        ("6", "7", 1, 1, 1),
        ("7", "7", 1, 1, 1),
    ]


GEOGRAPHY = "ben_mau"
TABLE = """
- name: rice
  title: Lúa
  sources: [{path: rice.csv}]
  clean: {areas: {level: commune}, max_rejected: 1}
  schema:
    fields:
    - {name: area}
    - {name: period}
    - {name: category}
    - {name: rice, type: number}
  indicators: [{name: rice, title: Lúa, title_en: Rice, value: rice}]
"""
PLENTY = {"1": 10, "2": 20, "3": 40, "4": 5, "5": 8, "6": 1, "7": 2}


def rice(warehouse, view: str, where: str = "true") -> list[tuple]:
    return warehouse.select(
        f"select area_name, period_end::varchar, value, lower, upper, estimated_share from {view} "
        f"where level = 'commune' and category = 'total' and {where} order by period, area"
    ).rows()


def test_figures_of_another_city_are_carried_over_two_steps_from_the_catalog_alone(refresh, city):
    rows = "".join(f"{code},2023,total,{value}\n" for code, value in PLENTY.items())
    warehouse = refresh(TABLE, geography=GEOGRAPHY, rice_csv=f"area,period,category,rice\n{rows}")
    assert rice(warehouse, "as_it_is_now") == [
        ("Phường Sông Mới", "2023-12-31", 40, 38, 46, 0.25),
        ("Xã Gò Đồng", "2023-12-31", 39, pytest.approx(32.2), pytest.approx(41.8), 34 / 39),
        ("Phường Chợ Bảy", "2023-12-31", 7, pytest.approx(6.2), pytest.approx(7.8), 4 / 7),
    ]
    city_total = warehouse.select("select area, value from comparable where level = 'city'")
    assert city_total.rows() == [("ben_mau", sum(PLENTY.values()))]
    assert [name for name, *_ in rice(warehouse, "as_it_was")] == [
        "Xã Sông Một", "Xã Sông Hai", "Xã Gò Ba", "Xã Gò Bốn", "Xã Đồng Năm", "Xã Đồng Sáu",
        "Phường Chợ Bảy",
    ]  # fmt: skip


def test_a_change_of_the_map_alone_is_loaded_again(refresh, city):
    table = "area,period,category,rice\n3,2023,total,40\n4,2023,total,5\n5,2023,total,8\n"
    first = refresh(TABLE, geography=GEOGRAPHY, rice_csv=table)
    assert rice(first, "as_it_is_now") == [
        ("Xã Gò Đồng", "2023-12-31", 39, *[pytest.approx(v) for v in (32.2, 41.8)], 34 / 39)
    ]
    edited = STEPS.replace("0.25,0.2,0.4", "0.3,0.2,0.4").replace("0.75,0.6,0.8", "0.7,0.6,0.8")
    (city / "crosswalk.csv").write_text(edited, encoding="utf-8")
    again = refresh(TABLE, geography=GEOGRAPHY, rice_csv=table)
    assert [value for _, _, value, *_ in rice(again, "as_it_is_now")] == [37]


# --- files that cannot be -----------------------------------------------------------------------


def faults(folder: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(Problems) as refused:
        load_geography(folder)
    assert all(isinstance(problem, BrokenMap) for problem in refused.value.problems)
    return [(p.where, p.problem, p.hint) for p in refused.value.problems]


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


SLIPS = {
    "not whole": ("crosswalk.csv", "0.75,0.6", "0.7,0.6", "crosswalk.csv:5", "sum to 0.95"),
    "outside": ("crosswalk.csv", "0.25,0.2", "0.25,0.3", "crosswalk.csv:5", "within its bounds"),
    "negative": ("crosswalk.csv", "0.25,0.2", "0.25,-1", "crosswalk.csv:5", "within its bounds"),
    "no number": ("crosswalk.csv", "0.25,0.2", "nan,0.2", "crosswalk.csv:5", "within its bounds"),
    "no weight": ("crosswalk.csv", "0.25,0.2", ",0.2", "crosswalk.csv:5", "weight is empty"),
    "basis": ("crosswalk.csv", "official", "guess", "crosswalk.csv:8", "'guess' is no basis"),
    "not at all whole": (
        "crosswalk.csv", "0.4,estimate", "0.4,whole", "crosswalk.csv:5", "not handed on whole",
    ),
    "unknown code": (
        "crosswalk.csv", "4,2004-01-01,5", "9,2004-01-01,5", "crosswalk.csv:7", "no area is 9 of",
    ),
    "nowhere": (
        "crosswalk.csv", "4,2004-01-01,5,2025-07-01,1,1,1,whole,,\n", "", "crosswalk.csv",
        "where 4 of 2004-01-01 went",
    ),
    "back in time": (
        "crosswalk.csv", "2,2024-07-01,1,2025-07-01", "2,2024-07-01,1,2004-01-01",
        "crosswalk.csv:4", "back in time",
    ),
    "to itself": (
        "crosswalk.csv", "4,2004-01-01,5,2025-07-01", "4,2004-01-01,4,2004-01-01",
        "crosswalk.csv:7", "back in time",
    ),
    "a gap": (
        "areas.csv", "p1,2004-01-01,2025-06-30,,,,,\n4", "p1,2004-01-01,2025-05-31,,,,,\n4",
        "crosswalk.csv:5", "does not begin when 3 ends",
    ),
    "twice": (
        "crosswalk.csv", "5,2004-01-01,7,", "5,2004-01-01,5,", "crosswalk.csv:9", "stands twice",
    ),
    "a day": ("areas.csv", "2024-06-30", "30/06/2024", "areas.csv:6", "'30/06/2024' cannot be"),
    "overlap": (
        "areas.csv", "Sông Hai,,xã,p1,2004-01-01,2024-06-30",
        "Sông Hai,,xã,p1,2004-01-01,2024-12-31", "areas.csv:13", "means two areas",
    ),
    "level": ("areas.csv", "vn,nation", "vn,country", "areas.csv:2", "'country' is no level"),
    "parent": ("areas.csv", "phường,p2", "phường,p9", "areas.csv:12", "'p9', the parent of 7"),
    "circle": ("areas.csv", "thành phố,vn", "thành phố,p1", "areas.csv:3", "lies in itself"),
    "no city": ("areas.csv", "ben_mau,city", "ben_mau,district", "areas.csv", "is the city"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_map_that_cannot_be_is_refused_with_its_line_and_a_remedy(city, slip):
    name, old, new, where, problem = SLIPS[slip]
    edit(city, name, old, new)
    found = faults(city)
    assert any(place == f"ben_mau/{where}" and problem in said for place, said, _ in found), found
    assert all(remedy for _, _, remedy in found)


def test_all_faults_are_told_at_once(city):
    edit(city, "crosswalk.csv", "0.75,0.6", "0.7,0.6")
    edit(city, "crosswalk.csv", "official", "guess")
    (city / "aliases.csv").write_text("spelling,code,valid_from,note\nX,9,2004-01-01,\n")
    (city / "tiles.csv").write_text("code,row,col\n1,0,0\n5,0,0\n9,0,1\n")
    assert [(where, said) for where, said, _ in faults(city)] == [
        ("ben_mau/crosswalk.csv:5", "the weights of 3 of 2004-01-01 sum to 0.95, not to 1"),
        ("ben_mau/crosswalk.csv:8", "'guess' is no basis"),
        ("ben_mau/crosswalk.csv:9", "'guess' is no basis"),
        ("ben_mau/aliases.csv:2", "no area is 9 of 2004-01-01"),
        ("ben_mau/tiles.csv:3", "the square of 1 is taken"),
        ("ben_mau/tiles.csv:4", "'9' is no commune of today"),
    ]


def test_a_folder_without_a_map_says_what_is_missing(tmp_path):
    assert [where for where, _, _ in faults(tmp_path)] == [
        f"{tmp_path.name}/areas.csv",
        f"{tmp_path.name}/crosswalk.csv",
    ]


def test_a_map_outside_the_catalog_is_refused(refresh):
    with pytest.raises(Problems, match="leads outside"):
        refresh(TABLE, geography="../elsewhere")


def test_a_broken_map_is_an_error_of_the_catalog(refresh, city):
    edit(city, "crosswalk.csv", "official", "guess")
    with pytest.raises(Problems, match=r"ben_mau/crosswalk\.csv:8"):
        refresh(TABLE, geography=GEOGRAPHY)


def test_districts_need_the_people_of_today(city):
    row = "d1,district,Huyện Một,,huyện,p1,2004-01-01,2025-06-30,,,,,\n"
    edit(city, "areas.csv", "1,commune,Sông Một", f"{row}1,commune,Sông Một")
    assert {said for _, said, _ in faults(city)} == {f"{c} has no population" for c in "157"}


def test_lasting_areas_need_no_step(city):
    """A commune no merger touched is the same area on every map."""
    extra = "8,commune,Đảo Tám,,xã,p2,2004-01-01,,,,,,\n"
    with (city / "areas.csv").open("a", encoding="utf-8") as file:
        file.write(extra)
    lasting = load_geography(city).weights_to_present.filter(pl.col("old_code") == "8")
    assert lasting["new_code", "new_valid_from", "weight"].rows() == [("8", FIRST, 1)]
