"""The ledger: what was issued, what the benchmark said beside it, and how it came out.

`settle` follows every run of forecasts. It keeps the benchmark of each series just issued, from the
data known at that moment, and scores every issued forecast whose period is over against the figure
that stands now; where another figure was said first, against that too. A figure that is revised
adds a score and changes none: the tables only grow (`etl.warehouse.LEDGERS`).

Scored is only what was issued before its outcome was published. Forecasts and figures that are
simulated are marked so, and nobody adds them to those of real series.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.model import benchmark_of
from forecasts.panel import KEY, Floats, Panel
from forecasts.scores import pinball, scale

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Of the benchmark's band; those of a forecast stand beside it."""
COVERAGES = {"covered_50": (0.25, 0.75), "covered_80": (0.1, 0.9), "covered_95": (0.025, 0.975)}
ADDED = ["new", "season", "offsets", "lowest", "levels", "quantiles"]
FIRST = ["first_observed", "first_status", "first_said_on"]


@dataclass(frozen=True)
class Settled:
    """What `settle` added."""

    benchmarks: int
    """Series of the newest issue, each with its benchmark."""
    scored: int
    """Forecasts scored, those against a first figure included."""


def settle(warehouse: Warehouse, *, today: date) -> Settled:
    """Keep the benchmarks of the newest issue, and score what has come true by `today`.

    Writes rows of `forecast_benchmark` and `scored`. To be called in the build in which the
    forecasts were made: its figures are those the forecasts knew.
    """
    return Settled(keep_benchmarks(warehouse), score(warehouse, today=today))


def keep_benchmarks(warehouse: Warehouse) -> int:
    """Add what the benchmark says beside the newest issue, if that is not yet there."""
    made = _benchmarks(warehouse)
    warehouse.write("forecast_benchmark", made)
    return len(made)


def score(warehouse: Warehouse, *, today: date) -> int:
    """Add the scores of what came true or was revised since the last scoring; how many."""
    rows = scored_rows(warehouse.query("forecasts", "come_true", today=today))
    scoring = warehouse.count("select coalesce(max(scoring), 0) + 1 from scored")
    warehouse.write("scored", rows.with_columns(scoring=pl.lit(scoring), scored_on=pl.lit(today)))
    return len(rows)


def _benchmarks(warehouse: Warehouse) -> pl.DataFrame:
    asked = warehouse.query("forecasts", "newest_issue")
    with warehouse.registered(asked) as view:
        warehouse.run(f"create or replace temp view asked as from {view}")
        known = warehouse.query("forecasts", "known_at_issue")
        warehouse.run("drop view asked")
    parts = known.partition_by("frequency", "origin", maintain_order=True)
    made = [benchmarks(part.drop("frequency", "origin"), _frequency(part)) for part in parts]
    if not made:
        return pl.DataFrame()
    return asked.join(pl.concat(made), on=[*KEY, "frequency"], how="inner", nulls_equal=True)


def _frequency(part: pl.DataFrame) -> Frequency:
    return Frequency(part["frequency"][0])


def benchmarks(known: pl.DataFrame, frequency: Frequency) -> pl.DataFrame:
    """What the benchmark says of series that end together, from all that is known of them.

    `known` has columns of `KEY`, period and value. One row a series: KEY, frequency, benchmark,
    season (values of the last season), offsets (quantiles of its changes from season to season,
    taken as likely upwards as downwards, one a level of `LEVELS`), lowest (0 where nothing was ever
    below) and scale.
    """
    panel = Panel.from_frame(known, frequency)
    history, season = panel.filled, panel.season
    first = np.nanmin(panel.values, axis=1)
    changes = np.abs(history[:, season:] - history[:, :-season])
    changes = np.where(np.isfinite(changes), changes, np.nan)
    offsets = [_even_quantiles(row[np.isfinite(row)]) for row in changes]
    return panel.keys.with_columns(
        pl.lit(frequency.value).alias("frequency"),
        pl.lit(benchmark_of(frequency.season)).alias("benchmark"),
        pl.Series("season", history[:, -season:].tolist(), dtype=pl.List(pl.Float64)),
        pl.Series("offsets", offsets, dtype=pl.List(pl.Float64)),
        pl.Series("lowest", [0.0 if low >= 0 else None for low in first], dtype=pl.Float64),
        pl.Series("scale", scale(panel.values, season)).fill_nan(None),
    )


def _even_quantiles(sizes: Floats) -> list[float] | None:
    if not len(sizes):
        return None
    levels = np.array(LEVELS)
    even = np.sign(levels - 0.5) * np.quantile(sizes, np.abs(2 * levels - 1))
    return [float(offset) for offset in even]


def scored_rows(due: pl.DataFrame) -> pl.DataFrame:
    """The scores of forecasts that came true, as rows of `scored` without scoring and scored_on.

    `due` has the columns of `forecasts/sql/come_true.sql`. A forecast not scored before whose
    figure first said was another has two rows; `against` tells them apart.
    """
    differs = (pl.col("first_observed") - pl.col("observed")).abs() > 1e-9 * pl.col(
        "observed"
    ).abs()
    firsts = due.filter(pl.col("new") & differs).with_columns(
        observed=pl.col("first_observed"),
        status=pl.col("first_status"),
        said_on=pl.col("first_said_on"),
        against=pl.lit("first"),
    )
    both = pl.concat([due.with_columns(against=pl.lit("latest")), firsts])
    # Engines may state other levels: one matrix for each list of them.
    named = both.with_columns(asked=pl.col("levels").cast(pl.List(pl.String)).list.join(" "))
    parts = [_scores(part) for part in named.partition_by("asked", maintain_order=True)]
    return pl.concat(parts) if parts else pl.DataFrame()


def _scores(due: pl.DataFrame) -> pl.DataFrame:
    levels = tuple(due["levels"][0])
    quantiles = np.array(due["quantiles"].to_list()).T
    observed = due["observed"].to_numpy()
    covered = {
        name: _covered(observed, quantiles, levels, bounds) for name, bounds in COVERAGES.items()
    }
    said = _benchmark_quantiles(due)
    return due.drop(*ADDED, *FIRST, "asked").with_columns(
        pl.Series("expected", _at(quantiles, levels, 0.5)).fill_nan(None),
        pl.Series("wis", wis(observed, quantiles, levels)).fill_nan(None),
        *(pl.Series(name, inside, dtype=pl.Boolean) for name, inside in covered.items()),
        pl.Series("pit", pit(observed, quantiles, levels)).fill_nan(None),
        pl.Series("benchmark", said[LEVELS.index(0.5)]).fill_nan(None),
        pl.Series("benchmark_wis", wis(observed, said, LEVELS)).fill_nan(None),
    )


def wis(observed: Floats, quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """Weighted interval score, `(n,)`, in the unit of the outcomes: twice the mean pinball loss.

    `quantiles` is `(levels, n)`; levels lie evenly around 0.5, which is one of them. Of a single
    value without a band it is the absolute error.

    Source: Bracher et al. (2021), PLOS Computational Biology 17(2), equation 1.
    """
    losses = [pinball(observed, q, level) for q, level in zip(quantiles, levels, strict=True)]
    return np.asarray(2 * np.mean(losses, axis=0))


def pit(observed: Floats, quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """Share of the forecast below each outcome, `(n,)`, straight between the quantiles.

    Beyond the outermost quantile it is half of what lies there; where quantiles are equal to the
    outcome, the middle of their levels.
    """
    edges = np.array(levels)
    below, upto = (quantiles < observed).sum(axis=0), (quantiles <= observed).sum(axis=0)
    last = len(levels) - 1
    low, high = np.clip(below - 1, 0, last), np.clip(below, 0, last)
    columns = np.arange(len(observed))
    width = quantiles[high, columns] - quantiles[low, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (observed - quantiles[low, columns]) / np.where(width > 0, width, np.nan)
    between = edges[low] + np.nan_to_num(share) * (edges[high] - edges[low])
    ties = (edges[high] + edges[np.clip(upto - 1, 0, last)]) / 2
    found = np.where(upto > below, ties, between)
    found = np.where(upto == 0, edges[0] / 2, found)
    found = np.where(below > last, (1 + edges[-1]) / 2, found)
    return np.where(np.isfinite(observed) & np.isfinite(quantiles).all(axis=0), found, np.nan)


def _at(quantiles: Floats, levels: tuple[float, ...], level: float) -> Floats:
    found = [q for q, one in zip(quantiles, levels, strict=True) if abs(one - level) < 1e-9]
    return found[0] if found else np.full(quantiles.shape[1], np.nan)


def _covered(
    observed: Floats, quantiles: Floats, levels: tuple[float, ...], bounds: tuple[float, float]
) -> list[bool | None]:
    low, high = (_at(quantiles, levels, level) for level in bounds)
    inside = (low <= observed) & (observed <= high)
    known = np.isfinite(low) & np.isfinite(high)
    return [bool(one) if seen else None for one, seen in zip(inside, known, strict=True)]


def _benchmark_quantiles(due: pl.DataFrame) -> Floats:
    """What the benchmark said for each row, `(levels, n)`: NaN where none was kept.

    Its band grows with the square root of the seasons ahead, as that of a random walk does.
    """
    found = np.full((len(LEVELS), len(due)), np.nan)
    rows = due.select("season", "offsets", "lowest", "horizon").iter_rows()
    for row, (season, offsets, lowest, horizon) in enumerate(rows):
        if season is None or offsets is None:
            continue
        ahead = (horizon - 1) // len(season) + 1
        path = season[(horizon - 1) % len(season)]
        band = path + np.sqrt(ahead) * np.array(offsets)
        found[:, row] = band if lowest is None else np.maximum(band, lowest)
    return found
