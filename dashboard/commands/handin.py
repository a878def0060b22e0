"""`foresight handin`: the whole way from the template to the release, for scripts."""

import socket
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from dashboard.commands.shell import Context
from dashboard.handing_in import (
    Seen,
    current,
    department_of,
    loaded_until,
    look,
    person_at_the_terminal,
    remind,
)
from dashboard.text import Text
from etl.catalog import Catalog, Dataset, load_catalog
from etl.errors import ForesightError
from etl.handin import (
    Actor,
    Entry,
    Store,
    Submission,
    due_files,
    exported,
    release,
    release_due,
    reminders,
    settle_after,
    template,
)
from etl.handin.store import Step
from etl.handin.vault import brought
from etl.handin.words import word
from etl.people import People, PeopleError, login, read_people
from etl.periods import Period
from etl.translation import translated

WHO = click.option("--who", help="The person, by name; only in a demo another than the account's.")
RELEASE_ON = click.option(
    "--release-on",
    type=click.DateTime(["%Y-%m-%d", "%d/%m/%Y"]),
    help="Stays within until this day, 2026-12-01 or 01/12/2026.",
)
REASON = click.option("--reason", default="", help="Why, in a sentence.")


class NotHandedIn(ForesightError):
    """The dataset is not one that departments hand in."""


@click.group("handin")
def commands() -> None:
    """Departments hand in: template, verdict, two people, release at its date, audit."""


@commands.command("template")
@click.argument("dataset")
@click.argument("period")
@click.option("--out", type=click.Path(path_type=Path), help="By default DATASET_PERIOD.xlsx.")
@click.pass_obj
def write_template(context: Context, dataset: str, period: str, out: Path | None) -> None:
    """An Excel template for one period: lists, checks while typing, the period before beside."""
    catalog, asked = _catalog(context), Period.parse(period)
    with current(context.settings) as build:
        content = template(catalog, _dataset(catalog, dataset), asked, build)
    path = out or Path(f"{dataset}_{asked}.xlsx".replace("/", "_"))
    path.write_bytes(content)
    context.say(str(path))
    context.result({"template": path})


@commands.command("submit")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dataset", required=True)
@click.option("--period", required=True, help="2026-10, quý III/2026, 2026.")
@click.option("--department", help="Where the person has several that hand this dataset in.")
@RELEASE_ON
@click.option("--corrects", help="Number of the released submission it takes the place of.")
@REASON
@click.option("--draft", "only_draft", is_flag=True, help="Keep it as a draft with its verdict.")
@WHO
@click.pass_obj
def submit(context: Context, /, **said: Any) -> None:
    """Hand FILE in: verdict first; it is submitted unless something stops it."""
    catalog, store = _catalog(context), Store(context.settings.home)
    actor, people = _actor(context, said["who"])
    dataset = _dataset(catalog, said["dataset"])
    department = department_of(people, actor.person, dataset.name, said["department"])
    one = store.draft(
        actor,
        dataset,
        department.name,
        Period.parse(said["period"]),
        name=said["file"].name,
        content=brought(said["file"]),
        corrects=said["corrects"],
        reason=said["reason"],
    )
    seen = _look(context, catalog, store, one, None)
    day = said["release_on"].date() if said["release_on"] else store.today()
    if seen.verdict.takes and not said["only_draft"]:
        one = store.take(
            "submitted",
            one.number,
            actor,
            verdict=seen.verdict.summary(),
            release_on=day.isoformat(),
        )
    _tell_seen(context, seen, one)
    if not seen.verdict.takes:
        click.get_current_context().exit(1)


@commands.command("correct")
@click.argument("number")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@REASON
@RELEASE_ON
@WHO
@click.pass_context
def correct(ctx: click.Context, /, number: str, file: Path, **said: Any) -> None:
    """Hand in a new version of what is released; it takes its place when it is released itself."""
    one = Store(ctx.obj.settings.home).one(number)
    ctx.invoke(
        submit,
        file=file,
        dataset=one.dataset,
        period=one.period,
        department=one.department,
        corrects=number,
        only_draft=False,
        **said,
    )


@commands.command("verdict")
@click.argument("number")
@click.option("--out", type=click.Path(path_type=Path), help="The own workbook, bad cells marked.")
@click.pass_obj
def tell_verdict(context: Context, number: str, out: Path | None) -> None:
    """Which cells of a submission fail and why, and what would move if it were accepted."""
    catalog, store = _catalog(context), Store(context.settings.home)
    one = store.one(number)
    _tell_seen(context, _look(context, catalog, store, one, out), one)


@commands.command("approve")
@click.argument("number")
@WHO
@click.pass_obj
def approve(context: Context, number: str, who: str | None) -> None:
    """Approve what another person handed in."""
    store = Store(context.settings.home)
    sha256 = store.one(number).file.sha256
    _tell(context, store.take("approved", number, _actor(context, who)[0], sha256=sha256))


def _step(name: str, step: Step, words: str) -> None:
    """Add a command that takes a reason."""

    @commands.command(name, help=words)
    @click.argument("number")
    @REASON
    @WHO
    @click.pass_obj
    def take(context: Context, /, number: str, reason: str, who: str | None) -> None:
        store = Store(context.settings.home)
        one = store.take(step, number, _actor(context, who)[0], reason=reason)
        _tell(context, settle_after(_catalog(context), context.settings, store, one))


_step("return", "returned", "Give a submission back to its maker, with a reason.")
_step("withdraw", "withdrawn", "Take a submission back; what is released leaves the sources.")


@commands.command("release")
@click.argument("number", required=False)
@click.option("--due", "every", is_flag=True, help="All that is approved and whose day has come.")
@WHO
@click.pass_obj
def release_now(context: Context, number: str | None, every: bool, who: str | None) -> None:
    """Bring an approved file among the sources; the next refresh loads it."""
    catalog, store = _catalog(context), Store(context.settings.home)
    if every or not number:
        done = release_due(catalog, context.settings, store)
        released = done.files
        for problem in done.problems:
            _say_held(context, problem)
    else:
        actor, _ = _actor(context, who)
        released = [release(catalog, context.settings, store, number, actor)]
    rows = [[one.number, one.dataset, one.period, one.placed] for one in released]
    context.table(_headings(context, "submission", "dataset", "period", "file"), rows)


@commands.command("list")
@click.option("--dataset", help="Only this dataset.")
@click.pass_obj
def list_submissions(context: Context, dataset: str | None) -> None:
    """Every submission and where it stands."""
    found = Store(context.settings.home).all()
    rows = [
        list((_record(one) | _in_words(context, one)).values())
        for one in found
        if dataset in (None, one.dataset)
    ]
    context.table(_headings(context, *COLUMNS), rows)


@commands.command("due")
@click.option("--remind", "mail", is_flag=True, help="Mail those who are to be reminded today.")
@click.pass_obj
def list_due(context: Context, mail: bool) -> None:
    """Which files are late, due and coming; `--remind` once a day sends the mails."""
    catalog, people = _catalog(context), _people(context)
    with current(context.settings) as build:
        until = loaded_until(build)
    files = due_files(catalog, people, Store(context.settings.home).all(), until, context.today)
    rows = [
        [_said(context, "handin_due", o.state), o.due, o.department, o.dataset, str(o.period)]
        for o in files
    ]
    sent: list[str] = []
    failures: list[ForesightError] = []
    if mail:
        told = reminders(files, catalog, people)
        sent, failures = remind(context.settings.site(), catalog, told)
    columns = ["state", "due", "department", "dataset", "period"]
    if context.as_json:
        listed = [dict(zip(columns, row, strict=True)) for row in rows]
        context.result({"due": listed, "sent": sent, "not_sent": [str(one) for one in failures]})
        return
    context.table(_headings(context, *columns), rows)
    for failure in failures:
        said = translated(failure.problem, context.language)
        context.say(_word(context, "not_sent", why=said))
    if mail:
        context.say(_word(context, "reminded", count=len(sent)))


@commands.command("audit")
@click.option("--out", type=click.Path(path_type=Path), help="Write it as JSON lines.")
@click.option("--department", help="Only the steps of what this department handed in.")
@click.option("--holds", help="Fail unless this seal is in it: an earlier audit goes on in this.")
@click.pass_obj
def audit(context: Context, out: Path | None, department: str | None, holds: str | None) -> None:
    """Every step, sealed one by one; a changed line is an error."""
    entries = Store(context.settings.home).journal.entries()
    if holds and holds not in {entry.seal for entry in entries}:
        raise ForesightError(
            "the audit does not hold this seal",
            where=holds[:12],
            hint="lines at its end were taken out: put it back from a backup",
        )
    if department:
        entries = _of_department(context, department, entries)
    if out:
        out.write_text(exported(entries), encoding="utf-8")
    rows = [
        [
            e.at.isoformat(timespec="seconds"),
            e.submission,
            _said(context, "handin_step", e.step),
            e.who,
            e.account,
            e.via,
            e.origin,
            e.detail.get("reason", ""),
        ]
        for e in entries
    ]
    columns = ["at", "submission", "step", "who", "account", "via", "from", "reason"]
    if context.as_json:
        steps = [dict(zip(columns, row, strict=True)) for row in rows]
        context.result({"steps": steps, "seal": entries[-1].seal if entries else None})
        return
    context.table(_headings(context, *columns), rows)
    if entries:
        context.say(_word(context, "sealed", count=len(entries), seal=entries[-1].seal))


def _of_department(context: Context, department: str, entries: list[Entry]) -> list[Entry]:
    people = _people(context)
    if people.department(department) is None:
        raise PeopleError(
            f"there is no department {department!r}",
            where=context.settings.people.name,
            hint=f"departments: {', '.join(one.name for one in people.departments)}",
        )
    every = Store(context.settings.home).all()
    mine = {one.number for one in every if one.department == department}
    return [entry for entry in entries if entry.submission in mine]


# --- what the commands share --------------------------------------------------------------------

COLUMNS = (
    "submission", "state", "dataset", "department", "period", "version", "release_on", "file",
    "sha256", "makers", "reason",
)  # fmt: skip


def _record(one: Submission) -> dict[str, Any]:
    values = (
        one.number, one.state, one.dataset, one.department, one.period, one.version,
        one.release_on, one.file.name, one.file.sha256[:12], ", ".join(sorted(one.makers)),
        one.reason,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _say_held(context: Context, problem: ForesightError) -> None:
    why = translated(problem.problem, context.language)
    click.echo(_word(context, "held", where=problem.where, why=why), err=True)


def _tell(context: Context, one: Submission) -> None:
    context.say(f"{one.number}: {_state(context, one)}")
    context.result(_record(one))


def _word(context: Context, key: str, **values: object) -> str:
    return word(f"command.{key}", context.language, **values)


def _said(context: Context, group: str, name: str) -> str:
    """A state or a step in words for people; machines are always told the name."""
    return name if context.as_json else Text(context.language)(f"{group}.{name}")


def _headings(context: Context, *names: str) -> list[str]:
    """The headings of a table for people; machines are always told the names."""
    return [name if context.as_json else _word(context, name) for name in names]


def _in_words(context: Context, one: Submission) -> dict[str, str]:
    """What of a submission is told in the language of the reader: machines get the names."""
    held = one.steps[-1].step == "held" and not context.as_json
    reason = translated(one.reason, context.language) if held else one.reason
    return {"state": _state(context, one), "reason": reason}


def _state(context: Context, one: Submission) -> str:
    return _said(context, "handin_state", one.state)


def _look(
    context: Context, catalog: Catalog, store: Store, one: Submission, out: Path | None
) -> Seen:
    return look(
        catalog,
        context.settings,
        store,
        one,
        today=context.today,
        language=context.language,
        marked=out,
    )


def _tell_seen(context: Context, seen: Seen, one: Submission) -> None:
    verdict, moves = seen.verdict, seen.moves
    problems = [translated(problem.problem, context.language) for problem in verdict.problems]
    figures = moves.preview.by_indicator() if moves else None
    context.result(
        _record(one)
        | verdict.summary()
        | {
            "problems": problems,
            "cells": [asdict(cell) for cell in verdict.cells],
            "more": verdict.more,
            "untold": str(verdict.untold) if verdict.untold else None,
            "figures": figures.to_dicts() if figures is not None else None,
            "forecasts": moves.forecasts if moves else None,
            "targets": moves.targets if moves else None,
            "alerts": moves.alerts if moves else None,
        }
    )
    if context.as_json:
        return
    context.say(
        _word(
            context,
            "found",
            number=one.number,
            state=_state(context, one),
            records=verdict.records,
            accepted=verdict.accepted,
            rejected=verdict.rejected,
        )
    )
    for problem in problems:
        context.say(f"! {problem}")
    if verdict.cells:
        rows = [
            [c.cell or c.record, c.column, c.found, c.problem, c.expected] for c in verdict.cells
        ]
        context.table(_headings(context, "cell", "column", "in_it", "problem", "expected"), rows)
    if figures is not None and moves:
        columns = _headings(context, *figures.columns)
        context.table(columns, [list(row) for row in figures.iter_rows()])
        context.say(_word(context, "forecasts", count=moves.forecasts))
        rows = [list(row) for row in moves.targets]
        context.table(_headings(context, "target", "before", "after"), rows)
        for _, _, sentence in moves.alerts:
            context.say(_word(context, "would_ring", said=sentence))


def _catalog(context: Context) -> Catalog:
    return load_catalog(context.settings.catalog)


def _dataset(catalog: Catalog, name: str) -> Dataset:
    asked = [one.name for one in catalog.resources if one.handin]
    if name not in asked:
        raise NotHandedIn(
            f"{name!r} is no dataset that is handed in",
            hint=f"those are: {', '.join(asked) or 'none; see docs/handin.md'}",
        )
    return catalog.datasets[name]


def _people(context: Context) -> People:
    people = read_people(context.settings)
    if people is None:
        raise PeopleError(
            f"there is no people file {context.settings.people.name}",
            hint="write one beside the catalog: see docs/handin.md",
        )
    return people


def _actor(context: Context, who: str | None) -> tuple[Actor, People]:
    people = _people(context)
    person, account = person_at_the_terminal(people, login(), who)
    return Actor(person, account, "command", f"{login()}@{socket.gethostname()}"), people
