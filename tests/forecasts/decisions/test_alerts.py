"""What rings: once for an outcome, worst first, within a budget, after a replay, and never lost."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from conftest import HEAD, TODAY
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.catalog import AlertReader, parse_catalog
from etl.periods import Frequency
from etl.warehouse import LedgerChanged, Warehouse
from forecasts.decisions.alert_log import (
    NoSuchAlert,
    NotNow,
    alerts,
    for_reader,
    note,
    record,
    ring,
    to_send,
)
from forecasts.decisions.alert_replay import Case, allowed, keep, summed
from forecasts.decisions.alerts import RULES, Alert, once, within
from forecasts.decisions.rises import BACKLOG, FIELD, rises
from forecasts.panel import Panel

NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
CATALOG = parse_catalog(
    HEAD
    + """
- name: tourism
  title: Du lịch
  contributors: [{title: Sở Du lịch, title_en: Department of Tourism}]
  sources: [{path: data/visitors.csv}]
  clean: {areas: {level: city}}
  schema: {fields: [{name: area}, {name: period}, {name: value, type: number}]}
  indicators: [{name: visitors, title: Khách, title_en: Visitors}]
"""
)
LEADERS = AlertReader(name="leaders", title="Lãnh đạo", budget=2)


def alert(subject: str = "visitors", surprise: float = 4.0, **given) -> Alert:
    place = {"rule": "band", "area": "c", "level": "city", "category": "total"}
    when = {"frequency": "month", "period": dt.date(2026, 10, 1)}
    more = {"period_end": dt.date(2026, 10, 31), "since": dt.date(2026, 10, 1)}
    said = place | when | more | {"simulated": False} | given
    return Alert(subject=subject, surprise=surprise, **said)


def outcome(observed: float, *, simulated: bool = False, month: int = 10, issue: int = 1) -> dict:
    """A forecast of 100 with a band of 80 to 120, issued in time, and what came."""
    series = {"indicator": "visitors", "area": "c", "category": "total", "frequency": "month"}
    period = dt.date(2026, month, 1)
    quantiles = (80, 87, 93, 100, 107, 113, 120)
    forecast = [
        series
        | {"issue": issue, "issued": dt.date(2026, month, 2), "period": period, "horizon": 1}
        | {"quantile_level": level, "value": value, "simulated": simulated}
        for level, value in zip(LEVELS, quantiles, strict=True)
    ]
    scored = series | {
        "scoring": issue,
        "issue": issue,
        "issued": dt.date(2026, month, 2),
        "level": "city",
        "period": period,
        "period_end": dt.date(2026, month, 28),
        "horizon": 1,
        "simulated": simulated,
        "against": "latest",
        "observed": observed,
    }
    return {"forecast": pl.DataFrame(forecast), "scored": pl.DataFrame([scored])}


def replayed(rule: str = "band", *, simulated: bool = False):
    case = Case(dt.date(2025, 1, 31), True, True, 31.0)
    return summed(rule, simulated, [case], TODAY, 0.1)


def rung(warehouse: Warehouse, *outcomes: dict) -> list[Alert]:
    for one in outcomes:
        for table, rows in one.items():
            warehouse.write(table, rows)
    return ring(warehouse, CATALOG, today=TODAY, now=NOW)


@pytest.fixture
def warehouse(tmp_path):
    with Warehouse.build(tmp_path) as found:
        keep(found, [replayed(), replayed(simulated=True)])
        yield found


def test_an_outcome_outside_its_band_rings_with_figure_band_and_false_rate(warehouse):
    (found,) = rung(warehouse, outcome(200))
    assert (found.value, found.expected, found.lower, found.upper) == (200, 100, 80, 120)
    assert found.false_rate == 0.1
    assert found.looked_at == 1
    assert found.p_value < 1e-9
    (kept,) = alerts(warehouse)
    assert kept.alert == found
    assert kept.state == "opened"


def test_an_outcome_inside_its_band_does_not_ring(warehouse):
    assert rung(warehouse, outcome(110)) == []


def test_one_outcome_never_rings_twice(warehouse):
    assert len(rung(warehouse, outcome(200))) == 1
    assert rung(warehouse) == []
    key = alerts(warehouse)[0].alert.key
    record(warehouse, key, "closed", who="An", text="", now=NOW)
    assert rung(warehouse) == []


def test_a_series_whose_alert_is_open_does_not_ring_for_its_next_outcome(warehouse):
    rung(warehouse, outcome(200, month=9))
    assert rung(warehouse, outcome(210, month=10, issue=2)) == []
    record(warehouse, alerts(warehouse)[0].alert.key, "closed", who="An", text="", now=NOW)
    assert len(rung(warehouse)) == 1


def test_a_rule_that_was_not_replayed_does_not_ring(tmp_path):
    with Warehouse.build(tmp_path) as warehouse:
        assert rung(warehouse, outcome(200)) == []
        keep(warehouse, [replayed(simulated=True)])
        assert rung(warehouse) == []
        keep(warehouse, [replayed()])
        assert len(rung(warehouse)) == 1


def test_a_rule_on_which_history_says_nothing_is_not_allowed():
    assert allowed([summed("band", False, [], TODAY, 0.1)]) == set()
    assert allowed([replayed("late", simulated=True)]) == {("late", False), ("late", True)}


@given(st.permutations(RULES))
def test_of_several_rules_for_one_outcome_the_first_counts(order):
    found = once([alert(rule=rule) for rule in order])
    assert [one.rule for one in found if one.rule not in ("limit", "drift")] in (["band"], [])
    assert len({one.outcome for one in found}) == len(found)


@given(st.lists(st.floats(0, 10), max_size=20), st.integers(0, 8), st.integers(0, 8))
def test_a_week_tells_the_worst_and_lists_the_rest(sizes, budget, spent):
    every = [alert(f"i{place}", size) for place, size in enumerate(sizes)]
    shown, behind = within(every, budget, spent)
    assert len(shown) == min(len(every), max(budget - spent, 0))
    assert sorted(one.key for one in shown + behind) == sorted(one.key for one in every)
    assert all(a.surprise >= b.surprise for a in shown for b in behind)


def opened(warehouse: Warehouse, *found: Alert) -> None:
    from dataclasses import asdict

    from forecasts.decisions.alert_log import _floats

    rows = [{**asdict(one), "alert": one.key, "run": 1, "rung_on": TODAY} for one in found]
    warehouse.write("alert", pl.DataFrame(rows, schema_overrides=_floats()))
    note(warehouse, [(one.key, "opened", "foresight", "") for one in found], NOW)


def test_what_was_sent_spends_the_budget_of_the_week_and_is_not_sent_again(warehouse):
    opened(warehouse, *(alert(f"i{place}", place) for place in range(4)))
    first = to_send(alerts(warehouse), LEADERS, TODAY)
    assert [one.alert.subject for one in first] == ["i3", "i2"]
    note(warehouse, [(one.alert.key, "sent", "leaders", "") for one in first], NOW)
    assert to_send(alerts(warehouse), LEADERS, TODAY) == []
    later = to_send(alerts(warehouse), LEADERS, TODAY + dt.timedelta(days=7))
    assert [one.alert.subject for one in later] == ["i1", "i0"]


def test_simulated_alerts_reach_no_reader_and_ask_nobody(warehouse):
    opened(warehouse, alert(simulated=True))
    (kept,) = alerts(warehouse)
    assert for_reader([kept], LEADERS, TODAY) == ([], [])
    assert to_send([kept], LEADERS, TODAY) == []
    with pytest.raises(NotNow, match="simulated"):
        record(warehouse, kept.alert.key, "asked", who="An", text="Vì sao?", now=NOW)


def test_the_way_of_an_alert_is_kept_with_who_when_and_words(warehouse):
    opened(warehouse, alert(value=200.0))
    key = alerts(warehouse)[0].alert.key
    for event, who, text in (
        ("acknowledged", "An", ""),
        ("asked", "Sở Du lịch", "Vì sao tăng gấp đôi?"),
        ("explained", "Bình", "Lễ hội kéo dài"),
        ("closed", "An", ""),
    ):
        kept = record(warehouse, key, event, who=who, text=text, now=NOW)
    assert kept.state == "closed"
    assert kept.alert.value == 200.0
    assert (kept.asked.text, kept.answer.text) == ("Vì sao tăng gấp đôi?", "Lễ hội kéo dài")
    assert [entry.who for entry in kept.log] == ["foresight", "An", "Sở Du lịch", "Bình", "An"]
    with pytest.raises(NotNow):
        record(warehouse, key, "acknowledged", who="An", text="", now=NOW)


def test_an_unknown_alert_and_an_explanation_without_words_are_refused(warehouse):
    with pytest.raises(NoSuchAlert):
        record(warehouse, "band:x", "closed", who="An", text="", now=NOW)
    opened(warehouse, alert())
    key = alerts(warehouse)[0].alert.key
    with pytest.raises(NotNow):
        record(warehouse, key, "explained", who="An", text=" ", now=NOW)
    with pytest.raises(NotNow):
        record(warehouse, key, "acknowledged", who="", text="", now=NOW)


def test_alerts_and_their_log_cannot_be_changed_afterwards(tmp_path):
    with Warehouse.build(tmp_path) as warehouse:
        opened(warehouse, alert())
    for table in ("alert", "alert_log"):
        with pytest.raises(LedgerChanged), Warehouse.build(tmp_path) as warehouse:
            warehouse.clear(table)
    with Warehouse.open(tmp_path) as warehouse:
        assert len(alerts(warehouse)) == 1


def counts(series: int, months: int, seed: int, mean: float = 40) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, (series, months)).astype(float)


def panel_of(values: np.ndarray) -> Panel:
    keys = pl.DataFrame(
        {
            "indicator": ["i"] * len(values),
            "area": [str(n) for n in range(len(values))],
            "category": ["total"] * len(values),
        }
    )
    from forecasts.panel import steps

    wide = np.full(len(values), np.inf)
    months = steps(dt.date(2020, 1, 1), Frequency.MONTH, values.shape[1])
    return Panel(keys, months, values, Frequency.MONTH, -wide, wide)


@pytest.mark.parametrize("shape", [BACKLOG, FIELD])
def test_ranks_of_rises_are_uniform_where_nothing_rises(shape):
    p = rises(panel_of(counts(600, 90, 3)), shape).p_value[:, 40:]
    for bar in (0.5, 0.1, 0.02):
        assert np.mean(p <= bar) == pytest.approx(bar, rel=0.25)


@settings(max_examples=20)
@given(st.integers(0, 400), st.integers(0, 400))
def test_a_larger_rise_is_never_less_of_a_surprise(some, more):
    values = counts(30, 40, 4)
    found = []
    for extra in (some, some + more):
        raised = values.copy()
        raised[7, -1] = 40 + extra
        found.append(rises(panel_of(raised), BACKLOG).p_value[7, -1])
    assert found[1] <= found[0]


def test_a_field_that_rises_in_one_commune_is_found_and_a_rise_everywhere_is_not():
    values = counts(100, 72, 5)
    values[:, -3:] *= 1.5
    everywhere = rises(panel_of(values.copy()), FIELD).p_value[:, -1]
    assert everywhere.min() > 1e-4
    values[7, -3:] *= 2
    assert rises(panel_of(values), FIELD).p_value[7, -1] < 0.001


def test_what_comes_later_changes_nothing_of_what_was_said():
    values = counts(30, 60, 6)
    whole = rises(panel_of(values), BACKLOG)
    cut = rises(panel_of(values[:, :50]), BACKLOG)
    np.testing.assert_array_equal(whole.p_value[:, :50], cut.p_value)


def test_a_replay_counts_alerts_what_followed_and_how_far_ahead():
    day = dt.date(2025, 1, 31)
    cases = [
        Case(day, True, True, 30.0),
        Case(day, True, True, 60.0),
        Case(day, True, False),
        Case(day, True, None),
        Case(day, False, False),
        Case(dt.date(2025, 2, 28), False, True, 30.0),
    ]
    found = summed("band", False, cases, TODAY, 0.1)
    assert (found.looks, found.outcomes, found.rung) == (2, 6, 4)
    assert (found.decided, found.confirmed, found.days) == (3, 2, 45.0)
    assert found.base == pytest.approx(1 / 2)


def test_what_follows_alerts_alone_says_nothing_of_figures_without_one():
    cases = [Case(TODAY, True, True, 30.0), Case(TODAY, False, None)]
    assert summed("break", False, cases, TODAY, 0.1).base is None
