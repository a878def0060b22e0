"""Where this installation keeps its things, and with whom it may speak: the only reader of
environment variables.

The catalog is written by those who know the data, the site file by whoever runs the machine: hosts,
databases and secrets are allowed there and nowhere else. A secret is only ever named; its value
stays in the environment and is asked for at the moment it is sent.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from etl.errors import ForesightError, Problems
from etl.translation import LANGUAGES, Language

Model = TypeVar("Model", bound=BaseModel)
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$", max_length=64)]
"""Name of an environment variable."""
HOST = (
    r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(:\d{1,5})?$"
)

ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"


class SiteError(ForesightError):
    """The site file says something that cannot be."""


class MissingSecret(ForesightError):
    """The site names an environment variable that is not set."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Auth(_Part):
    """What a host wants to see in each request: a header, and the variable that holds its value."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")] = "Authorization"
    secret: Variable


class Host(_Part):
    """A host that may be spoken to."""

    name: Annotated[str, Field(pattern=HOST)]
    """In lower case, with the port where it is not the usual one."""
    private: bool = False
    """Its address may be one of the own network, or of this machine."""
    plain_http: bool = False
    """It may be spoken to without encryption."""
    auth: Auth | None = None
    authority: str | None = None
    """File with the certificate authority of the host, relative to the site file."""

    @model_validator(mode="after")
    def _no_secret_in_the_open(self) -> Self:
        if self.auth and self.plain_http and not self.private:
            raise ValueError("a secret would travel unencrypted; use https, or leave auth out")
        return self


class Limits(_Part):
    """What one fetch may cost."""

    bytes: int = Field(default=500_000_000, gt=0)
    """Size of a resource, unpacked."""
    seconds: float = Field(default=600, gt=0)
    """Time for a resource, attempts and pauses included."""
    silence: float = Field(default=30, gt=0)
    """Seconds without a byte after which an attempt is given up."""
    attempts: int = Field(default=4, ge=1, le=10)
    pause: float = Field(default=1, ge=0)
    """Seconds before the second attempt; doubled before each one after."""


class Mail(_Part):
    """The mail server that alerts are given to."""

    host: Annotated[str, Field(pattern=HOST)]
    port: int = Field(default=587, ge=1, le=65535)
    sender: Annotated[str, Field(pattern=ADDRESS)]
    to: dict[str, list[Annotated[str, Field(pattern=ADDRESS)]]] = {}
    """Addresses by reader, as the catalog names readers."""
    owners: dict[str, list[Annotated[str, Field(pattern=ADDRESS)]]] = {}
    """Addresses by owner, as the catalog titles contributors: who is asked to explain a figure."""
    starttls: bool = True
    user: str | None = None
    secret: Variable | None = None
    """The variable that holds the password."""
    authority: str | None = None
    """File with the certificate authority of the server, relative to the site file."""

    @model_validator(mode="after")
    def _no_password_in_the_open(self) -> Self:
        if self.secret and not self.starttls:
            raise ValueError("a password would travel unencrypted; use starttls, or leave it out")
        return self


class Portal(_Part):
    """Where what is published goes: targets by name, with the options each of them takes."""

    targets: dict[str, dict[str, Any]] = {"files": {}}


class Site(_Part):
    """The site file: with whom this installation may speak, and at what cost."""

    hosts: list[Host] = []
    databases: list[Variable] = []
    """Variables that hold the connection string of a database the catalog may query."""
    limits: Limits = Limits()
    mail: Mail | None = None
    webhooks: dict[str, Annotated[str, Field(pattern=r"^https?://")]] = {}
    """Addresses by reader, each of an allowed host, that take alerts as JSON."""
    rounding_key: Variable | None = None
    """The variable that holds the secret by which small counts are rounded when they leave."""
    language: Language = "vi"
    """In which alerts leave, whatever that of the account which sends them."""
    pages: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """The address under which people open the pages; messages link there."""
    send_alerts: bool = False
    """Whether a refresh sends what rang; else `foresight alerts send` does."""
    portal: Portal = Portal()
    copies: int = Field(default=12, ge=1)
    """Raw copies kept of each dataset, the newest first."""
    boundaries: str | None = None
    """GeoJSON file with the outlines of the communes, relative to the site file."""

    def host(self, name: str, port: int, *, usual: bool) -> Host | None:
        """The entry of a host and port; `usual` if the port need not be written."""
        spelled = {f"{name}:{port}", *([name] if usual else [])}
        return next((host for host in self.hosts if host.name in spelled), None)


@dataclass(frozen=True)
class Settings:
    """The folders and files of one installation."""

    home: Path
    """State folder: builds, generated and incoming files. Never committed."""
    catalog: Path
    """The `data_catalog.yaml` in force; paths in it are relative to its folder."""
    site_file: Path | None = None
    """The site file; by default `site.yaml` beside the catalog. It need not be there."""
    people_file: Path | None = None
    """Who is who; by default `people.yaml` beside the catalog. It need not be there."""

    @classmethod
    def read(cls, home: str | None = None, catalog: str | None = None) -> "Settings":
        """Arguments first, then `FORESIGHT_HOME` and `FORESIGHT_CATALOG`, then the defaults."""
        site = os.environ.get("FORESIGHT_SITE")
        people = os.environ.get("FORESIGHT_PEOPLE")
        return cls(
            home=Path(home or os.environ.get("FORESIGHT_HOME", "state")).resolve(),
            catalog=Path(
                catalog or os.environ.get("FORESIGHT_CATALOG", "data_catalog.yaml")
            ).resolve(),
            site_file=Path(site).resolve() if site else None,
            people_file=Path(people).resolve() if people else None,
        )

    @property
    def people(self) -> Path:
        """The people file, which need not be there."""
        return self.people_file or self.catalog.with_name("people.yaml")

    def site(self) -> Site:
        """What the site file allows; without a file, nothing.

        Raises:
            Problems: every error of the file, each a `SiteError`.
            SiteError: a file was named and is not there.
        """
        path = self.site_file or self.catalog.with_name("site.yaml")
        if not path.exists():
            if self.site_file:
                raise SiteError(f"there is no site file {path}", hint="mend FORESIGHT_SITE")
            return Site()
        site = read_as(Site, path, _site_problem)
        hosts = [
            host.model_copy(update={"authority": str(path.parent / host.authority)})
            if host.authority
            else host
            for host in site.hosts
        ]
        mail = site.mail
        if mail and mail.authority:
            mail = mail.model_copy(update={"authority": str(path.parent / mail.authority)})
        drawn = str(path.parent / site.boundaries) if site.boundaries else None
        return site.model_copy(update={"hosts": hosts, "mail": mail, "boundaries": drawn})


def language() -> Language:
    """In which language errors are told: `FORESIGHT_LANG`, else that of the system, else English.

    Raises:
        SiteError: `FORESIGHT_LANG` names another than these.
    """
    wanted = os.environ.get("FORESIGHT_LANG")
    if not wanted:
        system = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        wanted = "vi" if (next(filter(None, system), "")).startswith("vi") else "en"
    found: Language | None = next((known for known in LANGUAGES if known == wanted), None)
    if found is None:
        raise SiteError(f"FORESIGHT_LANG is {wanted!r}", hint="set it to vi or en, or leave it out")
    return found


def scheduler() -> str | None:
    """Where chunks of work are done: `FORESIGHT_SCHEDULER`, as `forecasts.scheduler` reads it."""
    return os.environ.get("FORESIGHT_SCHEDULER") or None


def secret(variable: str) -> str:
    """The value of a variable the site file names.

    Raises:
        MissingSecret: it is not set, or would break a line of a request.
    """
    value = os.environ.get(variable, "")
    if not value or re.search(r"[\x00-\x1f\x7f]", value):
        raise MissingSecret(
            f"the environment variable {variable} is "
            + ("not set" if not value else "not one line of text"),
            hint="set it for the account that runs the refresh; never write its value into a file "
            "of the catalog",
        )
    return value


def _site_problem(problem: str, where: str) -> SiteError:
    return SiteError(problem, where=where, hint="see docs/site-settings.md")


def read_as(model: type[Model], path: Path, problem: Callable[[str, str], ForesightError]) -> Model:
    """A YAML file as what it has to be.

    Raises:
        Problems: all that is wrong with it, each made a `problem` by what is wrong and where. What
            was found there is not repeated: it may be a secret in the wrong place.
    """
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, UnicodeDecodeError):
        found = [("not YAML", path.name)]
    except ValidationError as wrong:
        found = [
            (one["msg"], f"{path.name}: {'.'.join(map(str, one['loc']))}")
            for one in wrong.errors(include_input=False)
        ]
    raise Problems([problem(*one) for one in found])
