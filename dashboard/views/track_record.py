"""The part of the accuracy page on forecasts as they were issued: real, simulated and replayed."""

from collections.abc import Sequence
from html import escape

import polars as pl

from dashboard import layout, tables
from dashboard.queries import chances_told
from dashboard.reader import Reader
from dashboard.tables import Column
from dashboard.track_record import COVERAGES, alert_words, chances_sentence
from forecasts.drift import alerts
from forecasts.track_record import BY_HORIZON, counted, table


def draw(reader: Reader, issued: pl.DataFrame) -> None:
    """Scores of real series first; those of simulated series and of the replay apart."""
    text = reader.text
    real, simulated = (issued.filter(pl.col("simulated") == made) for made in (False, True))
    layout.heading(text("track.title"), text("track.note"))
    _alerts(reader, real)
    if real.is_empty():
        layout.html(f'<p class="cf-note">{escape(text("track.none"))}</p>')
    else:
        _by_horizon(reader, real, "track.title")
        layout.download(reader, "track_record", lambda: issued)
    chances = chances_sentence(text, chances_told(reader.build))
    layout.html(f'<p class="cf-note">{escape(chances)}</p>')
    if not simulated.is_empty():
        with layout.simulated_section(text, "track"):
            layout.heading(text("track.simulated"), text("track.simulated_note"))
            _by_horizon(reader, simulated, "track.simulated")
    _replayed(reader, reader.rows("track_replayed"))


def _replayed(reader: Reader, scores: pl.DataFrame) -> None:
    text = reader.text
    real, simulated = (scores.filter(pl.col("simulated") == made) for made in (False, True))
    if scores.is_empty():
        return
    layout.heading(text("track.replayed"), text("track.replayed_note"))
    if not real.is_empty():
        _by_horizon(reader, real, "track.replayed")
    if not simulated.is_empty():
        with layout.simulated_section(text, "replayed"):
            _by_horizon(reader, simulated, "track.replayed_simulated")


def _alerts(reader: Reader, real: pl.DataFrame) -> None:
    found = alerts(counted(real))
    if not found:
        return
    known = reader.build.catalog.indicators
    rows = [
        alert_words(
            reader.text,
            alert,
            reader.text.pick(one.title, one.title_en)
            if (one := known.get(alert.indicator))
            else alert.indicator,
        )
        for alert in found
    ]
    items = "".join(f"<li>{escape(row)}</li>" for row in rows)
    layout.html(f"<p><strong>{escape(reader.text('track.alerts'))}</strong></p><ul>{items}</ul>")


def _by_horizon(reader: Reader, scores: pl.DataFrame, title: str) -> None:
    rows = table(scores, BY_HORIZON).to_dicts()
    layout.html(tables.table(reader.text(title), _columns(reader), rows, "tall"))


def _columns(reader: Reader) -> Sequence[Column]:
    text, notation = reader.text, reader.notation

    def share(name: str) -> Column:
        level = f"{name.removeprefix('coverage_')}%"
        return Column(
            text("track.coverage", level=level),
            lambda row: notation.share(None if row[name] is None else 100 * row[name], 0),
            "number",
        )

    return [
        Column(text("track.frequency"), lambda row: escape(text(f"frequency.{row['frequency']}"))),
        Column(text("accuracy.horizon"), lambda row: notation.number(row["horizon"]), "number"),
        Column(text("track.outcomes"), lambda row: notation.number(row["outcomes"]), "number"),
        *map(share, COVERAGES),
        Column(
            text("track.relative"), lambda row: notation.fixed(row["relative_wis"], 2), "number"
        ),
        Column(text("track.mase"), lambda row: notation.fixed(row["mase"], 2), "number minor"),
        Column(text("track.bias"), lambda row: notation.fixed(row["bias"], 2), "number minor"),
    ]
