"""From text to typed columns. Distinct spellings first: few are many times repeated.

A column of names, periods, categories or states is read once for its distinct spellings; these are
resolved in Python and joined back, so that the cost does not grow with the rows. Numbers and dates
are cast by DuckDB. Text that cannot be read becomes null here and a broken rule in `etl.validate`.
"""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from etl.catalog import Dataset, FieldEntry, Status
from etl.corrections import corrected
from etl.extract.raw import MissingColumn, Raw, RepeatedColumn, column_of, plain
from etl.periods import Frequency, Period, UnreadablePeriod
from etl.warehouse import Warehouse, identifier, literal

STATUSES: dict[str, Status] = {
    "ước": "estimate",
    "ước tính": "estimate",
    "ước thực hiện": "estimate",
    "est.": "estimate",
    "estimate": "estimate",
    "sơ bộ": "preliminary",
    "prel.": "preliminary",
    "preliminary": "preliminary",
    "chính thức": "final",
    "final": "final",
    "kế hoạch": "plan",
    "dự toán": "plan",
    "plan": "plan",
}


EXACT = 2**53
"""Whole numbers below this are the same as a double and as text."""
SHOWN_LABELS, SHOWN_LETTERS = 30, 60


@dataclass(frozen=True)
class Column:
    """How one field of the clean table is made from the raw relation."""

    field: FieldEntry
    raw: str
    """SQL of the text as it stood."""
    typed: dict[str, str]
    """Columns of the clean table and their SQL; most fields make one, area and period several."""
    join: str = ""
    lookup: pl.DataFrame | None = None
    lookup_name: str = ""
    reads_text: bool = False
    """Whether text can fail to be read, so that non-empty text without a value breaks a rule."""


def columns(dataset: Dataset, raw: Raw, relation: str, warehouse: Warehouse) -> list[Column]:
    """One `Column` per field, in the order of the schema.

    Raises:
        MissingColumn: a field is neither a column of the file nor a constant.
        SourceMended, SourceChanged, NotOneRecord: a declared correction does not fit the file.
    """
    texts = {field.name: _raw_text(field, dataset, raw) for field in dataset.schema_.fields}
    texts = corrected(dataset, texts, relation, warehouse)
    made: list[Column] = []
    for field in dataset.schema_.fields:
        text = texts[field.name]
        if field.name == "area":
            made.append(_area(field, text, texts, dataset, relation, warehouse))
        elif field.name == "period":
            made.append(_period(field, text, dataset, relation, warehouse))
        elif field.name == "status" or field.categories:
            made.append(_category(field, text, relation, warehouse))
        elif field.name == "as_of":
            made.append(_publication_day(field, text, relation, warehouse))
        else:
            made.append(_plain(field, text, dataset))
    return made


def _plain(field: FieldEntry, text: str, dataset: Dataset) -> Column:
    """Any text is text; numbers, days and truth values can fail to be read."""
    sql = _cast(field, text, dataset)
    if field.sensitive and field.type == "string":
        sql = f"nullif(trim({text}), '')"  # looked at by its rules, and not kept
    return Column(field, text, {field.name: sql}, reads_text=field.type != "string")


def _raw_text(field: FieldEntry, dataset: Dataset, raw: Raw) -> str:
    if field.name in dataset.clean.constant:
        return literal(dataset.clean.constant[field.name])
    position = column_of(field.spellings, raw.labels)
    if position is None:
        raise MissingColumn(
            f"no column for {field.name!r}: looked for {', '.join(map(repr, field.spellings))}",
            where=dataset.path,
            hint=f"columns there: {_some(raw.labels)}; "
            f"add the spelling to `from` of {dataset.name}.{field.name}",
        )
    label = raw.labels[position]
    if [plain(other) for other in raw.labels].count(plain(label)) > 1:
        raise RepeatedColumn(
            f"two columns are called {label!r}, which {field.name!r} is read from",
            where=dataset.path,
            hint="rename one of them in the file, or ask which one counts",
        )
    return f"c{position}"


def _some(labels: list[str]) -> str:
    """Labels to look through, however many and long they are."""
    filled = [label for label in labels if label]
    more = [f"and {len(filled) - SHOWN_LABELS} more"] if len(filled) > SHOWN_LABELS else []
    return ", ".join([label[:SHOWN_LETTERS] for label in filled[:SHOWN_LABELS]] + more)


def _cast(field: FieldEntry, text: str, dataset: Dataset) -> str:
    trimmed = f"nullif(trim({text}), '')"
    if field.type in ("integer", "number"):
        number = f"try_cast({_digits(trimmed, dataset)} as double)"
        if field.type == "number":
            return f"case when isfinite({number}) then {number} end"
        # Beyond this a whole number would be rounded, and further on not even fit.
        whole = f"{number} = round({number}) and abs({number}) < {EXACT}"
        return f"case when {whole} then {number}::bigint end"
    if field.type == "date":
        formats = ", ".join(literal(form) for form in [*dataset.read.dates, "%Y-%m-%d"])
        return f"try_strptime({trimmed}, [{formats}])::date"
    if field.type == "boolean":
        return f"try_cast({trimmed} as boolean)"
    return f"nfc_normalize({trimmed})"


def _digits(text: str, dataset: Dataset) -> str:
    read = dataset.read
    clean = f"replace(replace({text}, ' ', ''), chr(160), '')"
    if read.thousands and read.thousands != " ":
        clean = f"replace({clean}, {literal(read.thousands)}, '')"
    return f"replace({clean}, ',', '.')" if read.decimal == "," else clean


def _spellings(text: str, relation: str, warehouse: Warehouse) -> list[str]:
    found = warehouse.select(
        f"select distinct {text} as spelling from {relation} where {text} is not null order by 1"
    )
    return found["spelling"].to_list()


def _category(field: FieldEntry, text: str, relation: str, warehouse: Warehouse) -> Column:
    known: dict[str, str] = dict(STATUSES) if field.name == "status" else {}
    for category in field.categories:
        for spelling in (category.value, category.label, *category.spellings):
            known[plain(spelling)] = category.value
    spellings = _spellings(text, relation, warehouse)
    lookup = pl.DataFrame(
        {"spelling": spellings, "value": [known.get(plain(s)) for s in spellings]},
        schema={"spelling": pl.String, "value": pl.String},
    )
    return _looked_up(field, text, lookup, {field.name: "value"})


def _period(
    field: FieldEntry, text: str, dataset: Dataset, relation: str, warehouse: Warehouse
) -> Column:
    spellings = _spellings(text, relation, warehouse)
    read = [_meant(_read_period(spelling), field, dataset) for spelling in spellings]
    lookup = pl.DataFrame(
        {
            "spelling": spellings,
            "start": [p.start if p else None for p in read],
            "end": [p.end if p else None for p in read],
            "frequency": [str(p.frequency) if p else None for p in read],
        },
        schema={
            "spelling": pl.String,
            "start": pl.Date,
            "end": pl.Date,
            "frequency": pl.String,
        },
    )
    typed = {"period": "start", "period_end": "end", "frequency": "frequency"}
    return _looked_up(field, text, lookup, typed)


def _read_period(spelling: str) -> Period | None:
    try:
        return Period.parse(spelling)
    except UnreadablePeriod:
        return None


def _meant(period: Period | None, field: FieldEntry, dataset: Dataset) -> Period | None:
    """The period a value speaks of, where the catalog says it is not the one written."""
    if period is None:
        return None
    year = Period.containing(Frequency.YEAR, period.start)
    if field.type == "yearmonth" and period.frequency is Frequency.DAY:
        period = Period.containing(Frequency.MONTH, period.start)
    if dataset.clean.period == "year":
        return year
    if dataset.clean.period == "year_to_date":
        return Period.between(year.start, period.end)
    return period


def _publication_day(field: FieldEntry, text: str, relation: str, warehouse: Warehouse) -> Column:
    """A day of publication; where only month or year are known, the last day of them."""
    spellings = _spellings(text, relation, warehouse)
    read = [_read_period(spelling) for spelling in spellings]
    lookup = pl.DataFrame(
        {"spelling": spellings, "value": [p.end if p else None for p in read]},
        schema={"spelling": pl.String, "value": pl.Date},
    )
    return _looked_up(field, text, lookup, {field.name: "value"})


def _area(
    field: FieldEntry,
    text: str,
    texts: dict[str, str],
    dataset: Dataset,
    relation: str,
    warehouse: Warehouse,
) -> Column:
    """Names are resolved as of the day they were used: codes and names are recycled."""
    when = _when(texts, dataset)
    found = warehouse.select(
        f"select distinct {text} as spelling, {when} as moment from {relation} "
        f"where {text} is not null order by 1, 2"
    )
    meant = _resolve_areas(found, dataset)
    if not field.sensitive:
        _keep_problems(meant, dataset, warehouse)
    return _looked_up(
        field,
        text,
        meant,
        {"area": "code", "area_vintage": "vintage"},
        also=f" and {{}}.moment is not distinct from {when}",
    )


def _when(texts: dict[str, str], dataset: Dataset) -> str:
    """SQL of what dates a name: the era of a day, or the period as written."""
    on = dataset.clean.areas.on if dataset.clean.areas else None
    if on is None:
        return texts.get("period", "null::varchar")
    field = dataset.field(on)
    day = f"date {literal(on)}" if field is None else _cast(field, texts[on], dataset)
    return f"({_era(day, dataset.map.starts)})::varchar"


def _era(day: str, starts: list[dt.date]) -> str:
    """First day of the span without changes that holds `day`; the newest for a missing day."""
    cases = " ".join(
        f"when {day} >= date '{start}' then date '{start}'" for start in reversed(starts)
    )
    return f"case when {day} is null then date '{starts[-1]}' {cases} else date '{starts[0]}' end"


def _resolve_areas(found: pl.DataFrame, dataset: Dataset) -> pl.DataFrame:
    """Columns spelling, moment, code, vintage, problem.

    Where no one area is meant, code and vintage are null and problem says why.
    """
    levels = dataset.clean.areas.level if dataset.clean.areas else []
    rows: list[tuple[str, str | None, str | None, dt.date | None, str | None]] = []
    for moment, group in found.group_by("moment", maintain_order=True):
        meant = dataset.map.resolve_many(group["spelling"], _days(moment[0]), levels)
        rows += [(name, moment[0], *answer) for name, *answer in meant.iter_rows()]
    schema = {
        "spelling": pl.String,
        "moment": pl.String,
        "code": pl.String,
        "vintage": pl.Date,
        "problem": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _keep_problems(meant: pl.DataFrame, dataset: Dataset, warehouse: Warehouse) -> None:
    """Why names are not known, for whoever is shown the rejected records."""
    problems = meant.drop_nulls("problem").select("spelling", "problem").unique(maintain_order=True)
    name = literal(dataset.name)
    with warehouse.registered(problems) as now:
        warehouse.run(
            f"delete from unknown_area "
            f"where dataset = {name} and spelling in (select spelling from {now}); "
            f"insert into unknown_area select {name}, spelling, problem from {now}"
        )


def _days(moment: str | None) -> list[dt.date]:
    """Days on which to look a name up: the end of the period, then its start."""
    if moment is None:
        return [dt.date.max]
    period = _read_period(moment)
    return [period.end, period.start] if period else [dt.date.max]


def _looked_up(
    field: FieldEntry, text: str, lookup: pl.DataFrame, typed: dict[str, str], also: str = ""
) -> Column:
    name = f"lookup_{field.name}"
    return Column(
        field=field,
        raw=text,
        typed={column: f"{name}.{identifier(source)}" for column, source in typed.items()},
        join=f"left join {{view}} as {name} on {name}.spelling = {text}{also.format(name)}",
        lookup=lookup,
        lookup_name=name,
        reads_text=True,
    )
