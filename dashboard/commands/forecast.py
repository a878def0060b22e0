"""`foresight forecast`: every series of any long file."""

import time
from pathlib import Path
from typing import Any

import click

from dashboard.commands.shell import AT_LEAST_1, FREQUENCIES, Context, Progress


@click.command("forecast")
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
