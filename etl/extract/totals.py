"""Totals that a table states, computed again from its records.

A stated figure is rounded, and so are those it adds up where they are measured, have decimals or
are in thousands and more. A difference that the rounding of all of them can explain is no
disagreement. Counts are not rounded: they must agree to the unit.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from etl.catalog import Read
from etl.extract.units import Unit

COMMA = str.maketrans(",.", ".#")
"""For figures with a decimal comma: a point that is left in one makes it none."""
UNUSUAL = "\u00a0\u2009\u202f\u2212" + "".join(chr(0xFF10 + digit) for digit in range(10))
USUAL = "   -0123456789"
"""Blanks, the minus and digits as printers and some keyboards make them, and as all others do."""
FOLDED = str.maketrans(UNUSUAL, USUAL)
BRACKETED = r"\([^-+()]+\)"
"""A figure below zero, as accountants write it: "(1.234)"."""
HALF = Decimal("0.5")
NOISE = Decimal("1e-12")
"""Share of a sum that is lost where a workbook computed it in binary."""


def number(text: str | None, read: Read) -> Decimal | None:
    """The figure that a cell holds, by the declared signs; `None` for anything else."""
    if not text:
        return None
    if read.brackets == "negative" and re.fullmatch(BRACKETED, text):
        within = number(text[1:-1], read)
        return None if within is None else -within
    written = text.translate(FOLDED)
    digits = written.replace(" ", "")
    wrong = misplaced(read)
    if re.search(astray(read), written) or (wrong and re.search(wrong, digits)):
        return None
    digits = digits.replace(read.thousands, "") if read.thousands else digits
    if read.decimal == ",":
        digits = digits.translate(COMMA)
    try:
        return Decimal(digits) if digits.strip("-+").replace(".", "", 1).isdigit() else None
    except InvalidOperation:
        return None


def astray(read: Read) -> str:
    """A pattern of figures in which a blank parts no thousands, in Python and in DuckDB.

    The 1 of a footnote would else be a digit of "1.234 1", and "12 30" be 1230.
    """
    return rf"\d +(\d{{1,2}}(\D|$)|\d{{4}})|\d{{4}} +\d|{re.escape(read.decimal)}\d* +\d"


def misplaced(read: Read) -> str | None:
    """A pattern of figures whose sign of thousands parts no thousands, in Python and in DuckDB.

    12.5 would else be 125 and 1,234.5 be 1.2345 where "." parts thousands.
    """
    if not read.thousands.strip():
        return None
    sign, decimal = re.escape(read.thousands), re.escape(read.decimal)
    return rf"{sign}(\d{{0,2}}(\D|$)|\d{{4}})|\d{{4}}{sign}|{decimal}.*{sign}"


@dataclass(frozen=True)
class Tally:
    """The figures of one column by row, and their unit in the file, where it is known."""

    figures: Mapping[int, Decimal | None]
    unit: Unit | None

    @property
    def adds(self) -> bool:
        """Whether a sum of these figures means anything: shares have none."""
        return self.unit is None or self.unit.dimension != "share"

    def compared(self, stated: Decimal, rows: Sequence[int]) -> tuple[Decimal | None, bool | None]:
        """What the figures of these rows add up to, and whether that is what is stated."""
        added = [figure for row in rows if (figure := self.figures[row]) is not None]
        if not added:
            return None, None
        computed = sum(added, Decimal(0))
        return computed, abs(stated - computed) <= self._tolerance(stated, added)

    def _tolerance(self, stated: Decimal, added: Sequence[Decimal]) -> Decimal:
        rounded = self.unit is not None and self.unit.rounded
        places = [stated, *(figure for figure in added if rounded or _decimals(figure))]
        half = sum((HALF.scaleb(-_decimals(place)) for place in places), Decimal(0))
        return half + NOISE * abs(stated)


def _decimals(figure: Decimal) -> int:
    exponent = figure.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
