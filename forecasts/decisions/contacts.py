"""The classifier of petitions and calls, watched: what it calls "other", its mix, its versions.

Labels change for two reasons, people and the classifier, and only the second is a fault. Each week
is set beside the four before it of the same version. The mix is compared by Pearson's statistic
over its own usual size: days and communes differ by more than chance alone would let them, so the
statistic is divided by its median over the weeks of that version. Over all weeks together
findings are kept by Benjamini and Hochberg: of those told, at most `RATE` are false on average, as
far as weeks alike are as scattered as that.

Any dataset of days with fields area, period, category, version and number is watched: a classifier
says which version of it labelled what.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl

from etl.catalog import Catalog, Dataset
from etl.warehouse import Warehouse
from forecasts.panel import Floats

RATE = 0.05
"""False findings among those told, on average, of drifts and of breaks alike."""
BEFORE = 4
"""Weeks that a week, or a new version, is set beside."""
OTHER = "other"
HIGH_OTHER = 0.15
"""Share "other" from which it is told: so many calls reach nobody who knows the subject."""

FIELDS = {"area", "period", "category", "version", "number"}
"""Fields by which a dataset is known as labels of a classifier."""
NEWS = 4
"""Whole weeks after which a finding is no news."""

Kind = Literal["drift", "new_version", "other"]


@dataclass(frozen=True)
class Finding:
    """Something to look at: in the week of `week`, or from it on for a new version."""

    kind: Kind
    week: date
    version: str
    topic: str
    """The topic that moved most."""
    before: float
    """Its share in the weeks before."""
    after: float
    probability: float
    """Of as much by chance; NaN where no test is made."""


@dataclass(frozen=True)
class Watched:
    """What was found in the whole weeks of a dataset, and how many of them were looked at."""

    findings: tuple[Finding, ...]
    weeks: tuple[date, ...]
    other: float | None = None
    """Share "other" in the last `BEFORE` weeks, 0 to 1; None where there is no week."""

    @property
    def tested(self) -> int:
        """Weeks that could be compared with others before."""
        return max(len(self.weeks) - BEFORE, 0)


def classified(catalog: Catalog) -> list[Dataset]:
    """Datasets whose categories are labels of a classifier."""
    return [one for one in catalog.resources if {f.name for f in one.schema_.fields} >= FIELDS]


def watched(warehouse: Warehouse, dataset: str, today: date) -> Watched:
    """The findings on a dataset as known on the morning of `today`; none where it is not loaded."""
    return told_by(weekly(warehouse, dataset).filter(pl.col("week") <= today - timedelta(days=7)))


def weekly(warehouse: Warehouse, dataset: str) -> pl.DataFrame:
    """Rows week, version, topic, number of whole weeks; see `watch`."""
    if f"data_{dataset}" not in warehouse.tables():
        return pl.DataFrame(schema={"week": pl.Date, "version": str, "topic": str, "number": int})
    return warehouse.query("forecasts", "contacts_by_week", contacts=f"data_{dataset}")


def told_by(counts: pl.DataFrame) -> Watched:
    """What `watch` finds, with the weeks it looked at."""
    weeks = tuple(counts["week"].unique().sort())
    last = counts.filter(pl.col("week").is_in(weeks[-BEFORE:]))
    numbers, topics = last["number"].cast(pl.Float64), last["topic"]
    whole = float(numbers.sum())
    other = float(numbers.filter(topics == OTHER).sum()) / whole if whole else None
    return Watched(tuple(watch(counts)), weeks, other)


def recent(seen: Watched) -> list[Finding]:
    """Findings that are news in the last of the weeks."""
    return [one for one in seen.findings if one.week in seen.weeks[-NEWS:]]


def watch(counts: pl.DataFrame) -> list[Finding]:
    """Findings on the labels, oldest first.

    `counts` has columns week (a Monday), version, topic and number; weeks with both versions, and
    weeks with fewer than `BEFORE` of the same version before them, are not tested for drift.
    """
    table = counts.group_by("week", "version", "topic").agg(pl.col("number").sum())
    topics = sorted(table["topic"].unique())
    versions = table.group_by("version").agg(pl.col("week").min()).sort("week")["version"].to_list()
    told: list[Finding] = []
    tested: list[Finding] = []
    last: tuple[str, Floats] | None = None
    for version in versions:
        weeks, values = _wide(table.filter(pl.col("version") == version), topics)
        tested += _drifts(weeks, values, version, topics)
        told += _others(weeks, values, version, topics)
        if last is not None:
            both = (last[1][-BEFORE:].sum(axis=0), values[:BEFORE].sum(axis=0))
            scatter = max(_scatter(last[1]), _scatter(values))
            tested.append(_finding("new_version", weeks[0], version, topics, both, scatter))
        last = version, values
    return sorted([*told, *_kept(tested)], key=lambda finding: (finding.week, finding.kind))


def _wide(rows: pl.DataFrame, topics: list[str]) -> tuple[list[date], Floats]:
    """Weeks in order, and numbers `(weeks, topics)`."""
    weeks = sorted(rows["week"].unique())
    values = np.zeros((len(weeks), len(topics)))
    for row in rows.iter_rows(named=True):
        values[weeks.index(row["week"]), topics.index(row["topic"])] = row["number"]
    return weeks, values


def _drifts(weeks: list[date], values: Floats, version: str, topics: list[str]) -> list[Finding]:
    scatter = _scatter(values)
    return [
        _finding(
            "drift",
            weeks[at],
            version,
            topics,
            (values[at - BEFORE : at].sum(axis=0), values[at]),
            scatter,
        )
        for at in range(BEFORE, len(weeks))
    ]


def _others(weeks: list[date], values: Floats, version: str, topics: list[str]) -> list[Finding]:
    """The first week of each stretch in which too many are called "other"."""
    if OTHER not in topics:
        return []
    share = values[:, topics.index(OTHER)] / np.maximum(values.sum(axis=1), 1.0)
    high = share >= HIGH_OTHER
    return [
        Finding("other", weeks[at], version, OTHER, HIGH_OTHER, float(share[at]), float("nan"))
        for at in np.flatnonzero(high)
        if at == 0 or not high[at - 1]
    ]


def _finding(
    kind: Kind,
    week: date,
    version: str,
    topics: list[str],
    both: tuple[Floats, Floats],
    scatter: float,
) -> Finding:
    from scipy.stats import chi2

    shares = [counts / max(counts.sum(), 1.0) for counts in both]
    most = int(np.argmax(np.abs(shares[1] - shares[0])))
    statistic, freedom = _pearson(*both)
    chance = float(chi2.sf(statistic / scatter, freedom)) if freedom else 1.0
    before, after = float(shares[0][most]), float(shares[1][most])
    return Finding(kind, week, version, topics[most], before, after, chance)


def _pearson(one: Floats, other: Floats) -> tuple[float, int]:
    """The statistic of two mixes being one, and its degrees of freedom."""
    seen = np.stack([one, other])[:, one + other > 0]
    total = seen.sum()
    if total == 0 or not seen.sum(axis=1).all():
        return 0.0, 0
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / total
    return float(((seen - expected) ** 2 / expected).sum()), seen.shape[1] - 1


def _scatter(values: Floats) -> float:
    """How much more weeks of one version differ than chance alone lets them; at least 1."""
    from scipy.stats import chi2

    ratios = []
    for at in range(BEFORE, len(values)):
        statistic, freedom = _pearson(values[at - BEFORE : at].sum(axis=0), values[at])
        if freedom:
            ratios.append(statistic / float(chi2.median(freedom)))
    return max(float(np.median(ratios)), 1.0) if ratios else 1.0


def _kept(tested: list[Finding]) -> list[Finding]:
    """Those that Benjamini and Hochberg keep at `RATE`."""
    ordered = sorted(tested, key=lambda finding: finding.probability)
    bounds = RATE * np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    passing = [at for at, one in enumerate(ordered) if one.probability <= bounds[at]]
    return ordered[: passing[-1] + 1] if passing else []
