"""`foresight plan`: what a refresh would change; changes nothing."""

from typing import TYPE_CHECKING

import click
import polars as pl

from dashboard.commands.alerts import would_ring
from dashboard.commands.shell import AT_LEAST_1, Context, Progress, current_warehouse, site_catalog
from dashboard.commands.targets import judged_targets
from etl.catalog import Catalog
from etl.errors import Problems
from etl.preview import Preview, previewed
from etl.warehouse import Warehouse

if TYPE_CHECKING:
    from forecasts.decisions.targets import Judged


@click.command()
@click.option("--limit", default=20, show_default=True, type=AT_LEAST_1, help="Figures to show.")
@click.pass_obj
def plan(context: Context, limit: int) -> None:
    """What a refresh would change: rows, figures, forecasts. Changes nothing."""
    from forecasts.run import due

    catalog = site_catalog(context)
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
    current = current_warehouse(context.settings)
    if current is None:
        return []
    with current:
        try:
            return judged_targets(context, current) if current.has_todays_schema() else []
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


def _looks_wrong(preview: Preview, limit: int) -> pl.DataFrame:
    rows = [
        (one.indicator, one.area, one.period, one.before, one.after, one.words_vi, one.words_en)
        for one in preview.anomalies[:limit]
    ]
    columns = ["indicator", "area", "period", "before", "after", "vi", "en"]
    return pl.DataFrame(rows, schema=columns, orient="row")
