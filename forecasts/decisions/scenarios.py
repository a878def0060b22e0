"""What if: a scenario beside the base, on the same sample paths, as numbers of dossiers and load.

The base are the issued paths of the city; those of fields, and of communes by field, are scaled
along each path so that they add up to it: the city shown here is the city issued. A scenario
changes each path by its levers, so that base and scenario share all that is not known of the
future, and the band of their difference is that of the assumptions and of what they act on.

Nothing here says that a lever causes anything: it says what follows if an assumption holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from etl.catalog import Catalog, Effect, Lever, Scenarios
from etl.errors import ForesightError
from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.decisions.elasticities import across_communes
from forecasts.decisions.levers import WHOLE, Calendar, Elasticity, Setting, checked, moved, powered
from forecasts.decisions.paths import Ahead, Key
from forecasts.decisions.targets import Judged, Known, judged
from forecasts.panel import Floats, steps

Ints = NDArray[np.int64]
TOTAL = "total"
LEVELS = (0.1, 0.5, 0.9)
"""A band is the 80 % interval around its median."""
Pools = Mapping[str, Elasticity]
"""Elasticities to population estimated here, by field."""


class NoBase(ForesightError):
    """There is nothing that a scenario could be compared with."""


@dataclass(frozen=True)
class Band:
    """Median and 80 % interval over the paths."""

    lower: float
    middle: float
    upper: float

    @classmethod
    def of(cls, values: Floats) -> "Band":
        """`values` has one value a path."""
        lower, middle, upper = (float(at) for at in np.quantile(values, LEVELS))
        return cls(lower, middle, upper)


@dataclass(frozen=True, eq=False)
class Base:
    """Joint monthly paths of every commune and field; what is above them are their sums."""

    city: str
    """Its code."""
    areas: tuple[str, ...]
    """Codes of communes."""
    fields: tuple[str, ...]
    periods: tuple[date, ...]
    paths: Floats
    """`(fields, count, areas, h)`, dossiers a month."""
    issue: int
    simulated: bool
    absent: int = 0
    """Cells without a forecast: what they receive is with the other cells of the city."""

    @property
    def count(self) -> int:
        """How many paths there are."""
        return int(self.paths.shape[1])

    @property
    def calendar(self) -> Calendar:
        """Its months."""
        return Calendar(self.periods[0], Frequency.MONTH, self.periods)

    @classmethod
    def read(cls, warehouse: Warehouse, scenarios: Scenarios) -> "Base":
        """The paths issued last.

        Raises:
            NoBase: no paths of the city and its communes are stored.
        """
        found = warehouse.query("forecasts", "scenario_paths", indicator=scenarios.indicator)
        found = found.filter(pl.col("origin") == pl.col("origin").max())
        city, communes = (found.filter(level=level) for level in ("city", "commune"))
        if city.filter(category=TOTAL).is_empty() or communes.is_empty():
            raise NoBase(
                f"no paths of {scenarios.indicator} are forecast for the city and its communes",
                hint="ask for them in the catalog (grains: [city, commune]), then: foresight "
                "refresh",
            )
        by_field = communes.filter(pl.col("category") != TOTAL)
        cells = communes if by_field.is_empty() else by_field
        areas, fields = (tuple(cells[name].unique().sort()) for name in ("area", "category"))
        whole = city.filter(category=TOTAL)
        count, horizon = int(whole["count"][0]), int(whole["horizon"][0])
        paths = np.zeros((len(fields), count, len(areas), horizon))
        for place, path in _placed(cells, areas, fields, (count, horizon)):
            paths[place[0], :, place[1]] = path
        of_fields = {
            fields.index(field): path
            for field, path in _each(city, "category", (count, horizon))
            if field in fields
        }
        _scale(paths, of_fields, _stacked(whole, (count, horizon))[0])
        return cls(
            str(whole["area"][0]),
            areas,
            fields,
            steps(whole["origin"][0], Frequency.MONTH, horizon + 1)[1:],
            paths,
            int(whole["issue"][0]),
            bool(found["simulated"].any()),
            len(areas) * len(fields) - len(cells),
        )


def _stacked(rows: pl.DataFrame, shape: tuple[int, int]) -> Floats:
    """`(rows, count, horizon)`."""
    flat = rows["paths"].explode().to_numpy()
    return np.asarray(flat, dtype=np.float64).reshape(len(rows), *shape)


def _each(rows: pl.DataFrame, key: str, shape: tuple[int, int]) -> list[tuple[str, Floats]]:
    return list(zip(rows[key].to_list(), _stacked(rows, shape), strict=True))


def _placed(
    cells: pl.DataFrame, areas: Sequence[str], fields: Sequence[str], shape: tuple[int, int]
) -> list[tuple[tuple[int, int], Floats]]:
    of_area = {code: number for number, code in enumerate(areas)}
    of_field = {code: number for number, code in enumerate(fields)}
    places = [(of_field[c], of_area[a]) for a, c in cells.select("area", "category").iter_rows()]
    return list(zip(places, _stacked(cells, shape), strict=True))


def _scale(paths: Floats, of_fields: Mapping[int, Floats], city: Floats) -> None:
    """Scale cells to the paths of their field, and all to those of the city, in place."""
    for number, path in of_fields.items():
        paths[number] *= _over(path, paths[number].sum(axis=1))[:, None]
    paths *= _over(city, paths.sum(axis=(0, 2)))[None, :, None]


def _over(wanted: Floats, given: Floats) -> Floats:
    return np.divide(wanted, given, where=given > 0, out=np.ones_like(given))


@dataclass(frozen=True, eq=False)
class Outcome:
    """Base and scenario along the same paths. Communes and fields add up to the city."""

    base: Base
    settings: tuple[Setting, ...]
    areas: tuple[Floats, Floats]
    """Base and scenario by commune, each `(count, areas, h)`, dossiers a month."""
    fields: tuple[Floats, Floats]
    """The same by field, `(count, fields, h)`."""
    hours: tuple[Floats, Floats] | None
    """Hours of work of the whole city, `(count, h)`; None without minutes a dossier."""
    load: Floats
    """Work for each hour of staff, over that of the base, `(count, h)`."""

    @property
    def city(self) -> tuple[Floats, Floats]:
        """Base and scenario of the city, each `(count, h)`."""
        base, scenario = self.areas
        return base.sum(axis=1), scenario.sum(axis=1)

    @property
    def received(self) -> tuple[Band, Band, Band]:
        """Base, scenario and difference of the city, over all months ahead."""
        base, scenario = (values.sum(axis=1) for values in self.city)
        return Band.of(base), Band.of(scenario), Band.of(scenario - base)

    @property
    def change(self) -> Band:
        """The difference over the base, as a ratio: 0.02 is 2 % more."""
        base, scenario = (values.sum(axis=1) for values in self.city)
        return Band.of(_over(scenario, base) - 1)

    @property
    def work(self) -> tuple[Band, Band, Band] | None:
        """Hours over all months ahead: base, scenario and difference."""
        if self.hours is None:
            return None
        base, scenario = (values.sum(axis=1) for values in self.hours)
        return Band.of(base), Band.of(scenario), Band.of(scenario - base)

    @property
    def burden(self) -> Band:
        """The mean over the months of `load`, less 1: 0.02 is 2 % more work for each hour."""
        return Band.of(self.load.mean(axis=1) - 1)

    def months(self) -> pl.DataFrame:
        """The city by month: period, and median and 80 % interval of base, scenario, difference."""
        base, scenario = self.city
        columns: dict[str, object] = {"period": list(self.base.periods)}
        parts = {"base": base, "scenario": scenario, "difference": scenario - base}
        for name, values in parts.items():
            low, middle, high = np.quantile(values, LEVELS, axis=0)
            columns |= {f"{name}_lower": low, name: middle, f"{name}_upper": high}
        return pl.DataFrame(columns)

    def communes(self) -> pl.DataFrame:
        """One row a commune, over all months ahead, the most affected first."""
        return self._parts("area", self.base.areas, self.areas)

    def by_field(self) -> pl.DataFrame:
        """One row a field, over all months ahead, the most affected first."""
        return self._parts("category", self.base.fields, self.fields)

    def _parts(
        self, name: str, codes: tuple[str, ...], values: tuple[Floats, Floats]
    ) -> pl.DataFrame:
        base, scenario = (each.sum(axis=2) for each in values)
        low, middle, high = np.quantile(scenario - base, LEVELS, axis=0)
        rows = pl.DataFrame(
            {
                name: list(codes),
                "base": np.median(base, axis=0),
                "scenario": np.median(scenario, axis=0),
                "difference_lower": low,
                "difference": middle,
                "difference_upper": high,
            }
        )
        return rows.sort(-pl.col("difference").abs(), name)


def play(
    base: Base,
    scenarios: Scenarios,
    settings: Sequence[Setting],
    *,
    pools: Pools | None = None,
    minutes: Mapping[str, float] | None = None,
) -> Outcome:
    """What the paths of `base` become when levers are moved.

    `minutes` are those a dossier of each field takes; without them for every field there are no
    hours, and each dossier is the same work.

    Raises:
        UnknownLever: there is no such lever.
        OutOfRange: it is moved farther than its range.
        NotASetting: a lever is moved twice, after the forecast ends, or in an unknown field.
    """
    kept = checked(scenarios, settings, base.fields, base.periods)
    effects = _effects(scenarios, kept, pools or {})
    known = bool(minutes) and set(base.fields) <= set(minutes or ())
    each = [(minutes or {}).get(field, 1.0) if known else 1.0 for field in base.fields]
    areas = np.zeros((2, base.count, len(base.areas), len(base.periods)))
    fields = np.zeros((2, base.count, len(base.fields), len(base.periods)))
    work = np.zeros((2, base.count, len(base.periods)))
    for number, field in enumerate(base.fields):
        changed = _received(base, number, effects)
        less = _factor(base, field, effects, "minutes")
        for which, cells in enumerate((base.paths[number], changed)):
            areas[which] += cells
            fields[which, :, number] = cells.sum(axis=1)
            work[which] += each[number] * fields[which, :, number] * (less if which else 1.0)
    staff = _factor(base, None, effects, "staff_hours")
    hours = (work[0] / 60, work[1] / 60) if known else None
    load = _over(work[1], work[0]) / staff
    return Outcome(base, tuple(kept), (areas[0], areas[1]), (fields[0], fields[1]), hours, load)


@dataclass(frozen=True, eq=False)
class Felt:
    """What offices feel of a scenario on some paths: what comes more, and by what things change.

    `h` are the months of the base; fields and areas are in its order.
    """

    received: Floats
    """Factor on dossiers of each field, `(paths, fields, h)`."""
    brought: Floats
    """Dossiers a month that come besides, before that factor, `(paths, areas, fields, h)`."""
    minutes: Floats
    """Factor on the minutes of each field, `(paths, fields, h)`."""
    staff: Floats
    """Factor on the hours of staff, `(paths, h)`."""


def felt(
    base: Base, scenarios: Scenarios, settings: Sequence[Setting], pools: Pools, chosen: Ints
) -> Felt:
    """What the offices feel when levers are moved, on the paths `chosen` of the base."""
    effects = _effects(scenarios, settings, pools)
    count, h = base.count, len(base.periods)
    parts: dict[str, list[Floats]] = {"received": [], "brought": [], "minutes": []}
    for field in base.fields:
        brought = np.zeros((count, len(base.areas), h))
        for one in effects:
            if one.effect.on == "moved" and one.concerns(field):
                brought = brought + _brought(base, field, one)
        parts["received"].append(_factor(base, field, effects, "received")[chosen])
        parts["minutes"].append(_factor(base, field, effects, "minutes")[chosen])
        parts["brought"].append(brought[chosen])
    return Felt(
        np.stack(parts["received"], axis=1),
        np.stack(parts["brought"], axis=2),
        np.stack(parts["minutes"], axis=1),
        _factor(base, None, effects, "staff_hours")[chosen],
    )


def _effects(scenarios: Scenarios, settings: Sequence[Setting], pools: Pools) -> list["_Moved"]:
    return [
        _Moved(lever, setting, effect, number, pools)
        for lever, setting in moved(scenarios, settings)
        for number, effect in enumerate(lever.effects)
    ]


@dataclass(frozen=True)
class _Moved:
    """One effect of a lever that is moved."""

    lever: Lever
    setting: Setting
    effect: Effect
    number: int
    pools: Pools

    def concerns(self, field: str | None) -> bool:
        if field is None:
            return True
        named = self.effect.categories
        return (not named or field in named) and self.setting.field in (None, field)

    def drawn(self, field: str | None, count: int) -> Floats:
        """The assumption along each path; fields err together, so that the city errs as much."""
        number = known_of(self.effect, field, self.pools)
        return number.drawn(self.lever.name, self.number, count)

    def factor(self, field: str | None, calendar: Calendar, count: int) -> Floats:
        """What to multiply by, `(count, h)`."""
        drawn = self.drawn(field, count)
        if self.effect.on == "minutes":
            saved = drawn[:, None] * calendar.started(self.setting) * self.setting.value / WHOLE
            return np.maximum(1 - saved, 0.0)
        return powered(drawn, calendar.ratio(self.lever, self.setting))


def known_of(effect: Effect, field: str | None, pools: Pools) -> Elasticity:
    """The number behind an effect on a field: estimated here, or as declared."""
    if effect.evidence == "across_communes" and field is not None and field in pools:
        return pools[field]
    return Elasticity.of(effect)


def _factor(base: Base, field: str | None, effects: Sequence[_Moved], on: str) -> Floats:
    factor = np.ones((base.count, len(base.periods)))
    for one in effects:
        if one.effect.on == on and one.concerns(field):
            factor = factor * one.factor(field, base.calendar, base.count)
    return factor


def _received(base: Base, number: int, effects: Sequence[_Moved]) -> Floats:
    """The cells of a field when levers are moved, `(count, areas, h)`."""
    field, cells = base.fields[number], base.paths[number]
    for one in effects:
        if one.effect.on == "moved" and one.concerns(field):
            cells = cells + _brought(base, field, one)
    factor = _factor(base, field, effects, "received")
    return cells if (factor == 1).all() else np.asarray(cells * factor[:, None])


def _brought(base: Base, field: str, one: _Moved) -> Floats:
    """Dossiers that come to the communes, as their share of the field is: `(count, areas, h)`.

    Where an effect names several fields, they share as they are received.
    """
    among = [n for n, name in enumerate(base.fields) if one.concerns(name)]
    means = base.paths[among].mean(axis=(1, 3))
    share = means[among.index(base.fields.index(field))] / max(means.sum(), 1e-12)
    monthly = np.maximum(one.drawn(field, base.count), 0.0) * one.setting.value / WHOLE
    ahead = monthly[:, None] * base.calendar.started(one.setting)
    return np.asarray(ahead[:, None] * share[None, :, None])


def apart(one: Outcome, other: Outcome) -> Band:
    """Dossiers of the city over all months in `one`, less those in `other`: path by path."""
    return Band.of((one.city[1] - other.city[1]).sum(axis=1))


# --- on to other indicators, and to targets -----------------------------------------------------


Ratios = Mapping[str, Mapping[date, Floats]]
"""Of an indicator, by month: scenario over base, one value a path, in any order."""


@dataclass(frozen=True)
class FromQueue:
    """What the queue of a scenario says of indicators; see `forecasts.decisions.what_if_queue`."""

    stocks: Ratios
    """What is there at the end of a month."""
    late: Ratios
    """The share that is not resolved on time, of an indicator that is the share that is."""


NO_QUEUE = FromQueue({}, {})


def chances(
    warehouse: Warehouse,
    catalog: Catalog,
    outcome: Outcome,
    today: date,
    *,
    queue: FromQueue = NO_QUEUE,
) -> list[tuple[Judged, Judged]]:
    """Each target that the scenario reaches, before and after; what is judged by pace is not.

    `queue` is what that of the scenario came to; without it no target for a stock of dossiers, or
    for the share resolved on time, is reached.
    """
    scenarios = declared(catalog)
    reached = _reached(scenarios, outcome) | {*queue.stocks, *queue.late}
    goals = {
        key: [target for target in targets if target.indicator in reached]
        for key, targets in (("targets", catalog.targets), ("demo_targets", catalog.demo_targets))
    }
    if not any(goals.values()):
        return []
    only = catalog.model_copy(update=goals)
    known = Known.read(warehouse, only, today)
    shocks = with_queue(shocked(known.ahead, scenarios, outcome), outcome.base.city, queue)
    others = replace(known, ahead=shocks)
    then = {one.target.name: one for one in judged(only, others, today)}
    return [(one, then[one.target.name]) for one in judged(only, known, today)]


def declared(catalog: Catalog) -> Scenarios:
    """The levers of a catalog. Raises `NoBase` where it has none."""
    if catalog.scenarios is None:
        raise NoBase(
            "the catalog has no levers", hint="describe them under scenarios: docs/scenarios.md"
        )
    return catalog.scenarios


def _reached(scenarios: Scenarios, outcome: Outcome) -> set[str]:
    levers = [lever for lever, _ in moved(scenarios, outcome.settings)]
    effects = [effect for lever in levers for effect in lever.effects]
    named = {effect.indicator for effect in effects if effect.indicator}
    counted = {scenarios.indicator} if any(e.on in ("received", "moved") for e in effects) else {}
    return named | set(counted)


def shocked(ahead: Mapping[Key, Ahead], scenarios: Scenarios, outcome: Outcome) -> dict[Key, Ahead]:
    """Paths of other series when the levers are moved; those nothing acts on stay as they are."""
    return {key: _shocked(key, one, scenarios, outcome) for key, one in ahead.items()}


def _shocked(key: Key, one: Ahead, scenarios: Scenarios, outcome: Outcome) -> Ahead:
    calendar = Calendar(outcome.base.periods[0], Frequency(key[3]), one.periods)
    paths = one.paths
    if key == (scenarios.indicator, outcome.base.city, TOTAL, Frequency.MONTH.value):
        base, scenario = outcome.city
        fits = paths.shape == base.shape and one.periods == outcome.base.periods
        return replace(one, paths=paths * _over(scenario, base)) if fits else one
    for lever, setting in moved(scenarios, outcome.settings):
        for number, effect in enumerate(lever.effects):
            if effect.indicator == key[0]:
                paths = _with_effect(paths, lever, setting, number, calendar)
    return one if paths is one.paths else replace(one, paths=paths)


def _with_effect(
    paths: Floats, lever: Lever, setting: Setting, number: int, calendar: Calendar
) -> Floats:
    drawn = Elasticity.of(lever.effects[number]).drawn(lever.name, number, len(paths))
    if lever.kind == "points":
        added = drawn[:, None] * calendar.started(setting) * setting.value
        return np.where(added == 0, paths, np.clip(paths + added, 0.0, WHOLE))
    return np.asarray(paths * powered(drawn, calendar.ratio(lever, setting)))


def with_queue(ahead: dict[Key, Ahead], city: str, queue: FromQueue) -> dict[Key, Ahead]:
    """What the queue made of indicators of the city; later months as the last one known."""
    found = dict(ahead)
    for told, is_share in ((queue.stocks, False), (queue.late, True)):
        for name, by_month in told.items():
            key = (name, city, TOTAL, Frequency.MONTH.value)
            if key in ahead and by_month:
                one = ahead[key]
                ratios = _ratios(one, by_month)
                paths = WHOLE - (WHOLE - one.paths) * ratios if is_share else one.paths * ratios
                untouched = ratios == 1
                paths = np.where(untouched, one.paths, np.maximum(paths, 0.0))
                found[key] = replace(one, paths=paths)
    return found


def _ratios(one: Ahead, by_month: Mapping[date, Floats]) -> Floats:
    """Of each path and period of `one`; 1 before the first month that is known."""
    ratios = np.ones(one.paths.shape)
    for step, period in enumerate(one.periods):
        told = [month for month in by_month if month <= period]
        if told:
            ratios[:, step] = np.resize(by_month[max(told)], len(ratios))
    return ratios


def estimated(warehouse: Warehouse, scenarios: Scenarios) -> dict[str, Elasticity]:
    """What the levers of the catalog ask to be estimated, by field; empty where none does."""
    asked = (effect for lever in scenarios.levers for effect in lever.effects)
    if not any(effect.evidence == "across_communes" for effect in asked):
        return {}
    return across_communes(warehouse, scenarios.indicator)
