"""The words of templates and reminders, in Vietnamese and English; `etl/text/handin.yaml`."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from etl.rule_words import Language


def word(key: str, language: Language, **values: object) -> str:
    """The text at a dotted key such as `template.guide`, its `{placeholders}` filled in."""
    part, _, name = key.partition(".")
    return str(_words()[part][name][language]).format(**values)


@cache
def _words() -> dict[str, Any]:
    path = Path(__file__).parents[1] / "text" / "handin.yaml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
