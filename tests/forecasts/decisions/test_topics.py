"""Petitions and calls by topic, commune and day: days add up, small cells are split or untold."""

import datetime as dt
from functools import cache

import numpy as np
import polars as pl
import pytest
from conftest import HEAD

from etl.catalog import parse_catalog
from etl.warehouse import Warehouse
from forecasts.decisions.contacts import classified
from forecasts.decisions.topics import ALL, NoTopics, TopicDays, topic_days

TODAY, UNTIL = dt.date(2026, 11, 9), dt.date(2026, 10, 31)
FIRST = dt.date(2025, 11, 1)
COMMUNES, TOPICS = ("c1", "c2"), ("land", "power", "other")
MEANS = np.array([[6.0, 3.0, 1.0], [2.0, 1.0, 0.2]])
"""Calls a day of each commune by topic."""
RESOURCES = """
- name: calls
  title: Cuộc gọi
  title_en: Calls
  sources: [{title: Tổng đài bịa, path: data/calls.csv}]
  clean: {areas: {level: commune}, absent: zero}
  schema:
    fields:
    - {name: area}
    - {name: period, type: date}
    - name: category
      categories:
      - {value: land, label: Đất đai, label_en: Land}
      - {value: power, label: Điện, label_en: Power}
      - {value: other, label: Khác, label_en: Other}
    - {name: version}
    - {name: number, type: integer}
  indicators: [{name: calls, title: Cuộc gọi, title_en: Calls, unit: lượt, value: number}]
"""
MONTHS, PATHS = 4, 40


@cache
def days_known() -> pl.DataFrame:
    """A year of calls; a storm that doubles the calls about power every tenth day."""
    rng = np.random.default_rng(3)
    rows = []
    for at in range((UNTIL - FIRST).days + 1):
        day = FIRST + dt.timedelta(days=at)
        factor = np.array([1.0, 2.0 if at % 10 == 0 else 0.9, 1.0])
        counts = rng.poisson(MEANS * factor * (0.4 if day.weekday() > 4 else 1.2))
        rows += [
            {"indicator": "calls", "area": area, "category": topic, "frequency": "day",
             "period": day, "period_end": day, "value": float(counts[row, column]),
             "dataset": "calls", "status": "final", "simulated": True,
             "area_vintage": dt.date(2025, 7, 1)}
            for row, area in enumerate(COMMUNES) for column, topic in enumerate(TOPICS)
        ]  # fmt: skip
    return pl.DataFrame(rows)


def paths(level: str, area: str, category: str, a_month: float) -> dict:
    drawn = np.random.default_rng(7).gamma(50, a_month / 50, (PATHS, MONTHS))
    return {"level": level, "area": area, "category": category,
            "paths": drawn.ravel().tolist()}  # fmt: skip


def built(home, forecasts: list[dict]) -> Warehouse:
    """A build with those days, and paths of the months after October 2026."""
    same = {"indicator": "calls", "frequency": "month", "issue": 1, "simulated": True}
    drawn = same | {"origin": dt.date(2026, 10, 1), "count": PATHS, "horizon": MONTHS}
    areas = [
        {"code": code, "name": code, "level": "commune", "kind": "phường"} for code in COMMUNES
    ]
    cross = [
        {"old_code": code, "old_vintage": dt.date(2025, 7, 1), "new_code": code, "weight": 1.0}
        for code in COMMUNES
    ]
    with Warehouse.build(home) as warehouse:
        warehouse.write("observation", days_known())
        warehouse.write("area", pl.DataFrame(areas))
        warehouse.write("crosswalk", pl.DataFrame(cross))
        if forecasts:
            rows = pl.DataFrame(forecasts)
            plain = [
                {name: one[name] for name in ("level", "area", "category")} for one in forecasts
            ]
            warehouse.write("forecast_path", rows.drop("level").with_columns(
                pl.lit(value).alias(name) for name, value in drawn.items()))  # fmt: skip
            warehouse.write("forecast_series", pl.DataFrame([one | same for one in plain]))
    return Warehouse.open(home)


def ahead(home, forecasts: list[dict]) -> TopicDays:
    catalog = parse_catalog(HEAD + RESOURCES)
    (dataset,) = classified(catalog)
    with built(home, forecasts) as warehouse:
        return topic_days(warehouse, catalog, dataset, TODAY, paths=PATHS)


CITY = [paths("city", "can_tho", topic, 240.0) for topic in ("land", "power")]
CELLS = [
    paths("commune", "c1", "land", 180.0),
    paths("commune", "c1", "power", 90.0),
    paths("commune", "c1", ALL, 300.0),
    paths("commune", "c2", "land", 60.0),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> TopicDays:
    return ahead(tmp_path_factory.mktemp("home"), CITY + CELLS)


def test_a_small_topic_is_split_off_and_one_of_which_nothing_is_forecast_is_not_told(told):
    assert told.basis == {
        ("c1", "land"): "forecast",
        ("c1", "power"): "forecast",
        ("c1", "other"): "split",
        ("c2", "land"): "forecast",
        ("c2", "power"): "split",
    }
    assert told.untold() == [("c2", "other")]
    rows = told.table("day", "c2").filter(topic="other")
    assert rows["expected"].null_count() == rows["basis"].null_count() == len(rows) > 0


def test_a_split_topic_gets_what_the_others_leave(told):
    november = slice(0, 30)
    other = told.counts[:, 0, 2, november].sum(axis=1).mean()
    power = told.counts[:, 1, 1, november].sum(axis=1).mean()
    # 300 less 180 and 90; the city's 240 of power less the 90 of the other commune.
    assert (other, power) == (pytest.approx(30, abs=9), pytest.approx(150, abs=25))


def test_days_of_a_month_add_up_to_the_month_of_their_path(told):
    wanted = np.array(CELLS[0]["paths"]).reshape(PATHS, MONTHS)[:, 1]
    december = [at for at, day in enumerate(told.days) if (day.year, day.month) == (2026, 12)]
    assert len(december) == 31
    days = told.counts[:, 0, 0, december].sum(axis=1)
    assert np.abs(days - wanted).max() <= 1


def test_weeks_are_whole_and_hold_their_days(told):
    weeks = told.table("week", "c1").filter(topic="land")
    days = told.table("day", "c1").filter(topic="land")
    assert weeks["period"][0] == TODAY
    first = days.filter(pl.col("period") < TODAY + dt.timedelta(days=7))
    assert first["expected"].sum() == pytest.approx(weeks["expected"][0])
    assert weeks["period"][-1] + dt.timedelta(days=6) <= told.last


def test_the_city_is_the_sum_of_its_communes(told):
    city, *communes = (told.table("day", area) for area in (None, *COMMUNES))
    parts = sum(one.filter(topic=ALL)["expected"].fill_null(0).to_numpy() for one in communes)
    assert city.filter(topic=ALL)["expected"].to_numpy() == pytest.approx(parts)
    assert set(city.filter(topic="land")["basis"]) == {"forecast"}


def test_a_topic_of_storms_is_less_sure_on_a_day_than_chance_alone_leaves_it(told):
    def against_chance(column: int) -> float:
        counts = told.counts[:, :, column].sum(axis=1)
        return float((counts.var(axis=0) / counts.mean(axis=0)).mean())

    assert against_chance(1) > 1.15 * against_chance(0)


def test_without_forecasts_by_month_nothing_is_told(tmp_path):
    with pytest.raises(NoTopics, match="no paths by month"):
        ahead(tmp_path, [])
