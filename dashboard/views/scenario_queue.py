"""On the page of scenarios: the queue of the offices, base beside scenario, worked out when asked.

It takes many seconds, so nobody waits for it who did not ask; what was worked out stays.
"""

from html import escape

import streamlit as st

from dashboard import layout, tables
from dashboard.reader import Reader
from dashboard.scenarios import between, queue_rows, signed
from dashboard.tables import Column
from forecasts.decisions.scenarios import Outcome
from forecasts.decisions.what_if_queue import Change, Queued, Told
from forecasts.decisions.workload import NoWorkload

ASKED = "queues_asked"


def worked_out(reader: Reader, outcome: Outcome) -> Queued | None:
    """The queue of a scenario where a reader had it worked out; it is not worked out here."""
    if outcome.settings not in st.session_state.get(ASKED, set()):
        return None
    try:
        return reader.build.queued(outcome.settings, reader.today)
    except NoWorkload:
        return None


def draw(reader: Reader, outcome: Outcome) -> Queued | None:
    """The queue of a scenario; None where nobody asked for it, or it cannot be worked out."""
    text = reader.text
    if reader.build.catalog.workload is None:
        return None
    asked = st.session_state.setdefault(ASKED, set())
    if outcome.settings not in asked:
        if not st.button(text("scenarios.queue_run"), help=text("scenarios.queue_note")):
            return None
        asked.add(outcome.settings)
    try:
        with st.spinner(text("scenarios.queue_working")):
            found = reader.build.queued(outcome.settings, reader.today)
    except NoWorkload:
        layout.heading(text("scenarios.queue_none"))
        return None
    table(reader, found, "scenarios.queue")
    return found


def table(reader: Reader, found: Told, title_key: str) -> None:
    """Base, scenario and difference of what is told, until a day."""
    text, notation = reader.text, reader.notation
    title = text(title_key, until=notation.date(found.until))
    layout.heading(title, text("scenarios.queue_note"))

    def difference(row: tuple[str, Change]) -> str:
        band = row[1][2]
        return f"{signed(band.middle, notation)}<br><small>{between(band, notation)}</small>"

    columns = [
        Column(text("scenarios.queue_what"), lambda row: escape(row[0]), "name"),
        Column(
            text("scenarios.base"), lambda row: notation.rounded(row[1][0].middle), "number minor"
        ),
        Column(
            text("scenarios.scenario"), lambda row: notation.rounded(row[1][1].middle), "number"
        ),
        Column(text("scenarios.difference"), difference, "number strong"),
    ]
    layout.html(tables.table(title, columns, queue_rows(found, text)))
