"""What would each rule have rung, had it looked on earlier days, and what followed?

Every rule is held against history before it rings: on forecasts that did not know their outcome
(the backtest of the engine, bands from the errors of the other origins), or on the past alone. An
alert is confirmed by a real excess:

- `band`: one of the next two outcomes is beyond the 80 % band of the same forecast, same side
- `limit`: the limit was crossed within the periods looked at
- `backlog`: three months on at least half of the rise is still there
- `rising`: the next three months, which share none with the alert, are unusual as well (1 in 10)
- `break`: the step is still seen with all that is known today, half a year or more after
- `trend`: half a year or more after, the bend is still half as large
- `late`: a week after the alert the figure was still not there
- `drift`: three months on the same forecasts still drift
- `classifier`: over the next four weeks the topic is still half as far from where it was

Days are counted from the end of the period that rang to the end of the one that confirmed it. Of
`backlog` and `rising`, which are confirmed three months on by definition, they are counted to the
worst month of the year after, as far as it is known: 0 where it was never worse than when it rang.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from etl.periods import Frequency, Period
from etl.warehouse import Warehouse
from forecasts.adjust import freed_of
from forecasts.breaks import declared
from forecasts.decisions.alert_rules import (
    RECENT,
    Rising,
    Scene,
    Shifted,
    area_of,
    band_deviates,
    beyond,
    deliveries,
    drifting,
    due_by,
    panels_of,
    rising_panels,
    shifts_of,
    steps_in,
)
from forecasts.decisions.alerts import RULES, Rule
from forecasts.decisions.contacts import NEWS, Finding, classified, told_by, weekly
from forecasts.decisions.surprise import deviates, discoveries, two_sided
from forecasts.decisions.trends import Turn, lasting, turns_of
from forecasts.engine import Forecasts, forecast
from forecasts.issue import left_out_bands
from forecasts.ledger import LEVELS
from forecasts.panel import KEY, Floats, Panel
from forecasts.track_record import counted, replayed_scores, scores

MONTHS = 24
FOLLOWING = 2
"""Outcomes after the one that rang in which an excess must show."""
UNUSUAL = 1.2816
"""Normal deviate that one in ten exceeds."""
LATER = 3
"""Months after a rise, or a drift, at which it is looked at again."""
WORST_WITHIN = 12
"""Months after a rise among which the worst is looked for."""
TO_THE_WORST: tuple[Rule, ...] = ("backlog", "rising")
"""Rules whose days are those to the worst."""
TO_GOING_ON: tuple[Rule, ...] = ("drift",)
"""Rules whose alerts are real where what they tell of goes on."""
SETTLED = 6
"""Periods after which a step is believed to last."""
DAYS_A_MONTH = 30.44
CERTAIN: tuple[Rule, ...] = ("late",)
"""Rules whose alerts are facts, not chances."""
GRACE = timedelta(days=7)
LABEL_WEEKS = 104
OF_PERIODS = {Frequency.YEAR: 10, Frequency.QUARTER: 12}
"""Looks at series of longer periods, where 24 months hold too few."""


@dataclass(frozen=True)
class Case:
    """One figure that a rule looked at on one day of the past."""

    on: date
    rung: bool
    excess: bool | None
    """Whether a real excess followed; None where that is not known yet."""
    days: float | None = None
    """From the alert to the excess; below 0 where the alert came after what it tells of."""


@dataclass(frozen=True)
class Replayed:
    """A rule on history, for series that are all real or all simulated."""

    rule: Rule
    simulated: bool
    replayed_on: date
    since: date | None
    until: date | None
    looks: int
    outcomes: int
    rung: int
    decided: int
    confirmed: int
    days: float | None
    base: float | None
    false_rate: float


def summed(
    rule: Rule, simulated: bool, cases: Iterable[Case], today: date, false_rate: float
) -> Replayed:
    """The account of a rule; `cases` are all figures it looked at."""
    every = list(cases)
    rung = [case for case in every if case.rung]
    decided = [case for case in rung if case.excess is not None]
    quiet = [case.excess for case in every if not case.rung and case.excess is not None]
    confirmed = [case for case in decided if case.excess]
    days = [case.days for case in confirmed if case.days is not None]
    return Replayed(
        rule,
        simulated,
        today,
        min((case.on for case in every), default=None),
        max((case.on for case in every), default=None),
        len({case.on for case in every}),
        len(every),
        len(rung),
        len(decided),
        len(confirmed),
        float(np.median(days)) if days else None,
        float(np.mean(quiet)) if quiet else None,
        false_rate,
    )


def replay(scene: Scene) -> list[Replayed]:
    """Every rule on history, real and simulated series apart; nothing is written."""
    cases: dict[tuple[Rule, bool], list[Case]] = {}
    forecasts = list(_forecasts(scene))
    for rule, found in (
        ("band", _band(scene, forecasts)),
        ("limit", _limits(scene, forecasts)),
        ("backlog", _rises(scene, "backlog")),
        ("rising", _rises(scene, "rising")),
        ("late", _late(scene)),
        ("drift", _drift(scene)),
        ("classifier", _labels(scene)),
    ):
        for simulated, case in found:
            cases.setdefault((rule, simulated), []).append(case)  # type: ignore[arg-type]
    for one, simulated, case in _broken(scene):
        cases.setdefault((one, simulated), []).append(case)
    return [
        summed(rule, simulated, cases.get((rule, simulated), []), scene.today, scene.rate)
        for rule in RULES
        for simulated in (False, True)
    ]


def keep(warehouse: Warehouse, replayed: list[Replayed]) -> None:
    """Put the replay in the place of the one before."""
    warehouse.clear("alert_replay")
    warehouse.write("alert_replay", pl.DataFrame([asdict(one) for one in replayed]))


def kept(warehouse: Warehouse) -> list[Replayed]:
    """The last replay; none where there was none yet."""
    rows = warehouse.query("forecasts", "alert_replays")
    return [Replayed(**row) for row in rows.to_dicts()]


def allowed(replayed: Iterable[Replayed]) -> set[tuple[Rule, bool]]:
    """Rules that may ring, for real and for simulated series: those that history could be asked of.

    What is late is late against a promise, not against chance: replayed on either kind, it is
    allowed on both.
    """
    known = {(one.rule, one.simulated) for one in replayed if one.outcomes}
    certain = {(rule, made) for rule, _ in known if rule in CERTAIN for made in (False, True)}
    return known | certain


Cases = Iterator[tuple[bool, Case]]
"""Whether the series is simulated, and the case."""


# --- by the backtest of the engine -------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Tested:
    """A panel, what would have been said of it, and bands that do not know their origin."""

    panel: Panel
    simulated: np.ndarray
    forecasts: Forecasts
    bands: Floats
    """`(levels, origins, series, horizon)`."""


def _forecasts(scene: Scene) -> Iterator[Tested]:
    adjust = freed_of(declared(scene.catalog))
    for job, panel, simulated in panels_of(scene):
        made = forecast(panel, job.horizon, adjust=adjust)
        yield Tested(panel, simulated, made, left_out_bands(made))


def _band(scene: Scene, tested: list[Tested]) -> Cases:
    """All series that end a period on one day are looked at together, as in a look of today."""
    looks: dict[tuple[bool, date], list[tuple[Floats, list[Case]]]] = {}
    for one in tested:
        for origin, dropped in enumerate(one.forecasts.backtest.dropped):
            for made, on, p_value, cases in _looked(one, origin, dropped):
                looks.setdefault((made, on), []).append((p_value, cases))
    for (made, _), parts in looks.items():
        rings = discoveries(np.concatenate([p for p, _ in parts]), scene.rate)
        for ring, case in zip(rings, [case for _, cases in parts for case in cases], strict=True):
            yield made, Case(case.on, bool(ring), case.excess, case.days)


def _looked(
    one: Tested, origin: int, dropped: int
) -> Iterator[tuple[bool, date, Floats, list[Case]]]:
    observed, bands = one.forecasts.backtest.observed[origin], one.bands[:, origin]
    z = band_deviates(observed[:, 0], bands[:, :, 0], LEVELS)
    ends = _ends(one.panel, dropped, FOLLOWING + 1)
    for made in (False, True):
        rows = np.flatnonzero(np.isfinite(z) & (one.simulated == made))
        if len(rows):
            cases = [_followed(observed[row], bands[:, row], z[row], ends) for row in rows]
            yield made, ends[0], two_sided(z[rows]), cases


def _followed(observed: Floats, band: Floats, z: float, ends: list[date]) -> Case:
    """Whether one of the next outcomes lies outside the 80 % band, on the side of the first."""
    later = observed[1 : FOLLOWING + 1]
    known = np.isfinite(later)
    if not known.any():
        return Case(ends[0], False, None)
    high, low = band[5, 1 : FOLLOWING + 1], band[1, 1 : FOLLOWING + 1]
    out = later > high if z > 0 else later < low
    if out.any():
        return Case(ends[0], False, True, float((ends[1 + int(out.argmax())] - ends[0]).days))
    return Case(ends[0], False, False if known.all() or len(later) == known.sum() else None)


def _ends(panel: Panel, dropped: int, count: int) -> list[date]:
    """Last days of the periods after the origin that knows `dropped` periods less."""
    last = len(panel.periods) - dropped
    ahead = (*panel.periods[last:], *panel.ahead(count))[:count]
    return [Period.containing(panel.frequency, first).end for first in ahead]


def _limits(scene: Scene, tested: list[Tested]) -> Cases:
    for limit in scene.catalog.alerts.limits:
        key = (limit.indicator, area_of(scene.catalog, limit), limit.category)
        for one in tested:
            place = _row(one.panel, key)
            if place is None or one.panel.frequency.value != limit.frequency:
                continue
            for origin, dropped in enumerate(one.forecasts.backtest.dropped):
                observed = one.forecasts.backtest.observed[origin, place, : limit.within]
                if not np.isfinite(observed).all() or len(observed) < limit.within:
                    continue
                band = one.bands[:, origin, place, : limit.within]
                bound = np.full(
                    limit.within, limit.above if limit.above is not None else limit.below
                )
                z = deviates(bound, band, LEVELS)
                side = -z if limit.above is not None else z
                crossed = beyond(observed, limit)
                ends = _ends(one.panel, dropped, limit.within)
                start = one.panel.periods[len(one.panel.periods) - dropped]
                yield (
                    bool(one.simulated[place]),
                    Case(
                        start,
                        bool((_upper(side) >= limit.chance).any()),
                        bool(crossed.any()),
                        float((ends[int(crossed.argmax())] - start).days)
                        if crossed.any()
                        else None,
                    ),
                )


def _upper(deviate: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(ndtr(deviate))


def _row(panel: Panel, key: tuple[str, str, str]) -> int | None:
    found = [row for row, one in enumerate(panel.keys.select(KEY).iter_rows()) if one == key]
    return found[0] if found else None


# --- by the past alone -------------------------------------------------------------------------


def _rises(scene: Scene, rule: Rule) -> Cases:
    """A rise that rings month after month is one alert: that of its first month."""
    parts = list(rising_panels(scene, rule))
    for made in (False, True):
        mine = [part for part in parts if part.simulated == made]
        rang = np.zeros(sum(len(part.panel.keys) for part in mine), dtype=bool)
        for back in range(MONTHS, 0, -1) if mine else ():
            p_values = np.concatenate([_column(part.found.p_value, back) for part in mine])
            rings = np.asarray(discoveries(p_values, scene.rate), dtype=bool)
            news, rang = rings & ~rang, rings
            cases = [case for part in mine for case in _risen(part, back)]
            for ring, known, case in zip(news, np.isfinite(p_values), cases, strict=True):
                if known:
                    yield made, Case(case.on, bool(ring), case.excess, case.days)


def _column(values: Floats, back: int) -> Floats:
    """The column `back` periods before the last; NaN where there is none."""
    if back >= values.shape[1]:
        return np.full(len(values), np.nan)
    return values[:, -1 - back]


def _risen(part: Rising, back: int) -> list[Case]:
    place = len(part.panel.periods) - 1 - back
    if place < 0:
        return [Case(part.panel.periods[0], False, None)] * len(part.panel.keys)
    on = Period.containing(Frequency.MONTH, part.panel.periods[place]).end
    later = place + LATER
    if later >= len(part.panel.periods):
        return [Case(on, False, None)] * len(part.panel.keys)
    if part.rule == "backlog":
        values, before = part.panel.values, part.found.before[:, place]
        rise = values[:, place] - before
        known = np.isfinite(values[:, later]) & (rise > 0)
        excess = values[:, later] - before >= rise / 2
    else:
        values = part.found.deviate
        known = np.isfinite(values[:, later])
        excess = values[:, later] >= UNUSUAL
    days = _until_the_worst(values, part.panel, place)
    return [
        Case(on, False, bool(out) if seen else None, float(ahead))
        for out, seen, ahead in zip(excess, known, days, strict=True)
    ]


def _until_the_worst(values: Floats, panel: Panel, place: int) -> Floats:
    """Days from the end of a month to that of the highest among it and the next, `(series,)`."""
    there = values[:, place : place + WORST_WITHIN + 1]
    highest = np.where(np.isfinite(there), there, -np.inf).argmax(axis=1)
    ends = [
        Period.containing(Frequency.MONTH, month).end.toordinal()
        for month in panel.periods[place : place + there.shape[1]]
    ]
    return np.asarray(np.array(ends, dtype=np.float64)[highest] - ends[0])


def _broken(scene: Scene) -> Iterator[tuple[Rule, bool, Case]]:
    """Steps and bends: one look at the past of a panel serves both rules."""
    events = declared(scene.catalog)
    for now in scene.shifted:
        panel, last = now.panel, len(now.panel.periods) - 1
        final = _placed(panel, steps_in(now.shifts))
        told: set[tuple[int, int]] = set()
        turned: dict[int, int] = {}
        for origin in range(max(last - OF_PERIODS.get(panel.frequency, MONTHS), 0), last + 1):
            on = Period.containing(panel.frequency, panel.periods[origin]).end
            before = panel.until(origin)
            shifts = shifts_of(before, events, now.rate)
            fresh = _placed(panel, steps_in(shifts))
            bends = {one.row: one for one in turns_of(before, events, shifts, now.rate)}
            fresh = {one for one in fresh if one[0] not in bends}
            news = {one for one in fresh if origin - one[1] < RECENT[panel.frequency]} - {
                (row, at + off) for row, at in told for off in (-1, 0, 1)
            }
            told |= news
            rung = dict(news)
            bends = {row: one for row, one in bends.items() if _is_news(turned.get(row), one)}
            turned |= {row: one.column for row, one in bends.items()}
            for row in np.flatnonzero(np.isfinite(panel.values[:, origin])):
                made, place = bool(now.simulated[row]), int(row)
                yield "break", made, _stepped(panel, place, rung.get(place), on, final)
                yield "trend", made, _bent(now, before, bends.get(place), on)


def _is_news(told: int | None, turn: Turn) -> bool:
    """Whether no bend was told within half a year of it."""
    return told is None or abs(turn.column - told) > SETTLED


def _bent(now: Shifted, before: Panel, turn: Turn | None, on: date) -> Case:
    if turn is None:
        return Case(on, False, None)
    later = len(now.panel.periods) - len(before.periods)
    known = lasting(turn, before, now.panel, now.events, now.shifts) if later >= SETTLED else None
    return Case(on, True, known, float((before.periods[turn.column] - on).days))


def _stepped(panel: Panel, row: int, at: int | None, on: date, final: set[tuple[int, int]]) -> Case:
    if at is None:
        return Case(on, False, None)
    lasting = any((row, at + off) in final for off in (-1, 0, 1))
    known = len(panel.periods) - 1 - at >= SETTLED
    return Case(on, True, lasting if known else None, float((panel.periods[at] - on).days))


def _placed(panel: Panel, steps: pl.DataFrame) -> set[tuple[int, int]]:
    """Row and column of each step."""
    places = {period: column for column, period in enumerate(panel.periods)}
    return {(row, places[period]) for row, period in steps.select("series", "period").iter_rows()}


def _late(scene: Scene) -> Cases:
    since = scene.today - timedelta(days=round(MONTHS * DAYS_A_MONTH))
    for rows in deliveries(scene):
        for row, after in pairwise(rows):
            due, came = due_by(row), after["came"]
            if row["period_end"] >= since:
                rung, days = came > due, float((came - due).days)
                still = came > due + GRACE
                # What came before it was due was settled then; nobody looked on a later day.
                yield row["simulated"], Case(min(due, came), rung, still if rung else None, days)


def _labels(scene: Scene) -> Cases:
    for dataset in classified(scene.catalog):
        counts = weekly(scene.warehouse, dataset.name)
        weeks = counts["week"].unique().sort().to_list()
        told: set[tuple[str, date]] = set()
        for place in range(max(NEWS, len(weeks) - LABEL_WEEKS), len(weeks)):
            week = weeks[place]
            seen = told_by(counts.filter(pl.col("week") <= week))
            fresh = [
                one
                for one in seen.findings
                if one.week in weeks[place - NEWS + 1 : place + 1]
                and (one.kind, one.week) not in told
            ]
            told |= {(one.kind, one.week) for one in fresh}
            end = week + timedelta(days=6)
            if not fresh:
                yield dataset.simulated, Case(end, False, None)
            for one in fresh:
                still = _still(counts, one, week)
                yield dataset.simulated, Case(end, True, still, float((one.week - end).days))


def _still(counts: pl.DataFrame, one: Finding, week: date) -> bool | None:
    """Whether the share of the topic stays moved by half over the next weeks."""
    later = counts.filter(pl.col("week") > week)
    if later["week"].n_unique() < NEWS:
        return None
    later = later.filter(pl.col("week") <= week + timedelta(weeks=NEWS))
    numbers = later.select("topic", pl.col("number").cast(pl.Float64))
    mine = float(numbers.filter(topic=one.topic)["number"].sum())
    share = mine / max(float(numbers["number"].sum()), 1.0)
    if one.kind == "other":
        return bool(share >= one.before)
    moved = one.after - one.before
    return bool((share - one.before) * np.sign(moved) >= abs(moved) / 2)


def _drift(scene: Scene) -> Cases:
    """What was issued, and where nothing of it is known yet, what was replayed.

    A drift that goes on, or comes again within half a year, is one alert: that of its first month.
    """
    known = counted(scores(scene.warehouse))
    for made in (False, True):
        mine = known.filter(pl.col("simulated") == made)
        if mine.is_empty():
            mine = counted(replayed_scores(scene.warehouse)).filter(pl.col("simulated") == made)
        looks = [(end, *_drifts(mine, end, made)) for end in _ends_of_months(mine)]
        seen: dict[tuple[str, ...], int] = {}
        for place, (end, groups, series) in enumerate(looks):
            news = [one for one in series if place - seen.get(one, -MONTHS) > SETTLED]
            seen |= dict.fromkeys(series, place)
            later = looks[place + LATER] if place + LATER < len(looks) else None
            for one in news:
                again = later and one in later[2]
                yield made, Case(end, True, again, later and float((later[0] - end).days))
            for _ in range(groups - len(news)):
                yield made, Case(end, False, None)


def _ends_of_months(scored: pl.DataFrame) -> list[date]:
    """The last days of the last months, from the first outcome on; the last month to its newest."""
    if scored.is_empty():
        return []
    first, *_, last = [*sorted(scored["period_end"].unique().to_list())] * 2
    newest = Period.containing(Frequency.MONTH, last)
    months = [newest.next(-back) for back in range(MONTHS - 1, -1, -1)]
    return [min(month.end, last) for month in months if month.end >= first]


def _drifts(mine: pl.DataFrame, end: date, simulated: bool) -> tuple[int, set[tuple[str, ...]]]:
    """Groups that were looked at on a day, and those that drifted."""
    looked = drifting(mine.filter(pl.col("period_end") <= end), simulated=simulated)
    return looked.looked_at, {one.series for one in looked.alerts}
