"""Scenarios that were kept: each a file beside the builds, so that a new build does not lose them.

A file is named by a code made from all it says, is written once and never changes: a link to it
means the same for good. It keeps what was assumed and what came out when it was saved, for the
catalog and the forecast go on.
"""

import json
import os
import re
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etl.catalog import Scenarios
from etl.errors import ForesightError
from forecasts.decisions.levers import Setting, moved
from forecasts.decisions.scenarios import Outcome, Pools, known_of
from forecasts.decisions.what_if_queue import Told

FOLDER = "scenarios"
CODE = re.compile(r"[a-z2-7]{10}")
MOST = 1000
"""Scenarios that are kept; more would be noise, or somebody filling the disk."""


class NotSaved(ForesightError):
    """A scenario cannot be kept as it is told."""


class NoScenario(ForesightError):
    """No scenario of that code is kept, or its file is damaged."""


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KeptSetting(_Kept):
    """A lever moved, as in `Setting`."""

    lever: str
    value: float
    since: str | None = None
    field: str | None = None


class Assumption(_Kept):
    """What was taken for true, as it stood in the catalog or was estimated."""

    lever: str
    on: str
    indicator: str | None = None
    field: str | None = None
    """Of an estimate by field."""
    estimate: float
    lower: float
    upper: float
    evidence: str
    source: str | None = None
    rationale: str
    rationale_en: str


class Result(_Kept):
    """Lower end, median and upper end over all months ahead, as it was when it was saved."""

    until: date
    base: tuple[float, float, float]
    scenario: tuple[float, float, float]
    difference: tuple[float, float, float]
    burden: tuple[float, float, float]
    """Work for each hour of staff over that of the base, less 1."""


class Saved(_Kept):
    """A scenario as it was kept."""

    version: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=120)]
    author: Annotated[str, Field(min_length=1, max_length=120)]
    saved_on: date
    rationale: Annotated[str, Field(min_length=1, max_length=2000)]
    """Why these values, in the words of its author."""
    settings: tuple[KeptSetting, ...]
    assumptions: tuple[Assumption, ...]
    build: str
    issue: int
    simulated: bool
    result: Result
    queue: Told | None = None
    """What it did to the queue, where that was worked out."""

    @property
    def content(self) -> dict[str, Any]:
        """All it says; without a word of the queue, where that was not worked out."""
        return self.model_dump(mode="json", exclude=set() if self.queue else {"queue"})

    @property
    def code(self) -> str:
        """Ten letters that stand for all it says."""
        told = json.dumps(self.content, sort_keys=True, ensure_ascii=False)
        return b32encode(sha256(told.encode()).digest())[:10].decode().lower()

    @property
    def moved(self) -> list[Setting]:
        """The levers moved."""
        return [Setting(**one.model_dump()) for one in self.settings]


def described(
    scenarios: Scenarios,
    outcome: Outcome,
    pools: Pools,
    *,
    name: str,
    author: str,
    rationale: str,
    today: date,
    build: str,
    queue: Told | None = None,
) -> Saved:
    """An outcome as it is to be kept, with its queue where that was worked out.

    Raises:
        NotSaved: no lever is moved, or name, author or reason are missing or too long.
    """
    if not outcome.settings:
        raise NotSaved("no lever is moved", hint="move one; the base need not be saved")
    told = {"name": name.strip(), "author": author.strip(), "rationale": rationale.strip()}
    for what, most in (("name", 120), ("author", 120), ("rationale", 2000)):
        if not told[what] or len(told[what]) > most:
            raise NotSaved(
                f"{what} has {len(told[what])} letters", hint=f"write between 1 and {most}"
            )
    base, scenario, difference = (_ends(band) for band in outcome.received)
    return Saved(
        name=told["name"],
        author=told["author"],
        rationale=told["rationale"],
        saved_on=today,
        settings=tuple(KeptSetting(**asdict(one)) for one in outcome.settings),
        assumptions=tuple(assumptions(scenarios, outcome.settings, outcome.base.fields, pools)),
        build=build,
        issue=outcome.base.issue,
        simulated=outcome.base.simulated,
        result=Result(
            until=outcome.base.periods[-1],
            base=base,
            scenario=scenario,
            difference=difference,
            burden=_ends(outcome.burden),
        ),
        queue=queue,
    )


def _ends(band: Any) -> tuple[float, float, float]:
    return band.lower, band.middle, band.upper


def assumptions(
    scenarios: Scenarios, settings: Sequence[Setting], fields: Sequence[str], pools: Pools
) -> list[Assumption]:
    """Everything that levers moved so take for true, one row an effect and estimated field."""
    found = []
    for lever, setting in moved(scenarios, settings):
        for effect in lever.effects:
            asked = [f for f in fields if f in pools and setting.field in (None, f)]
            estimated = effect.evidence == "across_communes" and asked
            for field in asked if estimated else [setting.field]:
                known = known_of(effect, field, pools)
                found.append(
                    Assumption(
                        lever=lever.name,
                        on=effect.on,
                        indicator=effect.indicator,
                        field=field,
                        **asdict(known),
                        evidence=effect.evidence,
                        source=effect.source,
                        rationale=effect.rationale,
                        rationale_en=effect.rationale_en,
                    )
                )
    return found


def save(home: Path, saved: Saved) -> str:
    """Keep it under `home`; its code. The same scenario saved again is one file.

    Raises:
        NotSaved: too many are kept already.
    """
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{saved.code}.json"
    if path.exists():
        return saved.code
    if sum(1 for _ in folder.glob("*.json")) >= MOST:
        raise NotSaved(f"{MOST} scenarios are kept already", hint=f"move some out of {folder}")
    # Whole or not at all: the name is given when all of it is on disk.
    aside = folder / f"{saved.code}.{os.getpid()}.new"
    with aside.open("w", encoding="utf-8") as file:
        file.write(json.dumps(saved.content, indent=1, ensure_ascii=False))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    return saved.code


def read(home: Path, code: str) -> Saved:
    """The scenario of that code.

    Raises:
        NoScenario: none is kept, or its file does not say what it was written with.
    """
    path = home / FOLDER / f"{code}.json"
    if not CODE.fullmatch(code) or not path.exists():
        raise NoScenario(f"no scenario {code!r} is kept", hint="see: foresight scenario list")
    try:
        saved = Saved.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError):
        saved = None
    if saved is None or saved.code != code:
        raise NoScenario(
            f"scenario {code!r} is not what was saved", where=str(path), hint="take the file away"
        )
    return saved


def kept(home: Path) -> tuple[dict[str, Saved], list[str]]:
    """All scenarios by code, newest first; and the names of files that cannot be read."""
    found: dict[str, Saved] = {}
    damaged: list[str] = []
    for path in sorted((home / FOLDER).glob("*.json")):
        try:
            found[path.stem] = read(home, path.stem)
        except NoScenario:
            damaged.append(path.name)
    order = sorted(found, key=lambda code: (-found[code].saved_on.toordinal(), found[code].name))
    return {code: found[code] for code in order}, damaged
