"""From a panel to forecasts: all models at all origins, what they are worth, how sure that is.

1. The past is freed of what does not repeat by itself (calendar, breaks), at each origin with what
   was known there alone (`Adjust`).
2. Every series at every origin is a lane; siblings lend each other their season, origin by origin.
3. Every model forecasts every lane.
4. Models are weighted by how well they did; the errors of the weighted mean at an origin come from
   weights that do not know that origin, so that bands built on them are honest.
5. What is shown has beaten the benchmark on the series' own backtest, or is the benchmark.

Pools (seasons, weights, errors) are made over the whole panel, in a fixed order; between them,
parts of the panel may be worked on anywhere (`Mapped`) with the same result to the bit.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from os import cpu_count
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from forecasts.bands import (
    LARGEST_ERROR,
    LEANING,
    LEVELS,
    PRIOR_WINDOWS,
    SMALL,
    Bands,
    error_units,
    levels_of,
    losses_of_counts,
    scales_of,
    shape_of,
    width_of,
    windows_of,
)
from forecasts.lanes import MOST_ZEROS, Lanes, lanes_of
from forecasts.model import all_models, benchmark_of
from forecasts.panel import Floats, Panel
from forecasts.recursion import Numbers
from forecasts.scores import mean
from forecasts.units import Units, units_of
from forecasts.weights import USUAL, Rule, softmax

COMBINATION = "combination"
DROPPED = {
    1: (1, 2, 3, 4, 5, 6, 8),
    4: (1, 2, 3, 4, 5, 6, 8, 10, 12),
    7: (1, 2, 4, 7, 10, 14, 18, 21, 24, 28, 35, 42),
    52: (1, 2, 3, 4, 6, 8, 10, 13, 17, 21, 26),
}
"""By season, how many of the last periods each origin of the backtest does not know."""
DROPPED_MONTHS = (1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 21, 24)
ENOUGH_ROUNDS = 3
ENOUGH_YEARS = 7
"""Values up to an origin that are enough whatever comes after; fewer must be most of the series."""
FEWEST_YEARS = 4
LEAST_SHARE = 0.6
SLOW_DROPPED = (2, 4)
"""Origins at which slow models are tried, by the periods they do not know."""
BESIDE_SHARE = 0.5
"""Of models named beside the members, all of them together."""
SLOW_TOGETHER = 16
SHARES = (0.0, 0.3, 0.6, 0.8)
TOGETHER = 256
"""Series worked on together: few enough that processors share a city out evenly."""
BUFFER = 256
"""Numbers NumPy takes at once: more than lanes side by side, and it copies them before it works."""

Ints = NDArray[np.int64]
Part = TypeVar("Part")
Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class History:
    """What was known at an origin, freed of what does not repeat by itself."""

    values: Floats
    """`(series, periods)`."""
    factor: Floats
    """`(series, horizon)`: what forecasts of these values are multiplied by."""
    added: Floats
    """`(series, horizon)`: and what is added to them then."""
    variance: Floats
    """`(series,)`: of the log of what past and future differ by, as far as it is uncertain."""


Adjust = Callable[[Panel, int], History]
Mapped = Callable[[Callable[["Block"], Numbers], Iterable["Block"]], Iterable[Numbers]]
"""Results come in the order of the blocks, which are made as they are asked for."""


def as_it_is(panel: Panel, horizon: int) -> History:
    """No adjustment."""
    count = len(panel.keys)
    nothing = np.zeros((count, horizon))
    return History(panel.values, nothing + 1, nothing, np.zeros(count))


def in_threads(work: Callable[[Part], Made], parts: Iterable[Part]) -> Iterator[Made]:
    """In the processors of this machine, in order, a few parts ahead."""
    count = cpu_count() or 1
    with ThreadPoolExecutor(count) as pool:
        under_way: deque[Future[Made]] = deque()
        for part in parts:
            under_way.append(pool.submit(work, part))
            if len(under_way) > count:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


@dataclass(frozen=True, eq=False)
class Block:
    """Part of a panel at every origin: lanes, with the origin and the series each belongs to."""

    lanes: Lanes
    origin: Ints
    """Number of the origin, 0 for the end of the data."""
    series: Ints
    """Number of the series within the block."""
    shape: tuple[int, int]
    """Origins and series."""
    horizon: int
    models: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Backtest:
    """What was said at each origin and what came of it; NaN where nothing is scored.

    `observed` is `(origins, series, horizon)`; `paths` are the same by model, `final` what they say
    now, `(series, horizon)`. The combination is among them.
    """

    dropped: tuple[int, ...]
    observed: Floats
    paths: Mapping[str, Floats]
    final: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Forecasts of the series of a panel, and what they rest on."""

    panel: Panel
    model: tuple[str | None, ...]
    """What is shown for each series; None where nothing can be said."""
    benchmark: tuple[str, ...]
    tested: NDArray[np.bool_]
    """`(series,)`: whether an outcome could be compared with what would have been said."""
    skill: Floats
    """`(series,)`: 1 - error of what is shown / error of the benchmark; NaN where not tested."""
    weights: Mapping[str, Floats]
    """By model, `(series,)`: shares in what is shown."""
    bands: Bands
    errors: Floats
    """`(origins, series, horizon)`: outcome less what would have been shown."""
    backtest: Backtest
    history: History = field(repr=False)

    @property
    def mean(self) -> Floats:
        """`(series, horizon)`, in the unit of the series."""
        return self.bands.center

    def quantiles(self, levels: tuple[float, ...] = LEVELS) -> Floats:
        """`(levels, series, horizon)`, ordered."""
        return self.bands.quantiles(levels)

    def paths(self, count: int, seed: int = 0) -> Floats:
        """`(count, series, horizon)`: joint over the steps ahead."""
        return self.bands.paths(count, seed)


def members(season: int) -> tuple[str, ...]:
    """Models that take part in the combination for series of this season."""
    return tuple(
        name
        for name, model in all_models().items()
        if model.forecast is not None
        and model.suits(season)
        and (model.with_season if season > 1 else not model.shared)
        and model.member
        and not model.slow
    )


def forecast(
    panel: Panel,
    horizon: int,
    *,
    adjust: Adjust = as_it_is,
    beside: Sequence[str] = (),
    mapped: Mapped = in_threads,
) -> Forecasts:
    """Forecasts `horizon` steps from the end of the panel.

    Models named in `beside` make half of the combination together, for headline series; slow ones
    are tried at few origins, and the half counts at these. Series without any value get None for a
    model, and NaN.
    """
    units = units_of(panel)
    if not units.needed:
        return _forecast(panel, horizon, adjust, beside, mapped)
    return _back(_forecast(units.plain(panel), horizon, adjust, beside, mapped), panel, units)


def _back(said: Forecasts, panel: Panel, units: Units) -> Forecasts:
    """What was said of a panel in plain units, in those of its series."""
    size, test, history = units.size[:, None], said.backtest, said.history
    return replace(
        said,
        panel=panel,
        bands=replace(
            said.bands,
            center=np.clip(
                units.back(said.bands.center), panel.lowest[:, None], panel.highest[:, None]
            ),
            width=said.bands.width * size,
            lowest=panel.lowest,
            highest=panel.highest,
        ),
        errors=said.errors * size,
        backtest=replace(
            test,
            observed=units.back(test.observed),
            paths={name: units.back(path) for name, path in test.paths.items()},
            final={name: units.back(path) for name, path in test.final.items()},
        ),
        history=History(
            units.back(history.values),
            history.factor,
            history.added * size + units.offset[:, None] * (1 - history.factor),
            history.variance,
        ),
    )


def _forecast(
    panel: Panel, horizon: int, adjust: Adjust, beside: Sequence[str], mapped: Mapped
) -> Forecasts:
    names = members(panel.season)
    asked = tuple(dict.fromkeys((*names, "naive", benchmark_of(panel.season))))
    dropped = _dropped(panel)
    histories = list(in_threads(partial(_history, panel, horizon, adjust), (0, *dropped)))
    blocks = _blocks(panel, histories, (0, *dropped), asked, horizon)
    said = _gathered(mapped(_said, blocks), (len(asked), len(histories), len(panel.keys), horizon))
    suited = [name for name in dict.fromkeys(beside) if all_models()[name].suits(panel.season)]
    slow = tuple(name for name in suited if name not in asked)
    if slow:
        said = np.concatenate(
            [said, _said_slowly(panel, histories, dropped, slow, horizon, mapped)]
        )
    for place, history in enumerate(histories):
        said[:, place] = said[:, place] * history.factor + history.added
    paths = dict(zip((*asked, *slow), said, strict=True))
    test = Backtest(
        dropped,
        _observed(panel, dropped, horizon, np.isfinite(paths["naive"][1:]).all(axis=2)),
        {name: path[1:] for name, path in paths.items()},
        {name: path[0] for name, path in paths.items()},
    )
    return _weighed(panel, test, names, tuple(suited), histories[0])


def _history(panel: Panel, horizon: int, adjust: Adjust, dropped: int) -> History:
    """What was known before the last `dropped` periods."""
    return adjust(panel.until(len(panel.periods) - 1 - dropped), horizon)


def _said_slowly(
    panel: Panel,
    histories: Sequence[History],
    dropped: tuple[int, ...],
    models: tuple[str, ...],
    horizon: int,
    mapped: Mapped,
) -> Numbers:
    """As `_said` of the whole panel, but of few origins: NaN at the others."""
    tried = [0, *(place for place, d in enumerate(dropped, start=1) if d in SLOW_DROPPED)]
    at = [(0, *dropped)[place] for place in tried]
    some = _blocks(panel, [histories[p] for p in tried], at, models, horizon, SLOW_TOGETHER)
    size = len(panel.keys), horizon
    few = _gathered(mapped(_said, some), (len(models), len(tried), *size))
    said = np.full((len(models), len(dropped) + 1, *size), np.nan, dtype=np.float32)
    said[:, tried] = few
    return said


def _gathered(parts: Iterable[Numbers], shape: tuple[int, ...]) -> Numbers:
    """One array of the parts, which lie beside each other along the series."""
    whole = np.empty(shape, dtype=np.float32)
    at = 0
    for part in parts:
        whole[:, :, at : at + part.shape[2]] = part
        at += part.shape[2]
    return whole


def _dropped(panel: Panel) -> tuple[int, ...]:
    longest = int((len(panel.periods) - np.isfinite(panel.values).argmax(axis=1)).max(initial=0))
    asked = DROPPED.get(panel.season, DROPPED_MONTHS)
    return tuple(d for d in asked if longest - d >= _least(panel.season, longest))


def _least(season: int, length: int) -> int:
    """Fewest values up to an origin of a series of this length."""
    enough = ENOUGH_YEARS if season == 1 else ENOUGH_ROUNDS * season
    fewest = FEWEST_YEARS if season == 1 else season + 2
    return min(enough, max(fewest, int(LEAST_SHARE * length)))


def _blocks(
    panel: Panel,
    histories: Sequence[History],
    dropped: Sequence[int],
    models: tuple[str, ...],
    horizon: int,
    together: int | None = None,
) -> Iterator[Block]:
    lengths = len(panel.periods) - np.isfinite(panel.values).argmax(axis=1)
    lengths[~np.isfinite(panel.values).any(axis=1)] = 0
    least = np.array([_least(panel.season, int(length)) for length in lengths])
    enough = [lengths - d >= (least if d else 1) for d in dropped]
    at_origins = zip(dropped, histories, enough, strict=True)
    found = list(in_threads(partial(_at_origin, panel, panel.siblings, panel.whole), at_origins))
    size = together or TOGETHER
    for at in range(0, len(lengths), size):
        until = min(at + size, len(lengths))
        parts, origins, series = [], [], []
        for origin, (usable, lanes) in enumerate(found):
            rows = slice(*np.searchsorted(usable, [at, until]))
            parts.append(lanes.take(rows))
            series.append(usable[rows] - at)
            origins.append(np.full(len(usable[rows]), origin))
        yield Block(
            Lanes.joined(parts),
            np.concatenate(origins),
            np.concatenate(series),
            (len(dropped), until - at),
            horizon,
            models,
        )


def _at_origin(
    panel: Panel, siblings: Ints, whole: Ints, origin: tuple[int, History, NDArray[np.bool_]]
) -> tuple[Ints, Lanes]:
    """The series that can be forecast at an origin, and their lanes."""
    dropped, history, enough = origin
    usable = np.flatnonzero(np.isfinite(history.values).any(axis=1) & enough)
    lanes = lanes_of(
        history.values[usable],
        panel.season,
        panel.lowest[usable],
        siblings[usable],
        whole[usable] >= len(panel.periods) - dropped,
    )
    return usable, lanes


def _said(block: Block) -> Numbers:
    """What each model says, `(models, origins, series, horizon)`; NaN where nothing."""
    # Lanes keep what models share of them; a copy lets go of it when the work is done.
    lanes = replace(block.lanes)
    said = np.full((len(block.models), *block.shape, block.horizon), np.nan, dtype=np.float32)
    with np.errstate(all="ignore"):
        np.setbufsize(BUFFER)
        for place, name in enumerate(block.models):
            paths = all_models()[name].paths(lanes, block.horizon)
            said[place, block.origin, block.series] = paths
    return said


def _observed(
    panel: Panel, dropped: Sequence[int], horizon: int, asked: NDArray[np.bool_]
) -> Floats:
    observed = np.full((len(dropped), len(panel.keys), horizon), np.nan)
    last = len(panel.periods)
    for place, d in enumerate(dropped):
        steps = min(d, horizon)
        observed[place, :, :steps] = panel.values[:, last - d : last - d + steps]
    observed[~asked] = np.nan
    return observed


def _weighed(
    panel: Panel, test: Backtest, names: tuple[str, ...], beside: tuple[str, ...], history: History
) -> Forecasts:
    scales = scales_of(panel.values)
    small = _small(panel)
    classes = _classes(panel, small)
    losses = in_threads(lambda name: _losses(test, name, scales, small), test.final)
    by_name = dict(zip(test.final, losses, strict=True))
    open_to = {name: _open_to(name, test, classes) for name in test.final}
    weights, combined, final = _combined(test, names, by_name, open_to, classes, USUAL)
    if beside:
        combined = _mixed(BESIDE_SHARE, combined, _tried(test, beside))
        final = _mixed(BESIDE_SHARE, final, _between(test.final, beside))
        weights = _with_those(weights, test, beside)
    benchmark = _benchmark(panel, test)
    base = _shown(benchmark, test.paths)
    share, skill = _given(test, combined, base, small)
    shown = _mixed(share[:, None], combined, base)
    mean_path = _mixed(share[:, None], final, _shown(benchmark, test.final))
    named = np.array(benchmark)
    shares = {
        name: (1 - share) * weights.get(name, 0.0) + share * (named == name)
        for name in dict.fromkeys((*names, *beside, *benchmark))
    }
    answered = np.asarray(np.isfinite(mean_path).all(axis=1))
    model = tuple(
        (COMBINATION if part < 1 else rule) if ok else None
        for part, rule, ok in zip(share, benchmark, answered, strict=True)
    )
    # What is shown was chosen by its errors, which flatters it most where the backtest is short.
    unchosen = np.where(np.isfinite(combined), combined, shown)
    errors = test.observed - unchosen
    bands = _bands(panel, mean_path, 1 - share, test.dropped, errors, unchosen, small, history)
    everything = Backtest(
        test.dropped,
        test.observed,
        {**test.paths, COMBINATION: combined},
        {**test.final, COMBINATION: final},
    )
    return Forecasts(
        panel,
        model,
        benchmark,
        np.isfinite(skill),
        skill,
        shares,
        bands,
        test.observed - shown,
        everything,
        history,
    )


def _between(paths: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """Mean of the models that have an answer; NaN where none has."""
    said = np.stack([paths[name] for name in names])
    return mean(said, axis=0)


def _tried(test: Backtest, beside: Sequence[str]) -> Floats:
    """Their mean at the origins at which all of them were tried; NaN at the others."""
    said = _between(test.paths, beside)
    if any(all_models()[name].slow for name in beside):
        said[[d not in SLOW_DROPPED for d in test.dropped]] = np.nan
    return said


def _with_those(
    weights: Mapping[str, Floats], test: Backtest, beside: Sequence[str]
) -> dict[str, Floats]:
    """Shares with those of the models beside that have an answer."""
    answers = np.stack([np.isfinite(test.final[name]).all(axis=1) for name in beside])
    count = answers.sum(axis=0)
    given = np.where(count > 0, BESIDE_SHARE, 0.0)
    each = given / np.maximum(count, 1)
    shares = {name: (1 - given) * share for name, share in weights.items()}
    for name, row in zip(beside, answers, strict=True):
        shares[name] = shares.get(name, 0.0) + each * row
    return shares


def _given(
    test: Backtest, combined: Floats, base: Floats, small: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Share of the benchmark in what is shown, `(series,)`: the least of `SHARES` that beats it.

    All of it where none does; none where nothing could be tested. The second is the skill of what
    is shown; NaN where not tested.
    """
    mixtures = (_mixed(share, combined, base) for share in reversed(SHARES))
    every = in_threads(partial(_misses, test.observed, small), chain([base], mixtures))
    rival = next(every)
    given, skill = np.ones(len(rival)), np.zeros(len(rival))
    for share, own in zip(reversed(SHARES), every, strict=True):
        with np.errstate(all="ignore"):
            ahead = 1 - own / rival
        ahead[small] = _drawn_together(own[small], rival[small], test.observed[:, small])
        given, skill = np.where(ahead > 0, share, given), np.where(ahead > 0, ahead, skill)
    tested = np.isfinite(own) & np.isfinite(rival)
    return np.where(tested, given, 0.0), np.where(tested, skill, np.nan)


def _misses(observed: Floats, small: NDArray[np.bool_], said: Floats) -> Floats:
    """Mean absolute error of each series, `(series,)`; of small counts the loss of their bands.

    What is said of small counts is their mean. Nothing has a smaller absolute error than zero where
    most are zero, so that error would show the benchmark for having nothing to say.
    """
    misses = mean(np.abs(observed - said), axis=(0, 2))
    misses[small] = losses_of_counts(observed[:, small], said[:, small])
    return misses


def _drawn_together(own: Floats, rival: Floats, observed: Floats) -> Floats:
    """Skill of small counts, drawn to that of all of them: one such record is mostly chance."""
    both = own + rival
    known = np.isfinite(both)
    whole = both[known].sum()
    pooled = (own - rival)[known].sum() / whole if whole > 0 else 0.0
    apart = np.divide(own - rival, both, out=np.zeros_like(own), where=both > 0)
    windows = windows_of(observed)
    apart = (windows * apart + PRIOR_WINDOWS * pooled) / (windows + PRIOR_WINDOWS)
    return np.where(known & (np.abs(apart) < 1), -2 * apart / (1 - apart), np.nan)


def _mixed(share: Floats | float, combined: Floats, base: Floats) -> Floats:
    """Part of the benchmark in the combination; the other alone where one has no answer."""
    mixed = (1 - share) * combined + share * base
    return np.where(np.isfinite(mixed), mixed, np.where(np.isfinite(combined), combined, base))


def _bands(
    panel: Panel,
    path: Floats,
    own: Floats,
    dropped: tuple[int, ...],
    errors: Floats,
    shown: Floats,
    small: NDArray[np.bool_],
    history: History,
) -> Bands:
    """Around `path`, moved by what errors lean to one side; not what is of the benchmark in it."""
    levels = levels_of(panel.values, panel.lowest)
    units = error_units(panel.values, panel.season, dropped, levels)
    shape = shape_of(errors, units[1:], dropped, small, shown, levels)
    width = width_of(shape, path, units[0], levels)
    if panel.season in LEANING:
        path = path + np.where(small, 0.0, own * shape.lean)[:, None] * width
    known = np.abs(path) * np.sqrt(history.variance)[:, None]
    spread = shape.offsets[-5] - shape.offsets[4]
    width = np.sqrt(width**2 + (known * 3.92 / max(spread, 1e-9)) ** 2)
    return Bands(
        np.clip(path, panel.lowest[:, None], panel.highest[:, None]),
        width,
        shape.offsets,
        small,
        shape.dispersion,
        shape.correlation,
        panel.lowest,
        panel.highest,
    )


def _classes(panel: Panel, small: NDArray[np.bool_]) -> Ints:
    """Number of the class of each series, from 0: many zeros or not, small counts or not."""
    known = np.where(np.isfinite(panel.values), panel.values == 0, np.nan)
    zeros = mean(known.astype(float)) > MOST_ZEROS
    sparse = zeros & (panel.lowest >= 0)
    return np.asarray(2 * sparse + (small & ~sparse), dtype=np.int64)


def _small(panel: Panel) -> NDArray[np.bool_]:
    """Counts of whole things with a small mean."""
    whole = panel.whole == len(panel.periods)
    return np.asarray(whole & (mean(np.abs(panel.values)) < SMALL))


def _open_to(name: str, test: Backtest, classes: Ints) -> NDArray[np.bool_]:
    """Series a model may take part for: where it answers, and is of use."""
    useful = (classes < 2) | ~np.array(all_models()[name].few_zeros)
    return np.asarray(np.isfinite(test.final[name]).all(axis=1) & useful)


def _losses(test: Backtest, name: str, scales: Floats, small: NDArray[np.bool_]) -> Floats:
    """Mean errors in units of the scale, `(origins, series)`: absolute, squares of small counts."""
    errors = np.minimum(np.abs(test.observed - test.paths[name]) / scales[:, None], LARGEST_ERROR)
    return mean(np.where(small[:, None], errors**2, errors))


def _combined(
    test: Backtest,
    names: Sequence[str],
    losses: Mapping[str, Floats],
    open_to: Mapping[str, NDArray[np.bool_]],
    classes: Ints,
    rule: Rule,
) -> tuple[dict[str, Floats], Floats, Floats]:
    """Weights by model `(series,)`; what would have been said at each origin, and is said now.

    The former with weights that do not know the origin.
    """
    loss = np.stack([losses[name] for name in names])
    loss[~np.stack([open_to[name] for name in names])[:, None].repeat(loss.shape[1], 1)] = np.nan
    usable = np.stack([open_to[name] for name in names])
    weights = softmax(mean(loss, axis=1), classes, usable, rule)
    final = _sum(weights, [test.final[name] for name in names])

    def without(origin: int) -> Floats:
        rest = mean(np.delete(loss, origin, axis=1), axis=1)
        others = softmax(rest, classes, usable, rule)
        return _sum(others, [test.paths[name][origin] for name in names])

    combined = np.empty_like(test.observed)
    for origin, said in enumerate(in_threads(without, range(len(test.dropped)))):
        combined[origin] = said
    return dict(zip(names, weights, strict=True)), combined, final


def _sum(weights: Floats, paths: Sequence[Floats]) -> Floats:
    """Weighted mean of the paths that have an answer; NaN where none has."""
    total, share = np.zeros(paths[0].shape), np.zeros(len(paths[0]))
    for weight, path in zip(weights, paths, strict=True):
        answers = np.asarray(np.isfinite(path).all(axis=1))
        total += np.where(answers, weight, 0.0)[:, None] * np.where(answers[:, None], path, 0.0)
        share += np.where(answers, weight, 0.0)
    with np.errstate(all="ignore"):
        return np.where(share[:, None] > 0, total / share[:, None], np.nan)


def _benchmark(panel: Panel, test: Backtest) -> tuple[str, ...]:
    """Seasonal naive, or naive without a season or where a series is too young for one."""
    name = benchmark_of(panel.season)
    asked = np.isfinite(test.observed)
    silent = (asked & ~np.isfinite(test.paths[name])).any(axis=(0, 2))
    silent |= ~np.isfinite(test.final[name]).all(axis=1)
    return tuple(np.where(silent, "naive", name).tolist())


def _shown(names: Sequence[str], paths: Mapping[str, Floats]) -> Floats:
    """`(..., series, horizon)`: for each series the path of the model named for it."""
    shown = np.full_like(next(iter(paths.values())), np.nan)
    named = np.array(names)
    for name in dict.fromkeys(names):
        rows = np.asarray(named == name)
        shown[..., rows, :] = paths[name][..., rows, :]
    return shown
