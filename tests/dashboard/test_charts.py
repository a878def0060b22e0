"""Charts: the language of their numbers, the fields of their bands, their words for listeners."""

from math import log1p

import polars as pl
import pytest

from dashboard import queries
from dashboard.charts import Fan, _two_lines, by_horizon, fan
from dashboard.growth import years
from dashboard.reader import Reader
from dashboard.sparklines import CARD, sparkline
from dashboard.views.received import figures
from dashboard.workload_charts import city_fan, commune_fan, names, ranks
from etl.warehouse import Warehouse
from forecasts.decisions.past_growth import Step
from tests.dashboard.conftest import TODAY
from tests.dashboard.invented import CATALOG, write_build


def _fields(node):
    """Every field an encoding names."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "field":
                yield value
            yield from _fields(value)
    elif isinstance(node, list):
        for value in node:
            yield from _fields(value)


def _frame(drawing, name):
    return pl.read_ipc_stream(drawing.spec["datasets"][name])


@pytest.fixture(params=[city_fan, ranks])
def drawing(request, reader):
    return request.param(reader, "total")


def test_numbers_and_months_follow_the_language(drawing, reader):
    locale = drawing.spec["config"]["locale"]
    decimal, july = {"vi": (",", "th7"), "en": (".", "Jul")}[reader.lang]
    assert locale["number"]["decimal"] == decimal
    assert locale["time"]["shortMonths"][6] == july
    assert locale["time"]["days"][0] == {"vi": "Chủ Nhật", "en": "Sunday"}[reader.lang]


def test_data_travel_as_arrow_bytes(drawing):
    assert all(isinstance(data, bytes) for data in drawing.spec["datasets"].values())


def test_a_chart_says_in_words_what_it_shows_and_that_it_is_simulated(drawing, reader):
    mark = {"vi": "mô phỏng", "en": "imulated"}[reader.lang]
    assert mark in drawing.alt
    assert len(drawing.alt) > 60


def test_the_fan_has_both_bands_and_a_visible_mark(reader):
    spec = city_fan(reader, "total").spec
    assert {"q025", "q10", "q50", "q90", "value"} <= set(_fields(spec))
    assert reader.text("simulated.title") in str(spec["layer"])


def test_another_figure_of_the_work_has_a_fan_of_its_own(tmp_path):
    write_build(tmp_path, TODAY)
    overdue = """
  - name: applications_overdue
    title: Hồ sơ quá hạn
    title_en: Overdue
    unit: hồ sơ
    value: received
"""
    catalog = CATALOG.replace("\ntargets:", f"{overdue}targets:", 1)
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.run("update build_fact set value = $text where name = 'catalog'", text=catalog)
    reader = Reader(queries.current(tmp_path), "vi", TODAY)
    assert list(figures(reader)) == ["applications_received", "applications_overdue"]
    drawing = city_fan(reader, "total", "applications_overdue")
    assert drawing.alt.startswith("Hồ sơ quá hạn")
    assert drawing.alt != city_fan(reader, "total").alt


def test_words_at_the_foot_ask_the_frame_how_high_it_is(vietnamese):
    # Axes and words above take from the height: counted in pixels they fell below the picture.
    spec = city_fan(vietnamese, "total").spec
    marks = [layer["mark"] for layer in spec["layer"] if isinstance(layer["mark"], dict)]
    heights = [mark["y"] for mark in marks if mark["type"] == "text" and "y" in mark]
    assert {"expr": "height - 9"} in heights
    assert all(y < 0 for y in heights if not isinstance(y, dict))


def test_a_year_without_a_growth_of_its_own_stands_at_the_mean_it_was_published_with():
    known = [Step(frozenset({2025}), log1p(0.08)), Step(frozenset({2023, 2024}), 2 * log1p(0.06))]
    shown = years(known).select("period", "value", "estimated_share")
    assert [(day.year, round(value, 6), share) for day, value, share in shown.rows()] == [
        (2023, 6.0, 1.0), (2024, 6.0, 1.0), (2025, 8.0, 0.0),
    ]  # fmt: skip


def test_the_band_joins_the_last_observed_value(vietnamese):
    drawing = city_fan(vietnamese, "total")
    last = _frame(drawing, "observed").sort("period").tail(1)
    first = _frame(drawing, "ahead").head(1)
    assert first["period"][0] == last["period"][0]
    assert first["q025"][0] == first["q975"][0] == last["value"][0]


def test_estimated_history_is_drawn_apart(vietnamese):
    drawing = commune_fan(vietnamese, "90001", "Bịa Đặt 1", "total")
    assert len(_frame(drawing, "estimated")) > 12
    assert len(_frame(city_fan(vietnamese, "total"), "estimated")) == 0


def test_no_line_bridges_a_missing_period(vietnamese):
    observed = vietnamese.rows("series", indicator="people").filter(pl.col("area") == "hau_giang")
    gap = observed.filter(pl.col("period").dt.year() != 2019)
    content = Fan(gap, vietnamese.rows("fan", indicator="people", area="hau_giang",
                  category="total", frequency="year"), "year", "", False, "")  # fmt: skip
    assert _frame(fan(vietnamese, content), "observed")["piece"].to_list()[0] == 0
    assert _frame(fan(vietnamese, content), "observed")["piece"].max() == 1


def test_tiles_carry_sure_ranks_or_names_and_mark_the_chosen(vietnamese):
    numbers = _frame(ranks(vietnamese, "total"), "tiles")
    assert set(numbers["label"]) == {"", "1", "2", "3", "4", "5", "6"}
    named = _frame(names(vietnamese, "total", "90003"), "tiles")
    assert named.filter(pl.col("stroke") != "transparent")["code"].to_list() == ["90003"]
    assert named["label"][0].replace("\n", " ").startswith("Bịa Đặt")


def test_a_sparkline_is_an_image_without_a_request():
    assert sparkline(CARD, [1.0, 2.0], [3.0]).startswith("data:image/svg+xml;base64,")


def test_names_of_models_stand_above_the_frame_where_no_line_comes(reader):
    scores = reader.rows("scores", indicator="applications_received", level="city",
                         by_category=False, frequency="month")  # fmt: skip
    drawing = by_horizon(reader, scores, {"seasonal_level": "Level"}, "seasonal_naive")
    names = [layer["mark"] for layer in drawing.spec["layer"] if layer["mark"]["type"] == "text"]
    assert all(mark["y"] < 0 for mark in names if "y" in mark)
    assert _frame(drawing, "labels")["name"].to_list() == ["━━ Level", "╍╍ seasonal_naive"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Ninh Kiều", "Ninh Kiều"),
        ("Trường Long Tây", "Trường Long\nTây"),
        ("Trung tâm hành chính công Bịa Đặt Thượng", "Trung tâm hàn…\ncông Bịa Đặt…"),
    ],
)
def test_a_tile_holds_two_lines_and_cuts_what_is_longer(name, label):
    assert _two_lines(name) == label
