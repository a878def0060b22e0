"""Fetching from a CKAN: tables page by page, and files where it keeps them."""

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from etl.errors import Problems
from etl.fetch import local_files
from tests.etl.portals import LAND, Server, answer, catalog, host, run, web


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
