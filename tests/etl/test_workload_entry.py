"""The block `workload` of the catalog, and the simulated staff and calls."""

import polars as pl
import pytest
from conftest import ROOT

from etl.catalog import parse_catalog
from etl.errors import Problems
from etl.simulate import simulate_contacts, simulate_staff

CATALOG = (ROOT / "data_catalog.yaml").read_text(encoding="utf-8")


def test_every_field_of_the_dossiers_has_minutes_and_says_who_measured_them():
    catalog = parse_catalog(CATALOG)
    said = catalog.workload
    fields = catalog.datasets[said.cases].field("category").categories
    assert {one.category for one in said.minutes} == {one.value for one in fields}
    assert all(one.source for one in said.minutes)


@pytest.mark.parametrize(
    "change",
    [
        ("cases: dossiers", "cases: communes"),
        ("staff: one_stop_people", "staff: nobody"),
        ("category: petitions, minutes", "category: rain, minutes"),
        ("category: petitions, minutes", "category: land, minutes"),
    ],
)
def test_what_does_not_exist_is_refused_at_its_line(change):
    with pytest.raises(Problems, match="workload"):
        parse_catalog(CATALOG.replace(*change))


def test_simulated_files_are_labelled_and_the_same_each_time(tmp_path):
    for make in (simulate_staff, simulate_contacts):
        first, second = make(tmp_path / "a"), make(tmp_path / "b")
        assert first.read_bytes() == second.read_bytes()
        assert "mô phỏng" in (first.parent / "SIMULATED.json").read_text(encoding="utf-8")


def test_staff_is_about_the_one_figure_that_was_published(tmp_path):
    people = pl.read_csv(simulate_staff(tmp_path), separator=";")["Số người"]
    assert len(people) == 103
    assert people.mean() == pytest.approx(6, abs=0.3)
    assert people.min() >= 3
