"""What was issued stays as it was issued, and is scored when its outcome is known."""

import random
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.builds import builds, current_build, prune, undo
from etl.catalog import parse_catalog
from etl.errors import ForesightError
from etl.periods import Frequency
from etl.warehouse import LEDGERS, LedgerChanged, Warehouse
from forecasts.ledger import LEVELS, benchmarks, pit, scored_rows, settle, wis
from forecasts.panel import KEY
from forecasts.run import forecast_all
from tests.forecasts.test_run import CATALOG, figures, wave, yearly

TODAY = date(2026, 11, 22)
BAND = (60.0, 80.0, 90.0, 100.0, 110.0, 120.0, 140.0)


def forecast_rows(
    period=date(2026, 11, 1), horizon=1, issue=1, issued=TODAY, values=BAND, levels=LEVELS, **other
):
    """One issued forecast of one month of one series, quantile by quantile."""
    return pl.DataFrame({"quantile_level": levels, "value": values}).with_columns(
        issue=pl.lit(issue),
        issued=pl.lit(issued),
        origin=pl.lit(period).dt.offset_by(f"-{horizon}mo"),
        indicator=pl.lit(other.get("indicator", "received")),
        area=pl.lit(other.get("area", "31117")),
        category=pl.lit("total"),
        frequency=pl.lit("month"),
        period=pl.lit(period),
        horizon=pl.lit(horizon),
        model=pl.lit("naive"),
        simulated=pl.lit(other.get("simulated", False)),
    )


def outcome(value, period=date(2026, 11, 1), as_of=date(2026, 12, 5), **other):
    """One figure of `comparable`."""
    return figures([value], last=period, **other).with_columns(
        simulated=pl.lit(other.get("simulated", False)), as_of=pl.lit(as_of)
    )


@pytest.fixture
def ledger(tmp_path):
    """Write forecasts and figures on a day, settle, and give all that was ever scored."""

    def settled(forecasts=None, figures=(), today=date(2026, 12, 10), home=tmp_path):
        with Warehouse.build(home) as warehouse:
            warehouse.run("delete from comparable")
            if forecasts is not None:
                warehouse.write("forecast", forecasts)
            for one in figures:
                warehouse.write("comparable", one)
            settle(warehouse, today=today)
            return warehouse.select("select * from scored order by scoring, issue, area, period")

    return settled


def test_the_weighted_interval_score_is_what_a_hand_computes():
    # Three intervals around 100: widths 20, 40, 80; the outcome 125 lies 15, 5 and 0 above them.
    # (1/3.5) * (0.5*25 + 0.25*(20 + 4*15) + 0.1*(40 + 10*5) + 0.025*80) = (12.5+20+9+2)/3.5
    told = wis(np.array([125.0]), np.array(BAND)[:, None], LEVELS)
    assert told == pytest.approx([43.5 / 3.5])


def test_the_score_of_a_single_value_is_its_error():
    assert wis(np.array([7.0]), np.full((7, 1), 10.0), LEVELS) == pytest.approx([3.0])


@pytest.mark.parametrize(
    ("observed", "share"),
    [(100, 0.5), (105, 0.625), (40, 0.0125), (141, 0.9875), (60, 0.025), (130, 0.9375)],
)
def test_the_share_of_a_forecast_below_its_outcome_runs_straight_between_quantiles(observed, share):
    told = pit(np.array([float(observed)]), np.array(BAND)[:, None], LEVELS)
    assert told == pytest.approx([share])


def test_an_outcome_equal_to_several_quantiles_lies_in_the_middle_of_their_levels():
    zeros = np.array([0.0, 0, 0, 0, 1, 2, 3])[:, None]
    assert pit(np.array([0.0]), zeros, LEVELS) == pytest.approx([(0.025 + 0.5) / 2])


def test_the_benchmark_repeats_the_last_season_with_the_changes_there_were():
    years = [date(year, 1, 1) for year in (2022, 2023, 2024, 2025)]
    rows = [
        ("revenue", area, "total", year, value)
        for area, values in (("a", [1.0, 3, 6, 10]), ("b", [5.0, 4, -2, 8]))
        for year, value in zip(years, values, strict=True)
    ]
    known = pl.DataFrame(rows, schema=[*KEY, "period", "value"], orient="row")
    told = benchmarks(known, Frequency.YEAR)
    first, second = told.to_dicts()
    assert (first["benchmark"], first["season"], first["scale"]) == ("naive", [10.0], 3.0)
    # Changes 2, 3, 4, as likely down as up: the 80 % band ends at their 0.8 quantile, 3.6.
    assert first["offsets"][1] == pytest.approx(-3.6)
    assert first["offsets"][5] == pytest.approx(3.6)
    assert (first["lowest"], second["lowest"]) == (0.0, None)


def test_a_forecast_is_scored_when_its_outcome_arrives_and_not_before(ledger):
    assert ledger(forecast_rows()).is_empty()
    (row,) = ledger(figures=[outcome(125.0)]).to_dicts()
    assert row["wis"] == pytest.approx(43.5 / 3.5)
    assert (row["covered_50"], row["covered_80"], row["covered_95"]) == (False, False, True)
    assert (row["expected"], row["observed"], row["horizon"]) == (100.0, 125.0, 1)
    assert (row["said_on"], row["scored_on"]) == (date(2026, 12, 5), date(2026, 12, 10))
    assert row["against"] == "latest"


def test_bounds_of_an_interval_lie_in_it(ledger):
    (row,) = ledger(forecast_rows(), [outcome(120.0)]).to_dicts()
    assert (row["covered_50"], row["covered_80"]) == (False, True)


def test_what_was_issued_after_its_outcome_was_published_is_no_forecast(ledger):
    late = forecast_rows(issued=date(2026, 12, 5))
    assert ledger(late, [outcome(125.0, as_of=date(2026, 12, 5))]).is_empty()
    early = forecast_rows(issue=2, issued=date(2026, 12, 4))
    assert ledger(early, [outcome(125.0, as_of=date(2026, 12, 5))])["issue"].to_list() == [2]


def test_a_month_that_is_not_over_has_no_outcome(ledger):
    figure = outcome(125.0, as_of=date(2026, 11, 28))
    assert ledger(forecast_rows(), [figure], today=date(2026, 11, 30)).is_empty()


def test_a_plan_is_no_outcome(ledger):
    assert ledger(forecast_rows(), [outcome(125.0, status="plan")]).is_empty()


def test_the_same_outcome_is_scored_once_and_a_revised_one_again(ledger):
    once = ledger(forecast_rows(), [outcome(125.0)])
    again = ledger(figures=[outcome(125.0 + 1e-10)], today=date(2026, 12, 20))
    assert again.equals(once)
    revised = ledger(figures=[outcome(105.0, as_of=date(2027, 1, 5))], today=date(2027, 1, 10))
    assert revised.head(1).equals(once)
    assert revised["observed"].to_list() == [125.0, 105.0]
    assert revised["covered_80"].to_list() == [False, True]
    assert revised["scoring"].to_list() == [1, 2]


def test_the_newest_score_stands_and_the_first_is_kept(ledger, tmp_path):
    ledger(forecast_rows(), [outcome(125.0)])
    ledger(figures=[outcome(105.0)])
    with Warehouse.open(tmp_path) as warehouse:
        standing = warehouse.select("select observed from standing_score")
        first = warehouse.select("select observed from first_score")
    assert (standing.item(), first.item()) == (105.0, 125.0)


def test_where_another_figure_was_said_first_both_are_scored(tmp_path):
    said = {
        "indicator": "received", "area": "can_tho", "area_vintage": date(2025, 7, 1),
        "category": "total", "frequency": "month", "period": date(2026, 11, 1),
        "period_end": date(2026, 11, 30), "simulated": False, "dataset": "reports",
    }  # fmt: skip
    vintages = [
        {**said, "value": 90.0, "status": "estimate", "as_of": date(2026, 11, 29)},
        {**said, "value": 125.0, "status": "preliminary", "as_of": date(2026, 12, 5)},
        {**said, "value": 105.0, "status": "final", "as_of": date(2026, 12, 20)},
    ]
    place = {"area": "can_tho", "level": "city"}
    final = outcome(105.0, as_of=date(2026, 12, 20), **place).with_columns(
        derived=pl.lit(value=False), dataset=pl.lit("reports")
    )
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("observation", pl.DataFrame(vintages))
        warehouse.write("comparable", final)
        warehouse.write("forecast", forecast_rows(area="can_tho"))
        settle(warehouse, today=date(2026, 12, 31))
        rows = warehouse.select("select against, observed, status, said_on from scored order by 1")
        standing = warehouse.select("select observed from standing_score").item()
        first = warehouse.select("select observed from first_score").item()
    assert rows.rows() == [
        ("first", 125.0, "preliminary", date(2026, 12, 5)),
        ("latest", 105.0, "final", date(2026, 12, 20)),
    ]
    assert (standing, first) == (105.0, 125.0)


def test_the_benchmark_is_scored_on_what_was_known_when_the_forecast_was_issued(ledger):
    past = figures([float(n) for n in range(1, 25)], last=date(2026, 10, 1))
    ledger(forecast_rows(), [past], today=TODAY)
    wrong_since = past.with_columns(pl.col("value") * 1000)
    (row,) = ledger(figures=[wrong_since, outcome(20.0)]).to_dicts()
    # Twelve months before November 2026 stood 13; each month was 12 above that of the year before.
    assert (row["benchmark"], row["scale"]) == (14.0 - 1, 12.0)
    band = [max(13 + 12 * sign, 0) for sign in (-1, -1, -1, 0, 1, 1, 1)]
    assert row["benchmark_wis"] == pytest.approx(
        wis(np.array([20.0]), np.array(band, dtype=float)[:, None], LEVELS)[0]
    )


def test_other_levels_than_seven_are_scored_as_they_are(ledger):
    three = forecast_rows(values=(90.0, 100.0, 110.0), levels=(0.25, 0.5, 0.75))
    (row,) = ledger(three, [outcome(105.0)]).to_dicts()
    assert (row["covered_50"], row["covered_80"], row["covered_95"]) == (True, None, None)


@given(st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_rows(chance: random.Random):
    due = pl.DataFrame(
        {
            "issue": range(6),
            "observed": [90.0, 100, 125, 60, 141, 119],
            "horizon": [1, 2, 3, 4, 13, 25],
            "first_observed": [90.0, 80, None, 60, 141, 119],
            "levels": [list(LEVELS)] * 6,
            "quantiles": [list(BAND)] * 6,
            "season": [[100.0, 110, 120]] * 5 + [None],
            "offsets": [[-9.0, -6, -3, 0, 3, 6, 9]] * 6,
        }
    ).with_columns(
        new=pl.lit(value=True), lowest=pl.lit(0.0), status=pl.lit("final"),
        first_status=pl.lit("x"), said_on=pl.lit(TODAY), first_said_on=pl.lit(TODAY),
    )  # fmt: skip
    order = list(range(6))
    chance.shuffle(order)
    as_given, shuffled = (scored_rows(rows).sort("issue", "against") for rows in (due, due[order]))
    assert shuffled.equals(as_given)
    assert len(as_given) == 7


# What was issued is never changed -------------------------------------------------------------


def kept(home: Path, build: str | None = None) -> dict[str, pl.DataFrame]:
    """Every row of every ledger in a build."""
    with Warehouse.open(home, build) as warehouse:
        return {table: warehouse.select(f"select * from {table} order by all") for table in LEDGERS}


def lost(before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame]) -> dict[str, int]:
    """How many rows of `before` `after` does not have, by table."""
    return {
        table: len(set(map(str, rows.rows())) - set(map(str, after[table].rows())))
        for table, rows in before.items()
    }


@pytest.fixture
def issue(tmp_path):
    """A refresh: these figures, forecasts of what changed, scores of what came true."""

    def run(*frames: pl.DataFrame, today: date, again: bool = False):
        with Warehouse.build(tmp_path) as warehouse:
            warehouse.run("delete from comparable")
            for frame in frames:
                warehouse.write("comparable", frame)
            forecast_all(warehouse, parse_catalog(CATALOG), today=today, again=again)
            settle(warehouse, today=today)
        return kept(tmp_path)

    return run


def upto(last: int, **other) -> pl.DataFrame:
    return yearly(wave(last - 2003), last=last, **other).with_columns(
        as_of=pl.col("period_end").dt.offset_by("30d")
    )


def assert_only_grown(before, after):
    assert set(lost(before, after).values()) == {0}


def test_refreshes_revisions_a_changed_engine_and_a_full_refresh_only_add(issue, monkeypatch):
    first = issue(upto(2024), today=date(2025, 3, 1))
    second = issue(upto(2025), today=date(2026, 3, 1))
    assert_only_grown(first, second)
    assert len(second["scored"]) == 1
    assert second["scored"]["benchmark_wis"].item() is not None
    corrected = upto(2025).with_columns(pl.col("value") * 1.01)
    third = issue(corrected, today=date(2026, 4, 1))
    assert_only_grown(second, third)
    full = issue(corrected, today=date(2026, 4, 2), again=True)
    assert_only_grown(third, full)
    monkeypatch.setattr("forecasts.request.engine", lambda: "another engine")
    other = issue(corrected, today=date(2026, 4, 3))
    assert_only_grown(full, other)
    issues = other["forecast"]["issue"].unique().sort().to_list()
    assert issues == [1, 2, 3, 4, 5]


def test_what_was_issued_before_an_undo_is_still_known_after_the_next_refresh(issue, tmp_path):
    issue(upto(2024), today=date(2025, 3, 1))
    undone = issue(upto(2025), today=date(2026, 3, 1))
    assert undo(tmp_path) == "00001"
    after = issue(upto(2025).with_columns(pl.col("value") + 1), today=date(2026, 3, 2))
    assert_only_grown(undone, after)
    assert after["forecast"]["issue"].unique().sort().to_list() == [1, 2, 3]
    undo(tmp_path)
    undo(tmp_path)
    assert prune(tmp_path, keep=1) == ["00002"]
    last = issue(upto(2024), today=date(2026, 3, 3))
    assert_only_grown(after, last)
    assert last["forecast"]["issue"].max() == 4


def test_an_undone_build_that_cannot_be_read_is_told_of_and_the_one_before_it_is_used(
    issue, tmp_path
):
    issue(upto(2023), today=date(2024, 3, 1))
    readable = issue(upto(2024), today=date(2025, 3, 1))
    issue(upto(2025), today=date(2026, 3, 1))
    undo(tmp_path)
    undo(tmp_path)
    (tmp_path / "builds" / "00003.duckdb").write_bytes(b"torn")
    after = issue(upto(2025), today=date(2026, 3, 2))
    assert_only_grown(readable, after)
    with Warehouse.open(tmp_path) as warehouse:
        (told,) = warehouse.select("select detail from audit where what = 'ledger'")["detail"]
    assert told.startswith("build 00003 cannot be read, what only it issued is lost")


def test_a_refresh_that_fails_leaves_what_was_issued(issue, tmp_path):
    before = issue(upto(2024), today=date(2025, 3, 1))
    with pytest.raises(ForesightError, match="cannot be a name"), Warehouse.build(tmp_path) as half:
        _write_over(half)
    assert current_build(tmp_path) == "00001"
    assert_only_grown(before, kept(tmp_path))


WORD = {"alert_log": "event", "target_told": "plan"}
"""A column of words, where a ledger does not speak of series and so has no frequency."""


@pytest.mark.parametrize("table", LEDGERS)
@pytest.mark.parametrize(
    "change",
    [
        "update {0} set {2} = 'week' where {1} = 1",
        "delete from {} where {} = 1",
        "insert into {0} select * from {0} where {1} = 1",
    ],
)
def test_a_build_that_would_change_a_row_issued_before_is_not_published(tmp_path, table, change):
    number, word = LEDGERS[table], WORD.get(table, "frequency")
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.run(f"insert into {table} ({number}, {word}) values (1, 'month'), (2, 'month')")
    before = kept(tmp_path)
    with pytest.raises(LedgerChanged, match=table), Warehouse.build(tmp_path) as warehouse:
        warehouse.run(change.format(table, number, word))
    assert [build.name for build in builds(tmp_path)] == ["00001"]
    assert_only_grown(before, kept(tmp_path))


def _write_over(warehouse: Warehouse) -> None:
    warehouse.clear("forecast")
    warehouse.clear("No Such Table")
