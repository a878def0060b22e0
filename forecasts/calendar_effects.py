"""How much Tết, holidays and working days move the figures of a panel, learned from its past.

Tết moves between January and February, so a month of the year does not stand for it. What it does
is seen once a year: one series knows little, all siblings together know it well. So an effect is
estimated on the siblings' common course, each series' own deviation is shrunk towards it by as much
as chance would explain, and before any of it is used it must have foretold years that were left out
of the estimate.

Common course and series are taken in logs, and as they are where values are not positive. Trend and
season are cleared from figures and regressors alike: what remains of the one is regressed on what
remains of the other (Frisch and Waugh), with effects drawn to none by a prior of known width.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from etl.periods import Frequency
from forecasts.calendar_regressors import Regressors, regressors
from forecasts.panel import Floats, Panel

Flags = NDArray[np.bool_]

TREND_PERIOD = {Frequency.MONTH: 24, Frequency.WEEK: 26, Frequency.DAY: 91}
"""Waves of this many periods are half taken for trend; longer ones nearly all, shorter ones not."""
CLEARED_SEASON = {Frequency.MONTH: 12, Frequency.WEEK: 1, Frequency.DAY: 7}
"""Periods of the season cleared beside the trend, which itself follows the year of weeks, days."""
LEAST_ROUNDS = 2
LEAST_SHARE = 0.01
"""Of the mean: lower values, zeros above all, are taken for this when logs are taken."""
LEAST_NOISE = 0.02
"""Relative noise below which no series is trusted the more for being smooth."""
SMALL_MEAN = 8
"""Counts below it on average have no effect of their own: their logs are mostly chance."""
LEAST_TETS = 3
"""Two others are needed to foretell one."""
TIGHTER = 4.0
"""Groups differ from the whole panel half as much as effects do from none: four times the pull."""
OUTLIER = 4.0
"""Standard deviations beyond which a residual of the common course is drawn in."""
CLEANING_ROUNDS = 3
MOST_EFFECT = {Frequency.MONTH: 1.5, Frequency.WEEK: 2.5, Frequency.DAY: 4.6}
"""Bound of the log effect of all parts together."""
TELLING_FACTOR = 0.2
"""Where a factor is smaller, a value says more about the holiday than about the series."""


@dataclass(frozen=True)
class Use:
    """What became of the effect of a group of siblings.

    `gain` is the share of squared error around Tết and odd working days that it saved in years left
    out of the estimate; 0 where `parts` is empty, because nothing could be told from chance.
    """

    parts: tuple[str, ...]
    gain: float

    def __bool__(self) -> bool:
        return bool(self.parts)


@dataclass(frozen=True, eq=False)
class CalendarEffects:
    """What the calendar does to each series: `series` S, `periods` T known and `horizon` h ahead.

    `weights` is `(S, columns)`: the log effect of one unit of each regressor, or, where `additive`
    `(S,)`, what it adds in the unit of the series. `used` tells of each group of siblings.
    """

    regressors: Regressors
    weights: Floats
    additive: Flags
    used: dict[int, Use]
    horizon: int
    most: float

    @cached_property
    def past(self) -> Floats:
        """Factors of the periods known, `(S, T)`; 1 where there is no effect."""
        return self._factors(self._known)

    @cached_property
    def future(self) -> Floats:
        """Factors of the periods ahead, `(S, h)`; 1 where there is no effect."""
        return self._factors(self._ahead)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, in the order in which they are told."""
        return self.regressors.parts

    def part(self, name: str) -> Floats:
        """What one part contributes, past and ahead, `(S, T + h)`: logs, or units if additive."""
        columns = self.regressors.of_part(name)
        return np.asarray(self.weights[:, columns] @ self.regressors.values[:, columns].T)

    def without(self, values: Floats) -> Floats:
        """Values known, `(S, T)`, with the calendar taken out."""
        return (values - self._added(self._known)) / self.past

    def restored(self, paths: Floats) -> Floats:
        """Paths ahead, `(..., S, h)`, of a calm calendar, with the calendar of those periods."""
        return paths * self.future + self._added(self._ahead)

    @property
    def silent(self) -> Flags:
        """Values that say next to nothing about their series, `(S, T)`: offices were shut."""
        return self.past < TELLING_FACTOR

    @property
    def _known(self) -> slice:
        return slice(0, len(self.regressors.values) - self.horizon)

    @property
    def _ahead(self) -> slice:
        return slice(len(self.regressors.values) - self.horizon, None)

    def _factors(self, which: slice) -> Floats:
        logs = np.where(self.additive[:, None], 0.0, self.weights)
        total = logs @ self.regressors.values[which].T
        return np.exp(np.clip(total, -self.most, self.most))

    def _added(self, which: slice) -> Floats:
        units = np.where(self.additive[:, None], self.weights, 0.0)
        return np.asarray(units @ self.regressors.values[which].T)


def calendar_effects(panel: Panel, horizon: int) -> CalendarEffects:
    """The effects of the calendar on a panel, from its values and the calendar alone.

    There is none where `panel.tet` is false, for quarters and years, for series shorter than two
    rounds of the season, and where it cannot be told from chance.
    """
    periods = (*panel.periods, *panel.ahead(horizon))
    long_enough = len(panel.periods) >= LEAST_ROUNDS * panel.season
    asked = panel.tet and long_enough and panel.frequency in TREND_PERIOD
    known = regressors(periods, panel.frequency if asked else Frequency.YEAR)
    groups = int(panel.siblings.max(initial=-1)) + 1
    most = MOST_EFFECT.get(panel.frequency, 0.0)
    if not asked or not groups:
        weights, additive = np.zeros((len(panel.keys), 0)), np.zeros(len(panel.keys), dtype=bool)
        nothing = {group: Use((), 0.0) for group in range(groups)}
        return CalendarEffects(known, weights, additive, nothing, horizon, most)
    relative, size = _relative(panel.values)
    course = _common_course(relative, panel.siblings, panel.season)
    shared, used = _shared_effects(course, _whole(relative, course, panel), known, panel)
    weights = shared[panel.siblings]
    weights += _own_effects(panel, relative, course, shared, known)
    additive = course.additive[panel.siblings]
    weights = np.where(additive[:, None], weights * size[:, None], weights)
    return CalendarEffects(known, weights, additive, used, horizon, most)


# --- what siblings have in common -----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Course:
    """The common course of each group, `(groups, periods)`: logs, or relative values if additive.

    NaN where no sibling has a value.
    """

    values: Floats
    additive: Flags


def _relative(values: Floats) -> tuple[Floats, Floats]:
    """Values over the mean size of their series, and that size; NaN and 0 for nothing but zeros."""
    known = np.isfinite(values)
    size = np.abs(np.where(known, values, 0.0)).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(size[:, None] > 0, values / size[:, None], np.nan), size


def _common_course(relative: Floats, groups: NDArray[np.int64], season: int) -> _Course:
    """Means of relative values, each weighted by how quiet it is: for counts, like their total."""
    weights = 1 / (_noise(relative, season) + LEAST_NOISE**2)
    known = np.isfinite(relative)
    heavy = np.where(known, weights[:, None], 0.0)
    total = _by_group(np.where(known, relative, 0.0) * heavy, groups)
    weight = _by_group(heavy, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(weight > 0, total / weight, np.nan)
    negative = np.where(known, relative, 0.0).min(axis=1, initial=0.0, keepdims=True) < 0
    additive = np.ravel(_by_group(negative.astype(np.float64), groups) > 0)
    logs = np.log(np.maximum(mean, LEAST_SHARE))
    return _Course(np.where(additive[:, None], mean, logs), additive)


def _whole(relative: Floats, course: _Course, panel: Panel) -> Floats:
    """The common course of all groups in logs, `(1, periods)`; no row where there is one group."""
    rows = ~course.additive[panel.siblings]
    if (~course.additive & np.isfinite(course.values).any(axis=1)).sum() < 2:
        return np.empty((0, len(panel.periods)))
    alike = np.zeros(rows.sum(), dtype=np.int64)
    return _common_course(relative[rows], alike, panel.season).values


def _noise(relative: Floats, season: int) -> Floats:
    """Variance of each series about its season, from differences over a round of it."""
    moved = relative[:, season:] - relative[:, :-season]
    known = np.isfinite(moved)
    squares = np.where(known, moved, 0.0) ** 2
    several = np.maximum(known.sum(axis=1), 1)
    return np.where(known.any(axis=1), squares.sum(axis=1) / several / 2, 1.0)


def _by_group(rows: Floats, groups: NDArray[np.int64]) -> Floats:
    """Sums of the rows of each group; groups are numbered from 0 without a gap."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    return np.add.reduceat(rows[order], starts, axis=0)


def _shared_effects(
    course: _Course, whole: Floats, known: Regressors, panel: Panel
) -> tuple[Floats, dict[int, Use]]:
    """Weights `(groups, columns)` of each group, 0 where not used, and what became of them."""
    seen = np.isfinite(course.values)
    begun = np.where(seen.any(axis=1), seen.argmax(axis=1), len(panel.periods))
    weights = np.zeros((len(begun), len(known.columns)))
    used = {group: Use((), 0.0) for group in range(len(begun))}
    least = LEAST_ROUNDS * panel.season
    for start in np.unique(begun[begun <= len(panel.periods) - least]):
        cleared = _Cleared(known, slice(int(start), len(panel.periods)), panel.frequency)
        for additive in np.unique(course.additive[begun == start]):
            leader = whole[:0] if additive else whole
            rows = np.flatnonzero((begun == start) & (course.additive == additive))
            together = np.concatenate([course.values[rows, start:], leader[:, start:]]).T
            found, uses = _estimate(together, cleared, guided=bool(len(leader)))
            weights[rows] = found[: len(rows)]
            used |= dict(zip(rows.tolist(), uses, strict=False))
    return weights, used


# --- regression -----------------------------------------------------------------------------------


class _Cleared:
    """Regressors and seasons of a stretch of periods with the trend cleared: `(periods, ...)`."""

    def __init__(self, known: Regressors, span: slice, frequency: Frequency) -> None:
        self.known = known
        self.frequency = frequency
        self.tet_years = known.tet_years[span]
        self.tets = int(known.has_tet[span].sum())
        season = CLEARED_SEASON[frequency]
        count = len(self.tet_years)
        plain = np.eye(season)[np.arange(count) % season] if season > 1 else np.zeros((count, 0))
        self.seasons = self.of(plain)
        self.columns = self.of(known.values[span])
        self.rest = self.of_season(self.columns)
        self.gram = self.rest.T @ self.rest
        self.freedom = max(count - season - 2 * count / TREND_PERIOD[frequency], 1.0)
        """Values less what seasons and trend take up."""

    def of(self, values: Floats) -> Floats:
        """Columns of values with the trend cleared."""
        return values - _smooth(values, TREND_PERIOD[self.frequency])

    def of_season(self, values: Floats) -> Floats:
        """Columns cleared of trend, now cleared of season too."""
        return values - self.seasons @ (_solver(self.seasons) @ values)


def _smooth(values: Floats, period: int) -> Floats:
    """Trend of each column: close to the values, with little bend. Waves of `period` are halved.

    Source: Whittaker (1923), On a new method of graduation; the penalty is on second differences.
    """
    from scipy.linalg import solveh_banded

    count = len(values)
    if not values.size or count < 3:
        return values
    stiffness = (period / (2 * np.pi)) ** 4
    bends = np.zeros((3, count))  # diagonals of D'D, the main one first
    bends[0, :-2] += 1
    bends[0, 1:-1] += 4
    bends[0, 2:] += 1
    bends[1, :-2] -= 2
    bends[1, 1:-1] -= 2
    bends[2, :-2] += 1
    system = stiffness * bends
    system[0] += 1
    return np.asarray(solveh_banded(system, values, lower=True, check_finite=False))


def _solver(columns: Floats) -> Floats:
    """What gives least-squares weights of `columns` when multiplied by values."""
    gram = columns.T @ columns
    return np.asarray(np.linalg.solve(gram + 1e-8 * np.eye(len(gram)), columns.T))


def _estimate(course: Floats, cleared: _Cleared, *, guided: bool) -> tuple[Floats, list[Use]]:
    """Weights `(groups, columns)` for common courses `(periods, groups)`, and what became of them.

    If `guided`, the last course is that of all groups together, towards which they are drawn.
    """
    values = cleared.of(_cleaned(course, cleared))
    rest = cleared.of_season(values)
    noise = _residual_variance(rest, cleared)
    pull = noise[:, None] / cleared.known.spreads**2
    choice = _choice(values, cleared, noise, guided=guided)
    products = rest.T @ cleared.rest
    weights = _ridge(cleared.gram, products, pull, choice.columns)
    if choice.drawn.any():
        drawn, towards = choice.drawn, weights[-1]
        weights[drawn] = _ridge(
            cleared.gram, products[drawn], TIGHTER * pull[drawn], choice.columns[drawn], towards
        )
    return weights, choice.uses(cleared.known)


def _cleaned(course: Floats, cleared: _Cleared) -> Floats:
    """Courses with gaps filled by what trend, season and calendar give, and outliers drawn in."""
    missing = ~np.isfinite(course)
    values = _bridged(course)
    slight = np.full((values.shape[1], 1), 0.01) / cleared.known.spreads**2
    everything = np.ones((values.shape[1], len(cleared.known.columns)), dtype=bool)
    for _ in range(CLEANING_ROUNDS):
        rest = cleared.of_season(cleared.of(values))
        weights = _ridge(cleared.gram, rest.T @ cleared.rest, slight, everything)
        beside = rest - cleared.rest @ weights.T
        usual = OUTLIER * 1.4826 * np.median(np.abs(beside), axis=0)
        values = values - np.where(missing, beside, beside - np.clip(beside, -usual, usual))
    return values


def _bridged(course: Floats) -> Floats:
    """Straight lines through gaps, the last value held; every column begins with a value."""
    bridged = course.copy()
    places = np.arange(len(course))
    for column in np.flatnonzero(np.isnan(course).any(axis=0)):
        seen = np.isfinite(course[:, column])
        bridged[:, column] = np.interp(places, places[seen], course[seen, column])
    return bridged


def _residual_variance(rest: Floats, cleared: _Cleared) -> Floats:
    """Of each column, beside the regressors, unbiased for what trend and season took."""
    beside = rest - cleared.rest @ (_solver(cleared.rest) @ rest)
    freedom = max(cleared.freedom - len(cleared.known.columns), 1.0)
    return np.asarray((beside**2).sum(axis=0) / freedom)


def _ridge(
    gram: Floats, products: Floats, pull: Floats, chosen: Flags, towards: Floats | float = 0.0
) -> Floats:
    """Weights `(rows, columns)`: posterior means of effects with a prior around `towards`.

    `products` are those of figures and regressors, `pull` noise over the variance of the prior,
    both `(rows, columns)`; columns not chosen get 0.
    """
    both = chosen[:, :, None] & chosen[:, None, :]
    least = 1e-10 * max(float(np.diag(gram).max(initial=0.0)), 1.0)
    diagonal = np.where(chosen, pull + least, 1.0)
    system = np.where(both, gram, 0.0) + diagonal[:, :, None] * np.eye(gram.shape[-1])
    right = np.where(chosen, products + pull * towards, 0.0)
    return np.asarray(np.linalg.solve(system, right[:, :, None])[:, :, 0])


# --- the check on years left out ------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Choice:
    """What foretold years left out, by group: columns, whether drawn to the whole panel, gain."""

    columns: Flags
    drawn: Flags
    gain: Floats

    def uses(self, known: Regressors) -> list[Use]:
        marks = {part: known.of_part(part) for part in known.parts}
        return [
            Use(tuple(part for part, of in marks.items() if row[of].any()), float(gain))
            for row, gain in zip(self.columns, self.gain, strict=True)
        ]


def _choice(values: Floats, cleared: _Cleared, noise: Floats, *, guided: bool) -> _Choice:
    """Of the sets of parts that save more than chance would, that which saves most.

    Groups drawn to the effect of the whole panel need no such proof, as the panel has given it:
    they need only not lose by it.
    """
    groups, count = values.shape[1], len(cleared.known.columns)
    folds = [_left_out(values, cleared, cleared.tet_years == year) for year in _years(cleared)]
    if cleared.tets < LEAST_TETS:
        none = np.zeros((groups, count), dtype=bool)
        return _Choice(none, none[:, 0], np.zeros(groups))
    pull = noise[:, None] / cleared.known.spreads**2
    tried = _candidates(cleared.known)
    savings = [_savings(folds, noise, pull, columns) for columns in tried]
    best = np.argmax(savings, axis=0)
    if guided and best[-1]:
        tried.append(tried[best[-1]])
        savings.append(_savings(folds, noise, pull, tried[-1], guided=True))
        best = np.argmax(savings, axis=0)
    missed = np.stack([sum(fold.missed(columns) for fold in folds) for columns in tried])
    at_stake = np.maximum(missed[best, np.arange(groups)], 1e-300)
    return _Choice(
        columns=np.stack(tried)[best],
        drawn=best == len(_candidates(cleared.known)),
        gain=np.max(savings, axis=0) / at_stake,
    )


def _savings(
    folds: list["_Fold"], noise: Floats, pull: Floats, columns: Flags, *, guided: bool = False
) -> Floats:
    """Squared error saved in all folds together, `(groups,)`; 0 where it may be chance.

    Against noise of variance v an effect that says e would save by chance 2 e noise - e², of which
    the standard deviation is 2 |e| √v.
    """
    marks = np.broadcast_to(columns, pull.shape)
    said = [fold.said(pull, marks, guided=guided) for fold in folds]
    saved = [fold.outcome**2 - (fold.outcome - e) ** 2 for fold, e in zip(folds, said, strict=True)]
    total = np.concatenate(saved).sum(axis=0)
    size = (np.concatenate(said) ** 2).sum(axis=0)
    return np.where(total > (0.0 if guided else 2 * np.sqrt(noise * size)), total, 0.0)


def _years(cleared: _Cleared) -> list[int]:
    """The years in which some regressor moves once trend and season are cleared."""
    moving = np.abs(cleared.rest).max(axis=1, initial=0.0) > 1e-3
    return [int(year) for year in np.unique(cleared.tet_years[moving])]


def _candidates(known: Regressors) -> list[Flags]:
    """Every set of parts, as columns; the first is none of them."""
    none = np.zeros(len(known.columns), dtype=bool)
    each = [[none, *known.sets_of(part)] for part in known.parts]
    return [np.any(sets, axis=0) for sets in product(*each)]


@dataclass(frozen=True, eq=False)
class _Fold:
    """One year left out: what the others know of effects, and what is to be foretold of it."""

    gram: Floats
    products: Floats
    foretold: Floats
    """Regressors of the year beside the season of the others, `(periods, columns)`."""
    outcome: Floats
    """Figures of the year beside the season of the others, `(periods, groups)`."""

    def said(self, pull: Floats, chosen: Flags, *, guided: bool) -> Floats:
        """What the other years make of this one, `(periods, groups)`."""
        weights = _ridge(self.gram, self.products, pull, chosen)
        if guided:
            weights = _ridge(self.gram, self.products, TIGHTER * pull, chosen, weights[-1])
        return np.asarray(self.foretold @ weights.T)

    def missed(self, columns: Flags) -> Floats:
        """Squared error without the effect in the periods that these columns touch."""
        touched = (np.abs(self.foretold[:, columns]) > 1e-2).any(axis=1)
        return np.asarray((self.outcome[touched] ** 2).sum(axis=0))


def _left_out(values: Floats, cleared: _Cleared, out: Flags) -> _Fold:
    seasons, columns = cleared.seasons, cleared.columns
    solver = _solver(seasons[~out])
    of_columns, of_values = solver @ columns[~out], solver @ values[~out]
    rest = columns[~out] - seasons[~out] @ of_columns
    others = values[~out] - seasons[~out] @ of_values
    return _Fold(
        gram=rest.T @ rest,
        products=others.T @ rest,
        foretold=columns[out] - seasons[out] @ of_columns,
        outcome=values[out] - seasons[out] @ of_values,
    )


# --- each series' own deviation -------------------------------------------------------------------


def _own_effects(
    panel: Panel, relative: Floats, course: _Course, shared: Floats, known: Regressors
) -> Floats:
    """How the effect of each series differs from that of its siblings, `(series, columns)`.

    The deviations of a group are taken to be drawn around none, with a spread that is estimated
    from all of them; each is the mean of what it then is, given the series (empirical Bayes).
    """
    numbers = panel.siblings
    own = np.zeros((len(numbers), shared.shape[1]))
    told = (shared != 0).any(axis=1) & ~course.additive
    rows = np.flatnonzero(told[numbers] & _large(panel))
    if not len(rows):
        return own
    cleared = _Cleared(known, slice(0, len(panel.periods)), panel.frequency)
    beside = np.log(relative[rows]) - course.values[numbers[rows]]
    share_known = np.isfinite(beside).mean(axis=1)
    rest = cleared.of_season(cleared.of(_level_filled(beside).T))
    noise = _residual_variance(rest, cleared) / share_known
    products = rest.T @ cleared.rest / np.maximum(share_known, 1e-9)[:, None]
    spread = _spreads(products, noise, cleared.gram, numbers[rows], shared)
    own[rows] = _shrunk(products, noise, cleared.gram, spread[numbers[rows]])
    return own


def _large(panel: Panel) -> Flags:
    """Series of positive values that are no small counts: their logs say something."""
    known = np.isfinite(panel.values)
    values = np.where(known, panel.values, 1.0)
    whole = (values == np.rint(values)).all(axis=1)
    if panel.counted is not None:
        whole |= panel.counted
    mean = np.where(known, panel.values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    enough = known.sum(axis=1) >= LEAST_ROUNDS * panel.season
    return np.asarray((values > 0).all(axis=1) & enough & ~(whole & (mean < SMALL_MEAN)))


def _level_filled(rows: Floats) -> Floats:
    """Rows with gaps at the mean of the row."""
    known = np.isfinite(rows)
    mean = np.where(known, rows, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known, rows, mean[:, None])


def _spreads(
    products: Floats, noise: Floats, gram: Floats, groups: NDArray[np.int64], shared: Floats
) -> Floats:
    """Variance of the deviations in each group and column, by moments, `(groups, columns)`.

    For deviations d with variances v, products p = gram d + noise have the mean square
    (gram ∘ gram) v + noise diag(gram).
    """
    spread = np.zeros(shared.shape)
    present, place = np.unique(groups, return_inverse=True)
    quiet = np.maximum(noise, LEAST_NOISE**2)[:, None]
    number = _by_group(np.ones((len(groups), 1)), place)
    beyond = _by_group(products**2 / quiet - np.diag(gram), place) / _by_group(1 / quiet, place)
    chosen = (shared[present] != 0) & (number > 1)
    spread[present] = np.maximum(_ridge(gram**2, beyond, np.zeros(beyond.shape), chosen), 0.0)
    return spread


def _shrunk(products: Floats, noise: Floats, gram: Floats, spread: Floats) -> Floats:
    """Posterior means of deviations with variances `spread`, `(series, columns)`, around none."""
    root = np.sqrt(spread)
    system = root[:, :, None] * gram * root[:, None, :]
    least = np.maximum(noise, 1e-12)[:, None, None]
    system = system + least * np.eye(gram.shape[0])
    return np.asarray(root * np.linalg.solve(system, (root * products)[:, :, None])[:, :, 0])
