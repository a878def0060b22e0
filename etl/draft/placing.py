"""Which place a row speaks of: a column of names, the title, or an answer."""

import datetime as dt
import re
from typing import Any

from etl.draft import words
from etl.draft.columns import Column, period_of
from etl.draft.layout import escaped
from etl.draft.places import Places, days_of, places_in
from etl.draft.plan import Field, Plan
from etl.geography import Area

MOST_KEPT = 150
"""Names that are written into `keep_rows` at most."""


def place_rows(plan: Plan, dated: Column | None, today: dt.date) -> None:
    places = _places(plan, dated, today)
    if places is None:
        unknown = _unknown_places(plan)
        if unknown:
            _say_unknown(plan, unknown)
        else:
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
        began = plan.catalog.map.starts[-1]
        when = " of today" if day >= began else f" of before {began:%d/%m/%Y}"
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
        if not column.field and (places := places_in(column, days, plan.catalog.map))
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


def _unknown_places(plan: Plan) -> Column | None:
    """A column of which the header alone says that it names places, of a map that is not ours."""
    return next(
        (
            column
            for column in plan.shaped.of("label", "text")
            if not column.field and words.level_of(column.label)
        ),
        None,
    )


def _say_unknown(plan: Plan, column: Column) -> None:
    level = words.level_of(column.label)
    column.kind, column.field = "area", "area"
    column.why = f"the header speaks of a {level}".replace("_", " ")
    plan.clean["areas"] = {"level": level}
    made = Field("area", "string", column)
    if len(column.filled) == len(column.texts):
        made.more["constraints"] = {"required": True}
    plan.fields.append(made)
    city = _of_level(plan, "city")[-1].name
    plan.notebook.leave_open(
        "area",
        f"none of {len(column.distinct)} names is a place on the map of {city}: "
        "name that of your city at the top of the catalog, geography: FOLDER (docs/boundaries.md)",
    )


def _of_level(plan: Plan, level: str) -> list[Area]:
    """The areas of any time of a level above the communes, on the map of the catalog."""
    geography = plan.catalog.map
    codes = (
        geography.areas.filter(level=level).sort("valid_from")["code"].unique(maintain_order=True)
    )
    return [geography.resolve(code, geography.starts[-1]) for code in codes]


def _constant_area(plan: Plan) -> None:
    shaped, city = plan.shaped, _of_level(plan, "city")[-1]
    nation = next((area.code for area in _of_level(plan, "nation")), None)
    said = " ".join([*shaped.titles, *(str(each.grid.name) for each in shaped.layouts)])
    spoken = r"(?i)cả nước|canuoc|toàn quốc|whole country|state budget|nsnn\b"
    if nation and re.search(spoken, said):
        plan.constant("area", nation)
        plan.clean["areas"] = {"level": "nation"}
        plan.notebook.guess("clean.areas", "no column of places; the title speaks of the country")
    else:
        options = {city.code: f"{city.title} since {city.valid_from:%d/%m/%Y}"}
        options |= {area.code: area.title for area in _of_level(plan, "former_province")}
        options |= {nation: "the country"} if nation else {}
        text = "no column names a place; which one are the figures of?"
        answer = plan.notebook.ask("clean.areas", text, options, city.code)
        levels = {city.code: "city", nation: "nation"}
        plan.constant("area", answer)
        plan.clean["areas"] = {"level": levels.get(answer, "former_province")}
    plan.fields.append(Field("area"))
