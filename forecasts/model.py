"""What a model is, and how models are found: one file each in `forecasts/models/`, by being there.

A model takes lanes (`forecasts.lanes`: series as they stood at one origin or another) and says one
number per lane and period ahead, its path. How far off such paths have been is measured by the
backtest and becomes the band (`forecasts.bands`), in the same way for every model.
"""

import pkgutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import numpy as np

from forecasts import models as folder
from forecasts.lanes import Lanes, bridged
from forecasts.panel import Floats

Forecast = Callable[[Lanes, int], Floats]
"""Lanes and horizon in, paths `(lanes, horizon)` out; a row of NaN where there is no answer."""
LONGEST_SEASON = 366


@dataclass(frozen=True)
class Model:
    """A way of forecasting; without `forecast`, what the engine makes of the others."""

    title: str
    title_en: str
    forecast: Forecast | None = None
    member: bool = True
    """Whether it takes part in the combination."""
    with_season: bool = True
    """If so, whether also for series with a season, or for years alone."""
    shared: bool = False
    """Whether it lives on the season that siblings lend each other."""
    few_zeros: bool = True
    """Whether it is of no use for series of which many values are 0."""
    slow: bool = False
    """Slow models take part only where asked for: they fit one series at a time."""
    fewest_points: int = 2
    """A shorter series is not forecast."""
    fewest_rounds: float = 0.0
    """With a season, a series that saw fewer rounds of it is not forecast."""
    shortest_season: int = 1
    longest_season: int = LONGEST_SEASON

    def suits(self, season: int) -> bool:
        """Whether the model has an answer for series of this season at all."""
        return self.shortest_season <= season <= self.longest_season

    def least_points(self, season: int) -> int:
        """The fewest known values of a series the model forecasts."""
        rounds = self.fewest_rounds if season > 1 else 0.0
        return max(self.fewest_points, int(np.ceil(rounds * season)))

    def paths(self, lanes: Lanes, horizon: int) -> Floats:
        """One value per lane and period ahead, `(lanes, horizon)`, not below its lowest.

        A row is NaN where the lane is too short for the model or the model has no answer.
        """
        paths = np.full((len(lanes.lengths), horizon), np.nan)
        able = np.flatnonzero(lanes.points >= self.least_points(lanes.season))
        if self.forecast is not None and len(able) and self.suits(lanes.season):
            part = lanes if len(able) == len(paths) else lanes.take(able)
            paths[able] = np.maximum(self.forecast(part, horizon), part.lowest[:, None])
        paths[~np.isfinite(paths).all(axis=1)] = np.nan
        return paths


def one_by_one(forecast_one: Callable[[Floats, int, int], Floats]) -> Forecast:
    """A forecast of lanes from one of single histories: values, season and horizon in, path out.

    Histories are in units of their mean absolute value, so that a unit changes nothing; gaps are
    NaN.
    """

    def forecast(lanes: Lanes, horizon: int) -> Floats:
        paths = np.full((len(lanes.lengths), horizon), np.nan)
        for row, length in enumerate(lanes.lengths):
            paths[row] = _alone(
                forecast_one, lanes.values[row, :length], lanes.unit[row], lanes.season, horizon
            )
        return paths

    return forecast


def _alone(
    forecast_one: Callable[[Floats, int, int], Floats],
    values: Floats,
    unit: float,
    season: int,
    horizon: int,
) -> Floats:
    if not np.nanmax(np.abs(values)) > 0:
        return np.zeros(horizon)
    try:
        return forecast_one(values / unit, season, horizon) * unit
    except (ValueError, RuntimeError, np.linalg.LinAlgError):
        # The optimiser found nothing: the model has no answer here, and does not compete.
        return np.full(horizon, np.nan)


def of_statsforecast(name: str) -> Forecast:
    """The point forecasts of a model of statsforecast, by its name there; gaps are bridged."""

    def forecast_one(values: Floats, season: int, horizon: int) -> Floats:
        from statsforecast import models as library

        with quiet():
            fitted = getattr(library, name)(season_length=season)
            said = fitted.forecast(y=bridged(values[None])[0], h=horizon)
        return np.asarray(said["mean"], dtype=float)

    return one_by_one(forecast_one)


@contextmanager
def quiet() -> Iterator[None]:
    """Libraries may warn about a hard fit as they like: the backtest tells what it was worth."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@cache
def all_models() -> dict[str, Model]:
    """Every model by name, which is the name of its file."""
    found = sorted(info.name for info in pkgutil.iter_modules(folder.__path__))
    return {name: import_module(f"{folder.__name__}.{name}").MODEL for name in found}


def benchmark_of(season: int) -> str:
    """Name of the model the others have to beat."""
    return "naive" if season == 1 else "seasonal_naive"
