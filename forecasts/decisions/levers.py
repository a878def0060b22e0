"""Levers moved: values within their range, and what they do along each sample path.

An effect is the ratio of a driver to the power of an elasticity, which is drawn anew for each path
from its interval; the draws depend on the lever's name alone, so that neither the order of levers
nor other levers change them. Factors are multiplied, additions are summed before, so that levers
may be given in any order. A lever at 0 changes nothing, to the last bit.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zlib import crc32

import numpy as np

from etl.calendars import working_days
from etl.catalog import Effect, Lever, Scenarios
from etl.errors import ForesightError
from etl.periods import Frequency, Period, UnreadablePeriod
from forecasts.panel import Floats

SEED = 20260701
OUTER = 0.9
"""Level of the upper end of an interval of 80 %."""
WHOLE = 100.0
WRITTEN = re.compile(
    r"(?P<lever>[a-z]\w*)=(?P<value>[-+]?\d+(?:[.,]\d+)?)"
    r"(?:@(?P<since>[^:]+))?(?::(?P<field>[a-z]\w*))?"
)


class NotASetting(ForesightError):
    """Text that does not say which lever is moved, how far and from when."""


class UnknownLever(ForesightError):
    """The catalog has no lever of that name."""


class OutOfRange(ForesightError):
    """A lever is moved farther than its range, or to no step of it."""


@dataclass(frozen=True)
class Setting:
    """One lever moved."""

    lever: str
    value: float
    since: str | None = None
    """The first month, 2027-01; from the first month of the forecast, unless told."""
    field: str | None = None
    """Only this field; all that its effects name, unless told."""

    @classmethod
    def parse(cls, text: str) -> "Setting":
        """`population=2`, `moved=50@2027-01:land`.

        Raises:
            NotASetting: the text has another form, or names no month.
        """
        found = WRITTEN.fullmatch(text.strip())
        if not found:
            raise NotASetting(
                f"{text!r} does not say how far a lever is moved",
                hint="write population=2, or with month and field: decree=50@2027-01:land",
            )
        value = float(found["value"].replace(",", "."))
        setting = cls(found["lever"], value, found["since"], found["field"])
        setting.month(date(2000, 1, 1))
        return setting

    def __str__(self) -> str:
        since = f"@{self.since}" if self.since else ""
        return f"{self.lever}={self.value:g}{since}" + (f":{self.field}" if self.field else "")

    def month(self, first: date) -> date:
        """The first day from which it is moved; `first` unless told."""
        if self.since is None:
            return first
        try:
            period = Period.parse(self.since)
        except UnreadablePeriod:
            period = None
        if period is None or period.frequency is not Frequency.MONTH:
            raise NotASetting(f"{self.since!r} is no month", hint="write 2027-01")
        return period.start


def checked(
    scenarios: Scenarios,
    settings: Sequence[Setting],
    fields: Sequence[str],
    periods: Sequence[date],
) -> list[Setting]:
    """The settings by name of their lever, each within its range; those at 0 are left out.

    Raises:
        UnknownLever: there is no such lever.
        OutOfRange: it is moved farther than the range the catalog states.
        NotASetting: a lever is moved twice, after the forecast ends, or in an unknown field.
    """
    names = [setting.lever for setting in settings]
    for setting in settings:
        lever = _lever(scenarios, setting.lever)
        if not lever.minimum <= setting.value <= lever.maximum:
            raise OutOfRange(
                f"{lever.name} = {setting.value:g} lies outside its range",
                hint=f"from {lever.minimum:g} to {lever.maximum:g}",
            )
        if names.count(setting.lever) > 1:
            raise NotASetting(f"{lever.name} is moved twice", hint="keep one of the two")
        if setting.field is not None and setting.field not in fields:
            raise NotASetting(
                f"no field {setting.field!r} is forecast", hint=f"fields: {', '.join(fields)}"
            )
        if setting.month(periods[0]) > periods[-1]:
            raise NotASetting(
                f"{lever.name} is moved when the forecast is over",
                hint=f"choose a month up to {periods[-1]:%Y-%m}",
            )
    return sorted((one for one in settings if one.value), key=lambda one: one.lever)


def not_before(settings: Sequence[Setting], first: date) -> None:
    """Refuse a lever moved before `first`, the first month ahead: what is past is in the figures.

    For what is asked anew; a scenario kept long ago may begin before, and is played from now on.

    Raises:
        NotASetting: a lever is moved before.
    """
    for setting in settings:
        if setting.month(first) < first:
            raise NotASetting(
                f"{setting.lever} is moved in a month that is past",
                hint=f"choose a month from {first:%Y-%m} on",
            )


def _lever(scenarios: Scenarios, name: str) -> Lever:
    found = scenarios.lever(name)
    if found is None:
        known = ", ".join(lever.name for lever in scenarios.levers)
        raise UnknownLever(f"there is no lever {name!r}", hint=f"levers: {known}")
    return found


def moved(scenarios: Scenarios, settings: Sequence[Setting]) -> list[tuple[Lever, Setting]]:
    """Each setting beside its lever."""
    return [(_lever(scenarios, setting.lever), setting) for setting in settings]


@dataclass(frozen=True)
class Elasticity:
    """A number that is not known: its middle and the ends of its 80 % interval."""

    estimate: float
    lower: float
    upper: float

    @classmethod
    def of(cls, effect: Effect) -> "Elasticity":
        """What the catalog declares."""
        lower = effect.estimate if effect.lower is None else effect.lower
        upper = effect.estimate if effect.upper is None else effect.upper
        return cls(effect.estimate, lower, upper)

    def drawn(self, lever: str, number: int, count: int) -> Floats:
        """`count` values, evenly over its quantiles, in an order that is the lever's own.

        Normal on either side of the middle, so that one tenth lies beyond each end.
        """
        from scipy.special import ndtri

        scores = ndtri((np.arange(count) + 0.5) / count) / ndtri(OUTER)
        side = np.where(scores < 0, self.estimate - self.lower, self.upper - self.estimate)
        order = np.random.default_rng([SEED, crc32(f"{lever} {number}".encode())])
        return np.asarray(order.permutation(self.estimate + scores * side))


@dataclass(frozen=True)
class Calendar:
    """The periods of a series ahead, and the month from which levers are moved unless told."""

    first: date
    frequency: Frequency
    periods: tuple[date, ...]
    """First days."""

    def started(self, setting: Setting) -> Floats:
        """1 in the periods that begin when it is moved or later, else 0: `(h,)`."""
        since = setting.month(self.first)
        return np.array([float(period >= since) for period in self.periods])

    def ratio(self, lever: Lever, setting: Setting) -> Floats:
        """The driver moved over the driver as it is, `(h,)`; 1 before it is moved."""
        if lever.kind == "days":
            changed = self._more_days(setting.value)
        else:
            changed = np.full(len(self.periods), 1 + setting.value / WHOLE)
        return np.where(self.started(setting) > 0, changed, 1.0)

    def _more_days(self, a_month: float) -> Floats:
        spans = [Period.containing(self.frequency, period) for period in self.periods]
        # A month may be all holidays: then a day more has nothing to be compared with.
        days = np.array([max(working_days(span.start, span.end), 1) for span in spans])
        months = np.array([_months(span) for span in spans])
        return np.asarray(np.maximum(days + a_month * months, 1.0) / days)


def _months(span: Period) -> int:
    return 12 * (span.end.year - span.start.year) + span.end.month - span.start.month + 1


def powered(drawn: Floats, ratios: Floats) -> Floats:
    """`(count, h)`: each ratio to the power of each elasticity; exactly 1 where the ratio is."""
    return np.asarray(np.where(ratios == 1, 1.0, ratios[None] ** drawn[:, None]))
