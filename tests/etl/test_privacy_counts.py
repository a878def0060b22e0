"""Small counts leave rounded, the same everywhere, and nobody can compute them from each other."""

import datetime as dt
import itertools
import math
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from etl.catalog import Catalog, Dataset, Indicator, parse_catalog
from etl.errors import Problems
from etl.publish.archive import Archive
from etl.publish.content import UNTOLD
from etl.publish.dictionary import dictionary
from etl.publish.gate import Answer, Refusal, answer
from etl.publish.package import content_of, fingerprint
from etl.publish.portal import publish_catalog
from etl.publish.protect import (
    BASE,
    Counted,
    Measured,
    NoRoundingKey,
    key_of,
    measured,
    problems,
    rounded,
    rounded_value,
)
from etl.publish.table import clean_table, exact_table, fields_of, measures_of
from etl.settings import Site
from etl.warehouse import Warehouse

PLAIN = "    - {name: area_ha, type: number}\n"
KEY = "an invented key, and long enough for a test"
SITE = Site(rounding_key="ROUNDING_KEY_OF_THE_TEST")
COMMUNES = ["31117", "31120", "31123", "31126"]
FIELDS = ["land", "civil_status", "business"]
MONTHS = [dt.date(2026, month, 1) for month in range(1, 13)]

CATALOG = """
profile: cantho-foresight/1
name: small
title: Danh mục nhỏ
title_en: A small catalog
licenses: [{name: CC-BY-4.0}]
contributors: [{title: Văn phòng UBND, roles: [publisher]}]
resources:
- name: dossiers
  title: Hồ sơ
  sources: [{path: dossiers.csv}]
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: code, sensitive: true}
    - {name: area}
    - name: category
      categories: [{value: land, label: Đất đai}, {value: civil_status, label: Hộ tịch}]
    - {name: channel}
    - {name: received, type: date}
  tables:
  - name: daily
    by: [area, category]
    measures:
    - {name: received_count, count: received}
    - {name: online_count, count: received, where: {channel: online}}
  indicators:
  - {name: received, title: Tiếp nhận, title_en: Received, unit: hồ sơ, value: received_count}
  - {name: online, title: Trực tuyến, title_en: Online, unit: hồ sơ, value: online_count}
  - {name: online_share, title: Tỷ lệ trực tuyến, title_en: Online share, unit: "%",
     compute: {share: online, of: received}}
  publish: {theme: GOVE, frequency: MONTHLY}
- name: register
  title: Sổ theo xã
  sources: [{path: register.csv}]
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: area}
    - {name: period, type: yearmonth}
    - {name: received_count, type: integer}
    - {name: patients, type: integer}
    - {name: area_ha, type: number}
    primaryKey: [area, period]
  indicators:
  - received
  - {name: patients, title: Bệnh nhân, title_en: Patients, unit: người, value: patients}
  - {name: area_ha, title: Diện tích, title_en: Area, unit: ha, value: area_ha}
  publish: {theme: GOVE, frequency: MONTHLY}
"""


def cells(seed: int = 3) -> pl.DataFrame:
    """Received and filed online by commune, month and field: mostly fewer than five."""
    rng = random.Random(seed)
    rows = []
    for area, month, field in itertools.product(COMMUNES, MONTHS, FIELDS):
        received = rng.choice([0, 1, 1, 2, 3, 4, 6, 9, 13, 31])
        rows.append((area, month, field, received, rng.randint(0, received)))
    columns = ["area", "period", "category", "received", "online"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def comparable(cells: pl.DataFrame) -> pl.DataFrame:
    """The same with all fields together and the city, as a refresh writes them."""
    long = cells.unpivot(index=["area", "period", "category"], variable_name="indicator")
    every = [long, long.with_columns(category=pl.lit("total"))]
    every += [part.with_columns(area=pl.lit("can_tho")) for part in every]
    return (
        pl.concat(every)
        .group_by("indicator", "area", "period", "category")
        .agg(pl.col("value").sum().cast(pl.Float64))
        .with_columns(
            pl.when(pl.col("area") == "can_tho")
            .then(pl.lit("city"))
            .otherwise(pl.lit("commune"))
            .alias("level"),
            frequency=pl.lit("month"),
            period_end=pl.col("period").dt.month_end(),
            dataset=pl.lit("dossiers"),
        )
    )


def register(cells: pl.DataFrame) -> pl.DataFrame:
    """Another table of another office, in which the received of all fields stand as well."""
    totals = cells.group_by("area", "period").agg(received_count=pl.col("received").sum())
    return totals.with_columns(
        area_vintage=dt.date(2025, 7, 1),
        period_end=pl.col("period").dt.month_end(),
        frequency=pl.lit("month"),
        patients=pl.col("received_count") // 7,
        area_ha=12.5,
        note=pl.lit(None, dtype=pl.String),
    )


def build(home: Path, cells: pl.DataFrame) -> Path:
    areas = pl.DataFrame(
        [(code, "commune", f"Xã {code}") for code in COMMUNES] + [("can_tho", "city", "Cần Thơ")],
        schema=["code", "level", "name"],
        orient="row",
    ).with_columns(area_vintage=dt.date(2025, 7, 1), name_en=pl.lit(None, dtype=pl.String))
    with Warehouse.build(home, empty=True) as warehouse:
        warehouse.write("area", areas)
        warehouse.write("comparable", comparable(cells))
        spoken = pl.lit("gặp bà Nguyễn Thị Lan, 0912 345 678")
        planted = (pl.col("area") == "31117") & (pl.col("period") == MONTHS[2])
        tables = {
            "dossiers": pl.DataFrame({"area": COMMUNES}),
            "register": register(cells),
            "planted": register(cells).with_columns(note=pl.when(planted).then(spoken)),
        }
        for name, rows in tables.items():
            with warehouse.registered(rows) as view:
                warehouse.run(f"create table data_{name} as from {view}")
    return home


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUNDING_KEY_OF_THE_TEST", KEY)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("state"), cells())


@pytest.fixture
def warehouse(home: Path) -> Iterator[Warehouse]:
    with Warehouse.open(home) as found:
        yield found


def asked(warehouse: Warehouse, name: str, change: tuple[str, str] = ("", "")) -> Answer:
    catalog = changed(*change)
    return answer(catalog, catalog.datasets[name], warehouse, SITE)


@cache
def changed(old: str = "", new: str = "") -> Catalog:
    return parse_catalog(CATALOG.replace(old, new) if old else CATALOG)


def left(warehouse: Warehouse, name: str, change: tuple[str, str] = ("", "")) -> pl.DataFrame:
    catalog = changed(*change)
    return clean_table(warehouse, catalog, catalog.datasets[name], site=SITE)


# Rounding


def test_rounding_is_at_most_four_off_right_on_average_and_keeps_multiples():
    key = KEY.encode()
    off = [rounded_value(7, f"cell {n}", key) - 7 for n in range(5000)]
    assert set(off) == {-2, 3}
    assert abs(np.mean(off)) < 0.1
    assert [rounded_value(n, "x", key) for n in (0, 5, 40)] == [0, 5, 40]


def test_a_sum_of_parts_of_people_does_not_tell_by_a_hair_that_it_was_not_rounded():
    hairs = [4.999999999999999, 5.000000000000001]
    assert [rounded_value(value, "x", KEY.encode()) for value in hairs] == [5.0, 5.0]


def test_counts_in_thousands_are_rounded_to_five_people():
    assert rounded_value(12.345, "x", KEY.encode(), scale=1000) == 12.345
    assert rounded_value(0.003, "x", KEY.encode(), scale=1000) in (0, 0.005)


def test_cases_leave_as_counts_by_commune_field_month_and_year_and_never_one_by_one(warehouse):
    table = left(warehouse, "dossiers")
    assert table.columns[:5] == ["indicator", "indicator_name", "unit", "area", "area_name"]
    received = table.filter(indicator="received")
    assert len(received) == (len(COMMUNES) + 1) * (len(FIELDS) + 1) * (len(MONTHS) + 1)
    assert set(received["frequency"]) == {"month", "year"}
    assert (received["value"] % BASE == 0).all()


def test_a_count_is_the_same_in_every_table_and_every_release(warehouse):
    catalog = changed()
    dataset = catalog.datasets["dossiers"]
    first = left(warehouse, "dossiers")
    exact = exact_table(warehouse, catalog, dataset).filter(pl.col("period") < MONTHS[9])
    measures = measured(catalog, dataset, exact, measures_of(catalog, dataset, exact))
    earlier = rounded(exact.reverse(), dataset, measures, KEY.encode(), cities=["can_tho"])
    key = ["indicator", "area", "category", "period", "period_end"]
    both = first.join(earlier, on=key, suffix="_then")
    assert len(both) == len(earlier) > 500
    assert both["value"].to_list() == both["value_then"].to_list()
    totals = first.filter(category="total", indicator="received")
    both = left(warehouse, "register").join(totals, on=["area", "period", "period_end"])
    assert len(both) == 48
    assert both["received_count"].to_list() == both["value"].to_list()


def test_another_key_rounds_otherwise(warehouse, monkeypatch):
    first = left(warehouse, "dossiers")
    monkeypatch.setenv("ROUNDING_KEY_OF_THE_TEST", KEY[::-1])
    assert not left(warehouse, "dossiers").equals(first)


def test_nobody_can_try_by_the_name_of_a_version_what_it_held(warehouse, tmp_path, monkeypatch):
    catalog = changed()
    register = catalog.datasets["register"]
    content = content_of(warehouse, catalog, register, site=SITE)
    mark = fingerprint(catalog, content)

    def named(folder: str) -> str:
        key = key_of(SITE)
        release = Archive(tmp_path / folder, key).take(catalog, content, dt.date(2026, 3, 1))
        return release.version

    name = named("archive")
    assert name == named("elsewhere")
    assert mark[:8] not in name
    monkeypatch.setenv("ROUNDING_KEY_OF_THE_TEST", KEY[::-1])
    assert named("of another key") != name


def test_totals_are_rounded_on_their_own(warehouse):
    city = left(warehouse, "dossiers").filter(indicator="received", area="can_tho")
    parts = city.filter(pl.col("category") != "total").group_by("period", "period_end").agg("value")
    both = parts.join(city.filter(category="total"), on=["period", "period_end"])
    assert any(sum(row["value"]) != row["value_right"] for row in both.iter_rows(named=True))


def test_a_rate_is_made_of_rounded_counts_and_missing_below_ten(warehouse):
    table = left(warehouse, "dossiers")
    key = ["area", "category", "period", "period_end"]
    wide = table.pivot("indicator", index=key, values="value")
    small = wide.filter(pl.col("received") < 10)
    assert small["online_share"].null_count() == len(small) > 100
    large = wide.filter(pl.col("received") >= 10)
    expected = (large["online"] / large["received"] * 100).to_list()
    assert large["online_share"].to_list() == pytest.approx(expected)


ON_TIME = """    - {name: done, type: integer, constraints: {required: true, maximum: 14}}
    - {name: on_time, type: integer, constraints: {minimum: 1, unique: true}}
    - {name: rate, type: number, constraints: {required: true, minimum: 0, maximum: 100}}
"""
SHARE = """  - {name: done, title: D, title_en: D, unit: hồ sơ, value: done}
  - {name: on_time, title: O, title_en: O, unit: hồ sơ, value: on_time}
  - {name: rate, title: R, title_en: R, unit: "%", value: rate, compute: {share: on_time, of: done}}
"""


def test_a_share_is_never_beyond_all_and_no_bound_is_promised_that_rounding_breaks():
    """Eleven of eleven left as 15 of 10, 150 %, beside a schema that said at most 100."""
    area = CATALOG.index("  - {name: area_ha, title")
    text = (CATALOG[:area] + SHARE + CATALOG[area:]).replace(PLAIN, PLAIN + ON_TIME)
    catalog = parse_catalog(text)
    dataset = catalog.datasets["register"]
    exact = register(cells()).with_columns(done=11, on_time=11, rate=100.0)
    kinds = measured(catalog, dataset, exact, measures_of(catalog, dataset, exact))
    found = rounded(exact, dataset, kinds, KEY.encode())
    assert set(found["on_time"]) == {10, 15}
    assert found["rate"].max() == 100
    told = {field["name"]: field for field in fields_of(catalog, dataset, found)}
    assert [told[name].get("constraints") for name in ("done", "on_time", "rate")] == [None] * 3


def test_what_is_no_count_of_people_stays_as_it_is(warehouse):
    assert set(left(warehouse, "register")["area_ha"]) == {12.5}


def test_the_dictionary_says_what_was_done_in_both_languages(warehouse):
    catalog = changed()
    found = {}
    for name in ("dossiers", "register"):
        dataset = catalog.datasets[name]
        table = left(warehouse, name)
        found[name] = {field["name"]: field for field in fields_of(catalog, dataset, table)}
    value = found["dossiers"]["value"]
    assert [step["method"] for step in value["protection"]] == [
        "random_rounding",
        "from_rounded_counts",
    ]
    assert "bội số của 5" in value["description"]
    assert "multiple of 5" in value["description_en"]
    assert found["register"]["patients"]["protection"][0]["base"] == 5
    assert "protection" not in found["register"]["area_ha"]
    rows = {row["column"]: row for row in dictionary([*found["dossiers"].values()]).to_dicts()}
    assert rows["value"]["protection"] == "random_rounding; from_rounded_counts"
    assert "multiple of 5" in rows["value"]["description_en"]


def ones(groups: int, parts: int) -> pl.DataFrame:
    """Many small communes, each with one case in each of some fields, and their totals."""
    rows = [
        (f"{group:05}", field, 1.0)
        for group in range(groups)
        for field in [*map(str, range(parts)), "total"]
    ]
    table = pl.DataFrame(rows, schema=["area", "category", "value"], orient="row")
    whole = pl.when(pl.col("category") == "total").then(float(parts)).otherwise("value")
    return table.with_columns(value=whole, indicator=pl.lit("received"))


def given_away(table: pl.DataFrame) -> int:
    """Totals of which the parts can only be ones."""
    totals = table.filter(category="total").rename({"value": "whole"})
    parts = (
        table.filter(pl.col("category") != "total")
        .group_by("area")
        .agg(pl.col("value").gt(0).sum())
    )
    both = totals.join(parts, on="area")
    return both.filter(pl.col("whole") + BASE - 1 <= pl.col("value")).height


def test_no_total_gives_its_parts_away_where_all_were_rounded_up():
    """Four ones that leave as 5 each, beside a total of four that leaves as 0."""
    exact, keys = ones(3000, 4), (f"key {number}".encode() for number in range(99))
    key = next(key for key in keys if given_away(each_alone(exact, key)))
    count = Measured("value", None, "received", "count", 1.0)
    found = rounded(exact, changed().datasets["dossiers"], [count], key)
    assert given_away(found) == 0
    assert found["value"].null_count() == 0
    assert ((found["value"] - exact["value"]).abs() < BASE).all()
    both = found.join(each_alone(exact, key), on=["area", "category"])
    assert 0 < both.filter(pl.col("value") != pl.col("value_right")).height < 0.01 * len(both)


def test_parts_of_people_may_be_further_off_and_bound_their_total_less():
    """Four of 0.9 that leave as 5 each, beside a total of 3.6 that leaves as 0."""
    exact = ones(3000, 4).with_columns(pl.col("value") * 0.9)
    keys = (f"key {number}".encode() for number in range(99))
    key, alone = next((key, alone) for key in keys if given_away(alone := each_alone(exact, key)))
    count = Measured("value", None, "received", "count", 1.0)
    found = rounded(exact, changed().datasets["dossiers"], [count], key)
    both = found.join(alone, on=["area", "category"])
    assert both["value"].to_list() == both["value_right"].to_list()


def each_alone(exact: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Rounded without a look at what adds up to what."""
    count = Measured("value", None, "received", "count", 1.0)
    parts = exact.partition_by("category")
    dataset = changed().datasets["dossiers"]
    return pl.concat([rounded(part, dataset, [count], key) for part in parts])


JANUARY, FIRST, AGAIN = MONTHS[0], dt.date(2026, 2, 1), dt.date(2026, 5, 1)
AREAS = pl.DataFrame(
    {"code": [*COMMUNES, "d", "e"], "level": [*["commune"] * 4, "district", "district"]}
).with_columns(parent=pl.when(pl.col("level") == "commune").then(pl.lit("d")))


def beside(column: str, parts: list[str], total: str, **others: object) -> pl.DataFrame:
    """A figure of 1 for each of `parts`, and their total."""
    values = [*[1.0] * len(parts), float(len(parts))]
    table = pl.DataFrame({column: [*parts, total], "value": values}).with_columns(
        **{name: pl.lit(value) for name, value in others.items()}
    )
    given = {"indicator": "received", "area": "31117", "category": "a", "sex": "a"}
    months = {"period": JANUARY, "period_end": dt.date(2026, 1, 31), "as_of": FIRST}
    kept = {
        name: pl.lit(value) for name, value in (given | months).items() if name not in table.columns
    }
    order = ["indicator", "area", "category", "sex", "period", "period_end", "as_of", "value"]
    return table.with_columns(**kept).select(order)


FIELD = beside("category", list("abcd"), "total")
QUARTER = beside("category", list("abc"), "d").with_columns(
    period=pl.Series([*MONTHS[:3], JANUARY]),
    period_end=pl.Series([*(dt.date(2026, n, d) for n, d in ((1, 31), (2, 28), (3, 31), (3, 31)))]),
    category=pl.lit("a"),
)
LEAKING = {
    "a figure elsewhere was revised": (
        pl.concat([FIELD, *(FIELD[:1].with_columns(area=pl.lit("x"), as_of=on, value=n)
                            for on, n in ((pl.lit(FIRST), 7.0), (pl.lit(AGAIN), 9.0)))]),
        3782,
    ),
    "a part was revised and the total was not": (
        pl.concat([FIELD, FIELD[:1].with_columns(as_of=pl.lit(AGAIN), value=2.0)]),
        3782,
    ),
    "a part is missing": (
        pl.concat([FIELD, FIELD[:1].with_columns(category=pl.lit("e"), value=None)]),
        3782,
    ),
    "a part is nowhere": (FIELD.filter(pl.col("category") != "d"), 856),
    "the total is of another column": (beside("sex", list("abcd"), "total"), 9556),
    "communes of a district": (beside("area", COMMUNES, "d"), 2341),
    "communes of a city beside its districts": (
        pl.concat([beside("area", COMMUNES, "can_tho"),
                   beside("area", ["d"], "e").with_columns(value=pl.Series([4.0, 0.0]))]),
        249,
    ),
    "months of a quarter": (QUARTER, 3),
    "a part can be no more than the whole": (
        pl.concat([FIELD.with_columns(indicator=pl.lit("online")), FIELD]),
        1753,
    ),
}  # fmt: skip


BOTH = [
    Measured("value", "received", "d/received", "count", 1.0),
    Measured("value", "online", "d/online", "count", 1.0, None, ("d/received",)),
]


def leaking(case: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The exact figures; each rounded alone; and all together."""
    exact, number = LEAKING[case]
    sexes = "    - {name: sex, constraints: {enum: [a, total]}}\n"
    dataset = changed(PLAIN, PLAIN + sexes).datasets["register"]
    key = f"key {number}".encode()
    alone = pl.concat([rounded(row, dataset, BOTH, key) for row in exact.iter_slices(1)])
    return exact, alone, rounded(exact, dataset, BOTH, key, cities=["can_tho"], areas=AREAS)


def known_of_the_parts(exact: pl.DataFrame, seen: pl.DataFrame) -> float:
    """How many cases may be spread over the ones that left as 5, beyond one for each."""
    shown = exact.with_columns(seen=seen["value"]).filter(pl.col("as_of") == FIRST)
    ones = shown.filter(pl.col("value") == 1, pl.col("seen") > 0)
    parts = ones.filter(pl.col("indicator") == shown["indicator"][0])
    total = shown.filter(pl.col("value").is_in([3.0, 4.0]), pl.col("area") != "x")["seen"]
    return min(math.inf if one is None else one + BASE - 1 - len(parts) for one in total)


@pytest.mark.parametrize("case", LEAKING)
def test_no_figure_bounds_others_to_what_they_are(case):
    """Ones that leave as 5 each, under what leaves as 0."""
    exact, alone, together = leaking(case)
    assert known_of_the_parts(exact, alone) < 2
    assert known_of_the_parts(exact, together) >= 2
    assert ((together["value"] - exact["value"]).abs() < BASE).all()


Cell = tuple[str, int]
"""A column, and a month."""
TOGETHER = {
    "a stock, what came and what left": (
        {"pending": [2, 4, 2, 0, 2], "received": [3, 6, 4, 5, 3], "resolved": [2, 4, 6, 7, 1]},
        [([("pending", n), ("resolved", n)], [("pending", n - 1), ("received", n)])
         for n in range(1, 5)],
        304,
    ),
    "a total beside its parts": (
        {"land": [1, 1], "business": [1, 0], "health": [1, 0], "school": [1, 2], "all": [4, 3]},
        [([("land", n), ("business", n), ("health", n), ("school", n)], [("all", n)])
         for n in range(2)],
        1930,
    ),
    "opening and closing stock in a row": (
        {"before": [4, 2], "received": [4, 5], "resolved": [6, 7], "pending": [2, 0]},
        [([("pending", n), ("resolved", n)], [("before", n), ("received", n)]) for n in range(2)],
        89,
    ),
}  # fmt: skip
"""Columns of a commune by month, what adds up to what, and a key that gives some of them away."""


def by_month(columns: dict[str, list[int]]) -> Counted:
    """A table with these columns, in the register of the catalog."""
    months = MONTHS[: max(map(len, columns.values()))]
    table = pl.DataFrame({"period": months, **columns}).with_columns(
        pl.col(*columns).cast(pl.Float64),
        area=pl.lit(COMMUNES[0]),
        area_vintage=dt.date(2025, 7, 1),
        period_end=pl.col("period").dt.month_end(),
    )
    measures = [Measured(name, None, f"register/{name}", "count", 1.0) for name in columns]
    return Counted(table, changed().datasets["register"], measures)


def fewest_values(
    seen: dict[Cell, float | None], sums: list[tuple[list[Cell], list[Cell]]]
) -> float:
    """How far apart the least and the most are that a figure may be, where that is nearest."""
    places = {cell: at for at, cell in enumerate(seen)}
    matrix = np.zeros((len(sums), len(places)))
    for row, (left, right) in enumerate(sums):
        matrix[row, [places[cell] for cell in left]] = 1
        matrix[row, [places[cell] for cell in right]] = -1
    bounds = [(0, None) if one is None else (max(one - 4, 0), one + 4) for one in seen.values()]

    def end(at: int, sign: int) -> float:
        cost = np.zeros(len(places))
        cost[at] = sign
        zero = np.zeros(len(sums))
        found = linprog(cost, A_eq=matrix, b_eq=zero, bounds=bounds, method="highs")
        return float(found.x[at])

    return min(np.floor(end(at, -1) + 1e-6) - np.ceil(end(at, 1) - 1e-6) for at in range(len(seen)))


@pytest.mark.parametrize("case", TOGETHER)
def test_what_counts_come_to_together_gives_none_of_them_away(case):
    """Nobody declared what adds up to what: it is found in the figures."""
    columns, sums, number = TOGETHER[case]
    whole, key = by_month(columns), f"key {number}".encode()
    parts = [by_month({name: values}) for name, values in columns.items()]

    def left(*tables: Counted) -> dict[Cell, float | None]:
        found = [rounded(one.table, one.dataset, one.measures, key) for one in tables]
        return {
            (name, month): value
            for table in found
            for name in set(table.columns) & set(columns)
            for month, value in enumerate(table[name])
        }

    assert fewest_values(left(*parts), sums) < 2
    assert fewest_values(left(whole), sums) >= 2


def test_a_stock_in_the_table_of_another_office_gives_nothing_away():
    columns, sums, number = TOGETHER["a stock, what came and what left"]
    stock = by_month({"pending": columns.pop("pending")})
    tables, seen = [stock, by_month(columns)], {}
    for one, other in itertools.permutations(tables):
        key = f"key {number}".encode()
        left = rounded(one.table, one.dataset, one.measures, key, beside=[other])
        for count in one.measures:
            seen |= {(count.column, at): value for at, value in enumerate(left[count.column])}
    assert fewest_values(seen, sums) >= 2


# What is refused


def test_without_a_key_nothing_leaves_that_needs_one(warehouse, monkeypatch):
    catalog = changed()
    dossiers = catalog.datasets["dossiers"]
    assert answer(catalog, dossiers, warehouse, Site()).refusal == Refusal.NO_KEY
    with pytest.raises(NoRoundingKey, match="names no key"):
        clean_table(warehouse, catalog, dossiers, site=Site())
    monkeypatch.setenv("ROUNDING_KEY_OF_THE_TEST", "short")
    assert asked(warehouse, "dossiers").refusal == Refusal.NO_KEY
    monkeypatch.delenv("ROUNDING_KEY_OF_THE_TEST")
    assert asked(warehouse, "dossiers").refusal == Refusal.NO_KEY


def test_with_a_key_both_may_leave(warehouse):
    assert asked(warehouse, "dossiers") == Answer(None)
    assert asked(warehouse, "register") == Answer(None)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("unit: người, value", "value"), "count_without_unit"),
        (("unit: ha, value", 'unit: "%", aggregate: rate, value'), "rate_without_its_counts"),
        (("{areas: {level: commune}}\n  schema:\n    fields:\n    - {name: area}\n    - {name: per",
          "{areas: {level: city}}\n  schema:\n    fields:\n    - {name: area}\n    - {name: per"),
         "small_count_of_the_city"),
    ],
)  # fmt: skip
def test_what_nobody_decided_is_refused_with_its_place(change, rule, warehouse):
    found = asked(warehouse, "register", change)
    assert found.refusal == Refusal.UNPROTECTED
    assert {cell.rule for cell in found.cells} == {rule}


PATIENTS = "unit: người, value"
LISTED = "kept"


@pytest.mark.parametrize(
    ("unit", "rule"),
    [
        *((unit, LISTED) for unit in ("người chết", "trăm người", "nghìn  Người", "ca tử vong")),
        *((unit, LISTED) for unit in ("vụ tai nạn", "hộ cận nghèo", "triệu đồng", "km²", "tấn/ha")),
        *((unit, "unit_not_listed") for unit in ("tuổi", "điểm", "con người", "1000 người")),
        *((unit, "rate_without_its_counts") for unit in ("%", "‰", "ca/100.000 dân", "người/km²")),
        *((unit, "rate_without_its_counts") for unit in ("% dân số", "triệu đồng/người/tháng")),
    ],
)
def test_below_the_city_only_units_of_the_lists_leave(unit, rule, warehouse):
    """Forty kinds of cases nobody wrote down once left as they were counted."""
    found = asked(warehouse, "register", (PATIENTS, f'unit: "{unit}", value'))
    assert {cell.rule for cell in found.cells} == (set() if rule == LISTED else {rule})


def test_a_count_in_a_longer_unit_is_rounded_and_weight_and_money_are_not(warehouse):
    exact = left(warehouse, "register", (PATIENTS, "unit: tấn, value"))["patients"]
    assert set(exact) > {1, 2, 3, 4}
    for unit in ("người chết", "ca tử vong", "hộ cận nghèo"):
        found = left(warehouse, "register", (PATIENTS, f"unit: {unit}, value"))["patients"]
        assert set(found % BASE) == {0}


@pytest.mark.parametrize("unit", ["ca/100.000 dân", "tuổi", "người"])
def test_a_mean_or_a_rate_gives_its_count_away_whatever_its_unit(unit, warehouse):
    """5 % of 20 people are one, and a mean of 50,333 years is of three."""
    rate = (PATIENTS, f"unit: {unit}, aggregate: rate, value")
    assert {cell.rule for cell in asked(warehouse, "register", rate).cells} == {
        "rate_without_its_counts"
    }


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ('{name: share, type: number, unit: "%"}', "rate_without_its_counts"),
        ("{name: age, type: number, unit: tuổi}", "unit_not_listed"),
        ("{name: written, title: Số ca}", "count_without_unit"),
        ("{name: written, title: Số ca, unit: người}", "unit_not_listed"),
        ("{name: remark}", LISTED),
        ("{name: weight, type: number, unit: tấn}", LISTED),
    ],
)
def test_numbers_beside_the_indicators_are_looked_at_too(field, rule, home):
    """Counts declared as text, and a share that stands there as a plain field."""
    catalog = changed(PLAIN, f"{PLAIN}    - {field}\n")
    dataset = catalog.datasets["register"]
    table = register(cells()).with_columns(
        *(pl.lit(1.5).alias(name) for name in ("share", "age", "weight")),
        written=pl.col("patients").cast(pl.String).replace("0", "-"),
        remark=pl.lit("đo lại 12 lần"),
    )
    found = problems(table, dataset, measured(catalog, dataset, table, measures(dataset, table)))
    assert {cell.rule for cell in found} == (set() if rule == LISTED else {rule})


def measures(dataset: Dataset, table: pl.DataFrame) -> list[tuple[str, Indicator]]:
    return measures_of(changed(), dataset, table)


def test_a_share_of_what_is_no_secret_is_none():
    land = "{name: area_ha, title: Diện tích, title_en: Area, unit: ha, value: area_ha}"
    share = '{name: half, title: N, title_en: H, unit: "%", value: half, compute: '
    share += "{share: area_ha, of: area_ha}}"
    text = CATALOG.replace(land, f"{land}\n  - {share}")
    catalog = parse_catalog(text.replace(PLAIN, f"{PLAIN}    - {{name: half, type: number}}\n"))
    dataset = catalog.datasets["register"]
    table = register(cells()).with_columns(half=100.0)
    kinds = measured(catalog, dataset, table, measures_of(catalog, dataset, table))
    assert problems(table, dataset, kinds) == []


def test_a_score_leaves_where_the_catalog_answers_for_it(warehouse):
    score = (PATIENTS, "unit: điểm, value")
    assert asked(warehouse, "register", score).refusal == Refusal.UNPROTECTED
    answered = "exempt: [{field: patients, found: unit_not_listed, reason: Điểm chấm cho xã}]"
    publish = "publish: {theme: GOVE, frequency: MONTHLY}\n"
    text = CATALOG.replace(*score)
    at = text.rindex(publish)
    catalog = parse_catalog(text[:at] + publish.replace("}\n", f", {answered}}}\n"))
    dataset = catalog.datasets["register"]
    assert answer(catalog, dataset, warehouse, SITE) == Answer(None)
    table = clean_table(warehouse, catalog, dataset, site=SITE)
    told = {field["name"]: field for field in fields_of(catalog, dataset, table)}
    assert told["patients"]["protection"][0]["description"] == "Điểm chấm cho xã"


def test_rows_of_a_long_table_that_no_indicator_describes_are_refused():
    catalog = changed()
    dataset = catalog.datasets["dossiers"]
    rows = [("31117", "received", 1.0), ("31117", "deaths", 2.0)]
    table = pl.DataFrame(rows, schema=["area", "indicator", "value"], orient="row")
    kinds = measured(catalog, dataset, table, measures_of(catalog, dataset, table))
    (cell,) = problems(table, dataset, kinds)
    assert (cell.rule, cell.shown) == ("count_without_unit", "deaths")


def test_exact_counts_leave_only_with_a_reason_that_is_published(warehouse):
    none = "publish: {theme: GOVE, frequency: MONTHLY, protect: none, reason: Đã công bố}\n"
    catalog = parse_catalog(CATALOG[: CATALOG.rindex("publish:")] + f"  {none}".lstrip())
    dataset = catalog.datasets["register"]
    assert answer(catalog, dataset, warehouse, Site()) == Answer(None)
    table = clean_table(warehouse, catalog, dataset, site=Site())
    assert table.equals(exact_table(warehouse, catalog, dataset).sort("area", "period"))
    told = {field["name"]: field for field in fields_of(catalog, dataset, table)}
    assert told["patients"]["description"] == "Đã công bố"


def test_a_reason_that_speaks_of_a_person_is_not_published(warehouse):
    none = "protect: none, reason: Theo ông Trần Văn Bé}\n"
    catalog = parse_catalog(CATALOG[: CATALOG.rindex("}\n")] + f", {none}")
    dataset = catalog.datasets["register"]
    table = clean_table(warehouse, catalog, dataset, site=Site())
    told = {field["name"]: field for field in fields_of(catalog, dataset, table)}
    assert told["patients"]["description"] == told["patients"]["description_en"] == UNTOLD


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("protect: none", "go together"),
        ("reason: vì thế", "go together"),
        ("exempt: [{field: phone, found: phone_number, reason: cơ quan}]", "'phone' is not"),
        ("exempt: [{field: code, found: identity_number, reason: x}]", "identity_number|Input"),
        ("protect: none, reason: x", "counts of cases are always rounded"),
    ],
)
def test_a_catalog_cannot_ask_for_less(words, problem):
    with pytest.raises(Problems, match=problem):
        changed(
            "{theme: GOVE, frequency: MONTHLY}", f"{{theme: GOVE, frequency: MONTHLY, {words}}}"
        )


def test_a_planted_name_keeps_the_whole_dataset_inside_and_is_named_masked(warehouse, tmp_path):
    noted = CATALOG.replace("- {name: area_ha, ty", "- {name: note}\n    - {name: area_ha, ty")
    catalog = parse_catalog(noted.replace("name: register", "name: planted"))
    found = answer(catalog, catalog.datasets["planted"], warehouse, SITE)
    assert found.refusal == Refusal.PERSONAL
    assert sorted(str(cell) for cell in found.cells) == [
        f"note, row 3 (area=31117, area_vintage=2025-07-01, "
        f"period=2026-03-01, period_end=2026-03-31, frequency=month): "
        f"{rule}: g… b… N… T… L…, 0… 3… 6…"
        for rule in ("personal_name", "phone_number")
    ]
    outcome = publish_catalog(warehouse, catalog, tmp_path / "portal")
    assert "planted" in outcome.refused
    assert not (tmp_path / "portal" / "planted").exists()


# The attack: what do the linked tables say together about one cell?


def figures(
    table: pl.DataFrame, index: dict[tuple[str, dt.date, str], int]
) -> Iterator[tuple[list[int], float]]:
    """Each published figure with the cells that it adds up."""
    for row in table.iter_rows(named=True):
        areas = COMMUNES if row["area"] == "can_tho" else [row["area"]]
        fields = FIELDS if row["category"] == "total" else [row["category"]]
        months = MONTHS if row["frequency"] == "year" else [row["period"]]
        yield [index[key] for key in itertools.product(areas, months, fields)], row["value"]


def constraints(table: pl.DataFrame, within: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of 0 and 1 by cell, and the bounds of their sums: `within` of what is published."""
    keys = list(itertools.product(COMMUNES, MONTHS, FIELDS))
    index = {key: at for at, key in enumerate(keys)}
    found = list(figures(table, index))
    matrix = np.zeros((len(found), len(keys)))
    for row, (members, _) in enumerate(found):
        matrix[row, members] = 1
    values = np.array([value for _, value in found])
    return matrix, np.maximum(values - within, 0), values + within


def ranges(table: pl.DataFrame, within: float, targets: list[int]) -> list[tuple[int, int]]:
    """Smallest and largest whole number that each of the cells `targets` may be."""
    matrix, lower, upper = constraints(table, within)
    sides = csr_array(np.vstack([matrix, -matrix])), np.concatenate([upper, -lower])

    def end(at: int, sign: int) -> float:
        cost = np.zeros(matrix.shape[1])
        cost[at] = sign
        return float(linprog(cost, *sides, bounds=(0, None), method="highs").x[at])

    ends = [(end(at, 1), end(at, -1)) for at in targets]
    return [(int(np.ceil(low - 1e-6)), int(np.floor(high + 1e-6))) for low, high in ends]


def small_cells(number: int) -> list[int]:
    """Places of the first counts of 1 to 4, in the order of `cells`."""
    received = cells()["received"]
    return [at for at, value in enumerate(received) if 0 < value < BASE][:number]


def test_no_small_count_can_be_recovered_from_the_linked_tables(warehouse):
    table = left(warehouse, "dossiers").filter(indicator="received")
    found = ranges(table, BASE - 1, small_cells(14))
    assert min(high - low for low, high in found) == 4


def test_what_is_a_part_of_what_follows_from_shares_and_from_what_is_counted():
    overdue = "    - {name: pending, stock: {from: received, until: done}}\n"
    overdue += "    - {name: overdue, stock: {after: due, until: done}}\n"
    told = "  - {name: pending, title: P, title_en: P, unit: hồ sơ, value: pending}\n"
    told += "  - {name: overdue, title: Q, title_en: Q, unit: hồ sơ, value: overdue}\n"
    days = "    - {name: due, type: date}\n    - {name: done, type: date}\n"
    text = CATALOG.replace("  tables:\n", f"{days}  tables:\n", 1)
    text = text.replace("  indicators:\n", f"{overdue}  indicators:\n{told}", 1)
    catalog = parse_catalog(text)
    dataset = catalog.datasets["dossiers"]
    names = ["received", "online", "pending", "overdue"]
    table = pl.DataFrame({"indicator": names, "value": 1.0})
    found = measured(catalog, dataset, table, measures_of(catalog, dataset, table))
    assert {one.code: one.at_most for one in found} == {
        "received": (),
        "online": ("dossiers/received",),
        "pending": (),
        "overdue": ("dossiers/pending",),
    }


def revised(seed: int) -> pl.DataFrame:
    """Received and online of a month: one cell revised, with its totals, and one missing."""
    rng, columns = random.Random(seed), ["indicator", "area", "category", "period", "value"]
    rows = []
    for area, month, field in itertools.product(COMMUNES, MONTHS[:1], FIELDS):
        received = rng.choice([1.0, 1.0, 1.0, 1.0, 2.0])
        online = rng.choice([received, received, received, 1.0])
        rows += [(name, area, field, month, value)
                 for name, value in (("received", received), ("online", online))]  # fmt: skip
    cell = (pl.col("area") == COMMUNES[0]) & (pl.col("category") == FIELDS[0])
    missing = (pl.col("area") == COMMUNES[1]) & (pl.col("category") == FIELDS[1])
    table = pl.DataFrame(rows, schema=columns, orient="row")
    more = table.with_columns(pl.col("value") + pl.when(cell).then(1).otherwise(0))
    first, then = (summed(one) for one in (table, more))
    then = then.filter(then["value"] != first["value"])
    both = pl.concat([first.with_columns(as_of=FIRST), then.with_columns(as_of=AGAIN)])
    return both.with_columns(
        value=pl.when(missing).then(None).otherwise("value"),
        area_vintage=dt.date(2025, 7, 1),
        period_end=pl.col("period").dt.month_end(),
    )


def summed(table: pl.DataFrame) -> pl.DataFrame:
    for column, whole in (("category", "total"), ("area", "can_tho")):
        rest = [name for name in table.columns if name not in (column, "value")]
        sums = table.group_by(rest, maintain_order=True).agg(pl.col("value").sum())
        table = pl.concat([table, sums.with_columns(pl.lit(whole).alias(column))], how="diagonal")
    return table


def narrowest(table: pl.DataFrame) -> int:
    """Least distance between what a cell may be at least and at most, of all that were counted.

    What nobody published is unknown; online is at most received.
    """
    cells = table.filter(pl.col("category") != "total", pl.col("area") != "can_tho")
    names = ["indicator", "area", "category", "period", "as_of"]
    index = {cell: at for at, cell in enumerate(cells.select(names).iter_rows())}
    bounds: list[tuple[list[int], list[int], float]] = []
    for row in table.drop_nulls("value").iter_rows(named=True):
        areas = COMMUNES if row["area"] == "can_tho" else [row["area"]]
        fields = FIELDS if row["category"] == "total" else [row["category"]]
        parts = [
            index.get((*part, row["as_of"]), index.get((*part, FIRST), 0))
            for part in itertools.product([row["indicator"]], areas, fields, [row["period"]])
        ]
        bounds += [(parts, [], row["value"] + BASE - 1), ([], parts, BASE - 1 - row["value"])]
    for (name, *cell), at in index.items():
        if name == "online":
            bounds.append(([at], [index["received", *cell]], 0.0))
    matrix = np.zeros((len(bounds), len(index)))
    for line, (plus, minus, _) in enumerate(bounds):
        matrix[line, plus], matrix[line, minus] = 1, -1
    sides = csr_array(matrix), np.array([most for *_, most in bounds])

    def end(at: int, sign: int) -> float:
        cost = np.zeros(len(index))
        cost[at] = sign
        return float(linprog(cost, *sides, bounds=(0, None), method="highs").x[at])

    online = [at for (name, *_), at in index.items() if name == "online"]
    ends = [(np.ceil(end(at, 1) - 1e-6), np.floor(end(at, -1) + 1e-6)) for at in online]
    return int(min(high - low for low, high in ends))


def test_no_count_can_be_recovered_from_two_indicators_gaps_and_revisions_together():
    exact, dataset, key = revised(10), changed().datasets["dossiers"], b"key 10"
    cells = exact.partition_by("indicator", "area", "category")
    alone = pl.concat([rounded(cell, dataset, BOTH, key) for cell in cells])
    assert narrowest(alone) < 2
    assert narrowest(rounded(exact, dataset, BOTH, key, cities=["can_tho"])) >= 2


RECEIVED = [Measured("value", None, "dossiers/received", "count", 1.0)]
PUBLIC = "publish: {theme: GOVE, frequency: MONTHLY, protect: none, reason: Đã công bố}"
UNLUCKY = b"key 10162"
"""By which four ones leave as 5 each, and their total, looked at by itself, as 0."""


def of_two_offices(publish: str = "") -> tuple[Counted, Counted]:
    """Four ones by field with their total; the same total in the table of another office."""
    fields = FIELD.drop("sex", "indicator", "as_of")
    total = fields.filter(category="total").drop("category")
    catalog = parse_catalog(publish.join(CATALOG.rsplit(MONTHLY, 1)) if publish else CATALOG)
    register, dossiers = catalog.datasets["register"], catalog.datasets["dossiers"]
    return Counted(fields, dossiers, RECEIVED), Counted(total, register, RECEIVED)


MONTHLY = "publish: {theme: GOVE, frequency: MONTHLY}"


def as_they_leave(one: Counted, *beside: Counted) -> list[float | None]:
    return rounded(one.table, one.dataset, RECEIVED, UNLUCKY, beside=beside)["value"].to_list()


def test_a_total_in_the_table_of_another_office_gives_no_parts_away():
    fields, office = of_two_offices()
    assert as_they_leave(office) == [0]
    assert as_they_leave(fields, office) == [5, 5, 5, 5, 5]
    assert as_they_leave(office, fields) == [5]


def test_parts_give_way_where_another_office_tells_their_total_exactly():
    fields, office = of_two_offices(PUBLIC)
    assert as_they_leave(fields) == [5, 5, 5, 5, 5]
    assert as_they_leave(fields, office) == [0, 0, 0, 0, 0]


def test_tables_of_the_same_counts_leave_with_the_same_figures(warehouse):
    fields = left(warehouse, "dossiers").filter(indicator="received", category="total")
    office = left(warehouse, "register").select("area", "period", office="received_count")
    both = fields.filter(frequency="month").join(office, on=["area", "period"])
    assert len(both) == len(COMMUNES) * len(MONTHS)
    assert both["value"].to_list() == both["office"].to_list()


def test_the_attack_succeeds_where_small_counts_are_only_left_out(warehouse):
    catalog = changed()
    exact = exact_table(warehouse, catalog, catalog.datasets["dossiers"])
    seen = exact.filter((pl.col("indicator") == "received") & ~pl.col("value").is_between(1, 4))
    found = ranges(seen, 0, small_cells(14))
    assert sum(low == high for low, high in found) == 10
