"""The theta method, with the season that siblings lend each other."""

from forecasts.lanes import Lanes
from forecasts.model import Model
from forecasts.models.theta import adjusted
from forecasts.panel import Floats


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """Paths in the unit of the values."""
    return adjusted(lanes.lent, horizon)


MODEL = Model(
    title="Theta, mùa vụ chung", title_en="Theta, shared season", forecast=forecast, shared=True
)
