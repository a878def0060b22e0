"""The workload page says whether the classifier of petitions and calls is still the same."""

import datetime as dt

import polars as pl
import pytest

from dashboard import queries
from dashboard.alerts import Teller, labels_said
from dashboard.published import CITY
from dashboard.reader import Reader
from dashboard.views.labels import expected, of_area, ranged, topic_columns
from etl.catalog import parse_catalog
from etl.warehouse import Warehouse
from forecasts.decisions.contacts import classified
from forecasts.decisions.topics import SOON
from tests.dashboard.conftest import TODAY
from tests.dashboard.invented import CATALOG, write_build

CONTACTS = """
- name: calls
  title: Cuộc gọi
  title_en: Calls
  sources: [{title: Tổng đài bịa, path: data/calls.csv}]
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: area}
    - {name: period, type: date}
    - name: category
      categories:
      - {value: land, label: Đất đai, label_en: Land}
      - {value: other, label: Khác, label_en: Other}
    - {name: version}
    - {name: number, type: integer}
  indicators: [{name: calls, title: Cuộc gọi, title_en: Calls, unit: lượt, value: number}]
targets:"""
FIRST = dt.date(2026, 5, 4)


def calls(other: tuple[int, ...]) -> pl.DataFrame:
    """A day's calls of one commune, 100 in all, week after week with so many called other."""
    days = [
        (FIRST + dt.timedelta(days=n), share) for n in range(7 * len(other)) for share in (n // 7,)
    ]
    rows = [
        ("90001", day, topic, "1" if week < 10 else "2", number)
        for day, week in days
        for topic, number in (("other", other[week]), ("land", 100 - other[week]))
    ]
    return pl.DataFrame(
        rows, schema=["area", "period", "category", "version", "number"], orient="row"
    )


@pytest.fixture
def told(tmp_path):
    """What the page says of these calls, in English."""

    def lines(rows: pl.DataFrame) -> list[str]:
        write_build(tmp_path, TODAY)
        catalog = CATALOG.replace("\ntargets:", CONTACTS, 1)
        with Warehouse.build(tmp_path) as warehouse:
            warehouse.run(
                "update build_fact set value = $text where name = 'catalog'", text=catalog
            )
            with warehouse.registered(rows) as view:
                warehouse.run(f"create table data_calls as from {view}")
        reader = Reader(queries.current(tmp_path), "en", TODAY)
        (dataset,) = classified(reader.build.catalog)
        seen = queries.labels(reader.build, "calls", TODAY)
        return labels_said(Teller(reader.text, reader.build.catalog, {}), dataset, seen)

    return lines


def test_the_next_month_of_each_topic_in_a_commune_stands_beside_the_newest(tmp_path):
    write_build(tmp_path, TODAY)
    key = {"indicator": "calls", "area": "90001", "category": "land", "frequency": "month"}
    ahead = {"issue": 9, "origin": dt.date(2026, 10, 1), "period": dt.date(2026, 11, 1)}
    bands = ((0.1, 5.0), (0.5, 8.0), (0.9, 12.0))
    catalog = CATALOG.replace("\ntargets:", CONTACTS, 1)
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.run("update build_fact set value = $text where name = 'catalog'", text=catalog)
        warehouse.write("forecast_series", pl.DataFrame([key | {"issue": 9}]))
        rows = [
            key | ahead | {"horizon": 1, "quantile_level": level, "value": value}
            for level, value in bands
        ]
        warehouse.write("forecast", pl.DataFrame(rows))
        known = {"period": ahead["origin"], "period_end": dt.date(2026, 10, 31), "value": 7.0}
        warehouse.write("comparable", pl.DataFrame([key | known]))
    reader = Reader(queries.current(tmp_path), "en", TODAY)
    (dataset,) = classified(reader.build.catalog)
    (row,) = expected(reader, dataset, "90001")
    columns = topic_columns(reader, dataset, [row])
    assert columns[-1].title == "Expected Nov 2026"
    assert [column.cell(row) for column in columns] == ["Land", "7", "8<br><small>5–12</small>"]
    assert expected(reader, dataset, "90002") == []


def test_days_ahead_of_an_area_are_told_with_their_range_split_ones_marked(tmp_path):
    write_build(tmp_path, TODAY)
    reader = Reader(queries.current(tmp_path), "en", TODAY)
    catalog = parse_catalog(CATALOG.replace("\ntargets:", CONTACTS, 1))
    (dataset,) = classified(catalog)
    day = ("calls", "day", "90001", "land", TODAY)
    rows = [
        (*day, 3.25, 1.0, 6.0, "forecast"),
        (*day, 0.4, 0.0, 1.0, "split"),
        (*day, None, None, None, None),
        ("calls", "day", None, "land", TODAY, 90.0, 80.0, 100.0, "forecast"),
    ]
    ahead = pl.DataFrame(rows, schema=SOON, orient="row")
    told = [ranged(reader, row) for row in of_area(ahead, dataset, "90001").to_dicts()]
    assert told == ["3.2<br><small>1–6</small>", "0.4*<br><small>0–1</small>", "–"]
    assert of_area(ahead, dataset, CITY)["expected"].to_list() == [90.0]


def test_a_calm_classifier_is_said_to_be_calm(told):
    assert told(calls((10,) * 20)) == [
        "In the last 4 weeks 10% were given no topic; 15% is high.",
        "No change was found.",
    ]


def test_a_new_version_that_labels_otherwise_is_told_with_its_topic(told):
    first, change = told(calls((12,) * 10 + (4,) * 10))
    assert first == "In the last 4 weeks 4% were given no topic; 15% is high."
    assert change.startswith(("Land – From version 2 (", "Other – From version 2 ("))
