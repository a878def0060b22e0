"""Will it be reached? Each target of the catalog, judged by each of its baselines.

The chance is the share of the forecast's sample paths that reach the value, each path taken whole:
growth and sums are made along it, and a month that runs is completed from its days first. What
comes together within a year is judged by how past years went on (`pace`), a growth that the engine
refuses by the growths published (`past_growth`). Else the state is `unknown`, with a reason:

- `no_indicator`, `no_figures`: nobody reports it; no outcome has been loaded
- `refused`, `not_forecast`: its forecast was refused (`detail`), or is not asked for
- `horizon`: the forecast ends before the period does (`until`)
- `gap`: the series it would be made from ended (`until`) years before the newest figure
- `no_months`, `few_years`: nothing of the year yet; fewer than three past years to go by
- `nothing_yet`: what is known of the year is nothing, and no past year that it could go on like was
- `one_reading`: computed here, and known for today alone
- `no_outcome`: the period is over, and its figure is not published
"""

from collections.abc import Iterable
from dataclasses import dataclass
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
from forecasts.decisions.past_growth import grown
from forecasts.decisions.paths import Ahead, Key, paths_of
from forecasts.decisions.running import Running, paced, running, running_share, through
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
DAILY = ("city", "commune")
"""Levels of which days are kept."""
SHORT = (Frequency.DAY.value, Frequency.WEEK.value)
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
    grown: tuple[int, int] | None = None
    """First and last year of the published growths it rests on, where no forecast is there."""


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
        targets = catalog.all_targets
        names = sorted({t.indicator for t in targets if t.indicator})
        areas = {code for t in targets for code in (area_of(catalog, t), t.shapes) if code}
        asked = {"indicators": names, "areas": sorted(areas)}
        return cls(
            warehouse.query("forecasts", "target_figures", **asked, today=today),
            warehouse.query("forecasts", "target_series", **asked, today=today),
            warehouse.query("forecasts", "target_refusals", **asked),
            paths_of(warehouse, asked["indicators"], asked["areas"]),
            _months(warehouse, catalog, today),
        )

    def coming(
        self, indicator: str, area: str, category: str, frequency: Frequency
    ) -> Ahead | None:
        """The paths of a series; those of months go through what the month that runs comes to."""
        ahead = self.ahead.get((indicator, area, category, frequency.value))
        now = self.months.get((indicator, area)) if category == "total" else None
        if ahead is None or now is None or frequency is not Frequency.MONTH:
            return ahead
        return through(ahead, now)

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
    """What the month that runs comes to, of whatever has days, and is not over."""
    levels = dict(catalog.map.areas.select("code", "level").iter_rows())
    asked = {
        (target.indicator, area)
        for target in catalog.all_targets
        if target.indicator and target.category == "total" and target.period.end >= today
        for area in [area_of(catalog, target)]
        if levels.get(area) in DAILY
    }
    found = {
        (name, area): _month(
            warehouse, catalog, catalog.indicators[name], levels[area], area, today
        )
        for name, area in sorted(asked)
    }
    return {key: now for key, now in found.items() if now is not None}


def _month(
    warehouse: Warehouse, catalog: Catalog, entry: Indicator, level: str, area: str, today: date
) -> Running | None:
    if _adds_up(entry):
        return running(warehouse, catalog, entry.name, level, area, today)
    parts = [catalog.indicators.get(name or "") for name in (entry.numerator, entry.denominator)]
    if all(part is not None and _adds_up(part) for part in parts):
        return running_share(warehouse, catalog, entry, level, area, today)
    return None


def _adds_up(entry: Indicator) -> bool:
    return entry.aggregate == "sum" and not entry.compute


def judge(warehouse: Warehouse, catalog: Catalog, today: date) -> list[Judged]:
    """Every target of the catalog, worst first; what is settled comes last."""
    if not catalog.all_targets:
        return []
    return judged(catalog, Known.read(warehouse, catalog, today), today)


def judged(catalog: Catalog, known: Known, today: date) -> list[Judged]:
    """The same from what is known already: what if the paths were others?"""
    found = (_judged(catalog, target, known, today) for target in catalog.all_targets)
    return sorted(found, key=_rank)


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
    grown: tuple[int, int] | None = None


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
        ahead = known.coming(entry.name, area, target.category, frequency)
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
        return _too_short(target, entry, known, area, max(ends))
    return _by_past_growth(target, entry, known, area) or _why_not(target, entry, known, area)


def _by_past_growth(target: Target, entry: Indicator, known: Known, area: str) -> _Sample | None:
    """Of a growth that is published for years and for several years together."""
    if target.measure != "growth" or entry.unit != "%":
        return None
    outcomes = known.outcomes(entry.name, area, target.category)
    found = grown(outcomes, target.period.end.year)
    if found is None:
        return None
    line = Line.of(Frequency.YEAR, outcomes.filter(frequency="year").unique("period"))
    values = quantity(target, entry, line.then(found.periods, found.paths))
    return None if values is None else _Sample(values, grown=(found.since, found.until))


def _too_short(target: Target, entry: Indicator, known: Known, area: str, until: date) -> _Sample:
    """The forecast ends too early; where newer years are known but none between, that is why."""
    key = (entry.name, area, target.category, Frequency.YEAR.value)
    yearly = known.outcomes(*key[:3]).filter(frequency="year")["period"]
    if key in known.ahead and len(yearly):
        last = known.ahead[key].periods[0].year - 1
        if yearly[0].year > last + 1:
            return _Sample(reason="gap", until=date(last, 12, 31))
    return _Sample(reason="horizon", until=until)


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
    return Verdict(
        baseline, state, chance=likely, expected=middle, lower=low, upper=high, grown=found.grown
    )


def _paced(target: Target, entry: Indicator, known: Known, area: str) -> list[Verdict]:
    figures = known.outcomes(entry.name, area, target.category)
    adds_up = entry.aggregate == "sum"
    shapes = None
    if target.shapes:
        lent = known.outcomes(entry.name, target.shapes, target.category)
        shapes = to_date(lent, adds_up=adds_up)
    frame = to_date(figures, adds_up=adds_up)
    now = known.months.get((entry.name, area)) if adds_up else None
    year = target.period.end.year
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
    """The last figure; a day or week only where nothing longer is known: it tells no standing."""
    longer = figures.filter(~pl.col("frequency").is_in(SHORT))
    if figures.is_empty():
        return None
    row = (figures if longer.is_empty() else longer).row(0, named=True)
    kept = ("value", "frequency", "period", "period_end", "source_url", "as_of")
    return Figure(**{name: row[name] for name in kept}, source=row["source"] or "")
