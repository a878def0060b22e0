"""Prophet: a trend with change points, and seasons of year and week.

Not for annual series, which have no season it could learn. Periods are given nominal dates: only
their distances and their place in the season matter, and the calendar is dealt with before.
"""

import logging
from typing import Any

import numpy as np

from forecasts.model import Model, one_by_one, quiet
from forecasts.panel import Floats

WAVES = {7: 8, 52: 6, 12: 5, 4: 1}
"""Pairs of sine and cosine that draw the year, by season."""
STEPS = {7: "D", 52: "W", 12: "MS", 4: "QS"}
ITERATIONS = 1000


def forecast(values: Floats, season: int, horizon: int) -> Floats:
    """Point forecasts; the season is multiplied where all values are positive, else added."""
    import pandas as pd

    days = pd.date_range("2000-01-01", periods=len(values) + horizon, freq=STEPS[season])
    table = pd.DataFrame({"ds": days, "y": np.append(values, np.full(horizon, np.nan))})
    with quiet():
        model = _untrained(season, positive=bool((values[np.isfinite(values)] > 0).all()))
        # By itself Prophet takes Newton steps on short series: four times the time.
        model.fit(table.iloc[: len(values)], algorithm="LBFGS", iter=ITERATIONS)
        return model.predict(table.iloc[len(values) :])["yhat"].to_numpy()  # type: ignore[no-any-return]


def _untrained(season: int, *, positive: bool) -> Any:
    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        # Not by level: cmdstanpy sets its own when it is first imported, which is later.
        logging.getLogger(name).disabled = True
    from prophet import Prophet

    model = Prophet(
        yearly_seasonality=WAVES[season],
        weekly_seasonality=season == 7,
        daily_seasonality=False,
        seasonality_mode="multiplicative" if positive else "additive",
        uncertainty_samples=0,
    )
    model.stan_backend.newton_fallback = False
    return model


MODEL = Model(
    title="Prophet",
    title_en="Prophet",
    forecast=one_by_one(forecast),
    slow=True,
    fewest_rounds=2,
    shortest_season=4,
)
