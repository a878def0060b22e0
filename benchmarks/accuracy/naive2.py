"""Naive2, which the weighted errors of the M4 competition are relative to.

The last value of the series, seasonally adjusted where the season is significant. Source:
Makridakis, Spiliotis and Assimakopoulos (2020), International Journal of Forecasting 36(1).
"""

import numpy as np

from forecasts.panel import Floats

CRITICAL = 1.645
"""Of the standard normal, for the test of the season at 90 %."""
FEWEST_ROUNDS = 3


def naive2(train: Floats, season: int, horizon: int) -> Floats:
    """The forecast, `(horizon,)`; without a significant season it is the last value."""
    if not seasonal(train, season):
        return np.full(horizon, train[-1])
    indices = seasonal_indices(train, season)
    places = np.arange(len(train) - 1, len(train) + horizon) % season
    adjusted = train[-1] / indices[places[0]]
    return np.asarray(adjusted * indices[places[1:]])


def seasonal(train: Floats, season: int) -> bool:
    """Whether the autocorrelation at the season is beyond chance; positive values only."""
    if season == 1 or len(train) < FEWEST_ROUNDS * season or train.min() <= 0:
        return False
    apart = train - train.mean()
    if not apart.any():
        return False
    lags = np.array([(apart[lag:] * apart[:-lag]).sum() for lag in range(1, season + 1)])
    correlation = lags / (apart**2).sum()
    limit = CRITICAL * np.sqrt((1 + 2 * (correlation[:-1] ** 2).sum()) / len(train))
    return bool(abs(correlation[-1]) > limit)


def seasonal_indices(train: Floats, season: int) -> Floats:
    """Classical multiplicative decomposition: one factor a place in the season, 1 in the mean."""
    weights = np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    trend = np.convolve(train, weights / season, "valid")
    first = len(weights) // 2
    ratios = train[first : first + len(trend)] / trend
    places = np.arange(first, first + len(trend)) % season
    means = np.array([ratios[places == place].mean() for place in range(season)])
    return np.asarray(means / means.mean())
