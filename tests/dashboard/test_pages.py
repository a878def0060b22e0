"""Every page in both languages: no error, its words, its state from the URL."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import reader as reader_module
from forecasts.model import all_models
from tests.dashboard.conftest import PATIENCE, TODAY

APP = Path(dashboard.__file__).parent / "app.py"
TITLES = {
    "overview": ("Cần Thơ: tình hình và dự báo", "Cần Thơ: where it stands and what comes"),
    "targets": ("Mục tiêu của thành phố", "Targets of the city"),
    "scenarios": ("Nếu … thì: kịch bản", "If … then: scenarios"),
    "alerts": ("Cảnh báo sớm", "Early warning"),
    "indicators": ("Chỉ tiêu đã công bố", "Published indicators"),
    "communes": ("103 xã, phường", "The 103 communes"),
    "workload": ("Khối lượng việc và nhân sự sắp tới", "Work and staff ahead"),
    "accuracy": ("Dự báo chính xác đến đâu", "How accurate forecasts are"),
    "data": ("Dữ liệu", "Data"),
    "handin": ("Nộp số liệu", "Hand in"),
    "about": ("Cách làm và sổ đăng ký mô hình", "How it works, and the register of models"),
}

WITH_CHARTS: dict[str, dict[str, str]] = {
    "overview": {},
    "scenarios": {},
    "indicators": {"indicator": "people"},
    "communes": {"area": "90001"},
    "workload": {"field": "land"},
    "accuracy": {},
}
"""Pages of the invented city with a chart on them, and what is asked of each."""


def script(page):
    """One page of the app, as a script of its own: AppTest knows no `st.navigation` address."""
    from importlib import import_module

    from dashboard import queries, reader
    from dashboard.filters import language
    from etl.settings import Settings

    lang = language()
    module = import_module(f"dashboard.views.{page}")
    module.draw(reader.Reader(queries.current(Settings.read().home), lang, reader.today()))


@pytest.fixture
def open_page(home, monkeypatch):
    monkeypatch.setenv("FORESIGHT_HOME", str(home))
    monkeypatch.setattr(reader_module, "today", lambda: TODAY)

    def run(page: str, **query: str) -> AppTest:
        test = AppTest.from_function(script, kwargs={"page": page}, default_timeout=PATIENCE)
        for key, value in query.items():
            test.query_params[key] = value
        return test.run()

    return run


def _markup(test: AppTest) -> str:
    return " ".join(element.proto.body for element in test.get("html"))


def _charts(test: AppTest) -> list[Any]:
    return [element.proto for element in test.get("vega_lite_chart")]


def _spoken(test: AppTest) -> list[str]:
    """The words beside the charts of a page, in their order."""
    return re.findall(r'<p class="cf-hidden cf-words">([^<]*)</p>', _markup(test))


@pytest.mark.parametrize("page", TITLES)
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_page_opens_in_each_language(open_page, page, lang):
    test = open_page(page, lang=lang, **WITH_CHARTS.get(page, {}))
    assert not test.exception
    assert test.title[0].value == TITLES[page][lang == "en"]
    charts = _charts(test)
    assert bool(charts) == (page in WITH_CHARTS)
    # Each has words for those who cannot see it; once opened, its numbers and four files.
    assert all(chart.alt for chart in charts)
    assert [len(words) > 20 for words in _spoken(test)] == [True] * len(charts)
    folds = [element.label for element in test.expander]
    assert folds.count({"vi": "Số liệu và tải về", "en": "Numbers and downloads"}[lang]) == len(
        charts
    )
    pictures = re.findall(r'<img [^>]*alt="([^"]*)"', _markup(test))
    assert [words for words in pictures if len(words) < 5] == []


def test_under_a_chart_its_numbers_and_four_files_come_when_they_are_asked_for(open_page):
    test = open_page("communes", area="90001")
    assert 'class="cf-numbers"' not in _markup(test)
    test.session_state["files_commune"] = True
    test.run()
    assert _markup(test).count('class="cf-numbers"') == 1
    offered = {element.proto.id.rsplit("-", 1)[1] for element in test.get("download_button")}
    assert {f"download_chart_commune{end}" for end in ("", "_png", "_svg", "_xlsx")} <= offered


def test_the_page_of_work_tells_the_story_of_a_field(open_page):
    shown = _markup(open_page("workload"))
    assert "Chuỗi này đến tháng 10/2026" in shown
    assert "Chưa đủ để nói dự báo" in shown or "nằm trong khoảng 80%" in shown
    assert "Hồ sơ bịa đặt (dossiers)" in shown
    words = _spoken(open_page("workload"))[0]
    assert "Mục tiêu 2027 (UBND): 60.000 hồ sơ, bình quân 5.000 hồ sơ mỗi tháng" in words
    assert "Năm trước" in words


def test_another_field_brings_other_words_and_figures_to_charts_that_stand(open_page):
    # Streamlit builds a chart anew whose specification or name is another.
    before, after = open_page("overview"), open_page("overview", field="land")
    pairs = list(zip(_charts(before), _charts(after), strict=True))
    assert len(pairs) == 2
    assert [(old.spec, old.alt) for old, _ in pairs] == [(new.spec, new.alt) for _, new in pairs]
    assert all(old.datasets != new.datasets for old, new in pairs)
    assert _spoken(before)[0] != _spoken(after)[0]


@pytest.mark.parametrize("page", ["overview", "scenarios", "communes", "workload", "accuracy"])
def test_a_page_with_simulated_figures_says_so(open_page, page):
    assert "Dữ liệu mô phỏng" in _markup(open_page(page))


def test_the_heading_over_the_fan_is_the_finding(open_page):
    headers = [header.value for header in open_page("overview").header]
    assert any(h.startswith("Dự báo khoảng") and "tăng 7%" in h for h in headers)


def test_a_field_in_the_address_is_chosen(open_page):
    assert open_page("overview", field="land").selectbox(key="field").value == "land"


def test_an_unknown_code_in_the_address_falls_back(open_page):
    test = open_page("overview", field="nonsense", lang="fr")
    assert not test.exception
    assert test.selectbox(key="field").value == "total"


def test_a_commune_in_the_address_shows_its_history_and_how_far_it_is_estimated(open_page):
    test = open_page("communes", area="90001")
    assert test.header[1].value.startswith("Bịa Đặt 1: dự báo khoảng")
    assert "xã Cũ (40%, ước tính)" in _markup(test)
    assert "có tới 40% số hồ sơ" in _markup(test)


def test_rival_figures_stand_side_by_side(open_page):
    shown = _markup(open_page("indicators", indicator="growth"))
    assert "7,23%" in shown
    assert "8,3%" in shown
    assert "Các nguồn công bố số khác nhau" in shown


def test_a_rate_stands_beside_that_of_the_whole_country(open_page):
    shown = _markup(open_page("indicators", indicator="growth"))
    assert "So với cả nước, năm 2025: Cần Thơ 7,23%, cả nước 8,02%." in shown


def test_figures_of_the_merged_city_are_no_series(open_page):
    test = open_page("indicators", indicator="growth")
    assert not test.get("vega_lite_chart")


def test_a_refusal_says_why_and_what_would_help(open_page):
    shown = _markup(open_page("indicators", indicator="people"))
    assert "chuỗi quá ngắn" in shown
    assert "nạp thêm kỳ số liệu" in shown


def test_the_data_page_says_what_was_rejected_and_why(open_page):
    shown = _markup(open_page("data"))
    assert "Không đọc được" in shown
    assert "31/02/2026" in shown
    # By what the column is called in the file, not by its code.
    assert "<small>(cột Ngày nhận)</small>" in shown


def test_the_record_of_issued_forecasts_is_silent_under_six_real_outcomes(open_page):
    shown = _markup(open_page("accuracy"))
    assert "đã so được 5 số thực tế, cần ít nhất 6, còn thiếu 1" in shown
    assert "Kiểm thử phần mềm" in " ".join(h.value for h in open_page("accuracy").header)


def test_a_score_that_a_model_does_not_have_is_a_dash(open_page):
    shown = _markup(open_page("accuracy", panel="applications_received.city.month"))
    assert "NaN" not in shown


def test_the_about_page_has_an_entry_for_every_model(open_page):
    shown = _markup(open_page("about", lang="en"))
    assert all(model.title_en in shown for model in all_models().values())
    assert "Invented dossiers" in shown


def test_without_a_build_the_page_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setenv("FORESIGHT_HOME", str(tmp_path))
    test = AppTest.from_file(APP, default_timeout=PATIENCE).run()
    assert not test.exception
    assert "foresight refresh" in _markup(test)


def test_the_app_opens_on_the_overview_whose_name_is_an_address_too(home, monkeypatch):
    monkeypatch.setenv("FORESIGHT_HOME", str(home))
    test = AppTest.from_file(APP, default_timeout=PATIENCE).run()
    assert not test.exception
    assert test.title[0].value == TITLES["overview"][0]


def test_a_new_build_is_picked_up_without_a_restart(tmp_path, monkeypatch):
    from dashboard import queries
    from tests.dashboard.invented import write_build

    write_build(tmp_path, dt.date(2026, 10, 5))
    first = queries.current(tmp_path)
    write_build(tmp_path, dt.date(2026, 11, 5))
    second = queries.current(tmp_path)
    assert first.facts["today"] == "2026-10-05"
    assert second.facts["today"] == "2026-11-05"
