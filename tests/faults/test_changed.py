"""Files that change while they are read: what is loaded is what was planned, or nothing is."""

import os
from pathlib import Path

import pytest
from conftest import HEAD, TODAY
from faults.entries import HEADER, MONTHLY

from etl import pipeline
from etl.builds import current_build
from etl.catalog import load_catalog
from etl.load import ChangedWhileRead
from etl.settings import Settings
from etl.warehouse import Warehouse

OLD, NEW = "Ninh Kiều;01/2026;40\n", "Ninh Kiều;01/2026;99\n"


@pytest.fixture
def source(installation: Settings) -> Path:
    installation.catalog.write_text(HEAD + MONTHLY, encoding="utf-8")
    path = installation.catalog.parent / "applications.csv"
    path.write_text(HEADER + OLD, encoding="utf-8")
    return path


def replaced(path: Path) -> None:
    fresh = path.with_suffix(".part")
    fresh.write_text(HEADER + NEW, encoding="utf-8")
    fresh.replace(path)


def written_over(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(len((HEADER + OLD).encode()) - 3)
        file.write(b"99")


def grown(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("Ninh Kiều;02/2026;1\n")


def dated_back(path: Path) -> None:
    stat = path.stat()
    written_over(path)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def gone(path: Path) -> None:
    path.unlink()


CHANGES = [replaced, written_over, grown, dated_back]


def load(site: Settings, before_load=None, during=None) -> None:
    """A refresh; `before_load` is called after the plan, `during` at the statement it names."""
    catalog = load_catalog(site.catalog)
    plan = pipeline.plan(catalog, site, None)
    if before_load:
        before_load()
    with Warehouse.build(site.home) as warehouse:
        pipeline.refresh(
            Watched(warehouse, during), catalog, site, plan, today=TODAY, progress=lambda _: None
        )


class Watched:
    """The warehouse, with something that happens just before or after the text is read."""

    def __init__(self, warehouse: Warehouse, during) -> None:
        self._warehouse, self._during = warehouse, during

    def __getattr__(self, name: str):
        return getattr(self._warehouse, name)

    def run(self, sql: str, **params) -> None:
        reads = "create table stage" in sql
        if reads and self._during and self._during[0] == "before":
            self._during[1]()
        self._warehouse.run(sql, **params)
        if reads and self._during and self._during[0] == "after":
            self._during[1]()


def assert_refused(site: Settings, told) -> None:
    assert told.value.where == "applications.csv"
    assert "run again: foresight refresh" in told.value.hint
    assert current_build(site.home) is None


def assert_refused_and_then_read(site: Settings, told, expected: list[float]) -> None:
    assert_refused(site, told)
    load(site)
    with Warehouse.open(site.home) as warehouse:
        assert (
            warehouse.select("select value from observation order by 1")["value"].to_list()
            == expected
        )


def figures(change) -> list[float]:
    return [1, 40] if change is grown else [99]


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_changed_between_plan_and_load_is_not_loaded(installation, source, change):
    with pytest.raises(ChangedWhileRead) as told:
        load(installation, before_load=lambda: change(source))
    assert_refused_and_then_read(installation, told, figures(change))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_changed_between_counting_and_reading_is_not_loaded(
    installation, source, change, moment
):
    with pytest.raises(ChangedWhileRead) as told:
        load(installation, during=(moment, lambda: change(source)))
    assert_refused(installation, told)


def test_a_file_taken_away_while_it_is_read_is_not_loaded(installation, source):
    with pytest.raises(ChangedWhileRead):
        load(installation, during=("after", lambda: gone(source)))
    assert current_build(installation.home) is None


def test_a_catalog_saved_during_a_refresh_is_not_taken_for_the_one_it_was_made_by(
    installation, source
):
    renamed = (HEAD + MONTHLY).replace("title: Tiếp nhận", "title: Đã nhận")
    with pytest.raises(ChangedWhileRead) as told:
        load(
            installation,
            during=("after", lambda: installation.catalog.write_text(renamed, encoding="utf-8")),
        )
    assert told.value.where == "data_catalog.yaml"
    assert current_build(installation.home) is None


def test_files_that_lead_outside_or_are_none_are_refused_and_links_within_are_followed(
    installation, source, tmp_path_factory
):
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text(HEADER + OLD, encoding="utf-8")
    kept = source.rename(source.with_name("kept.csv"))
    source.symlink_to(outside)
    with pytest.raises(Exception, match="it leads outside") as told:
        load(installation)
    assert str(installation.catalog.parent) in str(told.value)
    source.unlink()
    source.mkdir()
    with pytest.raises(Exception, match="it is no file"):
        load(installation)
    source.rmdir()
    os.mkfifo(source)
    with pytest.raises(Exception, match="it is no file"):
        load(installation)
    source.unlink()
    source.symlink_to(kept)
    load(installation)
    assert current_build(installation.home) == "00001"
