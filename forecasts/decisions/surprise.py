"""How surprising is a figure, and which of thousands of surprises are worth a ring?

A figure is held against the quantiles with which it was forecast, on the scale of a normal deviate:
between quantiles straight, beyond them along the tail of the Student's t that runs through the
outermost two. Its degrees of freedom are theirs: the further the outermost lies beyond the next,
the heavier the tail; at most it is that of a normal. Of many figures looked at together those are
rung of which at most the stated share is false (Benjamini and Hochberg).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from forecasts.panel import Floats

LEAST_RANKED = 200
"""Earlier figures of siblings below which a rank says nothing."""
HEAVIEST = 0.5
"""One over the degrees of freedom of the heaviest tail."""
LEAST_CHANCE = float(np.finfo(float).tiny)
"""Below it a chance is told no further, so that a deviate beyond a heavy tail stays a number."""
STEPS = 200
"""Of that, from 0 on, at which the place of quantiles is known; between them it is a line."""


def deviates(
    observed: Floats, quantiles: Floats, levels: tuple[float, ...], least: Floats | None = None
) -> Floats:
    """Normal deviates of outcomes under their forecasts, `(n,)`; 0 is the median, above is more.

    `quantiles` is `(levels, n)`, in the unit of the outcomes; one level is 0.5. `least`, `(n,)`, is
    the least standard deviation believed, such as that of a count. NaN where the forecast leaves
    nothing open and something else came.
    """
    from scipy.special import ndtri

    scale = ndtri(np.array(levels))[:, None]
    middle = quantiles[np.abs(scale[:, 0]).argmin()]
    off = quantiles - middle
    if least is not None:
        off = np.sign(scale) * np.maximum(np.abs(off), np.abs(scale) * least)
    off = np.maximum.accumulate(off, axis=0)
    away = observed - middle
    last, columns = len(levels) - 2, np.arange(len(observed))
    low = np.clip((off < away).sum(axis=0) - 1, 0, last)
    width = off[low + 1, columns] - off[low, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (scale[low + 1, 0] - scale[low, 0]) / np.where(width > 0, width, np.nan)
        found = scale[low, 0] + (away - off[low, columns]) * slope
    for sign, edge, inner in ((-1, 0, 1), (1, last + 1, last)):
        beyond = sign * away > sign * off[edge]
        outer = sign * np.array([levels[inner], levels[edge]]) + (sign < 0)
        ends = sign * off[[inner, edge]][:, beyond]
        found[beyond] = sign * _tail(sign * away[beyond], ends, *outer.tolist())
    return _at_ties(found, off == away, scale[:, 0])


def _tail(away: Floats, ends: Floats, inner: float, outer: float) -> Floats:
    """Deviates of what lies `away`, `(n,)`, beyond the quantiles `ends`, `(2, n)`, of two levels.

    All are distances from the median, on one side of it. NaN where the outer one is none.
    """
    from scipy.special import ndtri, stdtr

    shares, places, heaviness = _tails(inner, outer)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = away / np.where(ends[1] > 0, ends[1], np.nan)
        heavy = np.interp(ends[1] / ends[0], shares, heaviness)
        chance = stdtr(1 / heavy, -np.interp(heavy, heaviness, places) * times)
        far = -ndtri(np.maximum(chance, LEAST_CHANCE))
        return np.asarray(np.where(heavy > 0, far, ndtri(outer) * times))


@cache
def _tails(inner: float, outer: float) -> tuple[Floats, Floats, Floats]:
    """Rising with one over the degrees of freedom of Student's t (third): its quantile at `outer`
    over that at `inner` (first), and the former (second). The median tells no tail but a normal's.
    """
    from scipy.special import ndtri, stdtrit

    if inner <= 0.5:
        return np.ones(1), np.array([ndtri(outer)]), np.zeros(1)
    heaviness = np.linspace(0, HEAVIEST, STEPS + 1)
    levels = np.array([[inner], [outer]])
    places = np.hstack([ndtri(levels), stdtrit(1 / heaviness[1:], levels)])
    return places[1] / places[0], places[1], heaviness


def _at_ties(found: Floats, ties: NDArray[np.bool_], scale: Floats) -> Floats:
    """Where an outcome is one of the quantiles, or several: the level nearest to the middle."""
    lowest = np.where(ties, scale[:, None], np.inf).min(axis=0)
    highest = np.where(ties, scale[:, None], -np.inf).max(axis=0)
    return np.where(ties.any(axis=0), np.clip(0.0, lowest, np.fmax(lowest, highest)), found)


def two_sided(deviate: Floats) -> Floats:
    """The chance of a deviate at least as far from 0, if the forecast is right; NaN stays."""
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(deviate)))


def ranked(newest: Floats, earlier: Floats) -> Floats:
    """The share of what there was before that is at least as large, itself counted, `(n,)`.

    `earlier` is any shape; NaN are no figures. NaN where fewer than `LEAST_RANKED` are known.
    """
    known = np.sort(earlier[np.isfinite(earlier)])
    if len(known) < LEAST_RANKED:
        return np.full(newest.shape, np.nan)
    above = len(known) - np.searchsorted(known, newest, side="left")
    return np.where(np.isfinite(newest), (1 + above) / (1 + len(known)), np.nan)


def discoveries(p_values: Floats, rate: float) -> NDArray[np.bool_]:
    """Those of the `(n,)` p-values that ring, so that at most the share `rate` of rings is false.

    NaN never rings and is not counted as looked at. True for independent p-values, and for those
    that rise and fall together.

    Source: Benjamini and Hochberg (1995), JRSS B 57(1), procedure 1.
    """
    looked = np.flatnonzero(np.isfinite(p_values))
    order = looked[np.argsort(p_values[looked], kind="stable")]
    bars = rate * np.arange(1, len(order) + 1) / max(len(order), 1)
    passed = np.flatnonzero(p_values[order] <= bars)
    rings = np.zeros(p_values.shape, dtype=bool)
    if len(passed):
        rings[order[: passed[-1] + 1]] = True
    return rings
