"""Forecasts and targets as datasets, the facts of coverage, and targets found by being there."""

import base64
import datetime as dt
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import get_args

import polars as pl
import pyshacl
import pytest
from rdflib import Graph

from etl.catalog import Publish, parse_catalog
from etl.errors import Problems
from etl.publish import mappings as package
from etl.publish.archive import Archive, Version
from etl.publish.chart import fan
from etl.publish.coverage import DAYS, coverage, receipts
from etl.publish.derived import publication_content
from etl.publish.gate import Refusal
from etl.publish.mappings import mappings
from etl.publish.page import TEMPLATES, words
from etl.publish.portal import publish_catalog, publish_everywhere
from etl.publish.targets import UnknownTarget, chosen, targets
from etl.settings import Settings, SiteError
from etl.warehouse import Warehouse

SHAPES = Path(__file__).parents[1] / "samples" / "dcat_ap" / "dcat-ap-3.0.1-shapes.ttl"
FREQUENCIES = get_args(Publish.model_fields["frequency"].annotation)
KINDS = ("any", "boolean", "date", "integer", "number", "string")
STATES = get_args(Version.model_fields["state"].annotation)
CATALOG = """
profile: cantho-foresight/1
name: small
title: Danh mục nhỏ
title_en: A small catalog
licenses: [{name: CC-BY-4.0}]
contributors: [{title: Văn phòng UBND, title_en: City office, roles: [publisher]}]
resources:
- name: visits
  title: Lượt khách
  sources: [{path: visits.csv}]
  contributors: [{title: Sở Du lịch}]
  clean: {areas: {level: city}}
  schema:
    fields: [{name: area}, {name: period, type: yearmonth}, {name: visitors, type: number}]
    primaryKey: [area, period]
  indicators: [{name: visitors, title: Khách, title_en: Visitors, unit: lượt, value: visitors}]
  publish: {theme: ECON, frequency: MONTHLY}
- name: inside
  title: Nội bộ
  sources: [{path: inside.csv}]
  clean: {areas: {level: city}}
  schema: {fields: [{name: area}, {name: period, type: yearmonth}, {name: calls, type: number}]}
  indicators: [{name: calls, title: Cuộc gọi, title_en: Calls, value: calls}]
targets:
- name: visitors_2026
  title: Khách tháng 12/2026
  title_en: Visitors in December 2026
  indicator: visitors
  by: 12/2026
  owner: Sở Du lịch
  baselines: [{plan: committee, value: 900, document: Kế hoạch, date: "2026-01-05"}]
- name: open_data
  title: Dữ liệu mở
  title_en: Open data
  by: "2030"
  measure: computed
  owner: Sở Khoa học
  publishing: {named: [Sở Du lịch, Sở Y tế]}
  baselines: [{plan: committee, value: 100, document: Kế hoạch}]
publications:
- {name: forecasts, of: forecasts, title: Dự báo, publish: {theme: ECON, frequency: MONTHLY}}
- {name: goals, of: targets, title: Mục tiêu, publish: {theme: GOVE, frequency: IRREG}}
"""
LEVELS = {0.025: 1.0, 0.1: 2.0, 0.25: 3.0, 0.5: 4.0, 0.75: 5.0, 0.9: 6.0, 0.975: 7.0}
"""A quantile above 800 for each level."""


def month(number: int) -> dt.date:
    return dt.date(2026 + (number - 1) // 12, (number - 1) % 12 + 1, 1)


def forecast(indicator: str, area: str, *, simulated: bool = False) -> pl.DataFrame:
    """Issued on 5 November from data until October; the band widens by the month."""
    rows = [
        {"period": month(10 + ahead), "horizon": ahead, "quantile_level": level}
        | {"value": 800 + above * ahead}
        for ahead in (1, 2, 3, 4, 5, 6)
        for level, above in LEVELS.items()
    ]
    return pl.DataFrame(rows).with_columns(
        indicator=pl.lit(indicator),
        area=pl.lit(area),
        category=pl.lit("total"),
        frequency=pl.lit("month"),
        issue=1,
        issued=dt.date(2026, 11, 5),
        origin=month(10),
        data_as_of=dt.date(2026, 11, 2),
        model=pl.lit("naive"),
        simulated=pl.lit(simulated),
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Figures from January to October but June; forecasts of both, and one that is simulated."""
    home = tmp_path_factory.mktemp("state")
    known = [month(number) for number in (1, 2, 3, 4, 5, 7, 8, 9, 10)]
    figures = pl.DataFrame({"period": known}).with_columns(
        area=pl.lit("can_tho"),
        area_vintage=dt.date(2025, 7, 1),
        period_end=pl.col("period").dt.month_end(),
        frequency=pl.lit("month"),
    )
    issued = [forecast("visitors", "can_tho"), forecast("calls", "can_tho")]
    issued.append(forecast("visitors", "hau_giang", simulated=True))
    with Warehouse.build(home, empty=True) as warehouse:
        facts = {"name": ["catalog", "today"], "value": [CATALOG, "2026-11-22"]}
        warehouse.write("build_fact", pl.DataFrame(facts))
        area = {"code": ["can_tho"], "area_vintage": [dt.date(2025, 7, 1)], "level": ["city"]}
        warehouse.write("area", pl.DataFrame({**area, "name": ["Cần Thơ"]}))
        named = {"indicator": ["visitors", "calls"], "title": ["Khách", "Cuộc gọi"]}
        warehouse.write("indicator", pl.DataFrame({**named, "unit": ["lượt", None]}))
        for name, column in (("visits", "visitors"), ("inside", "calls")):
            with warehouse.registered(figures.with_columns(pl.lit(790.5).alias(column))) as view:
                warehouse.run(f"create table data_{name} as from {view}")
        observed = figures.with_columns(
            indicator=pl.lit("visitors"),
            dataset=pl.lit("visits"),
            category=pl.lit("total"),
            value=pl.lit(790.5),
            simulated=pl.lit(False),
            as_of=pl.col("period_end").dt.offset_by("9d"),
            status=pl.lit("final"),
        )
        warehouse.write("observation", observed)
        warehouse.write("comparable", observed.drop("area_vintage"))
        loads = {"load": [1], "dataset": ["visits"], "records": [10], "accepted": [9]}
        warehouse.write("load", pl.DataFrame({**loads, "rejected": [1], "unreadable": [0]}))
        warehouse.write("forecast", pl.concat(issued))
        keys = ["indicator", "area", "category", "frequency", "issue", "issued", "simulated"]
        warehouse.write("forecast_series", pl.concat(issued).select(keys).unique())
    return home


@pytest.fixture(scope="module")
def portal(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "portal"
    with Warehouse.open(home) as warehouse:
        publish_catalog(warehouse, parse_catalog(CATALOG), folder)
    return folder


def test_forecasts_leave_with_their_bands_and_the_day_of_issue(portal):
    rows = pl.read_parquet(portal / "forecasts" / "data.parquet")
    first = rows.row(0, named=True)
    assert (first["indicator_name"], first["unit"], first["area_name"]) == (
        *("Khách", "lượt", "Cần Thơ"),
    )
    assert (first["period"], first["period_end"]) == (month(11), dt.date(2026, 11, 30))
    assert [first[f"lower_{share}"] for share in (95, 80, 50)] == [801, 802, 803]
    assert [first[f"upper_{share}"] for share in (50, 80, 95)] == [805, 806, 807]
    assert (first["median"], first["issued"]) == (804, dt.date(2026, 11, 5))


def test_a_forecast_for_a_former_area_says_until_when_it_was_one(home):
    with Warehouse.aside(home) as warehouse:
        warehouse.run("update area set valid_to = date '2025-06-30'")
        rows = warehouse.query("etl", "published_forecasts", indicators=["visitors"])
    assert set(rows["area_name"].drop_nulls()) == {"Cần Thơ (đến 30/06/2025)"}


def test_neither_simulated_forecasts_nor_those_of_what_stays_inside_leave(portal):
    rows = pl.read_parquet(portal / "forecasts" / "data.parquet")
    assert rows["indicator"].unique().to_list() == ["visitors"]
    assert rows["area"].unique().to_list() == ["can_tho"]


def test_a_target_leaves_beside_the_newest_figure_and_the_forecast_for_its_time(portal):
    rows = pl.read_parquet(portal / "goals" / "data.parquet").sort("target", descending=True)
    row = rows.row(0, named=True)
    assert (row["target"], row["value"], row["set_on"]) == (
        *("visitors_2026", 900, dt.date(2026, 1, 5)),
    )
    assert (row["latest"], row["latest_period"]) == (790.5, month(10))
    assert (row["median"], row["lower_80"], row["upper_80"]) == (808, 804, 812)
    assert rows.row(1, named=True)["latest"] is None


@pytest.mark.parametrize(
    ("word", "person"),
    [
        ("owner: Sở Khoa học", "owner: Nguyễn Thị Nhàn"),
        ("title: Dữ liệu mở", "title: Hỏi 0912 345 678"),
        ("value: 100, document: Kế hoạch", "value: 100, document: Thư của ông Trần Văn Bé"),
    ],
)
def test_targets_that_speak_of_a_person_stay_inside(word, person, home):
    catalog = parse_catalog(CATALOG.replace(word, person))
    with Warehouse.open(home) as warehouse:
        found = publication_content(warehouse, catalog, catalog.publications[1], ["visits"])
    assert found == Refusal.PERSONAL


def test_coverage_counts_what_is_there_and_what_is_missing(home, portal):
    with Warehouse.open(home) as warehouse:
        archive = Archive(portal.with_name("portal-versions"))
        found = coverage(warehouse, parse_catalog(CATALOG), archive)
    visits = found.of("visits")
    assert (visits.completeness, visits.rejected, visits.lag) == (0.9, 0.1, 9)
    assert (visits.last, visits.due) == (dt.date(2026, 10, 31), dt.date(2027, 2, 28))
    assert (visits.late(dt.date(2027, 3, 10)), visits.late(dt.date(2026, 11, 22))) == (10, 0)
    assert (visits.formats, visits.versions) == (("csv", "xlsx", "parquet", "json"), 1)
    assert [body.name for body in found.publishing] == ["Sở Du lịch"]
    assert len(found.bodies) == 2
    assert not found.of("inside").published


def test_a_receipt_says_what_a_dataset_is_used_for_and_what_lateness_costs(home, portal):
    with Warehouse.open(home) as warehouse:
        archive = Archive(portal.with_name("portal-versions"))
        found = coverage(warehouse, parse_catalog(CATALOG), archive)
    (receipt,) = receipts(found, dt.date(2027, 3, 20))
    assert (receipt.dataset, receipt.forecasts, receipt.targets) == (
        *("visits", 1, ["visitors_2026"]),
    )
    # Twenty days late is a month: the band of two months ahead, twice that of one.
    assert (receipt.late, receipt.wider) == (20, 1.0)


def test_the_page_tells_the_publisher_what_its_dataset_is_used_for_whatever_the_day(portal):
    page = (portal / "visits" / "index.html").read_text(encoding="utf-8")
    (told,) = re.findall(r'<h2 id="use">.*?<h2', page, re.DOTALL)
    shown = re.findall(r'<span class="quiet">(.*?)</span><strong>(.*?)</strong>', told)
    assert shown == [
        ("Chuỗi dự báo", "1"),
        ("Mục tiêu được đánh giá", "1"),
        ("Chỉ tiêu lãnh đạo xem trước tiên", "0"),
        ("Chậm 1 tháng", "+100,0\u00a0%"),
        ("Chậm 2 tháng", "+200,0\u00a0%"),
        ("Chậm 3 tháng", "+300,0\u00a0%"),
    ]


def test_a_page_allows_no_style_and_no_script_but_its_own(portal):
    for path in portal.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        for tag, directive in (("style", "style-src"), ("script", "script-src")):
            (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
            assert f"{directive} 'sha256-{digest}'" in page
        assert not re.search(r"<[^>]+ (style|on\w+)=", page)


def test_the_pages_say_the_same_things_in_both_languages_and_nothing_in_vain():
    assert set(words("vi")) == set(words("en"))
    templates = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.jinja"))
    said = set(re.findall(r"words\.(\w+)", templates))
    looked_up = {*FREQUENCIES, *KINDS, *STATES, *(f"behind_{name}" for name in DAYS)}
    assert said | looked_up == set(words("vi"))


def test_a_preview_leaves_codes_and_empty_columns_to_the_files(portal):
    page = (portal / "forecasts" / "index.en.html").read_text(encoding="utf-8")
    table = page.partition('<table class="preview">')[2].partition("</table>")[0]
    headings = re.findall(r"<th[^>]*>([^<]+)</th>", table)
    assert headings[:4] == ["Indicator name", "Unit", "Area name", "Category"]
    assert "Forecast (median)" in headings
    assert not {"Indicator code", "Area code", "Kind of period"} & set(headings)
    columns = pl.read_parquet(portal / "forecasts" / "data.parquet").width
    assert f"{len(headings)} of {columns} columns" in table


def test_the_chart_of_forecasts_is_of_the_city_where_there_is_one(portal):
    rows = pl.read_parquet(portal / "forecasts" / "data.parquet")
    nation = rows.with_columns(area=pl.lit("vn"), area_name=pl.lit("Cả nước"))
    later = nation.with_columns(pl.col("period").dt.offset_by("1y"))
    drawn = fan(parse_catalog(CATALOG), pl.concat([nation, later, rows]))
    assert drawn is not None
    assert [line.label for line in drawn.lines] == ["Cần Thơ"]


def test_forecasts_and_targets_conform_to_dcat_ap_too(portal):
    base = "https://data.example.vn/catalog.jsonld"
    graph = Graph().parse(portal / "catalog.jsonld", format="json-ld", publicID=base)
    conforms, _, report = pyshacl.validate(graph, shacl_graph=str(SHAPES))
    assert conforms, report


def test_the_page_of_a_dataset_describes_it_to_search_engines(portal):
    page = (portal / "visits" / "index.html").read_text(encoding="utf-8")
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    told = json.loads(block)
    assert (told["@type"], told["name"]) == ("Dataset", "Lượt khách")
    assert len(told["distribution"]) == 4
    assert "<svg" in page


@pytest.mark.parametrize("name", targets())
def test_every_target_has_options_that_say_what_they_do_not_know(name):
    assert targets()[name].Options.model_config["extra"] == "forbid"
    assert callable(targets()[name].publish)


@pytest.mark.parametrize("name", mappings())
def test_every_mapping_can_be_asked_for_its_files(name, portal):
    assert callable(mappings()[name].files)
    assert all((portal / file).exists() for file in mappings()[name].FILES)


@pytest.fixture
def one_more(tmp_path, monkeypatch):
    """A mapping that is one more file of its folder."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "dcat_vn.py").write_text(
        'FILES = {"catalog-vn.json": "DCAT-VN"}\n\n\n'
        "def files(shelf, base):\n"
        '    return {"catalog-vn.json": " ".join(one.dataset.name for one in shelf.releases)}\n'
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "more")])
    mappings.cache_clear()
    yield
    mappings.cache_clear()
    sys.modules.pop(f"{package.__name__}.dcat_vn", None)


@pytest.mark.usefixtures("one_more")
def test_a_vocabulary_is_added_by_one_file_and_the_portal_can_be_written_again(home, tmp_path):
    with Warehouse.open(home) as warehouse:
        for _ in range(2):
            publish_catalog(warehouse, parse_catalog(CATALOG), tmp_path / "portal")
    written = (tmp_path / "portal" / "catalog-vn.json").read_text()
    assert written == "visits forecasts goals"
    page = (tmp_path / "portal" / "visits" / "index.html").read_text(encoding="utf-8")
    assert '<a href="../catalog-vn.json">DCAT-VN</a>' in page


def settings(folder: Path, site: str) -> Settings:
    (folder / "site.yaml").write_text(site, encoding="utf-8")
    return Settings(home=folder, catalog=folder / "data_catalog.yaml")


def test_the_site_file_chooses_the_targets(home, tmp_path):
    here = settings(tmp_path, "portal: {targets: {files: {folder: open, base: https://a.vn/}}}")
    with Warehouse.open(home) as warehouse:
        _, done = publish_everywhere(warehouse, here)
    assert done["files"].published == ["visits", "forecasts", "goals"]
    assert (tmp_path / "open" / "sitemap.xml").exists()
    assert (tmp_path / "portal-versions" / "visits" / "versions.json").exists()


@pytest.mark.parametrize(
    ("site", "problem"),
    [
        ("portal: {targets: {carrier_pigeon: {}}}", UnknownTarget),
        ("portal: {targets: {files: {folders: open}}}", SiteError),
        ("portal: {targets: {files: {base: ftp://a.vn/}}}", SiteError),
        ("portal: {target: {}}", Problems),
    ],
)
def test_a_target_that_is_not_there_and_options_it_does_not_know_are_told(site, problem, tmp_path):
    with pytest.raises(problem):
        chosen(settings(tmp_path, site))
