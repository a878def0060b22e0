"""What the warehouse knows of the records it did not take."""

from dataclasses import dataclass
from pathlib import Path

from etl.catalog import Catalog, Dataset
from etl.fetch import local_base
from etl.settings import Settings
from etl.warehouse import Warehouse


@dataclass(frozen=True)
class Broken:
    """One rule that one record broke."""

    dataset: Dataset
    sheet: str | None
    record: int
    """Row of the sheet, or number of the record in the file, from 1."""
    field: str | None
    """`None` where the whole line cannot be read."""
    rule: str
    value: str | None
    """The text as it stood; `None` also where the warehouse does not keep it."""

    @property
    def place(self) -> tuple[str | None, int]:
        """Sheet and record."""
        return self.sheet, self.record


@dataclass(frozen=True)
class BadFile:
    """A file with rejected records, and all rules these broke, by any dataset that reads it."""

    path: Path
    shown: str
    checksums: frozenset[str]
    """Of its bytes when it was loaded; more than one if it changed between two datasets."""
    broken: list[Broken]

    @property
    def records(self) -> int:
        """How many records were not taken."""
        return len({(one.dataset.name, one.place) for one in self.broken})


def bad_files(
    warehouse: Warehouse, catalog: Catalog, settings: Settings, dataset: str | None = None
) -> list[BadFile]:
    """Every file with rejected records, or those of one dataset; by path."""
    rows = warehouse.select(
        "select r.file, r.dataset, l.checksum, r.sheet, r.record, r.field, r.rule, r.value "
        "from rejected r join current_load l using (load) "
        "where $dataset::varchar is null or r.dataset = $dataset::varchar "
        "order by r.file, r.sheet, r.record, r.dataset, r.rule",
        dataset=dataset,
    )
    found: list[BadFile] = []
    for (shown, name), group in rows.group_by("file", "dataset", maintain_order=True):
        known = catalog.datasets[str(name)]
        broken = [
            Broken(known, row["sheet"], row["record"], row["field"], row["rule"], row["value"])
            for row in group.iter_rows(named=True)
        ]
        checksums = frozenset(group["checksum"].to_list())
        found.append(
            BadFile(local_base(known, settings) / str(shown), str(shown), checksums, broken)
        )
    return _one_a_path(found)


def _one_a_path(files: list[BadFile]) -> list[BadFile]:
    """Several datasets may read one file."""
    by_path: dict[Path, BadFile] = {}
    for file in files:
        if before := by_path.get(file.path):
            file = BadFile(
                file.path,
                file.shown,
                before.checksums | file.checksums,
                before.broken + file.broken,
            )
        by_path[file.path] = file
    return list(by_path.values())
