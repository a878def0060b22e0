"""What speaks of a person, found by content: in every text that would leave, and in whole numbers.

Numbers have a shape of their own: identity cards begin with the code of a province and hold the
year of birth, and the plan of telephone numbers is kept by the library `phonenumbers`. Names begin
with one of the few surnames of Viet Nam; that a place, a school or a company is called after
somebody is told by the word before it. An address is a house, alley or group of houses together
with a place, or a hamlet. What is found is never repeated in full.

Not found: given names alone, names of foreigners, numbers in words, pictures. A column of those
must be marked `sensitive` by whoever knows it.
"""

import html
import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import phonenumbers
import polars as pl

from etl.publish.names import CAPITALS, listed, names, plain

LONGEST = 200
"""Letters a text may have before it is prose; sources and remarks of published figures are shorter.
"""
MOST_WORDS = 40
UNTOLD = "lý do lưu tại đơn vị / the reason is kept by the department"


class Found(StrEnum):
    """What a cell holds that must not leave."""

    IDENTITY = "identity_number"
    PHONE = "phone_number"
    EMAIL = "email"
    NAME = "personal_name"
    ADDRESS = "address"
    PROSE = "free_text"
    HEADING = "heading_of_personal_data"


@dataclass(frozen=True)
class Cell:
    """A cell that keeps a dataset inside. Without a row, the whole column is meant."""

    column: str
    row: str
    """Its key, `area=can_tho, period=2025-01-01`; keys that hold such things themselves are masked.
    """
    record: int | None
    """Row of the table as it would leave, from 1."""
    rule: str
    shown: str
    """What stands there, masked."""

    def __str__(self) -> str:
        where = f"row {self.record} ({self.row})" if self.record else "the whole column"
        return f"{self.column}, {where}: {self.rule}: {self.shown}"


def personal_cells(
    table: pl.DataFrame,
    *,
    key: Collection[str] = (),
    places: Collection[str] = (),
    units: dict[str, str] | None = None,
    passed: Collection[tuple[str, str]] = (),
    trusted: Collection[str] = (),
) -> list[Cell]:
    """Every cell of `table` in which a rule finds something, in the order of columns and rows.

    `key` names the columns that tell a row, `places` names of areas, which may look like those of
    people, `units` the unit of each column that is a measure, `passed` pairs of a column and a
    rule that somebody answers for, and `trusted` columns that no department wrote.
    """
    named = frozenset(plain(place).casefold() for place in places)
    found: dict[str, dict[object, list[Found]]] = {}
    for name in table.columns:
        rules = {}
        if name not in trusted:
            rules = _column_rules(table[name], named, (units or {}).get(name))
        kept = {v: [f for f in f_ if (name, f) not in passed] for v, f_ in rules.items()}
        found[name] = {value: rules for value, rules in kept.items() if rules}
    return [cell for name in table.columns for cell in _cells(table, name, found, key)]


def heading_cells(headings: dict[str, list[str]]) -> list[Cell]:
    """Columns whose heading announces a person: `headings` are all the words for each column."""
    return [
        Cell(name, "", None, Found.HEADING, next(filter(_announces, words)))
        for name, words in headings.items()
        if any(map(_announces, words))
    ]


def masked(text: str) -> str:
    """The first letter of every word, and of a number its first digit: `N… V… A…`, `0…`."""
    return re.sub(r"[^\W_]+", lambda word: f"{word[0][0]}…", text[:LONGEST])


def findings(text: str, places: frozenset[str] = frozenset()) -> list[Found]:
    """What `text` holds; names of two syllables only where nothing else they may mean."""
    return _text_findings(text, places)[0]


def may_speak_of_a_person(text: str, places: frozenset[str] = frozenset()) -> bool:
    """Whether a sentence stays within: a rule finds something, or two syllables may be a name."""
    certain, possible = _text_findings(text, places)
    return bool(certain) or possible


def told_outside(reason: str, places: Collection[str]) -> str:
    """`reason`, which people of the house wrote for each other, where it may be read by anybody.

    What would keep a cell of a table inside keeps it inside too. `places` are names of areas.
    """
    named = frozenset(plain(place).casefold() for place in places)
    return UNTOLD if may_speak_of_a_person(reason, named) else reason


def _column_rules(
    column: pl.Series, places: frozenset[str], unit: str | None
) -> dict[object, list[Found]]:
    values = column.drop_nulls().unique(maintain_order=True)
    if column.dtype == pl.String:
        told = {value: _text_findings(value, places) for value in values}
        # One certain name shows what the column is: then what may be a name is one.
        names = any(Found.NAME in certain for certain, _ in told.values())
        return {
            value: [*certain, *([Found.NAME] if possible and names else [])]
            for value, (certain, possible) in told.items()
        }
    if column.dtype.is_numeric():
        cards = not unit and _mostly_cards(values)
        return {value: _number_findings(value, unit, cards=cards) for value in values}
    return {}


def _cells(
    table: pl.DataFrame,
    name: str,
    found: dict[str, dict[object, list[Found]]],
    key: Collection[str],
) -> Iterator[Cell]:
    if not found[name]:
        return
    bad = found[name]
    numbered = table.with_row_index("record of the table", offset=1)
    hits = numbered.filter(pl.col(name).is_in(pl.Series(list(bad), dtype=table.schema[name])))
    for row in hits.iter_rows(named=True):
        told = [
            f"{column}={masked(str(row[column])) if row[column] in found[column] else row[column]}"
            for column in key
        ]
        for rule in bad[row[name]]:
            record = row["record of the table"]
            yield Cell(name, ", ".join(told), record, rule, masked(str(row[name])))


# Headings

HEADING = re.compile(
    r"^(họ( và)?( chữ đệm)?( và)? tên|họ,? (chữ )?đệm"
    r"|tên (chủ hộ|người|công dân|bệnh nhân|học sinh)"
    r"|(số )?(cccd|cmnd|cmt|căn cước|chứng minh|giấy tờ tùy thân|hộ chiếu)|(số |mã )?định danh"
    r"|(số )?(điện thoại|đt|sđt|di động)( |$)|e-?mail|thư điện tử|(ngày|năm)( tháng năm)? sinh"
    r"|(số )?tài khoản|mã số (bhxh|bảo hiểm)|(nơi |chỗ )(thường trú|tạm trú|ở|cư trú)|số nhà"
    r"|họ$|họ & tên|tên đệm|tên (con|cha|mẹ|bố|vợ|chồng)( |$)|chủ hộ$|vợ/chồng"
    r"|người (nộp|khai|đại diện|liên hệ|đứng tên|yêu cầu)( hồ sơ)?$|chủ sử dụng( đất)?$"
    r"|(số |mã )(thẻ |sổ )?(bhyt|bhxh)$|biển số|cc/cccd|sổ hộ khẩu|số hộ khẩu$|stk$|số tk$"
    r"|sinh năm|ntns|quê quán|nguyên quán|nơi sinh|mã số thuế cá nhân"
    r"|địa chỉ (thường trú|tạm trú|cư trú|liên hệ|nhà))"
)
BARE_HEADING = re.compile(
    r"^(ho ?ten|ho va ten|(so )?(cccd|cmnd)|so dien thoai|dien thoai|sdt|ngay sinh|nam sinh|chu ho$"
    r"|que quan|zalo|facebook|passport|full ?name|phone|mobile|tel$|mail$|date of birth|dob$"
    r"|applicant|citizen id|id card)"
)
"""As a sheet or a program names columns: so_cccd, ngay_sinh, full name."""


def _announces(heading: str) -> bool:
    told = " ".join(plain(heading).casefold().replace("_", " ").split())
    return bool(HEADING.match(told) or (told.isascii() and BARE_HEADING.match(told)))


# Numbers

BETWEEN = r"[\s.,_/‐‑‒–—−-]"
"""What may stand between two digits of one number, once."""
RUN = re.compile(rf"\d(?:{BETWEEN}?\d)*")
GROUP = re.compile(r"\d+")
DAY = re.compile(
    r"(?<!\d)(\d{1,2}[/.-])?\d{1,2}[/.-](19|20)\d\d(?!\d)|(?<!\d)(19|20)\d\d-\d\d-\d\d(?!\d)"
)
"""A day or a month: its digits are of no other number."""
TODAYS, FORMER, MOBILE = 12, 9, 10
"""Digits of an identity number, of one of the old card, and of a mobile telephone."""
MOST_GROUPS = 4
OLDEST_PREFIX, NEWEST_PREFIX = 1, 38
"""First two digits of the nine of the old card, by province."""
PHONE = re.compile(r"^\(?(\+|00)?\s*\(?(84|0)")
SIGN = r"@|[(\[{<]\s*(@|at|a|a còng|a vòng)\s*[)\]}>]|[ _-]+(at|a còng|a vòng)[ _-]+"
"""An @, and what is written where none is wanted."""
POINT = r"[.,]|[(\[{<]\s*(dot|chấm)\s*[)\]}>]|[ _-]+(dot|chấm)[ _-]+"
MAIL = r"gmail|yahoo|hotmail|outlook|icloud"
EMAIL = re.compile(
    rf"[\w.+-]+\s?(@|[(\[{{<]\s*(@|at|a|a còng|a vòng)\s*[)\]}}>])\s?[\w-]+\s?({POINT})\s?\w"
    rf"|\w({SIGN})[\w-]+({POINT.removeprefix('[.,]|')})\w"
    rf"|\w\s?({SIGN})\s?({MAIL})\b",
    re.IGNORECASE,
)
LOOSE = re.compile(r"(?<=\d)\s*[‐‑‒–—−|’-]\s*(?=\d)")
"""A dash with blanks around it, or what is drawn between the boxes of a form."""
ODD = re.compile(r"(?<!\d)0\d{2,3}(\s*([*•·~=+:;'’…]|\.{3})\s*\d{3,})(\s*\2\s*\d{3,})+")
"""Groups of a number that begins with 0, as no sum or list of figures does, nor a time of day."""
BLANKS = re.compile(r"(?<=\d)\s{2,}(?=\d)")
LETTER_O = re.compile(r"(?<=\d)[oO]+(?=\d)|(?<=\d\s)[oO](?=\d)|(?<!\w)[oO](?=\d{8,11}(?!\d))")
LETTER_L = re.compile(r"(?<=\d)[lI](?=\d)")
BRACKETS = re.compile(r"(?<=\d)\s*[()\[\]{}]+\s*(?=\d)")
POWER = re.compile(r"(?<![\d.,])(\d)[.,](\d{7,11})[eE]\+?(\d\d)(?!\d)")
"""What a sheet shows of a long number: 9.2188004512E+10."""
FORMER_MOBILE = re.compile(r"(?<![\d.,])(0|\+?84[ .-]?)1(2\d|6[2-9]|8[68]|99)([ .-]?\d){7}(?!\d)")
"""Of eleven digits, as until 2018."""
NO_FRACTION = re.compile(r"(?<![\d.,])(\d{8,12})\.0+(?!\d)")
AREA_CODE = re.compile(r"(?<!\d)(02\d{1,2})/(?=\d{7,8}(?!\d))")
BY_THREES = re.compile(r"(?<!\d)(0\d{3})([,_/])(\d{3})\2(\d{3})(?!\d)")
ADDRESS_OF_A_PAGE = re.compile(r"https?://\S+")
AMOUNT = re.compile(r"^\s*(đồng|vnđ|vnd|đ\b|người|usd|%)", re.IGNORECASE)
"""Of what nine digits in groups may be an amount."""
MONEY = re.compile(r"đồng|vnd|usd|đô la|euro", re.IGNORECASE)
SHORTEST_NUMBER = 10**8
SHORTEST_CARD, LARGEST_CARD = 10**7, 39 * 10**7 - 1
"""An old card of the first nine provinces without its 0, and the last of all."""
A_DAY = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])")
LARGE = 1e9
"""No count of people or things in one city is as large; amounts of money are."""


def _identity(digits: str) -> bool:
    """Province of birth, century with sex, year of birth, none after 2029."""
    century, year = int(digits[3]), int(digits[4:6])
    return digits[:3] in listed("province_code") and (
        century in (0, 1) or (century in (2, 3) and year < 30)
    )


def _written_plainly(text: str) -> str:
    """`text` with its numbers as they are written with care: one mark between groups, the digits of
    today, 0 and not the letter O, and no `.0` of a sheet that took a number for a measure."""
    digits = "".join(str(unicodedata.decimal(letter, letter)) for letter in text)
    zeros = LETTER_O.sub(lambda found: "0" * len(found.group()), LETTER_L.sub("1", digits))
    whole = NO_FRACTION.sub(r"\1", POWER.sub(_multiplied, zeros))
    evenly = ODD.sub(lambda found: re.sub(r"\D+", "-", found.group()), whole)
    return BLANKS.sub(" ", LOOSE.sub("-", evenly))


def _multiplied(found: re.Match[str]) -> str:
    first, behind, power = found.groups()
    return (first + behind).ljust(int(power) + 1, "0")


def _lost_zero(text: str, length: int) -> str:
    """The whole of a cell with the 0 in front that a sheet takes off a number of that length."""
    return f"0{text}" if text.isdecimal() and len(text) == length - 1 else ""


def _has_identity(text: str) -> bool:
    text = BRACKETS.sub(" ", _written_plainly(text))
    if (lost := _lost_zero(text, TODAYS)) and _identity(lost):
        return True
    apart = DAY.sub(" ; ", text)
    for run in RUN.finditer(apart):
        for groups, end in _numbers(apart, run):
            number = "".join(groups)
            if len(number) == TODAYS and _identity(number):
                return True
            if len(number) == FORMER and _old_identity(groups, apart[end:]):
                return True
    return False


def _numbers(text: str, run: re.Match[str]) -> Iterator[tuple[list[str], int]]:
    """Twelve or nine digits in whole groups, and where they end.

    Groups before and after may be numbers of their own, unless a point or comma, or the same mark,
    ties them together.
    """
    spans = [one.span() for one in GROUP.finditer(text, run.start(), run.end())]
    marks = ["", *(text[end:start] for (_, end), (start, _) in pairwise(spans)), ""]
    for first in range(len(spans)):
        length = 0
        for last in range(first, len(spans)):
            length += spans[last][1] - spans[last][0]
            between = marks[first + 1 : last + 1]
            ties = {*",./"} if length == FORMER else set(between) - {" "}
            groups = [text[start:end] for start, end in spans[first : last + 1]]
            whole = not {marks[first], marks[last + 1]} & ties
            if length in (FORMER, TODAYS) and whole and not _figures(groups, between):
                yield groups, spans[last][1]
            if length >= TODAYS:
                break


def _figures(groups: list[str], between: list[str]) -> bool:
    """Whether these are decimals: one of them, or a row."""
    alone = len(between) == 1 and groups[0] not in listed("province_code")
    return bool({",", "."} & set(between)) and (len(set(between)) > 1 or alone)


def _old_identity(groups: list[str], behind: str) -> bool:
    """Nine digits in at most four groups, or one by one; not an amount."""
    few = len(groups) <= MOST_GROUPS and min(map(len, groups)) > 1
    in_range = OLDEST_PREFIX <= int("".join(groups)[:2]) <= NEWEST_PREFIX
    return (few or len(groups) == FORMER) and in_range and not AMOUNT.match(behind)


def _has_phone(text: str) -> bool:
    text = BY_THREES.sub(r"\1\3\4", re.sub(r"\s", " ", _written_plainly(text)))
    text = AREA_CODE.sub(r"\1 ", text)
    text = _lost_zero(text, MOBILE) or text
    apart = re.sub(r"(?<=[^\W\d_])(?=\d)|/", " ; ", text)
    found = phonenumbers.PhoneNumberMatcher(apart, "VN", leniency=phonenumbers.Leniency.VALID)
    return bool(FORMER_MOBILE.search(text)) or any(PHONE.match(one.raw_string) for one in found)


def _mostly_cards(values: pl.Series) -> bool:
    """Whether a column may be one of old cards: half of it has their eight or nine digits."""
    among = values.is_between(SHORTEST_CARD, LARGEST_CARD) & (values % 1 == 0)
    return bool(len(values)) and 2 * among.sum() >= len(values)


def _number_findings(value: float, unit: str | None, *, cards: bool = False) -> list[Found]:
    """Of a number a leading 0 is lost: twelve digits are then eleven, or ten; nine are eight."""
    whole = math.isfinite(value) and value == int(value)
    if not whole or value < SHORTEST_CARD or (unit and MONEY.search(unit)):
        return []
    digits = str(int(value))
    if value < SHORTEST_NUMBER:
        return [Found.IDENTITY] if cards and not A_DAY.fullmatch(digits) else []
    if value >= LARGE and len(digits) in (10, 11, 12) and _identity(digits.zfill(12)):
        return [Found.IDENTITY]
    if unit:
        return []
    if _has_phone(f"0{digits}") or (digits.startswith("84") and _has_phone(f"+{digits}")):
        return [Found.PHONE]
    return [Found.IDENTITY] if _has_identity(digits) else []


# Text


def _text_findings(text: str, places: frozenset[str]) -> tuple[list[Found], bool]:
    """What is certain, and whether it may be a name in a column of names."""
    text = plain(html.unescape(text))
    bare = ADDRESS_OF_A_PAGE.sub(_parameters, text)
    certain, possible = names(bare, places)
    checks: dict[Found, Callable[[str], bool]] = {
        Found.EMAIL: lambda _: bool(EMAIL.search(text)),
        Found.IDENTITY: _has_identity,
        Found.PHONE: _has_phone,
        Found.NAME: lambda _: certain,
        Found.ADDRESS: _has_address,
        Found.PROSE: lambda bare: len(bare) > LONGEST or len(bare.split()) > MOST_WORDS,
    }
    return [found for found, holds in checks.items() if holds(bare)], possible and not certain


def _parameters(address: re.Match[str]) -> str:
    """Of the address of a page only what is handed over in it: pages are numbered by the nine."""
    return " ; ".join(re.findall(r"=([^&#\s]+)", address.group()))


# Addresses

NAME = rf"[{CAPITALS}][\w'’]*"
FINE = re.compile(
    r"\b(số nhà|nhà số|so nha|nha so|sn)\s*:?\s*\d"
    r"|\b(thường trú|tạm trú|cư trú|ngụ|sống)\s+(tại|ở)\b|\btrú tại\b"
    r"|\b(địa chỉ|đ/c|thường trú|tạm trú|hktt|hộ khẩu|quê quán|nguyên quán|nơi ở|chỗ ở)\s*:"
    r"|\bthửa( đất)?( số)?:?\s*\d.{0,20}\btờ\b|\bnhà\s+\d[\w/]*\s*,?\s*(hẻm|đường|ấp|tổ)\s"
    r"|\b(căn hộ|căn|phòng)\s+(số\s+)?[a-z]*\d[\w.-]*\s*,?\s*(chung cư|nhà|lô|tòa|toà)\s"
    r"|\bchung cư\b.{0,40}\b(căn|phòng)\s+(hộ\s+)?(số\s+)?[a-z]*\d"
    r"|\bkv\s*\.?\s*\d+\s*,\s*(?!kv|khu)\w|\bsố\s+\d[\w/]*\s*,?\s*(ql|quốc lộ)\s*\d",
    re.IGNORECASE,
)
HAMLET = re.compile(rf"\b([ẤấÂâ]p|ẤP|[Kk]hóm|KHÓM|[Kk]hu [Pp]hố|KHU PHỐ)[\s.:]+({NAME}|\d)")
AREA = re.compile(
    rf"\b([Kk]hu [Vv]ực|KHU VỰC|[Kk][Vv]|[Kk]hu vuc|[Aa]p|[Tt]hôn)\s*\.?\s*({NAME}|\d)"
)
HOUSE = re.compile(
    r"(^|[,;:(]\s*|[Ss]ố\s+|SỐ\s+|[Ss]o\s+)\d+[A-Za-z]?\d*(/\d+[A-Za-z]?\d*)*\s*,?\s*"
    rf"(([Đđ]ường|ĐƯỜNG|[Hh]ẻm|HẺM|[Nn]gõ|[Nn]gách|[Kk]iệt|[Dd]uong|[Hh]em)\s+({NAME}|\d)"
    rf"|{NAME}(\s+{NAME})+\s*,\s*(\S+\s+)?{NAME})"
)
STREET = re.compile(
    r"(^|[,;:(]\s*|[Ss]ố\s+|SỐ\s+)"
    r"(\d+[A-Z]\d?(/\d+[A-Z]?)*|(3[2-9]|[4-9]\d|\d{3,})/(?!(19|20)\d\d\b)\d+[A-Z]?)"
    rf"\s+{NAME}(\s+{NAME}){{1,3}}\s*($|[,;)])"
)
"""A house number that nothing else looks like (12A, 45/7) and the name of a street without a word
for it; days, months and numbers of documents have another form."""
PARTS = [
    r"\b(tổ|tổ dân phố|to|tdp)\s*(số\s*)?\d+",
    r"\b(hẻm|ngõ|ngách|kiệt|hem)\s*\d+",
    r"\b(ấp|khu vực|kv|khu phố|kp|khóm|thôn|ap|khu vuc)\s*\.?\s*(\d+|[a-zà-ỹđ]+)",
    r"\b(đường|phố|quốc lộ|ql|tỉnh lộ|đt|duong)\s*\.?\s*\S+",
    r"\b(phường|xã|thị trấn|quận|huyện|thành phố|tp|phuong|xa|p\.|x\.|tt\.|q\.|h\.)\s*\S+",
]
"""From the finest to the widest. Of an address two of them stand there, and one of the first three;
a number before a street makes one as well."""


def _has_address(text: str) -> bool:
    if any(form.search(text) for form in (FINE, HAMLET, HOUSE, STREET)):
        return True
    spoken = text.casefold()
    given = [bool(re.search(part, spoken)) for part in PARTS]
    return (any(given[:2]) or bool(AREA.search(text))) and sum(given) > 1
