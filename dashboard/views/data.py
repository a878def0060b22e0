"""Every dataset of the catalog, once: its age, rows and six words; and what was rejected."""

import datetime as dt
from html import escape
from typing import Any

import polars as pl

from dashboard import layout, tables
from dashboard.badge import KINDS, MARKS, Row, Word, badge, lineage, standing
from dashboard.reader import Reader
from dashboard.tables import Column
from etl.catalog import Dataset
from etl.rule_words import kind_of

REJECTED_SHOWN = 100_000
INDICATORS_SHOWN = 6
"""Links to the pages of the indicators of one dataset."""


def draw(reader: Reader) -> None:
    """The page."""
    text, catalog = reader.text, reader.build.catalog
    loads = {row["dataset"]: row for row in reader.rows("loads").to_dicts()}
    layout.head(reader, text("data.title"), escape(_answer(reader, loads)))
    rows = [(dataset, loads.get(dataset.name)) for dataset in catalog.resources]
    # What was never loaded first: it is why figures are missing elsewhere.
    rows.sort(key=lambda row: row[1] is not None)
    known = standing(reader)
    layout.heading(text("data.datasets", count=len(rows)), text("data.datasets_note"))
    layout.html("".join(_in_a_line(reader, row, known.get(row[0].name)) for row in rows))
    layout.download(reader, "datasets", lambda: _taken_away(reader, rows))
    _rejected(reader)
    layout.html(f'<div class="cf-foot"><p class="cf-note">{escape(text("data.reading"))}</p></div>')


Loaded = tuple[Dataset, dict[str, Any] | None]


def _answer(reader: Reader, loads: dict[str, dict[str, Any]]) -> str:
    notation = reader.notation
    total = {
        key: sum(row[key] or 0 for row in loads.values())
        for key in ("records", "rejected", "unreadable")
    }
    return reader.text(
        "data.answer",
        loaded=len(loads),
        records=notation.number(total["records"]),
        rejected=notation.number(total["rejected"] + total["unreadable"]),
    )


def _dataset(reader: Reader, dataset: Dataset) -> str:
    mark = tables.chip(reader.text("simulated.title"), "warning") if dataset.simulated else ""
    return f"{escape(reader.text.pick(dataset.title, dataset.title_en))} {mark}"


def _in_a_line(reader: Reader, row: Loaded, stands: Row | None) -> str:
    """A dataset in one line: how old, how much, its six words; opened, all that is known of it."""
    dataset, load = row
    words = badge(reader, dataset, stands)
    chips = "".join(_chip(reader, word) for word in words)
    told = [*_origin(reader, dataset, load), *(_word_told(reader, word) for word in words)]
    facts = "".join(f'<div role="listitem">{fact}</div>' for fact in told)
    return (
        f'<details class="cf-origin cf-badge"><summary><span class="row"><span class="of">'
        f'{_dataset(reader, dataset)}</span><span class="loaded">{_loaded(reader, load)}</span>'
        f'<span class="words">{chips}</span></span></summary>'
        f'<div role="list">{facts}</div>{_way(reader, dataset, stands)}</details>'
    )


def _origin(reader: Reader, dataset: Dataset, load: dict[str, Any] | None) -> list[str]:
    """Source, licence and last load, each under its name."""
    text, notation = reader.text, reader.notation
    day = notation.date(load["loaded_at"].date()) if load else text("data.never")
    told = {
        "figure.source": _source(reader, dataset),
        "data.licence": _licence(reader, dataset),
        "data.loaded": escape(day),
    }
    return [f"<b>{escape(text(key))}</b>: {said}" for key, said in told.items()]


def _source(reader: Reader, dataset: Dataset) -> str:
    publisher = reader.build.catalog.publisher_of(dataset)
    who = reader.text.pick(publisher.title, publisher.title_en) if publisher else ""
    if dataset.simulated:
        who = reader.text("simulated.not_real")
    title = dataset.sources[0].title or dataset.path
    return " · ".join(escape(part) for part in (title, who) if part)


def _licence(reader: Reader, dataset: Dataset) -> str:
    licence = reader.build.catalog.license_of(dataset)
    if licence is None or licence.name == "internal":
        return escape(reader.text("data.internal"))
    return tables.link(licence.name, licence.path)


def _loaded(reader: Reader, load: dict[str, Any] | None) -> str:
    """Until when a dataset speaks, how old that is, and its rows; that it was never loaded."""
    text, notation = reader.text, reader.notation
    if load is None:
        return tables.chip(text("data.never"), "warning")
    told = [_age(reader, load["last_day"])] if load["last_day"] else []
    told.append(escape(text("data.accepted", count=notation.number(load["accepted"]))))
    bad = (load["rejected"] or 0) + (load["unreadable"] or 0)
    rejected = escape(text("data.rejected_count", count=notation.number(bad)))
    told.append(f'<span class="cf-bad">{rejected}</span>' if bad else rejected)
    return " · ".join(told)


def _age(reader: Reader, last: dt.date) -> str:
    text, notation = reader.text, reader.notation
    days = (reader.today - last).days
    old = text("figure.age", age=notation.age(days)) if days >= 0 else text("data.ahead")
    return escape(f"{text('data.until', day=notation.date(last))} · {old}")


def _word_told(reader: Reader, word: Word) -> str:
    """One of the six words with its facts."""
    named = f"{MARKS[word.state]} {escape(reader.text(f'badge.{word.name}'))}"
    return f"<b>{named}</b>: {escape(' '.join(word.facts))}"


def _chip(reader: Reader, word: Word) -> str:
    said = escape(reader.text(f"badge.{word.name}"))
    state = escape(reader.text(f"badge.{word.state}"))
    hidden = f'<span class="cf-hidden">: {state}</span>'
    return f'<span class="cf-chip {KINDS[word.state]}">{MARKS[word.state]} {said}{hidden}</span> '


def _way(reader: Reader, dataset: Dataset, row: Row | None) -> str:
    """From file to figure, and links to the pages that show its indicators."""
    if row is None:
        return ""
    steps = [escape(step) for step in lineage(reader, dataset, row)]
    lang = "&lang=en" if reader.lang == "en" else ""
    pages = reader.rows("indicators").filter(pl.col("indicator").is_in(dataset.delivered))
    shown = [
        f'<a target="_self" href="indicators?indicator={one["indicator"]}{lang}">'
        f"{escape(reader.title(one))}</a>"
        for one in pages.head(INDICATORS_SHOWN).to_dicts()
    ]
    if shown:
        steps.append(f"{escape(reader.text('lineage.shown'))} {', '.join(shown)}")
    listed = "".join(f"<li>{step}</li>" for step in steps)
    return f"<div><b>{escape(reader.text('lineage.title'))}</b><ol>{listed}</ol></div>"


def _taken_away(reader: Reader, rows: list[Loaded]) -> pl.DataFrame:
    catalog = reader.build.catalog
    return pl.DataFrame(
        [
            {
                "dataset": dataset.name,
                "title": dataset.title,
                "source": dataset.sources[0].title,
                "licence": licence.name if (licence := catalog.license_of(dataset)) else None,
                **{key: (load or {}).get(key) for key in _LOAD},
                "simulated": dataset.simulated,
            }
            for dataset, load in rows
        ],
        infer_schema_length=None,
    )


_LOAD = (
    "loaded_at",
    "first_day",
    "last_day",
    "files",
    "records",
    "accepted",
    "rejected",
    "unreadable",
)


def _rejected(reader: Reader) -> None:
    """Rows not accepted, by the rule they broke, with one example of each."""
    text, notation = reader.text, reader.notation
    rules = reader.rows("rejected_rules")
    layout.heading(text("data.rejected"), text("data.rejected_note"))
    if rules.is_empty():
        layout.html(f'<p class="cf-note">{escape(text("data.rejected_none"))}</p>')
        return
    datasets = reader.build.catalog.datasets

    def rule(row: dict[str, Any]) -> str:
        known = datasets.get(row["dataset"])
        dataset = _dataset(reader, known) if known else escape(row["dataset"])
        return f"{_rule(reader, row)}<br><small>{dataset}</small>"

    columns = [
        Column(text("data.rule"), rule, "name"),
        Column(text("data.rows"), lambda row: notation.number(row["records"]), "number"),
        Column(text("data.example"), lambda row: _example(reader, row), "minor"),
    ]
    layout.html(tables.table(text("data.rejected"), columns, rules.to_dicts(), "tall"))
    layout.download(reader, "rejected", lambda: _rejected_rows(reader))


def _rule(reader: Reader, row: dict[str, Any]) -> str:
    """The rule's title where the catalog gives one; its name otherwise."""
    known = reader.build.catalog.datasets.get(row["dataset"])
    rule = next((r for r in known.rules if r.name == row["rule"]), None) if known else None
    title = reader.text.pick(rule.title, rule.title_en) if rule and rule.title else ""
    title = title or _plain(reader, row["rule"], row["field"])
    if not row["field"]:
        return escape(title)
    return f"{escape(title)} <small>({escape(_headed(reader, known, row['field']))})</small>"


def _headed(reader: Reader, dataset: Dataset | None, field: str) -> str:
    """What a column is called by those who fill it in: its title, else its heading in the file."""
    entries = dataset.schema_.fields if dataset else []
    entry = next((one for one in entries if one.name == field), None)
    if entry is None:
        return field
    said = reader.text.pick(entry.title, entry.title_en) or entry.spellings[0]
    return reader.text("data.column", name=said)


def _plain(reader: Reader, rule: str, field: str | None) -> str:
    """A rule every field can have, in words; its name where it is none of those."""
    kind = kind_of(rule, field)
    return rule if kind == "relation" else reader.text(f"rule.{kind}")


def _example(reader: Reader, row: dict[str, Any]) -> str:
    value = row["example"] or reader.text("data.empty_cell")
    place = reader.text(
        "data.place", file=row["file"], record=reader.notation.number(row["record"])
    )
    return f"<code>{escape(value)}</code> <small>{escape(place)}</small>"


def _rejected_rows(reader: Reader) -> pl.DataFrame:
    simulated = [d.name for d in reader.build.catalog.resources if d.simulated]
    rows = reader.rows("rejected_rows", dataset=None, limit=REJECTED_SHOWN)
    return rows.with_columns(simulated=pl.col("dataset").is_in(simulated))
