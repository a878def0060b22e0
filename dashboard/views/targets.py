"""The targets of the city: which will be reached, worst first, and why some cannot be judged.

Those that cannot be judged fold away behind the reason they share: a line says how many and which,
and what is asked of each stands behind it.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from html import escape

import polars as pl

from dashboard import layout, tables
from dashboard.five_things import address, listed, of_the_work, page_of_work
from dashboard.queries import targets_by_queue
from dashboard.reader import Reader
from dashboard.tables import Column
from dashboard.targets import (
    SHAPES,
    assumed,
    chance_words,
    queue_words,
    record,
    sentence,
    state_name,
    sums,
    wanted,
)
from forecasts.decisions.targets import Judged, Verdict

KINDS = {"off_course": "bad", "at_risk": "warning", "on_course": "good", "unknown": ""}


def draw(reader: Reader) -> None:
    """The page."""
    text = reader.text
    found = reader.build.judged(reader.today)
    layout.head(reader, text("targets.title"), _lead(reader, found))
    if not found:
        layout.heading(text("targets.none"))
        return
    set_by_somebody = [judged for judged in found if not assumed(judged)]
    over = [judged for judged in set_by_somebody if _over(judged, reader)]
    ahead = [judged for judged in set_by_somebody if judged not in over]
    known = [judged for judged in ahead if judged.verdict.state != "unknown"]
    unknown = [judged for judged in ahead if judged.verdict.state == "unknown"]
    if known:
        layout.heading(text("targets.ahead"), text("targets.note"))
        table(reader, text("targets.ahead"), known)
    if over:
        layout.heading(text("targets.over"))
        table(reader, text("targets.over"), over)
    if unknown:
        layout.heading(text("targets.unjudged"), text("targets.unjudged_note"))
        layout.html("".join(_folded(reader, *group) for group in by_reason(unknown)))
    demo = [judged for judged in found if assumed(judged)]
    if demo:
        layout.heading(text("targets.demo"), text("targets.demo_note"))
        table(reader, text("targets.demo"), demo)
    if any(judged.stand_in for judged in [*ahead, *demo]):
        layout.html(f'<p class="cf-note">{escape(text("targets.stand_in"))}</p>')
    layout.download(reader, "targets", lambda: _rows(reader, found))


def by_reason(unknown: Sequence[Judged]) -> list[tuple[str, list[Judged]]]:
    """Targets that cannot be judged by the reason they share, the most frequent first."""
    groups: dict[str, list[Judged]] = {}
    for judged in unknown:
        groups.setdefault(judged.verdict.reason or "", []).append(judged)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _folded(reader: Reader, reason: str, found: list[Judged]) -> str:
    """How many there are, why, and which; opened, what is asked of each."""
    text = reader.text
    why = text("targets.unjudged_why", count=len(found), why=text(f"unjudged_short.{reason}"))
    names = ", ".join(text.pick(judged.title, judged.title_en) for judged in found)
    return (
        f'<details class="cf-fold"><summary><b>{SHAPES["unknown"]} {escape(why)}</b>'
        f"<small>{escape(names)}</small></summary>{_marked_up(reader, why, found)}</details>"
    )


def _over(judged: Judged, reader: Reader) -> bool:
    return judged.target.period.end < reader.today


def _lead(reader: Reader, found: list[Judged]) -> str:
    ahead = [one for one in found if not _over(one, reader) and not assumed(one)]
    counted = Counter(judged.verdict.state for judged in ahead)
    states = {state: counted[state] for state in ("off_course", "at_risk", "on_course", "unknown")}
    return reader.text("targets.lead", **states, all=len(ahead)) if ahead else ""


def table(reader: Reader, caption: str, found: list[Judged]) -> None:
    """Targets with their state, its reasons, what is asked by whom, and the sums."""
    layout.html(_marked_up(reader, caption, found))


def of_indicator(reader: Reader, indicator: str, category: str) -> None:
    """The targets on one figure of the work as they are judged; nothing where there are none."""
    found = [
        judged
        for judged in reader.build.judged(reader.today)
        if judged.target.indicator == indicator and judged.target.category == category
    ]
    if found:
        layout.heading(reader.text("indicators.targets"))
        table(reader, reader.text("indicators.targets"), found)


def _marked_up(reader: Reader, caption: str, found: list[Judged]) -> str:
    text = reader.text
    columns = [
        Column(text("targets.state"), lambda judged: _state(reader, judged)),
        Column(text("targets.target"), lambda judged: _subject(reader, judged), "subject"),
        Column(text("targets.assessment"), lambda judged: _assessment(reader, judged), "wide"),
        Column(text("targets.baselines"), lambda judged: _baselines(reader, judged), "wide"),
        Column(text("targets.sums"), lambda judged: _sums(reader, judged), "wide"),
    ]
    return tables.table(caption, columns, found, "cf-figures cf-labelled cf-targets")


def _state(reader: Reader, judged: Judged) -> str:
    verdict = judged.verdict
    word = f"{SHAPES[verdict.state]} {state_name(verdict, reader.text)}"
    return tables.chip(word, KINDS[verdict.state])


def _subject(reader: Reader, judged: Judged) -> str:
    text, target = reader.text, judged.target
    marks = [tables.chip(text("targets.self_reported"), "warning")] * target.self_reported
    marks += [tables.chip(text("simulated.short"), "warning")] * judged.simulated
    owner = text.pick(target.owner, target.owner_en)
    title = escape(text.pick(judged.title, judged.title_en))
    page = _page_of(reader, target.indicator or "")
    named = f'<a target="_self" href="{escape(page)}">{title}</a>' if page else title
    return f"{named}<br><small>{escape(owner)}</small> {' '.join(marks)}".strip()


def _page_of(reader: Reader, indicator: str) -> str:
    """Where the figures of an indicator are shown; nothing where they are on no page."""
    if indicator in listed(reader):
        return address(reader, "indicators", indicator=indicator)
    work = of_the_work(reader.build.catalog, indicator)
    return page_of_work(reader, indicator) if work else ""


def _assessment(reader: Reader, judged: Judged) -> str:
    said = escape(sentence(judged, judged.verdict, reader.text, reader.notation))
    more = [_queue(reader, judged), _newest(reader, judged), _note(reader, judged)]
    return "<br>".join([said, *(f"<small>{part}</small>" for part in more if part)])


def _queue(reader: Reader, judged: Judged) -> str:
    """What the simulated queue says beside the forecast, where it is worked out."""
    found = targets_by_queue(reader.build, reader.today).get(judged.target.name)
    return escape(queue_words(judged, found, reader.text, reader.notation))


def _newest(reader: Reader, judged: Judged) -> str:
    """The last published figure, with its source one tap away."""
    figure = judged.newest
    if figure is None:
        return ""
    notation = reader.notation
    unit = reader.text.pick(judged.unit, judged.unit_en)
    number = notation.number(figure.value, judged.decimals)
    value = f"{number}%" if unit == "%" else f"{number} {unit}"
    period = notation.period(figure.frequency, figure.period, figure.period_end)
    said = escape(reader.text("targets.newest", value=value, period=period))
    return f"{said} {tables.link(figure.source, figure.source_url)}".strip()


def _note(reader: Reader, judged: Judged) -> str:
    return escape(reader.text.pick(judged.target.note, judged.target.note_en))


def _baselines(reader: Reader, judged: Judged) -> str:
    return "<br>".join(_baseline(reader, judged, verdict) for verdict in judged.verdicts)


def _baseline(reader: Reader, judged: Judged, verdict: Verdict) -> str:
    """Whose value it is, the value, its chance where there are several, and the document."""
    text, said = reader.text, verdict.baseline
    value = f"<b>{escape(wanted(judged, said, text, reader.notation))}</b>"
    parts = [escape(text(f"set_by.{said.plan}")), value]
    if len(judged.verdicts) > 1 and verdict.chance is not None:
        parts.append(escape(chance_words(verdict.chance, text)))
    document = tables.link(text.pick(said.document, said.document_en), said.path)
    day = (
        reader.notation.date(dt.date.fromisoformat(said.date))
        if said.date
        else text("targets.undated")
    )
    note = escape(text.pick(said.note, said.note_en))
    beside = " · ".join(part for part in (note, document, escape(day)) if part)
    return f"{' · '.join(parts)}<br><small>{beside}</small>"


def _sums(reader: Reader, judged: Judged) -> str:
    return escape(sums(judged, reader.text, reader.notation))


def _rows(reader: Reader, found: list[Judged]) -> pl.DataFrame:
    """One row a baseline."""
    records = [record(judged, reader.text, reader.notation) for judged in found]
    rows = [
        {**{k: v for k, v in one.items() if k != "baselines"}, **baseline}
        for one in records
        for baseline in one["baselines"]
    ]
    return pl.DataFrame(rows, infer_schema_length=None)
