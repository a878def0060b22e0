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
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from etl.catalog import Dataset
from etl.extract import lines
from etl.extract.raw import FILE, RECORD, SHEET, Raw, UnreadableFile, plain
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
BLOCK = 1 << 20
"""Bytes that are looked at together: few enough to stay in the cache, and in memory."""
LINE_FEED = ord("\n")
MOST_BLANK = 8
"""A line of more bytes than this is not looked at for being blank; the reader will tell."""


def extract(path: Path, dataset: Dataset) -> Raw:
    """Header, count and checksum of a file; its rows are read by `relation`.

    Raises:
        UnreadableFile: it is not text in the declared encoding, is empty, or has no such header.
    """
    readable = path if _readable_as_it_is(path, dataset) else _converted(path, dataset)
    if dataset.shaped:
        body = readable.read_bytes().removeprefix(codecs.BOM_UTF8)
        return lines.extract(path, path.read_bytes(), body, dataset)
    skipped, labels = _header(readable, dataset)
    return Raw(
        path=str(readable),
        labels=labels,
        records=_count(readable, dataset, skipped),
        checksum=_checksum(path),
        size=path.stat().st_size,
        header_lines=skipped,
    )


def relation(raws: list[Raw], dataset: Dataset) -> str:
    """SQL that yields the text of files with one header, in order: `c0`, `c1`, ... and `_file`.

    `_file` is the position of the file, from 0; `_record` and `_sheet` are null, because only the
    order of the rows tells which record they are. Lines that cannot be split go to the temporary
    tables `unreadable_lines` and `..._scan`.
    """
    read, first = dataset.read, raws[0]
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(first.labels)))
    return (
        f"(select *, file_index::bigint as {FILE}, null::bigint as {RECORD}, "
        f"null::varchar as {SHEET} "
        f"from read_csv({_list([raw.path for raw in raws])}, columns={{{columns}}}, "
        f"auto_detect=false, header=false, skip={first.header_lines}, "
        f"delim={literal(dataset.delimiter)}, quote={literal(read.quote)}, "
        f"escape={literal(read.quote)}, "
        f"nullstr={_list(read.missing)}, "
        f"strict_mode=true, null_padding=false, store_rejects=true, "
        f"rejects_table='{REJECTS}', rejects_scan='{REJECTS}_scan', rejects_limit=0))"
    )


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file in pieces that end with a line."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block + file.readline()


def _checksum(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=20)
    for block in _blocks(path):
        digest.update(block)
    return digest.hexdigest()


def _readable_as_it_is(path: Path, dataset: Dataset) -> bool:
    """Whether it is UTF-8, may be, and nowhere looks like what was written before Unicode."""
    read = dataset.read
    if read.encoding not in ("utf-8", "auto") or read.text not in ("unicode", "auto"):
        return False
    for number, block in enumerate(_blocks(path)):
        wide = number == 0 and read.encoding == "auto" and utf_16_without_mark(block)
        if wide or not _is_utf8(block) or (read.text == "auto" and looks_legacy(block)):
            return False
    return True


def _is_utf8(block: bytes) -> bool:
    # The cast looks at many bytes at once; decoding would write them all again.
    try:
        pl.Series([block], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return True


def _converted(path: Path, dataset: Dataset) -> Path:
    """A temporary file with the same text in UTF-8."""
    read = dataset.read
    content = path.read_bytes()
    encoding = _encoding(path, content, dataset)
    text = decode(content, encoding).removeprefix("\ufeff")
    unmasked = read.text == "unicode" or (read.text == "auto" and not looks_legacy(text))
    masked = encoding.startswith("utf") and not unmasked
    if masked:
        text = decode_delimited(
            text, read.text, delimiter=dataset.delimiter, quote=read.quote, words=dataset.words
        )
    converted = Path(tempfile.mkdtemp(prefix="foresight-")) / path.name
    converted.write_bytes(text.encode("utf-8"))
    return converted


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


def _header(path: Path, dataset: Dataset) -> tuple[int, list[str]]:
    """Lines down to and with the header, and its labels."""
    read = dataset.read
    with path.open("rb") as file:
        top = file.read(65536).removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="ignore")
    rows = csv.reader(
        io.StringIO(top, newline=""), delimiter=dataset.delimiter, quotechar=read.quote
    )
    for row in rows:
        cells = [cell.strip() for cell in row]
        if read.header is None or plain(read.header.find) in map(plain, cells):
            return rows.line_num, cells
    wanted = f"with the cell {read.header.find!r}" if read.header else "at all"
    raise UnreadableFile(
        f"there is no header row {wanted}", where=path.name, hint="see read: {header: {find: ...}}"
    )


def _count(path: Path, dataset: Dataset, skipped: int) -> int:
    """Records after the first `skipped` lines, without blank ones.

    Counted without the reader of columns: a record ends with each line break outside quotes, and
    outside is where an even number of quotes stand before. Where a quote may mean itself, every
    record is read after all.
    """
    records = quotes_before = 0
    for number, block in enumerate(_blocks(path)):
        body = block if number else block.removeprefix(codecs.BOM_UTF8)
        text = np.frombuffer(body, dtype=np.uint8)
        quotes = np.flatnonzero(text == ord(dataset.read.quote))
        if not _at_borders(text, quotes, dataset):
            return _count_by_reading(path, dataset, skipped)
        breaks = np.flatnonzero(text == LINE_FEED)
        if text[-1] != LINE_FEED:
            breaks = np.append(breaks, len(text))
        ends = breaks[(np.searchsorted(quotes, breaks) + quotes_before) % 2 == 0]
        starts = np.append(0, ends + 1)[:-1]
        if number == 0:
            below = ends > breaks[min(skipped, len(breaks)) - 1]
            starts, ends = starts[below], ends[below]
        records += len(ends) - _blank(body, starts, ends)
        quotes_before += len(quotes)
    return _count_by_reading(path, dataset, skipped) if quotes_before % 2 else records


def _at_borders(
    text: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], dataset: Dataset
) -> bool:
    """Whether every quote opens, closes or doubles, so that parity tells inside from outside."""
    border = np.zeros(256, dtype=bool)
    border[[ord(c) for c in (dataset.delimiter, dataset.read.quote, "\n", "\r")]] = True
    last = len(text) - 1
    before = border[text[np.maximum(quotes - 1, 0)]] | (quotes == 0)
    after = border[text[np.minimum(quotes + 1, last)]] | (quotes == last)
    return bool((before | after).all())


def _blank(body: bytes, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> int:
    """How many of the lines hold nothing."""
    return sum(
        not body[starts[index] : ends[index]].strip(b"\r\0 ")
        for index in np.flatnonzero(ends - starts <= MOST_BLANK)
    )


def _count_by_reading(path: Path, dataset: Dataset, skipped: int) -> int:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=dataset.delimiter, quotechar=dataset.read.quote)
        try:
            return sum(1 for row in reader if row and reader.line_num > skipped)
        except csv.Error as error:
            raise UnreadableFile(
                str(error),
                where=f"{path.name}:{reader.line_num}",
                hint="look above this line for a quote that never closes",
            ) from None


def _list(words: list[str]) -> str:
    return "[" + ", ".join(literal(word) for word in words) + "]"
