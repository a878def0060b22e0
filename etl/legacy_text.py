"""Vietnamese as it was written before Unicode: TCVN3 (ABC), VNI and Windows-1258.

Such text reaches us in two ways: as the bytes of a file, and as Latin-1 characters in a Unicode
workbook or CSV, where only the font made 'CÇn Th¬' look like 'Cần Thơ'. Nothing in it says which
encoding it is, so a column is decoded with each, and the one in which known names and words appear
is taken. Without a clear winner the text stays as it is.

TCVN3 has no capital letters with tones: capitals were a font (.VnTimeH). Where a workbook tells its
fonts these settle both, letters and case; elsewhere what is decoded must be compared without regard
to case. Its 'ư' is the soft hyphen, which cleaners delete: decode first.
"""

import codecs
import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from etl.geography import REFERENCE, areas

Encoding = Literal["unicode", "tcvn3", "vni", "windows-1258"]
"""How a text is to be understood; unicode means as it stands."""
Bytes = Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "tcvn3", "vni", "windows-1258"]
"""How a file is written."""

Row = list[str | None]

# --- the tables ---------------------------------------------------------------------------------

# From the first code of each run on; the codes between are not used by the fonts.
_TCVN3_RUNS = {
    0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",
    0xB5: "àảãáạ",
    0xBB: "ằẳẵắ",
    0xC6: "ặầẩẫấậè",
    0xCE: "ẻẽéẹềểễếệìỉ",
    0xDC: "ĩíịò",
    0xE1: "ỏõóọồổỗốộờởỡớợù",
    0xF1: "ủũúụừửữứựỳỷỹýỵ",
}
_TCVN3 = {first + i: letter for first, run in _TCVN3_RUNS.items() for i, letter in enumerate(run)}

# VNI writes a vowel and, behind it, its mark as a character of its own.
_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
_HAT, _BREVE = "\u0302", "\u0306"
_VNI_TONES = dict(zip("ùøûõï", (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT), strict=True))
_VNI_HATS = {"â": _HAT} | {
    mark: _HAT + tone
    for mark, tone in zip("áàåãä", (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT), strict=True)
}
_VNI_BREVES = {"ê": _BREVE} | {
    mark: _BREVE + tone
    for mark, tone in zip("éèúüë", (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT), strict=True)
}
_VNI_MARKS = {
    "a": _VNI_TONES | _VNI_HATS | _VNI_BREVES,
    "e": _VNI_TONES | _VNI_HATS,
    "o": _VNI_TONES | _VNI_HATS,
    "u": _VNI_TONES,
    "y": _VNI_TONES,
    "ô": _VNI_TONES,
    "ö": _VNI_TONES,
}
_VNI_LETTERS = dict(zip("ñôöíìæóòî", "đơưíìỉĩịỵ", strict=True))


def _vni() -> dict[str, str]:
    """What each character or pair of them means, in either case of either."""
    table = dict(_VNI_LETTERS) | {
        vowel + mark: unicodedata.normalize("NFC", _VNI_LETTERS.get(vowel, vowel) + marks)
        for vowel, all_marks in _VNI_MARKS.items()
        for mark, marks in all_marks.items()
    }
    table |= {written[0].upper() + written[1:]: read.upper() for written, read in table.items()}
    return table | {written[0] + written[1:].upper(): read for written, read in table.items()}


_VNI = _vni()
_VNI_WRITTEN = re.compile("|".join(sorted(_VNI, key=len, reverse=True)))
# Windows-1258 differs from Windows-1252 in a few letters, and has tones that follow their vowel.
_WINDOWS_1258 = {code: bytes([code]).decode("cp1258") for code in range(0xA0, 0x100)}
_WINDOWS_1252 = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}

# A text that has a character not in Windows-1252 is Unicode already.
_LATIN = f"[\x00-\xff{''.join(_WINDOWS_1252.values())}]*"
_COULD_BE_LEGACY = re.compile(f"{_LATIN}[\xa1-\xff]{_LATIN}\\Z")
# Characters that Vietnamese in Unicode does not use, or rarely, and legacy text always does.
_TYPICAL = re.compile("[¡-®µ-¾ÄÅÆÇËÎÏÐÑÖ×ØÛÜÞßäåæçëîïðñö÷øûüþ]")
# The same characters as UTF-8, for files too large to be decoded without need: by their first byte,
# whether the second makes one of them.
_TYPICAL_UTF8: dict[int, npt.NDArray[np.bool_]] = {}
for _written in (c.encode() for c in map(chr, range(0x80, 0x100)) if _TYPICAL.match(c)):
    _TYPICAL_UTF8.setdefault(_written[0], np.zeros(256, dtype=bool))[_written[1]] = True


def decode(text: str | bytes, encoding: Encoding | Bytes) -> str:
    """`text` in Unicode, composed (NFC).

    `text` is the bytes of a file, or the Latin-1 characters they were taken for; other characters
    stay. Bytes that are not valid in a Unicode encoding become U+FFFD; `unicode` is UTF-8 for them.
    """
    if isinstance(text, bytes):
        if encoding in ("tcvn3", "vni", "windows-1258"):
            text = _as_latin(text)
        else:
            text = text.decode("utf-8" if encoding == "unicode" else encoding, errors="replace")
    if encoding == "tcvn3":
        text = text.translate(_TCVN3)
    elif encoding == "vni":
        text = _VNI_WRITTEN.sub(lambda written: _VNI[written[0]], text)
    elif encoding == "windows-1258":
        text = text.translate(_WINDOWS_1258)
    return unicodedata.normalize("NFC", text)


def _as_latin(content: bytes) -> str:
    """The Windows-1252 characters that a program without the right font would show."""
    return content.decode("latin-1").translate(_WINDOWS_1252)


def decode_written(text: str, runs: Sequence[tuple[int, str]]) -> str:
    """`text` in Unicode by its fonts: from which character on it is written in which.

    The fonts of TCVN3 begin with `.Vn`, and those whose name ends in H show capitals; those of VNI
    begin with `VNI`. What is written in another font stays.
    """
    ends = [*(start for start, _ in runs[1:]), len(text)]
    parts = [_in_font(text[start:end], font) for (start, font), end in zip(runs, ends, strict=True)]
    return unicodedata.normalize("NFC", "".join(parts))


def _in_font(text: str, font: str) -> str:
    name = font.strip().casefold()
    if name.startswith(".vn"):
        read = decode(text, "tcvn3")
        return read.upper() if name.endswith("h") else read
    return decode(text, "vni") if name.startswith("vni") else text


# --- the vote -----------------------------------------------------------------------------------

ENOUGH = 5000
"""Distinct values that are asked at most."""
LONGEST = 6
"""Words of the longest phrase that is looked for."""


def detect(samples: Iterable[str | None], words: Collection[str] = ()) -> Encoding:
    """The encoding in which the distinct `samples` of one column speak Vietnamese.

    Each is decoded with every table. One that holds a known name or word in exactly one of them is
    a vote for it: names of areas, the words of administrative tables in `reference/words.csv`, and
    `words`. The winner needs more than twice the votes of the next; else the answer is `unicode`.
    """
    known = _known() | _phrases(words)
    distinct = dict.fromkeys(text for text in samples if text and not text.isascii())
    voices = (_voices(text, known) for text in islice(distinct, ENOUGH))
    votes = Counter(heard[0] for heard in voices if len(heard) == 1)
    ranked = [*votes.most_common(2), ("unicode", 0), ("unicode", 0)]
    (winner, most), (_, next_most) = ranked[:2]
    return winner if most > 2 * next_most else "unicode"


def _voices(text: str, known: frozenset[str]) -> list[Encoding]:
    candidates = get_args(Encoding) if _COULD_BE_LEGACY.match(text) else ("unicode",)
    return [encoding for encoding in candidates if _speaks(decode(text, encoding), known)]


@cache
def _known() -> frozenset[str]:
    """Names of areas of every time and the words of tables."""
    with (REFERENCE / "words.csv").open(encoding="utf-8", newline="") as file:
        words = [row["word"] for row in csv.DictReader(file)]
    names = [name for name in areas()["name"].unique() if " " in name]
    return _phrases([*words, *names])


def _phrases(words: Iterable[str]) -> frozenset[str]:
    """In the form in which they are looked for; those without accents prove nothing."""
    phrases = (" ".join(_words(word)) for word in words)
    return frozenset(phrase for phrase in phrases if not phrase.isascii())


def _speaks(text: str, known: frozenset[str]) -> bool:
    words = _words(text)
    return any(
        " ".join(words[i:j]) in known
        for i in range(len(words))
        for j in range(i + 1, min(i + LONGEST, len(words)) + 1)
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", text).casefold())


# --- tables and files ---------------------------------------------------------------------------


def looks_legacy(text: str | bytes) -> bool:
    """Whether a vote is worth its while: a character is seldom seen in Unicode Vietnamese.

    `bytes` are UTF-8.
    """
    if isinstance(text, bytes):
        return _looks_legacy_utf8(np.frombuffer(text, dtype=np.uint8))
    return not text.isascii() and _TYPICAL.search(text) is not None


def _looks_legacy_utf8(text: npt.NDArray[np.uint8]) -> bool:
    first, second = text[:-1], text[1:]
    return any(typical[second[first == lead]].any() for lead, typical in _TYPICAL_UTF8.items())


def decode_columns(rows: Sequence[Row], declared: Encoding | Literal["auto"]) -> list[Row]:
    """The cells of a table in Unicode, composed; each column (by position) by its own vote.

    Cells with a character that is not in Windows-1252 are Unicode already and stay. With `auto`,
    no vote is held in a table that nowhere looks like legacy text.
    """
    return _decoded(rows, _encodings(rows, declared))


def decode_delimited(
    text: str,
    declared: Encoding | Literal["auto"],
    *,
    delimiter: str,
    quote: str,
    words: Collection[str] = (),
) -> str:
    """`text` with its columns in Unicode; delimiters, quotes and line ends stay where they were."""
    lines: list[Row] = [[*_cells(line, delimiter, quote)] for line in text.split("\n")]
    encodings = _encodings(lines, declared, words)
    if set(encodings) == {"unicode"}:
        return text
    return "\n".join(delimiter.join(map(str, line)) for line in _decoded(lines, encodings))


def _encodings(
    rows: Sequence[Row], declared: Encoding | Literal["auto"], words: Collection[str] = ()
) -> list[Encoding]:
    """One a column, by position."""
    width = max(map(len, rows), default=0)
    if declared != "auto":
        return [declared] * width
    if not any(looks_legacy(cell) for row in rows for cell in row if cell):
        return ["unicode"] * width
    return [detect((row[i] for row in rows if i < len(row)), words) for i in range(width)]


def decodings(
    columns: Sequence[Collection[str]],
    declared: Encoding | Literal["auto"],
    words: Collection[str] = (),
) -> list[dict[str, str]]:
    """For the distinct values of each column those that read otherwise, and how; as above."""
    if declared != "auto":
        encodings = [declared] * len(columns)
    elif any(looks_legacy(cell) for column in columns for cell in column):
        encodings = [detect(column, words) for column in columns]
    else:
        encodings = ["unicode"] * len(columns)
    found = []
    for column, encoding in zip(columns, encodings, strict=True):
        read = ((cell, _cell(cell, encoding)) for cell in column)
        found.append({cell: text for cell, text in read if text != cell})
    return found


def _decoded(rows: Sequence[Row], encodings: list[Encoding]) -> list[Row]:
    return [
        [cell and _cell(cell, encoding) for cell, encoding in zip(row, encodings, strict=False)]
        for row in rows
    ]


def _cell(cell: str, encoding: Encoding) -> str:
    if cell.isascii():
        return cell
    legacy = encoding != "unicode" and _COULD_BE_LEGACY.match(cell)
    return decode(cell, encoding if legacy else "unicode")


def written_in(content: bytes, *, delimiter: str, words: Collection[str] = ()) -> Bytes | None:
    """How a file of delimited text is written: by its mark (BOM), as UTF-8, or by vote.

    `None` if it is not Unicode and no legacy encoding wins.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if wide := utf_16_without_mark(content):
        return wide
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        cells = re.split(f"[\r\n{re.escape(delimiter)}]", _as_latin(content))
        winner = detect(cells, words)
        return None if winner == "unicode" else winner
    return "utf-8"


def utf_16_without_mark(content: bytes) -> Literal["utf-16-le", "utf-16-be"] | None:
    """The byte order of UTF-16 that does not tell: where every other byte is mostly zero."""
    sample = content[:4096]
    high, low = sample[0::2].count(0), sample[1::2].count(0)
    if 4 * max(high, low) <= len(sample) or 4 * min(high, low) > max(high, low):
        return None
    return "utf-16-be" if high > low else "utf-16-le"


def _cells(line: str, delimiter: str, quote: str) -> Iterator[str]:
    """The cells of one line; a delimiter within quotes is no delimiter."""
    if not quote or quote not in line:
        yield from line.split(delimiter)
        return
    cell: str | None = None
    for piece in line.split(delimiter):
        cell = piece if cell is None else cell + delimiter + piece
        if cell.count(quote) % 2 == 0:
            yield cell
            cell = None
    if cell is not None:
        yield cell
