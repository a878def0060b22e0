"""How a raw file is found, opened, shaped and mended: `sources`, `read`, `clean`, `corrections`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from etl.catalog.parts import DAY, VARIABLE, Level, Name, Part, Text, one_or_many

Format = Literal["csv", "tsv", "xlsx", "xls", "ods", "json", "parquet", "sql"]


class Source(Part):
    """Where the raw file is: `path` is relative to the catalog, and may hold `*`, or is an address.

    An address (`https://...`) is fetched by a refresh, from hosts that the site file lists.
    """

    title: str = ""
    path: str = ""
    email: str | None = None


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
    brackets: Literal["negative"] | None = None
    """`(1.234)` is a figure below zero; without it brackets make a figure unreadable."""
    dates: Annotated[list[str], BeforeValidator(one_or_many)] = [
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

    level: Annotated[list[Level], BeforeValidator(one_or_many)]
    on: Text | None = None
    """A field that holds a date, or a fixed day; by default the end of the period."""
    within: str | None = None


class Clean(Part):
    """How rows and cells are shaped into the clean table."""

    unpivot: Unpivot | None = None
    fill_down: list[str] = []
    groups: Annotated[list[Groups], BeforeValidator(one_or_many)] = []
    """From the outermost in."""
    totals: Annotated[list[Totals], BeforeValidator(one_or_many)] = []
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
    on: Annotated[str, Field(pattern=DAY)]
    """The day it was decided."""
