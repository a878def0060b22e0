"""Targets judged: chances along whole paths, states, reasons, and what stands beside them."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from conftest import HEAD, ROOT, TODAY
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from etl.catalog import Baseline, Indicator, Target, load_catalog, parse_catalog
from etl.errors import Problems
from etl.periods import Frequency, Period
from etl.warehouse import Warehouse
from forecasts.decisions.line import Line, quantity
from forecasts.decisions.paths import Ahead, drawn, paths_of
from forecasts.decisions.running import Begun, Running, rest_shares, through
from forecasts.decisions.targets import chance, changed, judge, state_of, tenths
from forecasts.panel import steps

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
  - {name: spent, title: Đã chi, title_en: Spent, unit: tỷ đồng}
  - {name: growth, title: Tăng trưởng, title_en: Growth, unit: "%", aggregate: rate, decimals: 2}
  - {name: share, title: Tỷ trọng, title_en: Share, unit: "%", aggregate: rate}
  publish: {theme: ECON, frequency: ANNUAL}
"""
FIGURES = """indicator,area,period,value
spent,can_tho,2023,100
spent,can_tho,2024,110
spent,can_tho,2025,121
spent,can_tho,11 tháng 2023,70
spent,can_tho,11 tháng 2024,80
spent,can_tho,11 tháng 2025,85
spent,can_tho,10 tháng 2026,60
growth,can_tho,6 tháng 2026,8
growth,can_tho,2024,7.41
growth,can_tho,2025,7.23
"""
DOCUMENT = "document: Nghị quyết, date: '2025-09-28'"
GROWTH = Indicator(
    name="growth", title="Tăng trưởng", title_en="Growth", unit="%", aggregate="rate"
)
SPENT = Indicator(name="spent", title="Đã chi", title_en="Spent", unit="tỷ đồng")


def target(**given) -> Target:
    value = given.pop("value", 10)
    words = {"name": "t", "title": "Đích", "title_en": "Goal", "by": "2030", "owner": "UBND"}
    baseline = Baseline(plan="congress", value=value, document="Nghị quyết")
    return Target(**(words | given), baselines=[baseline])


def goal(*targets: str) -> str:
    """The end of a catalog: targets with these keys, named t, u, and so on."""
    words = "title: Đích, title_en: Goal, owner: UBND"
    named = zip("tuv", targets, strict=False)
    return "\ntargets:\n" + "".join(f"- {{name: {n}, {words}, {keys}}}\n" for n, keys in named)


@pytest.fixture
def judged(refresh, installation):
    def run(*targets: str, figures: str = FIGURES, today: dt.date = TODAY):
        with refresh(RESOURCES + goal(*targets), figures_csv=figures) as warehouse:
            return judge(warehouse, load_catalog(installation.catalog), today)[0]

    return run


# --- paths -----------------------------------------------------------------------------------

paths = arrays(np.float64, (50, 3), elements=st.floats(-20, 200))


@given(paths, st.floats(-30, 210), st.floats(0, 50))
def test_the_chance_never_rises_with_what_is_asked_at_least(drawn_paths, value, more):
    asked = [
        Baseline(plan="congress", value=v, document="Nghị quyết") for v in (value, value + more)
    ]
    easy, hard = (chance(drawn_paths[:, -1], b, "at_least") for b in asked)
    assert hard <= easy
    low, high = (chance(drawn_paths[:, -1], b, "at_most") for b in asked)
    assert low <= high


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_better_chance_never_has_a_worse_state(first, second):
    order = ["off_course", "at_risk", "on_course"]
    low, high = sorted((first, second))
    assert order.index(state_of(low)) <= order.index(state_of(high))


@pytest.mark.parametrize(
    ("probability", "told", "state"),
    [(0.01, None, "off_course"), (0.07, 1, "off_course"), (0.34, 3, "off_course"),
     (0.36, 4, "at_risk"), (0.6, 6, "at_risk"), (0.66, 7, "on_course"), (0.94, 9, "on_course"),
     (0.97, None, "on_course")],
)  # fmt: skip
def test_a_chance_is_told_in_tenths_and_the_state_follows_from_what_is_told(
    probability, told, state
):
    assert (tenths(probability), state_of(probability)) == (told, state)


def test_paths_drawn_from_bands_have_the_quantiles_of_the_bands():
    levels = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
    bands = np.array([[70, 80, 90, 100, 112, 125, 140], [40, 60, 80, 100, 130, 160, 190.0]])
    found = drawn(bands, levels, 40_000, 1)
    for step in range(2):
        assert np.quantile(found[:, step], levels) == pytest.approx(bands[step], rel=0.03)
    assert np.corrcoef(found.T)[0, 1] == pytest.approx(np.sqrt(1 / 2), abs=0.03)


def test_paths_of_figures_never_seen_below_zero_stay_there():
    levels = np.array([0.025, 0.5, 0.975])
    assert drawn(np.array([[0.0, 1.0, 5.0]]), levels, 2000, 1).min() == 0


@given(arrays(np.float64, (20, 5), elements=st.floats(1, 50)))
def test_growth_is_made_along_each_path(growth):
    by = Period.parse("2026-2030")
    line = Line(Frequency.YEAR, {}).then(steps(dt.date(2026, 1, 1), Frequency.YEAR, 5), growth)
    found = quantity(target(by="2026-2030", measure="growth"), GROWTH, line)
    compounded = np.prod(1 + growth / 100, axis=1) ** 0.2
    assert found == pytest.approx(100 * (compounded - 1))
    levels = np.cumprod(1 + growth / 100, axis=1) * 80
    known = Line(Frequency.YEAR, {dt.date(2025, 1, 1): np.array([80.0])})
    grown = known.then(steps(by.start, Frequency.YEAR, 5), levels)
    assert quantity(target(by="2026-2030", measure="growth"), SPENT, grown) == pytest.approx(found)


def test_months_that_are_known_and_months_to_come_add_up_to_the_year():
    months = steps(dt.date(2026, 1, 1), Frequency.MONTH, 12)
    known = Line(Frequency.MONTH, {month: np.array([10.0]) for month in months[:10]})
    ahead = np.array([[5.0, 6.0], [7.0, 9.0]])
    assert quantity(target(by="2026"), SPENT, known.then(months[10:], ahead)).tolist() == [111, 116]
    assert quantity(target(by="2026"), SPENT, known) is None
    assert quantity(target(by="2026"), GROWTH, known.then(months[10:], ahead)) is None


def test_stored_paths_are_taken_where_there_are_some_and_bands_only_where_not(tmp_path):
    key = {"indicator": "spent", "area": "can_tho", "category": "total", "frequency": "year"}
    quantiles = [
        key | {"issue": 1, "origin": dt.date(2025, 1, 1), "period": dt.date(2026, 1, 1)}
        | {"horizon": 1, "quantile_level": level, "value": 100 * level, "simulated": False}
        for level in (0.1, 0.5, 0.9)
    ]  # fmt: skip
    stored = key | {"issue": 1, "origin": dt.date(2025, 1, 1), "count": 2, "horizon": 1}
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("forecast_series", pl.DataFrame([key | {"issue": 1}]))
        warehouse.write("forecast", pl.DataFrame(quantiles))
        (found,) = paths_of(warehouse, ["spent"], ["can_tho"]).values()
        assert found.stand_in
        warehouse.run(
            "create table if not exists forecast_path (indicator varchar, area varchar, "
            "category varchar, frequency varchar, issue bigint, origin date, count integer, "
            "horizon integer, paths float[])"
        )
        warehouse.write("forecast_path", pl.DataFrame([stored | {"paths": [7.0, 8.0]}]))
        (found,) = paths_of(warehouse, ["spent"], ["can_tho"]).values()
    assert not found.stand_in
    assert found.periods == (dt.date(2026, 1, 1),)
    assert found.paths.tolist() == [[7.0], [8.0]]


# --- the month that runs ----------------------------------------------------------------------

DESK = """
- name: desk
  title: Một cửa
  sources: [{path: desk.csv}]
  clean: {areas: {level: commune, on: "2025-07-01"}}
  schema:
    fields:
    - {name: area}
    - {name: received, type: date}
  tables: [{name: cases, by: [area], measures: [{name: got, count: received}]}]
  indicators: [{name: got, title: Nhận, title_en: Received, value: got}]
"""


def desk(until: dt.date) -> str:
    """One case a day in Ninh Kiều from 2023 on."""
    first = dt.date(2023, 1, 1)
    days = (first + dt.timedelta(days=n) for n in range((until - first).days + 1))
    return "\n".join(["area,received", *(f"Ninh Kiều,{day}" for day in days)]) + "\n"


@pytest.mark.parametrize(
    ("today", "month", "completed"),
    [("2026-11-11", 11, True), ("2026-12-05", 10, False)],
)
def test_a_month_with_days_missing_is_completed_or_left_out_and_never_whole(
    refresh, installation, today, month, completed
):
    lines = (
        "indicator: got, area: '31135', by: '2026', measure: cumulative, "
        f"baselines: [{{plan: council, value: 360, {DOCUMENT}}}]"
    )
    day = dt.date.fromisoformat(today)
    text = desk(dt.date(2026, 11, 10))
    with refresh(DESK + goal(lines), today=day, desk_csv=text) as warehouse:
        (found,) = judge(warehouse, load_catalog(installation.catalog), day)
        last = warehouse.select(
            "select max(period) from comparable where indicator = 'got' and frequency = 'month'"
        ).item()
    assert last == dt.date(2026, 10, 1), "what forecasts learn from ends with the last whole month"
    pace = found.verdict.pace
    assert (pace.month, pace.completed, pace.years) == (month, completed, 3)
    assert pace.done == pytest.approx(334 if completed else 304, abs=1)
    assert found.verdict.chance > 0.5


def test_paths_of_months_go_through_what_the_month_that_runs_comes_to_and_keep_together():
    rng = np.random.default_rng(3)
    first = rng.normal(100, 20, 500)
    paths = np.stack([first, first + rng.normal(0, 2, 500)], axis=1)
    ahead = Ahead((dt.date(2026, 11, 1), dt.date(2026, 12, 1)), paths, False, False)
    low, high = 129.0, 131.0
    now = Running(dt.date(2026, 11, 1), tuple(np.linspace(low, high, 10)))
    found = through(ahead, now).paths
    assert (found[:, 0].min(), found[:, 0].max()) == (low, high)
    assert np.median(found[:, 1]) == pytest.approx(130, abs=3), "the month after follows"
    assert np.std(found[:, 1]) > 1.5, "and stays as unsure as it was beside it"
    over = Running(dt.date(2026, 10, 1), now.values)
    assert through(ahead, over) is ahead


def test_the_month_that_runs_moves_the_paths_of_a_year(refresh, installation):
    day = dt.date(2026, 11, 11)
    lines = f"indicator: got, area: '31135', by: '2026', baselines: [{{plan: council, value: 365, {DOCUMENT}}}]"  # noqa: E501
    key = {"indicator": "got", "area": "31135", "category": "total", "frequency": "month"}
    text = desk(dt.date(2026, 11, 10))
    refresh(DESK + goal(lines), today=day, desk_csv=text).close()
    with Warehouse.build(installation.home) as warehouse:
        warehouse.write("forecast_series", pl.DataFrame([key | {"issue": 1}]))
        rows = [
            key | {"issue": 1, "origin": dt.date(2026, 10, 1), "period": dt.date(2026, month, 1)}
            | {"horizon": month - 10, "quantile_level": level, "value": value, "simulated": False}
            for month in (11, 12) for level, value in ((0.1, 5.0), (0.5, 15.0), (0.9, 25.0))
        ]  # fmt: skip
        warehouse.write("forecast", pl.DataFrame(rows))
    with Warehouse.open(installation.home) as warehouse:
        (found,) = judge(warehouse, load_catalog(installation.catalog), day)
    assert found.verdict.expected == pytest.approx(304 + 30 + 25, abs=6), "30 days and not 15"
    assert found.verdict.upper - found.verdict.lower < 20, "what is left is December"
    assert found.newest.frequency == "month", "the one of 10 November is no standing of a year"
    assert (found.newest.period, found.newest.value) == (dt.date(2026, 10, 1), 31)


ONLINE = DESK.replace(
    "{name: received, type: date}", "{name: received, type: date}\n    - {name: way}"
)
ONLINE = ONLINE.replace(
    "{name: got, count: received}",
    "{name: got, count: received}, {name: online, count: received, where: {way: online}}",
)
ONLINE = ONLINE.replace(
    "indicators: [",
    "indicators: [{name: online, title: Trực tuyến, title_en: Online, value: online}, "
    "{name: part, title: Tỷ lệ, title_en: Share, unit: '%', compute: {share: online, of: got}}, ",
)


def test_the_month_that_runs_moves_the_paths_of_a_share(refresh, installation):
    day = dt.date(2026, 11, 21)
    first, *cases = desk(dt.date(2026, 11, 20)).splitlines()
    # Every second case until October, and every one of the twenty days of November.
    ways = [
        "online" if n % 2 or case.split(",")[1] > "2026-10-31" else "counter"
        for n, case in enumerate(cases)
    ]
    text = "\n".join([f"{first},way", *map(",".join, zip(cases, ways, strict=True))]) + "\n"
    lines = f"indicator: part, area: '31135', by: 11/2026, measure: share, baselines: [{{plan: council, value: 75, {DOCUMENT}}}]"  # noqa: E501
    key = {"indicator": "part", "area": "31135", "category": "total", "frequency": "month"}
    refresh(ONLINE + goal(lines), today=day, desk_csv=text).close()
    with Warehouse.build(installation.home) as warehouse:
        warehouse.write("forecast_series", pl.DataFrame([key | {"issue": 1}]))
        rows = [
            key | {"issue": 1, "origin": dt.date(2026, 10, 1), "period": dt.date(2026, 11, 1)}
            | {"horizon": 1, "quantile_level": level, "value": value, "simulated": False}
            for level, value in ((0.1, 48.0), (0.5, 50.0), (0.9, 52.0))
        ]  # fmt: skip
        warehouse.write("forecast", pl.DataFrame(rows))
    with Warehouse.open(installation.home) as warehouse:
        (found,) = judge(warehouse, load_catalog(installation.catalog), day)
    # 20 of 20 so far, and of the 10 to come between a half and all.
    assert 100 * 25 / 30 - 3 < found.verdict.lower < found.verdict.upper <= 100
    assert found.verdict.state == "on_course"


def test_the_rest_of_a_month_is_as_sure_as_it_says():
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(300):
        level = 0.9 + np.cumsum(rng.normal(0, 0.01, 26))
        counts = rng.poisson(200, (2, 26))
        whole = np.stack([counts, rng.binomial(counts, np.clip(level, 0.5, 1.0))], axis=-1)
        begun, left = whole[..., ::-1].astype(float)
        truth, known = left[-1, 0] / left[-1, 1], left.copy()
        known[-1] = 0.0
        low, high = np.quantile(rest_shares(Begun(begun, known)), (0.1, 0.9))
        inside += low <= truth <= high
    assert 0.7 < inside / 300 < 0.88, "about 80 %"


def test_too_few_months_tell_nothing_of_the_rest_of_one():
    begun = np.array([[5.0, 10.0]] * 9)
    assert rest_shares(Begun(begun, begun)) is None
    assert (
        rest_shares(Begun(np.tile([5.0, 10.0], (10, 1)), np.tile([5.0, 10.0], (10, 1)))) is not None
    )


def test_growth_published_for_years_and_for_five_years_judges_where_there_is_no_forecast(judged):
    more = (
        "growth,can_tho,2023,6.42\ngrowth,can_tho,2011-2015,5.97\ngrowth,can_tho,2016-2020,4.97\n"
    )
    found = judged(
        f"indicator: growth, by: '2026', measure: growth, "
        f"baselines: [{{plan: congress, value: 10, {DOCUMENT}}}]",
        figures=FIGURES + more,
    )
    assert (found.verdict.state, found.verdict.grown) == ("off_course", (2011, 2025))
    assert 5 < found.verdict.expected < 8


DEMO = """
demo_targets:
- {name: d, title: Thử, title_en: Demo, indicator: spent, by: "2026", owner: UBND,
   baselines: [{plan: PLAN, value: 1, document: Giả định}]}
"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (DEMO.replace("PLAN", "council"), "only a target of the demo was set by nobody"),
        (DEMO.replace("PLAN", "demo"), "a target of the demo is one on simulated figures"),
        (
            DEMO.replace("PLAN", "demo").replace("demo_targets", "targets"),
            "only a target of the demo was set by nobody",
        ),
    ],
)
def test_what_nobody_set_is_a_demo_on_simulated_figures_alone(text, problem):
    with pytest.raises(Problems, match=problem):
        parse_catalog(HEAD + RESOURCES + text)


def test_targets_of_the_demo_are_no_targets_of_the_city():
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    assert len(catalog.demo_targets) >= 5
    assert not {goal.indicator for goal in catalog.demo_targets} & {
        goal.indicator for goal in catalog.targets
    }


# --- the catalog and the warehouse ------------------------------------------------------------


def test_the_pace_of_past_years_judges_what_comes_together_in_a_year(judged):
    figures = FIGURES.replace("11 tháng", "10 tháng")
    found = judged(
        f"indicator: spent, by: '2026', measure: cumulative, "
        f"baselines: [{{plan: council, value: 95, {DOCUMENT}}}, "
        f"{{plan: revised, value: 70, {DOCUMENT}}}], quote: revised",
        figures=figures,
    )
    council, revised = found.verdicts
    assert found.verdict is revised
    assert (council.pace.month, council.pace.done, council.pace.years) == (10, 60, 3)
    assert council.chance < revised.chance
    assert council.state == "off_course"
    assert (council.lower, council.upper) == pytest.approx((60 * 110 / 80, 60 * 100 / 70))


@pytest.mark.parametrize(
    ("direction", "state"), [("at_most", "on_course"), ("at_least", "off_course")]
)
def test_what_comes_together_is_judged_on_the_side_it_is_asked_for(judged, direction, state):
    none = "".join(f"spent,can_tho,{n} tháng {y},0\n" for y in (2023, 2024, 2025) for n in (10, 12))
    found = judged(
        f"indicator: spent, by: '2026', measure: cumulative, direction: {direction}, "
        f"baselines: [{{plan: council, value: {0 if direction == 'at_most' else 5}, {DOCUMENT}}}]",
        figures=f"indicator,area,period,value\n{none}spent,can_tho,10 tháng 2026,0\n",
    )
    assert (found.verdict.state, found.verdict.pace.years) == (state, 3)
    assert found.verdict.chance == pytest.approx(3.5 / 4 if direction == "at_most" else 0.5 / 4)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("indicator: spent, by: '2026', measure: cumulative", "few_years"),
        ("indicator: growth, by: '2026', measure: growth", "refused"),
        ("indicator: share, by: '2026', measure: share", "no_figures"),
        ("by: '2030', unit: '%', measure: share, self_reported: true", "no_indicator"),
        ("indicator: growth, by: '2023', measure: growth", "no_outcome"),
    ],
)
def test_what_cannot_be_judged_says_why(judged, lines, reason):
    found = judged(f"{lines}, baselines: [{{plan: congress, value: 10, {DOCUMENT}}}]")
    assert (found.verdict.state, found.verdict.reason) == ("unknown", reason)
    assert found.verdict.chance is None


@pytest.mark.parametrize(("value", "state"), [(10, "off_course"), (7, "on_course")])
def test_a_target_whose_period_is_over_is_settled_by_the_outcome(judged, value, state):
    found = judged(
        f"indicator: growth, by: '2025', measure: growth, "
        f"baselines: [{{plan: government, value: {value}, {DOCUMENT}}}]"
    )
    assert (found.verdict.state, found.verdict.settled, found.verdict.expected) == (
        state,
        True,
        7.23,
    )
    assert found.newest.period_end == dt.date(2025, 12, 31)


def test_what_is_needed_stands_beside_what_has_been_and_what_prices_would_have_to_do(judged):
    found = judged(
        f"indicator: spent, by: '2030', real: u, "
        f"baselines: [{{plan: congress, value: 283.52, {DOCUMENT}}}]",
        f"indicator: growth, by: 2026-2030, measure: growth, "
        f"baselines: [{{plan: congress, value: 10, {DOCUMENT}}}]",
    )
    sums = found.arithmetic
    assert (sums.base, sums.base_year, sums.past_since) == (121, 2025, 2023)
    assert (sums.needed, sums.past) == pytest.approx((18.57, 10.0), abs=0.01)
    assert sums.deflator == pytest.approx(7.79, abs=0.01)


def test_bodies_that_publish_are_counted_from_the_catalog(judged):
    found = judged(
        f"by: '2030', unit: '%', measure: computed, "
        f"publishing: {{named: [sở thử nghiệm, Sở Khác]}}, "
        f"baselines: [{{plan: committee, value: 100, {DOCUMENT}}}]"
    )
    assert (found.bodies.asked, found.bodies.publishing) == (2, ())
    assert (found.verdict.reason, found.verdict.expected) == ("one_reading", 0)


def test_a_commune_publishes_under_the_name_of_its_authority():
    text = HEAD + RESOURCES.replace(
        "  publish:", "  contributors: [{title: UBND phường Ninh Kiều}]\n  publish:"
    )
    from etl.bodies import bodies

    catalog = parse_catalog(
        text
        + goal(
            "by: '2030', unit: '%', measure: computed, publishing: {level: commune}, "
            f"baselines: [{{plan: committee, value: 100, {DOCUMENT}}}]"
        )
    )
    found = bodies(catalog, catalog.targets[0].publishing)
    assert (found.asked, found.publishing) == (103, ("phường Ninh Kiều",))


def test_a_forecast_judges_a_level_and_one_that_ends_too_early_says_when(refresh, installation):
    lines = f"indicator: spent, by: '2026', baselines: [{{plan: congress, value: 130, {DOCUMENT}}}]"
    together = lines.replace("by:", "measure: cumulative, by:")
    resources = RESOURCES + goal(lines, lines.replace("2026", "2030"), together)
    refresh(resources, figures_csv=FIGURES).close()
    key = {"indicator": "spent", "area": "can_tho", "category": "total", "frequency": "year"}
    with Warehouse.build(installation.home) as warehouse:
        warehouse.write("forecast_series", pl.DataFrame([key | {"issue": 1}]))
        rows = [
            key | {"issue": 1, "origin": dt.date(2025, 1, 1), "period": dt.date(2026, 1, 1)}
            | {"horizon": 1, "quantile_level": level, "value": value, "simulated": False}
            for level, value in ((0.1, 120.0), (0.5, 130.0), (0.9, 140.0))
        ]  # fmt: skip
        warehouse.write("forecast", pl.DataFrame(rows))
    with Warehouse.open(installation.home) as warehouse:
        found = judge(warehouse, load_catalog(installation.catalog), TODAY)
    near, together, far = found
    assert together.verdict == near.verdict, "too few past years, so by paths"
    assert near.verdict.chance == pytest.approx(0.5, abs=0.03)
    assert (near.verdict.state, near.stand_in) == ("at_risk", True)
    assert (near.verdict.lower, near.verdict.upper) == pytest.approx((120, 140), abs=1)
    assert (far.verdict.reason, far.verdict.until) == ("horizon", dt.date(2026, 12, 31))


def test_a_state_that_moved_is_told_with_what_it_was(judged):
    lines = f"indicator: growth, by: '2025', measure: growth, baselines: [{{plan: congress, value: 7.3, {DOCUMENT}}}]"  # noqa: E501
    before = judged(lines)
    after = judged(lines, figures=FIGURES.replace("7.23", "7.35"))
    assert changed([before], [before]) == []
    assert changed([before], [after]) == [(after, "off_course")]
    assert changed([], [after]) == [(after, None)]


def test_every_target_of_the_catalog_names_its_document():
    catalog = load_catalog(ROOT / "data_catalog.yaml")
    assert len(catalog.targets) >= 20
    assert all(baseline.path for goal in catalog.targets for baseline in goal.baselines)
