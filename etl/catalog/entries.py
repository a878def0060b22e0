"""The whole catalog, with what goes across datasets: rival figures and events."""

import datetime as dt
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, PrivateAttr

from etl.catalog.datasets import Dataset
from etl.catalog.decisions import Alerts, Scenarios, Target, Workload
from etl.catalog.measured import Indicator
from etl.catalog.parts import DAY, Level, Name, OnMap, Part, Place, Text
from etl.catalog.published import Contributor, License, Publication


class Member(Part):
    """One of the rival figures of a concept: what it is of, whose it is, where to quote it."""

    indicator: Name
    denominator: str
    """What it is divided by, or what it counts: the reason for which it differs."""
    denominator_en: str
    owner: str
    """Who sets or publishes it."""
    owner_en: str
    quote: str
    """Where to quote it."""
    quote_en: str


class Concept(Part):
    """One idea of which several figures go about; they are shown side by side."""

    name: Name
    title: str
    title_en: str
    quote: Name
    """The member to quote unless there is a reason for another."""
    members: list[Member] = Field(min_length=2)


class Concerns(OnMap):
    """The series that an event may have changed: all, or those that agree with every list given."""

    datasets: list[Name] = []
    indicators: list[Name] = []
    levels: list[Level] = []
    areas: list[Text] = []
    """Names or codes of areas, as of the day of the event."""
    categories: list[Text] = []


class Event(OnMap):
    """Something that may have changed figures on a known day: a reform, a closure, a new method.

    Whether it did, and by how much, the figures tell.
    """

    name: Name
    title: str
    title_en: str
    description: str | None = None
    """Why figures may differ from then on."""
    description_en: str | None = None
    source: str
    """Where it is written down."""
    date: Annotated[str, Field(pattern=DAY)]
    """The first day on which things are different."""
    end: Annotated[str, Field(pattern=DAY)] | None = None
    """Of a pulse, the last such day; by default it is over with the period in which it began."""
    kind: Literal["level", "pulse"] = "level"
    """A lasting step, or different only for a while: then the figures teach nothing for later."""
    concerns: Concerns = Concerns()
    expect: Literal["up", "down"] | None = None
    """Where the rationale knows the direction; a step the other way is then taken for chance."""
    masked: list[Annotated[str, Field(pattern=r"^\d{4}-\d\d$")]] = []
    """Months of transition, `2025-07`, from which nothing is learned."""

    @property
    def day(self) -> dt.date:
        """The first day on which things are different."""
        return dt.date.fromisoformat(self.date)

    @property
    def last(self) -> dt.date | None:
        """The last such day, where one is given."""
        return dt.date.fromisoformat(self.end) if self.end else None

    @property
    def codes(self) -> frozenset[str] | None:
        """Codes of the areas it concerns; None where it is all of them.

        Raises:
            UnknownArea: a name means nothing on that day.
            AmbiguousArea: it means several areas.
        """
        levels, names = self.concerns.levels, self.concerns.areas
        if not levels and not names:
            return None
        every = self.map.areas
        of_level = every.filter(pl.col("level").is_in(levels)) if levels else every
        codes = frozenset(of_level["code"])
        named = frozenset(self.map.resolve(name, self.day).code for name in names)
        return codes & named if names else codes


class Catalog(OnMap):
    """`data_catalog.yaml`, checked."""

    profile: Literal["cantho-foresight/1"]
    name: str
    title: str
    title_en: str
    description: str | None = None
    description_en: str | None = None
    version: Text = "1"
    licenses: list[License] = []
    contributors: list[Contributor] = []
    geography: str | None = None
    """Folder with the map of another city, relative to the catalog; see docs/boundaries.md."""
    resources: list[Dataset]
    concepts: list[Concept] = []
    events: list[Event] = []
    targets: list[Target] = []
    demo_targets: list[Target] = []
    """Targets nobody set, on simulated indicators: they show how targets are judged where the real
    figures are too few. Shown apart, labelled, and never published."""
    scenarios: Scenarios | None = None
    alerts: Alerts = Alerts()
    workload: Workload | None = None
    publications: list[Publication] = []

    _where: Callable[[Place], str] | None = PrivateAttr(default=None)

    def where(self, place: Place) -> str:
        """The place as people look for it: file, line and names, where it was read from a file."""
        return self._where(place) if self._where else ".".join(map(str, place))

    @cached_property
    def datasets(self) -> dict[str, Dataset]:
        """Datasets by name, in the catalog's order."""
        return {dataset.name: dataset for dataset in self.resources}

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """Every indicator by name."""
        return {i.name: i for dataset in self.resources for i in dataset.described}

    @property
    def all_targets(self) -> list[Target]:
        """Those that somebody set, then those of the demo."""
        return [*self.targets, *self.demo_targets]

    @cached_property
    def owner(self) -> dict[str, str]:
        """Name of the dataset that describes each indicator."""
        return {i.name: dataset.name for dataset in self.resources for i in dataset.described}

    @cached_property
    def minutes(self) -> dict[str, float]:
        """Minutes of work a dossier of each field takes; empty where nobody declared any."""
        return {one.category: one.minutes for one in self.workload.minutes} if self.workload else {}

    def events_of(
        self, indicator: str, area: str | None = None, category: str | None = None
    ) -> list[Event]:
        """Events that may have changed this indicator, oldest first.

        `area` is a code; without it, or a category, events of any area or category are among them.
        """
        given = {name for name, dataset in self.datasets.items() if indicator in dataset.delivered}
        found = []
        for event in self.events:
            only = event.concerns
            codes = event.codes if area is not None else None
            if (
                (not only.datasets or given & set(only.datasets))
                and (not only.indicators or indicator in only.indicators)
                and (codes is None or area in codes)
                and (not only.categories or category is None or category in only.categories)
            ):
                found.append(event)
        return sorted(found, key=lambda event: event.date)

    def license_of(self, dataset: Dataset | Publication) -> License | None:
        """The dataset's licence, or the package's."""
        found = dataset.licenses or self.licenses
        return found[0] if found else None

    def publisher_of(self, dataset: Dataset | Publication) -> Contributor | None:
        """Who publishes the dataset, or the package's publisher."""
        everyone = [*dataset.contributors, *self.contributors]
        return next((who for who in everyone if "publisher" in who.roles), None)
