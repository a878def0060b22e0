"""History carried over the boundary change: nothing is lost, and what is estimated is marked."""

import datetime as dt

import polars as pl
import pytest

from etl.catalog import load_catalog
from etl.comparable import make_comparable
from etl.geography import areas
from etl.warehouse import Warehouse

BEFORE = dt.date(2025, 6, 30)

CASES = """
- name: dossiers
  title: Hồ sơ
  sources: [{path: dossiers.csv}]
  read: {delimiter: ";", dates: "%d/%m/%Y"}
  licenses: [{name: internal}]
  clean: {areas: {level: [commune, district], on: received}}
  schema:
    fields:
    - {name: id, from: [Mã], constraints: {required: true, unique: true}}
    - {name: category, from: [Lĩnh vực], categories: [{value: land, label: Đất đai}, {value: civil, label: Hộ tịch}]}
    - {name: area, from: [Nơi nhận]}
    - {name: received, type: date, from: [Nhận]}
    - {name: due, type: date, from: [Hẹn]}
    - {name: finished, type: date, from: [Trả]}
  tables:
  - name: counted
    by: [area, category]
    measures:
    - {name: received, count: received}
    - {name: resolved, count: finished}
    - {name: on_time, count: finished, where: {finished: {at_most: due}}}
    - {name: pending, stock: {from: received, until: finished}}
    - {name: overdue, stock: {after: due, until: finished}}
  indicators:
  - {name: received, title: Nhận, title_en: Received, value: received}
  - {name: resolved, title: Trả, title_en: Resolved, value: resolved}
  - {name: on_time, title: Đúng hạn, title_en: On time, value: on_time}
  - {name: pending, title: Tồn, title_en: Pending, value: pending, aggregate: last}
  - {name: overdue, title: Quá hạn, title_en: Overdue, value: overdue, aggregate: last}
  - {name: on_time_share, title: Tỷ lệ, title_en: Share, compute: {share: on_time, of: resolved}}
"""  # noqa: E501
HEADER = "Mã;Lĩnh vực;Nơi nhận;Nhận;Hẹn;Trả\n"
OLD = "Phường Cái Khế, Quận Ninh Kiều, TP Cần Thơ"
SPLIT = "Phường Thốt Nốt, Quận Thốt Nốt, TP Cần Thơ"
DISTRICT = "Quận Ninh Kiều, TP Cần Thơ"
END = "z;Hộ tịch;Phường Cái Khế;31/07/2025;31/07/2025;31/07/2025\n"  # closes the last month


def monthly(
    warehouse, indicator, level="commune", category="total"
) -> dict[tuple[str, str], float]:
    rows = warehouse.select(
        "select area, strftime(period, '%Y-%m'), value from comparable where indicator = $i "
        "and level = $l and category = $c and frequency = 'month' and value <> 0",
        i=indicator,
        l=level,
        c=category,
    )
    return {(area, month): value for area, month, value in rows.iter_rows()}


def test_a_former_ward_that_went_over_whole_keeps_every_case(refresh):
    rows = "".join(f"{n};Đất đai;{OLD};0{n}/06/2025;10/06/2025;\n" for n in range(1, 4))
    seen = monthly(refresh(CASES, dossiers_csv=HEADER + rows + END), "received")
    assert seen == {("31120", "2025-06"): 3, ("31120", "2025-07"): 1}


def test_a_split_ward_is_shared_by_weight_with_its_estimated_share_and_range(refresh):
    rows = "".join(f"{n};Đất đai;{SPLIT};{n:02}/06/2025;;\n" for n in range(1, 11))
    warehouse = refresh(CASES, dossiers_csv=HEADER + rows + END)
    parts = warehouse.select(
        "select area, value, lower, upper, estimated_share from comparable "
        "where indicator = 'received' and level = 'commune' and category = 'total' "
        "and period = date '2025-06-01' and value > 0 order by area"
    )
    assert parts["area"].to_list() == ["31207", "31228"]
    assert parts["value"].sum() == pytest.approx(10)
    assert parts["value"].to_list() == pytest.approx([8.8, 1.2])
    assert parts["estimated_share"].to_list() == pytest.approx([1, 1])
    assert (parts["lower"] < parts["value"]).all()
    assert (parts["value"] < parts["upper"]).all()


def test_a_district_goes_to_the_communes_as_an_estimate_and_the_city_total_does_not_move(refresh):
    rows = "".join(f"{n};Đất đai;{DISTRICT};{n:02}/06/2025;;\n" for n in range(1, 21))
    warehouse = refresh(CASES, dossiers_csv=HEADER + rows + END)
    communes = warehouse.select(
        "select sum(value) as value, min(estimated_share) as share from comparable where "
        "indicator = 'received' and level = 'commune' and category = 'total' "
        "and period = date '2025-06-01' and value > 0"
    )
    assert communes.row(0) == (pytest.approx(20), 1)
    assert monthly(warehouse, "received", level="city")["can_tho", "2025-06"] == pytest.approx(20)


def test_a_day_without_cases_in_a_loaded_month_is_zero_in_every_commune(refresh):
    warehouse = refresh(CASES, dossiers_csv=HEADER + END)
    cells = warehouse.select(
        "select count(*) as cells, sum(value) as value from comparable where level = 'commune' "
        "and indicator = 'received' and category = 'total'"
    )
    assert cells.row(0) == (103, 1)


def test_the_month_that_is_not_over_is_left_out(refresh):
    rows = "1;Đất đai;Phường Cái Khế;10/08/2025;;\n"
    seen = monthly(refresh(CASES, dossiers_csv=HEADER + rows + END), "received")
    assert seen == {("31120", "2025-07"): 1}


def test_pending_and_overdue_are_stocks_at_the_end_of_the_month(refresh):
    """
    id | received | due    | finished | open at the end of May, June, July
    a  | 10 May   | 20 May | 5 June   | overdue, -, -
    b  | 20 May   | 30 June| 10 July  | pending, pending, -
    c  | 25 June  | 1 July |          | -, pending, overdue
    d  | 1 June   | 1 June | 1 June   | never
    """
    rows = (
        f"a;Đất đai;{OLD};10/05/2025;20/05/2025;05/06/2025\n"
        f"b;Đất đai;{OLD};20/05/2025;30/06/2025;10/07/2025\n"
        f"c;Đất đai;{OLD};25/06/2025;01/07/2025;\n"
        f"d;Đất đai;{OLD};01/06/2025;01/06/2025;01/06/2025\n"
    )
    warehouse = refresh(CASES, dossiers_csv=HEADER + rows + END)
    code = "31120"
    assert monthly(warehouse, "pending") == {
        (code, "2025-05"): 2, (code, "2025-06"): 2, (code, "2025-07"): 1,
    }  # fmt: skip
    assert monthly(warehouse, "overdue") == {(code, "2025-05"): 1, (code, "2025-07"): 1}


def test_the_identifier_of_a_case_is_not_shown_among_the_rejected(refresh):
    entry = CASES.replace(
        "{level: [commune, district], on: received}}",
        "{level: [commune, district], on: received}, max_rejected: 1}",
    )
    rows = f"HS1;Đất đai;{OLD};01/06/2025;;\nHS1;Đất đai;{OLD};02/06/2025;;\n"
    warehouse = refresh(entry, dossiers_csv=HEADER + rows + END)
    found = warehouse.select("select record, rule, value from rejected")
    assert found.rows() == [(2, "id_unique", None)]


def test_rates_are_made_again_from_numerator_and_denominator_and_never_averaged(refresh):
    rows = "".join(
        f"{n};{field};{OLD};01/06/2025;05/06/2025;{day}/06/2025\n"
        for n, (field, day) in enumerate([("Đất đai", "09")] + [("Hộ tịch", "02")] * 3)
    )
    warehouse = refresh(CASES, dossiers_csv=HEADER + rows + END)
    assert monthly(warehouse, "on_time_share", category="civil")["31120", "2025-06"] == 100
    assert monthly(warehouse, "on_time_share")["31120", "2025-06"] == 75


def test_what_is_resolved_counts_in_the_month_it_was_finished(refresh):
    rows = f"a;Đất đai;{OLD};30/06/2025;10/07/2025;02/07/2025\n"
    seen = monthly(refresh(CASES, dossiers_csv=HEADER + rows + END), "resolved")
    assert seen == {("31120", "2025-07"): 2}


PROVINCES = """
- name: population
  title: Dân số
  sources: [{path: population.csv}]
  clean: {areas: {level: [city, former_province]}}
  schema:
    fields:
    - {name: indicator}
    - {name: area}
    - {name: period, type: year}
    - {name: value, type: number}
    - {name: status}
  indicators:
  - {name: population, title: Dân số, title_en: Population, aggregate: last}
  - {name: birth_rate, title: Tỷ suất sinh, title_en: Birth rate, aggregate: rate}
"""


def test_the_city_before_it_existed_is_the_sum_of_the_three_where_none_is_missing(refresh):
    warehouse = refresh(
        PROVINCES,
        population_csv="indicator,area,period,value,status\n"
        "population,can_tho_old,2023,1,chính thức\npopulation,hau_giang,2023,2,chính thức\n"
        "population,soc_trang,2023,4,sơ bộ\npopulation,can_tho_old,2024,9,chính thức\n"
        "population,can_tho,2030,3300,kế hoạch\npopulation,can_tho,2025,50,sơ bộ\n"
        "birth_rate,can_tho_old,2023,10,chính thức\nbirth_rate,hau_giang,2023,20,chính thức\n"
        "birth_rate,soc_trang,2023,30,chính thức\n",
    )
    city = warehouse.select(
        "select indicator, year(period)::int, value, status, derived from comparable "
        "where level = 'city'"
    )
    assert list(city.iter_rows()) == [("population", 2023, 7, "preliminary", True)]


def test_every_reference_row_of_the_crosswalk_points_to_a_commune_of_today(refresh):
    warehouse = refresh(CASES, dossiers_csv=HEADER + END)
    lost = warehouse.select(
        "select * from crosswalk w anti join (select code from area where valid_to is null) a "
        "on a.code = w.new_code"
    )
    assert lost.is_empty()
    sums = warehouse.select("select sum(weight) as w from crosswalk group by old_code, old_vintage")
    assert sums.select((pl.col("w") - 1).abs().max()).item() < 1e-9
    assert dt.date(2025, 7, 1) in warehouse.select("select area_vintage from area").to_series()


# --- tables that mix both maps ------------------------------------------------------------------

TABLE = """
- name: harvest
  title: Thu hoạch
  sources: [{path: harvest.csv}]
  clean: {areas: {level: [commune, district]}, max_rejected: 1}
  schema:
    fields:
    - {name: area}
    - {name: period, type: yearmonth}
    - {name: tonnes, type: number}
  indicators: [{name: tonnes, title: Tấn, title_en: Tonnes, value: tonnes}]
"""
# Phường Tân An of today was made of phường Hưng Lợi and phường An Khánh.


def harvest(refresh, *lines: str):
    table = "".join(f'"{area}",{month},{value}\n' for area, month, value in map(_split, lines))
    return refresh(TABLE, harvest_csv=f"area,period,tonnes\n{table}")


def _split(line: str) -> list[str]:
    return [part.strip() for part in line.split("|")]


def test_former_communes_until_june_and_those_of_today_since_are_one_series(refresh):
    warehouse = harvest(
        refresh,
        "Phường Hưng Lợi   | 06/2025 | 3",
        "Phường An Khánh | 06/2025 | 4",
        "Phường Tân An     | 07/2025 | 9",
    )
    assert monthly(warehouse, "tonnes") == {("31147", "2025-06"): 7, ("31147", "2025-07"): 9}


def test_a_month_that_lists_an_area_and_its_parts_does_not_count_it_twice(refresh):
    warehouse = harvest(
        refresh,
        "Phường Tân An          | 07/2025 | 9",
        "Phường Hưng Lợi (cũ)   | 07/2025 | 3",
        "Phường An Khánh (cũ) | 07/2025 | 4",
    )
    assert monthly(warehouse, "tonnes") == {("31147", "2025-07"): 9}
    kept = warehouse.select("select area_name, value from as_it_was order by value")
    assert kept["value"].to_list() == [3, 4, 9], "all three stay on the map of their day"


def test_former_names_used_since_the_change_count_for_the_area_they_went_to(refresh):
    warehouse = harvest(
        refresh,
        "Phường Hưng Lợi (cũ)   | 08/2025 | 3",
        "Phường An Khánh (cũ) | 08/2025 | 4",
    )
    assert monthly(warehouse, "tonnes") == {("31147", "2025-08"): 7}


def test_an_area_of_which_a_part_is_missing_is_missing_and_not_smaller(refresh):
    warehouse = harvest(refresh, "Phường Hưng Lợi | 06/2025 | 3")
    assert monthly(warehouse, "tonnes") == {}
    assert len(warehouse.select("select * from as_it_was")) == 1


def test_a_district_beside_its_communes_is_not_added_to_them(refresh):
    communes = [
        f"{row['kind']} {row['name']}, Quận Ninh Kiều, TP Cần Thơ | 06/2025 | 1"
        for row in areas()
        .filter(pl.col("parent") == "can_tho_old.ninh_kieu", pl.col("valid_to") == BEFORE)
        .iter_rows(named=True)
    ]
    warehouse = harvest(refresh, *communes, "Quận Ninh Kiều | 06/2025 | 50")
    seen = monthly(warehouse, "tonnes")
    assert seen["31135", "2025-06"] == 3
    assert seen["31147", "2025-06"] == 2


def test_a_name_that_did_not_exist_on_its_day_is_rejected_with_the_reason(refresh):
    warehouse = harvest(
        refresh,
        "Phường Hưng Lợi | 07/2025 | 3",
        "Phường Ninh Kiều | 06/2025 | 4",
        "xã Phú Tân, huyện Châu Thành | 06/2025 | 5",
        "Phường Tân An | 07/2025 | 9",
    )
    found = warehouse.select(
        "select record, rule, problem from explained_rejected order by record"
    ).rows()
    assert [(record, rule) for record, rule, _ in found] == [(n, "area_known") for n in (1, 2, 3)]
    assert "at another time: Phường Hưng Lợi, Quận Ninh Kiều" in found[0][2]
    assert "at another time: Phường Ninh Kiều" in found[1][2]
    assert "means 2 areas" in found[2][2]


def test_a_negative_figure_keeps_its_range_the_right_way_round(refresh):
    parts = areas().filter(pl.col("name").is_in(["Thốt Nốt"]), pl.col("level") == "commune")
    assert len(parts) == 2
    warehouse = harvest(refresh, f"{SPLIT} | 06/2025 | -10")
    wrong = "select count(*) from comparable where not (lower <= value and value <= upper)"
    assert warehouse.select(wrong).item() == 0


def test_the_views_name_an_area_as_it_was_and_as_it_is_now(refresh):
    warehouse = harvest(
        refresh,
        "Phường Hưng Lợi   | 06/2025 | 3",
        "Phường An Khánh | 06/2025 | 4",
    )
    was = warehouse.select(
        "select area, area_name, place, area_until, value from as_it_was order by value"
    ).rows()
    place = "Quận Ninh Kiều, Thành phố Cần Thơ (cũ)"
    code = warehouse.select("select code from area where name = 'An Khánh'").item()
    assert was == [
        ("31147", "Phường Hưng Lợi", place, BEFORE, 3),
        (code, "Phường An Khánh", place, BEFORE, 4),
    ]
    now = warehouse.select(
        "select area, area_name, value, estimated_share from as_it_is_now"
    ).rows()
    assert now == [("31147", "Phường Tân An", 7, 0)]


@pytest.mark.parametrize("view", ["as_it_was", "as_it_is_now"])
def test_every_figure_is_in_its_view_once(refresh, view):
    warehouse = harvest(refresh, "Phường Tân An | 07/2025 | 9", "Phường Tân An | 06/2025 | 1")
    table = {"as_it_was": "current_observation", "as_it_is_now": "comparable"}[view]
    sizes = warehouse.select(
        f"select (select count(*) from {view}), (select count(*) from {table})"
    )
    assert sizes.row(0)[0] == sizes.row(0)[1] > 0


# --- lists of what was counted ------------------------------------------------------------------

CALLS = """
- name: calls
  title: Cuộc gọi
  sources: [{path: calls.csv}]
  clean: {areas: {level: commune}, absent: zero}
  schema:
    fields:
    - {name: area}
    - {name: period, type: date}
    - {name: category, categories: [{value: land, label: Đất}, {value: power, label: Điện}]}
    - {name: number, type: integer}
  indicators: [{name: calls, title: Cuộc gọi, title_en: Calls, value: number}]
"""
LISTED = """area,period,category,number
Phường Tân An,2025-08-01,Đất,2
Phường Cái Khế,2025-08-03,Điện,4
Phường Tân An,2025-08-31,Đất,1
"""


def test_what_a_list_of_counts_leaves_out_is_zero_within_the_days_it_covers(refresh):
    warehouse = refresh(CALLS, calls_csv=LISTED)
    days = warehouse.select(
        "select category, count(*), sum(value) from comparable "
        "where frequency = 'day' and level = 'city' group by 1 order by 1"
    )
    assert days.rows() == [("land", 31, 3), ("power", 31, 4)]
    months = warehouse.select(
        "select category, count(*), sum(value) from comparable "
        "where frequency = 'month' and level = 'commune' group by 1 order by 1"
    )
    assert months.rows() == [("land", 103, 3), ("power", 103, 4), ("total", 103, 7)]


def test_what_a_table_leaves_out_is_not_reported(refresh):
    warehouse = refresh(CALLS.replace(", absent: zero", ""), calls_csv=LISTED)
    seen = warehouse.select("select distinct level, frequency from comparable").rows()
    assert seen == [("commune", "month")]


PEOPLE = """
- name: people
  title: Dân số
  sources: [{path: people.csv}]
  read: {delimiter: ";"}
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: area, from: [Xã]}
    - {name: period, type: year, from: [Năm]}
    - {name: people, type: integer, from: [Người]}
    primaryKey: [area, period]
  indicators:
  - {name: people, title: Dân số, title_en: People, unit: người, value: people, aggregate: last}
  - name: a_head
    title: Mỗi người
    title_en: A head
    compute: {per_head: received, population: people}
"""
CAI_KHE = "Xã;Năm;Người\nPhường Cái Khế;2025;1000\n"
CASE = f"1;Đất đai;{OLD};02/06/2025;10/06/2025;\n"


def test_after_files_changed_the_series_are_those_of_a_build_made_anew(refresh, installation):
    entries = CASES.replace("dossiers.csv", "dossiers*.csv") + PEOPLE
    more = installation.catalog.parent / "dossiers2.csv"
    more.write_text(HEADER + CASE.replace("1;", "2;"), encoding="utf-8")
    cases = HEADER + CASE + END
    seen = [refresh(entries, people_csv=CAI_KHE, dossiers_csv=cases)]
    seen += [refresh(entries, people_csv=CAI_KHE + "Phường Ninh Kiều;2025;500\n")]
    more.unlink()
    seen += [refresh(entries, dossiers_csv=cases + END.replace("z;", "y;"))]
    first, second, third = [build.select("from comparable order by all") for build in seen]
    with Warehouse.aside(installation.home) as aside:
        make_comparable(aside, load_catalog(installation.catalog))
        assert third.equals(aside.select("from comparable order by all"))
    assert {"received", "on_time_share", "people", "a_head"} <= set(third["indicator"])
    assert not first.equals(second)
    assert not second.equals(third)
