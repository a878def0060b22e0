"""Delimited text (csv, tsv): DuckDB reads it with a pinned dialect; nothing is sniffed.

The sniffer once kept 83,684 of 1,000,021 rows without a word, because one early row had a column
more. So columns, delimiter, quote and header are given, lines that do not fit are kept aside with
their number, and records are counted on their own.
"""

import codecs
import csv
import hashlib
import io
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from etl.catalog import Dataset
from etl.extract import lines
from etl.extract.grid import Grid
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
LONGEST = 2_000_000
"""Bytes of a record: DuckDB leaves a longer one out, at times without a word."""
# Our own limit is LONGEST; that of the module would end a file with a quote that never closes.
csv.field_size_limit(sys.maxsize)


def extract(path: Path, dataset: Dataset) -> Raw:
    """Header, count and checksum of a file; its rows are read by `relation`.

    Raises:
        UnreadableFile: it is not text in the declared encoding, is empty, or has no such header.
    """
    content = path.read_bytes()
    text_path, body = _as_utf8(path, content, dataset)
    if dataset.shaped:
        return lines.extract(path, content, body, dataset)
    skipped, labels = _header(body, dataset, path)
    records, blank = _count(body, dataset, skipped, path)
    return Raw(
        path=str(text_path),
        labels=labels,
        records=records,
        checksum=hashlib.blake2b(content, digest_size=20).hexdigest(),
        size=len(content),
        header_lines=skipped,
        blank_lines=tuple(blank),
    )


def grid_of(path: Path, dataset: Dataset) -> Grid:
    """The rows of a shaped file, those that are no records too. Raises as `extract`."""
    _, body = _as_utf8(path, path.read_bytes(), dataset)
    return lines.grid_of(lines.rows_of(body, dataset, path), path)


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
        body = _one_line_end(content)
        return (path if body is content else _kept(path, body)), body.removeprefix(codecs.BOM_UTF8)
    text = decode(content, encoding).removeprefix("\ufeff")
    unmasked = read.text == "unicode" or (read.text == "auto" and not looks_legacy(text))
    masked = encoding.startswith("utf") and not unmasked
    if masked:
        text = decode_delimited(
            text, read.text, delimiter=dataset.delimiter, quote=read.quote, words=dataset.words
        )
    body = _one_line_end(text.encode("utf-8"))
    return _kept(path, body), body


def _kept(path: Path, body: bytes) -> Path:
    converted = Path(tempfile.mkdtemp(prefix="foresight-")) / path.name
    converted.write_bytes(body)
    return converted


def _one_line_end(body: bytes) -> bytes:
    """`body`, with line feeds for all line ends where they are of several kinds, or of the oldest.

    DuckDB reads a file whose lines all end in the same way, and not by a carriage return alone.
    """
    returns = body.count(b"\r")
    both = body.count(b"\r\n") if returns else 0
    if returns == both and both in (0, body.count(b"\n")):
        return body
    return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


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
        if any(cells) if read.header is None else plain(read.header.find) in map(plain, cells):
            return rows.line_num, cells
    wanted = f"with the cell {read.header.find!r}" if read.header else "at all"
    raise UnreadableFile(
        f"there is no header row {wanted}", where=path.name, hint="see read: {header: {find: ...}}"
    )


def _count(body: bytes, dataset: Dataset, skipped: int, path: Path) -> tuple[int, list[int]]:
    """Records after the header, and the blank lines; counted without the reader of columns.

    Raises:
        UnreadableFile: a quote never closes, or a record is longer than the reader takes.
    """
    text = np.frombuffer(body, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord(dataset.read.quote))
    if not _at_borders(text, quotes, ord(dataset.delimiter)):
        return _count_one_by_one(body.decode("utf-8"), dataset, skipped, path)
    breaks = np.flatnonzero(text == LINE_FEED)
    head = breaks[skipped - 1] if skipped <= len(breaks) else len(text)
    ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0]  # one inside quotes ends nothing
    if len(text) and text[-1] != LINE_FEED:
        ends = np.append(ends, len(text))
    ends = ends[ends > head]
    starts = np.concatenate([[head + 1], ends[:-1] + 1])
    lengths = ends - starts
    if len(lengths) and lengths.max() > LONGEST:
        longest = int(lengths.argmax())
        line = int(np.searchsorted(breaks, starts[longest])) + 1
        raise _too_long(int(lengths[longest]), line, path)
    returned = (lengths == 1) & (text[np.minimum(starts, len(text) - 1)] == ord("\r"))
    blank = np.flatnonzero(returned | (lengths == 0)) + 1
    return len(ends) - len(blank), blank.tolist()


def _at_borders(text: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], delimiter: int) -> bool:
    """Whether every quote opens, closes or doubles, so that parity tells inside from outside."""
    if len(quotes) % 2:
        return False
    border = np.array([delimiter, LINE_FEED, ord("\r"), *text[quotes[:1]]], dtype=np.uint8)
    opening, closing = quotes[::2], quotes[1::2]
    before = np.isin(text[np.maximum(opening - 1, 0)], border) | (opening == 0)
    after = np.isin(text[np.minimum(closing + 1, len(text) - 1)], border)
    return bool(before.all() and (after | (closing == len(text) - 1)).all())


def _count_one_by_one(
    text: str, dataset: Dataset, skipped: int, path: Path
) -> tuple[int, list[int]]:
    """As `_count`, where quotes stand that do not quote."""
    lines: list[str] = []
    ending = "" if text.endswith("\n") else "\n"
    reader = _reader(_noted(text + ending + LAST, lines), dataset)
    count = 0
    blank: list[int] = []
    last: list[str] = []
    for last in reader:
        first, record = reader.line_num - len(lines) + 1, "".join(lines)
        lines.clear()
        if last == [LAST]:
            return count, blank
        if len(record) > 1 and record.count("\n") > 1:
            _check_quotes(record, first, dataset, path)
        if len(record) > LONGEST:
            raise _too_long(len(record), first, path)
        if first > skipped:
            count += bool(last)
            blank += [] if last else [count + len(blank) + 1]
    raise _open_quote(last, first, path)


def _reader(lines: Iterable[str], dataset: Dataset, *, strict: bool = False) -> Any:
    return csv.reader(
        lines, delimiter=dataset.delimiter, quotechar=dataset.read.quote, strict=strict
    )


LAST = "\x04"
"""A record of our own after the last one: where it is not the last, a quote has taken it in."""


def _noted(text: str, lines: list[str]) -> Iterator[str]:
    """The lines of `text`, each added to `lines` when it is asked for."""
    for line in io.StringIO(text, newline="\n"):
        lines.append(line)
        yield line


def _check_quotes(record: str, first: int, dataset: Dataset, path: Path) -> None:
    """A record over several lines must be quoted properly: else it holds records that are lost."""
    try:
        list(_reader(io.StringIO(record, newline=""), dataset, strict=True))
    except csv.Error:
        cells = next(_reader(io.StringIO(record, newline=""), dataset))
        raise _open_quote(cells, first, path) from None


def _open_quote(cells: list[str], first: int, path: Path) -> UnreadableFile:
    breaks = [cell.count("\n") for cell in cells]
    before = sum(breaks[: breaks.index(max(breaks))])
    return UnreadableFile(
        "a quote opens here that does not close before other records begin",
        where=f"{path.name}:{first + before}",
        hint="nothing was loaded; close it, double it if it belongs to the text, or name another "
        "sign in read: {quote: ...}",
    )


def _too_long(length: int, line: int, path: Path) -> UnreadableFile:
    return UnreadableFile(
        f"a record of {length / 1e6:,.0f} MB begins here; at most {LONGEST / 1e6:,.0f} are read",
        where=f"{path.name}:{line}",
        hint="nothing was loaded; look for lost line breaks, or a quote that closes far below",
    )


def _list(words: list[str]) -> str:
    return "[" + ", ".join(literal(word) for word in words) + "]"
