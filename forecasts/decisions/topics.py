"""Petitions and calls ahead by topic, commune and day: what a hotline has to be ready for.

Months are forecast by topic in each commune. A month of a path is shared out over its days as past
days of the topic in the whole city say: weekdays, holidays, Tết, part of the month (`arrivals`), so
that the days of a path add up to its month. Days of a topic rise and fall together in all communes
(a storm, a power cut), and in each on their own, both more than chance lets them: how much is
measured on the last year and drawn, so that a band of a day is not too narrow.

A topic that is too small in a commune to be forecast has a share of what the commune receives
beyond its other topics, or else of what the city receives of the topic: the share of the last year,
as unsure as its few cases leave it. Where neither is forecast nothing is told.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from etl.catalog import Catalog, Dataset
from etl.errors import ForesightError
from etl.periods import Frequency, Period
from etl.warehouse import Warehouse
from forecasts.decisions.arrivals import begun, left_of_month, whole_numbers
from forecasts.decisions.contacts import classified
from forecasts.decisions.workload import LOWER, SHAPES_FROM, UPPER, NoWorkload, last_told
from forecasts.nowcast import busy_days
from forecasts.nowcast import days as days_of
from forecasts.panel import Floats, Panel, steps

PATHS = 100
SEED = 20261122
YEAR = 364
"""Days of which shares and scatter are learned: whole weeks."""
FEW = 0.5
"""Cases that a share is given beside those it had, so that none in a year is not never."""
ALL = "total"
SPREAD_LEAST = 1e-3
"""Relative variance of a day below which it is taken for none."""

Basis = Literal["forecast", "split"]
By = Literal["day", "week"]
Flags = NDArray[np.bool_]


SHOWN: tuple[tuple[By, int], ...] = (("day", 14), ("week", 28))
"""What is shown soon, and of how many days ahead."""
ROW = {
    "topic": pl.String,
    "period": pl.Date,
    "expected": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "basis": pl.String,
}
SOON = {"dataset": pl.String, "by": pl.String, "area": pl.String, **ROW}


class NoTopics(ForesightError):
    """Volumes by topic, commune and day cannot be told: the build does not hold what it takes."""


@dataclass(frozen=True, eq=False)
class TopicDays:
    """What may come: `counts` is `(paths, areas, topics, days)`, on the days from after `until`."""

    dataset: str
    today: date
    until: date
    """The last day loaded."""
    last: date
    """The last day told: that of the quarter, or of the forecasts where they end before."""
    areas: tuple[str, ...]
    """Communes of today."""
    topics: tuple[str, ...]
    days: tuple[date, ...]
    counts: NDArray[np.int32]
    basis: dict[tuple[str, str], Basis]
    """By commune and topic, how it is told; what is missing here is not told."""
    simulated: bool

    def table(self, by: By, area: str | None = None) -> pl.DataFrame:
        """Rows of one commune, or of the city: topic, period, expected, lower, upper, basis.

        `period` is a day from today on, or the Monday of a week that ends today or later and is
        whole. `total` is all topics that are told. The range is that of 80 % of the paths. Of a
        topic that is not told, figures and basis are null; of the city, that of which a commune is
        split is split.
        """
        rows = [self.areas.index(area)] if area else list(range(len(self.areas)))
        periods, values = self._periods(by, self.counts[:, rows].sum(axis=1))
        every = np.concatenate([values, values.sum(axis=1, keepdims=True)], axis=1)
        low, high = np.quantile(every, [LOWER, UPPER], axis=0)
        mean = every.mean(axis=0)
        told = [
            (topic, period, float(mean[n, at]), float(low[n, at]), float(high[n, at]), basis)
            if basis
            else (topic, period, None, None, None, None)
            for n, topic in enumerate((*self.topics, ALL))
            for basis in [self._basis(rows, topic)]
            for at, period in enumerate(periods)
        ]
        return pl.DataFrame(told, schema=ROW, orient="row")

    def untold(self) -> list[tuple[str, str]]:
        """Communes and topics of which nothing is told."""
        every = ((area, topic) for area in self.areas for topic in self.topics)
        return [cell for cell in every if cell not in self.basis]

    def _basis(self, rows: list[int], topic: str) -> Basis | None:
        topics = self.topics if topic == ALL else (topic,)
        found = {self.basis.get((self.areas[row], one)) for row in rows for one in topics} - {None}
        if not found:
            return None
        return "split" if "split" in found else "forecast"

    def _periods(self, by: By, values: NDArray[np.int64]) -> tuple[list[date], NDArray[np.int64]]:
        """Periods told, and `values` `(..., days)` summed into them."""
        if by == "day":
            at = [n for n, day in enumerate(self.days) if day >= self.today]
            return [self.days[n] for n in at], values[..., at]
        mondays = [day for day in self.days if day.weekday() == 0]
        whole = [m for m in mondays if self.today <= m + timedelta(days=6) <= self.days[-1]]
        places = [self.days.index(monday) for monday in whole]
        weeks = [values[..., at : at + 7].sum(axis=-1) for at in places]
        return whole, np.stack(weeks, axis=-1) if weeks else values[..., :0]


def topic_days(
    warehouse: Warehouse, catalog: Catalog, dataset: Dataset, today: date, *, paths: int = PATHS
) -> TopicDays:
    """The days ahead of a dataset that `contacts.classified` finds, from forecasts that count.

    Raises:
        NoTopics: no days are loaded, or nothing is forecast by month.
        NoWorkload: the forecasts end within the next two weeks.
    """
    indicator = next(iter(dataset.delivered))
    since, yesterday = today - timedelta(days=SHAPES_FROM), today - timedelta(days=1)
    seen = warehouse.query(
        "forecasts", "topic_days", indicator=indicator, since=since, last=yesterday
    )
    stored = warehouse.query("forecasts", "scenario_paths", indicator=indicator)
    if seen.is_empty() or stored.is_empty():
        raise NoTopics(
            f"{dataset.name} has no days, or no paths by month",
            hint="ask for months by commune*category in its forecast, and: foresight refresh",
        )
    field = next(field for field in dataset.schema_.fields if field.name == "category")
    topics = tuple(one.value for one in field.categories)
    areas = tuple(warehouse.query("forecasts", "workload_places")["area"])
    past, ahead = _Past.of(seen, areas, topics), _Months.of(stored, areas, topics, paths)
    rng = np.random.default_rng(SEED)
    months, basis = ahead.filled(past.cases, rng)
    last = last_told(ahead.origin, months.shape[3], today)
    busy = past.busy(Period.containing(Frequency.MONTH, last).end)
    shares = busy[:, past.length :]
    following = past.until + timedelta(days=1)
    panel = days_of(warehouse, catalog, indicator, "commune", since, following)
    left = left_of_month(past.panel, shares, past.until)
    months, _ = begun(months, ahead.origin, past.until, panel, left, areas)
    scatter = past.scatter(busy[:, : past.length])
    parts = list(_spread(months, ahead.origin, shares, following, scatter, rng))
    days = tuple(following + timedelta(days=at) for at in range((last - past.until).days))
    return TopicDays(
        dataset=dataset.name,
        today=today,
        until=past.until,
        last=last,
        areas=areas,
        topics=topics,
        days=days,
        counts=np.concatenate(parts, axis=3)[..., : len(days)],
        basis={(areas[row], topics[column]): one for (row, column), one in basis.items()},
        simulated=bool(stored["simulated"].any() or seen["simulated"].any()),
    )


def all_told(warehouse: Warehouse, catalog: Catalog, today: date) -> list[TopicDays]:
    """The days ahead of every dataset that has labels of a classifier and can be told."""
    found = []
    for dataset in classified(catalog):
        with suppress(NoTopics, NoWorkload):
            found.append(topic_days(warehouse, catalog, dataset, today))
    return found


def soon(warehouse: Warehouse, catalog: Catalog, today: date) -> pl.DataFrame:
    """What is shown of every dataset that can be told: the next two weeks by day, four by week.

    Rows of `TopicDays.table` with dataset, by, and area: null for the city.
    """
    parts = [
        found.table(by, area)
        .filter(pl.col("period") < today + timedelta(days=length))
        .select(
            pl.lit(found.dataset).alias("dataset"),
            pl.lit(by).alias("by"),
            pl.lit(area, dtype=pl.String).alias("area"),
            *ROW,
        )
        for found in all_told(warehouse, catalog, today)
        for by, length in SHOWN
        for area in (None, *found.areas)
    ]
    return pl.concat([pl.DataFrame(schema=SOON), *parts])


# --- what past days say ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Past:
    """The days known: of the city by topic, and of each commune over the last year."""

    panel: Panel
    """One series a topic, of the whole city."""
    year: Floats
    """`(areas, topics, days)` of the last `YEAR` days at most."""

    @property
    def cases(self) -> Floats:
        """`(areas, topics)`, of the last year."""
        return np.asarray(self.year.sum(axis=2))

    @property
    def length(self) -> int:
        """Days known."""
        return len(self.panel.periods)

    @property
    def until(self) -> date:
        """The last of them."""
        return self.panel.periods[-1]

    def busy(self, end: date) -> Floats:
        """How busy each topic is on each day known, and after it until `end`, `(topics, days)`."""
        return busy_days(self.panel, end)[self.panel.siblings]

    @classmethod
    def of(cls, seen: pl.DataFrame, areas: tuple[str, ...], topics: tuple[str, ...]) -> "_Past":
        """Of rows area, category, period, value; a day without a row had none."""
        first, until = min(seen["period"].to_list()), max(seen["period"].to_list())
        seen = seen.filter(pl.col("area").is_in(areas) & pl.col("category").is_in(topics))
        summed = seen.group_by("category", "period").agg(pl.col("value").sum())
        every = pl.DataFrame({"category": topics}).join(
            pl.DataFrame({"period": pl.date_range(first, until, eager=True)}), how="cross"
        )
        filled = every.join(summed, on=["category", "period"], how="left").fill_null(0.0)
        order = pl.DataFrame({"category": topics, "lowest": 0.0, "highest": np.inf})
        panel = Panel.from_frame(
            filled, Frequency.DAY, order, key=["category"], alike=("category",), tet=True
        )
        length = min(YEAR, len(panel.periods))
        start = until - timedelta(days=length - 1)
        recent = seen.filter(pl.col("period") >= start)
        year = np.zeros((len(areas), len(topics), length))
        at = tuple(
            recent[name].replace_strict({key: n for n, key in enumerate(keys)}).to_numpy()
            for name, keys in (("area", areas), ("category", topics))
        )
        since = (recent["period"] - start).dt.total_days().to_numpy()
        np.add.at(year, (*at, since), recent["value"].to_numpy())
        return cls(panel, year)

    def scatter(self, busy: Floats) -> tuple[Floats, Floats]:
        """Relative variance of a day beyond chance, `(topics,)`: in all communes, in each besides.

        `busy` is `(topics, days)` over the panel. A day is set beside its month's count shared out
        by how busy its days were, of the months that are whole.
        """
        length = self.year.shape[2]
        days = self.panel.periods[-length:]
        expected, chance = np.zeros(self.year.shape), np.zeros(self.year.shape)
        for part in _whole_months(days):
            share = busy[:, -length:][:, part]
            share = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-12)
            expected[..., part] = self.year[..., part].sum(axis=2, keepdims=True) * share
            chance[..., part] = expected[..., part] * (1 - share)
        seen = np.where(expected > 0, self.year, 0.0)
        each = _beyond(seen - expected, chance, expected, axis=(0, 2))
        common = _beyond(
            seen.sum(axis=0) - expected.sum(axis=0), chance.sum(axis=0), expected.sum(axis=0), 1
        )
        return common, np.maximum(each - common, 0.0)


def _whole_months(days: tuple[date, ...]) -> Iterator[slice]:
    """Places of the months that are whole among consecutive days."""
    for at, day in enumerate(days):
        length = Period.containing(Frequency.MONTH, day).end.day
        if day.day == 1 and at + length <= len(days):
            yield slice(at, at + length)


def _beyond(off: Floats, chance: Floats, expected: Floats, axis: int | tuple[int, ...]) -> Floats:
    weight = (expected**2).sum(axis=axis)
    more = (off**2 - chance).sum(axis=axis)
    return np.asarray(np.maximum(more / np.where(weight > 0, weight, np.inf), 0.0))


# --- months by topic and commune ------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Months:
    """Months of the forecasts that count; NaN where there is none, or one of another origin."""

    origin: date
    cells: Floats
    """`(paths, areas, topics, months)`."""
    communes: Floats
    """All topics, `(paths, areas, months)`."""
    city: Floats
    """`(paths, topics, months)`."""

    @classmethod
    def of(
        cls, stored: pl.DataFrame, areas: tuple[str, ...], topics: tuple[str, ...], paths: int
    ) -> "_Months":
        origin = max(stored["origin"].to_list())
        stored = stored.filter(pl.col("origin") == origin)
        horizon = min(stored["horizon"].to_list())
        cells = np.full((paths, len(areas), len(topics), horizon), np.nan)
        communes, city = cells[:, :, 0].copy(), cells[:, 0].copy()
        row, column = ({name: at for at, name in enumerate(names)} for names in (areas, topics))
        for one in stored.iter_rows(named=True):
            drawn = np.array(one["paths"], dtype=np.float64).reshape(one["count"], one["horizon"])
            chosen = np.linspace(0, one["count"] - 1, paths).round().astype(int)
            match row.get(one["area"]), column.get(one["category"]):
                case None, int(topic) if one["level"] == "city":
                    city[:, topic] = drawn[chosen, :horizon]
                case int(area), int(topic):
                    cells[:, area, topic] = drawn[chosen, :horizon]
                case int(area), None if one["category"] == ALL:
                    communes[:, area] = drawn[chosen, :horizon]
        return cls(origin, cells, communes, city)

    def filled(
        self, cases: Floats, rng: np.random.Generator
    ) -> tuple[Floats, dict[tuple[int, int], Basis]]:
        """Months of every cell that can be told, and on which basis; the others are 0.

        `cases` are those of the last year, `(areas, topics)`.
        """
        there: Flags = np.asarray(np.isfinite(self.cells).all(axis=(0, 3)))
        by_commune: Flags = np.asarray(np.isfinite(self.communes).all(axis=(0, 2)))
        by_topic: Flags = np.asarray(np.isfinite(self.city).all(axis=(0, 2)))
        months = np.where(there[None, :, :, None], self.cells, 0.0)
        parts = [
            (months[:, row], self.communes[:, row], ~there[row], cases[row])
            for row in np.flatnonzero(by_commune)
        ]
        alone = ~by_commune[:, None] & ~there
        parts += [
            (months[:, :, column], self.city[:, column], alone[:, column], cases[:, column])
            for column in np.flatnonzero(by_topic)
        ]
        for into, whole, absent, known in parts:
            if absent.any():
                rest = np.maximum(whole - into.sum(axis=1), 0.0)
                share = rng.dirichlet(known[absent] + FEW, len(whole))
                into[:, absent] = share[:, :, None] * rest[:, None]
        split = ~there & (by_commune[:, None] | by_topic[None])
        basis: dict[tuple[int, int], Basis] = {
            (int(row), int(column)): "forecast" if there[row, column] else "split"
            for row, column in zip(*np.nonzero(there | split), strict=True)
        }
        return months, basis


# --- days -----------------------------------------------------------------------------------------


def _spread(
    months: Floats,
    origin: date,
    shares: Floats,
    first: date,
    scatter: tuple[Floats, Floats],
    rng: np.random.Generator,
) -> Iterator[NDArray[np.int32]]:
    """The days of each month from `first` on that have shares, `(paths, areas, topics, days)`."""
    days = [first + timedelta(days=at) for at in range(shares.shape[1])]
    for number, start in enumerate(steps(origin, Frequency.MONTH, months.shape[3] + 1)[1:]):
        at = [place for place, day in enumerate(days) if day.replace(day=1) == start]
        if at:
            part = shares[:, at[0] : at[-1] + 1]
            count, areas, topics = months.shape[:3]
            weights = part * _shocks(scatter[0], (count, 1, topics, len(at)), rng)
            weights = weights * _shocks(scatter[1], (count, areas, topics, len(at)), rng)
            whole = whole_numbers(months[..., number], rng)
            yield rng.multinomial(whole, _chances(weights)).astype(np.int32)


def _shocks(variance: Floats, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Factors of mean 1 and this variance, `(topics,)`, on each of `shape`."""
    known = np.maximum(variance, SPREAD_LEAST)[:, None]
    return np.asarray(rng.gamma(1 / known, known, shape))


def _chances(weights: Floats) -> Floats:
    total = weights.sum(axis=-1, keepdims=True)
    first = np.eye(1, weights.shape[-1])
    return np.where(total > 0, weights / np.where(total > 0, total, 1.0), first)
