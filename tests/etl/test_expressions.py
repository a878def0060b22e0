"""SQL expressions of the catalog: what may stand in one, and what is refused at its line."""

import pytest
from conftest import HEAD, observed

from etl import pipeline
from etl.catalog import parse_catalog
from etl.errors import ForesightError, Problems
from etl.expressions import FUNCTIONS, column_types, condition

CASES = """
- name: cases
  title: Hồ sơ
  sources: [{path: cases.csv}]
  clean: {areas: {level: commune}, max_rejected: 1}
  schema:
    fields:
    - {name: area}
    - {name: period, type: yearmonth}
    - {name: received, type: date}
    - {name: finished, type: date}
    - {name: amount, type: integer}
    - {name: fee, type: number}
    - {name: kind}
    - {name: phone, sensitive: true}
  rules:
  - {name: in_order, sql: "finished is null or finished >= received"}
  indicators: [{name: amount, title: Số, title_en: Amount, value: amount}]
"""
RULE = "finished is null or finished >= received"
DATASET = parse_catalog(HEAD + CASES).datasets["cases"]
COLUMNS = "area,period,received,finished,amount,fee,kind,phone\n"

ATTACKS = {
    "a sub-query that reads a file": "amount > (select max(x) from read_text('/etc/passwd'))",
    "a bracket closed, a table dropped": "1) from t; drop table x; --",
    "the environment": "getenv('HOME') = 'x'",
    "a second item": "amount > 1, 2",
    "a second statement": "amount > 1; select 2",
    "a table of its own": "amount from t",
    "a where of its own": "amount > 1 where true",
    "an order": "amount order by 1",
    "distinct": "distinct amount > 1",
    "a union": "amount > 1 union select true",
    "a lambda": "list_filter([amount], x -> x > 1) is null",
    "a lambda by its new name": "list_filter([amount], lambda x: x > 1) is null",
    "a window": "row_number() over () > 1",
    "a windowed sum": "sum(amount) over (order by fee) > 1",
    "an aggregate": "sum(amount) > 1",
    "an aggregate that filters": "count(amount) filter (where fee > 1) > 1",
    "a prepared parameter": "amount > $1",
    "a named parameter": "amount > $limit",
    "a question mark": "amount > ?",
    "a star": "*",
    "columns by pattern": "columns('a.*') > 1",
    "exists": "exists (select 1)",
    "in a sub-query": "amount in (select 1)",
    "a table function": "unnest([amount]) > 1",
    "a setting": "current_setting('home_directory') = kind",
    "the clock": "received <= current_date",
    "the clock as a function": "received <= today()",
    "chance": "random() > 0.5 and amount > 0",
    "a struct": "cast(amount as struct(x integer)) is null",
    "a type nobody knows": "amount::secret is null",
    "a list": "[amount][1] > 0",
    "a column of another table": "d.amount > 0",
    "a column nobody declared": "load > 0",
    "a name": "amount > 0 as x",
    "a schema": "main.lower(kind) = 'x'",
    "no field": "1 = 1",
    "no condition": "amount + 1",
    "types that do not go together": "received > amount",
    "nothing": "",
    "a comment": "-- amount > 0",
}  # fmt: skip


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_what_is_no_condition_on_one_row_is_refused(text):
    with pytest.raises(ForesightError):
        condition(text, DATASET)


@pytest.mark.parametrize(
    "text",
    [
        RULE,
        "amount between 1 and 10 and not kind in ('x', 'y')",
        "case when kind = 'a' then fee > 0 else true end",
        "finished <= received + interval 30 day",
        "date_diff('day', received, finished) <= 30",
        "coalesce(fee, 0) * amount >= 0 or kind like 'miễn%'",
        "regexp_full_match(kind, '[a-z]+') or kind is null",
        "period >= date '2025-07-01' and year(received) = year(period)",
        "fee is not distinct from amount::double",
        "length(phone) > 8",
        "amount % 5 = 0 -- in fives",
    ],
)
def test_what_compares_the_fields_of_one_row_is_written_anew_from_its_tree(text):
    sql = condition(text, DATASET)
    assert "--" not in sql
    assert condition(sql, DATASET) == sql


def test_the_list_of_functions_holds_none_that_reads_or_remembers():
    banned = ("read", "getenv", "current", "random", "now", "set", "query", "glob", "file", "uuid")
    assert not [name for name in FUNCTIONS if any(word in name for word in banned)]


def test_every_field_has_a_type_for_expressions():
    assert column_types(DATASET) == {
        "area": "varchar", "period": "date", "received": "date", "finished": "date",
        "amount": "bigint", "fee": "double", "kind": "varchar", "phone": "varchar",
    }  # fmt: skip


def test_all_wrong_expressions_are_told_at_once_with_their_lines(installation):
    more = (
        '  - {name: a, sql: "amout > 0"}\n'
        '  - {name: b, sql: "lenght(kind) > 0"}\n'
        "  indicators: []\n"
    )
    text = HEAD + CASES.split("  indicators:")[0] + more
    lines = text.splitlines()
    with pytest.raises(Problems) as found:
        pipeline.plan(parse_catalog(text), installation, None, check_only=True)
    told = [str(problem) for problem in found.value.problems]
    for word, near, problem in zip(("amout", "lenght"), ("amount", "length"), told, strict=True):
        line = next(n for n, content in enumerate(lines, start=1) if word in content)
        assert f"data_catalog.yaml:{line}: cases.rules." in problem
        assert f"did you mean '{near}'?" in problem


def test_a_rule_is_a_check_or_an_expression_and_not_both():
    for wrong in ('sql: "amount > 0", check: amount > 0', "title: x"):
        with pytest.raises(Problems, match="either check or sql"):
            parse_catalog(HEAD + CASES.replace(f'sql: "{RULE}"', wrong))


def test_rows_that_break_an_expression_are_rejected_under_its_name(refresh):
    warehouse = refresh(
        CASES,
        cases_csv=COLUMNS
        + "Ninh Kiều,01/2026,2026-01-05,2026-01-09,1,,a,\n"
        + "Cái Khế,01/2026,2026-01-05,2026-01-01,2,,a,\n"
        + "Tân An,01/2026,2026-01-05,,3,,a,\n",
    )
    rows = warehouse.select("select record, field, rule, value from rejected")
    assert rows.rows() == [(2, "finished", "in_order", "2026-01-01")]
    assert observed(warehouse)["value"].to_list() == [1, 3]


def test_what_cannot_be_computed_for_a_row_is_broken_there_and_does_not_stop_the_load(refresh):
    entry = CASES.replace(RULE, "amount * amount > 0 and kind::integer > 0")
    warehouse = refresh(
        entry,
        cases_csv=COLUMNS
        + "Ninh Kiều,01/2026,,,3037000500,,1,\n"
        + "Cái Khế,01/2026,,,2,,một,\n"
        + "Tân An,01/2026,,,2,,1,\n",
    )
    found = warehouse.select("select record, rule from rejected order by record")
    assert found.rows() == [(1, "in_order"), (2, "in_order")]


def test_the_value_of_a_sensitive_field_stays_out_of_the_rejected(refresh):
    entry = CASES.replace(RULE, "length(phone) > 8")
    warehouse = refresh(entry, cases_csv=COLUMNS + "Ninh Kiều,01/2026,,,1,,a,0912\n")
    rows = warehouse.select("select field, rule, value from rejected").rows()
    assert rows == [("phone", "in_order", None)]
