"""The month that is not over, completed: what it will come to, and how sure that is.

Days so far are no month: divided by the share of the month that is usually done by then they become
an estimate of the whole. That share counts days by how busy they are (weekdays, holidays, Tết) and
is learned from past months at the same point, from all siblings together. Early in a month few days
say little, and the level of the last months weighs more; how much more is what would have served
past months best. The errors past months would have had at that point are the band.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from etl.calendars import calendar
from etl.catalog import Catalog
from etl.periods import Frequency, Period
from etl.warehouse import Warehouse
from forecasts.calendar_effects import calendar_effects
from forecasts.panel import Floats, Panel

Refusal = Literal["too_few_months", "nothing_yet", "days_missing", "negative_values"]
_REFUSALS: tuple[Refusal | None, ...] = (
    None,
    "nothing_yet",
    "too_few_months",
    "days_missing",
    "negative_values",
)
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
LEAST_MONTHS = 6
MOST_MONTHS = 24
"""Older months are not asked how the days of a month are shared out."""
BEFORE = 3
"""Months whose level is carried on into the month that is not over."""
BUSY_DAYS = 26 * 7
"""Days over which it is seen how busy each weekday is."""
PART_OF_MONTH = 5
"""Days of one part of a month; the last part takes the 31st too."""
LENT = 4.0
"""Months of evidence about errors that siblings lend a series."""
LENT_SHARE = 2.0
"""Months of evidence that days are done in proportion to how busy they are."""
ENOUGH_ERRORS = 60
"""A group with fewer past errors takes the shape of its band from the whole panel."""


@dataclass(frozen=True, eq=False)
class Completed:
    """What the month of `month` comes to; arrays are `(series,)`, in the unit of the series.

    NaN where `refused` has a reason. `done` is the share of the month usually done after
    `through`, the last day known; `quantiles` is `(levels, series)`, none below what is there.
    """

    keys: pl.DataFrame
    month: date
    through: date
    so_far: Floats
    done: Floats
    expected: Floats
    levels: tuple[float, ...]
    quantiles: Floats
    refused: tuple[Refusal | None, ...]


def complete(panel: Panel, today: date, levels: tuple[float, ...] = LEVELS) -> Completed:
    """Complete the month of yesterday from a panel of days, of which only those over are used.

    Values are flows: a month is the sum of its days. On the first of a month it is the month before
    that is told, and nothing is left to expect of it.

    Raises:
        ValueError: the panel is not one of days.
    """
    if panel.frequency is not Frequency.DAY:
        raise ValueError(f"months are completed from days, not from a panel by {panel.frequency}")
    yesterday = today - timedelta(days=1)
    month = yesterday.replace(day=1)
    known = panel.until(min(len(panel.periods), max((today - panel.periods[0]).days, 1)) - 1)
    refused = _refusals(known, month, today)
    rows = [row for row, reason in enumerate(refused) if reason is None]
    blank = np.full(len(panel.keys), np.nan)
    so_far, done, expected = blank.copy(), blank.copy(), blank.copy()
    quantiles = np.full((len(levels), len(panel.keys)), np.nan)
    if rows:
        completion = _Completion(known.take(rows), month)
        so_far[rows], done[rows] = completion.so_far, completion.done
        expected[rows], quantiles[:, rows] = completion.band(levels)
    return Completed(
        panel.keys, month, known.origin, so_far, done, expected, levels, quantiles, refused
    )


def days(
    warehouse: Warehouse, catalog: Catalog, indicator: str, level: str, since: date, today: date
) -> Panel | None:
    """The panel of days of an indicator by commune or for the city; None where there are none.

    It ends with the last day loaded before `today`. Counted cases are 0 on days without any.
    """
    dataset = next(entry for entry in catalog.resources if indicator in entry.delivered)
    frame = warehouse.query(
        "forecasts",
        "days",
        indicator=indicator,
        level=level,
        since=since,
        today=today,
        counted=dataset.complete,
    )
    if frame["value"].null_count() == len(frame):
        return None
    moved = any(entry.calendar == "tet" for entry in dataset.forecast)
    return Panel.from_frame(frame, Frequency.DAY, tet=moved)


def _refusals(known: Panel, month: date, today: date) -> tuple[Refusal | None, ...]:
    """Why the month of each series cannot be completed; None where it can."""
    if known.origin < month or known.periods[0] >= today:
        return tuple(_REFUSALS[1] for _ in range(len(known.keys)))
    whole = sum(np.isfinite(known.values[:, at]).all(axis=1) for at in _past(known, month))
    this_month = known.values[:, known.periods.index(max(month, known.periods[0])) :]
    few = np.broadcast_to(whole, len(known.keys)) < LEAST_MONTHS
    holed, negative = ~np.isfinite(this_month).all(axis=1), (known.values < 0).any(axis=1)
    reasons = np.select([few, holed, negative], [2, 3, 4], default=0)
    return tuple(_REFUSALS[reason] for reason in reasons.tolist())


def _past(known: Panel, month: date) -> list[slice]:
    """The columns of each whole month before `month`, in order."""
    found: list[slice] = []
    first = month
    while len(found) < MOST_MONTHS + BEFORE:
        first = (first - timedelta(days=1)).replace(day=1)
        start = (first - known.periods[0]).days
        if start < 0:
            break
        found.append(slice(start, start + Period.containing(Frequency.MONTH, first).end.day))
    return found[::-1]


# --- how busy days are ----------------------------------------------------------------------------


def busy_days(known: Panel, end: date) -> Floats:
    """How much of its work each group does on each day until `end`, `(groups, days)`.

    Weekdays by their means over the last half year, times what the calendar does to them, times the
    rush of that part of the month. Where the effect of the calendar is not known, holidays are
    taken for Sundays and days worked in exchange for Wednesdays.
    """
    ahead = (end - known.origin).days
    effects = calendar_effects(known, ahead)
    groups = known.siblings
    size = np.maximum(np.bincount(groups), 1)[:, None]
    factors = _by_group(np.concatenate([effects.past, effects.future], axis=1), groups) / size
    total = _by_group(np.nan_to_num(known.values), groups)
    told = np.array([bool(effects.used[group]) for group in range(len(size))])
    weekday, like = _weekdays(known.periods[0], end, moved=known.tet)
    number = np.where(told[:, None], weekday, like)
    recent = slice(max(len(known.periods) - BUSY_DAYS, 0), len(known.periods))
    calm = total[:, recent] / factors[:, recent]
    mean = np.stack([_mean_where(calm, number[:, recent] == at) for at in range(7)], axis=1)
    busy = np.take_along_axis(mean, number, axis=1) * factors
    return np.asarray(busy * _rush(total, busy, known.periods[0]))


def _rush(total: Floats, busy: Floats, first: date) -> Floats:
    """How much more is done in a part of the month than its days would say, `(groups, days)`."""
    last = first + timedelta(days=busy.shape[1] - 1)
    day = pl.date_range(first, last, eager=True).dt.day().to_numpy()
    part = np.minimum((day - 1) // PART_OF_MONTH, 30 // PART_OF_MONTH - 1)
    known = total.shape[1]
    recent = np.arange(known) >= known - 31 * MOST_MONTHS
    rush = np.ones(busy.shape)
    for number in np.unique(part):
        seen = recent & (part[:known] == number)
        done, said = total[:, seen].sum(axis=1), busy[:, :known][:, seen].sum(axis=1)
        lent = said * LENT_SHARE * PART_OF_MONTH / max(seen.sum(), 1)
        rush[:, part == number] = np.where(said > 0, _share(done + lent, said + lent), 1.0)[:, None]
    return rush


def _weekdays(first: date, last: date, *, moved: bool) -> tuple[NDArray[np.int64], ...]:
    """The weekday of each day from 0 on, and the weekday each is like, given holidays."""
    table = calendar(first, last)
    weekday = (table["date"].dt.weekday().cast(pl.Int64) - 1).to_numpy()
    if not moved:
        return weekday, weekday
    off, exchanged = table["holiday"].is_not_null(), table["kind"] == "worked_in_exchange"
    return weekday, np.where(exchanged, 2, np.where(off, 6, weekday))


def _mean_where(values: Floats, chosen: NDArray[np.bool_]) -> Floats:
    return np.asarray(np.where(chosen, values, 0.0).sum(axis=1) / np.maximum(chosen.sum(axis=1), 1))


def _by_group(rows: Floats, groups: NDArray[np.int64]) -> Floats:
    summed = np.zeros((int(groups.max()) + 1, rows.shape[1]))
    np.add.at(summed, groups, rows)
    return summed


# --- completing -----------------------------------------------------------------------------------


class _Completion:
    """Series that can be completed, their past months at the same point, and what follows.

    Arrays of past months are `(months, series)`; NaN where a month is not whole.
    """

    def __init__(self, known: Panel, month: date) -> None:
        end = Period.containing(Frequency.MONTH, month).end
        busy = busy_days(known, end)
        now = slice((month - known.periods[0]).days, len(known.periods))
        whole = slice(now.start, now.start + end.day)
        past = _past(known, month)
        self.groups = known.siblings
        self.so_far = known.values[:, now].sum(axis=1)
        work = busy[:, whole].sum(axis=1)
        share = _share(busy[:, now].sum(axis=1), work)
        self.totals = np.stack([known.values[:, at].sum(axis=1) for at in past])
        self.then = np.stack(
            [_until(known.values[:, at], busy[:, at], share, self.groups) for at in past]
        )
        self.work = np.stack([busy[:, at].sum(axis=1) for at in past] + [work])[:, self.groups]
        self.is_over = now.stop == whole.stop
        self._learn_shares(share[self.groups])

    def _learn_shares(self, share: Floats) -> None:
        """`done` of this month, and `usual` of each past month from the others."""
        part, whole = (
            _by_group(np.where(np.isfinite(self.totals), values, 0.0).T, self.groups)[self.groups].T
            for values in (self.then, self.totals)
        )
        lent = LENT_SHARE * whole.mean(axis=0)
        self.done = _share(part.sum(axis=0) + lent * share, whole.sum(axis=0) + lent)
        others = whole.sum(axis=0) - whole
        self.usual = _share(part.sum(axis=0) - part + lent * share, others + lent)
        if self.is_over:
            self.done, self.usual = np.ones(share.shape), np.ones(self.usual.shape)

    def band(self, levels: tuple[float, ...]) -> tuple[Floats, Floats]:
        """Expected totals `(series,)` and their quantiles `(levels, series)`."""
        level = np.nanmean(self.totals, axis=0)
        by_days, by_level = self.then / self.usual, self._carried()[:-1]
        off_days, off_level = (self.totals - by_days) ** 2, (self.totals - by_level) ** 2
        weight = _weight(*(self._lent(off, level, leave=True) for off in (off_days, off_level)))
        errors = self.totals - np.maximum(weight * by_days + (1 - weight) * by_level, self.then)
        trust = _weight(*(self._lent(off, level)[0] for off in (off_days, off_level)))
        carried = self._carried()[-1]
        expected = trust * self.so_far / np.maximum(self.done, 1e-9) + (1 - trust) * carried
        expected = np.maximum(np.where(self.is_over, self.so_far, expected), self.so_far)
        spread = np.sqrt(self._lent(errors**2, level)[0])
        # Over a spread that knows nothing of the month itself, else the largest would seem small.
        other = np.sqrt(self._lent(errors**2, level, leave=True))
        shape = self._shape(errors / np.where(other > 0, other, np.inf), levels)
        return expected, np.maximum(expected + spread * shape[:, self.groups], self.so_far)

    def _carried(self) -> Floats:
        """The level of the months before, for the work of each month, `(months + 1, series)`."""
        carried = np.full((len(self.totals) + 1, len(self.groups)), np.nan)
        for at in range(1, len(carried)):
            totals, work = (
                self.totals[max(at - BEFORE, 0) : at],
                self.work[max(at - BEFORE, 0) : at],
            )
            seen = np.isfinite(totals)
            pace = _share(np.where(seen, totals, 0.0).sum(axis=0), (work * seen).sum(axis=0))
            carried[at] = np.where(seen.any(axis=0), pace * self.work[at], np.nan)
        return carried

    def _lent(self, squares: Floats, level: Floats, *, leave: bool = False) -> Floats:
        """Mean squared errors, with some of the siblings' own over their level, for its level.

        One row; or with `leave` one row a month, without that month.
        """
        seen = np.isfinite(squares)
        filled = np.where(seen, squares, 0.0)
        number = seen.sum(axis=0)
        sums = _by_group(np.stack([filled.sum(axis=0), level * number], axis=1), self.groups)
        shared = (_share(sums[:, 0], sums[:, 1])[self.groups] * level)[None, :]
        left, fewer = (filled, seen) if leave else (np.zeros((1, 1)), np.zeros((1, 1)))
        return np.asarray((filled.sum(axis=0) - left + LENT * shared) / (number - fewer + LENT))

    def _shape(self, scaled: Floats, levels: tuple[float, ...]) -> Floats:
        """Quantiles of errors over their spread, `(levels, groups)`."""
        shapes = np.empty((len(levels), int(self.groups.max()) + 1))
        for group in range(shapes.shape[1]):
            own = scaled[:, self.groups == group]
            pool = own if np.isfinite(own).sum() >= ENOUGH_ERRORS else scaled
            shapes[:, group] = np.nanquantile(pool, levels)
        return shapes


def _until(values: Floats, busy: Floats, share: Floats, groups: NDArray[np.int64]) -> Floats:
    """What of a past month was there when this share of its work was done, `(series,)`."""
    found = np.empty(len(values))
    for group in range(len(busy)):
        rows = groups == group
        work = np.append(0.0, np.cumsum(busy[group]))
        place = np.interp(share[group] * work[-1], work, np.arange(len(work)))
        day = min(int(place), values.shape[1] - 1)
        found[rows] = values[rows, :day].sum(axis=1) + (place - day) * values[rows, day]
    return found


def _share(part: Floats, whole: Floats) -> Floats:
    """`part` over `whole`, 0 where there is nothing."""
    return np.asarray(np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 0.0))


def _weight(by_days: Floats, by_level: Floats) -> Floats:
    """How much the days say beside the level, from the squared errors of both."""
    return _share(by_level, by_days + by_level)
