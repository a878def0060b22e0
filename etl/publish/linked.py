"""Figures that bound each other: would what is published of some give others away?

Four cells of 1 that are all rounded up, beside a total of 4 that is rounded down to 0, can only be
ones. Such a total is rounded the other way; one for which that does not help is left out. Bounds
are passed between totals and parts, along every column with a total, areas and periods, between a
figure and one that it cannot exceed, and along what counts come to together
(`etl.publish.equations`), until none becomes narrower.

Where parts are missing, or stand elsewhere, a total is still no less than what is known of them. Of
figures that were revised every state is looked at that there ever was.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from etl.publish.equations import SIDES, equations

NARROWEST = 2
"""Least distance between what a figure may be at least and at most: three values or more."""
UNKNOWN = 1e12
ROUNDS = 20
TOTAL = "total"
MONTH = 30.4
"""Days; a period adds up those of each shorter kind that lie in it."""

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Links:
    """Groups of figures and the total that none of them together exceeds, as numbers of figures.

    Numbers beyond those of the figures are of sums that stand nowhere: both sides of an equation
    make up one.
    """

    totals: Numbers
    """Of each group."""
    parts: Numbers
    groups: Numbers
    """Of each part, the group it is in."""
    whole: npt.NDArray[np.bool_]
    """Of each group, whether the parts make up the total."""
    nowhere: Floats
    """What the sums come to that stand nowhere."""

    def sums(self, values: Floats) -> Floats:
        """The sum of `values` of the parts of each group."""
        return np.bincount(self.groups, values[self.parts], len(self.totals)).astype(np.float64)


def links(
    cells: pl.DataFrame,
    dimensions: list[str],
    exact: Floats,
    *,
    cities: Collection[str] = (),
    areas: pl.DataFrame | None = None,
    bounded: Collection[tuple[int, int]] = (),
) -> Links:
    """Which figures add up which: fields to all fields, communes to the city, months to the year.

    `cells` has a row a figure as it stands in a table, none of them missing: its `measure`, its
    number in `exact`, `dimensions`, and `as_of` where figures are revised. `areas` (code, level,
    parent) tells what lies in what, `cities` are codes in which everything lies, and `bounded` are
    pairs of measures of which the first is never more than the second.
    """
    found, alike = [], [pl.DataFrame(schema=SIDES)]
    for number, rows in enumerate(_states(cells, ["measure", *dimensions])):
        rows = rows.with_row_index("row")
        kinds = [
            *_along_columns(rows, dimensions),
            _along_areas(rows, dimensions, cities, areas),
            _along_periods(rows, dimensions),
            _pairs(rows, dimensions, bounded),
        ]
        found += [
            kind.select(
                pl.lit(f"{number}.{at}").alias("kind"), "total", "part", "row", "sort", "may_be"
            )
            for at, kind in enumerate(kinds)
            if len(kind)
        ]
        alike.append(equations(rows, dimensions, exact))
    sides = pl.concat(alike).unique(maintain_order=True).with_row_index("row")
    return _grouped([*found, *_sides(sides, len(exact))], exact, _sums(sides, exact))


def _sides(sides: pl.DataFrame, first: int) -> Iterator[pl.DataFrame]:
    """Both sides of each equation as groups of a sum that stands nowhere, numbered from `first`."""
    for side in ("left", "right"):
        yield sides.select(
            pl.lit(side).alias("kind"),
            pl.col("row").cast(pl.Int64).alias("total") + first,
            pl.col(side).alias("part"),
            "row",
            pl.lit("").alias("sort"),
            pl.lit(value=True).alias("may_be"),
        ).explode("part")


def _sums(sides: pl.DataFrame, exact: Floats) -> Floats:
    """What each equation comes to."""
    parts = sides.select("row", "left").explode("left")
    return np.bincount(parts["row"], exact[parts["left"]], len(sides)).astype(np.float64)


def _states(cells: pl.DataFrame, cell: list[str]) -> Iterator[pl.DataFrame]:
    """The table as it stood before each revision, and as it stands: every cell once."""
    if "as_of" not in cells.columns:
        cells = cells.with_columns(as_of=pl.lit(None, dtype=pl.Date))
    ordered = cells.sort("as_of", nulls_last=False, maintain_order=True).with_columns(
        copy=pl.int_range(pl.len()).over(*cell, "as_of")
    )
    cell = [*cell, "copy"]
    again = ordered.filter(pl.int_range(pl.len()).over(cell) > 0)["as_of"]
    for day in [*again.drop_nulls().unique().sort(), None]:
        known = pl.lit(value=True) if day is None else pl.col("as_of").lt(day).fill_null(value=True)
        yield ordered.filter(known).unique(cell, keep="last", maintain_order=True)


def _along_columns(rows: pl.DataFrame, dimensions: list[str]) -> Iterator[pl.DataFrame]:
    for name in dimensions:
        if rows.schema[name] == pl.String and name != "area":
            whole = (pl.col(name) == TOTAL).fill_null(value=True)
            totals = rows.filter(whole)
            if 0 < len(totals) < len(rows):
                yield _joined(rows.filter(~whole), totals, [name], dimensions)


def _along_areas(
    rows: pl.DataFrame,
    dimensions: list[str],
    cities: Collection[str],
    areas: pl.DataFrame | None,
) -> pl.DataFrame:
    if "area" not in dimensions:
        return rows.clear()
    above = _above(rows["area"].drop_nulls().unique().to_list(), cities, areas)
    parts = rows.join(above, on="area").drop("area").rename({"above": "area", "level": "sort"})
    return _joined(parts, rows, ["area_vintage"], dimensions)


def _above(
    present: Collection[str], cities: Collection[str], areas: pl.DataFrame | None
) -> pl.DataFrame:
    """Columns area, level and above: the areas of the table that an area lies in."""
    levels, parents = {}, {}
    if areas is not None:
        levels = dict(areas.select("code", "level").iter_rows())
        parents = dict(areas.select("code", "parent").iter_rows())
    found, known = [], set(present)
    for area in present:
        above = set() if area in cities else set(cities)
        at = parents.get(area)
        while at is not None and at != area and at not in above:
            above.add(at)
            at = parents.get(at)
        found += [(area, levels.get(area, ""), one) for one in sorted(above & known)]
    schema = {"area": pl.String, "level": pl.String, "above": pl.String}
    return pl.DataFrame(found, schema=schema, orient="row")


def _along_periods(rows: pl.DataFrame, dimensions: list[str]) -> pl.DataFrame:
    if not {"period", "period_end"} <= set(dimensions):
        return rows.clear()
    days = (pl.col("period_end") - pl.col("period")).dt.total_days() + 1
    rows = rows.with_columns(
        year=pl.col("period").dt.year(),
        sort=(days / MONTH).round().cast(pl.String),
        days=days,
    )
    longer = rows.filter(pl.col("days") > 1)
    same = [*(name for name in dimensions if name not in ("period", "period_end")), "year"]
    both = _matched(rows, longer, same)
    inside = (pl.col("period") >= pl.col("from")) & (pl.col("period_end") <= pl.col("until"))
    shorter = pl.col("days") < (pl.col("until") - pl.col("from")).dt.total_days() + 1
    return both.filter(inside, shorter)


def _pairs(
    rows: pl.DataFrame, dimensions: list[str], bounded: Collection[tuple[int, int]]
) -> pl.DataFrame:
    """Each figure beside the one of its cell that it is never more than."""
    found = [
        _matched(rows.filter(measure=one), rows.filter(measure=other), dimensions, measure=False)
        for one, other in bounded
    ]
    return pl.concat([rows.clear(), *found], how="diagonal").with_columns(
        may_be=pl.lit(value=False)
    )


def _joined(
    parts: pl.DataFrame, totals: pl.DataFrame, along: list[str], dimensions: list[str]
) -> pl.DataFrame:
    return _matched(parts, totals, [name for name in dimensions if name not in along])


def _matched(
    parts: pl.DataFrame, totals: pl.DataFrame, same: list[str], *, measure: bool = True
) -> pl.DataFrame:
    """Parts beside the total that agrees with them in `same`: columns total, part, row and sort."""
    same = [*same, "copy", *(["measure"] if measure else [])]
    ends = {"from": "period", "until": "period_end"} if "period" in totals.columns else {}
    asked = totals.select(
        *same, "row", total="figure", **{name: pl.col(end) for name, end in ends.items()}
    )
    told = parts.drop("row").rename({"figure": "part"})
    if "sort" not in told.columns:
        told = told.with_columns(sort=pl.lit(""))
    both = told.join(asked, on=same, nulls_equal=True)
    return both.with_columns(may_be=pl.lit(value=True), sort=pl.col("sort").fill_null(""))


def _grouped(found: list[pl.DataFrame], exact: Floats, nowhere: Floats) -> Links:
    """Each group once, of those whose total is no less than its parts."""
    schema = pl.Schema(
        {"group": pl.Int64, "total": pl.Int64, "part": pl.Int64, "may_be": pl.Boolean}
    )
    table = pl.DataFrame(schema=schema)
    if found:
        key = ["kind", "row", "sort"]
        alike = ["total", "may_be", "parts", "size"]
        every = pl.concat(found)
        groups = every.group_by(key, maintain_order=True).agg(
            pl.col("total", "may_be").first(),
            parts=pl.col("part").hash().sum(),
            size=pl.len(),
        )
        groups = groups.unique(alike, keep="first", maintain_order=True).with_row_index("group")
        table = every.join(groups.select(*key, "group"), on=key).select(*schema).cast(schema)
        table = table.sort("group", "part")
    first = table.unique("group", keep="first").sort("group")
    every_link = Links(
        first["total"].to_numpy(),
        table["part"].to_numpy(),
        table["group"].to_numpy(),
        first["may_be"].to_numpy(),
        nowhere,
    )
    return _true(every_link, np.concatenate([exact, nowhere]))


def _true(one: Links, exact: Floats) -> Links:
    """The groups that hold: what does not add up bounds nothing."""
    sums, totals = one.sums(exact), exact[one.totals]
    same = np.isclose(sums, totals)
    holds = same | (sums < totals)
    kept = holds[one.groups]
    numbers = np.cumsum(holds) - 1
    return Links(
        one.totals[holds],
        one.parts[kept],
        numbers[one.groups[kept]],
        (same & one.whole)[holds],
        one.nowhere,
    )


def settled(
    exact: Floats,
    rounded: Floats,
    linked: Links,
    base: int,
    fixed: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """`rounded`, with every total changed that would give others away; NaN where it is left out.

    Both arrays are in people or cases, one value a figure, NaN where missing. What is `fixed`
    leaves as it is, exactly: its parts give way.
    """
    fixed = np.zeros(len(exact), dtype=bool) if fixed is None else fixed
    figures, unseen = len(exact), np.full(len(linked.nowhere), np.nan)
    exact, seen = np.concatenate([exact, linked.nowhere]), np.concatenate([rounded, unseen])
    fixed = np.concatenate([fixed, np.isfinite(unseen)])
    tried = np.zeros(len(seen), dtype=bool)
    while len(guilty := _guilty(seen, exact, linked, base, fixed)):
        other = np.where(seen > exact, seen - base, seen + base)
        gives_way = tried[guilty] | (seen[guilty] == exact[guilty])
        seen[guilty] = np.where(gives_way, np.nan, other[guilty])
        tried[guilty] = True
    return seen[:figures]


def _guilty(
    seen: Floats, exact: Floats, linked: Links, base: int, fixed: npt.NDArray[np.bool_]
) -> Numbers:
    """Totals that leave some figure too few values; for those that are fixed, that figure."""
    first, last = _bounds(seen, exact, base, fixed)
    least, most = first.copy(), last.copy()
    for _ in range(ROUNDS):
        before = most - least
        _narrow(least, most, linked)
        if np.array_equal(before, most - least):
            break
    narrow = ~np.isnan(seen) & ~fixed & (most - least < NARROWEST)
    if not narrow.any():
        return np.array([], dtype=np.int64)
    # Of a sum that stands nowhere each side knows what the other tells.
    nowhere = slice(len(seen) - len(linked.nowhere), None)
    first[nowhere], last[nowhere] = least[nowhere], most[nowhere]
    slack = _slack(first, last, least, most, linked)
    blamed = _blamed(narrow, slack, seen, linked)
    return blamed[~fixed[blamed]] if not fixed[blamed].all() else np.flatnonzero(narrow)


def _bounds(
    seen: Floats, exact: Floats, base: int, fixed: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Between what each figure may be; one that holds parts of people is further off."""
    missing = np.isnan(seen)
    reach = np.where(exact == np.rint(exact), base - 1.0, float(base))
    reach = np.where(fixed, 0.0, reach)
    least = np.where(missing, 0.0, np.maximum(seen - reach, 0.0))
    return least, np.where(missing, UNKNOWN, seen + reach)


def _narrow(least: Floats, most: Floats, one: Links) -> None:
    """Narrow the bounds of totals by those of their parts, and then of parts by their totals."""
    at_least, at_most = one.sums(least), one.sums(most)
    np.maximum.at(least, one.totals, at_least)
    np.minimum.at(most, one.totals[one.whole], at_most[one.whole])
    others_least = at_least[one.groups] - least[one.parts]
    others_most = at_most[one.groups] - most[one.parts]
    np.minimum.at(most, one.parts, most[one.totals][one.groups] - others_least)
    below = np.where(one.whole, least[one.totals], 0.0)[one.groups] - others_most
    np.maximum.at(least, one.parts, below)


def _slack(first: Floats, last: Floats, least: Floats, most: Floats, one: Links) -> Floats:
    """Of each group, how much its parts leave of the bounds, `first` to `last`, of its total."""
    above = last[one.totals] - one.sums(least)
    below = np.where(one.whole, one.sums(most) - first[one.totals], UNKNOWN)
    return np.minimum(above, below)


def _blamed(narrow: npt.NDArray[np.bool_], slack: Floats, seen: Floats, linked: Links) -> Numbers:
    """Totals whose bounds are nearly used up; else the tightest of those that bound narrow ones.

    A figure that no total is to blame for is left out itself.
    """
    groups = np.zeros(len(slack), dtype=bool)
    groups[linked.groups[narrow[linked.parts]]] = True
    groups |= narrow[linked.totals]
    nowhere = linked.totals >= len(seen) - len(linked.nowhere)
    bounding = ~np.isnan(seen[linked.totals]) | nowhere
    tight = groups & bounding & (slack < NARROWEST)
    if tight.any():
        return _rounded_otherwise(tight, nowhere, narrow, linked)
    while True:
        inside = np.isin(linked.parts, linked.totals[groups])
        wider = groups.copy()
        wider[linked.groups[inside]] = True
        if np.array_equal(wider, groups):
            break
        groups = wider
    asked = groups & bounding
    if not asked.any():
        return np.flatnonzero(narrow)
    return _rounded_otherwise(asked & (slack <= slack[asked].min()), nowhere, narrow, linked)


def _rounded_otherwise(
    groups: npt.NDArray[np.bool_],
    nowhere: npt.NDArray[np.bool_],
    narrow: npt.NDArray[np.bool_],
    linked: Links,
) -> Numbers:
    """The totals of `groups`; for a sum that stands `nowhere` the narrow figures in it.

    All that are narrow, where none of these is.
    """
    inside = (groups & nowhere)[linked.groups] & narrow[linked.parts]
    found = np.concatenate([linked.totals[groups & ~nowhere], linked.parts[inside]])
    return np.unique(found) if len(found) else np.flatnonzero(narrow)
