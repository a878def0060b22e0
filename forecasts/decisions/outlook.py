"""The next 14 days of each commune, for the citizens' assistant and the hotline.

The form is `SCHEMA`, described in docs/workload.md. A new key may come; one that changes its
meaning or goes makes a new number.
"""

from datetime import date
from typing import Any

import numpy as np

from etl.simulate import STATEMENT
from forecasts.decisions.workload import FORTNIGHT, LOWER, UPPER, WINDOWS, Ahead, by_commune
from forecasts.panel import Floats

SCHEMA = "cantho-foresight/load-outlook/1"
BUSY, PEAK = 1.1, 1.4
"""Times the usual working day of the commune in the quarter, from which a day is so called."""


def outlook(ahead: Ahead) -> dict[str, Any]:
    """The content of `load_outlook.json`."""
    days = _days(ahead)
    working = np.array([day in set(ahead.days) for day in days])
    every = ahead.arrivals.counts[..., -len(days) :].sum(axis=2)
    usual = every[:, :, working].mean(axis=(0, 2))
    chances = {window: by_commune(ahead, window)["overload"].to_list() for window in WINDOWS}
    return {
        "schema": SCHEMA,
        "issued": ahead.today.isoformat(),
        "data_until": ahead.until.isoformat(),
        "told_until": ahead.last.isoformat(),
        "simulated": ahead.simulated,
        "statement": STATEMENT if ahead.simulated else None,
        "range": [LOWER, UPPER],
        "communes": [
            {
                "code": place["area"],
                "name": place["name"],
                "kind": place["kind"],
                "usual_day": round(float(usual[at]), 1),
                "overload_chance_14_days": _tenth(chances["fortnight"][at]),
                "overload_chance_quarter": _tenth(chances["quarter"][at]),
                "days": _told(days[:FORTNIGHT], working, every[:, at], float(usual[at])),
                "peak_days": _peaks(days, working, every[:, at], float(usual[at])),
            }
            for at, place in enumerate(ahead.places.iter_rows(named=True))
        ],
    }


def level(expected: float, usual: float, *, working: bool) -> str:
    """`closed` on a day off, else `calm`, `busy` or `peak` beside the usual working day."""
    if not working:
        return "closed"
    if usual <= 0 or expected < BUSY * usual:
        return "calm"
    return "peak" if expected >= PEAK * usual else "busy"


def _days(ahead: Ahead) -> list[date]:
    """Days from today on, to the last there is."""
    return [day for day in ahead.arrivals.days if day >= ahead.today]


def _told(days: list[date], working: Floats, counts: Floats, usual: float) -> list[dict[str, Any]]:
    low, high = np.quantile(counts[:, : len(days)], [LOWER, UPPER], axis=0)
    means = counts.mean(axis=0)
    return [
        {
            "date": day.isoformat(),
            "working": bool(working[at]),
            "received": round(float(means[at]), 1),
            "lower": float(low[at]),
            "upper": float(high[at]),
            "level": level(float(means[at]), usual, working=bool(working[at])),
        }
        for at, day in enumerate(days)
    ]


def _peaks(days: list[date], working: Floats, counts: Floats, usual: float) -> list[str]:
    means = counts.mean(axis=0)
    return [
        day.isoformat()
        for at, day in enumerate(days)
        if level(float(means[at]), usual, working=bool(working[at])) == "peak"
    ]


def _tenth(chance: float | None) -> float | None:
    return None if chance is None else round(chance, 1)
