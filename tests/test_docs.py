"""What the documents show is what works."""

import io
import re
from datetime import date

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
def test_every_command_stands_in_the_readme(command):
    assert f"foresight {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(path):
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_the_event_of_the_guide_is_one():
    (entry,) = [text for text in blocks("adding-a-dataset.md", "yaml") if text.startswith("events")]
    dataset = "- name: d\n  title: Đ\n  sources: [{path: d.csv}]\n  schema: {fields: [{name: n}]}\n"
    (event,) = parse_catalog(HEAD + dataset + entry).events
    assert event.masked == ["2025-07"]
