"""What a department is told of a broken rule: what was found, what was expected, what to do."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from etl.catalog import Dataset, FieldEntry, Level, Rule
from etl.extract.raw import text_of
from etl.geography import AmbiguousArea, Area, Geography, Misfit, UnknownArea
from etl.normalise import STATUSES
from etl.periods import Period, UnreadablePeriod
from etl.returned.broken import Broken
from etl.returned.twins import Twins
from etl.rule_words import Language, kind_of, phrase, remedy, title

MOST_NAMED = 12
Days = tuple[dt.date, ...]
NEWEST: Days = (dt.date.max,)
SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠"}


@dataclass(frozen=True)
class Reason:
    """One broken rule, in one language."""

    title: str
    expected: str
    remedy: str

    def text(self, language: Language, value: str | None) -> str:
        """The words of a comment: rule, text found, what was expected, what to do."""
        there = value or phrase("note.empty", language)
        return "\n".join(
            [
                self.title,
                phrase("note.found", language, value=there[:200]),
                phrase("note.expected", language, expected=self.expected),
                phrase("note.remedy", language, remedy=self.remedy),
            ]
        )


@dataclass(frozen=True)
class Told:
    """What the explanation may draw on besides the broken rule itself."""

    texts: Mapping[str, str | None]
    """Text of the record by field."""
    labels: Mapping[str, str]
    """Label in the file by field."""
    cells: int = 0
    """Cells in a line that cannot be split, and those it should have."""
    columns: int = 0
    twins: Twins | None = None


def reason(broken: Broken, told: Told, language: Language) -> Reason:
    """Why the record was not taken."""
    dataset = broken.dataset
    named = next((rule for rule in dataset.rules if rule.name == broken.rule), None)
    kind = "relation" if named else kind_of(broken.rule, broken.field)
    heading = title(kind, language)
    if named:
        heading = (named.title_en if language == "en" else named.title) or named.title or heading
        expected = _declared(named, dataset, told, language)
        return Reason(heading, expected, remedy("relation", language))
    entry = dataset.field(broken.field or "")
    if kind == "line_readable" or entry is None:
        expected = phrase("expected.line", language, expected=told.columns, found=told.cells)
    elif kind == "unique":
        expected = _once(broken, told, language)
    elif kind == "relation":
        heading = expected = broken.rule
    else:
        expected = _allowed(kind, entry, broken, told, language)
    return Reason(heading, expected, remedy(kind, language))


def _allowed(kind: str, entry: FieldEntry, broken: Broken, told: Told, language: Language) -> str:
    if kind == "known" and entry.name == "area":
        return _place(broken, told, language)
    if kind == "known":
        labels = [c.label for c in entry.categories] or list(STATUSES)
        return phrase("expected.allowed", language, allowed=_listed(labels))
    if kind == "readable":
        return _without_result(entry, broken.value or "", language) or _form(
            entry, broken.dataset, language
        )
    return _limit(kind, entry, broken.dataset, language)


def _limit(kind: str, entry: FieldEntry, dataset: Dataset, language: Language) -> str:
    limits = entry.constraints
    if kind in ("minimum", "maximum"):
        limit = limits.minimum if kind == "minimum" else limits.maximum
        return phrase(f"expected.{kind}", language, limit=text_of(limit, dataset.read.decimal))
    if kind == "enum":
        return phrase("expected.allowed", language, allowed=_listed(limits.enum or []))
    if kind == "pattern":
        return phrase("expected.pattern", language, pattern=entry.description or limits.pattern)
    if kind == "length":
        many = phrase("note.any_length", language)
        return phrase(
            "expected.length",
            language,
            least=limits.min_length or 0,
            most=many if limits.max_length is None else limits.max_length,
        )
    return phrase("expected.filled", language)


def _without_result(entry: FieldEntry, value: str, language: Language) -> str | None:
    """What stands there in place of a figure, where the cell of the workbook looks like one."""
    if value.startswith("="):
        return phrase("expected.computed", language)
    if value.startswith("'"):
        return phrase("expected.no_text", language)
    if value.startswith("#"):
        return phrase("expected.no_error", language)
    if value.endswith("%") and entry.type in ("integer", "number"):
        return phrase(
            "expected.not_percent", language, unit=entry.unit or phrase("note.no_unit", language)
        )
    return None


def _form(entry: FieldEntry, dataset: Dataset, language: Language) -> str:
    """How a value that can be read is written."""
    if entry.name in ("period", "as_of") or entry.type in ("year", "yearmonth"):
        return phrase("expected.period", language)
    if entry.type == "date":
        forms = " / ".join(_pattern_of_day(form, language) for form in dataset.read.dates)
        return phrase("expected.date", language, forms=forms)
    if entry.type == "boolean":
        return phrase("expected.boolean", language)
    read = dataset.read
    thousands = (
        phrase("note.thousands", language, thousands=read.thousands) if read.thousands else ""
    )
    key = "expected.integer" if entry.type == "integer" else "expected.number"
    return phrase(key, language, decimal=read.decimal, thousands=thousands)


def _pattern_of_day(form: str, language: Language) -> str:
    """'%d/%m/%Y' as 'ngày/tháng/năm', with an example."""
    words = {
        "vi": {"d": "ngày", "m": "tháng", "Y": "năm"},
        "en": {"d": "day", "m": "month", "Y": "year"},
    }[language]
    shown = re.sub(r"%([a-zA-Z])", lambda match: words.get(match[1], match[0]), form)
    return f"{shown} ({dt.date(2026, 1, 31).strftime(form)})"


def _place(broken: Broken, told: Told, language: Language) -> str:
    dataset, name = broken.dataset, broken.value or told.texts.get("area") or ""
    geography, days = dataset.map, days_of(dataset, told.texts)
    day = days[0] if days else None
    on = phrase("note.on", language, day=f"{day:%d/%m/%Y}") if day else ""
    levels = tuple(dataset.clean.areas.level) if dataset.clean.areas else None
    misfit, areas = _misfit(geography, name, days or NEWEST, levels)
    if misfit == "several" and len(areas) == 1:
        misfit = "another_time"  # the day was composed while reading: only the name is known here
    heirs = [heir for area in areas for heir in geography.successors(area)]
    if misfit == "another_time" and heirs:
        return phrase(
            "expected.area_succeeded",
            language,
            on=on,
            areas="; ".join(dict.fromkeys(map(geography.in_full, areas[:MOST_NAMED]))),
            successors=_written(heirs, NEWEST, geography),
        )
    if misfit == "another_time":
        spans = "; ".join(_span(area, geography, language) for area in areas[:MOST_NAMED])
        return phrase("expected.area_another_time", language, on=on, areas=spans)
    return phrase(
        f"expected.area_{misfit}", language, on=on, areas=_written(areas, days or NEWEST, geography)
    )


def _span(area: Area, geography: Geography, language: Language) -> str:
    """An area, and since and until when it was called so."""
    name = geography.in_full(area) if area.valid_to else area.title
    since = phrase("note.since", language, day=f"{area.valid_from:%d/%m/%Y}")
    until = phrase("note.until", language, day=f"{area.valid_to:%d/%m/%Y}") if area.valid_to else ""
    return f"{name} ({since}{until})"


@cache
def _misfit(
    geography: Geography, name: str, days: Days, levels: tuple[Level, ...] | None
) -> tuple[Misfit, list[Area]]:
    return geography.suggestions(name, days, levels)


def _written(areas: list[Area], days: Days, geography: Geography) -> str:
    """Names that would be read as these areas, the shortest that will do."""
    names = []
    for area in areas[:MOST_NAMED]:
        full = geography.in_full(area)
        era = "cũ" if area.valid_to else "mới"
        ways = [area.title, full, f"{area.title} ({era})", f"{full} ({era})"]
        sure = (way for way in ways if _meanings(geography, way, days, area.level) == {area})
        names.append(next(sure, full))
    return "; ".join(dict.fromkeys(names))


def _meanings(geography: Geography, name: str, days: Days, level: Level) -> set[Area | None]:
    """The areas a name means on any of these days; `None` where it means several."""
    found: set[Area | None] = set()
    for day in days:
        try:
            found.add(geography.resolve(name, day, level))
        except AmbiguousArea:
            found.add(None)
        except UnknownArea:
            continue
    return found


def days_of(dataset: Dataset, texts: Mapping[str, str | None]) -> Days:
    """Days at which the name of a place is looked up, as the loader does; none for today's."""
    on = dataset.clean.areas.on if dataset.clean.areas else None
    text = on if on and dataset.field(on) is None else texts.get(on or "period")
    for formats in ((), dataset.read.dates):
        try:
            period = Period.parse(text, formats) if text else None
        except UnreadablePeriod:
            continue
        return tuple(dict.fromkeys([period.end, period.start])) if period else ()
    return ()


def _once(broken: Broken, told: Told, language: Language) -> str:
    key = broken.dataset.schema_.primary_key if broken.rule == "key_unique" else [broken.field]
    columns = " + ".join(told.labels.get(name or "", name or "") for name in key)
    twins = told.twins or Twins()
    if twins.records:
        others = ", ".join(map(str, twins.records))
        return phrase("expected.once_record", language, columns=columns, others=others)
    if twins.files:
        others = ", ".join(twins.files)
        return phrase("expected.once_file", language, columns=columns, others=others)
    return phrase("expected.once", language, columns=columns)


def _declared(rule: Rule, dataset: Dataset, told: Told, language: Language) -> str:
    """What a rule of the catalog asks for, in the labels and texts of the record."""
    if rule.check is not None:
        return _relation(rule.check, told, language)
    known = {field.name for field in dataset.schema_.fields}
    formula = re.sub(
        r"'[^']*'|\w+",
        lambda match: _side(match[0], told) if match[0] in known else match[0],
        rule.sql or "",
    )
    return phrase("expected.holds", language, formula=formula)


def _relation(check: str, told: Told, language: Language) -> str:
    left, sign, right = check.split(" ", 2)
    return phrase(
        "expected.relation",
        language,
        left=_side(left, told),
        sign=SIGNS.get(sign, sign),
        right=_side(right, told),
    )


def _side(name: str, told: Told) -> str:
    label = told.labels.get(name)
    text = told.texts.get(name)
    return f"{label} ({text})" if label and text else label or name


def _listed(values: list[str]) -> str:
    more = " …" if len(values) > MOST_NAMED else ""
    return ", ".join(values[:MOST_NAMED]) + more
