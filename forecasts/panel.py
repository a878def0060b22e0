"""Many series of one frequency, side by side: the only thing a model ever sees.

A panel has one value per series and period. Its periods follow one another in equal steps, and gaps
are NaN. Its series end together: those whose data end at different times go into different panels
(`forecasts.request.panels`), so that a forecast starts where its data end. They may begin at
different times.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from etl.errors import ForesightError
from etl.periods import Frequency

Floats = NDArray[np.float64]
KEY = ["indicator", "area", "category"]


class NotAPanel(ForesightError):
    """Series that are not side by side: periods missing, repeated, or in unequal steps."""


@dataclass(frozen=True, eq=False)
class Panel:
    """`values` is `(series, periods)`; `keys`, `lowest` and `highest` have one row a series."""

    keys: pl.DataFrame
    periods: tuple[date, ...]
    values: Floats
    frequency: Frequency
    lowest: Floats
    """No forecast goes below: 0 for counts, minus infinity where there is no bound."""
    highest: Floats
    tet: bool = False
    """Whether the holiday moves these figures, so that models may be told where it falls."""
    alike: tuple[str, ...] = ("indicator", "category")
    """Columns of `keys` in which siblings agree: they lend each other their season."""
    counted: NDArray[np.bool_] | None = None
    """`(series,)`: known to count whole things, though history may hold shares of them, carried
    over from areas that were; None where only the values tell."""

    def __post_init__(self) -> None:
        series = len(self.keys)
        if self.values.shape != (series, len(self.periods)):
            raise NotAPanel(
                f"{self.values.shape} values for {series} series of {len(self.periods)} periods"
            )
        if self.lowest.shape != (series,) or self.highest.shape != (series,):
            raise NotAPanel(f"one lower and one upper bound for each of {series} series, please")
        if self.periods != steps(self.periods[0], self.frequency, len(self.periods)):
            raise NotAPanel(f"periods are not one {self.frequency} apart, from {self.periods[0]}")
        if np.isinf(self.values).any():
            raise NotAPanel("a value is infinite", hint="leave it out: a gap is a null")
        self.values.flags.writeable = False

    @classmethod
    def from_frame(
        cls,
        frame: pl.DataFrame,
        frequency: Frequency,
        series: pl.DataFrame | None = None,
        *,
        key: Sequence[str] = KEY,
        alike: tuple[str, ...] = ("indicator", "category"),
        tet: bool = False,
    ) -> "Panel":
        """The panel of a long frame: one row a value, with columns of `key`, `period` and `value`.

        It runs from the first to the last period of the frame; what is not in it is a gap. `series`
        may give their order, bounds and whether they count: columns of `key`, `lowest`, `highest`
        and, if that is known, `counted`.

        Raises:
            NotAPanel: a value stands twice, or a period is not the first day of one.
        """
        keys = frame.select(key).unique().sort(key) if series is None else series.select(key)
        first, last = frame["period"].min(), frame["period"].max()
        if not isinstance(first, date) or not isinstance(last, date):
            raise NotAPanel("no value, no panel")
        between = pl.date_range(first, last, frequency.polars_step, eager=True).alias("period")
        row, column = keys.with_row_index("row"), between.to_frame().with_row_index("column")
        placed = frame.join(row, on=list(key), nulls_equal=True)
        placed = placed.join(column, on="period", how="left")
        if placed["column"].null_count() or placed.select("row", "column").is_duplicated().any():
            raise NotAPanel(f"a value stands twice, or begins within a {frequency}")
        values = np.full((len(keys), len(between)), np.nan)
        values[placed["row"], placed["column"]] = placed["value"].cast(float).fill_null(np.nan)
        lowest, highest = (
            np.full(len(keys), bound) if series is None else series[name].cast(float).to_numpy()
            for name, bound in (("lowest", -np.inf), ("highest", np.inf))
        )
        counted = None
        if series is not None and "counted" in series.columns:
            counted = series["counted"].to_numpy().astype(bool)
        periods = tuple(between.to_list())
        return cls(keys, periods, values, frequency, lowest, highest, tet, alike, counted)

    @property
    def origin(self) -> date:
        """The last period known: its first day."""
        return self.periods[-1]

    @property
    def season(self) -> int:
        """Periods in one round of the season; 1 where there is none."""
        return self.frequency.season

    @cached_property
    def siblings(self) -> NDArray[np.int64]:
        """Number of the group of each series, from 0: those that agree in the columns `alike`."""
        if not self.alike or self.keys.is_empty():
            return np.zeros(len(self.keys), dtype=np.int64)
        rank = self.keys.select(pl.struct(*self.alike).rank("dense") - 1).to_series()
        return rank.to_numpy().astype(np.int64)

    @cached_property
    def whole(self) -> NDArray[np.int64]:
        """How many of the first periods of each series hold nothing that is no count."""
        until = whole_until(self.values)
        if self.counted is not None:
            until[self.counted] = len(self.periods)
        return np.where(self.lowest >= 0, until, 0)

    @cached_property
    def points(self) -> NDArray[np.int64]:
        """How many values of each series are known."""
        return np.asarray(np.isfinite(self.values).sum(axis=1))

    @cached_property
    def filled(self) -> Floats:
        """Values with straight lines through gaps and the last one held; NaN before the first."""
        filled = self.values.copy()
        known = np.isfinite(filled)
        begun = np.maximum.accumulate(known, axis=1)
        for row in np.flatnonzero((begun & ~known).any(axis=1)):
            seen = np.flatnonzero(known[row])
            places = np.arange(seen[0], filled.shape[1])
            filled[row, seen[0] :] = np.interp(places, seen, filled[row, seen])
        return filled

    def until(self, origin: int) -> "Panel":
        """What was known at `periods[origin]`, as a copy: the only way data enter a backtest."""
        return replace(
            self,
            periods=self.periods[: origin + 1],
            values=self.values[:, : origin + 1].copy(),
        )

    def take(self, rows: list[int]) -> "Panel":
        """The panel of these series alone."""
        return replace(
            self,
            keys=self.keys[rows],
            values=self.values[rows],
            lowest=self.lowest[rows],
            highest=self.highest[rows],
            counted=None if self.counted is None else self.counted[rows],
        )

    def series(self) -> Iterator["Panel"]:
        """Each series as a panel of its own."""
        return (self.take([row]) for row in range(len(self.keys)))

    def ahead(self, horizon: int) -> tuple[date, ...]:
        """The `horizon` periods after the last one."""
        return steps(self.origin, self.frequency, horizon + 1)[1:]


def whole_until(values: Floats) -> NDArray[np.int64]:
    """How many of the first periods hold none but whole numbers not below 0, `(series,)`."""
    broken = np.isfinite(values) & ((values < 0) | (values != np.rint(values)))
    return np.asarray(np.where(broken.any(axis=1), broken.argmax(axis=1), values.shape[1]))


@lru_cache(maxsize=4096)
def steps(first: date, frequency: Frequency, count: int) -> tuple[date, ...]:
    """`count` periods from `first` on: their first days."""
    unit = frequency.polars_step.removeprefix("1")
    offsets = pl.int_range(count, dtype=pl.Int32).cast(str) + unit
    return tuple(pl.select(pl.lit(first).dt.offset_by(offsets)).to_series().to_list())
