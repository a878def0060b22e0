"""Pictures of charts: their title, source and day; their letters; nothing asked of the net."""

import re

import pytest

from dashboard import layout, pictures
from dashboard.pictures import Caption
from dashboard.workload_charts import RECEIVED, city_fan, names

TITLE = "Ước thực hiện: tỷ lệ giải quyết đúng hạn, quý III; phường Ngã Bảy, xã Nhơn Mỹ"


@pytest.fixture
def caption(vietnamese):
    return Caption(TITLE, layout._lines(vietnamese, RECEIVED, simulated=True))


def test_a_picture_says_what_from_where_of_which_day_and_that_it_is_simulated(vietnamese, caption):
    drawn = pictures.svg(city_fan(vietnamese, "total").spec, caption).decode()
    words = " ".join(re.findall(r"<(?:text|tspan)[^>]*>([^<]+)<", drawn))
    assert TITLE in words
    assert "Nguồn: Hồ sơ bịa đặt · Người bịa" in words
    assert "Ngày 22/11/2026".lower() in words
    assert vietnamese.text("simulated.not_real") in words
    assert "http" not in drawn.replace("http://www.w3.org", "")


def test_the_letters_are_those_that_come_along(vietnamese, caption):
    drawn = pictures.svg(city_fan(vietnamese, "total").spec, caption).decode()
    families = {family.split(",")[0] for family in re.findall(r'font-family="([^"]+)"', drawn)}
    assert {family.replace("&#39;", "'").strip("'") for family in families} == {pictures.FAMILY}


def test_a_png_is_a_picture_twice_as_sharp_as_drawn(vietnamese, caption):
    made = pictures.png(names(vietnamese, "total", "").spec, caption)
    assert made[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(made[16:20], "big") >= pictures.SHARP * pictures.WIDTH


def test_a_picture_holds_its_figures_and_no_bound_of_the_page(vietnamese, caption):
    own = pictures.alone(city_fan(vietnamese, "total").spec, caption)
    assert own["width"] == pictures.WIDTH
    assert own["datasets"]["observed"][0]["value"] > 0
    assert "━" not in str(own["datasets"])
