"""The columns of a wide table, as a department would head them: one a month, a year or a category.

What a column means, the catalog says as a pattern (`clean.unpivot`) and, for what stands above the
table, as another (`read.caption`). Here headings are written as people write them, and one is taken
where those patterns find in it what it is meant to say: no other is ever read from the template.
"""

import re
from collections.abc import Iterator

from etl.catalog import Dataset, FieldEntry
from etl.extract.raw import matches
from etl.patterns import compiled, group_names
from etl.periods import Frequency, Period, UnreadablePeriod

Codes = dict[str, str]
"""What a column says of each cell in it: by field a code, or a period."""
ROMAN = ("I", "II", "III", "IV")
TYPES = {"yearmonth": Frequency.MONTH, "year": Frequency.YEAR, "date": Frequency.DAY}


def caption_of(dataset: Dataset, period: Period) -> str | None:
    """A line above the table in which `read.caption` finds the period; `None` where there is none.

    It must find something; whether that is the period, the columns that are made of it show.
    """
    forms = list(_written(Period.containing(Frequency.YEAR, period.start)))
    if period.frequency is not Frequency.YEAR:
        forms = [*_written(period), *forms]
    return next((text for text in forms if _said(dataset, text)), None)


def wide_columns(
    dataset: Dataset, period: Period, choices: dict[str, list[tuple[str, str]]], caption: str | None
) -> list[tuple[str, Codes]]:
    """Heading and meaning of each column of figures; none where no heading can be written.

    One thing varies from column to column; a status that may stand before it is left out.
    `choices` are the code and text of each value a field may have, by field; `caption` stands above
    the table.
    """
    told = [one for one in dataset.schema_.fields if _told_by_column(dataset, one)]
    varied = [one for one in told if one.name != "status"]
    if len(varied) != 1 or varied[0].name not in ("period", *choices):
        return []
    field = varied[0]
    said = _said(dataset, caption or "")
    found: list[tuple[str, Codes]] = []
    for code, forms in _values(field, period, choices):
        label = next((text for text in forms if _says(dataset, field, text, said, forms)), None)
        if label is None:
            return []
        found.append((label, {field.name: code}))
    return found


def into(dataset: Dataset) -> FieldEntry | None:
    """The field in which the figures of a wide table end."""
    unpivot = dataset.clean.unpivot
    if unpivot is None:
        return None
    fields = dataset.schema_.fields
    return next((one for one in fields if matches(unpivot.into, one.spellings)), None)


def told_elsewhere(dataset: Dataset, field: FieldEntry) -> bool:
    """Whether a field has no column of its own: it is told by the columns, or above the table."""
    caption = [f"${name}" for name in _groups(dataset.read.caption)]
    return (
        field.name in dataset.clean.compose
        or _told_by_column(dataset, field)
        or any(matches(name, field.spellings) for name in caption)
    )


def _told_by_column(dataset: Dataset, field: FieldEntry) -> bool:
    unpivot = dataset.clean.unpivot
    groups = _groups(unpivot.columns if unpivot else None)
    made_of = dataset.clean.compose.get(field.name, "")
    return any(matches(group, field.spellings) or f"{{{group}}}" in made_of for group in groups)


def _groups(pattern: str | None) -> list[str]:
    return group_names(pattern) if pattern else []


def _values(
    field: FieldEntry, period: Period, choices: dict[str, list[tuple[str, str]]]
) -> Iterator[tuple[str, list[str]]]:
    """Code and possible headings of each column; the last of a period is read without a doubt."""
    if field.name != "period":
        spelt = {one.value: one.spellings for one in field.categories}
        for code, text in choices[field.name]:
            yield code, [text, code, *spelt.get(code, [])]
        return
    for part in _parts(period, TYPES.get(field.type)):
        yield str(part), [*_written(part), str(part)]


def _parts(period: Period, frequency: Frequency | None) -> list[Period]:
    """The periods that have a column each: of their own type, or the one that is handed in."""
    if frequency is None or frequency is period.frequency:
        return [period]
    part = Period.containing(frequency, period.start)
    found = []
    while part.end <= period.end:
        found.append(part)
        part = part.next()
    return found


def _written(period: Period) -> Iterator[str]:
    """A period as people head a column or a sheet with it."""
    year, month = period.start.year, period.start.month
    if period.frequency is Frequency.YEAR:
        yield from (f"{year}", f"Năm {year}")
    elif period.frequency is Frequency.MONTH:
        for text in (f"Tháng {month}", f"T{month}", f"Tháng {month:02}", f"T{month:02}"):
            yield from (text, f"{text}/{year}", f"{text} năm {year}")
        yield from (f"{month:02}/{year}", f"{month}/{year}", f"{year}-{month:02}", f"{month}")
    elif period.frequency is Frequency.QUARTER:
        number = (month - 1) // 3
        for text in (f"Quý {ROMAN[number]}", f"Quý {number + 1}", f"Q{number + 1}"):
            yield from (text, f"{text}/{year}", f"{text} năm {year}")
        yield f"{year}-Q{number + 1}"
    else:
        yield from (period.label("vi"), str(period))


def _said(dataset: Dataset, text: str) -> dict[str, str]:
    """What `read.caption` finds in a text, as columns."""
    pattern = dataset.read.caption
    found = compiled(pattern, any_case=True).search(text) if pattern else None
    told = found.groupdict() if found else {}
    return {f"${name}": value for name, value in told.items() if value}


def _says(
    dataset: Dataset, field: FieldEntry, label: str, said: dict[str, str], forms: list[str]
) -> bool:
    """Whether a column headed `label` would be read as that value of the field."""
    unpivot = dataset.clean.unpivot
    found = compiled(unpivot.columns).search(label) if unpivot else None
    if not found:
        return False
    cells = said | {name: value for name, value in found.groupdict().items() if value}
    made_of = dataset.clean.compose.get(field.name)
    text = _composed(made_of, cells) if made_of else _first(cells, field)
    if field.name == "period":
        return bool(text) and _period(text or "") == _period(forms[-1])
    return bool(text) and matches(text or "", forms)


def _first(cells: dict[str, str], field: FieldEntry) -> str | None:
    return next((text for name, text in cells.items() if matches(name, field.spellings)), None)


def _composed(made_of: str, cells: dict[str, str]) -> str | None:
    parts = re.split(r"\{(.+?)\}", made_of)
    if not {*parts[1::2]} <= {*cells}:
        return None
    return "".join(cells[part] if at % 2 else part for at, part in enumerate(parts))


def _period(text: str) -> Period | None:
    try:
        return Period.parse(text)
    except UnreadablePeriod:
        return None
