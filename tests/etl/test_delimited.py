"""Counting records without reading columns: the same as a reader that reads every one."""

import csv
import io

from conftest import HEAD
from hypothesis import given
from hypothesis import strategies as st

from etl.catalog import Dataset, parse_catalog
from etl.extract.delimited import extract

ENTRY = """
- name: anything
  title: Gì cũng được
  sources: [{path: anything.csv}]
  read: {delimiter: ";"}
  schema: {fields: [{name: a}, {name: b}]}
"""
cell = st.text(alphabet='xô ;"\n,=', max_size=6)


def dataset() -> Dataset:
    return parse_catalog(HEAD + ENTRY).datasets["anything"]


def counted(folder, body: str) -> int:
    path = folder / "anything.csv"
    path.write_bytes(body.encode())
    return extract(path, dataset()).records


@given(
    rows=st.lists(st.tuples(cell.filter(str.strip), cell), max_size=8),
    ending=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_any_well_formed_file_is_counted_as_a_reader_counts_it(
    tmp_path_factory, rows, ending, last
):
    held = io.StringIO(newline="")
    writer = csv.writer(held, delimiter=";", lineterminator=ending)
    writer.writerows([["a", "b"], *rows])
    body = held.getvalue() if last else held.getvalue().removesuffix(ending)
    assert counted(tmp_path_factory.mktemp("count"), body) == len(rows)


def test_blank_lines_are_no_records_wherever_they_stand(tmp_path):
    assert counted(tmp_path, "a;b\n\n1;2\n\n3;4\n\n\n") == 2
    assert counted(tmp_path, "a;b\r\n\r\n1;2\r\n\r\n3;4\r\n") == 2


def test_a_line_of_spaces_is_a_record_that_cannot_be_read(tmp_path):
    assert counted(tmp_path, "a;b\n1;2\n  \n3;4\n") == 3


def test_a_quote_within_a_cell_that_is_not_quoted_is_no_border(tmp_path):
    assert counted(tmp_path, 'a;b\n5" ống;2\n3;7" nữa\n4;5\n') == 3


def test_a_file_with_nothing_but_its_header_has_no_record(tmp_path):
    assert counted(tmp_path, "a;b") == 0
    assert counted(tmp_path, "a;b\n") == 0
