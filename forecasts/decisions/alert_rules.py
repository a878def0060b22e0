"""The nine rules: each looks at the newest of every series and says which ring.

`band`: the newest outcome is outside what was forecast before it was known. `limit`: so many paths
of the forecast cross a declared limit. `backlog`: a stock of pending cases grows more than it ever
did. `rising`: a field in a commune rises more than elsewhere. `break`: a lasting step that nobody
declared. `trend`: a bend without a step (`forecasts.decisions.trends`). `late`: no newer figure
although one was due. `drift`: forecasts are no longer as sure as they say (`forecasts.drift`).
`classifier`: the labels of petitions and calls are no longer what they were
(`forecasts.decisions.contacts`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from etl.catalog import Catalog, Limit
from etl.freshness import patience
from etl.periods import Frequency, Period
from etl.warehouse import Warehouse
from forecasts import drift
from forecasts.breaks import Break, LevelShifts, declared, level_shifts
from forecasts.decisions.alerts import RULES, Alert, Looked, Rule
from forecasts.decisions.contacts import RATE, Finding, classified, recent, watched
from forecasts.decisions.paths import paths_of
from forecasts.decisions.rises import BACKLOG, FIELD, Rises, Shape, rises
from forecasts.decisions.surprise import deviates, discoveries, two_sided
from forecasts.decisions.trends import Turn, turns_of
from forecasts.panel import KEY, Floats, Panel
from forecasts.request import Job, find, jobs, panels
from forecasts.track_record import counted, scores

RECENT = {Frequency.MONTH: 12, Frequency.QUARTER: 6, Frequency.YEAR: 5, Frequency.WEEK: 26}
"""Periods from a step to now after which it is no news."""
CADENCES = {"day": 4, "week": 14, "month": 60, "quarter": 150, "year": 10_000}
"""Most days between deliveries, on the mean, that still are of this frequency."""
PROMISED = {"DAILY": "day", "MONTHLY": "month", "QUARTERLY": "quarter", "ANNUAL": "year"}
STEPS = ("step", "shared_step")
FEWEST_DELIVERED = 6
"""Periods that a dataset must have delivered before another one is due."""
COUNT = 20.0
"""Whole numbers with a smaller expectation are believed to vary as counts do, at least."""


@dataclass(frozen=True)
class Scene:
    """What a look stands on."""

    warehouse: Warehouse
    catalog: Catalog
    today: date
    of: frozenset[str] | None = None
    """Indicators and datasets of which alerts are asked for; `None`: of all. What is compared with
    others is compared with all of them in any case."""
    series: int | None = None
    """Series looked at for steps, of all indicators, where that is known already."""

    def asks_for(self, names: Iterable[str]) -> bool:
        """Whether alerts of any of these are asked for."""
        return self.of is None or not self.of.isdisjoint(names)

    @property
    def rate(self) -> float:
        """Share of the alerts of a look that may be false."""
        return self.catalog.alerts.false_rate

    @cached_property
    def shifted(self) -> list["Shifted"]:
        """Every panel with its steps, for the rules that ask for them."""
        events, asked = declared(self.catalog), list(panels_of(self))
        series = self.series or sum(len(panel.keys) for _, panel, _ in asked)
        rate = self.rate / max(series, 1)
        return [Shifted(*one, events, shifts_of(one[1], events, rate), rate) for one in asked]


@dataclass(frozen=True, eq=False)
class Shifted:
    """A panel, which of its series are simulated, and its steps; `rate` is that of one series."""

    job: Job
    panel: Panel
    simulated: np.ndarray
    events: Sequence[Break]
    shifts: LevelShifts
    rate: float

    @cached_property
    def turns(self) -> list[Turn]:
        """The bends of its series."""
        return turns_of(self.panel, self.events, self.shifts, self.rate)


def look(scene: Scene, rules: tuple[Rule, ...] = RULES) -> list[Looked]:
    """What these rules ring for now; real and simulated series apart."""
    return [looked for rule in rules for looked in LOOKS[rule](scene)]


def _apart(rule: Rule, found: list[Alert], real: int, simulated: int) -> list[Looked]:
    return [
        Looked(rule, made, looked, tuple(one for one in found if one.simulated == made))
        for made, looked in ((False, real), (True, simulated))
        if looked
    ]


# --- outside the band --------------------------------------------------------------------------


def band_deviates(observed: Floats, quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """`deviates`, of small counts never as if they varied less than counts do."""
    middle = quantiles[list(levels).index(0.5)]
    whole = (observed == np.rint(observed)) & (quantiles[0] >= 0) & (middle < COUNT)
    least = np.where(whole, np.sqrt(np.maximum(middle, 1.0)), 0.0)
    return deviates(observed, quantiles, levels, least)


def _band(scene: Scene) -> list[Looked]:
    rows = scene.warehouse.query("forecasts", "alert_outcomes")
    looked = []
    for made in (False, True):
        mine = rows.filter(pl.col("simulated") == made)
        if not mine.is_empty():
            looked.append(_outside(mine, made, scene.rate))
    return looked


def _outside(rows: pl.DataFrame, simulated: bool, rate: float) -> Looked:
    # Engines may state other levels: one matrix for each list of them.
    parts = rows.with_columns(asked=pl.col("levels").cast(pl.List(pl.String)).list.join(" "))
    found = []
    for part in parts.partition_by("asked", maintain_order=True):
        levels = tuple(part["levels"][0])
        quantiles = np.array(part["quantiles"].to_list()).T
        z = band_deviates(part["observed"].to_numpy(), quantiles, levels)
        found.append(
            part.drop("asked", "levels", "quantiles").with_columns(
                surprise=pl.Series(np.abs(z)).fill_nan(None),
                p_value=pl.Series(two_sided(z)).fill_nan(None),
                expected=pl.Series(quantiles[levels.index(0.5)]),
                lower=pl.Series(quantiles[0]),
                upper=pl.Series(quantiles[-1]),
            )
        )
    judged = pl.concat(found).filter(pl.col("p_value").is_not_null())
    outside = ~pl.col("observed").is_between("lower", "upper")
    rings = discoveries(judged["p_value"].to_numpy(), rate)
    ringing = judged.filter(pl.Series(rings)).filter(outside)
    alerts = tuple(_band_alert(row, rate, len(judged)) for row in ringing.to_dicts())
    return Looked("band", simulated, len(judged), alerts)


def _band_alert(row: dict[str, Any], rate: float, looked_at: int) -> Alert:
    named = {name: row[name] for name in ("area", "level", "category", "frequency", "period")}
    measured = {name: row[name] for name in ("surprise", "expected", "lower", "upper", "p_value")}
    return Alert(
        rule="band",
        subject=row["indicator"],
        value=row["observed"],
        simulated=row["simulated"],
        period_end=row["period_end"],
        since=row["period"],
        false_rate=rate,
        looked_at=looked_at,
        **named,
        **measured,
    )


# --- a limit ahead -----------------------------------------------------------------------------


def _limit(scene: Scene) -> list[Looked]:
    limits = scene.catalog.alerts.limits
    if not limits:
        return []
    places = {limit.name: area_of(scene.catalog, limit) for limit in limits}
    names = sorted({limit.indicator for limit in limits})
    ahead = paths_of(scene.warehouse, names, sorted(set(places.values())))
    found, looked = [], [0, 0]
    for limit in limits:
        seen = ahead.get((limit.indicator, places[limit.name], limit.category, limit.frequency))
        if seen is None:
            continue
        looked[seen.simulated] += 1
        steps = min(limit.within, seen.paths.shape[1])
        crossed = beyond(seen.paths[:, :steps], limit)
        share = float(np.mean(crossed.any(axis=1)))
        if share < limit.chance:
            continue
        first = int(np.argmax(crossed.mean(axis=0) >= min(0.5, crossed.mean(axis=0).max())))
        frequency = Frequency(limit.frequency)
        found.append(
            Alert(
                "limit",
                seen.simulated,
                limit.indicator,
                places[limit.name],
                level_of(scene.catalog, places[limit.name]),
                limit.category,
                limit.frequency,
                seen.periods[first],
                Period.containing(frequency, seen.periods[first]).end,
                since=seen.periods[0],
                surprise=4 * share,
                expected=float(np.median(seen.paths[:, first])),
                chance=share,
                bound=limit.above if limit.above is not None else limit.below,
                looked_at=len(limits),
                detail=limit.name,
            )
        )
    return _apart("limit", found, *looked)


def beyond(values: Floats, limit: Limit) -> np.ndarray:
    """Whether each value is on the wrong side."""
    if limit.above is not None:
        return np.asarray(values > limit.above)
    return np.asarray(values < (limit.below or 0.0))


def area_of(catalog: Catalog, limit: Limit) -> str:
    """Code of the area of a limit: the city, unless it is told."""
    areas = catalog.map.areas
    city = areas.filter((pl.col("level") == "city") & pl.col("valid_to").is_null())["code"]
    return limit.area or str(city[0])


def level_of(catalog: Catalog, code: str) -> str:
    """Level of an area that exists today, or did last."""
    areas = catalog.map.areas.filter(pl.col("code") == code)
    return str(areas.sort(pl.col("valid_to").is_null())["level"][-1])


# --- rises -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Rising:
    """The rises of one panel of siblings."""

    rule: Rule
    level: str
    panel: Panel
    simulated: bool
    found: Rises
    shape: Shape


def rising_panels(scene: Scene, rule: Rule) -> Iterator[Rising]:
    """The panels that the rule looks at, with what is unusual in each."""
    if rule == "backlog":
        asked = [
            (name, level, False, BACKLOG)
            for name in _stocks(scene.catalog)
            for level in ("commune", "city")
        ]
    else:
        asked = [(name, "commune", True, FIELD) for name in _fields(scene.catalog)]
    if not scene.asks_for(name for name, *_ in asked):
        return
    for name, level, by_category, shape in asked:
        rows = scene.warehouse.query(
            "forecasts",
            "alert_panel",
            indicators=[name],
            level=level,
            by_category=by_category,
            today=scene.today,
        )
        if rows.is_empty():
            continue
        panel = Panel.from_frame(rows, Frequency.MONTH)
        if np.nanmin(panel.values) >= 0:
            yield Rising(
                rule, level, panel, bool(rows["simulated"].any()), rises(panel, shape), shape
            )


def _stocks(catalog: Catalog) -> list[str]:
    """Indicators that count what is open at the end of a month, and better were less."""
    return [
        indicator.name
        for dataset in catalog.resources
        for indicator in dataset.described
        if indicator.better == "down"
        and any(
            measure.stock and measure.name == indicator.value
            for table in dataset.tables
            for measure in table.measures
        )
    ]


def _fields(catalog: Catalog) -> list[str]:
    """Sums that are forecast by field and commune each month."""
    return sorted(
        {
            indicator.name
            for job in jobs(catalog)
            for indicator in job.indicators
            if job.by_category and job.level == "commune" and job.frequency is Frequency.MONTH
            if indicator.aggregate == "sum"
        }
    )


def _rises(rule: Rule) -> Callable[[Scene], list[Looked]]:
    def looked(scene: Scene) -> list[Looked]:
        parts = list(rising_panels(scene, rule))
        return [
            _of_rises(rule, [part for part in parts if part.simulated == made], made, scene.rate)
            for made in (False, True)
            if any(part.simulated == made for part in parts)
        ]

    return looked


def _of_rises(rule: Rule, parts: list[Rising], simulated: bool, rate: float) -> Looked:
    p_values = np.concatenate([part.found.p_value[:, -1] for part in parts])
    rings = discoveries(p_values, rate)
    looked_at, start, alerts = int(np.isfinite(p_values).sum()), 0, []
    for part in parts:
        mine = rings[start : start + len(part.panel.keys)]
        start += len(mine)
        alerts += [_rise_alert(part, int(row), rate, looked_at) for row in np.flatnonzero(mine)]
    return Looked(rule, simulated, looked_at, tuple(alerts))


def _rise_alert(part: Rising, row: int, rate: float, looked_at: int) -> Alert:
    indicator, area, category = part.panel.keys.select(KEY).row(row)
    window = part.shape.window
    return Alert(
        part.rule,
        part.simulated,
        indicator,
        area,
        part.level,
        category,
        "month",
        part.panel.origin,
        Period.containing(Frequency.MONTH, part.panel.origin).end,
        since=part.panel.periods[-max(window, part.shape.lag if window == 1 else window)],
        surprise=float(part.found.deviate[row, -1]),
        value=float(part.found.size[row, -1]),
        expected=float(part.found.before[row, -1]),
        p_value=float(part.found.p_value[row, -1]),
        false_rate=rate,
        looked_at=looked_at,
    )


# --- breaks ------------------------------------------------------------------------------------


def _breaks(scene: Scene) -> list[Looked]:
    looked = _kinds(scene.shifted)
    found: list[Alert] = []
    for one in scene.shifted:
        oldest, bent = _oldest(one.panel), {turn.row for turn in one.turns}
        for row in steps_in(one.shifts).to_dicts():
            if row["period"] >= oldest and row["series"] not in bent:
                found.append(
                    _break_alert(one.job, one.panel, one.simulated, row, scene.rate, looked)
                )
    return _apart("break", found, *looked)


def _kinds(shifted: Sequence[Shifted]) -> list[int]:
    """Real and simulated series among them."""
    return [sum(int((one.simulated == made).sum()) for one in shifted) for made in (False, True)]


def _oldest(panel: Panel) -> date:
    """The first period of which a step is still news."""
    return panel.periods[-min(RECENT[panel.frequency], len(panel.periods))]


def shifts_of(panel: Panel, events: Sequence[Break], false_rate: float) -> LevelShifts:
    """Steps of a panel; `false_rate` is the share of series of normal chance in which there is one
    that nobody declared."""
    with np.errstate(all="ignore"):
        return level_shifts(panel, events, false_rate=false_rate)


def steps_in(shifts: LevelShifts) -> pl.DataFrame:
    """Steps that nobody declared: rows of `LevelShifts.detected`."""
    return shifts.detected.filter(pl.col("kind").is_in(STEPS))


def panels_of(scene: Scene) -> Iterator[tuple[Job, Panel, np.ndarray]]:
    """Every panel that is forecast, but those of days, and which of its series are simulated."""
    for job in jobs(scene.catalog):
        if job.frequency not in RECENT:
            continue
        if scene.series and not scene.asks_for(one.name for one in job.indicators):
            continue  # the others are only counted
        found = find(scene.warehouse, job, scene.today)
        made = found.series.select(*KEY, "simulated")
        for panel in panels(found):
            keys = panel.keys.join(
                made, on=KEY, how="left", maintain_order="left", nulls_equal=True
            )
            yield job, panel, keys["simulated"].to_numpy().astype(bool)


def _break_alert(
    job: Job,
    panel: Panel,
    simulated: np.ndarray,
    row: dict[str, Any],
    rate: float,
    looked: list[int],
) -> Alert:
    place = row["series"]
    indicator, area, category = panel.keys.select(KEY).row(place)
    at = panel.periods.index(row["period"])
    before, after = panel.values[place, max(at - panel.season, 0) : at], panel.values[place, at:]
    return Alert(
        "break",
        bool(simulated[place]),
        indicator,
        area,
        job.level,
        category,
        job.frequency.value,
        panel.periods[at],
        Period.containing(job.frequency, panel.periods[at]).end,
        since=panel.periods[at],
        surprise=abs(row["evidence"]),
        value=_mean(after),
        expected=_mean(before),
        false_rate=rate,
        looked_at=looked[bool(simulated[place])],
    )


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


# --- trends ------------------------------------------------------------------------------------


def _trends(scene: Scene) -> list[Looked]:
    looked = _kinds(scene.shifted)
    found = [
        _trend_alert(one, turn, scene.rate, looked) for one in scene.shifted for turn in one.turns
    ]
    return _apart("trend", found, *looked)


def _trend_alert(one: Shifted, turn: Turn, rate: float, looked: list[int]) -> Alert:
    indicator, area, category = one.panel.keys.select(KEY).row(turn.row)
    since, made = one.panel.periods[turn.column], bool(one.simulated[turn.row])
    return Alert(
        "trend",
        made,
        indicator,
        area,
        one.job.level,
        category,
        one.job.frequency.value,
        since,
        Period.containing(one.job.frequency, since).end,
        since=since,
        surprise=abs(turn.evidence),
        value=turn.after,
        expected=turn.before,
        p_value=turn.p_value,
        false_rate=rate,
        looked_at=looked[made],
    )


# --- late --------------------------------------------------------------------------------------


def _late(scene: Scene) -> list[Looked]:
    newest = [rows[-1] for rows in deliveries(scene)]
    looked = [sum(row["simulated"] == made for row in newest) for made in (False, True)]
    found = [
        _late_alert(scene, row, looked[row["simulated"]])
        for row in newest
        if scene.today > due_by(row)
    ]
    return _apart("late", found, *looked)


def deliveries(scene: Scene) -> list[list[dict[str, Any]]]:
    """Of each dataset that delivers regularly, its deliveries, oldest first.

    A delivery brings periods that were not there before: dataset, frequency, came (the day), period
    and period_end (of its newest), simulated, cadence (a frequency: how often deliveries are due).
    """
    rows = scene.warehouse.query("forecasts", "alert_newest", today=scene.today)
    regular = rows.filter(
        pl.col("frequency").is_in(list(CADENCES))
        & (pl.col("periods").sum().over("dataset", "frequency") >= FEWEST_DELIVERED)
    )
    rank = pl.col("frequency").replace_strict(
        {name: place for place, name in enumerate(CADENCES)}, return_dtype=pl.Int8
    )
    shortest = regular.filter(rank == rank.min().over("dataset"))
    found = []
    for part in shortest.partition_by("dataset", maintain_order=True):
        cadence = _cadence(scene.catalog, part)
        newer = part["period_end"] > part["period_end"].shift(1).cum_max()
        if cadence:
            rows_of = part.filter(newer.fill_null(value=True))
            found.append(rows_of.with_columns(cadence=pl.lit(cadence)).to_dicts())
    return found


def _cadence(catalog: Catalog, part: pl.DataFrame) -> str | None:
    """As the catalog promises; else as deliveries came, or as long as their periods are."""
    dataset = catalog.datasets.get(part["dataset"][0])
    promise = dataset.publish.frequency if dataset and dataset.publish else ""
    if promise == "IRREG":
        return None
    own = str(part["frequency"][0])
    gaps = part["came"].unique().sort().diff().dt.total_days().drop_nulls()
    if promise not in PROMISED and len(gaps) >= FEWEST_DELIVERED:
        usual = float(gaps.to_numpy().astype(float).mean())
        seen = next((name for name, days in CADENCES.items() if usual <= days), "year")
    else:
        seen = PROMISED.get(promise, own)
    return max(own, seen, key=list(CADENCES).index)


def due_by(delivery: dict[str, Any]) -> date:
    """The last day on which it is no surprise that nothing newer has come."""
    period: date = delivery["period"]
    end: date = delivery["period_end"]
    return end + timedelta(days=patience(delivery["cadence"], period, end))


def _late_alert(scene: Scene, row: dict[str, Any], looked_at: int) -> Alert:
    due = due_by(row)
    late = (scene.today - due).days
    return Alert(
        rule="late",
        subject=row["dataset"],
        area="",
        level="",
        category="total",
        since=due,
        surprise=min(late / 30, 3.0),
        value=float(late),
        looked_at=looked_at,
        **{name: row[name] for name in ("simulated", "frequency", "period", "period_end")},
    )


# --- drift -------------------------------------------------------------------------------------


def _drift(scene: Scene) -> list[Looked]:
    known = since_closed(counted(scores(scene.warehouse)), scene.warehouse)
    return [
        drifting(known.filter(pl.col("simulated") == made), simulated=made)
        for made in (False, True)
        if known.filter(pl.col("simulated") == made).height
    ]


def since_closed(known: pl.DataFrame, warehouse: Warehouse) -> pl.DataFrame:
    """Scores less those of outcomes before the day on which a drift of their series was closed.

    Else what was seen to and closed would ring month after month, until its past weighs little.
    """
    closed = warehouse.query("forecasts", "drift_closed")
    fresh = pl.col("closed_on").is_null() | (pl.col("period_end") > pl.col("closed_on"))
    joined = known.join(closed, on=["indicator", "level", "frequency"], how="left")
    return joined.filter(fresh).drop("closed_on")


def drifting(known: pl.DataFrame, *, simulated: bool) -> Looked:
    """What drifts in scores that count once, all real or all simulated: once a group, by the
    surest of its signs.
    """
    groups = known.select(drift.GROUP).unique().height
    surest: dict[tuple[str, str, str], drift.Alert] = {}
    for one in drift.alerts(known, simulated=simulated):
        surest.setdefault((one.indicator, one.level, one.frequency), one)
    alerts = tuple(_drift_alert(one, groups) for one in surest.values())
    return Looked("drift", simulated, groups, alerts)


def _drift_alert(one: drift.Alert, groups: int) -> Alert:
    return Alert(
        "drift",
        one.simulated,
        one.indicator,
        "",
        one.level,
        "total",
        one.frequency,
        one.until,
        Period.containing(Frequency(one.frequency), one.until).end,
        since=one.since,
        surprise=2.5,
        value=None if one.seen is None else 100 * one.seen,
        expected=None if one.nominal is None else 100 * one.nominal,
        p_value=one.p_value,
        false_rate=one.false_rate,
        looked_at=groups,
        detail=one.kind if one.nominal is None else f"{one.kind}_{round(100 * one.nominal)}",
    )


# --- labels of petitions and calls -------------------------------------------------------------


def _classifier(scene: Scene) -> list[Looked]:
    looked = []
    for dataset in classified(scene.catalog):
        if not scene.asks_for([dataset.name]):
            continue
        weeks = watched(scene.warehouse, dataset.name, scene.today)
        rung = [
            label_alert(dataset.name, dataset.simulated, one, weeks.tested) for one in recent(weeks)
        ]
        if weeks.tested:
            looked.append(Looked("classifier", dataset.simulated, weeks.tested, tuple(rung)))
    return looked


def label_alert(dataset: str, simulated: bool, one: Finding, tested: int) -> Alert:
    """A finding on the labels of a dataset as what rings; `tested` weeks were looked at."""
    return Alert(
        "classifier",
        simulated,
        dataset,
        "",
        "",
        one.topic,
        "week",
        one.week,
        Period.containing(Frequency.WEEK, one.week).end,
        since=one.week,
        surprise=3.0,
        value=100 * one.after,
        expected=100 * one.before,
        p_value=None if np.isnan(one.probability) else one.probability,
        false_rate=None if np.isnan(one.probability) else RATE,
        looked_at=tested,
        detail=f"{one.kind}_{one.version}",
    )


LOOKS: dict[Rule, Callable[[Scene], list[Looked]]] = {
    "band": _band,
    "limit": _limit,
    "backlog": _rises("backlog"),
    "rising": _rises("rising"),
    "break": _breaks,
    "trend": _trends,
    "late": _late,
    "drift": _drift,
    "classifier": _classifier,
}
