"""What indicators mean together: those computed from others, and rival figures of one concept."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from typing import get_args

from etl.catalog.checks import Finding, _unknown
from etl.catalog.datasets import Dataset
from etl.catalog.entries import Catalog
from etl.catalog.measured import Indicator
from etl.catalog.parts import Frequency, Place

FREQUENCIES: frozenset[str] = frozenset(get_args(Frequency))


def meaning_checks(catalog: Catalog) -> Iterator[Finding]:
    """Place, problem and hint of each error in what is computed, and in concepts and labels."""
    yield from _compute_checks(catalog)
    yield from _concept_checks(catalog)
    yield from _label_checks(catalog)


def _compute_checks(catalog: Catalog) -> Iterator[Finding]:
    for place, entry in _computed(catalog):
        if entry.aggregate != "rate":
            yield (
                (*place, "aggregate"),
                f"{entry.name!r} is computed, so it cannot be added up as {entry.aggregate!r}",
                "take `aggregate` out: it is made again from what was added up",
            )
        circle = _circle(catalog, entry.name)
        if circle and entry.name == min(circle):
            yield (
                (*place, "compute"),
                f"{entry.name!r} is computed from itself: {' <- '.join([*circle, entry.name])}",
                "compute one of them from published figures",
            )


def _concept_checks(catalog: Catalog) -> Iterator[Finding]:
    known = set(catalog.indicators)
    held: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for number, concept in enumerate(catalog.concepts):
        here: Place = ("concepts", number)
        names[concept.name] += 1
        if names[concept.name] > 1:
            yield (*here, "name"), f"concept {concept.name!r} stands twice", "rename one"
        for k, member in enumerate(concept.members):
            place: Place = (*here, "members", k)
            held[member.indicator] += 1
            if member.indicator not in known:
                yield place, *_unknown(member.indicator, known, "an indicator described anywhere")
            elif held[member.indicator] > 1:
                yield (
                    place,
                    f"{member.indicator!r} is a member already, here or of another concept",
                    "an indicator belongs to one concept, once",
                )
        members = {member.indicator for member in concept.members}
        if concept.quote not in members:
            yield (*here, "quote"), *_unknown(concept.quote, members, "one of its members")


def _label_checks(catalog: Catalog) -> Iterator[Finding]:
    """Two indicators with one label confuse, unless they are shown as rivals of one concept."""
    concept = {m.indicator: c.name for c in catalog.concepts for m in c.members}
    seen: dict[tuple[str, str], str] = {}
    for place, entry in _described(catalog):
        for key in ("title", "title_en"):
            label = " ".join(unicodedata.normalize("NFC", getattr(entry, key)).casefold().split())
            first = seen.setdefault((key, label), entry.name)
            shared = first in concept and concept[first] == concept.get(entry.name)
            if first != entry.name and not shared:
                yield (
                    (*place, key),
                    f"{entry.name!r} is labelled as {first!r} is: {getattr(entry, key)!r}",
                    "say in the label what tells them apart, or make both members of one concept",
                )


def meaning_warnings(catalog: Catalog) -> Iterator[Finding]:
    """Place, problem and hint of each indicator that will never have a computed figure."""
    for place, entry in _computed(catalog):
        if not frequencies(catalog, entry.name):
            given = "; ".join(
                f"{name}: {', '.join(sorted(frequencies(catalog, name))) or 'none'}"
                for name in (entry.compute.inputs if entry.compute else [])
            )
            yield (
                (*place, "compute"),
                f"{entry.name!r} will never have a figure: its parts never meet ({given})",
                "compute it from figures of one frequency",
            )


def depths(indicators: dict[str, Indicator]) -> dict[str, int]:
    """How many steps each computed indicator is away from figures that are given; from 1.

    No indicator may be computed from itself.
    """

    def depth(name: str) -> int:
        entry = indicators.get(name)
        compute = entry.compute if entry else None
        return 1 + max(map(depth, compute.inputs)) if compute else 0

    return {name: depth(name) for name, entry in indicators.items() if entry.compute}


def follows(catalog: Catalog, touched: Collection[str]) -> set[str]:
    """Indicators that have another figure when those of the datasets `touched` have.

    They are all that these deliver and what is computed from it. Where cells that nobody counted
    are 0, the months that one indicator has are those of all its dataset delivers.
    """
    return follows_from(
        catalog,
        {name for one in catalog.resources if one.name in touched for name in one.delivered},
    )


def follows_from(catalog: Catalog, indicators: Collection[str]) -> set[str]:
    """The same of single indicators, which are among them."""
    found = set(indicators)
    while True:
        more = {
            name
            for one in catalog.resources
            if (one.case_level or one.complete) and found & set(one.delivered)
            for name in one.delivered
        } | {
            name
            for name, entry in catalog.indicators.items()
            if entry.compute and found & set(entry.compute.inputs)
        }
        if more <= found:
            return found
        found |= more


def frequencies(catalog: Catalog, name: str) -> frozenset[str]:
    """The frequencies `name` may have as far as the catalog tells; all where it does not."""
    given = [_given(dataset) for dataset in catalog.resources if name in dataset.delivered]
    entry = catalog.indicators[name]
    if entry.compute is None:
        return frozenset().union(*given)
    parts = [frequencies(catalog, part) for part in entry.compute.inputs]
    if entry.compute.way == "per_head":
        return parts[0] if "year" in parts[1] else frozenset()
    if entry.compute.over == "year":
        return parts[0] - {"week"}  # no week begins on the day it began a year before
    return frozenset.intersection(*parts)


def _given(dataset: Dataset) -> frozenset[str]:
    if dataset.case_level:
        return frozenset({"day", "month"})
    if dataset.clean.period != "as_written":
        return frozenset({"year"} if dataset.clean.period == "year" else {})
    field = dataset.field("period")
    known = {"year": {"year"}, "yearmonth": {"month"}, "date": {"day"}}
    return frozenset(known.get(field.type, FREQUENCIES) if field else FREQUENCIES)


def _computed(catalog: Catalog) -> Iterator[tuple[Place, Indicator]]:
    return ((place, entry) for place, entry in _described(catalog) if entry.compute)


def _described(catalog: Catalog) -> Iterator[tuple[Place, Indicator]]:
    """Every indicator and the place where it is described."""
    for number, dataset in enumerate(catalog.resources):
        for k, entry in enumerate(dataset.indicators):
            if isinstance(entry, Indicator):
                yield ("resources", number, "indicators", k), entry


def _circle(catalog: Catalog, start: str) -> list[str]:
    """The names that lead from `start` back to it; empty where none do."""
    trails = [[start]]
    while trails:
        trail = trails.pop()
        entry = catalog.indicators.get(trail[-1])
        for part in entry.compute.inputs if entry and entry.compute else []:
            if part == start:
                return trail
            if part not in trail:
                trails.append([*trail, part])
    return []
