"""Sources on the net, fetched from servers that misbehave; none of them is outside this machine."""

import gzip
import json
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl
import pytest
from conftest import HEAD, ROOT, TODAY, observed, zipped

from etl import pipeline
from etl.catalog import Catalog, load_catalog, parse_catalog
from etl.errors import ForesightError, Problems
from etl.fetch import fetch, local_files, refusals
from etl.fetch.arrival import FetchFailed
from etl.fetch.web import HostRefused, Web, address_problem
from etl.settings import Host, Limits, Settings, Site
from etl.warehouse import Warehouse

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


# What arrives, and how it is kept


def test_a_resource_is_fetched_once_and_loaded_like_a_file(server, installation):
    server.answers["/land.csv"] = lambda h: answer(h, LAND, ETag='"a"', Content_Type="text/csv")
    found = catalog(f"{server.url}/land.csv")
    installation.catalog.write_text(HEAD, encoding="utf-8")
    installation.catalog.with_name("site.yaml").write_text(
        f"hosts: [{{name: '127.0.0.1:{server.port}', private: true, plain_http: true}}]"
    )
    (fetched,) = fetch(found, installation, lambda _: None)
    assert (fetched.changed, fetched.problem) == (True, "")
    plan = pipeline.plan(found, installation, None)
    with Warehouse.build(installation.home) as warehouse:
        pipeline.refresh(warehouse, found, installation, plan, today=TODAY, progress=lambda _: None)
    with Warehouse.open(installation.home) as warehouse:
        assert observed(warehouse)["value"].to_list() == [40, 7]
        again = pipeline.plan(found, installation, warehouse)
    assert not again.changed
    assert not again.gone


def test_a_copy_knows_where_it_is_from_and_when(server, installation):
    server.answers["/old"] = lambda h: answer(h, status=302, Location="/land.csv?token=abc")
    server.answers["/land.csv"] = lambda h: answer(
        h, LAND, ETag='"a"', Last_Modified="Sun, 01 Nov 2026 00:00:00 GMT", Content_Type="text/csv"
    )
    run(installation, catalog(f"{server.url}/old"), web(host(server)))
    (file,) = local_files(catalog(f"{server.url}/old").resources[0], installation)
    known = json.loads(file.with_name(f"{file.name}.json").read_text(encoding="utf-8"))
    assert file.read_text(encoding="utf-8") == LAND
    assert known["size"] == len(LAND.encode())
    assert file.name == f"{known['fetched_at'][:10]}-{known['checksum'][:12]}.csv"
    assert known["origin"] == {
        "url": f"{server.url}/land.csv",
        "asked": known["origin"]["asked"],
        "status": 200,
        "etag": '"a"',
        "last_modified": "Sun, 01 Nov 2026 00:00:00 GMT",
        "content_type": "text/csv",
        "length_told": True,
        "records": None,
    }
    assert sorted(path.name for path in file.parent.iterdir()) == sorted(
        [file.name, f"{file.name}.json", "CURRENT", ".lock"]
    )


def test_what_has_not_changed_is_not_sent_again(server, installation):
    def land(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == '"a"':
            answer(handler, status=304, ETag='"a"')
        else:
            answer(handler, LAND, ETag='"a"')

    server.answers["/land.csv"] = land
    found, using = catalog(f"{server.url}/land.csv"), web(host(server))
    assert [f.changed for f in run(installation, found, using)] == [True]
    assert [f.changed for f in run(installation, found, using)] == [False]
    assert len(copies(installation)) == 1


def test_a_corrected_file_adds_a_copy_and_old_ones_are_pruned(server, installation):
    versions = iter([LAND, LAND.replace("40", "41"), LAND.replace("40", "42"), LAND])
    server.answers["/land.csv"] = lambda h: answer(h, next(versions))
    found = catalog(f"{server.url}/land.csv")
    using = Web(Site(hosts=[host(server)], copies=2))
    for kept in (1, 2, 2):
        assert run(installation, found, using)[0].changed
        assert len(copies(installation)) == kept
    (file,) = local_files(found.resources[0], installation)
    assert ",42\n" in file.read_text(encoding="utf-8")
    run(installation, found, using)
    (file,) = local_files(found.resources[0], installation)
    assert file.read_text(encoding="utf-8") == LAND


def test_a_portal_that_is_down_leaves_the_last_copy_in_use_and_says_how_old_it_is(
    server, installation
):
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    found, using = catalog(f"{server.url}/land.csv"), web(host(server), attempts=2)
    run(installation, found, using)
    (file,) = local_files(found.resources[0], installation)
    notes = file.with_name(f"{file.name}.json")
    known = json.loads(notes.read_text(encoding="utf-8"))
    notes.write_text(json.dumps({**known, "confirmed_at": "2026-10-03T00:00:00+00:00"}))
    server.answers["/land.csv"] = lambda h: answer(h, status=503)
    (fetched,) = run(installation, found, using)
    assert not fetched.changed
    assert "the server answers 503; the copy of 2026-10-03 (" in str(fetched)
    assert local_files(found.resources[0], installation) == [file]


def test_a_first_fetch_that_fails_is_an_error_with_a_remedy(server, installation):
    server.answers["/land.csv"] = lambda h: answer(h, status=404)
    with pytest.raises(Problems) as error:
        run(installation, catalog(f"{server.url}/land.csv"), web(host(server)))
    assert f"land: {server.url}/land.csv: the server answers 404" in str(error.value)
    assert "mend the address in the catalog" in str(error.value)
    assert "there is no earlier copy" in str(error.value)
    assert len(server.asked) == 1  # a 404 is not asked for again


def test_a_copy_of_another_address_is_none_of_this_one(server, installation):
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    run(installation, catalog(f"{server.url}/land.csv"), web(host(server)))
    moved = catalog(f"{server.url}/moved.csv")
    assert local_files(moved.resources[0], installation) == []


def test_check_and_plan_ask_nobody(server, installation):
    installation.catalog.write_text(HEAD, encoding="utf-8")
    installation.catalog.with_name("site.yaml").write_text(
        f"hosts: [{{name: '127.0.0.1:{server.port}', plain_http: true}}]"
    )
    found = catalog(f"{server.url}/land.csv")
    assert pipeline.plan(found, installation, None, check_only=True).files == []
    with pytest.raises(Problems, match="not fetched yet\n  foresight refresh fetches it"):
        pipeline.plan(found, installation, None)
    assert server.asked == []


def test_two_refreshes_do_not_write_into_one_folder(server, installation):
    found, using = catalog(f"{server.url}/land.csv"), web(host(server))
    met: list[str] = []

    def land(handler: BaseHTTPRequestHandler) -> None:
        with pytest.raises(Problems) as error:
            run(installation, found, using)
        met.append(str(error.value))
        answer(handler, LAND)

    server.answers["/land.csv"] = land
    assert run(installation, found, using)[0].changed
    assert met == ["land: another refresh is fetching it\n  wait until it ends"]


# Trouble on the way


CHILD = """
import sys
from pathlib import Path
from etl.catalog import load_catalog
from etl.fetch import fetch
from etl.settings import Settings
settings = Settings(Path(sys.argv[1]), Path(sys.argv[2]))
fetch(load_catalog(settings.catalog), settings, print)
"""


def test_a_refresh_killed_while_it_fetches_leaves_the_copy_and_goes_on_later(server, installation):
    installation.catalog.write_text(
        HEAD + ENTRY.replace("ADDRESS", f"{server.url}/land.csv").replace("READ", "{}")
    )
    installation.catalog.with_name("site.yaml").write_text(
        f"hosts: [{{name: '127.0.0.1:{server.port}', private: true, plain_http: true}}]"
    )
    found = load_catalog(installation.catalog)
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    fetch(found, installation, lambda _: None)
    before = local_files(found.resources[0], installation)
    new = LAND.replace("40", "41").encode()
    part = installation.home / "incoming" / "land" / "arriving.part"
    killed = threading.Event()

    def half(handler: BaseHTTPRequestHandler) -> None:
        cut(handler, new, 20, ETag='"b"')
        handler.wfile.flush()
        killed.wait(PATIENCE)

    server.answers["/land.csv"] = half
    words = [sys.executable, "-c", CHILD, str(installation.home), str(installation.catalog)]
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE
    while not (part.exists() and part.stat().st_size == 20):
        assert time.monotonic() < until
        time.sleep(0.01)
    child.kill()
    child.wait()
    killed.set()
    assert local_files(found.resources[0], installation) == before

    def rest(handler: BaseHTTPRequestHandler) -> None:
        assert handler.headers["Range"] == "bytes=20-"
        told = f"bytes 20-{len(new) - 1}/{len(new)}"
        answer(handler, new[20:], 206, ETag='"b"', **{"Content-Range": told})

    server.answers["/land.csv"] = rest
    (fetched,) = fetch(found, installation, lambda _: None)
    assert fetched.path.read_bytes() == new
    assert before[0].read_text(encoding="utf-8") == LAND


@pytest.mark.parametrize("packed", [False, True])
def test_a_disk_that_is_full_leaves_the_copy_and_no_rest(server, installation, packed):
    found, using = catalog(f"{server.url}/land.csv"), web(host(server))
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    run(installation, found, using)
    before = sorted((installation.home / "incoming" / "land").iterdir())
    body, more = (LAND * 5000).encode(), {}
    if packed:
        body, more = gzip.compress(body), {"Content_Encoding": "gzip"}
    server.answers["/land.csv"] = lambda h: answer(h, body, ETag='"b"', **more)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        (fetched,) = run(installation, found, using)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert "the copy cannot be written: File too large" in fetched.problem
    assert sorted((installation.home / "incoming" / "land").iterdir()) == before


def test_a_server_that_is_busy_is_asked_again_when_it_says(server, tmp_path):
    statuses = iter([503, 429, 200])
    server.answers["/land.csv"] = lambda h: answer(
        h,
        LAND,
        status=(status := next(statuses)),
        **({"Retry_After": "3"} if status == 429 else {}),
    )
    waits: list[float] = []
    web(host(server), waits=waits).download(f"{server.url}/land.csv", tmp_path / "land")
    assert waits == [0.5, 3]
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND


def test_a_server_that_asks_to_wait_beyond_the_time_is_not_waited_for(server, tmp_path):
    server.answers["/land.csv"] = lambda h: answer(h, status=503, Retry_After="3600")
    with pytest.raises(FetchFailed, match="the server answers 503"):
        web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert len(server.asked) == 1


def cut(handler: BaseHTTPRequestHandler, body: bytes, at: int, **headers: str) -> None:
    """Announce all of `body`, send some of it, and hang up."""
    handler.send_response(200)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body[:at])


@pytest.mark.parametrize("packed", [False, True])
def test_a_download_that_breaks_off_goes_on_where_it_stopped(server, tmp_path, packed):
    body = gzip.compress(LAND.encode()) if packed else LAND.encode()
    more = {"Content-Encoding": "gzip"} if packed else {}

    def land(handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        if not wanted:
            return cut(handler, body, 20, ETag='"a"', **more)
        assert (wanted, handler.headers["If-Range"]) == ("bytes=20-", '"a"')
        told = f"bytes 20-{len(body) - 1}/{len(body)}"
        return answer(handler, body[20:], 206, ETag='"a"', **{"Content-Range": told}, **more)

    server.answers["/land.csv"] = land
    web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND
    assert [path.name for path in tmp_path.iterdir()] == ["land"]


def test_a_part_is_gone_on_with_in_a_later_run(server, tmp_path):
    server.answers["/land.csv"] = lambda h: cut(h, LAND.encode(), 20, ETag='"a"')
    with pytest.raises(FetchFailed, match="the connection broke off"):
        web(host(server), attempts=1).download(f"{server.url}/land.csv", tmp_path / "land")
    assert not (tmp_path / "land").exists()
    rest = LAND.encode()[20:]
    told = {"Content-Range": f"bytes 20-{19 + len(rest)}/{20 + len(rest)}"}
    server.answers["/land.csv"] = lambda h: answer(h, rest, 206, ETag='"a"', **told)
    web(host(server), attempts=1).download(f"{server.url}/land.csv", tmp_path / "land")
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND


@pytest.mark.parametrize(
    ("etag", "told"),
    [('"b"', "bytes 20-99/100"), ('"a"', "bytes 10-99/100"), ('"a"', "bytes 20-30/100")],
    ids=["another version", "another place", "not to the end"],
)
def test_a_rest_that_does_not_fit_is_thrown_away_and_all_is_fetched_anew(
    server, tmp_path, etag, told
):
    def land(handler: BaseHTTPRequestHandler) -> None:
        if len(server.asked) == 1:
            cut(handler, LAND.encode(), 20, ETag='"a"')
        elif handler.headers.get("Range"):
            answer(handler, "wrong", 206, ETag=etag, **{"Content-Range": told})
        else:
            answer(handler, LAND, ETag='"b"')

    server.answers["/land.csv"] = land
    web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND


def test_a_server_without_etags_is_asked_for_all_again(server, tmp_path):
    def land(handler: BaseHTTPRequestHandler) -> None:
        assert "Range" not in handler.headers
        if len(server.asked) == 1:
            cut(handler, LAND.encode(), 20, ETag='W/"weak"')
        else:
            answer(handler, LAND)

    server.answers["/land.csv"] = land
    web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND


def test_a_length_that_is_never_reached_is_not_taken_for_the_whole(server, tmp_path):
    server.answers["/land.csv"] = lambda h: cut(h, LAND.encode() + b"!", len(LAND.encode()))
    with pytest.raises(FetchFailed, match="the connection broke off"):
        web(host(server), attempts=2).download(f"{server.url}/land.csv", tmp_path / "land")
    assert len(server.asked) == 2


def test_an_end_that_nobody_announced_is_noted(server, tmp_path):
    def land(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(LAND.encode())

    server.answers["/land.csv"] = land
    found = web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert not found.length_told


def endless(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Send `body` without saying how long it is, and hang up."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)


def as_parquet() -> bytes:
    pl.DataFrame({"Xã/phường": ["Phường Ninh Kiều"]}).write_parquet(file := BytesIO())
    return file.getvalue()


RECORDS = '[{"Xã/phường": "Phường Ninh Kiều", "Tháng": "01/2026", "Diện tích": 40}]'
WHOLE = {
    "csv": (LAND.encode(), "its last record has not all cells"),
    "json": (RECORDS.encode(), "its brackets do not close"),
    "xlsx": (zipped({"xl/workbook.xml": "<workbook/>"}), "the list of its parts is missing"),
    "parquet": (as_parquet(), "its end is missing"),
}


@pytest.mark.parametrize("form", WHOLE)
def test_a_file_that_is_cut_short_behind_the_back_of_the_server_is_not_taken(
    server, installation, form
):
    whole, told = WHOLE[form]
    found = catalog(f"{server.url}/land", f"{{format: {form}}}")
    server.answers["/land"] = lambda h: endless(h, whole)
    [first] = run(installation, found, web(host(server)))
    server.answers["/land"] = lambda h: endless(h, whole[: len(whole) - 9])
    [second] = run(installation, found, web(host(server), attempts=2))
    assert (first.changed, first.problem) == (True, "")
    assert told in second.problem
    assert second.path.read_bytes() == whole
    assert len(server.asked) == 3


@pytest.mark.parametrize("line_end", ["\n", ""])
def test_a_file_of_which_whole_records_are_gone_is_taken_with_a_doubt(
    server, installation, line_end
):
    found = catalog(f"{server.url}/land.csv")
    server.answers["/land.csv"] = lambda h: endless(h, LAND.encode())
    run(installation, found, web(host(server)))
    fewer = LAND.splitlines()[:2]
    server.answers["/land.csv"] = lambda h: endless(h, ("\n".join(fewer) + line_end).encode())
    [fetched] = run(installation, found, web(host(server)))
    assert fetched.changed
    assert "may lack records: it has" in str(fetched)


def test_a_file_that_says_its_length_may_become_a_little_smaller(server, installation):
    found = catalog(f"{server.url}/land.csv")
    for text in (LAND, LAND.replace("Phong Điền", "Thới Lai")):
        server.answers["/land.csv"] = lambda h, text=text: answer(h, text)
        [fetched] = run(installation, found, web(host(server)))
    assert (fetched.changed, fetched.doubt) == (True, "")


def test_packed_files_are_unpacked(server, tmp_path):
    body = gzip.compress(LAND.encode()[:30]) + gzip.compress(LAND.encode()[30:])
    server.answers["/land.csv"] = lambda h: answer(h, body, Content_Encoding="gzip")
    web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND


def test_a_packed_file_that_ends_early_is_not_taken_for_the_whole(server, tmp_path):
    body = gzip.compress(LAND.encode())[:-9]
    server.answers["/land.csv"] = lambda h: answer(h, body, Content_Encoding="gzip")
    with pytest.raises(FetchFailed, match="cannot be unpacked"):
        web(host(server), attempts=1).download(f"{server.url}/land.csv", tmp_path / "land")


def test_a_small_answer_that_unpacks_to_a_large_one_is_refused(server, tmp_path):
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 100_000
    server.answers["/land.csv"] = lambda h: answer(h, bomb, Content_Encoding="gzip")
    with pytest.raises(FetchFailed, match="larger than 1,000,000 bytes"):
        web(host(server), bytes=1_000_000).download(f"{server.url}/land.csv", tmp_path / "land")
    assert list(tmp_path.iterdir()) == []


def test_a_file_announced_as_too_large_is_not_fetched(server, tmp_path):
    server.answers["/land.csv"] = lambda h: cut(h, bytes(1001), 0)
    with pytest.raises(FetchFailed, match="larger than 1,000 bytes"):
        web(host(server), bytes=1000).download(f"{server.url}/land.csv", tmp_path / "land")


def test_a_body_without_end_is_refused(server, tmp_path):
    def land(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(65_536))

    server.answers["/land.csv"] = land
    with pytest.raises(FetchFailed, match="larger than 1,000,000 bytes"):
        web(host(server), bytes=1_000_000).download(f"{server.url}/land.csv", tmp_path / "land")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_server_that_drips_is_not_waited_for(server, tmp_path, where):
    def land(handler: BaseHTTPRequestHandler) -> None:
        if where == "body":
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:  # until the other side hangs up
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    server.answers["/land.csv"] = land
    with pytest.raises(FetchFailed, match="takes longer than the site allows"):
        web(host(server), seconds=0.4).download(f"{server.url}/land.csv", tmp_path / "land")


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html><title>404</title>",
        "\ufeff\n<HTML lang=vi><body>Đăng nhập",
        '<?xml version="1.0"?><!-- x --><!DOCTYPE html PUBLIC ""><html>',
    ],
)
def test_a_web_page_is_not_taken_for_data(server, tmp_path, page):
    server.answers["/land.csv"] = lambda h: answer(h, page, Content_Type="text/csv")
    with pytest.raises(FetchFailed, match="a web page came instead of data") as error:
        web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert "open the address in a browser" in error.value.hint


def test_an_empty_answer_is_not_taken_for_data(server, tmp_path):
    server.answers["/land.csv"] = lambda h: answer(h, "")
    with pytest.raises(FetchFailed, match="it is empty"):
        web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")


# Who may be spoken to


def redirect(to: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: answer(handler, status=302, Location=to)


def test_redirects_are_followed_but_not_for_ever(server, tmp_path):
    for number in range(5):
        server.answers[f"/{number}"] = redirect(f"{server.url}/{number + 1}")
    server.answers["/5"] = lambda h: answer(h, LAND)
    web(host(server)).download(f"{server.url}/0", tmp_path / "land")
    server.answers["/5"] = redirect("/0")
    with pytest.raises(FetchFailed, match="more than 5 redirects"):
        web(host(server)).download(f"{server.url}/0", tmp_path / "land")


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("http://169.254.169.254/latest/meta-data", "does not allow the host 169.254.169.254:80"),
        ("http://elsewhere.example/land.csv", "does not allow the host elsewhere.example:80"),
        ("http://localhost:1/", "does not allow the host localhost:1"),
        ("file:///etc/passwd", "no address of a resource"),
        ("http://user:word@127.0.0.1/", "no address of a resource"),
    ],
)
def test_a_redirect_off_the_list_is_not_followed(server, tmp_path, to, told):
    server.answers["/land.csv"] = redirect(to)
    with pytest.raises(FetchFailed, match=told) as error:
        web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")
    assert "word" not in str(error.value)


def test_a_redirect_to_a_listed_host_with_a_private_address_is_not_followed(server, tmp_path):
    server.answers["/land.csv"] = redirect("http://inside.example/land.csv")
    site = Site(hosts=[host(server), Host(name="inside.example", plain_http=True)])
    names = {"inside.example": ["10.0.0.8"], "127.0.0.1": ["127.0.0.1"]}
    using = Web(site, resolve=lambda name, _port: names[name])
    with pytest.raises(FetchFailed, match=r"has the address 10\.0\.0\.8, which is of a private"):
        using.download(f"{server.url}/land.csv", tmp_path / "land")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://elsewhere.example/x", "does not allow the host elsewhere.example:443"),
        ("http://portal.example/x", "without encryption"),
        ("https://portal.example:8443/x", "does not allow the host portal.example:8443"),
        ("https://portal.example@evil.example/x", "no address of a resource"),
        ("https://evil.example\\@portal.example/x", "no address of a resource"),
        ("https://portal.example.evil.example/x", "does not allow"),
        ("ftp://portal.example/x", "no address of a resource"),
        ("https://portal.example:99999/x", "no address of a resource"),
    ],
)
def test_a_host_off_the_list_is_never_asked(url, told, tmp_path):
    with pytest.raises(HostRefused, match=told):
        web(Host(name="portal.example")).download(url, tmp_path / "x")


@pytest.mark.parametrize(
    ("address", "private", "told"),
    [
        ("93.184.215.14", False, None),
        ("2606:2800:220:1::1", False, None),
        ("127.0.0.1", False, "private"),
        ("10.1.2.3", False, "private"),
        ("192.168.1.1", False, "private"),
        ("172.16.0.1", False, "private"),
        ("100.64.0.1", False, "reserved"),
        ("::1", False, "private"),
        ("fd00::1", False, "private"),
        ("::ffff:127.0.0.1", False, "private"),
        ("::ffff:10.0.0.1", False, "private"),
        ("2002:7f00:1::", False, "private"),
        ("64:ff9b::7f00:1", False, "reserved"),
        ("240.0.0.1", False, "private"),
        ("10.1.2.3", True, None),
        ("::1", True, None),
        ("169.254.169.254", True, "no other machine"),
        ("fe80::1", True, "no other machine"),
        ("fe80::1%eth0", True, "no other machine"),
        ("::ffff:169.254.169.254", True, "no other machine"),
        ("0.0.0.0", True, "no other machine"),
        ("224.0.0.1", True, "no other machine"),
    ],
)
def test_addresses_of_other_networks_are_told_from_ours(address, private, told):
    problem = address_problem(address, private=private)
    assert problem is None if told is None else told in str(problem)


def test_one_private_address_among_several_is_enough_to_refuse(tmp_path):
    using = Web(
        Site(hosts=[Host(name="portal.example")]),
        resolve=lambda *_: ["93.184.215.14", "127.0.0.1"],
    )
    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1, which is of a private network"):
        using.download("https://portal.example/x", tmp_path / "x")


def test_a_name_is_resolved_once_and_that_address_is_spoken_to(server, tmp_path):
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    asked: list[str] = []

    def resolve(name: str, _port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.66"]

    named = host(server, name=f"portal.example:{server.port}")
    using = Web(Site(hosts=[named]), resolve=resolve)
    using.download(f"http://portal.example:{server.port}/land.csv", tmp_path / "land")
    assert asked == ["portal.example"]
    assert server.asked[0][1]["Host"] == f"portal.example:{server.port}"


def test_a_host_with_an_address_out_of_reach_is_reached_by_its_other(server, tmp_path):
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    limits = Limits(attempts=1)
    site = Site(hosts=[host(server)], limits=limits)
    using = Web(site, resolve=lambda *_: ["127.0.0.99", "127.0.0.1"])
    using.download(f"{server.url}/land.csv", tmp_path / "land")
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND


def test_proxies_of_the_environment_are_not_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    web(host(server)).download(f"{server.url}/land.csv", tmp_path / "land")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_host_must_show_who_it_is(server, tmp_path):
    def made(name: str) -> Path:
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout K -out C -subj /CN=x"
        words = [*command.split(), "-addext", f"subjectAltName=DNS:{name}"]
        paths = {"K": str(tmp_path / "key.pem"), "C": str(tmp_path / f"{name}.pem")}
        subprocess.run([paths.get(word, word) for word in words], check=True, capture_output=True)
        return Path(paths["C"])

    certificate = made("portal.example")
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, LAND)

        def log_message(self, *_: Any) -> None:
            pass

    httpd = Quiet(("127.0.0.1", 0), Handler)
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()

    def using(name: str, authority: Path | None) -> None:
        trusted = str(authority) if authority else None
        named = Host(name=f"{name}:{httpd.server_port}", private=True, authority=trusted)
        limits = Limits(attempts=1)
        found = Web(Site(hosts=[named], limits=limits), resolve=lambda *_: ["127.0.0.1"])
        found.download(f"https://{name}:{httpd.server_port}/land.csv", tmp_path / "land")

    try:
        using("portal.example", certificate)
        with pytest.raises(FetchFailed, match="cannot show who it is: self-signed certificate"):
            using("portal.example", None)
        with pytest.raises(FetchFailed, match="cannot show who it is: Hostname mismatch"):
            using("other.example", certificate)
    finally:
        httpd.shutdown()
        httpd.server_close()
    assert (tmp_path / "land").read_text(encoding="utf-8") == LAND


# Secrets


def test_a_secret_is_sent_to_its_host_and_to_no_other(servers, tmp_path, monkeypatch):
    monkeypatch.setenv("PORTAL_KEY", "s3cret-value")
    first, second = servers(), servers()
    first.answers["/land.csv"] = redirect(f"{second.url}/land.csv")
    second.answers["/land.csv"] = lambda h: answer(h, LAND)
    keyed = host(first, auth={"secret": "PORTAL_KEY"})
    web(keyed, host(second)).download(f"{first.url}/land.csv", tmp_path / "land")
    assert first.asked[0][1]["Authorization"] == "s3cret-value"
    assert "Authorization" not in second.asked[0][1]


def test_a_secret_is_in_no_copy_and_in_no_error(server, installation, monkeypatch):
    monkeypatch.setenv("PORTAL_KEY", "s3cret-value")
    keyed = web(host(server, auth={"header": "X-Key", "secret": "PORTAL_KEY"}), attempts=1)
    server.answers["/land.csv"] = lambda h: answer(h, LAND)
    run(installation, catalog(f"{server.url}/land.csv"), keyed)
    for path in (installation.home / "incoming").rglob("*"):
        assert path.is_dir() or b"s3cret" not in path.read_bytes()
    server.answers["/land.csv"] = lambda h: answer(h, h.headers["X-Key"], status=403)
    (fetched,) = run(installation, catalog(f"{server.url}/land.csv"), keyed)
    assert "the server answers 403" in fetched.problem
    assert "s3cret" not in str(fetched)


@pytest.mark.parametrize(("value", "told"), [(None, "not set"), ("a\nb: c", "not one line")])
def test_a_variable_that_cannot_be_sent_is_named(server, installation, monkeypatch, value, told):
    monkeypatch.delenv("PORTAL_KEY", raising=False)
    if value:
        monkeypatch.setenv("PORTAL_KEY", value)
    keyed = web(host(server, auth={"secret": "PORTAL_KEY"}))
    with pytest.raises(Problems, match=f"the environment variable PORTAL_KEY is {told}") as error:
        run(installation, catalog(f"{server.url}/land.csv"), keyed)
    assert "b: c" not in str(error.value)
    assert server.asked == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hosts: [{name: p.vn, auth: {secret: Bearer abc123}}]", "hosts.0.auth.secret"),
        ("hosts: [{name: p.vn, auth: {secret: abc123}}]", "hosts.0.auth.secret"),
        ("hosts: [{name: p.vn, plain_http: true, auth: {secret: KEY}}]", "unencrypted"),
        ("hosts: [{name: 'https://abc123.vn'}]", "hosts.0.name"),
        ("databases: ['postgresql://u:abc123@h/d']", "databases.0"),
        ("host: []", "host"),
        ("hosts: [", "not YAML"),
    ],
)
def test_a_site_file_is_refused_without_repeating_what_may_be_a_secret(installation, text, told):
    installation.catalog.with_name("site.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(Problems) as error:
        installation.site()
    assert told in str(error.value)
    assert "abc123" not in str(error.value)


def test_without_a_site_file_nothing_is_allowed(installation):
    (refusal,) = refusals(catalog("https://portal.example/land.csv"), installation)
    assert "land.sources: the site does not allow the host portal.example:443" in str(refusal)
    assert "hosts: [{name: portal.example}]" in refusal.hint
    assert refusals(catalog("land.csv"), installation) == []


def test_a_check_names_a_mistake_in_the_site_file(installation):
    installation.catalog.with_name("site.yaml").write_text("hosts: [{}]", encoding="utf-8")
    (problem,) = refusals(catalog("land.csv"), installation)
    assert "site.yaml: hosts.0.name: Field required" in str(problem)


def test_the_environment_names_the_site_file(tmp_path, monkeypatch):
    monkeypatch.setenv("FORESIGHT_SITE", str(tmp_path / "other.yaml"))
    with pytest.raises(ForesightError, match="there is no site file"):
        Settings.read().site()
    (tmp_path / "other.yaml").write_text("hosts: [{name: p.vn, authority: ca.pem}]")
    assert Settings.read().site().hosts[0].authority == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("address", "read", "told"),
    [
        ("https://u:abc123@portal.example/land.csv", "{}", "no user and no password"),
        ("https://portal.example/a b.csv", "{}", "this is no address"),
        ("https:///land.csv", "{}", "this is no address"),
        ("https://portal.example/download?id=3", "{}", "does not tell the format"),
        ("https://portal.example/", "{ckan: {}}", "either resource or datastore"),
        ("https://portal.example/", "{ckan: {resource: a, datastore: b}}", "either resource or"),
        ("land.csv", "{ckan: {datastore: b}}", "there is no portal"),
        ("https://portal.example/", "{ckan: {resource: ../x}, format: csv}", "pattern"),
        ("ftp://portal.example/land.csv", "{}", "leads outside"),
    ],
)
def test_an_address_that_cannot_be_is_a_mistake_of_the_catalog(address, read, told):
    with pytest.raises(Problems) as error:
        catalog(address, read)
    assert told in str(error.value)
    assert "abc123" not in str(error.value)


# CKAN


@dataclass
class Table:
    """A CKAN portal with one table of these rows."""

    rows: list[dict[str, Any]]
    changed: str = "2026-11-01"
    most: int = 3
    breaks_at: int | None = None
    offsets: list[int] = field(default_factory=list)

    def show(self, handler: BaseHTTPRequestHandler) -> None:
        result = {"last_modified": self.changed, "url": "/unused"}
        answer(handler, json.dumps({"success": True, "result": result}))

    def search(self, handler: BaseHTTPRequestHandler) -> None:
        asked = dict(parse_qsl(urlsplit(handler.path).query))
        offset, limit = int(asked.get("offset", 0)), min(int(asked["limit"]), self.most)
        if limit:
            assert asked["sort"] == "_id asc"
            self.offsets.append(offset)
        if self.breaks_at == offset and limit:
            return answer(handler, status=500)
        found = {"total": len(self.rows), "records": self.rows[offset : offset + limit]}
        return answer(handler, json.dumps({"success": True, "result": found}))


def table(server: Server, count: int = 8, **more: Any) -> Table:
    rows = [
        {"_id": n, "Xã/phường": "Phường Ninh Kiều", "Tháng": f"{n:02}/2025", "Diện tích": n + 0.5}
        for n in range(1, count + 1)
    ]
    made = Table(rows, **more)
    server.answers["/api/3/action/resource_show"] = made.show
    server.answers["/api/3/action/datastore_search"] = made.search
    return made


STORE = "{ckan: {datastore: abc-1, page_size: 3}}"


def test_a_table_of_a_portal_comes_page_by_page_and_is_loaded(server, installation):
    portal = table(server)
    found = catalog(server.url, STORE)
    (fetched,) = run(installation, found, web(host(server)))
    assert portal.offsets == [0, 3, 6]
    assert json.loads(fetched.path.read_text(encoding="utf-8")) == portal.rows
    assert [path.name for path in local_files(found.resources[0], installation)] == [
        fetched.path.name
    ]
    assert not run(installation, found, web(host(server)))[0].changed


def test_pages_that_arrived_before_a_break_are_not_fetched_again(server, installation):
    portal = table(server, breaks_at=3)
    found, using = catalog(server.url, STORE), web(host(server), attempts=1)
    with pytest.raises(Problems, match="the server answers 500"):
        run(installation, found, using)
    assert portal.offsets == [0, 3]
    portal.breaks_at = None
    (fetched,) = run(installation, found, using)
    assert portal.offsets == [0, 3, 3, 6]
    assert len(json.loads(fetched.path.read_text(encoding="utf-8"))) == 8


def test_pages_of_a_table_that_changed_meanwhile_are_thrown_away(server, installation):
    portal = table(server, breaks_at=3)
    found, using = catalog(server.url, STORE), web(host(server), attempts=1)
    with pytest.raises(Problems):
        run(installation, found, using)
    portal.breaks_at, portal.changed = None, "2026-11-21"
    run(installation, found, using)
    assert portal.offsets == [0, 3, 0, 3, 6]


def test_a_table_that_changes_while_it_is_read_is_not_put_together(server, installation):
    portal = table(server)

    def search(handler: BaseHTTPRequestHandler) -> None:
        portal.search(handler)
        portal.changed = f"after {len(portal.offsets)}"

    server.answers["/api/3/action/datastore_search"] = search
    with pytest.raises(Problems, match="the table changed while it was read"):
        run(installation, catalog(server.url, STORE), web(host(server)))


def test_a_page_of_which_a_power_cut_left_nothing_is_fetched_again(server, installation):
    portal = table(server, breaks_at=6)
    found, using = catalog(server.url, STORE), web(host(server), attempts=1)
    with pytest.raises(Problems):
        run(installation, found, using)
    (installation.home / "incoming" / "land" / "pages" / "000000000003.json").write_bytes(b"")
    portal.breaks_at = None
    (fetched,) = run(installation, found, using)
    assert portal.offsets == [0, 3, 6, 3, 6]
    assert json.loads(fetched.path.read_text(encoding="utf-8")) == portal.rows


def test_a_portal_that_gives_fewer_rows_a_page_than_asked_is_followed(server, installation):
    portal = table(server, most=2)
    run(installation, catalog(server.url, STORE), web(host(server)))
    assert portal.offsets == [0, 2, 4, 6]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda rows: rows.insert(0, rows.pop()), "out of order"),
        (lambda rows: rows.__setitem__(4, rows[3]), "row 5 is out of order"),
        (lambda rows: rows.clear(), "the table has no rows"),
    ],
)
def test_rows_that_come_twice_or_out_of_order_are_noticed(server, installation, spoil, told):
    spoil(table(server).rows)
    with pytest.raises(Problems, match=told):
        run(installation, catalog(server.url, STORE), web(host(server)))


def test_rows_that_were_announced_and_do_not_come_are_noticed(server, installation):
    class Liar(list):
        def __len__(self) -> int:
            return 9

    portal = table(server)
    portal.rows = Liar(portal.rows)
    with pytest.raises(Problems, match="no rows after the first 8"):
        run(installation, catalog(server.url, STORE), web(host(server)))


@pytest.mark.parametrize("said", ['{"success": false}', "[]", "no json", '{"success": true}'])
def test_a_portal_that_is_no_ckan_is_named(server, installation, said):
    server.answers["/api/3/action/datastore_search"] = lambda h: answer(h, said)
    with pytest.raises(Problems, match="is not answered as by a CKAN portal"):
        run(installation, catalog(server.url, STORE), web(host(server)))


def file_at(server: Server, url: str) -> None:
    said = json.dumps({"success": True, "result": {"url": url}})
    server.answers["/api/3/action/resource_show"] = lambda h: answer(h, said)


def test_a_file_of_a_portal_is_fetched_from_where_the_portal_says(server, installation):
    file_at(server, f"{server.url}/d/đất 2026.csv".replace(" ", "%20"))
    server.answers["/d/%C4%91%E1%BA%A5t%202026.csv"] = lambda h: answer(h, LAND)
    found = catalog(server.url, "{ckan: {resource: abc}, format: csv}")
    (fetched,) = run(installation, found, web(host(server)))
    assert fetched.path.read_text(encoding="utf-8") == LAND


def test_a_file_that_the_portal_keeps_off_the_list_is_not_fetched(server, installation):
    file_at(server, "https://elsewhere.example/land.csv")
    found = catalog(server.url, "{ckan: {resource: abc}, format: csv}")
    with pytest.raises(Problems, match="the portal keeps the file elsewhere: the site does not"):
        run(installation, found, web(host(server)))
