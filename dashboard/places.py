"""Communes in tables: names, forecasts with their range, drawings, and the map's legend."""

from html import escape

import polars as pl

from dashboard.ranking import place
from dashboard.reader import Reader
from dashboard.sparklines import ROW, sparkline
from dashboard.tables import Column, image
from dashboard.theme import theme
from dashboard.workload import MONTHS, STEPS, trail


def columns(reader: Reader, field: str) -> list[Column]:
    """Columns of those that surely grow more than most, with a drawing of each."""
    text, notation = reader.text, reader.notation

    def spark(row: dict[str, object]) -> str:
        return image(
            spark_of(reader, str(row["code"]), field), text("places.spark", name=row["name"])
        )

    return [
        Column(text("ranking.place"), place, "rank"),
        Column(text("places.commune"), lambda row: commune_name(reader, row), "name"),
        Column(
            text("places.received"), lambda row: notation.number(row["received"]), "number minor"
        ),
        Column(text("places.expected"), lambda row: expected(reader, row), "number"),
        Column(text("places.change"), lambda row: notation.change(row["change"]), "number strong"),
        Column(text("places.on_time"), lambda row: notation.share(row["on_time"]), "number minor"),
        Column(text("places.trail"), spark, "number spark minor"),
    ]


def expected(reader: Reader, row: dict[str, float | None]) -> str:
    """The median of a year to come, with its range beside it."""
    median, low, high = row["expected"], row["lowest"], row["highest"]
    if median is None or low is None or high is None:
        return "–"
    interval = reader.notation.interval(low, high)
    return f"≈ {reader.notation.rounded(median)}<br><small>{interval}</small>"


def commune_name(reader: Reader, row: dict[str, object]) -> str:
    """Name and kind of a commune."""
    return f"{escape(str(row['name']))} <span>{escape(kind_word(reader, row))}</span>"


def kind_word(reader: Reader, row: dict[str, object]) -> str:
    """`phường` or `xã`, in the language of the reader."""
    return reader.text("kind.ward" if row["kind"] == "phường" else "kind.commune")


def spark_of(reader: Reader, area: str, field: str) -> str:
    """A commune's months and the expected ones after them."""
    rows = trail(reader, "commune", area, field)
    past = rows.filter(~pl.col("ahead"))["value"].to_list()
    return sparkline(ROW, past, rows.filter("ahead")["value"].to_list()[:MONTHS])


def legend(reader: Reader) -> str:
    """The classes of the tile map: colours, and the bounds between them."""
    swatches = "".join(f'<i style="background:{colour}"></i>' for colour in theme().steps)
    bounds = [reader.notation.change(bound) for bound in STEPS]
    labels = "".join(f"<b>{bound}</b>" for bound in [*bounds, ""])
    title = escape(reader.text("tiles.legend"))
    return f'<p class="cf-note">{title}</p><div class="cf-legend">{swatches}{labels}</div>'


def growth_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The communes as they leave the house."""
    return rows.drop("tile_row", "tile_col", "parent_name", "parent_name_en", "received_before")
