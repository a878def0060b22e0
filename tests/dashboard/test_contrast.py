"""Text in charts and drawings is readable: WCAG contrast of its colour on its ground."""

import polars as pl
import pytest

from dashboard.theme import theme
from dashboard.workload_charts import city_fan, names

READABLE = 4.5


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _inks(node):
    """Colours of text marks and of labels of axes."""
    if isinstance(node, list):
        for one in node:
            yield from _inks(one)
    if isinstance(node, dict):
        mark = node.get("mark")
        if isinstance(mark, dict) and mark.get("type") == "text" and "stroke" not in mark:
            yield mark.get("color", theme().text)
        yield from (v for k, v in node.items() if k in ("labelColor", "titleColor"))
        for value in node.values():
            yield from _inks(value)


def test_black_on_white_is_twenty_one_to_one():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


def test_words_of_the_fan_are_readable_on_the_page(vietnamese):
    drawing = city_fan(vietnamese, "total")
    ends = pl.read_ipc_stream(drawing.spec["datasets"]["ends"])["colour"].to_list()
    inks = {ink for ink in [*_inks(drawing.spec), *ends] if isinstance(ink, str)}
    assert len(inks) >= 3
    assert {ink: contrast(ink, theme().page) >= READABLE for ink in inks} == dict.fromkeys(
        inks, True
    )


def test_names_on_tiles_are_readable_on_every_colour_a_tile_can_have(vietnamese):
    tiles = pl.read_ipc_stream(names(vietnamese, "total", "").spec["datasets"]["tiles"])
    for colour, ink in tiles.select("colour", "ink").unique().iter_rows():
        assert contrast(ink, colour) >= READABLE, (colour, ink)
    steps = theme().steps
    for number, step in enumerate(steps):
        ink = theme().page if number >= len(steps) - 2 else theme().text
        assert contrast(ink, step) >= READABLE, step


@pytest.mark.parametrize("name", ["observed", "forecast", "faint", "muted", "good", "bad"])
def test_every_colour_words_are_written_in_is_readable_on_page_and_panel(name):
    ink = getattr(theme(), name)
    assert contrast(ink, theme().page) >= READABLE
    assert contrast(ink, theme().panel) >= READABLE
