"""What the documents show is what works."""

import io
import re
import shlex
from datetime import date
from pathlib import Path

import click
import numpy as np
import pytest
from conftest import HEAD, ROOT, observed
from openpyxl import Workbook

from dashboard.cli import main
from etl.catalog import parse_catalog
from etl.extract import READERS
from etl.settings import Limits, Settings
from forecasts.lanes import lanes_of

DOCS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def blocks(name: str, language: str) -> list[str]:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_plain_table_of_the_guide_is_an_entry_of_the_catalog():
    (entry,) = [
        block for block in blocks("adding-a-dataset.md", "yaml") if "- name: communes" in block
    ]
    assert parse_catalog(HEAD + entry).datasets["communes"].delivered == ["population_registered"]
    assert len(entry.strip().splitlines()) <= 15


def test_the_table_with_quarters_as_columns_of_the_guide_loads(refresh):
    (entry,) = [
        text for text in blocks("adding-a-dataset.md", "yaml") if "quarterly_report" in text
    ]
    made = Workbook()
    page = made.active
    page.append(["BÁO CÁO NĂM 2025"])
    page.append(["Địa phương", "Quý III", None, "Quý IV", None])
    page.append([None, "Chứng thực", "Hộ tịch", "Chứng thực", "Hộ tịch"])
    page.append(["Phường Ninh Kiều", 10, 4, 12, 5])
    page.append(["Phường Cái Răng", 7, 3, 8, 2])
    page.append(["Tổng số", 17, 7, 20, 7])
    for merged in ("A2:A3", "B2:C2", "D2:E2"):
        page.merge_cells(merged)
    book = io.BytesIO()
    made.save(book)
    with refresh(
        entry.replace("data/sources/justice/", ""), quarters_xlsx=book.getvalue()
    ) as build:
        found = observed(build, "area = '31135'")
    assert found.select("indicator", "period", "value").rows() == [
        ("certified", date(2025, 7, 1), 10.0),
        ("certified", date(2025, 10, 1), 12.0),
        ("registered", date(2025, 7, 1), 4.0),
        ("registered", date(2025, 10, 1), 5.0),
    ]


def test_the_sources_of_the_guide_are_entries_of_the_catalog():
    (found,) = [block for block in blocks("adding-a-dataset.md", "yaml") if "ckan:" in block]
    for number, source in enumerate(found.split("\n\n")):
        entry = f"- name: d{number}\n  title: Đ\n{source}\n  schema: {{fields: [{{name: n}}]}}\n"
        assert parse_catalog(HEAD + entry).resources[0].format in READERS


def test_the_site_file_of_the_guide_is_one(tmp_path):
    (text,) = blocks("site-settings.md", "yaml")
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    site = Settings(home=tmp_path, catalog=tmp_path / "data_catalog.yaml").site()
    assert site.limits == Limits()
    assert [host.private for host in site.hosts] == [False, True, True, False]


def test_the_model_of_the_guide_forecasts():
    (code,) = blocks("adding-a-model.md", "python")
    made: dict[str, object] = {}
    exec(code, made)
    histories = np.array([[9.0, 9, 9, 1, 2, 3, 4], [np.nan, 5, 5, 5, 5, 5, 9], [np.nan] * 6 + [7]])
    lanes = lanes_of(histories, 4, np.zeros(3), np.zeros(3, dtype=int))
    np.testing.assert_equal(made["MODEL"].paths(lanes, 2), [[2.5] * 2, [6.0] * 2, [np.nan] * 2])


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_stands_in_the_list_of_commands(command):
    assert f"`foresight {command}" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def shown_commands(path: Path) -> list[str]:
    """What stands behind `foresight`, in blocks and in the text."""
    text = path.read_text(encoding="utf-8")
    return re.findall(r"^ {4}(?:\w+=\S+ )?foresight (.*)$", text, flags=re.MULTILINE) + re.findall(
        r"`(?:\w+=\S+ )?foresight ([^`]*)`", text
    )


def unknown_words(typed: str) -> list[str]:
    """Of a command as it is shown, the names and options that the program does not know."""
    command: click.Command = main
    words, unknown = iter(shlex.split(typed, comments=True)), []
    for word in words:
        option = next((one for one in command.params if word in one.opts), None)
        if isinstance(option, click.Option):
            if not option.is_flag:
                next(words)
        elif word.startswith("--"):
            unknown.append(word)
        elif isinstance(command, click.Group):
            if word not in command.commands:
                return [*unknown, word]
            command = command.commands[word]
    return unknown


def test_a_command_that_is_not_there_and_an_option_that_is_not_are_noticed():
    assert unknown_words("--lang vi builds --keep 3 --kept") == ["--kept"]
    assert unknown_words("alerts rings") == ["rings"]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_command_shown_is_one_and_has_the_options_shown(path):
    assert {typed: wrong for typed in shown_commands(path) if (wrong := unknown_words(typed))} == {}


ROOMS = re.compile(r"^## `(\w+)/`(.*?)(?=^## )", flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("package", ["etl", "forecasts", "dashboard"])
def test_every_module_has_its_place_in_the_architecture_and_nothing_else_has(package):
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", dict(ROOMS.findall(text))[package], flags=re.MULTILINE)
    named = {ROOT / package / name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert [str(path) for path in named if not path.exists()] == []
    modules = {path for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"}
    assert [str(path) for path in modules if not {path, *path.parents} & named] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(path):
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_the_event_of_the_guide_is_one():
    (entry,) = [text for text in blocks("adding-a-dataset.md", "yaml") if text.startswith("events")]
    dataset = "- name: d\n  title: Đ\n  sources: [{path: d.csv}]\n  schema: {fields: [{name: n}]}\n"
    (event,) = parse_catalog(HEAD + dataset + entry).events
    assert event.masked == ["2025-07"]
