"""Which period a row speaks of: a column, the title, the name of the file, or an answer."""

import datetime as dt
import re
from pathlib import Path

from etl.draft import words
from etl.draft.columns import MONTHS_FIRST, Column, date_format, is_day_first, period_of
from etl.draft.plan import Field, Plan
from etl.extract.raw import plain
from etl.periods import MONTH_WORDS, Frequency, Period

_PARTS_OF_YEARS = {"tháng": "", "month": "", "quý": "Quý ", "quí": "Quý ", "quarter": "Quý "}
"""Headers of columns that a year completes, and what is written before their cells."""


def date_rows(plan: Plan, path: Path, today: dt.date) -> Column | None:
    """The column of periods, or a constant one."""
    shaped, notebook = plan.shaped, plan.notebook
    found = shaped.of("period") or shaped.of("date")
    if found:
        column = _best_period(plan, found)
        made = Field("period", _period_type(plan, column), column)
        if len(column.filled) == len(column.texts):
            made.more["constraints"] = {"required": True}
        if made.column and made.column.label != "period":
            notebook.guess("period", column.why)
        column.field = "period"
        plan.fields.append(made)
        return column
    said, sure = _said_in([*shaped.titles, *shaped.sheet_titles])
    period = next(iter(said), None)
    if period and sure:
        notebook.guess("clean.constant", f"the period stands in the title, {said[period]!r}")
    else:
        stem = re.sub(r"(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(?!\d)", r"\1 \2", path.stem)
        named, _ = _said_in([re.sub(r"[_-]", " ", stem)])
        told = f"the title says {' and '.join(map(repr, said.values()))}" if said else None
        told = told or (f"the name of the file says {next(iter(named))}" if named else None)
        text = f"which period are the figures of? {told or 'nothing in the file says it'}"
        period = next(iter([*said, *named]), Period.containing(Frequency.YEAR, today))
        answer = notebook.ask("clean.constant", text, {str(period): ""}, str(period))
        period = period_of(answer) or period
    plan.constant("period", str(period))
    kinds = {Frequency.YEAR: "year", Frequency.MONTH: "yearmonth"}
    plan.fields.append(Field("period", kinds.get(period.frequency, "string")))
    return None


def _best_period(plan: Plan, found: list[Column]) -> Column:
    ranked = sorted(found, key=lambda c: (c.label == "period", words.speaks_of_period(c.label)))
    best = ranked[-1]
    parts = [c for c in plan.shaped.columns if plain(c.label) in _PARTS_OF_YEARS and c is not best]
    if words.part_of(best.label) == "year" and parts:
        return _composed(plan, best, parts[0])
    return best


def _composed(plan: Plan, year: Column, part: Column) -> Column:
    """The period that a year and a column of months or quarters make together."""
    before = (
        ""
        if part.filled[0].lower().startswith(plain(part.label))
        else _PARTS_OF_YEARS[plain(part.label)]
    )
    pairs = zip(part.texts, year.texts, strict=True)
    texts = [f"{before}{a}/{b}" if a and b else None for a, b in pairs]
    made = Column(year.position, "period", [*texts], texts, "period")
    read = sum(period is not None for period in made.periods.values())
    if read < 0.95 * len(made.periods) or re.search(r"[{}]", part.label + year.label):
        return year
    made.why = f"{part.label!r} and {year.label!r} together make {read} periods"
    plan.clean["compose"] = {"period": f"{before}{{{part.label}}}/{{{year.label}}}"}
    plan.notebook.guess("period", made.why)
    for column in (part, year):
        column.kind, column.why = "part", "part of the period"
    plan.shaped.columns.append(made)
    return made


def _period_type(plan: Plan, column: Column) -> str:
    read = [period for period in column.periods.values() if period]
    frequencies = {period.frequency for period in read}
    if frequencies == {Frequency.YEAR}:
        return "year"
    if frequencies == {Frequency.MONTH}:
        return "yearmonth"
    if frequencies == {Frequency.DAY}:
        ask_day_first(plan, column, "period")
        if len(read) > 1 and all(period.start.day == 1 for period in read):
            plan.notebook.guess("period", "every day is the first of a month")
            return "yearmonth"
    return "string"


def ask_day_first(plan: Plan, column: Column, line: str) -> None:
    """Whether the day or the month comes first, where both can be."""
    first = is_day_first(column)
    example = next((t for t in column.distinct if re.match(r"\d{1,2}[/.-]\d", t)), "")
    if first is None:
        answer = plan.notebook.ask(
            line,
            f"is {example!r} day first or month first? no number in it exceeds 12",
            {"day": "day first, as in Việt Nam", "month": "month first"},
            "day",
        )
        first = answer == "day"
    if first:
        return
    if line == "period":
        plan.notebook.leave_open(
            line, f"{example!r} is read day first: write the months first as 2026-01"
        )
    else:
        forms = (date_format(text, MONTHS_FIRST) for text in column.distinct)
        plan.read["dates"] = [*dict.fromkeys(filter(None, forms))] or ["%m/%d/%Y"]
        plan.notebook.guess("read.dates", f"in {column.label!r} the second number exceeds 12")


_YEAR, _DAY = r"(?:19|20)\d\d", r"\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d\d"
_SPOKEN_OF = [
    rf"(?:từ )?(?:ngày )?{_DAY} ?(?:-|đến) ?(?:hết )?(?:ngày )?{_DAY}",
    rf"\w+ tháng(?: đầu| cuối)?(?: năm |[/ -]){_YEAR}",
    rf"(?:từ )?tháng \d\d? ?(?:-|,|và|đến) ?(?:hết )?(?:tháng )?\d\d?(?: năm |[/ -]){_YEAR}",
    rf"qu[ýí] [iv\d]+ ?(?:-|,|và|đến) ?(?:qu[ýí] )?[iv\d]+(?: năm |[/ -]){_YEAR}",
    rf"(?:tháng |t|thg )\d{{1,2}}(?: năm |[/ -]){_YEAR}",
    rf"tháng (?:{'|'.join(MONTH_WORDS)})(?: năm |/){_YEAR}",
    rf"qu[ýí] [iv\d]+(?: năm |[/ -]){_YEAR}",
    rf"{_YEAR} ?- ?{_YEAR}",
    _DAY,
    rf"\d{{1,2}}[/ -]{_YEAR}",
    rf"{_YEAR}[ -](?:0[1-9]|1[0-2])(?!\d)",
    _YEAR,
]
"""Periods as titles speak of them: before each stand those of which it may be a part."""
_SPOKEN = [re.compile(rf"(?<![\d/])(?:{form})(?!\d)") for form in _SPOKEN_OF]
_OF_THE_PAPER = re.compile(
    rf"(?<!từ )(?<!đến )ngày \d{{1,2}} tháng \d{{1,2}} năm {_YEAR}|\d+/{_YEAR}/[\w-]+"
)
"""The day on which it was signed, and the number of a decision."""
_DOUBT = re.compile(r"l[uũ][ỹy] kế|tính đến|đến (?:hết|cuối|ngày)|thời điểm|năm học|tháng|qu[ýí]")
"""Added up or known until then, a year of schools, a month whose year stands elsewhere."""


def _said_in(texts: list[str]) -> tuple[dict[Period, str], bool]:
    """The periods that titles speak of, in their words, and whether they leave no doubt."""
    found: dict[Period, str] = {}
    sure = True
    for text in texts:
        rest = _OF_THE_PAPER.sub(" ", re.sub(r"[–—−]", "-", plain(text)))
        for form in _SPOKEN:
            for match in form.findall(rest):
                period = period_of(re.sub(r"(?<=\d) (?=\d)", "/", match))
                sure = sure and period is not None
                if period:
                    found.setdefault(period, match)
                    rest = rest.replace(match, " ")
        spans = found and all(period.frequency is Frequency.SPAN for period in found)
        rest = re.sub("l[uũ][ỹy] kế", " ", rest) if spans else rest
        sure = sure and not _DOUBT.search(rest)
    return found, sure and len(found) == 1
