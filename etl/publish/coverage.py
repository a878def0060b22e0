"""Who publishes what, how late, and how good it is: nine facts a dataset, in figures.

1. completeness: periods with a figure, of those from the first to the last of each series
2. timeliness: the last day spoken of, and the day by which newer figures are due
3. lag: days from the end of the newest period to its publication
4. rejected: records that broke a rule or could not be read
5. revisions: figures that were followed by another for the same thing
6. corrections: cells of the sources mended on the way in
7. described: columns with a title in both languages
8. formats: open, machine-readable formats under an open licence
9. versions: how many earlier ones can still be had
"""

import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl

from etl.bodies import communes, plain
from etl.catalog import BodiesPublishing, Catalog, Contributor, Dataset
from etl.freshness import PATIENCE
from etl.publish.archive import Archive, History
from etl.warehouse import Warehouse

PROMISED = {"DAILY": "day", "MONTHLY": "month", "QUARTERLY": "quarter", "ANNUAL": "year"}
"""Frequency of the promise, as the patience for it is kept."""


@dataclass(frozen=True)
class Quality:
    """The nine facts of one dataset; None where they cannot be told."""

    dataset: Dataset
    publisher: Contributor | None
    published: bool
    completeness: float | None = None
    last: dt.date | None = None
    due: dt.date | None = None
    """A figure newer than `last` should be there by then; None where no frequency is promised."""
    lag: float | None = None
    """Days."""
    rejected: float | None = None
    revisions: int = 0
    corrections: int = 0
    described: float | None = None
    formats: tuple[str, ...] = ()
    versions: int = 0

    def late(self, today: dt.date) -> int:
        """Days since newer figures were due; 0 where they are not."""
        return max((today - self.due).days, 0) if self.due else 0


@dataclass(frozen=True)
class Body:
    """A body of the city, or the authority of a commune, and what it publishes itself."""

    name: str
    commune: bool
    datasets: tuple[Quality, ...]


@dataclass(frozen=True)
class Use:
    """What datasets are used for, whatever the day."""

    forecasts: int
    """Series forecast from them."""
    targets: tuple[str, ...]
    """Targets that are judged by their indicators, by name."""
    headlines: int
    """Indicators that leaders see first."""
    widening: tuple[tuple[str, int, float], ...]
    """Frequency, periods behind, and how much wider the 80 % band of the present is for it than if
    nothing were late; 0.2 is a fifth. One for each indicator that is forecast."""

    def wider(self, late: int) -> float | None:
        """How much wider the band is when figures are `late` days late, the median indicator.

        None where nothing is late, or the forecasts do not reach so far.
        """
        behind = {frequency: math.ceil(late / days) for frequency, days in DAYS.items()}
        found = [wider for frequency, by, wider in self.widening if behind[frequency] == by > 0]
        return median(found) if found else None

    @property
    def costs(self) -> list[tuple[str, int, float]]:
        """The first periods behind at the usual frequency, and how much wider each makes it."""
        if not self.widening:
            return []
        usual, _ = Counter(frequency for frequency, *_ in self.widening).most_common(1)[0]
        steps: dict[int, list[float]] = {}
        for frequency, behind, wider in self.widening:
            if frequency == usual and 0 < behind <= MOST_COSTS:
                steps.setdefault(behind, []).append(wider)
        return [(usual, behind, median(found)) for behind, found in sorted(steps.items())]


DAYS = {"day": 1.0, "week": 7.0, "month": 30.4, "quarter": 91.3, "year": 365.25}
MOST_COSTS = 3


@dataclass(frozen=True)
class Coverage:
    """Bodies that are asked to publish, and the quality of every real dataset."""

    bodies: list[Body]
    datasets: list[Quality]
    uses: dict[str, Use]
    """What each dataset is used for, by its name."""

    def of(self, name: str) -> Quality | None:
        """The facts of the dataset of that name; none are told of publications."""
        return next((one for one in self.datasets if one.dataset.name == name), None)

    @property
    def publishing(self) -> list[Body]:
        """Bodies that publish at least one dataset themselves."""
        return [body for body in self.bodies if body.datasets]


def coverage(warehouse: Warehouse, catalog: Catalog, archive: Archive) -> Coverage:
    """The coverage of a build, and of what the archive holds of its datasets."""
    facts = {row["dataset"]: row for row in warehouse.query("etl", "quality").to_dicts()}
    histories = archive.histories()
    found = [
        _quality(
            catalog, dataset, facts.get(dataset.name, {}), histories.get(dataset.name), archive
        )
        for dataset in catalog.resources
        if not dataset.simulated
    ]
    names = [one.dataset.name for one in found]
    used = uses(warehouse, catalog, [[name] for name in names])
    return Coverage(_bodies(catalog, found), found, dict(zip(names, used, strict=True)))


HEADINGS = (
    *("dataset", "published", "until", "late", "complete", "lag", "rejected", "revised"),
    *("corrected", "described", "formats", "versions"),
)


def row(one: Quality, today: dt.date) -> list[Any]:
    """The facts of one dataset under `HEADINGS`; late and lag are days, shares are 0 to 1."""
    return [
        one.dataset.name,
        one.published,
        one.last,
        one.late(today),
        *(_rounded(share) for share in (one.completeness, one.lag, one.rejected)),
        one.revisions,
        one.corrections,
        _rounded(one.described),
        len(one.formats),
        one.versions,
    ]


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)


def uses(warehouse: Warehouse, catalog: Catalog, groups: Iterable[Collection[str]]) -> list[Use]:
    """What each group of datasets is used for; a group is what comes in one file."""
    rows = warehouse.query("etl", "receipt")
    return [_use(catalog, rows.filter(pl.col("dataset").is_in(names)), names) for names in groups]


def _use(catalog: Catalog, rows: pl.DataFrame, names: Collection[str]) -> Use:
    delivered = {name for one in names for name in catalog.datasets[one].delivered}
    shown = {name for one in catalog.resources for name in one.present.headline}
    rows = rows.unique(["indicator", "frequency", "behind"], maintain_order=True)
    return Use(
        forecasts=int(rows.unique(["indicator", "frequency"])["series"].sum()),
        targets=tuple(one.name for one in catalog.targets if one.indicator in delivered),
        headlines=len(shown & delivered),
        widening=tuple(rows.select("frequency", "behind", "wider").drop_nulls().iter_rows()),
    )


@dataclass(frozen=True)
class Receipt:
    """What a publisher is told of one dataset: what it is used for, what lateness costs."""

    dataset: str
    forecasts: int
    """Series forecast from it."""
    targets: list[str]
    """Targets that are judged by its indicators."""
    headlines: int
    """Indicators of it that leaders see first."""
    late: int
    """Days since newer figures were due."""
    wider: float | None
    """How much wider the 80 % band of the present period is than if nothing were late; 0.2 is a
    fifth. None where nothing is late, or the forecasts do not reach so far."""


def receipts(found: Coverage, today: dt.date) -> list[Receipt]:
    """One for each dataset that is published."""
    told = [(one, found.uses[one.dataset.name], one.late(today)) for one in found.datasets]
    return [
        Receipt(
            one.dataset.name, use.forecasts, list(use.targets), use.headlines, late, use.wider(late)
        )
        for one, use, late in told
        if one.published
    ]


def _quality(
    catalog: Catalog,
    dataset: Dataset,
    facts: dict[str, Any],
    history: History | None,
    archive: Archive,
) -> Quality:
    patience = PATIENCE.get(PROMISED.get(dataset.publish.frequency, "") if dataset.publish else "")
    last = facts.get("last_day")
    newest = history.newest if history else None
    return Quality(
        dataset=dataset,
        publisher=catalog.publisher_of(dataset),
        published=newest is not None,
        completeness=_number(facts.get("completeness")),
        last=last,
        due=last + dt.timedelta(days=patience) if last and patience else None,
        lag=_number(facts.get("lag")),
        rejected=_number(facts.get("rejected")),
        revisions=facts.get("revisions", 0),
        corrections=facts.get("corrections", 0),
        described=_described(archive.place(dataset.name, newest.version)) if newest else None,
        formats=newest.formats if newest else (),
        versions=sum(one.state == "kept" for one in history.versions) if history else 0,
    )


def _described(folder: Path) -> float:
    """Share of the columns whose titles, in both languages, say more than their name."""
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    told = [
        field.get("title_en") and field.get("title") not in (None, field["name"])
        for field in package["resources"][0]["schema"]["fields"]
    ]
    return sum(map(bool, told)) / len(told)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _bodies(catalog: Catalog, found: list[Quality]) -> list[Body]:
    """The bodies that a target of the catalog asks to publish."""
    asked = next((t.publishing for t in catalog.targets if t.publishing), BodiesPublishing())
    by_publisher: dict[str, list[Quality]] = {}
    for quality in found:
        for who in quality.dataset.contributors:
            if quality.published and "publisher" in who.roles:
                by_publisher.setdefault(plain(who.title), []).append(quality)
    names = [(name, False) for name in asked.named]
    names += [(name, True) for name in communes(catalog, asked)]
    return [
        Body(_capital(name), commune, tuple(by_publisher.get(plain(name), ())))
        for name, commune in names
    ]


def _capital(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]}"
