"""What is said of a what-if: the levers moved, one sentence on what follows, and its assumptions.

A sentence says "if ..., then, under the assumptions stated"; never that one thing causes another.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from dashboard.notation import Notation
from dashboard.targets import chance_words
from dashboard.text import Text
from etl.catalog import Catalog, Lever, Scenarios
from forecasts.decisions.levers import Setting, moved
from forecasts.decisions.saved import Assumption, Saved
from forecasts.decisions.scenarios import Band, Outcome
from forecasts.decisions.targets import Judged
from forecasts.decisions.what_if_queue import Change, Told

LITTLE = 1e-9
ESTIMATED = "across_communes"
PARTS = ("base", "scenario", "difference")


def lever_title(lever: Lever, text: Text) -> str:
    """Its title in the reader's language."""
    return text.pick(lever.title, lever.title_en)


def amount(lever: Lever, value: float, text: Text, notation: Notation) -> str:
    """`+2%`, `−5 điểm %`, `+1 ngày`; a share that moves has no sign."""
    number = notation.number(abs(value), 2)
    if lever.kind == "share":
        return f"{number}%"
    kind = "day" if lever.kind == "days" and abs(value) == 1 else lever.kind
    return notation.sign(value) + text(f"lever_amount.{kind}", number=number)


def told(
    scenarios: Scenarios,
    settings: Iterable[Setting],
    fields: Mapping[str, str],
    text: Text,
    notation: Notation,
) -> str:
    """`Dân số +2%; Chuyển thủ tục về cấp xã 50% (từ 3/2027, Đất đai)`."""
    parts = []
    for lever, setting in moved(scenarios, list(settings)):
        more = []
        if setting.since:
            more.append(text("scenarios.since", month=month(setting, notation)))
        if setting.field:
            more.append(fields.get(setting.field, setting.field))
        beside = f" ({', '.join(more)})" if more else ""
        parts.append(
            f"{lever_title(lever, text)} {amount(lever, setting.value, text, notation)}{beside}"
        )
    return "; ".join(parts)


def month(setting: Setting, notation: Notation) -> str:
    """The month from which a lever is moved."""
    return notation.month(setting.month(dt.date.min))


def sentence(outcome: Outcome, levers: str, text: Text, notation: Notation) -> str:
    """What follows for the city, if what is assumed holds."""
    if not outcome.settings:
        return text("scenarios.nothing")
    _, _, difference = outcome.received
    said: dict[str, Any] = {
        "levers": levers,
        "until": notation.month(outcome.base.periods[-1]),
    }
    if abs(difference.lower) + abs(difference.upper) < LITTLE:
        return text("scenarios.same", **said)
    key = "scenarios.more" if difference.middle > 0 else "scenarios.fewer"
    if difference.lower < 0 < difference.upper:
        return text(
            "scenarios.unsure",
            **said,
            number=signed(difference.middle, notation),
            interval=between(difference, notation),
        )
    return text(
        key,
        **said,
        number=notation.rounded(abs(difference.middle)),
        interval=between(difference, notation),
        change=share(outcome.change.middle, notation),
    )


def burden(outcome: Outcome, text: Text, notation: Notation) -> str:
    """What follows for each hour of staff; and hours, where minutes a dossier are declared."""
    band = outcome.burden
    said = text(
        "scenarios.burden",
        change=share(band.middle, notation),
        low=share(band.lower, notation),
        high=share(band.upper, notation),
    )
    if outcome.work is None:
        return f"{said} {text('scenarios.alike')}"
    _, _, more = outcome.work
    hours = text(
        "scenarios.hours",
        number=signed(more.middle, notation),
        interval=between(more, notation),
    )
    return f"{said} {hours}"


def between(band: Band, notation: Notation) -> str:
    """`+1.200 … +3.400`: both ends with their sign."""
    return f"{signed(band.lower, notation)} … {signed(band.upper, notation)}"


def signed(value: float, notation: Notation) -> str:
    """A difference to three significant digits, with its sign."""
    return notation.sign(round(value, 9)) + notation.rounded(abs(value))


def share(ratio: float, notation: Notation) -> str:
    """`+2,4%` from 0.024."""
    rounded = round(100 * ratio, 1)
    return f"{notation.sign(rounded)}{notation.share(abs(rounded), 1)}"


def taken_for_true(
    one: Assumption, catalog: Catalog, text: Text, notation: Notation, *, simulated: bool
) -> dict[str, str]:
    """An assumption as a row: lever, what it acts on, number with interval, evidence, reason.

    `simulated`: what was estimated here was estimated from simulated figures.
    """
    lever = catalog.scenarios.lever(one.lever) if catalog.scenarios else None
    entry = catalog.indicators.get(one.indicator or "")
    mark = f" · {text('simulated.short')}" if simulated and one.evidence == ESTIMATED else ""
    number = notation.number(one.estimate, 2)
    if one.lower < one.upper:
        number += f" ({notation.number(one.lower, 2)} … {notation.number(one.upper, 2)})"
    return {
        "lever": lever_title(lever, text) if lever else one.lever,
        "on": text.pick(entry.title, entry.title_en) if entry else text(f"acts_on.{one.on}"),
        "number": number,
        "evidence": text(f"evidence.{one.evidence}") + mark,
        "reason": text.pick(one.rationale, one.rationale_en),
        "source": one.source or "",
    }


def queue_rows(found: Told, text: Text) -> list[tuple[str, Change]]:
    """What is told of the queue: pending, overdue, finished late, offices overloaded."""
    rows = [
        (text("scenarios.queue_pending"), _rounded(found.pending, 0)),
        (text("scenarios.queue_overdue"), _rounded(found.overdue, 0)),
        (text("scenarios.queue_late"), _rounded(found.late, 2)),
    ]
    overloaded = _rounded(found.overloaded, 0)
    return [*rows, (text("scenarios.queue_overloaded", all=found.offices), overloaded)]


def record(
    outcome: Outcome,
    targets: Iterable[tuple[Judged, Judged]],
    text: Text,
    found: Told | None = None,
) -> dict[str, Any]:
    """An outcome for machines; every value as lower end, median and upper end."""
    hours = outcome.work
    return {
        "queue": found and queue_record(found),
        "simulated": outcome.base.simulated,
        "what_if": True,
        "settings": [str(one) for one in outcome.settings],
        "months": [period.isoformat() for period in outcome.base.periods],
        "received": _parts(outcome.received),
        "change": ends(outcome.change),
        "hours": hours and _parts(hours),
        "work_for_each_hour_of_staff": ends(outcome.burden),
        "communes": outcome.communes().to_dicts(),
        "fields": outcome.by_field().to_dicts(),
        "targets": [
            {
                "target": before.target.name,
                "before": chance_words(before.verdict.chance, text),
                "after": chance_words(after.verdict.chance, text),
                "reason": before.verdict.reason,
            }
            for before, after in targets
        ],
    }


def _rounded(change: Change, decimals: int) -> Change:
    """More is not known: dossiers and offices are whole, shares have two decimals."""
    base, scenario, difference = (
        Band(*(round(end, decimals) for end in (band.lower, band.middle, band.upper)))
        for band in change
    )
    return base, scenario, difference


def queue_record(found: Told) -> dict[str, Any]:
    """A queue for machines."""
    return {
        "until": found.until.isoformat(),
        "offices": found.offices,
        "pending": _parts(found.pending),
        "overdue": _parts(found.overdue),
        "finished_late_percent": _parts(found.late),
        "overloaded_offices": _parts(found.overloaded),
    }


def _parts(change: Change) -> dict[str, list[float]]:
    return {name: ends(band) for name, band in zip(PARTS, change, strict=True)}


def ends(band: Band) -> list[float]:
    """Lower end, median, upper end."""
    return [band.lower, band.middle, band.upper]


def titled(code: str, saved: Saved, notation: Notation) -> str:
    """A saved scenario in a list."""
    return f"{saved.name} · {saved.author} · {notation.date(saved.saved_on)} · {code}"
