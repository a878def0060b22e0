"""What can be handed in: files of which another may come to lie beside the earlier ones."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from etl.catalog.datasets import Dataset
from etl.catalog.parts import Place
from etl.periods import Period, UnreadablePeriod

FORMATS = ("xlsx", "csv", "tsv")
Finding = tuple[Place, str, str]


def handin_checks(dataset: Dataset, place: Place) -> Iterator[Finding]:
    """Place, problem and hint of each error in `handin`."""
    if dataset.handin is None:
        return
    here: Place = (*place, "handin")
    path = PurePosixPath(dataset.path)
    if dataset.fetched or dataset.simulated:
        yield here, "what is fetched or simulated is not handed in", "take handin out"
    elif path.stem.count("*") != 1 or "*" in f"{path.parent}{path.suffix}" or not path.suffix:
        yield (
            (*place, "sources", 0, "path"),
            "each period and version is a file of its own, so the name needs one *",
            "write path: data/sources/home_affairs/applications_*.xlsx",
        )
    elif dataset.format not in FORMATS:
        yield here, f"{dataset.format} is not handed in", f"formats: {', '.join(FORMATS)}"
    try:
        Period.parse(dataset.handin.since or "2026")
    except UnreadablePeriod:
        yield (*here, "since"), f"{dataset.handin.since!r} is no period", "write since: 2026-10"
