"""From the layout of a file to a long table: which sheets, which rows, what lies in the headers.

The same steps that the readers take by order of the catalog, taken to see whether they help; what
helped is written into `read` and `clean`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl.catalog import Totals
from etl.draft import words
from etl.draft.asking import Notebook
from etl.draft.columns import Column, columns_of
from etl.draft.figures import Signs, signs_of
from etl.draft.grouping import INTO, groups_of
from etl.draft.layout import (
    Layout,
    drop_pattern,
    escaped,
    find_table,
    header_cell,
    is_blank,
    is_number,
    is_row_of_column_numbers,
    stop_pattern,
)
from etl.draft.opening import Grid, Opened
from etl.draft.period_heads import period_pattern
from etl.draft.places import places_in
from etl.draft.year_parts import BESIDE, Part, dated, part_pattern, years_said
from etl.errors import ForesightError
from etl.extract.grid import FIRST
from etl.extract.raw import Cell, UnreadableFile, plain
from etl.extract.totals import BRACKETED
from etl.geography import Geography
from etl.patterns import compiled

RECORDS_ONLY = ("json", "parquet")
"""Formats without anything above their records."""


class NothingToMeasure(ForesightError):
    """The file has neither figures nor days by which its rows could be counted."""


@dataclass
class Shaped:
    """A long table, and what the catalog must say to get it."""

    opened: Opened
    layouts: list[Layout]
    columns: list[Column]
    stem: str
    """The name of the file without its ending."""
    read: dict[str, Any]
    clean: dict[str, Any] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    sheet_titles: dict[str, str] = field(default_factory=dict)
    dropped: int = 0

    def of(self, *kinds: str) -> list[Column]:
        """Columns of these kinds, from the left."""
        return [column for column in self.columns if column.kind in kinds]


def shape(opened: Opened, where: str, notebook: Notebook, geography: Geography) -> Shaped:
    """The table of the file in long form; `geography` is the map that its places may be of.

    Raises:
        UnreadableFile: no sheet holds a table.
    """
    layouts = _choose(opened, where, notebook)
    signs = _signs(layouts, notebook)
    shaped = Shaped(opened, layouts, [], Path(where).stem, dict(opened.read))
    shaped.titles = layouts[0].titles
    _write_sheets(shaped, notebook)
    _write_signs(shaped, signs)
    dropped = [
        {r for r in each.body[:2] if is_row_of_column_numbers(each.texts(r))} for each in layouts
    ]
    columns = _columns(layouts, dropped, signs.decimal)
    _write_brackets(shaped, columns, notebook)
    _refuse_what_is_no_header(columns, where, geography)
    _refuse_tables_side_by_side(columns, where, geography)
    unread = [
        _rows_without_place(each, gone, columns, geography)
        for each, gone in zip(layouts, dropped, strict=True)
    ]
    gone = [a | b for a, b in zip(dropped, unread, strict=True)]
    grouped = _write_groups(shaped, dropped, unread, columns, notebook)
    _write_rows(shaped, sorted(dropped[0]), unread, notebook)
    shaped.dropped = sum(map(len, gone))
    filled = _fill_down(layouts, columns)
    shaped.columns = _columns(layouts, gone, signs.decimal, filled)
    if grouped:
        shaped.columns.append(_group_column(shaped, grouped, signs.decimal))
    if filled:
        shaped.clean["fill_down"] = filled
    _unpivot(shaped, notebook)
    return shaped


def _refuse_what_is_no_header(columns: list[Column], where: str, geography: Geography) -> None:
    """A record in the place of the header would be lost, and its figure name an indicator."""
    names = _names_column(columns, geography)
    figures = [c for c in columns if c.kind == "figure" and is_number(c.label)]
    large = [c for c in figures if not re.fullmatch(r"\d\d?|(?:19|20)\d\d", c.label)]
    if names and large and _is_place(names.label, geography):
        raise UnreadableFile(
            f"the first row is a record ({names.label!r}, {large[0].label!r}): there is no header",
            where=where,
            hint="write one name above each column, and add the file again",
        )


def _is_place(text: str, geography: Geography) -> bool:
    places = places_in(Column(0, "", [text], [text]), None, geography)
    return places is not None and not places.unknown


def _refuse_tables_side_by_side(columns: list[Column], where: str, geography: Geography) -> None:
    """Figures of the right one would else be taken for those of the places of the left one."""
    names = _names_column(columns, geography)
    for twin in columns:
        if names is None or twin is names or _once(twin.label) != _once(names.label):
            continue
        places = places_in(twin, None, geography)
        if places and places.share > 0.5:
            raise UnreadableFile(
                f"tables stand side by side: {_once(twin.label)!r} heads two columns of places",
                where=where,
                hint="put one below the other, each with its header, or each on its own sheet",
            )


def _once(label: str) -> str:
    """A header without the number that tells it from another like it."""
    return re.sub(r" \(\d+\)$", "", label)


# --- sheets ---------------------------------------------------------------------------------------


def _choose(opened: Opened, where: str, notebook: Notebook) -> list[Layout]:
    """The sheets to read: the largest table, and those with the same header."""
    found: list[Layout] = []
    problem: UnreadableFile | None = None
    for grid in opened.grids:
        try:
            found.append(find_table(grid, where=_where(where, grid), one_line=not opened.typed))
        except UnreadableFile as error:
            problem = problem or error
    if not found:
        raise problem or UnreadableFile("there is no table", where=where)
    found.sort(key=_figures, reverse=True)
    best = found[0]
    same = [other for other in found if _head(other) == _head(best)]
    same.sort(key=lambda layout: opened.grids.index(layout.grid))
    if len(same) > 1:
        notebook.guess("read.sheet", f"{len(same)} sheets have the same header")
        return same
    rivals = [other for other in found[1:] if _figures(other) > 0.5 * _figures(best) > 0]
    if rivals:
        options = {str(layout.grid.name): "" for layout in [best, *rivals]}
        answer = notebook.ask(
            "read.sheet",
            f"several sheets hold tables ({', '.join(options)}); which one?",
            options,
            str(best.grid.name),
        )
        return [layout for layout in found if layout.grid.name == answer]
    return [best]


def _where(where: str, grid: Grid) -> str:
    return f"{where}: {grid.name}" if grid.name else where


def _figures(layout: Layout) -> int:
    return sum(is_number(cell) for r in layout.body for cell in layout.grid.rows[r][1:])


def _head(layout: Layout) -> tuple[str, ...]:
    return tuple(plain(label) for label in layout.labels)


def _write_sheets(shaped: Shaped, notebook: Notebook) -> None:
    opened, chosen = shaped.opened, shaped.layouts
    names = [str(layout.grid.name) for layout in chosen]
    if len(chosen) > 1:
        every = [*opened.sheets, *opened.hidden]
        shaped.read["sheet"] = _sheet_pattern(names, every)
        shaped.sheet_titles = {str(layout.grid.name): _own_title(layout) for layout in chosen}
    elif len(opened.sheets) > 1:
        if names[0] != opened.sheets[0]:
            shaped.read["sheet"] = names[0]
        notebook.guess(
            "read.sheet", f"sheet {names[0]!r} of {len(opened.sheets)} has the largest table"
        )
    if shaped.opened.format not in RECORDS_ONLY:
        _write_header(shaped, chosen[0], notebook)


def _write_header(shaped: Shaped, layout: Layout, notebook: Notebook) -> None:
    cell = header_cell(layout, [label for label in layout.labels if words.speaks_of_area(label)])
    if cell:
        header: dict[str, Any] = {"find": cell}
        if layout.depth > 1:
            header["rows"] = layout.depth
        shaped.read["header"] = header
        notebook.guess("read.header", "the last row of names above the figures")
    elif shaped.opened.blank_records:
        # A pattern asks for the rows to be looked at one by one, and blank ones are then none.
        label = next(label for label in layout.labels if label)
        shaped.read["header"] = {"find": f"^{escaped(label)}$"}
        notebook.guess("read.header", f"{shaped.opened.blank_records} rows hold only delimiters")
    if stop := stop_pattern(layout):
        shaped.read["stop_at"] = stop
        notebook.guess("read.stop_at", f"{len(layout.notes)} rows below the table")


def _own_title(layout: Layout) -> str:
    """The title that is nearest to the table and is no unit."""
    kept = [title for title in layout.titles if not words.unit_in(title)]
    return re.sub(r"^[\d.]+\s*", "", kept[-1]) if kept else str(layout.grid.name)


def _sheet_pattern(names: list[str], every: list[str]) -> str:
    tries = ["^", r"^\d+", *(f"^{escaped(names[0][:n])}" for n in range(1, 12))]
    for pattern in tries:
        if [name for name in every if re.search(pattern, name)] == names:
            return pattern
    return f"^({'|'.join(escaped(name) for name in names)})$"


# --- figures --------------------------------------------------------------------------------------


def _signs(layouts: list[Layout], notebook: Notebook) -> Signs:
    """By the written figures of the columns that mostly hold figures."""
    found = [column for layout in layouts for column in _written_figures(layout)]
    counted = {number for number, (whole, _) in enumerate(found) if whole}
    signs = signs_of([texts for _, texts in found], counted)
    if signs.why and (signs.thousands or signs.decimal == ","):
        notebook.guess("read.decimal", signs.why)
    if signs.against:
        notebook.leave_open(
            "read.decimal", f"some figures are written the other way, such as {signs.against[0]!r}"
        )
    return _ask_signs(signs, notebook) if signs.unsure else signs


def _written_figures(layout: Layout) -> Iterator[tuple[bool, list[str]]]:
    """Per column of figures, whether they come whole, and those that are text."""
    units = " ".join(filter(None, map(words.unit_in, layout.titles)))
    for position, label in enumerate(layout.labels):
        cells = [c for c in layout.column(position) if c is not None and not is_blank(c)]
        mostly = sum(map(is_number, cells)) >= 0.5 * len(cells)
        if mostly and words.part_of(label) != "row_number":
            whole = words.is_counted(f"{label} {units}")
            yield whole, [text for text in cells if isinstance(text, str) and is_number(text)]


def _ask_signs(signs: Signs, notebook: Notebook) -> Signs:
    example = signs.unsure[0]
    sign = "." if "." in example else ","
    answer = notebook.ask(
        "read.decimal",
        f"is {example!r} more than a thousand, or a number with decimals?",
        {"thousands": f"{sign!r} parts thousands", "decimal": f"{sign!r} parts decimals"},
        "thousands",
    )
    other = "," if sign == "." else "."
    if answer == "thousands":
        return Signs("," if sign == "." else ".", sign, None)  # type: ignore[arg-type]
    return Signs(sign, other if signs.thousands == other else "", "answered")  # type: ignore[arg-type]


def _write_signs(shaped: Shaped, signs: Signs) -> None:
    # Where cells keep types, texts such as 1.200 are no figures until somebody says what they are.
    if signs.decimal != "." or (shaped.opened.typed and signs.why):
        shaped.read["decimal"] = signs.decimal
    if signs.thousands.strip():
        shaped.read["thousands"] = signs.thousands


def _write_brackets(shaped: Shaped, columns: list[Column], notebook: Notebook) -> None:
    """Figures in brackets are those of accountants below zero; (1) alone may be a footnote."""
    texts = (text for column in columns if column.kind == "figure" for text in column.distinct)
    found = [text for text in texts if re.fullmatch(BRACKETED, text)]
    clear = [text for text in found if not re.fullmatch(r"\(\d\d?\)", text)]
    if clear:
        notebook.guess("read.brackets", f"figures in brackets, such as {clear[0]!r}, below zero")
    elif found:
        answer = notebook.ask(
            "read.brackets",
            f"is {found[0]!r} a figure below zero, or the number of a footnote?",
            {"negative": "below zero, as accountants write it", "note": "no figure"},
            "note",
        )
    if clear or (found and answer == "negative"):
        shaped.read["brackets"] = "negative"


# --- rows -----------------------------------------------------------------------------------------


def _columns(
    layouts: list[Layout],
    dropped: list[set[int]],
    decimal: str,
    filled: list[str] | None = None,
) -> list[Column]:
    """The columns of all chosen sheets, one below the other, with `$sheet` where there are several.

    Rows in `dropped` are left out; columns whose label is in `filled` are filled down.
    """
    labels = layouts[0].labels
    cells: dict[int, list[Cell]] = {}
    sheets: list[Cell] = []
    for layout, gone in zip(layouts, dropped, strict=True):
        kept = [i for i, r in enumerate(layout.body) if r not in gone]
        sheets += [layout.grid.name] * len(kept)
        for position in range(len(labels)):
            column = layout.column(position)
            made = [column[i] for i in kept]
            if filled and labels[position] in filled:
                made = _filled(made)
            cells.setdefault(position, []).extend(made)
    columns = columns_of(labels, cells, decimal)
    if len(layouts) > 1:
        columns += columns_of(["$sheet"], {0: sheets}, decimal)
        if columns[-1].kind != "period":
            columns[-1].kind = "label"
    return columns


def _filled(cells: list[Cell]) -> list[Cell]:
    made: list[Cell] = []
    for cell in cells:
        made.append(cell if cell is not None or not made else made[-1])
    return made


def _rows_without_place(
    layout: Layout, gone: set[int], columns: list[Column], geography: Geography
) -> set[int]:
    """Rows that are no records: totals of all places, and headings of groups without a figure."""
    figures = [c.position for c in columns if c.kind == "figure" and c.label != "$sheet"]
    names = _names_column(columns, geography)
    places = _known_places(names, geography)
    found = set()
    for r in layout.body:
        if r in gone:
            continue
        row = layout.grid.rows[r]
        has_figure = any(p < len(row) and is_number(row[p]) for p in figures)
        first = layout.texts(r)[:3]
        known = names is not None and _cell(row, names.position) in places
        total = any(words.TOTALS.match(text) for text in first)
        heading = bool(figures) and not has_figure and _is_heading(first, row, layout)
        heading = heading or (len(places) > 1 and _is_numbered_group(first))
        if not known and (heading or (total and names is not None)):
            found.add(r)
    return found


def _cell(row: list[Cell], position: int) -> str | None:
    cell = row[position] if position < len(row) else None
    return str(cell).replace("\xa0", " ").strip() if cell is not None else None


def _is_heading(first: list[str], row: list[Cell], layout: Layout) -> bool:
    filled = sum(cell is not None for cell in row)
    numbered = bool(first) and bool(re.fullmatch(rf"{words.ROMAN}|[A-Z]", first[0]))
    return filled == 1 or (numbered and filled <= max(2, len(layout.labels) / 2))


def _is_numbered_group(first: list[str]) -> bool:
    """ "I  Khu vực trung tâm", with or without figures of its own, among rows of places."""
    return len(first) > 1 and bool(re.fullmatch(rf"{words.ROMAN}[.)]?", first[0]))


def _names_column(columns: list[Column], geography: Geography) -> Column | None:
    """The column whose names are mostly places."""
    found = [
        (places.share, -column.position, column)
        for column in columns
        if column.kind in ("label", "text") and (places := places_in(column, None, geography))
    ]
    return max(found)[2] if found else None


def _known_places(column: Column | None, geography: Geography) -> set[str]:
    """Names of the column that are places at any time."""
    places = places_in(column, None, geography) if column else None
    return set(places.column.distinct) - set(places.unknown) if places else set()


def _write_groups(
    shaped: Shaped,
    dropped: list[set[int]],
    unread: list[set[int]],
    columns: list[Column],
    notebook: Notebook,
) -> list[Cell]:
    """The group of each record, if the headings are groups; they are then taken out of `unread`."""
    if shaped.opened.format in RECORDS_ONLY:
        return []
    headings = [_headings(each, rows) for each, rows in zip(shaped.layouts, unread, strict=True)]
    found = [
        groups_of(layout, gone | (rows - named), named, columns)
        for layout, gone, rows, named in zip(shaped.layouts, dropped, unread, headings, strict=True)
    ]
    if not all(found):
        return []
    for rows, named in zip(unread, headings, strict=True):
        rows -= named
    shaped.clean["groups"] = {"into": _unused(INTO, columns)}
    notebook.guess(
        "clean.groups", f"{sum(map(len, headings))} rows without figures head those below them"
    )
    return [name for each in found if each for name in each.values()]


def _headings(layout: Layout, unread: set[int]) -> set[int]:
    """Those of the rows that are no records which are not called totals."""
    return {
        row
        for row in unread
        if not any(words.TOTALS.match(text) for text in layout.texts(row)[:FIRST])
    }


def _unused(name: str, columns: list[Column]) -> str:
    return words.unique(name, {plain(column.label) for column in columns})


def _group_column(shaped: Shaped, names: list[Cell], decimal: str) -> Column:
    (column,) = columns_of([shaped.clean["groups"]["into"]], {0: names}, decimal)
    if column.kind not in ("period", "personal"):
        column.kind = "label"
    return column


def _write_rows(
    shaped: Shaped, numbering: list[int], unread: list[set[int]], notebook: Notebook
) -> None:
    layout = shaped.layouts[0]
    others = unread[0]
    if shaped.opened.format not in RECORDS_ONLY and (total := _one_total(layout, others)):
        shaped.clean["totals"] = {}
        notebook.guess("clean.totals", f"row {total + 1} adds up the others, to be compared")
        others = others - {total}
    pattern, untold = drop_pattern([*numbering, *others], layout)
    if pattern:
        shaped.read["drop_rows"] = pattern
        parts = []
        if others:
            parts.append(f"totals or headings: {len(others)} of {len(layout.body)} rows")
        if numbering:
            parts.append("a row of column numbers")
        notebook.guess("read.drop_rows", " and ".join(parts))
    if untold:
        notebook.leave_open(
            "read", f"row {untold[0] + 1} is no record, and nothing tells it apart: take it out"
        )


def _one_total(layout: Layout, unread: set[int]) -> int | None:
    """The one row of the table that is a total by its words, if it is none of the records."""
    match = compiled(Totals().match, any_case=True)
    named = [
        row
        for row in layout.body
        if any(match.search(text) for text in layout.texts(row)[:FIRST] if not is_number(text))
    ]
    return named[0] if len(named) == 1 and named[0] in unread else None


def _fill_down(layouts: list[Layout], columns: list[Column]) -> list[str]:
    """Labels of columns of texts that stand once for several rows."""
    if layouts[0].grid.name is None:
        return []
    merged = {
        left
        for layout in layouts
        for (top, left), (bottom, right) in layout.grid.merged
        if left == right and bottom > top >= layout.body[0]
    }
    found = []
    for column in columns:
        rows = column.texts
        gaps = sum(text is None for text in rows) / max(1, len(rows))
        text = column.kind in ("label", "text", "indicator", "indicator_title")
        if text and rows and gaps > 0.2 and (column.position in merged):
            found.append(column.label)
    return found


# --- what lies in the headers ---------------------------------------------------------------------


def _unpivot(shaped: Shaped, notebook: Notebook) -> None:
    """Periods, or the divisions of an indicator, that head columns become columns themselves."""
    figures = {column.label: column for column in shaped.of("figure")}
    empty = {column.label: column for column in shaped.of("empty")}
    others = [column.label for column in shaped.columns if column.kind not in ("figure", "empty")]
    pattern = period_pattern([*figures], [*empty], others)
    if pattern:
        matched = [label for label in figures if re.search(pattern, label)]
        notebook.guess(
            "clean.unpivot",
            f"{len(matched)} headers are periods, {matched[0]!r} to {matched[-1]!r}",
        )
    elif shaped.of("indicator", "indicator_title") and not shaped.of("period") and len(figures) > 1:
        labels = list(figures)
        pattern = f"^(?P<category>{'|'.join(map(escaped, labels))})$"
        notebook.guess(
            "clean.unpivot", f"{len(labels)} columns of figures beside a column of indicators"
        )
    found = None if pattern else part_pattern([*figures, *empty])
    if found:
        _leave_out_sums(shaped, found[1])
        pattern = found[1]
    if pattern:
        shaped.clean["unpivot"] = {"columns": pattern, "into": "value"}
        shaped.columns = _long(shaped.columns, pattern)
    if found:
        _complete(shaped, found[0], notebook)


def _leave_out_sums(shaped: Shaped, pattern: str) -> None:
    """What is made of the months beside it is no figure of each of them."""
    for column in shaped.of("figure"):
        if BESIDE.search(column.label) and not re.search(pattern, column.label):
            column.kind, column.why = "part", "made of the columns beside it"


def _complete(shaped: Shaped, part: Part, notebook: Notebook) -> None:
    """The periods that the parts of a year make: their year is in the header, said above, asked.

    Raises:
        NothingToMeasure: no year is said.
    """
    year = None
    if any(column.label == "year" for column in shaped.columns):
        of = "{year}"
    else:
        year, of = _year_above(shaped, part, notebook)
    shaped.clean["compose"] = {"period": f"{part.written}/{of}"}
    notebook.guess("clean.unpivot", f"the headers are {part.name}s of a year")
    shaped.columns.append(dated(shaped.columns, part, year))


def _year_above(shaped: Shaped, part: Part, notebook: Notebook) -> tuple[str, str]:
    """The year that is said above the table, and how the catalog speaks of it."""
    layout = shaped.layouts[0]
    caption, years = years_said([*layout.titles, layout.grid.name or "", shaped.stem])
    if not years:
        raise NothingToMeasure(
            f"its columns are {part.name}s, and no year is said",
            where=f"{shaped.stem}: {', '.join(column.label for column in shaped.columns[:4])}",
            hint="write the year above the table ('Năm 2025') or into the name of the file",
        )
    if len(years) == 1 and shaped.opened.format not in RECORDS_ONLY:
        shaped.read["caption"] = caption
        notebook.guess("read.caption", f"the year of the {part.name}s, here {years[0]}")
        return years[0], "{$year}"
    text = f"of which year are the {part.name}s? above the table stand {' and '.join(years)}"
    year = notebook.ask("clean.compose", text, dict.fromkeys(years, ""), years[-1])
    return year, year


def _long(columns: list[Column], pattern: str) -> list[Column]:
    """The columns with one row per filled cell of those that match."""
    matches = {c.label: m for c in columns if (m := re.search(pattern, c.label))}
    kept = [column for column in columns if column.label not in matches]
    wide = [column for column in columns if column.label in matches]
    groups = list(re.compile(pattern).groupindex)
    cells: dict[str, list[Cell]] = {
        name: [] for name in [*(c.label for c in kept), *groups, "value"]
    }
    for column in wide:
        rows = [i for i, text in enumerate(column.texts) if text is not None]
        for other in kept:
            cells[other.label] += [other.cells[i] for i in rows]
        for group in groups:
            cells[group] += [matches[column.label][group]] * len(rows)
        cells["value"] += [column.cells[i] for i in rows]
    texts = {c.label: c for c in kept}
    made = columns_of([*cells], dict(enumerate(cells.values())), ".")
    for column in made:
        old = texts.get(column.label)
        if old is not None:
            column.kind, column.why, column.sensitive_name = old.kind, old.why, old.sensitive_name
            column.position = old.position
        elif column.label in ("indicator", "category", "month", "quarter", "year"):
            column.kind = "label"
        elif column.label == "value":
            column.kind = "figure"
        else:
            column.kind = "period" if column.label == "period" else "status"
    return made
