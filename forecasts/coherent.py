"""What is issued adds up: the forecasts of a run, reconciled family by family.

A series that belongs to no family (`forecasts.hierarchy`) is issued as it was forecast.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forecasts.bands import GRID, LEVELS
from forecasts.engine import Forecasts
from forecasts.hierarchy import NODE, Family
from forecasts.panel import KEY, Floats
from forecasts.reconcile import Part, Reconciled, reconcile_family
from forecasts.request import Job

PATHS = 300
"""Joint futures of every series: their quantiles are the band."""
SEED = 20250701


@dataclass(frozen=True, eq=False)
class Issued:
    """Forecasts of one panel as they are issued."""

    job: Job
    forecasts: Forecasts
    paths: Floats
    """`(paths, series, horizon)`; changed in place by `add_up`."""

    @classmethod
    def of(cls, job: Job, forecasts: Forecasts) -> "Issued":
        """As they were forecast."""
        return cls(job, forecasts, forecasts.paths(PATHS, SEED))

    @cached_property
    def quantiles(self) -> Floats:
        """`(levels, series, horizon)`."""
        return np.asarray(np.quantile(self.paths, LEVELS, axis=0))

    @cached_property
    def keys(self) -> pl.DataFrame:
        """Columns of `NODE` and row, for the series shown."""
        level = pl.lit(self.job.level).alias("level")
        keys = self.forecasts.panel.keys.select(KEY).with_columns(level).with_row_index("row")
        shown = np.array([model is not None for model in self.forecasts.model])
        return keys.filter(pl.Series(shown & self.forecasts.tested))


def add_up(family: Family, issued: Sequence[Issued]) -> Reconciled | None:
    """Change the paths of the members of a family so that they add up.

    None where nothing can be done: the finest series of the family have no forecast.
    """
    parts = dict(_parts(family, issued))
    if str(family.hierarchy.grains[-1]) not in parts:
        return None
    done = reconcile_family(family, parts, count=PATHS, seed=SEED)
    futures = np.concatenate([done.hierarchy.sums(done.paths), done.paths], axis=1)
    nodes = family.hierarchy.keys.with_row_index("node")
    for one in issued:
        rows = one.keys.join(nodes, on=NODE)
        late = _behind(family, one)
        steps = one.job.horizon - late
        if steps > 0 and not rows.is_empty():
            one.paths[:, rows["row"], late:] = futures[:, rows["node"], :steps]
    return done


def _parts(family: Family, issued: Sequence[Issued]) -> Iterator[tuple[str, Part]]:
    """The forecasts of the family's indicator, by grain."""
    indicators = family.hierarchy.keys["indicator"].unique().to_list()
    by_grain: dict[str, list[Part]] = {}
    for one in issued:
        rows = one.keys.filter(pl.col("indicator").is_in(indicators))
        if one.job.frequency is family.frequency and not rows.is_empty():
            grain = one.job.level + ("*category" if one.job.by_category else "")
            by_grain.setdefault(grain, []).append(_part(family, one, rows))
    for grain, parts in by_grain.items():
        yield grain, _joined(parts)


def _part(family: Family, one: Issued, rows: pl.DataFrame) -> Part:
    places = rows["row"].to_numpy()
    bands = one.forecasts.bands.take(places)
    return Part(
        rows.select(KEY),
        bands.center,
        _by_period(one.forecasts, places),
        bands.quantiles(tuple(GRID)),
        bands.lowest,
        tuple(GRID),
        np.full(len(rows), _behind(family, one)),
    )


def _by_period(forecasts: Forecasts, rows: NDArray[np.int64]) -> Floats:
    """Errors with a row for every origin from the oldest on, NaN where none was tried."""
    dropped = np.array(forecasts.backtest.dropped, dtype=int)
    most = int(dropped.max(initial=0))
    errors = np.full((most, len(rows), forecasts.mean.shape[1]), np.nan)
    errors[most - dropped] = forecasts.errors[:, rows]
    return errors


def _behind(family: Family, one: Issued) -> int:
    """How many periods the panel ends before the newest of the family."""
    return family.periods[::-1].index(one.forecasts.panel.origin)


def _joined(parts: list[Part]) -> Part:
    most = max(len(part.errors) for part in parts)
    errors = [
        np.pad(part.errors, ((most - len(part.errors), 0), (0, 0), (0, 0)), constant_values=np.nan)
        for part in parts
    ]
    behind = [part.behind for part in parts if part.behind is not None]
    return Part(
        pl.concat([part.keys for part in parts]),
        np.concatenate([part.mean for part in parts]),
        np.concatenate(errors, axis=1),
        np.concatenate([part.marginals for part in parts], axis=1),
        np.concatenate([part.lowest for part in parts]),
        parts[0].levels,
        np.concatenate(behind),
    )
