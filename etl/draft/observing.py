"""Tables of figures: one a row, or several beside each other, and what tells rows apart."""

import re
from collections import defaultdict

from etl.draft import words
from etl.draft.columns import Column
from etl.draft.indicators import add_indicator, described_in
from etl.draft.plan import Field, Plan, label_field, sensitive_fields, table_unit, unit_of
from etl.draft.shaping import NothingToMeasure
from etl.extract.raw import plain

MOST_LABELS = 150
"""Labels that are written into an entry at most."""
LONGEST_LABEL = 400
"""Letters of a label, which may say everything in two languages."""
OBSERVED = ("indicator", "area", "period", "category", "status", "as_of")


def observe_figures(plan: Plan) -> None:
    """One row a figure, or several figures a row."""
    shaped = plan.shaped
    for kind in ("status", "as_of", "source", "source_url", "note"):
        for column in shaped.of(kind)[:1]:
            column.field = kind
            if kind == "source" and len(column.distinct) == 1:
                plan.source = column.filled[0]
                continue
            plan.fields.append(Field(kind, "date" if kind == "as_of" else "string", column))
    sensitive_fields(plan)
    figures = _figures(plan)
    indicator = _indicator_column(plan)
    if indicator:
        _as_value(plan, figures[0])
        _key(plan)
        _indicators_of(plan, indicator)
    elif len(figures) == 1:
        _as_value(plan, figures[0])
        _key(plan)
        _one_indicator(plan, figures[0])
    else:
        for column in figures:
            _wide_field(plan, column)
        _key(plan)
        for column in figures:
            _wide_indicator(plan, column)


def _figures(plan: Plan) -> list[Column]:
    """The columns of figures; beside a column of indicators there is room for one only."""
    found = [column for column in plan.shaped.of("figure") if not column.field]
    if not found:
        raise NothingToMeasure(
            "there is no column of figures",
            where=plan.path,
            hint="columns: " + ", ".join(column.label for column in plan.shaped.columns),
        )
    if len(found) < 2 or not plan.shaped.of("indicator", "indicator_title"):
        return found
    likely = [
        c for c in found if not re.search(r"kế hoạch|dự toán|lũy kế|cộng dồn|plan", plain(c.label))
    ]
    cautious = (likely or found)[0]
    answer = plan.notebook.ask(
        "value",
        f"several columns hold figures ({', '.join(c.label for c in found)}); which is meant? "
        "each further one needs an entry of its own (clean: {period: year} for a plan, "
        "year_to_date for cumulative figures)",
        {column.label: "" for column in found},
        cautious.label,
    )
    return [next(column for column in found if column.label == answer)]


def _indicator_column(plan: Plan) -> Column | None:
    codes = [c for c in plan.shaped.of("indicator") if not c.field]
    titles = [c for c in plan.shaped.of("indicator_title") if not c.field]
    heads = [c for c in plan.shaped.of("label") if c.label == "indicator"]
    found = next(iter([*codes, *titles, *heads]), None) or _sheets_as_indicator(plan)
    if found:
        found.field = "indicator"
    return found


def _sheets_as_indicator(plan: Plan) -> Column | None:
    """The sheets, where each holds a figure of its own."""
    sheets = [c for c in plan.shaped.of("label") if c.label == "$sheet" and not c.field]
    if not sheets:
        return None
    answer = plan.notebook.ask(
        "indicator",
        f"are the sheets ({', '.join(sheets[0].distinct)}) different figures, or parts of one?",
        {"indicator": "each sheet is a figure of its own", "category": "parts of one figure"},
        "indicator",
    )
    return sheets[0] if answer == "indicator" else None


def _as_value(plan: Plan, column: Column) -> None:
    column.field = "value"
    made = Field("value", "number", column)
    unit = unit_of(plan, column)
    if unit and "indicator" not in {c.field for c in plan.shaped.columns}:
        made.more["unit"] = unit
    plan.fields.append(made)
    _doubt_shares(plan, "value", unit, column.filled)


def _wide_field(plan: Plan, column: Column) -> None:
    title, unit = words.split_unit(column.label)[0], unit_of(plan, column)
    known = described_in(plan, title, unit)
    name = known.value if known and known.value != "value" else words.name_of(title)
    column.field = words.unique(
        name, plan.taken() | {"value", "area", *_other_names(plan, title, unit)}
    )
    whole = words.is_counted(f"{title} {unit or ''}") and all(t.isdigit() for t in column.filled)
    plan.fields.append(
        Field(
            column.field, "integer" if whole else "number", column, {"unit": unit} if unit else {}
        )
    )
    _doubt_shares(plan, column.field, unit, column.filled)


def _doubt_shares(plan: Plan, line: str, unit: str | None, texts: list[str]) -> None:
    """Leave it open whether figures in percent that all lie between 0 and 1 are shares of one."""
    if unit != "%" or not all(re.fullmatch(r"0?[.,]\d+|0|1(?:[.,]0+)?", text) for text in texts):
        return
    part = next((text for text in texts if re.search(r"[.,]\d*[1-9]", text)), None)
    if part and len(texts) > 1:
        plan.notebook.leave_open(
            line, f"is {part!r} {part} %, or a share of 1? it is read as it stands, in percent"
        )


def _other_names(plan: Plan, title: str, unit: str | None) -> set[str]:
    """Names of indicators that mean something else."""
    known = described_in(plan, title, unit)
    return set(plan.catalog.indicators) - ({known.name} if known else set())


def _wide_indicator(plan: Plan, column: Column) -> None:
    title, unit = words.split_unit(column.label)[0], unit_of(plan, column)
    for where, label in _splits(plan):
        add_indicator(plan, title + label, unit, column.field, where, column.field)


def _one_indicator(plan: Plan, column: Column) -> None:
    shaped = plan.shaped
    title, unit = words.split_unit(column.label)[0], unit_of(plan, column)
    if words.part_of(column.label) == "value" or column.label == "value":
        title = plan.title
    for where, label in _splits(plan):
        name = words.name_of(title) if title != plan.title or shaped.titles else plan.name
        add_indicator(plan, title + label, unit, "value", where, name)


def _splits(plan: Plan) -> list[tuple[dict[str, str], str]]:
    """One part per value of the columns of labels beside `category`, which divide the figures."""
    parts: list[tuple[dict[str, str], str]] = [({}, "")]
    for each in plan.fields:
        if each.name in plan.key and each.name not in OBSERVED and "categories" in each.more:
            parts = [
                ({**where, each.name: category["value"]}, f"{title}, {category['label'].lower()}")
                for where, title in parts
                for category in each.more["categories"]
            ]
    return parts


def _indicators_of(plan: Plan, column: Column) -> None:
    """One indicator per distinct text of the column; titles and units from their own columns."""
    titles = _beside(column, next(iter(plan.shaped.of("indicator_title")), None))
    units = _beside(column, next(iter(plan.shaped.of("unit")), None))
    figures: dict[str, list[str]] = defaultdict(list)
    (value,) = (each for each in plan.shaped.columns if each.field == "value")
    for text, figure in zip(column.texts, value.texts, strict=True):
        if text and figure:
            figures[text].append(figure)
    coded = column.kind == "indicator"
    categories = []
    made = Field("indicator", "string", column)
    made.more = {"constraints": {"required": True}} if coded else {}
    for text in column.distinct:
        title, unit = words.split_unit(plan.shaped.sheet_titles.get(text, titles.get(text, text)))
        unit = units.get(text) or unit or table_unit(plan)
        for where, label in _splits(plan):
            name = text if coded else words.name_of(title)
            where = {"indicator": name, **where} if where else {}
            added = add_indicator(plan, title + label, unit, None, where, name, coded=coded)
            _doubt_shares(plan, f"indicator:{added}", unit, figures.get(text, []))
            if not coded:
                categories.append({"value": added, "label": text})
    if not coded:
        made.more["categories"] = categories
        plan.notebook.guess("indicator", f"{len(categories)} distinct texts name what is measured")
    plan.fields.append(made)


def _beside(column: Column, other: Column | None) -> dict[str, str]:
    """The text of another column that stands beside each text of this one."""
    if other is None or other is column:
        return {}
    pairs = zip(column.texts, other.texts, strict=True)
    return {a: b for a, b in pairs if a and b}


def _key(plan: Plan) -> None:
    """The fewest parts of an observation that no two rows share; labels divide where they must."""
    shaped = plan.shaped
    by_field = {column.field: column for column in shaped.columns if column.field}
    key = [name for name in ("indicator", "area", "period") if name in by_field]
    spare = [by_field[name] for name in ("status", "as_of") if name in by_field]
    labels = [column for column in shaped.of("label") if not column.field]
    labels += [c for c in shaped.of("text", "indicator_title") if not c.field and _few(c)]
    chosen = [by_field[name] for name in key]
    rows = sum(all(column.texts[i] for column in chosen) for i in range(_height(plan)))
    while labels and _kinds(chosen, plan) < rows:
        best = max(labels, key=lambda column: _kinds([*chosen, column], plan))
        if _kinds([*chosen, best], plan) <= _kinds(chosen, plan):
            break
        chosen.append(best)
        labels.remove(best)
        first = "category" not in plan.taken()
        label_field(plan, best, "category" if first else None)
    for column in spare:
        if _kinds(chosen, plan) < rows:
            chosen.append(column)
    _keep_groups(plan, labels)
    constant = [name for name in ("area", "period") if name in plan.clean.get("constant", {})]
    plan.key = [*(column.field for column in chosen), *constant]
    if _kinds(chosen, plan) < rows and plan.key:
        twice = rows - _kinds(chosen, plan)
        plan.notebook.leave_open("key", f"{twice} rows have the {', '.join(plan.key)} of another")
    elif plan.key:
        plan.notebook.guess("key", f"no two of {rows} rows share it")


def _keep_groups(plan: Plan, labels: list[Column]) -> None:
    """A field for the groups of rows, though the key does without it: `where` may name one."""
    into = plan.clean.get("groups", {}).get("into")
    for column in labels:
        if column.label == into:
            column.field = words.unique(words.name_of(into), plan.taken())
            plan.fields.append(Field(column.field, "string", column))


def _few(column: Column) -> bool:
    """Whether a column of texts could be one of labels, if nothing else tells the rows apart."""
    return len(column.distinct) <= MOST_LABELS and max(map(len, column.distinct)) <= LONGEST_LABEL


def _height(plan: Plan) -> int:
    return len(plan.shaped.columns[0].texts)


def _kinds(columns: list[Column], plan: Plan) -> int:
    """Distinct rows of these columns, of those that are filled in the first three."""
    rows = (
        zip(*(column.texts for column in columns), strict=True) if columns else [()] * _height(plan)
    )
    return len({tuple(plain(text or "") for text in row) for row in rows if all(row[:3])})
