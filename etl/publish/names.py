"""Names of people in Vietnamese text, and the lists of words they are told by.

A name is a surname, which are few, and one to four syllables written as it is. Many a surname is an
ordinary word as well (Hồ, Cao, An): then the syllables after it must be those of names. What is
called after somebody, a school or a road, says so in the word before; places are known.
"""

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

from etl.geography import REFERENCE

SYLLABLES = 5
"""The most a name has."""
LONGEST_SYLLABLE = 7
SHORT = 2
CAPITALS = "".join(filter(str.isupper, map(chr, [*range(0x41, 0x250), *range(0x1E00, 0x1F00)])))
JOINED = re.compile(rf"(?<=[^\W\d_{CAPITALS}])(?=[{CAPITALS}])")
BETWEEN = re.compile(r"\s+|\.\s*|-|_")
MIDDLE = ("văn", "thị", "van", "thi")
"""What stands second in most names of men and of women; some write it small."""


def plain(text: str) -> str:
    """One way to write every letter and digit, without marks of no width."""
    text = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\u200b-\u200f\u2060\ufeff\u00ad]", "", text).strip()


@cache
def bare(word: str) -> str:
    """In lower case, without accents."""
    parts = unicodedata.normalize("NFD", word.casefold().replace("đ", "d"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


@cache
def listed(kind: str, *, accents: bool = True) -> frozenset[str]:
    """The words of one kind in `reference/people/words.csv`, in lower case."""
    with (REFERENCE / "people" / "words.csv").open(encoding="utf-8", newline="") as file:
        found = [row["word"] for row in csv.DictReader(file) if row["kind"] == kind]
    return frozenset(word.casefold() if accents else bare(word) for word in found)


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.casefold()

    @property
    def style(self) -> str:
        if self.text.islower():
            return "lower"
        return "upper" if len(self.text) > 1 and self.text.isupper() else "title"


def names(text: str, places: frozenset[str]) -> tuple[bool, bool]:
    """Whether `text` holds the name of a person for certain, and whether it may."""
    text = JOINED.sub(" ", text)
    words = [_Word(one.group(), *one.span()) for one in re.finditer(r"[^\W\d_]+", text)]
    possible, at = False, 0
    while at < len(words):
        name = _name_at(words, at, text)
        something_else = len(name) >= SHORT and _something_else(words, at, name, places)
        if len(name) >= SHORT and not something_else:
            sure = _is_name(words, at, name, text)
            if sure:
                return True, True
            possible |= sure is None
        at += something_else or 1
    return False, possible


def _name_at(words: list[_Word], at: int, text: str) -> list[_Word]:
    """The words from a surname on that stand in one row and are written in one way."""
    if not _surname(words[at]) and not _first_of_all(words[at : at + 2]):
        return []
    name, joined = [words[at]], ""
    for word in words[at + 1 : at + SYLLABLES]:
        between = text[name[-1].end : word.start]
        same = word.style in (name[0].style, "title") or word.low in MIDDLE
        if not BETWEEN.fullmatch(between) or not same or len(word.text) > LONGEST_SYLLABLE:
            break
        # "Trần Đề-Cần Thơ" are two places.
        if len(name) > 1 and (between in "-_") != (joined in "-_"):
            break
        if between == "_" and word.style != "title":  # a code: SO_HOA_GIAY_TO
            break
        name, joined = [*name, word], between
    return name


def _first_of_all(two: list[_Word]) -> bool:
    """Whether `two` may begin a name by its second: few write Ngyễn Văn, many are called Mã Văn."""
    if len(two) < SHORT or two[1].low not in MIDDLE or two[0].style == "lower":
        return False
    kinds = ("lead", "area", "between", "honorific", "not_before_middle")
    ordinary = any(two[0].low in listed(kind) for kind in kinds)
    return not ordinary and len(two[0].text) <= LONGEST_SYLLABLE


def _surname(word: _Word) -> str:
    """Of which kind: surname, uncertain_surname, or none; of a word without accents, by letters."""
    kinds = ("surname", "uncertain_surname")
    found = next((kind for kind in kinds if word.low in listed(kind)), "")
    if found or not word.text.isascii():
        return found
    return next((kind for kind in kinds if word.low in listed(kind, accents=False)), "")


def _something_else(words: list[_Word], at: int, name: list[_Word], places: frozenset[str]) -> int:
    """How many words from `at` on are an ordinary word, a place, or called after somebody."""
    spoken = [word.low for word in name]
    unaccented = all(word.isascii() for word in spoken)
    if " ".join(spoken[:2]) in listed("not_a_name", accents=not unaccented):
        return 2
    if " ".join(spoken) in places | listed("place") | listed("place", accents=False):
        return len(name)
    before = [word.low for word in words[:at]][::-1]
    # "xã Phùng Nguyên" is a commune somewhere, "chủ tịch xã Phùng Văn Nguyên" somebody.
    if len(name) == SHORT and set(before[:1]) & listed("area"):
        return SHORT
    connecting = len(list(takewhile(lambda word: word in listed("between"), before)))
    near = before[: connecting + 1]
    return len(name) if set(near) & listed("lead") else 0


def _stands_alone(words: list[_Word], at: int, name: list[_Word], text: str) -> bool:
    """Whether nothing but a mark stands between it and the words around it."""
    after = at + len(name)
    before = text[words[at - 1].end : words[at].start] if at else ","
    behind = text[name[-1].end : words[after].start] if after < len(words) else ","
    return not before.isspace() and not behind.isspace()


def _is_name(words: list[_Word], at: int, name: list[_Word], text: str) -> bool | None:
    """Whether `name` is one; None where it is one in a column of names."""
    strong = _surname(name[0]) == "surname"
    if not _surname(name[0]):
        return len(name) > SHORT and _given(name[-1])
    addressed = at > 0 and words[at - 1].low in listed("honorific")
    middles, givens = listed("middle", accents=False), listed("given", accents=False)
    inside = any(bare(word.text) in middles for word in name[1:-1])
    ending = bare(name[-1].text) in givens or len(name[-1].text) == 1
    unaccented = all(word.text.isascii() for word in name)
    whole = _stands_alone(words, at, name, text)
    if name[0].style == "lower":
        told = name[1].low in MIDDLE or (strong and inside and ending)
        return True if whole and len(name) in (3, 4) and told else None if addressed else False
    if len(name) == SHORT:
        # Within a row of capitals it may be the end of something else: "Tam Dương Bắc".
        begins = at == 0 or words[at - 1].style != name[0].style
        if not unaccented and (addressed or (strong and ending and (begins or whole))):
            return True
        return None if whole else False
    if unaccented and not strong:
        return name[1].low in MIDDLE
    if strong and (name[0].style == "title" and not unaccented):
        return True
    return (inside and (strong or ending or name[1].low in (*MIDDLE, "sà"))) or (strong and ending)


def _given(word: _Word) -> bool:
    """Whether it is one of the given names, also of those that are numbers or words too."""
    accents = not word.text.isascii()
    kinds = ("given", "given_after_middle")
    return any(word.low in listed(kind, accents=accents) for kind in kinds)
