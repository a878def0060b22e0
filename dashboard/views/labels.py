"""The part of the workload page on petitions and calls: is their classifier still the same?"""

from html import escape

from dashboard import layout
from dashboard.alerts import Teller
from dashboard.queries import labels
from dashboard.reader import Reader
from etl.catalog import Dataset
from forecasts.decisions.alert_rules import label_alert
from forecasts.decisions.contacts import BEFORE, HIGH_OTHER, RATE, Watched, classified

SHOWN = 5
"""Findings told, newest first."""


def draw(reader: Reader) -> None:
    """Of every dataset whose topics are labels of a classifier: share "other", and findings."""
    for dataset in classified(reader.build.catalog):
        seen = labels(reader.build, dataset.name, reader.today)
        if seen.weeks and dataset.simulated:
            with layout.simulated_section(reader.text, f"labels_{dataset.name}"):
                _found(reader, dataset, seen)
        elif seen.weeks:
            _found(reader, dataset, seen)


def _found(reader: Reader, dataset: Dataset, seen: Watched) -> None:
    text, notation = reader.text, reader.notation
    title = text.pick(dataset.title, dataset.title_en)
    note = text(
        "load.labels_note",
        weeks=notation.number(len(seen.weeks)),
        rate=notation.share(100 * RATE, 0),
    )
    layout.heading(text("load.labels", title=title), note)
    layout.html("".join(f"<p>{escape(line)}</p>" for line in said(reader, dataset, seen)))


def said(reader: Reader, dataset: Dataset, seen: Watched) -> list[str]:
    """The share without a topic, then each finding as it rings, newest first."""
    text, notation = reader.text, reader.notation
    teller = Teller(text, reader.build.catalog, {})
    alerts = [
        label_alert(dataset.name, dataset.simulated, one, seen.tested) for one in seen.findings
    ]
    other = text(
        "load.labels_other",
        weeks=BEFORE,
        share=notation.share(None if seen.other is None else 100 * seen.other, 0),
        high=notation.share(100 * HIGH_OTHER, 0),
    )
    told = [
        text("load.labels_found", topic=teller.topic(one), said=teller.sentence(one))
        for one in reversed(alerts[-SHOWN:])
    ]
    return [other, *(told or [text("load.labels_none")])]
