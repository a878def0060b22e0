"""Forecasts of every series the catalog asks for, from the warehouse and back into it.

A job (`forecasts.request`) is forecast again when one of its series changed: they lend each other
seasons, weights and errors. So is every job of the same family, for what is issued adds up.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from etl.catalog import Catalog
from etl.warehouse import Warehouse
from forecasts.adjust import freed_of
from forecasts.breaks import declared
from forecasts.coherent import Issued, add_up
from forecasts.engine import Adjust, forecast
from forecasts.hierarchy import Family, families
from forecasts.issue import described, path_rows, quantile_rows, score_rows, series_rows
from forecasts.panel import KEY
from forecasts.parts import explaining_rows
from forecasts.request import MANY_AREAS, Found, Job, find, jobs, panels

Progress = Callable[[str], None]
Rows = Iterator[tuple[str, pl.DataFrame]]
"""Names of tables and rows of theirs, still without issue and day."""

BESIDE = ("auto_ets",)
"""Slow models that make half of the forecasts of headline series; AutoARIMA took minutes a run."""
MOST_SEASONS = 4


@dataclass(frozen=True)
class Summary:
    """What a run did."""

    series: int
    """Series the catalog asks for."""
    refused: int
    """Of these, the ones without a forecast, because of their data or because none was tested."""
    issued: int
    """Of these, the ones new or changed since the last issue, refusals included."""
    seconds: float


def forecast_all(
    warehouse: Warehouse,
    catalog: Catalog,
    *,
    today: date,
    progress: Progress | None = None,
    again: bool = False,
) -> Summary:
    """Forecast what changed since the last issue, and add it to the warehouse as issued `today`.

    With `again`, everything is issued anew; what was issued before stays.

    Writes rows of `forecast`, what explains them (`forecasts.parts`), `forecast_path`,
    `forecast_series` and `backtest`.
    """
    started = time.monotonic()
    tell = progress or (lambda _: None)
    found, related = _found(warehouse, catalog, today, again)
    changed = [one for one in found if one.series["issue_it"].any()]
    made = _made(changed, related, freed_of(declared(catalog)), tell)
    issue = _next_issue(warehouse)
    for one, group in zip(changed, made, strict=True):
        _write(warehouse, issue, today, _rows(one, group, today))
    return Summary(
        series=sum(len(one.series) for one in found),
        refused=sum(_refused(warehouse, one) for one in found),
        issued=sum(len(one.series.filter("issue_it")) for one in found),
        seconds=time.monotonic() - started,
    )


def say_again(
    warehouse: Warehouse, catalog: Catalog, *, today: date, adjust: Adjust, of: Collection[str]
) -> int:
    """Forecast every series of the indicators `of` that is there, and write what is scored of it.

    As `forecast_all` with `again`, for replays: rows of `forecast` and `forecast_series` alone.
    Gives the number of the issue.
    """
    found, related = _found(warehouse, catalog, today, again=True, of=of)
    asked = [one for one in found if not one.series.is_empty()]
    made = _made(asked, related, adjust, lambda _: None)
    issue = _next_issue(warehouse)
    for one, group in zip(asked, made, strict=True):
        _write(warehouse, issue, today, _said_rows(one, group, today))
    return issue


def _next_issue(warehouse: Warehouse) -> int:
    return int(warehouse.query("forecasts", "last_issue")["issue"][0]) + 1


def _made(
    found: Sequence[Found], related: Sequence[Family], adjust: Adjust, tell: Progress
) -> list[list[Issued]]:
    """What the engine says of each job, a panel each; what belongs together adds up."""
    made = []
    for done, one in enumerate(found, start=1):
        beside = BESIDE if _headline(one.job) else ()
        said = [
            forecast(panel, one.job.horizon, adjust=adjust, beside=beside) for panel in panels(one)
        ]
        made.append([Issued.of(one.job, forecasts) for forecasts in said])
        tell(f"forecast {done} of {len(found)}: {one.job.title}")
    every = [issued for group in made for issued in group]
    for family in related:
        if any(_in(family, issued) for issued in every):
            add_up(family, [issued for issued in every if _in(family, issued)])
    return made


DUE = dict.fromkeys([*KEY, "level", "frequency", "refused"], pl.String())


def due(
    warehouse: Warehouse, catalog: Catalog, today: date, of: Collection[str] | None = None
) -> pl.DataFrame:
    """The series that `forecast_all` would forecast or refuse anew; `of` some indicators alone.

    One row a series: indicator, area, category, level, frequency, refused (the reason, or null).
    """
    parts = [
        found.series.filter("issue_it").select(
            *KEY,
            pl.lit(found.job.level).alias("level"),
            pl.lit(found.job.frequency.value).alias("frequency"),
            "refused",
        )
        for found in _found(warehouse, catalog, today, again=False, of=of)[0]
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=DUE)


def _found(
    warehouse: Warehouse,
    catalog: Catalog,
    today: date,
    again: bool,
    of: Collection[str] | None = None,
) -> tuple[list[Found], list[Family]]:
    """The series of every job, with a column `issue_it`; and what adds up to what among them."""
    asked = [
        job for job in jobs(catalog) if of is None or any(one.name in of for one in job.indicators)
    ]
    found = [_marked(warehouse, find(warehouse, job, today)) for job in asked]
    if again:
        found = [_with(one, pl.lit(True)) for one in found]
    related, _ = families(found, catalog.map)
    return _whole(found, related), related


def _with(found: Found, issue_it: pl.Expr) -> Found:
    return Found(found.job, found.series.with_columns(issue_it=issue_it), found.frame)


def _refused(warehouse: Warehouse, found: Found) -> int:
    """How many series of the job have no forecast, by their newest issue."""
    issued = warehouse.query(
        "forecasts", "issued", level=found.job.level, frequency=found.job.frequency.value
    )
    asked = found.series.select(KEY)
    return int(asked.join(issued, on=KEY, nulls_equal=True)["refused"].count())


def _marked(warehouse: Warehouse, found: Found) -> Found:
    """With a column `issue_it`: the series is new, or other than at its last issue."""
    issued = warehouse.query(
        "forecasts", "issued", level=found.job.level, frequency=found.job.frequency.value
    )
    before = issued.select(*KEY, pl.col("input_key").alias("before"))
    series = found.series.join(before, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    same = pl.col("input_key").eq_missing(pl.col("before"))
    return Found(found.job, series.with_columns(issue_it=~same).drop("before"), found.frame)


def _headline(job: Job) -> bool:
    """Few series of years or quarters: worth minutes of a processor."""
    return job.level not in MANY_AREAS and job.frequency.season <= MOST_SEASONS


def _whole(found: list[Found], related: Sequence[Family]) -> list[Found]:
    """With every series of a family issued if one of them is: they add up to each other."""
    moved = {
        (name, family.frequency)
        for family in related
        for name in family.hierarchy.keys["indicator"].unique()
        if any(_moves(one, name, family) for one in found)
    }
    whole = []
    for one in found:
        names = [i.name for i in one.job.indicators if (i.name, one.job.frequency) in moved]
        whole.append(_with(one, pl.col("issue_it") | pl.col("indicator").is_in(names)))
    return whole


def _moves(found: Found, indicator: str, family: Family) -> bool:
    mine = found.series.filter(pl.col("indicator") == indicator)
    return found.job.frequency is family.frequency and bool(mine["issue_it"].any())


def _in(family: Family, issued: Issued) -> bool:
    names = family.hierarchy.keys["indicator"].unique()
    mine = issued.forecasts.panel.keys["indicator"].is_in(names.implode()).any()
    return issued.job.frequency is family.frequency and bool(mine)


def _write(warehouse: Warehouse, issue: int, today: date, made: Rows) -> None:
    for table, rows in made:
        if not rows.is_empty():
            warehouse.write(table, rows.with_columns(issue=pl.lit(issue), issued=pl.lit(today)))


def _said_rows(found: Found, made: list[Issued], today: date) -> Rows:
    """What is said of each series, or why nothing is."""
    series = described(found.series, [one.forecasts for one in made])
    yield "forecast_series", series_rows(found.job, series, today)
    for one in made:
        yield "forecast", quantile_rows(series, one)


def _rows(found: Found, made: list[Issued], today: date) -> Rows:
    """The same with its paths, what it is made of, and how it did in the backtest."""
    series = described(found.series, [one.forecasts for one in made])
    yield "forecast_series", series_rows(found.job, series, today)
    for one in made:
        said = quantile_rows(series, one)
        yield "forecast", said
        yield from explaining_rows(one, said)
        yield "forecast_path", path_rows(series, one)
    # Panels that end at different times are one to the reader: the largest speaks for the job.
    if made:
        largest = max(made, key=lambda one: len(one.forecasts.panel.keys))
        yield "backtest", score_rows(found.job, series, largest.forecasts)
