"""Will it be reached? Each target of the catalog, judged by each of its baselines.

The chance is the share of the forecast's sample paths that reach the value, each path taken whole:
growth and sums are made along it. What comes together within a year is judged by how past years
went on (`pace`). Where neither can be said, the state is `unknown`, with a reason:

- `no_indicator`, `no_figures`: nobody reports it; no outcome has been loaded
- `refused`, `not_forecast`: its forecast was refused (`detail`), or is not asked for
- `horizon`: the forecast ends before the period does (`until`)
- `no_months`, `few_years`: nothing of the year yet; fewer than three past years to go by
- `nothing_yet`: what is known of the year is nothing, and no past year that it could go on like was
- `one_reading`: computed here, and known for today alone
- `no_outcome`: the period is over, and its figure is not published
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from etl.bodies import Bodies, bodies
from etl.catalog import Baseline, Catalog, Indicator, Target
from etl.periods import Frequency, Period
from etl.warehouse import Warehouse
from forecasts.decisions.arithmetic import Arithmetic, arithmetic
from forecasts.decisions.line import SERIES_FREQUENCIES, Line, quantity
from forecasts.decisions.pace import LAST_MONTH, Pace, pace, to_date
from forecasts.decisions.paths import Ahead, Key, paths_of
from forecasts.decisions.running import Running, paced, running
from forecasts.panel import Floats
from forecasts.request import LEAST_POINTS

State = Literal["off_course", "at_risk", "on_course", "unknown"]
STATES: tuple[State, ...] = ("off_course", "at_risk", "unknown", "on_course")
"""Worst first; what cannot be judged stands before what needs no care."""
ON_COURSE, AT_RISK = 7, 4
"""Tenths of a chance, as it is told, from which a target is on course, and at risk."""
OUTCOME = [
    "frequency",
    "period",
    "period_end",
    "value",
    "simulated",
    "source",
    "source_url",
    "as_of",
]
NEVER, SURELY = 0.05, 0.95
"""A chance below or above is not told in tenths."""


@dataclass(frozen=True)
class Figure:
    """One published outcome."""

    value: float
    frequency: str
    period: date
    period_end: date
    source: str
    source_url: str | None
    as_of: date | None


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one baseline."""

    baseline: Baseline
    state: State
    reason: str | None = None
    """Where the state is unknown; see the top of this file."""
    detail: str | None = None
    until: date | None = None
    chance: float | None = None
    """0 to 1; tell it by `tenths`."""
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    """Median and 80 % interval of what the baseline speaks of; once it is known, the outcome."""
    pace: Pace | None = None
    settled: bool = False
    """The period is over, and the outcome known."""


@dataclass(frozen=True)
class Judged:
    """One target and what is to be said of it; `verdicts` in the order of its baselines."""

    target: Target
    title: str
    title_en: str
    unit: str
    unit_en: str
    decimals: int
    verdicts: tuple[Verdict, ...]
    newest: Figure | None
    """The last one published that is not of after the period."""
    arithmetic: Arithmetic | None
    bodies: Bodies | None
    stand_in: bool
    """Its paths are drawn from stored bands."""
    simulated: bool
    """It rests on simulated figures."""

    @property
    def verdict(self) -> Verdict:
        """That of the baseline to judge by."""
        return self.verdicts[self.target.baselines.index(self.target.quoted)]


@dataclass(frozen=True, eq=False)
class Known:
    """All that the warehouse knows of the indicators of the targets."""

    figures: pl.DataFrame
    series: pl.DataFrame
    refusals: pl.DataFrame
    ahead: dict[Key, Ahead]
    months: dict[tuple[str, str], Running]
    """The month that runs, by indicator and area, where a target asks for it."""

    @classmethod
    def read(cls, warehouse: Warehouse, catalog: Catalog, today: date) -> "Known":
        """Five queries, whatever the number of targets."""
        names = sorted({t.indicator for t in catalog.targets if t.indicator})
        areas = {code for t in catalog.targets for code in (area_of(catalog, t), t.shapes) if code}
        asked = {"indicators": names, "areas": sorted(areas)}
        return cls(
            warehouse.query("forecasts", "target_figures", **asked, today=today),
            warehouse.query("forecasts", "target_series", **asked, today=today),
            warehouse.query("forecasts", "target_refusals", **asked),
            paths_of(warehouse, asked["indicators"], asked["areas"]),
            _months(warehouse, catalog, today),
        )

    def outcomes(self, indicator: str, area: str, category: str) -> pl.DataFrame:
        """Published outcomes, newest first; of an indicator that nobody publishes, those made here.

        Columns frequency, period, period_end, value, simulated, source, source_url, as_of.
        """
        mine = {"indicator": indicator, "area": area, "category": category}
        nowhere = {"source": pl.lit(""), "source_url": pl.lit(None, pl.String)}
        given = self.figures.filter(**mine)
        made = self.series.filter(**mine).with_columns(**nowhere)
        found = made.select(OUTCOME) if given.is_empty() else given.select(OUTCOME)
        return found.sort("period_end", "period", descending=True, maintain_order=True)


def _months(warehouse: Warehouse, catalog: Catalog, today: date) -> dict[tuple[str, str], Running]:
    levels = dict(catalog.map.areas.select("code", "level").iter_rows())
    found: dict[tuple[str, str], Running] = {}
    for target in catalog.targets:
        entry = catalog.indicators.get(target.indicator or "")
        wanted = target.measure == "cumulative" and target.category == "total"
        if (
            entry is None
            or entry.compute
            or not wanted
            or entry.aggregate != "sum"
            or target.period.end < today
        ):
            continue
        area = area_of(catalog, target)
        if levels.get(area) in ("city", "commune"):
            now = running(warehouse, catalog, entry.name, levels[area], area, today)
            found |= {(entry.name, area): now} if now else {}
    return found


def judge(
    warehouse: Warehouse,
    catalog: Catalog,
    today: date,
    *,
    ahead: Callable[[dict[Key, Ahead]], dict[Key, Ahead]] | None = None,
) -> list[Judged]:
    """Every target of the catalog, worst first; what is settled comes last.

    `ahead` changes the sample paths before they are judged: what if they were others?
    """
    if not catalog.targets:
        return []
    known = Known.read(warehouse, catalog, today)
    if ahead is not None:
        known = replace(known, ahead=ahead(known.ahead))
    return sorted((_judged(catalog, target, known, today) for target in catalog.targets), key=_rank)


def area_of(catalog: Catalog, target: Target) -> str:
    """Code of the area a target speaks of: the city, unless it is told."""
    areas = catalog.map.areas
    city = areas.filter((pl.col("level") == "city") & pl.col("valid_to").is_null())["code"]
    return target.area or str(city[0])


def chance(values: Floats, baseline: Baseline, direction: str) -> float:
    """Share of `values`, one a path, that reach the baseline, 0 to 1."""
    reached = values >= baseline.value if direction == "at_least" else values <= baseline.value
    return float(np.mean(reached))


def tenths(probability: float) -> int | None:
    """1 to 9 for 'about 6 in 10'; nothing below 5 % and above 95 %, where another word is said."""
    if probability < NEVER or probability > SURELY:
        return None
    return min(max(round(10 * probability), 1), 9)


def state_of(probability: float) -> State:
    """The state that follows from a chance as it is told, so that word and state agree."""
    told = tenths(probability)
    if told is None:
        return "on_course" if probability > SURELY else "off_course"
    return "on_course" if told >= ON_COURSE else "at_risk" if told >= AT_RISK else "off_course"


def changed(before: Iterable[Judged], after: Iterable[Judged]) -> list[tuple[Judged, State | None]]:
    """Targets whose state is not what it was, with what it was; nothing for a new target."""
    old = {judged.target.name: judged.verdict.state for judged in before}
    pairs = [(judged, old.get(judged.target.name)) for judged in after]
    return [(judged, was) for judged, was in pairs if was != judged.verdict.state]


def _judged(catalog: Catalog, target: Target, known: Known, today: date) -> Judged:
    entry = catalog.indicators.get(target.indicator or "")
    area = area_of(catalog, target)
    figures = known.outcomes(target.indicator or "", area, target.category)
    counted = bodies(catalog, target.publishing) if target.publishing else None
    found = _Sample()
    if counted:
        verdicts = [_computed(baseline, counted) for baseline in target.baselines]
    elif entry is None:
        verdicts = [Verdict(b, "unknown", "no_indicator") for b in target.baselines]
    elif target.period.end < today:
        verdicts = _settled(target, entry, figures)
    else:
        found, verdicts = _coming(target, entry, known, area)
    return Judged(
        target,
        target.title,
        target.title_en,
        entry.unit if entry else target.unit,
        (entry.unit_en or entry.unit) if entry else (target.unit_en or target.unit),
        entry.decimals if entry else 0,
        tuple(verdicts),
        _newest(figures.filter(pl.col("period_end") <= target.period.end)),
        arithmetic(catalog, target, entry, figures) if entry else None,
        counted,
        found.stand_in,
        found.simulated or bool(figures["simulated"].any()),
    )


def _rank(judged: Judged) -> tuple[bool, int, float, float]:
    """Settled last; then by state, by chance, and where there is none by what is asked of it."""
    verdict = judged.verdict
    gap = judged.arithmetic.gap if judged.arithmetic else None
    likely = 0.5 if verdict.chance is None else verdict.chance
    return (
        verdict.settled or verdict.reason == "no_outcome",
        STATES.index(verdict.state),
        likely,
        -(gap if gap is not None else -np.inf),
    )


# --- before the period is over ---------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Sample:
    """What may come of that which a target speaks of, one value a path; or why it is not known."""

    values: Floats | None = None
    reason: str | None = None
    detail: str | None = None
    until: date | None = None
    stand_in: bool = False
    simulated: bool = False


def _coming(
    target: Target, entry: Indicator, known: Known, area: str
) -> tuple[_Sample, list[Verdict]]:
    """By pace where there are past years enough, else by paths."""
    paced: list[Verdict] = []
    if target.measure == "cumulative":
        paced = _paced(target, entry, known, area)
        if all(verdict.chance is not None for verdict in paced):
            return _Sample(), paced
    found = _sample(target, entry, known, area)
    if found.values is None and paced:
        return found, paced
    return found, [_by_paths(target, baseline, found) for baseline in target.baselines]


def _sample(target: Target, entry: Indicator, known: Known, area: str) -> _Sample:
    ends: list[date] = []
    for frequency in SERIES_FREQUENCIES:
        ahead = known.ahead.get((entry.name, area, target.category, frequency.value))
        if ahead is None:
            continue
        seen = known.series.filter(
            indicator=entry.name, area=area, category=target.category, frequency=frequency.value
        )
        line = Line.of(frequency, seen).then(ahead.periods, ahead.paths)
        values = quantity(target, entry, line)
        if values is not None:
            return _Sample(values, stand_in=ahead.stand_in, simulated=ahead.simulated)
        ends.append(Period.containing(frequency, ahead.periods[-1]).end)
    if ends:
        return _Sample(reason="horizon", until=max(ends))
    return _why_not(target, entry, known, area)


def _why_not(target: Target, entry: Indicator, known: Known, area: str) -> _Sample:
    figures = known.outcomes(entry.name, area, target.category)
    refused = known.refusals.filter(indicator=entry.name, area=area, category=target.category)
    refused = refused.filter(pl.col("refused").is_not_null()).sort(pl.col("frequency") != "year")
    if figures.is_empty():
        return _Sample(reason="no_figures")
    if not refused.is_empty():
        return _Sample(reason="refused", detail=str(refused["refused"][0]))
    if len(figures.filter(frequency="year")) < LEAST_POINTS[Frequency.YEAR]:
        return _Sample(reason="refused", detail="too_short")
    return _Sample(reason="not_forecast")


def _by_paths(target: Target, baseline: Baseline, found: _Sample) -> Verdict:
    if found.values is None:
        return Verdict(baseline, "unknown", found.reason, found.detail, found.until)
    likely = chance(found.values, baseline, target.direction)
    low, middle, high = (float(q) for q in np.quantile(found.values, (0.1, 0.5, 0.9)))
    state = state_of(likely)
    return Verdict(baseline, state, chance=likely, expected=middle, lower=low, upper=high)


def _paced(target: Target, entry: Indicator, known: Known, area: str) -> list[Verdict]:
    figures = known.outcomes(entry.name, area, target.category)
    adds_up = entry.aggregate == "sum"
    shapes = None
    if target.shapes:
        lent = known.outcomes(entry.name, target.shapes, target.category)
        shapes = to_date(lent, adds_up=adds_up)
    frame = to_date(figures, adds_up=adds_up)
    year, now = target.period.end.year, known.months.get((entry.name, area))
    return [
        _pace_verdict(baseline, paced(frame, year, baseline.value, shapes, now, target.direction))
        for baseline in target.baselines
    ]


def _pace_verdict(baseline: Baseline, found: Pace) -> Verdict:
    if found.chance is None:
        return Verdict(baseline, "unknown", found.reason, pace=found)
    return Verdict(
        baseline,
        state_of(found.chance),
        chance=found.chance,
        lower=found.lower,
        upper=found.upper,
        pace=found,
    )


# --- when it is over, or counted here -----------------------------------------------------------


def _settled(target: Target, entry: Indicator, figures: pl.DataFrame) -> list[Verdict]:
    if target.measure != "cumulative":
        outcome = _outcome(target, entry, figures)
        return [_settled_verdict(target, b, outcome, None) for b in target.baselines]
    frame = to_date(figures, adds_up=entry.aggregate == "sum")
    year = target.period.end.year
    stood = [
        pace(frame, year, baseline.value, direction=target.direction)
        for baseline in target.baselines
    ]
    return [
        _settled_verdict(target, baseline, then.done if then.month == LAST_MONTH else None, then)
        for baseline, then in zip(target.baselines, stood, strict=True)
    ]


def _settled_verdict(
    target: Target, baseline: Baseline, outcome: float | None, stood: Pace | None
) -> Verdict:
    if outcome is None:
        return Verdict(baseline, "unknown", "no_outcome", pace=stood)
    reached = chance(np.array([outcome]), baseline, target.direction) > 0
    state: State = "on_course" if reached else "off_course"
    return Verdict(baseline, state, expected=outcome, pace=stood, settled=True)


def _outcome(target: Target, entry: Indicator, figures: pl.DataFrame) -> float | None:
    exact = figures.filter(period=target.period.start, period_end=target.period.end)
    if not exact.is_empty() and (target.measure != "growth" or entry.unit == "%"):
        return float(exact["value"][0])
    for frequency in SERIES_FREQUENCIES:
        line = Line.of(frequency, figures.filter(frequency=frequency.value))
        values = quantity(target, entry, line)
        if values is not None:
            return float(values[0])
    return None


def _computed(baseline: Baseline, counted: Bodies) -> Verdict:
    share = 100 * len(counted.publishing) / counted.asked
    if share >= baseline.value:
        return Verdict(baseline, "on_course", expected=share)
    return Verdict(baseline, "unknown", "one_reading", expected=share)


def _newest(figures: pl.DataFrame) -> Figure | None:
    if figures.is_empty():
        return None
    row = figures.row(0, named=True)
    kept = ("value", "frequency", "period", "period_end", "source_url", "as_of")
    return Figure(**{name: row[name] for name in kept}, source=row["source"] or "")
