"""`foresight publish`, `foresight coverage`: what leaves the house, and who publishes what."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.commands.shell import Context
from etl.handin import Store
from etl.warehouse import Warehouse

if TYPE_CHECKING:
    from etl.publish.coverage import Receipt


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder; <home>/portal by default.")
@click.pass_obj
def publish(context: Context, out: Path | None) -> None:
    """Publish the open, real datasets, forecasts and targets where the site file says."""
    from etl.handin import given_reasons
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


@click.command("coverage")
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
