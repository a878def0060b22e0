"""Seasonal ARIMA of statsmodels, on logs where it can, told of Tết where that moves the figures.

The airline form (0,1,1)(0,1,1) with a season; without one, a random walk with drift, whose steps
are smoothed from `SMOOTHED_FROM` points on. Gaps need no filling: the Kalman filter steps over
them.
"""

from typing import Any

import numpy as np

from etl.periods import Frequency
from forecasts.model import Model, one_by_one, quiet
from forecasts.panel import Floats, Panel
from forecasts.tet import regressors, told_apart

SMOOTHED_FROM = 8


def forecast(panel: Panel, horizon: int) -> Floats:
    """Point forecasts, the median where logs were taken."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    known = panel.values[0]
    positive = bool((known[np.isfinite(known)] > 0).all())
    past, future = _calendar(panel, horizon)
    with quiet():
        model = SARIMAX(np.log(known) if positive else known, exog=past, **form(panel))
        # Standard errors of the parameters are of no use here, and cost a third of the time.
        fit = model.fit(disp=False, cov_type="none")
        ahead = np.asarray(fit.forecast(horizon, exog=future))
    return np.atleast_2d(np.exp(ahead) if positive else ahead)


def form(panel: Panel) -> dict[str, Any]:
    """Orders, as arguments of `SARIMAX`."""
    if panel.season > 1:
        orders = {"order": (0, 1, 1), "seasonal_order": (0, 1, 1, panel.season)}
        return {**orders, "concentrate_scale": True}
    smoothed = int(panel.points[0] >= SMOOTHED_FROM)
    return {"order": (0, 1, smoothed), "trend": "c", "concentrate_scale": True}


def _calendar(panel: Panel, horizon: int) -> tuple[Floats | None, Floats | None]:
    if not panel.tet:
        return None, None
    past = regressors(panel.periods, panel.frequency)
    columns = told_apart(past)
    if not columns:
        return None, None
    future = regressors(panel.ahead(horizon), panel.frequency)
    return past[:, columns], future[:, columns]


MODEL = Model(
    title="ARIMA mùa vụ",
    title_en="Seasonal ARIMA",
    forecast=one_by_one(forecast),
    most_values=2500,
    fewest_points=4,
    fewest_seasons=3,
    # A season of 52 weeks would need a state of 54 numbers, and minutes a series.
    frequencies=frozenset({Frequency.DAY, Frequency.MONTH, Frequency.QUARTER, Frequency.YEAR}),
)
