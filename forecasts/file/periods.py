"""The periods of a column: read as people write them, and written again in the same way.

Text is read once a spelling. Whole numbers are years, 202401, 20240131, plain steps without a date,
or dates where that is said (`serials`). In dates with strokes the day comes first, unless a number
beyond 12 says otherwise, or unless only months first gives one value a month.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial

import polars as pl

from etl.errors import ForesightError, Problems
from etl.periods import Frequency, Period, UnreadablePeriod
from forecasts.file.figures import MOST_NAMED, more_rows, stripped
from forecasts.file.serials import Serial, Serials, as_days, looks_like
from forecasts.file.table import ROW, Table

FIRST_YEAR, LAST_YEAR = 1500, 2199
TIME = r"(?:[T ](\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z|[+-]\d\d:?\d\d)?)?"
ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})" + TIME)
STROKES = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})" + TIME)
MONTH = re.compile(r"(\d{4})[-/ ]?[mM](\d{1,2})")
WHOLE = re.compile(r"[-+]?\d+(?:\.0+)?")
FORMS = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y",
    "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00", "%Y-%m", "%m/%Y", "%-m/%Y", "%Y/%m", "%m-%Y",
    "%YM%m", "%YM%-m", "%Y-M%m", "%b %Y", "%b-%Y", "%B %Y", "Tháng %-m/%Y", "Tháng %m/%Y",
    "T%-m/%Y", "T%m/%Y", "%Y-Q{}", "%YQ{}", "%Y Q{}", "Q{}/%Y", "Q{} %Y", "Q{}-%Y", "Quý {}/%Y",
    "%G-W%V", "%GW%V", "%Y", "Năm %Y",
)  # fmt: skip
"""Forms in which periods are written again; `{}` is the quarter."""

Write = Callable[[Sequence[date]], list[object]]


class UnreadablePeriods(ForesightError):
    """A cell of the periods names none."""


class HoursNotRead(ForesightError):
    """The periods are shorter than a day."""


class LooksLikeDates(ForesightError):
    """Whole numbers may be plain steps or dates, and it is not said which."""


class NoNumbers(ForesightError):
    """Dates are said to be numbers, and are none."""


@dataclass(frozen=True, eq=False)
class Periods:
    """The periods of each row: `days` with `units`, or `steps` where they are plain numbers."""

    days: pl.Series | None
    units: pl.Series | None
    """What each cell names: a day, week, month, quarter or year."""
    steps: pl.Series | None = None
    write: Write = list
    """Days as cells of the column again."""
    said: str = ""
    """A guess that was taken, for the reader."""


@dataclass(frozen=True)
class Spelling:
    """What one spelling names."""

    unit: Frequency
    day: date
    time: str = ""


def is_period(texts: Sequence[str]) -> bool:
    """Whether these texts are periods that cannot be mistaken for numbers."""
    read = [text for text in texts if not WHOLE.fullmatch(text)]
    if len(read) < len(texts) / 2 or not read:
        return False
    return sum(_spelling(text, day_first=None) is not None for text in read) >= 0.9 * len(read)


def read_periods(
    table: Table, column: str, dates: Serial | None = None, *, plain: bool = False
) -> Periods:
    """The periods in `column`; `dates` says that they are dates as numbers, `plain` that they are
    not.

    Raises:
        Problems: every cell that names no period, by row.
        HoursNotRead: periods are parts of a day.
        LooksLikeDates: they may be dates as numbers, and nothing is said.
        NoNumbers: `dates` is said, and the periods are no whole numbers.
    """
    kind = table.frame.schema[column]
    cells = table.frame.select(ROW, cell=stripped(column) if kind == pl.String else pl.col(column))
    if kind != pl.String:
        _refuse(table, cells.filter(pl.col("cell").is_null()))
    if kind.is_numeric():
        return _numbers(
            table, cells.with_columns(text=pl.col("cell").cast(pl.String)), dates, plain
        )
    texts = cells["cell"].drop_nulls().unique() if kind == pl.String else ()
    if len(texts) and all(WHOLE.fullmatch(text) for text in texts):
        return _numbers(table, cells.with_columns(text=pl.col("cell")), dates, plain)
    if dates:
        raise NoNumbers(
            f"dates are said to be numbers, and {cells['cell'][0]} is none",
            where=table.name,
            hint="leave out --dates: other dates are read as they stand",
        )
    if kind == pl.Date:
        return Periods(cells["cell"], _all(Frequency.DAY, len(cells)))
    if isinstance(kind, pl.Datetime):
        return _moments(table, cells["cell"], kind)
    return _texts(table, cells.with_columns(text=pl.col("cell").cast(pl.String)))


def _all(unit: Frequency, count: int) -> pl.Series:
    return pl.Series([unit.value], dtype=pl.String).new_from_index(0, count)


def _refuse(table: Table, bad: pl.DataFrame) -> None:
    """Names the rows whose cells name no period, if there are any."""
    if bad.is_empty():
        return
    problems: list[ForesightError] = [
        UnreadablePeriods(
            "no period stands here" if cell is None else f"{str(cell)!r} is not a period",
            where=table.at(row),
            hint="write 2024, 2024-Q1, 2024-01, 2024-W03, 2024-01-31 or steps 1, 2, 3",
        )
        for row, cell in bad.head(MOST_NAMED).select(ROW, "cell").iter_rows()
    ]
    raise Problems([*problems, *more_rows(table, len(bad))])


def _moments(table: Table, cells: pl.Series, kind: pl.Datetime) -> Periods:
    if cells.dt.time().n_unique() > 1:
        raise _hours(table)
    time = cells[0].time()

    def write(days: Sequence[date]) -> list[object]:
        moments = pl.Series([datetime.combine(day, time) for day in days], dtype=pl.Datetime)
        return moments.cast(pl.Datetime(kind.time_unit)).to_list()

    return Periods(cells.dt.date(), _all(Frequency.DAY, len(cells)), write=write)


def _hours(table: Table) -> HoursNotRead:
    return HoursNotRead(
        "the periods are parts of a day",
        where=table.name,
        hint="add them up to days first: days, weeks, months, quarters and years are forecast",
    )


# --- whole numbers --------------------------------------------------------------------------------


def _numbers(table: Table, cells: pl.DataFrame, dates: Serial | None, plain: bool) -> Periods:
    number = pl.col("text").cast(pl.Float64, strict=False)
    _refuse(table, cells.filter(number.is_null() | (number != number.round())))
    numbers = cells.select(number.cast(pl.Int64)).to_series()
    as_text = cells.schema["cell"] == pl.String
    if dates:
        return _serials(table, cells, numbers, dates)
    for unit, form, day in (
        (Frequency.YEAR, "%Y", _year),
        (Frequency.MONTH, "%Y%m", _month),
        (Frequency.DAY, "%Y%m%d", _day),
    ):
        if (days := _dates(numbers, day)) is not None:
            form_of = form if as_text else f"int {form}"
            return Periods(days, _all(unit, len(days)), write=Written(form_of))
    kind = None if plain else looks_like(numbers)
    if kind:
        days, _ = as_days(numbers, kind) or (numbers, None)
        raise LooksLikeDates(
            f"the periods look like dates written as numbers: {numbers[0]} may be {days[0]}",
            where=table.name,
            hint=f"say --dates {kind}; of plain steps say their season: --season 1 is none",
        )
    return Periods(None, None, steps=numbers)


def _serials(table: Table, cells: pl.DataFrame, numbers: pl.Series, kind: Serial) -> Periods:
    found = as_days(numbers, kind)
    if found is None:
        raise _hours(table)
    days, write = found
    _refuse(table, cells.filter(~days.dt.year().is_between(FIRST_YEAR, LAST_YEAR)))
    written = partial(_as_texts, write) if cells.schema["cell"] == pl.String else write
    said = f"{numbers[0]} is read as {days[0]}"
    return Periods(days, _all(Frequency.DAY, len(days)), write=written, said=said)


def _as_texts(write: Serials, days: Sequence[date]) -> list[object]:
    return [str(number) for number in write(days)]


def _dates(numbers: pl.Series, day: Callable[[int], date | None]) -> pl.Series | None:
    distinct = numbers.unique()
    found = [day(number) for number in distinct]
    if None in found:
        return None
    return numbers.replace_strict(distinct, pl.Series(found, dtype=pl.Date), return_dtype=pl.Date)


def _year(number: int) -> date | None:
    return date(number, 1, 1) if FIRST_YEAR <= number <= LAST_YEAR else None


def _month(number: int) -> date | None:
    return _day(100 * number + 1)


def _day(number: int) -> date | None:
    year, rest = divmod(number, 10_000)
    return _made(year, *divmod(rest, 100)) if FIRST_YEAR <= year <= LAST_YEAR else None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


# --- text -----------------------------------------------------------------------------------------


def _texts(table: Table, cells: pl.DataFrame) -> Periods:
    distinct = cells["text"].drop_nulls().unique(maintain_order=True).to_list()
    first, said = _day_first(distinct)
    read = {text: _spelling(text, day_first=first) for text in distinct}
    unread = [text for text, spelling in read.items() if spelling is None]
    _refuse(table, cells.filter(pl.col("text").is_null() | pl.col("text").is_in(unread)))
    known = {text: spelling for text, spelling in read.items() if spelling}
    if len({spelling.time for spelling in known.values()}) > 1:
        raise _hours(table)
    return Periods(
        cells["text"].replace_strict({t: s.day for t, s in known.items()}, return_dtype=pl.Date),
        cells["text"].replace_strict(
            {t: s.unit.value for t, s in known.items()}, return_dtype=pl.String
        ),
        write=Written(_form(known)),
        said=said,
    )


def _day_first(texts: list[str]) -> tuple[bool, str]:
    """Whether 01/02/2026 is the first of February here, and what to say if nothing proves it."""
    pairs = [(int(m[1]), int(m[2])) for text in texts if (m := STROKES.fullmatch(text))]
    if not pairs or any(first > 12 for first, _ in pairs):
        return True, ""
    if any(second > 12 for _, second in pairs):
        return False, ""
    example = next(text for text in texts if STROKES.fullmatch(text))
    if {second for _, second in pairs} == {1} and len({first for first, _ in pairs}) > 1:
        return False, f"{example!r} is read month first: so every date is the first of a month"
    return True, f"{example!r} is read day first, as in Việt Nam"


def _spelling(text: str, *, day_first: bool | None) -> Spelling | None:
    """What a text names, if it is a period; `day_first` None takes either order."""
    if match := ISO.fullmatch(text):
        day = _made(*(int(part) for part in match.groups()[:3]))
        return Spelling(Frequency.DAY, day, match[4] or "") if day else None
    if match := STROKES.fullmatch(text):
        one, two, year = (int(part) for part in match.groups()[:3])
        day = None if day_first is False else _made(year, two, one)
        day = _made(year, one, two) if day is None and day_first is not True else day
        return Spelling(Frequency.DAY, day, match[4] or "") if day else None
    if match := MONTH.fullmatch(text):
        day = _made(int(match[1]), int(match[2]), 1)
        return Spelling(Frequency.MONTH, day) if day else None
    try:
        period = Period.parse(text)
    except UnreadablePeriod:
        return None
    return None if period.frequency is Frequency.SPAN else Spelling(period.frequency, period.start)


def _form(known: dict[str, Spelling]) -> str:
    """The form in which every spelling is written again as it was; empty if there is none."""
    fits = (
        form
        for form in FORMS
        if all(written(spelling.day, form) == text for text, spelling in known.items())
    )
    return next(fits, "")


@dataclass(frozen=True)
class Written:
    """Writes days in one form; `int ` before it makes them numbers."""

    form: str

    def __call__(self, days: Sequence[date]) -> list[object]:
        """The days as cells; without a form, as ISO dates."""
        number = self.form.startswith("int ")
        form = self._text or "%Y-%m-%d"
        distinct = {day: written(day, form) for day in set(days)}
        return [int(distinct[day]) if number else distinct[day] for day in days]

    @cached_property
    def _text(self) -> str:
        return self.form.removeprefix("int ")


def written(day: date, form: str) -> str:
    """A day in a form of `strftime`, `{}` being its quarter."""
    # Years before 1000 do not come up; %Y would not pad them everywhere.
    return day.strftime(form).replace("{}", str((day.month + 2) // 3))
