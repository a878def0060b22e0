"""Who is who: persons, their accounts, roles and departments, and how they sign on.

All of it stands in `people.yaml` beside the catalog, or in the file `FORESIGHT_PEOPLE` names. A
person may have several accounts but is one person: whoever handed figures in cannot check them
under another account. Without the file nobody is known, and nothing can be handed in.
"""

import ipaddress
import unicodedata
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from etl.errors import ForesightError
from etl.settings import ADDRESS, Settings, read_as

Role = Literal["maker", "checker", "publisher", "admin", "reader"]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
COMMAND = "os:"
"""What stands before the account of the system that gives commands."""


class PeopleError(ForesightError):
    """The people file says something that cannot be."""


class UnknownPerson(ForesightError):
    """Nobody in the people file has this account."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Department(_Part):
    """Who hands in: a body of the city, and its datasets."""

    name: Key
    title: str
    title_en: str | None = None
    datasets: list[str] = []


class Person(_Part):
    """Someone, whatever account they come with."""

    name: Key
    title: str
    """As people call them."""
    accounts: list[str] = []
    """An e-mail or name as the sign-on says it; `os:login` for commands."""
    email: Annotated[str, Field(pattern=ADDRESS)] | None = None
    """Where reminders go."""
    roles: frozenset[Role] = frozenset({"reader"})
    departments: frozenset[Key] = frozenset()

    def answers_for(self, department: str) -> bool:
        """Whether the department is theirs; an admin looks after all."""
        return department in self.departments or "admin" in self.roles


class SignOn(_Part):
    """How a person is known: OpenID Connect, a header of a proxy, or for a demo by choice."""

    way: Literal["oidc", "headers", "demo"]
    claim: str = "email"
    """Of OpenID Connect: what the provider says of the person that is looked up among accounts."""
    header: str = "X-Remote-User"
    proxies: list[str] = []
    """Addresses or networks from which the header is believed."""

    @model_validator(mode="after")
    def _from_somewhere(self) -> Self:
        if self.way == "headers" and not self.proxies:
            raise ValueError("headers are believed from listed proxies only: name them")
        for text in self.proxies:
            ipaddress.ip_network(text, strict=False)
        return self

    def trusts(self, address: str) -> bool:
        """Whether the header is believed that comes from this address."""
        try:
            place = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(place in ipaddress.ip_network(text, strict=False) for text in self.proxies)


class People(_Part):
    """The people file, checked."""

    sign_on: SignOn
    departments: list[Department] = []
    people: list[Person] = []

    @model_validator(mode="after")
    def _nobody_twice(self) -> Self:
        known = {one.name for one in self.departments}
        seen: dict[str, str] = {}
        for person in self.people:
            for name in (person.name, *person.accounts, *([person.email] if person.email else [])):
                if seen.setdefault(plain(name), person.name) != person.name:
                    raise ValueError(f"{name!r} is of two people: an account is of one")
            if unknown := sorted(person.departments - known):
                raise ValueError(f"{person.name!r}: there is no department {unknown[0]!r}")
        names = [one.name for one in self.people] + [one.name for one in self.departments]
        if len({*names, "schedule"}) <= len(names):
            raise ValueError("a name stands twice, or is `schedule`, which releases by itself")
        return self

    @cached_property
    def by_account(self) -> dict[str, Person]:
        """Persons by each of their accounts, in plain spelling."""
        return {plain(account): person for person in self.people for account in person.accounts}

    def of_account(self, account: str) -> Person:
        """Whose account it is. Raises `UnknownPerson`."""
        found = self.by_account.get(plain(account))
        if found is None:
            raise UnknownPerson(
                f"nobody has the account {account!r}",
                hint="add it to the accounts of a person in the people file",
            )
        return found

    def person(self, name: str) -> Person:
        """The person of that name. Raises `UnknownPerson`."""
        found = next((one for one in self.people if one.name == name), None)
        if found is None:
            raise UnknownPerson(
                f"nobody is called {name!r}",
                hint="known: " + ", ".join(one.name for one in self.people),
            )
        return found

    def department(self, name: str) -> Department | None:
        """The department of that name."""
        return next((one for one in self.departments if one.name == name), None)

    def departments_of(self, dataset: str) -> list[Department]:
        """Who hands a dataset in."""
        return [one for one in self.departments if dataset in one.datasets]


def plain(account: str) -> str:
    """An account in the one spelling by which it is compared."""
    return unicodedata.normalize("NFKC", account).strip().casefold()


def read_people(settings: Settings) -> People | None:
    """Who is who; `None` where there is no file.

    Raises:
        Problems: every error of the file, each a `PeopleError`.
    """
    if not settings.people.exists():
        return None
    return read_as(People, settings.people, _problem)


def _problem(problem: str, where: str) -> PeopleError:
    return PeopleError(problem, where=where, hint="see docs/handin.md")
