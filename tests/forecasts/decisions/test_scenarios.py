"""What-ifs: nothing moved changes nothing, ranges hold, parts add up, order does not matter."""

import datetime as dt
import json
import re
from itertools import permutations

import numpy as np
import polars as pl
import pytest
from conftest import HEAD, ROOT, TODAY
from hypothesis import given
from hypothesis import strategies as st

from etl.calendars import working_days
from etl.catalog import load_catalog, parse_catalog
from etl.errors import Problems
from etl.periods import Frequency
from etl.warehouse import Warehouse
from forecasts.decisions.elasticities import Slopes, fitted, pooled
from forecasts.decisions.levers import (
    Calendar,
    Elasticity,
    NotASetting,
    OutOfRange,
    Setting,
    UnknownLever,
)
from forecasts.decisions.saved import NoScenario, NotSaved, described, kept, read, save
from forecasts.decisions.scenarios import Band, Base, NoBase, chances, estimated, play
from forecasts.decisions.what_if_queue import Told
from forecasts.panel import steps

RESOURCES = """
- name: dossiers
  title: Hồ sơ
  sources: [{path: dossiers.csv}]
  clean: {areas: {level: commune}}
  schema: {fields: [{name: area}, {name: period}, {name: category}, {name: received, type: number}]}
  indicators:
  - {name: received, title: Tiếp nhận, title_en: Received, unit: hồ sơ, value: received}
  - {name: online, title: Trực tuyến, title_en: Online, unit: "%", value: received, aggregate: rate}
scenarios:
  indicator: received
  levers:
  - name: people
    title: Dân số
    title_en: People
    kind: percent
    minimum: -5
    maximum: 10
    effects:
    - {on: received, estimate: 1, lower: 0.5, upper: 1.3, rationale: r, rationale_en: r}
  - name: online
    title: Trực tuyến
    title_en: Online
    kind: points
    minimum: -20
    maximum: 20
    effects:
    - {on: indicator, indicator: online, evidence: definition, rationale: r, rationale_en: r}
    - {on: minutes, estimate: 0.2, lower: 0.1, upper: 0.4, rationale: r, rationale_en: r}
  - name: decree
    title: Chuyển
    title_en: Moved
    kind: share
    minimum: 0
    maximum: 100
    effects:
    - {on: moved, categories: [land], estimate: 100, lower: 50, upper: 200,
       rationale: r, rationale_en: r}
  - name: staff
    title: Người
    title_en: Staff
    kind: percent
    minimum: -30
    maximum: 30
    effects: [{on: staff_hours, evidence: definition, rationale: r, rationale_en: r}]
  - name: days
    title: Ngày
    title_en: Days
    kind: days
    minimum: -3
    maximum: 3
    effects:
    - {on: staff_hours, evidence: definition, rationale: r, rationale_en: r}
    - {on: received, estimate: 0.3, lower: 0, upper: 0.8, rationale: r, rationale_en: r}
"""
CATALOG = parse_catalog(HEAD + RESOURCES)
SCENARIOS = CATALOG.scenarios
MINUTES = {"land": 60, "trade": 30}
COUNT, HORIZON = 40, 14
ORIGIN = dt.date(2026, 10, 1)
AREAS = ("31117", "31120", "31135")
PLACES = [("city", "can_tho"), *(("commune", code) for code in AREAS)]


def rows(seed: int = 1, horizon: int = HORIZON) -> pl.DataFrame:
    """Paths of a city, its fields and its communes, drawn apart: they do not add up."""
    chance = np.random.default_rng(seed)
    size = {"land": 30.0, "trade": 60.0, "total": 90.0}
    return pl.DataFrame(
        [
            {
                "issue": 1,
                "issued": TODAY,
                "origin": ORIGIN,
                "indicator": "received",
                "area": area,
                "category": field,
                "frequency": "month",
                "level": level,
                "count": COUNT,
                "horizon": horizon,
                "simulated": True,
                "paths": (
                    many * (3 if level == "city" else 1) * chance.gamma(20, 1 / 20, COUNT * horizon)
                ).tolist(),
            }
            for level, area in PLACES
            for field, many in size.items()
        ]
    )


def build(home, frame: pl.DataFrame) -> Warehouse:
    with Warehouse.build(home, empty=True) as warehouse:
        series = ["issue", "issued", "origin", "indicator", "area", "category", "frequency"]
        warehouse.write("forecast_path", frame.drop("level"))
        warehouse.write("forecast_series", frame.select(*series, "level", "simulated"))
        middle = {"horizon": 1, "period": ORIGIN, "quantile_level": 0.5, "value": 1.0}
        told = {name: pl.lit(value) for name, value in middle.items()}
        warehouse.write("forecast", frame.select(*series, "simulated").with_columns(**told))
    return Warehouse.open(home)


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Base:
    with build(tmp_path_factory.mktemp("scenarios"), rows()) as warehouse:
        return Base.read(warehouse, SCENARIOS)


def settings(*texts: str) -> list[Setting]:
    return [Setting.parse(text) for text in texts]


# --- the base --------------------------------------------------------------------------------


def test_the_city_of_the_base_is_the_city_that_was_issued(base):
    issued = rows().filter(area="can_tho", category="total")["paths"][0].to_numpy()
    total = base.paths.sum(axis=(0, 2))
    assert total == pytest.approx(
        issued.reshape(COUNT, HORIZON), rel=1e-6
    )  # stored in single precision
    assert base.periods == steps(ORIGIN, Frequency.MONTH, HORIZON + 1)[1:]


def test_paths_that_add_up_are_left_as_they_are(tmp_path):
    frame = rows()
    cells = frame.filter((pl.col("level") == "commune") & (pl.col("category") != "total"))
    sums = {
        field: np.sum([path.to_numpy() for path in cells.filter(of)["paths"]], axis=0).tolist()
        for field, of in (
            ("land", pl.col("category") == "land"),
            ("trade", pl.col("category") == "trade"),
            ("total", pl.lit(True)),
        )
    }
    city = frame.filter(level="city").drop("paths")
    city = city.with_columns(paths=pl.Series([sums[field] for field in city["category"]]))
    whole = pl.concat([city.select(frame.columns), frame.filter(level="commune")])
    with build(tmp_path, whole) as warehouse:
        found = Base.read(warehouse, SCENARIOS)
    # Paths are stored in single precision.
    stored = cells.filter(area=AREAS[0], category="land")["paths"][0].to_numpy()
    assert found.paths[0, :, 0].ravel() == pytest.approx(stored, rel=1e-6)


def test_without_paths_there_is_nothing_to_compare_with(tmp_path):
    with (
        build(tmp_path, rows().filter(level="city")) as warehouse,
        pytest.raises(NoBase, match="no paths of received"),
    ):
        Base.read(warehouse, SCENARIOS)


def test_cells_without_a_forecast_are_counted(tmp_path):
    frame = rows().filter(~((pl.col("area") == AREAS[0]) & (pl.col("category") == "land")))
    with build(tmp_path, frame) as warehouse:
        assert Base.read(warehouse, SCENARIOS).absent == 1


# --- levers ----------------------------------------------------------------------------------

ZERO = ["people=0", "online=0", "decree=0", "staff=0", "days=0"]
values = {
    "people": st.integers(-5, 10),
    "online": st.integers(-20, 20),
    "decree": st.integers(0, 100),
    "staff": st.integers(-30, 30),
    "days": st.integers(-3, 3),
}
any_setting = st.lists(st.sampled_from(sorted(values)), unique=True, max_size=5).flatmap(
    lambda names: st.tuples(
        *(st.builds(Setting, st.just(n), values[n].map(float)) for n in names)
    ).map(list)
)


@pytest.mark.parametrize("moved", [[], ZERO])
def test_nothing_moved_is_the_base_to_the_last_bit(base, moved):
    outcome = play(base, SCENARIOS, settings(*moved), minutes=MINUTES)
    for before, after in (outcome.areas, outcome.fields, outcome.city, outcome.hours):
        assert np.array_equal(before, after)
    assert np.array_equal(outcome.load, np.ones_like(outcome.load))


@given(any_setting)
def test_communes_and_fields_add_up_to_the_city_along_every_path(base, moved):
    outcome = play(base, SCENARIOS, moved)
    for city, fields in zip(outcome.city, outcome.fields, strict=True):
        assert fields.sum(axis=1) == pytest.approx(city, rel=1e-9)
    assert outcome.communes()["base"].len() == len(AREAS)


@given(any_setting)
def test_the_same_levers_in_any_order_give_the_same(base, moved):
    first = play(base, SCENARIOS, moved)
    for order in list(permutations(moved))[:6]:
        other = play(base, SCENARIOS, list(order))
        assert np.array_equal(first.areas[1], other.areas[1])
        assert np.array_equal(first.load, other.load)
        assert first.settings == other.settings


@pytest.mark.parametrize(
    ("lever", "rising"), [("people", "city"), ("decree", "city"), ("days", "city")]
)
@given(data=st.data())
def test_more_of_a_lever_is_more_dossiers_on_every_path(base, lever, rising, data):
    low, high = sorted(data.draw(st.tuples(values[lever], values[lever])))
    less, more = (play(base, SCENARIOS, [Setting(lever, v)]) for v in (low, high))
    # Ends of an interval that reach 0 have draws beyond: only paths whose elasticity is positive.
    drawn = Elasticity.of(SCENARIOS.lever(lever).effects[-1]).drawn(
        lever, len(SCENARIOS.lever(lever).effects) - 1, COUNT
    )
    paths = drawn > 0
    assert (more.city[1][paths] >= less.city[1][paths] - 1e-9).all()
    assert (less.received[1].middle <= more.received[1].middle) or low == high


@given(values["staff"], values["staff"])
def test_more_staff_is_never_more_work_for_each(base, one, other):
    low, high = sorted((one, other))
    few, many = (play(base, SCENARIOS, [Setting("staff", v)]) for v in (low, high))
    assert (many.load <= few.load).all()
    assert np.array_equal(few.city[1], few.city[0])


@given(values["online"], values["online"])
def test_more_filed_online_is_never_more_hours(base, one, other):
    low, high = sorted((one, other))
    few, many = (
        play(base, SCENARIOS, [Setting("online", v)], minutes=MINUTES) for v in (low, high)
    )
    drawn = Elasticity.of(SCENARIOS.lever("online").effects[1]).drawn("online", 1, COUNT) > 0
    assert (many.hours[1][drawn] <= few.hours[1][drawn]).all()


@pytest.mark.parametrize(
    ("text", "range_told"),
    [
        ("people=11", "from -5 to 10"),
        ("people=-6", "from -5 to 10"),
        ("decree=-1", "from 0 to 100"),
    ],
)
def test_a_lever_outside_its_range_is_refused_with_the_range(base, text, range_told):
    with pytest.raises(OutOfRange, match="outside its range") as refused:
        play(base, SCENARIOS, settings(text))
    assert refused.value.hint == range_told


def test_an_unknown_lever_is_refused_with_those_there_are(base):
    with pytest.raises(UnknownLever) as refused:
        play(base, SCENARIOS, settings("weather=1"))
    assert "people, online, decree, staff, days" in refused.value.hint


@pytest.mark.parametrize("text", ["people", "people=", "people=x", "people=1@sometime", "=1"])
def test_what_says_no_setting_is_refused(text):
    with pytest.raises(NotASetting):
        Setting.parse(text)


def test_one_lever_is_moved_once_and_only_in_fields_that_are_forecast(base):
    with pytest.raises(NotASetting, match="twice"):
        play(base, SCENARIOS, settings("people=1", "people=2"))
    with pytest.raises(NotASetting, match="no field 'art'"):
        play(base, SCENARIOS, settings("people=1:art"))


def test_a_lever_is_not_moved_when_the_forecast_is_over(base):
    with pytest.raises(NotASetting, match="is over") as refused:
        play(base, SCENARIOS, settings("people=1@2030-01"))
    assert refused.value.hint == "choose a month up to 2027-12"


@given(any_setting)
def test_a_setting_written_is_read_as_it_was(moved):
    assert [Setting.parse(str(one)) for one in moved] == moved


def test_a_decree_brings_dossiers_of_its_field_from_its_month_on(base):
    outcome = play(base, SCENARIOS, settings("decree=50@2027-03"))
    before = [period < dt.date(2027, 3, 1) for period in base.periods]
    base_land, land = (values[:, 0] for values in outcome.fields)
    assert np.array_equal(base_land[:, before], land[:, before])
    assert np.array_equal(outcome.fields[0][:, 1], outcome.fields[1][:, 1])
    added = (land - base_land)[:, ~np.array(before)]
    assert np.median(added) == pytest.approx(50, abs=2)
    assert np.quantile(added[:, 0], [0.1, 0.9]) == pytest.approx([25, 100], rel=0.1)


def test_a_lever_of_one_field_leaves_the_others(base):
    outcome = play(base, SCENARIOS, settings("people=10:trade"))
    assert np.array_equal(outcome.fields[0][:, 0], outcome.fields[1][:, 0])
    ratios = outcome.fields[1][:, 1] / outcome.fields[0][:, 1]
    assert np.median(ratios) == pytest.approx(1.1, abs=0.002)


def test_the_band_of_a_difference_is_that_of_the_assumption_and_not_of_the_future(base):
    outcome = play(base, SCENARIOS, settings("people=10"))
    ratio = outcome.change
    assert (ratio.lower, ratio.upper) == pytest.approx((1.1**0.5 - 1, 1.1**1.3 - 1), abs=0.006)
    base_band, _, difference = outcome.received
    assert difference.upper - difference.lower < base_band.upper - base_band.lower


def test_a_working_day_more_counts_beside_those_of_its_month():
    february = Calendar(dt.date(2027, 2, 1), Frequency.MONTH, (dt.date(2027, 2, 1),))
    open_days = working_days(dt.date(2027, 2, 1), dt.date(2027, 2, 28))
    assert 10 <= open_days <= 17  # Tết
    (ratio,) = february.ratio(SCENARIOS.lever("days"), Setting("days", 1))
    assert ratio == pytest.approx(1 + 1 / open_days)


@given(st.floats(-2, 2), st.floats(0, 2), st.floats(0, 2))
def test_an_elasticity_is_drawn_with_the_ends_of_its_interval(middle, below, above):
    drawn = Elasticity(middle, middle - below, middle + above).drawn("people", 0, 1000)
    expected = [middle - below, middle, middle + above]
    assert np.quantile(drawn, [0.1, 0.5, 0.9]) == pytest.approx(expected, abs=0.02)


# --- estimated across communes ---------------------------------------------------------------


def history(elasticity: float, scatter: float, seed: int) -> pl.DataFrame:
    """A year of 8 fields of 100 communes; a commune's luck is shared by all its fields."""
    chance = np.random.default_rng(seed)
    people = np.exp(chance.normal(10, 0.5, 100))
    luck = chance.normal(0, scatter, 100)
    return pl.DataFrame(
        [
            {
                "area": str(n),
                "category": f"f{field}",
                "received": chance.poisson(
                    400 * (people[n] / 22000) ** elasticity * np.exp(luck[n])
                ),
                "population": people[n],
                "kind": "phường" if n % 3 == 0 else "xã",
            }
            for n in range(100)
            for field in range(8)
        ]
    )


def test_an_elasticity_is_found_and_its_interval_covers_it_as_often_as_it_says():
    """Fields share the luck of their communes: were they taken as apart, 80 % would be 30 %."""
    covered = []
    for seed in range(60):
        found = pooled(fitted(history(0.9, 0.4, seed)))["f0"]
        covered.append(found.lower <= 0.9 <= found.upper)
    assert 0.65 <= np.mean(covered) <= 0.95


def test_fields_that_differ_keep_their_own_elasticity():
    errors = np.diag(np.full(6, 0.01**2))
    found = pooled(Slopes(tuple("abcdef"), np.array([0.2, 0.5, 0.8, 1.1, 1.4, 1.7]), errors))
    assert found["a"].estimate == pytest.approx(0.2, abs=0.01)
    assert found["f"].upper - found["f"].lower == pytest.approx(2 * 1.28 * 0.01, rel=0.05)


def test_too_few_communes_tell_nothing():
    assert (
        fitted(history(1, 0.3, 1).filter(pl.col("area").is_in([str(n) for n in range(10)]))) is None
    )


# --- kept ------------------------------------------------------------------------------------


def keep(base, home, *texts: str, queue: Told | None = None, **words: str):
    outcome = play(base, SCENARIOS, settings(*texts))
    told = {"name": "Tăng dân", "author": "Phòng TH", "rationale": "Khu công nghiệp mới"} | words
    saved = described(SCENARIOS, outcome, {}, **told, today=TODAY, build="00001", queue=queue)
    return save(home, saved), saved


def test_a_saved_scenario_comes_back_as_it_was_and_outlives_builds(base, tmp_path):
    code, saved = keep(base, tmp_path, "people=2", "decree=50@2027-01:land")
    build(tmp_path, rows(seed=2)).close()
    assert read(tmp_path, code) == saved
    assert [str(one) for one in read(tmp_path, code).moved] == [
        "decree=50@2027-01:land",
        "people=2",
    ]
    assert {one.evidence for one in saved.assumptions} == {"assumption"}
    assert [one.rationale for one in saved.assumptions] == ["r", "r"]


def test_what_became_of_the_queue_is_kept_and_a_file_without_it_keeps_its_code(base, tmp_path):
    code, plain = keep(base, tmp_path, "people=2")
    assert "queue" not in json.loads((tmp_path / "scenarios" / f"{code}.json").read_text("utf-8"))
    change = (Band(1, 2, 3), Band(2, 3, 4), Band(1, 1, 1))
    told = Told(TODAY, 103, *[change] * 4)
    other, _ = keep(base, tmp_path, "people=2", queue=told)
    assert other != code
    assert read(tmp_path, other).queue == told
    assert plain.queue is None


def test_the_same_scenario_saved_twice_is_one(base, tmp_path):
    assert keep(base, tmp_path, "people=2")[0] == keep(base, tmp_path, "people=2")[0]
    other = keep(base, tmp_path, "people=3")[0]
    assert list(kept(tmp_path)[0]).count(other) == 1
    assert len(kept(tmp_path)[0]) == 2


def test_a_file_that_was_changed_is_not_taken_for_what_was_saved(base, tmp_path):
    code, _ = keep(base, tmp_path, "people=2")
    path = tmp_path / "scenarios" / f"{code}.json"
    path.write_text(path.read_text("utf-8").replace("Tăng dân", "Giảm dân"), "utf-8")
    with pytest.raises(NoScenario, match="not what was saved"):
        read(tmp_path, code)
    assert kept(tmp_path) == ({}, [f"{code}.json"])


@pytest.mark.parametrize("code", ["aaaaaaaaaa", "../../etc", "", "AAAAAAAAAA"])
def test_a_code_that_is_not_kept_is_told(tmp_path, code):
    with pytest.raises(NoScenario, match="no scenario"):
        read(tmp_path, code)


@pytest.mark.parametrize("words", [{"name": " "}, {"author": ""}, {"rationale": "x" * 2001}])
def test_a_scenario_needs_a_name_an_author_and_a_reason(base, tmp_path, words):
    with pytest.raises(NotSaved):
        keep(base, tmp_path, "people=2", **words)


def test_the_base_is_not_a_scenario(base, tmp_path):
    with pytest.raises(NotSaved, match="no lever is moved"):
        keep(base, tmp_path, "people=0")


# --- targets and the catalog -----------------------------------------------------------------


def with_target(value: float):
    text = (
        HEAD
        + RESOURCES
        + f"""
targets:
- {{name: t, title: Đích, title_en: Goal, indicator: received, by: "2027", owner: UBND,
   baselines: [{{plan: congress, value: {value}, document: Nghị quyết}}]}}
"""
    )
    return parse_catalog(text)


def test_the_chance_of_a_target_moves_with_the_lever(base, tmp_path):
    total = np.median(base.paths.sum(axis=(0, 2))[:, 2:].sum(axis=1))
    with build(tmp_path, rows()) as warehouse:
        outcome = play(base, SCENARIOS, settings("people=5"))
        ((before, after),) = chances(warehouse, with_target(total), outcome, TODAY)
        none = chances(
            warehouse, with_target(total), play(base, SCENARIOS, settings("staff=5")), TODAY
        )
    assert before.verdict.chance == pytest.approx(0.5, abs=0.05)
    assert after.verdict.chance > before.verdict.chance
    assert none == []


@pytest.mark.parametrize(
    ("was", "becomes", "problem"),
    [
        ("minimum: -5", "minimum: 1", "does not go around 0"),
        ("kind: share", "kind: points", "cannot act on moved"),
        ("indicator: received\n  levers", "indicator: sent\n  levers", "'sent' is not"),
        ("lower: 0.5, upper: 1.3", "lower: 1.2, upper: 1.3", "outside its interval"),
        ("lower: 0.5, upper: 1.3", "lower: 0.5", "two ends"),
        ("name: staff", "name: people", "stands twice"),
        ("indicator: online, evidence", "evidence", "names it"),
        ("estimate: 0.2, lower", "evidence: source, estimate: 0.2, lower", "none is named"),
        ("maximum: 100", "maximum: 200", "between 0 and 100"),
        ("minimum: -30", "minimum: -100", "100 % or more"),
    ],
)
def test_a_mistake_in_the_levers_is_told(was, becomes, problem):
    assert was in RESOURCES
    with pytest.raises(Problems, match=problem):
        parse_catalog(HEAD + RESOURCES.replace(was, becomes, 1))


def test_the_catalog_of_the_city_has_the_levers_the_city_asks_for():
    found = load_catalog(ROOT / "data_catalog.yaml").scenarios
    asked = {"population", "online", "decree", "digitised", "staff", "working_days"}
    assert {lever.name for lever in found.levers} == asked
    assert all(
        effect.rationale and effect.rationale_en
        for lever in found.levers
        for effect in lever.effects
    )


def test_the_levers_of_the_guide_are_a_catalog():
    guide = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, flags=re.DOTALL)
    named = block.replace("applications_received", "received").replace(
        "indicator: population", "indicator: online"
    )
    resources = RESOURCES.split("scenarios:")[0]
    assert parse_catalog(HEAD + resources + named).scenarios.lever("population")


def test_nothing_is_estimated_that_no_lever_asks_for(tmp_path):
    with build(tmp_path, rows()) as warehouse:
        assert estimated(warehouse, SCENARIOS) == {}
