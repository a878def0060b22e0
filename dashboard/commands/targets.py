"""`foresight targets`: will each target be reached, in one sentence."""

from typing import TYPE_CHECKING

import click

from dashboard.commands.shell import Context, catalog_of
from etl import pipeline
from etl.catalog import parse_catalog
from etl.warehouse import Warehouse

if TYPE_CHECKING:
    from dashboard.text import Text
    from forecasts.decisions.targets import Judged


@click.command()
@click.option(
    "--at-risk", type=click.IntRange(1), metavar="N", help="Only the N most at risk, judged."
)
@click.option("--queue", is_flag=True, help="What the simulated queue comes to beside them.")
@click.pass_obj
def targets(context: Context, at_risk: int | None, queue: bool) -> None:
    """Will each target be reached? State and one sentence, worst first; why, where nobody knows."""
    from dashboard.notation import Notation
    from dashboard.targets import labelled, most_at_risk, queue_words, record, state_name, sums
    from dashboard.text import Text

    text, notation = Text(context.language), Notation(context.language)
    with Warehouse.open(context.settings.home) as warehouse:
        found = judged_targets(context, warehouse)
        beside = _by_queue(context, warehouse) if queue else {}
    if at_risk:
        found = most_at_risk(found, at_risk)
    if context.as_json:
        records = [record(judged, text, notation) for judged in found]
        context.result([{**one, "by_queue": beside.get(one["target"])} for one in records])
        return
    rows = [
        [
            state_name(judged.verdict, text),
            _named(judged, text),
            labelled(judged, text, notation),
            queue_words(judged, beside.get(judged.target.name), text, notation)
            or sums(judged, text, notation),
        ]
        for judged in found
    ]
    beside_it = "beside it" if queue else "arithmetic"
    context.table(["state", "target", "sentence", beside_it], rows)


def _named(judged: "Judged", text: "Text") -> str:
    """Its title, and the flag of those that only report on themselves."""
    flag = f" ({text('targets.self_reported')})" if judged.target.self_reported else ""
    return f"{text.pick(judged.title, judged.title_en)}{flag}"


def _by_queue(context: Context, warehouse: Warehouse) -> dict[str, dict[str, float | None]]:
    """What the queue comes to beside targets, by their names; worked out where it is not yet."""
    from forecasts.decisions.queue_targets import by_queue, runs_before
    from forecasts.decisions.work_kept import kept
    from forecasts.decisions.workload import ahead

    catalog, home = catalog_of(context, warehouse), context.settings.home
    known = catalog.workload and kept(home, warehouse.name, context.today, catalog.workload)
    if known:
        rows = known.targets
    else:
        found = ahead(warehouse, catalog, context.today)
        rows = by_queue(found, catalog, *runs_before(warehouse, found, catalog))
    return {row.pop("target"): row for row in rows.to_dicts()}


def judged_targets(context: Context, warehouse: Warehouse) -> list["Judged"]:
    """The targets of the catalog a build was made from."""
    from forecasts.decisions.targets import judge

    text = pipeline.facts_of(warehouse)["catalog"]
    catalog = parse_catalog(text, folder=context.settings.catalog.parent)
    return judge(warehouse, catalog, context.today)
