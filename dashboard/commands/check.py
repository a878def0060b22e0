"""`foresight check`: the catalog and what its files hold, all errors at once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from dashboard.commands.shell import Context, Progress, in_language, site_catalog, warning_mark
from etl import pipeline
from etl.catalog import Catalog, json_schema, meaning_warnings
from etl.errors import ForesightError
from etl.fetch import local_files
from etl.rule_words import phrase
from etl.translation import Language, located

if TYPE_CHECKING:
    from etl.returned import BadCell
    from etl.trial import Tried


MOST_SHOWN = 200
"""Letters of a cell."""


@click.command()
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
    catalog = site_catalog(context)
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
        told = in_language(
            ForesightError(problem, where=catalog.where(place), hint=hint), context.language
        )
        click.echo(f"{warning_mark(context.language)}{told}", err=True)


def _report_check(context: Context, datasets: int, files: int, tried: "Tried") -> None:
    """What stops a refresh, then the cells that were not taken, file by file."""
    problems = [in_language(problem, context.language) for problem in tried.problems]
    doubts = [in_language(doubt, context.language) for doubt in tried.doubts]
    context.result(
        {
            "datasets": datasets,
            "files": files,
            "read": len(tried.files),
            "left_out": tried.left_out,
            "errors": [{"problem": p.problem, "where": p.where, "hint": p.hint} for p in problems],
            "doubts": [{"problem": p.problem, "where": p.where, "hint": p.hint} for p in doubts],
            "cells": [asdict(cell) for cells in tried.cells.values() for cell in cells],
            "more": {file: more for file, more in tried.more.items() if more},
        }
    )
    if not context.as_json:
        for problem in problems:
            click.echo(str(problem), err=True)
        stopped = {problem.where for problem in problems}
        for file, told in _cells_told(tried, context.language):
            warning = "" if file in stopped else warning_mark(context.language)
            click.echo(f"{warning}{told}", err=True)
        for doubt in doubts:
            click.echo(f"{warning_mark(context.language)}{doubt}", err=True)
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
