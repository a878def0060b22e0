"""Exponential smoothing in state space (ETS) of statsmodels: additive errors, on logs where it can.

Without or with a (damped) trend, whichever has the smaller AICc; with a season where there is one.
"""

from typing import Any

import numpy as np

from forecasts.lanes import bridged
from forecasts.model import Model, one_by_one, quiet
from forecasts.panel import Floats

TREND_FROM, DAMPED_FROM = 6, 10
"""Points from which a trend, and the damping of one, can be told from chance."""


def forecast(values: Floats, season: int, horizon: int) -> Floats:
    """Point forecasts of the best of the candidate forms; NaN where none could be estimated."""
    known = bridged(values[None])[0]
    positive = bool((known > 0).all())
    fits = [_fit(np.log(known) if positive else known, form) for form in forms(len(known), season)]
    best = min(fits, key=lambda fit: fit.aicc if np.isfinite(fit.aicc) else np.inf)
    ahead = np.asarray(best.forecast(horizon))
    return np.exp(ahead) if positive else ahead


def forms(points: int, season: int) -> list[dict[str, Any]]:
    """The forms that compete, as arguments of `ETSModel`."""
    trends: list[dict[str, Any]] = [{"trend": None}]
    if season > 1:
        seasonal = {"seasonal": "add", "seasonal_periods": season}
        trends.append({"trend": "add", "damped_trend": True})
        return [{**t, **seasonal, "initialization_method": "heuristic"} for t in trends]
    if points >= TREND_FROM:
        trends.append({"trend": "add"})
    if points >= DAMPED_FROM:
        trends.append({"trend": "add", "damped_trend": True})
    return [{**trend, "initialization_method": "estimated"} for trend in trends]


def _fit(known: Floats, form: dict[str, Any]) -> Any:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    with quiet():
        return ETSModel(known, error="add", **form).fit(disp=False)


MODEL = Model(
    title="San bằng hàm mũ (ETS)",
    title_en="Exponential smoothing (ETS)",
    forecast=one_by_one(forecast),
    slow=True,
    fewest_points=4,
    fewest_rounds=2,
)
