"""A level and a trend that goes on, on values and not on logs: for years.

Most of what is counted by the year grows by about as much each year; others let that fade.
"""

from forecasts.lanes import Lanes
from forecasts.model import Model
from forecasts.panel import Floats
from forecasts.recursion import grid, smooth

TRIED = grid((0.1, 0.2, 0.4, 0.6, 0.8, 0.99), (0.0, 0.05, 0.2), (1.0,))
SURENESS = 1.0


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Free of each lane's own season."""
    series = lanes.own
    fit = smooth(series.level, lanes.lengths, TRIED, SURENESS)
    return series.back_from_level(fit.ahead(horizon))


MODEL = Model(
    title="Xu hướng tuyến tính",
    title_en="Linear trend",
    forecast=forecast,
    fewest_points=3,
    with_season=False,
)
