"""Drift of calibration: bands that hold too rarely or too often, forecasts that lean to one side.

Two looks at the track record of each group of series. Coverage is held against its nominal level
with an exact binomial test; all tests of one look together ring falsely in at most one look in
twenty (Holm). Series of one month share its chance, so that a group counts as many independent
outcomes as its months show it to have, never fewer than months. The other look adds up how far
outcomes lay above or below the middle of their forecasts (CUSUM): with forecasts that are right it
rings once in some 460 periods of one group.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from forecasts.ledger import COVERAGES
from forecasts.panel import Floats

FALSE_RATE = 0.05
"""Chance that any binomial test of one look rings although all forecasts are right."""
FEWEST_PERIODS = 6
SLACK, LIMIT = 0.5, 5.0
"""Of the CUSUM, in standard deviations: what is overlooked each period, and the sum that rings."""
PERIODS_TO_FALSE_ALARM = 465
"""Of a two-sided CUSUM with this slack and limit. Source: Montgomery, Introduction to Statistical
Quality Control, table 9.3; the test repeats it by simulation."""
GROUP = ["simulated", "indicator", "level", "frequency"]
Kind = Literal["too_narrow", "too_wide", "too_low", "too_high"]


@dataclass(frozen=True)
class Alert:
    """One group of series whose forecasts are no longer what they say they are."""

    kind: Kind
    """Bands too narrow or too wide; outcomes below or above what was expected."""
    indicator: str
    level: str
    frequency: str
    simulated: bool
    since: date
    """First day of the first period it is seen in."""
    until: date
    nominal: float | None = None
    """Coverage that was promised; None for forecasts that lean."""
    seen: float | None = None
    """Coverage that came."""
    outcomes: int = 0
    """Outcomes looked at."""
    p_value: float | None = None
    false_rate: float = FALSE_RATE
    """Chance of a false alarm: in a look at all groups, or in one period of this group."""


def alerts(counted: pl.DataFrame, *, simulated: bool = False) -> list[Alert]:
    """What drifts in the scores that count once (`forecasts.track_record.counted`), surest first.

    Only real series, or only simulated ones: the latter test the software, and are nobody's alarm.
    """
    mine = counted.filter(pl.col("simulated") == simulated).sort("period_end")
    groups = mine.partition_by(GROUP, maintain_order=True)
    judged = [group for group in groups if group["period"].n_unique() >= FEWEST_PERIODS]
    leaning = [alert for group in judged if (alert := _leaning(group))]
    return [*_off_nominal(judged), *leaning]


def _off_nominal(groups: list[pl.DataFrame]) -> list[Alert]:
    found = [
        alert
        for group in groups
        for name, (low, high) in COVERAGES.items()
        if (alert := _coverage(group, name, high - low))
    ]
    found.sort(key=lambda alert: alert.p_value or 0.0)
    kept = []
    for rank, alert in enumerate(found):
        if (alert.p_value or 0.0) > FALSE_RATE / (len(found) - rank):
            break
        kept.append(alert)
    return kept


def _coverage(group: pl.DataFrame, name: str, nominal: float) -> Alert | None:
    known = group.filter(pl.col(name).is_not_null())
    if known["period"].n_unique() < FEWEST_PERIODS:
        return None
    by_period = known.group_by("period").agg(inside=pl.col(name).sum(), outcomes=pl.len())
    inside, outcomes = by_period["inside"].to_numpy(), by_period["outcomes"].to_numpy()
    seen = float(inside.sum() / outcomes.sum())
    count = independent(inside, outcomes)
    p_value = binomial_p(round(seen * count), count, nominal)
    kind: Kind = "too_narrow" if seen < nominal else "too_wide"
    return Alert(
        kind,
        *_place(known),
        nominal=round(nominal, 3),
        seen=seen,
        outcomes=len(known),
        p_value=p_value,
    )


def _place(group: pl.DataFrame) -> tuple[str, str, str, bool, date, date]:
    first = group.row(0, named=True)
    return (
        first["indicator"],
        first["level"],
        first["frequency"],
        first["simulated"],
        first["period"],
        group["period"][-1],
    )


def independent(inside: np.ndarray, outcomes: np.ndarray) -> int:
    """As how many independent outcomes those of several periods count: all, down to one a period.

    `inside` of `outcomes` lay in their interval, one entry a period. The number is divided by how
    much more the periods differ than chance alone would make them.
    """
    periods, total = len(outcomes), int(outcomes.sum())
    share = inside.sum() / total
    chance = total * share * (1 - share)
    if total == periods or chance == 0:
        return periods
    spread = periods / (periods - 1) * float(((inside - outcomes * share) ** 2).sum())
    return int(np.clip(total / max(1.0, spread / chance), periods, total))


def binomial_p(inside: int, outcomes: int, share: float) -> float:
    """Chance of a count as unlikely as `inside` of `outcomes`, or less likely, both sides."""
    from scipy.stats import binomtest

    return float(binomtest(inside, outcomes, share).pvalue)


def _leaning(group: pl.DataFrame) -> Alert | None:
    from scipy.special import ndtri

    by_period = (
        group.filter(pl.col("pit").is_not_null())
        .group_by("period", maintain_order=True)
        .agg(outcomes=pl.len(), pit=pl.col("pit"))
    )
    if len(by_period) < FEWEST_PERIODS:
        return None
    # Series of one period move together: their mean is never surer than one of them is taken to be.
    means = np.array([float(np.mean(ndtri(np.array(pits)))) for pits in by_period["pit"]])
    rung = cusum(means)
    if rung is None:
        return None
    upwards, begun = rung
    kind: Kind = "too_low" if upwards else "too_high"
    indicator, level, frequency, simulated, _, until = _place(group)
    return Alert(
        kind,
        indicator,
        level,
        frequency,
        simulated,
        by_period["period"][begun],
        until,
        outcomes=int(by_period["outcomes"].sum()),
        false_rate=1 / PERIODS_TO_FALSE_ALARM,
    )


def cusum(deviations: Floats) -> tuple[bool, int] | None:
    """Whether outcomes lie above (True) or below what was expected at the end, and since which.

    `deviations` are standardised, in order of time. None where neither sum is beyond the limit at
    the last of them: what came right again rings no more.
    """
    for upwards in (True, False):
        total, begun = 0.0, 0
        for place, deviation in enumerate(deviations if upwards else -deviations):
            if total == 0:
                begun = place
            total = max(0.0, total + float(deviation) - SLACK)
        if total > LIMIT:
            return upwards, begun
    return None
