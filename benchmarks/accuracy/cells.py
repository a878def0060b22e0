"""Small cells as they occur in a city: areas by fields, made up by chance and labelled so.

Counts are negative binomial around a level of the cell, a season that all areas of a field share,
and for some cells a lasting step; in one set the level drifts, in another cases come in bursts.
None of this is measured anywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.kept import Told
from benchmarks.accuracy.peers import LEVELS
from benchmarks.accuracy.sets import END, Collection
from etl.periods import Frequency
from forecasts.panel import Floats

AREAS, FIELDS = 20, 6
STEPPED = 0.2
"""Share of cells whose level changes once."""
DRAWS = 2000
PROCESS = "the process itself"
"""The method that knows how the cells were made."""


@dataclass(frozen=True)
class Grain:
    """How long the cells are, how far ahead they are forecast, and how often something happens."""

    name: str
    frequency: Frequency
    periods: int
    horizon: int
    typical: float
    drift: float = 0.0
    """Standard deviation of the change of a cell's log level from one period to the next."""
    bursts: float = 1.0
    """How many times as large the variance beyond Poisson's is."""


GRAINS = (
    Grain("Simulated cells", Frequency.WEEK, 156, 12, 0.8),
    Grain("Simulated cells", Frequency.MONTH, 72, 6, 2.5),
    Grain("Simulated rare cases", Frequency.MONTH, 72, 12, 0.3),
    Grain("Simulated young cells", Frequency.MONTH, 30, 12, 1.0),
    Grain("Simulated drifting cells", Frequency.MONTH, 60, 12, 2.0, drift=0.06),
    Grain("Simulated bursts", Frequency.MONTH, 60, 12, 1.0, bursts=6.0),
)


def simulated(seed: int = 1) -> Iterator[tuple[Collection, Told]]:
    """A panel a grain, and what one would say who knew the process: none loses less on average.

    Cells in which nothing ever happened before are left out.
    """
    for grain in GRAINS:
        chance = np.random.default_rng(seed)
        expected, shape = _process(grain, chance)
        drifted = expected * np.exp(_drift(grain, expected.shape, chance))
        values = _counts(drifted, shape, chance).reshape(AREAS * FIELDS, -1)
        rows = np.flatnonzero(values[:, : grain.periods].any(axis=1))
        known, outcomes = np.split(values[rows], [grain.periods], axis=1)
        cells = [(area, field) for area in range(AREAS) for field in range(FIELDS)]
        collection = Collection(
            name=grain.name,
            frequency=grain.frequency,
            ids=tuple(f"area {cells[row][0]} field {cells[row][1]}" for row in rows),
            trains=tuple(known),
            outcomes=outcomes,
            groups=tuple(f"field {cells[row][1]}" for row in rows),
            end=END[grain.frequency],
            counts=True,
        )
        futures = _futures(grain, expected, drifted, chance)
        draws = _counts(futures, shape, chance)
        bands = np.quantile(draws, LEVELS, axis=0, method="inverted_cdf")
        quantiles = bands.reshape(len(LEVELS), AREAS * FIELDS, -1)
        mean = futures.mean(axis=0).reshape(AREAS * FIELDS, -1)[rows]
        nothing = np.zeros(len(rows))
        yield collection, Told(mean, quantiles[:, rows], nothing, np.full(len(rows), True))


def _process(grain: Grain, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Expected counts `(areas, fields, periods)`, the horizon included, and what they vary by."""
    span = grain.periods + grain.horizon
    level = grain.typical * chance.lognormal(0, 1.0, (AREAS, FIELDS, 1))
    expected = level * _season(grain, span, chance) * _steps(span, chance)
    return expected, (chance.gamma(4.0, 1.0, (AREAS, FIELDS, 1)) + 0.5) / grain.bursts


def _drift(grain: Grain, shape: tuple[int, ...], chance: np.random.Generator) -> Floats:
    """Sum of changes of the log level; nothing is drawn where it stays."""
    if not grain.drift:
        return np.zeros(shape)
    return np.asarray(np.cumsum(chance.normal(0, grain.drift, shape), axis=-1))


def _futures(
    grain: Grain, expected: Floats, drifted: Floats, chance: np.random.Generator
) -> Floats:
    """What may be expected from where the level has drifted to: `(draws, areas, fields, h)`."""
    last = slice(grain.periods - 1, grain.periods)
    ahead = expected[..., grain.periods :] * drifted[..., last] / expected[..., last]
    return ahead * np.exp(_drift(grain, (DRAWS, *ahead.shape), chance))


def _counts(expected: Floats, shape: Floats, chance: np.random.Generator) -> Floats:
    rates = expected * chance.gamma(shape, 1 / shape, expected.shape)
    return chance.poisson(rates).astype(float)


def _season(grain: Grain, span: int, chance: np.random.Generator) -> Floats:
    """Two waves a year of a height and a place that all areas of a field share."""
    turn = 2 * np.pi * np.arange(span) / grain.frequency.season
    height = chance.uniform(0.1, 0.5, (2, FIELDS, 1))
    place = chance.uniform(0, 2 * np.pi, (2, FIELDS, 1))
    waves = [height[n] * np.cos((n + 1) * turn + place[n]) for n in range(2)]
    return np.asarray(np.exp(sum(waves)))


def _steps(span: int, chance: np.random.Generator) -> Floats:
    """1 before the step of a cell and its new level after it; 1 throughout where there is none."""
    shape = (AREAS, FIELDS, 1)
    size = np.where(chance.random(shape) < STEPPED, chance.lognormal(0, 0.6, shape), 1.0)
    begins = chance.integers(span // 3, 2 * span // 3, shape)
    return np.where(np.arange(span) >= begins, size, 1.0)
