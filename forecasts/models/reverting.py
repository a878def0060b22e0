"""An autoregression of what is left beside a line: the one model that comes back to where it was.

On seasonally adjusted logs. All others take what is new for a new level, more or less; where a
series has swung about its line, that is too much. The line goes on at half its pace.
"""

import numpy as np

from forecasts.lanes import Lanes
from forecasts.model import Model
from forecasts.models.autoregression import about_their_mean
from forecasts.models.theta import line
from forecasts.panel import Floats

PACE = 0.5
LAGS = 2


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Free of each lane's own season."""
    series, lengths = lanes.own, lanes.lengths
    intercept, slope = (part[:, None] for part in line(series.flat, lanes))
    drawn = intercept + slope * np.arange(1, series.flat.shape[1] + 1)
    rest = np.where(lanes.inside, series.flat - drawn, 0.0)
    beside = about_their_mean(rest, lengths, horizon, LAGS)
    ahead = lengths[:, None] + PACE * np.arange(1, horizon + 1)
    return series.back(intercept + slope * ahead + beside)


MODEL = Model(
    title="Trở về đường xu hướng",
    title_en="Return to the line",
    forecast=forecast,
    fewest_rounds=2,
    shortest_season=2,
)
