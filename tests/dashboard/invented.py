"""An invented build: twelve communes, three fields, fixed values. No figure of a real place.

Its days count back from the day it is told, so that ages stay the same whenever the tests run.
"""

import datetime as dt
from pathlib import Path

import polars as pl

from etl.warehouse import Warehouse

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
SPREAD = (0.75, 0.85, 0.94, 1.0, 1.06, 1.15, 1.25)
FIELDS = {
    "land": ("Đất đai", "Land"),
    "trade": ("Thương mại", "Trade"),
    "art": ("Nghệ thuật", "Art"),
}
WEIGHTS = {"total": 1.0, "land": 0.6, "trade": 0.3, "art": 0.1}
PROVINCES = {"can_tho_old": "Cần Thơ", "hau_giang": "Hậu Giang", "soc_trang": "Sóc Trăng"}
COMMUNES = {f"9{number:04d}": f"Bịa Đặt {number}" for number in range(1, 13)}

CATALOG = """
profile: cantho-foresight/1
name: invented
title: Danh mục bịa đặt
title_en: Invented catalog
licenses: [{name: CC-BY-4.0, path: "https://creativecommons.org/licenses/by/4.0/"}]
contributors: [{title: Người bịa, title_en: Inventor, roles: [publisher]}]
resources:
- name: published
  title: Số liệu bịa đặt
  title_en: Invented figures
  sources: [{title: Sách bịa, path: data/published.csv}]
  clean: {areas: {level: [city, former_province]}}
  schema:
    fields:
    - {name: indicator}
    - {name: area}
    - {name: period}
    - {name: value, type: number}
    - {name: as_of, type: date}
    primaryKey: [indicator, area, period]
  indicators:
  - name: growth
    title: Tăng trưởng
    title_en: Growth
    unit: "%"
    aggregate: rate
    better: up
    decimals: 2
    topic: economy
  - name: revenue
    title: Tổng thu
    title_en: Revenue
    unit: tỷ đồng
    unit_en: billion VND
    better: up
    topic: budget
  - name: retail
    title: Bán lẻ
    title_en: Retail
    unit: tỷ đồng
    unit_en: billion VND
    better: up
    topic: trade
  - name: people
    title: Dân số
    title_en: Population
    unit: nghìn người
    unit_en: thousand people
    aggregate: last
    topic: population
  present: {headline: [growth, revenue, retail]}
- name: dossiers
  title: Hồ sơ bịa đặt
  title_en: Invented dossiers
  sources: [{title: Mô phỏng, path: generated/dossiers_*.csv}]
  licenses: [{name: internal}]
  read: {simulated_by: dossiers}
  clean: {areas: {level: commune, on: received}}
  schema:
    fields:
    - {name: id, constraints: {required: true}}
    - {name: area}
    - {name: category}
    - {name: received, title: Ngày nhận, title_en: Day received, type: date}
  tables:
  - {name: applications, by: [area, category], measures: [{name: received, count: received}]}
  indicators:
  - name: applications_received
    title: Hồ sơ tiếp nhận
    title_en: Applications received
    unit: hồ sơ
    value: received
targets:
- name: growth_2025
  title: Tăng trưởng năm 2025
  title_en: Growth in 2025
  indicator: growth
  by: "2025"
  measure: growth
  owner: UBND
  self_reported: true
  baselines:
  - {plan: government, value: 10, document: Nghị quyết bịa, date: "2025-02-01", path: "https://example.vn/nq"}
- name: people_2030
  title: Dân số năm 2030
  title_en: People in 2030
  indicator: people
  by: "2030"
  direction: at_most
  owner: UBND
  baselines:
  - {plan: congress, value: 3300, document: Văn kiện bịa}
  - {plan: revised, value: 3350, document: Điều chỉnh bịa}
- name: received_2027
  title: Hồ sơ năm 2027
  title_en: Applications in 2027
  indicator: applications_received
  by: "2027"
  direction: at_most
  owner: UBND
  baselines: [{plan: committee, value: 60000, document: Kế hoạch bịa}]
scenarios:
  indicator: applications_received
  levers:
  - name: population
    title: Dân số
    title_en: Population
    kind: percent
    minimum: -5
    maximum: 10
    step: 0.5
    effects:
    - {on: received, estimate: 1, lower: 0.7, upper: 1.2,
       rationale: Giả định bịa, rationale_en: An invented assumption}
  - name: staff
    title: Số người làm việc
    title_en: Staff
    kind: percent
    minimum: -30
    maximum: 30
    effects: [{on: staff_hours, rationale: Tỷ lệ, rationale_en: In proportion}]
  - name: decree
    title: Chuyển thủ tục
    title_en: Procedures moved
    kind: share
    minimum: 0
    maximum: 100
    step: 10
    effects:
    - {on: moved, categories: [land, art], estimate: 300, lower: 100, upper: 600,
       rationale: Số bịa, rationale_en: Invented}
"""

SIX = {
    "applications_received": 1.0,
    "applications_resolved": 0.95,
    "applications_on_time": 0.9,
    "applications_pending": 0.2,
    "applications_overdue": 0.05,
}
SHARES = {"applications_on_time_share": 94.5, "applications_online_share": 80.0}


def write_build(home: Path, today: dt.date) -> None:
    """The next build of `home`, as of `today`."""
    with Warehouse.build(home, empty=True) as warehouse:
        for table, rows in _tables(today).items():
            warehouse.write(table, rows)


def _tables(today: dt.date) -> dict[str, pl.DataFrame]:
    months = month_starts(today)
    comparable = pl.concat([_workload(months), _people(today)], how="diagonal_relaxed")
    return {
        "build_fact": pl.DataFrame(
            {"name": ["today", "catalog"], "value": [today.isoformat(), CATALOG]}
        ),
        "area": _areas(),
        "crosswalk": pl.DataFrame(
            {
                "old_code": ["80001"],
                "old_vintage": [dt.date(2004, 1, 1)],
                "new_code": ["90001"],
                "weight": [0.4],
                "weight_lower": [0.3],
                "weight_upper": [0.5],
                "estimated": [True],
            }
        ),
        "indicator": _indicators(),
        "category": _categories(),
        "observation": _observations(today),
        "comparable": comparable,
        "forecast": _forecasts(comparable, months[-1]),
        "forecast_path": _paths(_forecasts(comparable, months[-1])),
        "forecast_series": _series(comparable, months[-1]),
        "backtest": _backtest(),
        "scored": _scored(months),
        "load": _loads(today),
        "rejected": pl.DataFrame(
            {
                "load": [1],
                "dataset": ["dossiers"],
                "file": ["generated/dossiers_1.csv"],
                "record": [7],
                "field": ["received"],
                "rule": ["received_readable"],
                "value": ["31/02/2026"],
            }
        ),
    }


def month_starts(today: dt.date) -> list[dt.date]:
    """The 58 full months before `today`, as their first days."""
    last = today.replace(day=1)
    index = last.year * 12 + last.month - 1
    return [dt.date(step // 12, step % 12 + 1, 1) for step in range(index - 58, index)]


def _after(month: dt.date, steps: int) -> dt.date:
    index = month.year * 12 + month.month - 1 + steps
    return dt.date(index // 12, index % 12 + 1, 1)


def _areas() -> pl.DataFrame:
    day = dt.date(2025, 7, 1)
    first = dt.date(2004, 1, 1)
    rows = [
        ("can_tho", day, None, "city", "Cần Thơ", "Cần Thơ city", "thành phố", None, 0, None, None)
    ]
    rows += [
        (
            code,
            first,
            dt.date(2025, 6, 30),
            "former_province",
            name,
            name,
            "tỉnh",
            "can_tho",
            0,
            None,
            None,
        )
        for code, name in PROVINCES.items()
    ]
    rows.append(
        ("vietnam", first, None, "nation", "Cả nước", "Whole country", "", None, 0, None, None)
    )
    provinces = list(PROVINCES)
    rows += [
        (
            code,
            day,
            None,
            "commune",
            name,
            name,
            "xã" if n % 3 else "phường",
            provinces[n % 3],
            9000 + n,
            n // 4,
            n % 4,
        )
        for n, (code, name) in enumerate(COMMUNES.items())
    ]
    rows.append(
        ("80001", first, dt.date(2025, 6, 30), "commune", "Cũ", "Old", "xã", None, 0, None, None)
    )
    columns = (
        "code", "area_vintage", "valid_to", "level", "name", "name_en", "kind", "parent",
        "population", "tile_row", "tile_col",
    )  # fmt: skip
    return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)


def _indicators() -> pl.DataFrame:
    sums, people, workload = ("sum", "up"), ("last", "none"), ("sum", "none")
    money = ("tỷ đồng", "billion VND")
    names = [
        ("growth", "Tăng trưởng", "Growth", "%", None, "rate", "up", "economy", 2),
        ("revenue", "Tổng thu", "Revenue", *money, *sums, "budget", 0),
        ("retail", "Bán lẻ", "Retail", *money, *sums, "trade", 0),
        ("people", "Dân số", "People", "nghìn người", "thousand", *people, "population", 1),
        ("applications_received", "Tiếp nhận", "Received", "hồ sơ", "", *workload, "workload", 0),
    ]
    columns = (
        "indicator",
        "title",
        "title_en",
        "unit",
        "unit_en",
        "aggregate",
        "better",
        "topic",
        "decimals",
    )
    return pl.DataFrame(names, schema=columns, orient="row").with_row_index("position")


def _categories() -> pl.DataFrame:
    rows = [("dossiers", code, vi, en, n) for n, (code, (vi, en)) in enumerate(FIELDS.items())]
    columns = ("dataset", "category", "title", "title_en", "position")
    return pl.DataFrame(rows, schema=columns, orient="row")


def _observations(today: dt.date) -> pl.DataFrame:
    """Growth with rivals and a missed plan, revenue with a far target, retail stale, people."""
    last, far = today.year - 1, today.year + 4
    as_of = dt.date(today.year, 1, 10)
    rows = [
        ("growth", "can_tho", "year", last, 7.23, "preliminary", "Sách bịa A", as_of),
        ("growth", "can_tho", "year", last, 8.3, "estimate", "Sách bịa B", dt.date(last, 12, 7)),
        ("growth", "vietnam", "year", last, 8.02, "preliminary", "Sách bịa A", as_of),
        ("growth", "can_tho", "year", last, 10.0, "plan", "Nghị quyết bịa", dt.date(last, 1, 1)),
        ("growth", "can_tho", "year", last + 1, 10.0, "plan", "Nghị quyết bịa", as_of),
        ("revenue", "can_tho", "year", last, 26685.0, "preliminary", "=Sách bịa C", as_of),
        ("revenue", "can_tho", "year", far, 57000.0, "plan", "Nghị quyết bịa", as_of),
        ("retail", "can_tho", "year", last - 4, 900.0, "final", "Sách cũ", dt.date(last - 3, 1, 1)),
    ]
    rows += [
        ("people", area, "year", last - back, 1000.0 + n * 50 - back, "final", "Sách bịa D", as_of)
        for n, area in enumerate(PROVINCES)
        for back in range(2, 12)
    ]
    columns = ("indicator", "area", "frequency", "year", "value", "status", "source", "as_of")
    return pl.DataFrame(rows, schema=columns, orient="row").select(
        "indicator", "area", "frequency", "value", "status", "source", "as_of",
        period=pl.date("year", 1, 1),
        period_end=pl.date("year", 12, 31),
        category=pl.lit("total"),
        simulated=pl.lit(False),
        estimated_share=pl.lit(0.0),
        source_url=pl.lit("https://invented.example/book"),
        dataset=pl.lit("published"),
    )  # fmt: skip


def _people(today: dt.date) -> pl.DataFrame:
    rows = _observations(today).filter(pl.col("indicator") == "people")
    return rows.drop("source", "source_url").with_columns(
        level=pl.lit("former_province"),
        derived=pl.lit(False),
    )


def _workload(months: list[dt.date]) -> pl.DataFrame:
    """Each commune receives 400 a month more or less; the city is their sum."""
    frame = pl.DataFrame(
        [
            (code, field, month, (380.0 + 5 * n + 2 * step + 40 * (month.month % 4)) * weight)
            for n, code in enumerate(COMMUNES)
            for field, weight in WEIGHTS.items()
            for step, month in enumerate(months)
        ],
        schema=("area", "category", "period", "received"),
        orient="row",
    )
    city = (
        frame.group_by("category", "period")
        .agg(pl.col("received").sum())
        .with_columns(area=pl.lit("can_tho"))
    )
    both = pl.concat([frame, city.select(frame.columns)])
    six = [
        both.with_columns(indicator=pl.lit(name), value=pl.col("received") * ratio)
        for name, ratio in SIX.items()
    ]
    shares = [
        both.with_columns(indicator=pl.lit(name), value=pl.lit(value))
        for name, value in SHARES.items()
    ]
    city_wide = pl.col("area") == "can_tho"
    carried = (pl.col("period") < dt.date(2025, 7, 1)) & ~city_wide
    return pl.concat([*six, *shares]).select(
        "indicator", "area", "category", "period", "value",
        period_end=pl.col("period").dt.month_end(),
        level=pl.when(city_wide).then(pl.lit("city")).otherwise(pl.lit("commune")),
        frequency=pl.lit("month"),
        status=pl.lit("final"),
        simulated=pl.lit(True),
        estimated_share=pl.when(carried).then(0.4).otherwise(0.0),
        lower=pl.when(carried).then(pl.col("value") * 0.9),
        upper=pl.when(carried).then(pl.col("value") * 1.1),
        derived=pl.lit(False),
        dataset=pl.lit("dossiers"),
    )  # fmt: skip


def _forecasts(comparable: pl.DataFrame, origin: dt.date) -> pl.DataFrame:
    """The last year again, times 1.07; each commune grows two points more than the one before."""
    growth = {code: 1.0 + 0.02 * n for n, code in enumerate(COMMUNES)} | {"can_tho": 1.07}
    received = comparable.filter(pl.col("indicator") == "applications_received")
    past = {
        (a, c, p): v for a, c, p, v in received.select("area", "category", "period", "value").rows()
    }
    rows = [
        (area, category, _after(origin, step), step, level, value * growth[area] * spread)
        for area, category in received.select("area", "category").unique(maintain_order=True).rows()
        for step in range(1, 15)
        if (value := past[area, category, _after(origin, (step - 1) % 12 - 11)])
        for level, spread in zip(LEVELS, SPREAD, strict=True)
    ]
    columns = ("area", "category", "period", "horizon", "quantile_level", "value")
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        issue=pl.lit(1),
        issued=_after_day(origin),
        origin=pl.lit(origin),
        indicator=pl.lit("applications_received"),
        frequency=pl.lit("month"),
        model=pl.lit("seasonal_level"),
        simulated=pl.lit(True),
    )


def _paths(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Eleven paths a series, each month of a path as far off its median as all others: 3 % at most.

    Neighbouring communes err against each other.
    """
    medians = forecasts.filter(pl.col("quantile_level") == 0.5).sort("period")
    keys = ["issue", "issued", "origin", "indicator", "area", "category", "frequency", "simulated"]
    rows = [
        (
            *key,
            11,
            len(part),
            [v * (1 + 0.006 * (k - 5) * (-1) ** n) for k in range(11) for v in part["value"]],
        )
        for n, (key, part) in enumerate(medians.group_by(keys, maintain_order=True))
    ]
    return pl.DataFrame(rows, schema=[*keys, "count", "horizon", "paths"], orient="row")


def _after_day(origin: dt.date) -> pl.Expr:
    return pl.lit(_after(origin, 1))


def _series(comparable: pl.DataFrame, origin: dt.date) -> pl.DataFrame:
    cells = (
        comparable.filter(pl.col("indicator").is_in(["applications_received", "people"]))
        .select("indicator", "area", "category", "frequency", "level", "simulated")
        .unique(maintain_order=True)
    )
    real = pl.col("indicator") == "people"
    quick = pl.lit("seasonal_naive seasonal_level combination")
    return cells.with_columns(
        issue=pl.lit(1),
        issued=_after_day(origin),
        points=pl.lit(58),
        origin=pl.lit(origin),
        model=pl.when(~real).then(pl.lit("seasonal_level")),
        benchmark=pl.lit("seasonal_naive"),
        beats=~real,
        skill=pl.lit(0.2),
        refused=pl.when(real).then(pl.lit("too_short")),
        help=pl.when(real).then(pl.lit("more_periods")),
        candidates=pl.when(pl.col("level") == "city")
        .then(quick + pl.lit(" ets prophet sarima"))
        .otherwise(quick),
    )


def _backtest() -> pl.DataFrame:
    errors = {"seasonal_naive": 0.9, "seasonal_level": 0.6, "ets": 0.7, "naive": 4.0}
    rows = [
        (model, horizon, mase + horizon / 50, level, by)
        for model, mase in errors.items()
        for horizon in range(1, 15)
        for level, by in (("city", False), ("commune", True))
        if level == "city" or model != "ets"
    ]
    columns = ("model", "horizon", "mase", "level", "by_category")
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        issue=pl.lit(1),
        indicator=pl.lit("applications_received"),
        frequency=pl.lit("month"),
        series=pl.lit(12),
        origins=pl.lit(6),
        # A model may give points without quantiles.
        wql=pl.when(pl.col("model") == "ets").then(float("nan")).otherwise(pl.col("mase") / 10),
        coverage_50=pl.lit(0.5),
        coverage_80=pl.lit(0.81),
        coverage_95=pl.lit(0.95),
        bias=pl.lit(0.0),
        simulated=pl.lit(True),
    )


def _scored(months: list[dt.date]) -> pl.DataFrame:
    """Twelve months of simulated dossiers, three of them outside; five years of people, inside."""
    received = ("applications_received", "city", "can_tho", "month", True)
    people = ("people", "former_province", next(iter(PROVINCES)), "year", False)
    rows = [(*received, month, n not in (1, 4, 7)) for n, month in enumerate(months[-12:])]
    rows += [(*people, dt.date(2020 + n, 1, 1), True) for n in range(5)]
    columns = ("indicator", "level", "area", "frequency", "simulated", "period", "inside")
    return pl.DataFrame(rows, schema=columns, orient="row").select(
        pl.exclude("inside"),
        scoring=pl.lit(1),
        issue=pl.lit(1),
        issued=pl.col("period"),
        period_end=pl.col("period").dt.month_end(),
        category=pl.lit("total"),
        horizon=pl.lit(1),
        model=pl.lit("seasonal_level"),
        against=pl.lit("latest"),
        observed=pl.when("inside").then(106.0).otherwise(150.0),
        expected=pl.lit(100.0),
        wis=pl.lit(3.0),
        covered_50="inside",
        covered_80="inside",
        covered_95="inside",
        pit=pl.when("inside").then(0.6).otherwise(0.9875),
        scale=pl.lit(10.0),
        benchmark=pl.lit(112.0),
        benchmark_wis=pl.lit(6.0),
    )


def _loads(today: dt.date) -> pl.DataFrame:
    moment = dt.datetime.combine(today, dt.time(1, 2))
    return pl.DataFrame(
        {
            "load": [1, 2],
            "dataset": ["dossiers", "published"],
            "file": ["generated/dossiers_1.csv", "data/published.csv"],
            "loaded_at": [moment, moment],
            "records": [1001, 37],
            "accepted": [1000, 37],
            "rejected": [1, 0],
            "unreadable": [0, 0],
            "first_day": [dt.date(2022, 1, 1), dt.date(2010, 1, 1)],
            "last_day": [today - dt.timedelta(days=22), today - dt.timedelta(days=300)],
        }
    )
