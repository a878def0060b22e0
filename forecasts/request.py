"""What the catalog asks to forecast, and the series the warehouse has for it.

A job is a set of series forecast together: they share frequency, grain and horizon, and lend each
other their errors. At grains of many areas it is one indicator; elsewhere the indicators of a
dataset, those of one kind where months or days tell kinds apart. Series that cannot be forecast
are refused here, with what would help.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from etl.catalog import Catalog, ForecastEntry, Indicator
from etl.periods import Frequency
from etl.publish.protect import counts
from etl.warehouse import Warehouse
from forecasts.panel import KEY, Panel

LEAST_POINTS = {
    Frequency.DAY: 28,
    Frequency.WEEK: 104,
    Frequency.MONTH: 24,
    Frequency.QUARTER: 12,
    Frequency.YEAR: 8,
}
"""Two rounds of the season, more where it is short. Years: 4 values before the first of 3 origins,
and 2 steps scored from each."""
SAME_DIGITS = 10
"""Significant digits in which a value must differ from that of the last issue to be another."""
MOST_MISSING = 1 / 3
"""Share of periods between the first and the last value that may be gaps."""
AFTERWARDS = (
    "decisions",
    "drift.py",
    "explain.py",
    "file",
    "ledger.py",
    "nowcast.py",
    "parts.py",
    "register.py",
    "replay.py",
    "scheduler.py",
    "sums.py",
    "track_record.py",
    "year_on_year.py",
)
"""What works on forecasts once they are made, or without them."""
MANY_AREAS = ("commune",)
MOST_MIXED = 4
"""Longest season of series that lend each other their errors whatever they measure."""
HELP = {
    "empty": "load_values",
    "too_short": "more_periods",
    "too_many_gaps": "fill_gaps",
    "constant": "check_source",
}
"""What would make a forecast possible, by the reason for which there is none."""


@dataclass(frozen=True)
class Job:
    """Series to forecast together."""

    indicators: tuple[Indicator, ...]
    level: str
    by_category: bool
    frequency: Frequency
    horizon: int
    tet: bool

    @property
    def title(self) -> str:
        """For progress: 'resolved, commune by category, month'."""
        names = self.indicators[0].name if len(self.indicators) == 1 else f"{len(self.indicators)}"
        grain = f"{self.level} by category" if self.by_category else self.level
        return f"{names}, {grain}, {self.frequency}"


@dataclass(frozen=True, eq=False)
class Found:
    """The series of a job: one row each in `series`, values in `frame`, one row a value.

    Columns of `series`: those of `KEY`, points, first, last, simulated, data_as_of, lowest,
    highest, counted (whole things, whatever shares of them history holds), refused (null where
    there will be a forecast) and input_key, equal while nothing has changed.
    """

    job: Job
    series: pl.DataFrame
    frame: pl.DataFrame


def jobs(catalog: Catalog) -> list[Job]:
    """Every job of the catalog; an indicator asked for twice at one grain is forecast once."""
    asked: set[tuple[str, str, Frequency]] = set()
    together: dict[tuple[str, str, Job], list[Indicator]] = {}
    for dataset in catalog.resources:
        for entry in dataset.forecast:
            for grain in entry.grains:
                job = _job(grain, entry)
                for name in entry.indicators or dataset.delivered:
                    if (name, grain, job.frequency) not in asked:
                        asked.add((name, grain, job.frequency))
                        indicator = catalog.indicators[name]
                        key = dataset.name, _apart(indicator, job), job
                        together.setdefault(key, []).append(indicator)
    return [replace(job, indicators=tuple(found)) for (_, _, job), found in together.items()]


def _job(grain: str, entry: ForecastEntry) -> Job:
    """The job of a grain, still without its indicators."""
    level, _, category = grain.partition("*")
    frequency, tet = Frequency(entry.frequency), entry.calendar == "tet"
    return Job((), level, bool(category), frequency, entry.horizon, tet)


def _apart(indicator: Indicator, job: Job) -> str:
    """What indicators of one job agree in.

    What flows in a month, what is there at its end and what share that is err each in their own
    way the further ahead: a queue drifts, the flow through it does not. Years are too few to tell.
    """
    if job.level in MANY_AREAS:
        return indicator.name
    return indicator.aggregate if job.frequency.season > MOST_MIXED else ""


def find(warehouse: Warehouse, job: Job, today: date) -> Found:
    """The series of the job, from periods that were over before `today`."""
    frame = warehouse.query(
        "forecasts",
        "panel",
        indicators=[indicator.name for indicator in job.indicators],
        level=job.level,
        by_category=job.by_category,
        frequency=job.frequency.value,
        today=today,
    )
    known = frame.filter(pl.col("value").is_finite())
    described = frame.group_by(KEY, maintain_order=True).agg(
        pl.col("simulated").any(), data_as_of=pl.col("as_of").max()
    )
    measured = known.group_by(KEY).agg(
        points=pl.len().cast(pl.Int32),
        first=pl.col("period").min(),
        last=pl.col("period").max(),
        smallest=pl.col("value").min(),
        largest=pl.col("value").max(),
    )
    series = described.join(measured, on=KEY, how="left", maintain_order="left")
    series = series.with_columns(pl.col("points").fill_null(0))
    series = series.with_columns(_span(job.frequency), **_bounds(job))
    series = series.with_columns(refused=_refusal(job.frequency))
    return Found(job, series.with_columns(_input_keys(series, known, job)), known)


def panels(found: Found) -> Iterator[Panel]:
    """Panels of the series not refused: one for each period in which series end."""
    usable = found.series.filter(pl.col("refused").is_null())
    for part in usable.partition_by("last", maintain_order=True):
        values = found.frame.join(part.select(KEY), on=KEY, how="semi", nulls_equal=True)
        yield Panel.from_frame(values, found.job.frequency, part, tet=found.job.tet)


def _span(frequency: Frequency) -> pl.Expr:
    """Periods from the first to the last value, both included."""
    first, last = pl.col("first"), pl.col("last")
    months = (last.dt.year() - first.dt.year()) * 12 + last.dt.month() - first.dt.month()
    steps = {
        Frequency.DAY: (last - first).dt.total_days(),
        Frequency.WEEK: (last - first).dt.total_days() // 7,
        Frequency.MONTH: months,
        Frequency.QUARTER: months // 3,
        Frequency.YEAR: months // 12,
    }
    return (steps[frequency] + 1).cast(pl.Int64).fill_null(0).alias("span")


def _bounds(job: Job) -> dict[str, pl.Expr]:
    """Sums and stocks never seen below 0 stay at or above it; a share stays between 0 and all."""
    shares = {
        i.name: i.scale for i in job.indicators if i.unit == "%" and i.numerator and i.denominator
    }
    sums = [i.name for i in job.indicators if i.aggregate != "rate"]
    name = pl.col("indicator")
    whole = name.replace_strict(shares, default=None, return_dtype=pl.Float64)
    floor = (name.is_in(sums) | whole.is_not_null()) & (pl.col("smallest") >= 0)
    return {
        "lowest": pl.when(floor).then(0.0).otherwise(-np.inf),
        "highest": pl.when(pl.col("largest") <= whole).then(whole).otherwise(np.inf),
        "counted": name.is_in([i.name for i in job.indicators if counts(i)]) & floor,
    }


def _refusal(frequency: Frequency) -> pl.Expr:
    gaps = 1 - pl.col("points") / pl.col("span")
    return (
        pl.when(pl.col("points") == 0)
        .then(pl.lit("empty"))
        .when(pl.col("points") < LEAST_POINTS[frequency])
        .then(pl.lit("too_short"))
        .when(gaps > MOST_MISSING)
        .then(pl.lit("too_many_gaps"))
        .when(pl.col("smallest") == pl.col("largest"))
        .then(pl.lit("constant"))
    )


def _input_keys(series: pl.DataFrame, known: pl.DataFrame, job: Job) -> pl.Series:
    """One hash a series, of its values, of what siblings lend it, and of all else it rests on."""
    # Sums come out in the order in which threads end: their last digits mean nothing.
    values = known.group_by(KEY).agg("period", pl.col("value").round_sig_figs(SAME_DIGITS))
    rows = series.join(values, on=KEY, how="left", maintain_order="left")
    own = [
        _hash(f"{lowest} {highest} {counted} {periods} {numbers}")
        for lowest, highest, counted, periods, numbers in rows.select(
            "lowest",
            "highest",
            "counted",
            pl.col("period").cast(pl.List(pl.Int32)),
            "value",
        ).iter_rows()
    ]
    # Weights, seasons and errors are pooled over the job: another sibling is another forecast.
    pool = _hash(f"{engine()} {job.frequency} {job.horizon} {job.tet} {sorted(own)}")
    return pl.Series("input_key", [_hash(f"{pool} {one}") for one in own], dtype=pl.String)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


@cache
def engine() -> str:
    """Hash of the code that makes forecasts: another engine forecasts anew."""
    folder = Path(__file__).parent
    code = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        if name.parts[0] not in AFTERWARDS:
            code.update(name.as_posix().encode() + path.read_bytes())
    return code.hexdigest()
