"""Files that are something else than a table, whatever their name says: told by how they begin.

Systems export web pages as .xls, and people attach the letter in place of the table. Readers would
only say that they know no such format.
"""

import io
import re
import zipfile
from pathlib import Path

from etl.extract.raw import UnreadableFile

IS = {
    "page": "it is a web page (HTML) that is only called a table",
    "xml": "it is an Excel 2003 XML file",
    "pdf": "it is a PDF",
    "word": "it is a Word document",
    "slides": "it is a PowerPoint presentation",
    "picture": "it is a picture",
    "xlsb": "it is a binary workbook (xlsb)",
    "locked": "it is a workbook that is locked with a password",
    "archive": "it is an archive of other files",
    "database": "it is an SQLite database",
    "text": "it is text, and no workbook",
    "workbook": "it is a workbook, and no text",
}
SAVE_AGAIN = "open it in Excel or LibreOffice, and save it as xlsx"
ASK_FOR_IT = "ask for the table itself, as xlsx or csv: figures are never read out of a document"
DO = {
    "page": SAVE_AGAIN,
    "xml": SAVE_AGAIN,
    "pdf": ASK_FOR_IT,
    "word": ASK_FOR_IT,
    "slides": ASK_FOR_IT,
    "picture": ASK_FOR_IT,
    "xlsb": SAVE_AGAIN,
    "locked": "open it with its password, take the password off, and save it as xlsx",
    "archive": "unpack it, and give each file that is in it on its own",
    "database": "say what to ask it: read: {format: sql, query: ...}",
    "text": "say so in the catalog: read: {format: csv, delimiter: ...}; foresight add finds out",
    "workbook": "say so in the catalog: read: {format: xlsx}, or save it as csv",
}
BEGINNINGS: list[tuple[str, re.Pattern[bytes]]] = [
    ("pdf", re.compile(rb"%PDF-")),
    ("picture", re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|II\*\0|MM\0\*")),
    ("archive", re.compile(rb"Rar!|7z\xbc\xaf|\x1f\x8b")),
    ("database", re.compile(rb"SQLite format 3\0")),
    ("word", re.compile(rb"\{\\rtf")),
    ("xml", re.compile(rb"\s*<\?xml.{0,1000}urn:schemas-microsoft-com:office:spreadsheet", re.S)),
    ("page", re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype|html|head|body|table"
     rb"|meta|style)\b", re.S | re.I)),
]  # fmt: skip
MARKS = {"word/": "word", "ppt/": "slides", "xl/workbook.bin": "xlsb"}
"""Of the parts of a zip."""
TABLES = ("xl/", "content.xml")
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
STREAMS = {
    "EncryptedPackage": "locked",
    "WordDocument": "word",
    "PowerPoint Document": "slides",
    "Workbook": "workbook",
}
LOOKED_AT = TAIL = 4096
"""Bytes at the beginning, and at the end."""


def refuse_what_is_no_table(path: Path, *, workbook: bool) -> None:
    """Raise for what is neither text nor a `workbook`; where one is wanted, for text as well.

    What cannot be told is left for the readers.

    Raises:
        UnreadableFile: with what it is, and what to do.
    """
    found = kind_of(path)
    if found == ("workbook" if workbook else "text"):
        return
    if found:
        raise UnreadableFile(IS[found], where=path.name, hint=DO[found])


def refuse_zeros_at_end(path: Path) -> None:
    """Raise for text that ends with zero bytes, as a disk leaves them where writing broke off.

    Raises:
        UnreadableFile: with how many there are.
    """
    with path.open("rb") as file:
        head = file.read(LOOKED_AT)
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - TAIL))
        tail = file.read()
    zeros = len(tail) - len(tail.rstrip(b"\0"))
    wide = head.count(0) > len(head.rstrip(b"\0")) // 4
    if zeros > (3 if wide else 1):
        raise UnreadableFile(
            f"it ends with {zeros:,} zero bytes or more: it broke off while it was written or "
            "copied",
            where=path.name,
            hint="ask for it again: its last rows may be missing",
        )


def has_end_mark(path: Path) -> bool:
    """Whether a sign stands at its very end by which older programs end a text."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - TAIL))
        return file.read().rstrip()[-1:] in (b"\x1a", b"\0")


def without_end_mark(text: str) -> str:
    """`text` without the one ^Z or NUL by which older programs end it."""
    kept = text.rstrip()
    return kept[:-1] if kept.endswith(("\x1a", "\0")) else text


def kind_of(path: Path) -> str | None:
    """What a file is, a key of `IS`; `None` for what cannot be told."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT)
        if head.startswith(COMPOUND):
            return _of_compound(head + file.read())
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(path)
    plain = head.removeprefix(b"\xef\xbb\xbf")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        plain = head.decode("utf-16", errors="ignore").encode("ascii", errors="replace")
    told = next((kind for kind, form in BEGINNINGS if form.match(plain)), None)
    return told or ("text" if _is_text(plain) else None)


def _of_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
    except (zipfile.BadZipFile, OSError):
        return None
    for mark, kind in MARKS.items():
        if any(name.lower().startswith(mark) for name in names):
            return kind
    return "workbook" if any(name.lower().startswith(TABLES) for name in names) else "archive"


def _of_compound(content: bytes) -> str | None:
    """By the names of the streams in it, which stand there in UTF-16."""
    return next(
        (kind for name, kind in STREAMS.items() if name.encode("utf-16-le") in content), None
    )


def _is_text(head: bytes) -> bool:
    """Whether it has lines, and no byte that text has not."""
    return b"\n" in head and not re.search(rb"[\x00-\x08\x0e-\x1f]", head)
