"""Forecasts of every series the catalog asks for, from the warehouse and back into it.

A job (`forecasts.request`) is forecast again when one of its series changed. Models that work
series by series are slow; they compete where a job is small (`Model.most_values`), on fewer
origins, and in processes of their own.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context

import numpy as np
import polars as pl

from etl.catalog import Catalog
from etl.warehouse import Warehouse
from forecasts.backtest import Backtest, backtest, origins, replay, stack
from forecasts.choose import choose
from forecasts.intervals import spread_of
from forecasts.issue import quantile_rows, score_rows, series_rows, with_choices
from forecasts.model import Model, benchmark_of, simple_models
from forecasts.panel import KEY, Floats, Panel
from forecasts.request import Found, find, jobs, panels

MOST_ORIGINS = 12
MOST_ORIGINS_SLOW = 6
"""Where a slow model competes: all models of a job are scored on the same origins."""

Progress = Callable[[str], None]


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


@dataclass(frozen=True, eq=False)
class Plan:
    """A job to do: its panels, each with the steps scored and the origins, and its models."""

    found: Found
    panels: list[tuple[Panel, int, list[int]]]
    models: dict[str, Model]


@dataclass(frozen=True, eq=False)
class Task:
    """One model on one panel or, where it is slow, on one series of it."""

    plan: int
    panel: int
    row: int
    """First series of the panel that it covers."""
    model: str
    data: Panel
    at: list[int]
    horizon: int


def forecast_all(
    warehouse: Warehouse,
    catalog: Catalog,
    *,
    today: date,
    progress: Progress | None = None,
    workers: int | None = None,
    again: bool = False,
) -> Summary:
    """Forecast what changed since the last issue, and add it to the warehouse as issued `today`.

    With `again`, everything is issued anew; what was issued before stays.

    Writes rows of `forecast`, `forecast_series` and `backtest`. `workers` are processes for slow
    models, by default one a processor; with one, all work is done in this process.
    """
    started = time.monotonic()
    tell = progress or (lambda _: None)
    found = _found(warehouse, catalog, today, again)
    changed = [one for one in found if one.series["issue_it"].any()]
    issue = int(warehouse.query("forecasts", "last_issue")["issue"][0]) + 1
    plans = [_plan(one) for one in changed]
    ready = _backtests(plans, workers or os.cpu_count() or 1)
    for done, (plan, tests) in enumerate(ready, start=1):
        _write(warehouse, plan, tests, issue, today)
        tell(f"forecast {done} of {len(plans)}: {plan.found.job.title}")
    return Summary(
        series=sum(len(one.series) for one in found),
        refused=sum(_refused(warehouse, one) for one in found),
        issued=sum(len(one.series.filter("issue_it")) for one in found),
        seconds=time.monotonic() - started,
    )


def due(warehouse: Warehouse, catalog: Catalog, today: date) -> pl.DataFrame:
    """The series that `forecast_all` would forecast or refuse anew.

    One row a series: indicator, area, category, level, frequency, refused (the reason, or null).
    """
    parts = [
        found.series.filter("issue_it").select(
            *KEY,
            pl.lit(found.job.level).alias("level"),
            pl.lit(found.job.frequency.value).alias("frequency"),
            "refused",
        )
        for found in _found(warehouse, catalog, today, again=False)
    ]
    return pl.concat(parts) if parts else pl.DataFrame()


def _found(warehouse: Warehouse, catalog: Catalog, today: date, again: bool) -> list[Found]:
    """The series of every job, with a column `issue_it`."""
    found = [_marked(warehouse, find(warehouse, job, today)) for job in jobs(catalog)]
    if not again:
        return found
    return [
        Found(one.job, one.series.with_columns(issue_it=pl.lit(True)), one.frame) for one in found
    ]


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


def _plan(found: Found) -> Plan:
    usable = found.series.filter(pl.col("refused").is_null())
    values = int(usable["points"].sum())
    models = {
        name: model
        for name, model in simple_models().items()
        if found.job.frequency in model.frequencies
        and (model.most_values is None or values <= model.most_values)
    }
    slow = any(model.most_values is not None for model in models.values())
    most = MOST_ORIGINS_SLOW if slow else MOST_ORIGINS
    return Plan(
        found,
        [(panel, scored, origins(panel, scored, most)) for panel, scored in panels(found)],
        models,
    )


def _tasks(plans: list[Plan]) -> Iterator[Task]:
    for number, plan in enumerate(plans):
        for place, (panel, _, at) in enumerate(plan.panels):
            for name, model in plan.models.items():
                parts = [panel] if model.most_values is None else panel.series()
                for row, part in enumerate(parts):
                    yield Task(number, place, row, name, part, at, plan.found.job.horizon)


def _do(task: Task) -> Floats:
    return replay(simple_models()[task.model], task.data, task.at, task.horizon)


def _backtests(plans: list[Plan], workers: int) -> Iterator[tuple[Plan, list[Backtest]]]:
    """Each plan with the backtests of its panels, in the order in which they are ready."""
    tasks = list(_tasks(plans))
    waiting = [sum(task.plan == number for task in tasks) for number in range(len(plans))]
    said: dict[tuple[int, int, str], dict[int, Floats]] = {}
    for number, count in enumerate(waiting):
        if count == 0:
            yield plans[number], []
    with _results(tasks, workers) as results:
        for task, paths in results:
            said.setdefault((task.plan, task.panel, task.model), {})[task.row] = paths
            waiting[task.plan] -= 1
            if waiting[task.plan] == 0:
                yield plans[task.plan], _tested(plans[task.plan], task.plan, said)


def _tested(
    plan: Plan, number: int, said: dict[tuple[int, int, str], dict[int, Floats]]
) -> list[Backtest]:
    tests = []
    for place, (panel, scored, at) in enumerate(plan.panels):
        paths = {}
        for name in plan.models:
            parts = said.pop((number, place, name))
            paths[name] = np.concatenate([parts[row] for row in sorted(parts)], axis=1)
        tests.append(backtest(panel, at, scored, paths))
    return tests


@contextmanager
def _results(tasks: list[Task], workers: int) -> Iterator[Iterator[tuple[Task, Floats]]]:
    slow = any(simple_models()[task.model].most_values is not None for task in tasks)
    if workers == 1 or not slow:
        yield ((task, _do(task)) for task in tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(_do, task): task for task in tasks}
        yield ((futures[future], future.result()) for future in as_completed(futures))


def _write(
    warehouse: Warehouse, plan: Plan, tests: list[Backtest], issue: int, today: date
) -> None:
    job, series = plan.found.job, plan.found.series

    def add(table: str, rows: pl.DataFrame) -> None:
        if not rows.is_empty():
            warehouse.write(table, rows.with_columns(issue=pl.lit(issue), issued=pl.lit(today)))

    if not tests:
        nothing = with_choices(series, series.select(KEY).clear(), [])
        add("forecast_series", series_rows(job, nothing, today))
        return
    test = stack(tests)
    errors = {name: test.errors(name) for name in test.final}
    choices = choose(errors, benchmark_of(job.frequency))
    series = with_choices(series, test.keys, choices)
    aligned = test.keys.join(series, on=KEY, how="left", nulls_equal=True, maintain_order="left")
    spreads = {name: spread_of(errors[name]) for name in aligned["model"].drop_nulls().unique()}
    add("forecast_series", series_rows(job, series, today))
    add("forecast", quantile_rows(job, aligned, test, spreads))
    add("backtest", score_rows(job, aligned, test))
