"""AutoARIMA of statsforecast: orders chosen by AICc."""

import numpy as np

from forecasts.lanes import bridged
from forecasts.model import Model, one_by_one, quiet
from forecasts.panel import Floats


def forecast(values: Floats, season: int, horizon: int) -> Floats:
    """Point forecasts."""
    from statsforecast.models import AutoARIMA

    with quiet():
        said = AutoARIMA(season_length=season).forecast(y=bridged(values[None])[0], h=horizon)
    return np.asarray(said["mean"], dtype=float)


MODEL = Model(
    title="AutoARIMA",
    title_en="AutoARIMA",
    forecast=one_by_one(forecast),
    slow=True,
    fewest_points=5,
    longest_season=24,
)
