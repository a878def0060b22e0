"""Make the forecasts of communes, fields and city add up, in the mean.

Every series has a forecast of its own; sums of forecasts are not forecasts of sums. All methods
here move the bottom series so that the gap to the forecasts above closes, the more a series has
erred the more, and then add up from the bottom: the totals are sums, to rounding. The gaps are as
many as there are series above, so the system to solve is small however many series lie below
(`W C' (C W C')^-1`, with `C` the constraints and `W` the covariance of the errors).

Source: Wickramasuriya, Athanasopoulos and Hyndman (2019), JASA 114(526), section 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forecasts import joint
from forecasts.hierarchy import NODE, Family, Hierarchy, NotAHierarchy
from forecasts.panel import Floats
from forecasts.scores import mean

METHODS = ("bottom_up", "ols", "wls_struct", "wls_var", "mint_shrink")
CANDIDATES = ("bottom_up", "wls_var", "mint_shrink")
"""Methods that may be chosen. The others do not know that small cells err less than the city, and
push them below 0; they are scored to be compared."""
DEFAULT = "mint_shrink"
MARGIN = 0.01
"""Share of the score by which another method must be better than the usual one to be taken."""
SMALLEST_PIVOT = 1e-6
"""Of a system scaled to a diagonal of 1: below it, as good as singular."""


@dataclass(frozen=True, eq=False)
class Part:
    """What was forecast at one grain, before anything adds up."""

    keys: pl.DataFrame
    """Columns indicator, area and category, one row a series."""
    mean: Floats
    """`(series, h)`."""
    errors: Floats
    """Of the backtest, `(origins, series, h)`, the newest origin last; NaN where not scored."""
    marginals: NDArray[Any]
    """Samples or quantiles, `(samples or levels, series, h)`."""
    lowest: Floats
    """`(series,)`: 0, or minus infinity."""
    levels: tuple[float, ...] | None = None
    """Of the quantiles; None where marginals are samples."""
    behind: NDArray[np.int64] | None = None
    """By how many periods each series ends before the newest: so far ahead are its first steps of
    no use."""


@dataclass(frozen=True, eq=False)
class Reconciled:
    """Forecasts that add up. Series are in the order of `hierarchy.keys`."""

    hierarchy: Hierarchy
    method: str
    table: pl.DataFrame
    """What `compare` said."""
    means: Floats
    """`(series, h)`."""
    shifts: Floats
    """By how much each mean was moved; NaN where there was none."""
    stand_ins: NDArray[np.bool_]
    """`(series,)`: bottom series without a forecast, told by their newest values."""
    paths: NDArray[Any]
    """`(count, bottom, h)`: futures of the bottom series; the sums of each add up as well."""

    def quantiles(self, levels: tuple[float, ...]) -> Floats:
        """Quantiles `(levels, series, h)` of all series, from the futures."""
        return np.concatenate(
            [np.quantile(paths, levels, axis=0) for paths in self._parts()], axis=1
        )

    def _parts(self) -> tuple[NDArray[Any], NDArray[Any]]:
        return self.hierarchy.sums(self.paths), self.paths


def reconcile_family(
    family: Family,
    parts: Mapping[str, Part],
    *,
    count: int,
    seed: int,
) -> Reconciled:
    """Forecasts that add up, in the mean and in `count` samples, from those of each grain.

    `parts` has the forecasts by grain, as the catalog writes it; all look equally far ahead. The
    method is the one that would have been best. A series above without forecast becomes the sum of
    its parts. A bottom series without one (refused: too short, constant) is told by its newest
    values, for it is in the totals whether it can be forecast or not.

    The samples of each bottom series are those of its part, moved to its new mean. If the total of
    all has a part, the samples spread as its own forecast did.

    Raises:
        NotAHierarchy: the part of the bottom is missing, or has series that are not of it.
    """
    hierarchy = family.hierarchy
    placed = _placed(hierarchy, parts)
    base, errors, lowest = _means(hierarchy, parts, placed)
    below = slice(hierarchy.above, None)
    recent = family.recent
    missing = ~np.isfinite(base[:, 0])
    stand_ins = missing & (np.arange(len(base)) >= hierarchy.above)
    filled = base.copy()
    filled[stand_ins] = recent.mean(axis=0)[missing[below], None]
    filled[below] = _held(filled[below])
    lowest = np.where(missing[below] & (recent.min(axis=0) >= 0), 0.0, lowest[below])
    table = compare(hierarchy, errors, family.scales)
    method = choose(table)
    told = _with_stand_ins(errors, np.flatnonzero(stand_ins), recent[:, missing[below]])
    means = reconcile(hierarchy, filled, told, method=method, lowest=lowest)
    grain = str(hierarchy.grains[-1])
    paths = joint.coherent_paths(
        _marginals(parts[grain], placed[grain] - hierarchy.above, recent),
        errors[:, below],
        hierarchy,
        count,
        seed,
        levels=parts[grain].levels,
        means=means[below],
        lowest=lowest,
        spread=_total_spread(hierarchy, parts, placed, count),
    )
    return Reconciled(hierarchy, method, table, means, means - base, stand_ins, paths)


def _placed(hierarchy: Hierarchy, parts: Mapping[str, Part]) -> dict[str, NDArray[np.int64]]:
    """The row in the hierarchy of each series of each part; -1 for one that stays out of it."""
    nodes = hierarchy.keys.with_row_index("node").with_columns(pl.col("node").cast(pl.Int64))
    placed = {}
    for grain, part in parts.items():
        keys = part.keys.with_columns(level=pl.lit(grain.partition("*")[0]))
        rows = keys.join(nodes, on=NODE, how="left", maintain_order="left")["node"]
        placed[grain] = rows.fill_null(-1).to_numpy()
    bottom = str(hierarchy.grains[-1])
    if bottom not in placed or (placed[bottom] < 0).any():
        raise NotAHierarchy(
            f"the forecasts of {bottom} are not those of the bottom series",
            hint="give the part of this grain, of series in the keys of the hierarchy",
        )
    return placed


def _means(
    hierarchy: Hierarchy, parts: Mapping[str, Part], placed: Mapping[str, NDArray[np.int64]]
) -> tuple[Floats, Floats, Floats]:
    """Means, errors and bounds of the whole hierarchy; NaN, and no bound, where there is none."""
    series, horizon = len(hierarchy.keys), next(iter(parts.values())).mean.shape[1]
    origins = max(len(part.errors) for part in parts.values())
    means = np.full((series, horizon), np.nan)
    errors = np.full((origins, series, horizon), np.nan)
    lowest = np.full(series, -np.inf)
    for grain, part in parts.items():
        inside = placed[grain] >= 0
        rows = placed[grain][inside]
        means[rows] = ahead_of(part.mean, part.behind)[inside]
        errors[origins - len(part.errors) :, rows] = ahead_of(part.errors, part.behind)[:, inside]
        lowest[rows] = part.lowest[inside]
    return means, errors, lowest


def ahead_of(values: Floats, behind: NDArray[np.int64] | None) -> Floats:
    """Values `(..., series, h)` from the first step after the newest period of any series on.

    Series that end `behind` it have no last steps: NaN.
    """
    if behind is None:
        return values
    horizon = values.shape[-1]
    steps = np.arange(horizon) + behind[:, None]
    taken = np.take_along_axis(
        values, np.broadcast_to(np.minimum(steps, horizon - 1), values.shape), axis=-1
    )
    return np.where(steps < horizon, taken, np.nan)


def _with_stand_ins(errors: Floats, rows: NDArray[np.intp], recent: Floats) -> Floats:
    """Errors with, for the series in `rows`, how far their newest values lie from their mean."""
    origins, _, steps = errors.shape
    told = errors.copy()
    apart = np.resize(recent - recent.mean(axis=0), (origins * steps, len(rows)))
    told[:, rows] = apart.reshape(origins, steps, len(rows)).transpose(0, 2, 1)
    return told


def _held(values: NDArray[Any]) -> NDArray[Any]:
    """With the last known step of `(..., series, h)` held where later ones are unknown."""
    steps = np.arange(values.shape[-1])
    last = np.maximum.accumulate(np.where(np.isfinite(values), steps, 0), axis=-1)
    return np.take_along_axis(values, last, axis=-1)


def _marginals(part: Part, rows: NDArray[np.int64], recent: Floats) -> NDArray[Any]:
    """Those of all bottom series in order; of one without forecast, its newest values."""
    count, _, horizon = part.marginals.shape
    places = (np.arange(count) + 0.5) / count if part.levels is None else np.array(part.levels)
    stood = np.quantile(recent, places, axis=0, method="inverted_cdf").astype(part.marginals.dtype)
    whole = np.repeat(stood[:, :, None], horizon, axis=2)
    whole[:, rows] = _held(ahead_of(part.marginals, part.behind))
    return whole


def _total_spread(
    hierarchy: Hierarchy,
    parts: Mapping[str, Part],
    placed: Mapping[str, NDArray[np.int64]],
    count: int,
) -> Floats | None:
    """Standard deviation at each step of the series that is the sum of all, if it is known."""
    for grain, part in parts.items():
        whole = (placed[grain] >= 0) & (hierarchy.parts[placed[grain]] == hierarchy.bottom)
        if whole.any():
            row = int(np.flatnonzero(whole)[0])
            of = joint.Marginals(part.marginals[:, [row]], count, part.levels)
            variance, _ = joint.moments(of)
            known = _held(np.sqrt(variance))
            return np.asarray(known[0]) if np.isfinite(known).all() else None
    return None


@dataclass(frozen=True, eq=False)
class Covariance:
    """Covariance of the errors of all series: `diag(own) + shared.T @ shared`.

    Never written out: with 50,000 series it would be 20 GB.
    """

    own: Floats
    """`(series,)`; infinite where nothing is known of a series above: it has no say."""
    shared: Floats
    """`(ranks, series)`: the errors themselves, scaled; no rows where series err on their own."""


def covariance(hierarchy: Hierarchy, errors: Floats, method: str) -> Covariance | None:
    """How the series err, as `method` sees it; None for bottom-up, which does not ask.

    `errors` is `(origins, series, h)` with NaN where not scored; their growth with the horizon is
    taken out. Series above without any error have no say; bottom series without one are as
    uncertain as their kind usually is. Where nothing at all was scored, `wls_var` and `mint_shrink`
    become `wls_struct`.
    """
    nothing = np.zeros((0, len(hierarchy.keys)))
    if method == "bottom_up":
        return None
    if method == "ols":
        return Covariance(np.ones(len(hierarchy.keys)), nothing)
    known = np.isfinite(errors).any()
    if method == "wls_struct" or not known:
        return Covariance(hierarchy.parts.astype(float), nothing)
    even = without_growth(errors)
    spread = mean(even**2, axis=(0, 2))
    own = _completed(spread, hierarchy)
    return Covariance(own, nothing) if method == "wls_var" else _shrunk(even, own)


def without_growth(errors: Floats) -> Floats:
    """Errors `(origins, series, h)` as they would be one step ahead: over their common growth."""
    sizes = mean(errors**2, axis=(0, 2))[None, :, None]
    squares = mean(np.divide(errors**2, sizes, where=sizes > 0, out=np.zeros_like(errors)), axis=0)
    grown = np.sqrt(mean(squares, axis=0))
    first = grown[np.isfinite(grown) & (grown > 0)]
    return errors / np.where(grown > 0, grown / first[0], 1.0) if len(first) else errors


def _completed(spread: Floats, hierarchy: Hierarchy) -> Floats:
    below = spread[hierarchy.above :]
    known = below[np.isfinite(below)]
    usual = float(np.median(known)) if len(known) else 1.0
    filled = np.where(np.isfinite(below), below, usual)
    above = spread[: hierarchy.above]
    return np.concatenate([np.where(np.isfinite(above), above, np.inf), filled])


def _shrunk(even: Floats, own: Floats) -> Covariance:
    """The covariance seen, its correlations shrunk towards none as far as they are chance.

    The steps of one origin are not independent: as many samples as origins count, not as errors.

    Source: Schäfer and Strimmer (2005), Stat. Appl. Genet. Mol. Biol. 4(1), section 2.4.
    """
    origins, series, steps = even.shape
    size = np.sqrt(np.where(np.isfinite(own) & (own > 0), own, np.inf))
    scaled = even / size[None, :, None]
    samples = scaled.transpose(0, 2, 1).reshape(origins * steps, series)
    samples = np.where(np.isfinite(samples), samples, 0.0)
    samples = samples[np.abs(samples).any(axis=1)]
    weight = shrinkage(samples, max(min(origins, len(samples)), 1))
    shared = samples * np.sqrt((1 - weight) / max(len(samples), 1))
    rest = np.maximum(1 - (shared**2).sum(axis=0), 0.0)
    finite = np.where(np.isfinite(own), own, 0.0)
    return Covariance(np.where(np.isfinite(own), own * rest, np.inf), shared * np.sqrt(finite))


def shrinkage(samples: Floats, independent: int) -> float:
    """How far correlations should go to zero, 0 to 1, by how much of them is chance.

    `samples` is `(n, series)`, with mean square 1 in each series; `independent` of the n are taken
    to be so. Sums over all pairs of series come from products of samples, `(n, n)`.
    """
    count = len(samples)
    if count < 2 or independent < 2:
        return 1.0
    squares = samples**2
    each = squares.mean(axis=0) ** 2
    correlations = float(((samples @ samples.T) ** 2).sum() / count**2 - each.sum())
    fourth = float((squares.sum(axis=1) ** 2 - (squares**2).sum(axis=1)).sum() / count)
    chance = (fourth - correlations) / (independent - 1)
    return float(np.clip(chance / correlations, 0.0, 1.0)) if correlations > 0 else 1.0


def reconcile(
    hierarchy: Hierarchy,
    means: Floats,
    errors: Floats,
    *,
    method: str = DEFAULT,
    lowest: Floats | None = None,
) -> Floats:
    """Forecasts `(series, h)` that add up, from forecasts `means` that need not.

    A series above may be NaN: it is then the sum of its parts. `lowest` has the bound of each
    bottom series; what falls below is put there before adding up.

    Raises:
        NotAHierarchy: a bottom series is unknown.
    """
    if not np.isfinite(means[hierarchy.above :]).all():
        raise NotAHierarchy(
            "a bottom series has no forecast, so nothing can be added up",
            hint="give it one that stands in: `Family.recent`",
        )
    moved = _moved(hierarchy, covariance(hierarchy, errors, method), means)
    if lowest is not None:
        moved = np.maximum(moved, lowest[:, None])
    return hierarchy.sum(moved)


def _moved(hierarchy: Hierarchy, weight: Covariance | None, means: Floats) -> Floats:
    """The bottom series, moved so that they agree with what is said above."""
    bottom = means[hierarchy.above :].copy()
    if weight is None:
        return bottom
    heard = np.isfinite(weight.own[: hierarchy.above, None]) & np.isfinite(means[: hierarchy.above])
    patterns, which = np.unique(heard, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        steps = np.flatnonzero(which.ravel() == number)
        rows = np.flatnonzero(pattern)
        if len(rows):
            bottom[:, steps] += _move(hierarchy, weight, means[:, steps], rows)
    return bottom


def _move(
    hierarchy: Hierarchy, weight: Covariance, means: Floats, rows: NDArray[np.intp]
) -> Floats:
    """What to add to the bottom series, from the series above in these rows."""
    above = hierarchy.above
    summing = hierarchy.summing[rows]
    own, shared = weight.own[above:], weight.shared[:, above:]
    gaps = means[rows] - summing @ means[above:]
    loads = weight.shared[:, rows].T - summing @ shared.T
    system = (summing.multiply(own[None, :]) @ summing.T).toarray()
    system[np.diag_indices(len(rows))] += weight.own[rows]
    system += loads @ loads.T
    pulls = _solved(system, gaps)
    return np.asarray(own[:, None] * (summing.T @ pulls) - shared.T @ (loads.T @ pulls))


def _solved(system: Floats, gaps: Floats) -> Floats:
    """The solution of a symmetric system, the shortest where there are many."""
    size = np.sqrt(np.diag(system))
    unit = np.where(size > 0, size, 1.0)
    scaled, wanted = system / np.outer(unit, unit), gaps / unit[:, None]
    try:
        sound = np.diag(np.linalg.cholesky(scaled)).min() > SMALLEST_PIVOT
    except np.linalg.LinAlgError:
        sound = False
    if sound:
        return np.asarray(np.linalg.solve(scaled, wanted) / unit[:, None])
    values, vectors = np.linalg.eigh(scaled)
    real = values > SMALLEST_PIVOT**2 * max(float(values[-1]), 0.0)
    inverse = np.divide(1.0, values, where=real, out=np.zeros_like(values))
    return np.asarray(vectors @ (inverse[:, None] * (vectors.T @ wanted)) / unit[:, None])


def compare(
    hierarchy: Hierarchy,
    errors: Floats,
    scales: Floats,
    methods: tuple[str, ...] = METHODS,
    *,
    apart: int = 1,
) -> pl.DataFrame:
    """How wrong each method would have been: method, grain and rmsse, with `mean` over the grains.

    Errors of reconciled forecasts are the reconciled errors, for the outcomes add up. Each origin
    is reconciled with what errors say in other periods than those it looks at: neighbouring
    origins, `apart` periods from each other, miss the same outcomes in the same way. The method
    `base` is no method: forecasts as they came. An error nobody knows counts as 0 below and as the
    sum of its parts above; where the outcome is unknown, nothing is scored.

    `errors` is `(origins, series, h)`, `scales` has one number a series, in its unit; series with a
    scale of 0 or NaN are not scored.
    """
    known = np.isfinite(errors)
    filled = np.where(known, errors, 0.0)
    summed = hierarchy.sums(filled[:, hierarchy.above :])
    filled[:, : hierarchy.above] = np.where(
        known[:, : hierarchy.above], errors[:, : hierarchy.above], summed
    )
    grains = list(dict.fromkeys(hierarchy.grains))
    usable = np.where(scales > 0, scales, np.nan)
    rows = []
    for method in ("base", *methods):
        wrong = np.where(known, _errors_of(hierarchy, errors, filled, method, apart), np.nan)
        rmsse = np.sqrt(mean(wrong**2, axis=(0, 2))) / usable
        by_grain = [float(mean(rmsse[hierarchy.grains == grain])) for grain in grains]
        overall = float(mean(np.array(by_grain)))
        rows += [
            (method, *pair) for pair in zip([*grains, "mean"], [*by_grain, overall], strict=True)
        ]
    return pl.DataFrame(rows, schema=["method", "grain", "rmsse"], orient="row")


def _errors_of(
    hierarchy: Hierarchy, errors: Floats, filled: Floats, method: str, apart: int
) -> Floats:
    if method == "base":
        return filled
    if method not in ("wls_var", "mint_shrink"):
        origins, series, steps = filled.shape
        weight = covariance(hierarchy, errors, method)
        side_by_side = filled.transpose(1, 0, 2).reshape(series, -1)
        moved = _moved(hierarchy, weight, side_by_side)
        return hierarchy.sum(moved.reshape(-1, origins, steps).transpose(1, 0, 2))
    wrong = np.empty_like(filled)
    for origin, seen in enumerate(filled):
        weight = covariance(hierarchy, _elsewhere(errors, origin, apart), method)
        wrong[origin] = hierarchy.sum(_moved(hierarchy, weight, seen))
    return wrong


def _elsewhere(errors: Floats, origin: int, apart: int) -> Floats:
    """The errors in periods that this origin does not look at; NaN in those it does."""
    origins, _, steps = errors.shape
    periods = np.arange(origins)[:, None] * apart + np.arange(steps)
    other = (periods < periods[origin, 0]) | (periods > periods[origin, -1])
    return np.asarray(np.where(other[:, None, :], errors, np.nan)[other.any(axis=1)])


def choose(table: pl.DataFrame) -> str:
    """The candidate that `compare` found best; the usual one unless another is clearly better."""
    overall = table.filter(pl.col("grain") == "mean", pl.col("method").is_in(CANDIDATES))
    scores = dict(overall.select("method", "rmsse").iter_rows())
    known = {name: score for name, score in scores.items() if np.isfinite(score)}
    if not known:
        return DEFAULT
    best = min(known, key=lambda name: known[name])
    usual = known.get(DEFAULT)
    return DEFAULT if usual is not None and usual <= known[best] * (1 + MARGIN) else best
