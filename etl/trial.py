"""The files of the catalog read on trial, into a warehouse that is thrown away.

Nothing of the installation changes, and no file stops the others: what a file says wrong is told
cell by cell, whether or not there is too much of it for a refresh.
"""

import datetime as dt
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from etl import pipeline
from etl.catalog import Catalog, Dataset
from etl.errors import ForesightError, Problems
from etl.extract.raw import plain
from etl.extract.units import unit
from etl.load import too_many_rejected
from etl.measures import held, largest_share
from etl.normalise import PERCENT
from etl.pipeline import SourceFile
from etl.returned import BadCell, bad_cells, bad_files
from etl.rule_words import Language
from etl.settings import Settings
from etl.warehouse import Warehouse

MOST_BYTES = 50_000_000
MOST_CELLS = 20
"""Broken rules told of one file."""
CHANGES = re.compile(r"\b(tăng|giảm|thay đổi|biến động|chênh lệch|lãi suất)\b")
"""Percents of which it is no wonder that all of them are small."""


@dataclass
class Tried:
    """What reading the files gave."""

    files: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Files that were not read: simulated, or too large to be read on the way."""
    problems: list[ForesightError] = field(default_factory=list)
    """What would stop a refresh."""
    cells: dict[str, list[BadCell]] = field(default_factory=dict)
    """By file, the first of the cells that were not taken."""
    more: dict[str, int] = field(default_factory=dict)
    """By file, how many broken rules are not told."""
    doubts: list[ForesightError] = field(default_factory=list)
    """What is taken as it stands and may be meant otherwise."""


def try_files(
    catalog: Catalog,
    settings: Settings,
    files: list[SourceFile],
    *,
    today: dt.date,
    language: Language,
    progress: Callable[[str], None],
) -> Tried:
    """Read `files`, those of the plan, but for what is simulated or larger than `MOST_BYTES`."""
    with reading(catalog, settings, files, today=today, language=language, progress=progress) as (
        tried,
        _,
    ):
        return tried


@contextmanager
def reading(
    catalog: Catalog,
    settings: Settings,
    files: list[SourceFile],
    *,
    today: dt.date,
    language: Language,
    progress: Callable[[str], None],
    most: int = MOST_CELLS,
) -> Iterator[tuple[Tried, Warehouse]]:
    """What reading them gave, with `most` broken rules of a file, and the warehouse of the trial
    while the block lasts."""
    tried = Tried()
    with tempfile.TemporaryDirectory(prefix="foresight-") as home:
        aside = Settings(home=Path(home), catalog=settings.catalog, site_file=settings.site_file)
        with Warehouse.build(aside.home) as warehouse:
            trial = _Trial(catalog, aside, warehouse, today, tried)
            for dataset in catalog.resources:
                progress(f"read files: {dataset.name}")
                trial.read(dataset, [file for file in files if file.dataset == dataset.name])
            for bad in bad_files(warehouse, catalog, settings):
                tried.cells[bad.shown] = list(bad_cells(warehouse, bad, language, most))
                tried.more[bad.shown] = max(len(bad.broken) - most, 0)
            yield tried, warehouse


@dataclass
class _Trial:
    catalog: Catalog
    settings: Settings
    warehouse: Warehouse
    today: dt.date
    tried: Tried
    loaded: list[SourceFile] = field(default_factory=list)

    def read(self, dataset: Dataset, files: list[SourceFile]) -> None:
        """All files of a dataset at once; where that fails, each alone, to find all that fail."""
        small = [
            file
            for file in files
            if not dataset.simulated and file.path.stat().st_size <= MOST_BYTES
        ]
        self.tried.left_out += [file.shown for file in files if file not in small]
        self.tried.files += [file.shown for file in small]
        if not small:
            return
        problems = self._load(dataset, small)
        if problems and len(small) > 1:
            pipeline.forget_unfinished(self.warehouse, dataset.name)
            problems = [
                _in_file(problem, dataset, file)
                for file in small
                for problem in self._alone(dataset, file)
            ]
        self.tried.problems += problems

    def _alone(self, dataset: Dataset, file: SourceFile) -> list[ForesightError]:
        problems = self._load(dataset, [file])
        if problems:
            pipeline.forget_unfinished(self.warehouse, dataset.name)
        return problems

    def _load(self, dataset: Dataset, files: list[SourceFile]) -> list[ForesightError]:
        lenient = dataset.model_copy(
            update={"clean": dataset.clean.model_copy(update={"max_rejected": 1.0})}
        )
        alone = self.catalog.model_copy(update={"resources": [lenient]})
        plan = pipeline.Plan(
            files=[*self.loaded, *files],
            changed=files,
            gone=[],
            observe={},
            compare=None,
            fingerprint=pipeline.fingerprint(self.settings),
            described=False,
        )
        try:
            done = pipeline.refresh(
                self.warehouse,
                alone,
                self.settings,
                plan,
                today=self.today,
                progress=lambda _: None,
            )
        except Problems as several:
            return several.problems
        except ForesightError as problem:
            return [problem]
        self.loaded += files
        self.tried.doubts = [doubt for doubt in self.tried.doubts if doubt.where != dataset.path]
        self.tried.doubts += _shares_of_one(dataset, self.warehouse)
        found = (too_many_rejected(load, dataset) for load in done.loads)
        return [problem for problem in found if problem]


def _shares_of_one(dataset: Dataset, warehouse: Warehouse) -> Iterator[ForesightError]:
    """Figures in percent that all lie between 0 and 1: they may be shares of one."""
    if dataset.case_level or f"data_{dataset.name}" not in warehouse.tables():
        return
    for indicator in dataset.described:
        name, conditions = held(dataset, indicator)
        entry = dataset.field(name)
        changes = CHANGES.search(plain(indicator.title))
        most = entry.constraints.maximum if entry else None
        small = isinstance(most, int | float) and most <= 1
        if entry is None or small or changes or unit(indicator.unit) != PERCENT:
            continue
        largest = largest_share(warehouse, dataset, indicator)
        if largest is not None:
            yield ForesightError(
                f"every figure of {indicator.title!r} lies between 0 and 1, and its unit is %: the "
                f"largest is read as {largest:g} %",
                where=dataset.path,
                hint="if they are shares of 1, have them sent in percent"
                if conditions
                else "if they are shares of 1, have them sent in percent; if they are as small as "
                f"that, say so: constraints: {{maximum: 1}} in {dataset.name}.{name}",
            )


def _in_file(problem: ForesightError, dataset: Dataset, file: SourceFile) -> ForesightError:
    """The problem of this one file, where it was told of all that the path stands for."""
    if problem.where != dataset.path:
        return problem
    return ForesightError(problem.problem, where=file.shown, hint=problem.hint)
