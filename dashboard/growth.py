"""A growth that is published for years and for several years together, and what follows from it.

No engine takes so few figures, but targets are judged by them: who opens such a target sees the
history it rests on, the years to come, and what is asked of them.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from dashboard.charts import Drawing, Fan, fan
from dashboard.declared import goals
from dashboard.published import CITY, unit_of
from dashboard.reader import Reader
from forecasts.decisions.past_growth import Grown, Step, grown, steps
from forecasts.decisions.targets import Judged

QUANTILES = {"q025": 0.025, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q975": 0.975}
WHOLE = 100.0


def judged_by_growth(reader: Reader, indicator: str) -> list[Judged]:
    """The targets on an indicator that are judged by the growths published before."""
    found = reader.build.judged(reader.today)
    return [one for one in found if one.target.indicator == indicator and one.verdict.grown]


def growth_fan(reader: Reader, indicator: str) -> Drawing:
    """Growth of the city a year: as published, as expected, and as the targets ahead ask.

    A year without a figure of its own stands at the mean of the years it was published with.

    Raises:
        ValueError: no target on the indicator is judged by its published growths.
    """
    asked = judged_by_growth(reader, indicator)
    figures = _outcomes(reader, indicator)
    found = grown(figures, max((one.target.period.end.year for one in asked), default=0))
    if found is None:
        raise ValueError(f"no target is judged by published growths of {indicator}")
    row = reader.rows("indicators").filter(indicator=indicator).row(0, named=True)
    observed = years(steps(figures))
    last = observed.row(-1, named=True)
    drawn = goals(reader, indicator, CITY, (last["period"], last["value"]))
    content = Fan(
        observed=observed,
        ahead=_ahead(found),
        frequency="year",
        unit=unit_of(reader, row),
        simulated=False,
        title=reader.title(row),
        decimals=row["decimals"] or 0,
        origin_note=reader.text("chart.data_until_period", period=str(found.until)),
        # They ask for the same of different years.
        goals=tuple(
            replace(goal, short=goal.label)
            for goal in drawn
            if goal.period.year >= reader.today.year
        ),
    )
    return fan(reader, content)


def _outcomes(reader: Reader, indicator: str) -> pl.DataFrame:
    """What was published of the city, newest first: the figures that targets are judged by."""
    return reader.rows("observations", indicator=indicator).filter(
        pl.col("area") == CITY, pl.col("status") != "plan"
    )


def years(known: Sequence[Step]) -> pl.DataFrame:
    """One row a year, as a fan shows it; years that share a figure are marked as estimated."""
    rows = [
        (dt.date(year, 1, 1), WHOLE * np.expm1(step.growth / len(step.years)), len(step.years) > 1)
        for step in known
        for year in step.years
    ]
    shape = {"period": pl.Date, "value": pl.Float64, "shared": pl.Boolean}
    return (
        pl.DataFrame(rows, schema=shape, orient="row")
        .sort("period")
        .with_columns(
            lower=pl.lit(None, pl.Float64),
            upper=pl.lit(None, pl.Float64),
            status=pl.lit("final"),
            estimated_share=pl.col("shared").cast(pl.Float64),
        )
    )


def _ahead(found: Grown) -> pl.DataFrame:
    levels = np.quantile(found.paths, list(QUANTILES.values()), axis=0)
    return pl.DataFrame({"period": found.periods} | dict(zip(QUANTILES, levels, strict=True)))
