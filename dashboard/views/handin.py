"""Handing in: what is due, the template, the verdict on a file, the checker's queue, audit."""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from dashboard import layout, tables
from dashboard.handing_in import Seen, current, department_of, loaded_until, look, used
from dashboard.reader import Reader
from dashboard.sign_on import current_people, unread_people
from dashboard.tables import Column
from dashboard.who import Visitor, person, sign_on
from etl.catalog import Catalog, load_catalog
from etl.clock import local_day, local_hour
from etl.errors import ForesightError, Problems
from etl.handin import (
    MOST_BYTES,
    Due,
    NoTemplate,
    Store,
    Submission,
    Verdict,
    due_files,
    exported,
    made_by,
    release,
    settle_after,
    template,
)
from etl.people import People
from etl.periods import Period
from etl.rule_words import LANGUAGES, Language
from etl.settings import Settings
from etl.translation import translated

KINDS = {
    "draft": "", "submitted": "warning", "approved": "warning", "released": "good",
    "withdrawn": "bad", "corrected": "",
}  # fmt: skip
FIGURES_SHOWN = 20
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SEEN = "handin_seen"
DONE = "handin_done"
Asked = tuple[str, str, str]
"""Dataset, period and department of a file that may be handed in."""


def draw(reader: Reader) -> None:
    """The page, for whoever is signed on."""
    text = reader.text
    layout.head(reader, text("handin.title"), text("handin.lead"))
    settings = Settings.read()
    people = current_people(settings)
    if people is None:
        layout.heading(text("handin.not_set_up"), text("handin.not_set_up_note"))
        return
    if wrong := unread_people(settings):
        layout.heading(text("handin.unread"), text("handin.unread_note", where=", ".join(wrong)))
        return
    sign_on(text)
    visitor = person()
    if visitor is None:
        layout.heading(text("handin.nobody"), text("handin.nobody_note"))
        return
    _Desk(reader, settings, people, visitor).draw()


class _Desk:
    """The page of one person: nothing of other departments is on it."""

    def __init__(
        self, reader: Reader, settings: Settings, people: People, visitor: Visitor
    ) -> None:
        self.reader, self.text, self.settings = reader, reader.text, settings
        self.people, self.visitor = people, visitor
        self.catalog: Catalog = load_catalog(settings.catalog)
        self.store = Store(settings.home)
        self.mine = self._of_mine()

    def _of_mine(self) -> list[Submission]:
        person = self.visitor.person
        return [one for one in self.store.all() if person.answers_for(one.department)]

    def draw(self) -> None:
        """Due dates, handing in, checking, and what became of everything."""
        signed = self.text("handin.signed", name=self.visitor.person.title)
        layout.html(f'<p class="cf-note">{escape(signed)}</p>')
        said = st.session_state.pop(DONE, None)
        if said:
            st.success(said)
        with current(self.settings) as build:
            until = loaded_until(build)
        owed = [
            one
            for one in due_files(self.catalog, self.people, self.mine, until, self.reader.today)
            if self.visitor.person.answers_for(one.department)
        ]
        self._due(owed)
        self._used(owed)
        roles = self.visitor.person.roles
        if "maker" in roles:
            self._hand_in(owed)
        if "checker" in roles:
            self._check()
        if roles & {"maker", "checker", "publisher"}:
            self._further()
        self._history()

    # --- what is due ----------------------------------------------------------------------------

    def _due(self, owed: list[Due]) -> None:
        text, notation = self.text, self.reader.notation
        late = sum(one.state == "late" for one in owed)
        layout.heading(text("handin.due", count=len(owed), late=late), text("handin.due_note"))
        kinds = {"late": "bad", "due": "warning", "coming": ""}
        columns = [
            Column(
                text("handin.state"),
                lambda one: tables.chip(text(f"handin_due.{one.state}"), kinds[one.state]),
            ),
            Column(text("handin.dataset"), lambda one: escape(self._title(one.dataset)), "subject"),
            Column(text("handin.period"), lambda one: escape(self._period(str(one.period)))),
            Column(text("handin.due_on"), lambda one: notation.date(one.due)),
        ]
        layout.html(tables.table(text("handin.due_table"), columns, owed, "cf-figures cf-labelled"))

    def _used(self, owed: list[Due]) -> None:
        """A receipt: what the figures of the department are used for, what lateness costs."""
        text, notation, found = self.text, self.reader.notation, used(self.settings)
        person = self.visitor.person
        mine = [one for one in self.people.departments if person.answers_for(one.name)]
        names = [name for name in found if any(name in one.datasets for one in mine)]
        if not names:
            return
        late = {
            name: max([(self.reader.today - o.due).days for o in owed if o.dataset == name] + [0])
            for name in names
        }
        columns = [
            Column(text("handin.dataset"), lambda name: escape(self._title(name)), "subject"),
            Column(
                text("handin.used_forecasts"),
                lambda name: notation.number(found[name].forecasts),
                "number",
            ),
            Column(
                text("handin.used_targets"),
                lambda name: notation.number(len(found[name].targets)),
                "number",
            ),
            Column(
                text("handin.used_headlines"),
                lambda name: notation.number(found[name].headlines),
                "number",
            ),
            Column(text("handin.days_late"), lambda name: notation.number(late[name]), "number"),
            Column(
                text("handin.wider"),
                lambda name: notation.change(found[name].wider(late[name])),
                "number",
            ),
        ]
        layout.heading(text("handin.used"), text("handin.used_note"))
        layout.html(tables.table(text("handin.used"), columns, names, "cf-figures cf-labelled"))

    # --- handing in -----------------------------------------------------------------------------

    def _hand_in(self, owed: list[Due]) -> None:
        text = self.text
        asked = {(one.dataset, str(one.period), one.department): None for one in owed}
        released = {
            (one.dataset, one.period, one.department): one
            for one in self.mine
            if one.state == "released"
        }
        every = [*asked, *(key for key in released if key not in asked)]
        layout.heading(text("handin.new"), text("handin.new_note"))
        if not every:
            layout.html(f'<p class="cf-note">{escape(text("handin.nothing"))}</p>')
            return
        dataset, period, department = st.selectbox(
            text("handin.which"),
            every,
            format_func=lambda key: self._choice(key, released),
            key="handin_which",
        )
        self._template(dataset, period)
        earlier = released.get((dataset, period, department))
        reason = st.text_input(text("handin.reason"), key="handin_reason") if earlier else ""
        upload = st.file_uploader(
            text("handin.file"),
            type=[self.catalog.datasets[dataset].format],
            max_upload_size=MOST_BYTES // 1_000_000,
            key=f"handin_file_{dataset}_{period}_{department}_{self.visitor.person.name}",
        )
        if upload is not None and (reason or not earlier):
            key = (upload.file_id, dataset, period, department, reason, self.visitor.person.name)
            self._tried(lambda: self._drafted(key, upload, earlier))
        elif upload is not None:
            st.info(text("handin.reason_first"))
        self._drafts()

    def _choice(self, key: Asked, released: dict[Asked, Submission]) -> str:
        """Dataset and period; for whom, where the person hands in for several."""
        dataset, period, name = key
        mark = f" ({self.text('handin.correction')})" if key in released else ""
        person, department = self.visitor.person, self.people.department(name)
        several = sum(map(person.answers_for, (d.name for d in self.people.departments))) > 1
        title = self.text.pick(department.title, department.title_en) if department else name
        whose = f" · {title}" if several else ""
        return f"{self._title(dataset)} · {self._period(period)}{whose}{mark}"

    def _template(self, dataset: str, period: str) -> None:
        entry = self.catalog.datasets[dataset]
        try:
            with current(self.settings) as build:
                content = template(self.catalog, entry, Period.parse(period), build)
        except NoTemplate as problem:
            self._say(problem)
            return
        st.download_button(
            self.text("handin.template"),
            data=content,
            file_name=f"{dataset}_{period}.xlsx".replace("/", "_"),
            mime=EXCEL,
            on_click="ignore",
            icon=":material/download:",
        )

    def _drafted(
        self,
        key: tuple[str, ...],
        upload: Any,
        earlier: Submission | None,
    ) -> None:
        """Keep an uploaded file as a draft, once: the script runs again at every touch."""
        if st.session_state.get("handin_kept") == key:
            return
        _, dataset, period, department, reason, _ = key
        who = department_of(self.people, self.visitor.person, dataset, department)
        one = self.store.draft(
            self.visitor.actor,
            self.catalog.datasets[dataset],
            who.name,
            Period.parse(period),
            name=upload.name,
            content=upload.getvalue(),
            corrects=earlier.number if earlier else None,
            reason=reason,
        )
        st.session_state["handin_kept"] = key
        self.mine = self._of_mine()
        st.session_state["handin_draft"] = one.number

    def _drafts(self) -> None:
        """The verdict on a draft, and the button that hands it in."""
        drafts = [one.number for one in self.mine if one.state == "draft"]
        if not drafts:
            return
        if st.session_state.get("handin_draft") not in drafts:
            st.session_state["handin_draft"] = drafts[-1]
        number = st.selectbox(
            self.text("handin.draft"), drafts, format_func=self._named, key="handin_draft"
        )
        seen = self._seen(number)
        if seen is None:
            return
        self._verdict(seen)
        if not seen.verdict.takes:
            return
        day = st.date_input(
            self.text("handin.release_on"),
            value=self.reader.today,
            min_value=self.reader.today,
            format="DD/MM/YYYY",
        )
        if st.button(self.text("handin.submit"), type="primary"):
            self._step(
                lambda: self.store.take(
                    "submitted",
                    number,
                    self.visitor.actor,
                    verdict=seen.verdict.summary(),
                    release_on=f"{day}",
                )
            )

    # --- the verdict ----------------------------------------------------------------------------

    def _seen(self, number: str) -> Seen | None:
        """The verdict of this session on a file, found once a build and language.

        What the file says by itself is shown while that what it would move is still worked out.
        """
        key = (number, self.reader.build.name, self.reader.lang, self.reader.today)
        kept = st.session_state.setdefault(SEEN, {})
        if key not in kept:
            early = st.empty()
            with st.spinner(self.text("handin.reading")):
                self._tried(lambda: kept.update({key: self._look(number, early)}))
            early.empty()
        found: Seen | None = kept.get(key)
        return found

    def _look(self, number: str, early: Any) -> Seen:
        one = self.store.one(number)

        def show(verdict: Verdict) -> None:
            with early.container():
                self._verdict(Seen(one, verdict, None))

        with tempfile.TemporaryDirectory(prefix="foresight-") as folder:
            path = Path(folder) / "marked.xlsx"
            seen = look(
                self.catalog,
                self.settings,
                self.store,
                one,
                today=self.reader.today,
                language=self._language,
                marked=path,
                read=show,
            )
            return replace(seen, marked=path.read_bytes() if path.exists() else None)

    def _verdict(self, seen: Seen) -> None:
        text, notation, verdict = self.text, self.reader.notation, seen.verdict
        counts = {
            name: notation.number(getattr(verdict, name))
            for name in ("records", "accepted", "rejected")
        }
        told = "handin.stopped" if verdict.problems else "handin.takes"
        layout.heading(text(told, **counts), text("handin.verdict_note"))
        for problem in verdict.beyond_cells:
            self._say(problem)
        if verdict.beyond_cells != verdict.problems:
            st.error(text("handin.too_many", cells=len(verdict.cells) + verdict.more))
        if verdict.cells:
            self._cells(seen)
        if verdict.untold:
            st.info(text("handin.untold", why=self._words(verdict.untold)))
        if seen.moves:
            self._moves(seen)

    def _cells(self, seen: Seen) -> None:
        text, verdict = self.text, seen.verdict
        columns = [
            Column(text("handin.cell"), lambda c: escape(c.cell or str(c.record)), "subject"),
            Column(text("handin.column"), lambda c: escape(c.column)),
            Column(text("handin.found"), lambda c: escape(self._found(c)), "wide"),
            Column(
                text("handin.problem"),
                lambda c: f"{escape(c.problem)}<br><small>{escape(c.expected)}</small>",
                "wide",
            ),
        ]
        layout.html(
            tables.table(text("handin.cells"), columns, verdict.cells, "cf-figures cf-labelled")
        )
        if verdict.more:
            layout.html(f'<p class="cf-note">{escape(text("handin.more", count=verdict.more))}</p>')
        if seen.marked:
            self._marked(seen, seen.marked)

    def _marked(self, seen: Seen, content: bytes) -> None:
        st.download_button(
            self.text("handin.marked"),
            data=content,
            file_name=f"{seen.submission.number}.can-sua.xlsx",
            mime=EXCEL,
            on_click="ignore",
            icon=":material/download:",
            key=f"marked_{seen.submission.number}",
        )

    def _found(self, cell: Any) -> str:
        if cell.hidden:
            return self.text("handin.hidden")
        return (cell.found or self.text("handin.empty"))[:200]

    def _moves(self, seen: Seen) -> None:
        text, moves = self.text, seen.moves
        if moves is None:
            return
        figures = moves.figures
        added, withdrawn = figures["before"].null_count(), figures["after"].null_count()
        sums = {"added": added, "withdrawn": withdrawn}
        sums["changed"] = len(figures) - added - withdrawn
        layout.heading(
            text("handin.moves", **sums), text("handin.moves_note", forecasts=moves.forecasts)
        )
        if 0 < len(figures) <= FIGURES_SHOWN:
            self._figures(text("handin.figures"), figures)
        else:
            self._counts(moves.preview.by_indicator())
            most = figures.drop_nulls(["before", "after"]).head(FIGURES_SHOWN)
            if not most.is_empty():
                self._figures(text("handin.changing"), most)
        for target, before, after in moves.targets:
            was = text(f"state.{before}") if before else "–"
            said = text("handin.target", target=self._target(target))
            layout.html(f"<p>{escape(f'{said}: {was} → ' + text(f'state.{after}'))}</p>")
        for _, _, sentence in moves.alerts:
            st.warning(text("handin.would_ring", said=sentence))
        for wrong in moves.preview.anomalies[:FIGURES_SHOWN]:
            st.warning(text.pick(wrong.words_vi, wrong.words_en))

    def _counts(self, counts: pl.DataFrame) -> None:
        """How many figures would move, by indicator."""
        text, notation = self.text, self.reader.notation

        def counted(name: str) -> Column:
            return Column(text(f"handin.{name}"), lambda row: notation.number(row[name]), "number")

        columns = [
            Column(
                text("handin.indicator"),
                lambda row: escape(self._indicator(row["indicator"])),
                "subject",
            ),
            *map(counted, ("added", "changed", "withdrawn")),
        ]
        layout.html(
            tables.table(
                text("handin.figures"), columns, counts.to_dicts(), "cf-figures cf-labelled"
            )
        )

    def _figures(self, title: str, figures: pl.DataFrame) -> None:
        """Figures as they stand and as they would."""
        text, notation = self.text, self.reader.notation
        areas = dict(self.catalog.map.areas.select("code", "name").iter_rows())

        def value(name: str) -> Column:
            return Column(
                text(f"handin.{name}"), lambda row: notation.number(row[name], 2), "number"
            )

        columns = [
            Column(
                text("handin.indicator"),
                lambda row: escape(self._measured(row["indicator"])),
                "subject",
            ),
            Column(text("handin.area"), lambda row: escape(areas.get(row["area"], row["area"]))),
            Column(text("handin.period"), self._span),
            value("before"),
            value("after"),
        ]
        layout.html(tables.table(title, columns, figures.to_dicts(), "cf-figures cf-labelled"))

    # --- checking -------------------------------------------------------------------------------

    def _check(self) -> None:
        text, me = self.text, self.visitor.actor
        waiting = [one for one in self.mine if one.state == "submitted"]
        for_me = [one for one in waiting if not made_by(me, one)]
        layout.heading(text("handin.queue", count=len(for_me)), text("handin.queue_note"))
        if len(for_me) < len(waiting):
            own = text("handin.queue_own", count=len(waiting) - len(for_me))
            layout.html(f'<p class="cf-note">{escape(own)}</p>')
        if not for_me:
            return
        number = st.selectbox(
            text("handin.to_check"),
            [one.number for one in for_me],
            format_func=self._named,
            key="handin_check",
        )
        one = next(one for one in for_me if one.number == number)
        day = self.reader.notation.date(one.release_on)
        layout.html(f'<p class="cf-note">{escape(text("handin.released_from", day=day))}</p>')
        seen = self._seen(number)
        if seen is None:
            return
        self._verdict(seen)
        st.download_button(
            text("handin.original"),
            data=lambda: self.store.vault.path(one.file.sha256).read_bytes(),
            file_name=one.file.name,
            on_click="ignore",
            icon=":material/download:",
        )
        reason = st.text_input(text("handin.return_reason"), key="handin_return_reason")
        with st.container(horizontal=True):
            if st.button(text("handin.approve"), type="primary"):
                self._step(
                    lambda: self.store.take(
                        "approved", number, self.visitor.actor, sha256=one.file.sha256
                    )
                )
            if st.button(text("handin.return")):
                self._step(
                    lambda: self.store.take("returned", number, self.visitor.actor, reason=reason)
                )

    def _further(self) -> None:
        """Release what is approved; take back what should not be there."""
        text = self.text
        approved = [one for one in self.mine if one.state == "approved"]
        publisher = "publisher" in self.visitor.person.roles
        standing = [one for one in self.mine if one.state not in ("withdrawn", "corrected")]
        if not standing:
            return
        layout.heading(text("handin.further"), text("handin.further_note"))
        if approved and publisher:
            number = st.selectbox(
                text("handin.to_release"),
                [one.number for one in approved],
                format_func=self._named,
                key="handin_release",
            )
            if st.button(text("handin.release")):
                self._step(lambda: self._release(number))
        number = st.selectbox(
            text("handin.to_withdraw"),
            [one.number for one in standing],
            index=None,
            format_func=self._named,
            placeholder=text("handin.choose"),
            key="handin_withdraw",
        )
        reason = st.text_input(text("handin.withdraw_reason"), key="handin_withdraw_reason")
        if number and st.button(text("handin.withdraw")):
            self._step(lambda: self._withdraw(number, reason))

    def _release(self, number: str) -> Submission:
        return release(
            self.catalog,
            self.settings,
            self.store,
            number,
            self.visitor.actor,
        )

    def _withdraw(self, number: str, reason: str) -> Submission:
        one = self.store.take("withdrawn", number, self.visitor.actor, reason=reason)
        return settle_after(self.catalog, self.settings, self.store, one)

    # --- what became of it ----------------------------------------------------------------------

    def _history(self) -> None:
        text = self.text
        layout.heading(text("handin.history", count=len(self.mine)), text("handin.history_note"))
        columns = [
            Column(
                text("handin.state"),
                lambda one: tables.chip(text(f"handin_state.{one.state}"), KINDS[one.state]),
            ),
            Column(
                text("handin.submission"), lambda one: escape(self._named(one.number)), "subject"
            ),
            Column(text("handin.steps"), self._steps, "wide"),
        ]
        newest = list(reversed(self.mine))
        if newest:
            layout.html(
                tables.table(text("handin.submissions"), columns, newest, "cf-figures cf-labelled")
            )
            entries = self.store.journal.entries()
            own = {one.number for one in self.mine}
            st.download_button(
                text("handin.audit"),
                data=exported(entries, own).encode(),
                file_name="audit.jsonl",
                mime="application/jsonl",
                on_click="ignore",
                icon=":material/download:",
            )

    def _steps(self, one: Submission) -> str:
        lines = []
        for entry in one.steps:
            day, hour = self.reader.notation.date(local_day(entry.at)), local_hour(entry.at)
            step = self.text(f"handin_step.{entry.step}")
            reason = entry.detail.get("reason")
            if entry.step == "held":
                reason = translated(str(reason), self._language)
            if entry.detail.get("replaced"):
                reason = self.text("handin.replaced")
            if day_told := entry.detail.get("release_on"):
                when = self.reader.notation.date(dt.date.fromisoformat(day_told))
                reason = self.text("handin.released_from", day=when)
            words = f": {reason}" if reason else ""
            lines.append(escape(f"{day} {hour}, {entry.who} ({entry.origin}): {step}{words}"))
        return "<br>".join(f"<small>{line}</small>" for line in lines)

    # --- words ----------------------------------------------------------------------------------

    @property
    def _language(self) -> Language:
        return next((known for known in LANGUAGES if known == self.reader.lang), "vi")

    def _title(self, dataset: str) -> str:
        entry = self.catalog.datasets.get(dataset)
        return self.text.pick(entry.title, entry.title_en) if entry else dataset

    def _indicator(self, name: str) -> str:
        entry = self.catalog.indicators.get(name)
        return self.text.pick(entry.title, entry.title_en) if entry else name

    def _measured(self, name: str) -> str:
        """An indicator with its unit."""
        entry = self.catalog.indicators.get(name)
        unit = self.text.pick(entry.unit, entry.unit_en or entry.unit) if entry else ""
        return ", ".join(filter(None, [self._indicator(name), unit]))

    def _target(self, name: str) -> str:
        entry = next((one for one in self.catalog.all_targets if one.name == name), None)
        return self.text.pick(entry.title, entry.title_en) if entry else name

    def _period(self, period: str) -> str:
        return Period.parse(period).label(self._language)

    def _span(self, row: Any) -> str:
        """Of which period a figure is."""
        return escape(Period.between(row["period"], row["period_end"]).label(self._language))

    def _named(self, number: str) -> str:
        one = next(one for one in self.mine if one.number == number)
        named = f"{number} · {self._title(one.dataset)} · {self._period(one.period)}"
        return f"{named} · v{one.version} · {one.file.name}"

    def _words(self, problem: ForesightError) -> str:
        return translated(problem.problem, self._language)

    def _say(self, problem: ForesightError) -> None:
        hint = translated(problem.hint, self._language)
        st.error(f"{self._words(problem)}\n\n{hint}" if hint else self._words(problem))

    # --- steps ----------------------------------------------------------------------------------

    def _tried(self, step: Callable[[], None]) -> bool:
        """Do it, and tell what of the user's world went wrong."""
        try:
            step()
        except ForesightError as error:
            several: Iterable[ForesightError] = (
                error.problems if isinstance(error, Problems) else [error]
            )
            for problem in several:
                self._say(problem)
            return False
        return True

    def _step(self, step: Callable[[], Submission]) -> None:
        """Take a step and draw the page anew, with what was done at its head."""
        done: list[Submission] = []
        if self._tried(lambda: done.append(step())):
            state = self.text(f"handin_state.{done[0].state}")
            st.session_state[DONE] = f"{done[0].number}: {state}"
            st.rerun()
