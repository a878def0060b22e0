"""From a small warehouse and catalog to rows of forecasts, as issued."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from etl.catalog import parse_catalog
from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.panel import steps
from forecasts.run import forecast_all
from tests.forecasts.conftest import seasonal

TODAY = date(2026, 11, 22)
CATALOG = """
profile: cantho-foresight/1
name: t
title: t
title_en: t
resources:
- name: workload
  title: t
  sources: [{path: w.csv}]
  schema: {fields: [{name: period, type: yearmonth}, {name: value, type: number}]}
  indicators: [{name: received, title: t, title_en: t}]
  forecast: {frequency: month, horizon: 4, grains: [commune, commune*category], calendar: tet}
- name: economy
  title: t
  sources: [{path: e.csv}]
  schema: {fields: [{name: period, type: year}, {name: value, type: number}]}
  indicators:
  - {name: revenue, title: v, title_en: v}
  - {name: share, title: s, title_en: s, unit: "%", compute: {share: revenue, of: revenue}}
  - {name: growth, title: g, title_en: g, unit: "%", aggregate: rate}
  forecast: {frequency: year, horizon: 6, grains: [city, former_province]}
"""


def figures(
    values: np.ndarray | list[float | None],
    indicator: str = "received",
    area: str = "31117",
    level: str = "commune",
    category: str = "total",
    frequency: Frequency = Frequency.MONTH,
    last: date = date(2026, 10, 1),
    status: str = "final",
) -> pl.DataFrame:
    """Rows of `comparable` for one series that ends at `last`."""
    first = pl.select(
        pl.lit(last).dt.offset_by(f"-{len(values) - 1}{frequency.polars_step[1:]}")
    ).item()
    periods = steps(first, frequency, len(values) + 1)
    return pl.DataFrame(
        {
            "period": periods[:-1],
            "period_end": pl.Series(periods[1:]).dt.offset_by("-1d"),
            "value": pl.Series(values, dtype=pl.Float64),
        }
    ).with_columns(
        indicator=pl.lit(indicator),
        area=pl.lit(area),
        level=pl.lit(level),
        category=pl.lit(category),
        frequency=pl.lit(frequency.value),
        status=pl.lit(status),
        simulated=pl.lit(value=True),
        as_of=pl.lit(date(2026, 11, 1)),
    )


def yearly(values, indicator="revenue", area="soc_trang", last=2016, **others):
    place = {"level": "former_province", "frequency": Frequency.YEAR, "last": date(last, 1, 1)}
    return figures(values, indicator, area, **{**place, **others})


@pytest.fixture
def issue(tmp_path):
    """Forecast these figures on a day, after whatever was issued before; give the tables."""

    def run(*frames: pl.DataFrame, today: date = TODAY):
        with Warehouse.build(tmp_path) as warehouse:
            warehouse.run("delete from comparable")
            for frame in frames:
                warehouse.write("comparable", frame)
            summary = forecast_all(warehouse, parse_catalog(CATALOG), today=today)
            tables = {
                name: warehouse.select(f"select * from {name}")
                for name in ("forecast", "forecast_series", "backtest")
            }
        return summary, tables

    return run


def wave(points: int) -> list[float]:
    return [100 + 5 * k + 8 * np.sin(k) for k in range(points)]


def test_a_forecast_starts_where_its_data_end(issue):
    _, tables = issue(
        yearly(wave(13), area="soc_trang", last=2016), yearly(wave(21), area="hau_giang", last=2024)
    )
    first = tables["forecast"].group_by("area").agg(pl.col("period", "origin").min())
    assert dict(zip(first["area"], first["period"], strict=True)) == {
        "soc_trang": date(2017, 1, 1),
        "hau_giang": date(2025, 1, 1),
    }
    helps = dict(tables["forecast_series"].select("area", "help").iter_rows())
    assert helps == {"soc_trang": "newer_values", "hau_giang": None}


def test_every_period_has_every_quantile_in_order_and_above_zero(issue):
    areas = [figures(seasonal(40, seed=n, level=3 + n), area=f"{n:05d}") for n in range(2)]
    _, tables = issue(*areas)
    rows = tables["forecast"].sort("area", "period", "quantile_level")
    assert len(rows) == 2 * 4 * 7
    assert rows["value"].min() >= 0
    steps_up = rows.group_by("area", "period", maintain_order=True).agg(
        pl.col("value").diff().min()
    )
    assert steps_up["value"].min() >= 0
    assert rows["simulated"].all()


def test_what_cannot_be_forecast_is_refused_with_what_would_help(issue):
    gappy = [5.0 + k % 3 if k % 2 else None for k in range(60)]
    summary, tables = issue(
        figures(seasonal(23), area="short"),
        figures([4.0] * 40, area="constant"),
        figures(gappy, area="gappy"),
        figures([None] * 30, area="empty"),
        figures([0.0] * 37 + [4, 5, 6], area="new"),
        yearly(wave(7), area="short_years"),
    )
    found = tables["forecast_series"].select("area", "refused", "help").rows()
    assert sorted(found) == [
        ("constant", "constant", "check_source"),
        ("empty", "empty", "load_values"),
        ("gappy", "too_many_gaps", "fill_gaps"),
        ("new", "untested", "more_periods"),
        ("short", "too_short", "more_periods"),
        ("short_years", "too_short", "more_periods"),
    ]
    assert tables["forecast"].is_empty()
    assert (summary.series, summary.refused) == (6, 6)


def test_the_month_that_runs_and_plans_are_not_data(issue):
    running = figures([7.0], last=date(2026, 11, 1))
    plan = figures([999.0], last=date(2026, 10, 1), status="plan", area="planned")
    _, tables = issue(figures(seasonal(25)), running, plan)
    assert tables["forecast_series"]["area"].to_list() == ["31117"]
    assert tables["forecast"]["origin"].unique().to_list() == [date(2026, 10, 1)]


def test_issuing_again_adds_nothing_unless_a_series_changed(issue):
    mine, other = yearly(wave(13)), yearly(wave(12), area="hau_giang")
    first, before = issue(mine, other)
    again, same = issue(mine, other, today=date(2026, 11, 23))
    assert (first.issued, again.issued) == (2, 0)
    assert same["forecast"].equals(before["forecast"])
    assert same["backtest"].equals(before["backtest"])

    noisy = mine.with_columns(pl.col("value") * (1 + 1e-14))
    assert issue(noisy, other, today=date(2026, 11, 23))[0].issued == 0

    corrected = mine.with_columns(value=pl.col("value") + (pl.col("period") == date(2015, 1, 1)))
    third, after = issue(corrected, other, today=date(2026, 11, 24))
    assert third.issued == 1
    old = after["forecast"].filter(pl.col("issue") == 1)
    new = after["forecast"].filter(pl.col("issue") == 2)
    assert old.equals(before["forecast"])
    assert new["area"].unique().to_list() == ["soc_trang"]
    assert new["issued"].unique().to_list() == [date(2026, 11, 24)]


def test_shares_stay_between_nothing_and_all_and_growth_may_be_negative(issue):
    near = [96.0, 99, 95, 98, 99.5, 97, 99, 98.5, 99.8, 99.0, 98, 99.9]
    swings = [4.0, -6, 5, -4, 7, -5, 6, -6, 5, -3, 4, -6]
    _, tables = issue(yearly(near, "share"), yearly(swings, "growth"))
    values = tables["forecast"].group_by("indicator").agg(low="value", high="value")
    seen = {name: (min(low), max(high)) for name, low, high in values.iter_rows()}
    assert seen["share"][1] <= 100
    assert seen["growth"][0] < 0


def test_the_model_shown_and_its_rivals_are_recorded(issue):
    _, tables = issue(figures(seasonal(48)))
    shown = tables["forecast_series"]
    assert shown["benchmark"].unique().to_list() == ["seasonal_naive"]
    assert set(shown["candidates"][0].split()) == {
        "combination",
        "drift",
        "ets",
        "naive",
        "prophet",
        "sarima",
        "seasonal_level",
        "seasonal_naive",
    }
    assert (shown["skill"] > 0).all()
    assert set(tables["backtest"]["model"]) == set(shown["candidates"][0].split())
    assert tables["backtest"]["horizon"].max() == 4


def test_a_breakdown_is_forecast_apart_from_its_total(issue):
    _, tables = issue(figures(seasonal(30)), figures(seasonal(30, seed=2), category="land"))
    assert tables["forecast_series"].select("category").to_series().sort().to_list() == [
        "land",
        "total",
    ]
    assert sorted(tables["backtest"]["by_category"].unique()) == [False, True]


def test_processes_of_their_own_give_the_same_forecasts(issue, tmp_path_factory):
    frames = [yearly(wave(12 + n), area=f"p{n}") for n in range(3)]
    _, alone = issue(*frames)
    with Warehouse.build(tmp_path_factory.mktemp("other")) as warehouse:
        for frame in frames:
            warehouse.write("comparable", frame)
        forecast_all(warehouse, parse_catalog(CATALOG), today=TODAY)
        together = warehouse.select("select * from forecast")
    assert together.equals(alone["forecast"])


def test_progress_is_told_job_by_job(tmp_path):
    told: list[str] = []
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("comparable", yearly(wave(12)))
        forecast_all(warehouse, parse_catalog(CATALOG), today=TODAY, progress=told.append)
    assert told == ["forecast 1 of 1: 3, former_province, year"]
