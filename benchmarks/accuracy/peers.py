"""Other ways to forecast, behind one small interface: a series in, a mean and quantiles out.

Each is used as its makers advise, with nothing tuned on the series it is judged by. The season is
always given by name: the first positional argument of some of these models is something else.
"""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from forecasts.panel import Floats

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""The quantiles every method is asked for: bounds of 50, 80 and 95 % and the middle."""
COVERAGES = (50, 80, 95)
WINDOWS = 3
"""Rolling origins behind the bands of methods that have none of their own."""
DRAWS = 1000

Answer = tuple[Floats, Floats]
"""Mean `(horizon,)` and quantiles `(levels, horizon)`."""


@dataclass(frozen=True)
class Peer:
    """A way to forecast one series: `forecast(train, season, horizon)`.

    `every` says that it is quick enough for every series; the others see a sample.
    """

    name: str
    forecast: Callable[[Floats, int, int], Answer]
    package: str
    every: bool = False

    @property
    def code(self) -> str:
        """What its answers depend on, beside the series: kept answers of other code are void."""
        return f"{self.name} {self.package} {version(self.package)} {REVISION}"


REVISION = 1
"""To be raised when the way peers are called changes."""


def _of_statsforecast(name: str, *, every: bool = False) -> Peer:
    def forecast(train: Floats, season: int, horizon: int) -> Answer:
        from statsforecast import models

        model = getattr(models, name)(season_length=season)
        return _answer(model.forecast(y=train, h=horizon, level=list(COVERAGES)))

    return Peer(name, forecast, "statsforecast", every)


def _for_rare(name: str, title: str, **settings: float) -> Peer:
    """A method for intermittent demand, with bands from its errors at earlier origins."""

    def forecast(train: Floats, _: int, horizon: int) -> Answer:
        from statsforecast import models
        from statsforecast.utils import ConformalIntervals

        bands = ConformalIntervals(n_windows=WINDOWS, h=horizon)
        model = getattr(models, name)(prediction_intervals=bands, **settings)
        return _answer(model.forecast(y=train, h=horizon, level=list(COVERAGES)))

    return Peer(title, forecast, "statsforecast", every=True)


def _answer(told: Mapping[str, Any]) -> Answer:
    """The middle is taken to be the mean, as the bands of these methods are symmetric."""
    below = [told[f"lo-{coverage}"] for coverage in reversed(COVERAGES)]
    above = [told[f"hi-{coverage}"] for coverage in COVERAGES]
    mean = np.asarray(told["mean"], dtype=float)
    return mean, np.array([*below, mean, *above], dtype=float)


def _statsmodels_ets(train: Floats, season: int, horizon: int) -> Answer:
    """The form with the smallest AICc: additive errors; no, a damped or a whole trend."""
    import pandas as pd
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    size = float(np.abs(train).mean()) or 1.0
    known = pd.Series(train / size)
    fits = [ETSModel(known, error="add", **form).fit(disp=False) for form in _forms(train, season)]
    best = min(fits, key=lambda fit: fit.aicc if np.isfinite(fit.aicc) else np.inf)
    ahead = best.get_prediction(
        start=len(train),
        end=len(train) + horizon - 1,
        simulate_repetitions=DRAWS,
        rng=1,
    )
    mean = np.asarray(ahead.predicted_mean) * size
    bounds = [np.asarray(ahead.pred_int(alpha=1 - c / 100)) * size for c in COVERAGES]
    below = [bound[:, 0] for bound in reversed(bounds)]
    return mean, np.array([*below, mean, *(bound[:, 1] for bound in bounds)])


def _forms(train: Floats, season: int) -> list[dict[str, Any]]:
    trends: list[dict[str, Any]] = [{"trend": None}, {"trend": "add", "damped_trend": True}]
    # What the heuristic start of a season needs.
    if season == 1 or len(train) < max(2 * season, 10 + 2 * (season // 2)):
        begin = "heuristic" if len(train) >= 10 else "estimated"
        return [{**trend, "initialization_method": begin} for trend in (*trends, {"trend": "add"})]
    kinds = [None, "add", "mul"] if (train > 0).all() else [None, "add"]
    return [
        {
            **trend,
            "seasonal": kind,
            "seasonal_periods": season if kind else None,
            "initialization_method": "heuristic",
        }
        for trend in trends
        for kind in kinds
    ]


def _prophet(train: Floats, season: int, horizon: int) -> Answer:
    """As it comes, but for annual figures, in which it would look for a season within the year."""
    import pandas as pd

    for name in ("prophet", "prophet.plot", "cmdstanpy"):
        logging.getLogger(name).disabled = True
    from prophet import Prophet

    step = {1: "YS", 4: "QS", 12: "MS", 52: "W-MON"}[season]
    days = pd.date_range(end="2024-12-30", periods=len(train), freq=step)
    later = pd.date_range(days[-1], periods=horizon + 1, freq=step)[1:]
    model = Prophet(yearly_seasonality=False if season == 1 else "auto", uncertainty_samples=DRAWS)
    model.fit(pd.DataFrame({"ds": days, "y": train}), seed=1)
    state = np.random.get_state()
    # Its draws come from the global generator.
    np.random.seed(1)
    paths = model.predictive_samples(pd.DataFrame({"ds": later}))["yhat"]
    np.random.set_state(state)
    return paths.mean(axis=1), np.quantile(paths, LEVELS, axis=1)


PEERS = {
    peer.name: peer
    for peer in (
        _of_statsforecast("SeasonalNaive", every=True),
        _of_statsforecast("AutoETS", every=True),
        _of_statsforecast("DynamicOptimizedTheta", every=True),
        _of_statsforecast("AutoTheta", every=True),
        _of_statsforecast("AutoCES"),
        _of_statsforecast("AutoARIMA"),
        Peer("statsmodels ETS", _statsmodels_ets, "statsmodels"),
        Peer("Prophet", _prophet, "prophet"),
    )
}
RARE = {
    peer.name: peer
    for peer in (
        _for_rare("CrostonClassic", "Croston"),
        _for_rare("CrostonOptimized", "CrostonOptimized"),
        _for_rare("CrostonSBA", "SBA"),
        _for_rare("TSB", "TSB", alpha_d=0.2, alpha_p=0.2),
        _for_rare("ADIDA", "ADIDA"),
        _for_rare("IMAPA", "IMAPA"),
    )
}
SCUM = ("AutoETS", "AutoCES", "AutoARIMA", "DynamicOptimizedTheta")
"""Their median is the simple combination of univariate models of Petropoulos and Svetunkov (2020),
International Journal of Forecasting 36(1)."""


def forecast_one(peer: Peer, train: Floats, season: int, horizon: int) -> tuple[Answer, bool]:
    """The peer's answer, and whether it had one; if not, the seasonal naive one stands for it."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            answer = peer.forecast(train, season, horizon)
        except Exception:  # noqa: BLE001 - whatever a library fails with, it has no answer
            answer = (np.full(horizon, np.nan), np.full((len(LEVELS), horizon), np.nan))
        if np.isfinite(answer[0]).all():
            return answer, True
        return PEERS["SeasonalNaive"].forecast(train, season, horizon), False


def median(answers: Sequence[Answer]) -> Answer:
    """The combination whose mean and every quantile are the medians of those of its members."""
    means, quantiles = zip(*answers, strict=True)
    return np.median(means, axis=0), np.median(quantiles, axis=0)
