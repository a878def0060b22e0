"""What figures are worked in that are far from ordinary numbers, and the way back.

Models work in single precision, which knows neither 1e40 nor a thousandth of 1e9. Such series are
scaled by a power of two, which rounds nothing, and moved to their middle where they hardly differ
from it; all others stay as they are, to the bit.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from forecasts.panel import Floats, Panel
from forecasts.scores import mean

ORDINARY = (2.0**-90, 2.0**90)
"""Largest values of a series that single precision holds with all that is made of them."""
STEADY = 1e-5
"""Mean change, as a share of the largest value, below which rounding is as large as the change."""
MOVED = "moved"


@dataclass(frozen=True, eq=False)
class Units:
    """By series, `(series,)`: what was taken from its values, and what they were divided by."""

    offset: Floats
    size: Floats

    @property
    def needed(self) -> bool:
        """Whether any series is far from ordinary."""
        return bool((self.size != 1).any())

    def plain(self, panel: Panel) -> Panel:
        """The panel in these units. What is moved has no bound in reach, and siblings of its own.

        Steady figures go up and down, so that nothing says of them that they cannot be negative.
        """
        offset, moved = self.offset[:, None], self.offset != 0
        bounds = (panel.lowest - self.offset) / self.size, (panel.highest - self.offset) / self.size
        keys = panel.keys.with_columns(pl.Series(MOVED, moved))
        return replace(
            panel,
            keys=keys,
            values=(panel.values - offset) / self.size[:, None],
            lowest=np.where(moved, -np.inf, bounds[0]),
            highest=bounds[1],
            alike=(*panel.alike, MOVED),
        )

    def back(self, values: Floats) -> Floats:
        """Values `(..., series, steps)` in the unit of the series."""
        return values * self.size[:, None] + self.offset[:, None]


def units_of(panel: Panel) -> Units:
    """The units of each series of the panel: 0 and 1 for all that is ordinary."""
    values = panel.values
    with np.errstate(all="ignore"):
        largest = np.nan_to_num(np.fmax.reduce(np.abs(values), axis=1))
        scaled = np.where(largest > 0, largest, 1.0)
        change = mean(np.abs(np.diff(values / scaled[:, None], axis=1)))
        middle = scaled * mean(values / scaled[:, None])
    steady = (change > 0) & (change < STEADY)
    offset = np.where(steady, middle, 0.0)
    apart = np.nan_to_num(np.fmax.reduce(np.abs(values - offset[:, None]), axis=1))
    low, high = ORDINARY
    odd = steady | ((largest > 0) & ((largest < low) | (largest > high)))
    size = np.where(odd, np.exp2(np.floor(np.log2(np.where(apart > 0, apart, 1.0)))), 1.0)
    return Units(offset, size)
