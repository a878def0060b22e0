"""What a refresh would change, found by doing it aside: rows, figures, and which look wrong.

The refresh is carried out in a copy of the current build, which is then thrown away. What it made
known and what it superseded are the figures that would change.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeGuard

import polars as pl

from etl import pipeline
from etl.anomalies import Anomaly, scan
from etl.builds import NoWarehouse
from etl.catalog import Catalog
from etl.settings import Settings
from etl.warehouse import Warehouse


@dataclass(frozen=True, eq=False)
class Preview:
    """What a refresh would change."""

    plan: pipeline.Plan
    loads: pl.DataFrame
    """One row per dataset that would change: dataset, files, accepted, rejected, accepted_before,
    rejected_before."""
    figures: pl.DataFrame
    """One row per figure added, changed or withdrawn: dataset, the columns that tell figures apart,
    before and after (values; null where there is none)."""
    anomalies: list[Anomaly]
    """Figures that look wrong and did not before, the surest first. Cases are counted by month:
    those of an area, of a category, and all together, where `area` is empty."""

    def by_indicator(self) -> pl.DataFrame:
        """Columns dataset, indicator, added, changed, withdrawn: numbers of figures."""
        before, after = pl.col("before"), pl.col("after")
        return self.figures.group_by("dataset", "indicator", maintain_order=True).agg(
            added=before.is_null().sum(),
            changed=before.ne(after).sum(),
            withdrawn=after.is_null().sum(),
        )

    def changed(self) -> pl.DataFrame:
        """Figures with another value than before, the largest relative change first.

        Columns indicator, area, category, period, before, after.
        """
        before, after = pl.col("before"), pl.col("after")
        return (
            self.figures.filter(before.ne(after))
            .sort((after / before).log().abs(), descending=True, nulls_last=True)
            .select("indicator", "area", "category", "period", "before", "after")
        )


@contextmanager
def previewed(
    catalog: Catalog,
    settings: Settings,
    *,
    today: dt.date,
    progress: Callable[[str], None],
    arriving: Sequence[pipeline.SourceFile] = (),
    leaving: Collection[str] = (),
    alone: bool = False,
) -> Iterator[tuple[Preview, Warehouse]]:
    """The preview, and the build aside in which the refresh was done, while the block lasts.

    `arriving` and `leaving` as in `pipeline.plan`: files that are not among the sources yet, and
    those that would no longer be. With `alone` these are all that changes: other files stay as the
    current build has them.

    Raises as `pipeline.plan` and `pipeline.refresh`, where the refresh itself would fail.
    """
    current = _current(settings)
    if alone and _comparable(current):
        plan = pipeline.plan_of_arrival(
            catalog, settings, current, arriving=arriving, leaving=leaving
        )
    else:
        plan = pipeline.plan(catalog, settings, current, arriving=arriving, leaving=leaving)
    with Warehouse.aside(settings.home) as aside:
        at = None
        if not plan.nothing:
            done = pipeline.refresh(aside, catalog, settings, plan, today=today, progress=progress)
            at = done.at
        figures = aside.query("etl", "changed_figures", at=at)
        loads = _loads(current, aside, plan.touched)
        yield Preview(plan, loads, figures, _anomalies(current, aside, catalog, plan)), aside


def _anomalies(
    before: Warehouse | None, after: Warehouse, catalog: Catalog, plan: pipeline.Plan
) -> list[Anomaly]:
    touched = [name for name in plan.touched if name in catalog.datasets]
    cases = [name for name in touched if catalog.datasets[name].case_level]
    others = [name for name in touched if name not in cases]
    found = _scanned(before, after, _given, others)
    counted = _scanned(before, after, _counted, cases)
    return sorted([*found, *_told_once(counted)], key=lambda one: -one.sure)


def _scanned(
    before: Warehouse | None,
    after: Warehouse,
    figures: Callable[[Warehouse, list[str]], pl.DataFrame],
    datasets: list[str],
) -> list[Anomaly]:
    old = figures(before, datasets) if _comparable(before) else None
    return scan(old, figures(after, datasets))


def _given(build: Warehouse, datasets: list[str]) -> pl.DataFrame:
    said = "select * from observation where dataset = any($datasets)"
    return build.select(said, datasets=datasets)


def _counted(build: Warehouse, datasets: list[str]) -> pl.DataFrame:
    return build.query("etl", "counted_cases", datasets=datasets)


def _told_once(counted: list[Anomaly]) -> list[Anomaly]:
    """Without what is told of a part and of all cases together: that is one mistake."""
    whole = {(one.kind, one.indicator, one.period) for one in counted if _of_all(one)}
    return [
        one for one in counted if _of_all(one) or (one.kind, one.indicator, one.period) not in whole
    ]


def _of_all(one: Anomaly) -> bool:
    return not one.area and one.category == "total"


def _comparable(build: Warehouse | None) -> TypeGuard[Warehouse]:
    """Whether there is a build before, and one that this code can read."""
    return build is not None and build.has_todays_schema()


def _current(settings: Settings) -> Warehouse | None:
    try:
        return Warehouse.open(settings.home)
    except NoWarehouse:
        return None


def _loads(before: Warehouse | None, after: Warehouse, datasets: list[str]) -> pl.DataFrame:
    counted = (
        "select dataset, count(*) as files, sum(accepted)::bigint as accepted, "
        "sum(rejected + unreadable)::bigint as rejected from current_load group by all"
    )
    now = after.select(counted)
    old = before.select(counted) if _comparable(before) else now.clear()
    return (
        pl.DataFrame({"dataset": datasets}, schema={"dataset": pl.String})
        .join(now, on="dataset", how="left", maintain_order="left")
        .join(old, on="dataset", how="left", suffix="_before", maintain_order="left")
        .drop("files_before")
        .with_columns(pl.col(pl.Int64).fill_null(0))
    )
