"""A level and a trend that fades, on seasonally adjusted logs."""

from forecasts.lanes import Adjusted, Lanes
from forecasts.model import Model
from forecasts.panel import Floats
from forecasts.recursion import grid

TRIED = grid((0.1, 0.2, 0.4, 0.6, 0.8, 0.99), (0.0, 0.05, 0.2), (0.8, 0.9, 0.98))
SURENESS = 0.6


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Free of each lane's own season."""
    return adjusted(lanes.own, horizon)


def adjusted(series: Adjusted, horizon: int) -> Floats:
    """Paths from what is left without a season, in the unit of the values."""
    return series.back(series.smoothed(TRIED, SURENESS).ahead(horizon))


MODEL = Model(
    title="Xu hướng tắt dần", title_en="Damped trend", forecast=forecast, with_season=False
)
