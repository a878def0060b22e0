"""A build that is old, empty or half loaded says so at the head of every page."""

import datetime as dt
import shutil
from dataclasses import replace

import duckdb
import pytest

from dashboard import layout, queries, server
from dashboard.condition import nothing_accepted, notices
from dashboard.reader import Reader
from dashboard.text import counted, words
from tests.dashboard.conftest import TODAY


@pytest.fixture
def changed(home, tmp_path):
    """A copy of the build in which statements were run, for someone who reads Vietnamese."""

    def change(*statements: str) -> Reader:
        shutil.copytree(home, tmp_path / "state")
        name = queries.current(tmp_path / "state").name
        with duckdb.connect(str(tmp_path / "state" / "builds" / f"{name}.duckdb")) as build:
            for statement in statements:
                build.execute(statement)
        return Reader(queries.current(tmp_path / "state"), "vi", TODAY)

    return change


def _told(reader: Reader) -> list[str]:
    return [notice.said for notice in notices(reader)]


def test_a_whole_and_young_build_says_nothing(reader):
    assert notices(reader) == []


def test_a_build_of_months_ago_says_how_old_it_is(vietnamese):
    later = replace(vietnamese, today=TODAY + dt.timedelta(days=100))
    assert _told(later) == [
        "Bản dữ liệu này làm ngày 22/11/2026, 3 tháng trước: số mới hơn chưa vào đây."
    ]


def test_a_dataset_that_was_not_loaded_is_named(changed):
    reader = changed("delete from load where dataset = 'dossiers'")
    assert _told(reader) == ["1 trong 2 bộ dữ liệu chưa có số: Hồ sơ bịa đặt."]
    assert not nothing_accepted(reader)


def test_a_build_without_forecasts_says_so_and_how_they_are_made(changed):
    asked = "forecast: {frequency: year, horizon: 3, grains: [city]}"
    entry = f"replace(value, 'present:', '{asked}' || chr(10) || '  present:')"
    reader = changed(
        "delete from forecast",
        f"update build_fact set value = {entry} where name = 'catalog'",
    )
    (told,) = _told(reader)
    assert "foresight refresh" in told


def test_where_all_rows_were_rejected_nothing_is_said_to_be_well(changed):
    reader = changed("update load set accepted = 0, rejected = records, unreadable = 0")
    assert _told(reader) == ["Chưa có số nào để xem: cả 1.038 dòng đã nạp đều bị từ chối."]
    assert nothing_accepted(reader)
    assert 'href="data"' in layout._condition(reader)


def test_a_part_that_an_older_build_does_not_have_says_what_to_run(changed, monkeypatch):
    reader = changed("drop table forecast_part cascade")
    shown = []
    monkeypatch.setattr("dashboard.layout.html", shown.append)
    with pytest.raises(duckdb.CatalogException) as error:
        _parts(reader)
    assert server.explain(error.value)
    assert words("vi")["older.title"] in shown[0]
    assert "foresight refresh" in shown[0]


def _parts(reader: Reader) -> None:
    from forecasts.explain import Series

    reader.build.explained(Series("applications_received", "can_tho", "total", "month"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("rung 1 [time|times] in 24 [month|months]", "rung 1 time in 24 months"),
        ("<b>21 [alert is|alerts are] open</b>", "<b>21 alerts are open</b>"),
        ("1,001 [row|rows]; 1 [is|are] bad", "1,001 rows; 1 is bad"),
        ("no choice", "no choice"),
    ],
)
def test_english_counts_one_and_many(said, told):
    assert counted(said) == told
