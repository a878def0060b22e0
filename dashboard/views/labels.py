"""The part of the workload page on petitions and calls: what is expected, and their classifier.

By topic of the city or of one commune; and whether those who label them are still the same.
"""

from html import escape
from typing import Any

import streamlit as st

from dashboard import layout, tables
from dashboard.alerts import Teller
from dashboard.filters import choose
from dashboard.published import CITY
from dashboard.queries import labels
from dashboard.reader import Reader
from dashboard.tables import Column
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
    _expected(reader, dataset, title)
    layout.heading(text("load.labels", title=title), note)
    layout.html("".join(f"<p>{escape(line)}</p>" for line in said(reader, dataset, seen)))


def _expected(reader: Reader, dataset: Dataset, title: str) -> None:
    """The next month by topic, of the city or of a commune; nothing where none is forecast."""
    if expected(reader, dataset, CITY):
        layout.heading(reader.text("load.topics", title=title), reader.text("load.topics_note"))
        # Another commune runs this part alone.
        st.fragment(_topics)(reader, dataset, title)


def _topics(reader: Reader, dataset: Dataset, title: str) -> None:
    text = reader.text
    names = {CITY: text("communes.everywhere")}
    names |= {row["code"]: row["name"] for row in reader.rows("communes").to_dicts()}
    area = choose(f"topics_{dataset.name}", text("load.commune"), list(names), names.__getitem__)
    rows = expected(reader, dataset, area)
    layout.html(
        tables.table(text("load.topics", title=title), topic_columns(reader, dataset), rows)
    )


def expected(reader: Reader, dataset: Dataset, area: str) -> list[dict[str, Any]]:
    """Rows of `topics_expected.sql` of the number that the dataset counts."""
    (indicator, *_) = dataset.delivered
    return reader.rows("topics_expected", indicator=indicator, area=area).to_dicts()


def topic_columns(reader: Reader, dataset: Dataset) -> list[Column]:
    """Topic, newest month, next month, and what is expected of it with its range."""
    text, notation = reader.text, reader.notation
    field = next(field for field in dataset.schema_.fields if field.name == "category")
    topics = {one.value: text.pick(one.label, one.label_en) for one in field.categories}

    def ahead(row: dict[str, Any]) -> str:
        band = notation.interval(row["lower"], row["upper"])
        return f"{notation.rounded(row['expected'])}<br><small>{band}</small>"

    def month(row: dict[str, Any]) -> str:
        return notation.month(row["period"])

    return [
        Column(text("load.topic"), lambda row: escape(topics.get(row["category"]) or ""), "name"),
        Column(text("load.month_before"), lambda row: notation.number(row["before"]), "number"),
        Column(text("load.month_ahead"), month),
        Column(text("load.month_expected"), ahead, "number strong"),
    ]


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
