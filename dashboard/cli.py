"""`foresight`: the commands of the three packages, composed.

Every command exits with 0 where all is well, 1 where something is wrong, prints errors as problem,
place and remedy, never as a traceback, and with `--json` prints results for machines.
"""

import datetime as dt
import os
import sys

import click
from rich.console import Console

from dashboard.commands import (
    add,
    alerts,
    builds,
    check,
    contacts,
    explain,
    forecast,
    handin,
    models,
    plan,
    publish,
    refresh,
    rejected,
    scenario,
    targets,
    track_record,
    workload,
)
from dashboard.commands.shell import Context, Shell
from etl import clock
from etl.settings import Settings, language
from etl.translation import LANGUAGES, Language

WIDTH_OF_A_FILE = 10_000


@click.group(cls=Shell, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", help="State folder; FORESIGHT_HOME, or state/.")
@click.option("--catalog", help="Another catalog than data_catalog.yaml.")
@click.option("--today", help="The day to take for today, YYYY-MM-DD; for tests and replays.")
@click.option("--json", "as_json", is_flag=True, help="Print results for machines.")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    help="Language of sentences and errors; FORESIGHT_LANG, or that of the system.",
)
@click.pass_context
def main(
    ctx: click.Context,
    home: str | None,
    catalog: str | None,
    today: str | None,
    as_json: bool,
    lang: Language | None,
) -> None:
    """Cần Thơ Foresight: from departmental files to forecasts on the screen."""
    ctx.obj = Context(
        settings=Settings.read(home, catalog),
        today=_day(today),
        as_json=as_json,
        console=_console(),
        language=lang or language(),
    )


def _console() -> Console:
    """As wide as the terminal; in a file or a pipe a row of a table stays one line."""
    width = None if sys.stdout.isatty() else WIDTH_OF_A_FILE
    return Console(width=width, emoji=False)  # :camera: in an answer stays what it is


def _day(text: str | None) -> dt.date:
    try:
        return dt.date.fromisoformat(text) if text else clock.today()
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a day; write 2026-11-22") from None


@main.command()
@click.option("--port", default=8501, show_default=True, type=click.IntRange(1, 65535))
@click.option("--address", default="localhost", show_default=True)
@click.pass_obj
def serve(context: Context, port: int, address: str) -> None:
    """Serve the dashboard on the current build."""
    from dashboard.server import serve as run

    # The pages read the settings of their own process from the environment.
    os.environ["FORESIGHT_HOME"] = str(context.settings.home)
    os.environ["FORESIGHT_CATALOG"] = str(context.settings.catalog)
    context.say("starting the dashboard")
    sys.stdout.flush()
    run(context.settings.home, port=port, address=address)


for command in (
    check.check,
    models.models,
    plan.plan,
    add.add,
    refresh.refresh,
    forecast.forecast_a_file,
    rejected.rejected,
    rejected.corrections,
    targets.targets,
    scenario.scenario,
    explain.explain_forecast,
    builds.list_builds,
    builds.undo_build,
    track_record.track_record,
    publish.publish,
    publish.show_coverage,
    workload.staffing,
    workload.outlook,
    alerts.commands,
    handin.commands,
    contacts.command,
):
    main.add_command(command)
