"""What all blocks of the catalog are made of: closed, frozen parts, and the words they share."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from etl.geography import REFERENCE, Geography, load_geography

Place = tuple[str | int, ...]
"""Keys and numbers that lead to a node of the catalog."""
DAY = r"^\d{4}-\d\d-\d\d$"
VARIABLE = re.compile(r"^[A-Z][A-Z0-9_]+$")
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Level = Literal["nation", "city", "former_province", "district", "commune"]
Frequency = Literal["day", "week", "month", "quarter", "year"]
Grain = Literal["nation", "city", "city*category", "former_province", "commune", "commune*category"]
Status = Literal["estimate", "preliminary", "final", "plan"]
Topic = Literal[
    "economy",
    "industry",
    "trade",
    "prices",
    "tourism",
    "budget",
    "investment",
    "enterprise",
    "agriculture",
    "society",
    "population",
    "health",
    "education",
    "transport",
    "reform",
    "workload",
    "environment",
]


def one_or_many(value: Any) -> Any:
    """One alone may stand where a list is meant."""
    return value if isinstance(value, list) or value is None else [value]


def _as_text(value: Any) -> Any:
    """Years and numbers need no quotes where text is meant."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class Part(BaseModel):
    """A block of the catalog: closed, frozen, checked when made."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class OnMap(Part):
    """A block whose names of places are read on one map: that of the catalog's `geography`."""

    _map: Path = PrivateAttr(default=REFERENCE)

    def model_post_init(self, context: Any, /) -> None:
        """Take the folder of the map from the context: it is beside the catalog, not in it."""
        self._map = (context or {}).get("map", REFERENCE)

    @property
    def map(self) -> Geography:
        """The areas of every time, and how the former ones lie within today's."""
        return load_geography(self._map)
