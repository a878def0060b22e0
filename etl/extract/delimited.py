"""Delimited text (csv, tsv): DuckDB reads it with a pinned dialect; nothing is sniffed.

The sniffer once kept 83,684 of 1,000,021 rows without a word, because one early row had a column
more. So columns, delimiter, quote and header are given, lines that do not fit are kept aside with
their number, and records are counted on their own.
"""

import codecs
import csv
import hashlib
import io
import re
import tempfile
from pathlib import Path

from etl.catalog import Dataset
from etl.extract.raw import FILE, Raw, UnreadableFile, plain
from etl.warehouse import literal

REJECTS = "unreadable_lines"
BLANK_LINE = re.compile(rb"(?m)^[\r\0 ]*$\n")


def extract(path: Path, dataset: Dataset) -> Raw:
    """Header, count and checksum of a file; its rows are read by `relation`.

    Raises:
        UnreadableFile: it is not text in the declared encoding, is empty, or has no such header.
    """
    content = path.read_bytes()
    text_path, body = _as_utf8(path, content, dataset)
    skipped, labels = _header(body, dataset, path)
    return Raw(
        path=str(text_path),
        labels=labels,
        records=_count(body, dataset, skipped),
        checksum=hashlib.blake2b(content, digest_size=20).hexdigest(),
        size=len(content),
        header_lines=skipped,
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
    declared = dataset.read.encoding
    if declared == "utf-8":
        try:
            codecs.decode(content, "utf-8")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise UnreadableFile(
                f"byte {error.start} is not UTF-8",
                where=f"{path.name}:{line}",
                hint="say how it is written: read: {encoding: windows-1258} or utf-16",
            ) from None
        return path, content.removeprefix(codecs.BOM_UTF8)
    text = content.decode(declared, errors="replace").removeprefix("\ufeff")
    body = text.encode("utf-8")
    converted = Path(tempfile.mkdtemp(prefix="foresight-")) / path.name
    converted.write_bytes(body)
    return converted, body


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


def _count(body: bytes, dataset: Dataset, skipped: int) -> int:
    """Records after the header, without blank lines; counted without the reader of columns."""
    quote = dataset.read.quote.encode()
    if quote not in body:
        # A chunk of lines is much faster to look at than each: blank ones are rare.
        lines = body.count(b"\n") + (not body.endswith(b"\n")) - skipped
        return lines - len(BLANK_LINE.findall(body))
    reader = csv.reader(
        io.StringIO(body.decode("utf-8"), newline=""),
        delimiter=dataset.delimiter,
        quotechar=dataset.read.quote,
    )
    return sum(1 for row in reader if row and reader.line_num > skipped)


def _list(words: list[str]) -> str:
    return "[" + ", ".join(literal(word) for word in words) + "]"
