"""At the door: which requests may say who they are from, and whom a demo lets in.

A header with a name is believed from the proxies of the people file alone; from anyone else it is
taken out before a page sees it. What is believed is handed to the pages under a word that only
this process knows, so that a page served without this door knows nobody. A demo, in which visitors
choose who they are, answers to this machine only and not through a proxy.
"""

import ipaddress
import os
import secrets
from pathlib import Path

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from etl.errors import ForesightError, Problems
from etl.people import People, SignOn, read_people
from etl.settings import Settings

BELIEVED = "x-foresight-person"
WORD = secrets.token_hex(16)
"""What stands before the account in the header that the pages read."""
OF_A_PROXY = {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"}
POLICY_VIOLATION = 1008
Headers = list[tuple[bytes, bytes]]


class DemoOutside(ForesightError):
    """A demo would be open to others than this machine."""


def trust_no_proxy() -> None:
    """Have the server tell who is really at the other end, whatever a request says of itself."""
    os.environ["FORWARDED_ALLOW_IPS"] = ""


def check_address(people: People | None, address: str | None) -> None:
    """Raises `DemoOutside` where a demo would listen to other machines."""
    if people and people.sign_on.way == "demo" and not is_here(address or ""):
        raise DemoOutside(
            f"a demo is not served on {address or 'every address'}: anyone could be anybody there",
            where="people.yaml",
            hint="serve it on localhost, or set sign_on to oidc or headers",
        )


def is_here(address: str) -> bool:
    """Whether an address or name is that of this machine alone."""
    name = address.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def current_people(settings: Settings) -> People | None:
    """Who is who, read again when the file changed; `NOBODY` while it cannot be read."""
    return _known(settings)[0]


def unread_people(settings: Settings) -> list[str]:
    """Where the people file is wrong: places only, for what stands there is not for every eye."""
    return _known(settings)[1]


def _known(settings: Settings) -> tuple[People | None, list[str]]:
    path = settings.people
    try:
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size)
    except OSError:
        key = (path, 0, 0)
    if key not in _read:
        _read.clear()
        _read[key] = _read_now(settings)
    return _read[key]


def _read_now(settings: Settings) -> tuple[People | None, list[str]]:
    try:
        return read_people(settings), []
    except Problems as several:
        return NOBODY, [problem.where for problem in several.problems]
    except OSError:
        return NOBODY, [settings.people.name]


NOBODY = People(sign_on=SignOn(way="headers", proxies=["0.0.0.0/32"]))
"""While the people file is wrong nobody is who they say, and pages are there for readers."""
_read: dict[tuple[Path, int, int], tuple[People | None, list[str]]] = {}


class Door:
    """Middleware in front of everything, pages and their sockets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in with what is believed of it, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        people = current_people(Settings.read())
        if people and people.sign_on.way == "demo" and not _from_here(scope):
            await _refuse(scope, receive, send)
            return
        await self.app({**scope, "headers": _believed(scope, people)}, receive, send)


def _from_here(scope: Scope) -> bool:
    """Whether a request is from this machine, asks for it by name, and came through nobody."""
    headers: Headers = scope["headers"]
    names = {name for name, _ in headers}
    host = next((value.decode("latin-1") for name, value in headers if name == b"host"), "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    peer = scope.get("client") or ("", 0)
    return is_here(peer[0]) and is_here(name) and not names & OF_A_PROXY


def _believed(scope: Scope, people: People | None) -> Headers:
    """The headers, with the account where a trusted proxy names one."""
    own = BELIEVED.encode()
    kept = [pair for pair in scope["headers"] if pair[0] != own]
    if people is None or people.sign_on.way != "headers":
        return kept
    name = people.sign_on.header.lower().encode()
    said = [value for header, value in kept if header == name]
    kept = [pair for pair in kept if pair[0] != name]
    peer = scope.get("client") or ("", 0)
    if len(said) == 1 and people.sign_on.trusts(peer[0]):
        kept.append((own, f"{WORD}:".encode() + said[0]))
    return kept


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return
    answer = PlainTextResponse("This is a demo: it answers to its own machine only.\n", 403)
    await answer(scope, receive, send)
