"""Vocabularies in which the portal is described for machines: one file each, found by being there.

A mapping is a module with `files(shelf, base)`: the names and texts of the files it adds to the
top of the portal. `base` is the address the folder is served from, ending in a stroke, or empty.
The same shelf must give the same text. DCAT-VN, when it is settled, is one more file here.
"""

import importlib
import pkgutil
from functools import cache
from typing import Protocol, cast

from etl.publish.shelf import Shelf


class Mapping(Protocol):
    """What a module of this folder has."""

    def files(self, shelf: Shelf, base: str) -> dict[str, str]:
        """Text by file name."""
        ...


@cache
def mappings() -> dict[str, Mapping]:
    """Every mapping, by the name of its file."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return {name: cast(Mapping, importlib.import_module(f"{__name__}.{name}")) for name in names}
