"""What the workload must satisfy: a dataset of cases, known indicators, minutes of each field."""

from collections.abc import Iterator

from etl.catalog.checks import Finding, _unknown
from etl.catalog.decisions import Workload
from etl.catalog.entries import Catalog
from etl.catalog.parts import Place

CASE = {
    "area": "string",
    "category": "string",
    "received": "date",
    "due": "date",
    "finished": "date",
}
"""Fields a dossier has, and their types."""


def workload_checks(catalog: Catalog) -> Iterator[Finding]:
    """Place, problem and hint of each error found in `workload`."""
    said = catalog.workload
    if said is None:
        return
    here: Place = ("workload",)
    for key in ("received", "staff", "pending", "overdue", "on_time"):
        name, known = getattr(said, key), set(catalog.indicators)
        if name is not None and name not in known:
            yield (*here, key), *_unknown(name, known, "an indicator described anywhere")
    yield from _case_checks(catalog, said, here)


def _case_checks(catalog: Catalog, said: Workload, here: Place) -> Iterator[Finding]:
    cases = {name: dataset for name, dataset in catalog.datasets.items() if dataset.case_level}
    dataset = cases.get(said.cases)
    if dataset is None:
        yield (*here, "cases"), *_unknown(said.cases, set(cases), "a dataset of cases (tables)")
        return
    for name, kind in CASE.items():
        field = dataset.field(name)
        if field is None or field.type != kind:
            yield (*here, "cases"), f"{said.cases} has no field {name!r} of type {kind}", "add it"
    category = dataset.field("category")
    known = {one.value for one in category.categories} if category else set()
    told = [minutes.category for minutes in said.minutes]
    for number, name in enumerate(told):
        place = (*here, "minutes", number, "category")
        if name in told[:number]:
            yield place, f"{name!r} stands twice", "take one out"
        elif name not in known:
            yield place, *_unknown(name, known, f"a category of {said.cases}")
    for name in sorted(known - set(told)):
        yield (*here, "minutes"), f"{name!r} has no minutes", "every field takes some"
