"""The ASGI entry: language, security headers, warm-up, health. `streamlit run dashboard/server.py`.

Nothing leaves the machine: every source of content is `'self'`, and Streamlit's one inline script
is let in by its hash, computed from the installed page so that an upgrade cannot break it.
"""

import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import layout, page_frame, queries
from dashboard.sign_on import Door, check_address, current_people, trust_no_proxy
from dashboard.text import Text
from etl.builds import DamagedBuild, NoWarehouse
from etl.settings import Settings

HERE = Path(__file__).parent
UNCACHED = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")
OF_AN_OLDER_BUILD = ("CatalogException", "BinderException")
"""What the database says of a table or column that a build of earlier code does not have."""
REPLACED = (b"content-length", b"etag", b"last-modified")


class PageFrame:
    """Middleware: security headers for all; for the page also its language, title and script."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.policy = page_frame.content_policy().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; hold a page back until it is complete, then change it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if b"text/html" in dict(scope["headers"]).get(b"accept", b""):
            kept = [pair for pair in scope["headers"] if pair[0] not in UNCACHED]
            scope = {**scope, "headers": kept}
        await self.app(scope, receive, _Answer(send, self.policy, _language(scope)).send)


class _Answer:
    """One answer on its way out."""

    def __init__(self, send: Send, policy: bytes, lang: str) -> None:
        self._send, self._policy, self._lang = send, policy, lang
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)

    async def _begin(self, message: Message) -> None:
        headers = [
            *message["headers"],
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
        ]
        page = any(k == b"content-type" and v.startswith(b"text/html") for k, v in headers)
        if page:
            headers.append((b"content-security-policy", self._policy))
            self._start = {**message, "headers": headers}
        else:
            await self._send({**message, "headers": headers})

    async def _finish(self, start: Message) -> None:
        page = page_frame.framed(self._body.decode("utf-8"), self._lang, Text(self._lang)("name"))
        body = page.encode("utf-8")
        headers = [pair for pair in start["headers"] if pair[0] not in REPLACED]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _language(scope: Scope) -> str:
    return "en" if b"lang=en" in scope.get("query_string", b"") else "vi"


async def health(request: Request) -> JSONResponse:
    """Whether there is a build to show, and which."""
    del request
    try:
        build = queries.current(Settings.read().home)
    except (DamagedBuild, NoWarehouse):
        return JSONResponse({"ready": False, "build": None}, status_code=503)
    return JSONResponse({"ready": True, "build": build.name})


@asynccontextmanager
async def warm(app: object) -> AsyncIterator[None]:
    """Draw the first screen, so that the first visitor does not wait; then keep the rest ready."""
    del app
    check_address(current_people(Settings.read()), st.get_option("server.address"))
    from dashboard.warming import Warming, first_screen, settle

    home = Settings.read().home
    first_screen(home)
    settle()
    # After all that came before: the one line that says where to look.
    place = f"http://{st.get_option('browser.serverAddress')}:{st.get_option('server.port')}"
    sys.stdout.write(f"Mở {place} để xem, Ctrl+C để dừng. / Open {place}, Ctrl+C stops it.\n")
    sys.stdout.flush()
    with Warming(home):
        yield


def explain(error: Exception) -> bool:
    """Say in words that something went wrong; the log has the rest."""
    logging.getLogger(__name__).error("a page failed", exc_info=error)
    lang = "en" if st.query_params.get("lang") == "en" else "vi"
    text = Text(lang)
    if type(error).__name__ in OF_AN_OLDER_BUILD:
        layout.nothing(text, text("older.title"), text("older.body"), text("older.command"))
    else:
        layout.nothing(text, text("error.title"), text("error.body"))
    return True


trust_no_proxy()
app = st.App(
    HERE / "app.py",
    lifespan=warm,
    routes=[Route("/health", health), Route(page_frame.STYLE, page_frame.style)],
    middleware=[Middleware(Door), Middleware(PageFrame)],
    on_script_error=explain,
)


def serve(home: Path, port: int = 8501, address: str = "localhost") -> None:
    """Serve the builds in `home`, in place of this process, until it is stopped.

    Raises:
        DemoOutside: visitors choose who they are, and `address` is open to other machines.
    """
    check_address(current_people(Settings.read()), address)
    trust_no_proxy()
    os.environ["FORESIGHT_HOME"] = str(home.resolve())
    origins = f'["http://{address}:{port}", "http://localhost:{port}", "http://127.0.0.1:{port}"]'
    options = {
        "server.port": port,
        "server.address": address,
        "browser.serverPort": port,
        "browser.serverAddress": address,
        "server.corsAllowedOrigins": origins,
    }
    # Streamlit finds the project's .streamlit, and so the theme, from the folder it starts in.
    os.chdir(HERE.parent)
    flags = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "streamlit", "run", str(HERE / "server.py"), *flags]
    os.execv(sys.executable, command)
