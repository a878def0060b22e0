"""How often each series is measured, found in the steps between its periods.

A series has the frequency of most of its steps: about 30 days are a month, whatever day of it is
named. Series too short or too full of gaps to tell follow the others of the file. Plain steps
without dates have the season that is asked for, or the one found in their values.
"""

import numpy as np
import polars as pl

from etl.periods import Frequency
from forecasts.panel import Floats

SEASONS = {1: "year", 4: "quarter", 7: "day", 12: "month", 52: "week"}
"""The frequency that stands for steps with a season of so many."""
STEPS = {
    Frequency.DAY: (1, 5),
    Frequency.WEEK: (6, 8),
    Frequency.MONTH: (27, 32),
    Frequency.QUARTER: (88, 93),
    Frequency.YEAR: (360, 372),
}
"""Days from one period to the next, at least and at most: weekends and the day of the month move
them."""
LEAST_DAYS = {Frequency.YEAR: 360, Frequency.QUARTER: 88, Frequency.MONTH: 27}
ENOUGH_STEPS = 3
"""A series with fewer steps follows the others."""
CLEAR = 0.08
"""Share of the variance of changes that a season must explain to be one."""
AS_GOOD = 0.03
"""A shorter season that explains as much, but for so little, is the season."""
ROUNDS = 3
"""Rounds of a season that must be seen to find it."""
MANY = 1 / 3
"""Share of the series that must be so long."""
MOST_LOOKED_AT = 500


def frequencies(days: pl.DataFrame, asked: Frequency | None) -> pl.DataFrame:
    """One row a series: series, frequency. `days` has columns series, day (of known values), unit.

    Where a cell names a month, quarter or year, nothing finer is found: its first days are no
    closer.
    """
    series = days.select("series").unique(maintain_order=True)
    if asked:
        return series.with_columns(frequency=pl.lit(asked.value))
    apart = (
        days.select("series", "day")
        .unique()
        .sort("series", "day")
        .with_columns(step=pl.col("day").diff().over("series").dt.total_days())
        .drop_nulls("step")
    )
    steps = pl.col("step")
    named = apart.group_by("series").agg(
        *(steps.is_between(*span).sum().alias(f.value) for f, span in STEPS.items()),
        all=pl.len(),
        least=steps.min(),
        weeks=(steps % 7 == 0).all(),
    )
    own = named.select("series", "all", frequency=_most_steps())
    told = own.filter(pl.col("all") >= ENOUGH_STEPS)["frequency"]
    common = _commonest(told if len(told) else own["frequency"], days)
    follows = (pl.col("all") < ENOUGH_STEPS) & (_order("frequency") > _ORDER[common])
    own = own.with_columns(
        pl.when(follows).then(pl.lit(common)).otherwise(pl.col("frequency")).alias("frequency")
    )
    found = series.join(own.drop("all"), on="series", how="left", maintain_order="left")
    return found.with_columns(pl.col("frequency").fill_null(common))


_ORDER = {frequency.value: place for place, frequency in enumerate(STEPS)}
"""From days to years."""


def _order(column: str) -> pl.Expr:
    return pl.col(column).replace_strict(_ORDER, return_dtype=pl.Int32)


def _most_steps() -> pl.Expr:
    """The frequency of at least half of the steps; else the coarsest that could hold them all."""
    found: pl.Expr = (
        pl.when(pl.col("weeks"))
        .then(pl.lit(Frequency.WEEK.value))
        .otherwise(pl.lit(Frequency.DAY.value))
    )
    for frequency in (Frequency.MONTH, Frequency.QUARTER, Frequency.YEAR):
        holds = pl.col("least") >= LEAST_DAYS[frequency]
        found = pl.when(holds).then(pl.lit(frequency.value)).otherwise(found)
    for frequency in reversed(STEPS):
        most = 2 * pl.col(frequency.value) >= pl.col("all")
        found = pl.when(most).then(pl.lit(frequency.value)).otherwise(found)
    return found


def _commonest(found: pl.Series, days: pl.DataFrame) -> str:
    """The frequency of most series; of files of single points, what their cells name."""
    names = found if len(found) else days["unit"]
    counted = names.value_counts(sort=True)
    top = counted.filter(pl.col("count") == counted["count"].max())[names.name]
    return min(map(str, top), key=lambda name: _ORDER[name])


def season_in(values: Floats) -> tuple[int, float]:
    """The season found in rows without dates, and the share of the variance of changes it explains.

    `values` is `(series, steps)`, right-aligned, NaN where nothing is known. 1 is no season.
    """
    rows = values[:: 1 + len(values) // MOST_LOOKED_AT]
    shares = {season: _explained(rows, season) for season in SEASONS if season > 1}
    best = max(shares.values())
    if best < CLEAR:
        return 1, 0.0
    season = min(season for season, share in shares.items() if share >= best - AS_GOOD)
    return season, shares[season]


def _explained(values: Floats, season: int) -> float:
    """Adjusted R² of the changes on the places in the season, in the mean over long series.

    0 where few of the series are long enough, or where their mean may be chance.
    """
    changes = np.diff(values, axis=1)
    rows = np.isfinite(changes).sum(axis=1) >= ROUNDS * season
    if rows.sum() < MANY * len(values):
        return 0.0
    shares = _shares_explained(changes[rows], season)
    chance = 2 * shares.std() / np.sqrt(len(shares))
    return float(shares.mean()) if shares.mean() > chance else 0.0


def _shares_explained(changes: Floats, season: int) -> Floats:
    known = np.isfinite(changes)
    count = known.sum(axis=1)
    mean = np.where(known, changes, 0).sum(axis=1) / count
    centred = np.where(known, changes - mean[:, None], 0)
    total = (centred**2).sum(axis=1)
    explained = np.zeros(len(changes))
    for place in range(season):
        here = centred[:, place::season].sum(axis=1)
        explained += here**2 / np.maximum(known[:, place::season].sum(axis=1), 1)
    rest = (total - explained) / np.maximum(count - season, 1)
    share = 1 - rest * (count - 1) / np.where(total > 0, total, np.inf)
    return np.asarray(np.where(total > 0, share, 0.0))
