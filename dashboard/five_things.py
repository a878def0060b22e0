"""What a leader has to see first: at most five things, worst first, each in one short sentence.

Targets that are off course or at risk come first, then plans that were missed in the last year,
outcomes outside the band that was given before, and last figures that should have come by now. What
cannot be judged yet is no bad news and stands apart. A sentence has at most `MOST_WORDS` words and
tells the figure, against what, since when, and how sure that is. Simulated figures test the
software: they stand behind all real ones, and only in a sentence that says what they are.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from dashboard.freshness import age, patience, stale
from dashboard.published import Headline, candidates, headlines, published, unit_of, with_unit
from dashboard.reader import Reader
from dashboard.targets import SHAPES, assumed, chance_words, sentence, state_name, wanted, when
from dashboard.workload import RECEIVED
from etl.catalog import Catalog
from forecasts.decisions.targets import Judged

State = Literal["off_course", "at_risk", "missed", "outside", "late"]
STATES: tuple[State, ...] = ("off_course", "at_risk", "missed", "outside", "late")
"""Worst first."""
MARKS = {
    "off_course": SHAPES["off_course"],
    "at_risk": SHAPES["at_risk"],
    "missed": "✕",
    "outside": "■",
    "late": "△",
}
"""A shape of its own for each state, so that colour alone tells nothing."""
MOST = 5
MOST_WORDS = 25
RECENT = dt.timedelta(days=366)
"""A plan missed longer ago is history."""
RUN = 2
"""Periods in a row outside the 80 % band, on one side, that are told; one alone is chance."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Thing:
    """One thing to see, and the address that opens it."""

    state: State
    word: str
    title: str
    sentence: str
    address: str
    simulated: bool = False


@dataclass(frozen=True)
class Unjudged:
    """How many targets cannot be judged yet, of how many, and the most frequent reason."""

    count: int
    all: int
    sentence: str


def five_things(reader: Reader) -> list[Thing]:
    """At most `MOST` things, worst first; all real ones before those on simulated figures."""
    found = [*_targets(reader), *_missed(reader), *_outside(reader), *_late(reader)]
    real = [thing for thing in found if not thing.simulated]
    made = [labelled(reader, thing) for thing in found if thing.simulated]
    told = [thing for thing in made if len(thing.sentence.split()) <= MOST_WORDS]
    return [*_worst_first(real), *_worst_first(told)][:MOST]


def _worst_first(things: list[Thing]) -> list[Thing]:
    return sorted(things, key=lambda thing: STATES.index(thing.state))


def labelled(reader: Reader, thing: Thing) -> Thing:
    """The thing with a sentence that says that its figures are simulated."""
    return replace(thing, sentence=reader.text("five.simulated", said=thing.sentence))


def unjudged(reader: Reader) -> Unjudged | None:
    """What cannot be judged yet of the targets ahead; nothing where all can."""
    found = reader.build.judged(reader.today)
    ahead = [one for one in found if _ahead(reader, one) and not assumed(one)]
    unknown = [one for one in ahead if one.verdict.state == "unknown"]
    if not unknown:
        return None
    (reason, many), *_ = Counter(one.verdict.reason for one in unknown).most_common(1)
    counted: dict[str, object] = {"count": len(unknown), "all": len(ahead), "many": many}
    said = reader.text("five.unjudged", why=reader.text(f"unjudged_short.{reason}"), **counted)
    return Unjudged(len(unknown), len(ahead), said)


def address(reader: Reader, page: str, **state: str) -> str:
    """The address of a page with its state by codes, in the reader's language."""
    asked = state | ({"lang": reader.lang} if reader.lang != "vi" else {})
    query = "&".join(f"{key}={value}" for key, value in asked.items() if value)
    return f"{page}?{query}" if query else page


def listed(reader: Reader) -> set[str]:
    """The indicators that their page can show: those with real figures."""
    return set(reader.rows("indicators")["indicator"])


def of_the_work(catalog: Catalog, indicator: str) -> bool:
    """Whether the page of work and staff is about an indicator."""
    work = catalog.workload
    if work is None:
        return False
    return indicator in {work.staff, *catalog.datasets[work.cases].delivered}


def page_of_work(reader: Reader, indicator: str) -> str:
    """The page of work and staff, open at the chart of one of its figures."""
    return address(reader, "workload", figure="" if indicator == RECEIVED else indicator)


def within(*told: str) -> str:
    """The first of several wordings, fullest first, that has at most `MOST_WORDS` words."""
    return next((one for one in told if len(one.split()) <= MOST_WORDS), told[-1])


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


# --- targets --------------------------------------------------------------------------------------


def _ahead(reader: Reader, judged: Judged) -> bool:
    return judged.target.period.end >= reader.today


def _targets(reader: Reader) -> Iterator[Thing]:
    """Targets ahead that will hardly be reached, or may not be, in the order of their chance."""
    for judged in reader.build.judged(reader.today):
        state = judged.verdict.state
        if _ahead(reader, judged) and (state == "off_course" or state == "at_risk"):
            yield Thing(
                state,
                state_name(judged.verdict, reader.text),
                reader.text.pick(judged.title, judged.title_en),
                target_sentence(reader, judged),
                _page_of(reader, judged),
                judged.simulated,
            )


def _page_of(reader: Reader, judged: Judged) -> str:
    indicator = judged.target.indicator or ""
    if indicator in listed(reader):
        return address(reader, "indicators", indicator=indicator)
    work = of_the_work(reader.build.catalog, indicator)
    return page_of_work(reader, indicator) if work else address(reader, "targets")


def target_sentence(reader: Reader, judged: Judged) -> str:
    """From where, to where by the forecast, what is asked, and the chance."""
    text, notation, verdict = reader.text, reader.notation, judged.verdict
    plain = sentence(judged, verdict, text, notation)
    figure, low, high = judged.newest, verdict.lower, verdict.upper
    by_forecast = not verdict.pace and not verdict.grown
    if not by_forecast or verdict.expected is None or low is None or high is None or not figure:
        return plain
    share = judged.target.measure == "growth" or judged.unit == "%"
    told = text(
        "five.forecast",
        since=_capital(notation.during(figure.frequency, figure.period, figure.period_end)),
        was=notation.number(figure.value, judged.decimals) + "%" * (judged.unit == "%"),
        when=when(judged, notation),
        expected=notation.rounded(verdict.expected) + "%" * share,
        interval=notation.interval(low, high),
        value=wanted(judged, verdict.baseline, text, notation),
        chance=chance_words(verdict.chance, text),
    )
    return within(told, plain)


# --- plans missed ---------------------------------------------------------------------------------


def _missed(reader: Reader) -> Iterator[Thing]:
    """Targets of the last year that were missed, then published plans that no target repeats."""
    told = set()
    for judged in reader.build.judged(reader.today):
        verdict, by = judged.verdict, judged.target.period
        if verdict.settled and verdict.state == "off_course" and reader.today - by.end <= RECENT:
            told.add((judged.target.indicator, by.start, by.end))
            yield Thing(
                "missed",
                reader.text("targets.missed"),
                reader.text.pick(judged.title, judged.title_en),
                _sure(reader, sentence(judged, verdict, reader.text, reader.notation), judged),
                _page_of(reader, judged),
                judged.simulated,
            )
    for item in headlines(reader):
        span = (item.indicator, item.figure["period"], item.figure["period_end"])
        if item.met is False and span not in told:
            yield _plan_missed(reader, item)


def _sure(reader: Reader, said: str, judged: Judged) -> str:
    """The sentence, with what kind of figure it rests on and when that was published."""
    figure = judged.newest
    if figure is None or figure.as_of is None:
        return said
    rows = published(reader, [judged.target.indicator or ""])
    mine = (judged.target.indicator, figure.period, figure.period_end, figure.as_of)
    keys = ("indicator", "period", "period_end", "as_of")
    row = next((r for r in rows if tuple(r[k] for k in keys) == mine), None)
    if row is None or row["status"] == "plan":
        return said
    more = _standing(reader, row)
    return within(f"{said.removesuffix('.')}; {more}.", said)


def _standing(reader: Reader, row: Row) -> str:
    status = reader.text(f"status.{row['status']}")
    return reader.text("five.standing", status=status, day=reader.notation.date(row["as_of"]))


def _plan_missed(reader: Reader, item: Headline) -> Thing:
    notation, figure = reader.notation, item.figure
    assert item.plan is not None
    period = notation.during(figure["frequency"], figure["period"], figure["period_end"])

    def told(unit: str) -> str:
        return reader.text(
            "five.plan_missed",
            period=_capital(period),
            value=with_unit(reader, figure["value"], unit, item.decimals).strip(),
            plan=with_unit(reader, item.plan["value"], unit, item.decimals).strip(),  # type: ignore[index]
            standing=_standing(reader, figure),
        )

    page = address(reader, "indicators", indicator=item.indicator)
    word = reader.text("targets.missed")
    return Thing("missed", word, item.title, within(told(item.unit), told("")), page)


# --- outcomes outside their band ------------------------------------------------------------------


def surprises(scored: pl.DataFrame) -> list[Row]:
    """The newest outcome of each series where it is a surprise, the longest in a row first.

    `scored` has the columns of `dashboard/sql/outside.sql`. A surprise lies outside the 95 % band,
    or is at least the `RUN`-th in a row outside the 80 % band on the same side. Added are side (1
    above, -1 below), run (outcomes in a row), since (the first of them) and beyond_95.
    """
    observed = pl.col("observed")
    side = (observed > pl.col("high_80")).cast(pl.Int8) - (observed < pl.col("low_80")).cast(
        pl.Int8
    )
    series = ["indicator", "area", "frequency"]
    sided = scored.with_columns(side=side.fill_null(0)).sort(*series, "period")
    stretch = (pl.col("side") != pl.col("side").shift(1)).fill_null(True).cum_sum().over(series)
    told = (
        sided.with_columns(stretch=stretch)
        .with_columns(
            run=pl.len().over(*series, "stretch"),
            since=pl.col("period").min().over(*series, "stretch"),
            since_end=pl.col("period_end").min().over(*series, "stretch"),
            beyond_95=((observed > pl.col("high_95")) | (observed < pl.col("low_95"))),
        )
        .filter(pl.col("period") == pl.col("period").max().over(series), pl.col("side") != 0)
        .filter(pl.col("beyond_95") | (pl.col("run") >= RUN))
    )
    return told.sort("run", "indicator", descending=[True, False]).to_dicts()


def _outside(reader: Reader) -> Iterator[Thing]:
    for row in surprises(reader.rows("outside")):
        if stale(row["frequency"], row["period"], row["period_end"], reader.today):
            continue
        place = f"{row['area']}.{row['frequency']}"
        name = row["indicator"]
        page = address(reader, "indicators", indicator=name, place=place)
        if name not in listed(reader):
            work = of_the_work(reader.build.catalog, name)
            page = page_of_work(reader, name) if work else address(reader, "communes")
        yield Thing(
            "outside",
            reader.text("five.outside"),
            reader.title(row),
            surprise_sentence(reader, row),
            page,
            row["simulated"],
        )


def surprise_sentence(reader: Reader, row: Row) -> str:
    """The outcome, the band given, since when it has been outside, and how rare that is."""
    notation, band = reader.notation, "95" if row["beyond_95"] and row["run"] < RUN else "80"
    period = notation.period(row["frequency"], row["period"], row["period_end"])
    since = notation.period(row["frequency"], row["since"], row["since_end"])

    def told(unit: str) -> str:
        return reader.text(
            f"five.{'beyond_' + band}",
            period=_capital(period),
            value=with_unit(reader, row["observed"], unit, row["decimals"] or 0).strip(),
            side=reader.text("five.above" if row["side"] > 0 else "five.below"),
            interval=notation.interval(row[f"low_{band}"], row[f"high_{band}"]),
            run=row["run"],
            since=since,
        )

    return within(told(unit_of(reader, row)), told(""))


# --- late figures ---------------------------------------------------------------------------------


def _late(reader: Reader) -> Iterator[Thing]:
    """One thing for all indicators of the first screen whose next figure should have come."""
    listed = candidates(reader)
    newest: dict[str, Row] = {}
    for row in published(reader, listed):
        if row["status"] != "plan" and row["period_end"] <= reader.today:
            newest.setdefault(row["indicator"], row)
    late = [newest[name] for name in listed if name in newest]
    late = [
        row
        for row in late
        if stale(row["frequency"], row["period"], row["period_end"], reader.today)
    ]
    late.sort(key=lambda row: _due(row))
    if late:
        yield Thing(
            "late",
            reader.text("five.late"),
            reader.title(late[0]),
            late_sentence(reader, late[0], len(late) - 1),
            address(reader, "indicators", indicator=late[0]["indicator"]),
        )


def late_sentence(reader: Reader, row: Row, others: int) -> str:
    """Of when the newest figure is, how old, when the next should have come, and how many more."""
    notation = reader.notation
    said = {
        "period": notation.during(row["frequency"], row["period"], row["period_end"]),
        "age": notation.age(age(row["period_end"], reader.today)),
        "due": notation.date(_due(row)),
    }
    if others:
        return reader.text("five.late_others", others=others, **said)
    return reader.text("five.late_one", **said)


def _due(row: Row) -> dt.date:
    days = patience(row["frequency"], row["period"], row["period_end"])
    end: dt.date = row["period_end"]
    return end + dt.timedelta(days=days)
