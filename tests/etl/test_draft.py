"""Drafted entries: every kind of file parses, loads, and asks only what it does not tell."""

import datetime as dt
import io
import json
from dataclasses import dataclass, field, replace

import polars as pl
import pytest
import xlsxwriter
import yaml
from click.testing import CliRunner
from conftest import HEAD, ROOT, SHARED, TODAY
from hypothesis import given
from hypothesis import strategies as st

from dashboard.cli import main
from etl import pipeline
from etl.catalog import load_catalog, parse_catalog
from etl.draft import NothingToMeasure, append, draft, nobody, try_out
from etl.draft.columns import columns_of
from etl.draft.figures import signs_of
from etl.draft.layout import find_table
from etl.draft.opening import Grid
from etl.draft.period_heads import period_pattern
from etl.draft.writing import flow
from etl.draft.year_parts import part_pattern
from etl.errors import ForesightError
from etl.legacy_text import _TCVN3
from etl.patterns import compiled
from etl.periods import MONTH_WORDS, Period
from etl.settings import Settings
from etl.warehouse import Warehouse

EMPTY = HEAD.rstrip() + " []\n"
COMMUNES = ["Phường Ninh Kiều", "Phường Cái Khế", "Xã Phong Điền", "Phường Ô Môn"]


def workbook(*sheets: tuple[str, list[list[object]]], merged: tuple[str, ...] = ()) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(number, column, cell)
            for place in merged:
                first = place.split(":")[0]
                row, column = int(first[1:]) - 1, ord(first[0]) - ord("A")
                sheet.merge_range(place, rows[row][column])
    return made.getvalue()


def parquet(rows: list[dict[str, object]]) -> bytes:
    made = io.BytesIO()
    pl.DataFrame(rows).write_parquet(made)
    return made.getvalue()


def tcvn3(text: str) -> bytes:
    codes = {letter: bytes([code]) for code, letter in _TCVN3.items()}
    return b"".join(
        codes.get(letter, letter.encode("latin-1", "replace")) for letter in text.lower()
    )


@dataclass(frozen=True)
class Sample:
    """A file as a department sends it, and what its draft must bring."""

    name: str
    content: str | bytes
    figures: list[float]
    says: list[str]
    asks: list[str] = field(default_factory=list)
    lines: int = 99
    rejected: int = 0


SAMPLES = {
    "csv with semicolons and decimal comma": Sample(
        "dien_tich.csv",
        "STT;Xã/phường;Năm;Diện tích (km2)\n"
        "1;Phường Ninh Kiều;2025;5,42\n2;Phường Cái Khế;2025;10,04\n3;Xã Phong Điền;2025;1.010,5\n",
        [5.42, 10.04, 1010.5],
        [
            'read: {delimiter: ";", decimal: ",", thousands: "."}',
            "areas: {level: commune}",
            "# guess: 3 of 3 names are each a commune",
            "{name: period, type: year, from: [Năm]",
            "{name: value, type: number, from: [Diện tích (km2)], unit: km2}",
            "primaryKey: [area, period]",
            "aggregate: last",
        ],
        lines=15,
    ),
    "tsv": Sample(
        "ho_so.tsv",
        "Đơn vị\tTháng\tHồ sơ tiếp nhận\n"
        + "".join(f"{name}\t0{m}/2026\t{40 + m}\n" for name in COMMUNES for m in (1, 2, 3)),
        [41.0, 42.0, 43.0] * 4,
        ["type: yearmonth", "from: [Đơn vị]", "# guess: 4 of 4 names"],
        lines=15,
    ),
    "utf-16": Sample(
        "dan_so.csv",
        (
            "Xã/phường;Năm;Dân số (người)\nPhường Ninh Kiều;2025;119547\nXã Phong Điền;2025;57688\n"
        ).encode("utf-16"),
        [119547, 57688],
        ["encoding: utf-16", "aggregate: last", "unit: người"],
        lines=15,
    ),
    "TCVN3": Sample(
        "dan_so_cu.csv",
        tcvn3(
            "xã/phường;năm;dân số\nphường ninh kiều;2025;119547\nphường cái khế;2025;57688\n"
            "xã phong điền;2025;41000\nphường ô môn;2025;38000\n"
        ),
        [119547, 57688, 41000, 38000],
        ["encoding: tcvn3", "# guess: tcvn3: only so its words are Vietnamese"],
        lines=15,
    ),
    "wide workbook with years and a footnote": Sample(
        "lua.xlsx",
        workbook(
            (
                "Lua",
                [
                    ["Biểu 5. Sản lượng lúa cả năm"],
                    ["Đơn vị tính: nghìn tấn"],
                    ["Địa phương", 2022, 2023, "Sơ bộ 2024"],
                    ["Cần Thơ", 1100.5, 1200, 1300],
                    ["Hậu Giang", 900, "..", 950],
                    ["Sóc Trăng", 2000, 2100, 2200],
                    ["Nguồn: Cục Thống kê"],
                ],
            )
        ),
        [1100.5, 1200, 1300, 900, 950, 2000, 2100, 2200],
        [
            "header: {find: Địa phương}",
            'stop_at: "^(Nguồn)"',
            "areas: {level: former_province}",
            "unit: nghìn tấn",
            "title: Sản lượng lúa cả năm",
            "{name: status}",
        ],
    ),
    "workbook with legal head, totals and column numbers": Sample(
        "bao_cao.xlsx",
        workbook(
            (
                "Bieu",
                [
                    ["UBND THÀNH PHỐ", None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
                    ["SỞ NỘI VỤ", None, None, "Độc lập - Tự do - Hạnh phúc"],
                    ["KẾT QUẢ GIẢI QUYẾT HỒ SƠ THÁNG 10 NĂM 2026"],
                    [],
                    ["STT", "Địa phương", "Hồ sơ", None],
                    [None, None, "Tiếp nhận", "Giải quyết"],
                    ["A", "B", 1, 2],
                    ["I", "Các phường", None, None],
                    [1, "Ninh Kiều", 120, 110],
                    [2, "Cái Khế", 80, 75],
                    ["II", "Các xã", None, None],
                    [3, "Phong Điền", 60, 61],
                    [None, "Tổng cộng", 260, 246],
                    ["Ghi chú: số liệu tính đến ngày 31/10"],
                    [None, None, "Người lập biểu"],
                ],
            ),
            merged=("A1:C1", "A3:D3", "A5:A6", "B5:B6", "C5:D5"),
        ),
        [120, 110, 80, 75, 60, 61],
        [
            "header: {find: Địa phương, rows: 2}",
            "groups: {into: group}",
            "totals: {}",
            "stop_at:",
            'constant: {period: "2026-10"}',
            "from: [Hồ sơ Tiếp nhận]",
        ],
    ),
    "long table with a column of indicators": Sample(
        "chi_tieu.csv",
        "Chỉ tiêu,Địa phương,Kỳ,Giá trị,Đơn vị tính\n"
        'Doanh thu du lịch,TP Cần Thơ (mới),Quý I/2026,"1.500,5",tỷ đồng\n'
        'Doanh thu du lịch,TP Cần Thơ (mới),Quý II/2026,"1.600",tỷ đồng\n'
        'Tỷ lệ hộ nghèo,TP Cần Thơ (mới),Quý I/2026,"2,5",%\n'
        'Tỷ lệ hộ nghèo,TP Cần Thơ (mới),Quý II/2026,"2,4",%\n',
        [1500.5, 1600, 2.5, 2.4],
        [
            "label: Doanh thu du lịch",
            "areas: {level: city}",
            'unit: "%", aggregate: rate',
            "primaryKey: [indicator, area, period]",
        ],
    ),
    "json": Sample(
        "data.json",
        json.dumps(
            {
                "total": 2,
                "items": [
                    {"xa": "Phường Ninh Kiều", "thang": "01/2026", "luot_khach": 1200.5},
                    {"xa": "Phường Cái Khế", "thang": "01/2026", "luot_khach": 800},
                ],
            }
        ),
        [1200.5, 800],
        ["read: {records: items}", "level: commune", "type: yearmonth"],
    ),
    "parquet": Sample(
        "khach.parquet",
        parquet(
            [
                {"Phường": name, "Tháng": dt.date(2026, m, 1), "Lượt khách": 10.5 * m}
                for name in COMMUNES
                for m in (1, 2)
            ]
        ),
        [10.5, 21] * 4,
        ["# guess: every day is the first of a month", "type: yearmonth"],
        lines=15,
    ),
    "cases": Sample(
        "tiep_nhan.csv",
        "Mã hồ sơ,Đơn vị tiếp nhận,Lĩnh vực,Ngày tiếp nhận,Ngày trả kết quả,"
        "Họ tên,CCCD,Số ĐT,Nội dung\n"
        + "".join(
            f"HS-{n:03},{COMMUNES[n % 4]},{('Đất đai', 'Hộ tịch')[n % 2]},{n + 1:02}/10/2026,"
            f"{n + 5:02}/10/2026,Nguyễn Văn {chr(65 + n)},{92000000000 + n:012},09012345{n:02},"
            f"Xin giải quyết việc số {n} của gia đình\n"
            for n in range(20)
        ),
        [1.0] * 40 + [5.0] * 8,
        [
            "{name: full_name, from: [Họ tên], sensitive: true}",
            "{name: identity_number, from: [CCCD], sensitive: true}",
            "{name: phone, from: [Số ĐT], sensitive: true}",
            "# left out: Nội dung (free text)",
            "on: received",
            "stock: {from: received, until: finished}",
            "primaryKey: [case_id]",
        ],
    ),
    "both vintages of the map": Sample(
        "hai_thoi_ky.csv",
        "Địa phương;Kỳ;Số hộ nghèo\n"
        "Quận Ninh Kiều;12/2024;310\nHuyện Phong Điền;12/2024;205\nPhường Ninh Kiều;12/2025;120\n"
        "Xã Phong Điền;12/2025;90\n",
        [310, 205, 120, 90],
        ["level: [", "district", "commune", "type: yearmonth"],
        lines=15,
    ),
    "two columns that divide the figures": Sample(
        "lao_dong.csv",
        "Xã/phường,Năm,Giới tính,Nhóm tuổi,Số lao động\n"
        + "".join(
            f"{name},2025,{sex},{age},{n}\n"
            for n, name in enumerate(COMMUNES, start=10)
            for sex in ("Nam", "Nữ")
            for age in ("15-24", "25-54", "55+")
        ),
        [float(n) for n in (10, 11, 12, 13) for _ in range(6)],
        ["name: category", "where: {sex: male}"],
    ),
    "title lines above the header of a csv": Sample(
        "tieu_de.csv",
        "Biểu 2. Tổng thu ngân sách trên địa bàn;;\nĐơn vị: tỷ đồng;;\n"
        "Địa phương;Tháng;Thực hiện\nTP Cần Thơ (mới);01/2026;1.200,5\n"
        "TP Cần Thơ (mới);02/2026;900,25\n",
        [1200.5, 900.25],
        ["header: {find: Địa phương}", "unit: tỷ đồng", 'unit: "^Đơn vị"'],
        lines=15,
    ),
    "years as columns of a csv, with a total and a footnote": Sample(
        "lua.csv",
        "Địa phương;2023;2024\nCần Thơ;1.100,5;1.200\nHậu Giang;900;..\nSóc Trăng;2.000;2.100\n"
        "Tổng cộng;4.000,5;3.300\nNguồn: Cục Thống kê;;\n",
        [1100.5, 1200, 900, 2000, 2100],
        ["unpivot:", "totals: {}", "stop_at:", "level: former_province"],
    ),
    "month and year in two columns": Sample(
        "hai_cot.csv",
        "Xã/phường,Năm,Tháng,Số vụ\n"
        + "".join(f"{n},{y},{m},{m}\n" for n in COMMUNES for y in (2025, 2026) for m in (7, 8)),
        [7.0] * 8 + [8.0] * 8,
        ['compose: {period: "{Tháng}/{Năm}"}', "type: yearmonth", "primaryKey: [area, period]"],
        lines=15,
    ),
    "a sheet a month": Sample(
        "theo_thang.xlsx",
        workbook(
            *(
                (f"T{m}-2026", [["Xã/phường", "Hồ sơ tiếp nhận"], *([n, m] for n in COMMUNES)])
                for m in (1, 2)
            )
        ),
        [1.0] * 4 + [2.0] * 4,
        ["from: [$sheet]", "type: yearmonth"],
    ),
}


@pytest.fixture
def put(installation):
    """Put a file beside an empty catalog; its path."""

    def placed(name: str, content: str | bytes):
        installation.catalog.write_text(EMPTY, encoding="utf-8")
        path = installation.catalog.parent / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return placed


@pytest.fixture
def drafted(installation, put):
    """The draft of a file."""

    def made(name: str, content: str | bytes, ask=nobody):
        path = put(name, content)
        catalog = load_catalog(installation.catalog)
        return draft(path, catalog, installation, today=TODAY, ask=ask)

    return made


def loaded(installation) -> tuple[Warehouse, int]:
    """The warehouse of the catalog as it stands, and the number of rejected records."""
    catalog = load_catalog(installation.catalog)
    plan = pipeline.plan(catalog, installation, None)
    with Warehouse.build(installation.home) as building:
        done = pipeline.refresh(
            building, catalog, installation, plan, today=TODAY, progress=lambda _: None
        )
    rejected = sum(load.rejected + load.unreadable for load in done.loads)
    return Warehouse.open(installation.home), rejected


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_drafted_entry_loads_every_figure_of_its_file(installation, drafted, kind):
    sample = SAMPLES[kind]
    made = drafted(sample.name, sample.content)
    append(installation, made)
    warehouse, rejected = loaded(installation)
    assert rejected == sample.rejected
    # Stocks of cases stand at every month's end; flows are counted by day, and by month and field.
    seen = warehouse.select("select value from observation where indicator not like '%pending'")
    assert sorted(seen["value"]) == sorted(sample.figures), made.text
    for words in sample.says:
        assert words in made.text, made.text
    assert len(made.text.splitlines()) <= sample.lines, made.text


# --- the files that are shipped, against the entries written by hand ------------------------------

SHIPPED = {
    dataset.name: (path, dataset)
    for dataset in load_catalog(ROOT / "data_catalog.yaml").resources
    if not dataset.simulated and dataset.clean.period == "as_written"
    for path in ROOT.glob(dataset.path)
}
"""One dataset a file; two of the three readings of the monthly report cannot be told by a draft."""


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """Figures per dataset as the entries of the project give them."""
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    real = [dataset for dataset in catalog.resources if not dataset.simulated]
    catalog = catalog.model_copy(update={"resources": real})
    settings = Settings(home=tmp_path_factory.mktemp("hand"), catalog=ROOT / "data_catalog.yaml")
    with Warehouse.build(settings.home) as building:
        plan = pipeline.plan(catalog, settings, None)
        pipeline.refresh(building, catalog, settings, plan, today=TODAY, progress=lambda _: None)
    return Warehouse.open(settings.home).select(
        "select dataset, area, period, period_end, value, status from observation"
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_a_draft_of_a_shipped_file_gives_the_figures_of_the_entry_written_by_hand(
    installation, put, by_hand, name
):
    path, dataset = SHIPPED[name]
    copy = put(path.name, path.read_bytes())
    catalog = load_catalog(installation.catalog)
    made = draft(copy, catalog, installation, today=TODAY)
    append(installation, made)
    warehouse, rejected = loaded(installation)
    columns = ["area", "period", "period_end", "value", "status"]
    if "period" in dataset.clean.constant:  # known only to whoever wrote the entry
        columns = ["area", "value"]
    if "status" in dataset.clean.constant:
        columns.remove("status")
    found = warehouse.select(f"select {', '.join(columns)} from observation").sort(columns)
    wanted = by_hand.filter(by_hand["dataset"] == name).select(columns).sort(columns)
    assert rejected == 0
    assert found.equals(wanted)


def test_every_shipped_file_is_drafted_or_said_to_hold_nothing():
    files = set((ROOT / "data/sources").glob("*/*.*"))
    drafted = {path for path, _ in SHIPPED.values()}
    assert {path.name for path in files - drafted} == {"monthly_report.xlsx"}  # the empty form


def test_an_empty_form_is_said_to_hold_nothing(drafted):
    form = (ROOT / "data/sources/templates/monthly_report.xlsx").read_bytes()
    with pytest.raises(NothingToMeasure, match="no column of figures"):
        drafted("mau.xlsx", form)


SENT = SHARED / "data/samples"


@pytest.mark.parametrize("name", ["Final_2009.xls", "Plan_2003.xls", "Plan_2008.xls"])
def test_a_ministry_workbook_gives_an_entry_to_start_from(installation, put, name):
    if not (SENT / name).exists():
        pytest.skip("the samples of ministries are not here")
    path = put(name, (SENT / name).read_bytes())
    made = draft(path, load_catalog(installation.catalog), installation, today=TODAY)
    tried = try_out(made, path, installation, TODAY)
    assert made.questions
    assert tried is not None
    assert tried.accepted + tried.rejected == tried.records > 0


# --- what is asked --------------------------------------------------------------------------------

ASKED = {
    "thousands or decimals": (
        "a.csv",
        "Xã/phường;Năm;Giá trị\nPhường Ninh Kiều;2025;1.234\nXã Phong Điền;2025;2.500\n",
        "is '1.234' more than a thousand",
        ("decimal", 'read: {delimiter: ";"}', 'decimal: ",", thousands: "."'),
    ),
    "day or month first": (
        "b.csv",
        "Mã hồ sơ,Xã/phường,Ngày tiếp nhận\nA-1,Ninh Kiều,01/02/2026\nA-2,Cái Khế,03/04/2026\n",
        "is '01/02/2026' day first or month first",
        ("month", 'dates: ["%m/%d/%Y"]', ""),
    ),
    "flow, stock or rate": (
        "c.csv",
        "Xã/phường,Năm,Camera an ninh\nNinh Kiều,2025,40\nPhong Điền,2025,7\n",
        "does 'Camera an ninh' add up",
        ("last", "aggregate: last", "aggregate: rate"),
    ),
    "two columns of places": (
        "d.csv",
        "Nơi đi (xã),Nơi đến (xã),Năm,Số lượt\nNinh Kiều,Cái Khế,2025,4\nCái Khế,Ninh Kiều,2025,6\n"
        "Ninh Kiều,Ô Môn,2025,2\n",
        "several columns name places",
        ("Nơi đi (xã)", "{name: area, from: [Nơi đi (xã)]", "{name: area, from: [Nơi đến (xã)]"),
    ),
    "a case or a figure": (
        "e.csv",
        "Mã hồ sơ,Xã/phường,Ngày tiếp nhận,Lệ phí (đồng)\n"
        "A-1,Ninh Kiều,15/02/2026,20000\nA-2,Cái Khế,16/02/2026,50000\n",
        "is a row one case",
        ("figure", "name: fee", "tables:"),
    ),
    "no place": (
        "f.csv",
        "Tháng,Số lượt khách\n01/2026,40\n02/2026,50\n",
        "no column names a place",
        ("national", "area: national", "area: can_tho"),
    ),
    "places of others": (
        "i.csv",
        "Tỉnh,Năm,Sản lượng\nHà Giang,2020,4\nHậu Giang,2020,5\nSóc Trăng,2020,6\nLào Cai,2020,7\n",
        "only 2 of 4 names are places of ours",
        ("ours", 'keep_rows: "^(Hậu Giang|Sóc Trăng)$"', "# ASK"),
    ),
    "no period": (
        "g.csv",
        "Xã/phường,Số hộ\nNinh Kiều,40\nPhong Điền,50\n",
        "which period are the figures of",
        (None, "", 'constant: {period: "2026"}'),
    ),
    "sheets alike": (
        "h.xlsx",
        workbook(
            *(
                (name, [["Xã/phường", "Năm", "Dân số"], ["Ninh Kiều", 2025, n]])
                for n, name in enumerate(("Nam", "Nu"), start=5)
            )
        ),
        "are the sheets (Nam, Nu) different figures",
        ("category", "{name: category, from: [$sheet]", "{name: indicator, from: [$sheet]"),
    ),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_a_file_does_not_tell_is_asked_and_else_marked(drafted, what):
    name, content, text, (answer, if_answered, if_not) = ASKED[what]
    cautious = drafted(name, content)
    (question,) = [q for q in cautious.questions if text in q.text]
    assert f"ASK: {question.text}" in cautious.text
    assert if_not in cautious.text
    if answer is None:
        return
    told = drafted(name, content, ask=lambda q: answer if q.text == question.text else None)
    assert if_answered in told.text, told.text
    assert f"ASK: {question.text}" not in told.text
    assert answer in question.options


@pytest.mark.parametrize(
    ("figures", "decimal", "thousands", "unsure"),
    [
        (["1.234,5"], ",", ".", False),
        (["1,234.5"], ".", ",", False),
        (["12,5", "57.688"], ",", ".", False),
        (["1.234.567", "10"], ",", ".", False),
        (["0,345", "3"], ",", "", False),
        (["1 234", "5 678"], ".", " ", False),
        (["1.234", "57.688"], ",", ".", True),
        (["1,234"], ".", ",", True),
        (["40", "7"], ".", "", False),
    ],
)
def test_a_figure_proves_its_signs_or_leaves_them_open(figures, decimal, thousands, unsure):
    signs = signs_of([figures])
    assert (signs.decimal, signs.thousands, bool(signs.unsure)) == (decimal, thousands, unsure)


def test_people_come_whole_so_that_a_sign_before_three_digits_parts_thousands():
    assert signs_of([["57.688"]], counted={0}).unsure == ()
    assert signs_of([["57.688"]]).unsure


def test_a_column_of_thousands_beside_one_of_decimals_with_the_same_sign_is_asked(drafted):
    made = drafted(
        "x.csv",
        "Xã/phường;Năm;Vốn (triệu đồng);Tỷ lệ (%)\n"
        "Ninh Kiều;2025;57.688;12.5\nCái Khế;2025;1.234;7.25\n",
    )
    assert any("'57.688' more than a thousand" in question.text for question in made.questions)


def test_names_that_mean_several_places_are_asked(drafted):
    made = drafted("y.csv", "Xã/phường,Năm,Số hộ\nXã Phú Tân,2020,4\nXã Nhơn Ái,2020,6\n")
    assert any("can mean several places" in question.text for question in made.questions)


def test_a_column_called_month_is_one_though_half_of_its_texts_are_slips(drafted):
    made = drafted("a.csv", "Xã,Tháng,Nhận\nNinh Kiều,01/2026,120\nCái Khế,13/2026,7\n")
    assert "{name: period, type: yearmonth, from: [Tháng]" in made.text


REVENUE = "Đơn vị: tỷ đồng;;\nĐịa phương;2023;2024\nCần Thơ;1,5;2\nHậu Giang;1;1\nTổng cộng;2,5;3\n"
IN_MILLIONS = (
    "Đơn vị: triệu đồng;;\nĐịa phương;2023;2024\nCần Thơ;1500;2000\nHậu Giang;1000;1000\n"
    "Tổng cộng;2500;3000\n"
)


def test_a_drafted_total_is_compared_and_a_drafted_unit_is_read_each_time(installation, drafted):
    append(installation, drafted("thu.csv", REVENUE))
    (installation.catalog.parent / "thu.csv").write_text(IN_MILLIONS, encoding="utf-8")
    warehouse, rejected = loaded(installation)
    seen = warehouse.select("select value from observation order by 1")["value"].to_list()
    stated = warehouse.select("select stated, agrees from stated_total order by 1").rows()
    assert (seen, rejected) == ([1, 1, 1.5, 2], 0)
    assert stated == [(2.5, True), (3, True)]


OFFICES = [
    ["STT", "Đơn vị", "Năm", "Hồ sơ tiếp nhận"],
    ["I", "Khối phường", None, None],
    [1, "Phường Ninh Kiều", 2025, 120],
    [2, "Phường Cái Khế", 2025, 80],
    ["II", "Khối xã", None, None],
    [3, "Xã Phong Điền", 2025, 60],
]


def test_headings_within_a_table_are_drafted_as_a_column_of_groups(installation, drafted):
    made = drafted("don_vi.xlsx", workbook(("Bieu", OFFICES), merged=("B2:D2", "B5:D5")))
    assert "drop_rows" not in made.text
    assert "- {name: group}" in made.text, made.text
    part = made.text.replace("title: Hồ sơ tiếp", "where: {group: Khối phường}, title: Hồ sơ tiếp")
    append(installation, replace(made, text=part))
    warehouse, rejected = loaded(installation)
    seen = warehouse.select("select value from observation order by 1")["value"].to_list()
    assert (seen, rejected) == ([80, 120], 0)


def test_groups_that_repeat_the_places_divide_the_figures(installation, drafted):
    rows = [["Địa phương", "Năm", "Số hồ sơ"]]
    for group, times in (("Tiếp nhận", 10), ("Giải quyết", 9)):
        rows += [[group, None, None], *([name, 2025, times * n] for n, name in enumerate(COMMUNES))]
    append(installation, made := drafted("phan.xlsx", workbook(("Bieu", rows))))
    assert "primaryKey: [area, period, category]" in made.text, made.text
    warehouse, rejected = loaded(installation)
    seen = warehouse.select("select category, sum(value) from observation group by 1 order by 1")
    assert (seen.rows(), rejected) == ([("received", 60), ("resolved", 54)], 0)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param([4, "Xã Nhơn Ái", None, None], id="a record without a figure looks like one"),
        pytest.param(["III", "Khối khác", None, None], id="one heads nothing"),
    ],
)
def test_headings_that_the_reader_would_not_tell_from_records_are_dropped(drafted, odd):
    made = drafted("don_vi.xlsx", workbook(("Bieu", [*OFFICES, odd, [5, "Xã X", 2025, 1]][:7])))
    assert "groups:" not in made.text
    assert "drop_rows:" in made.text


def test_a_unit_above_the_table_is_not_read_where_a_column_says_its_own(drafted):
    made = drafted(
        "thu.csv", "Đơn vị: tỷ đồng;;\nĐịa phương;Năm;Thu (triệu đồng)\nCần Thơ;2023;1,5\n"
    )
    assert "unit: triệu đồng" in made.text
    assert "^Đơn vị" not in made.text


def test_what_is_personal_is_said_nowhere_in_the_draft(drafted):
    sample = SAMPLES["cases"]
    made = drafted(sample.name, sample.content)
    said = json.dumps(made.as_json(), ensure_ascii=False)
    assert "Nguyễn" not in said
    assert "0920000" not in said
    assert "0901234" not in said


def test_the_indicators_of_the_catalog_are_named_and_not_described_again(installation, put):
    path = put("b.csv", "Xã/phường,Năm,Dân số (người)\nNinh Kiều,2025,5\nCái Khế,2025,6\n")
    other = draft(path, load_catalog(installation.catalog), installation, today=TODAY)
    append(installation, other)
    again = path.with_name("c.csv")
    again.write_bytes(path.read_bytes())
    made = draft(again, load_catalog(installation.catalog), installation, today=TODAY)
    assert "  - population  # guess: the catalog has this title and unit" in made.text
    append(installation, made)
    assert load_catalog(installation.catalog).datasets["c"].delivered == ["population"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.sampled_from(["find", "rows", "level"])


@given(
    st.recursive(
        TEXTS | st.booleans() | st.integers(0, 99),
        lambda part: st.lists(part) | st.dictionaries(KEYS, part),
    )
)
def test_whatever_is_written_on_a_line_is_read_again(value):
    assert yaml.safe_load(flow(value)) == value


@pytest.mark.parametrize(
    ("title", "period", "asked"),
    [
        ("THU NGÂN SÁCH 6 THÁNG ĐẦU NĂM 2026", "2026-01/2026-06", None),
        ("Lũy kế 9 tháng năm 2026", "2026-01/2026-09", None),
        ("(Từ ngày 01/03/2026 đến hết ngày 31/03/2026)", "2026-03", None),
        ("Tháng 9/2026, kèm theo Công văn số 12/2026/SNV-TH", "2026-09", None),
        ("Cần Thơ, ngày 05 tháng 7 năm 2026", "2026", "nothing in the file says it"),
        ("KẾ HOẠCH NĂM 2027 VÀ THỰC HIỆN NĂM 2026", "2027", "the title says '2027' and '2026'"),
        ("Quý I và quý II năm 2026", "2026-Q2", "the title says 'quý ii năm 2026'"),
        ("Dân số tính đến 31/12/2025", "2025-12-31", "the title says '31/12/2025'"),
        ("Năm học 2025-2026", "2025/2026", "the title says '2025-2026'"),
        ("Số thu quí III năm 2026", "2026-Q3", None),
        ("Tình hình tháng Chín năm 2026", "2026-09", None),
    ],
)
def test_a_period_in_the_title_is_taken_whole_or_asked_about(drafted, title, period, asked):
    made = drafted("thu.csv", f'"{title}",\nXã/phường,Số lượt\nNinh Kiều,40\nCái Khế,50\n')
    assert f'constant: {{period: "{period}"}}' in made.text, made.text
    told = [q.text for q in made.questions if q.text.startswith("which period")]
    assert told == ([f"which period are the figures of? {asked}"] if asked else [])


def test_cells_that_say_that_there_is_nothing_are_no_evidence_on_signs(drafted):
    made = drafted(
        "von.csv",
        "Xã/phường;Năm;Vốn (triệu đồng)\nNinh Kiều;2025;-\nCái Khế;2025;…\nÔ Môn;2025;1.500,25\n",
    )
    assert 'decimal: ",", thousands: "."' in made.text


@pytest.mark.parametrize(
    ("figure", "read", "asked"),
    [
        ("(1.234)", "brackets: negative", False),
        ("(1,5)", "brackets: negative", False),
        ("(1)", "delimiter", True),
    ],
)
def test_figures_in_brackets_are_below_zero_unless_they_may_be_notes(drafted, figure, read, asked):
    made = drafted("von.csv", f"Xã;Năm;Chênh lệch\nNinh Kiều;2025;{figure}\nÔ Môn;2025;5\n")
    assert read in made.text
    assert [q.about for q in made.questions if "footnote" in q.text] == asked * ["read.brackets"]


@pytest.mark.parametrize(
    ("figures", "asked"),
    [(["0,12", "0,5", "1"], True), (["0,12", "1,5"], False), (["0", "1"], False)],
)
def test_percents_that_may_be_shares_of_one_are_asked_about(drafted, figures, asked):
    rows = "".join(f"{name};2025;{text}\n" for name, text in zip(COMMUNES, figures, strict=False))
    made = drafted("ty_le.csv", "Xã;Năm;Hộ nghèo (%)\n" + rows)
    assert [q.about for q in made.questions if "share of 1" in q.text] == asked * ["value"]


def test_percent_signs_say_the_unit(drafted):
    made = drafted("ty_le.csv", "Xã/phường;Năm;Hộ nghèo\nNinh Kiều;2025;1,25%\nÔ Môn;2025;3%\n")
    assert '{name: value, type: number, from: [Hộ nghèo], unit: "%"}' in made.text


def test_text_that_is_called_a_workbook_is_drafted_as_text(drafted):
    made = drafted("khach.xls", VISITORS.replace(",", "\t").encode("utf-16"))
    assert "read: {encoding: utf-16, format: tsv}" in made.text


def test_a_hidden_sheet_is_left_out_and_an_empty_one_passed_over(installation, put):
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        book.add_worksheet("Bìa")
        for name, figure in (("T1", 40), ("nháp", 7)):
            sheet = book.add_worksheet(name)
            sheet.write_row("A1", ["Xã/phường", "Năm", "Số hộ"])
            sheet.write_row("A2", ["Ninh Kiều", 2025, figure])
        sheet.hide()
    path = put("ho.xlsx", made.getvalue())
    drawn = draft(path, load_catalog(installation.catalog), installation, today=TODAY)
    assert "sheet: T1" in drawn.text, drawn.text
    assert ("hidden sheets, not looked at", "nháp") in drawn.found
    tried = try_out(drawn, path, installation, TODAY)
    assert tried is not None
    assert (tried.records, tried.observations) == (1, 1)


def test_rows_of_delimiters_that_a_spreadsheet_leaves_behind_are_no_records(installation, put):
    path = put("ho.csv", "Xã/phường,Năm,Số hộ,\nNinh Kiều,2025,4,\n,,,\n,,,\n")
    drawn = draft(path, load_catalog(installation.catalog), installation, today=TODAY)
    tried = try_out(drawn, path, installation, TODAY)
    assert tried is not None
    assert (tried.records, tried.accepted) == (1, 1), drawn.text


def test_the_day_of_a_signature_stops_the_table_whatever_the_month(drafted):
    text = "Xã/phường,Năm,Số hộ\nNinh Kiều,2025,4\nCái Khế,2025,5\n"
    made = drafted("ho.csv", text + '"Cần Thơ, ngày 05 tháng 7 năm 2026",,\nNgười lập,,\n')
    assert r"stop_at: '^(Cần Thơ, ngày \d+ tháng|Người lập)'" in made.text, made.text


# --- the command ----------------------------------------------------------------------------------

VISITORS = "Xã/phường,Tháng,Lượt khách\nNinh Kiều,01/2026,40\nCái Khế,01/2026,50\n"


@pytest.fixture
def run(installation):
    def invoked(*arguments: str, given: str | None = None):
        options = ["--home", str(installation.home), "--catalog", str(installation.catalog)]
        return CliRunner().invoke(
            main, [*options, "--today", "2026-11-22", *arguments], input=given
        )

    return invoked


def test_add_prints_the_entry_and_writes_only_when_told(run, put, installation):
    path = str(put("khach.csv", VISITORS))
    for arguments in (
        ["add", path],
        ["add", path, "--dry-run"],
        ["add", path, "--write", "--dry-run"],
    ):
        shown = run(*arguments)
        assert shown.exit_code == 0, shown.output
        assert "- name: khach" in shown.output
        assert "2 records, 2 accepted, 0 rejected; 2 figures" in shown.output
        assert installation.catalog.read_text(encoding="utf-8") == EMPTY
    assert run("add", path, "--write").exit_code == 0
    assert list(load_catalog(installation.catalog).datasets) == ["khach"]


MAP = {
    "areas.csv": "code,level,name,name_en,kind,parent,valid_from,valid_to,population,area_km2,lat,"
    "lon,source\n"
    "vn,nation,Cả nước,,,,2004-01-01,,,,,,\n"
    "dn,city,Đà Nẵng,,thành phố,vn,2004-01-01,,,,,,\n"
    "a,commune,Thạch Thang,,phường,dn,2004-01-01,2024-11-30,,,,,\n"
    "b,commune,Hải Châu,,phường,dn,2024-12-01,2025-06-30,,,,,\n"
    "c,commune,Hòa Cường,,phường,dn,2004-01-01,2025-06-30,,,,,\n"
    "x,commune,Hải Châu,,phường,dn,2025-07-01,,,,,,\n"
    "y,commune,Hòa Cường,,phường,dn,2025-07-01,,,,,,\n",
    "crosswalk.csv": "old_code,old_valid_from,new_code,new_valid_from,weight,weight_lower,"
    "weight_upper,basis,source,note\n"
    "a,2004-01-01,b,2024-12-01,1,1,1,whole,,\n"
    "b,2024-12-01,x,2025-07-01,0.75,0.7,0.8,estimate,,\n"
    "b,2024-12-01,y,2025-07-01,0.25,0.2,0.3,estimate,,\n"
    "c,2004-01-01,x,2025-07-01,0.5,0.4,0.6,estimate,,\n"
    "c,2004-01-01,y,2025-07-01,0.5,0.4,0.6,estimate,,\n",
}
"""Of another city: n wards become m, after a chain of two years."""
OF_DA_NANG = (
    "Phường;Tháng;Lượt khách\nThạch Thang;202411;100\nHòa Cường (1);202411;10\nHải Châu;202508;7\n"
)


def test_a_first_file_begins_the_catalog_of_another_city(run, installation):
    folder = installation.catalog.parent
    for name, content in MAP.items():
        (folder / "map").mkdir(exist_ok=True)
        (folder / "map" / name).write_text(content, encoding="utf-8")
    file = folder / "khach.csv"
    file.write_text(OF_DA_NANG, encoding="utf-8")
    shown = run("add", str(file), "--dry-run")
    assert "there is no catalog" in shown.output
    assert "geography: map  # guess" in shown.output
    assert not installation.catalog.exists()
    assert "3 of 3 names are each a commune" in run("add", str(file), "--write").output
    warehouse, rejected = loaded(installation)
    told = warehouse.select("select area, period, value from comparable where area in ('x', 'y')")
    november, august = dt.date(2024, 11, 1), dt.date(2025, 8, 1)
    assert sorted(told.rows()) == [("x", november, 80), ("x", august, 7), ("y", november, 30)]
    assert rejected == 0


def test_names_of_a_city_without_its_map_are_asked_about_and_not_taken_for_labels(put, run):
    shown = run("add", str(put("khach.csv", OF_DA_NANG)), "--dry-run")
    assert "ASK: none of 3 names is a place on the map of Cần Thơ" in shown.output
    assert "areas: {level: commune}" in shown.output


def test_add_lists_what_is_to_be_answered(run, put):
    path = str(put("khach.csv", VISITORS.replace("Lượt khách", "Camera")))
    assert "to be answered, at indicator:camera: does 'Camera' add up" in run("add", path).output


def test_add_gives_machines_the_entry_the_questions_and_the_trial(run, put):
    path = str(put("khach.csv", VISITORS))
    told = json.loads(run("--json", "add", path).output)
    assert parse_catalog(HEAD + told["entry"]).datasets.keys() == {"khach"}
    assert told["trial"]["accepted"] == 2
    assert told["written"] is False
    assert {"line": "area", "evidence": "2 of 2 names are each a commune"} in told["guesses"]


def test_a_file_that_is_read_already_is_not_drafted_again(run, put):
    path = str(put("khach.csv", VISITORS))
    run("add", path, "--write")
    again = run("add", path)
    assert again.exit_code == 1
    assert "the entry 'khach' reads it already" in again.output


def test_a_file_elsewhere_is_to_be_copied_in_first(run, put, tmp_path_factory):
    put("here.csv", VISITORS)
    there = tmp_path_factory.mktemp("elsewhere") / "khach.csv"
    there.write_text(VISITORS, encoding="utf-8")
    told = run("add", str(there))
    assert told.exit_code == 1
    assert "copy it in: " in told.output
    assert "foresight add data/sources/khach.csv" in told.output


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "", "the file is empty"),
        ("a.xlsx", b"PK\x03\x04 broken", "not a workbook"),
        ("a.json", "{", "not JSON"),
        ("a.parquet", b"PAR1", "not Parquet"),
        ("a.csv", "one\ntwo\n", "only one column"),
        ("a.csv", b"Dan s\xe8;N\xfe\n\x81\x8d;1\n", "not Unicode"),
        ("a.csv", "Tên trường,Loại\nA,B\nC,D\n", "no column of figures"),
    ],
)
def test_a_file_that_does_not_open_is_refused_with_its_reason(run, put, name, content, told):
    shown = run("add", str(put(name, content)))
    assert shown.exit_code == 1
    assert told in shown.output
    assert "Traceback" not in shown.output


def test_an_entry_goes_behind_the_others_as_they_are_indented(installation, put):
    path = put("khach.csv", VISITORS)
    first = draft(path, load_catalog(installation.catalog), installation, today=TODAY)
    indented = "".join(f"  {line}\n" for line in first.text.splitlines())
    installation.catalog.write_text(HEAD + indented, encoding="utf-8")
    other = put_beside(path, "xe.csv")
    made = draft(other, load_catalog(installation.catalog), installation, today=TODAY)
    append(installation, made)
    assert list(load_catalog(installation.catalog).datasets) == ["khach", "xe"]


def put_beside(path, name):
    other = path.with_name(name)
    other.write_text(VISITORS.replace("Lượt khách", "Lượt xe"), encoding="utf-8")
    return other


# --- awkward tables -------------------------------------------------------------------------------

MONTHS = range(1, 13)
OF_MONTHS = [[f"{name}", *(10 * i + m for m in MONTHS), 99] for i, name in enumerate(COMMUNES[:2])]
ABOVE = ["HỒ SƠ TIẾP NHẬN NĂM 2026"]
HEADED = {
    "numbers below a merged cell": (
        [ABOVE, ["Xã", "Tháng", *[None] * 11, "Cả năm"], [None, *MONTHS], *OF_MONTHS],
        ("B2:M2", "A2:A3", "N2:N3"),
    ),
    "T1 to T12": ([ABOVE, ["Xã", *(f"T{m}" for m in MONTHS), "Cả năm"], *OF_MONTHS], ()),
    "their year in each": (
        [["Xã", *(f"Năm 2026 Tháng {m}" for m in MONTHS), "Cả năm"], *OF_MONTHS],
        (),
    ),
}


@pytest.fixture
def trial(installation, drafted):
    """The draft of a file, and a warehouse loaded with it."""

    def tried(name: str, content: str | bytes):
        made = drafted(name, content)
        append(installation, made)
        return made, loaded(installation)[0]

    return tried


@pytest.mark.parametrize("headed", HEADED)
def test_months_that_head_columns_are_months_of_the_year_that_is_said(trial, headed):
    rows, merged = HEADED[headed]
    made, warehouse = trial("thang.xlsx", workbook(("B", rows), merged=merged))
    assert "Cả năm (made of the columns beside it)" in made.text
    told = warehouse.select(
        "select distinct frequency, month(period), value from observation where area = '31135'"
    )
    assert sorted(told.rows()) == [("month", m, m) for m in MONTHS]


WITH_YEAR = {
    "months": ["Tháng 1/2025", "T1-2025", "thg 01/2025", "Tháng Một 2025", "Jan 2025", "01/2025"],
    "bare months": ["2025M01", "202501", "2025-01", "Sơ bộ tháng 1 năm 2025"],
    "quarters": ["Quý I/2025", "Quí I năm 2025", "2025Q1", "Q1/2025"],
    "days": ["05/01/2025", "2025-01-05"],
    "years": ["2025", "Năm 2025", "Ước 2025"],
    "spans": ["9 tháng đầu năm 2025", "2021-2025"],
}


@pytest.mark.parametrize("head", [head for heads in WITH_YEAR.values() for head in heads])
def test_periods_with_their_year_are_found_in_headers_of_one_or_several_figures(head):
    later = head.replace("2025", "2026")
    pattern = period_pattern([head, later], [], ["Xã/phường"])
    read = {
        Period.parse(compiled(pattern).search(each).groupdict()["period"]) for each in (head, later)
    }
    assert read == {Period.parse(head), Period.parse(later)}
    several = period_pattern([f"Thu {head}", f"Chi {head}"], [], ["Xã/phường"])
    found = compiled(several).search(f"Thu {head}").groupdict()
    assert (found["indicator"], Period.parse(found["period"])) == ("Thu", Period.parse(head))


@pytest.mark.parametrize("heads", [["Đợt 1/2025", "Đợt 2/2025"], ["Mã 1202501", "Mã 1202502"]])
def test_what_numbers_something_else_is_no_period(heads):
    assert period_pattern(heads, [], []) is None


@pytest.mark.parametrize(
    "form", ["T{}", "thg {}", "TH {}", "Tháng {}", "Tháng {word}", "Lũy kế T{}"]
)
def test_months_that_a_year_completes_are_found_in_headers(form):
    heads = [form.format(n, word=word.capitalize()) for n, word in enumerate(MONTH_WORDS, start=1)]
    part, pattern = part_pattern(heads)
    found = [compiled(pattern).search(head).groupdict()["month"] for head in heads]
    made = [str(Period.parse(part.written.format(month=month) + "/2025")) for month in found]
    assert made == [f"2025-{month:02}" for month in MONTHS]
    assert part_pattern(["Đợt 1", "Đợt 2", "Đợt 3"]) is None


@pytest.mark.parametrize(
    ("header", "kind"),
    [("Tháng", "period"), ("Dân số trong tháng", "figure"), ("Mã", "identifier")],
)
def test_202501_is_a_month_only_where_the_header_speaks_of_one(header, kind):
    column = columns_of(["Xã", header], {1: ["202501", "202502", "202512"]}, ".")[0]
    assert column.kind == kind


def test_months_written_as_numbers_head_a_sheet_and_a_record_of_such_numbers_heads_none():
    heads = ["Xã", 202501, 202502]
    rows = [heads, ["Ninh Kiều", 202501, 201912], ["Cái Khế", 3, 4]]
    assert find_table(Grid("B", rows), where="", one_line=False).body == [1, 2]


REFUSED = {
    "no year": ("Xã;T1;T2;T3\nNinh Kiều;1;2;3\n", "its columns are months, and no year is said"),
    "no header": ("Ninh Kiều;2025;1000\nCái Khế;2025;2000\n", "there is no header"),
    "header alone": ("Xã;Năm;Dân số\n", "no record below it"),
    "side by side": (
        "Năm 2025;;;\nXã;Dân số;Xã;Dân số\nNinh Kiều;1;Ô Môn;2\nCái Khế;3;Phong Điền;4\n",
        "'Xã' heads two columns of places",
    ),
    "footnotes": ("Xã;Năm;Dân số\nNinh Kiều;2025;12 (1)\nCái Khế;2025;7\n", "no column of figures"),
}


@pytest.mark.parametrize("table", REFUSED)
def test_a_table_that_would_be_read_wrongly_is_refused(drafted, table):
    content, told = REFUSED[table]
    with pytest.raises(ForesightError, match=told):
        drafted("bang.csv", content)


def test_the_first_group_is_no_header_and_groups_may_state_a_figure(trial):
    rows = [
        ["DÂN SỐ NĂM 2026"], ["STT", "Địa phương", "Dân số"], [None, "TỔNG SỐ", 10],
        ["I", "Khu vực trung tâm", 3], [1, COMMUNES[0], 1], [2, COMMUNES[1], 2],
        ["II", "Khu vực khác", 7], [1, COMMUNES[2], 3], [2, COMMUNES[3], 4],
    ]  # fmt: skip
    _, warehouse = trial("nhom.xlsx", workbook(("B", rows)))
    stated = warehouse.select("select label, agrees from stated_total order by record").rows()
    assert stated == [
        ("TỔNG SỐ", True), ("Khu vực trung tâm", True), ("Khu vực khác", True)
    ]  # fmt: skip
    rows[3] = ["I", "Khu vực trung tâm"]
    made, _ = trial("nhom.xlsx", workbook(("B", [*rows[:2], *rows[3:]])))
    assert "header: {find: Địa phương}" in made.text
