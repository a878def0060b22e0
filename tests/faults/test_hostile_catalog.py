"""A catalog that means harm: refused at its line before anything runs, or harmless."""

import json
import re
import time

import pytest
from conftest import HEAD

from etl.catalog import load_catalog, parse_catalog
from etl.errors import Problems
from etl.patterns import compiled, unusable

ENTRY = """
- name: people
  title: Người
  sources: [{path: people.csv}]
  schema:
    fields:
    - {name: key}
"""


def refused(text: str) -> list[str]:
    started = time.process_time()
    with pytest.raises(Problems) as found:
        parse_catalog(text)
    assert time.process_time() - started < 5
    told = [str(problem) for problem in found.value.problems]
    assert all(re.match(r"data_catalog\.yaml(:\d+)?: ", line) for line in told), told
    return told


LAUGHS = "x0: &a0 [lol]\n" + "".join(
    f"x{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + ENTRY + LAUGHS, r"\*a0 repeats another place"),
        ("a: &a [*a]\n", r"\*a repeats another place"),
        ("a: " + "[" * 100_000 + "]" * 100_000, "more than 40 blocks"),
        ("\n".join(" " * depth + "a:" for depth in range(3000)), "more than 40 blocks"),
        ("a: " + "{a: " * 5000 + "}" * 5000, "more than 40 blocks"),
        (HEAD + ENTRY.replace("Người", "!!python/object/apply:os.system [id]"), "python/object"),
        (HEAD + ENTRY.replace("Người", "!!binary aGk="), "binary makes something"),
        (HEAD + ENTRY.replace("Người", '"a\\0b"'), "control character"),
        (HEAD + ENTRY.replace("people.csv", '"people\\0.csv"'), "control character"),
        (HEAD + ENTRY.replace("Người", "a\0b"), "control characters are not allowed"),
        (HEAD + ENTRY + "  ? [a, b]\n  : c\n", "unhashable key"),
        (HEAD + ENTRY + "---\na: b\n", "another document"),
        (HEAD + ENTRY + "# " + "x" * 20_000_000, "larger than 5 MB"),
        ("- a\n", "valid dictionary"),
        ("", "valid dictionary"),
    ],
    ids=[
        "laughs",
        "itself",
        "deep lists",
        "deep blocks",
        "deep braces",
        "python",
        "binary",
        "NUL escaped",
        "NUL in a path",
        "NUL",
        "a list as key",
        "two documents",
        "20 MB",
        "a list",
        "nothing",
    ],
)
def test_yaml_that_means_harm_is_refused_at_once(text, told):
    assert any(re.search(told, line) for line in refused(text))


def test_a_catalog_of_a_hundred_megabytes_is_not_even_read(tmp_path):
    path = tmp_path / "data_catalog.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(Problems, match="larger than 5 MB"):
        load_catalog(path)


def test_a_catalog_that_is_not_utf_8_is_named_with_its_line(tmp_path):
    path = tmp_path / "data_catalog.yaml"
    path.write_bytes((HEAD + ENTRY).encode("utf-16-le"))
    with pytest.raises(Problems, match=r"data_catalog\.yaml:"):
        load_catalog(path)
    path.write_bytes(b"profile: a\ntitle: C\xccn Th\xac\n")
    with pytest.raises(Problems, match=r"data_catalog\.yaml:2: not UTF-8"):
        load_catalog(path)


@pytest.mark.parametrize(
    "path",
    [
        "../people.csv",
        "data/*/../../people.csv",
        "/etc/passwd.csv",
        "file:///etc/passwd.csv",
        "C:people.csv",
        "data\\..\\people.csv",
        "**/people.csv",
        "/**.csv",
        "a**b.csv",
        "",
        ".",
        "people",
    ],
)
def test_a_path_that_leads_anywhere_is_refused(path):
    told = refused(HEAD + ENTRY.replace("people.csv", json.dumps(path)).replace("[{", "[{ "))
    assert any("people.sources.0" in line for line in told), told


REFUSED = ["load", "rowid", "raw_key", "_issues", "a" * 58, "a" * 64, "Tên", "1a", ""]
REFUSED += ['x"; drop table load; --', "x'; drop table load; --", "key\n"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_of_a_field_that_would_break_a_statement_is_refused(name):
    text = HEAD + ENTRY + f"    - {{name: {json.dumps(name)}}}\n"
    assert any("people.schema.fields" in line for line in refused(text))


@pytest.mark.parametrize("name", ["period_end", "frequency", "area_vintage"])
def test_a_field_called_as_what_stands_beside_another_is_refused(name):
    beside = "    - {name: period, type: year}\n    - {name: area}\n"
    text = HEAD + ENTRY + beside + f"    - {{name: {name}}}\n"
    text = text.replace("  schema:", "  clean: {areas: {level: commune}}\n  schema:")
    assert any(f"'{name}' is a name of a column made here" in line for line in refused(text))


ACCEPTED = [
    "select",
    "c0",
    "c1",
    "stage",
    "arrival",
    "place",
    "shown",
    "n",
    "spelling",
    "moment",
    "first",
]
ACCEPTED += ["record", "sheet", "raw", "user", "table", "order", "null", "typed", "a" * 57, "bad"]


def test_any_other_name_is_a_field_like_others_even_a_reserved_word(refresh):
    fields = "".join(f"    - {{name: '{name}', from: ['{name}']}}\n" for name in ACCEPTED)
    header = ",".join(["key", *reversed(ACCEPTED)])
    values = {name: f"v{number}" for number, name in enumerate(ACCEPTED)}
    row = ",".join(["k", *(values[name] for name in reversed(ACCEPTED))])
    warehouse = refresh(ENTRY + fields, people_csv=f"{header}\n{row}\n")
    found = warehouse.select("select * from data_people").row(0, named=True)
    assert {name: found[name] for name in ACCEPTED} == values


@pytest.mark.parametrize("name", ["load", "observation", "select", "x" * 57])
def test_a_dataset_may_be_called_as_our_tables_are(refresh, name):
    warehouse = refresh(ENTRY.replace("name: people", f"name: {name}"), people_csv="key\nk\n")
    assert warehouse.select(f'select key from "data_{name}"').item() == "k"


@pytest.mark.parametrize("name", ["x" * 58, "a; drop", "../x", "Người", 'a"b'])
def test_a_name_of_a_dataset_that_cannot_be_one_of_a_table_is_refused(name):
    refused(HEAD + ENTRY.replace("name: people", f"name: {json.dumps(name)}"))


QUOTED = """a'; drop table load; --"""


def test_quotes_in_labels_constants_and_missing_signs_stay_text(refresh):
    entry = f"""
- name: people
  title: {json.dumps(QUOTED)}
  sources: [{{path: people.csv, title: {json.dumps(QUOTED)}}}]
  read: {{missing: [{json.dumps(QUOTED + "2")}]}}
  clean: {{constant: {{fixed: {json.dumps(QUOTED)}}}}}
  schema:
    fields:
    - {{name: key, from: [{json.dumps(QUOTED)}]}}
    - {{name: fixed}}
    - {{name: kind, categories: [{json.dumps(QUOTED)}]}}
    - {{name: other, constraints: {{enum: [{json.dumps(QUOTED)}]}}}}
"""
    line = f"k,{QUOTED},{QUOTED}\n"
    warehouse = refresh(entry, people_csv=f"{QUOTED},kind,other\n{line}")
    row = warehouse.select("select key, fixed, kind, other from data_people").row(0)
    assert row == ("k", QUOTED, QUOTED, QUOTED)
    assert warehouse.select("select count(*) from load").item() == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("  read: {drop_rows: '('}", "is not a pattern"),
        ("  read: {stop_at: '(?=a)b'}", "invalid perl operator"),
        ("  read: {sheet: '^('}", "is not a pattern"),
        ("  read: {delimiter: ';;'}", "is not one sign"),
        ("  read: {quote: ''}", "is not one sign"),
        ('  read: {delimiter: "\\n"}', "is not one sign"),
        ("  read: {delimiter: '\"'}", "the same sign"),
        ("  read: {dates: '%Q'}", "is not a form of dates"),
        ("  clean: {max_rejected: .nan}", "max_rejected"),
        ("  rules: [{name: r, check: 'key = 1.2.3'}]", "is no number"),
        ("  rules: [{name: r, check: \"key = 'a''; drop'\"}]", "should match pattern"),
    ],
)
def test_what_a_reader_would_stumble_over_is_said_by_the_check(line, told):
    assert any(told in problem for problem in refused(HEAD + ENTRY + line + "\n"))


@pytest.mark.parametrize("bound", [".inf", ".nan", "1e400", "abc", "2020-13-45"])
def test_a_bound_that_is_neither_number_nor_day_is_refused(bound):
    text = (HEAD + ENTRY).replace(
        "{name: key}", f"{{name: key, constraints: {{minimum: {bound}}}}}"
    )
    assert any("constraints" in problem for problem in refused(text))


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|a)*$", "^(a|ab)*$", ".*.*.*.*=$", "(.*a){12}$"])
def test_a_pattern_that_makes_other_engines_hang_is_read_in_no_time(pattern):
    assert unusable(pattern) is None
    started = time.process_time()
    assert compiled(pattern).search("a" * 300_000 + "!") is None
    assert time.process_time() - started < 5


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?=a)", "(?<!a)b", "((a{1000}){1000}){1000}", "("])
def test_a_pattern_that_the_steady_engine_does_not_know_is_refused(pattern):
    assert unusable(pattern)


def test_a_year_or_a_month_as_a_bound_is_its_first_day(refresh):
    entry = ENTRY.replace(
        "{name: key}", "{name: key, type: date, constraints: {minimum: '2025-07'}}"
    )
    warehouse = refresh(
        entry.replace("  schema", "  clean: {max_rejected: 1}\n  schema"),
        people_csv="key\n2025-07-01\n2025-06-30\n",
    )
    assert warehouse.select("select value from rejected").item() == "2025-06-30"
