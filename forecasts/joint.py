"""Samples that add up: many futures of all bottom series at once, and so of every sum of them.

Each series keeps exactly the values its own forecast allows at each step; what is made here is
which of them come together. A Gaussian copula gives the ranks: a shock common to all, one of each
area and field, and one of its own for each series, all lasting over the horizon as errors of the
backtest did. Groups weigh as much as errors were seen to go together, shrunk where few origins
tell; the common shock gets what is then needed for the sum of all to spread as far as it should.
Without dependence, a city of 1,545 cells would look ten times surer than it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasts.hierarchy import Hierarchy, Sparse
from forecasts.panel import Floats
from forecasts.scores import mean

BLOCK = 64
"""Bottom series drawn at a time: what fits near the processor. Another number, other samples."""
FARTHEST = 4.0
"""Errors count up to so many of their standard deviations."""
PRIOR_ORIGINS = 4
"""Origins after which what was seen of dependence weighs as much as none."""
MOST_SHARED = 0.98
"""Share of the variance of a rank that shocks of several series make up, at most."""


@dataclass(frozen=True, eq=False)
class Dependence:
    """How errors of bottom series go together."""

    common: float
    """Share of variance of the shock common to all, before it is fitted to the sum of all."""
    groups: dict[str, float]
    """Share of variance of the shocks of each kind of group in `Hierarchy.groups`."""
    total: float
    """Variance of the sum of all, over the sum of variances: 1 where series are independent."""
    shared: Floats
    """Correlation `(h, h)` of a shared shock over the steps ahead."""
    own: Floats
    """The same of a series' own shock."""


def dependence(errors: Floats, hierarchy: Hierarchy) -> Dependence:
    """What the errors `(origins, bottom, h)` say of it; NaN where not scored.

    Large series weigh more, as they do in sums: correlations are ratios of sums of products.
    """
    origins, _, steps = errors.shape
    if not np.isfinite(errors).any():
        return Dependence(
            0.0, dict.fromkeys(hierarchy.groups, 0.0), 1.0, np.eye(steps), np.eye(steps)
        )
    known = np.isfinite(errors)
    even, sizes = _even(errors)
    trust = origins / (origins + PRIOR_ORIGINS)
    common, groups = _shares(even, sizes[:, None] * known, hierarchy)
    groups = {name: share * trust for name, share in groups.items()}
    squares, everything = (even**2).sum(), even.sum(axis=1)
    total = float((everything**2).sum() / squares) if squares > 0 else 1.0
    every = _over_steps(even, known)
    whole = _over_steps(everything[:, None], np.asarray(known.any(axis=1))[:, None])
    shared = nearest_correlation(trust * whole + (1 - trust) * every)
    weight = min(common + sum(groups.values()), MOST_SHARED)
    own = nearest_correlation((every - weight * shared) / (1 - weight))
    return Dependence(common, groups, total, shared, own)


def _even(errors: Floats) -> tuple[Floats, Floats]:
    """Errors without their growth over the steps, far ones drawn in, 0 if unknown; their sizes."""
    grown = np.sqrt(mean(mean(errors**2, axis=1), axis=0))
    even = errors / np.where(grown > 0, grown, 1.0)
    sizes = np.sqrt(mean(even**2, axis=(0, 2)))
    sizes = np.where(np.isfinite(sizes), sizes, 0.0)
    limit = FARTHEST * sizes[None, :, None]
    return np.clip(np.where(np.isfinite(even), even, 0.0), -limit, limit), sizes


def _shares(even: Floats, sizes: Floats, hierarchy: Hierarchy) -> tuple[float, dict[str, float]]:
    """Shares of variance of the common shock and those of groups, from mean correlations of pairs.

    A pair in one group also has the common shock, and may share another group: one equation a
    kind of group, and one for all pairs.
    """
    from scipy.optimize import nnls

    labels = {"": np.zeros(even.shape[1], dtype=np.int64), **hierarchy.groups}
    each = {name: _summing(group) for name, group in labels.items()}
    paired = {name: _pairs(sizes, summing) for name, summing in each.items()}
    names = [name for name, weight in paired.items() if weight > 0]
    if "" not in names:
        return 0.0, dict.fromkeys(hierarchy.groups, 0.0)
    seen = np.array([_pairs(even, each[name]) / paired[name] for name in names])
    system = np.array(
        [
            [_pairs(sizes, _summing(_both(labels[a], labels[b]))) / paired[a] for b in names]
            for a in names
        ]
    )
    found = dict(zip(names, nnls(system, np.maximum(seen, 0.0))[0], strict=True))
    limit = min(1.0, MOST_SHARED / max(sum(found.values()), MOST_SHARED))
    shares = {name: float(found.get(name, 0.0)) * limit for name in labels}
    return shares.pop(""), shares


def _both(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    pairs = one * (other.max() + 1) + other
    return np.asarray(np.unique(pairs, return_inverse=True)[1].ravel())


def _summing(group: NDArray[np.int64]) -> Sparse:
    from scipy.sparse import csr_array

    places = (group, np.arange(len(group)))
    return csr_array((np.ones(len(group)), places), shape=(int(group.max()) + 1, len(group)))


def _pairs(values: Floats, summing: Sparse) -> float:
    """Sum of the products of all pairs within groups: `(origins, bottom, h)`, at equal places."""
    flat = values.transpose(1, 0, 2).reshape(values.shape[1], -1)
    return float(((summing @ flat) ** 2).sum() - (flat**2).sum())


def _over_steps(even: Floats, known: NDArray[np.bool_]) -> Floats:
    """Correlations `(h, h)` of errors `(origins, series, h)`, pooled over series.

    Between steps that were never scored together, that of the nearest distance that was; 0 where
    nothing was.
    """
    steps = even.shape[2]
    flat = even.reshape(-1, steps)
    seen = known.reshape(-1, steps).astype(float)
    products, size = flat.T @ flat, (flat**2).T @ seen
    bounds = np.sqrt(size * size.T)
    correlation = np.divide(products, bounds, where=bounds > 0, out=np.full_like(bounds, np.nan))
    apart = np.abs(np.subtract.outer(np.arange(steps), np.arange(steps)))
    by_distance = np.array([mean(correlation[apart == distance]) for distance in range(steps)])
    last = np.maximum.accumulate(np.where(np.isfinite(by_distance), np.arange(steps), 0))
    filled = np.where(np.isfinite(by_distance[last]), by_distance[last], 0.0)[apart]
    return np.where(apart == 0, 1.0, np.where(np.isfinite(correlation), correlation, filled))


def nearest_correlation(matrix: Floats) -> Floats:
    """A matrix of correlations near this symmetric one: no negative eigenvalue, diagonal of 1."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    positive = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    size = np.sqrt(np.diag(positive))
    return np.asarray(positive / np.outer(size, size))


@dataclass(frozen=True, eq=False)
class Marginals:
    """What each bottom series may be at each step, on its own: samples or quantiles."""

    values: NDArray[Any]
    """`(samples or levels, bottom, h)`."""
    count: int
    """How many samples are wanted of each."""
    levels: tuple[float, ...] | None = None
    """Of the quantiles, rising; None where values are samples."""
    means: Floats | None = None
    """`(bottom, h)`: the mean that each shall have; None leaves them as they are."""
    lowest: Floats | None = None
    """`(bottom,)`: nothing goes below."""

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Series a block at a time, with rising samples `(series, h, count)`."""
        for first in range(0, self.values.shape[1], BLOCK):
            rows = slice(first, first + BLOCK)
            yield rows, self._risen(rows)

    def _risen(self, rows: slice) -> Floats:
        values = self.values[:, rows]
        if self.levels is None:
            risen = np.sort(values.transpose(1, 2, 0), axis=-1)
            if len(values) != self.count:
                places = (np.arange(self.count) + 0.5) * len(values) / self.count
                risen = risen[..., places.astype(np.int64)]
        else:
            risen = np.tensordot(values, _between(self.levels, self.count), axes=(0, 1))
        if self.lowest is not None:
            risen = np.maximum(risen, self.lowest[rows, None, None])
        return risen if self.means is None else self._centred(risen, rows)

    def _centred(self, risen: Floats, rows: slice) -> Floats:
        """With the wanted means: more is added, less is taken in proportion where 0 is the bound.

        So nothing falls below 0. Whole numbers stay whole.
        """
        assert self.means is not None
        wanted = self.means[rows, :, None]
        now = risen.mean(axis=-1, keepdims=True)
        floored = (
            np.zeros(len(risen), dtype=bool) if self.lowest is None else self.lowest[rows] >= 0
        )
        less = (wanted < now) & floored[:, None, None]
        factor = np.divide(
            np.maximum(wanted, 0.0), now, where=less & (now > 0), out=np.ones_like(now)
        )
        moved = np.where(less, risen * factor, risen + (wanted - now))
        if self.levels is None:
            whole = (risen == np.rint(risen)).all(axis=(1, 2))
            moved[whole] = np.sort(_whole(moved[whole]), axis=-1)
        return np.asarray(moved)


def _whole(values: Floats) -> Floats:
    """Values `(..., count)` rounded up as often as their fractions say, so that sums are kept."""
    down = np.floor(values)
    owed = np.floor(np.cumsum(values - down, axis=-1) + 0.5)
    return np.asarray(down + np.diff(owed, axis=-1, prepend=0.0))


@lru_cache(maxsize=8)
def _scores(count: int) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(count) + 0.5) / count))


@lru_cache(maxsize=8)
def _between(levels: tuple[float, ...], count: int) -> Floats:
    """What each of `count` even samples has of each quantile: `(count, levels)`.

    Straight between quantiles on the scale of normal scores, and straight on beyond the outermost:
    a normal distribution is met exactly.
    """
    from scipy.special import ndtri

    known, wanted = ndtri(np.array(levels)), _scores(count)
    left = np.clip(np.searchsorted(known, wanted) - 1, 0, len(levels) - 2)
    share = (wanted - known[left]) / (known[left + 1] - known[left])
    weights = np.zeros((count, len(levels)))
    weights[np.arange(count), left] = 1 - share
    weights[np.arange(count), left + 1] = share
    return weights


def coherent_paths(
    marginals: NDArray[Any],
    errors: Floats,
    hierarchy: Hierarchy,
    count: int,
    seed: int,
    *,
    levels: tuple[float, ...] | None = None,
    means: Floats | None = None,
    lowest: Floats | None = None,
    spread: Floats | None = None,
) -> NDArray[Any]:
    """Futures `(count, bottom, h)` whose sums are futures of the totals: `hierarchy.sums`.

    `marginals` are samples `(any number, bottom, h)`, or quantiles `(levels, bottom, h)` where
    `levels` are given. At each step of each series the samples are those of its own forecast, in
    another order; `means` `(bottom, h)` moves them first, to forecasts that add up. `errors` are
    those of the backtest of the bottom series, `(origins, bottom, h)`. The sum of all spreads with
    the standard deviation `spread`, one a step; by default it spreads more than independent series
    would as far as the sum of errors did. The same seed gives the same bytes. The result has single
    precision where `marginals` have.
    """
    of = Marginals(marginals, count, levels, means, lowest)
    seen = dependence(errors, hierarchy)
    common, groups = _fitted(of, seen, hierarchy, spread)
    shapes = {"": 1, **{name: int(group.max()) + 1 for name, group in hierarchy.groups.items()}}
    root = np.linalg.cholesky(seen.shared)
    shocks = {
        name: _standard(root @ _chance(seed, (number + 1, 0), (shape, len(root), count)))
        for number, (name, shape) in enumerate(shapes.items())
    }
    weights = {"": common, **groups}
    labels = {"": np.zeros(hierarchy.bottom, dtype=np.int64), **hierarchy.groups}
    rest = np.sqrt(np.maximum(1 - sum(weights.values()), 0.0))[:, None]
    own = np.linalg.cholesky(seen.own)
    single = marginals.dtype == np.float32
    paths = np.empty((count, *marginals.shape[1:]), dtype=np.float32 if single else np.float64)
    for block, (rows, risen) in enumerate(of.blocks()):
        ranked = rest * (own @ _chance(seed, (0, block), (len(risen), len(own), count)))
        for name, weight in weights.items():
            ranked += np.sqrt(weight)[:, None] * shocks[name][labels[name][rows]]
        placed = np.empty_like(risen)
        np.put_along_axis(placed, np.argsort(ranked, axis=-1), risen, axis=-1)
        paths[:, rows] = placed.transpose(2, 0, 1)
    return paths


def _chance(seed: int, place: tuple[int, int], shape: tuple[int, ...]) -> Floats:
    return np.random.default_rng([seed, *place]).standard_normal(shape)


def _standard(shocks: Floats) -> Floats:
    """With mean 0 and variance 1 over the samples, so that few samples spread as many do."""
    apart = shocks - shocks.mean(axis=-1, keepdims=True)
    size = apart.std(axis=-1, keepdims=True)
    return np.asarray(apart / np.where(size > 0, size, 1.0))


def _fitted(
    of: Marginals, seen: Dependence, hierarchy: Hierarchy, spread: Floats | None
) -> tuple[Floats, dict[str, Floats]]:
    """Shares of variance at each step, `(h,)`, of the common shock and those of groups.

    With a shock in common, two series vary together by the product of their slopes against normal
    scores (the first term of Mehler's formula); the common share is solved for.
    """
    variance, slopes = moments(of)
    alone = variance.sum(axis=0)
    target = alone * seen.total if spread is None else spread**2
    squares = (slopes**2).sum(axis=0)
    pairs = {
        name: ((_summing(group) @ slopes) ** 2).sum(axis=0) - squares
        for name, group in hierarchy.groups.items()
    }
    together = sum((seen.groups[name] * many for name, many in pairs.items()), np.zeros(len(alone)))
    beyond = np.maximum(target - alone, 0.0)
    kept = np.divide(beyond, together, where=together > beyond, out=np.ones_like(alone))
    groups = {name: seen.groups[name] * kept for name in pairs}
    all_pairs = slopes.sum(axis=0) ** 2 - squares
    missing = np.maximum(beyond - together * kept, 0.0)
    common = np.divide(missing, all_pairs, where=all_pairs > 0, out=np.zeros_like(alone))
    taken = sum(groups.values(), np.zeros(len(alone)))
    return np.minimum(common, MOST_SHARED - taken), groups


def moments(of: Marginals) -> tuple[Floats, Floats]:
    """Variance of each series at each step, and its slope against normal scores: `(bottom, h)`."""
    scores = _scores(of.count)
    scores = scores / np.sqrt((scores**2).mean())
    parts = [(risen.var(axis=-1), risen @ scores / of.count) for _, risen in of.blocks()]
    variance, slopes = (np.concatenate(part) for part in zip(*parts, strict=True))
    return variance, slopes
