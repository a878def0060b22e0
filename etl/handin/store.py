"""What is handed in, and where it stands: from draft to released, withdrawn or corrected.

    draft -> submitted -> approved -> released -> withdrawn
      ^ returned |        ^ held         `-> corrected, when a newer version is released

What is held is due but would stop a refresh. Nothing is stored but the steps
(`etl.handin.journal`): where a submission stands follows from them, and each is checked here, under
the lock, by whatever door it comes. Maker and checker are two people: whoever drafted or submitted
a file, or handed in a version before it, does not approve it.
"""

import datetime as dt
import socket
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from etl import clock
from etl.catalog import Dataset
from etl.clock import Clock, local_day
from etl.errors import ForesightError
from etl.handin.journal import Entry, Journal, Writer
from etl.handin.vault import Kept, Vault
from etl.people import COMMAND, Person, Role, login, plain
from etl.periods import Period

State = Literal["draft", "submitted", "approved", "released", "withdrawn", "corrected"]
Step = Literal["submitted", "returned", "approved", "held", "released", "withdrawn"]
LONGEST_REASON = 2000


class StepRefused(ForesightError):
    """This step cannot be taken now, or not by this person."""


class SamePerson(StepRefused):
    """Whoever made it would check it."""


class UnknownSubmission(ForesightError):
    """There is no submission of this number."""


@dataclass(frozen=True)
class Actor:
    """A person at a door: who, by which account, and from where."""

    person: Person
    account: str
    via: Literal["page", "command", "schedule"]
    origin: str


def schedule() -> Actor:
    """Whoever's refresh it is: it releases what was approved when its day has come."""
    person = Person(name="schedule", title="schedule", roles=frozenset({"publisher", "admin"}))
    return Actor(person, COMMAND + login(), "schedule", socket.gethostname())


@dataclass(frozen=True)
class Way:
    """A step: from which states to which, by whom, and whether a reason is asked for."""

    before: tuple[State, ...]
    after: State
    roles: tuple[Role, ...]
    reason: bool = False


WAYS: dict[Step, Way] = {
    "submitted": Way(("draft",), "submitted", ("maker",)),
    "returned": Way(("submitted",), "draft", ("checker",), reason=True),
    "approved": Way(("submitted",), "approved", ("checker",)),
    "held": Way(("approved",), "approved", ("publisher",), reason=True),
    "released": Way(("approved",), "released", ("publisher",)),
    "withdrawn": Way(
        ("draft", "submitted", "approved", "released"),
        "withdrawn",
        ("maker", "checker", "publisher"),
        reason=True,
    ),
}


PUBLIC: tuple[State, ...] = ("approved", "released")
"""From here on two people have said yes, and it takes two to say no."""


@dataclass(frozen=True)
class Submission:
    """One file for one period, on its way."""

    number: str
    dataset: str
    department: str
    period: str
    version: int
    file: Kept
    state: State
    makers: frozenset[str]
    """Who drafted or submitted it, a version before it, a draft it took the place of, or the same
    file for the same dataset at another time."""
    accounts: frozenset[str]
    """The accounts they did it with: these stay when an entry of the people file is renamed."""
    release_on: dt.date | None = None
    """The day before which it stays within."""
    corrects: str | None = None
    """The submission whose place it takes when it is released."""
    verdict: dict[str, Any] | None = None
    """What was found in it when it was submitted."""
    placed: str | None = None
    """Where it lies among the sources, once released, relative to the catalog."""
    reason: str = ""
    """Of the last step that needs one."""
    steps: tuple[Entry, ...] = field(default=(), repr=False)


class Store:
    """The submissions of one installation; `now` is the clock by which steps are dated."""

    def __init__(self, home: Path, now: Clock = clock.now) -> None:
        self.home = home / "handin"
        self.journal = Journal(self.home / "audit.jsonl", now)
        self.vault = Vault(self.home / "files")

    def all(self) -> list[Submission]:
        """Every submission, oldest first. Raises `BrokenAudit`."""
        return list(folded(self.journal.entries()).values())

    def today(self) -> dt.date:
        """The day in Cần Thơ: a file stays within until its own, whatever a command is told."""
        return local_day(self.journal.now())

    def one(self, number: str) -> Submission:
        """The submission of that number. Raises `UnknownSubmission`, `BrokenAudit`."""
        return _found(folded(self.journal.entries()), number)

    def draft(
        self,
        actor: Actor,
        dataset: Dataset,
        department: str,
        period: Period,
        *,
        name: str,
        content: bytes,
        corrects: str | None = None,
        reason: str = "",
    ) -> Submission:
        """Keep a file as a draft; `corrects` is the released submission it is to replace.

        A draft there is for the period makes way: this is its mended file.

        Raises:
            StepRefused: the person may not, there is one for this period already, or the period is
                not one by which the dataset is handed in.
            FileRefused, UnreadableFile: the file is not taken.
        """
        _may(actor, ("maker",), department)
        _check_period(dataset, period)
        kept = self.vault.keep(name, content, dataset)
        detail: dict[str, Any] = {
            "dataset": dataset.name,
            "department": department,
            "period": str(period),
            "sha256": kept.sha256,
            "size": kept.size,
            "name": kept.name,
        }
        with self.journal.writing() as writer:
            every = folded(writer.entries)
            rivals = [
                one
                for one in every.values()
                if (one.dataset, one.department, one.period)
                == (dataset.name, department, str(period))
            ]
            detail["version"] = 1 + max((one.version for one in rivals if one.placed), default=0)
            if corrects:
                _check_correction(_found(every, corrects), rivals, reason)
                detail |= {"corrects": corrects, "reason": _reason(reason)}
            makers, accounts = _replaced(rivals, corrects, writer, actor)
            detail |= {"makers": sorted(makers), "accounts": sorted(accounts)}
            number = f"{len(every) + 1:06d}"
            _add(writer, "drafted", number, actor, detail)
            return _found(folded(writer.entries), number)

    def check(self, step: Step, number: str, actor: Actor, **said: Any) -> None:
        """Raises as `take` would, were the step taken now."""
        _check(step, self.one(number), actor, said, self.today())

    def take(self, step: Step, number: str, actor: Actor, **said: Any) -> Submission:
        """Take a submission one step on.

        `said` is `reason`; of a submission `verdict` and `release_on`; of an approval `sha256`, the
        file that was looked at; of a release `placed`.

        Raises:
            SamePerson: maker and checker would be one.
            StepRefused: it does not stand where this step begins, or the person may not.
        """
        with self.journal.writing() as writer:
            one = _found(folded(writer.entries), number)
            _check(step, one, actor, said, self.today())
            if WAYS[step].reason:
                said["reason"] = _reason(said.get("reason", ""))
            _add(writer, step, number, actor, said)
            return _found(folded(writer.entries), number)


# --- what the steps say together ----------------------------------------------------------------


def folded(entries: Iterable[Entry]) -> dict[str, Submission]:
    """Where every submission stands after these steps, by number."""
    found: dict[str, Submission] = {}
    for entry in entries:
        if entry.step == "drafted":
            found[entry.submission] = _drafted(entry, found)
        else:
            found[entry.submission] = _moved(found[entry.submission], entry)
            earlier = found[entry.submission].corrects
            if entry.step == "released" and earlier:
                found[earlier] = replace(found[earlier], state="corrected")
    return _of_one_file(found)


def _of_one_file(found: dict[str, Submission]) -> dict[str, Submission]:
    """Whoever handed the same bytes in for a dataset has a part in them, whoever did it last."""
    alike: dict[tuple[str, str], list[Submission]] = {}
    for one in found.values():
        alike.setdefault((one.dataset, one.file.sha256), []).append(one)
    for several in alike.values():
        makers = frozenset[str]().union(*(one.makers for one in several))
        accounts = frozenset[str]().union(*(one.accounts for one in several))
        found |= {o.number: replace(o, makers=makers, accounts=accounts) for o in several}
    return found


def _drafted(entry: Entry, found: dict[str, Submission]) -> Submission:
    said = entry.detail
    corrects = said.get("corrects")
    return Submission(
        number=entry.submission,
        dataset=said["dataset"],
        department=said["department"],
        period=said["period"],
        version=said["version"],
        file=Kept(said["sha256"], said["size"], said["name"]),
        state="draft",
        makers=frozenset({entry.who, *said["makers"]})
        | (found[corrects].makers if corrects else frozenset()),
        accounts=frozenset({entry.account, *said.get("accounts", [])})
        | (found[corrects].accounts if corrects else frozenset()),
        corrects=corrects,
        reason=said.get("reason", ""),
        steps=(entry,),
    )


def _moved(one: Submission, entry: Entry) -> Submission:
    said = entry.detail
    way = WAYS[entry.step]  # type: ignore[index]
    day = said.get("release_on")
    return replace(
        one,
        state=way.after,
        makers=one.makers | ({entry.who} if entry.step == "submitted" else set()),
        accounts=one.accounts | ({entry.account} if entry.step == "submitted" else set()),
        release_on=dt.date.fromisoformat(day) if day else one.release_on,
        verdict=said.get("verdict", one.verdict),
        placed=said.get("placed", one.placed),
        reason=said.get("reason", one.reason),
        steps=(*one.steps, entry),
    )


def _found(every: dict[str, Submission], number: str) -> Submission:
    if number not in every:
        raise UnknownSubmission(
            f"there is no submission {number!r}", hint="foresight handin list names them"
        )
    return every[number]


# --- who may do what ----------------------------------------------------------------------------


def made_by(actor: Actor, one: Submission) -> bool:
    """Whether they have a part in it, by name or by any account that is theirs now."""
    mine = {plain(account) for account in (actor.account, *actor.person.accounts)}
    by_account = mine & set(map(plain, one.accounts))
    return bool(by_account) or plain(actor.person.name) in map(plain, one.makers)


def _may(actor: Actor, roles: tuple[Role, ...], department: str) -> None:
    person = actor.person
    if not person.roles & set(roles):
        raise StepRefused(
            f"{person.name} is none of: {', '.join(roles)}",
            hint="roles stand in the people file",
        )
    if not person.answers_for(department):
        raise StepRefused(
            f"{person.name} is not of the department {department!r}",
            hint="departments stand in the people file",
        )


def _check_period(dataset: Dataset, period: Period) -> None:
    """A year handed in beside its months would say all of them twice."""
    if dataset.handin and period.frequency != dataset.handin.frequency:
        raise StepRefused(
            f"it is handed in by the {dataset.handin.frequency}, and not for {period}",
            where=dataset.name,
            hint="foresight handin due lists the periods that are asked for",
        )


def _roles(step: Step, one: Submission) -> tuple[Role, ...]:
    """What is public is not taken back by its maker alone."""
    if step == "withdrawn" and one.state in PUBLIC:
        return ("checker", "publisher")
    return WAYS[step].roles


def _check(step: Step, one: Submission, actor: Actor, said: dict[str, Any], today: dt.date) -> None:
    way = WAYS[step]
    if one.state not in way.before:
        raise StepRefused(
            f"it is {one.state} and cannot be {step}",
            where=one.number,
            hint=f"that begins from: {', '.join(way.before)}",
        )
    _may(actor, _roles(step, one), one.department)
    if step == "submitted" and not (said.get("verdict") or {}).get("takes"):
        raise StepRefused(
            "it cannot be submitted as it is",
            where=one.number,
            hint="see the verdict, mend the file and hand it in again",
        )
    if step == "approved":
        if made_by(actor, one):
            raise SamePerson(
                f"{actor.person.name} handed it in and cannot approve it",
                where=one.number,
                hint="another person of the department checks it, under whatever role",
            )
        if said.get("sha256") != one.file.sha256:
            raise StepRefused(
                "the file that was checked is another one", where=one.number, hint="look again"
            )
    if step == "withdrawn" and one.state in PUBLIC and made_by(actor, one):
        raise SamePerson(
            f"{actor.person.name} handed it in and cannot take it back alone",
            where=one.number,
            hint="another person of the department withdraws it, as a checker or publisher",
        )
    if step == "released" and one.release_on and today < one.release_on:
        raise StepRefused(
            f"it is not to be released before {one.release_on}",
            where=one.number,
            hint="the day is the maker's choice; withdraw it and hand it in with another",
        )


def _replaced(
    rivals: list[Submission], corrects: str | None, writer: Writer, actor: Actor
) -> tuple[frozenset[str], frozenset[str]]:
    """Withdraw drafts of the period; who made them, by which accounts, has a part in the next."""
    makers, accounts = frozenset[str](), frozenset[str]()
    for one in rivals:
        if one.state == "draft" and one.corrects == corrects:
            makers, accounts = makers | one.makers, accounts | one.accounts
        elif one.state not in ("withdrawn", "corrected") and one.number != corrects:
            raise StepRefused(
                f"there is a submission for this period already, {one.state}",
                where=one.number,
                hint="withdraw it, or where it is released hand in a correction",
            )
    for one in rivals:
        if one.state == "draft" and one.corrects == corrects:
            _add(writer, "withdrawn", one.number, actor, {"replaced": True})
    return makers, accounts


def _check_correction(earlier: Submission, rivals: list[Submission], reason: str) -> None:
    if earlier not in rivals:
        raise StepRefused(
            "a correction is of the same dataset, department and period",
            where=earlier.number,
            hint="name the submission that is released for this period",
        )
    if earlier.state != "released":
        raise StepRefused(
            f"it is {earlier.state}: only what is released is corrected",
            where=earlier.number,
            hint="foresight handin list tells where it stands",
        )
    _reason(reason)


def _reason(text: str) -> str:
    if not text.strip():
        raise StepRefused("a reason is needed", hint="say in a sentence why")
    if {unicodedata.category(letter) for letter in text} & {"Cs", "Cn", "Co"}:
        raise StepRefused("a reason holds signs that are no letters", hint="type it anew")
    return text.strip()[:LONGEST_REASON]


def _add(writer: Writer, step: str, number: str, actor: Actor, detail: dict[str, Any]) -> None:
    writer.add(
        step=step,
        submission=number,
        who=actor.person.name,
        account=actor.account,
        via=actor.via,
        origin=actor.origin,
        detail=detail,
    )
