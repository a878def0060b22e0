"""What the engine says of a panel, in the form in which a file is answered.

The only place where the command for files meets the engine.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from forecasts import scores
from forecasts.file import naive
from forecasts.panel import Floats, Panel
from forecasts.scheduler import Tell, mapped

CHUNK = 2_000
"""Series that are forecast at a time."""


@dataclass(frozen=True, eq=False)
class Answer:
    """Forecasts of some series: `mean` is `(series, horizon)`, `quantiles` a level more in front.

    `scores` has one row a series: model, weights, mase, skill (against the benchmark, in percent
    of its error), and coverage_80 for each interval, in percent; null where nothing was scored.
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
    workers: int | None = None,
    tell: Tell | None = None,
) -> Answer:
    """The forecasts of a panel, with the quantiles at `levels` and the scores of its backtest.

    What is pooled is learned from the whole panel; then chunks of series go to where the work is
    done (`forecasts.scheduler`), with the same results wherever that is.
    """
    asked = tuple(sorted({*levels, *(bound for c in coverages for bound in bounds(c))}))
    chunks = list(_chunks(panel))
    done: list[naive.Naive] = []
    for part in mapped(naive.of_chunks(panel, horizon, asked), chunks, workers=workers, tell=tell):
        done.append(part)
        if tell and len(chunks) > 1:
            tell(f"forecast {min(CHUNK * len(done), len(panel.keys)):,} of {len(panel.keys):,}")
    parts = [
        _answer(chunk, part, asked, levels, coverages)
        for chunk, part in zip(chunks, done, strict=True)
    ]
    return Answer(
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.quantiles for part in parts], axis=1),
        pl.concat([part.scores for part in parts]),
    )


def bounds(coverage: float) -> tuple[float, float]:
    """The quantile levels between which an interval lies: 0.1 and 0.9 of 0.8."""
    return round((1 - coverage) / 2, 6), round((1 + coverage) / 2, 6)


def _chunks(panel: Panel) -> Iterator[Panel]:
    for first in range(0, len(panel.keys), CHUNK):
        yield panel.take(list(range(first, min(first + CHUNK, len(panel.keys)))))


def _answer(
    panel: Panel,
    said: naive.Naive,
    asked: tuple[float, ...],
    levels: tuple[float, ...],
    coverages: tuple[float, ...],
) -> Answer:
    constant = _constant(panel)
    quantiles = said.quantiles[[asked.index(level) for level in levels]]
    quantiles[:, constant] = said.paths[constant]
    seasonal = said.lags > 1
    names = np.where(constant, "constant", np.where(seasonal, "seasonal_naive", "naive"))
    shares = {
        f"coverage_{100 * c:g}": _share(said, [asked.index(b) for b in bounds(c)])
        for c in coverages
    }
    size = scores.scale(panel.values, panel.season)
    error = scores.mean(np.abs(said.errors), axis=(0, 2)) / size
    table = pl.DataFrame(
        {
            "model": names,
            "weights": pl.Series([f"{name} 1" for name in names]),
            "mase": error,
            "skill": np.where(np.isfinite(error), 0.0, np.nan),
            **shares,
        }
    )
    numbers = [name for name, kind in table.schema.items() if kind.is_float()]
    nothing = pl.when(pl.lit(pl.Series(~constant))).then(pl.col(numbers).fill_nan(None))
    return Answer(said.paths, quantiles, table.with_columns(nothing))


def _constant(panel: Panel) -> np.ndarray:
    """Series whose values are all the same: they go on so, and nothing tells how surely."""
    known = np.isfinite(panel.values)
    lowest = np.where(known, panel.values, np.inf).min(axis=1)
    highest = np.where(known, panel.values, -np.inf).max(axis=1)
    return np.asarray(lowest == highest)


def _share(said: naive.Naive, places: list[int]) -> Floats:
    """Share of the errors within the band of the forecast, in percent, per series."""
    lower, upper = (said.quantiles[place] - said.paths for place in places)
    inside = ((lower <= said.errors) & (said.errors <= upper)).astype(float)
    return 100 * scores.mean(np.where(np.isfinite(said.errors), inside, np.nan), axis=(0, 2))
