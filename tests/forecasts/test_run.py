"""From a small warehouse and catalog to rows of forecasts, as issued."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from etl.catalog import parse_catalog
from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.engine import as_it_is, forecast
from forecasts.issue import UNTESTED, described
from forecasts.model import all_models
from forecasts.panel import steps
from forecasts.request import find, jobs
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
                for name in ("forecast", "forecast_path", "forecast_series", "backtest")
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
        yearly(wave(7), area="short_years"),
    )
    found = tables["forecast_series"].select("area", "refused", "help").rows()
    assert sorted(found) == [
        ("constant", "constant", "check_source"),
        ("empty", "empty", "load_values"),
        ("gappy", "too_many_gaps", "fill_gaps"),
        ("short", "too_short", "more_periods"),
        ("short_years", "too_short", "more_periods"),
    ]
    assert tables["forecast"].is_empty()
    assert (summary.series, summary.refused) == (5, 5)


def test_a_service_that_began_lately_is_forecast_with_room_for_both(issue):
    """None for three years, then a few: it may go on, grow or end."""
    began = figures([0.0] * 37 + [4, 5, 6], area="new")
    _, tables = issue(began, *(figures(seasonal(40, seed=n), area=f"{n}") for n in range(3)))
    said = tables["forecast"].filter(pl.col("area") == "new")
    by_level = said.group_by("quantile_level").agg(pl.col("value").max())
    most = dict(by_level.iter_rows())
    assert most[0.025] < 4 < 6 <= most[0.975]


def test_the_month_that_runs_and_plans_are_not_data(issue):
    running = figures([7.0], last=date(2026, 11, 1))
    plan = figures([999.0], last=date(2026, 10, 1), status="plan", area="planned")
    _, tables = issue(figures(seasonal(25)), running, plan)
    assert tables["forecast_series"]["area"].to_list() == ["31117"]
    assert tables["forecast"]["origin"].unique().to_list() == [date(2026, 10, 1)]


def test_issuing_again_adds_nothing_where_nothing_changed(issue):
    mine, other = yearly(wave(13)), yearly(wave(12), area="hau_giang")
    first, before = issue(mine, other)
    again, same = issue(mine, other, today=date(2026, 11, 23))
    assert (first.issued, again.issued) == (2, 0)
    for table, rows in same.items():
        assert rows.equals(before[table])

    noisy = mine.with_columns(pl.col("value") * (1 + 1e-14))
    assert issue(noisy, other, today=date(2026, 11, 23))[0].issued == 0


def test_a_series_that_changed_is_issued_again_with_all_it_lends_to(issue):
    """Of another job nothing is issued, and what was issued before stays."""
    mine, other = yearly(wave(13)), yearly(wave(12), area="hau_giang")
    apart = figures(seasonal(30))
    _, before = issue(mine, other, apart)
    corrected = mine.with_columns(value=pl.col("value") + (pl.col("period") == date(2015, 1, 1)))
    summary, after = issue(corrected, other, apart, today=date(2026, 11, 24))
    assert summary.issued == 2
    for table in ("forecast", "forecast_path", "forecast_series"):
        old, new = (after[table].filter(pl.col("issue") == number) for number in (1, 2))
        assert old.equals(before[table])
        assert sorted(new["area"].unique()) == ["hau_giang", "soc_trang"]
        assert new["issued"].unique().to_list() == [date(2026, 11, 24)]


def test_a_new_sibling_is_news_to_all_it_is_pooled_with(issue):
    mine = yearly(wave(13))
    assert issue(mine)[0].issued == 1
    assert issue(mine, yearly(wave(12), area="hau_giang"))[0].issued == 2


def test_all_is_issued_anew_where_that_is_asked(tmp_path):
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("comparable", yearly(wave(13)))
        asked = [
            forecast_all(warehouse, parse_catalog(CATALOG), today=TODAY, again=again).issued
            for again in (False, False, True)
        ]
    assert asked == [1, 0, 1]


def test_paths_of_the_months_ahead_go_with_each_forecast(issue):
    """A row of the table holds 300 paths of 4 months, whose quantiles are those issued."""
    _, tables = issue(*(figures(seasonal(48, seed=n), area=f"{n:05d}") for n in range(2)))
    rows = tables["forecast_path"].sort("area")
    assert rows.select("area", "count", "horizon").rows() == [("00000", 300, 4), ("00001", 300, 4)]
    assert rows["simulated"].all()
    paths = np.array(rows["paths"][0].to_list()).reshape(300, 4)
    said = tables["forecast"].filter(
        (pl.col("area") == "00000") & (pl.col("quantile_level") == 0.5)
    )
    np.testing.assert_allclose(np.median(paths, axis=0), said.sort("period")["value"], rtol=1e-3)


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
    assert shown["benchmark"].to_list() == ["seasonal_naive"]
    assert shown["model"].to_list() == ["combination"]
    assert shown["beats"].to_list() == [True]
    assert (shown["skill"] > 0).all()
    assert set(shown["candidates"][0].split()) <= set(all_models())
    assert {"dynamic_theta", "shared_theta"} <= set(shown["candidates"][0].split())
    compared = tables["backtest"]
    assert {"combination", "naive", "seasonal_naive", "dynamic_theta"} <= set(compared["model"])
    assert compared["horizon"].max() == 4


def test_where_nothing_beats_the_benchmark_it_is_shown_and_said(issue):
    walks = 100 + np.cumsum(np.random.default_rng(0).normal(0, 1, (12, 16)), axis=1)
    _, tables = issue(*(yearly(walk, area=f"p{n}") for n, walk in enumerate(walks)))
    shown = tables["forecast_series"]
    benchmark = shown.filter(pl.col("model") == "naive")
    assert 0 < len(benchmark) < len(shown)
    assert not benchmark["beats"].any()
    assert (benchmark["skill"] == 0).all()
    assert shown.filter(pl.col("model") == "combination")["beats"].all()


def test_how_good_each_step_has_been_is_told_of_every_model_and_bands_of_what_is_shown(issue):
    _, tables = issue(*(figures(seasonal(60, seed=n), area=f"{n:05d}") for n in range(6)))
    scored = tables["backtest"].filter(~pl.col("by_category"))
    assert scored.select(pl.col("mase", "bias").is_finite().all()).row(0) == (True, True)
    shown = scored.filter(pl.col("model") == "combination").sort("horizon")
    rival = scored.filter(pl.col("model") == "seasonal_naive").sort("horizon")
    assert (shown["mase"] < rival["mase"]).all()
    assert shown["coverage_80"].is_between(0.6, 1).all()
    assert (shown["coverage_50"] <= shown["coverage_95"]).all()
    assert rival["coverage_80"].fill_nan(None).null_count() == len(rival)


def test_a_breakdown_is_forecast_apart_from_its_total(issue):
    _, tables = issue(figures(seasonal(30)), figures(seasonal(30, seed=2), category="land"))
    assert tables["forecast_series"].select("category").to_series().sort().to_list() == [
        "land",
        "total",
    ]
    assert sorted(tables["backtest"]["by_category"].unique()) == [False, True]


def test_the_same_figures_are_the_same_forecasts_in_another_warehouse(issue, tmp_path_factory):
    frames = [yearly(wave(12 + n), area=f"p{n}") for n in range(3)]
    _, once = issue(*frames)
    with Warehouse.build(tmp_path_factory.mktemp("other")) as warehouse:
        for frame in reversed(frames):
            warehouse.write("comparable", frame)
        forecast_all(warehouse, parse_catalog(CATALOG), today=TODAY)
        for table in ("forecast", "forecast_path"):
            assert warehouse.select(f"select * from {table}").equals(once[table])


KINDS = """
profile: cantho-foresight/1
name: t
title: t
title_en: t
resources:
- name: dossiers
  title: t
  sources: [{path: d.csv}]
  schema: {fields: [{name: period, type: yearmonth}, {name: value, type: number}]}
  indicators:
  - {name: received, title: r, title_en: r, unit: hồ sơ}
  - {name: resolved, title: d, title_en: d, unit: hồ sơ}
  - {name: pending, title: p, title_en: p, unit: hồ sơ, aggregate: last}
  - {name: fees, title: f, title_en: f, unit: tỷ đồng}
  - {name: done, title: q, title_en: q, unit: "%", compute: {share: resolved, of: received}}
  forecast:
  - {indicators: [received], frequency: month, horizon: 4, grains: [city, commune]}
  - {indicators: [resolved, fees, pending, done], frequency: month, horizon: 4, grains: [city]}
  - {indicators: [resolved, pending, done], frequency: year, horizon: 4, grains: [city]}
"""


def test_what_flows_and_what_is_there_lend_each_other_no_errors_where_months_tell_them_apart():
    """A queue drifts and the flow through it does not: its bands once grew as those of a queue."""
    found = [
        (job.frequency.value, job.level, [one.name for one in job.indicators])
        for job in jobs(parse_catalog(KINDS))
    ]
    assert found == [
        ("month", "city", ["received", "resolved", "fees"]),
        ("month", "commune", ["received"]),
        ("month", "city", ["pending"]),
        ("month", "city", ["done"]),
        ("year", "city", ["resolved", "pending", "done"]),
    ]


def test_units_tell_what_is_counted(tmp_path):
    counted = {}
    with Warehouse.build(tmp_path) as warehouse:
        for name in ("received", "fees", "pending", "done"):
            warehouse.write("comparable", figures(wave(30), name, "city", "city"))
        for job in jobs(parse_catalog(KINDS)):
            if job.frequency is Frequency.MONTH and job.level == "city":
                series = find(warehouse, job, TODAY).series
                counted |= dict(series.select("indicator", "counted").iter_rows())
    assert counted == {"received": True, "fees": False, "pending": True, "done": False}


def test_progress_is_told_job_by_job(tmp_path):
    told: list[str] = []
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("comparable", yearly(wave(12)))
        forecast_all(warehouse, parse_catalog(CATALOG), today=TODAY, progress=told.append)
    assert told == ["forecast 1 of 1: 3, former_province, year"]


def test_what_is_issued_for_fields_and_communes_adds_up_in_every_path(issue):
    """Two communes with two fields each; totals were always the sums of their fields."""
    fields = {
        (area, category): seasonal(48, seed=seed, level=30 * (seed + 1))
        for seed, (area, category) in enumerate(
            [("31117", "land"), ("31117", "health"), ("31120", "land"), ("31120", "health")]
        )
    }
    totals = [
        figures(fields[area, "land"] + fields[area, "health"], area=area)
        for area in ("31117", "31120")
    ]
    cells = [figures(v, area=area, category=category) for (area, category), v in fields.items()]
    _, tables = issue(*totals, *cells)
    paths = {
        (row["area"], row["category"]): np.array(row["paths"])
        for row in tables["forecast_path"].to_dicts()
    }
    for area in ("31117", "31120"):
        parts = paths[area, "land"] + paths[area, "health"]
        np.testing.assert_allclose(paths[area, "total"], parts, rtol=1e-9)


def test_what_moves_between_two_fields_issues_their_total_again_too(issue):
    """The total is what it was, but it must be the sum of what is said of the fields now."""
    land, health = seasonal(48, seed=1, level=30), seasonal(48, seed=2, level=60)
    moved = np.zeros(48)
    moved[-5] = 9
    total = figures(land + health)
    issue(total, figures(land, category="land"), figures(health, category="health"))
    swapped = figures(land + moved, category="land"), figures(health - moved, category="health")
    _, tables = issue(total, *swapped)
    again = tables["forecast_series"].filter(pl.col("issue") == 2)
    assert sorted(again["category"]) == ["health", "land", "total"]


def test_a_series_of_which_the_calendar_leaves_nothing_is_refused_as_untested(make_panel):
    panel = make_panel([seasonal(30), seasonal(30, seed=1)])

    def shut(past, horizon):
        values = past.values.copy()
        values[1] = np.nan
        return replace(as_it_is(past, horizon), values=values)

    series = panel.keys.with_columns(refused=pl.lit(None, dtype=pl.String))
    told = described(series, [forecast(panel, 3, adjust=shut)])
    assert told["refused"].to_list() == [None, UNTESTED]
    assert told["model"].is_null().to_list() == [False, True]
