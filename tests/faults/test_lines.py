"""Delimited files as they arrive broken: every record is loaded, named, or the file is refused."""

import time

import pytest
from conftest import ROOT  # noqa: F401  (the fixtures live there)

from etl.errors import ForesightError
from etl.extract.raw import MissingColumn, RepeatedColumn, UnreadableFile

ENTRY = """
- name: people
  title: Người
  sources: [{path: people.csv}]
  clean: {max_rejected: 1}
  schema:
    fields:
    - {name: key, constraints: {required: true}}
    - {name: number, type: integer}
    - {name: text}
"""
HEADER = "key,number,text\n"
ROWS = [f"k{number},{number},t\n" for number in range(1, 101)]


def with_row(place: int, row: str) -> str:
    """A hundred good rows, of which row `place` (from 1) is replaced."""
    return HEADER + "".join(ROWS[: place - 1]) + row + "".join(ROWS[place:])


def account(warehouse) -> tuple[int, int, int, int]:
    return tuple(
        warehouse.select("select records, accepted, rejected, unreadable from load").row(0)
    )


def rejected(warehouse) -> list[tuple[int, str, str | None]]:
    return list(
        warehouse.select("select record, rule, value from rejected order by record").iter_rows()
    )


PLACES = [1, 50, 100]


@pytest.mark.parametrize("place", PLACES)
def test_a_row_of_thirteen_columns_is_one_unreadable_line_wherever_it_stands(refresh, place):
    warehouse = refresh(ENTRY, people_csv=with_row(place, ",".join("y" * 13) + "\n"))
    assert account(warehouse) == (100, 99, 0, 1)
    assert rejected(warehouse) == [(place, "line_readable", None)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", ['k,1,"mở\n', '"k,1,mở\n', 'k,1,"mở "" nữa\n'])
def test_a_quote_that_never_closes_is_named_with_its_line_and_swallows_nothing(refresh, row, place):
    with pytest.raises(UnreadableFile, match="does not close") as told:
        refresh(ENTRY, people_csv=with_row(place, row))
    assert told.value.where == f"people.csv:{place + 1}"
    assert "close it" in told.value.hint


def test_a_quote_that_never_closes_is_found_in_a_file_of_megabytes(refresh):
    with pytest.raises(UnreadableFile) as told:
        refresh(ENTRY, people_csv=HEADER + 'k,1,"mở\n' + "".join(ROWS) * 1000)
    assert told.value.where == "people.csv:2"


def test_two_open_quotes_do_not_make_one_record_of_all_between_them(refresh):
    rows = [*ROWS]
    rows[9] = rows[79] = 'k,1,"mở\n'
    with pytest.raises(UnreadableFile) as told:
        refresh(ENTRY, people_csv=HEADER + "".join(rows))
    assert told.value.where == "people.csv:11"


def test_an_open_quote_in_the_header_is_named_too(refresh):
    with pytest.raises(UnreadableFile, match="a quote opens here") as told:
        refresh(ENTRY, people_csv='key,number,"text\n' + "".join(ROWS))
    assert told.value.where == "people.csv:1"


def test_inches_are_no_quotes(refresh):
    warehouse = refresh(ENTRY, people_csv=with_row(50, 'ống,1,5" nhựa\n'))
    assert account(warehouse) == (100, 100, 0, 0)


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_four_hundred_thousand_quoted_line_breaks_move_no_number(refresh, ending):
    bad = {8, 399_999}
    rows = [
        f'k{n},{"nhiều" if n in bad else n},"dòng{ending}hai"{ending}' for n in range(1, 400_001)
    ]
    rows[99_999] = f"k,1,2,3{ending}"
    content = HEADER.replace("\n", ending) + "".join(rows)
    warehouse = refresh(ENTRY, people_csv=content)
    assert account(warehouse) == (400_000, 399_997, 2, 1)
    assert rejected(warehouse) == [
        (8, "number_readable", "nhiều"),
        (100_000, "line_readable", None),
        (399_999, "number_readable", "nhiều"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HEADER + "a,1,t\r\nb,2,t\nc,3,t\r\n", (3, 3, 0, 0)),
        (HEADER.replace("\n", "\r") + "a,1,t\rb,2,t\r", (2, 2, 0, 0)),
        (HEADER.replace("\n", "\r\n") + 'a,1,"x\ny"\r\nb,2,t\r\n', (2, 2, 0, 0)),
        (HEADER + "a,1,t\r b,2,t\n", (2, 2, 0, 0)),
        (HEADER + "a\0,1,t\nb,2,\0\n", (2, 2, 0, 0)),
        (HEADER + "a,1,t\n\0\nb,2,t\n", (3, 2, 0, 1)),
        (HEADER + "a,1,t\n   \n" + " " * 40 + "\nb,2,t\n", (4, 2, 0, 2)),
        ("\n\n" + HEADER + "\na,1,t\n\n", (1, 1, 0, 0)),
        (HEADER + "a;1;t\nb,2,t\nc\t3\tt\n", (3, 1, 0, 2)),
        (HEADER + "a,\ufeff2,t\nb,2,t\n", (2, 1, 1, 0)),
        (HEADER + HEADER + "a,1,t\n", (2, 1, 1, 0)),
        (HEADER + "a\x0b,1,\x0c\nb\u2028,2,\x85\n", (2, 2, 0, 0)),
        (HEADER + f"a,1,{'x' * 1_900_000}\n", (1, 1, 0, 0)),
        (HEADER, (0, 0, 0, 0)),
        (HEADER.strip(), (0, 0, 0, 0)),
    ],
    ids=[
        "mixed line ends",
        "returns alone",
        "as Excel breaks lines",
        "one return alone",
        "NUL in cells",
        "NUL as a line",
        "lines of blanks",
        "empty lines",
        "mixed delimiters",
        "a mark (BOM) in the middle",
        "header twice",
        "other line breaks",
        "2 MB in a cell",
        "header only",
        "header without its line end",
    ],
)
def test_every_record_is_accounted_for(refresh, content, expected):
    assert account(refresh(ENTRY, people_csv=content)) == expected


@pytest.mark.parametrize("text", ["99999999999999999999", "9007199254740993", "-1e300"])
def test_a_whole_number_that_would_be_rounded_or_not_fit_is_rejected_as_it_stood(refresh, text):
    warehouse = refresh(ENTRY, people_csv=HEADER + f"a,{text},t\n")
    assert rejected(warehouse) == [(1, "number_readable", text)]


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        ("", UnreadableFile, "there is no header row"),
        ("\ufeff", UnreadableFile, "there is no header row"),
        ("\n\n\n", UnreadableFile, "there is no header row"),
        ("key,number,text,number\na,1,t,2\n", RepeatedColumn, "two columns are called 'number'"),
        (HEADER + f"a,1,{'x' * 50_000_000}\n", UnreadableFile, "a record of 50 MB begins here"),
        (f'{HEADER}a,1,"{"x" * 5_000_000}"\n', UnreadableFile, "a record of 5 MB begins here"),
        (f"key,number,text{'x' * 50_000_000}\na,1,t\n", MissingColumn, "no column for 'text'"),
    ],
    ids=["empty", "a mark alone", "blank", "a column twice", "long", "long quoted", "long header"],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_few_lines(refresh, content, error, told):
    started = time.process_time()
    with pytest.raises(ForesightError, match=told) as found:
        refresh(ENTRY, people_csv=content)
    assert isinstance(found.value, error)
    assert found.value.where.startswith("people.csv")
    assert found.value.hint
    assert len(str(found.value)) < 1000
    assert time.process_time() - started < 20
