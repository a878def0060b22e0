"""From approved to the sources: at its date, by a publisher or by itself at the next refresh."""

from etl.catalog import Catalog
from etl.errors import ForesightError
from etl.handin.placing import Settled, place_of, settle
from etl.handin.store import Actor, Store, Submission, schedule
from etl.settings import Settings


class NotInTheCatalog(ForesightError):
    """The dataset handed in is no longer one that is handed in."""


def release(
    catalog: Catalog, settings: Settings, store: Store, number: str, actor: Actor
) -> Submission:
    """Release an approved submission: its file becomes one of the sources.

    Raises:
        StepRefused: it is not approved, its day has not come, or the person may not.
        NotInTheCatalog, PlaceTaken, FileRefused: it has no place, or not its bytes.
    """
    one = store.one(number)
    dataset = catalog.datasets.get(one.dataset)
    if dataset is None or dataset.handin is None:
        raise NotInTheCatalog(
            f"{one.dataset!r} is no dataset that is handed in",
            where=number,
            hint="put the entry back with its handin, or withdraw the submission",
        )
    store.vault.path(one.file.sha256)
    placed = place_of(dataset, one)
    found = store.take("released", number, actor, placed=placed)
    settle(catalog, settings, store)
    return found


def release_due(
    catalog: Catalog, settings: Settings, store: Store
) -> tuple[list[Submission], Settled]:
    """Release all that is approved and whose day has come; then settle the sources."""
    released = [
        release(catalog, settings, store, one.number, schedule())
        for one in store.all()
        if one.state == "approved" and (one.release_on is None or one.release_on <= store.today())
    ]
    return released, settle(catalog, settings, store)
