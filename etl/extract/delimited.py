"""Delimited text (csv, tsv): DuckDB reads it with a pinned dialect; nothing is sniffed.

The sniffer once kept 83,684 of 1,000,021 rows without a word, because one early row had a column
more. So columns, delimiter, quote and header are given, lines that do not fit are kept aside with
their number, and records are counted on their own.
"""

import codecs
import csv
import hashlib
import io
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from etl.catalog import Dataset
from etl.extract.raw import FILE, Raw, UnreadableFile, plain
from etl.legacy_text import (
    Bytes,
    decode,
    decode_delimited,
    looks_legacy,
    utf_16_without_mark,
    written_in,
)
from etl.warehouse import literal

REJECTS = "unreadable_lines"
LINE_FEED = ord("\n")
MOST_BLANK = 8
"""A line of more bytes than this is not looked at for being blank; the reader will tell."""


def extract(path: Path, dataset: Dataset) -> Raw:
    """Header, count and checksum of a file; its rows are read by `relation`.

    Raises:
        UnreadableFile: it is not text in the declared encoding, is empty, or has no such header.
    """
    content = path.read_bytes()
    text_path, body = _as_utf8(path, content, dataset)
    skipped, labels = _header(body, dataset, path)
    records, blank = _count(body, dataset, skipped)
    return Raw(
        path=str(text_path),
        labels=labels,
        records=records,
        checksum=hashlib.blake2b(content, digest_size=20).hexdigest(),
        size=len(content),
        header_lines=skipped,
        blank_lines=tuple(blank),
    )


def relation(raws: list[Raw], dataset: Dataset) -> str:
    """SQL that yields the text of files with one header: `c0`, `c1`, ... and `_file`.

    Lines that cannot be split go to the temporary tables `unreadable_lines` and `..._scan`.
    """
    read, first = dataset.read, raws[0]
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(first.labels)))
    return (
        f"read_csv({_list([raw.path for raw in raws])}, columns={{{columns}}}, "
        f"auto_detect=false, header=false, skip={first.header_lines}, "
        f"delim={literal(dataset.delimiter)}, quote={literal(read.quote)}, "
        f"escape={literal(read.quote)}, "
        f"nullstr={_list(read.missing)}, "
        f"strict_mode=true, null_padding=false, store_rejects=true, filename='{FILE}', "
        f"rejects_table='{REJECTS}', rejects_scan='{REJECTS}_scan', rejects_limit=0)"
    )


def _as_utf8(path: Path, content: bytes, dataset: Dataset) -> tuple[Path, bytes]:
    """Path and bytes in UTF-8; a file in another encoding is converted into a temporary one."""
    read = dataset.read
    encoding = _encoding(path, content, dataset)
    if encoding == "utf-8" and (
        read.text == "unicode" or (read.text == "auto" and not looks_legacy(content))
    ):
        return path, content.removeprefix(codecs.BOM_UTF8)
    text = decode(content, encoding).removeprefix("\ufeff")
    unmasked = read.text == "unicode" or (read.text == "auto" and not looks_legacy(text))
    masked = encoding.startswith("utf") and not unmasked
    if masked:
        text = decode_delimited(
            text, read.text, delimiter=dataset.delimiter, quote=read.quote, words=dataset.words
        )
    body = text.encode("utf-8")
    converted = Path(tempfile.mkdtemp(prefix="foresight-")) / path.name
    converted.write_bytes(body)
    return converted, body


def _encoding(path: Path, content: bytes, dataset: Dataset) -> Bytes:
    """As declared, if it can be; else by what the bytes say."""
    declared = dataset.read.encoding
    if declared == "utf-8":
        _check_utf8(path, content)
    if declared == "utf-16":
        return utf_16_without_mark(content) or "utf-16"
    if declared != "auto":
        return declared
    found = written_in(content, delimiter=dataset.delimiter, words=dataset.words)
    if found is None:
        raise UnreadableFile(
            "not Unicode, and its words are not clearly Vietnamese in any other encoding",
            where=path.name,
            hint="say how it is written: read: {encoding: tcvn3}, vni or windows-1258",
        )
    return found


def _check_utf8(path: Path, content: bytes) -> None:
    try:
        codecs.decode(content, "utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnreadableFile(
            f"byte {error.start} is not UTF-8",
            where=f"{path.name}:{line}",
            hint="say how it is written: read: {encoding: auto}, or tcvn3, vni, windows-1258",
        ) from None


def _header(body: bytes, dataset: Dataset, path: Path) -> tuple[int, list[str]]:
    """Lines down to and with the header, and its labels."""
    read = dataset.read
    rows = csv.reader(
        io.StringIO(body[:65536].decode("utf-8", errors="ignore"), newline=""),
        delimiter=dataset.delimiter,
        quotechar=read.quote,
    )
    for row in rows:
        cells = [cell.strip() for cell in row]
        if read.header is None or plain(read.header.find) in map(plain, cells):
            return rows.line_num, cells
    wanted = f"with the cell {read.header.find!r}" if read.header else "at all"
    raise UnreadableFile(
        f"there is no header row {wanted}", where=path.name, hint="see read: {header: {find: ...}}"
    )


def _count(body: bytes, dataset: Dataset, skipped: int) -> tuple[int, list[int]]:
    """Records after the header, and the blank lines; counted without the reader of columns."""
    read = dataset.read
    text = np.frombuffer(body, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord(read.quote))
    if not _at_borders(text, quotes, ord(dataset.delimiter)):
        reader = csv.reader(
            io.StringIO(body.decode("utf-8"), newline=""),
            delimiter=dataset.delimiter,
            quotechar=read.quote,
        )
        rows = [bool(row) for row in reader if reader.line_num > skipped]
        return sum(rows), [number for number, filled in enumerate(rows, start=1) if not filled]
    breaks = np.flatnonzero(text == LINE_FEED)
    head = breaks[skipped - 1] if skipped <= len(breaks) else len(text)
    ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0]  # one inside quotes ends nothing
    if len(text) and text[-1] != LINE_FEED:
        ends = np.append(ends, len(text))
    ends = ends[ends > head]
    starts = np.concatenate([[head + 1], ends[:-1] + 1])
    blank = [
        int(index) + 1
        for index in np.flatnonzero(ends - starts <= MOST_BLANK)
        if not body[starts[index] : ends[index]].strip(b"\r\0 ")
    ]
    return len(ends) - len(blank), blank


def _at_borders(text: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], delimiter: int) -> bool:
    """Whether every quote opens, closes or doubles, so that parity tells inside from outside."""
    if len(quotes) % 2:
        return False
    border = np.array([delimiter, LINE_FEED, ord("\r"), *text[quotes[:1]]], dtype=np.uint8)
    before = np.isin(text[np.maximum(quotes - 1, 0)], border) | (quotes == 0)
    after = np.isin(text[np.minimum(quotes + 1, len(text) - 1)], border)
    return bool((before | after | (quotes == len(text) - 1)).all())


def _list(words: list[str]) -> str:
    return "[" + ", ".join(literal(word) for word in words) + "]"
