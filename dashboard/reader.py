"""Who looks, and at what: one build, in one language, on one day. The key of everything drawn."""

import datetime as dt
from collections.abc import Hashable
from dataclasses import dataclass

import polars as pl

from dashboard.notation import Notation
from dashboard.queries import Build
from dashboard.text import Text
from etl.clock import today as today


@dataclass(frozen=True)
class Reader:
    """A build, the language it is read in, and the day figures age to."""

    build: Build
    lang: str
    today: dt.date

    @property
    def text(self) -> Text:
        """Words in the reader's language."""
        return Text(self.lang)

    @property
    def notation(self) -> Notation:
        """Figures in the reader's language."""
        return Notation(self.lang)

    def rows(self, query: str, **params: Hashable) -> pl.DataFrame:
        """The rows of a named query of the build."""
        return self.build.rows(query, **params)

    def title(self, row: dict[str, object], field: str = "title") -> str:
        """`title` or `title_en` of a row, in the reader's language."""
        return self.text.pick(str(row[field] or ""), str(row[f"{field}_en"] or ""))
