"""The table of goals: what was missed is said, and what was not measured is a dash."""

from benchmarks.page_report import page, reached

CROWD = {"p50": 100, "p95": 200, "first_p50": 300, "megabytes": 0.3, "cpu_ms": 40}
TOLD = {
    "day": "2026-11-22",
    "machine": "2 cores",
    "rounds": 5,
    "each": {"sessions": 30, "runs": 3, "pause": 8.0},
    "load": {
        "bare": {"warm": 1000, "cold": 1500},
        "one_chart": {"warm": 1100, "cold": 2000},
        "large": {"warm": 2100, "cold": 2600},
    },
    "choice": {
        "bare": {"text": 100},
        "one_chart": {"text": 110, "chart": 180},
        "large": {"text": 200, "chart": 340},
    },
    "bytes": {"bare": [1200, 130], "one_chart": [1700, 240], "large": [72_000, 18_000]},
    "sessions": {"bare": CROWD, "one_chart": CROWD, "large": CROWD | {"p95": 500}},
}


def test_each_goal_is_a_ratio_to_its_own_floor():
    assert [round(value, 2) for value in reached(TOLD, "large").values()] == [
        2.1,
        1.3,
        2.0,
        3.4,
        72.0,
        18.0,
        0.3,
        2.5,
    ]


def test_a_goal_that_is_missed_is_said_to_be():
    assert "| warm load / bare page | ≤ 2 | – | **2.10, missed** |" in page(TOLD)
    assert "| cold load / one-chart page | ≤ 1.4 | – | 1.30 |" in page(TOLD)


def test_loads_that_were_measured_too_early_are_said_to_be():
    assert "too low" in page(TOLD)
    assert "too low" not in page({**TOLD, "waits_for_parts": True})
