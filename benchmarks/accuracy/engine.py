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

    panel = collection.panel()
    with Clock() as clock:
        given = engine.forecast(panel, collection.horizon)
        quantiles = np.asarray(given.quantiles(LEVELS))
    row = {name: place for place, name in enumerate(given.keys["area"])}
    places = np.array([row.get(name, -1) for name in collection.ids])
    mean, quantiles = given.mean[places], quantiles[:, places]
    answered = (places >= 0) & np.isfinite(mean).all(axis=1)
    for silent in np.flatnonzero(~answered):
        train, season = collection.trains[silent], collection.season
        answer, _ = forecast_one(PEERS["SeasonalNaive"], train, season, collection.horizon)
        mean[silent], quantiles[:, silent] = answer
    draws = None
    if collection.frequency is Frequency.YEAR and answered.all():
        draws = given.paths(DRAWS, seed=1)[:, places, -1]
    seconds = np.full(len(places), clock.cost.cpu_seconds / len(places))
    return Told(mean, quantiles, seconds, answered, draws)
