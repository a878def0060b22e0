"""What is measured: an indicator the catalog has, or a new one, and how it adds up."""

from typing import Any

from etl.draft import words
from etl.draft.plan import Plan
from etl.extract.raw import plain


def add_indicator(
    plan: Plan,
    title: str,
    unit: str | None,
    value: str | None,
    where: dict[str, str],
    name: str,
    *,
    coded: bool = False,
) -> str:
    """Add an indicator, or the name of one that the catalog describes; its name."""
    known = plan.catalog.indicators.get(name) if coded else described_in(plan, title, unit)
    if known and not where and (value in (None, "value", known.value)):
        plan.indicators.append(known.name)
        if not coded:
            plan.notebook.guess(f"indicator:{known.name}", "the catalog has this title and unit")
        return known.name
    name = (
        name
        if coded
        else indicator_name(
            plan, name + "".join(f"_{v}" for k, v in where.items() if k != "indicator")
        )
    )
    title, english = words.two_languages(title)
    entry: dict[str, Any] = {"name": name, "title": title, "title_en": english or title}
    if unit:
        entry["unit"] = unit
    if value and value != "value":
        entry["value"] = value
    if where:
        entry["where"] = where
    _aggregate(plan, entry)
    add_described(plan, entry)
    return name


def add_described(plan: Plan, entry: dict[str, Any]) -> None:
    """Add an indicator that is described here, with labels that no other has."""
    open_english(plan, entry)
    for key in ("title", "title_en"):
        label = words.unlike(entry[key], plan.title, _labels(plan, key))
        if label != entry[key]:
            entry[key] = label
            plan.notebook.leave_open(
                f"indicator:{entry['name']}", f"another has this {key}: say what tells them apart"
            )
    plan.indicators.append(entry)


def _labels(plan: Plan, key: str) -> set[str]:
    """The labels of this kind that are taken, for comparison."""
    known = [getattr(indicator, key) for indicator in plan.catalog.indicators.values()]
    here = [each[key] for each in plan.indicators if isinstance(each, dict)]
    return {plain(label) for label in [*known, *here]}


def described_in(plan: Plan, title: str, unit: str | None) -> Any:
    """The indicator of the catalog with this title and unit, if there is one."""
    return next(
        (
            indicator
            for indicator in plan.catalog.indicators.values()
            if plain(indicator.title) == plain(title) and plain(indicator.unit) == plain(unit or "")
        ),
        None,
    )


def indicator_name(plan: Plan, name: str) -> str:
    used = {each if isinstance(each, str) else each["name"] for each in plan.indicators}
    return words.unique(name[:60], used | set(plan.catalog.indicators))


def _aggregate(plan: Plan, entry: dict[str, Any]) -> None:
    """How it adds up; a rate, which is never added, where the words do not tell."""
    line = f"indicator:{entry['name']}"
    found = words.aggregate_of(entry["title"], entry.get("unit"))
    if found:
        aggregate = found[0]
        plan.notebook.guess(line, f"{aggregate}, for {found[1]!r}")
    else:
        aggregate = plan.notebook.ask(  # type: ignore[assignment]
            line,
            f"does {entry['title']!r} add up over months (sum), stand at a day (last), or neither "
            "(rate)?",
            {"sum": "a flow", "last": "a stock", "rate": "neither"},
            "rate",
        )
    if aggregate != "sum":
        entry["aggregate"] = aggregate


def open_english(plan: Plan, entry: dict[str, Any]) -> None:
    if entry["title_en"] == entry["title"] or ":" in entry["title_en"]:
        plan.notebook.leave_open(f"indicator:{entry['name']}", "title_en in English")
