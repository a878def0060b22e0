"""`foresight staffing`, `foresight outlook`: whom to lend where, and the next 14 days."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from dashboard.commands.shell import Context, catalog_of
from etl import pipeline
from etl.catalog import parse_catalog
from etl.warehouse import Warehouse

if TYPE_CHECKING:
    from forecasts.decisions.workload import Ahead


@click.command()
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


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default="load_outlook.json")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the file, and write none.")
@click.pass_obj
def outlook(context: Context, out: Path, schema: bool) -> None:
    """The next 14 days of each commune as JSON, for the citizens' assistant and the hotline."""
    from forecasts.decisions.outlook import form, write
    from forecasts.decisions.outlook import outlook as told
    from forecasts.decisions.topics import all_told

    if schema:
        click.echo(json.dumps(form(), ensure_ascii=False, indent=1))
        return
    with Warehouse.open(context.settings.home) as warehouse:
        catalog = catalog_of(context, warehouse)
        calls = all_told(warehouse, catalog, context.today)
    content = told(_ahead(context), calls, catalog)
    write(out, content)
    context.say(f"{len(content['communes'])} communes: {out}")
    context.result({"file": out, "schema": content["schema"], "simulated": content["simulated"]})


def _ahead(context: Context) -> "Ahead":
    """The work ahead, by the current build and its own catalog."""
    from forecasts.decisions.workload import ahead

    with Warehouse.open(context.settings.home) as warehouse:
        catalog = parse_catalog(pipeline.facts_of(warehouse)["catalog"])
        return ahead(warehouse, catalog, context.today)
