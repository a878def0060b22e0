"""Small counts as they leave: rounded at random to a multiple of 5, by a key of this house.

A count of 7 leaves as 5 or as 10, as 10 with the chance 2/5, so that it is right on average. Which,
the key decides together with what the cell is: indicator, area, period, category. So the same count
of the same cell leaves as the same figure in every release and every table, and nobody who asks
twice learns more. Totals are rounded on their own: parts need not add up to them, and none
gives its parts away (`etl.publish.linked`). Rates are made of the rounded counts, and only where
the denominator is large enough.

What is a count of people or cases, its unit says, and so it does of what has nothing to do with
them: land, weight, money (`reference/people/words.csv`). Any other unit is an error, and not a
guess; so is a quotient whose two counts are not there, and a number that is written as text.
"""

import hmac
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import polars as pl

from etl.catalog import Catalog, Dataset, Indicator, Measure
from etl.errors import ForesightError
from etl.publish.content import MONEY, Cell, masked, told_outside
from etl.publish.linked import TOTAL, links, settled
from etl.publish.names import listed, plain
from etl.settings import Site, secret

BASE = 5
SMALLEST_DENOMINATOR = 10
SHORTEST_KEY = 32
"""Letters of a secret that cannot be guessed by trying."""
BELOW_CITY = {"district", "commune"}
SCALES = {"chục": 10.0, "trăm": 1e2, "nghìn": 1e3, "ngàn": 1e3, "vạn": 1e4}
SCALES |= {"triệu": 1e6, "tỷ": 1e9, "tỉ": 1e9}
SHARES = ("%", "‰")

Kind = Literal["count", "rate", "unsaid", "unlisted", "other"]


class NoRoundingKey(ForesightError):
    """Counts that must be rounded cannot be, for want of the key."""


class Problem(StrEnum):
    """Why the counts of a dataset cannot be protected."""

    UNSAID = "count_without_unit"
    UNLISTED = "unit_not_listed"
    RATE = "rate_without_its_counts"
    SMALL = "small_count_of_the_city"


@dataclass(frozen=True)
class Measured:
    """A measure in a table: a column of its own, or the rows of `value` with its code."""

    column: str
    code: str | None
    name: str
    """Of its indicator, which is the same in every table; else of dataset and field."""
    kind: Kind
    scale: float
    """People or cases in one unit."""
    indicator: Indicator | None = None
    at_most: tuple[str, ...] = ()
    """Names of those that it is never more than, as filed online is of received."""

    def rows(self) -> pl.Expr:
        """Which rows of the table it is in."""
        return pl.lit(value=True) if self.code is None else pl.col("indicator") == self.code


def way_of(dataset: Dataset) -> str | None:
    """rounding or none as declared; else rounding for anything below the city."""
    declared = dataset.publish.protect if dataset.publish else None
    if declared:
        return declared
    levels = set(dataset.clean.areas.level) if dataset.clean.areas else set()
    return "rounding" if dataset.case_level or levels & BELOW_CITY else None


def measured(
    catalog: Catalog, dataset: Dataset, table: pl.DataFrame, measures: list[tuple[str, Indicator]]
) -> list[Measured]:
    """What is measured in `table`: its indicators, and other numbers that are not of its key."""
    found = []
    for place, indicator in measures:
        wide = place in table.columns
        column, code = (place, None) if wide else ("value", place)
        kind, scale = _kind_of(indicator, dataset, text=table.schema[column] == pl.String)
        owner = catalog.owner.get(indicator.name, dataset.name)
        name = f"{owner}/{indicator.name}"
        at_most = tuple(_at_most(catalog, dataset, indicator))
        found.append(Measured(column, code, name, kind, scale, indicator, at_most))
    return [
        *found,
        *_undescribed(dataset, table, found),
        *_other_numbers(dataset, table, {one.column for one in found}),
    ]


def _at_most(catalog: Catalog, dataset: Dataset, indicator: Indicator) -> Iterator[str]:
    """Of which indicators this is a part: it has a share in them, or counts fewer of their rows."""
    wholes = {
        one.compute.denominator
        for one in catalog.indicators.values()
        if one.compute and one.compute.way == "share" and one.compute.numerator == indicator.name
    }
    measures = {one.name: one for table in dataset.tables for one in table.measures}
    if indicator.value in measures and not indicator.compute:
        counted = {one.value: name for name, one in catalog.indicators.items() if not one.compute}
        its = measures[indicator.value]
        wholes |= {counted.get(name) for name, one in measures.items() if _inside(its, one)}
    for name in sorted(filter(None, wholes - {indicator.name})):
        yield f"{catalog.owner.get(name, dataset.name)}/{name}"


def _inside(one: Measure, other: Measure) -> bool:
    """Whether the rows that `one` counts are among those that `other` does."""
    narrower = other.where.items() <= one.where.items()
    if one.stock and other.stock:
        same = one.stock == other.stock or bool(one.stock.after and other.stock.from_)
        return narrower and same and one.stock.until == other.stock.until and one != other
    return narrower and bool(one.count) and one.count == other.count and one.where != other.where


def _undescribed(
    dataset: Dataset, table: pl.DataFrame, found: list[Measured]
) -> Iterator[Measured]:
    """Rows of a long table with the code of no indicator."""
    if not {"indicator", "value"} <= set(table.columns) or not any(one.code for one in found):
        return
    told = {one.code for one in found}
    for code in table["indicator"].drop_nulls().unique().sort():
        if code not in told:
            yield Measured("value", code, f"{dataset.name}/{code}", "unsaid", 1.0)


def _other_numbers(dataset: Dataset, table: pl.DataFrame, known: set[str]) -> Iterator[Measured]:
    for field in dataset.schema_.fields:
        told = field.name in {*known, *dataset.schema_.primary_key, "area"} or field.categories
        if told or field.name not in table.columns:
            continue
        values = table[field.name]
        if values.dtype.is_numeric() or _digits_as_text(values):
            whole = _asked(dataset) and values.dtype.is_integer()
            kind, scale = _kind(field.unit or "", whole=whole)
            if kind == "count" and values.dtype == pl.String:
                kind = "unlisted"
            yield Measured(field.name, None, f"{dataset.name}/{field.name}", kind, scale)


NUMBER = r"^[+-]?\d[\d.,\s]*\s*[%‰]?$"
WORD = r"[\p{L}\d]"


def _digits_as_text(values: pl.Series) -> bool:
    """Whether a column of text is one of numbers: most of what it holds, dashes aside."""
    if values.dtype != pl.String:
        return False
    told = values.str.strip_chars().drop_nulls().unique()
    told = told.filter(told.str.contains(WORD))
    return bool(len(told)) and 2 * told.str.contains(NUMBER).sum() >= len(told)


def _asked(dataset: Dataset) -> bool:
    return bool(dataset.publish and dataset.publish.protect == "rounding")


def _kind_of(indicator: Indicator, dataset: Dataset, *, text: bool) -> tuple[Kind, float]:
    if dataset.case_level and not indicator.compute:
        return "count", 1.0
    whole = _asked(dataset) and indicator.decimals == 0
    kind, scale = _kind(indicator.unit, whole=whole, rated=indicator.aggregate == "rate")
    return ("unlisted" if text and kind == "count" else kind), scale


def _kind(unit: str, *, whole: bool = False, rated: bool = False) -> tuple[Kind, float]:
    """What a unit says. `whole` numbers in any unit but money are protected where that was asked.

    A quotient is harmless where both its units are, as a yield or a price is.
    """
    scale, counted = _unscaled(unit)
    parts = counted.split("/")
    harmless = all(_unscaled(part)[1] in listed("harmless_unit") for part in parts)
    if rated or len(parts) > 1 or counted.startswith(SHARES):
        return ("other" if harmless and len(parts) > 1 else "rate"), 1.0
    if counted in listed("counted_unit") or (whole and not MONEY.search(unit)):
        return "count", scale
    if harmless:
        return "other", 1.0
    return ("unlisted" if counted else "unsaid"), 1.0


def counts(indicator: Indicator) -> bool:
    """Whether its unit says that people, cases or firms are counted, one by one."""
    rated = bool(indicator.compute) or indicator.aggregate == "rate"
    return _kind(indicator.unit, rated=rated) == ("count", 1.0)


def _unscaled(unit: str) -> tuple[float, str]:
    """`nghìn người` as 1000 and `người`; in small letters, written in one way."""
    words = re.sub(r"\s*/\s*", "/", plain(unit).casefold()).split()
    scale = 1.0
    while len(words) > 1 and words[0] in SCALES:
        scale *= SCALES[words.pop(0)]
    return scale, " ".join(words)


def key_of(site: Site) -> bytes:
    """The secret by which counts are rounded.

    Raises:
        NoRoundingKey: the site names none, or a short one.
        MissingSecret: the variable it names is not set.
    """
    if site.rounding_key is None:
        raise NoRoundingKey(
            "the site file names no key to round small counts by",
            hint="write rounding_key: NAME_OF_A_VARIABLE; see docs/privacy.md",
        )
    key = secret(site.rounding_key)
    if len(key) < SHORTEST_KEY:
        raise NoRoundingKey(
            f"the key in {site.rounding_key} is shorter than {SHORTEST_KEY} letters",
            hint="make one with: openssl rand -hex 32",
        )
    return key.encode()


@dataclass(frozen=True)
class Counted:
    """A table with its exact counts, and what is measured in it."""

    table: pl.DataFrame
    dataset: Dataset
    measures: list[Measured]

    @property
    def counts(self) -> list[Measured]:
        """Each place of a count once, by the name of the first that is there."""
        counts = [one for one in self.measures if one.kind == "count"]
        return list({(one.column, one.code): one for one in reversed(counts)}.values())


def rounded(
    table: pl.DataFrame,
    dataset: Dataset,
    measures: list[Measured],
    key: bytes,
    *,
    cities: Collection[str] = (),
    areas: pl.DataFrame | None = None,
    beside: Collection[Counted] = (),
) -> pl.DataFrame:
    """`table` with every count rounded, and the rates that follow from counts made of these.

    `cities` are codes of areas whose counts add up those of the communes in the table, `areas`
    (code, level, parent) tells what lies in what. `beside` are tables that leave as well and tell
    the same counts, in parts, in total or exactly: a reader has them all.
    """
    dimensions = _dimensions(dataset, table)
    own = Counted(table, dataset, measures)
    if own.counts:
        names = list(dict.fromkeys(c.name for one in (own, *beside) for c in one.counts))
        every = _all_figures(own, beside, names)
        bounded = _bounded((own, *beside), names)
        left = _rounded_figures(every, bounded, key, cities, areas)
        table = _written(table, own.counts, names, left)
    for one in measures:
        if one.kind == "rate":
            table = _rate_remade(table, one, measures, dimensions)
    return table


def rounded_value(value: float, cell: str, key: bytes, *, scale: float = 1.0) -> float:
    """`value` up or down to a multiple of `BASE` people or cases; a multiple stays what it is.

    Sums of parts of people end in a hair more or less: that would tell that nothing was rounded.
    """
    people = round(value * scale, 6)
    below = math.floor(people / BASE) * BASE
    if people == below:
        return below / scale
    drawn = int.from_bytes(hmac.digest(key, cell.encode(), "sha256")[:8], "big") / 2**64
    return (below + (BASE if drawn < (people - below) / BASE else 0)) / scale


def _all_figures(own: Counted, beside: Collection[Counted], names: list[str]) -> pl.DataFrame:
    """All counts of all tables, one a row: what is protected together.

    Columns record (row of the table), table (0 is the own), fixed (whether it leaves as it is),
    measure (place in `names`), cell, people, the dimensions of each, and as_of where a table has
    it. A figure that was published again unchanged has one number, `figure`.
    """
    found = [
        _figures(one, names).with_columns(
            table=pl.lit(number), fixed=pl.lit(bool(number) and way_of(one.dataset) != "rounding")
        )
        for number, one in enumerate((own, *beside))
    ]
    every = pl.concat(found, how="diagonal_relaxed")
    if beside:
        texts = set(_dimensions_of(every)) - {"area"}
        every = every.with_columns(
            pl.col(name).fill_null(TOTAL) for name in texts if every.schema[name] == pl.String
        )
    return every.with_columns(
        figure=pl.struct("measure", "cell", "people", "fixed").rank("dense").cast(pl.Int64) - 1
    )


def _figures(one: Counted, names: list[str]) -> pl.DataFrame:
    """The counts of one table."""
    dimensions = _dimensions(one.dataset, one.table)
    numbered = one.table.with_row_index("record")
    more = [name for name in ("as_of",) if name in one.table.columns]
    shown = _with_totals(one.table, dimensions, one.counts)
    parts = [
        # In one chunk: polars panics where it formats text of an empty one.
        numbered.filter(count.rows())
        .rechunk()
        .select(
            "record",
            pl.lit(names.index(count.name)).alias("measure"),
            _cell(count.name, dimensions).alias("cell"),
            (pl.col(count.column).cast(pl.Float64) * count.scale).alias("people"),
            *shown,
            *more,
        )
        for count in one.counts
    ]
    return pl.concat(parts).filter(pl.col("people").is_not_null())


def _bounded(tables: Collection[Counted], names: list[str]) -> list[tuple[int, int]]:
    """Pairs of measures of which the first is never more than the second."""
    counts = [count for one in tables for count in one.counts]
    found = {(count.name, most) for count in counts for most in count.at_most if most in names}
    return sorted((names.index(one), names.index(other)) for one, other in found)


def _dimensions_of(figures: pl.DataFrame) -> list[str]:
    return [name for name in figures.columns if name not in OF_A_FIGURE]


OF_A_FIGURE = {"record", "table", "fixed", "measure", "cell", "people", "figure", "as_of"}


def _with_totals(table: pl.DataFrame, dimensions: list[str], counts: list[Measured]) -> list[str]:
    """`dimensions`, and columns that nobody called one although they hold a total."""
    taken = {*dimensions, *NOT_A_DIMENSION, *(one.column for one in counts)}
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    more = [name for name in texts if name not in taken and (table[name] == TOTAL).any()]
    return [*dimensions, *more]


def _rounded_figures(
    figures: pl.DataFrame,
    bounded: list[tuple[int, int]],
    key: bytes,
    cities: Collection[str],
    areas: pl.DataFrame | None,
) -> pl.DataFrame:
    """`figures` with `left`, what may be seen of each, in people; null where it is left out."""
    each = figures.unique("figure", keep="first").sort("figure")
    exact, fixed = each["people"].round(6).to_numpy(), each["fixed"].to_numpy()
    drawn = [
        people if stays else rounded_value(people, cell, key)
        for people, cell, stays in each.select("people", "cell", "fixed").iter_rows()
    ]
    dimensions = _dimensions_of(figures)
    cells = _once(figures, dimensions)
    linked = links(cells, dimensions, exact, cities=cities, areas=areas, bounded=bounded)
    left = settled(exact, np.array(drawn), linked, BASE, fixed)
    return figures.with_columns(pl.Series("left", left).fill_nan(None).gather(figures["figure"]))


def _once(figures: pl.DataFrame, dimensions: list[str]) -> pl.DataFrame:
    """What stands in several tables once; where it leaves as it is in one, a reader knows it."""
    if figures["table"].max() == 0:
        return figures
    cell = [name for name in ("measure", *dimensions, "as_of") if name in figures.columns]
    exactly = figures.select(*cell, "fixed").filter("fixed").unique()
    told = figures.join(exactly, on=cell, how="semi", nulls_equal=True).filter("fixed")
    others = figures.join(exactly, on=cell, how="anti", nulls_equal=True)
    # In one order, from whichever of the tables one looks.
    every = pl.concat([others, told]).sort("people", maintain_order=True)
    return every.unique([*cell, "figure"], keep="first", maintain_order=True)


def _written(
    table: pl.DataFrame, counts: list[Measured], names: list[str], left: pl.DataFrame
) -> pl.DataFrame:
    for one in counts:
        its = left.filter(table=0, measure=names.index(one.name))
        values = (its["left"] / one.scale).cast(table.schema[one.column])
        made = its.select("record", values.alias(one.column))
        table = (
            table.with_row_index("record")
            .update(made, on="record", include_nulls=True)
            .drop("record")
        )
    return table


def _cell(name: str, dimensions: list[str]) -> pl.Expr:
    """What a cell is, as text: the same wherever it stands. A total needs no category."""
    parts = [
        pl.when(pl.col(column).cast(pl.String) != TOTAL)
        .then(pl.format("\x1f{}={}", pl.lit(column), pl.col(column).cast(pl.String)))
        .otherwise(pl.lit(""))
        .fill_null("")
        for column in sorted(dimensions)
    ]
    return pl.concat_str([pl.lit(name), *parts])


NOT_A_DIMENSION = {"indicator", "status", "as_of", "value", "unit", "source", "source_url", "note"}
"""The vintage is none: a figure published again unchanged is rounded as it was."""
ALWAYS = ["area", "area_vintage", "category", "period", "period_end"]


def _dimensions(dataset: Dataset, table: pl.DataFrame) -> list[str]:
    """The columns that tell which cell a row is, without those of its vintage."""
    named = [*ALWAYS, *dataset.schema_.primary_key]
    closed = [f.name for f in dataset.schema_.fields if f.categories or f.constraints.enum]
    chosen = dict.fromkeys([*named, *closed])
    return [name for name in chosen if name in table.columns and name not in NOT_A_DIMENSION]


def _rate_remade(
    table: pl.DataFrame, rate: Measured, measures: list[Measured], dimensions: list[str]
) -> pl.DataFrame:
    above, below = _parts(rate, measures)
    if above is None or below is None or rate.indicator is None:
        return table
    parts = {"above": above, "below": below}
    found = table.select(*dimensions, rate.rows().alias("its"))
    for word, part in parts.items():
        values = table.filter(part.rows()).select(*dimensions, pl.col(part.column).alias(word))
        values = values.unique(dimensions, keep="first")
        found = found.join(values, on=dimensions, how="left", nulls_equal=True)
    people = pl.col("below") * below.scale
    made = pl.col("above") * above.scale / people * rate.indicator.scale
    if rate.indicator.compute and rate.indicator.compute.way == "share":
        # Eleven of eleven may leave as 15 of 10.
        made = pl.min_horizontal(made, rate.indicator.scale)
    made = pl.when(people >= SMALLEST_DENOMINATOR).then(made)
    remade = found.with_columns(
        made.alias("made"), table[rate.column].cast(pl.Float64).alias("was")
    )
    values = remade.select(pl.when("its").then("made").otherwise("was"))
    return table.with_columns(values.to_series().alias(rate.column))


def _parts(rate: Measured, measures: list[Measured]) -> tuple[Measured | None, Measured | None]:
    """Numerator and denominator of a rate, where both are counts of the same table."""
    compute = rate.indicator.compute if rate.indicator else None
    if compute is None or compute.way not in ("ratio", "share"):
        return None, None
    counts = {one.indicator.name: one for one in measures if one.indicator and one.kind == "count"}
    return counts.get(compute.numerator), counts.get(compute.denominator or "")


def problems(table: pl.DataFrame, dataset: Dataset, measures: list[Measured]) -> list[Cell]:
    """What keeps the exact `table` of `dataset` from being protected, as cells or whole columns."""
    way = way_of(dataset)
    if way == "none":
        return []
    if way is None:
        return [cell for one in measures if one.kind == "count" for cell in _small(table, one)]
    answered = [(one.field, one.found) for one in dataset.publish.exempt] if dataset.publish else []
    found = [(one, why) for one in measures if (why := _problem(one, measures))]
    return [
        Cell(one.column, "", None, why, one.code or one.column)
        for one, why in found
        if not {(one.column, str(why)), (one.code, str(why))} & set(answered)
    ]


def _problem(one: Measured, measures: list[Measured]) -> Problem | None:
    if one.kind == "rate" and not _of_harmless(one, measures):
        return Problem.RATE if None in _parts(one, measures) else None
    return {"unsaid": Problem.UNSAID, "unlisted": Problem.UNLISTED}.get(one.kind)


def _of_harmless(rate: Measured, measures: list[Measured]) -> bool:
    """Whether both figures it is made of leave as they are: a share of the land tells no more."""
    compute = rate.indicator.compute if rate.indicator else None
    kinds = {one.indicator.name: one.kind for one in measures if one.indicator}
    return bool(compute and {kinds.get(name) for name in compute.inputs} == {"other"})


def _small(table: pl.DataFrame, one: Measured) -> Iterator[Cell]:
    """Counts of 1 to 4 where nobody decided whether they may be seen."""
    people = pl.col(one.column) * one.scale
    numbered = table.with_row_index("record of the table", offset=1)
    hits = numbered.filter(one.rows() & (people > 0) & (people < BASE))
    for row in hits.iter_rows(named=True):
        where = ", ".join(f"{k}={row[k]}" for k in ("area", "period", "category") if k in row)
        shown = masked(str(row[one.column]))
        yield Cell(one.column, where, row["record of the table"], Problem.SMALL, shown)


# What was done, for the dictionary

ROUNDED = {
    "method": "random_rounding",
    "base": BASE,
    "description": "Làm tròn ngẫu nhiên đến bội số của 5 để bảo vệ cá nhân; tổng được làm tròn "
    "riêng nên có thể khác tổng các phần.",
    "description_en": "Rounded at random to a multiple of 5 to protect people; totals are rounded "
    "on their own and may differ from the sum of their parts.",
}
REMADE = {
    "method": "from_rounded_counts",
    "minimumDenominator": SMALLEST_DENOMINATOR,
    "description": "Tính từ số đã làm tròn; để trống khi mẫu số dưới 10.",
    "description_en": "Computed from rounded counts; missing where the denominator is under 10.",
}


def changed(dataset: Dataset, column: str, measures: list[Measured]) -> bool:
    """Whether a column leaves with other figures than it had, or without some of them."""
    kinds = {one.kind for one in measures if one.column == column}
    return way_of(dataset) == "rounding" and bool(kinds & {"count", "rate"})


def protection_of(
    dataset: Dataset, column: str, measures: list[Measured], places: Collection[str] = ()
) -> list[dict[str, Any]]:
    """What was done to a column before it left, and what was found and let pass, with the reason.

    Each entry has method, description and description_en. A reason that speaks of a person is not
    repeated; `places` are names of areas, which may look like those of people.
    """
    inside = [one for one in measures if one.column == column]
    way, kinds = way_of(dataset), {one.kind for one in inside}
    done: list[dict[str, Any]] = []
    if way == "rounding":
        done += [ROUNDED] if "count" in kinds else []
        done += [REMADE] if "rate" in kinds else []
    publish = dataset.publish
    if publish and way == "none" and kinds - {"other"}:
        done.append(_told("none", publish.reason or "", publish.reason_en, places))
    for entry in publish.exempt if publish else []:
        if entry.field in {column, *(one.code for one in inside)}:
            done.append(
                _told("exempt", entry.reason, entry.reason_en, places) | {"found": entry.found}
            )
    return done


def _told(
    method: str, reason: str, reason_en: str | None, places: Collection[str]
) -> dict[str, Any]:
    vietnamese, english = (told_outside(one, places) for one in (reason, reason_en or reason))
    return {"method": method, "description": vietnamese, "description_en": english}
