"""The map: which areas exist, on which days, and how the former ones lie within today's.

On 1 July 2025 Cần Thơ, Hậu Giang and Sóc Trăng became one city, and 263 communes became 103. Codes
and names were handed on: 31147 was phường Hưng Lợi and is now phường Tân An. So an area is known
by its code and the day it began, and a name means nothing without a date.

Names are matched exactly, once the ways of writing one and the same name are removed. Nothing is
ever guessed from the beginning of a name or from a similar one: Vị Thanh, Vị Thanh 1 and Vị Tân
are three places. The facts are the files in `etl/reference`, which a city may edit.
"""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from etl.errors import ForesightError

Level = Literal["nation", "city", "former_province", "district", "commune"]

REFERENCE = Path(__file__).parent / "reference"
LAST_DAY_OF_THE_FORMER_MAP = date(2025, 6, 30)
FIRST_DAY_OF_THE_PRESENT_MAP = date(2025, 7, 1)


class UnknownArea(ForesightError):
    """No area has this name or code on that day."""


class AmbiguousArea(ForesightError):
    """Several areas have this name on that day; the hint lists them."""


class BrokenCrosswalk(ForesightError):
    """The weights of a former commune do not add up to one, or lie outside their bounds."""


@dataclass(frozen=True)
class Area:
    """One area while it keeps its boundary. Its key is `(code, valid_from)`, not the code alone."""

    code: str
    level: Level
    name: str
    """Without its kind: 'Ninh Kiều', 'III'."""
    name_en: str
    kind: str
    """phường, xã, thị trấn, quận, huyện, thị xã, thành phố, tỉnh; empty for the nation."""
    parent: str | None
    valid_from: date
    valid_to: date | None
    """Last day, inclusive; None while the area exists."""
    population: int | None
    """Registered people at the end of 2024, from the merger file; not a statistical average."""
    area_km2: float | None
    lat: float | None
    lon: float | None

    @property
    def title(self) -> str:
        """The name as it is written: 'Phường Ninh Kiều', 'Tỉnh Hậu Giang (cũ)', 'Cả nước'."""
        former = " (cũ)" if self.level == "former_province" else ""
        return f"{self.kind.capitalize()} {self.name}{former}".strip()

    def exists_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


# --- the reference files ------------------------------------------------------------------------


@cache
def areas() -> pl.DataFrame:
    """Every area of every time, one row per `(code, valid_from)`.

    Columns: code, level, name, name_en, kind, parent, valid_from, valid_to (both inclusive; null
    while it exists), population (people), area_km2, lat, lon (degrees), source. A commune of today
    has its former province as parent, which no merger crossed; a former commune its district.
    """
    return _read(
        "areas.csv",
        valid_from=pl.Date,
        valid_to=pl.Date,
        population=pl.Int64,
        area_km2=pl.Float64,
        lat=pl.Float64,
        lon=pl.Float64,
    ).with_columns(pl.col("kind").fill_null(""))


@cache
def crosswalk() -> pl.DataFrame:
    """Where the people of each former commune are counted today.

    Columns: old_code, old_valid_from, new_code, weight, weight_lower, weight_upper (shares of the
    former commune's people, 0 to 1), basis (whole, official, estimate), source, note.

    Raises:
        BrokenCrosswalk: an edit left weights that do not add up.
    """
    return checked_weights(
        _read(
            "crosswalk.csv",
            old_valid_from=pl.Date,
            weight=pl.Float64,
            weight_lower=pl.Float64,
            weight_upper=pl.Float64,
        )
    )


@cache
def tiles() -> pl.DataFrame:
    """The tile map, one square per commune of today: code, row (0 is north), col (0 is west)."""
    return _read("tiles.csv", row=pl.Int64, col=pl.Int64)


def checked_weights(frame: pl.DataFrame) -> pl.DataFrame:
    """The same frame, if each former commune is handed on whole, with weights in their bounds.

    Raises:
        BrokenCrosswalk: with the code of the first commune at fault.
    """
    former = pl.struct("old_code", "old_valid_from")
    ordered = (
        (pl.col("weight_lower") >= 0)
        & (pl.col("weight_lower") <= pl.col("weight"))
        & (pl.col("weight") <= pl.col("weight_upper"))
        & (pl.col("weight_upper") <= 1)
    )
    whole = (pl.col("weight").sum().over(former) - 1).abs() < 1e-9
    broken = frame.filter((ordered & whole).fill_null(False).not_())
    if broken.is_empty():
        return frame
    row = broken.row(0, named=True)
    raise BrokenCrosswalk(
        f"the weights of {row['old_code']} do not add up to 1 within their bounds",
        where="etl/reference/crosswalk.csv",
        hint="lower <= weight <= upper on each row, and the weights of one old_code sum to 1",
    )


def _read(name: str, **types: type[pl.DataType]) -> pl.DataFrame:
    return pl.read_csv(REFERENCE / name, schema_overrides=types, infer_schema=False)


# --- carrying figures over to today's map -------------------------------------------------------


@cache
def weights_to_present() -> pl.DataFrame:
    """Shares by which a former commune's figures go to the communes of today.

    Columns: old_code, old_valid_from, new_code, weight, weight_lower, weight_upper, estimated.
    The weights of each `(old_code, old_valid_from)` sum to 1. `estimated` marks the three wards
    that were split; everything else is handed on whole. Shares are of people: by area they would
    be wrong by a factor of ten for Bùi Hữu Nghĩa.
    """
    return crosswalk().select(
        "old_code",
        "old_valid_from",
        "new_code",
        "weight",
        "weight_lower",
        "weight_upper",
        estimated=pl.col("basis") != "whole",
    )


@cache
def district_weights() -> pl.DataFrame:
    """Shares by which a former district's figures go to the communes of today.

    Columns as in `weights_to_present`, with the district's code as old_code; all are estimated, and
    those of one district sum to 1. A share is of the district's people.

    We do not know how many people a former commune had; we do know it of today's communes. Most of
    these lie within one former district and bring all their people to it. Eleven are made from two
    or three districts: their people are divided as if each former commune in them had been equally
    large (part of a split ward counting as its weight). For the bounds, a former commune may have
    been half or twice as large as its fellows: the odds of a part are then four times longer or
    shorter. That the district's figures are spread like its people is the assumption of every use.
    """
    parts = _district_parts()
    total = pl.col("people").sum().over("old_code")
    lowest, highest = pl.col("fewest"), pl.col("most")
    others_highest = highest.sum().over("old_code") - highest
    others_lowest = lowest.sum().over("old_code") - lowest
    return parts.select(
        "old_code",
        "old_valid_from",
        "new_code",
        weight=pl.col("people") / total,
        weight_lower=lowest / (lowest + others_highest),
        weight_upper=highest / (highest + others_lowest),
        estimated=pl.lit(True),
    ).sort("old_code", "new_code")


def _district_parts() -> pl.DataFrame:
    """People of each commune of today who lived in each district: likely, fewest and most."""
    known = areas().filter(pl.col("level") == "commune")
    last = known.filter(pl.col("valid_to") == LAST_DAY_OF_THE_FORMER_MAP)
    today = known.filter(pl.col("valid_to").is_null()).select(new_code="code", people="population")
    pieces = weights_to_present().join(
        last.select("parent", old_code="code", old_valid_from="valid_from"),
        on=["old_code", "old_valid_from"],
    )
    districts = areas().select(old_code="code", old_valid_from="valid_from")
    own = pl.col("own")
    rest = pl.col("own").sum().over("new_code") - own
    return (
        pieces.group_by("parent", "new_code")
        .agg(own=pl.col("weight").sum())
        .join(today, on="new_code")
        .select(
            "new_code",
            old_code="parent",
            people=pl.col("people") * own / (own + rest),
            fewest=pl.col("people") * own / (own + 4 * rest),
            most=pl.col("people") * 4 * own / (4 * own + rest),
        )
        .join(districts, on="old_code")
    )


# --- finding an area by what people write -------------------------------------------------------


def resolve(
    name: str,
    on: date,
    level: Level | Collection[Level] | None = None,
    within: str | None = None,
) -> Area:
    """The one area that `name` meant on that day.

    `name` is a code or a name in any usual spelling: 'Phường Ninh Kiều', 'P.Ninh Kiều', 'NINH
    KIEU'. It may go on with what the area lies in ('Xã Phú Tân, huyện Châu Thành, tỉnh Hậu Giang'),
    as may `within`. A kind that is given must be right. Accents may be missing from the whole, not
    from a part. With 'cũ' at the end the name is taken as it was before 1 July 2025, with 'mới' as
    it is since. Our own codes
    ('can_tho', 'soc_trang.my_tu') were never handed on and are found whatever the day.

    Raises:
        UnknownArea: nothing fits; the hint has the nearest spellings, or when it would have fitted.
        AmbiguousArea: several fit; the hint lists them.
    """
    wanted = _Wanted.read(name, within)
    day = wanted.day(on)
    levels = _levels(level)
    ever = [area for area in wanted.areas() if area.level in levels]
    now = [area for area in ever if area.exists_on(day) or wanted.is_our_own_code_of(area)]
    if len(now) == 1:
        return now[0]
    if now:
        raise AmbiguousArea(f"{name!r} means {len(now)} areas on {day}", hint=_listed(now))
    raise UnknownArea(f"no area is called {name!r} on {day}", hint=_hint(wanted, ever, day, levels))


def resolve_many(
    names: Iterable[str], on: date, level: Level | Collection[Level] | None = None
) -> pl.DataFrame:
    """What each distinct spelling meant on that day.

    One row per distinct name, in order of first appearance: name, code, valid_from, problem. Either
    code and valid_from are null or problem is. Reads each spelling once, so give it distinct ones.
    """
    levels = _levels(level)
    rows = [_answer(name, on, levels) for name in dict.fromkeys(names)]
    columns = {"name": pl.String, "code": pl.String, "valid_from": pl.Date, "problem": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row")


Misfit = Literal["several", "another_time", "near", "unknown"]


def suggestions(
    name: str, on: date, level: Level | Collection[Level] | None = None
) -> tuple[Misfit, list[Area]]:
    """Why `name` is not the name of one area on that day, and the areas it may stand for.

    `several`: it means all of these; `another_time`: it meant these at other times; `near`: these
    are spelled most alike; `unknown`: there are none.
    """
    wanted = _Wanted.read(name, None)
    day, levels = wanted.day(on), _levels(level)
    ever = [area for area in wanted.areas() if area.level in levels]
    if now := [area for area in ever if area.exists_on(day)]:
        return "several", now
    if ever:
        return "another_time", ever
    near = _near(wanted, day, levels)
    return ("near" if near else "unknown"), near


def successors(area: Area) -> list[Area]:
    """The communes of today that took over a former commune; of any other area none."""
    taken_over = (pl.col("old_code") == area.code) & (pl.col("old_valid_from") == area.valid_from)
    codes = crosswalk().filter(taken_over)["new_code"].to_list()
    return [one for code in codes for one in _areas_by_code()[code] if one.valid_to is None]


def address(area: Area) -> str:
    """'Xã Phú Tân, Huyện Châu Thành, Tỉnh Hậu Giang (cũ)': a name that is read again as this area.

    The city and the nation are left out.
    """
    places = [area]
    while places[-1].parent not in (None, "can_tho", "national"):
        places += _areas_by_code()[places[-1].parent or ""]
    return ", ".join(place.title for place in places)


def _levels(level: Level | Collection[Level] | None) -> tuple[Level, ...]:
    if level is None:
        return get_args(Level)
    return (level,) if isinstance(level, str) else tuple(level)


@cache
def _answer(
    name: str, on: date, levels: tuple[Level, ...]
) -> tuple[str, str | None, date | None, str | None]:
    try:
        area = resolve(name, on, levels)
    except (UnknownArea, AmbiguousArea) as error:
        return name, None, None, "; ".join(filter(None, [error.problem, error.hint]))
    return name, area.code, area.valid_from, None


@dataclass(frozen=True)
class _Wanted:
    """A written name taken apart."""

    name: str
    surroundings: tuple[str, ...]
    era: Literal["cũ", "mới"] | None
    """What stood at the end of the name."""
    bare: bool
    """Written without any accent, so compared without accents."""

    @classmethod
    def read(cls, name: str, within: str | None) -> "_Wanted":
        tidy = _tidy(name)
        first, *rest = [part for part in _SEPARATORS.split(tidy) if part] or [""]
        around = [*rest, *_SEPARATORS.split(_tidy(within or ""))]
        parts = [part.removesuffix("cũ").removesuffix("mới").strip() for part in around]
        return cls(
            name=first.removesuffix(" cũ").removesuffix(" mới"),
            surroundings=tuple(part for part in parts if part),
            era=_era(first, rest),
            bare=tidy == _without_accents(tidy),
        )

    def day(self, on: date) -> date:
        """The day on which the name is looked up."""
        if self.era == "cũ":
            return min(on, LAST_DAY_OF_THE_FORMER_MAP)
        return max(on, FIRST_DAY_OF_THE_PRESENT_MAP) if self.era == "mới" else on

    def is_our_own_code_of(self, area: Area) -> bool:
        return area.code == self.name and area.level != "commune"

    def areas(self) -> list[Area]:
        """Whatever bore the name at any time, within its surroundings."""
        around = [_found(part, bare=part == _without_accents(part)) for part in self.surroundings]
        return [
            area
            for area in _found(self.name, self.bare)
            if all(_ancestors(area) & found.keys() for found in around)
        ]


def _era(first: str, rest: list[str]) -> Literal["cũ", "mới"] | None:
    if first.endswith(" cũ") or "cũ" in rest:
        return "cũ"
    return "mới" if first.endswith(" mới") or "mới" in rest else None


def _found(written: str, bare: bool) -> dict[Area, None]:
    """The areas of any time with this code or name; a dict, to keep their order."""
    by_name = _areas_by_name(bare)
    named = (
        area
        for kind, key in _readings(written, bare)
        for area in by_name.get(key, ())
        if kind in (None, area.kind)
    )
    return dict.fromkeys([*_areas_by_code().get(written, ()), *named])


def _readings(written: str, bare: bool) -> list[tuple[str | None, str]]:
    """The ways to take a name, as (kind, key): 'xa phien' is Xà Phiên, or a xã called Phiên."""
    whole = _key(written, bare)
    # A number alone is no name: '10' in a column of names is more likely a slip than Phường 10.
    readings: list[tuple[str | None, str]] = [] if whole.isdigit() else [(None, whole)]
    for kind, prefix in _PREFIXES.items():
        if match := prefix.match(written):
            readings.append((kind, _key(written[match.end() :], bare)))
    return readings


def _key(name: str, bare: bool) -> str:
    """What all spellings of one name have in common."""
    *head, last = name.split() or [""]
    last = _ROMAN.get(last, last.lstrip("0") if last.isdigit() else last)
    key = _OPEN_SYLLABLES.sub(lambda match: _TONE_MOVED[match[0]], " ".join([*head, last]))
    return _without_accents(key) if bare else key


def _tidy(text: str) -> str:
    composed = unicodedata.normalize("NFC", text).lower().replace("ð", "đ")
    return " ".join(_INVISIBLE.sub("", composed).split()).strip(" .,;:")


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
_SEPARATORS = re.compile(r"\s*[,;()]\s*|\s+[-–—]\s+")

_SHORT_KINDS = {
    "phường": "p",
    "xã": "x",
    "thị trấn": r"t\.?t",
    "quận": "q",
    "huyện": "h",
    "thị xã": r"t\.?x",
    "thành phố": r"t\.?p",
    "tỉnh": "t",
}
_PREFIXES = {
    kind: re.compile(
        rf"(?:{kind}|{_without_accents(kind)})\.?\s+|{short}(?:\.\s*|\s+|(?=\d))(?=\S)"
    )
    for kind, short in _SHORT_KINDS.items()
}

_NUMERALS = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"]
_ROMAN = {roman: str(number) for number, roman in enumerate(_NUMERALS, start=1)}

# oà, oè, uỳ are as right as òa, òe, ùy; after q the u is no vowel, so quý has only one spelling.
_TONE_MOVED = {
    unicodedata.normalize("NFC", f"{first}{tone}{second}"): unicodedata.normalize(
        "NFC", f"{first}{second}{tone}"
    )
    for first, second in ("oa", "oe", "uy")
    for tone in "\u0300\u0301\u0303\u0309\u0323"
}
_OPEN_SYLLABLES = re.compile(rf"(?<!q)(?:{'|'.join(_TONE_MOVED)})(?!\w)")


@cache
def _all_areas() -> list[Area]:
    return [Area(**row) for row in areas().drop("source").iter_rows(named=True)]


@cache
def _areas_by_code() -> dict[str, list[Area]]:
    by_code = defaultdict(list)
    for area in _all_areas():
        by_code[area.code].append(area)
    return dict(by_code)


@cache
def _areas_by_name(bare: bool) -> dict[str, list[Area]]:
    by_name = defaultdict(list)
    for area in _all_areas():
        by_name[_key(_tidy(area.name), bare)].append(area)
    for spelling, code, valid_from, _ in _read("aliases.csv", valid_from=pl.Date).iter_rows():
        alias = next(area for area in _areas_by_code()[code] if area.valid_from == valid_from)
        by_name[_key(_tidy(spelling), bare)].append(alias)
    return dict(by_name)


@cache
def _ancestors(area: Area) -> frozenset[Area]:
    # A parent is never a commune, so its code has one row only.
    if area.parent is None:
        return frozenset()
    (parent,) = _areas_by_code()[area.parent]
    return _ancestors(parent) | {parent}


def _listed(found: Iterable[Area]) -> str:
    return "; ".join(_address(area) for area in found)


def _address(area: Area) -> str:
    """'Xã Phú Tân, Huyện Châu Thành, Tỉnh Hậu Giang (cũ) [31384, until 2025-06-30]'"""
    until = f", until {area.valid_to}" if area.valid_to else ""
    return f"{address(area)} [{area.code}{until}]"


def _hint(wanted: _Wanted, ever: list[Area], day: date, levels: tuple[Level, ...]) -> str:
    if ever:
        return f"at another time: {_listed(ever)}"
    near = _near(wanted, day, levels)
    return f"did you mean {_listed(near)}?" if near else ""


def _near(wanted: _Wanted, day: date, levels: tuple[Level, ...]) -> list[Area]:
    """Areas of that day whose names are spelled most alike."""
    here = [area for area in _all_areas() if area.exists_on(day) and area.level in levels]
    keys = defaultdict(list)
    for area in here:
        keys[_key(_tidy(area.name), bare=True)].append(area)
    asked = [_without_accents(key) for _, key in _readings(wanted.name, wanted.bare)]
    near = difflib.get_close_matches(asked[-1] if asked else "", keys, n=3, cutoff=0.75)
    return [area for key in near for area in keys[key]]
