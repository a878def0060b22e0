"""Units as they stand beside a table, and what a figure in one is in another.

A unit is a scale and a thing: `triệu đồng`, `1.000 ha`, `In millions of dong`. Both come from
closed lists. What is not in them is no unit we know: an error where one is needed, never a guess.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from etl.errors import ForesightError
from etl.extract.raw import plain

SCALES = {
    "": 1,
    "1.000": 1000,
    "1000": 1000,
    "nghìn": 1000,
    "ngàn": 1000,
    "thousand": 1000,
    "thousands": 1000,
    "thous": 1000,
    "1.000.000": 10**6,
    "triệu": 10**6,
    "million": 10**6,
    "millions": 10**6,
    "mill": 10**6,
    "tỷ": 10**9,
    "tỉ": 10**9,
    "billion": 10**9,
    "billions": 10**9,
    "bill": 10**9,
}
THINGS: dict[str, dict[str, Decimal]] = {
    "money": dict.fromkeys(["đồng", "vnd", "vnđ", "dong", "dongs"], Decimal(1)),
    "dollars": dict.fromkeys(["usd", "đô la mỹ", "us dollars"], Decimal(1)),
    "people": dict.fromkeys(
        ["người", "nhân khẩu", "people", "persons", "person", "pers"], Decimal(1)
    ),
    "households": dict.fromkeys(["hộ", "households"], Decimal(1)),
    "animals": dict.fromkeys(["con", "heads", "head"], Decimal(1)),
    "area": {
        **dict.fromkeys(["ha", "hecta", "héc ta", "hectares", "hectare"], Decimal(1)),
        **dict.fromkeys(["km2", "km²"], Decimal(100)),
        **dict.fromkeys(["m2", "m²"], Decimal("0.0001")),
    },
    "mass": {
        **dict.fromkeys(["tấn", "tonnes", "tons", "tonne", "ton"], Decimal(1)),
        **dict.fromkeys(["tạ", "quintals"], Decimal("0.1")),
        "kg": Decimal("0.001"),
    },
    "length": {"km": Decimal(1), "m": Decimal("0.001")},
    "share": {
        **dict.fromkeys(["%", "phần trăm", "percent", "per cent"], Decimal(1)),
        **dict.fromkeys(["‰", "phần nghìn"], Decimal("0.1")),
    },
}
"""By what is measured: each name, and how much of the first it is."""

LEAD = re.compile(r"^(đơn vị( tính)?|đvt|unit)\b\s*[:.]?\s*")
BREAKS = re.compile(r"\s+[-–/]\s+|[,;\n]")


@dataclass(frozen=True)
class Unit:
    """`dimension` is what is measured; `size` how much of its first unit one of these is."""

    dimension: str
    size: Decimal

    @property
    def rounded(self) -> bool:
        """Whether whole figures in it are rounded: measured, or in thousands; counts are not."""
        return self.dimension in ("area", "mass", "length") or self.size > 1


class UnknownUnit(ForesightError):
    """A unit beside the table is not known, or fits nothing in it."""


def unit(text: str) -> Unit | None:
    """The unit that `text` is, or `None`."""
    words = re.sub(r"^in ", "", plain(text).strip(" ().:")).replace(" of ", " ").replace(". ", " ")
    for dimension, names in THINGS.items():
        for name, size in names.items():
            if words.endswith(name) and (scale := words[: -len(name)].strip(" .")) in SCALES:
                return Unit(dimension, SCALES[scale] * size)
    return None


def units_in(text: str) -> list[Unit]:
    """The units that a side cell such as "Đơn vị: Triệu đồng, %" names, of each dimension one.

    The same in two languages counts once.

    Raises:
        UnknownUnit: it names none that is known, or two of one dimension.
    """
    stripped = LEAD.sub("", plain_lines(text).lstrip("( "))
    whole = unit(stripped)
    found = [whole] if whole else [u for part in BREAKS.split(stripped) if (u := unit(part))]
    sizes = {u.dimension: u for u in found}
    if not found or any(sizes[u.dimension] != u for u in found):
        raise UnknownUnit("no unit, or more than one")
    return list(sizes.values())


def plain_lines(text: str) -> str:
    """For comparison, with its line breaks."""
    return "\n".join(plain(line) for line in text.splitlines())


def spoken() -> Iterator[str]:
    """The units that are known, for a hint."""
    for names in THINGS.values():
        yield next(iter(names))


def factor(found: Unit, wanted: Unit) -> Decimal:
    """What to multiply a figure in `found` with to have it in `wanted`; of one dimension."""
    return found.size / wanted.size
