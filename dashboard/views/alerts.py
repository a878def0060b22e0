"""Early warning: what to look at this week, what is behind it, and how far rules can be trusted.

Here too somebody says what was done with an alert; it is written as the command writes it.
"""

import datetime as dt
from html import escape

import polars as pl
import streamlit as st

from dashboard import layout, tables
from dashboard.alerts import SHAPES, Teller, place_names
from dashboard.five_things import address, listed, of_the_work, page_of_work
from dashboard.reader import Reader
from dashboard.tables import Column
from dashboard.who import known, person, sign_on, typed
from etl.clock import local_day
from etl.errors import ForesightError
from etl.translation import translated
from forecasts.decisions.alert_log import SYSTEM, WORDS, Kept, for_reader, possible, record_in
from forecasts.decisions.alert_replay import Replayed, allowed
from forecasts.decisions.alerts import OF_DATASETS

TOLD = "alerts_told"
"""Where the next run finds what to say of the step just taken."""
LONGEST = 4000
KINDS = {"opened": "bad", "acknowledged": "warning", "explained": "good", "closed": ""}


def draw(reader: Reader) -> None:
    """The page, for the first reader of the catalog."""
    text, catalog = reader.text, reader.build.catalog
    teller = Teller(text, catalog, place_names(reader.rows("area_names"), text))
    kept = reader.build.alerts
    who = catalog.alerts.readers[0]
    shown, behind = for_reader(kept, who, reader.today)
    lead = text("alerts.lead", open=len(shown + behind), shown=len(shown), behind=len(behind))
    layout.head(reader, text("alerts.title"), lead if shown or behind else "")
    if shown or behind:
        layout.heading(text("alerts.week"), text("alerts.week_note"))
        _table(reader, teller, text("alerts.week"), shown)
    else:
        layout.heading(text("alerts.none"), text("alerts.none_note"))
    if behind:
        layout.heading(text("alerts.behind"), text("alerts.behind_note", budget=who.budget))
        _table(reader, teller, text("alerts.behind"), behind)
    _steps(reader, teller, [one for one in kept if one.open])
    closed = [one for one in kept if not one.open and not one.alert.simulated]
    if closed:
        layout.heading(text("alerts.done"))
        _table(reader, teller, text("alerts.done"), closed)
    _rules(reader, teller, simulated=False)
    if kept:
        rows = [teller.record(one) for one in kept]
        layout.download(reader, "alerts", lambda: pl.DataFrame(rows, infer_schema_length=None))
    _simulated(reader, teller, [one for one in kept if one.alert.simulated])


def _simulated(reader: Reader, teller: Teller, kept: list[Kept]) -> None:
    text = reader.text
    if not kept and not any(one.simulated and one.outcomes for one in reader.build.replays):
        return
    with layout.simulated_section(text, "alerts"):
        layout.heading(text("alerts.simulated"), text("alerts.simulated_note"))
        if kept:
            _table(reader, teller, text("alerts.simulated"), kept)
        _rules(reader, teller, simulated=True)


# --- what is done with an alert ---------------------------------------------------------------


def _steps(reader: Reader, teller: Teller, kept: list[Kept]) -> None:
    """Acknowledge, ask, explain or close one of the open alerts; real ones stand first."""
    text = reader.text
    told = st.session_state.pop(TOLD, "")
    if kept:
        layout.heading(text("alerts.step"), text("alerts.step_note"))
    if told:
        layout.html(f'<p class="cf-lead" role="status">{escape(told)}</p>')
    if not kept:
        return
    by_key = {one.alert.key: one for one in sorted(kept, key=lambda one: one.alert.simulated)}
    if st.session_state.get("alert") not in by_key:
        st.session_state.pop("alert", None)
    key = st.selectbox(
        text("alerts.subject"), list(by_key), key="alert",
        format_func=lambda one: _named(reader, teller, by_key[one]),
    )  # fmt: skip
    _form(reader, teller, by_key[key])


def _named(reader: Reader, teller: Teller, one: Kept) -> str:
    text = reader.text
    mark = f" ({text('simulated.short')})" if one.alert.simulated else ""
    state = text(f"alert_state.{one.state}")
    return f"{teller.subject(one.alert)}{mark}: {text(f'alert_rule.{one.alert.rule}')}, {state}"


def _form(reader: Reader, teller: Teller, one: Kept) -> None:
    text = reader.text
    layout.html(f"<p>{escape(teller.sentence(one.alert))}</p>")
    sign_on(text)
    visitor = person()
    if visitor is None and known():
        layout.html(f'<p class="cf-note">{escape(text("alerts.nobody"))}</p>')
        return
    with st.form("alert_step", clear_on_submit=True):
        event = st.radio(
            text("alerts.to_do"), possible(one), key="alert_event", horizontal=True,
            format_func=lambda name: text(f"alert_step.{name}"),
        )  # fmt: skip
        words = st.text_area(text("alerts.words"), key="alert_words", max_chars=LONGEST)
        who = visitor.person.title if visitor else typed(text)
        pressed = st.form_submit_button(text("alerts.note"))
    if not pressed:
        return
    now = dt.datetime.now(tz=dt.UTC)
    try:
        done = record_in(
            reader.build.home, one.alert.key, event,
            who=who, text=words if event in WORDS else "", now=now,
        )  # fmt: skip
    except (ForesightError, OSError) as error:
        problem = error.problem if isinstance(error, ForesightError) else str(error)
        st.session_state[TOLD] = translated(problem, "en" if reader.lang == "en" else "vi")
    else:
        noted = text("alerts.noted", state=text(f"alert_event.{event}"))
        st.session_state[TOLD] = " ".join(teller.request(done)) if event == "asked" else noted
    st.rerun()


def _table(reader: Reader, teller: Teller, caption: str, kept: list[Kept]) -> None:
    text = reader.text
    columns = [
        Column(text("alerts.state"), lambda one: _state(reader, one)),
        Column(text("alerts.subject"), lambda one: _subject(reader, teller, one), "subject"),
        Column(text("alerts.said"), lambda one: escape(teller.sentence(one.alert)), "wide"),
        Column(text("alerts.history"), lambda one: _history(reader, one), "wide"),
    ]
    layout.html(tables.table(caption, columns, kept, "cf-figures cf-labelled"))


def _state(reader: Reader, one: Kept) -> str:
    word = f"{SHAPES[one.state]} {reader.text(f'alert_state.{one.state}')}"
    return tables.chip(word, KINDS[one.state])


def _subject(reader: Reader, teller: Teller, one: Kept) -> str:
    text = reader.text
    rule = escape(text(f"alert_rule.{one.alert.rule}"))
    named = text("alerts.owner", owner=teller.owner(one.alert))
    marks = tables.chip(text("simulated.short"), "warning") if one.alert.simulated else ""
    title, page = escape(teller.subject(one.alert)), _page_of(reader, one)
    named_so = f'<a target="_self" href="{escape(page)}">{title}</a>'
    return f"{named_so}<br><small>{rule}. {escape(named)}</small> {marks}".strip()


def _page_of(reader: Reader, one: Kept) -> str:
    """Where what rang is shown: its dataset, its indicator, or the work it is part of."""
    name = one.alert.subject
    if one.alert.rule in OF_DATASETS:
        return address(reader, "data")
    if name in listed(reader):
        return address(reader, "indicators", indicator=name)
    work = of_the_work(reader.build.catalog, name)
    return page_of_work(reader, name) if work else address(reader, "communes")


def _history(reader: Reader, one: Kept) -> str:
    """Who did what, when, in which words; the answer beside the question."""
    lines = []
    for entry in one.log:
        day = reader.notation.date(local_day(entry.at))
        event = reader.text(f"alert_event.{entry.event}")
        words = f": {entry.text}" if entry.text else ""
        who = reader.text("alerts.system") if entry.who == SYSTEM else entry.who
        lines.append(escape(f"{day}, {who}: {event}{words}"))
    return "<br>".join(f"<small>{line}</small>" for line in lines)


def _rules(reader: Reader, teller: Teller, *, simulated: bool) -> None:
    text, notation = reader.text, reader.notation
    replays = reader.build.replays
    may, off = allowed(replays), reader.build.catalog.alerts.off
    mine = [one for one in replays if one.simulated == simulated]

    def switched(one: Replayed) -> str:
        ringing = (one.rule, one.simulated) in may and one.rule not in off
        return tables.chip(
            text("alerts.switched_on" if ringing else "alerts.switched_off"), "good" * ringing
        )

    def base(one: Replayed) -> str:
        return notation.share(None if one.base is None else 100 * one.base, 0)

    columns = [
        Column(text("alerts.rule"), lambda one: escape(text(f"alert_rule.{one.rule}")), "subject"),
        Column(text("alerts.state"), switched),
        Column(text("alerts.replay"), lambda one: escape(teller.replayed(one)), "wide"),
        Column(text("alerts.looked"), lambda one: notation.number(one.outcomes), "number minor"),
        Column(text("alerts.base"), base, "number minor"),
    ]
    if mine:
        layout.heading(text("alerts.rules"), text("alerts.rules_note"))
        layout.html(tables.table(text("alerts.rules"), columns, mine, "cf-labelled"))
