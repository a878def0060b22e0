"""True outlines of communes: whose a shape is, common borders, files that cannot be used."""

import json

import pytest

from dashboard.charts import outlined
from dashboard.outlines import NoOutlines, outlines
from dashboard.workload import communes

WEST = [[105.0, 10.0], [105.1, 10.0], [105.1, 10.05], [105.1, 10.1], [105.0, 10.1], [105.0, 10.0]]
EAST = [[105.1, 10.0], [105.2, 10.0], [105.2, 10.1], [105.1, 10.1], [105.1, 10.05], [105.1, 10.0]]


def _feature(properties, ring):
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


@pytest.fixture
def written(tmp_path):
    def write(*features):
        path = tmp_path / "boundaries.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        return path

    return write


def test_a_shape_is_of_the_commune_whose_code_it_bears_under_whatever_name(written):
    path = written(
        _feature({"ma_xa": "31120"}, WEST),
        _feature({"id": 1, "code": 1234}, EAST),
        _feature({"ten": "Nơi khác"}, EAST),
    )
    assert set(outlines(path, ["31120", "01234"])["code"]) == {"31120", "01234"}


def test_neighbours_keep_their_common_border_and_points_on_a_straight_line_go(written):
    path = written(_feature({"c": "00001"}, WEST), _feature({"c": "00002"}, EAST))
    found = outlines(path, ["00001", "00002"])
    west, east = (
        set(found.filter(code=code).select("x", "y").iter_rows()) for code in ("00001", "00002")
    )
    assert (len(west), len(east), len(west & east)) == (4, 4, 2)
    # A degree is shorter from west to east than from south to north.
    assert max(found["x"]) / max(found["y"]) == pytest.approx(2 * 0.985, abs=0.01)


@pytest.mark.parametrize("text", ["", "{}", '{"features": [{"properties": {}, "geometry": 1}]}'])
def test_a_file_that_is_no_map_of_ours_is_told_by_its_name(tmp_path, text):
    path = tmp_path / "broken.geojson"
    path.write_text(text)
    with pytest.raises(NoOutlines, match=r"broken\.geojson"):
        outlines(path, ["31120"])


def test_the_map_is_drawn_in_the_colours_of_the_tiles(vietnamese, written):
    rows = communes(vietnamese, "total")
    code = rows["code"][0]
    path = written(_feature({"c": code}, WEST))
    drawing = outlined(vietnamese, rows, outlines(path, rows["code"]), chosen=code)
    assert set(drawing.spec["datasets"]) == {"tiles", "corners"}
    assert len(drawing.figures) == len(rows)
