"""The part of the workload page on petitions and calls: what is expected, and their classifier.

By topic of the city or of one commune; and whether those who label them are still the same.
"""

from html import escape
from typing import Any

import polars as pl
import streamlit as st

from dashboard import layout, tables
from dashboard.alerts import Teller, labels_said
from dashboard.filters import choose
from dashboard.published import CITY
from dashboard.queries import labels
from dashboard.reader import Reader
from dashboard.tables import Column
from etl.catalog import Dataset
from forecasts.decisions.contacts import RATE, Watched, classified
from forecasts.decisions.topics import ALL

NARROW = 3
"""Weeks that a telephone shows side by side."""
FEW = 10
"""Petitions below which what is expected keeps a decimal."""


def draw(reader: Reader, ahead: pl.DataFrame | None = None) -> None:
    """Of every dataset whose topics are labels of a classifier: what is expected, share "other",
    and findings. `ahead` has the days and weeks of `topics.soon`, where they are worked out."""
    for dataset in classified(reader.build.catalog):
        seen = labels(reader.build, dataset.name, reader.today)
        if seen.weeks and dataset.simulated:
            with layout.simulated_section(reader.text, f"labels_{dataset.name}"):
                _found(reader, dataset, seen, ahead)
        elif seen.weeks:
            _found(reader, dataset, seen, ahead)


def _found(reader: Reader, dataset: Dataset, seen: Watched, ahead: pl.DataFrame | None) -> None:
    text, notation = reader.text, reader.notation
    title = text.pick(dataset.title, dataset.title_en)
    note = text(
        "load.labels_note",
        weeks=notation.number(len(seen.weeks)),
        rate=notation.share(100 * RATE, 0),
    )
    _expected(reader, dataset, title, ahead)
    layout.heading(text("load.labels", title=title), note)
    said = labels_said(Teller(text, reader.build.catalog, {}), dataset, seen)
    layout.html("".join(f"<p>{escape(line)}</p>" for line in said))


def _expected(reader: Reader, dataset: Dataset, title: str, ahead: pl.DataFrame | None) -> None:
    """What is ahead by topic, of the city or of a commune; nothing where none is forecast."""
    if expected(reader, dataset, CITY):
        layout.heading(reader.text("load.topics", title=title), reader.text("load.topics_note"))
        # Another commune runs this part alone.
        st.fragment(_topics)(reader, dataset, title, ahead)


def _topics(reader: Reader, dataset: Dataset, title: str, ahead: pl.DataFrame | None) -> None:
    text = reader.text
    names = {CITY: text("communes.everywhere")}
    names |= {row["code"]: row["name"] for row in reader.rows("communes").to_dicts()}
    area = choose(f"topics_{dataset.name}", text("load.commune"), list(names), names.__getitem__)
    rows = expected(reader, dataset, area)
    if rows:
        columns = topic_columns(reader, dataset, rows)
        layout.html(tables.table(text("load.topics", title=title), columns, rows))
    else:
        layout.html(f'<p class="cf-note">{escape(text("load.topics_untold"))}</p>')
    if ahead is None:
        return
    mine = of_area(ahead, dataset, area)
    if mine.is_empty():
        return
    fold = st.expander(text("load.topics_soon"), key=f"soon_{dataset.name}", on_change="rerun")
    if fold.open:
        with fold:
            _weeks(reader, dataset, mine)
            _days(reader, dataset, mine)
            layout.download(
                reader, f"topics_{dataset.name}", lambda: mine, simulated=dataset.simulated
            )


def of_area(ahead: pl.DataFrame, dataset: Dataset, area: str) -> pl.DataFrame:
    """The rows of `topics.soon` of a dataset, in a commune or the city."""
    return ahead.filter(
        pl.col("dataset") == dataset.name, pl.col("area").eq_missing(None if area == CITY else area)
    )


def _weeks(reader: Reader, dataset: Dataset, ahead: pl.DataFrame) -> None:
    """One row a topic, one column a week."""
    text = reader.text
    weeks = ahead.filter(by="week")
    told = weeks.partition_by("topic", maintain_order=True)
    rows = [{"topic": one["topic"][0], "weeks": one.to_dicts()} for one in told]
    names = topic_names(reader, dataset)

    def week(at: int) -> Column:
        monday = reader.notation.date(weeks["period"].unique().sort()[at])
        return Column(
            text("load.week_of", day=monday),
            lambda row: ranged(reader, row["weeks"][at]),
            # A telephone has room for three weeks.
            "number least" if at >= NARROW else "number",
        )

    columns = [
        Column(text("load.topic"), lambda row: escape(names[row["topic"]]), "name"),
        *(week(at) for at in range(weeks["period"].n_unique())),
    ]
    title = text("load.topics_by_week")
    layout.heading(title, text("load.topics_by_week_note"))
    layout.html(tables.table(title, columns, rows))


def _days(reader: Reader, dataset: Dataset, ahead: pl.DataFrame) -> None:
    """The next two weeks of one topic, or of all, day by day."""
    text = reader.text
    names = topic_names(reader, dataset)
    order = [ALL, *(name for name in names if name != ALL)]
    topic = choose(f"topic_{dataset.name}", text("load.topic"), order, names.__getitem__)
    rows = ahead.filter(by="day", topic=topic).to_dicts()
    columns = [
        Column(text("load.day"), lambda row: reader.notation.weekday(row["period"]), "name"),
        Column(text("load.month_expected"), lambda row: ranged(reader, row), "number"),
    ]
    layout.html(tables.table(text("load.topics_by_day"), columns, rows, "cf-days"))


def ranged(reader: Reader, row: dict[str, Any]) -> str:
    """What is expected and, small, its range; a star where split off, a dash where untold."""
    notation = reader.notation
    if row["basis"] is None:
        return "–"
    band = notation.interval(round(row["lower"]), round(row["upper"]))
    mark = "*" if row["basis"] == "split" else ""
    count = row["expected"]
    told = notation.rounded(round(count) if count >= FEW else round(count, 1))
    return f"{told}{mark}<br><small>{band}</small>"


def topic_names(reader: Reader, dataset: Dataset) -> dict[str, str]:
    """What each topic is called, and all of them together."""
    field = next(field for field in dataset.schema_.fields if field.name == "category")
    named = {one.value: reader.text.pick(one.label, one.label_en) for one in field.categories}
    return named | {ALL: reader.text("load.topics_all")}


def expected(reader: Reader, dataset: Dataset, area: str) -> list[dict[str, Any]]:
    """Rows of `topics_expected.sql` of the number that the dataset counts."""
    (indicator, *_) = dataset.delivered
    return reader.rows("topics_expected", indicator=indicator, area=area).to_dicts()


def topic_columns(reader: Reader, dataset: Dataset, rows: list[dict[str, Any]]) -> list[Column]:
    """Topic, newest month, and what is expected of the next with its range."""
    text, notation = reader.text, reader.notation
    topics = topic_names(reader, dataset)
    newest = max(row["period"] for row in rows)

    def ahead(row: dict[str, Any]) -> str:
        band = notation.interval(row["lower"], row["upper"])
        other = "" if row["period"] == newest else f" · {notation.month(row['period'])}"
        return f"{notation.rounded(row['expected'])}<br><small>{band}{other}</small>"

    return [
        Column(text("load.topic"), lambda row: escape(topics.get(row["category"]) or ""), "name"),
        Column(text("load.month_before"), lambda row: notation.number(row["before"]), "number"),
        Column(text("load.month_ahead", month=notation.month(newest)), ahead, "number strong"),
    ]
