"""The queries of the pages: cheap on a warehouse of millions of figures."""

from pathlib import Path

import pytest

import dashboard

QUERIES = sorted((Path(dashboard.__file__).parent / "sql").glob("*.sql"))


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_picks_its_figures_before_it_tells_their_vintages_apart(path):
    # The view tells the vintages of all figures apart, whatever is asked of it: see published.sql.
    assert "current_observation" not in path.read_text(encoding="utf-8")
