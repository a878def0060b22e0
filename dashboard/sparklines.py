"""Small drawings as SVG images: a line of months, and the expected ones in blue with their range.

Images cost a browser far less than charts, and `st.html` lets no inline SVG through.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.theme import FONT, theme


@dataclass(frozen=True)
class Frame:
    """Size of a drawing, in pixels at full size."""

    width: int
    height: int
    stroke: float = 1.5
    margin: int = 3


CARD = Frame(220, 44)
ROW = Frame(150, 28, stroke=1.3)
MULTIPLE = Frame(240, 84, stroke=1.6)


def sparkline(
    frame: Frame,
    observed: Sequence[float],
    expected: Sequence[float] = (),
    lower: Sequence[float] = (),
    upper: Sequence[float] = (),
    *,
    mark: str = "",
) -> str:
    """A data URI of the drawing; `mark` is written small into a corner."""
    colours = theme()
    points = _Scale(frame, [*observed, *expected, *lower, *upper], len(observed) + len(expected))
    first = len(observed) - 1
    parts = []
    if lower and upper:
        above = points.path(first + 1, upper)
        below = points.path(first + 1, lower)[::-1]
        join = points.at(first, observed[-1])
        parts.append(f'<path d="M{" L".join([join, *above, *below])}Z" fill="{colours.band_80}"/>')
    parts.append(_line(points.path(0, observed), colours.observed, frame.stroke))
    if expected:
        joined = [points.at(first, observed[-1]), *points.path(first + 1, expected)]
        parts.append(_line(joined, colours.forecast, frame.stroke * 1.2))
    if mark:
        parts.append(
            f'<text x="{frame.margin}" y="11" font-size="10" font-family="{FONT}" '
            f'fill="{colours.faint}">{mark}</text>'
        )
    return _uri(frame, "".join(parts))


@dataclass(frozen=True)
class _Scale:
    frame: Frame
    values: list[float]
    count: int

    def at(self, index: int, value: float) -> str:
        low, high = min(self.values), max(self.values)
        inner_width = self.frame.width - 2 * self.frame.margin
        inner_height = self.frame.height - 2 * self.frame.margin
        x = self.frame.margin + inner_width * index / max(self.count - 1, 1)
        share = (value - low) / (high - low) if high > low else 0.5
        return f"{x:.1f},{self.frame.margin + inner_height * (1 - share):.1f}"

    def path(self, start: int, values: Sequence[float]) -> list[str]:
        return [self.at(start + step, value) for step, value in enumerate(values)]


def _line(points: list[str], colour: str, stroke: float) -> str:
    return (
        f'<path d="M{" L".join(points)}" fill="none" stroke="{colour}" stroke-width="{stroke}" '
        'stroke-linejoin="round" stroke-linecap="round"/>'
    )


def _uri(frame: Frame, content: str) -> str:
    size = f'viewBox="0 0 {frame.width} {frame.height}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{content}</svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def watermark(words: str) -> str:
    """A data URI of a faint slanting text, to be repeated behind a section."""
    frame = Frame(460, 300)
    text = (
        f'<text transform="translate(40 210) rotate(-24)" font-size="34" font-weight="700" '
        f'font-family="{FONT}" fill="{theme().warning}" fill-opacity="0.055">{words}</text>'
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{frame.width}" height="{frame.height}">'
        f"{text}</svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
