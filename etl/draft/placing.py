"""Which place a row speaks of: a column of names, the title, or an answer."""

import datetime as dt
import re
from typing import Any

from etl.draft.columns import Column, period_of
from etl.draft.layout import escaped
from etl.draft.places import Places, days_of, map_began, places_in
from etl.draft.plan import Field, Plan

MOST_KEPT = 150
"""Names that are written into `keep_rows` at most."""


def place_rows(plan: Plan, dated: Column | None, today: dt.date) -> None:
    places = _places(plan, dated, today)
    if places is None:
        _constant_area(plan)
        return
    column = places.column
    column.kind, column.field = "area", "area"
    levels: Any = places.levels[0] if len(places.levels) == 1 else list(places.levels)
    plan.clean["areas"] = {"level": levels}
    if places.on:
        plan.clean["areas"]["on"] = places.on
    elif dated is not None and dated.field != "period":
        plan.clean["areas"]["on"] = dated.field
    made = Field("area", "string", column)
    if len(column.filled) == len(column.texts):
        made.more["constraints"] = {"required": True}
    plan.fields.append(made)
    _say_places(plan, places)


def _say_places(plan: Plan, places: Places) -> None:
    what = " or ".join(level.replace("_", " ") for level in places.levels)
    when = ""
    if places.on:
        day = dt.date.fromisoformat(places.on)
        when = " of today" if day >= map_began() else " of before 1 July 2025"
    said = places.column.why = (
        f"{places.resolved} of {places.distinct} names are each a {what}{when}"
    )
    if places.share >= 0.9 or _ask_for_ours(plan, places):
        plan.notebook.guess("area", said)
    else:
        example = ", ".join(repr(name) for name in places.unknown[:3])
        plan.notebook.leave_open(
            "area", f"only {said}; rows of others, such as {example}, are rejected"
        )
    if places.ambiguous:
        names = ", ".join(repr(name) for name in places.ambiguous[:3])
        plan.notebook.leave_open(
            "area", f"{names} can mean several places: write the district or province behind it"
        )


def _ask_for_ours(plan: Plan, places: Places) -> bool:
    """Whether it was asked if only rows of known places are wanted, as in tables of the country."""
    known = [name for name in places.column.distinct if name not in places.unknown]
    if not 0 < len(known) <= MOST_KEPT or plan.shaped.opened.format in ("json", "parquet"):
        return False
    answer = plan.notebook.ask(
        "read.keep_rows",
        f"only {len(known)} of {places.distinct} names are places of ours: leave the others out?",
        {"ours": f"only {', '.join(known[:5])}", "all": "others are rejected, and seen there"},
        "all",
    )
    if answer == "ours":
        plan.read["keep_rows"] = f"^({'|'.join(map(escaped, known))})$"
    return True


def _places(plan: Plan, dated: Column | None, today: dt.date) -> Places | None:
    """The column that tells the place best; asked where two could."""
    days = days_of(dated)
    if dated is None:
        constant = plan.clean.get("constant", {}).get("period")
        period = period_of(constant) if constant else None
        rows = len(plan.shaped.columns[0].texts)
        days = [[period.end, period.start]] * rows if period else None
    del today
    found = [
        places
        for column in plan.shaped.of("label", "text", "indicator_title")
        if not column.field and (places := places_in(column, days))
    ]
    good = [places for places in found if places.share >= 0.6] or found[:1]
    if len(good) < 2:
        return good[0] if good else None
    fine = max(good, key=lambda places: (len(places.column.distinct), places.share))
    if all(_lies_in(fine, other) for other in good if other is not fine):
        return fine
    labels = {places.column.label: "" for places in good}
    answer = plan.notebook.ask(
        "area",
        f"several columns name places ({', '.join(labels)}); which one are the figures of?",
        labels,
        fine.column.label,
    )
    return next(places for places in good if places.column.label == answer)


def _lies_in(fine: Places, coarse: Places) -> bool:
    """Whether the places of one column only say in what those of the other lie."""
    rows = zip(fine.column.texts, coarse.column.texts, strict=True)
    pairs = {(a, b) for a, b in rows if a and b}
    return not {*fine.levels} & {*coarse.levels} and len(pairs) == len({a for a, _ in pairs})


def _constant_area(plan: Plan) -> None:
    shaped = plan.shaped
    said = " ".join([*shaped.titles, *(str(each.grid.name) for each in shaped.layouts)])
    if re.search(r"(?i)cả nước|canuoc|toàn quốc|whole country|state budget|nsnn\b", said):
        plan.constant("area", "Cả nước")
        plan.clean["areas"] = {"level": "nation"}
        plan.notebook.guess("clean.areas", "no column of places; the title speaks of the country")
    else:
        options = {
            "city": "the city since 1 July 2025",
            "can_tho_old": "the city before it",
            "nation": "the country",
        }
        answer = plan.notebook.ask(
            "clean.areas", "no column names a place; which one are the figures of?", options, "city"
        )
        codes = {"city": "can_tho", "nation": "national"}
        levels = {"city": "city", "nation": "nation"}
        plan.constant("area", codes.get(answer, answer))
        plan.clean["areas"] = {"level": levels.get(answer, "former_province")}
    plan.fields.append(Field("area"))
