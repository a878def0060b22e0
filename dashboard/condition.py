"""What a reader has to know of a build before any figure: old, empty, half loaded, not forecast.

A build that is whole and young says nothing. What is said stands at the head of every page, so that
no sentence below it is read as good news because something is missing.
"""

import datetime as dt
from dataclasses import dataclass

from dashboard.reader import Reader

OLD = 45
"""Days after which a build is said to be old: every monthly figure has a newer one by then."""
NAMED = 3
"""Datasets told by name; of the others only how many."""


@dataclass(frozen=True)
class Notice:
    """One sentence, and whether the page of the datasets says more."""

    said: str
    of_data: bool = False


def notices(reader: Reader) -> list[Notice]:
    """Age of the build, then what is not in it; empty where nothing is amiss."""
    return [*_old(reader), *_lacking(reader), *_unforecast(reader)]


def nothing_accepted(reader: Reader) -> bool:
    """Whether no record of any dataset was taken."""
    return not any(row["accepted"] for row in reader.rows("loads").to_dicts())


def _old(reader: Reader) -> list[Notice]:
    made = dt.date.fromisoformat(reader.build.facts["today"])
    days = (reader.today - made).days
    if days <= OLD:
        return []
    day, age = reader.notation.date(made), reader.notation.age(days)
    return [Notice(reader.text("condition.old", day=day, age=age))]


def _lacking(reader: Reader) -> list[Notice]:
    """Datasets without a record: not loaded, or all of it rejected."""
    text, number = reader.text, reader.notation.number
    accepted = {row["dataset"]: row["accepted"] for row in reader.rows("loads").to_dicts()}
    known = reader.build.catalog.resources
    lacking = [dataset for dataset in known if not accepted.get(dataset.name)]
    if not lacking:
        return []
    if nothing_accepted(reader):
        records = sum(row["records"] or 0 for row in reader.rows("loads").to_dicts())
        key = "all_rejected" if records else "nothing_loaded"
        return [Notice(text(f"condition.{key}", records=number(records)), of_data=True)]
    titles = [text.pick(dataset.title, dataset.title_en) for dataset in lacking[:NAMED]]
    more = len(lacking) - len(titles)
    others = [text("condition.more", count=more)] if more else []
    listed = "; ".join([*titles, *others])
    said = text("condition.lacking", count=len(lacking), all=len(known), listed=listed)
    return [Notice(said, of_data=True)]


def _unforecast(reader: Reader) -> list[Notice]:
    """Figures of the past alone, though the catalog asks for forecasts of them."""
    asked = any(dataset.forecast for dataset in reader.build.catalog.resources)
    if not asked or nothing_accepted(reader) or reader.rows("forecasts_there")["there"].item():
        return []
    return [Notice(reader.text("condition.unforecast"))]
