"""The words about broken rules, in Vietnamese and English: the only place that has them.

They are in `etl/text/rules.yaml`. The dashboard shows the titles, the workbooks that go back to
departments all of it.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")


def kind_of(rule: str, field: str | None) -> str:
    """What kind of rule it is: 'known' of `area_known`; 'relation' for a rule named in the catalog.

    `field` is the field it points at, or `None` where a whole line cannot be read.
    """
    if field is None:
        return "line_readable"
    kind = rule.rpartition("_")[2]
    usual = rule in (f"{field}_{kind}", "key_unique") and kind in kinds()
    return kind if usual else "relation"


def kinds() -> list[str]:
    """Every kind of rule."""
    return list(_words()["kind"])


def title(kind: str, language: Language) -> str:
    """What is wrong, in a few words."""
    return str(_words()["kind"][kind][language]["title"])


def remedy(kind: str, language: Language) -> str:
    """What to do about it."""
    return str(_words()["kind"][kind][language]["remedy"])


def phrase(key: str, language: Language, **values: object) -> str:
    """The text at a dotted key such as `expected.minimum`, its `{placeholders}` filled in."""
    part, _, name = key.partition(".")
    return str(_words()[part][name][language]).format(**values)


@cache
def _words() -> dict[str, Any]:
    path = Path(__file__).parent / "text" / "rules.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
