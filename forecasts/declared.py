"""Declared events, and which periods and series of a panel they touch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl

from etl.calendars import tet
from etl.catalog import Catalog, Event
from etl.periods import Frequency, Period
from forecasts.calm import Flags, Numbers
from forecasts.panel import Floats, Panel

PULSE_SHARE = 0.25
"""Share of a period that a pulse must touch before the period teaches nothing."""
CLEAN_SHARE = 0.02
"""Share of a period that may lie on the other side of a step without mixing the two."""
TET_MONTHS = 3
"""Tết, the weeks before it and the surge after it lie in the first months of the year."""
AROUND_TET = (timedelta(days=14), timedelta(days=28))
"""How long before and after Tết figures of days and weeks may be moved by it."""

Span = tuple[date, date]
"""A first day, and the day after the last."""


@dataclass(frozen=True)
class Break:
    """A declared event, as far as it concerns panels."""

    name: str
    day: date
    """The first day on which things are different."""
    last: date | None = None
    """Of a pulse, the last such day; by default that of the period in which it began."""
    kind: Literal["level", "pulse"] = "level"
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values of columns of the keys: the series concerned; all, where there are none."""
    expect: Literal["up", "down"] | None = None
    masked: tuple[date, ...] = ()
    """First days of months of transition."""

    def concerns(self, keys: pl.DataFrame) -> Flags:
        """Whether each row of `keys` is concerned; a column that it lacks leaves none out."""
        concerned = np.ones(len(keys), dtype=bool)
        for column in self.only.keys() & set(keys.columns):
            named = keys[column].cast(pl.String).is_in(sorted(self.only[column]))
            concerned &= named.fill_null(value=False).to_numpy()
        return concerned


def declared(catalog: Catalog) -> tuple[Break, ...]:
    """The events of the catalog."""
    return tuple(_break(catalog, event) for event in catalog.events)


def _break(catalog: Catalog, event: Event) -> Break:
    concerns, only = event.concerns, {}
    delivered = [set(catalog.datasets[name].delivered) for name in concerns.datasets]
    named = [set(concerns.indicators)] if concerns.indicators else []
    if delivered or named:
        sets = [set().union(*delivered), *named] if delivered else named
        only["indicator"] = frozenset(set.intersection(*sets))
    if event.codes is not None:
        only["area"] = event.codes
    if concerns.categories:
        only["category"] = frozenset(concerns.categories)
    masked = tuple(date.fromisoformat(f"{month}-01") for month in event.masked)
    return Break(event.name, event.day, event.last, event.kind, only, event.expect, masked)


@dataclass(frozen=True, eq=False)
class Declared:
    """What events say of a panel: the steps that lie within it, oldest first, and what to mask."""

    names: tuple[str, ...]
    before: Floats
    """`(steps, periods)`: the share of each period that lies before the step."""
    concerned: Flags
    """`(series, steps)`."""
    way: Floats
    """`(steps,)`: 1 where a step up is expected, -1 where one down, 0 where either."""
    mask: Flags
    """`(series, periods)`: pulses and months of transition."""

    @classmethod
    def within(cls, panel: Panel, events: Sequence[Break]) -> "Declared":
        """What `events` say of `panel`; steps outside it say nothing."""
        steps = sorted((e for e in events if e.kind == "level"), key=lambda e: (e.day, e.name))
        shares = [_share_before(panel, event.day) for event in steps]
        inside = [k for k, share in enumerate(shares) if share[0] == 1 and share[-1] == 0]
        concerned = [steps[k].concerns(panel.keys) for k in inside]
        ways = {"up": 1.0, "down": -1.0, None: 0.0}
        return cls(
            tuple(steps[k].name for k in inside),
            np.array([shares[k] for k in inside]).reshape(len(inside), len(panel.periods)),
            np.array(concerned, dtype=bool).reshape(len(inside), len(panel.keys)).T,
            np.array([ways[steps[k].expect] for k in inside]),
            _masked(panel, events),
        )

    def of(self, rows: Numbers) -> "Declared":
        """The same, of these series."""
        return Declared(self.names, self.before, self.concerned[rows], self.way, self.mask[rows])

    @property
    def columns(self) -> Numbers:
        """The first period wholly after each step."""
        return np.asarray((self.before > 0).sum(axis=1))

    @property
    def mixed(self) -> Flags:
        """`(series, periods)`: periods within which a step lies that concerns the series."""
        within = (self.before > 0) & (self.before < 1)
        return np.asarray(self.concerned @ within) if len(within) else np.zeros_like(self.mask)


def _share_before(panel: Panel, day: date) -> Floats:
    """Of each period, the share that lies before `day`; next to nothing is nothing."""
    shares = [(day - first).days / (after - first).days for first, after in _spans(panel)]
    clipped = np.clip(shares, 0, 1)
    clipped[clipped < CLEAN_SHARE] = 0
    clipped[clipped > 1 - CLEAN_SHARE] = 1
    return clipped


def _masked(panel: Panel, events: Sequence[Break]) -> Flags:
    mask = np.zeros(panel.values.shape, dtype=bool)
    for event in events:
        spans = [_month(first) for first in event.masked]
        if event.kind == "pulse":
            last = event.last or Period.containing(panel.frequency, event.day).end
            spans.append((event.day, last + timedelta(days=1)))
        touched = [max((_overlap(s, p) for s in spans), default=0.0) for p in _spans(panel)]
        mask |= event.concerns(panel.keys)[:, None] & (np.array(touched) >= PULSE_SHARE)
    return mask


def moved_by_tet(panel: Panel) -> Flags:
    """`(periods,)`: those that Tết, the weeks before it or the surge after it may move."""
    if not panel.tet or panel.frequency in (Frequency.QUARTER, Frequency.YEAR):
        return np.zeros(len(panel.periods), dtype=bool)
    if panel.frequency is Frequency.MONTH:
        return np.array([period.month <= TET_MONTHS for period in panel.periods])
    years = range(panel.periods[0].year, panel.periods[-1].year + 2)
    spans = [(tet(year) - AROUND_TET[0], tet(year) + AROUND_TET[1]) for year in years]
    return np.array([any(_overlap(s, p) > 0 for s in spans) for p in _spans(panel)])


def _spans(panel: Panel) -> Iterator[Span]:
    return zip(panel.periods, (*panel.periods[1:], *panel.ahead(1)), strict=True)


def _overlap(span: Span, period: Span) -> float:
    """Share of the period that lies in the span."""
    days = (min(span[1], period[1]) - max(span[0], period[0])).days
    return max(days, 0) / (period[1] - period[0]).days


def _month(first: date) -> Span:
    return first, (first + timedelta(days=31)).replace(day=1)
