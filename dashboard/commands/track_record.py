"""`foresight track-record`: how good issued forecasts were; replays earlier origins."""

import click

from dashboard.commands.shell import AT_LEAST_1, Context, Progress, site_catalog
from etl import pipeline
from etl.builds import KEPT_BUILDS, prune
from etl.catalog import parse_catalog
from etl.warehouse import Warehouse


@click.command("track-record")
@click.option(
    "--against",
    type=click.Choice(["latest", "first"]),
    default="latest",
    show_default=True,
    help="The figure that stands now, or the one first published.",
)
@click.option(
    "--replay",
    "origins",
    type=AT_LEAST_1,
    help="First replay so many earlier origins, on what was known then.",
)
@click.pass_obj
def track_record(context: Context, against: str, origins: int | None) -> None:
    """How good issued forecasts were; replayed and simulated ones apart."""
    from dashboard.track_record import told

    if origins:
        _replay(context, origins)
    with Warehouse.open(context.settings.home) as warehouse:
        text = pipeline.facts_of(warehouse)["catalog"]
        catalog = parse_catalog(text, folder=context.settings.catalog.parent)
        parts = told(warehouse, catalog, context.language, against=against)
    context.result({part.name: part.content for part in parts})
    if context.as_json:
        return
    for part in parts:
        context.say(f"\n{part.title}\n{part.sentence}\n{part.chances}")
        for line in part.alerts:
            context.say(f"! {line}")
        for columns, rows in part.tables:
            context.table(columns, rows)


def _replay(context: Context, origins: int) -> None:
    from forecasts.replay import keep, replay

    settings = context.settings
    with Progress(context) as progress:
        done = replay(
            site_catalog(context),
            settings,
            today=context.today,
            origins=origins,
            progress=progress,
        )
    with Warehouse.build(settings.home) as warehouse:
        keep(warehouse, done)
        pipeline.record(warehouse, "replay", f"{origins} origins on {done.days} days")
    prune(settings.home, KEPT_BUILDS)
    context.say(f"replayed {done.days} days, {len(done.scores):,} scores: never issued, kept apart")
