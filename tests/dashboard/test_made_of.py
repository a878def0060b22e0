"""The words on a forecast: a short sentence whose figures add up, what changed, past errors."""

import datetime as dt
import re

import pytest

from dashboard.made_of import Words
from dashboard.notation import Notation
from dashboard.text import Text
from dashboard.views import explanation
from etl.warehouse import Warehouse
from forecasts.explain import Change, Explained, Miss, Series, Step
from tests.dashboard.conftest import TODAY
from tests.dashboard.invented import COMMUNES, write_build

DECEMBER = dt.date(2026, 12, 1)
FIVE = {"level": 39_000.0, "event": 0.0, "trend": 310.0, "season": 1_960.0, "tet": 0.0, "rest": 0.0}
ALL = {
    "level": 39_000.0, "event": -1_234.0, "trend": 310.0, "season": 1_940.0, "tet": -777.0,
    "working_days": 2_345.0, "holidays": -150.0, "rest": 266.0,
}  # fmt: skip


def words(lang: str, unit: str = "hồ sơ") -> Words:
    return Words(Text(lang), Notation(lang), unit)


def of(parts: dict[str, float], frequency: str = "month", **more) -> tuple[Explained, Step]:
    step = Step(DECEMBER, 2, sum(parts.values()), parts, more.get("change"), more.get("misses", ()))
    series = Series("received", "31117", "total", frequency)
    return Explained(series, TODAY, dt.date(2026, 10, 1), "combination", True, (step,)), step


def test_the_sentence_names_the_parts_and_tet_even_as_nothing():
    assert words("vi").sentence(*of(FIVE)) == (
        "Tháng 12/2026: khoảng 41.300 hồ sơ: "
        "mức gần đây 39.000, xu hướng +300, mùa vụ +2.000, Tết 0."
    )
    assert words("en", "applications").sentence(*of(FIVE)) == (
        "Dec 2026: about 41,300 applications: "
        "recent level 39,000, trend +300, season +2,000, Tết 0."
    )


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("frequency", ["day", "week", "month", "quarter", "year"])
def test_a_sentence_has_at_most_thirty_words_and_figures_that_add_up(lang, scale, frequency):
    parts = {name: value * scale for name, value in ALL.items()}
    said = words(lang, "nghìn tỷ đồng").sentence(*of(parts, frequency))
    assert len(said.split()) <= 30
    _, expected, told = said.split(": ")
    figures = [_number(one, lang) for one in re.findall(r"[+−]?\d[\d.,]*\d|[+−]?\d", told)]
    (total,) = (_number(one, lang) for one in re.findall(r"\d[\d.,]*", expected))
    assert sum(figures) == pytest.approx(total)


def _number(written: str, lang: str) -> float:
    thousands, decimal = (".", ",") if lang == "vi" else (",", ".")
    plain = written.rstrip(".,").replace(thousands, "").replace(decimal, ".").replace("−", "-")
    return float(plain)


def test_a_forecast_of_unknown_parts_is_told_whole():
    explained, step = of(FIVE)
    whole = Step(DECEMBER, 2, step.expected, {}, None, ())
    assert words("vi").sentence(explained, whole) == "Tháng 12/2026: khoảng 41.300 hồ sơ."


def test_a_change_is_told_in_per_cent_of_the_forecast_before():
    _, step = of({"level": 103.0})
    change = Change(dt.date(2026, 10, 22), 100.0, {"data": 5.0, "calendar": -2.0, "method": 0.0})
    assert words("vi").change(change, step) == (
        "So với bản dự báo 22/10/2026 cho cùng kỳ: +3% (số liệu mới +5, lịch −2)."
    )
    assert words("en").change(change, step).endswith("+3% (new data +5, calendar −2).")


def test_a_change_of_a_percentage_is_told_in_points():
    _, step = of({"level": 7.5})
    change = Change(dt.date(2026, 10, 22), 7.2, {"data": 0.4, "method": -0.1})
    said = words("en", "%").change(change, step)
    assert said.endswith("+0.3 pp (new data +0.4, method −0.1).")


def test_hardly_any_change_is_none():
    _, step = of({"level": 100.2})
    change = Change(dt.date(2026, 10, 22), 100.0, {"data": 5.2, "calendar": -5.0})
    assert words("en").change(change, step).endswith("hardly changed.")


def test_an_error_says_which_forecast_erred_and_by_how_much():
    issued = Miss("issued", DECEMBER, dt.date(2026, 11, 5), 110.0, 100.0)
    retold = Miss("retold", DECEMBER, dt.date(2026, 11, 1), 90.0, 100.0)
    rows = words("en").misses((issued, retold), "month")
    assert [row["kind"] for row in rows] == [
        "issued 5 Nov 2026",
        "backtest, data until Nov 2026",
    ]
    assert [row["error"] for row in rows] == ["+10%", "−10%"]


def test_the_page_of_a_commune_says_what_its_forecast_is_made_of(tmp_path, monkeypatch, lang):
    from dashboard import layout, queries
    from dashboard.reader import Reader

    write_build(tmp_path, TODAY)
    area = next(iter(COMMUNES))
    key = {"indicator": "applications_received", "area": area, "category": "total"}
    with Warehouse.build(tmp_path) as warehouse:
        rows = warehouse.select(
            "select issue, indicator, area, category, frequency, period, simulated, "
            "value as level, 0.0 as tet, 0.0 as rest "
            "from forecast where quantile_level = 0.5 and area = $area "
            "and category = 'total'",
            area=area,
        )
        index = ["issue", "indicator", "area", "category", "frequency", "period", "simulated"]
        warehouse.write(
            "forecast_part", rows.unpivot(index=index, variable_name="part", value_name="value")
        )
    shown: list[str] = []
    monkeypatch.setattr(layout, "html", shown.append)
    reader = Reader(queries.current(tmp_path), lang, TODAY)
    explanation.draw(reader, Series(**key, frequency="month"), "hồ sơ")
    explanation.draw(reader, Series(**key, frequency="year"), "hồ sơ")
    (block,) = shown
    assert reader.text("made.title") in block
    assert "Tết 0" in block
    assert block.count("<tr>") == 1 + 6
