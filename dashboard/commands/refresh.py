"""`foresight refresh`: loads what changed, forecasts what is affected, moves the pointer."""

import time
from collections.abc import Callable
from typing import Any

import click

from dashboard.commands.alerts import looked_again, looked_in, say_rung
from dashboard.commands.shell import (
    AT_LEAST_1,
    Context,
    Progress,
    current_warehouse,
    in_language,
    site_catalog,
    warning_mark,
)
from etl import pipeline
from etl.builds import KEPT_BUILDS, current_build, prune, refreshing
from etl.catalog import Catalog
from etl.fetch import fetch
from etl.handin import Store, release_due
from etl.settings import Settings
from etl.simulate import ROWS
from etl.warehouse import Warehouse


@click.command()
@click.option("--full", is_flag=True, help="Load and forecast everything again; history stays.")
@click.option(
    "--rows",
    default=ROWS,
    show_default=True,
    type=AT_LEAST_1,
    help="Rows of simulated dossiers.",
)
@click.option(
    "--wait",
    default=0.0,
    type=click.FloatRange(min=0),
    help="Seconds to wait for another refresh to end.",
)
@click.pass_obj
def refresh(context: Context, full: bool, rows: int, wait: float) -> None:
    """Load what changed, forecast what is affected, move the pointer."""
    catalog = site_catalog(context)
    settings = context.settings
    settings.home.mkdir(parents=True, exist_ok=True)
    with (
        Progress(context) as progress,
        refreshing(settings.home, wait=wait, waiting=context.say),
    ):
        pipeline.generate(catalog, settings, progress, rows)
        fetched = fetch(catalog, settings, progress)
        held = _released(context, catalog)
        stale = [str(source) for source in fetched if source.problem]
        for source in fetched:
            if source.doubt:
                context.say(str(source))
        plan = pipeline.plan(catalog, settings, current_warehouse(settings), again=full)
        if plan.nothing and not _forecasts_due(settings):
            context.say(f"nothing changed; build {current_build(settings.home)} is up to date")
            _say_stale(context, stale)
            rung = say_rung(context, looked_again(context))
            unchanged = {"build": current_build(settings.home), "changed": False, **rung}
            context.result(_with_stale(unchanged | held, stale))
            return
        outcome, fresh = _build(context, catalog, plan, full, progress)
        prune(settings.home, KEPT_BUILDS)
        outcome |= say_rung(context, fresh) | held
    _report(context, _with_stale(outcome, stale))


def _released(context: Context, catalog: Catalog) -> dict[str, Any]:
    """Bring out what was handed in and is due; tell what could not come out, which stops nobody."""
    done = release_due(catalog, context.settings, Store(context.settings.home))
    for one in done.files:
        context.say(f"released at its date: {one.number}, {one.placed}")
    problems = [in_language(problem, context.language) for problem in done.problems]
    for problem in problems:
        click.echo(f"{warning_mark(context.language)}{problem}", err=True)
    return {"held_back": [str(problem) for problem in problems]} if problems else {}


def _with_stale(outcome: dict[str, Any], stale: list[str]) -> dict[str, Any]:
    return {**outcome, "stale": stale} if stale else outcome


def _say_stale(context: Context, stale: list[str]) -> None:
    """What did not answer, and how old the copy is that stays in use."""
    for line in stale:
        context.say(f"not fetched: {line}")


def _forecasts_due(settings: Settings) -> bool:
    """Whether the forecasting code changed since the current build was made."""
    from forecasts.request import engine

    warehouse = current_warehouse(settings)
    if warehouse is None:
        return True
    with warehouse:
        return pipeline.facts_of(warehouse).get("engine") != engine()


def _build(
    context: Context,
    catalog: Catalog,
    plan: pipeline.Plan,
    full: bool,
    progress: Callable[[str], None],
) -> tuple[dict[str, Any], list[str]]:
    """What was loaded and forecast, and the keys of the alerts that rang."""
    from forecasts.decisions.told_chances import keep_chances
    from forecasts.decisions.work_kept import worked_out
    from forecasts.ledger import settle
    from forecasts.request import engine
    from forecasts.run import forecast_all

    started = time.perf_counter()
    with Warehouse.build(context.settings.home) as warehouse:
        loaded = pipeline.refresh(
            warehouse, catalog, context.settings, plan, today=context.today, progress=progress
        )
        load_seconds = time.perf_counter() - started
        summary = forecast_all(
            warehouse,
            catalog,
            today=context.today,
            progress=progress,
            again=full,
        )
        settle(warehouse, today=context.today)
        keep_chances(warehouse, catalog, context.today)
        pipeline.note(warehouse, "engine", engine())
        progress("looking for alerts")
        fresh = looked_in(context, warehouse, catalog)
    build = str(current_build(context.settings.home))
    progress("work ahead of the communes")
    worked_out(context.settings.home, build, catalog, context.today)
    told = {
        "build": build,
        "changed": True,
        "files": len(loaded.loads),
        "records": loaded.records,
        "accepted": sum(load.accepted for load in loaded.loads),
        "rejected": sum(load.rejected + load.unreadable for load in loaded.loads),
        "load_seconds": round(load_seconds, 1),
        "series_forecast": summary.series - summary.refused,
        "series_refused": summary.refused,
        "forecast_seconds": round(summary.seconds, 1),
    }
    return told, fresh


def _report(context: Context, outcome: dict[str, Any]) -> None:
    context.result(outcome)
    context.say(
        f"build {outcome['build']}: {outcome['files']} files, {outcome['records']:,} records "
        f"({outcome['accepted']:,} accepted, {outcome['rejected']:,} rejected) "
        f"in {outcome['load_seconds']} s; "
        f"{outcome['series_forecast']:,} series forecast, {outcome['series_refused']:,} refused "
        f"in {outcome['forecast_seconds']} s"
    )
    _say_stale(context, outcome.get("stale", []))
