"""What a model is, and how models are found: one file each in `forecasts/models/`, by being there.

A model says one number per series and period ahead, its path. How far off such paths have been is
measured by the backtest and becomes the band (`forecasts.intervals`), in the same way for every
model.
"""

import pkgutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import numpy as np

from etl.periods import Frequency
from forecasts import models as folder
from forecasts.panel import Floats, Panel

Forecast = Callable[[Panel, int], Floats]
"""Panel and horizon in, paths `(series, horizon)` out; a row of NaN where there is no answer."""


@dataclass(frozen=True)
class Model:
    """A way of forecasting: `forecast` if it looks at data, `combine` if it is made of others."""

    title: str
    title_en: str
    forecast: Forecast | None = None
    combine: Callable[[Mapping[str, Floats]], Floats] | None = None
    most_values: int | None = None
    """Values of the largest job a slow model is used for in a refresh; None for quick models."""
    fewest_points: int = 2
    """Without a season, a shorter series is not forecast."""
    fewest_seasons: float = 1.0
    """With a season, a series that saw fewer rounds of it is not forecast."""
    frequencies: frozenset[Frequency] = frozenset(Frequency)

    def least_points(self, frequency: Frequency) -> int:
        """The fewest known values of a series the model forecasts."""
        return max(self.fewest_points, int(np.ceil(self.fewest_seasons * frequency.season)))

    def paths(self, panel: Panel, horizon: int) -> Floats:
        """One value per series and period ahead, `(series, horizon)`, within the panel's bounds.

        A row is NaN where the series is too short for the model or the model has no answer.
        """
        if self.combine is not None:
            members = {name: m.paths(panel, horizon) for name, m in simple_models().items()}
            return bounded(self.combine(members), panel)
        return bounded(self._own_paths(panel, horizon), panel)

    def _own_paths(self, panel: Panel, horizon: int) -> Floats:
        paths = np.full((len(panel.keys), horizon), np.nan)
        able = np.flatnonzero(panel.points >= self.least_points(panel.frequency))
        if self.forecast is not None and len(able) and panel.frequency in self.frequencies:
            paths[able] = self.forecast(panel.take(able.tolist()), horizon)
        paths[~np.isfinite(paths).all(axis=1)] = np.nan
        return paths


def bounded(paths: Floats, panel: Panel) -> Floats:
    """`paths`, or quantiles with the series on the second axis from the end, within the bounds."""
    return np.clip(paths, panel.lowest[:, None], panel.highest[:, None])


def one_by_one(forecast_one: Forecast) -> Forecast:
    """A forecast of panels from one of single series, which are cut to begin with a known value.

    Series are divided by their mean absolute value first, so that a unit changes nothing.
    """

    def forecast(panel: Panel, horizon: int) -> Floats:
        return np.concatenate([_alone(forecast_one, one, horizon) for one in panel.series()])

    return forecast


def _alone(forecast_one: Forecast, panel: Panel, horizon: int) -> Floats:
    first = int(np.isfinite(panel.values[0]).argmax())
    size = float(np.nanmean(np.abs(panel.values)))
    if size == 0:
        return np.zeros((1, horizon))
    unit = Panel(
        panel.keys,
        panel.periods[first:],
        panel.values[:, first:] / size,
        panel.frequency,
        panel.lowest / size,
        panel.highest / size,
        panel.tet,
        panel.alike,
    )
    try:
        return forecast_one(unit, horizon) * size
    except (ValueError, RuntimeError, np.linalg.LinAlgError):
        # The optimiser found nothing: the model has no answer here, and does not compete.
        return np.full((1, horizon), np.nan)


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


def simple_models() -> dict[str, Model]:
    """The models that look at data themselves."""
    return {name: model for name, model in all_models().items() if model.combine is None}


def benchmark_of(frequency: Frequency) -> str:
    """Name of the model the others have to beat."""
    return "naive" if frequency.season == 1 else "seasonal_naive"
