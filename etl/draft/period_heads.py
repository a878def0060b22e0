"""Periods that head columns with their year, "Tháng 1/2025", "Quý I năm 2025", "202501".

A table has them in one form, beside a status ("Sơ bộ 2024") or behind the name of what is measured.
"""

import re
from collections import Counter

from etl.draft.columns import period_of
from etl.draft.layout import escaped
from etl.draft.year_parts import MONTH, QUARTER, begins_a_word
from etl.periods import ENGLISH_MONTHS, MONTH_WORDS, status_in

LEAST_COLUMNS = 2
"""Headers that are periods, from which on they are taken for a variable."""
_YEAR = r"(?:19|20)\d\d"
_OF = r"(?: ?[-/.,] ?(?i:năm )?| (?i:năm )?)"
_FORMS = [
    r"\d{1,2}[-/.]\d{1,2}[-/.]" + _YEAR,
    _YEAR + r"-\d\d(?:-\d\d)?",
    rf"\d{{1,2}} (?i:tháng)(?i: đầu| cuối)?(?:[/ ]|(?i: năm )){_YEAR}",
    rf"{QUARTER}(?i:IV|I{{1,3}}|[1-4]){_OF}{_YEAR}",
    rf"(?i:tuần |week |w)\d\d?{_OF}{_YEAR}",
    rf"{MONTH}\d{{1,2}}{_OF}{_YEAR}",
    rf"(?i:tháng (?:{'|'.join(MONTH_WORDS)})){_OF}{_YEAR}",
    rf"(?i:{'|'.join(ENGLISH_MONTHS)})[a-z]*\.?{_OF}{_YEAR}",
    r"\d{1,2}[-/]" + _YEAR,
    _YEAR + r"[-/ ]?(?i:m|q)\d\d?",
    r"(?:19[5-9]|20\d)\d(?:0[1-9]|1[0-2])",
    _YEAR + " ?[-–] ?" + _YEAR,
    r"(?i:(?:cả )?năm )?" + _YEAR,
]
"""At the end of a header; of two that find as many headers the first is meant."""
_NUMBERED = re.compile(r"(?i)(?:\b(?:đợt|kỳ|lần|số|khóa|khoá))\W*$")
"""Before "1/2025" it numbers something that is no month."""
_STATUS_WORD = re.compile(r"(Sơ bộ|Ước tính|Ước|Prel\.|Est\.)", re.IGNORECASE)


def period_pattern(figures: list[str], empty: list[str], others: list[str]) -> str | None:
    """What finds the headers that are periods among those of figures, and of `empty` columns.

    Its groups are `period`, `status` where some say it, and `indicator` where several figures have
    periods; `None` where the headers are none, or those of `others` would be found too.
    """
    labels = [*figures, *empty]
    found = [(rf"(?P<period>{form})$", _heads(form, labels)) for form in _FORMS]
    tail, heads = max(found, key=lambda one: len(one[1]))
    if len(heads) < LEAST_COLUMNS or not any(label in figures for label in heads):
        return None
    states = {
        match[1]
        for head in heads.values()
        if status_in(head) and (match := _STATUS_WORD.search(head))
    }
    status = f"(?P<status>{'|'.join(map(escaped, sorted(states)))})? ?" if states else ""
    names = Counter(_STATUS_WORD.sub("", head).strip(" -:,") for head in heads.values())
    if len(names) == 1:
        return f"{'' if names[''] == 0 else '^'}{status}{tail}"
    if any(re.search(tail, label) for label in others):
        return None
    return f"^(?P<indicator>.+?)[ :,-]+{status}{tail}"


def _heads(form: str, labels: list[str]) -> dict[str, str]:
    """What stands before the period in each header that ends with one."""
    return {
        label: label[: match.start()].strip()
        for label in labels
        if (match := re.search(f"(?:{form})$", label))
        and begins_a_word(label, match.start())
        and not _NUMBERED.search(label[: match.start()])
        and period_of(match[0])
    }
