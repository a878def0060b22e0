"""Were the chances of targets right? Each chance beside what came, once the period is over.

The chance is the one told last before the period ended, by the baseline to judge by, and never what
would be said now: from the forecast as it was issued (or replayed); of targets judged by pace or by
growth published, which no forecast was issued for, as it is kept in `target_told`.

Source: Brier (1950), Monthly Weather Review 78(1): the mean squared distance of chance and outcome.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from etl.catalog import Catalog, Target
from etl.pipeline import facts_of
from etl.warehouse import Warehouse
from forecasts.decisions.surprise import deviates
from forecasts.decisions.targets import area_of, judge, tenths
from forecasts.track_record import FEWEST_POINTS, counted, replayed_scores, scores

SERIES = ["issue", "indicator", "area", "category", "frequency", "period"]
TOLD = {
    "target": pl.String,
    "chance": pl.Float64,
    "reached": pl.Boolean,
    "tenths": pl.Int64,
    "simulated": pl.Boolean,
}


@dataclass(frozen=True, eq=False)
class Reliability:
    """How chances came out."""

    points: int
    """Targets with a chance told before, and an outcome since."""
    brier: float | None
    """0 where every chance was certain and right, 0.25 for always saying one half; None under
    `FEWEST_POINTS` points."""
    table: pl.DataFrame
    """By chance as it is told (tenths: 0 is under 5 %, 10 above 95 %): points, chance and reached,
    both 0 to 1 on the mean. Empty where there is no `brier`."""


def reliability(chances: pl.DataFrame) -> Reliability:
    """The account of `chances`, rows of `told`, all real or all simulated."""
    if len(chances) < FEWEST_POINTS:
        return Reliability(len(chances), None, pl.DataFrame())
    off = chances["chance"] - chances["reached"].cast(pl.Float64)
    table = (
        chances.group_by("tenths")
        .agg(points=pl.len(), chance=pl.col("chance").mean(), reached=pl.col("reached").mean())
        .sort("tenths")
    )
    return Reliability(len(chances), float((off**2).to_numpy().mean()), table)


def told(warehouse: Warehouse, catalog: Catalog, *, replayed: bool = False) -> pl.DataFrame:
    """The chance of each target whose outcome is scored, as issued or `replayed`.

    Columns target, chance (0 to 1), reached, tenths (as in `Reliability.table`), simulated.
    """
    scored = counted(replayed_scores(warehouse) if replayed else scores(warehouse))
    names = sorted({target.indicator for target in catalog.all_targets if target.indicator})
    said = warehouse.query(
        "forecasts",
        "target_bands",
        said="replayed" if replayed else "forecast",
        indicators=names,
    )
    both = scored.join(said, on=SERIES, how="inner")
    rows = [row for target in catalog.all_targets for row in _told_of(catalog, target, both)]
    if not replayed:
        rows += _kept(warehouse, catalog, {row[0] for row in rows})
    return pl.DataFrame(rows, schema=TOLD, orient="row")


def _kept(
    warehouse: Warehouse, catalog: Catalog, known: set[str]
) -> Iterator[tuple[str, float, bool, int, bool]]:
    """Settled targets of which a chance was kept, those `known` by a forecast left out."""
    if "target_told" not in warehouse.tables():
        return
    kept = warehouse.query("forecasts", "target_told").rows_by_key(["target", "plan", "asked"])
    day = facts_of(warehouse).get("today")
    if not kept or day is None:
        return
    for judged in judge(warehouse, catalog, date.fromisoformat(day)):
        quoted, name = judged.verdict.baseline, judged.target.name
        found = kept.get((name, quoted.plan, quoted.value))
        if found and judged.verdict.settled and name not in known:
            chance, _, simulated, _ = found[0]
            yield name, chance, judged.verdict.state == "on_course", _class(chance), simulated


def _told_of(
    catalog: Catalog, target: Target, scored: pl.DataFrame
) -> Iterator[tuple[str, float, bool, int, bool]]:
    if not _of_the_figure(catalog, target):
        return
    mine = scored.filter(
        indicator=target.indicator,
        area=area_of(catalog, target),
        category=target.category,
        period=target.period.start,
        period_end=target.period.end,
    )
    asked, at_least = target.quoted.value, target.direction == "at_least"
    for row in mine.to_dicts():
        below = _below(asked, row["quantiles"], tuple(row["levels"]))
        chance = 1 - below if at_least else below
        reached = row["observed"] >= asked if at_least else row["observed"] <= asked
        yield target.name, chance, reached, _class(chance), row["simulated"]


def _of_the_figure(catalog: Catalog, target: Target) -> bool:
    """Whether the value asked for is that of the indicator itself, in one period."""
    entry = catalog.indicators.get(target.indicator or "")
    if entry is None or target.measure in ("cumulative", "computed"):
        return False
    return target.measure != "growth" or entry.unit == "%"


def _below(value: float, quantiles: list[float], levels: tuple[float, ...]) -> float:
    from scipy.special import ndtr

    column = np.array(quantiles, dtype=float)[:, None]
    return float(ndtr(deviates(np.array([value]), column, levels)[0]))


def _class(chance: float) -> int:
    named = tenths(chance)
    return named if named is not None else 10 * round(chance)
