"""Months or quarters that head columns, "Tháng 1" to "Tháng 12": a year completes them.

The year stands in a title, or in the name of the sheet or the file, as the reader looks for it
there (`read.caption`); where none is said it is asked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from etl.draft.columns import Column
from etl.draft.layout import escaped
from etl.patterns import compiled
from etl.periods import ENGLISH_MONTHS, MONTH_WORDS

LEAST = 3
"""Headers that are parts of a year, from which on they are taken for its months or quarters."""
ALL_MONTHS = [str(month) for month in range(1, 13)]
BESIDE = re.compile(r"^(cả năm|tổng|cộng|lũy kế|năm|\d+ tháng|bình quân)\b", re.IGNORECASE)
"""Columns beside them that are made of the others."""
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_HEAD_OF_YEAR = rf"(?:[Nn]ăm |NĂM )?{_YEAR}"
_CAPTIONS = [rf"năm\s+{_YEAR}", rf"(?:^|\D){_YEAR}(?:\D|$)"]


@dataclass(frozen=True)
class Part:
    """Parts of a year of one kind, and how one is written before its year."""

    name: str
    head: str
    written: str


MONTH = r"(?i:tháng |t(?:hg?)?\.? ?)"
QUARTER = r"(?i:qu[ýí] ?|q\.? ?)"
"""What stands before the number of a month or quarter."""
PARTS = [
    Part("month", MONTH + r"(?P<month>0?[1-9]|1[0-2])$", "{month}"),
    Part("month", rf"(?i:tháng )(?P<month>(?i:{'|'.join(MONTH_WORDS)}))$", "Tháng {month}"),
    Part("month", rf"(?P<month>(?i:{'|'.join(ENGLISH_MONTHS)})[a-z]*\.?)$", "{month}"),
    Part("quarter", QUARTER + r"(?P<quarter>(?i:IV|I{1,3})|[1-4])$", "Quý {quarter}"),
]


def part_pattern(labels: list[str]) -> tuple[Part, str] | None:
    """What finds the headers of the parts; `None` where they are none, or of several figures."""
    for part in PARTS:
        found = [
            (label, match)
            for label in labels
            if (match := re.search(part.head, label)) and begins_a_word(label, match.start())
        ]
        heads = {label[: match.start()].strip(" -:,") for label, match in found}
        if len(found) < LEAST:
            continue
        if all(re.fullmatch(_HEAD_OF_YEAR, head) for head in heads):
            return part, f"^{_HEAD_OF_YEAR}[ :,-]*{part.head}"
        if len(heads) == 1 and len({match[part.name] for _, match in found}) == len(found):
            return part, f"^{escaped(heads.pop())}[ :,-]*{part.head}".replace("^[ :,-]*", "^")
    return (PARTS[0], "^(?P<month>[1-9]|1[0-2])$") if set(ALL_MONTHS) <= set(labels) else None


def begins_a_word(label: str, at: int) -> bool:
    """Whether no letter, digit or stroke stands before this place of a label."""
    return not re.search(r"[^\W_]$|[/.]$|\d ?[-–]$", label[:at])


def years_said(titles: Iterable[str]) -> tuple[str, list[str]]:
    """A pattern by which the reader finds the year, and the years that it finds, each once."""
    told = [*titles]
    for caption in _CAPTIONS:
        pattern = compiled(caption, any_case=True)
        found = [match.groupdict()["year"] for text in told if (match := pattern.search(text))]
        if found:
            return caption, list(dict.fromkeys(map(str, found)))
    return "", []


def dated(columns: list[Column], part: Part, year: str | None) -> Column:
    """The periods that the column of parts makes with a year, or with the column of years."""
    used = [column for column in columns if column.label in (part.name, "year")]
    for column in used:
        column.kind, column.why = "part", "part of the period"
    texts = {column.label: column.texts for column in used}
    parts = texts[part.name]
    years = texts.get("year", [year] * len(parts))
    made: list[str | None] = [
        f"{part.written}/{of}".replace(f"{{{part.name}}}", text or "")
        for text, of in zip(parts, years, strict=True)
    ]
    return Column(used[0].position, "period", [*made], made, "period", f"{part.name}s of a year")
