"""Figures that look wrong: slips of unit, swapped columns, copies, gaps, jumps.

A series is judged by its own past. The residual of a point is its distance to the nearer of its two
neighbours, where it lies above or below both: noise of one neighbour does not make it suspicious,
and a lasting change of level is judged at its first point alone. It is measured against the median
size of the changes of the series, between neighbours and between the same seasons of two years; a
point must stand out in both. What stood in the older version already is not told again.

Thresholds were set on the shipped sources; see `tests/etl/test_anomalies.py`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
import yaml

Kind = Literal[
    "missing",
    "gap",
    "ends_early",
    "unit_slip",
    "jump",
    "sign",
    "swapped",
    "repeated",
    "copied",
    "total",
]

SERIES = ["dataset", "indicator", "area", "area_vintage", "category", "frequency", "cycle"]
POINT = [
    "dataset",
    "indicator",
    "area",
    "area_vintage",
    "category",
    "frequency",
    "period",
    "period_end",
]
STEPS = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1, "span": 1}
"""Periods a year; a span is compared with the same span of other years."""

LEAST = 6
"""Points a series needs before its own past says anything."""
FLOOR_LOG = 0.02
"""Smallest usual change, of natural logarithms: 2 %."""
FLOOR_LEVEL = 0.05
"""The same for series that have both signs, in median sizes of the series."""
JUMP = 8.0
"""Usual changes by which a point must stand out to be a jump."""
SLIP = 4.5
"""The same for a slip of unit, where the size of the change is one of a power of ten too."""
POWERS = [1.0, 2.0, 3.0, 6.0]
NEAR_POWER = 0.12
"""How far a slip by ten may be from it, in decimal logarithms, for a steady series."""
NEAR_THOUSAND = 0.3
"""The same for slips by a hundred and more."""
STEADY = 0.25
"""Usual change, of natural logarithms, of a series that does not swing around zero."""
REGULAR = 0.9
"""Share of its periods that a series has before a gap in it means anything."""
CELLS = 5
"""Figures a period needs before being equal to another one means anything."""
ALIKE = 0.8
"""Share of equal figures that makes a period a copy."""
ROUNDING = 0.005
"""Share by which a total may miss the sum of its parts."""


@dataclass(frozen=True)
class Anomaly:
    """One suspicious figure; or a whole period of a dataset, where `indicator` or `area` is empty.

    `sure` is from 0 to 1 and ranks them. `other` names the other indicator or period concerned,
    `factor` is by how much a unit slipped, or how many figures are copies.
    """

    kind: Kind
    dataset: str
    indicator: str
    area: str
    category: str
    frequency: str
    period: dt.date
    before: float | None
    after: float | None
    expected: float | None
    sure: float
    factor: float | None = None
    other: str = ""

    @property
    def words_vi(self) -> str:
        """What is suspicious, in Vietnamese."""
        return self._words("vi")

    @property
    def words_en(self) -> str:
        """What is suspicious, in English."""
        return self._words("en")

    def _words(self, language: str) -> str:
        return str(_texts()[self.kind][language]).format(
            value=_short(self.after),
            before=_short(self.before),
            expected=_short(self.expected),
            factor=_short(self.factor),
            other=self.other,
        )


@cache
def _texts() -> dict[str, Any]:
    path = Path(__file__).parent / "text" / "anomalies.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def changes(before: pl.DataFrame | None, after: pl.DataFrame) -> pl.DataFrame:
    """Figures that differ between two versions of the observations.

    Columns: those of a point, `change` (added, changed, vanished), `before`, `after`. Equal figures
    cancel; of what remains for one point, the newest of either side are set against each other. A
    figure of a later publication that leaves the earlier one in place is therefore added.
    """
    old = after.clear() if before is None else before
    lost, gained = _without(old, after), _without(after, old)
    return (
        lost.rename({"value": "before"})
        .join(
            gained.rename({"value": "after"}),
            on=[*POINT, "planned", "rank"],
            how="full",
            coalesce=True,
            nulls_equal=True,
        )
        .with_columns(
            change=pl.when(pl.col("before").is_null())
            .then(pl.lit("added"))
            .when(pl.col("after").is_null())
            .then(pl.lit("vanished"))
            .otherwise(pl.lit("changed"))
        )
        .select(*POINT, "planned", "change", "before", "after")
        .sort(*POINT, "planned")
    )


def _without(these: pl.DataFrame, those: pl.DataFrame) -> pl.DataFrame:
    """Figures of `these` that are not among `those`, with their rank among those of the point."""
    exact = [*POINT, "status", "as_of", "value"]
    counted = [
        frame.select(exact).with_columns(copy=pl.int_range(pl.len()).over(exact))
        for frame in (these, those)
    ]
    left = counted[0].join(counted[1], on=[*exact, "copy"], how="anti", nulls_equal=True)
    return (
        left.with_columns(planned=pl.col("status") == "plan")
        .sort("as_of", "value", descending=True, nulls_last=True)
        .with_columns(rank=pl.int_range(pl.len()).over(*POINT, "planned"))
        .select(*POINT, "planned", "rank", "value")
    )


def scan(
    before: pl.DataFrame | None,
    after: pl.DataFrame,
    *,
    parts: Mapping[str, Sequence[str]] | None = None,
) -> list[Anomaly]:
    """Suspicious figures of `after` that were not in `before` already, the surest first.

    Both are observations with at least the columns of a point, `value`, `status` and `as_of`; plans
    are passed over. `parts` says which indicators add up to which.
    """
    if before is None or before.is_empty():
        found = _alone(after, parts or {})
    else:
        differing = changes(before, after)
        touched = pl.col("dataset").is_in(differing["dataset"].unique().implode())
        found = _alone(after.filter(touched), parts or {})
        known = {_identity(one) for one in _alone(before.filter(touched), parts or {})}
        versus = _versus(differing)
        told = {_place(one) for one in versus}
        found = versus + [
            one for one in found if _identity(one) not in known and _place(one) not in told
        ]
    return sorted(found, key=lambda one: (-one.sure, one.dataset, one.indicator, one.period))


def _identity(one: Anomaly) -> tuple[object, ...]:
    return (one.kind, *_place(one), one.after)


def _place(one: Anomaly) -> tuple[object, ...]:
    return (one.dataset, one.indicator, one.area, one.category, one.frequency, one.period)


def _alone(observations: pl.DataFrame, parts: Mapping[str, Sequence[str]]) -> list[Anomaly]:
    """What one version says against itself."""
    points = _judged(_points(observations))
    swapped = _swapped(points)
    places = {_place(one) for one in swapped}
    single = [one for one in _slips(points) + _signs(points) if _place(one) not in places]
    places |= {_place(one) for one in single}
    jumps = [one for one in _jumps(points) if _place(one) not in places]
    return [
        *swapped,
        *single,
        *jumps,
        *_gaps(points),
        *_ends_early(points),
        *_copies(points),
        *_totals(points, parts),
    ]


# --- series -------------------------------------------------------------------------------------


def _points(observations: pl.DataFrame) -> pl.DataFrame:
    """One outcome per point, the newest, with `series` (its number) and `step` (its place in it).

    Sorted by series and step. Steps are counted in periods; spans in years.
    """
    month_of = pl.col("period").dt.year() * 12 + pl.col("period").dt.month() - 1
    days = pl.col("period").cast(pl.Int32)
    span = pl.concat_str(
        pl.col("period").dt.strftime("%m%d"), pl.col("period_end").dt.strftime("%m%d")
    )
    step = (
        pl.when(frequency="day")
        .then(days)
        .when(frequency="week")
        .then(days // 7)
        .when(frequency="month")
        .then(month_of)
        .when(frequency="quarter")
        .then(month_of // 3)
        .otherwise(month_of // 12)
    )
    return (
        observations.filter(pl.col("status") != "plan", pl.col("value").is_finite())
        .sort("as_of", "value", nulls_last=False)
        .unique(POINT, keep="last", maintain_order=True)
        .with_columns(
            cycle=pl.when(frequency="span").then(span).otherwise(pl.lit("")),
            step=step.cast(pl.Int64),
        )
        .with_columns(series=pl.struct(SERIES).rank("dense"))
        .sort("series", "step")
    )


def _judged(points: pl.DataFrame) -> pl.DataFrame:
    """With what is usual: `x` (log or level), `score`, `expected`, `away` (both in `x`), `usual`.

    `log` says whether `x` is the natural logarithm of the size; `sign` is that of most of the
    series; `length` its number of points.
    """
    signs = points.group_by("series").agg(
        length=pl.len(),
        positive=(pl.col("value") > 0).mean(),
        negative=(pl.col("value") < 0).mean(),
        size=pl.col("value").abs().median(),
    )
    points = points.join(signs, on="series", maintain_order="left").with_columns(
        log=pl.max_horizontal("positive", "negative") >= REGULAR,
        sign=pl.when(pl.col("positive") >= pl.col("negative")).then(1).otherwise(-1),
    )
    x = (
        pl.when("log")
        .then(pl.when(pl.col("value") != 0).then(pl.col("value").abs().log()))
        .otherwise(pl.col("value") / pl.when(pl.col("size") > 0).then("size"))
    )
    points = points.with_columns(x=x)
    return _with_score(_with_residuals(points))


def _with_residuals(points: pl.DataFrame) -> pl.DataFrame:
    """Steps from the neighbours in order and, `_s`, from those a year away.

    The step of a year is taken from what the series usually grows in one.
    """
    year = pl.col("frequency").replace_strict(STEPS, default=1)
    points = points.with_columns(
        back=pl.col("x") - _neighbour("x", 1), on=pl.col("x") - _neighbour("x", -1), year=year
    )
    ago = points.select("series", pl.col("step") + pl.col("year"), x_ago="x")
    ahead = points.select("series", pl.col("step") - pl.col("year"), x_ahead="x")
    points = points.join(ago, on=["series", "step"], how="left", maintain_order="left")
    points = points.join(ahead, on=["series", "step"], how="left", maintain_order="left")
    growth = (pl.col("x") - pl.col("x_ago")).median().over("series")
    return points.with_columns(
        back_s=pl.col("x") - pl.col("x_ago") - growth,
        on_s=pl.col("x") - pl.col("x_ahead") + growth,
    )


def _neighbour(column: str, by: int) -> pl.Expr:
    """The value `by` rows before, in the same series."""
    return pl.when(pl.col("series") == pl.col("series").shift(by)).then(pl.col(column).shift(by))


def _nearer(back: str, on: str, growth: pl.Expr) -> pl.Expr:
    """Distance beyond both neighbours, 0 between them; at an end, to the one there as it grows."""
    both = pl.col(back).is_not_null() & pl.col(on).is_not_null()
    beyond = (
        pl.when(pl.col(back).sign() == pl.col(on).sign())
        .then(pl.when(pl.col(back).abs() < pl.col(on).abs()).then(back).otherwise(on))
        .otherwise(0.0)
    )
    alone = pl.coalesce(pl.col(back) - growth, pl.col(on) + growth)
    return pl.when(both).then(beyond).otherwise(alone)


def _with_score(points: pl.DataFrame) -> pl.DataFrame:
    """How many usual changes each point is away: the less of both ways to look at it."""
    usual = points.group_by("series").agg(
        growth=pl.col("back").median(),
        usual=1.4826 * pl.col("back").abs().median(),
        usual_s=1.4826 * pl.col("back_s").abs().median(),
        years=pl.col("back_s").count(),
    )
    points = points.join(usual, on="series", maintain_order="left")
    floor = pl.when("log").then(FLOOR_LOG).otherwise(FLOOR_LEVEL)
    points = points.with_columns(
        away=_nearer("back", "on", pl.col("growth")),
        away_s=_nearer("back_s", "on_s", pl.lit(0.0)),
        moved=_moved(),
        usual=pl.max_horizontal("usual", floor),
        usual_s=pl.max_horizontal("usual_s", floor),
    )
    seasonal = (pl.col("year") > 1) & (pl.col("years") >= LEAST)
    score, usual_of = _less(seasonal, "away", "away_s")
    lasting, _ = _less(seasonal, "moved", "back_s")
    away = pl.when(usual_of == 1).then("away_s").otherwise("away")
    stays = lasting > score
    return points.with_columns(
        score=pl.when(stays).then(lasting).otherwise(score),
        away=pl.when(stays).then("moved").otherwise(away),
        usual=pl.when(stays | (usual_of == 0)).then("usual").otherwise("usual_s"),
    ).with_columns(
        expected_x=pl.col("x") - pl.col("away"),
        expected=pl.when("log")
        .then((pl.col("x") - pl.col("away")).exp() * pl.col("sign"))
        .otherwise((pl.col("x") - pl.col("away")) * pl.col("size")),
    )


def _moved() -> pl.Expr:
    """Least step from either of two points before to this or the next, if all go one way.

    It is large where the level changes and stays, not on the way back from one odd point.
    """
    now, then = pl.col("x"), _neighbour("x", -1)
    steps = [to - _neighbour("x", by) for to in (now, then) for by in (1, 2)]
    up, down = pl.min_horizontal(*steps), pl.max_horizontal(*steps)
    least = pl.when(up > 0).then(up).when(down < 0).then(down).otherwise(0.0)
    known = then.is_not_null() & _neighbour("x", 2).is_not_null()
    return pl.when(known).then(least).otherwise(0.0)


def _less(seasonal: pl.Expr, plain: str, by_season: str) -> tuple[pl.Expr, pl.Expr]:
    """The lower of two scores, and 1 where it is that of the season, else 0."""
    one = pl.col(plain).abs() / pl.col("usual")
    two = pl.col(by_season).abs() / pl.col("usual_s")
    lower = seasonal & two.is_not_null() & (two < one)
    return pl.when(lower).then(two).otherwise(one), lower.cast(pl.Int8)


# --- one point ----------------------------------------------------------------------------------


def _jumps(points: pl.DataFrame) -> list[Anomaly]:
    found = points.filter(pl.col("length") >= LEAST, pl.col("score") >= JUMP)
    return [
        _anomaly("jump", row, sure=min(0.6, 0.2 + row["score"] / 100))
        for row in found.iter_rows(named=True)
    ]


def _slips(points: pl.DataFrame) -> list[Anomaly]:
    """Points a power of ten away from where the series is."""
    tens = pl.col("away") / 2.302585092994046
    power = tens.round()
    # A thousand is a thousand even of a series that grows fast; ten may be growth.
    near = pl.when(power.abs() < 2).then(NEAR_POWER).otherwise(NEAR_THOUSAND)
    tolerance = pl.max_horizontal(near, (2 * pl.col("usual") / 2.3026).clip(upper_bound=0.3))
    found = points.filter(
        pl.col("log"),
        pl.col("length") >= 4,
        power.abs().is_in(POWERS),
        (tens - power).abs() <= tolerance,
        pl.col("score") >= SLIP,
    ).with_columns(factor=10.0**power, miss=(tens - power).abs() / tolerance)
    return [
        _anomaly(
            "unit_slip",
            row,
            sure=(0.95 if abs(row["away"]) > 6 else 0.75) - 0.1 * row["miss"],
            factor=row["factor"],
        )
        for row in found.iter_rows(named=True)
    ]


def _signs(points: pl.DataFrame) -> list[Anomaly]:
    """The only points of their sign, of about the size of their neighbours."""
    alone = (pl.col("value") * pl.col("sign") < 0) & (pl.col("length") >= LEAST)
    lone = (1 - pl.max_horizontal("positive", "negative")) * pl.col("length") <= 1.5
    found = points.filter(
        alone, lone, (pl.col("value").abs() / pl.col("size")).is_between(1 / 3, 3)
    )
    rows = found.with_columns(expected=-pl.col("value")).iter_rows(named=True)
    # The growth of a bad year is honestly below zero; the size of a population is not.
    return [_anomaly("sign", row, sure=0.9 if row["usual"] < STEADY else 0.4) for row in rows]


def _swapped(points: pl.DataFrame) -> list[Anomaly]:
    """Two indicators of one dataset whose figures of a period fit each other's past."""
    odd = points.filter("log", pl.col("length") >= LEAST, pl.col("score") >= 4)
    same = ["dataset", "area", "area_vintage", "category", "frequency", "period", "period_end"]
    pairs = odd.join(odd, on=same, suffix="_b", nulls_equal=True).filter(
        pl.col("indicator") != pl.col("indicator_b")
    )
    misfit = (pl.col("x") - pl.col("expected_x_b")).abs() / pl.col("usual_b")
    back = (pl.col("x_b") - pl.col("expected_x")).abs() / pl.col("usual")
    group = ["dataset", "indicator", "indicator_b", "frequency", "period"]
    pairs = pairs.filter(
        misfit.mean().over(group) < 3,
        back.mean().over(group) < 3,
        (pl.col("score") + pl.col("score_b")).mean().over(group)
        > pl.when(pl.len().over(group) > 1).then(10.0).otherwise(24.0),
    )
    return [
        _anomaly("swapped", row, sure=0.9, other=row["indicator_b"])
        for row in pairs.iter_rows(named=True)
    ]


def _anomaly(kind: Kind, row: dict[str, Any], *, sure: float, **more: Any) -> Anomaly:
    return Anomaly(
        kind=kind,
        dataset=row["dataset"],
        indicator=row["indicator"],
        area=row["area"],
        category=row["category"],
        frequency=row["frequency"],
        period=row["period"],
        before=row.get("before"),
        after=row.get("value"),
        expected=row.get("expected"),
        sure=round(sure, 3),
        **more,
    )


# --- what is not there --------------------------------------------------------------------------


def _gaps(points: pl.DataFrame) -> list[Anomaly]:
    """Periods missing inside a series that has nearly all; the first, how many, and the last."""
    spans = points.group_by("series").agg(
        share=pl.len() / (pl.col("step").max() - pl.col("step").min() + 1)
    )
    before = points.with_columns(missing=pl.col("step") - _neighbour("step", 1) - 1).filter(
        pl.col("missing") > 0, pl.col("length") >= LEAST
    )
    found = before.join(
        spans.filter(pl.col("share") >= REGULAR), on="series", maintain_order="left"
    )
    return [
        _anomaly(
            "gap",
            {
                **row,
                "period": _earlier(row["period"], row["frequency"], row["missing"]),
                "value": None,
                "expected": None,
            },
            sure=0.5,
            factor=float(row["missing"]),
            other=str(_earlier(row["period"], row["frequency"], 1)),
        )
        for row in found.iter_rows(named=True)
    ]


def _earlier(day: dt.date, frequency: str, n: int) -> dt.date:
    if frequency in ("day", "week"):
        return day - dt.timedelta(days=n * (7 if frequency == "week" else 1))
    months = day.year * 12 + day.month - 1 - n * 12 // STEPS[frequency]
    return day.replace(year=months // 12, month=months % 12 + 1)


def _ends_early(points: pl.DataFrame) -> list[Anomaly]:
    """Series that stop within a year of the end that most of their siblings reach."""
    siblings = ["dataset", "indicator", "frequency", "cycle"]
    last = (
        points.filter(pl.col("length") >= LEAST)
        .group_by("series", maintain_order=True)
        .last()
        .with_columns(
            end=pl.col("step").max().over(siblings), end_day=pl.col("period").max().over(siblings)
        )
        .with_columns(reach=(pl.col("step") == pl.col("end")).mean().over(siblings))
    )
    short = pl.col("end") - pl.col("step")
    found = last.filter(
        pl.len().over(siblings) >= 3,
        pl.col("reach") >= 0.6,
        short.is_between(1, pl.col("year").clip(lower_bound=2)),
    )
    return [
        _anomaly(
            "ends_early",
            {**row, "value": None, "expected": None},
            sure=0.5,
            other=str(row["end_day"]),
        )
        for row in found.iter_rows(named=True)
    ]


# --- whole periods ------------------------------------------------------------------------------


def _copies(points: pl.DataFrame) -> list[Anomaly]:
    """Periods of a dataset, or of one of its indicators, that are those of another period."""
    lively = points.with_columns(same=pl.col("value") == _neighbour("value", 1)).filter(
        pl.col("length") >= LEAST, pl.col("same").mean().over("series") < 0.3
    )
    found = [
        one
        for keys in (["dataset", "indicator"], ["dataset"])
        for one in _repeated(lively, keys) + _copied(lively, keys)
    ]
    whole = {(one.dataset, one.frequency, one.period) for one in found if not one.indicator}
    return [
        one
        for one in found
        if not one.indicator or (one.dataset, one.frequency, one.period) not in whole
    ]


def _repeated(lively: pl.DataFrame, keys: list[str]) -> list[Anomaly]:
    found = (
        lively.drop_nulls("same")
        .group_by(*keys, "frequency", "period", maintain_order=True)
        .agg(cells=pl.len(), share=pl.col("same").mean(), factor=pl.col("same").sum())
        .filter(pl.col("cells") >= CELLS, pl.col("share") >= ALIKE)
    )
    return [_period("repeated", row, 0.9 * row["share"]) for row in found.iter_rows(named=True)]


def _copied(lively: pl.DataFrame, keys: list[str]) -> list[Anomaly]:
    """Exactly the figures of an earlier period, not the one just before."""
    periods = (
        lively.group_by(*keys, "frequency", "period", "period_end", maintain_order=True)
        .agg(
            step=pl.col("step").first(),
            factor=pl.len(),
            kinds=pl.col("value").n_unique(),
            print=pl.struct("series", "value").hash().sort().implode().hash().first(),
        )
        .filter(pl.col("kinds") >= CELLS - 1, pl.col("factor") >= CELLS)
        .sort("period")
    )
    same = [*keys, "frequency", "print"]
    found = periods.with_columns(
        other=pl.col("period").shift(1).over(same), apart=pl.col("step").diff().over(same)
    ).filter(pl.col("apart") > 1)
    return [
        _period("copied", row, 0.95, other=str(row["other"])) for row in found.iter_rows(named=True)
    ]


def _period(kind: Kind, row: dict[str, Any], sure: float, other: str = "") -> Anomaly:
    """A whole period; `factor` of its figures are concerned."""
    return Anomaly(
        kind=kind,
        dataset=row["dataset"],
        indicator=row.get("indicator", ""),
        area="",
        category="",
        frequency=row["frequency"],
        period=row["period"],
        before=None,
        after=None,
        expected=None,
        sure=round(sure, 3),
        factor=float(row["factor"]),
        other=other,
    )


def _totals(points: pl.DataFrame, parts: Mapping[str, Sequence[str]]) -> list[Anomaly]:
    """Indicators that differ from the sum of their parts; categories from their total."""
    point = [name for name in POINT if name != "indicator"]
    found: list[pl.DataFrame] = []
    for total, names in parts.items():
        summed = (
            points.filter(pl.col("indicator").is_in(list(names)))
            .group_by(point)
            .agg(expected=pl.col("value").sum(), there=pl.len())
            .filter(pl.col("there") == len(names))
        )
        whole = points.filter(indicator=total).drop("expected")
        found.append(whole.join(summed, on=point, nulls_equal=True, maintain_order="left"))
    by_category = [name for name in POINT if name != "category"]
    summed = (
        points.filter(pl.col("category") != "total", pl.col("value") >= 0)
        .group_by(by_category)
        .agg(expected=pl.col("value").sum(), there=pl.len())
        .filter(pl.col("there") > 1)
    )
    whole = points.filter(category="total").drop("expected")
    found.append(whole.join(summed, on=by_category, nulls_equal=True, maintain_order="left"))
    off = (pl.col("value") - pl.col("expected")).abs() > ROUNDING * pl.col("expected").abs()
    return [
        _anomaly("total", row, sure=0.8)
        for frame in found
        for row in frame.filter(off).iter_rows(named=True)
    ]


# --- one version against the other --------------------------------------------------------------


def _versus(differing: pl.DataFrame) -> list[Anomaly]:
    """What only the older version can show: figures gone, exact slips of unit and swaps."""
    differing = differing.filter(~pl.col("planned"))
    gone = differing.filter(pl.col("change") == "vanished")
    changed = differing.filter(pl.col("change") == "changed").rename({"after": "value"})
    ratio = pl.col("value") / pl.col("before")
    power = ratio.log10().round()
    slips = changed.filter(
        ratio > 0, power.abs().is_in(POWERS), (ratio / 10.0**power - 1).abs() < 0.002
    ).with_columns(factor=10.0**power, expected=pl.col("before"))
    swapped = _exchanged(changed)
    places = {_place(one) for one in swapped}
    slipped = [
        _anomaly("unit_slip", row, sure=0.99, factor=row["factor"])
        for row in slips.iter_rows(named=True)
    ]
    return [
        *swapped,
        *(one for one in slipped if _place(one) not in places),
        *(_anomaly("missing", row, sure=0.7) for row in gone.iter_rows(named=True)),
    ]


def _exchanged(changed: pl.DataFrame) -> list[Anomaly]:
    """Points that have taken each other's older figures."""
    same = [name for name in POINT if name != "indicator"]
    pairs = changed.join(changed, on=same, suffix="_b", nulls_equal=True).filter(
        pl.col("indicator") != pl.col("indicator_b"),
        pl.col("value") == pl.col("before_b"),
        pl.col("before") == pl.col("value_b"),
    )
    rows = pairs.with_columns(expected=pl.col("before")).iter_rows(named=True)
    return [_anomaly("swapped", row, sure=0.98, other=row["indicator_b"]) for row in rows]
