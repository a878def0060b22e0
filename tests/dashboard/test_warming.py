"""What pages will ask for is there before anybody asks; what a build does not know is no fault."""

import gc
import sys

from dashboard import queries, warming
from dashboard.reader import Reader
from dashboard.views.cache import drawn
from dashboard.workload_charts import city_fan
from tests.dashboard.conftest import TODAY


def test_a_field_is_drawn_before_anybody_chooses_it(home, monkeypatch):
    # The invented catalog says nothing about a workload, which is passed over.
    monkeypatch.setattr(warming, "today", lambda: TODAY)
    warming.warm(home)
    before = drawn.cache_info().misses
    drawn(Reader(queries.current(home), "vi", TODAY), city_fan, "land")
    assert drawn.cache_info().misses == before


def test_what_is_kept_for_good_is_not_searched_for_garbage():
    try:
        warming.settle()
        assert gc.get_freeze_count() > len(sys.modules)
        assert len(gc.get_objects()) < gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_without_a_build_there_is_nothing_to_warm(tmp_path):
    warming.first_screen(tmp_path)
    with warming.Warming(tmp_path):
        pass
