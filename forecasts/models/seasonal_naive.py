"""The last round of the season comes again: the benchmark of all but annual series."""

import numpy as np

from etl.periods import Frequency
from forecasts.model import Model
from forecasts.panel import Floats, Panel


def forecast(panel: Panel, horizon: int) -> Floats:
    """The value one season earlier, repeated; without a season, the last value."""
    ahead = np.arange(horizon) % panel.season
    return panel.filled[:, -panel.season :][:, ahead]


MODEL = Model(
    title="Như cùng kỳ trước",
    title_en="Same season last time",
    forecast=forecast,
    frequencies=frozenset(Frequency) - {Frequency.YEAR},
)
