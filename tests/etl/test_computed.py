"""Indicators computed from others: from what was added up, never the mean of parts."""

import datetime as dt
from collections.abc import Callable

import polars as pl
import pytest
from click.testing import CliRunner
from conftest import HEAD, ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.cli import main
from etl.catalog import load_catalog, meaning_warnings, parse_catalog
from etl.comparable import make_comparable, write_reference
from etl.errors import Problems
from etl.warehouse import Warehouse

FIGURES = """
- name: figures
  title: Số liệu
  sources: [{path: figures.csv}]
  clean: {areas: {level: [nation, city, former_province]}}
  schema:
    fields:
    - {name: indicator}
    - {name: area}
    - {name: period}
    - {name: value, type: number}
    - {name: status}
    - {name: as_of, type: date}
  indicators:
  - {name: part, title: Phần, title_en: Part}
  - {name: whole, title: Toàn bộ, title_en: Whole}
  - {name: people, title: Dân số, title_en: People, aggregate: last}
  - {name: index, title: Chỉ số, title_en: Index, aggregate: rate}
"""
COMPUTED = """
  - {name: share_of_whole, title: Tỷ trọng, title_en: Share, compute: {share: part, of: whole}}
  - {name: yield, title: Năng suất, title_en: Yield, compute: {ratio: [part, whole], scale: 10}}
  - {name: on_the_year, title: Tăng, title_en: Growth, compute: {growth: part, over: year}}
  - {name: on_the_last, title: Tăng kỳ, title_en: Change, compute: {growth: part, over: previous}}
  - {name: a_head, title: Bình quân, title_en: A head, compute: {per_head: part, population: people}}
  - {name: growth_of_share, title: Tăng tỷ trọng, title_en: G, compute: {growth: share_of_whole, over: year}}
"""  # noqa: E501
PROVINCES = ["can_tho_old", "hau_giang", "soc_trang"]


def table(*rows: str) -> str:
    """Lines `indicator,area,period,value[,status[,as_of]]` as a file."""
    return "indicator,area,period,value,status,as_of\n" + "".join(
        row + "," * (5 - row.count(",")) + "\n" for row in rows
    )


def computed(warehouse: Warehouse, indicator: str) -> dict[tuple[str, str], float]:
    rows = warehouse.select(
        "select area, strftime(period, '%Y-%m-%d'), value from comparable where indicator = $i",
        i=indicator,
    )
    return {(area, day): value for area, day, value in rows.iter_rows()}


def test_growth_on_the_year_is_over_the_same_period_of_the_year_before_and_no_other(refresh):
    warehouse = refresh(
        FIGURES + COMPUTED,
        figures_csv=table(
            "part,national,01/2024,100",
            "part,national,02/2024,0",
            "part,national,Quý I/2024,50",
            "part,national,2024,80",
            "part,national,01/2025,110",
            "part,national,02/2025,7",
            "part,national,03/2025,9",
            "part,national,Quý I/2025,40",
            "part,national,2026,90",
        ),
    )
    rows = warehouse.select(
        "select frequency, value from comparable where indicator = 'on_the_year' order by 1"
    )
    assert [(f, round(v, 9)) for f, v in rows.iter_rows()] == [("month", 10), ("quarter", -20)]


def test_growth_on_the_previous_period_knows_the_length_of_each_frequency(refresh):
    warehouse = refresh(
        FIGURES + COMPUTED,
        figures_csv=table(
            "part,national,12/2024,100",
            "part,national,01/2025,150",
            "part,national,03/2025,200",
            "part,national,Quý IV/2024,10",
            "part,national,Quý I/2025,5",
            "part,national,2023,4",
            "part,national,2024,5",
        ),
    )
    rows = warehouse.select(
        "select frequency, period, value from comparable where indicator = 'on_the_last' order by 1"
    )
    assert [(f, day.isoformat(), round(v, 9)) for f, day, v in rows.iter_rows()] == [
        ("month", "2025-01-01", 50),
        ("quarter", "2025-01-01", -50),
        ("year", "2024-01-01", 25),
    ]


def test_29_february_is_not_compared_with_28_february(building):
    days = ["2023-02-28", "2024-02-28", "2024-02-29"]
    write(building, "part", [("national", day, "day", 1.0) for day in days], FIGURES + COMPUTED)
    assert set(computed(building, "on_the_year")) == {("national", "2024-02-28")}


def test_a_head_is_of_the_stated_population_of_the_same_calendar_year(refresh):
    warehouse = refresh(
        FIGURES + COMPUTED,
        figures_csv=table(
            "people,can_tho,2024,4",
            "people,can_tho,06/2025,9",
            "part,can_tho,2024,20",
            "part,can_tho,03/2024,8",
            "part,can_tho,2025,30",
            "part,can_tho,2030,99,kế hoạch",
        ),
    )
    rows = warehouse.select(
        "select frequency, value from comparable where indicator = 'a_head' order by 1"
    )
    assert list(rows.iter_rows()) == [("month", 2), ("year", 5)]


def test_what_follows_from_computed_figures_is_computed_after_them(refresh):
    warehouse = refresh(
        FIGURES + COMPUTED,
        figures_csv=table(
            "part,national,2023,10", "whole,national,2023,100", "part,national,2024,30",
            "whole,national,2024,200",
        ),
    )  # fmt: skip
    assert computed(warehouse, "share_of_whole")["national", "2024-01-01"] == pytest.approx(15)
    assert computed(warehouse, "growth_of_share") == {("national", "2024-01-01"): pytest.approx(50)}


def test_a_published_figure_of_the_same_name_stays_and_the_whole_is_computed(refresh):
    entry = FIGURES + COMPUTED
    rows = [f"part,{area},2024,{n}" for n, area in enumerate(PROVINCES, start=1)]
    rows += [f"whole,{area},2024,10" for area in PROVINCES]
    warehouse = refresh(entry, figures_csv=table(*rows, "yield,hau_giang,2024,1.9"))
    seen = computed(warehouse, "yield")
    assert seen["hau_giang", "2024-01-01"] == 1.9
    assert seen["soc_trang", "2024-01-01"] == 3
    assert seen["can_tho", "2024-01-01"] == pytest.approx(10 * 6 / 30)


@pytest.mark.parametrize(
    ("above", "below", "worst"),
    [
        ("chính thức", "sơ bộ", "preliminary"),
        ("ước", "sơ bộ", "estimate"),
        ("chính thức", "chính thức", "final"),
    ],
)
def test_status_is_the_worst_and_vintage_the_newest_of_both(refresh, above, below, worst):
    warehouse = refresh(
        FIGURES + COMPUTED,
        figures_csv=table(
            f"part,national,2024,1,{above},2025-01-31", f"whole,national,2024,2,{below},2025-06-30"
        ),
    )
    found = warehouse.select(
        "select status, as_of, simulated, derived from comparable "
        "where indicator = 'share_of_whole'"
    )
    assert found.row(0) == (worst, dt.date(2025, 6, 30), False, True)


def test_the_range_of_a_quotient_is_the_widest_its_parts_allow(building):
    entry = FIGURES + COMPUTED
    write(building, "part", [("national", "2024-01-01", "year", 10.0)], entry, lower=8, upper=12)
    write(building, "whole", [("national", "2024-01-01", "year", 50.0)], entry, lower=40, share=0.4)
    found = building.select(
        "select value, lower, upper, estimated_share from comparable where indicator = 'yield'"
    )
    assert found.row(0) == pytest.approx((2, 10 * 8 / 50, 10 * 12 / 40, 0.4))


amounts = st.lists(st.integers(1, 10**6), min_size=3, max_size=3)


@settings(max_examples=8)
@given(part=amounts, whole=amounts, before=amounts)
def test_of_merged_areas_share_and_growth_are_those_of_the_summed_parts(
    building, part, whole, before
):
    """The mean of the parts is another number, unless the parts weigh the same."""
    entry = FIGURES + COMPUTED
    places = list(enumerate(PROVINCES))
    write(building, "part", [(a, "2024-01-01", "year", float(part[n])) for n, a in places], entry)
    more = [(a, "2024-01-01", "year", float(whole[n])) for n, a in places]
    write(building, "whole", more, entry)
    earlier = [(a, "2023-01-01", "year", float(before[n])) for n, a in places]
    write(building, "part", earlier, entry, keep=True)
    city = ("can_tho", "2024-01-01")
    share = computed(building, "share_of_whole")
    growth = computed(building, "on_the_year")
    assert share[city] == pytest.approx(100 * sum(part) / sum(whole))
    assert growth[city] == pytest.approx(100 * (sum(part) / sum(before) - 1))
    shares = [share[area, "2024-01-01"] for area in PROVINCES]
    assert min(shares) - 1e-6 <= share[city] <= max(shares) + 1e-6


@pytest.fixture(scope="module")
def building(tmp_path_factory):
    """A build that stays open, with the reference tables of `FIGURES` in it."""
    with Warehouse.build(tmp_path_factory.mktemp("state")) as warehouse:
        write_reference(warehouse, parse_catalog(HEAD + FIGURES + COMPUTED))
        yield warehouse


Figure = tuple[str, str, str, float]
ENDS: dict[str, Callable[[dt.date], dt.date]] = {
    "day": lambda day: day,
    "year": lambda day: dt.date(day.year, 12, 31),
}


def write(
    warehouse: Warehouse,
    indicator: str,
    figures: list[Figure],
    entry: str,
    *,
    keep: bool = False,
    lower: float | None = None,
    upper: float | None = None,
    share: float = 0,
) -> None:
    """Replace the observations of `indicator` (or add to them), and all that follows from them."""
    if not keep:
        warehouse.run("delete from observation where indicator = $i", i=indicator)
    vintages = dict(warehouse.select("select code, min(area_vintage) from area group by 1").rows())
    rows = []
    for code, day, frequency, value in figures:
        start = dt.date.fromisoformat(day)
        rows.append(
            {
                "indicator": indicator, "area": code, "area_vintage": vintages[code],
                "category": "total", "frequency": frequency, "period": start,
                "period_end": ENDS[frequency](start), "value": value, "status": "final",
                "lower": lower, "upper": upper, "simulated": False, "estimated_share": share,
                "dataset": "figures",
            }
        )  # fmt: skip
    warehouse.write("observation", pl.DataFrame(rows))
    make_comparable(warehouse, parse_catalog(HEAD + entry))


@pytest.mark.parametrize(
    ("compute", "told"),
    [
        ("{share: part}", "'share' goes with 'of'"),
        ("{ratio: [part, whole], of: whole}", "'ratio' stands alone"),
        ("{growth: part, population: people}", "'growth' goes with 'over'"),
        ("{}", "say one of ratio, share, growth, per_head"),
        ("{share: part, of: whole, growth: part}", "say one of ratio, share, growth, per_head"),
        ("{share: prt, of: whole}", "did you mean 'part'?"),
        ("{ratio: [part]}", "'compute.ratio"),
        ("{growth: part, over: month}", "'year' or 'previous'"),
        ("{share: part, of: new}", "'new' is computed from itself"),
        ("{share: part, of: whole, scale: 0}", "greater than 0"),
    ],
)
def test_a_formula_that_cannot_be_is_refused_with_its_line(compute, told):
    text = HEAD + FIGURES + f"  - {{name: new, title: Mới, title_en: New, compute: {compute}}}\n"
    line = len(text.splitlines())
    with pytest.raises(Problems) as found:
        parse_catalog(text)
    told = told.replace("'compute.ratio", "compute.ratio")
    said = str(found.value)
    assert told in said
    assert f"data_catalog.yaml:{line}:" in said


def test_a_circle_of_formulas_is_told_once_with_the_way_round():
    text = FIGURES + (
        "  - {name: b, title: B, title_en: B, compute: {growth: c, over: year}}\n"
        "  - {name: c, title: C, title_en: C, compute: {share: b, of: whole}}\n"
    )
    with pytest.raises(Problems) as found:
        parse_catalog(HEAD + text)
    assert len(found.value.problems) == 1
    assert "'b' is computed from itself: b <- c <- b" in str(found.value)


def test_what_is_computed_cannot_be_added_up():
    wrong = COMPUTED.replace("title_en: Share,", "title_en: Share, aggregate: sum,")
    with pytest.raises(Problems, match="cannot be added up as 'sum'"):
        parse_catalog(HEAD + FIGURES + wrong)
    catalog = parse_catalog(HEAD + FIGURES + COMPUTED)
    assert catalog.indicators["share_of_whole"].aggregate == "rate"


NEVER = """
- name: monthly
  title: Tháng
  sources: [{path: figures.csv}]
  schema: {fields: [{name: period, type: yearmonth}, {name: value, type: number}]}
  indicators: [{name: of_month, title: Tháng, title_en: Month}]
- name: yearly
  title: Năm
  sources: [{path: figures.csv}]
  schema: {fields: [{name: period, type: year}, {name: value, type: number}]}
  indicators:
  - {name: of_year, title: Năm, title_en: Year}
  - {name: both, title: Hai, title_en: Both, compute: {share: of_month, of: of_year}}
"""


def test_parts_that_never_meet_are_warned_of():
    catalog = parse_catalog(HEAD + NEVER)
    ((place, problem, _),) = meaning_warnings(catalog)
    assert "never meet (of_month: month; of_year: year)" in problem
    line = len((HEAD + NEVER).splitlines())
    assert catalog.where(place).startswith(f"data_catalog.yaml:{line}:")
    assert not list(meaning_warnings(parse_catalog(HEAD + FIGURES + COMPUTED)))


def test_the_check_warns_and_does_not_refuse(installation):
    installation.catalog.write_text(HEAD + NEVER, encoding="utf-8")
    (installation.catalog.parent / "figures.csv").write_text("period,value\n", encoding="utf-8")
    run = CliRunner().invoke(main, ["--catalog", str(installation.catalog), "check"])
    assert run.exit_code == 0
    assert "warning: data_catalog.yaml:" in run.output
    assert "'both' will never have a figure" in run.output


def test_nothing_in_the_shipped_catalog_is_computed_in_vain():
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    assert [entry.name for entry in catalog.indicators.values() if entry.compute]
    assert not list(meaning_warnings(catalog))
