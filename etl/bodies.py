"""Which bodies publish a dataset of this catalog themselves."""

import unicodedata
from dataclasses import dataclass

import polars as pl

from etl.catalog import BodiesPublishing, Catalog

OFFICE = "ubnd "
"""Before the name of a commune, its authority."""


@dataclass(frozen=True)
class Bodies:
    """Bodies that are asked to publish, and those that do."""

    asked: int
    publishing: tuple[str, ...]
    """Names as the question has them, in its order."""


def bodies(catalog: Catalog, asked: BodiesPublishing) -> Bodies:
    """Those of the bodies that are a publisher of a dataset which is let out."""
    names = [*asked.named, *communes(catalog, asked)]
    publishers = {
        plain(who.title)
        for dataset in catalog.resources
        if dataset.publish is not None
        for who in dataset.contributors
        if "publisher" in who.roles
    }
    found = tuple(name for name in names if plain(name) in publishers)
    return Bodies(len(names), found)


def communes(catalog: Catalog, asked: BodiesPublishing) -> list[str]:
    """Kind and name of every area of the level that is asked, as of today."""
    areas = catalog.map.areas
    here = areas.filter((pl.col("level") == (asked.level or "")) & pl.col("valid_to").is_null())
    return [f"{kind} {name}".strip() for kind, name in here.select("kind", "name").rows()]


def plain(name: str) -> str:
    """The name of a body as it is compared: in lower case, of a commune without its office."""
    folded = " ".join(unicodedata.normalize("NFC", name).casefold().split())
    return folded.removeprefix(OFFICE)
