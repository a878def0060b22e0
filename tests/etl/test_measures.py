"""Counting again only what a changed file touches gives what counting everything gives."""

import datetime as dt

import polars as pl
import pytest
from conftest import HEAD
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.catalog import Catalog, parse_catalog
from etl.measures import begin, observe, touch
from etl.warehouse import Warehouse

NAMES = ("partly", "wholly")
ENTRY = """
- name: {name}
  title: Hồ sơ
  sources: [{{title: Một cửa, path: "{name}_*.csv"}}]
  clean: {{areas: {{level: commune, on: received}}}}
  schema:
    fields:
    - {{name: area}}
    - {{name: category}}
    - {{name: received, type: date}}
    - {{name: due, type: date}}
    - {{name: finished, type: date}}
  tables:
  - name: counted
    by: [area, category]
    measures:
    - {{name: received, count: received}}
    - {{name: on_time, count: finished, where: {{finished: {{at_most: due}}}}}}
    - {{name: pending, stock: {{from: received, until: finished}}}}
  - name: whole
    by: [area]
    measures: [{{name: resolved, count: finished}}]
  indicators:
  - {{name: {name}_received, title: Nhận {name}, title_en: R {name}, value: received}}
  - {{name: {name}_on_time, title: Hạn {name}, title_en: O {name}, value: on_time}}
  - {{name: {name}_resolved, title: Trả {name}, title_en: D {name}, value: resolved}}
  - {{name: {name}_pending, title: Chờ {name}, title_en: P {name}, value: pending}}
"""
FIRST = dt.date(2026, 1, 1)
DAYS = st.integers(0, 100).map(lambda n: FIRST + dt.timedelta(days=n))
CASES = st.lists(
    st.tuples(
        st.sampled_from(["31150", "31153"]),
        st.sampled_from(["land", "merit"]),
        DAYS,
        st.none() | DAYS,
        st.none() | DAYS,
    ),
    max_size=6,
)
FILES = st.tuples(st.integers(1, 2), CASES)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    with Warehouse.build(tmp_path_factory.mktemp("state")) as building:
        for name in NAMES:
            building.run(
                f"create table data_{name} (area varchar, area_vintage date, category varchar, "
                f"received date, due date, finished date, load bigint)"
            )
        yield building


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return parse_catalog(HEAD + "".join(ENTRY.format(name=name) for name in NAMES))


def send(warehouse: Warehouse, name: str, load: int, file: int, cases: list[tuple]) -> None:
    """The file of this number comes instead of the one there was, as `pipeline` brings it in."""
    same = f"load in (select load from current_load where dataset = '{name}' and file = '{file}')"
    touch(warehouse, name, same)
    warehouse.run(f"delete from data_{name} where {same}")
    warehouse.run(f"update load set gone_at = now() where gone_at is null and {same}")
    columns = ["area", "category", "received", "due", "finished"]
    schema = dict(zip(columns, [pl.String] * 2 + [pl.Date] * 3, strict=True))
    rows = pl.DataFrame(cases, schema=schema, orient="row")
    with warehouse.registered(rows) as view:
        warehouse.run(f"insert into data_{name} by name select *, {load} as load from {view}")
    warehouse.run(
        f"insert into load (load, dataset, file, last_day) "
        f"select {load}, '{name}', '{file}', max(received) from data_{name} where load = {load}"
    )
    touch(warehouse, name, f"load = {load}")


def on(day: int) -> dt.datetime:
    return dt.datetime.combine(dt.date(2026, 11, day), dt.time())


def kept(warehouse: Warehouse, table: str, name: str) -> list[tuple]:
    found = warehouse.select(
        f"select * exclude (dataset) replace (replace(indicator, '{name}', '') as indicator) "
        f"from {table} where dataset = '{name}' order by all"
    )
    return found.rows()


@settings(max_examples=6)
@given(st.lists(FILES, min_size=2, max_size=3))
def test_counting_what_was_touched_gives_what_counting_all_gives(warehouse, catalog, files):
    tables = ("observation", "superseded", "load", *(f"data_{name}" for name in NAMES))
    warehouse.run("; ".join(f"delete from {table}" for table in tables))
    for number, (file, cases) in enumerate(files, start=1):
        begin(warehouse)
        now = on(number)
        for place, name in enumerate(NAMES):
            send(warehouse, name, 2 * number + place, file, cases)
            dataset = catalog.datasets[name]
            observe(warehouse, dataset, catalog.indicators, now, whole=name == "wholly")
        for table in ("observation", "superseded"):
            assert kept(warehouse, table, "partly") == kept(warehouse, table, "wholly")


def test_only_the_months_of_a_changed_file_are_counted_again(warehouse, catalog):
    tables = ("observation", "superseded", "load", "data_partly")
    warehouse.run("; ".join(f"delete from {table}" for table in tables))
    dataset, indicators = catalog.datasets["partly"], catalog.indicators
    january, may = (("31150", "land", dt.date(2026, month, 5), None, None) for month in (1, 5))
    begin(warehouse)
    send(warehouse, "partly", 1, 1, [january])
    send(warehouse, "partly", 2, 5, [may])
    observe(warehouse, dataset, indicators, on(1))
    begin(warehouse)
    send(warehouse, "partly", 3, 5, [may, may])
    observe(warehouse, dataset, indicators, on(2), whole=False)
    counted = warehouse.select(
        "select distinct month(period) from arriving where indicator = 'partly_received'"
    )
    assert counted.rows() == [(5,)]
    months = "select month(period), value, known_from::date from observation where "
    seen = warehouse.select(f"{months} indicator = 'partly_received' and frequency = 'month'")
    assert sorted(seen.rows()) == [(1, 1, dt.date(2026, 11, 1)), (5, 2, dt.date(2026, 11, 2))]
