"""The browser of the journeys."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from benchmarks.visits import BROWSER, FLAGS
from tests.journeys.visits import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext


@pytest.fixture(scope="module")
def browser() -> Iterator["BrowserContext"]:
    """One browser with one cache: only the first page is fetched from scratch."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(BROWSER), args=FLAGS)
        context = chromium.new_context(locale="en-US", reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        yield context
