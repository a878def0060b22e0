"""Files into the clean table: in order, once, with nothing that nobody declared."""

import pytest
from conftest import HEAD

from etl.catalog import Dataset, parse_catalog
from etl.errors import ForesightError
from etl.load import Arrival, TooManyRejected, load_files
from etl.warehouse import Warehouse

CASES = """
- name: cases
  title: Hồ sơ
  sources: [{path: cases_*.csv}]
  read: {dates: "%d/%m/%Y"}
  clean: {areas: {level: commune, on: received}, max_rejected: 0.7}
  schema:
    fields:
    - {name: id, from: [Mã], constraints: {required: true, unique: true}}
    - {name: area, from: [Xã], constraints: {required: true}}
    - {name: received, type: date, from: [Ngày]}
    - {name: fee, type: integer, from: [Phí]}
    - {name: channel, from: [Nộp], categories: [{value: online, label: Trực tuyến}]}
    - {name: applicant, from: [Người nộp], sensitive: true}
    primaryKey: [id]
  tables: [{name: counted, by: [area], measures: [{name: received, count: received}]}]
  indicators: [{name: cases_received, title: Nhận, title_en: Received, value: received}]
"""
HEADER = "Mã,Xã,Ngày,Phí,Nộp,Người nộp,Ghi chú\n"


def dataset() -> Dataset:
    return parse_catalog(HEAD + CASES).datasets["cases"]


def line(number: int | str, area: str = "Ninh Kiều", fee: str = "5") -> str:
    return f"ID{number},{area},02/09/2026,{fee},Trực tuyến,KINNGUOINOP,KINGHICHU\n"


@pytest.fixture
def load(tmp_path):
    """Load files of lines, one load each from number `first` on, and open the build."""

    def loaded(*bodies: str, first: int = 1) -> Warehouse:
        arrivals = []
        for number, body in enumerate(bodies, start=first):
            path = tmp_path / f"cases_{number:03d}.csv"
            path.write_text(HEADER + body, encoding="utf-8")
            arrivals.append(Arrival(path, path.name, number))
        with Warehouse.build(tmp_path) as warehouse:
            list(load_files(warehouse, dataset(), arrivals))
        return Warehouse.open(tmp_path)

    return loaded


def test_rows_stand_in_the_order_of_files_and_lines(load):
    numbers = iter(range(40 * 200))
    bodies = ["".join(line(next(numbers)) for _ in range(200)) for _ in range(40)]
    rows = load(*bodies).select("select id, load from data_cases order by rowid")
    assert rows["id"].to_list() == [f"ID{n}" for n in range(40 * 200)]
    assert rows["load"].to_list() == [1 + n // 200 for n in range(40 * 200)]


def test_later_loads_stand_behind_and_the_first_row_of_a_key_stays(load):
    load(line(1) + line(2) + line(1))
    warehouse = load(line(3) + line(2, fee="9") + line(4), line(5) + line(4, fee="9"), first=2)
    rows = warehouse.select("select id, fee, load from data_cases order by rowid")
    assert rows.rows() == [
        ("ID1", 5, 1),
        ("ID2", 5, 1),
        ("ID3", 5, 2),
        ("ID4", 5, 2),
        ("ID5", 5, 3),
    ]
    rejected = warehouse.select("select load, record, rule from rejected order by all")
    assert rejected.rows() == [(1, 3, "id_unique"), (2, 2, "id_unique"), (3, 2, "id_unique")]


def test_a_row_may_break_several_rules_and_an_identifier_is_not_shown(load):
    warehouse = load(line("", area="Nơi Lạ", fee="năm").removeprefix("ID") + line(2) * 2)
    rejected = warehouse.select("select record, field, rule, value from rejected order by all")
    assert rejected.rows() == [
        (1, "area", "area_known", "Nơi Lạ"),
        (1, "fee", "fee_readable", "năm"),
        (1, "id", "id_required", None),
        (3, "id", "id_unique", None),
    ]


@pytest.mark.parametrize("fee", ["1e999", "-inf", "99999999999999999999", "1.5"])
def test_what_is_no_whole_number_within_reach_is_not_read_as_one(load, fee):
    warehouse = load(line(1) + line(2, fee=fee))
    assert warehouse.select("select rule, value from rejected").rows() == [("fee_readable", fee)]


def test_what_is_sensitive_or_undeclared_leaves_no_trace_in_the_file_that_is_published(load):
    warehouse = load(line(1) + line(2, area="NOILAKHAC") + line(3) + line(3))
    warehouse.close()
    written = warehouse.path.read_bytes()
    assert b"NOILAKHAC" in written
    assert b"KINNGUOINOP" not in written
    assert b"KINGHICHU" not in written


def test_the_clean_table_has_the_declared_columns_and_the_load_and_nothing_else(load):
    warehouse = load(line(1))
    columns = warehouse.select("select * from data_cases").columns
    assert columns == ["id", "area", "area_vintage", "received", "fee", "channel", "load"]
    assert "stage" not in warehouse.tables()


def test_a_refused_load_leaves_the_build_as_it_was(tmp_path):
    path = tmp_path / "cases_1.csv"
    path.write_text(HEADER + line(1, area="Nơi Lạ"), encoding="utf-8")
    with Warehouse.build(tmp_path) as warehouse:
        before = warehouse.tables()
        with pytest.raises(TooManyRejected):
            list(load_files(warehouse, dataset(), [Arrival(path, "cases_1.csv", 1)]))
        assert warehouse.tables() == before
        assert warehouse.count("select count(*) from rejected") == 0


def test_a_quote_that_never_closes_is_an_error_and_not_a_crash(load):
    with pytest.raises(ForesightError):
        load(line(1) + '"' + line(2) * 5000)
