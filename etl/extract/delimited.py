"""Delimited text (csv, tsv): DuckDB reads it with a pinned dialect; nothing is sniffed.

The sniffer once kept 83,684 of 1,000,021 rows without a word, because one early row had a column
more. So columns, delimiter, quote and header are given, lines that do not fit are kept aside with
their number, and records are counted on their own.
"""

import atexit
import codecs
import csv
import io
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from etl import checksums
from etl.catalog import Dataset
from etl.extract import lines
from etl.extract.grid import Grid
from etl.extract.mistaken import (
    has_end_mark,
    refuse_what_is_no_table,
    refuse_zeros_at_end,
    without_end_mark,
)
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
LINE_FEED, RETURN = ord("\n"), ord("\r")
LONGEST = 2_000_000
"""Bytes of a record: DuckDB leaves a longer one out, at times without a word."""
# Our own limit is LONGEST; that of the module would end a file with a quote that never closes.
csv.field_size_limit(sys.maxsize)


def extract(path: Path, dataset: Dataset) -> Raw:
    """Header, count and checksum of a file; its rows are read by `relation`.

    Raises:
        UnreadableFile: it is not text in the declared encoding, is empty, or has no such header.
    """
    refuse_what_is_no_table(path, workbook=False)
    refuse_zeros_at_end(path)
    readable = _readable(path, dataset)
    if dataset.shaped:
        return lines.extract(path, path.read_bytes(), _body(readable), dataset)
    rows, lines_, labels = _header(readable, dataset)
    records, blank = _count(readable, dataset, lines_)
    return Raw(
        path=str(readable),
        labels=labels,
        records=records,
        checksum=checksums.of_file(path),
        size=path.stat().st_size,
        header_rows=rows,
        blank_lines=tuple(blank),
    )


def grid_of(path: Path, dataset: Dataset) -> Grid:
    """The rows of a shaped file, those that are no records too. Raises as `extract`."""
    return lines.grid_of(lines.rows_of(_body(_readable(path, dataset)), dataset, path), path)


def _readable(path: Path, dataset: Dataset) -> Path:
    """The file, or one with the same text in UTF-8, with nothing behind it."""
    as_it_is = not has_end_mark(path) and _readable_as_it_is(path, dataset)
    return path if as_it_is else _converted(path, dataset)


def _body(readable: Path) -> bytes:
    return readable.read_bytes().removeprefix(codecs.BOM_UTF8)


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
        f"auto_detect=false, header=false, skip={first.header_rows}, "
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


def _readable_as_it_is(path: Path, dataset: Dataset) -> bool:
    """Whether it is UTF-8, may be, nowhere looks older than Unicode, and has lines of one end."""
    read = dataset.read
    if read.encoding not in ("utf-8", "auto") or read.text not in ("unicode", "auto"):
        return False
    returns = pairs = feeds = 0
    for number, block in enumerate(_blocks(path)):
        wide = number == 0 and read.encoding == "auto" and utf_16_without_mark(block)
        if wide or not _is_utf8(block) or (read.text == "auto" and looks_legacy(block)):
            return False
        text = np.frombuffer(block, dtype=np.uint8)
        returned, fed = text == RETURN, text == LINE_FEED
        returns += int(np.count_nonzero(returned))
        pairs += int(np.count_nonzero(returned[:-1] & fed[1:]))
        feeds += int(np.count_nonzero(fed))
    return returns == pairs and pairs in (0, feeds)


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
    text = without_end_mark(decode(content, encoding).removeprefix("\ufeff"))
    unmasked = read.text == "unicode" or (read.text == "auto" and not looks_legacy(text))
    masked = encoding.startswith("utf") and not unmasked
    if masked:
        text = decode_delimited(
            text, read.text, delimiter=dataset.delimiter, quote=read.quote, words=dataset.words
        )
    converted = Path(tempfile.mkdtemp(dir=_scratch())) / path.name
    converted.write_bytes(_one_line_end(text.encode("utf-8")))
    return converted


@cache
def _scratch() -> str:
    """Folder of the converted files; it goes when the process ends."""
    folder = tempfile.mkdtemp(prefix="foresight-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


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


def _header(path: Path, dataset: Dataset) -> tuple[int, int, list[str]]:
    """Rows and lines down to and with the header, and its labels.

    They differ where a label has a line break in its quotes; blank lines are rows.
    """
    read = dataset.read
    with path.open("rb") as file:
        top = file.read(65536).removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="ignore")
    rows = csv.reader(
        io.StringIO(top, newline=""), delimiter=dataset.delimiter, quotechar=read.quote
    )
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row]
        if any(cells) if read.header is None else plain(read.header.find) in map(plain, cells):
            return number, rows.line_num, cells
    wanted = f"with the cell {read.header.find!r}" if read.header else "at all"
    raise UnreadableFile(
        f"there is no header row {wanted}", where=path.name, hint="see read: {header: {find: ...}}"
    )


def _count(path: Path, dataset: Dataset, skipped: int) -> tuple[int, list[int]]:
    """Records after the first `skipped` lines, and the blank ones, which are none, from 1.

    Counted without the reader of columns: a record ends with each line break outside quotes, and
    outside is where an even number of quotes stand before. Where a quote may mean itself, every
    record is read after all.

    Raises:
        UnreadableFile: a quote never closes, or a record is longer than the reader takes.
    """
    blank: list[int] = []
    records = quotes_before = lines_before = 0
    carried = 0
    """Bytes, in earlier blocks, of a record that goes on in this one."""
    for number, block in enumerate(_blocks(path)):
        body = block if number else block.removeprefix(codecs.BOM_UTF8)
        text = np.frombuffer(body, dtype=np.uint8)
        quotes = np.flatnonzero(text == ord(dataset.read.quote))
        if not _at_borders(text, quotes, quotes_before % 2, dataset):
            return _count_one_by_one(path, dataset, skipped)
        breaks = np.flatnonzero(text == LINE_FEED)
        if len(text) and text[-1] != LINE_FEED:
            breaks = np.append(breaks, len(text))
        ends = breaks[(np.searchsorted(quotes, breaks) + quotes_before) % 2 == 0]
        starts = np.append(-carried, ends + 1)
        carried = len(text) - int(starts[-1])
        starts = starts[:-1]
        if number == 0 and len(breaks):
            below = ends > breaks[min(skipped, len(breaks)) - 1]
            starts, ends = starts[below], ends[below]
        _check_lengths(ends - starts, lines_before + np.searchsorted(breaks, starts) + 1, path)
        empty = _blank(text, starts, ends)
        blank += (empty + records + len(blank) + 1).tolist()
        records += len(ends) - len(empty)
        quotes_before += len(quotes)
        lines_before += len(breaks)
    return _count_one_by_one(path, dataset, skipped) if quotes_before % 2 else (records, blank)


def _at_borders(
    text: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], inside: int, dataset: Dataset
) -> bool:
    """Whether every quote opens, closes or doubles, so that parity tells inside from outside.

    `inside` is 1 where the text begins within quotes, else 0.
    """
    border = np.zeros(256, dtype=bool)
    border[[ord(sign) for sign in (dataset.delimiter, dataset.read.quote, "\n", "\r")]] = True
    last = len(text) - 1
    opening, closing = quotes[inside::2], quotes[1 - inside :: 2]
    before = border[text[np.maximum(opening - 1, 0)]] | (opening == 0)
    after = border[text[np.minimum(closing + 1, last)]] | (closing == last)
    return bool(before.all() and after.all())


def _check_lengths(
    lengths: npt.NDArray[np.int64], lines: npt.NDArray[np.int64], path: Path
) -> None:
    """Records of these bytes begin at these lines: none may be longer than the reader takes."""
    if len(lengths) and lengths.max() > LONGEST:
        longest = int(lengths.argmax())
        raise _too_long(int(lengths[longest]), int(lines[longest]), path)


def _blank(
    text: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Which of the lines hold nothing, from 0."""
    lengths = ends - starts
    at = np.clip(starts, 0, max(len(text) - 1, 0))
    returned = (lengths == 1) & (text[at] == RETURN) if len(text) else lengths == 1
    return np.flatnonzero(returned | (lengths == 0))


def _count_one_by_one(path: Path, dataset: Dataset, skipped: int) -> tuple[int, list[int]]:
    """As `_count`, where quotes stand that do not quote."""
    text = path.read_bytes().decode("utf-8-sig")
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
