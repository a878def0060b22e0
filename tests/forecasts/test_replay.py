"""A replay stands on earlier days with what was known then; it is no forecast that was issued."""

import shutil
from datetime import date

import polars as pl
import pytest

from etl.catalog import load_catalog
from etl.earlier import earlier
from etl.warehouse import Warehouse
from forecasts.replay import keep, replay
from forecasts.track_record import replayed_scores, scores
from tests.conftest import TODAY

ENTRIES = """
- name: reports
  title: Báo cáo năm
  sources: [{path: reports.csv}]
  clean: {areas: {level: city}}
  schema:
    fields:
    - {name: area, from: [Nơi]}
    - {name: period, type: year, from: [Năm]}
    - {name: value, type: number, from: [Thu]}
    - {name: as_of, type: date, from: [Công bố]}
    primaryKey: [area, period, as_of]
  indicators: [{name: revenue, title: Thu, title_en: Revenue}]
  forecast: {frequency: year, horizon: 2, grains: [city]}
- name: book
  title: Niên giám
  sources: [{path: book.csv}]
  clean: {areas: {level: city}, constant: {as_of: "31/10/2026"}}
  schema:
    fields:
    - {name: area, from: [Nơi]}
    - {name: period, type: year, from: [Năm]}
    - {name: value, type: number, from: [Dân]}
    - {name: as_of, type: date}
  indicators: [{name: people, title: Dân, title_en: People, aggregate: last}]
  forecast: {frequency: year, horizon: 2, grains: [city]}
"""
YEARS = range(2012, 2026)


def reports() -> str:
    """Each year first said in the spring after it, and 10 higher a year later."""
    rows = ["Nơi,Năm,Thu,Công bố"]
    for year in YEARS:
        value = 100 + 7 * (year - 2012) + 5 * (year % 3)
        rows.append(f"Cần Thơ (mới),{year},{value},15/03/{year + 1}")
        if year < 2025:
            rows.append(f"Cần Thơ (mới),{year},{value + 10},15/03/{year + 2}")
    return "\n".join(rows) + "\n"


def book() -> str:
    return "\n".join(["Nơi,Năm,Dân", *(f"Cần Thơ (mới),{y},{900 + y % 5}" for y in YEARS)]) + "\n"


@pytest.fixture
def site(refresh, installation):
    refresh(ENTRIES, reports_csv=reports(), book_csv=book()).close()
    return installation, load_catalog(installation.catalog)


def test_on_an_earlier_day_stands_what_was_published_by_then(site):
    settings, catalog = site
    with earlier(catalog, settings) as past:
        past.set_back(date(2025, 1, 1))
        last = past.warehouse.select(
            "select indicator, period, value from comparable "
            "qualify row_number() over (partition by indicator order by period desc) <= 2 "
            "order by indicator, period"
        )
        past.present()
        now = past.warehouse.select("select max(period) as last from comparable group by indicator")
    assert past.kept == {("revenue", "year")}
    # Revenue of 2023 was said in March 2024 and not yet revised; the book is cut at the day.
    assert last.rows() == [
        ("people", date(2023, 1, 1), 903.0),
        ("people", date(2024, 1, 1), 904.0),
        ("revenue", date(2022, 1, 1), 180.0),
        ("revenue", date(2023, 1, 1), 182.0),
    ]
    assert now["last"].to_list() == [date(2025, 1, 1)] * 2


def test_a_replay_is_scored_against_what_is_known_now_and_told_apart(site):
    settings, catalog = site
    done = replay(catalog, settings, today=TODAY, origins=2)
    assert done.days == 2
    assert done.forecasts.select("indicator", "known").unique().sort("indicator").rows() == [
        ("people", "now"),
        ("revenue", "then"),
    ]
    assert done.forecasts["issued"].unique().sort().to_list() == [
        date(2024, 1, 1),
        date(2025, 1, 1),
    ]
    assert set(done.forecasts["level"]) == {"city"}
    with Warehouse.build(settings.home) as warehouse:
        keep(warehouse, done)
        keep(warehouse, done)
    with Warehouse.open(settings.home) as warehouse:
        told = replayed_scores(warehouse)
        assert scores(warehouse).is_empty()
        assert warehouse.select("select count(*) from forecast").item() == 0
        assert len(warehouse.select("from replayed")) == len(done.forecasts)
    latest = told.filter(
        (pl.col("indicator") == "revenue") & (pl.col("period") == date(2024, 1, 1))
    )
    assert latest["observed"].unique().to_list() == [204.0]
    assert told["benchmark_wis"].null_count() == 0
    people = told.filter(indicator="people").select("origin", "horizon", "period").rows()
    assert people == [
        (date(2023, 1, 1), 1, date(2024, 1, 1)),
        (date(2023, 1, 1), 2, date(2025, 1, 1)),
        (date(2024, 1, 1), 1, date(2025, 1, 1)),
    ]


def test_a_replay_cut_short_goes_on_where_it_was_and_says_the_same(site):
    settings, catalog = site
    told: list[str] = []

    def cut(message: str) -> None:
        told.append(message)
        if "2 of" in message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay(catalog, settings, today=TODAY, origins=3, progress=cut)
    again = replay(catalog, settings, today=TODAY, origins=3, progress=told.append)
    afresh = settings.home / "work" / "replay"
    kept_days = sorted(folder.name for folder in afresh.iterdir())
    shutil.rmtree(afresh)
    whole = replay(catalog, settings, today=TODAY, origins=3)
    assert [", known" in message for message in told] == [False, False, True, True, False]
    assert again.forecasts.sort("*").equals(whole.forecasts.sort("*"))
    assert again.scores.sort("*").equals(whole.scores.sort("*"))
    assert kept_days == sorted(folder.name for folder in afresh.iterdir())
    assert len(kept_days) == 3


COUNTED = """
- name: calls
  title: Cuộc gọi
  sources: [{path: calls.csv}]
  clean: {areas: {level: commune}, absent: zero}
  schema:
    fields:
    - {name: area}
    - {name: period, type: date}
    - {name: category, categories: [{value: land, label: Đất}]}
    - {name: number, type: integer}
  indicators: [{name: calls, title: Cuộc gọi, title_en: Calls, value: number}]
"""
CALLS = "area,period,category,number\n" + "".join(
    f"Phường Tân An,2025-08-{day:02},Đất,{day}\n" for day in range(1, 11)
)


def test_days_after_the_day_stood_on_are_not_days_without_a_call(refresh, installation):
    refresh(COUNTED, calls_csv=CALLS).close()
    with earlier(load_catalog(installation.catalog), installation) as past:
        past.set_back(date(2025, 8, 5))
        known = past.warehouse.select(
            "select day(period), value from comparable where frequency = 'day' order by 1"
        )
    assert known.rows() == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]


def test_without_a_series_there_is_nothing_to_replay(site):
    settings, catalog = site
    done = replay(catalog, settings, today=TODAY, levels=("commune",))
    assert (done.days, len(done.forecasts), len(done.scores)) == (0, 0, 0)
