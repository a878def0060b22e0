"""From text to typed columns. Distinct spellings first: few are many times repeated.

Columns of names, periods, categories and states are read once for their distinct spellings, all of
them in one pass; these are resolved in Python and looked up, so that the cost does not grow with
the rows. Numbers and dates are cast by DuckDB. Text that cannot be read becomes null here and a
broken rule in `etl.validate`.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

import polars as pl

from etl.catalog import Dataset, FieldEntry, Status
from etl.corrections import corrected, fallen, guard
from etl.extract.raw import (
    FILE,
    MENDED,
    RECORD,
    SHEET,
    MissingColumn,
    RepeatedColumn,
    column_of,
    plain,
)
from etl.extract.totals import BRACKETED, UNUSUAL, USUAL, astray, misplaced
from etl.extract.units import unit
from etl.footnotes import without_mark
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


FIRST_DAY = "1800-01-01"
"""Days before it are slips: no file of ours speaks of them."""
PERCENT = unit("%")
EXACT = 2**53
"""Whole numbers below this are the same as a double and as text."""
SHOWN_LABELS, SHOWN_LETTERS = 30, 60
LOOKED_UP = ("area", "period", "status", "as_of")
BETWEEN = "\x1f"
"""Stands between the moment and the name in the key of an area; no file has it in a cell."""


@dataclass(frozen=True)
class Column:
    """How one field of the clean table is made from rows of text (see `texts`)."""

    field: FieldEntry
    typed: dict[str, str]
    """Columns of the clean table and their SQL; most fields make one, area and period several."""
    looked_up: bool = False
    reads_text: bool = False
    """Whether text can fail to be read, so that non-empty text without a value breaks a rule."""


def raw(field: str) -> str:
    """SQL of the text of a field as it stood; no field can have a name with a blank."""
    return f'"raw {field}"'


def _day(field: FieldEntry) -> str:
    """SQL of the day that the text of a field says, as `texts` yields it."""
    return f'"day {field.name}"'


def texts(dataset: Dataset, labels: list[str], relation: str, warehouse: Warehouse) -> str:
    """SQL of the rows of text, corrected: `raw <field>` for each field, and where they stood.

    Fields of days also have `day <field>`, the day that the text says; null where it says none.

    `_mended` lists the corrections that fall on a row.

    Raises:
        MissingColumn: a field is neither a column of the file nor a constant.
        SourceMended, SourceChanged, NotOneRecord: a declared correction does not fit the file.
    """
    sources = {field.name: _source(field, dataset, labels) for field in dataset.schema_.fields}
    guard(dataset, sources, relation, warehouse)
    columns = [f"{sql} as {raw(name)}" for name, sql in corrected(dataset, sources).items()]
    columns += [FILE, RECORD, SHEET, f"{fallen(dataset, sources)} as {MENDED}"]
    return with_days(f"(select {', '.join(columns)} from {relation})", dataset)


def with_days(rows: str, dataset: Dataset) -> str:
    """SQL of `rows` and the day that each text of a day says, read once however often it is used.

    DuckDB would read it anew in each branch of a condition.
    """
    formats = ", ".join(literal(form) for form in _shortest_first(dataset))
    days = [
        f"try_strptime({raw(field.name)}, [{formats}])::date as {_day(field)}"
        for field in dataset.schema_.fields
        if field.type == "date"
    ]
    return f"(select {', '.join(['*', *days])} from {rows})" if days else rows


def columns(dataset: Dataset, rows: str, warehouse: Warehouse) -> list[Column]:
    """One `Column` per field, in the order of the schema, for the rows of text `rows`."""
    spellings = _distinct(dataset, rows, warehouse)
    return [
        _looked_up(
            field, _resolve(field, spellings[field.name], dataset, warehouse), dataset, warehouse
        )
        if field.name in spellings
        else _plain(field, dataset)
        for field in dataset.schema_.fields
    ]


def _distinct(dataset: Dataset, rows: str, warehouse: Warehouse) -> dict[str, list[str]]:
    """The distinct keys of each field that is looked up."""
    keys = {
        field.name: _key(field, dataset)
        for field in dataset.schema_.fields
        if field.name in LOOKED_UP or field.categories
    }
    if not keys:
        return {}
    lists = ", ".join(f"list(distinct {key}) as {identifier(name)}" for name, key in keys.items())
    found = warehouse.select(f"select {lists} from {rows}").row(0, named=True)
    return {name: sorted(key for key in found[name] or [] if key is not None) for name in keys}


def _key(field: FieldEntry, dataset: Dataset) -> str:
    """SQL of what the meaning of a cell depends on: its spelling; of an area, also the moment."""
    if field.name != "area":
        return raw(field.name)
    return f"coalesce({_moment(dataset)}, '') || chr({ord(BETWEEN)}) || {raw('area')}"


def _resolve(
    field: FieldEntry, keys: list[str], dataset: Dataset, warehouse: Warehouse
) -> pl.DataFrame:
    """`key` and what it means; nulls where it means nothing that is known."""
    if field.name == "area":
        meant = _areas(keys, dataset)
        if not field.sensitive:
            _keep_problems(meant, dataset, warehouse)
        return meant.select("key", "area", "area_vintage")
    if field.name == "period":
        return _periods(keys, field, dataset)
    if field.name == "as_of":
        return _publication_days(keys)
    return _categories(keys, field)


def _looked_up(
    field: FieldEntry, meanings: pl.DataFrame, dataset: Dataset, warehouse: Warehouse
) -> Column:
    """SQL that finds a key among those known, and takes what stands at its place in a list.

    It could be a join, but joins do not keep the order of rows.
    """
    keys = f"keys_{field.name}"
    place = f"enum_code(try_cast({_key(field, dataset)} as {identifier(keys)}))::bigint + 1"
    typed = {}
    with warehouse.registered(meanings) as view:
        warehouse.run(
            f"create or replace temp type {identifier(keys)} as enum "
            f"(select key from {view} order by key)"
        )
        for column in meanings.columns[1:]:
            variable = f"{keys}_{column}"
            warehouse.run(
                f"set variable {identifier(variable)} = "
                f"(select list({identifier(column)} order by key) from {view})"
            )
            typed[column] = f"getvariable({literal(variable)})[{place}]"
    return Column(field, typed, looked_up=True, reads_text=True)


def _plain(field: FieldEntry, dataset: Dataset) -> Column:
    """Any text is text; numbers, days and truth values can fail to be read."""
    sql = _cast(field, dataset)
    if field.sensitive and field.type == "string":
        sql = f"nullif(trim({raw(field.name)}), '')"  # looked at by its rules, and not kept
    return Column(field, {field.name: sql}, reads_text=field.type != "string")


def _source(field: FieldEntry, dataset: Dataset, labels: list[str]) -> str:
    if field.name in dataset.clean.constant:
        return literal(dataset.clean.constant[field.name])
    position = column_of(field.spellings, labels)
    if position is None:
        raise MissingColumn(
            f"no column for {field.name!r}: looked for {', '.join(map(repr, field.spellings))}",
            where=dataset.path,
            hint=f"columns there: {_some(labels)}; "
            f"add the spelling to `from` of {dataset.name}.{field.name}",
        )
    label = labels[position]
    if [plain(other) for other in labels].count(plain(label)) > 1:
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


def _cast(field: FieldEntry, dataset: Dataset) -> str:
    text = raw(field.name)
    trimmed = f"nullif(trim({text}), '')"
    if field.type in ("integer", "number"):
        number = _figure(trimmed, field, dataset)
        if field.type == "number":
            return f"case when isfinite({number}) then {number} end"
        # Beyond this a whole number would be rounded, and further on not even fit.
        whole = f"{number} = round({number}) and abs({number}) < {EXACT}"
        return f"case when {whole} then {number}::bigint end"
    if field.type == "date":
        # By %Y a year of two digits, 5/4/26, is one of the first century.
        return f"case when {_day(field)} >= date '{FIRST_DAY}' then {_day(field)} end"
    if field.type == "boolean":
        return f"try_cast({trimmed} as boolean)"
    # As many bytes as characters: nothing that could be composed, and composing is dear.
    composed = (
        f"case when strlen({text}) = length({text}) then {text} else nfc_normalize({text}) end"
    )
    return f"nullif(trim({composed}), '')"


def _figure(text: str, field: FieldEntry, dataset: Dataset) -> str:
    """SQL of the figure in a text; one in brackets is below zero where the entry says so."""
    number = f"try_cast({_digits(_bare(text, field), dataset)} as double)"
    if dataset.read.brackets != "negative":
        return number
    within = f"substr({text}, 2, length({text}) - 2)"
    negative = f"-try_cast({_digits(_bare(within, field), dataset)} as double)"
    bracketed = f"regexp_full_match({text}, {literal(BRACKETED)})"
    return f"coalesce({number}, case when {bracketed} then {negative} end)"


def _shortest_first(dataset: Dataset) -> list[str]:
    """Formats of days, those with years of two digits first: they fit no other.

    Those that begin with the year come last, for they fit no other either: a format that fails
    costs ten times as much as one that fits, and few large files are written so.
    """
    return sorted(
        dict.fromkeys([*dataset.read.dates, "%Y-%m-%d"]),
        key=lambda form: ("%y" not in form, form.startswith("%Y")),
    )


def _bare(text: str, field: FieldEntry) -> str:
    """Without the sign of percent where it is the unit; elsewhere it makes a figure unreadable."""
    in_percent = field.unit is not None and unit(field.unit) == PERCENT
    return f"rtrim({text}, '% ')" if in_percent else text


def _digits(text: str, dataset: Dataset) -> str:
    read = dataset.read
    folded = f"translate({text}, {literal(UNUSUAL)}, {literal(USUAL)})"
    # As many bytes as characters: nothing of that, and to translate is dear.
    written = f"case when strlen({text}) = length({text}) then {text} else {folded} end"
    spaced = f"contains({written}, ' ') and regexp_matches({written}, {literal(astray(read))})"
    clean = f"case when {spaced} then null else replace({written}, ' ', '') end"
    if wrong := misplaced(read):
        sign = literal(read.thousands)
        bad = f"contains({text}, {sign}) and regexp_matches({clean}, {literal(wrong)})"
        clean = f"case when {bad} then null else replace({clean}, {sign}, '') end"
    return f"translate({clean}, ',.', '.#')" if read.decimal == "," else clean


def _categories(keys: list[str], field: FieldEntry) -> pl.DataFrame:
    known: dict[str, str] = dict(STATUSES) if field.name == "status" else {}
    for category in field.categories:
        for spelling in (category.value, category.label, *category.spellings):
            known[plain(spelling)] = category.value
    meant = [known.get(plain(key)) or known.get(plain(without_mark(key))) for key in keys]
    return pl.DataFrame(
        {"key": keys, field.name: meant}, schema={"key": pl.String, field.name: pl.String}
    )


def _periods(keys: list[str], field: FieldEntry, dataset: Dataset) -> pl.DataFrame:
    read = [_meant(_read_period(key), field, dataset) for key in keys]
    return pl.DataFrame(
        {
            "key": keys,
            "period": [p.start if p else None for p in read],
            "period_end": [p.end if p else None for p in read],
            "frequency": [str(p.frequency) if p else None for p in read],
        },
        schema={
            "key": pl.String,
            "period": pl.Date,
            "period_end": pl.Date,
            "frequency": pl.String,
        },
    )


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


def _publication_days(keys: list[str]) -> pl.DataFrame:
    """Days of publication; where only month or year are known, the last day of them."""
    read = [_read_period(key) for key in keys]
    return pl.DataFrame(
        {"key": keys, "as_of": [p.end if p else None for p in read]},
        schema={"key": pl.String, "as_of": pl.Date},
    )


def _areas(keys: list[str], dataset: Dataset) -> pl.DataFrame:
    """Columns key, spelling, area, area_vintage, problem.

    Names are resolved as of the moment they were used: codes and names are recycled. Where no one
    area is meant, area and vintage are null and problem says why.
    """
    levels = dataset.clean.areas.level if dataset.clean.areas else []
    used: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        moment, _, name = key.partition(BETWEEN)
        used[moment].append(name)
    rows: list[tuple[str, str, str | None, dt.date | None, str | None]] = []
    for moment, names in used.items():
        meant = dataset.map.resolve_many(names, _days(moment), levels)
        rows += [(moment + BETWEEN + name, name, *answer) for name, *answer in meant.iter_rows()]
    schema = {
        "key": pl.String,
        "spelling": pl.String,
        "area": pl.String,
        "area_vintage": pl.Date,
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


def _moment(dataset: Dataset) -> str:
    """SQL of what dates a name, as text: the era of a day, or the period as written."""
    on = dataset.clean.areas.on if dataset.clean.areas else None
    if on is None:
        return raw("period") if dataset.field("period") else "null::varchar"
    field = dataset.field(on)
    day = f"date {literal(on)}" if field is None else _cast(field, dataset)
    return _era(day, dataset.map.starts)


def _era(day: str, starts: list[dt.date]) -> str:
    """First day of the span without changes that holds `day`; the newest for a missing day."""
    cases = " ".join(f"when {day} >= date '{start}' then '{start}'" for start in reversed(starts))
    return f"case when {day} is null then '{starts[-1]}' {cases} else '{starts[0]}' end"


def _days(moment: str) -> list[dt.date]:
    """Days on which to look a name up: the end of the period, then its start."""
    period = _read_period(moment)
    return [period.end, period.start] if period else [dt.date.max]
