"""The last value stays: the benchmark of annual series."""

import numpy as np

from forecasts.model import Model
from forecasts.panel import Floats, Panel


def forecast(panel: Panel, horizon: int) -> Floats:
    """The last known value, at every step."""
    return np.repeat(panel.filled[:, -1:], horizon, axis=1)


MODEL = Model(title="Giữ nguyên giá trị cuối", title_en="Last value", forecast=forecast)
