"""The map: which areas exist, on which days, and how the former ones lie within today's.

On 1 July 2025 Cần Thơ, Hậu Giang and Sóc Trăng became one city, and 263 communes became 103. Codes
and names were handed on: 31147 was phường Hưng Lợi and is now phường Tân An. So an area is known
by its code and the day it began, and a name means nothing without a date.

Names are matched exactly, once the ways of writing one and the same name are removed. Nothing is
ever guessed from the beginning of a name or from a similar one: Vị Thanh, Vị Thanh 1 and Vị Tân
are three places. The facts are files: those in `etl/reference`, or in the folder that the catalog
names under `geography`, for another city.
"""

import difflib
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from etl.crosswalk import COLUMNS, weights_to
from etl.errors import ForesightError
from etl.footnotes import without_mark
from etl.map_files import COLUMNS as FILES
from etl.map_files import Level, read_map

REFERENCE = Path(__file__).parent / "reference"
Levels = Level | Collection[Level] | None
Meant = tuple[str, str | None, date | None, str | None]
"""A written name, the code and first day of the area it meant, or the problem."""
Misfit = Literal["several", "another_time", "near", "unknown"]
"""Why a name is not that of one area."""


class UnknownArea(ForesightError):
    """No area has this name or code on that day."""


class AmbiguousArea(ForesightError):
    """Several areas have this name on that day; the hint lists them."""


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


@dataclass(frozen=True, eq=False)
class Geography:
    """The map of one city through time. Made by `load_geography`."""

    areas: pl.DataFrame
    """Every area of every time, one row per `(code, valid_from)`.

    Columns: code, level, name, name_en, kind, parent, valid_from, valid_to (both inclusive; null
    while it exists), population (people), area_km2, lat, lon (degrees), source. A commune of today
    has its former province as parent, which no merger crossed; a former commune its district.
    """
    crosswalk: pl.DataFrame
    """What became of each area that ended, step by step.

    Columns: old_code, old_valid_from, new_code, new_valid_from (the day of the step), weight,
    weight_lower, weight_upper (shares of the old area's people, 0 to 1), basis (whole, official,
    estimate), source, note.
    """
    tiles: pl.DataFrame
    """The tile map, one square per commune of today: code, row (0 is north), col (0 is west)."""
    aliases: pl.DataFrame
    """Spellings that no rule explains: spelling, code, valid_from, note."""
    checksum: str
    """Hash of the files."""

    # --- carrying figures over to a later map ---------------------------------------------------

    @cached_property
    def communes(self) -> pl.DataFrame:
        """Rows of `areas` of level commune."""
        return self.areas.filter(pl.col("level") == "commune")

    @property
    def present(self) -> pl.DataFrame:
        """The communes of today: those without an end."""
        return self.communes.filter(pl.col("valid_to").is_null())

    def weights_to(self, day: date) -> pl.DataFrame:
        """Shares by which the figures of each commune go to the communes of `day`.

        Columns: old_code, old_valid_from, new_code, new_valid_from, weight, weight_lower,
        weight_upper, estimated. The weights of each old area sum to 1; a commune of the day goes to
        itself, and one that began later is not there. Shares are of people: by area they would be
        wrong by a factor of ten for Bùi Hữu Nghĩa.
        """
        steps = self.crosswalk.with_columns(estimated=pl.col("basis") != "whole")
        return weights_to(day, self.communes, steps.select(COLUMNS))

    @cached_property
    def weights_to_present(self) -> pl.DataFrame:
        """`weights_to` the newest map there is."""
        return self.weights_to(date.max)

    @cached_property
    def district_weights(self) -> pl.DataFrame:
        """Shares by which the figures of each district that ended go to the communes of today.

        Columns as in `weights_to`, with the district as old; all are estimated, and those of one
        district sum to 1. A share is of the district's people.

        We do not know how many people a former commune had; we do know it of today's communes. Most
        of these lie within one former district and bring all their people to it. Eleven are made
        from two or three districts: their people are divided as if each former commune in them had
        been equally large (part of a split ward counting as its weight). For the bounds, a former
        commune may have been half or twice as large as its fellows: the odds of a part are then
        four times longer or shorter. That the district's figures are spread like its people is the
        assumption of every use.
        """
        district = ["old_code", "old_valid_from"]
        total = pl.col("people").sum().over(district)
        lowest, highest = pl.col("fewest"), pl.col("most")
        others_highest = highest.sum().over(district) - highest
        others_lowest = lowest.sum().over(district) - lowest
        return (
            self._district_parts()
            .select(
                "old_code",
                "old_valid_from",
                "new_code",
                "new_valid_from",
                weight=pl.col("people") / total,
                weight_lower=lowest / (lowest + others_highest),
                weight_upper=highest / (highest + others_lowest),
                estimated=pl.lit(True),
            )
            .sort(*district, "new_code")
        )

    def _district_parts(self) -> pl.DataFrame:
        """People of each commune of today who lived in each district: likely, fewest and most."""
        districts = self.areas.filter(
            (pl.col("level") == "district") & pl.col("valid_to").is_not_null()
        ).select(parent="code", began="valid_from", valid_to="valid_to")
        last = self.communes.join(districts, on=["parent", "valid_to"])
        today = self.present.select(
            people="population", new_code="code", new_valid_from="valid_from"
        )
        own = pl.col("own")
        rest = pl.col("own").sum().over("new_code") - own
        return (
            self.weights_to_present.join(
                last.select("parent", "began", old_code="code", old_valid_from="valid_from"),
                on=["old_code", "old_valid_from"],
            )
            .group_by("parent", "began", "new_code", "new_valid_from")
            .agg(own=pl.col("weight").sum())
            .join(today, on=["new_code", "new_valid_from"])
            .select(
                "new_code",
                "new_valid_from",
                old_code="parent",
                old_valid_from="began",
                people=pl.col("people") * own / (own + rest),
                fewest=pl.col("people") * own / (own + 4 * rest),
                most=pl.col("people") * 4 * own / (4 * own + rest),
            )
        )

    # --- finding an area by what people write ---------------------------------------------------

    def resolve(self, name: str, on: date, level: Levels = None, within: str | None = None) -> Area:
        """The one area that `name` meant on that day.

        `name` is a code or a name in any usual spelling: 'Phường Ninh Kiều', 'P.Ninh Kiều', 'NINH
        KIEU'. It may go on with what the area lies in ('Xã Phú Tân, huyện Châu Thành, tỉnh Hậu
        Giang'), as may `within`. A kind that is given must be right. Accents may be missing from
        the whole, not from a part. The mark of a footnote behind it, '(1)', '(*)' or '¹', counts
        for nothing, unless with its number it is another name. With 'cũ' at the end the name is
        that of an area that has ended, the last to bear it before that day; with 'mới' it is taken
        as it is today. Our own codes ('can_tho', 'soc_trang.my_tu') were never handed on and are
        found whatever the day.

        Raises:
            UnknownArea: nothing fits; the hint has the nearest spellings, or when it would have
                fitted.
            AmbiguousArea: several fit; the hint lists them.
        """
        wanted = self._wanted(name, within, [on])
        levels = _levels(level)
        ever = [area for area in wanted.areas(self) if area.level in levels]
        meant = wanted.meant(on, ever)
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise AmbiguousArea(
                f"{name!r} means {len(meant)} areas on {on}", hint=_listed(meant, self)
            )
        raise UnknownArea(
            f"no area is called {name!r} on {on}", hint=_hint(wanted, ever, on, levels, self)
        )

    def resolve_many(
        self, names: Iterable[str], on: date | Sequence[date], level: Levels = None
    ) -> pl.DataFrame:
        """What each distinct spelling meant on that day, or on days at which it may be looked up.

        One row per distinct name, in order of first appearance: name, code, valid_from, problem.
        Either code and valid_from are null or problem is. Reads each spelling once, so give it
        distinct ones.

        Of several days the first counts on which every name means something that means anything on
        any of them. Where there is none, the names are of several maps: then a name that means
        different areas on different days is refused, and the others mean what they mean.
        """
        levels = _levels(level)
        days = (on,) if isinstance(on, date) else tuple(dict.fromkeys(on))
        distinct = list(dict.fromkeys(names))
        answers = [[_answer(self, name, day, levels) for name in distinct] for day in days]
        columns = {
            "name": pl.String,
            "code": pl.String,
            "valid_from": pl.Date,
            "problem": pl.String,
        }
        return pl.DataFrame(_of_one_map(answers, days), schema=columns, orient="row")

    def _wanted(self, name: str, within: str | None, days: Sequence[date]) -> "_Wanted":
        """The name without the mark of a footnote; with it, where its number makes it another."""
        wanted = _Wanted.read(name, within)
        unmarked = without_mark(name)
        if unmarked == name or wanted.areas(self):
            return wanted
        number = " ".join(re.findall(r"\d+", name[len(unmarked) :]))
        numbered = _Wanted.read(f"{unmarked} {number}", within)
        ever = numbered.areas(self) if number else []
        another = any(numbered.meant(day, ever) for day in days)
        return wanted if another else _Wanted.read(unmarked, within)

    def suggestions(
        self, name: str, on: date | Sequence[date], level: Levels = None
    ) -> tuple[Misfit, list[Area]]:
        """Why `name` is not the name of one area on these days, and what it may stand for.

        `several`: it means all of these; `another_time`: it meant these at other times; `near`:
        these are spelled most alike; `unknown`: there are none. Days are as in `resolve_many`.
        """
        days = (on,) if isinstance(on, date) else tuple(on)
        wanted, levels = self._wanted(name, None, days), _levels(level)
        ever = [area for area in wanted.areas(self) if area.level in levels]
        if now := dict.fromkeys(area for day in days for area in wanted.meant(day, ever)):
            return "several", list(now)
        if ever:
            return "another_time", ever
        near = _near(wanted, days[0], levels, self)
        return ("near" if near else "unknown"), near

    def successors(self, area: Area) -> list[Area]:
        """The communes of today that took over a former commune; of any other area none."""
        if area.valid_to is None:
            return []
        taken_over = self.weights_to_present.filter(
            old_code=area.code, old_valid_from=area.valid_from
        )
        keys = taken_over.select("new_code", "new_valid_from").rows()
        return [one for one in self._all if (one.code, one.valid_from) in keys]

    def in_full(self, area: Area) -> str:
        """'Xã Phú Tân, Huyện Châu Thành, Tỉnh Hậu Giang (cũ)': read again as this area."""
        return ", ".join(place.title for place in [area, *self._places(area)])

    @cached_property
    def starts(self) -> list[date]:
        """The first days of the spans without any change of the map, in order."""
        return sorted(set(self.areas["valid_from"]))

    def address(self, code: str, valid_from: date) -> str | None:
        """What an area lay in on its day: 'Huyện Châu Thành, Tỉnh Hậu Giang (cũ)'."""
        area = next(a for a in self._by_code[code] if a.valid_from == valid_from)
        return ", ".join(place.title for place in self._places(area)) or None

    @cached_property
    def _all(self) -> list[Area]:
        return [Area(**row) for row in self.areas.drop("source").iter_rows(named=True)]

    @cached_property
    def _by_code(self) -> dict[str, list[Area]]:
        by_code = defaultdict(list)
        for area in self._all:
            by_code[area.code].append(area)
        return dict(by_code)

    @cached_property
    def _by_name(self) -> dict[bool, dict[str, list[Area]]]:
        """By whether a name is written without accents, and by its key."""
        named = [(area.name, area) for area in self._all]
        for spelling, code, valid_from, _ in self.aliases.iter_rows():
            area = next(area for area in self._by_code[code] if area.valid_from == valid_from)
            named.append((spelling, area))
        found: dict[bool, dict[str, list[Area]]] = {}
        for bare in (False, True):
            by_key = defaultdict(list)
            for name, area in named:
                by_key[_key(_tidy(name), bare)].append(area)
            found[bare] = dict(by_key)
        return found

    def _parent(self, area: Area) -> Area | None:
        """What it lies in: the parent of its first day, else the last to bear the code."""
        bearers = self._by_code[area.parent] if area.parent else []
        then = [parent for parent in bearers if parent.exists_on(area.valid_from)]
        return next(iter([*then, *bearers[::-1]]), None)

    @cached_property
    def _ancestors(self) -> dict[Area, frozenset[Area]]:
        found: dict[Area, frozenset[Area]] = {}
        for area in self._all:
            above, place = [], self._parent(area)
            while place:
                above.append(place)
                place = self._parent(place)
            found[area] = frozenset(above)
        return found

    def _places(self, area: Area) -> list[Area]:
        """What it lies in, below the city of today."""
        places, place = [], self._parent(area)
        while place and place.level not in ("city", "nation"):
            places.append(place)
            place = self._parent(place)
        return places


def load_geography(folder: Path = REFERENCE) -> Geography:
    """The map in `folder`, read once for each state of its files.

    Raises:
        Problems: every fault of the files.
    """
    stats = [path.stat() for name in FILES if (path := folder / name).exists()]
    return _load(folder, tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats))


@lru_cache(maxsize=8)
def _load(folder: Path, _state: tuple[tuple[int, ...], ...]) -> Geography:
    tables = read_map(folder)
    digest = hashlib.blake2b(digest_size=16)
    for name in FILES:
        if (folder / name).exists():
            digest.update(name.encode() + (folder / name).read_bytes())
    return Geography(
        areas=tables["areas.csv"].with_columns(pl.col("kind", "name_en").fill_null("")),
        crosswalk=tables["crosswalk.csv"],
        tiles=tables["tiles.csv"],
        aliases=tables["aliases.csv"],
        checksum=digest.hexdigest(),
    )


# --- the map of Cần Thơ -------------------------------------------------------------------------


def areas() -> pl.DataFrame:
    """Every area of every time; see `Geography.areas`."""
    return load_geography().areas


def weights_to_present() -> pl.DataFrame:
    """Shares by which communes go to those of today; see `Geography.weights_to`."""
    return load_geography().weights_to_present


def district_weights() -> pl.DataFrame:
    """Shares by which former districts go to the communes of today; see `Geography`."""
    return load_geography().district_weights


def resolve(name: str, on: date, level: Levels = None, within: str | None = None) -> Area:
    """The one area that `name` meant on that day; see `Geography.resolve`."""
    return load_geography().resolve(name, on, level, within)


def resolve_many(
    names: Iterable[str], on: date | Sequence[date], level: Levels = None
) -> pl.DataFrame:
    """What each distinct spelling meant on that day; see `Geography.resolve_many`."""
    return load_geography().resolve_many(names, on, level)


# --- what was written, and what it means --------------------------------------------------------


def _levels(level: Levels) -> tuple[Level, ...]:
    if level is None:
        return get_args(Level)
    return (level,) if isinstance(level, str) else tuple(level)


@cache
def _answer(geography: Geography, name: str, on: date, levels: tuple[Level, ...]) -> Meant:
    try:
        area = geography.resolve(name, on, levels)
    except (UnknownArea, AmbiguousArea) as error:
        return name, None, None, "; ".join(filter(None, [error.problem, error.hint]))
    return name, area.code, area.valid_from, None


def _of_one_map(answers: list[list[Meant]], days: Sequence[date]) -> list[Meant]:
    """For each name the answer of one of the days; `answers` has a list for each day."""
    known = [{name for name, code, _, _ in answer if code} for answer in answers]
    anywhere = set().union(*known)
    for answer, here in zip(answers, known, strict=True):
        if here == anywhere:
            return answer
    return [_of_any_map(list(meanings), days) for meanings in zip(*answers, strict=True)]


def _of_any_map(meanings: list[Meant], days: Sequence[date]) -> Meant:
    """The meaning of a name that stands among names of several maps, if it has only one."""
    name, *_ = meanings[0]
    found = {(code, start) for _, code, start, _ in meanings if code}
    if len(found) <= 1:
        return next((meant for meant in meanings if meant[1]), meanings[0])
    spoken = " and ".join(f"{day}" for day in sorted(days))
    return (
        name,
        None,
        None,
        f"{name!r} means different areas on {spoken}, and stands among names of both maps; "
        "write (cũ) or (mới) behind it, or give the day in clean: {areas: {on: ...}}",
    )


@dataclass(frozen=True)
class _Wanted:
    """A written name taken apart."""

    name: str
    surroundings: tuple[str, ...]
    era: Literal["cũ", "mới"] | None
    """What stood behind the name, or behind what it lies in."""
    own_era: bool
    """Whether it stood behind the name itself."""
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
            own_era=_era(first, rest[:1]) is not None,
            bare=tidy == _without_accents(tidy),
        )

    def meant(self, on: date, ever: Collection[Area]) -> list[Area]:
        """What the name means on that day, of `ever`: whatever bore it at any time."""
        if self.era == "cũ":
            return _former(on, ever, itself=self.own_era)
        starts = [area.valid_from for area in ever if area.valid_to is None]
        day = max([on, *starts]) if self.era == "mới" else on
        return [area for area in ever if area.exists_on(day) or self._is_our_own_code_of(area)]

    def _is_our_own_code_of(self, area: Area) -> bool:
        return area.code == self.name and area.level != "commune"

    def areas(self, geography: Geography) -> list[Area]:
        """Whatever bore the name at any time, within its surroundings."""
        around = [
            _found(part, part == _without_accents(part), geography) for part in self.surroundings
        ]
        return [
            area
            for area in _found(self.name, self.bare, geography)
            if all(geography._ancestors[area] & found.keys() for found in around)
        ]


def _former(on: date, ever: Collection[Area], *, itself: bool) -> list[Area]:
    """Those that have ended: what still existed on that day, and the last to end before it.

    Where only what a name lies in is called former, the latter counts only if there is no other.
    """
    last = max((a.valid_to for a in ever if a.valid_to and a.valid_to < on), default=None)
    then = [area for area in ever if area.valid_to and area.exists_on(on)]
    before = [area for area in ever if area.valid_to and area.valid_to == last]
    return then + before if itself else then or before


def _era(first: str, rest: list[str]) -> Literal["cũ", "mới"] | None:
    if first.endswith(" cũ") or "cũ" in rest:
        return "cũ"
    return "mới" if first.endswith(" mới") or "mới" in rest else None


def _found(written: str, bare: bool, geography: Geography) -> dict[Area, None]:
    """The areas of any time with this code or name; a dict, to keep their order."""
    by_name = geography._by_name[bare]
    named = (
        area
        for kind, key in _readings(written, bare)
        for area in by_name.get(key, ())
        if kind in (None, area.kind)
    )
    return dict.fromkeys([*geography._by_code.get(written, ()), *named])


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


def _listed(found: Iterable[Area], geography: Geography) -> str:
    return "; ".join(_identified(area, geography) for area in found)


def _identified(area: Area, geography: Geography) -> str:
    """'Xã Phú Tân, Huyện Châu Thành, Tỉnh Hậu Giang (cũ) [31384, until 2025-06-30]'"""
    until = f", until {area.valid_to}" if area.valid_to else ""
    return f"{geography.in_full(area)} [{area.code}{until}]"


def _hint(
    wanted: _Wanted,
    ever: list[Area],
    day: date,
    levels: tuple[Level, ...],
    geography: Geography,
) -> str:
    if ever:
        return f"at another time: {_listed(ever, geography)}"
    near = _near(wanted, day, levels, geography)
    return f"did you mean {_listed(near, geography)}?" if near else ""


def _near(
    wanted: _Wanted, day: date, levels: tuple[Level, ...], geography: Geography
) -> list[Area]:
    """Areas of that day whose names are spelled most alike."""
    here = [area for area in geography._all if area.exists_on(day) and area.level in levels]
    keys = defaultdict(list)
    for area in here:
        keys[_key(_tidy(area.name), bare=True)].append(area)
    asked = [_without_accents(key) for _, key in _readings(wanted.name, wanted.bare)]
    near = difflib.get_close_matches(asked[-1] if asked else "", keys, n=3, cutoff=0.75)
    return [area for key in near for area in keys[key]]
