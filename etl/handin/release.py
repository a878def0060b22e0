"""From approved to the sources: at its date, by a publisher or by itself at the next refresh.

Before it comes out a file is tried among the sources as they are now, those with it that came out
just before: one that would stop the refresh of everybody stays approved, with the reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from etl.catalog import Catalog
from etl.errors import ForesightError
from etl.handin.placing import Settled, bring_in_step, check_place, place_of, placing, settle
from etl.handin.store import Actor, Store, Submission, schedule
from etl.handin.verdict import Trial
from etl.settings import Settings


class NotInTheCatalog(ForesightError):
    """The dataset handed in is no longer one that is handed in."""


@dataclass
class Released:
    """What came out, what did not and why, and what was done among the sources."""

    files: list[Submission] = field(default_factory=list)
    held: list[tuple[Submission, ForesightError]] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)

    @property
    def problems(self) -> list[ForesightError]:
        """Everything that whoever keeps the sources has to look at."""
        return [*(problem for _, problem in self.held), *self.settled.problems.values()]


def release(
    catalog: Catalog, settings: Settings, store: Store, number: str, actor: Actor
) -> Submission:
    """Release an approved submission: its file becomes one of the sources.

    Raises:
        StepRefused: it is not approved, its day has not come, or the person may not.
        NotInTheCatalog, PlaceTaken, FileRefused: it has no place, or not its bytes.
        WouldStop, OthersStop: a refresh with it would stop, or cannot be tried.
    """
    with placing(store):
        store.check("released", number, actor)
        one = store.one(number)
        placed = _place(catalog, settings, store, one)
        for problem in Trial(catalog, settings, store).stopping([one]):
            raise problem
        found = store.take("released", number, actor, placed=placed)
        _tell_own(bring_in_step(catalog, settings, store), found)
        return found


def release_due(catalog: Catalog, settings: Settings, store: Store) -> Released:
    """Release all that is approved and whose day has come; then settle the sources.

    What cannot come out stays approved, and the audit says why, once.
    """
    done = Released()
    with placing(store):
        due = [(one, _tried(catalog, settings, store, one)) for one in _due(store)]
        ready = [one for one, problem in due if problem is None]
        trial = Trial(catalog, settings, store)
        found = trial.stopping(ready)
        for one, problem in due:
            if problem is None and found:
                # Alone, and beside those of them that are out by now.
                mine = found if len(ready) == 1 else trial.stopping([one])
                problem = mine[0] if mine else None
            _bring_out(catalog, settings, store, one, problem, done)
        done.settled = bring_in_step(catalog, settings, store)
    return done


def settle_after(catalog: Catalog, settings: Settings, store: Store, one: Submission) -> Submission:
    """Settle the sources after a step with `one`, and tell what concerns it: raises as `settle`."""
    _tell_own(settle(catalog, settings, store), one)
    return one


def _due(store: Store) -> Iterator[Submission]:
    today = store.today()
    for one in store.all():
        if one.state == "approved" and (one.release_on is None or one.release_on <= today):
            yield one


def _tried(
    catalog: Catalog, settings: Settings, store: Store, one: Submission
) -> ForesightError | None:
    try:
        _place(catalog, settings, store, one)
    except ForesightError as problem:
        return problem
    return None


def _place(catalog: Catalog, settings: Settings, store: Store, one: Submission) -> str:
    """Where it is to lie, if the place is free and the bytes are there."""
    dataset = catalog.datasets.get(one.dataset)
    if dataset is None or dataset.handin is None:
        raise NotInTheCatalog(
            f"{one.dataset!r} is no dataset that is handed in",
            where=one.number,
            hint="put the entry back with its handin, or withdraw the submission",
        )
    store.vault.path(one.file.sha256)
    placed = place_of(dataset, one)
    check_place(dataset, settings, one, placed)
    return placed


def _bring_out(
    catalog: Catalog,
    settings: Settings,
    store: Store,
    one: Submission,
    problem: ForesightError | None,
    done: Released,
) -> None:
    """Release it, or note why not; nothing where another step was quicker."""
    if store.one(one.number).state != "approved":
        return
    if problem is None:
        placed = place_of(catalog.datasets[one.dataset], one)
        done.files.append(store.take("released", one.number, schedule(), placed=placed))
        bring_in_step(catalog, settings, store)
        return
    done.held.append((one, problem))
    if (one.steps[-1].step, one.reason) != ("held", problem.problem):
        store.take("held", one.number, schedule(), reason=problem.problem)


def _tell_own(settled: Settled, one: Submission) -> None:
    for number in (one.number, one.corrects):
        if number in settled.problems:
            raise settled.problems[number]
