"""What is measured: `tables` that count cases, and `indicators`, computed ones among them."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from etl.catalog.parts import Name, Part, Text, Topic


class Condition(Part):
    """A comparison of a field with a value or another field."""

    at_most: Name | None = None
    after: Name | None = None


class Stock(Part):
    """Rows open at a day's end: `from` (or the day after `after`) has come, `until` not yet."""

    from_: Name | None = Field(default=None, alias="from")
    after: Name | None = None
    until: Name


class Measure(Part):
    """A daily or monthly figure counted from rows.

    `count: received` counts rows on the day of `received`; `stock: {from: received, until:
    finished}` counts, at the end of each month, rows that have come and not gone. `where` narrows.
    """

    name: Name
    count: Name | None = None
    stock: Stock | None = None
    where: dict[Name, Text | Condition] = {}


class Table(Part):
    """Measures of a case-level dataset, by area and category."""

    name: Name
    by: list[Literal["area", "category"]] = ["area"]
    measures: list[Measure]


WAYS = {"ratio": None, "share": "of", "growth": "over", "per_head": "population"}
"""Ways to compute an indicator, and the word that each needs beside it."""


class Compute(Part):
    """How an indicator follows from others: one of `ratio`, `share`, `growth`, `per_head`.

    `{ratio: [a, b], scale: 10}` divides; `{share: a, of: b}` divides and is in percent; `{growth:
    a, over: year}` is the change in percent over the same period a year before, or over the
    `previous` period; `{per_head: a, population: b}` divides by the population of the same calendar
    year. Areas, categories and days are added up first, the division comes last.
    """

    ratio: tuple[Name, Name] | None = None
    share: Name | None = None
    of: Name | None = None
    growth: Name | None = None
    over: Literal["year", "previous"] | None = None
    per_head: Name | None = None
    population: Name | None = None
    scale: float | None = Field(default=None, gt=0)
    """What the quotient is multiplied by: 100 in a share or growth, else 1, unless told."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [way for way in WAYS if getattr(self, way) is not None]
        if len(given) != 1:
            raise ValueError("say one of ratio, share, growth, per_head")
        beside = [word for word in WAYS.values() if word and getattr(self, word) is not None]
        needed = WAYS[given[0]]
        if beside != ([needed] if needed else []):
            told = f"goes with {needed!r}, and with nothing else" if needed else "stands alone"
            raise ValueError(f"{given[0]!r} {told}")
        return self

    @property
    def way(self) -> str:
        """One of `WAYS`."""
        return next(way for way in WAYS if getattr(self, way) is not None)

    @property
    def numerator(self) -> str:
        """The indicator above the line; of a growth, the one that grows."""
        return self.ratio[0] if self.ratio else str(getattr(self, self.way))

    @property
    def denominator(self) -> str | None:
        """The indicator below the line; none of a growth, which is divided by its own past."""
        return self.ratio[1] if self.ratio else self.of or self.population

    @property
    def inputs(self) -> list[str]:
        """The indicators it follows from."""
        return [name for name in (self.numerator, self.denominator) if name]

    @property
    def factor(self) -> float:
        """What the quotient is multiplied by."""
        return self.scale or (100.0 if self.way in ("share", "growth") else 1.0)


class Indicator(Part):
    """What is measured. Described once, in the dataset that owns it."""

    name: Name
    title: str
    title_en: str
    unit: str = ""
    unit_en: str | None = None
    description: str | None = None
    description_en: str | None = None
    value: Name = "value"
    """Field or measure that holds it."""
    where: dict[Name, Text] = {}
    """Only rows with these values; in a long table by default `{indicator: <name>}`."""
    aggregate: Literal["sum", "last", "rate"] = "sum"
    """How it adds up over time; what is computed is a rate, without being told so."""
    better: Literal["up", "down", "none"] = "none"
    decimals: int = 0
    compute: Compute | None = None
    topic: Topic | None = None

    @model_validator(mode="before")
    @classmethod
    def _computed_is_a_rate(cls, content: Any) -> Any:
        computed = isinstance(content, dict) and content.get("compute")
        return {"aggregate": "rate", **content} if computed else content

    @property
    def numerator(self) -> str | None:
        """Where it is computed, the indicator above the line."""
        return self.compute.numerator if self.compute else None

    @property
    def denominator(self) -> str | None:
        """Where it is a quotient of two, the indicator below the line."""
        return self.compute.denominator if self.compute else None

    @property
    def scale(self) -> float:
        """What the quotient is multiplied by."""
        return self.compute.factor if self.compute else 1.0


IndicatorEntry = Annotated[
    Annotated[Indicator, Tag("described")] | Annotated[Name, Tag("named")],
    Discriminator(lambda entry: "named" if isinstance(entry, str) else "described"),
]
"""Described here, or only named because another dataset describes it."""
