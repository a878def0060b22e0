"""What a file handed in would move: of its own datasets, and of nothing that is not its maker's."""

import datetime as dt
import io
import shutil

import polars as pl
import pytest
from conftest import HEAD, TODAY
from openpyxl import load_workbook

from dashboard.handing_in import Moves, Seen, look
from etl import pipeline
from etl.catalog import load_catalog
from etl.handin import Actor, Store, template
from etl.people import People
from etl.periods import Period
from etl.preview import Preview
from etl.settings import Settings
from etl.warehouse import Warehouse
from tests.dashboard.test_handin_commands import ENTRY, PEOPLE

BEDS = """
- name: beds
  title: Giường bệnh
  sources: [{path: beds.csv}]
  clean: {areas: {level: city, on: "2026-01-01"}}
  schema:
    fields:
    - {name: area, from: [Nơi]}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: value, type: integer, from: [Số]}
    primaryKey: [area, period]
  indicators: [{name: beds, title: Giường, title_en: Beds}]
  forecast: {frequency: month, horizon: 3, grains: [city]}
"""
MONTHS = [f"{month:02}/{year}" for year in (2023, 2024, 2025) for month in range(1, 13)]


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """The verdict on a file of one department while a file of another has changed."""
    folder = tmp_path_factory.mktemp("looked")
    installation = Settings(home=folder / "state", catalog=folder / "data_catalog.yaml")
    installation.home.mkdir()
    installation.catalog.write_text(HEAD + ENTRY + BEDS, encoding="utf-8")
    catalog, store = load_catalog(installation.catalog), Store(installation.home)
    rows = [f"Thành phố Cần Thơ,{month},{1000 + i % 7}" for i, month in enumerate(MONTHS)]
    beds = "\n".join(["Nơi,Tháng,Số", *rows]) + "\n"
    (folder / "beds.csv").write_text(beds, encoding="utf-8")
    with Warehouse.build(installation.home) as build:
        plan = pipeline.plan(catalog, installation, None)
        pipeline.refresh(build, catalog, installation, plan, today=TODAY, progress=lambda _: None)

    def filled(month: str) -> bytes:
        dataset = catalog.datasets["guests"]
        book = load_workbook(io.BytesIO(template(catalog, dataset, Period.parse(month), None)))
        book.worksheets[0]["C2"] = 1200
        content = io.BytesIO()
        book.save(content)
        return content.getvalue()

    def seen(more: str = "", waiting: str = "") -> Seen:
        (folder / "beds.csv").write_text(beds + more, encoding="utf-8")
        shutil.rmtree(folder / "sources", ignore_errors=True)
        (folder / "sources").mkdir()
        if waiting:
            theirs = folder / f"sources/guests_{waiting}_sport_v01.xlsx"
            theirs.write_bytes(filled(waiting))
        dataset, period = catalog.datasets["guests"], Period.parse("2026-10")
        nhan = Actor(People.model_validate(PEOPLE).person("nhan"), "demo:nhan", "page", "here")
        one = store.draft(
            nhan, dataset, "culture", period, name="a.xlsx", content=filled("2026-10")
        )
        return look(catalog, installation, store, one, today=TODAY, language="vi")

    return seen


def test_what_the_files_of_others_would_move_is_not_told(looked):
    moves = looked("Thành phố Cần Thơ,01/2026,990000\n").moves
    assert moves.preview.figures["dataset"].unique().to_list() == ["guests"]
    assert (moves.preview.anomalies, moves.forecasts, moves.targets, moves.alerts) == (
        [],
        0,
        [],
        [],
    )


def test_a_file_of_another_department_that_waits_is_not_counted_as_mine(looked):
    moves = looked(waiting="2026-09").moves
    assert moves.preview.figures["period"].to_list() == [dt.date(2026, 10, 1)]


def test_a_file_that_waits_and_holds_the_same_records_stops_mine_before_it_is_submitted(looked):
    verdict = looked(waiting="2026-10").verdict
    assert [problem.problem for problem in verdict.problems] == [
        "among the other files it would stop a refresh: 1 of 1 records are bad; guests allows 5.0%"
    ]


def test_what_stops_a_refresh_elsewhere_takes_nothing_from_the_verdict_and_is_not_told(looked):
    seen = looked("Thành phố Cần Thơ,ba tháng,990000\n" * 9)
    assert (seen.verdict.problems, seen.verdict.untold) == ([], None)
    assert seen.moves.preview.figures["dataset"].to_list() == ["guests"]


def test_a_figure_told_anew_as_of_another_day_is_one_change():
    january = {"period": dt.date(2026, 1, 1), "period_end": dt.date(2026, 1, 31)}
    cell = {"indicator": "guests", "area": "can_tho", "category": "total", **january}
    told = [
        {**cell, "before": 1100.0, "after": None, "as_of": dt.date(2026, 2, 1)},
        {**cell, "before": None, "after": 1200.0, "as_of": dt.date(2026, 3, 1)},
        {**cell, "area": "31117", "before": 7.0, "after": 7.0, "as_of": None},
    ]
    nothing = pipeline.Plan([], [], [], {}, None, "", described=False)
    preview = Preview(nothing, pl.DataFrame(), pl.DataFrame(told, infer_schema_length=None), [])
    (figure,) = Moves(preview, 0, [], []).figures.to_dicts()
    assert figure == {**cell, "before": 1100, "after": 1200}
