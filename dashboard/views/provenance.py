"""Where a number comes from, in one tap: dataset, version, owner, definition, licence."""

from html import escape
from typing import Any

import polars as pl

from dashboard import layout, tables
from dashboard.reader import Reader
from etl.catalog import Dataset


def draw(reader: Reader, row: dict[str, Any], found: pl.DataFrame) -> None:
    """Of the newest figure of an indicator, folded away until it is asked for."""
    text = reader.text
    _fold(reader, [(text("origin.definition"), _definition(reader, row)), *_newest(reader, found)])


def of_series(reader: Reader, indicator: str) -> None:
    """The same of a series that is counted here from the rows of one dataset."""
    text, catalog = reader.text, reader.build.catalog
    entry, name = catalog.indicators.get(indicator), catalog.owner.get(indicator, "")
    dataset = catalog.datasets.get(name)
    if entry is None or dataset is None:
        return
    row = {"indicator": indicator, "title": entry.title, "title_en": entry.title_en}
    loads = {load["dataset"]: load for load in reader.rows("loads").to_dicts()}
    day = reader.notation.date(loads[name]["loaded_at"].date()) if name in loads else "–"
    version = text("origin.build", day=day, build=reader.build.name)
    lines = [
        (text("origin.definition"), _definition(reader, row)),
        (text("figure.source"), escape(dataset.sources[0].title or dataset.path)),
        (text("origin.version"), escape(version)),
        *_of(reader, dataset),
    ]
    _fold(reader, lines)


def _fold(reader: Reader, lines: list[tuple[str, str]]) -> None:
    text = reader.text
    items = "".join(
        f'<div role="listitem"><b>{escape(name)}</b>: {said}</div>' for name, said in lines if said
    )
    layout.html(
        f'<details class="cf-origin"><summary>{escape(text("origin.title"))}</summary>'
        f'<div role="list">{items}</div></details>'
    )


def _definition(reader: Reader, row: dict[str, Any]) -> str:
    entry = reader.build.catalog.indicators.get(row["indicator"])
    said = reader.text.pick(entry.description, entry.description_en) if entry else ""
    return escape(said or reader.title(row))


def _newest(reader: Reader, found: pl.DataFrame) -> list[tuple[str, str]]:
    """Source, dataset, who answers for it, licence and version of the newest outcome."""
    text = reader.text
    outcomes = found.filter(
        (pl.col("status") != "plan") & (pl.col("period_end") <= reader.today)
    ).to_dicts()
    if not outcomes:
        return [(text("origin.version"), escape(reader.build.name))]
    figure = outcomes[0]
    dataset = reader.build.catalog.datasets.get(figure["dataset"] or "")
    day = reader.notation.date(figure["as_of"])
    build = text("origin.build", day=day, build=reader.build.name)
    source = tables.link(figure["source"] or "", figure["source_url"])
    told = [(text("figure.source"), source), (text("origin.version"), escape(build))]
    return told + (_of(reader, dataset) if dataset else [])


def _of(reader: Reader, dataset: Dataset) -> list[tuple[str, str]]:
    text = reader.text
    catalog = reader.build.catalog
    licence = catalog.license_of(dataset)
    owner = catalog.publisher_of(dataset)
    title = f"{text.pick(dataset.title, dataset.title_en)} ({dataset.name})"
    return [
        (text("data.dataset"), escape(title)),
        (text("origin.owner"), escape(text.pick(owner.title, owner.title_en) if owner else "")),
        (text("data.licence"), escape(licence.name) if licence else ""),
    ]
