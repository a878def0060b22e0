"""What each column holds: places, times, figures, labels, states, people, or free text.

The header proposes, the cells decide. Every decision carries its evidence as a sentence, because
it is written beside the guess for the analyst to judge.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from etl.draft import words
from etl.draft.layout import BLANK, is_number
from etl.extract.raw import Cell, plain, text_of
from etl.normalise import STATUSES
from etl.periods import Frequency, Period, UnreadablePeriod

Kind = Literal[
    "row_number", "area", "period", "figure", "date", "label", "indicator", "indicator_title",
    "unit", "status", "as_of", "source", "source_url", "note", "personal", "identifier", "text",
    "empty", "part",
]  # fmt: skip

MOSTLY = 0.9
SOME = 0.5
FEW = 40
"""Distinct texts a column of labels has at most."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CODE = re.compile(r"(?=\S*\d)[\w./-]{3,40}")
_CONTENTS = [
    ("identity_number", re.compile(r"\d{12}"), "numbers of 12 digits, like identity cards"),
    ("phone", re.compile(r"(?:\+?84|0)[ .]?[235789](?:[ .-]?\d){8}"), "telephone numbers"),
    ("email", re.compile(r"\S+@\S+\.\w+"), "e-mail addresses"),
    (
        "full_name",
        re.compile(
            r"(?i)(nguyễn|trần|lê|phạm|huỳnh|hoàng|phan|vũ|võ|đặng|bùi|đỗ|hồ|ngô|dương|lý|lâm|thạch"
            r"|sơn|kim|danh) (\S+ ){0,3}\S+"
        ),
        "names of people",
    ),
]


@dataclass
class Column:
    """One column of the table, and what it is taken for."""

    position: int
    label: str
    cells: list[Cell]
    texts: list[str | None]
    kind: Kind = "text"
    why: str = ""
    sensitive_name: str = ""
    field: str = ""
    """Name in the clean table, once it has one."""

    @cached_property
    def filled(self) -> list[str]:
        """Texts that are there."""
        return [text for text in self.texts if text is not None]

    @cached_property
    def distinct(self) -> Counter[str]:
        """How often each text stands."""
        return Counter(self.filled)

    def share(self, fits: Iterable[bool]) -> float:
        """Share of the distinct texts."""
        found = list(fits)
        return sum(found) / len(found) if found else 0.0

    @cached_property
    def figures(self) -> float:
        """Share of filled cells that are figures."""
        cells = [cell for cell, text in zip(self.cells, self.texts, strict=True) if text]
        return self.share(is_number(cell) for cell in cells)

    @cached_property
    def periods(self) -> dict[str, Period | None]:
        """Each distinct text as a period."""
        return {text: period_of(text) for text in self.distinct}

    @property
    def unique(self) -> bool:
        """Whether it is filled everywhere and no text stands twice."""
        return len(self.filled) == len(self.texts) == len(self.distinct) > 1


def period_of(text: str) -> Period | None:
    """The period a text names, if any."""
    try:
        return Period.parse(text)
    except UnreadablePeriod:
        return None


def columns_of(labels: list[str], cells: dict[int, list[Cell]], decimal: str) -> list[Column]:
    """The labelled columns, each with its kind, except areas (see `areas_in`)."""
    found = [
        Column(position, labels[position], column, [_text(cell, decimal) for cell in column])
        for position, column in cells.items()
        if labels[position]
    ]
    for column in found:
        column.kind, column.why = _kind(column)
    return found


def _text(cell: Cell, decimal: str) -> str | None:
    text = text_of(cell, decimal)
    return None if text is None or text in BLANK else text


def _kind(column: Column) -> tuple[Kind, str]:
    part = words.part_of(column.label)
    if not column.filled:
        return "empty", "nothing in it"
    for judge in (_row_number, _known_word, _person, _time, _figure):
        found = judge(column, part)
        if found:
            return found
    return _words(column)


Found = tuple[Kind, str] | None


def _row_number(column: Column, part: words.Part | None) -> Found:
    if part == "row_number":
        return "row_number", "row numbers"
    numbers = [text for text in column.filled if text.isdigit()]
    counted = [str(n) for n in range(1, len(numbers) + 1)]
    if numbers == counted and len(numbers) > 3 and column.position == 0:
        return "row_number", f"counts from 1 to {len(numbers)}"
    return None


def _known_word(column: Column, part: words.Part | None) -> Found:
    """Headers that name a part of every observation, if the cells agree."""
    n, distinct = len(column.distinct), list(column.distinct)
    tests: dict[str, bool] = {
        "indicator": all(_NAME.fullmatch(text) for text in distinct),
        "indicator_title": column.figures < SOME,
        "unit": column.figures < SOME and n <= FEW and _names_units(column),
        "status": column.share(plain(text) in STATUSES for text in distinct) >= MOSTLY,
        "as_of": column.share(p is not None for p in column.periods.values()) >= MOSTLY,
        "source": column.figures < SOME,
        "source_url": column.share(text.startswith("http") for text in distinct) >= SOME,
        "note": column.figures < SOME,
    }
    if part is None or not tests.get(part, False):
        return None
    return part, "by its header"  # type: ignore[return-value]


def _names_units(column: Column) -> bool:
    """'Đơn vị' heads units as well as offices."""
    if "tính" in plain(column.label):
        return True
    return column.share(words.is_unit(text) for text in column.distinct) >= SOME


def _person(column: Column, _part: words.Part | None) -> Found:
    for name, form, what in _CONTENTS:
        share = column.share(bool(form.fullmatch(text)) for text in column.distinct)
        enough = 0.6 if name == "full_name" else 0.8
        if share >= enough and len(column.distinct) > (3 if name == "full_name" else 1):
            column.sensitive_name = name
            return "personal", f"{share:.0%} are {what}"
    named = words.personal(column.label)
    if named and not all(text.startswith("http") for text in column.distinct):
        column.sensitive_name = named[0]
        return "personal", named[1]
    return None


def _time(column: Column, _part: words.Part | None) -> Found:
    read = [period for period in column.periods.values() if period]
    share = len(read) / len(column.periods)
    if not read and column.share(date_format(text) is not None for text in column.distinct) > 0.8:
        return "date", "days with the hour"
    if is_day_first(column) is False and column.figures == 0:
        return "date", "days, the month first"
    least = SOME if words.speaks_of_period(column.label) else 0.8
    if share < least or (column.figures == 1 and not _could_be_periods(column, read)):
        return None
    why = f"{len(read)} of {len(column.periods)} texts are {_named(read)}"
    return ("date" if all(p.frequency is Frequency.DAY for p in read) else "period"), why


def _could_be_periods(column: Column, read: list[Period]) -> bool:
    """Whether figures that are years, or months such as 202501, are meant to be."""
    if all(period.frequency is Frequency.YEAR for period in read):
        return _speaks_of_years(column)
    measured = words.split_unit(column.label)[1] or words.aggregate_of(column.label, None)
    whole = len(read) >= MOSTLY * len(column.periods)
    return whole and words.speaks_of_period(column.label) and not measured


def _speaks_of_years(column: Column) -> bool:
    return words.speaks_of_period(column.label) or len(column.distinct) <= len(column.filled) / 2


def _named(read: list[Period]) -> str:
    names = {p.frequency.value for p in read}
    return f"{names.pop()}s" if len(names) == 1 else "periods"


def _figure(column: Column, _part: words.Part | None) -> Found:
    if column.figures < 0.8:
        return None
    if (
        column.unique
        and _CODE.fullmatch(column.filled[0])
        and re.search(r"(?i)\b(mã|số hiệu|id)\b", column.label)
    ):
        return "identifier", "every number stands once, under a header of codes"
    return "figure", f"{column.figures:.0%} figures"


def _words(column: Column) -> tuple[Kind, str]:
    n, rows = len(column.distinct), len(column.filled)
    if column.unique and column.share(bool(_CODE.fullmatch(t)) for t in column.distinct) >= MOSTLY:
        return "identifier", f"{n} codes, each once"
    longest = max(map(len, column.distinct))
    if n <= FEW and (n <= rows / 2 or n <= 3) and longest <= 120:
        return "label", f"{n} distinct texts in {rows} rows"
    return "text", f"{n} distinct texts in {rows} rows"


DATES = [
    "%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%H:%M %d/%m/%Y",
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
]  # fmt: skip
MONTHS_FIRST = [form.replace("%d/%m", "%m/%d") for form in DATES if "%d/%m" in form]


def date_format(text: str, formats: Iterable[str] = DATES) -> str | None:
    """The first format in which `text` is a day."""
    for form in formats:
        try:
            dt.datetime.strptime(text, form)  # noqa: DTZ007  (only whether it can be read)
        except ValueError:
            continue
        return form
    return None


def is_day_first(column: Column) -> bool | None:
    """Whether 01/02/2026 is the first of February in this column; None where nothing tells."""
    days = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}(?: \d.*)?")
    parts = [days.fullmatch(text) for text in column.distinct]
    pairs = [(int(m[1]), int(m[2])) for m in parts if m]
    if not pairs or any(first > 12 for first, _ in pairs):
        return True
    return False if any(second > 12 for _, second in pairs) else None
