"""Servers on this machine that stand for portals, and what is fetched from them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conftest import HEAD

from etl.catalog import Catalog, parse_catalog
from etl.fetch import fetch
from etl.fetch.web import Web
from etl.settings import Host, Limits, Settings, Site

PATIENCE = 600
"""Seconds a process may take to start on a machine that does much else."""

LAND = "Xã/phường,Tháng,Diện tích\nPhường Ninh Kiều,01/2026,40\nXã Phong Điền,02/2026,7\n"
ENTRY = """
- name: land
  title: Đất
  sources: [{path: "ADDRESS"}]
  read: READ
  clean: {areas: {level: commune}}
  schema:
    fields:
    - {name: area, from: [Xã/phường], constraints: {required: true}}
    - {name: period, type: yearmonth, from: [Tháng]}
    - {name: value, type: number, from: [Diện tích]}
  indicators: [{name: land_used, title: Đất đã dùng, title_en: Land used}]
"""


@dataclass
class Server:
    """A server on this machine: what it answers by path, and what it was asked."""

    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def answer(
    handler: BaseHTTPRequestHandler, body: bytes | str = b"", status: int = 200, **headers: str
) -> None:
    content = body.encode() if isinstance(body, str) else body
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


class Quiet(ThreadingHTTPServer):
    """A server that says nothing when the other side hangs up, as it does here on purpose."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass


def host(server: Server, **more: Any) -> Host:
    name = f"127.0.0.1:{server.port}"
    return Host.model_validate({"name": name, "private": True, "plain_http": True, **more})


def web(*hosts: Host, waits: list[float] | None = None, **limits: Any) -> Web:
    limited = Limits(**{"seconds": 5, "silence": 2, "pause": 0.5, **limits})
    noted: list[float] = [] if waits is None else waits
    return Web(Site(hosts=list(hosts), limits=limited), sleep=noted.append)


def catalog(address: str, read: str = "{format: csv}") -> Catalog:
    return parse_catalog(HEAD + ENTRY.replace("ADDRESS", address).replace("READ", read))


def run(settings: Settings, found: Catalog, using: Web):
    return fetch(found, settings, lambda _: None, web=using)


def copies(settings: Settings) -> list[str]:
    folder = settings.home / "incoming" / "land"
    return sorted(
        path.name for path in folder.iterdir() if path.name[0] == "2" and "json" not in path.suffix
    )
