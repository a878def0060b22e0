"""Vocabularies in which the portal is described for machines: one file each, found by being there.

A mapping is a module with `FILES`, the names of the files it adds to the top of the portal and how
pages call them, and `files(shelf, base)`, their texts. `base` is the address the folder is served
from, ending in a stroke, or empty. The same shelf must give the same text. DCAT-VN, when it is
settled, is one more file here.
"""

import importlib
import pkgutil
from functools import cache
from typing import Protocol, cast

from etl.publish.shelf import Shelf


class Mapping(Protocol):
    """What a module of this folder has."""

    FILES: dict[str, str]

    def files(self, shelf: Shelf, base: str) -> dict[str, str]:
        """Text of each of `FILES`, by name."""
        ...


@cache
def mappings() -> dict[str, Mapping]:
    """Every mapping, by the name of its file."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return {name: cast(Mapping, importlib.import_module(f"{__name__}.{name}")) for name in names}


def documents() -> dict[str, str]:
    """The files of all mappings, and how pages call them."""
    return {name: label for one in mappings().values() for name, label in one.FILES.items()}
