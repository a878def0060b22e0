"""A made-up installation larger than the city's: communes by 20 fields over 20 years, and a
thousand indicators in the catalog. Its figures mean nothing; the pages read and draw them all.
"""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from etl.catalog import Catalog, parse_catalog
from etl.comparable import write_reference
from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.panel import Floats, steps

FIELDS, YEARS, INDICATORS = 20, 20, 1000
TODAY = dt.date(2026, 11, 22)
MONTHS = steps(dt.date(2006, 11, 1), Frequency.MONTH, 12 * YEARS)
HORIZON, PATHS = 14, 100
HEADLINES = 8
"""Of the indicators, on the first screen."""
QUANTILES = {0.025: -1.96, 0.1: -1.28, 0.25: -0.67, 0.5: 0.0, 0.75: 0.67, 0.9: 1.28, 0.975: 1.96}
RECEIVED = "applications_received"
SHARES_OF_RECEIVED = {
    RECEIVED: 1.0,
    "applications_resolved": 0.95,
    "applications_on_time": 0.9,
    "applications_pending": 0.2,
    "applications_overdue": 0.05,
}
PERCENT = {"applications_on_time_share": 94.5, "applications_online_share": 80.0}
CITY = "can_tho"


def large(home: Path) -> None:
    """The first build of `home`: history, forecasts and joint paths of every commune and field."""
    text = yaml.safe_dump(_catalog(), allow_unicode=True)
    catalog = parse_catalog(text)
    home.mkdir(parents=True, exist_ok=True)
    with Warehouse.build(home, empty=True) as warehouse:
        write_reference(warehouse, catalog)
        facts = {"today": TODAY.isoformat(), "catalog": text}
        warehouse.write("build_fact", pl.DataFrame({"name": [*facts], "value": [*facts.values()]}))
        series = _series(catalog)
        counts = _counts(series)
        warehouse.write("observation", _published())
        for indicator, ratio in SHARES_OF_RECEIVED.items():
            warehouse.write("comparable", _comparable(series, indicator, counts * ratio))
        for indicator, percent in PERCENT.items():
            same = np.full(counts.shape, percent)
            warehouse.write("comparable", _comparable(series, indicator, same))
        warehouse.write("forecast", _forecast(series, counts))
        warehouse.write("forecast_path", _paths(series, counts))
        warehouse.write("forecast_series", _asked(series))


def _catalog() -> dict[str, object]:
    listed = [
        {
            "name": f"figure_{number}",
            "title": f"Chỉ tiêu bịa đặt số {number}",
            "title_en": f"Made-up figure {number}",
            "unit": "tỷ đồng",
            "topic": "economy",
            "better": "up",
        }
        for number in range(INDICATORS)
    ]
    names = [*SHARES_OF_RECEIVED, *PERCENT]
    counted = [{"name": name, "title": name, "title_en": name, "unit": "hồ sơ"} for name in names]
    fields = [{"value": name, "label": name, "label_en": name} for name in _fields()]
    return {
        "profile": "cantho-foresight/1",
        "name": "large",
        "title": "Thành phố bịa đặt",
        "title_en": "A made-up city",
        "licenses": [{"name": "CC-BY-4.0"}],
        "contributors": [{"title": "Người bịa"}],
        "resources": [
            _resource("figures", "city", listed, [{"name": "category"}])
            | {"present": {"headline": [one["name"] for one in listed[:HEADLINES]]}},
            _resource("dossiers", "commune", counted, [{"name": "category", "categories": fields}]),
        ],
    }


def _resource(
    name: str, level: str, indicators: list[dict[str, str]], fields: list[dict[str, object]]
) -> dict[str, object]:
    measured = [{"name": "area"}, *fields, {"name": "period"}, {"name": "value", "type": "number"}]
    return {
        "name": name,
        "title": name,
        "title_en": name,
        "sources": [{"path": f"data/{name}.csv", "title": "Bịa"}],
        "clean": {"areas": {"level": level}},
        "schema": {"fields": [{"name": "indicator"}, *measured]},
        "indicators": indicators,
    }


def _fields() -> list[str]:
    return [f"field_{number}" for number in range(FIELDS)]


def _series(catalog: Catalog) -> pl.DataFrame:
    """Every commune of today and the city, each with the total and every field."""
    areas = catalog.map.areas.filter(
        pl.col("level").is_in(["commune", "city"]) & pl.col("valid_to").is_null()
    ).select("level", area="code")
    return areas.join(pl.DataFrame({"category": ["total", *_fields()]}), how="cross")


def _counts(series: pl.DataFrame) -> Floats:
    """Dossiers a month, `(series, months)`, with a level, a trend and a season."""
    chance = np.random.default_rng(1)
    level = chance.lognormal(4, 0.8, (len(series), 1))
    large = (series["category"] == "total").to_numpy() * 9 + 1
    city = (series["level"] == "city").to_numpy() * 99 + 1
    at = np.arange(len(MONTHS))
    growth = np.exp(chance.normal(0.003, 0.001, (len(series), 1)) * (at - len(at)))
    season = 1 + 0.2 * np.sin(at * np.pi / 6)
    return np.asarray(np.round(level * (large * city)[:, None] * growth * season))


def _long(series: pl.DataFrame, indicator: str, periods: tuple[dt.date, ...]) -> pl.DataFrame:
    """Each series and each of its periods, series by series."""
    every = series.join(pl.DataFrame({"period": periods}), how="cross", maintain_order="left_right")
    return every.with_columns(
        indicator=pl.lit(indicator), frequency=pl.lit("month"), simulated=pl.lit(True)
    )


def _comparable(series: pl.DataFrame, indicator: str, values: Floats) -> pl.DataFrame:
    return _long(series, indicator, MONTHS).with_columns(
        value=pl.Series(values.ravel()),
        period_end=pl.col("period").dt.month_end(),
        status=pl.lit("final"),
        estimated_share=pl.lit(0.0),
        derived=pl.lit(False),
        dataset=pl.lit("dossiers"),
    )


def _published() -> pl.DataFrame:
    """A figure of the city for each made-up indicator and year."""
    names = pl.DataFrame({"indicator": [f"figure_{number}" for number in range(INDICATORS)]})
    years = pl.DataFrame({"year": range(TODAY.year - YEARS, TODAY.year)})
    return names.join(years, how="cross").select(
        "indicator",
        area=pl.lit(CITY),
        area_vintage=pl.lit(dt.date(2025, 7, 1)),
        category=pl.lit("total"),
        frequency=pl.lit("year"),
        period=pl.date("year", 1, 1),
        period_end=pl.date("year", 12, 31),
        value=pl.col("year").cast(pl.Float64),
        status=pl.lit("final"),
        simulated=pl.lit(False),
        dataset=pl.lit("figures"),
        source=pl.lit("Bịa"),
        as_of=pl.date(pl.col("year") + 1, 2, 1),
    )


def _coming(counts: Floats) -> Floats:
    """The last year again, a little more of it: `(series, HORIZON)`."""
    return np.asarray(counts[:, -12:][:, np.arange(HORIZON) % 12] * 1.05)


def _forecast(series: pl.DataFrame, counts: Floats) -> pl.DataFrame:
    ahead = steps(MONTHS[-1], Frequency.MONTH, HORIZON + 1)[1:]
    coming = _coming(counts)
    each = _long(series, RECEIVED, ahead).drop("level")
    horizons = np.tile(np.arange(1, HORIZON + 1), len(series))
    return pl.concat(
        each.with_columns(
            _issued(),
            horizon=pl.Series(horizons),
            quantile_level=pl.lit(level),
            value=pl.Series((coming * (1 + 0.05 * deviation)).ravel()),
            model=pl.lit("seasonal_level"),
        ).with_columns(issue=pl.lit(1), origin=pl.lit(MONTHS[-1]))
        for level, deviation in QUANTILES.items()
    )


def _issued() -> pl.Expr:
    return pl.lit(TODAY).alias("issued")


def _paths(series: pl.DataFrame, counts: Floats) -> pl.DataFrame:
    chance = np.random.default_rng(2)
    coming = _coming(counts)
    off = 1 + 0.05 * chance.normal(size=(len(series), PATHS, 1))
    paths = (coming[:, None, :] * off).reshape(len(series), -1)
    return series.drop("level").with_columns(
        _issued(),
        issue=pl.lit(1),
        origin=pl.lit(MONTHS[-1]),
        indicator=pl.lit(RECEIVED),
        frequency=pl.lit("month"),
        count=pl.lit(PATHS),
        horizon=pl.lit(HORIZON),
        paths=pl.Series(paths.tolist()),
        simulated=pl.lit(True),
    )


def _asked(series: pl.DataFrame) -> pl.DataFrame:
    return series.with_columns(
        _issued(),
        issue=pl.lit(1),
        origin=pl.lit(MONTHS[-1]),
        indicator=pl.lit(RECEIVED),
        frequency=pl.lit("month"),
        points=pl.lit(len(MONTHS)),
        model=pl.lit("seasonal_level"),
        benchmark=pl.lit("seasonal_naive"),
        beats=pl.lit(True),
        skill=pl.lit(0.2),
        candidates=pl.lit("seasonal_naive seasonal_level"),
        simulated=pl.lit(True),
    )
