"""The six words of the city's standard for data, judged for each dataset, with the facts of each.

Right, complete, clean, alive, consistent, shared: a word holds, does not hold, or is not known. It
is not known where the warehouse cannot tell, never because nobody looked.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from dashboard.reader import Reader
from etl.catalog import Dataset
from etl.freshness import PATIENCE
from etl.publish.coverage import PROMISED

WORDS = ("right", "complete", "clean", "alive", "consistent", "shared")
MARKS = {"yes": "✓", "no": "✗", "unknown": "?"}
KINDS = {"yes": "good", "no": "bad", "unknown": ""}

State = Literal["yes", "no", "unknown"]
Row = dict[str, Any]
Told = tuple[State, list[str]]


@dataclass(frozen=True)
class Word:
    """One of `WORDS`, whether it holds, and the facts it is judged by, as sentences."""

    name: str
    state: State
    facts: tuple[str, ...]


def standing(reader: Reader) -> dict[str, Row]:
    """What the build knows of each dataset that was loaded, by name."""
    cases = " ".join(one.name for one in reader.build.catalog.resources if one.case_level)
    return {row["dataset"]: row for row in reader.rows("badge", cases=cases).to_dicts()}


def badge(reader: Reader, dataset: Dataset, row: Row | None) -> tuple[Word, ...]:
    """The six words of a dataset; `row` is that of `standing`, None where it was never loaded."""
    never: Told = ("unknown", [reader.text("badge.never")])
    told: dict[str, Told] = {
        "right": _right(reader, dataset, row) if row else never,
        "complete": _complete(reader, row) if row else never,
        "clean": _clean(reader, row) if row else never,
        "alive": _alive(reader, dataset, row) if row else never,
        "consistent": _consistent(reader, row) if row else never,
        "shared": _shared(reader, dataset),
    }
    return tuple(Word(name, told[name][0], tuple(told[name][1])) for name in WORDS)


def _right(reader: Reader, dataset: Dataset, row: Row) -> Told:
    """Few records refused, and no total of the source disagrees with its records."""
    text, notation = reader.text, reader.notation
    share = row["bad"] / row["records"] if row["records"] else 0.0
    limit = dataset.clean.max_rejected
    refused = text(
        "badge.refused",
        bad=notation.number(row["bad"]),
        records=notation.number(row["records"]),
        share=notation.share(100 * share, 2),
        limit=notation.share(100 * limit, 0),
    )
    if not row["totals"]:
        return ("yes" if share <= limit else "no"), [refused, text("badge.no_totals")]
    totals = text("badge.totals", agreeing=row["agreeing"], totals=row["totals"])
    agreed = share <= limit and row["agreeing"] == row["totals"]
    return ("yes" if agreed else "no"), [refused, totals]


def _complete(reader: Reader, row: Row) -> Told:
    """Periods of its series, and places of the newest period, over those there should be."""
    text, notation = reader.text, reader.notation
    if not row["expected"]:
        return "unknown", [text("badge.no_periods")]
    facts = [
        text(
            "badge.periods",
            present=notation.number(row["present"]),
            expected=notation.number(row["expected"]),
        )
    ]
    whole = row["present"] == row["expected"]
    if row["areas_expected"]:
        facts.append(text("badge.areas", present=row["areas"], expected=row["areas_expected"]))
        whole = whole and row["areas"] >= row["areas_expected"]
    return ("yes" if whole else "no"), facts


def _clean(reader: Reader, row: Row) -> Told:
    """No rule is broken; what is mended on the way in is told."""
    text, notation = reader.text, reader.notation
    facts = [text("badge.unbroken")]
    if row["rules"]:
        facts = [text("badge.broken", rules=row["rules"], records=notation.number(row["broken"]))]
    if row["corrections"]:
        facts.append(text("badge.corrected", count=row["corrections"]))
    return ("no" if row["rules"] else "yes"), facts


def promise(dataset: Dataset) -> tuple[str, int] | None:
    """The frequency promised, and after how many days a newer figure is due; None without one."""
    if dataset.handin:
        asked = dataset.handin
        return asked.frequency, PATIENCE[asked.frequency] if asked.within is None else asked.within
    frequency = PROMISED.get(dataset.publish.frequency) if dataset.publish else None
    return (frequency, PATIENCE[frequency]) if frequency else None


def _alive(reader: Reader, dataset: Dataset, row: Row) -> Told:
    """Freshness against promise."""
    text, notation = reader.text, reader.notation
    promised, last = promise(dataset), row["last_day"]
    if last is None:
        return "unknown", [text("badge.no_day")]
    facts = [text("badge.until", day=notation.date(last))]
    if promised is None:
        return "unknown", [*facts, text("badge.no_promise")]
    frequency, days = promised
    due = last + dt.timedelta(days=days)
    every = text(f"frequency.{frequency}")
    facts.append(text("badge.promised", every=every, due=notation.date(due)))
    late = (reader.today - due).days
    if late > 0:
        facts.append(text("badge.late", late=notation.age(late)))
    return ("no" if late > 0 else "yes"), facts


def _consistent(reader: Reader, row: Row) -> Told:
    """One label for one thing, and every code and name of a place resolved."""
    text, notation = reader.text, reader.notation
    facts = [text("badge.resolved")]
    if row["unresolved"]:
        facts = [text("badge.unresolved", count=notation.number(row["unresolved"]))]
    facts.append(text("badge.twice", count=row["twice"]) if row["twice"] else text("badge.once"))
    if row["rivals"]:
        facts.append(text("badge.rivals", count=row["rivals"]))
    return ("no" if row["unresolved"] or row["twice"] else "yes"), facts


def _shared(reader: Reader, dataset: Dataset) -> Told:
    """Declared for publication, under a licence that lets others use it."""
    text = reader.text
    licence = reader.build.catalog.license_of(dataset)
    is_open = licence is not None and licence.name != "internal"
    named = licence.name if licence and is_open else text("data.internal")
    facts = [
        text("badge.published" if dataset.publish else "badge.unpublished"),
        text("badge.licence", licence=named),
    ]
    return ("yes" if dataset.publish and is_open else "no"), facts


def lineage(reader: Reader, dataset: Dataset, row: Row) -> Iterator[str]:
    """The way from file to figure, a sentence a step."""
    text, number = reader.text, reader.notation.number
    yield text(
        "lineage.files",
        files=number(row["files"]),
        newest=row["file"],
        checksum=(row["checksum"] or "–")[:12],
    )
    yield text("lineage.table", table=f"data_{dataset.name}", records=number(row["accepted"]))
    for step in ("observed", "comparable", "forecasts"):
        if row[step]:
            yield text(f"lineage.{step}", count=number(row[step]))
