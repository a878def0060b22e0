"""The theta method on seasonally adjusted logs: half a line, half a line of twice the bend.

Source: Assimakopoulos and Nikolopoulos (2000), International Journal of Forecasting 16(4).
"""

import numpy as np

from forecasts.lanes import Adjusted, Lanes
from forecasts.model import Model
from forecasts.panel import Floats
from forecasts.recursion import grid, smooth

BEND = 2.0
TRIED = grid((0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99), (0.0,), (0.0,))
SURENESS = 1.0


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Free of each lane's own season."""
    return adjusted(lanes.own, horizon)


def adjusted(series: Adjusted, horizon: int) -> Floats:
    """Paths from what is left without a season, in the unit of the values."""
    flat, lengths = series.flat, series.lanes.lengths
    intercept, slope = line(flat, series.lanes)
    places = np.arange(1, flat.shape[1] + 1)
    straight = intercept[:, None] + slope[:, None] * places
    bent = np.where(series.lanes.inside, BEND * flat + (1 - BEND) * straight, 0.0)
    ahead = lengths[:, None] + np.arange(1, horizon + 1)
    smoothed = smooth(bent, lengths, TRIED, SURENESS).ahead(horizon)
    drawn = intercept[:, None] + slope[:, None] * ahead
    return series.back(smoothed / BEND + (1 - 1 / BEND) * drawn)


def line(flat: Floats, lanes: Lanes) -> tuple[Floats, Floats]:
    """Least squares over the places 1 to `lengths`: intercept and slope, each `(lanes,)`."""
    count = lanes.lengths.astype(float)
    middle = (count + 1) / 2
    mean = flat.sum(axis=1) / count
    away = np.where(lanes.inside, np.arange(1, flat.shape[1] + 1) - middle[:, None], 0.0)
    spread = np.maximum(count * (count**2 - 1) / 12, 1e-9)
    slope = np.einsum("lt,lt->l", away, flat) / spread
    return mean - slope * middle, slope


MODEL = Model(title="Theta", title_en="Theta", forecast=forecast, with_season=False)
