"""What leaves the house, what never does, and that the same data leave as the same bytes."""

import codecs
import csv
import datetime as dt
import hashlib
import io
import itertools
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import frictionless
import openpyxl
import polars as pl
import pyshacl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rdflib import Graph, Namespace, URIRef
from rdflib.namespace import DCAT, DCTERMS

from etl.catalog import Catalog, Publish, parse_catalog
from etl.publish.archive import KEPT, DamagedArchive, FileEntry, Version, expired
from etl.publish.changes import Changes, changes
from etl.publish.content import UNTOLD
from etl.publish.mappings.dcat_ap import catalog_graph, jsonld, turtle
from etl.publish.package import described, spreadsheet_safe
from etl.publish.portal import NotAPortal, Outcome, publish_catalog, publish_portal
from etl.publish.release import DataFile, Place, Release
from etl.publish.shelf import stock
from etl.publish.targets.files import CONTENTS, _replacing
from etl.warehouse import Warehouse

SHAPES = Path(__file__).parents[1] / "samples" / "dcat_ap"
GOLDEN = Path(__file__).parent / "golden"
DCATAP = Namespace("http://www.w3.org/ns/dcat#")
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


def build(
    home: Path, rice: pl.DataFrame, *, simulated: bool = False, built: str = "2026-03-01"
) -> Path:
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
        facts = {"name": ["catalog", "today"], "value": [CATALOG, built]}
        warehouse.write("build_fact", pl.DataFrame(facts))
        loaded = {
            "load": [77, 78],
            "dataset": ["rice", "prices"],
            "file": ["data/rice.csv", "data/prices.csv"],
            "loaded_at": [LOADED_AT, LOADED_AT],
        }
        warehouse.write("load", pl.DataFrame(loaded))
        for name, rows in tables.items():
            with warehouse.registered(rows) as view:
                warehouse.run(f"create table data_{name} as from {view}")
    return home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("state"), years())


@pytest.fixture(scope="module")
def left(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A portal, and what its publication says of each dataset."""
    folder = tmp_path_factory.mktemp("out") / "portal"
    with Warehouse.open(home) as warehouse:
        return folder, publish_portal(warehouse, folder)


@pytest.fixture(scope="module")
def portal(left: tuple[Path, Outcome]) -> Path:
    return left[0]


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def history(portal: Path, name: str) -> list[dict]:
    return json.loads((portal / name / "versions.json").read_text(encoding="utf-8"))["versions"]


def graph_of(portal: Path) -> Graph:
    return Graph().parse(
        portal / "catalog.jsonld", format="json-ld", publicID=f"{BASE}catalog.jsonld"
    )


# What leaves, and what does not


def test_only_open_real_datasets_leave_and_all_others_say_why(left):
    portal, outcome = left
    assert outcome.published == ["rice", "prices"]
    assert outcome.refused == {
        "kept": "the catalog does not publish it",
        "made_up": "simulated data are never published",
        "cases": "case-level rows never leave the warehouse",
        "persons": "it has sensitive fields",
        "internal_only": "the catalog does not publish it",
        "not_loaded": "nothing has been loaded",
    }
    folders = {path.name for path in portal.iterdir() if path.is_dir()}
    assert folders == {"rice", "prices"}


LIES = {
    "made_up": "simulated data are never published",
    "cases": "case-level rows never leave the warehouse",
    "persons": "it has sensitive fields",
    "internal_only": "it has no open licence",
}


def test_a_catalog_that_lies_past_its_own_check_is_refused_at_the_gate(home, tmp_path):
    catalog = parse_catalog(CATALOG)
    lie = {"publish": Publish(theme="GOVE", frequency="IRREG")}
    resources = [catalog.datasets[name].model_copy(update=lie) for name in LIES]
    lying = Catalog.model_construct(**{**dict(catalog), "resources": resources})
    with Warehouse.open(home) as warehouse:
        outcome = publish_catalog(warehouse, lying, tmp_path / "portal")
    assert outcome.refused == LIES
    assert not [name for name in LIES if (tmp_path / "portal" / name).exists()]


def test_figures_marked_as_simulated_keep_their_dataset_inside(tmp_path):
    home = build(tmp_path / "state", years(), simulated=True)
    catalog = parse_catalog(CATALOG)
    rice = catalog.model_copy(update={"resources": [catalog.datasets["rice"]]})
    with Warehouse.open(home) as warehouse:
        outcome = publish_catalog(warehouse, rice, tmp_path / "portal")
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


@settings(max_examples=25)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=8))
def test_no_text_cell_of_a_csv_can_begin_a_formula(texts):
    cells = spreadsheet_safe(pl.DataFrame({"note": texts}))["note"]
    for text, safe in zip(texts, cells, strict=True):
        assert safe.replace("'", "") == text.replace("'", "")
        assert safe.strip()[:1] not in tuple("=+-@")
        assert safe[:1] not in tuple("\t\r\n")


@settings(max_examples=12)
@given(st.lists(st.text(";|\t\r\n\"' =+-@a,"), min_size=8))
@example(["xem;=cmd|'/c calc'!A1", 'a;"=1"', "a; \n=1", ";=;="])
def test_no_cell_can_begin_a_formula_wherever_a_spreadsheet_splits(texts):
    """A Vietnamese Excel splits at `;` what we write with `,`."""
    table = pl.DataFrame({"area": "31117", "note": texts})
    written = spreadsheet_safe(table).write_csv(include_header=False, line_terminator="\r\n")
    for mark in ",;|\t":
        for row in csv.reader(io.StringIO(written, newline=""), delimiter=mark):
            assert not [cell for cell in row if cell.strip()[:1] in set("=+-@")]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("name", ["rice", "prices"])
def test_frictionless_reads_the_package_and_finds_its_rows_valid(name, form, portal):
    package = frictionless.Package(str(portal / name / "datapackage.json"))
    assert frictionless.Package.validate_descriptor(package.to_descriptor()).valid
    report = package.get_resource(f"{name}-{form}").validate()
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
    assert set(sums) == {
        *("data.csv", "data.xlsx", "data.parquet", "data.json", "datapackage.json"),
        *("dictionary.csv", "LICENSE", "CHANGES"),
    }


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


def test_a_workbook_has_vietnamese_titles_and_opens_as_the_rows_it_was_made_from(portal):
    path = portal / "rice" / "data.xlsx"
    sheets = openpyxl.load_workbook(path)
    rows = list(sheets["Dữ liệu"].iter_rows(values_only=True))
    assert rows[0][:5] == (*("Mã chỉ tiêu", "Tên chỉ tiêu", "Đơn vị", "Mã địa bàn", "Tên địa bàn"),)
    table = pl.read_parquet(portal / "rice" / "data.parquet")
    assert list(rows[1]) == table.columns
    assert len(rows) == 2 + len(table)
    cells = list(sheets["Dữ liệu"].iter_rows(min_row=3))
    assert {cell.data_type for row in cells for cell in row} <= {"s", "n", "d"}  # no formula
    about = [row[1] for row in sheets["Mô tả"].iter_rows(values_only=True, max_row=5)]
    assert {"Lúa <b>& gạo</b>", "Rice"} <= set(about)


def test_records_are_those_of_the_parquet_file(portal):
    records = json.loads((portal / "prices" / "data.json").read_text(encoding="utf-8"))
    table = pl.read_parquet(portal / "prices" / "data.parquet")
    assert [record["cpi"] for record in records] == table["cpi"].to_list()
    assert list(records[0]) == table.columns


def test_the_dictionary_has_a_row_a_column_in_both_languages(portal):
    rows = {row["column"]: row for row in rows_of(portal / "prices" / "dictionary.csv")}
    assert list(rows) == list(rows_of(portal / "prices" / "data.csv")[0])
    assert (rows["cpi"]["title"], rows["cpi"]["title_en"]) == ("Giá tiêu dùng", "Consumer prices")
    assert (rows["cpi"]["unit"], rows["goods"]["allowed_values"]) == ("%", "food = Lương thực")
    assert rows["frequency"]["allowed_values_en"].startswith("day = day; week = week")


# Versions


BEFORE = pl.DataFrame({"key": ["a", "b", "c"], "value": [1.0, None, 3.0]})


@pytest.mark.parametrize(
    ("after", "added", "removed", "changed"),
    [
        ({"key": ["a", "b", "c"], "value": [1.0, None, 3.0]}, 0, 0, 0),
        ({"key": ["a", "b", "d"], "value": [1.0, 2.0, 3.0]}, 1, 1, 1),
        ({"key": ["c", "a", "b"], "value": [None, 1.0, None]}, 0, 0, 1),
    ],
)
def test_changes_are_counted_by_the_key_and_a_missing_figure_is_no_zero(
    after, added, removed, changed
):
    made = changes(BEFORE, pl.DataFrame(after), ["key"])
    assert (made.added, made.removed, made.changed) == (added, removed, changed)


def test_without_a_key_a_row_that_differs_is_one_gone_and_one_added():
    made = changes(BEFORE, BEFORE.with_columns(value=pl.lit(3.0)), [])
    assert (made.added, made.removed, made.changed) == (2, 2, 0)


@pytest.fixture(scope="module")
def corrected(tmp_path_factory) -> Path:
    """A portal published three times: the note of one row was mended, then put back."""
    out = tmp_path_factory.mktemp("again")
    for number, note in enumerate((None, "ghi nhầm", None)):
        home = build(out / f"state{number}", years(city_note=note), built=f"2026-03-0{number + 1}")
        with Warehouse.open(home) as warehouse:
            for _ in range(1 + number // 2):
                publish_portal(warehouse, out / "portal", base=BASE)
    return out / "portal"


def test_every_version_stays_at_its_address_and_nothing_new_makes_none(corrected):
    told = history(corrected, "rice")
    assert [one["published"] for one in told] == ["2026-03-03", "2026-03-02", "2026-03-01"]
    assert len(history(corrected, "prices")) == 1
    notes = [
        rows_of(corrected / "rice" / "v" / one["version"] / "data.csv")[0]["note"] for one in told
    ]
    assert notes == ["", "ghi nhầm", ""]
    assert rows_of(corrected / "rice" / "data.csv")[0]["note"] == ""


def test_figures_that_come_back_are_a_version_of_their_own(corrected):
    versions = [one["version"] for one in history(corrected, "rice")]
    assert versions[0] == f"{versions[2]}-2"


def test_the_list_of_changes_says_what_became_of_which_cell(corrected):
    version = history(corrected, "rice")[1]["version"]
    text = (corrected / "rice" / "v" / version / "CHANGES").read_text(encoding="utf-8")
    assert "1 cells changed" in text
    assert (
        "rice_area, can_tho, 2025-07-01, 2025-01-01, 2025-12-31, year: note: – -> ghi nhầm" in text
    )
    assert text.index("1 cells changed") < text.index("First version.")


def test_why_figures_changed_stands_in_the_changes_but_words_about_people_do_not(home, tmp_path):
    given = [("2025 v02", "Cộng sót một kho"), ("2025 v03", "Theo bà Nguyễn Thị Nhàn, 0912345678")]
    mended = build(tmp_path / "mended", years(city_note="đã sửa"))
    reasons = ["Sai đơn vị", "Theo bà Nguyễn Thị Nhàn, 0912345678 sửa"]
    with Warehouse.build(mended) as warehouse:
        warehouse.write(
            "correction", pl.DataFrame({"load": 77, "dataset": "rice", "reason": reasons})
        )
    for place, said in ((home, {}), (mended, {"data/rice.csv": given, "data/gone.csv": given})):
        with Warehouse.open(place) as warehouse:
            shelf = stock(warehouse, tmp_path / "archive", said=said)
    told = (shelf.release("rice").folder / "CHANGES").read_text(encoding="utf-8")
    assert told.count("Lý do / Reason") == 4
    assert "Lý do / Reason: Sai đơn vị" in told
    assert "Reason: lý do lưu tại đơn vị / the reason is kept by the department" in told
    kept = [path for path in (tmp_path / "archive").rglob("*") if path.suffix in ("", ".json")]
    assert not any(b"0912345678" in path.read_bytes() for path in kept if path.is_file())
    assert "Lý do / Reason: 2025 v02: Cộng sót một kho" in told
    assert "v03: lý do lưu tại đơn vị / the reason is kept by the department" in told
    assert "Reason" not in (shelf.release("prices").folder / "CHANGES").read_text(encoding="utf-8")


def test_a_version_taken_back_leaves_a_page_that_says_why(corrected, tmp_path):
    shutil.copytree(corrected.parent, tmp_path / "again")
    version = history(corrected, "rice")[1]["version"]
    withdrawn = f"withdrawn: [{{version: {version}, reason: Nhầm tệp, reason_en: Wrong file}}]"
    catalog = parse_catalog(CATALOG.replace("keywords: [lúa", f"{withdrawn}, keywords: [lúa"))
    portal = tmp_path / "again" / "portal"
    with Warehouse.open(tmp_path / "again" / "state2") as warehouse:
        publish_catalog(warehouse, catalog, portal)
    place = portal / "rice" / "v" / version
    assert {path.name for path in place.iterdir()} == {"index.html", "index.en.html"}
    assert "Wrong file" in (place / "index.en.html").read_text(encoding="utf-8")
    texts = [
        raw.decode()
        for name, raw in content(portal).items()
        if Path(name).suffix not in (".xlsx", ".parquet")
    ]
    assert not any(
        "ghi nhầm" in text for text in texts
    )  # nor do the changes of the version after it
    sums = (portal / "rice" / "SHA256SUMS").read_text(encoding="utf-8")
    assert hashlib.sha256((portal / "rice" / "CHANGES").read_bytes()).hexdigest() in sums


@pytest.fixture
def taken_back(corrected, tmp_path) -> tuple[Path, str, str]:
    """An archive, its wrong version, and the catalog that withdraws this."""
    shutil.copytree(corrected.parent / "portal-versions", tmp_path / "archive")
    version = history(corrected, "rice")[1]["version"]
    withdrawn = f"withdrawn: [{{version: {version}, reason: Theo bà Nguyễn Thị Nhàn}}]"
    return (
        tmp_path / "archive",
        version,
        CATALOG.replace("keywords: [lúa", f"{withdrawn}, keywords: [lúa"),
    )


@pytest.mark.parametrize("words", ["Sản lượng theo năm.", "Sản lượng lúa theo năm."])
def test_rows_taken_back_never_come_back_by_an_old_file_or_under_other_words(
    words, taken_back, corrected
):
    archive, version, text = taken_back
    catalog = parse_catalog(text.replace("Sản lượng theo năm.", words))
    with Warehouse.open(corrected.parent / "state1") as warehouse:
        shelf = stock(warehouse, archive, catalog)
    assert shelf.release("rice") is None
    assert shelf.release("prices")
    found = {one.version: one for one in shelf.histories["rice"].versions}
    assert [one.state for one in found.values()] == ["kept", "withdrawn", "kept"]
    assert (found[version].fingerprint, found[version].files) == ("", [])
    assert found[version].reason == UNTOLD
    read = [path for path in archive.rglob("*") if path.is_file() and path.name[0] != "."]
    assert not any("ghi nhầm".encode() in path.read_bytes() for path in read)


def test_a_version_that_still_stands_may_come_back_beside_one_of_the_same_rows(home, tmp_path):
    def published(catalog: Catalog) -> Release | None:
        with Warehouse.open(home) as warehouse:
            return stock(warehouse, tmp_path / "archive", catalog).release("prices")

    wrong = CATALOG.replace("title: Giá theo tháng", "title: Giá theo ngày")
    first, second = published(parse_catalog(CATALOG)), published(parse_catalog(wrong))
    withdrawn = f"withdrawn: [{{version: {second.version}, reason: Nhầm}}]"
    at = "{theme: ECON, frequency: MONTHLY"
    assert published(parse_catalog(wrong.replace(at, f"{at}, {withdrawn}"))) is None
    again = published(parse_catalog(CATALOG.replace(at, f"{at}, {withdrawn}")))
    assert again.version == f"{first.version}-2"


def test_what_a_version_held_is_remembered_here_and_not_in_the_portal(taken_back, corrected):
    archive, version, text = taken_back
    with Warehouse.open(corrected.parent / "state1") as warehouse:
        publish_catalog(warehouse, parse_catalog(text), archive.parent / "p", archive=archive)
    assert not list((archive.parent / "p" / "rice").rglob(".*"))
    mark = json.loads((archive / "rice" / ".marks.json").read_text())[version]
    told = (archive.parent / "p" / "rice" / "versions.json").read_text()
    assert mark["fingerprint"] not in told
    assert mark["rows"] not in told


def test_an_archive_written_before_forgets_checksums_of_what_was_taken_back(taken_back, corrected):
    archive, version, text = taken_back
    path = archive / "rice" / "versions.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["versions"][1]["state"] = "withdrawn"
    shutil.rmtree(archive / "rice" / version)
    (archive / "rice" / ".marks.json").unlink()
    path.write_text(json.dumps(told), encoding="utf-8")
    with Warehouse.open(corrected.parent / "state1") as warehouse:
        shelf = stock(warehouse, archive, parse_catalog(text))
    assert shelf.release("rice") is None
    assert shelf.histories["rice"].versions[1].fingerprint == ""


def test_the_newest_versions_keep_their_files_and_the_last_of_each_year():
    entries = [
        Version(
            version=f"v{number}",
            fingerprint="0",
            published=dt.date(2020, 1, 1) + dt.timedelta(days=60 * number),
            modified=None,
            rows=1,
            changes=Changes(),
            files=[],
        )
        for number in reversed(range(30))
    ]
    kept = [one for one in expired(entries) if one.state == "kept"]
    assert [one.version for one in kept[:KEPT]] == [f"v{n}" for n in range(29, 29 - KEPT, -1)]
    assert {one.published.year for one in kept} == {one.published.year for one in entries}
    assert len(kept) < len(entries)


def test_a_history_that_is_not_what_was_written_is_refused(home, corrected, tmp_path):
    shutil.copytree(corrected.parent / "portal-versions", tmp_path / "portal-versions")
    (tmp_path / "portal-versions" / "rice" / "versions.json").write_text("{")
    with Warehouse.open(home) as warehouse, pytest.raises(DamagedArchive, match="rice"):
        publish_portal(warehouse, tmp_path / "portal")


# DCAT


@pytest.mark.parametrize("shapes", ["dcat-ap-3.0.1-shapes.ttl", "dcat-ap-3.0.1-SHACL.ttl"])
def test_the_catalog_conforms_to_dcat_ap_with_its_versions(shapes, corrected):
    graph = Graph().parse(corrected / "catalog.jsonld", format="json-ld")
    assert len(list(graph.objects(None, DCATAP.hasVersion))) == 4
    conforms, _, report = pyshacl.validate(graph, shacl_graph=str(SHAPES / shapes))
    assert conforms, report


def test_turtle_says_what_json_ld_says(corrected):
    turtle = Graph().parse(corrected / "catalog.ttl", format="turtle")
    assert set(turtle) == set(Graph().parse(corrected / "catalog.jsonld", format="json-ld"))


def test_a_sitemap_is_written_once_the_address_is_known(portal, corrected):
    assert not (portal / "sitemap.xml").exists()
    places = re.findall(r"<loc>([^<]+)</loc>", (corrected / "sitemap.xml").read_text())
    assert f"{BASE}rice/index.html" in places
    assert all((corrected / place.removeprefix(BASE)).exists() for place in places)
    assert f"Sitemap: {BASE}sitemap.xml" in (corrected / "robots.txt").read_text()


def test_addresses_are_relative_to_the_catalog_and_lead_to_files(portal):
    found = {str(address) for address in graph_of(portal).objects(None, DCAT.downloadURL)}
    assert found == {
        f"{BASE}{name}/{version}data.{form}"
        for name in ("rice", "prices")
        for version in ("", f"v/{history(portal, name)[0]['version']}/")
        for form in ("csv", "xlsx", "parquet", "json")
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


def test_a_dataset_was_issued_when_it_was_first_published_and_its_files_with_their_version(
    corrected,
):
    graph = graph_of(corrected)
    issued = {
        name: str(graph.value(URIRef(f"{BASE}catalog.jsonld#{name}"), DCTERMS.issued))
        for name in ("rice", "rice-csv", "prices", "prices-csv", "catalog")
    }
    assert issued.pop("rice-csv") == "2026-03-03"
    assert set(issued.values()) == {"2026-03-01"}


def a_release(catalog: Catalog) -> Release:
    return Release(
        dataset=catalog.datasets["rice"],
        publisher=catalog.contributors[0],
        licence="CC-BY-4.0",
        version="2026-02-13-01234567",
        files=(
            DataFile("data.csv", "csv", 1234, "0123456789abcdef" * 4),
            DataFile("data.xlsx", "xlsx", 2345, "0123456701234567" * 4),
            DataFile("data.parquet", "parquet", 987, "fedcba9876543210" * 4),
            DataFile("data.json", "json", 3456, "89abcdef89abcdef" * 4),
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
    older = Version(
        version="2025-02-13-89abcdef",
        fingerprint="89abcdef" * 8,
        published=dt.date(2025, 2, 20),
        modified=dt.date(2025, 2, 13),
        rows=8,
        changes=Changes(first=True),
        files=[FileEntry(name="data.csv", size=1200, sha256="89abcdef" * 8)],
    )
    made = {"version": "2026-02-13-01234567", "published": dt.date(2026, 2, 14)}
    newest = older.model_copy(update={**made, "modified": dt.date(2026, 2, 13)})
    graph = catalog_graph(catalog, [a_release(catalog)], {"rice": [newest, older]})
    same_as_golden(jsonld(graph), "catalog.jsonld", tmp_path)
    same_as_golden(turtle(graph), "catalog.ttl", tmp_path)


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


def test_every_link_of_every_page_leads_to_a_file_of_the_portal_or_to_a_licence(portal):
    pages = sorted(portal.rglob("*.html"))
    assert len(pages) == 2 * (2 + 2 + 2)  # index, coverage; two datasets, a version each
    for page in pages:
        seen = Seen(page.read_text(encoding="utf-8"))
        outside = {a for a in seen.addresses if urlsplit(a).scheme == "https"}
        assert {urlsplit(address).hostname for address in outside} <= {"creativecommons.org"}
        inside = {a for a in seen.addresses if not urlsplit(a).scheme and not a.startswith("#")}
        assert [a for a in inside if not (page.parent / a).exists()] == []
        assert not {"img", "iframe", "link-script"} & set(seen.tags)


class Shape(HTMLParser):
    """Elements closed out of turn, identifiers and what refers to them, levels of headings."""

    VOID = ("meta", "link", "input", "br", "hr")
    REFERS = ("aria-labelledby", "for")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.names: list[str] = []
        self.asked: list[str] = []
        self.levels: list[int] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.names += [told["id"] or ""] if "id" in told else []
        self.asked += [told[name] or "" for name in self.REFERS if name in told]
        href = told.get("href") or ""
        self.asked += [href[1:]] if href.startswith("#") else []
        self.levels += [int(tag[1])] if tag in ("h1", "h2", "h3", "h4") else []
        self.wrong += [f"{tag} in p"] if "p" in self.open and tag in ("ul", "div", "table") else []
        self.open += [tag] if tag not in self.VOID else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Shapes of a drawing close themselves."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def test_every_page_is_whole_and_what_it_refers_to_is_there(portal, corrected):
    pages = [page for folder in (portal, corrected) for page in folder.rglob("*.html")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        shape = Shape(text)
        assert (shape.wrong, shape.open) == ([], []), page
        assert len(shape.names) == len(set(shape.names)), page
        assert set(shape.asked) <= set(shape.names), page
        assert shape.levels[0] == 1
        assert shape.levels.count(1) == 1
        assert max(b - a for a, b in itertools.pairwise([1, *shape.levels])) <= 1, page
        assert re.match(r'<!doctype html>\n<html lang="(vi|en)">\n', text)
        assert ('lang="en">' in text[:60]) == page.name.endswith(".en.html")


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
    same = {name for name in before if before[name] == after.get(name)}
    assert {name for name in before if name.startswith("prices/")} <= same
    assert not {f"rice/data.{form}" for form in ("csv", "xlsx", "parquet", "json")} & same


def test_of_a_dataset_no_longer_published_only_pages_that_say_so_are_left(home, tmp_path):
    catalog = parse_catalog(CATALOG)
    with Warehouse.open(home) as warehouse:
        publish_catalog(warehouse, catalog, tmp_path / "portal")
        fewer = catalog.model_copy(update={"resources": catalog.resources[1:]})
        publish_catalog(warehouse, fewer, tmp_path / "portal")
    left = {path.name for path in (tmp_path / "portal" / "rice").rglob("*") if path.is_file()}
    assert left == {"index.html", "index.en.html", "versions.json"}
    page = (tmp_path / "portal" / "rice" / "index.en.html").read_text(encoding="utf-8")
    assert "The catalog does not publish it." in page
    assert not list((tmp_path / "portal-versions" / "rice").rglob("data.*"))


def test_a_crash_leaves_the_old_portal_as_it_was(home, portal, tmp_path):
    catalog = parse_catalog(CATALOG)
    # A column the table does not have: the second dataset fails after the first was written.
    broken = CATALOG.replace("{name: goods, type: string", "{name: wares, type: string")
    with Warehouse.open(home) as warehouse:
        publish_catalog(warehouse, catalog, tmp_path / "portal")
        with pytest.raises(pl.exceptions.ColumnNotFoundError):
            publish_catalog(warehouse, parse_catalog(broken), tmp_path / "portal")
    assert content(tmp_path / "portal") == content(portal)
    assert {path.name for path in tmp_path.iterdir()} == {"portal", "portal-versions"}


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


def a_site_of_others(folder: Path) -> Path:
    """A web site whose files are called as ours are."""
    for name in ("index.html", "LICENSE", "robots.txt", "blog/index.html", "blog/data.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine")
    return folder


def test_a_site_whose_files_are_called_like_ours_is_never_replaced(tmp_path):
    site = a_site_of_others(tmp_path / "site")
    with pytest.raises(NotAPortal, match="LICENSE"), _replacing(site):
        pass
    assert len([path for path in site.rglob("*") if path.is_file()]) == 5


def test_what_others_put_beside_our_files_is_never_replaced(portal, tmp_path):
    there = shutil.copytree(portal, tmp_path / "portal")
    with _replacing(there) as fresh:
        (fresh / "index.html").write_text("new")
    assert (there / "index.html").read_text() == "new"
    there = shutil.copytree(portal, tmp_path / "again")
    (there / "rice" / "v" / "data.csv").write_text("mine")
    with pytest.raises(NotAPortal, match=r"rice/v/data\.csv"), _replacing(there):
        pass


def test_a_portal_written_before_it_had_a_list_of_its_files_is_replaced(portal, tmp_path):
    there = shutil.copytree(portal, tmp_path / "portal")
    (there / CONTENTS).unlink()
    with _replacing(there) as fresh:
        (fresh / "index.html").write_text("new")
    assert [path.name for path in there.iterdir()] == ["index.html"]


@pytest.mark.parametrize("file", ["data.csv", "data.parquet", "LICENSE"])
def test_an_archive_in_which_a_file_is_missing_or_another_is_refused(file, corrected, tmp_path):
    archive = shutil.copytree(corrected.parent / "portal-versions", tmp_path / "archive")
    path = archive / "rice" / history(corrected, "rice")[0]["version"] / file
    path.unlink()
    if file == "LICENSE":
        path.write_text("nobody may use this")
    with (
        Warehouse.open(corrected.parent / "state1") as warehouse,
        pytest.raises(DamagedArchive, match=f"{file} is not what was written"),
    ):
        stock(warehouse, archive)


def test_a_build_with_nothing_to_publish_still_has_a_portal_that_says_so(home, tmp_path):
    catalog = parse_catalog(CATALOG)
    none = catalog.model_copy(update={"resources": catalog.resources[2:]})
    with Warehouse.open(home) as warehouse:
        assert publish_catalog(warehouse, none, tmp_path / "portal").published == []
    page = (tmp_path / "portal" / "index.html").read_text(encoding="utf-8")
    assert "Chưa có bộ dữ liệu nào đủ điều kiện công bố." in page
