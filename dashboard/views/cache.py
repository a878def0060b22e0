"""Finished drawings and markup, kept by all they depend on: a rerun sends them as they are."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from dashboard.charts import Drawing
from dashboard.reader import Reader

KEPT = 300


@lru_cache(maxsize=KEPT)
def drawn(reader: Reader, draw: Callable[..., Drawing], *key: Any) -> Drawing:
    """`draw(reader, *key)`, made once for each build, language, day and key."""
    return draw(reader, *key)


@lru_cache(maxsize=KEPT)
def written(reader: Reader, write: Callable[..., str], *key: Any) -> str:
    """`write(reader, *key)`, made once in the same way: markup of long tables and many images."""
    return write(reader, *key)
