"""Seasonal ARIMA of statsmodels, on logs where it can.

The airline form (0,1,1)(0,1,1) with a season; without one, a random walk with drift, whose steps
are smoothed from `SMOOTHED_FROM` points on. Gaps need no filling: the Kalman filter steps over
them.
"""

from typing import Any

import numpy as np

from forecasts.model import Model, one_by_one, quiet
from forecasts.panel import Floats

SMOOTHED_FROM = 8


def forecast(values: Floats, season: int, horizon: int) -> Floats:
    """Point forecasts, the median where logs were taken."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    positive = bool((values[np.isfinite(values)] > 0).all())
    with quiet():
        model = SARIMAX(
            np.log(values) if positive else values,
            **form(int(np.isfinite(values).sum()), season),
        )
        # Standard errors of the parameters are of no use here, and cost a third of the time.
        ahead = np.asarray(model.fit(disp=False, cov_type="none").forecast(horizon))
    return np.exp(ahead) if positive else ahead


def form(points: int, season: int) -> dict[str, Any]:
    """Orders, as arguments of `SARIMAX`."""
    if season > 1:
        orders = {"order": (0, 1, 1), "seasonal_order": (0, 1, 1, season)}
        return {**orders, "concentrate_scale": True}
    smoothed = int(points >= SMOOTHED_FROM)
    return {"order": (0, 1, smoothed), "trend": "c", "concentrate_scale": True}


MODEL = Model(
    title="ARIMA mùa vụ",
    title_en="Seasonal ARIMA",
    forecast=one_by_one(forecast),
    slow=True,
    fewest_points=4,
    fewest_rounds=3,
    # A season of 52 weeks would need a state of 54 numbers, and minutes a series.
    longest_season=12,
)
