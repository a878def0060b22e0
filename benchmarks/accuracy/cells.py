"""Small cells as they occur in a city: areas by fields, made up by chance and labelled so.

Counts are negative binomial around a level of the cell, a season that all areas of a field share,
and for some cells a lasting step. None of this is measured anywhere.
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

    frequency: Frequency
    periods: int
    horizon: int
    typical: float


GRAINS = (Grain(Frequency.WEEK, 156, 12, 0.8), Grain(Frequency.MONTH, 72, 6, 2.5))


def simulated(seed: int = 1) -> Iterator[tuple[Collection, Told]]:
    """A panel a grain, and what one would say who knew the process: none loses less on average.

    Cells in which nothing ever happened before are left out.
    """
    for grain in GRAINS:
        chance = np.random.default_rng(seed)
        expected, dispersion = _process(grain, chance)
        values = _counts(expected, dispersion, chance).reshape(AREAS * FIELDS, -1)
        rows = np.flatnonzero(values[:, : grain.periods].any(axis=1))
        known, outcomes = np.split(values[rows], [grain.periods], axis=1)
        cells = [(area, field) for area in range(AREAS) for field in range(FIELDS)]
        collection = Collection(
            name="Simulated cells",
            frequency=grain.frequency,
            ids=tuple(f"area {cells[row][0]} field {cells[row][1]}" for row in rows),
            trains=tuple(known),
            outcomes=outcomes,
            groups=tuple(f"field {cells[row][1]}" for row in rows),
            end=END[grain.frequency],
            counts=True,
        )
        ahead = expected[..., grain.periods :]
        draws = _counts(np.broadcast_to(ahead, (DRAWS, *ahead.shape)), dispersion, chance)
        quantiles = np.quantile(draws, LEVELS, axis=0).reshape(len(LEVELS), AREAS * FIELDS, -1)
        mean = ahead.reshape(AREAS * FIELDS, -1)[rows]
        nothing = np.zeros(len(rows))
        yield collection, Told(mean, quantiles[:, rows], nothing, np.full(len(rows), True))


def _process(grain: Grain, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Expected counts `(areas, fields, periods)`, the horizon included, and their dispersion."""
    span = grain.periods + grain.horizon
    level = grain.typical * chance.lognormal(0, 1.0, (AREAS, FIELDS, 1))
    expected = level * _season(grain, span, chance) * _steps(span, chance)
    return expected, chance.gamma(4.0, 1.0, (AREAS, FIELDS, 1)) + 0.5


def _counts(expected: Floats, dispersion: Floats, chance: np.random.Generator) -> Floats:
    rates = expected * chance.gamma(dispersion, 1 / dispersion, expected.shape)
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
