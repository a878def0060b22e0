"""Numbers, periods and ages as people of each language write them.

Observed figures are exact or rounded to the decimals of their indicator; forecasts carry three
significant digits, because more would pretend. Two percentages differ by percentage points.
"""

import datetime as dt
from calendar import month_abbr
from dataclasses import dataclass
from functools import lru_cache
from math import floor, log10

from babel.dates import format_date
from babel.numbers import format_decimal

MINUS = "−"
MILLION = 1_000_000
MONTHS_A_YEAR = 12
DAYS_A_MONTH = 30.44
YOUNG = 45
"""Days up to which an age is told in days."""
OLD = 24
"""Months from which an age is told in years."""
LOCALES = {"vi": "vi_VN", "en": "en_GB"}
UNITS = {
    "vi": {
        "million": "triệu",
        "point": "điểm %",
        "day": "ngày",
        "month": "tháng",
        "year": "năm",
        "to": "đến",
    },
    "en": {
        "million": "million",
        "point": "pp",
        "day": "day",
        "month": "month",
        "year": "year",
        "to": "to",
    },
}
ENGLISH_MONTHS = tuple(month_abbr[1:])
KEPT = 20_000
"""Figures whose writing is kept: pages say the same ones again and again."""


@dataclass(frozen=True)
class Notation:
    """How one language writes figures: `vi` or `en`."""

    lang: str

    @property
    def locale(self) -> str:
        """Babel's name of the locale."""
        return LOCALES[self.lang]

    def number(self, value: float | None, decimals: int = 0) -> str:
        """`1.234,5`, with at most `decimals` decimals; a dash where the value is missing."""
        if value is None:
            return "–"
        shape = "#,##0." + "#" * decimals if decimals else "#,##0"
        return _written(round(value, decimals) or 0, shape, self.locale)

    def fixed(self, value: float | None, decimals: int) -> str:
        """As `number`, with exactly `decimals` decimals: for columns and shares."""
        if value is None:
            return "–"
        shape = "#,##0." + "0" * decimals if decimals else "#,##0"
        return _written(round(value, decimals) or 0, shape, self.locale)

    def share(self, percent: float | None, decimals: int = 1) -> str:
        """`91,7%` from 91.7."""
        return "–" if percent is None else f"{self.fixed(percent, decimals)}%"

    def change(self, ratio: float | None) -> str:
        """`+7%` from 0.07, always with its sign."""
        if ratio is None:
            return "–"
        return f"{self.sign(round(ratio * 100))}{self.number(abs(round(ratio * 100)))}%"

    def points(self, difference: float | None) -> str:
        """`+0,6 điểm %` from 0.6: a difference of two percentages."""
        if difference is None:
            return "–"
        rounded = round(difference, 1)
        return f"{self.sign(rounded)}{self.distance(rounded)}"

    def distance(self, difference: float) -> str:
        """`0,6 điểm %` from 0.6 or -0.6: how far two percentages lie apart."""
        return f"{self.fixed(abs(difference), 1)} {UNITS[self.lang]['point']}"

    def sign(self, value: float) -> str:
        """`+`, `−`, or nothing for zero."""
        if not value:
            return ""
        return "+" if value > 0 else MINUS

    def rounded(self, value: float | None) -> str:
        """A forecast, to three significant digits; millions in words."""
        if value is None:
            return "–"
        kept = significant(value)
        if abs(kept) >= MILLION:
            return f"{self.number(kept / MILLION, 2)} {UNITS[self.lang]['million']}"
        return self.number(kept, _decimals(kept))

    def compact(self, value: float | None) -> str:
        """An observed figure for a headline: exact below a million, then in millions."""
        if value is None:
            return "–"
        if abs(value) >= MILLION:
            return f"{self.number(value / MILLION, 2)} {UNITS[self.lang]['million']}"
        return self.number(value)

    def interval(self, lower: float, upper: float) -> str:
        """`1,57–1,76 triệu`: both ends of a forecast's interval in one unit."""
        low, high = significant(lower), significant(upper)
        # A dash between would run into a minus.
        dash = f" {UNITS[self.lang]['to']} " if low < 0 else "–"
        if abs(high) >= MILLION:
            unit = UNITS[self.lang]["million"]
            return f"{self.number(low / MILLION, 2)}{dash}{self.number(high / MILLION, 2)} {unit}"
        return f"{self.number(low, _decimals(high))}{dash}{self.number(high, _decimals(high))}"

    def date(self, day: dt.date | None) -> str:
        """`21/11/2026`, or `21 Nov 2026`."""
        if day is None:
            return "–"
        shape = "dd/MM/yyyy" if self.lang == "vi" else "d MMM yyyy"
        return str(format_date(day, format=shape, locale=self.locale))

    def weekday(self, day: dt.date) -> str:
        """`Thứ Hai, 23/11/2026`, or `Monday, 23 Nov 2026`."""
        name = format_date(day, format="EEEE", locale=self.locale)
        return f"{name}, {self.date(day)}"

    def month(self, day: dt.date) -> str:
        """`10/2026`, or `Oct 2026`."""
        if self.lang == "vi":
            return f"{day.month}/{day.year}"
        return f"{ENGLISH_MONTHS[day.month - 1]} {day.year}"

    def period(self, frequency: str, period: dt.date, period_end: dt.date) -> str:
        """`2025`, `tháng 10/2026`, `quý III/2026`, `9 tháng 2025`, `2021–2025`."""
        if frequency == "year":
            return str(period.year)
        if frequency == "month":
            return f"tháng {self.month(period)}" if self.lang == "vi" else self.month(period)
        if frequency == "quarter":
            return self._quarter(period)
        if frequency == "span":
            return self._span(period, period_end)
        return self.date(period)

    def during(self, frequency: str, period: dt.date, period_end: dt.date) -> str:
        """As `period`, inside a sentence: `năm 2025`."""
        written = self.period(frequency, period, period_end)
        return f"năm {written}" if frequency == "year" and self.lang == "vi" else written

    def _quarter(self, period: dt.date) -> str:
        number = (period.month - 1) // 3
        if self.lang == "vi":
            return f"quý {('I', 'II', 'III', 'IV')[number]}/{period.year}"
        return f"Q{number + 1} {period.year}"

    def _span(self, period: dt.date, period_end: dt.date) -> str:
        if period.year != period_end.year:
            return f"{period.year}–{period_end.year}"
        if period.month == 1:
            months = period_end.month
            words = f"{months} tháng" if self.lang == "vi" else f"Jan–{ENGLISH_MONTHS[months - 1]}"
            return f"{words} {period.year}"
        return f"{self.month(period)}–{self.month(period_end)}"

    def age(self, days: int) -> str:
        """`12 ngày`, `10 tháng`, `3 năm`: whole units passed."""
        unit, count = "day", days
        if days > YOUNG:
            unit, count = "month", int(days / DAYS_A_MONTH)
            if count >= OLD:
                unit, count = "year", count // MONTHS_A_YEAR
        word = UNITS[self.lang][unit]
        plural = "s" if self.lang == "en" and count != 1 else ""
        return f"{count} {word}{plural}"


@lru_cache(maxsize=KEPT)
def _written(value: float, shape: str, locale: str) -> str:
    # Reading the locale and the shape takes longer than writing the figure.
    return str(format_decimal(value, format=shape, locale=locale)).replace("-", MINUS)


def significant(value: float, digits: int = 3) -> float:
    """`value` rounded to so many significant digits."""
    if not value:
        return 0.0
    return round(value, digits - 1 - floor(log10(abs(value))))


def _decimals(value: float) -> int:
    """Decimals that show three significant digits."""
    if not value:
        return 0
    return max(0, 2 - floor(log10(abs(value))))
