"""What the pages cost, beside a bare Streamlit page and one with a chart, in one run.

Each page is served by a process of its own, all at once; what is compared is measured in turn,
round by round. Measured are the overview of an installation, that of a made-up one far larger
(see `benchmarks.large`), and there the page of a commune and that of an indicator.
"""

import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cost import alone
from benchmarks.large import large
from benchmarks.sessions import Crowd, crowd, wire_bytes
from benchmarks.visits import BROWSER, Page, browser, choices, cold, returning, warm

ROOT = Path(__file__).parents[1]
LOADS, CHOICES = 5, 5
"""Rounds, of which medians are told."""
SESSIONS, RUNS, PAUSE = 30, 3, 8.0
"""Visitors at once, choices of each, and seconds between them on the average."""
CROWDS = 1
"""Turns of the many sessions."""
STARTING = 180.0
WARMED = 60.0
"""Seconds given to a server for what it reads in the background, before anything is measured."""
FLOORS = ("bare", "one_chart")
COMMUNE = "communes?area=31120"
LEAD = ".st-key-simulated_workload .cf-lead"
FAN = ".st-key-chart_fan"


@dataclass(frozen=True)
class Served:
    """A server that runs: its port and its process."""

    port: int
    process: int

    def page(self, path: str, text: str, chart: str = ".stVegaLiteChart") -> Page:
        """A page of it."""
        return Page(f"http://localhost:{self.port}/{path}", text, chart)


def absent() -> str:
    """What these measurements need and is not here; empty where all is."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright"
    return "" if BROWSER.exists() else "chromium"


def pages(home: Path | None, folder: Path, *, quick: bool = False) -> dict[str, Any]:
    """Everything about the pages; `home` is an installation with a build, or None for none."""
    rounds = 2 if quick else LOADS
    with ExitStack() as open_servers:
        servers = {name: open_servers.enter_context(_floor(name)) for name in FLOORS}
        made_up = folder / "large"
        alone(large, made_up)
        homes = {"large": made_up} | ({"city": home} if home else {})
        servers |= {name: open_servers.enter_context(_city(at)) for name, at in homes.items()}
        time.sleep(0 if quick else WARMED)
        return {
            "rounds": rounds,
            "waits_for_parts": True,
            "load": _loads(_visited(servers), rounds),
            "choice": _choices(_visited(servers), 2 if quick else CHOICES),
            "bytes": {name: wire_bytes(served.port) for name, served in servers.items()},
            "sessions": _crowds(servers, 1 if quick else CROWDS),
            "each": {"sessions": SESSIONS, "runs": RUNS, "pause": PAUSE},
        }


def _visited(servers: dict[str, Served]) -> dict[str, Page]:
    """The pages a browser opens: floors, overviews, and two more of the large installation."""
    found = {name: servers[name].page("", ".stMarkdown p") for name in FLOORS}
    for name in servers.keys() - set(FLOORS):
        found[name] = servers[name].page("", LEAD, FAN)
    found["large_commune"] = servers["large"].page(COMMUNE, "h2", ".st-key-chart_map")
    found["large_indicator"] = servers["large"].page("indicators", "h2")
    return found


def _loads(visited: dict[str, Page], rounds: int) -> dict[str, dict[str, float]]:
    """Medians of milliseconds to paint, for who returns and for who was never there."""
    seen: dict[str, dict[str, list[float]]] = {name: {"warm": [], "cold": []} for name in visited}
    with browser() as started, returning(started, list(visited.values())) as context:
        for _ in range(rounds):
            for name, page in visited.items():
                seen[name]["warm"].append(warm(context, page))
                seen[name]["cold"].append(cold(started, page))
    return {
        name: {kind: round(statistics.median(times)) for kind, times in kinds.items()}
        for name, kinds in seen.items()
    }


def _choices(visited: dict[str, Page], times: int) -> dict[str, dict[str, float]]:
    """Medians of milliseconds from a choice to new text and to the new chart, two turns of each."""
    asked = [name for name in visited if name in (*FLOORS, "city", "large")]
    seen: dict[str, dict[str, list[float]]] = {name: {"text": [], "chart": []} for name in asked}
    with browser() as started, returning(started, [visited[name] for name in asked]) as context:
        for _ in range(2):
            for name in asked:
                text, chart = choices(context, visited[name], times)
                seen[name]["text"] += text
                seen[name]["chart"] += chart
    return {
        name: {kind: round(statistics.median(times)) for kind, times in kinds.items() if times}
        for name, kinds in seen.items()
    }


def _crowds(servers: dict[str, Served], rounds: int) -> dict[str, dict[str, float]]:
    """Many sessions at once on each server in turn; memory is that of the first time."""
    came: dict[str, list[Crowd]] = {name: [] for name in servers}
    for _ in range(rounds):
        for name, served in servers.items():
            came[name].append(crowd(served.port, served.process, SESSIONS, RUNS, PAUSE))
    return {name: _told(crowds) for name, crowds in came.items()}


def _told(crowds: list[Crowd]) -> dict[str, float]:
    later = sorted(seconds for one in crowds for seconds in one.later)
    runs = SESSIONS * (RUNS + 1) * len(crowds)
    return {
        "p50": round(1000 * statistics.median(later)),
        "p95": round(1000 * later[min(int(0.95 * len(later)), len(later) - 1)]),
        "first_p50": round(1000 * statistics.median(s for one in crowds for s in one.first)),
        "megabytes": round(crowds[0].megabytes / SESSIONS, 2),
        "cpu_ms": round(1000 * sum(one.cpu_seconds for one in crowds) / runs),
    }


# --- servers --------------------------------------------------------------------------------------


def _floor(name: str) -> Any:
    script = Path(__file__).parent / "floors" / f"{name}.py"

    def command(port: int) -> list[str]:
        options = {"server.port": port, "server.address": "localhost", "browser.serverPort": port}
        flags = [f"--{option}={value}" for option, value in options.items()]
        origins = f'--server.corsAllowedOrigins=["http://localhost:{port}"]'
        # A floor is Streamlit as it comes: it searches for garbage after each run.
        stock = "--runner.postScriptGC=true"
        return [sys.executable, "-m", "streamlit", "run", str(script), *flags, origins, stock]

    return _serving(command, "_stcore/health")


def _city(home: Path) -> Any:
    def command(port: int) -> list[str]:
        start = (
            "from pathlib import Path; from dashboard.server import serve; "
            f"serve(Path({str(home.resolve())!r}), port={port})"
        )
        return [sys.executable, "-c", start]

    return _serving(command, "health")


@contextmanager
def _serving(command: Callable[[int], list[str]], health: str) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        command(port),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://localhost:{port}/{health}", server)
        yield Served(port, server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)


def _wait(url: str, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + STARTING
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"no server at {url}")
