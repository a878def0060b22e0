"""Bands from what went wrong before: honest errors of the backtest, pooled over sibling series.

Errors are put on one footing first: divided by the scale of the series, by how errors grow with
the horizon (a power law, so that steps too far to be scored have a band too), and by how
predictable the series has been, shrunk towards the others. Their quantiles are half signed (errors
lean to one side) and half symmetric (chance leans too), and widened by what backtests are known to
miss. Small counts get a negative binomial band instead, so that it holds whole numbers and never
goes below 0. Paths over the horizon are drawn with the correlation that errors of one origin show,
each step exactly as its band says.
"""

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
WIDENING = {
    1: (1.03, 1.16, 1.36),
    4: (1.0, 1.06, 1.18),
    12: (1.0, 1.04, 1.1),
}
"""By season, what the 50, 80 and 95 % intervals of a backtest lack; other seasons as months.

Learned on M1, M3 and tourism: `make bench` shows what they cover.
"""
PRIOR_WINDOWS = 2.0
OVERLAP = 3.0
"""Origins of a backtest that know as much as one window without overlap."""
MOST_ORIGINS = 12
STEEPEST = 1.2
"""Power of the horizon with which errors grow at most."""
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
LARGEST_ERROR = 30.0


@dataclass(frozen=True, eq=False)
class Shape:
    """How errors of a panel spread, in units of `scale * growth * ratio`."""

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


def shape_of(
    errors: Floats,
    scales: Floats,
    season: int,
    small: NDArray[np.bool_],
    forecasts: Floats,
    levels: Floats,
) -> Shape:
    """The shape of `errors`, `(origins, series, horizon)` with NaN where not scored.

    `scales` are `(series,)`, in the unit of the errors; `forecasts` those they belong to, and
    `levels` as for `sizes`. `small` counts, `(series,)`, have a shape of their own.
    """
    scaled = errors / (scales[:, None] * sizes(forecasts, levels))
    scaled = np.clip(scaled, -LARGEST_ERROR, LARGEST_ERROR)
    growth = _growth(np.abs(scaled))
    even = scaled / growth
    ratio, without = _ratios(np.abs(even))
    large = ~small if (~small).any() else small
    sample = (even / without[:, :, None])[:, large].ravel()
    sample = np.sort(sample[np.isfinite(sample)])
    sample = sample[:: 1 + len(sample) // LARGEST_SAMPLE]
    windows = windows_of(errors) * errors.shape[1]
    dispersion = np.zeros(errors.shape[1])
    dispersion[small] = _dispersion(errors[:, small], forecasts[:, small])
    return Shape(_offsets(sample, season, windows), growth, ratio, _correlation(even), dispersion)


def sizes(forecasts: Floats, levels: Floats) -> Floats:
    """How much larger errors are where `forecasts`, `(..., series, horizon)`, are: their root.

    `levels` are `(series,)`, the usual size of a series; NaN where size does not tell.
    """
    with np.errstate(all="ignore"):
        relative = np.sqrt(np.abs(forecasts) / levels[:, None])
    return np.where(np.isfinite(relative), np.clip(relative, 1 / MOST_SIZE, MOST_SIZE), 1.0)


def _growth(size: Floats) -> Floats:
    """Errors by step ahead, as a power of it, `(horizon,)`."""
    steps = np.arange(1, size.shape[2] + 1)
    flat = size.reshape(-1, size.shape[2])
    known = np.isfinite(flat)
    seen = known.any(axis=0)
    median = np.ones(len(steps))
    for step in np.flatnonzero(seen):
        median[step] = np.median(flat[known[:, step], step])
    seen &= median > 0
    if not seen.any():
        return np.ones(len(steps))
    power = 0.5
    if seen.sum() > 1:
        power = float(np.polyfit(np.log(steps[seen]), np.log(median[seen]), 1)[0])
    grown = steps ** np.clip(power, 0.0, STEEPEST)
    return np.asarray(grown * np.exp(np.mean(np.log(median[seen] / grown[seen]))))


def _ratios(size: Floats) -> tuple[Floats, Floats]:
    """How large the errors of each series are, `(series,)`, and without each origin's own.

    The second is `(origins, series)`: errors of an origin are not measured by themselves. Both are
    geometric means with that of all series.
    """
    known = np.isfinite(size)
    total, count = np.where(known, size, 0).sum(axis=2), known.sum(axis=2)
    pool = max(float(total.sum() / max(count.sum(), 1)), 1e-12)
    origins = (count > 0).sum(axis=0)
    own = _drawn(total.sum(axis=0), count.sum(axis=0), origins, pool)
    rest = total.sum(axis=0) - total, count.sum(axis=0) - count
    others = _drawn(*rest, np.maximum(origins - (count > 0), 0), pool)
    return own, others


def _drawn(total: Floats, count: Floats, origins: Floats, pool: float) -> Floats:
    own = np.where(count > 0, total / np.maximum(count, 1), pool)
    windows = np.minimum(origins, MOST_ORIGINS) / OVERLAP
    logs = windows * np.log(np.maximum(own, 1e-3 * pool)) + PRIOR_WINDOWS * np.log(pool)
    return np.asarray(np.exp(logs / (windows + PRIOR_WINDOWS)))


def windows_of(errors: Floats) -> float:
    """How many windows of the backtest do not overlap: neighbours share all but few steps."""
    scored = np.isfinite(errors)
    steps = int(scored.any(axis=(0, 1)).sum())
    return 1 + max(int(scored.any(axis=(1, 2)).sum()) - 1, 0) / max(steps, 1)


def _offsets(sample: Floats, season: int, windows: float) -> Floats:
    """Offsets at `GRID` from sorted scaled errors; NaN without any."""
    if not len(sample):
        return np.full(len(GRID), np.nan)
    signed = np.quantile(sample, GRID)
    symmetric = np.sign(GRID - 0.5) * np.quantile(np.abs(sample), np.abs(2 * GRID - 1))
    coverage = np.abs(2 * GRID - 1)
    known = WIDENING.get(season, WIDENING[12])
    wider = np.interp(coverage, (0.0, 0.5, 0.8, 0.95), (known[0], *known))
    offsets = (signed + symmetric) / 2 * wider * _few(windows)
    offsets -= np.interp(0.5, GRID, offsets)
    return np.sort(offsets)


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

    def of(self, shape: Shape, center: Floats, scales: Floats, levels: Floats) -> "Bands":
        """Bands of the same series around another forecast, from errors of another shape."""
        return replace(
            self,
            center=center,
            width=(scales * shape.ratio)[:, None] * shape.growth * sizes(center, levels),
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


def levels_of(values: Floats, lowest: Floats) -> Floats:
    """Mean of each series, `(series,)`; NaN for those that may go below 0."""
    return np.where(lowest >= 0, mean(values), np.nan)


def scales_of(values: Floats) -> Floats:
    """Mean absolute change from one period to the next, `(series,)`: the unit of errors."""
    change = mean(np.abs(np.diff(values, axis=1)))
    level = mean(np.abs(values))
    usable = np.isfinite(change) & (change > 1e-9 * level)
    scale = np.where(usable, change, level)
    return np.where(scale > 0, scale, 1.0)
