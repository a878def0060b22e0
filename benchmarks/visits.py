"""Visits with a real browser: when a page is painted, and when a choice has changed what is shown.

All times are the browser's own, from its navigation or from the key that chooses. A page is painted
once everything above the fold is: elements come in order, so that is so when one stands below it or
the script has ended, nothing above it is still on its way, every chart that begins above it has its
marks, and two frames have passed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BROWSER = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEW = {"width": 1440, "height": 1000}
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
MARKS = "canvas.marks, svg.marks"
LONGEST = 120_000
STILL = 1_500
"""Milliseconds after which nothing more is expected to change."""
FRAME = "new Promise(d => requestAnimationFrame(() => d()))"
PAINTED = (
    """async () => {
  const come = () => document.querySelector('READY') ||
    [...document.querySelectorAll('[data-testid=stElementContainer]')].some(element =>
      element.getBoundingClientRect().top > innerHeight);
  const above = element => element.getBoundingClientRect().top < innerHeight;
  const open = () => !come() ||
    [...document.querySelectorAll('[data-testid=stSkeleton]')].some(above) ||
    [...document.querySelectorAll('.stVegaLiteChart')].some(chart =>
      above(chart) && !chart.querySelector('MARKS'));
  while (open()) await FRAME;
  await FRAME;
  await FRAME;
  return performance.now();
}""".replace("MARKS", MARKS)
    .replace("FRAME", FRAME)
    .replace("READY", READY)
)
WATCH = """() => {
  window.seen = {};
  const note = (name, node) => new MutationObserver(() => {
    window.seen[name] ??= performance.now(); window.seen[name + '_last'] = performance.now();
  }).observe(node, {childList: true, subtree: true, characterData: true, attributes: true});
  note('text', document.querySelector('TEXT').parentElement);
  const chart = document.querySelector('CHART');
  if (chart) note('chart', chart);
  addEventListener('keydown', e => {
    if (e.key === 'Enter') { window.seen = {key: performance.now()}; }
  }, {capture: true});
}"""


@dataclass(frozen=True)
class Page:
    """A page that is measured: its address, and what a choice changes on it, as selectors."""

    address: str
    text: str
    chart: str = ".stVegaLiteChart"


@contextmanager
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(BROWSER), args=FLAGS)
        yield started
        started.close()


def cold(started: Any, page: Page) -> float:
    """Milliseconds to paint for one who was never there."""
    context = started.new_context(locale="vi-VN", viewport=VIEW)
    try:
        return _painted(context.new_page(), page)
    finally:
        context.close()


@contextmanager
def returning(started: Any, pages: list[Page]) -> Iterator[Any]:
    """One who has been on each of the pages: their scripts and styles are here."""
    context = started.new_context(locale="vi-VN", viewport=VIEW)
    for page in pages:
        warm(context, page)
    yield context
    context.close()


def warm(context: Any, page: Page) -> float:
    """Milliseconds to paint for one who returns."""
    tab = context.new_page()
    try:
        return _painted(tab, page)
    finally:
        tab.close()


def _painted(tab: Any, page: Page) -> float:
    tab.goto(page.address, wait_until="commit")
    tab.wait_for_selector("h1", timeout=LONGEST)
    return float(tab.evaluate(PAINTED))


def choices(context: Any, page: Page, times: int) -> tuple[list[float], list[float]]:
    """Milliseconds from so many choices to the new text, and to the last change of the chart.

    The second is empty on a page without a chart.
    """
    tab = context.new_page()
    _painted(tab, page)
    tab.wait_for_selector(READY, timeout=LONGEST)
    tab.wait_for_timeout(STILL)
    tab.evaluate(WATCH.replace("TEXT", page.text).replace("CHART", page.chart))
    seen = [_choose(tab) for _ in range(times)]
    tab.close()
    text = [one["text"] - one["key"] for one in seen if "text" in one]
    chart = [one["chart_last"] - one["key"] for one in seen if "chart_last" in one]
    return text, chart


def _choose(tab: Any) -> dict[str, float]:
    """Choose the next option by keyboard, and wait until nothing changes."""
    box = tab.locator(".st-key-field input").first
    box.focus()
    box.press("ArrowDown")
    tab.wait_for_timeout(100)
    box.press("ArrowDown")
    box.press("Enter")
    tab.wait_for_timeout(STILL)
    tab.wait_for_selector(READY, timeout=LONGEST)
    found: dict[str, float] = tab.evaluate("() => window.seen")
    return found
