"""A long table of any make, and what comes back for it."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from dashboard.cli import main
from etl.errors import ForesightError, Problems
from etl.periods import Frequency
from forecasts.file import Ask, Asked, NotBeside, forecast_file, naive, save
from forecasts.panel import Panel


@pytest.fixture
def file(tmp_path):
    """A file with this text, without the margin it has in a test."""

    def written(text: str | bytes, name: str = "a.csv") -> Path:
        path = tmp_path / name
        lines = (
            text
            if isinstance(text, bytes)
            else "\n".join(line.strip() for line in text.strip().splitlines()).encode()
        )
        path.write_bytes(lines)
        return path

    return written


def forecast(path: Path, ask: Ask | None = None, **said):
    asked = Asked(**{k: said.pop(k) for k in list(said) if k in Asked.__dataclass_fields__})
    return forecast_file(path, asked, ask, workers=1, **said)


def told(outcome) -> dict[str, str]:
    return dict(outcome.found)


def rows(*series: str, periods: list, values=None) -> str:
    """A table of these series, each over all periods, under `id,period,value`."""
    values = values or (lambda place: 100 + 10 * (place % 4) + place)
    table = [f"{one},{period},{values(at)}" for one in series for at, period in enumerate(periods)]
    return "\n".join(["id,period,value", *table])


MONTHS = [f"{2022 + m // 12}-{m % 12 + 1:02}" for m in range(30)]
FIRST = dt.date(2024, 1, 1)  # a Monday
DAYS = [FIRST + dt.timedelta(days=day) for day in range(60)]

# --- periods and frequencies ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "periods", "comes"),
    [
        ("month", MONTHS, "2024-07"),
        ("month", [f"{m[5:]}/{m[:4]}" for m in MONTHS], "07/2024"),
        ("month", [f"{m[:4]}M{m[5:]}" for m in MONTHS], "2024M07"),
        ("month", [m.replace("-", "") for m in MONTHS], "202407"),
        ("month", [f"Tháng {int(m[5:])}/{m[:4]}" for m in MONTHS], "Tháng 7/2024"),
        ("month", [f"{m}-01" for m in MONTHS], "2024-07-01"),
        ("month", [f"{m}-15" for m in MONTHS], "2024-07-15"),
        ("month", [f"01/{m[5:]}/{m[:4]}" for m in MONTHS], "01/07/2024"),
        ("month", [f"{m}-01 00:00:00" for m in MONTHS], "2024-07-01 00:00:00"),
        ("quarter", [f"{2010 + q // 4}Q{q % 4 + 1}" for q in range(20)], "2015Q1"),
        ("quarter", [f"Quý {q % 4 + 1}/{2010 + q // 4}" for q in range(20)], "Quý 1/2015"),
        ("quarter", [f"{2010 + q // 4}-{3 * (q % 4) + 1:02}-01" for q in range(20)], "2015-01-01"),
        ("quarter", [f"{2010 + q // 4}-{3 * (q % 4) + 3:02}" for q in range(20)], "2015-03"),
        ("year", list(range(2000, 2020)), "2020"),
        ("year", [f"{year}-12-31" for year in range(2000, 2020)], "2020-12-31"),
        ("year", [f"Năm {year}" for year in range(2000, 2020)], "Năm 2020"),
        ("week", [FIRST + dt.timedelta(days=7 * week) for week in range(30)], "2024-07-29"),
        ("week", [FIRST + dt.timedelta(days=7 * week + 2) for week in range(30)], "2024-07-31"),
        ("week", [f"2023-W{week:02}" for week in range(1, 40)], "2023-W40"),
        ("day", DAYS, "2024-03-01"),
        ("day", [f"{day:%Y%m%d}" for day in DAYS], "20240301"),
        ("day", [f"{day:%d/%m/%Y}" for day in DAYS], "01/03/2024"),
        ("day", [f"{day:%m/%d/%Y}" for day in DAYS], "03/01/2024"),
    ],
)
def test_the_frequency_is_found_and_the_next_period_is_written_as_the_file_writes(
    file, frequency, periods, comes
):
    outcome = forecast(file(rows("a", "b", periods=periods)))
    assert told(outcome)["frequency"] == f"{frequency} (2 series)"
    assert str(outcome.forecast["period"][0]) == comes
    assert outcome.scores["points"].to_list() == [len(periods)] * 2


@pytest.mark.parametrize(
    ("frequency", "periods", "horizon"),
    [
        ("month", MONTHS, 12),
        ("quarter", [f"{2010 + q // 4}Q{q % 4 + 1}" for q in range(20)], 8),
        ("year", list(range(2000, 2020)), 6),
        ("week", [FIRST + dt.timedelta(days=7 * week) for week in range(30)], 13),
        ("day", DAYS, 28),
    ],
)
def test_the_horizon_follows_the_frequency_unless_it_is_said(file, frequency, periods, horizon):
    path = file(rows("a", periods=periods))
    assert forecast(path).forecast["horizon"].to_list() == list(range(1, horizon + 1))
    assert forecast(path, horizon=3).forecast["horizon"].to_list() == [1, 2, 3]


def test_the_last_days_of_months_are_followed_by_last_days(file):
    ends = [
        d
        for d in (FIRST + dt.timedelta(days=n) for n in range(800))
        if (d + dt.timedelta(days=1)).day == 1
    ]
    made = forecast(file(rows("a", periods=ends[:25])), horizon=4).forecast["period"].to_list()
    assert made == ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]


def test_dates_of_months_in_american_order_are_months_and_it_is_said(file):
    periods = [f"{m % 12 + 1:02}/01/{2022 + m // 12}" for m in range(30)]
    outcome = forecast(file(rows("a", periods=periods)))
    assert told(outcome)["frequency"] == "month (1 series)"
    assert "read month first" in told(outcome)["dates"]
    assert outcome.forecast["period"][0] == "07/01/2024"


def test_series_of_several_frequencies_stand_in_one_file(file):
    text = (
        rows("m", periods=[f"{m}-01" for m in MONTHS])
        + "\n"
        + rows("y", periods=[f"{year}-01-01" for year in range(2000, 2020)]).removeprefix(
            "id,period,value\n"
        )
    )
    made = forecast(file(text)).forecast
    assert made.group_by("id", maintain_order=True).len().rows() == [("m", 12), ("y", 6)]


def test_a_series_too_short_to_tell_its_frequency_follows_the_others(file):
    text = rows("a", "b", "c", periods=[f"{m}-01" for m in MONTHS])
    text += "\nd,2023-01-01,5\nd,2023-04-01,6\nd,2023-07-01,9"
    scores = forecast(file(text)).scores
    assert scores["frequency"].to_list() == ["month"] * 4
    assert scores["gaps"].to_list() == [0, 0, 0, 4]


def test_a_frequency_that_is_said_is_taken(file):
    periods = ["2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01", "2024-01-01"]
    made = forecast(file(rows("a", periods=periods)), frequency=Frequency.MONTH, horizon=1)
    assert made.forecast["period"].to_list() == ["2024-02-01"]


def test_working_days_are_followed_by_working_days(file):
    days = [day for day in DAYS if day.weekday() < 5]
    outcome = forecast(file(rows("a", periods=days)), horizon=6)
    assert told(outcome)["days"] == "only 5 days of the week have values"
    assert outcome.forecast["period"].to_list() == [
        "2024-03-01", "2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07", "2024-03-08",
    ]  # fmt: skip
    assert outcome.forecast["horizon"].to_list() == [1, 2, 3, 4, 5, 6]


def test_plain_steps_have_the_season_found_in_them_or_the_one_said(file):
    seasonal = np.tile([10, 40, 90, 20], 12)
    path = file(rows("a", "b", periods=range(1, 49), values=lambda at: seasonal[at] + at % 3))
    outcome = forecast(path)
    assert "a season of 4, which explains" in told(outcome)["frequency"]
    assert outcome.forecast["period"].to_list()[:8] == list(range(49, 57))
    assert "said to be of one month" in told(forecast(path, frequency=Frequency.MONTH))["frequency"]
    assert told(forecast(path, season=12))["frequency"] == "plain steps, with a season of 12"


def test_plain_steps_without_a_season_are_said_to_have_none(file):
    path = file(rows("a", periods=range(1, 20), values=lambda at: at * at))
    assert "none is found" in told(forecast(path))["frequency"]


def test_steps_may_rise_by_more_than_one(file):
    made = forecast(file(rows("a", periods=range(10, 200, 10))), horizon=2)
    assert made.forecast["period"].to_list() == [200, 210]


@pytest.mark.parametrize(
    ("said", "periods", "problem"),
    [
        ({"season": 24}, range(1, 60), "a season of 24 steps is not known"),
        ({"season": 12}, MONTHS, "a season is asked for, and the periods are dates"),
    ],
)
def test_a_season_that_cannot_be_is_refused(file, said, periods, problem):
    with pytest.raises(ForesightError, match=problem):
        forecast(file(rows("a", periods=periods)), **said)


SERIALS = {
    "excel": lambda day: (day - dt.date(1899, 12, 30)).days,
    "unix": lambda day: (day - dt.date(1970, 1, 1)).days * 86_400,
    "unix, thousandths, midnight in Việt Nam": lambda day: (
        ((day - dt.date(1970, 1, 1)).days * 24 - 7) * 3_600_000
    ),
}
FIRSTS = [dt.date(2018 + m // 12, m % 12 + 1, 1) for m in range(40)]


@pytest.mark.parametrize("kind", SERIALS)
@pytest.mark.parametrize(("frequency", "days"), [("month", FIRSTS[:30]), ("day", DAYS)])
def test_dates_written_as_numbers_are_read_where_that_is_said_and_else_refused(
    file, kind, frequency, days
):
    path = file(rows("a", "b", periods=[SERIALS[kind](day) for day in days]))
    said = kind.partition(",")[0]
    with pytest.raises(ForesightError, match=f"look like dates .* may be {days[0]}") as caught:
        forecast(path)
    assert f"say --dates {said}; " in str(caught.value)
    assert "--season 1" in str(caught.value)
    outcome = forecast(path, dates=said, horizon=1)
    assert told(outcome)["frequency"] == f"{frequency} (2 series)"
    after = dt.date(2020, 7, 1) if frequency == "month" else days[-1] + dt.timedelta(days=1)
    assert outcome.forecast["period"][0] == str(SERIALS[kind](after))


def test_numbers_the_size_of_dates_are_plain_steps_where_a_season_is_said(file):
    outcome = forecast(file(rows("a", periods=range(43_101, 43_141))), season=1, horizon=1)
    assert outcome.forecast["period"][0] == 43_141


def test_dates_that_are_no_numbers_are_not_read_as_numbers(file):
    with pytest.raises(ForesightError, match="2022-01 is none"):
        forecast(file(rows("a", periods=MONTHS)), dates="excel")


def test_plain_steps_of_which_most_are_missing_are_refused(file):
    periods = [7, 20, 33, 60, 61, 99, 140, 150, 171, 200]
    with pytest.raises(ForesightError, match="10 values stand on 194 plain steps"):
        forecast(file(rows("a", periods=periods)))


def test_hours_are_refused_with_what_to_do(file):
    with pytest.raises(ForesightError, match="parts of a day") as caught:
        forecast(file(rows("a", periods=[f"2024-01-01 {hour:02}:00" for hour in range(24)])))
    assert "add them up to days" in str(caught.value)


# --- ends, gaps, order ----------------------------------------------------------------------------


def test_series_that_end_at_different_times_are_each_forecast_from_their_own_end(file):
    text = "\n".join(
        ["id,period,value"]
        + [f"a,{month},{5 + at % 12}" for at, month in enumerate(MONTHS)]
        + [f"b,{month},{5 + at % 12}" for at, month in enumerate(MONTHS[:25])]
    )
    outcome = forecast(file(text))
    first = outcome.forecast.filter(horizon=1)
    assert first.select("id", "period").rows() == [("a", "2024-07"), ("b", "2024-02")]
    assert first["mean"].to_list() == pytest.approx([11.0, 6.0], abs=1e-3)
    assert told(outcome)["series end"].startswith("at different times: 1 before the last")


def test_a_period_without_a_row_and_one_without_a_value_are_gaps_and_not_zero(file):
    text = "period,value\n" + "\n".join(
        f"{month},{'' if at == 3 else 'NA' if at == 5 else 40}"
        for at, month in enumerate(MONTHS)
        if at != 7
    )
    outcome = forecast(file(text))
    assert outcome.scores.select("points", "gaps").rows() == [(27, 3)]
    assert outcome.forecast["lower_95"].min() == 40


def test_periods_still_to_come_without_a_value_are_what_is_forecast(file):
    text = rows("a", periods=MONTHS) + "\na,2024-07,\na,2024-08,"
    assert forecast(file(text)).forecast["period"][0] == "2024-07"


def test_series_come_back_in_the_order_of_the_file(file):
    text = rows("z", "b", "a", "y", periods=MONTHS) + "\nshort,2024-01,5"
    outcome = forecast(file(text))
    assert outcome.forecast["id"].unique(maintain_order=True).to_list() == ["z", "b", "a", "y"]
    assert outcome.scores["id"].to_list() == ["z", "b", "a", "y", "short"]


def test_series_of_very_different_length_lend_each_other_their_bands(file):
    chance = np.random.default_rng(3)
    text = rows("a", "b", "c", periods=MONTHS, values=lambda _: round(chance.normal(100, 9), 2))
    text += "\nd,2024-04,95\nd,2024-05,112\nd,2024-06,101"
    made = forecast(file(text)).forecast.filter(horizon=1)
    width = (made["upper_95"] - made["lower_95"]).to_list()
    assert 0.2 < width[3] / width[0] < 5


def test_the_coverage_that_is_told_is_that_of_outcomes_the_forecasts_did_not_know(file):
    chance = np.random.default_rng(5)
    counts = chance.poisson(0.7, size=(60, 72))
    periods = [f"{2020 + m // 12}-{m % 12 + 1:02}" for m in range(60)]
    text = "id,period,value\n" + "\n".join(
        f"{row},{period},{counts[row, at]}"
        for row in range(60)
        for at, period in enumerate(periods)
    )
    outcome = forecast(file(text))
    for asked in ("50", "80", "95"):
        lower, upper = (outcome.forecast[f"{side}_{asked}"] for side in ("lower", "upper"))
        truth = 100 * pl.Series(counts[:, 60:].ravel()).is_between(lower, upper).mean()
        assert outcome.scores[f"coverage_{asked}"].mean() == pytest.approx(truth, abs=5)


def test_series_too_short_to_be_tested_tell_the_coverage_of_naive_forecasts_from_earlier_on():
    chance = np.random.default_rng(2)
    walks = np.cumsum(chance.normal(0, 2, size=(200, 14)), axis=1) + 100
    years = [dt.date(2010 + year, 1, 1) for year in range(14)]
    rows = [(f"s{r:03}", years[c], walks[r, c]) for r in range(200) for c in range(14)]
    frame = pl.DataFrame(rows, schema=["s", "period", "value"], orient="row")
    panel = Panel.from_frame(frame, Frequency.YEAR, key=["s"], alike=())
    observed, said = naive.past(panel, [3, 5, 8], 4, (0.1, 0.9))
    assert observed.shape == said.shape[1:] == (12 - 1, 3, 4)
    assert observed[0, 0].tolist() == walks[3, 3:7].tolist()
    known = [naive.past(panel.until(9), [3, 5, 8], 4, (0.1, 0.9))[1], said]
    np.testing.assert_array_equal(known[0][:, 0], known[1][:, 0])
    every, bands = naive.past(panel, list(range(200)), 4, (0.1, 0.9))
    seen = np.isfinite(every)
    assert np.mean((bands[0] <= every)[seen] & (every <= bands[1])[seen]) > 0.7


# --- reading --------------------------------------------------------------------------------------


def test_a_spreadsheet_of_this_country_is_read_semicolons_decimal_commas_and_all(file):
    text = "\ufeffXã;Tháng;Giá trị\r\n" + "".join(
        f"Ninh Kiều;{m[5:]}/{m[:4]};1.{200 + at},5\r\n" for at, m in enumerate(MONTHS)
    )
    outcome = forecast(file(text.encode()), Ask(coverages=(0.8,)))
    assert outcome.forecast.columns[:4] == ["Xã", "Tháng", "horizon", "mean"]
    assert told(outcome)["decimals"] == "parted by a comma"
    assert 1200 < outcome.forecast["mean"][0] < 1231


def test_figures_that_may_be_thousands_or_decimals_are_asked_about(file):
    text = "id;period;value\n" + "\n".join(
        f"a;{month};1.2{at:02}" for at, month in enumerate(MONTHS)
    )
    with pytest.raises(ForesightError, match=r"--decimal , or --decimal \."):
        forecast(file(text))
    assert forecast(file(text), decimal=",").forecast["mean"][0] > 1000
    assert forecast(file(text), decimal=".").forecast["mean"][0] < 2


def test_a_point_among_decimal_commas_is_an_error_and_no_thousand(file):
    text = "id;period;value\n" + "\n".join(f"a;{month};12,5" for month in MONTHS[:-1])
    with pytest.raises(Problems) as caught:
        forecast(file(text + f"\na;{MONTHS[-1]};12.5"))
    assert caught.value.problems[0].where == "a.csv, row 31"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_in_any_form(file, encoding):
    text = rows("Thới Lai", periods=MONTHS).encode(encoding)
    assert forecast(file(text)).forecast["id"][0] == "Thới Lai"


def test_parquet_keeps_its_types(tmp_path):
    frame = pl.DataFrame(
        {
            "store": [7] * 30 + [8] * 30,
            "date": pl.date_range(
                dt.date(2022, 1, 1), dt.date(2024, 6, 1), "1mo", eager=True
            ).to_list()
            * 2,
            "sales": [float(n) for n in range(60)],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    made = forecast(tmp_path / "a.parquet").forecast
    assert made.schema["store"] == pl.Int64
    assert made.select("store", "date").row(0) == (7, dt.date(2024, 7, 1))


@pytest.mark.parametrize(
    ("kind", "cell"),
    [(pl.List(pl.Int64), [1, 2]), (pl.Struct({"a": pl.Int64}), {"a": 1}), (pl.Binary, b"x"),
     (pl.Array(pl.Int64, 2), [1, 2])],
)  # fmt: skip
def test_a_column_of_no_single_values_is_refused_before_any_work(tmp_path, kind, cell):
    frame = pl.DataFrame({"period": MONTHS, "value": range(len(MONTHS))})
    tags = pl.Series("tags", [cell] * len(MONTHS), dtype=kind)
    frame.with_columns(tags).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(Problems) as caught:
        forecast(tmp_path / "a.parquet")
    assert "the column 'tags' holds" in caught.value.problems[0].problem
    assert caught.value.problems[0].hint == "write it as text, or leave it out"


def test_one_series_needs_no_column_that_names_it(file):
    text = "ds,y\n" + "\n".join(f"{month},{at}" for at, month in enumerate(MONTHS))
    outcome = forecast(file(text))
    assert told(outcome)["series"] == "1: no column names one"
    assert outcome.forecast.columns[:2] == ["ds", "horizon"]
    assert outcome.scores.columns[0] == "frequency"


def test_year_and_month_in_two_columns_make_the_period(file):
    text = "id,year,month,value\n" + "\n".join(
        f"a,{m[:4]},{m[5:]},{at}" for at, m in enumerate(MONTHS)
    )
    outcome = forecast(file(text))
    assert outcome.forecast["period"][0] == "2024-07"
    assert told(outcome)["left out"] == "year (part of the period), month (part of the period)"


def test_columns_are_told_apart_by_what_they_hold(file):
    text = ",region,item_id,weekday,promotion,ds,y,note\n" + "\n".join(
        f"{30 * item + at},north,{item},{'mtw'[at % 3]},{at % 2},{month},{at + item}.5,n{at}"
        for item in range(3)
        for at, month in enumerate(MONTHS)
    )
    outcome = forecast(file(text))
    assert told(outcome)["series"] == "3 by region, item_id"
    assert told(outcome)["left out"] == (
        " (numbers of rows), note (tells of rows, not of series), promotion (not needed to tell "
        "the series apart), weekday (changes within a series)"
    )


def test_codes_keep_their_zeros(file):
    made = forecast(file(rows("00712", "00713", periods=MONTHS))).forecast
    assert made["id"].unique(maintain_order=True).to_list() == ["00712", "00713"]


# --- errors ---------------------------------------------------------------------------------------


def test_two_values_for_one_period_are_an_error_that_names_the_rows(file):
    text = rows("a", "b", periods=MONTHS) + "\na,2022-03,9\nb,2022-04,9"
    with pytest.raises(Problems) as caught:
        forecast(file(text))
    first, second = caught.value.problems
    assert first.problem == "series a has 2 values for 2022-03"
    assert (first.where, first.hint[:12]) == ("a.csv, row 4", "rows 4, 62: ")
    assert second.problem == "series b has 2 values for 2022-04"


def test_all_errors_of_the_file_are_told_at_once(file):
    text = rows("a", periods=MONTHS) + "\na,2024-13,5\na,2024-07,abc\na,,5"
    with pytest.raises(Problems) as caught:
        forecast(file(text))
    assert {problem.where: problem.problem for problem in caught.value.problems} == {
        "a.csv, row 33": "'abc' is no number",
        "a.csv, row 32": "'2024-13' is not a period",
        "a.csv, row 34": "no period stands here",
    }


def test_of_many_bad_rows_five_are_named_and_the_others_counted(file):
    with pytest.raises(Problems) as caught:
        forecast(file("id,period,value\n" + "\n".join(f"a,{m},x{m}" for m in MONTHS)))
    assert [p.where for p in caught.value.problems][:2] == ["a.csv, row 2", "a.csv, row 3"]
    assert caught.value.problems[-1].problem == "25 more rows like these"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("", "the file is empty", "one row a value"),
        ("id,period,value", "no rows under the header", "one row a value"),
        ("nothing but text\nin one column", "only one column", "parted by"),
        ("a,b\n1,2,3\n1,2,3\n", "only one column", "parted by"),
        ("id,value\na,1.5\nb,2.5", "none of id, value holds periods", "--period COLUMN"),
        (
            "id,ds,date\na,2024-01-01,x\na,2024-02-01,y",
            "none of id, date holds values",
            "--value COLUMN",
        ),
        (
            "ds,paid,due\n2024-01,1.5,2.5\n2024-02,2.5,3.5",
            "which of paid, due is",
            "--value COLUMN",
        ),
    ],
)
def test_a_file_that_does_not_say_enough_is_refused_with_what_to_do(file, text, problem, hint):
    with pytest.raises(ForesightError) as caught:
        forecast(file(text))
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_a_column_that_is_not_there_is_named_with_the_nearest_that_is(file):
    with pytest.raises(Problems) as caught:
        forecast(file(rows("a", periods=MONTHS)), value="valeu", ids=("idd",))
    first, second = caught.value.problems
    assert first.hint == "columns: id, period, value; did you mean 'value'?"
    assert second.problem == "no column is called 'idd'"


def test_a_workbook_is_refused_with_what_to_do(file):
    with pytest.raises(ForesightError, match="save the sheet as CSV UTF-8"):
        forecast(file(b"PK\x03\x04rest", name="a.xlsx"))


# --- what comes back ------------------------------------------------------------------------------


def test_what_is_too_short_is_refused_with_reason_and_remedy_in_either_language(file):
    text = rows("a", periods=MONTHS) + "\nb,2024-01,5\nb,2024-02,6\nc,2024-01,"
    english = forecast(file(text))
    assert english.refused == {"too_short": 1, "empty": 1}
    assert english.scores["reason"].to_list()[1:] == [
        "2 values are known, and 3 are needed", "0 values are known, and 3 are needed",
    ]  # fmt: skip
    vietnamese = forecast(file(text), language="vi").scores
    assert vietnamese["reason"][1] == "có 2 giá trị, trong khi cần ít nhất 3"


def test_a_constant_series_goes_on_as_it_is_and_is_called_constant(file):
    made = forecast(file(rows("a", periods=MONTHS, values=lambda _: 7))).forecast
    assert made.select("mean", "lower_95", "upper_95").unique().rows() == [(7.0, 7.0, 7.0)]
    assert made["model"].unique().to_list() == ["constant"]


def test_three_years_are_enough_for_a_wide_band(file):
    made = forecast(file("year,value\n2021,10\n2022,12\n2023,11")).forecast
    assert made["mean"].to_list() == [11.0] * 6
    width = (made["upper_95"] - made["lower_95"]).to_list()
    assert width == sorted(width)
    assert width[0] > 5


def test_what_was_never_negative_stays_so(file):
    chance = np.random.default_rng(1)
    text = rows("a", periods=MONTHS, values=lambda _: chance.poisson(0.7))
    assert forecast(file(text)).forecast["lower_95"].min() == 0
    below = rows("a", periods=MONTHS, values=lambda _: round(chance.normal(0, 3), 3))
    assert forecast(file(below)).forecast["lower_95"].min() < 0


def test_quantiles_are_columns_in_order_or_rows_if_asked(file):
    path = file(rows("a", "b", periods=MONTHS))
    wide = forecast(path, Ask(coverages=(0.5, 0.95))).forecast
    assert wide.columns == [
        "id", "period", "horizon", "mean", "median", "lower_50", "upper_50", "lower_95",
        "upper_95", "model",
    ]  # fmt: skip
    ordered = wide.select("lower_95", "lower_50", "median", "upper_50", "upper_95").to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()
    long = forecast(path, Ask(levels=(0.1, 0.9), long=True)).forecast
    assert long["quantile_level"].to_list()[:4] == [0.1, 0.5, 0.9, 0.1]
    assert len(long) == 3 * len(wide)


def test_the_same_file_gives_the_same_forecasts_wherever_they_are_made(file, monkeypatch):
    monkeypatch.setattr("forecasts.engine.TOGETHER", 7)
    chance = np.random.default_rng(5)
    names = [f"s{number}" for number in range(20)]
    path = file(rows(*names, periods=MONTHS, values=lambda _: chance.poisson(50)))
    here = forecast_file(path, Asked(), workers=1)
    beside = forecast_file(path, Asked(), workers=2)
    monkeypatch.setenv("FORESIGHT_SCHEDULER", "local:2")
    cluster = forecast_file(path, Asked())
    assert here.forecast.equals(beside.forecast)
    assert here.forecast.equals(cluster.forecast)
    assert here.scores.equals(beside.scores)
    assert here.scores.equals(cluster.scores)


def test_siblings_agree_in_the_coarsest_of_several_columns_or_the_one_said(file):
    text = "area,field,period,value\n" + "\n".join(
        f"{area},{field},{month},{at % 12 + area}"
        for area in range(20)
        for field in ("land", "civil")
        for at, month in enumerate(MONTHS)
    )
    path = file(text)
    assert told(forecast(path))["siblings"] == "agree in field; --alike would say another"
    assert told(forecast(path, alike=("area",)))["siblings"] == "agree in area"
    with pytest.raises(ForesightError, match="'colour' does not name the series"):
        forecast(path, alike=("colour",))


def test_text_a_spreadsheet_would_run_is_made_safe(file, tmp_path):
    outcome = forecast(file(rows("=1+1", periods=MONTHS)))
    forecasts, scores = save(outcome, tmp_path / "out.csv")
    assert forecasts.read_bytes().startswith(b"\xef\xbb\xbfid,period,horizon")
    assert b"\r\n'=1+1,2024-07,1," in forecasts.read_bytes()
    assert scores == tmp_path / "out.scores.csv"


def test_two_thousand_series_are_forecast_without_trouble(tmp_path):
    chance = np.random.default_rng(2)
    months = [f"{m}-01" for m in MONTHS]
    frame = pl.DataFrame(
        {
            "id": np.repeat([f"s{number}" for number in range(2000)], len(months)),
            "ds": months * 2000,
            "y": chance.poisson(30, 2000 * len(months)),
        }
    )
    frame.write_csv(tmp_path / "many.csv")
    assert len(forecast(tmp_path / "many.csv").forecast) == 24_000


# --- models beside the engine ---------------------------------------------------------------------


def quarters_of(*series: str) -> str:
    return rows(*series, periods=[f"{2015 + q // 4}Q{q % 4 + 1}" for q in range(16)])


def test_models_beside_make_half_of_the_combination_and_it_is_said(file):
    lines = []
    path = file(quarters_of("a", "b"))
    with_them = forecast(path, beside=("auto_ets", "dynamic_theta"), tell=lines.append)
    assert told(with_them)["beside the engine"] == (
        "auto_ets, dynamic_theta: half of the combination"
    )
    assert "auto_ets: 2 of 2 series" in lines
    shares = [weights.split("; ") for weights in with_them.scores["weights"]]
    assert all({"auto_ets 0.25"} <= set(one) for one in shares)
    assert not with_them.forecast["mean"].equals(forecast(path).forecast["mean"])


def test_a_series_too_short_for_a_model_beside_is_forecast_or_refused_as_without_it(file):
    text = quarters_of("a") + "\nb,2018Q2,5\nb,2018Q3,7\nb,2018Q4,6\nc,2018Q4,6"
    found = forecast(file(text), beside=("auto_ets",))
    by_id = {row["id"]: row for row in found.scores.rows(named=True)}
    assert "auto_ets" in by_id["a"]["weights"]
    assert "auto_ets" not in by_id["b"]["weights"]
    assert by_id["c"]["refused"] == "too_short"


def test_a_model_beside_that_knows_no_such_season_is_left_out_and_named(file):
    path = file(rows("a", periods=list(range(2001, 2015))))
    found = forecast(path, beside=("prophet",))
    assert told(found)["left out"] == "prophet: not for series by year"
    assert found.forecast["mean"].equals(forecast(path).forecast["mean"])


def test_slow_models_are_not_asked_for_many_series_and_quick_ones_are(file, monkeypatch):
    monkeypatch.setattr("forecasts.file.MOST_SLOW", 2)
    path = file(rows("a", "b", "c", periods=MONTHS))
    with pytest.raises(NotBeside, match="auto_arima would take too long for 3 series") as refused:
        forecast(path, beside=("auto_arima",))
    assert "at most 2 may be forecast with --beside" in refused.value.hint
    assert len(forecast(path, beside=("dynamic_theta",)).forecast) == 36


# --- the command ----------------------------------------------------------------------------------


def test_the_command_writes_both_tables_beside_the_file_and_says_what_it_took_for_what(file):
    path = file(rows("a", "b", periods=MONTHS))
    done = CliRunner().invoke(main, ["forecast", str(path), "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert "2 by id" in done.output
    assert "2 series forecast in" in done.output
    assert pl.read_csv(path.with_name("a.forecast.csv")).height == 24
    assert pl.read_csv(path.with_name("a.scores.csv")).height == 2


def test_the_command_speaks_to_machines_and_takes_intervals_in_percent(file, tmp_path):
    path = file(rows("a", periods=MONTHS))
    out = tmp_path / "out.parquet"
    asked = ["--coverage", "80 90%", "--out", str(out), "--workers", "1"]
    done = CliRunner().invoke(main, ["--json", "forecast", str(path), *asked])
    assert json.loads(done.output)["series"] == 1
    assert pl.read_parquet(out).columns[5:9] == ["lower_80", "upper_80", "lower_90", "upper_90"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--out", "a.xlsx"], "let its name end in .csv or .parquet"),
        (["--coverage", "120"], "write numbers between 0 and 100"),
        (["--value", "valu"], "did you mean 'value'?"),
        (["--beside", "ets_auto"], "--beside takes one of these: auto_arima, auto_ets"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(file, more, said):
    done = CliRunner().invoke(main, ["forecast", str(file(rows("a", periods=MONTHS))), *more])
    assert done.exit_code != 0
    assert said in done.output


def test_errors_are_told_in_vietnamese(file):
    path = file(rows("a", periods=MONTHS) + "\na,2022-03,9")
    done = CliRunner().invoke(main, ["--lang", "vi", "forecast", str(path)])
    assert "a.csv, dòng 4: chuỗi a có 2 giá trị cho kỳ 2022-03" in done.output
