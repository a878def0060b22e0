"""An action of another machine's interface: JSON or a form with a file goes there, JSON comes back.

Only hosts of the site file are asked, and redirects are not followed, as for everything that leaves
on its own. The token is named, never given: it is read at the moment it is sent.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from urllib3.filepost import encode_multipart_formdata

from etl.fetch.arrival import Passing, too_large
from etl.fetch.web import TO_TRY_AGAIN, HostRefused, Web
from etl.settings import secret


@dataclass(frozen=True)
class Reply:
    """What was answered to an action."""

    status: int
    content: Any
    """As JSON; None where it is none."""


@dataclass(frozen=True)
class Action:
    """What to ask for, and with what."""

    url: str
    content: dict[str, Any]
    token: str
    """The variable that holds what the interface wants to see as `Authorization`."""
    file: Path | None = None
    """Sent as `upload`; the content then goes as fields of a form, all text."""


def call(web: Web, action: Action, *, again: bool) -> Reply:
    """The answer to `action`; `again`: it may be asked twice, should the first answer be lost.

    Raises:
        HostRefused: its address is not of an allowed host, or the token would travel in the open.
        MissingSecret: the token is not in the environment.
        FetchFailed: it did not arrive, or what came back is larger than the site allows.
    """
    attempts = web.site.limits.attempts if again else 1
    for attempt in range(1, attempts):
        try:
            return _once(web, action)
        except Passing as failure:
            wait = web.site.limits.pause * 2 ** (attempt - 1)
            web.sleep(wait if failure.after is None else failure.after)
    return _once(web, action)


def _once(web: Web, action: Action) -> Reply:
    place = web.place(action.url)
    if place.parts.scheme == "http" and not place.host.private:
        raise HostRefused(
            f"{place.name} would be sent a secret without encryption", hint="write https://"
        )
    body, kind = _body(action)
    headers = {
        "Authorization": secret(action.token),
        "Content-Type": kind,
        "Accept-Encoding": "identity",
    }
    most = web.site.limits.bytes
    deadline = time.monotonic() + web.site.limits.seconds
    with web.asked(place, headers, deadline, method="POST", body=body) as response:
        if response.status in TO_TRY_AGAIN:
            raise Passing(f"the server answers {response.status}", where=place.shown)
        answer = response.read(most + 1)
    if len(answer) > most:
        raise too_large(most, place.shown)
    return Reply(response.status, _read(answer))


def _body(action: Action) -> tuple[bytes, str]:
    """What is sent, and its media type."""
    if action.file is None:
        return json.dumps(action.content, ensure_ascii=False).encode(), "application/json"
    fields = {name: str(value) for name, value in action.content.items()}
    upload = (action.file.name, action.file.read_bytes(), "application/octet-stream")
    return encode_multipart_formdata({**fields, "upload": upload})


def _read(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        return None
