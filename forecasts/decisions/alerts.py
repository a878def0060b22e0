"""Early warning: what rings, in which order, and how much of it reaches a reader in a week.

A rule looks at all series at once and rings for those that the chance of so many looks does not
explain. One outcome rings once, by the first rule that finds it; simulated series test the software
and are kept apart in every look. Only rules that were replayed on history ring
(`forecasts.decisions.alert_replay`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

Rule = Literal[
    "band", "limit", "backlog", "rising", "break", "trend", "late", "drift", "classifier"
]
RULES: tuple[Rule, ...] = get_args(Rule)
"""In this order: of several that ring for one outcome, the first counts."""
OF_DATASETS: tuple[Rule, ...] = ("late", "classifier")
"""Rules whose subject is a dataset."""


@dataclass(frozen=True)
class Alert:
    """One thing to look at, with its figure as it stood when it rang."""

    rule: Rule
    simulated: bool
    subject: str
    """Name of the indicator; of `OF_DATASETS`, of the dataset."""
    area: str
    level: str
    category: str
    frequency: str
    period: date
    period_end: date
    since: date
    """The first day of what it speaks of."""
    surprise: float
    """Rising with the urgency within a rule, on the scale of a normal deviate."""
    value: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None
    chance: float | None = None
    """0 to 1, that a limit will be crossed."""
    bound: float | None = None
    """The limit it crosses."""
    false_rate: float | None = None
    """Share of the alerts of a look that is false, at most; of drift, the chance of a false one."""
    looked_at: int = 0
    """Series that the rule looked at together."""
    detail: str | None = None
    """Name of the limit; kind of the drift; of a classifier kind, topic and version."""

    @property
    def series(self) -> tuple[str, ...]:
        """What it is about, whatever the period."""
        return (self.subject, self.area, self.level, self.category, self.frequency)

    @property
    def outcome(self) -> tuple[str, ...]:
        """What may ring once only."""
        named = self.detail if self.rule in ("limit", "drift", "classifier") else None
        return (*self.series, self.period.isoformat(), *([named] if named else []))

    @property
    def key(self) -> str:
        """Names the alert for good: `band:applications_received:31117:land:month:2026-10-01`."""
        subject, area, _, category, frequency = self.series
        parts = (self.rule, subject, area, category, frequency, self.period.isoformat())
        return ":".join([*parts, *([self.detail] if self.detail else [])])


@dataclass(frozen=True)
class Looked:
    """One look of one rule at series that are all real or all simulated."""

    rule: Rule
    simulated: bool
    looked_at: int
    alerts: tuple[Alert, ...]


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """Greatest surprise first; what is equal in the order of the rules, then by name."""
    return sorted(alerts, key=lambda one: (-one.surprise, RULES.index(one.rule), one.key))


def once(alerts: Iterable[Alert], known: Iterable[Alert] = ()) -> list[Alert]:
    """Those that tell of an outcome nobody was told of, each once, in the order of the rules."""
    told = {one.outcome for one in known}
    fresh = []
    for one in sorted(alerts, key=lambda alert: RULES.index(alert.rule)):
        if one.outcome not in told:
            told.add(one.outcome)
            fresh.append(one)
    return fresh


def within(alerts: Iterable[Alert], budget: int, spent: int = 0) -> tuple[list[Alert], list[Alert]]:
    """The alerts of a week that a reader is shown, worst first, and those listed behind.

    `spent` is how many of the week's budget have been told already.
    """
    ordered = worst_first(alerts)
    left = max(budget - spent, 0)
    return ordered[:left], ordered[left:]
