"""Handing in, in a real browser: two people, from the template to the page of the portal."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner
from openpyxl import Workbook, load_workbook

from benchmarks.visits import BROWSER
from dashboard.cli import main
from etl.clock import today
from etl.handin import MOST_BYTES
from etl.handin.vault import OLD_MACROS
from etl.periods import Frequency, Period
from tests.conftest import HEAD, zipped
from tests.dashboard.test_handin_commands import ENTRY, PEOPLE
from tests.journeys.visits import Visit, served

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not BROWSER.exists(), reason="no browser on this machine"),
]
ASKED = Period.containing(Frequency("month"), today()).next(-1)
"""The month that is over, of which a file is due."""
HOSTILE = {
    "tên tệp có ký tự mà không phần mềm văn phòng nào ghi ra": ("báo\u202exlsx.xlsx", b"PK"),
    "giải nén ra gấp": ("bom.xlsx", zipped({"xl/workbook.xml": "0" * 3_000_000})),
    "macro hoặc": ("lon.xlsx", OLD_MACROS + b"0" * (MOST_BYTES - len(OLD_MACROS))),
}
"""What is said of a file that is not taken, its name and its bytes; the last as large as may be."""


@dataclass(frozen=True)
class Office:
    """An installation that is served, and its commands."""

    home: Path
    catalog: Path
    address: str = ""

    def run(self, *arguments: str) -> Any:
        """What a command answers."""
        options = ["--home", str(self.home), "--catalog", str(self.catalog), "--json"]
        done = CliRunner().invoke(main, [*options, *arguments])
        assert done.exit_code == 0, done.output
        return json.loads(done.output.splitlines()[-1])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The figure of the month before is loaded and published; a demo is served here."""
    folder = tmp_path_factory.mktemp("office")
    made = Office(folder / "state", folder / "data_catalog.yaml")
    entry = ENTRY.replace("since: 2026-10", f"since: {ASKED}")
    published = "  publish: {theme: ECON, frequency: MONTHLY}\n"
    made.catalog.write_text(HEAD + entry + published, encoding="utf-8")
    (folder / "people.yaml").write_text(yaml.safe_dump(PEOPLE), encoding="utf-8")
    book = Workbook()
    book.active.append(["Nơi", "Tháng", "Lượt khách"])
    book.active.append(["Thành phố Cần Thơ", f"{ASKED.next(-1).start:%m/%Y}", 1100])
    (folder / "sources").mkdir()
    book.save(folder / "sources" / "guests_0.xlsx")
    made.run("refresh")
    made.run("publish")
    with served(made.home, FORESIGHT_CATALOG=str(made.catalog)) as address:
        yield Office(made.home, made.catalog, address)


class Desk:
    """One person at the page, in a tab of their own."""

    def __init__(self, browser: "BrowserContext", office: Office, who: str) -> None:
        self.visit = Visit(browser, office.address)
        self.page = self.visit.page
        self.visit.open("handin", chart=False)
        self.page.locator(".st-key-who input").click()
        self.page.get_by_role("option", name=re.compile(rf"^{who} ·")).click()
        self.sees(f"Đang làm việc: {who}", ".cf-note")

    def sees(self, words: str, where: str = "h2") -> None:
        """Wait until this is told."""
        self.visit.wait_for(where, words)

    def may(self, button: str) -> bool:
        """Whether there is a button of this name."""
        return self.page.get_by_role("button", name=button, exact=True).count() > 0

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def taken(self, button: str, to: Path) -> Path:
        """What a button gives to keep."""
        with self.page.expect_download() as given:
            self.page.get_by_role("button", name=re.compile(button)).first.click()
        given.value.save_as(to)
        return to

    def drop(self, file: Path, content: bytes) -> None:
        file.write_bytes(content)
        self.page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(file)


@pytest.fixture
def sit_down(browser, office):
    made = []

    def enter(who: str) -> Desk:
        made.append(Desk(browser, office, who))
        return made[-1]

    yield enter
    for one in made:
        one.page.close()


def filled(template: Path, guests: object) -> bytes:
    """The template with one figure typed in, as saved."""
    book = load_workbook(template)
    book.worksheets[0]["C2"] = guests
    book.save(template)
    return template.read_bytes()


def test_two_people_bring_a_file_from_the_template_to_the_portal(sit_down, office, tmp_path):
    maker = sit_down("Nhân")
    template = maker.taken("Tải mẫu Excel", tmp_path / "template.xlsx")
    for said, (name, content) in HOSTILE.items():
        maker.drop(tmp_path / name, content)
        maker.sees(said, "[data-testid=stAlert]")

    maker.drop(tmp_path / "qua-lon.xlsx", b"0" * (MOST_BYTES + 1_000_000))
    maker.sees("Tệp phải từ 20 MB trở xuống", "[data-testid=stFileUploader]")

    maker.drop(tmp_path / "khach.xlsx", filled(template, "nhiều"))
    maker.sees("Chưa nhận được: 1 bản ghi, 0 đạt, 1 không đạt")
    assert "C2" in maker.page.locator(".cf-table", has_text="nhiều").inner_text()
    assert not maker.may("Nộp")
    marked = load_workbook(maker.taken("ô sai đã đánh dấu", tmp_path / "marked.xlsx"))
    assert marked.sheetnames[0] == "Cần sửa - To mend"
    assert marked.worksheets[1]["C2"].fill.patternType == "solid"

    maker.drop(tmp_path / "khach-sua.xlsx", filled(template, 1200))
    maker.sees("Có thể nộp: 1 bản ghi, 1 đạt, 0 không đạt")
    maker.sees("Nếu nhận: thêm 1 số, sửa 0, rút 0")
    maker.press("Nộp")
    maker.sees("000002: chờ duyệt", "[data-testid=stAlert]")
    maker.sees("0 tệp chờ duyệt")
    assert not maker.may("Duyệt")

    checker = sit_down("Lan")
    checker.sees("Có thể nộp: 1 bản ghi, 1 đạt, 0 không đạt")
    checker.press("Duyệt")
    checker.sees("000002: đã duyệt", "[data-testid=stAlert]")

    office.run("handin", "release")
    office.run("refresh")
    office.run("publish")
    portal = office.home / "portal" / "guests"
    versions = json.loads((portal / "versions.json").read_text(encoding="utf-8"))["versions"]
    checker.page.goto((portal / "index.html").as_uri())
    shown = checker.page.locator("body").inner_text()
    assert [one["version"] in shown for one in versions] == [True, True]
    assert "1 dòng thêm" in shown
    assert "1200" in (portal / "data.csv").read_text(encoding="utf-8-sig")

    steps = office.run("handin", "audit")["steps"]
    assert [(one["submission"], one["step"], one["who"], one["via"]) for one in steps] == [
        ("000001", "drafted", "nhan", "page"),
        ("000001", "withdrawn", "nhan", "page"),
        ("000002", "drafted", "nhan", "page"),
        ("000002", "submitted", "nhan", "page"),
        ("000002", "approved", "lan", "page"),
        ("000002", "released", "schedule", "schedule"),
    ]
    assert all(one["at"] and one["from"] for one in steps)
    assert maker.visit.outside == []
    assert maker.visit.complaints == []
