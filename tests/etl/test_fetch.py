"""Fetching: what arrives, and how it is kept."""

import json
from http.server import BaseHTTPRequestHandler

import pytest
from conftest import HEAD, TODAY, observed

from etl import pipeline
from etl.errors import Problems
from etl.fetch import fetch, local_files
from etl.fetch.web import Web
from etl.settings import Site
from etl.warehouse import Warehouse
from tests.etl.portals import LAND, answer, catalog, copies, host, run, web


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
