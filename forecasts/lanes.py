"""Many histories side by side for one recursion: series, and the same series as they stood earlier.

A lane is a series cut at an origin. All lanes begin in column 0 and end where their origin was, so
that one pass over the columns serves every series and every origin at once. What siblings lend each
other is estimated before lanes are cut into parts (`forecasts.seasonality`), so the parts may go to
different processors and the result is the same to the bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forecasts.panel import Floats, whole_until
from forecasts.recursion import Fit, Smoothing, smooth
from forecasts.seasonality import lent_factors, own_factors, seasonal

MOST_ZEROS = 0.2
"""Share of zeros up to which a count is taken on logs, a zero being half of its smallest value."""
FURTHEST = 1.5
"""Logs by which a forecast may leave the range seen: four and a half times, up or down."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lanes:
    """`values` is `(lanes, periods)`, NaN in gaps and from `lengths` on; the first one is known."""

    values: Floats
    lengths: Ints
    season: int
    lowest: Floats
    """`(lanes,)`: no forecast goes below; 0 for counts."""
    shared: Floats
    """`(lanes, season)`: log factors of siblings, from the season of column 0 on; 0 if none."""
    counts: NDArray[np.bool_]
    """`(lanes,)`: whether whole things are counted: nothing is below 0, or can be."""

    @classmethod
    def joined(cls, parts: "list[Lanes]") -> "Lanes":
        """All lanes of the parts, in order; there is at least one part."""
        longest = max(part.values.shape[1] for part in parts)
        padded = [
            np.pad(
                part.values, ((0, 0), (0, longest - part.values.shape[1])), constant_values=np.nan
            )
            for part in parts
        ]
        return cls(
            np.concatenate(padded),
            np.concatenate([part.lengths for part in parts]),
            parts[0].season,
            np.concatenate([part.lowest for part in parts]),
            np.concatenate([part.shared for part in parts]),
            np.concatenate([part.counts for part in parts]),
        )

    def take(self, rows: slice | Ints) -> "Lanes":
        """These lanes alone, cut to the longest of them."""
        lengths = self.lengths[rows]
        return replace(
            self,
            values=self.values[rows, : lengths.max(initial=1)],
            lengths=lengths,
            lowest=self.lowest[rows],
            shared=self.shared[rows],
            counts=self.counts[rows],
        )

    def parts(self, size: int) -> Iterator["Lanes"]:
        """The lanes in parts of at most `size`, in order."""
        return (self.take(slice(at, at + size)) for at in range(0, len(self.lengths), size))

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Whether a place lies before the end of its lane, `(lanes, periods)`."""
        return np.arange(self.values.shape[1]) < self.lengths[:, None]

    @cached_property
    def points(self) -> Ints:
        """How many values are known."""
        return np.asarray(np.isfinite(self.values).sum(axis=1))

    @cached_property
    def bridged(self) -> Floats:
        """Values with straight lines through gaps, the last one held up to the end of all."""
        return bridged(self.values)

    @cached_property
    def unit(self) -> Floats:
        """Mean absolute value of each lane, `(lanes,)`; 1 where that is 0."""
        size = np.nansum(np.abs(self.values), axis=1) / np.maximum(self.points, 1)
        return np.where(size > 0, size, 1.0)

    @cached_property
    def zeros(self) -> Floats:
        """Share of known values that are 0, `(lanes,)`."""
        return np.asarray((self.values == 0).sum(axis=1) / np.maximum(self.points, 1))

    @cached_property
    def on_logs(self) -> NDArray[np.bool_]:
        """Lanes that are forecast on logs: positive, or counts with few zeros."""
        smallest = np.nanmin(np.where(self.inside, self.values, np.nan), axis=1)
        few = (self.zeros <= MOST_ZEROS) & (self.zeros < 1) & (self.lowest >= 0)
        return np.asarray((smallest > 0) | ((smallest >= 0) & few))

    @cached_property
    def skewed(self) -> NDArray[np.bool_]:
        """Counts with so many zeros that they are not on logs: few cases, now and then many."""
        return np.asarray(~self.on_logs & (self.lowest >= 0))

    @cached_property
    def raw(self) -> Floats:
        """Values in units of the lane, on logs where `on_logs`; NaN in gaps and past the end."""
        scaled = self.values / self.unit[:, None]
        positive = np.where(scaled > 0, scaled, np.inf)
        floor = positive.min(axis=1)[:, None] / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.where(scaled > 0, scaled, np.where(scaled == 0, floor, np.nan)))
        return np.where(self.on_logs[:, None], logs, scaled)

    @cached_property
    def own(self) -> "Adjusted":
        """Free of each lane's own season, where it has one that can be told from chance."""
        factors = np.zeros((len(self.lengths), self.season))
        rows = np.flatnonzero(seasonal(self.values, self.lengths, self.season))
        if len(rows):
            whole = np.where(self.inside[rows], bridged(self.raw[rows]), np.nan)
            factors[rows] = own_factors(whole, self.season, self.skewed[rows])
        return Adjusted(self, factors)

    @cached_property
    def lent(self) -> "Adjusted":
        """Free of the season of its siblings, from which it differs no more than it can show."""
        return Adjusted(self, self.shared)


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Lanes without their season: what models without a season of their own work on."""

    lanes: Lanes
    factors: Floats
    """`(lanes, season)`, added on logs (or in units of the lane), from that of column 0 on."""
    fits: dict[tuple[Smoothing, float], Fit] = field(default_factory=dict, repr=False)

    @cached_property
    def flat(self) -> Floats:
        """On logs where `on_logs`, gaps bridged; 0 past the end, `(lanes, periods)`."""
        lanes = self.lanes
        seasons = np.arange(lanes.values.shape[1]) % lanes.season
        return np.where(lanes.inside, bridged(lanes.raw - self.factors[:, seasons]), 0.0)

    def smoothed(self, tried: Smoothing, sureness: float) -> Fit:
        """Level and trend of `flat`, as in `forecasts.recursion`; kept, for the models that ask."""
        asked = (tried, sureness)
        if asked not in self.fits:
            self.fits[asked] = smooth(self.flat, self.lanes.lengths, tried, sureness)
        return self.fits[asked]

    @cached_property
    def level(self) -> Floats:
        """As `flat`, but never on logs."""
        on_logs = self.lanes.on_logs[:, None]
        return np.where(on_logs & self.lanes.inside, np.exp(self.flat), self.flat)

    @cached_property
    def range(self) -> tuple[Floats, Floats]:
        """Smallest and largest of `flat`, each `(lanes, 1)`."""
        inside = self.lanes.inside
        lowest = np.where(inside, self.flat, np.inf).min(axis=1)
        highest = np.where(inside, self.flat, -np.inf).max(axis=1)
        return lowest[:, None], highest[:, None]

    def ahead(self, horizon: int) -> Floats:
        """Factors of the periods ahead, `(lanes, horizon)`."""
        places = (self.lanes.lengths[:, None] + np.arange(horizon)) % self.lanes.season
        return np.take_along_axis(self.factors, places, axis=1)

    def back(self, flat: Floats) -> Floats:
        """Paths in the unit of the values, from paths of what `flat` holds."""
        lowest, highest = self.range
        bounded = np.clip(flat, lowest - FURTHEST, highest + FURTHEST)
        paths = bounded + self.ahead(flat.shape[1])
        on_logs = self.lanes.on_logs[:, None]
        return (
            np.where(on_logs, np.exp(np.where(on_logs, paths, 0)), paths) * self.lanes.unit[:, None]
        )

    def back_from_level(self, level: Floats) -> Floats:
        """Paths in the unit of the values, from paths of what `level` holds."""
        lowest, highest = (
            np.where(self.lanes.on_logs[:, None], np.exp(bound), bound) for bound in self.range
        )
        reach = 3 * (highest - lowest) + 1e-9
        bounded = np.clip(level, lowest - reach, highest + reach)
        ahead = self.ahead(level.shape[1])
        on_logs = self.lanes.on_logs[:, None]
        paths = np.where(on_logs, bounded * np.exp(np.where(on_logs, ahead, 0)), bounded + ahead)
        return np.asarray(paths * self.lanes.unit[:, None])


def lanes_of(
    values: Floats,
    season: int,
    lowest: Floats,
    siblings: Ints,
    counts: NDArray[np.bool_] | None = None,
) -> Lanes:
    """Lanes of series that end together, NaN before each begins; each has a value.

    `siblings` number the groups whose series lend each other their season. `counts` tells which are
    counts where `values` do not show it any more, being freed of what does not repeat.
    """
    first = np.isfinite(values).argmax(axis=1)
    places = np.minimum(first[:, None] + np.arange(values.shape[1]), values.shape[1] - 1)
    lengths = values.shape[1] - first
    inside = np.arange(values.shape[1]) < lengths[:, None]
    moved = np.where(inside, np.take_along_axis(values, places, axis=1), np.nan)
    whole = (lowest >= 0) & (whole_until(values) == values.shape[1]) if counts is None else counts
    lanes = Lanes(moved, lengths, season, lowest, np.zeros((len(values), season)), whole)
    if season == 1 or not len(values):
        return lanes
    filled = np.where(inside, bridged(lanes.raw), np.nan)
    shared = lent_factors(filled, lengths, siblings, first % season, season, lanes.skewed)
    return replace(lanes, shared=shared)


def bridged(values: Floats) -> Floats:
    """Straight lines through gaps, the last value held; rows begin with a known value."""
    known = np.isfinite(values)
    if known.all():
        return values.copy()
    places = np.arange(values.shape[1])
    end = values.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    rows = np.arange(len(values))
    filled = np.where(places <= end[:, None], values, values[rows, end][:, None])
    gaps = np.flatnonzero(~np.isfinite(filled).all(axis=1))
    if len(gaps):
        filled[gaps] = _lines_through(filled[gaps])
    return filled


def _lines_through(values: Floats) -> Floats:
    """Straight lines through gaps, of rows that begin and end with a known value."""
    known = np.isfinite(values)
    places = np.arange(values.shape[1])
    before = np.maximum.accumulate(np.where(known, places, -1), axis=1)
    after = np.where(known, places, values.shape[1])[:, ::-1]
    after = np.minimum.accumulate(after, axis=1)[:, ::-1]
    left = np.take_along_axis(values, np.maximum(before, 0), axis=1)
    right = np.take_along_axis(values, np.minimum(after, values.shape[1] - 1), axis=1)
    share = (places - before) / np.maximum(after - before, 1)
    return np.where(known, values, left + share * (right - left))
