"""What stands in a file that is handed in: what stops it, which cells are bad, what it would move.

The file is read alone, into a warehouse that is thrown away; then, if nothing stops it, it is
loaded aside into a copy of the current build, without the version it replaces: what that moves, it
moves. Where other files of its datasets wait to be loaded, a refresh with all of them is tried too,
only to see whether it would stop.
"""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from etl.builds import NoWarehouse
from etl.catalog import Catalog
from etl.errors import ForesightError, Problems
from etl.handin.placing import place_of
from etl.handin.store import Store, Submission
from etl.load import TooManyRejected
from etl.periods import Period
from etl.pipeline import SourceFile, source_file, waits
from etl.preview import Preview, previewed
from etl.returned import BadCell, BadFile, bad_cells, bad_files, mark_file
from etl.rule_words import Language
from etl.settings import Settings
from etl.trial import reading
from etl.warehouse import Warehouse

MOST_CELLS = 200
"""Broken rules that are told; the marked workbook has them all."""


class WrongPeriod(ForesightError):
    """The file speaks of another period than the one it is handed in for."""


class NoRecords(ForesightError):
    """Nothing stands below the header."""


class WouldStop(ForesightError):
    """With the file among the sources, a refresh would stop and load nothing."""


class OthersStop(ForesightError):
    """A refresh would stop for reasons that lie elsewhere."""


@dataclass(frozen=True)
class Verdict:
    """What was found in a file."""

    records: int
    accepted: int
    rejected: int
    problems: list[ForesightError]
    """What stops it."""
    cells: list[BadCell]
    more: int
    """Broken rules that are not among `cells`."""
    preview: Preview | None
    """What it would move; `None` where something stops it, or `untold` says why."""
    untold: ForesightError | None
    """Why nothing can be said about what it would move: the reason lies elsewhere."""

    @property
    def takes(self) -> bool:
        """Whether it can be submitted."""
        return not self.problems

    @property
    def beyond_cells(self) -> list[ForesightError]:
        """What stops it besides the number of bad `cells`, which tell themselves what to mend."""
        if not self.cells:
            return self.problems
        return [one for one in self.problems if not isinstance(one, TooManyRejected)]

    def summary(self) -> dict[str, Any]:
        """What the audit keeps of it."""
        counts = {"records": self.records, "accepted": self.accepted, "rejected": self.rejected}
        return {"takes": self.takes, **counts, "problems": [str(one) for one in self.problems]}


@contextmanager
def examined(
    catalog: Catalog,
    settings: Settings,
    store: Store,
    one: Submission,
    *,
    today: dt.date,
    language: Language,
    marked: Path | None = None,
    read: Callable[[Verdict], None] = lambda _: None,
) -> Iterator[tuple[Verdict, Warehouse | None]]:
    """The verdict, and the build aside in which it was accepted, while the block lasts.

    `marked` is where the own workbook is written with its bad cells marked; not, if there are none.
    `read` is told what the file says by itself, before anything is known of what it would move.
    """
    with tempfile.TemporaryDirectory(prefix="foresight-") as folder, ExitStack() as stack:
        coming = _Coming(catalog, settings, store, one, Path(folder))
        tried, trial = stack.enter_context(
            reading(
                coming.catalog,
                coming.aside,
                coming.files,
                today=today,
                language=language,
                progress=_quiet,
                most=MOST_CELLS,
            )
        )
        verdict = coming.verdict(trial, tried.problems, language)
        aside = None
        if verdict.takes:
            read(verdict)
            verdict, aside = coming.among_the_others(stack, verdict, today, language)
        bad = coming.bad(aside or trial)
        if marked and bad:
            mark_file(aside or trial, bad, marked)
        yield verdict, aside


class Trial:
    """The sources as they are now, to try files among them before they come out."""

    def __init__(self, catalog: Catalog, settings: Settings, store: Store) -> None:
        self.catalog, self.settings, self.store = catalog, settings, store

    def stopping(self, ones: Sequence[Submission]) -> list[ForesightError]:
        """Why these files cannot come among the sources together; nothing where they can.

        `WouldStop` for what would stop a refresh with them and does not without; `OthersStop` where
        the sources stop one already: nothing can be told then. Datasets are those of the catalog.
        """
        if not ones:
            return []
        with tempfile.TemporaryDirectory(prefix="foresight-") as folder:
            home = Path(folder)
            coming = [
                _Coming(self.catalog, self.settings, self.store, one, home / one.number)
                for one in ones
            ]
            found = _stops(
                self.catalog,
                self.settings,
                self.store.today(),
                arriving=[file for one in coming for file in one.files],
                leaving=[place for one in coming for place in one.leaving],
            )
        if not found:
            return []
        return [*_new(found, self._anyway, ones[0].number)] or [_others_stop()]

    @cached_property
    def _anyway(self) -> list[ForesightError]:
        return _stops(self.catalog, self.settings, self.store.today())


def _stops(
    catalog: Catalog,
    settings: Settings,
    today: dt.date,
    *,
    arriving: Sequence[SourceFile] = (),
    leaving: Sequence[str] = (),
) -> list[ForesightError]:
    """What stops a refresh, carried out aside."""
    try:
        with previewed(
            catalog,
            settings,
            today=today,
            progress=_quiet,
            arriving=arriving,
            leaving=leaving,
        ):
            return []
    except ForesightError as error:
        return error.problems if isinstance(error, Problems) else [error]


def _new(
    found: Sequence[ForesightError], anyway: Sequence[ForesightError], where: str
) -> Iterator[ForesightError]:
    """Of what stops a refresh with a file, that which does not stop it without."""
    known = {str(one) for one in anyway}
    for one in found:
        if str(one) not in known:
            yield WouldStop(
                f"among the other files it would stop a refresh: {one.problem}",
                where=where,
                hint="see that no other file holds the same records, as of a period within another",
            )


def _others_stop() -> OthersStop:
    return OthersStop(
        "other sources would stop a refresh as they are now",
        hint="whoever keeps the sources sees which with: foresight check",
    )


class _Coming:
    """A file on its way, laid out in a folder as it will lie among the sources."""

    def __init__(
        self, catalog: Catalog, settings: Settings, store: Store, one: Submission, folder: Path
    ) -> None:
        entry = catalog.datasets[one.dataset]
        self.everything, self.settings, self.one = catalog, settings, one
        self.place = place_of(entry, one)
        self.leaving = [store.one(one.corrects).placed or ""] if one.corrects else []
        # One file may hold several datasets: the month, the year to date and the plan.
        family = [dataset for dataset in catalog.resources if dataset.path == entry.path]
        self.catalog = catalog.model_copy(update={"resources": family})
        path = folder / self.place
        path.parent.mkdir(parents=True)
        path.write_bytes(store.vault.path(one.file.sha256).read_bytes())
        copy = folder / settings.catalog.name
        copy.write_bytes(settings.catalog.read_bytes())
        self.aside = Settings(home=folder / "state", catalog=copy, site_file=settings.site_file)
        self.files = [source_file(dataset, path, folder) for dataset in family]

    def verdict(
        self, warehouse: Warehouse, problems: list[ForesightError], language: Language
    ) -> Verdict:
        """What reading it alone says."""
        found = _loads(warehouse, self.place)
        if not problems:
            problems = [*_no_records(found, self.one), *_wrong_period(found, self.one)]
        return self._told(
            warehouse, Verdict(*_counts(found), problems, [], 0, None, None), language
        )

    def among_the_others(
        self, stack: ExitStack, verdict: Verdict, today: dt.date, language: Language
    ) -> tuple[Verdict, Warehouse | None]:
        """What it would move by itself, and whether a refresh with all there is would stop."""
        try:
            preview, aside = stack.enter_context(
                previewed(
                    self.everything,
                    self.settings,
                    today=today,
                    progress=_quiet,
                    arriving=self.files,
                    leaving=self.leaving,
                    alone=True,
                )
            )
        except ForesightError:
            own = self._stopping(today)
            return replace(verdict, problems=own, untold=None if own else _others_stop()), None
        if stopping := self._stopped_by_what_waits(today):
            return replace(verdict, problems=stopping), None
        records, accepted, rejected = _counts(_loads(aside, self.place))
        verdict = replace(
            verdict, records=records, accepted=accepted, rejected=rejected, preview=preview
        )
        return self._told(aside, verdict, language), aside

    def _stopped_by_what_waits(self, today: dt.date) -> list[ForesightError]:
        """Why it cannot come among the sources with files of its datasets not loaded yet."""
        try:
            build = Warehouse.open(self.settings.home)
        except NoWarehouse:
            return []
        with build:
            if not (build.has_todays_schema() and waits(self.catalog, self.settings, build)):
                return []
        return self._stopping(today)

    def _stopping(self, today: dt.date) -> list[ForesightError]:
        """What would stop a refresh of everything with it, and does not without."""
        found = _stops(
            self.everything, self.settings, today, arriving=self.files, leaving=self.leaving
        )
        anyway = _stops(self.everything, self.settings, today) if found else []
        return list(_new(found, anyway, self.one.file.name))

    def bad(self, warehouse: Warehouse) -> BadFile | None:
        """The file, if any of its records were not taken."""
        found = bad_files(warehouse, self.catalog, self.aside)
        return next((bad for bad in found if bad.shown == self.place), None)

    def _told(self, warehouse: Warehouse, verdict: Verdict, language: Language) -> Verdict:
        bad = self.bad(warehouse)
        if bad is None:
            return replace(verdict, cells=[], more=0)
        # Once, though several datasets read it.
        cells = list(dict.fromkeys(bad_cells(warehouse, bad, language, MOST_CELLS)))
        return replace(verdict, cells=cells, more=max(len(bad.broken) - MOST_CELLS, 0))


def _quiet(_: str) -> None:
    """Nobody is told how far it is: it takes seconds."""


def _loads(warehouse: Warehouse, place: str) -> list[dict[str, Any]]:
    return warehouse.select(
        "select records, accepted, rejected + unreadable as rejected, first_day, last_day "
        "from current_load where file = $file",
        file=place,
    ).to_dicts()


def _counts(loads: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Records, accepted, rejected, over all datasets that read the file."""
    records, accepted, rejected = (
        sum(load[name] for load in loads) for name in ("records", "accepted", "rejected")
    )
    return records, accepted, rejected


def _no_records(loads: list[dict[str, Any]], one: Submission) -> Iterator[NoRecords]:
    if loads and not any(load["accepted"] for load in loads):
        yield NoRecords(
            "no record of it was taken",
            where=one.file.name,
            hint="fill the template in below its header, and mend the cells that are marked",
        )


def _wrong_period(loads: list[dict[str, Any]], one: Submission) -> Iterator[WrongPeriod]:
    period = Period.parse(one.period)
    days = [(load["first_day"], load["last_day"]) for load in loads if load["first_day"]]
    if days and not any(first <= period.end and period.start <= last for first, last in days):
        yield WrongPeriod(
            f"it speaks of {min(d[0] for d in days)} to {max(d[1] for d in days)}, "
            f"and is handed in for {one.period}",
            where=one.file.name,
            hint="hand it in for its own period, or mend the periods in the file",
        )
