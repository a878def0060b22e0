"""Where releases go: one file a target, found by being there, chosen in the site file.

A target is a module with `Options`, its keys under `portal: {targets: {<name>: ...}}`, and
`publish(shelf, options, settings)`. It takes the releases with their files (`release.folder`,
`release.files`, `release.documents`), publishes them, and says what it did. It must be idempotent:
a file whose checksum is there already is not sent again, and what others put beside ours is left
alone. What is no longer on the shelf is withdrawn, not silently left behind: `shelf.histories` has
every dataset that was ever published, with the reason.
"""

import importlib
import pkgutil
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol, cast

from pydantic import BaseModel, ValidationError

from etl.errors import ForesightError
from etl.publish.shelf import Shelf
from etl.settings import Settings, SiteError


class UnknownTarget(ForesightError):
    """The site file names a target there is no file for."""


@dataclass(frozen=True)
class Done:
    """What one target did; names of datasets."""

    where: str
    """For people: a folder, an address."""
    published: list[str]
    """All that can be had there now."""
    changed: list[str] = field(default_factory=list)
    """Of these, the ones that were sent because they are new or differ."""
    withdrawn: list[str] = field(default_factory=list)


class Target(Protocol):
    """What a module of this folder has."""

    Options: type[BaseModel]

    def publish(self, shelf: Shelf, options: Any, settings: Settings) -> Done:
        """Publish the shelf."""
        ...


@cache
def targets() -> dict[str, Target]:
    """Every target, by the name of its file."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return {name: cast(Target, importlib.import_module(f"{__name__}.{name}")) for name in names}


def chosen(settings: Settings) -> list[tuple[str, Target, BaseModel]]:
    """The targets of the site file with their options, in its order.

    Raises:
        UnknownTarget: there is no such target.
        SiteError: its options are not what it takes.
    """
    return [(name, *_target(name, told)) for name, told in settings.site().portal.targets.items()]


def _target(name: str, told: dict[str, Any]) -> tuple[Target, BaseModel]:
    found = targets().get(name)
    if found is None:
        raise UnknownTarget(
            f"there is no target {name!r} to publish to",
            where="site.yaml: portal.targets",
            hint=f"known: {', '.join(targets())}",
        )
    try:
        return found, found.Options.model_validate(told)
    except ValidationError as error:
        detail = error.errors(include_input=False)[0]
        raise SiteError(
            detail["msg"],
            where=f"site.yaml: portal.targets.{name}.{'.'.join(map(str, detail['loc']))}",
            hint="see docs/portal.md",
        ) from None
