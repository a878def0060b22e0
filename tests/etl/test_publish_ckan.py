"""What a CKAN is sent, seen at one that is pretended; a real one is asked by `make test-portal`."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from portal.pretended import SECRET, Portal, pretending
from portal.shelves import TOKEN, installation, sent, shelf

from etl.errors import Problems
from etl.fetch.arrival import FetchFailed
from etl.fetch.web import HostRefused
from etl.publish.archive import Archive
from etl.publish.shelf import Shelf
from etl.publish.targets import Done
from etl.publish.targets.ckan import slug
from etl.settings import MissingSecret, Settings


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation that is stocked once."""
    return tmp_path_factory.mktemp("stocked")


@pytest.fixture(scope="module")
def taken(stocked: Path) -> Shelf:
    return shelf(stocked)


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    monkeypatch.setenv(TOKEN, SECRET)
    with pretending() as found:
        yield found


def published(portal: Portal, folder: Path, taken: Shelf, **more: Any) -> Done:
    portal.written.clear()
    return sent(taken, installation(folder, portal.address), portal.address, **more)


def extras(portal: Portal, name: str) -> dict[str, str]:
    return {one["key"]: one["value"] for one in portal.packages[name]["extras"]}


def resources(portal: Portal, name: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in portal.packages[name]["resources"]}


def rows(portal: Portal, name: str) -> list[dict[str, Any]]:
    table = portal.tables[resources(portal, name)["table"]["id"]]
    return list(table["rows"].values())


def test_a_dataset_is_seen_only_when_its_files_and_rows_are_there(portal, taken, tmp_path):
    done = published(portal, tmp_path, taken)
    assert done.published == done.changed == ["rice", "prices"]
    assert portal.written[:2] == ["organization_create", "package_create"]
    seen = portal.written.index("package_patch")
    assert portal.written[2:seen].count("resource_create") == 9
    assert portal.written[seen - 3 : seen] == [
        "datastore_create",
        "datastore_upsert",
        "resource_patch",
    ]
    rice = portal.packages["rice"]
    assert (rice["private"], rice["owner_org"]) == (False, "van-phong-thu-nghiem")
    for name, resource in resources(portal, "rice").items():
        if name != "table":
            assert resource["hash"] == hashlib.sha256(portal.files[resource["id"]]).hexdigest()


def test_the_second_time_nothing_is_written(portal, taken, tmp_path):
    published(portal, tmp_path, taken)
    assert published(portal, tmp_path, taken).changed == []
    assert portal.written == []


def test_columns_carry_their_type_and_their_title_in_both_languages(portal, taken, tmp_path):
    published(portal, tmp_path, taken)
    table = portal.tables[resources(portal, "rice")["table"]["id"]]
    value = next(one for one in table["fields"] if one["id"] == "value")
    assert value["type"] == "float8"
    assert value["info"] == {"label": "Sản lượng", "label_en": "Output", "unit": "nghìn tấn"}
    assert table["key"] == ["period", "period_end", "frequency"]


def test_text_in_the_datastore_is_no_formula_for_who_takes_it_as_csv(portal, taken, tmp_path):
    published(portal, tmp_path, taken)
    assert {row["note"] for row in rows(portal, "rice")} == {"'=1+1, “chữ”"}


def test_rows_without_a_key_are_told_apart_even_where_they_are_alike(portal, taken, tmp_path):
    published(portal, tmp_path, taken)
    assert sorted((row["goods"], row["price"] or 0) for row in rows(portal, "prices")) == [
        ("cá", 0),
        ("gạo", 21.5),
        ("gạo", 21.5),
    ]
    assert len({row["row_key"] for row in rows(portal, "prices")}) == 3


def test_a_changed_cell_sends_one_row_and_leaves_what_others_added(
    portal, taken, stocked, tmp_path
):
    published(portal, tmp_path, taken)
    rice = portal.packages["rice"]
    rice["resources"].append({"id": "theirs", "name": "data.csv", "url": "https://example.vn/"})
    rice["extras"] += [{"key": "steward", "value": "Bà Tư"}]
    rice["tags"] += [{"name": "nông nghiệp"}]
    home = shutil.copytree(stocked, tmp_path / "later")
    before = {row["period"]: row for row in rows(portal, "rice")}
    later = shelf(home, {2024: 2.5, 2025: 3.0})
    assert published(portal, tmp_path, later).changed == ["rice"]
    assert portal.written.count("datastore_upsert") == 1
    after = {row["period"]: row for row in rows(portal, "rice")}
    assert after["2024-01-01"]["value"] == 2.5
    assert after["2025-01-01"] is before["2025-01-01"]
    assert "2023-01-01" not in after
    assert "theirs" in [one["id"] for one in portal.packages["rice"]["resources"]]
    assert extras(portal, "rice")["steward"] == "Bà Tư"
    assert [tag["name"] for tag in rice["tags"]] == ["lúa", "gạo", "nông nghiệp"]
    assert extras(portal, "rice")["versions"].count("\n") == 1


def test_of_what_is_taken_back_the_page_stays_and_the_files_do_not(
    portal, taken, stocked, tmp_path
):
    published(portal, tmp_path, taken)
    version = portal.packages["rice"]["version"]
    histories = {"prices": taken.histories["prices"]}
    ids = {one["id"] for one in portal.packages["rice"]["resources"]}
    portal.packages["rice"]["resources"].append({"id": "theirs", "name": "a note", "url": ""})
    archive = Archive(shutil.copytree(stocked / "versions", tmp_path / "versions"))
    left = archive.withdraw_all(taken.histories["rice"], "Nhầm tệp", "Wrong file")
    gone = replace(taken, releases=taken.releases[1:], histories={"rice": left, **histories})
    assert published(portal, tmp_path, gone).withdrawn == ["rice"]
    rice = portal.packages["rice"]
    assert [one["id"] for one in rice["resources"]] == ["theirs"]
    assert not ids & {*portal.files, *portal.tables}
    assert rice["notes"] == "Nhầm tệp / Wrong file"
    assert extras(portal, "rice")["withdrawn_versions"].startswith(version)
    published(portal, tmp_path, gone)
    assert portal.written == []


@pytest.mark.parametrize("after", [0, 2, 7, 12, 14])
def test_a_run_that_broke_off_goes_on_from_there(after, portal, taken, tmp_path):
    portal.breaks_after = after
    with pytest.raises(FetchFailed):
        published(portal, tmp_path, taken)
    assert portal.packages.get("rice", {"private": True})["private"]
    begun = len(portal.written)
    portal.breaks_after = None
    published(portal, tmp_path, taken)
    assert portal.packages["rice"]["private"] is False
    assert len(portal.packages["rice"]["resources"]) == 10
    assert portal.written.count("package_create") == 2 - (begun > 1)
    assert len(rows(portal, "rice")) == 3
    published(portal, tmp_path, taken)
    assert portal.written == []


def test_a_table_of_other_columns_is_made_anew(portal, taken, tmp_path):
    published(portal, tmp_path, taken)
    resource = resources(portal, "rice")["table"]
    portal.tables[resource["id"]]["fields"].pop()
    resource["foresight_rows"] = ""
    assert published(portal, tmp_path, taken).changed == ["rice"]
    assert "datastore_delete" in portal.written
    assert len(rows(portal, "rice")) == 3


def test_what_the_portal_hid_itself_stays_hidden(portal, taken, tmp_path):
    published(portal, tmp_path, taken)
    portal.packages["rice"]["private"] = True
    published(portal, tmp_path, taken)
    assert portal.packages["rice"]["private"]


def test_a_dataset_of_others_is_left_alone_and_the_rest_is_published(portal, taken, tmp_path):
    portal.package_create(name="rice", extras=[], title="Của người khác")
    with pytest.raises(Problems, match="rice that was not made here"):
        published(portal, tmp_path, taken)
    assert portal.packages["rice"]["title"] == "Của người khác"
    assert portal.packages["prices"]["private"] is False
    assert published(portal, tmp_path, taken, prefix="cantho-").published == ["rice", "prices"]
    assert portal.packages["cantho-rice"]["private"] is False


def test_a_portal_that_refuses_says_what_to_do(portal, taken, tmp_path):
    portal.refuses = {"organization_create"}
    with pytest.raises(Problems, match=r"does not allow organization_create(.|\n)*administrator"):
        published(portal, tmp_path, taken)
    portal.organization_create(name="city")
    assert published(portal, tmp_path, taken, organisation="city").changed == ["rice", "prices"]


def test_a_portal_without_a_datastore_is_told_apart(portal, taken, tmp_path, monkeypatch):
    monkeypatch.delattr(Portal, "datastore_create")
    with pytest.raises(Problems, match=r"knows no datastore_create(.|\n)*datastore: false"):
        published(portal, tmp_path, taken)
    assert published(portal, tmp_path, taken, datastore=False).changed == ["rice", "prices"]


def test_rows_do_not_stay_where_the_datastore_is_no_longer_wanted(portal, taken, tmp_path):
    published(portal, tmp_path, taken)
    assert len(portal.tables) == 2
    published(portal, tmp_path, taken, datastore=False)
    assert portal.tables == {}
    assert "table" not in resources(portal, "rice")
    assert published(portal, tmp_path, taken, datastore=False).changed == []


def test_only_an_allowed_portal_is_spoken_to_and_only_with_a_token(
    portal, taken, tmp_path, monkeypatch
):
    with pytest.raises(HostRefused, match="does not allow the host"):
        sent(taken, installation(tmp_path, "http://127.0.0.1:9"), portal.address)
    (tmp_path / "site.yaml").write_text("hosts: [{name: data.example.vn, plain_http: true}]")
    here = Settings(home=tmp_path, catalog=tmp_path / "data_catalog.yaml")
    with pytest.raises(HostRefused, match="without encryption"):
        sent(taken, here, "http://data.example.vn")
    monkeypatch.delenv(TOKEN)
    with pytest.raises(MissingSecret):
        published(portal, tmp_path, taken)
    assert portal.written == []


def test_a_wrong_token_is_told_and_not_repeated(portal, taken, tmp_path, monkeypatch):
    monkeypatch.setenv(TOKEN, "another-token")
    with pytest.raises(Problems, match="the token must be of an editor") as told:
        published(portal, tmp_path, taken)
    assert "another-token" not in str(told.value)


@pytest.mark.parametrize(
    ("title", "name"), [("Sở Nội vụ", "so-noi-vu"), ("UBND xã Đông Phước", "ubnd-xa-dong-phuoc")]
)
def test_an_organisation_is_called_after_its_publisher(title, name):
    assert slug(title) == name
