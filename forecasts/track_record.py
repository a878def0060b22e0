"""The track record: what the scores of issued forecasts say, without counting anything twice.

A period that was forecast month after month has many scores. Statements on how often the band held
take the last issue before the period ended (`counted`); tables by step ahead take all. Real and
simulated series, and what was only replayed, are never in one figure.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from etl.warehouse import Warehouse

FEWEST_POINTS = 6
"""Real outcomes below which nothing is said."""
RECENT = 12
"""Outcomes of a single series that the plain sentence speaks of."""
SERIES = ["indicator", "area", "category", "frequency"]
BY_HORIZON = ["frequency", "horizon"]
BY_LEVEL = ["level", "frequency"]
BY_INDICATOR = ["indicator", "level", "frequency"]
BY_MONTH = ["month"]
BY_ISSUED = ["frequency", "issued_in"]


@dataclass(frozen=True)
class Recent:
    """What the plain sentence says, or that it says nothing yet."""

    outcomes: int
    """Outcomes it speaks of."""
    inside: int = 0
    """Of these, those within the 80 % band."""
    miss: float | None = None
    """Median distance from the middle of the forecast, as a share of the outcome."""
    periods: int = 0
    """Different periods among them."""
    since: date | None = None
    until: date | None = None

    @property
    def missing(self) -> int:
        """Outcomes that are lacking before anything may be said; 0 when it may."""
        return max(0, FEWEST_POINTS - self.outcomes)


def scores(warehouse: Warehouse, *, against: str = "latest") -> pl.DataFrame:
    """Every issued forecast that came true, scored against the figure that stands now.

    With `against="first"`, against the figure first said.
    """
    return warehouse.query("forecasts", "scores_first" if against == "first" else "scores_latest")


def replayed_scores(warehouse: Warehouse) -> pl.DataFrame:
    """The scores of the last replay: never issued, and never part of the track record."""
    return warehouse.query("forecasts", "scores_replayed")


def counted(scored: pl.DataFrame) -> pl.DataFrame:
    """The scores that count once: of each period, the last issue before it ended."""
    before = scored.filter(pl.col("issued") <= pl.col("period_end"))
    newest = pl.col("issue") == pl.col("issue").max().over([*SERIES, "period"])
    return before.filter(newest)


def recent(scored: pl.DataFrame, *, series: bool = False) -> Recent:
    """What can be said in one sentence of `scored`, which is all real or all simulated.

    It is of the last `RECENT` outcomes; of several series, of all outcomes of the last twelve
    months where these are more.
    """
    known = counted(scored).filter(pl.col("covered_80").is_not_null()).sort("period_end", *SERIES)
    spoken = known.tail(RECENT if series else max(RECENT, _last_year(known)))
    if len(spoken) < FEWEST_POINTS:
        return Recent(len(spoken))
    off = (pl.col("expected") - pl.col("observed")).abs() / pl.col("observed").abs()
    misses = spoken.select(off.filter(pl.col("observed") != 0).median()).item()
    return Recent(
        outcomes=len(spoken),
        inside=int(spoken["covered_80"].sum()),
        miss=misses,
        periods=spoken.select(pl.struct("frequency", "period").n_unique()).item(),
        since=spoken["period"][0],
        until=spoken["period_end"][-1],
    )


def _last_year(known: pl.DataFrame) -> int:
    """How many outcomes are of the twelve months up to the newest."""
    last = pl.col("period_end").max()
    return int(known.select((pl.col("period_end") > last.dt.offset_by("-12mo")).sum()).item())


def table(scored: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Scores by the columns `by`: `month` is that of the period's end, `issued_in` that of issue.

    Columns beside `by`: outcomes, series, issues, coverage_50, coverage_80, coverage_95, mase,
    benchmark_mase (both in units of the scale known at issue), relative_wis (below 1 is better than
    the benchmark with its band) and bias (forecasts less outcomes, in the same unit; above 0 is too
    high). These four are of outcomes that have a benchmark and a scale.
    """
    error = (pl.col("expected") - pl.col("observed")).abs()
    base = (pl.col("benchmark") - pl.col("observed")).abs()
    both = pl.col("benchmark_wis").is_not_null() & (pl.col("scale") > 0)
    # Sums come out the same whatever order the rows have.
    return (
        scored.sort(*SERIES, "period", "issue")
        .with_columns(
            month=pl.col("period_end").dt.month_start(),
            issued_in=pl.col("issued").dt.month_start(),
        )
        .group_by(by)
        .agg(
            outcomes=pl.len(),
            series=pl.struct(SERIES).n_unique(),
            issues=pl.col("issue").n_unique(),
            **{f"coverage_{level}": pl.col(f"covered_{level}").mean() for level in (50, 80, 95)},
            mase=_finite((error / pl.col("scale")).filter(both).mean()),
            benchmark_mase=_finite((base / pl.col("scale")).filter(both).mean()),
            relative_wis=_finite(
                (pl.col("wis") / pl.col("scale")).filter(both).sum()
                / (pl.col("benchmark_wis") / pl.col("scale")).filter(both).sum()
            ),
            bias=_finite(
                ((pl.col("expected") - pl.col("observed")) / pl.col("scale")).filter(both).mean()
            ),
        )
        .sort(by)
    )


def _finite(ratio: pl.Expr) -> pl.Expr:
    return pl.when(ratio.is_finite()).then(ratio)


def summary(scored: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """The tables of one kind of scores, for machines.

    By horizon and by month of issue all issues count; by level, indicator and month of the outcome
    the last before the period ended. Bands that miss far ahead alone err by the horizon; those of
    some months of issue, whatever the horizon, met something that nobody could know then.
    """
    once = counted(scored)
    return {
        "by_horizon": table(scored, BY_HORIZON).to_dicts(),
        "by_level": table(once, BY_LEVEL).to_dicts(),
        "by_indicator": table(once, BY_INDICATOR).to_dicts(),
        "by_month": table(once, BY_MONTH).to_dicts(),
        "by_issued": table(scored, BY_ISSUED).to_dicts(),
    }
