"""A reliability diagram: how often something came, by the chance that was said of it.

One picture as SVG text, without a library: it is read in a browser beside the page of results. A
point a tenth of the chances said, as large as the cases in it are many; on the diagonal chances are
what they say they are.
"""

from collections.abc import Mapping
from typing import Any

SIDE, MARGIN = 320, 46
COLOURS = {"engine": "#0b6e4f", "AutoETS": "#b4540a"}
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
SMALLEST, LARGEST = 2.0, 9.0


def reliability_svg(title: str, told: Mapping[str, Mapping[str, Any]]) -> str:
    """The diagram of the methods in `COLOURS`; `told` is by method, as `chances.reliability` says.

    Bins are triples of the mean chance said, the share that came, and the number of cases.
    """
    size = SIDE + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size}" '
        f'height="{size}" font-family="sans-serif" font-size="12">',
        f"<title>{title}</title>",
        f'<rect width="{size}" height="{size}" fill="white"/>',
        _line([(0, 0), (1, 1)], "#999", 'stroke-dasharray="4 4"'),
        *_axes(),
    ]
    for place, name in enumerate(name for name in COLOURS if name in told):
        lines += _method(name, told[name], place)
    return "\n".join([*lines, "</svg>", ""])


def _axes() -> list[str]:
    lines = [_line([(0, 1), (0, 0), (1, 0)], "#333")]
    for step in STEPS:
        across, down = _at(step, 0)
        lines.append(f'<text x="{across}" y="{down + 16}" text-anchor="middle">{step:.0%}</text>')
        across, down = _at(0, step)
        lines.append(f'<text x="{across - 6}" y="{down + 4}" text-anchor="end">{step:.0%}</text>')
    middle, low = _at(0.5, 0)
    lines.append(f'<text x="{middle}" y="{low + 34}" text-anchor="middle">chance said</text>')
    left, high = _at(0, 1)
    lines.append(f'<text x="{left}" y="{high - 12}" text-anchor="middle">it came</text>')
    return lines


def _method(name: str, told: Mapping[str, Any], place: int) -> list[str]:
    colour, bins = COLOURS[name], told["bins"]
    most = max((cases for *_, cases in bins), default=1)
    lines = [_line([(said, came) for said, came, _ in bins], colour)]
    for said, came, cases in bins:
        across, down = _at(said, came)
        radius = SMALLEST + (LARGEST - SMALLEST) * (cases / most) ** 0.5
        lines.append(
            f'<circle cx="{across}" cy="{down}" r="{radius:.1f}" fill="{colour}" '
            f'fill-opacity="0.7"><title>{cases:,} cases</title></circle>'
        )
    across, down = _at(0.04, 0.95 - 0.07 * place)
    brier = f"{name}, Brier {told['brier']:.3f}"
    return [*lines, f'<text x="{across}" y="{down}" fill="{colour}">{brier}</text>']


def _line(points: list[tuple[float, float]], colour: str, more: str = "") -> str:
    path = " ".join(f"{across},{down}" for across, down in (_at(*point) for point in points))
    return f'<polyline points="{path}" fill="none" stroke="{colour}" {more}/>'


def _at(said: float, came: float) -> tuple[float, float]:
    return round(MARGIN + SIDE * said, 1), round(MARGIN + SIDE * (1 - came), 1)
