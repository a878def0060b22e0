"""Who answers for data, under which licence, and what of it leaves: `publish`, `publications`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from etl.catalog.parts import Name, Part

Theme = Literal[
    "AGRI",
    "ECON",
    "EDUC",
    "ENER",
    "ENVI",
    "GOVE",
    "HEAL",
    "INTR",
    "JUST",
    "REGI",
    "SOCI",
    "TECH",
    "TRAN",
]


class Contributor(Part):
    """Who answers for the data."""

    title: str
    title_en: str | None = None
    roles: list[Literal["publisher", "creator", "contributor"]] = ["publisher"]
    email: str | None = None
    path: str | None = None


class License(Part):
    """A licence from a closed list."""

    name: Literal["CC-BY-4.0", "CC0-1.0", "ODC-BY-1.0", "internal"]
    title: str | None = None
    path: str | None = None


class Exempt(Part):
    """A column in which one kind of finding is no secret: the telephone of an office.

    So is a number below the city that tells nothing of people, and whose unit cannot say so: a
    score, an index. Identity numbers of people cannot be exempt.
    """

    field: Name
    """A column, or an indicator of a long table."""
    found: Literal[
        "phone_number",
        "email",
        "personal_name",
        "address",
        "free_text",
        "count_without_unit",
        "unit_not_listed",
        "rate_without_its_counts",
    ]
    reason: str
    """Why it may leave; it is published with the data."""
    reason_en: str | None = None


class Withdrawn(Part):
    """A published version whose files are taken back; its page stays and says why."""

    version: Annotated[str, Field(pattern=r"^[0-9a-z][0-9a-z-]{0,79}$")]
    reason: str
    reason_en: str | None = None


class Publish(Part):
    """What leaves the house. No `publish`, no publication."""

    theme: Theme
    frequency: Literal["DAILY", "MONTHLY", "QUARTERLY", "ANNUAL", "IRREG"]
    keywords: list[str] = []
    protect: Literal["rounding", "none"] | None = None
    """What is done with counts of people and cases; by default they are rounded where any of them
    are of a district or commune, see docs/privacy.md."""
    reason: str | None = None
    """Why nothing need be done, where `protect` is none: it is published with the data."""
    reason_en: str | None = None
    exempt: list[Exempt] = []
    withdrawn: list[Withdrawn] = []
    """Versions that are taken back."""

    @model_validator(mode="after")
    def _none_has_a_reason(self) -> Self:
        if (self.protect == "none") != bool(self.reason):
            raise ValueError("`protect: none` and `reason` go together")
        return self


class Publication(Part):
    """What is published although no file delivers it: forecasts as issued, or the targets.

    Only indicators of datasets that are published themselves are in it, and nothing simulated.
    """

    name: Name
    of: Literal["forecasts", "targets"]
    title: str
    title_en: str | None = None
    description: str | None = None
    description_en: str | None = None
    indicators: list[Name] = []
    """All that may leave, where none are named."""
    contributors: list[Contributor] = []
    licenses: list[License] = []
    publish: Publish
