"""The names of offices, as people write them."""

import re
import unicodedata

import numpy as np
import polars as pl

from etl.simulate.assumed import Ints


class Offices:
    """The names of all offices, each in the spellings that people use."""

    SPELLINGS = 6
    SHARES = (0.966, 0.010, 0.006, 0.006, 0.006, 0.006)

    def __init__(self, titles: list[str]) -> None:
        distinct = list(dict.fromkeys(titles))
        self._numbers = {title: number for number, title in enumerate(distinct)}
        self.texts = pl.Series([text for title in distinct for text in _spellings(title)])

    def numbers(self, titles: pl.Series) -> Ints:
        return np.array([self._numbers[title] for title in titles], dtype=np.int64)

    def written(self, rng: np.random.Generator, offices: Ints) -> pl.Series:
        spelling = np.searchsorted(np.cumsum(self.SHARES)[:-1], rng.random(len(offices)), "right")
        return self.texts.gather(offices * self.SPELLINGS + spelling)


def _spellings(title: str) -> list[str]:
    """As it should be; kind shortened; a double space; capitals; tones moved; letters apart."""
    short = _KINDS.sub(lambda match: _SHORT[match[0]], title)
    return [
        title,
        short,
        title.replace(" ", "  ", 1),
        title.upper(),
        _OPEN.sub(lambda match: _MOVED[match[0]], title),
        unicodedata.normalize("NFD", title),
    ]


_SHORT = {
    "Phường": "P.",
    "Xã": "X.",
    "Thị trấn": "TT.",
    "Quận": "Q.",
    "Huyện": "H.",
    "Thị xã": "TX.",
    "Thành phố": "TP.",
}
_KINDS = re.compile(rf"(?:^|(?<=, ))(?:{'|'.join(_SHORT)})(?= )")
_MOVED = {
    unicodedata.normalize("NFC", first + tone + second): unicodedata.normalize(
        "NFC", first + second + tone
    )
    for first, second in ("oa", "oe", "uy")
    for tone in "\u0300\u0301\u0303\u0309\u0323"
}
_OPEN = re.compile(rf"(?<![qQ])(?:{'|'.join(_MOVED)})(?!\w)")
