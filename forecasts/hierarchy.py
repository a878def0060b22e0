"""What adds up to what: cells to communes and to fields, and these to the city.

A hierarchy is a summing matrix over its finest series, the bottom. Communes and fields cross, so
there is no tree: every series above the bottom is a sum of bottom series, and that is all. Which
series belong together follows from the catalog (indicators that are no rates, asked for at several
grains), from the map (what lies in what) and from the categories of the data. It is believed only
where the past agrees: a total that was not the sum of its parts stays out, with the reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from etl.errors import ForesightError
from etl.geography import Geography
from etl.periods import Frequency
from forecasts.panel import Floats
from forecasts.request import Found

NODE = ["indicator", "level", "area", "category"]
TOTAL = "total"
DEPTH = {"nation": 0, "city": 1, "former_province": 2, "district": 3, "commune": 4}
SAME = 1e-9
"""Relative difference up to which a total is the sum of its parts."""

Sparse = Any
"""A `scipy.sparse.csr_array`: scipy is imported where it is needed, to keep imports cheap."""
Groups = NDArray[np.int64]


class NotAHierarchy(ForesightError):
    """Series of which none is the sum of others, or keys that do not say which are."""


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Series that add up: those above first, then those of the bottom.

    `summing` is `(above, bottom)`, 1 where a bottom series is part of a series above.
    """

    keys: pl.DataFrame
    """Columns of `NODE`, one row a series."""
    summing: Sparse

    def __post_init__(self) -> None:
        above, bottom = self.summing.shape
        if above + bottom != len(self.keys) or not above or not bottom:
            raise NotAHierarchy(f"{above} sums of {bottom} series, but {len(self.keys)} keys")

    @property
    def above(self) -> int:
        """How many series are sums of others: the first rows of `keys`."""
        return int(self.summing.shape[0])

    @property
    def bottom(self) -> int:
        """How many series are not."""
        return int(self.summing.shape[1])

    @cached_property
    def grains(self) -> NDArray[np.str_]:
        """The grain of each series, as the catalog writes it: 'city', 'commune*category'."""
        return self.keys.select(_grain()).to_series().to_numpy().astype(str)

    @cached_property
    def parts(self) -> NDArray[np.int64]:
        """Of how many bottom series each series is the sum; of the bottom series, 1."""
        counted = np.diff(self.summing.indptr)
        return np.concatenate([counted, np.ones(self.bottom, dtype=np.int64)])

    @cached_property
    def groups(self) -> dict[str, Groups]:
        """Bottom series that may err together: number of the group of each, by what they share.

        Areas and categories. A column in which all agree or none does is left out: it says nothing
        that chance or the city does not.
        """
        bottom = self.keys[self.above :]
        ranks = {name: (bottom[name].rank("dense") - 1).to_numpy() for name in ("area", "category")}
        return {
            name: rank.astype(np.int64)
            for name, rank in ranks.items()
            if 0 < rank.max() < self.bottom - 1
        }

    def sums(self, values: NDArray[Any]) -> Floats:
        """The series above of bottom `values`: `(..., bottom, h)` gives `(..., above, h)`.

        Always in double precision: sums of single-precision samples are exact to 1e-16.
        """
        lead, (_, horizon) = values.shape[:-2], values.shape[-2:]
        each = values.reshape(-1, self.bottom, horizon)
        summed = np.empty((len(each), self.above, horizon))
        for number, sample in enumerate(each):
            summed[number] = self.summing @ sample
        return summed.reshape(*lead, self.above, horizon)

    def sum(self, values: NDArray[Any]) -> Floats:
        """All series of bottom `values`: `(..., bottom, h)` gives `(..., series, h)`."""
        return np.concatenate([self.sums(values), values], axis=-2)


@dataclass(frozen=True, eq=False)
class Family:
    """A hierarchy with the past of its series, `(series, periods)`, NaN where unknown."""

    hierarchy: Hierarchy
    frequency: Frequency
    periods: tuple[date, ...]
    history: Floats

    @cached_property
    def recent(self) -> Floats:
        """The newest values of the bottom series, one season of them: `(season, bottom)`.

        They stand in where a series has no forecast of its own. One never seen counts as 0, as it
        does in the totals of the past.
        """
        newest = self.history[self.hierarchy.above :, -max(self.frequency.season, 1) :].T
        known = np.isfinite(newest)
        usual = np.where(known, newest, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return np.where(known, newest, usual)

    @cached_property
    def scales(self) -> Floats:
        """Root mean square change from one period to the next, of each series; NaN if unknown."""
        change = np.diff(self.history, axis=1)
        known = np.isfinite(change)
        squares = np.where(known, change, 0.0) ** 2
        count = known.sum(axis=1)
        mean = squares.sum(axis=1) / np.maximum(count, 1)
        return np.where(count > 0, np.sqrt(mean), np.nan)


def families(found: Sequence[Found], geography: Geography) -> tuple[list[Family], pl.DataFrame]:
    """Every hierarchy among the series found, and the series that stay out of one.

    There is one family for each indicator and frequency asked for at several grains. The second
    frame has columns of `NODE`, frequency, reason (`not_crossed`, `no_part`, `no_common_period` or
    `does_not_add_up`), and for the last of these the period in which total and sum differ most.
    """
    inside = areas_inside(geography)
    asked: dict[tuple[str, Frequency], list[pl.DataFrame]] = {}
    for one in found:
        for indicator in one.job.indicators:
            if indicator.aggregate != "rate":
                rows = one.frame.filter(pl.col("indicator") == indicator.name)
                rows = rows.select(
                    "indicator",
                    pl.lit(one.job.level).alias("level"),
                    *("area", "category", "period", "value"),
                )
                if not rows.is_empty():
                    asked.setdefault((indicator.name, one.job.frequency), []).append(rows)
    several = {key: frames for key, frames in asked.items() if len(frames) > 1}
    made = [family(pl.concat(rows), key[1], inside) for key, rows in several.items()]
    left_out = [OUTSIDE.to_frame(), *(outside for _, outside in made)]
    return [one for one, _ in made if one], pl.concat(left_out)


def areas_inside(geography: Geography) -> pl.DataFrame:
    """What lies in what: area and above, one row a pair, each area in itself too.

    An area is what its code means now, or meant last.
    """
    last = geography.areas.sort("valid_from").unique("code", keep="last")
    parents = dict(last.select("code", "parent").iter_rows())
    pairs = [(code, above) for code in parents for above in _upwards(code, parents)]
    return pl.DataFrame(pairs, schema={"area": pl.String, "above": pl.String}, orient="row").unique(
        maintain_order=True
    )


def _upwards(code: str | None, parents: Mapping[str, str | None]) -> Iterator[str]:
    seen: set[str] = set()
    while code is not None and code not in seen:
        yield code
        seen.add(code)
        code = parents.get(code)


def family(
    frame: pl.DataFrame, frequency: Frequency, inside: pl.DataFrame
) -> tuple[Family | None, pl.DataFrame]:
    """The hierarchy of one indicator and its past, and the series that stay out of it.

    `frame` has one row a value: columns of `NODE`, period and value. `inside` is as
    `areas_inside` gives it.
    """
    keys = frame.select(NODE).unique().sort(NODE)
    depth = pl.col("level").replace_strict(DEPTH, return_dtype=pl.Int64)
    crossed = pl.col("category") != TOTAL
    finest = keys.sort(depth, crossed, descending=True).select(_grain()).item(0, 0)
    bottom, rest = (keys.filter(is_it) for is_it in (_grain() == finest, _grain() != finest))
    fits = pl.lit("*" in finest) | ~crossed
    above = rest.filter(fits).sort(depth, crossed, *NODE)
    left_out = [_outside(rest.filter(~fits), frequency, "not_crossed")]
    summing = _summing(above, bottom, inside)
    has_parts = pl.Series(np.diff(summing.indptr) > 0)
    left_out.append(_outside(above.filter(~has_parts), frequency, "no_part"))
    above, summing = above.filter(has_parts), summing[has_parts.to_numpy()]
    periods, history = _history(frame, pl.concat([above, bottom]))
    judged = _judged(above, summing, periods, history)
    agree = judged["reason"].is_null()
    left_out.append(
        judged.filter(~agree)
        .with_columns(pl.lit(frequency.value).alias("frequency"))
        .select(OUTSIDE.names())
    )
    if not agree.any():
        return None, pl.concat(left_out)
    kept = np.flatnonzero(agree.to_numpy())
    hierarchy = Hierarchy(pl.concat([above[kept], bottom]), summing[kept])
    rows = np.concatenate([kept, np.arange(len(above), len(history))])
    return Family(hierarchy, frequency, periods, history[rows]), pl.concat(left_out)


OUTSIDE = pl.Schema(
    {
        **dict.fromkeys(NODE, pl.String()),
        "frequency": pl.String(),
        "reason": pl.String(),
        "period": pl.Date(),
        "value": pl.Float64(),
        "sum": pl.Float64(),
    }
)
"""Columns of the series that stay out of a hierarchy."""


def _grain() -> pl.Expr:
    crossed = pl.when(pl.col("category") != TOTAL).then(pl.lit("*category")).otherwise(pl.lit(""))
    return pl.col("level") + crossed


def _summing(above: pl.DataFrame, bottom: pl.DataFrame, inside: pl.DataFrame) -> Sparse:
    """A bottom series is part of a total of its area or one around it, of its category or all."""
    from scipy.sparse import csr_array

    placed = bottom.with_row_index("column").join(inside, on="area")
    every = placed.with_columns(category=pl.lit(TOTAL))
    reach = pl.concat([placed, every.filter(placed["category"] != TOTAL)])
    reach = reach.select("column", "indicator", "category", area="above")
    pairs = above.with_row_index("row").join(reach, on=["indicator", "area", "category"])
    places = (pairs["row"].to_numpy(), pairs["column"].to_numpy())
    return csr_array((np.ones(len(pairs)), places), shape=(len(above), len(bottom)))


def _history(frame: pl.DataFrame, keys: pl.DataFrame) -> tuple[tuple[date, ...], Floats]:
    """Values `(series, periods)` of these keys; periods nobody reported are not among them."""
    known = frame.filter(pl.col("value").is_finite())
    periods = known.select("period").unique().sort("period").with_row_index("column")
    placed = known.join(keys.with_row_index("row"), on=NODE).join(periods, on="period")
    values = np.full((len(keys), len(periods)), np.nan)
    values[placed["row"], placed["column"]] = placed["value"].cast(pl.Float64)
    return tuple(periods["period"].to_list()), values


def _judged(
    above: pl.DataFrame, summing: Sparse, periods: tuple[date, ...], history: Floats
) -> pl.DataFrame:
    """The series above, each with the reason not to believe that it is a sum, or null."""
    if above.is_empty() or not periods:
        return above.with_columns(
            pl.lit("no_common_period").alias("reason"),
            *(pl.lit(None, OUTSIDE[name]).alias(name) for name in ("period", "value", "sum")),
        )
    totals, parts = history[: len(above)], history[len(above) :]
    known = np.isfinite(parts)
    summed = summing @ np.where(known, parts, 0.0)
    common = np.isfinite(totals) & (summing @ known.astype(float) == summing.sum(axis=1)[:, None])
    size = np.maximum(
        np.abs(np.where(common, totals, 0.0)), summing @ np.abs(np.where(known, parts, 0.0))
    )
    apart = np.where(common, np.abs(totals - summed), 0.0) / np.maximum(size, np.finfo(float).tiny)
    worst = apart.argmax(axis=1)
    row = np.arange(len(above))
    wrong = apart[row, worst] > SAME
    reasons = np.where(
        ~common.any(axis=1), "no_common_period", np.where(wrong, "does_not_add_up", "")
    )
    said = above.with_columns(
        pl.Series("reason", reasons).replace("", None),
        pl.Series("period", periods, dtype=pl.Date).gather(worst),
        pl.Series("value", totals[row, worst]),
        pl.Series("sum", summed[row, worst]),
    )
    shown = pl.col("reason") == "does_not_add_up"
    return said.with_columns(
        pl.when(shown).then(pl.col(name)).alias(name) for name in ("period", "value", "sum")
    )


def _outside(keys: pl.DataFrame, frequency: Frequency, reason: str) -> pl.DataFrame:
    rows = keys.with_columns(frequency=pl.lit(frequency.value), reason=pl.lit(reason))
    missing = [pl.lit(None, OUTSIDE[name]).alias(name) for name in ("period", "value", "sum")]
    return rows.with_columns(missing).select(OUTSIDE.names())
