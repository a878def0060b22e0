"""Each rule finds what it is for, in figures that stand in a warehouse, and nothing else."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from conftest import HEAD, TODAY

from etl.catalog import parse_catalog
from etl.errors import Problems
from etl.warehouse import Warehouse
from forecasts.decisions.alert_log import note, owner, write
from forecasts.decisions.alert_replay import replay
from forecasts.decisions.alert_rules import Scene, look
from forecasts.decisions.trends import BENDS, CAUTION, MOST, bend

COMMUNES = [f"c{number:02d}" for number in range(30)]
RESOURCES = """
- name: desk
  title: Một cửa
  contributors: [{title: Sở Nội vụ}]
  sources: [{path: data/desk.csv}]
  clean: {areas: {level: commune, on: received}}
  schema:
    fields:
    - {name: area}
    - {name: category}
    - {name: received, type: date}
    - {name: finished, type: date}
  tables:
  - name: cases
    by: [area, category]
    measures:
    - {name: got, count: received}
    - {name: pending, stock: {from: received, until: finished}}
  indicators:
  - {name: got, title: Nhận, title_en: Received, value: got}
  - {name: pending, title: Tồn, title_en: Pending, value: pending, aggregate: last, better: down}
  forecast: {indicators: [got], frequency: month, horizon: 6, grains: [commune*category]}
"""
LIMITS = """
alerts:
  limits:
  - {name: many, title: Nhiều, title_en: Many, indicator: pending, above: 80, within: 2}
"""


def months(count: int) -> list[dt.date]:
    """The first days of the last months before October 2026 ends."""
    last = 2026 * 12 + 9
    return [dt.date(n // 12, n % 12 + 1, 1) for n in range(last - count + 1, last + 1)]


def figures(values: np.ndarray, *, indicator: str, category: str) -> pl.DataFrame:
    """Rows of `comparable` from `(communes, months)`."""
    rows = [
        {"indicator": indicator, "area": COMMUNES[row], "level": "commune", "category": category,
         "frequency": "month", "period": month, "period_end": month.replace(day=28),
         "value": float(values[row, column]), "simulated": False, "status": "final"}
        for row in range(len(values))
        for column, month in enumerate(months(values.shape[1]))
    ]  # fmt: skip
    return pl.DataFrame(rows)


def steady(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(50, (30, 58)).astype(float)


@pytest.fixture
def rung(tmp_path):
    """What the rules ring for in these figures."""

    def found(rule: str, rows: pl.DataFrame, *, extra: str = "", **tables: pl.DataFrame):
        catalog = parse_catalog(HEAD + RESOURCES + extra)
        with Warehouse.build(tmp_path, empty=True) as warehouse:
            for table, content in {"comparable": rows, **tables}.items():
                warehouse.write(table, content)
            looked = look(Scene(warehouse, catalog, TODAY), (rule,))
        return [alert for one in looked for alert in one.alerts]

    return found


def test_a_backlog_that_trebles_in_one_commune_rings_for_it(rung):
    values = steady(1)
    values[7, -3:] = [90, 120, 150]
    (found,) = rung("backlog", figures(values, indicator="pending", category="total"))
    assert (found.area, found.value, found.false_rate, found.looked_at) == ("c07", 150, 0.1, 30)
    assert found.since == dt.date(2026, 8, 1)


def test_a_backlog_that_grows_everywhere_alike_is_no_news_of_one_commune(rung):
    values = steady(2)
    values[:, -3:] = (values[:, -3:] * [1.3, 1.6, 2]).round()
    assert rung("backlog", figures(values, indicator="pending", category="total")) == []


def test_a_field_that_doubles_in_one_commune_rings_and_steady_ones_do_not(rung):
    values = steady(3)
    assert rung("rising", figures(values, indicator="got", category="land")) == []
    values[4, -3:] *= 2
    (found,) = rung("rising", figures(values, indicator="got", category="land"))
    assert (found.area, found.category) == ("c04", "land")
    assert found.value == values[4, -3:].sum()
    assert found.expected == values[4, -15:-12].sum()


def test_a_lasting_step_that_nobody_declared_rings_with_both_levels(rung):
    values = steady(4)
    values[9, -7:] *= 4
    (found,) = rung("break", figures(values, indicator="got", category="land"))
    assert found.area == "c09"
    assert found.since == dt.date(2026, 4, 1)
    assert found.value > 3 * found.expected


def test_asked_of_one_indicator_alone_it_rings_as_it_does_among_all(tmp_path):
    got, pending = steady(4), steady(5)
    got[9, -7:] *= 4
    pending[3, -7:] *= 4
    both = RESOURCES.replace("indicators: [got], freq", "indicators: [got, pending], freq")
    catalog = parse_catalog(HEAD + both)
    with Warehouse.build(tmp_path, empty=True) as warehouse:
        warehouse.write("comparable", figures(got, indicator="got", category="land"))
        warehouse.write("comparable", figures(pending, indicator="pending", category="land"))
        every = Scene(warehouse, catalog, TODAY)
        among_all = [alert for one in look(every, ("break",)) for alert in one.alerts]
        series = sum(len(one.panel.keys) for one in every.shifted)
        alone = Scene(warehouse, catalog, TODAY, frozenset({"pending"}), series)
        asked = [alert for one in look(alone, ("break", "rising")) for alert in one.alerts]
    assert [(one.subject, one.area) for one in among_all] == [("got", "c09"), ("pending", "c03")]
    assert [(one.key, one.p_value) for one in asked] == [
        (one.key, one.p_value) for one in among_all if one.subject == "pending"
    ]


def test_a_bend_without_a_step_rings_with_both_slopes_and_wandering_does_not(rung):
    rng = np.random.default_rng(8)
    values = 200 + rng.normal(0, 2, (30, 58))
    assert rung("trend", figures(values, indicator="got", category="land")) == []
    values[6, -9:] += 6 * np.arange(1, 10)
    (found,) = rung("trend", figures(values, indicator="got", category="land"))
    assert (found.area, found.rule) == ("c06", "trend")
    assert dt.date(2025, 10, 1) <= found.since <= dt.date(2026, 4, 1)
    assert abs(found.expected) < 15
    assert 40 < found.value < 110, "72 a year more"
    wandering = 400 + np.cumsum(rng.normal(0, 5, (30, 58)), axis=1)
    assert rung("trend", figures(wandering, indicator="got", category="land")) == []


@pytest.mark.parametrize("persistence", [0.0, 0.5, 1.0])
def test_bends_of_chance_are_as_rare_as_told_however_long_chance_lasts(persistence):
    errors = np.random.default_rng(9).standard_normal((4000, MOST + 40))
    for at in range(1, MOST + 40):
        errors[:, at] += persistence * errors[:, at - 1]
    found = np.stack([bend(errors[:, 40:], back).p_value for back in BENDS])
    told = np.minimum(CAUTION * len(BENDS) * found.min(axis=0), 1)
    for rate in (0.1, 0.01):
        assert np.mean(told <= rate) <= rate


LABELS = """
- name: calls
  title: Cuộc gọi
  sources: [{path: data/calls.csv}]
  clean: {areas: {level: commune, on: "2026-01-01"}}
  schema:
    fields:
    - {name: area}
    - {name: period, type: date}
    - {name: category, categories: [{value: a, label: A}, {value: b, label: B}, {value: other, label: C}]}
    - {name: version}
    - {name: number, type: integer}
  indicators: [{name: called, title: Gọi, title_en: Calls, value: number}]
"""  # noqa: E501


def called(weeks: int, moved_from: int) -> pl.DataFrame:
    """Calls of each day until yesterday's Sunday; the mix is another from a week on."""
    first = dt.date(2026, 11, 16) - dt.timedelta(weeks=weeks)
    rng = np.random.default_rng(3)
    rows = []
    for day in range(7 * weeks):
        shares = [0.6, 0.3, 0.1] if day < 7 * moved_from else [0.4, 0.5, 0.1]
        drawn = zip(("a", "b", "other"), rng.multinomial(300, shares), strict=True)
        rows += [
            {"area": "c01", "period": first + dt.timedelta(days=day), "category": topic,
             "version": "1" if day < 7 * moved_from else "2", "number": int(number)}
            for topic, number in drawn
        ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.mark.parametrize(("moved_from", "rings"), [(18, 1), (8, 0)])
def test_a_new_version_that_labels_otherwise_rings_while_it_is_news(tmp_path, moved_from, rings):
    catalog = parse_catalog(HEAD + LABELS)
    with Warehouse.build(tmp_path) as warehouse:
        with warehouse.registered(called(20, moved_from)) as view:
            warehouse.run(f"create table data_calls as from {view}")
        scene = Scene(warehouse, catalog, TODAY)
        (looked,) = look(scene, ("classifier",))
        done = {(one.rule, one.simulated): one for one in replay(scene)}
    assert [(one.subject, one.detail) for one in looked.alerts] == [
        ("calls", "new_version_2")
    ] * rings
    assert done["classifier", False].rung == 1
    assert (done["classifier", False].decided, done["classifier", False].confirmed) == (
        (0, 0) if rings else (1, 1)
    )


def given(came: dict[str, str]) -> pl.DataFrame:
    """Rows of `observation`: months, each with the day it was given."""
    rows = [
        {"indicator": "got", "area": "c01", "category": "total", "frequency": "month",
         "period": dt.date.fromisoformat(f"{month}-01"),
         "period_end": dt.date.fromisoformat(f"{month}-28"), "value": 1.0, "status": "final",
         "simulated": False, "dataset": "desk", "as_of": dt.date.fromisoformat(day)}
        for month, day in came.items()
    ]  # fmt: skip
    return pl.DataFrame(rows)


PLACE = pl.DataFrame({"code": ["c01"], "level": ["commune"], "name": ["Một"]})


@pytest.mark.parametrize(("last", "late"), [("2026-05", 1), ("2026-09", 0)])
def test_data_ring_when_a_newer_figure_was_due(rung, last, late):
    year, month = map(int, last.split("-"))
    ends = [dt.date(year, month - back, 1) for back in range(min(month, 8) - 1, -1, -1)]
    came = {day.strftime("%Y-%m"): f"{day:%Y-%m}-28" for day in ends}
    came = {"2025-11": "2025-11-28", "2025-12": "2025-12-28"} | came
    nothing = figures(steady(5)[:1], indicator="got", category="total")
    found = rung("late", nothing, observation=given(came), area=PLACE)
    assert [one.rule for one in found] == ["late"] * late


def test_a_replay_of_punctual_data_looks_on_no_day_that_is_still_to_come(tmp_path):
    came = {f"2026-{month:02}": f"2026-{month:02}-28" for month in range(1, 11)}
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("observation", given(came))
        warehouse.write("area", PLACE)
        done = {
            (one.rule, one.simulated): one
            for one in replay(Scene(warehouse, parse_catalog(HEAD + RESOURCES), TODAY))
        }
    late = done["late", False]
    assert (late.outcomes, late.rung) == (9, 0)
    assert late.until == dt.date(2026, 10, 28)


@pytest.mark.parametrize(("level", "rings"), [(100, 1), (60, 0)])
def test_a_limit_rings_when_most_paths_cross_it(rung, level, rings):
    ahead = {"indicator": "pending", "area": "can_tho", "category": "total", "frequency": "month"}
    origin = {"issue": 1, "issued": TODAY, "origin": dt.date(2026, 10, 1), "simulated": False}
    path = {"count": 50, "horizon": 2, "paths": [float(level)] * 100}
    band = [
        ahead | origin | {"period": dt.date(2026, 10 + h, 1), "horizon": h, "value": float(level),
                          "quantile_level": q}
        for h in (1, 2) for q in (0.1, 0.5, 0.9)
    ]  # fmt: skip
    found = rung(
        "limit",
        figures(steady(6)[:1], indicator="got", category="land"),
        extra=LIMITS,
        forecast=pl.DataFrame(band),
        forecast_path=pl.DataFrame([ahead | origin | path]),
        forecast_series=pl.DataFrame([ahead | {"issue": 1}]),
    )
    assert [(one.detail, one.chance, one.bound) for one in found] == [("many", 1.0, 80.0)] * rings


def test_a_replay_of_steady_counts_hardly_rings_and_looks_at_every_figure(tmp_path):
    catalog = parse_catalog(HEAD + RESOURCES)
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("comparable", figures(steady(7), indicator="got", category="land"))
        done = {(one.rule, one.simulated): one for one in replay(Scene(warehouse, catalog, TODAY))}
    assert done["rising", False].outcomes == 30 * 24
    assert done["band", False].outcomes > 200
    assert done["rising", True].outcomes == 0
    assert done["trend", False].outcomes == done["break", False].outcomes > 30 * 20
    for rule in ("band", "rising", "break", "trend"):
        assert done[rule, False].rung <= 3


@pytest.mark.parametrize(("worst", "days"), [(0, 0), (3, 30 + 31 + 30)])
def test_a_replay_tells_how_long_before_its_worst_a_backlog_would_have_rung(tmp_path, worst, days):
    values, august = steady(5), 55 - 12
    values[7, august:] = 300
    values[7, august + worst] = 500
    catalog = parse_catalog(HEAD + RESOURCES)
    with Warehouse.build(tmp_path) as warehouse:
        warehouse.write("comparable", figures(values, indicator="pending", category="total"))
        done = {(one.rule, one.simulated): one for one in replay(Scene(warehouse, catalog, TODAY))}
    told = done["backlog", False]
    assert (told.confirmed, told.days) == (1, days)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{name: a, title: A, title_en: A, indicator: gott, above: 1}", "gott"),
        ("{name: a, title: A, title_en: A, indicator: got, area: x, above: 1}", "no code"),
        ("{name: a, title: A, title_en: A, indicator: got}", "either above or below"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_at_its_line(entry, problem):
    with pytest.raises(Problems, match=problem):
        parse_catalog(HEAD + RESOURCES + f"alerts:\n  limits:\n  - {entry}\n")


def test_readers_and_limits_stand_once():
    twice = "alerts: {readers: [{name: a, title: A}, {name: a, title: A}]}\n"
    with pytest.raises(Problems, match="stands twice"):
        parse_catalog(HEAD + RESOURCES + twice)


# --- forecasts that drift ----------------------------------------------------------------------


def scores_of(held: list[bool], *, frequency: str = "month", simulated: bool = False):
    """Scores of the last periods before November 2026; where a band did not hold, none did."""
    whole = months(len(held)) if frequency == "month" else days(len(held))
    rows = [
        {"scoring": 1, "issue": number, "issued": period, "indicator": "got", "area": "can_tho",
         "level": "city", "category": "total", "frequency": frequency, "period": period,
         "period_end": period.replace(day=28) if frequency == "month" else period,
         "horizon": 1, "simulated": simulated, "against": "latest", "expected": 100.0,
         "covered_50": inside, "covered_80": inside, "covered_95": inside, "pit": 0.5}
        for number, (period, inside) in enumerate(zip(whole, held, strict=True))
    ]  # fmt: skip
    return pl.DataFrame(rows)


def days(count: int) -> list[dt.date]:
    return [dt.date(2026, 10, 28) - dt.timedelta(days=back) for back in range(count - 1, -1, -1)]


def test_forecasts_that_drift_ring_once_a_series_and_ask_whoever_runs_the_system(tmp_path):
    catalog = parse_catalog(HEAD + RESOURCES)
    with Warehouse.build(tmp_path, empty=True) as warehouse:
        warehouse.write("scored", scores_of([True, False] * 10))
        (looked,) = look(Scene(warehouse, catalog, TODAY), ("drift",))
    (alert,) = looked.alerts
    assert (alert.subject, alert.detail) == ("got", "too_narrow_95")
    assert "vận hành hệ thống" in owner(catalog, alert)[0]


def test_a_drift_that_was_closed_rings_again_only_for_what_came_after(tmp_path):
    catalog = parse_catalog(HEAD + RESOURCES)
    known = scores_of([True] * 12 + [False] * 12)
    closed_on = dt.datetime(2026, 4, 15, tzinfo=dt.UTC)
    with Warehouse.build(tmp_path, empty=True) as warehouse:
        scene = Scene(warehouse, catalog, TODAY)
        warehouse.write("scored", known.filter(pl.col("period") < dt.date(2026, 4, 1)))
        (first,) = look(scene, ("drift",))
        write(warehouse, list(first.alerts), today=closed_on.date(), now=closed_on)
        note(warehouse, [(first.alerts[0].key, "closed", "An", "")], closed_on)
        assert look(scene, ("drift",)) == []
        warehouse.write("scored", known.filter(pl.col("period") >= dt.date(2026, 4, 1)))
        (again,) = look(scene, ("drift",))
    assert [alert.since for alert in again.alerts] == [dt.date(2026, 4, 1)]


@pytest.mark.parametrize(("frequency", "periods", "looks"), [("month", 30, 24), ("day", 60, 3)])
def test_a_replay_looks_for_drift_at_the_end_of_months_and_counts_it_once(
    tmp_path, frequency, periods, looks
):
    kept = scores_of([False] * periods, frequency=frequency, simulated=True)
    with Warehouse.build(tmp_path, empty=True) as warehouse:
        warehouse.write("replayed_score", kept)
        (found,) = [
            one
            for one in replay(Scene(warehouse, parse_catalog(HEAD + RESOURCES), TODAY))
            if (one.rule, one.simulated) == ("drift", True)
        ]
    assert (found.looks, found.rung) == (looks, 1)
