"""`foresight contacts`: petitions and calls ahead by topic and commune, day by day or by week."""

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import click
import polars as pl

from dashboard.commands.shell import Context
from dashboard.text import Text
from etl import pipeline
from etl.catalog import Catalog, parse_catalog
from etl.errors import ForesightError
from etl.warehouse import Warehouse
from forecasts.decisions.contacts import Watched, classified, watched
from forecasts.decisions.topics import ALL, NoTopics, TopicDays, topic_days


class NoSuchCommune(ForesightError):
    """No commune of today has this code."""


@click.command("contacts")
@click.option("--area", help="Code of a commune; the whole city without it.")
@click.option("--by", type=click.Choice(["day", "week"]), default="week", show_default=True)
@click.option("--days", default=14, show_default=True, type=click.IntRange(1), help="Days ahead.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Every commune and day of the quarter as csv.",
)
@click.pass_obj
def command(
    context: Context, area: str | None, by: Literal["day", "week"], days: int, out: Path | None
) -> None:
    """Petitions and calls ahead by topic: of the city or a commune, by week or day, with ranges."""
    with Warehouse.open(context.settings.home) as warehouse:
        catalog = parse_catalog(pipeline.facts_of(warehouse)["catalog"])
        found = [
            topic_days(warehouse, catalog, dataset, context.today)
            for dataset in classified(catalog)
        ]
        seen = {one.dataset: watched(warehouse, one.dataset, context.today) for one in found}
    if not found:
        raise NoTopics(
            "no dataset has labels of a classifier",
            hint="one has the fields area, period, category, version and number",
        )
    if out:
        _write(context, found, out)
        return
    told = [
        _told(context, catalog, one, area, by, days)
        | {"labels": _watch(context, catalog, one.dataset, seen[one.dataset])}
        for one in found
    ]
    context.result(told)


def _watch(context: Context, catalog: Catalog, dataset: str, seen: Watched) -> dict[str, Any]:
    """Whether those who label are still the same; printed as well, unless it is for machines."""
    from dashboard.alerts import Teller, labels_said

    for line in labels_said(
        Teller(Text(context.language), catalog, {}), catalog.datasets[dataset], seen
    ):
        context.say(line)
    return {
        "weeks": len(seen.weeks),
        "other": seen.other,
        "findings": [asdict(one) for one in seen.findings],
    }


def _write(context: Context, found: list[TopicDays], out: Path) -> None:
    """One row a dataset, commune, topic and day."""
    rows = pl.concat(
        one.table("day", area).select(
            pl.lit(one.dataset).alias("dataset"), pl.lit(area).alias("area"), *KEYS
        )
        for one in found
        for area in one.areas
    )
    rows.with_columns(simulated=pl.lit(any(one.simulated for one in found))).write_csv(out)
    context.say(f"{len(rows):,} rows: {out}")
    context.result({"file": out, "rows": len(rows)})


KEYS = ("topic", "period", "expected", "lower", "upper", "basis")


def _told(
    context: Context,
    catalog: Catalog,
    one: TopicDays,
    area: str | None,
    by: Literal["day", "week"],
    days: int,
) -> dict[str, Any]:
    """What is told of one dataset; printed as well, unless it is for machines."""
    if area and area not in one.areas:
        raise NoSuchCommune(f"no commune of today has the code {area!r}", hint="e.g. 31120")
    until = context.today + dt.timedelta(days=days)
    rows = one.table(by, area).filter(pl.col("period") < until)
    text, dataset = Text(context.language), catalog.datasets[one.dataset]
    field = next(field for field in dataset.schema_.fields if field.name == "category")
    titles = {topic.value: text.pick(topic.label, topic.label_en) for topic in field.categories}
    titles[ALL] = text("load.topics_all")
    title = text.pick(dataset.title, dataset.title_en)
    context.say(f"{title} · {one.until} → {one.last}")
    if one.untold():
        context.say(f"{len(one.untold())} of {len(one.areas) * len(one.topics)} are not told")
    if not context.as_json:
        shown = rows.with_columns(pl.col("topic").replace(titles), pl.col(pl.Float64).round(1))
        context.table(shown.columns, [list(row) for row in shown.iter_rows()])

    return {
        "dataset": one.dataset,
        "data_until": one.until,
        "told_until": one.last,
        "simulated": one.simulated,
        "untold": one.untold(),
        "rows": rows.to_dicts(),
    }
