"""The pages of the portal for people: all datasets, each one, each version, and the coverage.

Every page is one self-contained file a language: it can be opened from a folder, sends nothing
anywhere, and its policy allows no style and no script but its own. No page depends on the day it is
looked at: what is due on which day is written down, and the script of the page counts the days.
"""

import base64
import datetime as dt
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from etl.catalog import Catalog, Contributor, Dataset
from etl.publish.archive import KEPT, History, Version
from etl.publish.changes import Changes, sentence
from etl.publish.chart import HEIGHT, LEFT, RIGHT, WIDTH, figure
from etl.publish.dictionary import allowed
from etl.publish.gate import LICENCES, Refusal
from etl.publish.mappings import documents, schema_org
from etl.publish.mappings.dcat_ap import THEMES
from etl.publish.package import citation
from etl.publish.shelf import Shelf, reason

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")
ENDINGS: dict[Language, str] = {"vi": ".html", "en": ".en.html"}
TEMPLATES = Path(__file__).parent / "pages"
WORDS = Path(__file__).parents[1] / "text"
THEME = Path(__file__).parents[2] / ".streamlit" / "config.toml"
"""The colours of the dashboard; without the file the page has those of the reader's system."""
UNSAID = dict.fromkeys(("title", "title_en", "unit", "unit_en"), "")
UNSAID |= dict.fromkeys(("description", "description_en"), "")
PREVIEWED = 8
"""Rows."""
UNTIL = re.compile(r"\(đến (\d\d)/(\d\d)/(\d{4})\)")
"""Beside the name of a former area."""
SEPARATED_FROM = 10_000
"""From here on a whole number has its separator: no year and no number of a rank is as large."""


def page_names() -> set[str]:
    """The names a page can have."""
    return {f"{name}{ending}" for name in ("index", "coverage") for ending in ENDINGS.values()}


def pages(shelf: Shelf, base: str) -> Iterator[tuple[str, str]]:
    """Path and text of every page. Text from the catalog may hold anything: it is escaped."""
    for language in LANGUAGES:
        writer = _Writer(shelf, base, language)
        yield writer.written("index", "index", "")
        yield writer.written("coverage", "coverage", "")
        for name, history in shelf.histories.items():
            yield writer.dataset(name, history)
            for version in history.versions:
                yield writer.version(history, version)


@dataclass(frozen=True)
class _Writer:
    """The pages in one language."""

    shelf: Shelf
    base: str
    language: Language

    def dataset(self, name: str, history: History) -> tuple[str, str]:
        release = self.shelf.release(name)
        if release is None:
            why = next((one.why for one in self.shelf.refused if one.dataset.name == name), None)
            entry = history.versions[0] if history.versions else None
            return self.written(
                "gone", f"{name}/index", "../", history=history, why=why, version=entry
            )
        table = release.table
        return self.written(
            "dataset",
            f"{name}/index",
            "../",
            release=release,
            history=history,
            quality=self.shelf.coverage.of(name),
            columns=[{**UNSAID, **column} for column in release.fields],
            preview=_previewed(table),
            figure=figure(self.shelf.catalog, release, table),
            structured=_structured(schema_org.dataset(release, self.base, up="../")),
            cited=citation(release, base=self.base, english=self.language == "en"),
        )

    def version(self, history: History, version: Version) -> tuple[str, str]:
        return self.written(
            "version",
            f"{history.dataset}/v/{version.version}/index",
            "../../../",
            history=history,
            version=version,
        )

    def written(self, template: str, name: str, up: str, **told: Any) -> tuple[str, str]:
        """One page, with what all of them are told."""
        ending = ENDINGS[self.language]
        other: Language = "en" if self.language == "vi" else "vi"
        text = (
            _environment(self.language)
            .get_template(f"{template}.html.jinja")
            .render(
                shelf=self.shelf,
                catalog=self.shelf.catalog,
                base=self.base,
                up=up,
                ending=ending,
                language=self.language,
                address=f"{name}{ending}",
                other={"language": other, "page": f"{name.rpartition('/')[2]}{ENDINGS[other]}"},
                words=words(self.language),
                documents=documents(),
                **told,
            )
        )
        return f"{name}{ending}", text


@cache
def words(language: Language) -> dict[str, str]:
    """What the pages say, by key."""
    text = (WORDS / f"portal.{language}.yaml").read_text(encoding="utf-8")
    found: dict[str, str] = yaml.safe_load(text)
    return found


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    spoken = _Spoken(language)
    style, script = _style(), (TEMPLATES / "page.js").read_text(encoding="utf-8")
    environment.globals |= {
        "style": Markup(style),
        "script": Markup(script),
        "style_hash": _hash(style),
        "script_hash": _hash(script),
        "licences": {name: read for name, (read, _) in LICENCES.items()},
        "box": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT},
        "kept": KEPT,
    }
    environment.filters |= {
        name: getattr(spoken, name)
        for name in (
            *("day", "count", "size", "named", "told", "reason", "changed", "theme"),
            *("cell", "share", "plain", "number", "column", "unit", "describing", "allowed"),
            "place",
        )
    }
    return environment


def _style() -> str:
    """The style of all pages, with the colours of the dashboard."""
    colours = _colours()
    chosen = "".join(f"--{name}: {value}; " for name, value in colours.items())
    return f":root {{ {chosen}}}\n" + (TEMPLATES / "page.css").read_text(encoding="utf-8")


def _colours() -> dict[str, str]:
    if not THEME.exists():
        return {}
    theme = tomllib.loads(THEME.read_text(encoding="utf-8"))["theme"]
    bands, series = theme["chartSequentialColors"], theme["chartCategoricalColors"]
    return {
        "page": theme["backgroundColor"],
        "panel": theme["secondaryBackgroundColor"],
        "text": theme["textColor"],
        "quiet": theme["grayTextColor"],
        "rule": theme["borderColor"],
        "link": theme["linkColor"],
        "warning": theme["orangeTextColor"],
        "warning-ground": theme["orangeBackgroundColor"],
        "grid": bands[0],
        "band-95": bands[1],
        "band-80": bands[2],
        "band-50": bands[3],
        **{f"series-{number}": colour for number, colour in enumerate(series)},
    }


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _previewed(table: pl.DataFrame) -> pl.DataFrame:
    """The first rows, without columns that are empty or say in a code what another says in words.

    A preview is read on a telephone too: what matters must not stand at its far end.
    """
    several = "frequency" in table.columns and table["frequency"].n_unique() > 1
    said = {"indicator": "indicator_name", "area": "area_name", "area_vintage": "area_name"}
    said |= {"period_end": "period"} | ({} if several else {"frequency": "period"})
    empty = [name for name in table.columns if table[name].null_count() == len(table)]
    left_out = {*empty, *(name for name, other in said.items() if other in table.columns)}
    return table.select(name for name in table.columns if name not in left_out).head(PREVIEWED)


def _structured(content: dict[str, Any]) -> Markup:
    """JSON for a data block: nothing in it can end the block."""
    text = json.dumps(content, ensure_ascii=False, indent=1)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c"))


class _Spoken:
    """How days, numbers and names are written in one language."""

    def __init__(self, language: Language) -> None:
        self.vietnamese = language == "vi"

    def day(self, day: dt.date) -> str:
        return f"{day:%d/%m/%Y}" if self.vietnamese else f"{day.day} {day:%B %Y}"

    def count(self, number: int) -> str:
        return self._number(f"{number:,}")

    def number(self, number: float) -> str:
        """As short as it can be told exactly to 12 digits."""
        text = f"{number:,.6f}".rstrip("0").rstrip(".") if abs(number) < 1e12 else f"{number:.4g}"
        return self._number("0" if text in ("-0", "") else text)

    def share(self, share: float | None) -> str:
        return "–" if share is None else self._number(f"{100 * share:.1f}") + "\u00a0%"

    def size(self, size: int) -> str:
        if size < 1000:
            return f"{size} B"
        if size < 1_000_000:
            return self._number(f"{size / 1000:,.1f}") + " kB"
        return self._number(f"{size / 1_000_000:,.1f}") + " MB"

    def named(self, thing: Catalog | Dataset | Contributor | History) -> str:
        return thing.title if self.vietnamese else thing.title_en or thing.title

    def told(self, thing: Catalog | Dataset) -> str:
        own = thing.description if self.vietnamese else thing.description_en
        return own or thing.description or ""

    def column(self, field: dict[str, Any]) -> str:
        """The title of a column."""
        own = field["title"] if self.vietnamese else field["title_en"] or field["title"]
        return own or str(field["name"])

    def unit(self, field: dict[str, Any]) -> str:
        return str(field["unit"] if self.vietnamese else field["unit_en"] or field["unit"])

    def describing(self, field: dict[str, Any]) -> str:
        own = field["description"] if self.vietnamese else field["description_en"]
        return str(own or field["description"])

    def allowed(self, field: dict[str, Any]) -> str:
        return allowed(field, english=not self.vietnamese)

    def reason(self, why: Refusal) -> str:
        return reason(why, english=not self.vietnamese)

    def changed(self, made: Changes) -> str:
        return sentence(made, english=not self.vietnamese)

    def theme(self, dataset: Dataset) -> str:
        if dataset.publish is None:
            return ""
        return THEMES[dataset.publish.theme][0 if self.vietnamese else 1]

    def cell(self, value: Any) -> str:
        """One cell of the preview."""
        if value is None:
            return ""
        if isinstance(value, dt.date):
            return f"{value:%d/%m/%Y}" if self.vietnamese else value.isoformat()
        if isinstance(value, float):
            return self.number(value)
        if isinstance(value, int) and abs(value) >= SEPARATED_FROM:
            return self.count(value)
        return self.place(str(value))

    def place(self, name: str) -> str:
        """The name of an area, with the day until which it was one."""
        return name if self.vietnamese else UNTIL.sub(r"(until \3-\2-\1)", name)

    def plain(self, text: str) -> str:
        """For the search: lower case and one blank between words."""
        return re.sub(r"\s+", " ", text).strip().lower()

    def _number(self, text: str) -> str:
        return text.translate(str.maketrans(",.", ".,")) if self.vietnamese else text
