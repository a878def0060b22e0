"""What was handed in, byte for byte, under the SHA-256 of its bytes; never opened to be run.

A file is looked at before it is kept: its size, its name, what is packed in it. Its name is only
remembered: no path is ever made from it.
"""

import hashlib
import os
import re
import tempfile
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from etl.catalog import Dataset
from etl.durable import sync_folder
from etl.errors import ForesightError
from etl.extract.sheets import check_parts

MOST_BYTES = 20_000_000
LONGEST_NAME = 200
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Kinds of characters that turn a name around, hide a part of it or break a line."""
MACROS = re.compile(r"(^|/)(vbaproject\.bin|macrosheets/.*|activex/.*|embeddings/.*\.bin)$", re.I)
OLD_MACROS = "_VBA_PROJECT".encode("utf-16-le")
LINKS = re.compile(r"(^|/)externallinks/[^/]*\.xml$", re.I)
ASKS = re.compile(rb"<(\w+:)?(dde|ole)link\b", re.I)
OWN_WORDS = re.compile(rb"<!DOCTYPE", re.I)
HEAD = 4096
"""Bytes of a part in which it says what it is."""
ZIP = b"PK\x03\x04"


class FileRefused(ForesightError):
    """The file is not taken, whatever stands in it."""


@dataclass(frozen=True)
class Kept:
    """A file of the vault."""

    sha256: str
    size: int
    """Bytes."""
    name: str
    """What whoever handed it in called it."""


class Vault:
    """Files by content; one that is there is never written again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where the bytes lie. Raises `FileRefused` if they are gone or are others."""
        path = self.folder / sha256
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise FileRefused(
                "the file is not there as it was handed in",
                where=sha256[:12],
                hint="put it back from a backup: its name is the SHA-256 of its bytes",
            )
        return path

    def keep(self, name: str, content: bytes, dataset: Dataset) -> Kept:
        """Look at a file, then keep it. Raises `FileRefused` or `UnreadableFile`."""
        check_name(name)
        _check_size(name, content)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sha256 = hashlib.sha256(content).hexdigest()
        descriptor, made = tempfile.mkstemp(dir=self.folder, prefix=".coming-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _check_packed(Path(made), name, content, dataset)
            Path(made).replace(self.folder / sha256)
            sync_folder(self.folder)
        finally:
            Path(made).unlink(missing_ok=True)
        return Kept(sha256, len(content), name)


def brought(path: Path) -> bytes:
    """The bytes of a file that is handed in; of one that is too large only so many as show it."""
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def check_name(name: str) -> None:
    """Raises `FileRefused` for a name that is not what it looks like."""
    hidden = {unicodedata.category(letter) for letter in name} & FORBIDDEN
    if not name.strip(" .") or name.startswith(".") or len(name) > LONGEST_NAME:
        problem = "a file name is empty, hidden or longer than 200 letters"
    elif hidden or re.search(r'[/\\:*?"<>|]', name):
        problem = "a file name holds signs that no office program writes"
    else:
        return
    raise FileRefused(problem, where=ascii(name)[:80], hint="save it under a plain name")


def _check_size(name: str, content: bytes) -> None:
    if not content:
        raise FileRefused("the file is empty", where=name, hint="save it again, and look inside")
    if len(content) > MOST_BYTES:
        raise FileRefused(
            f"it has more than {MOST_BYTES / 1e6:,.0f} MB",
            where=name,
            hint="hand in one period at a time, and only the sheet that is asked for",
        )


def _check_packed(path: Path, name: str, content: bytes, dataset: Dataset) -> None:
    if dataset.format in ("csv", "tsv"):
        if content.startswith(ZIP):
            raise FileRefused(
                "it is a workbook or an archive and not text", where=name, hint="save it as CSV"
            )
        return
    check_parts(path, name)
    if OLD_MACROS in content or any(map(MACROS.search, _parts(path))) or _starts_programs(path):
        raise FileRefused(
            "it holds a macro or an embedded program", where=name, hint="save it as .xlsx"
        )
    if not _reads_one_way(path):
        raise FileRefused(
            "it is packed so that not every program sees the same in it",
            where=name,
            hint="open it in Excel or LibreOffice and save it again as .xlsx",
        )


def _parts(path: Path) -> list[str]:
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as package:
        return package.namelist()


def _starts_programs(path: Path) -> bool:
    """Whether a cell asks another program for what it shows (DDE), and starts it."""
    linking = [part for part in _parts(path) if LINKS.search(part)]
    if not linking:
        return False
    with zipfile.ZipFile(path) as package:
        return any(ASKS.search(_beginning(package, part)) for part in linking)


def _reads_one_way(path: Path) -> bool:
    """Whether who checks it in another program looks at what is read here.

    Of two parts of one name one program takes the first, another the last; a part may bring words
    of its own that some programs put into its text.
    """
    parts = _parts(path)
    if len({part.replace("\\", "/").casefold() for part in parts}) < len(parts):
        return False
    if not parts:
        return True
    with zipfile.ZipFile(path) as package:
        return not any(OWN_WORDS.search(_beginning(package, part)) for part in parts)


def _beginning(package: zipfile.ZipFile, part: str) -> bytes:
    """The head of a part, in one byte a letter; nothing of what the reader refuses anyway."""
    try:
        with package.open(part) as opened:
            return opened.read(HEAD).replace(b"\0", b"")
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error, EOFError):
        return b""
