"""Cached reads of one build. A build never changes, so its id is the whole cache key."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import polars as pl

from etl.builds import NoWarehouse, current_build
from etl.catalog import Catalog, parse_catalog
from etl.warehouse import Warehouse
from forecasts.decisions import reliability as of_targets
from forecasts.decisions.alert_log import Kept, alerts
from forecasts.decisions.alert_replay import Replayed, kept
from forecasts.decisions.contacts import Watched, watched
from forecasts.decisions.levers import Setting
from forecasts.decisions.reliability import Reliability, reliability
from forecasts.decisions.scenarios import (
    NO_QUEUE,
    Base,
    Outcome,
    Pools,
    chances,
    declared,
    estimated,
    play,
)
from forecasts.decisions.targets import Judged, judge
from forecasts.decisions.what_if_queue import Queued, queued
from forecasts.decisions.work_kept import Work, work, worked_out
from forecasts.decisions.work_kept import kept as work_kept
from forecasts.decisions.workload import NoWorkload, ahead
from forecasts.explain import Explained, NoForecast, Series, explain
from forecasts.register import entries
from forecasts.sums import sums_ahead as summed_ahead

BUILDS_AT_HAND = 3
KEPT_ANSWERS = 400
KEPT_BASES = 1
"""What a what-if starts from: 50 MB for a city of 103 communes."""
KEPT_OUTCOMES = 20


@dataclass(frozen=True)
class Build:
    """One build of one installation: what every answer belongs to."""

    home: Path
    name: str

    def rows(self, query: str, **params: Hashable) -> pl.DataFrame:
        """The rows of `dashboard/sql/<query>.sql`, read once."""
        return _rows(self, query, tuple(sorted(params.items())))

    @property
    def catalog(self) -> Catalog:
        """The catalog this build was made from."""
        return _catalog(self)

    @property
    def facts(self) -> dict[str, str]:
        """What the build says of itself, by name."""
        return dict(self.rows("facts").iter_rows())

    def judged(self, today: date) -> list[Judged]:
        """The targets of its catalog, worst first, judged once a day."""
        return _judged(self, today)

    def started(self) -> tuple[Base, Pools]:
        """What what-ifs start from, and the elasticities estimated here. Raises `NoBase`."""
        return _started(self)

    def played(self, settings: tuple[Setting, ...]) -> Outcome:
        """What comes of levers moved; see `play`."""
        return _played(self, settings)

    def queued(self, settings: tuple[Setting, ...], today: date) -> Queued:
        """The queue when levers are moved: many seconds, once. Raises `NoWorkload`."""
        return _queued(self, settings, today)

    def chances(
        self, settings: tuple[Setting, ...], today: date, *, with_queue: bool = False
    ) -> tuple[tuple[Judged, Judged], ...]:
        """Targets that these levers reach, before and after; those that the queue tells with it."""
        return _chances(self, settings, today, with_queue)

    @property
    def alerts(self) -> list[Kept]:
        """Every alert that ever rang, worst first."""
        return _alerts(self)

    @property
    def replays(self) -> list[Replayed]:
        """What each rule of early warning would have rung on history."""
        return _replays(self)

    def explained(self, series: Series) -> Explained | None:
        """The forecast of a series that counts, explained; None where it has none."""
        return _explained(self, series)


def current(home: Path) -> Build:
    """The build the pointer names now.

    Raises:
        NoWarehouse: nothing has been built yet.
    """
    name = current_build(home)
    if not name:
        raise NoWarehouse(f"there is no build in {home}", hint="run: foresight refresh")
    return Build(home, name)


@lru_cache(maxsize=BUILDS_AT_HAND)
def _open(build: Build) -> Warehouse:
    return Warehouse.open(build.home, build.name)


@lru_cache(maxsize=KEPT_ANSWERS)
def _rows(build: Build, query: str, params: tuple[tuple[str, Hashable], ...]) -> pl.DataFrame:
    return _open(build).query("dashboard", query, **dict(params))


@lru_cache(maxsize=BUILDS_AT_HAND)
def _judged(build: Build, today: date) -> list[Judged]:
    return judge(_open(build), build.catalog, today)


@lru_cache(maxsize=KEPT_ANSWERS)
def _explained(build: Build, series: Series) -> Explained | None:
    try:
        return explain(_open(build), series)
    except NoForecast:
        return None


@lru_cache(maxsize=BUILDS_AT_HAND)
def _alerts(build: Build) -> list[Kept]:
    # A build of earlier code knows no alerts.
    return alerts(_open(build)) if "alert" in _open(build).tables() else []


@lru_cache(maxsize=BUILDS_AT_HAND)
def _replays(build: Build) -> list[Replayed]:
    return kept(_open(build)) if "alert_replay" in _open(build).tables() else []


@lru_cache(maxsize=BUILDS_AT_HAND)
def register(build: Build) -> tuple[dict[str, Any], ...]:
    """The entries of the register of models with their scores in this build."""
    return tuple(entries(_open(build)))


@lru_cache(maxsize=BUILDS_AT_HAND * 2)
def sums_ahead(build: Build, indicator: str, level: str, months: int) -> pl.DataFrame:
    """Sums of the months ahead of every series of a level, along the paths of its forecast."""
    return summed_ahead(_open(build), indicator, level, steps=months)


@lru_cache(maxsize=BUILDS_AT_HAND)
def _catalog(build: Build) -> Catalog:
    return parse_catalog(build.facts["catalog"])


@lru_cache(maxsize=KEPT_BASES)
def _started(build: Build) -> tuple[Base, Pools]:
    warehouse, scenarios = _open(build), declared(build.catalog)
    return Base.read(warehouse, scenarios), estimated(warehouse, scenarios)


@lru_cache(maxsize=KEPT_OUTCOMES)
def _played(build: Build, settings: tuple[Setting, ...]) -> Outcome:
    base, pools = _started(build)
    asked, minutes = declared(build.catalog), build.catalog.minutes
    return play(base, asked, settings, pools=pools, minutes=minutes)


@lru_cache(maxsize=KEPT_OUTCOMES)
def _chances(
    build: Build, settings: tuple[Setting, ...], today: date, with_queue: bool
) -> tuple[tuple[Judged, Judged], ...]:
    queue = _queued(build, settings, today).of(build.catalog) if with_queue else NO_QUEUE
    outcome = _played(build, settings)
    return tuple(chances(_open(build), build.catalog, outcome, today, queue=queue))


@lru_cache(maxsize=KEPT_OUTCOMES)
def _queued(build: Build, settings: tuple[Setting, ...], today: date) -> Queued:
    return queued(build.home, build.name, today, settings)


_WORKING_OUT = Lock()
"""Two readers of a new day wait for one answer."""


def work_ahead(build: Build, today: date) -> Work:
    """The work ahead of the communes, as kept or worked out once a day. Raises `NoWorkload`."""
    with _WORKING_OUT:
        found = _work_ahead(build, today)
    if isinstance(found, NoWorkload):
        raise found
    return found


def targets_by_queue(build: Build, today: date) -> dict[str, dict[str, float | None]]:
    """What the queue comes to beside targets, by their names; none before it was worked out."""
    asked = build.catalog.workload
    found = None if asked is None else work_kept(build.home, build.name, today, asked)
    return {} if found is None else {row.pop("target"): row for row in found.targets.to_dicts()}


@lru_cache(maxsize=BUILDS_AT_HAND)
def _work_ahead(build: Build, today: date) -> Work | NoWorkload:
    found = worked_out(build.home, build.name, build.catalog, today)
    try:
        # Where it could not be kept it is worked out here, or refused.
        return found or work(ahead(_open(build), build.catalog, today))
    except NoWorkload as refusal:
        return refusal


@lru_cache(maxsize=BUILDS_AT_HAND)
def labels(build: Build, dataset: str, today: date) -> Watched:
    """What was found in the labels that a classifier gave in a dataset."""
    return watched(_open(build), dataset, today)


@lru_cache(maxsize=BUILDS_AT_HAND)
def chances_told(build: Build) -> Reliability:
    """How chances of targets came out that were issued on real figures."""
    given = of_targets.told(_open(build), build.catalog)
    return reliability(given.filter(~pl.col("simulated")))
