"""The engine as one of the methods: all series of a collection at once, as in a refresh.

This is the only place that knows how it is called and what it gives back.
"""

import numpy as np

from benchmarks.accuracy.kept import Told
from benchmarks.accuracy.peers import LEVELS, PEERS, forecast_one
from benchmarks.accuracy.sets import Collection
from benchmarks.cost import Clock
from etl.periods import Frequency

NAME = "engine"
DRAWS = 1000


def told_by_engine(collection: Collection) -> Told:
    """What the engine says, bands and draws included; its time is shared equally by the series."""
    from forecasts import engine

    with Clock() as clock:
        given = engine.forecast(collection.panel(), collection.horizon)
        mean, quantiles = given.mean.copy(), given.quantiles(LEVELS).copy()
    answered = np.isfinite(mean).all(axis=1)
    for row in np.flatnonzero(~answered):
        train, season = collection.trains[row], collection.season
        answer, _ = forecast_one(PEERS["SeasonalNaive"], train, season, collection.horizon)
        mean[row], quantiles[:, row] = answer
    annual = collection.frequency is Frequency.YEAR
    draws = given.paths(DRAWS, seed=1)[..., -1] if annual and answered.all() else None
    seconds = np.full(len(mean), clock.cost.cpu_seconds / len(mean))
    return Told(mean, quantiles, seconds, answered, draws)
