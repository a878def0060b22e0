"""What the engine says of a panel, in the form in which a file is answered.

The only place where the command for files meets the engine.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import polars as pl

from forecasts import engine, scores
from forecasts.adjust import freed_of
from forecasts.file import naive
from forecasts.issue import left_out_bands
from forecasts.model import all_models
from forecasts.panel import Floats, Panel
from forecasts.recursion import Numbers
from forecasts.scheduler import Tell, mapped

LEAST_SHOWN = 0.05
"""Share of a model in what is shown, below which it is not named."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Forecasts of some series: `mean` is `(series, horizon)`, `quantiles` a level more in front.

    `scores` has one row a series: model, weights, mase, skill (against the benchmark, in percent
    of its error), and coverage_80 for each interval, in percent of the past outcomes within bands
    that did not know them; null where nothing was scored.
    """

    mean: Floats
    quantiles: Floats
    scores: pl.DataFrame


def answered(
    panel: Panel,
    horizon: int,
    levels: tuple[float, ...],
    coverages: tuple[float, ...],
    *,
    beside: Sequence[str] = (),
    workers: int | None = None,
    tell: Tell | None = None,
) -> Answer:
    """The forecasts of a panel, with the quantiles at `levels` and the scores of its backtest.

    Models named in `beside` make half of the combination.
    Series of which the engine cannot tell how sure it is, those too short for a backtest among too
    few others, and constant ones get the naive forecast with the bands of all (`naive`).
    """
    asked = tuple(sorted({*levels, *(bound for c in coverages for bound in bounds(c))}))
    places = [asked.index(level) for level in levels]
    said = engine.forecast(
        panel,
        horizon,
        adjust=freed_of(()),
        beside=beside,
        mapped=partial(
            _mapped, series=len(panel.keys), workers=workers, tell=tell or (lambda _: None)
        ),
    )
    quantiles = said.quantiles(asked)
    told = Answer(said.mean, quantiles[places], _scores(panel, said, coverages))
    sure = np.isfinite(quantiles).all(axis=(0, 2)) & ~_constant(panel)
    rest = np.flatnonzero(~sure).tolist()
    if not rest:
        return told
    plain = _naively(panel, rest, horizon, asked, levels, coverages)
    mean, quantiles = told.mean.copy(), told.quantiles.copy()
    mean[rest], quantiles[:, rest] = plain.mean, plain.quantiles
    order = np.arange(len(sure))
    order[rest] = len(sure) + np.arange(len(rest))
    return Answer(mean, quantiles, pl.concat([told.scores, plain.scores])[order])


def _mapped(
    work: Callable[[engine.Block], Numbers],
    blocks: Iterable[engine.Block],
    *,
    series: int,
    workers: int | None,
    tell: Tell,
) -> Iterator[Numbers]:
    """As `mapped`, and tells of how many of the `series` it is done."""
    rest = iter(blocks)
    first = next(rest)
    every = chain([first], rest)
    slow = ", ".join(name for name in first.models if all_models()[name].slow)
    done = 0
    for said in mapped(work, every, workers=workers, tell=tell):
        done += said.shape[2]
        tell(f"{slow or 'models'}: {done:,} of {series:,} series")
        yield said


def _scores(panel: Panel, said: engine.Forecasts, coverages: tuple[float, ...]) -> pl.DataFrame:
    bands = left_out_bands(said, tuple(b for c in coverages for b in bounds(c)))
    error = scores.mean(np.abs(said.errors), axis=(0, 2)) / scores.scale(panel.values, panel.season)
    table = pl.DataFrame(
        {
            "model": pl.Series(said.model, dtype=pl.String),
            "weights": _weights(said.weights),
            "mase": error,
            "skill": 100 * said.skill,
            **_covered(said.backtest.observed, bands, coverages),
        }
    )
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))


def _weights(weights: Mapping[str, Floats]) -> list[str]:
    """'theta 0.41; damped 0.22': the largest first, without the smallest."""
    names = list(weights)
    table = np.stack([weights[name] for name in names], axis=1)
    return [
        "; ".join(f"{names[i]} {row[i]:.2f}" for i in np.argsort(-row) if row[i] >= LEAST_SHOWN)
        for row in np.nan_to_num(table)
    ]


def _covered(observed: Floats, bands: Floats, coverages: tuple[float, ...]) -> dict[str, Floats]:
    """Share of the outcomes within each interval, in percent, per series.

    `observed` is `(origins, series, horizon)`; `bands` has in front the lower and the upper bound
    of each interval, in turn.
    """
    inside = {}
    for place, coverage in enumerate(coverages):
        lower, upper = bands[2 * place : 2 * place + 2]
        within = ((lower <= observed) & (observed <= upper)).astype(float)
        known = np.isfinite(observed) & np.isfinite(lower)
        share = scores.mean(np.where(known, within, np.nan), axis=(0, 2))
        inside[f"coverage_{100 * coverage:g}"] = 100 * share
    return inside


def bounds(coverage: float) -> tuple[float, float]:
    """The quantile levels between which an interval lies: 0.1 and 0.9 of 0.8."""
    return round((1 - coverage) / 2, 6), round((1 + coverage) / 2, 6)


def _naively(
    panel: Panel,
    rows: list[int],
    horizon: int,
    asked: tuple[float, ...],
    levels: tuple[float, ...],
    coverages: tuple[float, ...],
) -> Answer:
    """The naive forecasts of some series, with what all of the panel say of their errors."""
    part = panel.take(rows)
    said = naive.forecast(naive.pools_of(panel, horizon), horizon, asked, part)
    constant = _constant(part)
    quantiles = said.quantiles[[asked.index(level) for level in levels]]
    quantiles[:, constant] = said.paths[constant]
    observed, bands = naive.past(
        panel, rows, horizon, tuple(b for c in coverages for b in bounds(c))
    )
    names = np.where(constant, "constant", np.where(said.lags > 1, "seasonal_naive", "naive"))
    error = scores.mean(np.abs(said.errors), axis=(0, 2)) / scores.scale(part.values, part.season)
    table = pl.DataFrame(
        {
            "model": names,
            "weights": pl.Series([f"{name} 1" for name in names]),
            "mase": error,
            "skill": np.where(np.isfinite(error), 0.0, np.nan),
            **_covered(observed, bands, coverages),
        }
    )
    measured = pl.lit(pl.Series(~constant))
    numbers = pl.col(pl.Float64).fill_nan(None)
    return Answer(said.paths, quantiles, table.with_columns(pl.when(measured).then(numbers)))


def _constant(panel: Panel) -> np.ndarray:
    """Series whose values are all the same: they go on so, and nothing tells how surely."""
    known = np.isfinite(panel.values)
    lowest = np.where(known, panel.values, np.inf).min(axis=1)
    highest = np.where(known, panel.values, -np.inf).max(axis=1)
    return np.asarray(lowest == highest)
