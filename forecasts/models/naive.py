"""The last value stays: the benchmark of annual series."""

import numpy as np

from forecasts.lanes import Lanes
from forecasts.model import Model
from forecasts.panel import Floats


def forecast(lanes: Lanes, horizon: int) -> Floats:
    """The last known value, at every step."""
    last = np.take_along_axis(lanes.bridged, lanes.lengths[:, None] - 1, axis=1)
    return np.repeat(last, horizon, axis=1)


MODEL = Model(
    title="Giữ nguyên giá trị cuối",
    title_en="Last value",
    forecast=forecast,
    member=False,
    fewest_points=1,
)
