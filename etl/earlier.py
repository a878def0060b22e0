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

from etl.catalog import Catalog, follows_from
from etl.comparable import make_again
from etl.settings import Settings
from etl.warehouse import Warehouse, statement

STATED = ("comparable", "observation", "superseded")
"""What is set back."""


@dataclass(frozen=True)
class Earlier:
    """The copy: thrown away when the block of `earlier` ends."""

    warehouse: Warehouse
    catalog: Catalog
    kept: frozenset[tuple[str, str]]
    """Indicator and frequency of figures whose earlier editions were kept."""

    def set_back(self, day: dt.date) -> None:
        """Make `comparable` what was known on `day`, communes left out.

        Figures of one edition are those of now, cut at that day, and so is what is made of them:
        nothing in it reaches beyond its own period, but for heads, which are those of a year.
        """
        self._clear()
        for table in ("observation", "superseded"):
            stated = f"from {table}_now semi join edition using (indicator, frequency)"
            self.warehouse.run(f"insert into {table} {stated}")
        self.warehouse.run(statement("etl", "set_back"), day=day)
        self._clear()
        self.warehouse.run("insert into observation by name from known")
        self.warehouse.run(statement("etl", "cut_back"), day=day)
        make_again(self.warehouse, self.catalog, self.again)
        self.warehouse.run(
            "insert into comparable select * from cases_now where period_end < $day", day=day
        )

    @property
    def again(self) -> set[str]:
        """Indicators that more than the day tells apart from those of now."""
        by_heads = {
            name
            for name, entry in self.catalog.indicators.items()
            if entry.compute and entry.compute.way == "per_head"
        }
        return follows_from(self.catalog, {name for name, _ in self.kept} | by_heads)

    def present(self) -> None:
        """Make it what is known now, and give back the figures it was made of."""
        self._clear()
        for table in STATED:
            self.warehouse.run(f"insert into {table} from {table}_now")

    def _clear(self) -> None:
        for table in STATED:
            self.warehouse.clear(table)


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
        past = Earlier(aside, catalog, frozenset(kept))
        again = pl.DataFrame({"indicator": sorted(past.again)}, schema={"indicator": pl.String})
        aside.run("create or replace temp table made_again (indicator varchar)")
        aside.write("made_again", again)
        yield past
