"""Months of a forecast spread over their days, so that the days of a path add up to its months.

How a month is shared out is learned from past days: weekdays, holidays, Tết and the rush after it,
as the month that is not over is completed (`forecasts.nowcast`). A path's month is a whole number
of dossiers, rounded up or down by chance, so that its mean stays; each dossier falls on one of the
days by their shares. Nothing else ties the days of a month together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from etl.periods import Frequency, Period
from forecasts.nowcast import Completed, busy_days, complete
from forecasts.panel import Floats, Panel, steps

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Dossiers received on each day of each path: `counts` is `(paths, communes, fields, days)`."""

    days: tuple[date, ...]
    counts: NDArray[np.int32]

    def weeks(self) -> tuple[tuple[date, ...], NDArray[np.int64]]:
        """Mondays, and what comes in the days of each week that are here, `(..., weeks)`."""
        mondays = np.array([(day - timedelta(days=day.weekday())).toordinal() for day in self.days])
        starts, first = np.unique(mondays, return_index=True)
        summed = np.add.reduceat(self.counts, first, axis=-1, dtype=np.int64)
        return tuple(date.fromordinal(int(start)) for start in starts), summed


def day_shares(known: Panel, end: date) -> Floats:
    """How busy each field is on each day after the panel, until `end`, `(fields, days)`.

    The panel has one series a field, by day, all of the city; rows are on scales of their own.
    """
    busy = busy_days(known, end)[known.siblings]
    return np.asarray(busy[:, len(known.periods) :])


def spread(
    months: Floats, origin: date, shares: Floats, first: date, rng: np.random.Generator
) -> Arrivals:
    """Spread whole months over the days from `first` on, which shares are given for.

    `months` is `(paths, communes, fields, months)`, the first of them after the month of `origin`;
    `shares` is `(fields, days)`. Of a month that began before `first`, `months` holds what is left
    of it. A month of which no day has a share comes on its first day.
    """
    starts = steps(origin, Frequency.MONTH, months.shape[3] + 1)[1:]
    days = tuple(first + timedelta(days=at) for at in range(shares.shape[1]))
    counts = np.zeros((*months.shape[:3], len(days)), dtype=np.int32)
    for number, start in enumerate(starts):
        at = [place for place, day in enumerate(days) if day.replace(day=1) == start]
        if at:
            part = slice(at[0], at[-1] + 1)
            whole = whole_numbers(months[..., number], rng)
            counts[..., part] = rng.multinomial(whole, _probabilities(shares[:, part]))
    return Arrivals(days, counts)


def whole_numbers(months: Floats, rng: np.random.Generator) -> Ints:
    """Whole numbers whose mean is the months: rounded up as often as the rest says."""
    return np.floor(np.maximum(months, 0.0) + rng.random(months.shape)).astype(np.int64)


def _probabilities(shares: Floats) -> Floats:
    total = shares.sum(axis=1, keepdims=True)
    first = np.eye(1, shares.shape[1])
    return np.where(total > 0, shares / np.where(total > 0, total, 1.0), first)


def rest_of_month(
    month: Floats, completed: Completed, rows: Sequence[int | None], left: Floats
) -> tuple[Floats, list[int]]:
    """What is still to come of a month in progress, `(paths, communes, fields)`.

    `month` is the whole month by path as it was forecast before it began, `left` the share of it
    usual after the last day known, by field. The total of each commune is moved to what
    the completed month says: a path that was high among its fellows takes the same place among the
    quantiles of `completed`, of which `rows` are the communes, None where one has no days. Fields
    keep their proportions.

    Second is the numbers of communes whose month could not be completed: there the forecast stays.
    """
    total = month.sum(axis=2)
    place = (np.argsort(np.argsort(total, axis=0), axis=0) + 0.5) / len(total)
    to_come = month * left
    asked = to_come.sum(axis=2)
    scale = np.ones(total.shape)
    untold = []
    for commune, row in enumerate(rows):
        if row is None or completed.refused[row] is not None:
            untold.append(commune)
            continue
        told = np.interp(place[:, commune], completed.levels, completed.quantiles[:, row])
        rest = np.maximum(told - completed.so_far[row], 0.0)
        scale[:, commune] = rest / np.where(asked[:, commune] > 0, asked[:, commune], np.inf)
    return to_come * scale[:, :, None], untold


def begun(
    months: Floats,
    origin: date,
    until: date,
    panel: Panel | None,
    left: Floats,
    areas: Iterable[str],
) -> tuple[Floats, list[int]]:
    """Months of which the one in progress on the day after `until` is what is left of it.

    `months` is `(paths, areas, fields, months)`, the first of them after the month of `origin`;
    `panel` has the days of the areas, `left` is as in `rest_of_month`. Second is the numbers of
    areas whose month could not be completed: without a panel all.
    """
    names = list(areas)
    starts = steps(origin, Frequency.MONTH, months.shape[3] + 1)[1:]
    month = until.replace(day=1)
    if month not in starts or Period.containing(Frequency.MONTH, until).end == until:
        return months, []
    if panel is None:
        return months, list(range(len(names)))
    place = {name: row for row, name in enumerate(panel.keys["area"])}
    number = starts.index(month)
    completed = complete(panel, until + timedelta(days=1))
    rest, untold = rest_of_month(
        months[..., number], completed, [place.get(n) for n in names], left
    )
    months = months.copy()
    months[..., number] = rest
    return months, untold


def left_of_month(known: Panel, shares: Floats, until: date) -> Floats:
    """The share of the month that usually comes after `until`, `(fields,)`; see `day_shares`."""
    over = until.day
    gone = known.values[:, -over:].sum(axis=1) if over <= known.values.shape[1] else 0.0
    days = Period.containing(Frequency.MONTH, until).end.day - over
    recent = known.values[:, -182:].sum(axis=1) / np.maximum(len(known.periods[-182:]), 1)
    ahead_days = shares[:, :days].sum(axis=1)
    usual = shares.mean(axis=1)
    expected = np.where(usual > 0, recent * ahead_days / np.where(usual > 0, usual, 1.0), 0.0)
    total = gone + expected
    return np.asarray(np.where(total > 0, expected / np.where(total > 0, total, 1.0), 0.0))
