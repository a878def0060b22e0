"""Declared events: what the catalog may say of them, and which figures they concern."""

import datetime as dt

import pytest
from conftest import HEAD, ROOT

from etl.catalog import load_catalog, parse_catalog
from etl.errors import Problems

RESOURCES = """
- name: applications
  title: Hồ sơ
  sources: [{path: applications.csv}]
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: area}
    - {name: period, type: yearmonth}
    - {name: category, categories: [{value: land, label: Đất đai}, {value: merit, label: Có công}]}
    - {name: received, type: integer}
  indicators: [{name: received, title: Tiếp nhận, title_en: Received, value: received}]
- name: prices
  title: Giá
  sources: [{path: prices.csv}]
  clean: {areas: {level: city}}
  schema: {fields: [{name: area}, {name: period, type: year}, {name: price, type: number}]}
  indicators: [{name: price, title: Giá, title_en: Price, value: price}]
"""
EVENTS = """
events:
- name: reform
  title: Cải cách
  title_en: Reform
  source: Nghị quyết 1
  date: 2025-07-01
  concerns: {datasets: [applications], areas: [Ninh Kiều], categories: [land]}
  masked: [2025-07, 2025-08]
- name: flood
  title: Lũ
  title_en: Flood
  source: Báo cáo 2
  date: 2024-10-03
  end: 2024-11-20
  kind: pulse
"""


def test_an_event_has_days_months_of_transition_and_what_it_concerns():
    catalog = parse_catalog(HEAD + RESOURCES + EVENTS)
    reform, flood = catalog.events
    assert (reform.day, reform.last, reform.kind) == (dt.date(2025, 7, 1), None, "level")
    assert reform.masked == ["2025-07", "2025-08"]
    assert reform.codes == {"31135"}
    assert (flood.last, flood.codes) == (dt.date(2024, 11, 20), None)


@pytest.mark.parametrize(
    ("series", "events"),
    [
        (("received", "31135", "land"), ["flood", "reform"]),
        (("received", "31135", "merit"), ["flood"]),
        (("received", "31120", "land"), ["flood"]),
        (("received", "31135"), ["flood", "reform"]),
        (("received",), ["flood", "reform"]),
        (("price",), ["flood"]),
    ],
)
def test_events_are_found_by_the_series_they_concern(series, events):
    catalog = parse_catalog(HEAD + RESOURCES + EVENTS)
    assert [event.name for event in catalog.events_of(*series)] == events


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (("[applications]", "[aplications]"), "did you mean 'applications'?"),
        (("categories: [land]", "categories: [lend]"), "did you mean 'land'?"),
        (("datasets: [applications]", "indicators: [recieved]"), "did you mean 'received'?"),
        (("[Ninh Kiều]", "[Ninh Kiêu]"), "no area is called 'Ninh Kiêu' on 2025-07-01"),
        (("2025-07-01", "2025-06-31"), "there is no day 2025-06-31"),
        (("2025-07-01", "07/2025"), "String should match pattern"),
        (
            ("masked: [2025-07,", "masked: [2024-07,"),
            "2024-07 is not within a year from 2025-07-01",
        ),
        (("2024-11-20", "2024-01-20"), "it ends on 2024-01-20, before 2024-10-03"),
        (("  kind: pulse\n", ""), "a lasting step has no end"),
        (("name: flood", "name: reform"), "event 'reform' stands twice"),
        (("  source: Báo cáo 2\n", ""), "'source' is missing"),
    ],
)
def test_a_mistake_in_an_event_is_told_with_its_line(mistake, told):
    with pytest.raises(Problems) as found:
        parse_catalog(HEAD + RESOURCES + EVENTS.replace(*mistake))
    assert len(found.value.problems) == 1
    assert told in str(found.value)
    line = int(str(found.value).split(":")[1])
    assert line > len((HEAD + RESOURCES).splitlines())


def test_the_steps_of_2025_concern_the_communes_and_not_the_nation():
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    of_commune = catalog.events_of("applications_received", "31135", "land")
    assert [event.date for event in of_commune] == ["2025-07-01", "2025-12-22"]
    assert [e.name for e in catalog.events_of("applications_received", "can_tho")] == [
        "communes_2025"
    ]
    assert not catalog.events_of("exports_goods", "national")
