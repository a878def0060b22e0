"""Resources of CKAN portals: where a file is, or the rows of a table, page by page.

A page that has arrived is kept until all have, so that a break costs one page. The portal must say
the same before and after about how many rows there are and when they were changed, and the rows
must be as many and come in the order of their `_id`: else what was put together is of two versions,
and is thrown away.
"""

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from etl.catalog import Ckan
from etl.durable import replace_text
from etl.fetch.arrival import FetchFailed
from etl.fetch.web import Web

PAGES_KEPT = dt.timedelta(hours=24)
CHANGES = ("hash", "last_modified", "size")
"""What a portal says of a resource that changes with its content."""


@dataclass(frozen=True)
class Portal:
    """A CKAN portal at `address`; answers pass through files in `folder`."""

    web: Web
    address: str
    folder: Path

    def file(self, resource: str) -> str:
        """Address of the file of a resource.

        Raises:
            FetchFailed: the portal does not answer as a CKAN does, or names no file.
        """
        found = self._ask("resource_show", id=resource).get("url")
        if not isinstance(found, str) or not found:
            raise self._odd("resource_show names no address", f"look at the resource {resource}")
        return found

    def rows(
        self, ckan: Ckan, into: Path, now: dt.datetime, progress: Callable[[str], None]
    ) -> int:
        """All rows of a datastore as a json list in `into`; how many there are.

        Raises:
            FetchFailed: pages are missing, or the table changed while it was read.
        """
        resource = ckan.datastore or ""
        before = self._state(resource)
        pages = self._pages(before, ckan.page_size, now)
        done = 0
        while done < before["total"]:
            page = pages / f"{done:012}.json"
            if not _whole(page):
                self._fetch_page(page, resource, done, ckan.page_size)
            done += len(_records(page))
            progress(f"fetch page: {done:,} of {before['total']:,} rows")
        if self._state(resource) != before:
            shutil.rmtree(pages)
            raise self._odd("the table changed while it was read", "fetch again")
        try:
            return self._join(pages, before["total"], into)
        finally:
            shutil.rmtree(pages)

    def _state(self, resource: str) -> dict[str, Any]:
        """How many rows, of which columns, changed when: the same as long as nothing changes."""
        table = self._ask("datastore_search", resource_id=resource, limit=0, include_total="true")
        shown = self._ask("resource_show", id=resource)
        total = table.get("total")
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            raise self._odd("datastore_search names no total", "ask the portal")
        if total == 0:
            raise self._odd("the table has no rows", "ask the portal")
        return {
            "resource": resource,
            "total": total,
            "fields": table.get("fields"),
            **{key: shown.get(key) for key in CHANGES},
        }

    def _pages(self, state: dict[str, Any], page_size: int, now: dt.datetime) -> Path:
        """The folder of pages kept from an earlier run of the same state, or an empty one."""
        pages = self.folder / "pages"
        notes = pages / "state.json"
        wanted = {"portal": self.address, "page_size": page_size, **state}
        try:
            kept = json.loads(notes.read_text(encoding="utf-8"))
            young = now - dt.datetime.fromisoformat(kept.pop("begun_at")) < PAGES_KEPT
        except (OSError, ValueError, KeyError, TypeError):
            kept, young = None, False
        if kept != wanted or not young:
            shutil.rmtree(pages, ignore_errors=True)
            pages.mkdir(parents=True)
            text = json.dumps({**wanted, "begun_at": now.isoformat()}, ensure_ascii=False)
            notes.write_text(text, encoding="utf-8")
        return pages

    def _fetch_page(self, page: Path, resource: str, offset: int, page_size: int) -> None:
        found = self._ask(
            "datastore_search",
            resource_id=resource,
            limit=page_size,
            offset=offset,
            sort="_id asc",
        )
        records = found.get("records")
        if not isinstance(records, list) or not records:
            raise self._odd(f"no rows after the first {offset:,}", "ask the portal")
        replace_text(page, json.dumps(records, ensure_ascii=False))

    def _join(self, pages: Path, total: int, into: Path) -> int:
        """The pages as one list; every row once, in the order of the portal."""
        count, last = 0, -1
        with into.open("w", encoding="utf-8") as file:
            for record in _all_records(pages):
                number = record.get("_id") if isinstance(record, dict) else None
                if not isinstance(number, int) or number <= last:
                    raise self._odd(f"row {count + 1:,} is out of order", "fetch again")
                last = number
                file.write(",\n" if count else "[\n")
                file.write(json.dumps(record, ensure_ascii=False))
                count += 1
                if file.tell() > self.web.site.limits.bytes:
                    raise self._odd(
                        f"the table is larger than {self.web.site.limits.bytes:,} bytes",
                        "let the site file say limits: {bytes: ...}",
                    )
            file.write("\n]\n")
        if count != total:
            raise self._odd(f"{total:,} rows were announced and {count:,} came", "fetch again")
        return count

    def _ask(self, action: str, **parameters: str | int) -> dict[str, Any]:
        """The `result` of an action of the portal's interface."""
        answer = self.folder / "answer"
        url = f"{self.address.rstrip('/')}/api/3/action/{action}?{urlencode(parameters)}"
        self.web.download(url, answer)
        try:
            found = json.loads(answer.read_bytes())
        except (ValueError, RecursionError):
            found = None
        finally:
            answer.unlink(missing_ok=True)
        result = found.get("result") if isinstance(found, dict) and found.get("success") else None
        if not isinstance(result, dict):
            raise self._odd(f"{action} is not answered as by a CKAN portal", "mend the address")
        return result

    def _odd(self, problem: str, hint: str) -> FetchFailed:
        return FetchFailed(problem, where=self.address, hint=hint)


def _records(page: Path) -> list[Any]:
    return list(json.loads(page.read_bytes()))


def _whole(page: Path) -> bool:
    """Whether a page is there, and not what a power cut left of it."""
    try:
        return bool(_records(page))
    except (OSError, ValueError, TypeError):
        return False


def _all_records(pages: Path) -> Iterator[Any]:
    for page in sorted(pages.glob("0*.json")):
        yield from _records(page)
