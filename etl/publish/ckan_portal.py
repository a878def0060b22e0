"""A CKAN portal that is written to: its actions, and what its refusals mean."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.errors import ForesightError
from etl.fetch.arrival import FetchFailed
from etl.fetch.call import Action, Reply, call
from etl.fetch.web import Web

ONCE = {"package_create", "organization_create", "resource_create", "datastore_create"}
"""Actions that, asked a second time, would make a second thing."""
FORBIDDEN = (401, 403)
LONGEST = 300
"""Letters of a refusal that are repeated."""


class PortalRefuses(ForesightError):
    """The portal does not do what it was asked."""


@dataclass(frozen=True)
class CkanPortal:
    """The portal at `address`, spoken to with the token in the variable `token`."""

    web: Web
    address: str
    token: str

    def show(self, action: str, **fields: Any) -> dict[str, Any] | None:
        """What `action` shows; None where there is no such thing.

        Raises:
            PortalRefuses: it is not for our eyes.
            FetchFailed: it did not arrive, or is not answered as by a CKAN portal.
        """
        reply = self._asked(action, None, fields)
        if _kind(reply) == "Not Found Error":
            return None
        found: dict[str, Any] = self._result(action, reply)
        return found

    def act(self, action: str, **fields: Any) -> Any:
        """The result of `action`.

        Raises:
            PortalRefuses: the portal does not do it.
            FetchFailed: it did not arrive, or is not answered as by a CKAN portal.
        """
        return self._result(action, self._asked(action, None, fields))

    def send(self, action: str, file: Path, **fields: Any) -> Any:
        """The result of `action` with `file` as its upload; raises as `act`."""
        return self._result(action, self._asked(action, file, fields))

    def _asked(self, action: str, file: Path | None, fields: dict[str, Any]) -> Reply:
        url = f"{self.address}/api/3/action/{action}"
        asked = Action(url, fields, self.token, file)
        return call(self.web, asked, again=action not in ONCE)

    def _result(self, action: str, reply: Reply) -> Any:
        content = reply.content
        if isinstance(content, dict) and content.get("success") and "result" in content:
            return content["result"]
        if reply.status in FORBIDDEN:
            raise PortalRefuses(
                f"the portal does not allow {action}",
                where=self.address,
                hint="the token must be of an editor of the organisation; to make "
                "organisations, of an administrator of the portal",
            )
        if isinstance(content, str) and "not known" in content:
            raise PortalRefuses(
                f"the portal knows no {action}",
                where=self.address,
                hint="ask for its datastore to be switched on, or say datastore: false",
            )
        if not isinstance(content, dict) or "error" not in content:
            raise FetchFailed(
                f"{action} is not answered as by a CKAN portal",
                where=self.address,
                hint="mend the address",
            )
        raise PortalRefuses(
            f"the portal does not take {action}: {_refusal_of(content['error'])}",
            where=self.address,
            hint="mend it in the catalog, or ask those who run the portal",
        )


def _kind(reply: Reply) -> str:
    """What kind of error the portal names."""
    error = reply.content.get("error") if isinstance(reply.content, dict) else None
    return str(error.get("__type", "")) if isinstance(error, dict) else ""


def _refusal_of(error: Any) -> str:
    """The reasons, field by field."""
    if not isinstance(error, dict):
        return str(error)[:LONGEST]
    told = {field: why for field, why in error.items() if field != "__type"}
    return "; ".join(f"{field}: {why}" for field, why in told.items())[:LONGEST]
