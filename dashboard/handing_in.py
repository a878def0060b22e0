"""What the hand-in page and its commands share: the verdict with all that it would move."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import polars as pl

from dashboard.alerts import would_ring
from dashboard.text import Text
from etl.builds import NoWarehouse, current_build
from etl.catalog import Catalog, follows, load_catalog
from etl.errors import ForesightError
from etl.fetch.send import send_mail
from etl.handin import Reminder, Store, Submission, Verdict, examined
from etl.handin.words import word
from etl.people import COMMAND, DEMO, Department, People, Person, UnknownPerson
from etl.pipeline import fingerprint
from etl.preview import Preview
from etl.publish.coverage import Use, uses
from etl.rule_words import Language
from etl.settings import Settings, Site
from etl.warehouse import Warehouse
from forecasts.decisions.alert_log import found_in
from forecasts.decisions.alert_rules import Scene
from forecasts.decisions.targets import Judged, changed, judge
from forecasts.run import due


@dataclass(frozen=True, eq=False)
class Moves:
    """What would be different if the file were accepted.

    Only of the datasets that read it, of what they deliver and of what is computed from that. Files
    of others that wait to be loaded are not counted: what they would move is for their own makers.
    """

    preview: Preview
    forecasts: int
    """Series that would be forecast again."""
    targets: list[tuple[str, str, str]]
    """Target, its state before and after."""
    alerts: list[tuple[str, str, str]]
    """Rule, key and sentence of alerts that would ring with the file and would not without."""

    @property
    def figures(self) -> pl.DataFrame:
        """Each figure with another value than before, the largest relative change first.

        One told anew from another source, or as of another day, is the same figure. Columns
        indicator, area, category, period, period_end, before, after.
        """
        told = ["indicator", "area", "category", "period", "period_end"]
        change = (pl.col("after") / pl.col("before")).log().abs()
        return (
            self.preview.figures.group_by(told, maintain_order=True)
            .agg(pl.col("before", "after").max())
            .filter(pl.col("before").ne_missing(pl.col("after")))
            .sort(change, descending=True, nulls_last=True, maintain_order=True)
        )


@dataclass(frozen=True, eq=False)
class Seen:
    """A submission as it was looked at."""

    submission: Submission
    verdict: Verdict
    moves: Moves | None
    marked: bytes | None = None
    """The own workbook with its bad cells marked, where it is kept."""


def look(
    catalog: Catalog,
    settings: Settings,
    store: Store,
    one: Submission,
    *,
    today: dt.date,
    language: Language,
    marked: Path | None = None,
    read: Callable[[Verdict], None] = lambda _: None,
) -> Seen:
    """The verdict on a file, what it would move, and the marked workbook at `marked`.

    `read` is told the verdict on the file alone as soon as that is known.
    """
    with examined(
        catalog, settings, store, one, today=today, language=language, marked=marked, read=read
    ) as (verdict, aside):
        moves = None
        if aside and verdict.preview:
            moves = _moves(catalog, settings, one, verdict.preview, aside, today, language)
    return Seen(one, verdict, moves)


def _moves(
    catalog: Catalog,
    settings: Settings,
    one: Submission,
    preview: Preview,
    aside: Warehouse,
    today: dt.date,
    language: Language,
) -> Moves:
    path = catalog.datasets[one.dataset].path
    family = {dataset.name for dataset in catalog.resources if dataset.path == path}
    moved = follows(catalog, family)
    own = replace(
        preview,
        figures=preview.figures.filter(pl.col("dataset").is_in(family)),
        anomalies=[wrong for wrong in preview.anomalies if wrong.dataset in family],
    )
    series = due(aside, catalog, today, of=moved).filter(pl.col("indicator").is_in(moved))
    name = current_build(settings.home)
    before, anyway, looked_at = (
        _standing(settings, name, fingerprint(settings), today) if name else NOTHING
    )
    judged = [target for target in catalog.targets if target.indicator in moved]
    after = judge(aside, catalog.model_copy(update={"targets": judged}), today)
    return Moves(
        own,
        series["refused"].null_count(),
        _targets(before, after, moved),
        # Last: it scores what was issued, in the build aside.
        [
            alert
            for alert in would_ring(
                aside,
                catalog,
                today,
                Text(language),
                of=frozenset(moved | family),
                series=looked_at,
            )
            if alert[1] not in anyway
        ],
    )


Standing = tuple[list[Judged], frozenset[str], int | None]
"""Targets as judged, keys of alerts that ring, and how many series were looked at for steps."""
NOTHING: Standing = [], frozenset(), None


def stand_ready(settings: Settings, today: dt.date) -> None:
    """Work out beforehand what every file is held against: targets and alerts of the build."""
    name = current_build(settings.home)
    if name and settings.people.exists():
        _standing(settings, name, fingerprint(settings), today)
        _uses(settings, name, fingerprint(settings))


def used(settings: Settings) -> dict[str, Use]:
    """What each dataset that is handed in is used for, with all that comes in the same file."""
    name = current_build(settings.home)
    return _uses(settings, name, fingerprint(settings)) if name else {}


@lru_cache(maxsize=2)
def _uses(settings: Settings, build: str, _catalog: str) -> dict[str, Use]:
    catalog = load_catalog(settings.catalog)
    files = {one.name: one.path for one in catalog.resources if one.handin}
    groups = [[one.name for one in catalog.resources if one.path == at] for at in files.values()]
    with Warehouse.open(settings.home, build) as warehouse:
        if not warehouse.has_todays_schema():
            return {}
        return dict(zip(files, uses(warehouse, catalog, groups), strict=True))


@lru_cache(maxsize=2)
def _standing(settings: Settings, build: str, _catalog: str, today: dt.date) -> Standing:
    """What stands without the file: the same while build, catalog and day are."""
    catalog = load_catalog(settings.catalog)
    with Warehouse.open(settings.home, build) as warehouse:
        if not warehouse.has_todays_schema():
            return NOTHING
        scene = Scene(warehouse, catalog, today)
        ringing = frozenset(alert.key for alert in found_in(scene))
        looked_at = sum(len(one.panel.keys) for one in scene.shifted)
        return judge(warehouse, catalog, today), ringing, looked_at


def _targets(
    before: Iterable[Judged], after: Iterable[Judged], moved: Collection[str]
) -> list[tuple[str, str, str]]:
    return [
        (one.target.name, str(was or ""), one.verdict.state)
        for one, was in changed(before, after)
        if one.target.indicator in moved
    ]


@contextmanager
def current(settings: Settings) -> Iterator[Warehouse | None]:
    """The current build, where there is one that this code can read."""
    try:
        build = Warehouse.open(settings.home)
    except NoWarehouse:
        yield None
        return
    with build:
        yield build if build.has_todays_schema() else None


def loaded_until(build: Warehouse | None) -> dict[str, dt.date]:
    """The last day each dataset has figures of."""
    if build is None:
        return {}
    rows = build.select(
        "select dataset, max(last_day) as last from current_load "
        "where last_day is not null group by dataset"
    )
    return dict(rows.iter_rows())


def department_of(people: People, person: Person, dataset: str, named: str | None) -> Department:
    """For which department someone hands a dataset in.

    Raises:
        UnknownPerson: none of theirs does, or several do and none is named.
    """
    mine = [
        one
        for one in people.departments_of(dataset)
        if person.answers_for(one.name) and named in (None, one.name)
    ]
    if len(mine) != 1:
        names = ", ".join(one.name for one in people.departments_of(dataset)) or "-"
        raise UnknownPerson(
            f"{person.name} hands {dataset} in for several departments"
            if mine
            else f"{person.name} hands {dataset} in for no such department",
            hint=f"say for which, of: {names}",
        )
    return mine[0]


def person_at_the_terminal(people: People, login: str, named: str | None) -> tuple[Person, str]:
    """Who gives a command, and by which account; in a demo whoever is named.

    Raises:
        UnknownPerson: the account of the system is nobody's, or of another than the one named.
    """
    if people.sign_on.way == "demo" and named:
        return people.person(named), f"{DEMO}{named}"
    person = people.of_account(COMMAND + login)
    if named not in (None, person.name):
        raise UnknownPerson(
            f"the account {login!r} is that of {person.name}, not of {named}",
            hint="give the command from the account of whoever is to answer for it",
        )
    return person, COMMAND + login


def letter(reminder: Reminder, catalog: Catalog, language: Language) -> tuple[str, str]:
    """Subject and text of a reminder."""
    title = reminder.department.title
    subject = word("reminder.subject", language, count=len(reminder.files), department=title)
    lines = [
        word(
            "reminder.late" if one.state == "late" else "reminder.due",
            language,
            days=abs(one.days),
            title=catalog.datasets[one.dataset].title,
            period=one.period.label(language),
            due=f"{one.due:%d/%m/%Y}",
        )
        for one in reminder.files
    ]
    return subject, "\n".join([*lines, "", word("reminder.page", language)]) + "\n"


def remind(
    site: Site, catalog: Catalog, reminders: Iterable[Reminder]
) -> tuple[list[str], list[ForesightError]]:
    """Send each department its reminder by mail, in the language of the site; to whom, and what
    went wrong.

    Nothing is sent where the site file has no mail server.
    """
    sent: list[str] = []
    failures: list[ForesightError] = []
    for reminder in reminders:
        to = [person.email for person in reminder.to if person.email]
        if not (site.mail and to):
            continue
        try:
            told = letter(reminder, catalog, site.language)
            send_mail(site.mail, to, *told, silence=site.limits.silence)
        except ForesightError as failure:
            failures.append(failure)
        else:
            sent += to
    return sent, failures
