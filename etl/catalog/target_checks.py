"""What targets must satisfy: names that exist, a period that can be read, a measure that fits."""

from collections import Counter
from collections.abc import Iterator

from etl.catalog.checks import Finding, _unknown
from etl.catalog.decisions import Target
from etl.catalog.entries import Catalog
from etl.catalog.parts import Place
from etl.periods import Frequency, Period, UnreadablePeriod

WHOLE = 100


def target_checks(catalog: Catalog) -> Iterator[Finding]:
    """Place, problem and hint of each error found in the targets."""
    names: Counter[str] = Counter()
    real = [(("targets", number), target) for number, target in enumerate(catalog.targets)]
    demo = [(("demo_targets", number), one) for number, one in enumerate(catalog.demo_targets)]
    for here, target in [*real, *demo]:
        names[target.name] += 1
        if names[target.name] > 1:
            yield (*here, "name"), f"target {target.name!r} stands twice", "rename one"
        yield from _name_checks(catalog, target, here)
        yield from _period_checks(target, here)
        yield from _baseline_checks(target, here)
        yield from _measure_checks(catalog, target, here)
        yield from _demo_checks(catalog, target, here)


def _name_checks(catalog: Catalog, target: Target, here: Place) -> Iterator[Finding]:
    known = set(catalog.indicators)
    if target.indicator is not None and target.indicator not in known:
        yield (
            (*here, "indicator"),
            *_unknown(target.indicator, known, "an indicator described anywhere"),
        )
    if target.indicator is not None and target.unit:
        yield (*here, "unit"), "the indicator has a unit already", "take unit out"
    areas = set(catalog.map.areas["code"].to_list())
    for key in ("area", "shapes"):
        code = getattr(target, key)
        if code is not None and code not in areas:
            yield (*here, key), f"{code!r} is no code of an area", "codes stand in areas.csv"
    if target.real is not None:
        growing = {t.name for t in catalog.targets if t.measure == "growth"}
        if target.real not in growing:
            yield (*here, "real"), *_unknown(target.real, growing, "a target for a growth")


def _period_checks(target: Target, here: Place) -> Iterator[Finding]:
    for key in ("by", "since"):
        text = getattr(target, key)
        try:
            period = None if text is None else Period.parse(text)
        except UnreadablePeriod:
            yield (*here, key), f"{text!r} names no period", "write 2030, 2026-2030 or 12/2026"
            return
        if period and key == "since" and period.frequency is not Frequency.YEAR:
            yield (*here, key), "growth starts from a year", "write 2025"
    by = target.period
    if target.since is not None and Period.parse(target.since).end >= by.end:
        yield (*here, "since"), "growth starts after it ends", "give a year before `by`"
    if target.measure == "cumulative" and by.frequency is not Frequency.YEAR:
        yield (*here, "by"), "what comes together within a year ends with a year", "write 2026"


def _demo_checks(catalog: Catalog, target: Target, here: Place) -> Iterator[Finding]:
    """What nobody set rests on simulated figures alone, and what somebody set is no demo."""
    demo = here[0] == "demo_targets"
    if any((baseline.plan == "demo") != demo for baseline in target.baselines):
        problem = "only a target of the demo was set by nobody"
        yield (*here, "baselines"), problem, "plan: demo stands in demo_targets, and nowhere else"
    delivering = [d for d in catalog.resources if target.indicator in d.delivered]
    if demo and not (delivering and all(dataset.simulated for dataset in delivering)):
        problem = "a target of the demo is one on simulated figures"
        yield (*here, "indicator"), problem, "name an indicator of a simulated dataset"


def _baseline_checks(target: Target, here: Place) -> Iterator[Finding]:
    plans = {baseline.plan for baseline in target.baselines}
    if target.quote is not None and target.quote not in plans:
        yield (*here, "quote"), *_unknown(target.quote, set(plans), "the plan of a baseline")
    seen: set[tuple[str, str | None]] = set()
    for number, baseline in enumerate(target.baselines):
        place: Place = (*here, "baselines", number)
        if (baseline.plan, baseline.date) in seen:
            yield place, "the same plan of the same day stands twice", "keep one of the two"
        seen.add((baseline.plan, baseline.date))
        if target.measure == "share" and not 0 <= baseline.value <= WHOLE:
            yield place, f"{baseline.value:g} is no share in percent", "write 0 to 100"


def _measure_checks(catalog: Catalog, target: Target, here: Place) -> Iterator[Finding]:
    place: Place = (*here, "measure")
    if (target.measure == "computed") != (target.publishing is not None):
        yield (
            place,
            "what is computed says from what, and nothing else does",
            "give measure: computed together with publishing: {named: [...]}",
        )
    if target.measure == "computed" and target.indicator is not None:
        yield (*here, "indicator"), "what is computed here has no indicator", "take one out"
    if target.since is not None and target.measure != "growth":
        yield (*here, "since"), "only a growth starts from a year", "take since out"
    entry = catalog.indicators.get(target.indicator or "")
    if entry is None:
        return
    if target.measure == "share" and entry.unit != "%":
        yield place, f"{entry.name!r} is not in percent", "write measure: level"
    if target.measure == "cumulative" and not (entry.aggregate == "sum" or entry.unit == "%"):
        yield place, f"{entry.name!r} does not add up over a year", "write measure: level"
