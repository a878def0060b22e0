"""Around Tết the change that leads is the one with Tết where it belongs, and the chart shows it."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from dashboard import cards
from dashboard.charts import Fan, fan
from dashboard.declared import events, goals
from dashboard.marks import Goal, Mark, event_rows, goal_rows, in_period
from dashboard.on_the_year import newest_changes, quoted, year_before
from dashboard.text import words
from dashboard.views.on_the_year import draw, warn
from dashboard.workload import Pulse
from etl.calendars import tet_share
from forecasts.year_on_year import Reason, YearOnYear
from tests.dashboard.test_charts import _frame

FEBRUARY = dt.date(2026, 2, 1)


def level(until: dt.date = FEBRUARY) -> pl.DataFrame:
    """A hundred a month growing 8 % a year, and a third less in as much of a month as Tết takes."""
    months = pl.date_range(dt.date(2014, 1, 1), until, "1mo", eager=True)
    rows = [
        (month, 100 * 1.08 ** (n / 12) * (1 - 0.35 * sum(tet_share(month)) / 2))
        for n, month in enumerate(months)
    ]
    noise = np.random.default_rng(3).normal(1, 0.004, len(rows))
    frame = pl.DataFrame(rows, schema=["period", "value"], orient="row")
    return frame.with_columns(value=pl.col("value") * noise)


def test_the_aligned_change_leads_where_tet_moved():
    found = {one.month: one for one in newest_changes(level(), difference=False)}
    february = found[FEBRUARY]
    assert february.leads == "aligned"
    assert february.aligned == pytest.approx(0.08, abs=0.04)
    assert abs(february.calendar - 0.08) > abs(february.aligned - 0.08)


def test_what_is_quoted_says_how_far_off_the_calendar_is(reader):
    one = YearOnYear(FEBRUARY, -0.26, 0.02, 0.08, "aligned", -0.34, {})
    said = quoted(reader, one, difference=False)
    assert (
        said
        == {
            "vi": "+8% khi canh theo Tết (theo lịch −26%, lệch −34,0 điểm %)",
            "en": "+8% aligned on Tết (calendar −26%, off by −34.0 pp)",
        }[reader.lang]
    )
    together = YearOnYear(FEBRUARY, -1.0, 1.5, None, "together", None, {})
    assert "+1" in quoted(reader, together, difference=True)
    plain = YearOnYear(dt.date(2026, 5, 1), 0.03, None, 0.03, "calendar", 0.0, {})
    assert quoted(reader, plain, difference=False) == "+3%"


def test_the_year_before_is_moved_to_where_tet_falls_now():
    series = level()
    moved = year_before(series)
    assert moved.aligned
    assert moved.values["period"].to_list() == series["period"].to_list()[-12:]
    now, before = (
        dict(frame.select("period", "value").rows())[FEBRUARY] for frame in (series, moved.values)
    )
    assert now / before == pytest.approx(1.08, abs=0.04)


def test_without_an_effect_the_year_before_stands_as_it_was():
    flat = level().with_columns(value=pl.lit(5.0))
    assert not year_before(flat).aligned
    assert set(year_before(flat).values["value"]) == {5.0}


def test_every_reason_has_words():
    reasons = set(Reason.__args__)
    for lang in ("vi", "en"):
        assert {k.split(".")[1] for k in words(lang) if k.startswith("why_null.")} == reasons


def test_the_page_tells_all_three_changes_and_which_to_quote(reader, monkeypatch):
    shown = []
    monkeypatch.setattr("dashboard.layout.html", shown.append)
    monkeypatch.setattr("dashboard.layout.heading", lambda *_: None)
    draw(reader, {"unit": "tỷ đồng"}, level(), "month")
    told = " ".join(shown)
    assert reader.text("year.misleads") in told
    assert reader.text("year.aligned") in told
    draw(reader, {"unit": "tỷ đồng"}, level(), "year")
    assert len(shown) == 2


def test_growth_a_source_compares_by_the_calendar_is_warned_of(vietnamese, monkeypatch):
    shown = []
    monkeypatch.setattr("dashboard.layout.html", shown.append)
    figure = {"status": "preliminary", "frequency": "month", "period": dt.date(2026, 1, 1),
              "period_end": dt.date(2026, 1, 31)}  # fmt: skip
    warn(vietnamese, pl.DataFrame([figure]), {"indicator": "iip_growth"})
    assert "Tết 29/01/2025 và 17/02/2026" in shown[0]
    warn(vietnamese, pl.DataFrame([figure]), {"indicator": "iip_index"})
    may = figure | {"period": dt.date(2026, 5, 1), "period_end": dt.date(2026, 5, 31)}
    warn(vietnamese, pl.DataFrame([may]), {"indicator": "iip_growth"})
    assert len(shown) == 1


def test_a_card_of_february_leads_with_the_aligned_change(reader):
    told = YearOnYear(FEBRUARY, -0.26, 0.02, 0.08, "aligned", -0.34, {})
    found = Pulse([1.0], 74.0, FEBRUARY, 100.0, told)
    assert cards._led(found, found.change) == 0.08
    assert "−26%" in cards._beside(reader, found, difference=False)
    october = Pulse([1.0], 74.0, dt.date(2026, 10, 1), 100.0)
    assert cards._led(october, october.change) == pytest.approx(-0.26)
    assert cards._beside(reader, october, difference=False) == ""


YEARS = [dt.date(year, 1, 1) for year in range(2015, 2025)]


def chart(reader, **marks):
    observed = pl.DataFrame({"period": YEARS, "value": [float(n) for n in range(10)]}).with_columns(
        lower=pl.lit(None, pl.Float64), upper=pl.lit(None, pl.Float64), status=pl.lit("final"),
        estimated_share=0.0,
    )  # fmt: skip
    ahead = pl.DataFrame(
        schema=dict.fromkeys(["q025", "q10", "q50", "q90", "q975"], pl.Float64)
        | {"period": pl.Date}
    )
    return fan(reader, Fan(observed, ahead, "year", "%", False, "Title", **marks))


def test_a_target_is_a_line_from_where_we_stand_and_is_told_to_listeners(reader):
    drawing = chart(reader, goals=(Goal(YEARS[-1], 9.0, dt.date(2030, 1, 1), 50.0, "Goal 50"),))
    line = _frame(drawing, "goals").filter(pl.col("goal") != "room")
    assert line["value"].to_list() == [9.0, 50.0]
    assert line["label"].to_list() == ["", "Goal 50"]
    assert "Goal 50" in drawing.alt


def test_the_words_of_a_target_stand_past_what_is_drawn_on_the_side_nearer_to_it():
    peak = [20.0] + [8.0] * 9
    drawn = pl.DataFrame({"period": YEARS, "low": [4.0] * 10, "high": peak})
    high, low = (Goal(YEARS[-2], value, YEARS[-1], value, "Goal") for value in (7.0, 4.5))
    rows = goal_rows((high, low), drawn, zero=True).filter(pl.col("label") != "")
    assert dict(rows.select("value", "edge").rows()) == {7.0: 8.0, 4.5: 4.0}
    assert [away < 0 for away in rows.sort("value")["away"]] == [False, True]


def test_a_scale_is_made_longer_for_the_words_of_a_target_at_its_end():
    drawn = pl.DataFrame({"period": YEARS, "low": [4.0] * 10, "high": [8.0] * 10})
    top = Goal(YEARS[-2], 10.0, YEARS[-1], 10.0, "Goal")
    rows = goal_rows((top, top), drawn, zero=True)
    assert rows["edge"].drop_nulls().to_list() == [10.0, 10.0]
    assert rows["away"].drop_nulls().n_unique() == 2
    assert rows.filter(pl.col("goal") == "room")["value"].item() > 10
    assert goal_rows((), drawn, zero=True).is_empty()


def test_events_are_marked_with_words_at_the_figure_they_concern(reader):
    drawing = chart(reader, events=(Mark(dt.date(2020, 7, 1), "Merged"),))
    assert _frame(drawing, "events")["label"].to_list() == ["Merged"]
    assert "Merged" in drawing.alt
    assert in_period(dt.date(2020, 7, 1), YEARS) == dt.date(2020, 1, 1)


def test_labels_of_events_stand_on_lines_of_their_own_inside_the_frame():
    marks = [Mark(dt.date(2016, 1, 1), "early"), Mark(dt.date(2023, 1, 1), "late"),
             Mark(dt.date(1999, 1, 1), "before"), Mark(dt.date(2040, 1, 1), "after")]  # fmt: skip
    rows = event_rows(marks, YEARS)
    assert rows["label"].to_list() == ["late", "early"]
    assert rows["drop"].n_unique() == 2
    assert rows["left"].to_list() == [False, True]


def test_the_year_before_is_drawn_and_told(reader):
    earlier = pl.DataFrame({"period": YEARS[-2:], "value": [1.5, 2.5]})
    drawing = chart(reader, before=earlier, before_label="Before")
    assert _frame(drawing, "before")["label"].to_list() == ["", "── Before"]
    assert "Before, 2024: 2" in drawing.alt


def test_the_catalog_says_which_targets_a_series_has(reader):
    last = (dt.date(2025, 1, 1), 7.23)
    (growth,) = goals(reader, "growth", "can_tho", last)
    assert (growth.since, growth.period, growth.start, growth.value) == (
        dt.date(2025, 1, 1), dt.date(2025, 1, 1), 10, 10,
    )  # fmt: skip
    levels = goals(reader, "people", "can_tho", (dt.date(2023, 1, 1), 3000.0))
    assert [(one.start, one.value) for one in levels] == [(3000.0, 3300), (3000.0, 3350)]
    assert goals(reader, "people", "hau_giang", last) == ()
    assert events(reader, "people", "can_tho") == ()
