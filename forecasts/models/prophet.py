"""Prophet: a trend with change points, seasons of year and week, and the calendar as regressors.

Not for annual series, which have no season it could learn.
"""

import logging
from typing import Any

import numpy as np

from etl.periods import Frequency
from forecasts.model import Model, one_by_one, quiet
from forecasts.panel import Floats, Panel
from forecasts.tet import regressors, told_apart

WAVES = {Frequency.DAY: 8, Frequency.WEEK: 6, Frequency.MONTH: 5, Frequency.QUARTER: 1}
"""Pairs of sine and cosine that draw the year."""
ITERATIONS = 1000


def forecast(panel: Panel, horizon: int) -> Floats:
    """Point forecasts; the season is multiplied where all values are positive, else added."""
    import pandas as pd

    known = panel.values[0]
    days = pd.to_datetime([*panel.periods, *panel.ahead(horizon)])
    table = pd.DataFrame({"ds": days, "y": np.append(known, np.full(horizon, np.nan))})
    calendar = _calendar(panel, horizon)
    names = [f"calendar_{number}" for number in range(calendar.shape[1])]
    table[names] = calendar
    with quiet():
        model = _untrained(panel, positive=bool((known[np.isfinite(known)] > 0).all()))
        for name in names:
            model.add_regressor(name)
        # By itself Prophet takes Newton steps on short series: four times the time.
        model.fit(table.iloc[: len(known)], algorithm="LBFGS", iter=ITERATIONS)
        ahead = model.predict(table.iloc[len(known) :])
    return np.atleast_2d(ahead["yhat"].to_numpy())


def _calendar(panel: Panel, horizon: int) -> Floats:
    if not panel.tet:
        return np.empty((panel.values.shape[1] + horizon, 0))
    rows = regressors((*panel.periods, *panel.ahead(horizon)), panel.frequency)
    return rows[:, told_apart(rows[: -horizon or None])]


def _untrained(panel: Panel, *, positive: bool) -> Any:
    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        # Not by level: cmdstanpy sets its own when it is first imported, which is later.
        logging.getLogger(name).disabled = True
    from prophet import Prophet

    model = Prophet(
        yearly_seasonality=WAVES[panel.frequency],
        weekly_seasonality=panel.frequency is Frequency.DAY,
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
    most_values=2500,
    fewest_seasons=2,
    frequencies=frozenset(WAVES),
)
