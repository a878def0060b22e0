"""Single values and lasting steps that neither season nor chance explains.

Each series has a local level; what a value adds to it is its surprise. A value that surprises once
is an outlier; one after which the level stays is a step. Both are told by the surprises from there
on, in units of what is usual for the series (Chen and Liu, 1993, JASA 88(421)). Cautious on
purpose: a random walk, a strong season and a small count surprise all the time.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeVar

import numpy as np

from forecasts.calm import Calm, Flags, Numbers, pooled
from forecasts.panel import Floats

Array = TypeVar("Array", Floats, Flags)

MEMORIES = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Weights of the newest value in the local level; each series takes what surprises it least."""
LATER = 4
"""Values that must follow the first one of a step before it is believed."""
RETURN = 2
"""Values that must follow an outlier: at the end, a step looks the same."""
EARLIER = 4
"""Values that must stand before either."""
LASTING = 0.75
"""Share of the values of the next season that must lie on the new side of a step."""
HALFWAY = 0.4
"""How much of a step or outlier its first value must show by itself: not the values after it."""
ROUNDS = 5
"""Findings in one series at most; what would need more is not made of single events."""
PRIOR = 1.0
"""Rounds for which the usual surprise of a series counts beside those of the same season."""
FEWEST = 12
"""Surprises without which a series has no usual one."""
AGREEING = 5
"""Siblings that must be seen before something is believed of all of them."""
SAME_WAY = 0.6
"""Share of them that must go the same way."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found, each `(series, periods)`."""

    outliers: Flags
    steps: Flags
    """The first value of a new level, of this series alone."""
    shared: Flags
    """The first value of a new level that siblings took together; their sizes are not told here."""
    size: Floats
    """Of outliers and steps, on the scale of `Calm.x`; 0 elsewhere."""
    evidence: Floats
    """How many usual surprises, with its sign; NaN where nothing was found."""


@dataclass(frozen=True, eq=False)
class _Signs:
    """Sizes and evidence of a step, and of an outlier, at every place; 0 where not told."""

    step: Floats
    step_evidence: Floats
    outlier: Floats
    outlier_evidence: Floats
    surprise: Floats
    usual: Floats


def find(
    values: Calm,
    season: int,
    groups: Numbers,
    *,
    restarts: Flags,
    protected: Flags,
    false_rate: float,
) -> Findings:
    """Outliers and steps of each series, and steps that siblings took together.

    Nothing is compared across `restarts`, `(series, periods)`: the first values after declared
    breaks. Periods in `protected`, `(periods,)`, are never outliers. `false_rate` is the share of
    series, of normal surprises, in which anything at all would be found.
    """
    x, restarts = values.x.copy(), restarts.copy()
    found = _nothing(x.shape)
    looks = 4 * x.shape[1]
    bar = NormalDist().inv_cdf(1 - min(false_rate, 1.0) / looks)
    signs = _signs(x, restarts, values, np.arange(len(x)))
    _find_shared(x, restarts, signs, groups, bar, found)
    rows = np.arange(len(x))
    if found.shared.any():
        signs = _signs(x, restarts, values, rows)
    for _ in range(ROUNDS):
        rows = _take_strongest(x, values.additive, rows, signs, season, bar, protected, found)
        if not len(rows):
            break
        signs = _signs(x[rows], restarts[rows], values, rows)
    return found


def _nothing(shape: tuple[int, ...]) -> Findings:
    none = np.zeros(shape, dtype=bool)
    return Findings(none, none.copy(), none.copy(), np.zeros(shape), np.full(shape, np.nan))


# --- surprises -------------------------------------------------------------------------------


def _signs(x: Floats, restarts: Flags, values: Calm, rows: Numbers) -> _Signs:
    drift = _drift(x)
    surprise, gain = _surprises(x, restarts, drift)
    # On logs, what falls to nothing falls for ever; as a share of the level it falls by one.
    falls = ~values.additive[rows, None] & (surprise < 0)
    surprise = np.where(falls, np.expm1(np.where(falls, surprise, 0.0)), surprise)
    return _evidence(surprise, gain, restarts, _usual(surprise, values.grain[rows]))


def _drift(x: Floats) -> Floats:
    """Median change from period to period over spans of up to a year's length, `(series,)`."""
    span = max(1, min(12, x.shape[1] // 3))
    return np.asarray(np.nan_to_num(_quantile(x[:, span:] - x[:, :-span], 0.5)) / span)


def _quantile(values: Floats, level: float) -> Floats:
    """Of the known values of each row; NaN where there are none."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    ordered = np.sort(values, axis=1)
    count = np.isfinite(values).sum(axis=1)
    place = np.fmax(count - 1, 0) * level
    low = np.floor(place).astype(int)
    row = np.arange(len(values))
    first, second = ordered[row, low], ordered[row, np.ceil(place).astype(int)]
    return np.asarray(first + (second - first) * (place - low))


def _surprises(x: Floats, restarts: Flags, drift: Floats) -> tuple[Floats, Floats]:
    """What each value adds to its local level, and the share of it that the level takes over.

    With the memory under which each series is surprised least; no surprise counts beyond a limit.
    """
    known: Flags = _by_period(np.isfinite(x))
    count = _counted(known, _by_period(restarts))
    usable = known & (count > 0)
    rest = 1 / (count + 1)
    missed = _missed(_by_period(x), known, usable, rest, drift)
    limit = 3 * np.nan_to_num(_quantile(np.abs(np.diff(x, axis=1)), 0.5))
    limit = np.where(limit > 0, limit, 1.0)
    best = np.minimum(np.abs(missed), limit).sum(axis=0).argmin(axis=0)
    chosen = np.take_along_axis(missed, best[None, None], axis=1)[:, 0]
    gain = np.fmax(np.array(MEMORIES)[best], rest)
    return _by_period(np.where(usable, chosen, np.nan)), _by_period(gain)


def _counted(known: Flags, restarts: Flags) -> Numbers:
    """How many values stand before each, after the last restart, `(periods, series)`."""
    before = np.cumsum(known, axis=0, dtype=np.int64) - known
    return np.asarray(before - np.maximum.accumulate(np.where(restarts, before, 0), axis=0))


def _missed(x: Floats, known: Flags, usable: Flags, rest: Floats, drift: Floats) -> Floats:
    """What each value adds to the local level of each memory, `(periods, memories, series)`.

    0 where it is not `usable`: not known, or the first one, with which the level begins. The level
    takes over no less than `rest` of it.
    """
    memories = np.array(MEMORIES)[:, None]
    missed = np.zeros((len(x), len(memories), x.shape[1]))
    level = np.zeros(missed.shape[1:])
    first: Flags = known & ~usable
    for at in range(len(x)):
        level += drift
        np.subtract(x[at], level, out=missed[at], where=usable[at])
        level += np.fmax(memories, rest[at]) * missed[at]
        if first[at].any():
            level[:, first[at]] = x[at, first[at]]
    return missed


def _by_period(values: Array) -> Array:
    """Rows and columns exchanged, in memory as well: recursions go through it in one piece."""
    return np.ascontiguousarray(values.T)


def _usual(surprise: Floats, grain: Floats) -> Floats:
    """Size of a usual surprise, `(series,)`; never below the chance of counts of that size.

    The larger of what half and nine tenths of them do not exceed, each as of a normal series.
    """
    size = np.abs(surprise)
    usual = np.fmax(_quantile(size, 0.5) / 0.6745, _quantile(size, 0.9) / 1.645)
    few = np.isfinite(surprise).sum(axis=1) < FEWEST
    usual = np.fmax(usual, grain)
    return np.asarray(np.where(few | ~(usual > 0), np.inf, usual))


def _evidence(surprise: Floats, gain: Floats, restarts: Flags, usual: Floats) -> _Signs:
    """Sizes of a step and of an outlier at each place, by least squares over what came after."""
    known = np.isfinite(surprise)
    told = np.where(known, surprise, 0.0)
    above, below, later = _afterwards(told, known, gain, restarts)
    step, strength = told + (1 - gain) * above, 1 + (1 - gain) ** 2 * below
    single, weight = told - gain * above, 1 + gain**2 * below
    earlier = np.cumsum(known, axis=1)
    earlier -= np.maximum.accumulate(np.where(restarts, earlier, 0), axis=1)
    steps = known & (later >= LATER) & (earlier >= EARLIER)
    by_step, by_single = step / np.sqrt(strength), single / np.sqrt(weight)
    singles = known & (later >= RETURN) & (earlier >= EARLIER)
    singles &= np.abs(by_single) > np.abs(by_step)
    singles &= told * single * weight > HALFWAY * single**2
    singles &= _next_in_same_direction(told) < np.abs(told) / 2
    spread = usual[:, None]
    return _Signs(
        step / strength,
        np.where(steps, by_step / spread, 0.0),
        single / weight,
        np.where(singles, by_single / spread, 0.0),
        surprise,
        usual,
    )


def _afterwards(
    told: Floats, known: Flags, gain: Floats, restarts: Flags
) -> tuple[Floats, Floats, Floats]:
    """What the surprises after each place say, until the next restart.

    The parts above and below the line of the size of a step at the next place, and how many
    surprises there are.
    """
    above, below, later = (np.zeros(told.shape[::-1]) for _ in range(3))
    kept = _by_period(np.where(known, 1 - gain, 1.0))
    square = kept**2
    columns = (_by_period(told), _by_period(known), _by_period(restarts))
    over, under, count = (np.zeros(len(told)) for _ in range(3))
    for at in range(told.shape[1] - 1, -1, -1):
        now, seen, restart = (column[at] for column in columns)
        above[at], below[at], later[at] = over, under, count
        over *= kept[at]
        over += now
        under *= square[at]
        under += seen
        count += seen
        if restart.any():
            # Nothing after a restart tells of what was before it, nor the other way round.
            for part in (over, under, count):
                part[restart] = 0
    return _by_period(above), _by_period(below), _by_period(later)


def _next_in_same_direction(told: Floats) -> Floats:
    """The largest of the next `RETURN` surprises, in the direction of the one here."""
    largest = np.zeros(told.shape)
    for lag in range(1, min(RETURN, told.shape[1] - 1) + 1):
        np.fmax(largest[:, :-lag], told[:, lag:] * np.sign(told[:, :-lag]), out=largest[:, :-lag])
    return largest


# --- what is taken ---------------------------------------------------------------------------


def _take_strongest(
    x: Floats,
    additive: Flags,
    rows: Numbers,
    signs: _Signs,
    season: int,
    bar: float,
    protected: Flags,
    found: Findings,
) -> Numbers:
    """Take the strongest finding of each row out of `x`; the rows in which there was one."""
    inflated = bar * (1 + 4 / np.fmax(np.isfinite(x[rows]).sum(axis=1), 1))[:, None]
    single = np.where(protected, 0.0, _of_its_season(signs, season))
    single = np.where(np.abs(single) > inflated, single, 0.0)
    step = np.where(np.abs(signs.step_evidence) > inflated, signs.step_evidence, 0.0)
    taken = np.isfinite(found.evidence[rows])
    single, step = np.where(taken, 0.0, single), np.where(taken, 0.0, step)
    step = _confirmed(x[rows], signs.step, step, season)
    strongest = np.fmax(np.abs(single), np.abs(step))
    at = strongest.argmax(axis=1)
    here = np.arange(len(rows))
    hit = strongest[here, at] > 0
    here, row, at = here[hit], rows[hit], at[hit]
    stays = np.abs(step[here, at]) >= np.abs(single[here, at])
    evidence = np.where(stays, step[here, at], single[here, at])
    size = _in_logs(np.where(stays, signs.step[here, at], signs.outlier[here, at]), additive[row])
    found.size[row, at], found.evidence[row, at] = size * (1 - 1 / evidence**2), evidence
    found.steps[row[stays], at[stays]] = True
    found.outliers[row[~stays], at[~stays]] = True
    x[row[~stays], at[~stays]] = np.nan
    before = np.arange(x.shape[1]) < at[stays][:, None]
    x[row[stays]] += before * found.size[row[stays], at[stays]][:, None]
    return np.asarray(row)


def _in_logs(size: Floats, additive: Flags) -> Floats:
    """Sizes told by shares of the level, where something falls, as logs."""
    return np.where(~additive & (size < 0), np.log1p(np.fmax(np.fmin(size, 0.0), -0.98)), size)


def _of_its_season(signs: _Signs, season: int) -> Floats:
    """Evidence of outliers, less where the other rounds of the season surprise as well.

    0 where no other round is known.
    """
    evidence = signs.outlier_evidence
    if season == 1:
        return evidence
    shape = signs.surprise.shape
    squares = (signs.surprise / signs.usual[:, None]) ** 2
    rounds = np.pad(squares, ((0, 0), (0, -shape[1] % season)), constant_values=np.nan)
    rounds = rounds.reshape(len(rounds), -1, season)
    known = np.isfinite(rounds)
    rounds = np.where(known, rounds, 0.0)
    others = rounds.sum(axis=1, keepdims=True) - rounds
    count = known.sum(axis=1, keepdims=True) - known
    usual = np.sqrt((PRIOR + others) / (PRIOR + count))
    weaker = np.where(count > 0, np.fmax(usual, 1), np.inf)
    return np.asarray(evidence / weaker.reshape(len(squares), -1)[:, : shape[1]])


def _confirmed(x: Floats, size: Floats, evidence: Floats, season: int) -> Floats:
    """The evidence of the strongest step of each row, if the values after it stay where it led."""
    at = np.abs(evidence).argmax(axis=1)
    rows = np.flatnonzero(evidence[np.arange(len(x)), at])
    kept = np.zeros(evidence.shape)
    if not len(rows):
        return kept
    span = max(season, 2 * LATER)
    away = np.arange(x.shape[1]) - at[rows][:, None]
    before = _quantile(np.where((away < 0) & (away >= -span), x[rows], np.nan), 0.5)
    then = np.where((away >= 0) & (away < span), x[rows], np.nan)
    moved = size[rows, at[rows]]
    beyond = (then - before[:, None]) / moved[:, None]
    lasting = (beyond > 0.5).sum(axis=1) >= LASTING * np.isfinite(then).sum(axis=1)
    lasting &= beyond[np.arange(len(rows)), at[rows]] > HALFWAY
    kept[rows[lasting], at[rows[lasting]]] = evidence[rows[lasting], at[rows[lasting]]]
    return kept


def _find_shared(
    x: Floats,
    restarts: Flags,
    signs: _Signs,
    groups: Numbers,
    bar: float,
    found: Findings,
) -> None:
    """Steps that siblings took together, weak as each of them may be: added to `restarts`."""
    step = signs.step_evidence
    seen = pooled((step != 0).astype(float), groups)
    way = pooled(np.sign(step), groups)
    sums = pooled(np.clip(step, -4, 4), groups) / np.sqrt(np.fmax(seen, 1))
    usual = _quantile(np.where(seen >= AGREEING, np.abs(sums), np.nan), 0.5) / 0.6745
    evidence = sums / np.fmax(usual, 1)[:, None]
    agreed = (seen >= AGREEING) & (np.abs(way) >= (2 * SAME_WAY - 1) * seen)
    evidence = np.where(agreed & (np.abs(evidence) > bar), evidence, 0.0)
    at = np.abs(evidence).argmax(axis=1)
    strong = evidence[np.arange(len(at)), at] != 0
    rows = np.flatnonzero(strong[groups])
    column = at[groups[rows]]
    told = np.isfinite(x[rows, column]) & (step[rows, column] != 0)
    rows, column = rows[told], column[told]
    restarts[rows, column] = True
    found.shared[rows, column] = True
    found.evidence[rows, column] = evidence[groups[rows], column]
