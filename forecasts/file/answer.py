"""What comes back for a file: a table of forecasts, and beside it one of the series.

Periods are written as the file writes them, series in the order in which they first stand there.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from etl.errors import ForesightError
from etl.periods import Frequency
from forecasts.file.answering import Answer, bounds
from forecasts.file.panels import MONTHS, Part
from forecasts.file.periods import Periods
from forecasts.file.reading import Read

SIGNIFICANT = 10
"""Digits of a number in text."""


class UnknownForm(ForesightError):
    """The name of the file to write does not end in a form that is written."""


@dataclass(frozen=True)
class Ask:
    """The quantiles asked for, and in which shape."""

    coverages: tuple[float, ...] = (0.5, 0.8, 0.95)
    levels: tuple[float, ...] = ()
    """Instead of intervals, the quantiles at these levels."""
    long: bool = False
    """One row a quantile, in place of a column each."""

    @property
    def columns(self) -> dict[str, float]:
        """Columns of quantiles beside the median, and the level of each."""
        if self.levels:
            return {f"quantile_{level:g}": level for level in self.levels}
        return {
            f"{name}_{100 * coverage:g}": level
            for coverage in self.coverages
            for name, level in zip(("lower", "upper"), bounds(coverage), strict=True)
        }

    @property
    def asked(self) -> tuple[float, ...]:
        """The levels of the columns, and the median, in order."""
        return tuple(sorted({0.5, *self.columns.values()}))


def forecast_rows(
    part: Part, answer: Answer, future: pl.DataFrame, ask: Ask, period: str
) -> pl.DataFrame:
    """Rows of the forecasts of a part: series, the period, horizon, mean, quantiles, model.

    `future` has columns series, step (1 on), horizon and the cell of the period.
    """
    count, horizon = answer.mean.shape
    grid = pl.DataFrame(
        {
            "series": part.series.gather(np.repeat(np.arange(count), horizon)),
            "step": pl.Series(np.tile(np.arange(1, horizon + 1), count), dtype=pl.Int64),
            "mean": answer.mean.ravel(),
            "median": answer.quantiles[ask.asked.index(0.5)].ravel(),
            **{
                name: answer.quantiles[ask.asked.index(level)].ravel()
                for name, level in ask.columns.items()
            },
            "model": answer.scores["model"].gather(np.repeat(np.arange(count), horizon)),
        }
    )
    rows = future.join(grid, on=["series", "step"], how="inner", maintain_order="left")
    rows = rows.select("series", period, "horizon", *grid.columns[2:])
    return _long(rows, ask, period) if ask.long else rows


def _long(rows: pl.DataFrame, ask: Ask, period: str) -> pl.DataFrame:
    named = {"median": 0.5} | {name: level for name, level in ask.columns.items() if level != 0.5}
    index = ["series", period, "horizon", "mean", "model"]
    long = rows.unpivot(list(named), index=index, variable_name="name", value_name="quantile")
    long = long.with_columns(
        quantile_level=pl.col("name").replace_strict(named, return_dtype=pl.Float64)
    )
    long = long.sort("series", "horizon", "quantile_level", maintain_order=True)
    return long.select("series", period, "horizon", "quantile_level", "quantile", "mean", "model")


def future_of(series: pl.DataFrame, horizon: int, read: Read) -> pl.DataFrame:
    """The periods ahead of series of one frequency: series, step, horizon, cell.

    `series` has columns series, frequency and last, the last known day or plain step. Of days only
    those on which the file has values are told, and `horizon` counts these.
    """
    frequency = Frequency(series["frequency"][0])
    ahead = steps_ahead(frequency, horizon, read.weekdays)
    steps = pl.DataFrame({"step": pl.Series(range(1, ahead + 1), dtype=pl.Int64)})
    rows = series.select("series", "last").join(steps, how="cross")
    if read.periods.steps is not None:
        cell = pl.col("last") + read.stride * pl.col("step")
        return rows.select("series", "step", horizon="step", cell=cell)
    rows = rows.with_columns(day=_later(frequency, month_ends=read.month_ends))
    if frequency is Frequency.DAY:
        rows = rows.filter(pl.col("day").dt.weekday().is_in(read.weekdays))
    rows = rows.with_columns(horizon=pl.int_range(1, pl.len() + 1).over("series"))
    rows = rows.filter(pl.col("horizon") <= horizon)
    return rows.select("series", "step", "horizon", cell=_cells(rows["day"], read.periods))


def _later(frequency: Frequency, *, month_ends: bool) -> pl.Expr:
    """The day `step` periods after `last`."""
    unit, times = ("mo", MONTHS[frequency]) if frequency in MONTHS else ("d", 1)
    times = 7 if frequency is Frequency.WEEK else times
    day = pl.col("last").dt.offset_by((pl.col("step") * times).cast(pl.String) + unit)
    return day.dt.month_end() if month_ends and frequency in MONTHS else day


def steps_ahead(frequency: Frequency, horizon: int, weekdays: list[int]) -> int:
    """Periods to forecast so that `horizon` of them are told."""
    if frequency is Frequency.DAY and len(weekdays) < 7:
        return 7 * -(-horizon // len(weekdays)) + 7
    return horizon


def _cells(days: pl.Series, periods: Periods) -> pl.Series:
    distinct = days.unique(maintain_order=True)
    cells = pl.Series(periods.write(distinct.to_list()))
    return days.replace_strict(distinct, cells, return_dtype=cells.dtype)


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as its ending says, `.csv` as spreadsheets read it, or `.parquet`.

    Raises:
        UnknownForm: another ending.
    """
    if path.suffix == ".parquet":
        frame.write_parquet(path, compression="zstd")
        return
    from etl.publish.package import spreadsheet_safe

    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    spreadsheet_safe(frame.with_columns(pl.col(floats).round_sig_figs(SIGNIFICANT))).write_csv(
        path, include_bom=True, line_terminator="\r\n", date_format="%Y-%m-%d"
    )


def refuse_form(path: Path) -> None:
    """Raises `UnknownForm` before any work is done."""
    if path.suffix not in (".csv", ".parquet"):
        raise UnknownForm(
            f"{path.name!r} is written in no form known here",
            hint="let its name end in .csv or .parquet",
        )
