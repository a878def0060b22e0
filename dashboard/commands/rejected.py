"""`foresight rejected`, `foresight corrections`: what was not taken as it was sent."""

from pathlib import Path

import click

from dashboard.commands.shell import AT_LEAST_1, Context, check_dataset
from etl import pipeline
from etl.catalog import parse_catalog
from etl.warehouse import Warehouse


@click.command()
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
        check_dataset(warehouse, dataset)
        found = warehouse.query("dashboard", "rejected_rows", dataset=dataset, limit=limit)
        total = warehouse.query("dashboard", "rejected_count", dataset=dataset).item()
    context.table(found.columns, [list(row) for row in found.iter_rows()])
    context.say(f"{min(limit, total):,} of {total:,} broken rules shown")


def _give_back(context: Context, dataset: str | None, out: Path) -> None:
    from etl.returned import give_back

    with Warehouse.open(context.settings.home) as warehouse:
        catalog = parse_catalog(
            pipeline.facts_of(warehouse)["catalog"], folder=context.settings.catalog.parent
        )
        check_dataset(warehouse, dataset)
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


@click.command()
@click.option("--dataset", help="Only this dataset.")
@click.pass_obj
def corrections(context: Context, dataset: str | None) -> None:
    """Cells corrected on the way in: what stood there, what was read instead, why, by whom."""
    with Warehouse.open(context.settings.home) as warehouse:
        check_dataset(warehouse, dataset)
        found = warehouse.query("dashboard", "corrections", dataset=dataset)
    context.table(found.columns, [list(row) for row in found.iter_rows()])
