"""What was told of targets, as it was told: a row where the chance of a baseline is another.

Chances from pace and from growth published rest on no issued forecast; without these rows nobody
could say later whether they were right. Rows are added by every refresh, and never changed.
"""

from datetime import date

import polars as pl

from etl.catalog import Catalog
from etl.warehouse import Warehouse
from forecasts.decisions.targets import Judged, Verdict, judge

SAME = 1e-6
"""Chances that differ by less are one."""
KEY = ["target", "plan", "asked"]


def keep_chances(warehouse: Warehouse, catalog: Catalog, today: date) -> int:
    """Add what is told `today` of targets that lie ahead; how many rows were added."""
    run = warehouse.count("select coalesce(max(run), 0) + 1 from target_told")
    rows = [
        _row(judged, verdict, run, today)
        for judged in judge(warehouse, catalog, today)
        for verdict in judged.verdicts
        if verdict.chance is not None and not verdict.settled
    ]
    if not rows:
        return 0
    before = warehouse.query("forecasts", "target_told").select(*KEY, last="chance")
    fresh = pl.DataFrame(rows).join(before, on=KEY, how="left", maintain_order="left")
    fresh = fresh.filter(
        pl.col("last").is_null() | ((pl.col("chance") - pl.col("last")).abs() > SAME)
    )
    warehouse.write("target_told", fresh.drop("last"))
    return len(fresh)


def _row(judged: Judged, verdict: Verdict, run: int, today: date) -> dict[str, object]:
    return {
        "run": run,
        "told_on": today,
        "target": judged.target.name,
        "plan": verdict.baseline.plan,
        "asked": verdict.baseline.value,
        "period_end": judged.target.period.end,
        "chance": verdict.chance,
        "way": "pace" if verdict.pace else "growth" if verdict.grown else "paths",
        "simulated": judged.simulated,
    }
