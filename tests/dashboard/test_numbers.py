"""The numbers of a chart as a table: a row for each figure, in the words of the reader."""

import re

import pytest

from dashboard.workload_charts import city_fan, commune_fan, names, ranks


@pytest.mark.parametrize(
    "draw",
    [
        lambda reader: city_fan(reader, "land"),
        lambda reader: commune_fan(reader, "90001", "Bịa Đặt 1", "total"),
        lambda reader: ranks(reader, "total"),
        lambda reader: names(reader, "total", ""),
    ],
    ids=["city", "commune", "ranks", "names"],
)
def test_the_table_has_a_row_for_each_figure_and_no_name_of_the_machine(reader, draw):
    drawing = draw(reader)
    assert drawing.numbers.count("<tr>") == len(drawing.figures) + 1
    assert not re.search(r"None|NaN|nan|q50|_", re.sub("<[^>]*>", " ", drawing.numbers))


def test_a_forecast_is_written_rounded_with_both_ranges(vietnamese):
    table = city_fan(vietnamese, "total").numbers
    assert "Khoảng 80%" in table
    assert "Khoảng 95%" in table
    assert re.search(r"</th><td>–</td><td>[\d.]+</td><td>[\d.]+–[\d.]+</td>", table)
