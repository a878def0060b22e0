"""Small cells as they occur in a city: areas by fields, made up by chance and labelled so.

Counts are negative binomial around a level of the cell, a season that all areas of a field share,
and for some cells a lasting step. None of this is measured anywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.sets import END, Collection
from etl.periods import Frequency
from forecasts.panel import Floats

AREAS, FIELDS = 20, 6
STEPPED = 0.2
"""Share of cells whose level changes once."""


@dataclass(frozen=True)
class Grain:
    """How long the cells are, how far ahead they are forecast, and how often something happens."""

    frequency: Frequency
    periods: int
    horizon: int
    typical: float


GRAINS = (Grain(Frequency.WEEK, 156, 12, 0.8), Grain(Frequency.MONTH, 72, 6, 2.5))


def simulated(seed: int = 1) -> Iterator[Collection]:
    """A panel a grain; cells in which nothing ever happened before are left out."""
    for grain in GRAINS:
        values = _counts(grain, np.random.default_rng(seed))
        known = values[..., : grain.periods].reshape(AREAS * FIELDS, -1)
        outcomes = values[..., grain.periods :].reshape(AREAS * FIELDS, -1)
        cells = [(area, field) for area in range(AREAS) for field in range(FIELDS)]
        rows = np.flatnonzero(known.any(axis=1))
        yield Collection(
            name="Simulated cells",
            frequency=grain.frequency,
            ids=tuple(f"area {cells[row][0]} field {cells[row][1]}" for row in rows),
            trains=tuple(known[rows]),
            outcomes=outcomes[rows],
            groups=tuple(f"field {cells[row][1]}" for row in rows),
            end=END[grain.frequency],
            counts=True,
        )


def _counts(grain: Grain, chance: np.random.Generator) -> Floats:
    """`(areas, fields, periods)`, the horizon included."""
    span = grain.periods + grain.horizon
    level = grain.typical * chance.lognormal(0, 1.0, (AREAS, FIELDS, 1))
    expected = level * _season(grain, span, chance) * _steps(span, chance)
    dispersion = chance.gamma(4.0, 1.0, (AREAS, FIELDS, 1)) + 0.5
    return chance.poisson(expected * chance.gamma(dispersion, 1 / dispersion, expected.shape)) * 1.0


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
