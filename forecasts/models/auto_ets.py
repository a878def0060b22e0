"""AutoETS of statsforecast: every form of exponential smoothing, chosen by AICc."""

import numpy as np

from forecasts.lanes import bridged
from forecasts.model import Model, one_by_one, quiet
from forecasts.panel import Floats


def forecast(values: Floats, season: int, horizon: int) -> Floats:
    """Point forecasts."""
    from statsforecast.models import AutoETS

    with quiet():
        said = AutoETS(season_length=season).forecast(y=bridged(values[None])[0], h=horizon)
    return np.asarray(said["mean"], dtype=float)


MODEL = Model(
    title="AutoETS",
    title_en="AutoETS",
    forecast=one_by_one(forecast),
    slow=True,
    fewest_points=4,
    longest_season=24,
)
