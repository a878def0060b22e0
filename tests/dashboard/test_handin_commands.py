"""The whole way by command: template, submission, approval, release, refresh, audit."""

import json
import os
import pwd
from email import message_from_bytes, policy

import pytest
import yaml
from click.testing import CliRunner
from conftest import HEAD
from openpyxl import load_workbook

from dashboard.cli import main

ENTRY = """
- name: guests
  title: Lượt khách
  sources: [{path: "sources/guests_*.xlsx"}]
  clean: {areas: {level: city}}
  schema:
    fields:
    - {name: area, from: [Nơi]}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: value, type: integer, from: [Lượt khách], constraints: {minimum: 0}}
    primaryKey: [area, period]
  indicators: [{name: guests, title: Khách, title_en: Guests}]
  handin: {frequency: month, within: 10, since: 2026-10}
"""
PEOPLE = {
    "sign_on": {"way": "demo"},
    "departments": [{"name": "culture", "title": "Sở Văn hóa", "datasets": ["guests"]}],
    "people": [
        {
            "name": "nhan",
            "title": "Nhân",
            "roles": ["maker", "checker"],
            "departments": ["culture"],
        },
        {"name": "lan", "title": "Lan", "roles": ["checker"], "departments": ["culture"]},
    ],
}


@pytest.fixture
def run(installation):
    installation.catalog.write_text(HEAD + ENTRY, encoding="utf-8")
    installation.people.write_text(yaml.safe_dump(PEOPLE), encoding="utf-8")

    def invoked(*arguments: str, code: int = 0, today: str = "2026-11-22"):
        options = ["--home", str(installation.home), "--catalog", str(installation.catalog)]
        done = CliRunner().invoke(
            main, [*options, "--today", today, "--json", *map(str, arguments)]
        )
        assert done.exit_code == code, done.output
        return json.loads(done.output.splitlines()[-1])

    return invoked


@pytest.fixture
def filled(run, tmp_path):
    """The template for October with its one figure typed in."""
    path = tmp_path / "filled.xlsx"
    run("handin", "template", "guests", "10/2026", "--out", path)
    book = load_workbook(path)
    book.worksheets[0]["C2"] = 1200
    book.save(path)
    return path


def test_a_file_without_an_end_is_refused_and_not_read_to_it(run, installation):
    said = ("handin", "submit", "/dev/zero", "--dataset", "guests", "--period", "10/2026")
    refused = run(*said, "--who", "nhan", code=1)
    assert refused["errors"][0]["problem"] == "it has more than 20 MB"
    assert not (installation.home / "handin" / "files").exists()


def test_a_script_takes_a_file_all_the_way_to_a_figure(run, filled, tmp_path):
    said = ("handin", "submit", filled, "--dataset", "guests", "--period", "10/2026")
    one = run(*said, "--who", "nhan")
    assert (one["submission"], one["state"], one["accepted"]) == ("000001", "submitted", 1)
    assert one["figures"] == [
        {"dataset": "guests", "indicator": "guests", "added": 1, "changed": 0, "withdrawn": 0}
    ]
    same = run("handin", "approve", "000001", "--who", "nhan", code=1)
    assert "handed it in and cannot approve it" in same["errors"][0]["problem"]
    assert run("handin", "approve", "000001", "--who", "lan")["state"] == "approved"
    assert run("refresh")["accepted"] == 1
    assert run("handin", "list")[0]["state"] == "released"
    assert [one["period"] for one in run("handin", "due")["due"]] == ["2026-11"]
    audit = run("handin", "audit", "--out", tmp_path / "audit.jsonl")
    assert [step["step"] for step in audit["steps"]][-1] == "released"
    assert run("handin", "audit", "--holds", audit["seal"])["seal"] == audit["seal"]
    assert "taken out" in run("handin", "audit", "--holds", "0" * 64, code=1)["errors"][0]["hint"]
    assert run("handin", "audit", "--department", "culture") == audit
    nobody = run("handin", "audit", "--department", "sport", code=1)["errors"][0]
    assert "culture" in nobody["hint"]


def test_a_day_that_is_none_is_told_before_anything_is_kept(run, filled, installation):
    said = ("handin", "submit", filled, "--dataset", "guests", "--period", "10/2026")
    with pytest.raises(AssertionError, match="does not match the formats"):
        run(*said, "--release-on", "cuối tháng", "--who", "nhan")
    assert run("handin", "list") == []
    one = run(*said, "--release-on", "01/12/2026", "--draft", "--who", "nhan")
    assert one["state"] == "draft"


def test_no_day_that_a_command_is_told_brings_a_file_out_before_its_own(run, filled):
    said = ("--dataset", "guests", "--period", "10/2026", "--release-on", "9998-01-01")
    run("handin", "submit", filled, *said, "--who", "nhan")
    run("handin", "approve", "000001", "--who", "lan")
    assert run("handin", "release", "--due", today="9999-01-01") == []
    run("refresh", today="9999-01-01")
    assert run("handin", "list")[0]["state"] == "approved"


def test_a_late_file_is_told_by_mail_to_whoever_is_to_hand_it_in_and_to_check_it(
    run, installation, mails
):
    port, taken = mails
    people = [{**one, "email": f"{one['name']}@example.vn"} for one in PEOPLE["people"]]
    installation.people.write_text(yaml.safe_dump({**PEOPLE, "people": people}), encoding="utf-8")
    mail = {"host": "127.0.0.1", "port": port, "sender": "foresight@example.vn", "starttls": False}
    site = installation.catalog.parent / "site.yaml"
    site.write_text(yaml.safe_dump({"mail": mail}), encoding="utf-8")
    assert run("handin", "due", "--remind", today="2026-11-16")["sent"] == []
    sent = run("--lang", "en", "handin", "due", "--remind", today="2026-11-11")
    assert sent["sent"] == ["nhan@example.vn", "lan@example.vn"]
    (raw,) = taken
    letter = message_from_bytes(raw, policy=policy.default)
    assert letter["Subject"] == "Nhắc nộp số liệu: 1 tệp của Sở Văn hóa"
    assert letter["To"] == "nhan@example.vn, lan@example.vn"
    assert "QUÁ HẠN 1 ngày: Lượt khách, kỳ 10/2026, hạn 10/11/2026" in letter.get_content()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("due", "--remind"), ["tình trạng", "quá hạn", "đã nhắc 0 người"]),
        (("list",), ["lần", "tình"]),
        (("audit",), ["bước", "từ đâu"]),
    ],
)
def test_commands_speak_vietnamese_to_people(run, installation, command, said):
    options = ["--home", str(installation.home), "--catalog", str(installation.catalog)]
    done = CliRunner().invoke(
        main, [*options, "--lang", "vi", "--today", "2026-11-22", "handin", *command]
    )
    assert done.exit_code == 0, done.output
    assert [words for words in said if words not in done.output] == []


def test_outside_a_demo_a_command_is_that_of_the_account_and_of_nobody_named(run, installation):
    login = pwd.getpwuid(os.getuid()).pw_name
    people = {**PEOPLE, "sign_on": {"way": "oidc"}}
    people["people"] = [{**PEOPLE["people"][0], "accounts": [f"os:{login}"]}, PEOPLE["people"][1]]
    installation.people.write_text(yaml.safe_dump(people), encoding="utf-8")
    refused = run("handin", "withdraw", "000001", "--who", "lan", "--reason", "x", code=1)
    assert "is that of nhan, not of lan" in refused["errors"][0]["problem"]


def test_without_a_people_file_nothing_is_handed_in(run, installation):
    installation.people.unlink()
    assert "no people file" in run("handin", "due", code=1)["errors"][0]["problem"]
