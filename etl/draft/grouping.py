"""Headings within a table, "I  Sở, ban, ngành", as a column of the records below them.

Only where the reader, by its rule for a group without `match`, takes exactly these rows for groups:
one more would lose a record, one less would leave a heading among the records.
"""

from etl.draft.columns import Column
from etl.draft.layout import Layout, is_number
from etl.extract.grid import FIRST
from etl.extract.rows import group_name, opens_group

INTO = "group"
"""Column of the names, if the table has none of that name."""


def groups_of(
    layout: Layout, gone: set[int], headings: set[int], columns: list[Column]
) -> dict[int, str] | None:
    """By row of a record the name of its group; None where the reader sees other groups.

    `gone` are rows that are neither records nor headings. The first record must stand in a group.
    """
    figures = [c.position for c in columns if c.kind == "figure" and c.label != "$sheet"]
    found: dict[int, str] = {}
    name, above, opened = "", None, set()
    for row in (each for each in layout.body if each not in gone):
        words = [text for text in layout.texts(row)[:FIRST] if not is_number(text)]
        has_figures = any(_is_filled(layout, row, place) for place in figures)
        if opens_group(words, above, has_figures=has_figures):
            name, above = group_name(" ".join(" ".join(words).split())), words
            opened.add(row)
        elif not name:
            return None
        else:
            found[row], above = name, None
    return found if opened == headings and _each_has_records(found, len(opened)) else None


def _is_filled(layout: Layout, row: int, place: int) -> bool:
    cells = layout.grid.rows[row]
    return place < len(cells) and bool(str(cells[place] or "").strip() or cells[place] == 0)


def _each_has_records(found: dict[int, str], groups: int) -> bool:
    return 0 < groups == len(set(found.values()))
