"""The last season again, moved on by the mean change from season to season so far."""

import numpy as np

from forecasts.model import Model
from forecasts.panel import Floats, Panel
from forecasts.scores import mean


def forecast(panel: Panel, horizon: int) -> Floats:
    """Last season plus the mean seasonal change, once for each season ahead.

    Without a season this is the line through the first and the last value.
    """
    known, season = panel.filled, panel.season
    change = mean(known[:, season:] - known[:, :-season])
    ahead = np.arange(horizon)
    rounds = ahead // season + 1
    return known[:, -season:][:, ahead % season] + change[:, None] * rounds


MODEL = Model(
    title="Cùng kỳ trước cộng mức tăng bình quân",
    title_en="Last season plus mean change",
    forecast=forecast,
    fewest_points=3,
    fewest_seasons=1.5,
)
