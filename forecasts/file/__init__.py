"""A forecast for any long table: columns of the series, the period and the value, nothing declared.

What is not said on the command line is found out from the file and told; where it cannot be told
for sure it is asked for. Every error of the file is named with its rows, all at once. Nothing is
dropped: a series without a forecast stands among the scores, with the reason and what would help.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from etl.errors import ForesightError
from etl.periods import Frequency
from etl.translation import Language, translated
from forecasts.file.answer import Ask, forecast_rows, future_of, refuse_form, steps_ahead, write
from forecasts.file.answering import answered
from forecasts.file.naive import LEAST_POINTS
from forecasts.file.panels import MOST_POINTS, Part, panels_of
from forecasts.file.reading import SERIES, Asked, Found, Read, read_file
from forecasts.model import all_models
from forecasts.scheduler import Tell

__all__ = ["Ask", "Asked", "NotBeside", "Outcome", "forecast_file", "save"]

HORIZONS = {
    Frequency.DAY: 28,
    Frequency.WEEK: 13,
    Frequency.MONTH: 12,
    Frequency.QUARTER: 8,
    Frequency.YEAR: 6,
}
SIBLINGS = 8
"""Series of each group, in the mean, for a column to tell siblings without being asked to."""


MOST_SLOW = 500
"""Series that models are asked for which fit one at a time, and may take seconds for it."""


class NotBeside(ForesightError):
    """A model that cannot be asked for, or not for so many series."""


class TooFewValues(ForesightError):
    """A series says nothing of how it goes on."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What was made of a file."""

    forecast: pl.DataFrame
    """Columns of the file that name series and period, horizon, mean, median, bounds, model."""
    scores: pl.DataFrame
    """One row a series, in the order of the file: what it is, how it was forecast, or why not."""
    found: Found
    """What was taken for what."""

    @property
    def refused(self) -> dict[str, int]:
        """Series without a forecast, by reason."""
        reasons = self.scores["refused"].drop_nulls().value_counts(sort=True)
        return dict(reasons.iter_rows())


def forecast_file(
    path: Path,
    asked: Asked,
    ask: Ask | None = None,
    *,
    horizon: int | None = None,
    alike: tuple[str, ...] = (),
    beside: tuple[str, ...] = (),
    tet: bool = False,
    workers: int | None = None,
    tell: Tell | None = None,
    language: Language = "en",
) -> Outcome:
    """The forecasts of every series in the file at `path`, `horizon` periods ahead.

    Series that agree in the columns `alike` lend each other their season; models named in `beside`
    make half of the combination of at most `MOST_SLOW` series; with `tet`, the holiday moves the
    figures. `tell` is told the progress; reasons of refusals are in `language`.

    Raises:
        ForesightError: the file cannot be read so, with place and remedy; `Problems` for several.
    """
    say = tell or (lambda _: None)
    refuse_models(beside)
    say("read")
    read = read_file(path, asked)
    siblings, told = _siblings(read, alike)
    series = _described(read)
    usable = series.filter(pl.col("points") >= LEAST_POINTS)
    _refuse_many(len(usable), beside, read.table.name)
    values = read.values.join(usable.select(SERIES), on=SERIES, how="semi")
    job = _Job(read, usable, ask or Ask(), horizon, beside)
    done = []
    for part in panels_of(values, read.keys, alike=siblings, tet=tet):
        say(f"forecast: {len(part.series):,} series by {part.panel.frequency}")
        done.append(job.done(part, workers, say))
    parts = [one.part for one in done]
    found = [*read.found, *told, *_told_of(usable, parts), *_told_beside(beside, parts)]
    return Outcome(job.forecast(done), _scores(job, series, done, language), found)


def save(outcome: Outcome, out: Path) -> tuple[Path, Path]:
    """Write the forecasts to `out` and the scores beside it; both paths.

    Raises:
        UnknownForm: `out` ends neither in .csv nor in .parquet.
    """
    refuse_form(out)
    name = out.name.removesuffix(out.suffix).removesuffix(".forecast")
    beside = out.with_name(f"{name}.scores{out.suffix}")
    write(outcome.forecast, out)
    write(outcome.scores, beside)
    return out, beside


def refuse_models(names: tuple[str, ...]) -> None:
    """Raises `NotBeside` before any work is done, where a name is that of no model."""
    known = [name for name, model in all_models().items() if model.forecast is not None]
    for name in names:
        if name not in known:
            raise NotBeside(
                f"no model is called {name!r}",
                hint=f"--beside takes one of these: {', '.join(known)}",
            )


def _refuse_many(series: int, beside: tuple[str, ...], where: str) -> None:
    slow = [name for name in beside if all_models()[name].slow]
    if slow and series > MOST_SLOW:
        raise NotBeside(
            f"{', '.join(slow)} would take too long for {series} series",
            where=where,
            hint=f"at most {MOST_SLOW} may be forecast with --beside: take those that matter most, "
            "or leave it out",
        )


# --- one part -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Done:
    """A part with its forecasts: rows of series, period, horizon and so on, and its scores."""

    part: Part
    rows: pl.DataFrame
    scores: pl.DataFrame


@dataclass(frozen=True, eq=False)
class _Job:
    """What is to be forecast of a file, and how far."""

    read: Read
    series: pl.DataFrame
    """The series that can be, see `_described`."""
    ask: Ask
    horizon: int | None
    beside: tuple[str, ...] = ()

    def done(self, part: Part, workers: int | None, tell: Tell) -> _Done:
        """The forecasts of a part."""
        frequency = part.panel.frequency
        horizon = self.horizon or HORIZONS[frequency]
        ahead = steps_ahead(frequency, horizon, self.read.weekdays)
        answer = answered(
            part.panel,
            ahead,
            self.ask.asked,
            self.ask.coverages,
            beside=self.beside,
            workers=workers,
            tell=tell,
        )
        return _Done(
            part,
            forecast_rows(part, answer, self._future(part, horizon), self.ask, self.period),
            pl.concat([part.series.to_frame(), answer.scores], how="horizontal"),
        )

    @property
    def period(self) -> str:
        """The column of periods, under the name that the file gives it."""
        return self.read.columns.period

    def _future(self, part: Part, horizon: int) -> pl.DataFrame:
        chosen = part.series.to_frame().join(self.series, on=SERIES, maintain_order="left")
        future = future_of(chosen, horizon, self.read)
        return future.rename({"cell": self.period})

    def forecast(self, done: list[_Done]) -> pl.DataFrame:
        """All rows, in the order of the file."""
        if not done:
            return self.read.keys.drop(SERIES).clear()
        rows = pl.concat([one.rows for one in done], how="vertical_relaxed")
        rows = rows.sort(SERIES, maintain_order=True)
        return _named(rows, self.read)


def _named(rows: pl.DataFrame, read: Read) -> pl.DataFrame:
    """With the columns that name the series in front; one called like one of ours gets a `_`."""
    ids = list(read.columns.ids)
    ours = {name: f"{name}_" for name in rows.columns if name in ids}
    named = rows.rename(ours).join(read.keys, on=SERIES, how="left", maintain_order="left")
    return named.select(*ids, *(ours.get(n, n) for n in rows.columns if n != SERIES))


# --- all series -----------------------------------------------------------------------------------


def _described(read: Read) -> pl.DataFrame:
    """A row a series: series, frequency, points, gaps, first and last period, as cells and as is.

    `last` is a day, or a plain step.
    """
    place = pl.col("day") if read.periods.steps is None else pl.col("step") * read.stride
    known = read.values.group_by(SERIES, maintain_order=True).agg(
        pl.first("frequency"),
        points=pl.len().cast(pl.Int64),
        gaps=pl.col("step").max() - pl.col("step").min() + 1 - pl.len(),
        first=place.min(),
        last=place.max(),
        end=pl.col("step").max(),
    )
    series = read.keys.select(SERIES).join(known, on=SERIES, how="left", maintain_order="left")
    return series.with_columns(pl.col("points").fill_null(0))


def _siblings(read: Read, alike: tuple[str, ...]) -> tuple[tuple[str, ...], Found]:
    """The columns in which siblings agree: as said, or the coarsest of several that name series."""
    unknown = [name for name in alike if name not in read.columns.ids]
    if unknown:
        names = ", ".join(read.columns.ids)
        raise ForesightError(
            f"{unknown[0]!r} does not name the series",
            where=read.table.name,
            hint=f"--alike takes one of those that do: {names}",
        )
    ids = read.columns.ids
    if alike or len(ids) < 2:
        return alike, [("siblings", f"agree in {', '.join(alike)}")] if alike else []
    kinds = {name: read.keys[name].n_unique() for name in ids}
    name = min(ids, key=lambda one: kinds[one])
    if len(read.keys) < SIBLINGS * kinds[name]:
        return (), []
    return (name,), [("siblings", f"agree in {name}; --alike would say another")]


def _told_of(usable: pl.DataFrame, parts: list[Part]) -> Found:
    told = []
    ends = usable.group_by("frequency").agg(pl.col("end").n_unique())["end"]
    if (ends > 1).any():
        early = usable.filter(pl.col("end") < pl.col("end").max().over("frequency"))
        text = f"at different times: {len(early):,} before the last; each is forecast from its own"
        told.append(("series end", text))
    if gaps := int(usable["gaps"].sum() or 0):
        told.append(("gaps", f"{gaps:,} periods without a value between others"))
    for part in parts:
        if part.cut:
            most = MOST_POINTS[part.panel.frequency]
            told.append(("cut", f"{part.cut:,} series to their last {most:,} points"))
    floors = sum(int((part.panel.lowest == 0).sum()) for part in parts)
    if floors:
        told.append(("never below 0", f"{floors:,} series, as so far"))
    return told


def _told_beside(beside: tuple[str, ...], parts: list[Part]) -> Found:
    """What takes part, and what has no answer for which frequency."""
    told = (
        [("beside the engine", f"{', '.join(beside)}: half of the combination")] if beside else []
    )
    for part in parts:
        no = [name for name in beside if not all_models()[name].suits(part.panel.season)]
        if no:
            text = f"{', '.join(no)}: not for series by {part.panel.frequency}"
            told.append(("left out", text))
    return told


def _scores(job: _Job, series: pl.DataFrame, done: list[_Done], language: Language) -> pl.DataFrame:
    told = (
        pl.concat([one.scores for one in done])
        if done
        else pl.DataFrame(schema={SERIES: pl.UInt32})
    )
    reasons = pl.DataFrame(
        [(number, *_refusal(points, language)) for number, points in _unforecast(series)],
        schema={SERIES: pl.UInt32, "refused": pl.String, "reason": pl.String, "help": pl.String},
        orient="row",
    )
    rows = series.with_columns(
        first=_cell(series["first"], job.read), last=_cell(series["last"], job.read)
    ).drop("end")
    for more in (told, reasons):
        rows = rows.join(more, on=SERIES, how="left", maintain_order="left")
    return _named(rows, job.read)


def _cell(places: pl.Series, read: Read) -> pl.Series:
    """First and last days as the file writes them."""
    if read.periods.steps is not None:
        return places
    known = places.drop_nulls().unique()
    cells = pl.Series(read.periods.write(known.to_list()))
    return places.replace_strict(known, cells, default=None, return_dtype=cells.dtype)


def _unforecast(series: pl.DataFrame) -> list[tuple[int, int]]:
    short = series.filter(pl.col("points") < LEAST_POINTS)
    return list(short.select(SERIES, "points").iter_rows())


def _refusal(points: int, language: Language) -> tuple[str, str, str]:
    """The reason for which there is no forecast: its name, in words, and what would help."""
    code = "too_short" if points else "empty"
    why = TooFewValues(
        f"{points} values are known, and {LEAST_POINTS} are needed",
        hint="send more periods; with fewer, nothing tells how much the series changes",
    )
    return code, translated(why.problem, language), translated(why.hint, language)
