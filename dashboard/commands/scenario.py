"""`foresight scenario`: what if, base beside scenario, saved and compared."""

from typing import TYPE_CHECKING, Any

import click
import polars as pl

from dashboard.commands.shell import Context, catalog_of
from etl.warehouse import Warehouse

if TYPE_CHECKING:
    from dashboard.notation import Notation
    from etl.catalog import Catalog, Scenarios
    from forecasts.decisions.scenarios import Outcome, Pools
    from forecasts.decisions.targets import Judged
    from forecasts.decisions.what_if_queue import Change, Told


@click.group()
def scenario() -> None:
    """What if: levers within their range, base beside scenario; nothing here is a forecast."""


SETTINGS = click.argument("settings", nargs=-1, required=True)


@scenario.command("list")
@click.pass_obj
def list_scenarios(context: Context) -> None:
    """The levers with their ranges, and the scenarios that were saved."""
    from forecasts.decisions.saved import kept

    with Warehouse.open(context.settings.home) as warehouse:
        found = _levers_of(context, warehouse)
    saved, damaged = kept(context.settings.home)
    levers = [
        {
            "lever": one.name,
            "title": one.title if context.language == "vi" else one.title_en,
            "kind": one.kind,
            "minimum": one.minimum,
            "maximum": one.maximum,
        }
        for one in found.levers
    ]
    stored = [
        {
            "scenario": code,
            "name": one.name,
            "author": one.author,
            "saved_on": one.saved_on,
            "levers": " ".join(map(str, one.moved)),
            "build": one.build,
        }
        for code, one in saved.items()
    ]
    context.result({"levers": levers, "saved": stored, "damaged": damaged})
    if context.as_json:
        return
    for rows in (levers, stored):
        if rows:
            context.table(list(rows[0]), [list(row.values()) for row in rows])
            context.say("")
    for name in damaged:
        context.say(f"not what was saved, and left out: {name}")


def _levers_of(context: Context, warehouse: Warehouse) -> "Scenarios":
    """The levers of the catalog a build was made from."""
    from forecasts.decisions.scenarios import declared

    return declared(catalog_of(context, warehouse))


def _played(context: Context, warehouse: Warehouse, settings: list[Any]) -> tuple["Outcome", Any]:
    """What comes of these levers on a build, and the elasticities estimated there."""
    from forecasts.decisions.scenarios import Base, estimated, play

    levers, minutes = _levers_of(context, warehouse), catalog_of(context, warehouse).minutes
    base, pools = Base.read(warehouse, levers), estimated(warehouse, levers)
    return play(base, levers, settings, pools=pools, minutes=minutes), pools


@scenario.command("run")
@SETTINGS
@click.option("--queue", is_flag=True, help="Run the queue too: pending, overdue, overload.")
@click.pass_obj
def run_scenario(context: Context, settings: tuple[str, ...], queue: bool) -> None:
    """Play levers: population=2, or with month and field decree=50@2027-01:land."""
    from forecasts.decisions.levers import Setting

    with Warehouse.open(context.settings.home) as warehouse:
        asked = [Setting.parse(text) for text in settings]
        _tell_scenario(context, warehouse, asked, with_queue=queue, anew=True)


def _tell_scenario(
    context: Context,
    warehouse: Warehouse,
    settings: list[Any],
    more: dict[str, Any] | None = None,
    *,
    with_queue: bool = False,
    anew: bool = False,
) -> None:
    from dashboard.notation import Notation
    from dashboard.scenarios import burden, record, sentence, told
    from dashboard.text import Text
    from forecasts.decisions.levers import not_before
    from forecasts.decisions.scenarios import NO_QUEUE, chances
    from forecasts.decisions.what_if_queue import worked_out

    text, notation = Text(context.language), Notation(context.language)
    catalog = catalog_of(context, warehouse)
    outcome, pools = _played(context, warehouse, settings)
    if anew:
        not_before(settings, outcome.base.periods[0])
    queued = worked_out(warehouse, catalog, context.today, settings) if with_queue else None
    queue = queued.of(catalog) if queued else NO_QUEUE
    targets = chances(warehouse, catalog, outcome, context.today, queue=queue)
    found = record(outcome, targets, text, queued)
    context.result({**(more or {}), **found})
    if context.as_json:
        return
    names = warehouse.query("dashboard", "fields").to_dicts()
    fields = {row["category"]: text.pick(row["title"], row["title_en"]) for row in names}
    levers = told(_levers_of(context, warehouse), outcome.settings, fields, text, notation)
    context.say(f"{sentence(outcome, levers, text, notation)}.")
    context.say(burden(outcome, text, notation))
    if outcome.base.simulated:
        context.say(text("simulated.title"))
    _tell_communes(context, outcome, warehouse.query("dashboard", "area_names"))
    if queued:
        _tell_queue(context, queued)
    _tell_targets(context, targets)
    _tell_assumptions(context, catalog, outcome, pools)


def _tell_communes(context: Context, outcome: "Outcome", areas: pl.DataFrame) -> None:
    """The communes that change most, with the range of the difference."""
    from dashboard.alerts import place_names
    from dashboard.notation import Notation
    from dashboard.scenarios import PARTS, signed
    from dashboard.text import Text

    text, notation = Text(context.language), Notation(context.language)
    places = place_names(areas, text)
    rows = []
    for row in outcome.communes().filter(pl.col("difference") != 0).head(10).to_dicts():
        low, middle, high = (
            signed(row[name], notation)
            for name in ("difference_lower", "difference", "difference_upper")
        )
        counts = [notation.rounded(row[name]) for name in ("base", "scenario")]
        name = places.get((row["area"], "commune"), row["area"])
        rows.append([name, *counts, f"{middle} ({low} … {high})"])
    if rows:
        heads = [text(f"scenarios.{part}") for part in PARTS]
        context.table([text("load.commune"), *heads], rows)


def _tell_targets(context: Context, found: list[tuple["Judged", "Judged"]]) -> None:
    """The targets it reaches, before and after; of those that cannot be judged, why."""
    from dashboard.notation import Notation
    from dashboard.targets import chance_words, state_name
    from dashboard.targets import sentence as target_sentence
    from dashboard.text import Text

    text, notation = Text(context.language), Notation(context.language)
    rows = []
    for before, after in found:
        title, verdict = text.pick(before.title, before.title_en), before.verdict
        if verdict.reason is None:
            told = [
                f"{state_name(one.verdict, text)}, {chance_words(one.verdict.chance, text)}"
                for one in (before, after)
            ]
        else:
            told = [target_sentence(before, verdict, text, notation), ""]
        rows.append([title, *told])
    if rows:
        heads = ("targets.target", "scenarios.before", "scenarios.after")
        context.table([text(head) for head in heads], rows)


def _tell_assumptions(
    context: Context, catalog: "Catalog", outcome: "Outcome", pools: "Pools"
) -> None:
    """What is taken for true; fields that say the same share a row, as on the page."""
    from dashboard.notation import Notation
    from dashboard.scenarios import taken_for_true
    from dashboard.text import Text
    from forecasts.decisions.saved import assumptions
    from forecasts.decisions.scenarios import declared

    text, notation = Text(context.language), Notation(context.language)
    found = assumptions(declared(catalog), outcome.settings, outcome.base.fields, pools)
    simulated = outcome.base.simulated
    rows = [
        list(taken_for_true(one, catalog, text, notation, simulated=simulated).values())
        for one in found
    ]
    heads = ("lever", "acts_on", "number", "evidence", "reason")
    distinct = list(dict.fromkeys(tuple(row[: len(heads)]) for row in rows))
    context.table([text(f"scenarios.{head}") for head in heads], [list(row) for row in distinct])


def _tell_queue(context: Context, queued: "Told") -> None:
    from dashboard.notation import Notation
    from dashboard.scenarios import PARTS, queue_rows
    from dashboard.text import Text

    text, notation = Text(context.language), Notation(context.language)
    heads = [text(f"scenarios.{part}") for part in PARTS]
    context.table(
        [text("scenarios.queue", until=notation.date(queued.until)), *heads],
        [[what, *_change_said(change, notation)] for what, change in queue_rows(queued, text)],
    )


def _change_said(change: "Change", notation: "Notation") -> list[str]:
    """Base, scenario, and the difference with its range."""
    from dashboard.scenarios import between, signed

    base, moved, difference = change
    said = f"{signed(difference.middle, notation)} ({between(difference, notation)})"
    return [notation.rounded(base.middle), notation.rounded(moved.middle), said]


@scenario.command("save")
@SETTINGS
@click.option("--name", required=True)
@click.option("--author", required=True)
@click.option("--rationale", required=True, help="Why these values.")
@click.option("--queue", is_flag=True, help="Run the queue too, and keep what it comes to.")
@click.pass_obj
def save_scenario(
    context: Context, settings: tuple[str, ...], name: str, author: str, rationale: str, queue: bool
) -> None:
    """Keep a scenario under a code, with its assumptions and what comes out today."""
    from forecasts.decisions.levers import Setting, not_before
    from forecasts.decisions.saved import described, save
    from forecasts.decisions.what_if_queue import worked_out

    with Warehouse.open(context.settings.home) as warehouse:
        asked = [Setting.parse(text) for text in settings]
        outcome, pools = _played(context, warehouse, asked)
        not_before(asked, outcome.base.periods[0])
        catalog = catalog_of(context, warehouse)
        queued = worked_out(warehouse, catalog, context.today, asked) if queue else None
        saved = described(
            _levers_of(context, warehouse),
            outcome,
            pools,
            name=name,
            author=author,
            rationale=rationale,
            today=context.today,
            build=warehouse.name,
            queue=queued.told if queued else None,
        )
    code = save(context.settings.home, saved)
    context.say(f"scenario {code} is kept; on the dashboard: /scenarios?scenario={code}")
    context.result({"scenario": code})


@scenario.command("show")
@click.argument("code")
@click.option("--queue", is_flag=True, help="Run the queue on today's build too.")
@click.pass_obj
def show_scenario(context: Context, code: str, queue: bool) -> None:
    """A scenario that was saved: what it said then, and what it says on today's build."""
    from dashboard.scenarios import queue_record
    from forecasts.decisions.saved import read

    saved = read(context.settings.home, code)
    context.say(f"{saved.name} · {saved.author} · {saved.saved_on} · build {saved.build}")
    context.say(saved.rationale)
    low, middle, high = saved.result.difference
    if saved.queue and not context.as_json:
        _tell_queue(context, saved.queue)
    context.say(f"then: {middle:+,.0f} ({low:+,.0f} to {high:+,.0f}); now:")
    then = {name: value for name, value in saved.content.items() if name != "queue"}
    then["queue_then"] = saved.queue and queue_record(saved.queue)
    with Warehouse.open(context.settings.home) as warehouse:
        _tell_scenario(context, warehouse, saved.moved, then, with_queue=queue)


@scenario.command("compare")
@click.argument("code")
@click.argument("other")
@click.pass_obj
def compare_scenarios(context: Context, code: str, other: str) -> None:
    """Two saved scenarios on today's build, path by path."""
    from dashboard.scenarios import ends
    from forecasts.decisions.saved import read
    from forecasts.decisions.scenarios import apart

    asked = [read(context.settings.home, one) for one in (code, other)]
    with Warehouse.open(context.settings.home) as warehouse:
        first, second = (_played(context, warehouse, one.moved)[0] for one in asked)
    low, middle, high = ends(apart(first, second))
    context.result(
        {"scenario": code, "against": other, "difference": [low, middle, high], "what_if": True}
    )
    context.say(
        f"{asked[0].name} beside {asked[1].name}: {middle:+,.0f} dossiers "
        f"(80%: {low:+,.0f} to {high:+,.0f})"
    )
