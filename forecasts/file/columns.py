"""Which column is the period, which the value, and which name the series.

What is named on the command line is taken. Else names and contents decide together, and where they
leave a choice it is asked for: a wrong column would give forecasts of nonsense without a word.
"""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import polars as pl

from etl.errors import ForesightError, Problems
from forecasts.file.figures import FIGURE, stripped
from forecasts.file.periods import FIRST_YEAR, LAST_YEAR, is_period
from forecasts.file.table import Table

PERIOD_NAMES = (
    r"ds", r"period|time period|kỳ|kỳ báo cáo|thời kỳ", r"date|ngày|day", r"month|tháng|yearmonth",
    r"week|tuần", r"quarter|quý", r"year|năm", r"time ?stamp|datetime|time|thời gian|thời điểm",
    r"t|step|steps|bước",
)  # fmt: skip
VALUE_NAMES = (
    r"y", r"value|values|giá trị|obs value", r"số liệu|trị số|target|observation|observed",
    r"số lượng|sales|count|quantity|amount|total|demand|volume|kết quả|thực hiện|tiếp nhận",
)  # fmt: skip
ID_NAMES = r"(unique )?id|series( id)?|item|key|code|.* (id|code|nbr|no)|(id|code|mã|store) .*|mã"
ROW_NUMBERS = r"|unnamed: \d+|index|level 0|row ?names?|stt|_duplicated_\d+"
ABOUT_A_ROW = r"note|notes|ghi chú|status|tình trạng|source|nguồn|as of|url|source url|link|remark"
PARTS = {"month": r"month|tháng", "quarter": r"quarter|quý", "week": r"week|tuần"}
YEAR = r"year|năm"
MOSTLY = 0.9
SAMPLE = 2_000
MOST_ALIKE = 0.01
"""Share of rows that may stand twice before a column is thought to be missing from the series."""
COMPOSED = "period"
RETURNS = 1.5
"""Times that each value comes back within a series, in the mean, in a column that names none."""
FEW_ROWS = 3
"""Rows with one value of a column, in the mean, below which it names no series."""


class UnknownColumn(ForesightError):
    """The file has no such column."""


class UnclearColumn(ForesightError):
    """Several columns could be the one, or none."""


@dataclass(frozen=True)
class Columns:
    """What each column of the file was taken for."""

    period: str
    value: str
    ids: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    """Why the others are not used, by column."""


@dataclass(frozen=True)
class _Seen:
    """Every column by what it holds."""

    periods: list[str]
    """Dates, or text that names periods."""
    whole: list[str]
    figures: list[str]
    """Numbers that are not all whole."""
    texts: list[str]
    years: list[str]
    """Of `whole`, those that could be years."""
    empty: list[str]

    @property
    def numbers(self) -> list[str]:
        return [*self.whole, *self.figures]


def with_columns_found(
    table: Table,
    period: str | None = None,
    value: str | None = None,
    ids: tuple[str, ...] = (),
) -> tuple[Table, Columns]:
    """The table, with year and month put together if need be, and what its columns are.

    Raises:
        Problems: every column that is named and not there, each an `UnknownColumn`.
        UnclearColumn: nothing tells which one is the period or the value.
    """
    _refuse_unknown(table, [name for name in (period, value, *ids) if name is not None])
    numbers_of_rows = _row_numbers(table, period, value, ids)
    seen = _seen(table, [name for name in table.columns if name not in numbers_of_rows])
    left_out = dict.fromkeys(numbers_of_rows, "numbers of rows") | dict.fromkeys(seen.empty, EMPTY)
    parts = _parts(table, seen) if period is None and not seen.periods else None
    if parts:
        table, period = _composed(table, *parts), COMPOSED
        left_out |= dict.fromkeys(parts, "part of the period")
        seen = replace(seen, whole=[name for name in seen.whole if name not in parts])
    taken = {name for name in (value, *ids) if name}
    period = period or _period(table, seen, taken)
    value = value or _value(table, seen, {period, *ids})
    others = [name for name in table.columns if name not in {period, value, *left_out}]
    if ids:
        return table, Columns(period, value, ids, left_out | _not_named(others, ids))
    found, why = _ids(_coded(table, [period, *others]), seen, period, others)
    return table, Columns(period, value, found, left_out | why)


EMPTY = "nothing in it"


def _not_named(others: list[str], ids: tuple[str, ...]) -> dict[str, str]:
    return {name: "not named as one" for name in others if name not in ids}


def folded(name: str) -> str:
    """A name as it is compared: small letters, blanks for underscores."""
    text = unicodedata.normalize("NFC", name).lower()
    return " ".join(re.sub(r"[_\s.]+", " ", text).split())


def _refuse_unknown(table: Table, names: list[str]) -> None:
    problems: list[ForesightError] = []
    for name in names:
        if name in table.columns:
            continue
        near = get_close_matches(name, table.columns, n=1, cutoff=0.5)
        known = ", ".join(table.columns)
        hint = f"columns: {known}; did you mean {near[0]!r}?" if near else f"columns: {known}"
        problems.append(UnknownColumn(f"no column is called {name!r}", where=table.name, hint=hint))
    if problems:
        raise Problems(problems)


def _row_numbers(
    table: Table, period: str | None, value: str | None, ids: tuple[str, ...]
) -> list[str]:
    """Columns under no name, or such as 'index', that count the rows."""
    found = []
    for name in table.columns:
        if name in (period, value, *ids) or not re.fullmatch(ROW_NUMBERS, folded(name)):
            continue
        counted = table.frame[name].cast(pl.Float64, strict=False)
        if counted.null_count() == 0 and (counted.diff().drop_nulls() == 1).all():
            found.append(name)
    if len(found) == 1 and len(table.columns) - len(found) < 2:
        return []  # what counts the rows is the period
    return found


def _seen(table: Table, names: list[str]) -> _Seen:
    kinds: dict[str, list[str]] = {"": [], "period": [], "whole": [], "figure": [], "text": []}
    years = []
    for name in names:
        kind = _kind(table, name)
        kinds[kind].append(name)
        if kind == "whole":
            numbers = table.frame[name].cast(pl.Float64, strict=False).drop_nulls()
            if len(numbers) and numbers.is_between(FIRST_YEAR, LAST_YEAR).all():
                years.append(name)
    return _Seen(kinds["period"], kinds["whole"], kinds["figure"], kinds["text"], years, kinds[""])


def _kind(table: Table, name: str) -> str:
    kind = table.frame.schema[name]
    if kind == pl.Null:
        return ""
    if kind.is_temporal():
        return "period"
    if kind.is_numeric():
        cells = table.frame[name].drop_nulls()
        if cells.is_empty():
            return ""
        return "whole" if kind.is_integer() or (cells.round() == cells).all() else "figure"
    if kind != pl.String:
        return "text"
    filled = table.frame.select(pl.col(name).drop_nulls())
    sample = filled.gather_every(1 + len(filled) // SAMPLE).select(stripped(name).drop_nulls())
    if sample.is_empty():  # mostly words for nothing: the sample may have missed the others
        sample = filled.select(stripped(name).drop_nulls()).head(SAMPLE)
    return _kind_of_text(sample[name])


def _kind_of_text(sample: pl.Series) -> str:
    if sample.is_empty():
        return ""
    if sample.str.contains(r"^[-+]?\d+$").all():  # codes such as 007 are whole numbers too
        return "whole"
    if sample.str.contains(FIGURE).sum() >= MOSTLY * len(sample) and not _dotted_dates(sample):
        return "figure"
    return "period" if is_period(sample.unique(maintain_order=True).to_list()[:200]) else "text"


def _dotted_dates(sample: pl.Series) -> bool:
    return bool(sample.str.contains(r"^\d{1,2}\.\d{1,2}\.\d{4}$").all())


# --- the period -----------------------------------------------------------------------------------


def _parts(table: Table, seen: _Seen) -> tuple[str, str] | None:
    """A column of years and one of months, quarters or weeks, if there is one of each."""
    years = [name for name in seen.years if re.fullmatch(YEAR, folded(name))]
    parts = [
        name
        for name in seen.whole
        if any(re.fullmatch(form, folded(name)) for form in PARTS.values())
        and table.frame[name].cast(pl.Float64, strict=False).is_between(1, 53).all()
    ]
    return (years[0], parts[0]) if len(years) == len(parts) == 1 else None


def _composed(table: Table, year: str, part: str) -> Table:
    unit = next(unit for unit, form in PARTS.items() if re.fullmatch(form, folded(part)))
    mark = {"month": "", "quarter": "Q", "week": "W"}[unit]
    number = pl.col(part).cast(pl.Float64).cast(pl.Int64).cast(pl.String)
    made = pl.concat_str(
        pl.col(year).cast(pl.Float64).cast(pl.Int64).cast(pl.String),
        pl.lit(f"-{mark}"),
        number if mark == "Q" else number.str.zfill(2),
    )
    return replace(table, frame=table.frame.with_columns(made.alias(COMPOSED)))


def _period(table: Table, seen: _Seen, taken: set[str]) -> str:
    """The best named of the columns of dates; else of the whole numbers with such a name."""
    dated = [name for name in seen.periods if name not in taken]
    named = _named(dated, PERIOD_NAMES)
    if named or len(dated) == 1:
        return _one(named or dated, "period", table)
    whole = [name for name in seen.whole if name not in taken]
    if not dated:
        found = _named(whole, PERIOD_NAMES) or [name for name in seen.years if name not in taken]
        if found:
            return _one(found, "period", table)
    raise _unclear("period", dated or whole, table, several=bool(dated or whole))


def _value(table: Table, seen: _Seen, taken: set[str]) -> str:
    """The best named of the columns of numbers; else the only one, or the only one with decimals.

    A column of text under such a name is taken too: then its cells say what is wrong.
    """
    numbers = [name for name in table.columns if name in seen.numbers and name not in taken]
    named = _named(numbers, VALUE_NAMES)
    texts = [name for name in seen.texts if name not in taken]
    figures = [name for name in numbers if name in seen.figures]
    found = named or _named(texts, VALUE_NAMES[:2])
    if not found:
        codes = [name for name in numbers if re.fullmatch(ID_NAMES, folded(name))]
        measured = [name for name in numbers if name not in codes]
        found = figures if len(figures) == 1 else measured
    if len(found) == 1 or named:
        return _one(found, "value", table)
    raise _unclear("value", found or [*numbers, *texts], table, several=bool(found))


def _named(names: list[str], forms: tuple[str, ...]) -> list[str]:
    """The columns of the first form that any has."""
    for form in forms:
        found = [name for name in names if re.fullmatch(form, folded(name))]
        if found:
            return found
    return []


def _one(found: list[str], what: str, table: Table) -> str:
    if len(found) > 1:
        raise _unclear(what, found, table, several=True)
    return found[0]


def _unclear(what: str, found: list[str], table: Table, *, several: bool) -> UnclearColumn:
    names = ", ".join(found or table.columns)
    if what == "period":
        asked = f"which of {names} is the period?" if several else f"none of {names} holds periods"
    else:
        asked = f"which of {names} is the value?" if several else f"none of {names} holds values"
    return UnclearColumn(
        asked,
        where=table.name,
        hint=f"name it: --{what} COLUMN; needed is a long table, one row a value",
    )


# --- the series -----------------------------------------------------------------------------------


def _ids(
    table: Table, seen: _Seen, period: str, others: list[str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Columns of text, and of the codes as many as it takes to tell rows of one period apart."""
    left_out = {name: "figures" for name in others if name in seen.figures}
    about = [n for n in others if n in seen.texts and re.fullmatch(ABOUT_A_ROW, folded(n))]
    left_out |= dict.fromkeys(about, "tells of rows, not of series")
    texts = [n for n in others if n in (*seen.texts, *seen.periods) and n not in about]
    codes = [name for name in others if name in seen.whole]
    codes.sort(key=lambda name: not re.fullmatch(ID_NAMES, folded(name)))
    repeated = _repeated(table, [*texts, period])
    for code in codes:
        with_it = _repeated(table, [*texts, code, period]) if repeated > MOST_ALIKE else repeated
        if with_it < repeated:
            texts.append(code)
            repeated = with_it
        else:
            left_out[code] = "not needed to tell the series apart"
    for name in reversed(texts):
        rest = [one for one in texts if one != name]
        if _repeated(table, [*rest, period]) <= MOST_ALIKE and _varies(table, period, rest, name):
            texts = rest
            left_out[name] = "changes within a series"
    return tuple(name for name in table.columns if name in texts), left_out


def _coded(table: Table, names: list[str]) -> Table:
    """With a number for each text: rows are compared many times."""
    texts = [name for name in names if table.frame.schema[name] == pl.String]
    codes = pl.col(texts).cast(pl.Categorical).to_physical()
    return replace(table, frame=table.frame.select(names).with_columns(codes))


def _repeated(table: Table, names: list[str]) -> float:
    """Share of rows that stand a second time, by these columns."""
    rows = len(table.frame)
    return 1 - table.frame.select(names).n_unique() / rows


def _varies(table: Table, period: str, ids: list[str], name: str) -> bool:
    """Whether a column comes and goes within series of the others, or is another in every row.

    One that names series whose periods do not meet has each value once, for many rows.
    """
    if re.fullmatch(ID_NAMES, folded(name)):
        return False
    pairs = table.frame.select([*ids, name]).n_unique()
    if pairs == (table.frame.select(ids).n_unique() if ids else 1):
        return False
    in_order = table.frame.select(*ids, period, name).sort(*ids, period)
    runs = in_order.select(pl.struct(*ids, name).rle_id().max() + 1).item()
    return bool(runs > RETURNS * pairs or len(in_order) < FEW_ROWS * pairs)


def row_order(frame: pl.DataFrame, ids: tuple[str, ...]) -> pl.DataFrame:
    """The series in the order in which they first stand in the file: columns of ids, `series`."""
    if not ids:
        return pl.DataFrame({"series": pl.Series([0], dtype=pl.UInt32)})
    return frame.select(ids).unique(maintain_order=True).with_row_index("series")
