"""What is said of the work ahead and of a plan to lend people; numbers come with their ranges."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Protocol

from dashboard.notation import Notation
from dashboard.text import Text
from etl.catalog import Workload
from etl.translation import Language
from forecasts.decisions.staffing import Change, Move, Plan, Range
from forecasts.decisions.workload import AHEAD, Ahead, Flags

NEVER, SURELY = 0.05, 0.95
TENTHS = 10


class Grounds(Protocol):
    """What the work ahead rests on: that of `Ahead`, or of what is kept of it."""

    @property
    def asked(self) -> Workload: ...
    @property
    def today(self) -> date: ...
    @property
    def until(self) -> date: ...
    @property
    def last(self) -> date: ...
    @property
    def times(self) -> float: ...
    @property
    def told(self) -> Flags: ...
    @property
    def untold(self) -> tuple[str, ...]: ...
    @property
    def without_forecast(self) -> int: ...
    @property
    def simulated(self) -> bool: ...


def chance(probability: float | None, text: Text) -> str:
    """`khoảng 6/10`, `dưới 1/20`, `trên 19/20`; a dash where it is not known."""
    if probability is None:
        return "–"
    if probability < NEVER:
        return text("targets.never")
    if probability > SURELY:
        return text("targets.surely")
    return text("targets.chance", tenths=min(max(round(probability * TENTHS), 1), TENTHS - 1))


def ranged(found: Range, notation: Notation) -> str:
    """`3.727 (3.560–3.901)`: dossiers, whole but for a few."""
    mean, lower, upper = (
        float(round(count)) if count >= TENTHS else round(count, 1)
        for count in (found.mean, found.lower, found.upper)
    )
    return f"{notation.rounded(mean)} ({notation.interval(lower, upper)})"


def before_after(plan: Plan, text: Text, notation: Notation) -> str:
    """What passes its due day in the whole city, as it is and with the plan."""
    known = {"before": ranged(plan.before, notation), "after": ranged(plan.after, notation)}
    return text("lending.before_after", **known)


def verdict(plan: Plan, text: Text, notation: Notation) -> str:
    """The one sentence on a plan."""
    moved = sum(move.people for move in plan.moves)
    if not plan.asked:
        return text("lending.none_asked")
    if not plan.moves:
        return text("lending.no_move", asked=plan.asked)
    people = {"people": moved, "asked": plan.asked}
    if plan.within_noise:
        usual = notation.interval(plan.saved.lower, plan.saved.upper)
        mean = notation.rounded(plan.saved.mean)
        said = text("lending.within_noise", **people, usual=usual, mean=mean)
    else:
        said = text("lending.saves", **people, saved=ranged(plan.saved, notation))
    return f"{said} {text('lending.helps', chance=chance(plan.helps, text))}"


def move_said(move: Move, names: dict[str, str], text: Text, notation: Notation) -> str:
    """`Cái Răng → Cái Khế: 2 người, 6 km`."""
    distance = "" if move.distance is None else f", {notation.number(move.distance)} km"
    people = text("lending.people", people=move.people)
    return f"{names[move.giver]} → {names[move.taker]}: {people}{distance}"


def change_said(change: Change, names: dict[str, str], text: Text, notation: Notation) -> str:
    """A taker's gain, or a giver's risk."""
    return text(
        "lending.taker" if change.change > 0 else "lending.giver",
        commune=names[change.area],
        people=change.people,
        then=change.people + change.change,
        before=ranged(change.before, notation),
        after=ranged(change.after, notation),
        risk_before=chance(change.overload_before, text),
        risk_after=chance(change.overload_after, text),
    )


def changes_said(plan: Plan, names: dict[str, str], text: Text, notation: Notation) -> list[str]:
    """What each taker gains and each giver risks, and why a mean may lie outside its range."""
    said = [change_said(change, names, text, notation) for change in plan.changes]
    told = [found for change in plan.changes for found in (change.before, change.after)]
    if any(not found.lower <= found.mean <= found.upper for found in told):
        said.append(text("lending.mean_outside"))
    return said


def caveats(ahead: Grounds, text: Text, notation: Notation) -> list[str]:
    """What all of it rests on: the day of the data, the assumptions, what was left out."""
    asked = ahead.asked
    assumed = sum(one.source == "assumption" for one in asked.minutes)
    said = [
        text("lending.until", day=notation.date(ahead.until), today=notation.date(ahead.today)),
        text(
            "lending.assumed",
            assumed=assumed,
            fields=len(asked.minutes),
            hours=notation.number(asked.hours, 1),
            share=notation.share(100 * asked.on_dossiers, 0),
        ),
    ]
    if ahead.last < ahead.today + timedelta(days=AHEAD - 1):
        said.insert(1, text("lending.cut", day=notation.date(ahead.last)))
    if ahead.times != 1.0:
        said.append(text("lending.what_if", times=notation.number(ahead.times, 2)))
    if not ahead.told.all():
        said.append(text("lending.untold", communes=int((~ahead.told).sum())))
    if ahead.without_forecast or ahead.untold:
        said.append(
            text("lending.left_out", series=ahead.without_forecast, months=len(ahead.untold))
        )
    if ahead.simulated:
        said.insert(0, f"{text('simulated.title')}. {text('simulated.not_real')}")
    return said


def sentences(ahead: Ahead, plan: Plan, lang: Language) -> list[str]:
    """The plan in words, line by line."""
    text, notation = Text(lang), Notation(lang)
    names = dict(zip(ahead.places["area"], ahead.places["name"], strict=True))
    return [
        *caveats(ahead, text, notation),
        before_after(plan, text, notation),
        verdict(plan, text, notation),
        *(move_said(move, names, text, notation) for move in plan.moves),
        *changes_said(plan, names, text, notation),
    ]


def answer(ahead: Ahead, plan: Plan, within: str) -> dict[str, Any]:
    """The plan for machines."""
    return {
        "today": ahead.today,
        "data_until": ahead.until,
        "told_until": ahead.last,
        "simulated": ahead.simulated,
        "within": within,
        "times": ahead.times,
        **asdict(plan),
    }
