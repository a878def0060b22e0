"""`foresight alerts`: look, list, and what is done with an alert; each step is kept.

A refresh looks by itself (`looked_in`, `looked_again`); what rang is sent where the site file says
so, or by `foresight alerts send`.
"""

import datetime as dt
from typing import Any

import click
import polars as pl

from dashboard.alerts import Teller, place_names
from dashboard.alerts import would_ring as alerts_of
from dashboard.commands.shell import Context
from dashboard.handing_in import person_at_the_terminal
from dashboard.text import Text
from etl import pipeline
from etl.builds import KEPT_BUILDS, prune
from etl.catalog import Catalog, parse_catalog
from etl.errors import ForesightError
from etl.people import login, read_people
from etl.translation import Language
from etl.warehouse import Warehouse
from forecasts.decisions.alert_log import (
    Event,
    alerts,
    for_reader,
    found,
    note,
    record_in,
    ring,
    write,
)
from forecasts.decisions.alert_replay import allowed, keep, kept, replay
from forecasts.decisions.alert_rules import Scene
from forecasts.decisions.alerts import Alert, Rule

BY_THE_DAY: tuple[Rule, ...] = ("late",)
"""Rules that may ring although nothing changed but the day."""


class Nameless(ForesightError):
    """There is no people file, and nobody was named."""


@click.group("alerts")
def commands() -> None:
    """Early warning: replay the rules, look, list, acknowledge, ask, explain, close."""


@commands.command("list")
@click.option("--all", "every", is_flag=True, help="Closed and simulated ones too.")
@click.pass_obj
def list_alerts(context: Context, every: bool) -> None:
    """Open alerts, worst first: figure, against what, since when, how sure."""
    with Warehouse.open(context.settings.home) as warehouse:
        catalog = _catalog(context, warehouse)
        teller = _teller(context, warehouse, catalog)
        known = alerts(warehouse)
        rules = kept(warehouse)
    reader = catalog.alerts.readers[0]
    shown, behind = for_reader(known, reader, context.today)
    listed = known if every else [*shown, *behind]
    rows = [{**teller.record(one), "this_week": one in shown} for one in listed]
    if context.as_json:
        told = [{**vars(one), "sentence": teller.replayed(one)} for one in rules]
        context.result({"alerts": rows, "rules": told})
        return
    cells = [
        ["*" * row["this_week"], _state(teller, row), row["subject"], row["sentence"], row["alert"]]
        for row in rows
    ]
    context.table(["this_week", "state", "subject", "sentence", "alert"], cells)
    context.say(f"{len(shown)} to look at this week, {len(behind)} behind")


def _state(teller: Teller, row: dict[str, Any]) -> str:
    """How far it is, in words; of a simulated one that, too."""
    mark = f" ({teller.text('simulated.short')})" if row["simulated"] else ""
    return f"{teller.text('alert_state.' + row['state'])}{mark}"


@commands.command("replay")
@click.option("--once", is_flag=True, help="Only where that was never done; then look.")
@click.pass_obj
def replay_rules(context: Context, once: bool) -> None:
    """Hold every rule against history: a rule rings only after that."""
    with Warehouse.open(context.settings.home) as warehouse:
        if once and kept(warehouse):
            return
        context.say("alerts: holding every rule against history before any may ring ...")
        catalog = _catalog(context, warehouse)
        teller = _teller(context, warehouse, catalog)
        done = replay(Scene(warehouse, catalog, context.today))
    with Warehouse.build(context.settings.home) as warehouse:
        keep(warehouse, done)
        pipeline.record(warehouse, "alerts", "rules replayed on history")
        fresh = looked_in(context, warehouse, catalog) if once else []
    prune(context.settings.home, KEPT_BUILDS)
    may = allowed(done)
    on = [(one.rule, one.simulated) in may and one.rule not in catalog.alerts.off for one in done]
    rows = [
        [one.rule, "simulated" if one.simulated else "real", "on" if ringing else "off",
         one.outcomes, teller.replayed(one)]
        for one, ringing in zip(done, on, strict=True)
    ]  # fmt: skip
    context.table(["rule", "series", "is", "looked_at", "replay"], rows)
    if once:
        context.say(f"alerts: {len(fresh)} new; see: foresight alerts list")


@commands.command("look")
@click.pass_obj
def look_now(context: Context) -> None:
    """Look with every rule that is on, as a refresh does; write what is new, and send it."""
    with Warehouse.build(context.settings.home) as warehouse:
        fresh = ring(warehouse, _catalog(context, warehouse), today=context.today, now=_now())
        pipeline.record(warehouse, "alerts", f"{len(fresh)} rang")
    prune(context.settings.home, KEPT_BUILDS)
    context.say(f"{len(fresh)} new alerts")
    context.result({"new": [one.key for one in fresh], **send(context)})


@commands.command("send")
@click.pass_obj
def send_now(context: Context) -> None:
    """Send readers what is new to them and owners what is asked of them, as the site file says."""
    context.result(send(context))


def send(context: Context) -> dict[str, Any]:
    """Send what was not sent yet, note what was taken, and say both; what failed stays unsent."""
    from dashboard.alert_delivery import deliver

    with Warehouse.open(context.settings.home) as warehouse:
        site, catalog = context.settings.site(), _catalog(context, warehouse)
        teller, known = _teller(context, warehouse, catalog, site.language), alerts(warehouse)
    sent = deliver(site, catalog, known, teller, today=context.today)
    if sent.entries:
        with Warehouse.build(context.settings.home) as warehouse:
            note(warehouse, [(one, "sent", who, way) for one, who, way in sent.entries], _now())
        prune(context.settings.home, KEPT_BUILDS)
    for failure in sent.failures:
        context.say(f"not sent: {failure}")
    context.say(f"{len(sent.entries)} sent")
    return {
        "sent": [list(entry) for entry in sent.entries],
        "not_sent": [str(failure) for failure in sent.failures],
    }


def looked_in(context: Context, warehouse: Warehouse, catalog: Catalog) -> list[str]:
    """Look in the build that a refresh makes; keys of what rang."""
    return [one.key for one in ring(warehouse, catalog, today=context.today, now=_now())]


def looked_again(context: Context) -> list[str]:
    """Look where nothing changed but the day; a build is made only if something rings."""
    with Warehouse.open(context.settings.home) as warehouse:
        if not warehouse.has_todays_schema():
            return []
        fresh: list[Alert] = found(
            warehouse, _catalog(context, warehouse), context.today, BY_THE_DAY
        )
    if fresh:
        with Warehouse.build(context.settings.home) as warehouse:
            write(warehouse, fresh, today=context.today, now=_now())
        prune(context.settings.home, KEPT_BUILDS)
    return [one.key for one in fresh]


def would_ring(context: Context, catalog: Catalog, aside: Warehouse) -> pl.DataFrame:
    """What would ring on the figures of `aside`, a copy that is thrown away: rule, alert, said."""
    rows = alerts_of(aside, catalog, context.today, Text(context.language))
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("rule", "alert", "said"), pl.String), orient="row"
    )


def say_rung(context: Context, fresh: list[str]) -> dict[str, Any]:
    """Say what a refresh found, and send it where the site file has it sent."""
    with Warehouse.open(context.settings.home) as warehouse:
        rules = allowed(kept(warehouse)) if "alert_replay" in warehouse.tables() else set()
    if not rules:
        context.say(
            "alerts: no rule rings before it is held against history: foresight alerts replay"
        )
        return {}
    context.say(f"alerts: {len(fresh)} new; see: foresight alerts list")
    known: dict[str, Any] = {"new": fresh}
    if context.settings.site().send_alerts:
        known |= send(context)
    return {"alerts": known}


def _step(name: str, event: Event, words: str) -> None:
    """Add the command that brings an alert one step on."""

    @commands.command(name, help=words)
    @click.argument("alert")
    @click.option("--who", help="Who does it; with a people file only in a demo another.")
    @click.option("--text", default="", help="In which words.")
    @click.pass_obj
    def step(context: Context, /, alert: str, who: str | None, text: str) -> None:
        home, name = context.settings.home, _name(context, who)
        done = record_in(home, alert, event, who=name, text=text, now=_now())
        with Warehouse.open(home) as warehouse:
            teller = _teller(context, warehouse, _catalog(context, warehouse))
        context.say(f"{alert}: {done.state}")
        if event == "asked":
            for line in teller.request(done):
                context.say(line)
        context.result(teller.record(done))


_step("acknowledge", "acknowledged", "Someone has seen it.")
_step("ask", "asked", "Ask the owner to explain; prints the request with the figure frozen.")
_step("explain", "explained", "Keep the explanation beside the figure.")
_step("close", "closed", "Nothing more is to be done.")


def _name(context: Context, who: str | None) -> str:
    """Who takes the step, as the page would write it: with a people file, whose account it is."""
    people = read_people(context.settings)
    if people:
        return person_at_the_terminal(people, login(), who)[0].title
    if not who:
        raise Nameless("nobody is said to do it", hint="say who: --who NAME")
    return who


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)


def _catalog(context: Context, warehouse: Warehouse) -> Catalog:
    text = pipeline.facts_of(warehouse)["catalog"]
    return parse_catalog(text, folder=context.settings.catalog.parent)


def _teller(
    context: Context, warehouse: Warehouse, catalog: Catalog, language: Language | None = None
) -> Teller:
    text = Text(language or context.language)
    return Teller(text, catalog, place_names(warehouse.query("dashboard", "area_names"), text))
