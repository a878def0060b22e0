"""One issue of forecasts as rows of the warehouse: what was said, why, and how good it has been.

Rows are added and never changed. Only series whose values, question or engine changed are issued
again.
"""

from datetime import date

import numpy as np
import polars as pl

from forecasts import intervals, scores
from forecasts.backtest import Backtest
from forecasts.choose import Choice
from forecasts.intervals import COVERAGES, LEVELS, Spread, spread_of
from forecasts.panel import KEY, Floats, steps
from forecasts.request import HELP, Job

UNTESTED = "untested"
"""Refused because no outcome could be scored: all values were zero until lately."""


def quantile_rows(
    job: Job, series: pl.DataFrame, test: Backtest, spreads: dict[str, Spread]
) -> pl.DataFrame:
    """Quantiles of the model shown, for the rows of `series` that have one: one row a level.

    `series` has a row for each series of `test` in its order, with columns model, last, simulated,
    data_as_of and issue_it.
    """
    bands = np.full((len(LEVELS), len(series), job.horizon), np.nan)
    for name, spread in spreads.items():
        rows = np.flatnonzero((series["model"] == name).fill_null(value=False).to_numpy())
        band = test.bounded(spread.band(test.final[name], test.final_scale))
        bands[:, rows] = band[:, rows]
    shown = np.flatnonzero((series["issue_it"] & series["model"].is_not_null()).to_numpy())
    count = job.horizon * len(LEVELS)
    repeated = pl.Series(np.repeat(shown, count))
    periods = [
        period
        for last in series["last"].gather(shown)
        for period in steps(last, job.frequency, job.horizon + 1)[1:]
    ]
    return series.select(*KEY, "model", "last", "simulated", "data_as_of")[repeated].select(
        pl.col("last").alias("origin"),
        *KEY,
        pl.lit(job.frequency.value).alias("frequency"),
        pl.Series("period", np.repeat(np.array(periods, dtype="datetime64[D]"), len(LEVELS))),
        pl.Series(
            "horizon",
            np.tile(np.repeat(np.arange(1, job.horizon + 1), len(LEVELS)), len(shown)),
            dtype=pl.Int32,
        ),
        pl.Series("quantile_level", np.tile(LEVELS, len(shown) * job.horizon)),
        pl.Series("value", bands[:, shown].transpose(1, 2, 0).ravel()),
        "model",
        "data_as_of",
        "simulated",
    )


def with_choices(series: pl.DataFrame, keys: pl.DataFrame, choices: list[Choice]) -> pl.DataFrame:
    """`series` with what was chosen for each of `keys`; null in the rows of the others."""
    chosen = keys.with_columns(
        pl.Series("model", [choice.model for choice in choices], dtype=pl.String),
        pl.Series("benchmark", [choice.benchmark for choice in choices], dtype=pl.String),
        pl.Series("beats", [choice.beats for choice in choices], dtype=pl.Boolean),
        pl.Series("skill", [choice.skill for choice in choices], dtype=pl.Float64),
        pl.Series("candidates", [" ".join(c.candidates) for c in choices], dtype=pl.String),
    )
    joined = series.join(chosen, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    silent = pl.col("refused").is_null() & pl.col("model").is_null()
    return joined.with_columns(
        refused=pl.when(silent).then(pl.lit(UNTESTED)).otherwise("refused"),
    )


def series_rows(job: Job, series: pl.DataFrame, today: date) -> pl.DataFrame:
    """One row a series that is issued now: what is shown and why, or why not."""
    helps = {**HELP, UNTESTED: "more_periods"}
    stale = {
        last: steps(last, job.frequency, job.horizon + 1)[-1] < today
        for last in series["last"].drop_nulls().unique()
    }
    old = pl.col("last").replace_strict(stale, default=False, return_dtype=pl.Boolean)
    refused = pl.col("refused")
    helped = refused.replace_strict(helps, default=None, return_dtype=pl.String)
    return series.filter("issue_it").select(
        *KEY,
        pl.lit(job.frequency.value).alias("frequency"),
        pl.lit(job.level).alias("level"),
        "points",
        pl.col("last").alias("origin"),
        *(
            pl.when(refused.is_null()).then(column).alias(column)
            for column in ("model", "benchmark", "beats", "skill")
        ),
        "refused",
        pl.when(refused.is_null() & old)
        .then(pl.lit("newer_values"))
        .otherwise(helped)
        .alias("help"),
        "candidates",
        "simulated",
        "input_key",
    )


def score_rows(job: Job, series: pl.DataFrame, test: Backtest) -> pl.DataFrame:
    """Scores by indicator, model and step ahead; `series` as in `quantile_rows`.

    Bands are scored with the errors of the other origins alone. Windows of neighbouring origins
    overlap, so that coverage is a little too favourable.
    """
    rows = []
    for name in test.final:
        bands = _left_out_bands(test, name)
        for indicator in job.indicators:
            mine = (test.keys["indicator"] == indicator.name).to_numpy()
            simulated = bool(series["simulated"].filter(pl.Series(mine)).any())
            for step in range(job.horizon):
                row = _score(test, name, bands, mine, step)
                if row:
                    rows.append({"indicator": indicator.name, **row, "simulated": simulated})
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        level=pl.lit(job.level),
        by_category=pl.lit(job.by_category),
        frequency=pl.lit(job.frequency.value),
    )


def _left_out_bands(test: Backtest, name: str) -> Floats:
    errors = test.errors(name)
    bands = np.full((len(LEVELS), *errors.shape), np.nan)
    for origin in range(len(errors)):
        others = spread_of(np.delete(errors, origin, axis=0))
        band = others.band(test.paths[name][origin], test.scales[origin])
        bands[:, origin] = test.bounded(band)
    return bands


def _score(
    test: Backtest, name: str, bands: Floats, mine: np.ndarray, step: int
) -> dict[str, object]:
    observed, path = test.observed[:, mine, step], test.paths[name][:, mine, step]
    quantiles = bands[:, :, mine, step]
    scored = np.isfinite(observed) & np.isfinite(path)
    if not scored.any():
        return {}
    errors = scores.mase(observed, path, test.scales[:, mine])
    covered = {
        f"coverage_{round(100 * level)}": scores.coverage(observed, quantiles[low], quantiles[high])
        for level, (low, high) in COVERAGES.items()
    }
    return {
        "model": name,
        "horizon": step + 1,
        "series": int(scored.any(axis=0).sum()),
        "origins": int(scored.any(axis=1).sum()),
        "mase": float(scores.mean(scores.mean(errors, axis=0))),
        "wql": scores.wql(observed, quantiles, intervals.LEVELS),
        **covered,
        "bias": scores.bias(observed, path),
    }
