"""A CKAN that is pretended, in the process of the test: the few actions that publishing asks for.

It keeps what it is told, checks a token, notes each action, and may be told to break the line. What
a real one does is seen by `test_real_ckan.py`.
"""

import email
import email.policy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

SECRET = "a-token"
READS = ("_show", "_search")


class Refusal(Exception):
    """What the portal answers instead of a result."""

    def __init__(self, status: int, error: Any) -> None:
        super().__init__(error)
        self.status, self.error = status, error


@dataclass
class Portal:
    """All a portal knows."""

    port: int = 0
    organisations: dict[str, dict[str, Any]] = field(default_factory=dict)
    packages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name."""
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By resource: fields, key, and rows by `_id`."""
    files: dict[str, bytes] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    """Actions that write, in the order they came."""
    breaks_after: int | None = None
    """Actions that write, after which the line breaks."""
    refuses: set[str] = field(default_factory=set)
    """Actions that are not for us."""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def does(self, action: str, told: dict[str, Any], upload: bytes | None) -> Any:
        """The result of an action."""
        if action in self.refuses:
            raise Refusal(403, {"__type": "Authorization Error", "message": "no"})
        done: Callable[..., Any] | None = getattr(self, action, None)
        if done is None:
            raise Refusal(400, f"Bad request - Action name not known: {action}")
        return done(**told) if upload is None else done(**told, upload=upload)

    def organization_show(self, **told: Any) -> Any:
        return _known(self.organisations, told["id"])

    def organization_create(self, **told: Any) -> Any:
        return self.organisations.setdefault(told["name"], told)

    def package_show(self, **told: Any) -> Any:
        named = {one["id"]: one for one in self.packages.values()}
        return _known(self.packages | named, told["id"])

    def package_create(self, **told: Any) -> Any:
        if told["name"] in self.packages:
            raise Refusal(409, {"__type": "Validation Error", "name": ["already in use"]})
        bare = {"id": f"p{next(self.numbers)}", "tags": [], "resources": [], "state": "active"}
        self.packages[told["name"]] = bare | told
        return self.packages[told["name"]]

    def package_patch(self, **told: Any) -> Any:
        package = self.package_show(id=told["id"])
        package.update(told | {"id": package["id"]})
        return package

    def resource_show(self, **told: Any) -> Any:
        return _known(self._resources(), told["id"])

    def resource_create(self, package_id: str, upload: bytes | None = None, **told: Any) -> Any:
        resource = {"id": f"r{next(self.numbers)}", "url_type": "", **told}
        self.package_show(id=package_id)["resources"].append(resource)
        return self.resource_patch(upload, id=resource["id"])

    def resource_patch(
        self, upload: bytes | None = None, clear_upload: bool = False, **told: Any
    ) -> Any:
        resource = self.resource_show(id=told["id"])
        resource.update(told)
        if upload is not None:
            self.files[told["id"]], resource["url_type"] = upload, "upload"
        if clear_upload:
            del self.files[told["id"]]
        return resource

    def resource_delete(self, **told: Any) -> None:
        for package in self.packages.values():
            kept = [one for one in package["resources"] if one["id"] != told["id"]]
            package["resources"] = kept
        self.tables.pop(told["id"], None)

    def datastore_create(
        self,
        fields: list[dict[str, Any]],
        resource: dict[str, Any] | None = None,
        resource_id: str = "",
        primary_key: list[str] | None = None,
        **_: Any,
    ) -> Any:
        if resource:
            resource_id = self.resource_create(**resource, url_type="datastore")["id"]
        table = self.tables.setdefault(resource_id, {"key": primary_key, "rows": {}})
        table["fields"] = fields
        return {"resource_id": resource_id}

    def datastore_search(self, resource_id: str, limit: int, offset: int = 0, **_: Any) -> Any:
        table = _known(self.tables, resource_id)
        rows = [{"_id": number, **row} for number, row in sorted(table["rows"].items())]
        return {"fields": table["fields"], "records": rows[offset : offset + min(limit, 2)]}

    def datastore_upsert(self, resource_id: str, records: list[dict[str, Any]], **_: Any) -> None:
        table = self.tables[resource_id]
        for record in records:
            same = [
                number
                for number, row in table["rows"].items()
                if all(row[name] == record[name] for name in table["key"])
            ]
            table["rows"][same[0] if same else next(self.numbers)] = record

    def datastore_records_delete(
        self, resource_id: str, filters: dict[str, list[int]], **_: Any
    ) -> None:
        for number in filters["_id"]:
            del self.tables[resource_id]["rows"][number]

    def datastore_delete(self, resource_id: str, **_: Any) -> None:
        del self.tables[resource_id]

    def _resources(self) -> dict[str, dict[str, Any]]:
        return {one["id"]: one for each in self.packages.values() for one in each["resources"]}


def _known(things: dict[str, Any], name: str) -> Any:
    if name not in things:
        raise Refusal(404, {"__type": "Not Found Error", "message": "Not found"})
    return things[name]


def _read(headers: Any, body: bytes) -> tuple[dict[str, Any], bytes | None]:
    """What an action was told, and the file it was sent."""
    kind = headers["Content-Type"]
    if not kind.startswith("multipart/"):
        return json.loads(body), None
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    form = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    parts = {
        part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True)
        for part in form.iter_parts()
    }
    upload = parts.pop("upload")
    return {name: value.decode() for name, value in parts.items()}, upload


class Handler(BaseHTTPRequestHandler):
    """Actions that come over the line."""

    portal: Portal

    def do_POST(self) -> None:
        action = self.path.rpartition("/")[2]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not action.endswith(READS):
            if self.portal.breaks_after == 0:
                return  # the line is closed without an answer
            if self.portal.breaks_after:
                self.portal.breaks_after -= 1
            self.portal.written.append(action)
        try:
            result = self._result(action, body)
            self._answer(200, {"success": True, "result": result})
        except Refusal as refusal:
            known = isinstance(refusal.error, dict)
            content = {"success": False, "error": refusal.error} if known else refusal.error
            self._answer(refusal.status, content)

    def _result(self, action: str, body: bytes) -> Any:
        if self.headers["Authorization"] != SECRET and not action.endswith(READS):
            raise Refusal(403, {"__type": "Authorization Error", "message": "no"})
        return self.portal.does(action, *_read(self.headers, body))

    def _answer(self, status: int, content: Any) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def pretending() -> Iterator[Portal]:
    """A portal that listens on this machine."""
    portal = Portal()
    answering = type("Answering", (Handler,), {"portal": portal})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering)
    portal.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield portal
    finally:
        server.shutdown()
        server.server_close()
