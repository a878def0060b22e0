"""A served dashboard and a tab that visits it: what the journeys share."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.visits import READY

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Request

ROOT = Path(__file__).parents[2]
CHART = ".stVegaLiteChart canvas.marks, .stVegaLiteChart svg.marks"
COMING = "[data-testid=stSkeleton]"
"""What stands where a part will be whose code is still on its way."""
PATIENCE = 120_000
"""Milliseconds a page may take on a machine that does much else."""
STARTS, START = 3, 600
"""How often a server is started, and the seconds it may take where it is slow."""
STILL = f"""new Promise((done, fail) => {{
  const most = performance.now() + {PATIENCE};
  const end = () => performance.now() > most ? fail(new Error('the page never stands still'))
    : document.querySelector('{READY}') && !document.querySelector('{COMING}')
    ? done(watch.disconnect()) : again();
  let timer;
  const again = () => {{ clearTimeout(timer); timer = setTimeout(end, 150); }};
  const watch = new MutationObserver(again);
  watch.observe(document.body, {{childList: true, subtree: true, characterData: true}});
  again();
}})"""
"""The script has ended, no part is on its way, and nothing came after: the end of a script is told
before its last parts are drawn, and parts that share a place wait for the slowest."""


@contextmanager
def served(home: Path, **environment: str) -> Iterator[str]:
    """The address at which a server of its own shows the builds in `home`, on a free port."""
    for _ in range(STARTS):
        server, port = _started(home, environment)
        try:
            if _answers(server, port):
                yield f"http://localhost:{port}"
                return
        finally:
            server.kill()
            server.wait()
    pytest.fail("no server starts")


def _started(home: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """A server, and its port: free a moment ago, so that another may have taken it since."""
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
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return server, port


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server answers; whether it does."""
    until = time.monotonic() + START
    while server.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/health", timeout=30):
                return True
        except OSError:
            time.sleep(0.1)
    return False


class Visit:
    """One tab: what it asked for, what it complained about, and what it shows."""

    def __init__(self, browser: "BrowserContext", address: str, width: int = 1440) -> None:
        self.address = address
        self.page = browser.new_page()
        self.page.set_viewport_size({"width": width, "height": 1000})
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", self._asked)
        self.page.on("console", self._said)

    def _asked(self, request: "Request") -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.outside.append(request.url)

    def _said(self, message: "ConsoleMessage") -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def open(self, path: str, *, chart: bool = True) -> None:
        """Go there, and wait until it stands still."""
        self.page.goto(f"{self.address}/{path}")
        self.settle(chart=chart)

    def settle(self, *, chart: bool = True) -> None:
        self.page.wait_for_selector("h1", timeout=PATIENCE)
        if chart:
            self.page.wait_for_selector(CHART, timeout=PATIENCE)
        self.page.evaluate(STILL)

    def wait_for(self, where: str, words: str) -> None:
        """Wait until words stand in a place, and nothing more comes."""
        self.page.locator(where, has_text=words).first.wait_for(timeout=PATIENCE)
        self.page.evaluate(STILL)
