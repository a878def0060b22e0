"""The work ahead of each commune: dossiers received, hours they ask for, what stays and gets late.

Everything starts on the day after the last cases loaded, with the dossiers pending then, and runs
to a quarter from today. Paths are those of the forecasts by commune and field; what is told is
their mean, the range of 80 % of them, and chances. Staff and minutes are as the catalog says. An
office that is not told its staff is not judged: it works as it usually does.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from etl.calendars import calendar
from etl.catalog import Catalog, Workload
from etl.errors import ForesightError
from etl.periods import Frequency, Period
from etl.warehouse import Warehouse
from forecasts.decisions.arrivals import Arrivals, begun, day_shares, left_of_month, spread
from forecasts.decisions.queue import Flow, Pace, Queue, Span, flow, pace, run, run_spans
from forecasts.nowcast import days as days_of
from forecasts.panel import Floats, Panel, steps

PATHS = 100
"""Of those stored, evenly taken: chances are told in tenths."""
SEED = 20261122
AHEAD = 91
"""Days from today on: a quarter."""
FORTNIGHT = 14
LEARNED_FROM, LEARNED_UNTIL = 455, 91
"""Days before the last: of dossiers received then the pace is learned; later ones are not over."""
SHAPES_FROM = 1461
"""Days of which the shape of days is learned: four years, for four times Tết."""
BACKLOG = 1.0
"""Overload: a day ends with more work ready than so many days of the hours of the office."""
LOWER, UPPER = 0.1, 0.9

Flags = NDArray[np.bool_]
Window = Literal["fortnight", "quarter"]
WINDOWS: tuple[Window, ...] = ("fortnight", "quarter")


class NoWorkload(ForesightError):
    """The workload cannot be computed: the catalog or the build does not say what it takes."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """The work ahead; arrays run over `places`, `fields` and working `days`."""

    today: date
    until: date
    """The last day whose cases are loaded: what is pending is pending then."""
    last: date
    """The last day told: that of the quarter, or of the forecasts where they end before."""
    asked: Workload
    places: pl.DataFrame
    """One row a commune: area, name, kind, lat, lon, district, people (null where not told)."""
    fields: list[str]
    days: tuple[date, ...]
    """Working days from the day after `until`."""
    arrivals: Arrivals
    """By calendar day."""
    received: Floats
    """By working day, `(paths, communes, fields, days)`."""
    pending: tuple[Floats, Floats]
    """Counts `(communes, fields, days to due)`, and the days to due."""
    moves: Pace
    simulated: bool
    untold: tuple[str, ...]
    """Communes whose month in progress could not be completed; its forecast stays."""
    without_forecast: int
    """Communes and fields without a forecast: they are taken to receive nothing."""
    times: float = 1.0
    """What the declared minutes are multiplied by, to see how much rests on them."""

    def slower(self, times: float) -> "Ahead":
        """The same where every dossier takes so many times the declared minutes."""
        return replace(self, times=times)

    @cached_property
    def people(self) -> Floats:
        """People of each commune; infinite where nobody told, so that nothing is short."""
        return self.places["people"].cast(float).fill_null(np.inf).to_numpy()

    @property
    def told(self) -> Flags:
        """Whether the staff of each commune is known."""
        return np.asarray(np.isfinite(self.people))

    def hours(self, people: Floats | None = None) -> Floats:
        """Hours for dossiers of each commune and working day, with `people` from today on."""
        now = self.people if people is None else people
        later = np.array([day >= self.today for day in self.days])
        staff = np.where(later[None, :], now[:, None], self.people[:, None])
        return np.asarray(staff * self.asked.hours * self.asked.on_dossiers)

    def span(self, window: Window) -> slice:
        """The working days of the next two weeks, or of the quarter as far as it is told."""
        length = FORTNIGHT if window == "fortnight" else AHEAD
        end = self.today + timedelta(days=length)
        inside = [at for at, day in enumerate(self.days) if self.today <= day < end]
        return slice(inside[0], inside[-1] + 1)

    @property
    def hours_each(self) -> Floats:
        """Hours of a dossier of each field."""
        return np.array([m.minutes / 60 * self.times for m in self.asked.minutes])

    @cached_property
    def together(self) -> Flow:
        """What comes to the queues, all fields together."""
        return flow(self.received, self.pending, self.moves, self.hours_each, together=True)

    @cached_property
    def queue(self) -> Queue:
        """What becomes of it with the staff of today, all fields together."""
        return run(self.together, self.hours())

    @cached_property
    def by_field(self) -> dict[Window, Span]:
        """The same by field, for the two windows."""
        spans = [self.span(window) for window in WINDOWS]
        short = (self.queue.left > 0).any(axis=(0, 1))
        parts = []
        for rows, moves in ((~short, self.moves.unhurried), (short, self.moves)):
            if rows.any():
                pending = self.pending[0][rows], self.pending[1]
                comes = flow(
                    self.received[:, rows], pending, moves, self.hours_each, together=False
                )
                parts.append(run_spans(comes, self.hours()[rows], spans))
        back = np.argsort(np.concatenate([np.flatnonzero(~short), np.flatnonzero(short)]))
        joined = [
            Span(*(np.concatenate(of_one, axis=1)[:, back] for of_one in zip(*found, strict=True)))
            for found in zip(*(([s.arrays() for s in part]) for part in parts), strict=True)
        ]
        return dict(zip(WINDOWS, joined, strict=True))


def ahead(warehouse: Warehouse, catalog: Catalog, today: date, *, paths: int = PATHS) -> Ahead:
    """The work ahead, from the forecasts that count and the cases of the build.

    Raises:
        NoWorkload: the catalog has no `workload`, the build no cases or no paths for it, or the
            forecasts end within the next two weeks.
    """
    asked = catalog.workload
    if asked is None:
        raise NoWorkload("the catalog has no block `workload`", hint="see docs/workload.md")
    table = f"data_{asked.cases}"
    until = _until(warehouse, asked, today)
    stored = warehouse.query("forecasts", "workload_paths", indicator=asked.received)
    if stored.is_empty():
        raise NoWorkload(
            f"{asked.received} has no paths by commune and field",
            hint="ask for the grain commune*category in its forecast, and: foresight refresh",
        )
    places = _places(warehouse, asked, today)
    fields = [minutes.category for minutes in asked.minutes]
    months, origin, missing = _months(stored, places["area"].to_list(), fields, paths)
    if until < Period.containing(Frequency.MONTH, origin).end:
        raise NoWorkload(
            f"the cases end on {until}, and the forecasts begin after {origin:%m/%Y}",
            hint="take a later day",
        )
    first, last = until + timedelta(days=1), last_told(origin, months.shape[3], today)
    known = _days_by_field(warehouse, table, fields, until)
    month_end = Period.containing(Frequency.MONTH, last).end
    shares = day_shares(known, month_end)
    months, untold = _begun(warehouse, catalog, months, origin, until, known, shares, places)
    rng = np.random.default_rng(SEED)
    arrivals = spread(months, origin, shares, first, rng)
    days = _working(first, last)
    received = _on_working_days(arrivals, days)
    moves = pace(_durations(warehouse, table, until), fields)
    pending = _pending(warehouse, table, until, places["area"].to_list(), fields, days)
    return Ahead(
        today=today,
        until=until,
        last=last,
        asked=asked,
        places=places,
        fields=fields,
        days=days,
        arrivals=arrivals,
        received=received,
        pending=pending,
        moves=moves,
        simulated=bool(stored["simulated"].any() or places["simulated"].any()),
        untold=tuple(places["area"][row] for row in untold),
        without_forecast=missing,
    )


def earlier(warehouse: Warehouse, now: Ahead, day: date, last: date) -> Ahead:
    """The work after `day` as `now` would have seen it, had it known what came until `last`.

    One path. Dossiers are known as they stood on that day: what was finished later was pending.
    """
    asked, table = now.asked, f"data_{now.asked.cases}"
    places = _places(warehouse, asked, day)
    areas, days = places["area"].to_list(), _working(day + timedelta(days=1), last)
    return replace(
        now,
        today=days[0],
        until=day,
        last=last,
        places=places,
        days=days,
        received=_arrived(warehouse, table, areas, now.fields, days),
        pending=_pending(warehouse, table, day, areas, now.fields, days),
        moves=pace(_durations(warehouse, table, day), now.fields),
    )


def _arrived(
    warehouse: Warehouse, table: str, areas: list[str], fields: list[str], days: tuple[date, ...]
) -> Floats:
    """What came, `(1, communes, fields, days)`; on a day off, it is there on the next."""
    since = days[0].replace(day=1)
    rows = warehouse.query(
        "forecasts", "workload_arrived", cases=table, since=since, last=days[-1]
    ).filter(pl.col("area").is_in(areas) & pl.col("category").is_in(fields))
    at = np.searchsorted([d.toordinal() for d in days], [d.toordinal() for d in rows["day"]])
    counts = np.zeros((1, len(areas), len(fields), len(days)))
    shape = counts.shape[1:]
    places = _row(rows["area"], areas), _row(rows["category"], fields), at
    flat = np.ravel_multi_index(tuple(np.asarray(place, dtype=np.int64) for place in places), shape)
    counts += np.bincount(flat, rows["cases"].to_numpy(), counts.size).reshape(counts.shape)
    return counts


# --- what is told ---------------------------------------------------------------------------------


def by_commune(ahead: Ahead, window: Window) -> pl.DataFrame:
    """One row a commune: area, name, people, and of the window, each as a mean with its range
    (`_lower`, `_upper`): received, pending and overdue at its end, on_time and load, both shares;
    then overload, the chance that some day ends with more ready work than a day's hours.

    `on_time` is what did not pass its due day, over what is handled; `load` hours asked for, those
    left over before among them, over hours there are. Both are null, and overload too, where they
    cannot be told: nothing handled, or staff not told.
    """
    queue, span = ahead.queue, ahead.span(window)
    before = queue.left[span.start - 1] if span.start else np.zeros(queue.left.shape[1:])
    there = np.where(ahead.told, queue.hours[span].sum(axis=0), np.nan)
    handled, late = (part[span].sum(axis=(0, 3)) for part in (queue.handled, queue.late))
    over = (queue.left[span] > BACKLOG * queue.hours[span]).any(axis=0).mean(axis=0)
    figures = {
        "received": queue.received[span].sum(axis=(0, 3)),
        "pending": queue.pending[span.stop - 1].sum(axis=2),
        "overdue": queue.overdue[span.stop - 1].sum(axis=2),
        "late": late,
        "on_time": on_time(handled, late),
        "hours_asked": queue.asked[span].sum(axis=0) + before,
        "load": (queue.asked[span].sum(axis=0) + before) / np.where(there > 0, there, np.nan),
    }
    return ahead.places.select("area", "name", "kind", "people").with_columns(
        *(column for name, values in figures.items() for column in _ranges(name, values)),
        pl.Series("hours", there[0]).fill_nan(None),
        pl.Series("overload", np.where(ahead.told, over, np.nan)).fill_nan(None),
    )


def by_field(ahead: Ahead, window: Window, area: str | None = None) -> pl.DataFrame:
    """One row a field of a commune, or of all: category, minutes, source, and ranges as above."""
    span = ahead.by_field[window]
    rows = np.ones(len(ahead.places), dtype=bool)
    if area is not None:
        rows = (ahead.places["area"] == area).to_numpy()
    figures = {
        name: values[:, rows].sum(axis=1)
        for name, values in zip(
            ("received", "handled", "pending", "overdue", "late"), span.arrays(), strict=True
        )
    }
    figures["on_time"] = on_time(figures["handled"], figures["late"])
    figures["hours_asked"] = figures["handled"] * ahead.hours_each
    minutes = ahead.asked.minutes
    told = {
        "category": ahead.fields,
        "minutes": [one.minutes * ahead.times for one in minutes],
        "source": [one.source for one in minutes],
    }
    return pl.DataFrame(told).with_columns(
        column for name, values in figures.items() for column in _ranges(name, values)
    )


def on_time(handled: Floats, late: Floats) -> Floats:
    """The share of what is handled that did not pass its due day; NaN where nothing is handled."""
    share = 1.0 - late / np.where(handled > 0, handled, np.nan)
    return np.asarray(np.clip(share, 0.0, 1.0))


def _ranges(name: str, values: Floats) -> list[pl.Series]:
    """Mean, lower and upper bound over the paths of `(paths, rows)`."""
    low, high = np.quantile(values, [LOWER, UPPER], axis=0)
    parts = {name: values.mean(axis=0), f"{name}_lower": low, f"{name}_upper": high}
    return [pl.Series(column, part).fill_nan(None) for column, part in parts.items()]


# --- what the build says --------------------------------------------------------------------------


def _until(warehouse: Warehouse, asked: Workload, today: date) -> date:
    found = warehouse.query("forecasts", "workload_until", cases=asked.cases)["last_day"][0]
    if not isinstance(found, date):
        raise NoWorkload(f"no cases of {asked.cases} are loaded", hint="run: foresight refresh")
    return min(found, today - timedelta(days=1))


def _places(warehouse: Warehouse, asked: Workload, today: date) -> pl.DataFrame:
    places = warehouse.query("forecasts", "workload_places")
    staff = warehouse.query("forecasts", "workload_staff", indicator=asked.staff, today=today)
    return places.join(staff, on="area", how="left").sort("area")


def _months(
    stored: pl.DataFrame, areas: list[str], fields: list[str], paths: int
) -> tuple[Floats, date, int]:
    """Paths `(paths, communes, fields, months)`, their origin, and how many series have none.

    Series whose data ended earlier than those of most are moved to the same months.
    """
    origin = stored["origin"].mode().max()
    if not isinstance(origin, date):
        raise NoWorkload("the forecasts have no origin", hint="run: foresight refresh --full")
    horizon = min(stored["horizon"].to_list())
    found = np.full((paths, len(areas), len(fields), horizon), np.nan)
    row, column = ({name: at for at, name in enumerate(names)} for names in (areas, fields))
    for one in stored.iter_rows(named=True):
        if one["area"] not in row or one["category"] not in column:
            continue
        drawn = np.array(one["paths"], dtype=np.float64).reshape(one["count"], one["horizon"])
        late = (origin.year - one["origin"].year) * 12 + origin.month - one["origin"].month
        chosen = np.linspace(0, one["count"] - 1, paths).round().astype(int)
        kept = drawn[chosen, max(late, 0) :][:, :horizon]
        found[:, row[one["area"]], column[one["category"]], : kept.shape[1]] = kept
    whole = np.isfinite(found[0]).all(axis=(0, 1))
    found = found[..., : horizon if not whole.any() else int(np.flatnonzero(whole)[-1]) + 1]
    missing = int((~np.isfinite(found[0]).all(axis=2)).sum())
    return np.nan_to_num(found), origin, missing


def last_told(origin: date, months: int, today: date) -> date:
    """The last day of the quarter from `today`, or of the forecasts where they end before.

    Raises:
        NoWorkload: they end within the next two weeks.
    """
    last = steps(origin, Frequency.MONTH, months + 1)[-1]
    end = Period.containing(Frequency.MONTH, last).end
    if end < today + timedelta(days=FORTNIGHT - 1):
        raise NoWorkload(f"the forecasts end on {end}", hint="run: foresight refresh")
    return min(end, today + timedelta(days=AHEAD - 1))


def _days_by_field(warehouse: Warehouse, table: str, fields: list[str], until: date) -> Panel:
    since = until - timedelta(days=SHAPES_FROM)
    rows = warehouse.query("forecasts", "workload_days", cases=table, since=since, last=until)
    first = min(rows["period"].to_list(), default=until)
    every = pl.DataFrame({"category": fields}).join(
        pl.DataFrame({"period": pl.date_range(first, until, eager=True)}), how="cross"
    )
    filled = every.join(rows, on=["category", "period"], how="left").with_columns(
        pl.col("value").fill_null(0)
    )
    order = pl.DataFrame({"category": fields, "lowest": 0.0, "highest": np.inf})
    return Panel.from_frame(
        filled,
        Frequency.DAY,
        order,
        key=["category"],
        alike=("category",),
        tet=True,
    )


def _begun(
    warehouse: Warehouse,
    catalog: Catalog,
    months: Floats,
    origin: date,
    until: date,
    known: Panel,
    shares: Floats,
    places: pl.DataFrame,
) -> tuple[Floats, list[int]]:
    """Months from the one of the day after `until` on; of one in progress, what is left of it."""
    asked = catalog.workload
    panel = None
    if asked is not None:
        since, following = until - timedelta(days=SHAPES_FROM), until + timedelta(days=1)
        panel = days_of(warehouse, catalog, asked.received, "commune", since, following)
    return begun(months, origin, until, panel, left_of_month(known, shares, until), places["area"])


def _working(first: date, last: date) -> tuple[date, ...]:
    return tuple(calendar(first, last).filter("working")["date"])


def _on_working_days(arrivals: Arrivals, days: tuple[date, ...]) -> Floats:
    """Received by working day: what comes on a day off is there on the next working day."""
    last = np.searchsorted(
        [day.toordinal() for day in arrivals.days], [day.toordinal() for day in days]
    )
    starts = np.concatenate([[0], last[:-1] + 1])
    counts = arrivals.counts[..., : last[-1] + 1]
    return np.asarray(np.add.reduceat(counts, starts, axis=-1))


def _durations(warehouse: Warehouse, table: str, until: date) -> pl.DataFrame:
    since, end = (until - timedelta(days=back) for back in (LEARNED_FROM, LEARNED_UNTIL))
    working = list(_working(since - timedelta(days=15), until + timedelta(days=366)))
    return warehouse.query(
        "forecasts",
        "workload_durations",
        cases=table,
        since=since,
        until=end,
        known=until,
        working=working,
    )


def _pending(
    warehouse: Warehouse,
    table: str,
    until: date,
    areas: list[str],
    fields: list[str],
    days: tuple[date, ...],
) -> tuple[Floats, Floats]:
    """Counts `(communes, fields, days to due)`, and working days from day 0 to the due day.

    What has no due day is taken to be due on the first day.
    """
    rows = warehouse.query("forecasts", "workload_pending", cases=table, last=until)
    rows = rows.filter(pl.col("area").is_in(areas) & pl.col("category").is_in(fields))
    rows = rows.with_columns(pl.col("due").fill_null(days[0]))
    due = rows["due"].unique().sort().to_list()
    if not due:
        return np.zeros((len(areas), len(fields), 1)), np.zeros(1)
    number = _numbers(min(due[0], days[0]), max(due[-1], days[0]))
    left = np.array([number[day] - number[days[0]] for day in due], dtype=np.float64)
    counts = np.zeros((len(areas), len(fields), len(due)))
    at = (
        _row(rows["area"], areas),
        _row(rows["category"], fields),
        _row(rows["due"], due),
    )
    counts[at] = rows["pending"].to_numpy()
    return counts, left


def _row(names: pl.Series, order: list[str] | list[date]) -> Floats:
    found = {name: at for at, name in enumerate(order)}
    return np.array([found[name] for name in names], dtype=np.int64)


def _numbers(first: date, last: date) -> dict[date, int]:
    """Each day's number among the working days; a day off has that of the working day before."""
    table = calendar(first, last)
    return dict(zip(table["date"], table["working"].cum_sum().to_list(), strict=True))
