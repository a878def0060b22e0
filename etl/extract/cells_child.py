"""What the reader of workbooks leaves unsaid of a cell: percent, errors, formulas never computed.

It gives 0.125 for a cell that shows 12.5%, and nothing at all for #DIV/0! and for a formula whose
result its program never wrote. The first would be a figure a hundred times too small, the others
figures that go missing without a word. Here such cells are looked for in the parts of the workbook
itself; where there are none, which a search of the bytes tells, nothing is parsed.

Part of the process of `sheets_child`, and as that it imports nothing of ours. A damaged part ends
the search and is left for the reader to refuse.
"""

import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

Unsaid = dict[int, dict[int, Any]]
"""By row and column, from 0: the text a cell shows, or `("%", 12.5)`."""

PERCENT_FORMATS = {"9", "10"}
"""Of the formats that need no description: 0% and 0.00%."""
QUOTED = re.compile(r'"[^"]*"|\\.|_.')
REPEATED = 100_000
"""Rows and columns for which a repeated cell of an ods is taken at most."""
DAMAGED = (
    *(KeyError, ValueError, OSError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, ElementTree.ParseError, expat.ExpatError),
)


def unsaid_in(path: Path, names: list[str], looked: Mapping[str, bool]) -> dict[str, Unsaid]:
    """For each of these sheets the cells of which the reader says too little.

    `looked` says of the parts that were unpacked already whether they are worth a look.
    """
    try:
        if not zipfile.is_zipfile(path):
            return _of_xls(path, names)
        with zipfile.ZipFile(path) as package:
            parts = {part.lower(): part for part in package.namelist()}
            if "content.xml" in parts:
                return _of_ods(package.read(parts["content.xml"]), names)
            return _of_xlsx(package, parts, names, looked)
    except DAMAGED:
        return {}


def in_percent(form: str) -> bool:
    """Whether a number format shows percent."""
    return "%" in QUOTED.sub("", form)


# --- xlsx -----------------------------------------------------------------------------------------

UNCOMPUTED = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^>]*/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</|</(?:\w+:)?c>)"
)
HEAD = 4096
"""Bytes of a sheet that tell how its tags and quotes are written."""


class Styles:
    """What the workbook says of all its sheets."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self.parts = {part.lower(): part for part in package.namelist()}
        self.book = ElementTree.fromstring(package.read(self.parts["xl/workbook.xml"]))
        self.percents = _percent_styles(package, self.parts)
        # A program that cannot compute writes 0 for a result, and asks to have it computed.
        self.stale = any(
            _named(each) == "calcPr" and each.get("fullCalcOnLoad") == "1" for each in self.book
        )

    def worth_a_look(self, sheet: bytes) -> bool:
        """Whether a sheet may have cells of which the reader says too little.

        Each search goes through all of it, so there are as few as can be.
        """
        head = sheet[:HEAD]
        sign = b"'" if b"='" in head else b'"'
        marks = [b"t=%se%s" % (sign, sign)]
        marks += [b" s=%s%s%s" % (sign, style.encode(), sign) for style in self.percents]
        if any(mark in sheet for mark in marks):
            return True
        if (b"<f" if b"<worksheet" in head else b":f") not in sheet:
            return False
        return self.stale or UNCOMPUTED.search(sheet) is not None


def _of_xlsx(
    package: zipfile.ZipFile, parts: dict[str, str], names: list[str], looked: Mapping[str, bool]
) -> dict[str, Unsaid]:
    styles = Styles(package)
    links = ElementTree.fromstring(package.read(parts["xl/_rels/workbook.xml.rels"]))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    found = {}
    for sheet in styles.book.iter():
        name = sheet.get("name")
        if _named(sheet) != "sheet" or name is None or name not in names:
            continue
        link = next((v for k, v in sheet.attrib.items() if k.rpartition("}")[2] == "id"), None)
        target = targets[link]
        part = parts[(target[1:] if target.startswith("/") else f"xl/{target}").lower()]
        if looked.get(part, True) and styles.worth_a_look(content := package.read(part)):
            found[name] = _Xlsx(styles.percents, stale=styles.stale).read(content)
    return found


def _named(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _percent_styles(package: zipfile.ZipFile, parts: dict[str, str]) -> set[str]:
    """Numbers of the styles of cells that show percent."""
    if "xl/styles.xml" not in parts:
        return set()
    styles = ElementTree.fromstring(package.read(parts["xl/styles.xml"]))
    formats = PERCENT_FORMATS | {
        each.get("numFmtId", "")
        for each in styles.iter()
        if _named(each) == "numFmt" and in_percent(each.get("formatCode", ""))
    }
    lists = (each for each in styles if _named(each) == "cellXfs")
    return {
        str(number)
        for cells in lists
        for number, style in enumerate(cells)
        if style.get("numFmtId") in formats
    }


class _Xlsx:
    """The cells of a sheet, one after the other."""

    def __init__(self, percents: set[str], *, stale: bool) -> None:
        self.percents, self.stale = percents, stale
        self.found: defaultdict[int, dict[int, Any]] = defaultdict(dict)
        self.row = self.column = -1
        self.kind = self.style = self.inside = ""
        self.texts: dict[str, str] = {}

    def read(self, content: bytes) -> Unsaid:
        """Those cells of which the reader says too little."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.CharacterDataHandler = self.text
        parser.EndElementHandler = self.end
        parser.Parse(content, True)
        return dict(self.found)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A row, a cell, or what stands in it."""
        name = tag.rpartition(":")[2]
        place = attributes.get("r")
        if name == "row":
            self.row, self.column = int(place) - 1 if place else self.row + 1, -1
        elif name == "c":
            self.column = _column(place) if place else self.column + 1
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.texts = {}
        elif name in ("f", "v"):
            self.inside, self.texts[name] = name, ""

    def text(self, text: str) -> None:
        """Of a formula or a value."""
        if self.inside:
            self.texts[self.inside] += text

    def end(self, tag: str) -> None:
        """Of a cell: note it, if need be."""
        name = tag.rpartition(":")[2]
        if name == self.inside:
            self.inside = ""
        elif name == "c" and (shown := self.shown()) is not None:
            self.found[self.row][self.column] = shown

    def shown(self) -> Any:
        """What the cell shows where the reader would not say so."""
        value, formula = self.texts.get("v", "").strip(), self.texts.get("f")
        if self.kind == "e":
            return value or "#ERROR!"
        if self.kind != "n":
            return None
        if formula is not None and (not value or (self.stale and value == "0")):
            return f"={formula}"
        return percent(value) if value and self.style in self.percents else None


def percent(value: str | float) -> tuple[str, float]:
    """A share of one as the percent it is shown in, without the noise of binary figures."""
    return "%", float(f"{float(value) * 100:.15g}")


def _column(place: str) -> int:
    """The column of B7, from 0."""
    number = 0
    for letter in place.rstrip("0123456789"):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


# --- ods ------------------------------------------------------------------------------------------

TOLD_OF = (b"percentage", b'"error"', b"table:formula")


def _of_ods(content: bytes, names: list[str]) -> dict[str, Unsaid]:
    if not any(word in content for word in TOLD_OF):
        return {}
    reader = _Ods(names)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.text
    parser.EndElementHandler = reader.end
    parser.Parse(content, True)
    return {name: dict(cells) for name, cells in reader.found.items()}


class _Ods:
    """The cells of all sheets, one after the other; rows and cells may stand for many."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.found: dict[str, defaultdict[int, dict[int, Any]]] = {}
        self.sheet: str | None = None
        self.row = self.column = self.rows = 0
        self.cell: dict[str, str] | None = None
        self.shown = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A sheet, a row or a cell."""
        if tag == "table:table":
            name = attributes.get("table:name", "")
            self.sheet, self.row = name if name in self.names else None, 0
        elif tag == "table:table-row":
            self.rows, self.column = int(attributes.get("table:number-rows-repeated", "1")), 0
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self.cell, self.shown = attributes, ""

    def text(self, text: str) -> None:
        """What a cell shows."""
        if self.cell is not None:
            self.shown += text

    def end(self, tag: str) -> None:
        """Of a cell: note it, if need be."""
        if tag == "table:table-row":
            self.row += self.rows
        elif tag in ("table:table-cell", "table:covered-table-cell") and self.cell is not None:
            times = int(self.cell.get("table:number-columns-repeated", "1"))
            if self.sheet is not None and (said := self.said(self.cell)) is not None:
                self.note(self.sheet, said, min(times, REPEATED))
            self.cell, self.column = None, self.column + times

    def said(self, cell: dict[str, str]) -> Any:
        """What the cell shows where the reader would not say so."""
        shown, kind = self.shown.strip(), cell.get("office:value-type")
        if cell.get("calcext:value-type") == "error":
            return shown or "#ERROR!"
        if kind == "percentage":
            return percent(cell["office:value"])
        if "table:formula" in cell and kind is None and not shown:
            return "=" + cell["table:formula"].partition("=")[2]
        return None

    def note(self, sheet: str, said: Any, times: int) -> None:
        """The cell wherever it is repeated."""
        rows = self.found.setdefault(sheet, defaultdict(dict))
        for row in range(self.row, self.row + min(self.rows, REPEATED)):
            rows[row] |= dict.fromkeys(range(self.column, self.column + times), said)


# --- xls ------------------------------------------------------------------------------------------


def _of_xls(path: Path, names: list[str]) -> dict[str, Unsaid]:
    """By the reader that knows of formats; nothing where it cannot read what the other can."""
    import xlrd

    try:
        book = xlrd.open_workbook(str(path), formatting_info=True, on_demand=True)
        percents = {
            number
            for number, style in enumerate(book.xf_list)
            if in_percent(book.format_map[style.format_key].format_str or "")
        }
        return {name: _of_sheet(book.sheet_by_name(name), percents) for name in names}
    except Exception:  # noqa: BLE001  (whatever it fails at, the other reader may not)
        return {}


def _of_sheet(sheet: Any, percents: set[int]) -> Unsaid:
    import xlrd

    found: Unsaid = {}
    for row in range(sheet.nrows):
        cells = {}
        for column, kind in enumerate(sheet.row_types(row)):
            value = sheet.cell_value(row, column)
            if kind == xlrd.XL_CELL_ERROR:
                cells[column] = xlrd.error_text_from_code.get(value, "#ERROR!")
            elif (
                percents
                and kind == xlrd.XL_CELL_NUMBER
                and sheet.cell_xf_index(row, column) in percents
            ):
                cells[column] = percent(value)
        if cells:
            found[row] = cells
    return found
