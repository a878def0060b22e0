"""Bands from what went wrong before: the errors of the backtest, pooled over sibling series.

Errors are put on one footing first: divided by the scale of the series, by the growth of errors
with the horizon (a power law, so that steps too far to be scored have a band too), and by how
predictable the series has been, shrunk towards its siblings. Their quantiles are half signed
(errors lean to one side) and half symmetric (chance leans too). Few distinct windows know little of
the tails: the quantiles are widened as Student's t is against the normal distribution, with as many
degrees of freedom as windows, but at least 3. The band is ordered by level, holds the path as its
median, and keeps to the series' bounds.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forecasts.panel import Floats
from forecasts.scores import mean

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
COVERAGES = {0.5: (2, 4), 0.8: (1, 5), 0.95: (0, 6)}
"""Positions in `LEVELS` of the bounds of each interval."""
PRIOR_WINDOWS = 4
"""Distinct windows after which a series' own errors weigh as much as those of its siblings."""
FEWEST_DEGREES = 3
LARGEST_SAMPLE = 50_000
STEEPEST = 1.0
"""Power of the horizon with which errors grow at most: as those of a wrong trend do."""


@dataclass(frozen=True, eq=False)
class Spread:
    """How errors of one model spread: in units of the scale, `offsets * growth * ratio`."""

    offsets: Floats
    """One a level, ordered, 0 at the median."""
    growth: Floats
    """One a step ahead."""
    ratio: Floats
    """One a series; 1 is as predictable as its siblings."""

    def band(self, paths: Floats, scales: Floats) -> Floats:
        """Quantiles `(levels, series, horizon)` around `paths`, without regard to bounds."""
        width = scales[:, None] * self.ratio[:, None] * self.growth[None, :]
        return paths[None] + self.offsets[:, None, None] * width[None]


def spread_of(errors: Floats) -> Spread:
    """The spread seen in scaled `errors`, `(origins, series, horizon)` with NaN where not scored.

    Without any error at all, the spread is NaN.
    """
    size = np.abs(errors)
    growth = _growth(mean(size, axis=(0, 1)))
    even = errors / growth
    windows = distinct_windows(errors)
    ratio = _ratio(mean(np.abs(even), axis=(0, 2)), windows)
    sample = (even / ratio[:, None]).ravel()
    sample = sample[np.isfinite(sample)]
    sample = sample[:: 1 + len(sample) // LARGEST_SAMPLE]
    degrees = max(FEWEST_DEGREES, int(windows * errors.shape[1] - 1))
    return Spread(_offsets(sample, min(degrees, 1000)), growth, ratio)


def distinct_windows(errors: Floats) -> float:
    """How many windows of the backtest do not overlap: neighbours share all but one step."""
    scored = np.isfinite(errors)
    origins = int(scored.any(axis=(1, 2)).sum())
    steps = int(scored.any(axis=(0, 1)).sum())
    return 1 + max(origins - 1, 0) / max(steps, 1)


def _growth(size: Floats) -> Floats:
    steps = np.arange(1, len(size) + 1)
    seen = np.isfinite(size) & (size > 0)
    if not seen.any():
        return np.ones(len(size))
    if seen.sum() == 1:
        power = 0.5
    else:
        power = float(np.polyfit(np.log(steps[seen]), np.log(size[seen]), 1)[0])
    grown = steps ** np.clip(power, 0.0, STEEPEST)
    return np.asarray(grown * size[seen].mean() / grown[seen].mean())


def _ratio(size: Floats, windows: float) -> Floats:
    own = np.log(np.clip(np.where(np.isfinite(size), size, 1.0), 0.05, 20.0))
    return np.asarray(np.exp(own * windows / (windows + PRIOR_WINDOWS)))


def _offsets(sample: Floats, degrees: int) -> Floats:
    if not len(sample):
        return np.full(len(LEVELS), np.nan)
    levels = np.array(LEVELS)
    signed = np.quantile(sample, levels)
    symmetric = np.sign(levels - 0.5) * np.quantile(np.abs(sample), np.abs(2 * levels - 1))
    offsets = (signed + symmetric) / 2 * _widening(degrees)
    offsets = np.where(levels < 0.5, np.minimum(offsets, 0), np.maximum(offsets, 0))
    return np.where(levels == 0.5, 0.0, np.sort(offsets))


@lru_cache(maxsize=1024)
def _widening(degrees: int) -> Floats:
    from scipy.special import ndtri, stdtrit

    levels = np.array(LEVELS)
    outer = np.where(levels == 0.5, 0.75, levels)
    return np.asarray(stdtrit(degrees, outer) / ndtri(outer))
