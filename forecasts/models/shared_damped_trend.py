"""A trend that fades, with the season that siblings lend each other."""

from forecasts.lanes import Lanes
from forecasts.model import Model
from forecasts.models.damped_trend import adjusted
from forecasts.panel import Floats


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Paths in the unit of the values."""
    return adjusted(lanes.lent, horizon)


MODEL = Model(
    title="Xu hướng tắt dần, mùa vụ chung",
    title_en="Damped trend, shared season",
    forecast=forecast,
    shared=True,
)
