"""Sample paths of issued forecasts: the stored ones, or stand-ins drawn from the stored bands.

A chance over several periods needs paths that belong together over time. Where an issue has none,
they are drawn from its quantiles: at each step a normal score is turned into a value by the
quantiles of that step, and scores hang together as errors do that build up over time, those of
steps h and k with correlation sqrt(h / k). Everything that rests on them says so.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.panel import Floats, steps

COUNT = 2000
SEED = 20260701
SERIES = ["indicator", "area", "category", "frequency"]
Key = tuple[str, str, str, str]
"""Indicator, area, category, frequency."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """What may come of one series: `paths` is `(count, horizon)`, in its unit."""

    periods: tuple[date, ...]
    """First days, one a step."""
    paths: Floats
    stand_in: bool
    """Drawn from the stored bands, because the issue stored no paths."""
    simulated: bool
    """Whether it is a forecast of simulated figures."""


def paths_of(warehouse: Warehouse, indicators: list[str], areas: list[str]) -> dict[Key, Ahead]:
    """Paths of every forecast that counts, of these indicators and areas."""
    asked = {"indicators": indicators, "areas": areas}
    bands = warehouse.query("forecasts", "target_forecasts", **asked)
    stored = _stored(warehouse, asked)
    found: dict[Key, Ahead] = {}
    for key, band in bands.group_by(SERIES, maintain_order=True):
        name = (str(key[0]), str(key[1]), str(key[2]), str(key[3]))
        simulated = bool(band["simulated"].any())
        given = stored.get(name)
        if given is not None:
            periods = steps(band["origin"][0], Frequency(name[3]), given.shape[1] + 1)[1:]
            found[name] = Ahead(periods, given, stand_in=False, simulated=simulated)
        else:
            found[name] = _from_bands(band, simulated)
    return found


def _stored(warehouse: Warehouse, asked: dict[str, list[str]]) -> dict[Key, Floats]:
    if "forecast_path" not in warehouse.tables():
        return {}
    rows = warehouse.query("forecasts", "target_paths", **asked).to_dicts()
    return {
        (row["indicator"], row["area"], row["category"], row["frequency"]): np.array(
            row["paths"], dtype=np.float64
        ).reshape(row["count"], row["horizon"])
        for row in rows
    }


def _from_bands(band: pl.DataFrame, simulated: bool) -> Ahead:
    wide = band.pivot("quantile_level", index="period", values="value").sort("period")
    levels = np.array([float(name) for name in wide.columns[1:]])
    order = np.argsort(levels)
    quantiles = wide.drop("period").to_numpy().astype(np.float64)[:, order]
    paths = drawn(quantiles, levels[order], COUNT, SEED)
    return Ahead(tuple(wide["period"].to_list()), paths, stand_in=True, simulated=simulated)


def drawn(quantiles: Floats, levels: Floats, count: int, seed: int) -> Floats:
    """Paths `(count, horizon)` whose steps have these quantiles, `(horizon, levels)`.

    `levels` rise, strictly between 0 and 1. Between them values lie on straight lines over normal
    scores, and beyond the outermost the last line goes on; never below 0 where no quantile is.
    """
    from scipy.special import ndtri

    horizon = len(quantiles)
    shocks = np.random.default_rng(seed).standard_normal((count, horizon))
    scores = np.cumsum(shocks, axis=1) / np.sqrt(np.arange(1, horizon + 1))
    knots = np.asarray(ndtri(levels))
    at = np.clip(np.searchsorted(knots, scores) - 1, 0, len(knots) - 2)
    step = np.arange(horizon)
    low, high = quantiles[step, at], quantiles[step, at + 1]
    paths = low + (high - low) * (scores - knots[at]) / (knots[at + 1] - knots[at])
    return np.maximum(paths, 0.0) if np.min(quantiles) >= 0 else np.asarray(paths)
