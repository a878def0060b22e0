"""What a file handed in would move: of its own datasets, and of nothing that is not its maker's."""

import io

import pytest
from conftest import HEAD, TODAY
from openpyxl import load_workbook

from dashboard.handing_in import Seen, look
from etl import pipeline
from etl.catalog import load_catalog
from etl.handin import Actor, Store, template
from etl.people import People
from etl.periods import Period
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

    def seen(more: str) -> Seen:
        (folder / "beds.csv").write_text(beds + more, encoding="utf-8")
        dataset, period = catalog.datasets["guests"], Period.parse("2026-10")
        book = load_workbook(io.BytesIO(template(catalog, dataset, period, None)))
        book.worksheets[0]["C2"] = 1200
        content = io.BytesIO()
        book.save(content)
        nhan = Actor(People.model_validate(PEOPLE).person("nhan"), "demo:nhan", "page", "here")
        one = store.draft(
            nhan, dataset, "culture", period, name="a.xlsx", content=content.getvalue()
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


def test_of_what_stops_a_refresh_elsewhere_nothing_is_told(looked):
    verdict = looked("Thành phố Cần Thơ,ba tháng,990000\n" * 9).verdict
    assert verdict.takes
    assert verdict.untold.problem == "other sources would stop a refresh as they are now"
    assert "beds" not in str(verdict.untold)
