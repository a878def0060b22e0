"""Patterns of the catalog, run in an engine whose time grows with the text and not with its powers.

So no pattern that an analyst writes can make a reader hang. The engine is that of the warehouse:
it knows neither look-around nor references back.
"""

from functools import cache
from typing import Any, Protocol

import re2


class Match(Protocol):
    """What was found."""

    def groupdict(self) -> dict[str, str | None]:
        """The named groups; `None` for one that took no part."""


class Pattern(Protocol):
    """A pattern ready for use."""

    def search(self, text: str) -> Match | None:
        """The first place in `text` where it is found."""

    def sub(self, replacement: str, text: str, count: int = 0) -> str:
        """`text` with the places where it is found replaced."""


@cache
def compiled(pattern: str, *, any_case: bool = False) -> Pattern:
    """`pattern` ready for use; with `any_case` capitals and small letters are the same.

    Raises:
        ValueError: it cannot be used, and why.
    """
    try:
        made: Any = re2.compile(pattern, _options(any_case))
    except re2.error as error:
        raise ValueError(error.args[0].decode(errors="replace")) from None
    return made  # type: ignore[no-any-return]


def group_names(pattern: str) -> list[str]:
    """Names of the groups in `pattern`, which can be used."""
    return list(re2.compile(pattern).groupindex)


def unusable(pattern: str) -> str | None:
    """Why `pattern` cannot be used, or `None`."""
    try:
        compiled(pattern)
    except ValueError as error:
        return str(error)
    return None


def _options(any_case: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = not any_case
    options.log_errors = False
    return options
