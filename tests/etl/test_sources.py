"""The files that are shipped: every published figure arrives, once, as it was published."""

import polars as pl
import pytest
from conftest import ROOT, TODAY

from etl import pipeline
from etl.catalog import load_catalog
from etl.geography import areas
from etl.periods import Period
from etl.settings import Settings
from etl.warehouse import Warehouse


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    real = [dataset for dataset in catalog.resources if not dataset.simulated]
    catalog = catalog.model_copy(update={"resources": real})
    settings = Settings(home=tmp_path_factory.mktemp("state"), catalog=ROOT / "data_catalog.yaml")
    with Warehouse.build(settings.home) as building:
        plan = pipeline.plan(catalog, settings, None)
        pipeline.refresh(building, catalog, settings, plan, today=TODAY, progress=lambda _: None)
    return Warehouse.open(settings.home)


@pytest.fixture(scope="module")
def expected() -> pl.DataFrame:
    rows = pl.read_csv(ROOT / "tests/samples/published_expected.csv", infer_schema=False)
    return rows.select(
        "indicator",
        "area",
        pl.col("period").map_elements(lambda t: Period.parse(t).start, return_dtype=pl.Date),
        pl.col("period")
        .map_elements(lambda t: Period.parse(t).end, return_dtype=pl.Date)
        .alias("period_end"),
        pl.col("value").cast(pl.Float64),
        "status",
        pl.col("as_of").map_elements(lambda t: Period.parse(t).end, return_dtype=pl.Date),
    )


def test_every_published_figure_is_there_exactly_once_and_nothing_else(warehouse, expected):
    found = warehouse.select(
        "select indicator, area, period, period_end, value, status, as_of from observation "
        "where dataset not in (select dataset from load where file like '%/home_affairs/%')"
    )
    columns = found.columns
    assert found.sort(columns).equals(expected.sort(columns))
    assert found.height == expected.height


def test_population_and_land_of_the_103_communes_add_up_to_those_of_the_city(warehouse):
    of_city = dict(
        warehouse.select(
            "select indicator, value from comparable where area = 'can_tho' "
            "and indicator in ('population_registered', 'land_area')"
        ).iter_rows()
    )
    city = areas().filter(pl.col("code") == "can_tho").row(0, named=True)
    assert of_city["population_registered"] == city["population"]
    assert of_city["land_area"] == pytest.approx(city["area_km2"])


def test_no_row_of_the_shipped_files_is_rejected(warehouse):
    assert warehouse.select("select * from rejected").is_empty()


def test_rival_figures_of_the_merged_city_are_kept_side_by_side(warehouse):
    growth = warehouse.select(
        "select distinct value, status from observation where indicator = 'grdp_growth' "
        "and area = 'can_tho' and period = date '2025-01-01' and frequency = 'year' order by value"
    )
    assert list(growth.iter_rows()) == [(7.23, "preliminary"), (8.3, "preliminary"), (10, "plan")]


def test_the_empty_form_is_read_by_the_same_entry_as_the_filled_one(warehouse, tmp_path):
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    text = (ROOT / "data_catalog.yaml").read_text(encoding="utf-8")
    (tmp_path / "data_catalog.yaml").write_text(text, encoding="utf-8")
    form = (ROOT / "data/sources/templates/monthly_report.xlsx").read_bytes()
    for number in (1, 2):
        path = tmp_path / f"data/sources/reports/monthly_report_2026_0{number}.xlsx"
        path.parent.mkdir(parents=True, exist_ok=True)
        filled = ROOT / "data/sources/reports/monthly_report_2026_01.xlsx"
        path.write_bytes(filled.read_bytes() if number == 1 else form)
    settings = Settings(home=tmp_path / "state", catalog=tmp_path / "data_catalog.yaml")
    settings.home.mkdir()
    reports = [d for d in catalog.resources if d.name.startswith("monthly_report")]
    others = [d for d in catalog.resources if d.described and not d.simulated]
    only = catalog.model_copy(update={"resources": reports})
    object.__setattr__(only, "indicators", {i.name: i for d in others for i in d.described})
    with Warehouse.build(settings.home) as building:
        plan = pipeline.plan(only, settings, None)
        done = pipeline.refresh(
            building, only, settings, plan, today=TODAY, progress=lambda _: None
        )
    assert sum(load.rejected for load in done.loads) == 0
    assert Warehouse.open(settings.home).select("select count(*) from observation").item() == 8


def test_rates_of_the_whole_are_recomputed_from_its_parts(warehouse):
    share = warehouse.select(
        "select value from comparable where indicator = 'urbanisation_rate' and area = 'can_tho' "
        "and period = date '2024-01-01'"
    ).item()
    urban, total = (
        warehouse.select(
            "select value from comparable where indicator = $i and area = 'can_tho' "
            "and period = date '2024-01-01'",
            i=name,
        ).item()
        for name in ("population_urban", "population")
    )
    assert share == pytest.approx(100 * urban / total)
