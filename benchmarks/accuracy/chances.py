"""How far a stated chance of reaching a target can be trusted: Brier score and reliability.

The targets are the last value and so many mean yearly changes above or below it, at the last step
of the horizon. They are set before the outcome is looked at, and are the same for every method.
"""

from typing import Any

import numpy as np

from benchmarks.accuracy.kept import Told
from benchmarks.accuracy.peers import LEVELS
from benchmarks.accuracy.sets import Collection
from forecasts import scores
from forecasts.panel import Floats

CHANGES = (-2, 0, 2, 4, 6)
"""Mean absolute yearly changes of the series between its last value and the targets."""
BINS = 10


def targets(collection: Collection) -> Floats:
    """`(targets, series)`."""
    trains = collection.trains
    scales = np.concatenate([scores.scale(train[None], collection.season) for train in trains])
    last = np.array([train[-1] for train in trains])
    return last + np.array(CHANGES)[:, None] * scales


def chances(told: Told, aims: Floats) -> Floats:
    """Chance that the last step is at or above each of `aims`, `(targets, series)`.

    From the method's draws where it has any, else from the normal distribution that its mean and
    its 80 % band belong to.
    """
    if told.draws is not None:
        return (told.draws[None] >= aims[:, None]).mean(axis=1)
    from scipy.stats import norm

    low, high = (told.quantiles[LEVELS.index(level), :, -1] for level in (0.1, 0.9))
    spread = (high - low) / (2 * norm.ppf(0.9))
    return np.asarray(norm.sf((aims - told.mean[:, -1]) / np.maximum(spread, 1e-12)))


def reached(collection: Collection, aims: Floats) -> Floats:
    """1 where the last outcome is at or above the target, else 0."""
    return (collection.outcomes[:, -1] >= aims).astype(float)


def reliability(said: Floats, came: Floats) -> dict[str, Any]:
    """Brier score, and for each tenth of the chances said: their mean, how often it came, cases."""
    said, came = said.ravel(), came.ravel()
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    rows = []
    for number in range(BINS):
        inside = place == number
        if inside.any():
            told = [float(values[inside].mean()) for values in (said, came)]
            rows.append([*(round(value, 3) for value in told), int(inside.sum())])
    return {"brier": round(float(((said - came) ** 2).mean()), 4), "bins": rows}
