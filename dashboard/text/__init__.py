"""The words of the interface: one file a language, equal keys. Names of data come with the data."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from etl import rule_words

LANGUAGES = ("vi", "en")
CHOICE = re.compile(r"\[([^\[|\]]+)\|([^\[|\]]+)\]")
NUMBER = re.compile(r"\d[\d.,]*(?<=\d)")


@cache
def words(lang: str) -> dict[str, str]:
    """Every text of a language by its dotted key."""
    path = Path(__file__).parent / f"{lang}.yaml"
    rules = {f"rule.{kind}": rule_words.title(kind, _known(lang)) for kind in rule_words.kinds()}
    return dict(_flat(yaml.safe_load(path.read_text(encoding="utf-8")), "")) | rules


def _known(lang: str) -> rule_words.Language:
    return "en" if lang == "en" else "vi"


def _flat(node: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in node.items():
        place = f"{prefix}{key}"
        found += _flat(value, f"{place}.") if isinstance(value, dict) else [(place, str(value))]
    return found


def counted(said: str) -> str:
    """Each `[day|days]` as the number before it asks: the first after 1, else the second."""
    parts = CHOICE.split(said)
    told = parts[0]
    for one, many, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        numbers = NUMBER.findall(told)
        told += (one if numbers[-1:] == ["1"] else many) + rest
    return told


@dataclass(frozen=True)
class Text:
    """The words of one language: `text("overview.title")`."""

    lang: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key`, its `{placeholders}` filled in."""
        found = words(self.lang)[key]
        return counted(found.format(**values)) if values else found

    def pick(self, vietnamese: str | None, english: str | None) -> str:
        """The one of two titles that is in this language; the other where it is missing."""
        first, second = (english, vietnamese) if self.lang == "en" else (vietnamese, english)
        return first or second or ""
