"""The track record in words: one sentence a leader can read, alerts, and what each table says."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from dashboard.notation import Notation
from dashboard.text import Text
from etl.catalog import Catalog
from etl.warehouse import Warehouse
from forecasts.decisions import reliability as of_targets
from forecasts.decisions.reliability import Reliability, reliability
from forecasts.drift import Alert, alerts
from forecasts.track_record import (
    BY_HORIZON,
    BY_LEVEL,
    FEWEST_POINTS,
    SERIES,
    Recent,
    counted,
    recent,
    replayed_scores,
    scores,
    summary,
    table,
)

NOMINAL = 0.8
SAID = {
    (False, False): "track.all",
    (True, False): "track.series",
    (False, True): "track.all_replayed",
    (True, True): "track.series_replayed",
}
"""What is said of one series or of several, issued or replayed."""
COVERAGES = ("coverage_50", "coverage_80", "coverage_95")


def sentence(
    text: Text, recent: Recent, frequency: str | None = None, *, replayed: bool = False
) -> str:
    """How often the band held and how far the middle was off; or how many outcomes are lacking.

    With a `frequency`, it is of one series and names its periods; else of figures of any kind. What
    was only `replayed` was given to nobody, and the sentence says so.
    """
    notation = Notation(text.lang)
    if recent.missing:
        return text(
            "track.silent_replayed" if replayed else "track.silent",
            outcomes=recent.outcomes,
            least=FEWEST_POINTS,
            missing=recent.missing,
        )
    said = text(
        SAID[frequency is not None, replayed],
        inside=notation.number(recent.inside),
        outcomes=notation.number(recent.outcomes),
        periods=text(f"periods.{frequency}") if frequency else "",
        due=notation.number(NOMINAL * recent.outcomes),
    )
    if recent.miss is None:
        return said + "."
    return said + text("track.miss", miss=notation.share(100 * recent.miss, 0))


def alert_words(text: Text, alert: Alert, title: str) -> str:
    """One alert as a sentence with its chance to be false; `title` names the indicator."""
    notation = Notation(text.lang)
    place = {
        "title": title,
        "level": text(f"level.{alert.level}"),
        "frequency": text(f"frequency.{alert.frequency}"),
    }
    if alert.nominal is None:
        return text(
            f"track_alert.{alert.kind}",
            **place,
            since=notation.date(alert.since),
            rare=notation.number(1 / alert.false_rate),
        )
    return text(
        f"track_alert.{alert.kind}",
        **place,
        nominal=notation.share(100 * alert.nominal, 0),
        seen=notation.share(100 * (alert.seen or 0.0), 0),
        outcomes=notation.number(alert.outcomes),
        rate=notation.share(100 * alert.false_rate, 0),
    )


def chances_sentence(text: Text, found: Reliability) -> str:
    """How chances of targets came out, or how many outcomes are lacking."""
    notation = Notation(text.lang)
    if found.brier is None:
        return text("track.chances_silent", points=found.points, least=FEWEST_POINTS)
    return text(
        "track.chances",
        points=notation.number(found.points),
        brier=notation.fixed(found.brier, 2),
    )


@dataclass(frozen=True)
class Part:
    """One part of the record as the command prints it."""

    name: str
    """`issued`, `simulated`, `replayed` or `replayed_simulated`."""
    title: str
    sentence: str
    alerts: list[str]
    tables: list[tuple[list[str], list[list[str]]]]
    """Headings and cells, written as the language writes them."""
    content: dict[str, Any]
    """The same for machines."""
    chances: str = ""
    """How chances of targets came out."""


def told(
    warehouse: Warehouse, catalog: Catalog, lang: str, *, against: str = "latest"
) -> list[Part]:
    """The record of a build: issued first, then, where there are any, simulated and replayed."""
    text = Text(lang)
    issued, replayed = scores(warehouse, against=against), replayed_scores(warehouse)
    titles = dict(
        warehouse.query("dashboard", "indicator_titles").select("indicator", column(lang)).rows()
    )
    kinds = {
        "issued": ("track.title", issued, False),
        "simulated": ("track.simulated", issued, True),
        "replayed": ("track.replayed", replayed, False),
        "replayed_simulated": ("track.replayed_simulated", replayed, True),
    }
    parts = []
    for name, (title, scored, made) in kinds.items():
        mine = scored.filter(pl.col("simulated") == made)
        if name == "issued" or not mine.is_empty():
            part = _part(text, name, text(title), mine, titles, against)
            given = of_targets.told(warehouse, catalog, replayed=name.startswith("replayed"))
            parts.append(_with_chances(text, part, given.filter(pl.col("simulated") == made)))
    return parts


def _with_chances(text: Text, part: Part, given: pl.DataFrame) -> Part:
    """The part with what is said of chances of targets; the table only where there is a score."""
    found = reliability(given)
    written = [] if found.brier is None else [_reliable(text, found)]
    return replace(
        part,
        chances=chances_sentence(text, found),
        tables=[*part.tables, *written],
        content=part.content
        | {
            "chances": {
                "points": found.points,
                "brier": found.brier,
                "table": found.table.to_dicts(),
            }
        },
    )


def _reliable(text: Text, found: Reliability) -> tuple[list[str], list[list[str]]]:
    notation = Notation(text.lang)
    heads = [text(f"track.{name}") for name in ("chance_told", "outcomes", "chance_reached")]
    rows = [
        [
            notation.share(100 * row["chance"], 0),
            notation.number(row["points"]),
            notation.share(100 * row["reached"], 0),
        ]
        for row in found.table.to_dicts()
    ]
    return heads, rows


def column(lang: str) -> str:
    """The column of titles in a language."""
    return "title_en" if lang == "en" else "title"


def _part(
    text: Text, name: str, title: str, mine: pl.DataFrame, titles: dict[str, str], against: str
) -> Part:
    simulated = name.endswith("simulated")
    replayed, said = name.startswith("replayed"), recent(mine)
    # What was never issued may drift as it likes.
    found = [] if replayed else alerts(counted(mine), simulated=simulated)
    words = sentence(text, said, replayed=replayed)
    by_series = _series(text, mine, titles, replayed)
    return Part(
        name,
        title,
        words,
        [alert_words(text, one, titles.get(one.indicator, one.indicator)) for one in found],
        []
        if mine.is_empty()
        else [_written(text, mine, BY_HORIZON), _written(text, counted(mine), BY_LEVEL)],
        {
            "title": title,
            "sentence": words,
            "against": against,
            "recent": asdict(said) | {"missing": said.missing},
            "series": by_series,
            "alerts": [asdict(one) for one in found],
            **summary(mine),
        },
    )


def _series(
    text: Text, mine: pl.DataFrame, titles: dict[str, str], replayed: bool
) -> list[dict[str, str]]:
    """The sentence of each series above the communes that has enough outcomes."""
    totals = mine.filter((pl.col("category") == "total") & (pl.col("level") != "commune"))
    said = []
    for part in totals.sort(SERIES).partition_by(SERIES, maintain_order=True):
        row = part.row(0, named=True)
        found = recent(part, series=True)
        if not found.missing:
            said.append(
                {
                    "indicator": row["indicator"],
                    "title": titles.get(row["indicator"], row["indicator"]),
                    "area": row["area"],
                    "frequency": row["frequency"],
                    "sentence": sentence(text, found, row["frequency"], replayed=replayed),
                }
            )
    return said


def _written(text: Text, scored: pl.DataFrame, by: list[str]) -> tuple[list[str], list[list[str]]]:
    notation = Notation(text.lang)
    names = {
        "frequency": text("track.frequency"),
        "horizon": text("accuracy.horizon"),
        "level": text("accuracy.grain"),
    }
    heads = [
        *(names[name] for name in by),
        text("track.outcomes"),
        *(text("track.coverage", level=f"{name[-2:]}%") for name in COVERAGES),
        *(text(key) for key in ("track.relative", "track.mase", "track.bias")),
    ]
    rows = [
        [
            *(_named(text, name, row[name]) for name in by),
            notation.number(row["outcomes"]),
            *(notation.share(None if row[c] is None else 100 * row[c], 0) for c in COVERAGES),
            *(notation.fixed(row[name], 2) for name in ("relative_wis", "mase", "bias")),
        ]
        for row in table(scored, by).to_dicts()
    ]
    return heads, rows


def _named(text: Text, name: str, value: str | int) -> str:
    return str(value) if name == "horizon" else text(f"{name}.{value}")
