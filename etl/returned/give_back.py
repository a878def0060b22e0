"""From the broken rules of a build to one marked workbook a file.

The file must be the one that was loaded: the numbers of records mean nothing in another.
"""

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from etl import checksums
from etl.catalog import Catalog
from etl.errors import ForesightError, Problems
from etl.extract.raw import column_of
from etl.fetch import local_base
from etl.returned import book as books
from etl.returned.book import Kind, Mark, Wanted
from etl.returned.broken import BadFile, Broken, bad_files
from etl.returned.explain import Reason, Told, reason
from etl.returned.opened import Opened, opened
from etl.returned.places import Place, column_labels, places
from etl.returned.source import Page
from etl.returned.twins import Located, twins
from etl.rule_words import LANGUAGES, Language, kind_of, phrase
from etl.settings import Settings
from etl.warehouse import Warehouse

MOST_ERRORS = 20_000
"""Broken rules of one file that are explained; the rest when these are mended."""
ENDING = ".can-sua.xlsx"
INTROS: dict[Kind, str] = {"own": "intro", "made": "intro_made", "listed": "intro_listed"}


class Changed(ForesightError):
    """The file is not the one that was loaded."""


class InTheWay(ForesightError):
    """What would be written would be read as data at the next refresh."""


@dataclass(frozen=True)
class GivenBack:
    """A workbook that was written for the owner of a file."""

    file: str
    path: Path
    records: int
    """Records that were not taken."""
    cells: int
    """Marks in it."""
    abridged: bool
    """Whether the records that were taken are left out."""
    marked: bool
    """Whether the cells are marked where they stand; else the workbook only lists them."""


def give_back(
    warehouse: Warehouse,
    catalog: Catalog,
    settings: Settings,
    folder: Path,
    *,
    dataset: str | None = None,
) -> list[GivenBack]:
    """Write into `folder` a marked workbook for each file with rejected records.

    `catalog` is that of the build, because its numbers and fields are.

    Raises:
        Problems: of `Changed`, a file is gone or not as it was loaded, and `InTheWay`, a workbook
            would lie where the catalog looks for data. Nothing is written then.
    """
    files = bad_files(warehouse, catalog, settings, dataset)
    targets = {path: folder.resolve() / name for path, name in _names(files).items()}
    problems = [problem for file in files for problem in _changed(file)]
    problems += [
        problem for target in targets.values() for problem in _in_the_way(target, catalog, settings)
    ]
    if problems:
        raise Problems(problems)
    if files:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [mark_file(warehouse, file, targets[file.path]) for file in files]


def _names(files: list[BadFile]) -> dict[Path, str]:
    """A name for each workbook: the stem of the file, or all of its path where two share one."""
    stems = [file.path.stem.casefold() for file in files]
    return {
        file.path: (
            file.path.stem
            if stems.count(file.path.stem.casefold()) == 1
            else file.shown.replace("/", "__")
        )
        + ENDING
        for file in files
    }


def _changed(file: BadFile) -> list[ForesightError]:
    if not file.path.exists():
        problem = "it was loaded, but is no longer there"
    elif file.checksums != {checksums.of_file(file.path)}:
        problem = "it changed since it was loaded, so the numbers of its records do not hold"
    else:
        return []
    return [Changed(problem, where=file.shown, hint="run first: foresight refresh")]


def _in_the_way(target: Path, catalog: Catalog, settings: Settings) -> list[ForesightError]:
    for dataset in catalog.resources:
        if dataset.fetched:
            continue
        pattern = local_base(dataset, settings).resolve() / dataset.path
        if fnmatch.fnmatch(target.as_posix(), pattern.as_posix()):
            problem = f"the next refresh would read it as data of {dataset.name}"
        elif _sources(pattern, settings) in target.parents:
            problem = f"it would lie among the sources of {dataset.name}, where others read"
        else:
            continue
        hint = "choose a folder outside those of the sources: --out returned"
        return [InTheWay(problem, where=str(target), hint=hint)]
    return []


def _sources(pattern: Path, settings: Settings) -> Path | None:
    """The folder that holds the files of a pattern, unless it is that of the whole installation."""
    named = next(part for part in pattern.parents if not set("*?[") & set(part.as_posix()))
    return None if named in (settings.catalog.parent, settings.home) else named


def mark_file(warehouse: Warehouse, file: BadFile, target: Path) -> GivenBack:
    """Write the marked workbook of one file to `target`. Raises as `etl.returned.book.write`."""
    sent = opened(file)
    marks = _marks(warehouse, file, sent)
    intros = {kind: _intro(kind, file, sent) for kind in INTROS}
    kind = books.write(Wanted(intros, marks, sent.own, sent.made), target)
    abridged = sent.abridged and kind == "made"
    return GivenBack(file.shown, target, file.records, len(marks), abridged, kind != "listed")


def _intro(kind: Kind, file: BadFile, sent: Opened) -> list[str]:
    """What the list begins with: Vietnamese, then English."""
    keys = [INTROS[kind], *(["abridged"] if sent.abridged and kind == "made" else [])]
    keys += ["cut"] * (len(file.broken) > MOST_ERRORS)
    keys += ["drawings"] * (kind == "own" and books.has_drawings(file.path)) + ["private"]
    bad = sent.page(file.broken[0])
    return [
        phrase(
            f"sheet.{key}",
            language,
            file=file.shown,
            records=file.records,
            format=file.broken[0].dataset.format,
            total=len(file.broken) if key == "cut" else bad.total,
            shown=MOST_ERRORS if key == "cut" else file.records,
            most=f"{books.MOST_CELLS:,}",
        )
        for language in LANGUAGES
        for key in keys
    ]


def _marks(warehouse: Warehouse, file: BadFile, sent: Opened) -> list[Mark]:
    """Every cell to mark, once for each reason, in the order of the file."""
    found: dict[Mark, None] = {}
    for one, place, told in placed(warehouse, file, sent):
        found[_mark(one, place, told, sent)] = None
    return sorted(found, key=lambda mark: (mark.sheet, mark.row, mark.column))


def placed(
    warehouse: Warehouse, file: BadFile, sent: Opened
) -> Iterator[tuple[Broken, Place, Told]]:
    """Each broken rule with each cell it speaks of, and what may be told about it."""
    repeated: dict[tuple[str, str], Located] = {}
    for one in file.broken[:MOST_ERRORS]:
        page = sent.page(one)
        told = _told(one, page)
        if one.field and kind_of(one.rule, one.field) == "unique":
            key = one.dataset.name, one.rule
            if key not in repeated:
                repeated[key] = twins(warehouse, file, one, page)
            told = replace(told, twins=repeated[key].get(one.place))
        for place in places(page, one):
            yield one, place, told


def _told(broken: Broken, page: Page) -> Told:
    row = page.rows.get(broken.record, [])
    labels: dict[str, str] = {}
    texts: dict[str, str | None] = dict(broken.dataset.clean.constant)
    for entry in broken.dataset.schema_.fields:
        if columns := column_labels(page, broken.dataset, entry.name):
            labels[entry.name] = columns[0]
        if len(columns) == 1 and (at := page.labels.index(columns[0])) < len(row):
            texts[entry.name] = row[at]
        said = column_of(entry.spellings, list(page.said))
        if not columns and said is not None:
            texts[entry.name] = list(page.said.values())[said]
    return Told(texts, labels, cells=len(row), columns=len(page.labels))


def _mark(broken: Broken, place: Place, told: Told, sent: Opened) -> Mark:
    reasons = {language: reason(broken, told, language) for language in LANGUAGES}
    sheet, row, column = sent.cell(broken, place)
    # The text of the row's first cell says nothing about an error elsewhere in it.
    value = place.text if place.certain else broken.value
    return Mark(
        sheet=sheet,
        row=row,
        column=column,
        label=place.label,
        value=value,
        reason_vi=_why(reasons["vi"], place, "vi"),
        remedy_vi=reasons["vi"].remedy,
        reason_en=_why(reasons["en"], place, "en"),
        remedy_en=reasons["en"].remedy,
        comment="\n\n".join(
            _where(place, language) + reasons[language].text(language, value)
            for language in LANGUAGES
        ),
    )


def _why(why: Reason, place: Place, language: Language) -> str:
    expected = phrase("note.expected", language, expected=why.expected)
    return f"{_where(place, language)}{why.title}. {expected}"


def _where(place: Place, language: Language) -> str:
    if place.certain:
        return ""
    return phrase("note.elsewhere", language, label=place.label) + "\n"
