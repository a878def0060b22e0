"""The commands, as scripts and schedules rely on them."""

import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner
from conftest import HEAD
from openpyxl import Workbook

from dashboard.cli import main
from etl.settings import Settings

ENTRY = """
- name: visitors
  title: Khách
  sources: [{path: visitors.csv}]
  clean: {areas: {level: city}, max_rejected: 1}
  schema:
    fields:
    - {name: area, from: [Nơi]}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: value, type: integer, from: [Lượt khách]}
  indicators: [{name: visitors, title: Khách, title_en: Visitors}]
  forecast: {frequency: month, horizon: 3, grains: [city]}
"""


def commands_of(installation):
    """Runs commands on the installation, once its catalog and its one file are written."""
    months = [f"{m:02}/{y}" for y in (2023, 2024, 2025) for m in range(1, 13)]
    rows = [f"Cần Thơ (mới),{month},{1000 + 10 * i}" for i, month in enumerate(months)]
    installation.catalog.write_text(HEAD + ENTRY, encoding="utf-8")
    (installation.catalog.parent / "visitors.csv").write_text(
        "\n".join(["Nơi,Tháng,Lượt khách", *rows, "Nơi Lạ,01/2026,5"]) + "\n", encoding="utf-8"
    )

    def invoked(*arguments: str):
        options = ["--home", str(installation.home), "--catalog", str(installation.catalog)]
        return CliRunner().invoke(main, [*options, "--today", "2026-11-22", *arguments])

    return invoked


@pytest.fixture
def run(installation):
    return commands_of(installation)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Runs commands that change nothing, on one installation that was refreshed."""
    folder = tmp_path_factory.mktemp("refreshed")
    (folder / "state").mkdir()
    asked = commands_of(Settings(home=folder / "state", catalog=folder / "data_catalog.yaml"))
    assert asked("refresh").exit_code == 0
    return asked


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help(command):
    shown = CliRunner().invoke(main, [command, "--help"])
    assert shown.exit_code == 0
    assert main.commands[command].help


def test_a_refresh_loads_forecasts_and_moves_the_pointer_and_the_second_has_nothing_to_do(run):
    first = run("--json", "refresh")
    assert first.exit_code == 0, first.output
    outcome = json.loads(first.output.splitlines()[-1])
    assert (outcome["accepted"], outcome["rejected"], outcome["series_forecast"]) == (36, 1, 1)
    second = run("--json", "refresh")
    assert json.loads(second.output.splitlines()[-1]) == {"build": "00001", "changed": False}


def test_a_replay_is_kept_apart_from_what_was_issued(run):
    assert run("--json", "refresh").exit_code == 0
    shown = run("--json", "track-record", "--replay", "1")
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.output.splitlines()[-1])
    assert list(told) == ["issued", "replayed"]
    assert told["issued"]["by_horizon"] == []
    assert [row["horizon"] for row in told["replayed"]["by_horizon"]] == [1]
    assert run("--json", "refresh").exit_code == 0
    assert list(json.loads(run("--json", "track-record").output)) == ["issued", "replayed"]


def test_a_forecast_is_explained_for_people_and_for_machines(ask):
    told = ask("--lang", "vi", "explain", "visitors")
    assert told.exit_code == 0, told.output
    assert told.output.startswith("Tháng 1/2026: khoảng 1.3")
    assert "kiểm định ngược" in told.output
    steps = json.loads(ask("--json", "explain", "visitors").output)["steps"]
    assert [step["period"] for step in steps] == ["2026-01-01", "2026-02-01", "2026-03-01"]
    assert sum(steps[0]["parts"].values()) == pytest.approx(steps[0]["expected"])
    later = ask("--lang", "en", "explain", "visitors", "--ahead", "2").output
    assert later.startswith("Feb 2026: about ")
    assert "The latest forecasts 2 periods ahead" in later
    unknown = ask("explain", "visitor")
    assert unknown.exit_code == 1
    assert "did you mean 'visitors'?" in unknown.output


def test_a_refresh_says_which_source_did_not_answer_and_how_old_its_copy_is(run, installation):
    folder = installation.catalog.parent
    served = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        Thread(target=server.serve_forever, args=(0.02,)).start()
        place = f"127.0.0.1:{server.server_port}"
        installation.catalog.write_text(
            HEAD + ENTRY.replace("visitors.csv", f"http://{place}/visitors.csv"), encoding="utf-8"
        )
        (folder / "site.yaml").write_text(
            f"hosts: [{{name: '{place}', private: true, plain_http: true}}]\n"
            "limits: {attempts: 1}"
        )
        assert "visitors: not fetched yet" in run("check").output
        first = run("refresh")
        server.shutdown()
    assert first.exit_code == 0, first.output
    second = json.loads(run("--json", "refresh").output.splitlines()[-1])
    (stale,) = second["stale"]
    assert "no connection; the copy of" in stale
    assert "(0 days old) stays in use" in stale


def test_rejected_rows_are_listed_with_their_place_and_rule(ask):
    shown = json.loads(ask("--json", "rejected").output.splitlines()[0])
    assert [(row["record"], row["rule"], row["value"]) for row in shown] == [
        (37, "area_known", "Nơi Lạ")
    ]
    heads, row = ask("rejected").output.splitlines()[:2]
    assert heads.split() == ["dataset", "file", "sheet", "record", "field", "rule", "value"]
    assert row.split() == ["visitors", "visitors.csv", "37", "area", "area_known", "Nơi", "Lạ"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("refresh", "--rows", "-5"),
        ("refresh", "--wait", "-1"),
        ("rejected", "--limit", "-1"),
        ("explain", "visitors", "--ahead", "-3"),
        ("staffing", "--times", "0"),
        ("serve", "--port", "99999999"),
    ],
)
def test_a_number_that_cannot_be_is_refused_before_anything_is_done(run, arguments, installation):
    assert run(*arguments).exit_code == 2
    assert list(installation.home.iterdir()) == []


def test_a_built_installation_answers_strictly_and_says_what_it_does_not_hold(ask):

    def strict(word: str) -> None:
        pytest.fail(f"{word} is not JSON")

    for command in ("models", "track-record", "targets", "corrections", "rejected", "builds"):
        told = ask("--json", command)
        assert told.exit_code == 0, told.output
        assert json.loads(told.output, parse_constant=strict) is not None
    for command in ("rejected", "corrections"):
        asked = ask(command, "--dataset", "visitor")
        assert asked.exit_code == 1
        assert "there is no dataset 'visitor'" in asked.output
        assert "those are: visitors" in asked.output
    beyond = ask("explain", "visitors", "--ahead", "4")
    assert beyond.exit_code == 1
    assert "the forecast ends 3 periods ahead, before 4" in beyond.output


def test_rejected_records_are_given_back_with_a_word_on_whose_they_are(ask, tmp_path):
    shown = ask("rejected", "--out", str(tmp_path / "returned"))
    assert shown.exit_code == 0, shown.output
    assert "everything the department sent, sensitive columns too" in shown.output
    assert [path.name for path in (tmp_path / "returned").iterdir()] == ["visitors.can-sua.xlsx"]


def test_builds_are_listed_and_undone(run, installation):
    run("refresh")
    path = installation.catalog.parent / "visitors.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("1000", "1001"), encoding="utf-8")
    run("refresh")
    listed = json.loads(run("--json", "builds").output)
    assert [(row["current"], row["build"]) for row in listed] == [("*", "00002"), ("", "00001")]
    assert json.loads(run("--json", "undo").output.splitlines()[-1]) == {"build": "00001"}


def test_check_tells_all_mistakes_and_exits_with_one(run, installation):
    wrong = (
        (HEAD + ENTRY)
        .replace("title_en: Visitors", "titel_en: V")
        .replace("type: integer", "type: int")
    )
    installation.catalog.write_text(wrong, encoding="utf-8")
    shown = run("check")
    assert shown.exit_code == 1
    assert "Traceback" not in shown.output
    assert shown.output.count("data_catalog.yaml:") == 3


def test_an_error_under_json_is_for_machines(run, installation):
    installation.catalog.unlink()
    shown = run("--json", "check")
    assert shown.exit_code == 1
    assert "there is no catalog" in json.loads(shown.output)["errors"][0]["problem"]


def test_before_the_first_refresh_commands_say_what_to_run(run):
    shown = run("rejected")
    assert shown.exit_code == 1
    assert "run: foresight refresh" in shown.output


def test_a_day_that_is_none_is_refused(installation):
    shown = CliRunner().invoke(main, ["--today", "tomorrow", "check"])
    assert shown.exit_code == 2
    assert "write 2026-11-22" in shown.output


def test_errors_are_told_in_vietnamese_where_that_is_asked_for(run, installation, monkeypatch):
    wrong = HEAD + ENTRY.replace("title_en: Visitors", "titel_en: V").replace("integer", "int")
    installation.catalog.write_text(wrong, encoding="utf-8")
    told = run("--lang", "vi", "check").output
    assert "visitors.indicators.visitors.titel_en: 'titel_en' không phải khóa" in told
    assert "có phải ý ông/bà là 'title_en'?" in told
    monkeypatch.setenv("FORESIGHT_LANG", "vi")
    assert run("check").output == told
    assert "did you mean" in run("--lang", "en", "check").output
    machine = json.loads(run("--json", "check").output)["errors"]
    assert ("thiếu 'title_en'", "hãy bổ sung") in [(e["problem"], e["hint"]) for e in machine]


SHEET = """
- name: guests
  title: Lượt khách
  sources: [{path: guests.xlsx}]
  clean: {areas: {level: city}, max_rejected: 0.1}
  schema:
    fields:
    - {name: area, from: [Nơi]}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: value, type: integer, from: [Lượt khách]}
    - {name: phone, type: integer, from: [Điện thoại], sensitive: true}
  indicators: [{name: guests, title: Lượt khách, title_en: Guests}]
"""


def book(path, rows):
    workbook = Workbook()
    workbook.active.title = "Tháng"
    for row in [["Nơi", "Tháng", "Lượt khách", "Điện thoại"], *rows]:
        workbook.active.append(row)
    workbook.save(path)


def test_check_names_each_bad_cell_and_fails_where_there_are_too_many(run, installation):
    installation.catalog.write_text(HEAD + ENTRY + SHEET, encoding="utf-8")
    good = [["Cần Thơ (mới)", f"{month:02}/2026", 5, 1] for month in range(1, 4)]
    bad = ["Cần Thơ (mới)", "04/2026", "chưa có", "0912 bí mật"]
    book(installation.catalog.parent / "guests.xlsx", [*good, bad])
    told = run("--lang", "vi", "check")
    assert told.exit_code == 1
    assert "guests.xlsx: 1 trong 4 bản ghi có lỗi; guests chỉ cho phép 10.0%" in told.output
    assert (
        "guests.xlsx, Tháng, C5, “Lượt khách”: Không đọc được. Đang ghi: chưa có. "
        "Cần: một số nguyên, chỉ gồm chữ số\n  Cách sửa: Ghi lại theo đúng dạng."
    ) in told.output
    assert (
        "visitors.csv, bản ghi 37, “Nơi”: Không có trong danh mục. Đang ghi: Nơi Lạ." in told.output
    )
    assert "D5, “Điện thoại”: Không đọc được. Đang ghi: (không hiển thị)" in told.output
    assert "bí mật" not in told.output
    machine = json.loads(run("--json", "check").output)
    assert [error["where"] for error in machine["errors"]] == ["guests.xlsx"]
    assert ("C5", "chưa có") in [(cell["cell"], cell["found"]) for cell in machine["cells"]]
    assert run("check", "--catalog-only").exit_code == 0


def test_check_passes_with_warnings_where_a_refresh_would_go_on(run):
    told = run("check")
    assert told.exit_code == 0, told.output
    assert "warning: visitors.csv, record 37, “Nơi”: Not in the list of values" in told.output


def test_check_tells_every_file_that_cannot_be_read(run, installation):
    folder = installation.catalog.parent
    entry = ENTRY.replace("visitors.csv", "v/*.csv")
    installation.catalog.write_text(HEAD + entry, encoding="utf-8")
    (folder / "v").mkdir()
    (folder / "v" / "a.csv").write_text("Nơi,Tháng,Lượt khách\nCần Thơ (mới),01/2026,5\n")
    (folder / "v" / "b.csv").write_bytes(b"N\xff\n")
    (folder / "v" / "c.csv").write_text("Nơi,Tháng\nCần Thơ (mới),01/2026\n")
    told = run("check")
    assert told.exit_code == 1
    assert "b.csv:1: byte 1 is not UTF-8" in told.output
    assert "v/c.csv: no column for 'value'" in told.output


def test_check_tells_twenty_cells_of_a_file_and_counts_the_rest(run, installation):
    path = installation.catalog.parent / "visitors.csv"
    path.write_text("Nơi,Tháng,Lượt khách\n" + "Nơi Lạ,01/2026,5\n" * 30, encoding="utf-8")
    told = run("check").output
    assert told.count("Not in the list of values") == 20
    assert "visitors.csv: 10 more in this file" in told
