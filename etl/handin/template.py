"""An Excel template from an entry of the catalog: what the department fills in, and how.

The header is the one the catalog reads, so that a filled template is read by the `read:` of its own
dataset. Places and codes are lists, cells are checked while typing, and the figures of the period
before stand beside the empty cells, in columns that no dataset reads.
"""

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_range_abs

from etl.catalog import Catalog, Dataset
from etl.handin.due import due_day
from etl.handin.form import Choice, Form, FormColumn, NoTemplate, form_of
from etl.handin.words import word
from etl.patterns import compiled
from etl.periods import Period
from etl.rule_words import LANGUAGES
from etl.warehouse import Warehouse

__all__ = ["NoTemplate", "template"]

EMPTY_ROWS = 300
"""Rows that are checked while typing below those that are filled in."""
LARGEST = 10**15
MOST_MESSAGE = 250
"""Characters; Excel takes 255."""
Before = dict[tuple[str, str, str, str], float]
"""Figures by dataset, indicator, area and category."""


def template(
    catalog: Catalog, dataset: Dataset, period: Period, warehouse: Warehouse | None
) -> bytes:
    """The workbook to fill in for one period; figures of the period before are from `warehouse`.

    Raises:
        NoTemplate: the files of this dataset are no plain table.
    """
    form = form_of(catalog, dataset, period)
    before, earlier = _before(form, warehouse, period)
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"title": dataset.title, "created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001
    _Writer(book, form, dataset, period, before, earlier).write()
    book.close()
    return made.getvalue()


def _before(
    form: Form, warehouse: Warehouse | None, period: Period
) -> tuple[Before, Period | None]:
    """The newest figures from before the period, and of which period they are."""
    if warehouse is None or not form.rows or not warehouse.has_todays_schema():
        return {}, None
    names = sorted({column.dataset.name for column in form.columns})
    rows = warehouse.select(
        "select dataset, indicator, area, category, value, period, period_end from observation "
        "where dataset = any($names) and period_end < $start and value is not null "
        "qualify period_end = max(period_end) over () and period = max(period) over ()",
        names=names,
        start=period.start,
    )
    if rows.is_empty():
        return {}, None
    found = {(d, i, a, c): value for d, i, a, c, value, _, _ in rows.iter_rows()}
    return found, Period.between(rows["period"][0], rows["period_end"][0])


@dataclass
class _Writer:
    book: Any
    form: Form
    dataset: Dataset
    period: Period
    before: Before
    earlier: Period | None

    def write(self) -> None:
        """The data first, because the first sheet is the one that is read."""
        data = self.book.add_worksheet(self.form.sheet)
        guide = self.book.add_worksheet(word("template.guide", "vi"))
        lists = self.book.add_worksheet(word("template.lists", "vi"))
        top = self._header(data)
        self._rows(data, top + 1)
        self._checks(data, lists, top + 1)
        self._guide(guide)

    @property
    def _compared(self) -> list[FormColumn]:
        """Columns of figures of which the period before is shown."""
        known = {name for name, *_ in self.before}
        numbers = ("integer", "number")
        found = {
            self._heading(column): column
            for column in reversed(self.form.columns)
            if column.asked and column.field.type in numbers and column.dataset.name in known
        }
        return [column for heading, column in reversed(found.items()) if not self._read(heading)]

    def _heading(self, column: FormColumn) -> str:
        """Of the column beside, with the figures of the period before."""
        period = self.earlier.label("vi") if self.earlier else ""
        if "period" in column.means:
            return word("template.before_all", "vi", period=period)
        return word("template.before", "vi", period=period, label=column.label)

    def _read(self, heading: str) -> bool:
        """Whether a dataset would read such a column, which is there to be looked at."""
        unpivots = [column.dataset.clean.unpivot for column in self.form.columns]
        return any(one and compiled(one.columns).search(heading) for one in unpivots)

    def _header(self, sheet: Any) -> int:
        """Title where the catalog looks for the header, and labels; the last row of the header."""
        top, header = 0, self.dataset.read.header
        if header:
            title = word(
                "template.title", "vi", title=self.dataset.title, period=self.period.label("vi")
            )
            # What is read above the table stands first: nothing in the title is taken for it.
            lines = [line for line in (self.form.caption, title) if line]
            for at, line in enumerate(lines):
                size = 14 if line is title else 11
                look = self.book.add_format({"bold": True, "font_size": size})
                sheet.write_string(at, 0, line, look)
            top = 1 + len(lines) + header.at - 1
        style = {"bold": True, "text_wrap": True, "valign": "top", "border": 1}
        asked = self.book.add_format({**style, "bg_color": "#EAF2F9"})
        compared = self.book.add_format({**style, "italic": True, "font_color": "#4A5561"})
        for at, column in enumerate(self.form.columns):
            sheet.write_string(top, at, column.label, asked)
            sheet.set_column(at, at, max(14, min(40, len(column.label) + 4)))
        for at, column in enumerate(self._compared, start=len(self.form.columns)):
            sheet.write_string(top, at, self._heading(column), compared)
            sheet.set_column(at, at, 18)
        last = top + header.rows - header.at if header else top
        sheet.freeze_panes(last + 1, 0)
        return last

    def _rows(self, sheet: Any, first: int) -> None:
        given = self.book.add_format({"num_format": "@", "bg_color": "#F3F5F7", "border": 1})
        grey = self.book.add_format({"font_color": "#4A5561", "italic": True})
        empty = [self._open(column) for column in self.form.columns]
        for at, row in enumerate(self.form.rows, start=first):
            for place, column in enumerate(self.form.columns):
                choice = row.get(column.field.name)
                if choice and not column.asked:
                    sheet.write_string(at, place, choice.text, given)
                else:
                    sheet.write_blank(at, place, None, empty[place])
            for place, column in enumerate(self._compared, start=len(self.form.columns)):
                value = self._earlier_value(column, row)
                if value is not None:
                    sheet.write_number(at, place, value, grey)

    def _earlier_value(self, column: FormColumn, row: dict[str, Choice]) -> float | None:
        names = [one.name for one in column.dataset.described if one.value == column.field.name]
        codes = {name: choice.code for name, choice in row.items()} | column.means
        indicator = codes.get("indicator", next(iter(names), ""))
        area = codes.get("area", column.dataset.clean.constant.get("area", ""))
        category = codes.get("category", "total")
        return self.before.get((column.dataset.name, indicator, area, category))

    def _open(self, column: FormColumn) -> Any:
        """How a cell looks that is to be filled in."""
        forms = {"integer": "#,##0", "number": "General", "date": "dd/mm/yyyy"}
        form = forms.get(column.field.type, "@")
        return self.book.add_format({"num_format": form, "bg_color": "#FFF6DD", "border": 1})

    def _checks(self, sheet: Any, lists: Any, first: int) -> None:
        """What may be typed, column by column; the lists stand in a sheet of their own."""
        last = first + len(self.form.rows) + EMPTY_ROWS - 1
        used = 0
        for at, column in enumerate(self.form.columns):
            rule = _rule(column)
            if column.choices:
                lists.write_string(0, used, column.label)
                lists.write_column(1, used, [choice.text for choice in column.choices])
                place = xl_range_abs(1, used, len(column.choices), used)
                rule = {"validate": "list", "source": f"='{lists.get_name()}'!{place}"}
                used += 1
            told = " ".join(_told(column, self.period, "vi"))[:MOST_MESSAGE]
            words = {
                "input_title": column.label[:32],
                "input_message": told,
                "error_title": word("template.wrong", "vi")[:32],
                "error_message": told,
            }
            sheet.data_validation(first, at, last, at, {**rule, **words})

    def _guide(self, sheet: Any) -> None:
        """How to fill it in: Vietnamese, then English."""
        bold = self.book.add_format({"bold": True})
        wrap = self.book.add_format({"text_wrap": True, "valign": "top"})
        sheet.set_column(0, 0, 36)
        sheet.set_column(1, 1, 90)
        handin = self.dataset.handin
        due = f"{due_day(handin, self.period):%d/%m/%Y}" if handin else "–"
        at = 0
        for language in LANGUAGES:
            title = self.dataset.title if language == "vi" else self.dataset.english_title()
            period = self.period.label(language)
            sheet.write_string(
                at, 0, word("template.title", language, title=title, period=period), bold
            )
            for number in range(1, 6):
                text = word(
                    f"template.step_{number}",
                    language,
                    sheet=self.form.sheet,
                    period=period,
                    due=due,
                )
                sheet.write_string(at + number, 0, text)
            at += 7
            sheet.write_string(at, 0, word("template.column", language), bold)
            sheet.write_string(at, 1, word("template.what", language), bold)
            for column in self.form.columns:
                at += 1
                sheet.write_string(at, 0, column.label, wrap)
                sheet.write_string(at, 1, " ".join(_told(column, self.period, language)), wrap)
            at += 3


def _rule(column: FormColumn) -> dict[str, Any]:
    """What may be typed where there is no list."""
    limits, kind = column.field.constraints, column.field.type
    if kind in ("integer", "number"):
        return {
            "validate": "integer" if kind == "integer" else "decimal",
            "criteria": "between",
            "minimum": -LARGEST if limits.minimum is None else _plain(limits.minimum),
            "maximum": LARGEST if limits.maximum is None else _plain(limits.maximum),
        }
    if kind == "date":
        return {"validate": "date", "criteria": ">=", "value": dt.date(1990, 1, 1)}
    return {"validate": "any"}


def _plain(limit: float | str) -> float | str:
    """A whole number without its point."""
    if isinstance(limit, str):
        return limit
    return int(limit) if limit == int(limit) else limit


def _told(column: FormColumn, period: Period, language: Any) -> Iterator[str]:
    """What belongs into a column, sentence by sentence."""
    field = column.field
    if field.description and language == "vi":
        yield field.description
    if field.name == "period":
        yield word("template.period", language, period=period.label("vi"))
    elif column.choices:
        yield word("template.list", language)
    else:
        kind = field.type if field.type in ("integer", "number", "date") else "text"
        yield word(f"template.{kind}", language)
    if field.unit:
        yield word("template.unit", language, unit=field.unit)
    if field.constraints.minimum is not None:
        yield word("template.minimum", language, limit=_plain(field.constraints.minimum))
    if field.constraints.maximum is not None:
        yield word("template.maximum", language, limit=_plain(field.constraints.maximum))
    if field.constraints.required:
        yield word("template.required", language)
