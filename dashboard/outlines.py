"""True outlines of the communes, from the file that the site file names under `boundaries:`.

The file is GeoJSON in degrees. A feature is of the commune whose code stands among its properties,
whatever they are called; what is of no commune is left out. Points are put on one grid, the same
for all, so that neighbours keep their common border; what the grid cannot tell apart is dropped.
"""

import json
from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import pairwise
from math import cos, radians
from pathlib import Path
from typing import Any

import polars as pl

from etl.errors import ForesightError, Problems
from etl.settings import Settings

STEPS = 400
"""Cells of the grid along the longer side of the city: finer than a screen shows."""
FEWEST = 4
"""Points of a ring, the first one again at the end."""
LENGTH = 5
"""Digits of a code; as a number in a file it may have lost the first of them."""

Point = tuple[float, float]
Ring = list[Point]


class NoOutlines(Exception):
    """The file of the outlines cannot be used."""


def named() -> Path | None:
    """The file that the site names; none without one, or while the site file is at fault."""
    try:
        found = Settings.read().site().boundaries
    except (ForesightError, Problems):
        return None
    return Path(found) if found else None


def outlines(path: Path, codes: Collection[str]) -> pl.DataFrame:
    """A row a corner: code, part (one closed ring each, the largest first), at (its order), x, y.

    x and y count cells of the grid, x eastward and y northward, one cell as long as the other.

    Raises:
        NoOutlines: the file is not there, is no GeoJSON, or holds no commune of `codes`.
    """
    try:
        return _read(path, path.stat().st_mtime_ns, frozenset(codes))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise NoOutlines(path.name) from error


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, codes: frozenset[str]) -> pl.DataFrame:
    del changed
    rings = list(_rings(json.loads(path.read_text(encoding="utf-8")), codes))
    if not rings:
        raise ValueError("no commune")
    flat = _flattened(rings)
    flat.sort(key=lambda one: -_size(one[1]))
    corners = [
        (code, part, x, y) for part, (code, ring) in enumerate(flat) for x, y in _corners(ring)
    ]
    shape = {"code": pl.String, "part": pl.Int32, "x": pl.Int16, "y": pl.Int16}
    return pl.DataFrame(corners, schema=shape, orient="row").with_row_index("at")


def _rings(content: Any, codes: frozenset[str]) -> Iterator[tuple[str, Ring]]:
    """Outer rings with their commune; a hole is another commune, which is drawn over it."""
    for feature in content["features"]:
        said = {str(value).zfill(LENGTH) for value in (feature["properties"] or {}).values()}
        found = said & codes
        shape = feature["geometry"]
        if len(found) != 1 or not shape:
            continue
        parts = {"Polygon": [shape["coordinates"]], "MultiPolygon": shape["coordinates"]}
        for polygon in parts[shape["type"]]:
            yield min(found), [(float(lon), float(lat)) for lon, lat, *_ in polygon[0]]


def _flattened(rings: list[tuple[str, Ring]]) -> list[tuple[str, Ring]]:
    """Degrees as cells of the grid; a degree of longitude is shorter than one of latitude."""
    lons, lats = zip(*(point for _, ring in rings for point in ring), strict=True)
    narrow = cos(radians((min(lats) + max(lats)) / 2))
    across, along = (max(lons) - min(lons)) * narrow, max(lats) - min(lats)
    scale = STEPS / max(across, along)
    return [
        (
            code,
            [
                (round((lon - min(lons)) * narrow * scale), round((lat - min(lats)) * scale))
                for lon, lat in ring
            ],
        )
        for code, ring in rings
    ]


def _corners(ring: Ring) -> Ring:
    """The ring without points that say nothing; none where it is smaller than the grid."""
    kept: Ring = []
    for point in ring:
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and _straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return kept if len(kept) >= FEWEST else []


def _straight(first: Point, middle: Point, last: Point) -> bool:
    (ax, ay), (bx, by), (cx, cy) = first, middle, last
    forward = (bx - ax) * (cx - bx) + (by - ay) * (cy - by) > 0
    return forward and (bx - ax) * (cy - ay) == (by - ay) * (cx - ax)


def _size(ring: Ring) -> float:
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(ring))) / 2
