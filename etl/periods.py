"""Days, weeks, months, quarters, years, and the spans of cumulative and planning figures.

A period is what a figure is about. '9 tháng 2025' is a figure of its own kind, a span, never to be
mixed with the months in it; but a span that is exactly a month, a quarter or a year is that month,
quarter or year. Weeks run from Monday to Sunday and are numbered as in ISO 8601. In dates written
with strokes the day comes first, as everywhere in Việt Nam.
"""

import re
import time
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Literal, NoReturn

from etl.errors import ForesightError

Status = Literal["preliminary", "estimate", "final"]
Language = Literal["vi", "en"]


class UnreadablePeriod(ForesightError):
    """The text names no period."""


class NotAPeriod(ForesightError):
    """The two days do not bound a period of that frequency."""


class NoStep(ForesightError):
    """A span has no next one, and periods of two frequencies do not follow each other."""


class Frequency(StrEnum):
    """How often something is measured."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    SPAN = "span"
    """Any other stretch of days: cumulative figures, five-year plans."""

    @property
    def season(self) -> int:
        """Periods in one season: 7 days, 52 weeks, 12 months, 4 quarters; 1 where there is none."""
        return _SEASONS.get(self, 1)

    @property
    def polars_step(self) -> str:
        """One period as Polars writes it: '1d', '1w', '1mo', '1q', '1y'.

        Raises:
            NoStep: spans follow no step.
        """
        if self is Frequency.SPAN:
            raise NoStep("spans do not follow each other at equal steps")
        return _STEPS[self]


_SEASONS = {Frequency.DAY: 7, Frequency.WEEK: 52, Frequency.MONTH: 12, Frequency.QUARTER: 4}
_STEPS = {
    Frequency.DAY: "1d",
    Frequency.WEEK: "1w",
    Frequency.MONTH: "1mo",
    Frequency.QUARTER: "1q",
    Frequency.YEAR: "1y",
}


@dataclass(frozen=True)
class Period:
    """A stretch of days, both ends included, that is a whole period of its frequency.

    Raises:
        NotAPeriod: the days do not bound such a period, or a span is one of the other frequencies.
    """

    frequency: Frequency
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise NotAPeriod(f"a period cannot end on {self.end} before it starts on {self.start}")
        if self.frequency is not _frequency_of(self.start, self.end):
            raise NotAPeriod(f"{self.start} to {self.end} is not a {self.frequency}")

    @classmethod
    def between(cls, start: date, end: date) -> "Period":
        """The period from one day to another: the frequency it is exactly one of, else a span."""
        return cls(_frequency_of(start, end), start, end)

    @classmethod
    def containing(cls, frequency: Frequency, day: date) -> "Period":
        """The day, week, month, quarter or year in which a day lies.

        Raises:
            NoStep: for spans, of which a day may lie in many.
        """
        if frequency is Frequency.SPAN:
            raise NoStep("a day may lie in many spans")
        return cls(frequency, *_bounds(frequency, day))

    @classmethod
    def parse(cls, text: str, formats: Iterable[str] = ()) -> "Period":
        """The period a text names; 'sơ bộ' and the like are passed over (see `status_in`).

        With `formats`, those of `strptime`, nothing else is read, and the finest unit in the format
        is the frequency: '%m/%Y' reads months. Without them, it reads 2024, 2025-01, 01/2025,
        Tháng 1/2025, Tháng Một 2025, T1/2025, thg 1/2025, Jan 2025, 2025M01, 202501, 2025-Q1,
        Quý I/2025, 2025-W03, 2025-01-15, 15/01/2025, with or without an hour; two of these joined
        by / or – as a span; 9 tháng 2025, 9 tháng đầu năm 2025. 'Tháng năm 2025', in small letters,
        may be a form in which the month was left out, and is none.

        Raises:
            UnreadablePeriod: with what was found.
        """
        plain = _plain(text)
        formats = tuple(formats)
        read = _by_formats(plain, formats) if formats else _by_forms(plain)
        return read or _refuse(text, formats)

    def __str__(self) -> str:
        """The period as data files carry it: 2025-01, 2025-Q1, 2025-01/2025-09, 2026/2030."""
        match self.frequency:
            case Frequency.SPAN:
                first, last = self._ends()
                return f"{first}/{last}"
            case Frequency.YEAR:
                return f"{self.start:%Y}"
            case Frequency.QUARTER:
                return f"{self.start:%Y}-Q{_quarter(self.start)}"
            case Frequency.MONTH:
                return f"{self.start:%Y-%m}"
            case Frequency.WEEK:
                return f"{self.start:%G-W%V}"
            case _:
                return self.start.isoformat()

    def label(self, language: Language) -> str:
        """The period as people read it: '10/2026', 'quý III/2025', '9 tháng 2025'; 'Oct 2026'."""
        return _label_vi(self) if language == "vi" else _label_en(self)

    def next(self, n: int = 1) -> "Period":
        """The n-th period after this one; before it, if n is negative.

        Raises:
            NoStep: a span has no next one.
        """
        if self.frequency in (Frequency.DAY, Frequency.WEEK):
            days = timedelta(days=n if self.frequency is Frequency.DAY else 7 * n)
            return Period(self.frequency, self.start + days, self.end + days)
        months = n * _months_in(self.frequency)
        return Period.containing(self.frequency, _months_later(self.start, months))

    def _ends(self) -> tuple["Period", "Period"]:
        """The coarsest equal periods with which a span starts and ends: years, months or days."""
        for frequency in (Frequency.YEAR, Frequency.MONTH):
            first, last = (Period.containing(frequency, day) for day in (self.start, self.end))
            if (first.start, last.end) == (self.start, self.end):
                return first, last
        first, last = (Period.containing(Frequency.DAY, day) for day in (self.start, self.end))
        return first, last


def periods_between(first: Period, last: Period) -> list[Period]:
    """All periods from `first` to `last`, both included; none where last is earlier.

    Raises:
        NoStep: the two have different frequencies, or are spans.
    """
    if first.frequency is not last.frequency:
        raise NoStep(f"no steps lead from a {first.frequency} to a {last.frequency}")
    periods = []
    current = first
    while current.start <= last.start:
        periods.append(current)
        current = current.next()
    return periods


def status_in(text: str) -> Status | None:
    """What a text says about its figure: 'Sơ bộ 2024', 'Prel.', 'Ước', 'Est.', 'Chính thức'."""
    folded = unicodedata.normalize("NFC", text).lower()
    return next((status for status, words in _STATUS_WORDS.items() if words.search(folded)), None)


_STATUS_WORDS: dict[Status, re.Pattern[str]] = {
    "preliminary": re.compile(r"\bsơ bộ\b|\bprel(?:\.|iminary\b|\b)"),
    "estimate": re.compile(r"\bước(?: tính| thực hiện| th| đạt)?\b\.?|\best(?:\.|imated?\b|\b)"),
    "final": re.compile(r"\bchính thức\b|\bfinal\b"),
}


# --- the days of a period --------------------------------------------------------------------


def _frequency_of(start: date, end: date) -> Frequency:
    regular = (frequency for frequency in Frequency if frequency is not Frequency.SPAN)
    return next(
        (frequency for frequency in regular if _bounds(frequency, start) == (start, end)),
        Frequency.SPAN,
    )


def _bounds(frequency: Frequency, day: date) -> tuple[date, date]:
    if frequency is Frequency.DAY:
        return day, day
    if frequency is Frequency.WEEK:
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    months = _months_in(frequency)
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    last = _months_later(first, months - 1)
    return first, last.replace(day=monthrange(last.year, last.month)[1])


def _months_in(frequency: Frequency) -> int:
    match frequency:
        case Frequency.MONTH:
            return 1
        case Frequency.QUARTER:
            return 3
        case Frequency.YEAR:
            return 12
        case _:
            raise NoStep(f"a {frequency} has no next one")


def _months_later(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _quarter(day: date) -> int:
    return (day.month + 2) // 3


# --- reading ---------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """Lower case, single spaces, one kind of dash, no status words, no brackets."""
    plain = _MAY.sub("5", unicodedata.normalize("NFC", text)).lower()
    for words in _STATUS_WORDS.values():
        plain = words.sub(" ", plain)
    plain = re.sub(r"[–—−]", "-", re.sub(r"[()]", " ", plain))
    return " ".join(plain.split())


_MAY = re.compile(r"(?<=háng )Năm(?= \d{4})")
"""Not 'tháng năm', where the month may have been left out before the word for year."""


def _by_formats(text: str, formats: Iterable[str]) -> Period | None:
    for form in formats:
        try:
            read = time.strptime(text, form)
        except ValueError:
            continue
        return Period.containing(_frequency_in(form), date(*read[:3]))
    return None


def _frequency_in(form: str) -> Frequency:
    directives = set(re.findall(r"%-?(\w)", form))
    if directives <= set("YyG"):
        return Frequency.YEAR
    if directives <= set("YymbB"):
        return Frequency.MONTH
    return Frequency.DAY


def _by_forms(text: str) -> Period | None:
    return _regular(text) or _span(text.removeprefix("từ "))


def _regular(text: str) -> Period | None:
    for form, read in _FORMS:
        if match := form.fullmatch(text):
            try:
                return read(*match.groups())
            except (ValueError, ForesightError):
                return None
    return None


def _span(text: str) -> Period | None:
    """From one period to another like it, whatever separates the two."""
    for cut in _BETWEEN.finditer(text):
        first, last = _regular(text[: cut.start()]), _regular(text[cut.end() :])
        if first and last and first.frequency is last.frequency is not Frequency.SPAN:
            return Period.between(first.start, last.end) if first.start < last.end else None
    return None


def _refuse(text: str, formats: tuple[str, ...]) -> NoReturn:
    readable = (
        ", ".join(formats) or "2024, 10/2025, 2025-10, Quý III/2025, 15/01/2025, 9 tháng 2025"
    )
    raise UnreadablePeriod(f"{text!r} is not a period", hint=f"readable are: {readable}")


def _year(year: str) -> Period:
    return Period.containing(Frequency.YEAR, date(int(year), 1, 1))


def _month(month: str, year: str) -> Period:
    number = _MONTHS.get(month) or _MONTHS_IN_WORDS.get(month) or int(month)
    return Period.containing(Frequency.MONTH, date(int(year), number, 1))


def _quarter_of(quarter: str, year: str) -> Period:
    number = _QUARTERS.get(quarter) or int(quarter)
    return Period.containing(Frequency.QUARTER, date(int(year), 3 * number, 1))


def _week(week: str, year: str) -> Period:
    monday = date.fromisocalendar(int(year), int(week), 1)
    return Period.containing(Frequency.WEEK, monday)


def _day(day: str, month: str, year: str) -> Period:
    written = date(int(year), _MONTHS.get(month) or int(month), int(day))
    return Period.containing(Frequency.DAY, written)


def _first_months(months: str, year: str) -> Period:
    last = _COUNTS.get(months) or int(months)
    return Period.between(date(int(year), 1, 1), _month(str(last), year).end)


def _years(first: str, last: str) -> Period:
    return Period.between(_year(first).start, _year(last).end)


def _last_months(months: str, year: str) -> Period:
    first = 13 - (_COUNTS.get(months) or int(months))
    return Period.between(_month(str(first), year).start, _year(year).end)


def _months_of_one_year(first: str, last: str, year: str) -> Period:
    return Period.between(_month(first, year).start, _month(last, year).end)


ENGLISH_MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_MONTHS = {name: number for number, name in enumerate(ENGLISH_MONTHS, start=1)}
MONTH_WORDS = (
    "một", "hai", "ba", "tư", "năm", "sáu", "bảy", "tám", "chín", "mười", "mười một", "mười hai",
)  # fmt: skip
"""Months of the calendar as 'Tháng Một' to 'Tháng Mười hai' name them; others are of the moon."""
_MONTHS_IN_WORDS = {word: number for number, word in enumerate(MONTH_WORDS, start=1)}
_COUNTS = {"ba": 3, "sáu": 6, "chín": 9}
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4}

_Y = r"((?:19|20|21)\d\d)"
_PLAUSIBLE = r"((?:19[5-9]|20\d)\d)"
"""Years of months and days without any sign between their parts, which may be figures."""
_M = r"(0?[1-9]|1[0-2])"
_N = r"(0?[1-9]|1[0-2]|ba|sáu|chín)"
_D = r"(0?[1-9]|[12]\d|3[01])"
_Q = r"(i{1,3}|iv|0?[1-4])"
_W = r"(\d\d?)"
_WORD = rf"({'|'.join(MONTH_WORDS)})"
_HOUR = r"(?:[t ](?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:\+07:?00)?)?"
"""An hour behind a day, where it is told as clocks in Việt Nam show it."""
_NAME = rf"({'|'.join(ENGLISH_MONTHS)})[a-z]*\.?"
_OF = r"(?: ?[-/.,] ?(?:năm )?| (?:năm )?)"
_BETWEEN = re.compile(r" ?(?:[-/]|\bđến(?: hết)?\b) ?")


def _turned(read: Callable[..., Period]) -> Callable[..., Period]:
    """The same reader for a form that names its largest unit first."""
    return lambda *parts: read(*reversed(parts))


_WRITTEN: list[tuple[str, Callable[..., Period]]] = [
    (rf"(?:(?:cả )?năm )?{_Y}", _year),
    (rf"{_Y}[-/]{_M}", _turned(_month)),
    (rf"{_M}[-/]{_Y}", _month),
    (rf"(?:tháng |t(?:hg?)?\.? ?){_M}{_OF}{_Y}", _month),
    (rf"tháng (?!năm \d){_WORD}{_OF}{_Y}", _month),
    (rf"{_Y}[-/ ]?m{_M}", _turned(_month)),
    (rf"{_PLAUSIBLE}(0[1-9]|1[0-2])", _turned(_month)),
    (rf"{_NAME}{_OF}{_Y}", _month),
    (rf"{_Y}[-/ ]?q{_Q}", _turned(_quarter_of)),
    (rf"(?:qu[ýí] ?|q\.? ?){_Q}{_OF}{_Y}", _quarter_of),
    (rf"{_Y}-?w{_W}", _turned(_week)),
    (rf"(?:tuần |week |w){_W}{_OF}{_Y}", _week),
    (rf"{_Y}-{_M}-{_D}{_HOUR}", _turned(_day)),
    (rf"{_Y}/{_M}/{_D}{_HOUR}", _turned(_day)),
    *((rf"(?:ngày )?{_D}{mark}{_M}{mark}{_Y}{_HOUR}", _day) for mark in ("/", "-", r"\.")),
    (rf"{_D} {_NAME} {_Y}", _day),
    (rf"{_N} tháng(?: đầu)?{_OF}{_Y}", _first_months),
    (rf"{_N} tháng cuối{_OF}{_Y}", _last_months),
    (rf"(?:từ )?tháng {_M} ?(?:-|đến) ?(?:hết )?(?:tháng )?{_M}{_OF}{_Y}", _months_of_one_year),
    (rf"{_NAME} ?- ?{_NAME} {_Y}", _months_of_one_year),
    (rf"(?:giai đoạn |thời kỳ ){_Y} ?[-/] ?{_Y}", _years),
]
_FORMS = [(re.compile(form), read) for form, read in _WRITTEN]


# --- writing ---------------------------------------------------------------------------------


def _label_vi(period: Period) -> str:
    start, end = period.start, period.end
    match period.frequency:
        case Frequency.YEAR:
            return f"{start:%Y}"
        case Frequency.QUARTER:
            return f"quý {['I', 'II', 'III', 'IV'][_quarter(start) - 1]}/{start:%Y}"
        case Frequency.MONTH:
            return f"{start:%m/%Y}"
        case Frequency.WEEK:
            return f"tuần {start.isocalendar().week}/{start:%G}"
        case Frequency.DAY:
            return f"{start:%d/%m/%Y}"
    first, last = period._ends()
    if first.frequency is Frequency.YEAR:
        return f"giai đoạn {first}–{last}"
    if first.frequency is Frequency.MONTH and (start.month, start.year) == (1, end.year):
        return f"{end.month} tháng {end:%Y}"
    return f"{_label_vi(first)}–{_label_vi(last)}"


def _label_en(period: Period) -> str:
    start, end = period.start, period.end
    match period.frequency:
        case Frequency.YEAR:
            return f"{start:%Y}"
        case Frequency.QUARTER:
            return f"Q{_quarter(start)} {start:%Y}"
        case Frequency.MONTH:
            return f"{_name(start)} {start:%Y}"
        case Frequency.WEEK:
            return f"week {start.isocalendar().week}, {start:%G}"
        case Frequency.DAY:
            return f"{start.day} {_name(start)} {start:%Y}"
    first, last = period._ends()
    if first.frequency is Frequency.YEAR:
        return f"{first}–{last}"
    if first.frequency is Frequency.MONTH and start.year == end.year:
        return f"{_name(start)}–{_name(end)} {end:%Y}"
    return f"{_label_en(first)} – {_label_en(last)}"


def _name(day: date) -> str:
    # Not %b: it would follow the language of the machine.
    return ENGLISH_MONTHS[day.month - 1].capitalize()
