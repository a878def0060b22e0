"""What levers must satisfy: a range around 0, effects that fit their kind, names that exist."""

from collections.abc import Iterator

from etl.catalog.checks import Finding, _unknown
from etl.catalog.decisions import Effect, Lever
from etl.catalog.entries import Catalog
from etl.catalog.parts import Place

ALL = 100
FITS = {
    "percent": {"received", "staff_hours", "indicator"},
    "days": {"received", "staff_hours", "indicator"},
    "points": {"minutes", "indicator"},
    "share": {"moved"},
}
"""What a lever of each kind can act on."""


def scenario_checks(catalog: Catalog) -> Iterator[Finding]:
    """Place, problem and hint of each error found in `scenarios`."""
    found = catalog.scenarios
    if found is None:
        return
    known = set(catalog.indicators)
    if found.indicator not in known:
        yield (
            ("scenarios", "indicator"),
            *_unknown(found.indicator, known, "an indicator described anywhere"),
        )
    for number, lever in enumerate(found.levers):
        here: Place = ("scenarios", "levers", number)
        if lever.name in [other.name for other in found.levers[:number]]:
            yield (*here, "name"), f"lever {lever.name!r} stands twice", "rename one"
        yield from _range_checks(lever, here)
        for k, effect in enumerate(lever.effects):
            yield from _effect_checks(catalog, lever, effect, (*here, "effects", k))


def _range_checks(lever: Lever, here: Place) -> Iterator[Finding]:
    if not lever.minimum <= 0 <= lever.maximum or lever.minimum == lever.maximum:
        problem = f"the range {lever.minimum:g} to {lever.maximum:g} does not go around 0"
        yield here, problem, "0 is the lever not moved; give minimum: -5 and maximum: 10"
    if lever.kind == "percent" and lever.minimum <= -ALL:
        yield (*here, "minimum"), "nothing falls by 100 % or more", "write a minimum above -100"
    if lever.kind == "share" and not 0 <= lever.minimum <= lever.maximum <= ALL:
        yield here, "a share that moves lies between 0 and 100", "give minimum: 0 and maximum: 100"


def _effect_checks(
    catalog: Catalog, lever: Lever, effect: Effect, here: Place
) -> Iterator[Finding]:
    if effect.on not in FITS[lever.kind]:
        fit = ", ".join(sorted(FITS[lever.kind]))
        problem = f"a lever in {lever.kind} cannot act on {effect.on}"
        yield (*here, "on"), problem, f"it acts on: {fit}"
    if (effect.on == "indicator") != (effect.indicator is not None):
        problem = "an effect on an indicator names it, and no other does"
        yield here, problem, "give on: indicator together with indicator: NAME"
    known = set(catalog.indicators)
    if effect.indicator is not None and effect.indicator not in known:
        yield (
            (*here, "indicator"),
            *_unknown(effect.indicator, known, "an indicator described anywhere"),
        )
    if effect.evidence == "source" and not effect.source:
        yield here, "its evidence is a source, and none is named", "name it, or say: assumption"
    lower, upper = effect.lower, effect.upper
    if (lower is None) != (upper is None):
        yield here, "an interval has two ends", "give lower and upper, or neither"
    elif lower is not None and upper is not None and not lower <= effect.estimate <= upper:
        yield here, "the estimate lies outside its interval", "lower <= estimate <= upper"
