"""One invented build for all tests of the dashboard."""

import datetime as dt
import socketserver
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

from dashboard import queries
from dashboard.reader import Reader
from tests.dashboard.invented import write_build
from tests.dashboard.servers import Post, serving

TODAY = dt.date(2026, 11, 22)
PATIENCE = 600
"""Seconds a page may take on a machine that does much else, or stands still for a while."""


@pytest.fixture(scope="session", autouse=True)
def _no_search_for_components() -> Iterator[None]:
    """Each AppTest reads what is said of every installed package, to find components: none here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda *_, **__: [])
        yield


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with the invented build, as of `TODAY`."""
    folder = tmp_path_factory.mktemp("state")
    write_build(folder, TODAY)
    return folder


@pytest.fixture(params=["vi", "en"])
def lang(request: pytest.FixtureRequest) -> str:
    """Both languages, one after the other."""
    return str(request.param)


@pytest.fixture
def reader(home: Path, lang: str) -> Reader:
    """Someone who reads the invented build in one language."""
    return Reader(queries.current(home), lang, TODAY)


@pytest.fixture
def vietnamese(home: Path) -> Reader:
    """Someone who reads it in Vietnamese."""
    return Reader(queries.current(home), "vi", TODAY)


@pytest.fixture
def mails() -> Iterator[tuple[int, list[bytes]]]:
    """A mail server on this machine: its port, and the mails it took."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        server.mails = []  # type: ignore[attr-defined]
        with serving(server) as port:
            yield port, server.mails  # type: ignore[attr-defined]
