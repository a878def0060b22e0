"""Bands from what went wrong before: honest errors of the backtest, pooled over sibling series.

Errors are put on one footing first: divided by how much the series had moved up to the origin, by
how errors grow with the horizon, and by how predictable the series has been, shrunk towards the
others. Each of these is known to an error only as it would have been at its origin: what came after
is in none of them, or backtests would look better than what they promise. So nothing has to be
widened by a factor learned elsewhere. Their quantiles are half signed (errors lean to one side) and
half symmetric (chance leans too). Small counts get a negative binomial band instead, so that it
holds whole numbers and never goes below 0. Paths over the horizon are drawn with the correlation
that errors of one origin show, each step exactly as its band says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecasts.panel import Floats
from forecasts.scores import mean, pinball

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
COVERAGES = {0.5: (2, 4), 0.8: (1, 5), 0.95: (0, 6)}
"""Positions in `LEVELS` of the bounds of each interval."""
GRID = np.array(
    [0.001, 0.0025, 0.005, 0.01, 0.025, *np.arange(1, 20) / 20, 0.975, 0.99, 0.995, 0.9975, 0.999]
)
"""Levels at which the shape of errors is kept; between them it is a line."""
PRIOR_WINDOWS = 2.0
OVERLAP = 3.0
"""Origins of a backtest that know as much as one window without overlap."""
MOST_ORIGINS = 12
PRIOR_RECORD = 3.0
"""Windows after which the errors of a series tell as much about it as those of all series do."""
STEEPEST = 1.2
"""Power of the horizon with which errors grow at most."""
WALK = 0.5
"""That power for a random walk: what is thought where no errors tell."""
PRIOR_PAIRS = 10.0
"""Errors a step apart that tell as much of that power as what is thought where none do.

Those of one origin, if that is more.
"""
PRIOR_STEP = 100.0
"""And those that tell as much of how far these two steps differ as the power does; likewise."""
LEANING = (1, 4)
"""Seasons whose forecasts go half the way that their errors lean; shorter periods gain nothing."""
PRIOR_LEANING = 37.0
"""Windows of single series after which errors tell half of what those of ever so many tell."""
ROUND_SHARE = 2 / 3
"""Of the change over a round in what errors are measured in, on logs."""
FEWEST_CHANGES = 3
LEAST_MOVE = 1e-9
"""Of its size, what a series must have moved to be measured by that."""
LEAST_UNIT = 0.05
"""Of what a series moved in all, the least that counts for having moved up to an origin."""
SMALL = 10.0
"""Counts with a smaller mean get a negative binomial band."""
PRIOR_COUNTS = 200.0
"""Scored steps that the siblings' dispersion weighs as much as, in that of one series.

Many of them are one outcome, scored from many origins.
"""
MOST_SIZE = 3.0
"""By how much errors are larger, or smaller, at most where the forecast is."""
MOST_DISPERSION = 8.0
"""A variance of small counts beyond eight times the square of their mean is no count's."""
FEWEST = 1e-9
"""Least rate of a count."""
PURE = 1e-6
"""Dispersion up to which chance is that of Poisson."""
MOST_STEPS = 300.0
"""Rate up to which chances of counts are added up one by one; beyond, the first are too small."""
ROUNDING = 1e-12
LARGEST_SAMPLE = 200_000
FARTHEST = 4.0
"""Up to this, in units of the mean, errors count in how far they go together."""
LARGEST_ERROR = 30.0


@dataclass(frozen=True, eq=False)
class Shape:
    """How errors of a panel spread, in units of `unit * growth * ratio`."""

    offsets: Floats
    """One a level of `GRID`, ordered."""
    growth: Floats
    """One a step ahead."""
    ratio: Floats
    """One a series; 1 is as predictable as the others."""
    correlation: Floats
    """Of the errors at two steps, `(horizon, horizon)`."""
    dispersion: Floats
    """`(series,)`: variance of small counts beyond their mean, as a share of its square."""
    lean: float
    """How far the middle of what comes is to be expected from the forecast."""


def shape_of(
    errors: Floats,
    units: Floats,
    dropped: Sequence[int],
    small: NDArray[np.bool_],
    forecasts: Floats,
    levels: Floats,
) -> Shape:
    """The shape of `errors`, `(origins, series, horizon)` with NaN where not scored.

    `units` are `(origins, series)`, in the unit of the errors; `dropped` the periods that each
    origin did not know; `forecasts` those that the errors belong to, and `levels` as for `sizes`.
    `small` counts, `(series,)`, have a shape of their own.
    """
    scaled = errors / (units[:, :, None] * sizes(forecasts, levels))
    scaled = np.clip(scaled, -LARGEST_ERROR, LARGEST_ERROR)
    growth = _growth(np.abs(scaled))
    even = scaled / growth
    ratio, before = _ratios(np.abs(even), dropped)
    large = ~small if (~small).any() else small
    alike = (even / before)[:, large]
    sample = np.sort(alike[np.isfinite(alike)])
    sample = sample[:: 1 + len(sample) // LARGEST_SAMPLE]
    windows = windows_of(errors)
    dispersion = np.zeros(errors.shape[1])
    dispersion[small] = _dispersion(errors[:, small], forecasts[:, small])
    return Shape(
        _offsets(sample, windows * _independent(alike)),
        growth,
        ratio,
        _correlation(even),
        dispersion,
        _lean(sample, windows, errors.shape[1]),
    )


def sizes(forecasts: Floats, levels: Floats) -> Floats:
    """How much larger errors are where `forecasts`, `(..., series, horizon)`, are: their root.

    `levels` are `(series,)`, the usual size of a series; NaN where size does not tell.
    """
    with np.errstate(all="ignore"):
        relative = np.sqrt(np.abs(forecasts) / levels[:, None])
    return np.where(np.isfinite(relative), np.clip(relative, 1 / MOST_SIZE, MOST_SIZE), 1.0)


def _growth(size: Floats) -> Floats:
    """Errors by step ahead, `(horizon,)`, the first being 1; none is smaller than one before.

    From what two steps of the same forecasts have beside each other: steps far ahead were scored
    from other origins than near ones, of which the world may have been calmer. All pairs of one
    origin are of the same periods, so one origin alone tells no more than what is thought.
    """
    steps = np.arange(1, size.shape[2] + 1)
    apart = np.diff(np.log(steps))
    grown, pairs = _beside(np.sqrt(size))
    scored = np.isfinite(size).any(axis=2).sum(axis=1)
    origin = scored.sum() / max(np.count_nonzero(scored), 1)
    known = max(PRIOR_PAIRS, origin) * apart.sum()
    power = (pairs @ grown + WALK * known) / (pairs @ apart + known) if len(apart) else WALK
    expected = np.clip(power, 0.0, STEEPEST) * apart
    prior = max(PRIOR_STEP, origin)
    grown = (pairs * grown + prior * expected) / (pairs + prior)
    return np.exp(np.maximum.accumulate(np.concatenate([[0.0], np.cumsum(grown)])))


def _beside(roots: Floats) -> tuple[Floats, Floats]:
    """By how much errors grow from each step to the next, on logs, and how many show it.

    By means of their roots, `(origins, series, horizon)`: few large errors do not decide.
    """
    grown, pairs = np.zeros((2, roots.shape[2] - 1))
    for step in range(len(grown)):
        both = roots[:, :, step : step + 2].reshape(-1, 2)
        both = both[np.isfinite(both).all(axis=1)]
        near, far = both.sum(axis=0)
        pairs[step] = len(both)
        if near > 0 and far > 0:
            grown[step] = 2 * np.log(far / near)
    return grown, pairs


def _ratios(size: Floats, dropped: Sequence[int]) -> tuple[Floats, Floats]:
    """How large the errors of each series are, `(series,)`, and as told without a given error.

    The second is `(origins, series, horizon)`: an error is not measured by itself, nor by others of
    the same periods. Both are geometric means with that of all series.
    """
    known = np.isfinite(size)
    total = np.cumsum(np.where(known, size, 0.0), axis=2)
    count = np.cumsum(known, axis=2, dtype=np.int32)
    pool = max(float(total[..., -1].sum() / max(count[..., -1].sum(), 1)), 1e-12)
    windows = (count[..., -1] > 0).sum(axis=0)
    own = _drawn(total[..., -1].sum(axis=0), count[..., -1].sum(axis=0), windows, pool)
    apart = np.empty(size.shape)
    for place in range(len(size)):
        apart[place] = _drawn(*_apart(total, count, dropped, place), pool)
    return own, apart


def _apart(
    total: Floats, count: NDArray[np.int32], dropped: Sequence[int], place: int
) -> tuple[Floats, Floats, Floats]:
    """Sum, number and origins of errors that share no period with those of an origin.

    Each `(series, horizon)`: what was over when that forecast was made, and what began after its
    step. `total` and `count` are summed up along the steps.
    """
    shape = total.shape[1:]
    sums, numbers, origins = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for other, d in enumerate(dropped):
        steps = min(abs(d - dropped[place]), shape[1])
        if d > dropped[place]:
            at, upto = slice(None), steps - 1
        else:
            at, upto = slice(0, steps), -1
        sums[:, at] += total[other, :, upto, None]
        numbers[:, at] += count[other, :, upto, None]
        origins[:, at] += count[other, :, upto, None] > 0
    return sums, numbers, origins


def _drawn(total: Floats, count: Floats, origins: Floats, pool: float) -> Floats:
    own = np.where(count > 0, total / np.maximum(count, 1), pool)
    windows = np.minimum(origins, MOST_ORIGINS) / OVERLAP
    logs = windows * np.log(np.maximum(own, 1e-3 * pool)) + PRIOR_RECORD * np.log(pool)
    return np.asarray(np.exp(logs / (windows + PRIOR_RECORD)))


def windows_of(errors: Floats) -> float:
    """How many windows of the backtest do not overlap: neighbours share all but few steps."""
    scored = np.isfinite(errors)
    steps = int(scored.any(axis=(0, 1)).sum())
    return 1 + max(int(scored.any(axis=(1, 2)).sum()) - 1, 0) / max(steps, 1)


def _offsets(sample: Floats, windows: float) -> Floats:
    """Offsets at `GRID` from sorted scaled errors; NaN without any."""
    if not len(sample):
        return np.full(len(GRID), np.nan)
    signed = np.quantile(sample, GRID)
    symmetric = np.sign(GRID - 0.5) * np.quantile(np.abs(sample), np.abs(2 * GRID - 1))
    offsets = (signed + symmetric) / 2 * _few(windows)
    offsets -= np.interp(0.5, GRID, offsets)
    return np.sort(offsets)


def _lean(sample: Floats, windows: float, series: int) -> float:
    """Middle of the scaled errors, drawn to 0: times differ, and so do few series by chance."""
    if not len(sample):
        return 0.0
    return float(np.median(sample) * windows / (windows + 2 + PRIOR_LEANING / series))


def _independent(alike: Floats) -> float:
    """How many series that know nothing of each other tell as much as these do.

    What hits all of them at once is seen once. From how far errors `(origins, series, horizon)` of
    one origin and step are on the same side, with the mean correlation of pairs `r`: of n series,
    `n / (1 + (n - 1) r)`.
    """
    known = np.isfinite(alike)
    drawn_in = np.where(known, np.clip(alike, -FARTHEST, FARTHEST), 0.0)
    others = np.maximum(known.sum(axis=1) - 1, 0)
    squares = (drawn_in**2).sum(axis=1)
    pairs = (drawn_in.sum(axis=1) ** 2 - squares)[others > 0].sum()
    correlation = max(pairs / max((squares * others).sum(), 1e-300), 0.0)
    return float(alike.shape[1] / (1 + (alike.shape[1] - 1) * correlation))


def _few(windows: float) -> Floats:
    """How much wider Student's t is than the normal distribution, with a degree for each window."""
    from scipy.special import ndtri, stdtrit

    outer = np.where(np.abs(GRID - 0.5) < 0.2, 0.7, GRID)
    return np.asarray(stdtrit(max(3.0, min(windows, 1000.0)), outer) / ndtri(outer))


def _correlation(even: Floats) -> Floats:
    """Pooled over series and origins; of steps never scored together, a power of their distance."""
    horizon = even.shape[2]
    flat = even.reshape(-1, horizon)
    known = np.isfinite(flat)
    flat = np.where(known, flat, 0.0)
    pairs = known.astype(float).T @ known
    squares = (flat**2).T @ known
    both = flat.T @ flat / np.sqrt(np.maximum(squares * squares.T, 1e-300))
    apart = np.abs(np.subtract.outer(np.arange(horizon), np.arange(horizon)))
    near = (apart == 1) & (pairs > 0)
    usual = float(np.clip(both[near].mean(), 0.0, 0.98)) if near.any() else 0.5
    correlation = np.where(pairs >= 2, np.clip(both, -0.99, 0.99), usual**apart)
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    fixed = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    size = np.sqrt(np.diag(fixed))
    return np.asarray(fixed / np.outer(size, size))


def _dispersion(errors: Floats, forecasts: Floats) -> Floats:
    """By moments, `(series,)`, of each series drawn to that of all."""
    known = np.isfinite(errors) & np.isfinite(forecasts)
    expected = np.where(known, forecasts, 0.0)
    excess = np.where(known, errors**2, 0.0) - expected
    above, below = excess.sum(axis=(0, 2)), (expected**2).sum(axis=(0, 2))
    usual = max(float(above.sum() / max(below.sum(), 1e-12)), 0.0)
    steps = known.sum(axis=(0, 2))
    typical = below / np.maximum(steps, 1)
    prior = PRIOR_COUNTS * np.where(typical > 0, typical, 1.0)
    return np.asarray(np.clip((above + prior * usual) / (below + prior), 0.0, MOST_DISPERSION))


def losses_of_counts(observed: Floats, forecasts: Floats) -> Floats:
    """Pinball loss, a mean over `LEVELS`, of bands of small counts around `forecasts`, `(series,)`.

    Both are `(origins, series, horizon)`, NaN where not scored; each series has the dispersion that
    these forecasts show.
    """
    known = np.isfinite(observed) & np.isfinite(forecasts)
    dispersion = np.broadcast_to(
        _dispersion(observed - forecasts, forecasts)[:, None], observed.shape
    )
    levels = np.array(LEVELS)
    quantiles = counts_at(levels, forecasts[known], dispersion[known])
    losses = np.full(observed.shape, np.nan)
    losses[known] = pinball(observed[known], quantiles, levels[:, None]).mean(axis=0)
    return mean(losses, axis=(0, 2))


@dataclass(frozen=True, eq=False)
class Bands:
    """The distribution of every series and step ahead: what quantiles and paths are read from."""

    center: Floats
    """`(series, horizon)`: the forecast."""
    width: Floats
    """`(series, horizon)`: what an offset of 1 is worth, in the unit of the series."""
    offsets: Floats
    small: NDArray[np.bool_]
    """`(series,)`: small counts, which follow a negative binomial distribution."""
    dispersion: Floats
    correlation: Floats
    lowest: Floats
    highest: Floats

    def of(self, shape: Shape, center: Floats, units: Floats, levels: Floats) -> "Bands":
        """Bands of the same series around another forecast, from errors of another shape.

        `units` are `(series,)`, those of the origin of that forecast.
        """
        return replace(
            self,
            center=center,
            width=width_of(shape, center, units, levels),
            offsets=shape.offsets,
            dispersion=shape.dispersion,
            correlation=shape.correlation,
        )

    def take(self, rows: NDArray[np.int64]) -> "Bands":
        """Those of these series."""
        per_series = ("center", "width", "small", "dispersion", "lowest", "highest")
        return replace(self, **{name: getattr(self, name)[rows] for name in per_series})

    def quantiles(self, levels: tuple[float, ...] = LEVELS) -> Floats:
        """`(levels, series, horizon)`, ordered, within the bounds of each series."""
        offset = np.interp(levels, GRID, self.offsets)[:, None, None]
        values = self.center + offset * self.width
        np.clip(values, self.lowest[:, None], self.highest[:, None], out=values)
        if self.small.any():
            most = self.highest[self.small, None]
            values[:, self.small] = np.minimum(self._counts(np.array(levels)), most)
        return values

    def _counts(self, levels: Floats) -> Floats:
        """Whole numbers at `levels` for the small counts, `(levels, series, horizon)`."""
        rate = self.center[self.small]
        size = np.repeat(self.dispersion[self.small][:, None], rate.shape[1], axis=1)
        order = np.argsort(levels)
        counts = np.empty((len(levels), rate.size))
        counts[order] = counts_at(levels[order], rate.ravel(), size.ravel())
        return counts.reshape(len(levels), *rate.shape)

    @cached_property
    def _mixing(self) -> Floats:
        return np.asarray(np.linalg.cholesky(self.correlation))

    def paths(self, count: int, seed: int) -> Floats:
        """`(count, series, horizon)`: joint over the steps ahead, each step as its band says.

        At every step the values of the paths are the quantiles at `count` levels evenly apart; only
        their order is drawn, so that quantiles of paths are those of the band.
        """
        chance = np.random.default_rng(seed)
        paths = self.quantiles(tuple((np.arange(count) + 0.5) / count))
        for series in range(len(self.center)):
            drawn = self._mixing @ chance.standard_normal((len(self._mixing), count))
            order = drawn.argsort(axis=1).T
            dealt = np.empty_like(paths[:, series])
            np.put_along_axis(dealt, order, paths[:, series], axis=0)
            paths[:, series] = dealt
        return paths


def counts_at(levels: Floats, rates: Floats, dispersion: Floats) -> Floats:
    """Quantiles of negative binomial counts, `(levels, rates)`; NaN where the rate is.

    `levels` rise; `dispersion` is the variance beyond the mean, as a share of its square.
    """
    rates = np.where(rates < FEWEST, FEWEST, rates)
    mixed = dispersion > PURE
    counts = np.full((len(levels), len(rates)), np.nan)
    many = rates > MOST_STEPS
    counts[:, many] = _solved_counts(levels, rates[many], dispersion[many])
    few = np.flatnonzero(rates <= MOST_STEPS)
    counts[:, few] = _stepped_counts(levels, rates[few], np.where(mixed, dispersion, 0.0)[few])
    return counts


def _stepped_counts(levels: Floats, rates: Floats, dispersion: Floats) -> Floats:
    """As `counts_at`, by adding up chances from 0 on: fast where rates are small."""
    rises = np.zeros((len(levels) + 1, len(rates)), dtype=np.int32)
    with np.errstate(all="ignore"):
        none = np.log1p(dispersion * rates) / dispersion
    chance = np.exp(-np.where(dispersion > 0, none, rates))
    total, count, open_ = chance.copy(), 0, np.arange(len(rates))
    while len(open_):
        reached = np.searchsorted(levels, total + ROUNDING, side="right")
        rises[reached, open_] += 1
        going = reached < len(levels)
        open_, total, chance = open_[going], total[going], chance[going]
        rates, dispersion = rates[going], dispersion[going]
        chance *= rates * (1 + dispersion * count) / ((1 + dispersion * rates) * (count + 1))
        total, count = total + chance, count + 1
    return np.cumsum(rises[:-1], axis=0, dtype=float)


def _solved_counts(levels: Floats, rates: Floats, dispersion: Floats) -> Floats:
    from scipy.special import nbdtrik, pdtrik

    size = 1 / np.maximum(dispersion, PURE)
    at = levels[:, None]
    with np.errstate(all="ignore"):
        found = np.where(
            size * PURE < 1, nbdtrik(at, size, size / (size + rates)), pdtrik(at, rates)
        )
    return np.asarray(np.ceil(np.maximum(np.nan_to_num(found), 0) - 1e-9) + 0.0)


def width_of(shape: Shape, center: Floats, units: Floats, levels: Floats) -> Floats:
    """What an offset of 1 is worth around `center`, `(series, horizon)`; `units` `(series,)`."""
    return np.asarray((units * shape.ratio)[:, None] * shape.growth * sizes(center, levels))


def error_units(values: Floats, season: int, dropped: Sequence[int], levels: Floats) -> Floats:
    """What errors are measured in, `(1 + origins, series)`: at the end, then at each origin.

    The mean absolute change up to there, for figures of the usual size (`levels`, as for `sizes`):
    over a round of the season, and from one period to the next, which a year of shocks enters once
    and not for two rounds. A series too young for rounds is measured by the latter, as it is to
    both in the other series; with fewer than three changes, by its size.
    """
    ends = values.shape[1] - np.array([0, *dropped], dtype=np.int64)
    units = _moved(values, 1, ends, levels)
    if season > 1:
        over = _moved(values, season, ends, levels)
        both = over**ROUND_SHARE * units ** (1 - ROUND_SHARE)
        units = np.where(np.isfinite(both), both, units * _usual(both, units))
    size = mean(np.abs(values))
    whole = np.where(np.isfinite(units[0]), units[0], size * _usual(units[0], size))
    whole = np.where(whole > LEAST_MOVE * size, whole, size)
    whole = np.where(whole > 0, whole, 1.0)
    return np.where(np.isfinite(units) & (units > LEAST_UNIT * whole), units, whole)


def _usual(one: Floats, other: Floats) -> float:
    """The middle ratio of the two, where both are more than 0; 1 if nowhere."""
    known = (one > 0) & (other > 0)
    return float(np.median(one[known] / other[known])) if known.any() else 1.0


def _moved(values: Floats, lag: int, ends: NDArray[np.int64], levels: Floats) -> Floats:
    """Mean absolute change over `lag` periods up to each end, `(ends, series)`; NaN from few."""
    if values.shape[1] <= lag:
        return np.full((len(ends), len(values)), np.nan)
    before, after = values[:, :-lag], values[:, lag:]
    moved = np.abs(after - before) / sizes((np.abs(after) + np.abs(before)) / 2, levels)
    known = np.isfinite(moved)
    total = np.pad(np.cumsum(np.where(known, moved, 0.0), axis=1), ((0, 0), (1, 0)))
    count = np.pad(np.cumsum(known, axis=1), ((0, 0), (1, 0)))
    at = np.maximum(ends - lag, 0)
    enough = count[:, at] >= (lag if lag > 1 else FEWEST_CHANGES)
    return np.where(enough, total[:, at] / np.maximum(count[:, at], 1), np.nan).T


def levels_of(values: Floats, lowest: Floats) -> Floats:
    """Mean of each series, `(series,)`; NaN for those that may go below 0."""
    return np.where(lowest >= 0, mean(values), np.nan)


def scales_of(values: Floats) -> Floats:
    """Mean absolute change from one period to the next, `(series,)`: the unit of losses."""
    change = mean(np.abs(np.diff(values, axis=1)))
    level = mean(np.abs(values))
    usable = np.isfinite(change) & (change > 1e-9 * level)
    scale = np.where(usable, change, level)
    return np.where(scale > 0, scale, 1.0)
