"""A copy of the build that can be set back to what was known on an earlier day.

Figures that were published again and again are set back to what was published by that day. Of
others only one edition is there (a statistical file taken over as a whole, cases counted now): they
are cut at that day as they stand now, and `Earlier.kept` tells which are which.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl

from etl.catalog import Catalog
from etl.comparable import make_comparable
from etl.settings import Settings
from etl.warehouse import Warehouse, statement


@dataclass(frozen=True)
class Earlier:
    """The copy: thrown away when the block of `earlier` ends."""

    warehouse: Warehouse
    catalog: Catalog
    kept: frozenset[tuple[str, str]]
    """Indicator and frequency of figures whose earlier editions were kept."""

    def set_back(self, day: dt.date) -> None:
        """Make `observation` and `comparable` what was known on `day`, communes left out."""
        self._present()
        self.warehouse.run(statement("etl", "set_back"), day=day)
        self.warehouse.clear("superseded")
        self.warehouse.clear("observation")
        self.warehouse.run("insert into observation by name from known")
        make_comparable(self.warehouse, self.catalog)
        self.warehouse.run(
            "insert into comparable select * from cases_now where period_end < $day", day=day
        )

    def present(self) -> None:
        """Make them what is known now."""
        self._present()
        self.warehouse.clear("comparable")
        self.warehouse.run("insert into comparable from comparable_now")

    def _present(self) -> None:
        self.warehouse.clear("observation")
        self.warehouse.clear("superseded")
        self.warehouse.run("insert into observation from observation_now")
        self.warehouse.run("insert into superseded from superseded_now")


@contextmanager
def earlier(catalog: Catalog, settings: Settings) -> Iterator[Earlier]:
    """A copy of the current build to set back; the build itself is not touched.

    Raises:
        NoWarehouse: there is no build.
    """
    Warehouse.open(settings.home).close()
    cases = [dataset.name for dataset in catalog.resources if dataset.case_level]
    with Warehouse.aside(settings.home) as aside:
        aside.run("create or replace temp table case_dataset (dataset varchar)")
        aside.write("case_dataset", pl.DataFrame({"dataset": cases}, schema={"dataset": pl.String}))
        aside.run(statement("etl", "editions"))
        kept = aside.select("select indicator, frequency from edition").rows()
        yield Earlier(aside, catalog, frozenset(kept))
