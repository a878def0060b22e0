"""Tables in which every row is a case: counted by the day it came, never shown."""

import re
from typing import Any

from etl.draft import words
from etl.draft.columns import DATES, Column, date_format
from etl.draft.indicators import add_described, indicator_name
from etl.draft.layout import is_number
from etl.draft.plan import Field, Plan, label_field, sensitive_fields
from etl.draft.shaping import NothingToMeasure
from etl.draft.timing import ask_day_first
from etl.extract.raw import plain

_CASE_WORDS = {
    "received": r"tiếp nhận|nộp|nhận hồ sơ|đăng ký|ngày nhận|phát sinh|received|filed",
    "due": r"hẹn|hạn|due",
    "finished": r"trả kết quả|ngày trả|hoàn thành|kết thúc|giải quyết xong|finished|closed",
}


def is_case_level(plan: Plan) -> bool:
    """Whether a row is a case to be counted, not a figure."""
    shaped = plan.shaped
    days, figures = shaped.of("date"), shaped.of("figure")
    codes = shaped.of("identifier")
    if not figures and not days:
        raise NothingToMeasure(
            "there is no column of figures, and no day by which rows could be counted",
            where=plan.path,
            hint="columns: " + ", ".join(column.label for column in shaped.columns) + _nearly(plan),
        )
    if not figures:
        return True
    if not days or shaped.of("period") or not (codes or shaped.of("personal")):
        return False
    answer = plan.notebook.ask(
        "tables",
        f"is a row one case to be counted, or is {figures[0].label!r} the figure that counts?",
        {"case": "rows are counted, and never shown", "figure": "each row is a figure"},
        "case",
    )
    return answer == "case"


def _nearly(plan: Plan) -> str:
    """What keeps columns with some figures from being taken for figures."""
    mixed = [
        (column.label, next(text for text in column.distinct if not is_number(text)))
        for column in plan.shaped.columns
        if 0 < column.figures < 1
    ]
    return "".join(f"; in {label!r} {text!r} is no figure" for label, text in mixed)


def case_days(plan: Plan) -> Column:
    days = plan.shaped.of("date")
    for column in days:
        column.field = _case_name(column.label)
        if column.field in _CASE_WORDS:
            plan.notebook.guess(column.field, "by the words of its header")
    received = next((c for c in days if c.field == "received"), None)
    if received is None:
        received = days[0]
        received.field = "received"
        if len(days) > 1:
            plan.notebook.guess("received", "the first column of days")
    return received


def count_cases(plan: Plan) -> None:
    """One row a case: counted by the day it came, by place and one column of labels."""
    shaped, notebook = plan.shaped, plan.notebook
    notebook.guess("tables", "every row is a case: codes or people, days, no figure to add up")
    codes = [column for column in shaped.of("identifier") if column.unique]
    if codes:
        plan.fields.append(
            Field(
                "case_id", "string", codes[0], {"constraints": {"required": True, "unique": True}}
            )
        )
        codes[0].field = "case_id"
        plan.key = ["case_id"]
        notebook.guess("case_id", codes[0].why)
    for column in shaped.of("date"):
        _date_field(plan, column)
    labels = [c for c in shaped.of("label") if not c.field]
    main = max(labels, key=lambda c: (len(c.distinct), -c.position), default=None)
    for column in labels:
        label_field(plan, column, "category" if column is main else None)
    sensitive_fields(plan)
    by = ["area", "category"] if main else ["area"]
    measures: list[dict[str, Any]] = [{"name": "received", "count": "received"}]
    if "finished" in plan.taken():
        measures += [
            {"name": "finished", "count": "finished"},
            {"name": "pending", "stock": {"from": "received", "until": "finished"}},
        ]
    plan.tables = [{"name": "cases", "by": by, "measures": measures}]
    titles = {
        "received": "tiếp nhận",
        "finished": "giải quyết",
        "pending": "đang giải quyết cuối kỳ",
    }
    for measure in measures:
        word = measure["name"]
        entry = {
            "name": indicator_name(plan, f"{plan.name}_{word}"),
            "title": f"{plan.title}: {titles[word]}",
            "title_en": f"{plan.title}: {word}",
            "value": word,
        }
        if word == "pending":
            entry["aggregate"] = "last"
        add_described(plan, entry)


def _date_field(plan: Plan, column: Column) -> None:
    name = words.unique(column.field or _case_name(column.label), plan.taken())
    column.field = name
    made = Field(name, "date", column)
    ask_day_first(plan, column, name)
    known = [*plan.read.get("dates", ["%Y-%m-%d", "%d/%m/%Y"])]
    needed = dict.fromkeys(date_format(t, [*known, *DATES]) for t in column.distinct)
    forms = [form for form in needed if form and form not in known]
    if forms:
        plan.read["dates"] = [*known, *forms]
    if name == "received" and len(column.filled) == len(column.texts):
        made.more["constraints"] = {"required": True}
    plan.fields.append(made)


def _case_name(label: str) -> str:
    word = plain(label)
    order = ("due", "finished", "received")
    return next((n for n in order if re.search(_CASE_WORDS[n], word)), words.name_of(label, "day"))
