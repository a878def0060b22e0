"""A real CKAN takes what is published: `make test-portal`."""

import contextlib
import hashlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from portal.services import Ckan, missing, running
from portal.shelves import TOKEN, YEARS, installation, sent, shelf

from etl.errors import Problems
from etl.fetch.arrival import FetchFailed
from etl.publish.shelf import Shelf
from etl.publish.targets import Done

pytestmark = pytest.mark.portal


@pytest.fixture(scope="module")
def ckan() -> Iterator[Ckan]:
    lacking = missing()
    assert not lacking, f"install first: {', '.join(lacking)}"
    with running() as portal:
        yield portal


@pytest.fixture(autouse=True)
def token(ckan: Ckan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, ckan.token)


def ask(ckan: Ckan, action: str, *, anonymous: bool = False, **fields: Any) -> Any:
    """The result of an action."""
    headers = {"Content-Type": "application/json"}
    if not anonymous:
        headers["Authorization"] = ckan.token
    url = f"{ckan.address}/api/3/action/{action}"
    asked = urllib.request.Request(url, json.dumps(fields).encode(), headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)["result"]


def seen(ckan: Ckan, name: str) -> dict[str, Any]:
    """A dataset as anybody sees it, its resources and extras by name."""
    found = ask(ckan, "package_show", id=name, anonymous=True)
    found["resources"] = {one["name"]: one for one in found["resources"]}
    found["extras"] = {one["key"]: one["value"] for one in found["extras"]}
    return found


def rows(ckan: Ckan, name: str) -> list[dict[str, Any]]:
    """The rows of its table as anybody reads them, in the order of the first column."""
    table = seen(ckan, name)["resources"]["table"]["id"]
    found = ask(ckan, "datastore_search", resource_id=table, anonymous=True)["records"]
    bare = [{key: value for key, value in row.items() if key != "_id"} for row in found]
    return sorted(bare, key=lambda row: next(iter(row.values())))


def download(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:
        content: bytes = answer.read()
    return content


class Interrupted:
    """The same portal behind a line that breaks after some actions that write."""

    def __init__(self, ckan: Ckan, after: int) -> None:
        line = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reads = self.path.endswith(("_show", "_search"))
                line.left -= 0 if reads else 1
                if line.left < 0:
                    self.connection.close()
                    return
                headers = {name: self.headers[name] for name in ("Authorization", "Content-Type")}
                asked = urllib.request.Request(f"{ckan.address}{self.path}", body, headers)
                try:
                    answer = urllib.request.urlopen(asked, timeout=60)
                except urllib.error.HTTPError as error:
                    answer = error
                with answer:
                    content = answer.read()
                    self.send_response(answer.status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

            def handle(self) -> None:
                with contextlib.suppress(OSError, ValueError):
                    super().handle()

        self.left = after
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"


def published(ckan: Ckan, folder: Path, taken: Shelf, **more: Any) -> Done:
    return sent(taken, installation(folder, ckan.address), ckan.address, **more)


def broken_off(ckan: Ckan, folder: Path, taken: Shelf, after: int, **more: Any) -> None:
    """Publish over a line that breaks after so many actions that write."""
    line = Interrupted(ckan, after)
    with pytest.raises(FetchFailed):
        sent(taken, installation(folder, line.address), line.address, **more)
    line.server.shutdown()
    line.server.server_close()


def test_a_shelf_reaches_the_portal_and_anybody_can_read_it(ckan, tmp_path):
    done = published(ckan, tmp_path, shelf(tmp_path), prefix="a-")
    assert done.changed == done.published == ["rice", "prices"]
    rice = seen(ckan, "a-rice")
    assert (rice["title"], rice["organization"]["name"]) == ("Lúa gạo", "van-phong-thu-nghiem")
    assert rice["organization"]["title"] == "Văn phòng Thử nghiệm"
    assert [tag["name"] for tag in rice["tags"]] == ["gạo", "lúa"]
    assert rice["license_id"] == "cc-by"
    for name in ("data.csv", "data.xlsx", "data.parquet", "data.json", "CHANGES"):
        resource = rice["resources"][name]
        assert hashlib.sha256(download(resource["url"])).hexdigest() == resource["hash"]
    assert [(row["period"], row["value"]) for row in rows(ckan, "a-rice")] == [
        ("2023-01-01", 1.5),
        ("2024-01-01", None),
        ("2025-01-01", 3.0),
    ]
    assert len(rows(ckan, "a-prices")) == 3  # two of them alike, and no key
    table = rice["resources"]["table"]["id"]
    fields = ask(ckan, "datastore_search", resource_id=table, limit=0, anonymous=True)["fields"]
    assert {field["id"]: field["type"] for field in fields if field["id"] != "_id"} == {
        "period": "date",
        "period_end": "date",
        "frequency": "text",
        "value": "float8",
        "note": "text",
    }
    said = next(field["info"] for field in fields if field["id"] == "value")
    assert (said["label"], said["label_en"], said["unit"]) == ("Sản lượng", "Output", "nghìn tấn")
    found = ask(ckan, "package_search", q="a-rice", anonymous=True)["results"]
    assert [one["name"] for one in found] == ["a-rice"]


def test_the_second_time_nothing_changes(ckan, tmp_path):
    published(ckan, tmp_path, shelf(tmp_path), prefix="b-")
    before = seen(ckan, "b-rice"), seen(ckan, "b-prices")
    assert published(ckan, tmp_path, shelf(tmp_path), prefix="b-").changed == []
    assert (seen(ckan, "b-rice"), seen(ckan, "b-prices")) == before


def test_a_table_with_another_key_is_made_anew(ckan, tmp_path):
    taken = shelf(tmp_path)
    published(ckan, tmp_path, taken, prefix="h-")
    before = rows(ckan, "h-rice")
    table = seen(ckan, "h-rice")["resources"]["table"]["id"]
    ask(ckan, "resource_patch", id=table, foresight_key="value")
    assert published(ckan, tmp_path, taken, prefix="h-").changed == ["rice"]
    assert rows(ckan, "h-rice") == before
    assert published(ckan, tmp_path, taken, prefix="h-").changed == []


def test_a_changed_cell_is_sent_and_what_others_added_stays(ckan, tmp_path):
    published(ckan, tmp_path, shelf(tmp_path), prefix="c-")
    rice = ask(ckan, "package_show", id="c-rice")
    ask(ckan, "resource_create", package_id=rice["id"], name="data.csv", url="https://example.vn/")
    extras = [*rice["extras"], {"key": "steward", "value": "Bà Tư"}]
    tags = [*rice["tags"], {"name": "nông nghiệp"}]
    ask(ckan, "package_patch", id=rice["id"], extras=extras, tags=tags)
    changed = shelf(tmp_path, {2024: 2.5, 2025: 3.0})
    assert published(ckan, tmp_path, changed, prefix="c-").changed == ["rice"]
    rice = seen(ckan, "c-rice")
    assert {row["period"]: row["value"] for row in rows(ckan, "c-rice")} == {
        "2024-01-01": 2.5,
        "2025-01-01": 3.0,
    }
    assert rice["extras"]["steward"] == "Bà Tư"
    assert {tag["name"] for tag in rice["tags"]} == {"gạo", "lúa", "nông nghiệp"}
    shown = ask(ckan, "package_show", id="c-rice")["resources"]
    assert "https://example.vn/" in [one["url"] for one in shown]
    ours = next(one for one in shown if one.get("foresight") == "data.csv")
    assert b"2024-01-01,2024-12-31,year,2.5" in download(ours["url"])


def test_of_a_version_taken_back_no_file_is_left_and_the_page_says_why(ckan, tmp_path):
    first = shelf(tmp_path)
    published(ckan, tmp_path, first, prefix="d-")
    rice = seen(ckan, "d-rice")
    version = rice["version"]
    assert published(ckan, tmp_path, shelf(tmp_path, withdrawn=version), prefix="d-").withdrawn == [
        "rice"
    ]
    left = seen(ckan, "d-rice")
    assert (left["resources"], left["notes"]) == ({}, "Nhầm tệp / Wrong file")
    assert left["extras"]["withdrawn_versions"] == f"{version}: Nhầm tệp / Wrong file"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        download(rice["resources"]["data.csv"]["url"])
    kept = [path.name for path in ckan.storage.rglob("*") if path.is_file()]
    ids = {one["id"] for one in rice["resources"].values()}
    assert not [name for name in kept if any(one.endswith(name) for one in ids)]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask(ckan, "datastore_search", resource_id=rice["resources"]["table"]["id"])
    mended = shelf(tmp_path, YEARS | {2024: 2.0}, withdrawn=version)
    published(ckan, tmp_path, mended, prefix="d-")
    assert len(rows(ckan, "d-rice")) == 3
    assert version in seen(ckan, "d-rice")["extras"]["withdrawn_versions"]


@pytest.mark.parametrize("after", [1, 9, 13])
def test_a_run_that_broke_off_shows_nothing_half_and_goes_on_from_there(after, ckan, tmp_path):
    prefix = f"e{after}-"
    taken = shelf(tmp_path)
    broken_off(ckan, tmp_path, taken, after, prefix=prefix)
    with pytest.raises(urllib.error.HTTPError, match=r"40[34]"):
        seen(ckan, f"{prefix}rice")
    published(ckan, tmp_path, taken, prefix=prefix)
    rice = seen(ckan, f"{prefix}rice")
    assert (
        len(rice["resources"]) == len(ask(ckan, "package_show", id=rice["id"])["resources"]) == 10
    )
    assert len(rows(ckan, f"{prefix}rice")) == 3
    assert published(ckan, tmp_path, taken, prefix=prefix).changed == []


def test_nobody_writes_without_a_token_and_a_wrong_one_is_told(ckan, tmp_path, monkeypatch):
    published(ckan, tmp_path, shelf(tmp_path), prefix="f-")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        ask(ckan, "package_patch", id="f-rice", title="x", anonymous=True)
    monkeypatch.setenv(TOKEN, "not-a-token")
    with pytest.raises(Problems, match="does not allow"):
        published(ckan, tmp_path, shelf(tmp_path), prefix="g-")
