"""Errors in the language of the reader: looked up when they are printed, never before.

The code says everything in English. `etl/text/errors.vi.yaml` holds for each English text, as it
stands in the code, the Vietnamese one. `{}` is what was put in, and stays as it is; `{1}` in a
translation is the second of them; `{~}` is one that may be a text of the table itself, `{*}` words
of its list, `{@}` a day or a month. What the table does not know stays English.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")
TABLE = Path(__file__).parent / "text" / "errors.vi.yaml"

PARTS = {"others": ("others",)}
"""What a library says holds nothing that this program says."""
DAY_OR_MONTH = re.compile(r"\d{4}(-\d{2}){1,2}")
GAP = re.compile(r"\{\}")
SLOT = re.compile(r"\{([~*@]?)(\d?)\}")
PLACES = {"record": "bản ghi", "cell": "ô", "row": "dòng"}
NUMBERED = rf"(?<=[:,] )({'|'.join(PLACES)})(?= ([A-Z]+)?\d+$)"
# What is quoted may hold the words of another text, so a gap takes a quoted whole first.
ANYTHING = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|.*?)"""


@dataclass(frozen=True)
class Template:
    """A text of the code, and how its translation takes up what was put in."""

    pattern: re.Pattern[str]
    said: str
    parts: tuple[str, ...]
    """Sections of the table its own parts are looked up in."""

    def put_into(self, match: re.Match[str]) -> str:
        """The translation, filled with what the match found."""
        found = iter(range(1, 1 + len(match.groups())))

        def filled(slot: re.Match[str]) -> str:
            number = int(slot[2]) + 1 if slot[2] else next(found)
            return _put_in(match[number], slot[1], self.parts)

        return SLOT.sub(filled, self.said)


def translated(text: str, language: Language) -> str:
    """A problem or a hint in `language`; in English where nobody has translated it."""
    return text if language == "en" else _looked_up(text, ("errors", "others"))


def located(where: str, language: Language) -> str:
    """The place of an error; of it only the words beside a number or a cell are translated."""
    return where if language == "en" else re.sub(NUMBERED, lambda m: PLACES[m[1]], where)


def _put_in(text: str, mark: str, parts: tuple[str, ...]) -> str:
    """What was put in, as the mark of its slot has it."""
    if mark == "~":
        return _looked_up(text, parts)
    if mark == "*":
        return ", ".join(_words().get(word, word) for word in text.split(", "))
    return _period(text) if mark == "@" else text


def _period(text: str) -> str:
    return "/".join(reversed(text.split("-"))) if DAY_OR_MONTH.fullmatch(text) else text


def _looked_up(text: str, sections: tuple[str, ...]) -> str:
    for template in _templates(sections):
        match = template.pattern.fullmatch(text)
        if match:
            return template.put_into(match)
    return text


@cache
def _table() -> dict[str, dict[str, str]]:
    return dict(yaml.safe_load(TABLE.read_text(encoding="utf-8")))


def _words() -> dict[str, str]:
    return _table()["words"]


@cache
def _templates(sections: tuple[str, ...]) -> list[Template]:
    """Those with most literal text first: the more it says, the surer it is meant."""
    table = _table()
    found = [
        (
            english,
            Template(_pattern(english), said, PARTS.get(section, ("errors", "phrases", "others"))),
        )
        for section in sections
        for english, said in table[section].items()
    ]
    found.sort(key=lambda entry: -len(GAP.sub("", entry[0])))
    return [template for _, template in found]


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(ANYTHING.join(map(re.escape, GAP.split(english))), re.DOTALL)
