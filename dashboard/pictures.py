"""A chart as a picture to take away, PNG or SVG: with its title, its source and the day in it.

The letters come with this package (`fonts/`), so that Vietnamese looks the same on every machine;
nothing is fetched.
"""

from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import wrap
from typing import Any

import polars as pl
import vl_convert

from dashboard.theme import theme

FONTS = Path(__file__).parent / "fonts"
FAMILY = "Foresight Sans"
LETTERS = f"'{FAMILY}', 'Source Sans 3', Arial, sans-serif"
VERSION = "6.1"
"""Vega-Lite, as the charts are written."""
WIDTH = 1120
SHARP = 2
"""Pixels of a PNG for each of the drawing."""
ABOVE = 44
"""Pixels between title and frame, where marks are named."""
TITLE, LINE = 80, 105
"""Most letters on a line of the title, and of what stands under it."""
LINES = str.maketrans({"━": "—", "╍": "-", "─": "—"})
"""Strokes of a table, which the letters do not have, as dashes."""


@dataclass(frozen=True)
class Caption:
    """What stands over a picture: its finding, and lines that say what, from where and when."""

    title: str
    lines: tuple[str, ...]


def png(spec: dict[str, Any], caption: Caption) -> bytes:
    """The chart as PNG, `SHARP` times `WIDTH` pixels wide."""
    _letters()
    return bytes(
        vl_convert.vegalite_to_png(
            alone(spec, caption), vl_version=VERSION, scale=SHARP, allowed_base_urls=[]
        )
    )


def svg(spec: dict[str, Any], caption: Caption) -> bytes:
    """The chart as SVG; its words stay words."""
    _letters()
    drawn = vl_convert.vegalite_to_svg(
        alone(spec, caption), vl_version=VERSION, allowed_base_urls=[]
    )
    return str(drawn).encode("utf-8")


def alone(spec: dict[str, Any], caption: Caption) -> dict[str, Any]:
    """A specification that needs no page: data within, a width, a ground, letters and a title."""
    colours = theme()
    own = deepcopy({key: value for key, value in spec.items() if key != "datasets"})
    own["datasets"] = {name: _rows(data) for name, data in spec["datasets"].items()}
    own["width"] = WIDTH
    own["background"] = colours.page
    own["padding"] = 16
    own["autosize"] = {"type": "pad", "contains": "padding"}
    own["config"] |= {"font": LETTERS, "text": {"font": LETTERS}}
    own["title"] = {
        "text": wrap(caption.title, TITLE),
        "subtitle": [part for line in caption.lines for part in wrap(line, LINE)],
        "anchor": "start",
        "frame": "group",
        "offset": ABOVE,
        "color": colours.text,
        "subtitleColor": colours.muted,
        "fontSize": 20,
        "fontWeight": 600,
        "subtitleFontSize": 13,
        "subtitleLineHeight": 18,
        "subtitlePadding": 6,
        "font": LETTERS,
        "subtitleFont": LETTERS,
    }
    return own


def _rows(data: bytes) -> list[dict[str, Any]]:
    """Arrow bytes as rows; a missing or unbounded figure as none."""
    frame = pl.read_ipc_stream(data)
    floats = pl.col(pl.Float32, pl.Float64)
    finite = frame.with_columns(pl.when(floats.is_finite()).then(floats))
    return [
        {key: v.translate(LINES) if isinstance(v, str) else v for key, v in row.items()}
        for row in finite.to_dicts()
    ]


@cache
def _letters() -> None:
    vl_convert.register_font_directory(str(FONTS))
