"""What knowing Tết is worth: `python -m benchmarks.calendar`.

Counts of 103 communes and 15 fields over 96 months are drawn with a level, a trend and a season,
with Tết and without, for windows that end in different years; the last 12 months are forecast by
level times season from the other 84. Told are the errors of the total of January and February, and
of all cells and months, in percent: without the calendar, with the effect as it is learned, and
with the one that was put in.
"""

import sys
import time
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from etl.calendars import share_around_tet
from etl.periods import Frequency, Period
from forecasts.calendar_effects import calendar_effects
from forecasts.calendar_regressors import MONTH_WINDOWS, regressors
from forecasts.panel import Floats, Panel, steps

COMMUNES, FIELDS, KNOWN, HORIZON = 103, 15, 84, 12
STARTS = range(2013, 2020)
TET = (0.10, -0.35, 0.0)
"""Log effects of the week before Tết, of the 8 days from it, and of the two weeks after."""
OWN = 0.05
"""Standard deviation of these effects between cells."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A panel of `KNOWN` + `HORIZON` months, and the log effects put in, `(series, 3)`."""

    panel: Panel
    effects: Floats


def main() -> None:
    """Measure and print a table."""
    lines = ["| counts | none | learned | put in | cells: none | learned | put in | groups | s |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    cases = {"with Tết": (True, 20.0), "small, with Tết": (True, 3.0)}
    cases |= {"without": (False, 20.0), "small, without": (False, 3.0)}
    for name, (tet, level) in cases.items():
        figures = np.mean([errors(draw(start, tet=tet, level=level)) for start in STARTS], axis=0)
        lines.append(f"| {name} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


def draw(start: int, *, tet: bool, level: float) -> Drawn:
    """Counts from January of a year on, which is also the seed."""
    chance = np.random.default_rng(start)
    series, months = COMMUNES * FIELDS, KNOWN + HORIZON
    field = np.repeat(np.arange(FIELDS), COMMUNES)
    periods = steps(date(start, 1, 1), Frequency.MONTH, months)
    size = level * chance.lognormal(0, 0.8, FIELDS)[field] * chance.lognormal(0, 0.5, series)
    season = chance.normal(0, 0.15, (FIELDS, 12))[field][:, np.arange(months) % 12]
    trend = chance.normal(0.03, 0.03, series)[:, None] * np.arange(months) / 12
    effects = (np.array(TET) + chance.normal(0, OWN, (series, 3))) * tet
    mean = size[:, None] * np.exp(season + trend + effects @ shares(periods).T)
    keys = pl.DataFrame(
        {"indicator": ["r"] * series, "area": np.arange(series) % COMMUNES, "category": field}
    )
    values = chance.poisson(mean).astype(float)
    free = np.full(series, np.inf)
    return Drawn(
        Panel(keys, periods, values, Frequency.MONTH, np.zeros(series), free, tet=True), effects
    )


def shares(periods: tuple[date, ...]) -> Floats:
    """Shares of the days around Tết in each month, not centred: `(months, 3)`."""
    months = [Period.containing(Frequency.MONTH, day) for day in periods]
    return np.array(
        [
            [share_around_tet(month.start, month.end, *window) for window in MONTH_WINDOWS.values()]
            for month in months
        ]
    )


def errors(drawn: Drawn) -> list[float]:
    """In percent, of January and February in total and of all cells; groups used, and seconds."""
    past, outcome = drawn.panel.until(KNOWN - 1), drawn.panel.values[:, KNOWN:]
    started = time.perf_counter()
    learned = calendar_effects(past, HORIZON)
    factors = np.concatenate([learned.past, learned.future], axis=1)
    seconds = time.perf_counter() - started
    told = regressors(drawn.panel.periods, Frequency.MONTH).values[:, :3]
    tried = [np.ones(factors.shape), factors, np.exp(drawn.effects @ told.T)]
    paths = [level_and_season(past, known) for known in tried]
    totals = [_off(path[:, :2].sum(axis=0), outcome[:, :2].sum(axis=0)) for path in paths]
    cells = [_off(path, outcome) for path in paths]
    return [*totals, *cells, sum(map(bool, learned.used.values())), seconds]


def _off(path: Floats, outcome: Floats) -> float:
    return float(100 * np.abs(path - outcome).sum() / outcome.sum())


def level_and_season(past: Panel, factors: Floats) -> Floats:
    """The last year's level, with the trend and the season of the field, and the calendar."""
    calm, groups = past.values / factors[:, :KNOWN], past.siblings
    paths = np.empty((len(calm), HORIZON))
    weights = np.r_[0.5, np.ones(11), 0.5] / 12
    for group in range(FIELDS):
        total = calm[groups == group].sum(axis=0)
        ratios = total[6:-6] / np.convolve(total, weights, "valid")
        season = np.array([ratios[(np.arange(6, KNOWN - 6) % 12) == at].mean() for at in range(12)])
        season *= 12 / season.sum()
        usual = season[np.arange(KNOWN) % 12]
        growth = np.polyfit(np.arange(36), np.log((total / usual)[-36:]), 1)[0]
        level = (calm[groups == group] / usual)[:, -12:].mean(axis=1)
        path = np.exp(growth * (np.arange(HORIZON) + 6.5)) * season[np.arange(HORIZON)]
        paths[groups == group] = level[:, None] * path
    return paths * factors[:, KNOWN:]


if __name__ == "__main__":
    main()
