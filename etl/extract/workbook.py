"""Workbooks (xlsx, xls, ods): their sheets as grids, and these as one table.

Row numbers are those of the sheet, so that an error can name the cell. An ods says nothing of
merged cells: there a merged heading stands over its first column only.
"""

from pathlib import Path

from etl.catalog import Dataset
from etl.extract.grid import grid_of_sheet
from etl.extract.raw import Raw, in_memory
from etl.extract.shape import shape, together
from etl.extract.sheets import Fonts, Sheet, old_fonts, read_sheets
from etl.legacy_text import looks_legacy


def extract(path: Path, dataset: Dataset) -> Raw:
    """The sheets the catalog names, as one frame of text.

    Raises:
        UnreadableFile: not a workbook, too large, no such sheet, or no header as declared.
        RowsUnaccounted: rows went missing between the sheet and its shape.
    """
    sheets = read_sheets(path, dataset.read.sheet)
    fonts = _fonts(path, sheets, dataset)
    grids = [
        grid_of_sheet(sheet, dataset, fonts.get(sheet.name, {}), f"{path.name}: {sheet.name}")
        for sheet in sheets
    ]
    parts = [shape(grid, dataset, path.stem) for grid in grids]
    return in_memory(
        path,
        path.read_bytes(),
        together([part.frame for part in parts], dataset, path.name),
        totals=[total for part in parts for total in part.totals],
        accounts=[part.account for part in parts],
    )


def _fonts(path: Path, sheets: list[Sheet], dataset: Dataset) -> dict[str, Fonts]:
    """Fonts of old text, looked at only where there seems to be some."""
    words = (
        cell
        for sheet in sheets
        for column in sheet.columns
        for cell in column.distinct
        if isinstance(cell, str)
    )
    wanted = dataset.read.text == "auto" and any(map(looks_legacy, words))
    return old_fonts(path, dataset.read.sheet) if wanted else {}
