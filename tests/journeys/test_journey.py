"""The dashboard in a real browser: every page, both languages, three widths; nothing gets out."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.visits import BROWSER
from etl.clock import today
from tests.dashboard.invented import write_build
from tests.journeys.visits import PATIENCE, Visit, served

PAGES = {
    "": True,
    "targets": False,
    "alerts": False,
    "workload": True,
    "scenarios": False,
    "indicators?indicator=people": True,
    "communes?area=90001": True,
    "accuracy": True,
    "data": False,
    "about": False,
}
"""Every page, and whether the invented city has a chart on it."""
WIDTHS = (380, 820, 1440)
A4 = 700
"""Pixels between the margins of a sheet."""
LOOKS = 600
FOLDS = "document.querySelectorAll('.stHtml details').forEach(fold => { fold.open = !fold.open })"
"""Opens what is folded away in our own markup; once more, and it is as before."""
WIDEST = (
    "Math.max(document.documentElement.scrollWidth, "
    "...[...document.querySelectorAll('[data-testid=stMain]')].map(e => e.scrollWidth))"
)
DRAWN_WIDEST = (
    f"new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done({WIDEST}))))"
)
"""The same, once what a change of the window set off is drawn."""
MAIN_VIEWS = ("", "indicators?indicator=people")
BLOCKS = (
    "h1, h2, .cf-thing, .cf-band, .cf-card, .cf-multiple, .cf-table, .cf-origin, .stVegaLiteChart"
)
BOXES = (
    f"[...document.querySelectorAll({BLOCKS!r})].filter(e => e.offsetWidth).map(e => {{"
    "const box = e.getBoundingClientRect(); "
    "const kind = e.classList[0] && /^cf-|^stVega/.test(e.classList[0]) ? e.classList[0] : "
    "e.tagName.toLowerCase(); return [kind, Math.round(box.x), Math.round(box.width)]})"
)
AGREED = Path(__file__).parent / "layout.json"
TOLERANCE = 24
"""Pixels a block may move, or grow: letters and scroll bars differ between browsers."""

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not BROWSER.exists(), reason="no browser on this machine"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own on a free port, with the invented build of today."""
    home = tmp_path_factory.mktemp("state")
    write_build(home, today())
    with served(home) as found:
        yield found


@pytest.fixture
def visit(browser, address):
    made = []

    def enter(width: int = 1440) -> Visit:
        made.append(Visit(browser, address, width))
        return made[-1]

    yield enter
    for one in made:
        one.page.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The checker of accessibility, as a script."""
    package = pytest.importorskip("axe_playwright_python")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def test_a_page_below_the_root_asks_its_server_for_nothing_in_vain(visit):
    one = visit()
    asked = []
    one.page.on("response", lambda response: asked.append((response.status, response.url)))
    one.open("data", chart=False)
    assert [url for status, url in asked if status >= 400] == []
    assert f"{one.address}/_stcore/health" in [url for _, url in asked]
    assert one.complaints == []


def _broken(visit: Visit, axe: str) -> list[list[str]]:
    """The rules of accessibility this page breaks, what is folded away included; a place each."""
    visit.page.evaluate(FOLDS)
    # The policy of the page forbids eval, which Playwright's own injection needs.
    tools = visit.page.context.new_cdp_session(visit.page)
    tools.send("Runtime.evaluate", {"expression": axe})
    run = "axe.run().then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes[0].html])))"
    answer = tools.send("Runtime.evaluate", {"expression": run, "awaitPromise": True})
    tools.detach()
    visit.page.evaluate(FOLDS)
    return list(json.loads(answer["result"]["value"]))


def _wide(visit: Visit, width: int) -> int:
    """How wide the page is at a width of the window, once its charts have followed."""
    visit.page.set_viewport_size({"width": width, "height": 1000})
    wide = int(visit.page.evaluate(DRAWN_WIDEST))
    for _ in range(LOOKS):
        if wide <= width:
            break
        visit.page.wait_for_timeout(100)
        wide = int(visit.page.evaluate(DRAWN_WIDEST))
    return wide


def _boxes(visit: Visit) -> list[list[object]]:
    """The blocks of a page in their order: kind, left edge, width; equal neighbours once."""
    found: list[list[object]] = visit.page.evaluate(BOXES)
    return [box for n, box in enumerate(found) if not n or box != found[n - 1]]


@dataclass
class Walk:
    """A walk over every page at every width and in both languages, and what it has shown."""

    visit: Visit
    axe: str
    broken: list[tuple[object, ...]] = field(default_factory=list)
    """Pages too wide, with an error on them, or against a rule of accessibility."""
    layout: dict[str, list[list[object]]] = field(default_factory=dict)
    """The blocks of the main views in Vietnamese, by `path width`."""

    def vietnamese(self, path: str, width: int) -> None:
        """Look at a page, check its accessibility, and note where the blocks of a main view are."""
        self.look(path, "vi", width)
        if width == WIDTHS[0] or (width == WIDTHS[2] and not path):
            self.broken += [(path, width, *rule) for rule in _broken(self.visit, self.axe)]
        if path in MAIN_VIEWS and width in (WIDTHS[0], WIDTHS[2]):
            self.layout[f"{path or 'overview'} {width}"] = _boxes(self.visit)

    def look(self, path: str, lang: str, width: int) -> None:
        page, wide = self.visit.page, _wide(self.visit, width)
        if wide > width:
            self.broken.append((path, lang, width, "too wide", wide))
        if page.locator(".stException").count():
            self.broken.append((path, lang, "an exception"))
        if (spoken := page.evaluate("document.documentElement.lang")) != lang:
            self.broken.append((path, lang, "speaks", spoken))


@pytest.fixture(scope="module")
def walk(browser, address, axe) -> Walk:
    """Each page is loaded once, widened step by step, told to speak English, and narrowed again."""
    one = Visit(browser, address, WIDTHS[0])
    walked = Walk(one, axe)
    for path, chart in PAGES.items():
        one.page.set_viewport_size({"width": WIDTHS[0], "height": 1000})
        one.open(f"{path}{'&' if '?' in path else '?'}lang=vi", chart=chart)
        for width in WIDTHS:
            walked.vietnamese(path, width)
        one.page.get_by_text("English", exact=True).click()
        one.page.wait_for_selector("html[lang=en]", state="attached", timeout=PATIENCE)
        one.settle(chart=chart)
        for width in reversed(WIDTHS):
            walked.look(path, "en", width)
    one.page.close()
    return walked


def test_every_page_opens_quietly_fits_and_breaks_no_rule_of_accessibility(walk):
    assert walk.broken == []
    assert walk.visit.outside == []
    assert walk.visit.complaints == []


def test_the_main_views_are_laid_out_as_agreed(walk):
    """Boxes, not pixels: letters differ from one browser to the next, places of blocks do not.

    Colours are computed in `test_contrast`. After a change that is meant, `LAYOUT=write` writes the
    file anew; look at the pages first.
    """
    if os.environ.get("LAYOUT") == "write":
        lines = [f"  {json.dumps(view)}: {json.dumps(walk.layout[view])}" for view in walk.layout]
        AGREED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    agreed = json.loads(AGREED.read_text(encoding="utf-8"))
    assert walk.layout.keys() == agreed.keys()
    for view, boxes in walk.layout.items():
        kinds = [kind for kind, *_ in boxes]
        assert kinds == [kind for kind, *_ in agreed[view]], view
        moved = [
            (now, then)
            for now, then in zip(boxes, agreed[view], strict=True)
            if max(abs(a - b) for a, b in zip(now[1:], then[1:], strict=True)) > TOLERANCE
        ]
        assert moved == [], view


def test_the_language_changes_at_one_tap_and_the_view_stays(visit):
    one = visit()
    one.open("communes?area=90003&field=land")
    one.page.get_by_text("English", exact=True).click()
    one.wait_for("h1", "The 103 communes")
    assert one.page.get_by_text("Bịa Đặt 3: about").count() == 1
    assert {"area=90003", "field=land", "lang=en"} <= set(one.page.url.split("?")[1].split("&"))
    assert one.page.evaluate("document.documentElement.lang") == "en"
    one.page.get_by_text("Overview", exact=True).click()
    one.wait_for("h1", "where it stands")


def test_a_link_restores_the_view(visit):
    one = visit()
    one.open("indicators?indicator=people&lang=en")
    assert one.page.get_by_role("heading", name="People").count() == 1


def test_a_tile_tapped_shows_its_commune(visit):
    one = visit()
    one.open("communes")
    chart = one.page.locator(".st-key-chart_map canvas.marks, .st-key-chart_map svg.marks").first
    box = chart.bounding_box()
    one.page.mouse.click(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.15)
    one.wait_for("h2", "Bịa Đặt 1: dự báo")
    assert "area=90001" in one.page.url


def test_a_leader_reads_what_to_know_first_and_taps_to_what_stands_behind_it(visit):
    one = visit(380)
    one.open("", chart=False)
    said = one.page.locator(".cf-thing .said").all_inner_texts()
    assert 1 <= len(said) <= 5
    assert max(len(sentence.split()) for sentence in said) <= 25
    one.page.locator(".cf-thing", has_text="Tăng trưởng năm 2025").click()
    one.wait_for("h1", "Chỉ tiêu")
    one.wait_for("h2", "Tăng trưởng")
    # What was tapped stands there again, judged, with the document that set it.
    one.wait_for("tr:has(a)", "Tăng trưởng năm 2025")
    one.page.get_by_text("Số này từ đâu").click()
    one.wait_for("details.cf-origin[open]", "Sách bịa")
    assert one.complaints == []


def test_an_analyst_finds_a_dataset_its_rejected_rows_and_its_forecast(visit):
    one = visit()
    one.open("data", chart=False)
    assert one.page.get_by_text("Số liệu bịa đặt", exact=True).count() >= 1
    assert one.page.get_by_text("31/02/2026").count() == 1
    with one.page.expect_download() as taken:
        one.page.locator(".st-key-download_rejected button").click()
    assert "31/02/2026" in Path(taken.value.path()).read_text(encoding="utf-8-sig")
    one.page.get_by_text("Xã, phường", exact=True).first.click()
    one.wait_for("h1", "103")
    one.open("communes?area=90001")
    one.page.locator(".st-key-files_commune summary").click()
    with one.page.expect_download() as picture:
        one.page.locator(".st-key-download_chart_commune_png button").click()
    assert Path(picture.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert one.complaints == []


def test_a_department_finds_what_it_published_with_source_and_day(visit):
    one = visit()
    one.open("indicators?indicator=growth", chart=False)
    table = one.page.locator(".cf-table", has_text="7,23%").last
    assert "Sách bịa" in table.inner_text() or table.locator("a").count() > 0
    one.page.locator("details.cf-origin summary").click()
    origin = one.page.locator("details.cf-origin").inner_text()
    assert "Số liệu bịa đặt (published)" in origin
    assert "Người bịa" in origin
    assert "CC-BY-4.0" in origin


def test_a_page_prints_on_a4_without_its_navigation(visit):
    one = visit()
    one.open("")
    one.page.emulate_media(media="print")
    assert not one.page.locator("[data-testid=stHeader]").is_visible()
    assert not one.page.locator(".stDownloadButton").first.is_visible()
    assert _wide(one, A4) <= A4


def test_an_unknown_address_is_told_in_the_language_of_the_page(visit):
    one = visit(380)
    one.open("khong-co", chart=False)
    one.page.get_by_role("dialog").get_by_text("Không có trang").first.wait_for(timeout=PATIENCE)
    assert one.page.get_by_text("Page not found").count() == 0


def test_the_policy_closes_the_page_and_its_language_is_in_the_markup(address):
    request = urllib.request.Request(f"{address}/?lang=en", headers={"accept": "text/html"})
    with urllib.request.urlopen(request) as answer:
        page, policy = answer.read().decode(), answer.headers["content-security-policy"]
    assert '<html lang="en">' in page
    assert "<title>Cần Thơ Foresight</title>" in page
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
