from dataclasses import replace
from datetime import date
from xml.etree.ElementTree import fromstring

import numpy as np
import polars as pl
import pytest

from benchmarks.accuracy import chances
from benchmarks.accuracy.cells import simulated
from benchmarks.accuracy.diagram import MARGIN, SIDE
from benchmarks.accuracy.kept import Told, told_by
from benchmarks.accuracy.measures import Judge, difference, smape
from benchmarks.accuracy.naive2 import naive2, seasonal
from benchmarks.accuracy.page import _chances, pages, pictures
from benchmarks.accuracy.peers import COVERAGES, LEVELS, PEERS, Peer, forecast_one
from benchmarks.accuracy.run import figures, held_earlier
from benchmarks.accuracy.sets import END, Collection, attendances
from benchmarks.speed import made_up
from etl.periods import Frequency

SEASON = np.array([0.5, 1.0, 1.5, 1.0])
SVG = "{http://www.w3.org/2000/svg}"
METHODS = ("engine", "AutoETS", "SCUM", "SeasonalNaive")


@pytest.fixture
def quarterly() -> Collection:
    """Twenty series of 24 quarters with a season, and what came in the next 4."""
    chance = np.random.default_rng(3)
    values = 100 * np.tile(SEASON, 7) * chance.lognormal(0, 0.1, (20, 28))
    ids = tuple(f"series {number}" for number in range(20))
    return Collection(
        "Invented",
        Frequency.QUARTER,
        ids,
        tuple(values[:, :24]),
        values[:, 24:],
        ids,
        END[Frequency.QUARTER],
    )


def told(mean, width=10.0):
    """Forecasts with bands that are `width` times the coverage wide on either side."""
    half = [width * coverage / 100 for coverage in COVERAGES]
    offsets = [-one for one in reversed(half)] + [0.0, *half]
    quantiles = np.array([mean + offset for offset in offsets])
    return Told(mean, quantiles, np.full(len(mean), 0.001), np.full(len(mean), True))


def of_naive2(collection):
    return np.array([naive2(train, 4, 4) for train in collection.trains])


def test_naive2_is_the_last_value_where_there_is_no_season():
    assert naive2(np.array([3.0, 5.0, 4.0]), 1, 2).tolist() == [4.0, 4.0]


def test_naive2_follows_a_season_that_is_significant():
    assert naive2(80 * np.tile(SEASON, 6), 4, 5) == pytest.approx([40, 80, 120, 80, 40])


@pytest.mark.parametrize(
    "train",
    [
        pytest.param(np.random.default_rng(1).normal(100, 1, 60), id="noise"),
        pytest.param(np.tile(SEASON, 2), id="two rounds only"),
        pytest.param(np.tile([0.0, 1.0, 2.0, 1.0], 6), id="a zero, which no factor reaches"),
        pytest.param(np.full(24, 7.0), id="constant"),
    ],
)
def test_naive2_has_no_season_in(train):
    assert not seasonal(train, 4)
    assert naive2(train, 4, 2).tolist() == [train[-1]] * 2


def test_naive2_itself_is_1(quarterly):
    judged = Judge(quarterly).judge(told(of_naive2(quarterly)))
    assert judged.summary()["owa"] == 1.0


def test_two_zeros_are_no_error_and_a_zero_for_something_is_the_largest():
    assert smape(np.array([[0.0, 0.0]]), np.array([[0.0, 5.0]])).tolist() == [100.0]


def test_bands_hold_what_lies_within_them(quarterly):
    wide = Judge(quarterly).judge(told(quarterly.outcomes)).summary()
    off = Judge(quarterly).judge(told(quarterly.outcomes + 6.0)).summary()
    assert [wide[f"covered_{band}"] for band in COVERAGES] == [1, 1, 1]
    assert [off[f"covered_{band}"] for band in COVERAGES] == [0, 1, 1]
    assert wide["pinball"] < off["pinball"]
    assert wide["msis_50"] < off["msis_50"]


def test_a_better_method_is_told_from_one_that_is_the_same(quarterly):
    judge = Judge(quarterly)
    good, bad = judge.judge(told(quarterly.outcomes + 1)), judge.judge(told(of_naive2(quarterly)))
    assert difference(good, good) == {"difference": 0.0, "low": 0.0, "high": 0.0}
    assert difference(good, bad)["high"] < 0


def test_a_bound_below_zero_is_counted(quarterly):
    assert Judge(quarterly).judge(told(quarterly.outcomes, 1000.0)).summary()["below_zero"] == 1


def test_series_of_different_length_end_together_in_the_panel(quarterly):
    short = Collection(
        "Invented",
        Frequency.QUARTER,
        ("long", "short"),
        (np.array([1.0, 2.0, 3.0]), np.array([8.0, -9.0])),
        np.zeros((2, 1)),
        ("a", "b"),
        END[Frequency.QUARTER],
    )
    panel = short.panel()
    assert panel.origin == END[Frequency.QUARTER]
    np.testing.assert_array_equal(panel.values, [[1, 2, 3], [np.nan, 8, -9]])
    assert panel.lowest.tolist() == [0, -np.inf]


def test_series_ended_earlier_have_their_last_steps_for_outcomes(quarterly):
    short = replace(quarterly, trains=(*quarterly.trains[:19], quarterly.trains[19][-11:]))
    then = short.ended(4)
    assert then.ids == quarterly.ids[:19]
    np.testing.assert_array_equal(then.trains[3], quarterly.trains[3][:20])
    np.testing.assert_array_equal(then.outcomes[3], quarterly.trains[3][20:])
    assert then.panel().origin == date(2023, 10, 1)


def test_bands_are_looked_at_a_horizon_earlier_and_two(quarterly):
    many = quarterly.take([*range(20), *range(15)])
    many = replace(many, trains=(*many.trains[:32], *(train[-15:] for train in many.trains[32:])))
    assert list(held_earlier(many, lambda then: told(then.outcomes + 9.0))) == [
        {"times": 1, "series": 35, "covered_80": 0.0, "covered_95": 1.0},
        {"times": 2, "series": 32, "covered_80": 0.0, "covered_95": 1.0},
    ]
    assert list(held_earlier(quarterly, lambda then: told(then.outcomes))) == []


def test_a_small_sample_is_part_of_a_larger_one(quarterly):
    assert set(quarterly.sample(5)) < set(quarterly.sample(12))
    assert quarterly.sample(5) == quarterly.sample(5)
    assert quarterly.sample(99) == list(range(20))


def test_without_their_file_there_are_no_attendances(tmp_path):
    assert list(attendances(tmp_path)) == []


def test_attendances_are_series_whose_months_are_all_known(tmp_path):
    months = pl.date_range(pl.date(2016, 4, 1), pl.date(2019, 3, 1), "1mo", eager=True)
    whole = pl.DataFrame({"period": months, "org_code": "A", "type": "1"})
    rows = pl.concat([whole, whole[1:].with_columns(org_code=pl.lit("B"))])
    path = tmp_path / "shared/data/benchmarks/nhs_ae_monthly.parquet"
    path.parent.mkdir(parents=True)
    rows.with_row_index("attendances").write_parquet(path)
    year, half = attendances(tmp_path)
    assert (year.ids, year.horizon, len(year.trains[0])) == (("A 1",), 12, 24)
    assert (half.ids, half.horizon, len(half.trains[0])) == (("A 1",), 6, 30)
    assert [str(one.end) for one in (year, half)] == ["2018-03-01", "2018-09-01"]


def test_simulated_cells_are_small_counts_and_the_same_for_a_seed():
    first, again = list(simulated(seed=5)), list(simulated(seed=5))
    for (one, truth), (two, _) in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.trains, two.trains)
        assert truth.mean.mean() == pytest.approx(one.outcomes.mean(), rel=0.15)
        values = np.array(one.trains)
        assert (values >= 0).all()
        assert (values == np.floor(values)).all()
        assert 0.1 < (values == 0).mean() < 0.8
        assert values.any(axis=1).all()


def test_a_chance_comes_from_draws_or_from_the_band():
    mean, quantiles = np.full((1, 2), 10.0), np.zeros((len(LEVELS), 1, 2))
    quantiles[LEVELS.index(0.1)], quantiles[LEVELS.index(0.9)] = 5, 15
    by_band = Told(mean, quantiles, np.zeros(1), np.full(1, True))
    by_draws = replace(by_band, draws=np.array([[9.0], [10.0], [12.0], [20.0]]))
    aims = np.array([[10.0], [15.0]])
    assert chances.chances(by_band, aims).ravel() == pytest.approx([0.5, 0.1])
    assert chances.chances(by_draws, aims).ravel().tolist() == [0.75, 0.25]


def test_what_always_comes_true_has_no_brier_score_and_one_bin():
    sure = chances.reliability(np.ones((2, 3)), np.ones((2, 3)))
    assert sure == {"brier": 0.0, "bins": [[1.0, 1.0, 6]]}


def test_the_page_of_annual_series_has_a_table_and_a_diagram_of_reliability(tmp_path):
    """One that said a quarter where it came three times in four lies off the diagonal."""
    timid = {"brier": 0.31, "bins": [[0.25, 0.75, 40], [0.9, 1.0, 10]]}
    honest = {"brier": 0.12, "bins": [[0.1, 0.1, 30], [0.9, 0.9, 20]]}
    one = {"name": "M3", "frequency": "year", "horizon": 6, "chances_of_sample": {}}
    one["chances"] = {"engine": honest, "AutoETS": timid}
    page = "\n".join(_chances([one]))
    assert "| engine | 0.1200 | 50 |" in page
    assert "![How often it came, by the chance said](reliability-m3.svg)" in page
    ((name, picture),) = pictures({"collections": [one]})
    assert name == "reliability-m3.svg"
    points = [dict(circle.attrib) for circle in fromstring(picture).iter(f"{SVG}circle")]
    assert len(points) == 4
    off = [float(p["cx"]) + float(p["cy"]) - 2 * MARGIN - SIDE for p in points]
    assert off == pytest.approx([0, 0, -SIDE / 2, -SIDE / 10], abs=0.2)
    assert "engine, Brier 0.120" in picture


def test_the_page_names_who_the_engine_loses_to(quarterly):
    better = {name: told(quarterly.outcomes + 1) for name in METHODS}
    better["engine"] = told(of_naive2(quarterly))
    few = quarterly.sample(8)
    outcome = {
        "day": "2026-11-22",
        "machine": "a machine",
        "missing": ["Attendances"],
        "quick": False,
        "collections": [
            {
                "name": "Invented",
                "frequency": "quarter",
                "horizon": 4,
                "all": figures(quarterly, better),
                "samples": [
                    figures(quarterly.take(few), {n: one.take(few) for n, one in better.items()})
                ],
                "earlier": [{"covered_80": 0.7, "covered_95": 0.9}],
            }
        ],
    }
    page = "\n".join(pages(outcome, None, None))
    assert "Not there, so left out: Attendances." in page
    assert "| Invented, quarter, 4 ahead | AutoETS | +" in page
    assert "**engine** | 1.000 |" in page
    held = outcome["collections"][0]["all"]["engine"]["covered_80"]
    assert (
        f"| Invented, quarter, 4 ahead | {held:.1%} | 70.0% | – | {(held + 0.7) / 2:.1%} |" in page
    )


def test_what_a_peer_said_is_kept_by_its_code_and_the_series(quarterly, tmp_path):
    pytest.importorskip("statsforecast")
    peer, few = PEERS["SeasonalNaive"], quarterly.take([3, 1])
    first = told_by(peer, few, tmp_path, processes=1)
    again = told_by(peer, few.take([1, 0]), tmp_path, processes=0)
    np.testing.assert_array_equal(again.quantiles, first.quantiles[:, [1, 0]])
    np.testing.assert_allclose(first.mean, [quarterly.trains[row][-4:] for row in (3, 1)])
    with pytest.raises(ValueError, match="processes"):
        told_by(replace(peer, package="numpy"), few, tmp_path, processes=0)


def test_a_peer_without_an_answer_is_given_the_seasonal_naive_one():
    pytest.importorskip("statsforecast")

    def forecast(*_):
        raise ValueError("no model is good enough")

    (mean, _), answered = forecast_one(
        Peer("None", forecast, "numpy"), np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 4, 2
    )
    assert not answered
    assert mean.tolist() == [2.0, 3.0]


def test_the_made_up_counts_of_the_speed_are_whole_and_the_same_each_time():
    one, two = made_up(30).values, made_up(30).values
    np.testing.assert_array_equal(one, two)
    assert (one == np.floor(one)).all()
    assert (one >= 0).all()
