"""Rival figures of one concept, and computed indicators, as the indicator page shows them."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import queries
from dashboard import reader as reader_module
from dashboard.published import headlines
from dashboard.reader import Reader
from tests.dashboard.conftest import PATIENCE, TODAY
from tests.dashboard.test_pages import _markup, script

RESOURCES = """
- name: figures
  title: Số liệu
  sources: [{path: figures.csv}]
  clean: {areas: {level: city}}
  schema:
    fields:
    - {name: indicator}
    - {name: area}
    - {name: period}
    - {name: value, type: number}
  indicators:
  - {name: of_prime_minister, title: Giải ngân, title_en: Disbursement, unit: "%", aggregate: rate, decimals: 2}
  - {name: of_council, title: Giải ngân HĐND, title_en: Of the council, unit: "%", aggregate: rate, decimals: 2}
  - {name: spent, title: Đã chi, title_en: Spent}
  - {name: plan, title: Vốn giao, title_en: Plan}
  - {name: share, title: Tỷ trọng, title_en: Share, unit: "%", decimals: 1, compute: {share: spent, of: plan}}
  present: {headline: [of_prime_minister]}
concepts:
- name: disbursement
  title: Tỷ lệ giải ngân
  title_en: Rate of disbursement
  quote: of_prime_minister
  members:
  - {indicator: of_prime_minister, denominator: Vốn Thủ tướng giao, denominator_en: PM's plan, owner: Thủ tướng, owner_en: PM, quote: Báo cáo Chính phủ, quote_en: To the government}
  - {indicator: of_council, denominator: Vốn HĐND giao, denominator_en: Council's plan, owner: HĐND, owner_en: Council, quote: Báo cáo HĐND, quote_en: To the council}
"""  # noqa: E501
FIGURES = """indicator,area,period,value
of_prime_minister,can_tho,9 tháng 2025,32.19
of_prime_minister,can_tho,11 tháng 2025,41.32
of_council,can_tho,11 tháng 2025,39.15
spent,can_tho,2025,30
plan,can_tho,2025,40
"""


@pytest.fixture
def page(refresh, installation, monkeypatch):
    refresh(RESOURCES, figures_csv=FIGURES)
    monkeypatch.setenv("FORESIGHT_HOME", str(installation.home))
    monkeypatch.setattr(reader_module, "today", lambda: TODAY)

    def run(indicator: str, lang: str = "vi") -> str:
        page = {"page": "indicators"}
        test = AppTest.from_function(script, kwargs=page, default_timeout=PATIENCE)
        test.query_params["indicator"] = indicator
        test.query_params["lang"] = lang
        shown = test.run()
        assert not shown.exception
        return " ".join([*(header.value for header in shown.header), _markup(shown)])

    return run


def test_rivals_of_one_concept_stand_side_by_side_with_what_each_is_of(page):
    shown = page("of_council")
    assert "Một khái niệm, nhiều con số: Tỷ lệ giải ngân" in shown
    for told in ("41,32%", "39,15%", "Vốn Thủ tướng giao", "Vốn HĐND giao", "Báo cáo Chính phủ"):
        assert told in shown
    assert shown.count("nên trích dẫn") == 1


def test_rivals_are_told_in_english_too(page):
    shown = page("of_prime_minister", "en")
    assert "One concept, several figures: Rate of disbursement" in shown
    assert "Council&#x27;s plan" in shown


def test_the_headline_shows_the_one_to_quote_and_that_it_has_rivals(page, installation):
    (headline,) = headlines(Reader(queries.current(installation.home), "vi", TODAY))
    assert (headline.indicator, headline.figure["value"]) == ("of_prime_minister", 41.32)
    assert headline.figures == 2


def test_a_computed_indicator_nobody_published_has_a_page_that_names_its_parts(page):
    shown = page("share")
    assert "Tính từ: Đã chi; Vốn giao" in shown
    assert "Mới có kế hoạch" not in shown
