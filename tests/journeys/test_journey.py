"""The dashboard in a real browser: every page, both languages, three widths; nothing gets out."""

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboard.invented import write_build

sync_api = pytest.importorskip("playwright.sync_api")
BROWSER = Path("/usr/bin/chromium")
ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
CHART = ".stVegaLiteChart canvas.marks, .stVegaLiteChart svg.marks"
PAGES = ("", "targets", "indicators?indicator=people", "communes?area=90001", "accuracy", "data")

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(not BROWSER.exists(), reason="no browser on this machine"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own on a free port, with the invented build of today."""
    home = tmp_path_factory.mktemp("state")
    write_build(home, dt.datetime.now(tz=dt.UTC).date())
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    start = (
        "from pathlib import Path; from dashboard.server import serve; "
        f"serve(Path({str(home)!r}), port={port})"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", start],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://localhost:{port}"
    _wait(f"{url}/health")
    yield url
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=20)


def _wait(url: str) -> None:
    for _ in range(150):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"no server at {url}")


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.BrowserContext"]:
    """One browser with one cache: only the first page is fetched from scratch."""
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(BROWSER), args=FLAGS)
        yield chromium.new_context(locale="en-US", reduced_motion="reduce")


class Visit:
    """One tab: what it asked for, what it complained about, and what it shows."""

    def __init__(self, browser: "sync_api.BrowserContext", address: str, width: int = 1440) -> None:
        self.address = address
        self.page = browser.new_page()
        self.page.set_viewport_size({"width": width, "height": 1000})
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._asked)
        self.page.on("console", self._said)

    def _asked(self, request: "sync_api.Request") -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.outside.append(request.url)

    def _said(self, message: "sync_api.ConsoleMessage") -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def open(self, path: str, *, chart: bool = True) -> None:
        """Go there, and wait until it stands still."""
        self.page.goto(f"{self.address}/{path}")
        self.settle(chart=chart)

    def settle(self, *, chart: bool = True) -> None:
        self.page.wait_for_selector(READY, timeout=30_000)
        self.page.wait_for_selector("h1", timeout=30_000)
        if chart:
            self.page.wait_for_selector(CHART, timeout=30_000)
        self.page.wait_for_selector(READY, timeout=30_000)

    def title(self) -> str:
        return self.page.locator("h1").first.inner_text()

    def wait_for_title(self, part: str) -> None:
        self.page.locator("h1", has_text=part).first.wait_for(timeout=30_000)
        self.page.wait_for_selector(READY, timeout=30_000)


@pytest.fixture
def visit(browser, address):
    made = []

    def enter(width: int = 1440) -> Visit:
        made.append(Visit(browser, address, width))
        return made[-1]

    yield enter
    for one in made:
        one.page.close()


@pytest.mark.parametrize(("width", "lang"), [(1440, "vi"), (820, "en"), (380, "vi"), (380, "en")])
def test_every_page_opens_quietly_and_fits(visit, width, lang):
    one = visit(width)
    for path in PAGES:
        joint = "&" if "?" in path else "?"
        one.open(f"{path}{joint}lang={lang}", chart=path != "data")
        one.page.wait_for_timeout(250)
        assert one.page.locator(".stException").count() == 0, path
        assert one.page.evaluate("document.documentElement.lang") == lang
        wide = one.page.evaluate(
            "Math.max(document.documentElement.scrollWidth, "
            "...[...document.querySelectorAll('[data-testid=stMain]')].map(e => e.scrollWidth))"
        )
        assert wide <= width, f"{path} is {wide} wide"
    assert one.outside == []
    assert one.complaints == []


def test_a_page_below_the_root_asks_its_server_for_nothing_in_vain(visit):
    one = visit()
    asked = []
    one.page.on("response", lambda response: asked.append((response.status, response.url)))
    one.open("data", chart=False)
    assert [url for status, url in asked if status >= 400] == []
    assert f"{one.address}/_stcore/health" in [url for _, url in asked]
    assert one.complaints == []


@pytest.mark.parametrize("width", [1440, 380])
def test_the_first_screen_breaks_no_rule_of_accessibility(visit, width):
    axe = pytest.importorskip("axe_playwright_python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    one = visit(width)
    one.open("")
    one.page.wait_for_timeout(500)
    # The policy of the page forbids eval, which Playwright's own injection needs.
    tools = one.page.context.new_cdp_session(one.page)
    tools.send("Runtime.evaluate", {"expression": script})
    run = "axe.run().then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes[0].html])))"
    answer = tools.send("Runtime.evaluate", {"expression": run, "awaitPromise": True})
    assert json.loads(answer["result"]["value"]) == []


def test_the_language_changes_at_one_tap_and_the_view_stays(visit):
    one = visit()
    one.open("communes?area=90003&field=land")
    one.page.get_by_text("English", exact=True).click()
    one.wait_for_title("The 103 communes")
    assert one.page.get_by_text("Bịa Đặt 3: about").count() == 1
    assert {"area=90003", "field=land", "lang=en"} <= set(one.page.url.split("?")[1].split("&"))
    assert one.page.evaluate("document.documentElement.lang") == "en"
    one.page.get_by_text("Overview", exact=True).click()
    one.wait_for_title("where it stands")


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
    one.page.locator("h2", has_text="Bịa Đặt 1: dự báo").wait_for(timeout=15_000)
    assert "area=90001" in one.page.url


def test_the_policy_closes_the_page_and_its_language_is_in_the_markup(address):
    request = urllib.request.Request(f"{address}/?lang=en", headers={"accept": "text/html"})
    with urllib.request.urlopen(request) as answer:
        page, policy = answer.read().decode(), answer.headers["content-security-policy"]
    assert '<html lang="en">' in page
    assert "<title>Cần Thơ Foresight</title>" in page
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
