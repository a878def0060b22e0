"""One issue of forecasts as rows of the warehouse: what was said, why, and how good it has been.

Rows are added and never changed. Only series whose values, siblings, question or engine changed are
issued again.
"""

from datetime import date

import numpy as np
import polars as pl

from forecasts import scores
from forecasts.bands import COVERAGES, LEVELS, error_units, levels_of, shape_of
from forecasts.coherent import Issued
from forecasts.engine import Forecasts
from forecasts.panel import KEY, Floats, steps
from forecasts.request import HELP, Job

UNTESTED = "untested"
"""Refused because nothing is left to score: all values are of days on which offices were shut."""


def described(series: pl.DataFrame, made: list[Forecasts]) -> pl.DataFrame:
    """`series` with what is shown for each and why; null in the rows of those without a forecast.

    New columns: model, benchmark, beats, skill, candidates; `refused` is filled in where nothing
    could be tested.
    """
    if not made:
        nothing = {"model": pl.String, "benchmark": pl.String, "candidates": pl.String}
        return series.with_columns(
            *(pl.lit(None, dtype=kind).alias(name) for name, kind in nothing.items()),
            beats=pl.lit(None, dtype=pl.Boolean),
            skill=pl.lit(None, dtype=pl.Float64),
        )
    chosen = pl.concat([_chosen(forecasts) for forecasts in made])
    joined = series.join(chosen, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    silent = pl.col("refused").is_null() & pl.col("model").is_null()
    return joined.with_columns(refused=pl.when(silent).then(pl.lit(UNTESTED)).otherwise("refused"))


def _chosen(forecasts: Forecasts) -> pl.DataFrame:
    tested = forecasts.tested & np.array([model is not None for model in forecasts.model])
    names = np.array(list(forecasts.weights))
    weights = np.stack(list(forecasts.weights.values()))
    return forecasts.panel.keys.select(KEY).with_columns(
        pl.Series(
            "model", [m if ok else None for m, ok in zip(forecasts.model, tested, strict=True)]
        ),
        pl.Series("benchmark", forecasts.benchmark),
        pl.Series("beats", tested & (np.array(forecasts.model) == "combination")),
        pl.Series("skill", forecasts.skill).fill_nan(None),
        pl.Series("candidates", [" ".join(names[column > 0]) for column in weights.T]),
    )


def quantile_rows(series: pl.DataFrame, issued: Issued) -> pl.DataFrame:
    """Quantiles of what is shown, one row a level; of the rows of `series` that are issued now."""
    rows, about = _now(series, issued)
    horizon, panel = issued.job.horizon, issued.forecasts.panel
    ahead = np.array(panel.ahead(horizon), dtype="datetime64[D]")
    return about[pl.Series(np.repeat(np.arange(len(rows)), horizon * len(LEVELS)))].select(
        pl.lit(panel.origin).alias("origin"),
        *KEY,
        pl.lit(issued.job.frequency.value).alias("frequency"),
        pl.Series("period", np.tile(np.repeat(ahead, len(LEVELS)), len(rows))),
        pl.Series(
            "horizon",
            np.tile(np.repeat(np.arange(1, horizon + 1), len(LEVELS)), len(rows)),
            dtype=pl.Int32,
        ),
        pl.Series("quantile_level", np.tile(LEVELS, len(rows) * horizon)),
        pl.Series("value", issued.quantiles[:, rows].transpose(1, 2, 0).ravel()),
        "model",
        "data_as_of",
        "simulated",
    )


def path_rows(series: pl.DataFrame, issued: Issued) -> pl.DataFrame:
    """Joint paths of what is shown, one row a series: `count` times `horizon` values."""
    rows, about = _now(series, issued)
    flat = issued.paths[:, rows].transpose(1, 0, 2).reshape(len(rows), -1)
    return about.select(
        pl.lit(issued.forecasts.panel.origin).alias("origin"),
        *KEY,
        pl.lit(issued.job.frequency.value).alias("frequency"),
        pl.lit(len(issued.paths), dtype=pl.Int32).alias("count"),
        pl.lit(issued.job.horizon, dtype=pl.Int32).alias("horizon"),
        pl.Series("paths", flat, dtype=pl.Array(pl.Float64, flat.shape[1])).cast(
            pl.List(pl.Float64)
        ),
        "simulated",
    )


def _now(series: pl.DataFrame, issued: Issued) -> tuple[np.ndarray, pl.DataFrame]:
    """Places in the panel of the series issued now, and their rows of `series`."""
    keys = issued.forecasts.panel.keys.select(KEY).with_row_index("row")
    about = keys.join(series, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    about = about.filter(pl.col("issue_it") & pl.col("model").is_not_null())
    return about["row"].to_numpy(), about


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


def score_rows(job: Job, series: pl.DataFrame, forecasts: Forecasts) -> pl.DataFrame:
    """Scores by indicator, model and step ahead; bands only of what is shown (`combination`).

    Bands are scored with the errors of the other origins alone. Windows of neighbouring origins
    overlap, so that coverage is a little too favourable.
    """
    keys = forecasts.panel.keys.select(KEY)
    about = keys.join(series, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    shown = left_out_bands(forecasts)
    scales = scores.scale(forecasts.panel.values, forecasts.panel.season)
    rows = []
    for indicator in job.indicators:
        mine = (keys["indicator"] == indicator.name).to_numpy()
        simulated = bool(about["simulated"].filter(pl.Series(mine)).any())
        for name in forecasts.backtest.paths:
            bands = shown[:, :, mine] if name == "combination" else None
            paths = forecasts.backtest.paths[name][:, mine]
            observed = forecasts.backtest.observed[:, mine]
            for step in range(job.horizon):
                row = _score(observed[..., step], paths[..., step], scales[mine])
                if row:
                    of_bands = _score_bands(observed[..., step], bands, step)
                    about_it = {"model": name, "horizon": step + 1, **row, **of_bands}
                    rows.append({"indicator": indicator.name, **about_it, "simulated": simulated})
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        level=pl.lit(job.level),
        by_category=pl.lit(job.by_category),
        frequency=pl.lit(job.frequency.value),
    )


def left_out_bands(forecasts: Forecasts, asked: tuple[float, ...] = LEVELS) -> Floats:
    """`(levels, origins, series, horizon)`: bands of each origin from the errors of the others.

    `asked` are the levels; NaN where the engine said nothing.
    """
    errors = forecasts.errors
    said = forecasts.backtest.observed - errors
    dropped, values = forecasts.backtest.dropped, forecasts.panel.values
    levels = levels_of(values, forecasts.panel.lowest)
    units = error_units(values, forecasts.panel.season, dropped, levels)
    small = forecasts.bands.small
    bands = np.full((len(asked), *errors.shape), np.nan)
    for origin in range(len(errors)):
        shape = shape_of(
            np.delete(errors, origin, axis=0),
            np.delete(units[1:], origin, axis=0),
            (*dropped[:origin], *dropped[origin + 1 :]),
            small,
            np.delete(said, origin, axis=0),
            levels,
        )
        around = forecasts.bands.of(shape, said[origin], units[1 + origin], levels)
        bands[:, origin] = around.quantiles(asked)
    return bands


def _score(observed: Floats, path: Floats, scales: Floats) -> dict[str, object]:
    """Of one step ahead, `(origins, series)`; nothing where nothing can be scored."""
    scored = np.isfinite(observed) & np.isfinite(path)
    if not scored.any():
        return {}
    errors = scores.mase(observed, path, scales)
    return {
        "series": int(scored.any(axis=0).sum()),
        "origins": int(scored.any(axis=1).sum()),
        "mase": float(scores.mean(scores.mean(errors, axis=0))),
        "bias": scores.bias(observed, path),
    }


def _score_bands(observed: Floats, bands: Floats | None, step: int) -> dict[str, float]:
    """Of one step ahead; NaN without bands, `(levels, origins, series, horizon)`."""
    if bands is None:
        return {"wql": np.nan, **{_covered(level): np.nan for level in COVERAGES}}
    quantiles = bands[..., step]
    covered = {
        _covered(level): scores.coverage(observed, quantiles[low], quantiles[high])
        for level, (low, high) in COVERAGES.items()
    }
    return {"wql": scores.wql(observed, quantiles, LEVELS), **covered}


def _covered(level: float) -> str:
    return f"coverage_{round(100 * level)}"
