"""The published figures of the city for the first screen: latest value, target, source, age.

They are latest values beside their targets, never a series: sources, coverage and denominators
change from one publication to the next. A stale figure gives way to the newest one that is not;
where every figure of an indicator is stale, the indicator stays off the first screen.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboard.freshness import age, stale
from dashboard.reader import Reader

CITY = "can_tho"
MOST = 8
"""Indicators on the first screen."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Headline:
    """One indicator on the first screen."""

    indicator: str
    title: str
    unit: str
    better: str
    decimals: int
    figure: Row
    age: int
    """Days."""
    plan: Row | None
    """The plan for the very period of the figure."""
    target: Row | None
    """The next target that lies ahead."""
    figures: int
    """How many different figures are published for this period."""

    @property
    def met(self) -> bool | None:
        """Whether the plan of the period was met; `None` where that cannot be judged."""
        if self.plan is None or self.better == "none":
            return None
        gap = self.figure["value"] - self.plan["value"]
        return bool(gap >= 0 if self.better == "up" else gap <= 0)

    @property
    def pace(self) -> float | None:
        """Growth a year, as a ratio, that leads from the figure to the target; for amounts only."""
        if self.target is None or self.unit == "%" or self.figure["frequency"] != "year":
            return None
        years = self.target["period_end"].year - self.figure["period"].year
        if years <= 0 or self.figure["value"] <= 0 or self.target["value"] <= 0:
            return None
        return float((self.target["value"] / self.figure["value"]) ** (1 / years) - 1)


def headlines(reader: Reader) -> list[Headline]:
    """The indicators of the first screen, in the catalog's order, at most `MOST`."""
    listed = candidates(reader)
    rows = published(reader, listed)
    rivals = _rivals(reader)
    found = []
    for indicator in listed:
        mine = [row for row in rows if row["indicator"] == indicator]
        headline = _headline(reader, mine, rivals)
        if headline:
            found.append(headline)
    return found[:MOST]


def published(reader: Reader, indicators: Collection[str]) -> list[Row]:
    """The newest vintage of every figure of the city, of these indicators, newest period first."""
    rows = reader.rows("published", area=CITY)
    return rows.filter(pl.col("indicator").is_in(indicators)).to_dicts()


def candidates(reader: Reader) -> list[str]:
    """Indicators that may enter the first screen, as the catalog lists them."""
    listed = [
        name for dataset in reader.build.catalog.resources for name in dataset.present.headline
    ]
    return list(dict.fromkeys(listed))


def unit_of(reader: Reader, row: Row) -> str:
    """The unit of a row in the reader's language."""
    return reader.text.pick(row["unit"], row["unit_en"])


def with_unit(reader: Reader, value: float | None, unit: str, decimals: int) -> str:
    """`7,23%`, or `26.685 tỷ đồng`."""
    number = reader.notation.number(value, decimals)
    return f"{number}%" if unit == "%" else f"{number} {unit}"


def _headline(reader: Reader, rows: list[Row], rivals: dict[Any, int]) -> Headline | None:
    figure = next((row for row in rows if _fresh(row, reader.today)), None)
    if figure is None:
        return None
    plans = [row for row in rows if row["status"] == "plan"]
    span = (figure["period"], figure["period_end"])
    ahead = [row for row in plans if row["period_end"] >= reader.today]
    return Headline(
        indicator=figure["indicator"],
        title=reader.title(figure),
        unit=unit_of(reader, figure),
        better=figure["better"],
        decimals=figure["decimals"] or 0,
        figure=figure,
        age=age(figure["period_end"], reader.today),
        plan=next((row for row in plans if (row["period"], row["period_end"]) == span), None),
        target=min(ahead, key=lambda row: row["period_end"], default=None),
        figures=rivals.get((figure["indicator"], CITY, figure["frequency"], *span), 1),
    )


def _fresh(row: Row, today: dt.date) -> bool:
    if row["status"] == "plan" or row["period_end"] > today:
        return False
    return not stale(row["frequency"], row["period"], row["period_end"], today)


def _rivals(reader: Reader) -> dict[Any, int]:
    rows = reader.rows("rivals").filter(pl.col("indicator").is_in(candidates(reader)))
    return {tuple(row[:5]): row[5] for row in rows.iter_rows()}
