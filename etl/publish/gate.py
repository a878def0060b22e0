"""Who may leave the house: open, real, aggregated data that somebody answers for.

The catalog is checked for the same things when it is read. The gate asks again, of the catalog and
of the warehouse, so that a mistake has to be made twice before anything leaves. Last it reads every
cell that would leave (`etl.publish.content`), and whether counts can be protected.
"""

from dataclasses import dataclass
from enum import StrEnum

from etl.catalog import Catalog, Dataset, License
from etl.errors import ForesightError
from etl.publish.cases import counted_indicators
from etl.publish.content import Cell, heading_cells, personal_cells
from etl.publish.protect import Measured, key_of, measured, problems, way_of
from etl.publish.table import clean_table, exact_table, key_columns, measures_of
from etl.settings import Settings, Site
from etl.warehouse import Warehouse, identifier


class Refusal(StrEnum):
    """Why a dataset is not published."""

    SIMULATED = "simulated data are never published"
    CASE_LEVEL = "case-level rows never leave the warehouse"
    SENSITIVE = "it has sensitive fields"
    NOT_DECLARED = "the catalog does not publish it"
    NOT_OPEN = "it has no open licence"
    NO_PUBLISHER = "nobody is named as its publisher"
    NOTHING_LOADED = "nothing has been loaded"
    NO_KEY = "its small counts need a rounding key, which this site does not have"
    UNPROTECTED = "its small counts cannot be protected as they are declared"
    PERSONAL = "it holds what speaks of persons, or free text"


@dataclass(frozen=True)
class Answer:
    """Whether a dataset may leave, and what keeps it."""

    refusal: Refusal | None
    cells: tuple[Cell, ...] = ()
    """Every cell or column that must be seen to, of a dataset that is `UNPROTECTED` or `PERSONAL`.
    """


LICENCES = {
    "CC-BY-4.0": (
        "https://creativecommons.org/licenses/by/4.0/",
        "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
    ),
    "CC0-1.0": (
        "https://creativecommons.org/publicdomain/zero/1.0/",
        "http://publications.europa.eu/resource/authority/licence/CC0",
    ),
    "ODC-BY-1.0": (
        "https://opendatacommons.org/licenses/by/1-0/",
        "http://publications.europa.eu/resource/authority/licence/ODC_BY",
    ),
}
"""Open licences: the page to read, and the entry of the EU vocabulary."""


def refusal(
    catalog: Catalog, dataset: Dataset, warehouse: Warehouse, site: Site | None = None
) -> Refusal | None:
    """Why `dataset` may not leave, the gravest reason first; None where it may."""
    return answer(catalog, dataset, warehouse, site).refusal


def answer(
    catalog: Catalog, dataset: Dataset, warehouse: Warehouse, site: Site | None = None
) -> Answer:
    """As `refusal`, with the cells that keep it; without `site`, that of this installation."""
    declared = _declared(catalog, dataset, warehouse)
    if declared:
        return Answer(declared)
    exact = exact_table(warehouse, catalog, dataset)
    measures = measured(catalog, dataset, exact, measures_of(catalog, dataset, exact))
    unprotected = problems(exact, dataset, measures)
    if unprotected:
        return Answer(Refusal.UNPROTECTED, tuple(unprotected))
    if way_of(dataset) == "rounding" and any(one.kind == "count" for one in measures):
        site = Settings.read().site() if site is None else site
        try:
            key_of(site)
        except ForesightError:
            return Answer(Refusal.NO_KEY)
    cells = _personal(catalog, dataset, warehouse, site, measures)
    return Answer(Refusal.PERSONAL if cells else None, tuple(cells))


def _declared(catalog: Catalog, dataset: Dataset, warehouse: Warehouse) -> Refusal | None:
    """What the catalog and the build tell, before a cell is looked at."""
    counted = dataset.publish and counted_indicators(catalog, dataset)
    sensitive = any(field.sensitive for field in dataset.schema_.fields)
    checks = {
        Refusal.SIMULATED: dataset.simulated or _holds_simulated(dataset, warehouse),
        Refusal.CASE_LEVEL: dataset.case_level and not counted,
        # Of cases only counts leave, and what is sensitive in them is never kept.
        Refusal.SENSITIVE: sensitive and not dataset.case_level,
        Refusal.NOT_DECLARED: dataset.publish is None,
        Refusal.NOT_OPEN: not _open(catalog.license_of(dataset)),
        Refusal.NO_PUBLISHER: catalog.publisher_of(dataset) is None,
        Refusal.NOTHING_LOADED: not _loaded(dataset, warehouse),
    }
    return next((why for why, applies in checks.items() if applies), None)


OURS = ["area", "area_name", "indicator_name", "frequency"]
"""Columns that hold what the map and the catalog say, and nothing a department wrote."""


def _personal(
    catalog: Catalog,
    dataset: Dataset,
    warehouse: Warehouse,
    site: Site | None,
    measures: list[Measured],
) -> list[Cell]:
    table = clean_table(warehouse, catalog, dataset, site=site)
    units = {one.column: one.indicator.unit for one in measures if one.indicator}
    units |= {f.name: f.unit for f in dataset.schema_.fields if f.unit}
    headings = {
        field.name: [field.name, *field.spellings, *filter(None, [field.title])]
        for field in dataset.schema_.fields
        if field.name in table.columns and field.name not in units
    }
    cells = personal_cells(
        table,
        key=key_columns(dataset),
        places=place_names(catalog),
        units=units,
        passed=[(e.field, e.found) for e in dataset.publish.exempt] if dataset.publish else [],
        trusted=[name for name in OURS if name == "area" or dataset.field(name) is None],
    )
    return [*heading_cells(headings), *cells]


def place_names(catalog: Catalog) -> set[str]:
    """Names of areas of every time: some are those of people, too."""
    return set(catalog.map.areas["name"])


def _open(licence: License | None) -> bool:
    return licence is not None and licence.name in LICENCES


def _holds_simulated(dataset: Dataset, warehouse: Warehouse) -> bool:
    found = warehouse.select(
        "select 1 from observation where dataset = $dataset and simulated limit 1",
        dataset=dataset.name,
    )
    return not found.is_empty()


def _loaded(dataset: Dataset, warehouse: Warehouse) -> bool:
    table = f"data_{dataset.name}"
    if table not in warehouse.tables():
        return False
    return not warehouse.select(f"from {identifier(table)} limit 1").is_empty()
