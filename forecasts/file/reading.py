"""A file of series, read: every row placed in its series and its period, or named as an error."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from etl.errors import ForesightError, Problems
from etl.periods import Frequency, Period
from forecasts.file.columns import Columns, row_order, with_columns_found
from forecasts.file.figures import MOST_NAMED, Decimal, Figures, figures_of, more_rows
from forecasts.file.frequency import SEASONS, frequencies, season_in
from forecasts.file.panels import MONTHS, right_aligned, step_of
from forecasts.file.periods import Periods, read_periods
from forecasts.file.serials import Serial
from forecasts.file.table import ROW, Table, read_table

Found = list[tuple[str, str]]
Made = TypeVar("Made")

LONGEST_LOOKED_AT = 600
"""Steps of a series in which a season is looked for."""
ALL_WEEK = [1, 2, 3, 4, 5, 6, 7]
ENOUGH_DAYS = 10
"""Days of data, a fortnight of working days, after which a weekday never seen is no working day."""
SERIES = "series"
"""Column of numbers of series, in the order in which they first stand in the file."""


class RepeatedPeriod(ForesightError):
    """A series has two values for one period."""


class NoFrequency(ForesightError):
    """The season asked for belongs to no frequency, or to dates that have their own."""


class SparseSteps(ForesightError):
    """Most plain steps between the first and the last of a series have no value."""


@dataclass(frozen=True)
class Asked:
    """What was said about the file; None and nothing are found out."""

    period: str | None = None
    value: str | None = None
    ids: tuple[str, ...] = ()
    frequency: Frequency | None = None
    season: int | None = None
    """Of plain steps; where it is said, periods are no dates."""
    dates: Serial | None = None
    """The periods are dates as numbers."""
    decimal: Decimal | None = None


@dataclass(frozen=True, eq=False)
class Read:
    """A file as series.

    `keys` has a row a series: `SERIES` and the columns that name it. `values` has a row a known
    value: series, step (number of its period), value, frequency, dated, and day, null for plain
    steps.
    """

    table: Table
    columns: Columns
    periods: Periods
    keys: pl.DataFrame
    values: pl.DataFrame
    stride: int
    """What plain steps rise by."""
    weekdays: list[int]
    """The days of the week, 1 is Monday, on which daily series have values."""
    month_ends: bool
    """Whether months, quarters and years are named by their last day."""
    found: Found


def read_file(path: Path, asked: Asked) -> Read:
    """The series of the file at `path`.

    Raises:
        ForesightError: with place and remedy; `Problems` for several.
    """
    table, columns = with_columns_found(read_table(path), asked.period, asked.value, asked.ids)
    figures, periods = _cells(table, columns, asked)
    keys, numbers = _series(table, columns)
    rows = pl.DataFrame({ROW: table.frame[ROW], SERIES: numbers, "value": figures.values})
    stride = 1
    if periods.steps is None:
        rows, told = _dated(rows, periods, asked)
    else:
        rows, stride, told = _stepped(rows, periods.steps, asked)
    _refuse_repeated(table, rows, keys, stride)
    known = rows.filter(pl.col("value").is_not_null())
    if periods.steps is not None:
        _refuse_sparse(table, known)
    found = [*_columns_told(table, columns, keys), *_figures_told(figures), *told]
    if periods.said:
        found.append(("dates", periods.said))
    weekdays = _weekdays(known)
    if len(weekdays) < len(ALL_WEEK):
        found.append(("days", f"only {len(weekdays)} days of the week have values"))
    return Read(table, columns, periods, keys, known, stride, weekdays, _month_ends(known), found)


def _cells(table: Table, columns: Columns, asked: Asked) -> tuple[Figures, Periods]:
    """Values and periods, or the errors of both."""
    problems: list[ForesightError] = []

    def tried(read: Callable[[], Made]) -> Made | None:
        try:
            return read()
        except Problems as several:
            problems.extend(several.problems)
        except ForesightError as problem:
            problems.append(problem)
        return None

    figures = tried(lambda: figures_of(table, columns.value, asked.decimal))
    periods = tried(
        lambda: read_periods(table, columns.period, asked.dates, plain=asked.season is not None)
    )
    if figures is None or periods is None:
        raise Problems(problems)
    return figures, periods


def _series(table: Table, columns: Columns) -> tuple[pl.DataFrame, pl.Series]:
    """Every series, and the number of the series of each row."""
    texts = [name for name in columns.ids if table.frame.schema[name] == pl.String]
    ids = table.frame.select(columns.ids).with_columns(pl.col(texts).str.strip_chars())
    if not columns.ids:
        numbers = pl.Series([0], dtype=pl.UInt32).new_from_index(0, len(table.frame))
        return pl.DataFrame({SERIES: numbers.head(1)}), numbers
    keys = row_order(ids, columns.ids)
    joined = ids.join(
        keys, on=list(columns.ids), nulls_equal=True, how="left", maintain_order="left"
    )
    return keys, joined[SERIES]


# --- periods --------------------------------------------------------------------------------------


def _dated(rows: pl.DataFrame, periods: Periods, asked: Asked) -> tuple[pl.DataFrame, Found]:
    if asked.season is not None:
        raise NoFrequency(
            "a season is asked for, and the periods are dates",
            hint="--season is for plain steps 1, 2, 3; of dates say --frequency, or nothing",
        )
    rows = rows.with_columns(day=periods.days, unit=periods.units, dated=pl.lit(value=True))
    known = rows.filter(pl.col("value").is_not_null())
    often = frequencies(known if len(known) else rows, asked.frequency)
    common = often["frequency"].mode().sort()[0]
    rows = rows.join(often, on=SERIES, how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("frequency").fill_null(common))
    rows = rows.with_columns(step=step_of(pl.col("day"), pl.col("frequency")))
    counts = often["frequency"].value_counts(sort=True).iter_rows()
    told = ", ".join(f"{frequency} ({count:,} series)" for frequency, count in counts)
    return rows, [("frequency", told)]


def _stepped(rows: pl.DataFrame, steps: pl.Series, asked: Asked) -> tuple[pl.DataFrame, int, Found]:
    rows = rows.with_columns(number=steps).sort(SERIES, "number", maintain_order=True)
    apart = rows.select(pl.col("number").diff().over(SERIES)).to_series().drop_nulls()
    stride = int(np.gcd.reduce(apart.to_numpy())) if len(apart) else 1
    stride = stride or 1
    rows = rows.with_columns(step=pl.col("number") // stride, day=pl.lit(None, dtype=pl.Date))
    frequency, told = _frequency_of_steps(rows, asked)
    rows = rows.with_columns(dated=pl.lit(value=False), frequency=pl.lit(frequency.value))
    return rows.sort(ROW), stride, [("frequency", told)]


def _frequency_of_steps(rows: pl.DataFrame, asked: Asked) -> tuple[Frequency, str]:
    if asked.frequency:
        return asked.frequency, f"plain steps, said to be of one {asked.frequency} each"
    if asked.season is not None:
        if asked.season not in SEASONS:
            raise NoFrequency(
                f"a season of {asked.season} steps is not known",
                hint=f"known are {', '.join(map(str, SEASONS))}",
            )
        return Frequency(SEASONS[asked.season]), f"plain steps, with a season of {asked.season}"
    known = rows.filter(pl.col("value").is_not_null())
    if known.is_empty():
        return Frequency.YEAR, "plain steps without a season"
    season, share = season_in(right_aligned(known, LONGEST_LOOKED_AT))
    frequency = Frequency(SEASONS[season])
    if season == 1:
        return frequency, "plain steps without a season: none is found; --season 12 would say one"
    return frequency, (
        f"plain steps with a season of {season}, which explains {share:.0%} of the changes; "
        "--season would say another"
    )


def _refuse_repeated(table: Table, rows: pl.DataFrame, keys: pl.DataFrame, stride: int) -> None:
    """Rows of one series and period are named with each other, whatever their values."""
    twice = rows.filter(pl.struct(SERIES, "step").is_duplicated())
    if twice.is_empty():
        return
    together = twice.group_by(SERIES, "step", maintain_order=True).agg(
        ROW, pl.first("frequency", "day")
    )
    problems: list[ForesightError] = []
    for number, step, found, frequency, day in together.head(MOST_NAMED).iter_rows():
        named = ", ".join(str(part) for part in keys.row(number)[1:])
        period = Period.containing(Frequency(frequency), day) if day else step * stride
        problems.append(
            RepeatedPeriod(
                f"series {named} has {len(found)} values for {period}"
                if named
                else f"there are {len(found)} values for {period}",
                where=table.at(found[0]),
                hint=f"rows {', '.join(map(str, found[:MOST_NAMED]))}: keep one, add them up, or "
                "name the column that tells them apart: --id COLUMN",
            )
        )
    raise Problems([*problems, *more_rows(table, len(together))])


def _refuse_sparse(table: Table, known: pl.DataFrame) -> None:
    """Numbers of which most are missing are no steps, but something else, such as dates."""
    series = known.group_by(SERIES).agg(steps=pl.col("step").max() - pl.col("step").min() + 1)
    points, steps = len(known), int(series["steps"].sum())
    if steps > 2 * points:
        raise SparseSteps(
            f"{points} values stand on {steps} plain steps",
            where=table.name,
            hint="number the steps 1, 2, 3, or write dates; a step of nothing is a row of 0",
        )


def _weekdays(known: pl.DataFrame) -> list[int]:
    days = known.filter(frequency="day")["day"].drop_nulls()
    if days.n_unique() < ENOUGH_DAYS:
        return ALL_WEEK
    return sorted(days.dt.weekday().unique().to_list())


def _month_ends(known: pl.DataFrame) -> bool:
    coarse = [frequency.value for frequency in MONTHS]
    days = known.filter(pl.col("frequency").is_in(coarse))["day"].drop_nulls()
    return len(days) > 0 and bool((days == days.dt.month_end()).all())


# --- what was found -------------------------------------------------------------------------------


def _columns_told(table: Table, columns: Columns, keys: pl.DataFrame) -> Found:
    by = f" by {', '.join(columns.ids)}" if columns.ids else ": no column names one"
    found = [
        ("rows", f"{len(table.frame):,}"),
        ("series", f"{len(keys):,}{by}"),
        ("period", columns.period),
        ("value", columns.value),
    ]
    left_out = [f"{name} ({why})" for name, why in columns.left_out.items()]
    if left_out:
        found.append(("left out", ", ".join(left_out)))
    if table.encoding != "utf-8":
        found.append(("encoding", table.encoding))
    return found


def _figures_told(figures: Figures) -> Found:
    if figures.unsure:
        return [("decimals", f"{figures.unsure!r} is read with a decimal {figures.decimal!r}")]
    return [("decimals", "parted by a comma")] if figures.decimal == "," else []
