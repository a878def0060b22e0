"""What alerts must satisfy: names that exist and stand once, areas that there are."""

from collections import Counter
from collections.abc import Iterator

from etl.catalog.checks import Finding, _unknown
from etl.catalog.decisions import Limit
from etl.catalog.entries import Catalog
from etl.catalog.parts import Place


def alert_checks(catalog: Catalog) -> Iterator[Finding]:
    """Place, problem and hint of each error found in `alerts`."""
    named = {
        "limits": [limit.name for limit in catalog.alerts.limits],
        "readers": [reader.name for reader in catalog.alerts.readers],
    }
    for key, names in named.items():
        for number, name in enumerate(names):
            if Counter(names[: number + 1])[name] > 1:
                yield ("alerts", key, number, "name"), f"{name!r} stands twice", "rename one"
    for number, limit in enumerate(catalog.alerts.limits):
        yield from _limit_checks(catalog, limit, ("alerts", "limits", number))


def _limit_checks(catalog: Catalog, limit: Limit, here: Place) -> Iterator[Finding]:
    known = set(catalog.indicators)
    if limit.indicator not in known:
        yield (
            (*here, "indicator"),
            *_unknown(limit.indicator, known, "an indicator described anywhere"),
        )
    areas = set(catalog.map.areas["code"].to_list())
    if limit.area is not None and limit.area not in areas:
        yield (*here, "area"), f"{limit.area!r} is no code of an area", "codes stand in areas.csv"
