"""What is said of a forecast: what it is made of, what changed since the last issue, past errors.

The one sentence has at most 30 words in either language; its figures add up as they are written.
"""

from dataclasses import dataclass
from typing import Any

from numpy import cumsum

from dashboard.notation import MILLION, UNITS, Notation
from dashboard.text import Text
from forecasts.explain import CHANGES, Change, Explained, Miss, Step, shown_rounded
from forecasts.parts import LEVEL

MOST_PARTS = 3
"""Parts told by name in the sentence beside level and Tết; smaller ones are told together."""
TET = "tet"
"""Told wherever it is reckoned with, even as nothing: people ask."""
STEPS_SHOWN = 6
LEAST_CHANGE = 0.005
"""Of the forecast: a change below it is none to the reader."""


@dataclass(frozen=True)
class Words:
    """The words of one language for forecasts in one unit."""

    text: Text
    notation: Notation
    unit: str

    def sentence(self, explained: Explained, step: Step) -> str:
        """`Tháng 12/2026: khoảng 41.200 hồ sơ: mức gần đây 39.000, mùa vụ +1.900, Tết 0.`"""
        when = self.when(explained, step)
        if not step.parts:
            expected = self._in_unit(self.notation.rounded(step.expected))
            return self.text("made.whole", when=when, expected=expected)
        rounded, grain = shown_rounded(step)
        millions = abs(step.expected) >= MILLION
        figures = _Figures(self.notation, grain, millions)
        told = [self.text("made.level_told", value=figures.plain(rounded[LEVEL]))]
        told += [
            f"{self.text(f'part.{name}')} {figures.signed(value)}"
            for name, value in _told(rounded, grain).items()
        ]
        number = figures.plain(sum(rounded.values()))
        expected = f"{number} {UNITS[self.notation.lang]['million']}" if millions else number
        return self.text(
            "made.sentence", when=when, expected=self._in_unit(expected), parts=", ".join(told)
        )

    def when(self, explained: Explained, step: Step) -> str:
        """`Tháng 12/2026`."""
        written = self.notation.during(explained.series.frequency, step.period, step.period)
        return written[:1].upper() + written[1:]

    def change(self, change: Change, step: Step) -> str:
        """`So với bản 22/10/2026: +3% (số liệu mới +5, lịch −2)`; percentages in points."""
        day, whole = self.notation.date(change.issued), step.expected - change.before
        points = self.unit == "%"
        scale = 1.0 if points else abs(change.before) / 100
        if abs(whole) < LEAST_CHANGE * max(abs(change.before), abs(step.expected)):
            return self.text("made.unchanged", day=day)
        if not scale:
            return self.text("made.from_nothing", day=day)
        named = {name: change.parts[name] for name in CHANGES if name in change.parts}
        # Differences of rounded sums: they add up to the whole as it is written.
        digits = 1 if points else 0
        sums = [
            0.0,
            *(round(float(total), digits) for total in cumsum(list(named.values())) / scale),
        ]
        parts = [
            f"{self.text(f'changed.{name}')} {self._signed(now - before, digits)}"
            for name, before, now in zip(named, sums, sums[1:], strict=False)
            if round(now - before, digits)
        ]
        told = self.notation.points(whole) if points else self.notation.change(whole / scale / 100)
        return self.text("made.change", day=day, change=told, parts=", ".join(parts))

    def misses(self, misses: tuple[Miss, ...], frequency: str) -> list[dict[str, str]]:
        """Past errors as rows: kind, period, since, said, observed, error."""
        return [self._miss(miss, frequency) for miss in misses]

    def rows(self, explained: Explained) -> tuple[list[str], list[list[str]]]:
        """Headings and rows of the next periods, one column a part."""
        steps = explained.steps[:STEPS_SHOWN]
        names = list(dict.fromkeys(name for step in steps for name in step.parts))
        heads = [self.text("made.period"), self.text("made.expected")]
        heads += [_capital(self.text(f"part.{name}")) for name in names]
        return heads, [self._row(explained, step, names) for step in steps]

    def _row(self, explained: Explained, step: Step, names: list[str]) -> list[str]:
        rounded, grain = shown_rounded(step)
        figures = _Figures(self.notation, grain, millions=False)
        cells = [self.when(explained, step), figures.plain(step.expected)]
        for name in names:
            value = rounded.get(name, 0.0)
            cells.append(figures.plain(value) if name == LEVEL else figures.signed(value))
        return cells

    def _miss(self, miss: Miss, frequency: str) -> dict[str, str]:
        notation = self.notation
        since = notation.date(miss.since)
        if miss.kind == "retold":
            since = notation.period(frequency, miss.since, miss.since)
        error = (miss.said - miss.observed) / abs(miss.observed) if miss.observed else None
        return {
            "period": notation.period(frequency, miss.period, miss.period),
            "kind": self.text(f"miss.{miss.kind}", since=since),
            "said": notation.rounded(miss.said),
            "observed": notation.rounded(miss.observed),
            "error": notation.change(error),
        }

    def _in_unit(self, number: str) -> str:
        return f"{number}%" if self.unit == "%" else f"{number} {self.unit}".strip()

    def _signed(self, value: float, digits: int) -> str:
        return f"{self.notation.sign(value)}{self.notation.number(abs(value), digits)}"


@dataclass(frozen=True)
class _Figures:
    """Figures rounded to one grain, of a unit or of millions of it."""

    notation: Notation
    grain: float
    millions: bool

    def plain(self, value: float) -> str:
        scale = MILLION if self.millions else 1
        grain = self.grain / scale
        decimals = next((d for d in range(9) if grain >= 0.999 * 10.0**-d), 9)
        rounded = round(value / self.grain) * grain
        return self.notation.fixed(rounded, decimals) if rounded else "0"

    def signed(self, value: float) -> str:
        return f"{self.notation.sign(round(value / self.grain))}{self.plain(abs(value))}"


def _told(rounded: dict[str, float], grain: float) -> dict[str, float]:
    """The largest parts beside the level in the order told, and the others as one."""
    beside = {name: value for name, value in rounded.items() if name not in (LEVEL, TET)}
    some = [name for name, value in beside.items() if abs(value) >= grain / 2]
    largest = sorted(some, key=lambda name: -abs(beside[name]))[:MOST_PARTS]
    named = {name: value for name, value in rounded.items() if name in (*largest, TET)}
    others = sum(value for name, value in beside.items() if name not in largest)
    return {**named, "others": others} if abs(others) >= grain / 2 else named


def record(explained: Explained) -> dict[str, Any]:
    """All that is known, for machines."""
    return {
        **explained.series._asdict(),
        "issued": explained.issued,
        "origin": explained.origin,
        "model": explained.model,
        "simulated": explained.simulated,
        "steps": [
            {
                "period": step.period,
                "expected": step.expected,
                "parts": step.parts,
                "change": step.change and vars(step.change),
                "misses": [vars(miss) for miss in step.misses],
            }
            for step in explained.steps
        ],
    }


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
