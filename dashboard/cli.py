"""`foresight`: the commands of the three packages, composed.

Every command exits with 0 where all is well, 1 where something is wrong, prints errors as problem,
place and remedy, never as a traceback, and with `--json` prints results for machines.
"""

import datetime as dt
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from etl import pipeline
from etl.catalog import Catalog, json_schema, load_catalog, meaning_warnings
from etl.errors import ForesightError, Problems
from etl.preview import Preview, previewed
from etl.settings import Settings
from etl.simulate import ROWS
from etl.warehouse import NoWarehouse, Warehouse, builds, current_build, prune, undo

KEPT_BUILDS = 5


@dataclass(frozen=True)
class Context:
    """What every command is told: the installation, the day, and how to print."""

    settings: Settings
    today: dt.date
    as_json: bool
    console: Console

    def say(self, text: str) -> None:
        """A line for people; silent under `--json`."""
        if not self.as_json:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def result(self, content: Any) -> None:
        """The result for machines; silent otherwise."""
        if self.as_json:
            click.echo(json.dumps(content, ensure_ascii=False, default=str))

    def table(self, columns: list[str], rows: list[list[Any]]) -> None:
        """A table for people; under `--json` the same as a list of objects."""
        if self.as_json:
            self.result([dict(zip(columns, row, strict=True)) for row in rows])
            return
        shown = Table(box=None, pad_edge=False)
        for column in columns:
            shown.add_column(column, overflow="fold")  # a path cut short is of no use
        for row in rows:
            shown.add_row(*("" if cell is None else str(cell) for cell in row))
        self.console.print(shown)


class Shell(click.Group):
    """Turns errors of the user's world into three lines and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ForesightError as error:
            _print_error(error, as_json=bool(ctx.params.get("as_json")))
            ctx.exit(1)


def _print_error(error: ForesightError, *, as_json: bool) -> None:
    problems = error.problems if isinstance(error, Problems) else [error]
    if as_json:
        found = [{"problem": p.problem, "where": p.where, "hint": p.hint} for p in problems]
        click.echo(json.dumps({"errors": found}, ensure_ascii=False))
        return
    for problem in problems:
        click.echo(str(problem), err=True)


@click.group(cls=Shell, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", help="State folder; FORESIGHT_HOME, or state/.")
@click.option("--catalog", help="Another catalog than data_catalog.yaml.")
@click.option("--today", help="The day to take for today, YYYY-MM-DD; for tests and replays.")
@click.option("--json", "as_json", is_flag=True, help="Print results for machines.")
@click.pass_context
def main(
    ctx: click.Context, home: str | None, catalog: str | None, today: str | None, as_json: bool
) -> None:
    """Cần Thơ Foresight: from departmental files to forecasts on the screen."""
    ctx.obj = Context(
        settings=Settings.read(home, catalog),
        today=_day(today),
        as_json=as_json,
        console=Console(stderr=False),
    )


def _day(text: str | None) -> dt.date:
    try:
        return dt.date.fromisoformat(text) if text else dt.datetime.now().astimezone().date()
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a day; write 2026-11-22") from None


@main.command()
@click.option("--write-schema", is_flag=True, help="Write the JSON Schema for editors beside it.")
@click.pass_obj
def check(context: Context, write_schema: bool) -> None:
    """Check the catalog and that its files are there; all errors at once."""
    if write_schema:
        schema = context.settings.catalog.with_name("data_catalog.schema.json")
        schema.write_text(json_schema(), encoding="utf-8")
    catalog = _catalog(context)
    for place, problem, hint in meaning_warnings(catalog):
        click.echo(f"warning: {catalog.where(place)}: {problem}\n  {hint}", err=True)
    files = pipeline.plan(catalog, context.settings, None, check_only=True).files
    context.say(f"{len(catalog.resources)} datasets, {len(files)} files: no error found")
    context.result({"datasets": len(catalog.resources), "files": len(files)})


@main.command()
@click.option("--limit", default=20, show_default=True, help="Figures to show.")
@click.pass_obj
def plan(context: Context, limit: int) -> None:
    """What a refresh would change: rows, figures, forecasts. Changes nothing."""
    from forecasts.run import due

    catalog = _catalog(context)
    settings = context.settings
    settings.home.mkdir(parents=True, exist_ok=True)
    with (
        Progress(context) as progress,
        previewed(catalog, settings, today=context.today, progress=progress) as (preview, aside),
    ):
        series = due(aside, catalog, context.today)
    if preview.plan.nothing and series.is_empty():
        context.say("nothing would change")
    _say_preview(context, preview, series, limit)


def _say_preview(context: Context, preview: Preview, series: pl.DataFrame, limit: int) -> None:
    forecasts = series.group_by("indicator", "level", "frequency", maintain_order=True).agg(
        series=pl.len(), refused=pl.col("refused").count()
    )
    parts = {
        "files to load": pl.DataFrame({"file": [file.shown for file in preview.plan.changed]}),
        "files gone": pl.DataFrame({"file": [file for _, file in preview.plan.gone]}),
        "records": preview.loads,
        "figures": preview.by_indicator(),
        f"the {limit} figures that change most": preview.changed().head(limit),
        "series to forecast again": forecasts,
    }
    if context.as_json:
        context.result({name: frame.to_dicts() for name, frame in parts.items()})
        return
    for name, frame in parts.items():
        if not frame.is_empty():
            context.say(f"\n{name}")
            context.table(frame.columns, [list(row) for row in frame.iter_rows()])


@main.command()
@click.option("--full", is_flag=True, help="Load and forecast everything again; history stays.")
@click.option("--rows", default=ROWS, show_default=True, help="Rows of simulated dossiers.")
@click.option("--workers", type=int, help="Processes for slow models; by default one per core.")
@click.pass_obj
def refresh(context: Context, full: bool, rows: int, workers: int | None) -> None:
    """Load what changed, forecast what is affected, move the pointer."""
    catalog = _catalog(context)
    settings = context.settings
    settings.home.mkdir(parents=True, exist_ok=True)
    with Progress(context) as progress:
        pipeline.generate(catalog, settings, progress, rows)
        plan = pipeline.plan(catalog, settings, _current(settings), again=full)
        if plan.nothing and not _forecasts_due(settings):
            context.say(f"nothing changed; build {current_build(settings.home)} is up to date")
            context.result({"build": current_build(settings.home), "changed": False})
            return
        outcome = _build(context, catalog, plan, full, workers, progress)
    prune(settings.home, KEPT_BUILDS)
    _report(context, outcome)


def _catalog(context: Context) -> Catalog:
    path = context.settings.catalog
    if not path.exists():
        raise ForesightError(f"there is no catalog {path}", hint="name it: --catalog FILE")
    return load_catalog(path)


def _current(settings: Settings) -> Warehouse | None:
    try:
        return Warehouse.open(settings.home)
    except NoWarehouse:
        return None


def _forecasts_due(settings: Settings) -> bool:
    """Whether the forecasting code changed since the current build was made."""
    from forecasts.request import engine

    warehouse = _current(settings)
    if warehouse is None:
        return True
    with warehouse:
        return pipeline.facts_of(warehouse).get("engine") != engine()


def _build(
    context: Context,
    catalog: Catalog,
    plan: pipeline.Plan,
    full: bool,
    workers: int | None,
    progress: Callable[[str], None],
) -> dict[str, Any]:
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
            workers=workers,
            again=full,
        )
        pipeline.note(warehouse, "engine", engine())
    return {
        "build": current_build(context.settings.home),
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


def _report(context: Context, outcome: dict[str, Any]) -> None:
    context.result(outcome)
    context.say(
        f"build {outcome['build']}: {outcome['files']} files, {outcome['records']:,} records "
        f"({outcome['accepted']:,} accepted, {outcome['rejected']:,} rejected) "
        f"in {outcome['load_seconds']} s; "
        f"{outcome['series_forecast']:,} series forecast, {outcome['series_refused']:,} refused "
        f"in {outcome['forecast_seconds']} s"
    )


class Progress:
    """Progress on a terminal as one moving line, elsewhere as one line a stage."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._status: Any = None
        self._stage = ""

    def __enter__(self) -> Callable[[str], None]:
        if self._context.as_json:
            return lambda _message: None
        if self._context.console.is_terminal:
            self._status = self._context.console.status("starting")
            self._status.start()
            return self._move
        return self._line

    def _move(self, message: str) -> None:
        self._status.update(message)

    def _line(self, message: str) -> None:
        stage = message.split(":")[0]
        if stage != self._stage:
            self._stage = stage
            self._context.say(stage)

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()


@main.command()
@click.option("--dataset", help="Only this dataset.")
@click.option("--limit", default=20, show_default=True, help="Rows to show.")
@click.pass_obj
def rejected(context: Context, dataset: str | None, limit: int) -> None:
    """Rows not accepted: file, sheet, record, field, rule, value."""
    with Warehouse.open(context.settings.home) as warehouse:
        found = warehouse.query("dashboard", "rejected_rows", dataset=dataset, limit=limit)
        total = warehouse.query("dashboard", "rejected_count", dataset=dataset).item()
    context.table(found.columns, [list(row) for row in found.iter_rows()])
    context.say(f"{min(limit, total):,} of {total:,} broken rules shown")


@main.command()
@click.option("--dataset", help="Only this dataset.")
@click.pass_obj
def corrections(context: Context, dataset: str | None) -> None:
    """Cells corrected on the way in: what stood there, what was read instead, why, by whom."""
    with Warehouse.open(context.settings.home) as warehouse:
        found = warehouse.query("dashboard", "corrections", dataset=dataset)
    context.table(found.columns, [list(row) for row in found.iter_rows()])


@main.command("builds")
@click.pass_obj
def list_builds(context: Context) -> None:
    """All builds on disk, newest first."""
    rows = [
        [
            "*" if build.current else "",
            build.name,
            dt.datetime.fromtimestamp(build.created, dt.UTC).isoformat(timespec="seconds"),
            f"{build.size / 1e6:.0f} MB",
        ]
        for build in builds(context.settings.home)
    ]
    context.table(["current", "build", "made", "size"], rows)


@main.command("undo")
@click.pass_obj
def undo_build(context: Context) -> None:
    """Move the pointer back to the build before."""
    name = undo(context.settings.home)
    context.say(f"current build is now {name}; the dashboard shows it at the next page")
    context.result({"build": name})


@main.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder; <home>/portal by default.")
@click.pass_obj
def publish(context: Context, out: Path | None) -> None:
    """Write the open, real datasets to a static folder: CSV, Parquet, datapackage.json, DCAT."""
    from etl.publish.portal import publish_portal

    folder = out or context.settings.home / "portal"
    with Warehouse.open(context.settings.home) as warehouse:
        outcome = publish_portal(warehouse, folder)
    for refused, why in outcome.refused.items():
        context.say(f"not published: {refused}: {why}")
    context.say(f"{len(outcome.published)} datasets published in {folder}")
    context.result({"folder": folder, "published": outcome.published, "refused": outcome.refused})


@main.command()
@click.option("--port", default=8501, show_default=True)
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
