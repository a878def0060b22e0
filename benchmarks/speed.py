"""What the forecasts of a city cost: the engine beside one quick peer, in the same run.

The counts are made up: communes by fields, by month, with a season and a trend. Only the time and
the memory that they take mean anything. The engine fits, backtests on rolling origins and draws
bands; the peer, `DynamicOptimizedTheta` of statsforecast, does its cross-validation with twelve
windows, on two processes, without bands.
"""

import dataclasses
import os
import statistics
import subprocess
import sys
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from benchmarks.cost import Clock, Cost, alone, in_turn
from etl.periods import Frequency
from forecasts.panel import Floats, Panel, steps

COMMUNES, FIELDS, MONTHS = 103, 15, 84
SERIES = COMMUNES * FIELDS
NATION = 3321 * FIELDS
"""The communes of the country, as many fields."""
HORIZON, ORIGINS = 12, 12
ROUNDS = 3
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
FIRST = date(2019, 1, 1)
HEAVY = ("statsmodels", "prophet", "scipy.stats", "statsforecast")


def speed(*, quick: bool = False) -> dict[str, Any]:
    """The city against the peer in turn; four cities; the nation once, unless it is to be quick."""
    rounds = 1 if quick else ROUNDS
    ours, theirs = in_turn(
        rounds, partial(alone, engine, SERIES), partial(alone, cross_validation, SERIES)
    )
    more = alone(engine, 4 * SERIES)
    nation = None if quick else alone(engine, NATION)
    return {
        "series": SERIES,
        "months": MONTHS,
        "rounds": rounds,
        "engine": _figures(ours),
        "peer": _figures(theirs),
        "four_cities": _figures(more),
        "nation_series": NATION,
        "nation": nation and _figures(nation),
        **import_time(),
    }


def _figures(cost: Cost) -> dict[str, float]:
    return {name: round(value, 2) for name, value in dataclasses.asdict(cost).items()}


def engine(series: int) -> Cost:
    """Final forecasts, backtest and bands of so many series."""
    from forecasts.engine import forecast

    panel = made_up(series)
    with Clock() as clock:
        forecast(panel, HORIZON).quantiles(LEVELS)
    return clock.cost


def cross_validation(series: int) -> Cost:
    """Twelve windows of the peer, refitted at each, on two processes of one thread."""
    os.environ["OMP_NUM_THREADS"] = "1"
    from statsforecast import StatsForecast
    from statsforecast.models import DynamicOptimizedTheta

    panel = made_up(series)
    frame = pl.DataFrame(
        {
            "unique_id": np.repeat(np.arange(series), MONTHS),
            "ds": np.tile(np.arange(MONTHS), series),
            "y": panel.values.ravel(),
        }
    )
    peer = StatsForecast([DynamicOptimizedTheta(season_length=panel.season)], freq=1, n_jobs=2)
    with Clock() as clock:
        peer.cross_validation(df=frame, h=HORIZON, step_size=1, n_windows=ORIGINS, refit=True)
    return clock.cost


def made_up(series: int, seed: int = 1) -> Panel:
    """Monthly counts of communes by fields that nobody ever counted."""
    chance = np.random.default_rng(seed)
    keys = pl.DataFrame(
        {
            "indicator": "made_up",
            "area": [f"commune {row // FIELDS}" for row in range(series)],
            "category": [f"field {row % FIELDS}" for row in range(series)],
        }
    )
    return Panel(
        keys,
        steps(FIRST, Frequency.MONTH, MONTHS),
        chance.poisson(_expected(series, chance)).astype(float),
        Frequency.MONTH,
        np.zeros(series),
        np.full(series, np.inf),
    )


def _expected(series: int, chance: np.random.Generator) -> Floats:
    months = np.arange(MONTHS)
    fields = np.arange(series) % FIELDS
    season = np.exp(chance.normal(0, 0.2, (FIELDS, Frequency.MONTH.season)))
    level = chance.lognormal(3, 1.2, (series, 1))
    trend = np.exp(chance.normal(0, 0.003, (series, 1)) * months)
    return np.asarray(level * trend * season[fields][:, months % Frequency.MONTH.season])


def import_time() -> dict[str, Any]:
    """Seconds beyond those of polars, the median of five fresh processes, and what came along."""
    code = (
        "import sys, time, polars; begun = time.perf_counter(); import forecasts.engine;"
        f"print(time.perf_counter() - begun, *(set({HEAVY}) & set(sys.modules)))"
    )
    told = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    words = [one.stdout.split() for one in told]
    return {
        "import_seconds": round(statistics.median(float(word[0]) for word in words), 3),
        "imported_along": words[0][1:],
    }
