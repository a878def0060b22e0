"""Portals that answer on this machine."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.etl.portals import Quiet, Server


@pytest.fixture
def servers() -> Iterator[Callable[[], Server]]:
    running: list[ThreadingHTTPServer] = []

    def start() -> Server:
        server = Server()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked.append((self.path, dict(self.headers)))
                self.close_connection = True
                server.answers[urlsplit(self.path).path](self)

            def log_message(self, *_: Any) -> None:
                pass

        httpd = Quiet(("127.0.0.1", 0), Handler)
        running.append(httpd)
        server.port = httpd.server_port
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        return server

    yield start
    for httpd in running:
        httpd.shutdown()
        httpd.server_close()


@pytest.fixture
def server(servers) -> Server:
    return servers()
