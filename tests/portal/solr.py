"""A stand-in for Solr, which comes in no package: as much of it as a CKAN asks for, in memory.

It knows documents by their `index_id`, adds and deletes them, and finds those that match terms such
as `+state:active -dataset_type:harvest`. It ranks nothing.
"""

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SCHEMA = '<schema name="ckan-2.12" version="1.6"><uniqueKey>index_id</uniqueKey></schema>'
TERM = re.compile(r'([+-]?)\s*(\w+):("(?:[^"\\]|\\.)*"|\([^)]*\)|\[[^\]]*\]|\S+)')
documents: dict[str, dict[str, Any]] = {}


def matches(document: dict[str, Any], query: str | None) -> bool:
    """Whether a document is meant by a query: all of its terms, or any where it says OR."""
    if not query or query.strip() in ("*:*", "*"):
        return True
    terms = TERM.findall(query)
    if not terms:
        words = query.casefold().strip('"')
        return words in json.dumps(document, ensure_ascii=False, default=str).casefold()
    found = [(sign, _has(document, field, wanted)) for sign, field, wanted in terms]
    if " OR " in re.sub(r"\([^)]*\)", "", query):
        return any(one for _, one in found)
    return all(one != (sign == "-") for sign, one in found)


def _has(document: dict[str, Any], field: str, wanted: str) -> bool:
    value = document.get(field)
    values = [str(one) for one in (value if isinstance(value, list) else [value]) if one]
    if wanted.startswith("["):
        return True
    if wanted.startswith("("):
        choices = re.split(r"\s+OR\s+", wanted[1:-1])
        return any(choice.strip(' "') in values for choice in choices)
    return bool(values) if wanted == "*" else wanted.strip('"').replace("\\", "") in values


def select(asked: dict[str, list[str]]) -> dict[str, Any]:
    """The answer to a search."""
    query = asked.get("q", ["*:*"])[0]
    found = [
        document
        for document in list(documents.values())
        if matches(document, query) and all(matches(document, one) for one in asked.get("fq", []))
    ]
    start, rows = int(asked.get("start", ["0"])[0]), int(asked.get("rows", ["10"])[0])
    facets = {}
    for field in asked.get("facet.field", []):
        values = [document.get(field) for document in found]
        flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
        counted = Counter(one for one in flat if one)
        facets[field] = [part for pair in counted.most_common() for part in pair]
    return {
        "responseHeader": {"status": 0},
        "response": {"numFound": len(found), "start": start, "docs": found[start : start + rows]},
        "facet_counts": {"facet_fields": facets},
    }


def update(body: bytes) -> None:
    """Add or delete what a message of XML or JSON says."""
    if body.lstrip().startswith(b"<"):
        root = ET.fromstring(body)
        for part in list(root) if root.tag == "update" else [root]:
            for document in part.findall("doc"):
                _add(document)
            for query in part.findall("query"):
                _delete(query.text)
    elif body.strip():
        content = json.loads(body)
        if isinstance(content, list):
            documents.update({document["index_id"]: document for document in content})
        elif isinstance(content.get("delete"), dict):
            _delete(content["delete"].get("query"))


def _add(document: ET.Element) -> None:
    found: dict[str, Any] = {}
    for field in document.findall("field"):
        name, value = str(field.get("name")), field.text or ""
        if name in found:
            before = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = [*before, value]
        else:
            found[name] = value
    documents[found["index_id"]] = found


def _delete(query: str | None) -> None:
    for name in [name for name, one in documents.items() if query and matches(one, query)]:
        del documents[name]


class Solr(BaseHTTPRequestHandler):
    """The addresses a CKAN asks."""

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        if "/schema" in path or "/admin/file" in path:
            self._answer(SCHEMA, "application/xml")
        elif "/admin/ping" in path:
            self._answer('{"status": "OK"}')
        else:
            self._answer(json.dumps(select(parse_qs(query))))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "/update" in self.path:
            update(body)
            self._answer('{"responseHeader": {"status": 0}}')
        else:
            self._answer(json.dumps(select(parse_qs(body.decode()))))

    def _answer(self, text: str, kind: str = "application/json") -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Solr).serve_forever()
