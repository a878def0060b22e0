"""What is said of a target: its state by word and shape, one sentence, the sums beside it.

A sentence has at most 25 words in either language, and a chance is told in tenths, never finer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dashboard.notation import ENGLISH_MONTHS, Notation
from dashboard.text import Text
from etl.catalog import Baseline
from etl.periods import Period
from forecasts.decisions.pace import Pace
from forecasts.decisions.targets import NEVER, Judged, Verdict, tenths

SHAPES = {"off_course": "▼", "at_risk": "◆", "on_course": "●", "unknown": "○"}
"""Each state has a shape of its own: colour alone tells nothing to some readers, and in print."""
MISSING = "–"


def assumed(judged: Judged) -> bool:
    """Whether nobody set it: a target of the demo, on simulated figures."""
    return judged.verdict.baseline.plan == "demo"


def most_at_risk(found: Sequence[Judged], count: int) -> list[Judged]:
    """Those ahead that can be judged, the least likely first; what rests on real figures leads."""
    ahead = [one for one in found if one.verdict.chance is not None and not one.verdict.settled]
    return sorted(ahead, key=lambda one: (one.simulated, one.verdict.chance))[:count]


def state_name(verdict: Verdict, text: Text) -> str:
    """`Khó đạt`, `Chưa đánh giá được`; once it is over, `Không đạt`."""
    if verdict.settled:
        return text("targets.met" if verdict.state == "on_course" else "targets.missed")
    return text(f"state.{verdict.state}")


def chance_words(probability: float | None, text: Text) -> str:
    """`khoảng 6/10`, `dưới 1/20`, `trên 19/20`; a dash where it is not known."""
    if probability is None:
        return MISSING
    told = tenths(probability)
    if told is not None:
        return text("targets.chance", tenths=told)
    return text("targets.never" if probability < NEVER else "targets.surely")


def sentence(judged: Judged, verdict: Verdict, text: Text, notation: Notation) -> str:
    """The one sentence on a baseline."""
    if verdict.settled:
        return _settled(judged, verdict, text, notation)
    if verdict.reason:
        return _unjudged(judged, verdict, text, notation)
    if verdict.pace:
        return _paced(judged, verdict, verdict.pace, text, notation)
    if judged.bodies:
        counted = judged.bodies
        return text("targets.counted", publishing=len(counted.publishing), asked=counted.asked)
    return _forecast(judged, verdict, text, notation)


def labelled(judged: Judged, text: Text, notation: Notation) -> str:
    """The sentence on the baseline to judge by; where its figures are simulated it says so."""
    said = sentence(judged, judged.verdict, text, notation)
    return text("five.simulated", said=said) if judged.simulated else said


def queue_words(
    judged: Judged, found: Mapping[str, float | None] | None, text: Text, notation: Notation
) -> str:
    """What the simulated queue comes to beside it; empty where it tells nothing of it."""
    if found is None:
        return ""
    chance = found["chance"]
    return text(
        "targets.by_queue" if chance is None else "targets.by_queue_chance",
        expected=amount(judged, found["expected"], text, notation, expected=True),
        interval=notation.interval(found["lower"] or 0.0, found["upper"] or 0.0),
        chance="" if chance is None else chance_words(chance, text),
        misses=notation.number(found["misses"]),
    )


def wanted(judged: Judged, baseline: Baseline, text: Text, notation: Notation) -> str:
    """What a baseline asks for: `717.000 tỷ đồng`, `15%/năm`, `không quá 16%`."""
    value = amount(judged, baseline.value, text, notation)
    at_most = judged.target.direction == "at_most"
    return text("targets.at_most", value=value) if at_most else value


def amount(
    judged: Judged, value: float | None, text: Text, notation: Notation, *, expected: bool = False
) -> str:
    """A value of the target with its unit; an expected one has three significant digits."""
    number = notation.rounded(value) if expected else notation.number(value, judged.decimals)
    if judged.target.measure == "growth":
        exact = notation.number(value, judged.decimals or 1)
        several = Period.parse(judged.target.by).frequency == "span" or judged.target.since
        share = f"{number if expected else exact}%"
        return text("targets.a_year", share=share) if several else share
    unit = text.pick(judged.unit, judged.unit_en)
    return f"{number}%" if unit == "%" else f"{number} {unit}".strip()


def when(judged: Judged, notation: Notation) -> str:
    """The period of the target, as in a sentence: `năm 2030`."""
    by = judged.target.period
    return notation.during(by.frequency.value, by.start, by.end)


def sums(judged: Judged, text: Text, notation: Notation) -> str:
    """What is asked beside what has been; empty where nothing says where it starts."""
    found = judged.arithmetic
    if found is None or found.needed is None:
        return ""
    pace = notation.points if found.points else lambda x: notation.share(x, 1)
    parts = []
    if found.record is not None:
        share = notation.share(found.record, judged.decimals)
        parts.append(text("targets.record", record=share, year=found.record_year))
    else:
        parts.append(_needed(judged, text, notation, pace))
    if found.past is not None:
        years = f"{found.past_since}–{found.base_year}"
        parts.append(text("targets.past", years=years, past=pace(found.past)))
    if found.real is not None and found.deflator is not None:
        real, left = notation.share(found.real, 0), notation.share(found.deflator, 1)
        parts.append(text("targets.deflator", real=real, deflator=left))
    return " ".join(parts)


def record(judged: Judged, text: Text, notation: Notation) -> dict[str, Any]:
    """A target and what is said of it, for machines and for downloads."""
    target, quoted = judged.target, judged.verdict
    return {
        "target": target.name,
        "title": text.pick(judged.title, judged.title_en),
        "by": target.by,
        "owner": text.pick(target.owner, target.owner_en),
        "self_reported": target.self_reported,
        "state": quoted.state,
        "settled": quoted.settled,
        "reason": quoted.reason,
        "sentence": sentence(judged, quoted, text, notation),
        "arithmetic": sums(judged, text, notation),
        "simulated": judged.simulated,
        "stand_in_paths": judged.stand_in,
        "baselines": [_baseline(judged, one, text, notation) for one in judged.verdicts],
    }


def _baseline(judged: Judged, verdict: Verdict, text: Text, notation: Notation) -> dict[str, Any]:
    said = verdict.baseline
    return {
        "plan": said.plan,
        "value": said.value,
        "document": text.pick(said.document, said.document_en),
        "date": said.date,
        "url": said.path,
        "state": verdict.state,
        "chance": None if verdict.chance is None else chance_words(verdict.chance, text),
        "sentence": sentence(judged, verdict, text, notation),
    }


def _needed(
    judged: Judged, text: Text, notation: Notation, pace: Callable[[float | None], str]
) -> str:
    found = judged.arithmetic
    if found is None:
        return ""
    unit = text.pick(judged.unit, judged.unit_en)
    number = notation.number(found.base, judged.decimals)
    base = f"{number}%" if unit == "%" else f"{number} {unit}"
    if found.there:
        return text("targets.there", base=base, year=found.base_year)
    needed = pace(found.needed)
    if found.points and found.needed:
        size = notation.distance(found.needed)
        needed = text("targets.up" if found.needed > 0 else "targets.down", size=size)
    return text("targets.needed", needed=needed, base=base, year=found.base_year)


def _settled(judged: Judged, verdict: Verdict, text: Text, notation: Notation) -> str:
    met = verdict.state == "on_course"
    return text(
        "targets.was_met" if met else "targets.was_missed",
        when=_capital(when(judged, notation)),
        outcome=amount(judged, verdict.expected, text, notation),
        value=wanted(judged, verdict.baseline, text, notation),
    )


def _forecast(judged: Judged, verdict: Verdict, text: Text, notation: Notation) -> str:
    since, until = verdict.grown or (None, None)
    return text(
        "targets.grown" if verdict.grown else "targets.forecast",
        since=since,
        until=until,
        when=when(judged, notation),
        expected=amount(judged, verdict.expected, text, notation, expected=True),
        interval=_interval(verdict, notation),
        value=wanted(judged, verdict.baseline, text, notation),
        chance=chance_words(verdict.chance, text),
    )


def _interval(verdict: Verdict, notation: Notation) -> str:
    if verdict.lower is None or verdict.upper is None:
        return MISSING
    return notation.interval(verdict.lower, verdict.upper)


def _paced(judged: Judged, verdict: Verdict, pace: Pace, text: Text, notation: Notation) -> str:
    said: dict[str, Any] = {
        "done": "≈" * pace.completed + _part(judged, pace.done, pace, notation),
        "month": _month(pace.month, notation),
        "ends": _ends(judged, verdict, pace, notation),
        "value": _part(judged, pace.value, pace, notation),
        "chance": chance_words(verdict.chance, text),
    }
    if judged.target.direction == "at_most":
        return text("targets.pace_at_most", **said)
    if pace.done >= pace.value:
        return text("targets.pace_reached", done=said["done"], month=said["month"])
    if not pace.times:
        return text("targets.pace", **said)
    return text("targets.pace_needed", **said, times=notation.number(pace.times, 1))


def _part(judged: Judged, value: float, pace: Pace, notation: Notation) -> str:
    """A share as it is; an amount as a share of what is to be reached."""
    share = value if judged.unit == "%" or not pace.value else 100 * value / pace.value
    return notation.share(share, 0)


def _ends(judged: Judged, verdict: Verdict, pace: Pace, notation: Notation) -> str:
    """Where past years would end: `53–55%`."""
    ends = [end for end in (verdict.lower, verdict.upper) if end is not None]
    told = list(dict.fromkeys(_part(judged, end, pace, notation) for end in ends))
    return "–".join([*(end.removesuffix("%") for end in told[:-1]), *told[-1:]]) or MISSING


def _unjudged(judged: Judged, verdict: Verdict, text: Text, notation: Notation) -> str:
    pace, counted = verdict.pace, judged.bodies
    known: dict[str, object] = {}
    key = verdict.reason or ""
    if pace:
        known |= {"year": pace.year, "years": pace.years}
    if pace and pace.month:
        known |= {
            "done": _part(judged, pace.done, pace, notation),
            "month": _month(pace.month, notation),
        }
        key = "so_far" if key == "no_outcome" else key
    if counted:
        known |= {"publishing": len(counted.publishing), "asked": counted.asked}
    if verdict.until and judged.arithmetic:
        known |= {"ended": verdict.until.year, "again": judged.arithmetic.base_year}
    if verdict.until:
        known["until"] = notation.month(verdict.until)
    if verdict.detail:
        known["why"] = text(f"refused.{verdict.detail}")
    return text(f"unjudged.{key}", **known)


def _month(month: int, notation: Notation) -> str:
    return f"tháng {month}" if notation.lang == "vi" else ENGLISH_MONTHS[month - 1]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
