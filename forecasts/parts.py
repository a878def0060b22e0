"""What each forecast is made of: level, event, trend, season, calendar, rest; they add up to it.

The members of a combination do not say what they are made of, so the path shown is taken apart by
what they share, in this order (docs/explanation.md):

1. `level`: mean of the last season of the past, freed of the calendar alone;
2. `event`: what that mean changes by when the past stands on the level of today (steps) and
   outliers are left out;
3. `trend`: the straight line through the path, freed of calendar and season, less the level. The
   season is that of the series and its siblings, weighted as the members that use one or the other;
4. `season`: what the path, freed of the calendar, is beside that line;
5. the parts of the calendar, by their names: what they add to the path;
6. `rest`: what bounds, adding up and whole numbers moved the issued figure by.

Where a series is forecast on logs, each part multiplies what those before it come to, and is told
as what it changes that by, in the unit of the series. Parts of the calendar share theirs by logs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from forecasts.bands import LEVELS
from forecasts.calendar_effects import CalendarEffects, calendar_effects
from forecasts.coherent import Issued
from forecasts.engine import Forecasts
from forecasts.lanes import Adjusted, lanes_of
from forecasts.model import all_models
from forecasts.panel import KEY, Floats
from forecasts.request import engine
from forecasts.scores import mean

LEVEL, EVENT, TREND, SEASON, REST = "level", "event", "trend", "season", "rest"
PARTS = (LEVEL, EVENT, TREND, SEASON, REST)
"""Every part that is none of the calendar."""
FEWEST_STEPS = 3
"""Of a path in which a line and a season can be told apart."""
MIDDLE = LEVELS.index(0.5)


def parts_of(
    forecasts: Forecasts, shown: Floats, effects: CalendarEffects | None = None
) -> dict[str, Floats]:
    """The parts of `shown`, the forecasts as issued, each `(series, horizon)` in their unit.

    `effects` are those of the calendar of which the past was freed, if it was. NaN where there is
    no forecast.
    """
    path = _weighted(forecasts, forecasts.backtest.final)
    calm = (path - forecasts.history.added) / forecasts.history.factor
    level, today = np.full((2, len(path)), np.nan)
    trend, season = np.full((2, *path.shape), np.nan)
    rows = np.flatnonzero(np.isfinite(forecasts.history.values).any(axis=1))
    if len(rows):
        adjusted = _adjusted(forecasts, rows)
        level[rows], today[rows] = _levels(forecasts, adjusted, rows, effects)
        trend[rows], season[rows] = _trend_and_season(calm[rows], today[rows], adjusted)
    before = np.zeros(path.shape)
    return {
        LEVEL: before + level[:, None],
        EVENT: before + (today - level)[:, None],
        TREND: trend,
        SEASON: season,
        **({} if effects is None else _of_calendar(effects, calm)),
        REST: shown - path,
    }


def _weighted(forecasts: Forecasts, paths: Mapping[str, Floats]) -> Floats:
    """The mean of paths `(..., series, horizon)` by today's weights; NaN where none answers."""
    some = next(iter(paths.values()))
    total, share = np.zeros(some.shape), np.zeros(some.shape[:-1])
    for name, weight in forecasts.weights.items():
        answers = np.asarray(np.isfinite(paths[name]).all(axis=-1))
        total += np.where(answers[..., None], paths[name], 0.0) * weight[:, None]
        share += np.where(answers, weight, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share[..., None] > 0, total / share[..., None], np.nan)


def _adjusted(forecasts: Forecasts, rows: np.ndarray) -> Adjusted:
    """The past as the engine saw it, with the season its members use, as they weigh."""
    panel, values = forecasts.panel, forecasts.history.values[rows]
    lanes = lanes_of(values, panel.season, panel.lowest[rows], panel.siblings[rows])
    weights = forecasts.weights
    shared = [weights[name][rows] for name in weights if all_models()[name].shared]
    lent = np.asarray(sum(shared, np.zeros(len(rows))))[:, None]
    return Adjusted(lanes, lent * lanes.shared + (1 - lent) * lanes.own.factors)


def _levels(
    forecasts: Forecasts, adjusted: Adjusted, rows: np.ndarray, effects: CalendarEffects | None
) -> tuple[Floats, Floats]:
    """Mean of the last season, `(rows,)`: as it was seen, and on the level of today."""
    lanes = adjusted.lanes
    last = min(lanes.season, forecasts.history.values.shape[1])
    places = lanes.lengths[:, None] - last + np.arange(last)
    # In gaps, what lies between their neighbours, with the season put back.
    whole = adjusted.flat + adjusted.factors[:, np.arange(adjusted.flat.shape[1]) % lanes.season]
    whole = np.where(lanes.on_logs[:, None], np.exp(whole), whole) * lanes.unit[:, None]
    between = np.take_along_axis(whole, np.maximum(places, 0), axis=1)
    now = forecasts.history.values[rows, -last:]
    seen = forecasts.panel.values
    if effects is not None:
        seen = np.where(effects.silent, np.nan, effects.without(seen))
    then = seen[rows, -last:]
    filled = np.where(np.isfinite(now), now, between)
    begun = places >= 0
    before = np.where(np.isfinite(then), then, filled)
    return mean(np.where(begun, before, np.nan)), mean(np.where(begun, filled, np.nan))


def _trend_and_season(calm: Floats, level: Floats, adjusted: Adjusted) -> tuple[Floats, Floats]:
    """What the path moves away from the level, in two parts that add up, `(rows, horizon)`."""
    lanes, factors = adjusted.lanes, adjusted.ahead(calm.shape[1])
    logs = (lanes.on_logs & (calm > 0).all(axis=1) & (level > 0))[:, None]
    start = level[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(logs, np.log(calm / start), calm - start)
    # Factors of mean 1, so that the season takes nothing from the mean of a whole round.
    mean_factor = np.log(np.exp(adjusted.factors).mean(axis=1))[:, None]
    season = np.where(logs, factors - mean_factor, factors * lanes.unit[:, None])
    told = lanes.season > 1 and calm.shape[1] >= FEWEST_STEPS
    seasonal = np.asarray(adjusted.factors.any(axis=1))[:, None] & told
    course = np.where(seasonal, (away - season) @ _line(calm.shape[1]), away)
    line = np.where(logs, start * np.expm1(np.where(logs, course, 0.0)), course)
    trend = np.where(seasonal, line, calm - start)
    return trend, calm - start - trend


def _line(steps: int) -> Floats:
    """What gives the least-squares line through `(rows, steps)` when multiplied from the right."""
    columns = np.stack([np.ones(steps), np.arange(steps)], axis=1)
    return np.asarray(columns @ np.linalg.pinv(columns)).T


def _of_calendar(effects: CalendarEffects, calm: Floats) -> dict[str, Floats]:
    """What each part of the calendar adds to the path, shared by their logs."""
    moved = effects.restored(calm) - calm
    parts = {name: effects.part(name)[:, -calm.shape[1] :] for name in effects.parts}
    total = np.asarray(sum(parts.values(), np.zeros(calm.shape)))
    some = np.abs(total) > 1e-12
    return {
        name: moved * np.divide(part, total, out=np.zeros(calm.shape), where=some)
        for name, part in parts.items()
    }


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the issued forecasts stand in a panel: one row a series and period."""

    about: pl.DataFrame
    rows: np.ndarray
    steps: np.ndarray


def explaining_rows(issued: Issued, said: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Rows of `forecast_part` and `forecast_earlier` for `said`: rows of `forecast` issued now."""
    if said.is_empty():
        return
    panel = issued.forecasts.panel
    rows = panel.keys.select(KEY).with_row_index("row")
    about = said.filter(pl.col("quantile_level") == LEVELS[MIDDLE])
    about = about.join(rows, on=KEY, nulls_equal=True, maintain_order="left")
    places = _Places(about, about["row"].to_numpy(), about["horizon"].to_numpy() - 1)
    yield "forecast_part", _part_rows(issued, places)
    yield "forecast_earlier", _earlier_rows(issued.forecasts, about.unique("row", keep="first"))


def _part_rows(issued: Issued, places: _Places) -> pl.DataFrame:
    effects = calendar_effects(issued.forecasts.panel, issued.job.horizon)
    parts = parts_of(issued.forecasts, issued.quantiles[MIDDLE], effects)
    about = places.about.select(*KEY, "frequency", "period", "simulated")
    frames = [
        about.with_columns(part=pl.lit(name), value=pl.Series(part[places.rows, places.steps]))
        for name, part in parts.items()
    ]
    return pl.concat(frames)


def _earlier_rows(forecasts: Forecasts, series: pl.DataFrame) -> pl.DataFrame:
    """What would have been said from each earlier origin, one row a series.

    Where the outcome is known, as it was scored: with weights that do not know it.
    """
    test, rows = forecasts.backtest, series["row"].to_numpy()
    honest = test.observed - forecasts.errors
    said = np.where(np.isfinite(honest), honest, _weighted(forecasts, test.paths))
    flat = said[:, rows].transpose(1, 0, 2).reshape(len(rows), -1)
    return series.select(
        *KEY,
        "frequency",
        "origin",
        pl.lit(engine()).alias("engine"),
        pl.lit(list(test.dropped), dtype=pl.List(pl.Int32)).alias("dropped"),
        pl.lit(said.shape[2], dtype=pl.Int32).alias("horizon"),
        pl.Series("said", list(flat), dtype=pl.List(pl.Float32)),
        "simulated",
    )
