"""What decisions rest on: `targets`, `scenarios`, `alerts` and `workload`."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from etl.catalog.parts import DAY, Frequency, Level, Name, Part, Text
from etl.periods import Period

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
    date: Annotated[str, Field(pattern=DAY)] | None = None
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
