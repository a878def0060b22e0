"""Each kind of error, planted into the shipped figures, is found; the figures themselves are quiet.

The series are the real ones; Hypothesis picks where the error goes.
"""

import datetime as dt

import polars as pl
import pytest
from conftest import ROOT, TODAY
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from etl import pipeline
from etl.anomalies import POINT, Anomaly, changes, scan
from etl.catalog import load_catalog
from etl.settings import Settings
from etl.warehouse import Warehouse

SERIES = ["dataset", "indicator", "area", "frequency"]
# The only figures of their datasets that honestly stand out, or that the sources lack.
KNOWN_JUMPS = {
    ("population_rural", "can_tho_old", dt.date(2009, 1, 1)),
    ("population_urban", "can_tho_old", dt.date(2009, 1, 1)),
    ("population_urban", "soc_trang", dt.date(2011, 1, 1)),
    ("unemployment_rate", "national", dt.date(2021, 7, 1)),
}
KNOWN_SIGNS = {
    ("grdp_growth", "can_tho_old", dt.date(2021, 1, 1)),
    ("iip_growth_mom", "can_tho_old", dt.date(2021, 8, 1)),
    ("net_migration_rate", "hau_giang", dt.date(2011, 1, 1)),
}


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> pl.DataFrame:
    """The observations of every shipped dataset that is not simulated."""
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    kept = [dataset for dataset in catalog.resources if not dataset.simulated]
    catalog = catalog.model_copy(update={"resources": kept})
    settings = Settings(home=tmp_path_factory.mktemp("state"), catalog=ROOT / "data_catalog.yaml")
    with Warehouse.build(settings.home) as building:
        plan = pipeline.plan(catalog, settings, None)
        pipeline.refresh(building, catalog, settings, plan, today=TODAY, progress=lambda _: None)
    with Warehouse.open(settings.home) as warehouse:
        return warehouse.select(
            f"select {', '.join(POINT)}, value, status, as_of from observation "
            f"where status <> 'plan'"
        )


@pytest.fixture(scope="module")
def steady(real) -> list[tuple]:
    """Series of ten positive figures or more: dataset, indicator, area, frequency."""
    return (
        real.filter(pl.col("frequency") != "span")
        .group_by(*SERIES)
        .agg(pl.len(), pl.col("value").min(), once=pl.col("period").is_unique().all())
        .filter(pl.col("len") >= 10, pl.col("value") > 0, "once")
        .select(SERIES)
        .sort(SERIES)
        .rows()
    )


def periods(real: pl.DataFrame, series: tuple) -> list[dt.date]:
    return real.filter(_is(series))["period"].sort().to_list()


def planted(real: pl.DataFrame, series: tuple, period: dt.date, value: pl.Expr) -> pl.DataFrame:
    at = _is(series) & (pl.col("period") == period)
    return real.with_columns(value=pl.when(at).then(value).otherwise("value"))


def found(anomalies: list[Anomaly], kind: str) -> set[tuple]:
    return {
        (one.dataset, one.indicator, one.area, one.frequency, one.period)
        for one in anomalies
        if one.kind == kind
    }


def _is(series: tuple) -> pl.Expr:
    return pl.all_horizontal(pl.col(k) == v for k, v in zip(SERIES, series, strict=True))


def a_point(real: pl.DataFrame, steady: list[tuple], data: st.DataObject) -> tuple:
    series = data.draw(st.sampled_from(steady))
    return series, data.draw(st.sampled_from(periods(real, series)))


def test_the_shipped_figures_raise_no_alarm_but_those_that_are_known(real):
    told = [one for one in scan(None, real) if one.kind not in ("gap", "ends_early")]
    assert {(o.indicator, o.area, o.period) for o in told} == KNOWN_JUMPS | KNOWN_SIGNS
    assert {one.kind for one in told} == {"jump", "sign"}
    assert all(one.sure <= 0.6 for one in told)
    assert len(told) / real.height < 0.002


def test_the_gaps_of_the_shipped_series_are_those_of_the_sources(real):
    gaps = [one for one in scan(None, real) if one.kind in ("gap", "ends_early")]
    assert {(one.dataset, one.period, one.factor) for one in gaps} == {
        ("national_monthly", dt.date(2022, 1, 1), 1),
        ("national_monthly", dt.date(2023, 1, 1), 9),
        ("social", dt.date(2006, 1, 1), 1),
    }


def test_equal_versions_have_no_changes_and_no_anomalies(real):
    assert changes(real, real).is_empty()
    assert scan(real, real) == []


def planted_everywhere(
    real: pl.DataFrame, steady: list[tuple], position: float, value: pl.Expr
) -> tuple[pl.DataFrame, set[tuple]]:
    """One wrong figure in every steady series, that far along it, and where they are."""
    chosen = pl.DataFrame(steady, schema=SERIES, orient="row").with_columns(chosen=True)
    ranked = real.join(chosen, on=SERIES, how="left").with_columns(
        at=(
            pl.col("chosen")
            & (
                pl.col("period").rank("ordinal").over(SERIES) - 1
                == (position * (pl.len().over(SERIES) - 1)).round()
            )
        ).fill_null(False)
    )
    places = set(ranked.filter("at").select(*SERIES, "period").iter_rows())
    wrong = ranked.with_columns(value=pl.when("at").then(value).otherwise("value"))
    return wrong.drop("chosen", "at"), places


@limits(max_examples=30)
@given(
    position=st.floats(0, 1),
    factor=st.sampled_from([1e6, 1000.0, 100.0, 10.0, 0.1, 0.01, 1e-3, 1e-6]),
)
def test_a_slip_of_unit_is_found_by_the_series_alone(real, steady, position, factor):
    wrong, places = planted_everywhere(real, steady, position, pl.col("value") * factor)
    told = [one for one in scan(None, wrong) if one.factor == pytest.approx(factor)]
    odd = found(scan(None, wrong), "unit_slip") | found(scan(None, wrong), "jump")
    least = 0.88 if factor in (10, 0.1) else 0.95
    assert len(places & odd) / len(places) >= least
    assert len(places & found(told, "unit_slip")) / len(places) >= least - 0.07


@limits(max_examples=30)
@given(data=st.data(), factor=st.sampled_from([10.0, 0.1, 1000.0]))
def test_a_slip_against_the_older_version_is_sure(real, steady, data, factor):
    series, period = a_point(real, steady, data)
    told = scan(real, planted(real, series, period, pl.col("value") * factor))
    assert told[0].kind == "unit_slip"
    assert found([one for one in told if one.sure == 0.99], "unit_slip") == {(*series, period)}


@limits(max_examples=30)
@given(data=st.data(), last=st.integers(2, 4))
def test_a_slip_that_goes_on_to_the_end_is_found_where_it_begins(real, steady, data, last):
    series = data.draw(st.sampled_from(steady))
    begin = periods(real, series)[-last]
    slipped = real.with_columns(
        value=pl.when(_is(series) & (pl.col("period") >= begin))
        .then(pl.col("value") * 1000)
        .otherwise("value")
    )
    assert (*series, begin) in found(scan(None, slipped), "unit_slip")


@limits(max_examples=20)
@given(position=st.floats(0, 1))
def test_a_figure_with_the_other_sign_is_found(real, steady, position):
    wrong, places = planted_everywhere(real, steady, position, -pl.col("value"))
    assert len(places & found(scan(None, wrong), "sign")) / len(places) >= 0.9


@limits(max_examples=20)
@given(position=st.floats(0.1, 1), up=st.booleans())
def test_a_figure_three_times_as_large_or_small_is_found_in_calm_series(real, steady, position, up):
    calm = [series for series in steady if series[0] in ("population", "national_quarterly")]
    by = 3.0 if up else 1 / 3
    wrong, places = planted_everywhere(real, calm, position, pl.col("value") * by)
    assert len(places & found(scan(None, wrong), "jump")) / len(places) >= 0.9


PAIRS = [
    ("agriculture", "rice_output", "pig_herd"),
    ("agriculture", "aquaculture_output", "poultry_flock"),
    ("population", "population_urban", "population_rural"),
    ("social", "hospital_beds", "pupils_general"),
]


@pytest.mark.parametrize(("dataset", "one", "other"), PAIRS)
@pytest.mark.parametrize("year", [2007, 2012, 2014])
def test_two_columns_that_changed_places_are_found(real, dataset, one, other, year):
    wrong = exchanged(real, dataset, one, other, dt.date(year, 1, 1))
    swapped = [a for a in scan(None, wrong) if a.kind == "swapped"]
    assert {(a.indicator, a.other) for a in swapped} == {(one, other), (other, one)}
    assert {a.area for a in swapped} <= {"can_tho_old", "hau_giang", "soc_trang"}


@pytest.mark.parametrize(("dataset", "one", "other"), PAIRS)
def test_two_columns_that_changed_places_everywhere_are_told_by_the_older_version(
    real, dataset, one, other
):
    told = scan(real, exchanged(real, dataset, one, other, None))
    assert {(a.kind, a.indicator) for a in told if a.sure > 0.97} == {
        ("swapped", one),
        ("swapped", other),
    }


def exchanged(
    real: pl.DataFrame, dataset: str, one: str, other: str, period: dt.date | None
) -> pl.DataFrame:
    here = pl.col("dataset") == dataset
    if period:
        here &= pl.col("period") == period
    return real.with_columns(
        indicator=pl.when(here & (pl.col("indicator") == one))
        .then(pl.lit(other))
        .when(here & (pl.col("indicator") == other))
        .then(pl.lit(one))
        .otherwise("indicator")
    )


@pytest.mark.parametrize("dataset", ["agriculture", "social", "population"])
@pytest.mark.parametrize(("year", "of", "kind"), [(2012, 2011, "repeated"), (2014, 2008, "copied")])
def test_a_year_that_is_a_copy_of_another_is_found(real, dataset, year, of, kind):
    wrong = copied(real, dataset, dt.date(year, 1, 1), dt.date(of, 1, 1))
    told = [one for one in scan(None, wrong) if one.kind == kind]
    assert {(one.dataset, one.period.year) for one in told} == {(dataset, year)}


def copied(real: pl.DataFrame, dataset: str, period: dt.date, of: dt.date) -> pl.DataFrame:
    here = (pl.col("dataset") == dataset) & (pl.col("frequency") == "year")
    source = real.filter(here, pl.col("period") == of)
    source = source.with_columns(
        period=pl.lit(period), period_end=pl.lit(period.replace(month=12, day=31))
    )
    return pl.concat([real.filter(~(here & (pl.col("period") == period))), source])


@limits(max_examples=40)
@given(data=st.data())
def test_a_figure_that_vanished_is_missing(real, steady, data):
    series, period = a_point(real, steady, data)
    rest = real.filter(~(_is(series) & (pl.col("period") == period)))
    assert found(scan(real, rest), "missing") == {(*series, period)}
    assert changes(real, rest).select("change", "period").rows() == [("vanished", period)]


def test_a_series_that_ends_before_its_siblings_is_told(real):
    short = real.filter(
        ~(
            pl.col("indicator").is_in(["pupils_general"])
            & (pl.col("area") == "hau_giang")
            & (pl.col("period") >= dt.date(2016, 1, 1))
        )
    )
    (told,) = [one for one in scan(None, short) if one.kind == "ends_early"]
    assert (told.indicator, told.area, told.other) == ("pupils_general", "hau_giang", "2016-01-01")


def test_a_total_that_is_not_the_sum_of_its_parts_is_told(real):
    parts = {"population": ["population_urban", "population_rural"]}
    honest = [one for one in scan(None, real, parts=parts) if one.kind == "total"]
    series = ("population", "population", "hau_giang", "year")
    wrong = planted(real, series, dt.date(2015, 1, 1), pl.col("value") * 1.05)
    told = [one for one in scan(None, wrong, parts=parts) if one.kind == "total"]
    assert honest == []
    assert found(told, "total") == {(*series, dt.date(2015, 1, 1))}


def test_what_stood_in_the_older_version_is_not_told_again(real, steady):
    wrong = planted(real, steady[0], periods(real, steady[0])[5], pl.col("value") * 1000)
    assert scan(None, wrong) != []
    assert scan(wrong, wrong) == []


def test_a_changed_figure_is_set_against_the_older_one(real, steady):
    period = periods(real, steady[0])[5]
    table = changes(real, planted(real, steady[0], period, pl.col("value") + 1))
    assert table.select("change", pl.col("after") - pl.col("before")).rows() == [
        ("changed", pytest.approx(1))
    ]


def test_without_an_older_version_every_figure_is_added(real):
    assert changes(None, real)["change"].value_counts().rows() == [("added", real.height)]


def test_every_anomaly_has_words_in_both_languages(real, steady):
    wrong = planted(real, steady[0], periods(real, steady[0])[5], pl.col("value") * 1000)
    for one in scan(real.head(3000), wrong):
        assert one.words_vi
        assert one.words_en
        assert "{" not in one.words_vi + one.words_en
