"""Fetching: trouble on the way, from a kill to a web page in place of data."""

import gzip
import resource
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from io import BytesIO

import polars as pl
import pytest
from conftest import HEAD, ROOT, zipped

from etl.catalog import load_catalog
from etl.fetch import fetch, local_files
from etl.fetch.arrival import FetchFailed
from tests.etl.portals import ENTRY, LAND, PATIENCE, answer, catalog, host, run, web

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
