"""Unobserved components of statsmodels: a level with a smooth trend and a season, on logs.

Gaps need no filling: the Kalman filter steps over them.
"""

import numpy as np

from forecasts.model import Model, one_by_one, quiet
from forecasts.panel import Floats


def forecast(values: Floats, season: int, horizon: int) -> Floats:
    """Point forecasts, the median where logs were taken."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    positive = bool((values[np.isfinite(values)] > 0).all())
    with quiet():
        model = UnobservedComponents(
            np.log(values) if positive else values,
            level="local linear trend",
            seasonal=season if season > 1 else None,
        )
        ahead = np.asarray(model.fit(disp=False, cov_type="none").forecast(horizon))
    return np.exp(ahead) if positive else ahead


MODEL = Model(
    title="Thành phần không quan sát được",
    title_en="Unobserved components",
    forecast=one_by_one(forecast),
    slow=True,
    fewest_points=6,
    fewest_rounds=3,
    longest_season=12,
)
