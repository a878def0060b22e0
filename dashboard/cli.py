"""`foresight`: the commands of the three packages, composed.

Every command exits with 0 where all is well, 1 where something is wrong, prints errors as problem,
place and remedy, never as a traceback, and with `--json` prints results for machines.
"""

import datetime as dt
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from dashboard.alert_commands import commands, looked_again, looked_in, say_rung, would_ring
from dashboard.contact_commands import command as contacts_ahead
from dashboard.handin_commands import commands as handin
from etl import clock, pipeline
from etl.catalog import Catalog, json_schema, load_catalog, meaning_warnings, parse_catalog
from etl.errors import ForesightError, Problems
from etl.fetch import fetch, local_files
from etl.handin import Store, release_due
from etl.preview import Preview, previewed
from etl.rule_words import phrase
from etl.settings import Settings, language
from etl.simulate import ROWS
from etl.translation import LANGUAGES, Language, located, translated
from etl.warehouse import (
    NoWarehouse,
    Warehouse,
    builds,
    current_build,
    disk_full,
    is_disk_full,
    prune,
    refreshing,
    undo,
)

if TYPE_CHECKING:
    from dashboard.notation import Notation
    from etl.catalog import Scenarios
    from etl.draft import Question
    from etl.publish.coverage import Receipt
    from etl.returned import BadCell
    from etl.trial import Tried
    from forecasts.decisions.scenarios import Outcome
    from forecasts.decisions.targets import Judged
    from forecasts.decisions.what_if_queue import Change, Told
    from forecasts.decisions.workload import Ahead
    from forecasts.explain import Explained

KEPT_BUILDS = 5
MOST_SHOWN = 200
"""Letters of a cell."""
SCORES_SHOWN = {
    "series_shown": "series",
    "backtest_mase": "vs benchmark",
    "coverage_80": "in 80%",
    "issued_outcomes": "came true",
}
"""Scores of the register that `foresight models` prints, by their headings."""


AT_LEAST_1 = click.IntRange(min=1)


@dataclass(frozen=True)
class Context:
    """What every command is told: the installation, the day, and how to print."""

    settings: Settings
    today: dt.date
    as_json: bool
    console: Console
    language: Language = "en"
    """In which errors are told."""

    def say(self, text: str) -> None:
        """A line for people; silent under `--json`."""
        if not self.as_json:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def result(self, content: Any) -> None:
        """The result for machines; silent otherwise."""
        if self.as_json:
            plain = json.loads(
                json.dumps(content, ensure_ascii=False, default=str), parse_constant=lambda _: None
            )
            click.echo(json.dumps(plain, ensure_ascii=False, allow_nan=False))

    def table(self, columns: list[str], rows: list[list[Any]]) -> None:
        """A table for people; under `--json` the same as a list of objects."""
        if self.as_json:
            self.result([dict(zip(columns, row, strict=True)) for row in rows])
            return
        shown = Table(box=None, pad_edge=False)
        for column in columns:
            shown.add_column(column, overflow="fold")  # a path cut short is of no use
        for row in rows:
            shown.add_row(*("" if cell is None or cell != cell else str(cell) for cell in row))
        self.console.print(shown)


class Shell(click.Group):
    """Turns errors of the user's world into three lines and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ForesightError as error:
            told = error
        except OSError as error:
            if not (is_disk_full(error) or error.filename):
                raise
            told = _of_the_system(error, ctx.obj.settings.home)
        spoken: Language = ctx.obj.language if ctx.obj else "en"
        _print_error(told, spoken, as_json=bool(ctx.params.get("as_json")))
        return ctx.exit(1)


def _of_the_system(error: OSError, home: Path) -> ForesightError:
    if is_disk_full(error):
        return disk_full(home)
    return ForesightError(
        error.strerror or str(error),
        where=str(error.filename),
        hint="see that it is there, and that this account may read and write it",
    )


def _print_error(error: ForesightError, language: Language, *, as_json: bool) -> None:
    several = error.problems if isinstance(error, Problems) else [error]
    problems = [_translated(problem, language) for problem in several]
    if as_json:
        found = [{"problem": p.problem, "where": p.where, "hint": p.hint} for p in problems]
        click.echo(json.dumps({"errors": found}, ensure_ascii=False))
        return
    for problem in problems:
        click.echo(str(problem), err=True)


def _translated(error: ForesightError, language: Language) -> ForesightError:
    return ForesightError(
        translated(error.problem, language),
        where=located(error.where, language),
        hint=translated(error.hint, language),
    )


@click.group(cls=Shell, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", help="State folder; FORESIGHT_HOME, or state/.")
@click.option("--catalog", help="Another catalog than data_catalog.yaml.")
@click.option("--today", help="The day to take for today, YYYY-MM-DD; for tests and replays.")
@click.option("--json", "as_json", is_flag=True, help="Print results for machines.")
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    help="Language of errors; FORESIGHT_LANG, or that of the system.",
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
        console=Console(stderr=False, emoji=False),  # :camera: in an answer stays what it is
        language=lang or language(),
    )


def _day(text: str | None) -> dt.date:
    try:
        return dt.date.fromisoformat(text) if text else clock.today()
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a day; write 2026-11-22") from None


@main.command()
@click.option("--write-schema", is_flag=True, help="Write the JSON Schema for editors beside it.")
@click.option("--catalog-only", is_flag=True, help="Leave the contents of the files unread.")
@click.pass_obj
def check(context: Context, write_schema: bool, catalog_only: bool) -> None:
    """Check the catalog and what its files hold; all errors at once, each cell by its place."""
    from etl.trial import Tried, try_files

    settings = context.settings
    if write_schema:
        schema = settings.catalog.with_name("data_catalog.schema.json")
        schema.write_text(json_schema(), encoding="utf-8")
    catalog = _catalog(context)
    _warn(context, catalog)
    files = pipeline.plan(catalog, settings, None, check_only=True).files
    for dataset in catalog.resources:
        if dataset.fetched and not local_files(dataset, settings):
            context.say(f"{dataset.name}: not fetched yet; foresight refresh fetches it")
    tried = Tried()
    if not catalog_only:
        with Progress(context) as progress:
            tried = try_files(
                catalog,
                settings,
                files,
                today=context.today,
                language=context.language,
                progress=progress,
            )
    _report_check(context, len(catalog.resources), len(files), tried)


def _warn(context: Context, catalog: Catalog) -> None:
    for place, problem, hint in meaning_warnings(catalog):
        told = _translated(
            ForesightError(problem, where=catalog.where(place), hint=hint), context.language
        )
        click.echo(f"{_warning(context.language)}{told}", err=True)


def _warning(language: Language) -> str:
    return "cảnh báo: " if language == "vi" else "warning: "


def _report_check(context: Context, datasets: int, files: int, tried: "Tried") -> None:
    """What stops a refresh, then the cells that were not taken, file by file."""
    problems = [_translated(problem, context.language) for problem in tried.problems]
    context.result(
        {
            "datasets": datasets,
            "files": files,
            "read": len(tried.files),
            "left_out": tried.left_out,
            "errors": [{"problem": p.problem, "where": p.where, "hint": p.hint} for p in problems],
            "cells": [asdict(cell) for cells in tried.cells.values() for cell in cells],
            "more": {file: more for file, more in tried.more.items() if more},
        }
    )
    if not context.as_json:
        for problem in problems:
            click.echo(str(problem), err=True)
        stopped = {problem.where for problem in problems}
        for file, told in _cells_told(tried, context.language):
            warning = "" if file in stopped else _warning(context.language)
            click.echo(f"{warning}{told}", err=True)
    if tried.left_out:
        context.say(f"not read, simulated or too large: {len(tried.left_out)} files")
    bad = sum(len(set(cells)) for cells in tried.cells.values()) + sum(tried.more.values())
    found = (
        f"{len(problems)} errors, {bad} cells not taken" if problems or bad else "no error found"
    )
    context.say(f"{datasets} datasets, {files} files: {found}")
    if problems:
        click.get_current_context().exit(1)


def _cells_told(tried: "Tried", language: Language) -> Iterator[tuple[str, ForesightError]]:
    """Each file with what is told of one of its cells, and how much is not."""
    for file, cells in tried.cells.items():
        for cell, records in Counter(cells).items():  # several of an unpivoted row
            several = phrase("note.records", language, count=records) if records > 1 else ""
            there = cell.found or phrase("note.hidden" if cell.hidden else "note.empty", language)
            found = phrase("note.found", language, value=there[:MOST_SHOWN])
            expected = phrase("note.expected", language, expected=cell.expected)
            yield (
                file,
                ForesightError(
                    f"{cell.problem}. {found}. {expected}",
                    where=_place_of(cell, language) + several,
                    hint=phrase("note.remedy", language, remedy=cell.remedy),
                ),
            )
        if tried.more[file]:
            more = phrase("note.more", language, more=tried.more[file])
            yield file, ForesightError(more, where=file)


def _place_of(cell: "BadCell", language: Language) -> str:
    """`a.xlsx, Sheet1, C4, “Tiếp nhận”`: file, sheet, cell or record, label of the column."""
    at = cell.cell or located(f"{cell.file}, record {cell.record}", language).rpartition(", ")[2]
    return ", ".join([cell.file, *([cell.sheet] if cell.sheet else []), at, f"“{cell.column}”"])


@main.command()
@click.option("--limit", default=20, show_default=True, type=AT_LEAST_1, help="Figures to show.")
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
        moved = {
            "targets whose state would change": _moved_targets(context, catalog, aside),
            "alerts that would ring": would_ring(context, catalog, aside),
        }
    still = all(frame.is_empty() for frame in moved.values())
    if preview.plan.nothing and series.is_empty() and still:
        context.say("nothing would change")
    _say_preview(context, preview, series, moved, limit)


def _moved_targets(context: Context, catalog: Catalog, aside: Warehouse) -> pl.DataFrame:
    """Targets whose state would change with the figures alone: forecasts are not made here."""
    from forecasts.decisions.targets import changed, judge

    before = _judged_before(context)
    after = judge(aside, catalog, context.today)
    rows = [(one.target.name, was, one.verdict.state) for one, was in changed(before, after)]
    return pl.DataFrame(rows, schema=["target", "before", "after"], orient="row")


def _judged_before(context: Context) -> list["Judged"]:
    """The targets as they stand; none where an older code made the build, or there is none."""
    current = _current(context.settings)
    if current is None:
        return []
    with current:
        try:
            return _judged(context, current) if current.has_todays_schema() else []
        except Problems:  # its catalog has words that are understood no more
            return []


def _say_preview(
    context: Context,
    preview: Preview,
    series: pl.DataFrame,
    moved: dict[str, pl.DataFrame],
    limit: int,
) -> None:
    forecasts = series.group_by("indicator", "level", "frequency", maintain_order=True).agg(
        series=pl.len(), refused=pl.col("refused").count()
    )
    parts = {
        "files to load": pl.DataFrame({"file": [file.shown for file in preview.plan.changed]}),
        "files gone": pl.DataFrame({"file": [file for _, file in preview.plan.gone]}),
        "records": preview.loads,
        "figures": preview.by_indicator(),
        f"the {limit} figures that change most": preview.changed().head(limit),
        "figures that look wrong": _looks_wrong(preview, limit),
        "series to forecast again": forecasts,
        **moved,
    }
    if context.as_json:
        context.result({name: frame.to_dicts() for name, frame in parts.items()})
        return
    for name, frame in parts.items():
        if not frame.is_empty():
            context.say(f"\n{name}")
            context.table(frame.columns, [list(row) for row in frame.iter_rows()])


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Append the entry without asking.")
@click.option("--dry-run", is_flag=True, help="Only print; never write, never ask.")
@click.pass_obj
def add(context: Context, file: Path, write: bool, dry_run: bool) -> None:
    """Look at FILE and draft its entry of the catalog; ask only what the file does not tell."""
    from etl import draft

    catalog = _catalog(context)
    settings = context.settings
    asks = sys.stdin.isatty() and not (context.as_json or dry_run)
    made = draft.draft(
        file, catalog, settings, today=context.today, ask=_ask if asks else draft.nobody
    )
    if not context.as_json:
        context.table(["found", "in the file"], [list(row) for row in made.found])
        context.say("\n" + made.text)
    tried = draft.try_out(made, file, settings, context.today)
    context.say(tried.said() if tried else "too large to be tried: refresh will tell")
    written = write or (asks and click.confirm(f"Append it to {settings.catalog.name}?"))
    if written and not dry_run:
        draft.append(settings, made)
        context.say(f"{made.name} is in {settings.catalog.name}; next: foresight refresh")
    for question in made.questions:
        context.say(f"to be answered, at {question.about}: {question.text}")
    context.result(
        made.as_json()
        | {"trial": asdict(tried) if tried else None, "written": written and not dry_run}
    )


def _ask(question: "Question") -> str | None:
    """The answer of the person at the terminal; nothing leaves the question open."""
    click.echo(question.text)
    for answer, meaning in question.options.items():
        click.echo(f"  {answer}" + (f": {meaning}" if meaning else ""))
    given = click.prompt("", default="", show_default=False, prompt_suffix="> ")
    found = [answer for answer in question.options if answer == given.strip()]
    return found[0] if found else None


def _looks_wrong(preview: Preview, limit: int) -> pl.DataFrame:
    rows = [
        (one.indicator, one.area, one.period, one.before, one.after, one.words_vi, one.words_en)
        for one in preview.anomalies[:limit]
    ]
    columns = ["indicator", "area", "period", "before", "after", "vi", "en"]
    return pl.DataFrame(rows, schema=columns, orient="row")


@main.command()
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
    catalog = _catalog(context)
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
        plan = pipeline.plan(catalog, settings, _current(settings), again=full)
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
    problems = [_translated(problem, context.language) for problem in done.problems]
    for problem in problems:
        click.echo(f"{_warning(context.language)}{problem}", err=True)
    return {"held_back": [str(problem) for problem in problems]} if problems else {}


FREQUENCIES = ("day", "week", "month", "quarter", "year")


@main.command("forecast")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--period", help="Column of the periods; found by name and content.")
@click.option("--value", help="Column of the values; found by name and content.")
@click.option("--id", "ids", multiple=True, help="Column that names the series; repeatable.")
@click.option("--frequency", type=click.Choice(FREQUENCIES), help="By default found out.")
@click.option("--season", type=AT_LEAST_1, help="Of plain steps: 1, 4, 7, 12 or 52.")
@click.option("--dates", type=click.Choice(["excel", "unix"]), help="Dates are numbers: of what?")
@click.option(
    "--horizon",
    type=click.IntRange(1, 1000),
    help="Periods ahead; 28 days, 13 weeks, 12 months, 8 quarters, 6 years.",
)
@click.option("--coverage", default="50,80,95", show_default=True, help="Intervals, in percent.")
@click.option("--levels", help="Quantile levels in place of intervals: 0.1,0.5,0.9.")
@click.option("--long", is_flag=True, help="One row a quantile, in place of a column each.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Sign that parts decimals.")
@click.option("--alike", multiple=True, help="Column in which series agree that share a season.")
@click.option("--beside", multiple=True, help="Model that joins the engine: auto_ets; repeatable.")
@click.option("--tet", is_flag=True, help="The holiday moves these figures.")
@click.option("--out", type=click.Path(path_type=Path), help="A .csv or .parquet file to write.")
@click.option("--workers", type=AT_LEAST_1, help="Processes; by default one per core.")
@click.pass_obj
def forecast_a_file(context: Context, /, file: Path, **said: Any) -> None:
    """Forecast every series of FILE, a long CSV or Parquet: columns of series, period, value."""
    from etl.periods import Frequency
    from forecasts.file import Ask, Asked, forecast_file, save
    from forecasts.file.answer import refuse_form

    started = time.perf_counter()
    out = said["out"] or file.with_name(f"{file.stem}.forecast.csv")
    refuse_form(out)
    frequency = Frequency(said["frequency"]) if said["frequency"] else None
    named = {name: said[name] for name in ("period", "value", "ids", "season", "dates", "decimal")}
    asked = Asked(**named, frequency=frequency)
    with Progress(context) as progress:
        outcome = forecast_file(
            file,
            asked,
            Ask(_shares(said["coverage"]), _shares(said["levels"]), said["long"]),
            horizon=said["horizon"],
            alike=said["alike"],
            beside=said["beside"],
            tet=said["tet"],
            workers=said["workers"],
            tell=progress,
            language=context.language,
        )
        written = save(outcome, out)
    if not context.as_json:
        context.table(["found", "in the file"], [list(row) for row in outcome.found])
    for reason, count in outcome.refused.items():
        context.say(f"not forecast, {reason}: {count:,} series; see {written[1]}")
    series = len(outcome.scores) - sum(outcome.refused.values())
    seconds = round(time.perf_counter() - started, 1)
    context.say(f"{series:,} series forecast in {seconds} s: {written[0]}, {written[1]}")
    context.result(
        {
            "found": [list(row) for row in outcome.found],
            "series": series,
            "refused": outcome.refused,
            "forecast": written[0],
            "scores": written[1],
            "seconds": seconds,
        }
    )


def _shares(text: str | None) -> tuple[float, ...]:
    """Numbers between 0 and 1, or in percent, parted by commas or blanks."""
    parts = (text or "").replace(",", " ").replace("%", "").split()
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = [0.0]
    shares = tuple(number / 100 if number >= 1 else number for number in numbers)
    if not all(0 < share < 1 for share in shares):
        raise click.BadParameter(f"{text!r}: write numbers between 0 and 100, 50,80,95")
    return shares


def _with_stale(outcome: dict[str, Any], stale: list[str]) -> dict[str, Any]:
    return {**outcome, "stale": stale} if stale else outcome


def _say_stale(context: Context, stale: list[str]) -> None:
    """What did not answer, and how old the copy is that stays in use."""
    for line in stale:
        context.say(f"not fetched: {line}")


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
@click.option("--limit", default=20, show_default=True, type=AT_LEAST_1, help="Rows to show.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the departments' own workbooks, with the bad cells marked and explained.",
)
@click.pass_obj
def rejected(context: Context, dataset: str | None, limit: int, out: Path | None) -> None:
    """Rows not accepted: file, sheet, record, field, rule, value."""
    if out is not None:
        _give_back(context, dataset, out)
        return
    with Warehouse.open(context.settings.home) as warehouse:
        _known(warehouse, dataset)
        found = warehouse.query("dashboard", "rejected_rows", dataset=dataset, limit=limit)
        total = warehouse.query("dashboard", "rejected_count", dataset=dataset).item()
    context.table(found.columns, [list(row) for row in found.iter_rows()])
    context.say(f"{min(limit, total):,} of {total:,} broken rules shown")


def _known(warehouse: Warehouse, dataset: str | None) -> None:
    """Raises `ForesightError` where a dataset is asked for that the build has not."""
    names = [one.name for one in parse_catalog(pipeline.facts_of(warehouse)["catalog"]).resources]
    if dataset is not None and dataset not in names:
        raise ForesightError(
            f"there is no dataset {dataset!r}",
            where="--dataset",
            hint=f"those are: {', '.join(names)}",
        )


def _give_back(context: Context, dataset: str | None, out: Path) -> None:
    from etl.returned import give_back

    with Warehouse.open(context.settings.home) as warehouse:
        catalog = parse_catalog(
            pipeline.facts_of(warehouse)["catalog"], folder=context.settings.catalog.parent
        )
        _known(warehouse, dataset)
        given = give_back(warehouse, catalog, context.settings, out, dataset=dataset)
    if not given:
        context.say("no record was rejected, so there is nothing to give back")
    columns = ["file", "records", "cells", "abridged", "marked", "written"]
    context.table(
        columns, [[o.file, o.records, o.cells, o.abridged, o.marked, o.path] for o in given]
    )
    if given:
        context.say(
            "each workbook holds everything the department sent, sensitive columns too: "
            "give it to nobody but its owner (only you can read it, mode 0600)"
        )


@main.command()
@click.option(
    "--at-risk", type=click.IntRange(1), metavar="N", help="Only the N most at risk, judged."
)
@click.option("--queue", is_flag=True, help="What the simulated queue comes to beside them.")
@click.pass_obj
def targets(context: Context, at_risk: int | None, queue: bool) -> None:
    """Will each target be reached? State and one sentence, worst first; why, where nobody knows."""
    from dashboard.notation import Notation
    from dashboard.targets import labelled, most_at_risk, queue_words, record, sums
    from dashboard.text import Text

    text, notation = Text(context.language), Notation(context.language)
    with Warehouse.open(context.settings.home) as warehouse:
        found = _judged(context, warehouse)
        beside = _by_queue(context, warehouse) if queue else {}
    if at_risk:
        found = most_at_risk(found, at_risk)
    if context.as_json:
        records = [record(judged, text, notation) for judged in found]
        context.result([{**one, "by_queue": beside.get(one["target"])} for one in records])
        return
    rows = [
        [
            judged.verdict.state,
            text.pick(judged.title, judged.title_en),
            labelled(judged, text, notation),
            queue_words(judged, beside.get(judged.target.name), text, notation)
            or sums(judged, text, notation),
        ]
        for judged in found
    ]
    beside_it = "beside it" if queue else "arithmetic"
    context.table(["state", "target", "sentence", beside_it], rows)


def _by_queue(context: Context, warehouse: Warehouse) -> dict[str, dict[str, float]]:
    """What the queue comes to beside targets, by their names; worked out where it is not yet."""
    from forecasts.decisions.queue_targets import by_queue
    from forecasts.decisions.work_kept import kept
    from forecasts.decisions.workload import ahead

    catalog, home = _catalog_of(context, warehouse), context.settings.home
    known = catalog.workload and kept(home, warehouse.name, context.today, catalog.workload)
    rows = known.targets if known else by_queue(ahead(warehouse, catalog, context.today), catalog)
    return {row.pop("target"): row for row in rows.to_dicts()}


def _judged(context: Context, warehouse: Warehouse) -> list["Judged"]:
    """The targets of the catalog a build was made from."""
    from forecasts.decisions.targets import judge

    text = pipeline.facts_of(warehouse)["catalog"]
    catalog = parse_catalog(text, folder=context.settings.catalog.parent)
    return judge(warehouse, catalog, context.today)


@main.group()
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

    return declared(_catalog_of(context, warehouse))


def _catalog_of(context: Context, warehouse: Warehouse) -> Catalog:
    text = pipeline.facts_of(warehouse)["catalog"]
    return parse_catalog(text, folder=context.settings.catalog.parent)


def _played(context: Context, warehouse: Warehouse, settings: list[Any]) -> tuple["Outcome", Any]:
    """What comes of these levers on a build, and the elasticities estimated there."""
    from forecasts.decisions.scenarios import Base, estimated, play

    levers, minutes = _levers_of(context, warehouse), _catalog_of(context, warehouse).minutes
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
        _tell_scenario(context, warehouse, asked, with_queue=queue)


def _tell_scenario(
    context: Context,
    warehouse: Warehouse,
    settings: list[Any],
    more: dict[str, Any] | None = None,
    *,
    with_queue: bool = False,
) -> None:
    from dashboard.notation import Notation
    from dashboard.scenarios import burden, record, sentence, told
    from dashboard.text import Text
    from forecasts.decisions.scenarios import NO_QUEUE, chances
    from forecasts.decisions.what_if_queue import worked_out

    text, notation = Text(context.language), Notation(context.language)
    catalog = _catalog_of(context, warehouse)
    outcome, _ = _played(context, warehouse, settings)
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
    shown = outcome.communes().head(10).with_columns(pl.col(pl.Float64).round(0))
    context.table(shown.columns, [list(row) for row in shown.iter_rows()])
    if queued:
        _tell_queue(context, queued)
    if targets:
        rows = [[one["target"], one["before"], one["after"]] for one in found["targets"]]
        context.table(["target", "before", "after"], rows)


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
    from forecasts.decisions.levers import Setting
    from forecasts.decisions.saved import described, save
    from forecasts.decisions.what_if_queue import worked_out

    with Warehouse.open(context.settings.home) as warehouse:
        asked = [Setting.parse(text) for text in settings]
        outcome, pools = _played(context, warehouse, asked)
        catalog = _catalog_of(context, warehouse)
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


@main.command()
@click.option("--dataset", help="Only this dataset.")
@click.pass_obj
def corrections(context: Context, dataset: str | None) -> None:
    """Cells corrected on the way in: what stood there, what was read instead, why, by whom."""
    with Warehouse.open(context.settings.home) as warehouse:
        _known(warehouse, dataset)
        found = warehouse.query("dashboard", "corrections", dataset=dataset)
    context.table(found.columns, [list(row) for row in found.iter_rows()])


@main.command("explain")
@click.argument("indicator")
@click.option("--area", help="Code or name of the area; the largest that has a forecast.")
@click.option("--category", default="total", show_default=True)
@click.option("--frequency", type=click.Choice(FREQUENCIES), help="By default the finest.")
@click.option(
    "--ahead", default=1, show_default=True, type=AT_LEAST_1, help="How many periods ahead."
)
@click.pass_obj
def explain_forecast(
    context: Context,
    indicator: str,
    area: str | None,
    category: str,
    frequency: str | None,
    ahead: int,
) -> None:
    """What a forecast is made of, what changed since the last issue, how near earlier ones came."""
    from dashboard.made_of import record
    from forecasts.explain import explain, find_series

    with Warehouse.open(context.settings.home) as warehouse:
        asked = find_series(warehouse, indicator, area, category, frequency, context.today)
        explained = explain(warehouse, asked)
        units = warehouse.query("dashboard", "unit", indicator=indicator).row(0)
    context.result(record(explained))
    if not context.as_json:
        _say_explained(context, explained, units, ahead)


def _say_explained(
    context: Context, explained: "Explained", units: tuple[str, str], ahead: int
) -> None:
    from dashboard.made_of import Words
    from dashboard.notation import Notation
    from dashboard.text import Text

    text = Text(context.language)
    words = Words(text, Notation(context.language), text.pick(*units))
    if ahead > len(explained.steps):
        raise ForesightError(
            f"the forecast ends {len(explained.steps)} periods ahead, before {ahead}",
            where="--ahead",
            hint="ask for one nearer",
        )
    step = explained.steps[ahead - 1]
    mark = f" ({text('simulated.short')})" if explained.simulated else ""
    context.say(words.sentence(explained, step) + mark)
    if step.change:
        context.say(words.change(step.change, step))
    context.say("\n" + text("made.parts_title", unit=words.unit))
    context.table(*words.rows(explained))
    misses = words.misses(step.misses, explained.series.frequency)
    if misses:
        context.say("\n" + text("made.errors_title", unit=words.unit))
        names = [text(f"made.{name}") for name in ("period", "kind", "said", "observed", "error")]
        context.table(names, [list(miss.values()) for miss in misses])


@main.command("builds")
@click.option("--keep", type=AT_LEAST_1, help="Delete all but so many, newest first.")
@click.pass_obj
def list_builds(context: Context, keep: int | None) -> None:
    """All builds on disk, newest first. A refresh keeps five; the current one is never deleted."""
    if keep:
        prune(context.settings.home, keep)
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


@main.command("track-record")
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
            _catalog(context),
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


@main.command()
@click.pass_obj
def models(context: Context) -> None:
    """The register of models: purpose, data, weaknesses, scores, human decision, owner."""
    from forecasts.register import entries

    with Warehouse.open(context.settings.home) as warehouse:
        found = entries(warehouse)
    if context.as_json:
        context.result(found)
        return
    purpose = "purpose" if context.language == "vi" else "purpose_en"
    fields = ["model", purpose, "simulated", *SCORES_SHOWN]
    context.table(
        ["model", "purpose", "simulated", *SCORES_SHOWN.values()],
        [[_cell(one[name]) for name in fields] for one in found],
    )


def _cell(value: Any) -> Any:
    return f"{value:.2f}" if isinstance(value, float) else value


@main.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder; <home>/portal by default.")
@click.pass_obj
def publish(context: Context, out: Path | None) -> None:
    """Publish the open, real datasets, forecasts and targets where the site file says."""
    from etl.handin import Store, given_reasons
    from etl.publish.portal import outcome, publish_everywhere

    said = given_reasons(Store(context.settings.home))
    with Warehouse.open(context.settings.home) as warehouse:
        shelf, done = publish_everywhere(warehouse, context.settings, out=out, said=said)
    left = outcome(shelf)
    for refused, why in left.refused.items():
        context.say(f"not published: {refused}: {why}")
    for one in done.values():
        context.say(f"{len(one.published)} datasets published in {one.where}")
    folder = next((one.where for one in done.values()), None)
    told = {name: asdict(one) for name, one in done.items()}
    context.result({"folder": folder, **asdict(left), "targets": told})


@main.command("coverage")
@click.option("--receipts", is_flag=True, help="What each published dataset is used for.")
@click.pass_obj
def show_coverage(context: Context, receipts: bool) -> None:
    """Who publishes what, how late, and how good it is; of all real datasets."""
    from etl.publish import coverage as facts
    from etl.publish.portal import standing_coverage

    with Warehouse.open(context.settings.home) as warehouse:
        found = standing_coverage(warehouse, context.settings)
        used = facts.receipts(found, context.today) if receipts else []
    if receipts:
        _tell_receipts(context, used)
        return
    context.say(f"{len(found.publishing)} of {len(found.bodies)} bodies publish a dataset")
    context.table([*facts.HEADINGS], [facts.row(one, context.today) for one in found.datasets])


def _tell_receipts(context: Context, receipts: "list[Receipt]") -> None:
    if context.as_json:
        context.result([asdict(one) for one in receipts])
        return
    rows = [
        [
            one.dataset,
            one.forecasts,
            len(one.targets),
            one.headlines,
            one.late,
            None if one.wider is None else f"{one.wider:+.0%}",
        ]
        for one in receipts
    ]
    context.table(["dataset", "forecasts", "targets", "headlines", "days late", "band wider"], rows)


@main.command()
@click.option("--people", default=10, show_default=True, type=click.IntRange(min=0))
@click.option("--within", default="district", show_default=True, help="district, city, or 25 (km).")
@click.option("--weeks", type=click.Choice(["2", "13"]), default="13", show_default=True)
@click.option(
    "--times",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Of the declared minutes; what if?",
)
@click.pass_obj
def staffing(context: Context, people: int, within: str, weeks: str, times: float) -> None:
    """Which people to lend where, so that fewest dossiers pass their due day; changes nothing."""
    from dashboard.lending import answer, sentences
    from forecasts.decisions.staffing import plan as lend

    ahead = _ahead(context).slower(times)
    window: Literal["fortnight", "quarter"] = "fortnight" if weeks == "2" else "quarter"
    made = lend(ahead, people, _limit(within), window)
    context.result(answer(ahead, made, within))
    for line in sentences(ahead, made, context.language):
        context.say(line)


def _limit(within: str) -> float | Literal["district"] | None:
    if within in ("district", "city"):
        return "district" if within == "district" else None
    try:
        return float(within)
    except ValueError:
        raise click.BadParameter(f"{within!r}: write district, city, or kilometres") from None


@main.command()
@click.option("--out", type=click.Path(path_type=Path), default="load_outlook.json")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the file, and write none.")
@click.pass_obj
def outlook(context: Context, out: Path, schema: bool) -> None:
    """The next 14 days of each commune as JSON, for the citizens' assistant and the hotline."""
    from forecasts.decisions.outlook import form
    from forecasts.decisions.outlook import outlook as told
    from forecasts.decisions.topics import all_told

    if schema:
        click.echo(json.dumps(form(), ensure_ascii=False, indent=1))
        return
    with Warehouse.open(context.settings.home) as warehouse:
        catalog = _catalog_of(context, warehouse)
        calls = all_told(warehouse, catalog, context.today)
    content = told(_ahead(context), calls, catalog)
    out.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    context.say(f"{len(content['communes'])} communes: {out}")
    context.result({"file": out, "schema": content["schema"], "simulated": content["simulated"]})


def _ahead(context: Context) -> "Ahead":
    """The work ahead, by the current build and its own catalog."""
    from forecasts.decisions.workload import ahead

    with Warehouse.open(context.settings.home) as warehouse:
        catalog = parse_catalog(pipeline.facts_of(warehouse)["catalog"])
        return ahead(warehouse, catalog, context.today)


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


main.add_command(commands)
main.add_command(contacts_ahead)
main.add_command(handin)
