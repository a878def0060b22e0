"""Who may leave the house: open, real, aggregated data that somebody answers for.

The catalog is checked for the same things when it is read. The gate asks again, of the catalog and
of the warehouse, so that a mistake has to be made twice before anything leaves.
"""

from enum import StrEnum

from etl.catalog import Catalog, Dataset, License
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


def refusal(catalog: Catalog, dataset: Dataset, warehouse: Warehouse) -> Refusal | None:
    """Why `dataset` may not leave, the gravest reason first; None where it may."""
    checks = {
        Refusal.SIMULATED: dataset.simulated or _holds_simulated(dataset, warehouse),
        Refusal.CASE_LEVEL: dataset.case_level,
        Refusal.SENSITIVE: any(field.sensitive for field in dataset.schema_.fields),
        Refusal.NOT_DECLARED: dataset.publish is None,
        Refusal.NOT_OPEN: not _open(catalog.license_of(dataset)),
        Refusal.NO_PUBLISHER: catalog.publisher_of(dataset) is None,
        Refusal.NOTHING_LOADED: not _loaded(dataset, warehouse),
    }
    return next((why for why, applies in checks.items() if applies), None)


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
