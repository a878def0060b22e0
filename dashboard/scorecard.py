"""The index of Decision 766 as far as our figures go: points over the points applicable.

A criterion without figures is not known, one whose denominator is zero is not applicable; neither
counts, and neither is zero points.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

import etl
from dashboard.reader import Reader
from dashboard.workload import TOTAL

CRITERIA = Path(etl.__file__).parent / "reference" / "scorecard_766.csv"
ONLINE_POINTS, ONLINE_ENOUGH = 6.0, 0.5
"""Points for dossiers filed online, all of them given from this share on."""

State = Literal["scored", "partly", "unknown", "empty", "followed"]
Month = Mapping[str, float]
"""Value of each workload indicator in one month."""


@dataclass(frozen=True)
class Ratio:
    """What the figures of a month say of one criterion."""

    value: float | None
    """Between 0 and 1; `None` where the denominator is zero."""
    points: float
    """Points that this ratio alone can give."""
    enough: float = 1.0
    """The ratio from which all of them are given."""


@dataclass(frozen=True)
class Scored:
    """One criterion of one area and month."""

    criterion: Mapping[str, Any]
    state: State
    ratio: float | None = None
    points: float | None = None
    applicable: float = 0.0


@dataclass(frozen=True)
class Scorecard:
    """All criteria of one area; `month` is the newest with figures, `None` without any."""

    month: date | None
    criteria: tuple[Scored, ...]

    @property
    def points(self) -> float:
        """Points of the criteria that could be scored."""
        return sum(one.points or 0.0 for one in self.criteria)

    @property
    def applicable(self) -> float:
        """The most those could have given."""
        return sum(one.applicable for one in self.criteria)

    @property
    def whole(self) -> float:
        """The most the index can give."""
        return sum(one.criterion["points"] or 0.0 for one in self.criteria)


def scorecard(reader: Reader, area: str) -> Scorecard:
    """The index of an area in its newest month with figures."""
    rows = reader.rows("workload", area=area, category=TOTAL)
    newest = rows.filter(pl.col("period") == pl.col("period").max())
    values = dict(newest.select("indicator", "value").iter_rows())
    month = newest["period"][0] if len(newest) else None
    return Scorecard(month, tuple(_scored(one, values) for one in criteria()))


@cache
def criteria() -> tuple[Mapping[str, Any], ...]:
    """The criteria of the index in its order."""
    kinds = {"number": pl.Int64, "points": pl.Float64}
    return tuple(pl.read_csv(CRITERIA, schema_overrides=kinds).to_dicts())


def _scored(criterion: Mapping[str, Any], month: Month) -> Scored:
    most, measured = criterion["points"], MEASURED.get(criterion["number"])
    found = measured(month) if measured else None
    ratio = found.value if found else None
    if not most:
        return Scored(criterion, "followed", ratio)
    if found is None:
        return Scored(criterion, "unknown")
    if ratio is None:
        return Scored(criterion, "empty")
    state: State = "scored" if found.points >= most else "partly"
    points = found.points * min(1.0, ratio / found.enough)
    return Scored(criterion, state, ratio, points, found.points)


def on_time(month: Month) -> Ratio | None:
    """Resolved on time, and pending that are not yet due, of all resolved and pending."""
    names = ("applications_resolved", "applications_pending", "applications_overdue")
    if not {*names, "applications_on_time_share"} <= month.keys():
        return None
    resolved, pending, overdue = (month[name] for name in names)
    good = resolved * month["applications_on_time_share"] / 100 + pending - overdue
    whole = resolved + pending
    return Ratio(good / whole if whole else None, 20)


def online(month: Month) -> Ratio | None:
    """Filed online of all received: the part `C` of the criterion; `A` and `B` need procedures."""
    share = month.get("applications_online_share")
    return None if share is None else Ratio(share / 100, ONLINE_POINTS, ONLINE_ENOUGH)


MEASURED: Mapping[int, Callable[[Month], Ratio | None]] = {5: on_time, 6: online, 10: online}
"""The criteria our figures speak of, by number."""
