"""One resource over HTTP, from hosts the site allows, at the addresses it allows.

A name is resolved once and every answer looked at; the connection then goes to that very address,
so that a name which changes its mind in between leads nowhere. Redirects are followed by hand and
each is looked at like the first address. Nothing is taken from the environment: no proxy, no
credentials.
"""

import contextlib
import datetime as dt
import email.utils
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from etl.errors import ForesightError
from etl.fetch.arrival import CHUNK, FetchFailed, Known, Part, Passing, too_large
from etl.fetch.whole import Missing
from etl.settings import Host, Site, secret

PORTS = {"http": 80, "https": 443}
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 5
TO_TRY_AGAIN = (429, 500, 502, 503, 504)

TROUBLE = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)
"""What talking to a server may raise, short of what is meant."""
OUT_OF_REACH = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)

Resolve = Callable[[str, int], list[str]]
"""Numeric addresses of a host and port."""


class HostRefused(ForesightError):
    """The site does not allow this host, or not in this way."""


@dataclass(frozen=True)
class Answer:
    """What a server said of a resource. With status 304 nothing was written."""

    status: int
    url: str
    """The address that answered, after redirects."""
    etag: str | None
    last_modified: str | None
    content_type: str | None
    length_told: bool
    """Whether the end of the resource was announced, so that a cut would have been noticed."""


@dataclass(frozen=True)
class _Place:
    """An address that was looked at: which host of the site, and what to ask it for."""

    parts: SplitResult
    host: Host
    port: int

    @property
    def target(self) -> str:
        path = quote(self.parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = quote(self.parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
        return f"{path}?{query}" if query else path

    @property
    def name(self) -> str:
        return self.parts.hostname or ""

    @property
    def authority(self) -> str:
        """Host and port as the server knows itself."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port == PORTS[self.parts.scheme] else f"{name}:{self.port}"

    @property
    def shown(self) -> str:
        """The address without its query, which may hold what is nobody's business."""
        return f"{self.parts.scheme}://{self.authority}{self.parts.path}"


def resolve(host: str, port: int) -> list[str]:
    """Numeric addresses of a host, as the system tells them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def address_problem(text: str, *, private: bool) -> str | None:
    """Why a numeric address must not be spoken to; `None` if it may. `private`: own network too."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return address_problem(str(inner), private=private)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return "is of no other machine one may speak to"
    if address.is_loopback or address.is_private:
        return None if private else "is of a private network"
    if address.is_reserved or not address.is_global:
        return "is reserved"
    return None


@dataclass(frozen=True)
class Web:
    """Fetches from the hosts of `site`; how to resolve a name and how to wait are given."""

    site: Site
    resolve: Resolve = resolve
    sleep: Callable[[float], None] = time.sleep

    def place(self, url: str) -> _Place:
        """`url` as an address of an allowed host.

        Raises:
            HostRefused: the host is not on the list, or would be spoken to without encryption.
        """
        parts = urlsplit(url)
        try:
            port = parts.port or PORTS.get(parts.scheme, 0)
        except ValueError:
            port = 0
        name = (parts.hostname or "").rstrip(".")
        if not port or not name or "@" in parts.netloc or re.search(r"[\x00-\x20\x7f\\]", url):
            raise HostRefused("this is no address of a resource", hint="write https://host/path")
        spelled = f"[{name}]" if ":" in name else name
        host = self.site.host(spelled, port, usual=port == PORTS[parts.scheme])
        if host is None:
            raise HostRefused(
                f"the site does not allow the host {spelled}:{port}",
                hint=f"whoever runs the machine may add it to the site file: "
                f"hosts: [{{name: {spelled}}}]",
            )
        if parts.scheme == "http" and not host.plain_http:
            raise HostRefused(
                f"{spelled} would be spoken to without encryption",
                hint="write https://, or let the site file say plain_http: true",
            )
        return _Place(parts, host, port)

    def download(
        self,
        url: str,
        into: Path,
        known: Known | None = None,
        *,
        cut_short: Missing = lambda _: None,
    ) -> Answer:
        """The resource at `url` into the file `into`, complete or not at all.

        `cut_short` is asked where the server does not say how long the resource is.

        Raises:
            HostRefused: `url` is not of an allowed host.
            MissingSecret: what the host wants to see is not in the environment.
            FetchFailed: after all attempts it has not arrived, or is not what was asked for.
        """
        self.place(url)
        limits = self.site.limits
        deadline = time.monotonic() + limits.seconds
        for attempt in range(1, limits.attempts + 1):
            try:
                return self._follow(url, Part(into, url, cut_short), known, deadline)
            except Passing as failure:
                wait = limits.pause * 2 ** (attempt - 1) if failure.after is None else failure.after
                if attempt == limits.attempts or time.monotonic() + wait > deadline:
                    raise
                self.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _follow(self, url: str, part: Part, known: Known | None, deadline: float) -> Answer:
        place = self.place(url)
        for _ in range(MOST_REDIRECTS + 1):
            with self.asked(place, part.asking(known), deadline) as response:
                if response.status not in REDIRECTS:
                    return self._receive(response, place, part, known, deadline)
                to = urljoin(place.parts.geturl(), response.headers.get("Location", ""))
            try:
                place = self.place(to)
            except HostRefused as refusal:
                raise FetchFailed(
                    f"it redirects elsewhere: {refusal.problem}",
                    where=place.shown,
                    hint=refusal.hint,
                ) from None
        raise FetchFailed(
            f"more than {MOST_REDIRECTS} redirects", where=place.shown, hint="ask the portal"
        )

    @contextmanager
    def asked(
        self,
        place: _Place,
        headers: dict[str, str],
        deadline: float,
        *,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to one request; trouble on the line becomes a failure that may pass."""
        auth = place.host.auth
        sent = {"Host": place.authority, "Accept-Encoding": "gzip", **headers}
        if auth:
            sent[auth.header] = secret(auth.secret)
        addresses = self._addresses(place)
        connection = self._connection(addresses[0], place)
        limit = threading.Timer(max(deadline - time.monotonic(), 0), _hang_up, [connection])
        limit.daemon = True
        limit.start()
        try:
            _connect(connection, addresses)
            connection.request(
                method,
                place.target,
                body=body,
                headers=sent,
                preload_content=False,
                decode_content=False,
            )
            response = connection.getresponse()
            with contextlib.closing(response):
                yield response
        except ssl.SSLCertVerificationError as error:
            raise _untrusted(error, place) from None
        except TROUBLE as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise _untrusted(error.__cause__, place) from None
            _check_time(deadline, place)
            raise Passing(_plainly(error), where=place.shown) from None
        finally:
            limit.cancel()
            connection.close()

    def _addresses(self, place: _Place) -> list[str]:
        """All numeric addresses of the host; one that must not be spoken to spoils the others."""
        try:
            addresses = self.resolve(place.name, place.port)
        except OSError:
            addresses = []
        if not addresses:
            raise Passing("the name of the host is not known", where=place.shown)
        for address in addresses:
            problem = address_problem(address, private=place.host.private)
            if problem:
                raise FetchFailed(
                    f"{place.name} has the address {address}, which {problem}",
                    where=place.shown,
                    hint="if that is meant, the site file says private: true for the host",
                )
        return addresses

    def _connection(self, address: str, place: _Place) -> HTTPConnection:
        timeout = self.site.limits.silence
        if place.parts.scheme == "http":
            return HTTPConnection(address, place.port, timeout=timeout)
        return HTTPSConnection(
            address,
            place.port,
            timeout=timeout,
            server_hostname=place.name,
            ssl_context=_trust(place.host),
        )

    def _receive(
        self,
        response: urllib3.BaseHTTPResponse,
        place: _Place,
        part: Part,
        known: Known | None,
        deadline: float,
    ) -> Answer:
        """The body into the part file, and when it is whole, unpacked to its place."""
        answer = Answer(
            status=response.status,
            url=place.shown,
            etag=response.headers.get("ETag"),
            last_modified=response.headers.get("Last-Modified"),
            content_type=response.headers.get("Content-Type"),
            length_told="Content-Length" in response.headers
            or "Transfer-Encoding" in response.headers,
        )
        if response.status == 304 and known:
            return answer
        if response.status == 416:
            part.discard()
        _check_status(response, place)
        most = self.site.limits.bytes
        announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) > most:
            raise too_large(most, place.shown)
        part.begin(response, place.shown)
        while chunk := response.read1(CHUNK):
            part.write(chunk, place.shown)
            if part.size > most:
                part.discard()
                raise too_large(most, place.shown)
            _check_time(deadline, place)
        _check_time(deadline, place)
        part.finish(most, place.shown, length_told=answer.length_told)
        return answer


def _connect(connection: HTTPConnection, addresses: list[str]) -> None:
    """Connect to the first address that answers; a host may have one that is out of reach."""
    *others, last = addresses
    for address in others:
        connection.host = address
        with contextlib.suppress(*OUT_OF_REACH):
            connection.connect()
            return
    connection.host = last
    connection.connect()


def _hang_up(connection: HTTPConnection) -> None:
    """End whatever another thread waits for; an SSL socket is closed under its encryption."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _trust(host: Host) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=host.authority)
    except OSError:
        raise HostRefused(
            "the certificate authority of the host cannot be read",
            where=host.authority or host.name,
            hint="mend `authority` in the site file: a file of PEM certificates",
        ) from None


def _check_status(response: urllib3.BaseHTTPResponse, place: _Place) -> None:
    if response.status in TO_TRY_AGAIN or response.status == 416:
        raise Passing(
            f"the server answers {response.status}",
            where=place.shown,
            after=_retry_after(response.headers.get("Retry-After")),
        )
    if response.status not in (200, 206):
        hints = {
            401: "the site file says what the host wants to see: auth: {secret: ...}",
            403: "the site file says what the host wants to see: auth: {secret: ...}",
            404: "mend the address in the catalog, or ask the portal where it went",
            410: "mend the address in the catalog, or ask the portal where it went",
        }
        raise FetchFailed(
            f"the server answers {response.status}",
            where=place.shown,
            hint=hints.get(response.status, "ask the portal"),
        )


def _check_time(deadline: float, place: _Place) -> None:
    if time.monotonic() >= deadline:
        raise FetchFailed(
            "it takes longer than the site allows",
            where=place.shown,
            hint="ask for a smaller file, or let the site file say limits: {seconds: ...}",
        )


def _retry_after(text: str | None) -> float | None:
    """Seconds a server asks to wait, given as a number or as the hour of its clock."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    now = dt.datetime.now(at.tzinfo or dt.UTC)
    return max((at.replace(tzinfo=now.tzinfo) - now).total_seconds(), 0)


def _untrusted(error: ssl.SSLCertVerificationError, place: _Place) -> FetchFailed:
    return FetchFailed(
        f"the host cannot show who it is: {error.verify_message}",
        where=place.shown,
        hint="ask the portal for a valid certificate; for one of an authority of your own the "
        "site file says authority: FILE",
    )


def _plainly(error: Exception) -> str:
    """What went wrong on the line; never the text of the error, which may hold what was sent."""
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "no connection"
    if isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError):
        return "no answer in time"
    return "the connection broke off"
