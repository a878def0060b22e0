"""An autoregression of the changes over a round of the season, on logs.

The season is that of the last round, whatever it was before: made for seasons that move.
"""

import numpy as np

from forecasts.lanes import Adjusted, Lanes
from forecasts.model import Model
from forecasts.models.autoregression import about_their_mean
from forecasts.panel import Floats

LAGS = 2


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Paths in the unit of the values."""
    season, lengths = lanes.season, lanes.lengths
    series = Adjusted(lanes, np.zeros((len(lengths), season)))
    flat, inside = series.flat, lanes.inside[:, season:]
    seen = lengths - season
    changes = np.where(inside, flat[:, season:] - flat[:, :-season], 0.0)
    usual = changes.sum(axis=1) / seen
    apart = np.where(inside, changes - usual[:, None], 0.0)
    moved = usual[:, None] + about_their_mean(apart, seen, horizon, LAGS)
    paths = np.empty((len(lengths), horizon))
    rounds = -(-horizon // season)
    before = np.take_along_axis(flat, seen[:, None] + np.arange(season), axis=1)
    for start in range(0, rounds * season, season):
        part = moved[:, start : start + season]
        before = before[:, : part.shape[1]] + part
        paths[:, start : start + season] = before
    return series.back(paths)


MODEL = Model(
    title="Biến động so cùng kỳ",
    title_en="Changes over a round",
    forecast=forecast,
    fewest_rounds=3.5,
    shortest_season=2,
)
