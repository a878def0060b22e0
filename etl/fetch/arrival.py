"""One resource as it arrives: kept in a part file, gone on with after a break, unpacked when whole.

What came over the wire is kept as it came, compressed or not. So an interrupted download goes on
where it stopped, even in a later run, if the server vouches by a strong ETag that it is still the
same. What is counted against the limit is the unpacked size.
"""

import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from etl.errors import ForesightError
from etl.fetch.whole import Missing

CHUNK = 65_536
GZIP = zlib.MAX_WBITS | 16
PAGE = re.compile(
    rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.DOTALL
)


class FetchFailed(ForesightError):
    """The resource did not arrive; a copy fetched earlier stays in use."""


class Passing(FetchFailed):
    """A failure that may be over in a moment. `after` is how long the server asks to wait, in s."""

    def __init__(self, problem: str, *, where: str, after: float | None = None) -> None:
        super().__init__(problem, where=where, hint="it was tried several times; try again later")
        self.after = after


@dataclass(frozen=True)
class Known:
    """What tells the server which version is here already."""

    etag: str | None
    last_modified: str | None


class Part:
    """What has arrived so far of one resource, as it came over the wire, and of which version."""

    def __init__(self, into: Path, url: str, cut_short: Missing) -> None:
        self.into = into
        self.cut_short = cut_short
        self.url = url
        self.path = into.with_name(f"{into.name}.part")
        self.notes = into.with_name(f"{into.name}.part.json")
        self.size = 0
        self.packed = False

    def asking(self, known: Known | None) -> dict[str, str]:
        """Headers that ask for the rest, or only for something newer than what is known."""
        held = self._held()
        if held:
            return {"Range": f"bytes={self.path.stat().st_size}-", "If-Range": held["etag"]}
        asked = {}
        if known and known.etag:
            asked["If-None-Match"] = known.etag
        if known and known.last_modified:
            asked["If-Modified-Since"] = known.last_modified
        return asked

    def begin(self, response: urllib3.BaseHTTPResponse, where: str) -> None:
        """Start anew with a 200, go on with a 206 of the version that is held."""
        encoding = response.headers.get("Content-Encoding", "identity").casefold()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise FetchFailed(
                f"it is packed as {encoding!r}, which was not asked for",
                where=where,
                hint="ask the portal",
            )
        etag = response.headers.get("ETag", "")
        notes = {"url": self.url, "etag": etag, "encoding": encoding}
        if response.status == 206 and not (notes == self._held() and self._continues(response)):
            self.discard()
            raise Passing("the rest does not fit what is here", where=where)
        if response.status == 200:
            self.discard()
            with _room(self, where):
                self.path.touch()
                self.notes.write_text(json.dumps(notes), encoding="utf-8")
        self.size = self.path.stat().st_size
        self.packed = encoding != "identity"

    def write(self, chunk: bytes, where: str) -> None:
        with _room(self, where), self.path.open("ab") as file:
            file.write(chunk)
        self.size += len(chunk)

    def finish(self, most: int, where: str, *, length_told: bool) -> None:
        """Unpack, count, and put into place; a page of a browser is not taken for data.

        What is packed says itself where it ends.
        """
        whole = self.into.with_name(f"{self.into.name}.whole") if self.packed else self.path
        try:
            if self.packed:
                with _room(self, where):
                    _unpack(self.path, whole, most, where)
            _check_data(whole, where)
            lacks = None if length_told or self.packed else self.cut_short(whole)
            if lacks:
                raise Passing(f"it is cut short: {lacks}", where=where)
            whole.replace(self.into)
        except zlib.error:
            raise Passing("it is packed and cannot be unpacked", where=where) from None
        finally:
            whole.unlink(missing_ok=True)
            self.discard()

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)

    def _continues(self, response: urllib3.BaseHTTPResponse) -> bool:
        """Whether what comes is the rest: from where the part ends to the end of the resource."""
        told = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", ""))
        if told is None:
            return False
        start, last, total = map(int, told.groups())
        return start == self.path.stat().st_size and last + 1 == total

    def _held(self) -> dict[str, str] | None:
        """Notes on a part that can be gone on with: the same address, a strong ETag."""
        try:
            notes = dict(json.loads(self.notes.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None
        usable = notes.get("url") == self.url and str(notes.get("etag", "")).startswith('"')
        return notes if usable and self.path.exists() and self.path.stat().st_size else None


@contextmanager
def _room(part: Part, where: str) -> Iterator[None]:
    """A disk that cannot be written on is not the server's fault, and not tried again."""
    try:
        yield
    except OSError as error:
        part.discard()
        raise FetchFailed(
            f"the copy cannot be written: {error.strerror}",
            where=where,
            hint="make room on the disk of the state folder",
        ) from None


def _unpack(packed: Path, into: Path, most: int, where: str) -> None:
    """Write the content of a gzip file in pieces of bounded size, whatever it claims to hold.

    Raises:
        FetchFailed: it holds more than `most` bytes.
        zlib.error: it is damaged or ends early.
    """
    size = 0
    with packed.open("rb") as source, into.open("wb") as file:
        for piece in _unpacked(iter(lambda: source.read(CHUNK), b"")):
            size += len(piece)
            if size > most:
                raise too_large(most, where)
            file.write(piece)


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    machine = zlib.decompressobj(GZIP)
    for chunk in chunks:
        data = chunk
        while data:
            if machine.eof:  # a file may be several, one after the other
                machine = zlib.decompressobj(GZIP)
            yield machine.decompress(data, CHUNK)
            data = machine.unused_data if machine.eof else machine.unconsumed_tail
    while not machine.eof:
        rest = machine.decompress(b"", CHUNK)
        if not rest:
            raise zlib.error("it ends early")
        yield rest


def _check_data(path: Path, where: str) -> None:
    """Portals answer with a page and status 200 where a file has gone or a login is needed."""
    if not path.stat().st_size:
        raise FetchFailed("it is empty", where=where, hint="ask the portal")
    with path.open("rb") as file:
        head = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if PAGE.match(head):
        raise FetchFailed(
            "a web page came instead of data",
            where=where,
            hint="open the address in a browser: the file may have gone, or need a login",
        )


def too_large(most: int, where: str) -> FetchFailed:
    """More bytes than the site takes from one source."""
    return FetchFailed(
        f"it is larger than {most:,} bytes",
        where=where,
        hint="ask for a smaller file, or let the site file say limits: {bytes: ...}",
    )
