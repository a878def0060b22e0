"""One forecast explained: what it is made of, what changed since the last issue, how near it came.

What changed for the same period is split without forecasting again. Let `a` be the figure of the
issue before and `c` that of now, both without their `rest`, and `b` what the engine of now would
have said from the origin of the issue before, which its backtest knows:

- `calendar`: the parts of the calendar, now less then;
- `data`: figures since then, `c - b`, less `calendar`. By the same engine also revised figures and
  weights learned anew, so `c - a` less `calendar`;
- `method`: another engine on what was known then, `b - a`; figures revised at the same time are in
  it. 0 by the same engine;
- `rest`: what bounds and adding up changed;
- `undivided`: all of it, where parts of the issue before or `b` are not known.

They add up to the change of the figure issued.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl

from etl.errors import ForesightError
from etl.geography import resolve
from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.panel import Floats
from forecasts.parts import LEVEL, PARTS, REST

MISSES = 6
"""Past errors told of each kind."""
UNDIVIDED = "undivided"
CHANGES = ("data", "calendar", "method", REST, UNDIVIDED)
"""What a change may be made of, in the order told."""


class NoForecast(ForesightError):
    """There is no forecast to explain."""


class Series(NamedTuple):
    """Which series."""

    indicator: str
    area: str
    category: str
    frequency: str


@dataclass(frozen=True)
class Change:
    """The forecast of a period against the one issued before for the same period."""

    issued: date
    """The day of the issue before."""
    before: float
    parts: dict[str, float]
    """By names in `CHANGES`; they add up to the forecast less `before`."""


@dataclass(frozen=True)
class Miss:
    """A forecast of a past period, and what came."""

    kind: Literal["issued", "retold"]
    """Issued at the time; or what today's engine would have said then."""
    period: date
    since: date
    """The day it was issued; or the last period it would have known."""
    said: float
    observed: float


@dataclass(frozen=True)
class Step:
    """The forecast of one period, in the unit of the indicator."""

    period: date
    horizon: int
    expected: float
    parts: dict[str, float]
    """In the order told; they add up to `expected`. Empty where an older code issued it."""
    change: Change | None
    misses: tuple[Miss, ...]
    """At this horizon, the newest period first."""


@dataclass(frozen=True)
class Explained:
    """The forecast of a series that counts now."""

    series: Series
    issued: date
    origin: date
    model: str
    simulated: bool
    steps: tuple[Step, ...]


def find_series(
    warehouse: Warehouse,
    indicator: str,
    area: str | None,
    category: str,
    frequency: str | None,
    today: date,
) -> Series:
    """The one series meant: by default of the largest area, at the finest frequency.

    `area` is a code, or a name as it is used today.

    Raises:
        NoForecast: the indicator has no such forecast; the hint says what it has.
        UnknownArea: the area is neither.
    """
    rows = warehouse.query("forecasts", "explain_series", indicator=indicator)
    found = [Series(*row) for row in rows.iter_rows()]
    if not found:
        names = warehouse.query("forecasts", "explain_indicators")["indicator"].to_list()
        near = get_close_matches(indicator, names, n=1)
        raise NoForecast(
            f"{indicator!r} has no forecast", hint=f"did you mean {near[0]!r}?" if near else ""
        )
    if area is not None and area not in {one.area for one in found}:
        area = resolve(area, today).code
    fitting = [
        one
        for one in found
        if one.area == (area or found[0].area)
        and one.category == category
        and one.frequency == (frequency or one.frequency)
    ]
    if not fitting:
        asked = " ".join(part for part in (area, category, frequency) if part)
        raise NoForecast(
            f"{indicator!r} has no forecast for {asked}",
            hint=f"it has {len(found)}, such as {' '.join(found[0][1:])}",
        )
    return fitting[0]


def explain(warehouse: Warehouse, series: Series) -> Explained:
    """The forecast of a series that counts, explained.

    Raises:
        NoForecast: it has none.
    """
    asked = series._asdict()
    said = warehouse.query("forecasts", "explain_said", **asked)
    now, before = (said.filter(pl.col("newest") == newest) for newest in (True, False))
    if now.is_empty():
        raise NoForecast(f"{' '.join(series)} has no forecast")
    parts, retold = _stored(warehouse, series)
    issues = _Issues(now, before, parts, retold, Frequency(series.frequency))
    misses = _Misses.of(warehouse, series, issues)
    first = now.row(0, named=True)
    return Explained(
        series,
        first["issued"],
        first["origin"],
        first["model"],
        bool(now["simulated"].any()),
        tuple(_step(row, issues, misses) for row in now.iter_rows(named=True)),
    )


def _stored(
    warehouse: Warehouse, series: Series
) -> tuple[dict[tuple[int, date], dict[str, float]], list["_Retold"]]:
    """Parts by issue and period, and what would have been said earlier, newest issue first.

    Nothing where an older code made the build.
    """
    if "forecast_earlier" not in warehouse.tables():
        return {}, []
    parts = warehouse.query("forecasts", "explain_parts", **series._asdict())
    earlier = warehouse.query("forecasts", "explain_earlier", **series._asdict())
    return _parts(parts), [_Retold.of(row) for row in earlier.iter_rows(named=True)]


def _parts(rows: pl.DataFrame) -> dict[tuple[int, date], dict[str, float]]:
    """By issue and period, the parts in the order told: the calendar before the rest."""
    found: dict[tuple[int, date], dict[str, float]] = {}
    for issue, period, part, value in rows.iter_rows():
        found.setdefault((issue, period), {})[part] = value
    return {key: dict(sorted(parts.items(), key=_place)) for key, parts in found.items()}


def _place(part: tuple[str, float]) -> tuple[int, str]:
    name = part[0]
    last = len(PARTS) - 1
    return (PARTS.index(name), "") if name in PARTS[:last] else (last + (name == REST), name)


@dataclass(frozen=True)
class _Retold:
    """What the engine of an issue would have said from earlier origins."""

    issue: int
    engine: str
    dropped: list[int]
    said: Floats
    """`(origins, horizon)`."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "_Retold":
        said = np.array(row["said"], dtype=float).reshape(len(row["dropped"]), row["horizon"])
        return cls(row["issue"], row["engine"], row["dropped"], said)

    def at(self, dropped: int, horizon: int) -> float | None:
        """What was said so many periods before the end, so far ahead; None where nothing was."""
        if dropped not in self.dropped or not 1 <= horizon <= self.said.shape[1]:
            return None
        value = float(self.said[self.dropped.index(dropped), horizon - 1])
        return value if np.isfinite(value) else None


@dataclass(frozen=True)
class _Issues:
    """The issue that counts and the one before it; the latter may have no rows."""

    now: pl.DataFrame
    before: pl.DataFrame
    parts: dict[tuple[int, date], dict[str, float]]
    retold: list[_Retold]
    """Newest issue first."""
    frequency: Frequency


def _step(row: Mapping[str, Any], issues: _Issues, misses: "_Misses") -> Step:
    return Step(
        row["period"],
        row["horizon"],
        row["value"],
        issues.parts.get((row["issue"], row["period"]), {}),
        _change(row, issues),
        misses.at(row["horizon"]),
    )


def _change(row: Mapping[str, Any], issues: _Issues) -> Change | None:
    earlier = issues.before.filter(pl.col("period") == row["period"])
    if earlier.is_empty():
        return None
    then = earlier.row(0, named=True)
    parts = _divided(row, then, issues) or {UNDIVIDED: row["value"] - then["value"]}
    return Change(then["issued"], then["value"], parts)


def _divided(
    row: Mapping[str, Any], then: Mapping[str, Any], issues: _Issues
) -> dict[str, float] | None:
    new, old = (issues.parts.get((one["issue"], one["period"])) for one in (row, then))
    engines = {one.issue: one for one in issues.retold}
    if not (new and old and row["issue"] in engines and then["issue"] in engines):
        return None
    calendar = _calendar(new) - _calendar(old)
    path, path_before = row["value"] - new[REST], then["value"] - old[REST]
    now = engines[row["issue"]]
    method = 0.0
    if now.engine != engines[then["issue"]].engine:
        ahead = row["horizon"] - then["horizon"]
        again = path if ahead == 0 else now.at(-ahead, then["horizon"])
        if again is None:
            return None
        method = again - path_before
    return {
        "data": path - path_before - method - calendar,
        "calendar": calendar,
        "method": method,
        REST: new[REST] - old[REST],
    }


def _calendar(parts: Mapping[str, float]) -> float:
    return sum(value for name, value in parts.items() if name not in PARTS)


@dataclass(frozen=True)
class _Misses:
    """Past forecasts with their outcomes."""

    issued: pl.DataFrame
    retold: _Retold | None
    origin: date
    observed: dict[date, float]
    frequency: Frequency

    @classmethod
    def of(cls, warehouse: Warehouse, series: Series, issues: _Issues) -> "_Misses":
        first = issues.now.row(0, named=True)
        mine = [one for one in issues.retold if one.issue == first["issue"]]
        return cls(
            warehouse.query("forecasts", "explain_scored", **series._asdict()),
            mine[0] if mine else None,
            first["origin"],
            dict(warehouse.query("forecasts", "explain_observed", **series._asdict()).iter_rows()),
            issues.frequency,
        )

    def at(self, horizon: int) -> tuple[Miss, ...]:
        """Those so far ahead: the newest issued, then the newest retold."""
        scored = self.issued.filter(pl.col("horizon") == horizon).head(MISSES)
        issued = [
            Miss("issued", row["period"], row["issued"], row["expected"], row["observed"])
            for row in scored.iter_rows(named=True)
        ]
        return (*issued, *self._retold(horizon))

    def _retold(self, horizon: int) -> list[Miss]:
        if self.retold is None:
            return []
        asked = sorted(dropped for dropped in self.retold.dropped if dropped >= horizon)
        since = _moved(self.origin, self.frequency, [-dropped for dropped in asked])
        periods = _moved(self.origin, self.frequency, [horizon - dropped for dropped in asked])
        found = []
        for dropped, last, period in zip(asked, since, periods, strict=True):
            said = self.retold.at(dropped, horizon)
            if said is not None and period in self.observed:
                found.append(Miss("retold", period, last, said, self.observed[period]))
        return found[:MISSES]


def _moved(day: date, frequency: Frequency, by: list[int]) -> list[date]:
    """The first days of the periods so many before or after one."""
    unit = frequency.polars_step.removeprefix("1")
    offsets = pl.lit(pl.Series([f"{number}{unit}" for number in by], dtype=pl.String))
    return pl.select(pl.lit(day).dt.offset_by(offsets)).to_series().to_list() if by else []


def shown_rounded(step: Step) -> tuple[dict[str, float], float]:
    """Parts rounded to the third digit of the forecast, which still add up to it, and that digit.

    Each is within one such digit of what it is: it is the difference of rounded sums.
    """
    size = max(abs(step.expected), abs(step.parts.get(LEVEL, 0.0)))
    grain = 10.0 ** (np.floor(np.log10(size)) - 2) if size > 0 else 1.0
    sums = np.round(np.cumsum(list(step.parts.values())) / grain)
    rounded = np.diff(sums, prepend=0.0) * grain
    return dict(zip(step.parts, rounded.tolist(), strict=True)), float(grain)
