"""Rival figures of one concept: what the catalog says of them, and labels that would confuse."""

import unicodedata

import pytest
from conftest import HEAD, ROOT

from etl.catalog import load_catalog, parse_catalog
from etl.errors import Problems

RESOURCES = """
- name: figures
  title: Số liệu
  sources: [{path: figures.csv}]
  clean: {areas: {level: city}}
  schema: {fields: [{name: indicator}, {name: area}, {name: period}, {name: value, type: number}]}
  indicators:
  - {name: average, title: Dân số trung bình, title_en: Average population}
  - {name: registered, title: Dân số đăng ký, title_en: Registered population}
  - {name: other, title: Khác, title_en: Other}
"""
CONCEPT = """
concepts:
- name: population
  title: Dân số
  title_en: Population
  quote: average
  members:
  - {indicator: average, denominator: a, denominator_en: a, owner: b, owner_en: b, quote: c, quote_en: c}
  - {indicator: registered, denominator: d, denominator_en: d, owner: e, owner_en: e, quote: f, quote_en: f}
"""  # noqa: E501


def refused(text: str) -> str:
    with pytest.raises(Problems) as found:
        parse_catalog(HEAD + text)
    assert len(found.value.problems) == 1
    return str(found.value)


def test_the_members_of_a_concept_are_kept_with_what_tells_them_apart(refresh):
    warehouse = refresh(RESOURCES + CONCEPT, figures_csv="indicator,area,period,value\n")
    rows = warehouse.select("select * from concept order by position")
    assert rows.select("indicator", "denominator", "owner", "quote", "preferred").rows() == [
        ("average", "a", "b", "c", True),
        ("registered", "d", "e", "f", False),
    ]


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (("indicator: registered,", "indicator: registred,"), "did you mean 'registered'?"),
        (("indicator: registered,", "indicator: average,"), "is a member already"),
        (("quote: average", "quote: other"), "'other' is not one of its members"),
        (("  title_en: Population\n", ""), "'title_en' is missing"),
    ],
)
def test_a_mistake_in_a_concept_is_told_with_its_line(mistake, told):
    said = refused(RESOURCES + CONCEPT.replace(*mistake))
    assert told in said
    assert "data_catalog.yaml:" in said


def test_two_indicators_with_one_label_need_a_concept():
    decomposed = unicodedata.normalize("NFD", "dân  SỐ trung bình")
    text = RESOURCES.replace("Dân số đăng ký", decomposed)
    line = next(n for n, t in enumerate((HEAD + text).splitlines(), 1) if decomposed in t)
    said = refused(text)
    assert f"data_catalog.yaml:{line}:" in said
    assert "'registered' is labelled as 'average' is" in said
    assert "make both members of one concept" in said
    assert parse_catalog(HEAD + text + CONCEPT).concepts


def test_in_english_too_one_label_means_one_thing():
    assert "title_en" in refused(RESOURCES.replace("Registered population", "average population"))


def test_every_headline_with_rivals_is_the_one_to_quote():
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    headline = {name for dataset in catalog.resources for name in dataset.present.headline}
    others = {m.indicator for c in catalog.concepts for m in c.members if m.indicator != c.quote}
    assert len(catalog.concepts) >= 4
    assert not headline & others
