"""What became of each alert: who did what, when, and in which words. Nothing is ever changed.

An alert is open until someone has seen it (acknowledged), says why (explained), and is done with it
(closed); each is a row of `alert_log`. An explanation may be asked of the owner of the figure; the
figure stays as it stood when the alert rang, and the answer stands beside it. Nobody is asked about
simulated figures.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import polars as pl

from etl.builds import KEPT_BUILDS, prune
from etl.catalog import AlertReader, Catalog
from etl.clock import local_day
from etl.errors import ForesightError
from etl.warehouse import Warehouse
from forecasts.decisions.alert_replay import allowed, kept
from forecasts.decisions.alert_rules import Scene, look
from forecasts.decisions.alerts import OF_DATASETS, RULES, Alert, Rule, once, within, worst_first
from forecasts.register import register

Event = Literal["opened", "sent", "acknowledged", "asked", "explained", "closed"]
State = Literal["opened", "acknowledged", "explained", "closed"]
STATES: tuple[State, ...] = ("opened", "acknowledged", "explained", "closed")
AFTER: dict[Event, tuple[State, ...]] = {
    "acknowledged": ("opened",),
    "asked": ("opened", "acknowledged"),
    "explained": ("opened", "acknowledged"),
    "closed": ("opened", "acknowledged", "explained"),
}
"""From which states an event is possible."""
STEPS: tuple[Event, ...] = ("acknowledged", "asked", "explained", "closed")
"""What people do, in the order in which they do it."""
WORDS: tuple[Event, ...] = ("asked", "explained")
"""Steps that say something."""
SYSTEM = "foresight"
WEEK = timedelta(days=7)


class NoSuchAlert(ForesightError):
    """Nothing of this name ever rang."""


class NotNow(ForesightError):
    """The alert is not in a state in which this can be done with it."""


@dataclass(frozen=True)
class Entry:
    """One row of the log."""

    at: datetime
    """In UTC."""
    event: Event
    who: str
    text: str


@dataclass(frozen=True)
class Kept:
    """An alert, its figure frozen, and all that became of it."""

    alert: Alert
    rung_on: date
    log: tuple[Entry, ...]

    @property
    def state(self) -> State:
        """The last state it was brought to."""
        reached = [state for entry in self.log for state in STATES if state == entry.event]
        return reached[-1] if reached else "opened"

    @property
    def open(self) -> bool:
        """Whether someone still has to do something."""
        return self.state != "closed"

    @property
    def asked(self) -> Entry | None:
        """The last time an explanation was asked for."""
        return next((one for one in reversed(self.log) if one.event == "asked"), None)

    @property
    def answer(self) -> Entry | None:
        """The last explanation."""
        return next((one for one in reversed(self.log) if one.event == "explained"), None)


def found(
    warehouse: Warehouse, catalog: Catalog, today: date, rules: tuple[Rule, ...] = RULES
) -> list[Alert]:
    """What would ring now, worst first, by those of `rules` that were replayed and are not off.

    A series of which an alert of the same rule is still open does not ring again, nor does an
    outcome that has rung before. Nothing is written; `ring` does that.
    """
    return found_in(Scene(warehouse, catalog, today), rules)


def found_in(scene: Scene, rules: tuple[Rule, ...] = RULES) -> list[Alert]:
    """`found` in a scene, of what it asks for."""
    catalog, warehouse = scene.catalog, scene.warehouse
    may = allowed(kept(warehouse))
    asked = tuple(
        rule
        for rule in rules
        if rule not in catalog.alerts.off and {(rule, False), (rule, True)} & may
    )
    before = alerts(warehouse)
    pending = {(one.alert.rule, *one.alert.series) for one in before if one.open}
    seen = [
        alert
        for looked in look(scene, asked)
        for alert in looked.alerts
        if scene.asks_for([alert.subject])
        and (alert.rule, alert.simulated) in may
        and (alert.rule, *alert.series) not in pending
    ]
    return worst_first(once(seen, [one.alert for one in before]))


def ring(warehouse: Warehouse, catalog: Catalog, *, today: date, now: datetime) -> list[Alert]:
    """Write what is `found` as rows of `alert` and `alert_log`, and return it."""
    fresh = found(warehouse, catalog, today)
    write(warehouse, fresh, today=today, now=now)
    return fresh


def write(warehouse: Warehouse, fresh: list[Alert], *, today: date, now: datetime) -> None:
    """Add alerts that ring `today`, each opened in the log."""
    run = warehouse.count("select coalesce(max(run), 0) + 1 from alert")
    rows = [{**asdict(one), "alert": one.key, "run": run, "rung_on": today} for one in fresh]
    if rows:
        warehouse.write("alert", pl.DataFrame(rows, schema_overrides=_floats()))
    note(warehouse, [(one.key, "opened", SYSTEM, "") for one in fresh], now)


def alerts(warehouse: Warehouse) -> list[Kept]:
    """Every alert that ever rang, worst first, with what became of it."""
    rows = warehouse.query("forecasts", "alerts_rung")
    log: dict[str, list[Entry]] = {}
    for _, at, key, event, who, text in warehouse.query("forecasts", "alert_events").iter_rows():
        log.setdefault(key, []).append(Entry(at, event, who, text))
    kept_ones = {}
    for row in rows.to_dicts():
        on = row.pop("rung_on")
        alert = Alert(**row)
        kept_ones[alert.key] = Kept(alert, on, tuple(log.get(alert.key, [])))
    return [kept_ones[one.key] for one in worst_first(kept.alert for kept in kept_ones.values())]


def record(
    warehouse: Warehouse, key: str, event: Event, *, who: str, text: str, now: datetime
) -> Kept:
    """Add to the log what was done with the alert `key`; the alert as it stands after.

    Raises:
        NoSuchAlert: nothing of this name ever rang.
        NotNow: its state does not allow it, nobody is named, or an explanation has no words.
    """
    known = {one.alert.key: one for one in alerts(warehouse)}
    if key not in known:
        raise NoSuchAlert(f"no alert is called {key!r}", hint="see: foresight alerts list")
    _check(known[key], event, who, text)
    note(warehouse, [(key, event, who, text)], now)
    return next(one for one in alerts(warehouse) if one.alert.key == key)


def record_in(home: Path, key: str, event: Event, *, who: str, text: str, now: datetime) -> Kept:
    """`record` in the next build of the installation, which becomes the current one.

    Raises:
        NoSuchAlert, NotNow: as `record`; the current build stays.
        RefreshRunning: another process is building.
    """
    with Warehouse.build(home) as warehouse:
        done = record(warehouse, key, event, who=who, text=text, now=now)
    prune(home, KEPT_BUILDS)
    return done


def possible(kept_one: Kept) -> list[Event]:
    """What people may do with an alert now, in the order in which they do it."""
    steps = [event for event in STEPS if kept_one.state in AFTER[event]]
    return [event for event in steps if event != "asked" or not kept_one.alert.simulated]


def note(
    warehouse: Warehouse, entries: Iterable[tuple[str, Event, str, str]], now: datetime
) -> None:
    """Add entries (alert, event, who, text) to the log."""
    first = warehouse.count("select coalesce(max(entry), 0) + 1 from alert_log")
    at = now.astimezone(UTC).replace(tzinfo=None)
    rows = [
        {
            "entry": first + place,
            "noted_at": at,
            "alert": key,
            "event": event,
            "who": who,
            "text": text,
        }
        for place, (key, event, who, text) in enumerate(entries)
    ]
    if rows:
        warehouse.write("alert_log", pl.DataFrame(rows))


def for_reader(
    kept: Iterable[Kept], reader: AlertReader, today: date
) -> tuple[list[Kept], list[Kept]]:
    """The open alerts of real series that a reader is shown this week, and those listed behind.

    What was closed within the week has spent its part of the budget.
    """
    mine = [one for one in kept if concerns(one.alert, reader) and not one.alert.simulated]
    spent = sum(not one.open and local_day(one.log[-1].at) > today - WEEK for one in mine)
    by_key = {one.alert.key: one for one in mine if one.open}
    shown, behind = within((one.alert for one in by_key.values()), reader.budget, spent)
    return [by_key[one.key] for one in shown], [by_key[one.key] for one in behind]


def to_send(kept: Iterable[Kept], reader: AlertReader, today: date) -> list[Kept]:
    """Alerts to be sent to a reader now: the worst not yet sent, within the budget of the week."""
    every = [one for one in kept if concerns(one.alert, reader) and not one.alert.simulated]
    sent = {
        one.alert.key: local_day(entry.at)
        for one in every
        for entry in one.log
        if entry.event == "sent" and entry.who == reader.name
    }
    spent = sum(day > today - WEEK for day in sent.values())
    fresh = {one.alert.key: one for one in every if one.open and one.alert.key not in sent}
    shown, _ = within((one.alert for one in fresh.values()), reader.budget, spent)
    return [fresh[one.key] for one in shown]


def unsent_request(one: Kept, who: str) -> bool:
    """Whether an explanation was asked, is not given, and was not sent to `who` since."""
    if one.asked is None or one.alert.simulated or one.state not in AFTER["asked"]:
        return False
    since = one.log[one.log.index(one.asked) :]
    return not any(entry.event == "sent" and entry.who == who for entry in since)


def concerns(alert: Alert, reader: AlertReader) -> bool:
    """Whether the reader is told of it; alerts of no level, such as late data, concern all."""
    ruled = not reader.rules or alert.rule in reader.rules
    return ruled and (not reader.levels or not alert.level or alert.level in reader.levels)


def owner(catalog: Catalog, alert: Alert) -> tuple[str, str]:
    """Who answers for the figure, in Vietnamese and English; of a drift, who runs the system."""
    if alert.rule == "drift":
        return register().owner, register().owner_en
    name = alert.subject if alert.rule in OF_DATASETS else catalog.owner.get(alert.subject, "")
    dataset = catalog.datasets.get(name)
    people = (dataset.contributors if dataset else []) or catalog.contributors
    if not people:
        return "", ""
    return people[0].title, people[0].title_en or people[0].title


def _check(kept_one: Kept, event: Event, who: str, text: str) -> None:
    if kept_one.state not in AFTER.get(event, ()):
        raise NotNow(f"the alert is {kept_one.state}", hint="see: foresight alerts list")
    if event == "asked" and kept_one.alert.simulated:
        raise NotNow("its figures are simulated", hint="nobody can explain what was simulated")
    if not who.strip():
        raise NotNow("nobody is named who does it", hint="say --who NAME")
    if event in WORDS and not text.strip():
        raise NotNow("it has no words", hint="say --text WORDS")


def _floats() -> dict[str, type[pl.Float64] | type[pl.String]]:
    """Columns that may be null in every row of a look."""
    numbers = {"value", "expected", "lower", "upper", "p_value", "chance", "bound", "false_rate"}
    return {
        field.name: pl.Float64 if field.name in numbers else pl.String
        for field in fields(Alert)
        if field.name in numbers or field.name == "detail"
    }
