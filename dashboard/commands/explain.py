"""`foresight explain`: what a forecast is made of, and what changed since the last."""

from typing import TYPE_CHECKING

import click

from dashboard.commands.shell import AT_LEAST_1, FREQUENCIES, Context
from etl.errors import ForesightError
from etl.warehouse import Warehouse

if TYPE_CHECKING:
    from forecasts.explain import Explained


@click.command("explain")
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
        context.say("\n" + text("made.errors_title", steps=ahead, unit=words.unit))
        names = [text(f"made.{name}") for name in ("period", "kind", "said", "observed", "error")]
        context.table(names, [list(miss.values()) for miss in misses])
