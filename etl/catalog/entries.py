"""What the blocks of the catalog are: closed, frozen, checked when made.

Fields with these names have the meaning of the observation's column of that name, without being
told so: `area, period, category, value, status, as_of, source, source_url, note`, and `indicator`
in long tables.
"""

import datetime as dt
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import polars as pl
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    model_validator,
)

from etl.geography import REFERENCE, Geography, load_geography
from etl.periods import Period

Place = tuple[str | int, ...]
"""Keys and numbers that lead to a node of the catalog."""
DAY = r"^\d{4}-\d\d-\d\d$"
VARIABLE = re.compile(r"^[A-Z][A-Z0-9_]+$")
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Level = Literal["nation", "city", "former_province", "district", "commune"]
Frequency = Literal["day", "week", "month", "quarter", "year"]
Grain = Literal["nation", "city", "city*category", "former_province", "commune", "commune*category"]
Format = Literal["csv", "tsv", "xlsx", "xls", "ods", "json", "parquet", "sql"]
Status = Literal["estimate", "preliminary", "final", "plan"]
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
Topic = Literal[
    "economy",
    "industry",
    "trade",
    "prices",
    "tourism",
    "budget",
    "investment",
    "enterprise",
    "agriculture",
    "society",
    "population",
    "health",
    "education",
    "transport",
    "reform",
    "workload",
    "environment",
]


def _one_or_many(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


def _as_text(value: Any) -> Any:
    """Years and numbers need no quotes where text is meant."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class Part(BaseModel):
    """A block of the catalog: closed, frozen, checked when made."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class OnMap(Part):
    """A block whose names of places are read on one map: that of the catalog's `geography`."""

    _map: Path = PrivateAttr(default=REFERENCE)

    def model_post_init(self, context: Any, /) -> None:
        """Take the folder of the map from the context: it is beside the catalog, not in it."""
        self._map = (context or {}).get("map", REFERENCE)

    @property
    def map(self) -> Geography:
        """The areas of every time, and how the former ones lie within today's."""
        return load_geography(self._map)


class Source(Part):
    """Where the raw file is: `path` is relative to the catalog, and may hold `*`, or is an address.

    An address (`https://...`) is fetched by a refresh, from hosts that the site file lists.
    """

    title: str = ""
    path: str = ""
    email: str | None = None


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


class Constraints(Part):
    """Table Schema constraints."""

    required: bool = False
    unique: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    enum: list[Text] | None = None
    pattern: str | None = None
    min_length: int | None = Field(default=None, alias="minLength")
    max_length: int | None = Field(default=None, alias="maxLength")


class Category(Part):
    """One allowed value: `value` in the clean table, `label` as departments write it."""

    value: Text
    label: str
    label_en: str | None = None
    spellings: list[str] = []


class FieldEntry(Part):
    """One column of the clean table."""

    name: Name
    type: Literal["string", "integer", "number", "boolean", "date", "year", "yearmonth"] = "string"
    title: str | None = None
    title_en: str | None = None
    description: str | None = None
    constraints: Constraints = Constraints()
    categories: Annotated[list[Category], BeforeValidator(lambda v: _plain_categories(v))] = []
    from_: Annotated[list[str], BeforeValidator(_one_or_many)] = Field(default=[], alias="from")
    unit: str | None = None
    sensitive: bool = False

    @property
    def spellings(self) -> list[str]:
        """Headers under which the column is found in a file; its own name if none are given."""
        return self.from_ or [self.name]


def _plain_categories(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [v if isinstance(v, dict) else {"value": v, "label": str(v)} for v in value]


class Schema(Part):
    """The clean table."""

    fields: list[FieldEntry]
    primary_key: Annotated[list[Name], BeforeValidator(_one_or_many)] = Field(
        default=[], alias="primaryKey"
    )


class Header(Part):
    """Where the header is: `rows` rows in all, of which one holds the cell `find`."""

    find: str
    """The text of the cell, or `^` and a regular expression, where case does not matter."""
    rows: int = Field(default=1, ge=1, le=8)
    at: int = Field(default=1, ge=1, le=8)
    """Which of the rows holds `find`, from 1."""


class Ckan(Part):
    """What to fetch from the CKAN portal at `sources[0].path`: a file, or a table page by page."""

    resource: str | None = Field(default=None, pattern=r"^[\w-]{1,100}$")
    """Identifier of a resource with a file; the portal says where the file is."""
    datastore: str | None = Field(default=None, pattern=r"^[\w-]{1,100}$")
    """Identifier of a resource whose rows the portal keeps as a table."""
    page_size: int = Field(default=32_000, ge=1, le=32_000)


class Read(Part):
    """How the raw file is opened. Nothing here is guessed: the dialect is pinned."""

    format: Format | None = None
    """By default the ending of the path."""
    encoding: Literal["utf-8", "utf-16", "windows-1258", "tcvn3", "vni", "auto"] = "utf-8"
    """How the bytes of delimited text are written; `auto`: its mark, UTF-8, or the words in it."""
    text: Literal["auto", "unicode", "tcvn3", "vni", "windows-1258"] = "auto"
    """What characters in a Unicode file stand for; `auto`: by the words in each column."""
    delimiter: str | None = None
    """Between the cells of a line: by default a comma, in tsv a tab."""
    quote: str = '"'
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " "] = ""
    dates: Annotated[list[str], BeforeValidator(_one_or_many)] = [
        "%Y-%m-%d",
        "%d/%m/%Y",
        "%Y-%m-%d %H:%M:%S",
        "%H:%M %d/%m/%Y",
        "%d/%m/%Y %H:%M",
    ]
    missing: list[str] = ["", "-", "–", "..", "...", "…", "x", "na", "NA", "N/A"]
    sheet: str | None = None
    """Name of the sheet, or `^` and a regular expression; every sheet that matches is read."""
    records: str | None = None
    """Key of a json object that holds the list of records; without it the file is that list."""
    ckan: Ckan | None = None
    """The source is a CKAN portal, and this is the resource."""
    query: str | None = None
    """For format sql: one select with an order by."""
    database: str | None = Field(default=None, json_schema_extra={"pattern": VARIABLE.pattern})
    """For format sql: the variable that holds the connection; else the path is an SQLite file."""
    header: Header | None = None
    stop_at: str | None = None
    """Regular expression on the first filled cell of a row: from there on, footnotes."""
    drop_rows: str | None = None
    """Regular expression on any cell among the first three filled: totals, column numbers."""
    keep_rows: str | None = None
    """The same, of the only records that are wanted; the others are counted and not loaded."""
    tables: Literal["first", "all"] = "first"
    """Whether the header stands once, or over each of several tables below one another."""
    unit: str | None = None
    """Regular expression on the cell above the table that names the unit of its figures."""
    caption: str | None = None
    """Regular expression on a cell above the table, or else on the name of the sheet or the file;
    its named groups become columns: `(?P<year>20\\d\\d)` is `$year`."""
    simulated_by: Literal["dossiers", "staff", "contacts"] | None = None
    """Its files are made by a simulation; every figure made from them is marked as simulated."""


class Unpivot(Part):
    """Columns that are values of a variable. Named groups of `columns` become columns."""

    columns: str
    into: Name


class Groups(Part):
    """Rows that name the group of the records below them: "I  Sở, ban, ngành"."""

    match: str | None = None
    """Regular expression on the words of the row, where case does not matter; what stands behind
    the match is the name. By default rows without figures, or numbered I, II or A, B."""
    into: str = "group"
    """The column in which each record has the name of its group."""


class Totals(Part):
    """Rows that add up others: left out, computed again and compared, see `stated_total`."""

    match: str = (
        r"^(tổng số|tổng cộng|toàn (tỉnh|thành phố|quốc|ngành)|cả nước|total)(\PL|$)"
        r"|^(tổng|cộng)\PL*$"
    )
    """Regular expression on the words of the row, where case does not matter."""
    of: Literal["records", "group"] = "records"
    """What they add up: all records of the table, or those of the group in which they stand."""
    keep: bool = False
    """Whether the row is a record as well: the whole city among its communes."""


class AreaReading(Part):
    """How names of places are read: at which levels, and as of which day."""

    level: Annotated[list[Level], BeforeValidator(_one_or_many)]
    on: Text | None = None
    """A field that holds a date, or a fixed day; by default the end of the period."""
    within: str | None = None


class Clean(Part):
    """How rows and cells are shaped into the clean table."""

    unpivot: Unpivot | None = None
    fill_down: list[str] = []
    groups: Annotated[list[Groups], BeforeValidator(_one_or_many)] = []
    """From the outermost in."""
    totals: Annotated[list[Totals], BeforeValidator(_one_or_many)] = []
    compose: dict[str, str] = {}
    """Columns put together from others, `{period: "{month}/{$year}"}`; missing where a part is."""
    constant: dict[str, Text] = {}
    areas: AreaReading | None = None
    period: Literal["as_written", "year", "year_to_date"] = "as_written"
    """What a value speaks of: the period written, its year, or from January to its end."""
    absent: Literal["missing", "zero"] = "missing"
    """What a commune, category and day without a row is: not reported, or 0 in a list of what was
    counted."""
    max_rejected: float = Field(default=0.05, ge=0, le=1)
    """Share of rejected records above which the load is refused."""


class Rule(Part):
    """What every row must satisfy; it holds where it cannot be told for missing values.

    `check: a <= b` relates two fields, or one and a value. `sql` is an expression that is true or
    false; which may stand there, `etl.expressions` says.
    """

    name: Name
    check: (
        Annotated[str, Field(pattern=r"^\w+ (<=|>=|<|>|=|!=) (\w+|-?[\d.]+|'[^']*')$")] | None
    ) = None
    sql: Annotated[str, Field(max_length=1000)] | None = None
    title: str | None = None
    title_en: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.check is None) == (self.sql is None):
            raise ValueError("a rule needs either check or sql")
        return self


class Correction(Part):
    """A known error of a source, mended on the way in: one cell of one record.

    `where` finds the record by the texts of its fields, as they stand in the file; `expect` is what
    stands in `field` there, and `correct` what is read instead. An empty text is an empty cell. The
    load fails when the record says anything else than `expect`, or is not found exactly once.
    """

    where: dict[Name, Text] = Field(min_length=1)
    field: Name
    expect: Text
    correct: Text
    reason: str
    """Why it is wrong, and where the right figure stands."""
    by: str
    """Who decided."""
    on: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    """The day it was decided."""


class Condition(Part):
    """A comparison of a field with a value or another field."""

    at_most: Name | None = None
    after: Name | None = None


class Measure(Part):
    """A daily or monthly figure counted from rows.

    `count: received` counts rows on the day of `received`; `stock: {from: received, until:
    finished}` counts, at the end of each month, rows that have come and not gone. `where` narrows.
    """

    name: Name
    count: Name | None = None
    stock: "Stock | None" = None
    where: dict[Name, "Text | Condition"] = {}


class Stock(Part):
    """Rows open at a day's end: `from` (or the day after `after`) has come, `until` not yet."""

    from_: Name | None = Field(default=None, alias="from")
    after: Name | None = None
    until: Name


class Table(Part):
    """Measures of a case-level dataset, by area and category."""

    name: Name
    by: list[Literal["area", "category"]] = ["area"]
    measures: list[Measure]


WAYS = {"ratio": None, "share": "of", "growth": "over", "per_head": "population"}
"""Ways to compute an indicator, and the word that each needs beside it."""


class Compute(Part):
    """How an indicator follows from others: one of `ratio`, `share`, `growth`, `per_head`.

    `{ratio: [a, b], scale: 10}` divides; `{share: a, of: b}` divides and is in percent; `{growth:
    a, over: year}` is the change in percent over the same period a year before, or over the
    `previous` period; `{per_head: a, population: b}` divides by the population of the same calendar
    year. Areas, categories and days are added up first, the division comes last.
    """

    ratio: tuple[Name, Name] | None = None
    share: Name | None = None
    of: Name | None = None
    growth: Name | None = None
    over: Literal["year", "previous"] | None = None
    per_head: Name | None = None
    population: Name | None = None
    scale: float | None = Field(default=None, gt=0)
    """What the quotient is multiplied by: 100 in a share or growth, else 1, unless told."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [way for way in WAYS if getattr(self, way) is not None]
        if len(given) != 1:
            raise ValueError("say one of ratio, share, growth, per_head")
        beside = [word for word in WAYS.values() if word and getattr(self, word) is not None]
        needed = WAYS[given[0]]
        if beside != ([needed] if needed else []):
            told = f"goes with {needed!r}, and with nothing else" if needed else "stands alone"
            raise ValueError(f"{given[0]!r} {told}")
        return self

    @property
    def way(self) -> str:
        """One of `WAYS`."""
        return next(way for way in WAYS if getattr(self, way) is not None)

    @property
    def numerator(self) -> str:
        """The indicator above the line; of a growth, the one that grows."""
        return self.ratio[0] if self.ratio else str(getattr(self, self.way))

    @property
    def denominator(self) -> str | None:
        """The indicator below the line; none of a growth, which is divided by its own past."""
        return self.ratio[1] if self.ratio else self.of or self.population

    @property
    def inputs(self) -> list[str]:
        """The indicators it follows from."""
        return [name for name in (self.numerator, self.denominator) if name]

    @property
    def factor(self) -> float:
        """What the quotient is multiplied by."""
        return self.scale or (100.0 if self.way in ("share", "growth") else 1.0)


class Indicator(Part):
    """What is measured. Described once, in the dataset that owns it."""

    name: Name
    title: str
    title_en: str
    unit: str = ""
    unit_en: str | None = None
    description: str | None = None
    description_en: str | None = None
    value: Name = "value"
    """Field or measure that holds it."""
    where: dict[Name, Text] = {}
    """Only rows with these values; in a long table by default `{indicator: <name>}`."""
    aggregate: Literal["sum", "last", "rate"] = "sum"
    """How it adds up over time; what is computed is a rate, without being told so."""
    better: Literal["up", "down", "none"] = "none"
    decimals: int = 0
    compute: Compute | None = None
    topic: Topic | None = None

    @model_validator(mode="before")
    @classmethod
    def _computed_is_a_rate(cls, content: Any) -> Any:
        computed = isinstance(content, dict) and content.get("compute")
        return {"aggregate": "rate", **content} if computed else content

    @property
    def numerator(self) -> str | None:
        """Where it is computed, the indicator above the line."""
        return self.compute.numerator if self.compute else None

    @property
    def denominator(self) -> str | None:
        """Where it is a quotient of two, the indicator below the line."""
        return self.compute.denominator if self.compute else None

    @property
    def scale(self) -> float:
        """What the quotient is multiplied by."""
        return self.compute.factor if self.compute else 1.0


IndicatorEntry = Annotated[
    Annotated[Indicator, Tag("described")] | Annotated[Name, Tag("named")],
    Discriminator(lambda entry: "named" if isinstance(entry, str) else "described"),
]
"""Described here, or only named because another dataset describes it."""


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
    forecast: Annotated[list[ForecastEntry], BeforeValidator(_one_or_many)] = []
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


Plan = Literal[
    "congress",
    "national_assembly",
    "government",
    "prime_minister",
    "council",
    "committee",
    "revised",
    "demo",
]
"""Who set a value: a party congress, a body of the state; `revised` where a later one moved it;
`demo` where nobody did, in `demo_targets` alone."""


class Baseline(Part):
    """One value of a target, as one document sets it."""

    plan: Plan
    value: float
    """In the unit of the target; percent a year where it is a growth."""
    document: str
    document_en: str | None = None
    path: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """Where it can be read."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None
    """The day of the document, or on which it was reported; missing where that is not known."""
    note: str | None = None
    note_en: str | None = None


class BodiesPublishing(Part):
    """The share of these bodies that publish a dataset of this catalog, in percent."""

    named: list[str] = []
    level: Level | None = None
    """And the authority of every area of this level that exists today."""


class Target(Part):
    """What is to be reached, and by when; see docs/targets.md."""

    name: Name
    title: str
    title_en: str
    indicator: Name | None = None
    """Without one nobody reports it yet, and it cannot be judged."""
    unit: str = ""
    """Only where there is no indicator, which has a unit of its own."""
    unit_en: str | None = None
    area: Text | None = None
    """Code of the area; by default the city."""
    category: Text = "total"
    by: Text
    """The period in which it is to be reached, as people write it: 2030, 2026-2030, 12/2026."""
    measure: Literal["level", "growth", "share", "cumulative", "computed"] = "level"
    """`growth` is percent a year: the change of the indicator from `since` to the end of `by`, or,
    of an indicator that is itself a growth in percent, its mean over the years of `by`.
    `cumulative` is what has come together from January to the end of the year."""
    since: Text | None = None
    """The year a growth starts from; by default the one before `by`."""
    direction: Literal["at_least", "at_most"] = "at_least"
    owner: str
    owner_en: str | None = None
    baselines: list[Baseline] = Field(min_length=1)
    quote: Plan | None = None
    """The baseline to judge by; the first one, unless told."""
    self_reported: bool = False
    """Whether those who have to reach it are the only ones who say how far they are."""
    publishing: BodiesPublishing | None = None
    """Where it is computed: from who publishes here."""
    shapes: Text | None = None
    """Code of an area whose past years tell how a year goes, where its own are too few."""
    real: Name | None = None
    """The target for the real growth of the same thing: what is left over is the rise in prices."""
    note: str | None = None
    note_en: str | None = None

    @property
    def period(self) -> Period:
        """`by`, read. Raises `UnreadablePeriod`."""
        return Period.parse(self.by)

    @property
    def quoted(self) -> Baseline:
        """The baseline to judge by."""
        return next((b for b in self.baselines if b.plan == self.quote), self.baselines[0])


class Effect(Part):
    """What moving a lever does, if an assumption holds; see docs/scenarios.md.

    `received`, `staff_hours` and `indicator` are multiplied by the ratio of the driver to the power
    of `estimate`; of a lever in points an indicator gains `estimate` points for each. `minutes` of
    work a dossier fall by the share `estimate` of the points. `moved` brings a share of `estimate`
    dossiers a month of the whole city to the communes.
    """

    on: Literal["received", "staff_hours", "minutes", "indicator", "moved"]
    indicator: Name | None = None
    """Which one, where `on` is an indicator."""
    categories: list[Name] = []
    """Fields it acts on; all, unless told."""
    estimate: float = 1.0
    lower: float | None = None
    """Lower end of its 80 % interval; without both ends it is taken as certain."""
    upper: float | None = None
    evidence: Literal["definition", "assumption", "source", "across_communes"] = "assumption"
    """`across_communes`: estimated from communes of different size, pooled by field; the numbers
    here stand in where that cannot be done."""
    source: str | None = None
    """Where it is written down."""
    rationale: str
    rationale_en: str


class Lever(Part):
    """Something that may be asked for in a what-if, and how far; 0 always changes nothing."""

    name: Name
    title: str
    title_en: str
    kind: Literal["percent", "points", "days", "share"]
    """Percent of what it is, points of a share, working days a month, or a share of what may move.
    """
    minimum: float
    maximum: float
    step: Annotated[float, Field(gt=0)] = 1.0
    effects: list[Effect] = Field(min_length=1)


class Scenarios(Part):
    """Which levers may be moved, and of which monthly counts of dossiers."""

    indicator: Name
    levers: list[Lever] = Field(min_length=1)

    def lever(self, name: str) -> Lever | None:
        """The lever of that name."""
        return next((lever for lever in self.levers if lever.name == name), None)


AlertRule = Literal[
    "band", "limit", "backlog", "rising", "break", "trend", "late", "drift", "classifier"
]


class Limit(Part):
    """A value that a forecast had better not cross."""

    name: Name
    title: str
    title_en: str
    indicator: Name
    area: Text | None = None
    """Code of the area; by default the city."""
    category: Text = "total"
    frequency: Frequency = "month"
    above: float | None = None
    below: float | None = None
    """In the unit of the indicator; one of the two."""
    within: int = Field(default=3, ge=1)
    """Periods ahead that are looked at."""
    chance: float = Field(default=0.8, gt=0, lt=1)
    """Share of the forecast's paths that must cross it for an alert."""

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("a limit is either above or below")
        return self


class AlertReader(Part):
    """Someone who is told of alerts, and of how many in a week."""

    name: Name
    title: str
    title_en: str | None = None
    budget: int = Field(default=5, ge=0)
    """Alerts a week; the rest is listed behind."""
    rules: list[AlertRule] = []
    """All, where none are named."""
    levels: list[Level] = []
    """All, where none are named."""


class Alerts(Part):
    """What early warning looks for, and who is told; see docs/alerts.md. It works without."""

    false_rate: float = Field(default=0.1, gt=0, le=0.5)
    """Share of the alerts of one look that may be false."""
    off: list[AlertRule] = []
    limits: list[Limit] = []
    readers: list[AlertReader] = [
        AlertReader(name="leaders", title="Lãnh đạo thành phố", title_en="City leaders")
    ]


class Minutes(Part):
    """How long a dossier of a field keeps one person of the office, hands on."""

    category: Text
    minutes: float = Field(gt=0, le=10_080)
    source: str
    """Who measured or decided it; `assumption` where nobody did."""


class Workload(Part):
    """From dossiers to the hours of those who handle them; see docs/workload.md."""

    cases: Name
    """The dataset of which a row is a dossier: area, category, received, due, finished."""
    received: Name
    """The indicator that counts those received, with a forecast by commune and category."""
    staff: Name
    """The indicator of the people at the office of each commune."""
    pending: Name | None = None
    """The indicator of dossiers pending at the end of a month: what-ifs of the queue reach it."""
    overdue: Name | None = None
    """That of those overdue."""
    on_time: Name | None = None
    """That of the share resolved on time, in percent."""
    hours: float = Field(gt=0, le=24)
    """Hours of a working day."""
    on_dossiers: float = Field(gt=0, le=1)
    """The share of them that is there for dossiers."""
    source: str
    """Who says so of the hours and the share; `assumption` where nobody does."""
    minutes: list[Minutes] = Field(min_length=1)


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

    _where: "Callable[[Place], str] | None" = PrivateAttr(default=None)

    def where(self, place: "Place") -> str:
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


Measure.model_rebuild()
