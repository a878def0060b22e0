"""What leaves the house, what never does, and that the same data leave as the same bytes."""

import codecs
import csv
import datetime as dt
import hashlib
import io
import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import frictionless
import polars as pl
import pyshacl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Graph, URIRef
from rdflib.namespace import DCAT, DCTERMS

from etl.catalog import Catalog, Publish, parse_catalog
from etl.publish.dcat import catalog_jsonld
from etl.publish.package import DataFile, Place, Release, described, spreadsheet_safe
from etl.publish.portal import NotAPortal, publish_catalog, publish_portal
from etl.warehouse import Warehouse

SHAPES = Path(__file__).parents[3] / "shared" / "data" / "shapes"
GOLDEN = Path(__file__).parent / "golden"
BASE = "https://data.example.vn/can-tho/"

CATALOG = """
profile: cantho-foresight/1
name: small
title: Danh mục nhỏ
title_en: A small catalog
licenses: [{name: CC-BY-4.0, title: Ghi công 4.0}]
contributors:
- {title: Văn phòng UBND, title_en: City office, roles: [publisher], email: solieu@cantho.vn}
resources:
- name: rice
  title: Lúa <b>& gạo</b>
  title_en: Rice
  description: Sản lượng theo năm.
  sources: [{title: Niên giám 2025, path: data/secret-place/rice.csv}]
  clean: {areas: {level: [city, former_province]}}
  schema:
    fields:
    - {name: indicator, constraints: {required: true}}
    - {name: area, constraints: {required: true}}
    - {name: period, type: year, constraints: {required: true, minimum: "2004"}}
    - {name: value, type: number, constraints: {minimum: 0}}
    - {name: status}
    - {name: as_of, type: date}
    - {name: note, title: Lời ghi}
    primaryKey: [indicator, area, period]
  indicators:
  - {name: rice_output, title: Sản lượng lúa, title_en: Paddy output, unit: nghìn tấn}
  - {name: rice_area, title: Diện tích lúa, title_en: Paddy area, unit: nghìn ha}
  publish: {theme: AGRI, frequency: ANNUAL, keywords: [lúa, gạo]}
- name: prices
  title: Giá theo tháng
  sources: [{path: data/prices.csv}]
  contributors: [{title: Cục Thống kê, path: "https://example.vn/thống kê"}]
  licenses: [{name: CC0-1.0}]
  clean: {areas: {level: nation}}
  schema:
    fields:
    - {name: area}
    - {name: period, type: yearmonth}
    - {name: cpi, type: number}
    - {name: goods, type: string, categories: [{value: food, label: Lương thực}]}
  indicators: [{name: cpi, title: Giá tiêu dùng, title_en: Consumer prices, unit: "%", value: cpi}]
  publish: {theme: ECON, frequency: MONTHLY}
- {name: kept, title: Giữ lại, sources: [{path: kept.csv}], schema: {fields: [{name: value}]}}
- name: made_up
  title: Mô phỏng
  sources: [{path: made_up.csv}]
  read: {simulated_by: dossiers}
  schema: {fields: [{name: value}]}
- name: cases
  title: Hồ sơ
  sources: [{path: cases.csv}]
  schema: {fields: [{name: id, sensitive: true}, {name: received, type: date}]}
  tables: [{name: daily, by: [], measures: [{name: received_count, count: received}]}]
- name: persons
  title: Cá nhân
  sources: [{path: persons.csv}]
  schema: {fields: [{name: phone, sensitive: true}]}
- name: internal_only
  title: Nội bộ
  sources: [{path: internal.csv}]
  licenses: [{name: internal}]
  schema: {fields: [{name: value}]}
- name: not_loaded
  title: Chưa nạp
  sources: [{path: later.csv}]
  schema: {fields: [{name: value}]}
  publish: {theme: GOVE, frequency: IRREG}
"""
NOTES = ["=1+1", "  @SUM(A1)", "-5 %", "+84", "\tx", "\rx", 'bình thường, “và” "ngoặc"', "a\r\nb"]


def years(*, city_note: str | None = None) -> pl.DataFrame:
    output = pl.DataFrame(
        {
            "indicator": "rice_output",
            "area": "hau_giang",
            "area_vintage": dt.date(2004, 1, 1),
            "period": [dt.date(2004 + n, 1, 1) for n in range(len(NOTES))],
            "value": [100.5 + n for n in range(len(NOTES) - 1)] + [float("nan")],
            "status": "final",
            "as_of": dt.date(2018, 9, 21),
            "note": NOTES,
        }
    )
    city = output.head(1).with_columns(
        indicator=pl.lit("rice_area"),
        area=pl.lit("can_tho"),
        area_vintage=dt.date(2025, 7, 1),
        period=dt.date(2025, 1, 1),
        as_of=dt.date(2026, 2, 13),
        note=pl.lit(city_note, dtype=pl.String),
    )
    return pl.concat([city, output.reverse()]).with_columns(
        period_end=pl.col("period").dt.offset_by("1y").dt.offset_by("-1d"),
        frequency=pl.lit("year"),
        load=pl.lit(77),
    )


def months() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "area": ["national", "national"],
            "area_vintage": dt.date(2004, 1, 1),
            "period": [dt.date(2025, 2, 1), dt.date(2025, 1, 1)],
            "period_end": [dt.date(2025, 2, 28), dt.date(2025, 1, 31)],
            "frequency": "month",
            "cpi": [3.1, None],
            "goods": "food",
            "load": 78,
        }
    )


LOADED_AT = dt.datetime.fromisoformat("2025-03-06T01:00")
FORMER = dt.date(2025, 6, 30)
AREAS = pl.DataFrame(
    [
        ("national", dt.date(2004, 1, 1), None, "nation", "Cả nước", "Viet Nam"),
        ("can_tho", dt.date(2025, 7, 1), None, "city", "Cần Thơ", "Cần Thơ city"),
        ("hau_giang", dt.date(2004, 1, 1), FORMER, "former_province", "Hậu Giang", "Former"),
    ],
    schema=["code", "area_vintage", "valid_to", "level", "name", "name_en"],
    orient="row",
)


def build(home: Path, rice: pl.DataFrame, *, simulated: bool = False) -> Path:
    some = pl.DataFrame({"value": ["x"], "load": [1]})
    tables = {
        "rice": rice,
        "prices": months(),
        "kept": some,
        "made_up": some,
        "internal_only": some,
    }
    with Warehouse.build(home, empty=True) as warehouse:
        warehouse.write("area", AREAS)
        seen = {"dataset": ["rice", "rice"], "simulated": [False, simulated]}
        warehouse.write("observation", pl.DataFrame(seen))
        warehouse.write("build_fact", pl.DataFrame({"name": ["catalog"], "value": [CATALOG]}))
        loaded = {"load": [78], "dataset": ["prices"], "loaded_at": [LOADED_AT]}
        warehouse.write("load", pl.DataFrame(loaded))
        for name, rows in tables.items():
            with warehouse.registered(rows) as view:
                warehouse.run(f"create table data_{name} as from {view}")
    return home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("state"), years())


@pytest.fixture(scope="module")
def portal(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "portal"
    with Warehouse.open(home) as warehouse:
        publish_portal(warehouse, folder)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def graph_of(portal: Path) -> Graph:
    return Graph().parse(
        portal / "catalog.jsonld", format="json-ld", publicID=f"{BASE}catalog.jsonld"
    )


# What leaves, and what does not


def test_only_open_real_datasets_leave_and_all_others_say_why(home, tmp_path):
    with Warehouse.open(home) as warehouse:
        outcome = publish_portal(warehouse, tmp_path / "portal")
    assert outcome.published == ["rice", "prices"]
    assert outcome.refused == {
        "kept": "the catalog does not publish it",
        "made_up": "simulated data are never published",
        "cases": "case-level rows never leave the warehouse",
        "persons": "it has sensitive fields",
        "internal_only": "the catalog does not publish it",
        "not_loaded": "nothing has been loaded",
    }
    folders = {path.name for path in (tmp_path / "portal").iterdir() if path.is_dir()}
    assert folders == {"rice", "prices"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("made_up", "simulated data are never published"),
        ("cases", "case-level rows never leave the warehouse"),
        ("persons", "it has sensitive fields"),
        ("internal_only", "it has no open licence"),
    ],
)
def test_a_catalog_that_lies_past_its_own_check_is_refused_at_the_gate(name, why, home, tmp_path):
    catalog = parse_catalog(CATALOG)
    lie = {"publish": Publish(theme="GOVE", frequency="IRREG")}
    resources = [d.model_copy(update=lie if d.name == name else {}) for d in catalog.resources]
    lying = Catalog.model_construct(**{**dict(catalog), "resources": resources})
    with Warehouse.open(home) as warehouse:
        outcome = publish_catalog(warehouse, lying, tmp_path / "portal")
    assert outcome.refused[name] == why
    assert not (tmp_path / "portal" / name).exists()


def test_figures_marked_as_simulated_keep_their_dataset_inside(tmp_path):
    home = build(tmp_path / "state", years(), simulated=True)
    with Warehouse.open(home) as warehouse:
        outcome = publish_portal(warehouse, tmp_path / "portal")
    assert outcome.refused["rice"] == "simulated data are never published"


def test_internal_columns_and_paths_stay_inside(portal):
    columns = rows_of(portal / "rice" / "data.csv")[0].keys()
    assert "load" not in columns
    assert "load" not in pl.read_parquet_schema(portal / "rice" / "data.parquet")
    assert not any(b"secret-place" in text for text in content(portal).values())


# Files


def test_names_stand_beside_codes_and_rows_in_the_order_of_the_key(portal):
    rows = rows_of(portal / "rice" / "data.csv")
    assert list(rows[0].values())[:10] == [
        *("rice_area", "Diện tích lúa", "nghìn ha", "can_tho", "Cần Thơ", "2025-07-01"),
        *("2025-01-01", "2025-12-31", "year", "100.5"),
    ]
    assert rows[1]["area_name"] == "Hậu Giang (đến 30/06/2025)"
    assert [row["period"][:4] for row in rows] == ["2025", *map(str, range(2004, 2012))]


def test_a_number_that_is_not_finite_leaves_as_missing(portal):
    assert rows_of(portal / "rice" / "data.csv")[-1]["value"] == ""
    assert pl.read_parquet(portal / "rice" / "data.parquet")["value"].null_count() == 1


def test_a_csv_begins_with_a_bom_and_ends_its_lines_as_excel_does(portal):
    raw = (portal / "prices" / "data.csv").read_bytes()
    assert raw.startswith(codecs.BOM_UTF8)
    assert raw.count(b"\r\n") == raw.count(b"\n") == 3


def test_a_formula_reaches_a_spreadsheet_as_text_and_parquet_untouched(portal):
    notes = [row["note"] for row in rows_of(portal / "rice" / "data.csv")][1:]
    assert notes == [*(f"'{note}" for note in NOTES[:6]), *NOTES[6:]]
    assert pl.read_parquet(portal / "rice" / "data.parquet")["note"].to_list()[1:] == NOTES


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_no_text_cell_of_a_csv_can_begin_a_formula(text):
    safe = spreadsheet_safe(pl.DataFrame({"note": [text]}))["note"][0]
    assert safe in (text, f"'{text}")
    assert safe.strip()[:1] not in tuple("=+-@")
    assert safe[:1] not in tuple("\t\r\n")


@pytest.mark.parametrize("name", ["rice", "prices"])
def test_frictionless_reads_the_package_and_finds_its_rows_valid(name, portal):
    package = frictionless.Package(str(portal / name / "datapackage.json"))
    assert frictionless.Package.validate_descriptor(package.to_descriptor()).valid
    report = package.get_resource(f"{name}-csv").validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "note"])
    assert report.tasks[0].stats["rows"] == len(rows_of(portal / name / "data.csv"))


@pytest.mark.parametrize("name", ["rice", "prices"])
def test_sizes_and_checksums_are_those_of_the_files(name, portal):
    package = json.loads((portal / name / "datapackage.json").read_text())
    sums = dict(
        reversed(line.split("  "))
        for line in (portal / name / "SHA256SUMS").read_text().splitlines()
    )
    for resource in package["resources"]:
        raw = (portal / name / resource["path"]).read_bytes()
        assert resource["bytes"] == len(raw)
        assert resource["hash"] == f"sha256:{hashlib.sha256(raw).hexdigest()}"
        assert resource["hash"] == f"sha256:{sums[resource['path']]}"
    assert set(sums) == {"data.csv", "data.parquet", "datapackage.json"}


def test_a_package_describes_every_column_that_leaves(portal):
    package = json.loads((portal / "prices" / "datapackage.json").read_text())
    fields = {field["name"]: field for field in package["resources"][0]["schema"]["fields"]}
    assert list(fields) == list(rows_of(portal / "prices" / "data.csv")[0])
    assert fields["cpi"] == {
        "name": "cpi",
        "type": "number",
        "title": "Giá tiêu dùng",
        "title_en": "Consumer prices",
        "unit": "%",
    }
    assert fields["period"]["type"] == "date"
    assert fields["goods"]["categories"] == [{"value": "food", "label": "Lương thực"}]


# DCAT


@pytest.mark.skipif(not SHAPES.exists(), reason="the shapes are not here")
@pytest.mark.parametrize("shapes", ["dcat-ap-3.0.1-shapes.ttl", "dcat-ap-3.0.1-SHACL.ttl"])
def test_the_catalog_conforms_to_dcat_ap(shapes, portal):
    conforms, _, report = pyshacl.validate(graph_of(portal), shacl_graph=str(SHAPES / shapes))
    assert conforms, report


def test_addresses_are_relative_to_the_catalog_and_lead_to_files(portal):
    found = {str(address) for address in graph_of(portal).objects(None, DCAT.downloadURL)}
    assert found == {
        f"{BASE}{name}/data.{form}" for name in ("rice", "prices") for form in ("csv", "parquet")
    }
    assert all((portal / address.removeprefix(BASE)).exists() for address in found)


def test_a_portal_told_where_it_will_be_served_says_so(home, portal, tmp_path):
    with Warehouse.open(home) as warehouse:
        publish_portal(warehouse, tmp_path / "portal", base=BASE)
    told = Graph().parse(tmp_path / "portal" / "catalog.jsonld", format="json-ld")
    assert set(told) == set(graph_of(portal))


def test_a_dataset_is_as_new_as_its_newest_figure_or_else_its_load(portal):
    graph = graph_of(portal)
    dates = {
        name: str(graph.value(URIRef(f"{BASE}catalog.jsonld#{name}"), DCTERMS.modified))
        for name in ("rice", "prices", "catalog")
    }
    assert dates == {"rice": "2026-02-13", "prices": "2025-03-06", "catalog": "2026-02-13"}


def a_release(catalog: Catalog) -> Release:
    return Release(
        dataset=catalog.datasets["rice"],
        publisher=catalog.contributors[0],
        licence="CC-BY-4.0",
        files=(
            DataFile("data.csv", "csv", 1234, "0123456789abcdef" * 4),
            DataFile("data.parquet", "parquet", 987, "fedcba9876543210" * 4),
        ),
        rows=9,
        first=dt.date(2004, 1, 1),
        last=dt.date(2025, 12, 31),
        modified=dt.date(2026, 2, 13),
        places=(
            Place("hau_giang", "former_province", "Hậu Giang", "Hậu Giang (former)"),
            Place("national", "nation", "Cả nước", "Viet Nam"),
        ),
    )


def same_as_golden(text: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    kept = GOLDEN / name
    expected = kept.read_text(encoding="utf-8") if kept.exists() else ""
    assert text == expected, f"if the change is meant: cp {tmp_path / name} {kept}"


def test_the_dcat_catalog_is_the_one_agreed_on(tmp_path):
    catalog = parse_catalog(CATALOG)
    same_as_golden(catalog_jsonld(catalog, [a_release(catalog)]), "catalog.jsonld", tmp_path)


def test_the_package_is_the_one_agreed_on(portal, tmp_path):
    catalog = parse_catalog(CATALOG)
    table = pl.read_parquet(portal / "rice" / "data.parquet")
    package = described(catalog, a_release(catalog), table)
    text = json.dumps(package, ensure_ascii=False, indent=1) + "\n"
    same_as_golden(text, "datapackage.json", tmp_path)


# The pages


class Seen(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", ["index.html", "index.en.html"])
def test_every_link_of_a_page_leads_to_a_file_of_the_portal_or_to_a_licence(name, portal):
    seen = Seen((portal / name).read_text(encoding="utf-8"))
    outside = {a for a in seen.addresses if urlsplit(a).scheme == "https"}
    assert outside == {
        "https://creativecommons.org/licenses/by/4.0/",
        "https://creativecommons.org/publicdomain/zero/1.0/",
    }
    inside = {a for a in seen.addresses if not urlsplit(a).scheme}
    assert {"rice/data.csv", "prices/data.parquet", "catalog.jsonld"} <= inside
    assert all((portal / address).exists() for address in inside)
    assert not {"script", "img", "iframe"} & set(seen.tags)


def test_text_of_the_catalog_is_text_on_the_page_whatever_it_holds(portal):
    seen = Seen((portal / "index.html").read_text(encoding="utf-8"))
    assert "Lúa <b>& gạo</b>" in seen.text
    assert "b" not in seen.tags


def test_the_page_speaks_vietnamese_and_its_sister_english(portal):
    pages = {n: (portal / n).read_text(encoding="utf-8") for n in ("index.html", "index.en.html")}
    assert "Dữ liệu mô phỏng không bao giờ được công bố." in pages["index.html"]
    assert "01/01/2004" in pages["index.html"]
    assert "Simulated data are never published." in pages["index.en.html"]
    assert "1 January 2004" in pages["index.en.html"]


# Again and again


def test_publishing_twice_gives_the_same_bytes_even_in_another_process(home, portal, tmp_path):
    program = (
        "import sys; from pathlib import Path; from etl.warehouse import Warehouse;"
        "from etl.publish.portal import publish_portal;"
        "publish_portal(Warehouse.open(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", program, home, tmp_path / "portal"], check=True)
    assert content(tmp_path / "portal") == content(portal)
    with Warehouse.open(home) as warehouse:
        publish_portal(warehouse, tmp_path / "portal")
    assert content(tmp_path / "portal") == content(portal)


def test_one_changed_cell_changes_the_version_of_its_dataset_alone(portal, tmp_path):
    home = build(tmp_path / "state", years(city_note="sửa"))
    with Warehouse.open(home) as warehouse:
        publish_portal(warehouse, tmp_path / "portal")
    before, after = content(portal), content(tmp_path / "portal")
    changed = {name for name in before if before[name] != after[name]}
    assert {name for name in changed if "/" in name} == {
        f"rice/{name}" for name in ("data.csv", "data.parquet", "datapackage.json", "SHA256SUMS")
    }


def test_a_dataset_no_longer_published_disappears_from_the_portal(home, tmp_path):
    catalog = parse_catalog(CATALOG)
    with Warehouse.open(home) as warehouse:
        publish_catalog(warehouse, catalog, tmp_path / "portal")
        fewer = catalog.model_copy(update={"resources": catalog.resources[1:]})
        publish_catalog(warehouse, fewer, tmp_path / "portal")
    assert not (tmp_path / "portal" / "rice").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["portal"]


def test_a_crash_leaves_the_old_portal_as_it_was(home, portal, tmp_path):
    catalog = parse_catalog(CATALOG)
    # A column the table does not have: the second dataset fails after the first was written.
    broken = CATALOG.replace("{name: goods, type: string", "{name: wares, type: string")
    with Warehouse.open(home) as warehouse:
        publish_catalog(warehouse, catalog, tmp_path / "portal")
        with pytest.raises(pl.exceptions.ColumnNotFoundError):
            publish_catalog(warehouse, parse_catalog(broken), tmp_path / "portal")
    assert content(tmp_path / "portal") == content(portal)
    assert [path.name for path in tmp_path.iterdir()] == ["portal"]


def test_a_portal_lost_between_the_renames_is_put_back_first(home, portal, tmp_path):
    content_before = content(portal)
    old = tmp_path / ".portal.old"
    for name, raw in content_before.items():
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        (old / name).write_bytes(raw)
    broken = CATALOG.replace("{name: goods, type: string", "{name: wares, type: string")
    with Warehouse.open(home) as warehouse, pytest.raises(pl.exceptions.ColumnNotFoundError):
        publish_catalog(warehouse, parse_catalog(broken), tmp_path / "portal")
    assert content(tmp_path / "portal") == content_before


def test_a_folder_with_other_files_is_never_replaced(home, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with Warehouse.open(home) as warehouse, pytest.raises(NotAPortal, match="thesis"):
        publish_portal(warehouse, tmp_path)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_a_build_with_nothing_to_publish_still_has_a_portal_that_says_so(home, tmp_path):
    catalog = parse_catalog(CATALOG)
    none = catalog.model_copy(update={"resources": catalog.resources[2:]})
    with Warehouse.open(home) as warehouse:
        assert publish_catalog(warehouse, none, tmp_path / "portal").published == []
    page = (tmp_path / "portal" / "index.html").read_text(encoding="utf-8")
    assert "Chưa có bộ dữ liệu nào đủ điều kiện công bố." in page
