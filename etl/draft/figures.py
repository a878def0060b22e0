"""How figures are written: which sign parts decimals, which thousands. '1.234' alone says neither.

The catalog has one answer a dataset, so all columns vote; a cell such as '1.234,5' or '12,34'
proves its sign, and proofs are counted.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from etl.extract.totals import FOLDED

Sign = Literal[".", ","]

_PROOFS: list[tuple[str, Sign, str]] = [
    (r"[-+]?\d{1,3}(?: \d{3})+,\d+", ",", " "),
    (r"[-+]?\d{1,3}(?: \d{3})+\.\d+", ".", " "),
    (r"[-+]?\d{1,3}(?:\.\d{3})+,\d+", ",", "."),
    (r"[-+]?\d{1,3}(?:,\d{3})+\.\d+", ".", ","),
    (r"[-+]?\d{1,3}(?:\.\d{3}){2,}", ",", "."),
    (r"[-+]?\d{1,3}(?:,\d{3}){2,}", ".", ","),
    (r"[-+]?(?:\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{4,},\d+)", ",", ""),
    (r"[-+]?(?:\d+\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{4,}\.\d+)", ".", ""),
]
_EITHER = re.compile(r"[-+]?[1-9]\d{0,2}([.,])\d{3}")
_SPACED = re.compile(r"[-+]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?")
EXAMPLES = 3


@dataclass(frozen=True)
class Signs:
    """What parts decimals and thousands in written figures."""

    decimal: Sign
    thousands: Literal["", ".", ",", " "]
    why: str | None
    """Evidence; None where no written figure needs a sign."""
    unsure: tuple[str, ...] = ()
    """Examples of figures that mean one thing or a thousand times as much."""
    against: tuple[str, ...] = ()
    """Examples written the other way."""


def signs_of(columns: Iterable[Iterable[str]], counted: Collection[int] = ()) -> Signs:
    """The signs of the written figures of all columns.

    Those numbered in `counted` hold people or cases: a thousandth of one proves a thousand.
    """
    written = [
        [text.translate(FOLDED).strip(" ()").rstrip("%").strip() for text in column]
        for column in columns
    ]
    figures = dict.fromkeys(text for column in written for text in column)
    whole = {text for number in counted for text in written[number]}
    proofs = {text: proof for text in figures if (proof := _proof(text, text in whole))}
    either = {text: match[1] for text in figures if (match := _EITHER.fullmatch(text))}
    spaced = [text for text in figures if _SPACED.fullmatch(text)]
    if not proofs:
        return _without_proof(either, spaced)
    votes = Counter(sign for sign, _ in proofs.values())
    decimal: Sign = "," if votes[","] >= votes["."] else "."
    other: Sign = "." if decimal == "," else ","
    grouped = other in either.values() or any(groups == other for _, groups in proofs.values())
    of_sign = [text for text, (sign, _) in proofs.items() if sign == decimal]
    return Signs(
        decimal,
        other if grouped else " " if spaced else "",
        f"{len(of_sign)} figures such as {of_sign[0]!r}",
        tuple(_alone(written, proofs.keys(), either, decimal)[:EXAMPLES]),
        tuple(text for text, (sign, _) in proofs.items() if sign == other)[:EXAMPLES],
    )


def _alone(
    columns: list[list[str]], proved: Collection[str], either: dict[str, str], decimal: Sign
) -> list[str]:
    """Figures that could be thousands, in columns where nothing proves that they are not."""
    return [
        text
        for column in columns
        if not any(text in proved for text in column)
        for text in column
        if either.get(text) == decimal
    ]


def _proof(text: str, whole: bool) -> tuple[Sign, str] | None:
    if whole and (match := _EITHER.fullmatch(text)):
        return ("," if match[1] == "." else "."), match[1]
    return next(
        ((sign, groups) for form, sign, groups in _PROOFS if re.fullmatch(form, text)), None
    )


def _without_proof(either: dict[str, str], spaced: list[str]) -> Signs:
    if not either:
        why = f"{len(spaced)} figures such as {spaced[0]!r}" if spaced else None
        return Signs(".", " " if spaced else "", why)
    dots = [text for text, sign in either.items() if sign == "."]
    commas = [text for text, sign in either.items() if sign == ","]
    if dots and commas:
        return Signs(",", "", None, (dots[0], commas[0]))
    if dots:
        return Signs(",", ".", None, tuple(dots[:EXAMPLES]))
    return Signs(".", ",", None, tuple(commas[:EXAMPLES]))
