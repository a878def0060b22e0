"""A first entry of the catalog for a file, made by looking at it.

Everything certain is written as it is; every guess carries its evidence in a comment on its line;
what the file does not tell is asked, and without an answer the most cautious reading is written and
marked `# ASK`. The entry is then tried: read, loaded and observed in a warehouse that is thrown
away, so that what is shown has been loaded once.
"""

import datetime as dt
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl import pipeline
from etl.catalog import Catalog, load_catalog, parse_catalog
from etl.draft.asking import Asker, Question, nobody
from etl.draft.asking import Notebook as _Notebook
from etl.draft.entry import plan_entry
from etl.draft.opening import Opened, open_file
from etl.draft.plan import Plan
from etl.draft.shaping import NothingToMeasure, shape
from etl.draft.writing import flow, write
from etl.errors import ForesightError, Problems
from etl.settings import Settings
from etl.warehouse import Warehouse

__all__ = [
    "AlreadyRead",
    "Asker",
    "Draft",
    "NotInReach",
    "NothingToMeasure",
    "Question",
    "Trial",
    "append",
    "catalog_of",
    "draft",
    "nobody",
    "try_out",
]

MOST_TRIED = 50_000_000
"""Bytes of a file that is loaded to try its entry."""


BEGINNING = """\
# Which data there are. How to add more: docs/adding-a-dataset.md. Check it with: foresight check
profile: cantho-foresight/1
name: catalog  # ASK: a short name
title: Danh mục dữ liệu  # ASK: of which city or office?
title_en: Data catalog
{geography}

resources: []
"""
"""A catalog without a dataset."""


class NotInReach(ForesightError):
    """The file does not lie in the folder of the catalog."""


class AlreadyRead(ForesightError):
    """An entry of the catalog reads the file already."""


class CannotAppend(ForesightError):
    """The catalog does not end with its list of resources."""


@dataclass(frozen=True)
class Draft:
    """A drafted entry."""

    name: str
    text: str
    """YAML: one item of `resources`, with comments."""
    found: list[tuple[str, str]]
    """What was found in the file, for people: what, and how it looks."""
    guesses: list[tuple[str, str]]
    """Line of the entry and evidence."""
    questions: list[Question] = field(default_factory=list)
    """Those that nobody answered."""

    def as_json(self) -> dict[str, Any]:
        """For machines: the entry, what was found, the guesses and the open questions."""
        return {
            "name": self.name,
            "entry": self.text,
            "found": dict(self.found),
            "guesses": [{"line": line, "evidence": why} for line, why in self.guesses],
            "questions": [
                {"line": q.about, "text": q.text, "options": q.options, "taken": q.cautious}
                for q in self.questions
            ],
        }


@dataclass(frozen=True)
class Trial:
    """What a load with the drafted entry brings."""

    records: int
    accepted: int
    rejected: int
    observations: int
    reasons: list[tuple[str, int, str | None]]
    """Rules broken, how often, and an example; none for sensitive fields."""
    refused: bool
    """More are rejected than the entry allows, so that a refresh would refuse the file."""

    def said(self) -> str:
        """For people, a line for the whole and one for each rule that is broken."""
        lines = [
            f"tried: {self.records:,} records, {self.accepted:,} accepted, {self.rejected:,} "
            f"rejected; {self.observations:,} figures"
        ]
        for rule, times, example in self.reasons:
            lines.append(f"  {rule}: {times:,}" + (f", such as {example!r}" if example else ""))
        if self.refused:
            lines.append("  so many that a refresh refuses the file: answer the questions first")
        return "\n".join(lines)


def catalog_of(settings: Settings) -> tuple[Catalog, str | None]:
    """The catalog that a draft goes with; with what it begins, where there is none yet.

    A map beside it, one folder with areas.csv, is that of its places; else they are looked for on
    the map of Cần Thơ, which comes with the program.
    """
    if settings.catalog.exists():
        return load_catalog(settings.catalog), None
    begun = _begun(settings)
    return parse_catalog(begun, folder=settings.catalog.parent), begun


def _begun(settings: Settings) -> str:
    maps = sorted(settings.catalog.parent.glob("*/areas.csv"))
    if len(maps) == 1:
        where = f"geography: {flow(maps[0].parent.name)}  # guess: there lies a map"
    else:
        where = (
            "# geography: map  # the folder with the map of another city; see docs/boundaries.md"
        )
    return BEGINNING.format(geography=where)


def draft(
    path: Path,
    catalog: Catalog,
    settings: Settings,
    *,
    today: dt.date,
    ask: Asker = nobody,
) -> Draft:
    """An entry for the file at `path`, which parses beside those of `catalog`.

    Raises:
        NotInReach, AlreadyRead: the catalog cannot, or need not, read the file.
        UnreadableFile: the file does not open, or holds no table.
        NothingToMeasure: it has neither figures nor days.
        Problems: its shape needs what its format does not allow; the hints say what to do.
    """
    shown = _place(path, catalog, settings)
    opened = open_file(path)
    notebook = _Notebook(ask)
    for guess in opened.guesses:
        notebook.guess("read.encoding", guess)
    if len(opened.records_keys) > 1:
        notebook.guess("read.records", f"the longest of {len(opened.records_keys)} lists")
    shaped = shape(opened, path.name, notebook, catalog.map)
    plan = plan_entry(path, shown, shaped, catalog, notebook, today)
    return Draft(
        plan.name,
        write(plan),
        [*_opening(opened), *_reading(plan)],
        notebook.guesses,
        notebook.open_questions,
    )


def _place(path: Path, catalog: Catalog, settings: Settings) -> str:
    """The path of the file as the catalog will name it."""
    base = settings.catalog.parent
    if not path.is_file():
        raise NotInReach("there is no such file", where=str(path))
    if not path.resolve().is_relative_to(base):
        target = "data/sources/" + re.sub(r"[:\\]", "_", path.name)
        raise NotInReach(
            f"it does not lie in {base}, the folder of the catalog",
            where=str(path),
            hint=f"copy it in: mkdir -p {base / 'data/sources'} && cp {str(path)!r} "
            f"{str(base / target)!r}; then: foresight add {target}",
        )
    if re.search(r"[*?\[\]:\\]", path.resolve().relative_to(base).as_posix()):
        raise NotInReach(
            "its name has one of * ? [ ] : \\, which mean something else in the catalog",
            where=path.name,
            hint="give it another name",
        )
    for dataset in catalog.resources:
        if not dataset.simulated and path.resolve() in {
            p.resolve() for p in base.glob(dataset.path)
        }:
            raise AlreadyRead(
                f"the entry {dataset.name!r} reads it already",
                where=path.name,
                hint=f"foresight refresh loads it; to read it otherwise, edit {dataset.name!r}",
            )
    return path.resolve().relative_to(base).as_posix()


def append(settings: Settings, made: Draft) -> None:
    """Write the entry at the end of the catalog, which is checked first and replaced at once.

    Raises:
        CannotAppend: the list of resources is not the last thing in the catalog.
        Problems: the entry does not go with the others.
    """
    text = _appended(_catalog_text(settings), made, settings)
    written = settings.catalog.with_name(settings.catalog.name + ".new")
    written.write_text(text, encoding="utf-8")
    written.replace(settings.catalog)


def _catalog_text(settings: Settings) -> str:
    if settings.catalog.exists():
        return settings.catalog.read_text(encoding="utf-8")
    return _begun(settings)


def _appended(text: str, made: Draft, settings: Settings) -> str:
    """The catalog with one entry more."""
    head = re.sub(r"(?m)^resources:[ \t]*\[\][ \t]*$", "resources:", text).rstrip("\n")
    item = re.search(r"(?m)^( *)- +name:", head[head.find("resources:") :])
    indent = item[1] if item else ""
    entry = "".join(f"{indent}{line}\n" for line in made.text.splitlines())
    whole = f"{head}\n\n{entry}"
    try:
        known = parse_catalog(whole, folder=settings.catalog.parent).datasets
    except Problems as problems:
        if any(made.name in problem.where for problem in problems.problems):
            raise
        known = {}
    if made.name not in known:
        raise CannotAppend(
            "the list of resources is not the last thing in the catalog",
            hint="put the entry into it by hand: foresight add --dry-run shows it",
        )
    return whole


def try_out(made: Draft, path: Path, settings: Settings, today: dt.date) -> Trial | None:
    """Load the file with its entry into a warehouse that is thrown away; None if it is too large.

    Raises:
        Problems: the entry does not go with the others of the catalog.
        ForesightError: the file cannot be read by it.
    """
    text = _appended(_catalog_text(settings), made, settings)
    catalog = parse_catalog(text, folder=settings.catalog.parent)
    dataset = catalog.datasets[made.name]
    if path.stat().st_size > MOST_TRIED:
        return None
    lenient = dataset.model_copy(
        update={"clean": dataset.clean.model_copy(update={"max_rejected": 1.0})}
    )
    others = [each for each in catalog.resources if each.name != made.name]
    whole = catalog.model_copy(update={"resources": [*others, lenient]})
    with tempfile.TemporaryDirectory(prefix="foresight-") as home:
        tried = Settings(home=Path(home), catalog=Path(home) / settings.catalog.name)
        tried.catalog.write_text(text, encoding="utf-8")
        plan = pipeline.plan_of_one(lenient, path, tried)
        with Warehouse.build(tried.home) as warehouse:
            done = pipeline.refresh(
                warehouse, whole, tried, plan, today=today, progress=lambda _: None
            )
            observations = warehouse.count("select count(*) from observation")
            reasons = warehouse.select(
                "select rule, count(*), any_value(value) from rejected group by 1 order by 2 desc"
            ).rows()
    (load,) = done.loads
    bad = load.rejected + load.unreadable
    return Trial(
        records=load.records,
        accepted=load.accepted,
        rejected=bad,
        observations=observations,
        reasons=reasons,
        refused=load.records > 0 and bad / load.records > dataset.clean.max_rejected,
    )


# --- for people -----------------------------------------------------------------------------------


def _opening(opened: Opened) -> list[tuple[str, str]]:
    names = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}
    found = [("format", opened.format)]
    if not opened.typed:
        usual = "\t" if opened.format == "tsv" else ","
        found += [
            ("encoding", opened.read.get("encoding", "utf-8")),
            ("delimiter", names[opened.read.get("delimiter", usual)]),
        ]
    sheets = [str(grid.name) for grid in opened.grids if grid.name]
    if sheets:
        found.append(("sheets", ", ".join(sheets)))
    if opened.hidden:
        found.append(("hidden sheets, not looked at", ", ".join(opened.hidden)))
    if opened.partly:
        found.append(("looked at", "only the beginning; the rest is taken to be like it"))
    return found


def _reading(plan: Plan) -> list[tuple[str, str]]:
    shaped: Any = plan.shaped
    layout = shaped.layouts[0]
    last = layout.first + layout.depth
    rows = f"row {last}" if layout.depth == 1 else f"rows {layout.first + 1} to {last}"
    found = [
        ("header", rows),
        ("decimal sign", plan.read.get("decimal", ".")),
        ("records", str(len(shaped.columns[0].texts)) if shaped.columns else "0"),
    ]
    if shaped.dropped:
        found.append(("not records", f"{shaped.dropped} rows of totals, headings, column numbers"))
    if layout.notes:
        found.append(("below the table", f"{len(layout.notes)} rows"))
    for column in shaped.columns:
        as_what = f"{column.field} ({column.kind})" if column.field else f"left out ({column.kind})"
        found.append((f"column {column.label!r}", f"{as_what}: {column.why}"))
    return found
