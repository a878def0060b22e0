"""One resource of the catalog, with what is forecast, shown and handed in of it."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field

from etl.catalog.fields import FieldEntry, Rule, Schema
from etl.catalog.files import Clean, Correction, Read, Source
from etl.catalog.measured import Indicator, IndicatorEntry, Table
from etl.catalog.parts import Frequency, Grain, Name, OnMap, Part, Text, Topic, one_or_many
from etl.catalog.published import Contributor, License, Publish
from etl.geography import REFERENCE


class ForecastEntry(Part):
    """What is forecast: which indicators, at which grains, how far ahead."""

    indicators: list[Name] = []
    frequency: Frequency
    horizon: int = Field(gt=0, le=366)
    grains: list[Grain]
    calendar: Literal["tet"] | None = None


class Present(Part):
    """How the dashboard shows it."""

    topic: Topic = "economy"
    headline: list[Name] = []
    """Indicators that may enter the first screen, in this order."""


class Handin(Part):
    """What a department hands in as a file a period, and by when; see docs/handin.md."""

    frequency: Frequency
    within: int | None = Field(default=None, ge=0, le=800)
    """Days after the end of a period by which its file is due; by default as long as a figure of
    that frequency may grow old."""
    since: Text | None = None
    """The first period that is asked for; by default the one after the last that is loaded."""
    remind: list[Annotated[int, Field(ge=0, le=90)]] = [7, 1]
    """Days before the due day on which the department is reminded."""


class Dataset(OnMap):
    """One resource of the catalog."""

    name: Name
    title: str
    title_en: str | None = None
    description: str | None = None
    description_en: str | None = None
    sources: list[Source] = Field(min_length=1)
    contributors: list[Contributor] = []
    licenses: list[License] = []
    version: Text | None = None
    schema_: Schema = Field(alias="schema")
    read: Read = Read()
    clean: Clean = Clean()
    rules: list[Rule] = []
    corrections: list[Correction] = []
    tables: list[Table] = []
    indicators: list[IndicatorEntry] = []
    forecast: Annotated[list[ForecastEntry], BeforeValidator(one_or_many)] = []
    present: Present = Present()
    publish: Publish | None = None
    handin: Handin | None = None

    @property
    def path(self) -> str:
        """The raw file or pattern of files."""
        return self.sources[0].path

    @property
    def format(self) -> str:
        """One of `Format`: as declared, or by the ending of the path; a datastore is json."""
        ckan = self.read.ckan
        if ckan and ckan.datastore:
            return "json"
        path = urlsplit(self.path).path if self.address else self.path
        return self.read.format or PurePosixPath(path).suffix.lstrip(".").lower()

    @property
    def address(self) -> str | None:
        """Where on the net the source is: a resource, or the portal that holds it."""
        return self.path if re.match(r"https?://", self.path, re.IGNORECASE) else None

    @property
    def fetched(self) -> bool:
        """Whether a refresh fetches a copy of the source before it can be read."""
        return self.address is not None or self.read.database is not None

    @property
    def delimiter(self) -> str:
        """What stands between the cells of a line of delimited text."""
        return self.read.delimiter or ("\t" if self.format == "tsv" else ",")

    @property
    def shaped(self) -> bool:
        """Whether its rows are more than a header and records, and must be looked at one by one."""
        read, clean, header = self.read, self.clean, self.read.header
        asked = (read.unit, read.caption, read.stop_at, read.drop_rows, read.keep_rows)
        made = (clean.unpivot, clean.fill_down, clean.groups, clean.totals, clean.compose)
        stacked = header is not None and (header.rows > 1 or header.find.startswith("^"))
        return stacked or read.tables == "all" or any(asked) or any(made)

    @property
    def simulated(self) -> bool:
        """Whether its files are made by a simulation."""
        return self.read.simulated_by is not None

    @property
    def case_level(self) -> bool:
        """Whether a row is one case, kept in a table of its own, and only counted."""
        return bool(self.tables)

    @property
    def complete(self) -> bool:
        """Whether what its files leave out within the days they cover is 0, and not unreported."""
        return self.case_level or self.clean.absent == "zero"

    @property
    def described(self) -> list[Indicator]:
        """Indicators described here."""
        return [entry for entry in self.indicators if isinstance(entry, Indicator)]

    @property
    def delivered(self) -> list[str]:
        """Names of all indicators it delivers, described here or elsewhere."""
        return [e.name if isinstance(e, Indicator) else e for e in self.indicators]

    def field(self, name: str) -> FieldEntry | None:
        """The field of that name."""
        return next((field for field in self.schema_.fields if field.name == name), None)

    @property
    def words(self) -> list[str]:
        """Vietnamese that is expected in its files: headers, labels of categories, places."""
        headers = [word for field in self.schema_.fields for word in field.spellings]
        labels = [c.label for field in self.schema_.fields for c in field.categories]
        # Names of the map that comes with the program are known to whoever asks for these.
        places = [] if self._map == REFERENCE else self.map.areas["name"].unique().to_list()
        found = [self.read.header.find] if self.read.header else []
        return [*headers, *labels, *found, *(name for name in places if " " in name)]

    def english_title(self) -> str:
        """English title, or the Vietnamese one where there is none."""
        return self.title_en or self.title
