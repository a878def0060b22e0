"""What today's engine would have said on earlier days: replayed, and never issued.

A replay stands at the end of each of the last periods, with the figures known on that day
(`etl.earlier`), forecasts, and is scored against what is known now. The engine is that of today, so
that a replay tells how the engine would have done, not how it did: it is kept in tables of its own
and never added to the track record.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from etl.catalog import Catalog
from etl.earlier import Earlier, earlier
from etl.periods import Frequency
from etl.settings import Settings
from etl.warehouse import LEDGERS, Warehouse, statement
from forecasts.ledger import keep_benchmarks, score
from forecasts.panel import KEY, steps
from forecasts.request import jobs
from forecasts.run import forecast_all

ORIGINS = 24
LEVELS = ("city", "nation")
"""Levels replayed by default; of headline indicators all above the communes are."""


@dataclass(frozen=True, eq=False)
class Replay:
    """What would have been said, and how it would have come out."""

    days: int
    forecasts: pl.DataFrame
    """Columns of `replayed`."""
    scores: pl.DataFrame
    """Columns of `replayed_score`."""


def replay(
    catalog: Catalog,
    settings: Settings,
    *,
    today: date,
    origins: int = ORIGINS,
    levels: tuple[str, ...] = LEVELS,
    progress: Callable[[str], None] = lambda _: None,
) -> Replay:
    """Forecast from each of the last `origins` of every series that have an outcome since.

    Series by category, and communes, are left out: they cost most and lend the least to what is
    told. Nothing is written; `keep` does that.
    """
    with earlier(catalog, settings) as past:
        aside = past.warehouse
        for table in LEDGERS:
            aside.clear(table)
        series = _series(aside, catalog, levels)
        days = _days(series, origins)
        for done, (day, asked) in enumerate(days, start=1):
            past.set_back(day)
            _leave_only(aside, asked)
            # The one place in which a replay meets the engine.
            forecast_all(aside, catalog, today=day, again=True)
            keep_benchmarks(aside)
            progress(f"replay {done} of {len(days)}: {day}")
        past.present()
        score(aside, today=today)
        return _result(past, len(days))


def keep(warehouse: Warehouse, replayed: Replay) -> None:
    """Put the replay in the place of the one before."""
    for table, rows in (("replayed", replayed.forecasts), ("replayed_score", replayed.scores)):
        warehouse.clear(table)
        warehouse.write(table, rows)


def _series(warehouse: Warehouse, catalog: Catalog, levels: tuple[str, ...]) -> pl.DataFrame:
    """The series to replay: columns of KEY, frequency, and their last period."""
    headlines = {name for dataset in catalog.resources for name in dataset.present.headline}
    asked = {
        (indicator.name, job.level, job.frequency.value)
        for job in jobs(catalog)
        for indicator in job.indicators
        if not job.by_category
        and job.level != "commune"
        and (job.level in levels or indicator.name in headlines)
    }
    wanted = pl.DataFrame(
        sorted(asked),
        schema=dict.fromkeys(("indicator", "level", "frequency"), pl.String),
        orient="row",
    )
    found = warehouse.query("forecasts", "last_periods")
    return found.join(wanted, on=wanted.columns, how="semi")


def _days(series: pl.DataFrame, origins: int) -> list[tuple[date, pl.DataFrame]]:
    """Days to stand on, in order, each with the series that are forecast on it.

    A day is the first after a period; the periods of a series are the last `origins` that another
    of its periods follows.
    """
    if series.is_empty():
        return []
    rows = [
        (*row[:-1], day) for row in series.iter_rows() for day in _ends(row[-2], row[-1], origins)
    ]
    columns = [*series.drop("last").columns, "day"]
    asked = pl.DataFrame(rows, schema=columns, orient="row").sort("day", "frequency")
    parts = asked.partition_by("day", "frequency", maintain_order=True)
    return [(part["day"][0], part) for part in parts]


def _ends(frequency: str, last: date, origins: int) -> Iterator[date]:
    unit = Frequency(frequency).polars_step.removeprefix("1")
    first = pl.select(pl.lit(last).dt.offset_by(f"-{origins - 1}{unit}")).item()
    yield from steps(first, Frequency(frequency), origins)


def _leave_only(warehouse: Warehouse, asked: pl.DataFrame) -> None:
    with warehouse.registered(asked.select(*KEY, "level", "frequency")) as view:
        warehouse.run(f"create or replace temp view asked as from {view}")
        warehouse.run(statement("forecasts", "leave_only"))
        warehouse.run("drop view asked")


def _result(past: Earlier, days: int) -> Replay:
    kept = pl.DataFrame(
        sorted(past.kept), schema={"indicator": pl.String, "frequency": pl.String}, orient="row"
    ).with_columns(known=pl.lit("then"))

    def told(query: str) -> pl.DataFrame:
        rows = past.warehouse.query("forecasts", query)
        joined = rows.join(kept, on=["indicator", "frequency"], how="left", maintain_order="left")
        return joined.with_columns(pl.col("known").fill_null("now"))

    return Replay(days, told("said"), told("scores_all"))
