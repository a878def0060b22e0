"""What all commands share: how they print, say an error, show progress, and find the build."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from etl import pipeline
from etl.builds import NoWarehouse, disk_full, is_disk_full
from etl.catalog import Catalog, load_catalog, parse_catalog
from etl.errors import ForesightError, Problems
from etl.settings import Settings
from etl.translation import Language, located, translated
from etl.warehouse import Warehouse

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
    problems = [in_language(problem, language) for problem in several]
    if as_json:
        found = [{"problem": p.problem, "where": p.where, "hint": p.hint} for p in problems]
        click.echo(json.dumps({"errors": found}, ensure_ascii=False))
        return
    for problem in problems:
        click.echo(str(problem), err=True)


def in_language(error: ForesightError, language: Language) -> ForesightError:
    return ForesightError(
        translated(error.problem, language),
        where=located(error.where, language),
        hint=translated(error.hint, language),
    )


def warning_mark(language: Language) -> str:
    return "cảnh báo: " if language == "vi" else "warning: "


FREQUENCIES = ("day", "week", "month", "quarter", "year")


def site_catalog(context: Context) -> Catalog:
    path = context.settings.catalog
    if not path.exists():
        raise ForesightError(f"there is no catalog {path}", hint="name it: --catalog FILE")
    return load_catalog(path)


def current_warehouse(settings: Settings) -> Warehouse | None:
    try:
        return Warehouse.open(settings.home)
    except NoWarehouse:
        return None


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


def check_dataset(warehouse: Warehouse, dataset: str | None) -> None:
    """Raises `ForesightError` where a dataset is asked for that the build has not."""
    names = [one.name for one in parse_catalog(pipeline.facts_of(warehouse)["catalog"]).resources]
    if dataset is not None and dataset not in names:
        raise ForesightError(
            f"there is no dataset {dataset!r}",
            where="--dataset",
            hint=f"those are: {', '.join(names)}",
        )


def catalog_of(context: Context, warehouse: Warehouse) -> Catalog:
    text = pipeline.facts_of(warehouse)["catalog"]
    return parse_catalog(text, folder=context.settings.catalog.parent)
