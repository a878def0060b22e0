"""What the forecast of one series is made of: a sentence, what changed, and more on request."""

from functools import partial
from html import escape
from typing import Any

from dashboard import layout, tables
from dashboard.made_of import Words
from dashboard.reader import Reader
from dashboard.tables import Column
from forecasts.explain import Explained, Series


def draw(reader: Reader, series: Series, unit: str) -> None:
    """The block under a chart with a forecast; nothing where there is none."""
    explained = reader.build.explained(series)
    if explained is None or not explained.steps[0].parts:
        return
    words, first = Words(reader.text, reader.notation, unit), explained.steps[0]
    lines = [words.sentence(explained, first)]
    if first.change:
        lines.append(words.change(first.change, first))
    told = "<br>".join(escape(line) for line in lines)
    title, more = escape(reader.text("made.title")), escape(reader.text("made.more"))
    layout.html(
        f'<p class="cf-note"><strong>{title}</strong><br>{told}</p>'
        f"<details><summary>{more}</summary>{_parts(reader, words, explained)}"
        f"{_errors(reader, words, explained)}</details>"
    )


def _parts(reader: Reader, words: Words, explained: Explained) -> str:
    heads, rows = words.rows(explained)
    columns = [
        Column(head, partial(_cell, key=at), "number" if at else "name")
        for at, head in enumerate(heads)
    ]
    caption = reader.text("made.parts_title", unit=words.unit)
    note = f'<p class="cf-note">{escape(reader.text("made.note"))}</p>'
    return tables.table(caption, columns, rows) + note


def _errors(reader: Reader, words: Words, explained: Explained) -> str:
    """At the first step ahead."""
    rows = words.misses(explained.steps[0].misses, explained.series.frequency)
    if not rows:
        return ""
    headings = {
        "period": reader.text("made.period"),
        "kind": reader.text("made.kind"),
        "said": reader.text("made.said"),
        "observed": reader.text("made.observed"),
        "error": reader.text("made.error"),
    }
    columns = [
        Column(title, partial(_cell, key=name), "" if name == "kind" else "number")
        for name, title in headings.items()
    ]
    title = reader.text("made.errors_title", steps=1, unit=words.unit)
    return tables.table(title, columns, rows)


def _cell(row: Any, *, key: int | str) -> str:
    return escape(row[key])
