"""Nothing is overwritten: what a source said before stays, and so does when it was said."""

import datetime as dt

import pytest
from conftest import observed

from etl import pipeline
from etl.builds import current_build
from etl.catalog import load_catalog
from etl.preview import previewed
from etl.warehouse import Warehouse

MARCH, MAY, TODAY = dt.date(2026, 3, 1), dt.date(2026, 5, 1), dt.date(2026, 11, 22)

MONTHLY = """
- name: applications
  title: Hồ sơ
  sources: [{path: "applications*.csv"}]
  clean: {areas: {level: commune}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Xã]}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: received, type: integer, from: [Nhận]}
    primaryKey: [area, period]
  indicators: [{name: applications_received, title: Tiếp nhận, title_en: R, value: received}]
"""
HEADER = "Xã,Tháng,Nhận\n"

OTHER = MONTHLY.replace("applications", "visits").replace(
    "title: Tiếp nhận, title_en: R", "title: Khách, title_en: V"
)

PUBLISHED = """
- name: published
  title: Số công bố
  sources: [{path: published.csv}]
  clean: {areas: {level: city}}
  schema:
    fields:
    - {name: area}
    - {name: period}
    - {name: value, type: number}
    - {name: status}
    - {name: source}
    - {name: as_of, type: date}
  indicators: [{name: grdp_growth, title: Tăng trưởng, title_en: Growth, aggregate: rate}]
"""
PUBLISHED_HEADER = "area,period,value,status,source,as_of\n"


def known(warehouse: Warehouse, day: dt.date) -> dict[str, float]:
    rows = warehouse.select(
        "select strftime(period, '%Y-%m'), value from known_on($day) order by 1", day=day
    )
    return dict(rows.iter_rows())


def test_a_corrected_file_adds_and_what_was_known_before_can_be_asked(refresh):
    refresh(
        MONTHLY, today=MARCH, applications_csv=HEADER + "Ninh Kiều,1/2026,40\nNinh Kiều,2/2026,7\n"
    )
    warehouse = refresh(
        MONTHLY, today=MAY, applications_csv=HEADER + "Ninh Kiều,1/2026,45\nNinh Kiều,2/2026,7\n"
    )
    assert observed(warehouse)["value"].to_list() == [45, 7]
    assert known(warehouse, MARCH) == {"2026-01": 40, "2026-02": 7}
    assert known(warehouse, MAY) == {"2026-01": 45, "2026-02": 7}
    assert known(warehouse, MARCH - dt.timedelta(days=1)) == {}


def test_a_figure_that_stands_as_before_is_known_since_it_first_came(refresh):
    refresh(MONTHLY, today=MARCH, applications_csv=HEADER + "Ninh Kiều,1/2026,40\n")
    warehouse = refresh(
        MONTHLY, today=MAY, applications_csv=HEADER + "Ninh Kiều,1/2026,40\nNinh Kiều,2/2026,7\n"
    )
    since = warehouse.select("select value, known_from::date from observation order by 1 desc")
    assert list(since.iter_rows()) == [(40, MARCH), (7, MAY)]
    assert warehouse.count("select count(*) from superseded") == 0


def test_a_figure_taken_back_is_missing_now_and_known_then(refresh, installation):
    refresh(
        MONTHLY,
        today=MARCH,
        applications1_csv=HEADER + "Ninh Kiều,1/2026,40\n",
        applications2_csv=HEADER + "Ninh Kiều,2/2026,7\n",
    )
    (installation.catalog.parent / "applications2.csv").unlink()
    warehouse = refresh(MONTHLY, today=MAY)
    assert known(warehouse, MAY) == {"2026-01": 40}
    assert known(warehouse, MARCH) == {"2026-01": 40, "2026-02": 7}


def test_a_dataset_taken_out_of_the_catalog_takes_its_figures_out_but_not_their_history(refresh):
    file = HEADER + "Ninh Kiều,1/2026,40\n"
    refresh(MONTHLY + OTHER, today=MARCH, applications_csv=file, visits_csv=file)
    warehouse = refresh(MONTHLY, today=MAY)
    assert observed(warehouse)["indicator"].to_list() == ["applications_received"]
    held = warehouse.select("select distinct indicator from known_on($day)", day=MARCH)
    assert held.height == 2


def test_the_ledger_keeps_the_load_that_was_replaced(refresh):
    refresh(MONTHLY, today=MARCH, applications_csv=HEADER + "Ninh Kiều,1/2026,40\nNơi Lạ,1/2026,1")
    warehouse = refresh(MONTHLY, today=MAY, applications_csv=HEADER + "Ninh Kiều,1/2026,45\n")
    ledger = warehouse.select(
        "select load, accepted, rejected, gone_at::date from load order by load"
    )
    assert list(ledger.iter_rows()) == [(1, 1, 1, MAY), (2, 1, 0, None)]
    assert warehouse.count("select count(*) from rejected") == 0


def test_the_warehouse_says_what_was_made_from_what_and_who_made_it(refresh):
    warehouse = refresh(MONTHLY, applications_csv=HEADER + "Ninh Kiều,1/2026,40\n")
    lineage = warehouse.select("select output, input from lineage order by output")
    assert list(lineage.iter_rows()) == [
        ("comparable", "observation of applications"),
        ("data_applications", "applications.csv"),
        ("observation of applications", "data_applications"),
    ]
    assert warehouse.select("select what, detail from audit").row(0) == (
        "refresh",
        "1 files loaded, 0 gone",
    )


def revisions(warehouse: Warehouse) -> list[tuple[float, float]]:
    rows = warehouse.select("select value, revised from revision order by said_on, value")
    return list(rows.iter_rows())


def test_a_firmer_figure_revises_an_estimate_and_a_rival_does_not(refresh):
    warehouse = refresh(
        PUBLISHED,
        published_csv=PUBLISHED_HEADER
        + "can_tho,2025,8.3,ước,Báo A,2025-12-07\n"
        + "can_tho,2025,8.1,ước,Báo B,2025-12-09\n"
        + "can_tho,2025,7.23,sơ bộ,Thống kê,2026-01-08\n"
        + "can_tho,2025,10,kế hoạch,Nghị quyết,2024-12-31\n",
    )
    assert revisions(warehouse) == [(8.3, 7.23), (8.1, 7.23)]


def test_a_source_that_says_another_figure_later_revises_itself(refresh):
    warehouse = refresh(
        PUBLISHED,
        published_csv=PUBLISHED_HEADER
        + "can_tho,2024,7.0,sơ bộ,Thống kê,2025-01-08\n"
        + "can_tho,2024,7.1,sơ bộ,Thống kê,2025-07-08\n"
        + "can_tho,2024,7.2,chính thức,Thống kê,2026-01-08\n",
    )
    assert revisions(warehouse) == [(7.0, 7.1), (7.1, 7.2)]
    habit = warehouse.select("select revisions, raised, lowered, usual_change from revision_habit")
    assert habit.row(0) == pytest.approx((2, 2, 0, 0.1))


def test_what_was_said_before_the_year_was_over_is_an_estimate_whatever_it_was_called(refresh):
    warehouse = refresh(
        PUBLISHED,
        published_csv=PUBLISHED_HEADER
        + "can_tho,2025,8.3,sơ bộ,Báo A,2025-12-07\n"
        + "can_tho,2025,7.23,sơ bộ,Báo B,2026-01-10\n",
    )
    assert revisions(warehouse) == [(8.3, 7.23)]


def test_a_corrected_file_is_a_revision_too(refresh):
    refresh(MONTHLY, today=MARCH, applications_csv=HEADER + "Ninh Kiều,1/2026,40\n")
    warehouse = refresh(MONTHLY, today=MAY, applications_csv=HEADER + "Ninh Kiều,1/2026,50\n")
    rows = warehouse.select("select value, revised, relative_change, said_on from revision")
    assert list(rows.iter_rows()) == [(40, 50, 0.25, MARCH)]


def steps(warehouse: Warehouse) -> dict[tuple[str, str | None], dt.datetime]:
    rows = warehouse.select("select step, dataset, made_at from step")
    return {(step, dataset): at for step, dataset, at in rows.iter_rows()}


def test_a_new_title_derives_nothing_again_and_a_change_of_one_dataset_leaves_the_other(refresh):
    file = HEADER + "Ninh Kiều,1/2026,40\n"
    first = steps(refresh(MONTHLY + OTHER, applications_csv=file, visits_csv=file))
    titled = refresh(MONTHLY.replace("title: Tiếp nhận", "title: Nhận vào") + OTHER)
    assert steps(titled) == first
    name = "select title from indicator where indicator = 'applications_received'"
    assert titled.select(name).item() == "Nhận vào"
    third = steps(refresh(MONTHLY + OTHER, visits_csv=file.replace("40", "41")))
    assert third[("observe", "applications")] == first[("observe", "applications")]
    assert third[("observe", "visits")] > first[("observe", "visits")]


def test_a_preview_says_what_would_change_and_changes_nothing(refresh, installation):
    refresh(MONTHLY, applications_csv=HEADER + "Ninh Kiều,1/2026,40\nNinh Kiều,2/2026,7\n")
    before = current_build(installation.home)
    file = installation.catalog.parent / "applications.csv"
    file.write_text(HEADER + "Ninh Kiều,1/2026,45\nCái Khế,1/2026,5\nNơi Lạ,1/2026,1\n", "utf-8")
    catalog = load_catalog(installation.catalog)
    with previewed(catalog, installation, today=TODAY, progress=lambda _: None) as (preview, _):
        figures = preview.figures.select("period", "before", "after").sort("before", "after")
    assert list(figures.iter_rows()) == [
        (dt.date(2026, 1, 1), None, 5),
        (dt.date(2026, 2, 1), 7, None),
        (dt.date(2026, 1, 1), 40, 45),
    ]
    assert list(preview.loads.iter_rows()) == [("applications", 1, 2, 1, 2, 0)]
    assert current_build(installation.home) == before
    assert observed(Warehouse.open(installation.home))["value"].to_list() == [40, 7]
    assert sorted(path.suffix for path in (installation.home / "builds").iterdir()) == [".duckdb"]


def test_a_preview_tells_of_a_figure_that_slipped_by_a_thousand(refresh, installation):
    months = [f"Ninh Kiều,{month}/2025,{100 + month}" for month in range(1, 13)]
    refresh(MONTHLY, applications_csv=HEADER + "\n".join(months) + "\n")
    slipped = [*months, "Ninh Kiều,1/2026,113000"]
    file = installation.catalog.parent / "applications.csv"
    file.write_text(HEADER + "\n".join(slipped) + "\n", encoding="utf-8")
    catalog = load_catalog(installation.catalog)
    with previewed(catalog, installation, today=TODAY, progress=lambda _: None) as (preview, _):
        (found,) = preview.anomalies
    assert (found.kind, found.period, found.after) == ("unit_slip", dt.date(2026, 1, 1), 113000)


CASES = """
- name: cases
  title: Hồ sơ
  sources: [{path: "cases_*.csv"}]
  clean: {areas: {level: commune, on: received}}
  schema:
    fields:
    - {name: area, from: [Xã]}
    - {name: received, type: date, from: [Nhận]}
    - {name: finished, type: date, from: [Trả]}
  tables:
  - name: counted
    by: [area]
    measures: [{name: received, count: received}, {name: finished, count: finished}]
  indicators:
  - {name: cases_received, title: Nhận, title_en: Received, value: received}
  - {name: cases_finished, title: Trả, title_en: Finished, value: finished}
"""


def month_of_cases(month: int, cases: int = 30, finished: int = 25) -> str:
    """Cases of two communes; those that are finished are on the 28th."""
    day = dt.date(2026, month, 1)
    last = dt.date(2026, month, 28)
    rows = [
        f"{area},{day},{last if number < finished + month % 3 else ''}\n"
        for area in ("Ninh Kiều", "Cái Răng")
        for number in range(cases + month % 4)
    ]
    return "Xã,Nhận,Trả\n" + "".join(rows)


def test_a_preview_looks_at_counts_of_cases_too(refresh, installation):
    months = {f"cases_{month:02d}.csv": month_of_cases(month) for month in range(1, 13)}
    refresh(CASES, **{name.replace(".", "_"): body for name, body in months.items()})
    folder, catalog = installation.catalog.parent, load_catalog(installation.catalog)
    (folder / "cases_03.csv").unlink()
    sent_again = {
        "cases_06.csv": month_of_cases(6).replace("Xã,Nhận,Trả", "Xã,Trả,Nhận"),
        "cases_09.csv": month_of_cases(9, cases=150),
        "cases_11.csv": month_of_cases(11) + "Ninh Kiều,2026-11-02,\n",
    }
    for name, body in sent_again.items():
        (folder / name).write_text(body, encoding="utf-8")
    with previewed(catalog, installation, today=TODAY, progress=lambda _: None) as (preview, _):
        received = {
            f"{one.period:%Y-%m}": (one.kind, one.area)
            for one in preview.anomalies
            if one.indicator == "cases_received"
        }
    assert received == {
        "2026-03": ("missing", ""),
        "2026-06": ("swapped", ""),
        "2026-09": ("jump", ""),
    }


def test_a_preview_of_nothing_new_is_empty(refresh, installation):
    refresh(MONTHLY, applications_csv=HEADER + "Ninh Kiều,1/2026,40\n")
    catalog = load_catalog(installation.catalog)
    with previewed(catalog, installation, today=TODAY, progress=lambda _: None) as (preview, _):
        assert preview.plan.nothing
        assert preview.figures.is_empty()


def test_a_full_refresh_loads_everything_again_and_keeps_what_was_known(refresh, installation):
    refresh(MONTHLY, today=MARCH, applications_csv=HEADER + "Ninh Kiều,1/2026,40\n")
    refresh(MONTHLY, today=MAY, applications_csv=HEADER + "Ninh Kiều,1/2026,45\n")
    catalog = load_catalog(installation.catalog)
    with Warehouse.build(installation.home) as building:
        plan = pipeline.plan(catalog, installation, building, again=True)
        pipeline.refresh(
            building, catalog, installation, plan, today=TODAY, progress=lambda _: None
        )
    warehouse = Warehouse.open(installation.home)
    assert warehouse.count("select max(load) from current_load") == 3
    assert known(warehouse, MARCH) == {"2026-01": 40}
    assert known(warehouse, TODAY) == {"2026-01": 45}
