"""A published table as a workbook: the rows under Vietnamese titles, and a sheet about them.

The bytes follow from the content alone. Text is written as text: no formula, no link, no number.
"""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

HEADER_ROW = 2
"""The row, from 1, that holds the names of the columns; their titles stand above it."""
MOST_ROWS = 1_048_576 - HEADER_ROW
MOST_LETTERS = 32_767
CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001  a workbook knows no time zone
AS_WRITTEN = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "dd/mm/yyyy",
}
WIDTHS = {"date": 12, "integer": 14, "number": 14, "boolean": 8}
LABELS = {
    "title": "Tên / Title",
    "title_en": "Tên tiếng Anh / English title",
    "description": "Mô tả / Description",
    "description_en": "Mô tả tiếng Anh / English description",
    "version": "Phiên bản / Version",
}


def fits(table: pl.DataFrame) -> bool:
    """Whether a sheet can hold the table whole: its rows, and the text of each cell."""
    texts = table.select(pl.col(pl.String).str.len_chars().max())
    longest = max((length or 0 for length in texts.row(0)), default=0) if texts.width else 0
    return len(table) <= MOST_ROWS and longest <= MOST_LETTERS


def write_workbook(table: pl.DataFrame, said: dict[str, Any], path: Path) -> None:
    """Write `table`, which must fit, with what `datapackage.json` says of it."""
    with xlsxwriter.Workbook(path, AS_WRITTEN) as book:
        book.set_properties({"created": CREATED, "title": said["title"]})
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        quiet = book.add_format({"font_color": "#4A5561"})
        _write_rows(book.add_worksheet("Dữ liệu"), table, said["schema"]["fields"], bold, quiet)
        _write_about(book.add_worksheet("Mô tả"), said, bold)


def _write_rows(
    sheet: Any, table: pl.DataFrame, fields: list[dict[str, Any]], bold: Any, quiet: Any
) -> None:
    for column, field in enumerate(fields):
        unit = f" ({field['unit']})" if field.get("unit") else ""
        sheet.write_string(0, column, f"{field.get('title', field['name'])}{unit}", bold)
        sheet.write_string(1, column, field["name"], quiet)
        sheet.set_column(column, column, WIDTHS.get(field["type"], 22))
        sheet.write_column(HEADER_ROW, column, table[field["name"]].to_list())
    sheet.freeze_panes(HEADER_ROW, 0)
    sheet.autofilter(1, 0, 1 + len(table), max(len(fields) - 1, 0))


def _write_about(sheet: Any, said: dict[str, Any], bold: Any) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 4, 40)
    facts = [(label, str(said[key])) for key, label in LABELS.items() if said.get(key)]
    facts += [("Đơn vị công bố / Publisher", who["title"]) for who in said.get("contributors", [])]
    facts += [("Giấy phép / Licence", f"{one['name']} {one['path']}") for one in said["licenses"]]
    facts += [("Nguồn / Source", one["title"]) for one in said.get("sources", []) if "title" in one]
    for row, (label, text) in enumerate(facts):
        sheet.write_string(row, 0, label, bold)
        sheet.write_string(row, 1, text)
    heading = ["Mã cột / Column", "Tên cột", "Title", "Đơn vị / Unit", "Bảo vệ / Protection"]
    for column, text in enumerate(heading):
        sheet.write_string(len(facts) + 1, column, text, bold)
    for row, field in enumerate(said["schema"]["fields"], len(facts) + 2):
        for column, key in enumerate(("name", "title", "title_en", "unit", "protection")):
            sheet.write_string(row, column, str(field.get(key) or ""))
